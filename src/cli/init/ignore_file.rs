//! The ignore file of each context.
//!
//! Owns: which of the patterns that the transform `dockerignore` proposes come without being asked for: those that hide nothing that
//! is there. Never does: know a pattern.

use super::plan::{Change, Proposal};
use crate::cli::{files, panics, place::Places};
use crate::context::View;
use crate::pipeline::{self, IgnoreChange, Options};
use crate::{report, transforms};
use std::path::{Path, PathBuf};

/// The rule that knows what is worth ignoring.
const RULE: &str = "dockerignore";

const PURPOSE: &str = "what no build needs stays out of the context";

/// A proposal for each context of the folder's Dockerfiles.
pub(super) fn proposals(folder: &Path, all: bool) -> Vec<Proposal> {
    let found = files::find(&[folder.to_owned()]);
    let places = Places::new(None);
    let mut proposals: Vec<Proposal> = Vec::new();
    for group in places.groups(found) {
        for (_, file) in &group.files {
            let files::Found::File(path) = file else { continue };
            let Some(root) = group.root() else { continue };
            if let Some(proposal) = of_file(folder, root, path, &places, &group, all)
                && !proposals.iter().any(|known| path_of(known) == path_of(&proposal))
            {
                proposals.push(proposal);
            }
        }
    }
    if proposals.is_empty() {
        proposals.push(Proposal::fine(".dockerignore", "nothing to add to any"));
    }
    proposals
}

fn path_of(proposal: &Proposal) -> &str {
    match proposal {
        Proposal::Change(Change { path, .. }) | Proposal::Fine { path, .. } | Proposal::ByHand { path, .. } => path,
    }
}

fn of_file(
    folder: &Path,
    root: &Path,
    path: &Path,
    places: &Places,
    group: &crate::cli::place::Group,
    all: bool,
) -> Option<Proposal> {
    let text = files::read(path).ok()?;
    let place = places.place(group, path, None).ok()?;
    let view = place.view.clone();
    let options = Options { unsafe_fixes: true, only: vec![RULE.to_owned()], place: Some(place), ..Options::default() };
    let outcome = panics::caught(|| pipeline::run(&text, &options, transforms::all())).ok()?;
    let change = outcome.ignore?;
    let file = root.join(&change.path);
    let name = inside(folder, &file);
    let Some(name) = name else {
        return Some(Proposal::by_hand(report::path::shown(&file), "lies outside of the folder: run init there", ""));
    };
    let (certain, asked) = sorted(&view, &change);
    let taken = if all { [certain.clone(), asked.clone()].concat() } else { certain };
    let waiting = (!all && !asked.is_empty())
        .then(|| format!("--unsafe would add {} (there now: the image would lack it)", asked.join(", ")));
    if taken.is_empty() {
        return waiting.map(|waiting| Proposal::fine(name, waiting));
    }
    let notes = outcome.applied.into_iter().flat_map(|applied| applied.notes).chain(waiting).collect();
    let after = with(change.before.as_deref().unwrap_or_default(), &taken);
    Some(Proposal::Change(Change {
        path: name,
        before: change.before,
        after,
        executable: false,
        purpose: PURPOSE.to_owned(),
        notes,
    }))
}

/// A path from the folder, where it lies in it.
fn inside(folder: &Path, file: &Path) -> Option<String> {
    let parent = file.parent()?.canonicalize().ok()?;
    let inside: PathBuf = parent.join(file.file_name()?).strip_prefix(folder).ok()?.to_owned();
    let parts: Option<Vec<&str>> = inside.iter().map(std::ffi::OsStr::to_str).collect();
    Some(parts?.join("/"))
}

/// The new patterns: those that hide nothing that is there, and the others.
fn sorted(view: &View, change: &IgnoreChange) -> (Vec<String>, Vec<String>) {
    let before = change.before.as_deref().unwrap_or_default();
    let new = change.after.get(before.len()..).unwrap_or_default();
    let patterns = new.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
    let seen = view.files_below("").len();
    patterns.partition(|pattern| view.with_ignore(&with(before, std::slice::from_ref(pattern))).files_below("").len() == seen)
}

/// The ignore file with patterns at its end.
fn with(before: &str, patterns: &[String]) -> String {
    let end = super::plan::line_end(before);
    let mut text = before.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str(end);
    }
    patterns.iter().for_each(|pattern| text.extend([pattern, end]));
    text
}
