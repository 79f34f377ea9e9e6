//! Commands for the tests of the ecosystems, from a list of words.

use super::{Argument, BaseImage, Found, Invocation, Project, Surroundings};
use crate::knowledge::Knowledge;
use std::sync::Arc;

/// A command from its words. `X=y` in front become its variables; a word with a `$` in it is not known.
pub fn invocation(words: &[&str]) -> Invocation {
    let assignments =
        words.iter().take_while(|word| word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-'))).count();
    let value = |word: &str| if word.contains('$') { Knowledge::Unknown } else { Knowledge::Known(word.to_owned()) };
    let variables = words.iter().take(assignments).filter_map(|word| word.split_once('='));
    let path = words.get(assignments).copied().unwrap_or_default();
    Invocation {
        program: path.rsplit('/').next().unwrap_or_default().to_owned(),
        path: path.to_owned(),
        arguments: words
            .iter()
            .skip(assignments + 1)
            .map(|word| Argument { value: value(word), raw: (*word).to_owned(), span: Knowledge::Unknown })
            .collect(),
        variables: variables.map(|(name, text)| (name.to_owned(), value(text))).collect(),
        front: Knowledge::Known(0),
        ..Invocation::default()
    }
}

/// A command from a text without quotes.
pub fn command(text: &str) -> Invocation {
    invocation(&text.split(' ').collect::<Vec<_>>())
}

/// What holds in [`Files::ROOT`], as root, with these variables.
pub fn at(variables: &[(&str, &str)]) -> Surroundings<'static> {
    let known = |(name, value): &(&str, &str)| ((*name).to_owned(), Knowledge::Known((*value).to_owned()));
    Surroundings {
        variables: variables.iter().map(known).collect(),
        home: Knowledge::Known("/root".to_owned()),
        workdir: Knowledge::Known(Files::ROOT.to_owned()),
        ..Surroundings::default()
    }
}

/// A project in memory: paths are absolute; a text of `None` can't be read. Everything below [`Files::ROOT`] is filled by copies.
pub struct Files(Vec<(String, Option<String>)>);

impl Files {
    /// The folder that the copies fill.
    pub const ROOT: &str = "/app";

    /// From names below [`Files::ROOT`] and texts.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(name, text)| (format!("{}/{name}", Self::ROOT), Some((*text).to_owned()))).collect())
    }

    /// With a file that can't be read.
    #[must_use]
    pub fn with_unreadable(mut self, name: &str) -> Self {
        self.0.push((format!("{}/{name}", Self::ROOT), None));
        self
    }

    fn below<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter_map(move |(path, _)| path.strip_prefix(folder)?.strip_prefix('/'))
    }
}

impl Project for Files {
    fn look(&self, path: &str) -> Found {
        match () {
            () if self.0.iter().any(|(file, _)| file == path) => Found::File,
            () if self.below(path).next().is_some() => Found::Folder,
            () if path == Self::ROOT || path.starts_with(&format!("{}/", Self::ROOT)) => Found::Nothing,
            () => Found::Unknown,
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.below(folder).map(|rest| rest.split('/').next().unwrap_or_default().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn text(&self, path: &str) -> Knowledge<Arc<str>> {
        self.0.iter().find(|(file, _)| file == path).and_then(|(_, text)| text.as_deref()).map(Arc::from).into()
    }

    fn is_tracked(&self, path: &str) -> Knowledge<bool> {
        Knowledge::Known(matches!(self.look(path), Found::File | Found::Folder))
    }
}

/// What holds in [`Files::ROOT`], as root, on an image with this reference.
pub fn in_project(base: &str) -> Surroundings<'static> {
    Surroundings {
        home: Knowledge::Known("/root".to_owned()),
        workdir: Knowledge::Known(Files::ROOT.to_owned()),
        base: BaseImage { reference: Knowledge::Known(base.to_owned()) },
        ..Surroundings::default()
    }
}
