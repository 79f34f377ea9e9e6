//! Which `pyproject.toml` files make up the project that uv works on, and what its lock says of local packages.
//!
//! Owns: finding the project and its workspace, the members, and the lock's local packages. Never does: know a command.
//!
//! Facts: uv's manual (Workspaces) and runs of 0.13.8: the nearest `pyproject.toml` upwards is the project, a further one whose
//! `members` match is the workspace; with `--frozen` only the root's manifest, the project's own and the lock are read.

use crate::ecosystems::python_project::{at, has_dynamic_dependencies, has_dynamic_version, list_at, parsed, tables, text_at};
use crate::ecosystems::reading::{Reading, line_of, needs_source, not_seen, parent, within};
use crate::ecosystems::{Entangled, Found};
use std::sync::Arc;
use toml_edit::DocumentMut;

/// The project in sight of a command.
pub(super) struct Workspace {
    /// The folder of the workspace's root (of the project itself where there is none).
    pub(super) root: String,
    /// The folder of the project that the command is about.
    pub(super) project: String,
    /// The root's manifest.
    pub(super) manifest: DocumentMut,
    /// The project's own.
    pub(super) own: DocumentMut,
}

/// A package that the lock takes from the project.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) name: String,
    /// Absolute.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// The lock tells its version.
    pub(super) has_version: bool,
    pub(super) is_member: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Built from a folder.
    Source,
    /// Not installed itself.
    Virtual,
    /// An archive.
    Archive,
}

impl Workspace {
    /// Finds the project from a folder upwards, and takes its manifest and the root's.
    pub(super) fn find(reading: &mut Reading, start: &str) -> Result<Self, Entangled> {
        let project = nearest(reading, start)?;
        let (own, _) = manifest(reading, &project)?;
        if at(&own, "tool.uv.workspace").is_none() {
            for folder in upwards(parent(&project)) {
                let path = within(&folder, "pyproject.toml");
                let Some(text) = reading.peek(&path)? else { continue };
                let document = parsed(&text, &reading.name(&path))?;
                if at(&document, "tool.uv.workspace").is_some() && is_member(&document, &folder, &project) {
                    reading.take(&path)?;
                    return Ok(Self { root: folder, project, manifest: document, own });
                }
            }
        }
        Ok(Self { root: project.clone(), project, manifest: own.clone(), own })
    }

    /// Takes the manifests of all members: a lock is only checked against all of them.
    pub(super) fn take_members(&self, reading: &mut Reading) -> Result<(), Entangled> {
        let excluded = list_at(&self.manifest, "tool.uv.workspace.exclude");
        for pattern in list_at(&self.manifest, "tool.uv.workspace.members") {
            for folder in matching(reading, &self.root, pattern)? {
                let below = folder.strip_prefix(&format!("{}/", self.root)).unwrap_or(&folder);
                if !excluded.iter().any(|pattern| matches_path(pattern, below)) {
                    reading.take_if_there(&within(&folder, "pyproject.toml"));
                }
            }
        }
        Ok(())
    }

    /// The local packages of the lock.
    pub(super) fn locals(&self, lock: &str, name: &str) -> Result<Vec<Local>, Entangled> {
        let lock = parsed(lock, name)?;
        let members = list_at(&lock, "manifest.members");
        let mut locals = Vec::new();
        for package in at(&lock, "package").map(tables).unwrap_or_default() {
            let text = |key: &str| package.get(key).and_then(toml_edit::Item::as_str);
            let source = |key: &str| package.get("source").and_then(|source| source.get(key)).and_then(toml_edit::Item::as_str);
            let kinds =
                [("editable", Kind::Source), ("directory", Kind::Source), ("virtual", Kind::Virtual), ("path", Kind::Archive)];
            let Some((kind, path)) = kinds.iter().find_map(|(key, kind)| Some((*kind, source(key)?))) else { continue };
            let package_name = text("name").unwrap_or_default();
            locals.push(Local {
                name: package_name.to_owned(),
                path: within(&self.root, path),
                kind,
                has_version: text("version").is_some(),
                is_member: members.contains(&package_name) || members.is_empty() && path == ".",
            });
        }
        Ok(locals)
    }

    /// Whether the project itself is installed, by its manifest alone.
    pub(super) fn is_package(&self) -> bool {
        match at(&self.own, "tool.uv.package").and_then(toml_edit::Item::as_bool) {
            Some(said) => said,
            None => at(&self.own, "build-system").is_some() && at(&self.own, "project").is_some(),
        }
    }
}

/// Refuses a manifest that must be built to tell what it needs. `locked_version`: `None` without a lock.
pub(super) fn static_manifest(reading: &mut Reading, folder: &str, locked_version: Option<bool>) -> Result<(), Entangled> {
    let (document, text) = manifest(reading, folder)?;
    let name = reading.name(&within(folder, "pyproject.toml"));
    let place = |needle: &str| format!("{name}{}", line_of(&text, needle));
    let cure = "uv builds it to check the lock, unless it is told `--frozen`";
    if at(&document, "project").is_none() {
        return match at(&document, "tool.uv.workspace") {
            Some(_) => Ok(()),
            None => Err(needs_source(format!("{name} has no [project], so {cure}"))),
        };
    }
    if has_dynamic_dependencies(&document) {
        return Err(needs_source(format!("{}: the dependencies are dynamic, so {cure}", place("dynamic"))));
    }
    if has_dynamic_version(&document) && locked_version != Some(false) {
        return Err(needs_source(format!("{}: the version is dynamic, so {cure}", place("dynamic"))));
    }
    Ok(())
}

fn manifest(reading: &mut Reading, folder: &str) -> Result<(DocumentMut, Arc<str>), Entangled> {
    let path = within(folder, "pyproject.toml");
    let text = reading.required(&path)?;
    Ok((parsed(&text, &reading.name(&path))?, text))
}

fn nearest(reading: &Reading, start: &str) -> Result<String, Entangled> {
    for folder in upwards(start) {
        match reading.project.look(&within(&folder, "pyproject.toml")) {
            Found::File => return Ok(folder),
            Found::Unknown => break,
            Found::Nothing | Found::Folder => {}
        }
    }
    Err(not_seen(format!("{} does not come with the source", reading.name(&within(start, "pyproject.toml")))))
}

/// A folder and those above it.
pub(super) fn upwards(folder: &str) -> Vec<String> {
    let mut folders = vec![folder.to_owned()];
    let mut folder = folder;
    while folder != "/" {
        folder = parent(folder);
        folders.push(folder.to_owned());
    }
    folders
}

fn is_member(root: &DocumentMut, folder: &str, project: &str) -> bool {
    let prefix = if folder == "/" { "/".to_owned() } else { format!("{folder}/") };
    let Some(below) = project.strip_prefix(&prefix) else { return false };
    let matches = |key: &str| list_at(root, key).iter().any(|pattern| matches_path(pattern, below));
    matches("tool.uv.workspace.members") && !matches("tool.uv.workspace.exclude")
}

/// The folders below `root` that a member's pattern names.
fn matching(reading: &Reading, root: &str, pattern: &str) -> Result<Vec<String>, Entangled> {
    let mut folders = vec![root.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part.contains(['[', ']', '{']) || part == "**" {
            return Err(not_seen(format!("which folders the workspace's `{pattern}` stands for is not known")));
        }
        let below = |folder: &String| -> Vec<String> {
            if !part.contains(['*', '?']) {
                return vec![within(folder, part)];
            }
            let names = reading.project.names(folder).into_iter().filter(|name| matches_part(part, name));
            names.map(|name| within(folder, &name)).collect()
        };
        folders = folders.iter().flat_map(below).collect();
    }
    Ok(folders)
}

fn matches_path(pattern: &str, path: &str) -> bool {
    let parts =
        |text: &str| text.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect::<Vec<_>>();
    let (pattern, path) = (parts(pattern), parts(path));
    if pattern.iter().any(|part| part == "**") {
        let front: Vec<_> = pattern.iter().take_while(|part| *part != "**").collect();
        return front.len() <= path.len() && front.iter().zip(&path).all(|(pattern, name)| matches_part(pattern, name));
    }
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(pattern, name)| matches_part(pattern, name))
}

/// `*` and `?` within one name.
fn matches_part(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = pattern.get(1..).unwrap_or_default();
            name.char_indices()
                .map(|(at, _)| at)
                .chain([name.len()])
                .any(|at| matches_part(rest, name.get(at..).unwrap_or_default()))
        }
        Some(first) => {
            let mut letters = name.chars();
            let fits = letters.next().is_some_and(|letter| first == '?' || first == letter);
            fits && matches_part(pattern.get(first.len_utf8()..).unwrap_or_default(), letters.as_str())
        }
    }
}

/// Names of a local package's source, for a reason.
pub(super) fn described(manifest: &DocumentMut) -> String {
    text_at(manifest, "project.name").unwrap_or("the project").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_parts() {
        for (pattern, path, expected) in [
            ("packages/*", "packages/a", true),
            ("packages/*", "packages/a/b", false),
            ("./lib-?", "lib-a", true),
            ("**", "a/b", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
        ] {
            assert_eq!(matches_path(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn upwards_ends_at_the_top() {
        assert_eq!(upwards("/a/b"), ["/a/b", "/a", "/"]);
    }
}
