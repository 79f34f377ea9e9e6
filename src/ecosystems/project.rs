//! What an install reads of the project it installs for.
//!
//! Owns: the questions about files that copies brought into the image ([`Project`]), and the answer's shape ([`Dependencies`]).
//! Never does: read a disk. The caller maps image paths to the build context's files.

use super::CommandChange;
use crate::knowledge::Knowledge;
use std::sync::Arc;

/// The files of the build context as they lie in the image where a command runs. Paths are absolute image paths without `.`, `..`
/// or a trailing slash.
pub trait Project {
    /// What lies there.
    fn look(&self, path: &str) -> Found;

    /// The names directly below a folder that came from the build context, sorted. Empty for what is no such folder.
    fn names(&self, folder: &str) -> Vec<String>;

    /// The text of a file; Unknown when it can't be read as text.
    fn text(&self, path: &str) -> Knowledge<Arc<str>>;

    /// Whether git tracks the file, or anything below the folder; Unknown without git.
    fn is_tracked(&self, path: &str) -> Knowledge<bool>;

    /// The URL from which an ADD brought the file, as it is written.
    fn downloaded(&self, _path: &str) -> Option<String> {
        None
    }
}

/// What lies at a path of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file from the build context.
    File,
    /// A folder with files from the build context.
    Folder,
    /// Nothing came from the build context to this place, and the place is one that copies fill.
    Nothing,
    /// No copy reaches this place, or the context can't be seen: the base image or an earlier step may have put something there.
    Unknown,
}

/// What a command needs of the project in order to install its dependencies. Everything is named by absolute image paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// The files that it reads, each of which [`Project::look`] found, or another stage brings. Nothing else of the project is read.
    pub files: Vec<String>,
    /// Folders that it reads whole: `.yarn/releases`, `patches`.
    pub folders: Vec<String>,
    /// Folders in the project that it fills: `node_modules`, `.venv`. What the host has there must not be copied over them.
    pub makes: Vec<String>,
    /// Files of the project that it may write back: `package-lock.json`. The copy of the source, coming later, would undo that.
    pub rewrites: Vec<String>,
    /// Which part of the work needs no more than these files.
    pub part: Part,
    /// Why the image may differ once the source is copied later: then the fix is Unsafe.
    pub doubt: Option<String>,
    /// What is not pinned and so is now fetched less often. `None`: all is locked or pinned.
    pub unpinned: Option<String>,
    /// Files that stand in for sources during a first half, and are removed by it with the folders that it makes for them. Nothing of the
    /// project may lie there yet.
    pub stubs: Vec<String>,
    /// Files of the project that a first half changes for its own sake. The copy of the source, coming later, must put them back.
    pub spoils: Vec<String>,
    /// A first half that does more than [`Dependencies::part`], for those who accept a doubt.
    pub bolder: Option<Bolder>,
}

/// A first half after which the image may differ: with it the fix is Unsafe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bolder {
    /// As in [`Part::FirstHalf`]; the original command stays as it is, and more than fetching is gained.
    pub command: String,
    /// Why the image may differ.
    pub doubt: String,
    /// Folders in the project that it fills besides [`Dependencies::makes`].
    pub makes: Vec<String>,
    /// Files that it reads besides [`Dependencies::files`].
    pub files: Vec<String>,
    /// Folders that it reads whole, besides [`Dependencies::folders`].
    pub folders: Vec<String>,
}

/// What an install reads as a rule, where the project can't be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// Sources of a COPY, as patterns that may match nothing.
    pub sources: Vec<String>,
    /// The files without which there is nothing to install.
    pub asked: Vec<String>,
}

/// Which part of a command needs only the manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// A first half, which is another command; the command itself stays below the source.
    FirstHalf {
        /// Shell text for a RUN of its own, in the same work folder and with the same variables; no line breaks.
        command: String,
        /// How the command that stays changes; mostly not at all.
        rest: Vec<CommandChange>,
        /// It only fetches: nothing is gained where the downloads lie in a cache mount anyway.
        only_fetches: bool,
    },
}

/// Why the dependencies can't be told apart from the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entangled {
    /// The command reads project files that are not manifests: `pip install .`, a root `postinstall` script.
    NeedsSource {
        /// Why, naming the file (and line, where one is) that would break: "package.json: the postinstall script runs
        /// scripts/setup.js".
        because: String,
    },
    /// A file that would tell is not there, or can't be read.
    NotSeen {
        /// Which one, and what hangs on it.
        because: String,
    },
    /// A file that it can't do without is not there: no copy brings it.
    Missing {
        /// Absolute path in the image.
        path: String,
        /// Which one, and what hangs on it.
        because: String,
    },
    /// The folder that the install fills is one that git tracks, or a file that a copy would bring back.
    Overlaid {
        /// What.
        because: String,
    },
    /// Nothing is downloaded, so nothing is gained: vendored modules.
    NothingToGain {
        /// Why.
        because: String,
    },
    /// It builds the project, and fetches no more than what the build itself needs: `uv build`, `pip install --no-deps .`.
    NoDependencies {
        /// Why.
        because: String,
    },
}

impl std::fmt::Display for Entangled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NeedsSource { because }
            | Self::NotSeen { because }
            | Self::Missing { because, .. }
            | Self::Overlaid { because }
            | Self::NothingToGain { because }
            | Self::NoDependencies { because } => f.write_str(because),
        }
    }
}
