//! The commands of a RUN, in order, with what holds around each.
//!
//! Owns: following a script's variables (`export`, assignments), looking through `sh -c '…'`, and handing each simple command to
//! `ecosystems::Invocation` with its words expanded. Never does: judge a command.

use super::run::{Form, Run};
use super::state::State;
use crate::ecosystems::{Argument, Invocation, Wrapper};
use crate::knowledge::Knowledge;
use crate::shell::{self, Removal, SimpleCommand, Word};
use std::ops::Range;
use std::rc::Rc;

/// A command that a RUN runs (or may run).
#[derive(Clone, Debug)]
pub struct Ran {
    /// The command, wrappers taken off. Offsets are those of the script.
    pub invocation: Invocation,
    /// Variables that the script has set by then, oldest first; they come on top of the step's own.
    pub variables: Rc<Vec<(String, Knowledge<String>)>>,
    /// It may not run, or not once: in a branch, a loop, a function, behind `||`.
    pub conditional: bool,
    /// How the command could be taken out.
    pub removal: Removal,
    /// The folder in which it runs, `cd` followed; absolute.
    pub folder: Knowledge<String>,
    /// Files it writes by redirection, where known.
    pub writes: Vec<Knowledge<String>>,
}

/// The commands of a RUN; empty where its script can't be read.
pub fn of(run: &Run<'_>, state: &State) -> Vec<Ran> {
    match run.form {
        Form::Shell => script(run, state),
        Form::Exec => exec(run).into_iter().collect(),
        Form::Other(_) => Vec::new(),
    }
}

fn exec(run: &Run<'_>) -> Option<Ran> {
    let arguments = &run.instruction.arguments;
    let words: Vec<Argument> = arguments
        .values
        .iter()
        .map(|value| Argument { value: Knowledge::Known(value.clone()), raw: value.clone(), span: Knowledge::Unknown })
        .collect();
    // `["sh", "-c", "…"]` is a script; its text inside JSON quotes has no exact place, so nothing in it can be edited.
    let invocation = Invocation::unwrap(words, Vec::new(), 0..run.text().len())?;
    Some(Ran {
        invocation,
        variables: Rc::default(),
        conditional: false,
        removal: Removal::No("it is written in exec form"),
        folder: Knowledge::Unknown,
        writes: Vec::new(),
    })
}

/// What a script has set so far, on top of the step's state.
struct Variables<'s> {
    state: &'s State,
    set: Rc<Vec<(String, Knowledge<String>)>>,
}

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<Knowledge<String>> {
        let own = self.set.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        own.or_else(|| self.state.variable(name).cloned()).or_else(|| (name == "HOME").then(|| self.state.home()))
    }

    fn home(&self) -> Knowledge<String> {
        self.get("HOME").unwrap_or(Knowledge::Unknown)
    }

    fn expand(&self, word: &Word) -> Knowledge<String> {
        word.expand(&|name| self.lookup(name), &self.home())
    }

    /// A variable that nothing here sets may still be one of the image's own.
    fn lookup(&self, name: &str) -> Option<Knowledge<String>> {
        Some(self.get(name).unwrap_or(Knowledge::Unknown))
    }
}

fn script(run: &Run<'_>, state: &State) -> Vec<Ran> {
    let Ok(list) = run.script.list() else { return Vec::new() };
    let mut variables = Variables { state, set: Rc::default() };
    let mut result = Vec::new();
    for (command, place) in list.simple_commands(run.script.errexit) {
        let conditional = place.conditional || place.function.is_some();
        let passing = conditional || place.subshell || place.in_pipeline || place.background;
        let inline = assignments(command, &mut variables, passing);
        let Some(mut invocation) = invocation(command, &variables, inline) else { continue };
        remember_exports(&invocation, &mut variables, passing);
        // Its here-document would stay behind.
        let reads_here = command.redirections.iter().any(|redirection| redirection.here_document.is_some());
        let removal = if reads_here { Removal::No("a here-document belongs to it") } else { place.removable };
        let writes = command.redirections.iter().filter(|redirection| writes(redirection.kind));
        let writes = writes.filter_map(|redirection| redirection.target.as_ref()).map(|word| variables.expand(word)).collect();
        if let Some(mut inner) = nested(&mut invocation, command, &variables, conditional) {
            result.append(&mut inner);
        }
        result.push(Ran {
            invocation,
            variables: Rc::clone(&variables.set),
            conditional,
            removal,
            folder: state.workdir.clone(),
            writes,
        });
    }
    result
}

fn writes(kind: shell::RedirectionKind) -> bool {
    matches!(kind, shell::RedirectionKind::Write | shell::RedirectionKind::Append | shell::RedirectionKind::ReadWrite)
}

/// `A=1 cmd` hands A to the command; `A=1` alone sets it in the script (where it is exported only if it was before, which for
/// the questions asked here comes to the same).
fn assignments(command: &SimpleCommand, variables: &mut Variables<'_>, passing: bool) -> Vec<(String, Knowledge<String>)> {
    let mut inline = Vec::new();
    for assignment in &command.assignments {
        let value = assignment.value.as_ref().map_or(Knowledge::Unknown, |word| variables.expand(word));
        if command.words.is_empty() {
            Rc::make_mut(&mut variables.set).push((assignment.name.clone(), if passing { Knowledge::Unknown } else { value }));
        } else {
            inline.push((assignment.name.clone(), value));
        }
    }
    inline
}

fn remember_exports(invocation: &Invocation, variables: &mut Variables<'_>, passing: bool) {
    if !matches!(invocation.program.as_str(), "export" | "declare" | "typeset" | "local" | "readonly" | "unset" | "read") {
        return;
    }
    for argument in &invocation.arguments {
        let text = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
        let (name, value) = match text.split_once('=') {
            Some((name, value)) if argument.value.known().is_some() => (name, Knowledge::Known(value.to_owned())),
            Some((name, _)) => (name, Knowledge::Unknown),
            None if invocation.program == "unset" => (text, Knowledge::Known(String::new())),
            None if invocation.program == "read" => (text, Knowledge::Unknown),
            None => continue,
        };
        if shell::is_plain_name(name) {
            Rc::make_mut(&mut variables.set).push((name.to_owned(), if passing { Knowledge::Unknown } else { value }));
        }
    }
}

fn invocation(
    command: &SimpleCommand,
    variables: &Variables<'_>,
    inline: Vec<(String, Knowledge<String>)>,
) -> Option<Invocation> {
    let words = command
        .words
        .iter()
        .map(|word| Argument { value: variables.expand(word), raw: word.raw.clone(), span: word.span.clone() })
        .collect();
    Invocation::unwrap(words, inline, command.span.clone())
}

/// The commands of `sh -c 'text'`. Their offsets are right where the text stands in the script letter by letter.
fn nested(
    invocation: &mut Invocation,
    command: &SimpleCommand,
    variables: &Variables<'_>,
    conditional: bool,
) -> Option<Vec<Ran>> {
    if !matches!(invocation.program.as_str(), "sh" | "bash" | "ash" | "dash" | "zsh") {
        return None;
    }
    let is_c = |value: &str| value.starts_with('-') && !value.starts_with("--") && value.ends_with('c');
    let (at, _) = invocation.known_arguments().find(|(_, value)| is_c(value))?;
    let argument = invocation.arguments.get(at + 1)?;
    let inner = argument.raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\''));
    let double = argument.raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    let double = double.filter(|text| !text.contains(['\\', '`', '$', '"']));
    let (text, exact) = match inner.filter(|text| !text.contains('\'')).or(double) {
        Some(text) => (text.to_owned(), true),
        None => (argument.value.known()?.clone(), false),
    };
    let offset = argument.span.known().filter(|_| exact).map(|span| span.start + 1);
    let list = shell::parse(&text).ok()?;
    let mut wrappers = invocation.wrappers.clone();
    wrappers.push(Wrapper::Nested);
    let mut own = Variables { state: variables.state, set: Rc::clone(&variables.set) };
    if !invocation.variables.is_empty() {
        Rc::make_mut(&mut own.set).extend(invocation.variables.iter().cloned());
    }
    let mut result = Vec::new();
    for (simple, place) in list.simple_commands(false) {
        let inline = assignments(simple, &mut own, place.conditional);
        let Some(mut inner) = self::invocation(simple, &own, inline) else { continue };
        inner.shift(offset, command.span.clone());
        inner.wrappers.splice(0..0, wrappers.iter().cloned());
        remember_exports(&inner, &mut own, place.conditional);
        let removal = match (place.removable, offset) {
            (Removal::Range(Range { start, end }), Some(offset)) => Removal::Range(start + offset..end + offset),
            (Removal::No(why), _) => Removal::No(why),
            _ => Removal::No("it stands alone in a text of its own"),
        };
        let conditional = conditional || place.conditional;
        let folder = own.state.workdir.clone();
        result.push(Ran { invocation: inner, variables: Rc::clone(&own.set), conditional, removal, folder, writes: Vec::new() });
    }
    Some(result)
}
