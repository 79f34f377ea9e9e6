//! What a stage takes of another that was built from the source: `COPY --from=build /app/dist ./dist`.
//!
//! Owns: which copies those are. An install below one runs again whenever the build came out different, as below the source itself.
//! Never does: look at what is taken, or decide whether an install can do without.

use crate::model::order::Order;
use crate::model::{Base, Model};
use crate::syntax::{Instruction, Keyword};

/// For each stage, whether something in it comes of the source, directly or by another stage.
pub(super) fn from_source(model: &Model<'_>, orders: &[Order<'_>]) -> Vec<bool> {
    let mut found: Vec<bool> = Vec::new();
    for (index, stage) in model.stages.iter().enumerate() {
        let own = orders.get(index).is_some_and(|order| order.source().is_some());
        let base = matches!(stage.base, Base::Stage(base) if found.get(base) == Some(&true));
        let taken =
            stage.steps.iter().filter_map(|step| taken_of(model, step.instruction)).any(|of| found.get(of) == Some(&true));
        found.push(own || base || taken);
    }
    found
}

/// The steps of a stage that copy from such a stage.
pub(super) fn copies(model: &Model<'_>, order: &Order<'_>, from_source: &[bool]) -> Vec<usize> {
    let of_source = |index: &usize| {
        let of = order.steps.get(*index).and_then(|step| taken_of(model, step.instruction));
        of.is_some_and(|of| from_source.get(of) == Some(&true))
    };
    (0..order.steps.len()).filter(of_source).collect()
}

/// The stage that a COPY takes from.
fn taken_of(model: &Model<'_>, instruction: &Instruction) -> Option<usize> {
    if instruction.keyword != Keyword::Copy {
        return None;
    }
    model.stage_named(instruction.flag("from")?)
}
