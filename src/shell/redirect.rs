//! Redirections, here-documents and process substitutions.
//!
//! Owns: which tokens a redirection is made of. Never does: open a file.

use brush_parser::ast;

use super::convert::{Extent, unlocated};
use super::lex::{Lexed, TokenKind};
use super::{Piece, Redirection, RedirectionKind, ShellError, Word};

/// Converts a redirection; no tokens for the `2>&1` that the grammar adds for `|&`.
pub(super) fn redirection(lexed: &Lexed<'_>, source: &ast::IoRedirect) -> Result<(Redirection, Option<Extent>), ShellError> {
    let redirection = match source {
        ast::IoRedirect::File(_, kind, target) => return file(lexed, kind, target),
        ast::IoRedirect::OutputAndError(target, appends) => {
            let kind = if *appends { RedirectionKind::Append } else { RedirectionKind::Write };
            let at = Extent::known(target.loc.as_ref())?;
            (Redirection { kind, target: Some(lexed.word(at)?), here_document: None }, at)
        }
        ast::IoRedirect::HereString(_, text) => {
            let at = Extent::known(text.loc.as_ref())?;
            (Redirection { kind: RedirectionKind::Here, target: Some(lexed.word(at)?), here_document: None }, at)
        }
        ast::IoRedirect::HereDocument(_, document) => {
            let at = Extent::known(document.here_end.loc.as_ref())?;
            let body = Extent::known(document.doc.loc.as_ref())?;
            let text = Some(lexed.raw(body.first).to_owned());
            (Redirection { kind: RedirectionKind::Here, target: None, here_document: text }, at)
        }
    };
    let (redirection, at) = redirection;
    Ok((redirection, Some(with_operator(lexed, at)?)))
}

/// The tokens of a redirection whose target is `target`: the operator in front of it and the number in front of that.
fn with_operator(lexed: &Lexed<'_>, target: Extent) -> Result<Extent, ShellError> {
    let operator = target.first.checked_sub(1).ok_or_else(unlocated)?;
    let Some(token) = lexed.tokens.get(operator).filter(|token| token.kind == TokenKind::Operator) else {
        return Err(unlocated());
    };
    let number = operator.checked_sub(1).filter(|before| {
        let touches = lexed
            .tokens
            .get(*before)
            .is_some_and(|before| before.kind == TokenKind::Word && before.range.end == token.range.start);
        touches && is_number(lexed.raw(*before)) && lexed.raw(operator).starts_with(['<', '>'])
    });
    Ok(Extent { first: number.unwrap_or(operator), last: target.last })
}

fn is_number(raw: &str) -> bool {
    !raw.is_empty() && raw.chars().all(|c| c.is_ascii_digit())
}

fn file(
    lexed: &Lexed<'_>,
    kind: &ast::IoFileRedirectKind,
    target: &ast::IoFileRedirectTarget,
) -> Result<(Redirection, Option<Extent>), ShellError> {
    use ast::IoFileRedirectKind as Kind;
    use ast::IoFileRedirectTarget as Target;
    let own_kind = match kind {
        Kind::Read => RedirectionKind::Read,
        Kind::Write | Kind::Clobber => RedirectionKind::Write,
        Kind::Append => RedirectionKind::Append,
        Kind::ReadAndWrite => RedirectionKind::ReadWrite,
        Kind::DuplicateInput | Kind::DuplicateOutput => RedirectionKind::Duplicate,
    };
    let (kind, word, at) = match target {
        Target::Filename(word) => {
            let at = Extent::known(word.loc.as_ref())?;
            (own_kind, Some(lexed.word(at)?), at)
        }
        Target::ProcessSubstitution(_, subshell) => {
            let (word, at) = process_substitution(lexed, subshell)?;
            (own_kind, Some(word), at)
        }
        Target::Duplicate(word) => {
            let at = Extent::known(word.loc.as_ref())?;
            let (kind, word) = duplicate(lexed, at, matches!(kind, Kind::DuplicateInput))?;
            (kind, word, at)
        }
        Target::Fd(_) => return Ok((Redirection { kind: own_kind, target: None, here_document: None }, None)),
    };
    Ok((Redirection { kind, target: word, here_document: None }, Some(with_operator(lexed, at)?)))
}

/// What stands behind `<&` (an input) or `>&`.
fn duplicate(lexed: &Lexed<'_>, at: Extent, input: bool) -> Result<(RedirectionKind, Option<Word>), ShellError> {
    let raw = lexed.raw(at.first);
    let number = raw.strip_suffix('-').unwrap_or(raw);
    let is_descriptor = number.chars().all(|c| c.is_ascii_digit());
    if is_descriptor || input {
        Ok((RedirectionKind::Duplicate, None))
    } else {
        // `>& file` writes both outputs to a file, and `>&$VARIABLE` may.
        Ok((RedirectionKind::Write, Some(lexed.word(at)?)))
    }
}

/// The redirection whose operator is this token, and whose target is the word behind it. `None` for what is not one of the common.
pub(super) fn plain(lexed: &Lexed<'_>, operator: usize) -> Option<(Redirection, Extent)> {
    let target = operator.checked_add(1)?;
    let at = Extent { first: target, last: target };
    let kind = match lexed.raw(operator) {
        "<" => RedirectionKind::Read,
        ">" | "&>" => RedirectionKind::Write,
        ">>" | "&>>" => RedirectionKind::Append,
        operator @ (">&" | "<&") => {
            let (kind, target) = duplicate(lexed, at, operator == "<&").ok()?;
            return Some((Redirection { kind, target, here_document: None }, with_operator(lexed, at).ok()?));
        }
        _ => return None,
    };
    let redirection = Redirection { kind, target: Some(lexed.word(at).ok()?), here_document: None };
    Some((redirection, with_operator(lexed, at).ok()?))
}

/// `<( … )` and `>( … )` as a word.
pub(super) fn process_substitution(lexed: &Lexed<'_>, subshell: &ast::SubshellCommand) -> Result<(Word, Extent), ShellError> {
    let inside = Extent::of(&subshell.loc);
    let first = inside.first.checked_sub(1).ok_or_else(unlocated)?;
    if !["<", ">"].iter().any(|operator| lexed.is_operator(first, operator)) {
        return Err(unlocated());
    }
    let whole = Extent { first, last: inside.last };
    let word = lexed.word_with(whole, |raw| {
        let commands = raw.get(1..).and_then(|raw| raw.strip_prefix('(')?.strip_suffix(')'));
        vec![Piece::Opaque { commands: commands.map(str::to_owned) }]
    })?;
    Ok((word, whole))
}
