//! What is in an image: every path and the configuration.
//!
//! Owns: reading docker archives (`docker save`, buildah's and podman's `docker-archive`, OCI layouts in a tar) as streams, and
//! laying their layers over each other. Memory grows with the number of paths; contents are hashed as they go by. Never does:
//! write anything, or say what a difference means; that is `compare`'s.

mod archive;
mod layer;
mod merge;

pub use archive::Images;

use serde_json::Value;
use std::collections::BTreeMap;

/// An image as a container would see it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Every path but the root, without a slash in front. Bytes that are no UTF-8 are written as `\xNN`.
    pub entries: BTreeMap<String, Entry>,
    /// The object `config` of the image's configuration, as it stands there.
    pub config: BTreeMap<String, Value>,
    /// `OS/ARCHITECTURE`.
    pub platform: String,
}

/// A path of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
    /// Extended attributes by name.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Directory,
    /// A regular file.
    File {
        /// SHA-256 of what is in it; of `.pyc` files with the time in their header left out.
        hash: [u8; 32],
        /// In bytes.
        size: u64,
        /// The other paths that are the same file (hard links), sorted.
        links: Vec<String>,
    },
    /// A symbolic link.
    Symlink(String),
    /// A device, by `char` or `block`, its major and its minor number.
    Device(&'static str, u32, u32),
    /// A named pipe.
    Fifo,
}

impl EntryKind {
    /// As it is printed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Directory => "folder",
            Self::File { .. } => "file",
            Self::Symlink(_) => "symbolic link",
            Self::Device(..) => "device",
            Self::Fifo => "named pipe",
        }
    }
}

impl Entry {
    /// Bytes of a file; 0 for all else.
    pub fn size(&self) -> u64 {
        match &self.kind {
            EntryKind::File { size, .. } => *size,
            _ => 0,
        }
    }
}
