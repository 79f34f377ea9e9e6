//! What PDM's commands read of a project.
//!
//! Knows: the files of an install, how the project itself is left out, where packages go. Never does: resolve.
//!
//! **First half.** `pdm install` and `pdm sync` install the project last; `--no-self` leaves that out. The command itself stays
//! below, so that a lock which is out of date is rewritten there as before.
//!
//! Facts: PDM 2.29's source (cli/commands/install, cli/actions, project/core, signals) and runs of it: `--no-self` needs neither
//! read-me nor source, also where the version is dynamic; `.pdm-python` is written where it does not name a Python.

use super::{Pdm, WITH_VALUE};
use crate::ecosystems::python::{is_yes, word_behind};
use crate::ecosystems::python_project::{at as item_at, has_dynamic_dependencies, parsed, tables, text_at};
use crate::ecosystems::reading::{Reading, line_of, needs_source, not_seen, within};
use crate::ecosystems::requirements::is_archive;
use crate::ecosystems::words::{Words, sorted};
use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Invocation, Project, Surroundings, first_half, python_folders};
use crate::knowledge::Knowledge;
use toml_edit::DocumentMut;

const VALUES: &[&str] = &[
    "-p",
    "--project",
    "-L",
    "--lockfile",
    "-k",
    "--skip",
    "-G",
    "--group",
    "--with",
    "--without",
    "-C",
    "--config-setting",
    "--override",
    "--venv",
    "-o",
    "--output",
    "-f",
    "--format",
];

/// See [`Ecosystem::dependencies`].
pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let reads_nothing = Ok(Some(Dependencies::default()));
    if Pdm.recognise(invocation).is_none() {
        return Ok(None);
    }
    let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else {
        return if invocation.has_unknown_argument() { Ok(None) } else { reads_nothing };
    };
    if subcommand != "run" && invocation.flag(&["-h", "--help", "-V", "--version"]).is_some() {
        return reads_nothing;
    }
    if invocation.flag(&["-g", "--global"]).is_some() {
        return Ok(None);
    }
    let command = || Command::new(invocation, index, at, project);
    match (subcommand, word_behind(invocation, index)) {
        ("install" | "sync", _) if invocation.flag(&["--dry-run"]).is_none() => command()?.install(subcommand).map(Some),
        ("export" | "lock", _) => command()?.reads_lock(subcommand).map(Some),
        ("config", _) if invocation.flag(&["--local"]).is_some() => {
            let mut command = command()?;
            let path = within(&command.folder, "pdm.toml");
            command.reading.take_if_there(&path);
            command.reading.rewrites(&path);
            Ok(Some(command.reading.whole()))
        }
        ("cache" | "config" | "self" | "plugin" | "completion", _) => reads_nothing,
        _ => Ok(None),
    }
}

struct Command<'a> {
    invocation: &'a Invocation,
    words: Words<'a>,
    reading: Reading<'a>,
    folder: String,
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
            return Err(not_seen(format!("{} is not known and may change what PDM installs", word.raw)));
        }
        let reading = Reading::new(at, project);
        let named = words.last(&["-p", "--project"]).cloned();
        let named = named.or_else(|| at.non_empty("PDM_PROJECT").map(|value| value.map(str::to_owned)));
        let folder = match named {
            None => reading.absolute(".")?,
            Some(Knowledge::Known(named)) => reading.absolute(&named)?,
            Some(Knowledge::Unknown) => return Err(not_seen("the folder of the project is not known")),
        };
        Ok(Self { invocation, words, reading, folder })
    }

    fn install(mut self, subcommand: &str) -> Result<Dependencies, Entangled> {
        let manifest = self.manifest()?;
        self.lock()?;
        self.fills_environment()?;
        let says = |variable: &str| self.reading.at.non_empty(variable).is_some_and(|value| is_yes(&value));
        let keeps_lock = subcommand == "sync"
            || self.words.has(&["--check", "--frozen-lockfile", "--no-lock"])
            || says("PDM_FROZEN_LOCKFILE")
            || says("PDM_NO_LOCK");
        let said = self.words.has(&["--no-self"]) || says("PDM_NO_SELF");
        if said || keeps_lock && !is_distribution(&manifest) {
            if !keeps_lock {
                self.reading.rewrites(&within(&self.folder, &self.lock_name()?));
            }
            self.reading.rewrites(&within(&self.folder, ".pdm-python"));
            return Ok(self.reading.whole());
        }
        let command = first_half::written(self.invocation, &[], &["--no-self".to_owned()])?;
        Ok(self.reading.first_half(command, None))
    }

    fn reads_lock(mut self, subcommand: &str) -> Result<Dependencies, Entangled> {
        self.manifest()?;
        self.lock()?;
        if subcommand == "lock" && !self.words.has(&["--check"]) {
            self.reading.rewrites(&within(&self.folder, &self.lock_name()?));
        }
        if let Some(output) = self.words.last(&["-o", "--output"]) {
            let output = output.known().ok_or_else(|| not_seen("where `pdm export` writes is not known"))?;
            let path = within(&self.folder, output);
            self.reading.rewrites(&path);
        }
        Ok(self.reading.whole())
    }

    fn manifest(&mut self) -> Result<DocumentMut, Entangled> {
        let path = within(&self.folder, "pyproject.toml");
        let text = self.reading.required(&path)?;
        let name = self.reading.name(&path);
        let manifest = parsed(&text, &name)?;
        if has_dynamic_dependencies(&manifest) {
            let place = line_of(&text, "dynamic");
            return Err(needs_source(format!(
                "{name}{place}: the dependencies are dynamic, so the project is built to tell them"
            )));
        }
        if item_at(&manifest, "tool.pdm.workspace").is_some() {
            return Err(needs_source(format!("{name}: the members of a workspace are installed with it")));
        }
        let skips = self.words.values(&["-k", "--skip"]).any(|value| value.known().is_some_and(|value| value.contains(":all")));
        for hook in ["pre_install", "post_install", "pre_lock", "post_lock", "pre_invoke", "post_use"] {
            if !skips && item_at(&manifest, &format!("tool.pdm.scripts.{hook}")).is_some() {
                return Err(needs_source(format!("{name}{}: the script `{hook}` runs with the install", line_of(&text, hook))));
            }
        }
        for file in ["pdm.toml", ".pdm.toml", ".pdm-python", ".python-version"] {
            self.reading.take_if_there(&within(&self.folder, file));
        }
        Ok(manifest)
    }

    fn lock_name(&self) -> Result<String, Entangled> {
        let named = self.words.last(&["-L", "--lockfile"]).cloned();
        let named = named.or_else(|| self.reading.at.non_empty("PDM_LOCKFILE").map(|value| value.map(str::to_owned)));
        match named {
            None => Ok("pdm.lock".to_owned()),
            Some(named) => named.into_known().ok_or_else(|| not_seen("which lock file PDM works with is not known")),
        }
    }

    /// Takes the lock and the archives that it names; a folder that it names is built.
    fn lock(&mut self) -> Result<(), Entangled> {
        let path = within(&self.folder, &self.lock_name()?);
        let name = self.reading.name(&path);
        let Some(text) = self.reading.optional(&path)? else {
            self.reading.loose(format!("there is no {name}: all versions are found anew"));
            let manifest = self.reading.peek(&within(&self.folder, "pyproject.toml"))?.unwrap_or_default();
            let local = manifest.lines().find(|line| line.contains("file://")).map(|line| line.trim().to_owned());
            return match local {
                Some(line) => Err(needs_source(format!("pyproject.toml: {line} names a local package"))),
                None => Ok(()),
            };
        };
        let lock = parsed(&text, &name)?;
        for package in item_at(&lock, "package").map(tables).unwrap_or_default() {
            let Some(path) = package.get("path").and_then(toml_edit::Item::as_str) else { continue };
            if !is_archive(path) {
                let place = line_of(&text, &format!("path = \"{path}\""));
                return Err(needs_source(format!("{name}{place}: {path} is built from source")));
            }
            self.reading.take(&within(&self.folder, path))?;
        }
        Ok(())
    }

    fn fills_environment(&mut self) -> Result<(), Entangled> {
        let at = self.reading.at;
        for folder in python_folders::environments(self.invocation, at) {
            self.reading.makes(&folder);
        }
        let toml = self.reading.peek(&within(&self.folder, "pdm.toml"))?;
        let toml = toml.map(|text| parsed(&text, "pdm.toml")).transpose()?;
        let off = |value: &Knowledge<String>| value.known().is_some_and(|value| !is_yes(&Knowledge::Known(value)));
        let by_command = || super::configured(at.earlier, "python.use_venv").map(|value| !off(&value));
        let by_variable = at.non_empty("PDM_USE_VENV").map(|value| is_yes(&value));
        let by_file = toml.as_ref().and_then(|toml| item_at(toml, "python.use_venv")?.as_bool());
        let in_environment = by_variable.or(by_file).or_else(by_command).unwrap_or(true);
        self.reading.makes(&within(&self.folder, if in_environment { ".venv" } else { "__pypackages__" }));
        Ok(())
    }
}

/// Whether PDM installs the project itself.
fn is_distribution(manifest: &DocumentMut) -> bool {
    if text_at(manifest, "project.name").is_none() {
        return false;
    }
    match text_at(manifest, "tool.pdm.package-type") {
        Some(kind) => kind == "library",
        None => item_at(manifest, "tool.pdm.distribution").and_then(toml_edit::Item::as_bool).unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Part;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    const APP: &str = "[project]\nname = 'app'\nreadme = 'README.md'\ndynamic = ['version']\n";
    const LOCK: &str = "[metadata]\n[[package]]\nname = 'six'\nversion = '1'\n";

    fn ask(words: &[&str], files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        Pdm.dependencies(&invocation(words), &in_project("python:3.12"), &Files::new(files))
    }

    fn half(words: &[&str], files: &[(&str, &str)]) -> Option<String> {
        match ask(words, files).unwrap().unwrap().part {
            Part::Whole => None,
            Part::FirstHalf { command, .. } => Some(command),
        }
    }

    #[test]
    fn the_project_itself_comes_last() {
        let files = [("pyproject.toml", APP), ("pdm.lock", LOCK), (".python-version", ""), ("README.md", ""), ("src/a.py", "")];
        let found = ask(&["pdm", "sync", "--prod", "--no-editable"], &files).unwrap().unwrap();
        assert_eq!(found.files, ["/app/.python-version", "/app/pdm.lock", "/app/pyproject.toml"]);
        assert_eq!((found.makes, found.unpinned), (vec!["/app/.venv".to_owned()], None));
        assert_eq!(half(&["pdm", "install", "--check"], &files).as_deref(), Some("pdm install --check --no-self"));
        assert_eq!(half(&["pdm", "install", "--no-self", "--frozen-lockfile", "-G", "$G"], &files), None);
        assert_eq!(ask(&["pdm", "install", "--no-self"], &files).unwrap().unwrap().rewrites, ["/app/pdm.lock"]);
        let plain = format!("{APP}[tool.pdm]\ndistribution = false\n");
        let files = [("pyproject.toml", plain.as_str()), ("pdm.lock", LOCK)];
        assert_eq!(half(&["pdm", "sync"], &files), None);
        assert_eq!(half(&["pdm", "install"], &files).as_deref(), Some("pdm install --no-self"));
    }

    #[test]
    fn what_needs_the_source_is_refused() {
        let refused = |manifest: &str, lock: &str| {
            let error = ask(&["pdm", "sync"], &[("pyproject.toml", manifest), ("pdm.lock", lock)]).unwrap_err();
            assert!(matches!(error, Entangled::NeedsSource { .. }));
            error.to_string()
        };
        let lock = format!("{LOCK}[[package]]\nname = 'lib'\npath = \"./lib\"\n");
        assert_eq!(refused(APP, &lock), "pdm.lock:7: ./lib is built from source");
        assert!(refused(&APP.replace("version", "dependencies"), LOCK).starts_with("pyproject.toml:4: "));
        assert!(refused(&format!("{APP}[tool.pdm.scripts]\npost_install = 'x.py'\n"), LOCK).starts_with("pyproject.toml:6: "));
        assert!(ask(&["pdm", "install", "$FLAGS"], &[("pyproject.toml", APP)]).is_err());
        assert!(matches!(ask(&["pdm", "install"], &[]), Err(Entangled::NotSeen { .. })));
    }

    #[test]
    fn other_commands() {
        let files = [("pyproject.toml", APP), ("pdm.lock", LOCK), ("pdm.toml", "[python]\nuse_venv = false\n")];
        for words in [&["pdm", "config", "check_update", "false"][..], &["pdm", "self", "add", "x"], &["pdm", "--version"]] {
            assert_eq!(ask(words, &files), Ok(Some(Dependencies::default())), "{words:?}");
        }
        for words in [&["pdm", "run", "x"][..], &["pdm", "build"], &["pdm", "sync", "-g"]] {
            assert_eq!(ask(words, &files), Ok(None), "{words:?}");
        }
        assert_eq!(ask(&["pdm", "sync"], &files).unwrap().unwrap().makes, ["/app/__pypackages__"]);
        assert_eq!(ask(&["pdm", "lock"], &files).unwrap().unwrap().rewrites, ["/app/pdm.lock"]);
        let export = ask(&["pdm", "export", "-o", "requirements.txt"], &files).unwrap().unwrap();
        assert_eq!((export.files.len(), export.rewrites.len()), (3, 0));
    }
}
