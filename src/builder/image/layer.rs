//! One layer: a tar, as a list of what it adds and takes away.
//!
//! Owns: tar's headers with their PAX extensions (long names, large numbers, extended attributes), whiteouts' names, and hashing.

use super::{Entry, EntryKind};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use tar::EntryType;

/// PAX records with this prefix hold extended attributes.
const XATTR: &str = "SCHILY.xattr.";

/// A name with this prefix takes away the one behind it, in the layers below.
const WHITEOUT: &str = ".wh.";

/// A file of this name takes away all that the layers below have in its folder.
const OPAQUE: &str = ".wh..wh..opq";

/// What a layer does, in the order of the tar.
#[derive(Debug, Default)]
pub(super) struct Layer(pub(super) Vec<Change>);

/// One thing that it does.
#[derive(Debug)]
pub(super) enum Change {
    /// A path is there.
    Put(String, Entry),
    /// A path is another name of a file.
    HardLink { path: String, to: String },
    /// A path of the layers below is gone, with what is below it.
    Remove(String),
    /// What the layers below have in a folder is gone.
    Empty(String),
}

impl Layer {
    /// Reads an uncompressed tar to its end.
    pub(super) fn read(from: impl Read) -> io::Result<Self> {
        let mut changes = Vec::new();
        let mut archive = tar::Archive::new(from);
        for entry in archive.entries()? {
            let mut entry = entry?;
            if let Some(change) = change(&mut entry)? {
                changes.push(change);
            }
        }
        Ok(Self(changes))
    }
}

fn change(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<Option<Change>> {
    let path = tidy(&text(&entry.path_bytes()));
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if name == OPAQUE {
        return Ok(Some(Change::Empty(folder.to_owned())));
    }
    if let Some(gone) = name.strip_prefix(WHITEOUT) {
        // Names like `.wh..wh.aufs` are the storage driver's own.
        let change = Change::Remove(if folder.is_empty() { gone.to_owned() } else { format!("{folder}/{gone}") });
        return Ok((!gone.starts_with(WHITEOUT)).then_some(change));
    }
    if path.is_empty() {
        return Ok(None);
    }
    if entry.header().entry_type() == EntryType::Link {
        let to = tidy(&link_target(entry));
        return Ok(Some(Change::HardLink { path, to }));
    }
    let Some(kind) = kind(entry, &path)? else { return Ok(None) };
    let (mut uid, mut gid) = (entry.header().uid()?, entry.header().gid()?);
    let mode = entry.header().mode()? & 0o7777;
    let mut xattrs = BTreeMap::new();
    if let Some(extensions) = entry.pax_extensions()? {
        for extension in extensions {
            // The tar library splits them at line ends, which an attribute's value may hold.
            let extension = extension.map_err(|_| {
                io::Error::other(format!("/{path}: its extended attributes hold a line end, which can't be read"))
            })?;
            let Ok(key) = extension.key() else { continue };
            let number = || extension.value().ok()?.parse().ok();
            match key {
                "uid" => uid = number().unwrap_or(uid),
                "gid" => gid = number().unwrap_or(gid),
                _ => {
                    if let Some(name) = key.strip_prefix(XATTR) {
                        xattrs.insert(name.to_owned(), extension.value_bytes().to_vec());
                    }
                }
            }
        }
    }
    Ok(Some(Change::Put(path, Entry { kind, mode, uid, gid, xattrs })))
}

fn kind(entry: &mut tar::Entry<'_, impl Read>, path: &str) -> io::Result<Option<EntryKind>> {
    let device = |name| -> io::Result<_> {
        let (major, minor) = (entry.header().device_major()?, entry.header().device_minor()?);
        Ok(Some(EntryKind::Device(name, major.unwrap_or_default(), minor.unwrap_or_default())))
    };
    match entry.header().entry_type() {
        EntryType::Directory => Ok(Some(EntryKind::Directory)),
        EntryType::Symlink => Ok(Some(EntryKind::Symlink(link_target(entry)))),
        EntryType::Char => device("char"),
        EntryType::Block => device("block"),
        EntryType::Fifo => Ok(Some(EntryKind::Fifo)),
        EntryType::XGlobalHeader => Ok(None),
        // All others are read as files, as tar programs do.
        _ => {
            let size = entry.size();
            Ok(Some(EntryKind::File { hash: hash(entry, path.ends_with(".pyc"))?, size, links: Vec::new() }))
        }
    }
}

fn link_target(entry: &tar::Entry<'_, impl Read>) -> String {
    entry.link_name_bytes().map(|name| text(&name)).unwrap_or_default()
}

/// SHA-256. Compiled Python begins with a magic number, flags, and where no flag is set the source's time and size; the time is
/// left out, because it is when the source was laid there.
fn hash(from: &mut impl Read, compiled_python: bool) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    if compiled_python {
        let mut head = Vec::with_capacity(16);
        from.take(16).read_to_end(&mut head)?;
        if head.get(4..8) == Some(&[0; 4])
            && let Some(time) = head.get_mut(8..12)
        {
            time.fill(0);
        }
        hasher.update(&head);
    }
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().into()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// Text that stands for the bytes, and for no others.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), str::to_owned)
}

/// Without `./`, and without slashes at the ends.
fn tidy(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}
