//! Where package managers keep what they download.
//!
//! Owns: the folders, as their manuals name them. What is in them may be in one image and not in the other: that is what cache
//! mounts are for, and it is reported as a change of size. A program that a cache mount swallows is none of it: build output
//! (`target`, `dist`, `node_modules`) is never listed here.

/// Folders under any home, by their paths below it.
const UNDER_HOME: &[&str] = &[
    ".bun/install/cache",
    ".bundle/cache",
    ".cache",
    ".cargo/git",
    ".cargo/registry",
    ".composer/cache",
    ".conda/pkgs",
    ".gradle/caches",
    ".gradle/daemon",
    ".gradle/native",
    ".gradle/notifications",
    ".gradle/wrapper",
    ".hex/packages",
    ".ivy2",
    ".local/share/NuGet",
    ".local/share/pnpm/store",
    ".m2/repository",
    ".npm",
    ".nuget/packages",
    ".sbt/boot",
    ".yarn/berry/cache",
    ".yarn/berry/index",
    "go/pkg/mod",
];

/// Folders by their whole paths.
const ELSEWHERE: &[&str] = &[
    "go/pkg/mod",
    "opt/conda/pkgs",
    "usr/local/bundle/cache",
    "usr/local/cargo/git",
    "usr/local/cargo/registry",
    "usr/local/share/.cache",
    "var/cache/apk",
    "etc/apk/cache",
    "var/cache/dnf",
    "var/cache/libdnf5",
    "var/cache/yum",
    "var/cache/zypp",
    "var/cache/pacman/pkg",
    "var/cache/apt-archives",
];

/// Files that a manager keeps beside its folders.
const FILES: &[&str] = &["usr/local/cargo/.package-cache", "usr/local/cargo/.global-cache"];

/// Whether a path is a folder of a manager's cache, or in one. Without a slash in front.
pub(super) fn holds(path: &str) -> bool {
    let below = |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let in_home = home(path).is_some_and(|rest| {
        UNDER_HOME.iter().any(|folder| below(rest, folder))
            || rest.starts_with(".cargo/.package-cache")
            || rest.starts_with(".cargo/.global-cache")
    });
    in_home || ELSEWHERE.iter().any(|folder| below(path, folder)) || FILES.iter().any(|file| path.starts_with(file))
}

/// Whether a path is a folder above a manager's cache, under a home or not: it may be made for the cache alone.
pub(super) fn leads_to(path: &str) -> bool {
    let above = |path: &str, folder: &str| folder.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    home(path).is_some_and(|rest| UNDER_HOME.iter().any(|folder| above(rest, folder)))
        || ELSEWHERE.iter().any(|folder| above(path, folder))
}

/// What is below a home folder.
fn home(path: &str) -> Option<&str> {
    if let Some(rest) = path.strip_prefix("root/") {
        return Some(rest);
    }
    ["home/", "var/www/", "var/lib/"].iter().find_map(|prefix| {
        let rest = path.strip_prefix(prefix)?;
        rest.split_once('/').map(|(_, below)| below)
    })
}

#[cfg(test)]
mod tests {
    use super::{holds, leads_to};

    #[test]
    fn caches_are_known_under_any_home_and_nothing_else_is() {
        for path in [
            "root/.cache/pip/http/a",
            "home/node/.npm/_cacache",
            "root/.npm",
            "usr/local/cargo/registry/x",
            "root/.m2/repository",
        ] {
            assert!(holds(path), "{path}");
        }
        for path in [
            "root/.npmrc",
            "app/target/release/app",
            "app/node_modules/.cache",
            "root/.m2/settings.xml",
            "root/.cachet",
            "app/.cache/x",
        ] {
            assert!(!holds(path), "{path}");
        }
        assert!(
            leads_to("root/.local/share/pnpm") && leads_to("root/.m2") && !leads_to("root/.m2/settings.xml") && !leads_to("root")
        );
    }
}
