//! An edit of the source, as a person makes many a day.
//!
//! Owns: which file, and a change of it that means nothing to whoever reads it. Never does: touch a file that says what is installed.

use crate::context::{Kind, View};
use crate::knowledge::Knowledge;
use crate::model::brought;
use crate::syntax::Dockerfile;
use std::collections::BTreeSet;

/// Ends of names of source files, for where no history tells.
const SOURCE: [&str; 17] = [
    ".py", ".js", ".ts", ".tsx", ".jsx", ".rs", ".go", ".rb", ".php", ".java", ".kt", ".scala", ".cs", ".ex", ".c", ".cpp",
    ".html",
];

/// Parts of names of files that say what is installed, or how it is built.
const NO_SOURCE: [&str; 24] = [
    "requirements",
    "constraints",
    "package.json",
    "package-lock",
    "lock",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pipfile",
    "cargo.toml",
    "go.mod",
    "go.sum",
    "go.work",
    "gemfile",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "settings.gradle",
    "build.sbt",
    "mix.exs",
    ".csproj",
    ".npmrc",
    ".yarnrc",
    "dockerfile",
];

/// The file that is edited: of what the file copies, the one that changed most often in git's history; without one the first that
/// looks like source.
pub(super) fn choose(dockerfiles: [&Dockerfile; 2], view: &View) -> Option<String> {
    let mut named = BTreeSet::new();
    let mut brought = BTreeSet::new();
    for dockerfile in dockerfiles {
        for path in brought::context_sources(dockerfile).iter().flat_map(|source| view.expand(source)) {
            match view.kind(&path) {
                Some(Kind::Folder) => brought.extend(view.files_below(&path)),
                // What is copied by its name alone is a manifest, or as rare a thing.
                Some(_) => drop(named.insert(path)),
                None => {}
            }
        }
    }
    let whole = brought.iter().any(|path| !named.contains(path));
    let pool: Vec<&String> =
        if whole { brought.iter().filter(|path| !named.contains(*path)).collect() } else { named.iter().collect() };
    let may = |path: &&&String| {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let is_text = || matches!(view.text(path), Knowledge::Known(_));
        !NO_SOURCE.iter().any(|part| name.contains(part))
            && !name.starts_with('.')
            && view.kind(path) == Some(Kind::File)
            && is_text()
    };
    let rank = |path: &&String| {
        let changes = view.changes(&[path.as_str()]).into_known().unwrap_or_default();
        let is_source = SOURCE.iter().any(|end| path.ends_with(end));
        (changes, is_source)
    };
    // The first of those with the highest rank.
    pool.into_iter()
        .filter(|path| may(&path))
        .map(|path| (rank(&path), path))
        .rev()
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, path)| path.clone())
}

/// The text with white space at its end that no other edit makes: what the number says, in spaces and line ends.
pub(super) fn edited(text: &str, number: u64) -> String {
    let marks: String = (0..48).map(|bit| if number >> bit & 1 == 1 { ' ' } else { '\n' }).collect();
    format!("{}\n{marks}\n", text.trim_end_matches([' ', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    fn chosen(dockerfile: &str, files: &[&str], commits: &[&[&str]]) -> Option<String> {
        let view = View::of_files(files.iter().map(|name| (*name, Some("text")))).with_git(files, commits);
        choose([&syntax::parse(dockerfile), &syntax::parse(dockerfile)], &view)
    }

    #[test]
    fn the_file_that_changed_most_often_is_edited() {
        let file = "FROM a\nCOPY requirements.txt .\nCOPY . .\n";
        let files = ["README.md", "requirements.txt", "a.py", "b.py", "package.json"];
        let commits: &[&[&str]] = &[&["b.py", "requirements.txt"], &["b.py", "a.py", "requirements.txt"], &["requirements.txt"]];
        assert_eq!(chosen(file, &files, commits).as_deref(), Some("b.py"));
        assert_eq!(chosen(file, &files, &[]).as_deref(), Some("a.py"));
        assert_eq!(
            chosen("FROM a\nCOPY app.py requirements.txt ./\n", &["app.py", "requirements.txt"], &[]).as_deref(),
            Some("app.py")
        );
        assert_eq!(chosen("FROM a\nCOPY requirements.txt .\n", &["requirements.txt"], &[]), None);
    }

    #[test]
    fn each_edit_is_another_and_none_adds_a_word() {
        let (one, other) = (edited("x\n", 1), edited("x\n", 2));
        assert!(one != other && one.trim() == "x" && edited(&one, 2).trim() == "x" && edited(&one, 2) == other);
    }
}
