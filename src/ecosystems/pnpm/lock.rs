//! pnpm-lock.yaml: whether `pnpm install` leaves it as it is.
//!
//! Owns: that proof. Never does: resolve anything.
//!
//! Without `--frozen-lockfile`, pnpm prefers a lock that fits the manifests and does not write it then; pnpm 10 was seen to leave
//! even a comment in it alone. It fits where each member's requests stand in it as they are, and pnpm writes this format.

use crate::ecosystems::node::Manifest;
use crate::ecosystems::node::manifest::GROUPS;
use crate::ecosystems::node::yaml;
use serde_json::{Map, Value};

/// Whether every byte stays, for this major version of pnpm.
pub(super) fn is_kept(text: &str, root: &str, manifests: &[Manifest], major: Option<u32>) -> bool {
    let Some(lock) = yaml::parse(text) else { return false };
    let format = lock.get("lockfileVersion").and_then(Value::as_str).unwrap_or_default();
    let fits = match major {
        Some(8) => matches!(format, "6.0" | "6.1"),
        Some(9 | 10) => format == "9.0",
        _ => false,
    };
    // Checked against files and settings in ways that are not followed here.
    let more = [
        "overrides",
        "packageExtensionsChecksum",
        "pnpmfileChecksum",
        "patchedDependencies",
        "catalogs",
        "ignoredOptionalDependencies",
    ];
    let plain = more.iter().all(|key| lock.get(key).is_none());
    let settings = |manifest: &Manifest| {
        manifest.field("resolutions").is_none()
            && ["overrides", "packageExtensions", "patchedDependencies", "ignoredOptionalDependencies", "peerDependencyRules"]
                .iter()
                .all(|key| manifest.field("pnpm").is_none_or(|pnpm| pnpm.get(key).is_none()))
    };
    let importers = lock.get("importers").and_then(Value::as_object);
    if importers.is_some_and(|importers| importers.len() != manifests.len()) || !(fits && plain) {
        return false;
    }
    manifests.iter().all(|manifest| {
        let place = manifest.folder.strip_prefix(root.trim_end_matches('/')).unwrap_or_default().trim_start_matches('/');
        let place = if place.is_empty() { "." } else { place };
        // Up to version 8, a project that is no workspace stands at the top.
        let entry = match importers {
            Some(importers) => importers.get(place),
            None => Some(&lock),
        };
        settings(manifest) && entry.is_some_and(|entry| GROUPS.iter().all(|group| says_the_same(manifest, entry, group)))
    })
}

fn says_the_same(manifest: &Manifest, entry: &Value, group: &str) -> bool {
    let locked = entry.get(group).and_then(Value::as_object);
    // What is optional as well is only optional.
    let optional = |name: &str| group != "optionalDependencies" && manifest.map("optionalDependencies").contains_key(name);
    let asked: Vec<(&String, &Value)> = manifest.map(group).iter().filter(|(name, _)| !optional(name)).collect();
    let same = |(name, spec): &(&String, &Value)| locked.and_then(|locked| locked.get(*name)?.get("specifier")) == Some(*spec);
    asked.len() == locked.map_or(0, Map::len) && asked.iter().all(same)
}
