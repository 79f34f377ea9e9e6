//! What Pipenv's commands read of a project.
//!
//! Knows: Pipfile and its lock, what in them is built from source, when the lock is rewritten, where the virtualenv is.
//! Never does: resolve; compare the lock's hash with the Pipfile.
//!
//! An install rewrites a lock that is out of date, unless `--deploy` makes that an error, `--ignore-pipfile` or `sync` take it
//! as it is, or `--system` goes on with a warning. Whether it is out of date is not looked into, so the file is named.
//!
//! Facts: Pipenv 2026.10's source (routines/install, utils/pipfile, utils/venv_locator, environments). Without a Pipfile,
//! `requirements.txt` is imported.

use super::{Pipenv, WITH_VALUE};
use crate::ecosystems::python::is_yes;
use crate::ecosystems::python_project::{parsed, tables};
use crate::ecosystems::reading::{Reading, line_of, needs_source, not_seen, parent, within};
use crate::ecosystems::requirements::{Requirements, is_archive};
use crate::ecosystems::words::{Words, sorted};
use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Found, Invocation, Project, Surroundings, python_folders};
use crate::knowledge::Knowledge;

const VALUES: &[&str] = &[
    "-r",
    "--requirements",
    "-e",
    "--editable",
    "-i",
    "--index",
    "--extra-pip-args",
    "--categories",
    "--pypi-mirror",
    "--python",
];

/// See [`Ecosystem::dependencies`].
pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let reads_nothing = Ok(Some(Dependencies::default()));
    if Pipenv.recognise(invocation).is_none() {
        return Ok(None);
    }
    let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else {
        let is_idle = invocation.flag(&["--version", "--help", "-h", "--clear"]).is_some();
        return if is_idle { reads_nothing } else { Ok(None) };
    };
    let command = || Command::new(invocation, index, at, project);
    match subcommand {
        _ if subcommand != "run" && invocation.flag(&["-h", "--help"]).is_some() => reads_nothing,
        "install" | "sync" => command()?.install(subcommand).map(Some),
        "requirements" | "verify" | "lock" => command()?.reads_lock(subcommand).map(Some),
        _ => Ok(None),
    }
}

struct Command<'a> {
    invocation: &'a Invocation,
    words: Words<'a>,
    reading: Reading<'a>,
    /// Where the Pipfile is, or would be.
    pipfile: String,
}

impl<'a> Command<'a> {
    fn new(
        invocation: &'a Invocation,
        subcommand: usize,
        at: &'a Surroundings<'a>,
        project: &'a dyn Project,
    ) -> Result<Self, Entangled> {
        let words = sorted(invocation, &[subcommand], &[WITH_VALUE, VALUES].concat());
        if let Some((_, word)) = words.operands.iter().find(|(_, word)| word.value == Knowledge::Unknown) {
            return Err(not_seen(format!("{} is not known and may change what Pipenv installs", word.raw)));
        }
        let reading = Reading::new(at, project);
        let pipfile = match at.non_empty("PIPENV_PIPFILE") {
            Some(Knowledge::Known(path)) => reading.absolute(path)?,
            Some(Knowledge::Unknown) => return Err(not_seen("which Pipfile it is (PIPENV_PIPFILE) is not known")),
            None => nearest(&reading)?,
        };
        Ok(Self { invocation, words, reading, pipfile })
    }

    fn install(mut self, subcommand: &str) -> Result<Dependencies, Entangled> {
        let at = self.reading.at;
        if let Some((_, word)) = self.words.operands.first() {
            return Err(needs_source(format!("`pipenv install {}` writes it into the Pipfile", word.raw)));
        }
        if self.words.has(&["-e", "--editable"]) {
            return Err(needs_source("`pipenv install -e` builds from source and writes that into the Pipfile"));
        }
        let imported: Vec<_> = self.words.values(&["-r", "--requirements"]).cloned().collect();
        for file in imported {
            self.import(&file.into_known().ok_or_else(|| not_seen("which requirements file is imported is not known"))?)?;
        }
        if self.reading.project.look(&self.pipfile) == Found::Nothing {
            self.import("requirements.txt")?;
        } else {
            self.files(subcommand == "sync" || self.words.has(&["--deploy", "--ignore-pipfile"]))?;
        }
        let says = |variable: &str| at.non_empty(variable).is_some_and(|value| is_yes(&value));
        let system = self.words.has(&["--system"]) || says("PIPENV_SYSTEM");
        let keeps_lock = subcommand == "sync"
            || system
            || self.words.has(&["--deploy", "--ignore-pipfile", "--skip-lock"])
            || says("PIPENV_SKIP_LOCK");
        if !keeps_lock {
            self.reading.rewrites(&format!("{}.lock", self.pipfile));
        }
        self.fills_environment(system);
        Ok(self.reading.whole())
    }

    fn reads_lock(mut self, subcommand: &str) -> Result<Dependencies, Entangled> {
        self.files(subcommand != "lock")?;
        if subcommand == "lock" {
            self.reading.rewrites(&format!("{}.lock", self.pipfile));
        }
        Ok(self.reading.whole())
    }

    /// Pipfile and lock, with the archives that they name.
    fn files(&mut self, needs_lock: bool) -> Result<(), Entangled> {
        let path = self.pipfile.clone();
        let (text, name) = (self.reading.required(&path)?, self.reading.name(&path));
        let pipfile = parsed(&text, &name)?;
        for (section, packages) in
            pipfile.iter().filter(|(section, _)| !["source", "requires", "scripts", "pipenv"].contains(section))
        {
            let _ = section;
            for (package, item) in packages.as_table_like().into_iter().flat_map(|table| table.iter()) {
                for table in tables(item) {
                    let local = ["path", "file"].iter().find_map(|key| table.get(key)?.as_str());
                    if let Some(local) = local.filter(|local| !local.contains("://") || local.starts_with("file:")) {
                        self.local(local, &format!("{name}{}: `{package}`", line_of(&text, package)))?;
                    }
                }
            }
        }
        let lock = format!("{path}.lock");
        let lock_name = self.reading.name(&lock);
        let text = if needs_lock { Some(self.reading.required(&lock)?) } else { self.reading.optional(&lock)? };
        let Some(text) = text else {
            self.reading.loose(format!("there is no {lock_name}: all versions are found anew"));
            return Ok(());
        };
        let lock: serde_json::Value =
            serde_json::from_str(&text).map_err(|_| not_seen(format!("{lock_name} can't be read as JSON")))?;
        let sections = lock.as_object().into_iter().flatten().filter(|(section, _)| *section != "_meta");
        for (package, entry) in sections.filter_map(|(_, packages)| packages.as_object()).flatten() {
            let local = ["path", "file"].iter().find_map(|key| entry.get(key)?.as_str());
            if let Some(local) = local.filter(|local| !local.contains("://") || local.starts_with("file:")) {
                let place = line_of(&text, &format!("\"{package}\""));
                self.local(local, &format!("{lock_name}{place}: `{package}`"))?;
            }
        }
        Ok(())
    }

    fn local(&mut self, path: &str, place: &str) -> Result<(), Entangled> {
        let path = path.strip_prefix("file://").unwrap_or(path);
        if !is_archive(path) {
            return Err(needs_source(format!("{place} is built from source, in {path}")));
        }
        let path = within(parent(&self.pipfile), path);
        self.reading.take(&path)
    }

    /// A requirements file, where there is no Pipfile.
    fn import(&mut self, file: &str) -> Result<(), Entangled> {
        let folder = parent(&self.pipfile).to_owned();
        let mut requirements = Requirements::new(&mut self.reading, &folder, None);
        requirements.file(file, &folder, false)?;
        requirements.finish();
        Ok(())
    }

    fn fills_environment(&mut self, system: bool) {
        let at = self.reading.at;
        for folder in python_folders::environments(self.invocation, at) {
            self.reading.makes(&folder);
        }
        let beside = within(parent(&self.pipfile), ".venv");
        let said = at.non_empty("PIPENV_VENV_IN_PROJECT").map(|value| value == Knowledge::Unknown || is_yes(&value));
        let text = self.reading.project.text(&self.pipfile).into_known().unwrap_or_default();
        let by_file = text.contains("venv_in_project = true").then_some(true);
        let is_beside = said.or(by_file).unwrap_or_else(|| self.reading.project.look(&beside) == Found::Folder);
        if is_beside && !system {
            self.reading.makes(&beside);
        }
    }
}

/// The Pipfile in the work folder or above it; else where it would be.
fn nearest(reading: &Reading) -> Result<String, Entangled> {
    let start = reading.absolute(".")?;
    let mut folder = start.as_str();
    loop {
        let path = within(folder, "Pipfile");
        match reading.project.look(&path) {
            Found::File => return Ok(path),
            Found::Unknown => break,
            _ if folder == "/" => break,
            _ => folder = parent(folder),
        }
    }
    Ok(within(&start, "Pipfile"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    const PIPFILE: &str = "[[source]]\nurl = 'https://host'\n[packages]\nflask = '*'\n";
    const LOCK: &str = "{\"_meta\": {}, \"default\": {\n\"flask\": {\"version\": \"==3\"}\n}, \"develop\": {}}";

    fn ask(words: &[&str], variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned()))).collect();
        Pipenv.dependencies(&invocation(words), &Surroundings { variables, ..in_project("python:3.12") }, &Files::new(files))
    }

    #[test]
    fn both_files_and_when_the_lock_is_written() {
        let files = [("Pipfile", PIPFILE), ("Pipfile.lock", LOCK), ("app.py", "")];
        let rewrites = |words: &[&str]| {
            let found = ask(words, &[], &files).unwrap().unwrap();
            assert_eq!(found.files, ["/app/Pipfile", "/app/Pipfile.lock"], "{words:?}");
            found.rewrites.len()
        };
        for words in [
            &["pipenv", "install", "--system", "--deploy", "--dev"][..],
            &["pipenv", "install", "--ignore-pipfile"],
            &["pipenv", "install", "--system"],
            &["pipenv", "sync"],
            &["pipenv", "requirements", "--dev"],
        ] {
            assert_eq!(rewrites(words), 0, "{words:?}");
        }
        assert_eq!((rewrites(&["pipenv", "install"]), rewrites(&["pipenv", "lock"])), (1, 1));
        assert!(matches!(ask(&["pipenv", "sync"], &[], &files[..1]), Err(Entangled::NotSeen { .. })));
        assert!(ask(&["pipenv", "install"], &[], &files[..1]).unwrap().unwrap().unpinned.is_some());
    }

    #[test]
    fn source_in_either_file_is_refused() {
        let pipfile = format!("{PIPFILE}app = {{ path = '.', editable = true }}\n");
        let refused = ask(&["pipenv", "install", "--deploy"], &[], &[("Pipfile", &pipfile), ("Pipfile.lock", LOCK)]).unwrap_err();
        assert!(refused.to_string().starts_with("Pipfile:5: `app`"), "{refused}");
        let lock = LOCK.replace("\"version\": \"==3\"", "\"path\": \"./lib\"");
        let refused = ask(&["pipenv", "sync"], &[], &[("Pipfile", PIPFILE), ("Pipfile.lock", &lock)]).unwrap_err();
        assert!(refused.to_string().starts_with("Pipfile.lock:2: `flask`"), "{refused}");
        let lock = LOCK.replace("\"version\": \"==3\"", "\"file\": \"./w/f-1.whl\"");
        let files = [("Pipfile", PIPFILE), ("Pipfile.lock", lock.as_str()), ("w/f-1.whl", "")];
        assert_eq!(ask(&["pipenv", "sync"], &[], &files).unwrap().unwrap().files.len(), 3);
        assert!(ask(&["pipenv", "install", "flask"], &[], &files).is_err());
    }

    #[test]
    fn places_follow_variables() {
        let files = [("Pipfile", PIPFILE), ("Pipfile.lock", LOCK)];
        let makes = |variables: &[(&str, &str)]| ask(&["pipenv", "sync"], variables, &files).unwrap().unwrap().makes;
        assert_eq!(makes(&[("PIPENV_VENV_IN_PROJECT", "1")]), ["/app/.venv"]);
        assert!(makes(&[]).is_empty());
        let elsewhere = [("deploy/Pipfile", PIPFILE), ("deploy/Pipfile.lock", LOCK)];
        let found = ask(&["pipenv", "sync"], &[("PIPENV_PIPFILE", "deploy/Pipfile")], &elsewhere).unwrap().unwrap();
        assert_eq!(found.files, ["/app/deploy/Pipfile", "/app/deploy/Pipfile.lock"]);
        let imported = ask(&["pipenv", "install"], &[], &[("requirements.txt", "a==1")]).unwrap().unwrap();
        assert_eq!(imported.files, ["/app/requirements.txt"]);
    }

    #[test]
    fn other_commands() {
        assert_eq!(ask(&["pipenv", "--version"], &[], &[]), Ok(Some(Dependencies::default())));
        assert_eq!(ask(&["pipenv", "--clear"], &[], &[]), Ok(Some(Dependencies::default())));
        for words in [&["pipenv", "shell"][..], &["pipenv", "update"], &["pipenv", "check"]] {
            assert_eq!(ask(words, &[], &[]), Ok(None), "{words:?}");
        }
    }
}
