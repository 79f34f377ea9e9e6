//! Project files as MSBuild reads them for a restore: imports, references to other projects, settings that move folders.
//!
//! Owns: following these through the project's files. Never does: evaluate conditions; what may be read is read.
//!
//! Both branches of a condition are followed, so more files may be named than one build reads. A path is resolved as far as
//! properties with one literal value go; any other is refused. Items below `Target` play no part: targets run after evaluation.
//!
//! Sources: the MSBuild reference (well-known properties, imports, customising by folder, property functions), NuGet's reference
//! of the restore target and of lock files.

use crate::ecosystems::gathered::{Gathered, find_upward, join, not_seen, parent};
use crate::ecosystems::{Entangled, Found};
use roxmltree::{Document, Node};
use std::collections::{BTreeSet, HashMap};

/// What MSBuild imports by itself from the project's folder or the nearest one above it.
const BY_ITSELF: &[&str] =
    &["Directory.Build.props", "Directory.Packages.props", "Directory.Build.targets", "Directory.Build.rsp"];

/// Properties that point into the SDK or the packages folder.
#[rustfmt::skip] // A paragraph, not a column.
const OF_THE_SDK: &[&str] = &[
    "MSBuildExtensionsPath", "MSBuildExtensionsPath32", "MSBuildExtensionsPath64", "MSBuildToolsPath", "MSBuildBinPath",
    "MSBuildSDKsPath", "VSToolsPath", "NuGetPackageRoot", "MSBuildToolsVersion", "VisualStudioVersion", "FSharpTargetsPath",
    "CustomBeforeMicrosoftCommonTargets", "CustomAfterMicrosoftCommonTargets", "CSharpCoreTargetsPath",
];

/// Kinds of projects whose restore is known. Docker Compose projects and shared ones have nothing to restore but must be there.
const KINDS: &[&str] = &["csproj", "fsproj", "vbproj", "proj", "dcproj", "shproj"];

/// The closure of some projects.
#[derive(Default)]
pub(super) struct Closure {
    projects: BTreeSet<String>,
    waiting: Vec<String>,
    /// Folders that the restore fills.
    pub(super) makes: BTreeSet<String>,
    /// A reference that names no fixed version.
    pub(super) unpinned: Option<String>,
    /// The restore may not change lock files.
    pub(super) is_locked: bool,
}

impl Closure {
    /// Adds a project and all that it refers to.
    pub(super) fn add(&mut self, project: &str, why: &str, gathered: &mut Gathered) -> Result<(), Entangled> {
        self.wait(project, why, gathered)?;
        while let Some(project) = self.waiting.pop() {
            Evaluation { closure: self, gathered, folder: parent(&project), properties: HashMap::new(), seen: BTreeSet::new() }
                .project(&project)?;
        }
        Ok(())
    }

    /// The projects, each by its path.
    pub(super) fn projects(&self) -> impl Iterator<Item = &str> {
        self.projects.iter().map(String::as_str)
    }

    fn wait(&mut self, project: &str, why: &str, gathered: &mut Gathered) -> Result<(), Entangled> {
        let kind = project.rsplit('.').next().unwrap_or_default();
        if !KINDS.contains(&kind) {
            let because = format!("{}: what restoring a .{kind} reads is not known ({why})", gathered.shown(project));
            return Err(Entangled::NeedsSource { because });
        }
        gathered.need(project, why)?;
        if self.projects.insert(project.to_owned()) {
            self.waiting.push(project.to_owned());
        }
        Ok(())
    }
}

/// One project with what it imports.
struct Evaluation<'e, 'g, 'p> {
    closure: &'e mut Closure,
    gathered: &'g mut Gathered<'p>,
    /// The project's folder, from which items are seen.
    folder: &'e str,
    /// Properties by their names in lower case; `None` for those with more than one value.
    properties: HashMap<String, Option<String>>,
    seen: BTreeSet<String>,
}

impl Evaluation<'_, '_, '_> {
    fn project(mut self, project: &str) -> Result<(), Entangled> {
        let [props @ .., targets, responses] = BY_ITSELF else { return Ok(()) };
        for name in props {
            self.above(name)?;
        }
        self.file(project)?;
        self.above(targets)?;
        if let Some(responses) = find_upward(self.gathered.project, self.folder, &[responses]) {
            let because = format!("{} may hold any option", self.gathered.shown(&responses));
            return Err(Entangled::NeedsSource { because });
        }
        let settings_of_a_user = format!("{project}.user");
        if self.gathered.take(&settings_of_a_user) {
            self.file(&settings_of_a_user)?;
        }
        let stem = project.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(stem, _)| stem);
        self.gathered.take(&join(self.folder, "packages.lock.json"));
        self.gathered.take(&join(self.folder, &format!("packages.{stem}.lock.json")));
        self.intermediate_folder()
    }

    /// Where the restore leaves what it found out.
    fn intermediate_folder(&mut self) -> Result<(), Entangled> {
        let value = |name: &str| self.properties.get(name).cloned();
        let uses_artifacts = match (value("artifactspath"), value("useartifactsoutput")) {
            (Some(path), _) => Some(path),
            (None, Some(Some(yes))) if yes.eq_ignore_ascii_case("true") => {
                let root = find_upward(self.gathered.project, self.folder, &["Directory.Build.props"]);
                Some(Some(join(root.as_deref().map_or(self.folder, parent), "artifacts")))
            }
            _ => None,
        };
        let moved = uses_artifacts
            .or_else(|| value("msbuildprojectextensionspath"))
            .or_else(|| value("baseintermediateoutputpath"))
            .unwrap_or_else(|| Some("obj".to_owned()));
        let moved = moved.ok_or_else(|| not_seen("the folder of obj is moved by a property that is not known"))?;
        self.closure.makes.insert(join(self.folder, moved.trim_end_matches('/')));
        Ok(())
    }

    fn above(&mut self, name: &str) -> Result<(), Entangled> {
        match find_upward(self.gathered.project, self.folder, &[name]) {
            Some(path) => self.file(&path),
            None => Ok(()),
        }
    }

    fn file(&mut self, path: &str) -> Result<(), Entangled> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let text = self.gathered.read(path, "")?;
        let text = text.trim_start_matches('\u{feff}');
        let Ok(document) = Document::parse(text) else {
            return Err(not_seen(format!("{} is no XML that can be read", self.gathered.shown(path))));
        };
        document.root_element().children().filter(Node::is_element).try_for_each(|node| self.node(node, path))
    }

    fn node(&mut self, node: Node, path: &str) -> Result<(), Entangled> {
        match node.tag_name().name() {
            "Import" => self.import(node, path),
            "PropertyGroup" => {
                self.conditions(node, path)?;
                node.children().filter(Node::is_element).try_for_each(|property| self.property(property, path))
            }
            "ItemGroup" => self.items(node, path),
            "ImportGroup" | "Choose" | "When" | "Otherwise" => {
                self.conditions(node, path)?;
                node.children().filter(Node::is_element).try_for_each(|child| self.node(child, path))
            }
            _ => Ok(()),
        }
    }

    fn property(&mut self, node: Node, path: &str) -> Result<(), Entangled> {
        self.conditions(node, path)?;
        let text = node.text().unwrap_or_default().trim().to_owned();
        if ["[System.IO.File]", "[System.IO.Directory]"].iter().any(|reads| text.contains(reads)) {
            let because = format!("{} looks at files of the project: {text}", self.place(node, path));
            return Err(Entangled::NeedsSource { because });
        }
        let name = node.tag_name().name().to_ascii_lowercase();
        let value = self.resolve(&text, path);
        match name.as_str() {
            "restorelockedmode" if value.as_deref() == Some("true") => self.closure.is_locked = true,
            "nugetlockfilepath" => {
                let value =
                    value.as_deref().ok_or_else(|| not_seen(format!("{} moves the lock file", self.place(node, path))))?;
                self.gathered.take(&join(self.folder, value));
            }
            "restoresources" | "restoreadditionalprojectsources" => {
                for source in text.split(';').filter(|source| !source.trim().is_empty() && !source.contains("$(Restore")) {
                    let place = self.place(node, path);
                    let source = self
                        .resolve(source.trim(), path)
                        .ok_or_else(|| not_seen(format!("{place} names a source that is not known")))?;
                    feed(self.gathered, self.folder, &source, &place)?;
                }
            }
            _ => {}
        }
        // A value that hangs on others, or on a condition, is none that a path can be built from.
        let is_conditional =
            node.has_attribute("Condition") || node.parent().is_some_and(|group| group.has_attribute("Condition"));
        let by_default = node.attribute("Condition").is_some_and(|condition| condition.contains("== ''"));
        let known = value.filter(|_| !is_conditional || by_default);
        self.properties
            .entry(name)
            .and_modify(|old| *old = old.take().filter(|old| Some(old) == known.as_ref()))
            .or_insert(known);
        Ok(())
    }

    fn items(&mut self, group: Node, path: &str) -> Result<(), Entangled> {
        for item in group.children().filter(Node::is_element) {
            let included = item.attribute("Include").or_else(|| item.attribute("Update")).unwrap_or_default();
            match item.tag_name().name() {
                "ProjectReference" => self.references(item, path)?,
                "PackageReference" | "PackageVersion" | "GlobalPackageReference" => {
                    let nested =
                        item.children().find(|child| child.has_tag_name("Version") || child.tag_name().name() == "Version");
                    let version = item.attribute("Version").or_else(|| nested.and_then(|node| node.text())).unwrap_or_default();
                    if version.contains('*') {
                        self.closure.unpinned.get_or_insert(format!("{} takes {included} {version}", self.place(item, path)));
                    }
                }
                _ => continue,
            }
            self.conditions(group, path)?;
            self.conditions(item, path)?;
        }
        Ok(())
    }

    fn references(&mut self, item: Node, path: &str) -> Result<(), Entangled> {
        let place = self.place(item, path);
        for one in item.attribute("Include").unwrap_or_default().split(';').map(str::trim).filter(|one| !one.is_empty()) {
            let resolved = self.resolve(one, path).filter(|path| !path.contains('*'));
            let resolved = resolved.ok_or_else(|| not_seen(format!("{place} refers to {one}, which is not known")))?;
            let project = join(self.folder, &resolved);
            let may_be_missing =
                item.has_attribute("Condition") || item.parent().is_some_and(|group| group.has_attribute("Condition"));
            if may_be_missing && self.gathered.project.look(&project) == Found::Nothing {
                continue;
            }
            self.closure.wait(&project, &format!("{place} refers to it"), self.gathered)?;
        }
        Ok(())
    }

    fn import(&mut self, node: Node, path: &str) -> Result<(), Entangled> {
        let text = node.attribute("Project").unwrap_or_default();
        if node.has_attribute("Sdk") || OF_THE_SDK.iter().any(|name| text.contains(&format!("$({name})"))) {
            return Ok(());
        }
        let place = self.place(node, path);
        let resolved = self.resolve(text, path).filter(|path| !path.contains('*'));
        let resolved = resolved.ok_or_else(|| not_seen(format!("{place} imports {text}, which is not known")))?;
        let is_optional = node.has_attribute("Condition") || node.parent().is_some_and(|group| group.has_attribute("Condition"));
        let target = join(parent(path), &resolved);
        if is_optional && (resolved.is_empty() || self.gathered.project.look(&target) != Found::File) {
            return Ok(());
        }
        self.gathered.need(&target, &format!("{place} imports it"))?;
        self.file(&target)
    }

    /// A condition that asks for a file makes that file part of the answer.
    fn conditions(&mut self, node: Node, path: &str) -> Result<(), Entangled> {
        let condition = node.attribute("Condition").unwrap_or_default();
        for asked in condition.split("Exists(").skip(1) {
            let asked = asked.trim_start().trim_start_matches('\'').split('\'').next().unwrap_or_default();
            let target = self.resolve(asked, path).map(|target| join(self.folder, &target));
            match target.map(|target| (self.gathered.project.look(&target), target)) {
                Some((Found::Nothing | Found::Unknown, _)) => {}
                Some((Found::File, target)) => drop(self.gathered.take(&target)),
                Some((Found::Folder, _)) | None => {
                    let because = format!("{} asks whether {asked} exists", self.place(node, path));
                    return Err(Entangled::NeedsSource { because });
                }
            }
        }
        Ok(())
    }

    /// A text with its properties put in and slashes turned; `None` where one is not known.
    fn resolve(&self, text: &str, path: &str) -> Option<String> {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("$(") {
            let (inner, after) = balanced(tail)?;
            done.push_str(before);
            done.push_str(&self.value(inner, path)?);
            rest = after;
        }
        done.push_str(rest);
        if done.contains("@(") || done.contains("%(") {
            return None;
        }
        Some(done.replace('\\', "/"))
    }

    fn value(&self, name: &str, path: &str) -> Option<String> {
        let file_name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let stem = |path: &str| file_name(path).rsplit_once('.').map(|(stem, _)| stem.to_owned());
        match name.to_ascii_lowercase().as_str() {
            "msbuildthisfiledirectory" => Some(format!("{}/", parent(path))),
            "msbuildthisfile" => Some(file_name(path)),
            "msbuildthisfilename" => stem(path),
            "msbuildprojectdirectory" => Some(self.folder.to_owned()),
            lower if lower.starts_with("[msbuild]::getpathoffileabove(") => {
                let (file, start) = self.arguments(name, path)?;
                Some(find_upward(self.gathered.project, &start, &[file.as_str()]).unwrap_or_default())
            }
            lower if lower.starts_with("[msbuild]::getdirectorynameoffileabove(") => {
                let (start, file) = self.arguments(name, path)?;
                let found = find_upward(self.gathered.project, &join(parent(path), &start), &[file.as_str()])?;
                Some(parent(&found).to_owned())
            }
            lower => self.properties.get(lower).cloned().flatten(),
        }
    }

    /// Two arguments of a property function; the second may be left out for this file's folder.
    fn arguments(&self, call: &str, path: &str) -> Option<(String, String)> {
        let inner = call.split_once('(')?.1.strip_suffix(')')?;
        let mut words = inner.split(',').map(|word| self.resolve(word.trim().trim_matches(['\'', '"']), path));
        let first = words.next()??;
        match words.next() {
            None => Some((first, parent(path).to_owned())),
            Some(second) => {
                second.map(|second| if second.contains('/') { (first, join(parent(path), &second)) } else { (first, second) })
            }
        }
    }

    fn place(&self, node: Node, path: &str) -> String {
        format!("{}:{}", self.gathered.shown(path), line_of(node))
    }
}

/// A source of packages that is a folder.
pub(super) fn feed(gathered: &mut Gathered, base: &str, source: &str, place: &str) -> Result<(), Entangled> {
    let source = source.replace('\\', "/");
    if source.contains("://") || source.is_empty() {
        return Ok(());
    }
    let folder = join(base, &source);
    if source.contains(['%', ':', '$']) || source.starts_with("//") || !gathered.take_folder(&folder) {
        return Err(not_seen(format!("{place} takes packages from {source}, which no copy brings")));
    }
    Ok(())
}

/// The line in which an element stands: the first one with its value in it.
pub(super) fn line_of(node: Node) -> usize {
    let named = ["Include", "Project", "Path", "value", "Condition"].iter().find_map(|name| node.attribute(*name));
    let needle = named.or_else(|| node.text()).unwrap_or_else(|| node.tag_name().name()).trim();
    node.document().input_text().lines().position(|line| line.contains(needle)).map_or(1, |index| index + 1)
}

/// The text up to the parenthesis that closes, and what follows.
fn balanced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some((text.get(..index)?, text.get(index + 1..)?)),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}
