//! Parts of the file system, as far as a step touches them.
//!
//! Owns: [`Region`] and whether two of them meet. Never does: know a program or read a disk.

use crate::model::paths::is_within;

/// A part of the file system: paths, the distribution's own folders, or anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// It may be anything; why, in words that name the command: "`./configure` may touch anything".
    pub anything: Option<String>,
    /// The folders that a distribution's packages own: `/usr/bin`, `/etc`, `/var/lib` (see [`is_system`]).
    pub system: bool,
    /// Absolute paths without `.`, `..` or a trailing slash (`/` itself excepted).
    pub areas: Vec<Area>,
}

/// A place in the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Area {
    /// The file or folder itself (its being there, mode, owner, content of a file), not what is below it.
    At(String),
    /// The folder and everything below it.
    Below(String),
}

impl Area {
    /// Its path.
    pub fn path(&self) -> &str {
        match self {
            Self::At(path) | Self::Below(path) => path,
        }
    }

    /// Whether the path lies in it.
    pub fn holds(&self, path: &str) -> bool {
        match self {
            Self::At(own) => own == path,
            Self::Below(folder) => is_within(path, folder),
        }
    }

    /// Whether it has something in common with the folders that packages own.
    pub fn reaches_system(&self) -> bool {
        let within = |folder: &str| TOP.iter().chain(BELOW).any(|own| is_within(own, folder));
        is_system(self.path()) || matches!(self, Self::Below(folder) if within(folder))
    }

    /// The same without the folders in which programs keep what they work on: nothing is read there that says how to build.
    fn reaches_tools(&self) -> bool {
        self.reaches_system() && !is_data(self.path())
    }

    fn meets(&self, other: &Self) -> bool {
        self.holds(other.path()) || other.holds(self.path())
    }
}

impl Region {
    /// No place at all.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Any place, because of `why`.
    pub fn anything(why: impl Into<String>) -> Self {
        Self { anything: Some(why.into()), ..Self::default() }
    }

    /// The folders that packages own.
    pub fn system() -> Self {
        Self { system: true, ..Self::default() }
    }

    /// These places.
    pub fn of(areas: impl IntoIterator<Item = Area>) -> Self {
        Self { areas: areas.into_iter().collect(), ..Self::default() }
    }

    /// Takes another region in.
    pub fn add(&mut self, other: Self) {
        if self.anything.is_none() {
            self.anything = other.anything;
        }
        self.system |= other.system;
        for area in other.areas {
            if !self.areas.contains(&area) {
                self.areas.push(area);
            }
        }
    }

    /// Whether there is no place in it.
    pub fn is_empty(&self) -> bool {
        self.anything.is_none() && !self.system && self.areas.is_empty()
    }

    /// Whether the path lies in it.
    pub fn holds(&self, path: &str) -> bool {
        self.anything.is_some() || self.system && is_system(path) || self.areas.iter().any(|area| area.holds(path))
    }

    /// Where the two meet, in words; `None` when they don't.
    pub fn meets(&self, other: &Self) -> Option<String> {
        self.meets_where(other, Area::reaches_system)
    }

    /// The same where the other one is what is read.
    pub fn meets_read(&self, read: &Self) -> Option<String> {
        self.meets_where(read, Area::reaches_tools)
    }

    fn meets_where(&self, other: &Self, reaches_other: fn(&Area) -> bool) -> Option<String> {
        if self.is_empty() || other.is_empty() {
            return None;
        }
        if let Some(why) = self.anything.as_ref().or(other.anything.as_ref()) {
            return Some(why.clone());
        }
        if self.system && other.system {
            return Some("the system's folders".to_owned());
        }
        let in_system = |own: &Self, other: &Self, reaches: fn(&Area) -> bool| {
            let area = other.areas.iter().find(|area| own.system && reaches(area));
            area.map(|area| area.path().to_owned())
        };
        let by_system = in_system(self, other, Area::reaches_system).or_else(|| in_system(other, self, reaches_other));
        by_system.or_else(|| {
            self.areas.iter().find_map(|own| other.areas.iter().find(|area| own.meets(area)).map(|_| own.path().to_owned()))
        })
    }
}

/// The folders at the top that packages fill. `/opt`, `/srv`, `/home`, `/mnt`, `/media`, `/tmp`, `/app` and the like are not theirs
/// (Filesystem Hierarchy Standard 3.0), with the exceptions below.
const TOP: &[&str] = &["/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin", "/sys"];

/// Below `/usr` and `/var` only these are packages'; `/usr/src/app` or `/var/www` are not.
const BELOW: &[&str] = &[
    "/usr/bin",
    "/usr/games",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/libx32",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/games",
    "/usr/local/include",
    "/usr/local/lib",
    "/usr/local/libexec",
    "/usr/local/man",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/var/backups",
    "/var/cache",
    "/var/lib",
    "/var/local",
    "/var/lock",
    "/var/log",
    "/var/mail",
    "/var/run",
    "/var/spool",
    "/var/tmp",
    "/root/.cache",
    "/root/.config",
    "/root/.local",
];

/// Whether a distribution's packages (or the tools of language packages) own what lies at the path.
pub fn is_system(path: &str) -> bool {
    TOP.iter().chain(BELOW).any(|folder| is_within(path, folder))
}

/// What tools read in `/var/lib`: what is installed, certificates, and libraries of languages.
#[rustfmt::skip]
const READ_BY_TOOLS: &[&str] = &[
    "alternatives", "apk", "apt", "ca-certificates", "dbus", "dictionaries-common", "dnf", "dpkg", "emacsen-common", "gems", "ghc",
    "ispell", "locales", "node_modules", "nodejs", "pacman", "pam", "perl", "php", "pip", "polkit", "python", "python3", "rpm", "ruby",
    "sgml-base", "shells.state", "systemd", "texmf", "ucf", "xml-core", "yum", "zypp",
];

/// Whether a path lies in a folder of a program's own data: `/var/lib/app`, `/var/log/app`, `/run/app`.
pub fn is_data(path: &str) -> bool {
    const OF_PROGRAMS: &[&str] = &["/run", "/var/backups", "/var/log", "/var/mail", "/var/run", "/var/spool"];
    let name = |folder: &str| path.strip_prefix(folder)?.strip_prefix('/')?.split('/').next();
    name("/var/lib").is_some_and(|name| !READ_BY_TOOLS.iter().any(|tool| name.starts_with(tool)))
        || OF_PROGRAMS.iter().any(|folder| name(folder).is_some())
}

#[cfg(test)]
mod tests {
    use super::{Area, Region, is_system};

    fn below(path: &str) -> Region {
        Region::of([Area::Below(path.to_owned())])
    }

    fn at(path: &str) -> Region {
        Region::of([Area::At(path.to_owned())])
    }

    #[test]
    fn regions_meet_where_one_lies_in_the_other() {
        assert_eq!(below("/app").meets(&at("/app/package.json")).as_deref(), Some("/app"));
        assert_eq!(at("/app").meets(&at("/app/package.json")), None);
        assert_eq!(below("/app").meets(&below("/application")), None);
        assert_eq!(Region::system().meets(&below("/")).as_deref(), Some("/"));
        assert_eq!(Region::system().meets(&below("/usr/src/app")), None);
        assert_eq!(Region::anything("why").meets(&at("/x")).as_deref(), Some("why"));
        assert_eq!(Region::anything("why").meets(&Region::nothing()), None);
    }

    #[test]
    fn who_reads_tools_reads_no_data() {
        let system = Region::system();
        assert_eq!(below("/var/lib/app").meets_read(&system), None);
        assert_eq!(at("/run/app/pid").meets_read(&system), None);
        assert_eq!(below("/var/lib/app").meets(&system).as_deref(), Some("/var/lib/app"));
        for tools in ["/var/lib/dpkg/status", "/var/lib/gems", "/var/lib/php8", "/var/lib", "/etc/app", "/var"] {
            assert_eq!(below(tools).meets_read(&system).as_deref(), Some(tools));
        }
    }

    #[test]
    fn a_projects_folders_are_not_the_systems() {
        for own in
            ["/app", "/usr/src/app", "/usr/app", "/var/www/html", "/home/node", "/opt/x", "/srv", "/root/app", "/usr/local/app"]
        {
            assert!(!is_system(own), "{own}");
        }
        for theirs in ["/etc/passwd", "/usr/local/bin/x", "/usr/share/nginx/html", "/var/lib/dpkg", "/bin"] {
            assert!(is_system(theirs), "{theirs}");
        }
    }
}
