//! Differences that are let pass, each by a rule with a name.
//!
//! Owns: the rules and their words. They are what two builds of one Dockerfile were seen to differ in, and what a cache mount is
//! for; all else counts. Never does: hide one: each that a rule lets pass is listed by `--explain`.

use super::{Aspect, Difference, Noise, Place, caches};
use crate::builder::image::{EntryKind, Image};
use std::collections::BTreeSet;

/// A reason to let a difference pass.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Short and stable.
    pub id: &'static str,
    /// What it lets pass, and why that is right.
    pub words: &'static str,
    test: Test,
}

#[derive(Clone, Copy, Debug)]
enum Test {
    /// Never asked: these are not looked at in the first place.
    NotRead,
    /// By the path, without a slash in front.
    Path(fn(&str) -> bool),
    /// Folders and files of package managers' caches.
    Caches,
    /// Folders that a moved step makes in one image for what is let pass there.
    EmptyParents,
    /// What differed between two builds of the original.
    Noise,
}

/// All of them, in the order in which they are tried.
pub const RULES: &[Rule] = &[
    Rule { id: "modification-times", words: "times of files: each build sets its own; not compared", test: Test::NotRead },
    Rule {
        id: "compiled-python-times",
        words: "the source's time in the header of .pyc files: it says when the source was laid there; all else in them is compared",
        test: Test::NotRead,
    },
    Rule {
        id: "history",
        words: "the number of layers, their history and the dates in it: a rewrite has other steps; not compared",
        test: Test::NotRead,
    },
    Rule { id: "order-of-env", words: "the order of the variables in Env; names and values are compared", test: Test::NotRead },
    Rule {
        id: "rewritten-files",
        words: "the Dockerfile and its ignore file where a COPY brings them: both builds get the context as it is on disk, and only the builder sees the rewritten ones",
        test: Test::NotRead,
    },
    Rule {
        id: "logs",
        words: "files below /var/log: apt, dpkg and others write times into them",
        test: Test::Path(|path| below(path, "var/log")),
    },
    Rule {
        id: "package-indexes",
        words: "/var/lib/apt/lists and /var/cache/apt: indexes and downloads of apt, which cache mounts keep out of the image",
        test: Test::Path(|path| below(path, "var/lib/apt/lists") || below(path, "var/cache/apt")),
    },
    Rule {
        id: "loader-cache",
        words: "/var/cache/ldconfig/aux-cache: it holds times and inode numbers; /etc/ld.so.cache is compared",
        test: Test::Path(|path| path == "var/cache/ldconfig/aux-cache"),
    },
    Rule {
        id: "backups",
        words: "copies that dpkg and debconf (*-old) and the user tools (/etc/passwd- and its like) keep of the state before their last change",
        test: Test::Path(is_backup),
    },
    Rule {
        id: "per-container",
        words: "machine-id, /etc/hosts, /etc/hostname, /etc/resolv.conf, /.dockerenv, /run, /dev, /proc, /sys: made for each container",
        test: Test::Path(is_per_container),
    },
    Rule {
        id: "manager-caches",
        words: "package managers' download caches, which cache mounts keep out of the image, and hard links into them: reported as a change of size",
        test: Test::Caches,
    },
    Rule {
        id: "parents-of-caches",
        words: "folders that only one image has and that hold nothing but what other rules let pass, on the way to a manager's cache",
        test: Test::EmptyParents,
    },
    Rule { id: "noise", words: "what differed between two builds of the original file", test: Test::Noise },
];

/// Finds the rule for a difference.
pub(super) struct Judge<'i> {
    before: &'i Image,
    after: &'i Image,
    noise: &'i Noise,
    /// Folders that hold something that no rule lets pass, in either image.
    used: BTreeSet<&'i str>,
}

impl<'i> Judge<'i> {
    pub(super) fn new(before: &'i Image, after: &'i Image, noise: &'i Noise) -> Self {
        let mut used = BTreeSet::new();
        for (path, entry) in before.entries.iter().chain(&after.entries) {
            // A folder is used by what is in it; an empty one is judged by itself.
            if entry.kind == EntryKind::Directory || passes_by_path(path) {
                continue;
            }
            let mut rest = path.as_str();
            while let Some((folder, _)) = rest.rsplit_once('/') {
                if !used.insert(folder) {
                    break;
                }
                rest = folder;
            }
        }
        Self { before, after, noise, used }
    }

    pub(super) fn rule_for(&self, difference: &Difference) -> Option<&'static Rule> {
        RULES.iter().find(|rule| self.passes(rule.test, difference))
    }

    fn passes(&self, test: Test, difference: &Difference) -> bool {
        let path = match &difference.place {
            Place::Path(path) => Some(path.trim_start_matches('/')),
            Place::Config(_) => None,
        };
        match (test, path) {
            (Test::NotRead, _) => false,
            (Test::Path(test), Some(path)) => test(path),
            (Test::Caches, Some(path)) if difference.aspect == Aspect::HardLinks => self.same_links_outside_caches(path),
            (Test::Caches, Some(path)) => caches::holds(path),
            (Test::EmptyParents, Some(path)) => {
                difference.aspect == Aspect::Presence && caches::leads_to(path) && !self.used.contains(path)
            }
            (Test::Noise, _) => self.noise.covers(difference),
            (_, None) => false,
        }
    }
}

impl Judge<'_> {
    /// Managers link what they install to what is in their cache, and copy where a mount lies between.
    fn same_links_outside_caches(&self, path: &str) -> bool {
        let links = |image: &Image| match image.entries.get(path).map(|entry| &entry.kind) {
            Some(EntryKind::File { links, .. }) => {
                Some(links.iter().filter(|link| !caches::holds(link)).cloned().collect::<Vec<_>>())
            }
            _ => None,
        };
        links(self.before) == links(self.after)
    }
}

fn passes_by_path(path: &str) -> bool {
    let by_path = |rule: &Rule| matches!(rule.test, Test::Path(test) if test(path));
    caches::holds(path) || RULES.iter().any(by_path)
}

fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_backup(path: &str) -> bool {
    let old = (below(path, "var/lib/dpkg") || below(path, "var/cache/debconf")) && path.ends_with("-old");
    old || matches!(path, "etc/passwd-" | "etc/group-" | "etc/shadow-" | "etc/gshadow-" | "etc/subuid-" | "etc/subgid-")
}

fn is_per_container(path: &str) -> bool {
    const FILES: &[&str] = &[
        "etc/machine-id",
        "var/lib/dbus/machine-id",
        "etc/hosts",
        "etc/hostname",
        "etc/resolv.conf",
        ".dockerenv",
        "run/.containerenv",
    ];
    FILES.contains(&path) || ["run", "dev", "proc", "sys"].iter().any(|folder| below(path, folder))
}
