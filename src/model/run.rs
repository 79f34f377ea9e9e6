//! The script of a RUN.
//!
//! Owns: telling shell form, exec form, heredoc scripts and other languages apart, and the script's text with its way back to
//! the file. The rules for heredocs are those of BuildKit's `dispatchRun`.

use super::commands::{self, Ran};
use super::state::State;
use crate::shell::{self, List, ShellError};
use crate::syntax::{Dockerfile, Instruction, LogicalText};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// How a RUN is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text for a POSIX-like shell: on the RUN's own lines, or a heredoc.
    Shell,
    /// A JSON array.
    Exec,
    /// For another interpreter, named here: PowerShell, Python …
    Other(String),
}

/// A RUN instruction as a program.
#[derive(Debug)]
pub struct Run<'a> {
    /// The instruction.
    pub instruction: &'a Instruction,
    /// How it is written.
    pub form: Form,
    /// Its script. For exec form and other languages: the raw text, not to be read as shell.
    pub script: Script,
}

/// A text for a shell, and where it stands.
#[derive(Debug)]
pub struct Script {
    /// The text with its map to the file.
    pub text: LogicalText,
    /// The shell is started with `-e`.
    pub errexit: bool,
    known: OnceCell<Rc<Known>>,
}

/// What was read of a script before.
#[derive(Debug)]
struct Known {
    parsed: Result<List, ShellError>,
    readings: RefCell<Vec<Reading>>,
}

/// The commands of a script as they are where it starts like this.
#[derive(Debug)]
struct Reading {
    state: State,
    errexit: bool,
    everything: bool,
    commands: Rc<[Ran]>,
}

// By text: a pipeline looks at the same RUN in every pass.
thread_local! {
    static MEMORY: RefCell<HashMap<String, Rc<Known>>> = RefCell::default();
}

/// Entries after which the memory is cleared.
const MOST_REMEMBERED: usize = 256;

/// Readings of one script that are kept.
const MOST_READINGS: usize = 8;

impl Script {
    fn new(text: LogicalText, errexit: bool) -> Self {
        Self { text, errexit, known: OnceCell::new() }
    }

    /// The script as a tree.
    ///
    /// # Errors
    /// Where it is not shell that can be read.
    pub fn list(&self) -> Result<&List, &ShellError> {
        self.known().parsed.as_ref()
    }

    fn known(&self) -> &Known {
        self.known.get_or_init(|| remembered(self.text.as_str()))
    }
}

fn remembered(text: &str) -> Rc<Known> {
    MEMORY.with_borrow_mut(|memory| {
        if let Some(known) = memory.get(text) {
            return Rc::clone(known);
        }
        if memory.len() >= MOST_REMEMBERED {
            memory.clear();
        }
        let known = Rc::new(Known { parsed: shell::parse(text), readings: RefCell::default() });
        memory.insert(text.to_owned(), Rc::clone(&known));
        known
    })
}

impl<'a> Run<'a> {
    /// Reads how the RUN is written.
    pub fn of(dockerfile: &Dockerfile, instruction: &'a Instruction, state: &State) -> Self {
        let line = instruction.logical.slice(instruction.arguments_range.clone());
        if instruction.arguments.json {
            return Self { instruction, form: Form::Exec, script: Script::new(line, false) };
        }
        let (form, errexit) = shell_of(&state.shell);
        let only_heredoc = match instruction.heredocs.as_slice() {
            [heredoc] => is_bare_heredoc(line.as_str()).then_some(heredoc),
            _ => None,
        };
        if let Some(heredoc) = only_heredoc {
            let (text, form, errexit) = heredoc_script(dockerfile, heredoc.content.clone(), heredoc.chomp, form, errexit);
            return Self { instruction, form, script: Script::new(text, errexit) };
        }
        let mut text = line;
        for heredoc in &instruction.heredocs {
            append_heredoc(dockerfile, &mut text, heredoc.content.clone(), &heredoc.name);
        }
        Self { instruction, form, script: Script::new(text, errexit) }
    }

    /// The script's text.
    pub fn text(&self) -> &str {
        self.script.text.as_str()
    }

    /// The commands in the order of the text; empty where the script can't be read.
    pub fn commands(&self, state: &State) -> Rc<[Ran]> {
        self.reading(state, false)
    }

    /// All that the RUN's script does, in order: the commands, those in `$( … )`, those whose name is not known, and whatever else
    /// reads or writes. Empty where the script can't be read.
    pub fn everything(&self, state: &State) -> Rc<[Ran]> {
        self.reading(state, true)
    }

    fn reading(&self, state: &State, everything: bool) -> Rc<[Ran]> {
        if self.form != Form::Shell {
            return commands::of(self, state, everything).into();
        }
        let errexit = self.script.errexit;
        let readings = &self.script.known().readings;
        let is_it =
            |reading: &&Reading| reading.errexit == errexit && reading.everything == everything && reading.state == *state;
        if let Some(known) = readings.borrow().iter().find(is_it) {
            return Rc::clone(&known.commands);
        }
        let commands: Rc<[Ran]> = commands::of(self, state, everything).into();
        let mut readings = readings.borrow_mut();
        if readings.len() < MOST_READINGS {
            readings.push(Reading { state: state.clone(), errexit, everything, commands: Rc::clone(&commands) });
        }
        commands
    }
}

/// Whether the RUN's own line is nothing but `<<NAME`.
fn is_bare_heredoc(line: &str) -> bool {
    let name = line.trim_start_matches(|c: char| c.is_ascii_digit());
    name.strip_prefix("<<").is_some_and(|name| !name.is_empty() && !name.contains([' ', '\t', ';', '&', '|', '>', '<', '(']))
}

fn heredoc_script(
    dockerfile: &Dockerfile,
    content: Range<usize>,
    chomp: bool,
    form: Form,
    errexit: bool,
) -> (LogicalText, Form, bool) {
    let raw = dockerfile.slice(content.clone());
    let mut text = LogicalText::default();
    let mut at = content.start;
    for line in raw.split_inclusive('\n') {
        let kept = if chomp { line.trim_start_matches('\t') } else { line };
        text.push(kept, at + (line.len() - kept.len()));
        at += line.len();
    }
    match raw.strip_prefix("#!").and_then(|rest| rest.lines().next()) {
        Some(interpreter) => {
            let words: Vec<String> = interpreter.split_whitespace().map(str::to_owned).collect();
            let (form, errexit) = shell_of(&words);
            (text, form, errexit)
        }
        None => (text, form, errexit),
    }
}

/// Behind the RUN's own line, the builder hands the heredoc to the shell, name and all.
fn append_heredoc(dockerfile: &Dockerfile, text: &mut LogicalText, content: Range<usize>, name: &str) {
    if let Some(before) = content.start.checked_sub(1) {
        text.push(dockerfile.slice(before..content.start), before);
    }
    text.push(dockerfile.slice(content.clone()), content.start);
    let rest = dockerfile.slice(content.end..dockerfile.text.len());
    let tabs = rest.len() - rest.trim_start_matches('\t').len();
    let at = content.end + tabs;
    text.push(dockerfile.slice(at..at + name.len()), at);
}

/// Which language a SHELL or `#!` line stands for, and whether it is started with `-e`.
fn shell_of(words: &[String]) -> (Form, bool) {
    let mut words = words.iter().map(String::as_str).skip_while(|word| word.ends_with("/env") || *word == "env" || *word == "-S");
    let program = words.next().unwrap_or("/bin/sh");
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    if !matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh" | "busybox") {
        return (Form::Other(name.to_owned()), false);
    }
    let errexit = words.clone().any(|word| word == "errexit")
        || words.any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('e'));
    (Form::Shell, errexit)
}
