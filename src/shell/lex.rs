//! The text of a script as tokens, each with its exact bytes.
//!
//! Owns: operators, words, comments, here-documents, and the text in which the grammar gets them ([`Lexed::grammar_token`]).
//! Never does: judge the order of tokens. It follows keywords only to know how deep the grammar will have to go, and where
//! an arithmetic `((` or the end of a `case` must be told apart for a grammar that looks at single tokens and so confuses them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use brush_parser::{SourcePosition, SourceSpan, Token as GrammarToken};

use super::keywords::{Keyword, Nesting, Opener, Seen};
use super::scan::{Scanner, error};
use super::{ShellError, is_plain_name};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Operator,
    Word,
    /// The text of a here-document, which stands in the order of tokens behind its tag.
    HereBody,
    /// The line that ends a here-document, behind its text.
    HereEnd,
    /// What the text does not have but the grammar needs: an empty range.
    Inserted(&'static str),
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) range: Range<usize>,
}

/// Here-documents whose texts follow one line end.
#[derive(Debug)]
pub(super) struct Flush {
    /// The token of that line end.
    pub(super) line_end: usize,
    /// The tokens of the tags (`X` of `<<X`).
    pub(super) tags: Vec<usize>,
    /// The byte behind the last ending tag.
    pub(super) end: usize,
}

/// A text and its tokens.
#[derive(Debug)]
pub(super) struct Lexed<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<Token>,
    pub(super) flushes: Vec<Flush>,
}

struct PendingHereDocument {
    tag_token: usize,
    tag: String,
    strip_tabs: bool,
}

/// One level of commands: the text as a whole or the inside of a `$( … )`.
struct Commands<'s, 't> {
    scanner: &'s mut Scanner<'t>,
    /// `None` inside a substitution, whose tokens nobody asks for.
    out: Option<Lexed<'t>>,
    seen: Seen,
    before: Seen,
    nesting: Nesting,
    pending: Vec<PendingHereDocument>,
}

/// Reads `text` as tokens.
pub(super) fn tokenize(text: &str) -> Result<Lexed<'_>, ShellError> {
    let mut scanner = Scanner::new(text);
    // Six bytes a token is what real texts have.
    let tokens = Vec::with_capacity(text.len() / 6);
    let out = Lexed { text, tokens, flushes: Vec::new() };
    let commands = Commands::new(&mut scanner, Some(out));
    commands.run()?.ok_or_else(|| error("no tokens"))
}

/// Steps over the commands of a `$( … )`, up to its closing parenthesis.
pub(super) fn skip_commands(scanner: &mut Scanner<'_>) -> Result<(), ShellError> {
    Commands::new(scanner, None).run().map(|_| ())
}

impl<'s, 't> Commands<'s, 't> {
    fn new(scanner: &'s mut Scanner<'t>, out: Option<Lexed<'t>>) -> Self {
        Self { scanner, out, seen: Seen::Start, before: Seen::Start, nesting: Nesting::default(), pending: Vec::new() }
    }

    fn run(mut self) -> Result<Option<Lexed<'t>>, ShellError> {
        loop {
            self.scanner.blanks()?;
            match self.scanner.peek(0) {
                None => break,
                Some(b'\n') => self.line_end()?,
                Some(b'(') => self.opening_parenthesis()?,
                Some(b')') => {
                    if self.nesting.close_parenthesis() || self.out.is_some() {
                        self.closing_parenthesis()?;
                    } else if self.pending.is_empty() {
                        return Ok(None);
                    } else {
                        return Err(error("a here-document without its text"));
                    }
                }
                Some(b';' | b'&' | b'|' | b'<' | b'>') => self.operator()?,
                Some(_) => self.word()?,
            }
        }
        if !self.pending.is_empty() {
            return Err(error("a here-document without its text"));
        }
        if self.out.is_none() {
            return Err(error("unterminated command substitution"));
        }
        Ok(self.out)
    }

    fn push(&mut self, kind: TokenKind, range: Range<usize>) {
        if let Some(out) = &mut self.out {
            out.tokens.push(Token { kind, range });
        }
    }

    fn see(&mut self, seen: Seen) {
        self.before = self.seen;
        self.seen = seen;
    }

    fn take(&mut self, length: usize) -> Result<&'t str, ShellError> {
        let start = self.scanner.position();
        self.scanner.advance(length)?;
        self.push(TokenKind::Operator, start..self.scanner.position());
        Ok(self.scanner.since(start))
    }

    fn operator(&mut self) -> Result<(), ShellError> {
        let length = operator_length(self.scanner.rest().as_bytes());
        let operator = self.take(length)?;
        self.see(Seen::of_operator(operator));
        Ok(())
    }

    fn opening_parenthesis(&mut self) -> Result<(), ShellError> {
        let double = self.scanner.peek(1) == Some(b'(');
        let may_be_arithmetic =
            self.seen == Seen::Keyword(Keyword::For) || self.seen.before_command(self.before) && !self.nesting.in_test();
        if double && may_be_arithmetic && self.arithmetic()? {
            return Ok(());
        }
        self.tell_subshell_from_arithmetic(self.scanner.position());
        self.nesting.open(Opener::Parenthesis)?;
        self.take(1)?;
        self.see(Seen::Open);
        Ok(())
    }

    /// The grammar takes any `( (` for arithmetic where it can; a line end, which a subshell may start with, tells it.
    fn tell_subshell_from_arithmetic(&mut self, at: usize) {
        if self.seen == Seen::Open && !self.nesting.in_test() {
            self.push(TokenKind::Inserted("\n"), at..at);
        }
    }

    /// `((…))` as two parentheses, what is inside as one word (or three of a `for`), two parentheses.
    fn arithmetic(&mut self) -> Result<bool, ShellError> {
        let start = self.scanner.position();
        if !self.scanner.try_arithmetic(2)? {
            return Ok(false);
        }
        let end = self.scanner.position();
        let (inside, close) = (start.saturating_add(2), end.saturating_sub(2));
        let is_for = self.seen == Seen::Keyword(Keyword::For);
        self.tell_subshell_from_arithmetic(start);
        let expression = self.scanner.since(start).get(2..close.saturating_sub(start)).unwrap_or_default();
        self.push(TokenKind::Operator, start..start.saturating_add(1));
        self.push(TokenKind::Operator, start.saturating_add(1)..inside);
        let mut at = inside;
        for (index, part) in expression.split(';').enumerate() {
            if index > 0 && is_for {
                self.push(TokenKind::Operator, at.saturating_sub(1)..at);
            }
            let part_end = if is_for { at.saturating_add(part.len()) } else { close };
            if !part.trim().is_empty() {
                self.push(TokenKind::Word, at..part_end);
            }
            if !is_for {
                break;
            }
            at = part_end.saturating_add(1);
        }
        self.push(TokenKind::Operator, close..close.saturating_add(1));
        self.push(TokenKind::Operator, close.saturating_add(1)..end);
        self.see(Seen::Close);
        Ok(true)
    }

    fn closing_parenthesis(&mut self) -> Result<(), ShellError> {
        // `esac )` would pass for a pattern of one more arm.
        if self.seen == Seen::Keyword(Keyword::Esac) {
            let at = self.scanner.position();
            self.push(TokenKind::Inserted("\n"), at..at);
        }
        self.take(1)?;
        self.see(Seen::Close);
        Ok(())
    }

    fn word(&mut self) -> Result<(), ShellError> {
        let start = self.scanner.position();
        let negation = self.scanner.rest().starts_with("!(") && self.seen.before_command(self.before);
        if negation {
            self.scanner.advance(1)?;
        } else {
            self.scanner.word()?;
        }
        let raw = self.scanner.since(start);
        if let Seen::Here { strip_tabs } = self.seen {
            let tag_token = self.out.as_ref().map_or(0, |out| out.tokens.len());
            self.pending.push(PendingHereDocument { tag_token, tag: unquoted(raw), strip_tabs });
        }
        let is_tag = matches!(self.seen, Seen::Here { .. });
        let seen = match Keyword::of(&joined(raw)) {
            Some(keyword) if !matches!(self.seen, Seen::Here { .. } | Seen::Redirect) => self.keyword(keyword, start)?,
            _ => Seen::Word,
        };
        self.push(TokenKind::Word, start..self.scanner.position());
        if is_tag {
            let at = self.scanner.position();
            self.push(TokenKind::HereBody, at..at);
            self.push(TokenKind::HereEnd, at..at);
        }
        self.see(seen);
        Ok(())
    }

    /// What a word that may be a keyword is where it stands.
    fn keyword(&mut self, keyword: Keyword, start: usize) -> Result<Seen, ShellError> {
        if let Some(opener) = keyword.opens()
            && self.seen.before_command(self.before)
        {
            self.nesting.open(opener)?;
            return Ok(Seen::Keyword(keyword));
        }
        if keyword == Keyword::Not && self.seen == Seen::Keyword(Keyword::Not) {
            self.nesting.repeat_negation()?;
        }
        if !keyword.is_closer() {
            return Ok(Seen::Keyword(keyword));
        }
        if !self.seen.before_closer(keyword) || !self.nesting.close(keyword) {
            return Ok(Seen::Word);
        }
        // The grammar would read a last arm without `;;` twice, and twice again in a `case` within it.
        if keyword == Keyword::Esac && !matches!(self.seen, Seen::ArmEnd | Seen::Keyword(Keyword::In)) {
            self.push(TokenKind::Inserted(";;"), start..start);
        }
        Ok(Seen::Keyword(keyword))
    }

    fn line_end(&mut self) -> Result<(), ShellError> {
        let line_end = self.out.as_ref().map_or(0, |out| out.tokens.len());
        self.take(1)?;
        if !self.seen.absorbs_line_end() {
            self.see(Seen::Separator);
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut end = self.scanner.position();
        let pending = std::mem::take(&mut self.pending);
        for document in &pending {
            end = self.here_document(document)?;
        }
        if let Some(out) = &mut self.out {
            out.flushes.push(Flush { line_end, tags: pending.iter().map(|document| document.tag_token).collect(), end });
        }
        Ok(())
    }

    /// Steps over a here-document's text and the line that ends it; returns where that line's tag ends.
    fn here_document(&mut self, document: &PendingHereDocument) -> Result<usize, ShellError> {
        let body_start = self.scanner.position();
        loop {
            let line_start = self.scanner.position();
            let Some(line) = self.scanner.rest().split_inclusive('\n').next() else {
                return Err(error("a here-document without its end"));
            };
            self.scanner.advance(line.len())?;
            let content = line.strip_suffix('\n').unwrap_or(line);
            let found = if document.strip_tabs { content.trim_start_matches('\t') } else { content };
            if found == document.tag {
                let end = line_start.saturating_add(content.len());
                self.place_here_document(document.tag_token, body_start..line_start, end);
                return Ok(end);
            }
        }
    }

    fn place_here_document(&mut self, tag_token: usize, body: Range<usize>, end: usize) {
        let Some(out) = &mut self.out else { return };
        let end_tag = body.end..end;
        for (ahead, range) in [(1, body), (2, end_tag)] {
            if let Some(token) = out.tokens.get_mut(tag_token.saturating_add(ahead)) {
                token.range = range;
            }
        }
    }
}

/// The length of the longest operator at the start of `bytes`; 1 where there is none.
fn operator_length(bytes: &[u8]) -> usize {
    match bytes {
        [b'<', b'<', b'-' | b'<', ..] | [b'&', b'>', b'>', ..] | [b';', b';', b'&', ..] => 3,
        [b'&', b'&' | b'>', ..]
        | [b'|', b'|' | b'&', ..]
        | [b';', b';' | b'&', ..]
        | [b'<', b'<' | b'&' | b'>', ..]
        | [b'>', b'>' | b'&' | b'|', ..] => 2,
        _ => 1,
    }
}

/// `raw` without joined line ends.
pub(super) fn joined(raw: &str) -> Cow<'_, str> {
    // Most words have no backslash, which is soon seen.
    if raw.contains('\\') && raw.contains("\\\n") { Cow::Owned(raw.replace("\\\n", "")) } else { Cow::Borrowed(raw) }
}

/// A here-document's tag without its quotes.
fn unquoted(raw: &str) -> String {
    let mut plain = String::with_capacity(raw.len());
    let mut quote = None;
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None | Some('"'), '\\') => plain.extend(characters.next().filter(|escaped| *escaped != '\n')),
            _ => plain.push(character),
        }
    }
    plain
}

/// How far an assignment's `NAME=` or `NAME+=` (`NAME[…]=`) goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AssignmentHead {
    /// Bytes of the name.
    pub(super) name: usize,
    /// Bytes up to the value.
    pub(super) value: usize,
    /// Whether it is neither appended to nor an element of an array.
    pub(super) plain: bool,
}

/// Reads the head of an assignment off a word.
pub(super) fn assignment_head(raw: &str) -> Option<AssignmentHead> {
    let name = raw.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric()))?;
    if !is_plain_name(raw.get(..name)?) {
        return None;
    }
    let behind_name = raw.get(name..)?;
    let behind_index = match behind_name.strip_prefix('[') {
        Some(index) => index.split_once(']')?.1,
        None => behind_name,
    };
    let value = behind_index.strip_prefix("+=").or_else(|| behind_index.strip_prefix('='))?;
    let value = raw.len().checked_sub(value.len())?;
    Some(AssignmentHead { name, value, plain: value == name.saturating_add(1) })
}

impl<'t> Lexed<'t> {
    /// The bytes of a token as text.
    pub(super) fn raw(&self, index: usize) -> &'t str {
        self.tokens.get(index).and_then(|token| self.text.get(token.range.clone())).unwrap_or_default()
    }

    /// The token for the grammar. Its position's `line` is the token's number, by which the tree finds back to the text;
    /// `index` is the byte, since the grammar asks whether `2` and `>` touch. The text is cut to what decides on grammar:
    /// keywords, tests, numbers and heads of assignments, which also keeps the grammar from reading long words.
    pub(super) fn grammar_token(&self, number: usize, token: &Token) -> GrammarToken {
        let position = |index| Arc::new(SourcePosition { index, line: number, column: 0 });
        let span = SourceSpan { start: position(token.range.start), end: position(token.range.end) };
        match token.kind {
            TokenKind::Operator => GrammarToken::Operator(self.raw(number).to_owned(), span),
            TokenKind::Inserted(operator) => GrammarToken::Operator(operator.to_owned(), span),
            TokenKind::Word => GrammarToken::Word(grammar_word(&joined(self.raw(number))).to_owned(), span),
            TokenKind::HereBody | TokenKind::HereEnd => GrammarToken::Word("-".to_owned(), span),
        }
    }
}

/// A word as short as the grammar can decide on it. Whatever is no keyword, number or operator of a test is a `-`, at which
/// the grammar sees soonest that it is no assignment: it asks that of every argument.
fn grammar_word(raw: &str) -> &str {
    /// The longest is `function`, and no number that names a file descriptor is longer either.
    const LONGEST: usize = 8;
    let decides = |raw: &str| {
        Keyword::of(raw).is_some()
            || matches!(raw, "select" | "=" | "==" | "!=" | "=~")
            || raw.len() <= 3 && raw.starts_with('-')
            || raw.starts_with(|c: char| c.is_ascii_digit())
    };
    match assignment_head(raw) {
        Some(head) if head.plain => "v=",
        Some(_) => "v+=",
        None if raw.len() <= LONGEST && decides(raw) => raw,
        // A name that ends in `=` is no function.
        None if raw.ends_with('=') => "-=",
        None => "-",
    }
}
