//! Which package managers a RUN uses, and how.
//!
//! Owns: offering each command to the ecosystems. Never does: decide anything.

use crate::ecosystems::{self, Activity, Ecosystem};
use crate::model::{Form, Model, Ran, Run, Stage, Step};
use crate::syntax::{Dockerfile, Keyword};
use std::rc::Rc;

/// A manager's command in a RUN.
pub struct Use {
    /// Whose command it is.
    pub ecosystem: &'static dyn Ecosystem,
    /// Index into [`StepUse::commands`].
    pub command: usize,
    /// What it does with the cache.
    pub activity: Activity,
}

/// A RUN with its commands and what managers they belong to.
pub struct StepUse<'m> {
    /// Index of the stage.
    pub stage: usize,
    /// Index of the step in its stage.
    pub index: usize,
    /// The step.
    pub step: &'m Step<'m>,
    /// Its RUN.
    pub run: &'m Run<'m>,
    /// Every command, in order.
    pub commands: Rc<[Ran]>,
    /// The managers' commands among them, in order.
    pub uses: Vec<Use>,
}

impl StepUse<'_> {
    /// The commands of one manager with what they do.
    pub fn of<'s>(&'s self, ecosystem: &'s dyn Ecosystem) -> impl Iterator<Item = (&'s Ran, Activity)> {
        let wanted = ecosystem.id();
        self.uses
            .iter()
            .filter(move |item| item.ecosystem.id() == wanted)
            .filter_map(|item| Some((self.commands.get(item.command)?, item.activity)))
    }

    /// Whether one of the manager's commands fetches something.
    pub fn fetches(&self, ecosystem: &dyn Ecosystem) -> bool {
        self.of(ecosystem).any(|(_, activity)| matches!(activity, Activity::Install { .. } | Activity::RefreshIndex))
    }

    /// A command as it is written, blanks folded and cut to what a reader needs to find it.
    pub fn quoted(&self, ran: &Ran) -> String {
        const LONGEST: usize = 80;
        let text = self.run.text().get(ran.invocation.span.clone()).unwrap_or(&ran.invocation.program);
        let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if folded.chars().count() <= LONGEST { folded } else { folded.chars().take(LONGEST).chain(['…']).collect() }
    }

    /// 1-based line of the RUN.
    pub fn line(&self) -> usize {
        self.step.instruction.lines.0
    }
}

/// The RUN steps of a stage, each with its managers' commands.
pub fn of_stage<'m>(model: &'m Model<'m>, stage: usize) -> Vec<StepUse<'m>> {
    let Some(Stage { steps, .. }) = model.stages.get(stage) else { return Vec::new() };
    steps.iter().enumerate().filter_map(|(index, step)| of_step(stage, index, step)).collect()
}

fn of_step<'m>(stage: usize, index: usize, step: &'m Step<'m>) -> Option<StepUse<'m>> {
    let run = step.run.as_ref()?;
    let commands = run.commands(&step.state);
    let uses = uses_of(&commands);
    Some(StepUse { stage, index, step, run, commands, uses })
}

fn uses_of(commands: &[Ran]) -> Vec<Use> {
    let mut uses = Vec::new();
    for (command, ran) in commands.iter().enumerate() {
        let mut owners = ecosystems::of_program(&ran.invocation.program);
        let owner = owners.find_map(|ecosystem| Some((ecosystem, ecosystem.recognise(&ran.invocation)?)));
        if let Some((ecosystem, activity)) = owner {
            uses.push(Use { ecosystem, command, activity });
        }
    }
    uses
}

/// The ids of the managers that install in an `ONBUILD RUN`.
pub fn of_trigger(dockerfile: &Dockerfile, step: &Step<'_>) -> Vec<&'static str> {
    let Some(trigger) = step.instruction.trigger.as_deref().filter(|trigger| trigger.keyword == Keyword::Run) else {
        return Vec::new();
    };
    let commands = Run::of(dockerfile, trigger, &step.state).commands(&step.state);
    let installs = |used: &Use| matches!(used.activity, Activity::Install { .. });
    uses_of(&commands).iter().filter(|used| installs(used)).map(|used| used.ecosystem.id()).collect()
}

/// Why a RUN that seems to install something can't be read, where it can't.
pub fn unreadable(item: &StepUse<'_>) -> Option<String> {
    let why = match (&item.run.form, item.run.script.list()) {
        (Form::Other(language), _) => format!("the script is for {language}, which is not read"),
        (Form::Shell, Err(error)) => format!("the script can't be read as shell: {error}"),
        _ => return None,
    };
    let words: Vec<&str> = item.run.text().split_whitespace().collect();
    let installs = words.windows(2).any(|pair| match pair {
        [program, verb] => {
            matches!(*verb, "install" | "ci" | "restore" | "add" | "sync" | "i" | "update")
                && ecosystems::all().iter().any(|ecosystem| ecosystem.programs().contains(program))
        }
        _ => false,
    });
    installs.then_some(why)
}
