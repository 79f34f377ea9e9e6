//! package-lock.json: whether `npm install` leaves it as it is.
//!
//! Owns: that proof. Never does: compare versions with ranges; a lock that npm wrote fits its own entries.
//!
//! npm writes the file anew on each install, in its own format. The bytes are the same where the format is npm's, the root's
//! and the members' entries say what their manifests say, and no entry is missing, left over, or written differently by other
//! versions of npm: those from 8 to 10 drop `libc`, and mark the dependencies of optional peers in different ways. So it was
//! with the 35 lock files at hand, run through npm 8, 10 and 11; 11 marks peers differently from release to release.

use crate::ecosystems::node::Manifest;
use crate::ecosystems::node::format::is_pretty;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

type Packages = Map<String, Value>;

/// Whether every byte stays. The first manifest is the root's, the others are members of its workspace. Unknown versions of npm
/// prove nothing.
pub(super) fn is_kept(text: &str, manifests: &[Manifest], npm: Option<RangeInclusive<u32>>) -> bool {
    let known = npm.as_ref().is_some_and(|majors| *majors.start() >= 7 && *majors.end() <= 11);
    // From release to release, 11 marks peers in other ways.
    let peers = npm.is_some_and(|majors| *majors.end() <= 10);
    let Some(lock) = serde_json::from_str::<Value>(text).ok().filter(|_| known) else { return false };
    let Some(root) = manifests.first() else { return false };
    let version = lock.get("lockfileVersion").and_then(Value::as_u64);
    let keys = ["name", "version", "lockfileVersion", "requires", "packages", "dependencies"];
    let plain = lock.as_object().is_some_and(|lock| lock.keys().all(|key| keys.contains(&key.as_str())));
    let Some(packages) = lock.get("packages").and_then(Value::as_object) else { return false };
    // Without a name of its own, the root has that of its folder.
    let name = root.string("name").or(root.folder.rsplit('/').next());
    plain
        && matches!(version, Some(2 | 3))
        && is_pretty(text, &lock)
        && lock.get("name").and_then(Value::as_str) == name
        && lock.get("version") == root.field("version")
        && manifests.iter().all(|manifest| says_the_same(manifest, root, packages))
        && packages.iter().filter(|(place, _)| place.contains("node_modules/")).all(|(_, entry)| is_stable(entry, peers))
        && is_complete(packages)
}

/// Whether a fetched package of the lock has install scripts; those of the project are left aside. `None` where the lock does not tell.
pub(super) fn has_install_scripts(text: &str) -> Option<bool> {
    let lock = serde_json::from_str::<Value>(text).ok()?;
    let packages = lock.get("packages")?.as_object()?;
    let has = |entry: &Value| entry.get("hasInstallScript").and_then(Value::as_bool) == Some(true);
    Some(packages.iter().any(|(place, entry)| place.contains("node_modules/") && has(entry)))
}

/// Whether the lock has an entry for everything that the manifests ask for, in their words: then an install fetches nothing else.
pub(super) fn covers(text: &str, manifests: &[Manifest]) -> bool {
    let Ok(lock) = serde_json::from_str::<Value>(text) else { return false };
    let Some((root, packages)) = manifests.first().zip(lock.get("packages").and_then(Value::as_object)) else { return false };
    manifests.iter().all(|manifest| entry(manifest, root, packages).is_some_and(|entry| asks_the_same(manifest, entry)))
        && is_complete(packages)
}

/// The entry of a manifest's folder.
fn entry<'p>(manifest: &Manifest, root: &Manifest, packages: &'p Packages) -> Option<&'p Value> {
    let place = manifest.folder.strip_prefix(root.folder.trim_end_matches('/')).unwrap_or_default().trim_start_matches('/');
    packages.get(place)
}

/// Whether an entry asks for what the manifest asks for.
fn asks_the_same(manifest: &Manifest, entry: &Value) -> bool {
    let group = |key: &str| {
        let locked = entry.get(key).and_then(Value::as_object);
        let optional = |name: &str| key == "dependencies" && manifest.map("optionalDependencies").contains_key(name);
        let asked: Vec<(&String, &Value)> = manifest.map(key).iter().filter(|(name, _)| !optional(name)).collect();
        asked.len() == locked.map_or(0, Map::len)
            && asked.iter().all(|(name, spec)| locked.and_then(|locked| locked.get(*name)) == Some(*spec))
    };
    ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"].iter().all(|key| group(key))
}

/// Whether the entry of a manifest's folder says what the manifest says.
fn says_the_same(manifest: &Manifest, root: &Manifest, packages: &Packages) -> bool {
    let Some(entry) = entry(manifest, root, packages) else { return false };
    let same = |key: &str| entry.get(key) == manifest.field(key);
    let runs = ["preinstall", "install", "postinstall"].iter().any(|event| manifest.script(event).is_some());
    let marked = entry.get("hasInstallScript").and_then(Value::as_bool) == Some(true);
    let named = entry.get("name").is_none_or(|name| Some(name) == manifest.field("name"));
    named
        && runs == marked
        && asks_the_same(manifest, entry)
        && ["version", "license", "engines", "workspaces", "peerDependenciesMeta", "os", "cpu"].iter().all(|key| same(key))
        // npm rewrites these into other shapes, or works them into the tree.
        && ["bin", "directories", "funding", "bundleDependencies", "bundledDependencies", "licenses", "overrides", "libc"]
            .iter()
            .all(|key| manifest.field(key).is_none())
}

/// Whether all of these versions of npm would write the entry of an installed package like this.
fn is_stable(entry: &Value, peers: bool) -> bool {
    let on = |key: &str| entry.get(key).and_then(Value::as_bool) == Some(true);
    if on("link") {
        return true;
    }
    let resolved = entry.get("resolved").and_then(Value::as_str).unwrap_or_default();
    let fetched = resolved.starts_with("https://registry.npmjs.org/") && entry.get("integrity").is_some();
    let plain = peers || !on("peer") && entry.get("peerDependencies").is_none();
    plain && (fetched || on("inBundle")) && !on("extraneous") && !(on("peer") && on("optional")) && entry.get("libc").is_none()
}

/// Whether everything that is asked for has an entry, and every entry is asked for.
fn is_complete(packages: &Packages) -> bool {
    let mut reached: BTreeSet<&str> = BTreeSet::from([""]);
    let mut waiting = vec![""];
    while let Some(place) = waiting.pop() {
        let Some(entry) = packages.get(place) else { return false };
        if let Some(target) = entry.get("resolved").and_then(Value::as_str).filter(|_| entry.get("link").is_some()) {
            if reached.insert(target) {
                waiting.push(target);
            }
            continue;
        }
        for (name, must) in edges(place, entry) {
            let found = resolve(packages, place, name);
            if found.is_none() && must {
                return false;
            }
            waiting.extend(found.filter(|found| reached.insert(found)));
        }
        // Members are linked from the root without being asked for.
        if place.is_empty() {
            for (place, entry) in packages.iter().filter(|(place, _)| is_member_link(place)) {
                if entry.get("link").is_some() && reached.insert(place) {
                    waiting.push(place);
                }
            }
        }
    }
    packages.keys().all(|place| reached.contains(place.as_str()))
}

fn is_member_link(place: &str) -> bool {
    place.strip_prefix("node_modules/").is_some_and(|name| !name.contains("node_modules/"))
}

/// What an entry asks for, and whether it must be there.
fn edges<'e>(place: &str, entry: &'e Value) -> Vec<(&'e str, bool)> {
    let mut groups = vec![("dependencies", true), ("optionalDependencies", false), ("peerDependencies", true)];
    if !place.contains("node_modules/") {
        groups.push(("devDependencies", true));
    }
    let optional_peer = |name: &str| {
        let meta = entry.get("peerDependenciesMeta").and_then(|meta| meta.get(name));
        meta.and_then(|meta| meta.get("optional")).and_then(Value::as_bool) == Some(true)
    };
    let names = |(group, must): (&'static str, bool)| {
        let map = entry.get(group).and_then(Value::as_object);
        map.into_iter().flat_map(move |map| map.keys().map(move |name| (group, name.as_str(), must)))
    };
    let all = groups.into_iter().flat_map(names);
    all.map(|(group, name, must)| (name, must && !(group == "peerDependencies" && optional_peer(name)))).collect()
}

/// The entry that Node.js would find for a name, from a place outwards.
fn resolve<'p>(packages: &'p Packages, place: &str, name: &str) -> Option<&'p str> {
    let mut folder = place;
    loop {
        let candidate = if folder.is_empty() { format!("node_modules/{name}") } else { format!("{folder}/node_modules/{name}") };
        if let Some((found, _)) = packages.get_key_value(&candidate).filter(|_| !folder.ends_with("node_modules")) {
            return Some(found);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
    }
}
