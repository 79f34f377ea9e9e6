//! What git knows of a context.
//!
//! Owns: asking the `git` program, and which files are tracked or were changed. Never does: write, go to the network, or run what a
//! repository's configuration names.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A history that takes longer is used as far as it was told.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// More is not listened to.
const MOST_BYTES: u64 = 256 << 20;

/// What git tracks in a folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Git {
    tracked: BTreeSet<String>,
    /// Git tracks the folder, and what is in it elsewhere.
    submodules: BTreeSet<String>,
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

/// The tracked files below a folder that differ from those of a revision, and the files that git neither tracks nor ignores, sorted, as
/// paths from the folder; `None` where git knows no such revision.
pub(super) fn changed_since(root: &Path, revision: &str) -> Option<Vec<String>> {
    let name = format!("{revision}^{{commit}}");
    let commit = ask(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
    let diff =
        ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--relative", commit.trim(), "--", "."];
    let new = ["ls-files", "--others", "--exclude-standard", "-z", "--", "."];
    let (diff, new) = (ask(root, &diff)?, ask(root, &new)?);
    let paths: BTreeSet<&str> = diff.split_terminator('\0').chain(new.split_terminator('\0')).collect();
    Some(paths.into_iter().map(str::to_owned).collect())
}

/// Whether a sorted list (the first from a path on is asked for) holds the path, or one below it.
pub(super) fn is_touched<'l>(first: impl Fn(&str) -> Option<&'l String>, path: &str) -> bool {
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
    "i18n.logOutputEncoding=UTF-8",
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
pub(super) fn ask(root: &Path, arguments: &[&str]) -> Option<String> {
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
