//! What a build file says of a Dockerfile.
//!
//! Owns: [`Claim`], and how a build file's paths become paths of the repository. Never does: choose between claims.

use crate::context::glob;

/// A build file's word on a Dockerfile. Paths are from the repository's root, cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) dockerfile: String,
    /// `None`: named by something that can't be seen, or outside the repository.
    pub(super) context: Option<String>,
    /// It named this folder, which is not there: something makes it before the build.
    pub(super) missing: Option<String>,
    /// The stage that is built.
    pub(super) target: Option<String>,
    /// A stage is built that is named by something that can't be seen.
    pub(super) hides_target: bool,
    /// Build arguments that get another value with every build.
    pub(super) fresh: Vec<String>,
    /// Where that is said.
    pub(super) mention: Mention,
}

/// A place in a build file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    /// From the repository's root.
    pub(super) file: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// What is said, before its paths are resolved. Outer `None`: not said; inner `None`: said by something that can't be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) context: Option<Option<String>>,
    pub(super) dockerfile: Option<Option<String>>,
    pub(super) target: Option<Option<String>>,
    /// The Dockerfile's path is from the context; else from where the build runs.
    pub(super) from_context: bool,
    /// Build arguments that get another value with every build.
    pub(super) fresh: Vec<String>,
    /// The Dockerfile's text is in the build file.
    pub(super) is_inline: bool,
}

impl Said {
    /// The claim of a build that runs in a folder of the repository; `None` where the Dockerfile is none that can be named.
    pub(super) fn claim(&self, base: &str, mention: &Mention) -> Option<Claim> {
        if self.is_inline {
            return None;
        }
        let context = match self.context.clone().unwrap_or_else(|| Some(".".to_owned())) {
            Some(context) if is_remote(&context) => return None,
            Some(context) => below(base, &context),
            None => None,
        };
        let dockerfile = match (&self.dockerfile, self.from_context, &context) {
            (Some(Some(path)), false, _) => below(base, path)?,
            (Some(Some(path)), true, Some(context)) => below(context, path)?,
            (None, _, Some(context)) => below(context, "Dockerfile")?,
            _ => return None,
        };
        let (target, hides_target) = (self.target.clone().flatten(), self.target == Some(None));
        Some(Claim {
            dockerfile,
            context,
            missing: None,
            target,
            hides_target,
            fresh: self.fresh.clone(),
            mention: mention.clone(),
        })
    }
}

/// A path from a folder, as one from the root; `None` where it is no local one, or leaves the repository.
pub(super) fn below(folder: &str, path: &str) -> Option<String> {
    if is_remote(path) || path.starts_with('/') || path.contains('\\') {
        return None;
    }
    let mut depth = if folder.is_empty() { 0 } else { folder.split('/').count() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.checked_sub(1)?,
            _ => depth += 1,
        }
    }
    Some(glob::clean(&format!("{folder}/{path}")))
}

/// A repository or archive somewhere else, or standard input.
fn is_remote(context: &str) -> bool {
    context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/") || context == "-"
}

/// The folder that a file lies in.
pub(super) fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The name of a file.
pub(super) fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}
