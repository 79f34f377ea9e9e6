//! Simple commands: assignments, words and redirections.
//!
//! Owns: words and their spans, and which part of a word is an assignment. Never does: look into compound commands.

use brush_parser::ast;

use super::convert::{Extent, unlocated};
use super::lex::{Lexed, TokenKind, assignment_head};
use super::pieces::{Context, pieces};
use super::redirect::{process_substitution, redirection};
use super::{Assignment, Piece, Redirection, ShellError, SimpleCommand, Word};
use crate::knowledge::Knowledge;

impl Lexed<'_> {
    /// Whether a token is this very word.
    pub(super) fn is_word(&self, number: usize, word: &str) -> bool {
        let is_word = self.tokens.get(number).is_some_and(|token| token.kind == TokenKind::Word);
        let raw = self.raw(number);
        is_word && (raw == word || raw.contains("\\\n") && raw.replace("\\\n", "") == word)
    }

    /// Whether a token is this very operator.
    pub(super) fn is_operator(&self, number: usize, operator: &str) -> bool {
        self.tokens.get(number).is_some_and(|token| token.kind == TokenKind::Operator) && self.raw(number) == operator
    }

    /// Whether a token may stand between a list and the keyword behind it.
    pub(super) fn is_separator(&self, number: usize) -> bool {
        let is_inserted = |kind| matches!(kind, TokenKind::Inserted("\n"));
        self.tokens.get(number).is_some_and(|token| is_inserted(token.kind))
            || [";", "&", "\n"].iter().any(|operator| self.is_operator(number, operator))
    }

    /// The argument made of these tokens: more than one only for arrays and process substitutions.
    pub(super) fn word(&self, extent: Extent) -> Result<Word, ShellError> {
        self.word_with(extent, |raw| {
            if extent.first == extent.last { pieces(raw, Context::Argument) } else { vec![Piece::Opaque { commands: None }] }
        })
    }

    /// The word made of these tokens, with the pieces that `read` finds in it.
    pub(super) fn word_with(&self, extent: Extent, read: impl FnOnce(&str) -> Vec<Piece>) -> Result<Word, ShellError> {
        let range = self.bytes(extent)?;
        let raw = self.text.get(range.clone()).ok_or_else(unlocated)?;
        Ok(Word { raw: raw.to_owned(), pieces: read(raw), span: Knowledge::Known(range) })
    }
}

/// Converts a simple command.
pub(super) fn simple_command(lexed: &Lexed<'_>, source: &ast::SimpleCommand) -> Result<(SimpleCommand, Extent), ShellError> {
    let mut building = Building::new(lexed);
    let prefix = source.prefix.as_ref().map(|prefix| prefix.0.as_slice()).unwrap_or_default();
    let suffix = source.suffix.as_ref().map(|suffix| suffix.0.as_slice()).unwrap_or_default();
    for item in prefix {
        match item {
            ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word) => {
                building.assignment(Extent::known(word.loc.as_ref())?)?;
            }
            item => building.item(item)?,
        }
    }
    if let Some(name) = &source.word_or_name {
        building.word(Extent::known(name.loc.as_ref())?)?;
    }
    for item in suffix {
        building.item(item)?;
    }
    building.finish()
}

/// A simple command in the making.
pub(super) struct Building<'l, 't> {
    lexed: &'l Lexed<'t>,
    command: SimpleCommand,
    whole: Option<Extent>,
}

impl<'l, 't> Building<'l, 't> {
    /// Nothing yet.
    pub(super) fn new(lexed: &'l Lexed<'t>) -> Self {
        Self { lexed, command: SimpleCommand::default(), whole: None }
    }

    /// The command, and its tokens.
    pub(super) fn finish(self) -> Result<(SimpleCommand, Extent), ShellError> {
        let Self { lexed, mut command, whole } = self;
        let whole = whole.ok_or_else(unlocated)?;
        command.span = lexed.bytes(whole)?;
        Ok((command, whole))
    }

    /// Adds a redirection and its tokens.
    pub(super) fn redirect(&mut self, (redirection, extent): (Redirection, Extent)) {
        self.command.redirections.push(redirection);
        self.reach(extent);
    }

    fn reach(&mut self, extent: Extent) {
        self.whole = Some(self.whole.map_or(extent, |whole| whole.and(extent)));
    }

    fn item(&mut self, item: &ast::CommandPrefixOrSuffixItem) -> Result<(), ShellError> {
        use ast::CommandPrefixOrSuffixItem as Item;
        match item {
            Item::Word(word) | Item::AssignmentWord(_, word) => self.word(Extent::known(word.loc.as_ref())?),
            Item::IoRedirect(redirect) => {
                let (redirection, extent) = redirection(self.lexed, redirect)?;
                self.command.redirections.push(redirection);
                if let Some(extent) = extent {
                    self.reach(extent);
                }
                Ok(())
            }
            Item::ProcessSubstitution(_, subshell) => {
                let (word, extent) = process_substitution(self.lexed, subshell)?;
                self.reach(extent);
                self.push_word(word);
                Ok(())
            }
        }
    }

    /// Adds the command's name or an argument.
    pub(super) fn word(&mut self, extent: Extent) -> Result<(), ShellError> {
        let word = self.lexed.word(extent)?;
        self.reach(extent);
        self.push_word(word);
        Ok(())
    }

    /// Adds a word, or joins it to the one that it touches: the grammar takes `--file=<(a)` for two words.
    fn push_word(&mut self, word: Word) {
        if let Some(last) = self.command.words.last_mut()
            && let (Knowledge::Known(left), Knowledge::Known(right)) = (&last.span, &word.span)
            && left.end == right.start
        {
            let joined = left.start..right.end;
            last.raw.push_str(&word.raw);
            last.pieces.extend(word.pieces);
            last.span = Knowledge::Known(joined);
        } else {
            self.command.words.push(word);
        }
    }

    /// Adds an assignment in front of the command.
    pub(super) fn assignment(&mut self, extent: Extent) -> Result<(), ShellError> {
        self.reach(extent);
        let span = self.lexed.bytes(extent)?;
        let raw = self.lexed.text.get(span.clone()).ok_or_else(unlocated)?;
        let assignment = match assignment_head(raw) {
            Some(head) => {
                let value = raw.get(head.value..).unwrap_or_default();
                let start = span.start.saturating_add(head.value);
                let word = Word {
                    raw: value.to_owned(),
                    span: Knowledge::Known(start..span.end),
                    pieces: pieces(value, Context::Value),
                };
                let is_single = extent.first == extent.last;
                let name = raw.get(..head.name).unwrap_or_default().to_owned();
                Assignment { name, value: (head.plain && is_single).then_some(word), span: Knowledge::Known(span) }
            }
            // The name goes on behind a joined line: what is assigned is left unknown.
            None => {
                let joined = raw.replace("\\\n", "");
                let name = assignment_head(&joined).and_then(|head| joined.get(..head.name)).ok_or_else(unlocated)?;
                Assignment { name: name.to_owned(), value: None, span: Knowledge::Known(span) }
            }
        };
        self.command.assignments.push(assignment);
        Ok(())
    }
}
