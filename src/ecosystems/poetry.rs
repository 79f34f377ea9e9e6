//! Poetry.
//!
//! Knows: which commands download, where Poetry keeps downloads and what it learned of packages, what switches that off.
//! Never does: read `pyproject.toml`, `poetry.toml` or the lock file; mount Poetry's cache folder as a whole, because projects'
//! virtualenvs lie in it unless told otherwise.
//!
//! Two folders of it are mounted: `cache` (answers of repositories) and `artifacts` (downloaded archives and wheels that were
//! built). `--no-cache` is dropped. An argument that can't be known may hide it; then the mounts stay empty.
//!
//! - Locked: both write their files in place, and the archives are guarded only within one process.
//! - By base image: a wheel built here is named `linux_x86_64`, whatever libraries it was linked with. The processor is in the
//!   name, so platforms don't meet.
//! - `poetry build` is left alone: whether it downloads hangs on the build backend in `pyproject.toml`.
//!
//! Facts: Poetry 2.5's source (locations, config, utils/cache, installation) and runs of it. A `poetry.toml` or configuration
//! file that is copied in is not seen.

mod manifests;

use crate::ecosystems::python::{own_folder, user_cache, word_behind};
use crate::ecosystems::{Activity, CacheFolder, CacheUse, CommandChange, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// Poetry.
pub struct Poetry;

/// Options that may stand in front of the subcommand and take the next word.
const WITH_VALUE: &[&str] = &["-C", "--directory", "-P", "--project"];

impl Ecosystem for Poetry {
    fn id(&self) -> &'static str {
        "poetry"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["poetry"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--output", "-o", "POETRY_CACHE_DIR", "POETRY_CONFIG_DIR"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["poetry.toml"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "poetry" {
            return None;
        }
        let idle = ["-h", "--help", "-V", "--version", "--dry-run", "--only-root", "--check"];
        let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE).filter(|_| invocation.flag(&idle).is_none()) else {
            return Some(Activity::Other);
        };
        Some(match (subcommand, word_behind(invocation, index)) {
            // `bundle` is the plugin that installs into an environment of its own.
            ("install" | "sync" | "add" | "update" | "lock" | "remove", _)
            | ("self", "add" | "install" | "lock" | "sync" | "update" | "remove")
            | ("bundle", "venv") => Activity::Install { needs_index: false },
            ("cache", "clear") => Activity::Clean,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let folder = match (at.variable("POETRY_CACHE_DIR"), configured(at.earlier)) {
            (Some(folder), _) => named(folder, "POETRY_CACHE_DIR", invocation, at)?,
            (None, Some(folder)) => named(&folder, "`poetry config cache-dir`", invocation, at)?,
            (None, None) => user_cache("pypoetry", at)?,
        };
        let mounts = vec![
            CacheFolder::downloads(format!("{folder}/artifacts")).locked().per_base_image(),
            CacheFolder::downloads(format!("{folder}/cache")).locked(),
        ];
        if let Some(Knowledge::Known(environments)) = at.non_empty("POETRY_VIRTUALENVS_PATH")
            && mounts.iter().any(|mount| format!("{environments}/").starts_with(&format!("{}/", mount.target)))
        {
            return Err(Obstacle::Unsafe { because: format!("virtualenvs are kept in {environments}, inside the cache") });
        }
        let changes = invocation.flags(&["--no-cache"]).into_iter().map(CommandChange::RemoveArgument).collect();
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

fn named(folder: &Knowledge<String>, by: &str, invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    let elsewhere = invocation.option(&["-C", "--directory"]).is_some();
    match folder {
        // Not all places in Poetry put the home in for `~`; a relative folder follows `--directory`.
        Knowledge::Known(path) if path.starts_with('~') || path.contains('{') || elsewhere && !path.starts_with('/') => {
            Err(Obstacle::UnknownFolder { because: format!("{by} is {path}") })
        }
        folder => own_folder(folder, by, at),
    }
}

/// What the last earlier `poetry config cache-dir` named; unknown where it was taken back.
fn configured(earlier: &[Invocation]) -> Option<Knowledge<String>> {
    let last = earlier.iter().rev().find_map(|command| {
        let (index, _) = command.subcommand(WITH_VALUE).filter(|(_, name)| *name == "config" && command.program == "poetry")?;
        let (key, _) = command.known_arguments().find(|(at, value)| *at > index && !value.starts_with('-'))?;
        (command.argument(key) == "cache-dir").then_some((command, key))
    });
    last.map(|(command, key)| match command.arguments.get(key + 1) {
        Some(value) if command.flag(&["--unset"]).is_none() => value.value.clone(),
        _ => Knowledge::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Sharing;
    use crate::ecosystems::python::as_root;
    use crate::ecosystems::testing::invocation;

    fn does(words: &[&str]) -> Option<Activity> {
        Poetry.recognise(&invocation(words))
    }

    fn targets(at: &Surroundings) -> Result<Vec<String>, Obstacle> {
        let cache = Poetry.cache(&invocation(&["poetry", "install"]), at)?;
        Ok(cache.mounts.into_iter().map(|mount| mount.target).collect())
    }

    #[test]
    fn commands_are_told_apart() {
        let install = Some(Activity::Install { needs_index: false });
        for words in [
            &["poetry", "install", "--no-root"][..],
            &["poetry", "-C", "api", "-n", "sync"],
            &["poetry", "add", "flask"],
            &["poetry", "self", "add", "poetry-plugin-export"],
            &["poetry", "bundle", "venv", "/venv"],
        ] {
            assert_eq!(does(words), install, "{words:?}");
        }
        for words in [
            &["poetry", "--version"][..],
            &["poetry", "install", "--help"],
            &["poetry", "install", "--only-root"],
            &["poetry", "lock", "--check"],
            &["poetry", "config", "virtualenvs.create", "false"],
            &["poetry", "export", "-f", "requirements.txt"],
            &["poetry", "build"],
            &["poetry", "cache", "list"],
        ] {
            assert_eq!(does(words), Some(Activity::Other), "{words:?}");
        }
        assert_eq!(does(&["poetry", "cache", "clear", "pypi", "--all"]), Some(Activity::Clean));
        assert_eq!(does(&["pip", "install"]), None);
    }

    #[test]
    fn virtualenvs_beside_the_cache_are_never_mounted() {
        let home = ["/root/.cache/pypoetry/artifacts", "/root/.cache/pypoetry/cache"];
        assert_eq!(targets(&as_root(&[])).unwrap(), home);
        assert_eq!(targets(&as_root(&[("XDG_CACHE_HOME", "/xdg")])).unwrap()[0], "/xdg/pypoetry/artifacts");
        assert_eq!(targets(&as_root(&[("POETRY_CACHE_DIR", "/tmp/p")])).unwrap(), ["/tmp/p/artifacts", "/tmp/p/cache"]);
        assert!(matches!(targets(&as_root(&[("POETRY_CACHE_DIR", "/tmp")])), Err(Obstacle::Unsafe { .. })));
        assert_eq!(targets(&as_root(&[("POETRY_CACHE_DIR", "c")])).unwrap(), ["/app/c/artifacts", "/app/c/cache"]);
        for folder in ["$DIR", "", "~/c"] {
            assert!(matches!(targets(&as_root(&[("POETRY_CACHE_DIR", folder)])), Err(Obstacle::UnknownFolder { .. })));
        }
        let inside = [("POETRY_VIRTUALENVS_PATH", "/root/.cache/pypoetry/cache/venvs")];
        assert!(matches!(targets(&as_root(&inside)), Err(Obstacle::Unsafe { .. })));
    }

    #[test]
    fn configuration_by_an_earlier_command_counts() {
        let earlier = [invocation(&["poetry", "config", "cache-dir", "/c"])];
        assert_eq!(targets(&Surroundings { earlier: &earlier, ..as_root(&[]) }).unwrap()[0], "/c/artifacts");
        let earlier = [invocation(&["poetry", "config", "cache-dir", "$DIR"])];
        assert!(targets(&Surroundings { earlier: &earlier, ..as_root(&[]) }).is_err());
        let unrelated = [invocation(&["poetry", "config", "virtualenvs.create", "false"])];
        assert!(targets(&Surroundings { earlier: &unrelated, ..as_root(&[]) }).is_ok());
    }

    #[test]
    fn no_cache_is_dropped_and_builds_take_turns() {
        let cache = Poetry.cache(&invocation(&["poetry", "install", "--no-cache"]), &as_root(&[])).unwrap();
        assert_eq!(cache.changes, vec![CommandChange::RemoveArgument(1)]);
        assert!(cache.mounts.iter().all(|mount| mount.sharing == Sharing::Locked && mount.keyed_by_platform));
        assert!(cache.mounts[0].by_base_image && !cache.mounts[1].by_base_image);
    }
}
