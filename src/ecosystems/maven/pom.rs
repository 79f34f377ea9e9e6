//! Reading poms: modules, parents, and what else they name in the project.
//!
//! Owns: which files Maven reads to know a project's dependencies. Never does: resolve one, or decide on profiles: modules of a
//! profile are taken where they are there.
//!
//! From: Maven's POM reference.

use crate::ecosystems::{Entangled, Found, Project, absolute};
use crate::knowledge::Knowledge;
use roxmltree::{Document, Node};

/// What the poms of a project say.
#[derive(Default)]
pub(super) struct Poms {
    /// Where the first of them lies.
    pub(super) folder: String,
    /// They, and the files that they name.
    pub(super) files: Vec<String>,
    /// Repositories in the project.
    pub(super) folders: Vec<String>,
    /// A profile that hangs on a folder of the project: where.
    pub(super) looks_for_source: Option<String>,
    /// A version that moves.
    pub(super) unpinned: Option<String>,
    /// Names of the project's own artefacts.
    own: Vec<String>,
    properties: Vec<(String, String)>,
    versions: Vec<(String, String, String)>,
}

/// Reads a pom with its modules and parents.
///
/// # Errors
/// What is missing or can't be read.
pub(super) fn read(path: &str, project: &dyn Project) -> Result<Poms, Entangled> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut poms = Poms { folder, ..Poms::default() };
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if poms.files.contains(&path) {
            continue;
        }
        let name = poms.short(&path);
        let text = project.text(&path).into_known();
        let text = text.ok_or_else(|| Entangled::NotSeen { because: format!("{name} can't be read") })?;
        let document = Document::parse(text.trim_start_matches('\u{feff}'));
        let document = document.map_err(|error| Entangled::NotSeen { because: format!("{name} can't be read: {error}") })?;
        poms.files.push(path.clone());
        waiting.extend(
            One { poms: &mut poms, name, folder: path.rsplit_once('/').map_or("", |(folder, _)| folder), text: &text, project }
                .take(&document)?,
        );
    }
    poms.unpinned = poms.moving_version();
    Ok(poms)
}

impl Poms {
    fn short(&self, path: &str) -> String {
        path.strip_prefix(&self.folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path).to_owned()
    }

    /// A snapshot or a range among the versions, of something that is not the project's own.
    fn moving_version(&self) -> Option<String> {
        self.versions.iter().find_map(|(place, artifact, version)| {
            let property = version.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            let value = property.and_then(|name| self.properties.iter().find(|(key, _)| key == name)).map(|(_, value)| value);
            let version = value.unwrap_or(version);
            let moves = version.ends_with("-SNAPSHOT")
                || version.starts_with(['[', '('])
                || matches!(version.as_str(), "LATEST" | "RELEASE");
            (moves && !self.own.contains(artifact)).then(|| format!("{place}: {artifact} {version} moves"))
        })
    }
}

/// One pom on its way into the rest.
struct One<'a> {
    poms: &'a mut Poms,
    name: String,
    folder: &'a str,
    text: &'a str,
    project: &'a dyn Project,
}

impl One<'_> {
    /// Takes it over; returns the poms that it names.
    fn take(&mut self, document: &Document) -> Result<Vec<String>, Entangled> {
        let root = document.root_element();
        let mut next = Vec::new();
        self.poms.own.extend(child(&root, "artifactId"));
        for node in root.descendants().filter(Node::is_element) {
            let text = node.text().unwrap_or_default().trim().to_owned();
            match node.tag_name().name() {
                "module" | "subproject" => next.extend(self.module(&node, &text)?),
                "parent" if node.parent() == Some(root) => next.extend(self.parent(&node)),
                "systemPath" => self.jar(&text)?,
                "exists" | "missing" => self.looked_for(&text),
                "url" => self.repository(&node, &text)?,
                "properties" => {
                    let properties = node.children().filter(Node::is_element);
                    let properties = properties
                        .map(|node| (node.tag_name().name().to_owned(), node.text().unwrap_or_default().trim().to_owned()));
                    self.poms.properties.extend(properties.collect::<Vec<_>>());
                }
                "dependency" | "plugin" | "extension" => self.version(&node),
                _ => {}
            }
        }
        Ok(next)
    }

    fn place(&self, needle: &str) -> String {
        let line = self.text.lines().position(|line| line.contains(needle));
        line.map_or_else(|| self.name.clone(), |line| format!("{}:{}", self.name, line + 1))
    }

    fn path(&self, relative: &str) -> String {
        absolute(relative, &Knowledge::Known(self.folder.to_owned())).into_known().unwrap_or_default()
    }

    /// A path with the base folder put in; `None` where another property is in it.
    fn based(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for property in ["${project.basedir}", "${basedir}", "${pom.basedir}"] {
            text = text.replace(property, self.folder);
        }
        for property in ["${maven.multiModuleProjectDirectory}", "${session.executionRootDirectory}", "${session.rootDirectory}"]
        {
            text = text.replace(property, &self.poms.folder);
        }
        (!text.contains("${")).then(|| self.path(&text))
    }

    fn module(&self, node: &Node, text: &str) -> Result<Option<String>, Entangled> {
        let optional = node.ancestors().any(|node| node.has_tag_name_local("profile"));
        let path = self.path(text);
        let path = if self.project.look(&path) == Found::Folder { format!("{path}/pom.xml") } else { path };
        match self.project.look(&path) {
            Found::File => Ok(Some(path)),
            _ if optional || text.is_empty() => Ok(None),
            _ => Err(Entangled::NotSeen { because: format!("{}: no copy brings the module {text}", self.place(text)) }),
        }
    }

    /// The parent's pom, where it is a file of the project.
    fn parent(&mut self, node: &Node) -> Option<String> {
        let relative = node.children().find(|node| node.has_tag_name_local("relativePath"));
        let relative = relative.map_or("../pom.xml", |node| node.text().unwrap_or_default().trim());
        if !relative.is_empty() {
            let path = self.path(relative);
            let path = if self.project.look(&path) == Found::Folder { format!("{path}/pom.xml") } else { path };
            if self.project.look(&path) == Found::File {
                return Some(path);
            }
        }
        self.version(node);
        None
    }

    /// A dependency that is a file.
    fn jar(&mut self, text: &str) -> Result<(), Entangled> {
        let Some(path) = self.based(text) else {
            // Properties of Java or of the environment; others can't be followed.
            let outside = ["${java.", "${env.", "${user."].iter().any(|property| text.starts_with(property));
            let because = format!("{}: the path of a dependency is computed", self.place(text));
            return if outside { Ok(()) } else { Err(Entangled::NeedsSource { because }) };
        };
        match self.project.look(&path) {
            Found::File => self.poms.files.push(path),
            Found::Unknown => {}
            Found::Nothing | Found::Folder => {
                let because = format!("{}: no copy brings {text}", self.place(text));
                return Err(Entangled::NotSeen { because });
            }
        }
        Ok(())
    }

    /// A file or folder by whose presence a profile is chosen.
    fn looked_for(&mut self, text: &str) {
        let Some(path) = self.based(text) else { return };
        match self.project.look(&path) {
            Found::File => self.poms.files.push(path),
            Found::Folder => self.poms.looks_for_source = Some(self.place(text)),
            Found::Nothing | Found::Unknown => {}
        }
    }

    /// A repository in the project.
    fn repository(&mut self, node: &Node, text: &str) -> Result<(), Entangled> {
        let of_repository = |node: Node| ["repository", "pluginRepository"].iter().any(|name| node.has_tag_name_local(name));
        if !node.parent().is_some_and(of_repository)
            || node.ancestors().any(|node| node.has_tag_name_local("distributionManagement"))
        {
            return Ok(());
        }
        let Some(rest) = text.strip_prefix("file:") else { return Ok(()) };
        let rest = rest.trim_start_matches('/');
        let rest = if rest.starts_with("${") { rest.to_owned() } else { format!("/{rest}") };
        let folder = self.based(&rest).filter(|path| self.project.look(path) == Found::Folder);
        match folder {
            Some(folder) => self.poms.folders.push(folder),
            None if rest.starts_with("${project.") || rest.starts_with("${basedir") => {
                let because = format!("{}: no copy brings the repository {text}", self.place(text));
                return Err(Entangled::NotSeen { because });
            }
            None => {}
        }
        Ok(())
    }

    fn version(&mut self, node: &Node) {
        if let (Some(artifact), Some(version)) = (child(node, "artifactId"), child(node, "version")) {
            let place = self.place(&version);
            self.poms.versions.push((place, artifact, version));
        }
    }
}

fn child(node: &Node, name: &str) -> Option<String> {
    let found = node.children().find(|child| child.has_tag_name_local(name))?;
    found.text().map(|text| text.trim().to_owned())
}

/// Names without their namespace: poms have one, or none.
trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::Files;

    fn pom(inner: &str) -> String {
        format!("<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n<artifactId>root</artifactId>\n{inner}\n</project>")
    }

    fn poms(path: &str, files: &[(&str, &str)]) -> Result<Poms, String> {
        read(&format!("/app/{path}"), &Files::new(files)).map_err(|error| error.to_string())
    }

    fn paths(poms: &Poms) -> String {
        let mut paths: Vec<&str> = poms.files.iter().chain(&poms.folders).map(|path| path.trim_start_matches("/app/")).collect();
        paths.sort_unstable();
        paths.join(" ")
    }

    #[test]
    fn modules_and_parents_are_followed() {
        let root = pom(
            "<modules><module>a</module><module>b/pom-b.xml</module></modules><profiles><profile><modules><module>c</module><module>gone</module></modules></profile></profiles>",
        );
        let member = pom("<parent><artifactId>root</artifactId></parent>");
        let base = pom("<parent><artifactId>base</artifactId><relativePath>../base/pom.xml</relativePath></parent>");
        let files = [
            ("pom.xml", root.as_str()),
            ("a/pom.xml", member.as_str()),
            ("b/pom-b.xml", base.as_str()),
            ("c/pom.xml", member.as_str()),
            ("base/pom.xml", "<project/>"),
            ("a/src/A.java", ""),
        ];
        assert_eq!(paths(&poms("pom.xml", &files).unwrap()), "a/pom.xml b/pom-b.xml base/pom.xml c/pom.xml pom.xml");
        assert_eq!(paths(&poms("b/pom-b.xml", &files).unwrap()), "b/pom-b.xml base/pom.xml");
        let missing = pom("<modules>\n<module>gone</module></modules>");
        assert!(poms("pom.xml", &[("pom.xml", &missing)]).is_err_and(|error| error.starts_with("pom.xml:4: no copy brings")));
        let remote = pom("<parent><artifactId>p</artifactId><relativePath/></parent>");
        assert_eq!(paths(&poms("x/pom.xml", &[("x/pom.xml", &remote), ("pom.xml", "<project/>")]).unwrap()), "x/pom.xml");
    }

    #[test]
    fn jars_and_repositories_of_the_project() {
        let jar = pom(
            "<dependencies><dependency><scope>system</scope><systemPath>${project.basedir}/lib/x.jar</systemPath></dependency></dependencies>",
        );
        assert_eq!(paths(&poms("pom.xml", &[("pom.xml", &jar), ("lib/x.jar", "")]).unwrap()), "lib/x.jar pom.xml");
        assert!(poms("pom.xml", &[("pom.xml", &jar)]).is_err());
        let computed = pom("<systemPath>${libs}/x.jar</systemPath>");
        assert!(poms("pom.xml", &[("pom.xml", &computed)]).is_err_and(|error| error.starts_with("pom.xml:3:")));
        let repository = pom("<repositories><repository><url>file://${project.basedir}/repo</url></repository></repositories>");
        assert_eq!(paths(&poms("pom.xml", &[("pom.xml", &repository), ("repo/a/a.jar", "")]).unwrap()), "pom.xml repo");
        assert!(poms("pom.xml", &[("pom.xml", &repository)]).is_err());
    }

    #[test]
    fn versions_that_move_are_said() {
        let moving = |inner: &str| poms("pom.xml", &[("pom.xml", &pom(inner))]).unwrap().unpinned;
        let dependency = |artifact: &str, version: &str| {
            format!(
                "<dependencies><dependency><artifactId>{artifact}</artifactId><version>{version}</version></dependency></dependencies>"
            )
        };
        assert_eq!(moving(&dependency("x", "1.0")), None);
        assert!(moving(&dependency("x", "1.0-SNAPSHOT")).is_some());
        assert!(moving(&dependency("x", "[1.0,2.0)")).is_some());
        assert_eq!(moving(&dependency("root", "1.0-SNAPSHOT")), None, "its own");
        let property = format!("<properties><v>2-SNAPSHOT</v></properties>{}", dependency("x", "${v}"));
        assert!(moving(&property).is_some_and(|said| said.starts_with("pom.xml:3: x 2-SNAPSHOT")));
    }

    #[test]
    fn what_can_not_be_read_is_said() {
        assert!(poms("pom.xml", &[("pom.xml", "<project>")]).is_err());
        let unread = Files::new(&[]).with_unreadable("pom.xml");
        assert!(matches!(read("/app/pom.xml", &unread), Err(Entangled::NotSeen { .. })));
    }
}
