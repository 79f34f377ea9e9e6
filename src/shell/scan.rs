//! Where quotes, expansions and words end.
//!
//! Owns: one cursor over a text that steps over a quoted string, a `$…`, a backquote or a whole word in one go.
//! Never does: build a tree or judge grammar. It guards itself: [`MAX_DEPTH`] bounds its recursion and `fuel` its time,
//! so that no text can overflow the stack or make it run for long.

use super::{ShellError, lex};

/// How many constructs may nest, in the text's grammar and in its expansions. Real texts stay below ten; the grammar
/// takes some 20 KiB of stack for each level in a debug build, and a worker's stack has 2 MiB.
pub(super) const MAX_DEPTH: usize = 32;

/// What a `$` introduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dollar {
    /// `$( … )`
    Command,
    /// `$(( … ))` or `$[ … ]`
    Arithmetic,
    /// `${ … }`
    Braced,
    /// `$'…'` or `$"…"`, which shells read differently.
    Quote,
    /// Only the `$` itself was stepped over: a name may follow.
    Plain,
}

/// A cursor over a text.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    fuel: usize,
}

pub(super) fn error(message: &str) -> ShellError {
    ShellError { message: message.to_owned() }
}

impl<'t> Scanner<'t> {
    /// A cursor at the start of `text`.
    pub(super) fn new(text: &'t str) -> Self {
        // Reading `$((` twice, as arithmetic and then as commands, is all the repetition an honest text needs.
        Self { text, at: 0, depth: 0, fuel: text.len().saturating_mul(16).saturating_add(256) }
    }

    /// The byte offset of the cursor.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The byte at `ahead` bytes from the cursor.
    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at.saturating_add(ahead)).copied()
    }

    /// The text from `start` to the cursor.
    pub(super) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The text from the cursor on.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Pays for looking at `count` bytes.
    fn charge(&mut self, count: usize) -> Result<(), ShellError> {
        self.fuel = self.fuel.checked_sub(count).ok_or_else(|| error("too complicated"))?;
        Ok(())
    }

    /// Moves on by `count` bytes, at most to the end.
    pub(super) fn advance(&mut self, count: usize) -> Result<(), ShellError> {
        self.charge(count)?;
        self.at = self.at.saturating_add(count).min(self.text.len());
        Ok(())
    }

    /// One level deeper, for the length of `read`.
    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<(), ShellError>) -> Result<(), ShellError> {
        if self.depth >= MAX_DEPTH {
            return Err(error("nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Steps over blanks, joined lines and a comment.
    pub(super) fn blanks(&mut self) -> Result<(), ShellError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b' ' | b'\t'), _) => self.advance(1)?,
                (Some(b'\\'), Some(b'\n')) => self.advance(2)?,
                (Some(b'#'), _) => self.advance(self.rest().find('\n').unwrap_or(self.rest().len()))?,
                _ => return Ok(()),
            }
        }
    }

    /// Steps over a word, up to the first unquoted blank or operator.
    pub(super) fn word(&mut self) -> Result<(), ShellError> {
        let mut before = 0;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'(' if matches!(before, b'@' | b'!' | b'?' | b'+' | b'*') => self.extended_glob()?,
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
                b'\\' if self.peek(1) == Some(b'\n') => match self.joins_within_word() {
                    Some(length) => self.advance(length)?,
                    None => break,
                },
                _ => self.element(byte)?,
            }
            before = if matches!(byte, b'\\' | b'\'' | b'"' | b'$' | b'`' | b'(') { 0 } else { byte };
        }
        Ok(())
    }

    /// The length of the joined line ends at the cursor; `None` where they end the word and so are no part of it.
    fn joins_within_word(&self) -> Option<usize> {
        let mut behind = self.rest();
        while let Some(next) = behind.strip_prefix("\\\n") {
            behind = next;
        }
        let ends = behind.is_empty() || behind.starts_with([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')']);
        (!ends).then(|| self.rest().len().saturating_sub(behind.len()))
    }

    /// Steps over one character or one quoted or expanded construct outside double quotes.
    fn element(&mut self, byte: u8) -> Result<(), ShellError> {
        match byte {
            b'\\' => self.escape(),
            b'\'' => self.single_quotes(),
            b'"' => self.double_quotes(),
            b'`' => self.backquotes(),
            b'$' => self.dollar(false).map(|_| ()),
            _ => self.advance(1),
        }
    }

    /// Steps over a backslash and what it escapes.
    pub(super) fn escape(&mut self) -> Result<(), ShellError> {
        if self.peek(1).is_none() {
            return Err(error("a backslash ends the text"));
        }
        self.advance(2)
    }

    /// Steps over `'…'`.
    pub(super) fn single_quotes(&mut self) -> Result<(), ShellError> {
        self.advance(1)?;
        let length = self.rest().find('\'').ok_or_else(|| error("unterminated single quote"))?;
        self.advance(length.saturating_add(1))
    }

    /// Steps over `"…"`.
    pub(super) fn double_quotes(&mut self) -> Result<(), ShellError> {
        self.advance(1)?;
        loop {
            match self.peek(0) {
                None => return Err(error("unterminated double quote")),
                Some(b'"') => return self.advance(1),
                Some(b'\\') => self.escape()?,
                Some(b'`') => self.backquotes()?,
                Some(b'$') => self.dollar(true).map(|_| ())?,
                Some(_) => self.advance(1)?,
            }
        }
    }

    /// Steps over `` `…` ``.
    pub(super) fn backquotes(&mut self) -> Result<(), ShellError> {
        self.advance(1)?;
        loop {
            match self.peek(0) {
                None => return Err(error("unterminated backquote")),
                Some(b'`') => return self.advance(1),
                Some(b'\\') => self.escape()?,
                Some(_) => self.advance(1)?,
            }
        }
    }

    /// Steps over what `$` introduces; a plain `$NAME` only up to the name.
    pub(super) fn dollar(&mut self, in_double_quotes: bool) -> Result<Dollar, ShellError> {
        match self.peek(1) {
            Some(b'(') if self.peek(2) == Some(b'(') && self.try_arithmetic(3)? => Ok(Dollar::Arithmetic),
            Some(b'(') => {
                self.advance(2)?;
                self.nested(lex::skip_commands)?;
                self.advance(1)?;
                Ok(Dollar::Command)
            }
            Some(b'{') => {
                self.advance(2)?;
                self.nested(|scanner| scanner.braced(in_double_quotes))?;
                Ok(Dollar::Braced)
            }
            Some(b'[') => self.legacy_arithmetic(),
            Some(b'\'') if !in_double_quotes => {
                self.advance(2)?;
                self.ansi_c_quotes()?;
                Ok(Dollar::Quote)
            }
            Some(b'"') if !in_double_quotes => {
                self.advance(1)?;
                self.double_quotes()?;
                Ok(Dollar::Quote)
            }
            _ => {
                self.advance(1)?;
                Ok(Dollar::Plain)
            }
        }
    }

    fn ansi_c_quotes(&mut self) -> Result<(), ShellError> {
        loop {
            match self.peek(0) {
                None => return Err(error("unterminated single quote")),
                Some(b'\'') => return self.advance(1),
                Some(b'\\') => self.escape()?,
                Some(_) => self.advance(1)?,
            }
        }
    }

    /// `$[ … ]` on one line without quotes; anything else is a `$` of its own, as it is to most shells.
    fn legacy_arithmetic(&mut self) -> Result<Dollar, ShellError> {
        let end = self.rest().find([']', '"', '\'', '\n', '`', '\\']);
        self.charge(end.unwrap_or(self.rest().len()))?;
        match end {
            Some(end) if self.rest().as_bytes().get(end) == Some(&b']') => {
                self.advance(end.saturating_add(1))?;
                Ok(Dollar::Arithmetic)
            }
            _ => {
                self.advance(1)?;
                Ok(Dollar::Plain)
            }
        }
    }

    /// Behind `${`: steps over the rest, the closing brace included.
    fn braced(&mut self, in_double_quotes: bool) -> Result<(), ShellError> {
        let single_quotes_count = !in_double_quotes || !takes_plain_word(self.rest());
        loop {
            match self.peek(0) {
                None => return Err(error("unterminated `${`")),
                Some(b'}') => return self.advance(1),
                Some(b'\'') if !single_quotes_count => self.advance(1)?,
                Some(b'$') => self.dollar(in_double_quotes).map(|_| ())?,
                Some(byte) => self.element(byte)?,
            }
        }
    }

    /// Steps over `((…))`, whose inside starts `opening` bytes ahead, if it can be arithmetic: if its parentheses pair up
    /// and the last two close together. Otherwise the cursor stays.
    pub(super) fn try_arithmetic(&mut self, opening: usize) -> Result<bool, ShellError> {
        let start = self.at;
        self.advance(opening)?;
        let mut closed = false;
        let result = self.nested(|scanner| scanner.arithmetic().map(|found| closed = found));
        match result {
            Ok(()) if closed => Ok(true),
            // Without fuel the second reading fails as well, and says so.
            _ => {
                self.at = start;
                Ok(false)
            }
        }
    }

    fn arithmetic(&mut self) -> Result<bool, ShellError> {
        let mut open = 0_usize;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'(' => {
                    open = open.saturating_add(1);
                    self.advance(1)?;
                }
                b')' if open > 0 => {
                    open -= 1;
                    self.advance(1)?;
                }
                b')' if self.peek(1) == Some(b')') => {
                    self.advance(2)?;
                    return Ok(true);
                }
                b')' => return Ok(false),
                _ => self.element(byte)?,
            }
        }
        Ok(false)
    }

    /// Steps over `(…)` behind one of `?*+@!`.
    fn extended_glob(&mut self) -> Result<(), ShellError> {
        let mut open = 0_usize;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'(' => open = open.saturating_add(1),
                b')' => open = open.saturating_sub(1),
                _ => {
                    self.element(byte)?;
                    continue;
                }
            }
            self.advance(1)?;
            if open == 0 {
                return Ok(());
            }
        }
        Err(error("unterminated pattern"))
    }
}

/// Whether `inside` a `${…}` is one of the forms with a word (`-`, `=`, `?`, `+`): within double quotes a single quote in
/// that word is a character as any other.
fn takes_plain_word(inside: &str) -> bool {
    let named = inside.trim_start_matches(|c: char| c == '_' || c.is_ascii_alphanumeric());
    let behind = if named.len() < inside.len() { named } else { named.strip_prefix(['@', '*']).unwrap_or(named) };
    let operator = behind.strip_prefix(':').unwrap_or(behind);
    operator.starts_with(['-', '=', '?', '+'])
}
