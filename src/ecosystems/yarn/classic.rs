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
use crate::ecosystems::{Dependencies, Entangled, Part, Project, first_half};
use crate::knowledge::Knowledge;
use std::sync::Arc;

const EVENTS: &[&str] = &["preinstall", "install", "postinstall"];
/// Only of the root, and not in production.
const DEVELOPMENT_EVENTS: &[&str] = &["prepublish", "prepare"];

pub(super) fn read(install: &Install<'_>, project: &dyn Project, root: &str) -> Answer {
    let mut reading = Reading::new(project, root);
    match whole(install, &mut reading, Runs::Scripts) {
        Ok(_) => Ok(Some(reading.finish())),
        Err(Entangled::NeedsSource { because }) => match half_of(install, project, root) {
            Some(half) => Ok(Some(half)),
            None => Err(Entangled::NeedsSource { because }),
        },
        Err(other) => Err(other),
    }
}

/// Whether scripts are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Where they are not switched off.
    Scripts,
    /// It is a first half, and the second runs them.
    Nothing,
}

/// The project's own packages, and the text of the lock.
struct Own {
    members: Vec<Manifest>,
    linked: Vec<Manifest>,
    lock: Option<Arc<str>>,
}

fn whole(install: &Install<'_>, reading: &mut Reading<'_>, runs: Runs) -> Result<Own, Entangled> {
    let root = reading.root().to_owned();
    if install.invocation.flag(&["--pnp", "--enable-pnp"]).is_some() {
        return Err(not_seen("what Yarn 1 reads under Plug'n'Play is not looked into".to_owned()));
    }
    starts(reading, &install.here)?;
    let rc = configuration(reading, &root)?;
    let mut npm_off = false;
    for folder in outwards(&install.here).map(str::to_owned).collect::<Vec<_>>() {
        npm_off |= Npmrc::read(reading, &folder)?.is_on("ignore-scripts");
    }
    let manifests = manifests(reading, &root)?;
    let lock = lock_file(install, reading, &rc);
    let linked = local::read(reading, &manifests, Rules { file: Folder::Copied, link_reads_manifest: true })?;
    let text = lock.as_deref().map(|lock| reading.text(lock)).transpose()?;
    let off = switch(install.invocation, "ignore-scripts") == Some(true) || rc.has("ignore-scripts") || npm_off;
    if runs == Runs::Scripts && !off {
        run_scripts(install, reading, &manifests, &linked, text.as_deref())?;
    }
    bins::read(reading, manifests.iter().skip(1).chain(&linked))?;
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
    Ok(Own { members: manifests, linked, lock: text })
}

/// The install without the project's own scripts above the source, and the original below it.
///
/// Where the first half was the same command, the second finds everything up to date and runs the root's scripts. Where it was one
/// without any scripts, the second links anew from what is downloaded, and runs them all (1.22).
fn half_of(install: &Install<'_>, project: &dyn Project, root: &str) -> Option<Dependencies> {
    if !install.packages.is_empty() {
        return None;
    }
    let mut reading = Reading::new(project, root);
    let own = whole(install, &mut reading, Runs::Nothing).ok()?;
    let manifest = own.members.first()?;
    // It runs before anything is installed.
    scripts::read(&mut reading, manifest, &["preinstall"]).ok()?;
    let has = |other: &Manifest| scripts::has_any(&reading, other, EVENTS);
    let alone = install.here == root && install.invocation.option(&["--cwd"]).is_none();
    // With this field npm may refuse to run for another manager's project.
    let may_npm = manifest.field("devEngines").is_none() && versions::has_npm_pkg(install.at);
    let quiet = alone && may_npm && !own.members.iter().skip(1).chain(&own.linked).any(has);
    let of_root: Vec<&str> = EVENTS.iter().chain(DEVELOPMENT_EVENTS).copied().collect();
    let delete = scripts::taken_out(manifest, &of_root).filter(|_| quiet);
    let command = match delete {
        Some(delete) if hooks::read(&mut reading, &own.members, own.lock.as_deref()).is_ok() => {
            reading.answer().spoils = vec![manifest.path.clone()];
            format!("{delete} && {}", first_half::text(install.invocation, &[], &[]).ok()?)
        }
        _ => first_half::text(install.invocation, &[], &["--ignore-scripts"]).ok()?,
    };
    let mut answer = reading.finish();
    // What it writes back of the project's, the second half writes again.
    answer.rewrites.clear();
    answer.part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: false };
    Some(answer)
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
