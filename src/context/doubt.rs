//! Why a context may not be what it seems.
//!
//! Owns: the reasons and their words. Never does: decide what a doubt forbids.

use std::fmt;

/// Something in a context or its ignore file that could not be read for sure. Paths are from the context's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The builder fails on this line of the ignore file.
    MalformedPattern {
        /// The ignore file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What stands there.
        pattern: String,
    },
    /// The builder takes a part of this pattern for a regular expression, and releases differ.
    UnclearPattern {
        /// The ignore file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What stands there.
        pattern: String,
    },
    /// The ignore file can't be read as text.
    UnreadIgnoreFile {
        /// The ignore file.
        file: String,
    },
    /// A folder can't be read.
    UnreadFolder {
        /// Which; empty: the root.
        folder: String,
    },
    /// Names in a folder are not UTF-8.
    OddNames {
        /// Which; empty: the root.
        folder: String,
    },
    /// There are more files than are looked at.
    TooManyFiles,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |folder: &str| if folder.is_empty() { "the build context".to_owned() } else { format!("the folder {folder}") };
        match self {
            Self::MalformedPattern { file, line, pattern } => {
                write!(f, "{file}:{line}: the builder can't read the pattern `{pattern}`")
            }
            Self::UnclearPattern { file, line, pattern } => {
                write!(f, "{file}:{line}: releases of the builder read the pattern `{pattern}` differently")
            }
            Self::UnreadIgnoreFile { file } => write!(f, "{file}: can't be read as text"),
            Self::UnreadFolder { folder } => write!(f, "{} can't be read", shown(folder)),
            Self::OddNames { folder } => write!(f, "{} holds names that are not UTF-8", shown(folder)),
            Self::TooManyFiles => f.write_str("the build context holds too many files to look at all of them"),
        }
    }
}
