//! Paths with `*`, `?` and `[…]` in them, looked up in the project.
//!
//! Owns: which files and folders of the project such a path stands for. Never does: read a text, or match a name that begins with
//! a dot by a wildcard (no shell and no manager here does).

use super::{Found, Project};

/// Whether there is a wildcard in the path.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// What an absolute path stands for, sorted. A path without wildcards stands for itself, where it is there.
pub(crate) fn expand(pattern: &str, project: &dyn Project) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let below = |folder: String| -> Vec<String> {
            if !is_pattern(part) {
                return vec![format!("{folder}/{part}")];
            }
            let root = if folder.is_empty() { "/" } else { &folder };
            let fits = |name: &String| (!name.starts_with('.') || part.starts_with('.')) && matches(part, name);
            project.names(root).into_iter().filter(fits).map(|name| format!("{folder}/{name}")).collect()
        };
        found = found.into_iter().flat_map(below).collect();
    }
    found.retain(|path| matches!(project.look(path), Found::File | Found::Folder));
    found.sort();
    found
}

/// Whether a name fits a pattern of one path part. A set that is never closed stands for itself.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut letters = pattern.chars();
    let Some(first) = letters.next() else { return name.is_empty() };
    let rest = letters.as_str();
    let mut behind = name.chars();
    match first {
        '*' => matches(rest, name) || behind.next().is_some() && matches(pattern, behind.as_str()),
        '?' => behind.next().is_some() && matches(rest, behind.as_str()),
        '[' if rest.contains(']') => {
            let (set, after) = rest.split_once(']').unwrap_or_default();
            let Some(letter) = behind.next() else { return false };
            let (set, wanted) = set.strip_prefix(['!', '^']).map_or((set, true), |set| (set, false));
            in_set(set, letter) == wanted && matches(after, behind.as_str())
        }
        _ => behind.next() == Some(first) && matches(rest, behind.as_str()),
    }
}

fn in_set(set: &str, letter: char) -> bool {
    let letters: Vec<char> = set.chars().collect();
    let range = |window: &[char]| matches!(window, [from, '-', to] if (*from..=*to).contains(&letter));
    letters.contains(&letter) || letters.windows(3).any(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::Files;

    #[test]
    fn wildcards_stand_for_what_is_there() {
        let files = Files::new(&[("a/x.deb", ""), ("a/y.deb", ""), ("a/.z.deb", ""), ("b/x.deb", ""), ("b/c/x.txt", "")]);
        assert_eq!(expand("/app/a/*.deb", &files), ["/app/a/x.deb", "/app/a/y.deb"]);
        assert_eq!(expand("/app/*/x.deb", &files), ["/app/a/x.deb", "/app/b/x.deb"]);
        assert_eq!(expand("/app/?/c", &files), ["/app/b/c"]);
        assert_eq!(expand("/app/[!a]/x.[a-e]eb", &files), ["/app/b/x.deb"]);
        assert_eq!(expand("/app/b/x.deb", &files), ["/app/b/x.deb"]);
        assert!(expand("/app/b/*.rpm", &files).is_empty() && expand("/tmp/*.deb", &files).is_empty());
    }
}
