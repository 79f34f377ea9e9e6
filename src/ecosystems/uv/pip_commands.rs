//! What `uv pip …` and `uv tool install` read of a project.
//!
//! Knows: their options that name files. Never does: read a requirements file (`requirements` does).
//!
//! **First half** of `uv pip install .[web]`: `uv pip install -r pyproject.toml --extra web`, where the table is static.
//!
//! Facts: uv 0.13.8's help and runs: local requirements are taken from the work folder, as pip does; `-r pyproject.toml` reads
//! the dependencies without building where they are static (0.4.30, too); `[tool.uv]` of the nearest `pyproject.toml` counts here, too.

use super::manifests::{configuration_files, local_indexes, start};
use super::{TAKES_VALUE, WITH_VALUE};
use crate::ecosystems::python::word_behind;
use crate::ecosystems::python_project::{
    Declared, at as item_at, declared, has_dynamic_dependencies, installed_from_source, parsed, tables,
};
use crate::ecosystems::reading::{Reading, line_of, needs_source, not_seen, within};
use crate::ecosystems::requirements::{Requirements, is_archive};
use crate::ecosystems::words::{Words, sorted};
use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Project, Surroundings, first_half, python_folders};
use crate::knowledge::Knowledge;

const MORE_VALUES: &[&str] = &[
    "-C",
    "-P",
    "--cert",
    "--config-setting",
    "--config-settings-package",
    "--exclude-newer-package",
    "--excludes",
    "--build-constraint",
    "--build-constraints",
    "--fork-strategy",
    "--index-strategy",
    "--keyring-provider",
    "--link-mode",
    "--no-binary",
    "--no-build-isolation-package",
    "--no-editable-package",
    "--no-sources-package",
    "--only-binary",
    "--output-format",
    "--prerelease",
    "--prerelease-package",
    "--python-platform",
    "--refresh-package",
    "--reinstall-package",
    "--resolution",
    "--upgrade-group",
    "--upgrade-package",
    "--with-editable",
    "--with-executables-from",
    "--with-requirements",
];
const REQUIREMENT: &[&str] = &["-r", "--requirement", "--requirements", "--with-requirements"];
const CONSTRAINT: &[&str] = &[
    "-c",
    "-b",
    "--constraint",
    "--constraints",
    "--build-constraint",
    "--build-constraints",
    "--override",
    "--overrides",
    "--excludes",
];
const EDITABLE: &[&str] = &["-e", "--editable", "--with-editable"];

/// The answer for `uv pip WORD` and `uv tool install`; `index` is that of `pip` or `tool`.
pub(super) fn dependencies(
    invocation: &Invocation,
    index: usize,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let second = word_behind(invocation, index);
    let is_tool = second == "install" && invocation.argument(index) == "tool";
    match second {
        "install" | "sync" => {}
        "check" | "freeze" | "list" | "show" | "tree" | "debug" => return Ok(Some(Dependencies::default())),
        "uninstall" if invocation.flag(REQUIREMENT).is_none() => return Ok(Some(Dependencies::default())),
        _ => return Ok(None),
    }
    let at_second = invocation.known_arguments().find(|(at, word)| *at > index && *word == second).map_or(index, |(at, _)| at);
    let with_value: Vec<&str> = [WITH_VALUE, TAKES_VALUE, MORE_VALUES].concat();
    let words = sorted(invocation, &[index, at_second], &with_value);
    let mut reading = Reading::new(at, project);
    let names_files = second == "sync" || words.has(&[REQUIREMENT, CONSTRAINT, EDITABLE].concat());
    let folder = match start(&words, &reading) {
        Ok(folder) => folder,
        Err(because) if names_files => return Err(because),
        Err(_) => String::new(),
    };
    let local = if second == "install" && !is_tool { of_project(&words) } else { None };
    let mut command = Pip { words: &words, folder, reading: &mut reading };
    let left_out = local.as_ref().map(|local| local.words.clone()).unwrap_or_default();
    if let Some(local) = &local {
        command.declared(local)?;
    }
    command.inputs(second == "sync", &left_out)?;
    if !is_tool {
        command.settings()?;
        command.targets(invocation)?;
    }
    let Some(local) = local else { return Ok(Some(reading.whole())) };
    let manifest = format!("{}/pyproject.toml", local.folder.trim_end_matches('/'));
    let mut added = vec!["-r".to_owned(), first_half::quoted(manifest.trim_start_matches("./"))];
    added.extend(local.extras.iter().map(|extra| format!("--extra {}", first_half::quoted(extra))));
    let command = first_half::written(invocation, &left_out, &added)?;
    let doubt =
        format!("uv chooses versions twice: for what pyproject.toml declares alone, then together with `{}`", local.shown);
    Ok(Some(reading.first_half(command, Some(doubt))))
}

/// The one folder of source that a command installs.
struct Local {
    shown: String,
    folder: String,
    extras: Vec<String>,
    words: Vec<usize>,
}

/// `.`, `-e ./lib[a]`: the only local requirement of the command, with no requirements file beside it.
fn of_project(words: &Words) -> Option<Local> {
    let editable = words.options.iter().filter(|given| EDITABLE.contains(&given.name.as_str()));
    let editable = editable.map(|given| (given.value.as_ref().and_then(Knowledge::known), given.words.clone()));
    let plain = words.operands.iter().map(|(index, operand)| (operand.value.known(), vec![*index]));
    let is_local = |value: &str| {
        let path = value.split('[').next().unwrap_or(value);
        !value.contains("://") && !value.contains(" @") && !is_archive(path) && (path.starts_with('.') || path.contains('/'))
    };
    let mut found = editable.chain(plain).filter_map(|(value, words)| Some((value.filter(|value| is_local(value))?, words)));
    let (value, own) = found.next().filter(|_| found.next().is_none() && !words.has(REQUIREMENT))?;
    let (folder, extras) = value.split_once('[').unwrap_or((value, ""));
    let extras = extras.trim_end_matches(']').split(',').map(|extra| extra.trim().to_owned());
    let extras = extras.filter(|extra| !extra.is_empty()).collect();
    let shown = if own.len() > 1 { format!("-e {value}") } else { value.clone() };
    Some(Local { shown, folder: folder.to_owned(), extras, words: own })
}

struct Pip<'r, 'a> {
    words: &'r Words<'a>,
    folder: String,
    reading: &'r mut Reading<'a>,
}

impl Pip<'_, '_> {
    /// What the project declares, if uv reads it without building it.
    fn declared(&mut self, local: &Local) -> Result<(), Entangled> {
        let builds = |why: &str| {
            needs_source(format!(
                "`uv pip install {}` builds the project, which is how uv learns its dependencies{why}",
                local.shown
            ))
        };
        if self.words.has(&["--no-deps"]) {
            let because = format!("`uv pip install --no-deps {}` installs the project alone", local.shown);
            return Err(Entangled::NoDependencies { because });
        }
        let again = ["--reinstall", "--force-reinstall", "-t", "--target", "--prefix", "--exact"];
        if let Some(flag) = again.iter().find(|flag| self.words.has(&[flag])) {
            return Err(builds(&format!("; `{flag}` does it all again")));
        }
        if let Some(other) = self.reading.at.earlier.iter().find_map(installed_from_source) {
            return Err(builds(&format!("; they may name `{other}`, which another command installs from its source")));
        }
        let folder = within(&self.folder, &local.folder);
        let extras: Vec<&str> = local.extras.iter().map(String::as_str).collect();
        match declared(self.reading, &folder, &extras)? {
            Ok(Declared::Nothing(file)) => {
                let because =
                    format!("`uv pip install {}` installs the project alone: {file} names no dependencies", local.shown);
                Err(Entangled::NoDependencies { because })
            }
            Ok(Declared::Listed { table: Some(table), .. }) => {
                let file = self.reading.name(&table.path);
                self.manifest(&file)
            }
            Ok(_) => Err(builds("; no static table of pyproject.toml names them")),
            Err(why) => Err(builds(&format!("; {why}"))),
        }
    }

    fn inputs(&mut self, operands_are_files: bool, without: &[usize]) -> Result<(), Entangled> {
        let at = self.reading.at;
        let mut constraints = values(self.words, CONSTRAINT)?;
        for variable in ["UV_CONSTRAINT", "UV_BUILD_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE"] {
            if let Some(value) = at.non_empty(variable) {
                let value = value.into_known().ok_or_else(|| not_seen(format!("{variable} is not known")))?;
                constraints.extend(value.split_whitespace().map(str::to_owned));
            }
        }
        let mut files = values(self.words, REQUIREMENT)?;
        let mut names = Vec::new();
        for (_, operand) in self.words.operands.iter().filter(|(index, _)| !without.contains(index)) {
            match &operand.value {
                Knowledge::Known(file) if operands_are_files => files.push(file.clone()),
                Knowledge::Known(name) => names.push(name.clone()),
                Knowledge::Unknown if !operands_are_files && operand.raw.contains("==") && !operand.raw.contains('/') => {
                    names.push(operand.raw.trim_matches(['"', '\'']).to_owned());
                }
                Knowledge::Unknown => {
                    return Err(not_seen(format!("{} is not known and may name a file of the project", operand.raw)));
                }
            }
        }
        let (manifests, files): (Vec<String>, Vec<String>) = files.into_iter().partition(|file| is_manifest(file));
        for file in manifests {
            self.manifest(&file)?;
        }
        let mut editable = values(self.words, EDITABLE)?;
        editable.retain(|text| without.is_empty() || text.contains("://"));
        let groups = values(self.words, &["--group"])?;
        for group in groups {
            let file = group.split_once(':').map_or("pyproject.toml", |(file, _)| file);
            self.manifest(file)?;
        }
        let folder = self.folder.clone();
        let mut requirements = Requirements::new(self.reading, &folder, None);
        for file in constraints {
            requirements.file(&file, &folder, true)?;
        }
        for file in files {
            requirements.file(&file, &folder, false)?;
        }
        for text in editable {
            requirements.requirement(&text, true, "")?;
        }
        for text in names {
            requirements.requirement(&text, false, "")?;
        }
        requirements.finish();
        Ok(())
    }

    /// `-r pyproject.toml`, `-r pylock.toml`: static dependencies only.
    fn manifest(&mut self, file: &str) -> Result<(), Entangled> {
        let path = within(&self.folder, file);
        if !file.ends_with(".toml") {
            return Err(needs_source(format!("{file} is a program that must run to tell its dependencies")));
        }
        let text = self.reading.required(&path)?;
        let document = parsed(&text, file)?;
        if has_dynamic_dependencies(&document) {
            return Err(needs_source(format!("{file}{}: the dependencies are dynamic", line_of(&text, "dynamic"))));
        }
        let sources = item_at(&document, "tool.uv.sources").and_then(|item| item.as_table_like());
        let local = sources
            .into_iter()
            .flat_map(|table| table.iter())
            .find(|(_, source)| tables(source).iter().any(|table| table.contains_key("path") || table.contains_key("workspace")));
        match local {
            Some((name, _)) => Err(needs_source(format!("{file}{}: `{name}` is built from source", line_of(&text, name)))),
            None if text.contains("file:") || text.contains("[packages.directory]") => {
                Err(needs_source(format!("{file} names a local package")))
            }
            None if file.ends_with("pyproject.toml") => {
                self.reading.loose(format!("{file} names no exact versions"));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// `[tool.uv]` and `uv.toml`, where they are.
    fn settings(&mut self) -> Result<(), Entangled> {
        let folder = self.folder.clone();
        let path = within(&folder, "pyproject.toml");
        if let Some(text) = self.reading.peek(&path)?
            && text.contains("[tool.uv")
        {
            self.reading.take(&path)?;
        }
        configuration_files(self.reading, self.words, &folder)?;
        local_indexes(self.reading, self.words, Vec::new(), &folder)
    }

    fn targets(&mut self, invocation: &Invocation) -> Result<(), Entangled> {
        for option in [&["-t", "--target"][..], &["--prefix"]] {
            if let Some(named) = self.words.last(option) {
                let named = named.known().ok_or_else(|| not_seen("where the packages go is not known"))?;
                let path = within(&self.folder, named);
                self.reading.fills(&path, &format!("{} {named}", option.last().unwrap_or(&"")))?;
            }
        }
        for folder in python_folders::environments(invocation, self.reading.at) {
            self.reading.makes(&folder);
        }
        let beside = within(&self.folder, ".venv");
        if self.reading.project.look(&beside) == Found::Folder && !self.words.has(&["--system"]) {
            self.reading.makes(&beside);
        }
        Ok(())
    }
}

fn is_manifest(file: &str) -> bool {
    file.ends_with(".toml") || file.ends_with(".py") || file.ends_with("setup.cfg")
}

fn values(words: &Words, options: &[&str]) -> Result<Vec<String>, Entangled> {
    let option = options.last().copied().unwrap_or_default();
    let known =
        |value: &Knowledge<String>| value.known().cloned().ok_or_else(|| not_seen(format!("what `{option}` names is not known")));
    words.values(options).map(known).collect()
}
