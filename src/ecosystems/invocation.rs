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
    /// `python -m …`
    PythonModule,
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
            rest.is_empty() || rest.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-')
        })
    }
}
