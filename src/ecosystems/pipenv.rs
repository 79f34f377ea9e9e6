//! Pipenv.
//!
//! Knows: which commands download, and that Pipenv runs pip with a cache folder of its own. Never does: read a Pipfile; look at
//! `PIP_CACHE_DIR`, which Pipenv overrides.
//!
//! The folder holds pip's HTTP answers and built wheels and Pipenv's notes for locking; virtualenvs lie elsewhere, so all of it
//! is mounted. pip's own switches count: a non-empty `PIP_NO_CACHE_DIR` is made empty, `--no-cache-dir` in `--extra-pip-args` is
//! dropped. An argument that can't be known hides at worst such a switch; then the mount stays empty.
//!
//! - Locked and by base image for pip's reasons (see `pip`).
//! - `pipenv --clear` alone empties this cache and pip's, and takes the folders themselves away. With a subcommand it only makes
//!   locking look afresh.
//!
//! Facts: Pipenv 2026.10's source (environments, utils/pip, utils/resolver, routines/clear) and runs of it.

mod manifests;

use crate::ecosystems::pip::{configured, handed_on};
use crate::ecosystems::python::{emptied, own_folder, user_cache};
use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};

/// Pipenv.
pub struct Pipenv;

/// Options that may stand in front of the subcommand and take the next word.
const WITH_VALUE: &[&str] = &["--pypi-mirror", "--python"];

impl Ecosystem for Pipenv {
    fn id(&self) -> &'static str {
        "pipenv"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["pipenv"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["PIPENV_CACHE_DIR"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".env"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "pipenv" {
            return None;
        }
        let idle = ["-h", "--help", "--version", "--dry-run", "--outdated"];
        Some(match invocation.subcommand(WITH_VALUE) {
            _ if invocation.flag(&idle).is_some() => Activity::Other,
            // `uninstall` locks again.
            Some((_, "install" | "sync" | "update" | "upgrade" | "lock" | "uninstall")) => {
                Activity::Install { needs_index: false }
            }
            None if invocation.arguments.len() == 1 && invocation.flag(&["--clear"]).is_some() => Activity::Clean,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        // New releases keep pip from its configuration files, old ones don't.
        if configured(at.earlier, "no-cache-dir") {
            return Err(Obstacle::SwitchedOff { by: "`pip config set … no-cache-dir`".to_owned() });
        }
        let target = match at.variable("PIPENV_CACHE_DIR") {
            Some(folder) => own_folder(folder, "PIPENV_CACHE_DIR", at)?,
            None => user_cache("pipenv", at)?,
        };
        let mut changes = handed_on(invocation, "--extra-pip-args")?;
        changes.extend(emptied("PIP_NO_CACHE_DIR", invocation, at)?);
        Ok(CacheUse { mounts: vec![CacheFolder::downloads(target).locked().per_base_image()], changes, notes: Vec::new() })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::python::as_root;
    use crate::ecosystems::testing::invocation;
    use crate::ecosystems::{CommandChange, Sharing};

    fn does(words: &[&str]) -> Option<Activity> {
        Pipenv.recognise(&invocation(words))
    }

    fn cache(words: &[&str], variables: &[(&str, &str)]) -> Result<CacheUse, Obstacle> {
        Pipenv.cache(&invocation(words), &as_root(variables))
    }

    #[test]
    fn commands_are_told_apart() {
        let install = Some(Activity::Install { needs_index: false });
        assert_eq!(does(&["pipenv", "install", "--system", "--deploy"]), install);
        assert_eq!(does(&["pipenv", "--python", "3.11", "sync"]), install);
        assert_eq!(does(&["pipenv", "install", "--clear"]), install);
        assert_eq!(does(&["pipenv", "--clear"]), Some(Activity::Clean));
        for words in
            [&["pipenv", "--version"][..], &["pipenv", "install", "-h"], &["pipenv", "requirements"], &["pipenv", "--rm"]]
        {
            assert_eq!(does(words), Some(Activity::Other), "{words:?}");
        }
        assert_eq!(does(&["pip", "install"]), None);
    }

    #[test]
    fn the_folder_is_pipenvs_own() {
        let target =
            |variables: &[(&str, &str)]| cache(&["pipenv", "install"], variables).map(|cache| cache.mounts[0].target.clone());
        assert_eq!(target(&[]).unwrap(), "/root/.cache/pipenv");
        assert_eq!(target(&[("PIP_CACHE_DIR", "/pip"), ("XDG_CACHE_HOME", "/xdg")]).unwrap(), "/xdg/pipenv");
        assert_eq!(target(&[("PIPENV_CACHE_DIR", "/c")]).unwrap(), "/c");
        assert!(matches!(target(&[("PIPENV_CACHE_DIR", "$C")]), Err(Obstacle::UnknownFolder { .. })));
        assert!(matches!(target(&[("PIPENV_CACHE_DIR", "/tmp")]), Err(Obstacle::Unsafe { .. })));
        let mount = cache(&["pipenv", "install"], &[]).unwrap().mounts.remove(0);
        assert_eq!((mount.sharing, mount.by_base_image, mount.keyed_by_platform), (Sharing::Locked, true, true));
    }

    #[test]
    fn pips_switches_are_undone() {
        let emptied = CommandChange::SetVariable("PIP_NO_CACHE_DIR".into(), String::new());
        assert_eq!(cache(&["pipenv", "sync"], &[("PIP_NO_CACHE_DIR", "off")]).unwrap().changes, vec![emptied]);
        let dropped = cache(&["pipenv", "install", "--extra-pip-args=--no-cache-dir"], &[]).unwrap().changes;
        assert_eq!(dropped, vec![CommandChange::RemoveArgument(1)]);
        let more = cache(&["pipenv", "install", "--extra-pip-args=--no-cache-dir -v"], &[]);
        assert!(matches!(more, Err(Obstacle::SwitchedOff { .. })));
        let earlier = [invocation(&["pip", "config", "set", "global.no-cache-dir", "true"])];
        let at = Surroundings { earlier: &earlier, ..as_root(&[]) };
        assert!(Pipenv.cache(&invocation(&["pipenv", "sync"]), &at).is_err());
    }
}
