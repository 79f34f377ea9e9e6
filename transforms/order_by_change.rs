//! # What it does
//! Orders neighbouring COPYs from least to most often changed, by the git history of what they copy; and installs, each with the
//! copies that it needs, so that over that history the fewest commands run again.
//!
//! # Why
//! When the files of one COPY change, all steps behind it run again. What changes seldom belongs above what changes often: an install
//! whose manifests change once a month above one whose lock file changes every day.
//!
//! # Example
//! Before, in a project whose `src` changed in more of its last commits than `config`:
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY src ./src
//! COPY config ./config
//! CMD ["python", "src/main.py"]
//! ```
//! After:
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY config ./config
//! COPY src ./src
//! CMD ["python", "src/main.py"]
//! ```
//!
//! # Safety
//! Safe for COPYs: only those from the build context that stand next to each other and lay nothing into the same place change their
//! order. COPYs that changed equally often keep theirs, and so do those that bring a few named files each. Where a comment stands above
//! the first of several and may speak of them all, the first stays first.
//! Safe for an install: what it passes touches nothing that it touches, or one of two package managers only fills its cache
//! (`go mod download`, `cargo fetch`). Unsafe where both install and may run scripts (`pip install` and `npm ci`), or one runs code of
//! the project that can't be followed: their project folders are apart, but one might use a tool that the other installs. Two managers
//! of one language keep their order, and so does everything below a step that may touch anything.
//! What is equally good stays. Without a git history nothing is done, and nothing is refused.
//!
//! # References
//! Docker's guide "Optimize cache usage in builds": order your layers.

mod installs;

use super::rising;
use crate::cache::{Builder, Plan};
use crate::edit::{Applicability, Fix};
use crate::model::brought::ContextCopy;
use crate::model::order::Order;
use crate::model::volatile::handed_to_volatile;
use crate::pipeline::{Meta, Refusal, Scene, Transform};
use crate::syntax::{Dockerfile, ItemKind, Keyword};
use installs::Installs;
use std::collections::BTreeSet;

/// Commits that are counted.
const COMMITS: usize = 500;

/// See the module.
pub struct OrderByChange;

/// Steps that are to change their order.
pub struct Site {
    at: usize,
    fix: Fix,
}

impl Transform for OrderByChange {
    type Site = Site;
    const META: Meta = Meta {
        id: "order-by-change",
        summary: "copies what changes seldom before what changes often",
        source: include_str!("order_by_change.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        let (neighbours, installs) = (has_neighbours(scene.dockerfile), rising::has_copy_above_run(scene.dockerfile));
        let Some(view) = scene.view.as_ref().filter(|_| neighbours || installs) else { return Vec::new() };
        let commits = view.commits(COMMITS);
        if commits.is_empty() {
            return Vec::new();
        }
        let model = scene.model_with_named_workdirs();
        // Whatever builder the file meets: `--link` is not relied on.
        let plan = Plan::of(scene.dockerfile, Some(view), None, Builder { merges: false });
        let (past, fresh) = (plan.past(&commits), fresh(scene));
        let in_stage = |stage: usize| {
            let Some(order) = Order::new(model, stage, view) else { return Vec::new() };
            let changes = |index: usize| plan.changes(stage, index, &commits);
            let mut sites = if neighbours { in_stage(scene.dockerfile, &order, &changes) } else { Vec::new() };
            let wear = plan.wear(stage, &past);
            let of_installs = Installs::new(scene.dockerfile, &order, &wear, &fresh).site(commits.len());
            sites.extend(of_installs.map(|(at, fix)| Site { at, fix }));
            sites
        };
        (0..model.stages.len()).flat_map(in_stage).collect()
    }

    fn place(&self, site: &Site) -> usize {
        site.at
    }

    fn propose(&self, _scene: &Scene<'_>, site: &Site) -> Result<Fix, Refusal> {
        Ok(site.fix.clone())
    }
}

/// Build arguments that have another value with every build.
fn fresh(scene: &Scene<'_>) -> BTreeSet<String> {
    let named = scene.options.place.iter().flat_map(|place| &place.fresh_arguments).cloned();
    named.chain(scene.dockerfile.instructions().flat_map(handed_to_volatile)).collect()
}

fn has_neighbours(dockerfile: &Dockerfile) -> bool {
    let copies: Vec<bool> =
        dockerfile.instructions().map(|one| one.keyword == Keyword::Copy && one.flag("from").is_none()).collect();
    copies.windows(2).any(|pair| pair == [true, true])
}

/// A COPY with how often what it brings changed.
struct Counted<'o> {
    index: usize,
    copy: &'o ContextCopy,
    changes: usize,
}

/// `changes`: how many commits change what a step of the stage copies.
fn in_stage(dockerfile: &Dockerfile, order: &Order<'_>, changes: &dyn Fn(usize) -> Option<usize>) -> Vec<Site> {
    let mut sites = Vec::new();
    let mut run: Vec<Counted<'_>> = Vec::new();
    for index in 0..=order.steps.len() {
        let counted = counted(order, index, changes);
        if let Some(counted) = counted {
            run.push(counted);
        } else {
            sites.extend(in_run(dockerfile, order, &run));
            run.clear();
        }
    }
    sites
}

fn counted<'o>(order: &'o Order<'_>, index: usize, changes: &dyn Fn(usize) -> Option<usize>) -> Option<Counted<'o>> {
    let step = order.print(index).filter(|step| step.from_context)?;
    let copy = step.copy.as_ref().filter(|copy| !copy.maps.is_empty())?;
    Some(Counted { index, copy, changes: changes(index)? })
}

/// Lets what changes seldom rise, neighbour by neighbour.
fn in_run(dockerfile: &Dockerfile, order: &Order<'_>, run: &[Counted<'_>]) -> Option<Site> {
    let headed = has_heading(dockerfile, order, run);
    let mut sorted: Vec<&Counted<'_>> = run.iter().collect();
    for end in (1..sorted.len()).rev() {
        for at in 0..end {
            if let (Some(one), Some(next)) = (sorted.get(at), sorted.get(at + 1))
                && one.changes > next.changes
                && (brings_folder(one.copy) || brings_folder(next.copy))
                && !(at == 0 && headed)
                && order.lays_apart(one.copy, next.copy)
                && order.same_owner(one.index, next.index)
            {
                sorted.swap(at, at + 1);
            }
        }
    }
    let new: Vec<usize> = sorted.iter().map(|counted| counted.index).collect();
    if new.is_sorted() {
        return None;
    }
    let counts: Vec<String> = sorted.iter().map(|counted| format!("{} {}", name(counted), counted.changes)).collect();
    let fix = Fix {
        title: "copy what changes seldom before what changes often".to_owned(),
        edits: vec![rising::reordered(dockerfile, order.steps, &new)?],
        applicability: Applicability::Safe,
        notes: vec![format!("commits that changed them: {}", counts.join(", "))],
        removes_comments: Vec::new(),
        moves: true,
        ignores: Vec::new(),
    };
    let first = run.first()?;
    Some(Site { at: order.steps.get(first.index)?.instruction.span.start, fix })
}

/// A few named files are copied in no time, and people keep manifests in an order of their own.
fn brings_folder(copy: &ContextCopy) -> bool {
    copy.maps.iter().any(|map| map.folder)
}

/// Whether the comment above the first may speak of them all: no other has one, and no blank line parts them.
fn has_heading(dockerfile: &Dockerfile, order: &Order<'_>, run: &[Counted<'_>]) -> bool {
    let start = |counted: &Counted<'_>| Some(order.steps.get(counted.index)?.instruction.span.start);
    let place = |counted: &Counted<'_>| {
        let start = start(counted)?;
        dockerfile.items.iter().position(|item| item.span.contains(&start))
    };
    let places: Vec<usize> = run.iter().filter_map(place).collect();
    let commented = |place: &usize| {
        let above = place.checked_sub(1).and_then(|above| dockerfile.items.get(above));
        above.is_some_and(|item| matches!(item.kind, ItemKind::Comment))
    };
    let together = places.windows(2).all(|pair| matches!(pair, [one, next] if one + 1 == *next));
    together && places.first().is_some_and(commented)
}

fn name(counted: &Counted<'_>) -> String {
    match counted.copy.maps.as_slice() {
        [one] if one.from.is_empty() => "everything".to_owned(),
        [one] => one.from.clone(),
        [one, ..] => format!("{} …", one.from),
        [] => String::new(),
    }
}
