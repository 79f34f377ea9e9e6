//! # cache-mounts
//!
//! ## What it does
//! Puts a BuildKit cache mount on every RUN that installs packages, takes out the options and cleanups that would make it useless,
//! and leaves everything else as it is.
//!
//! ## Why
//! Without it each build that reaches the step downloads every package again, and `--no-cache-dir` or
//! `rm -rf /var/lib/apt/lists/*` make sure of it. A cache mount keeps downloads on the builder and out of the image, so the
//! image stays as small and a changed requirement fetches only what is new.
//!
//! ## Example
//! ```dockerfile
//! FROM python:3.12-slim
//! COPY requirements.txt .
//! RUN pip install --no-cache-dir -r requirements.txt
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.12-slim
//! COPY requirements.txt .
//! RUN --mount=type=cache,target=/root/.cache/pip,sharing=locked pip install -r requirements.txt
//! ```
//!
//! ## Safety
//! Safe when nothing earlier put files under the folder and nothing later reads them from the layers: no RUN, `COPY --from`, mount,
//! CMD, ENTRYPOINT or PATH of this stage or of one built on it. Steps that work from what was fetched (`make build` behind
//! `go mod download`) get the same mount. apt and its like are done for a whole stage or not at all, and with apt's archives in a folder of their own, so that the base image's docker-clean may stay. Where a script
//! or an install may need the package lists in the layers, only the archives are mounted and the lists stay as they were.
//!
//! It never lowers to unsafe: it refuses, and says why. It refuses where the cache's folder, the user or its number are not known;
//! where a later step works offline (BuildKit prunes mounts sooner than layers); where a cleanup that would fail on the mount can't
//! be taken out; where the author's own mounts are in the way; in exec form where the command would have to change; on Windows.
//!
//! What it can't see: an image that starts as another user than root without saying so in the file. There a mount is of no use,
//! and does no harm. Builders: the classic builder and kaniko know no cache mounts; on CI runners that start empty they keep
//! nothing, and only layer caches help.
//!
//! ## References
//! BuildKit's Dockerfile reference, `RUN --mount=type=cache`; each manager's own manual, named in its file in `src/ecosystems`.

#[path = "cache_mounts/cleanups.rs"]
mod cleanups;
#[path = "cache_mounts/layout.rs"]
mod layout;
#[path = "cache_mounts/mounts.rs"]
mod mounts;
#[path = "cache_mounts/plan.rs"]
mod plan;
#[path = "cache_mounts/recheck.rs"]
mod recheck;
#[path = "cache_mounts/together.rs"]
mod together;
#[path = "cache_mounts/usage.rs"]
mod usage;
#[path = "cache_mounts/visibility.rs"]
mod visibility;

use crate::ecosystems::{self, Ecosystem, Scope};
use crate::edit::{self, Applicability, Fix};
use crate::pipeline::{Meta, Refusal, Scene, Transform};
use plan::{Extent, History, Sight, StepPlan};
use usage::StepUse;

/// The transform.
pub struct CacheMounts;

/// RUNs that are changed together, or one that is left alone.
pub struct Site {
    at: usize,
    result: Result<Fix, Refusal>,
}

impl Transform for CacheMounts {
    type Site = Site;
    const META: Meta = Meta {
        id: "cache-mounts",
        summary: "Keeps package managers' downloads in cache mounts, out of the layers",
        source: include_str!("cache_mounts.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        let stages = scene.model().stages.len();
        let uses: Vec<Vec<StepUse<'_>>> = (0..stages).map(|stage| usage::of_stage(scene.model(), stage)).collect();
        let mut beside = triggers(scene);
        beside.extend(uses.iter().flatten().filter_map(|item| {
            let why = usage::unreadable(item)?;
            Some(Site { at: item.step.instruction.span.start, result: Err(Refusal::NotShell { why }) })
        }));
        if !uses.iter().flatten().any(|item| !item.uses.is_empty()) {
            return beside;
        }
        let history: Vec<History> = (0..stages).map(|stage| history(scene, &uses, stage)).collect();
        let sight = Sight { dockerfile: scene.dockerfile, model: scene.model(), uses: &uses, history: &history };
        let mut planner = Planner { sight: &sight, groups: Vec::new(), refusals: Vec::new() };
        for ecosystem in ecosystems::all() {
            match ecosystem.scope() {
                Scope::Stage => planner.together(*ecosystem),
                Scope::Step => planner.step_by_step(*ecosystem),
            }
        }
        planner.sites().into_iter().chain(beside).collect()
    }

    fn place(&self, site: &Site) -> usize {
        site.at
    }

    fn propose(&self, _scene: &Scene<'_>, site: &Site) -> Result<Fix, Refusal> {
        site.result.clone()
    }
}

/// Installs that run in the builds of other Dockerfiles.
fn triggers(scene: &Scene<'_>) -> Vec<Site> {
    let steps = scene.model().stages.iter().flat_map(|stage| stage.steps.iter());
    let refused = steps.filter_map(|step| {
        let managers = usage::of_trigger(scene.dockerfile, step);
        let why = format!(
            "ONBUILD: {} runs in builds of other Dockerfiles, whose frontend and user are not known here",
            managers.first()?
        );
        Some(Site { at: step.instruction.span.start, result: Err(Refusal::Elsewhere { why }) })
    });
    refused.collect()
}

fn history(scene: &Scene<'_>, uses: &[Vec<StepUse<'_>>], stage: usize) -> History {
    let mut history = History::default();
    // Only the managers' commands ask what ran before them.
    let own = uses.get(stage).map_or(&[][..], Vec::as_slice);
    let Some(last) = own.iter().rev().find(|item| !item.uses.is_empty()) else { return history };
    for link in scene.model().chain(stage) {
        for item in uses.get(link).map_or(&[][..], Vec::as_slice) {
            if link == stage {
                history.begins.push((item.index, history.invocations.len()));
            }
            history.invocations.extend(item.commands.iter().map(|ran| ran.invocation.clone()));
            if link == stage && item.index == last.index {
                return history;
            }
        }
    }
    history
}

/// Collects plans by RUN, and RUNs into groups that must be changed together.
struct Planner<'v> {
    sight: &'v Sight<'v>,
    groups: Vec<Vec<StepPlan<'v>>>,
    refusals: Vec<(usize, Refusal)>,
}

impl<'v> Planner<'v> {
    fn together(&mut self, ecosystem: &'static dyn Ecosystem) {
        for (stage, result) in together::of_file(self.sight, ecosystem) {
            match result {
                Ok(plans) if plans.is_empty() => {}
                Ok(plans) => self.add_group(plans),
                Err((line, refusal)) => self.refuse_stage(stage, ecosystem, line, &refusal),
            }
        }
    }

    /// Every RUN of the stage that fetches is left alone; the one in the way says why, the others point to it.
    fn refuse_stage(&mut self, stage: usize, ecosystem: &dyn Ecosystem, line: usize, refusal: &Refusal) {
        let uses = self.sight.uses.get(stage).map_or(&[][..], Vec::as_slice);
        for item in uses.iter().filter(|item| item.fetches(ecosystem)) {
            let own = item.line() == line || matches!(refusal, Refusal::Together { .. } | Refusal::AuthorsMount { .. });
            let reason = if own { refusal.clone() } else { Refusal::Together { line, why: refusal.to_string() } };
            self.refusals.push((item.step.instruction.span.start, reason));
        }
    }

    fn step_by_step(&mut self, ecosystem: &'static dyn Ecosystem) {
        let sight = self.sight;
        for item in sight.uses.iter().flatten().filter(|item| item.fetches(ecosystem)) {
            match plan::of_step(sight, item, ecosystem, Extent::Whole) {
                Ok(plans) => {
                    for plan in plans.into_iter().flatten() {
                        self.add_group(vec![plan]);
                    }
                }
                Err(refusal) => self.refusals.push((item.step.instruction.span.start, refusal)),
            }
        }
    }

    /// Joins plans of one RUN, and with them the groups they belong to.
    fn add_group(&mut self, plans: Vec<StepPlan<'v>>) {
        let mut group = plans;
        let mut rest = Vec::new();
        for other in std::mem::take(&mut self.groups) {
            let meets = other.iter().any(|plan| group.iter().any(|own| is_same_run(own, plan)));
            if meets { group = merged(other, group) } else { rest.push(other) }
        }
        rest.push(group);
        self.groups = rest;
    }

    fn sites(self) -> Vec<Site> {
        let mut sites: Vec<Site> = self.groups.iter().filter_map(|group| self.fix(group)).collect();
        sites.extend(self.refusals.into_iter().map(|(at, refusal)| Site { at, result: Err(refusal) }));
        sites
    }

    fn fix(&self, group: &[StepPlan<'v>]) -> Option<Site> {
        let at = group.iter().map(|plan| plan.item.step.instruction.span.start).min()?;
        let mut edits = Vec::new();
        for plan in group {
            match plan::edits(self.sight.dockerfile, plan) {
                Some(more) => edits.extend(more),
                None => {
                    let why = "a change that the mount needs has no exact place in the text".to_owned();
                    return Some(Site { at, result: Err(Refusal::NotEditable { why }) });
                }
            }
        }
        let mut notes: Vec<String> = group.iter().flat_map(|plan| plan.notes.iter().cloned()).collect();
        notes.dedup();
        let edits = edit::join(edits);
        if !recheck::same_commands(self.sight.dockerfile, group, &edits) {
            let why =
                "a cleanup that would empty the mount can't be taken out without changing what else the RUN does".to_owned();
            return Some(Site { at, result: Err(Refusal::NotEditable { why }) });
        }
        let fix = Fix {
            title: title(group),
            edits,
            applicability: Applicability::Safe,
            notes,
            removes_comments: Vec::new(),
            moves: false,
            ignores: Vec::new(),
        };
        Some(Site { at, result: Ok(fix) })
    }
}

fn is_same_run(one: &StepPlan<'_>, other: &StepPlan<'_>) -> bool {
    one.item.stage == other.item.stage && one.item.index == other.item.index
}

fn merged<'v>(mut plans: Vec<StepPlan<'v>>, more: Vec<StepPlan<'v>>) -> Vec<StepPlan<'v>> {
    for plan in more {
        match plans.iter_mut().find(|own| is_same_run(own, &plan)) {
            Some(own) => own.merge(plan),
            None => plans.push(plan),
        }
    }
    plans
}

fn title(group: &[StepPlan<'_>]) -> String {
    let mut managers: Vec<&str> = group.iter().flat_map(|plan| plan.managers.iter().copied()).collect();
    managers.sort_unstable();
    managers.dedup();
    let names = match managers.as_slice() {
        [] => "packages".to_owned(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    };
    match group.iter().any(|plan| !plan.mounts.is_empty()) {
        true if managers.len() == 1 => format!("keep what {names} downloads in cache mounts"),
        true => format!("keep what {names} download in cache mounts"),
        false => format!("let {names} use the cache mount that is there"),
    }
}
