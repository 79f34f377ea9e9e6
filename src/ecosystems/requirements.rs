//! Requirements files, as pip, uv and conda's `pip:` sections read them.
//!
//! Knows: comments, continuation lines, `${VAR}`, options in the file, nested files, and whether a requirement is a name, an
//! address, or something in the project. Never does: resolve; know a program's options.
//!
//! Facts: pip 26.3's source (req/req_file, req/constructors; 23.2 alike). A nested file is looked for beside the file that names
//! it, a local requirement in the folder in which the program runs, `--find-links` first in the one, then in the other. uv 0.13.8
//! takes local requirements from its work folder too (tried).

use super::reading::{Reading, needs_source, not_seen, parent, within};
use super::{Entangled, Found};
use crate::knowledge::Knowledge;
use std::collections::BTreeSet;

/// What a requirement asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// A package of the index, or an address. `exact`: never another version.
    Fetched { name: String, exact: bool },
    /// Source below this path.
    Folder(String),
    /// An archive at this path: `./x.whl`.
    Archive(String),
}

/// What requirements files and arguments ask for, gathered into a [`Reading`].
pub(super) struct Requirements<'r, 'a> {
    pub(super) reading: &'r mut Reading<'a>,
    /// The folder in which the program runs, absolute.
    folder: String,
    /// Where `-e git+…` is checked out.
    checkouts: Option<String>,
    seen: BTreeSet<String>,
    pinned_by_constraint: BTreeSet<String>,
    loose: Vec<(String, String)>,
}

const ARCHIVES: &[&str] =
    &[".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"];

impl<'r, 'a> Requirements<'r, 'a> {
    /// For a program that runs in `folder` and checks editable sources out into `checkouts`.
    pub(super) fn new(reading: &'r mut Reading<'a>, folder: &str, checkouts: Option<String>) -> Self {
        Self {
            reading,
            folder: folder.to_owned(),
            checkouts,
            seen: BTreeSet::new(),
            pinned_by_constraint: BTreeSet::new(),
            loose: Vec::new(),
        }
    }

    /// A requirements (or constraints) file by the name that was given, and all that it names.
    pub(super) fn file(&mut self, named: &str, beside: &str, constraint: bool) -> Result<(), Entangled> {
        if is_address(named) && !named.starts_with("file:") {
            if !constraint {
                self.loose.push((named.to_owned(), format!("{named} may change")));
            }
            return Ok(());
        }
        let path = self.located(named, beside)?;
        let text = self.reading.required(&path)?;
        if !self.seen.insert(format!("{path}{constraint}")) {
            return Ok(());
        }
        for (number, line) in logical_lines(&text) {
            let place = format!("{}:{number}", self.reading.name(&path));
            self.line(&line, &place, &path, constraint)?;
        }
        Ok(())
    }

    /// One requirement, from an argument or a line.
    pub(super) fn requirement(&mut self, text: &str, editable: bool, place: &str) -> Result<(), Entangled> {
        let text = self.expanded(text);
        let source = |what: &str| {
            let what = what.trim();
            needs_source(format!("{place}`{what}` is built from the project's source"))
        };
        if text.contains("${") && !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(not_seen(format!("{place}`{text}` holds a variable that is not known")));
        }
        match asked(&text, editable) {
            Asked::Fetched { name, exact } => {
                if editable && let Some(folder) = self.checkouts.clone() {
                    self.reading.fills(&within(&folder, &name), "-e")?;
                }
                if !exact {
                    let shown = format!("{place}`{}` has no exact version", shown(&text));
                    self.loose.push((normalised(&name), shown));
                }
                Ok(())
            }
            Asked::Folder(_) => Err(source(&if editable { format!("-e {text}") } else { text.clone() })),
            Asked::Archive(path) => {
                let path = self.located(&path, &self.folder.clone())?;
                match self.reading.project.look(&path) {
                    Found::Folder => Err(source(&text)),
                    _ => self.reading.take(&path),
                }
            }
        }
    }

    /// A folder of packages (or a page with links), given to `--find-links`.
    pub(super) fn links(&mut self, named: &str, beside: Option<&str>, place: &str) -> Result<(), Entangled> {
        let named = self.expanded(named);
        if is_address(&named) && !named.starts_with("file:") {
            return Ok(());
        }
        let here = self.located(&named, &self.folder.clone())?;
        let beside = beside.map(|folder| self.located(&named, folder)).transpose()?;
        let is_there = |path: &String| matches!(self.reading.project.look(path), Found::File | Found::Folder);
        let path = beside.filter(is_there).unwrap_or(here);
        match self.reading.project.look(&path) {
            Found::File => self.reading.take(&path),
            Found::Folder => {
                // Only what lies in the folder itself counts, and only pages and archives.
                let listed = |name: &String| is_archive(name) || name.ends_with(".html") || name.ends_with(".htm");
                for name in self.reading.project.names(&path).into_iter().filter(listed) {
                    self.reading.take_if_there(&within(&path, &name));
                }
                Ok(())
            }
            // An earlier step, or the image, put it there: a copy of the source brings nothing to it.
            Found::Nothing => Ok(()),
            Found::Unknown if self.reading.has_seen_files() => Ok(()),
            Found::Unknown => Err(not_seen(format!("{place}what is in {named} (`--find-links`) can't be seen"))),
        }
    }

    /// Tells the reading what is not pinned. `-c` files count, wherever they were named.
    pub(super) fn finish(self) {
        for (name, shown) in self.loose {
            if !self.pinned_by_constraint.contains(&name) {
                self.reading.loose(shown);
            }
        }
    }

    /// One line of a file, with its comments gone.
    pub(super) fn line(&mut self, line: &str, place: &str, file: &str, constraint: bool) -> Result<(), Entangled> {
        let line = self.expanded(line);
        let options_at = line.split(' ').scan(0, |offset, token| {
            let start = *offset;
            *offset += token.len() + 1;
            Some((start, token))
        });
        let at = options_at.into_iter().find(|(_, token)| token.starts_with('-')).map_or(line.len(), |(start, _)| start);
        let (requirement, options) = line.split_at_checked(at).unwrap_or((&line, ""));
        let requirement = requirement.trim();
        let place = format!("{place}: ");
        if requirement.is_empty() {
            return self.options(options, &place, file);
        }
        let hashed = options.contains("--hash");
        if constraint {
            if let Asked::Fetched { name, exact: true } = asked(requirement, false) {
                self.pinned_by_constraint.insert(normalised(&name));
            }
            return Ok(());
        }
        let before = self.loose.len();
        self.requirement(requirement, false, &place)?;
        if hashed {
            self.loose.truncate(before);
        }
        Ok(())
    }

    fn options(&mut self, options: &str, place: &str, file: &str) -> Result<(), Entangled> {
        let words: Vec<String> = options.split_whitespace().map(|word| word.replace(['"', '\''], "")).collect();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => match (word.get(..2), word.get(2..)) {
                    (Some(short @ ("-r" | "-c" | "-e" | "-f")), Some(rest)) if !rest.is_empty() => {
                        (short, Some(rest.trim_start_matches('=')))
                    }
                    _ => (word, None),
                },
            };
            let mut value = || value.or_else(|| words.next()).unwrap_or_default().to_owned();
            let beside = parent(file).to_owned();
            match name {
                "-r" | "--req" | "--requirement" | "--requirements" => self.nested(&value(), &beside, false, place)?,
                "-c" | "--constraint" | "--constraints" => self.nested(&value(), &beside, true, place)?,
                "-e" | "--editable" => self.requirement(&value(), true, place)?,
                "-f" | "--find-links" => self.links(&value(), Some(&beside), place)?,
                "-i" | "--index-url" | "--extra-index-url" => index_is_no_folder(&value(), place)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn nested(&mut self, named: &str, beside: &str, constraint: bool, place: &str) -> Result<(), Entangled> {
        if named.contains("${") {
            return Err(not_seen(format!("{place}{named} holds a variable that is not known")));
        }
        self.file(named, beside, constraint)
    }

    /// `${VAR}` with its value, where that is known and not empty; what is left is not known.
    fn expanded(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for part in text.split("${").skip(1) {
            let Some((name, _)) = part.split_once('}') else { continue };
            if let Some(Knowledge::Known(value)) = self.reading.at.non_empty(name) {
                out = out.replace(&format!("${{{name}}}"), value);
            }
        }
        out
    }

    fn located(&self, named: &str, beside: &str) -> Result<String, Entangled> {
        let path = named.strip_prefix("file://").or_else(|| named.strip_prefix("file:")).unwrap_or(named);
        if path.starts_with('~') {
            return self.reading.absolute(path);
        }
        Ok(within(beside, path))
    }
}

/// What a requirement's text asks for.
fn asked(text: &str, editable: bool) -> Asked {
    let text = text.trim();
    let named_address = text.split_once('@').map(|(name, address)| (name.trim(), address.trim()));
    let named_address = named_address.filter(|(name, address)| {
        is_name(name.split('[').next().unwrap_or(name)) && (is_address(address) || address.starts_with(['.', '/']))
    });
    let (name, target) = named_address.map_or((None, text), |(name, address)| (Some(name), address));
    let target = target.split(if is_address(target) { "; " } else { ";" }).next().unwrap_or(target).trim();
    if let Some(path) = local_address(target) {
        let path = path.split('#').next().unwrap_or(path);
        return if is_archive(path) { Asked::Archive(path.to_owned()) } else { Asked::Folder(path.to_owned()) };
    }
    if is_address(target) {
        return fetched_from(target, name);
    }
    let plain = target.split('[').next().unwrap_or(target).trim();
    if is_archive(plain) {
        return Asked::Archive(plain.to_owned());
    }
    if editable || name.is_some() || plain.starts_with('.') || plain.contains('/') {
        return Asked::Folder(plain.to_owned());
    }
    let end = target.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(target.len());
    let name = target.get(..end).unwrap_or_default().to_owned();
    let exact = target
        .split_once("==")
        .is_some_and(|(_, version)| !version.split(',').next().unwrap_or_default().trim_start_matches('=').contains('*'));
    Asked::Fetched { name, exact }
}

/// A package at an address: exact for an archive and for a commit or a release's tag.
fn fetched_from(address: &str, name: Option<&str>) -> Asked {
    let (place, fragment) = address.split_once('#').unwrap_or((address, ""));
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="));
    let last = place.trim_end_matches('/').rsplit('/').next().unwrap_or(place);
    let revision = last.rsplit_once('@').map(|(_, revision)| revision);
    let is_release = |revision: &str| {
        let digits = revision.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-' || c == '_');
        let is_commit = revision.len() >= 7 && revision.chars().all(|c| c.is_ascii_hexdigit());
        is_commit || digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.')
    };
    let of_repository = place.split_once("://").is_some_and(|(scheme, _)| scheme.contains('+') || scheme == "git");
    let exact = if of_repository { revision.is_some_and(is_release) } else { true };
    let short = last.split('@').next().unwrap_or(last).trim_end_matches(".git");
    let name = egg.or(name).unwrap_or(short).split('[').next().unwrap_or_default();
    Asked::Fetched { name: name.to_owned(), exact }
}

/// `https://…`, `git+ssh://…`, `file:…`.
fn is_address(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    text.contains("://") && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) || text.starts_with("file:")
}

fn local_address(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("file:").or_else(|| text.split_once("+file:").map(|(_, rest)| rest))?;
    let rest = rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
    Some(rest.split("; ").next().unwrap_or(rest).trim())
}

pub(super) fn is_archive(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| lower.ends_with(ending))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// A package's name as the index compares it.
pub(super) fn normalised(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        let c = if matches!(c, '_' | '.') { '-' } else { c.to_ascii_lowercase() };
        if c != '-' || !out.ends_with('-') {
            out.push(c);
        }
    }
    out
}

/// A requirement's package, normalised, and whether it asks for one version only; `None` for an option, or something in the project.
pub(super) fn named_package(text: &str) -> Option<(String, bool)> {
    match asked(text.trim(), false) {
        _ if text.trim().is_empty() || text.trim_start().starts_with('-') => None,
        Asked::Fetched { name, exact } if !name.is_empty() => Some((normalised(&name), exact)),
        _ => None,
    }
}

/// The packages that a file names, each as [`named_package`]; `None` where it says anything else, hashes aside.
pub(super) fn named_packages(text: &str) -> Option<Vec<(String, bool)>> {
    let without_hashes = |line: &str| {
        let kept: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("--hash=")).collect();
        kept.join(" ")
    };
    let lines = logical_lines(text);
    lines
        .iter()
        .map(|(_, line)| Some(without_hashes(line)).filter(|line| !line.contains(" -")).and_then(|line| named_package(&line)))
        .collect()
}

/// A requirement without its marker, for a message.
fn shown(text: &str) -> &str {
    text.split(';').next().unwrap_or(text).trim()
}

/// A file's lines with their numbers: comments dropped, continued lines joined, empty ones left out.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (number, mut joined) = open.take().unwrap_or((index + 1, String::new()));
        let is_comment = line.trim_start().starts_with('#');
        match line.strip_suffix('\\').filter(|_| !is_comment) {
            Some(rest) => {
                joined.push_str(rest);
                open = Some((number, joined));
            }
            None => {
                joined.push_str(if is_comment { " " } else { "" });
                joined.push_str(line);
                lines.push((number, joined));
            }
        }
    }
    lines.extend(open);
    lines
        .into_iter()
        .map(|(number, line)| (number, without_comment(&line).trim().to_owned()))
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

/// A `#` starts a comment at the start of the line and behind a space.
fn without_comment(line: &str) -> &str {
    let starts = |(at, _): &(usize, &str)| {
        line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    };
    line.match_indices('#').find(starts).and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}

/// An index in a folder may be one of the project's, of which nothing says what is read.
pub(super) fn index_is_no_folder(index: &str, place: &str) -> Result<(), Entangled> {
    match index.split_whitespace().find(|part| part.starts_with("file:")) {
        Some(part) => {
            Err(Entangled::NeedsSource { because: format!("{place}the index {part} is a folder, which a copy may bring") })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project};
    use crate::ecosystems::{Dependencies, Surroundings};

    fn read(files: &[(&str, &str)], at: &Surroundings, first: &str) -> Result<Dependencies, Entangled> {
        let project = Files::new(files);
        let mut reading = Reading::new(at, &project);
        let mut requirements = Requirements::new(&mut reading, "/app", Some("/app/src".to_owned()));
        requirements.file(first, "/app", false)?;
        requirements.finish();
        Ok(reading.whole())
    }

    fn refused(text: &str) -> String {
        read(&[("r.txt", text), ("lib/setup.py", "")], &in_project("python"), "r.txt").unwrap_err().to_string()
    }

    #[test]
    fn nested_files_lie_beside_the_one_that_names_them() {
        let files = [
            ("requirements/prod.txt", "\u{feff}-r base.txt\n--requirement=../more.txt # why\n-cconstraints.txt\n"),
            ("requirements/base.txt", "flask==1.0 \\\n    --hash=sha256:00\n-r prod.txt"),
            ("more.txt", "requests\nDjango ; python_version > '3'"),
            ("requirements/constraints.txt", "requests==2\n"),
        ];
        let found = read(&files, &in_project("python"), "requirements/prod.txt").unwrap();
        let names = ["more.txt", "requirements/base.txt", "requirements/constraints.txt", "requirements/prod.txt"];
        assert_eq!(found.files, names.map(|name| format!("/app/{name}")));
        assert_eq!(found.unpinned.as_deref(), Some("more.txt:2: `Django` has no exact version"));
        let missing = read(&[("r.txt", "-r no.txt")], &in_project("python"), "r.txt");
        assert!(matches!(missing, Err(Entangled::NotSeen { because }) if because.starts_with("no.txt is not in")));
    }

    #[test]
    fn source_named_in_a_file_is_refused_with_its_line() {
        assert_eq!(refused("flask\n-e ."), "r.txt:2: `-e .` is built from the project's source");
        for line in [
            "./lib[extra]",
            "lib/sub",
            "-e lib",
            "--editable=lib",
            "lib @ file:///app/lib",
            "file:./lib",
            "-e git+file:///app",
            ".",
            "--editable .[dev]",
        ] {
            assert!(refused(line).contains("r.txt:1: ") && refused(line).contains("source"), "{line}");
        }
    }

    #[test]
    fn local_archives_are_files_that_it_needs() {
        let files = [
            ("r.txt", "./wheels/a-1.whl\nb @ file:///app/wheels/b-1.tar.gz\n-f links\n"),
            ("wheels/a-1.whl", ""),
            ("wheels/b-1.tar.gz", ""),
            ("links/c.whl", ""),
            ("links/readme.md", ""),
            ("links/sub/d.whl", ""),
        ];
        let found = read(&files, &in_project("python"), "r.txt").unwrap();
        assert_eq!(found.files, ["/app/links/c.whl", "/app/r.txt", "/app/wheels/a-1.whl", "/app/wheels/b-1.tar.gz"]);
        assert!(refused("./dist/made-1.whl").contains("is not in the build context"));
    }

    #[test]
    fn addresses_need_nothing_but_checkouts_make_a_folder() {
        let text = "-e git+https://host/a/b@main#egg=b\ngit+https://host/c.git@v1.2\nhttps://host/d-1.zip ; os_name == 'x'\n--extra-index-url https://${TOKEN}@host/\n";
        let found = read(&[("r.txt", text)], &in_project("python"), "r.txt").unwrap();
        assert_eq!((found.files, found.makes), (vec!["/app/r.txt".to_owned()], vec!["/app/src/b".to_owned()]));
        assert_eq!(found.unpinned.as_deref(), Some("r.txt:1: `git+https://host/a/b@main#egg=b` has no exact version"));
        let taken = read(&[("r.txt", "-e git+https://host/b#egg=b"), ("src/b/x", "")], &in_project("python"), "r.txt");
        assert!(matches!(taken, Err(Entangled::Overlaid { .. })));
    }

    #[test]
    fn variables_are_put_in_where_they_are_known() {
        let files = [("r.txt", "-r ${NAME}.txt\nflask==${V}\n"), ("more.txt", "")];
        let known = Surroundings { variables: vec![("NAME".into(), Knowledge::Known("more".into()))], ..in_project("python") };
        assert_eq!(read(&files, &known, "r.txt").unwrap().files.len(), 2);
        assert!(matches!(read(&files, &in_project("python"), "r.txt"), Err(Entangled::NotSeen { .. })));
        assert!(matches!(read(&[("r.txt", "${WHAT}")], &known, "r.txt"), Err(Entangled::NotSeen { .. })));
    }

    #[test]
    fn versions_are_exact_or_not() {
        let exact = |text: &str| matches!(asked(text, false), Asked::Fetched { exact: true, .. });
        for text in ["a==1", "a[x] === 1.0", "a ==1.2,!=3 ; x", "git+https://h/a@0123456789", "a @ https://h/a.zip"] {
            assert!(exact(text), "{text}");
        }
        for text in ["a", "a>=1", "a==1.*", "a~=1", "git+https://h/a", "git+ssh://git@h/a.git", "git+https://h/a@develop"] {
            assert!(!exact(text), "{text}");
        }
    }

    #[test]
    fn comments_and_continuations() {
        let lines = logical_lines("a \\\n  # no\nb#c # d\n\\\nlast\\");
        assert_eq!(lines, [(1, "a".to_owned()), (3, "b#c".to_owned()), (4, "last".to_owned())]);
    }
}
