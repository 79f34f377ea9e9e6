//! What the last commits touched in a context.
//!
//! Owns: one pass over git's log, first parents only, without a checkout; and the counts that are asked of it. Never does: know what a
//! path is good for.

use super::git::{ask, is_touched};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What is read unless more is asked for.
pub(super) const USUAL_COMMITS: usize = 500;

/// Stands before each commit of the log; no path begins with it.
const MARK: char = '\u{1}';

/// A commit, as far as it touches a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its short name; empty in memory.
    pub id: String,
    /// When it was committed, in seconds since 1970 (UTC); 0 in memory.
    pub time: i64,
    /// The first line of its message.
    pub subject: String,
    /// The paths that it adds, changes or deletes (against its first parent), from the folder, sorted.
    pub paths: Vec<String>,
}

/// The last commits that touched a folder, the newest first.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    commits: Vec<Arc<Commit>>,
}

impl History {
    pub(super) fn new<'p>(commits: impl IntoIterator<Item = impl IntoIterator<Item = &'p str>>) -> Self {
        let commit = |paths| Arc::new(Commit { paths: sorted(paths), ..Commit::default() });
        Self { commits: commits.into_iter().map(|paths| commit(paths.into_iter().collect())).filter(has_paths).collect() }
    }

    /// Of a folder on disk; without commits where git tells none. A merge counts for what it brings to its first parent.
    pub(super) fn read(root: &Path, most: usize) -> Self {
        let format = format!("--format=format:{MARK}%h%x00%ct%x00%s%x00");
        let count = format!("--max-count={most}");
        let log = ["log", "--first-parent", "-m", &count, "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let rest = ["--relative", "--no-decorate", "--no-notes", &format, "--", "."];
        let log = ask(root, &[&log[..], &rest[..]].concat()).unwrap_or_default();
        Self { commits: log.split(MARK).skip(1).filter_map(commit).filter(has_paths).collect() }
    }

    /// The commits, the newest first.
    pub(super) fn commits(&self) -> &[Arc<Commit>] {
        &self.commits
    }

    /// In how many commits one of the paths was touched; `None` without commits.
    pub(super) fn changes(&self, paths: &[&str]) -> Option<usize> {
        let touches = |commit: &&Arc<Commit>| {
            let first = |from: &str| commit.paths.get(commit.paths.partition_point(|path| path.as_str() < from));
            paths.iter().any(|path| is_touched(first, path))
        };
        (!self.commits.is_empty()).then(|| self.commits.iter().filter(touches).count())
    }
}

fn has_paths(commit: &Arc<Commit>) -> bool {
    !commit.paths.is_empty()
}

/// The fields of a commit, then its paths; zero bytes and line ends between them.
fn commit(text: &str) -> Option<Arc<Commit>> {
    let mut fields = text.split('\0').map(|field| field.strip_prefix('\n').unwrap_or(field));
    let (id, time, subject) = (fields.next()?, fields.next()?, fields.next()?);
    let paths = sorted(fields.filter(|path| !path.is_empty()).collect());
    let time = time.parse().unwrap_or_default();
    Some(Arc::new(Commit { id: id.to_owned(), time, subject: subject.to_owned(), paths }))
}

fn sorted(paths: BTreeSet<&str>) -> Vec<String> {
    paths.into_iter().map(str::to_owned).collect()
}
