//! What a repository's build files say of the builder.
//!
//! Owns: which files are looked at, and the words in them that are often misunderstood. Never does: follow an include.

use std::path::Path;

/// A place in a build file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The file, from the folder that was looked at.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What stands there.
    pub what: Said,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// `DOCKER_BUILDKIT` is switched off.
    BuildKitOff,
    /// `BUILDKIT_INLINE_CACHE` is set.
    InlineCache,
    /// A build with `--no-cache`, which is not plainly one that is to be from scratch (`--pull`).
    NoCache,
    /// `docker buildx version` as a proof.
    BuildxVersion,
    /// A `buildx` folder below `.docker`, taken for the cache.
    BuildxFolder,
}

/// Files at the top; those whose names begin or end so count too.
const NAMES: [&str; 9] = [
    "Makefile",
    "makefile",
    "GNUmakefile",
    "Justfile",
    "justfile",
    ".env",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    "azure-pipelines.yml",
];
const FOLDERS: [&str; 3] = [".github/workflows", ".circleci", "scripts"];
const ENDS: [&str; 6] = [".sh", ".ps1", ".yml", ".yaml", ".mk", ".bat"];

/// A longer file was not written by a person.
const LONGEST: u64 = 1 << 20;

/// The mentions, and whether one of the files keeps a layer cache outside of the builder.
pub(super) fn read(folder: &Path) -> (Vec<Mention>, bool) {
    let (mut mentions, mut keeps_layers) = (Vec::new(), false);
    for name in files(folder) {
        let path = folder.join(&name);
        let is_short = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LONGEST);
        let Some(text) = is_short.then(|| std::fs::read_to_string(&path).ok()).flatten() else { continue };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with(['#', ':'])) {
            keeps_layers |= line.contains("cache-to") || line.contains("cache_to");
            mentions.extend(said(line).map(|what| Mention { file: name.clone(), line: number + 1, what }));
        }
    }
    (mentions, keeps_layers)
}

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    for inner in ["."].into_iter().chain(FOLDERS) {
        let names = std::fs::read_dir(folder.join(inner)).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let wanted = names.filter(|name| ENDS.iter().any(|end| name.ends_with(end)));
        files.extend(wanted.map(|name| if inner == "." { name } else { format!("{inner}/{name}") }));
    }
    files.sort();
    files.dedup();
    // Names that differ in case are one file on some systems.
    files.dedup_by(|one, other| one.eq_ignore_ascii_case(other) && !folder.join(&*one).exists());
    files
}

fn said(line: &str) -> Option<Said> {
    if line.split("DOCKER_BUILDKIT").skip(1).any(is_off) {
        Some(Said::BuildKitOff)
    } else if line.contains("BUILDKIT_INLINE_CACHE") {
        Some(Said::InlineCache)
    } else if line.contains("buildx version") {
        Some(Said::BuildxVersion)
    } else if line.contains(".docker/buildx") {
        Some(Said::BuildxFolder)
    } else if line.contains("--no-cache") && !line.contains("--pull") && line.contains("docker") && line.contains("build") {
        Some(Said::NoCache)
    } else {
        None
    }
}

/// Whether the rest of a line, behind the variable's name, sets it to nought: `=0`, `: "0"`, ` := false`.
fn is_off(rest: &str) -> bool {
    let value = rest.trim_start_matches([' ', ':', '=', '?', '"', '\'']);
    let between = rest.len() - value.len();
    let is_set = rest.get(..between).is_some_and(|between| between.contains([':', '=']));
    let word = value.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    is_set && matches!(word.to_ascii_lowercase().as_str(), "0" | "false" | "f")
}

#[cfg(test)]
mod tests {
    use super::{Said, said};

    #[test]
    fn what_a_line_says() {
        for line in
            ["export DOCKER_BUILDKIT=0", "  DOCKER_BUILDKIT: \"0\"", "DOCKER_BUILDKIT := false", "$env:DOCKER_BUILDKIT = '0'"]
        {
            assert_eq!(said(line), Some(Said::BuildKitOff), "{line}");
        }
        for line in ["DOCKER_BUILDKIT=1 docker build .", "echo $DOCKER_BUILDKIT 0", "unset DOCKER_BUILDKIT", "COMPOSE_X=0"] {
            assert_ne!(said(line), Some(Said::BuildKitOff), "{line}");
        }
        assert_eq!(said("docker build --build-arg BUILDKIT_INLINE_CACHE=1 ."), Some(Said::InlineCache));
        assert_eq!(said("\tdocker compose build --no-cache"), Some(Said::NoCache));
        assert_eq!(said("apk add --no-cache docker"), None);
    }
}
