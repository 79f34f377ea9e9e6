//! One layer: a tar, as a list of what it adds and takes away.
//!
//! Owns: tar's headers with their PAX extensions (long names, large numbers, extended attributes), whiteouts' names, and hashing.

use super::{Entry, EntryKind};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use tar::EntryType;

/// No extension header is larger, in bytes: extended attributes of a file have 64 KiB each at most.
const LARGEST_HEADER: u64 = 16 << 20;

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
        let mut records = Records::default();
        // Raw, for the library takes a line end in the value of an extended attribute for the record's end.
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            if records.take(&mut entry)? {
                continue;
            }
            if let Some(change) = change(&mut entry, &records)? {
                changes.push(change);
            }
            records = Records::default();
        }
        Ok(Self(changes))
    }
}

/// What extension headers say of the entry behind them.
#[derive(Default)]
struct Records {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    uid: Option<u64>,
    gid: Option<u64>,
    xattrs: BTreeMap<String, Vec<u8>>,
}

impl Records {
    /// Reads an entry that is such a header; `false`: it is none.
    fn take(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> io::Result<bool> {
        let kind = entry.header().entry_type();
        if !matches!(kind, EntryType::XHeader | EntryType::GNULongName | EntryType::GNULongLink) {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        entry.take(LARGEST_HEADER).read_to_end(&mut bytes)?;
        if kind == EntryType::XHeader {
            self.read(&bytes)?;
            return Ok(true);
        }
        // GNU's long names end with a nought.
        let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let place = if kind == EntryType::GNULongName { &mut self.path } else { &mut self.link };
        *place = Some(name);
        Ok(true)
    }

    /// PAX records: `LENGTH KEY=VALUE` and a line end, the length being that of all of it.
    fn read(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "a PAX record can't be read");
        while !bytes.is_empty() {
            let space = bytes.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let length = bytes.get(..space).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
            let record = length.and_then(|length| bytes.get(space + 1..length.checked_sub(1)?)).ok_or_else(broken)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
            let (key, value) = record.split_at(equals);
            self.note(&text(key), value.get(1..).unwrap_or_default())?;
            bytes = length.and_then(|length| bytes.get(length..)).unwrap_or_default();
        }
        Ok(())
    }

    fn note(&mut self, key: &str, value: &[u8]) -> io::Result<()> {
        let number = || std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
        match key {
            "path" => self.path = Some(value.to_vec()),
            "linkpath" => self.link = Some(value.to_vec()),
            "uid" => self.uid = number(),
            "gid" => self.gid = number(),
            // Only written where the header has no room for it.
            "size" => return Err(io::Error::new(io::ErrorKind::Unsupported, "a file of more than 8 GiB can't be compared")),
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    self.xattrs.insert(name.to_owned(), value.to_vec());
                }
            }
        }
        Ok(())
    }
}

fn change(entry: &mut tar::Entry<'_, impl Read>, records: &Records) -> io::Result<Option<Change>> {
    let path = records.path.clone().unwrap_or_else(|| entry.path_bytes().into_owned());
    let path = tidy(&text(&path));
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
        let to = tidy(&link_target(entry, records));
        return Ok(Some(Change::HardLink { path, to }));
    }
    let Some(kind) = kind(entry, &path, records)? else { return Ok(None) };
    let uid = records.uid.map_or_else(|| entry.header().uid(), Ok)?;
    let gid = records.gid.map_or_else(|| entry.header().gid(), Ok)?;
    let mode = entry.header().mode()? & 0o7777;
    Ok(Some(Change::Put(path, Entry { kind, mode, uid, gid, xattrs: records.xattrs.clone() })))
}

fn kind(entry: &mut tar::Entry<'_, impl Read>, path: &str, records: &Records) -> io::Result<Option<EntryKind>> {
    let device = |name| -> io::Result<_> {
        let (major, minor) = (entry.header().device_major()?, entry.header().device_minor()?);
        Ok(Some(EntryKind::Device(name, major.unwrap_or_default(), minor.unwrap_or_default())))
    };
    match entry.header().entry_type() {
        EntryType::Directory => Ok(Some(EntryKind::Directory)),
        EntryType::Symlink => Ok(Some(EntryKind::Symlink(link_target(entry, records)))),
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

fn link_target(entry: &tar::Entry<'_, impl Read>, records: &Records) -> String {
    match &records.link {
        Some(link) => text(link),
        None => entry.link_name_bytes().map(|name| text(&name)).unwrap_or_default(),
    }
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
