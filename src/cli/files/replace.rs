//! A file's new text takes the place of the old one whole, or not at all.
//!
//! Owns: the temporary file beside it, its mode and owner, and every reason for which a file is left alone.

use crate::report;
use anyhow::{Context, bail, ensure};
use std::fs::{File, Metadata, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes `after` where `before` stood. Links are followed: the file that they lead to is replaced.
pub(crate) fn replace(path: &Path, before: &str, after: &str) -> anyhow::Result<()> {
    let shown = report::path::shown(path);
    write(path, before, after).with_context(|| format!("{shown}: not written"))
}

/// Writes a file that is not there yet.
pub(crate) fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let shown = report::path::shown(path);
    let made = OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    made.with_context(|| format!("{shown}: can't be made"))
}

fn write(path: &Path, before: &str, after: &str) -> anyhow::Result<()> {
    let target = path.canonicalize()?;
    let metadata = target.metadata()?;
    may_be_replaced(&target, &metadata)?;
    let folder = target.parent().context("it has no folder")?;
    let mut temporary = Temporary::beside(folder)?;
    temporary.file.write_all(after.as_bytes())?;
    keep_owner_and_mode(&temporary.file, &metadata)?;
    temporary.file.sync_all()?;
    let now = std::fs::read(&target)?;
    ensure!(now == before.as_bytes(), "it was changed by somebody else meanwhile: run dockeropt again");
    temporary.take_the_place_of(&target)?;
    // The text is right either way; this only makes the new name outlast a crash, and not every file system can.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

fn may_be_replaced(target: &Path, metadata: &Metadata) -> anyhow::Result<()> {
    let names = names(metadata);
    if names > 1 {
        bail!(
            "it has {names} names (hard links), which replacing it would part: make it a file of its own first (`cp`, then `mv`)"
        );
    }
    ensure!(!metadata.permissions().readonly(), "it is read-only: make it writable (`chmod u+w`)");
    // Permission bits are not all: the file may be another user's.
    OpenOptions::new().write(true).open(target)?;
    Ok(())
}

/// A file that is gone again unless it took the place of another.
struct Temporary {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Temporary {
    fn beside(folder: &Path) -> anyhow::Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".dockeropt-{}-{number}.tmp", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.with_context(|| format!("no file can be made in {}", report::path::shown(folder)))?;
        Ok(Self { path, file, kept: false })
    }

    fn take_the_place_of(mut self, target: &Path) -> anyhow::Result<()> {
        std::fs::rename(&self.path, target)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done about a file that won't go.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn names(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}

#[cfg(unix)]
fn keep_owner_and_mode(file: &File, wanted: &Metadata) -> anyhow::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (wanted.uid(), wanted.gid()) {
        fchown(file, Some(wanted.uid()), Some(wanted.gid())).context("its owner can't be kept: run dockeropt as its owner")?;
    }
    // After the owner, whose change clears bits of the mode.
    file.set_permissions(wanted.permissions())?;
    Ok(())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(file: &File, wanted: &Metadata) -> anyhow::Result<()> {
    Ok(file.set_permissions(wanted.permissions())?)
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn a_file_that_was_changed_meanwhile_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("dockeropt-replace-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("Dockerfile");
        std::fs::write(&path, "FROM theirs\n").unwrap();
        let error = format!("{:#}", replace(&path, "FROM read\n", "FROM ours\n").unwrap_err());
        assert!(error.contains("Dockerfile: not written: it was changed by somebody else meanwhile"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "FROM theirs\n");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        replace(&path, "FROM theirs\n", "FROM ours\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "FROM ours\n");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
