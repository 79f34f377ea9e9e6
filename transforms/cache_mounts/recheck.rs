//! A second look at a change before it is proposed.
//!
//! Owns: reading the changed RUNs again and holding their commands to those before, cuts taken off. The pipeline's guards see
//! instructions; what a cut does to the shell around it is only seen here. Never does: repair.

use super::cleanups::Cut;
use super::plan::{self, StepPlan};
use crate::edit::{self, Edit, EditSet};
use crate::model::{Model, Ran};
use crate::syntax::{self, Dockerfile};

/// Whether the plans can be written down and leave every RUN with its commands.
pub fn holds(dockerfile: &Dockerfile, plans: &[StepPlan<'_>]) -> bool {
    let edits: Option<Vec<Vec<Edit>>> = plans.iter().map(|plan| plan::edits(dockerfile, plan)).collect();
    edits.is_some_and(|edits| same_commands(dockerfile, plans, &edit::join(edits.concat())))
}

/// Whether every RUN of a group still runs the same commands in the same order, each as conditional as before, but for those cut.
pub fn same_commands(dockerfile: &Dockerfile, group: &[StepPlan<'_>], edits: &[Edit]) -> bool {
    if !group.iter().any(|plan| !plan.cuts.is_empty()) {
        return true;
    }
    let mut set = EditSet::default();
    if !set.add(edits) {
        return false;
    }
    let Some(text) = set.apply(&dockerfile.text) else { return false };
    let after = syntax::parse(&text);
    let model = Model::of(&after);
    group.iter().filter(|plan| !plan.remove && !plan.cuts.is_empty()).all(|plan| {
        let stage = plan.item.stage;
        let gone = group.iter().filter(|other| other.remove && other.item.stage == stage && other.item.index < plan.item.index);
        let index = plan.item.index - gone.count();
        let Some(step) = model.stages.get(stage).and_then(|stage| stage.steps.get(index)) else { return false };
        let Some(run) = &step.run else { return false };
        run.script.list().is_ok() && signature(run.commands(&step.state).iter()) == signature(kept(plan))
    })
}

/// The commands of a RUN that no cut takes whole.
fn kept<'p>(plan: &'p StepPlan<'_>) -> impl Iterator<Item = &'p Ran> {
    let cut = |ran: &Ran| {
        plan.cuts.iter().any(|cut| match cut {
            Cut::Whole => true,
            Cut::Part(range) => range.start <= ran.invocation.span.start && ran.invocation.span.end <= range.end,
        })
    };
    plan.item.commands.iter().filter(move |ran| !cut(ran))
}

/// Program and certainty of each command.
fn signature<'r>(commands: impl Iterator<Item = &'r Ran>) -> Vec<(String, bool)> {
    commands.map(|ran| (ran.invocation.program.clone(), ran.conditional)).collect()
}
