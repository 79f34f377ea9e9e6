//! Which steps of two texts of a file belong together.
//!
//! Owns: finding for each step of the rewritten file the one that it was, or was part of. Never does: read an edit; the steps alone
//! tell.

use crate::cache::{Kind, Plan, Step};

/// A line of a table: a step of the new text, of the old one, or of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Index of the step before.
    pub(super) before: Option<usize>,
    /// Index of the step after.
    pub(super) after: Option<usize>,
    /// The step before became several.
    pub(super) part: bool,
}

/// The steps after in their order, and behind each what has gone there.
pub(super) fn of(before: &Plan, after: &Plan) -> Vec<Row> {
    let mut origins: Vec<Option<usize>> = vec![None; after.steps.len()];
    let mut taken = vec![false; before.steps.len()];
    // What is the same first, so that nothing takes its place.
    for likeness in [1.0, 0.0] {
        for (step, origin) in after.steps.iter().zip(&mut origins).filter(|(step, origin)| step.needed && origin.is_none()) {
            let found = best(before, step, &taken, likeness);
            if let Some(flag) = found.and_then(|index| taken.get_mut(index)).filter(|_| likeness >= 1.0 || step.kind != Kind::Run)
            {
                *flag = true;
            }
            *origin = found;
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for (index, origin) in origins.iter().enumerate().filter(|(index, _)| is_needed(after, *index)) {
        let part = origin.is_some() && origins.iter().filter(|other| *other == origin).count() > 1;
        rows.push(Row { before: *origin, after: Some(index), part });
    }
    for gone in (0..before.steps.len()).filter(|index| is_needed(before, *index) && !origins.contains(&Some(*index))) {
        let behind = rows.iter().rposition(|row| row.before.is_some_and(|index| index < gone)).map_or(0, |at| at + 1);
        rows.insert(behind, Row { before: Some(gone), after: None, part: false });
    }
    rows
}

fn is_needed(plan: &Plan, index: usize) -> bool {
    plan.steps.get(index).is_some_and(|step| step.needed)
}

/// The step before that is most like this one, and at least so much.
fn best(before: &Plan, step: &Step, taken: &[bool], least: f64) -> Option<usize> {
    let free = |index: usize| !taken.get(index).copied().unwrap_or_default();
    let candidates =
        before.steps.iter().enumerate().filter(|(index, other)| {
            free(*index) && other.needed && other.stage_name == step.stage_name && other.kind == step.kind
        });
    let scored =
        candidates.map(|(index, other)| (likeness(other, step), index)).filter(|(score, _)| *score > 0.0 && *score >= least);
    // Of equals the first.
    scored.max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1))).map(|(_, index)| index)
}

/// From 0 (nothing in common) to 1 (the same).
fn likeness(before: &Step, after: &Step) -> f64 {
    if before.text == after.text || !after.commands.is_empty() && before.commands == after.commands {
        return 1.0;
    }
    if after.kind != Kind::Run {
        return 0.0;
    }
    let words = |command: &str| command.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let shared = |one: &str| {
        let own = words(one);
        let of = |other: &String| {
            let other = words(other);
            let both = own.iter().filter(|word| other.contains(word)).count();
            // The program must be the same.
            if own.first() == other.first() { 2.0 * as_f64(both) / as_f64(own.len() + other.len()) } else { 0.0 }
        };
        before.commands.iter().map(of).fold(0.0, f64::max)
    };
    let total: f64 = after.commands.iter().map(|command| shared(command)).filter(|score| *score >= 0.6).sum();
    0.9 * total / as_f64(after.commands.len().max(1))
}

#[allow(clippy::cast_precision_loss)] // counts of words
fn as_f64(count: usize) -> f64 {
    count as f64
}
