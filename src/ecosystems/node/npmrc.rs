//! The `.npmrc` of a project.
//!
//! Owns: its settings, and the files that they name. Never does: read those of the user or the machine, which no copy of the
//! project brings.

use super::reading::{Reading, join, needs_source};
use crate::ecosystems::Entangled;

/// The settings of one `.npmrc`; empty where there is none.
#[derive(Default)]
pub(crate) struct Npmrc(Vec<(String, String)>);

impl Npmrc {
    /// The `.npmrc` of a folder, which becomes part of the answer with the certificates that it names.
    pub(crate) fn read(reading: &mut Reading<'_>, folder: &str) -> Result<Self, Entangled> {
        let path = join(folder, ".npmrc");
        if !reading.optional(&path) {
            return Ok(Self::default());
        }
        let text = reading.text(&path)?;
        let mut settings = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) else { continue };
            let (key, value) = (key.trim(), value.trim().trim_matches(['"', '\'']));
            let last = key.rsplit(':').next().unwrap_or(key);
            if matches!(last, "cafile" | "certfile" | "keyfile") {
                reading.optional(&join(folder, value));
            }
            let name = reading.name(&path);
            if matches!(key, "script-shell" | "node-options" | "onload-script") && value.contains("./") {
                return Err(needs_source(format!("{name}:{}: {key} runs a file of the project", number + 1)));
            }
            settings.push((key.trim_end_matches("[]").to_owned(), value.to_owned()));
        }
        Ok(Self(settings))
    }

    /// The value of a setting; the last one counts.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.get(key) == Some("true")
    }

    pub(crate) fn is_off(&self, key: &str) -> bool {
        self.get(key) == Some("false")
    }

    /// The names of all settings.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}
