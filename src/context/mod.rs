//! The build context as the builder sees it.
//!
//! Owns: which files a context holds after the ignore rules, their texts, what git tracks of them and how often it changed, and
//! which folder is the context of a Dockerfile. Never does: know a Dockerfile's instructions, leave the context's root, or write.

use crate::knowledge::Knowledge;
use std::path::Path;
use std::sync::Arc;

/// A folder as a build context, seen through one Dockerfile's ignore file. Cheap to clone; listings, texts and git's answers are
/// read when first asked for. Paths are relative to the root, with `/`, without `.`, `..`, a leading or a trailing slash; the root
/// itself is the empty path.
#[derive(Clone, Debug)]
pub struct View {
    inner: Arc<Memory>,
}

#[derive(Debug)]
struct Memory {
    files: Vec<(String, Option<Arc<str>>)>,
}

/// What a path of the context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder that holds at least one file that is not ignored.
    Folder,
    /// A symbolic link (the builder copies it as a link, unless COPY names it itself).
    Link,
}

impl View {
    /// A context in memory, without git: names and texts (`None`: can't be read as text). A `.dockerignore` among them holds.
    pub fn of_files<'f>(files: impl IntoIterator<Item = (&'f str, Option<&'f str>)>) -> Self {
        let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.map(Arc::from))).collect();
        Self { inner: Arc::new(Memory { files }) }
    }

    /// The folder on disk, seen by a Dockerfile (whose own ignore file, `NAME.dockerignore` beside it, goes first).
    pub fn open(_root: &Path, _dockerfile: &Path) -> Self {
        Self::of_files([])
    }

    /// What the path is, if the builder gets it.
    pub fn kind(&self, path: &str) -> Option<Kind> {
        let below = |file: &str| path.is_empty() || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        match () {
            () if self.inner.files.iter().any(|(file, _)| file == path) => Some(Kind::File),
            () if self.inner.files.iter().any(|(file, _)| below(file)) => Some(Kind::Folder),
            () => None,
        }
    }

    /// Whether the ignore rules keep the path from the builder, whether or not it exists.
    pub fn is_ignored(&self, _path: &str) -> bool {
        false
    }

    /// The names directly below a folder that the builder gets, sorted.
    pub fn names(&self, _folder: &str) -> Vec<String> {
        Vec::new()
    }

    /// Every file and link below a folder that the builder gets, sorted, as paths from the root.
    pub fn files_below(&self, _folder: &str) -> Vec<String> {
        Vec::new()
    }

    /// What a COPY source (a path or a pattern of Go's `filepath.Match`) stands for, sorted: paths of files, links and folders that
    /// the builder gets. `./`, a leading `/` and `..` (which never leaves the root) are understood.
    pub fn expand(&self, _source: &str) -> Vec<String> {
        Vec::new()
    }

    /// The text of a file; Unknown when it is not UTF-8, too long, ignored or not there. A link is followed inside the root.
    pub fn text(&self, path: &str) -> Knowledge<Arc<str>> {
        self.inner.files.iter().find(|(file, _)| file == path).and_then(|(_, text)| text.clone()).into()
    }

    /// The ignore file that holds: its path from the root (or the place where one would be made) and its text, `None` without one.
    pub fn ignore_file(&self) -> (String, Option<Arc<str>>) {
        (".dockerignore".to_owned(), self.text(".dockerignore").into_known())
    }

    /// The same context with another text in its ignore file.
    #[must_use]
    pub fn with_ignore(&self, _text: &str) -> Self {
        self.clone()
    }

    /// Whether git tracks the file, or anything below the folder; Unknown without git.
    pub fn is_tracked(&self, _path: &str) -> Knowledge<bool> {
        Knowledge::Unknown
    }

    /// In how many of the last commits (500 at most, first parents) that touch the context one of the paths was touched, a folder
    /// counting for what is in it; Unknown without git or without commits.
    pub fn changes(&self, _paths: &[&str]) -> Knowledge<usize> {
        Knowledge::Unknown
    }
}
