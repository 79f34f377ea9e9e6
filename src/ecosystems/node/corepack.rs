//! Corepack, which brings Yarn and pnpm in the version that `packageManager` in package.json asks for.
//!
//! Owns: what its own commands read, and the files that a manager started by it reads before anything else.
//! Never does: know what those managers do.
//!
//! From: Corepack's README (0.18 to 0.34).

use super::reading::{Reading, join, not_seen};
use super::workspaces::nearest;
use super::{Answer, Manifest, nothing, versions};
use crate::ecosystems::{Entangled, Invocation, Project, Surroundings};
use crate::knowledge::Knowledge;

/// What a `corepack` command reads.
pub(crate) fn dependencies(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
    let global = invocation.flag(&["-g", "--global"]).is_some();
    let words: Vec<&str> = invocation.known_arguments().map(|(_, word)| word).filter(|word| !word.starts_with('-')).collect();
    match words.as_slice() {
        ["enable" | "disable", ..] | ["cache", ..] => nothing(),
        [] => nothing(),
        ["prepare", specs @ ..] if !specs.is_empty() || invocation.has_unknown_argument() => pinned(specs),
        ["install", specs @ ..] if global => pinned(specs),
        ["prepare" | "install"] => {
            let folder = here(at)?;
            let mut reading = Reading::new(project, &folder);
            let nearest = nearest(&reading, &folder, "package.json").unwrap_or(folder);
            Manifest::read(&mut reading, &nearest, "corepack")?;
            reading.optional(&join(&nearest, ".corepack.env"));
            Ok(Some(reading.finish()))
        }
        _ => Ok(None),
    }
}

fn pinned(specs: &[&str]) -> Answer {
    let unpinned = versions::unpinned(specs.iter().copied());
    nothing().map(|answer| answer.map(|answer| crate::ecosystems::Dependencies { unpinned, ..answer }))
}

/// Adds what decides which version of a manager starts: the nearest package.json, if it names one.
pub(crate) fn launcher(reading: &mut Reading<'_>, folder: &str) -> Result<(), Entangled> {
    let Some(nearest) = nearest(reading, folder, "package.json") else { return Ok(()) };
    if Manifest::at(reading, &nearest)?.manager().is_some() {
        reading.optional(&join(&nearest, "package.json"));
        reading.optional(&join(&nearest, ".corepack.env"));
    }
    Ok(())
}

/// The folder in which a command runs.
pub(crate) fn here(at: &Surroundings) -> Result<String, Entangled> {
    match &at.workdir {
        Knowledge::Known(folder) => Ok(join(folder, "")),
        Knowledge::Unknown => Err(not_seen("the folder in which the command runs is not known".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    fn files(command: &str) -> Option<Vec<String>> {
        let project = Files::new(&[("package.json", r#"{"packageManager": "pnpm@9.0.0"}"#)]);
        let words = invocation(&command.split(' ').collect::<Vec<_>>());
        dependencies(&words, &in_project("node:20"), &project).unwrap().map(|answer| answer.files)
    }

    #[test]
    fn only_a_nameless_prepare_reads_package_json() {
        for command in
            ["corepack enable", "corepack enable pnpm", "corepack prepare pnpm@9.0.0 --activate", "corepack install -g yarn"]
        {
            assert_eq!(files(command), Some(Vec::new()), "{command}");
        }
        for command in ["corepack install", "corepack prepare --activate", "corepack prepare"] {
            assert_eq!(files(command), Some(vec!["/app/package.json".to_owned()]), "{command}");
        }
        for command in ["corepack use pnpm@9", "corepack pnpm install", "corepack up"] {
            assert_eq!(files(command), None, "{command}");
        }
    }
}
