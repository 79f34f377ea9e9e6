//! The crates of a Cargo project: the workspace with its members, and everything that is taken by path.
//!
//! Owns: following manifests from one to the next, and which source files Cargo would take for targets.
//! Never does: write a command.
//!
//! Sources: the Cargo book (workspaces, specifying dependencies, overriding dependencies, package layout, configuration).

use crate::ecosystems::gathered::{Gathered, find_upward, join, not_seen, parent, upward};
use crate::ecosystems::{Entangled, Found};
use std::collections::BTreeSet;
use toml_edit::{Document, Item, TableLike};

/// A manifest as read.
type Manifest = Document<String>;

/// What was found, beginning at one manifest.
pub(super) struct Crates<'g, 'p> {
    pub(super) gathered: &'g mut Gathered<'p>,
    /// The folder of the workspace's manifest.
    pub(super) root: String,
    /// The names of the crates.
    pub(super) names: BTreeSet<String>,
    /// Those of them that belong to the workspace; none where there is no workspace.
    pub(super) members: BTreeSet<String>,
    /// The folders of the crates.
    pub(super) folders: BTreeSet<String>,
    /// Folders that the workspace excludes.
    excluded: Vec<String>,
    is_workspace: bool,
    /// Source files that stand for a target, build scripts included.
    pub(super) targets: BTreeSet<String>,
    /// Manifests that were followed.
    done: BTreeSet<String>,
    waiting: Vec<(String, String)>,
}

impl<'g, 'p> Crates<'g, 'p> {
    /// Follows everything from one manifest.
    pub(super) fn from(manifest: &str, gathered: &'g mut Gathered<'p>) -> Result<Self, Entangled> {
        let mut crates = Self {
            gathered,
            root: parent(manifest).to_owned(),
            names: BTreeSet::new(),
            members: BTreeSet::new(),
            folders: BTreeSet::new(),
            excluded: Vec::new(),
            is_workspace: false,
            targets: BTreeSet::new(),
            done: BTreeSet::new(),
            waiting: vec![(manifest.to_owned(), String::new())],
        };
        if let Some(root) = crates.workspace_of(manifest)? {
            parent(&root).clone_into(&mut crates.root);
            crates.members(&root)?;
        }
        crates.gathered.take(&join(&crates.root, "Cargo.lock"));
        while let Some((manifest, why)) = crates.waiting.pop() {
            crates.follow(&manifest, &why)?;
        }
        Ok(crates)
    }

    fn follow(&mut self, path: &str, why: &str) -> Result<(), Entangled> {
        if !self.done.insert(path.to_owned()) {
            return Ok(());
        }
        let manifest = self.read(path, why)?;
        self.paths(&manifest, path)?;
        let Some(package) = table(&manifest, "package").or_else(|| table(&manifest, "project")) else {
            return Ok(());
        };
        let is_elsewhere = !path.starts_with(&format!("{}/", self.root.trim_end_matches('/')));
        let name = text(package, "name").map(str::to_owned);
        if self.is_workspace && !is_elsewhere && !self.excluded.iter().any(|folder| is_below(path, folder)) {
            self.members.extend(name.clone());
        }
        self.names.extend(name);
        self.folders.insert(parent(path).to_owned());
        if is_elsewhere && let Some(root) = self.workspace_of(path)? {
            // What it inherits stands there.
            self.read(&root, "")?;
        }
        self.collect_targets(&manifest, package, path)
    }

    /// The manifest of the workspace that a crate belongs to.
    fn workspace_of(&mut self, path: &str) -> Result<Option<String>, Entangled> {
        let manifest = self.read(path, "")?;
        if manifest.get("workspace").is_some() {
            return Ok(Some(path.to_owned()));
        }
        if let Some(named) = table(&manifest, "package").and_then(|package| text(package, "workspace")) {
            return Ok(Some(join(&join(parent(path), named), "Cargo.toml")));
        }
        for folder in upward(parent(parent(path))) {
            let above = join(folder, "Cargo.toml");
            if self.gathered.project.look(&above) != Found::File {
                continue;
            }
            let above_text = self.gathered.project.text(&above).into_known();
            let above_text = above_text.ok_or_else(|| not_seen(format!("{} can't be read", self.gathered.shown(&above))))?;
            let manifest = parse(&above_text).ok_or_else(|| not_seen(format!("{} is no TOML", self.gathered.shown(&above))))?;
            if let Some(workspace) = table(&manifest, "workspace") {
                let excludes = strings(workspace.get("exclude"));
                let is_out = excludes.iter().any(|one| is_below(path, &join(folder, one)));
                return Ok((!is_out).then_some(above));
            }
        }
        Ok(None)
    }

    fn members(&mut self, root: &str) -> Result<(), Entangled> {
        let manifest = self.read(root, "")?;
        let folder = parent(root).to_owned();
        let shown = self.gathered.shown(root).to_owned();
        self.waiting.push((root.to_owned(), String::new()));
        let Some(workspace) = table(&manifest, "workspace") else { return Ok(()) };
        self.is_workspace = true;
        let excludes: Vec<String> = strings(workspace.get("exclude")).iter().map(|one| join(&folder, one)).collect();
        self.excluded.clone_from(&excludes);
        for member in strings(workspace.get("members")) {
            let why = format!("a member of the workspace in {shown}");
            if !member.contains(['*', '?', '[']) {
                self.waiting.push((join(&join(&folder, &member), "Cargo.toml"), why));
                continue;
            }
            for found in self.expand(&folder, &member)? {
                let manifest = join(&found, "Cargo.toml");
                if self.gathered.project.look(&manifest) == Found::File && !excludes.iter().any(|one| is_below(&found, one)) {
                    self.waiting.push((manifest, why.clone()));
                }
            }
        }
        Ok(())
    }

    /// The folders that a pattern of members means.
    fn expand(&self, folder: &str, pattern: &str) -> Result<Vec<String>, Entangled> {
        let mut folders = vec![folder.to_owned()];
        for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part.contains("**") || part.contains('[') {
                return Err(not_seen(format!("the members {pattern} of the workspace are not known")));
            }
            folders = folders.iter().flat_map(|folder| self.matching(folder, part)).collect();
        }
        Ok(folders)
    }

    fn matching(&self, folder: &str, part: &str) -> Vec<String> {
        if !part.contains(['*', '?']) {
            return vec![join(folder, part)];
        }
        let names = self.gathered.project.names(folder);
        let fitting = names.iter().filter(|name| fits(name.as_bytes(), part.as_bytes()));
        fitting.map(|name| join(folder, name)).filter(|path| self.gathered.project.look(path) == Found::Folder).collect()
    }

    /// Queues what a manifest takes by path.
    fn paths(&mut self, manifest: &Manifest, path: &str) -> Result<(), Entangled> {
        let source = manifest.raw();
        let mut take = |name: &str, item: &Item, is_sure: bool| {
            let Some(given) = item.get("path").and_then(Item::as_str) else { return };
            let target = join(&join(parent(path), given), "Cargo.toml");
            if !is_sure && self.gathered.project.look(&target) == Found::Nothing {
                return;
            }
            let line = item.span().and_then(|span| source.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
            self.waiting.push((target, format!("{}:{line} takes {name} by path", self.gathered.shown(path))));
        };
        for table in dependency_tables(manifest) {
            table.iter().for_each(|(name, item)| take(name, item, true));
        }
        if let Some(shared) = table(manifest, "workspace").and_then(|workspace| workspace.get("dependencies")?.as_table_like()) {
            shared.iter().for_each(|(name, item)| take(name, item, false));
        }
        Ok(())
    }

    fn collect_targets(&mut self, manifest: &Manifest, package: &dyn TableLike, path: &str) -> Result<(), Entangled> {
        let folder = parent(path).to_owned();
        let before = self.targets.len();
        let library = table(manifest, "lib").and_then(|library| text(library, "path"));
        self.target(&join(&folder, library.unwrap_or("src/lib.rs")));
        self.target(&join(&folder, "src/main.rs"));
        let programs = join(&folder, "src/bin");
        for name in self.gathered.project.names(&programs) {
            let path = join(&programs, &name);
            self.target(&if name.ends_with(".rs") { path } else { join(&path, "main.rs") });
        }
        for (kind, place) in [("bin", "src/bin"), ("example", "examples"), ("test", "tests"), ("bench", "benches")] {
            for named in entries(manifest.get(kind)) {
                if let Some(given) = text(named, "path") {
                    let target = join(&folder, given);
                    if !self.target(&target) {
                        let (shown, manifest) = (self.gathered.shown(&target), self.gathered.shown(path));
                        return Err(not_seen(format!("{manifest} names {shown}, which no copy brings")));
                    }
                } else if let Some(name) = text(named, "name") {
                    self.target(&join(&folder, &format!("{place}/{name}.rs")));
                    self.target(&join(&folder, &format!("{place}/{name}/main.rs")));
                }
            }
        }
        if self.targets.len() == before {
            return Err(not_seen(format!("no copy brings a source file that {} builds", self.gathered.shown(path))));
        }
        match package.get("build") {
            Some(build) if build.as_bool() == Some(false) => {}
            build => {
                self.target(&join(&folder, build.and_then(Item::as_str).unwrap_or("build.rs")));
            }
        }
        Ok(())
    }

    fn target(&mut self, path: &str) -> bool {
        let is_there = self.gathered.project.look(path) == Found::File;
        if is_there {
            self.targets.insert(path.to_owned());
        }
        is_there
    }

    fn read(&mut self, path: &str, why: &str) -> Result<Manifest, Entangled> {
        let source = self.gathered.read(path, why)?;
        parse(&source).ok_or_else(|| not_seen(format!("{} is no TOML", self.gathered.shown(path))))
    }
}

/// Cargo's configuration in the folder and above it. Returns where it puts build output, if anywhere.
pub(super) fn configuration(gathered: &mut Gathered, folder: &str) -> Result<Configuration, Entangled> {
    let mut found = Configuration::default();
    for folder in upward(folder) {
        // Where both are there, Cargo takes the name without an ending.
        let names = [".cargo/config", ".cargo/config.toml"].map(|name| join(folder, name));
        let Some(path) = names.iter().find(|path| gathered.project.look(path) == Found::File) else { continue };
        let source = gathered.read(path, "it may replace where crates come from")?;
        let shown = gathered.shown(path).to_owned();
        let config = parse(&source).ok_or_else(|| not_seen(format!("{shown} is no TOML")))?;
        let sources = table(&config, "source").into_iter().flat_map(TableLike::iter);
        if sources.filter_map(|(_, source)| source.get("directory").or_else(|| source.get("local-registry"))).next().is_some() {
            return Err(Entangled::NothingToGain {
                because: format!("{shown} takes crates from a folder: nothing is downloaded"),
            });
        }
        if let Some(key) = ["paths", "patch", "include"].iter().find(|key| config.contains_key(key)) {
            return Err(Entangled::NeedsSource {
                because: format!("{shown} takes crates or settings from elsewhere by `{key}`"),
            });
        }
        let output = table(&config, "build").and_then(|build| text(build, "target-dir"));
        found.output = found.output.or_else(|| output.map(|output| join(folder, output)));
        found.is_bare |= is_bare(&source);
        every_string(config.as_item(), &mut |value| {
            if value.contains('/') {
                gathered.take(&join(folder, value));
            }
        });
    }
    Ok(found)
}

/// What the configuration says of builds.
#[derive(Default)]
pub(super) struct Configuration {
    /// The folder for build output.
    pub(super) output: Option<String>,
    /// It builds for a machine without an operating system, or in a way that a stub can't follow.
    pub(super) is_bare: bool,
}

/// Whether some words tell of a build without the standard library's usual start, or of a linker script.
pub(super) fn is_bare(text: &str) -> bool {
    ["-none", "build-std", "-uefi", "link-arg=-T", "target-spec", ".json"].iter().any(|sign| text.contains(sign))
}

/// The toolchain that the file which rustup heeds names: `1.80.0`, `stable`. `None` without such a file.
pub(super) fn toolchain_file(gathered: &mut Gathered, folder: &str) -> Result<Option<String>, Entangled> {
    let Some(path) = find_upward(gathered.project, folder, &["rust-toolchain", "rust-toolchain.toml"]) else { return Ok(None) };
    let source = gathered.read(&path, "it names the toolchain")?;
    // The older form is the name alone.
    let Some(file) = parse(&source) else { return Ok(Some(source.trim().to_owned())) };
    let toolchain = table(&file, "toolchain");
    if toolchain.is_some_and(|toolchain| toolchain.contains_key("path")) {
        return Err(not_seen(format!("{} names a toolchain in a folder", gathered.shown(&path))));
    }
    Ok(Some(toolchain.and_then(|toolchain| text(toolchain, "channel")).unwrap_or_default().to_owned()))
}

fn parse(text: &str) -> Option<Manifest> {
    Document::parse(text.to_owned()).ok()
}

fn table<'t>(manifest: &'t Manifest, name: &str) -> Option<&'t dyn TableLike> {
    manifest.get(name)?.as_table_like()
}

fn text<'t>(table: &'t dyn TableLike, name: &str) -> Option<&'t str> {
    table.get(name)?.as_str()
}

fn strings(item: Option<&Item>) -> Vec<String> {
    let values = item.and_then(Item::as_array).into_iter().flatten();
    values.filter_map(|value| value.as_str()).map(str::to_owned).collect()
}

/// The tables of `[[bin]]` and its like, also written as `bin = [{…}]`.
fn entries(item: Option<&Item>) -> Vec<&dyn TableLike> {
    match item {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Some(Item::Value(toml_edit::Value::Array(tables))) => {
            tables.iter().filter_map(|table| table.as_inline_table()).map(|table| table as &dyn TableLike).collect()
        }
        _ => Vec::new(),
    }
}

/// Every table that may take crates by path.
fn dependency_tables(manifest: &Manifest) -> Vec<&dyn TableLike> {
    const KINDS: &[&str] =
        &["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies", "replace"];
    let within = |table: &'_ dyn TableLike| -> Vec<_> { Vec::from_iter(table.iter().map(|(name, _)| name.to_owned())) };
    let mut tables: Vec<&dyn TableLike> = KINDS.iter().filter_map(|kind| table(manifest, kind)).collect();
    for (group, kinds) in [("target", Some(KINDS)), ("patch", None)] {
        let Some(group) = table(manifest, group) else { continue };
        for name in within(group) {
            let Some(inner) = group.get(&name).and_then(Item::as_table_like) else { continue };
            match kinds {
                Some(kinds) => tables.extend(kinds.iter().filter_map(|kind| inner.get(kind)?.as_table_like())),
                None => tables.push(inner),
            }
        }
    }
    tables
}

fn every_string(item: &Item, visit: &mut impl FnMut(&str)) {
    if let Some(text) = item.as_str() {
        visit(text);
    } else if let Some(table) = item.as_table_like() {
        table.iter().for_each(|(_, item)| every_string(item, visit));
    } else {
        strings(Some(item)).iter().for_each(|text| visit(text));
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a name fits a pattern of `*` and `?`.
fn fits(name: &[u8], pattern: &[u8]) -> bool {
    match (name, pattern) {
        ([], []) => true,
        (_, [b'*', rest @ ..]) => fits(name, rest) || matches!(name, [_, tail @ ..] if fits(tail, pattern)),
        ([_, name @ ..], [b'?', pattern @ ..]) => fits(name, pattern),
        ([one, name @ ..], [other, pattern @ ..]) => one == other && fits(name, pattern),
        _ => false,
    }
}
