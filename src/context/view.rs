//! A context's folder through an ignore file.
//!
//! Owns: [`View`], and the walk that asks the rules. Never does: read the disk, which `root` does.

use super::doubt::Doubt;
use super::git::{self, Git};
use super::history::{Commit, History, USUAL_COMMITS};
use super::ignore::{Entered, Rules};
use super::root::{Root, joined, read_text};
use super::{Kind, glob};
use crate::knowledge::Knowledge;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The ignore file of a whole context.
const IGNORE_FILE: &str = ".dockerignore";

/// A walk stops here: nobody builds with more.
const MOST_FILES: usize = 2_000_000;

/// A folder as a build context, seen through one Dockerfile's ignore file. Cheap to clone; listings, texts and git's answers are
/// read when first asked for. Paths are relative to the root, with `/`, without `.`, `..`, a leading or a trailing slash; the root
/// itself is the empty path. A path that leads over a link to a folder of the context is understood, and answered with the path
/// that the link leads to.
#[derive(Clone, Debug)]
pub struct View {
    root: Arc<Root>,
    /// The Dockerfile whose own ignore file goes first.
    dockerfile: Option<Arc<Path>>,
    lens: Arc<OnceLock<Arc<Lens>>>,
}

/// An ignore file's look at a root.
#[derive(Debug)]
pub(super) struct Lens {
    file: String,
    text: Option<Arc<str>>,
    rules: Rules,
    /// Everything that the builder gets.
    all: OnceLock<Walk>,
}

#[derive(Debug, Default)]
struct Walk {
    /// Files and links, sorted.
    files: Vec<String>,
    doubt: Option<Doubt>,
}

impl View {
    /// A context in memory, without git: names and texts (`None`: can't be read as text). A `.dockerignore` among them holds.
    pub fn of_files<'f>(files: impl IntoIterator<Item = (&'f str, Option<&'f str>)>) -> Self {
        let files = files.into_iter().map(|(name, text)| (glob::clean(name), text.map(Arc::from))).collect();
        Self::new(Root::in_memory(files).into(), None)
    }

    /// The same context in memory, where git tracks these paths and the last commits touched those, the newest first.
    #[must_use]
    pub fn with_git(&self, tracked: &[&str], commits: &[&[&str]]) -> Self {
        let history = History::new(commits.iter().map(|paths| paths.iter().copied()));
        Self { root: self.root.with_git(Git::new(tracked), history).into(), ..self.clone() }
    }

    /// The folder on disk, seen by a Dockerfile (whose own ignore file, `NAME.dockerignore` beside it, goes first).
    pub fn open(root: &Path, dockerfile: &Path) -> Self {
        Self::new(Root::on_disk(root).into(), Some(dockerfile.into()))
    }

    /// The same folder, seen by another Dockerfile. What was read already is shared.
    #[must_use]
    pub fn seen_by(&self, dockerfile: &Path) -> Self {
        Self::new(Arc::clone(&self.root), Some(dockerfile.into()))
    }

    /// A shared folder on disk, seen by a Dockerfile.
    pub(super) fn over(root: Arc<Root>, dockerfile: &Path) -> Self {
        Self::new(root, Some(dockerfile.into()))
    }

    /// A folder without any ignore rule.
    pub(super) fn unfiltered(root: Arc<Root>) -> Self {
        Self { lens: Arc::new(OnceLock::from(Arc::new(Lens::none()))), ..Self::new(root, None) }
    }

    fn new(root: Arc<Root>, dockerfile: Option<Arc<Path>>) -> Self {
        Self { root, dockerfile, lens: Arc::default() }
    }

    fn lens(&self) -> &Arc<Lens> {
        self.lens.get_or_init(|| match self.own_lens() {
            Some(lens) => Arc::new(lens),
            None => Arc::clone(self.root.plain.get_or_init(|| Arc::new(Lens::plain(&self.root)))),
        })
    }

    /// Through the ignore file beside the Dockerfile, if there is one.
    fn own_lens(&self) -> Option<Lens> {
        let (root, dockerfile) = (self.root.path()?, self.dockerfile.as_deref()?);
        let name = format!("{}{IGNORE_FILE}", dockerfile.file_name()?.to_str()?);
        let path = dockerfile.with_file_name(&name);
        // The builder takes a folder for none, and follows a link.
        path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = from_root(root, folder).map_or_else(|| path.to_string_lossy().into_owned(), |folder| joined(&folder, &name));
        Some(Lens::new(file, read_text(&path)))
    }

    /// What the path is, if the builder gets it.
    pub fn kind(&self, path: &str) -> Option<Kind> {
        self.find(path, false).map(|(_, kind)| kind)
    }

    /// Where a path leads, and what lies there, if the builder gets it.
    fn find(&self, path: &str, follows_last: bool) -> Option<(String, Kind)> {
        let (path, kind) = self.root.find(path, follows_last)?;
        self.lens().sees(&self.root, &path, kind).then_some((path, kind))
    }

    /// Where a path leads when all links are followed, the last one included, if the builder gets what lies there.
    pub(super) fn followed(&self, path: &str) -> Option<String> {
        self.find(path, true).map(|(path, _)| path)
    }

    /// Whether the ignore rules keep the path from the builder, whether or not it exists.
    pub fn is_ignored(&self, path: &str) -> bool {
        self.lens().rules.ignores_path(&glob::clean(path))
    }

    /// The names directly below a folder that the builder gets, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let Some((folder, Kind::Folder)) = self.root.find(folder, true) else { return Vec::new() };
        self.lens().seen_in(&self.root, &folder, |_| true).into_iter().map(|(name, _)| name).collect()
    }

    /// Every file and link below a folder that the builder gets, sorted, as paths from the root.
    pub fn files_below(&self, folder: &str) -> Vec<String> {
        match self.root.find(folder, true) {
            Some((folder, Kind::Folder)) => self.lens().files_below(&self.root, &folder),
            _ => Vec::new(),
        }
    }

    /// What a COPY source (a path or a pattern of Go's `filepath.Match`) stands for, sorted: paths of files, links and folders that
    /// the builder gets. `./`, a leading `/` and `..` (which never leaves the root) are understood.
    pub fn expand(&self, source: &str) -> Vec<String> {
        self.expand_in("", source)
    }

    /// The same for the sources of a context that is a folder of this one.
    pub(super) fn expand_in(&self, base: &str, source: &str) -> Vec<String> {
        let source = glob::clean(source);
        let (folder, Some(pattern)) = glob::split(&source) else {
            return self.find(&joined(base, &source), false).into_iter().map(|(path, _)| path).collect();
        };
        let Some((folder, Kind::Folder)) = self.root.find(&joined(base, folder), true) else { return Vec::new() };
        let Some(whole) = glob::read(pattern) else { return Vec::new() };
        if whole.has_set() {
            // A set may match a `/`, so that the pattern can't be gone through name by name.
            return self.lens().matching(&self.root, &folder, |path| whole.matches(path));
        }
        let mut found = vec![(folder, Kind::Folder)];
        for pattern in pattern.split('/').filter_map(glob::read) {
            let folders = found.into_iter().filter(|(_, kind)| *kind == Kind::Folder);
            found = folders
                .flat_map(|(folder, _)| {
                    let names = self.lens().seen_in(&self.root, &folder, |name| pattern.matches(name));
                    names.into_iter().map(|(name, kind)| (joined(&folder, &name), kind)).collect::<Vec<_>>()
                })
                .collect();
        }
        let mut paths: Vec<String> = found.into_iter().map(|(path, _)| path).collect();
        paths.sort_unstable();
        paths
    }

    /// The text of a file; Unknown when it is not UTF-8, too long, ignored or not there. A link is followed inside the root.
    pub fn text(&self, path: &str) -> Knowledge<Arc<str>> {
        let seen = self.find(path, false).and_then(|_| self.find(path, true));
        match seen {
            Some((path, Kind::File)) if path == self.lens().file => self.lens().text.clone().into(),
            Some((path, Kind::File)) => self.root.text(&path),
            _ => Knowledge::Unknown,
        }
    }

    /// The ignore file that holds: its path from the root (or the place where one would be made) and its text, `None` without one.
    /// The path begins with `../` where the Dockerfile and its own ignore file lie outside the root.
    pub fn ignore_file(&self) -> (String, Option<Arc<str>>) {
        let lens = self.lens();
        (lens.file.clone(), lens.text.clone())
    }

    /// The line of the ignore file that lets a folder, or something in it, through on purpose: `!node_modules`.
    pub fn exception_for(&self, folder: &str) -> Option<String> {
        let (_, text) = self.ignore_file();
        let text = text?;
        let line = super::ignore::exception_naming(&text, folder)?;
        let path = line.trim_start_matches('!').trim().trim_start_matches("./").trim_matches('/');
        (path.contains('*') || !self.is_ignored(path)).then(|| line.to_owned())
    }

    /// The same context with another text in its ignore file.
    #[must_use]
    pub fn with_ignore(&self, text: &str) -> Self {
        let lens = Lens::new(self.lens().file.clone(), Some(text.into()));
        Self { lens: Arc::new(OnceLock::from(Arc::new(lens))), ..self.clone() }
    }

    /// Why the builder may get other files than this view says; `None`: no reason is known. Looks at all of the context.
    pub fn doubt(&self) -> Option<Doubt> {
        let lens = self.lens();
        lens.rules.doubt().or_else(|| lens.all(&self.root).doubt.as_ref()).cloned()
    }

    /// Whether git tracks the file, or anything below the folder; Unknown without git.
    pub fn is_tracked(&self, path: &str) -> Knowledge<bool> {
        self.root.git().known().map(|git| git.tracks(path)).into()
    }

    /// In how many of the last commits (500 at most, first parents) that touch the context one of the paths was touched, a folder
    /// counting for what is in it; Unknown without git or without commits.
    pub fn changes(&self, paths: &[&str]) -> Knowledge<usize> {
        self.root.history().and_then(|history| history.changes(paths)).into()
    }

    /// The last commits (this many at most, first parents) that touch the context, the newest first, with all paths that they touch,
    /// ignored ones included; empty without git.
    pub fn commits(&self, most: usize) -> Vec<Arc<Commit>> {
        let longer = || self.root.path().filter(|_| most > USUAL_COMMITS).map(|path| History::read(path, most));
        let longer = longer();
        let history = longer.as_ref().or_else(|| self.root.history());
        history.map(|history| history.commits().iter().take(most).cloned().collect()).unwrap_or_default()
    }

    /// The paths that differ from a revision of git's, sorted: tracked files, and new ones that git does not ignore. Unknown without
    /// git, or where it knows no such revision.
    pub fn changed_since(&self, revision: &str) -> Knowledge<Vec<String>> {
        self.root.path().and_then(|path| git::changed_since(path, revision)).into()
    }
}

impl Lens {
    fn new(file: String, text: Option<Arc<str>>) -> Self {
        let rules = match &text {
            Some(text) => Rules::read(&file, text),
            None => Rules::doubtful(Doubt::UnreadIgnoreFile { file: file.clone() }),
        };
        Self { file, text, rules, all: OnceLock::new() }
    }

    /// Through the root's own ignore file.
    fn plain(root: &Root) -> Self {
        match root.find(IGNORE_FILE, true) {
            Some((path, Kind::File)) => Self::new(IGNORE_FILE.to_owned(), root.text(&path).into_known()),
            // The builder takes a folder, or a link to nothing, for none.
            _ => Self::none(),
        }
    }

    /// Through no rules.
    fn none() -> Self {
        Self { file: IGNORE_FILE.to_owned(), text: None, rules: Rules::default(), all: OnceLock::new() }
    }

    /// Whether the builder gets what lies there.
    fn sees(&self, root: &Root, path: &str, kind: Kind) -> bool {
        if kind != Kind::Folder {
            return !self.rules.ignores_path(path);
        }
        self.rules.reach(path).is_some_and(|entered| self.sees_folder(root, path, entered))
    }

    /// The builder gets an ignored folder where something in it is not.
    fn sees_folder(&self, root: &Root, path: &str, entered: Entered) -> bool {
        let mut is_seen = !entered.ignored;
        if !is_seen && entered.descends {
            self.walk(root, path, entered, &mut |_, _| {
                is_seen = true;
                false
            });
        }
        is_seen
    }

    /// What the builder gets directly in a folder, of names that are wanted.
    fn seen_in(&self, root: &Root, folder: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<(String, Kind)> {
        let Some(entered) = self.rules.reach(folder).filter(|entered| entered.descends) else { return Vec::new() };
        let listed = root.folder(folder);
        let is_seen = |(name, kind): &&(Box<str>, Kind)| {
            let path = joined(folder, name);
            match kind {
                Kind::Folder => self.sees_folder(root, &path, self.rules.enter_below(&path, &entered)),
                Kind::File | Kind::Link => !self.rules.ignores(&path, &entered),
            }
        };
        listed
            .entries
            .iter()
            .filter(|(name, _)| is_wanted(name))
            .filter(is_seen)
            .map(|(name, kind)| (name.to_string(), *kind))
            .collect()
    }

    fn files_below(&self, root: &Root, folder: &str) -> Vec<String> {
        if folder.is_empty() {
            return self.all(root).files.clone();
        }
        if let Some(all) = self.all.get() {
            let (first, last) = (format!("{folder}/"), format!("{folder}0"));
            let place = |end: &String| all.files.partition_point(|path| path < end);
            return all.files.get(place(&first)..place(&last)).unwrap_or_default().to_vec();
        }
        self.rules.reach(folder).map(|entered| self.walked(root, folder, entered).files).unwrap_or_default()
    }

    fn all(&self, root: &Root) -> &Walk {
        self.all.get_or_init(|| self.rules.reach("").map(|entered| self.walked(root, "", entered)).unwrap_or_default())
    }

    fn walked(&self, root: &Root, folder: &str, entered: Entered) -> Walk {
        let mut files = Vec::new();
        let doubt = self.walk(root, folder, entered, &mut |path, kind| {
            if kind != Kind::Folder {
                files.push(path);
            }
            files.len() < MOST_FILES
        });
        let doubt = if files.len() < MOST_FILES { doubt } else { Some(Doubt::TooManyFiles) };
        files.sort_unstable();
        Walk { files, doubt }
    }

    /// The paths below a folder, as they are from it, that match, sorted, from the root; nothing below one that matched.
    fn matching(&self, root: &Root, folder: &str, matches: impl Fn(&str) -> bool) -> Vec<String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut found = std::collections::BTreeSet::new();
        let Some(entered) = self.rules.reach(folder) else { return Vec::new() };
        self.walk(root, folder, entered, &mut |path, _| {
            let path = path.strip_prefix(&prefix).unwrap_or_default();
            // What is not ignored brings the folders around it.
            let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
            let matched = ends.filter_map(|end| path.get(..end)).find(|part| matches(part));
            found.extend(matched.map(|part| format!("{prefix}{part}")));
            true
        });
        found.into_iter().collect()
    }

    /// Shows everything below a folder that is not ignored, in no order, until `see` has seen enough.
    fn walk(&self, root: &Root, folder: &str, entered: Entered, see: &mut dyn FnMut(String, Kind) -> bool) -> Option<Doubt> {
        let mut doubt = None;
        let mut todo = vec![(folder.to_owned(), entered)];
        while let Some((folder, entered)) = todo.pop() {
            if !entered.descends {
                continue;
            }
            let listed = root.folder(&folder);
            if listed.is_unread && !entered.ignored {
                doubt.get_or_insert(Doubt::UnreadFolder { folder: folder.clone() });
            }
            if listed.has_odd_names {
                doubt.get_or_insert(Doubt::OddNames { folder: folder.clone() });
            }
            for (name, kind) in &listed.entries {
                let path = joined(&folder, name);
                let is_ignored = match kind {
                    Kind::Folder => {
                        let below = self.rules.enter_below(&path, &entered);
                        let ignored = below.ignored;
                        todo.push((path.clone(), below));
                        ignored
                    }
                    Kind::File | Kind::Link => self.rules.ignores(&path, &entered),
                };
                if !is_ignored && !see(path, *kind) {
                    return doubt;
                }
            }
        }
        doubt
    }
}

/// A folder from the root, with `..` where it lies outside.
fn from_root(root: &Path, folder: &Path) -> Option<String> {
    let inside = |folder: &Path| -> Option<String> {
        let parts: Option<Vec<&str>> = folder.iter().map(std::ffi::OsStr::to_str).collect();
        Some(parts?.join("/"))
    };
    let root = root.canonicalize().ok()?;
    let folder = folder.canonicalize().ok()?;
    let shared = root.ancestors().find(|ancestor| folder.starts_with(ancestor))?;
    let up = root.strip_prefix(shared).ok()?.iter().map(|_| "..").collect::<PathBuf>();
    inside(&up.join(folder.strip_prefix(shared).ok()?))
}
