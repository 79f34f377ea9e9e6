//! Files that a caller says have changed.
//!
//! Owns: reading names from arguments, from a diff or from a list, and finding them in a build context. Never does: ask whether they
//! are there; a file that is gone is a change, too.

use anyhow::{Context, ensure};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Names that are shown before the rest is counted.
const MOST_NAMES: usize = 3;

/// What changed, by names.
pub(super) enum Changed {
    /// As seen from the current folder.
    Files(Vec<PathBuf>),
    /// As a diff or `git diff --name-only` has them: from the top of the repository, or from the current folder.
    Named(Vec<PathBuf>),
}

/// What standard input names.
pub(super) fn on_stdin() -> anyhow::Result<Changed> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).context("standard input")?;
    let names = named(&text);
    ensure!(
        !names.is_empty(),
        "standard input names no file: give a diff (`git diff | dockeropt cost --change -`) or a list of names"
    );
    Ok(Changed::Named(names))
}

/// The files of a unified diff; of a text that is none, each line.
fn named(text: &str) -> Vec<PathBuf> {
    let is_diff = text.lines().any(|line| line.starts_with("diff --git ") || line.starts_with("+++ "));
    let mut names: Vec<PathBuf> = Vec::new();
    let mut add = |name: &str| {
        let name = PathBuf::from(name);
        if !names.contains(&name) {
            names.push(name);
        }
    };
    if !is_diff {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(add);
        return names;
    }
    // Lines that are left of a hunk, of the old text and of the new one: such lines may look like headers.
    let (mut old, mut new) = (0_usize, 0_usize);
    for line in text.lines() {
        if old > 0 || new > 0 {
            old = old.saturating_sub(usize::from(!line.starts_with(['+', '\\'])));
            new = new.saturating_sub(usize::from(!line.starts_with(['-', '\\'])));
            continue;
        }
        if let Some(hunk) = line.strip_prefix("@@ -") {
            let mut counts =
                hunk.split(' ').map(|range| range.split_once(',').map_or(1, |(_, count)| count.parse().unwrap_or(0)));
            (old, new) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
            continue;
        }
        let path = |mark: &str, side: &str| {
            let name = line.strip_prefix(mark)?.split('\t').next()?;
            let name = unquoted(name);
            (name != "/dev/null").then(|| name.strip_prefix(side).unwrap_or(&name).to_owned())
        };
        let found = path("--- ", "a/")
            .or_else(|| path("+++ ", "b/"))
            .or_else(|| path("rename from ", ""))
            .or_else(|| path("rename to ", ""));
        if let Some(name) = found.or_else(|| without_hunks(line)) {
            add(&name);
        }
    }
    names
}

/// The name in `diff --git a/x b/x`, which is all there is for a change of mode or of a binary file.
fn without_hunks(line: &str) -> Option<String> {
    let both = line.strip_prefix("diff --git ")?;
    if let Some(name) = both.strip_prefix("\"a/") {
        return Some(unquoted(&format!(
            "\"{}",
            name.split_once("\" ").map_or(name, |(name, _)| name).trim_end_matches('"').to_owned() + "\""
        )));
    }
    // The same name twice, with ` b/` between.
    let half = both.len().checked_sub(1)? / 2;
    let (one, other) = both.split_at_checked(half)?;
    let (one, other) = (one.strip_prefix("a/")?, other.strip_prefix(" b/")?);
    (one == other).then(|| one.to_owned())
}

/// A name that git put in quotes, where it did.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return name.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                while let Some(digit) = rest.next_if(|byte| (b'0'..=b'7').contains(byte)) {
                    value = value * 8 + u32::from(digit - b'0');
                }
                bytes.extend(u8::try_from(value & 0xff));
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Changed {
    /// Their paths within a build context, with `/`. Those outside are left out.
    pub(super) fn within(&self, root: &Path) -> anyhow::Result<Vec<String>> {
        let here = std::env::current_dir().context("the current folder")?;
        let top = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here).to_owned();
        let root = root.canonicalize().with_context(|| root.display().to_string())?;
        let places: Vec<PathBuf> = match self {
            Self::Files(names) => names.iter().map(|name| here.join(name)).collect(),
            Self::Named(names) => {
                let place = |name: &PathBuf| {
                    let (from_top, from_here) = (top.join(name), here.join(name));
                    if !from_top.exists() && from_here.exists() { from_here } else { from_top }
                };
                names.iter().map(place).collect()
            }
        };
        Ok(places.iter().filter_map(|place| inside(&real(place), &root)).collect())
    }
}

/// The path without `.`, `..` and links of folders that are there.
fn real(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            component => plain.push(component),
        }
    }
    let known = plain.ancestors().skip(1).find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    match known.and_then(|(folder, real)| Some(real.join(plain.strip_prefix(folder).ok()?))) {
        Some(path) => path,
        None => plain,
    }
}

fn inside(path: &Path, root: &Path) -> Option<String> {
    let rest = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = rest.iter().map(std::ffi::OsStr::to_str).collect();
    Some(parts?.join("/")).filter(|path| !path.is_empty())
}

/// `src/app.py`; `a, b, c and 4 more`; `nothing of its build context`.
pub(super) fn in_words(files: &[String]) -> String {
    let names: Vec<&str> = files.iter().take(MOST_NAMES).map(String::as_str).collect();
    match files.len().checked_sub(MOST_NAMES) {
        _ if files.is_empty() => "nothing of its build context".to_owned(),
        Some(more @ 1..) => format!("{} and {more} more", names.join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::{in_words, named, unquoted};

    fn names(text: &str) -> Vec<String> {
        named(text).into_iter().map(|path| path.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_diff_names_its_files_once() {
        let diff = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/not\n+++ b/not\n c\n\
                    diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+--- a/no\n\
                    diff --git a/m o b/m o\nold mode 100644\nnew mode 100755\n\
                    diff --git a/f b/t\nsimilarity index 100%\nrename from f\nrename to t\n\
                    diff --git \"a/\\303\\251\" \"b/\\303\\251\"\nBinary files differ\n";
        assert_eq!(names(diff), ["x", "new", "m o", "f", "t", "é"]);
        assert_eq!(names("--- x/a.txt\t2026\n+++ y/a.txt\t2026\n@@ -1 +1 @@\n-a\n+b\n"), ["x/a.txt", "y/a.txt"]);
        assert_eq!(names("a/b.txt\n\n c d \n"), ["a/b.txt", "c d"]);
        assert!(names("\n").is_empty());
    }

    #[test]
    fn quotes_of_git_are_taken_off() {
        assert_eq!(unquoted(r#""a\tb\"\\\303\251""#), "a\tb\"\\é");
        assert_eq!(unquoted("a\"b"), "a\"b");
    }

    #[test]
    fn files_are_named_and_counted() {
        let files: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        assert_eq!(in_words(&files), "a, b, c and 1 more");
        assert_eq!(in_words(files.get(..2).unwrap()), "a, b");
        assert_eq!(in_words(&[]), "nothing of its build context");
    }
}
