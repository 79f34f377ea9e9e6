//! Packages from a registry whose own install scripts look at the project that installs them.
//!
//! Owns: that list. Never does: know scripts that keep to their own folder (native modules, downloads of a binary).
//!
//! From: the install scripts of the packages named here, as published.

use super::reading::{Reading, join, needs_source};
use super::{Manifest, prisma, scripts};
use crate::ecosystems::Entangled;

/// What puppeteer looks for, from the folder of the install outwards.
const PUPPETEER: &[&str] = &[
    ".puppeteerrc",
    ".puppeteerrc.json",
    ".puppeteerrc.yaml",
    ".puppeteerrc.yml",
    ".puppeteerrc.js",
    ".puppeteerrc.cjs",
    ".puppeteerrc.ts",
    "puppeteer.config.js",
    "puppeteer.config.cjs",
    "puppeteer.config.ts",
];

/// Adds what the install scripts of well-known packages read. The first manifest is the root's; `lock` is the lock file's text,
/// which tells of packages that others brought.
///
/// # Errors
/// A package that would miss the source.
pub(crate) fn read(reading: &mut Reading<'_>, manifests: &[Manifest], lock: Option<&str>) -> Result<(), Entangled> {
    let Some(root) = manifests.first() else { return Ok(()) };
    let direct = |name: &str| manifests.iter().any(|manifest| manifest.depends_on(name));
    let installed = |name: &str| direct(name) || lock.is_some_and(|lock| mentions(lock, name));

    if installed("@prisma/client") {
        for manifest in manifests {
            prisma::generates(reading, manifest, None)?;
        }
    }
    if installed("puppeteer") {
        for name in PUPPETEER {
            let path = join(&root.folder, name);
            if reading.optional(&path) && !name.ends_with("rc") && name.ends_with("s") {
                let text = reading.text(&path)?;
                if text.contains("'./") || text.contains("\"./") || text.contains("'../") || text.contains("\"../") {
                    let name = reading.name(&path);
                    return Err(needs_source(format!("{name}, which puppeteer's install script runs, loads other files")));
                }
            }
        }
    }
    if installed("msw") && root.field("msw").is_some_and(|msw| msw.get("workerDirectory").is_some()) {
        let place = root.place(reading, "workerDirectory");
        return Err(needs_source(format!("{place}: the install script of msw writes its worker into a folder of the source")));
    }
    if (installed("nx") || installed("@nrwl/workspace")) && reading.is_file(&join(&root.folder, "nx.json")) {
        reading.doubt("the install script of nx looks at nx.json and the projects, and may leave other caches".to_owned());
    }
    let kit = manifests.iter().flat_map(Manifest::dependencies).find(|(_, name, _)| *name == "@sveltejs/kit");
    if kit.is_some_and(|(_, _, spec)| !spec.trim_start_matches(['^', '~', '>', '=']).starts_with(['2', '3'])) {
        return Err(needs_source("the install script of @sveltejs/kit 1 reads svelte.config.js and the routes".to_owned()));
    }
    let sets_hooks = ["yorkie", "simple-git-hooks", "lefthook", "@evilmartians/lefthook", "pre-commit", "ghooks"];
    // From 5 on, husky has no install script of its own.
    let husky = manifests.iter().flat_map(Manifest::dependencies).find(|(_, name, _)| *name == "husky");
    let old_husky = husky.is_some_and(|(_, _, spec)| spec.trim_start_matches(['^', '~']).starts_with(['0', '1', '2', '3', '4']));
    if old_husky || sets_hooks.iter().any(|name| direct(name)) {
        let folder = root.folder.clone();
        scripts::hooks_into_git(reading, &folder);
    }
    Ok(())
}

/// Whether a lock file has an entry for the package: `"node_modules/nx"`, `nx@^1`, `/nx/1.0.0`, `'nx@1.0.0'`.
fn mentions(lock: &str, name: &str) -> bool {
    lock.match_indices(name).any(|(at, found)| {
        let before = lock.get(..at).and_then(|text| text.chars().next_back());
        let after = lock.get(at + found.len()..).and_then(|text| text.chars().next());
        let starts = before.is_none_or(|c| matches!(c, '"' | '\'' | '/' | '\n' | ' '))
            && !(before == Some('/') && lock.get(..at).is_some_and(scoped) && !name.starts_with('@'));
        starts && after.is_some_and(|c| matches!(c, '"' | '\'' | '@' | '/'))
    })
}

/// Whether the text ends with a scope: `@nrwl/` in front of `nx` makes another package of it.
fn scoped(text: &str) -> bool {
    let part = text.trim_end_matches('/').rsplit(['/', '"', '\'', ' ', '\n']).next().unwrap_or_default();
    part.starts_with('@')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Dependencies;
    use crate::ecosystems::testing::Files;

    fn run(manifest: &str, more: &[(&str, &str)], lock: Option<&str>) -> Result<Dependencies, Entangled> {
        let mut files = vec![("package.json", manifest)];
        files.extend(more);
        let project = Files::new(&files);
        let mut reading = Reading::new(&project, Files::ROOT);
        let manifest = Manifest::at(&reading, Files::ROOT)?;
        read(&mut reading, &[manifest], lock)?;
        Ok(reading.finish())
    }

    #[test]
    fn packages_that_look_at_the_project() {
        let prisma = run(r#"{"dependencies": {"@prisma/client": "5"}}"#, &[("prisma/schema.prisma", "")], None).unwrap();
        assert_eq!(prisma.files, ["/app/prisma/schema.prisma"]);
        let puppeteer = r#"{"devDependencies": {"puppeteer": "22"}}"#;
        let config = run(puppeteer, &[(".puppeteerrc.cjs", "module.exports = {}")], None).unwrap();
        assert_eq!(config.files, ["/app/.puppeteerrc.cjs"]);
        assert!(run(puppeteer, &[(".puppeteerrc.cjs", "require('./x')")], None).is_err());
        let msw = r#"{"devDependencies": {"msw": "2"}, "msw": {"workerDirectory": "public"}}"#;
        assert!(run(msw, &[], None).is_err());
        assert!(run(r#"{"devDependencies": {"@sveltejs/kit": "^1.5.0"}}"#, &[], None).is_err());
        assert!(run(r#"{"devDependencies": {"@sveltejs/kit": "^2.5.0"}}"#, &[], None).is_ok());
    }

    #[test]
    fn the_lock_tells_of_others() {
        let nx = |lock: &str| run("{}", &[("nx.json", "{}")], Some(lock)).unwrap().doubt.is_some();
        assert!(nx("\"node_modules/nx\": {") && nx("\nnx@^1:") && nx("  /nx/1.0.0:") && nx("  nx@1.0.0:"));
        assert!(!nx("\"node_modules/@nrwl/nx\"") && !nx("nxt@1") && !nx("linx@1"));
    }
}
