//! What Poetry's commands read of a project.
//!
//! Knows: the files of an install, how the project itself and local folders are left out, where the virtualenv is.
//! Never does: resolve; read the group options.
//!
//! **First half.** `poetry install` puts the project into the environment last, by a `.pth` file and its scripts. `--no-root` leaves
//! that out, and `--no-directory` (since Poetry 1.5) the folders that the lock names. The command itself stays below.
//!
//! An install never rewrites a lock that is there: an old one is an error or a warning. Without one it writes one, which no copy
//! brings back.
//!
//! Facts: Poetry 2.5's source (console/commands/install, core/factory) and runs of it: with both flags neither the read-me nor
//! the folders need to be there. The plugin poetry-dynamic-versioning asks git for the version with each command, so it needs
//! the repository.

use super::{Poetry, WITH_VALUE};
use crate::ecosystems::python::{is_yes, word_behind};
use crate::ecosystems::python_project::{at as item_at, local_path, parsed, tables};
use crate::ecosystems::reading::{Reading, line_of, needs_source, not_seen, within};
use crate::ecosystems::words::{Words, sorted};
use crate::ecosystems::{
    Dependencies, Ecosystem, Entangled, Found, Invocation, Project, Surroundings, first_half, python_folders,
};
use crate::knowledge::Knowledge;
use toml_edit::DocumentMut;

const VALUES: &[&str] = &["-E", "--extras", "--with", "--without", "--only", "-o", "--output", "-f", "--format"];

/// See [`Ecosystem::dependencies`].
pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let reads_nothing = Ok(Some(Dependencies::default()));
    if Poetry.recognise(invocation).is_none() {
        return Ok(None);
    }
    let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else {
        return if invocation.has_unknown_argument() { Ok(None) } else { reads_nothing };
    };
    if subcommand != "run" && invocation.flag(&["-h", "--help", "-V", "--version"]).is_some() {
        return reads_nothing;
    }
    let command = || Command::new(invocation, index, at, project);
    match (subcommand, word_behind(invocation, index)) {
        ("install" | "sync", _) if invocation.flag(&["--dry-run"]).is_none() => command()?.install().map(Some),
        ("export" | "lock", _) => command()?.reads_lock(subcommand).map(Some),
        ("config", _) if invocation.flag(&["--local"]).is_some() => {
            let mut command = command()?;
            let path = within(&command.folder, "poetry.toml");
            command.reading.take_if_there(&path);
            command.reading.rewrites(&path);
            Ok(Some(command.reading.whole()))
        }
        ("about" | "cache" | "config" | "help" | "list" | "self" | "python", _) => reads_nothing,
        _ => Ok(None),
    }
}

struct Command<'a> {
    invocation: &'a Invocation,
    words: Words<'a>,
    reading: Reading<'a>,
    /// The project's folder.
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
            return Err(not_seen(format!("{} is not known and may change what Poetry installs", word.raw)));
        }
        let reading = Reading::new(at, project);
        let mut folder = reading.absolute(".")?;
        for options in [&["-C", "--directory"], &["-P", "--project"]] {
            if let Some(named) = words.last(options) {
                let named = named.known().ok_or_else(|| not_seen("the folder of the project is not known"))?;
                folder = within(&folder, named);
            }
        }
        Ok(Self { invocation, words, reading, folder })
    }

    fn install(mut self) -> Result<Dependencies, Entangled> {
        let manifest = self.manifest()?;
        if self.words.has(&["--only-root"]) {
            return Err(needs_source("`--only-root` installs nothing but the project"));
        }
        let leaves_root = self.words.has(&["--no-root"]) || is_no_package(&manifest);
        let directories = self.lock(&manifest)?.filter(|_| !self.words.has(&["--no-directory"]));
        self.fills_environment()?;
        if leaves_root && directories.is_none() {
            return Ok(self.reading.whole());
        }
        let mut added = Vec::new();
        if !leaves_root {
            added.push("--no-root".to_owned());
        }
        if let Some(Directory { shown, can_be_left_out }) = directories {
            if !can_be_left_out {
                return Err(needs_source(format!(
                    "{shown} is built from source, and this lock is of a Poetry that may not know `--no-directory`"
                )));
            }
            added.push("--no-directory".to_owned());
        }
        let command = first_half::written(self.invocation, &[], &added)?;
        Ok(self.reading.first_half(command, None))
    }

    /// `poetry export` and `poetry lock` install nothing.
    fn reads_lock(mut self, subcommand: &str) -> Result<Dependencies, Entangled> {
        let manifest = self.manifest()?;
        if let Some(Directory { shown, .. }) = self.lock(&manifest)?
            && subcommand == "lock"
        {
            return Err(needs_source(format!("{shown} is built from source")));
        }
        if subcommand == "lock" && !self.words.has(&["--check"]) {
            self.reading.rewrites(&within(&self.folder, "poetry.lock"));
        }
        if let Some(output) = self.words.last(&["-o", "--output"]) {
            let output = output.known().ok_or_else(|| not_seen("where `poetry export` writes is not known"))?;
            let path = within(&self.folder, output);
            self.reading.rewrites(&path);
        }
        Ok(self.reading.whole())
    }

    /// `pyproject.toml` and `poetry.toml`.
    fn manifest(&mut self) -> Result<DocumentMut, Entangled> {
        let path = within(&self.folder, "pyproject.toml");
        let text = self.reading.required(&path)?;
        let name = self.reading.name(&path);
        let manifest = parsed(&text, &name)?;
        self.reading.take_if_there(&within(&self.folder, "poetry.toml"));
        for file in [".config/pypoetry/config.toml", ".config/pypoetry/auth.toml"] {
            let path = self.reading.at.below_home(file).into_known();
            path.map(|path| self.reading.take_if_there(&path));
        }
        let plugin = "poetry-dynamic-versioning";
        let required = item_at(&manifest, "tool.poetry.requires-plugins").is_some_and(|item| item.get(plugin).is_some());
        let installed =
            self.reading.at.earlier.iter().any(|command| command.arguments.iter().any(|word| word.raw.contains(plugin)));
        let enabled = item_at(&manifest, "tool.poetry-dynamic-versioning.enable").and_then(toml_edit::Item::as_bool);
        if enabled == Some(true) && (required || installed) {
            let place = line_of(&text, "[tool.poetry-dynamic-versioning]");
            return Err(needs_source(format!("{name}{place}: {plugin} asks the repository for the version")));
        }
        if item_at(&manifest, "tool.poetry.requires-plugins").is_some() {
            self.reading.makes(&within(&self.folder, ".poetry"));
        }
        Ok(manifest)
    }

    /// Takes the lock and the archives that it names. The answer is the first folder that it names.
    fn lock(&mut self, manifest: &DocumentMut) -> Result<Option<Directory>, Entangled> {
        let path = within(&self.folder, "poetry.lock");
        let name = self.reading.name(&path);
        let Some(text) = self.reading.optional(&path)? else {
            self.reading.loose(format!("there is no {name}: all versions are found anew"));
            return match local_dependency(manifest) {
                Some(dependency) => Err(needs_source(format!("pyproject.toml: `{dependency}` is built from source"))),
                None => Ok(None),
            };
        };
        let lock = parsed(&text, &name)?;
        let mut directory = None;
        for package in item_at(&lock, "package").map(tables).unwrap_or_default() {
            let source = |key: &str| package.get("source").and_then(|source| source.get(key)).and_then(toml_edit::Item::as_str);
            let (kind, url) = (source("type").unwrap_or_default(), source("url").unwrap_or_default());
            match (kind, local_path(url)) {
                ("directory", Some(path)) => {
                    let shown = format!("{name}{}: {path}", line_of(&text, &format!("url = \"{url}\"")));
                    directory.get_or_insert(Directory { shown, can_be_left_out: knows_no_directory(&text) });
                }
                ("file", Some(path)) => self.reading.take(&within(&self.folder, path))?,
                _ => {}
            }
        }
        Ok(directory)
    }

    /// The virtualenv, where it lies in the project.
    fn fills_environment(&mut self) -> Result<(), Entangled> {
        let at = self.reading.at;
        for folder in python_folders::environments(self.invocation, at) {
            self.reading.makes(&folder);
        }
        let toml = self.reading.peek(&within(&self.folder, "poetry.toml"))?;
        let toml = toml.map(|text| parsed(&text, "poetry.toml")).transpose()?;
        let setting = |key: &str, variable: &str| -> Option<bool> {
            let by_variable = at.non_empty(variable).map(|value| is_yes(&value));
            let by_file = || item_at(toml.as_ref()?, &format!("virtualenvs.{key}"))?.as_bool();
            by_variable.or_else(by_file).or_else(|| configured(at.earlier, &format!("virtualenvs.{key}")))
        };
        if setting("create", "POETRY_VIRTUALENVS_CREATE") == Some(false) {
            return Ok(());
        }
        let beside = within(&self.folder, ".venv");
        let is_beside = setting("in-project", "POETRY_VIRTUALENVS_IN_PROJECT");
        if is_beside.unwrap_or_else(|| self.reading.project.look(&beside) == Found::Folder) {
            self.reading.makes(&beside);
        }
        match at.non_empty("POETRY_VIRTUALENVS_PATH") {
            Some(Knowledge::Known(path)) => self.reading.makes(&within(&self.folder, path)),
            Some(Knowledge::Unknown) => return Err(not_seen("where virtualenvs are (POETRY_VIRTUALENVS_PATH) is not known")),
            None => {}
        }
        Ok(())
    }
}

/// A folder of the project that is a dependency.
struct Directory {
    shown: String,
    can_be_left_out: bool,
}

/// Whether the lock is of a Poetry that has `--no-directory`: its first line says 1.5 or later.
fn knows_no_directory(lock: &str) -> bool {
    let first = lock.lines().next().unwrap_or_default();
    let version = first.split("by Poetry ").nth(1).unwrap_or_default();
    let mut numbers = version.split(['.', ' ']).map(|part| part.parse::<u32>().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()) >= (1, 5)
}

/// `package-mode = false`.
fn is_no_package(manifest: &DocumentMut) -> bool {
    item_at(manifest, "tool.poetry.package-mode").and_then(toml_edit::Item::as_bool) == Some(false)
}

/// The first dependency with a `path`.
fn local_dependency(manifest: &DocumentMut) -> Option<String> {
    let mut places = vec!["tool.poetry.dependencies".to_owned(), "tool.poetry.dev-dependencies".to_owned()];
    let groups = item_at(manifest, "tool.poetry.group").and_then(|item| item.as_table_like());
    places.extend(
        groups.into_iter().flat_map(|groups| groups.iter()).map(|(name, _)| format!("tool.poetry.group.{name}.dependencies")),
    );
    places.iter().find_map(|place| {
        let list = item_at(manifest, place)?.as_table_like()?;
        let local = list.iter().find(|(_, item)| tables(item).iter().any(|table| table.contains_key("path")));
        local.map(|(name, _)| name.to_owned())
    })
}

/// What the last earlier `poetry config KEY VALUE` said.
fn configured(earlier: &[Invocation], key: &str) -> Option<bool> {
    let last = earlier.iter().rev().find_map(|command| {
        let (index, _) = command.subcommand(WITH_VALUE).filter(|(_, name)| *name == "config" && command.program == "poetry")?;
        let (at, _) = command.known_arguments().find(|(at, word)| *at > index && *word == key)?;
        command.arguments.get(at + 1)
    });
    last.map(|value| is_yes(&value.value.clone().map(|_| value.raw.as_str())))
}

#[cfg(test)]
mod tests;
