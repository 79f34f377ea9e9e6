//! What the commands of a system's package manager read of the project: nothing, but for package files that are named.
//!
//! Owns: finding those files among a command's words. Never does: know a manager; each hands over its [`Rules`].
//!
//! A word that is not known is taken for package names, as everywhere in these managers' files, unless it begins like a path or is
//! what another program prints: `$(cat packages.txt)` reads that file, and what can't be followed may read anything.

use super::{Dependencies, Entangled, Found, Invocation, Project, Surroundings, Wrapper, wildcard};
use crate::knowledge::Knowledge;

/// How a manager takes files.
pub(crate) struct Rules {
    /// Options whose value is the next word.
    pub(crate) with_value: &'static [&'static str],
    /// Those of them (and of the ones with `=`) whose value is a file that it reads.
    pub(crate) file_options: &'static [&'static str],
    /// Options that make it work on other folders than the system's.
    pub(crate) elsewhere: &'static [&'static str],
    /// Endings of the words that are files.
    pub(crate) endings: &'static [&'static str],
    /// Whether any word that begins with `/`, `./` or `../` is a file (for others it may be a file that a package provides).
    pub(crate) paths: bool,
}

/// Programs that print and change nothing, in a `$(…)`.
#[rustfmt::skip] // A paragraph, not a column.
const PRINTING: &[&str] = &[
    "cat", "grep", "egrep", "sed", "awk", "tr", "cut", "sort", "uniq", "head", "tail", "xargs", "echo", "printf", "uname",
    "dpkg", "dpkg-query", "lsb_release", "rpm", "nproc", "arch", "apk", "apt-cache", "apt-mark", "rev", "paste",
];

/// What the command reads; `unpinned` is handed through.
///
/// # Errors
/// [`Entangled::NotSeen`] for a package file that no copy brought.
pub(crate) fn dependencies(
    rules: &Rules,
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
    unpinned: Option<String>,
) -> Result<Option<Dependencies>, Entangled> {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let mut found = Dependencies { unpinned, ..Dependencies::default() };
    let mut before = "";
    for argument in &invocation.arguments {
        let word = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let option = std::mem::replace(&mut before, if rules.with_value.contains(&word) { word } else { "" });
        if rules.elsewhere.contains(&name) {
            return Ok(None);
        }
        let path = match (option, value) {
            ("", Some(value)) if rules.file_options.contains(&name) => value,
            ("", _) if word.starts_with('-') => continue,
            ("", _) => word,
            (option, _) if rules.file_options.contains(&option) => word,
            _ => continue,
        };
        let is_file = path != word || !option.is_empty() || is_file(rules, path);
        if path.contains("://") {
            continue;
        }
        match argument.value {
            Knowledge::Known(_) if is_file => take(&mut found, path, at, project)?,
            Knowledge::Known(_) => {}
            Knowledge::Unknown if is_file => return Ok(None),
            Knowledge::Unknown => {
                let Some(files) = printed_from(path, at, project) else { return Ok(None) };
                found.files.extend(files);
            }
        }
    }
    Ok(Some(found))
}

fn is_file(rules: &Rules, word: &str) -> bool {
    let word = word.trim_matches(['"', '\'']);
    rules.endings.iter().any(|ending| word.ends_with(ending))
        || rules.paths && (word == "." || ["/", "./", "../"].iter().any(|start| word.starts_with(start)))
}

fn take(found: &mut Dependencies, path: &str, at: &Surroundings, project: &dyn Project) -> Result<(), Entangled> {
    let missing = || Entangled::NotSeen { because: format!("the package file {path} is not among what the copies bring") };
    let full = at.absolute(path).into_known().ok_or_else(missing)?;
    let paths = if wildcard::is_pattern(&full) { wildcard::expand(&full, project) } else { vec![full] };
    if paths.is_empty() {
        return Err(missing());
    }
    for path in paths {
        match project.look(&path) {
            Found::File => found.files.push(path),
            Found::Folder => {
                // A source package, of which the list of build dependencies is read.
                let control = format!("{path}/debian/control");
                if project.look(&control) != Found::File {
                    return Err(missing());
                }
                found.files.push(control);
            }
            Found::Nothing | Found::Unknown => return Err(missing()),
        }
    }
    Ok(())
}

/// The project's files that a word's `$(…)` prints from; `None` where that can't be followed. A plain variable has none.
fn printed_from(word: &str, at: &Surroundings, project: &dyn Project) -> Option<Vec<String>> {
    let word = word.trim_matches('"');
    if !word.contains("$(") && !word.contains('`') {
        return Some(Vec::new());
    }
    let (_, inner) = word.split_once("$(")?;
    let inner = inner.strip_suffix(')')?;
    if inner.contains(['$', '`', ';', '&', '(', '>', '\n']) {
        return None;
    }
    let mut files = Vec::new();
    for command in inner.replace('<', " ").split('|') {
        let mut words = command.split_whitespace();
        if !words.next().is_some_and(|program| PRINTING.contains(&program)) {
            return None;
        }
        for word in words {
            // Part of a pattern or an option, where no file is named so.
            let is_pattern = word.starts_with('-') || word.contains(['"', '\'', '\\', '^', '*', '[']);
            let path = at.absolute(word.trim_matches(['"', '\''])).into_known()?;
            match project.look(&path) {
                Found::File => files.push(path),
                Found::Nothing if !word.contains(['/', '.']) => {}
                Found::Unknown if path.starts_with("/etc/") => {}
                _ if is_pattern => {}
                _ => return None,
            }
        }
    }
    Some(files)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ecosystems::Ecosystem;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    /// The files and folders below the project's root that a command reads; `None` for anything.
    pub(crate) fn read(manager: &dyn Ecosystem, line: &str) -> Result<Option<String>, Entangled> {
        let files = Files::new(&[
            ("x.deb", ""),
            ("debs/a.deb", ""),
            ("debs/b.deb", ""),
            ("x.apk", ""),
            ("x.rpm", ""),
            ("x.pkg.tar.zst", ""),
            ("packages.txt", ""),
            ("my.conf", ""),
            ("debian/control", ""),
        ]);
        // Behind a `~` stands one word.
        let (words, last) = line.split_once('~').map_or((line, None), |(words, last)| (words, Some(last)));
        let words: Vec<&str> = words.split_whitespace().chain(last).collect();
        let found = manager.dependencies(&invocation(&words), &in_project("debian:12"), &files)?;
        Ok(found.map(|found| {
            assert!(found.makes.is_empty() && found.rewrites.is_empty());
            let paths = found.files.iter().chain(&found.folders).map(|path| path.trim_start_matches("/app/"));
            let mut paths: Vec<String> = paths.map(str::to_owned).collect();
            if found.unpinned.is_some() {
                paths.push("MUTABLE".to_owned());
            }
            paths.join(" ")
        }))
    }

    /// Asserts that the commands read nothing of the project and change nothing by themselves.
    pub(crate) fn harmless(manager: &dyn Ecosystem, lines: &[&str]) {
        for line in lines {
            assert_eq!(read(manager, line), Ok(Some(String::new())), "{line}");
        }
    }

    /// Asserts that the commands bring what is newest.
    pub(crate) fn mutable(manager: &dyn Ecosystem, lines: &[&str]) {
        for line in lines {
            assert_eq!(read(manager, line), Ok(Some("MUTABLE".to_owned())), "{line}");
        }
    }
}
