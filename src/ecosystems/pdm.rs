//! PDM.
//!
//! Knows: which commands download, where PDM keeps HTTP answers and wheels, what switches that off and how that is undone.
//! Never does: read `pyproject.toml`, `pdm.toml` or the lock file; mount PDM's cache folder as a whole: `packages` in it is what
//! `site-packages` links to when `install.cache` is on, and `plugins` is installed.
//!
//! Two folders are mounted: `http` (answers, archives among them) and `wheels` (built here). `metadata` and `hashes` are notes
//! that PDM makes again from those two. `--no-cache` is dropped; a non-empty `PDM_NO_CACHE` is made empty: PDM only looks whether
//! it holds any text. An argument that can't be known may hide `--no-cache`; then the mounts stay empty.
//!
//! - Locked: nothing keeps two processes from writing the same wheel, and `http` is one database.
//! - By base image: PDM keys built wheels by C library and processor, but not by the other libraries that they were linked with.
//! - With uv at work (`use_uv`) the cache is uv's, with its own variables: refused.
//!
//! Facts: PDM 2.29's source (project/core, project/config, models/caches, models/session, cli/options); runs showed folders, but
//! no filled HTTP cache (the index at hand lacked what PDM asks for). A `pdm.toml` or configuration file that is copied in is
//! not seen. Not proven: that the archive of a path dependency under the same name and version is built anew.

mod manifests;

use crate::ecosystems::python::{emptied, own_folder, user_cache, word_behind};
use crate::ecosystems::{Activity, CacheFolder, CacheUse, CommandChange, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// PDM.
pub struct Pdm;

/// Options that may stand in front of the subcommand and take the next word.
const WITH_VALUE: &[&str] = &["-c", "--config"];

impl Ecosystem for Pdm {
    fn id(&self) -> &'static str {
        "pdm"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["pdm"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--log-file", "--output", "-o", "PDM_CACHE_DIR"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".pdm-python", "pdm.toml"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "pdm" {
            return None;
        }
        let idle = ["-h", "--help", "-V", "--version", "--dry-run", "--check"];
        let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE).filter(|_| invocation.flag(&idle).is_none()) else {
            return Some(Activity::Other);
        };
        Some(match (subcommand, word_behind(invocation, index)) {
            // A build downloads its backend; `remove` locks again.
            ("install" | "sync" | "add" | "update" | "lock" | "remove" | "build", _)
            | ("self" | "plugin", "add" | "install" | "update") => Activity::Install { needs_index: false },
            ("cache", "clear" | "remove") => Activity::Clean,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let unknown = |because: &str| Obstacle::UnknownFolder { because: because.to_owned() };
        let off = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off");
        let with_uv = at.variable("PDM_USE_UV").cloned().or_else(|| configured(at.earlier, "use_uv"));
        if with_uv.is_some_and(|value| !value.known().is_some_and(|value| off(value))) {
            return Err(unknown("PDM works with uv here (use_uv), in uv's cache"));
        }
        let folder = match (at.variable("PDM_CACHE_DIR"), configured(at.earlier, "cache_dir")) {
            (Some(folder), _) => own_folder(folder, "PDM_CACHE_DIR", at)?,
            (None, Some(folder)) => own_folder(&folder, "`pdm config cache_dir`", at)?,
            (None, None) => user_cache("pdm", at)?,
        };
        let mut changes: Vec<CommandChange> =
            invocation.flags(&["--no-cache"]).into_iter().map(CommandChange::RemoveArgument).collect();
        changes.extend(emptied("PDM_NO_CACHE", invocation, at)?);
        let mounts = vec![
            CacheFolder::downloads(format!("{folder}/http")).locked(),
            CacheFolder::downloads(format!("{folder}/wheels")).locked().per_base_image(),
        ];
        Ok(CacheUse { mounts, changes, notes: Vec::new() })
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        manifests::dependencies(invocation, at, project)
    }
}

/// What the last earlier `pdm config KEY VALUE` said; unknown where it was taken back (`--delete`).
fn configured(earlier: &[Invocation], key: &str) -> Option<Knowledge<String>> {
    let last = earlier.iter().rev().find_map(|command| {
        let (index, _) = command.subcommand(WITH_VALUE).filter(|(_, name)| *name == "config" && command.program == "pdm")?;
        let (word, _) = command.known_arguments().find(|(at, value)| *at > index && !value.starts_with('-'))?;
        (command.argument(word) == key).then_some((command, word))
    });
    last.and_then(|(command, word)| match command.arguments.get(word + 1) {
        _ if command.flag(&["-d", "--delete"]).is_some() => Some(Knowledge::Unknown),
        // `pdm config KEY` only shows it.
        value => value.map(|value| value.value.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Sharing;
    use crate::ecosystems::python::as_root;
    use crate::ecosystems::testing::invocation;

    fn does(words: &[&str]) -> Option<Activity> {
        Pdm.recognise(&invocation(words))
    }

    fn cache(words: &[&str], at: &Surroundings) -> Result<CacheUse, Obstacle> {
        Pdm.cache(&invocation(words), at)
    }

    fn targets(at: &Surroundings) -> Result<Vec<String>, Obstacle> {
        Ok(cache(&["pdm", "sync"], at)?.mounts.into_iter().map(|mount| mount.target).collect())
    }

    #[test]
    fn commands_are_told_apart() {
        let install = Some(Activity::Install { needs_index: false });
        for words in [
            &["pdm", "sync", "--prod"][..],
            &["pdm", "-c", "x.toml", "install"],
            &["pdm", "--no-cache", "lock"],
            &["pdm", "self", "add", "plugin"],
        ] {
            assert_eq!(does(words), install, "{words:?}");
        }
        for words in [
            &["pdm", "--version"][..],
            &["pdm", "install", "--help"],
            &["pdm", "lock", "--check"],
            &["pdm", "export"],
            &["pdm", "config", "python.use_venv", "false"],
        ] {
            assert_eq!(does(words), Some(Activity::Other), "{words:?}");
        }
        assert_eq!(does(&["pdm", "cache", "clear"]), Some(Activity::Clean));
        assert_eq!(does(&["pip", "install"]), None);
    }

    #[test]
    fn what_site_packages_links_to_is_never_mounted() {
        assert_eq!(targets(&as_root(&[])).unwrap(), ["/root/.cache/pdm/http", "/root/.cache/pdm/wheels"]);
        assert_eq!(targets(&as_root(&[("XDG_CACHE_HOME", "/xdg")])).unwrap()[0], "/xdg/pdm/http");
        assert_eq!(targets(&as_root(&[("PDM_CACHE_DIR", "~/c")])).unwrap()[0], "/root/c/http");
        for folder in ["$DIR", ""] {
            assert!(matches!(targets(&as_root(&[("PDM_CACHE_DIR", folder)])), Err(Obstacle::UnknownFolder { .. })));
        }
        assert!(matches!(targets(&as_root(&[("PDM_USE_UV", "1")])), Err(Obstacle::UnknownFolder { .. })));
        assert!(targets(&as_root(&[("PDM_USE_UV", "false")])).is_ok());
    }

    #[test]
    fn configuration_by_an_earlier_command_counts() {
        let after = |words: &[&str]| {
            let earlier = [invocation(words)];
            targets(&Surroundings { earlier: &earlier, ..as_root(&[]) })
        };
        assert_eq!(after(&["pdm", "config", "cache_dir", "/c"]).unwrap()[0], "/c/http");
        assert!(after(&["pdm", "config", "--local", "use_uv", "true"]).is_err());
        assert!(after(&["pdm", "config", "cache_dir", "--delete"]).is_err());
        assert!(after(&["pdm", "config", "install.parallel", "false"]).is_ok());
    }

    #[test]
    fn what_switches_the_cache_off_is_undone() {
        let changes = |words: &[&str], variables: &[(&str, &str)]| cache(words, &as_root(variables)).map(|cache| cache.changes);
        assert_eq!(changes(&["pdm", "--no-cache", "sync"], &[]), Ok(vec![CommandChange::RemoveArgument(0)]));
        let emptied = CommandChange::SetVariable("PDM_NO_CACHE".into(), String::new());
        assert_eq!(changes(&["pdm", "sync"], &[("PDM_NO_CACHE", "0")]), Ok(vec![emptied]));
        let inline = changes(&["PDM_NO_CACHE=1", "pdm", "sync"], &[("PDM_NO_CACHE", "1")]);
        assert!(matches!(inline, Err(Obstacle::SwitchedOff { .. })));
        let mounts = cache(&["pdm", "sync"], &as_root(&[])).unwrap().mounts;
        assert!(mounts.iter().all(|mount| mount.sharing == Sharing::Locked && mount.keyed_by_platform));
    }
}
