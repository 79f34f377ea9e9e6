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
    for (newline, _) in text.match_indices('\n') {
        lines.push(start..newline + 1);
        start = newline + 1;
    }
    if start < text.len() {
        lines.push(start..text.len());
    }
    lines
}

/// A text whose lines are asked for again and again.
#[derive(Clone, Debug)]
pub struct LineIndex<'t> {
    text: &'t str,
    lines: Vec<Range<usize>>,
}

impl<'t> LineIndex<'t> {
    /// Reads the lines.
    pub fn new(text: &'t str) -> Self {
        Self { text, lines: split(text) }
    }

    /// The 1-based line and column (in characters) of a byte. What is behind the last line end is on a line of its own.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let above = self.lines.partition_point(|line| line.end <= offset);
        let above = if self.text.ends_with('\n') { above } else { above.min(self.lines.len().saturating_sub(1)) };
        let start = above.checked_sub(1).and_then(|last| self.lines.get(last)).map_or(0, |line| line.end);
        (above + 1, self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
    }
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

#[cfg(test)]
mod tests {
    use super::LineIndex;

    #[test]
    fn places_are_counted_from_one_in_characters() {
        let places = |text: &str| -> Vec<(usize, usize)> {
            let lines = LineIndex::new(text);
            text.char_indices().map(|(at, _)| lines.place(at)).chain([lines.place(text.len())]).collect()
        };
        assert_eq!(places("ä\nb"), [(1, 1), (1, 2), (2, 1), (2, 2)]);
        assert_eq!(places("a\n\n"), [(1, 1), (1, 2), (2, 1), (3, 1)]);
        assert_eq!(places(""), [(1, 1)]);
    }
}
