//! A word as the pieces that it expands from.
//!
//! Owns: quote removal, and telling variables from text. Never does: guess. What shells read differently (`$'…'`, `~user`)
//! or what would have to run (`$( … )`) is [`Piece::Opaque`].

use super::scan::{Dollar, Scanner};
use super::{Piece, is_plain_name};

/// Where a word stands, which decides where a `~` is the home folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// A command's name or argument, a file's name: at the start of the word.
    Argument,
    /// The value of an assignment: at the start and behind each `:`.
    Value,
    /// Between double quotes: nowhere.
    Quoted,
}

/// Reads the pieces of a word as written. An empty word has no pieces; `''` has one empty text.
pub(super) fn pieces(raw: &str, context: Context) -> Vec<Piece> {
    let special = |byte: &u8| matches!(byte, b'\\' | b'\'' | b'"' | b'`' | b'$' | b'~');
    if !raw.is_empty() && !raw.as_bytes().iter().any(special) {
        return vec![Piece::Text { text: raw.to_owned(), quoted: context == Context::Quoted }];
    }
    let mut reader = Reader { pieces: Vec::new() };
    reader.append(raw, context);
    reader.pieces
}

struct Reader {
    pieces: Vec<Piece>,
}

impl Reader {
    fn append(&mut self, raw: &str, context: Context) {
        let mut scanner = Scanner::new(raw);
        if self.append_all(&mut scanner, raw, context).is_none() {
            // The tokens were read by the same scanner, so this is for texts that did not come from there.
            self.opaque(None);
        }
    }

    fn append_all(&mut self, scanner: &mut Scanner<'_>, raw: &str, context: Context) -> Option<()> {
        let quoted = context == Context::Quoted;
        let looks_assigned = raw.split_once('=').is_some_and(|(name, _)| is_plain_name(name));
        let may_be_home = |before: &str| match context {
            Context::Quoted => false,
            _ if before.is_empty() => true,
            Context::Value => before.ends_with(':'),
            Context::Argument => looks_assigned && before.ends_with(['=', ':']),
        };
        let mut plain_from = 0;
        while let Some(byte) = scanner.peek(0) {
            let start = scanner.position();
            let is_home = byte == b'~' && may_be_home(raw.get(..start)?);
            if !is_home && !matches!(byte, b'\\' | b'\'' | b'"' | b'`' | b'$') || byte == b'\'' && quoted {
                scanner.advance(1).ok()?;
                continue;
            }
            self.text(raw.get(plain_from..start)?, quoted);
            match byte {
                b'~' => self.home(scanner, context)?,
                b'\\' => self.escaped(scanner, quoted)?,
                b'\'' => {
                    scanner.single_quotes().ok()?;
                    self.quoted_text(within(scanner.since(start), 1)?);
                }
                b'"' => {
                    scanner.double_quotes().ok()?;
                    let inside = within(scanner.since(start), 1)?;
                    self.quoted_text("");
                    self.append(inside, Context::Quoted);
                }
                b'`' => {
                    scanner.backquotes().ok()?;
                    self.opaque(Some(without_backslashes(within(scanner.since(start), 1)?)));
                }
                _ => self.dollar(scanner, context)?,
            }
            plain_from = scanner.position();
        }
        self.text(raw.get(plain_from..)?, quoted);
        Some(())
    }

    /// Adds literal text to the piece before it, if that is of the same kind.
    fn push_text(&mut self, more: &str, is_quoted: bool) {
        if let Some(Piece::Text { text, quoted }) = self.pieces.last_mut()
            && *quoted == is_quoted
        {
            text.push_str(more);
        } else {
            self.pieces.push(Piece::Text { text: more.to_owned(), quoted: is_quoted });
        }
    }

    fn text(&mut self, text: &str, quoted: bool) {
        if !text.is_empty() {
            self.push_text(text, quoted);
        }
    }

    /// Text from quotes, which makes a piece even if it is empty: `''` is a word.
    fn quoted_text(&mut self, text: &str) {
        if !text.is_empty() || self.pieces.is_empty() {
            self.push_text(text, true);
        }
    }

    fn opaque(&mut self, commands: Option<String>) {
        self.pieces.push(Piece::Opaque { commands });
    }

    fn escaped(&mut self, scanner: &mut Scanner<'_>, quoted: bool) -> Option<()> {
        scanner.advance(1).ok()?;
        let escaped = scanner.rest().chars().next()?;
        if escaped == '\n' {
            return scanner.advance(1).ok();
        }
        if quoted && !matches!(escaped, '$' | '`' | '"' | '\\') {
            // Between double quotes the backslash stays, and what follows is read as usual.
            self.text("\\", true);
            return Some(());
        }
        scanner.advance(escaped.len_utf8()).ok()?;
        self.push_text(escaped.encode_utf8(&mut [0; 4]), true);
        Some(())
    }

    /// A `~` where it may mean a home folder.
    fn home(&mut self, scanner: &mut Scanner<'_>, context: Context) -> Option<()> {
        let own = match scanner.peek(1) {
            None | Some(b'/') => true,
            Some(b':') => context == Context::Value,
            Some(_) => false,
        };
        // Behind `NAME=` in an argument some shells see a home folder and some a tilde.
        if own && (context == Context::Value || scanner.position() == 0) {
            self.pieces.push(Piece::Home);
            return scanner.advance(1).ok();
        }
        self.opaque(None);
        // Only the characters of a name belong to it: a quote or a dollar has to be read by itself.
        let name = scanner.rest().find(|c: char| !(matches!(c, '~' | '+' | '-' | '_' | '.') || c.is_alphanumeric()));
        scanner.advance(name.unwrap_or(scanner.rest().len()).max(1)).ok()
    }

    fn dollar(&mut self, scanner: &mut Scanner<'_>, context: Context) -> Option<()> {
        let quoted = context == Context::Quoted;
        let start = scanner.position();
        match scanner.dollar(quoted).ok()? {
            Dollar::Command => {
                let inside = scanner.since(start).strip_prefix("$(")?.strip_suffix(')')?;
                self.opaque(Some(inside.to_owned()));
            }
            Dollar::Arithmetic | Dollar::Quote => self.opaque(None),
            Dollar::Braced => {
                let inside = scanner.since(start).strip_prefix("${")?.strip_suffix('}')?;
                self.pieces.push(braced(inside, context).unwrap_or(Piece::Opaque { commands: None }));
            }
            Dollar::Plain => {
                let length = parameter_length(scanner.rest(), 1);
                let name = scanner.rest().get(..length)?.to_owned();
                scanner.advance(length).ok()?;
                if scanner.rest().starts_with("\\\n") {
                    // The name goes on in the next line.
                    self.opaque(None);
                } else if name.is_empty() {
                    self.text("$", quoted);
                } else {
                    self.pieces.push(Piece::Variable { name, default: None, transformed: false, quoted });
                }
            }
        }
        Some(())
    }
}

/// `quoted` without its first and last `count` bytes.
fn within(quoted: &str, count: usize) -> Option<&str> {
    quoted.get(count..quoted.len().checked_sub(count)?)
}

/// The commands between backquotes, where a backslash before `` ` ``, `$` or `\` goes away.
fn without_backslashes(inside: &str) -> String {
    let mut commands = String::with_capacity(inside.len());
    let mut characters = inside.chars().peekable();
    while let Some(character) = characters.next() {
        let escapes = character == '\\' && matches!(characters.peek(), Some('`' | '$' | '\\'));
        commands.extend(if escapes { characters.next() } else { Some(character) });
    }
    commands
}

/// The length of the parameter's name at the start of `text`: a name, up to `most_digits` digits or one special character.
fn parameter_length(text: &str, most_digits: usize) -> usize {
    let length_of = |belongs: fn(char) -> bool| text.find(|c: char| !belongs(c)).unwrap_or(text.len());
    match text.chars().next() {
        Some('0'..='9') => length_of(|c| c.is_ascii_digit()).min(most_digits),
        Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
        _ => length_of(|c| c == '_' || c.is_ascii_alphanumeric()),
    }
}

/// The inside of a `${ … }`.
fn braced(inside: &str, context: Context) -> Option<Piece> {
    if inside.contains("\\\n") {
        return None;
    }
    let quoted = context == Context::Quoted;
    let variable =
        |name: &str, default, transformed| Some(Piece::Variable { name: name.to_owned(), default, transformed, quoted });
    // `${#NAME}` is a length and `${!NAME}` another variable; `${#}` and `${!}` are parameters themselves.
    if let Some(behind) = inside.strip_prefix(['#', '!'])
        && parameter_length(behind, usize::MAX) > 0
    {
        return variable(behind.get(..parameter_length(behind, usize::MAX))?, None, true);
    }
    let (name, rest) = inside.split_at_checked(parameter_length(inside, usize::MAX))?;
    if name.is_empty() {
        return None;
    }
    let default_context = if quoted { Context::Quoted } else { Context::Argument };
    if rest.is_empty() {
        variable(name, None, false)
    } else if let Some(default) = rest.strip_prefix(":-") {
        variable(name, Some(pieces(default, default_context)), false)
    } else if let Some(default) = rest.strip_prefix('-') {
        variable(name, Some(pieces(default, default_context)), true)
    } else {
        variable(name, None, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text { text: text.to_owned(), quoted: false }
    }

    fn quoted(text: &str) -> Piece {
        Piece::Text { text: text.to_owned(), quoted: true }
    }

    fn variable(name: &str) -> Piece {
        Piece::Variable { name: name.to_owned(), default: None, transformed: false, quoted: false }
    }

    fn opaque(commands: &str) -> Piece {
        Piece::Opaque { commands: Some(commands.to_owned()) }
    }

    const UNKNOWN: Piece = Piece::Opaque { commands: None };

    fn argument(raw: &str) -> Vec<Piece> {
        pieces(raw, Context::Argument)
    }

    #[test]
    fn quotes_go_and_say_so() {
        assert_eq!(argument("plain*"), [text("plain*")]);
        assert_eq!(argument("a'b c'\"d\"e"), [text("a"), quoted("b cd"), text("e")]);
        assert_eq!(argument("''"), [quoted("")]);
        assert_eq!(argument("\"\""), [quoted("")]);
        assert_eq!(argument("a\\ \\*é"), [text("a"), quoted(" *"), text("é")]);
        assert_eq!(argument(r#""a\"\$\\\n'b'""#), [quoted(r#"a"$\\n'b'"#)]);
        assert_eq!(argument("a\\\nb\"c\\\nd\""), [text("ab"), quoted("cd")]);
        assert_eq!(argument("'a\\\nb'"), [quoted("a\\\nb")]);
    }

    #[test]
    fn variables_are_read_in_all_their_forms() {
        assert_eq!(argument("$A/${B}c"), [variable("A"), text("/"), variable("B"), text("c")]);
        assert_eq!(
            argument("$1$10$@$?${10}"),
            ["1", "1", "@", "?", "10"].map(variable).iter().enumerate().fold(Vec::new(), |mut all, (index, piece)| {
                all.push(piece.clone());
                if index == 1 {
                    all.push(text("0"));
                }
                all
            })
        );
        assert_eq!(argument("$ $. a$"), [text("$ $. a$")]);
        let Piece::Variable { name, default, transformed, quoted: in_quotes } = argument("\"${A:-x\"y\"$B}\"").remove(1) else {
            panic!("no variable");
        };
        assert_eq!((name.as_str(), transformed, in_quotes), ("A", false, true));
        let inner = Piece::Variable { name: "B".to_owned(), default: None, transformed: false, quoted: true };
        assert_eq!(default, Some(vec![quoted("xy"), inner]));
    }

    #[test]
    fn transformations_are_marked() {
        for (raw, name) in [
            ("${A%.*}", "A"),
            ("${#A}", "A"),
            ("${!A}", "A"),
            ("${A:=b}", "A"),
            ("${A[0]}", "A"),
            ("${A:+b}", "A"),
            ("${A-b}", "A"),
        ] {
            match argument(raw).as_slice() {
                [Piece::Variable { name: found, transformed: true, .. }] => assert_eq!(found, name),
                other => panic!("{raw}: {other:?}"),
            }
        }
        assert_eq!(argument("${#}${!}"), [variable("#"), variable("!")]);
    }

    #[test]
    fn what_runs_is_opaque() {
        assert_eq!(argument("$(a 'b)')c"), [opaque("a 'b)'"), text("c")]);
        assert_eq!(argument("\"`a \\`b\\` \\$c`\""), [quoted(""), opaque("a `b` $c")]);
        assert_eq!(argument("$((1+(2)))"), [UNKNOWN]);
        assert_eq!(argument("$((a) | b)"), [opaque("(a) | b")]);
        assert_eq!(argument("$'a\\n'"), [UNKNOWN]);
        assert_eq!(argument("$\\\nA"), [UNKNOWN, text("A")]);
        assert_eq!(argument("${"), [UNKNOWN]);
    }

    #[test]
    fn a_tilde_is_a_home_folder_only_where_all_shells_agree() {
        assert_eq!(argument("~"), [Piece::Home]);
        assert_eq!(argument("~/a"), [Piece::Home, text("/a")]);
        assert_eq!(argument("a~"), [text("a~")]);
        assert_eq!(argument("'~'/a"), [quoted("~"), text("/a")]);
        assert_eq!(argument("\"~/a\""), [quoted("~/a")]);
        assert_eq!(argument("~user/a"), [UNKNOWN, text("/a")]);
        assert_eq!(argument("A=~/a"), [text("A="), UNKNOWN, text("/a")]);
        assert_eq!(argument("--to=~/a"), [text("--to=~/a")]);
        assert_eq!(pieces("a:~/b:~", Context::Value), [text("a:"), Piece::Home, text("/b:"), Piece::Home]);
    }
}
