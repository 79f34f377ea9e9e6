//! What a change of the folder (or another setting of the process) ends with, or hangs on.
//!
//! Owns: [`Enclosure`], and the parts of an and-or list that may not run. Never does: follow a folder.

use super::{AndOrItem, Command, CompoundKind, Connector, ListItem};
use std::ops::Range;

/// A part of a script around a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    /// What it is.
    pub kind: EnclosureKind,
    /// Where it stands; for [`EnclosureKind::Branch`] and [`EnclosureKind::Condition`] perhaps only its first part. Tells one from
    /// another.
    pub span: Range<usize>,
}

/// What a part of a script is to the commands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnclosureKind {
    /// A process of its own: `( … )`, an element of a pipeline, a list in the background. Its settings end with it.
    Process,
    /// An `if`, a `case`, or an and-or list of which a part may not run.
    Choice,
    /// A `for` or `while`.
    Loop,
    /// The condition of an `if` or loop.
    Condition,
    /// A part of a choice or loop that may not run.
    Branch,
}

/// Commands that fail as a matter of course: they ask something.
const QUESTIONS: &[&str] = &[
    "[", "test", "grep", "egrep", "fgrep", "which", "command", "type", "hash", "false", "id", "getent", "diff", "cmp", "pgrep",
    "expr",
];

/// The parts of an and-or list that may not run, although the script goes on behind the list.
pub(super) fn alternatives(item: &ListItem) -> Vec<Range<usize>> {
    let is_or = |pipeline: &&AndOrItem| pipeline.connector == Some(Connector::Or);
    let mut branches = Vec::new();
    let span = |pipelines: &[AndOrItem]| Some(pipelines.first()?.span.start..pipelines.last()?.span.end);
    if let Some(first) = item.and_or.iter().position(|pipeline| is_or(&pipeline)) {
        if !item.and_or.iter().filter(is_or).all(leaves) {
            branches.extend(item.and_or.get(..first).and_then(span));
        }
        branches.extend(item.and_or.iter().filter(is_or).map(|pipeline| pipeline.span.clone()));
    } else if let Some(question) = item.and_or.iter().position(asks) {
        branches.extend(item.and_or.get(question + 1..).and_then(span));
    }
    branches
}

fn asks(pipeline: &AndOrItem) -> bool {
    pipeline.negated
        || pipeline.commands.iter().any(|command| match command {
            Command::Simple(simple) => {
                simple.words.first().and_then(super::Word::literal).is_some_and(|word| QUESTIONS.contains(&word.as_str()))
            }
            Command::Compound(compound) => compound.kind == CompoundKind::Test,
            Command::Function { .. } => false,
        })
}

/// Whether the script does not go on behind the pipeline: `exit 1`, `{ echo no; exit 1; }`.
fn leaves(pipeline: &AndOrItem) -> bool {
    match pipeline.commands.as_slice() {
        [Command::Simple(simple)] => {
            simple.words.first().and_then(super::Word::literal).is_some_and(|word| matches!(word.as_str(), "exit" | "return"))
        }
        [Command::Compound(compound)] if compound.kind == CompoundKind::Group => {
            let last = compound.bodies.last().and_then(|body| body.items.last());
            last.is_some_and(|item| matches!(item.and_or.as_slice(), [only] if leaves(only)))
        }
        _ => false,
    }
}
