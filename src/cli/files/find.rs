//! From the arguments to a list of files.
//!
//! Owns: walking folders (ignore rules, names, links), the order, and that no file is done twice.

use super::{cores, names, read};
use crate::report;
use anyhow::{Context, anyhow, bail};
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::collections::HashSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What an argument led to.
pub(crate) enum Found {
    /// `-`.
    Stdin,
    /// A file, by the name that it is spoken of.
    File(PathBuf),
    /// Something that can't be a Dockerfile: for that one alone.
    Failed(PathBuf, anyhow::Error),
}

/// Folders that hold version control data and nothing that is built.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// Every file that the arguments mean: in the order of the arguments, those of a folder by name.
pub(crate) fn find(arguments: &[PathBuf]) -> Vec<Found> {
    let mut list = List::default();
    for argument in arguments {
        if read::is_stdin(argument) {
            list.found.push(Found::Stdin);
            continue;
        }
        match look_at(argument) {
            Ok(metadata) if metadata.is_dir() => list.folder(argument),
            Ok(metadata) => list.file(argument.clone(), identity(argument, &metadata)),
            Err(error) => list.found.push(Found::Failed(argument.clone(), error)),
        }
    }
    list.found
}

#[derive(Default)]
struct List {
    found: Vec<Found>,
    seen: HashSet<Identity>,
}

impl List {
    fn file(&mut self, path: PathBuf, identity: Identity) {
        if self.seen.insert(identity) {
            self.found.push(Found::File(path));
        }
    }

    fn folder(&mut self, root: &Path) {
        let mut entries = walk(root);
        // Where a file and a link to it are both there, the file is the one that is spoken of.
        entries.sort_by(|one, other| (one.link, &one.path).cmp(&(other.link, &other.path)));
        entries.retain(|entry| entry.result.as_ref().map_or(true, |identity| self.seen.insert(identity.clone())));
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        self.found.extend(entries.into_iter().map(|entry| match entry.result {
            Ok(_) => Found::File(entry.path),
            Err(error) => Found::Failed(entry.path, error),
        }));
    }
}

/// What a walk came by.
struct Entry {
    path: PathBuf,
    link: bool,
    result: anyhow::Result<Identity>,
}

fn walk(root: &Path) -> Vec<Entry> {
    let real_root = root.canonicalize().ok();
    let entries = Mutex::new(Vec::new());
    let add = |entry: Entry| entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(entry);
    let walker = WalkBuilder::new(root)
        .hidden(false) // `.devcontainer/Dockerfile` is one like any other
        .require_git(false)
        .threads(cores())
        .filter_entry(|entry| !(is_folder(entry) && VERSION_CONTROL.iter().any(|&name| entry.file_name() == name)))
        .build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            match entry {
                Ok(entry) => match_entry(&entry, real_root.as_deref()).into_iter().for_each(add),
                Err(error) => add(Entry { path: root.to_owned(), link: false, result: Err(anyhow!("{error}")) }),
            }
            WalkState::Continue
        })
    });
    entries.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// The entry, if it has the name of a Dockerfile. A link counts where it stays inside the walked folder.
fn match_entry(entry: &DirEntry, real_root: Option<&Path>) -> Option<Entry> {
    if is_folder(entry) || !names::is_dockerfile(entry.file_name()) {
        return None;
    }
    let path = entry.path().strip_prefix("./").unwrap_or(entry.path()).to_owned();
    let link = entry.path_is_symlink();
    let result = look_at(&path);
    if link {
        let outside = || Some(!path.canonicalize().ok()?.starts_with(real_root?));
        if result.as_ref().is_ok_and(|metadata| metadata.is_dir() || outside().unwrap_or_default()) {
            return None;
        }
    }
    let result = result.map(|metadata| identity(&path, &metadata));
    Some(Entry { path, link, result })
}

/// The metadata of a file or folder, links followed.
fn look_at(path: &Path) -> anyhow::Result<Metadata> {
    let shown = report::path::shown(path);
    match path.metadata() {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => Ok(metadata),
        Ok(_) => bail!("{shown}: is neither a file nor a folder, but a device, pipe or socket: name a regular file"),
        Err(error) => match path.read_link() {
            Ok(to) => Err(error).with_context(|| format!("{shown}: can't follow this link to {}", report::path::shown(&to))),
            Err(_) => Err(error).with_context(|| format!("{shown}: can't be found")),
        },
    }
}

/// What makes two paths the same file.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Identity {
    /// By number, which costs nothing to find out.
    #[cfg(unix)]
    Node { device: u64, node: u64 },
    /// By name: hard links are one file with several names, and each is spoken of.
    Path(PathBuf),
}

#[cfg(unix)]
fn identity(path: &Path, metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    match metadata.nlink() {
        0 | 1 => Identity::Node { device: metadata.dev(), node: metadata.ino() },
        _ => by_path(path),
    }
}

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Identity {
    by_path(path)
}

fn by_path(path: &Path) -> Identity {
    Identity::Path(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
}
