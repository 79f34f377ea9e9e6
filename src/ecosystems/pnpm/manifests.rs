//! What pnpm's commands read of a project.
//!
//! Owns: pnpm's own rules: where the workspace's root is, its settings and patches, which scripts run, when it writes its lock.
//! Never does: know what package.json leads to; `node` does.
//!
//! From: pnpm's manual (settings, workspace, `.pnpmfile.cjs`, `fetch`, `install`; 8 to 10), and runs of 8, 9 and 10.

use super::{Provided, WITH_VALUE, is_on, lock, setting, words};
use crate::ecosystems::node::local::{Folder, Rules};
use crate::ecosystems::node::npmrc::Npmrc;
use crate::ecosystems::node::reading::{Reading, join, needs_source, not_seen};
use crate::ecosystems::node::words::{packages, switch, yes};
use crate::ecosystems::node::{Answer, Manifest, bins, corepack, hooks, local, nothing, scripts, versions, workspaces, yaml};
use crate::ecosystems::{Dependencies, Entangled, Invocation, Part, Project, Surroundings, Wrapper};
use crate::knowledge::Knowledge;
use serde_json::Value;

/// Options that take the next word, behind the subcommand.
const OPTIONS: &[&str] = &[
    "--lockfile-dir",
    "--modules-dir",
    "--virtual-store-dir",
    "--network-concurrency",
    "--child-concurrency",
    "--fetch-retries",
    "--fetch-timeout",
    "--package-import-method",
    "--node-linker",
    "--workspace-concurrency",
    "--test-pattern",
    "--changed-files-ignore-pattern",
    "--hoist-pattern",
    "--public-hoist-pattern",
    "--cpu",
    "--os",
    "--libc",
    "--allow-build",
];

const EVENTS: &[&str] = &["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"];

/// What a `pnpm` command reads of the project.
pub(super) fn dependencies(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let here = folder(invocation, at)?;
    let Some((mut index, first)) = invocation.subcommand(WITH_VALUE) else {
        return if invocation.has_unknown_argument() { Ok(None) } else { program(project, &here, None) };
    };
    index += usize::from(matches!(first, "recursive" | "multi" | "m"));
    if is_on(invocation, &["--help", "-h", "--version", "-v"]) {
        return program(project, &here, None);
    }
    let words = words(invocation);
    let first = words.first().copied().unwrap_or_default();
    let named = || {
        let valued: Vec<&str> = WITH_VALUE.iter().chain(OPTIONS).copied().collect();
        packages(invocation, Some(index), &valued)
    };
    let installs = matches!(first, "install" | "i" | "add" | "ci" | "clean-install" | "ic" | "install-clean");
    match first {
        "setup" => nothing(),
        "config" | "c" if is_on(invocation, &["--location=project"]) || words.get(2) == Some(&"--location") => Ok(None),
        "config" | "c" | "set" | "get" | "store" | "env" | "root" | "bin" | "cache" | "login" | "logout" | "ping" => {
            program(project, &here, None)
        }
        _ if is_on(invocation, &["-g", "--global"]) && matches!(first, "remove" | "rm" | "update" | "up")
            || installs && is_global(invocation) =>
        {
            let named = named()?;
            if named.iter().any(|spec| local::is_local(spec)) || named.is_empty() {
                return Ok(None);
            }
            program(project, &here, versions::unpinned(named.into_iter().filter(|_| installs)))
        }
        "fetch" => Install { invocation, at, packages: named()?, here }.fetch(project),
        _ if installs => Install { invocation, at, packages: named()?, here }.read(project),
        _ => Ok(None),
    }
}

fn is_global(invocation: &Invocation) -> bool {
    is_on(invocation, &["-g", "--global"])
}

fn folder(invocation: &Invocation, at: &Surroundings) -> Result<String, Entangled> {
    match invocation.option(&["--dir", "-C", "--prefix"]) {
        None => corepack::here(at),
        Some(Knowledge::Known(folder)) => Ok(join(&corepack::here(at)?, &folder)),
        Some(Knowledge::Unknown) => Err(not_seen("the folder behind --dir is not known".to_owned())),
    }
}

/// A command that reads nothing but the version of pnpm in package.json.
fn program(project: &dyn Project, here: &str, unpinned: Option<String>) -> Answer {
    let mut reading = Reading::new(project, here);
    corepack::launcher(&mut reading, here)?;
    Ok(Some(Dependencies { unpinned, ..reading.finish() }))
}

struct Install<'i> {
    invocation: &'i Invocation,
    at: &'i Surroundings<'i>,
    packages: Vec<&'i str>,
    here: String,
}

/// Where pnpm takes settings from, apart from options and the environment.
struct Settings {
    npmrc: Npmrc,
    /// `pnpm-workspace.yaml`.
    workspace: Value,
}

impl Install<'_> {
    fn read(&self, project: &dyn Project) -> Answer {
        let root = self.root(&Reading::new(project, &self.here));
        let mut reading = Reading::new(project, &root);
        match self.whole(&mut reading) {
            Ok(()) => Ok(Some(reading.finish())),
            Err(Entangled::NeedsSource { because }) => match self.first_half(project, &root) {
                Some(half) => Ok(Some(half)),
                None => Err(Entangled::NeedsSource { because }),
            },
            Err(other) => Err(other),
        }
    }

    fn root(&self, reading: &Reading<'_>) -> String {
        let alone = switch(self.invocation, "ignore-workspace") == Some(true);
        let workspace = workspaces::nearest(reading, &self.here, "pnpm-workspace.yaml").filter(|_| !alone);
        workspace.or_else(|| workspaces::nearest(reading, &self.here, "package.json")).unwrap_or_else(|| self.here.clone())
    }

    fn settings(&self, reading: &mut Reading<'_>) -> Result<Settings, Entangled> {
        let root = reading.root().to_owned();
        let npmrc = Npmrc::read(reading, &root)?;
        let path = join(&root, "pnpm-workspace.yaml");
        let workspace = if reading.optional(&path) { yaml::read(reading, &path)? } else { Value::Null };
        Ok(Settings { npmrc, workspace })
    }

    fn whole(&self, reading: &mut Reading<'_>) -> Result<(), Entangled> {
        let root = reading.root().to_owned();
        let settings = self.settings(reading)?;
        corepack::launcher(reading, &root)?;
        let manifests = self.manifests(reading, &settings)?;
        self.refuse_copies_of_members(reading, &settings, &manifests)?;
        let locks = self.locks(reading, &settings, &manifests)?;
        self.hooks_and_patches(reading, &settings, manifests.first())?;
        let linked = local::read(reading, &manifests, Rules { file: Folder::Copied, link_reads_manifest: true })?;
        if let Some(package) = self.packages.iter().find(|package| local::is_local(package)) {
            return Err(not_seen(format!("pnpm add {package}: what it reads is not looked into")));
        }
        let text = locks.first().map(|lock| reading.text(lock)).transpose()?;
        if self.value(&settings, "ignore-scripts").as_deref() != Some("true") {
            if let Some(first) = manifests.first().filter(|first| first.folder == root) {
                scripts::read(reading, first, &["pnpm:devPreinstall"])?;
            }
            for manifest in manifests.iter().chain(&linked) {
                scripts::read(reading, manifest, EVENTS)?;
            }
            hooks::read(reading, &manifests, text.as_deref())?;
        }
        let wanted = |member: &&Manifest| {
            member.string("name").is_some_and(|name| {
                let alias = format!("workspace:{name}@");
                manifests
                    .iter()
                    .any(|manifest| manifest.dependencies().any(|(_, asked, spec)| asked == name || spec.starts_with(&alias)))
            })
        };
        bins::read(reading, manifests.iter().filter(wanted).chain(&linked))?;
        self.makes(reading, &settings, &manifests)?;
        self.writes_back(reading, &settings, &manifests, &locks, text.as_deref());
        let unlocked = locks.is_empty().then(|| "package.json has no pnpm-lock.yaml beside it".to_owned());
        reading.answer().unpinned = unlocked.or_else(|| versions::unpinned(self.packages.iter().copied()));
        Ok(())
    }

    fn manifests(&self, reading: &mut Reading<'_>, settings: &Settings) -> Result<Vec<Manifest>, Entangled> {
        let root = reading.root().to_owned();
        let mut manifests = Vec::new();
        // A workspace's root needs no package.json of its own.
        if settings.workspace.is_null() || reading.is_file(&join(&root, "package.json")) {
            manifests.push(Manifest::read(reading, &root, "pnpm install")?);
        }
        let patterns = match settings.workspace.get("packages").and_then(Value::as_array) {
            Some(patterns) => patterns.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => Vec::new(),
        };
        for member in workspaces::members(reading, &root, &patterns)? {
            manifests.push(Manifest::read(reading, &member, "pnpm install")?);
            reading.optional(&join(&member, ".npmrc"));
        }
        Ok(manifests)
    }

    /// Members that are copied into node_modules instead of linked.
    fn refuse_copies_of_members(
        &self,
        reading: &Reading<'_>,
        settings: &Settings,
        manifests: &[Manifest],
    ) -> Result<(), Entangled> {
        if self.value(settings, "inject-workspace-packages").as_deref() == Some("true") {
            return Err(needs_source("inject-workspace-packages has pnpm copy the members' sources".to_owned()));
        }
        for manifest in manifests {
            let injected = |meta: &Value| meta.get("injected").and_then(Value::as_bool) == Some(true);
            if manifest.map("dependenciesMeta").values().any(injected) {
                let place = manifest.place(reading, "injected");
                return Err(needs_source(format!("{place}: an injected dependency is copied with its source")));
            }
            if manifest.field("publishConfig").is_some_and(|publish| publish.get("directory").is_some()) {
                let place = manifest.place(reading, "publishConfig");
                return Err(needs_source(format!("{place}: the member is linked by a folder that a build makes")));
            }
        }
        Ok(())
    }

    fn locks(&self, reading: &mut Reading<'_>, settings: &Settings, manifests: &[Manifest]) -> Result<Vec<String>, Entangled> {
        if self.value(settings, "lockfile").as_deref() == Some("false") {
            return Ok(Vec::new());
        }
        if self.value(settings, "lockfile-dir").is_some() || self.value(settings, "git-branch-lockfile").is_some() {
            return Err(not_seen("the lock file has another place or name".to_owned()));
        }
        let mut folders = vec![reading.root().to_owned()];
        if self.value(settings, "shared-workspace-lockfile").as_deref() == Some("false") {
            folders.extend(manifests.iter().skip(1).map(|manifest| manifest.folder.clone()));
        }
        let mut locks: Vec<String> = folders.iter().map(|folder| join(folder, "pnpm-lock.yaml")).collect();
        locks.retain(|lock| reading.optional(lock));
        Ok(locks)
    }

    /// `.pnpmfile.cjs`, and the files of `patchedDependencies`.
    fn hooks_and_patches(
        &self,
        reading: &mut Reading<'_>,
        settings: &Settings,
        first: Option<&Manifest>,
    ) -> Result<(), Entangled> {
        let root = reading.root().to_owned();
        let named = self.value(settings, "pnpmfile");
        let files = named.as_deref().map_or_else(|| vec![".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"], |file| vec![file]);
        if self.value(settings, "ignore-pnpmfile").as_deref() != Some("true") {
            for file in files.into_iter().map(|file| join(&root, file)) {
                if reading.optional(&file) {
                    let text = reading.text(&file)?;
                    let loads = ["'./", "\"./", "`./", "'../", "\"../", "__dirname", "readFile", "process.cwd"];
                    if loads.iter().any(|word| text.contains(word)) {
                        let name = reading.name(&file);
                        return Err(needs_source(format!("{name} reads other files of the project")));
                    }
                }
            }
        }
        let in_manifest = first.and_then(|first| first.field("pnpm")?.get("patchedDependencies"));
        for patches in [in_manifest, settings.workspace.get("patchedDependencies")].into_iter().flatten() {
            for patch in patches.as_object().into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_str) {
                reading.required(&join(&root, patch), "patchedDependencies")?;
            }
        }
        let overrides = settings.workspace.get("overrides").and_then(Value::as_object);
        let local = |value: &Value| value.as_str().is_some_and(local::is_local);
        if overrides.is_some_and(|overrides| overrides.values().any(local)) {
            return Err(not_seen("pnpm-workspace.yaml overrides a package with a folder".to_owned()));
        }
        Ok(())
    }

    fn makes(&self, reading: &mut Reading<'_>, settings: &Settings, manifests: &[Manifest]) -> Result<(), Entangled> {
        let name = self.value(settings, "modules-dir").unwrap_or_else(|| "node_modules".to_owned());
        for manifest in manifests {
            reading.answer().makes.push(join(&manifest.folder, &name));
        }
        let root = reading.root().to_owned();
        reading.answer().makes.push(join(&root, &name));
        if let Some(store) = self.value(settings, "virtual-store-dir") {
            reading.answer().makes.push(join(&root, &store));
        }
        Ok(())
    }

    fn writes_back(
        &self,
        reading: &mut Reading<'_>,
        settings: &Settings,
        manifests: &[Manifest],
        locks: &[String],
        text: Option<&str>,
    ) {
        if !self.packages.is_empty() {
            reading.answer().rewrites.push(join(&self.here, "package.json"));
        }
        let frozen = match self.value(settings, "frozen-lockfile").as_deref() {
            Some(value) => value == "true",
            None => {
                yes(self.at.non_empty("CI"))
                    || matches!(words(self.invocation).first(), Some(&("ci" | "clean-install" | "ic" | "install-clean")))
            }
        };
        let major = self.major(manifests.first());
        let plain = self.value(settings, "prefer-frozen-lockfile").is_none()
            && self.value(settings, "auto-install-peers").is_none()
            && self.value(settings, "exclude-links-from-lockfile").is_none()
            && switch(self.invocation, "fix-lockfile").is_none()
            && switch(self.invocation, "force").is_none()
            && settings.workspace.as_object().is_none_or(|map| map.keys().all(|key| is_without_effect(key)));
        let kept = plain && locks.len() == 1 && text.is_some_and(|text| lock::is_kept(text, reading.root(), manifests, major));
        if !(self.packages.is_empty() && (frozen || kept)) {
            reading.answer().rewrites.extend(locks.iter().cloned());
        }
    }

    /// The major version of pnpm: what package.json asks for, else what an earlier command installed.
    fn major(&self, first: Option<&Manifest>) -> Option<u32> {
        match first.and_then(Manifest::manager) {
            Some(("pnpm", version)) => version.split('.').next()?.parse().ok(),
            _ => Provided::by(self.at.earlier).major,
        }
    }

    /// A setting by its name with hyphens, wherever it is set.
    fn value(&self, settings: &Settings, key: &str) -> Option<String> {
        if let Some(on) = switch(self.invocation, key) {
            return Some(on.to_string());
        }
        if let Some((value, _)) = setting(self.invocation, self.at, key) {
            // What can't be seen is neither on nor off.
            return Some(value.into_known().unwrap_or_else(|| "?".to_owned()));
        }
        let in_workspace = match settings.workspace.get(camel(key)) {
            Some(Value::Bool(on)) => Some(on.to_string()),
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        in_workspace.or_else(|| settings.npmrc.get(key).map(str::to_owned))
    }

    /// `pnpm fetch` reads the lock, and what says how packages are laid out and built.
    fn fetch(&self, project: &dyn Project) -> Answer {
        let root = self.root(&Reading::new(project, &self.here));
        let mut reading = Reading::new(project, &root);
        self.fetched(&mut reading)?;
        Ok(Some(reading.finish()))
    }

    fn fetched(&self, reading: &mut Reading<'_>) -> Result<(), Entangled> {
        let root = reading.root().to_owned();
        let settings = self.settings(reading)?;
        let locks = self.locks(reading, &settings, &[])?;
        if locks.is_empty() {
            reading.required(&join(&root, "pnpm-lock.yaml"), "pnpm fetch")?;
        }
        let first = if reading.optional(&join(&root, "package.json")) { Some(Manifest::at(reading, &root)?) } else { None };
        self.hooks_and_patches(reading, &settings, first.as_ref())?;
        let text = reading.text(&join(&root, "pnpm-lock.yaml"))?;
        // Archives and folders of the project stand in the lock by their path.
        if text.contains("file:") {
            return Err(not_seen("pnpm-lock.yaml has packages that lie in the project".to_owned()));
        }
        self.makes(reading, &settings, &[])
    }

    /// `pnpm fetch` above the source, and the install below it as it is.
    fn first_half(&self, project: &dyn Project, root: &str) -> Option<Dependencies> {
        let plain = self.invocation.wrappers.is_empty() && self.invocation.variables.is_empty() && self.packages.is_empty();
        if !plain {
            return None;
        }
        let mut command = format!("{} fetch", self.invocation.path);
        let mut value = false;
        for word in &self.invocation.arguments {
            let known = word.value.known().map_or("", String::as_str);
            let keeps = matches!(known, "--prod" | "-P" | "--production" | "--dev" | "-D" | "--prod=false" | "--ignore-scripts");
            let takes = matches!(known, "--dir" | "-C" | "--store-dir");
            let drops = matches!(known, "install" | "i" | "recursive" | "multi" | "m" | "-r" | "--recursive")
                || matches!(known, "--frozen-lockfile" | "--silent" | "-s" | "--prefer-offline");
            if keeps || takes || value || known.starts_with("--store-dir=") {
                command = format!("{command} {}", word.raw);
            } else if !drops {
                return None;
            }
            value = takes;
        }
        let mut reading = Reading::new(project, root);
        self.fetched(&mut reading).ok()?;
        let mut answer = reading.finish();
        answer.part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: true };
        Some(answer)
    }
}

/// Settings in pnpm-workspace.yaml that do not show in the lock.
fn is_without_effect(key: &str) -> bool {
    matches!(
        key,
        "packages"
            | "onlyBuiltDependencies"
            | "ignoredBuiltDependencies"
            | "neverBuiltDependencies"
            | "shamefullyHoist"
            | "hoist"
            | "hoistPattern"
            | "publicHoistPattern"
            | "nodeLinker"
            | "engineStrict"
            | "minimumReleaseAge"
            | "minimumReleaseAgeExclude"
            | "trustPolicy"
            | "trustPolicyExclude"
            | "sharedWorkspaceLockfile"
            | "strictDepBuilds"
            | "verifyDepsBeforeRun"
            | "allowBuilds"
    )
}

/// `node-linker` as `nodeLinker`.
fn camel(key: &str) -> String {
    let mut parts = key.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut whole, part| {
        let mut letters = part.chars();
        whole.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        whole.push_str(letters.as_str());
        whole
    })
}

#[cfg(test)]
mod tests;
