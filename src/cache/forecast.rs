//! What a change makes run again, and why.
//!
//! Owns: [`Change`], and going through a plan's steps with it.

use super::content;
use super::plan::{Plan, Step};
use crate::knowledge::Knowledge;

/// What is another than at the last build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    files: Vec<String>,
    arguments: Vec<String>,
}

impl Change {
    /// Files of the build context (paths from its root) that are new, gone, or have another content or mode.
    pub fn of_files(files: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut files: Vec<String> = files.into_iter().map(Into::into).collect();
        files.sort_unstable();
        files.dedup();
        Self { files, arguments: Vec::new() }
    }

    /// And build arguments that have another value.
    #[must_use]
    pub fn with_arguments(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(names.into_iter().map(Into::into));
        self
    }

    /// The files, sorted.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The build arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// A file by its index.
    pub fn file(&self, index: usize) -> Option<&str> {
        self.files.get(index).map(String::as_str)
    }
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Taken from the cache (or not needed).
    Cached,
    /// It runs if what it takes from another stage, or what it copies, came out different.
    MayRun,
    /// It runs.
    Runs,
}

/// Why a step runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It takes these files of the change, by index.
    Files(Vec<usize>),
    /// It hangs on this build argument.
    Argument(String),
    /// The image below hangs on this build argument.
    Base(String),
    /// It stands on this step.
    Below(usize),
    /// It takes content of a stage, of which this step ran.
    Content {
        /// Index of the stage.
        stage: usize,
        /// Index of the step.
        step: usize,
    },
    /// What it takes of the context is not known.
    NotKnown,
}

/// What becomes of a step, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why it is not cached.
    pub because: Option<Cause>,
}

impl Fate {
    pub(super) const CACHED: Self = Self { verdict: Verdict::Cached, because: None };

    pub(super) fn of(verdict: Verdict, because: Cause) -> Self {
        Self { verdict, because: Some(because) }
    }

    /// Whether it is taken to run: where that is not sure, too.
    pub fn runs(&self) -> bool {
        self.verdict != Verdict::Cached
    }
}

/// What a change makes run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// For each step of the plan.
    pub fates: Vec<Fate>,
}

impl Forecast {
    /// How many steps run, those that may included.
    pub fn runs(&self) -> usize {
        self.fates.iter().filter(|fate| fate.runs()).count()
    }

    /// Whether a step runs, or may.
    pub fn is_run(&self, step: usize) -> bool {
        self.fates.get(step).is_some_and(Fate::runs)
    }

    /// From a step that runs to the first cause: the steps on the way, itself first.
    pub fn chain(&self, step: usize) -> Vec<usize> {
        let mut chain = vec![step];
        let mut at = step;
        while let Some(Cause::Below(next) | Cause::Content { step: next, .. }) =
            self.fates.get(at).and_then(|fate| fate.because.as_ref())
        {
            // Causes lie above.
            if *next >= at {
                break;
            }
            chain.push(*next);
            at = *next;
        }
        chain
    }
}

impl Plan {
    /// What the change makes run again.
    pub fn after(&self, change: &Change) -> Forecast {
        let mut fates: Vec<Fate> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let fate = if step.needed { self.fate(step, &fates, change) } else { Fate::CACHED };
            fates.push(fate);
        }
        Forecast { fates }
    }

    fn fate(&self, step: &Step, fates: &[Fate], change: &Change) -> Fate {
        let own = self.own_fate(step, fates, change);
        if own.verdict == Verdict::Runs {
            return own;
        }
        let standing = self.standing(step, fates, change);
        if standing.verdict > own.verdict { standing } else { own }
    }

    /// What becomes of a step by what is below it.
    pub(super) fn standing(&self, step: &Step, fates: &[Fate], change: &Change) -> Fate {
        if step.linked {
            return Fate::CACHED;
        }
        let mut below = step.below;
        while let Some((index, under)) = below.and_then(|index| Some((index, self.steps.get(index)?))) {
            if let Some(fate) = fates.get(index).filter(|fate| fate.runs()) {
                return Fate::of(fate.verdict, Cause::Below(index));
            }
            if !under.linked {
                return Fate::CACHED;
            }
            // What stands on a linked step stands on what is below that, too.
            below = under.below;
        }
        let changed = self.base_argument(step.stage, change);
        changed.map_or(Fate::CACHED, |name| Fate::of(Verdict::Runs, Cause::Base(name.to_owned())))
    }

    /// A changed argument on which the image hangs that is at the bottom of a stage.
    pub(super) fn base_argument<'c>(&self, stage: usize, change: &'c Change) -> Option<&'c str> {
        let root = self.chains.get(stage).and_then(|chain| chain.first()).copied().unwrap_or(stage);
        let arguments = self.bases.get(root)?;
        change.arguments.iter().find(|name| arguments.contains(*name)).map(String::as_str)
    }

    /// What becomes of a step by what it takes and hangs on itself.
    pub(super) fn own_fate(&self, step: &Step, fates: &[Fate], change: &Change) -> Fate {
        if let Some(name) = change.arguments.iter().find(|name| step.arguments.contains(*name)) {
            return Fate::of(Verdict::Runs, Cause::Argument(name.clone()));
        }
        let known: Vec<_> = step.sources.iter().filter_map(Knowledge::known).collect();
        let taken = |file: &String| known.iter().any(|source| source.takes(file));
        let files: Vec<usize> = (0..).zip(&change.files).filter(|(_, file)| taken(file)).map(|(index, _)| index).collect();
        if !files.is_empty() {
            return Fate::of(Verdict::Runs, Cause::Files(files));
        }
        let mut fate = Fate::CACHED;
        for taken in &step.taken {
            let content = content::of_taken(self, taken, fates, change);
            if content.verdict > fate.verdict {
                fate = content;
            }
        }
        if !fate.runs() && !change.files.is_empty() && known.len() < step.sources.len() {
            return Fate::of(Verdict::MayRun, Cause::NotKnown);
        }
        fate
    }
}
