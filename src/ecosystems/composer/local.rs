//! Packages that a project brings along: in folders, in archives, in repositories of its own.
//!
//! Knows: a package of type `path` is linked to its folder (which only has to be there), unless it is told to be copied. With a
//! lock file, repositories are not looked at; without one, the manifests in them decide on versions.
//!
//! From: Composer's manual (repositories) and its `PathDownloader`; Composer 2.5 on an engine.

use super::manifests::Install;
use super::plugins;
use crate::ecosystems::{Entangled, Found, wildcard};
use crate::knowledge::Knowledge;
use serde_json::Value;

/// Repositories in the project; with a lock file they are not looked at.
pub(super) fn repositories(install: &mut Install) -> Result<(), Entangled> {
    let list: Vec<Value> = match install.root.at(&["repositories"]) {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::Object(map)) => map.values().cloned().collect(),
        _ => return Ok(()),
    };
    for repository in list {
        let text = |key: &str| repository.get(key).and_then(Value::as_str).unwrap_or_default();
        let url = text("url");
        let place = install.root.place(url);
        match text("type") {
            "path" => {
                let found = wildcard::expand(&install.path(url), install.project);
                if found.is_empty() {
                    return Err(Entangled::NotSeen { because: format!("{place}: no copy brings the packages at {url}") });
                }
                // Their versions and hashes go into composer.lock.
                install.found.folders.extend(found);
                install.needs_second_half = true;
            }
            "artifact" => install.take(url, &format!("{place}: the folder of packages"))?,
            _ if is_remote(url) || url.is_empty() => {}
            kind => {
                let because = format!("{place}: a repository of type {kind} lies in the project");
                return Err(Entangled::NeedsSource { because });
            }
        }
    }
    Ok(())
}

/// Locked packages that come from the project itinstall.
pub(super) fn packages(install: &mut Install) -> Result<(), Entangled> {
    let mirrors = install.at.non_empty("COMPOSER_MIRROR_PATH_REPOS").is_some_and(|value| value != Knowledge::Known("0"));
    let mut local = Vec::new();
    for package in install.packages() {
        let at = |keys: &[&str]| keys.iter().try_fold(package, |value, key| value.get(key));
        let name = at(&["name"]).and_then(Value::as_str).unwrap_or_default().to_owned();
        let url = at(&["dist", "url"]).or_else(|| at(&["source", "url"])).and_then(Value::as_str).unwrap_or_default();
        if is_remote(url) || url.is_empty() {
            continue;
        }
        let linked = at(&["dist", "type"]).and_then(Value::as_str) == Some("path")
            && at(&["transport-options", "symlink"]).and_then(Value::as_bool) != Some(false)
            && !mirrors;
        // Plugins run at once. What is copied into vendor/ is read whole.
        let is_plugin = at(&["type"]).and_then(Value::as_str).is_some_and(plugins::is_type);
        local.push((name, url.to_owned(), linked && !is_plugin));
    }
    for (name, url, linked) in local {
        let why = format!("{}: the package {name}", install.place_of(&name));
        let manifest = format!("{url}/composer.json");
        if linked && install.project.look(&install.path(&manifest)) == Found::File {
            // A link to the folder, which only has to be there.
            install.take(&manifest, &why)?;
            install.needs_second_half = true;
        } else {
            install.take(&url, &why)?;
        }
    }
    Ok(())
}

/// Whether an address is of another machine.
fn is_remote(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme != "file")
        || url.split_once(':').is_some_and(|(host, _)| host.contains('@'))
}
