//! dnf and its kin: `dnf` (4 and 5), `yum` (3, or a name of dnf), `microdnf`, `tdnf`.
//!
//! Knows: which of these programs a name stands for on a known base image, and where that program keeps metadata and packages.
//! All delete a package once it is installed, so the command gets `--setopt=keepcache=1`. Metadata that a mount brings along may
//! be days old and name packages that the mirror has deleted since, so the command also gets `--refresh` (yum 3:
//! `--setopt=metadata_expire=0`), by which it asks the mirror each time, as it did without a mount. They fetch metadata
//! themselves: no install needs another step's index.
//! Never mounts `/var/lib/dnf`, `/var/lib/rpm` or anything in `/etc`.
//!
//! | program | folder |
//! |---|---|
//! | dnf 4 (RHEL 8 to 10 and rebuilds, Amazon Linux 2023, Fedora up to 40) | `/var/cache/dnf` |
//! | dnf 5 (Fedora from 41, there under all the names) | `/var/cache/libdnf5` |
//! | yum 3 (RHEL and CentOS up to 7, Amazon Linux 1 and 2), microdnf | `/var/cache/yum` |
//!
//! One build at a time: dnf 4 and microdnf lock by a file with a process number, which says nothing in another container; dnf 4
//! waits for ever where a killed build left the number of a living process behind (hence the note). Kept apart by base image and
//! by platform: solver files are named by the repository's id alone.
//!
//! Refused: an unknown base image (the folder can't be forced in a way that is proven for every program); tdnf (only its
//! configuration file can make it keep packages); a microdnf without `keepcache` (before 3.8: it would stop at the option);
//! `--installroot`, `-c`, a `cachedir` of the author's, in an option or in an earlier command; users other than root (they have
//! another cache); subcommands that can't be read. An unknown argument behind the subcommand is taken for package names.
//! Unproven: the refresh of yum 3 where a `.repo` file sets an expiry of its own (Amazon Linux 2 keeps old versions).
//!
//! Sources: dnf(8), dnf.conf(5), dnf5-caching(7), dnf5.conf(5); dnf's `lock.py`; microdnf's `dnf-main.c` and change log;
//! yum's `yumRepo.py`; tdnf's `config.c`; dnf 4.14 against a local repository (kept, reused, deleted without the option).

use crate::ecosystems::system_packages::{self, Rules};
use crate::ecosystems::{
    Activity, BaseImage, CacheFolder, CacheUse, CommandChange, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project,
    Surroundings, User,
};

/// The package managers of Fedora, RHEL and their relatives.
pub struct Dnf;

/// Options whose value is the next word.
#[rustfmt::skip]
const WITH_VALUE: &[&str] = &[
    "-c", "--config", "--installroot", "--enableplugin", "--disableplugin", "--releasever", "--setopt", "-R", "--randomwait",
    "-d", "--debuglevel", "-e", "--errorlevel", "--rpmverbosity", "--enablerepo", "--disablerepo", "--repo", "--repoid", "-x",
    "--exclude", "--excludepkgs", "--disableexcludes", "--disableexcludepkgs", "--repofrompath", "--color", "--destdir",
    "--downloaddir", "--comment", "--advisory", "--advisories", "--bz", "--bzs", "--cve", "--cves", "--sec-severity",
    "--secseverity", "--forcearch",
];
#[rustfmt::skip]
const INSTALLS: &[&str] = &[
    "install", "in", "install-n", "install-na", "install-nevra", "localinstall", "upgrade", "update", "up", "upgrade-to",
    "update-to", "localupdate", "upgrade-minimal", "update-minimal", "up-min", "reinstall", "rei", "ri", "downgrade", "dg",
    "distro-sync", "distrosync", "dsync", "distribution-synchronization", "dup", "dist-upgrade", "swap", "groupinstall",
    "groupupdate", "groupupgrade", "builddep", "build-dep", "download", "debuginfo-install", "system-upgrade",
];
/// Commands with a second word that says what is done, and the second words that fetch packages.
const FAMILIES: &[&str] =
    &["group", "groups", "grp", "environment", "module", "history", "hist", "repository-packages", "repo-packages", "repo-pkgs"];
const FETCHING: &[&str] =
    &["install", "update", "upgrade", "upgrade-to", "reinstall", "switch-to", "undo", "redo", "rollback", "move-to"];
/// Bring whatever is newest, where no package is named behind them, and mostly where one is.
#[rustfmt::skip]
const UPGRADES: &[&str] = &[
    "upgrade", "update", "up", "upgrade-minimal", "update-minimal", "up-min", "distro-sync", "distrosync", "dsync",
    "distribution-synchronization", "dup", "dist-upgrade", "groupupdate", "groupupgrade", "system-upgrade",
];
const RULES: Rules = Rules {
    with_value: WITH_VALUE,
    file_options: &["-c", "--config", "--add-repo"],
    elsewhere: &["--installroot", "--destdir", "--downloaddir", "--repofrompath"],
    endings: &[".rpm", ".spec", ".repo"],
    paths: false,
};
const REFRESHES: &[&str] = &["makecache", "mc", "ref", "refresh", "check-update", "check-upgrade"];

/// A program behind the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Yum3,
    Dnf4,
    Dnf5,
    Microdnf,
    Tdnf,
}

impl Ecosystem for Dnf {
    fn id(&self) -> &'static str {
        "dnf"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["dnf", "dnf5", "dnf-3", "yum", "microdnf", "tdnf"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !invocation.is("dnf") && !["yum", "microdnf", "tdnf"].contains(&invocation.program.as_str()) {
            return None;
        }
        if invocation.flag(&["--help", "-h", "--help-cmd", "--version", "--assumeno"]).is_some() {
            return Some(Activity::Other);
        }
        let install = Activity::Install { needs_index: false };
        let Some((index, command)) = invocation.subcommand(WITH_VALUE) else {
            return Some(if invocation.has_unknown_argument() { install } else { Activity::Other });
        };
        let mut further = invocation.known_arguments().skip_while(|(at, _)| *at <= index).map(|(_, word)| word);
        let fetches = INSTALLS.contains(&command) || FAMILIES.contains(&command) && further.any(|word| FETCHING.contains(&word));
        Some(match command {
            "clean" => Activity::Clean,
            _ if fetches && invocation.flag(&["-C", "--cacheonly"]).is_some() => Activity::Offline,
            _ if fetches => install,
            _ if REFRESHES.contains(&command) || command == "module" => Activity::RefreshIndex,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        if matches!(at.user, User::Other { .. }) {
            return Err(Obstacle::UnknownFolder { because: "another user than root has a cache of their own".to_owned() });
        }
        for option in ["--installroot", "-c", "--config"] {
            if invocation.option(&[option]).is_some() {
                return Err(Obstacle::UnknownFolder { because: format!("the command sets {option}") });
            }
        }
        let sets_folder = |command: &Invocation| command.arguments.iter().any(|argument| argument.raw.contains("cachedir"));
        if sets_folder(invocation) || at.earlier.iter().any(sets_folder) {
            return Err(Obstacle::UnknownFolder { because: "cachedir is set".to_owned() });
        }
        if invocation.subcommand(WITH_VALUE).is_none() {
            return Err(Obstacle::Unsafe {
                because: format!("which of {}'s commands this is can't be read", invocation.program),
            });
        }
        let program = program(invocation, &at.base)?;
        let target = match program {
            Program::Tdnf => {
                return Err(Obstacle::KeepsNothing {
                    because: "tdnf deletes packages unless its configuration file says keepcache".to_owned(),
                });
            }
            Program::Dnf4 => "/var/cache/dnf",
            Program::Dnf5 => "/var/cache/libdnf5",
            Program::Yum3 | Program::Microdnf => "/var/cache/yum",
        };
        let mut found = CacheUse {
            mounts: vec![CacheFolder::downloads(target).locked().per_base_image().platform_specific()],
            ..CacheUse::default()
        };
        let installs = matches!(self.recognise(invocation), Some(Activity::Install { .. }));
        found.changes = changes(invocation, program, installs);
        if matches!(program, Program::Dnf4 | Program::Microdnf) {
            let note =
                "a build killed while it downloads can leave a lock in the cache: if the next one waits for a process, clear it";
            found.notes.push(note.to_owned());
        }
        Ok(found)
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
        // `download` writes to the work folder.
        if command == Some("download") || command.is_none() && invocation.has_unknown_argument() {
            return Ok(None);
        }
        let upgrade = command.filter(|command| UPGRADES.contains(command));
        let unpinned = upgrade.map(|command| format!("`{} {command}` brings what is newest at the time", invocation.program));
        system_packages::dependencies(&RULES, invocation, at, project, unpinned)
    }

    fn classic_folders(&self) -> &'static [&'static str] {
        &["/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5"]
    }
}

/// What keeps the packages and asks for fresh metadata. Of two equal settings the last wins, so one of the author's is changed
/// in its place.
fn changes(invocation: &Invocation, program: Program, installs: bool) -> Vec<CommandChange> {
    let mut changes = Vec::new();
    let mut options = Vec::new();
    let mut kept = !installs;
    for (index, word) in invocation.known_arguments().filter(|_| installs) {
        let behind_setopt = index.checked_sub(1).is_some_and(|before| invocation.argument(before) == "--setopt");
        let (prefix, setting) = match word.strip_prefix("--setopt=") {
            Some(setting) => ("--setopt=", setting),
            None if behind_setopt => ("", word),
            None => continue,
        };
        let Some(value) = setting.strip_prefix("keepcache=") else { continue };
        kept = true;
        if !["1", "yes", "true", "on"].contains(&value.to_ascii_lowercase().as_str()) {
            changes.push(CommandChange::ReplaceArgument(index, format!("{prefix}keepcache=1")));
        }
    }
    if !kept {
        options.push("--setopt=keepcache=1");
    }
    let expires = |word: &str| word.trim_start_matches("--setopt=").starts_with("metadata_expire=");
    if program == Program::Yum3 {
        if !invocation.known_arguments().any(|(_, word)| expires(word)) {
            options.push("--setopt=metadata_expire=0");
        }
    } else if invocation.flag(&["--refresh"]).is_none() {
        options.push("--refresh");
    }
    if !options.is_empty() {
        changes.insert(0, CommandChange::InsertAfterProgram(options.join(" ")));
    }
    changes
}

/// What the command's name stands for on this image.
fn program(invocation: &Invocation, base: &BaseImage) -> Result<Program, Obstacle> {
    let unknown = |because: String| Err(Obstacle::UnknownFolder { because });
    match (invocation.program.as_str(), system_program(base)) {
        ("dnf5", _) | ("dnf" | "yum" | "microdnf", Some(Program::Dnf5)) => Ok(Program::Dnf5),
        ("dnf-3" | "dnf4" | "dnf-4", _) | ("dnf" | "yum", Some(Program::Dnf4)) => Ok(Program::Dnf4),
        ("yum", Some(Program::Yum3)) => Ok(Program::Yum3),
        ("tdnf", _) | ("yum", Some(Program::Tdnf)) => Ok(Program::Tdnf),
        ("microdnf", Some(Program::Dnf4)) if base.repository().starts_with("fedora") => {
            unknown("whether this Fedora's microdnf is the old or the new one is not known".to_owned())
        }
        // A tag such as 8.4 is a release of RHEL 8, whose microdnf learned `keepcache` in the days of 8.5.
        ("microdnf", Some(Program::Dnf4))
            if release(base.tag()).is_none_or(|(major, minor)| major != 8 || minor.is_none_or(|minor| minor > 5)) =>
        {
            Ok(Program::Microdnf)
        }
        ("microdnf", Some(_)) => unknown("whether this image's microdnf knows keepcache is not known".to_owned()),
        (name, _) => unknown(format!("what {name} is on this base image is not known")),
    }
}

/// The package manager that the image brings, for images whose distribution is certain.
fn system_program(base: &BaseImage) -> Option<Program> {
    let (repository, tag) = (base.repository(), base.tag());
    if tag.is_empty() && base.reference.known()?.contains('@') {
        return None;
    }
    let newest = tag.is_empty() || ["latest", "rawhide"].contains(&tag);
    let major = release(tag).map(|(major, _)| major);
    let red_hat = |major: u32| if major <= 7 { Program::Yum3 } else { Program::Dnf4 };
    let (owner, name) = repository.split_once('/').unwrap_or((repository, repository));
    match repository {
        "fedora" | "fedora/fedora" | "fedora-minimal" | "fedora/fedora-minimal" => match major {
            None if newest => Some(Program::Dnf5),
            Some(41..) => Some(Program::Dnf5),
            Some(22..) => Some(Program::Dnf4),
            _ => None,
        },
        // The last image that `centos:latest` stood for was 8.
        "centos" | "centos/centos" if newest => Some(Program::Dnf4),
        "centos" | "centos/centos" | "oraclelinux" => major.map(red_hat),
        "amazonlinux" | "amazonlinux/amazonlinux" => match major {
            None if newest => Some(Program::Dnf4),
            Some(2023..) => Some(Program::Dnf4),
            Some(1 | 2 | 2016..=2018) => Some(Program::Yum3),
            _ => None,
        },
        "photon" | "vmware/photon" | "cbl-mariner/base/core" | "azurelinux/base/core" => Some(Program::Tdnf),
        "nvidia/cuda" | "eclipse-temurin" => tag.split('-').find_map(distribution).map(red_hat),
        _ => match owner {
            "rockylinux" | "almalinux" => Some(Program::Dnf4),
            "pypa" if name.starts_with("manylinux2014") || name.starts_with("manylinux2010") => Some(Program::Yum3),
            "pypa" if name.starts_with("manylinux_2_28") || name.starts_with("manylinux_2_34") => Some(Program::Dnf4),
            "redhat" => distribution(name).map(red_hat),
            _ => distribution(owner).filter(|_| owner.starts_with("ubi") || owner.starts_with("rhel")).map(red_hat),
        },
    }
}

/// The 9 of `ubi9`, `ubi9-minimal`, `rhel9`, `rockylinux9`.
fn distribution(name: &str) -> Option<u32> {
    let rest = ["ubi", "rhel", "centos", "rockylinux"].iter().find_map(|start| name.strip_prefix(start))?;
    release(rest).map(|(major, _)| major)
}

/// The release that a tag starts with: `8.10-1`, `9-slim`, `centos7.9.2009`, `stream9`.
fn release(tag: &str) -> Option<(u32, Option<u32>)> {
    let tag = tag.strip_prefix("centos").or_else(|| tag.strip_prefix("stream")).unwrap_or(tag);
    let mut numbers = tag.split(|letter: char| !letter.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let minor = tag.contains('.').then(|| numbers.next()?.parse().ok()).flatten();
    Some((major, minor))
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

    fn target(line: &str, image: &str) -> Option<String> {
        Some(Dnf.cache(&command(line), &on(image)).ok()?.mounts[0].target.clone())
    }

    fn changes_of(line: &str, image: &str) -> Vec<CommandChange> {
        Dnf.cache(&command(line), &on(image)).unwrap().changes
    }

    fn insert(text: &str) -> CommandChange {
        CommandChange::InsertAfterProgram(text.to_owned())
    }

    #[test]
    fn commands_are_told_apart() {
        for line in "dnf install -y gcc | dnf -y --setopt install_weak_deps=0 install gcc | yum -y update | microdnf upgrade | \
            dnf groupinstall -y x | dnf group install -y x | dnf module install -y nodejs:20 | tdnf install -y gcc | \
            dnf5 builddep x.spec | dnf-3 install -y gcc | yum install -y $PACKAGES"
            .split(" | ")
        {
            assert_eq!(Dnf.recognise(&command(line)), Some(Activity::Install { needs_index: false }), "{line}");
        }
        for line in ["dnf makecache", "yum check-update", "dnf module enable -y nodejs:20"] {
            assert_eq!(Dnf.recognise(&command(line)), Some(Activity::RefreshIndex), "{line}");
        }
        for line in ["dnf clean all", "yum -y clean packages", "microdnf clean all"] {
            assert_eq!(Dnf.recognise(&command(line)), Some(Activity::Clean), "{line}");
        }
        for line in
            ["dnf remove -y gcc", "dnf repolist", "dnf config-manager --set-enabled crb", "yum --version", "dnf install --help"]
        {
            assert_eq!(Dnf.recognise(&command(line)), Some(Activity::Other), "{line}");
        }
        assert_eq!(Dnf.recognise(&command("dnf -C install gcc")), Some(Activity::Offline));
        assert_eq!(Dnf.recognise(&command("yum-config-manager --add-repo x")), None);
    }

    #[test]
    fn the_folder_follows_the_base_image() {
        for (line, image, folder) in [
            ("yum install -y gcc", "centos:7", "/var/cache/yum"),
            ("yum install -y gcc", "amazonlinux:2", "/var/cache/yum"),
            ("yum install -y gcc", "amazonlinux:2018.03", "/var/cache/yum"),
            ("yum install -y gcc", "quay.io/pypa/manylinux2014_x86_64", "/var/cache/yum"),
            ("yum install -y gcc", "registry.access.redhat.com/ubi8/ubi", "/var/cache/dnf"),
            ("dnf install -y gcc", "quay.io/centos/centos:stream9", "/var/cache/dnf"),
            ("dnf install -y gcc", "rockylinux:9", "/var/cache/dnf"),
            ("dnf install -y gcc", "almalinux/9-base", "/var/cache/dnf"),
            ("dnf install -y gcc", "amazonlinux:2023", "/var/cache/dnf"),
            ("dnf install -y gcc", "oraclelinux:8", "/var/cache/dnf"),
            ("dnf install -y gcc", "fedora:40", "/var/cache/dnf"),
            ("dnf install -y gcc", "nvidia/cuda:12.4.1-devel-rockylinux9", "/var/cache/dnf"),
            ("dnf install -y gcc", "fedora:41", "/var/cache/libdnf5"),
            ("yum install -y gcc", "fedora", "/var/cache/libdnf5"),
            ("microdnf install -y gcc", "redhat/ubi9-minimal", "/var/cache/yum"),
            ("microdnf install -y gcc", "oraclelinux:8-slim", "/var/cache/yum"),
            ("microdnf install -y gcc", "registry.access.redhat.com/ubi8/ubi-minimal:8.10-1", "/var/cache/yum"),
        ] {
            assert_eq!(target(line, image).as_deref(), Some(folder), "{line} on {image}");
        }
    }

    #[test]
    fn an_image_or_program_that_is_not_known_is_refused() {
        for (line, image) in [
            ("dnf install -y gcc", "example/base:1"),
            ("dnf install -y gcc", "centos:7"),
            ("dnf install -y gcc", "fedora@sha256:00"),
            ("microdnf install -y gcc", "registry.access.redhat.com/ubi8/ubi-minimal:8.4-200"),
            ("microdnf install -y gcc", "registry.access.redhat.com/ubi7/ubi-minimal"),
            ("tdnf install -y gcc", "photon:5.0"),
            ("yum install -y gcc", "photon:5.0"),
            ("dnf --installroot /rootfs install -y gcc", "rockylinux:9"),
            ("dnf -c /x.conf install -y gcc", "rockylinux:9"),
            ("dnf --setopt=cachedir=/x install -y gcc", "rockylinux:9"),
            ("dnf $COMMAND", "rockylinux:9"),
        ] {
            assert_eq!(target(line, image), None, "{line} on {image}");
        }
        let earlier = [command("dnf config-manager --save --setopt=cachedir=/x")];
        assert!(Dnf.cache(&command("dnf install -y gcc"), &Surroundings { earlier: &earlier, ..on("rockylinux:9") }).is_err());
        let user = User::Other { name: None, uid: Knowledge::Known(1000), gid: Knowledge::Unknown };
        assert!(Dnf.cache(&command("dnf download gcc"), &Surroundings { user, ..on("rockylinux:9") }).is_err());
    }

    #[test]
    fn packages_are_kept_and_metadata_asked_for() {
        assert_eq!(changes_of("dnf install -y gcc", "rockylinux:9"), [insert("--setopt=keepcache=1 --refresh")]);
        assert_eq!(changes_of("yum install -y gcc", "centos:7"), [insert("--setopt=keepcache=1 --setopt=metadata_expire=0")]);
        assert_eq!(changes_of("dnf --refresh --setopt=keepcache=True install gcc", "fedora:42"), []);
        assert_eq!(changes_of("yum --setopt=keepcache=1 --setopt=metadata_expire=0 install gcc", "centos:7"), []);
        assert_eq!(changes_of("dnf makecache", "rockylinux:9"), [insert("--refresh")]);
        let replaced = CommandChange::ReplaceArgument(1, "keepcache=1".to_owned());
        assert_eq!(changes_of("dnf --setopt keepcache=0 install gcc", "fedora:42"), [insert("--refresh"), replaced]);
    }

    #[test]
    fn the_mount_is_for_one_build_image_and_platform() {
        let found = Dnf.cache(&command("dnf install -y gcc"), &on("rockylinux:9")).unwrap();
        let folder = CacheFolder::downloads("/var/cache/dnf").locked().per_base_image().platform_specific();
        assert_eq!((found.mounts, found.notes.len()), (vec![folder], 1));
        assert!(Dnf.cache(&command("dnf install -y gcc"), &on("fedora:42")).unwrap().notes.is_empty());
    }

    #[test]
    fn the_project_is_read_for_package_files_alone() {
        harmless(
            &Dnf,
            &[
                "dnf install -y gcc /usr/bin/python3 @development $PACKAGES",
                "yum clean all",
                "dnf makecache",
                "dnf remove -y gcc",
            ],
        );
        mutable(&Dnf, &["dnf -y upgrade", "yum update -y", "microdnf update"]);
        assert_eq!(read(&Dnf, "yum install -y ./x.rpm"), Ok(Some("x.rpm".to_owned())));
        assert_eq!(read(&Dnf, "dnf install -y https://x/epel.rpm"), Ok(Some(String::new())));
        for line in ["dnf download gcc", "dnf --installroot /mnt install gcc", "dnf $DO"] {
            assert_eq!(read(&Dnf, line), Ok(None), "{line}");
        }
    }
}
