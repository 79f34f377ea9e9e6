//! One file, from its name to what is printed of it.
//!
//! Owns: reading, the run, writing, and what becomes of an error on the way: it costs this file and no other.

use super::files::Found;
use super::output::error_text;
use super::place::{Group, Places};
use super::verify::Guard;
use super::{Exit, files, panics};
use crate::pipeline::{self, IgnoreChange, Options, Outcome, Place, Stop};
use crate::report::summary::{self, Total};
use crate::report::{self, Palette, diff};
use crate::{syntax, transforms};
use anyhow::{Context, anyhow, ensure};
use clap::ValueEnum;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What is done with the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The diff is printed.
    Diff,
    /// The file's name is printed if it would change.
    Check,
    /// The file is replaced.
    Write {
        /// And the diff is printed.
        diff: bool,
    },
    /// The whole new text is printed.
    Filter,
}

impl Mode {
    /// What the last line says of files that change.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Write { .. } | Self::Filter => "changed",
            Self::Diff | Self::Check => "would change",
        }
    }
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: the diff, and what was done.
    Text,
    /// For programs: an object for each file.
    Json,
}

/// What is done to each file.
pub(super) struct Job {
    pub(super) options: Options,
    pub(super) mode: Mode,
    pub(super) format: Format,
    pub(super) quiet: bool,
    pub(super) stdout: Palette,
    pub(super) stderr: Palette,
    /// The current folder, links resolved: names in diffs are as seen from it.
    pub(super) folder: Option<PathBuf>,
    /// Proves each file before it is written, where that was asked for.
    pub(super) guard: Option<Guard>,
}

/// What is printed of a file, and how it went.
pub(super) struct Done {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) total: Total,
    pub(super) written: bool,
}

impl Job {
    /// Does files that may share an ignore file, in order.
    pub(super) fn run_group(&self, places: &Places, group: &Group) -> Vec<(usize, Done)> {
        let mut ignore: Option<(String, String)> = None;
        let mut run = |path: &Path| {
            let known = ignore.as_ref().map(|(file, text)| (file.as_str(), text.as_str()));
            let place = places.place(group, path, known);
            let text = places.read(path);
            match text.and_then(|text| self.attempt(path, &text, group, place)) {
                Ok((done, change)) => {
                    ignore = change.map(|change| (change.path, change.after)).or(ignore.take());
                    done
                }
                Err(error) => self.failure(path, &error),
            }
        };
        let one = |(number, file): &(usize, Found)| {
            let done = match file {
                Found::Stdin => run(Path::new("-")),
                Found::File(path) => run(path),
                Found::Failed(path, error) => self.failure(path, error),
            };
            (*number, done)
        };
        group.files.iter().map(one).collect()
    }

    /// What is printed of a file that could not be done.
    pub(super) fn failure(&self, path: &Path, error: &anyhow::Error) -> Done {
        let stdout = match self.format {
            Format::Text => String::new(),
            Format::Json => format!("{}\n", json!({ "file": path.to_string_lossy(), "error": format!("{error:#}") })),
        };
        Done { stdout, stderr: error_text(error, self.stderr), total: Total::failure(), written: false }
    }

    /// How a file went, whatever the caller asked to be told.
    pub(super) fn exit(file: &Done) -> Exit {
        match file.total {
            Total { failed: 1.., .. } => Exit::Failed,
            Total { faults: 1.., .. } => Exit::Guard,
            _ => Exit::Done,
        }
    }

    fn attempt(
        &self,
        path: &Path,
        text: &str,
        group: &Group,
        place: Result<Place, Option<String>>,
    ) -> anyhow::Result<(Done, Option<IgnoreChange>)> {
        let shown = report::path::shown(path);
        let (place, no_place) = place.map_or_else(|why| (None, why), |place| (Some(place), None));
        let options = Options { place, no_place, ..self.options.clone() };
        let outcome = panics::caught(|| pipeline::run(text, &options, transforms::all())).with_context(|| shown.clone())?;
        ensure!(outcome.stop != Stop::Broken, broken(&shown, text));
        let written = outcome.changed() && matches!(self.mode, Mode::Write { .. });
        if written {
            if let Some(guard) = &self.guard {
                let ignore = options.place.as_ref().and_then(|place| place.view.ignore_file().1);
                guard.check(path, group.root(), ignore.as_deref(), &outcome)?;
            }
            write(path, group.root(), &outcome)?;
        }
        let done = Done {
            stdout: self.product(path, &shown, &outcome, group.root()),
            stderr: summary::of_file(&shown, &outcome, self.quiet, self.stderr),
            total: Total::of(&outcome),
            written,
        };
        Ok((done, outcome.ignore))
    }

    /// What goes to standard output.
    fn product(&self, path: &Path, shown: &str, outcome: &Outcome, root: Option<&Path>) -> String {
        match self.mode {
            _ if self.format == Format::Json => format!("{}\n", report::outcome_json(&path.to_string_lossy(), outcome)),
            Mode::Filter => outcome.after.clone(),
            _ if !outcome.changed() => String::new(),
            Mode::Check => format!("would change: {shown}\n"),
            Mode::Write { diff: false } => String::new(),
            Mode::Diff | Mode::Write { diff: true } => {
                let name = if files::is_stdin(path) {
                    PathBuf::from("Dockerfile")
                } else {
                    files::name_in_diff(path, self.folder.as_deref())
                };
                let mut text = diff::unified(&name, &outcome.before, &outcome.after, self.stdout);
                if let (Some(change), Some(root)) = (&outcome.ignore, root) {
                    let name = files::name_in_diff(&root.join(&change.path), self.folder.as_deref());
                    text.push_str(&match &change.before {
                        Some(before) => diff::unified(&name, before, &change.after, self.stdout),
                        None => diff::created(&name, &change.after, false, self.stdout),
                    });
                }
                text
            }
        }
    }
}

/// Writes the Dockerfile and, where it changes, the ignore file: both or neither.
fn write(path: &Path, root: Option<&Path>, outcome: &Outcome) -> anyhow::Result<()> {
    let ignore = outcome.ignore.as_ref().zip(root).map(|(change, root)| (root.join(&change.path), change));
    match &ignore {
        Some((file, IgnoreChange { before: Some(before), after, .. })) => files::replace(file, before, after)?,
        Some((file, change)) => files::create(file, &change.after)?,
        None => {}
    }
    if outcome.before == outcome.after {
        return Ok(());
    }
    files::replace(path, &outcome.before, &outcome.after).inspect_err(|_| {
        // What can't be taken back does no harm: it only names what the install would have made.
        match &ignore {
            Some((file, IgnoreChange { before: Some(before), after, .. })) => drop(files::replace(file, after, before)),
            Some((file, _)) => drop(std::fs::remove_file(file)),
            None => {}
        }
    })
}

/// What the builder would say of a file that it refuses, a line for each place.
fn broken(shown: &str, text: &str) -> anyhow::Error {
    let errors = syntax::parse(text).errors;
    let lines: Vec<String> = errors.iter().map(|error| format!("{shown}:{}:1: {}", error.line, error.message)).collect();
    anyhow!("{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{Done, Exit, Job, Total};

    fn exit(total: Total) -> Exit {
        Job::exit(&Done { stdout: String::new(), stderr: String::new(), total, written: false })
    }

    #[test]
    fn a_guard_is_told_and_a_failure_before_it() {
        assert_eq!(exit(Total { files: 1, fixes: 3, changed: 1, ..Total::default() }), Exit::Done);
        assert_eq!(exit(Total { files: 1, fixes: 3, changed: 1, faults: 1, ..Total::default() }), Exit::Guard);
        assert_eq!(exit(Total { faults: 1, ..Total::failure() }), Exit::Failed);
    }
}
