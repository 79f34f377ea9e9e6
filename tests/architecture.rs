//! The house stays as it was drawn (`src/lib.rs`, CONTRIBUTING.md): who may use whom, what a transform may know, how large a file is.

use dockeropt::ecosystems;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every module, bottom first, with the modules that it may use. Arrows point down only: a module uses none that comes after it.
const HOUSE: &[(&str, &[&str])] = &[
    ("knowledge", &[]),
    ("syntax", &[]),
    ("context", &["knowledge"]),
    ("shell", &["knowledge", "syntax"]),
    ("ecosystems", &["knowledge", "shell"]),
    ("model", &["knowledge", "syntax", "context", "shell", "ecosystems"]),
    ("cache", &["knowledge", "syntax", "context", "model"]),
    ("edit", &["syntax"]),
    // Of the ecosystems it knows their reasons for refusing, and no manager.
    ("pipeline", &["knowledge", "syntax", "context", "ecosystems", "model", "cache", "edit"]),
    ("builder", &["syntax"]),
    ("report", &["knowledge", "syntax", "context", "model", "cache", "edit", "pipeline", "builder"]),
    ("transforms", &["knowledge", "syntax", "context", "shell", "ecosystems", "model", "cache", "edit", "pipeline"]),
    ("cli", &["knowledge", "syntax", "context", "model", "cache", "edit", "pipeline", "builder", "report", "transforms"]),
];

/// Files of `transforms/` that are no rule: the list of them, and what two of them share.
const SHARED: &[&str] = &["mod", "rising"];

/// Where everything goes that has no place.
const NO_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

const MOST_LINES: usize = 500;

struct Source {
    path: PathBuf,
    /// The part of the house that it belongs to: `shell`, `transforms`, `lib`.
    module: String,
    text: String,
}

impl Source {
    /// The text without comments that have lines of their own: what is said there is no use of a thing.
    fn code(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for top in ["src", "transforms"] {
        for path in files_below(&root.join(top)) {
            let path = path.strip_prefix(root).unwrap().to_path_buf();
            let module = match top {
                "src" => path.with_extension("").components().nth(1).unwrap().as_os_str().to_str().unwrap().to_owned(),
                _ => top.to_owned(),
            };
            let text = std::fs::read_to_string(root.join(&path)).unwrap();
            sources.push(Source { path, module, text });
        }
    }
    assert!(sources.len() > 50, "only {} files found", sources.len());
    sources
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The modules behind `crate::`, alone or in braces.
fn used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, mark) in code.match_indices("crate::") {
        let rest = &code[at + mark.len()..];
        match rest.strip_prefix('{') {
            None => names.extend(name(rest)),
            Some(group) => {
                let mut depth = 0;
                for part in group.split_inclusive(['{', '}', ',']) {
                    if depth == 0 {
                        names.extend(name(part));
                    }
                    match part.chars().last() {
                        Some('{') => depth += 1,
                        Some('}') if depth == 0 => break,
                        Some('}') => depth -= 1,
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

fn name(text: &str) -> Option<String> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

#[test]
fn uses_are_read_in_all_their_forms() {
    let read = |code: &str| used(code).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(read("use crate::shell::{Word, Span};\nlet x: crate::model::Model;"), "model shell");
    assert_eq!(
        read("use crate::{report::{diff, path}, syntax,\n    transforms as all};\nlet y = {report()};"),
        "report syntax transforms"
    );
}

#[test]
fn arrows_only_point_down() {
    for (index, (module, may)) in HOUSE.iter().enumerate() {
        let below: Vec<&str> = HOUSE[..index].iter().map(|(name, _)| *name).collect();
        assert!(may.iter().all(|name| below.contains(name)), "{module} may use only what comes before it: {may:?}");
    }
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for source in sources().iter().filter(|source| !matches!(source.module.as_str(), "lib" | "main")) {
        let own = source.module.as_str();
        let Some((_, may)) = HOUSE.iter().find(|(name, _)| *name == own) else {
            panic!("{}: `{own}` has no place in the house", source.path.display());
        };
        seen.insert(source.module.clone());
        for used in used(&source.code()) {
            if used != own && !may.contains(&used.as_str()) {
                wrong.push(format!("{}: {own} uses {used}", source.path.display()));
            }
        }
        // From a file's own level that is the house itself; in a module within a file it is the file's neighbours.
        if source.text.lines().any(|line| line.starts_with("use super::super::")) {
            wrong.push(format!("{}: super::super:: hides what is used; write crate::", source.path.display()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(seen.len(), HOUSE.len(), "of the house there is only {seen:?}");
}

#[test]
fn the_program_is_nothing_but_its_command_line() {
    let sources = sources();
    let main = sources.iter().find(|source| source.module == "main").unwrap();
    let code = main.code();
    let uses: Vec<&str> = code.match_indices("dockeropt::").map(|(at, mark)| &code[at + mark.len()..]).collect();
    assert!(!uses.is_empty() && uses.iter().all(|rest| rest.starts_with("cli::")), "{code}");
}

/// All below is pure: text in, text out. The build context alone is read from the disk, and git asked, by `context`; engines are run,
/// with what they read in folders of our own, by `builder`.
#[test]
fn only_the_command_line_reads_writes_and_prints() {
    const PRINTS: &[&str] = &["println!", "print!(", "dbg!(", "std::net"];
    const READS: &[&str] = &["std::fs", "std::env", "std::process", "std::io"];
    const WRITES: &[&str] = &["fs::write", "File::create", "fs::remove", "fs::rename", "create_dir", "set_permissions"];
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !matches!(source.module.as_str(), "cli" | "main")) {
        // Tests make folders to read.
        let whole = source.code();
        let code = whole.split("#[cfg(test)]").next().unwrap();
        let outside = match source.module.as_str() {
            "context" => WRITES,
            "builder" => &[],
            _ => READS,
        };
        let found = PRINTS.iter().chain(outside).filter(|what| code.contains(**what));
        wrong.extend(found.map(|what| format!("{}: {what}", source.path.display())));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A transform asks the ecosystems; it knows none by name.
#[test]
fn no_transform_names_a_package_manager() {
    let ids: Vec<&str> = ecosystems::all().iter().map(|ecosystem| ecosystem.id()).collect();
    assert!(ids.len() >= 24, "{ids:?}");
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.module == "transforms") {
        let code = source.code();
        for id in ids.iter().filter(|id| code.contains(&format!("\"{id}\""))) {
            wrong.push(format!("{}: \"{id}\"", source.path.display()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_rule_knows_another() {
    let sources = sources();
    let of =
        |source: &Source| source.path.with_extension("").components().nth(1).unwrap().as_os_str().to_str().unwrap().to_owned();
    let transforms: Vec<&Source> =
        sources.iter().filter(|source| source.module == "transforms" && !SHARED.contains(&of(source).as_str())).collect();
    let names: BTreeSet<String> = transforms.iter().map(|source| of(source)).collect();
    assert!(names.len() >= 2, "{names:?}");
    for source in transforms {
        let code = source.code();
        for other in names.iter().filter(|other| **other != of(source)) {
            let knows = code.contains(&format!("{other}::")) || code.contains(&format!("\"{}\"", other.replace('_', "-")));
            assert!(!knows, "{} knows {other}", source.path.display());
        }
    }
}

#[test]
fn files_are_of_a_size_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for source in sources() {
        let (path, lines) = (source.path.display(), source.text.lines().count());
        if lines > MOST_LINES {
            wrong.push(format!("{path}: {lines} lines, more than {MOST_LINES}"));
        }
        if !source.text.starts_with("//!") {
            wrong.push(format!("{path}: it does not begin with what it is (//!)"));
        }
        let names = source.path.with_extension("");
        let bad = names.components().filter_map(|part| part.as_os_str().to_str()).find(|part| NO_NAMES.contains(part));
        if let Some(name) = bad {
            wrong.push(format!("{path}: `{name}` says nothing of what is in it"));
        }
        let inner = source.code();
        for name in
            NO_NAMES.iter().filter(|name| inner.contains(&format!("mod {name} {{")) || inner.contains(&format!("mod {name};")))
        {
            wrong.push(format!("{path}: a module called {name}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
