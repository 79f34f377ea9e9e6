//! Files of a project that a command reads, gathered one by one.
//!
//! Owns: adding a file only once it was seen, and the words for one that was not. Never does: know a package manager, or judge
//! whether a missing file matters; the manager says which ones are needed.

pub(crate) use crate::ecosystems::reading::{not_seen, parent, within as join};
use crate::ecosystems::{Dependencies, Entangled, Found, Part, Project};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What was found so far.
pub(crate) struct Gathered<'p> {
    pub(crate) project: &'p dyn Project,
    /// The folder from which names are shown.
    base: String,
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl<'p> Gathered<'p> {
    /// Nothing yet. Names are shown as seen from `base`.
    pub(crate) fn new(project: &'p dyn Project, base: &str) -> Self {
        Self { project, base: base.to_owned(), files: BTreeSet::new(), folders: BTreeSet::new() }
    }

    /// Adds a file that the command can't do without; `why` goes behind its name.
    ///
    /// # Errors
    /// [`Entangled::Missing`] where no copy brings it.
    pub(crate) fn need(&mut self, path: &str, why: &str) -> Result<(), Entangled> {
        if self.take(path) {
            return Ok(());
        }
        let because = format!("{} is not among the files that the copies bring{}", self.shown(path), behind(why));
        Err(Entangled::Missing { path: path.to_owned(), because })
    }

    /// Adds a file if it is there.
    pub(crate) fn take(&mut self, path: &str) -> bool {
        let is_there = self.project.look(path) == Found::File;
        if is_there {
            self.files.insert(path.to_owned());
        }
        is_there
    }

    /// Adds a file that the command can't do without, and reads it.
    ///
    /// # Errors
    /// [`Entangled::Missing`] where it is not there, [`Entangled::NotSeen`] where it is no text.
    pub(crate) fn read(&mut self, path: &str, why: &str) -> Result<Arc<str>, Entangled> {
        self.need(path, why)?;
        let text = self.project.text(path).into_known();
        text.ok_or_else(|| not_seen(format!("{} can't be read{}", self.shown(path), behind(why))))
    }

    /// Adds a folder with all that is in it, if it is there.
    pub(crate) fn take_folder(&mut self, path: &str) -> bool {
        let is_there = self.project.look(path) == Found::Folder;
        if is_there {
            self.folders.insert(path.to_owned());
        }
        is_there
    }

    /// Whether something below the folder was added.
    pub(crate) fn holds_any(&self, folder: &str) -> bool {
        let start = format!("{}/", folder.trim_end_matches('/'));
        folder == "/" || self.files.iter().chain(&self.folders).any(|path| path.starts_with(&start))
    }

    /// A path as a reader of the Dockerfile would name it.
    pub(crate) fn shown<'t>(&self, path: &'t str) -> &'t str {
        let below = path.strip_prefix(self.base.as_str()).map(|rest| rest.trim_start_matches('/'));
        below
            .filter(|rest| !rest.is_empty() && (self.base == "/" || path.starts_with(&format!("{}/", self.base))))
            .unwrap_or(path)
    }

    /// The answer.
    pub(crate) fn finish(self, part: Part) -> Dependencies {
        let mut files = self.files;
        files.retain(|file| !self.folders.iter().any(|folder| file.starts_with(&format!("{folder}/"))));
        Dependencies {
            files: files.into_iter().collect(),
            folders: self.folders.into_iter().collect(),
            part,
            ..Dependencies::default()
        }
    }
}

/// The first file called one of `names` in `folder` or a folder above it.
pub(crate) fn find_upward(project: &dyn Project, folder: &str, names: &[&str]) -> Option<String> {
    let paths = |folder| names.iter().map(move |name| join(folder, name));
    upward(folder).into_iter().flat_map(paths).find(|path| project.look(path) == Found::File)
}

/// The folder and all above it, the nearest first.
pub(crate) fn upward(folder: &str) -> Vec<&str> {
    let mut folders = Vec::new();
    let mut rest = folder.trim_end_matches('/');
    while !rest.is_empty() {
        folders.push(rest);
        rest = parent(rest).trim_end_matches('/');
    }
    folders.push("/");
    folders
}

fn behind(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::Files;

    #[test]
    fn only_what_was_seen_is_added() {
        let files = Files::new(&[("a", "text"), ("sub/b", ""), ("sub/c", "")]).with_unreadable("d");
        let mut gathered = Gathered::new(&files, Files::ROOT);
        assert_eq!(gathered.read("/app/a", "").as_deref(), Ok("text"));
        assert_eq!(gathered.read("/app/d", "who").unwrap_err().to_string(), "d can't be read (who)");
        assert!(gathered.need("/app/x", "").is_err() && !gathered.take("/app/x") && !gathered.take_folder("/app/a"));
        assert!(gathered.take("/app/sub/b") && gathered.take_folder("/app/sub"));
        let answer = gathered.finish(Part::Whole);
        assert_eq!((answer.files, answer.folders), (vec!["/app/a".into(), "/app/d".into()], vec!["/app/sub".to_owned()]));
    }

    #[test]
    fn folders_upward() {
        assert_eq!(upward("/a/b"), ["/a/b", "/a", "/"]);
        let files = Files::new(&[("x.sln", ""), ("sub/y", "")]);
        assert_eq!(find_upward(&files, "/app/sub", &["x.sln"]).as_deref(), Some("/app/x.sln"));
        assert_eq!((join("/a/b", "../c"), parent("/a")), ("/a/c".to_owned(), "/"));
    }
}
