//! Whether the shell stops at the first failure.
//!
//! Owns: following `set -e` through a list. Never does: run into functions or sourced files; where those may change the
//! setting it is [`Errexit::Maybe`].

use super::{AndOrItem, Command, CompoundKind, List, ListItem, SimpleCommand};

/// What is known of `set -e` at some point of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errexit {
    On,
    Off,
    Maybe,
}

impl Errexit {
    /// What holds behind a pipeline. `certain`: the pipeline runs whenever this point is reached.
    pub(super) fn after(self, pipeline: &AndOrItem, certain: bool) -> Self {
        match pipeline.commands.as_slice() {
            [Command::Simple(command)] if certain => set_effect(command).unwrap_or(self),
            // Its elements run in processes of their own.
            [_, _, ..] => self,
            commands if commands.iter().any(may_change) => Self::Maybe,
            _ => self,
        }
    }

    /// What holds behind a whole item.
    pub(super) fn after_item(self, item: &ListItem) -> Self {
        if item.background {
            return self;
        }
        item.and_or.iter().enumerate().fold(self, |state, (index, pipeline)| state.after(pipeline, index == 0))
    }
}

/// What a command that runs for certain makes of the setting; `None`, it leaves it alone.
fn set_effect(command: &SimpleCommand) -> Option<Errexit> {
    let mut words = command.words.iter().map(super::Word::literal);
    match words.next()?.as_deref() {
        Some("set") => {}
        Some("." | "source" | "eval" | "builtin" | "command" | "shopt") => return Some(Errexit::Maybe),
        _ => return None,
    }
    let mut effect = None;
    while let Some(word) = words.next() {
        let Some(word) = word else { return Some(Errexit::Maybe) };
        let (switch, flags) = match (word.strip_prefix('-'), word.strip_prefix('+')) {
            (Some(flags), _) if !flags.is_empty() && flags != "-" => (Errexit::On, flags),
            (_, Some(flags)) if !flags.is_empty() => (Errexit::Off, flags),
            _ => break,
        };
        if flags.contains('e') {
            effect = Some(switch);
        }
        if flags.contains('o') {
            match words.next() {
                Some(Some(option)) if option == "errexit" => effect = Some(switch),
                Some(None) => return Some(Errexit::Maybe),
                _ => {}
            }
        }
    }
    effect
}

/// Whether a command may change the setting of the shell that runs it.
fn may_change(command: &Command) -> bool {
    match command {
        Command::Simple(command) => set_effect(command).is_some(),
        Command::Compound(compound) => compound.kind != CompoundKind::Subshell && compound.bodies.iter().any(list_may_change),
        Command::Function { .. } => false,
    }
}

/// Whether a list may change the setting of the shell that runs it.
pub(super) fn list_may_change(list: &List) -> bool {
    let pipelines = list.items.iter().filter(|item| !item.background).flat_map(|item| &item.and_or);
    pipelines.filter(|pipeline| pipeline.commands.len() == 1).any(|pipeline| pipeline.commands.iter().any(may_change))
}
