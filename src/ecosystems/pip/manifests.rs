//! What pip's commands read of a project.
//!
//! Knows: which options and variables name files, what a local requirement needs, and where packages go. Never does: know how a
//! requirements file is read (`requirements` does).
//!
//! `pip install .` builds the project to learn its dependencies; `of_project` tells where a first half can do without.
//! `pip install -r FILE .` has one: the same command without the project. pip then chooses versions twice, so the image may differ
//! unless `--no-deps` says that nothing is to be chosen.
//!
//! Facts: pip 26.3's source and help (cli/cmdoptions, commands/install, commands/download, commands/wheel; 23.2 alike). Every
//! option can come from a variable `PIP_…`; lists in it are split at spaces.

mod beside;
mod built;
mod of_project;

use super::{Pip, WITH_VALUE};
use crate::ecosystems::reading::{Reading, needs_source, not_seen, parent, within};
use crate::ecosystems::requirements::{Requirements, index_is_no_folder, is_archive};
use crate::ecosystems::words::{Words, sorted};
use crate::ecosystems::{
    Assumed, Dependencies, Ecosystem, Entangled, Found, Invocation, Project, Surroundings, Wrapper, first_half, python_folders,
};
use crate::knowledge::Knowledge;
use of_project::Local;

/// Options of `install`, `download` and `wheel` whose value may be the next word, those of [`WITH_VALUE`] aside.
const INSTALL_VALUES: &[&str] = &[
    "-C",
    "-b",
    "-c",
    "-d",
    "-e",
    "-f",
    "-i",
    "-r",
    "-s",
    "-t",
    "-w",
    "--abi",
    "--all-releases",
    "--build",
    "--build-constraint",
    "--build-option",
    "--config-setting",
    "--config-settings",
    "--constraint",
    "--constraints",
    "--dest",
    "--dir",
    "--download",
    "--editable",
    "--extra-index-url",
    "--find-links",
    "--global-option",
    "--group",
    "--hash",
    "--implementation",
    "--index-url",
    "--install-option",
    "--no-binary",
    "--only-binary",
    "--only-final",
    "--platform",
    "--prefix",
    "--progress-bar",
    "--pypi-url",
    "--python-version",
    "--refresh-package",
    "--report",
    "--req",
    "--requirement",
    "--requirements-from-script",
    "--root",
    "--root-user-action",
    "--source",
    "--source-dir",
    "--source-directory",
    "--src",
    "--target",
    "--upgrade-strategy",
    "--uploaded-prior-to",
    "--wheel-dir",
    "--allow-external",
    "--allow-unverified",
    "--download-cache",
];

/// Options that name something in the project, or decide where packages go: their values must be known.
const NAMING: &[&str] = &[
    "-r",
    "--req",
    "--requirement",
    "-c",
    "--constraint",
    "--constraints",
    "--build-constraint",
    "-e",
    "--editable",
    "-f",
    "--find-links",
    "--group",
    "--requirements-from-script",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--src",
    "--source",
    "--source-dir",
    "--source-directory",
];
const REQUIREMENT: &[&str] = &["-r", "--req", "--requirement"];
const CONSTRAINT: &[&str] = &["-c", "--constraint", "--constraints", "--build-constraint"];
const EDITABLE: &[&str] = &["-e", "--editable"];
const NO_DEPS: &[&str] = &["--no-deps", "--no-dependencies"];
/// With these pip installs again what is there.
const AGAIN: &[&str] = &["--force-reinstall", "-I", "--ignore-installed", "-t", "--target", "--prefix", "--root"];
const CHECKOUTS: &[&str] = &["--src", "--source", "--source-dir", "--source-directory"];

/// See [`Ecosystem::dependencies`].
pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let reads_nothing = Ok(Some(Dependencies::default()));
    if Pip.recognise(invocation).is_none() || invocation.flag(&["-h", "--help", "-V", "--version"]).is_some() {
        return if invocation.program == "pipx" { Ok(None) } else { reads_nothing };
    }
    match invocation.program.as_str() {
        "pipx" => return beside::pipx(invocation, at, project),
        "pip-sync" => return beside::pip_sync(invocation, at, project).map(Some),
        _ if builds_archives(invocation) => {
            let because = format!("{} makes the project's archives, and fetches only what builds them", invocation.program);
            return Err(Entangled::NoDependencies { because });
        }
        _ => {}
    }
    match invocation.subcommand(WITH_VALUE) {
        Some((index, "install")) => Install::new(invocation, index, at, project)?.answer().map(Some),
        Some((index, "download" | "wheel")) => Install::new(invocation, index, at, project)?.collects().map(Some),
        Some((index, "uninstall" | "freeze")) => {
            let words = sorted(invocation, &[index], &["-r", "--req", "--requirement", "--path", "--exclude"]);
            let mut reading = Reading::new(at, project);
            for named in words.values(REQUIREMENT) {
                let folder = reading.absolute(".")?;
                Requirements::new(&mut reading, &folder, None).file(known(named, "-r")?, &folder, false)?;
            }
            Ok(Some(reading.whole()))
        }
        Some((_, "cache" | "check" | "completion" | "config" | "debug" | "help" | "index" | "inspect" | "list" | "show"))
        | None
            if !invocation.has_unknown_argument() || invocation.subcommand(WITH_VALUE).is_some() =>
        {
            reads_nothing
        }
        _ => Ok(None),
    }
}

/// Whether it is the program that builds a project's archives: `python -m build`, `pyproject-build`.
pub(super) fn builds_archives(invocation: &Invocation) -> bool {
    let is_module = invocation.wrappers.iter().any(|wrapper| matches!(wrapper, Wrapper::PythonModule(_)));
    invocation.program == "pyproject-build" || invocation.program == "build" && is_module
}

/// See [`Ecosystem::assumed`]: the requirements files in the work folder that a plain `pip install -r` names.
pub(super) fn assumed(invocation: &Invocation) -> Option<Assumed> {
    let (index, _) = invocation.subcommand(WITH_VALUE).filter(|(_, name)| *name == "install")?;
    let with_value: Vec<&str> = WITH_VALUE.iter().chain(INSTALL_VALUES).copied().collect();
    let words = sorted(invocation, &[index], &with_value);
    let others = NAMING.iter().filter(|option| !REQUIREMENT.contains(option));
    if !words.operands.is_empty() || others.into_iter().any(|option| words.has(&[option])) {
        return None;
    }
    let names: Option<Vec<String>> = words.values(REQUIREMENT).map(|name| name.known().cloned()).collect();
    let names = names.filter(|names| !names.is_empty())?;
    let plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) && name != "-";
    let sources = names.iter().map(|name| format!("{name}*")).collect();
    names.iter().all(plain).then_some(Assumed { sources, asked: names })
}

/// One `pip install`, `pip download` or `pip wheel`.
struct Install<'a> {
    invocation: &'a Invocation,
    words: Words<'a>,
    reading: Reading<'a>,
    /// Where pip runs; a place without files where that is neither known nor asked for.
    folder: String,
}

impl<'a> Install<'a> {
    fn new(
        invocation: &'a Invocation,
        subcommand: usize,
        at: &'a Surroundings<'a>,
        project: &'a dyn Project,
    ) -> Result<Self, Entangled> {
        let with_value: Vec<&str> = WITH_VALUE.iter().chain(INSTALL_VALUES).copied().collect();
        let words = sorted(invocation, &[subcommand], &with_value);
        let reading = Reading::new(at, project);
        let names_files = words.has(NAMING)
            || LISTS.iter().any(|(variable, _)| at.non_empty(variable).is_some())
            || words
                .operands
                .iter()
                .any(|(_, operand)| operand.raw.contains('/') || operand.raw.starts_with('.') || is_archive(&operand.raw));
        let folder = if names_files { reading.absolute(".")? } else { at.workdir.known().cloned().unwrap_or_default() };
        Ok(Self { invocation, words, reading, folder })
    }

    /// `pip install`.
    fn answer(mut self) -> Result<Dependencies, Entangled> {
        let by_project = self.operands_of_the_project();
        self.targets()?;
        environments_filled(&mut self.reading, self.invocation);
        match by_project {
            Some(first) if self.words.has(REQUIREMENT) => self.without_project(first),
            Some(local) => self.of_project(local),
            None => match self.built_before() {
                Some(built) => self.of_project(built),
                None => {
                    self.inputs(&[])?;
                    Ok(self.reading.whole())
                }
            },
        }
    }

    /// `pip download` and `pip wheel`: they collect archives, in the work folder unless told otherwise.
    fn collects(mut self) -> Result<Dependencies, Entangled> {
        if let Some(Local { shown, .. }) = self.operands_of_the_project() {
            let because = format!("`{shown}` is built from the project's source");
            let alone = self.words.has(NO_DEPS) && !self.words.has(REQUIREMENT);
            return Err(if alone { Entangled::NoDependencies { because } } else { needs_source(because) });
        }
        self.inputs(&[])?;
        let named = self.words.last(&["-d", "--dest", "--dir", "--destination-dir", "-w", "--wheel-dir", "--download"]);
        let folder = match named {
            Some(named) => {
                let named = known(named, "the folder for the archives")?.to_owned();
                self.reading.absolute(&named)?
            }
            None => self.folder.clone(),
        };
        let collected = self.reading.project.names(&folder).into_iter().find(|name| is_archive(name));
        if let Some(name) = collected {
            let because = format!("{} lies where pip collects archives", self.reading.name(&within(&folder, &name)));
            return Err(Entangled::Overlaid { because });
        }
        self.reading.makes(&folder);
        Ok(self.reading.whole())
    }

    /// Reads what options, variables and operands name. `without` are operands to pass over.
    fn inputs(&mut self, without: &[usize]) -> Result<(), Entangled> {
        let isolated = self.words.has(&["--isolated"]);
        self.configuration(isolated)?;
        let (folder, at) = (self.folder.clone(), self.reading.at);
        let checkouts = self.checkouts(isolated)?;
        let lists = |names: &[&str]| -> Result<Vec<String>, Entangled> {
            let mut found = Vec::new();
            for (variable, _) in LISTS.iter().filter(|(_, option)| !isolated && names.contains(option)) {
                if let Some(value) = at.non_empty(variable) {
                    let value = value.into_known().ok_or_else(|| not_seen(format!("{variable} is not known")))?;
                    found.extend(value.split_whitespace().map(str::to_owned));
                }
            }
            for value in self.words.values(names) {
                found.push(known(value, names.last().copied().unwrap_or_default())?.to_owned());
            }
            Ok(found)
        };
        let (files, constraints) = (lists(REQUIREMENT)?, lists(CONSTRAINT)?);
        let (editable, links, groups) = (lists(EDITABLE)?, lists(&["-f", "--find-links"])?, lists(&["--group"])?);
        for index in self.words.values(&["-i", "--index-url", "--extra-index-url"]).filter_map(Knowledge::known) {
            index_is_no_folder(index, "")?;
        }
        for variable in ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"] {
            if let Some(Knowledge::Known(index)) = self.reading.at.non_empty(variable) {
                index_is_no_folder(index, "")?;
            }
        }
        if self.words.has(&["--requirements-from-script"]) {
            return Err(needs_source("`--requirements-from-script` reads a script of the project"));
        }
        let mut requirements = Requirements::new(&mut self.reading, &folder, checkouts);
        for file in constraints {
            requirements.file(&file, &folder, true)?;
        }
        for file in files {
            requirements.file(&file, &folder, false)?;
        }
        for text in editable.iter().filter(|text| without.is_empty() || text.contains("://")) {
            requirements.requirement(text, true, "")?;
        }
        for place in links {
            requirements.links(&place, None, "")?;
        }
        for group in groups {
            let file = group.split_once(':').map_or("pyproject.toml", |(file, _)| file);
            let path = within(&folder, file);
            let text = requirements.reading.required(&path)?;
            if text.contains("file:") {
                return Err(needs_source(format!("{file} names a local dependency (`file:`)")));
            }
        }
        for (index, operand) in self.words.operands.iter().filter(|(index, _)| !without.contains(index)) {
            let _ = index;
            let Some(text) = plain_name(operand) else {
                return Err(not_seen(format!("{} is not known and may name a file of the project", operand.raw)));
            };
            for text in expanded(&text, &folder, requirements.reading)? {
                requirements.requirement(&text, false, "")?;
            }
        }
        requirements.finish();
        Ok(())
    }

    /// Certificates and configuration files, where they come with the project.
    fn configuration(&mut self, isolated: bool) -> Result<(), Entangled> {
        let at = self.reading.at;
        let mut named: Vec<String> =
            self.words.values(&["--cert", "--client-cert"]).filter_map(|value| value.known().cloned()).collect();
        let variables = ["PIP_CERT", "PIP_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];
        named.extend(variables.iter().filter_map(|name| at.non_empty(name)?.into_known().map(str::to_owned)));
        for path in named.iter().filter_map(|named| at.absolute(named).into_known()) {
            self.reading.take_if_there(&path);
        }
        let below_home = |name: &str| at.below_home(name).into_known();
        let mut files = vec!["/etc/pip.conf".to_owned(), "/etc/xdg/pip/pip.conf".to_owned()];
        if !isolated {
            let chosen = at.non_empty("PIP_CONFIG_FILE").and_then(|name| at.absolute(name.into_known()?).into_known());
            files.extend([below_home(".pip/pip.conf"), below_home(".config/pip/pip.conf"), chosen].into_iter().flatten());
        }
        let moving = ["constraint", "editable", "find-links", "prefix", "requirement", "root", "src", "target"];
        if let Some(key) = moving.into_iter().find(|key| super::configured(at.earlier, key)) {
            return Err(not_seen(format!("an earlier `pip config set … {key}` changes what pip reads or where it installs")));
        }
        for path in files {
            let Some(text) = self.reading.optional(&path)? else { continue };
            let names_files = |line: &&str| {
                let key = line.split(['=', ':']).next().unwrap_or_default().trim().replace('_', "-");
                ["requirement", "constraint", "build-constraint", "editable", "find-links", "target", "prefix", "src"]
                    .contains(&key.as_str())
            };
            if let Some(line) = text.lines().find(names_files) {
                return Err(not_seen(format!("{}: `{}` changes what pip reads", self.reading.name(&path), line.trim())));
            }
        }
        Ok(())
    }

    /// Where `-e git+…` goes: named, else in the environment, else in `src` of the work folder.
    fn checkouts(&self, isolated: bool) -> Result<Option<String>, Entangled> {
        let at = self.reading.at;
        let named = self.words.last(CHECKOUTS).cloned();
        let named = named.or_else(|| at.non_empty("PIP_SRC").filter(|_| !isolated).map(|value| value.map(str::to_owned)));
        match named {
            Some(named) => self.reading.absolute(known(&named, "--src")?).map(Some),
            None if !python_folders::environments(self.invocation, at).is_empty() => Ok(None),
            None => Ok(Some(within(&self.folder, "src"))),
        }
    }

    /// The folders that options name for the packages.
    fn targets(&mut self) -> Result<(), Entangled> {
        let at = self.reading.at;
        for (options, variable) in
            [(&["-t", "--target"][..], "PIP_TARGET"), (&["--prefix"], "PIP_PREFIX"), (&["--root"], "PIP_ROOT")]
        {
            let named = self.words.last(options).cloned();
            let Some(named) = named.or_else(|| at.non_empty(variable).map(|value| value.map(str::to_owned))) else { continue };
            let option = options.last().copied().unwrap_or_default();
            let named = known(&named, option)?;
            let path = self.reading.absolute(named)?;
            self.reading.fills(&path, &format!("{option} {named}"))?;
        }
        Ok(())
    }

    /// The operand (or `-e`) that is the project itself or a folder of it.
    fn operands_of_the_project(&self) -> Option<Local> {
        let editable = self.words.options.iter().filter(|given| EDITABLE.contains(&given.name.as_str())).filter_map(|given| {
            let value = given.value.as_ref()?.known()?;
            (!value.contains("://")).then(|| Local::of(format!("-e {value}"), value, given.words.clone()))
        });
        let plain = self.words.operands.iter().filter_map(|(index, operand)| {
            let value = operand.value.known()?;
            let path = value.split('[').next().unwrap_or(value);
            let is_folder = !value.contains("://")
                && !is_archive(path)
                && (path.starts_with('.') || path.contains('/'))
                && !value.contains(" @");
            is_folder.then(|| Local::of(value.clone(), value, vec![*index]))
        });
        editable.chain(plain).reduce(|first, next| Local { words: [first.words, next.words].concat(), folder: None, ..first })
    }

    /// `pip install -r FILE .`: the files alone first.
    fn without_project(mut self, local: Local) -> Result<Dependencies, Entangled> {
        if self.words.has(AGAIN) {
            return Err(needs_source(format!(
                "`pip install {}` builds the project and, by its flags, installs all the rest again with it",
                local.shown
            )));
        }
        self.inputs(&local.words)?;
        let command = first_half::written(self.invocation, &local.words, &[])?;
        let doubt = (!self.words.has(NO_DEPS))
            .then(|| format!("pip chooses versions twice: for the requirements alone, then together with `{}`", local.shown));
        Ok(self.reading.first_half(command, doubt))
    }
}

/// Variables that stand for options which name files.
const LISTS: &[(&str, &str)] = &[
    ("PIP_REQUIREMENT", "-r"),
    ("PIP_CONSTRAINT", "-c"),
    ("PIP_BUILD_CONSTRAINT", "--build-constraint"),
    ("PIP_EDITABLE", "-e"),
    ("PIP_FIND_LINKS", "-f"),
    ("PIP_GROUP", "--group"),
];

/// Environments in the project, and the user's own packages where the home lies in it.
fn environments_filled(reading: &mut Reading, invocation: &Invocation) {
    for folder in python_folders::environments(invocation, reading.at) {
        reading.makes(&folder);
    }
    let to_home = reading.at.user != crate::ecosystems::User::Root || invocation.flag(&["--user"]).is_some();
    if let (true, Knowledge::Known(folder)) = (to_home, reading.at.below_home(".local")) {
        reading.makes(&folder);
    }
}

fn known<'v>(value: &'v Knowledge<String>, option: &str) -> Result<&'v str, Entangled> {
    value.known().map(String::as_str).ok_or_else(|| not_seen(format!("what `{option}` names is not known")))
}

/// An operand's text. One that is not known counts as a package where its name stands in front of the variable: `torch==$V`.
fn plain_name(operand: &crate::ecosystems::Argument) -> Option<String> {
    if let Knowledge::Known(text) = &operand.value {
        return Some(text.clone());
    }
    let raw = operand.raw.trim_matches(['"', '\'']);
    let (name, rest) = raw.split_at_checked(raw.find(['=', '<', '>', '~', '!', '['])?)?;
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && !name.starts_with('.');
    (is_name && !rest.contains('/')).then(|| raw.to_owned())
}

/// A pattern's files: `dist/*.whl`. Other texts stay as they are.
fn expanded(text: &str, folder: &str, reading: &Reading) -> Result<Vec<String>, Entangled> {
    if !text.contains('*') || text.contains(['=', '<', '>', '~', '!']) {
        return Ok(vec![text.to_owned()]);
    }
    let path = within(folder, text);
    let (place, pattern) = (parent(&path).to_owned(), path.rsplit('/').next().unwrap_or_default());
    if place.contains('*') || pattern.matches('*').count() > 1 {
        return Err(not_seen(format!("which files `{text}` stands for is not known")));
    }
    let (front, back) = pattern.split_once('*').unwrap_or((pattern, ""));
    let names = reading.project.names(&place).into_iter();
    let files: Vec<String> = names
        .filter(|name| name.len() >= front.len() + back.len() && name.starts_with(front) && name.ends_with(back))
        .map(|name| within(&place, &name))
        .collect();
    match (files.as_slice(), reading.project.look(&place)) {
        ([], Found::Unknown) => Err(not_seen(format!("which files `{text}` stands for can't be seen"))),
        ([], _) => Err(not_seen(format!(
            "no file that the builder gets from the context matches `{text}`: a command before this one makes it"
        ))),
        _ => Ok(files),
    }
}

#[cfg(test)]
mod tests;
