//! A second look at a change before it is proposed.
//!
//! Owns: reading the changed RUNs again and holding their commands to those before, cuts taken off. The pipeline's guards see
//! instructions; what a cut does to the shell around it is only seen here. Never does: repair.

use super::cleanups::Cut;
use super::plan::{self, StepPlan};
use crate::edit::{self, Edit, EditSet};
use crate::model::{Ran, Run};
use crate::syntax::{self, Dockerfile};

/// Whether the plans can be written down and leave every RUN with its commands.
pub fn holds(dockerfile: &Dockerfile, plans: &[StepPlan<'_>]) -> bool {
    let edits: Option<Vec<Vec<Edit>>> = plans.iter().map(|plan| plan::edits(dockerfile, plan)).collect();
    edits.is_some_and(|edits| same_commands(dockerfile, plans, &edit::join(edits.concat())))
}

/// Whether every RUN of a group still runs the same commands in the same order, each as conditional as before, but for those cut.
pub fn same_commands(dockerfile: &Dockerfile, group: &[StepPlan<'_>], edits: &[Edit]) -> bool {
    group
        .iter()
        .filter(|plan| !plan.remove && !plan.cuts.is_empty())
        .all(|plan| same_run(dockerfile, plan, edits).unwrap_or(false))
}

/// Reads the one RUN again, on its own: what its step's state is, no edit changes.
fn same_run(dockerfile: &Dockerfile, plan: &StepPlan<'_>, edits: &[Edit]) -> Option<bool> {
    let span = plan.item.step.instruction.span.clone();
    let head = format!("# escape={}\n", dockerfile.escape);
    let moved = |at: usize| at - span.start + head.len();
    let own: Vec<Edit> = edits
        .iter()
        .filter(|edit| span.start <= edit.range.start && edit.range.end <= span.end)
        .map(|edit| Edit::replace(moved(edit.range.start)..moved(edit.range.end), edit.insert.as_str()))
        .collect();
    let mut set = EditSet::default();
    let text = set.add(&own).then(|| set.apply(&format!("{head}{}", dockerfile.slice(span.clone())))).flatten()?;
    let after = syntax::parse(&text);
    let instruction = after.instructions().next().filter(|_| after.errors.is_empty())?;
    let state = &plan.item.step.state;
    let run = Run::of(&after, instruction, state);
    Some(run.script.list().is_ok() && signature(run.commands(state).iter()) == signature(kept(plan)))
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
