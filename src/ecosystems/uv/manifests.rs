//! What uv's project commands read: `sync`, `export`, `lock`, `venv`, and those that read nothing.
//!
//! Knows: which files they read, how `uv sync` is told to leave the project's own packages out, and where the environment is.
//! Never does: read what `uv pip` reads (`pip_commands` does); resolve.
//!
//! **First half.** Without `--no-install-project`, `uv sync` builds the project. The half that needs no source adds that flag, or
//! `--no-install-workspace` where other members are installed, and `--no-install-package` for a local package beside them. The
//! command itself stays below, so a lock that is out of date is rewritten there as before.
//!
//! **Without `--frozen`** uv checks the lock against every member's manifest, which must be static: one with dynamic dependencies
//! is built, one with a dynamic version where the lock is missing or tells that version.
//!
//! Facts: uv's manual (Docker; Locking and syncing) and runs of 0.13.8. The three flags are there since 0.3.3 or so (tracker
//! 6538, 6539); the first `uv sync` that was not a preview was 0.3.0.

use super::pip_commands;
use super::workspace::{Kind, Local, Workspace, described, static_manifest, upwards};
use super::{TAKES_VALUE, Uv, WITH_VALUE};
use crate::ecosystems::python::{is_yes, word_behind};
use crate::ecosystems::python_project::{at as item_at, list_at, local_path, tables};
use crate::ecosystems::reading::{Reading, needs_source, not_seen, within};
use crate::ecosystems::words::{Words, sorted};
use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Found, Invocation, Project, Surroundings, Wrapper, first_half};
use crate::knowledge::Knowledge;
use toml_edit::DocumentMut;

/// Options of these commands whose value may be the next word, those of the manager aside.
const MORE_VALUES: &[&str] = &[
    "-C",
    "-P",
    "-o",
    "--config-setting",
    "--config-settings-package",
    "--exclude-newer-package",
    "--fork-strategy",
    "--format",
    "--index-strategy",
    "--keyring-provider",
    "--link-mode",
    "--no-binary-package",
    "--no-build-isolation-package",
    "--no-build-package",
    "--no-editable-package",
    "--no-emit-package",
    "--no-extra",
    "--no-group",
    "--no-install-package",
    "--no-sources-package",
    "--output-file",
    "--output-format",
    "--prerelease",
    "--prerelease-package",
    "--prompt",
    "--prune",
    "--python-platform",
    "--refresh-package",
    "--reinstall-package",
    "--resolution",
    "--script",
    "--upgrade-group",
    "--upgrade-package",
];

/// Flags that leave out the project, all members, all local packages, and the variables that say the same.
const LEFT_OUT: [(&str, &str); 3] = [
    ("--no-install-project", "UV_NO_INSTALL_PROJECT"),
    ("--no-install-workspace", "UV_NO_INSTALL_WORKSPACE"),
    ("--no-install-local", "UV_NO_INSTALL_LOCAL"),
];

/// See [`Ecosystem::dependencies`].
pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let reads_nothing = Ok(Some(Dependencies::default()));
    if Uv.recognise(invocation).is_none() || invocation.program == "uvx" || invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else {
        let is_plain = !invocation.has_unknown_argument();
        return if is_plain { reads_nothing } else { Ok(None) };
    };
    if subcommand != "run" && invocation.flag(&["-h", "--help", "-V", "--version"]).is_some() {
        return reads_nothing;
    }
    let command = || Command::new(invocation, index, at, project);
    match (subcommand, word_behind(invocation, index)) {
        ("sync", _) if invocation.flag(&["--dry-run", "--check", "--script"]).is_none() => command()?.sync().map(Some),
        ("export" | "lock" | "tree", _) if invocation.flag(&["--script"]).is_none() => {
            command()?.reads_lock(subcommand).map(Some)
        }
        ("venv", _) => command()?.environment().map(Some),
        ("python", "install") => command()?.python(index).map(Some),
        ("build", _) => Err(Entangled::NoDependencies {
            because: "`uv build` makes the project's archives, and fetches only what builds them".to_owned(),
        }),
        ("pip", _) | ("tool", "install") => pip_commands::dependencies(invocation, index, at, project),
        ("cache" | "clean" | "self" | "help" | "auth" | "generate-shell-completion", _)
        | ("python", "dir" | "list" | "uninstall" | "update-shell" | "upgrade")
        | ("tool", "dir" | "list" | "uninstall" | "update-shell" | "upgrade") => reads_nothing,
        _ => Ok(None),
    }
}

/// A command on a project.
struct Command<'a> {
    invocation: &'a Invocation,
    words: Words<'a>,
    reading: Reading<'a>,
    /// From where the project is looked for.
    start: String,
}

impl<'a> Command<'a> {
    fn new(
        invocation: &'a Invocation,
        subcommand: usize,
        at: &'a Surroundings<'a>,
        project: &'a dyn Project,
    ) -> Result<Self, Entangled> {
        let with_value: Vec<&str> = [WITH_VALUE, TAKES_VALUE, MORE_VALUES].concat();
        let words = sorted(invocation, &[subcommand], &with_value);
        if let Some((_, word)) = words.operands.iter().find(|(_, word)| word.value == Knowledge::Unknown) {
            return Err(not_seen(format!("{} is not known and may name files or change what uv reads", word.raw)));
        }
        let reading = Reading::new(at, project);
        let start = start(&words, &reading)?;
        Ok(Self { invocation, words, reading, start })
    }

    fn says(&self, flag: &str, variable: &str) -> bool {
        let by_variable = self.reading.at.non_empty(variable).is_some_and(|value| is_yes(&value));
        self.words.has(&[flag]) || by_variable
    }

    fn sync(mut self) -> Result<Dependencies, Entangled> {
        let workspace = Workspace::find(&mut self.reading, &self.start)?;
        let (frozen, locked) = (self.says("--frozen", "UV_FROZEN"), self.says("--locked", "UV_LOCKED"));
        let locals = self.lock_and_members(&workspace, frozen, locked)?;
        self.configuration(&workspace.manifest, &workspace.root)?;
        self.fills_environment(&workspace)?;
        if self.words.has(&["-U", "--upgrade"]) {
            self.reading.loose("`--upgrade` asks for the newest each time".to_owned());
        }
        let added = self.leaving_out(&workspace, &locals)?;
        let said = LEFT_OUT.iter().any(|(flag, variable)| self.says(flag, variable));
        if added.is_empty() && (frozen || locked || said) {
            if !frozen && !locked {
                self.reading.rewrites(&within(&workspace.root, "uv.lock"));
            }
            return Ok(self.reading.whole());
        }
        if self.words.has(&["--reinstall", "--force-reinstall"]) {
            return Err(needs_source("`--reinstall` installs everything again with the project"));
        }
        // A project that is not installed itself: the flag changes nothing, and the lock is checked below once more.
        let added = if added.is_empty() { vec!["--no-install-project".to_owned()] } else { added };
        let command = first_half::written(self.invocation, &[], &added)?;
        Ok(self.reading.first_half(command, None))
    }

    /// `uv export`, `uv lock` and `uv tree` install nothing.
    fn reads_lock(mut self, subcommand: &str) -> Result<Dependencies, Entangled> {
        let workspace = Workspace::find(&mut self.reading, &self.start)?;
        let checks = subcommand == "lock" && self.words.has(&["--check", "--locked", "--check-exists", "--dry-run"]);
        let frozen = self.says("--frozen", "UV_FROZEN");
        let locked = self.says("--locked", "UV_LOCKED") || checks;
        self.lock_and_members(&workspace, frozen, locked)?;
        self.configuration(&workspace.manifest, &workspace.root)?;
        if !frozen && !locked {
            self.reading.rewrites(&within(&workspace.root, "uv.lock"));
        }
        if let Some(output) = self.words.last(&["-o", "--output-file"]) {
            let output = output.known().ok_or_else(|| not_seen("where `uv export` writes is not known"))?;
            let path = within(&self.start, output);
            self.reading.rewrites(&path);
        }
        Ok(self.reading.whole())
    }

    fn environment(mut self) -> Result<Dependencies, Entangled> {
        let named = self.words.operands.iter().find_map(|(_, word)| word.value.known().cloned());
        let folder = within(&self.start, named.as_deref().unwrap_or(".venv"));
        if !self.words.has(&["--no-project"]) {
            self.python_versions();
            for folder in upwards(&self.start) {
                if self.reading.take_if_there(&within(&folder, "pyproject.toml")) {
                    break;
                }
            }
        }
        self.reading.take_if_there(&within(&self.start, "uv.toml"));
        self.reading.makes(&folder);
        Ok(self.reading.whole())
    }

    fn python(mut self, index: usize) -> Result<Dependencies, Entangled> {
        let names_version = self.words.operands.iter().any(|(at, word)| *at > index && word.raw != "install");
        if !names_version {
            self.python_versions();
        }
        Ok(self.reading.whole())
    }

    /// The lock, and the manifests that it is checked against. The answer is the local packages.
    fn lock_and_members(&mut self, workspace: &Workspace, frozen: bool, locked: bool) -> Result<Vec<Local>, Entangled> {
        let path = within(&workspace.root, "uv.lock");
        let lock = if frozen || locked { Some(self.reading.required(&path)?) } else { self.reading.optional(&path)? };
        self.python_versions();
        let name = self.reading.name(&path);
        let locals = match &lock {
            Some(lock) => workspace.locals(lock, &name)?,
            None => {
                self.reading.loose(format!("there is no {name}: all versions are found anew"));
                self.unlocked_locals(workspace)?
            }
        };
        for archive in locals.iter().filter(|local| local.kind == Kind::Archive) {
            self.reading.take(&archive.path)?;
        }
        if frozen {
            return Ok(locals);
        }
        workspace.take_members(&mut self.reading)?;
        let folders = locals.iter().filter(|local| local.kind != Kind::Archive).map(|local| (&local.path, local.has_version));
        for (folder, has_version) in folders {
            static_manifest(&mut self.reading, folder, lock.as_ref().map(|_| has_version))?;
        }
        if !locals.iter().any(|local| local.path == workspace.project) {
            static_manifest(&mut self.reading, &workspace.project, lock.as_ref().map(|_| false))?;
        }
        Ok(locals)
    }

    /// The local packages of a project without a lock: itself. Others would have to be looked into.
    fn unlocked_locals(&self, workspace: &Workspace) -> Result<Vec<Local>, Entangled> {
        let sources = item_at(&workspace.manifest, "tool.uv.sources").and_then(|item| item.as_table_like());
        let local = sources
            .into_iter()
            .flat_map(|table| table.iter())
            .find(|(_, source)| tables(source).iter().any(|table| table.contains_key("path") || table.contains_key("workspace")));
        if let Some((name, _)) = local {
            return Err(needs_source(format!(
                "pyproject.toml: `{name}` is a local package, and there is no uv.lock that tells of it"
            )));
        }
        let kind = if workspace.is_package() { Kind::Source } else { Kind::Virtual };
        let name = described(&workspace.own);
        Ok(vec![Local { name, path: workspace.project.clone(), kind, has_version: false, is_member: true }])
    }

    /// The flags that keep uv from building what lies in the project, beyond those that are there.
    fn leaving_out(&self, workspace: &Workspace, locals: &[Local]) -> Result<Vec<String>, Entangled> {
        let [project, members, all_local] = LEFT_OUT;
        let says = |(flag, variable): (&str, &str)| self.says(flag, variable);
        // Groups alone come without the project that has them.
        let without_project = says(project) || self.words.has(&["--only-group", "--only-dev"]);
        let package = self.words.last(&["--package"]).and_then(Knowledge::known);
        let named: Vec<&String> = self.words.values(&["--no-install-package"]).filter_map(Knowledge::known).collect();
        let is_current = |local: &Local| match package {
            Some(package) => &local.name == package,
            None => local.path == workspace.project,
        };
        let mut added: Vec<String> = Vec::new();
        let mut add = |flag: String| {
            if !added.contains(&flag) {
                added.push(flag);
            }
        };
        for local in locals.iter().filter(|local| local.kind == Kind::Source) {
            let left_out = says(all_local)
                || local.is_member && says(members)
                || is_current(local) && without_project
                || named.contains(&&local.name);
            match local {
                _ if left_out => {}
                _ if is_current(local) => add("--no-install-project".to_owned()),
                local if local.is_member => add("--no-install-workspace".to_owned()),
                local => add(format!("--no-install-package {}", local.name)),
            }
        }
        if added.iter().any(|flag| flag == "--no-install-workspace") {
            added.retain(|flag| flag != "--no-install-project");
        }
        Ok(added)
    }

    /// `.python-version` from the start upwards.
    fn python_versions(&mut self) {
        for folder in upwards(&self.start) {
            let one = self.reading.take_if_there(&within(&folder, ".python-version"));
            let more = self.reading.take_if_there(&within(&folder, ".python-versions"));
            if one || more {
                break;
            }
        }
    }

    /// `uv.toml`, and local indexes that it or the manifest names.
    fn configuration(&mut self, manifest: &DocumentMut, root: &str) -> Result<(), Entangled> {
        configuration_files(&mut self.reading, &self.words, root)?;
        let mut places: Vec<String> = list_at(manifest, "tool.uv.find-links").into_iter().map(str::to_owned).collect();
        for index in item_at(manifest, "tool.uv.index").map(tables).unwrap_or_default() {
            places.extend(index.get("url").and_then(|url| url.as_str()).map(str::to_owned));
        }
        local_indexes(&mut self.reading, &self.words, places, root)
    }

    fn fills_environment(&mut self, workspace: &Workspace) -> Result<(), Entangled> {
        let at = self.reading.at;
        let active = self.words.has(&["--active"]).then(|| at.non_empty("VIRTUAL_ENV")).flatten();
        let folder = match active.or_else(|| at.non_empty("UV_PROJECT_ENVIRONMENT")) {
            Some(Knowledge::Known(folder)) => within(&workspace.root, folder),
            Some(Knowledge::Unknown) => return Err(not_seen("where the environment is (UV_PROJECT_ENVIRONMENT) is not known")),
            None => within(&workspace.root, ".venv"),
        };
        self.reading.makes(&folder);
        Ok(())
    }
}

/// The folder from which uv looks for a project.
pub(super) fn start(words: &Words, reading: &Reading) -> Result<String, Entangled> {
    let at = reading.at;
    let mut folder = reading.absolute(".")?;
    for (option, variables) in [("--directory", &["UV_WORKING_DIR", "UV_WORKING_DIRECTORY"][..]), ("--project", &["UV_PROJECT"])]
    {
        let by_variable = || variables.iter().find_map(|name| at.non_empty(name)).map(|value| value.map(str::to_owned));
        if let Some(value) = words.last(&[option]).cloned().or_else(by_variable) {
            let value = value.into_known().ok_or_else(|| not_seen(format!("the folder of `{option}` is not known")))?;
            folder = within(&folder, &value);
        }
    }
    Ok(folder)
}

/// `uv.toml`, and the file that `--config-file` names.
pub(super) fn configuration_files(reading: &mut Reading, words: &Words, folder: &str) -> Result<(), Entangled> {
    let by_variable = || reading.at.non_empty("UV_CONFIG_FILE").map(|value| value.map(str::to_owned));
    let named = words.last(&["--config-file"]).cloned().or_else(by_variable);
    let path = match named {
        Some(named) => reading.absolute(named.known().ok_or_else(|| not_seen("the file of `--config-file` is not known"))?)?,
        None => within(folder, "uv.toml"),
    };
    if let Some(text) = reading.optional(&path)?
        && ["find-links", "file:", "constraint"].iter().any(|key| text.contains(key))
    {
        return Err(not_seen(format!("{} names further files", reading.name(&path))));
    }
    let certificates =
        reading.at.non_empty("SSL_CERT_FILE").and_then(|file| reading.at.absolute(file.into_known()?).into_known());
    if let Some(file) = certificates {
        reading.take_if_there(&file);
    }
    Ok(())
}

/// Folders of the project that serve as an index.
pub(super) fn local_indexes(
    reading: &mut Reading,
    words: &Words,
    mut places: Vec<String>,
    folder: &str,
) -> Result<(), Entangled> {
    for value in words.values(&["-f", "--find-links", "--index", "--default-index", "-i", "--index-url", "--extra-index-url"]) {
        places.extend(value.known().map(|value| value.split_once('=').map_or(value.as_str(), |(_, url)| url).to_owned()));
    }
    if let Some(Knowledge::Known(links)) = reading.at.non_empty("UV_FIND_LINKS") {
        places.extend(links.split(',').map(str::to_owned));
    }
    for variable in ["UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"] {
        if let Some(Knowledge::Known(indexes)) = reading.at.non_empty(variable) {
            let address = |index: &str| index.split_once('=').map_or(index, |(_, url)| url).to_owned();
            places.extend(indexes.split_whitespace().map(address).filter(|index| index.starts_with("file:")));
        }
    }
    for path in places.iter().filter_map(|place| local_path(place)) {
        let path = within(folder, path);
        match reading.project.look(&path) {
            Found::Folder => reading.take_folder(&path),
            Found::File => reading.take(&path)?,
            Found::Nothing | Found::Unknown => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
