//! From findings to an outcome.
//!
//! Owns: the [`Transform`] trait, the run to the fixpoint, the guards, and [`Outcome`]. It is pure: text and options in, outcome
//! out. Never does: name a transform, read a file or print.

mod guards;
mod ignores;
mod others;
mod refusal;
mod run;
mod trail;
mod worth;

pub use ignores::{IgnoreChange, copied};
pub use others::{OtherFile, Others};
pub use refusal::Refusal;
pub use run::run;

use crate::cache::Gain;
use crate::context::View;
use crate::edit::{Applicability, Fix};
use crate::model::Model;
use crate::syntax::Dockerfile;
use std::cell::OnceCell;

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Apply [`Applicability::Unsafe`] fixes too.
    pub unsafe_fixes: bool,
    /// Where the build context is not known, guess the manifests.
    pub assume_manifests: bool,
    /// If not empty, only transforms with these ids run.
    pub only: Vec<String>,
    /// Transforms with these ids do not run.
    pub skip: Vec<String>,
    /// The frontend that a `# syntax=` line names; `None`: never add or change one.
    pub syntax: Option<String>,
    /// The build context; `None` when it is not known: then nothing is done that hangs on it.
    pub place: Option<Place>,
    /// Why it is not known, where that is to be said.
    pub no_place: Option<String>,
}

/// Where a file is built.
#[derive(Clone, Debug)]
pub struct Place {
    /// The build context as this file's build sees it.
    pub view: View,
    /// The other Dockerfiles of the same context, which share its ignore file.
    pub others: Others,
    /// Stages that compose files, bake files or CI build by name.
    pub targets: Vec<String>,
    /// Build arguments that compose files, CI or scripts give another value with every build.
    pub fresh_arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unsafe_fixes: false,
            assume_manifests: false,
            only: Vec::new(),
            skip: Vec::new(),
            syntax: Some("docker/dockerfile:1".to_owned()),
            place: None,
            no_place: None,
        }
    }
}

/// What a transform looks at.
pub struct Scene<'a> {
    /// The file.
    pub dockerfile: &'a Dockerfile,
    /// What the run is asked to do.
    pub options: &'a Options,
    /// The build context with the ignore file as the run has it now.
    pub view: Option<View>,
    model: OnceCell<Model<'a>>,
    named: OnceCell<Model<'a>>,
}

impl<'a> Scene<'a> {
    /// A file with what the run is asked to do.
    pub fn new(dockerfile: &'a Dockerfile, options: &'a Options) -> Self {
        let view = options.place.as_ref().map(|place| place.view.clone());
        Self::within(dockerfile, options, view)
    }

    /// The same, with the build context as it is now.
    pub fn within(dockerfile: &'a Dockerfile, options: &'a Options, view: Option<View>) -> Self {
        Self { dockerfile, options, view, model: OnceCell::new(), named: OnceCell::new() }
    }

    /// What the file means, with names for the work folders of unknown images.
    pub fn model_with_named_workdirs(&self) -> &Model<'a> {
        self.named.get_or_init(|| Model::with_named_workdirs(self.dockerfile))
    }

    /// What the file means; made when it is first asked for.
    pub fn model(&self) -> &Model<'a> {
        self.model.get_or_init(|| Model::of(self.dockerfile))
    }
}

/// What is said of a transform in lists and explanations.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Short and stable, in kebab case: `cache-mounts`.
    pub id: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// The file that holds the transform; its module docs are the explanation.
    pub source: &'static str,
}

impl Meta {
    /// The transform's documentation as Markdown: the module docs of its file.
    pub fn documentation(&self) -> String {
        let lines = self.source.lines().take_while(|line| line.starts_with("//!"));
        lines.map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default()).collect::<Vec<_>>().join("\n")
            + "\n"
    }
}

/// One kind of rewrite.
pub trait Transform: Sync {
    /// A place where it may act, with the evidence found there.
    type Site;
    /// Who it is.
    const META: Meta;
    /// The places, in the order of the file.
    fn detect(&self, scene: &Scene<'_>) -> Vec<Self::Site>;
    /// The byte that the site is reported at.
    fn place(&self, site: &Self::Site) -> usize;
    /// What would be done there.
    ///
    /// # Errors
    /// The reason for leaving it alone.
    fn propose(&self, scene: &Scene<'_>, site: &Self::Site) -> Result<Fix, Refusal>;
}

/// A transform in a list with others.
pub trait Rule: Sync {
    /// Who it is.
    fn meta(&self) -> Meta;
    /// What it finds, in the order of the file.
    fn findings(&self, scene: &Scene<'_>) -> Vec<Finding>;
}

impl<T: Transform> Rule for T {
    fn meta(&self) -> Meta {
        T::META
    }

    fn findings(&self, scene: &Scene<'_>) -> Vec<Finding> {
        let sites = self.detect(scene);
        sites
            .iter()
            .map(|site| Finding { transform: T::META.id, at: self.place(site), result: self.propose(scene, site) })
            .collect()
    }
}

/// A place with its fix, or the reason for having none.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The transform's id.
    pub transform: &'static str,
    /// The byte that it is reported at.
    pub at: usize,
    /// What would be done, or why not.
    pub result: Result<Fix, Refusal>,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The text as it was.
    pub before: String,
    /// The text as it is now; the same when nothing was done.
    pub after: String,
    /// What became of the ignore file, where it changed.
    pub ignore: Option<IgnoreChange>,
    /// In the order in which they were applied.
    pub applied: Vec<Applied>,
    /// What was left alone at the end, and why: transform by transform, by place in `before`.
    pub refused: Vec<Refused>,
    /// Fixes that need `--unsafe`, in the same order.
    pub remaining: Vec<Applied>,
    /// Fixes that a guard stopped.
    pub culprits: Vec<Culprit>,
    /// Passes over the text, the last one without a change included.
    pub passes: usize,
    /// Why it ended.
    pub stop: Stop,
}

impl Outcome {
    /// Whether the text changed, or the ignore file.
    pub fn changed(&self) -> bool {
        self.before != self.after || self.ignore.is_some()
    }
}

/// A fix that was (or would be) applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The transform's id.
    pub transform: &'static str,
    /// The fix's title.
    pub title: String,
    /// 1-based line of `before`.
    pub line: usize,
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// What is said beside it.
    pub notes: Vec<String>,
    /// For a fix that moves instructions: how many steps run again before and after it, at the changes that are made most.
    pub gains: Vec<Gain>,
}

/// A place left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The transform's id.
    pub transform: &'static str,
    /// 1-based line of `before`.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Why.
    pub refusal: Refusal,
}

/// A fix that a guard stopped: a fault of ours, reported as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// The transform's id.
    pub transform: &'static str,
    /// The fix's title.
    pub title: String,
    /// 1-based line of `before`.
    pub line: usize,
    /// What the guard saw.
    pub guard: String,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing more to do.
    Fixpoint,
    /// The file is one that the builder refuses: nothing was tried.
    Broken,
    /// A text came up a second time, so the original was given back.
    Cycle,
    /// The limit of passes was reached, so the original was given back.
    PassLimit,
}
