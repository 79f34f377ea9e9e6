//! Bun: a JavaScript runtime with a package manager for the npm registry.
//!
//! Knows: the cache is BUN_INSTALL_CACHE_DIR (which goes before the option), `--cache-dir`, `install/cache` in BUN_INSTALL,
//! `.bun/install/cache` below XDG_CACHE_HOME, else below the home folder; empty variables count as none. The `oven/bun` images
//! set none of them. With the cache on a mount Bun copies where it would have linked, also where hard links are asked for.
//!
//! `--no-cache` stays: it has Bun ask the registry anew which versions there are; the packages still come from the cache (1.4
//! installed from it without a network). Refused: `--backend=symlink` and a global store (BUN_INSTALL_GLOBAL_STORE), whose
//! `node_modules` point into the cache. Off by default; where a `bunfig.toml` switches it on, it is not seen here, and a
//! folder from there goes unseen too: then the mount does nothing. Refused: `bun add -g` by another user than root, since the
//! folder of global packages lies beside the cache and would be root's while the mount is there.
//!
//! Locked: whether two runs may write at once is said nowhere. What it keeps is unpacked, but not built: the same for all
//! platforms (packages for one platform are packages of their own). An unknown argument may hide a `--cache-dir`: no harm.
//!
//! Needed later: what `bun pm fetch` brings. Never: `bunx`, `bun create`, `bun upgrade`, what `bun run` fetches on its own.
//!
//! From: Bun's manual (global cache, `bun install`) and runs of 1.4.

mod manifests;

use crate::ecosystems::node::Answer;
use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Project, Surroundings, User};
use crate::knowledge::Knowledge;

/// Bun's package manager.
pub struct Bun;

/// Options in front of the subcommand with their value in the next word.
const WITH_VALUE: &[&str] = &["--cwd", "--config", "-c", "--cache-dir", "--registry", "--backend", "--linker", "--filter", "-F"];

impl Ecosystem for Bun {
    fn id(&self) -> &'static str {
        "bun"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["bun"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--cache-dir", "BUN_INSTALL_CACHE_DIR"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".npmrc", "bun.lock", "bun.lockb", "bunfig.toml"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "bun" {
            return None;
        }
        if invocation.flag(&["--help", "-h", "--version", "-v", "--revision", "--dry-run"]).is_some() {
            return Some(Activity::Other);
        }
        Some(match words(invocation).as_slice() {
            ["install" | "i" | "ci" | "add" | "a" | "update" | "dedupe", ..] if invocation.flag(&["--offline"]).is_some() => {
                Activity::Offline
            }
            ["install" | "i" | "ci" | "add" | "a" | "update" | "dedupe", ..] | ["pm", "fetch", ..] => {
                Activity::Install { needs_index: false }
            }
            ["pm", "cache", "rm", ..] => Activity::Clean,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let links = match invocation.option(&["--backend"]) {
            None => false,
            Some(Knowledge::Known(backend)) => backend == "symlink",
            Some(Knowledge::Unknown) => true,
        };
        let global_store =
            at.non_empty("BUN_INSTALL_GLOBAL_STORE").is_some_and(|value| !matches!(value, Knowledge::Known("0" | "false")));
        if links || global_store {
            return Err(unsafe_because("node_modules would point into the cache"));
        }
        if invocation.flag(&["-g", "--global"]).is_some() && at.user != User::Root {
            return Err(unsafe_because(
                "global packages are installed beside the cache, where a mount leaves the folder to root",
            ));
        }
        let mount = CacheFolder::downloads(folder(invocation, at)?).locked();
        let fetched_for_later = matches!(words(invocation).as_slice(), ["pm", ..]);
        let mount = if fetched_for_later { mount.needed_later() } else { mount };
        Ok(CacheUse { mounts: vec![mount], ..CacheUse::default() })
    }

    fn dependencies(&self, invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
        manifests::dependencies(invocation, at, project)
    }

    fn readers(&self) -> &'static [&'static str] {
        &["bun", "bunx"]
    }
}

fn folder(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    let unknown = |because: &str| Obstacle::UnknownFolder { because: because.to_owned() };
    let (named, by) = match (at.non_empty("BUN_INSTALL_CACHE_DIR"), invocation.option(&["--cache-dir"])) {
        (Some(value), _) => (Some(value.map(str::to_owned)), "BUN_INSTALL_CACHE_DIR"),
        (None, option) => (option, "--cache-dir"),
    };
    if let Some(value) = named {
        // A relative folder is taken from the project's, which `--cwd` puts elsewhere.
        let elsewhere = invocation.option(&["--cwd"]).is_some();
        let value = value
            .into_known()
            .filter(|folder| folder.starts_with('/') || !(folder.is_empty() || folder.starts_with('~') || elsewhere));
        return value.and_then(|folder| at.absolute(&folder).into_known()).ok_or_else(|| unknown(by));
    }
    for (variable, relative) in [("BUN_INSTALL", "install/cache"), ("XDG_CACHE_HOME", ".bun/install/cache")] {
        match at.non_empty(variable) {
            None => {}
            Some(Knowledge::Known(folder)) if folder.starts_with('/') => {
                return Ok(format!("{}/{relative}", folder.trim_end_matches('/')));
            }
            Some(_) => return Err(unknown(variable)),
        }
    }
    at.below_home(".bun/install/cache").into_known().ok_or_else(|| unknown("$HOME"))
}

/// The subcommand and the known words behind it that are not options.
fn words(invocation: &Invocation) -> Vec<&str> {
    let Some((start, _)) = invocation.subcommand(WITH_VALUE) else { return Vec::new() };
    invocation
        .known_arguments()
        .filter(|(index, value)| *index >= start && !value.starts_with('-'))
        .map(|(_, value)| value)
        .collect()
}

fn unsafe_because(because: &str) -> Obstacle {
    Obstacle::Unsafe { because: because.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Need;
    use crate::ecosystems::testing::{at, command};

    fn target(text: &str, at: &Surroundings) -> Result<String, Obstacle> {
        Bun.cache(&command(text), at).map(|cache| cache.mounts.iter().map(|mount| mount.target.as_str()).collect())
    }

    #[test]
    fn tells_fetching_from_running() {
        let does = |text: &str| Bun.recognise(&command(text));
        for text in ["bun install", "bun i --frozen-lockfile", "bun --cwd web install", "bun add -g x", "bun ci", "bun pm fetch"]
        {
            assert_eq!(does(text), Some(Activity::Install { needs_index: false }), "{text}");
        }
        for text in [
            "bun run build",
            "bun install.ts",
            "bun build ./a.ts",
            "bun --version",
            "bun install --dry-run",
            "bun pm cache",
            "bun",
        ] {
            assert_eq!(does(text), Some(Activity::Other), "{text}");
        }
        assert_eq!(does("bun install --offline"), Some(Activity::Offline));
        assert_eq!(does("bun pm cache rm"), Some(Activity::Clean));
        assert_eq!(does("bunx x"), None);
    }

    #[test]
    fn the_folder_is_found_in_buns_order() {
        assert_eq!(target("bun install", &at(&[])), Ok("/root/.bun/install/cache".to_owned()));
        assert_eq!(target("bun install", &at(&[("XDG_CACHE_HOME", "/x")])), Ok("/x/.bun/install/cache".to_owned()));
        let installed = at(&[("XDG_CACHE_HOME", "/x"), ("BUN_INSTALL", "/usr/local")]);
        assert_eq!(target("bun install", &installed), Ok("/usr/local/install/cache".to_owned()));
        assert_eq!(target("bun install --cache-dir=.bc", &installed), Ok("/app/.bc".to_owned()));
        let variable = at(&[("BUN_INSTALL_CACHE_DIR", "/v")]);
        assert_eq!(target("bun install --cache-dir /flag", &variable), Ok("/v".to_owned()), "the variable goes first");
        assert_eq!(target("bun install", &at(&[("BUN_INSTALL", "")])), Ok("/root/.bun/install/cache".to_owned()));
        assert!(matches!(target("bun install --cache-dir $DIR", &at(&[])), Err(Obstacle::UnknownFolder { .. })));
        assert!(matches!(target("bun install", &Surroundings::default()), Err(Obstacle::UnknownFolder { .. })));
    }

    #[test]
    fn links_into_the_cache_are_refused() {
        let refused = |text: &str, at: &Surroundings| matches!(target(text, at), Err(Obstacle::Unsafe { .. }));
        assert!(refused("bun install --backend symlink", &at(&[])));
        assert!(!refused("bun install --backend=hardlink", &at(&[])));
        assert!(refused("bun install", &at(&[("BUN_INSTALL_GLOBAL_STORE", "1")])));
        let other = Surroundings { user: User::Unknown, ..at(&[]) };
        assert!(refused("bun add -g x", &other) && !refused("bun install", &other));
    }

    #[test]
    fn nothing_is_changed_and_only_a_fetch_is_needed_later() {
        let cache = |text: &str| Bun.cache(&command(text), &at(&[]));
        assert!(cache("bun install --no-cache").is_ok_and(|cache| cache.changes.is_empty()));
        let need = |text: &str| cache(text).map(|cache| cache.mounts.iter().map(|mount| mount.need).collect::<Vec<_>>());
        assert_eq!(need("bun install"), Ok(vec![Need::Never]));
        assert_eq!(need("bun pm fetch"), Ok(vec![Need::ByLaterSteps]));
    }
}
