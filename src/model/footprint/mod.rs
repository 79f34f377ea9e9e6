//! What a step reads and writes, and whether two steps may change places.
//!
//! Owns: [`Footprint`], with "anything" for what is not known; the one question that moving code asks. Never does: propose a move.

mod archives;
mod draft;
mod fetch;
mod files;
mod fixed;
mod git;
mod installers;
mod managers;
mod options;
mod program;
mod region;
mod scripts;
mod search;
mod system;
mod text;

pub use draft::is_in_every_image;
pub use fixed::is_version;
pub use managers::same_language;
pub use program::{of_command, of_dependencies, scripts_read};
pub use region::{Area, Region, is_data, is_system};

use std::collections::BTreeSet;

/// What a command or step touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// The places that it reads.
    pub reads: Region,
    /// The places that it writes, changes or removes.
    pub writes: Region,
    /// The variables that it reads.
    pub variables: Variables,
    /// What it fetches over the network.
    pub fetches: Fetch,
}

/// The variables that a command reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variables {
    /// These at most.
    Named(BTreeSet<String>),
    /// Those that set up tools (`PATH`, `NODE_ENV`, `PIP_INDEX_URL`), but none that carries a value of the project's own, like a commit;
    /// and these, whatever they carry.
    Tools(BTreeSet<String>),
    /// Any.
    All,
}

impl Default for Variables {
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

/// Whether a command fetches something, and whether that changes over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fetch {
    /// Nothing.
    #[default]
    Nothing,
    /// Packages by name, or files of a fixed version.
    Fixed,
    /// Something that changes behind the same name; what, in words: "`curl …/latest`", "`apt-get upgrade`".
    Mutable(String),
}

impl Footprint {
    /// It may touch anything, because of `why`, which names the command.
    pub fn anything(why: impl Into<String>) -> Self {
        let why = why.into();
        Self {
            reads: Region::anything(why.clone()),
            writes: Region::anything(why),
            variables: Variables::All,
            fetches: Fetch::Nothing,
        }
    }

    /// Takes another footprint in: what both do, one after the other.
    pub fn add(&mut self, other: Self) {
        self.reads.add(other.reads);
        self.writes.add(other.writes);
        self.variables = match (std::mem::take(&mut self.variables), other.variables) {
            (Variables::All, _) | (_, Variables::All) => Variables::All,
            (Variables::Tools(mut own), Variables::Tools(other) | Variables::Named(other))
            | (Variables::Named(mut own), Variables::Tools(other)) => {
                own.extend(other);
                Variables::Tools(own)
            }
            (Variables::Named(mut own), Variables::Named(other)) => {
                own.extend(other);
                Variables::Named(own)
            }
        };
        if !matches!(self.fetches, Fetch::Mutable(_)) && other.fetches != Fetch::Nothing {
            self.fetches = other.fetches;
        }
    }

    /// Where one writes what the other touches, in words; `None` when the two commute.
    pub fn clash(&self, other: &Self) -> Option<String> {
        let read = self.writes.meets_read(&other.reads).or_else(|| other.writes.meets_read(&self.reads));
        self.writes.meets(&other.writes).or(read)
    }
}

#[cfg(test)]
mod tests;
