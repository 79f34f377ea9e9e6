//! A copy of a build context.
//!
//! Owns: making it, with what the builder gets and nothing else, and taking it away. Never does: write into the original.

use crate::context::View;
use anyhow::Context;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that goes when the value does.
pub(super) struct Copy {
    root: PathBuf,
}

impl Copy {
    /// Of the context at `root`, as `view` sees it.
    pub(super) fn of(root: &Path, view: &View) -> anyhow::Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dockeropt-bench-{}-{number}", std::process::id()));
        let mut builder = DirBuilder::new();
        // What is built may be nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).with_context(|| format!("{}: can't be made for a copy of the context", path.display()))?;
        let copy = Self { root: path };
        copy.folder(root, view, "").context("the context can't be copied")?;
        Ok(copy)
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    fn folder(&self, root: &Path, view: &View, folder: &str) -> anyhow::Result<()> {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let kind = entry.file_type()?;
            // Asked by the name itself: a link is a link here.
            if view.is_ignored(&path) && (!kind.is_dir() || view.kind(&path).is_none()) {
                continue;
            }
            let to = self.root.join(&path);
            if kind.is_dir() {
                fs::create_dir(&to)?;
                fs::set_permissions(&to, open_to_owner(entry.metadata()?.permissions()))?;
                self.folder(root, view, &path)?;
            } else if kind.is_symlink() {
                link(&fs::read_link(entry.path())?, &to)?;
            } else if kind.is_file() {
                fs::copy(entry.path(), &to).with_context(|| path.clone())?;
            }
        }
        Ok(())
    }

    /// Writes a file of the copy anew; it keeps its mode.
    pub(super) fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.root.join(path), text).with_context(|| format!("{path}: the copy of it can't be written"))
    }

    /// The text of a file of the copy.
    pub(super) fn text(&self, path: &str) -> anyhow::Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("{path}: can't be read as text"))
    }
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(to: &Path, at: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_file(to, at)
}

/// A folder that its owner can't write to could not be filled.
#[cfg(unix)]
fn open_to_owner(permissions: fs::Permissions) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(permissions.mode() | 0o700)
}

#[cfg(not(unix))]
fn open_to_owner(permissions: fs::Permissions) -> fs::Permissions {
    permissions
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The system empties this place if it can't be done now.
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[cfg(test)]
mod tests {
    use super::Copy;
    use crate::context::View;
    use std::fs;

    #[test]
    fn what_the_builder_gets_is_copied_and_the_copy_goes() {
        let root = std::env::temp_dir().join(format!("dockeropt-copy-{}", std::process::id()));
        fs::create_dir_all(root.join("src/empty")).unwrap();
        fs::create_dir_all(root.join("logs/kept")).unwrap();
        for (name, text) in [("src/a", "1"), ("logs/x", "2"), ("logs/kept/y", "3"), (".dockerignore", "logs\n!logs/kept\n")] {
            fs::write(root.join(name), text).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("a", root.join("src/link")).unwrap();
        let copy = Copy::of(&root, &View::open(&root, &root.join("Dockerfile"))).unwrap();
        let path = copy.path().to_owned();
        assert_eq!(copy.text("src/a").unwrap(), "1");
        assert!(path.join("src/empty").is_dir() && path.join("logs/kept/y").is_file() && !path.join("logs/x").exists());
        #[cfg(unix)]
        assert_eq!(fs::read_link(path.join("src/link")).unwrap().to_str(), Some("a"));
        copy.write("src/a", "2").unwrap();
        assert_eq!(fs::read_to_string(root.join("src/a")).unwrap(), "1");
        drop(copy);
        assert!(!path.exists());
        fs::remove_dir_all(&root).unwrap();
    }
}
