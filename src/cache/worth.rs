//! Whether a rewrite costs more than it gains.
//!
//! Owns: the one comparison that guards ask for. Commands weigh the same before and after; those that a rewrite adds (the first half
//! of an install) weigh nothing, because what they do the command below need not do again. Never does: prefer one rewrite to another.

use super::forecast::Change;
use super::plan::{Kind, Plan};
use super::typical::edited;
use crate::context::View;
use std::collections::HashMap;

/// Commits that are weighed.
pub const COMMITS: usize = 100;

/// Why the commands of a file run more often after a rewrite than before: over the history where there is one, else at an edit of the
/// source. `None`: they don't. `view`: the context as it was before.
pub fn grown(before: &Plan, after: &Plan, view: &View) -> Option<String> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for command in before.steps.iter().flat_map(|step| &step.commands) {
        *known.entry(command).or_default() += 1;
    }
    let cost = |plan: &Plan, change: &Change| -> usize {
        let fates = plan.after(change).fates;
        let mut left = known.clone();
        let mut cost = 0;
        // From the end: of two that read the same, the first half was added above the other.
        for (step, fate) in plan.steps.iter().zip(fates).rev().filter(|(step, _)| step.kind == Kind::Run) {
            for command in &step.commands {
                if let Some(count) = left.get_mut(command.as_str()).filter(|count| **count > 0) {
                    *count -= 1;
                    cost += usize::from(fate.runs());
                }
            }
        }
        cost
    };
    let commits = view.commits(COMMITS);
    if !commits.is_empty() {
        let changes: Vec<Change> = commits.iter().map(|commit| Change::of_files(&commit.paths)).collect();
        let total = |plan: &Plan| changes.iter().map(|change| cost(plan, change)).sum::<usize>();
        let (was, is) = (total(before), total(after));
        let over =
            if commits.len() == 1 { "at the last commit".to_owned() } else { format!("over the last {} commits", commits.len()) };
        return (is > was).then(|| format!("{over} {is} commands would run again, not {was}"));
    }
    let file = edited(before, after, view)?;
    let change = Change::of_files([file.clone()]);
    let (was, is) = (cost(before, &change), cost(after, &change));
    (is > was).then(|| format!("an edit of {file} would make {is} commands run again, not {was}"))
}
