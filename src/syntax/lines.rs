//! A file as lines, each with its end.
//!
//! Owns: the builder's idea of a line (everything up to and including a `\n`) and of space around it.

use std::ops::Range;

/// The longest line that the builder reads, its line end included, in bytes: the limit of the scanner under its parser.
pub const LONGEST_LINE: usize = 65_535;

/// Byte ranges of the lines of `text`, line ends included.
pub fn split(text: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\n' {
            lines.push(start..at + 1);
            start = at + 1;
        }
    }
    if start < text.len() {
        lines.push(start..text.len());
    }
    lines
}

/// The line without its end.
pub fn content(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// Whether the builder takes the line for a comment.
pub fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The text in front of a continuation, where the line ends with one: an escape character that no other precedes, with
/// blanks and tabs behind it.
pub fn before_continuation(content: &str, escape: char) -> Option<&str> {
    let before = content.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before)
}
