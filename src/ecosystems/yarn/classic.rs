//! What an install by Yarn 1 reads of a project.
//!
//! Owns: its configuration files, which scripts it runs, when it writes its lock. Never does: tell which Yarn runs.
//!
//! From: the sources of Yarn 1.22 (`install`, `config`, `package-install-scripts`, `link-resolver`) and runs of it.

use super::manifests::{Install, starts};
use super::{lock, variable};
use crate::ecosystems::node::local::{Folder, Rules};
use crate::ecosystems::node::npmrc::Npmrc;
use crate::ecosystems::node::reading::{Reading, join, not_seen, outwards};
use crate::ecosystems::node::words::{switch, yes};
use crate::ecosystems::node::{Answer, Manifest, bins, hooks, local, scripts, versions, workspaces};
use crate::ecosystems::{Entangled, Project};
use crate::knowledge::Knowledge;

const EVENTS: &[&str] = &["preinstall", "install", "postinstall"];
/// Only of the root, and not in production.
const DEVELOPMENT_EVENTS: &[&str] = &["prepublish", "prepare"];

pub(super) fn read(install: &Install<'_>, project: &dyn Project, root: &str) -> Answer {
    let mut reading = Reading::new(project, root);
    if install.invocation.flag(&["--pnp", "--enable-pnp"]).is_some() {
        return Err(not_seen("what Yarn 1 reads under Plug'n'Play is not looked into".to_owned()));
    }
    starts(&mut reading, &install.here)?;
    let rc = configuration(&mut reading, root)?;
    let mut npm_off = false;
    for folder in outwards(&install.here).map(str::to_owned).collect::<Vec<_>>() {
        npm_off |= Npmrc::read(&mut reading, &folder)?.is_on("ignore-scripts");
    }
    let manifests = manifests(&mut reading, root)?;
    let lock = lock_file(install, &mut reading, &rc);
    let linked = local::read(&mut reading, &manifests, Rules { file: Folder::Copied, link_reads_manifest: true })?;
    let text = lock.as_deref().map(|lock| reading.text(lock)).transpose()?;
    if !(switch(install.invocation, "ignore-scripts") == Some(true) || rc.has("ignore-scripts") || npm_off) {
        run_scripts(install, &mut reading, &manifests, &linked, text.as_deref())?;
    }
    bins::read(&mut reading, manifests.iter().skip(1).chain(&linked))?;
    match install.invocation.option(&["--modules-folder"]) {
        None => {
            for manifest in &manifests {
                reading.answer().makes.push(join(&manifest.folder, "node_modules"));
            }
        }
        Some(Knowledge::Known(folder)) => reading.answer().makes.push(join(&install.here, &folder)),
        Some(Knowledge::Unknown) => return Err(not_seen("the folder behind --modules-folder is not known".to_owned())),
    }
    let saves = !install.packages.is_empty();
    let frozen = ["frozen-lockfile", "pure-lockfile"];
    let frozen = frozen.iter().any(|name| switch(install.invocation, name) == Some(true) || rc.has(name));
    let kept = |text: &str| !saves && (frozen || lock::is_kept(text, &manifests));
    if let Some(lock) = lock.as_ref().filter(|_| text.as_deref().is_some_and(|text| !kept(text))) {
        reading.answer().rewrites.push(lock.clone());
    }
    if saves {
        reading.answer().rewrites.push(join(&install.here, "package.json"));
    }
    let unlocked = lock.is_none().then(|| "package.json has no yarn.lock beside it".to_owned());
    reading.answer().unpinned = unlocked.or_else(|| versions::unpinned(install.packages.iter().copied()));
    Ok(Some(reading.finish()))
}

/// Without a lock file here, packages are resolved anew; Yarn 1 reads no other manager's.
fn lock_file(install: &Install<'_>, reading: &mut Reading<'_>, rc: &Rc) -> Option<String> {
    if switch(install.invocation, "lockfile") == Some(false) || rc.has("no-lockfile") {
        return None;
    }
    let lock = join(reading.root(), "yarn.lock");
    reading.optional(&lock).then_some(lock)
}

fn manifests(reading: &mut Reading<'_>, root: &str) -> Result<Vec<Manifest>, Entangled> {
    let first = Manifest::read(reading, root, "yarn install")?;
    let pnp = first.field("installConfig").and_then(|config| config.get("pnp")).is_some_and(|pnp| pnp == true);
    if pnp {
        let place = first.place(reading, "pnp");
        return Err(not_seen(format!("{place}: what Yarn 1 reads under Plug'n'Play is not looked into")));
    }
    let members = workspaces::members(reading, root, &workspaces::patterns(&first))?;
    // Unwanted files in node_modules are taken away where it is there.
    reading.optional(&join(root, ".yarnclean"));
    let mut manifests = vec![first];
    for member in members {
        manifests.push(Manifest::read(reading, &member, "yarn install")?);
    }
    Ok(manifests)
}

fn run_scripts(
    install: &Install<'_>,
    reading: &mut Reading<'_>,
    manifests: &[Manifest],
    linked: &[Manifest],
    lock: Option<&str>,
) -> Result<(), Entangled> {
    for manifest in manifests.iter().chain(linked) {
        scripts::read(reading, manifest, EVENTS)?;
    }
    if let Some(root) = manifests.first().filter(|_| !in_production(install)) {
        scripts::read(reading, root, DEVELOPMENT_EVENTS)?;
    }
    hooks::read(reading, manifests, lock)
}

fn in_production(install: &Install<'_>) -> bool {
    let option = ["production", "prod"].iter().find_map(|name| switch(install.invocation, name));
    let off = |name| matches!(variable(install.at, name), Some(value) if value != Knowledge::Known("true"));
    let by_node = matches!(install.at.non_empty("NODE_ENV"), Some(Knowledge::Known("production")));
    let by_variable = ["yarn_production", "npm_config_production"].iter().any(|name| yes(variable(install.at, name)));
    option.unwrap_or(by_variable || by_node && !off("npm_config_production") && !off("yarn_production"))
}

/// Settings of a `.yarnrc`.
#[derive(Default)]
pub(super) struct Rc(Vec<(String, String)>);

impl Rc {
    /// Whether a switch is on, as a setting or as an option of `install`.
    fn has(&self, name: &str) -> bool {
        let on = |key: &str| key == name || key == format!("--{name}") || key == format!("--install.{name}");
        self.0.iter().any(|(key, value)| on(key) && value == "true")
    }
}

/// The `.yarnrc` of a folder, which becomes part of the answer with the program and the archives that it names.
pub(super) fn configuration(reading: &mut Reading<'_>, folder: &str) -> Result<Rc, Entangled> {
    let path = join(folder, ".yarnrc");
    if !reading.optional(&path) {
        return Ok(Rc::default());
    }
    let text = reading.text(&path)?;
    let mut settings = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once([' ', '\t', '=']) else { continue };
        let (key, value) = (key.trim_matches('"').trim_end_matches(':'), value.trim().trim_matches('"'));
        match key {
            "yarn-path" => reading.required(&join(folder, value), "yarn-path in .yarnrc")?,
            "yarn-offline-mirror" => {
                reading.optional_folder(&join(folder, value));
            }
            "cafile" => {
                reading.optional(&join(folder, value));
            }
            _ => {}
        }
        settings.push((key.to_owned(), value.to_owned()));
    }
    Ok(Rc(settings))
}
