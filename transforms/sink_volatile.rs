//! # What it does
//! Moves ARG and ENV whose value is another with every build (commit, build date, build number, the project's version) below the
//! expensive steps that don't use them, together with the LABELs that carry them.
//!
//! # Why
//! Every ARG and ENV in force is part of the cache key of a RUN, whether the RUN names it or not. A commit above the installs makes
//! them run again in every build.
//!
//! # Example
//! Before:
//! ```dockerfile
//! FROM python:3.12-slim
//! ARG GIT_SHA
//! ENV GIT_SHA=$GIT_SHA
//! RUN apt-get update && apt-get install -y --no-install-recommends libpq5
//! CMD ["python"]
//! ```
//! After:
//! ```dockerfile
//! FROM python:3.12-slim
//! RUN apt-get update && apt-get install -y --no-install-recommends libpq5
//! ARG GIT_SHA
//! ENV GIT_SHA=$GIT_SHA
//! CMD ["python"]
//! ```
//!
//! # Safety
//! Safe: the variable passes only instructions that don't name it and commands that are known to read no such variable (package
//! managers, and programs whose footprint is known). It stops above the first one that may use it: a build or a script. The
//! configuration of the image stays the same. Nothing is refused: where it can't sink below an expensive step, it stays.
//!
//! # References
//! The Dockerfile reference on ARG, "Impact on build caching". LABEL alone is no part of the key of later steps, so one without such a
//! variable stays where it is.

use super::rising;
use crate::context::View;
use crate::ecosystems::Activity;
use crate::edit::{Applicability, Fix};
use crate::model::footprint::Fetch;
use crate::model::order::Order;
use crate::model::volatile::is_volatile;
use crate::pipeline::{Meta, Refusal, Scene, Transform};
use crate::syntax::{Dockerfile, Instruction, Keyword};

/// See the module.
pub struct SinkVolatile;

/// Variables of one stage that sink together.
pub struct Site {
    at: usize,
    fix: Fix,
}

impl Transform for SinkVolatile {
    type Site = Site;
    const META: Meta = Meta {
        id: "sink-volatile",
        summary: "sets what changes with every build below the expensive steps",
        source: include_str!("sink_volatile.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        if !scene.dockerfile.instructions().any(is_volatile_setting) {
            return Vec::new();
        }
        let nothing = View::of_files([]);
        let view = scene.view.as_ref().unwrap_or(&nothing);
        let model = scene.model_with_named_workdirs();
        let stages = 0..model.stages.len();
        stages.filter_map(|stage| sink(scene.dockerfile, &Order::new(model, stage, view)?)).collect()
    }

    fn place(&self, site: &Site) -> usize {
        site.at
    }

    fn propose(&self, _scene: &Scene<'_>, site: &Site) -> Result<Fix, Refusal> {
        Ok(site.fix.clone())
    }
}

/// An ARG, or an ENV that hands an ARG on, all of whose variables are volatile.
fn is_volatile_setting(instruction: &Instruction) -> bool {
    let values = &instruction.arguments.values;
    match instruction.keyword {
        Keyword::Arg => !values.is_empty() && values.iter().all(|value| is_volatile(value.split('=').next().unwrap_or(value))),
        Keyword::Env => {
            !values.is_empty()
                && values.chunks(2).all(|pair| matches!(pair, [name, value] if is_volatile(name) && value.contains('$')))
        }
        _ => false,
    }
}

/// The first group of a stage that can sink below an expensive step.
fn sink(dockerfile: &Dockerfile, order: &Order<'_>) -> Option<Site> {
    let volatile =
        (0..order.steps.len()).filter(|index| order.steps.get(*index).is_some_and(|step| is_volatile_setting(step.instruction)));
    volatile.into_iter().find_map(|first| sink_from(dockerfile, order, first))
}

fn sink_from(dockerfile: &Dockerfile, order: &Order<'_>, first: usize) -> Option<Site> {
    let mut group = vec![first];
    let mut passed: Vec<usize> = Vec::new();
    let mut end = None;
    for index in first + 1..order.steps.len() {
        let step = order.steps.get(index)?;
        let print = &order.print(index)?.print;
        let clashes = group.iter().any(|own| order.print(*own).is_none_or(|own| own.print.settings_clash(print).is_some()));
        let goes_along = is_volatile_setting(step.instruction) || clashes && step.instruction.keyword == Keyword::Label;
        match () {
            () if goes_along && passed.iter().all(|other| commutes(order, *other, index)) => group.push(index),
            () if clashes || refreshes(order, index) => break,
            () => {
                passed.push(index);
                if is_expensive(order, index) {
                    end = Some((group.clone(), passed.clone()));
                }
            }
        }
    }
    let (group, passed) = end?;
    let names: Vec<&str> = group.iter().filter_map(|index| order.print(*index)).flat_map(|step| step.print.sets()).collect();
    let mut listed: Vec<&str> = names.clone();
    listed.sort_unstable();
    listed.dedup();
    let last = *passed.last()?;
    let new: Vec<usize> = passed.iter().chain(&group).copied().collect();
    let line = order.steps.get(last)?.instruction.lines.0;
    let fix = Fix {
        title: format!(
            "set {} below the steps that don't use {} (down to line {line})",
            listed.join(", "),
            if listed.len() == 1 { "it" } else { "them" }
        ),
        edits: vec![rising::reordered(dockerfile, order.steps, &new)?],
        applicability: Applicability::Safe,
        notes: Vec::new(),
        removes_comments: Vec::new(),
        moves: true,
        ignores: Vec::new(),
    };
    Some(Site { at: order.steps.get(first)?.instruction.span.start, fix })
}

/// Whether a step fetches what changes behind its name: the variable may be what makes it do so again.
fn refreshes(order: &Order<'_>, index: usize) -> bool {
    order.print(index).is_some_and(|step| matches!(step.print.footprint.fetches, Fetch::Mutable(_)))
}

/// Whether a step may rise above another as far as settings go; both touch no files that matter.
fn commutes(order: &Order<'_>, one: usize, behind: usize) -> bool {
    let labels = |index: usize| {
        let instruction = order.steps.get(index).map(|step| step.instruction).filter(|one| one.keyword == Keyword::Label);
        instruction.map_or(&[][..], |label| &label.arguments.values).chunks(2).filter_map(|pair| pair.first()).collect::<Vec<_>>()
    };
    if labels(one).iter().any(|key| labels(behind).contains(key)) {
        return false;
    }
    match (order.print(one), order.print(behind)) {
        (Some(one), Some(behind)) => one.print.settings_clash(&behind.print).is_none(),
        _ => false,
    }
}

/// Whether it installs or downloads something.
fn is_expensive(order: &Order<'_>, index: usize) -> bool {
    let Some(step) = order.print(index) else { return false };
    step.commands.iter().any(|command| {
        let activity = command.ecosystem.and_then(|ecosystem| ecosystem.recognise(&command.ran.invocation));
        matches!(activity, Some(Activity::Install { .. } | Activity::RefreshIndex)) || command.footprint.fetches != Fetch::Nothing
    })
}
