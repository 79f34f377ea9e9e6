//! Workspaces: the packages that a project is made of.
//!
//! Owns: the patterns by which package.json and pnpm-workspace.yaml name their folders, matched against the folders that there are.
//! Never does: read a member's manifest.

use super::Manifest;
use super::reading::{Reading, join, not_seen, outwards};
use crate::ecosystems::{Entangled, Found};
use serde_json::Value;

/// The patterns in package.json: a list, or `{ "packages": [ … ] }`.
pub(crate) fn patterns(manifest: &Manifest) -> Vec<String> {
    let list = match manifest.field("workspaces") {
        Some(Value::Object(map)) => map.get("packages"),
        other => other,
    };
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The folders below `root` that match a pattern, are not excluded by one with `!`, and have a package.json. Sorted.
pub(crate) fn members(reading: &Reading<'_>, root: &str, patterns: &[String]) -> Result<Vec<String>, Entangled> {
    let mut found = Vec::new();
    for pattern in patterns.iter().filter(|pattern| !pattern.starts_with('!')) {
        for plain in braces(pattern) {
            expand(reading, root, &segments(&plain)?, &mut found);
        }
    }
    let mut excluded = Vec::new();
    for pattern in patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')) {
        for plain in braces(pattern) {
            excluded.push(segments(&plain)?);
        }
    }
    found.retain(|folder| {
        let below = folder.strip_prefix(root.trim_end_matches('/')).unwrap_or_default();
        let below: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
        folder != root && !excluded.iter().any(|pattern| matches_all(pattern, &below))
    });
    found.sort();
    found.dedup();
    Ok(found)
}

/// The folder around `folder` whose package.json has it among its workspaces.
pub(crate) fn root_around(reading: &Reading<'_>, folder: &str) -> Result<Option<String>, Entangled> {
    for around in outwards(folder).skip(1).filter(|around| reading.is_file(&join(around, "package.json"))) {
        let patterns = patterns(&Manifest::at(reading, around)?);
        if !patterns.is_empty() && members(reading, around, &patterns)?.iter().any(|member| member == folder) {
            return Ok(Some(around.to_owned()));
        }
    }
    Ok(None)
}

/// The nearest folder from `folder` outwards that holds a file of this name.
pub(crate) fn nearest(reading: &Reading<'_>, folder: &str, file: &str) -> Option<String> {
    outwards(folder).find(|around| reading.is_file(&join(around, file))).map(str::to_owned)
}

/// A pattern's parts. Patterns with classes or choices of their own are not understood.
fn segments(pattern: &str) -> Result<Vec<String>, Entangled> {
    let parts: Vec<String> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect();
    let strange = |part: &String| part.contains(['[', '(', '\\', '{', '$']) || part == "..";
    if parts.iter().any(strange) {
        return Err(not_seen(format!("the workspace pattern {pattern} is not understood")));
    }
    Ok(parts)
}

fn expand(reading: &Reading<'_>, folder: &str, parts: &[String], found: &mut Vec<String>) {
    let Some((first, rest)) = parts.split_first() else {
        if reading.is_file(&join(folder, "package.json")) {
            found.push(folder.to_owned());
        }
        return;
    };
    if first == "**" {
        expand(reading, folder, rest, found);
        for name in folders(reading, folder) {
            expand(reading, &join(folder, &name), parts, found);
        }
    } else if first.contains(['*', '?']) {
        for name in folders(reading, folder).into_iter().filter(|name| matches(first, name)) {
            expand(reading, &join(folder, &name), rest, found);
        }
    } else if reading.project().look(&join(folder, first)) == Found::Folder {
        expand(reading, &join(folder, first), rest, found);
    }
}

/// The folders that a star may stand for.
fn folders(reading: &Reading<'_>, folder: &str) -> Vec<String> {
    let mut names = reading.project().names(folder);
    names.retain(|name| !name.starts_with('.') && name != "node_modules" && reading.is_folder(&join(folder, name)));
    names
}

fn matches_all(pattern: &[String], parts: &[&str]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            matches_all(rest, parts) || parts.split_first().is_some_and(|(_, parts)| matches_all(pattern, parts))
        }
        (Some((first, rest)), Some((part, parts))) => matches(first, part) && matches_all(rest, parts),
        _ => false,
    }
}

/// `*` and `?` in one part of a path.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => name.is_empty(),
        Some('*') => {
            name.char_indices().any(|(at, _)| matches(pattern.as_str(), name.get(at..).unwrap_or_default()))
                || matches(pattern.as_str(), "")
        }
        Some(wanted) => {
            let mut name = name.chars();
            name.next().is_some_and(|c| wanted == '?' || wanted == c) && matches(pattern.as_str(), name.as_str())
        }
    }
}

/// `{a,b}/*` as `a/*` and `b/*`.
fn braces(pattern: &str) -> Vec<String> {
    let split = pattern.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?)));
    let Some((head, (choices, tail))) = split else { return vec![pattern.to_owned()] };
    choices.split(',').flat_map(|choice| braces(&format!("{head}{choice}{tail}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::Files;

    fn found(files: &[&str], patterns: &[&str]) -> Result<Vec<String>, Entangled> {
        let files: Vec<(&str, &str)> = files.iter().map(|name| (*name, "{}")).collect();
        let project = Files::new(&files);
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        members(&Reading::new(&project, Files::ROOT), Files::ROOT, &patterns)
    }

    #[test]
    fn patterns_find_the_folders_with_a_manifest() {
        let files = [
            "packages/a/package.json",
            "packages/b/x/package.json",
            "packages/c/readme",
            "apps/web/package.json",
            "package.json",
        ];
        assert_eq!(found(&files, &["packages/*", "./apps/web/"]).unwrap(), ["/app/apps/web", "/app/packages/a"]);
        assert_eq!(found(&files, &["packages/**"]).unwrap(), ["/app/packages/a", "/app/packages/b/x"]);
        assert_eq!(found(&files, &["{packages,apps}/*", "!**/a"]).unwrap(), ["/app/apps/web"]);
        assert_eq!(found(&files, &["packages/?"]).unwrap(), ["/app/packages/a"]);
        assert_eq!(found(&files, &["."]).unwrap(), Vec::<String>::new());
        assert!(matches!(found(&files, &["packages/[ab]"]), Err(Entangled::NotSeen { .. })));
    }
}
