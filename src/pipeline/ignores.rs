//! The ignore file as a second text of a run.
//!
//! Owns: adding patterns at its end, and whether some Dockerfile of the context copies what they would hide. An ignore file is shared
//! by all Dockerfiles of its context. Never does: decide what is worth ignoring.

use super::{Options, others};
use crate::context::View;
use crate::syntax::Dockerfile;

/// The change of an ignore file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreChange {
    /// Its path, relative to the context's root, with `/`.
    pub path: String,
    /// Its text before; `None` where there was no file.
    pub before: Option<String>,
    /// Its text now.
    pub after: String,
}

/// The ignore file during a run.
#[derive(Clone, Debug)]
pub(super) struct Ignores {
    path: String,
    before: Option<String>,
    /// What the builder would see with the text as it is now.
    pub(super) view: View,
    text: String,
}

impl Ignores {
    pub(super) fn new(view: &View) -> Self {
        let (path, before) = view.ignore_file();
        let before = before.map(|text| text.to_string());
        Self { path, text: before.clone().unwrap_or_default(), before, view: view.clone() }
    }

    /// With the patterns that are not there yet at the end.
    pub(super) fn with(&self, patterns: &[&str]) -> Self {
        let line_end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut text = self.text.clone();
        for pattern in patterns {
            if text.lines().any(|line| line.trim() == *pattern) {
                continue;
            }
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str(line_end);
            }
            text.push_str(pattern);
            text.push_str(line_end);
        }
        Self { view: self.view.with_ignore(&text), text, ..self.clone() }
    }

    pub(super) fn change(self) -> Option<IgnoreChange> {
        let changed = self.before.as_deref().unwrap_or_default() != self.text;
        changed.then_some(IgnoreChange { path: self.path, before: self.before, after: self.text })
    }
}

/// The line of a COPY, in this file or another of its context, that names what a pattern would hide.
pub fn copied(dockerfile: &Dockerfile, options: &Options, patterns: &[String]) -> Option<String> {
    let own = others::names_one(dockerfile, patterns).map(|line| format!("line {line}"));
    let mut others = options.place.iter().flat_map(|place| place.others.iter());
    own.or_else(|| others.find_map(|other| Some(format!("{}:{}", other.name, other.names_one(patterns)?))))
}
