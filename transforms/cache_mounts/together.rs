//! Managers whose steps hang together: an index fetched in one RUN serves the installs of another.
//!
//! Owns: doing all RUNs of a stage or none, and taking out the refreshes and cleanups that are dead from then on. The index is
//! mounted only where each RUN that installs refreshes it: BuildKit prunes cache mounts sooner than layers, and an install behind a
//! cached `update` layer would then find none. Elsewhere the index stays in the layers and only the packages are mounted.

use super::cleanups;
use super::layout;
use super::mounts;
use super::plan::{self, Extent, Sight, StepPlan};
use super::recheck;
use super::usage::StepUse;
use super::visibility;
use crate::ecosystems::{Activity, Ecosystem};
use crate::model::{Base, Ran, paths};
use crate::pipeline::Refusal;

/// One stage's plans, or the line and reason that stand in the way.
pub type StagePlans<'v> = Result<Vec<StepPlan<'v>>, (usize, Refusal)>;

/// The plans for one manager in every stage that it fetches in: stage and plans.
pub fn of_file<'v>(sight: &'v Sight<'v>, ecosystem: &'static dyn Ecosystem) -> Vec<(usize, StagePlans<'v>)> {
    let mut results: Vec<(usize, StagePlans<'v>)> = Vec::new();
    let kept = stages_others_live_on(sight, ecosystem);
    for (stage, uses) in sight.uses.iter().enumerate() {
        if uses.iter().any(|item| installs(item, ecosystem)) {
            results.push((stage, either_extent(sight, stage, ecosystem, kept.contains(&stage))));
        }
    }
    results
}

fn installs(item: &StepUse<'_>, ecosystem: &dyn Ecosystem) -> bool {
    item.of(ecosystem).any(|(_, activity)| matches!(activity, Activity::Install { .. }))
}

/// The stages whose index an install of a stage built on them may need: it has to stay in their layers.
fn stages_others_live_on(sight: &Sight<'_>, ecosystem: &dyn Ecosystem) -> Vec<usize> {
    let mut kept = Vec::new();
    for (stage, uses) in sight.uses.iter().enumerate() {
        if uses.iter().any(|item| needs_index_from_elsewhere(item, ecosystem)) {
            kept.extend(sight.model.chain(stage).into_iter().filter(|other| *other != stage));
        }
    }
    kept
}

/// Whether an install of the RUN works from an index that an earlier RUN (or the image) brought.
fn needs_index_from_elsewhere(item: &StepUse<'_>, ecosystem: &dyn Ecosystem) -> bool {
    first_install_without_index(item, ecosystem).is_some()
}

fn first_install_without_index<'s>(item: &'s StepUse<'_>, ecosystem: &'s dyn Ecosystem) -> Option<&'s Ran> {
    for (ran, activity) in item.of(ecosystem) {
        match activity {
            Activity::RefreshIndex => return None,
            Activity::Install { needs_index: true } => return Some(ran),
            _ => {}
        }
    }
    None
}

/// The whole cache; or, where somebody may miss the index in the layers, all but the index.
fn either_extent<'v>(
    sight: &'v Sight<'v>,
    stage: usize,
    ecosystem: &'static dyn Ecosystem,
    others_live_on_it: bool,
) -> StagePlans<'v> {
    let whole = if others_live_on_it {
        let why = "a stage built on this one installs from the index that it leaves in its layers".to_owned();
        Err((0, Refusal::Together { line: 0, why }))
    } else {
        checked(sight, stage, ecosystem, Extent::Whole)
    };
    whole.or_else(|whole| match whole.1 {
        Refusal::AuthorsMount { .. } => Err(whole),
        _ => match checked(sight, stage, ecosystem, Extent::WithoutIndex) {
            Ok(plans) if plans.iter().any(|plan| !plan.mounts.is_empty()) => Ok(plans),
            // A mount on the packages stands already, and the index is where somebody needs it.
            Ok(_)
                if sight
                    .uses
                    .get(stage)
                    .is_some_and(|uses| uses.iter().filter(|item| installs(item, ecosystem)).all(has_cache_mount)) =>
            {
                Ok(Vec::new())
            }
            _ => Err(whole),
        },
    })
}

fn checked<'v>(sight: &'v Sight<'v>, stage: usize, ecosystem: &'static dyn Ecosystem, extent: Extent) -> StagePlans<'v> {
    let plans = of_stage(sight, stage, ecosystem, extent)?;
    if recheck::holds(sight.dockerfile, &plans) {
        return Ok(plans);
    }
    let line = plans.first().map_or(0, |plan| plan.item.line());
    let why = "a cleanup that would empty the mount can't be taken out without changing what else the RUN does".to_owned();
    Err((line, Refusal::NotEditable { why }))
}

fn has_cache_mount(item: &StepUse<'_>) -> bool {
    mounts::existing(item).iter().any(|mount| mount.kind == "cache")
}

fn of_stage<'v>(sight: &'v Sight<'v>, stage: usize, ecosystem: &'static dyn Ecosystem, extent: Extent) -> StagePlans<'v> {
    let uses = sight.uses.get(stage).map_or(&[][..], Vec::as_slice);
    let mut plans: Vec<StepPlan<'v>> = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    let mut leaves_index = None;
    let mut served: Vec<&StepUse<'v>> = Vec::new();
    for item in uses.iter().filter(|item| item.fetches(ecosystem)) {
        let made = plan::of_step(sight, item, ecosystem, extent).map_err(|refusal| (item.line(), refusal))?;
        let mut plan = StepPlan::new(item);
        for made in made.into_iter().flatten() {
            folders.extend(made.mounts.iter().map(|mount| mount.target.clone()));
            plan.merge(made);
        }
        if extent == Extent::Whole
            && let Some(install) = first_install_without_index(item, ecosystem)
        {
            // A mount over the index takes away what an earlier step left, and a refresh of our own could fetch another index.
            let name = &install.invocation.program;
            let why = format!("`{name}` works from an index that its own RUN does not fetch, and a mount would hide it");
            return Err((item.line(), Refusal::Together { line: item.line(), why }));
        }
        if plan.mounts.is_empty() && installs(item, ecosystem) {
            served.push(item);
        }
        if leaves_index.is_none() && plan.cuts.is_empty() && !plan.mounts.is_empty() {
            leaves_index = Some(item);
        }
        plans.push(plan);
    }
    folders.sort();
    folders.dedup();
    if folders.is_empty() {
        // Nothing new: what is left to change is a cleanup or an option.
        plans.retain(|plan| !plan.is_empty());
        return Ok(plans);
    }
    if authors_own(sight, uses, ecosystem, &folders)? {
        return Ok(Vec::new());
    }
    let index =
        |mount: &mounts::Existing| mount.kind == "cache" && mount.target.known().is_some_and(|target| folders.contains(target));
    if extent == Extent::Whole
        && let Some(item) = served.iter().find(|item| !mounts::existing(item).iter().any(index))
    {
        let why = "it has mounts that leave the index in the layers".to_owned();
        return Err((item.line(), Refusal::Together { line: item.line(), why }));
    }
    if extent == Extent::WithoutIndex {
        plans.retain(|plan| !plan.is_empty());
        return Ok(plans);
    }
    if let Some(item) = leaves_index {
        others_may_read_index(sight, item, ecosystem)?;
    }
    drop_lone_refreshes(sight, ecosystem, &mut plans);
    plans.extend(
        uses.iter().filter(|item| !item.fetches(ecosystem)).filter_map(|item| cleanup_plan(sight, item, ecosystem, &folders)),
    );
    plans.retain(|plan| !plan.is_empty());
    Ok(plans)
}

/// Where the author mounts this manager's cache in another way, the stage is theirs: true.
fn authors_own(
    sight: &Sight<'_>,
    uses: &[StepUse<'_>],
    ecosystem: &dyn Ecosystem,
    ours: &[String],
) -> Result<bool, (usize, Refusal)> {
    let is_classic = |mount: &mounts::Existing| {
        let within = |target: &String| ecosystem.classic_folders().iter().any(|folder| paths::is_within(target, folder));
        mount.kind == "cache" && mount.target.known().is_some_and(|target| within(target) && !ours.contains(target))
    };
    let fetching = || uses.iter().filter(|item| item.fetches(ecosystem));
    let Some(own) = fetching().find(|item| mounts::existing(item).iter().any(is_classic)) else { return Ok(false) };
    let without = fetching().find(|item| !mounts::existing(item).iter().any(is_classic)).map(StepUse::line);
    let emptied = ecosystem.classic_folders_need().filter(|word| !sight.dockerfile.text.contains(word));
    let line = own.line();
    let why = match (without, emptied) {
        (None, None) => return Ok(true),
        (None, Some(word)) => {
            format!("the author's cache mount on line {line} stays empty where the image's {word} does its work")
        }
        (Some(other), _) => format!("the author's own cache mount is on line {line} but not on line {other}; two ways don't mix"),
    };
    Err((line, Refusal::AuthorsMount { why }))
}

/// `apt-get update` and not a command that refreshes on the way.
fn is_plain_refresh(ran: &Ran) -> bool {
    let mut arguments = ran.invocation.known_arguments();
    !ran.conditional
        && arguments
            .any(|(_, value)| matches!(value, "update" | "makecache" | "refresh" | "ref" | "check-update" | "-Sy" | "-Syy"))
}

/// Scripts and tools behind a RUN that leaves its index in the layer may install from it.
fn others_may_read_index(sight: &Sight<'_>, item: &StepUse<'_>, ecosystem: &dyn Ecosystem) -> Result<(), (usize, Refusal)> {
    let mut stages = vec![(item.stage, item.index + 1)];
    stages.extend(sight.model.built_on(item.stage).into_iter().map(|stage| (stage, 0)));
    for (stage, from) in stages {
        let uses = sight.uses.get(stage).map_or(&[][..], Vec::as_slice);
        for other in uses.iter().filter(|other| other.index >= from && !other.fetches(ecosystem)) {
            let reader = other
                .commands
                .iter()
                .find(|ran| visibility::is_script(ran) || ecosystem.readers().contains(&ran.invocation.program.as_str()));
            if let Some(ran) = reader {
                let why =
                    format!("`{}` may install from the index that line {} leaves in its layer", ran.invocation.path, item.line());
                return Err((other.line(), Refusal::Together { line: other.line(), why }));
            }
        }
    }
    Ok(())
}

/// A RUN that only refreshes is dead once every install refreshes for itself.
fn drop_lone_refreshes(sight: &Sight<'_>, ecosystem: &dyn Ecosystem, plans: &mut [StepPlan<'_>]) {
    let serves_children = |stage: usize| sight.model.stages.iter().any(|other| other.base == Base::Stage(stage));
    for plan in plans.iter_mut() {
        let item = plan.item;
        let only_refreshes = !item.commands.is_empty()
            && item.uses.len() == item.commands.len()
            && item.of(ecosystem).count() == item.commands.len()
            && item.of(ecosystem).all(|(ran, activity)| {
                activity == Activity::Clean || activity == Activity::RefreshIndex && is_plain_refresh(ran)
            });
        if only_refreshes
            && !serves_children(item.stage)
            && layout::remove_instruction(sight.dockerfile, item.step.instruction).is_some()
        {
            let mut emptied = StepPlan::new(item);
            emptied.remove = true;
            emptied.managers = vec![ecosystem.id()];
            *plan = emptied;
        }
    }
}

/// A RUN that fetches nothing but cleans what is a mount elsewhere: the cleanup is dead.
fn cleanup_plan<'v>(
    sight: &Sight<'_>,
    item: &'v StepUse<'v>,
    ecosystem: &'static dyn Ecosystem,
    folders: &[String],
) -> Option<StepPlan<'v>> {
    let mut plan = StepPlan::new(item);
    plan.managers = vec![ecosystem.id()];
    let cuts = cleanups::in_other_step(item, ecosystem, folders, ecosystem.classic_folders());
    if cuts.contains(&cleanups::Cut::Whole) {
        layout::remove_instruction(sight.dockerfile, item.step.instruction)?;
        plan.remove = true;
    } else {
        plan.cuts = cuts;
    }
    Some(plan)
}
