//! The words of a command sorted into options with their values and operands, as Python's and Rust's parsers do it.
//!
//! Owns: which word belongs to which option. Never does: know what an option means.

use super::{Argument, Invocation};
use crate::knowledge::Knowledge;

/// An option that was given, with its value where it takes one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// As listed in the table: `-r`, `--requirement`.
    pub(super) name: String,
    /// Its value; `None` for a plain flag.
    pub(super) value: Option<Knowledge<String>>,
    /// The indexes of the words that say it.
    pub(super) words: Vec<usize>,
}

/// A command's words behind its subcommand.
#[derive(Debug, Default)]
pub(super) struct Words<'i> {
    pub(super) options: Vec<Given>,
    pub(super) operands: Vec<(usize, &'i Argument)>,
}

impl Words<'_> {
    /// Whether one of these flags was given.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|given| names.contains(&given.name.as_str()))
    }

    /// The values of these options, in order.
    pub(super) fn values(&self, names: &[&str]) -> impl Iterator<Item = &Knowledge<String>> {
        let named = move |given: &&Given| names.contains(&given.name.as_str());
        self.options.iter().filter(named).filter_map(|given| given.value.as_ref()).collect::<Vec<_>>().into_iter()
    }

    /// The last value of these options.
    pub(super) fn last(&self, names: &[&str]) -> Option<&Knowledge<String>> {
        self.values(names).last()
    }
}

/// Sorts the arguments, leaving out the one with the index `subcommand`. `with_value` names the options whose value may be the
/// next word. A word that is not known counts as an operand, unless it follows such an option.
pub(super) fn sorted<'i>(invocation: &'i Invocation, subcommand: &[usize], with_value: &[&str]) -> Words<'i> {
    let mut words = Words::default();
    let mut only_operands = false;
    let mut arguments = invocation.arguments.iter().enumerate().filter(|(index, _)| !subcommand.contains(index));
    while let Some((index, argument)) = arguments.next() {
        let text = argument.value.known().map_or_else(|| argument.raw.trim_start_matches(['"', '\'']), String::as_str);
        if only_operands || !text.starts_with('-') || text == "-" {
            words.operands.push((index, argument));
            continue;
        }
        if text == "--" {
            only_operands = true;
            continue;
        }
        let known = argument.value.known().is_some();
        let value_of = |value: &str| if known { Knowledge::Known(value.to_owned()) } else { Knowledge::Unknown };
        for (name, value) in pieces(text, with_value) {
            let mut given = Given { name: name.clone(), value: value.map(value_of), words: vec![index] };
            if given.value.is_none() && with_value.contains(&name.as_str()) {
                let next = arguments.next();
                given.value = Some(next.map_or(Knowledge::Unknown, |(_, next)| next.value.clone()));
                given.words.extend(next.map(|(at, _)| at));
            }
            words.options.push(given);
        }
    }
    words
}

/// `--name=value`, `-rvalue`, and clusters such as `-Ur`, taken apart.
fn pieces<'t>(text: &'t str, with_value: &[&str]) -> Vec<(String, Option<&'t str>)> {
    if text.starts_with("--") {
        return vec![match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value)),
            None => (text.to_owned(), None),
        }];
    }
    let mut pieces = Vec::new();
    for (index, letter) in text.char_indices().skip(1) {
        let name = format!("-{letter}");
        let rest = text.get(index + letter.len_utf8()..).unwrap_or_default();
        if with_value.contains(&name.as_str()) {
            pieces.push((name, Some(rest.strip_prefix('=').unwrap_or(rest)).filter(|rest| !rest.is_empty())));
            break;
        }
        pieces.push((name, None));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    #[test]
    fn values_are_found_in_every_form() {
        let command = invocation(&["pip", "install", "-Ur", "a", "-rb", "--req=c", "-i", "$URL", "x", "--", "-y"]);
        let words = sorted(&command, &[0], &["-r", "--req", "-i"]);
        let known: Vec<&str> = words.values(&["-r", "--req"]).filter_map(|value| value.known()).map(String::as_str).collect();
        assert_eq!(known, ["a", "b", "c"]);
        assert!(words.has(&["-U"]) && words.last(&["-i"]) == Some(&Knowledge::Unknown));
        let operands: Vec<&str> = words.operands.iter().map(|(_, operand)| operand.raw.as_str()).collect();
        assert_eq!(operands, ["x", "-y"]);
    }
}
