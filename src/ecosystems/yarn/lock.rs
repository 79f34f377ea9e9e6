//! yarn.lock of Yarn 1: whether an install leaves it as it is.
//!
//! Owns: that proof. Never does: compare versions with ranges; the lock's own patterns do.
//!
//! Yarn 1 writes nothing where all patterns that it meets are in the lock, no others are, and each entry has its checksum.
//! It was seen to leave even a comment in such a file alone.

use crate::ecosystems::node::Manifest;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Entry<'l> {
    patterns: Vec<String>,
    checked: bool,
    /// The patterns that it asks for.
    asks: Vec<(String, &'l str)>,
}

/// Whether every byte stays. Where versions are replaced (`resolutions`), nothing is proven.
pub(super) fn is_kept(text: &str, manifests: &[Manifest]) -> bool {
    let Some(entries) = parse(text) else { return false };
    let replaced = manifests.first().is_none_or(|root| !root.map("resolutions").is_empty());
    if replaced {
        return false;
    }
    let by_pattern: BTreeMap<&str, usize> = entries
        .iter()
        .enumerate()
        .flat_map(|(at, entry)| entry.patterns.iter().map(move |pattern| (pattern.as_str(), at)))
        .collect();
    let members: BTreeSet<&str> = manifests.iter().filter_map(|manifest| manifest.string("name")).collect();
    let mut met: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> = Vec::new();
    for (_, name, spec) in manifests.iter().flat_map(Manifest::dependencies) {
        let pattern = format!("{name}@{spec}");
        if by_pattern.contains_key(pattern.as_str()) {
            waiting.push(pattern);
        } else if !members.contains(name) {
            return false;
        }
    }
    while let Some(pattern) = waiting.pop() {
        let Some(entry) = by_pattern.get(pattern.as_str()).and_then(|at| entries.get(*at)) else { return false };
        if met.insert(pattern) {
            waiting.extend(entry.asks.iter().map(|(name, range)| format!("{name}@{range}")));
        }
    }
    entries.iter().all(|entry| entry.checked && entry.patterns.iter().all(|pattern| met.contains(pattern)))
}

fn parse(text: &str) -> Option<Vec<Entry<'_>>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut in_asks = false;
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let content = line.trim_start();
        match line.len() - content.len() {
            0 => {
                let patterns = content.strip_suffix(':')?.split(", ").map(|pattern| pattern.trim_matches('"').to_owned());
                entries.push(Entry { patterns: patterns.collect(), ..Entry::default() });
                in_asks = false;
            }
            2 => {
                let entry = entries.last_mut()?;
                in_asks = matches!(content, "dependencies:" | "optionalDependencies:");
                // Archives of a repository have no checksum.
                let of_repository =
                    content.starts_with("resolved ") && (content.contains("codeload.") || content.contains("git"));
                entry.checked |= content.starts_with("integrity ") || of_repository;
            }
            4 if in_asks => {
                let (name, range) = if let Some(quoted) = content.strip_prefix('"') {
                    let (name, range) = quoted.split_once('"')?;
                    (name, range)
                } else {
                    content.split_once(' ')?
                };
                entries.last_mut()?.asks.push((name.to_owned(), range.trim().trim_matches('"')));
            }
            _ => return None,
        }
    }
    Some(entries)
}
