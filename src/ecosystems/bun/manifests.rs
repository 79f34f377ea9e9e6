//! What Bun's package manager reads of a project.
//!
//! Owns: Bun's own rules: its lock files, `bunfig.toml`, which scripts run. Never does: know what package.json leads to.
//!
//! From: Bun's manual (`bun install`, lockfile, bunfig, workspaces, patch, lifecycle) and runs of 1.4.

use super::{WITH_VALUE, words};
use crate::ecosystems::node::local::{Folder, Rules};
use crate::ecosystems::node::npmrc::Npmrc;
use crate::ecosystems::node::reading::{Reading, join, not_seen};
use crate::ecosystems::node::words::{packages, switch};
use crate::ecosystems::node::{Answer, Manifest, bins, corepack, hooks, local, nothing, scripts, versions, workspaces};
use crate::ecosystems::{Dependencies, Entangled, Invocation, Project, Surroundings, Wrapper};
use crate::knowledge::Knowledge;

const ROOT_EVENTS: &[&str] = &["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"];
const MEMBER_EVENTS: &[&str] = &["preinstall", "install", "postinstall", "prepare"];

/// Options that take the next word, behind the subcommand.
const OPTIONS: &[&str] = &["--omit", "--concurrent-scripts", "--network-concurrency", "--cafile", "--ca", "--os", "--cpu"];

/// What a `bun` command reads of the project.
pub(super) fn dependencies(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    if invocation.flag(&["--version", "-v", "--revision", "--help", "-h"]).is_some() {
        return nothing();
    }
    let words = words(invocation);
    let (first, second) = (words.first().copied().unwrap_or_default(), words.get(1).copied().unwrap_or_default());
    let global = invocation.flag(&["-g", "--global"]).is_some();
    match (first, second) {
        ("pm", "cache" | "bin" | "whoami") => nothing(),
        ("install" | "i" | "add" | "a" | "ci", _) => {
            let valued: Vec<&str> = WITH_VALUE.iter().chain(OPTIONS).copied().collect();
            let index = invocation.subcommand(WITH_VALUE).map(|(index, _)| index);
            let named = packages(invocation, index, &valued)?;
            if global {
                let unpinned = versions::unpinned(named.iter().copied());
                let local = named.is_empty() || named.iter().any(|spec| local::is_local(spec));
                return Ok((!local).then(|| Dependencies { unpinned, ..Dependencies::default() }));
            }
            Install { invocation, packages: named, ci: first == "ci", here: folder(invocation, at)? }.read(project)
        }
        ("update" | "remove" | "rm", _) if global => nothing(),
        _ => Ok(None),
    }
}

fn folder(invocation: &Invocation, at: &Surroundings) -> Result<String, Entangled> {
    match invocation.option(&["--cwd"]) {
        None => corepack::here(at),
        Some(Knowledge::Known(folder)) => Ok(join(&corepack::here(at)?, &folder)),
        Some(Knowledge::Unknown) => Err(not_seen("the folder behind --cwd is not known".to_owned())),
    }
}

struct Install<'i> {
    invocation: &'i Invocation,
    packages: Vec<&'i str>,
    ci: bool,
    here: String,
}

impl Install<'_> {
    fn read(&self, project: &dyn Project) -> Answer {
        let reading = Reading::new(project, &self.here);
        let nearest = workspaces::nearest(&reading, &self.here, "package.json").unwrap_or_else(|| self.here.clone());
        let root = if reading.is_file(&join(&nearest, "package.json")) {
            workspaces::root_around(&reading, &nearest)?.unwrap_or(nearest)
        } else {
            nearest
        };
        let mut reading = Reading::new(project, &root);
        let first = Manifest::read(&mut reading, &root, "bun install")?;
        let settings = self.settings(&mut reading)?;
        Npmrc::read(&mut reading, &root)?;
        let mut manifests = vec![first];
        for member in manifests
            .first()
            .map(|first| workspaces::members(&reading, &root, &workspaces::patterns(first)))
            .transpose()?
            .unwrap_or_default()
        {
            manifests.push(Manifest::read(&mut reading, &member, "bun install")?);
        }
        let lock = self.lock(&mut reading, &settings)?;
        self.patches(&mut reading, &manifests)?;
        let linked = local::read(&mut reading, &manifests, Rules { file: Folder::Copied, link_reads_manifest: false })?;
        if !(switch(self.invocation, "ignore-scripts") == Some(true) || settings.is("ignoreScripts")) {
            for (index, manifest) in manifests.iter().chain(&linked).enumerate() {
                scripts::read(&mut reading, manifest, if index == 0 { ROOT_EVENTS } else { MEMBER_EVENTS })?;
            }
            // The old lock is no text; then only what is asked for directly is known.
            let text = lock.as_deref().filter(|lock| !lock.ends_with('b')).map(|lock| reading.text(lock)).transpose()?;
            hooks::read(&mut reading, &manifests, text.as_deref())?;
        }
        let asked = |member: &&Manifest| {
            member.string("name").is_some_and(|name| manifests.iter().any(|manifest| manifest.depends_on(name)))
        };
        bins::read(&mut reading, manifests.iter().skip(1).filter(asked).chain(&linked))?;
        for manifest in &manifests {
            reading.answer().makes.push(join(&manifest.folder, "node_modules"));
        }
        self.writes_back(&mut reading, &settings, lock.as_deref());
        let unlocked = lock.is_none().then(|| "package.json has no bun.lock beside it".to_owned());
        reading.answer().unpinned = unlocked.or_else(|| versions::unpinned(self.packages.iter().copied()));
        Ok(Some(reading.finish()))
    }

    fn settings(&self, reading: &mut Reading<'_>) -> Result<Bunfig, Entangled> {
        let named = match self.invocation.option(&["--config", "-c"]) {
            None => "bunfig.toml".to_owned(),
            Some(Knowledge::Known(path)) => path,
            Some(Knowledge::Unknown) => return Err(not_seen("the file behind --config is not known".to_owned())),
        };
        let path = join(reading.root(), &named);
        if !reading.optional(&path) {
            return Ok(Bunfig(toml_edit::DocumentMut::new()));
        }
        let document = reading.text(&path)?.parse::<toml_edit::DocumentMut>();
        document.map(Bunfig).map_err(|_| not_seen(format!("{} is not valid TOML", reading.name(&path))))
    }

    /// Bun's lock, or the one of another manager, which Bun takes its first versions from.
    fn lock(&self, reading: &mut Reading<'_>, settings: &Bunfig) -> Result<Option<String>, Entangled> {
        let root = reading.root().to_owned();
        for name in ["bun.lock", "bun.lockb"] {
            let path = join(&root, name);
            if reading.optional(&path) {
                return Ok(Some(path));
            }
        }
        if self.ci || switch(self.invocation, "frozen-lockfile") == Some(true) || settings.is("frozenLockfile") {
            reading.required(&join(&root, "bun.lock"), "bun install with a frozen lock file")?;
        }
        let others = ["package-lock.json", "yarn.lock", "pnpm-lock.yaml"].map(|name| join(&root, name));
        let found: Vec<String> = others.into_iter().filter(|path| reading.optional(path)).collect();
        if found.iter().any(|path| path.ends_with("pnpm-lock.yaml")) {
            reading.optional(&join(&root, "pnpm-workspace.yaml"));
        }
        Ok(None)
    }

    fn patches(&self, reading: &mut Reading<'_>, manifests: &[Manifest]) -> Result<(), Entangled> {
        let Some(first) = manifests.first() else { return Ok(()) };
        let patches: Vec<String> =
            first.map("patchedDependencies").values().filter_map(|path| path.as_str()).map(str::to_owned).collect();
        for patch in patches {
            reading.required(&join(&first.folder, &patch), "patchedDependencies")?;
        }
        Ok(())
    }

    fn writes_back(&self, reading: &mut Reading<'_>, settings: &Bunfig, lock: Option<&str>) {
        let on = |name| switch(self.invocation, name) == Some(true);
        if !self.packages.is_empty() {
            reading.answer().rewrites.push(join(&self.here, "package.json"));
        }
        let frozen = self.ci || on("frozen-lockfile") || on("production") || self.invocation.flag(&["-p"]).is_some();
        let frozen = frozen
            || settings.is("frozenLockfile")
            || settings.is("production")
            || switch(self.invocation, "save") == Some(false);
        if let Some(lock) = lock.filter(|_| !frozen || !self.packages.is_empty()) {
            reading.answer().rewrites.push(lock.to_owned());
        }
    }
}

struct Bunfig(toml_edit::DocumentMut);

impl Bunfig {
    /// Whether a switch in `[install]` is on.
    fn is(&self, key: &str) -> bool {
        self.0.get("install").and_then(|install| install.get(key)?.as_bool()) == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};
    use crate::ecosystems::{Ecosystem, bun::Bun};

    fn ask(command: &str, files: &[(&str, &str)]) -> Answer {
        Bun.dependencies(&invocation(&command.split(' ').collect::<Vec<_>>()), &in_project("oven/bun:1"), &Files::new(files))
    }

    fn get(command: &str, files: &[(&str, &str)]) -> Dependencies {
        ask(command, files).unwrap().unwrap()
    }

    fn names(paths: &[String]) -> Vec<&str> {
        paths.iter().map(|path| path.trim_start_matches("/app/")).collect()
    }

    #[test]
    fn manifests_lock_settings_and_patches() {
        let package = r#"{"workspaces": ["packages/*"], "patchedDependencies": {"ms@2": "patches/ms.patch"}, "scripts": {"prepare": "husky"}}"#;
        let project = [
            ("package.json", package),
            ("bun.lock", "{}"),
            ("bunfig.toml", "[install]\nexact = true\n"),
            ("packages/a/package.json", "{}"),
            ("patches/ms.patch", ""),
            ("index.ts", ""),
        ];
        for command in
            ["bun install --frozen-lockfile", "bun ci", "bun i --production", "bun --cwd /app install --frozen-lockfile"]
        {
            let answer = get(command, &project);
            let expected = ["bun.lock", "bunfig.toml", "package.json", "packages/a/package.json", "patches/ms.patch"];
            assert_eq!(names(&answer.files), expected, "{command}");
            assert_eq!(names(&answer.makes), ["node_modules", "packages/a/node_modules"]);
            assert!(answer.rewrites.is_empty());
        }
        assert_eq!(get("bun install", &project).rewrites, ["/app/bun.lock"]);
        assert_eq!(names(&get("bun add x@1.0.0", &project).rewrites), ["bun.lock", "package.json"]);
    }

    #[test]
    fn other_locks_and_scripts() {
        let answer = get("bun install", &[("package.json", "{}"), ("yarn.lock", "")]);
        assert_eq!(names(&answer.files), ["package.json", "yarn.lock"]);
        assert!(answer.unpinned.is_some() && answer.rewrites.is_empty());
        assert!(matches!(ask("bun ci", &[("package.json", "{}")]), Err(Entangled::Missing { .. })));
        let script = [("package.json", r#"{"scripts": {"postinstall": "bun run build", "build": "tsc"}}"#), ("bun.lockb", "")];
        assert!(matches!(ask("bun install", &script), Err(Entangled::NeedsSource { .. })));
        assert!(ask("bun install --ignore-scripts", &script).is_ok());
    }

    #[test]
    fn commands_that_read_nothing_or_anything() {
        for command in ["bun add -g serve@14.2.0", "bun pm cache rm", "bun --version"] {
            assert_eq!(ask(command, &[("package.json", "{}")]), nothing(), "{command}");
        }
        for command in ["bun run build", "bun build x.ts", "bun index.ts", "bun update", "bun test", "bun"] {
            assert_eq!(ask(command, &[("package.json", "{}")]), Ok(None), "{command}");
        }
    }
}
