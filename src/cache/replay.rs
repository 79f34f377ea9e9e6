//! A file over many changes.
//!
//! Owns: a forecast for each change, and the counts that are asked of them all: how often each step runs, which commits fetch
//! dependencies again, and which paths are to blame. Never does: word anything.

use super::forecast::{Cause, Change, Forecast};
use super::plan::{Kind, Plan};
use crate::context::View;
use crate::model::Model;
use crate::model::installs::{Fetched, Fetches, Needs, fetched};
use crate::model::order::Order;
use crate::syntax::Dockerfile;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A plan with what becomes of it at each of several changes.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The file's steps.
    pub plan: Plan,
    /// What each step fetches.
    pub fetched: Vec<Vec<Fetched>>,
    /// For each change.
    pub forecasts: Vec<Forecast>,
}

/// Sums over all changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Steps that run.
    pub steps: usize,
    /// RUN steps that run.
    pub runs: usize,
    /// Commands of RUN steps that run.
    pub commands: usize,
    /// Changes at which dependencies of the project are installed again.
    pub installs: usize,
    /// Installs of the project's dependencies, each counted.
    pub dependencies: usize,
    /// Installs of named packages, each counted.
    pub packages: usize,
    /// Other downloads, each counted.
    pub downloads: usize,
}

/// What is fetched again at one change.
#[derive(Clone, Debug, Default)]
struct Refetched {
    /// The step of each.
    dependencies: Vec<usize>,
    packages: usize,
    downloads: usize,
}

impl Replay {
    /// Goes through the changes. `view`: the context as the file's build sees it.
    pub fn of(dockerfile: &Dockerfile, view: Option<&View>, plan: Plan, changes: &[Change]) -> Self {
        let forecasts = changes.iter().map(|change| plan.after(change)).collect();
        Self { fetched: what_is_fetched(dockerfile, view, &plan), plan, forecasts }
    }

    /// At how many changes a step runs.
    pub fn runs_of(&self, step: usize) -> usize {
        self.forecasts.iter().filter(|forecast| forecast.is_run(step)).count()
    }

    /// Whether a step installs the project's dependencies.
    pub fn installs(&self, step: usize) -> bool {
        let fetched = self.fetched.get(step).map_or(&[][..], Vec::as_slice);
        fetched.iter().any(|fetched| matches!(fetched.what, Fetches::Dependencies(_)))
    }

    /// The sums.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for forecast in &self.forecasts {
            let run = |(index, step): &(usize, &super::Step)| step.kind == Kind::Run && forecast.is_run(*index);
            let refetched = self.refetched(forecast);
            totals.steps += forecast.runs();
            let ran = self.plan.steps.iter().enumerate().filter(run).map(|(_, step)| step.commands.len().max(1));
            totals.runs += ran.clone().count();
            totals.commands += ran.sum::<usize>();
            totals.installs += usize::from(!refetched.dependencies.is_empty());
            totals.dependencies += refetched.dependencies.len();
            totals.packages += refetched.packages;
            totals.downloads += refetched.downloads;
        }
        totals
    }

    /// Whether the change with this index makes the project's dependencies be installed again.
    pub fn reinstalls(&self, change: usize) -> bool {
        self.forecasts.get(change).is_some_and(|forecast| !self.refetched(forecast).dependencies.is_empty())
    }

    fn refetched(&self, forecast: &Forecast) -> Refetched {
        let mut refetched = Refetched::default();
        for (index, fetched) in self.fetched.iter().enumerate().filter(|(index, _)| forecast.is_run(*index)) {
            for fetched in fetched.iter().filter(|fetched| !self.is_served(index, fetched)) {
                match fetched.what {
                    Fetches::Dependencies(_) => refetched.dependencies.push(index),
                    Fetches::Packages => refetched.packages += 1,
                    Fetches::Download => refetched.downloads += 1,
                }
            }
        }
        refetched
    }

    /// Whether a step below has fetched the same, now or at an earlier build: `cargo fetch` below `cargo build`.
    fn is_served(&self, index: usize, fetched: &Fetched) -> bool {
        let Fetches::Dependencies(needs) = &fetched.what else { return false };
        let stage = self.plan.steps.get(index).map_or(0, |step| step.stage);
        let serves = |other: &Fetched| match (&other.what, needs) {
            _ if other.by != fetched.by => false,
            (Fetches::Dependencies(Needs::Recipe), _) => true,
            (_, Needs::NotSeen) => false,
            (Fetches::Dependencies(Needs::Files(has)), Needs::Files(needs)) => needs.iter().all(|file| has.contains(file)),
            (Fetches::Dependencies(_), _) => true,
            _ => false,
        };
        let below = self.plan.steps_of(stage).filter(|(below, _)| *below < index);
        below.filter_map(|(below, _)| self.fetched.get(below)).flatten().any(serves)
    }

    /// The paths whose changes have dependencies installed again, each with the number of changes: first folders, and files that lie in
    /// none.
    pub fn blamed(&self, changes: &[Change]) -> BTreeMap<String, usize> {
        let mut blamed: BTreeMap<String, usize> = BTreeMap::new();
        for (forecast, change) in self.forecasts.iter().zip(changes) {
            let mut groups: BTreeSet<&str> = BTreeSet::new();
            for step in self.refetched(forecast).dependencies {
                let first = forecast.chain(step).last().and_then(|first| forecast.fates.get(*first));
                if let Some(Cause::Files(files)) = first.and_then(|fate| fate.because.as_ref()) {
                    groups.extend(files.iter().filter_map(|file| change.file(*file)).map(group));
                }
            }
            groups.into_iter().for_each(|group| *blamed.entry(group.to_owned()).or_default() += 1);
        }
        blamed
    }
}

/// `docs/` of `docs/a/b.md`.
fn group(path: &str) -> &str {
    path.find('/').and_then(|end| path.get(..=end)).unwrap_or(path)
}

fn what_is_fetched(dockerfile: &Dockerfile, view: Option<&View>, plan: &Plan) -> Vec<Vec<Fetched>> {
    let nothing = View::of_files([]);
    let model = Model::with_named_workdirs(dockerfile);
    let mut orders: HashMap<usize, Option<Order<'_>>> = HashMap::new();
    let mut of_step = |step: &super::Step| {
        let place = step.place.filter(|_| step.kind == Kind::Run)?;
        let order = orders.entry(step.stage).or_insert_with(|| Order::new(&model, step.stage, view.unwrap_or(&nothing)));
        Some(fetched(order.as_ref()?, place))
    };
    plan.steps.iter().map(&mut of_step).map(Option::unwrap_or_default).collect()
}
