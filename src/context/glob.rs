//! The sources of COPY as patterns.
//!
//! Owns: the rules of Go's `filepath.Match`, by which the builder reads a source, and how a source's path is cleaned. Never does:
//! look for files.

use super::matching::{Piece, Pieces, Set};

/// A path from the root without `.`, `..`, or a `/` at either end. A `..` never leaves the root.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A cleaned source in two: what is looked up as it is, and what is a pattern from the first part with a wildcard on.
pub(super) fn split(source: &str) -> (&str, Option<&str>) {
    let mut start = 0;
    for part in source.split('/') {
        if has_wildcards(part) {
            let (folder, pattern) = source.split_at(start);
            return (folder.trim_end_matches('/'), Some(pattern));
        }
        start += part.len() + 1;
    }
    (source, None)
}

fn has_wildcards(part: &str) -> bool {
    let mut characters = part.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// A pattern; `None` where the builder calls it malformed.
pub(super) fn read(pattern: &str) -> Option<Pieces> {
    let mut rest = pattern.chars();
    let mut pieces = Vec::new();
    while let Some(c) = rest.next() {
        pieces.push(match c {
            '*' => Piece::Many,
            '?' => Piece::One,
            '[' => Piece::Set(set(&mut rest)?),
            '\\' => Piece::Char(rest.next()?),
            c => Piece::Char(c),
        });
    }
    Some(Pieces::new(pieces))
}

/// What stands behind a `[`, up to and with its `]`.
pub(super) fn set(rest: &mut std::str::Chars) -> Option<Set> {
    let mut set = Set { but: take(rest, '^'), ranges: Vec::new() };
    while set.ranges.is_empty() || !take(rest, ']') {
        let from = bound(rest)?;
        let to = if take(rest, '-') { bound(rest)? } else { from };
        set.ranges.push((from, to));
    }
    Some(set)
}

fn bound(rest: &mut std::str::Chars) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}

fn take(rest: &mut std::str::Chars, wanted: char) -> bool {
    let mut ahead = rest.clone();
    let is_it = ahead.next() == Some(wanted);
    if is_it {
        *rest = ahead;
    }
    is_it
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_clamped() {
        for (path, cleaned) in
            [(".", ""), ("/", ""), ("./a//b/", "a/b"), ("/a/./b", "a/b"), ("../../a", "a"), ("a/../../b/*", "b/*"), ("", "")]
        {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn a_source_is_split_at_its_first_wildcard() {
        assert_eq!(split("a/b"), ("a/b", None));
        assert_eq!(split("a/b*/c"), ("a", Some("b*/c")));
        assert_eq!(split("*.txt"), ("", Some("*.txt")));
        assert_eq!(split("a/b\\*"), ("a/b\\*", None), "an escaped star is none, and the name is taken with its backslash");
        assert_eq!(split("é/a[0]"), ("é", Some("a[0]")));
    }

    #[test]
    fn patterns_match_as_in_go() {
        let table = [
            ("*", "a.txt", true),
            ("*", "a/b", false),
            ("*", "", true),
            ("a*b*c", "abxbc", true),
            ("*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("?", "é", true),
            ("?", "/", false),
            ("a?b", "a/b", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("a[^x]b", "a/b", true),
            ("[!a]x", "!x", true),
            ("arr[[]0].txt", "arr[0].txt", true),
            ("a[\\]]", "a]", true),
            ("*/*.json", "web/package.json", true),
            ("*/*.json", "package.json", false),
            ("package*.json", "package-lock.json", true),
            ("requirements*.txt", "requirements/dev.txt", false),
            ("a\\?", "a?", true),
            ("a\\?*", "a?x", true),
            ("{a,b}", "{a,b}", true),
            ("**/x", "a/b/x", false),
            ("**/x", "a/x", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(read(pattern).is_some_and(|pieces| pieces.matches(path)), expected, "{pattern} {path}");
        }
        for malformed in ["[", "[]a]", "[a", "[a-]", "[-a]", "a\\", "[^]", "[a-"] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }
}
