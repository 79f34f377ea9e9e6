//! The one door to the shell's grammar.
//!
//! Owns: the call of `brush-parser`'s grammar on tokens of our own ([`super::lex`]), and the limits on what it is given.
//! Never does: panic, overflow the stack or run for long, whatever the text.

use brush_parser::{ParseError, ParserOptions, parse_tokens};

use super::scan::error;
use super::{List, ShellError, convert, lex};

/// The longest text that is read, in bytes.
const MAX_LENGTH: usize = 256 * 1024;

/// Reads `text` as a list of commands. Empty text, or one of comments only, is an empty list.
///
/// # Errors
///
/// Where the text is no shell, longer than 256 KiB, nested deeper than 50 levels, or uses what the tree cannot hold
/// (`coproc`, a `!` without a command).
pub fn parse(text: &str) -> Result<List, ShellError> {
    if text.len() > MAX_LENGTH {
        return Err(error("too long"));
    }
    let lexed = lex::tokenize(text)?;
    let tokens: Vec<_> = lexed.tokens.iter().enumerate().map(|(number, token)| lexed.grammar_token(number, token)).collect();
    let program = parse_tokens(&tokens, &ParserOptions::default()).map_err(|failure| match failure {
        ParseError::ParsingNear(position) => {
            let near = lexed.raw(position.line);
            ShellError { message: format!("unexpected `{}`", if near == "\n" { "line end" } else { near }) }
        }
        ParseError::ParsingAtEndOfInput => error("the text ends too early"),
        ParseError::Tokenizing { inner, .. } => ShellError { message: inner.to_string() },
    })?;
    convert::program(&lexed, &program)
}
