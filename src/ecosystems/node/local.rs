//! Packages that a project asks for by a path of its own: `file:`, `link:`, `portal:`, `patch:`, plain paths, archives.
//!
//! Owns: which files such a request reads. Never does: know which manager asks; it says what `file:` means to it.

use super::Manifest;
use super::reading::{Reading, is_below, join, needs_source, not_seen};
use crate::ecosystems::{Entangled, Found};

/// What a manager makes of a local folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// It is linked: only its manifest is read.
    Linked,
    /// Its files are copied to node_modules (or hard-linked there, as they are at that moment).
    Copied,
}

/// How a manager reads local requests.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// `file:` and plain paths to a folder.
    pub(crate) file: Folder,
    /// Whether `link:` means a folder, and its manifest is read. Bun's is a name.
    pub(crate) link_reads_manifest: bool,
}

/// Adds what the manifests ask for by path, and what those packages ask for in turn. Returns the manifests of the local packages
/// that are no members of the workspace.
pub(crate) fn read(reading: &mut Reading<'_>, manifests: &[Manifest], rules: Rules) -> Result<Vec<Manifest>, Entangled> {
    let folders = manifests.iter().map(|manifest| manifest.folder.clone()).collect();
    let mut search = Search { reading, rules, folders, found: Vec::new() };
    for manifest in manifests {
        search.manifest(manifest)?;
    }
    // Each turn adds folders that were not known, so it ends.
    let mut done = Vec::new();
    while !search.found.is_empty() {
        for manifest in std::mem::take(&mut search.found) {
            search.manifest(&manifest)?;
            done.push(manifest);
        }
    }
    Ok(done)
}

struct Search<'r, 'p> {
    reading: &'r mut Reading<'p>,
    rules: Rules,
    /// Those that were seen.
    folders: Vec<String>,
    /// Manifests that were not followed yet.
    found: Vec<Manifest>,
}

impl Search<'_, '_> {
    fn manifest(&mut self, manifest: &Manifest) -> Result<(), Entangled> {
        let named = manifest.dependencies().map(|(_, name, spec)| (name, spec));
        let overrides = manifest.overrides().into_iter().map(|spec| ("", spec));
        for (name, spec) in named.chain(overrides) {
            match request(spec) {
                Request::Registry => {}
                Request::Exec => {
                    let place = manifest.place(self.reading, name);
                    return Err(needs_source(format!("{place}: {spec} runs a program of the project")));
                }
                Request::Patches(patches) => {
                    for patch in patches {
                        let path = match patch.strip_prefix("~/") {
                            Some(below) => join(self.reading.root(), below),
                            None => join(&manifest.folder, patch),
                        };
                        self.reading.required(&path, "the patch in package.json")?;
                    }
                }
                Request::Path { path, how } => {
                    let place = manifest.place(self.reading, name);
                    self.local(&join(&manifest.folder, path), how, &place)?;
                }
            }
        }
        Ok(())
    }

    fn local(&mut self, path: &str, how: How, place: &str) -> Result<(), Entangled> {
        if self.folders.iter().any(|known| known == path) {
            return Ok(());
        }
        let name = self.reading.name(path).to_owned();
        match (self.reading.project().look(path), how) {
            (Found::File, _) => {
                self.reading.optional(path);
                return Ok(());
            }
            (Found::Folder, _) => {}
            // A link may lead nowhere.
            (Found::Nothing, How::Link) => return Ok(()),
            (Found::Nothing | Found::Unknown, _) => {
                return Err(not_seen(format!(
                    "{place}: {name} comes with no copy: it is not in the build context, or the ignore file names it"
                )));
            }
        }
        self.folders.push(path.to_owned());
        let copied = how == How::File && self.rules.file == Folder::Copied;
        if copied && is_below(self.reading.root(), path) {
            return Err(needs_source(format!("{place}: {name} is the project itself, which would be copied")));
        }
        let reads_manifest = how != How::Link || self.rules.link_reads_manifest;
        if !reads_manifest || !self.reading.is_file(&join(path, "package.json")) {
            return match copied || how == How::Portal {
                true => Err(not_seen(format!("{place}: {name} has no package.json"))),
                false => Ok(()),
            };
        }
        let manifest = if copied {
            self.reading.optional_folder(path);
            Manifest::at(self.reading, path)?
        } else {
            Manifest::read(self.reading, path, place)?
        };
        self.found.push(manifest);
        Ok(())
    }
}

/// By which word a path is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    File,
    Link,
    Portal,
}

#[derive(Debug, PartialEq, Eq)]
enum Request<'s> {
    /// A registry, an archive on the net, a repository, a member of the workspace: nothing of the project but manifests.
    Registry,
    Path {
        path: &'s str,
        how: How,
    },
    Patches(Vec<&'s str>),
    Exec,
}

fn request(spec: &str) -> Request<'_> {
    let path = |path, how| Request::Path { path, how };
    if let Some(rest) = spec.strip_prefix("file:") {
        return path(rest.trim_start_matches("//").split("::").next().unwrap_or(rest), How::File);
    }
    if let Some(rest) = spec.strip_prefix("link:") {
        return path(rest.split("::").next().unwrap_or(rest), How::Link);
    }
    if let Some(rest) = spec.strip_prefix("portal:") {
        return path(rest.split("::").next().unwrap_or(rest), How::Portal);
    }
    if let Some(rest) = spec.strip_prefix("patch:") {
        let files = rest.split_once('#').map_or("", |(_, files)| files).split("::").next().unwrap_or_default();
        let files = files.split('&').map(|file| file.trim_start_matches("optional!"));
        return Request::Patches(files.filter(|file| !file.is_empty() && !file.contains("builtin<")).collect());
    }
    if spec.starts_with("exec:") {
        return Request::Exec;
    }
    let archive = [".tgz", ".tar.gz", ".tar"].iter().any(|end| spec.ends_with(end)) && !spec.contains("://");
    if spec.starts_with(['.', '/']) || archive && !spec.contains(':') {
        return path(spec, How::File);
    }
    Request::Registry
}

/// Whether a word on the command line means a package of the project's own.
pub(crate) fn is_local(word: &str) -> bool {
    request(word) != Request::Registry || word.starts_with("~/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::Files;

    #[test]
    fn requests() {
        for plain in ["^1.0.0", "workspace:*", "npm:x@1", "user/repo", "git+ssh://x/y.git", "https://x.org/a.tgz", "catalog:"] {
            assert_eq!(request(plain), Request::Registry, "{plain}");
        }
        assert_eq!(request("file:../a"), Request::Path { path: "../a", how: How::File });
        assert_eq!(request("./a.tgz"), Request::Path { path: "./a.tgz", how: How::File });
        assert_eq!(request("vendor/a.tgz"), Request::Path { path: "vendor/a.tgz", how: How::File });
        assert_eq!(
            request("patch:x@npm%3A1.0.0#~/.yarn/patches/x.patch&optional!./y.patch::version=1"),
            Request::Patches(vec!["~/.yarn/patches/x.patch", "./y.patch"])
        );
        assert_eq!(request("patch:typescript@^4#~builtin<compat/typescript>"), Request::Patches(Vec::new()));
    }

    fn files_of(project: &Files, file: Folder) -> Result<(Vec<String>, Vec<String>), Entangled> {
        let mut reading = Reading::new(project, Files::ROOT);
        let root = Manifest::read(&mut reading, Files::ROOT, "x")?;
        read(&mut reading, &[root], Rules { file, link_reads_manifest: true })?;
        let answer = reading.finish();
        Ok((answer.files, answer.folders))
    }

    #[test]
    fn local_packages_are_followed() {
        let project = Files::new(&[
            ("package.json", r#"{"dependencies": {"a": "file:libs/a", "z": "file:z.tgz"}}"#),
            ("libs/a/package.json", r#"{"dependencies": {"b": "file:../b"}}"#),
            ("libs/a/index.js", ""),
            ("libs/b/package.json", "{}"),
            ("z.tgz", ""),
        ]);
        let (files, folders) = files_of(&project, Folder::Linked).unwrap();
        assert_eq!(files, ["/app/libs/a/package.json", "/app/libs/b/package.json", "/app/package.json", "/app/z.tgz"]);
        assert!(folders.is_empty());
        let (files, folders) = files_of(&project, Folder::Copied).unwrap();
        assert_eq!(
            (files, folders),
            (vec!["/app/package.json".into(), "/app/z.tgz".into()], vec!["/app/libs/a".to_owned(), "/app/libs/b".into()])
        );
    }

    #[test]
    fn what_is_missing_or_is_the_project_is_refused() {
        let one = |spec: &str| {
            let text = format!("{{\n\"dependencies\": {{\n\"a\": \"{spec}\"}}}}");
            files_of(&Files::new(&[("package.json", &text)]), Folder::Copied)
        };
        let because = one("file:gone").unwrap_err().to_string();
        assert!(because.starts_with("package.json:3: gone comes with no copy"), "{because}");
        assert!(one("file:.").is_ok(), "the folder is known already");
        assert!(matches!(one("exec:./make.js"), Err(Entangled::NeedsSource { .. })));
        assert!(one("link:gone").is_ok());
    }
}
