//! What a rewrite gains at the changes that are made most.
//!
//! Owns: choosing those changes (an edit of the source, the argument that carries the commit) and counting the steps before and after.
//! Never does: count seconds.

use super::forecast::Change;
use super::plan::{Plan, Step};
use crate::context::{Source, View};
use crate::knowledge::Knowledge;
use crate::model::volatile::is_volatile;
use std::collections::{BTreeMap, BTreeSet};

/// Commits that tell which file is edited most.
const COMMITS: usize = 100;

/// A change that is made often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typical {
    /// This file of the source is edited: the one that most commits touch, or without a history one of the copy that brings most.
    Edit(String),
    /// This build argument, which carries a commit or a date, has another value.
    Argument(String),
    /// Each of so many commits.
    Commits(usize),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Steps that run.
    Steps,
    /// Commands of RUN steps that run: for a RUN that was cut, of which a part stays in the cache.
    Commands,
    /// Installs of the project's dependencies: for one that is fetched for above, and itself runs as before.
    Installs,
}

/// How much runs again, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gain {
    /// At which change.
    pub at: Typical,
    /// What is counted.
    pub unit: Unit,
    /// How many run before the rewrite; for commits, in all of them together.
    pub before: usize,
    /// Steps that there are before, for one build.
    pub steps_before: usize,
    /// How many run after it.
    pub after: usize,
    /// Steps that there are after it, for one build.
    pub steps_after: usize,
}

impl std::fmt::Display for Gain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, unit, before, steps_before, after, steps_after } = self;
        match at {
            Typical::Edit(file) => write!(f, "an edit of {file}: ")?,
            Typical::Argument(name) => write!(f, "another {name}: ")?,
            Typical::Commits(1) => f.write_str("the last commit: ")?,
            Typical::Commits(count) => write!(f, "the last {count} commits: ")?,
        }
        match (unit, at) {
            (Unit::Steps, Typical::Commits(_)) => write!(f, "{before} steps run again → {after}"),
            (Unit::Steps, _) => write!(f, "{before} of {steps_before} steps → {after} of {steps_after}"),
            (Unit::Commands, _) => write!(f, "{before} commands run again → {after}"),
            (Unit::Installs, _) => write!(f, "installs that fetch dependencies: {before} → {after}"),
        }
    }
}

/// What a rewrite gains, in steps: at the edit and the arguments where it gains there, else over the history; else in commands or
/// installs at the edit; else nothing. `installs`: the installs of dependencies that run before and after a change.
pub fn gains(before: &Plan, after: &Plan, view: Option<&View>, installs: &dyn Fn(&Change) -> (usize, usize)) -> Vec<Gain> {
    let gain = |at: Typical, unit: Unit, (was, is): (usize, usize)| Gain {
        at,
        unit,
        before: was,
        steps_before: before.needed(),
        after: is,
        steps_after: after.needed(),
    };
    let steps = |change: &Change| (before.after(change).runs(), after.after(change).runs());
    let edit = view.and_then(|view| edited(before, after, view));
    let edit = edit.map(|file| (Change::of_files([file.clone()]), Typical::Edit(file)));
    let arguments: BTreeSet<&String> =
        before.steps.iter().flat_map(|step| &step.arguments).filter(|name| is_volatile(name)).collect();
    let arguments = arguments.into_iter().map(|name| (Change::default().with_arguments([name]), Typical::Argument(name.clone())));
    let in_steps = edit.clone().into_iter().chain(arguments).map(|(change, at)| gain(at, Unit::Steps, steps(&change)));
    let gains: Vec<Gain> = in_steps.filter(falls).collect();
    if !gains.is_empty() {
        return gains;
    }
    let commits = view.map(|view| view.commits(COMMITS)).unwrap_or_default();
    let changes: Vec<Change> = commits.iter().map(|commit| Change::of_files(&commit.paths)).collect();
    let total = |plan: &Plan| changes.iter().map(|change| plan.after(change).runs()).sum();
    let over_history = gain(Typical::Commits(commits.len()), Unit::Steps, (total(before), total(after)));
    let at_edit = edit.into_iter().flat_map(|(change, at)| {
        let commands = (before.commands_at(&change), after.commands_at(&change));
        [gain(at.clone(), Unit::Commands, commands), gain(at, Unit::Installs, installs(&change))]
    });
    std::iter::once(over_history).chain(at_edit).find(falls).into_iter().collect()
}

fn falls(gain: &Gain) -> bool {
    gain.after < gain.before
}

/// The file whose edit is typical: it comes with a folder, and no copy, before or after, is there for it alone.
pub fn edited(before: &Plan, after: &Plan, view: &View) -> Option<String> {
    let sources =
        |plan: &Plan| -> Vec<Source> { plan.steps.iter().filter(|step| step.needed).flat_map(known_sources).cloned().collect() };
    let (old, new) = (sources(before), sources(after));
    let (single, folders): (Vec<Source>, Vec<Source>) = old.into_iter().partition(Source::names_a_file);
    let single: Vec<Source> = single.into_iter().chain(new.into_iter().filter(Source::names_a_file)).collect();
    let is_named = |path: &str| single.iter().any(|source| source.takes(path));
    let is_named = |path: &str| is_named(path) || is_for_builds(path);
    let is_source = |path: &&str| folders.iter().any(|source| source.takes(path)) && !is_named(path);
    let commits = view.commits(COMMITS);
    let mut touched: BTreeMap<&str, usize> = BTreeMap::new();
    for path in commits.iter().flat_map(|commit| &commit.paths) {
        *touched.entry(path).or_default() += 1;
    }
    let mut most: Vec<(&str, usize)> = touched.into_iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let still_there = |path: &&str| view.kind(path).is_some();
    let often = most.into_iter().map(|(path, _)| path).find(|path| is_source(path) && still_there(path));
    if let Some(path) = often {
        return Some(path.to_owned());
    }
    let files = view.files_below("");
    let of = |source: &Source| files.iter().filter(|path| source.takes(path) && !is_named(path)).count();
    let widest = folders.iter().max_by_key(|source| of(source))?;
    let mut own = files.iter().filter(|path| widest.takes(path) && !is_named(path));
    let is_hidden = |path: &String| path.split('/').any(|part| part.starts_with('.'));
    own.clone().find(|path| !is_hidden(path)).or_else(|| own.next()).cloned()
}

/// Whether a file tells how to build: nobody edits it as source.
fn is_for_builds(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ["dockerfile", "containerfile", ".dockerignore", "compose.", "docker-compose."].iter().any(|start| name.starts_with(start))
        || name.ends_with(".dockerfile")
}

fn known_sources(step: &Step) -> impl Iterator<Item = &Source> {
    step.sources.iter().filter_map(Knowledge::known)
}
