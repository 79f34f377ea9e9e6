//! Which folder is the context of a Dockerfile.
//!
//! Owns: [`Locator`]: what the caller names, what the repository's compose, bake, make, script and CI files say, and what the COPY
//! sources show, in this order. Never does: read a Dockerfile: its sources are handed over. Doubt ends in Unknown, with the reason.

mod bake;
mod claim;
mod commands;
mod compose;
mod evidence;
mod fresh;
mod hcl;
mod repository;
mod variables;
mod words;
mod workflows;
pub mod yaml;

use super::View;
use super::root::Root;
use repository::Repository;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of how a Dockerfile is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its context.
    pub context: Context,
    /// The stages that compose, bake or CI files build by name, sorted: they must keep their names.
    pub targets: Vec<String>,
    /// A build file builds a stage whose name can't be seen (a variable): any stage may have to keep its name.
    pub hides_targets: bool,
    /// The build arguments that compose files, CI files or scripts give another value with every build, sorted.
    pub fresh_arguments: Vec<String>,
}

/// The context of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// This folder.
    Known {
        /// The folder, absolute but where the caller named it otherwise.
        root: PathBuf,
        /// Who says so.
        found_by: FoundBy,
    },
    /// No folder can be told.
    Unknown {
        /// Why, for people: "its build context is not clear: compose.yaml:3 says web/, Makefile:8 says the repository's root".
        because: String,
    },
}

/// How a context was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// The caller named it.
    Option,
    /// A build file says so.
    BuildFile {
        /// Which, from the repository's root.
        file: String,
        /// Counted from 1.
        line: usize,
    },
    /// The files that it copies lie there.
    Sources,
    /// It is the Dockerfile's own folder, and nothing speaks against it.
    OwnFolder,
}

impl From<&claim::Claim> for FoundBy {
    fn from(claim: &claim::Claim) -> Self {
        Self::BuildFile { file: claim.mention.file.clone(), line: claim.mention.line }
    }
}

impl fmt::Display for FoundBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("as named"),
            Self::BuildFile { file, line } => write!(f, "as {file}:{line} says"),
            Self::Sources => f.write_str("where its COPY sources lie"),
            Self::OwnFolder => f.write_str("the Dockerfile's own folder"),
        }
    }
}

/// A Dockerfile of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// The Dockerfile, absolute.
    pub dockerfile: PathBuf,
    /// Its context is this one; else its context is not known, and may be this one.
    pub is_certain: bool,
}

/// Finds contexts. One of them serves a whole run: repositories and folders are read once.
#[derive(Debug, Default)]
pub struct Locator {
    /// By the folder of a Dockerfile as it was given: the folder without links, and its repository.
    folders: Mutex<HashMap<PathBuf, Option<Home>>>,
    repositories: Mutex<HashMap<PathBuf, Arc<Repository>>>,
    views: Mutex<HashMap<PathBuf, Arc<Root>>>,
}

/// Where Dockerfiles lie.
#[derive(Clone, Debug)]
struct Home {
    repository: Arc<Repository>,
    /// The folder, from the repository's root.
    folder: String,
}

impl Locator {
    /// Which folder is the context of a Dockerfile. `sources`: what it takes from the context, as it stands there: the sources of COPY
    /// and ADD, and of bind mounts without a `from` (`.` for one without a source). Those with variables tell nothing.
    pub fn locate(&self, dockerfile: &Path, explicit: Option<&Path>, sources: &[String]) -> Located {
        let home = dockerfile.file_name().and_then(OsStr::to_str).and_then(|name| Some((self.home(dockerfile)?, name)));
        let Some((home, name)) = home else {
            let because = "its own folder can't be found".to_owned();
            let context = explicit
                .map_or(Context::Unknown { because }, |root| Context::Known { root: root.to_owned(), found_by: FoundBy::Option });
            return Located { context, targets: Vec::new(), hides_targets: false, fresh_arguments: Vec::new() };
        };
        home.repository.locate(&super::root::joined(&home.folder, name), explicit, sources)
    }

    /// The context's files as a Dockerfile's build sees them. What was read of a root already is shared.
    pub fn view(&self, root: &Path, dockerfile: &Path) -> View {
        let shared = Arc::clone(lock(&self.views).entry(root.to_owned()).or_insert_with(|| Arc::new(Root::on_disk(root))));
        View::over(shared, dockerfile)
    }

    /// The Dockerfiles of a Dockerfile's repository whose context is this root, or may be, itself among them; without those that have an
    /// ignore file of their own. The root's ignore file is theirs, too. `is_dockerfile` tells by the name, `sources` reads the plain
    /// COPY and ADD sources of one; both are asked once for a repository.
    pub fn sharing(
        &self,
        root: &Path,
        dockerfile: &Path,
        is_dockerfile: &dyn Fn(&OsStr) -> bool,
        sources: &dyn Fn(&Path) -> Vec<String>,
    ) -> Arc<[Sharing]> {
        let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let home = self.home(dockerfile);
        home.map(|home| home.repository.sharing(&real, is_dockerfile, sources)).unwrap_or_default()
    }

    /// Where a Dockerfile lies.
    fn home(&self, dockerfile: &Path) -> Option<Home> {
        let folder = dockerfile.parent()?;
        if let Some(home) = lock(&self.folders).get(folder) {
            return home.clone();
        }
        let home = self.find_home(folder);
        lock(&self.folders).insert(folder.to_owned(), home.clone());
        home
    }

    fn find_home(&self, folder: &Path) -> Option<Home> {
        let given = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let real = given.canonicalize().ok()?;
        let top = real.ancestors().find(|ancestor| ancestor.join(".git").exists());
        let root = top.unwrap_or(&real);
        let below: Option<Vec<&str>> = real.strip_prefix(root).ok()?.iter().map(OsStr::to_str).collect();
        let open = || Arc::new(Repository::open(root, top.is_some()));
        let repository = Arc::clone(lock(&self.repositories).entry(root.to_owned()).or_insert_with(open));
        Some(Home { repository, folder: below?.join("/") })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
