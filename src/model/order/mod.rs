//! Which steps of a stage may change places.
//!
//! Owns: [`Order`], one stage with what each of its steps touches, and the question "what must go along if this step rises above
//! that copy", and the same of two steps alone. Two steps commute if neither writes what the other touches and neither hangs on a setting of the other. Never does:
//! write text, or decide whether a move is worth it.

mod along;
mod brackets;
mod gifts;
mod loads;
mod mounted;
mod owners;
mod print;
mod privileges;
mod rise;
mod swap;

pub use brackets::Bracket;
pub use gifts::{Given, Making};
pub use print::{Asked, CommandPrint, Print, StepPrint, mentioned};
pub use rise::{InTheWay, Needed, Rise};
pub use swap::{Doubt, Swap};

use print::Invocations;

use super::brought::Laid;
use super::{Model, Ran, Stage, Step};
use crate::context::View;
use crate::ecosystems::{Dependencies, Invocation};
use crate::syntax::Keyword;
use std::cell::OnceCell;

/// One stage in the light of its build context.
pub struct Order<'m> {
    /// The stage's steps.
    pub steps: &'m [Step<'m>],
    /// The build context.
    pub view: &'m View,
    stage: &'m Stage<'m>,
    /// What the copies of the stages below laid.
    below: Laid<'m>,
    /// What they and all of its own laid.
    laid: OnceCell<Laid<'m>>,
    /// The commands of its RUNs, in order.
    invocations: OnceCell<Invocations>,
    prints: Vec<OnceCell<StepPrint>>,
}

impl<'m> Order<'m> {
    /// The stage with this index; the model should be one with named work folders.
    pub fn new(model: &'m Model<'m>, stage: usize, view: &'m View) -> Option<Self> {
        let own = model.stages.get(stage)?;
        let mut below = Laid::among(model, view);
        for link in model.chain(stage).into_iter().filter(|link| *link != stage) {
            model.stages.get(link)?.steps.iter().for_each(|step| below.after(step));
        }
        let prints = own.steps.iter().map(|_| OnceCell::new()).collect();
        Some(Self { steps: &own.steps, view, stage: own, below, laid: OnceCell::new(), invocations: OnceCell::new(), prints })
    }

    /// The stage as people call it: its name, or the line of its FROM.
    pub fn name(&self) -> String {
        match &self.stage.name {
            Some(name) => format!("the stage `{name}`"),
            None => format!("the stage of line {}", self.stage.from.lines.0),
        }
    }

    /// The first copy from the build context that brings more than single files.
    pub fn source(&self) -> Option<usize> {
        let brings_folder = |step: &StepPrint| step.copy.as_ref().is_none_or(|copy| copy.maps.iter().any(|map| map.folder));
        (0..self.steps.len()).find(|index| self.print(*index).is_some_and(|step| step.from_context && brings_folder(step)))
    }

    /// What a step touches.
    pub fn print(&self, index: usize) -> Option<&StepPrint> {
        let step = self.steps.get(index)?;
        let print = || match step.instruction.keyword {
            Keyword::Run => StepPrint::of_run(self.stage, step, &self.laid_before(index), self.view, self.commands_up_to(index)),
            Keyword::Copy | Keyword::Add => StepPrint::of_copy(step, &self.laid_before(index)),
            _ => StepPrint { print: print::of_setting(step), ..StepPrint::default() },
        };
        Some(self.prints.get(index)?.get_or_init(print))
    }

    /// Whether `wanted` holds for a command of a RUN and what a package manager says of it: the question that needs no print.
    pub fn some_command(&self, index: usize, wanted: impl Fn(&Ran, &Asked) -> bool) -> bool {
        let Some(step) = self.steps.get(index) else { return false };
        let invocations = self.commands_up_to(index);
        StepPrint::some_command(self.stage, step, &self.laid_before(index), self.view, invocations, wanted)
    }

    /// The commands of the RUNs up to a step and with it.
    fn commands_up_to(&self, index: usize) -> &[Invocation] {
        self.invocations.get_or_init(|| Invocations::of(self.steps, self.view)).up_to(index)
    }

    /// The first half of a command alone: what it touches is what these dependencies say.
    pub fn half(&self, index: usize, command: &CommandPrint, dependencies: &Dependencies) -> Option<CommandPrint> {
        let step = self.steps.get(index)?;
        let laid = self.laid_before(index);
        Some(command.half(
            dependencies,
            print::of_half((self.stage, step), &command.ran, &laid, dependencies, self.commands_up_to(index)),
        ))
    }

    /// What the copies above a step laid.
    pub fn laid_before(&self, index: usize) -> Laid<'m> {
        let laid = self.laid.get_or_init(|| {
            let mut laid = self.below.clone();
            self.steps.iter().for_each(|step| laid.after(step));
            laid
        });
        laid.without_those_of(self.steps.get(index..).unwrap_or_default())
    }
}
