//! What an install by Yarn 2 or later reads of a project.
//!
//! Owns: `.yarnrc.yml` and what it loads, which scripts run, what is made where. Never does: tell which Yarn runs.
//!
//! From: the manual of Yarn's settings, protocols and install (3 and 4), and runs of 3.8 and 4.18.

use super::manifests::{Install, starts};
use crate::ecosystems::node::format::is_canonical;
use crate::ecosystems::node::local::{Folder, Rules};
use crate::ecosystems::node::reading::{Reading, join, needs_source, not_seen, outwards};
use crate::ecosystems::node::words::{switch, yes};
use crate::ecosystems::node::{Answer, Manifest, bins, corepack, hooks, local, scripts, versions, workspaces, yaml};
use crate::ecosystems::{Entangled, Part, Project, Surroundings};
use crate::knowledge::Knowledge;
use serde_json::Value;

const EVENTS: &[&str] = &["preinstall", "install", "postinstall"];

pub(super) fn read(install: &Install<'_>, project: &dyn Project, root: &str) -> Answer {
    let mode = install.invocation.option(&["--mode"]);
    let builds = match &mode {
        None => true,
        Some(Knowledge::Known(mode)) if mode == "skip-build" => false,
        Some(_) => return Ok(None),
    };
    let mut reading = Reading::new(project, root);
    match whole(install, &mut reading, builds) {
        Ok(()) => Ok(Some(reading.finish())),
        Err(Entangled::NeedsSource { because }) => {
            let plain = install.invocation.wrappers.is_empty() && install.invocation.variables.is_empty();
            let mut reading = Reading::new(project, root);
            let half = builds && plain && !install.focus && install.packages.is_empty();
            if !half || whole(install, &mut reading, false).is_err() {
                return Err(Entangled::NeedsSource { because });
            }
            // The install below the source finds all in place, and builds what was not.
            let words: Vec<&str> = install.invocation.arguments.iter().map(|word| word.raw.as_str()).collect();
            let subcommand = if install.invocation.subcommand(super::WITH_VALUE).is_some() { "" } else { " install" };
            let gap = if words.is_empty() { "" } else { " " };
            let command = format!("{}{gap}{}{subcommand} --mode=skip-build", install.invocation.path, words.join(" "));
            let mut answer = reading.finish();
            // The second half writes them again, from what the source brings.
            answer.rewrites.clear();
            answer.part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: false };
            Ok(Some(answer))
        }
        Err(other) => Err(other),
    }
}

fn whole(install: &Install<'_>, reading: &mut Reading<'_>, builds: bool) -> Result<(), Entangled> {
    let root = reading.root().to_owned();
    starts(reading, &install.here)?;
    let settings = configuration(reading, &root)?;
    corepack::launcher(reading, &root)?;
    let manifests = manifests(reading, &root)?;
    let lock = join(&root, "yarn.lock");
    let lock = reading.optional(&lock).then_some(lock);
    let linked = local::read(reading, &manifests, Rules { file: Folder::Copied, link_reads_manifest: false })?;
    let text = lock.as_deref().map(|lock| reading.text(lock)).transpose()?;
    let linker = Linker::of(install.at, &settings)?;
    if builds {
        for manifest in manifests.iter().chain(&linked) {
            scripts::read(reading, manifest, EVENTS)?;
        }
        hooks::read(reading, &manifests, text.as_deref())?;
    }
    if linker != Linker::PlugAndPlay {
        bins::read(reading, manifests.iter().chain(&linked))?;
    }
    makes(install.at, reading, &settings, &manifests, linker, text.as_deref())?;
    if let Some(lock) = lock.as_ref().filter(|_| !(install.focus || is_immutable(install, &settings))) {
        reading.answer().rewrites.push(lock.clone());
    }
    for manifest in manifests.iter().filter(|manifest| !install.focus && !is_canonical(manifest)) {
        reading.answer().rewrites.push(manifest.path.clone());
    }
    if !install.packages.is_empty() {
        reading.answer().rewrites.push(join(&install.here, "package.json"));
    }
    let unlocked = lock.is_none().then(|| "package.json has no yarn.lock beside it".to_owned());
    reading.answer().unpinned = unlocked.or_else(|| versions::unpinned(install.packages.iter().copied()));
    Ok(())
}

/// Members may have members of their own.
fn manifests(reading: &mut Reading<'_>, root: &str) -> Result<Vec<Manifest>, Entangled> {
    let mut manifests = vec![Manifest::read(reading, root, "yarn install")?];
    let mut next = 0;
    while let Some(manifest) = manifests.get(next) {
        let folder = manifest.folder.clone();
        for member in workspaces::members(reading, &folder, &workspaces::patterns(manifest))? {
            if manifests.iter().all(|known| known.folder != member) {
                manifests.push(Manifest::read(reading, &member, "yarn install")?);
            }
        }
        next += 1;
    }
    Ok(manifests)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Linker {
    PlugAndPlay,
    /// `node-modules` and `pnpm`.
    Folders,
}

impl Linker {
    fn of(at: &Surroundings, settings: &Value) -> Result<Self, Entangled> {
        let named = match at.non_empty("YARN_NODE_LINKER") {
            Some(Knowledge::Known(linker)) => Some(linker),
            Some(Knowledge::Unknown) => return Err(not_seen("the value of YARN_NODE_LINKER is not known".to_owned())),
            None => settings.get("nodeLinker").and_then(Value::as_str),
        };
        Ok(if matches!(named, Some("node-modules" | "pnpm")) { Self::Folders } else { Self::PlugAndPlay })
    }
}

fn makes(
    at: &Surroundings,
    reading: &mut Reading<'_>,
    settings: &Value,
    manifests: &[Manifest],
    linker: Linker,
    lock: Option<&str>,
) -> Result<(), Entangled> {
    let root = reading.root().to_owned();
    let mut made = vec![join(&root, ".yarn/install-state.gz")];
    let version = lock.and_then(|lock| lock.split_once("__metadata:")?.1.trim_start().strip_prefix("version: ")?.lines().next());
    let old = version.and_then(|version| version.trim().parse::<u32>().ok()).is_some_and(|version| version < 8);
    if old {
        made.push(join(&root, ".yarn/build-state.yml"));
    }
    match linker {
        Linker::Folders => made.extend(manifests.iter().map(|manifest| join(&manifest.folder, "node_modules"))),
        Linker::PlugAndPlay => {
            made.push(join(&root, ".yarn/unplugged"));
            for name in [".pnp.cjs", ".pnp.loader.mjs"] {
                let path = join(&root, name);
                // One that is part of the repository is written anew.
                if reading.is_file(&path) {
                    reading.answer().rewrites.push(path);
                } else {
                    made.push(path);
                }
            }
        }
    }
    let global = match at.non_empty("YARN_ENABLE_GLOBAL_CACHE") {
        Some(Knowledge::Known(value)) => Some(!matches!(value, "0" | "false")),
        Some(Knowledge::Unknown) => return Err(not_seen("the value of YARN_ENABLE_GLOBAL_CACHE is not known".to_owned())),
        None => settings.get("enableGlobalCache").and_then(Value::as_bool),
    };
    let cache = join(&root, settings.get("cacheFolder").and_then(Value::as_str).unwrap_or(".yarn/cache"));
    if reading.is_folder(&cache) {
        reading.optional_folder(&cache);
    } else if !global.unwrap_or(!old && version.is_some()) && !cache.contains('~') {
        made.push(cache);
    }
    reading.answer().makes.append(&mut made);
    Ok(())
}

/// Whether Yarn fails rather than change the lock.
fn is_immutable(install: &Install<'_>, settings: &Value) -> bool {
    let option = ["immutable", "frozen-lockfile"].iter().find_map(|name| switch(install.invocation, name));
    let setting = settings.get("enableImmutableInstalls").and_then(Value::as_bool);
    let variable = install.at.non_empty("YARN_ENABLE_IMMUTABLE_INSTALLS");
    option.unwrap_or_else(|| match (variable, setting) {
        (Some(Knowledge::Known(value)), _) => !matches!(value, "0" | "false"),
        (Some(Knowledge::Unknown), _) => false,
        (None, Some(setting)) => setting,
        (None, None) => yes(install.at.non_empty("CI")),
    })
}

/// The program that the nearest `.yarnrc.yml` names, as written.
pub(super) fn program(reading: &Reading<'_>, folder: &str) -> Result<Option<String>, Entangled> {
    for folder in outwards(folder) {
        let path = join(folder, ".yarnrc.yml");
        if reading.is_file(&path) {
            let settings = yaml::read(reading, &path)?;
            if let Some(program) = settings.get("yarnPath").and_then(Value::as_str) {
                return Ok(Some(program.to_owned()));
            }
        }
    }
    Ok(None)
}

/// The `.yarnrc.yml` of a folder, which becomes part of the answer with what it loads. An empty map where there is none.
pub(super) fn configuration(reading: &mut Reading<'_>, folder: &str) -> Result<Value, Entangled> {
    let path = join(folder, ".yarnrc.yml");
    if !reading.optional(&path) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let settings = yaml::read(reading, &path)?;
    if let Some(program) = settings.get("yarnPath").and_then(Value::as_str) {
        reading.required(&join(folder, program), "yarnPath in .yarnrc.yml")?;
    }
    for plugin in settings.get("plugins").and_then(Value::as_array).into_iter().flatten() {
        let path = plugin.as_str().or_else(|| plugin.get("path").and_then(Value::as_str));
        // What begins with @ is a plugin of Yarn's own.
        if let Some(path) = path.filter(|path| !path.starts_with('@')) {
            reading.required(&join(folder, path), "a plugin in .yarnrc.yml")?;
        }
    }
    for key in ["caFilePath", "httpsCaFilePath", "httpsCertFilePath", "httpsKeyFilePath"] {
        if let Some(file) = settings.get(key).and_then(Value::as_str) {
            reading.optional(&join(folder, file));
        }
    }
    let environment = settings.get("injectEnvironmentFiles").and_then(Value::as_array);
    match environment {
        None => {
            reading.optional(&join(folder, ".env.yarn"));
        }
        Some(files) => {
            for file in files.iter().filter_map(Value::as_str) {
                reading.optional(&join(folder, file.trim_end_matches('?')));
            }
        }
    }
    let name = reading.name(&path).to_owned();
    if settings.get("enableConstraintsChecks") == Some(&Value::Bool(true)) {
        return Err(needs_source(format!("{name}: enableConstraintsChecks runs the project's constraints on each install")));
    }
    if settings.get("lockfileFilename").is_some() || settings.get("installStatePath").is_some() {
        return Err(not_seen(format!("{name}: the lock file or the install state has another name")));
    }
    Ok(settings)
}
