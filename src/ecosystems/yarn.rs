//! Yarn: classic (1.x) and Berry (2 and later), two programs under one name.
//!
//! Which one it is: by what only one of them has (`--immutable`, `workspaces focus`; `global`, `upgrade`), then by earlier
//! commands (`corepack prepare yarn@4`, `yarn set version`, `npm i -g yarn@1`), then by `--frozen-lockfile` and its likes, else
//! classic, which Node.js images ship. Should a project's `packageManager` or `yarnPath` make it Berry all the same, a mount
//! on the classic cache does nothing, and no harm.
//!
//! Classic: `--cache-folder`, `yarn_cache_folder` in any case, `yarn config set cache-folder`, else `yarn` in XDG_CACHE_HOME,
//! else `.cache/yarn` in the home folder, which for root is `/usr/local/share` whatever HOME says. A relative option is taken
//! from the working folder. Locked: its own remedy for two runs at once is `--mutex`. Refused: Plug'n'Play, whose packages
//! are run from the cache.
//!
//! Berry: `cache` in YARN_GLOBAL_FOLDER, else in `yarn/berry` below XDG_DATA_HOME, else in `~/.yarn/berry`. From 4 on it is the
//! cache, before it is a mirror of the project's `.yarn/cache`; YARN_CACHE_FOLDER moves only the project's. Under Plug'n'Play,
//! the default, Yarn 4 runs packages from it, so a mount is right only where YARN_NODE_LINKER says otherwise (it overrules
//! `.yarnrc.yml`, which is not seen here) or YARN_ENABLE_GLOBAL_CACHE is off; everything else is refused, whatever the version,
//! since a `.yarnrc.yml` may switch the global cache on. Other users than root get all of the global folder (archives, registry
//! answers, an index of hard links: re-creatable), because Yarn writes beside `cache` too. Archives are moved into place.
//!
//! Both keep what registries serve, before any build: the same for all platforms. An unknown argument may hide a
//! `--cache-folder`: then the mount does nothing. Never: `yarn dlx`, `yarn create`, plugins, `yarn set version`.
//!
//! From: the sources of Yarn 1.22 (`constants`, `user-dirs`, `config`), the manual of Berry's settings, and runs of 3.8 and 4.18.

mod berry;
mod classic;
mod lock;
mod manifests;

use crate::ecosystems::node::Answer;
use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Project, Surroundings, User};
use crate::knowledge::Knowledge;

/// Yarn, classic and Berry.
pub struct Yarn;

/// Options in front of the subcommand with their value in the next word.
const WITH_VALUE: &[&str] = &[
    "--cwd",
    "--cache-folder",
    "--preferred-cache-folder",
    "--modules-folder",
    "--mutex",
    "--registry",
    "--network-timeout",
    "--network-concurrency",
];

/// Classic runs with them too, since it passes over options it does not know; but nobody writes them for it.
const ONLY_BERRY: &[&str] = &["--immutable", "--immutable-cache", "--check-cache", "--inline-builds", "--refresh-lockfile"];
/// Classic's own; Berry still takes the first few, with a warning.
const LIKELY_CLASSIC: &[&str] = &[
    "--frozen-lockfile",
    "--production",
    "--prod",
    "--non-interactive",
    "--pure-lockfile",
    "--cache-folder",
    "--modules-folder",
    "--mutex",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Generation {
    Classic,
    Berry,
    Unknown,
}

impl Ecosystem for Yarn {
    fn id(&self) -> &'static str {
        "yarn"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["yarn", "yarnpkg"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--cache-folder", "YARN_CACHE_FOLDER", "YARN_GLOBAL_FOLDER"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".npmrc", ".yarnrc", ".yarnrc.yml", "yarn.lock"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !matches!(invocation.program.as_str(), "yarn" | "yarnpkg") {
            return None;
        }
        if invocation.flag(&["--help", "-h", "--version", "-v", "--dry-run"]).is_some() {
            return Some(Activity::Other);
        }
        let words = words(invocation);
        let (first, second) = (words.first().copied().unwrap_or_default(), words.get(1).copied().unwrap_or_default());
        let fetches = match first {
            // `yarn` alone installs; `yarn $COMMAND` may be anything.
            "" => invocation.subcommand(WITH_VALUE).is_none() && only_options(invocation),
            "install" | "add" | "upgrade" | "upgrade-interactive" | "up" | "dedupe" | "import" => true,
            "global" => matches!(second, "add" | "upgrade"),
            "workspaces" => second == "focus",
            // Behind it stands the workspace's name.
            "workspace" => matches!(words.get(2).copied(), Some("add" | "install" | "upgrade" | "up")),
            "cache" if second == "clean" => return Some(Activity::Clean),
            _ => false,
        };
        Some(match fetches {
            true if invocation.flag(&["--offline"]).is_some() => Activity::Offline,
            true => Activity::Install { needs_index: false },
            false => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let mount = match generation(invocation, at.earlier) {
            Generation::Classic => classic_cache(invocation, at)?,
            Generation::Berry => berry_cache(at)?,
            Generation::Unknown => return Err(unknown("whether this is Yarn 1 or a later one")),
        };
        Ok(CacheUse { mounts: vec![mount], ..CacheUse::default() })
    }

    fn dependencies(&self, invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
        manifests::dependencies(invocation, at, project)
    }
}

fn classic_cache(invocation: &Invocation, at: &Surroundings) -> Result<CacheFolder, Obstacle> {
    let by_variable =
        variable(at, "yarn_plugnplay_override").is_some_and(|value| !matches!(value, Knowledge::Known("false" | "0")));
    if invocation.flag(&["--pnp", "--enable-pnp"]).is_some() || by_variable {
        return Err(plug_and_play());
    }
    if invocation.option(&["--preferred-cache-folder"]).is_some() || variable(at, "yarn_preferred_cache_folder").is_some() {
        return Err(unknown("a preferred cache folder is used only if it can be written to"));
    }
    let (named, by) = if let Some(value) = invocation.option(&["--cache-folder"]) {
        (Some(value), "--cache-folder")
    } else if let Some(value) = variable(at, "yarn_cache_folder") {
        (Some(value.map(str::to_owned)), "YARN_CACHE_FOLDER")
    } else {
        (configured(at.earlier, "cache-folder"), "yarn config set cache-folder")
    };
    let target = match (named, at.non_empty("XDG_CACHE_HOME"), &at.user) {
        (Some(Knowledge::Known(folder)), ..) if !folder.is_empty() => {
            at.absolute(&folder).into_known().ok_or_else(|| unknown(by))?
        }
        (Some(_), ..) => return Err(unknown(by)),
        (None, Some(xdg), _) => below(xdg.into_known(), "yarn", at).ok_or_else(|| unknown("XDG_CACHE_HOME"))?,
        (None, None, User::Root) => "/usr/local/share/.cache/yarn".to_owned(),
        (None, None, User::Other { .. }) => at.below_home(".cache/yarn").into_known().ok_or_else(|| unknown("$HOME"))?,
        (None, None, User::Unknown) => return Err(unknown("it is another one for root than for other users")),
    };
    Ok(CacheFolder::downloads(target).locked())
}

fn berry_cache(at: &Surroundings) -> Result<CacheFolder, Obstacle> {
    let says = |name: &str, key: &str| match at.variable(name) {
        Some(value) => Some(value.clone()),
        None => configured(at.earlier, key),
    };
    let linker = says("YARN_NODE_LINKER", "nodeLinker");
    let global = says("YARN_ENABLE_GLOBAL_CACHE", "enableGlobalCache");
    let is = |value: &Option<Knowledge<String>>, wanted: &[&str]| {
        let text = value.as_ref().and_then(Knowledge::known);
        text.is_some_and(|text| wanted.contains(&text.as_str()))
    };
    if !is(&linker, &["node-modules", "pnpm"]) && !is(&global, &["false", "0"]) {
        return Err(plug_and_play());
    }
    if is(&global, &["false", "0"]) && is(&at.variable("YARN_ENABLE_MIRROR").cloned(), &["false", "0"]) {
        return Err(Obstacle::SwitchedOff { by: "YARN_ENABLE_MIRROR".to_owned() });
    }
    let folder = if let Some(value) = says("YARN_GLOBAL_FOLDER", "globalFolder") {
        let known = value.into_known().filter(|folder| !folder.is_empty());
        known.and_then(|folder| at.absolute(&folder).into_known()).ok_or_else(|| unknown("YARN_GLOBAL_FOLDER"))?
    } else if let Some(xdg) = at.non_empty("XDG_DATA_HOME") {
        below(xdg.into_known(), "yarn/berry", at).ok_or_else(|| unknown("XDG_DATA_HOME"))?
    } else {
        at.below_home(".yarn/berry").into_known().ok_or_else(|| unknown("$HOME"))?
    };
    let target = if at.user == User::Root { format!("{}/cache", folder.trim_end_matches('/')) } else { folder };
    Ok(CacheFolder::downloads(target))
}

fn generation(invocation: &Invocation, earlier: &[Invocation]) -> Generation {
    let words = words(invocation);
    if invocation.flag(ONLY_BERRY).is_some() || matches!(words.as_slice(), ["workspaces", "focus", ..] | ["up" | "dedupe", ..]) {
        return Generation::Berry;
    }
    if matches!(words.as_slice(), ["global" | "upgrade" | "upgrade-interactive" | "import", ..]) {
        return Generation::Classic;
    }
    let looks_classic =
        invocation.known_arguments().any(|(_, value)| LIKELY_CLASSIC.contains(&value.split('=').next().unwrap_or(value)));
    match earlier.iter().rev().find_map(announced) {
        Some(Generation::Unknown) if looks_classic => Generation::Classic,
        Some(generation) => generation,
        None => Generation::Classic,
    }
}

/// The generation that an earlier command puts in place: `corepack prepare yarn@4.1.0 --activate`, `yarn set version berry`.
fn announced(command: &Invocation) -> Option<Generation> {
    let words: Vec<&Knowledge<String>> = command.arguments.iter().map(|argument| &argument.value).collect();
    let version = match (command.program.as_str(), words.as_slice()) {
        ("yarn" | "yarnpkg", [Knowledge::Known(set), Knowledge::Known(verb), version, ..])
            if matches!((set.as_str(), verb.as_str()), ("set", "version") | ("policies", "set-version")) =>
        {
            version.known().map(String::as_str)
        }
        ("corepack" | "npm" | "pnpm", _) => {
            let spec = command.arguments.iter().find_map(|argument| {
                let text = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
                text.trim_matches(['"', '\'']).strip_prefix("yarn@")
            })?;
            (!spec.contains('$')).then_some(spec)
        }
        _ => return None,
    };
    Some(match version {
        Some(version) if version == "classic" || version.starts_with("1.") || version == "1" || version.starts_with("^1") => {
            Generation::Classic
        }
        Some("berry" | "stable" | "canary") => Generation::Berry,
        // The `yarn` package of the npm registry ends at 1; for Corepack it is the newest.
        Some("latest") if command.program != "corepack" => Generation::Unknown,
        Some(version)
            if version == "latest" || version.trim_start_matches(['^', '~']).starts_with(|c: char| matches!(c, '2'..='9')) =>
        {
            Generation::Berry
        }
        _ => Generation::Unknown,
    })
}

/// What earlier `yarn config set KEY VALUE` commands say.
fn configured(earlier: &[Invocation], key: &str) -> Option<Knowledge<String>> {
    earlier.iter().rev().filter(|command| command.program == "yarn").find_map(|command| {
        let mut words =
            command.arguments.iter().filter(|argument| !argument.raw.starts_with('-')).map(|argument| &argument.value);
        let mut is = |wanted: &str| words.next().and_then(Knowledge::known).is_some_and(|word| word == wanted);
        let matches = is("config") && is("set") && is(key);
        matches.then(|| words.next().cloned().unwrap_or_default())
    })
}

/// The subcommand and the words behind it that are not options, as far as they are known.
fn words(invocation: &Invocation) -> Vec<&str> {
    let Some((start, _)) = invocation.subcommand(WITH_VALUE) else { return Vec::new() };
    invocation
        .known_arguments()
        .filter(|(index, value)| *index >= start && !value.starts_with('-'))
        .map(|(_, value)| value)
        .collect()
}

/// Whether no word could be a subcommand: an unknown one could, except as an option's value.
fn only_options(invocation: &Invocation) -> bool {
    let mut is_value = false;
    invocation.arguments.iter().all(|argument| {
        let expected = std::mem::replace(&mut is_value, WITH_VALUE.contains(&argument.raw.as_str()));
        expected || argument.raw.starts_with('-')
    })
}

/// A setting of classic from the environment: its names are taken in any case.
fn variable<'a>(at: &'a Surroundings, name: &str) -> Option<Knowledge<&'a str>> {
    let (_, value) = at.variables.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    match value {
        Knowledge::Known(text) if text.is_empty() => None,
        Knowledge::Known(text) => Some(Knowledge::Known(text.as_str())),
        Knowledge::Unknown => Some(Knowledge::Unknown),
    }
}

fn below(folder: Option<&str>, relative: &str, at: &Surroundings) -> Option<String> {
    at.absolute(&format!("{}/{relative}", folder?.trim_end_matches('/'))).into_known()
}

fn unknown(because: &str) -> Obstacle {
    Obstacle::UnknownFolder { because: because.to_owned() }
}

fn plug_and_play() -> Obstacle {
    let because =
        "under Plug'n'Play Yarn runs packages from its cache; YARN_NODE_LINKER=node-modules in an ENV would rule that out";
    Obstacle::Unsafe { because: because.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{at, command};

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: false });

    fn node() -> Surroundings<'static> {
        let user = User::Other { name: Some("node".to_owned()), uid: Knowledge::Known(1000), gid: Knowledge::Known(1000) };
        Surroundings { user, home: Knowledge::Known("/home/node".to_owned()), ..at(&[]) }
    }

    fn target(text: &str, at: &Surroundings) -> Result<String, Obstacle> {
        Yarn.cache(&command(text), at).map(|cache| cache.mounts.iter().map(|mount| mount.target.as_str()).collect())
    }

    #[test]
    fn yarn_alone_installs_and_a_script_does_not() {
        for text in [
            "yarn",
            "yarn --frozen-lockfile",
            "yarn --cwd web install",
            "yarn global add serve",
            "yarn workspace api add x",
            "yarn workspaces focus",
        ] {
            assert_eq!(Yarn.recognise(&command(text)), INSTALL, "{text}");
        }
        for text in [
            "yarn build",
            "yarn run install",
            "yarn --version",
            "yarn $COMMAND",
            "yarn workspace api build",
            "yarn set version 4.0.0",
        ] {
            assert_eq!(Yarn.recognise(&command(text)), Some(Activity::Other), "{text}");
        }
        assert_eq!(Yarn.recognise(&command("yarn install --offline")), Some(Activity::Offline));
        assert_eq!(Yarn.recognise(&command("yarn cache clean")), Some(Activity::Clean));
        assert_eq!(Yarn.recognise(&command("npm ci")), None);
    }

    #[test]
    fn classic_keeps_roots_cache_outside_of_its_home() {
        assert_eq!(target("yarn install", &at(&[])), Ok("/usr/local/share/.cache/yarn".to_owned()));
        assert_eq!(target("yarn install", &node()), Ok("/home/node/.cache/yarn".to_owned()));
        assert_eq!(target("yarn", &at(&[("XDG_CACHE_HOME", "/c")])), Ok("/c/yarn".to_owned()));
        assert_eq!(target("yarn", &at(&[("YARN_CACHE_FOLDER", "/y")])), Ok("/y".to_owned()));
        assert_eq!(target("yarn --cache-folder .yc", &at(&[("YARN_CACHE_FOLDER", "/y")])), Ok("/app/.yc".to_owned()));
        let earlier = [command("yarn config set cache-folder /k")];
        assert_eq!(target("yarn", &Surroundings { earlier: &earlier, ..at(&[]) }), Ok("/k".to_owned()));
        assert_eq!(target("yarn --cache-folder $DIR", &at(&[])), Err(unknown("--cache-folder")));
        assert_eq!(target("yarn --pnp", &at(&[])), Err(plug_and_play()));
    }

    #[test]
    fn berry_is_refused_where_packages_may_be_run_from_its_cache() {
        assert_eq!(target("yarn install --immutable", &at(&[])), Err(plug_and_play()));
        let earlier = [command("corepack prepare yarn@4.1.0 --activate")];
        assert_eq!(target("yarn", &Surroundings { earlier: &earlier, ..at(&[]) }), Err(plug_and_play()));
        let linker = at(&[("YARN_NODE_LINKER", "node-modules")]);
        assert_eq!(target("yarn install --immutable", &linker), Ok("/root/.yarn/berry/cache".to_owned()));
        let moved = at(&[("YARN_NODE_LINKER", "node-modules"), ("YARN_GLOBAL_FOLDER", "/g"), ("YARN_CACHE_FOLDER", "/y")]);
        assert_eq!(target("yarn install --immutable", &moved), Ok("/g/cache".to_owned()));
        let earlier = [command("yarn config set nodeLinker node-modules")];
        let plain = Surroundings { earlier: &earlier, ..node() };
        assert_eq!(target("yarn install --immutable", &plain), Ok("/home/node/.yarn/berry".to_owned()));
        assert_eq!(
            target("yarn install --immutable", &at(&[("YARN_ENABLE_GLOBAL_CACHE", "0")])),
            Ok("/root/.yarn/berry/cache".to_owned())
        );
    }

    #[test]
    fn the_generation_follows_the_last_evidence() {
        for (earlier, berry) in
            [("yarn set version berry", true), ("yarn set version 1.22.19", false), ("npm i -g yarn@1.22.19", false)]
        {
            let earlier = [command(earlier)];
            let result = target("yarn", &Surroundings { earlier: &earlier, ..at(&[]) });
            assert_eq!(result == Err(plug_and_play()), berry, "{result:?}");
        }
        let earlier = [command("corepack prepare yarn@$VERSION --activate")];
        let result = target("yarn", &Surroundings { earlier: &earlier, ..at(&[]) });
        assert!(matches!(result, Err(Obstacle::UnknownFolder { .. })), "{result:?}");
    }
}
