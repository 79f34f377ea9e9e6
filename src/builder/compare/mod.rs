//! Two images held against each other.
//!
//! Owns: what counts as a difference, path by path and key by key, and the sorting of differences into those that count and those
//! that a named [`Rule`] lets pass. Never does: build, read an archive, or print.

mod caches;
mod noise;
mod rules;

pub use noise::Noise;
pub use rules::{RULES, Rule};

use super::image::{Entry, EntryKind, Image};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// What is not the same in two images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// In which respect.
    pub aspect: Aspect,
    /// What the first image has there; `None`: it has no such thing.
    pub before: Option<String>,
    /// What the second image has.
    pub after: Option<String>,
}

/// Where a difference is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A path, with a slash in front.
    Path(String),
    /// A key of the configuration.
    Config(String),
}

/// In which respect two paths differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum Aspect {
    /// Only one image has the path or the key.
    Presence,
    Type,
    Content,
    LinkTarget,
    HardLinks,
    Mode,
    Owner,
    ExtendedAttributes,
    Device,
    /// The value of a key of the configuration.
    Value,
}

impl Aspect {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Type => "type",
            Self::Content => "content",
            Self::LinkTarget => "link target",
            Self::HardLinks => "hard links",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::ExtendedAttributes => "extended attributes",
            Self::Device => "device",
            Self::Value => "value",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.place {
            Place::Path(path) => path.clone(),
            Place::Config(key) => format!("config {key}"),
        };
        match (&self.before, &self.after) {
            (Some(before), None) => write!(f, "{place}: only before: {before}"),
            (None, Some(after)) => write!(f, "{place}: only after: {after}"),
            (before, after) => {
                let text = |side: &Option<String>| side.clone().unwrap_or_default();
                write!(f, "{place}: {}: {} before, {} after", self.aspect.name(), text(before), text(after))
            }
        }
    }
}

/// A difference that a rule lets pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The difference.
    pub difference: Difference,
    /// The rule's id.
    pub rule: &'static str,
}

/// What became of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// What differs and should not, by place.
    pub differences: Vec<Difference>,
    /// What differs and may.
    pub passed: Vec<Passed>,
    /// How many paths were held against each other.
    pub paths: usize,
    /// Bytes of package managers' caches in the first image and in the second.
    pub cached: (u64, u64),
}

impl Comparison {
    /// Whether nothing differs that should not.
    pub fn equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Holds two images against each other.
pub fn compare(before: &Image, after: &Image, noise: &Noise) -> Comparison {
    let mut comparison = Comparison::default();
    let all = all_differences(before, after);
    let pass = rules::Judge::new(before, after, noise);
    for difference in all {
        match pass.rule_for(&difference) {
            Some(rule) => comparison.passed.push(Passed { difference, rule: rule.id }),
            None => comparison.differences.push(difference),
        }
    }
    let bytes = |image: &Image| image.entries.iter().filter(|(path, _)| caches::holds(path)).map(|(_, entry)| entry.size()).sum();
    comparison.cached = (bytes(before), bytes(after));
    comparison.paths = before.entries.keys().chain(after.entries.keys()).collect::<BTreeSet<_>>().len();
    comparison
}

/// Everything that is not the same, before any rule: but for modification times, which are not read.
fn all_differences(before: &Image, after: &Image) -> Vec<Difference> {
    let mut found = Vec::new();
    let paths: BTreeSet<&String> = before.entries.keys().chain(after.entries.keys()).collect();
    for path in paths {
        let place = || Place::Path(format!("/{path}"));
        match (before.entries.get(path), after.entries.get(path)) {
            (Some(one), Some(other)) => {
                found.extend(entry_differences(one, other).into_iter().map(|(aspect, one, other)| Difference {
                    place: place(),
                    aspect,
                    before: Some(one),
                    after: Some(other),
                }));
            }
            (one, other) => found.push(Difference {
                place: place(),
                aspect: Aspect::Presence,
                before: one.map(described),
                after: other.map(described),
            }),
        }
    }
    found.extend(config_differences(before, after));
    found
}

fn entry_differences(one: &Entry, other: &Entry) -> Vec<(Aspect, String, String)> {
    let mut found = Vec::new();
    let mut add = |aspect, one: String, other: String| {
        if one != other {
            found.push((aspect, one, other));
        }
    };
    match (&one.kind, &other.kind) {
        (EntryKind::File { hash, size, links }, EntryKind::File { hash: other_hash, size: other_size, links: other_links }) => {
            let content = |hash: &[u8; 32], size: u64| format!("{size} bytes, sha256 {}", hex(hash));
            add(Aspect::Content, content(hash, *size), content(other_hash, *other_size));
            add(Aspect::HardLinks, named(links), named(other_links));
        }
        (EntryKind::Symlink(to), EntryKind::Symlink(other)) => add(Aspect::LinkTarget, to.clone(), other.clone()),
        (one, other) if one.name() == other.name() => add(Aspect::Device, format!("{one:?}"), format!("{other:?}")),
        (one, other) => add(Aspect::Type, one.name().to_owned(), other.name().to_owned()),
    }
    add(Aspect::Mode, format!("{:04o}", one.mode), format!("{:04o}", other.mode));
    add(Aspect::Owner, format!("{}:{}", one.uid, one.gid), format!("{}:{}", other.uid, other.gid));
    let attributes = |entry: &Entry| {
        let all = entry.xattrs.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii()));
        all.collect::<Vec<_>>().join(" ")
    };
    add(Aspect::ExtendedAttributes, attributes(one), attributes(other));
    found
}

fn described(entry: &Entry) -> String {
    match &entry.kind {
        EntryKind::File { size, .. } => format!("file of {size} bytes"),
        EntryKind::Symlink(to) => format!("symbolic link to {to}"),
        kind => kind.name().to_owned(),
    }
}

fn named(links: &[String]) -> String {
    if links.is_empty() { "none".to_owned() } else { links.iter().map(|path| format!("/{path}")).collect::<Vec<_>>().join(" ") }
}

fn hex(hash: &[u8; 32]) -> String {
    // The beginning tells two apart; nobody types the rest.
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Keys of the configuration that say how the image was made, not what it is.
const NOT_THE_IMAGES: &[&str] =
    &["Hostname", "Domainname", "Image", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce"];

fn config_differences(before: &Image, after: &Image) -> Vec<Difference> {
    let keys: BTreeSet<&String> = before.config.keys().chain(after.config.keys()).collect();
    let mut found = Vec::new();
    for key in keys.into_iter().filter(|key| !NOT_THE_IMAGES.contains(&key.as_str())) {
        let value = |image: &Image| image.config.get(key).and_then(|value| normal(key, value));
        let (one, other) = (value(before), value(after));
        if one != other {
            let text = |value: Option<Value>| value.map(|value| value.to_string());
            found.push(Difference {
                place: Place::Config(key.clone()),
                aspect: Aspect::Value,
                before: Some(text(one).unwrap_or_else(|| "nothing".to_owned())),
                after: Some(text(other).unwrap_or_else(|| "nothing".to_owned())),
            });
        }
    }
    if before.platform != after.platform {
        found.push(Difference {
            place: Place::Config("platform".to_owned()),
            aspect: Aspect::Value,
            before: Some(before.platform.clone()),
            after: Some(after.platform.clone()),
        });
    }
    found
}

/// A value in a form in which equal means equal: nothing in its many forms is nothing, variables have no order, nor have keys.
fn normal(key: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(list) if list.is_empty() => None,
        Value::Object(map) if map.is_empty() => None,
        Value::Array(list) if key == "Env" => {
            let mut list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            list.sort_unstable();
            Some(list.into())
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| key.as_str());
            Some(Value::Object(pairs.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
        }
        value => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests;
