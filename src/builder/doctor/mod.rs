//! Whether an engine is set up so that rebuilds are fast.
//!
//! Owns: [`Facts`], the questions to the engine, its settings and the repository's build files, and what the answers mean
//! ([`findings`]). Never does: change a setting or a cache; what it builds for proof it takes away.

mod advice;
mod cache_use;
mod findings;
mod repository;
mod settings;
mod survey;

pub use advice::{System, Todo};
pub use cache_use::CacheUse;
pub use findings::{Finding, Outcome, findings};
pub use repository::Mention;
pub use settings::{DaemonFile, Runner};
pub use survey::survey;

use super::{Features, Identity, Version};

/// What is known of an engine and its surroundings.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The program that was asked for.
    pub program: String,
    /// Who answered, or why nobody could be asked.
    pub engine: Answered,
    /// What plain `docker build` does, as it is set up here.
    pub builds: Proof,
    /// What the frontend in the engine takes, by asking it; `None` where it was not asked.
    pub features: Option<Features>,
    /// The builder that buildx uses.
    pub builder: Option<Builder>,
    /// The version of compose, and whether it is the old program with a hyphen.
    pub compose: Option<(Version, bool)>,
    /// Where the engine keeps its data, as it says.
    pub data_folder: Option<String>,
    /// What it runs on, as it says: `Docker Desktop`, `Debian GNU/Linux 13 (trixie)`.
    pub runs_on: Option<String>,
    /// Where commands go that name no engine: `DOCKER_HOST`, if it is set.
    pub host: Option<String>,
    /// Settings of the environment that builds hang on, with their values.
    pub environment: Vec<(String, String)>,
    /// The files of settings that were found.
    pub daemon_files: Vec<DaemonFile>,
    /// The CI that this runs in.
    pub runner: Option<Runner>,
    /// Whether `# syntax=docker/dockerfile:1` can be fetched.
    pub registry: Registry,
    /// What the build cache holds; `None` where it can't be told.
    pub caches: Option<Vec<CacheUse>>,
    /// What the build files here say.
    pub mentions: Vec<Mention>,
    /// Whether a build file here keeps a layer cache outside of the builder (`cache-to`).
    pub keeps_layers: bool,
}

/// Who answered.
#[derive(Clone, Debug)]
pub enum Answered {
    /// An engine that can build.
    Yes(Identity),
    /// A client whose engine is too old for BuildKit, or has none of it.
    Old {
        /// The client's version.
        client: Version,
        /// The engine's.
        server: Option<Version>,
    },
    /// No such program.
    NoProgram,
    /// A client without an engine behind it.
    NotRunning {
        /// What it said.
        words: String,
    },
    /// An engine that may not be used.
    NotAllowed {
        /// What it said.
        words: String,
    },
    /// No answer that makes sense.
    No {
        /// What was said.
        words: String,
    },
}

/// What a plain `docker build` of a file with a cache mount showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It was built: BuildKit builds.
    BuildKit,
    /// The classic builder refused it.
    Classic,
    /// It was not tried.
    NotTried,
    /// It failed for another reason.
    Failed {
        /// What the engine said.
        words: String,
    },
}

/// The builder that buildx uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builder {
    /// Its name.
    pub name: String,
    /// `docker`: the engine's own; `docker-container`, `kubernetes`, `remote`: one beside it.
    pub driver: String,
    /// `running`, `inactive`.
    pub status: String,
    /// Whether it tells of rules by which it throws cache away.
    pub has_rules: bool,
}

/// Whether a registry for frontends can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registry {
    /// The frontend was fetched, or was there.
    Reached,
    /// It can't be fetched.
    NotReached {
        /// What the engine said.
        words: String,
    },
    /// It was not tried.
    NotTried,
}
