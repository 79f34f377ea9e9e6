//! Mix, Elixir's build tool, with Hex packages.
//!
//! Knows: Hex's store of package archives, `packages` below `HEX_HOME`, the XDG cache folder (with `MIX_XDG`), or `~/.hex`.
//! Never mounts `~/.hex` itself (keys and repositories are in it), nor `MIX_HOME`, which holds installed archives such as Hex.
//! Nothing later needs the store: the archives are unpacked into the project's `deps`. Archives are the same for every
//! platform. One build at a time: new releases of Hex rename a finished download into place, older ones wrote where others read.
//!
//! `mix local.hex` and `mix local.rebar` install into `MIX_HOME` and get no mount. Git dependencies are cloned into `deps`, and
//! Hex reads the registry anew each time: neither is served. Project aliases (`mix setup`) can't be seen through: no mount.
//!
//! Sources: Hex's own code (`Hex.State`, `Hex.Config`, `Hex.SCM`); Mix's documentation of its tasks.

mod manifests;

use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// Mix and Hex.
pub struct Mix;

/// Tasks that fetch packages.
const FETCHING: &[&str] = &["deps.get", "deps.update"];

/// Tasks that fetch packages if they are told `hex`, and else a file or a repository.
const INSTALLING: &[&str] = &["archive.install", "escript.install"];

impl Ecosystem for Mix {
    fn id(&self) -> &'static str {
        "mix"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["mix"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["mix.lock"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "mix" {
            return None;
        }
        let task = invocation.argument(0);
        let fetches = if task == "do" {
            // `mix do deps.get --only prod, compile` and, since Elixir 1.14, `mix do deps.get + compile`.
            invocation.known_arguments().any(|(_, word)| FETCHING.contains(&word.trim_end_matches(',')))
        } else {
            FETCHING.contains(&task) || INSTALLING.contains(&task) && invocation.flag(&["hex"]).is_some()
        };
        let offline = invocation.variables.iter().any(|(name, value)| name == "HEX_OFFLINE" && is_true(value));
        match (fetches && invocation.flag(&["--help"]).is_none(), offline) {
            (true, true) => Some(Activity::Offline),
            (true, false) => Some(Activity::Install { needs_index: false }),
            (false, _) => Some(Activity::Other),
        }
    }

    fn cache(&self, _: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let configured = at
            .earlier
            .iter()
            .any(|earlier| earlier.program == "mix" && earlier.argument(0) == "hex.config" && earlier.argument(1) == "offline");
        match at.variable("HEX_OFFLINE") {
            Some(Knowledge::Unknown) => return Err(offline("HEX_OFFLINE is not known and")),
            Some(value) if is_true(value) => return Err(offline("HEX_OFFLINE")),
            None if configured => return Err(offline("mix hex.config offline")),
            _ => {}
        }
        Ok(CacheUse { mounts: vec![CacheFolder::downloads(format!("{}/packages", home(at)?)).locked()], ..CacheUse::default() })
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

/// Hex's home for caches. `HEX_HOME` is taken as it stands: a `~` in it is a folder of that name.
fn home(at: &Surroundings) -> Result<String, Obstacle> {
    let unknown = |because: &str| Obstacle::UnknownFolder { because: because.to_owned() };
    match at.variable("HEX_HOME") {
        Some(Knowledge::Known(folder)) if !folder.is_empty() && !folder.starts_with('~') => {
            return at.absolute(folder).into_known().ok_or_else(|| unknown("HEX_HOME is relative to an unknown folder"));
        }
        Some(_) => return Err(unknown("$HEX_HOME")),
        None => {}
    }
    let by_xdg = match at.variable("MIX_XDG") {
        Some(Knowledge::Unknown) => return Err(unknown("$MIX_XDG")),
        Some(value) => is_true(value),
        None => false,
    };
    let folder = match at.non_empty("XDG_CACHE_HOME") {
        _ if !by_xdg => at.below_home(".hex"),
        Some(Knowledge::Known(caches)) if caches.starts_with('/') => at.absolute(&format!("{caches}/hex")),
        Some(_) => return Err(unknown("$XDG_CACHE_HOME")),
        None => at.below_home(".cache/hex"),
    };
    folder.into_known().ok_or_else(|| unknown("$HOME"))
}

/// Hex and Mix know two words for yes.
fn is_true(value: &Knowledge<String>) -> bool {
    value.known().is_some_and(|value| value == "1" || value == "true")
}

fn offline(by: &str) -> Obstacle {
    Obstacle::Unsafe { because: format!("{by} may make Hex work from what an earlier step fetched") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;
    use crate::ecosystems::{Need, Sharing};

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: false });

    fn target(variables: &[(&str, &str)], earlier: &[Invocation]) -> Result<String, Obstacle> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        let home = Knowledge::Known("/root".to_owned());
        let workdir = Knowledge::Known("/app".to_owned());
        let at = Surroundings { variables: variables.collect(), home, workdir, earlier, ..Surroundings::default() };
        let mount = Mix.cache(&invocation(&["mix", "deps.get"]), &at)?.mounts.remove(0);
        assert_eq!((mount.sharing, mount.need), (Sharing::Locked, Need::Never));
        Ok(mount.target)
    }

    #[test]
    fn only_tasks_that_fetch_hex_packages_count() {
        let activity = |words: &[&str]| Mix.recognise(&invocation(words));
        assert_eq!(activity(&["mix", "deps.get", "--only", "$MIX_ENV"]), INSTALL);
        assert_eq!(activity(&["mix", "do", "deps.get", "--only", "prod,", "compile"]), INSTALL);
        assert_eq!(activity(&["mix", "do", "deps.get,", "deps.compile"]), INSTALL);
        assert_eq!(activity(&["mix", "archive.install", "hex", "phx_new", "--force"]), INSTALL);
        assert_eq!(activity(&["HEX_OFFLINE=1", "mix", "deps.get"]), Some(Activity::Offline));
        assert_eq!(activity(&["mix", "archive.install", "https://a.b/c.ez"]), Some(Activity::Other), "not from Hex");
        for other in ["local.hex", "local.rebar", "deps.compile", "compile", "release", "setup"] {
            assert_eq!(activity(&["mix", other]), Some(Activity::Other), "{other}");
        }
    }

    #[test]
    fn package_archives_only_wherever_hex_keeps_them() {
        assert_eq!(target(&[], &[]).as_deref(), Ok("/root/.hex/packages"));
        assert_eq!(target(&[("MIX_HOME", "/opt/mix")], &[]).as_deref(), Ok("/root/.hex/packages"));
        assert_eq!(target(&[("HEX_HOME", "/opt/hex")], &[]).as_deref(), Ok("/opt/hex/packages"));
        assert_eq!(target(&[("HEX_HOME", ".hex")], &[]).as_deref(), Ok("/app/.hex/packages"));
        assert_eq!(target(&[("MIX_XDG", "1")], &[]).as_deref(), Ok("/root/.cache/hex/packages"));
        assert_eq!(target(&[("MIX_XDG", "true"), ("XDG_CACHE_HOME", "/x")], &[]).as_deref(), Ok("/x/hex/packages"));
        assert_eq!(target(&[("XDG_CACHE_HOME", "/x")], &[]).as_deref(), Ok("/root/.hex/packages"));
    }

    #[test]
    fn offline_and_unknown_homes_are_refused() {
        assert!(target(&[("HEX_OFFLINE", "true")], &[]).is_err());
        assert!(target(&[("HEX_HOME", "")], &[]).is_err());
        assert!(target(&[], &[invocation(&["mix", "hex.config", "offline", "true"])]).is_err());
    }
}
