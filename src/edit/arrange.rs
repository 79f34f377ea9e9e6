//! Instructions in another order.
//!
//! Owns: what moves with an instruction (the comments directly above it), and its gap: blank lines, and comments that a blank line parts
//! from the instruction. Never does: know why something moves.

use super::Edit;
use crate::syntax::{Dockerfile, ItemKind};
use std::ops::Range;

/// A run of whole instructions whose order is to change.
#[derive(Debug)]
pub struct Arrangement<'d> {
    dockerfile: &'d Dockerfile,
    blocks: Vec<Block>,
}

/// An instruction with what lies above it.
#[derive(Clone, Debug)]
struct Block {
    /// Where the instruction begins.
    at: usize,
    /// Blank lines and loose comments.
    gap: Range<usize>,
    /// Comments directly above, and the instruction with its line end.
    own: Range<usize>,
    /// The instruction alone, with its line end.
    instruction: Range<usize>,
}

/// What comes to stand in one place of the new order.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Whole lines of new text in front, without line ends.
    pub new: Vec<String>,
    /// The instruction from which the new lines were made.
    pub new_from: usize,
    /// What follows them.
    pub content: Content,
    /// The instruction whose gap (what parts it from the one above) stands in front; `None`: it stands directly behind the piece
    /// before.
    pub gap: Option<usize>,
    /// Without a gap of its own it is parted by a blank line.
    pub blank: bool,
}

/// The text of a piece.
#[derive(Clone, Debug)]
pub enum Content {
    /// The instruction that begins here, with its comments, as it is.
    Instruction(usize),
    /// Its comments, and in its place this text (no line end).
    Replaced(usize, String),
    /// This text alone (no line end), which was made from the instruction that begins here.
    Text(usize, String),
}

impl<'d> Arrangement<'d> {
    /// The instructions from the one that begins at `first` to the one that begins at `last`.
    pub fn between(dockerfile: &'d Dockerfile, first: usize, last: usize) -> Option<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut above: Option<Range<usize>> = None;
        let mut attached: Option<usize> = None;
        for item in &dockerfile.items {
            match &item.kind {
                ItemKind::Instruction(instruction) => {
                    let start = above.take().map_or(item.span.start, |range| range.start);
                    let own = attached.take().unwrap_or(item.span.start);
                    let at = instruction.span.start;
                    if at >= first && at <= last {
                        blocks.push(Block { at, gap: start..own, own: own..item.span.end, instruction: item.span.clone() });
                    }
                }
                ItemKind::Comment => {
                    above.get_or_insert_with(|| item.span.clone());
                    attached.get_or_insert(item.span.start);
                }
                ItemKind::Blank | ItemKind::Unknown => {
                    above.get_or_insert_with(|| item.span.clone());
                    attached = None;
                }
                ItemKind::ByteOrderMark | ItemKind::Directive { .. } => (above, attached) = (None, None),
            }
        }
        (blocks.first()?.at == first && blocks.last()?.at == last).then_some(Self { dockerfile, blocks })
    }

    /// Where each instruction begins, in order.
    pub fn instructions(&self) -> impl Iterator<Item = usize> + '_ {
        self.blocks.iter().map(|block| block.at)
    }

    /// Whether something parts the instruction from the one above.
    pub fn has_gap(&self, at: usize) -> bool {
        self.blocks.iter().any(|block| block.at == at && !block.gap.is_empty())
    }

    /// Whether no comment stands above the instruction.
    pub fn is_bare(&self, at: usize) -> bool {
        let bare = |block: &Block| block.own.start == at && self.dockerfile.slice(block.gap.clone()).trim().is_empty();
        self.blocks.iter().any(|block| block.at == at && bare(block))
    }

    /// The edit that puts `pieces` in the place of all of it. `None` when it names an instruction that is not there.
    pub fn edit(&self, pieces: &[Piece]) -> Option<Edit> {
        let (first, last) = (self.blocks.first()?, self.blocks.last()?);
        let range = first.gap.start..last.own.end;
        let line_end = self.dockerfile.line_end();
        let ends_with_line = self.dockerfile.slice(range.clone()).ends_with('\n');
        let mut gaps: Vec<(usize, &str)> =
            self.blocks.iter().map(|block| (block.at, self.dockerfile.slice(block.gap.clone()))).collect();
        let mut text = String::new();
        let mut origins = Vec::new();
        for piece in pieces {
            if let Some(place) = piece.gap.and_then(|at| gaps.iter().position(|(own, _)| *own == at)) {
                text.push_str(gaps.remove(place).1);
            } else if piece.blank {
                text.push_str(line_end);
            }
            for line in &piece.new {
                origins.push((text.len(), piece.new_from));
                text.push_str(line);
                text.push_str(line_end);
            }
            let (content, origin) = self.content(&piece.content)?;
            origins.push((text.len(), origin));
            text.push_str(&content);
            if !text.ends_with('\n') {
                text.push_str(line_end);
            }
        }
        // Comments in a gap that nobody asked for are not lost.
        gaps.iter().filter(|(_, gap)| !gap.trim().is_empty()).for_each(|(_, gap)| text.push_str(gap));
        if !ends_with_line {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        Some(Edit { origins, ..Edit::replace(range, text) })
    }

    /// The text, and the instruction that it comes from.
    fn content(&self, content: &Content) -> Option<(String, usize)> {
        let block = |at: usize| self.blocks.iter().find(|block| block.at == at);
        Some(match content {
            Content::Instruction(at) => (self.dockerfile.slice(block(*at)?.own.clone()).to_owned(), *at),
            Content::Replaced(at, text) => {
                let block = block(*at)?;
                (format!("{}{text}", self.dockerfile.slice(block.own.start..block.instruction.start)), *at)
            }
            Content::Text(at, text) => (text.clone(), *at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, Content, Piece};
    use crate::edit::EditSet;
    use crate::syntax;

    /// The instructions of `text` from the second on, the last one first.
    fn last_first(text: &str) -> String {
        let dockerfile = syntax::parse(text);
        let starts: Vec<usize> = dockerfile.instructions().skip(1).map(|instruction| instruction.span.start).collect();
        let (first, last) = (*starts.first().unwrap(), *starts.last().unwrap());
        let arrangement = Arrangement::between(&dockerfile, first, last).unwrap();
        let mut order: Vec<usize> = arrangement.instructions().collect();
        let places = order.clone();
        order.rotate_right(1);
        let piece = |(at, gap): (usize, usize)| Piece {
            new: Vec::new(),
            new_from: at,
            content: Content::Instruction(at),
            gap: Some(gap),
            blank: false,
        };
        let pieces: Vec<Piece> = order.into_iter().zip(places).map(piece).collect();
        let mut set = EditSet::default();
        assert!(set.add(&[arrangement.edit(&pieces).unwrap()]));
        set.apply(text).unwrap()
    }

    #[test]
    fn comments_move_with_their_instruction_and_blank_lines_stay() {
        assert_eq!(
            last_first("FROM a\n\n# the source\nCOPY . .\n\n# install\nRUN b\n"),
            "FROM a\n\n# install\nRUN b\n\n# the source\nCOPY . .\n"
        );
        assert_eq!(last_first("FROM a\n\nCOPY . .\nRUN b\n"), "FROM a\n\nRUN b\nCOPY . .\n");
        assert_eq!(last_first("FROM a\n# ---- app ----\n\nCOPY . .\nRUN b\n"), "FROM a\n# ---- app ----\n\nRUN b\nCOPY . .\n");
    }

    #[test]
    fn the_last_line_end_is_as_it_was() {
        assert_eq!(last_first("FROM a\nCOPY . .\nRUN b"), "FROM a\nRUN b\nCOPY . .");
        assert_eq!(last_first("FROM a\r\nCOPY . .\r\nRUN b"), "FROM a\r\nRUN b\r\nCOPY . .");
    }
}
