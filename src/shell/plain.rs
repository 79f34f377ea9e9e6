//! The short way for scripts of simple commands alone.
//!
//! Owns: reading lists of pipelines of simple commands (`a && b | c > d; e`), which nearly every RUN is, straight from the tokens: the
//! grammar takes six times as long and comes to the same tree. Never does: decide what is no shell. Whatever is not plainly such a
//! list is left to the grammar, errors included; a test holds the two to each other.

use std::ops::Range;

use super::convert::Extent;
use super::keywords::Keyword;
use super::lex::{Lexed, TokenKind, assignment_head, joined};
use super::redirect;
use super::simple::Building;
use super::{AndOrItem, Command, Connector, List, ListItem};

/// The list, where the tokens are plainly one.
pub(super) fn list(lexed: &Lexed<'_>) -> Option<List> {
    let is_plain = |kind: TokenKind| matches!(kind, TokenKind::Word | TokenKind::Operator);
    if !lexed.tokens.iter().all(|token| is_plain(token.kind)) {
        return None;
    }
    let mut reader = Reader { lexed, at: 0 };
    let mut items = Vec::new();
    loop {
        reader.line_ends();
        if reader.at >= lexed.tokens.len() {
            return Some(List { items });
        }
        items.push(reader.item()?);
    }
}

struct Reader<'l, 't> {
    lexed: &'l Lexed<'t>,
    /// The next token.
    at: usize,
}

impl<'t> Reader<'_, 't> {
    /// The next token if it is an operator.
    fn operator(&self) -> Option<&'t str> {
        let token = self.lexed.tokens.get(self.at)?;
        (token.kind == TokenKind::Operator).then(|| self.lexed.raw(self.at))
    }

    fn line_ends(&mut self) {
        while self.operator() == Some("\n") {
            self.at += 1;
        }
    }

    /// Pipelines joined by `&&` and `||`, with what parts them from the next.
    fn item(&mut self) -> Option<ListItem> {
        let mut and_or = vec![self.pipeline(None)?];
        loop {
            let connector = match self.operator() {
                Some("&&") => Connector::And,
                Some("||") => Connector::Or,
                separator => {
                    let span = and_or.first()?.span.start..and_or.last()?.span.end;
                    match separator {
                        // A line end stays, so that what may not follow a separator is seen.
                        None if self.at < self.lexed.tokens.len() => return None,
                        None | Some("\n") => {}
                        Some("&" | ";") => self.at += 1,
                        Some(_) => return None,
                    }
                    return Some(ListItem { and_or, background: separator == Some("&"), span });
                }
            };
            self.at += 1;
            self.line_ends();
            and_or.push(self.pipeline(Some(connector))?);
        }
    }

    fn pipeline(&mut self, connector: Option<Connector>) -> Option<AndOrItem> {
        let (mut commands, mut span) = (Vec::new(), None::<Range<usize>>);
        loop {
            let command = self.command()?;
            let own = command.span();
            span = Some(span.map_or(own.start, |span| span.start)..own.end);
            commands.push(command);
            if self.operator() != Some("|") {
                return Some(AndOrItem { connector, negated: false, commands, span: span? });
            }
            self.at += 1;
            self.line_ends();
        }
    }

    fn command(&mut self) -> Option<Command> {
        let mut building = Building::new(self.lexed);
        let mut named = false;
        while let Some(token) = self.lexed.tokens.get(self.at) {
            if token.kind == TokenKind::Operator {
                if !self.lexed.raw(self.at).contains(['<', '>']) {
                    break;
                }
                let operator = self.at;
                self.at += 2;
                let word = self.lexed.tokens.get(operator + 1).filter(|target| target.kind == TokenKind::Word);
                word?;
                building.redirect(redirect::plain(self.lexed, operator)?);
                continue;
            }
            let extent = Extent { first: self.at, last: self.at };
            self.at += 1;
            if self.is_descriptor(extent.first)? {
                continue;
            }
            let raw = joined(self.lexed.raw(extent.first));
            if !named && assignment_head(&raw).is_some() {
                building.assignment(extent).ok()?;
                continue;
            }
            if !named && (Keyword::of(&raw).is_some() || raw == "select") {
                return None;
            }
            named = true;
            building.word(extent).ok()?;
        }
        building.finish().ok().map(|(command, _)| Command::Simple(command))
    }

    /// Whether a word is the number in front of a redirection. `None`: the grammar shall tell.
    fn is_descriptor(&self, number: usize) -> Option<bool> {
        let (word, next) = (self.lexed.tokens.get(number)?, self.lexed.tokens.get(number + 1));
        let touches = next.is_some_and(|next| next.kind == TokenKind::Operator && next.range.start == word.range.end);
        if !touches || !self.lexed.raw(number + 1).starts_with(['<', '>']) {
            return Some(false);
        }
        match self.lexed.raw(number).as_bytes() {
            [b'0'..=b'9'] => Some(true),
            [b'0'..=b'9', ..] => None,
            _ => Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{convert, lex, parse};
    use super::*;
    use crate::syntax::{self, Keyword as Instruction};
    use std::path::Path;

    /// Both ways come to the same, or the short one is not taken; says whether it was.
    fn agree(text: &str) -> bool {
        let Ok(lexed) = lex::tokenize(text) else { return false };
        let Some(plain) = list(&lexed) else { return false };
        let program = parse::program(&lexed).unwrap_or_else(|error| panic!("the grammar refuses {text:?}: {error}"));
        assert_eq!(plain, convert::program(&lexed, &program).unwrap(), "{text:?}");
        true
    }

    #[test]
    fn what_is_plain_is_read_as_the_grammar_reads_it() {
        for text in [
            "",
            "\n\n a\n",
            "a",
            "a b c",
            "a && b || c; d &\ne & f;\n\ng",
            "a |\n\n b | c &&\n d ||\n\n e",
            "A=1 B+=2 C[0]=3 env D=4 E",
            "A=1",
            "A=1 >x",
            ">x A=1 b <y c",
            "a > b 2>c 2>>d >&2 2>&1 <&0 &>e &>>f >&g <&- >& $h",
            "echo if then fi { } ! [[ time",
            "echo a2>b 2 > c",
            "[ -f a ] && test -n \"$(b | c)\"",
            "a \\\n  b \\\n && c\\\nd > \\\ne",
            "a && # why\n# b\n c # d",
        ] {
            assert!(agree(text), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_grammar() {
        for text in [
            "a && ",
            "a | | b",
            "; a",
            "a ;; b",
            "a ; ; b",
            "a >",
            "a > > b",
            "a\n&& b",
            "a; | b",
            "& a",
            "a & & b",
            "if a; then b; fi",
            "(a)",
            "{ a; }",
            "! a",
            "time a",
            "[[ a ]]",
            "A=1 if",
            ">x then",
            "f() { a; }",
            "A=(b c)",
            "a <(b)",
            "a |& b",
            "a <<X\nb\nX",
            "a <<< b",
            "a 12>b",
            "a >| b",
            "a <> b",
            "select a",
            "coproc a",
            "function f { a; }",
            "for a in b; do c; done",
            "case a in b) c;; esac",
            "((a))",
        ] {
            let lexed = lex::tokenize(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(list(&lexed), None, "{text:?}");
        }
    }

    /// Every text of four tokens, with and without blanks between them.
    #[test]
    fn both_ways_agree_on_whatever_four_tokens_make() {
        const TOKENS: [&str; 14] = ["a", "A=1", "2", "if", "}", "&&", "|", ";", "&", "\n", ">", "2>&1", "<&", "!"];
        let mut plain = 0;
        for number in 0..TOKENS.len().pow(4) {
            let token = |place: u32| TOKENS[number / TOKENS.len().pow(place) % TOKENS.len()];
            let tokens = [token(0), token(1), token(2), token(3)];
            plain += usize::from(agree(&tokens.join(" "))) + usize::from(agree(&tokens.concat()));
        }
        assert!(plain > 2000, "{plain}");
    }

    /// Every RUN of the fixtures and examples.
    #[test]
    fn both_ways_agree_on_real_scripts() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mut plain, mut all) = (0, 0);
        let mut folders = vec![root.join("tests/fixtures"), root.join("examples")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let Ok(text) = std::fs::read_to_string(&entry) else { continue };
                if !entry.file_name().unwrap().to_string_lossy().starts_with("Dockerfile") {
                    continue;
                }
                for run in syntax::parse(&text).instructions().filter(|one| one.keyword == Instruction::Run) {
                    all += 1;
                    plain += usize::from(agree(run.arguments_text()));
                }
            }
        }
        assert!(all > 300 && plain * 10 > all * 7, "{plain} of {all}");
    }
}
