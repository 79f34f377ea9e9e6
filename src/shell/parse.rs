//! The one door to the shell's grammar.
//!
//! Owns: the call of `brush-parser`'s grammar on tokens of our own ([`super::lex`]), and the limits on what it is given.
//! Never does: panic, overflow the stack or run for long, whatever the text.

use brush_parser::ast::Program;
use brush_parser::{ParseError, ParserOptions, parse_tokens};

use super::lex::Lexed;
use super::scan::error;
use super::{List, ShellError, convert, lex, plain};

/// The longest text that is read, in bytes.
const MAX_LENGTH: usize = 256 * 1024;

/// Reads `text` as a list of commands. Empty text, or one of comments only, is an empty list.
///
/// # Errors
///
/// Where the text is no shell, longer than 256 KiB, nested deeper than 32 levels, or uses what the tree cannot hold
/// (`coproc`, a `!` without a command).
pub fn parse(text: &str) -> Result<List, ShellError> {
    if text.len() > MAX_LENGTH {
        return Err(error("too long"));
    }
    let lexed = lex::tokenize(text)?;
    match plain::list(&lexed) {
        Some(list) => Ok(list),
        None => convert::program(&lexed, &program(&lexed)?),
    }
}

/// The grammar's tree.
pub(super) fn program(lexed: &Lexed<'_>) -> Result<Program, ShellError> {
    let tokens: Vec<_> = lexed.tokens.iter().enumerate().map(|(number, token)| lexed.grammar_token(number, token)).collect();
    parse_tokens(&tokens, &ParserOptions::default()).map_err(|failure| match failure {
        ParseError::ParsingNear(position) => {
            let near = lexed.raw(position.line);
            ShellError { message: format!("unexpected `{}`", if near == "\n" { "line end" } else { near }) }
        }
        ParseError::ParsingAtEndOfInput => error("the text ends too early"),
        ParseError::Tokenizing { inner, .. } => ShellError { message: inner.to_string() },
    })
}

#[cfg(test)]
mod tests {
    use super::super::scan::MAX_DEPTH;
    use super::super::{AndOrItem, Command, CompoundCommand, CompoundKind, Connector, RedirectionKind, SimpleCommand};
    use super::*;
    use crate::knowledge::Knowledge;

    fn read(text: &str) -> List {
        let list = parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        for (command, _) in list.simple_commands(false) {
            let targets = command.redirections.iter().filter_map(|redirection| redirection.target.as_ref());
            let values = command.assignments.iter().filter_map(|assignment| assignment.value.as_ref());
            for word in command.words.iter().chain(targets).chain(values) {
                let Knowledge::Known(span) = &word.span else { panic!("no span: {word:?}") };
                assert_eq!(&text[span.clone()], word.raw);
            }
        }
        list
    }

    /// The text of every simple command.
    fn commands(text: &str) -> Vec<&str> {
        read(text).simple_commands(false).into_iter().map(|(command, _)| &text[command.span.clone()]).collect()
    }

    fn only_pipeline(text: &str) -> AndOrItem {
        let mut list = read(text);
        assert_eq!(list.items.len(), 1, "{text}");
        let mut item = list.items.remove(0);
        assert_eq!(item.and_or.len(), 1, "{text}");
        item.and_or.remove(0)
    }

    fn only_simple(text: &str) -> SimpleCommand {
        match only_pipeline(text).commands.remove(0) {
            Command::Simple(command) => command,
            other => panic!("not simple: {other:?}"),
        }
    }

    fn only_compound(text: &str) -> CompoundCommand {
        match only_pipeline(text).commands.remove(0) {
            Command::Compound(command) => command,
            other => panic!("not compound: {other:?}"),
        }
    }

    fn raws(command: &SimpleCommand) -> Vec<&str> {
        command.words.iter().map(|word| word.raw.as_str()).collect()
    }

    fn refusal(text: &str) -> String {
        parse(text).expect_err("it was read").message
    }

    #[test]
    fn nothing_is_an_empty_list() {
        for text in ["", "  \t", "\n\n", "# a note", " # a\n# b\n", "\\\n", "  \\\n  # a"] {
            assert_eq!(read(text), List::default(), "{text:?}");
        }
    }

    #[test]
    fn spans_are_bytes_also_behind_other_letters() {
        let text = "écho 'naïve café' \"☕ $Ü\" && größe=ß ls ünï";
        assert_eq!(commands(text), ["écho 'naïve café' \"☕ $Ü\"", "größe=ß ls ünï"]);
        let text = "echo ☕; A=ü b # ☕\nc";
        assert_eq!(commands(text), ["echo ☕", "A=ü b", "c"]);
    }

    #[test]
    fn and_or_lists_keep_connectors_and_spans() {
        let text = " a 1 && b ||\n ! c ; d & ";
        let list = read(text);
        let items: Vec<_> = list.items.iter().map(|item| (&text[item.span.clone()], item.background)).collect();
        assert_eq!(items, [("a 1 && b ||\n ! c", false), ("d", true)]);
        let pipelines: Vec<_> =
            list.items[0].and_or.iter().map(|item| (item.connector, item.negated, &text[item.span.clone()])).collect();
        let expected = [(None, false, "a 1"), (Some(Connector::And), false, "b"), (Some(Connector::Or), true, "! c")];
        assert_eq!(pipelines, expected);
    }

    #[test]
    fn pipelines_reach_from_first_to_last_byte() {
        let text = "  ! time -p curl -s x 2>&1 |& tar x > log  ";
        // `time` belongs in front of `!`; behind it, it is a command.
        let pipeline = only_pipeline(text);
        assert_eq!(&text[pipeline.span.clone()], text.trim());
        let parts: Vec<_> = pipeline.commands.iter().map(|command| &text[command.span()]).collect();
        assert_eq!(parts, ["time -p curl -s x 2>&1", "tar x > log"]);
        let text = " time ! ! make ";
        let pipeline = only_pipeline(text);
        assert_eq!((&text[pipeline.span.clone()], pipeline.negated), ("time ! ! make", false));
        assert_eq!(&text[pipeline.commands[0].span()], "make");
    }

    #[test]
    fn joined_lines_and_comments_are_between_words_not_in_spans() {
        let text = "apt-get \\\n  update \\\n && # why\n  rm -\\\nr x\\\n ; # c\n";
        assert_eq!(commands(text), ["apt-get \\\n  update", "rm -\\\nr x"]);
        assert_eq!(raws(read(text).simple_commands(false)[1].0), ["rm", "-\\\nr", "x"]);
    }

    #[test]
    fn keywords_may_be_joined_from_two_lines() {
        let text = "i\\\nf a; then b; f\\\ni";
        assert_eq!(only_compound(text).kind, CompoundKind::If);
        assert_eq!(&text[only_compound(text).span], text);
    }

    #[test]
    fn assignments_are_told_from_arguments() {
        let text = "A=1 B+=2 C[0]=3 D=(x y) E= env F=4 G=$H";
        let command = only_simple(text);
        let assignments: Vec<_> = command
            .assignments
            .iter()
            .map(|assignment| {
                let Knowledge::Known(span) = &assignment.span else { panic!("no span") };
                (assignment.name.as_str(), assignment.value.as_ref().map(|value| value.raw.as_str()), &text[span.clone()])
            })
            .collect();
        let expected =
            [("A", Some("1"), "A=1"), ("B", None, "B+=2"), ("C", None, "C[0]=3"), ("D", None, "D=(x y)"), ("E", Some(""), "E=")];
        assert_eq!(assignments, expected);
        assert_eq!(raws(&command), ["env", "F=4", "G=$H"]);
    }

    #[test]
    fn redirections_have_kinds_and_targets() {
        use RedirectionKind::{Append, Duplicate, Here, Read, ReadWrite, Write};
        let text = ">a 2>>b <c cmd <>d >|e &>f &>>g 2>&1 >&- <&3 >&h <<<\"i j\" x 3> k";
        let command = only_simple(text);
        assert_eq!(&text[command.span.clone()], text);
        assert_eq!(raws(&command), ["cmd", "x"]);
        let redirections: Vec<_> = command
            .redirections
            .iter()
            .map(|redirection| (redirection.kind, redirection.target.as_ref().map(|word| word.raw.as_str())))
            .collect();
        let expected = [
            (Write, Some("a")),
            (Append, Some("b")),
            (Read, Some("c")),
            (ReadWrite, Some("d")),
            (Write, Some("e")),
            (Write, Some("f")),
            (Append, Some("g")),
            (Duplicate, None),
            (Duplicate, None),
            (Duplicate, None),
            (Write, Some("h")),
            (Here, Some("\"i j\"")),
            (Write, Some("k")),
        ];
        assert_eq!(redirections, expected);
    }

    #[test]
    fn a_number_is_a_descriptor_only_where_it_touches() {
        assert_eq!(raws(&only_simple("echo 2 > a")), ["echo", "2"]);
        assert_eq!(raws(&only_simple("echo 2> a")), ["echo"]);
        assert_eq!(raws(&only_simple("echo 99999999999999999999> a")), ["echo", "99999999999999999999"]);
    }

    #[test]
    fn process_substitutions_are_words() {
        let command = only_simple("diff <(sort a) --to=<(sort b | uniq) > >(tee c)");
        assert_eq!(raws(&command), ["diff", "<(sort a)", "--to=<(sort b | uniq)"]);
        assert_eq!(command.redirections[0].target.as_ref().unwrap().raw, ">(tee c)");
    }

    #[test]
    fn here_documents_are_kept_as_written() {
        let text = "cat <<X > f\n a $b\n\tX\nX\nls";
        let list = read(text);
        let spans: Vec<_> = list.items.iter().map(|item| &text[item.span.clone()]).collect();
        assert_eq!(spans, ["cat <<X > f\n a $b\n\tX\nX", "ls"]);
        assert_eq!(commands(text), ["cat <<X > f", "ls"]);
        let text = "cat <<-'X Y'\n\ta 'b\n\tX Y\n";
        let command = only_simple(text);
        assert_eq!(command.redirections[0].here_document.as_deref(), Some("\ta 'b\n"));
        assert_eq!((command.redirections[0].kind, &command.redirections[0].target), (RedirectionKind::Here, &None));
    }

    #[test]
    fn here_documents_belong_to_what_ends_their_line() {
        let text = "a && cat <<X | tee f\n1\nX\nb <<Y && c <<Z\n2\nY\n3\nZ\nd";
        let list = read(text);
        let spans: Vec<_> = list.items.iter().map(|item| &text[item.span.clone()]).collect();
        assert_eq!(spans, ["a && cat <<X | tee f\n1\nX", "b <<Y && c <<Z\n2\nY\n3\nZ", "d"]);
        assert_eq!(&text[list.items[0].and_or[1].span.clone()], "cat <<X | tee f\n1\nX");
        assert_eq!(&text[list.items[1].and_or[1].span.clone()], "c <<Z");
        assert_eq!(commands(text), ["a", "cat <<X", "tee f", "b <<Y", "c <<Z", "d"]);
    }

    #[test]
    fn compound_commands_have_bodies_and_end_with_their_keyword() {
        let cases = [
            ("( a; b ) > f", CompoundKind::Subshell, 1),
            ("{ a; b; } 2>&1", CompoundKind::Group, 1),
            ("if a; then b; fi", CompoundKind::If, 2),
            ("if a; then b; elif c; then d & else e; fi 2> f", CompoundKind::If, 5),
            ("if (a) then { b; } fi", CompoundKind::If, 2),
            ("if a\nthen cat <<X\nfi\nX\nfi", CompoundKind::If, 2),
            ("for i in a \"b c\"; do d; done", CompoundKind::For, 1),
            ("for i; do d; done", CompoundKind::For, 1),
            ("for ((i=0; i<(3); i++)); do d; done", CompoundKind::For, 1),
            ("for ((;;)) { d; }", CompoundKind::For, 1),
            ("while a; b; do c; done < f", CompoundKind::While, 2),
            ("until a; do c; done", CompoundKind::While, 2),
            ("case $a in x|y) b;; (z) ;; *) c; d; esac", CompoundKind::Case, 3),
            ("case a in esac", CompoundKind::Case, 0),
            ("(( a = (1 << 2) ))", CompoundKind::Test, 0),
            ("[[ -f $a && ( b == *.c || $d =~ ^(e|f)$ ) ]]", CompoundKind::Test, 0),
        ];
        for (text, kind, bodies) in cases {
            let padded = format!("  {text} ; z");
            let list = read(&padded);
            let Command::Compound(command) = &list.items[0].and_or[0].commands[0] else { panic!("{text}") };
            assert_eq!((command.kind, command.bodies.len()), (kind, bodies), "{text}");
            assert_eq!(&padded[command.span.clone()], text);
            assert_eq!(list.items.len(), 2, "{text}");
        }
    }

    #[test]
    fn loops_and_cases_keep_their_words() {
        let command = only_compound("for name in a $b \"c d\"\ndo e $name; done");
        assert_eq!(command.variable.as_deref(), Some("name"));
        assert_eq!(command.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>(), ["a", "$b", "\"c d\""]);
        let command = only_compound("case \"$(uname -m)\" in x) a;; esac");
        assert_eq!(command.words[0].raw, "\"$(uname -m)\"");
        let command = only_compound("[[ ! -f /a && $b == c* ]]");
        assert_eq!(command.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>(), ["/a", "$b", "c*"]);
    }

    #[test]
    fn doubled_parentheses_are_arithmetic_only_where_they_can_be() {
        assert_eq!(commands("( (a; b) )"), ["a", "b"]);
        assert_eq!(commands("( (a && b) )"), ["a", "b"]);
        assert_eq!(commands("((a); (b && c))"), ["a", "b", "c"]);
        assert_eq!(commands("( ((x = 1)); a )"), ["a"]);
        assert_eq!(commands("( ((x = 1)) )"), [""; 0]);
        assert_eq!(commands("(case x in y) a;; esac)\n(b)"), ["a", "b"]);
        assert_eq!(commands("(case x in y) a; b\nesac\n)\n(case z in (w) c; esac)"), ["a", "b", "c"]);
    }

    #[test]
    fn functions_have_a_name_and_a_body() {
        for text in ["f() { a; b; }", "function f { a; b; }", "function f() {\n a\n b\n}", "f () ( a; b ) > c"] {
            let pipeline = only_pipeline(text);
            let Command::Function { name, body, span } = &pipeline.commands[0] else { panic!("{text}") };
            assert_eq!((name.as_str(), &text[span.clone()]), ("f", text));
            assert!(!body.items.is_empty());
            assert_eq!(commands(text), ["a", "b"]);
        }
    }

    #[test]
    fn substitutions_are_one_word_whatever_is_in_them() {
        for word in [
            "$(echo ')' \"$(a `b` # )\n)\" \\) )",
            "$(case a in b) c;; (d) e;; esac)",
            "$(cat <<X\n) ' \"\nX\n)",
            "\"${a:-$(b \"c d\")}'\"",
            "\"${a:-it's}\"",
            "${a%'}'}",
            "$(( (1 + 2) * $(c) ))",
            "$((a) | (b))",
            "`a \\`b c\\` d`",
            "$'a\\' b'",
            "$\"a b\"",
            "$[ 1 + 2 ]",
            "a@(b|c d)e",
            "$(a; # it's )\n)",
            "$(if a; then b; fi)",
        ] {
            assert_eq!(raws(&only_simple(&format!("x {word} y"))), ["x", word, "y"]);
        }
    }

    #[test]
    fn what_is_no_shell_is_refused_in_words() {
        for (text, message) in [
            ("echo 'a", "unterminated single quote"),
            ("echo \"a", "unterminated double quote"),
            ("echo $(a", "unterminated command substitution"),
            ("echo `a", "unterminated backquote"),
            ("echo ${a", "unterminated `${`"),
            ("echo a\\", "a backslash ends the text"),
            ("a && ", "the text ends too early"),
            ("a | | b", "unexpected `|`"),
            ("if a; then b;", "the text ends too early"),
            ("a ) b", "unexpected `)`"),
            ("cat <<X\na", "a here-document without its end"),
            ("cat <<X", "a here-document without its text"),
            ("a; ! ; b", "a `!` or `time` without a command"),
            ("coproc a", "`coproc` is not supported"),
        ] {
            assert_eq!(refusal(text), message, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_shallow_nesting_is_not() {
        let forms = [
            ("$(", "", ")"),
            ("(a; ", "a", ")"),
            ("( ", "a", " )"),
            ("{ ", "a", "; }"),
            ("if a; then ", "b", "; fi"),
            ("while a; do ", "b", "; done"),
            ("\"$(echo ", "b", ")\""),
            ("${a:-", "b", "}"),
            ("f() { ", "b", "; }"),
            ("a $(( ", "b", " ))"),
            ("$((", "b", ") )"),
            ("[[ ", "a", " ]]"),
            ("case x in a) ", "b", " ;; esac"),
            ("case x in a) ", "b", " >f esac"),
            ("coproc ", "a", ""),
            ("[[ ! ! ", "a", "]]"),
            ("[[ ( ", "a", ") ]]"),
            ("i\\\nf a; then ", "b", "; fi"),
            ("if case x in fi) a;; esac; then ", "b", "; fi"),
            ("if [[ -n ]] && fi ]]; then ", "b", "; fi"),
            ("if echo done; fi; then ", "b", "; fi"),
            ("if (x) >f then ", "b", "; fi"),
        ];
        for (open, inside, close) in forms {
            // As deep as it goes, on a test's small stack.
            let _ = parse(&format!("{}{inside}{}", open.repeat(MAX_DEPTH), close.repeat(MAX_DEPTH)));
            for depth in [60, 10_000] {
                let text = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
                assert!(parse(&text).is_err(), "{open} × {depth}");
                assert!(parse(&open.repeat(depth)).is_err(), "{open} × {depth}, open");
            }
        }
        // All of this is one expression to the shell.
        assert!(parse(&format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000))).is_ok());
        for (open, inside, close) in [("$(echo ", "a", ")"), ("( ", "a", " )"), ("if a; then ", "b", "; fi")] {
            let text = format!("{}{inside}{}", open.repeat(MAX_DEPTH - 1), close.repeat(MAX_DEPTH - 1));
            assert!(parse(&text).is_ok(), "{open}: {:?}", parse(&text));
        }
    }

    #[test]
    fn length_has_a_limit() {
        assert_eq!(refusal(&"a".repeat(MAX_LENGTH + 1)), "too long");
        assert!(parse(&"a ".repeat(MAX_LENGTH / 2)).is_ok());
    }

    #[test]
    fn arbitrary_texts_do_not_panic() {
        let parts = [
            "a",
            " ",
            "\n",
            ";",
            "&",
            "&&",
            "||",
            "|",
            "(",
            ")",
            "((",
            "))",
            "{ ",
            "}",
            "'",
            "\"",
            "\\",
            "\\\n",
            "$",
            "$(",
            "${",
            "`",
            "<<X",
            "<<-'Y'",
            "\nX\n",
            "\nY\n",
            "if ",
            "then ",
            "fi",
            "case ",
            " in ",
            "esac",
            ";;",
            "for ",
            "do ",
            "done",
            "[[ ",
            " ]]",
            "! ",
            "=",
            "A=",
            "a[",
            "]",
            "~",
            "é",
            "#",
            ">",
            "<",
            "2>&1",
            "<(",
            "|&",
            "while ",
            "f() ",
            "function ",
            "99999999999>",
            "@(",
            "$((",
            "$[",
            "*",
            "time ",
            "coproc ",
            "\0",
            "\r\n",
            "else ",
            "elif ",
            "-p ",
        ];
        // A small generator of the usual kind; what matters is only that it is the same every time.
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        for round in 0..40_000 {
            let mut text = String::new();
            for _ in 0..(round % 24) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                text.push_str(parts[usize::try_from(state % parts.len() as u64).unwrap()]);
            }
            if let Ok(list) = parse(&text) {
                for (command, _) in list.simple_commands(false) {
                    for word in &command.words {
                        assert_eq!(word.span.known().map(|span| &text[span.clone()]), Some(word.raw.as_str()), "{text:?}");
                        let _ = word.mentions();
                    }
                }
            }
        }
    }
}
