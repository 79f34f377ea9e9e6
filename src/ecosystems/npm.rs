//! npm: the package manager that comes with Node.js.
//!
//! Knows: which of its commands fetch, and where its cache is: `--cache`, `npm_config_cache` in any spelling of upper and lower
//! case (an empty value counts as none), `npm config set cache`, else `.npm` in the home folder.
//!
//! Two choices of folder. By default it is `.npm` as a whole: `_cacache` in it holds the downloads, `_prebuilds` what
//! prebuild-install fetched, and another user than root could not write beside a mount of `_cacache` alone. In a folder that
//! the author named (which may be `/tmp`) it is only `_cacache`, which is npm's own whatever the folder is; npm 10 and 12 were
//! run with it writable and the folder around it not, without as much as a warning.
//!
//! Nothing switches the cache off: `--no-cache` is no setting of npm's (npm 10 was seen to fill its default folder with it),
//! `--prefer-online` only asks the registry whether what is cached is still fresh. `cacache` is made for several writers
//! (content by its hash, moved into place), and a registry's packages are the same on every platform.
//!
//! An unknown argument (`npm ci $FLAGS`) may hide a `--cache`: then the mount does nothing, and no harm. So it is with a
//! `cache=` in an `.npmrc`, which is not seen here.
//!
//! Never: `npx`, `npm exec`, `npm init`. What they fetch is installed in `_npx` and may be run again without a network.
//! `npm cache add` is refused: it fetches for a later step to install from.
//!
//! From: npm's manual (`config`, `cache`), npm's own list of commands and aliases (10 and 12), and runs of both.

mod lock;
mod manifests;

use crate::ecosystems::node::{Answer, corepack};
use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Project, Surroundings};
use crate::knowledge::Knowledge;

/// npm.
pub struct Npm;

/// Options that take the next word as their value and may stand before the subcommand.
const WITH_VALUE: &[&str] = &[
    "--cache",
    "--prefix",
    "-C",
    "--registry",
    "--userconfig",
    "--loglevel",
    "--workspace",
    "-w",
    "--location",
    "-L",
    "--omit",
    "--include",
    "--tag",
    "--proxy",
];

impl Ecosystem for Npm {
    fn id(&self) -> &'static str {
        "npm"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["npm", "corepack"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--cache", "--logs-dir", "NPM_CONFIG_CACHE", "NPM_CONFIG_LOGS_DIR", "npm_config_cache", "npm_config_logs_dir"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".npmrc", "npm-shrinkwrap.json", "package-lock.json"]
    }

    fn assumed(&self, invocation: &Invocation) -> Option<super::Assumed> {
        let plain = matches!(invocation.argument(0), "install" | "i") && invocation.arguments.len() == 1;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        (invocation.program == "npm" && plain)
            .then(|| super::Assumed { sources: names(&["package.json*", "package-lock.json*"]), asked: names(&["package.json"]) })
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program == "corepack" {
            return Some(Activity::Other);
        }
        if !invocation.is("npm") {
            return None;
        }
        let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else { return Some(Activity::Other) };
        let then = next_word(invocation, index + 1).unwrap_or_default();
        Some(match subcommand {
            _ if is_on(invocation, &["--help", "-h", "-?", "--usage", "--version", "-v", "--dry-run"]) => Activity::Other,
            "cache" | "audit" | "pack" if then.is_empty() => Activity::Other,
            "cache" if matches!(then, "clean" | "clear" | "rm") => Activity::Clean,
            "cache" if then == "add" => Activity::Install { needs_index: false },
            "audit" if then == "fix" => Activity::Install { needs_index: false },
            "pack" => Activity::Install { needs_index: false },
            name if !fetches(name) => Activity::Other,
            _ if is_on(invocation, &["--offline"]) => Activity::Offline,
            _ => Activity::Install { needs_index: false },
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        if invocation.subcommand(WITH_VALUE).is_some_and(|(_, name)| name == "cache") {
            let because = "`npm cache add` fetches for a later step, which must find it in the image".to_owned();
            return Err(Obstacle::Unsafe { because });
        }
        if let Some(Knowledge::Known("true")) = setting(at, "npm_config_offline") {
            return Err(Obstacle::KeepsNothing { because: "npm_config_offline is set".to_owned() });
        }
        let (named, by) = if let Some(value) = invocation.option(&["--cache"]) {
            (Some(value), "--cache")
        } else if let Some(value) = setting(at, "npm_config_cache") {
            (Some(value.map(str::to_owned)), "npm_config_cache")
        } else {
            (configured(at.earlier, "cache"), "npm config set cache")
        };
        let target = match named {
            None => at.below_home(".npm").into_known().ok_or_else(|| unknown("$HOME"))?,
            Some(Knowledge::Known(folder)) if !folder.is_empty() && !folder.starts_with('-') => {
                let folder = at.absolute(&folder).into_known().ok_or_else(|| unknown(by))?;
                format!("{}/_cacache", folder.trim_end_matches('/'))
            }
            Some(_) => return Err(unknown(by)),
        };
        Ok(CacheUse { mounts: vec![CacheFolder::downloads(target)], ..CacheUse::default() })
    }

    fn dependencies(&self, invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
        if invocation.program == "corepack" {
            return corepack::dependencies(invocation, at, project);
        }
        manifests::dependencies(invocation, at, project)
    }
}

/// Every name of `install`, `ci`, `update`, `dedupe` and the two that run tests after an install.
fn fetches(subcommand: &str) -> bool {
    let test = matches!(subcommand, "install-test" | "it" | "install-ci-test" | "cit" | "clean-install-test" | "sit");
    let (install, ci) = (is_install(subcommand), is_ci(subcommand));
    install || ci || test || matches!(subcommand, "update" | "up" | "upgrade" | "udpate" | "u" | "dedupe" | "ddp")
}

fn is_install(subcommand: &str) -> bool {
    matches!(
        subcommand,
        "install" | "add" | "i" | "in" | "ins" | "inst" | "insta" | "instal" | "isnt" | "isnta" | "isntal" | "isntall"
    )
}

fn is_ci(subcommand: &str) -> bool {
    matches!(subcommand, "ci" | "clean-install" | "ic" | "install-clean" | "isntall-clean")
}

fn unknown(because: &str) -> Obstacle {
    Obstacle::UnknownFolder { because: because.to_owned() }
}

/// Whether one of these options is given, as `--name` or `--name=true`.
fn is_on(invocation: &Invocation, flags: &[&str]) -> bool {
    invocation.known_arguments().any(|(_, value)| flags.contains(&value.strip_suffix("=true").unwrap_or(value)))
}

/// The first known argument at `from` or behind it that is not an option.
fn next_word(invocation: &Invocation, from: usize) -> Option<&str> {
    invocation.known_arguments().find(|(index, value)| *index >= from && !value.starts_with('-')).map(|(_, value)| value)
}

/// A setting from the environment: npm takes its names in any case and passes over empty values.
fn setting<'a>(at: &'a Surroundings, name: &str) -> Option<Knowledge<&'a str>> {
    let (_, value) = at
        .variables
        .iter()
        .rev()
        .find(|(key, value)| key.eq_ignore_ascii_case(name) && value.known().is_none_or(|text| !text.is_empty()))?;
    Some(match value {
        Knowledge::Known(text) => Knowledge::Known(text.as_str()),
        Knowledge::Unknown => Knowledge::Unknown,
    })
}

/// What earlier commands wrote to one of npm's settings: `npm config set KEY VALUE`, `npm set KEY=VALUE`; deleted is none.
fn configured(earlier: &[Invocation], wanted: &str) -> Option<Knowledge<String>> {
    let mut found = None;
    for command in earlier.iter().filter(|command| command.is("npm")) {
        // `proxy=$URL` is not known, but its key is.
        let of_another_key = |raw: &str| raw.split_once('=').is_some_and(|(key, _)| key != wanted && !key.contains('$'));
        let mut words = command
            .arguments
            .iter()
            .filter(|argument| !argument.raw.starts_with('-') && !of_another_key(&argument.raw))
            .map(|argument| &argument.value);
        let mut verb = words.next().and_then(Knowledge::known).map_or("", String::as_str);
        if matches!(verb, "config" | "c") {
            verb = words.next().and_then(Knowledge::known).map_or("", String::as_str);
        }
        let keys: Vec<&Knowledge<String>> = words.collect();
        match (verb, keys.as_slice()) {
            ("set", [Knowledge::Known(key), value]) if key == wanted => found = Some((*value).clone()),
            ("set", pairs) => {
                for pair in pairs {
                    match pair.known().map(|pair| pair.split_once('=')) {
                        Some(Some((key, value))) if key == wanted => found = Some(Knowledge::Known(value.to_owned())),
                        Some(_) => {}
                        // With a known key before it, this is that key's value.
                        None if pairs.len() == 2 => {}
                        None => found = Some(Knowledge::Unknown),
                    }
                }
            }
            ("delete" | "rm" | "del", keys) if keys.iter().any(|key| key.known().is_some_and(|key| key == wanted)) => {
                found = None
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: false });

    fn root() -> Surroundings<'static> {
        Surroundings {
            home: Knowledge::Known("/root".to_owned()),
            workdir: Knowledge::Known("/app".to_owned()),
            ..Surroundings::default()
        }
    }

    fn does(words: &[&str]) -> Option<Activity> {
        Npm.recognise(&invocation(words))
    }

    fn target(words: &[&str], at: &Surroundings) -> Result<String, Obstacle> {
        Npm.cache(&invocation(words), at).map(|cache| cache.mounts.iter().map(|mount| mount.target.as_str()).collect())
    }

    #[test]
    fn installs_are_recognised_under_all_their_names() {
        for command in
            ["npm ci", "npm i", "npm install -g pnpm", "npm --prefix web ci", "npm -C web i --omit=dev", "npm audit fix"]
        {
            assert_eq!(does(&command.split(' ').collect::<Vec<_>>()), INSTALL, "{command}");
        }
        assert_eq!(does(&["npm", "ci", "$FLAGS"]), INSTALL);
    }

    #[test]
    fn what_fetches_nothing_is_left_alone() {
        for command in [
            "npm run build",
            "npm ci --help",
            "npm i --dry-run",
            "npm --version",
            "npm exec foo",
            "npm prune",
            "npm cache verify",
        ] {
            assert_eq!(does(&command.split(' ').collect::<Vec<_>>()), Some(Activity::Other), "{command}");
        }
        assert_eq!(does(&["npx", "foo"]), None);
        assert_eq!(does(&["npm", "ci", "--offline"]), Some(Activity::Offline));
        assert_eq!(does(&["npm", "ci", "--prefer-offline"]), INSTALL);
        assert_eq!(does(&["npm", "cache", "clean", "--force"]), Some(Activity::Clean));
    }

    #[test]
    fn the_cache_is_in_the_home_folder_or_where_it_was_put() {
        assert_eq!(target(&["npm", "ci"], &root()), Ok("/root/.npm".to_owned()));
        assert_eq!(target(&["npm", "ci", "--cache", ".npm"], &root()), Ok("/app/.npm/_cacache".to_owned()));
        let at = Surroundings { variables: vec![("NPM_CONFIG_CACHE".to_owned(), Knowledge::Known("/tmp".to_owned()))], ..root() };
        assert_eq!(target(&["npm", "ci"], &at), Ok("/tmp/_cacache".to_owned()));
        let at = Surroundings { variables: vec![("npm_config_cache".to_owned(), Knowledge::Known(String::new()))], ..root() };
        assert_eq!(target(&["npm", "ci"], &at), Ok("/root/.npm".to_owned()));
    }

    #[test]
    fn earlier_settings_count() {
        let earlier = [invocation(&["npm", "config", "set", "cache", "/c", "--global"])];
        assert_eq!(target(&["npm", "ci"], &Surroundings { earlier: &earlier, ..root() }), Ok("/c/_cacache".to_owned()));
        let earlier = [invocation(&["npm", "set", "cache=/d"])];
        assert_eq!(target(&["npm", "ci"], &Surroundings { earlier: &earlier, ..root() }), Ok("/d/_cacache".to_owned()));
        let proxy = [invocation(&["npm", "config", "set", "proxy=${http_proxy}"])];
        assert_eq!(target(&["npm", "ci"], &Surroundings { earlier: &proxy, ..root() }), Ok("/root/.npm".to_owned()));
        let earlier = [invocation(&["npm", "config", "set", "registry", "$MIRROR"])];
        assert_eq!(target(&["npm", "ci"], &Surroundings { earlier: &earlier, ..root() }), Ok("/root/.npm".to_owned()));
    }

    #[test]
    fn a_folder_that_is_not_known_is_refused() {
        assert_eq!(target(&["npm", "ci", "--cache", "$DIR"], &root()), Err(unknown("--cache")));
        let at = Surroundings { variables: vec![("npm_config_cache".to_owned(), Knowledge::Unknown)], ..root() };
        assert_eq!(target(&["npm", "ci"], &at), Err(unknown("npm_config_cache")));
        assert_eq!(target(&["npm", "ci"], &Surroundings::default()), Err(unknown("$HOME")));
        assert!(matches!(target(&["npm", "cache", "add", "x"], &root()), Err(Obstacle::Unsafe { .. })));
    }
}
