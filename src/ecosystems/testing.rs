//! Commands for the tests of the ecosystems, from a list of words.

use super::{Argument, Invocation};
use crate::knowledge::Knowledge;

/// A command from its words. `X=y` in front become its variables; a word with a `$` in it is not known.
pub fn invocation(words: &[&str]) -> Invocation {
    let assignments =
        words.iter().take_while(|word| word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-'))).count();
    let value = |word: &str| if word.contains('$') { Knowledge::Unknown } else { Knowledge::Known(word.to_owned()) };
    let variables = words.iter().take(assignments).filter_map(|word| word.split_once('='));
    let path = words.get(assignments).copied().unwrap_or_default();
    Invocation {
        program: path.rsplit('/').next().unwrap_or_default().to_owned(),
        path: path.to_owned(),
        arguments: words
            .iter()
            .skip(assignments + 1)
            .map(|word| Argument { value: value(word), raw: (*word).to_owned(), span: Knowledge::Unknown })
            .collect(),
        variables: variables.map(|(name, text)| (name.to_owned(), value(text))).collect(),
        front: Knowledge::Known(0),
        ..Invocation::default()
    }
}
