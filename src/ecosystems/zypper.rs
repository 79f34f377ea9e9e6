//! zypper, the package manager of openSUSE and SUSE.
//!
//! Knows: zypper deletes a package once it is installed, unless its repository has `keeppackages`; no option of an install
//! changes that, and images have it off. So a mount is of use only after a command that turned it on for all repositories
//! (`zypper modifyrepo --keep-packages --all`); then `/var/cache/zypp/packages` is named. Metadata (`/var/cache/zypp/raw`,
//! `solv`) is never mounted: a repository without autorefresh would be taken as the mount has it for ever, while mirrors delete
//! old packages. Never changes a repository's settings: they would stay in the image.
//!
//! One build at a time (the lock is in `/run`, outside the cache). Kept apart by base image and platform: repositories are named
//! by aliases, and `noarch` packages of two of them may have one name.
//!
//! Refused: nearly all ([`Obstacle::KeepsNothing`]); another root, another cache, `ZYPP_CONF`. `clean` counts as
//! [`Activity::Clean`] only where it empties the packages alone; `clean --all` also removes metadata, which is in the layer.
//!
//! Sources: zypper(8); zypper 1.14 against a local repository (deleted by default, kept after `modifyrepo --keep-packages`, and
//! deleted again by the install that follows a `--download-only`).

use crate::ecosystems::system_packages::{self, Rules};
use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project, Scope, Surroundings,
};

/// SUSE's package manager.
pub struct Zypper;

/// Options whose value is the next word.
#[rustfmt::skip]
const WITH_VALUE: &[&str] = &[
    "-c", "--config", "--userdata", "-s", "--table-style", "-D", "--reposd-dir", "-C", "--cache-dir", "--raw-cache-dir",
    "--solv-cache-dir", "--pkg-cache-dir", "-p", "--plus-repo", "--plus-content", "--releasever", "-R", "--root",
    "--installroot",
];
#[rustfmt::skip]
const INSTALLS: &[&str] = &[
    "install", "in", "update", "up", "dist-upgrade", "dup", "patch", "source-install", "si", "install-new-recommends", "inr",
    "download", "verify", "ve",
];

/// Bring whatever is newest.
const UPGRADES: &[&str] = &["update", "up", "dist-upgrade", "dup", "patch"];
const RULES: Rules = Rules {
    with_value: WITH_VALUE,
    file_options: &["-c", "--config"],
    elsewhere: &["-R", "--root", "--installroot", "-C", "--cache-dir", "--pkg-cache-dir", "-p", "--plus-repo"],
    endings: &[".rpm", ".repo"],
    paths: false,
};

impl Ecosystem for Zypper {
    fn id(&self) -> &'static str {
        "zypper"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["zypper"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "zypper" {
            return None;
        }
        if invocation.flag(&["--help", "-h", "--version", "-V", "--dry-run"]).is_some() {
            return Some(Activity::Other);
        }
        let install = Activity::Install { needs_index: false };
        let Some((index, command)) = invocation.subcommand(WITH_VALUE) else {
            return Some(if invocation.has_unknown_argument() { install } else { Activity::Other });
        };
        let more_than_packages = ["-a", "--all", "-m", "--metadata", "-M", "--raw-metadata"];
        // -D is --dry-run behind the subcommand and --reposd-dir in front of it.
        let dry = invocation.flags(&["-D"]).into_iter().any(|at| at > index);
        Some(match command {
            "refresh" | "ref" => Activity::RefreshIndex,
            "clean" | "cc" if invocation.flag(&more_than_packages).is_none() => Activity::Clean,
            _ if INSTALLS.contains(&command) && !dry => install,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let names = ["--root", "--installroot", "--cache-dir", "--pkg-cache-dir", "--config"];
        let front = invocation.subcommand(WITH_VALUE).map_or(usize::MAX, |(index, _)| index);
        let short = invocation.flags(&["-R", "-C", "-c"]).into_iter().any(|at| at < front);
        if short || at.non_empty("ZYPP_CONF").is_some() || invocation.option(&names).is_some() {
            return Err(Obstacle::UnknownFolder {
                because: "the command has another root, cache or configuration file".to_owned(),
            });
        }
        if !at.earlier.iter().filter_map(keeps_packages).next_back().unwrap_or(false) {
            let because = "zypper deletes a package once it is installed, unless its repository has keeppackages".to_owned();
            return Err(Obstacle::KeepsNothing { because });
        }
        let packages = CacheFolder::downloads("/var/cache/zypp/packages").locked().per_base_image().platform_specific();
        Ok(CacheUse { mounts: vec![packages], ..CacheUse::default() })
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
        if command.is_none() && invocation.has_unknown_argument() {
            return Ok(None);
        }
        let upgrade = command.filter(|command| UPGRADES.contains(command));
        let unpinned = upgrade.map(|command| format!("`zypper {command}` brings what is newest at the time"));
        // A repository is added by an address; one without a scheme is a folder.
        let adds = matches!(command, Some("addrepo" | "ar"));
        if adds && invocation.known_arguments().any(|(_, word)| word.starts_with(['/', '.']) && !word.ends_with(".repo")) {
            return Ok(None);
        }
        system_packages::dependencies(&RULES, invocation, at, project, unpinned)
    }

    fn classic_folders(&self) -> &'static [&'static str] {
        &["/var/cache/zypp"]
    }
}

/// Whether all repositories keep packages after this command; `None` where it says nothing about that.
fn keeps_packages(invocation: &Invocation) -> Option<bool> {
    let (_, command) = invocation.subcommand(WITH_VALUE).filter(|_| invocation.program == "zypper")?;
    let given = |letter: char, long: &str| {
        invocation
            .known_arguments()
            .any(|(_, word)| word == long || word.starts_with('-') && !word.starts_with("--") && word.contains(letter))
    };
    let keeps = given('k', "--keep-packages");
    match command {
        "modifyrepo" | "mr" if given('K', "--no-keep-packages") => Some(false),
        "modifyrepo" | "mr" if keeps && given('a', "--all") => Some(true),
        // A repository that comes later has a setting of its own.
        "addrepo" | "ar" if !keeps => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::system_packages::tests::{harmless, mutable, read};
    use crate::ecosystems::testing::command;

    fn after(earlier: &[&str], line: &str) -> Result<CacheUse, Obstacle> {
        let earlier: Vec<Invocation> = earlier.iter().map(|line| command(line)).collect();
        Zypper.cache(&command(line), &Surroundings { earlier: &earlier, ..Surroundings::default() })
    }

    #[test]
    fn commands_are_told_apart() {
        for line in "zypper -n in gcc | zypper --non-interactive install -y $PACKAGES | zypper -R /x in gcc | zypper dup -y | \
            zypper -n patch"
            .split(" | ")
        {
            assert_eq!(Zypper.recognise(&command(line)), Some(Activity::Install { needs_index: false }), "{line}");
        }
        assert_eq!(Zypper.recognise(&command("zypper -n ref")), Some(Activity::RefreshIndex));
        assert_eq!(Zypper.recognise(&command("zypper clean")), Some(Activity::Clean));
        for line in "zypper clean --all | zypper -n rm gcc | zypper ar http://x y | zypper -n in -D gcc | zypper se gcc | \
            zypper --version"
            .split(" | ")
        {
            assert_eq!(Zypper.recognise(&command(line)), Some(Activity::Other), "{line}");
        }
        assert_eq!(Zypper.recognise(&command("apt install zypper")), None);
    }

    #[test]
    fn nothing_is_kept_by_default() {
        for earlier in
            [&[][..], &["zypper mr -k -a", "zypper ar http://x y"], &["zypper mr -k oss"], &["zypper mr -ka", "zypper mr -K -a"]]
        {
            assert!(matches!(after(earlier, "zypper -n in gcc"), Err(Obstacle::KeepsNothing { .. })), "{earlier:?}");
        }
        assert!(matches!(after(&[], "zypper -n ref"), Err(Obstacle::KeepsNothing { .. })));
    }

    #[test]
    fn packages_are_mounted_once_all_repositories_keep_them() {
        for earlier in [
            &["zypper -n mr -ka"][..],
            &["zypper modifyrepo --keep-packages --all"],
            &["zypper mr -k -a", "zypper ar -k http://x y"],
        ] {
            assert_eq!(after(earlier, "zypper -n in gcc").unwrap().mounts[0].target, "/var/cache/zypp/packages", "{earlier:?}");
        }
    }

    #[test]
    fn other_roots_and_caches_are_refused() {
        for line in ["zypper -R /x in gcc", "zypper --root=/x in gcc", "zypper --pkg-cache-dir /x in gcc"] {
            assert!(matches!(after(&["zypper mr -ka"], line), Err(Obstacle::UnknownFolder { .. })), "{line}");
        }
    }

    #[test]
    fn the_project_is_read_for_package_files_alone() {
        harmless(&Zypper, &["zypper -n ref", "zypper -n in gcc /usr/bin/python3", "zypper ar http://x y", "zypper clean --all"]);
        mutable(&Zypper, &["zypper -n up", "zypper --non-interactive dup"]);
        assert_eq!(read(&Zypper, "zypper -n in ./x.rpm"), Ok(Some("x.rpm".to_owned())));
        for line in ["zypper ar ./repo mine", "zypper -R /mnt in gcc", "zypper $DO"] {
            assert_eq!(read(&Zypper, line), Ok(None), "{line}");
        }
    }
}
