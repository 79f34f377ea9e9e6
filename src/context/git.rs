//! What git knows of a context.
//!
//! Owns: asking the `git` program which files are tracked and what the last commits touched. Never does: write, go to the network,
//! or run what a repository's configuration names.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const MOST_COMMITS: usize = 500;

/// A history that takes longer is used as far as it was told.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// More is not listened to.
const MOST_BYTES: u64 = 256 << 20;

/// Stands before each commit of the log; no path begins with it.
const COMMIT: char = '\u{1}';

/// What git tracks in a folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Git {
    tracked: BTreeSet<String>,
    /// Git tracks the folder, and what is in it elsewhere.
    submodules: BTreeSet<String>,
}

/// What the last commits touched in a folder, the newest first.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// The paths of each, sorted.
    commits: Vec<Vec<String>>,
}

impl Git {
    pub(super) fn new(tracked: &[&str]) -> Self {
        Self { tracked: tracked.iter().map(|path| (*path).to_owned()).collect(), submodules: BTreeSet::new() }
    }

    /// Of a folder on disk; `None` outside a repository, or without the program.
    pub(super) fn read(root: &Path) -> Option<Self> {
        let mut git = Self::default();
        // `MODE OBJECT STAGE\tPATH`, ended by zero bytes.
        for entry in ask(root, &["ls-files", "--stage", "-z"])?.split_terminator('\0') {
            let Some((meta, path)) = entry.split_once('\t') else { continue };
            let paths = if meta.starts_with("160000 ") { &mut git.submodules } else { &mut git.tracked };
            paths.insert(path.to_owned());
        }
        Some(git)
    }

    /// The tracked files, sorted.
    pub(super) fn tracked(&self) -> impl Iterator<Item = &str> {
        self.tracked.iter().map(String::as_str)
    }

    /// Whether the file is tracked, or anything below the folder.
    pub(super) fn tracks(&self, path: &str) -> bool {
        let holds = |paths: &BTreeSet<String>| is_touched(|from| paths.range(from.to_owned()..).next(), path);
        let in_submodule = |end: usize| path.get(..end).is_some_and(|folder| self.submodules.contains(folder));
        holds(&self.tracked) || holds(&self.submodules) || path.match_indices('/').any(|(end, _)| in_submodule(end))
    }
}

impl History {
    pub(super) fn new<'p>(commits: impl IntoIterator<Item = impl IntoIterator<Item = &'p str>>) -> Self {
        let sorted = |paths: BTreeSet<&str>| paths.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let commits = commits.into_iter().map(|paths| sorted(paths.into_iter().collect()));
        Self { commits: commits.filter(|paths| !paths.is_empty()).collect() }
    }

    /// Of a folder on disk; without commits where git tells none.
    pub(super) fn read(root: &Path) -> Self {
        let format = format!("--format=format:{COMMIT}");
        let count = format!("--max-count={MOST_COMMITS}");
        let log = ["log", "--first-parent", "-m", &count, "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let rest = ["--relative", "--no-decorate", "--no-notes", &format, "--", "."];
        let log = ask(root, &[&log[..], &rest[..]].concat()).unwrap_or_default();
        // The mark of a commit, its paths, and so on; zero bytes and line ends between them.
        let paths = |commit: &'_ str| -> Vec<String> {
            let paths = commit.split('\0').map(|path| path.strip_prefix('\n').unwrap_or(path));
            paths.filter(|path| !path.is_empty()).map(str::to_owned).collect()
        };
        let commits: Vec<Vec<String>> = log.split(COMMIT).skip(1).map(paths).collect();
        Self::new(commits.iter().map(|paths| paths.iter().map(String::as_str)))
    }

    /// In how many commits one of the paths was touched; `None` without commits.
    pub(super) fn changes(&self, paths: &[&str]) -> Option<usize> {
        let touches = |commit: &&Vec<String>| {
            let first = |from: &str| commit.get(commit.partition_point(|path| path.as_str() < from));
            paths.iter().any(|path| is_touched(first, path))
        };
        (!self.commits.is_empty()).then(|| self.commits.iter().filter(touches).count())
    }
}

/// Whether a sorted list (the first from a path on is asked for) holds the path, or one below it.
fn is_touched<'l>(first: impl Fn(&str) -> Option<&'l String>, path: &str) -> bool {
    let below = format!("{path}/");
    match path {
        "" => first("").is_some(),
        path => first(path).is_some_and(|found| found == path) || first(&below).is_some_and(|found| found.starts_with(&below)),
    }
}

/// Settings by which a repository could have programs run, or the answer changed.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "diff.orderFile=/dev/null",
    "diff.ignoreSubmodules=none",
    "log.showSignature=false",
    "log.showRoot=true",
    "log.follow=false",
    "protocol.allow=never",
];

/// Variables of a git that runs around this program, for another repository perhaps.
const VARIABLES: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_TRACE",
];

/// What git answers, as far as it came in time; `None` where it fails.
fn ask(root: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("--no-pager").arg("-C").arg(root);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.envs([("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_NO_LAZY_FETCH", "1")]);
    command.envs([("GIT_NO_REPLACE_OBJECTS", "1"), ("LC_ALL", "C")]);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut output = child.stdout.take()?.take(MOST_BYTES);
    let (send, receive) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let is_read = output.read_to_end(&mut bytes).is_ok();
        // Nobody listens once the time is over.
        let _ = send.send(());
        is_read.then_some(bytes)
    });
    let in_time = receive.recv_timeout(LONGEST_WAIT).is_ok();
    if !in_time {
        child.kill().ok()?;
    }
    let bytes = reader.join().ok()??;
    let succeeded = child.wait().ok()?.success();
    // A path that is not UTF-8 is not spoken of elsewhere either.
    (succeeded || !in_time).then(|| String::from_utf8_lossy(&bytes).into_owned())
}
