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

fn reason_to_stay(
    site: &Site<'_>,
    item: &ListItem,
    pipeline: &AndOrItem,
    around: &Around<'_>,
) -> Option<&'static str> {
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
    } else if reader.is_some_and(reads_exit_status) {
        Some("its exit status is read by what follows")
    } else {
        None
    }
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
    text.contains("$?") || text.contains("${?")
}
