//! A package.json.
//!
//! Owns: its fields as far as an install looks at them, and the line where something stands in it.
//! Never does: judge a script or resolve a path.

use super::reading::{Reading, join, not_seen};
use crate::ecosystems::Entangled;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A package.json that was read.
pub(crate) struct Manifest {
    /// Its path.
    pub(crate) path: String,
    /// The folder that it lies in.
    pub(crate) folder: String,
    text: Arc<str>,
    value: Value,
}

/// The groups whose packages an install fetches for a project of its own.
pub(crate) const GROUPS: &[&str] = &["dependencies", "devDependencies", "optionalDependencies"];

impl Manifest {
    /// The package.json of a folder, which becomes part of the answer.
    pub(crate) fn read(reading: &mut Reading<'_>, folder: &str, for_what: &str) -> Result<Self, Entangled> {
        let path = join(folder, "package.json");
        reading.required(&path, for_what)?;
        Self::at(reading, folder)
    }

    /// The package.json of a folder that has one, without adding it.
    pub(crate) fn at(reading: &Reading<'_>, folder: &str) -> Result<Self, Entangled> {
        let path = join(folder, "package.json");
        let text = reading.text(&path)?;
        let value = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')).ok().filter(Value::is_object);
        let value = value.ok_or_else(|| not_seen(format!("{} is not valid JSON", reading.name(&path))))?;
        Ok(Self { path, folder: folder.to_owned(), text, value })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// A field, where it is there.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    pub(crate) fn string(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    /// A field that maps names to something; empty where there is none.
    pub(crate) fn map(&self, name: &str) -> &Map<String, Value> {
        static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.field(name).and_then(Value::as_object).unwrap_or(&EMPTY)
    }

    /// Group, package and what is asked for, of all that an install fetches.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = (&'static str, &str, &str)> {
        GROUPS.iter().flat_map(|group| {
            self.map(group).iter().filter_map(move |(name, spec)| Some((*group, name.as_str(), spec.as_str()?)))
        })
    }

    /// Whether it asks for the package itself.
    pub(crate) fn depends_on(&self, package: &str) -> bool {
        self.dependencies().any(|(_, name, _)| name == package)
    }

    /// The text of a script, where it has one that does something.
    pub(crate) fn script(&self, name: &str) -> Option<&str> {
        self.map("scripts").get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// The programs that it brings, as paths from its folder.
    pub(crate) fn bins(&self) -> Vec<&str> {
        match self.field("bin") {
            Some(Value::String(path)) => vec![path],
            Some(Value::Object(map)) => map.values().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// What replaces the versions of packages, wherever a manager keeps it: `overrides`, `resolutions`, `pnpm.overrides`.
    pub(crate) fn overrides(&self) -> Vec<&str> {
        let mut found = Vec::new();
        let pnpm = self.field("pnpm").and_then(|pnpm| pnpm.get("overrides"));
        for value in [self.field("overrides"), self.field("resolutions"), pnpm].into_iter().flatten() {
            strings(value, &mut found);
        }
        found
    }

    /// The manager and the version that `packageManager` asks for.
    pub(crate) fn manager(&self) -> Option<(&str, &str)> {
        self.string("packageManager")?.split_once('@')
    }

    /// `package.json:12`, the line on which the key stands; without a line where it can't be told.
    pub(crate) fn place(&self, reading: &Reading<'_>, key: &str) -> String {
        let name = reading.name(&self.path);
        let quoted = format!("\"{key}\"");
        let is_key = |line: &str| {
            line.match_indices(&quoted)
                .any(|(at, found)| line.get(at + found.len()..).is_some_and(|rest| rest.trim_start().starts_with(':')))
        };
        match self.text.lines().position(is_key) {
            Some(line) => format!("{name}:{}", line + 1),
            None => name.to_owned(),
        }
    }
}

fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Object(map) => map.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}
