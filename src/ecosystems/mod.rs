//! What is known of each package manager: one file each.
//!
//! Owns: recognising a manager's commands, where its cache is, what switches it off, and who else reads it.
//! Never does: edit, look at a Dockerfile, or know a transform. The caller hands over the command with its wrappers taken
//! off ([`Invocation`]) and what holds around it ([`Surroundings`]); the ecosystem answers with facts.

mod apk;
mod apt;
mod bun;
mod bundler;
mod cargo;
mod composer;
mod conda;
mod dnf;
mod dotnet;
mod first_half;
mod gathered;
mod go;
mod gradle;
mod invocation;
mod jvm;
pub mod leftovers;
mod maven;
mod mix;
mod node;
mod npm;
mod offline;
mod pacman;
mod pdm;
mod pip;
mod pipenv;
mod pnpm;
mod poetry;
mod project;
mod python;
mod python_folders;
mod python_project;
mod reading;
mod requirements;
mod sbt;
mod surroundings;
mod system_packages;
#[cfg(test)]
pub mod testing;
mod toolchain;
mod uv;
mod wildcard;
mod words;
mod yarn;
mod zypper;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use invocation::{Argument, Invocation, Wrapper};
pub use project::{Assumed, Bolder, Dependencies, Entangled, Found, Part, Project};
pub use surroundings::{BaseImage, Surroundings, User, absolute};

/// A package manager (or a family that shares one cache).
pub trait Ecosystem: Sync {
    /// Short and stable, as in reports: `pip`, `apt`.
    fn id(&self) -> &'static str;

    /// Names of programs by which a command may be this manager's; a quick filter before [`Ecosystem::recognise`].
    /// Versioned names (`pip3.11`) are matched by their stem: list `pip`.
    fn programs(&self) -> &'static [&'static str];

    /// What the command does with this manager's cache; `None` if it is not this manager's.
    fn recognise(&self, invocation: &Invocation) -> Option<Activity>;

    /// Where the caches of an [`Activity::Install`] or [`Activity::RefreshIndex`] are, and what must change for them to be used.
    ///
    /// # Errors
    /// The reason why no mount can be said to be right.
    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle>;

    /// Whether the steps of a stage hang together through what they leave behind.
    fn scope(&self) -> Scope {
        Scope::Step
    }

    /// Whether an install does nothing but fill the cache: `go mod download`, `mvn dependency:go-offline`. Where nothing works from
    /// that afterwards, the filled cache was the point.
    fn only_fetches(&self, _invocation: &Invocation) -> bool {
        false
    }

    /// Whether a command does nothing but remove what was built in the folders that its [`Dependencies::makes`] names: `cargo clean`.
    fn removes_output(&self, _invocation: &Invocation) -> bool {
        false
    }

    /// Whether [`Activity::Clean`] commands leave mounted folders alone, so that one that can't be taken out does no harm.
    fn clean_spares_mounts(&self) -> bool {
        false
    }

    /// Folders other than the mounted ones in which authors keep this manager's cache, by a mount of their own or until a
    /// cleanup: empty once our mounts are in place. apt: `/var/cache/apt`.
    fn classic_folders(&self) -> &'static [&'static str] {
        &[]
    }

    /// A word without which, somewhere in the file, mounts on the classic folders keep nothing. apt: `docker-clean`, which empties
    /// them after each command.
    fn classic_folders_need(&self) -> Option<&'static str> {
        None
    }

    /// What a command that [`Ecosystem::recognise`] knows reads of the project, where it installs dependencies (or makes them
    /// necessary, like `cargo build`). `Ok(None)`: it may read anything in the project (`npm run build`). A command that reads
    /// nothing of the project (`pip install flask`, `npm install -g serve`) has empty [`Dependencies`].
    ///
    /// `at.workdir` is the folder in which the command itself runs.
    ///
    /// # Errors
    /// Why the manifests alone would not do.
    fn dependencies(
        &self,
        _invocation: &Invocation,
        _at: &Surroundings,
        _project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        Ok(None)
    }

    /// What an install in the project's folder reads as a rule, for those who ask for a guess; `None`: none is made.
    fn assumed(&self, _invocation: &Invocation) -> Option<Assumed> {
        None
    }

    /// Options (`--log`) and variables (`PIP_LOG`) of its installs that name a file or folder which they write, or keep things in,
    /// where the manager's other answers don't say so already.
    fn written_by(&self) -> &'static [&'static str] {
        &[]
    }

    /// Files of settings that its installs look for in the project's folder, whether they are there or not: a step may write one.
    fn looks_for(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether its installs run code of most dependencies, which may read any variable: Cargo's build scripts.
    fn runs_build_scripts(&self) -> bool {
        false
    }

    /// Whether its packages are the system's, and not dependencies of a project.
    fn is_of_the_system(&self) -> bool {
        false
    }

    /// Other programs that read what this manager fetched, at build or run time: `make`, `air`.
    fn readers(&self) -> &'static [&'static str] {
        &[]
    }
}

/// What a command does with its manager's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Fetches packages: a cache mount serves it. `needs_index`: it works from an index (package lists) that another
    /// command of the same manager must have fetched.
    Install {
        /// True for apt and its like.
        needs_index: bool,
    },
    /// Fetches the index that installs work from: `apt-get update`.
    RefreshIndex,
    /// Empties the manager's own cache and does nothing else: dead once that cache is a mount, and harmful if it empties it.
    Clean,
    /// Works from what an earlier command fetched and cannot fetch itself: `mvn -o`, `dotnet publish --no-restore`.
    Offline,
    /// One of this manager's commands that neither needs nor fills the cache: `pip list`, `npm run build`.
    Other,
}

/// How far the steps of one stage depend on each other through the manager's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each RUN stands for itself.
    Step,
    /// All RUNs of a stage are done together or not at all, because an index fetched in one serves the others.
    Stage,
}

/// What a command needs for a mounted cache to serve it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// The folders to mount. Never empty for a useful answer.
    pub mounts: Vec<CacheFolder>,
    /// Changes of the command, without which the mount would do nothing or harm.
    pub changes: Vec<CommandChange>,
    /// Said under the diff where it helps.
    pub notes: Vec<String>,
}

/// A folder that holds nothing but a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheFolder {
    /// Absolute path, no trailing slash; may hold no variable.
    pub target: String,
    /// Whether two builds may write at once.
    pub sharing: Sharing,
    /// Whether later steps work from what is in it.
    pub need: Need,
    /// The manager itself keeps the files of several platforms apart (or they are the same for all).
    pub keyed_by_platform: bool,
    /// Two base images (releases) may not use one cache without confusion.
    pub by_base_image: bool,
    /// It holds the index that installs work from, and can be left in the layers where the rest can't do without.
    pub index: bool,
}

impl CacheFolder {
    /// A folder of downloads that nobody needs later, safe for builds at the same time and on several platforms.
    pub fn downloads(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            sharing: Sharing::Shared,
            need: Need::Never,
            keyed_by_platform: true,
            by_base_image: false,
            index: false,
        }
    }

    /// One build at a time: the manager does not lock its cache itself (or breaks when the lock is held).
    #[must_use]
    pub fn locked(self) -> Self {
        Self { sharing: Sharing::Locked, ..self }
    }

    /// Later builds work from what was fetched: without the mount they fetch again.
    #[must_use]
    pub fn needed_later(self) -> Self {
        Self { need: Need::ByLaterSteps, ..self }
    }

    /// Files of different platforms have the same name in it.
    #[must_use]
    pub fn platform_specific(self) -> Self {
        Self { keyed_by_platform: false, ..self }
    }

    /// It holds the index, not packages.
    #[must_use]
    pub fn index(self) -> Self {
        Self { index: true, ..self }
    }

    /// Files of different releases of a distribution have the same name in it.
    #[must_use]
    pub fn per_base_image(self) -> Self {
        Self { by_base_image: true, ..self }
    }
}

/// The `sharing` option of a cache mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Several builds at once (BuildKit's default, so it is not written).
    Shared,
    /// One after the other.
    Locked,
}

/// Who needs the content of a cache after the step that filled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nobody: what was installed lies elsewhere.
    Never,
    /// Later builds in the same stage (`go build` after `go mod download`).
    ByLaterSteps,
}

/// A change of a command, as a fact: the transform makes the edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandChange {
    /// Drop the argument with this index in [`Invocation::arguments`].
    RemoveArgument(usize),
    /// Write this instead of the argument.
    ReplaceArgument(usize, String),
    /// Add this text directly behind the program's name (a global option).
    InsertAfterProgram(String),
    /// Put `NAME=value` in front of the command.
    SetVariable(String, String),
}

/// Why an ecosystem can't name a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The cache's folder hangs on something that can't be known here (named: `$HOME`, `PIP_CACHE_DIR`, a config file).
    UnknownFolder {
        /// What it hangs on.
        because: String,
    },
    /// The cache is switched off in a way that must not (or can't) be changed here.
    SwitchedOff {
        /// By what.
        by: String,
    },
    /// The manager would keep nothing in it (`-mod=vendor`, tdnf without keepcache).
    KeepsNothing {
        /// Why.
        because: String,
    },
    /// A mount would hide or lose something that is needed.
    Unsafe {
        /// What.
        because: String,
    },
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownFolder { because } if because == "$HOME" => {
                f.write_str("the cache lies in the home folder of this step's user, which is not known here; ENV HOME would tell")
            }
            Self::UnknownFolder { because } => write!(f, "the cache's folder is not known: {because}"),
            Self::SwitchedOff { by } => write!(f, "the cache is switched off by {by}"),
            Self::KeepsNothing { because } => write!(f, "nothing would be kept: {because}"),
            Self::Unsafe { because } => f.write_str(because),
        }
    }
}

/// Every ecosystem, in the order in which a command is offered to them.
pub fn all() -> &'static [&'static dyn Ecosystem] {
    REGISTRY
}

/// The ecosystems that name a program, in the order of [`all`]. A version behind the name is passed over: `pip3.11`.
pub fn of_program(program: &str) -> impl Iterator<Item = &'static dyn Ecosystem> {
    static BY_PROGRAM: LazyLock<HashMap<&'static str, Vec<usize>>> = LazyLock::new(|| {
        let mut map: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for (index, ecosystem) in REGISTRY.iter().enumerate() {
            for program in ecosystem.programs() {
                map.entry(program).or_default().push(index);
            }
        }
        map
    });
    let stem = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let found = |name: &str| BY_PROGRAM.get(name).map_or(&[][..], Vec::as_slice);
    let by_stem = if stem == program { &[] } else { found(stem) };
    let mut indexes: Vec<usize> = found(program).iter().chain(by_stem).copied().collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes.into_iter().filter_map(|index| REGISTRY.get(index).copied())
}

static REGISTRY: &[&dyn Ecosystem] = &[
    &apt::Apt,
    &apk::Apk,
    &dnf::Dnf,
    &zypper::Zypper,
    &pacman::Pacman,
    &pip::Pip,
    &uv::Uv,
    &poetry::Poetry,
    &pipenv::Pipenv,
    &pdm::Pdm,
    &conda::Conda,
    &npm::Npm,
    &yarn::Yarn,
    &pnpm::Pnpm,
    &bun::Bun,
    &go::Go,
    &cargo::Cargo,
    &maven::Maven,
    &gradle::Gradle,
    &sbt::Sbt,
    &bundler::Bundler,
    &composer::Composer,
    &dotnet::Dotnet,
    &mix::Mix,
];
