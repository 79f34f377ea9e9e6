//! What the installers of Node.js packages (npm, Yarn, pnpm, Bun) have in common: package.json, workspaces, lifecycle scripts.
//!
//! Owns: reading those files through [`Project`](super::Project), and telling which other files of the project they lead to.
//! Never does: know a manager's command line; each manager says which of these answers apply to it.

pub(crate) mod bins;
pub(crate) mod corepack;
pub(crate) mod format;
pub(crate) mod hooks;
pub(crate) mod local;
pub(crate) mod manifest;
pub(crate) mod npmrc;
mod prisma;
pub(crate) mod reading;
pub(crate) mod scripts;
mod tools;
pub(crate) mod versions;
pub(crate) mod words;
pub(crate) mod workspaces;
pub(crate) mod yaml;

pub(crate) use manifest::Manifest;

use super::{Dependencies, Entangled};

/// What a command may say: it was looked at, and reads the project in a way that can't be listed (`None`), or this.
pub(crate) type Answer = Result<Option<Dependencies>, Entangled>;

/// The command reads nothing of the project.
pub(crate) fn nothing() -> Answer {
    Ok(Some(Dependencies::default()))
}
