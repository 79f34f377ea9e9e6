//! What npm's commands read of a project.
//!
//! Owns: npm's own rules: which folder is the project's, which lock file counts, which scripts run, what it writes back.
//! Never does: know what package.json leads to; `node` does.
//!
//! From: npm's manual (scripts, workspaces, config, npmrc) and sources (6, 8, 10, 11), and runs of these versions.

mod first_half;

use super::{WITH_VALUE, configured, is_ci, is_install, is_on, lock, next_word, setting};
use crate::ecosystems::node::format::is_canonical;
use crate::ecosystems::node::local::{Folder, Rules};
use crate::ecosystems::node::npmrc::Npmrc;
use crate::ecosystems::node::reading::{Reading, join, needs_source, not_seen, outwards};
use crate::ecosystems::node::{Answer, Manifest, bins, corepack, hooks, local, nothing, scripts, versions, words, workspaces};
use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Project, Surroundings, Wrapper};
use crate::knowledge::Knowledge;

/// Options that take the next word, behind the subcommand.
const OPTIONS: &[&str] = &[
    "--only",
    "--audit-level",
    "--fetch-retries",
    "--fetch-timeout",
    "--fetch-retry-maxtimeout",
    "--fetch-retry-mintimeout",
    "--maxsockets",
    "--network-timeout",
    "--script-shell",
    "--node-options",
    "--install-strategy",
    "--jobs",
    "--os",
    "--cpu",
    "--libc",
    "--before",
];

/// The root's scripts of an install without packages, in their order. `dependencies` runs whenever node_modules has changed.
const ROOT_EVENTS: &[&str] =
    &["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "dependencies"];
/// Those of packages that are linked: members of the workspace, and folders.
const LINKED_EVENTS: &[&str] = &["preinstall", "install", "postinstall", "prepare"];

/// What an `npm` command reads of the project.
pub(super) fn dependencies(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    if is_on(invocation, &["--version", "-v", "--help", "-h", "-?"]) {
        return nothing();
    }
    let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else {
        return if invocation.has_unknown_argument() { Ok(None) } else { nothing() };
    };
    let then = next_word(invocation, index + 1).unwrap_or_default();
    match subcommand {
        "config" | "c" | "set" | "get" if !in_project(invocation) => nothing(),
        "cache" if then != "add" => nothing(),
        "help" | "ping" | "whoami" | "login" | "adduser" | "logout" | "view" | "info" | "show" | "search" | "bin" | "root"
        | "prefix" => nothing(),
        "update" | "up" | "upgrade" if is_global(invocation, at) => nothing(),
        name if is_install(name) || is_ci(name) => Install::of(invocation, at, index, is_ci(name))?.read(project),
        _ => Ok(None),
    }
}

/// `npm config set x y --location=project` writes the project's `.npmrc`.
fn in_project(invocation: &Invocation) -> bool {
    invocation.option(&["--location", "-L"]).is_some_and(|place| place.known().is_none_or(|place| place == "project"))
}

fn is_global(invocation: &Invocation, at: &Surroundings) -> bool {
    is_on(invocation, &["-g", "--global"])
        || invocation.option(&["--location", "-L"]) == Some(Knowledge::Known("global".to_owned()))
        || setting(at, "npm_config_global") == Some(Knowledge::Known("true"))
}

struct Install<'i> {
    invocation: &'i Invocation,
    at: &'i Surroundings<'i>,
    /// The index of the subcommand.
    index: usize,
    ci: bool,
    /// The packages that are named.
    packages: Vec<&'i str>,
    /// It is a first half: the second runs the scripts and links the programs of the project's own packages.
    half: bool,
}

impl<'i> Install<'i> {
    fn of(invocation: &'i Invocation, at: &'i Surroundings<'i>, index: usize, ci: bool) -> Result<Self, Entangled> {
        let valued: Vec<&str> = WITH_VALUE.iter().chain(OPTIONS).copied().collect();
        let mut packages = words::packages(invocation, Some(index), &valued)?;
        if ci {
            // It takes none; what looks like one is an option's value.
            packages.clear();
        }
        Ok(Self { invocation, at, index, ci, packages, half: false })
    }

    fn read(&self, project: &dyn Project) -> Answer {
        for key in ["node-options", "script-shell"] {
            if configured(self.at.earlier, key).is_some_and(|value| value.known().is_none_or(|value| value.contains("./"))) {
                return Err(needs_source(format!("`npm config set {key}` may name a file of the project")));
            }
        }
        if is_global(self.invocation, self.at) {
            return self.global(project);
        }
        let here = self.folder()?;
        let mut reading = Reading::new(project, &here);
        let Some(root) = self.root(&reading, &here)? else {
            if self.packages.is_empty() {
                reading.required(&join(&here, "package.json"), "npm")?;
            }
            return self.without_manifest(&here);
        };
        let mut reading = Reading::new(project, &root);
        match self.whole(&mut reading) {
            Err(Entangled::NeedsSource { because }) => match self.first_half(project, &here, &root) {
                Some(half) => Ok(Some(half)),
                None => Err(Entangled::NeedsSource { because }),
            },
            result => result.map(|()| Some(reading.finish())),
        }
    }

    /// The project's `.npmrc` does not count for a global install.
    fn global(&self, project: &dyn Project) -> Answer {
        let folder = configured(self.at.earlier, "prefix").and_then(|folder| self.at.absolute(folder.known()?).into_known());
        if let Some(folder) = folder.filter(|folder| project.look(folder) != Found::Unknown) {
            let because = format!("`npm config set prefix` lets it install into {folder}, where copies lay files, too");
            return Err(Entangled::Overlaid { because });
        }
        if self.packages.is_empty() || self.packages.iter().any(|package| local::is_local(package)) {
            return Ok(None);
        }
        let unpinned = versions::unpinned(self.packages.iter().copied());
        Ok(Some(Dependencies { unpinned, ..Dependencies::default() }))
    }

    /// Packages installed where no project is.
    fn without_manifest(&self, here: &str) -> Answer {
        if self.packages.iter().any(|package| local::is_local(package)) {
            return Ok(None);
        }
        let unpinned = versions::unpinned(self.packages.iter().copied());
        Ok(Some(Dependencies { makes: vec![join(here, "node_modules")], unpinned, ..Dependencies::default() }))
    }

    /// The folder from which npm looks for a project.
    fn folder(&self) -> Result<String, Entangled> {
        match self.invocation.option(&["--prefix", "-C"]) {
            None => corepack::here(self.at),
            Some(Knowledge::Known(folder)) => {
                self.at.absolute(&folder).into_known().ok_or(()).or_else(|()| corepack::here(self.at))
            }
            Some(Knowledge::Unknown) => Err(not_seen("the folder behind --prefix is not known".to_owned())),
        }
    }

    /// The nearest folder with a package.json, or the workspace root that it is a member of.
    fn root(&self, reading: &Reading<'_>, here: &str) -> Result<Option<String>, Entangled> {
        let named = self.invocation.option(&["--prefix"]).is_some();
        let has_project =
            |folder: &&str| reading.is_file(&join(folder, "package.json")) || reading.is_folder(&join(folder, "node_modules"));
        let nearest = outwards(here).take(if named { 1 } else { usize::MAX }).find(has_project);
        let Some(nearest) = nearest.filter(|folder| reading.is_file(&join(folder, "package.json"))) else { return Ok(None) };
        let around = if named { None } else { workspaces::root_around(reading, nearest)? };
        Ok(Some(around.unwrap_or_else(|| nearest.to_owned())))
    }

    fn whole(&self, reading: &mut Reading<'_>) -> Result<(), Entangled> {
        let root = reading.root().to_owned();
        let settings = Npmrc::read(reading, &root)?;
        let manifests = manifests(reading, &root)?;
        let lock = self.lock(reading, &settings)?;
        let copies = self.has(&settings, "install-links");
        let rules = Rules { file: if copies { Folder::Copied } else { Folder::Linked }, link_reads_manifest: true };
        let linked = local::read(reading, &manifests, rules)?;
        if let Some(package) = self.packages.iter().find(|package| local::is_local(package)) {
            return Err(not_seen(format!("npm install {package}: what it reads is not looked into")));
        }
        if !self.half && !self.has(&settings, "ignore-scripts") {
            let lock_text = lock.as_deref().map(|lock| reading.text(lock)).transpose()?;
            for (index, manifest) in manifests.iter().chain(&linked).enumerate() {
                let events = match (index, self.surely_names_packages()) {
                    (0, false) => ROOT_EVENTS,
                    (0, true) => &["dependencies"],
                    _ => LINKED_EVENTS,
                };
                scripts::read(reading, manifest, events)?;
            }
            hooks::read(reading, &manifests, lock_text.as_deref())?;
        }
        if !self.half {
            bins::read(reading, manifests.iter().skip(1).chain(&linked))?;
        }
        for manifest in manifests.iter().chain(&linked) {
            reading.answer().makes.push(join(&manifest.folder, "node_modules"));
        }
        self.writes_back(reading, &settings, &manifests, lock.as_deref());
        let unlocked = lock.is_none().then(|| "package.json has no package-lock.json beside it".to_owned());
        reading.answer().unpinned = unlocked.or_else(|| versions::unpinned(self.packages.iter().copied()));
        Ok(())
    }

    /// The root's scripts run only where no packages are named, and a word behind an unknown option may be its value.
    fn surely_names_packages(&self) -> bool {
        let switches = ["--save", "--save-dev", "-D", "-S", "-E", "--save-exact", "--no-save", "--force", "-f", "--silent", "-s"];
        let words: Vec<&str> = self.invocation.arguments.iter().map(|word| word.raw.as_str()).collect();
        let plain = |before: &str| !before.starts_with('-') || before.contains('=') || switches.contains(&before);
        let pairs = words.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
        !self.packages.is_empty() && pairs.filter(|(_, word)| self.packages.contains(word)).all(|(before, _)| plain(before))
    }

    /// The lock file that counts, which becomes part of the answer.
    fn lock(&self, reading: &mut Reading<'_>, settings: &Npmrc) -> Result<Option<String>, Entangled> {
        if !self.ci && (self.lacks(settings, "package-lock") || self.lacks(settings, "shrinkwrap")) {
            return Ok(None);
        }
        let root = reading.root().to_owned();
        for name in ["npm-shrinkwrap.json", "package-lock.json"] {
            if reading.optional(&join(&root, name)) {
                return Ok(Some(join(&root, name)));
            }
        }
        match self.ci {
            true => reading.required(&join(&root, "package-lock.json"), "npm ci").map(|()| None),
            false => Ok(None),
        }
    }

    /// What `npm install` may write to the project's files.
    fn writes_back(&self, reading: &mut Reading<'_>, settings: &Npmrc, manifests: &[Manifest], lock: Option<&str>) {
        if self.ci {
            return;
        }
        let root = reading.root().to_owned();
        let yarn = join(&root, "yarn.lock");
        let old = versions::npm_majors(self.at).is_some_and(|majors| *majors.end() < 7);
        if !old && reading.optional(&yarn) {
            // From 7 on, npm takes versions from it where it has no lock of its own, and keeps it up to date.
            reading.answer().rewrites.push(yarn);
        }
        let saves = !is_on(self.invocation, &["--no-save"]) && !self.lacks(settings, "save");
        if !self.packages.is_empty() && saves {
            reading.answer().rewrites.push(join(&root, "package.json"));
        }
        if let Some(root) = manifests.first().filter(|root| versions::may_have_old_npm(self.at) && !is_canonical(root)) {
            reading.answer().rewrites.push(root.path.clone());
        }
        let Some(lock) = lock else {
            if !(self.lacks(settings, "package-lock") || self.lacks(settings, "shrinkwrap")) {
                reading.answer().rewrites.push(join(&root, "package-lock.json"));
            }
            return;
        };
        let kept = self.packages.is_empty()
            && !self.may_resolve_anew(settings)
            && reading.text(lock).is_ok_and(|text| lock::is_kept(&text, manifests, versions::npm_majors(self.at)));
        if !kept {
            reading.answer().rewrites.push(lock.to_owned());
        }
    }

    /// Whether a setting other than those that leave the tree alone is in force.
    fn may_resolve_anew(&self, settings: &Npmrc) -> bool {
        let plain = |key: &str| {
            matches!(
                key,
                "omit"
                    | "production"
                    | "only"
                    | "optional"
                    | "include"
                    | "audit"
                    | "fund"
                    | "silent"
                    | "loglevel"
                    | "progress"
                    | "ignore-scripts"
                    | "unsafe-perm"
                    | "prefer-offline"
                    | "offline"
                    | "quiet"
                    | "verbose"
                    | "cache"
                    | "color"
                    | "update-notifier"
                    | "engine-strict"
                    | "save-exact"
                    | "save-prefix"
                    | "prefix"
                    | "fetch-retries"
                    | "fetch-timeout"
                    | "fetch-retry-maxtimeout"
                    | "fetch-retry-mintimeout"
                    | "maxsockets"
                    | "no"
                    | "yes"
            )
        };
        let option = |word: &str| {
            let key = word.trim_start_matches('-').split('=').next().unwrap_or_default();
            plain(key.strip_prefix("no-").unwrap_or(key)) || matches!(word, "-C" | "-s" | "-q" | "-d" | "-dd" | "-ddd" | "-y")
        };
        let of_variable = |name: &str| {
            let name = name.to_ascii_lowercase().replace('_', "-");
            name.strip_prefix("npm-config-").is_some_and(|key| !plain(key))
        };
        self.invocation.arguments.iter().any(|word| word.raw.starts_with('-') && !option(&word.raw))
            || self.at.variables.iter().any(|(name, _)| of_variable(name))
            || settings.keys().any(|key| !plain(key) && !key.starts_with("//"))
    }

    /// A setting: as an option, in the environment, in `.npmrc`.
    fn value(&self, settings: &Npmrc, key: &str) -> Option<bool> {
        if let Some(on) = words::switch(self.invocation, key) {
            return Some(on);
        }
        match setting(self.at, &format!("npm_config_{}", key.replace('-', "_"))) {
            Some(Knowledge::Known(value)) => Some(value == "true"),
            Some(Knowledge::Unknown) => None,
            None if settings.is_on(key) => Some(true),
            None if settings.is_off(key) => Some(false),
            None => configured(self.at.earlier, key).and_then(Knowledge::into_known).map(|value| value != "false"),
        }
    }

    fn has(&self, settings: &Npmrc, key: &str) -> bool {
        self.value(settings, key) == Some(true)
    }

    fn lacks(&self, settings: &Npmrc, key: &str) -> bool {
        self.value(settings, key) == Some(false)
    }
}

/// The root's manifest and those of the workspace's members.
fn manifests(reading: &mut Reading<'_>, root: &str) -> Result<Vec<Manifest>, Entangled> {
    let first = Manifest::read(reading, root, "npm")?;
    let members = workspaces::members(reading, root, &workspaces::patterns(&first))?;
    let mut manifests = vec![first];
    for member in members {
        manifests.push(Manifest::read(reading, &member, "npm")?);
    }
    Ok(manifests)
}

#[cfg(test)]
mod tests;
