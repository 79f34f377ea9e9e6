//! The builder's ignore rules.
//!
//! Owns: reading an ignore file's text, and what its patterns keep from the builder, as BuildKit has it (patterns are not
//! gitignore's: they begin at the root, the last match wins, a match of a folder holds for what is in it, and a `!` can bring
//! something back from an ignored folder). Never does: look for files.

use super::doubt::Doubt;
use super::glob;
use super::matching::{Piece, Pieces};

/// The builder can't read a longer line.
const LONGEST_LINE: usize = 64 * 1024;

/// An ignore file that was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    patterns: Vec<Pattern>,
    /// There is a `!`.
    has_exceptions: bool,
    /// No `!` has a wildcard, but for an end in `/*` or `/**`: then the builder doesn't look into every ignored folder.
    plain_exceptions: bool,
    doubt: Option<Doubt>,
}

#[derive(Clone, Debug)]
struct Pattern {
    except: bool,
    form: Form,
    /// What the builder compares with a folder's name to see whether an exception may lie in it.
    start: String,
}

#[derive(Clone, Debug)]
enum Form {
    Exact(String),
    /// `a/**`, `a**`
    Start(String),
    /// `**/a` (also `a` itself), `**a`
    End(String),
    Pieces(Pieces),
}

/// Which patterns a folder matched; those hold for what is in it.
#[derive(Clone, Debug, Default)]
struct Trail {
    matched: Vec<bool>,
}

/// A folder on the builder's walk.
pub(super) struct Entered {
    pub(super) ignored: bool,
    /// Whether the builder looks into it.
    pub(super) descends: bool,
    trail: Trail,
}

/// The exception (`!node_modules`) of an ignore file's text that names a folder or something in it, as it is written. One that names
/// everything (`!*`) is none.
pub(super) fn exception_naming<'t>(text: &'t str, folder: &str) -> Option<&'t str> {
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let names = |pattern: &str| {
        let pattern = pattern.trim().trim_start_matches("./").trim_matches('/');
        let inside = |path: &str| pattern.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside(folder) || pattern.contains('*') && pattern.split('/').any(|part| part == name)
    };
    text.lines().map(str::trim).find(|line| line.strip_prefix('!').is_some_and(names))
}

impl Rules {
    /// From the text of an ignore file; `file` is its name, for the doubts.
    pub(super) fn read(file: &str, text: &str) -> Self {
        let mut rules = Self { plain_exceptions: true, ..Self::default() };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if let Err(flaw) = rules.line(line) {
                let (file, line, pattern) = (file.to_owned(), index + 1, line.trim().to_owned());
                let doubt = match flaw {
                    Flaw::Malformed => Doubt::MalformedPattern { file, line, pattern },
                    Flaw::Unclear => Doubt::UnclearPattern { file, line, pattern },
                };
                rules.doubt.get_or_insert(doubt);
            }
        }
        rules
    }

    /// Rules that could not be read.
    pub(super) fn doubtful(doubt: Doubt) -> Self {
        Self { doubt: Some(doubt), ..Self::default() }
    }

    pub(super) fn doubt(&self) -> Option<&Doubt> {
        self.doubt.as_ref()
    }

    fn line(&mut self, line: &str) -> Result<(), Flaw> {
        if line.len() >= LONGEST_LINE {
            return Err(Flaw::Malformed);
        }
        if line.starts_with('#') || line.trim().is_empty() {
            return Ok(());
        }
        let normal = normal(line.trim());
        // The builder cleans a second time, with the `!` on it.
        let cleaned = clean(normal.trim());
        let (except, text) = match cleaned.strip_prefix('!') {
            Some("") => return Err(Flaw::Malformed),
            Some(rest) => (true, rest),
            None => (false, cleaned.as_str()),
        };
        if glob::read(text).is_none() {
            return Err(Flaw::Malformed);
        }
        let (form, clear) = form(text);
        let start = text.strip_suffix("/**").unwrap_or(text);
        let start = start.strip_suffix("/*").unwrap_or(start);
        if except {
            self.has_exceptions = true;
            self.plain_exceptions &= !start.contains(['*', '[', ']', '?', '^', '\\']);
        }
        self.patterns.push(Pattern { except, form, start: format!("{start}/") });
        if clear { Ok(()) } else { Err(Flaw::Unclear) }
    }

    /// Whether a path is ignored that lies in a folder with this trail, and which patterns it matched.
    fn look(&self, path: &str, folder: &Trail) -> (bool, Trail) {
        let mut ignored = false;
        let mut matched = vec![false; self.patterns.len()];
        for (index, (pattern, matched)) in self.patterns.iter().zip(&mut matched).enumerate() {
            let inherited = folder.matched.get(index).copied().unwrap_or_default();
            // What would change nothing is not looked at, and so is not inherited either.
            *matched = inherited || (pattern.except == ignored && pattern.form.matches(path));
            if *matched {
                ignored = !pattern.except;
            }
        }
        (ignored, Trail { matched })
    }

    /// Whether a file or link is ignored.
    pub(super) fn ignores(&self, path: &str, folder: &Entered) -> bool {
        let mut ignored = false;
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = folder.trail.matched.get(index).copied().unwrap_or_default();
            if inherited || (pattern.except == ignored && pattern.form.matches(path)) {
                ignored = !pattern.except;
            }
        }
        ignored
    }

    /// What the rules say of a folder.
    fn enter(&self, path: &str, parent: &Trail) -> Entered {
        let (ignored, trail) = self.look(path, parent);
        let may_hold_exceptions = || {
            let folder = format!("{path}/");
            self.patterns.iter().any(|pattern| pattern.except && pattern.start.starts_with(&folder))
        };
        let descends = !ignored || (self.has_exceptions && (!self.plain_exceptions || may_hold_exceptions()));
        Entered { ignored, descends, trail }
    }

    /// What the rules say of a folder that lies in one that was entered.
    pub(super) fn enter_below(&self, path: &str, parent: &Entered) -> Entered {
        self.enter(path, &parent.trail)
    }

    /// What the rules say of a folder, from the root on; `None` where the builder doesn't come by it.
    pub(super) fn reach(&self, folder: &str) -> Option<Entered> {
        let mut entered = Entered { ignored: false, descends: true, trail: Trail::default() };
        let ends = folder.match_indices('/').map(|(end, _)| end).chain([folder.len()]);
        for end in ends.filter(|end| *end > 0) {
            if !entered.descends {
                return None;
            }
            entered = self.enter(folder.get(..end).unwrap_or_default(), &entered.trail);
        }
        Some(entered)
    }

    /// Whether a path is ignored, if everything above it is a folder.
    pub(super) fn ignores_path(&self, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        !path.is_empty() && self.reach(folder).is_none_or(|entered| !entered.descends || self.ignores(path, &entered))
    }
}

impl Form {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(name) => path == name,
            Self::Start(start) => path.starts_with(start.as_str()),
            Self::End(end) => path.ends_with(end.as_str()) || end.strip_prefix('/') == Some(path),
            Self::Pieces(pieces) => pieces.matches(path),
        }
    }
}

enum Flaw {
    /// The builder refuses it.
    Malformed,
    /// Releases of the builder differ, or it says something else than its author thinks.
    Unclear,
}

/// A line as the builder hands it on: cleaned behind the `!`, without a leading `/`.
fn normal(line: &str) -> String {
    let (mark, pattern) = line.strip_prefix('!').map_or(("", line), |rest| ("!", rest.trim()));
    if pattern.is_empty() {
        return mark.to_owned();
    }
    let cleaned = clean(pattern);
    let relative = if cleaned.len() > 1 { cleaned.strip_prefix('/').unwrap_or(&cleaned) } else { &cleaned };
    format!("{mark}{relative}")
}

/// The shortest form of a path, as Go's `filepath.Clean` has it.
fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// How a pattern is compared, and whether that is clear. The builder compares texts where it can; else it makes a regular
/// expression of the pattern, and what a regular expression takes for its own there is not clear.
fn form(pattern: &str) -> (Form, bool) {
    if !pattern.contains(['?', '[', ']', '\\']) {
        if !pattern.contains('*') {
            return (Form::Exact(pattern.to_owned()), true);
        }
        if let Some(end) = pattern.strip_prefix("**").filter(|end| !end.contains('*')) {
            return (Form::End(end.to_owned()), true);
        }
        if let Some(start) = pattern.strip_suffix("**").filter(|start| !start.contains('*')) {
            return (Form::Start(start.to_owned()), true);
        }
    }
    let mut pieces = Vec::new();
    let mut clear = !has_expression(pattern);
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        pieces.push(match c {
            '*' => stars(&mut rest),
            '?' => Piece::One,
            '[' => {
                let before = rest.as_str();
                let Some(set) = glob::set(&mut rest) else { return (Form::Exact(pattern.to_owned()), false) };
                let inner = before.strip_suffix(rest.as_str()).unwrap_or_default();
                clear &= !inner.contains(['*', '?']) && !inner.contains("[:");
                clear &= set.ranges.iter().all(|(from, to)| from <= to);
                Piece::Set(set)
            }
            '\\' => Piece::Char(rest.next().unwrap_or('\\')),
            c => Piece::Char(c),
        });
    }
    (Form::Pieces(Pieces::new(pieces)), clear)
}

/// What stands behind a first `*`.
fn stars(rest: &mut std::str::Chars) -> Piece {
    let Some(behind) = rest.as_str().strip_prefix('*') else { return Piece::Many };
    *rest = behind.strip_prefix('/').unwrap_or(behind).chars();
    if rest.as_str().is_empty() { Piece::Anything } else { Piece::Folders }
}

/// Whether a pattern with wildcards holds what a regular expression would not take as it is: `|`, `^` but in front of a set, `{2}`,
/// `\d`.
fn has_expression(pattern: &str) -> bool {
    let repeats =
        |count: &str| count.starts_with(|c: char| c.is_ascii_digit()) && count.chars().all(|c| c.is_ascii_digit() || c == ',');
    let mut counts = pattern.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    let mut escaped = pattern.split('\\').skip(1).filter_map(|rest| rest.chars().next());
    let anchors = pattern.replace("[^", "[").contains('^');
    anchors || pattern.contains('|') || counts.any(repeats) || escaped.any(char::is_alphanumeric)
}
