//! What differs between two builds of the same file.
//!
//! Owns: the noise floor, by path and respect. Names that hold a number which is another in each build are known by their shape.

use super::{Aspect, Difference, Place, all_differences};
use crate::builder::image::Image;
use std::collections::BTreeSet;

/// What was seen to differ by itself.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    seen: BTreeSet<(Place, Aspect)>,
    /// Shapes of paths that only one of the two had.
    shapes: BTreeSet<String>,
}

impl Noise {
    /// Of two images from one file.
    pub fn between(one: &Image, other: &Image) -> Self {
        let differences = all_differences(one, other);
        let shape = |difference: &Difference| match (&difference.place, difference.aspect) {
            (Place::Path(path), Aspect::Presence) => shape(path),
            _ => None,
        };
        let shapes = differences.iter().filter_map(shape).collect();
        Self { seen: differences.into_iter().map(|difference| (difference.place, difference.aspect)).collect(), shapes }
    }

    /// How many differences there were.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Whether a difference is one of these.
    pub(super) fn covers(&self, difference: &Difference) -> bool {
        if self.seen.contains(&(difference.place.clone(), difference.aspect)) {
            return true;
        }
        match (&difference.place, difference.aspect) {
            (Place::Path(path), Aspect::Presence) => shape(path).is_some_and(|shape| self.shapes.contains(&shape)),
            _ => false,
        }
    }
}

/// A path with its numbers, and words of eight or more hexadecimal digits, as `#`; `None` where it has neither: such a path is
/// the same in each build.
fn shape(path: &str) -> Option<String> {
    let mut shape = String::new();
    let mut word = String::new();
    let mut numbered = false;
    for c in path.chars().chain(std::iter::once('/')) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let hexadecimal = word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hexadecimal && word.bytes().any(|byte| byte.is_ascii_digit())
            || (!word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()))
        {
            numbered = true;
            shape.push('#');
        } else {
            shape.push_str(&word);
        }
        word.clear();
        shape.push(c);
    }
    numbered.then_some(shape)
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn numbers_have_no_shape_and_names_do() {
        assert_eq!(shape("/a/x-0011223344556677.d"), shape("/a/x-a011223344556678.d"));
        assert_eq!(shape("/tmp/v8-compile-cache-0/17"), shape("/tmp/v8-compile-cache-1/9"));
        assert_ne!(shape("/a/x-0011223344556677.d"), shape("/b/x-a011223344556678.d"));
        assert_eq!(shape("/usr/bin/greet"), None);
        assert_eq!(shape("/usr/bin/python3"), None);
    }
}
