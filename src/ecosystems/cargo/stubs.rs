//! Sources that do nothing, in the place of the real ones.
//!
//! Owns: the shell text that lays them out and takes them away again. Never does: know what a target is; [`super::crates`] does.
//!
//! In a workspace of many crates side by side the library of each is written by a loop, so that a new crate needs no new word. It also
//! gives a library to those that have none: Cargo builds an empty one more, and `cargo clean` takes that away with the rest.

use crate::ecosystems::gathered::{Gathered, join, parent};
use crate::ecosystems::{Found, first_half};
use std::collections::{BTreeMap, BTreeSet};

/// What a stub holds: nothing that a lint could mind, and a `main` for those that need one.
const STUB: &str = "echo '#![doc = \"stub\"] #![allow(dead_code)] fn main() {}'";

/// So many stubs are read over as a list.
const FEW: usize = 12;

/// So many crates side by side are worth a loop, and so many folders alike a pattern.
const ENOUGH: usize = 4;

const LIBRARY: &str = "src/lib.rs";

pub(super) struct Stubs {
    /// All of them, by their paths.
    pub(super) all: Vec<String>,
    /// Folders with crates in them, each of which gets a library.
    nests: Vec<String>,
    /// Folders that are made.
    folders: BTreeSet<String>,
    /// Stubs that are named.
    files: Vec<String>,
    /// What removes them all.
    removes: BTreeSet<String>,
}

impl Stubs {
    /// For these targets of the crates in these folders; `gathered` is what lies there without them.
    pub(super) fn new(targets: &BTreeSet<String>, crates: &BTreeSet<String>, gathered: &Gathered<'_>) -> Self {
        let nests = if targets.len() > FEW { nests(targets, crates, gathered) } else { BTreeMap::new() };
        let nested = || nests.values().flatten();
        let libraries: BTreeSet<String> = nested().map(|folder| join(folder, LIBRARY)).collect();
        let sources: BTreeSet<String> = nested().map(|folder| join(folder, "src")).collect();
        let all: BTreeSet<&String> = targets.iter().chain(&libraries).collect();
        let shown = |path: &str| first_half::quoted(gathered.shown(path));
        let mut stubs = Self {
            all: all.iter().map(|path| (*path).clone()).collect(),
            nests: nests.keys().map(|nest| shown(nest)).collect(),
            folders: BTreeSet::new(),
            files: targets.iter().filter(|target| !libraries.contains(*target)).map(|target| shown(target)).collect(),
            removes: BTreeSet::new(),
        };
        let mut removes = BTreeSet::new();
        for target in all {
            let mut remove = target.as_str();
            while !gathered.holds_any(parent(remove)) {
                remove = parent(remove);
            }
            if remove != target && !sources.contains(parent(target)) {
                stubs.folders.insert(shown(parent(target)));
            }
            removes.insert(remove);
        }
        stubs.removes = removed(&removes, &nests, gathered);
        stubs
    }

    /// A command with stubs in place while it runs.
    pub(super) fn around(&self, command: &str) -> String {
        let join = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        let library = |nest: &String| {
            format!("for crate in {nest}/*/; do mkdir -p \"${{crate}}src\"; {STUB} > \"${{crate}}{LIBRARY}\"; done")
        };
        let mut parts: Vec<String> = self.nests.iter().map(library).collect();
        if !self.folders.is_empty() {
            parts.push(format!("mkdir -p {}", join(&self.folders)));
        }
        match self.files.as_slice() {
            [] => {}
            [file] => parts.push(format!("{STUB} > {file}")),
            files => parts.push(format!("{STUB} | tee {} > /dev/null", files.join(" "))),
        }
        parts.push(command.to_owned());
        parts.push(format!("rm -r {}", join(&self.removes)));
        parts.join(" && ")
    }
}

/// The folders in which only crates lie that mostly have a library, each with those.
fn nests<'c>(
    targets: &BTreeSet<String>,
    crates: &'c BTreeSet<String>,
    gathered: &Gathered<'_>,
) -> BTreeMap<&'c str, Vec<&'c String>> {
    let mut nests: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for folder in crates {
        nests.entry(parent(folder)).or_default().push(folder);
    }
    nests.retain(|nest, crates| {
        let is_below = gathered.shown(nest) != *nest;
        let has_library = |folder: &&&String| targets.contains(&join(folder, LIBRARY));
        let only_crates = gathered
            .project
            .names(nest)
            .iter()
            .map(|name| join(nest, name))
            .all(|path| gathered.project.look(&path) != Found::Folder || crates.iter().any(|folder| **folder == path));
        let with_library = crates.iter().filter(has_library).count();
        is_below && only_crates && with_library >= ENOUGH && with_library * 3 >= crates.len() * 2
    });
    nests
}

/// The words that remove these paths: what lies alike in many crates by one pattern.
fn removed(paths: &BTreeSet<&str>, nests: &BTreeMap<&str, Vec<&String>>, gathered: &Gathered<'_>) -> BTreeSet<String> {
    let place = |path: &str| {
        nests.iter().find_map(|(nest, crates)| {
            let folder = crates.iter().find(|folder| path.starts_with(&format!("{folder}/")))?;
            let rest = path.get(folder.len() + 1..)?;
            // A pattern must not take away what was copied.
            let is_ours = crates.iter().all(|folder| !gathered.holds_any(&join(folder, rest)));
            is_ours.then(|| (*nest, rest.to_owned()))
        })
    };
    let mut alike: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for place in paths.iter().filter_map(|path| place(path)) {
        *alike.entry(place).or_default() += 1;
    }
    let word = |path: &&str| match place(path).filter(|place| alike.get(place).is_some_and(|count| *count >= ENOUGH)) {
        Some((nest, rest)) => format!("{}/*/{}", first_half::quoted(gathered.shown(nest)), first_half::quoted(&rest)),
        None => first_half::quoted(gathered.shown(path)),
    };
    paths.iter().map(word).collect()
}
