//! The words of an install's command line.
//!
//! Owns: telling packages from options and their values. Never does: know a manager's options; it is told.

use super::reading::not_seen;
use crate::ecosystems::{Entangled, Invocation, offline};
use crate::knowledge::Knowledge;

/// The packages named behind the subcommand with index `after` (-1 as `None` where there is none).
///
/// # Errors
/// A word that can't be seen and may change what is installed.
pub(crate) fn packages<'i>(
    invocation: &'i Invocation,
    after: Option<usize>,
    with_value: &[&str],
) -> Result<Vec<&'i str>, Entangled> {
    if let Some(word) = offline::hiding_word(invocation, with_value) {
        return Err(not_seen(format!("{word} is not known and may change what is installed")));
    }
    let is_value = |at: usize| at > 0 && with_value.contains(&invocation.argument(at - 1));
    let from = after.map_or(0, |after| after + 1);
    let words = invocation.arguments.iter().enumerate().skip(from).filter(|(at, _)| !is_value(*at));
    let words = words.map(|(_, word)| word.value.known().map_or(word.raw.as_str(), String::as_str));
    Ok(words.filter(|word| !word.starts_with('-') && !matches!(*word, "true" | "false")).collect())
}

/// A switch on the command line: `--name`, `--name=true`, `--name=false`, `--no-name`; the last one counts.
pub(crate) fn switch(invocation: &Invocation, name: &str) -> Option<bool> {
    invocation.arguments.iter().rev().find_map(|word| {
        let word = word.raw.trim_matches(['"', '\'']);
        let word = word.strip_prefix("--")?;
        match word.strip_prefix("no-") {
            Some(off) if off == name => return Some(false),
            _ => {}
        }
        match word.strip_prefix(name)? {
            "" | "=true" | "=1" => Some(true),
            "=false" | "=0" => Some(false),
            _ => None,
        }
    })
}

/// Whether a variable is set to something that means yes; an unknown value means it may not.
pub(crate) fn yes(value: Option<Knowledge<&str>>) -> bool {
    matches!(value, Some(Knowledge::Known(text)) if !matches!(text, "" | "0" | "false"))
}
