//! The folder itself: what lies in it, before any ignore rule.
//!
//! Owns: listings, links and texts, each read once and kept. Never does: follow a link out of the root, or fail: what can't be read
//! is noted in the listing.

use super::Kind;
use super::git::Git;
use super::history::{History, USUAL_COMMITS};
use super::view::Lens;
use crate::knowledge::Knowledge;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A longer file is no manifest.
const LONGEST_TEXT: u64 = 8 << 20;

/// A path that leads over more links goes in circles.
const MOST_LINKS: usize = 40;

/// A context's folder, shared by all views of it.
#[derive(Debug)]
pub(super) struct Root {
    /// On disk; `None` in memory, where all is in the caches from the start.
    path: Option<PathBuf>,
    folders: Mutex<HashMap<String, Arc<Folder>>>,
    texts: Mutex<HashMap<String, Knowledge<Arc<str>>>>,
    git: OnceLock<Knowledge<Git>>,
    history: OnceLock<Option<History>>,
    /// Seen through the root's own ignore file.
    pub(super) plain: OnceLock<Arc<Lens>>,
}

/// What lies directly in a folder.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// Sorted by name.
    pub(super) entries: Vec<(Box<str>, Kind)>,
    /// It could not be read to its end.
    pub(super) is_unread: bool,
    /// Some names are not UTF-8.
    pub(super) has_odd_names: bool,
}

impl Root {
    pub(super) fn on_disk(path: &Path) -> Self {
        Self { path: Some(path.to_owned()), ..Self::empty() }
    }

    pub(super) fn in_memory(files: Vec<(String, Option<Arc<str>>)>) -> Self {
        let mut below: HashMap<String, BTreeSet<(Box<str>, bool)>> = HashMap::new();
        for (path, _) in &files {
            let mut is_file = true;
            let mut rest = path.as_str();
            while !rest.is_empty() {
                let (folder, name) = rest.rsplit_once('/').unwrap_or(("", rest));
                below.entry(folder.to_owned()).or_default().insert((name.into(), is_file));
                (rest, is_file) = (folder, false);
            }
        }
        let kind = |is_file| if is_file { Kind::File } else { Kind::Folder };
        let folder = |names: BTreeSet<(Box<str>, bool)>| Folder {
            entries: names.into_iter().map(|(name, is_file)| (name, kind(is_file))).collect(),
            ..Folder::default()
        };
        Self {
            folders: Mutex::new(below.into_iter().map(|(path, names)| (path, Arc::new(folder(names)))).collect()),
            texts: Mutex::new(files.into_iter().map(|(path, text)| (path, text.into())).collect()),
            ..Self::empty()
        }
    }

    /// The same files in memory, with what git says of them.
    pub(super) fn with_git(&self, git: Git, history: History) -> Self {
        Self {
            path: self.path.clone(),
            folders: Mutex::new(lock(&self.folders).clone()),
            texts: Mutex::new(lock(&self.texts).clone()),
            git: OnceLock::from(Knowledge::Known(git)),
            history: OnceLock::from(Some(history)),
            plain: OnceLock::new(),
        }
    }

    fn empty() -> Self {
        Self {
            path: None,
            folders: Mutex::default(),
            texts: Mutex::default(),
            git: OnceLock::new(),
            history: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn git(&self) -> &Knowledge<Git> {
        self.git.get_or_init(|| self.path().and_then(Git::read).into())
    }

    pub(super) fn history(&self) -> Option<&History> {
        self.history.get_or_init(|| self.path().map(|path| History::read(path, USUAL_COMMITS))).as_ref()
    }

    /// What lies in a folder; nothing in what is none.
    pub(super) fn folder(&self, path: &str) -> Arc<Folder> {
        if let Some(folder) = lock(&self.folders).get(path) {
            return Arc::clone(folder);
        }
        let folder = Arc::new(self.path().map(|root| Folder::read(&root.join(path))).unwrap_or_default());
        lock(&self.folders).insert(path.to_owned(), Arc::clone(&folder));
        folder
    }

    /// Where a path leads when the links on the way are followed (the last one only if asked for), and what lies there.
    pub(super) fn find(&self, path: &str, follows_last: bool) -> Option<(String, Kind)> {
        let mut place = (String::new(), Kind::Folder);
        let mut todo: Vec<String> = parts(path);
        let mut links = 0;
        while let Some(part) = todo.pop() {
            let (folder, kind) = &place;
            if *kind != Kind::Folder {
                return None;
            }
            if part == ".." {
                // Above the root there is nothing that the builder and the host agree on.
                let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
                place = (!folder.is_empty()).then_some((parent, Kind::Folder))?;
                continue;
            }
            let kind = self.folder(folder).kind(&part)?;
            let path = joined(folder, &part);
            if kind == Kind::Link && (follows_last || !todo.is_empty()) {
                links += 1;
                let target = self.link(&path).filter(|target| !target.starts_with('/') && links <= MOST_LINKS)?;
                todo.extend(parts(&target));
            } else {
                place = (path, kind);
            }
        }
        Some(place)
    }

    fn link(&self, path: &str) -> Option<String> {
        let target = std::fs::read_link(self.path()?.join(path)).ok()?;
        Some(target.to_str()?.to_owned())
    }

    /// The text of a file that [`Root::find`] found.
    pub(super) fn text(&self, path: &str) -> Knowledge<Arc<str>> {
        if let Some(text) = lock(&self.texts).get(path) {
            return text.clone();
        }
        let text: Knowledge<_> = self.path().and_then(|root| read_text(&root.join(path))).into();
        lock(&self.texts).insert(path.to_owned(), text.clone());
        text
    }
}

impl Folder {
    fn read(path: &Path) -> Self {
        let mut folder = Self::default();
        let Ok(entries) = std::fs::read_dir(path) else { return Self { is_unread: true, ..folder } };
        for entry in entries {
            let Ok((entry, kind)) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) else {
                folder.is_unread = true;
                continue;
            };
            let kind = match () {
                () if kind.is_symlink() => Kind::Link,
                () if kind.is_dir() => Kind::Folder,
                () if kind.is_file() => Kind::File,
                // A socket, pipe or device: nothing that can be read.
                () => continue,
            };
            match entry.file_name().into_string() {
                Ok(name) => folder.entries.push((name.into(), kind)),
                Err(_) => folder.has_odd_names = true,
            }
        }
        folder.entries.sort_unstable();
        folder
    }

    /// What a name in it stands for.
    pub(super) fn kind(&self, name: &str) -> Option<Kind> {
        let index = self.entries.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        self.entries.get(index).map(|(_, kind)| *kind)
    }
}

/// A path in a folder.
pub(super) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The text of a regular file, if it is UTF-8 and not too long. Links are followed.
pub(super) fn read_text(path: &Path) -> Option<Arc<str>> {
    // Looked at before it is opened: opening a pipe waits for somebody to write into it.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LONGEST_TEXT + 1).read_to_end(&mut bytes).ok()?;
    let is_short = u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST_TEXT);
    String::from_utf8(bytes).ok().filter(|_| is_short).map(Arc::from)
}

/// The parts of a path, the first one last.
fn parts(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
