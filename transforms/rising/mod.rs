//! Moving steps above a copy: what both transforms that do so share.
//!
//! Owns: [`Riser`] (a step, the first part of a RUN, or a new RUN) and [`Movement`], all that rises above one copy, as one edit of the
//! file. Never does: decide what is worth moving.

mod copies;
mod halves;

pub use halves::{Cuttable, Halves};

use crate::ecosystems::Dependencies;
use crate::edit::Edit;
use crate::edit::arrange::{Arrangement, Content, Piece};
use crate::model::Step;
use crate::model::brought::is_context_copy;
use crate::model::footprint::Fetch;
use crate::model::order::{Bracket, Given, InTheWay, Order, Print, Rise};
use crate::pipeline::Refusal;
use crate::syntax::{Dockerfile, Keyword};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What is to rise.
#[derive(Clone, Debug)]
pub struct Riser {
    /// Index of its step.
    pub at: usize,
    /// What of it rises.
    pub part: RiserPart,
    /// What that touches.
    pub print: Print,
    /// Why the image may be worse once it has risen.
    pub doubt: Option<String>,
}

/// Which part of a step rises.
#[derive(Clone, Debug)]
pub enum RiserPart {
    /// The instruction as it is.
    Whole,
    /// The first of two RUNs, the second of which stays in the old one's place.
    Halves(Halves),
}

/// Everything that rises above one copy.
pub struct Movement<'o, 'm> {
    dockerfile: &'o Dockerfile,
    order: &'o Order<'m>,
    over: usize,
    risers: BTreeMap<usize, RiserPart>,
    brackets: BTreeMap<usize, Bracket>,
    rise: Rise,
    /// The frontend that the file may be made to name.
    frontend: Option<&'o str>,
}

impl<'o, 'm> Movement<'o, 'm> {
    /// Nothing yet, above the copy with this index.
    pub fn over(dockerfile: &'o Dockerfile, order: &'o Order<'m>, over: usize) -> Self {
        Self {
            dockerfile,
            order,
            over,
            risers: BTreeMap::new(),
            brackets: BTreeMap::new(),
            rise: Rise::default(),
            frontend: None,
        }
    }

    /// The file may be made to name this frontend, where one line of its copies is easier to read than many.
    #[must_use]
    pub fn with_frontend(self, frontend: Option<&'o str>) -> Self {
        Self { frontend, ..self }
    }

    /// Takes in what rises with one riser.
    ///
    /// # Errors
    /// What stands in the way; then nothing was taken in.
    pub fn add(&mut self, riser: &Riser) -> Result<(), InTheWay> {
        let rise = self.order.rise(&riser.print, riser.at, self.over)?;
        let Rise { along, needs, overlaid, restored, pinned, given, makings, bracket, .. } = rise;
        self.rise.pinned.extend(pinned);
        self.rise.given.extend(given);
        for making in makings {
            // The steps that rose before may enter fewer folders.
            self.rise.makings.retain(|own| own.step != making.step || own.folders.len() > making.folders.len());
            self.rise.makings.push(making);
        }
        self.brackets.extend(bracket.map(|bracket| (riser.at, bracket)));
        for index in along {
            self.risers.entry(index).or_insert(RiserPart::Whole);
        }
        self.risers.insert(riser.at, riser.part.clone());
        for need in needs {
            match self.rise.needs.iter_mut().find(|own| own.to == need.to) {
                Some(own) => own.by = own.by.min(need.by),
                None => self.rise.needs.push(need),
            }
        }
        self.rise.overlaid.extend(overlaid);
        for file in restored {
            if !self.rise.restored.contains(&file) {
                self.rise.restored.push(file);
            }
        }
        // A copy that another riser needs only in part rises whole with this one.
        let risers = &self.risers;
        self.rise.needs.retain(|need| !risers.contains_key(&need.copy));
        Ok(())
    }

    /// The image paths that a riser needs of the copies it passes.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn needs_of(&self, riser: &Riser) -> Result<Vec<String>, InTheWay> {
        let rise = self.order.rise(&riser.print, riser.at, self.over)?;
        Ok(rise.needs.into_iter().map(|need| need.to).collect())
    }

    /// The copy that all rises above.
    pub fn copy(&self) -> usize {
        self.over
    }

    /// The steps that rise, those that go along included.
    pub fn steps(&self) -> impl Iterator<Item = usize> + '_ {
        self.risers.keys().copied()
    }

    /// What rises needs and meets on the way.
    pub fn rise(&self) -> &Rise {
        &self.rise
    }

    /// The names of what is copied first, as they are written, for titles.
    pub fn copied(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rise.needs.iter().map(|need| need.from.as_str()).collect();
        names.sort_by_key(|name| (name.matches('/').count(), copies::is_lock(name), *name));
        names
    }

    /// What the rising steps fetch without an exact version, in words.
    pub fn unpinned(&self) -> Vec<String> {
        let steps = self.risers.keys().filter_map(|index| self.order.print(*index));
        let mut notes: Vec<String> = Vec::new();
        for command in steps.flat_map(|step| &step.commands) {
            let Some(Ok(Some(Dependencies { unpinned: Some(what), .. }))) = &command.dependencies else { continue };
            let note =
                format!("{what}: it is now fetched when what is above it changes, and no longer with each edit of the source");
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// What a rising step fetches that changes behind its name; above the source it would stay as it is.
    pub fn mutable(&self) -> Option<(usize, &str)> {
        self.risers.keys().find_map(|index| match &self.order.print(*index)?.print.footprint.fetches {
            Fetch::Mutable(what) => Some((*index, what.as_str())),
            _ => None,
        })
    }

    /// The edits that make the new order: one, and another where the file is made to name a frontend.
    ///
    /// # Errors
    /// A name that can't be written in a COPY, or a place that has no exact text.
    pub fn edits(&self) -> Result<Vec<Edit>, Refusal> {
        let no_place = || Refusal::NotEditable { why: "the instructions have no exact place in the text".to_owned() };
        let idle = self.idle_users();
        let last = self.risers.keys().chain(idle.iter().flatten()).max().copied().ok_or_else(no_place)?;
        let start = |index: usize| self.step(index).map(|step| step.instruction.span.start).ok_or_else(no_place);
        let arrangement = Arrangement::between(self.dockerfile, start(self.over)?, start(last)?).ok_or_else(no_place)?;
        let bare = |pair: &&[usize; 2]| pair.iter().all(|index| start(*index).is_ok_and(|at| arrangement.is_bare(at)));
        let idle: Vec<usize> = idle.iter().filter(bare).flatten().copied().collect();
        let mut pieces = Vec::new();
        let mut needs_frontend = false;
        for (index, part) in &self.risers {
            let at = start(*index)?;
            let copies = copies::lines(self.dockerfile, self.order, &self.rise, *index, self.frontend)?;
            needs_frontend |= copies.needs_frontend;
            let mut new = copies.lines;
            let bracket = self.brackets.get(index);
            new.extend(bracket.map(|bracket| bracket.before.clone()));
            let (content, gap) = match part {
                RiserPart::Whole => (self.restated(*index).ok_or_else(no_place)?, Some(at)),
                RiserPart::Halves(halves) if halves.keeps_comments_below => (Content::Text(at, halves.first.clone()), None),
                RiserPart::Halves(halves) => (Content::Replaced(at, halves.first.clone()), None),
            };
            pieces.push(Piece { new, new_from: start(self.over)?, content, gap, blank: false });
            pieces.extend(bracket.map(|bracket| Piece {
                new: Vec::new(),
                new_from: at,
                content: Content::Text(at, bracket.after.clone()),
                gap: None,
                blank: false,
            }));
        }
        // What comes to stand first is parted from what is above it as the copy was, and the copy as that was.
        let copy = start(self.over)?;
        let of_first = pieces.first_mut().and_then(|first| first.gap.replace(copy));
        for index in self.over..=last {
            let at = start(index)?;
            let content = match self.risers.get(&index) {
                Some(RiserPart::Whole) => continue,
                None if idle.contains(&index) => continue,
                Some(RiserPart::Halves(halves)) => match &halves.rest {
                    Some(rest) if halves.keeps_comments_below => Content::Replaced(at, rest.clone()),
                    Some(rest) => Content::Text(at, rest.clone()),
                    None => Content::Instruction(at),
                },
                None => self.restated(index).ok_or_else(no_place)?,
            };
            let gap = if index == self.over { of_first } else { Some(at) };
            let blank = index == self.over && gap.is_none() && arrangement.has_gap(at);
            pieces.push(Piece { new: Vec::new(), new_from: at, content, gap, blank });
        }
        let mut edits = vec![arrangement.edit(&pieces).ok_or_else(no_place)?];
        if needs_frontend && let Some(frontend) = self.frontend {
            let at = self.dockerfile.place_of_frontend().ok_or_else(no_place)?;
            edits.insert(0, Edit::insert(at, format!("# syntax={frontend}{}", self.dockerfile.line_end())));
        }
        Ok(edits)
    }

    /// USERs in front of and behind a step that rises with its own: nothing is left between them.
    fn idle_users(&self) -> Vec<[usize; 2]> {
        let user = |index: usize| {
            let instruction = self.step(index)?.instruction;
            (instruction.keyword == Keyword::User).then(|| instruction.logical.as_str())
        };
        let around = |(at, bracket): (&usize, &Bracket)| {
            let (above, below) = (at.checked_sub(1)?, at + 1);
            let (own, next) = (user(above)?, user(below)?);
            let whole = matches!(self.risers.get(at), Some(RiserPart::Whole)) && above > self.over;
            let before = (self.over..above).rev().find(|index| !self.risers.contains_key(index) && user(*index).is_some());
            (whole && own == bracket.before && next == bracket.after && before.is_none()).then_some([above, below])
        };
        self.brackets.iter().filter_map(around).collect()
    }

    /// What the copies that stay give away, for steps that come before them now, in words.
    pub fn given(&self) -> Vec<String> {
        let mut givers: Vec<usize> = self.staying_gifts().map(|given| given.by).collect();
        givers.dedup();
        let said = |giver: usize| {
            let to = self.staying_gifts().filter(|given| given.by == giver).map(|given| given.owner.as_str());
            let owners: BTreeSet<&str> = to.collect();
            let owners = owners.into_iter().map(|owner| format!("--chown={owner}")).collect::<Vec<_>>().join(" and ");
            let giver = self.step(giver).map(shown).unwrap_or_default();
            format!("`{giver}` comes before the source now, which gets the same owner by {owners} and lies in one layer less")
        };
        givers.into_iter().map(said).collect()
    }

    fn staying_gifts(&self) -> impl Iterator<Item = &Given> {
        self.rise.given.iter().filter(|given| !self.risers.contains_key(&given.copy))
    }

    /// A step as it must be said in its new surroundings: a COPY with an absolute destination or another owner, a RUN that makes the
    /// folders that it gives away.
    fn restated(&self, index: usize) -> Option<Content> {
        let step = self.step(index)?;
        let instruction = step.instruction;
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        if self.rise.pinned.contains(&index) && !self.risers.contains_key(&index) {
            edits.push(pinned(step)?);
        }
        if let Some(given) = self.rise.given(index).filter(|_| !self.risers.contains_key(&index)) {
            let own = instruction.flags_named("chown").next();
            let behind = instruction.keyword_span.end;
            let flag = format!("--chown={}", given.owner);
            edits.push(own.map_or((behind..behind, format!(" {flag}")), |own| (own.span.clone(), flag.clone())));
        }
        if let Some(making) = self.rise.makings.iter().find(|making| making.step == index) {
            let front = step.run.as_ref()?.script.text.range(making.front..making.front + 1).start;
            edits.push((front..front, format!("mkdir -p {} && ", making.folders.join(" "))));
        }
        if edits.is_empty() {
            return Some(Content::Instruction(instruction.span.start));
        }
        edits.sort_by_key(|(range, _)| range.start);
        let (mut text, mut at) = (String::new(), instruction.span.start);
        for (range, new) in edits {
            text.push_str(self.dockerfile.text.get(at..range.start)?);
            text.push_str(&new);
            at = range.end;
        }
        text.push_str(self.dockerfile.text.get(at..instruction.span.end)?);
        Some(Content::Replaced(instruction.span.start, text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn step(&self, index: usize) -> Option<&Step<'m>> {
        self.order.steps.get(index)
    }
}

/// The destination of a COPY as an absolute path.
fn pinned(step: &Step<'_>) -> Option<(Range<usize>, String)> {
    let instruction = step.instruction;
    let written = instruction.arguments.values.last()?;
    let absolute = step.state.absolute(written).into_known()?;
    let into = written.ends_with('/') || written == "." || instruction.arguments.values.len() > 2;
    let slash = if into && absolute != "/" { "/" } else { "" };
    let range = instruction.logical.range(instruction.arguments.ranges.last()?.clone());
    let new = if instruction.arguments.json { format!("\"{absolute}{slash}\"") } else { format!("{absolute}{slash}") };
    Some((range, new))
}

/// An instruction as it is shown in words: its first line, cut.
pub fn shown(step: &Step<'_>) -> String {
    const LONGEST: usize = 60;
    let folded = step.instruction.logical.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.chars().count() <= LONGEST { folded } else { folded.chars().take(LONGEST).chain(['…']).collect() }
}

/// The refusal for what stands in the way.
pub fn refusal(order: &Order<'_>, way: &InTheWay) -> Refusal {
    match order.steps.get(way.step) {
        Some(step) => Refusal::InTheWay { line: step.instruction.lines.0, step: shown(step), why: way.why.clone() },
        None => Refusal::NotEditable { why: way.why.clone() },
    }
}

/// The refusal for a step that needs nothing of a source that a stage below its own copies; `None` where none of them does.
pub fn in_other_stage(below: &[&Order<'_>]) -> Option<Refusal> {
    let (order, copy) = below.iter().find_map(|order| Some((order, order.steps.get(order.source()?)?)))?;
    let why = format!(
        "that copy is in {}, on which this stage is built; a stage without the source, on which both are built, would take this step",
        order.name()
    );
    Some(Refusal::InTheWay { line: copy.instruction.lines.0, step: shown(copy), why })
}

/// Whether some RUN stands below a COPY or ADD from the build context, in its stage or in one on which that is built: without that
/// there is nothing to say.
pub fn has_copy_above_run(dockerfile: &Dockerfile) -> bool {
    let mut copied = false;
    let mut name: Option<&str> = None;
    let mut with_copy: Vec<&str> = Vec::new();
    dockerfile.instructions().any(|instruction| {
        if instruction.keyword == Keyword::From {
            with_copy.extend(name.filter(|_| copied));
            let mut words = instruction.arguments.values.iter().map(String::as_str);
            let base = words.next();
            name = words.next_back();
            copied = base.is_some_and(|base| with_copy.iter().any(|own| own.eq_ignore_ascii_case(base)));
        }
        copied |= is_context_copy(instruction);
        copied && instruction.keyword == Keyword::Run
    })
}

/// Patterns for the ignore file: one for each folder, or one for all of one name.
pub fn patterns(folders: &[String]) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    let name = |folder: &str| folder.rsplit('/').next().unwrap_or(folder).to_owned();
    for folder in folders {
        let alike = folders.iter().filter(|other| name(other) == name(folder) && *other != folder).count();
        let pattern = if alike == 0 { folder.clone() } else { format!("**/{}", name(folder)) };
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

/// What comes to stand in one place of a new order.
#[derive(Clone, Debug)]
pub enum Placed {
    /// The step as it is, with its comments.
    Whole(usize),
    /// The step with another text, and its comments.
    Changed(usize, String),
    /// New text.
    New(String),
}

impl Placed {
    fn index(&self) -> Option<usize> {
        match self {
            Self::Whole(index) | Self::Changed(index, _) => Some(*index),
            Self::New(_) => None,
        }
    }
}

/// The edit that puts some neighbouring steps into another order, each with its comments.
pub fn reordered(dockerfile: &Dockerfile, steps: &[Step<'_>], order: &[usize]) -> Option<Edit> {
    rearranged(dockerfile, steps, &order.iter().copied().map(Placed::Whole).collect::<Vec<_>>())
}

/// The same where some change or are new.
pub fn rearranged(dockerfile: &Dockerfile, steps: &[Step<'_>], order: &[Placed]) -> Option<Edit> {
    let start = |index: usize| Some(steps.get(index)?.instruction.span.start);
    let indexes = || order.iter().filter_map(Placed::index);
    let (first, last) = (indexes().min()?, indexes().max()?);
    let arrangement = Arrangement::between(dockerfile, start(first)?, start(last)?)?;
    // What comes to stand first is parted from what is above it as the old first was, and that as the new one was.
    let (old, new) = (start(first)?, start(indexes().next()?)?);
    let gap = |at: usize| match at {
        at if at == old => new,
        at if at == new => old,
        at => at,
    };
    // A copy that stands behind a RUN now is parted from it, where it was parted from what is above.
    let keyword = |placed: &Placed| Some(&steps.get(placed.index()?)?.instruction.keyword);
    let begins_again = |place: usize| {
        let above = place.checked_sub(1).and_then(|above| order.get(above)).and_then(keyword);
        let own = order.get(place).and_then(keyword);
        above == Some(&Keyword::Run) && own.is_some_and(|own| matches!(own, Keyword::Copy | Keyword::Add))
    };
    let piece = |(place, placed): (usize, &Placed)| {
        let at = match placed.index() {
            Some(index) => Some(start(index)?),
            None => None,
        };
        let content = match (placed, at) {
            (Placed::Whole(_), Some(at)) => Content::Instruction(at),
            (Placed::Changed(_, text), Some(at)) => Content::Replaced(at, text.clone()),
            (Placed::New(text), _) => Content::Text(old, text.clone()),
            _ => return None,
        };
        let blank = at == Some(old) && arrangement.has_gap(old) && !arrangement.has_gap(new) && begins_again(place);
        let gap = at.map(gap).filter(|_| !blank);
        Some(Piece { new: Vec::new(), new_from: at.unwrap_or(old), content, gap, blank })
    };
    arrangement.edit(&order.iter().enumerate().map(piece).collect::<Option<Vec<Piece>>>()?)
}

/// Whether something is copied from the build context.
pub fn has_context_copy(dockerfile: &Dockerfile) -> bool {
    dockerfile.instructions().any(is_context_copy)
}
