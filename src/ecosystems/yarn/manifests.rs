//! What Yarn's commands read of a project.
//!
//! Owns: telling the commands apart, and which of the two Yarns runs here, with the project's own word for it.
//! Never does: the rules of either; `classic` and `berry` have them.

use super::{Generation, WITH_VALUE, berry, classic, generation, only_options, words};
use crate::ecosystems::node::reading::{Reading, join, not_seen, outwards};
use crate::ecosystems::node::words::packages;
use crate::ecosystems::node::{Answer, Manifest, corepack, local, versions, workspaces};
use crate::ecosystems::{Dependencies, Entangled, Invocation, Project, Surroundings, Wrapper};
use crate::knowledge::Knowledge;

/// Options that take the next word, behind the subcommand.
const OPTIONS: &[&str] = &["--mode", "--network-timeout", "--https-proxy", "--proxy", "--prefix", "--emoji", "--otp"];

/// What a `yarn` command reads of the project.
pub(super) fn dependencies(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let here = folder(invocation, at)?;
    if invocation.flag(&["--help", "-h", "--version", "-v"]).is_some() {
        return program(project, &here, None);
    }
    let found = invocation.subcommand(WITH_VALUE);
    if found.is_none() && !only_options(invocation) {
        return Ok(None);
    }
    let words = words(invocation);
    let (first, second) = (words.first().copied().unwrap_or("install"), words.get(1).copied().unwrap_or_default());
    let which = |reading: &Reading<'_>| which(reading, invocation, at);
    match (first, second) {
        ("global", "add" | "upgrade" | "bin" | "dir" | "list" | "remove") => {
            let specs: Vec<&str> = words.iter().skip(2).copied().collect();
            let unseen = invocation.has_unknown_argument();
            if unseen && second == "add" || specs.iter().any(|spec| local::is_local(spec)) {
                return Ok(None);
            }
            program(project, &here, versions::unpinned(specs.into_iter().filter(|_| second == "add")))
        }
        ("cache" | "versions" | "help" | "login" | "logout" | "info", _) => program(project, &here, None),
        ("config", "get" | "list" | "") => program(project, &here, None),
        ("config", "set" | "delete") => {
            let root = root(&Reading::new(project, &here), &here)?.unwrap_or_else(|| here.clone());
            let at_home = invocation.flag(&["-H", "--home"]).is_some();
            match at_home || which(&Reading::new(project, &root))? == Generation::Classic {
                true => program(project, &here, None),
                // Berry writes the project's own .yarnrc.yml.
                false => Ok(None),
            }
        }
        ("install" | "add", _) | ("workspaces", "focus") => {
            let root = root(&Reading::new(project, &here), &here)?;
            let root = root.unwrap_or_else(|| here.clone());
            let valued: Vec<&str> = WITH_VALUE.iter().chain(OPTIONS).copied().collect();
            let named = packages(invocation, found.map(|(index, _)| index), &valued)?;
            let named = if first == "add" { named } else { Vec::new() };
            let install = Install { invocation, at, packages: named, focus: first == "workspaces", here };
            match which(&Reading::new(project, &root))? {
                Generation::Classic => classic::read(&install, project, &root),
                Generation::Berry => berry::read(&install, project, &root),
                Generation::Unknown => Err(not_seen("which Yarn runs here is not known: packageManager would tell".to_owned())),
            }
        }
        _ => Ok(None),
    }
}

/// An install, whichever Yarn does it.
pub(super) struct Install<'i> {
    pub(super) invocation: &'i Invocation,
    pub(super) at: &'i Surroundings<'i>,
    /// Those that `yarn add` names.
    pub(super) packages: Vec<&'i str>,
    /// `yarn workspaces focus`, which writes no lock.
    pub(super) focus: bool,
    /// The folder in which Yarn starts.
    pub(super) here: String,
}

fn folder(invocation: &Invocation, at: &Surroundings) -> Result<String, Entangled> {
    match invocation.option(&["--cwd"]) {
        None => corepack::here(at),
        Some(Knowledge::Known(folder)) => Ok(join(&corepack::here(at)?, &folder)),
        Some(Knowledge::Unknown) => Err(not_seen("the folder behind --cwd is not known".to_owned())),
    }
}

/// The nearest folder with a package.json, or the workspace root that it is a member of.
fn root(reading: &Reading<'_>, here: &str) -> Result<Option<String>, Entangled> {
    let Some(nearest) = workspaces::nearest(reading, here, "package.json") else { return Ok(None) };
    Ok(Some(workspaces::root_around(reading, &nearest)?.unwrap_or(nearest)))
}

/// Which Yarn runs: the project's word goes before that of the Dockerfile.
fn which(reading: &Reading<'_>, invocation: &Invocation, at: &Surroundings) -> Result<Generation, Entangled> {
    let root = reading.root();
    if let Some(program) = berry::program(reading, root)? {
        let name = program.rsplit('/').next().unwrap_or_default();
        return Ok(if name.starts_with("yarn-1.") { Generation::Classic } else { Generation::Berry });
    }
    let manifest = reading.is_file(&join(root, "package.json")).then(|| Manifest::at(reading, root)).transpose()?;
    if let Some(("yarn", version)) = manifest.as_ref().and_then(Manifest::manager) {
        return Ok(if version.starts_with("1.") { Generation::Classic } else { Generation::Berry });
    }
    let lock = join(root, "yarn.lock");
    let locked = if reading.is_file(&lock) { Some(reading.text(&lock)?) } else { None };
    let locked = locked.map(|text| if text.contains("\n__metadata:") { Generation::Berry } else { Generation::Classic });
    Ok(match (generation(invocation, at.earlier), locked) {
        (Generation::Berry, _) => Generation::Berry,
        (Generation::Unknown, Some(locked)) => locked,
        (Generation::Classic, Some(Generation::Berry)) => Generation::Unknown,
        (other, _) => other,
    })
}

/// A command that reads nothing but what starts Yarn itself: the version in package.json, the program in the repository.
fn program(project: &dyn Project, here: &str, unpinned: Option<String>) -> Answer {
    let mut reading = Reading::new(project, here);
    corepack::launcher(&mut reading, here)?;
    starts(&mut reading, here)?;
    let answer = reading.finish();
    Ok(Some(Dependencies { unpinned, ..answer }))
}

/// Adds the configuration that may name another Yarn, from the folder outwards, with what it loads.
pub(super) fn starts(reading: &mut Reading<'_>, here: &str) -> Result<(), Entangled> {
    for folder in outwards(here).map(str::to_owned).collect::<Vec<_>>() {
        classic::configuration(reading, &folder)?;
        berry::configuration(reading, &folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
