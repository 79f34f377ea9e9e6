//! What one command reads of a project, gathered file by file.
//!
//! Owns: which answer a missing or unreadable file gives, how files are named in reasons, and counting what is not pinned.
//! Never does: know a manager or a file's format.

use super::{Dependencies, Entangled, Found, Part, Project, Surroundings};
use crate::knowledge::Knowledge;
use std::sync::Arc;

/// Gathers the answer for one command.
pub(super) struct Reading<'a> {
    pub(super) at: &'a Surroundings<'a>,
    pub(super) project: &'a dyn Project,
    found: Dependencies,
    loose: Option<String>,
    more_loose: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn new(at: &'a Surroundings<'a>, project: &'a dyn Project) -> Self {
        Self { at, project, found: Dependencies::default(), loose: None, more_loose: 0 }
    }

    /// `path` seen from the work folder.
    pub(super) fn absolute(&self, path: &str) -> Result<String, Entangled> {
        self.at.absolute(path).into_known().ok_or_else(|| not_seen(format!("the folder that {path} is in is not known")))
    }

    /// How a file is called in a reason: below the work folder without it.
    pub(super) fn name(&self, path: &str) -> String {
        let below = self.at.workdir.known().and_then(|folder| path.strip_prefix(folder.as_str())?.strip_prefix('/'));
        below.unwrap_or(path).to_owned()
    }

    /// The text of a file that the command can't do without.
    pub(super) fn required(&mut self, path: &str) -> Result<Arc<str>, Entangled> {
        self.take(path)?;
        self.known_text(path)
    }

    /// A file that the command can't do without, whatever is in it.
    pub(super) fn take(&mut self, path: &str) -> Result<(), Entangled> {
        match self.project.look(path) {
            Found::File => {
                self.found.files.push(path.to_owned());
                Ok(())
            }
            Found::Folder => Err(not_seen(format!("{} is a folder, not a file", self.name(path)))),
            Found::Nothing if path.contains(['*', '?']) => {
                Err(not_seen(format!("which files {} stands for is not looked into", self.name(path))))
            }
            Found::Nothing => Err(not_seen(format!(
                "{} is not in the build context, or the ignore file keeps it from the builder",
                self.name(path)
            ))),
            Found::Unknown => {
                Err(not_seen(format!("{} does not come with the source: what is in it can't be seen", self.name(path))))
            }
        }
    }

    /// The text of a file that is read where it is there.
    pub(super) fn optional(&mut self, path: &str) -> Result<Option<Arc<str>>, Entangled> {
        if !self.take_if_there(path) {
            return Ok(None);
        }
        self.known_text(path).map(Some)
    }

    /// A file that is read where it is there, whatever is in it. Whether it is.
    pub(super) fn take_if_there(&mut self, path: &str) -> bool {
        let is_file = self.project.look(path) == Found::File;
        if is_file {
            self.found.files.push(path.to_owned());
        }
        is_file
    }

    /// A look at a file that the command reads only if it says certain things: not taken.
    pub(super) fn peek(&self, path: &str) -> Result<Option<Arc<str>>, Entangled> {
        if self.project.look(path) == Found::File { self.known_text(path).map(Some) } else { Ok(None) }
    }

    /// Whether some file of the project was found: then the context can be seen.
    pub(super) fn has_seen_files(&self) -> bool {
        !self.found.files.is_empty()
    }

    fn known_text(&self, path: &str) -> Result<Arc<str>, Entangled> {
        let text = self.project.text(path).into_known();
        text.ok_or_else(|| not_seen(format!("{} can't be read as text", self.name(path))))
    }

    pub(super) fn take_folder(&mut self, path: &str) {
        self.found.folders.push(path.to_owned());
    }

    /// A folder that the command fills; of no interest where no copy can reach it.
    pub(super) fn makes(&mut self, path: &str) {
        let reached = self.project.look(path) != Found::Unknown;
        let above_work = self.at.workdir.known().is_some_and(|workdir| format!("{workdir}/").starts_with(&format!("{path}/")));
        if reached && !above_work && path != "/" {
            self.found.makes.push(path.to_owned());
        }
    }

    /// A folder that the command fills, in which the project may have no files of its own.
    ///
    /// # Errors
    /// Where it has, or the folder is the project itself: copied later, they would lie on top of what was installed.
    pub(super) fn fills(&mut self, path: &str, by: &str) -> Result<(), Entangled> {
        let above_work = self.at.workdir.known().is_some_and(|workdir| format!("{workdir}/").starts_with(&format!("{path}/")));
        match self.project.look(path) {
            Found::Folder | Found::File => {
                let because = format!("`{by}` installs into {}, where the project has files of its own", self.name(path));
                Err(Entangled::Overlaid { because })
            }
            Found::Nothing if above_work => {
                Err(Entangled::Overlaid { because: format!("`{by}` installs into the project's own folder") })
            }
            Found::Nothing => {
                self.makes(path);
                Ok(())
            }
            Found::Unknown => Ok(()),
        }
    }

    /// A file that the command may write: of interest where the project has it.
    pub(super) fn rewrites(&mut self, path: &str) {
        if self.project.look(path) == Found::File {
            self.found.rewrites.push(path.to_owned());
        }
    }

    /// Something that may be another version at the next fetch; the first is told, the others are counted.
    pub(super) fn loose(&mut self, what: String) {
        if self.loose.is_some() {
            self.more_loose += 1;
        } else {
            self.loose = Some(what);
        }
    }

    /// The answer for a command whose whole work needs only these files.
    pub(super) fn whole(mut self) -> Dependencies {
        let folders = std::mem::take(&mut self.found.folders);
        let inside = |path: &str| folders.iter().any(|folder| path.starts_with(&format!("{folder}/")));
        self.found.files.retain(|file| !inside(file));
        self.found.folders = folders;
        for list in [&mut self.found.files, &mut self.found.folders, &mut self.found.makes, &mut self.found.rewrites] {
            list.sort();
            list.dedup();
        }
        let more = match self.more_loose {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        self.found.unpinned = self.loose.map(|first| format!("{first}{more}"));
        self.found
    }

    /// The answer for a command of which a first half, `command`, needs only these files. What it rewrites, the command itself
    /// writes again below.
    pub(super) fn first_half(self, command: String, doubt: Option<String>) -> Dependencies {
        let part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: false };
        Dependencies { part, doubt, rewrites: Vec::new(), ..self.whole() }
    }
}

pub(crate) fn not_seen(because: impl Into<String>) -> Entangled {
    Entangled::NotSeen { because: because.into() }
}

pub(crate) fn needs_source(because: impl Into<String>) -> Entangled {
    Entangled::NeedsSource { because: because.into() }
}

/// The number of the first line with this text in it, as `:12`; empty where there is none.
pub(super) fn line_of(text: &str, needle: &str) -> String {
    let found = text.lines().position(|line| line.contains(needle));
    found.map_or(String::new(), |index| format!(":{}", index + 1))
}

/// The folder that a path is in.
pub(crate) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}

/// `name` as seen from a folder, without `.` and `..`.
pub(crate) fn within(folder: &str, name: &str) -> String {
    super::absolute(name, &Knowledge::Known(folder.to_owned())).into_known().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project};

    #[test]
    fn what_is_missing_says_who_should_have_brought_it() {
        let (project, at) = (Files::new(&[("a/b.txt", "x")]).with_unreadable("c"), in_project("python"));
        let mut reading = Reading::new(&at, &project);
        let because = |error: Entangled| error.to_string();
        assert!(because(reading.required("/app/no").unwrap_err()).contains("no is not in the build context"));
        assert!(because(reading.required("/etc/x").unwrap_err()).contains("/etc/x does not come with the source"));
        assert!(because(reading.required("/app/c").unwrap_err()).contains("c can't be read"));
        assert_eq!(reading.optional("/etc/x"), Ok(None));
        assert_eq!(reading.required("/app/a/b.txt").as_deref(), Ok("x"));
    }

    #[test]
    fn folders_swallow_their_files_and_only_reached_ones_are_made() {
        let (project, at) = (Files::new(&[("a/b.txt", "x")]), in_project("python"));
        let mut reading = Reading::new(&at, &project);
        reading.take_if_there("/app/a/b.txt");
        reading.take_folder("/app/a");
        for folder in ["/opt/venv", "/app/.venv", "/app", "/app/.venv"] {
            reading.makes(folder);
        }
        assert!(reading.fills("/app/a", "-t a").is_err() && reading.fills("/app", "-t .").is_err());
        let found = reading.whole();
        assert_eq!((found.files.len(), found.folders.len(), found.makes), (0, 1, vec!["/app/.venv".to_owned()]));
    }
}
