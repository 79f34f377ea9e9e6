//! The archive around the layers.
//!
//! Owns: finding the layers and the configuration of one image in a tar whose parts come in any order. A layer that an earlier
//! archive held under the same digest is not read again.

use super::Image;
use super::layer::Layer;
use super::merge::merged;
use flate2::bufread::MultiGzDecoder;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

/// JSON that is larger is no manifest and no configuration.
const MOST_JSON: u64 = 32 << 20;

/// Images of one run, which share most of their layers.
#[derive(Debug, Default)]
pub struct Images {
    known: HashMap<String, Arc<Layer>>,
}

/// What was found in one archive, by name.
#[derive(Default)]
struct Parts {
    layers: HashMap<String, Arc<Layer>>,
    documents: HashMap<String, Value>,
    /// A name that stands for another: old engines save a layer twice that way.
    links: HashMap<String, String>,
}

impl Images {
    /// Reads an archive that holds one image, to its end.
    ///
    /// # Errors
    /// When it is none, is cut off, or uses a compression that isn't known (zstd).
    pub fn read(&mut self, from: &mut dyn Read) -> io::Result<Image> {
        let mut parts = Parts::default();
        let mut archive = tar::Archive::new(from);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            match entry.header().entry_type() {
                tar::EntryType::Directory => {}
                tar::EntryType::Symlink | tar::EntryType::Link => {
                    let to = entry.link_name_bytes().map(|to| String::from_utf8_lossy(&to).into_owned()).unwrap_or_default();
                    parts.links.insert(name.clone(), beside(&name, &to));
                }
                _ => self.part(name, &mut entry, &mut parts)?,
            }
        }
        parts.image()
    }

    fn part(&mut self, name: String, from: &mut impl Read, parts: &mut Parts) -> io::Result<()> {
        let digest = digest_in(&name).map(str::to_owned);
        if let Some(layer) = digest.as_ref().and_then(|digest| self.known.get(digest)) {
            parts.layers.insert(name, Arc::clone(layer));
            return Ok(());
        }
        // As much as it takes to tell, however little comes at a time.
        let mut head = Vec::with_capacity(512);
        from.by_ref().take(512).read_to_end(&mut head)?;
        let is_tar = head.get(257..262) == Some(b"ustar") || (head.len() >= 512 && head.iter().take(512).all(|byte| *byte == 0));
        let is = |magic: &[u8]| head.starts_with(magic);
        let (is_gzip, is_zstd) = (is(&[0x1f, 0x8b]), is(&[0x28, 0xb5, 0x2f, 0xfd]));
        let whole = BufReader::with_capacity(1 << 16, io::Cursor::new(head).chain(from));
        let layer = if is_tar {
            Layer::read(whole)?
        } else if is_gzip {
            Layer::read(MultiGzDecoder::new(whole))?
        } else if is_zstd {
            return Err(io::Error::other(format!("{name}: the layer is compressed by zstd, which is not read")));
        } else {
            let mut text = Vec::new();
            whole.take(MOST_JSON).read_to_end(&mut text)?;
            // Files like VERSION are none.
            parts.documents.extend(serde_json::from_slice(&text).ok().map(|document| (name, document)));
            return Ok(());
        };
        let layer = Arc::new(layer);
        self.known.extend(digest.map(|digest| (digest, Arc::clone(&layer))));
        parts.layers.insert(name, layer);
        Ok(())
    }
}

impl Parts {
    fn image(&self) -> io::Result<Image> {
        let (config, layers) = self.by_manifest().or_else(|| self.by_index()).ok_or_else(|| {
            io::Error::other(
                "it has no manifest: this is neither a docker archive nor an OCI layout, or it holds more than one image",
            )
        })?;
        let config = self.documents.get(&config).ok_or_else(|| missing(&config))?;
        let layers = layers.iter().map(|name| self.layer(name)).collect::<io::Result<Vec<_>>>()?;
        let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or("?");
        let settings = config.get("config").and_then(Value::as_object).into_iter().flatten();
        Ok(Image {
            entries: merged(&layers).map_err(io::Error::other)?,
            config: settings.map(|(key, value)| (key.clone(), value.clone())).collect(),
            platform: format!("{}/{}", text("os"), text("architecture")),
        })
    }

    /// `manifest.json` of docker archives.
    fn by_manifest(&self) -> Option<(String, Vec<String>)> {
        let [image] = self.documents.get("manifest.json")?.as_array()?.as_slice() else { return None };
        let layers = image.get("Layers").and_then(Value::as_array)?.iter();
        let layers = layers.map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
        Some((image.get("Config")?.as_str()?.to_owned(), layers))
    }

    /// `index.json` of OCI layouts: its one manifest, through lists of one.
    fn by_index(&self) -> Option<(String, Vec<String>)> {
        let mut document = self.documents.get("index.json")?;
        let blob = |descriptor: &Value| Some(format!("blobs/{}", descriptor.get("digest")?.as_str()?.replace(':', "/")));
        for _ in 0..4 {
            let Some(manifests) = document.get("manifests").and_then(Value::as_array) else { break };
            let [manifest] = manifests.as_slice() else { return None };
            document = self.documents.get(&blob(manifest)?)?;
        }
        let layers = document.get("layers")?.as_array()?.iter().map(blob).collect::<Option<_>>()?;
        Some((blob(document.get("config")?)?, layers))
    }

    fn layer(&self, name: &str) -> io::Result<Arc<Layer>> {
        let mut name = name;
        for _ in 0..4 {
            if let Some(layer) = self.layers.get(name) {
                return Ok(Arc::clone(layer));
            }
            match self.links.get(name) {
                Some(to) => name = to,
                None => break,
            }
        }
        Err(missing(name))
    }
}

fn missing(name: &str) -> io::Error {
    io::Error::other(format!("{name} is named in the archive, and is not in it"))
}

/// The digest in the name of a blob or layer that is named by its content.
fn digest_in(name: &str) -> Option<&str> {
    let digest = name.strip_prefix("blobs/sha256/").or_else(|| name.strip_suffix(".tar"))?;
    (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digest)
}

/// The path that a link beside `name` leads to.
fn beside(name: &str, to: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
