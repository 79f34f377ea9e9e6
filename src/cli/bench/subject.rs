//! What is built: a file as it is, and as it is rewritten.
//!
//! Owns: finding the one file and its context, and both texts of it with their ignore files. Never does: build.

use super::Arguments;
use super::copy::Copy;
use crate::cli::files::{self, Found};
use crate::cli::panics;
use crate::cli::place::Places;
use crate::context::View;
use crate::pipeline::{self, Options, Others, Place, Stop};
use crate::report::path::shown;
use crate::transforms;
use anyhow::{Context, bail, ensure};
use std::path::{Path, PathBuf};

/// Before and after, in one context.
pub(super) struct Subject {
    /// The file, as it is spoken of.
    pub(super) name: String,
    /// The context's folder.
    root: PathBuf,
    /// The context as the file sees it before.
    pub(super) view: View,
    /// Where the file lies in the context, if it does.
    inside: Option<String>,
    /// The texts before and after.
    pub(super) texts: [String; 2],
    /// The ignore files before and after.
    ignores: [Option<String>; 2],
    /// Where the ignore file lies, from the context's root.
    ignore_path: String,
}

impl Subject {
    /// What the arguments say.
    pub(super) fn find(arguments: &Arguments) -> anyhow::Result<Self> {
        let named = arguments.before.as_ref().or(arguments.path.as_ref()).cloned().unwrap_or_else(|| PathBuf::from("."));
        let found = one(&named)?;
        let before = files::read(&found)?;
        let (root, place) = place(&found, arguments.context.as_deref())?;
        let view = place.view.clone();
        let (ignore_path, ignore) = view.ignore_file();
        let ignore = ignore.map(|text| text.to_string());
        let (after, ignore_after) = match &arguments.after {
            Some(after) => (files::read(after)?, ignore.clone()),
            None => {
                let options = Options { place: Some(place), ..arguments.options() };
                let outcome = panics::caught(|| pipeline::run(&before, &options, transforms::all()))?;
                ensure!(
                    outcome.stop != Stop::Broken,
                    "{}: the builder would refuse it: `dockeropt fix` says where",
                    shown(&found)
                );
                (outcome.after, outcome.ignore.map(|change| change.after).or_else(|| ignore.clone()))
            }
        };
        let inside = inside(&root, &found);
        let (texts, ignores) = ([before, after], [ignore, ignore_after]);
        Ok(Self { name: shown(&found), root, view, inside, texts, ignores, ignore_path })
    }

    /// Whether there is anything to compare.
    pub(super) fn differs(&self) -> bool {
        let [before, after] = &self.texts;
        let [ignored, ignored_after] = &self.ignores;
        before != after || ignored != ignored_after
    }

    /// A copy of the context with the file of that side in it.
    pub(super) fn copy(&self, side: usize) -> anyhow::Result<Copy> {
        let copy = Copy::of(&self.root, &self.view)?;
        // A copy of everything copies these, too.
        let text = self.text(side);
        if let Some(path) = self.inside.as_deref().filter(|path| copy.path().join(path).is_file()) {
            copy.write(path, text)?;
        }
        if let (Some(ignore), false) = (self.ignore(side), self.ignore_path.starts_with("..")) {
            let copied = copy.path().join(&self.ignore_path).is_file();
            let is_new = self.ignore(0).is_none() && !self.view.is_ignored(&self.ignore_path);
            if copied || is_new {
                copy.write(&self.ignore_path, ignore)?;
            }
        }
        Ok(copy)
    }

    /// The text of the file on that side.
    pub(super) fn text(&self, side: usize) -> &str {
        self.texts.get(side).map(String::as_str).unwrap_or_default()
    }

    /// The text of the ignore file.
    pub(super) fn ignore(&self, side: usize) -> Option<&str> {
        self.ignores.get(side)?.as_deref()
    }

    /// A file that the caller named, from the context's root.
    pub(super) fn in_context(&self, file: &Path) -> anyhow::Result<String> {
        let path = if self.root.join(file).is_file() { self.root.join(file) } else { file.to_owned() };
        let path = inside(&self.root, &path)
            .with_context(|| format!("--edit {}: is no file of the context {}", shown(file), shown(&self.root)))?;
        ensure!(self.view.kind(&path).is_some(), "--edit {path}: the ignore file keeps it from the builder");
        Ok(path)
    }
}

/// The one Dockerfile that is meant.
fn one(named: &Path) -> anyhow::Result<PathBuf> {
    let mut found = files::find(&[named.to_owned()]).into_iter();
    match (found.next(), found.next()) {
        (Some(Found::File(path)), None) => Ok(path),
        (Some(Found::Failed(_, error)), _) => Err(error),
        (None, _) => bail!("{}: there is no Dockerfile in it", shown(named)),
        (Some(Found::Stdin), _) => bail!("a file on standard input has no context: name a file"),
        _ => bail!("{}: there are several Dockerfiles in it: name one", shown(named)),
    }
}

fn place(file: &Path, context: Option<&Path>) -> anyhow::Result<(PathBuf, Place)> {
    if let Some(context) = context {
        ensure!(context.is_dir(), "--context {}: is no folder: name the one that `docker build` gets", shown(context));
    }
    let places = Places::new(context);
    let groups = places.groups(vec![Found::File(file.to_owned())]);
    let group = groups.first().context("no file")?;
    let unknown = |why: Option<String>| {
        let why = why.unwrap_or_else(|| "it copies nothing".to_owned());
        anyhow::anyhow!("{}: its build context is not known ({why}): name it with --context DIR", shown(file))
    };
    // A file that copies nothing is built from anywhere.
    let root = group.root().map(Path::to_owned).or_else(|| {
        file.parent().map(|folder| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
    });
    match (places.place(group, file, None), root) {
        (Ok(place), Some(root)) => Ok((root, place)),
        (Err(None), Some(root)) => {
            let view = View::open(&root, file);
            Ok((root, Place { view, others: Others::default(), targets: Vec::new(), fresh_arguments: Vec::new() }))
        }
        (Err(why), _) => Err(unknown(why)),
        (Ok(_), None) => Err(unknown(None)),
    }
}

/// A file's path from a folder, where it lies in it.
fn inside(root: &Path, file: &Path) -> Option<String> {
    let (root, file) = (root.canonicalize().ok()?, file.canonicalize().ok()?);
    let parts: Option<Vec<&str>> = file.strip_prefix(root).ok()?.iter().map(std::ffi::OsStr::to_str).collect();
    Some(parts?.join("/"))
}
