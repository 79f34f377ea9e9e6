//! Installs with the copies that they need, in the order in which they run again least.
//!
//! Owns: the search for that order. An install rises above other steps with what it can't do without, to where the cache model counts
//! the fewest commands over the history; then the next, until none gains. Never does: write a COPY anew, or move what may clash.

use super::rising;
use crate::cache::{COMMITS, Wear};
use crate::ecosystems::{Activity, Dependencies};
use crate::edit::{Applicability, Fix};
use crate::model::footprint::Fetch;
use crate::model::order::{CommandPrint, Doubt, Order, StepPrint, Swap, mentioned};
use crate::model::volatile::is_volatile;
use crate::syntax::{Dockerfile, Keyword};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// One stage and what its orders cost.
pub(super) struct Installs<'o, 'm> {
    dockerfile: &'o Dockerfile,
    order: &'o Order<'m>,
    wear: &'o Wear,
    /// Variables that get another value with every build: their places are not for the installs to choose.
    fresh: &'o BTreeSet<String>,
    swaps: RefCell<HashMap<(usize, usize), Swap>>,
}

impl<'o, 'm> Installs<'o, 'm> {
    pub(super) fn new(dockerfile: &'o Dockerfile, order: &'o Order<'m>, wear: &'o Wear, fresh: &'o BTreeSet<String>) -> Self {
        Self { dockerfile, order, wear, fresh, swaps: RefCell::default() }
    }

    /// The fix that orders the installs, and where it begins: by what surely commutes, or where that gains nothing, with doubts.
    pub(super) fn site(&self, commits: usize) -> Option<(usize, Fix)> {
        let rising: Vec<usize> = (0..self.order.steps.len()).filter(|index| self.may_rise(*index)).collect();
        if rising.is_empty() {
            return None;
        }
        [false, true].into_iter().find_map(|doubts| self.fix(&self.best(&rising, doubts)?, commits.min(COMMITS)))
    }

    /// An install below something that changes.
    fn may_rise(&self, index: usize) -> bool {
        let is_run = |index: usize| self.order.steps.get(index).is_some_and(|step| step.instruction.keyword == Keyword::Run);
        let Some(step) =
            Some(index).filter(|index| is_run(*index) && self.wear.is_worn(*index)).and_then(|index| self.order.print(index))
        else {
            return false;
        };
        step.commands.iter().any(is_install) && self.may_go_along(index)
    }

    /// Whether a step may leave its place at all.
    fn may_go_along(&self, index: usize) -> bool {
        let (Some(step), Some(print)) = (self.order.steps.get(index), self.order.print(index)) else { return false };
        let footprint = &print.print.footprint;
        let fresh = |name: &str| is_volatile(name) || self.fresh.contains(name);
        match step.instruction.keyword {
            // What changes behind its name would be fetched less often.
            Keyword::Run => {
                footprint.reads.anything.is_none()
                    && footprint.writes.anything.is_none()
                    && !matches!(footprint.fetches, Fetch::Mutable(_))
            }
            Keyword::Arg | Keyword::Env => {
                let names = mentioned(step.instruction.arguments_text());
                !print.print.sets().any(fresh) && !names.iter().any(|name| fresh(name))
            }
            _ => true,
        }
    }

    /// The best order that is found, where it is better than the one that is there.
    fn best(&self, rising: &[usize], doubts: bool) -> Option<Vec<usize>> {
        let mut best: Vec<usize> = (0..self.order.steps.len()).collect();
        let mut cost = self.wear.cost(&best);
        let mut found = false;
        // Each turn costs less than the one before.
        while let Some((less, order)) = self.better(&best, cost, rising, doubts) {
            (best, cost, found) = (order, less, true);
        }
        found.then_some(best)
    }

    /// The order with one install elsewhere that costs least, where it costs less than `cost`; of several the one that moves less.
    fn better(&self, order: &[usize], cost: usize, rising: &[usize], doubts: bool) -> Option<(usize, Vec<usize>)> {
        let mut best: Option<(usize, Vec<usize>)> = None;
        for install in rising {
            for (cost_there, there) in self.places(order, *install, doubts) {
                if cost_there < best.as_ref().map_or(cost, |(least, _)| *least) {
                    best = Some((cost_there, there));
                }
            }
        }
        best
    }

    /// All orders in which the install has risen, with what they cost, the nearest place first.
    fn places(&self, order: &[usize], install: usize, doubts: bool) -> Vec<(usize, Vec<usize>)> {
        let Some(at) = order.iter().position(|other| *other == install) else { return Vec::new() };
        let (above, below) = (order.get(..at).unwrap_or_default(), order.get(at + 1..).unwrap_or_default());
        let (mut group, mut passed) = (vec![install], Vec::new());
        let mut places = Vec::new();
        for (index, step) in above.iter().enumerate().rev() {
            if group.iter().all(|member| self.may_pass(*step, *member, doubts)) {
                passed.insert(0, *step);
                let head = above.get(..index).unwrap_or_default();
                let new: Vec<usize> = [head, &group, &passed, below].concat();
                places.push((self.wear.cost(&new), new));
            } else if self.may_go_along(*step) {
                group.insert(0, *step);
            } else {
                break;
            }
        }
        places
    }

    /// Whether a step that stands under another now may stand above it.
    fn may_pass(&self, above: usize, below: usize, doubts: bool) -> bool {
        // It goes back to where it was.
        above > below
            || match self.swap(above, below) {
                Swap::Free => true,
                Swap::Doubtful(_) => doubts,
                Swap::Clash => false,
            }
    }

    fn swap(&self, above: usize, below: usize) -> Swap {
        if let Some(known) = self.swaps.borrow().get(&(above, below)) {
            return known.clone();
        }
        let swap = self.order.swap(above, below);
        self.swaps.borrow_mut().insert((above, below), swap.clone());
        swap
    }

    fn fix(&self, new: &[usize], commits: usize) -> Option<(usize, Fix)> {
        let moved = |(place, index): &(usize, &usize)| place != *index;
        let first = new.iter().enumerate().find(moved)?.0;
        let last = new.iter().enumerate().rfind(moved)?.0;
        let doubts = self.doubts(new);
        let counts = self.counts(new);
        let risen: Vec<String> = counts.iter().filter(|(_, was, is)| is < was).map(|(name, ..)| format!("`{name}`")).collect();
        let counts: Vec<String> = counts.iter().map(|(name, was, is)| format!("`{name}` {was} → {is}")).collect();
        let over = if commits == 1 { "the last commit".to_owned() } else { format!("the last {commits} commits") };
        let mut notes = vec![format!("runs again over {over}: {}", counts.join(", "))];
        notes.extend(doubts.iter().cloned());
        notes.extend(self.unpinned(new));
        let fix = Fix {
            title: format!("run {} before what changes more often", risen.join(" and ")),
            edits: vec![rising::reordered(self.dockerfile, self.order.steps, new.get(first..=last)?)?],
            applicability: if doubts.is_empty() { Applicability::Safe } else { Applicability::Unsafe },
            notes,
            removes_comments: Vec::new(),
            moves: true,
            ignores: Vec::new(),
        };
        Some((self.order.steps.get(first)?.instruction.span.start, fix))
    }

    /// The pairs of steps of which the upper one now comes later.
    fn swapped<'n>(&self, new: &'n [usize]) -> impl Iterator<Item = (usize, usize)> + 'n {
        let pairs = new
            .iter()
            .enumerate()
            .flat_map(move |(place, lower)| new.get(place + 1..).unwrap_or_default().iter().map(move |upper| (*upper, *lower)));
        pairs.filter(|(upper, lower)| upper < lower)
    }

    /// Why the image might differ.
    fn doubts(&self, new: &[usize]) -> Vec<String> {
        let (mut of_tools, mut of_source): (Vec<Doubt>, Vec<String>) = (Vec::new(), Vec::new());
        for (upper, lower) in self.swapped(new) {
            if let Swap::Doubtful(doubt) = self.swap(upper, lower)
                && !of_tools.contains(&doubt)
            {
                of_tools.push(doubt);
            }
            // What an install says of source that is copied behind it.
            let source = self.order.print(upper).is_some_and(|step| step.from_context);
            let installs = self.order.print(lower).filter(|_| source).map_or(&[][..], |step| &step.commands);
            for command in installs {
                if let Some(Ok(Some(Dependencies { doubt: Some(doubt), .. }))) = &command.dependencies
                    && !of_source.contains(doubt)
                {
                    of_source.push(doubt.clone());
                }
            }
        }
        of_tools.sort_by_key(|doubt| doubt.unclear.is_none());
        let mut firsts: Vec<&str> = of_tools.iter().map(|doubt| doubt.first.as_str()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        let mut words: Vec<String> = firsts.into_iter().map(|first| worded(first, &of_tools)).collect();
        words.extend(of_source);
        words
    }

    /// The installs that run more or less often than before: by name, before and after.
    fn counts(&self, new: &[usize]) -> Vec<(String, usize, usize)> {
        let old: Vec<usize> = (0..new.len()).collect();
        let count = |index: &usize| {
            let command = self.order.print(*index)?.commands.iter().find(|command| is_install(command))?;
            let (was, is) = (self.wear.runs(&old, *index), self.wear.runs(new, *index));
            (was != is).then(|| (self.order.command_name(*index, command), was, is))
        };
        new.iter().filter_map(count).collect()
    }

    /// What is fetched without an exact version, and now less often.
    fn unpinned(&self, new: &[usize]) -> Vec<String> {
        let rarer = |index: &&usize| {
            let old: Vec<usize> = (0..new.len()).collect();
            self.wear.runs(new, **index) < self.wear.runs(&old, **index)
        };
        let commands =
            new.iter().filter(rarer).filter_map(|index| self.order.print(*index)).flat_map(|step: &StepPrint| &step.commands);
        let what = commands.filter_map(|command| match &command.dependencies {
            Some(Ok(Some(dependencies))) => dependencies.unpinned.as_deref(),
            _ => None,
        });
        let notes: BTreeSet<String> =
            what.map(|what| format!("{what}: it is now fetched when what is above it changes")).collect();
        notes.into_iter().collect()
    }
}

/// What one install now runs before.
fn worded(first: &str, doubts: &[Doubt]) -> String {
    let passed = |doubt: &Doubt| match &doubt.unclear {
        Some(why) => format!("`{}` (which may run code of the project: {why})", doubt.behind),
        None => format!("`{}`", doubt.behind),
    };
    let passed: Vec<String> = doubts.iter().filter(|doubt| doubt.first == first).map(passed).collect();
    format!("`{first}` now runs before {}: it is taken that none uses what the other makes", passed.join(" and "))
}

/// Whether a command fetches packages.
fn is_install(command: &CommandPrint) -> bool {
    let activity = command.ecosystem.and_then(|ecosystem| ecosystem.recognise(&command.ran.invocation));
    matches!(activity, Some(Activity::Install { .. }))
}
