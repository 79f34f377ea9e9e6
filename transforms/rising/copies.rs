//! The COPY of the files that something needs before the rest of the source.
//!
//! Owns: writing it as the author writes: keyword, flags, prefix of sources, style of the destination. Never does: choose the files.

use crate::model::Step;
use crate::model::order::{Needed, Order, Rise};
use crate::model::paths::is_within;
use crate::pipeline::Refusal;
use crate::syntax::{Dockerfile, Instruction};

/// Lines longer than this are broken.
const WIDEST: usize = 120;

/// More lines than these nobody wants to keep up.
const MOST_LINES: usize = 40;

/// As many lines are read over; for more, a file that names no frontend gets one that knows `COPY --parents`.
const FEW_LINES: usize = 8;

/// So many files of one name, each in a folder beside the others, are written as one pattern.
const ENOUGH_FOR_PATTERN: usize = 4;

/// What is copied first.
pub struct Copies {
    /// Instructions, one a line of text.
    pub lines: Vec<String>,
    /// They need a frontend that the file does not name yet.
    pub needs_frontend: bool,
}

/// The lines that stand directly above the step `by`. `frontend`: the one that the file may be made to name.
///
/// # Errors
/// What can't be written in a COPY.
pub fn lines(
    dockerfile: &Dockerfile,
    order: &Order<'_>,
    rise: &Rise,
    by: usize,
    frontend: Option<&str>,
) -> Result<Copies, Refusal> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for need in rise.needs.iter().filter(|need| need.by == by) {
        let folder = parent(&need.to);
        let group = groups
            .iter_mut()
            .find(|group| !need.folder && !group.whole_folder && group.copy == need.copy && group.folder == folder);
        match group {
            Some(group) => group.needs.push(need),
            None => {
                groups.push(Group { copy: need.copy, folder: folder.to_owned(), whole_folder: need.folder, needs: vec![need] })
            }
        }
    }
    for group in &mut groups {
        group.needs.sort_by_key(|need| (is_lock(&need.from), need.from.clone()));
    }
    groups.sort_by(|one, other| {
        (one.copy, depth(&one.folder), &one.folder).cmp(&(other.copy, depth(&other.folder), &other.folder))
    });
    let writer = Writer { dockerfile, order, rise };
    let named = dockerfile.frontend().map(|reference| dockerfile.slice(reference));
    let needs_frontend = !named.is_some_and(has_parents);
    let may_need = || groups.len() > FEW_LINES && dockerfile.place_of_frontend().is_some() && frontend.is_some_and(has_parents);
    if (!needs_frontend || may_need())
        && let Some(line) = writer.with_parents(&groups)
    {
        return Ok(Copies { lines: vec![line], needs_frontend });
    }
    if groups.len() > MOST_LINES {
        let why = format!(
            "it would take {} COPY lines, one for each folder of manifests; with `# syntax=docker/dockerfile:1` as the first line, \
             one COPY --parents does",
            groups.len()
        );
        return Err(Refusal::NotEditable { why });
    }
    let lines = groups.iter().map(|group| writer.line(group)).collect::<Result<_, _>>()?;
    Ok(Copies { lines, needs_frontend: false })
}

/// Lock files are named behind the manifests that they lock.
pub fn is_lock(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.contains("lock") || name.ends_with(".sum") || name == "npm-shrinkwrap.json"
}

/// Files that come to lie in one folder.
struct Group<'r> {
    copy: usize,
    folder: String,
    whole_folder: bool,
    needs: Vec<&'r Needed>,
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}

struct Writer<'w, 'm> {
    dockerfile: &'w Dockerfile,
    order: &'w Order<'m>,
    rise: &'w Rise,
}

impl Writer<'_, '_> {
    fn line(&self, group: &Group<'_>) -> Result<String, Refusal> {
        let not_editable = |why: String| Refusal::NotEditable { why };
        let step = self.order.steps.get(group.copy).ok_or_else(|| not_editable("a copy is not there".to_owned()))?;
        let instruction = step.instruction;
        let mut sources = Vec::new();
        for need in &group.needs {
            if need.from.contains(['*', '?', '[', '\\', '$', '"']) {
                return Err(not_editable(format!("the name {} can't be written in a COPY as it is", need.from)));
            }
            sources.push(self.source(instruction, need));
        }
        let destination = self.destination(step, group);
        let Some(destination) = destination else {
            return Err(not_editable(format!("line {} lays {} under another name", instruction.lines.0, group.folder)));
        };
        Ok(self.written(group, instruction, &[], &sources, &destination))
    }

    /// A source in the author's way: with `./` in front where they write it so.
    fn source(&self, instruction: &Instruction, need: &Needed) -> String {
        let own = instruction.arguments.values.get(need.source).map_or("", String::as_str);
        let dotted = own.starts_with("./") && own.len() > 2;
        let slash = if need.folder { "/" } else { "" };
        format!("{}{}{slash}", if dotted { "./" } else { "" }, need.from)
    }

    /// The destination in the author's way, a folder with `/` behind it.
    fn destination(&self, step: &Step<'_>, group: &Group<'_>) -> Option<String> {
        let written = step.instruction.arguments.values.last()?;
        let absolute = step.state.absolute(written).into_known()?;
        // The work folder is another where the new COPY stands.
        let written = if self.rise.pinned.contains(&group.copy) { &absolute } else { written };
        let folder = if group.whole_folder { group.needs.first()?.to.as_str() } else { group.folder.as_str() };
        if !is_within(folder, &absolute) {
            return None;
        }
        let rest = folder.get(absolute.trim_end_matches('/').len()..)?.trim_matches('/');
        let alone = group.needs.len() == 1 && !group.whole_folder;
        if rest.is_empty() && alone && written == "." {
            return Some(written.clone());
        }
        let head = match written.as_str() {
            "." | "./" if rest.is_empty() => "./".to_owned(),
            // `COPY . .` names folders in the work folder by their names alone.
            "." | "./" => String::new(),
            other => format!("{}/", other.strip_suffix("/.").unwrap_or(other).trim_end_matches('/')),
        };
        Some(if rest.is_empty() { head } else { format!("{head}{rest}/") })
    }

    fn written(
        &self,
        group: &Group<'_>,
        instruction: &Instruction,
        more: &[&str],
        sources: &[String],
        destination: &str,
    ) -> String {
        let keyword = if instruction.word.chars().all(char::is_lowercase) { "copy" } else { "COPY" };
        // Below the step that gives the folder away; above it, that gives it away as well.
        let by = group.needs.iter().map(|need| need.by).min();
        let given = self.rise.given(group.copy).filter(|given| by.is_some_and(|by| by > given.by));
        let is_kept = |name: &str| matches!(name, "chmod" | "link") || name == "chown" && given.is_none();
        let kept = instruction.flags.iter().filter(|flag| is_kept(flag.name()));
        let mut head: Vec<String> = vec![keyword.to_owned()];
        head.extend(given.map(|given| format!("--chown={}", given.owner)));
        head.extend(kept.map(|flag| self.dockerfile.slice(flag.span.clone()).to_owned()));
        head.extend(more.iter().map(|flag| (*flag).to_owned()));
        let spaced =
            sources.iter().any(|source| source.contains(char::is_whitespace)) || destination.contains(char::is_whitespace);
        if spaced {
            let names: Vec<String> =
                sources.iter().map(String::as_str).chain([destination]).map(|name| format!("\"{name}\"")).collect();
            return format!("{} [{}]", head.join(" "), names.join(", "));
        }
        let line = format!("{} {} {destination}", head.join(" "), sources.join(" "));
        if line.chars().count() <= WIDEST {
            return line;
        }
        let next = format!(" {}{}    ", self.dockerfile.escape, self.dockerfile.line_end());
        let words: Vec<&str> = sources.iter().map(String::as_str).chain([destination]).collect();
        format!("{} {}", head.join(" "), words.join(&next))
    }

    /// Files of several folders in one `COPY --parents`, where the copy keeps the names that they have in the context.
    fn with_parents(&self, groups: &[Group<'_>]) -> Option<String> {
        let [first, _, _, ..] = groups else { return None };
        if groups.iter().any(|group| group.copy != first.copy) {
            return None;
        }
        let step = self.order.steps.get(first.copy)?;
        let needs: Vec<&Needed> = groups.iter().flat_map(|group| group.needs.iter().copied()).collect();
        let root = needs.first()?;
        let root = root.to.strip_suffix(root.from.as_str())?.trim_end_matches('/').to_owned();
        let as_in_context = |need: &&Needed| need.to == format!("{root}/{}", need.from);
        let plain =
            |need: &&Needed| !need.from.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '?' | '[' | '\\' | '$' | '"'));
        if !needs.iter().all(as_in_context) || !needs.iter().all(plain) {
            return None;
        }
        let sources = self.with_patterns(step.instruction, &needs);
        let folder = if root.is_empty() { "/".to_owned() } else { root };
        let group = Group { copy: first.copy, folder, whole_folder: false, needs };
        let destination = self.destination(step, &group).or_else(|| self.outside_of_copy(step, &group))?;
        Some(self.written(&group, step.instruction, &["--parents"], &sources, &destination))
    }

    /// The destination where the copy lays a folder of the context below it: `COPY crates crates`.
    fn outside_of_copy(&self, step: &Step<'_>, group: &Group<'_>) -> Option<String> {
        let beside = step.state.workdir.known() == Some(&group.folder) && !self.rise.pinned.contains(&group.copy);
        Some(if beside { "./".to_owned() } else { format!("{}/", group.folder.trim_end_matches('/')) })
    }

    /// The sources of a `COPY --parents`: files of one name in folders side by side as one pattern (`crates/*/Cargo.toml`), if that
    /// matches nothing else in the context. So a new one is copied, too.
    fn with_patterns(&self, instruction: &Instruction, needs: &[&Needed]) -> Vec<String> {
        let pattern = |need: &Needed| {
            let (folder, name) = need.from.rsplit_once('/')?;
            let above = folder.rsplit_once('/').map_or(String::new(), |(above, _)| format!("{above}/"));
            (!need.folder).then(|| format!("{above}*/{name}"))
        };
        let fits = |pattern: &String| {
            let found = self.order.view.expand(pattern);
            found.len() >= ENOUGH_FOR_PATTERN
                && found.iter().all(|file| needs.iter().any(|need| need.from == *file && !need.folder))
        };
        let mut sources: Vec<String> = Vec::new();
        for need in needs {
            let source = self.source(instruction, need);
            let source = match pattern(need).filter(fits) {
                Some(pattern) => format!("{}{pattern}", if source.starts_with("./") { "./" } else { "" }),
                None => source,
            };
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }
}

/// Whether a frontend surely has `COPY --parents`: Dockerfile 1.20 or newer, by a tag that moves on.
fn has_parents(reference: &str) -> bool {
    let Some((name, tag)) = reference.trim().rsplit_once(':') else { return false };
    if name.trim_start_matches("docker.io/") != "docker/dockerfile" {
        return false;
    }
    match tag.split_once('.') {
        None => matches!(tag, "1" | "latest" | "labs" | "1-labs"),
        Some(("1", minor)) => {
            minor.split(['.', '-']).next().and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 20)
        }
        Some(_) => false,
    }
}
