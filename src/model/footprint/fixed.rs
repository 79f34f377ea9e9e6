//! Whether what a name stands for stays the same.
//!
//! Owns: telling a version, a commit or a date from a moving name in a URL or tag. Never does: ask the network.

/// Names of what moves, whatever else stands beside them.
const MOVING: &[&str] = &["latest", "nightly", "master", "main", "head", "trunk", "develop", "snapshot", "snapshots", "tip"];

/// Names that stand for a value which authors pin.
const PINNED: &[&str] =
    &["VERSION", "VER", "TAG", "COMMIT", "SHA", "SHA1", "SHA256", "REV", "REVISION", "RELEASE", "DATE", "HASH", "V"];

/// Whether a tag, branch or commit is a version (`v1.2`, `release-3.4.1`, a commit's hash, a variable called `…VERSION`), and so
/// does not move.
pub fn is_version(text: &str) -> bool {
    let words = || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').filter(|word| !word.is_empty());
    if words().any(|word| MOVING.contains(&word.to_ascii_lowercase().as_str())) {
        return false;
    }
    let parts = || words().flat_map(|word| word.split('.'));
    words().any(|word| is_number(word) || is_joined_number(word) || word.split('_').any(is_number))
        || parts().any(is_hash)
        || names_pinned(text)
}

/// Whether a URL names one content: it has a version in its path, or is a key.
pub fn is_fixed_url(url: &str) -> bool {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    is_version(path) || is_key(path)
}

/// A key is kept behind its name: those who sign with another publish it elsewhere.
fn is_key(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    [".asc", ".gpg", ".key", ".pub", ".pgp"].iter().any(|end| name.ends_with(end))
        || matches!(name, "gpg" | "keys" | "gpgkey" | "key")
}

/// `1.2`, `v1.2.3`, `3.11rc1`, `20240131`; not `x86.64`, `18.x` or `5`.
fn is_number(word: &str) -> bool {
    let Some(at) = word.find(|c: char| c.is_ascii_digit()) else { return false };
    let (before, number) = word.split_at(at);
    // What follows a number joined to a name is one of the name: `go1.21`, `jdk11.0`.
    if !before.chars().all(|c| c.is_ascii_alphabetic()) {
        return false;
    }
    let parts: Vec<&str> = number.split('.').collect();
    let numeric = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
    let dotted = parts.len() > 1 && parts.iter().take(2).all(numeric);
    // A date, or a build's number.
    let long = number.len() >= 6 && number.chars().all(|c| c.is_ascii_digit());
    dotted || long
}

/// `OpenSSL_1_1_1k`
fn is_joined_number(word: &str) -> bool {
    let parts: Vec<&str> = word.split('_').collect();
    let numeric = |part: &str| !part.is_empty() && part.len() < 4 && part.starts_with(|c: char| c.is_ascii_digit());
    parts.windows(3).any(|parts| parts.iter().all(|part| numeric(part)))
}

fn is_hash(word: &str) -> bool {
    word.len() >= 7
        && word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
        && word.chars().any(|c| c.is_ascii_digit())
        && word.chars().any(|c| c.is_ascii_lowercase() || word.len() >= 8)
}

/// `${NODE_VERSION}`, `$COMMIT`.
fn names_pinned(text: &str) -> bool {
    text.split('$').skip(1).any(|rest| {
        let rest = rest.trim_start_matches('{');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().to_ascii_uppercase();
        name.split('_').any(|part| PINNED.contains(&part)) || ["VERSION", "COMMIT"].iter().any(|end| name.ends_with(end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_what_moves() {
        for fixed in
            ["v1.2", "1.2.3", "release-3.4.1", "4f2b1c9", "${GIT_COMMIT}", "$NODE_VERSION", "go1.21.3", "20240131", "a_1_2_3k"]
        {
            assert!(is_version(fixed), "{fixed}");
        }
        for moving in ["main", "v2", "stable", "18.x", "x86_64", "latest-1.2", "feature/x", "$BRANCH", "amd64", "defaced"] {
            assert!(!is_version(moving), "{moving}");
        }
    }

    #[test]
    fn urls() {
        for fixed in [
            "https://nodejs.org/dist/v20.1.0/node.tar.gz",
            "https://dl.k8s.io/release/stable/v1.20.0/kubectl",
            "https://x.org/a/tool_1.4.0_linux_amd64.deb",
            "https://x.org/$TOOL_VERSION/a.tgz",
            "https://download.docker.com/linux/debian/gpg",
            "https://x.org/4f2b1c9d8e7f/a",
            "https://x.org/archive/30d7f1bd0b58499e1e1f2415e84d76d951665dc8.tar.gz",
        ] {
            assert!(is_fixed_url(fixed), "{fixed}");
        }
        for moving in [
            "https://deb.nodesource.com/setup_18.x",
            "https://x.org/install.sh",
            "https://github.com/a/b/releases/latest/download/x-1.2.tgz",
            "https://raw.githubusercontent.com/a/b/master/install.sh",
            "https://10.0.0.1/x",
            "https://sh.rustup.rs",
        ] {
            assert!(!is_fixed_url(moving), "{moving}");
        }
    }
}
