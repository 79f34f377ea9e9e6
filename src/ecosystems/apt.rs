//! apt: `apt-get`, `apt`, `aptitude`, and `add-apt-repository`, which ends with an update of its own.
//!
//! Knows: package archives can be sent to a folder of their own with `-o Dir::Cache::Archives`, which Debian's and Ubuntu's
//! `/etc/apt/apt.conf.d/docker-clean` (it empties the default folder after each command) doesn't reach; the package lists in
//! `/var/lib/apt/lists`. Where the command is `apt`, archives are also deleted after the installation unless
//! `APT::Keep-Downloaded-Packages` says otherwise; `apt-get` and `aptitude` keep them.
//! Never mounts `/var/lib/apt` (its `extended_states` says which packages were installed by hand) nor `/var/cache/apt`, never
//! changes apt's configuration files.
//!
//! One build at a time: apt's own locks only guard one root file system's view of them. Both folders are kept apart by base image
//! (a mirror and its copy may hold another file of the same name and version). Platforms need no caches of their own: archives
//! carry the architecture in their name, and an update deletes the lists that its own sources don't name before it is used.
//!
//! `update` and `install` in different steps work from one mount: the builder may clear it between them. That is the caller's
//! to weigh ([`Scope::Stage`], `needs_index`).
//!
//! Refused: options of the author that move the folders (`-o Dir::Cache…`, `-o Dir::State…`, `-o Dir=`, `-o RootDir=`),
//! another configuration file (`-c`, `APT_CONFIG`), apt-rpm (ALT), a subcommand that can't be read. An unknown argument behind the
//! subcommand is taken for package names; were it an option that moves the archives, the mount would only stay empty.
//!
//! Sources: apt-get(8), apt(8), aptitude(8), apt.conf(5), add-apt-repository(1); apt 2.6 with docker-clean in place (`apt` leaves
//! nothing in the folder without the second option, and the archive with it; `apt-get` and `aptitude` need the first alone).

use crate::ecosystems::system_packages::{self, Rules};
use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, CommandChange, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project, Scope,
    Surroundings,
};

/// The package manager of Debian, Ubuntu and their relatives.
pub struct Apt;

const ARCHIVES: &str = "/var/cache/apt-archives";
const LISTS: &str = "/var/lib/apt/lists";

/// Options whose value is the next word.
#[rustfmt::skip]
const WITH_VALUE: &[&str] = &[
    "-o", "--option", "-c", "--config-file", "-t", "--target-release", "--default-release", "-a", "--host-architecture", "-P",
    "--build-profiles", "--with-source", "--solver", "--planner", "--error-on",
];
/// Fetch archives into the archives folder.
#[rustfmt::skip]
const TO_ARCHIVES: &[&str] = &[
    "install", "reinstall", "upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "dselect-upgrade", "build-dep",
    "build-depends", "satisfy",
];
/// Fetch into the work folder.
const TO_WORKDIR: &[&str] = &["download", "source"];
/// Need the lists and fetch no packages.
const QUERIES: &[&str] =
    &["list", "search", "show", "policy", "madison", "depends", "rdepends", "changelog", "indextargets", "versions"];
/// Bring whatever is newest.
#[rustfmt::skip]
const UPGRADES: &[&str] = &["upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "dselect-upgrade"];
const RULES: Rules = Rules {
    with_value: WITH_VALUE,
    file_options: &["-c", "--config-file", "--with-source"],
    elsewhere: &[],
    endings: &[".deb", ".dsc", ".changes"],
    paths: true,
};
const NO_DOWNLOAD: &[&str] =
    &["--simulate", "--just-print", "--dry-run", "--recon", "--no-act", "--print-uris", "--help", "--version"];

impl Ecosystem for Apt {
    fn id(&self) -> &'static str {
        "apt"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["apt-get", "apt", "aptitude", "add-apt-repository", "apt-add-repository"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !self.programs().contains(&invocation.program.as_str()) {
            return None;
        }
        if adds_repository(invocation) {
            let silent = ["-n", "--no-update", "-L", "--list", "-h", "--help", "--dry-run"];
            return Some(if invocation.flag(&silent).is_some() { Activity::Other } else { Activity::RefreshIndex });
        }
        if invocation.flag(NO_DOWNLOAD).is_some() || invocation.known_arguments().any(|(_, word)| has_short(word, &['s', 'h'])) {
            return Some(Activity::Other);
        }
        let Some((_, command)) = invocation.subcommand(WITH_VALUE) else {
            // `apt-get -f` without a subcommand does nothing; an unknown word may be one, and `cache` then says so.
            let install = Activity::Install { needs_index: true };
            return Some(if invocation.has_unknown_argument() { install } else { Activity::Other });
        };
        Some(match command {
            "update" => Activity::RefreshIndex,
            "clean" | "autoclean" | "auto-clean" | "distclean" => Activity::Clean,
            _ if TO_ARCHIVES.contains(&command) && invocation.flag(&["--no-download"]).is_some() => Activity::Offline,
            _ if TO_ARCHIVES.contains(&command) || TO_WORKDIR.contains(&command) => Activity::Install { needs_index: true },
            _ if QUERIES.contains(&command) => Activity::Offline,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        if at.non_empty("APT_CONFIG").is_some() {
            return Err(Obstacle::UnknownFolder { because: "APT_CONFIG names a configuration file of its own".to_owned() });
        }
        if at.base.repository() == "alt" || at.base.repository().starts_with("altlinux") {
            return Err(Obstacle::UnknownFolder { because: "ALT's apt is apt-rpm".to_owned() });
        }
        let lists = CacheFolder::downloads(LISTS).locked().per_base_image().index();
        if adds_repository(invocation) {
            return Ok(CacheUse { mounts: vec![lists], ..CacheUse::default() });
        }
        if let Some(option) = moving_option(invocation) {
            return Err(Obstacle::UnknownFolder { because: format!("the command sets {option}") });
        }
        let Some((_, command)) = invocation.subcommand(WITH_VALUE) else {
            return Err(Obstacle::Unsafe {
                because: format!("which of {}'s commands this is can't be read", invocation.program),
            });
        };
        if !TO_ARCHIVES.contains(&command) {
            return Ok(CacheUse { mounts: vec![lists], ..CacheUse::default() });
        }
        let mut options = format!("-o Dir::Cache::Archives={ARCHIVES}");
        if invocation.program == "apt" {
            options.push_str(" -o APT::Keep-Downloaded-Packages=1");
        }
        Ok(CacheUse {
            mounts: vec![CacheFolder::downloads(ARCHIVES).locked().per_base_image(), lists],
            changes: vec![CommandChange::InsertAfterProgram(options)],
            notes: Vec::new(),
        })
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
        if adds_repository(invocation) {
            return Ok(Some(Dependencies::default()));
        }
        let command = invocation.subcommand(WITH_VALUE).map(|(_, command)| command);
        // `download` and `source` write to the work folder. So may a word that is not known.
        if command.is_some_and(|command| TO_WORKDIR.contains(&command)) || command.is_none() && invocation.has_unknown_argument()
        {
            return Ok(None);
        }
        let upgrade = command.filter(|command| UPGRADES.contains(command));
        let unpinned = upgrade.map(|command| format!("`{} {command}` brings what is newest at the time", invocation.program));
        system_packages::dependencies(&RULES, invocation, at, project, unpinned)
    }

    fn clean_spares_mounts(&self) -> bool {
        true
    }

    fn classic_folders_need(&self) -> Option<&'static str> {
        Some("docker-clean")
    }

    fn classic_folders(&self) -> &'static [&'static str] {
        &["/var/cache/apt"]
    }

    fn readers(&self) -> &'static [&'static str] {
        &[
            "apt-cache",
            "apt-file",
            "apt-fast",
            "gdebi",
            "mk-build-deps",
            "rosdep",
            "install_packages",
            "install2.r",
            "playwright",
            "tasksel",
            "debootstrap",
        ]
    }
}

fn adds_repository(invocation: &Invocation) -> bool {
    invocation.program.ends_with("-repository")
}

/// Whether a word of short options (`-yqs`) holds one of `letters`, before one that takes the rest of the word as its value.
fn has_short(word: &str, letters: &[char]) -> bool {
    let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else { return false };
    cluster
        .chars()
        .take_while(|letter| letter.is_ascii_alphabetic() && !"otcaPe".contains(*letter))
        .any(|letter| letters.contains(&letter))
}

/// An option by which the author says where the folders are, or reads a configuration of their own.
fn moving_option(invocation: &Invocation) -> Option<String> {
    for (index, word) in invocation.known_arguments() {
        if ["-c", "--config-file"].contains(&word) || word.starts_with("--config-file=") {
            return Some(word.to_owned());
        }
        let setting = match word {
            "-o" | "--option" => invocation.argument(index + 1),
            _ => word.strip_prefix("--option=").or_else(|| word.strip_prefix("-o")).unwrap_or_default(),
        };
        let name = setting.split('=').next().unwrap_or_default().to_ascii_lowercase();
        if ["dir", "rootdir"].contains(&name.as_str()) || name.starts_with("dir::cache") || name.starts_with("dir::state") {
            return Some(setting.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::system_packages::tests::{harmless, mutable, read};
    use crate::ecosystems::{BaseImage, testing::invocation};
    use crate::knowledge::Knowledge;

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: true });

    fn activity(line: &str) -> Option<Activity> {
        Apt.recognise(&invocation(&line.split(' ').collect::<Vec<_>>()))
    }

    fn cache(line: &str) -> Result<CacheUse, Obstacle> {
        Apt.cache(&invocation(&line.split(' ').collect::<Vec<_>>()), &Surroundings::default())
    }

    fn targets(found: &CacheUse) -> Vec<&str> {
        found.mounts.iter().map(|folder| folder.target.as_str()).collect()
    }

    #[test]
    fn what_fetches_is_an_install() {
        for line in "apt-get install -y curl | apt-get -y -qq install curl | apt-get -o Acquire::Retries=3 install -y curl | \
            apt-get -f install | apt-get -t bookworm-backports install -y git | apt full-upgrade -y | aptitude \
            safe-upgrade | apt-get build-dep -y nginx | apt-get install -y $PACKAGES | apt-get source hello | apt-get \
            -y --no-install-recommends install curl | apt-get $COMMAND"
            .split(" | ")
        {
            assert_eq!(activity(line), INSTALL, "{line}");
        }
    }

    #[test]
    fn what_fetches_no_package_is_told_apart() {
        assert_eq!(activity("apt-get update -qq"), Some(Activity::RefreshIndex));
        assert_eq!(activity("add-apt-repository -y ppa:deadsnakes/ppa"), Some(Activity::RefreshIndex));
        assert_eq!(activity("add-apt-repository -n ppa:deadsnakes/ppa"), Some(Activity::Other));
        for line in ["apt-get clean", "apt-get autoclean", "apt-get -y auto-clean", "apt distclean"] {
            assert_eq!(activity(line), Some(Activity::Clean), "{line}");
        }
        for line in "apt-get purge -y curl | apt-get autoremove -y | apt-get install -s curl | apt-get -ys install curl | \
            apt-get --help"
            .split(" | ")
        {
            assert_eq!(activity(line), Some(Activity::Other), "{line}");
        }
        for line in ["apt list --upgradable", "apt-get install --no-download -y curl"] {
            assert_eq!(activity(line), Some(Activity::Offline), "{line}");
        }
        for line in ["apt-cache search x", "apt-key add -", "apt-mark hold x", "pip install apt"] {
            assert_eq!(activity(line), None, "{line}");
        }
    }

    #[test]
    fn an_install_gets_both_folders_and_the_option() {
        let found = cache("apt-get install -y curl").unwrap();
        assert_eq!(targets(&found), [ARCHIVES, LISTS]);
        assert_eq!(
            found.changes,
            [CommandChange::InsertAfterProgram("-o Dir::Cache::Archives=/var/cache/apt-archives".to_owned())]
        );
        assert!(found.mounts.iter().all(|folder| folder.by_base_image && folder.sharing == crate::ecosystems::Sharing::Locked));
        assert!(found.mounts.iter().all(|folder| folder.keyed_by_platform && folder.by_base_image));
        assert!(!found.mounts[0].index && found.mounts[1].index);
    }

    #[test]
    fn apt_itself_must_be_told_to_keep_archives() {
        let Some(CommandChange::InsertAfterProgram(text)) = cache("apt install -y curl").unwrap().changes.pop() else {
            panic!("no change")
        };
        assert!(text.ends_with("-o APT::Keep-Downloaded-Packages=1"), "{text}");
    }

    #[test]
    fn update_and_downloads_to_the_work_folder_get_the_lists_only() {
        for line in ["apt-get update", "apt-get download hello", "add-apt-repository -y universe"] {
            let found = cache(line).unwrap();
            assert_eq!((targets(&found), found.changes.len()), (vec![LISTS], 0), "{line}");
        }
    }

    #[test]
    fn the_project_is_read_for_package_files_alone() {
        harmless(
            &Apt,
            &[
                "apt-get update",
                "apt-get install -y curl git/bookworm-backports $PACKAGES",
                "apt-get clean",
                "apt-get purge -y --auto-remove gcc",
                "add-apt-repository -y ppa:x/y",
                "apt-get install -y ~$(uname -r)",
            ],
        );
        mutable(&Apt, &["apt-get -y upgrade", "apt full-upgrade -y", "apt-get dist-upgrade"]);
        assert_eq!(read(&Apt, "apt-get install -y ./x.deb curl"), Ok(Some("x.deb".to_owned())));
        assert_eq!(read(&Apt, "apt-get install -y ./debs/*.deb"), Ok(Some("debs/a.deb debs/b.deb".to_owned())));
        assert_eq!(read(&Apt, "apt-get -c my.conf install -y curl"), Ok(Some("my.conf".to_owned())));
        assert_eq!(read(&Apt, "apt-get install -y ~$(cat packages.txt)"), Ok(Some("packages.txt".to_owned())));
        assert_eq!(read(&Apt, "apt-get build-dep -y ."), Ok(Some("debian/control".to_owned())));
        let filtered = "apt-get install -y ~$(grep -v ^# packages.txt | tr '\\n' ' ')";
        assert_eq!(read(&Apt, filtered), Ok(Some("packages.txt".to_owned())));
        for line in ["apt-get download hello", "apt-get $DO", "apt-get install ./$DEB", "apt-get install ~$(./list.sh)"] {
            assert_eq!(read(&Apt, line), Ok(None), "{line}");
        }
        for line in ["apt-get install -y ./made.deb", "apt-get install -y /tmp/fetched.deb"] {
            assert!(matches!(read(&Apt, line), Err(Entangled::NotSeen { .. })), "{line}");
        }
        let mut piped = invocation(&["apt-get", "install", "-y"]);
        piped.wrappers.push(crate::ecosystems::Wrapper::Xargs);
        let files = crate::ecosystems::testing::Files::new(&[]);
        assert_eq!(Apt.dependencies(&piped, &Surroundings::default(), &files), Ok(None));
    }

    #[test]
    fn an_authors_own_folders_are_refused() {
        for line in "apt-get -o Dir::Cache::Archives=/x install -y curl | apt-get -oDir::Cache=/x install -y curl | apt-get \
            --option=dir::state::lists=/x update | apt-get -c /x.conf install -y curl | apt-get -o RootDir=/x install \
            -y curl"
            .split(" | ")
        {
            assert!(matches!(cache(line), Err(Obstacle::UnknownFolder { .. })), "{line}");
        }
        assert!(cache("apt-get -o Dir::Etc::sourceparts=- update").is_ok());
        assert!(matches!(cache("apt-get $COMMAND"), Err(Obstacle::Unsafe { .. })));
        let mut at =
            Surroundings { base: BaseImage { reference: Knowledge::Known("alt:p10".to_owned()) }, ..Surroundings::default() };
        assert!(Apt.cache(&invocation(&["apt-get", "update"]), &at).is_err());
        at = Surroundings { variables: vec![("APT_CONFIG".to_owned(), Knowledge::Unknown)], ..Surroundings::default() };
        assert!(Apt.cache(&invocation(&["apt-get", "update"]), &at).is_err());
    }
}
