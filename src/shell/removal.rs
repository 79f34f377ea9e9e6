//! Whether a command can go, and which bytes go with it.
//!
//! Owns: the rules under which deleting a command that succeeds changes nothing else: what runs, the exit status, the
//! syntax of what is left. Never does: ask what the command does; that is the caller's business.

use std::ops::Range;

use super::errexit::Errexit;
use super::walk::{Around, Functions};
use super::{AndOrItem, Assignment, Command, CompoundKind, Connector, List, ListItem, Redirection, SimpleCommand, Word};

/// How a command's pipeline can be deleted from the text, provided that the command would have succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// These bytes can go: the pipeline with one connector or separator, and any comment between the two.
    Range(Range<usize>),
    /// It is everything there is in the script.
    Whole,
    /// It has to stay, and why, in words that follow "it cannot be removed:".
    No(&'static str),
}

/// A pipeline's place in a list.
pub(super) struct Site<'l> {
    pub(super) list: &'l List,
    /// The number of the item in the list.
    pub(super) item: usize,
    /// The number of the pipeline in the item.
    pub(super) pipeline: usize,
}

impl<'l> Site<'l> {
    fn item(&self) -> Option<&'l ListItem> {
        self.list.items.get(self.item)
    }

    fn next_pipeline(&self) -> Option<&'l AndOrItem> {
        self.item()?.and_or.get(self.pipeline.saturating_add(1))
    }

    pub(super) fn has_next_pipeline(&self) -> bool {
        self.next_pipeline().is_some()
    }
}

/// How the pipeline at `site`, with a simple command in it, can be deleted.
pub(super) fn removal(site: &Site<'_>, around: &Around<'_>, functions: &Functions<'_>) -> Removal {
    let Some((item, pipeline)) = site.item().and_then(|item| Some((item, item.and_or.get(site.pipeline)?))) else {
        return Removal::No("its place is not known");
    };
    if let Some(reason) = reason_to_stay(site, item, pipeline, around) {
        return Removal::No(reason);
    }
    let this = &pipeline.span;
    let before = site.pipeline.checked_sub(1).and_then(|index| item.and_or.get(index));
    match (before, site.next_pipeline()) {
        (None, None) => of_item(site, item, around, functions),
        (None, Some(next)) => Removal::Range(this.start..next.span.start),
        (Some(before), next) => {
            // `a && rm x; b` goes on where `a` fails, even under `set -e`; `a; b` would not.
            let exposes = next.is_none() && around.errexit != Errexit::Off && !around.result_is_used;
            let ends_script = around.top_level && site.item.saturating_add(1) == site.list.items.len();
            if exposes && !ends_script {
                Removal::No("`set -e` would then see a failure of the command before it")
            } else {
                Removal::Range(before.span.end..this.end)
            }
        }
    }
}

fn reason_to_stay(site: &Site<'_>, item: &ListItem, pipeline: &AndOrItem, around: &Around<'_>) -> Option<&'static str> {
    let next = site.next_pipeline();
    // What reads `$?` behind `a && rm x` sees the same without `rm x`, as long as that succeeds.
    let reader = if site.pipeline > 0 {
        None
    } else if item.and_or.len() > 1 {
        next
    } else {
        site.list.items.get(site.item.saturating_add(1)).and_then(|item| item.and_or.first())
    };
    if around.condition {
        Some("it is part of a condition")
    } else if pipeline.commands.len() != 1 {
        Some("it is part of a pipeline")
    } else if pipeline.negated {
        Some("its result is negated")
    } else if item.background {
        Some("it runs in the background")
    } else if pipeline.connector == Some(Connector::Or) {
        Some("it only runs where the command before it fails")
    } else if next.is_some_and(|next| next.connector == Some(Connector::Or)) {
        Some("what follows runs where it fails")
    } else if !has_here_documents_with_it(pipeline) {
        Some("its here-document stands apart from it")
    } else if around.subshell_body && leaves_double_parentheses(site) {
        Some("what is left would read as arithmetic")
    } else if reader.is_some_and(reads_exit_status) {
        Some("its exit status is read by what follows")
    } else {
        None
    }
}

/// Whether a `( … )` would be left with a `( … )` at its very start and end: `((a))` is arithmetic.
fn leaves_double_parentheses(site: &Site<'_>) -> bool {
    let mut left = site.list.items.iter().enumerate().flat_map(|(item_index, item)| {
        let stays = move |index| item_index != site.item || index != site.pipeline;
        item.and_or.iter().enumerate().filter(move |(index, _)| stays(*index)).map(|(_, pipeline)| pipeline)
    });
    let is_subshell = |command: Option<&Command>| match command {
        Some(Command::Compound(compound)) => compound.kind == CompoundKind::Subshell,
        _ => false,
    };
    let Some(first) = left.next() else { return false };
    let last = left.last().unwrap_or(first);
    is_subshell(first.commands.first()) && is_subshell(last.commands.last())
}

/// For a pipeline that is a list's item by itself.
fn of_item(site: &Site<'_>, item: &ListItem, around: &Around<'_>, functions: &Functions<'_>) -> Removal {
    let this = &item.span;
    let before = site.item.checked_sub(1).and_then(|index| site.list.items.get(index));
    let next = site.list.items.get(site.item.saturating_add(1));
    // Deleting from the end of what stands before takes its separator along: that must not be a `&`, nor the line end that
    // a here-document's tag needs.
    let can_reach_back = |before: &ListItem| !before.background && !ends_with_here_document(before);
    match (before, next) {
        (None, None) if around.top_level => Removal::Whole,
        (None, None) => Removal::No("it is the only command of its block"),
        (Some(before), Some(_)) if can_reach_back(before) => Removal::Range(before.span.end..this.end),
        (_, Some(next)) => Removal::Range(this.start..next.span.start),
        (Some(before), None) => {
            let stops = around.errexit == Errexit::On && !around.result_is_used && stops_script(before, functions);
            if before.background {
                Removal::No("the command before it runs in the background")
            } else if !stops {
                Removal::No("the exit status would be that of the command before it")
            } else if !can_reach_back(before) {
                Removal::No("a here-document ends right before it")
            } else {
                Removal::Range(before.span.end..this.end)
            }
        }
    }
}

/// Whether a failure of `item` ends the script under `set -e`, so that behind it the exit status is 0.
fn stops_script(item: &ListItem, functions: &Functions<'_>) -> bool {
    let Some(last) = item.and_or.last() else { return false };
    match last.commands.last() {
        Some(Command::Function { .. }) => item.and_or.len() == 1,
        Some(Command::Simple(command)) => {
            let name = command.words.first().map(Word::literal);
            match name {
                _ if last.connector == Some(Connector::Or) => matches!(name.flatten().as_deref(), Some("true" | ":")),
                // A function's last `[ … ] && …` may leave a failure that stops nothing.
                Some(Some(name)) => item.and_or.len() == 1 && !last.negated && !functions.defines(&name),
                Some(None) => false,
                None => item.and_or.len() == 1 && !last.negated,
            }
        }
        _ => false,
    }
}

/// Whether the pipeline has no here-documents, or has them within its span.
fn has_here_documents_with_it(pipeline: &AndOrItem) -> bool {
    let end = pipeline.commands.last().map_or(0, |command| command.span().end);
    pipeline.span.end > end || !pipeline.commands.iter().any(opens_here_document)
}

fn ends_with_here_document(item: &ListItem) -> bool {
    let last = item.and_or.last().and_then(|pipeline| pipeline.commands.last());
    item.span.end > last.map_or(0, |command| command.span().end)
}

fn opens_here_document(command: &Command) -> bool {
    let redirections = match command {
        Command::Simple(command) => &command.redirections,
        Command::Compound(command) => &command.redirections,
        Command::Function { .. } => return false,
    };
    redirections.iter().any(|redirection| redirection.here_document.is_some())
}

/// Whether some here-document stands neither right behind its pipeline nor right behind the item that this is part of.
/// Spans then do not say where it stands, and deleting anything could cut it.
pub(super) fn has_stray_here_document(list: &List) -> bool {
    list.items.iter().any(|item| {
        let behind_item = item.and_or.last().is_some_and(|last| item.span.end > last.span.end);
        item.and_or.iter().any(|pipeline| {
            let inside = pipeline.commands.iter().any(|command| match command {
                Command::Simple(_) => false,
                Command::Compound(compound) => compound.bodies.iter().any(has_stray_here_document),
                Command::Function { body, .. } => has_stray_here_document(body),
            });
            inside || !behind_item && !has_here_documents_with_it(pipeline)
        })
    })
}

/// Whether a pipeline may read the exit status of what ran before it.
fn reads_exit_status(pipeline: &AndOrItem) -> bool {
    pipeline.commands.iter().any(|command| match command {
        Command::Simple(command) => simple_reads_exit_status(command),
        Command::Compound(compound) => {
            let bodies = compound.bodies.iter().flat_map(|body| &body.items).flat_map(|item| &item.and_or);
            let is_arithmetic = compound.kind == CompoundKind::Test && compound.words.is_empty();
            is_arithmetic
                || compound.words.iter().any(names_exit_status)
                || compound.redirections.iter().any(redirection_names_exit_status)
                || bodies.into_iter().any(reads_exit_status)
        }
        Command::Function { .. } => false,
    })
}

fn simple_reads_exit_status(command: &SimpleCommand) -> bool {
    let leaves = match command.words.as_slice() {
        [name] => matches!(name.literal().as_deref(), Some("exit" | "return")),
        _ => false,
    };
    // Only the value that the tree keeps can be looked at.
    let assigns = |assignment: &Assignment| assignment.value.as_ref().is_none_or(names_exit_status);
    leaves
        || command.words.iter().any(names_exit_status)
        || command.assignments.iter().any(assigns)
        || command.redirections.iter().any(redirection_names_exit_status)
}

fn redirection_names_exit_status(redirection: &Redirection) -> bool {
    redirection.target.as_ref().is_some_and(names_exit_status)
        || redirection.here_document.as_deref().is_some_and(text_names_exit_status)
}

fn names_exit_status(word: &Word) -> bool {
    text_names_exit_status(&word.raw)
}

fn text_names_exit_status(text: &str) -> bool {
    text.contains('$') && (text.contains("$?") || text.contains("${?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::parse;

    fn removal_of(text: &str, errexit: bool) -> Removal {
        let list = parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut found = list.simple_commands(errexit).into_iter().filter(|(command, _)| {
            let name = command.words.first();
            name.is_some_and(|name| name.raw == "rm")
        });
        let (_, place) = found.next().expect("no rm");
        place.removable
    }

    /// Asserts that the `rm` in `before` can go, leaving `after`, which is shell with just that command less.
    #[track_caller]
    fn leaves_with(errexit: bool, before: &str, after: &str) {
        let Removal::Range(range) = removal_of(before, errexit) else {
            panic!("{before:?}: {:?}", removal_of(before, errexit));
        };
        let mut text = before.to_owned();
        text.replace_range(range, "");
        assert_eq!(text, after);
        let names = |text: &str| -> Vec<String> {
            let list = parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let commands = list.simple_commands(false);
            commands.iter().map(|(command, _)| command.words.first().map_or(String::new(), |name| name.raw.clone())).collect()
        };
        let mut expected = names(before);
        expected.retain(|name| name != "rm");
        assert_eq!(names(after), expected, "{before:?}");
    }

    #[track_caller]
    fn leaves(before: &str, after: &str) {
        leaves_with(false, before, after);
    }

    #[track_caller]
    fn stays(text: &str, why: &str) {
        match removal_of(text, false) {
            Removal::No(reason) => assert!(reason.contains(why), "{text:?}: {reason}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn a_command_of_an_and_list_goes_with_a_connector() {
        leaves("rm x && a", "a");
        leaves("rm x &&\n  a", "a");
        leaves("a && rm x", "a");
        leaves("a &&\n rm x", "a");
        leaves("a &&   rm x   && b", "a   && b");
        leaves("a && rm x;", "a;");
        leaves("a && rm x # why", "a # why");
        leaves("a || b && rm x", "a || b");
        leaves("é && rm ü && ö", "é && ö");
        leaves("a \\\n  && rm x \\\n  && b", "a \\\n  && b");
        leaves("time rm x && a", "a");
        leaves("a && A=1 rm x 2>&1 >/dev/null && b", "a && b");
    }

    #[test]
    fn a_command_of_a_sequence_goes_with_a_separator() {
        leaves("rm x; a", "a");
        leaves("a; rm x; b", "a; b");
        leaves("a\nrm x\nb\n", "a\nb\n");
        leaves("a & rm x; b", "a & b");
        leaves("{ a; rm x; b; }", "{ a; b; }");
        leaves("{ rm x; a; }", "{ a; }");
        leaves("(rm x; a)", "(a)");
        leaves("if a; then rm x; b; fi", "if a; then b; fi");
        leaves("for i in a b; do c; rm x\nd; done", "for i in a b; do c\nd; done");
        leaves("case a in b) rm x; c;; esac", "case a in b) c;; esac");
        leaves("f() { rm x; a; }; f", "f() { a; }; f");
    }

    #[test]
    fn blocks_keep_their_syntax() {
        leaves_with(true, "a; rm x;", "a;");
        leaves_with(true, "{ a; rm x; }", "{ a; }");
        leaves_with(true, "if true; then a; rm x; fi", "if true; then a; fi");
        leaves_with(true, "(a; rm x)", "(a)");
        leaves_with(true, "(a\nrm x\n)", "(a\n)");
        leaves_with(true, "case a in b) c; rm x;; esac", "case a in b) c;; esac");
        leaves_with(false, "if true; then a && rm x; fi", "if true; then a; fi");
    }

    #[test]
    fn all_there_is_goes_whole() {
        for text in ["rm x", "  rm x ; ", "# a\nrm x\n", "rm x <<X\ny\nX\n"] {
            assert_eq!(removal_of(text, false), Removal::Whole, "{text}");
        }
        for text in ["{ rm x; }", "(rm x)", "if a; then rm x; fi", "a && { rm x; }"] {
            stays(text, "only command");
        }
    }

    #[test]
    fn results_that_are_used_stay() {
        stays("rm x || a", "runs where it fails");
        stays("a || rm x", "fails");
        stays("a && rm x || b", "fails");
        stays("a; ! rm x; b", "negated");
        stays("a; rm x & b", "background");
        stays("a && rm x & b", "background");
        stays("a; rm x | b; c", "pipeline");
        stays("if rm x; then a; fi", "condition");
        stays("if a; rm x; b; then c; fi", "condition");
        stays("if a; then b; elif c; rm x; d; then e; fi", "condition");
        stays("while { a; rm x; b; }; do c; done", "condition");
        stays("rm x; echo $?", "exit status");
        stays("rm x\nif [ $? -ne 0 ]; then a; fi", "exit status");
        stays("rm x; exit", "exit status");
        stays("rm x && A=${?} b", "exit status");
        leaves("a && rm x; echo $?", "a; echo $?");
    }

    #[test]
    fn what_is_left_does_not_become_arithmetic() {
        stays("((a) && rm x)", "arithmetic");
        stays("(rm x; (a))", "arithmetic");
        stays("(rm x; (a); b; (c))", "arithmetic");
        leaves("(rm x; (a); b)", "((a); b)");
        leaves("{ rm x; (a); }", "{ (a); }");
    }

    #[test]
    fn the_last_command_of_a_sequence_decides_the_exit_status() {
        stays("a; rm x", "exit status");
        stays("a\nrm x\n", "exit status");
        stays("{ a; rm x; }; b", "exit status");
        stays("set +e; a; rm x", "exit status");
        stays("set -e; a; set +e; b; rm x", "exit status");
        stays("set -x; a; rm x", "exit status");
        stays("if y; then set -e; fi; a; rm x", "exit status");
        stays("(set -e); a; rm x", "exit status");
        stays("f() { set +e; }; set -e; f; a; rm x", "exit status");
        stays("f() { set -e; a; rm x; }; f", "exit status");
        stays("set -e; . ./z; a; rm x", "exit status");
        // Failures that `set -e` passes over.
        stays("set -e; [ -f a ] && b; rm x", "exit status");
        stays("set -e; ! a; rm x", "exit status");
        stays("set -e; if a; then b && c; fi; rm x", "exit status");
        stays("set -e; f() { a && b; }; f; rm x", "exit status");
        stays("set -e; { a; rm x; } || b", "exit status");
        stays("set -e; a & rm x", "background");
    }

    #[test]
    fn under_errexit_the_last_command_can_go() {
        leaves("set -e; a; rm x", "set -e; a");
        leaves("set -eux\na\nrm x\n", "set -eux\na\n");
        leaves("set -o pipefail -o errexit; a; rm x", "set -o pipefail -o errexit; a");
        leaves("set -euo pipefail && a; b | c; rm x", "set -euo pipefail && a; b | c");
        leaves("set -e; a || true; rm x", "set -e; a || true");
        leaves("set -e; (a; rm x)", "set -e; (a)");
        leaves_with(true, "a; rm x", "a");
        assert_eq!(removal_of("set +e; a; rm x", true), removal_of("a; rm x", false));
    }

    #[test]
    fn under_errexit_a_list_keeps_its_last_command() {
        stays("set -e; a && rm x; b", "set -e");
        stays("set -e; if a; then b && rm x; fi", "set -e");
        leaves("set -e; a && rm x", "set -e; a");
        leaves("set -e; rm x && a; b", "set -e; a; b");
        leaves("set -e; a && rm x && b; c", "set -e; a && b; c");
        leaves("a && rm x; b", "a; b");
    }

    #[test]
    fn here_documents_go_with_their_command_or_not_at_all() {
        leaves("rm <<X > f\n1\nX\na", "a");
        leaves("a\nrm <<X\n1\nX\nb", "a\nb");
        leaves("a && rm <<X\n1\nX\n", "a\n");
        leaves("cat <<X\n1\nX\nrm x\nb", "cat <<X\n1\nX\nb");
        leaves("cat <<X && rm x\n1\nX\nb", "cat <<X\n1\nX\nb");
        leaves("rm x && cat <<X > f\n1\nX\n", "cat <<X > f\n1\nX\n");
        stays("rm <<X && a\n1\nX\n", "stands apart");
        stays("cat <<X &&\n1\nX\nrm x && b", "stands apart");
        stays("cat <<X; a\n1\nX\nrm x; b", "stands apart");
        stays("set -e\ncat <<X\n1\nX\nrm x", "ends right before");
    }
}
