//! Collecting what an install reads.
//!
//! Owns: looking a file up, adding it once, and the words for files by their place below the project's folder.
//! Never does: know what is in a file.

pub(crate) use crate::ecosystems::reading::{needs_source, not_seen, within as join};
use crate::ecosystems::{Dependencies, Entangled, Found, Project};
use std::sync::Arc;

/// The answer as it grows.
pub(crate) struct Reading<'p> {
    project: &'p dyn Project,
    /// The folder that the install is for; files are named from here.
    root: String,
    answer: Dependencies,
}

impl<'p> Reading<'p> {
    pub(crate) fn new(project: &'p dyn Project, root: &str) -> Self {
        Self { project, root: root.to_owned(), answer: Dependencies::default() }
    }

    pub(crate) fn project(&self) -> &'p dyn Project {
        self.project
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn answer(&mut self) -> &mut Dependencies {
        &mut self.answer
    }

    /// The answer with its lists in order.
    pub(crate) fn finish(mut self) -> Dependencies {
        let covered: Vec<String> = self.answer.folders.clone();
        self.answer.files.retain(|file| !covered.iter().any(|folder| is_below(file, folder)));
        for list in [&mut self.answer.files, &mut self.answer.folders, &mut self.answer.makes, &mut self.answer.rewrites] {
            list.sort();
            list.dedup();
        }
        self.answer
    }

    pub(crate) fn is_file(&self, path: &str) -> bool {
        self.project.look(path) == Found::File
    }

    pub(crate) fn is_folder(&self, path: &str) -> bool {
        self.project.look(path) == Found::Folder
    }

    /// Adds the file where it exists, and says whether it does.
    pub(crate) fn optional(&mut self, path: &str) -> bool {
        let found = self.is_file(path);
        if found {
            self.answer.files.push(path.to_owned());
        }
        found
    }

    /// Adds the folder where it exists, and says whether it does.
    pub(crate) fn optional_folder(&mut self, path: &str) -> bool {
        let found = self.is_folder(path);
        if found {
            self.answer.folders.push(path.to_owned());
        }
        found
    }

    /// Adds a file without which the command would fail or do something else. `what` says what it is needed for.
    pub(crate) fn required(&mut self, path: &str, what: &str) -> Result<(), Entangled> {
        if self.optional(path) {
            return Ok(());
        }
        let name = self.name(path);
        let because = format!(
            "{what} needs {name}, which no copy brings: it is not in the build context, the ignore file names it, or a step makes it"
        );
        Err(Entangled::Missing { path: path.to_owned(), because })
    }

    /// The text of a file that exists.
    pub(crate) fn text(&self, path: &str) -> Result<Arc<str>, Entangled> {
        let text = self.project.text(path).into_known();
        text.ok_or_else(|| not_seen(format!("{} can't be read as text", self.name(path))))
    }

    /// Keeps the first doubt.
    pub(crate) fn doubt(&mut self, because: String) {
        self.answer.doubt.get_or_insert(because);
    }

    /// The path as an author would name it: from the project's folder, or the whole.
    pub(crate) fn name<'n>(&self, path: &'n str) -> &'n str {
        let below = path.strip_prefix(self.root.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        below.filter(|rest| !rest.is_empty()).unwrap_or(path)
    }
}

/// The folder that a path lies in; `/` lies in none.
pub(crate) fn parent(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    match (folder, name) {
        ("", "") => None,
        ("", _) => Some("/"),
        _ => Some(folder),
    }
}

/// Whether the path is the folder or lies below it.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder and those around it, innermost first.
pub(crate) fn outwards(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| parent(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(join("/app/web", "../x/./y"), "/app/x/y");
        assert_eq!(join("/app", "./x"), "/app/x");
        assert_eq!(outwards("/a/b").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert!(is_below("/a/b", "/a") && is_below("/a", "/") && !is_below("/ab", "/a"));
    }
}
