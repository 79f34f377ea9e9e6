//! Which folder a Dockerfile's COPY sources point to.
//!
//! Owns: the guess where no build file says it. Never does: read a Dockerfile: its sources are handed over.

use super::claim::{folder_of, name_of};
use crate::context::{View, glob};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What can be said of a Dockerfile's context from its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// This folder, because files that are copied lie there.
    Shown(String),
    /// The Dockerfile's own folder, since nothing speaks against it.
    Own(String),
    /// None, and why.
    Open(String),
}

/// The sources as far as they say something, and a repository's folders.
#[derive(Debug)]
pub(super) struct Evidence {
    view: View,
    /// The root of a repository; else it is any folder.
    is_repository: bool,
    folders: Mutex<HashMap<String, Look>>,
    /// Whether a source lies in a folder, by both.
    held: Mutex<HashMap<(String, String), bool>>,
}

/// What a folder's names say of it.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// It holds Dockerfiles and what goes with them, and no more.
    only_dockerfiles: bool,
    /// It holds a file by which a project is known.
    is_project: bool,
}

/// Files by which a project is known, in whatever language.
const PROJECTS: [&str; 24] = [
    "Cargo.toml",
    "CMakeLists.txt",
    "Gemfile",
    "Package.swift",
    "Pipfile",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "composer.json",
    "configure.ac",
    "deno.json",
    "deps.edn",
    "environment.yml",
    "go.mod",
    "go.work",
    "meson.build",
    "mix.exs",
    "package.json",
    "pom.xml",
    "pubspec.yaml",
    "pyproject.toml",
    "rebar.config",
    "requirements.txt",
    "setup.py",
];

impl Evidence {
    pub(super) fn new(view: View, is_repository: bool) -> Self {
        Self { view, is_repository, folders: Mutex::default(), held: Mutex::default() }
    }

    /// Whether all sources that lie anywhere lie in this folder.
    pub(super) fn fits(&self, folder: &str, sources: &[String]) -> bool {
        telling(sources).all(|source| self.holds(folder, &source))
    }

    fn holds(&self, folder: &str, source: &str) -> bool {
        // Patterns go through all names of a folder, and many Dockerfiles name the same.
        let key = (folder.to_owned(), source.to_owned());
        let known = self.held.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        known.unwrap_or_else(|| {
            let holds = !self.view.expand_in(folder, source).is_empty();
            self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(key, holds);
            holds
        })
    }

    /// The folder that fits: the Dockerfile's own or one above it.
    pub(super) fn guess(&self, dockerfile: &str, sources: &[String]) -> Guess {
        let own = folder_of(dockerfile);
        let candidates = candidates(own);
        let told: Vec<String> = telling(sources).collect();
        // What lies nowhere is made by the build's surroundings, and tells nothing.
        let (found, missing): (Vec<&String>, Vec<&String>) =
            told.iter().partition(|source| candidates.iter().any(|folder| self.holds(folder, source)));
        if found.is_empty() {
            return self.without_evidence(own, sources, &missing);
        }
        let (patterns, names): (Vec<&String>, Vec<&String>) =
            found.into_iter().partition(|source| glob::split(source).1.is_some());
        let holds = |folder: &str, sources: &[&String]| sources.iter().all(|source| self.holds(folder, source));
        let all = |folder: &&&str| holds(folder, &names) && holds(folder, &patterns);
        // A pattern may stand for nothing, so long as names are there to tell.
        let some = |folder: &&&str| !names.is_empty() && holds(folder, &names);
        for fits in [&all as &dyn Fn(&&&str) -> bool, &some] {
            let fitting: Vec<&&str> = candidates.iter().filter(fits).collect();
            match fitting.as_slice() {
                [] => {}
                [first, ..] if **first == own => return Guess::Shown(own.to_owned()),
                [only] => return Guess::Shown((**only).to_owned()),
                [first, second, ..] => {
                    let because = format!("its COPY sources lie in {} and in {}", shown(first), shown(second));
                    return Guess::Open(because);
                }
            }
        }
        Guess::Open(format!("its COPY sources ({}) lie together in no folder", list(&told)))
    }

    /// None of the sources lies anywhere, or they fit everywhere.
    fn without_evidence(&self, own: &str, sources: &[String], missing: &[&String]) -> Guess {
        if own.is_empty() && self.is_repository {
            return Guess::Own(own.to_owned());
        }
        let look = self.look(own);
        let other = candidates(own).into_iter().skip(1).find(|folder| self.look(folder).is_project);
        let copies = if sources.is_empty() { "nothing" } else { "its whole context" };
        match (missing.is_empty(), other) {
            (true, _) if look.only_dockerfiles => {
                Guess::Open(format!("it copies {copies}, and {} holds no more than Dockerfiles", shown(own)))
            }
            (true, Some(other)) if !look.is_project => {
                Guess::Open(format!("it copies {copies}, and it may be built in {} or {}", shown(own), shown(other)))
            }
            (true, _) => Guess::Own(own.to_owned()),
            (false, None) if look.is_project => Guess::Own(own.to_owned()),
            (false, _) => {
                let names: Vec<String> = missing.iter().map(|source| (*source).clone()).collect();
                Guess::Open(format!("its COPY sources ({}) lie neither beside it nor in a folder above", list(&names)))
            }
        }
    }

    fn look(&self, folder: &str) -> Look {
        let known = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(folder).copied();
        known.unwrap_or_else(|| {
            let names = self.view.names(folder);
            let is_project =
                |name: &String| PROJECTS.contains(&name.as_str()) || name.ends_with(".csproj") || name.ends_with(".sln");
            let look = Look {
                only_dockerfiles: names.iter().all(|name| goes_with_dockerfiles(name)),
                is_project: names.iter().any(is_project),
            };
            self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), look);
            look
        })
    }
}

fn goes_with_dockerfiles(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["dockerfile", "containerfile", "dockerignore", "compose", "docker-bake", "readme", "makefile"]
        .iter()
        .any(|word| name.contains(word))
}

/// The sources that fit not everywhere, cleaned.
fn telling(sources: &[String]) -> impl Iterator<Item = String> {
    let is_local = |source: &&String| !source.contains(['$', '<']) && !source.contains("://") && !source.starts_with("git@");
    let cleaned = sources.iter().filter(is_local).map(|source| glob::clean(source));
    cleaned.filter(|source| !matches!(source.as_str(), "" | "*" | "**"))
}

/// A folder and those above it, up to the root.
fn candidates(own: &str) -> Vec<&str> {
    let mut folders = vec![own];
    let mut folder = own;
    while !folder.is_empty() {
        folder = folder_of(folder);
        folders.push(folder);
    }
    folders
}

/// A folder for people.
pub(super) fn shown(folder: &str) -> String {
    if folder.is_empty() { "the repository's root".to_owned() } else { format!("{folder}/") }
}

fn list(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    if names.len() > shown.len() {
        shown.push("…");
    }
    shown.join(", ")
}

/// Whether a file may be a Dockerfile by its name: for what is read beside it.
pub(super) fn looks_like_dockerfile(file: &str) -> bool {
    let name = name_of(file).to_ascii_lowercase();
    name.contains("dockerfile") || name.contains("containerfile")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(files: &[&str], dockerfile: &str, sources: &[&str]) -> Guess {
        let view = View::of_files(files.iter().map(|file| (*file, None)));
        let sources: Vec<String> = sources.iter().map(|source| (*source).to_owned()).collect();
        Evidence::new(view, true).guess(dockerfile, &sources)
    }

    #[test]
    fn the_sources_show_the_context() {
        let files = [
            "a/b/Dockerfile",
            "a/b/app.py",
            "a/setup.py",
            "setup.py",
            "src/x",
            "a/b/lib/y",
            "d/Dockerfile",
            "d/README.md",
            "e/Dockerfile",
            "e/f",
            "p/go.mod",
            "p/x/run",
        ];
        let shown = |folder: &str| Guess::Shown(folder.to_owned());
        for (sources, expected) in [
            (vec!["app.py"], shown("a/b")),
            (vec!["./app.py", ".", "https://x/y", "$X"], shown("a/b")),
            (vec!["src/"], shown("")),
            (vec!["src", "app.py"], Guess::Open("its COPY sources (src, app.py) lie together in no folder".to_owned())),
            (vec!["setup.py"], Guess::Open("its COPY sources lie in a/ and in the repository's root".to_owned())),
            (vec!["lib", "setup*"], shown("a/b")),
            (vec!["b/app.py"], shown("a")),
            (vec!["app.py", "dist"], shown("a/b")),
            (vec!["dist"], Guess::Open("its COPY sources (dist) lie neither beside it nor in a folder above".to_owned())),
            (vec!["."], Guess::Open("it copies its whole context, and it may be built in a/b/ or a/".to_owned())),
            (vec![], Guess::Open("it copies nothing, and it may be built in a/b/ or a/".to_owned())),
        ] {
            assert_eq!(guess(&files, "a/b/Dockerfile", &sources), expected, "{sources:?}");
        }
        assert!(matches!(guess(&files, "d/Dockerfile", &["."]), Guess::Open(_)));
        assert!(matches!(guess(&files, "e/Dockerfile", &["."]), Guess::Open(_)), "the project lies above");
        assert_eq!(guess(&files, "p/Dockerfile", &["."]), Guess::Own("p".to_owned()));
        assert_eq!(guess(&["e/f", "e/go.mod", "g/h"], "e/Dockerfile", &["bin/x"]), Guess::Own("e".to_owned()));
        assert_eq!(guess(&["e/f", "g/h"], "g/Dockerfile", &["."]), Guess::Own("g".to_owned()));
        assert_eq!(guess(&files, "Dockerfile", &["dist"]), Guess::Own(String::new()));
    }
}
