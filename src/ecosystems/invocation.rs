//! A simple command with its wrappers taken off.
//!
//! Owns: looking through `sudo`, `env`, `xargs`, `python -m`, absolute paths and the like to the program that really runs.
//! Never does: know a package manager.

use crate::knowledge::Knowledge;
use std::ops::Range;

/// A program with its arguments, as it will be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The program's name without its folder: `pip3.11`, `apt-get`. For `python -m pip` it is `pip`.
    pub program: String,
    /// As written: `/opt/venv/bin/pip`.
    pub path: String,
    /// What follows the program.
    pub arguments: Vec<Argument>,
    /// `X=y` in front of the command or behind `env`.
    pub variables: Vec<(String, Knowledge<String>)>,
    /// What stood around it, outermost first.
    pub wrappers: Vec<Wrapper>,
    /// Where `NAME=value ` may be put in front, as an offset of the script; Unknown where it can't be.
    pub front: Knowledge<usize>,
    /// Where a global option may be added: the end of the program's word.
    pub behind_program: Knowledge<usize>,
    /// The whole simple command, wrappers included.
    pub span: Range<usize>,
}

/// An argument of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// Its value after expansion.
    pub value: Knowledge<String>,
    /// As written.
    pub raw: String,
    /// Where it stands in the script.
    pub span: Knowledge<Range<usize>>,
}

/// A program that runs another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrapper {
    /// `sudo`, `doas`: with another user's rights (root where none is named).
    Sudo {
        /// `-u NAME`
        user: Option<String>,
        /// `-H`, `-i`: HOME becomes that user's.
        sets_home: bool,
    },
    /// `env X=y …`
    Env,
    /// `xargs …`: more arguments come from elsewhere.
    Xargs,
    /// `python -m …`: these words, as written.
    PythonModule(String),
    /// `time`, `nice`, `timeout`, `exec`, `command`, `nohup`, `eatmydata` …: the command is run as it is.
    Transparent,
    /// `conda run`, `poetry run`, `pipenv run`, `uv run`: inside an environment, named here.
    Environment(String),
    /// `sh -c '…'` and its like: the command stood in a text of its own.
    Nested,
}

impl Invocation {
    /// The known value of the argument with this index, or "" where there is none or it is unknown.
    pub fn argument(&self, index: usize) -> &str {
        self.arguments.get(index).and_then(|argument| argument.value.known()).map_or("", String::as_str)
    }

    /// Known argument values with their indexes.
    pub fn known_arguments(&self) -> impl Iterator<Item = (usize, &str)> {
        self.arguments.iter().enumerate().filter_map(|(index, argument)| Some((index, argument.value.known()?.as_str())))
    }

    /// Index of the first argument that is one of `flags` exactly (`--no-cache-dir`, `-n`).
    pub fn flag(&self, flags: &[&str]) -> Option<usize> {
        self.known_arguments().find(|(_, value)| flags.contains(value)).map(|(index, _)| index)
    }

    /// Indexes of every argument that is one of `flags` exactly.
    pub fn flags(&self, flags: &[&str]) -> Vec<usize> {
        self.known_arguments().filter(|(_, value)| flags.contains(value)).map(|(index, _)| index).collect()
    }

    /// The value of an option in both forms, `--name value` and `--name=value`; the last one wins, as in most programs.
    /// `None` when it is not given.
    pub fn option(&self, names: &[&str]) -> Option<Knowledge<String>> {
        let mut found = None;
        for (index, argument) in self.arguments.iter().enumerate() {
            for name in names {
                let literal = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
                if literal == *name {
                    found = Some(self.arguments.get(index + 1).map_or(Knowledge::Unknown, |next| next.value.clone()));
                } else if let Some(rest) = literal.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                    let known = argument.value.known().is_some();
                    found = Some(if known { Knowledge::Known(rest.to_owned()) } else { Knowledge::Unknown });
                }
            }
        }
        found
    }

    /// The first argument that is not an option, with its index: the subcommand. `with_value` lists the options in front of it
    /// that take their value as the next word (`-C`, `--prefix`).
    pub fn subcommand(&self, with_value: &[&str]) -> Option<(usize, &str)> {
        let mut skip = false;
        for (index, argument) in self.arguments.iter().enumerate() {
            if skip {
                skip = false;
                continue;
            }
            let value = argument.value.known()?;
            if with_value.contains(&value.as_str()) {
                skip = true;
            } else if !value.starts_with('-') && !value.starts_with('+') {
                return Some((index, value));
            }
        }
        None
    }

    /// Whether some argument's value could not be known: then flags may hide in it.
    pub fn has_unknown_argument(&self) -> bool {
        self.arguments.iter().any(|argument| argument.value == Knowledge::Unknown)
    }

    /// Whether the program's name is `stem`, or `stem` with a version behind it (`pip`, `pip3`, `pip3.11`, `pip-3.11`).
    pub fn is(&self, stem: &str) -> bool {
        self.program.strip_prefix(stem).is_some_and(|rest| {
            rest.is_empty()
                || rest.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit())
                    && rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-')
        })
    }
}

impl Invocation {
    /// Takes the wrappers off a command's words. `variables` stand in front of it; `span` is the whole command.
    /// `None` when there is no word, or the program's name can't be known.
    pub fn unwrap(words: Vec<Argument>, variables: Vec<(String, Knowledge<String>)>, span: Range<usize>) -> Option<Self> {
        let mut command = Unwrapping { words: words.into(), wrappers: Vec::new(), variables, front: None };
        command.take_off();
        let Unwrapping { mut words, wrappers, variables, front } = command;
        let program = words.pop_front()?;
        let path = program.value.known()?.clone();
        Some(Self {
            program: name_of(&path),
            path,
            arguments: words.into(),
            variables,
            wrappers,
            front: front.unwrap_or_else(|| program.span.clone().map(|span| span.start)),
            behind_program: program.span.map(|span| span.end),
            span,
        })
    }

    /// Moves all offsets, for a command out of a text that stands inside another. Without an offset they become unknown.
    pub fn shift(&mut self, offset: Option<usize>, span: Range<usize>) {
        let moved = |at: usize| offset.map_or(Knowledge::Unknown, |offset| Knowledge::Known(at + offset));
        let replace = |at: &mut Knowledge<usize>| {
            *at = at.known().map_or(Knowledge::Unknown, |at| moved(*at));
        };
        replace(&mut self.front);
        replace(&mut self.behind_program);
        for argument in &mut self.arguments {
            argument.span = match (argument.span.known(), offset) {
                (Some(span), Some(offset)) => Knowledge::Known(span.start + offset..span.end + offset),
                _ => Knowledge::Unknown,
            };
        }
        self.span = span;
    }
}

fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

struct Unwrapping {
    words: std::collections::VecDeque<Argument>,
    wrappers: Vec<Wrapper>,
    variables: Vec<(String, Knowledge<String>)>,
    /// Where `NAME=value` may be put, when that is not in front of the program's word itself.
    front: Option<Knowledge<usize>>,
}

/// `sudo`'s options that take the next word.
const SUDO_VALUES: &[&str] = &["-u", "--user", "-g", "--group", "-h", "--host", "-p", "--prompt", "-C", "-r", "-t", "-T", "-U"];

impl Unwrapping {
    fn word(&self, index: usize) -> Option<&str> {
        self.words.get(index)?.value.known().map(String::as_str)
    }

    /// Drops options from the second word on; `values` lists those that take the next word.
    fn drop_options(&mut self, values: &[&str]) -> Vec<String> {
        let mut dropped = Vec::new();
        self.words.pop_front();
        while let Some(word) = self.word(0).filter(|word| word.starts_with('-') && word.len() > 1).map(str::to_owned) {
            self.words.pop_front();
            if values.contains(&word.as_str()) {
                dropped.push(word);
                dropped.push(self.words.pop_front().and_then(|word| word.value.into_known()).unwrap_or_default());
            } else if word == "--" {
                break;
            } else {
                dropped.push(word);
            }
        }
        dropped
    }

    fn assignments(&mut self) {
        while let Some((name, value)) = self.words.front().and_then(assignment) {
            self.variables.push((name, value));
            self.words.pop_front();
        }
    }

    fn take_off(&mut self) {
        // Each turn takes at least one word, so it ends.
        while let Some(program) = self.word(0).map(name_of) {
            if !self.take_one(&program) {
                return;
            }
        }
    }

    /// Takes one wrapper off. False when the first word is the program that runs.
    fn take_one(&mut self, program: &str) -> bool {
        match program {
            "sudo" | "doas" => {
                let options = self.drop_options(SUDO_VALUES);
                let user = options.windows(2).find_map(|pair| match pair {
                    [option, user] if option == "-u" || option == "--user" => Some(user.clone()),
                    _ => None,
                });
                let sets_home = options.iter().any(|option| matches!(option.as_str(), "-H" | "--set-home" | "-i" | "--login"));
                self.wrappers.push(Wrapper::Sudo { user, sets_home });
                self.assignments();
            }
            "env" => {
                self.drop_options(&["-u", "--unset", "-C", "--chdir"]);
                self.wrappers.push(Wrapper::Env);
                self.assignments();
            }
            "xargs" => {
                self.drop_options(&[
                    "-n",
                    "-L",
                    "-P",
                    "-I",
                    "-i",
                    "-d",
                    "-a",
                    "-s",
                    "-E",
                    "--max-args",
                    "--max-procs",
                    "--delimiter",
                ]);
                self.wrappers.push(Wrapper::Xargs);
                // xargs runs the word behind it: no assignment can stand there.
                self.front = Some(Knowledge::Unknown);
            }
            "time" | "nice" | "ionice" | "nohup" | "exec" | "command" | "builtin" | "eatmydata" | "stdbuf" | "setarch"
            | "linux32" | "linux64" | "tini" | "dumb-init" | "catchsegv" | "unbuffer" | "chronic" => {
                self.drop_options(&["-n", "-c", "-p", "-o", "-e", "-i"]);
                self.transparent();
            }
            "timeout" => {
                self.drop_options(&["-k", "--kill-after", "-s", "--signal"]);
                self.words.pop_front();
                self.transparent();
            }
            "gosu" | "su-exec" | "setpriv" | "runuser" | "chpst" => {
                self.drop_options(&["-u"]);
                let user = self.words.pop_front().and_then(|word| word.value.into_known());
                self.wrappers.push(Wrapper::Sudo { user: Some(user.unwrap_or_default()), sets_home: false });
                self.front = Some(Knowledge::Unknown);
            }
            _ => return self.module(program) || self.environment(program),
        }
        true
    }

    /// A word that a wrapper runs by itself can't have `NAME=value` in front; the shell takes it in front of the wrapper.
    fn transparent(&mut self) {
        self.wrappers.push(Wrapper::Transparent);
        self.front = Some(Knowledge::Unknown);
    }

    /// `python -m pip …`
    fn module(&mut self, program: &str) -> bool {
        let python = program.starts_with("python") || program.starts_with("pypy");
        let Some(at) = (1..self.words.len().min(4)).find(|index| self.word(*index) == Some("-m")).filter(|_| python) else {
            return false;
        };
        let plain = (1..at).all(|index| self.word(index).is_some_and(|word| word.starts_with('-')));
        if !plain || self.word(at + 1).is_none() {
            return false;
        }
        if self.front.is_none() {
            self.front = self.words.front().map(|word| word.span.clone().map(|span| span.start));
        }
        let words: Vec<String> = self.words.drain(..=at).map(|word| word.raw).collect();
        self.wrappers.push(Wrapper::PythonModule(words.join(" ")));
        true
    }

    /// `poetry run …`, `conda run -n env …`
    fn environment(&mut self, program: &str) -> bool {
        let takes = match program {
            "poetry" | "pipenv" | "uv" | "pdm" | "rye" | "hatch" => {
                &["--with", "--extra", "--group", "--python", "-p", "--project", "--directory", "--env-file"][..]
            }
            "conda" | "mamba" | "micromamba" => &["-n", "--name", "-p", "--prefix", "--cwd"][..],
            _ => return false,
        };
        if self.word(1) != Some("run") {
            return false;
        }
        // `uv run` may itself fetch: it stays uv's own command. Only a package manager inside is looked for.
        let inner = (2..self.words.len()).find(|index| self.word(*index).is_some_and(|word| !word.starts_with('-')));
        let inner = inner.and_then(|index| self.word(index)).map(name_of).unwrap_or_default();
        if program == "uv" && !matches!(inner.as_str(), "pip" | "pip3" | "python" | "python3") {
            return false;
        }
        self.words.pop_front();
        self.drop_options(takes);
        self.wrappers.push(Wrapper::Environment(program.to_owned()));
        self.front = Some(Knowledge::Unknown);
        !self.words.is_empty()
    }
}

fn assignment(word: &Argument) -> Option<(String, Knowledge<String>)> {
    let known = word.value.known();
    let (name, value) = known.unwrap_or(&word.raw).split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (name.to_owned(), if known.is_some() { Knowledge::Known(value.to_owned()) } else { Knowledge::Unknown }))
}
