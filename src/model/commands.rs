//! The commands of a RUN, in order, with what holds around each.
//!
//! Owns: following a script's variables (`export`, assignments) and folder, looking through `sh -c '…'`, and handing each simple
//! command to `ecosystems::Invocation` with its words expanded. Never does: judge a command.

mod compounds;
mod folder;
mod reading;
mod values;

pub(in crate::model) use reading::{Start, of_list};

use super::run::{Form, Run};
use super::state::State;
use crate::ecosystems::{Argument, Invocation};
use crate::knowledge::Knowledge;
use crate::shell::Removal;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A command that a RUN runs (or may run).
#[derive(Clone, Debug)]
pub struct Ran {
    /// The command, wrappers taken off. Offsets are those of the script.
    pub invocation: Invocation,
    /// What it is.
    pub role: Role,
    /// Variables that the script has set by then, oldest first; they come on top of the step's own.
    pub variables: Rc<Vec<(String, Knowledge<String>)>>,
    /// It may not run, or not once: in a branch, a loop, a function, behind `||`.
    pub conditional: bool,
    /// How the command could be taken out.
    pub removal: Removal,
    /// The folder in which it runs, `cd` followed; absolute.
    pub folder: Knowledge<String>,
    /// Files it writes by redirection, as seen from its folder, where known. Where only the beginning of a name is, a pattern.
    pub writes: Vec<Knowledge<String>>,
    /// Files it reads by redirection, in the same way.
    pub reads: Vec<Knowledge<String>>,
    /// The variables (and parameters, as `1`) that its words name. Known in [`Run::everything`] alone, where other commands of the
    /// script say what those hang on that it sets itself.
    pub mentions: Knowledge<BTreeSet<String>>,
    /// For each argument what it surely begins with; all of it where it is known.
    pub beginnings: Vec<String>,
    /// The command whose output a pipe hands to it.
    pub fed_by: Option<Rc<Invocation>>,
    /// What `xargs -I` replaces in its arguments.
    pub placeholder: Option<String>,
    /// What the rest of the script says of what it fetches.
    pub pins: Pins,
}

impl Default for Ran {
    fn default() -> Self {
        Self {
            invocation: Invocation::default(),
            role: Role::Bare,
            variables: Rc::default(),
            conditional: false,
            removal: Removal::No("it is no command of its own"),
            folder: Knowledge::Unknown,
            writes: Vec::new(),
            reads: Vec::new(),
            mentions: Knowledge::Unknown,
            beginnings: Vec::new(),
            fed_by: None,
            placeholder: None,
            pins: Pins::default(),
        }
    }
}

/// What a [`Ran`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A program or a builtin of the shell.
    Command,
    /// A call of a function of the script, whose commands stand on their own.
    Function,
    /// A command in `$( … )`.
    Substituted,
    /// No command, but something that reads or writes: an assignment, the words or redirections of a loop.
    Bare,
    /// A command whose name is not known.
    Unnamed,
}

/// Whether the content of what a script fetches is made sure of in the script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// A checksum or signature is compared.
    pub checksum: bool,
    /// `git checkout` of a version.
    pub checkout: bool,
}

/// The commands of a RUN, or everything that its script does; empty where that can't be read.
pub fn of(run: &Run<'_>, state: &State, everything: bool) -> Vec<Ran> {
    let mut commands = read(run, state, everything);
    commands.retain(|ran| everything || matches!(ran.role, Role::Command | Role::Function));
    commands
}

fn read(run: &Run<'_>, state: &State, everything: bool) -> Vec<Ran> {
    match run.form {
        Form::Shell => script(run, state, everything),
        Form::Exec => vec![exec(run, state)],
        Form::Other(_) => Vec::new(),
    }
}

fn script(run: &Run<'_>, state: &State, everything: bool) -> Vec<Ran> {
    let Ok(list) = run.script.list() else { return Vec::new() };
    let outside = |name: &str| state.variable(name).cloned().or_else(|| (name == "HOME").then(|| state.home()));
    let start = Start {
        outside: &outside,
        folder: state.workdir.clone(),
        errexit: run.script.errexit,
        everything,
        name: None,
        parameters: None,
    };
    of_list(list, &start)
}

fn exec(run: &Run<'_>, state: &State) -> Ran {
    let arguments = &run.instruction.arguments;
    let words: Vec<Argument> = arguments
        .values
        .iter()
        .map(|value| Argument { value: Knowledge::Known(value.clone()), raw: value.clone(), span: Knowledge::Unknown })
        .collect();
    // `["sh", "-c", "…"]` is a script; its text inside JSON quotes has no exact place, so nothing in it can be edited.
    let invocation = Invocation::unwrap(words, Vec::new(), 0..run.text().len());
    let role = if invocation.is_some() { Role::Command } else { Role::Unnamed };
    let invocation = invocation.unwrap_or_default();
    Ran {
        beginnings: invocation.arguments.iter().map(|argument| argument.raw.clone()).collect(),
        mentions: Knowledge::Known(BTreeSet::new()),
        invocation,
        role,
        removal: Removal::No("it is written in exec form"),
        folder: state.workdir.clone(),
        ..Ran::default()
    }
}
