//! What copies bring from the build context, and where it lies in the image.
//!
//! Owns: [`ContextCopy`] (one COPY or ADD as a map from context paths to image paths) and [`Laid`], the project's files as a step
//! finds them. The rules are those of the Dockerfile reference (COPY, "Destination"). Never does: look at files that RUN makes.

use super::handed::{self, Handed};
use super::{Model, State, Step, mount_option};
use crate::context::{Kind, View};
use crate::ecosystems::{Found, Project, absolute};
use crate::knowledge::Knowledge;
use crate::model::paths::is_within;
use crate::syntax::{Dockerfile, Flag, Instruction, Keyword};
use std::sync::Arc;

/// A COPY or ADD of files from the build context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextCopy {
    /// What it lays where, in the order of its sources.
    pub maps: Vec<Map>,
    /// Image paths at or below which it lays something that the context does not show: a source that is not there.
    pub unseen: Vec<String>,
}

/// A file or folder of the context and its place in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Path in the context (empty for the root).
    pub from: String,
    /// Absolute path in the image.
    pub to: String,
    /// `from` is a folder, whose content comes to lie below `to`.
    pub folder: bool,
    /// Index of the source that it comes from.
    pub source: usize,
}

impl Map {
    /// The context path of what lies at an image path, if this map brings it there.
    pub fn back(&self, path: &str) -> Option<String> {
        if !self.folder {
            return (self.to == path).then(|| self.from.clone());
        }
        let rest = below(path, &self.to)?;
        Some(match (self.from.is_empty(), rest.is_empty()) {
            (true, _) => rest.to_owned(),
            (_, true) => self.from.clone(),
            _ => format!("{}/{rest}", self.from),
        })
    }
}

/// The rest of `path` behind `folder`; empty for the folder itself.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder == "/" {
        return path.strip_prefix('/');
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Whether an instruction is a COPY or ADD that takes something from the build context.
pub fn is_context_copy(instruction: &Instruction) -> bool {
    match instruction.keyword {
        Keyword::Copy => instruction.flag("from").is_none() && !instruction.arguments.values.is_empty(),
        Keyword::Add => instruction.arguments.values.iter().rev().skip(1).any(|source| !is_remote(source)),
        _ => false,
    }
}

fn is_remote(source: &str) -> bool {
    source.contains("://") || source.starts_with("git@")
}

impl ContextCopy {
    /// Reads a COPY or ADD. Unknown when a source or the destination hangs on a variable that is not known, when it unpacks, fetches
    /// or leaves something out, or when the context can't tell what a source is. `is_folder` says of absolute image paths whether
    /// they are known to be folders.
    pub fn of(instruction: &Instruction, state: &State, view: &View, is_folder: &dyn Fn(&str) -> bool) -> Knowledge<Self> {
        Self::read(instruction, state, view, is_folder).into()
    }

    fn read(instruction: &Instruction, state: &State, view: &View, is_folder: &dyn Fn(&str) -> bool) -> Option<Self> {
        if !is_context_copy(instruction)
            || !instruction.heredocs.is_empty()
            || instruction.flags_named("exclude").next().is_some()
        {
            return None;
        }
        let (last, sources) = instruction.arguments.values.split_last()?;
        let written = state.lookup_text(last)?;
        let to = absolute(&written, &state.workdir).into_known()?;
        let mut copy = Self { maps: Vec::new(), unseen: Vec::new() };
        let parents = instruction.flags_named("parents").any(|flag| flag.value() != "false");
        let mut found = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let source = state.lookup_text(source)?;
            if instruction.keyword == Keyword::Add && (is_remote(&source) || is_archive(&source)) {
                return None;
            }
            let matches = view.expand(&source);
            if matches.is_empty() && !source.contains(['*', '?', '[']) {
                copy.unseen.push(to.clone());
            }
            found.extend(matches.into_iter().map(|path| (index, source.clone(), path)));
        }
        let into_folder = written.ends_with('/')
            || written == "."
            || written.ends_with("/.")
            || found.len() > 1
            || state.workdir.known() == Some(&to)
            || is_folder(&to);
        for (source, text, from) in found {
            let folder = view.kind(&from)? == Kind::Folder;
            let to = match (parents, folder) {
                (true, _) => join(&to, behind_pivot(&text, &from)),
                (false, true) => to.clone(),
                (false, false) if into_folder => join(&to, from.rsplit('/').next().unwrap_or(&from)),
                (false, false) => to.clone(),
            };
            copy.maps.push(Map { from, to, folder, source });
        }
        Some(copy)
    }

    /// The context path of what this copy brings to an image path, later sources winning.
    pub fn back(&self, path: &str, view: &View) -> Option<String> {
        self.maps.iter().rev().filter_map(|map| map.back(path)).find(|from| from.is_empty() || view.kind(from).is_some())
    }

    /// Whether the path lies where this copy lays things, whether or not it brings something there.
    pub fn fills(&self, path: &str) -> bool {
        self.maps.iter().any(|map| is_within(path, &map.to)) || self.hides(path)
    }

    /// Whether something that the context does not show may lie there, or in it.
    pub fn hides(&self, path: &str) -> bool {
        self.unseen.iter().any(|folder| is_within(path, folder) || is_within(folder, path))
    }
}

/// With `--parents`, what is behind the `/./` of a source keeps its folders; without one, the whole path does.
fn behind_pivot<'p>(source: &str, path: &'p str) -> &'p str {
    let pivot =
        source.find("/./").and_then(|at| source.get(..at)).unwrap_or_default().trim_start_matches("./").trim_start_matches('/');
    below(path, pivot).filter(|_| !pivot.is_empty()).unwrap_or(path)
}

/// What ADD unpacks.
fn is_archive(source: &str) -> bool {
    [".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst"].iter().any(|end| source.ends_with(end))
}

fn join(folder: &str, name: &str) -> String {
    if folder == "/" { format!("/{name}") } else { format!("{folder}/{name}") }
}

/// What a RUN copies that is nothing but `cp FILE PLACE`, as absolute paths, the second with its `/` at the end.
fn copied_by_run(step: &Step<'_>) -> Option<(String, String)> {
    let run = step.run.as_ref().filter(|run| run.text().trim_start().starts_with("cp "))?;
    let all = run.everything(&step.state);
    let [ran] = &*all else { return None };
    let plain = !ran.conditional && ran.invocation.wrappers.is_empty() && ran.writes.is_empty();
    let words: Option<Vec<&str>> = ran.invocation.arguments.iter().map(|word| word.value.known().map(String::as_str)).collect();
    let words: Vec<&str> = words?.into_iter().filter(|word| !matches!(*word, "-f" | "-p" | "-v" | "-fp" | "-pf")).collect();
    let [from, to] = words.as_slice() else { return None };
    if !plain || words.iter().any(|word| word.starts_with('-') || word.contains(['*', '?', '['])) {
        return None;
    }
    let slash = if to.ends_with('/') || *to == "." || to.ends_with("/.") { "/" } else { "" };
    let place = |path: &str| absolute(path, &ran.folder).into_known();
    Some((place(from)?, format!("{}{slash}", place(to)?)))
}

fn is_copy(step: &Step<'_>) -> bool {
    matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add)
}

/// The file that an ADD of one URL makes, and the URL as it is written. A destination that ends with `/` takes the URL's last part
/// (the Dockerfile reference, "Adding files from a URL").
fn download(step: &Step<'_>) -> Option<(String, String)> {
    let arguments = &step.instruction.arguments.values;
    let [url, to] = arguments.as_slice() else { return None };
    if step.instruction.keyword != Keyword::Add || !is_remote(url) {
        return None;
    }
    let place = step.state.absolute(to).into_known()?;
    let name = url.split(['?', '#']).next()?.rsplit('/').next().filter(|name| !name.is_empty())?;
    let file = if to.ends_with('/') { join(place.trim_end_matches('/'), name) } else { place };
    Some((file, url.clone()))
}

/// What the copies above a step laid into the image.
#[derive(Clone, Debug)]
pub struct Laid<'v> {
    view: &'v View,
    /// Where copies from other stages are followed.
    model: Option<&'v Model<'v>>,
    /// In order, those that a RUN makes by `cp` among them; a copy that can't be read is a folder in which anything may lie.
    copies: Vec<Result<ContextCopy, String>>,
    /// Files that another stage makes, each with the number of copies up to the one that lays it.
    made: Vec<(usize, String)>,
    /// Files that an ADD brought from a URL, and the URL, each with the number of copies up to its own.
    downloads: Vec<(usize, String, String)>,
}

impl<'v> Laid<'v> {
    /// Nothing yet. Copies from other stages are not followed.
    pub fn new(view: &'v View) -> Self {
        Self { view, model: None, copies: Vec::new(), made: Vec::new(), downloads: Vec::new() }
    }

    /// Nothing yet. Manifests that other stages hand over are followed to the context.
    pub fn among(model: &'v Model<'v>, view: &'v View) -> Self {
        Self { model: Some(model), ..Self::new(view) }
    }

    /// Takes a step in, if it is a COPY or ADD, or copies one file by `cp`.
    pub fn after(&mut self, step: &Step<'_>) {
        let instruction = step.instruction;
        if let Some((from, to)) = copied_by_run(step) {
            let copy = self.copied(&from, &to);
            return self.copies.push(Ok(copy));
        }
        if !is_copy(step) {
            return;
        }
        match (self.read(step), self.handed(step)) {
            (Some(copy), _) => self.copies.push(Ok(copy)),
            (None, Some(handed)) => {
                self.copies.push(Ok(handed.copy));
                let number = self.copies.len();
                self.made.extend(handed.made.into_iter().map(|file| (number, file)));
            }
            (None, None) => {
                let to = instruction.arguments.values.last().map_or(Knowledge::Unknown, |to| step.state.absolute(to));
                self.copies.push(Err(to.into_known().unwrap_or_else(|| "/".to_owned())));
                let number = self.copies.len();
                self.downloads.extend(download(step).map(|(file, url)| (number, file, url)));
            }
        }
    }

    /// The same before the last steps that were taken in.
    #[must_use]
    pub fn without_those_of(&self, last: &[Step<'_>]) -> Self {
        let lays = |step: &&Step<'_>| is_copy(step) || copied_by_run(step).is_some();
        let count = self.copies.len().saturating_sub(last.iter().filter(lays).count());
        let made = self.made.iter().filter(|(number, _)| *number <= count).cloned().collect();
        let downloads = self.downloads.iter().filter(|(number, ..)| *number <= count).cloned().collect();
        Self { copies: self.copies.iter().take(count).cloned().collect(), made, downloads, ..*self }
    }

    /// Takes in what is brought by other means.
    pub fn lay(&mut self, copy: ContextCopy) {
        self.copies.push(Ok(copy));
    }

    /// A COPY or ADD as it works behind the copies so far.
    pub fn read(&self, step: &Step<'_>) -> Option<ContextCopy> {
        ContextCopy::of(step.instruction, &step.state, self.view, &|path| self.is_folder(path)).into_known()
    }

    /// A file of the context in another place of the image; nothing where it is none.
    fn copied(&self, from: &str, to: &str) -> ContextCopy {
        let map = self.back(from).filter(|_| self.look(from) == Found::File).map(|source| {
            let into = to.ends_with('/') || self.is_folder(to.trim_end_matches('/'));
            let name = from.rsplit('/').next().unwrap_or(from);
            let to = if into { join(to.trim_end_matches('/'), name) } else { to.to_owned() };
            Map { from: source, to, folder: false, source: 0 }
        });
        ContextCopy { maps: map.into_iter().collect(), unseen: Vec::new() }
    }

    /// A COPY of manifests from another stage.
    pub fn handed(&self, step: &Step<'_>) -> Option<Handed> {
        handed::read(self.model?, step, self.view, &|path| self.is_folder(path))
    }

    fn is_made(&self, path: &str) -> bool {
        self.made.iter().any(|(_, file)| file == path)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.copies.iter().flatten().flat_map(|copy| &copy.maps).any(|map| {
            let folder = if map.folder { Some(map.to.as_str()) } else { map.to.rsplit_once('/').map(|(folder, _)| folder) };
            folder.is_some_and(|folder| is_within(folder, path))
        })
    }

    /// The context path of what lies at an image path.
    pub fn back(&self, path: &str) -> Option<String> {
        if self.is_made(path) {
            return None;
        }
        self.copies.iter().rev().find_map(|copy| match copy {
            Ok(copy) => copy.back(path, self.view).map(Some),
            Err(folder) if is_within(path, folder) => Some(None),
            Err(_) => None,
        })?
    }
}

impl Project for Laid<'_> {
    fn downloaded(&self, path: &str) -> Option<String> {
        let (number, _, url) = self.downloads.iter().rev().find(|(_, file, _)| file == path)?;
        let later = self.copies.iter().skip(*number);
        let covers = |copy: &Result<ContextCopy, String>| match copy {
            Ok(copy) => copy.back(path, self.view).is_some() || copy.hides(path),
            Err(folder) => is_within(path, folder),
        };
        (!later.into_iter().any(covers)).then(|| url.clone())
    }

    fn look(&self, path: &str) -> Found {
        if self.is_made(path) {
            return Found::File;
        }
        for copy in self.copies.iter().rev() {
            match copy {
                Ok(copy) => {
                    if let Some(from) = copy.back(path, self.view) {
                        return match self.view.kind(&from) {
                            Some(Kind::File | Kind::Link) => Found::File,
                            Some(Kind::Folder) => Found::Folder,
                            None => Found::Unknown,
                        };
                    }
                    if copy.unseen.iter().any(|folder| is_within(path, folder)) {
                        return Found::Unknown;
                    }
                }
                Err(folder) if is_within(path, folder) => return Found::Unknown,
                Err(_) => {}
            }
        }
        match () {
            () if self.is_folder(path) => Found::Folder,
            () if self.copies.iter().flatten().any(|copy| copy.fills(path)) || self.is_folder_of(path) => Found::Nothing,
            () => Found::Unknown,
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names = Vec::new();
        for map in self.copies.iter().flatten().flat_map(|copy| &copy.maps) {
            match map.back(folder) {
                Some(from) if map.folder => names.extend(self.view.names(&from)),
                // Files and folders that are laid somewhere below.
                _ => names.extend(
                    below(&map.to, folder)
                        .filter(|rest| !rest.is_empty())
                        .and_then(|rest| rest.split('/').next())
                        .map(str::to_owned),
                ),
            }
        }
        names.sort();
        names.dedup();
        names
    }

    fn text(&self, path: &str) -> Knowledge<Arc<str>> {
        self.back(path).map_or(Knowledge::Unknown, |from| self.view.text(&from))
    }

    fn is_tracked(&self, path: &str) -> Knowledge<bool> {
        self.back(path).map_or(Knowledge::Unknown, |from| self.view.is_tracked(&from))
    }
}

impl Laid<'_> {
    /// Whether the path lies beside something that a copy laid: a place that copies fill.
    fn is_folder_of(&self, path: &str) -> bool {
        let Some((folder, _)) = path.rsplit_once('/') else { return false };
        self.copies
            .iter()
            .flatten()
            .flat_map(|copy| &copy.maps)
            .any(|map| !map.folder && map.to.rsplit_once('/').is_some_and(|(own, _)| own == folder))
    }
}

/// What a file takes from its build context, as it is written: the sources of COPY and ADD, and of bind mounts (`.` for one without).
pub fn context_sources(dockerfile: &Dockerfile) -> Vec<String> {
    let mut sources = Vec::new();
    for instruction in dockerfile.instructions() {
        if is_context_copy(instruction) && instruction.heredocs.is_empty() {
            let own = instruction.arguments.values.split_last().map_or(&[][..], |(_, own)| own);
            sources.extend(own.iter().filter(|source| !is_remote(source)).cloned());
        }
        for mount in instruction.flags_named("mount").map(Flag::value) {
            let bind = mount_option(mount, "type").is_none_or(|kind| kind == "bind") && mount_option(mount, "from").is_none();
            if bind {
                let source = mount_option(mount, "source").or_else(|| mount_option(mount, "src"));
                sources.push(source.unwrap_or(".").to_owned());
            }
        }
    }
    sources
}
