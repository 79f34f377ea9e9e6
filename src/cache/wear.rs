//! What an order of a stage's steps costs over the history.
//!
//! Owns: [`Wear`], the last commits as each step of a stage meets them by itself, and how many commands run again in any order of the
//! steps: what [`super::grown`] weighs, without a text for each order. Never does: know which orders are possible.

use super::COMMITS;
use super::forecast::{Change, Fate};
use super::plan::{Kind, Plan, Step};
use crate::context::Commit;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Commits, a bit for each.
type Marks = u128;

/// A bit is there for each commit that is weighed.
const _: () = assert!(COMMITS <= Marks::BITS as usize);

/// The steps of a stage, with the commits at which they run.
#[derive(Clone, Debug, Default)]
pub struct Wear {
    /// Commits at which what the stage stands on is another.
    base: Marks,
    /// By their places in the stage.
    steps: BTreeMap<usize, Own>,
}

/// A step by itself.
#[derive(Clone, Copy, Debug)]
struct Own {
    /// Commits at which what it takes is another.
    changed: Marks,
    /// The commands of a RUN.
    commands: usize,
}

/// The last commits with what becomes of a plan's steps at each.
#[derive(Clone, Debug)]
pub struct Past {
    changes: Vec<(Change, Vec<Fate>)>,
}

impl Plan {
    /// What becomes of the steps at each of these commits, the first [`COMMITS`] of them.
    pub fn past(&self, commits: &[Arc<Commit>]) -> Past {
        let changes = commits.iter().take(COMMITS).map(|commit| Change::of_files(&commit.paths));
        let with_fates = |change: Change| {
            let fates = self.after(&change).fates;
            (change, fates)
        };
        Past { changes: changes.map(with_fates).collect() }
    }

    /// How the steps of a stage wear over the past; empty for a stage that is not needed.
    pub fn wear(&self, stage: usize, past: &Past) -> Wear {
        let mut wear = Wear::default();
        let own = |step: &&Step| step.stage == stage && step.needed;
        let steps: Vec<(usize, &Step)> = self.steps.iter().filter(own).filter_map(|step| Some((step.place?, step))).collect();
        let Some((_, first)) = steps.first() else { return wear };
        for (bit, (change, fates)) in past.changes.iter().enumerate() {
            let mark = |runs: bool| if runs { 1 << bit } else { 0 };
            wear.base |= mark(self.standing(first, fates, change).runs());
            for (place, step) in &steps {
                let commands = if step.kind == Kind::Run { step.commands.len() } else { 0 };
                let own = wear.steps.entry(*place).or_insert(Own { changed: 0, commands });
                own.changed |= mark(self.own_fate(step, fates, change).runs());
            }
        }
        wear
    }
}

impl Wear {
    /// How many commands run again over all of the commits with the stage's instructions (by their places) in this order.
    pub fn cost(&self, order: &[usize]) -> usize {
        let mut worn = self.base;
        let mut cost = 0;
        for own in order.iter().filter_map(|place| self.steps.get(place)) {
            worn |= own.changed;
            cost += own.commands * count(worn);
        }
        cost
    }

    /// At how many commits a step runs again in this order.
    pub fn runs(&self, order: &[usize], place: usize) -> usize {
        let end = order.iter().position(|other| *other == place).map_or(0, |at| at + 1);
        let above = order.iter().take(end).filter_map(|place| self.steps.get(place));
        count(above.fold(self.base, |worn, own| worn | own.changed))
    }

    /// Whether something above the step with this place changes, in the order of the file, that the stage does not stand on anyhow.
    pub fn is_worn(&self, place: usize) -> bool {
        let above = self.steps.range(..place).fold(self.base, |worn, (_, own)| worn | own.changed);
        above != self.base
    }
}

fn count(marks: Marks) -> usize {
    usize::try_from(marks.count_ones()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Wear;
    use crate::cache::{Builder, COMMITS, Plan, grown};
    use crate::context::View;
    use crate::syntax;

    const TEXT: &str = "FROM x\nCOPY a /\nRUN pip install -r /a\nCOPY b /\nRUN npm ci && true\nCOPY . /s\nRUN make\n";
    const SWAPPED: &str = "FROM x\nCOPY b /\nRUN npm ci && true\nCOPY a /\nRUN pip install -r /a\nCOPY . /s\nRUN make\n";

    fn view() -> View {
        let files = [("a", None), ("b", None), ("c", None)];
        View::of_files(files).with_git(&["a"], &[&["a"], &["a", "c"], &["b"], &["c"]])
    }

    fn plan(text: &str, view: &View) -> Plan {
        Plan::of(&syntax::parse(text), Some(view), None, Builder { merges: false })
    }

    fn wear(text: &str, stage: usize, view: &View) -> Wear {
        let plan = plan(text, view);
        plan.wear(stage, &plan.past(&view.commits(COMMITS)))
    }

    #[test]
    fn orders_cost_what_their_texts_would() {
        let view = view();
        let wear = wear(TEXT, 0, &view);
        let file = [0, 1, 2, 3, 4, 5];
        let swapped = [2, 3, 0, 1, 4, 5];
        // pip at two commits, npm's two commands at three, make at all; then npm at one and pip at three.
        assert_eq!((wear.cost(&file), wear.cost(&swapped)), (2 + 2 * 3 + 4, 2 + 3 + 4));
        assert_eq!(self::wear(SWAPPED, 0, &view).cost(&file), wear.cost(&swapped));
        assert_eq!((wear.runs(&file, 3), wear.runs(&swapped, 3)), (3, 1));
        assert!(wear.is_worn(1) && !wear.is_worn(0));
        let words = grown(&plan(SWAPPED, &view), &plan(TEXT, &view), &view).unwrap();
        assert_eq!(words, "over the last 4 commits 12 commands would run again, not 9");
    }

    #[test]
    fn what_a_stage_stands_on_wears_all_of_it() {
        let view = view();
        let text = "FROM x AS s\nCOPY c /\nFROM s\nCOPY a /\nRUN one\nCOPY b /\nRUN two\n";
        let wear = wear(text, 1, &view);
        assert_eq!((wear.runs(&[0, 1, 2, 3], 1), wear.runs(&[2, 3, 0, 1], 3)), (3, 3));
        assert_eq!(wear.cost(&[0, 1, 2, 3]), 3 + 4);
    }

    #[test]
    fn a_stage_that_is_not_needed_costs_nothing() {
        let view = view();
        let wear = wear("FROM x\nCOPY a /\nRUN one\nFROM y\n", 0, &view);
        assert_eq!(wear.cost(&[0, 1]), 0);
    }
}
