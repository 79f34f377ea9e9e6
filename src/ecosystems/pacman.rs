//! pacman, the package manager of Arch Linux and its relatives; `paccache`, which empties its cache.
//!
//! Knows: pacman keeps every package it fetches in `/var/cache/pacman/pkg` and takes it from there the next time, so the mount
//! needs no change of the command. The package databases (`/var/lib/pacman/sync`) are refreshed by `-y` and stay in the layer: never
//! mounts `/var/lib/pacman`, which holds what is installed. A refresh alone (`-Sy`) is [`Activity::Other`] for that reason, and
//! no install needs an index that a mount could hide.
//!
//! One build at a time: pacman's lock lies beside its database, not in the cache. Kept apart by base image (Arch's relatives
//! build their own packages under the same names) and by platform (`any` packages are built apart for ARM).
//!
//! Refused: another root (`--root`, `--sysroot`), another configuration file (`--config`), a `CacheDir` that an earlier command
//! wrote, packages fetched for their own sake into a named folder (`-Sw --cachedir`), and operations that can't be read. With
//! `--cachedir` alone that folder is the target. An unknown argument behind the operation is taken for package names.
//! Not seen: `CacheDir` in the base image's `pacman.conf` (the official one leaves it out); the mount would then be idle.
//!
//! Sources: pacman(8), pacman.conf(5), pacman 6.0's help.

use crate::ecosystems::system_packages::{self, Rules};
use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project, Scope, Surroundings,
};
use crate::knowledge::Knowledge;

/// Arch Linux's package manager.
pub struct Pacman;

/// Options whose value is the next word.
#[rustfmt::skip]
const WITH_VALUE: &[&str] = &[
    "-b", "--dbpath", "-r", "--root", "--arch", "--assume-installed", "--cachedir", "--color", "--config", "--gpgdir",
    "--hookdir", "--ignore", "--ignoregroup", "--logfile", "--overwrite", "--print-format", "--sysroot",
];
/// Long names of the options that matter here.
#[rustfmt::skip]
const LETTERS: &[(&str, char)] = &[
    ("--sync", 'S'), ("--upgrade", 'U'), ("--query", 'Q'), ("--remove", 'R'), ("--database", 'D'), ("--files", 'F'),
    ("--deptest", 'T'), ("--clean", 'c'), ("--groups", 'g'), ("--info", 'i'), ("--list", 'l'), ("--print", 'p'), ("--search",
    's'), ("--sysupgrade", 'u'), ("--downloadonly", 'w'), ("--help", 'h'), ("--version", 'V'),
];

const RULES: Rules = Rules {
    with_value: WITH_VALUE,
    file_options: &["--config"],
    elsewhere: &["-r", "--root", "--sysroot", "-b", "--dbpath", "--cachedir"],
    endings: &[".pkg.tar", ".pkg.tar.zst", ".pkg.tar.xz", ".pkg.tar.gz"],
    paths: false,
};

impl Ecosystem for Pacman {
    fn id(&self) -> &'static str {
        "pacman"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["pacman", "paccache"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        match invocation.program.as_str() {
            "pacman" => {}
            "paccache" => {
                let removes =
                    invocation.known_arguments().any(|(_, word)| word == "--remove" || is_short(word) && word.contains('r'));
                return Some(if removes { Activity::Clean } else { Activity::Other });
            }
            _ => return None,
        }
        let letters = letters(invocation);
        let has = |any: &[char]| letters.chars().any(|letter| any.contains(&letter));
        let targets = || invocation.has_unknown_argument() || targets(invocation).next().is_some();
        let install = Activity::Install { needs_index: false };
        Some(if has(&['h', 'V', 'Q', 'R', 'D', 'F', 'T']) {
            Activity::Other
        } else if has(&['S']) {
            match () {
                () if has(&['c']) => Activity::Clean,
                () if has(&['g', 'i', 'l', 'p', 's']) => Activity::Other,
                () if has(&['u']) || targets() => install,
                () => Activity::Other,
            }
        } else if has(&['U']) {
            let remote = !has(&['p']) && (invocation.has_unknown_argument() || targets_hold_an_address(invocation));
            if remote { install } else { Activity::Other }
        } else if invocation.has_unknown_argument() {
            install
        } else {
            Activity::Other
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let letters = letters(invocation);
        if !letters.contains(['S', 'U']) {
            return Err(Obstacle::Unsafe { because: "which of pacman's operations this is can't be read".to_owned() });
        }
        if letters.contains('r') || invocation.option(&["--root", "--sysroot", "--config"]).is_some() {
            return Err(Obstacle::UnknownFolder { because: "the command has another root or configuration file".to_owned() });
        }
        let writes_setting = |command: &Invocation| command.arguments.iter().any(|argument| argument.raw.contains("CacheDir"));
        if at.earlier.iter().any(writes_setting) {
            return Err(Obstacle::UnknownFolder { because: "an earlier command sets CacheDir".to_owned() });
        }
        let target = match invocation.option(&["--cachedir"]) {
            None => "/var/cache/pacman/pkg".to_owned(),
            Some(_) if letters.contains('w') => {
                return Err(Obstacle::Unsafe {
                    because: "the packages are fetched into a folder of their own, to be used there".to_owned(),
                });
            }
            Some(Knowledge::Known(folder)) if folder.starts_with('/') => folder.trim_end_matches('/').to_owned(),
            Some(_) => return Err(Obstacle::UnknownFolder { because: "--cachedir".to_owned() }),
        };
        let folder = CacheFolder::downloads(target).locked().per_base_image().platform_specific();
        Ok(CacheUse { mounts: vec![folder], ..CacheUse::default() })
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
        let letters = letters(invocation);
        if !letters.contains(['S', 'U', 'Q', 'R', 'D', 'F', 'T', 'V', 'h']) && invocation.has_unknown_argument() {
            return Ok(None);
        }
        let upgrades = letters.contains('S') && letters.contains('u');
        let unpinned = upgrades.then(|| "`pacman -Su` brings what is newest at the time".to_owned());
        system_packages::dependencies(&RULES, invocation, at, project, unpinned)
    }
}

fn is_short(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && !word.starts_with("--")
}

/// All the short options given, and the long ones that matter by their letters.
fn letters(invocation: &Invocation) -> String {
    let mut found = String::new();
    for (_, word) in invocation.known_arguments() {
        if is_short(word) {
            found.push_str(word.trim_start_matches('-'));
        } else {
            found.extend(LETTERS.iter().filter(|(long, _)| *long == word).map(|(_, letter)| letter));
        }
    }
    found
}

/// The words that are neither options nor their values; `-` (standard input) is one.
fn targets(invocation: &Invocation) -> impl Iterator<Item = &str> {
    invocation
        .known_arguments()
        .filter(|(index, word)| {
            let value = index.checked_sub(1).is_some_and(|before| WITH_VALUE.contains(&invocation.argument(before)));
            !value && (*word == "-" || !word.starts_with('-'))
        })
        .map(|(_, word)| word)
}

fn targets_hold_an_address(invocation: &Invocation) -> bool {
    targets(invocation).any(|word| word.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::system_packages::tests::{harmless, mutable, read};
    use crate::ecosystems::testing::command;

    fn cache(line: &str) -> Result<CacheUse, Obstacle> {
        Pacman.cache(&command(line), &Surroundings::default())
    }

    #[test]
    fn what_fetches_packages_is_an_install() {
        for line in "pacman -S --noconfirm git | pacman -Sy --noconfirm git | pacman -Syu --noconfirm | pacman --noconfirm \
            -Syyu git | pacman -Sw git | pacman --sync --refresh --sysupgrade | pacman -S - | pacman -S $PACKAGES | \
            pacman -U --noconfirm https://x/y.pkg.tar.zst"
            .split(" | ")
        {
            assert_eq!(Pacman.recognise(&command(line)), Some(Activity::Install { needs_index: false }), "{line}");
        }
    }

    #[test]
    fn the_rest_is_told_apart() {
        for line in ["pacman -Scc --noconfirm", "pacman -Sc", "pacman -S --clean", "paccache -rk0"] {
            assert_eq!(Pacman.recognise(&command(line)), Some(Activity::Clean), "{line}");
        }
        for line in "pacman -Sy | pacman -Sy --ignore git | pacman -Ss git | pacman -Si git | pacman -Q | pacman -Rns git | \
            pacman -U ./y.pkg.tar.zst | pacman -Syup | pacman -D --asdeps git | pacman -Fy | pacman --version | \
            paccache -d"
            .split(" | ")
        {
            assert_eq!(Pacman.recognise(&command(line)), Some(Activity::Other), "{line}");
        }
        assert_eq!(Pacman.recognise(&command("pacman-key --init")), None);
    }

    #[test]
    fn the_package_folder_is_mounted_as_it_is() {
        let found = cache("pacman -Syu --noconfirm git").unwrap();
        let folder = CacheFolder::downloads("/var/cache/pacman/pkg").locked().per_base_image().platform_specific();
        assert_eq!((found.mounts, found.changes.len()), (vec![folder], 0));
        assert_eq!(cache("pacman -S --cachedir /pkg/ git").unwrap().mounts[0].target, "/pkg");
    }

    #[test]
    fn other_roots_and_configurations_are_refused() {
        for line in "pacman -r /mnt -Sy git | pacman --sysroot=/mnt -S git | pacman --config /x -S git | pacman -S --cachedir \
            $DIR git | pacman -Sw --cachedir /repo git | pacman $OPERATION git"
            .split(" | ")
        {
            assert!(cache(line).is_err(), "{line}");
        }
        let earlier = [command("sed -i s,#CacheDir.*,CacheDir=/x, /etc/pacman.conf")];
        assert!(Pacman.cache(&command("pacman -S git"), &Surroundings { earlier: &earlier, ..Surroundings::default() }).is_err());
    }

    #[test]
    fn the_project_is_read_for_package_files_alone() {
        harmless(&Pacman, &["pacman -Sy --noconfirm git", "pacman -Scc --noconfirm", "pacman -Rns git", "paccache -rk0"]);
        mutable(&Pacman, &["pacman -Syu --noconfirm git", "pacman --sync --sysupgrade"]);
        assert_eq!(read(&Pacman, "pacman -U --noconfirm ./x.pkg.tar.zst"), Ok(Some("x.pkg.tar.zst".to_owned())));
        for line in ["pacman -r /mnt -S git", "pacman $DO git"] {
            assert_eq!(read(&Pacman, line), Ok(None), "{line}");
        }
    }
}
