//! Files: which ones, what is in them, and how they are replaced.
//!
//! Owns: everything that the command line does to the disk. Never does: know what is in a Dockerfile.

mod find;
mod names;
mod read;
mod replace;

pub(super) use find::{Found, find};
pub(super) use names::is_dockerfile;
pub(super) use read::{is_stdin, read};
pub(super) use replace::{create, replace};

use anyhow::Context;
use std::path::{Path, PathBuf};

/// Room for a parser that goes down as deep as a file tells it to. It is reserved, not used.
const STACK: usize = 64 << 20;

/// The threads that work on files.
pub(super) struct Workers {
    pool: rayon::ThreadPool,
}

impl Workers {
    /// One for each core, but no more than there are files.
    pub(super) fn for_files(files: usize) -> anyhow::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(files.clamp(1, cores())).stack_size(STACK).build();
        Ok(Self { pool: pool.context("no thread can be started")? })
    }

    /// Runs `action`, whose parallel iterators use these threads.
    pub(super) fn install<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        self.pool.install(action)
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The name of a file for `a/…` and `b/…` of a diff: links resolved, as git wants it, and as seen from `folder`;
/// as seen from the root where the file lies outside.
pub(super) fn name_in_diff(file: &Path, folder: Option<&Path>) -> PathBuf {
    // A file that is not there yet has a folder that is.
    let folder_of_file = || Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?));
    let Some(real) = file.canonicalize().ok().or_else(folder_of_file) else { return file.to_owned() };
    match folder.and_then(|folder| real.strip_prefix(folder).ok()) {
        Some(inside) => inside.to_owned(),
        None => real,
    }
}
