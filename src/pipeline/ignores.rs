//! The ignore file as a second text of a run.
//!
//! Owns: adding patterns at its end, and whether some Dockerfile of the context copies what they would hide. An ignore file is shared
//! by all Dockerfiles of its context. Never does: decide what is worth ignoring.

use super::Options;
use crate::context::View;
use crate::model::brought::is_context_copy;
use crate::syntax::{self, Dockerfile};

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
    let own = names_one(dockerfile, patterns).map(|line| format!("line {line}"));
    let others = options.place.iter().flat_map(|place| &place.others);
    own.or_else(|| {
        others.into_iter().find_map(|other| {
            let line = names_one(&syntax::parse(&other.text), patterns)?;
            Some(format!("{}:{line}", other.name))
        })
    })
}

fn names_one(dockerfile: &Dockerfile, patterns: &[String]) -> Option<usize> {
    let copies = dockerfile.instructions().filter(|instruction| is_context_copy(instruction));
    let named = |source: &String| {
        let source = source.trim_start_matches("./").trim_matches('/');
        patterns.iter().any(|pattern| {
            let pattern = pattern.trim_start_matches("**/").trim_matches('/');
            source == pattern
                || source.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'))
                || source.ends_with(&format!("/{pattern}"))
        })
    };
    let mut copies =
        copies.filter(|copy| copy.arguments.values.split_last().is_some_and(|(_, sources)| sources.iter().any(named)));
    copies.next().map(|copy| copy.lines.0)
}
