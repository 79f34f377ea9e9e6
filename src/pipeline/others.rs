//! The other Dockerfiles of a build context.
//!
//! Owns: what a fix of one file asks of its neighbours, each read once however many files of the context are fixed. Never does: find
//! them, or change them.

use crate::ecosystems::leftovers;
use crate::model::brought::is_context_copy;
use crate::syntax::{self, Dockerfile};
use std::sync::{Arc, OnceLock};

/// A Dockerfile of the context, as it was before anything was changed.
#[derive(Debug)]
pub struct OtherFile {
    /// Its name, as it is shown.
    pub name: String,
    text: String,
    copies: OnceLock<Vec<Copy>>,
    history: OnceLock<Option<&'static str>>,
}

/// What a COPY or ADD takes from the context.
#[derive(Debug)]
struct Copy {
    line: usize,
    sources: Vec<String>,
}

impl OtherFile {
    /// A file by the name that is shown and its text.
    pub fn new(name: String, text: String) -> Self {
        Self { name, text, copies: OnceLock::new(), history: OnceLock::new() }
    }

    /// The word by which the file shows that it reads version control data.
    pub fn reads_history(&self) -> Option<&'static str> {
        *self.history.get_or_init(|| leftovers::reads_history(&self.text))
    }

    /// The line of a COPY that names what a pattern would hide.
    pub(super) fn names_one(&self, patterns: &[String]) -> Option<usize> {
        let copies = self.copies.get_or_init(|| copies(&syntax::parse(&self.text)));
        line_of_one(copies, patterns)
    }
}

/// The files of a context without the one that is looked at.
#[derive(Clone, Debug, Default)]
pub struct Others {
    all: Arc<[OtherFile]>,
    own: Option<usize>,
}

impl Others {
    /// `own`: which of them is the one that is looked at.
    pub fn new(all: Arc<[OtherFile]>, own: Option<usize>) -> Self {
        Self { all, own }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &OtherFile> {
        self.all.iter().enumerate().filter(|(number, _)| Some(*number) != self.own).map(|(_, file)| file)
    }
}

/// The line of a COPY of this file that names what a pattern would hide.
pub(super) fn names_one(dockerfile: &Dockerfile, patterns: &[String]) -> Option<usize> {
    line_of_one(&copies(dockerfile), patterns)
}

fn copies(dockerfile: &Dockerfile) -> Vec<Copy> {
    let copies = dockerfile.instructions().filter(|instruction| is_context_copy(instruction));
    let read = copies.filter_map(|copy| {
        let (_, sources) = copy.arguments.values.split_last()?;
        Some(Copy { line: copy.lines.0, sources: sources.to_vec() })
    });
    read.collect()
}

/// A pattern counts wherever in a source it may lie: a COPY too many that is held to name it costs a line of the ignore file, one too
/// few a build.
fn line_of_one(copies: &[Copy], patterns: &[String]) -> Option<usize> {
    let named = |source: &String| {
        let source: Vec<&str> = parts(source).collect();
        patterns.iter().any(|pattern| {
            let pattern: Vec<&str> = parts(pattern).collect();
            !pattern.is_empty() && source.windows(pattern.len()).any(|part| part.iter().zip(&pattern).all(|(a, b)| fits(a, b)))
        })
    };
    copies.iter().find(|copy| copy.sources.iter().any(named)).map(|copy| copy.line)
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "." | "**"))
}

/// Whether a name may be one that a part of a pattern means; either may hold a `*`.
fn fits(name: &str, pattern: &str) -> bool {
    let among = |fixed: &str, glob: &str| {
        glob.split_once('*').map_or(fixed == glob, |(start, rest)| {
            let end = rest.rsplit('*').next().unwrap_or_default();
            fixed.len() >= start.len() + end.len() && fixed.starts_with(start) && fixed.ends_with(end)
        })
    };
    among(name, pattern) || among(pattern, name)
}

#[cfg(test)]
mod tests {
    use super::{OtherFile, Others};
    use std::sync::Arc;

    #[test]
    fn the_file_itself_is_no_other_file() {
        let files: Arc<[OtherFile]> = ["a", "b", "c"].map(|name| OtherFile::new(name.to_owned(), String::new())).into();
        let names = |own| Others::new(Arc::clone(&files), own).iter().map(|file| file.name.clone()).collect::<String>();
        assert_eq!((names(Some(1)).as_str(), names(None).as_str()), ("ac", "abc"));
    }

    #[test]
    fn copies_name_what_a_pattern_would_hide() {
        let text = "FROM a\nCOPY . .\nCOPY app/node_modules/x \\\n  y /z\nADD dist /dist\nCOPY a/debug.log *.tmp /\n";
        let line = |pattern: &str| OtherFile::new(String::new(), text.to_owned()).names_one(&[pattern.to_owned()]);
        assert_eq!(line("**/node_modules"), Some(3));
        assert_eq!(line("app/node_modules"), Some(3));
        assert_eq!(line("lib/node_modules"), None);
        assert_eq!(line("**/dist"), Some(5));
        assert_eq!(line("**/build"), None);
        assert_eq!(line("**/*.log"), Some(6));
        assert_eq!(line("**/*.pyc"), None);
        assert_eq!(line("old.tmp"), Some(6));
    }
}
