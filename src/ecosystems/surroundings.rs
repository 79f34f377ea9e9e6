//! What holds around a command: variables, user, home, folder, base image, and what ran before.
//!
//! Owns: the questions that ecosystems ask. Never does: find the answers; the model does, and says Unknown where it can't.

use super::Invocation;
use crate::knowledge::Knowledge;

/// What holds at one command of one RUN.
#[derive(Clone, Debug, Default)]
pub struct Surroundings<'a> {
    /// Variables in force, latest last: ENV, ARG, exported in the script, in front of the command.
    pub variables: Vec<(String, Knowledge<String>)>,
    /// The home folder of who runs the command, absolute, no trailing slash (`/` itself excepted).
    pub home: Knowledge<String>,
    /// Who runs the command.
    pub user: User,
    /// The folder in which the step starts.
    pub workdir: Knowledge<String>,
    /// The image at the bottom of the stage.
    pub base: BaseImage,
    /// Commands that ran earlier in this stage (and those it is built on), oldest first.
    pub earlier: &'a [Invocation],
}

/// Who runs a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// uid 0, by USER or because nothing says otherwise.
    #[default]
    Root,
    /// Somebody else. Numbers only where they are proven.
    Other {
        /// As in USER, where it is a name.
        name: Option<String>,
        /// The user's number.
        uid: Knowledge<u32>,
        /// The number of its main group.
        gid: Knowledge<u32>,
    },
    /// Not known.
    Unknown,
}

/// The reference of the image that a chain of stages starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseImage {
    /// The whole reference with known variables put in; Unknown where one is not known.
    pub reference: Knowledge<String>,
}

impl BaseImage {
    /// The repository without registry host, `library/` and tag: `python`, `bitnami/node`. Empty when unknown.
    pub fn repository(&self) -> &str {
        let Some(reference) = self.reference.known() else { return "" };
        let name = reference.split('@').next().unwrap_or_default();
        let name = match name.rsplit_once(':') {
            Some((head, tag)) if !tag.contains('/') => head,
            _ => name,
        };
        let name = match name.split_once('/') {
            Some((host, rest)) if host.contains('.') || host.contains(':') || host == "localhost" => rest,
            _ => name,
        };
        name.strip_prefix("library/").unwrap_or(name)
    }

    /// The tag, where one is written: `3.11-slim`. Empty without one.
    pub fn tag(&self) -> &str {
        let Some(reference) = self.reference.known() else { return "" };
        let name = reference.split('@').next().unwrap_or_default();
        match name.rsplit_once(':') {
            Some((_, tag)) if !tag.contains('/') => tag,
            _ => "",
        }
    }
}

impl Surroundings<'_> {
    /// The variable's value: `None` when it is not set, Unknown when it is set to something not known.
    /// A variable set to the empty text counts as set.
    pub fn variable(&self, name: &str) -> Option<&Knowledge<String>> {
        self.variables.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The variable where it is set to a non-empty text; `Some(Unknown)` when it may be.
    pub fn non_empty(&self, name: &str) -> Option<Knowledge<&str>> {
        match self.variable(name)? {
            Knowledge::Known(value) if value.is_empty() => None,
            Knowledge::Known(value) => Some(Knowledge::Known(value.as_str())),
            Knowledge::Unknown => Some(Knowledge::Unknown),
        }
    }

    /// `relative` below the home folder, absolute.
    pub fn below_home(&self, relative: &str) -> Knowledge<String> {
        self.home.clone().map(|home| join(&home, relative))
    }

    /// `path` as an absolute path: as it is, behind the work folder, or with a leading `~` put in. No `.`/`..` parts remain.
    pub fn absolute(&self, path: &str) -> Knowledge<String> {
        if path == "~" {
            return self.home.clone();
        }
        if let Some(rest) = path.strip_prefix("~/") {
            return self.below_home(rest);
        }
        absolute(path, &self.workdir)
    }
}

/// `path` seen from `workdir`, without `.`, `..` and doubled slashes.
pub fn absolute(path: &str, workdir: &Knowledge<String>) -> Knowledge<String> {
    if path.starts_with('/') {
        return Knowledge::Known(normalise(path));
    }
    workdir.clone().map(|workdir| normalise(&join(&workdir, path)))
}

fn join(folder: &str, relative: &str) -> String {
    format!("{}/{}", folder.trim_end_matches('/'), relative)
}

/// Drops `.`, `..`, doubled and trailing slashes of an absolute path.
fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}
