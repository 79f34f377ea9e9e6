//! Versions as people write them in front of a package manager.
//!
//! Owns: whether a package is pinned, and which npm an official image brings. Never does: compare versions.

use crate::ecosystems::{Invocation, Surroundings};

/// Whether the word names exactly one version of a package: `x@1.2.3`.
pub(crate) fn is_exact(spec: &str) -> bool {
    let Some((_, version)) = spec.get(1..).and_then(|rest| rest.rsplit_once('@')) else { return false };
    let parts: Vec<&str> = version.trim_start_matches('v').splitn(3, '.').collect();
    matches!(parts.as_slice(), [major, minor, patch] if [major, minor].iter().all(|part| is_number(part))
        && patch.starts_with(|c: char| c.is_ascii_digit()) && !patch.contains(['*', 'x', ' ', '|']))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// The first of the packages that is not pinned, in words.
pub(crate) fn unpinned<'a>(specs: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let spec = specs.into_iter().find(|spec| !is_exact(spec))?;
    Some(format!("{spec} names no exact version"))
}

/// The major version of Node.js in an official image.
pub(crate) fn node_major(at: &Surroundings) -> Option<u32> {
    if at.base.repository() != "node" {
        return None;
    }
    let tag = at.base.tag();
    match tag.split(['.', '-']).next().unwrap_or_default() {
        "boron" => Some(6),
        "carbon" => Some(8),
        "dubnium" => Some(10),
        "erbium" => Some(12),
        "fermium" => Some(14),
        "gallium" => Some(16),
        "hydrogen" => Some(18),
        "iron" => Some(20),
        "jod" => Some(22),
        "krypton" => Some(24),
        number => number.parse().ok(),
    }
}

/// The major versions of npm that an official image of this Node.js may bring: `None` where another npm may have been
/// installed on top, or the image is another one.
pub(crate) fn npm_majors(at: &Surroundings) -> Option<std::ops::RangeInclusive<u32>> {
    let replaced = |command: &Invocation| {
        command.has_unknown_argument() && command.is("npm")
            || command.known_arguments().any(|(_, word)| word == "npm" || word.starts_with("npm@"))
    };
    if at.earlier.iter().any(replaced) {
        return None;
    }
    match node_major(at)? {
        6..=7 => Some(3..=5),
        8..=14 => Some(5..=6),
        15 => Some(7..=7),
        16 => Some(7..=8),
        18 => Some(8..=10),
        19 => Some(8..=9),
        20 | 22 => Some(9..=10),
        21 | 23 => Some(10..=10),
        24 | 25 => Some(11..=11),
        _ => None,
    }
}

/// Whether npm may be one up to 6. Official images without a number in their tag have a newer one.
pub(crate) fn may_have_old_npm(at: &Surroundings) -> bool {
    match npm_majors(at) {
        Some(majors) => *majors.start() < 7,
        None => at.base.repository() != "node",
    }
}

/// Whether npm surely knows `npm pkg`, which came with 7.20: that of an official image with a newer Node.js than 16.10, unless an
/// older npm was installed on top.
pub(crate) fn has_npm_pkg(at: &Surroundings) -> bool {
    let replaced = at.earlier.iter().rev().find_map(|command| {
        let word = |word: &str| word == "npm" || word.starts_with("npm@");
        let asked = command.known_arguments().map(|(_, value)| value).find(|value| word(value));
        asked.or_else(|| (command.has_unknown_argument() && command.is("npm")).then_some("npm@?"))
    });
    match replaced.map(|asked| asked.trim_start_matches("npm").trim_start_matches(['@', '^', '~'])) {
        Some("" | "latest") => return true,
        Some(version) => {
            return version.split('.').next().and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= 8);
        }
        None if at.base.repository() != "node" => return false,
        None => {}
    }
    match node_major(at) {
        Some(16) => {
            let version = at.base.tag().split('-').next().unwrap_or_default();
            version.split('.').nth(1).is_none_or(|minor| minor.parse().is_ok_and(|minor: u32| minor > 10))
        }
        Some(major) => major > 16,
        // Without a number it is one of the newest: `lts`, `alpine`. The code names of old ones are numbers above.
        None => !at.base.tag().starts_with(|c: char| c.is_ascii_digit()) && !matches!(at.base.tag(), "argon" | "onbuild"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{in_project, invocation};

    #[test]
    fn npm_with_pkg() {
        for base in ["node", "node:lts-alpine", "node:16", "node:16.20-slim", "node:18.0", "node:22-alpine"] {
            assert!(has_npm_pkg(&in_project(base)), "{base}");
        }
        for base in ["node:14", "node:16.3", "node:fermium-slim", "debian:12", "bitnami/node:20"] {
            assert!(!has_npm_pkg(&in_project(base)), "{base}");
        }
        let with = |spec: &str| {
            let earlier = [invocation(&["npm", "install", "-g", spec])];
            has_npm_pkg(&Surroundings { earlier: &earlier, ..in_project("node:20") })
        };
        assert!(with("npm@latest") && with("npm@10.2.0") && with("pm2") && !with("npm@6") && !with("npm@$V"));
    }

    #[test]
    fn exact_versions() {
        assert!(is_exact("serve@14.2.0") && is_exact("@angular/cli@17.0.1-rc.0"));
        assert!(!is_exact("serve") && !is_exact("@angular/cli") && !is_exact("npm@10") && !is_exact("x@^1.2.3"));
        assert_eq!(unpinned(["a@1.0.0", "b@latest"]).as_deref(), Some("b@latest names no exact version"));
    }

    #[test]
    fn npm_of_an_image() {
        assert_eq!(npm_majors(&in_project("node:20-alpine")), Some(9..=10));
        assert_eq!(npm_majors(&in_project("node:hydrogen")), Some(8..=10));
        for base in ["node:lts", "node", "alpine:3"] {
            assert_eq!(npm_majors(&in_project(base)), None, "{base}");
        }
        let earlier = [invocation(&["npm", "install", "-g", "npm@latest"])];
        assert_eq!(npm_majors(&Surroundings { earlier: &earlier, ..in_project("node:20") }), None);
    }
}
