//! Seconds of a real build, put to the steps.
//!
//! Owns: finding out which text of the file a log is of, and which of its times holds for which step. Never does: invent a time: a step
//! that the log does not have, or has from the cache, has none.

use super::rows::Row;
use crate::cache::{Forecast, Kind, Plan};

/// A step of a build that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// The instruction as the engine shows it, variables put in.
    pub instruction: String,
    /// Seconds; `None` for a step from the cache.
    pub seconds: Option<f64>,
}

/// The seconds of each step, where they are known.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    before: Vec<Option<f64>>,
    after: Vec<Option<f64>>,
    /// There is a log, and it is of this file.
    pub known: bool,
}

/// Which of the two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Timings {
    pub(super) fn of(steps: &[Timed], before: &Plan, after: &Plan, rows: &[Row]) -> Self {
        let (of_before, of_after) = (matched(steps, before), matched(steps, after));
        let known = |seconds: &[Option<f64>]| seconds.iter().filter(|seconds| seconds.is_some()).count();
        let mut timings = Self { known: known(&of_before) + known(&of_after) > 0, before: of_before, after: of_after };
        // A step that does the same takes what it took.
        for row in rows.iter().filter(|row| !row.part) {
            let (Some(was), Some(is)) = (row.before, row.after) else { continue };
            let same = match (before.steps.get(was), after.steps.get(is)) {
                (Some(was), Some(is)) => was.text == is.text || was.kind == Kind::Run && was.commands == is.commands,
                _ => false,
            };
            if let (true, Some(one), Some(other)) = (same, timings.before.get_mut(was), timings.after.get_mut(is)) {
                *one = one.or(*other);
                *other = other.or(*one);
            }
        }
        timings
    }

    /// A step's seconds.
    pub(super) fn of_step(&self, side: Side, step: usize) -> Option<f64> {
        let seconds = if side == Side::Before { &self.before } else { &self.after };
        seconds.get(step).copied().flatten()
    }

    /// The seconds of all steps that run at a change, and how many of those steps have no time.
    pub(super) fn of_forecast(&self, side: Side, forecast: &Forecast) -> (f64, usize) {
        let run = (0..forecast.fates.len()).filter(|step| forecast.is_run(*step));
        run.fold((0.0, 0), |(seconds, without), step| match self.of_step(side, step) {
            Some(own) => (seconds + own, without),
            None => (seconds, without + 1),
        })
    }
}

/// Each step's time by its text; an engine puts variables into it. What is the same first, so that nothing takes its place.
fn matched(steps: &[Timed], plan: &Plan) -> Vec<Option<f64>> {
    let shown: Vec<String> =
        steps.iter().map(|timed| timed.instruction.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let mut taken: Vec<Option<usize>> = vec![None; plan.steps.len()];
    for is_it in [is_same, like] {
        for (at, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.needed) {
            let is_free = |index: usize| !taken.contains(&Some(index));
            let found = shown.iter().enumerate().find(|(index, shown)| is_free(*index) && is_it(&step.text, shown));
            let found = found.map(|(index, _)| index);
            if let Some(slot) = taken.get_mut(at).filter(|slot| slot.is_none()) {
                *slot = found;
            }
        }
    }
    taken.into_iter().map(|index| steps.get(index?)?.seconds).collect()
}

fn is_same(written: &str, shown: &str) -> bool {
    written.eq_ignore_ascii_case(shown)
}

/// Whether a shown text may be a written one with its variables put in: what stands between them is the same.
fn like(written: &str, shown: &str) -> bool {
    let mut parts = written.split('$').enumerate().map(|(at, part)| if at == 0 { part } else { behind_name(part) });
    let Some(mut rest) = parts.next().and_then(|first| shown.strip_prefix(first)) else { return false };
    let mut has_more = false;
    let mut last = "";
    for part in parts {
        has_more = true;
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
        last = part;
    }
    has_more && (rest.is_empty() || last.is_empty())
}

/// What follows a variable's name.
fn behind_name(part: &str) -> &str {
    if let Some(braced) = part.strip_prefix('{') {
        return braced.split_once('}').map_or("", |(_, rest)| rest);
    }
    part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
}
