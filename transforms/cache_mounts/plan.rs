//! What happens to one RUN.
//!
//! Owns: putting together, for one manager in one RUN, its mounts, the changes of its commands and the cleanups that go; and
//! turning such plans into edits.

use super::cleanups::{self, Cut};
use super::layout;
use super::mounts::{self, Mount};
use super::usage::StepUse;
use super::visibility::{self, Question};
use crate::ecosystems::{Activity, CacheFolder, CommandChange, Ecosystem, Invocation, Need, Obstacle, User};
use crate::edit::{self, Edit};
use crate::model::{Form, Model, Ran, surroundings};
use crate::pipeline::Refusal;
use crate::shell::Removal;
use crate::syntax::Dockerfile;
use std::ops::Range;

/// What all plans of a file look at.
pub struct Sight<'v> {
    /// The file.
    pub dockerfile: &'v Dockerfile,
    /// What it means.
    pub model: &'v Model<'v>,
    /// The RUNs of each stage.
    pub uses: &'v [Vec<StepUse<'v>>],
    /// Every command of each stage's chain, in order.
    pub history: &'v [History],
}

/// The commands of a stage and those it is built on, oldest first.
#[derive(Default)]
pub struct History {
    /// The commands.
    pub invocations: Vec<Invocation>,
    /// For each RUN of the stage itself: its step's index, and where its commands begin.
    pub begins: Vec<(usize, usize)>,
}

impl Sight<'_> {
    /// What ran before a command of a step.
    pub fn earlier(&self, item: &StepUse<'_>, command: usize) -> &[Invocation] {
        let Some(history) = self.history.get(item.stage) else { return &[] };
        let begin = history.begins.iter().find(|(step, _)| *step == item.index).map_or(0, |(_, begin)| *begin);
        history.invocations.get(..begin + command).unwrap_or_default()
    }
}

/// What happens to one RUN.
pub struct StepPlan<'v> {
    /// The RUN.
    pub item: &'v StepUse<'v>,
    /// Mounts to add, in order.
    pub mounts: Vec<Mount>,
    /// Changes of commands, by their index.
    pub changes: Vec<(usize, CommandChange)>,
    /// What goes.
    pub cuts: Vec<Cut>,
    /// The whole instruction goes.
    pub remove: bool,
    /// The managers served.
    pub managers: Vec<&'static str>,
    /// Said beside the fix.
    pub notes: Vec<String>,
}

impl<'v> StepPlan<'v> {
    /// Nothing to do yet.
    pub fn new(item: &'v StepUse<'v>) -> Self {
        Self {
            item,
            mounts: Vec::new(),
            changes: Vec::new(),
            cuts: Vec::new(),
            remove: false,
            managers: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.mounts.is_empty() && self.changes.is_empty() && self.cuts.is_empty() && !self.remove
    }

    /// Takes in what another manager needs of the same RUN.
    pub fn merge(&mut self, other: Self) {
        for mount in other.mounts {
            if !self.mounts.iter().any(|own| own.target == mount.target) {
                self.mounts.push(mount);
            }
        }
        self.changes.extend(other.changes);
        self.cuts.extend(other.cuts.into_iter().filter(|cut| !self.cuts.contains(cut)).collect::<Vec<_>>());
        self.remove |= other.remove;
        self.managers.extend(other.managers);
        self.notes.extend(other.notes);
    }
}

/// How much of a manager's cache is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// All but the index, which stays in the layers as the author had it.
    WithoutIndex,
}

/// The plans for one manager in one RUN (and in later RUNs that work from what it fetches). `None`: nothing to do.
///
/// # Errors
/// Why the RUN must stay as it is.
pub fn of_step<'v>(
    sight: &'v Sight<'v>,
    item: &'v StepUse<'v>,
    ecosystem: &'static dyn Ecosystem,
    extent: Extent,
) -> Result<Option<Vec<StepPlan<'v>>>, Refusal> {
    let existing = mounts::existing(item);
    if visibility::is_windows(sight.model, item.stage) {
        return Err(Refusal::Elsewhere { why: "the stage starts from a Windows image, where these folders are not".to_owned() });
    }
    let mut plan = StepPlan::new(item);
    let mut folders: Vec<(CacheFolder, User)> = Vec::new();
    let mut fetching = own_commands(item, ecosystem);
    fetching.retain(|(_, activity)| matches!(activity, Activity::Install { .. } | Activity::RefreshIndex));
    // Installs name all folders, refreshes some of them: the order of mounts is that of the installs.
    fetching.sort_by_key(|(_, activity)| *activity == Activity::RefreshIndex);
    for (command, _) in fetching {
        let Some(ran) = item.commands.get(command) else { continue };
        let Some(stage) = sight.model.stages.get(item.stage) else { continue };
        let at = surroundings(&stage.image, &item.step.state, ran, sight.earlier(item, command));
        let wanted = match ecosystem.cache(&ran.invocation, &at) {
            Ok(wanted) => wanted,
            // The author has mounted something here and set the manager up by other means: it is theirs.
            Err(_) if existing.iter().any(|mount| mount.may_serve(ecosystem, item)) => return Ok(None),
            Err(obstacle) => return Err(Refusal::Manager { id: ecosystem.id(), obstacle }),
        };
        for folder in wanted.mounts {
            if folder.index && extent == Extent::WithoutIndex {
                continue;
            }
            if !folders.iter().any(|(known, _)| known.target == folder.target) {
                folders.push((folder, at.user.clone()));
            }
        }
        plan.changes.extend(wanted.changes.into_iter().map(|change| (command, change)));
        plan.notes.extend(wanted.notes);
    }
    let mut plans = Vec::new();
    for (folder, user) in &folders {
        if mounts::is_served(&existing, &folder.target)? {
            continue;
        }
        let question = Question { model: sight.model, uses: sight.uses, ecosystem, folder, at: item };
        question.ask()?;
        if folder.need == Need::ByLaterSteps && only_fetches(item, ecosystem) && !question.has_consumer() {
            let because = "nothing in this file works from what this step fetches, so it is the image itself that needs it";
            return Err(Refusal::Manager { id: ecosystem.id(), obstacle: Obstacle::Unsafe { because: because.to_owned() } });
        }
        if let Some(what) = visibility::copied_in_step(item, ecosystem, &folder.target) {
            return Err(Refusal::LaterReader { target: folder.target.clone(), line: item.line(), what });
        }
        if let Some(refusal) = mounts::parent_is_made(item, &folder.target) {
            return Err(refusal);
        }
        let bases = base_images(sight, ecosystem);
        let mount = Mount::of(sight.model, item, ecosystem.id(), folder, user, bases)?;
        plan.mounts.push(mount);
    }
    if plan.mounts.is_empty() {
        // The author's mount, and the author's way of using it: only what makes it useless goes.
        plan.changes.retain(|(_, change)| matches!(change, CommandChange::RemoveArgument(_)));
        plan.notes.clear();
    }
    plans.extend(readers(sight, item, ecosystem, &folders)?);
    let targets: Vec<String> = folders.iter().map(|(folder, _)| folder.target.clone()).collect();
    if !targets.is_empty() {
        plan.cuts = match extent {
            Extent::Whole => cleanups::in_step(item, ecosystem, &targets, ecosystem.classic_folders())?,
            // The author's cleanups stay with the index that they are for.
            Extent::WithoutIndex => cleanups::in_step(item, ecosystem, &targets, &[])?,
        };
    }
    if joined_cuts(item, &plan.cuts).is_none() {
        let why =
            "the cleanups are a list of their own, and without it the RUN would end with another command's status".to_owned();
        return Err(Refusal::Cleanup { line: item.line(), why });
    }
    editable(item, &plan)?;
    if !plan.is_empty() {
        plan.managers.push(ecosystem.id());
        plans.insert(0, plan);
    }
    Ok((!plans.is_empty()).then_some(plans))
}

/// Later RUNs that work from what this one fetches get the same mounts, whether they are new here or the author's.
fn readers<'v>(
    sight: &'v Sight<'v>,
    item: &'v StepUse<'v>,
    ecosystem: &'static dyn Ecosystem,
    folders: &[(CacheFolder, User)],
) -> Result<Vec<StepPlan<'v>>, Refusal> {
    let mut plans: Vec<StepPlan<'v>> = Vec::new();
    for (folder, user) in folders {
        let question = Question { model: sight.model, uses: sight.uses, ecosystem, folder, at: item };
        let readers: Vec<(usize, usize)> =
            question.readers_without_own_use().iter().map(|reader| (reader.stage, reader.index)).collect();
        if readers.is_empty() {
            continue;
        }
        let mount = Mount::of(sight.model, item, ecosystem.id(), folder, user, base_images(sight, ecosystem))?;
        for (stage, index) in readers {
            let Some(reader) = sight.uses.get(stage).and_then(|uses| uses.iter().find(|reader| reader.index == index)) else {
                continue;
            };
            let Some(mount) = mounts::for_reader(reader, item, &mount)? else { continue };
            match plans.iter_mut().find(|plan| plan.item.index == index && plan.item.stage == stage) {
                Some(plan) => plan.mounts.push(mount),
                None => {
                    let mut plan = StepPlan::new(reader);
                    plan.mounts.push(mount);
                    plan.managers.push(ecosystem.id());
                    plans.push(plan);
                }
            }
        }
    }
    Ok(plans)
}

/// Whether the manager's commands of the RUN make nothing but a filled cache.
fn only_fetches(item: &StepUse<'_>, ecosystem: &dyn Ecosystem) -> bool {
    item.of(ecosystem)
        .all(|(ran, activity)| !matches!(activity, Activity::Install { .. }) || ecosystem.only_fetches(&ran.invocation))
}

fn own_commands(item: &StepUse<'_>, ecosystem: &dyn Ecosystem) -> Vec<(usize, Activity)> {
    item.uses.iter().filter(|used| used.ecosystem.id() == ecosystem.id()).map(|used| (used.command, used.activity)).collect()
}

/// How many different distributions the manager's commands of this file run on.
fn base_images(sight: &Sight<'_>, ecosystem: &dyn Ecosystem) -> usize {
    let mut families: Vec<&str> = Vec::new();
    for (stage, uses) in sight.uses.iter().enumerate() {
        let family = mounts::family(sight.model, stage);
        if uses.iter().any(|item| item.fetches(ecosystem)) && !families.contains(&family) {
            families.push(family);
        }
    }
    families.len()
}

/// Whether every change of the plan has an exact place in the file.
fn editable(item: &StepUse<'_>, plan: &StepPlan<'_>) -> Result<(), Refusal> {
    let needs_text = !plan.changes.is_empty() || !plan.cuts.is_empty();
    if needs_text && item.run.form == Form::Exec {
        return Err(Refusal::NotEditable {
            why: "the RUN is in exec form, in which a command's options can't be changed safely; the shell form would allow it"
                .to_owned(),
        });
    }
    for (command, change) in &plan.changes {
        let ran = item.commands.get(*command);
        if ran.and_then(|ran| change_edit(ran, change)).is_none() {
            let name = ran.map_or("", |ran| ran.invocation.program.as_str());
            return Err(Refusal::NotEditable {
                why: format!("`{name}` needs a change to use the mount, and its place in the text is not exact"),
            });
        }
    }
    Ok(())
}

/// A change as (range of the script, text).
fn change_edit(ran: &Ran, change: &CommandChange) -> Option<(Range<usize>, String)> {
    let invocation = &ran.invocation;
    match change {
        CommandChange::RemoveArgument(index) => Some((cleanups::argument_range(ran, *index)?, String::new())),
        CommandChange::ReplaceArgument(index, text) => {
            Some((invocation.arguments.get(*index)?.span.known()?.clone(), text.clone()))
        }
        CommandChange::InsertAfterProgram(text) => {
            let at = *invocation.behind_program.known()?;
            Some((at..at, format!(" {text}")))
        }
        CommandChange::SetVariable(name, value) => {
            let at = *invocation.front.known()?;
            // Written out, because `NAME= command` looks like a slip.
            let value = if value.is_empty() { "''" } else { value.as_str() };
            Some((at..at, format!("{name}={value} ")))
        }
    }
}

/// The edits of a plan; `None` where one of them has no place.
pub fn edits(dockerfile: &Dockerfile, plan: &StepPlan<'_>) -> Option<Vec<Edit>> {
    let (item, run) = (plan.item, plan.item.run);
    if plan.remove {
        return Some(vec![layout::remove_instruction(dockerfile, item.step.instruction)?]);
    }
    let text = &run.script.text;
    let mut edits = Vec::new();
    if !plan.mounts.is_empty() {
        let flags: Vec<String> = plan.mounts.iter().map(Mount::flag).collect();
        edits.push(layout::add_flags(dockerfile, item.step.instruction, &flags, added_width(plan))?);
    }
    for (command, change) in &plan.changes {
        let (range, insert) = change_edit(item.commands.get(*command)?, change)?;
        edits.push(match (range.is_empty(), change) {
            (true, CommandChange::InsertAfterProgram(_)) => layout::insert_behind(text, range.start, insert),
            (true, _) => layout::insert(text, range.start, insert),
            (false, CommandChange::RemoveArgument(_)) => {
                edits.extend(layout::cut(dockerfile, run, range)?);
                continue;
            }
            (false, _) => Edit::replace(text.range(range), insert),
        });
    }
    for range in joined_cuts(item, &whole_removals(item, &plan.cuts))? {
        edits.extend(layout::cut(dockerfile, run, range)?);
    }
    Some(edit::join(edits))
}

/// How much wider the commands get, in characters: what goes is not counted, so that a line is broken rather too soon.
fn added_width(plan: &StepPlan<'_>) -> usize {
    let changes = plan.changes.iter().map(|(_, change)| match change {
        CommandChange::RemoveArgument(_) => 0,
        CommandChange::ReplaceArgument(_, text) | CommandChange::InsertAfterProgram(text) => text.chars().count() + 1,
        CommandChange::SetVariable(name, value) => name.chars().count() + value.chars().count() + 2,
    });
    changes.sum::<usize>()
}

/// Cuts that touch as one. `None` where a whole list would go: what stands around it then has another status, or nothing to run.
fn joined_cuts(item: &StepUse<'_>, cuts: &[Cut]) -> Option<Vec<Range<usize>>> {
    let mut ranges: Vec<Range<usize>> =
        cuts.iter().filter_map(|cut| if let Cut::Part(range) = cut { Some(range.clone()) } else { None }).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges.dedup();
    let first = item.commands.iter().map(|ran| ran.invocation.span.start).min();
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            // Both took the connector between them: the first began a list. At the script's very start the next command ends it.
            Some(last) if range.start < last.end => {
                let end = last.end.max(range.end);
                let next = item.commands.iter().map(|ran| ran.invocation.span.start).filter(|start| *start >= end).min();
                last.end = next.filter(|_| Some(last.start) == first)?;
            }
            Some(last) if range.start == last.end => last.end = range.end,
            _ => joined.push(range),
        }
    }
    Some(joined)
}

/// The cuts with each `rm` whose last path goes taken whole.
fn whole_removals(item: &StepUse<'_>, cuts: &[Cut]) -> Vec<Cut> {
    let mut cuts = cuts.to_vec();
    for ran in item.commands.iter().filter(|ran| ran.invocation.program == "rm") {
        let paths: Vec<usize> = ran
            .invocation
            .arguments
            .iter()
            .enumerate()
            .filter(|(_, argument)| !argument.raw.starts_with('-'))
            .map(|(index, _)| index)
            .collect();
        let ranges: Vec<Option<Cut>> = paths.iter().map(|index| cleanups::argument_range(ran, *index).map(Cut::Part)).collect();
        let all = !ranges.is_empty() && ranges.iter().all(|range| range.as_ref().is_some_and(|range| cuts.contains(range)));
        if all && let Removal::Range(whole) = &ran.removal {
            cuts.retain(|cut| !ranges.contains(&Some(cut.clone())));
            cuts.push(Cut::Part(whole.clone()));
        }
    }
    cuts
}
