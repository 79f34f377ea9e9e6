//! What `init` would do to one file.
//!
//! Owns: the kinds of answers and their words. Never does: write.

use crate::report::{Ink, Palette};
use std::io::ErrorKind;
use std::path::Path;

/// A file that comes, or is extended.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// From the repository's folder, with `/`.
    pub(super) path: String,
    /// Its text now; `None` where there is none.
    pub(super) before: Option<String>,
    pub(super) after: String,
    /// Whether it is to be run.
    pub(super) executable: bool,
    /// What it is for, in a line.
    pub(super) purpose: String,
    /// What is to be known of it.
    pub(super) notes: Vec<String>,
}

/// The answer for one file.
#[derive(Clone, Debug)]
pub(super) enum Proposal {
    /// It comes, or is extended.
    Change(Change),
    /// Nothing is to be done.
    Fine {
        /// From the repository's folder.
        path: String,
        /// Why.
        because: String,
    },
    /// A person has to do it.
    ByHand {
        /// From the repository's folder.
        path: String,
        /// Why.
        because: String,
        /// What to put where; empty where nothing would do.
        lines: String,
    },
}

impl Proposal {
    /// Nothing is to be done.
    pub(super) fn fine(path: impl Into<String>, because: impl Into<String>) -> Self {
        Self::Fine { path: path.into(), because: because.into() }
    }

    /// A person has to do it.
    pub(super) fn by_hand(path: impl Into<String>, because: impl Into<String>, lines: impl Into<String>) -> Self {
        Self::ByHand { path: path.into(), because: because.into(), lines: lines.into() }
    }

    /// A file that is not there yet.
    pub(super) fn made(path: impl Into<String>, text: impl Into<String>, purpose: impl Into<String>) -> Self {
        let (path, purpose) = (path.into(), purpose.into());
        Self::Change(Change { path, before: None, after: text.into(), executable: false, purpose, notes: Vec::new() })
    }

    /// A file with more in it.
    pub(super) fn extended(path: &str, before: String, after: String, purpose: &str) -> Self {
        let (path, purpose) = (path.to_owned(), purpose.to_owned());
        Self::Change(Change { path, before: Some(before), after, executable: false, purpose, notes: Vec::new() })
    }

    /// What is told of it.
    pub(super) fn words(&self, written: bool, palette: Palette) -> String {
        let line = |ink, mark: &str, path: &str, words: &str| format!("{} {path}: {words}\n", palette.paint(ink, mark));
        match self {
            Self::Change(change) => {
                let mark = match (written, change.before.is_some()) {
                    (false, false) => "would make  ",
                    (false, true) => "would extend",
                    (true, false) => "made        ",
                    (true, true) => "extended    ",
                };
                let notes: String = change.notes.iter().map(|note| format!("  {note}\n")).collect();
                line(Ink::Good, mark, &change.path, &change.purpose) + &notes
            }
            Self::Fine { path, because } => line(Ink::Faint, "fine        ", path, because),
            Self::ByHand { path, because, lines } => {
                let lines: String = lines.lines().map(|line| format!("    {line}\n").replace("    \n", "\n")).collect();
                line(Ink::Doubt, "by hand     ", path, because) + &lines
            }
        }
    }
}

/// The text of a file of the repository; `None` where there is none.
///
/// # Errors
/// Words about a file that is there and can't be read as text.
pub(super) fn text_of(folder: &Path, path: &str) -> Result<Option<String>, String> {
    match std::fs::read(folder.join(path)) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err("is not UTF-8, so it is not touched".to_owned()),
        },
        // A link to nothing is a name that is taken.
        Err(error) if error.kind() == ErrorKind::NotFound && folder.join(path).is_symlink() => {
            Err("is a link to a file that is not there".to_owned())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("can't be read: {error}")),
    }
}

/// A text with a block behind it and an empty line between, in the line ends of the text.
pub(super) fn appended(text: &str, block: &str) -> String {
    let end = line_end(text);
    let mut after = text.to_owned();
    if !after.is_empty() && !after.ends_with('\n') {
        after.push_str(end);
    }
    if !after.trim().is_empty() {
        after.push_str(end);
    }
    after.push_str(&block.replace('\n', end));
    after
}

/// How the lines of a text end.
pub(super) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::appended;

    #[test]
    fn a_block_comes_behind_an_empty_line_in_the_line_ends_of_the_file() {
        assert_eq!(appended("", "x\n"), "x\n");
        assert_eq!(appended("a", "x\n"), "a\n\nx\n");
        assert_eq!(appended("a\r\n", "x\ny\n"), "a\r\n\r\nx\r\ny\r\n");
    }
}
