//! Paths as a RUN's script writes them.
//!
//! Owns: how a written path (with globs and braces) and a folder lie to each other. Never does: look at a disk.

/// How a written path lies to a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The folder itself, its content (`/x/*`), or something in it.
    Within,
    /// A folder above it, or a pattern that may name one.
    Above,
    /// Neither.
    Apart,
}

/// How `written` (absolute; may end in `/`, hold `*`, `?` or `{a,b}`) lies to `folder` (absolute, plain).
pub fn relation(written: &str, folder: &str) -> Relation {
    let mut result = Relation::Apart;
    for path in braces(written) {
        match plain_relation(&path, folder) {
            Relation::Above => return Relation::Above,
            Relation::Within => result = Relation::Within,
            Relation::Apart => {}
        }
    }
    result
}

fn plain_relation(path: &str, folder: &str) -> Relation {
    let mut written = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let mut wanted = folder.split('/').filter(|part| !part.is_empty());
    // A pattern that names the folder (or one above it) names its neighbours too.
    let mut with_neighbours = false;
    loop {
        match (written.next(), wanted.next()) {
            (_, None) if with_neighbours => return Relation::Above,
            (_, None) => return Relation::Within,
            (None, Some(_)) => return Relation::Above,
            (Some(pattern), Some(name)) if matches(pattern, name) => with_neighbours |= pattern != name,
            _ => return Relation::Apart,
        }
    }
}

/// Whether `path` (plain) is `folder` or lies in it.
pub fn is_within(path: &str, folder: &str) -> bool {
    plain_relation(path, folder) == Relation::Within
}

/// `*` and `?` against one name. A `[` is taken for a match: it may be one.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.contains('[') {
        return true;
    }
    match pattern.split_once(['*', '?']) {
        None => pattern == name,
        Some((head, rest)) => {
            let star = pattern.get(head.len()..).is_some_and(|tail| tail.starts_with('*'));
            let Some(behind) = name.strip_prefix(head) else { return false };
            if star {
                behind.char_indices().any(|(at, _)| matches(rest, behind.get(at..).unwrap_or_default())) || matches(rest, "")
            } else {
                behind.chars().next().is_some_and(|c| matches(rest, behind.get(c.len_utf8()..).unwrap_or_default()))
            }
        }
    }
}

/// `/a/{b,c}/d` as `/a/b/d` and `/a/c/d`.
fn braces(text: &str) -> Vec<String> {
    let Some((head, rest)) = text.split_once('{') else { return vec![text.to_owned()] };
    let Some((inner, tail)) = rest.split_once('}') else { return vec![text.to_owned()] };
    if !inner.contains(',') || inner.contains('{') {
        return vec![text.to_owned()];
    }
    inner.split(',').flat_map(|part| braces(&format!("{head}{part}{tail}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Relation, relation};

    #[test]
    fn a_cleanup_lies_within_above_or_apart() {
        let lists = "/var/lib/apt/lists";
        for within in [
            "/var/lib/apt/lists/*",
            "/var/lib/apt/lists",
            "/var/lib/apt/lists/",
            "/var/lib/apt/lists/partial/x",
            "/var/{log,lib/apt/lists}/*",
        ] {
            assert_eq!(relation(within, lists), Relation::Within, "{within}");
        }
        for above in ["/var/lib/apt", "/var/lib/apt/", "/", "/var"] {
            assert_eq!(relation(above, lists), Relation::Above, "{above}");
        }
        for apart in ["/var/lib/apt/extended_states", "/tmp/*", "/var/cache/*"] {
            assert_eq!(relation(apart, lists), Relation::Apart, "{apart}");
        }
        assert_eq!(relation("/var/lib/apt/*", lists), Relation::Above);
        assert_eq!(relation("/var/lib/*", lists), Relation::Above);
        assert_eq!(relation("/var/cache/apt*", "/var/cache/apt-archives"), Relation::Above);
        assert_eq!(relation("/root/.[c]ache", "/root/.cache/pip"), Relation::Above);
    }
}
