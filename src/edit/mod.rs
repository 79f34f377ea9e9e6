//! Changes of a text, as values.
//!
//! Owns: [`Edit`], [`EditSet`], [`Fix`] and [`Applicability`]; how edits join (atomically, the loser handed back) and are applied.
//! Never does: know what the text means.

pub mod arrange;

use std::ops::Range;

/// Replace the bytes of `range` by `insert`. An empty range inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the one immutable source.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub insert: String,
    /// Which of that stood elsewhere before: from this byte of `insert` on it comes from that byte of the source. Ascending in the
    /// first.
    pub origins: Vec<(usize, usize)>,
}

impl Edit {
    /// Adds `text` in front of the byte at `at`.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }

    /// Takes the bytes of `range` away.
    pub fn delete(range: Range<usize>) -> Self {
        Self::replace(range, String::new())
    }

    /// Puts `text` in the place of `range`.
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, insert: text.into(), origins: Vec::new() }
    }

    /// Two edits conflict when they touch a byte both, or insert at one place.
    fn conflicts(&self, other: &Self) -> bool {
        if self.range.is_empty() || other.range.is_empty() {
            self.range.start <= other.range.end && other.range.start <= self.range.end
        } else {
            self.range.start < other.range.end && other.range.start < self.range.end
        }
    }
}

/// Joins edits that touch into one, so that a fix may insert where it deletes. Insertions at one place keep the order in which
/// they are given; an insertion at the edge of a deletion stands in its place.
pub fn join(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|edit| edit.range.start);
    let mut joined: Vec<Edit> = Vec::new();
    for edit in edits {
        match joined.last_mut() {
            Some(last) if edit.range.start <= last.range.end => {
                last.range.end = last.range.end.max(edit.range.end);
                let before = last.insert.len();
                last.origins.extend(edit.origins.iter().map(|(at, source)| (before + at, *source)));
                last.insert.push_str(&edit.insert);
            }
            _ => joined.push(edit),
        }
    }
    joined
}

/// How far a fix can be trusted. Doubt only lowers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// A person must decide.
    DisplayOnly,
    /// A good image, but its content, base or behaviour may differ. Applied on request.
    Unsafe,
    /// For a clean checkout built by the chosen builder: if it built before it builds now, and the image has the same files
    /// (download caches and index lists aside), modes, owners and config.
    Safe,
}

/// One change, done whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative: "Keep pip's downloads in a cache mount".
    pub title: String,
    /// Disjoint, in any order.
    pub edits: Vec<Edit>,
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// Said beside it: what changes besides the text.
    pub notes: Vec<String>,
    /// Comments (trimmed text) that go with what they spoke of.
    pub removes_comments: Vec<String>,
    /// It changes the order of instructions, and with them that of comments and settings.
    pub moves: bool,
    /// Patterns that the ignore file must end with, in this order; done together with the edits or not at all.
    pub ignores: Vec<String>,
}

/// Edits of one source that do not touch each other.
#[derive(Clone, Debug, Default)]
pub struct EditSet {
    edits: Vec<Edit>,
}

impl EditSet {
    /// Adds all edits, or none and says so with `false`: the loser waits for the next pass.
    pub fn add(&mut self, edits: &[Edit]) -> bool {
        let clash = |edit: &Edit, others: &[Edit]| others.iter().any(|other| edit.conflicts(other));
        let among_themselves =
            edits.iter().enumerate().any(|(index, edit)| edits.get(index + 1..).is_some_and(|others| clash(edit, others)));
        if among_themselves || edits.iter().any(|edit| clash(edit, &self.edits)) {
            return false;
        }
        self.edits.extend_from_slice(edits);
        self.edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        true
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The changed text. `None` when an edit does not lie on characters of `source`.
    pub fn apply(&self, source: &str) -> Option<String> {
        let mut result = String::with_capacity(source.len());
        let mut at = 0;
        for edit in &self.edits {
            result.push_str(source.get(at..edit.range.start)?);
            result.push_str(&edit.insert);
            source.get(edit.range.clone())?;
            at = edit.range.end;
        }
        result.push_str(source.get(at..)?);
        Some(result)
    }

    /// Where the byte at `offset` of the changed text stood in the source. For new text: where it was put in, or what it was made
    /// from, where the edit tells.
    pub fn back(&self, offset: usize) -> usize {
        // The ends of what was passed, in the source and in the changed text.
        let (mut source, mut changed) = (0, 0);
        for edit in &self.edits {
            let start = changed + (edit.range.start - source);
            let end = start + edit.insert.len();
            if offset < start {
                break;
            }
            if offset < end {
                let origin = edit.origins.iter().rev().find(|(at, _)| *at <= offset - start);
                return origin.map_or(edit.range.start, |(_, origin)| *origin);
            }
            (source, changed) = (edit.range.end, end);
        }
        source + (offset - changed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Edit, EditSet};

    #[test]
    fn edits_are_applied_in_order_of_place() {
        let mut set = EditSet::default();
        assert!(set.add(&[Edit::insert(11, "!"), Edit::replace(0..5, "Goodbye")]));
        assert!(set.add(&[Edit::delete(5..6)]));
        assert_eq!(set.apply("Hello world").as_deref(), Some("Goodbyeworld!"));
    }

    #[test]
    fn a_fix_that_touches_another_is_left_out_whole() {
        let mut set = EditSet::default();
        assert!(set.add(&[Edit::replace(2..4, "x")]));
        assert!(!set.add(&[Edit::insert(0, "y"), Edit::delete(3..5)]));
        assert!(!set.add(&[Edit::insert(8, "a"), Edit::insert(8, "b")]));
        assert_eq!(set.apply("abcdefghij").as_deref(), Some("abxefghij"));
    }

    #[test]
    fn a_byte_finds_back_to_where_it_stood() {
        let mut set = EditSet::default();
        let moved = Edit { origins: vec![(0, 6), (2, 4)], ..Edit::replace(4..8, "ghEF") };
        assert!(set.add(&[Edit::insert(0, "new "), moved, Edit::delete(9..10)]));
        let changed = set.apply("abcdefghijk").unwrap();
        assert_eq!(changed, "new abcdghEFik");
        let back = |letter: char| set.back(changed.find(letter).unwrap());
        let origins: Vec<usize> = "nadgEik".chars().map(back).collect();
        assert_eq!(origins, [0, 0, 3, 6, 4, 8, 10]);
        assert_eq!(set.back(changed.len()), 11);
    }

    #[test]
    fn an_edit_inside_a_character_is_not_applied() {
        let mut set = EditSet::default();
        assert!(set.add(&[Edit::delete(1..2)]));
        assert_eq!(set.apply("ä"), None);
    }
}
