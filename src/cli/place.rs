//! Where each file is built.
//!
//! Owns: giving every file its build context, and putting the files of one context together, because they share an ignore file.
//! Never does: look into a context; that is `context`'s.

use super::files::{self, Found};
use crate::context::{Context, Locator, Sharing};
use crate::model::brought;
use crate::pipeline::{OtherFile, Others, Place};
use crate::{report, syntax};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All that is known of contexts in one call.
pub(super) struct Places {
    locator: Locator,
    explicit: Option<PathBuf>,
    /// What files take from their contexts, by their paths without links: the groups ask first, then their neighbours do.
    sources: Mutex<HashMap<PathBuf, Arc<[String]>>>,
    /// Files that were read for their sources and wait for their turn, by the names that they were given with.
    texts: Mutex<HashMap<PathBuf, String>>,
    /// The Dockerfiles of a context, by its root and the first of them.
    sharing: Mutex<HashMap<(PathBuf, Option<PathBuf>), Neighbours>>,
    /// Folders without links.
    folders: Mutex<HashMap<PathBuf, PathBuf>>,
}

/// The Dockerfiles of a context, as they were before anything was changed.
struct Neighbours {
    files: Arc<[OtherFile]>,
    /// Which of them has this path, without links.
    numbers: HashMap<PathBuf, usize>,
}

impl Neighbours {
    fn read(sharing: &[Sharing]) -> Self {
        let read = |file: &PathBuf| Some((file.clone(), OtherFile::new(report::path::shown(file), files::read(file).ok()?)));
        let (paths, files): (Vec<PathBuf>, Vec<OtherFile>) = sharing.iter().filter_map(|other| read(&other.dockerfile)).unzip();
        Self { files: files.into(), numbers: paths.into_iter().zip(0..).collect() }
    }
}

/// Files that are done one after the other, because they have one context.
pub(super) struct Group {
    /// Each with its number in the order in which they are reported.
    pub(super) files: Vec<(usize, Found)>,
    root: Result<PathBuf, Option<String>>,
}

impl Places {
    /// `explicit`: the context that the caller named, for all files.
    pub(super) fn new(explicit: Option<&Path>) -> Self {
        Self {
            locator: Locator::default(),
            explicit: explicit.map(Path::to_owned),
            sources: Mutex::default(),
            texts: Mutex::default(),
            sharing: Mutex::default(),
            folders: Mutex::default(),
        }
    }

    /// Puts the files of one context together; files without one stand alone.
    pub(super) fn groups(&self, found: Vec<Found>) -> Vec<Group> {
        let located: Vec<(Found, Result<PathBuf, Option<String>>)> =
            found.into_par_iter().map(|file| (self.root_of(&file), file)).map(|(root, file)| (file, root)).collect();
        let mut alone = Vec::new();
        let mut together: BTreeMap<PathBuf, Vec<(usize, Found)>> = BTreeMap::new();
        for (number, (file, root)) in located.into_iter().enumerate() {
            match root {
                Ok(root) => together.entry(root).or_default().push((number, file)),
                Err(why) => alone.push(Group { files: vec![(number, file)], root: Err(why) }),
            }
        }
        alone.extend(together.into_iter().map(|(root, files)| Group { files, root: Ok(root) }));
        alone
    }

    /// The context of a file, or why it is not known where that may matter.
    fn root_of(&self, file: &Found) -> Result<PathBuf, Option<String>> {
        if let Some(root) = &self.explicit {
            return Ok(root.clone());
        }
        let Found::File(path) = file else { return Err(Some("the file comes from standard input".to_owned())) };
        let Ok(text) = files::read(path) else { return Err(None) };
        let sources = self.noted_sources(self.real(path), &text);
        lock(&self.texts).insert(path.clone(), text);
        if sources.is_empty() {
            return Err(None);
        }
        match self.locator.locate(path, None, &sources).context {
            Context::Known { root, .. } => Ok(root),
            Context::Unknown { because } => Err(Some(because)),
        }
    }

    /// What is in a file, which was perhaps read already.
    pub(super) fn read(&self, path: &Path) -> anyhow::Result<String> {
        let known = lock(&self.texts).remove(path);
        known.map_or_else(|| files::read(path), Ok)
    }

    /// The place of a file of a group. `ignore`: the text that an earlier file left in the ignore file at this path.
    pub(super) fn place(&self, group: &Group, path: &Path, ignore: Option<(&str, &str)>) -> Result<Place, Option<String>> {
        let root = group.root.as_deref().map_err(Clone::clone)?;
        let mut view = self.locator.view(root, path);
        if let Some((file, text)) = ignore
            && view.ignore_file().0 == file
        {
            view = view.with_ignore(text);
        }
        let located = self.locator.locate(path, self.explicit.as_deref(), &[]);
        let others = self.others(root, path);
        Ok(Place { others, view, targets: located.targets, fresh_arguments: located.fresh_arguments })
    }

    /// The Dockerfiles with which a file shares its context. They are read once for all of them: the files of a group are many where
    /// a folder holds hundreds.
    fn others(&self, root: &Path, path: &Path) -> Others {
        let sources = |path: &Path| self.sources(path).to_vec();
        let sharing = self.locator.sharing(root, path, &files::is_dockerfile, &sources);
        let mut known = lock(&self.sharing);
        // With `--context`, files of several repositories have one root: the first path tells the repository.
        let first = sharing.first().map(|file| file.dockerfile.clone());
        let neighbours = known.entry((root.to_owned(), first)).or_insert_with(|| Neighbours::read(&sharing));
        let own = path.canonicalize().ok().and_then(|own| neighbours.numbers.get(&own).copied());
        Others::new(Arc::clone(&neighbours.files), own)
    }

    /// What a Dockerfile takes from its context, as it is written, before anything was changed.
    fn sources(&self, path: &Path) -> Arc<[String]> {
        let real = self.real(path);
        if let Some(known) = lock(&self.sources).get(&real) {
            return Arc::clone(known);
        }
        self.noted_sources(real, &files::read(path).unwrap_or_default())
    }

    fn noted_sources(&self, real: PathBuf, text: &str) -> Arc<[String]> {
        let sources: Arc<[String]> = brought::context_sources(&syntax::parse(text)).into();
        lock(&self.sources).insert(real, Arc::clone(&sources));
        sources
    }

    /// The path with its folder's links resolved.
    fn real(&self, path: &Path) -> PathBuf {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
        let known = lock(&self.folders).get(folder).cloned();
        let real = known.unwrap_or_else(|| {
            let given = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let real = given.canonicalize().unwrap_or_else(|_| folder.to_owned());
            lock(&self.folders).insert(folder.to_owned(), real.clone());
            real
        });
        real.join(name)
    }
}

impl Group {
    /// The folder that they are built from.
    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref().ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
