//! Folders of our own for what an engine reads from disk.
//!
//! Owns: making them where other users can't look in, and taking them away again. Never does: write into a build context.

use super::BuildError;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder that goes when the value does.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new one in the system's folder for temporary files.
    pub(super) fn new() -> Result<Self, BuildError> {
        let path = std::env::temp_dir().join(unique("dockeropt"));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|source| failed(&path, source))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, BuildError> {
        let path = self.0.join(name);
        std::fs::write(&path, text).map_err(|source| failed(&path, source))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody is left to be told; the system empties this place.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn failed(path: &Path, source: std::io::Error) -> BuildError {
    BuildError::Io { doing: format!("{}: can't be written", path.display()), source }
}

/// A name that no other call and no other process uses: letters, digits and hyphens.
pub(super) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{prefix}-{}-{:x}-{count}", std::process::id(), now.as_nanos())
}
