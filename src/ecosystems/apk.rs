//! apk, the package manager of Alpine and its relatives.
//!
//! Knows: apk keeps packages only where it is given a cache, by a link at `/etc/apk/cache` or by `--cache-dir`; a bare mount at
//! `/var/cache/apk` would hold the index alone. So the command gets `--cache-dir=/var/cache/apk` and loses `--no-cache`. The
//! index that then lies in the mount counts as fresh for hours, while the mirrors delete old versions: the command gets
//! `--update-cache` too, which asks the mirror each time, as `--no-cache` did. An install thus never works from an index of
//! another step.
//! Never touches `/etc/apk` or `/lib/apk`.
//!
//! One build at a time: apk's lock lies in the root file system, not in the cache. Kept apart by platform (apk 2 names the index
//! by the repository's address alone, without the architecture) and by base image (see below).
//!
//! Refused: `--virtual` and local `.apk` files, in the command and in those before it. apk writes what is installed from no
//! repository to a file `installed` in the cache, and apk 2 offers it to the next build, which has another root: a virtual
//! package is there known by process number, name and version, so one of another build can be taken for one's own, with
//! the other's dependencies. Also another root (`--root`, `--initdb`, `--arch`), a cache of the author's own, `APK_CONFIG`,
//! images of Alpine before 3.8 (whether their apk has all the options is unproven), a subcommand that can't be read. An unknown
//! argument behind the subcommand is taken for package names.
//! Not seen: `/etc/apk/config` (apk 3), which could hold `no-cache`; official images have none.
//!
//! Sources: apk-tools' `database.c`, `context.c`, `apk.c` and `app_add.c` of the 2.x and 3.x lines, apk(8). Not run on an engine.

use crate::ecosystems::system_packages::{self, Rules};
use crate::ecosystems::{
    Activity, BaseImage, CacheFolder, CacheUse, CommandChange, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project,
    Scope, Surroundings,
};

/// Alpine's package manager.
pub struct Apk;

const CACHE: &str = "/var/cache/apk";

/// Options whose value is the next word.
#[rustfmt::skip]
const WITH_VALUE: &[&str] = &[
    "-p", "--root", "-X", "--repository", "--repository-config", "--repositories-file", "--keys-dir", "--arch", "--cache-dir",
    "--cache-max-age", "--progress-fd", "--timeout", "--wait", "--uvol-manager", "-t", "--virtual",
];
const RULES: Rules = Rules {
    with_value: WITH_VALUE,
    file_options: &["--repositories-file", "--keys-dir"],
    elsewhere: &["-p", "--root", "--cache-dir"],
    endings: &[".apk"],
    paths: false,
};
const QUERIES: &[&str] = &["search", "policy", "list", "dot"];

impl Ecosystem for Apk {
    fn id(&self) -> &'static str {
        "apk"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["apk"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "apk" {
            return None;
        }
        let informs = ["--help", "--version", "--print-arch", "--simulate"];
        if invocation.flag(&informs).is_some() || has_short(invocation, &['h', 'V', 's']) {
            return Some(Activity::Other);
        }
        // Every change of `add` makes it fetch the index itself; `fetch` can't be made to.
        let add = Activity::Install { needs_index: false };
        let Some((index, command)) = invocation.subcommand(WITH_VALUE) else {
            return Some(if invocation.has_unknown_argument() { add } else { Activity::Other });
        };
        let uncached = invocation.flag(&["--no-cache"]).is_some();
        let offline = invocation.flag(&["--no-network"]).is_some();
        Some(match command {
            "add" | "upgrade" | "fix" if offline => Activity::Offline,
            "add" | "upgrade" | "fix" => add,
            "fetch" if !uncached => Activity::Install { needs_index: true },
            "update" if !uncached => Activity::RefreshIndex,
            "cache" if ["clean", "purge"].contains(&invocation.argument(index + 1)) => Activity::Clean,
            _ if QUERIES.contains(&command) && !uncached && invocation.flag(&["-I", "--installed"]).is_none() => {
                Activity::Offline
            }
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        if at.non_empty("APK_CONFIG").is_some() {
            return Err(Obstacle::UnknownFolder { because: "APK_CONFIG names a configuration file of its own".to_owned() });
        }
        if alpine_minor(&at.base).is_some_and(|minor| minor < 8) {
            return Err(Obstacle::UnknownFolder {
                because: "whether the apk of an Alpine before 3.8 takes --cache-dir is not known".to_owned(),
            });
        }
        if has_option(invocation, &["--cache-dir"]) {
            return Err(Obstacle::UnknownFolder { because: "the command names a cache of its own with --cache-dir".to_owned() });
        }
        if has_option(invocation, &["-p", "--root", "--initdb", "--arch"]) || has_short(invocation, &['p']) {
            return Err(Obstacle::Unsafe { because: "the command works on another root or architecture".to_owned() });
        }
        if invocation.known_arguments().any(|(_, word)| word.starts_with("--cache=")) {
            return Err(Obstacle::SwitchedOff { by: "--cache=…".to_owned() });
        }
        if adds_from_outside(invocation) || at.earlier.iter().any(adds_from_outside) {
            let because =
                "virtual and local packages would be written to the shared cache and offered to other builds".to_owned();
            return Err(Obstacle::Unsafe { because });
        }
        let Some((_, command)) = invocation.subcommand(WITH_VALUE) else {
            return Err(Obstacle::Unsafe { because: "which of apk's commands this is can't be read".to_owned() });
        };
        let mounts = vec![CacheFolder::downloads(CACHE).locked().per_base_image().platform_specific()];
        let mut changes = Vec::new();
        if ["add", "upgrade", "fix"].contains(&command) {
            let refresh = if refreshes(invocation) { "" } else { " --update-cache" };
            changes.push(CommandChange::InsertAfterProgram(format!("--cache-dir={CACHE}{refresh}")));
            changes.extend(invocation.flags(&["--no-cache"]).into_iter().map(CommandChange::RemoveArgument));
        }
        Ok(CacheUse { mounts, changes, notes: Vec::new() })
    }

    fn scope(&self) -> Scope {
        Scope::Stage
    }

    fn is_of_the_system(&self) -> bool {
        true
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        let command = invocation.subcommand(WITH_VALUE).map(|(_, command)| command);
        let repository = invocation
            .option(&["-X", "--repository"])
            .is_some_and(|value| value.known().is_some_and(|value| !value.trim_start_matches('@').contains("://")));
        // `fetch` writes to the work folder; a repository without a scheme is a folder.
        if repository || command == Some("fetch") || command.is_none() && invocation.has_unknown_argument() {
            return Ok(None);
        }
        let upgrades = command == Some("upgrade") || has_short(invocation, &['u']) || invocation.flag(&["--upgrade"]).is_some();
        let unpinned = upgrades.then(|| "`apk upgrade` brings what is newest at the time".to_owned());
        system_packages::dependencies(&RULES, invocation, at, project, unpinned)
    }

    fn classic_folders(&self) -> &'static [&'static str] {
        &["/var/cache/apk", "/etc/apk/cache"]
    }
}

/// Whether the command may leave packages in the root that no repository holds. Long options may be cut short: `--virt`.
fn adds_from_outside(invocation: &Invocation) -> bool {
    let mut words = invocation.known_arguments();
    invocation.program == "apk"
        && invocation.flag(&["add"]).is_some()
        && (has_short(invocation, &['t']) || words.any(|(_, word)| word.starts_with("--vi") || word.ends_with(".apk")))
}

/// Whether the command asks for a fresh index already; `--update` is in wide use.
fn refreshes(invocation: &Invocation) -> bool {
    has_short(invocation, &['U'])
        || invocation.known_arguments().any(|(_, word)| word.len() > "--u".len() && "--update-cache".starts_with(word))
}

fn has_option(invocation: &Invocation, names: &[&str]) -> bool {
    invocation.flag(names).is_some() || invocation.option(names).is_some()
}

/// Whether a word of short options (`-Ut`) holds one of `letters`, up to one that takes the rest of the word as its value.
fn has_short(invocation: &Invocation, letters: &[char]) -> bool {
    invocation.known_arguments().any(|(_, word)| {
        let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else { return false };
        for letter in cluster.chars() {
            if letters.contains(&letter) {
                return true;
            }
            if "pXtc".contains(letter) {
                return false;
            }
        }
        false
    })
}

/// The `8` of `alpine:3.8` and of tags such as `1.10-alpine3.8`, where one is written.
fn alpine_minor(base: &BaseImage) -> Option<u32> {
    let tag = base.tag();
    let version = if base.repository() == "alpine" { tag } else { tag.split_once("alpine").map(|(_, rest)| rest)? };
    let minor: String = version.strip_prefix("3.")?.chars().take_while(char::is_ascii_digit).collect();
    minor.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::system_packages::tests::{harmless, mutable, read};
    use crate::ecosystems::testing::command;
    use crate::knowledge::Knowledge;

    fn on(image: &str) -> Surroundings<'static> {
        Surroundings { base: BaseImage { reference: Knowledge::Known(image.to_owned()) }, ..Surroundings::default() }
    }

    fn changes(line: &str) -> Vec<CommandChange> {
        Apk.cache(&command(line), &on("alpine:3.20")).unwrap().changes
    }

    fn insert(text: &str) -> CommandChange {
        CommandChange::InsertAfterProgram(text.to_owned())
    }

    #[test]
    fn commands_are_told_apart() {
        for line in "apk add --no-cache curl | apk -U add curl | apk upgrade | apk --repository http://x/y add z | apk fix | \
            apk add $PACKAGES"
            .split(" | ")
        {
            assert_eq!(Apk.recognise(&command(line)), Some(Activity::Install { needs_index: false }), "{line}");
        }
        assert_eq!(Apk.recognise(&command("apk fetch curl")), Some(Activity::Install { needs_index: true }));
        assert_eq!(Apk.recognise(&command("apk update")), Some(Activity::RefreshIndex));
        assert_eq!(Apk.recognise(&command("apk -v cache clean")), Some(Activity::Clean));
        for line in ["apk search curl", "apk add --no-network curl"] {
            assert_eq!(Apk.recognise(&command(line)), Some(Activity::Offline), "{line}");
        }
        for line in ["apk del gcc", "apk info -v", "apk add -s curl", "apk --version", "apk update --no-cache"] {
            assert_eq!(Apk.recognise(&command(line)), Some(Activity::Other), "{line}");
        }
        assert_eq!(Apk.recognise(&command("apt-get install apk")), None);
    }

    #[test]
    fn no_cache_gives_way_to_a_cache_with_a_fresh_index() {
        let both = insert("--cache-dir=/var/cache/apk --update-cache");
        assert_eq!(changes("apk add --no-cache curl"), [both.clone(), CommandChange::RemoveArgument(1)]);
        assert_eq!(changes("apk --no-cache upgrade"), [both.clone(), CommandChange::RemoveArgument(0)]);
        assert_eq!(changes("apk add curl"), [both]);
    }

    #[test]
    fn a_fresh_index_is_asked_for_once() {
        for line in ["apk add -U curl", "apk add --update-cache curl", "apk add --update curl", "apk -qU upgrade"] {
            assert_eq!(changes(line), [insert("--cache-dir=/var/cache/apk")], "{line}");
        }
    }

    #[test]
    fn the_index_goes_to_the_same_mount() {
        let found = Apk.cache(&command("apk update"), &on("alpine:3.20")).unwrap();
        assert_eq!((found.mounts[0].target.as_str(), found.changes.len()), (CACHE, 0));
        assert!(!found.mounts[0].keyed_by_platform && found.mounts[0].by_base_image);
    }

    #[test]
    fn packages_from_no_repository_are_refused() {
        for line in "apk add --no-cache --virtual .deps gcc | apk add --no-cache -t .deps gcc | apk add -Ut .deps gcc | apk add \
            --virtual=.deps gcc | apk add --allow-untrusted ./glibc.apk"
            .split(" | ")
        {
            assert!(matches!(Apk.cache(&command(line), &on("alpine:3.20")), Err(Obstacle::Unsafe { .. })), "{line}");
        }
        let earlier = [command("apk add --no-cache --virtual .deps gcc")];
        let at = Surroundings { earlier: &earlier, ..on("alpine:3.20") };
        assert!(matches!(Apk.cache(&command("apk add --no-cache curl"), &at), Err(Obstacle::Unsafe { .. })));
    }

    #[test]
    fn the_project_is_read_for_package_files_alone() {
        harmless(
            &Apk,
            &[
                "apk update",
                "apk add --no-cache curl=~8 so:libx.so.1 git@edge $PACKAGES",
                "apk add --no-cache --virtual .deps gcc",
                "apk del .deps",
                "apk add -X https://x/y curl",
                "apk cache clean",
            ],
        );
        mutable(&Apk, &["apk upgrade --no-cache", "apk -U upgrade", "apk add --upgrade curl"]);
        assert_eq!(read(&Apk, "apk add --allow-untrusted ./x.apk"), Ok(Some("x.apk".to_owned())));
        assert_eq!(read(&Apk, "apk add ~$(cat packages.txt)"), Ok(Some("packages.txt".to_owned())));
        for line in ["apk fetch curl", "apk add -X ./repo curl", "apk $DO", "apk --root /rootfs add curl"] {
            assert_eq!(read(&Apk, line), Ok(None), "{line}");
        }
        assert!(matches!(read(&Apk, "apk add /tmp/glibc.apk"), Err(Entangled::NotSeen { .. })));
    }

    #[test]
    fn other_roots_and_caches_and_old_images_are_refused() {
        for line in "apk add -p /rootfs curl | apk --root=/rootfs --initdb add curl | apk add --cache-dir /x curl | apk \
            --cache=no add curl | apk $DO"
            .split(" | ")
        {
            assert!(Apk.cache(&command(line), &on("alpine:3.20")).is_err(), "{line}");
        }
        for image in ["alpine:3.5", "golang:1.10-alpine3.7"] {
            assert!(Apk.cache(&command("apk add --no-cache curl"), &on(image)).is_err(), "{image}");
        }
        for image in ["alpine", "alpine:latest", "alpine:3.18.4", "node:20-alpine", "python:3.12-alpine3.20"] {
            assert!(Apk.cache(&command("apk add --no-cache curl"), &on(image)).is_ok(), "{image}");
        }
        let at = Surroundings { variables: vec![("APK_CONFIG".to_owned(), Knowledge::Unknown)], ..on("alpine:3.20") };
        assert!(Apk.cache(&command("apk add --no-cache curl"), &at).is_err());
    }
}
