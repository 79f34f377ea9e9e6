//! Where each file is built.
//!
//! Owns: giving every file its build context, and putting the files of one context together, because they share an ignore file.
//! Never does: look into a context; that is `context`'s.

use super::files::{self, Found};
use crate::context::View;
use crate::pipeline::{OtherFile, Place};
use std::path::{Path, PathBuf};

/// Files that are done one after the other.
pub(super) struct Group {
    pub(super) files: Vec<Found>,
    /// The folder that they are built from, where it is known.
    root: Option<PathBuf>,
}

impl Group {
    /// The place of one of its files. `ignore`: the text that an earlier file left in the ignore file at this path.
    pub(super) fn place(&self, path: &Path, ignore: Option<(&str, &str)>) -> Option<Place> {
        let root = self.root.as_deref()?;
        let mut view = View::open(root, path);
        if let Some((file, text)) = ignore
            && view.ignore_file().0 == file
        {
            view = view.with_ignore(text);
        }
        let others = self.files.iter().filter_map(|other| match other {
            Found::File(file) if file != path => Some(file),
            _ => None,
        });
        let others = others.filter_map(|file| {
            let text = files::read(file).ok()?;
            Some(OtherFile { name: crate::report::path::shown(file), text: text.into() })
        });
        Some(Place { others: others.collect(), view, targets: Vec::new() })
    }

    /// The folder that they are built from.
    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }
}

/// Puts the files of one context together; files without one stand alone.
pub(super) fn groups(found: Vec<Found>, context: Option<&Path>) -> Vec<Group> {
    match context {
        Some(root) => vec![Group { files: found, root: Some(root.to_owned()) }],
        None => found.into_iter().map(|file| Group { files: vec![file], root: None }).collect(),
    }
}
