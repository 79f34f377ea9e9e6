//! The way back from a changed text to the file as it was read.
//!
//! Owns: the edits of all passes so far, and the lines that people know. Never does: change a text.

use crate::edit::EditSet;
use crate::syntax::LineIndex;

/// The file as it was read, and what became of it since.
pub(super) struct Trail<'a> {
    lines: LineIndex<'a>,
    /// Oldest first.
    edits: Vec<EditSet>,
}

impl<'a> Trail<'a> {
    /// Nothing was changed yet.
    pub(super) fn new(text: &'a str) -> Self {
        Self { lines: LineIndex::new(text), edits: Vec::new() }
    }

    /// Takes in edits of the text as it is now.
    pub(super) fn push(&mut self, edits: EditSet) {
        self.edits.push(edits);
    }

    /// The 1-based line and column, in the file as it was read, of what stands at a byte of the text as it is now.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let offset = self.edits.iter().rev().fold(offset, |offset, edits| edits.back(offset));
        self.lines.place(offset)
    }
}
