//! The text that the builder hands on, with the way back to the file.
//!
//! Owns: [`LogicalText`], a text made of slices of the file (continuations joined, inner comments gone) and the map from its
//! offsets to the file's bytes. Never does: change the text.

use std::ops::Range;

/// Text joined from slices of a file. Every byte of it stands somewhere in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogicalText {
    text: String,
    /// Start in `text`, start in the file; ascending in both.
    slices: Vec<(usize, usize)>,
}

impl LogicalText {
    /// Adds the file's bytes from `start` on, which are `slice`.
    pub fn push(&mut self, slice: &str, start: usize) {
        if !slice.is_empty() {
            self.slices.push((self.text.len(), start));
            self.text.push_str(slice);
        }
    }

    /// The joined text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the byte at `offset` stands in the file. The end of the text maps to the end of its last slice.
    pub fn position(&self, offset: usize) -> usize {
        let after = self.slices.partition_point(|(logical, _)| *logical <= offset);
        match after.checked_sub(1).and_then(|index| self.slices.get(index)) {
            Some((logical, file)) => file + (offset - logical),
            None => self.slices.first().map_or(0, |(_, file)| *file),
        }
    }

    /// Where the byte before `offset` ends in the file: the right end for a range that stops at `offset`, because the
    /// position of `offset` itself may lie beyond a continuation.
    pub fn end_position(&self, offset: usize) -> usize {
        match offset.checked_sub(1) {
            Some(last) => self.position(last) + 1,
            None => self.position(0),
        }
    }

    /// The file's bytes that a non-empty logical range spans, continuations between included.
    pub fn range(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() {
            let at = self.position(range.start);
            return at..at;
        }
        self.position(range.start)..self.end_position(range.end)
    }

    /// The parts of the file that make up a logical range, in order: gaps between them are continuations and comments.
    pub fn parts(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        for (index, (logical, file)) in self.slices.iter().enumerate() {
            let end = self.slices.get(index + 1).map_or(self.text.len(), |(next, _)| *next);
            let (from, to) = (range.start.max(*logical), range.end.min(end));
            if from < to {
                parts.push(file + (from - logical)..file + (to - logical));
            }
        }
        parts
    }

    /// A part of this text, with the same way back to the file. Offsets outside the text are cut to it.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut result = Self::default();
        for (index, (logical, file)) in self.slices.iter().enumerate() {
            let end = self.slices.get(index + 1).map_or(self.text.len(), |(next, _)| *next);
            let (from, to) = (range.start.max(*logical), range.end.min(end));
            if from < to
                && let Some(text) = self.text.get(from..to)
            {
                result.push(text, file + (from - logical));
            }
        }
        result
    }
}
