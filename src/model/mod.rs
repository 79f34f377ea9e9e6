//! What a Dockerfile means.
//!
//! Owns: stages and how they refer to each other; what holds before every step (ENV, ARG, WORKDIR, USER, SHELL); the commands of
//! every RUN with their wrappers taken off. Never does: propose a change, or guess: what it can't know is Unknown.

mod around;
pub mod brought;
mod commands;
mod expansion;
pub mod footprint;
pub mod handed;
pub mod installs;
pub mod order;
pub mod paths;
mod references;
mod run;
mod state;
mod users;
pub mod volatile;

pub use around::surroundings;
pub use commands::Ran;
pub use references::{Reference, ReferenceKind, mount_option};
pub use run::{Form, Run, Script};
pub use state::State;

use crate::ecosystems::BaseImage;
use crate::syntax::{Dockerfile, Instruction, Keyword};
use std::rc::Rc;

/// A Dockerfile's stages.
#[derive(Debug, Default)]
pub struct Model<'a> {
    /// In the order of the file.
    pub stages: Vec<Stage<'a>>,
    /// Every use of a stage's files by another.
    pub references: Vec<Reference>,
    named_workdirs: bool,
}

/// Stands for the work folder that an unknown image sets.
pub const IMAGES_WORKDIR: &str = "/(the image's work folder)";

/// From one FROM to the next.
#[derive(Debug)]
pub struct Stage<'a> {
    /// `AS name`, as written.
    pub name: Option<String>,
    /// What it starts from.
    pub base: Base,
    /// The image at the bottom of the chain of stages.
    pub image: BaseImage,
    /// Its FROM.
    pub from: &'a Instruction,
    /// What follows the FROM.
    pub steps: Vec<Step<'a>>,
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Another stage, by index.
    Stage(usize),
    /// An image from elsewhere (or `scratch`).
    Image,
}

/// An instruction of a stage with what holds before it.
#[derive(Debug)]
pub struct Step<'a> {
    /// The instruction itself.
    pub instruction: &'a Instruction,
    /// What holds before it.
    pub state: Rc<State>,
    /// For RUN: its script.
    pub run: Option<Run<'a>>,
}

impl<'a> Model<'a> {
    /// Reads the meaning of a file.
    pub fn of(dockerfile: &'a Dockerfile) -> Self {
        Self::read(dockerfile, false)
    }

    /// The same, with [`IMAGES_WORKDIR`] for the work folder of an image where it is not known, so that paths behind it can be
    /// compared with each other (and with nothing else), and with a PATH and GOPATH as images have them.
    pub fn with_named_workdirs(dockerfile: &'a Dockerfile) -> Self {
        Self::read(dockerfile, true)
    }

    fn read(dockerfile: &'a Dockerfile, named_workdirs: bool) -> Self {
        let mut model = Model { named_workdirs, ..Model::default() };
        let mut globals = State::default();
        let mut state = Rc::new(State::default());
        for instruction in dockerfile.instructions() {
            if instruction.keyword == Keyword::From {
                let stage = model.open(instruction, &globals);
                state = Rc::new(model.initial_state(&stage, &globals));
                model.stages.push(stage);
            } else if model.stages.is_empty() {
                globals.after(instruction, None, &State::default());
            } else {
                state = model.step(dockerfile, instruction, state, &globals);
            }
        }
        model.references = references::of(&model);
        model
    }

    fn open(&self, instruction: &'a Instruction, globals: &State) -> Stage<'a> {
        let values = &instruction.arguments.values;
        let raw = values.first().map_or("", String::as_str);
        let name = values.get(1).filter(|word| word.eq_ignore_ascii_case("as")).and_then(|_| values.get(2)).cloned();
        let reference = expansion::expand(raw, '\\', &globals.lookup());
        let earlier = reference.known().and_then(|reference| self.stage_named(reference));
        let (base, image) = match earlier.and_then(|index| Some((index, self.stages.get(index)?))) {
            Some((index, stage)) => (Base::Stage(index), stage.image.clone()),
            None => (Base::Image, BaseImage { reference }),
        };
        Stage { name, base, image, from: instruction, steps: Vec::new() }
    }

    fn initial_state(&self, stage: &Stage<'a>, globals: &State) -> State {
        match stage.base {
            Base::Stage(index) => match self.stages.get(index) {
                Some(base) => self.end_of(base, globals).inherited(),
                None => State::default(),
            },
            Base::Image => {
                let mut state = State::of_image(&stage.image);
                if self.named_workdirs {
                    state.name_what_images_set(&stage.image, IMAGES_WORKDIR);
                }
                state
            }
        }
    }

    fn end_of(&self, stage: &Stage<'a>, globals: &State) -> State {
        match stage.steps.last() {
            Some(last) => {
                let mut state = (*last.state).clone();
                state.after(last.instruction, last.run.as_ref(), globals);
                state
            }
            None => self.initial_state(stage, globals),
        }
    }

    fn step(&mut self, dockerfile: &'a Dockerfile, instruction: &'a Instruction, state: Rc<State>, globals: &State) -> Rc<State> {
        let run = (instruction.keyword == Keyword::Run).then(|| Run::of(dockerfile, instruction, &state));
        let next = if state.changes_with(instruction, run.as_ref()) {
            let mut next = (*state).clone();
            next.after(instruction, run.as_ref(), globals);
            Rc::new(next)
        } else {
            Rc::clone(&state)
        };
        if let Some(stage) = self.stages.last_mut() {
            stage.steps.push(Step { instruction, state, run });
        }
        next
    }

    /// The index of the stage of this name (in any case) or number.
    pub fn stage_named(&self, name: &str) -> Option<usize> {
        let by_name =
            self.stages.iter().rposition(|stage| stage.name.as_deref().is_some_and(|stage| stage.eq_ignore_ascii_case(name)));
        by_name.or_else(|| name.parse().ok().filter(|index: &usize| *index < self.stages.len()))
    }

    /// The stage and those it is built on, bottom first.
    pub fn chain(&self, stage: usize) -> Vec<usize> {
        let mut chain = vec![stage];
        let mut at = stage;
        while let Some(Base::Stage(base)) = self.stages.get(at).map(|stage| stage.base.clone()) {
            if base >= at {
                break;
            }
            chain.insert(0, base);
            at = base;
        }
        chain
    }

    /// The stages built FROM this one, directly or not.
    pub fn built_on(&self, stage: usize) -> Vec<usize> {
        (stage + 1..self.stages.len()).filter(|other| self.chain(*other).contains(&stage)).collect()
    }

    /// Whether a stage's layers are part of the image that comes out: it is the last one, or the last one is built on it.
    pub fn is_shipped(&self, stage: usize) -> bool {
        self.stages.len().checked_sub(1).is_some_and(|last| self.chain(last).contains(&stage))
    }

    /// Whether a stage is built for several platforms at once, as far as the file's text tells. A stage that runs on the build
    /// platform, or on one that is named, is built once for all.
    pub fn several_platforms(&self, stage: usize) -> bool {
        let root = self.chain(stage).first().and_then(|root| self.stages.get(*root));
        if root.and_then(|root| root.from.flag("platform")).is_some_and(|platform| !platform.contains("TARGET")) {
            return false;
        }
        self.stages.iter().any(|stage| {
            stage.from.flag("platform").is_some_and(|platform| platform.contains("BUILDPLATFORM") || platform.contains("TARGET"))
                || stage.steps.iter().any(|step| {
                    step.instruction.keyword == Keyword::Arg
                        && step.instruction.arguments.values.iter().any(|value| value.starts_with("TARGET"))
                })
        })
    }
}
