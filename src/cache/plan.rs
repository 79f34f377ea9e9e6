//! A file's steps with all that their cache keys hang on.
//!
//! Owns: [`Plan`], made once for a file and asked about many changes. Never does: know a change.

use super::environment::{Arguments, Environment};
use super::forecast::Change;
use crate::context::{Commit, Source, View};
use crate::knowledge::Knowledge;
use crate::model::brought::{ContextCopy, Laid, is_context_copy};
use crate::model::{Base, Model, Run, Stage, State, mount_option};
use crate::syntax::{Dockerfile, Instruction, Keyword};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What kind of builder the keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builder {
    /// It can merge layers, so that `COPY --link` stands on nothing. BuildKit with containerd's image store can; an engine with the
    /// older storage drivers copies as if `--link` were not there.
    pub merges: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self { merges: true }
    }
}

/// A file as its cache keys see it.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps of all stages, in the order of the file (those of ONBUILD where they run).
    pub steps: Vec<Step>,
    /// What each stage's base image hangs on: build arguments in its FROM.
    pub(super) bases: Vec<Arguments>,
    /// The stages below each, the one it stands on last.
    pub(super) chains: Vec<Vec<usize>>,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RUN.
    Run,
    /// COPY or ADD.
    Copy,
    /// WORKDIR, which makes a folder.
    Workdir,
}

/// A step that the builder runs or takes from its cache.
#[derive(Clone, Debug)]
pub struct Step {
    /// Index of its stage.
    pub stage: usize,
    /// The stage's name, or its number.
    pub stage_name: String,
    /// Index among the instructions of its stage; `None` for a step that an ONBUILD of another stage makes.
    pub place: Option<usize>,
    /// 1-based first line.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
    /// The instruction on one line.
    pub text: String,
    /// The same without mounts, for people.
    pub short: String,
    /// For RUN: its commands, each as program and known arguments.
    pub commands: Vec<String>,
    /// The target needs its stage.
    pub needed: bool,
    /// Index of the step that it stands on; `None` on an image.
    pub(super) below: Option<usize>,
    /// It stands on nothing (`COPY --link`).
    pub(super) linked: bool,
    /// What it takes of the build context; Unknown where that hangs on something that is not known.
    pub(super) sources: Vec<Knowledge<Source>>,
    /// What it takes of other stages.
    pub(super) taken: Vec<Taken>,
    /// Build arguments that it hangs on itself.
    pub(super) arguments: Arguments,
    /// For a COPY from the build context: what it lays where, as far as that is known.
    pub(super) lays: Option<ContextCopy>,
    /// For COPY and ADD: where to, as far as that is known.
    pub(super) to: Option<String>,
}

/// Content of another stage that a step takes.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) stage: usize,
    /// Absolute paths, perhaps patterns.
    pub(super) paths: Vec<Knowledge<String>>,
}

impl Plan {
    /// Of a file that is built for `target` (a stage's name or number; without one or with an unknown one, the last stage) from a
    /// context. Without a context, its ignore file and its links are taken to be none.
    pub fn of(dockerfile: &Dockerfile, view: Option<&View>, target: Option<&str>, builder: Builder) -> Self {
        let model = Model::of(dockerfile);
        let mut draft =
            Draft { model: &model, dockerfile, view, builder, plan: Self::default(), ends: Vec::new(), at_end: Vec::new() };
        let mut globals = Environment::default();
        for instruction in dockerfile.instructions().take_while(|instruction| instruction.keyword != Keyword::From) {
            globals.after(instruction, &Environment::default());
        }
        for index in 0..model.stages.len() {
            draft.stage(index, &globals);
        }
        let last = model.stages.len().checked_sub(1);
        let target = target.and_then(|name| model.stage_named(name)).or(last);
        let mut plan = draft.plan;
        plan.need(target);
        plan
    }

    /// The steps that the target needs.
    pub fn needed(&self) -> usize {
        self.steps.iter().filter(|step| step.needed).count()
    }

    /// In how many of the commits something changes that a step takes of the context by itself; `place` is its index in its stage. `None`
    /// without commits, and where what it takes is not known.
    pub fn changes(&self, stage: usize, place: usize, commits: &[Arc<Commit>]) -> Option<usize> {
        let step = self.steps.iter().find(|step| step.stage == stage && step.place == Some(place))?;
        let sources: Vec<&Source> = step.sources.iter().map(Knowledge::known).collect::<Option<_>>()?;
        let takes = |commit: &&Arc<Commit>| commit.paths.iter().any(|path| sources.iter().any(|source| source.takes(path)));
        (!commits.is_empty()).then(|| commits.iter().filter(takes).count())
    }

    /// How many commands of RUN steps a change makes run.
    pub fn commands_at(&self, change: &Change) -> usize {
        let forecast = self.after(change);
        let run = self.steps.iter().enumerate().filter(|(index, step)| step.kind == Kind::Run && forecast.is_run(*index));
        run.map(|(_, step)| step.commands.len().max(1)).sum()
    }

    /// Whether a stage starts from an image, and not from another stage.
    pub fn stands_on_image(&self, stage: usize) -> bool {
        self.chains.get(stage).is_none_or(Vec::is_empty)
    }

    fn need(&mut self, target: Option<usize>) {
        let mut stages: BTreeSet<usize> = BTreeSet::new();
        let mut todo: Vec<usize> = target.into_iter().collect();
        while let Some(stage) = todo.pop() {
            if !stages.insert(stage) {
                continue;
            }
            todo.extend(self.chains.get(stage).into_iter().flatten());
            let own = self.steps.iter().filter(|step| step.stage == stage);
            todo.extend(own.flat_map(|step| &step.taken).map(|taken| taken.stage));
        }
        self.steps.iter_mut().for_each(|step| step.needed = stages.contains(&step.stage));
    }

    /// What stands on what in a stage, from the image up: indexes of steps.
    pub(super) fn steps_of(&self, stage: usize) -> impl Iterator<Item = (usize, &Step)> {
        let chain = self.chains.get(stage).cloned().unwrap_or_default();
        self.steps.iter().enumerate().filter(move |(_, step)| step.stage == stage || chain.contains(&step.stage))
    }
}

struct Draft<'d> {
    model: &'d Model<'d>,
    dockerfile: &'d Dockerfile,
    view: Option<&'d View>,
    builder: Builder,
    plan: Plan,
    /// The last step of each stage (or of the one that it stands on).
    ends: Vec<Option<usize>>,
    at_end: Vec<Environment>,
}

impl<'d> Draft<'d> {
    fn stage(&mut self, index: usize, globals: &Environment) {
        let Some(stage) = self.model.stages.get(index) else { return };
        let base = match stage.base {
            Base::Stage(base) if base < index => Some(base),
            _ => None,
        };
        let mut chain = base.and_then(|base| self.plan.chains.get(base)).cloned().unwrap_or_default();
        chain.extend(base);
        self.plan.chains.push(chain);
        let reference = stage.from.arguments.values.first().map_or("", String::as_str);
        self.plan.bases.push(globals.behind(reference, true));
        let mut environment = base.and_then(|base| self.at_end.get(base)).cloned().unwrap_or_default();
        let mut below = base.and_then(|base| self.ends.get(base)).copied().flatten();
        let nothing = View::of_files([]);
        let view = self.view.unwrap_or(&nothing);
        let mut laid = Laid::new(view);
        let start = stage.steps.first().map_or_else(State::default, |step| (*step.state).clone());
        let triggers = base.and_then(|base| self.model.stages.get(base)).map(triggers).unwrap_or_default();
        for instruction in triggers {
            let site = Site { stage, index, place: None, state: &start, run: None, copy: None };
            below = self.take(&site, instruction, &mut environment, globals, below);
        }
        for (place, step) in stage.steps.iter().enumerate() {
            let copy = if self.view.is_some() && is_context_copy(step.instruction) { laid.read(step) } else { None };
            laid.after(step);
            let site = Site { stage, index, place: Some(place), state: &step.state, run: step.run.as_ref(), copy };
            below = self.take(&site, step.instruction, &mut environment, globals, below);
        }
        self.ends.push(below);
        self.at_end.push(environment);
    }

    /// Takes an instruction in; what the next one stands on.
    fn take(
        &mut self,
        site: &Site<'_, 'd>,
        instruction: &'d Instruction,
        environment: &mut Environment,
        globals: &Environment,
        below: Option<usize>,
    ) -> Option<usize> {
        let workdir_makes = |state: &State| {
            let written = instruction.arguments.values.first().map_or("", String::as_str);
            state.absolute(written) != Knowledge::Known("/".to_owned())
        };
        let kind = match instruction.keyword {
            Keyword::Run => Some(Kind::Run),
            Keyword::Copy | Keyword::Add => Some(Kind::Copy),
            Keyword::Workdir if workdir_makes(site.state) => Some(Kind::Workdir),
            _ => None,
        };
        environment.after(instruction, globals);
        let Some(kind) = kind else { return below };
        let step = self.step(site, instruction, kind, environment, below);
        self.plan.steps.push(step);
        self.plan.steps.len().checked_sub(1)
    }

    fn step(
        &self,
        site: &Site<'_, 'd>,
        instruction: &Instruction,
        kind: Kind,
        environment: &Environment,
        below: Option<usize>,
    ) -> Step {
        let arguments = match kind {
            Kind::Run => environment.all(),
            Kind::Workdir => environment.workdir() | environment.user(),
            Kind::Copy => self.of_copy(instruction, environment),
        };
        let commands = site.run.map(|run| run.commands(site.state)).unwrap_or_default();
        let words = |ran: &crate::model::Ran| {
            let arguments = ran.invocation.known_arguments().map(|(_, word)| word);
            std::iter::once(ran.invocation.program.as_str()).chain(arguments).collect::<Vec<_>>().join(" ")
        };
        let text = instruction.logical.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        let link = instruction.flags_named("link").any(|flag| flag.value() != "false");
        let to = instruction.arguments.values.last().filter(|_| kind == Kind::Copy);
        Step {
            stage: site.index,
            stage_name: site.stage.name.clone().unwrap_or_else(|| site.index.to_string()),
            place: site.place,
            line: instruction.lines.0,
            kind,
            short: short(&text),
            text,
            commands: commands.iter().map(words).collect(),
            needed: true,
            below,
            linked: link && kind == Kind::Copy && self.builder.merges,
            sources: self.sources(site.state, instruction),
            taken: self.taken(site.state, instruction),
            arguments,
            lays: site.copy.clone(),
            to: to.and_then(|to| site.state.absolute(to).into_known()),
        }
    }

    /// The text with its flags and expanded heredocs, and the work folder where the destination hangs on it.
    fn of_copy(&self, instruction: &Instruction, environment: &Environment) -> Arguments {
        let mut arguments = environment.behind(instruction.logical.as_str(), true);
        for heredoc in instruction.heredocs.iter().filter(|heredoc| heredoc.expand) {
            arguments.append(&mut environment.behind(self.dockerfile.slice(heredoc.content.clone()), false));
        }
        if instruction.arguments.values.last().is_some_and(|to| !to.starts_with('/')) {
            arguments.extend(environment.workdir().iter().cloned());
        }
        arguments
    }

    fn sources(&self, state: &State, instruction: &Instruction) -> Vec<Knowledge<Source>> {
        let read = |written: &str| -> Knowledge<Source> {
            state.lookup_text(written).and_then(|source| Source::read(&source, self.view)).into()
        };
        let mut sources = Vec::new();
        if is_context_copy(instruction) {
            let own = instruction.arguments.values.split_last().map_or(&[][..], |(_, own)| own);
            let is_heredoc = |word: &str| !instruction.heredocs.is_empty() && word.contains("<<");
            let local = own.iter().filter(|word| !is_heredoc(word) && !word.contains("://") && !word.starts_with("git@"));
            // What --exclude leaves out is not read, so that any of the files may count or not.
            let excludes = instruction.flags_named("exclude").next().is_some();
            sources.extend(local.map(|word| if excludes { Knowledge::Unknown } else { read(word) }));
        }
        for flag in instruction.flags_named("mount") {
            let option = |name: &str| mount_option(flag.value(), name);
            if option("type").is_none_or(|kind| kind == "bind") && option("from").is_none() {
                sources.push(read(option("source").or_else(|| option("src")).unwrap_or(".")));
            }
        }
        sources
    }

    fn taken(&self, state: &State, instruction: &Instruction) -> Vec<Taken> {
        let rooted = |written: &str| -> Knowledge<String> {
            let text = state.lookup_text(written).map(|path| format!("/{}", path.trim_start_matches('/')));
            text.into()
        };
        let mut taken = Vec::new();
        if instruction.keyword == Keyword::Copy
            && let Some(stage) = instruction.flag("from").and_then(|name| self.model.stage_named(name))
        {
            let own = instruction.arguments.values.split_last().map_or(&[][..], |(_, own)| own);
            taken.push(Taken { stage, paths: own.iter().map(|path| rooted(path)).collect() });
        }
        for flag in instruction.flags_named("mount") {
            let option = |name: &str| mount_option(flag.value(), name);
            let Some(stage) = option("from").and_then(|name| self.model.stage_named(name)) else { continue };
            let path = option("source").or_else(|| option("src")).unwrap_or("/");
            taken.push(Taken { stage, paths: vec![rooted(path)] });
        }
        taken
    }
}

/// A RUN's line without what it mounts.
fn short(text: &str) -> String {
    let mut words = text.split(' ');
    let keyword = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.skip_while(|word| word.starts_with("--mount=")).collect();
    format!("{keyword} {}", rest.join(" "))
}

/// Where an instruction stands.
struct Site<'s, 'd> {
    stage: &'s Stage<'d>,
    index: usize,
    place: Option<usize>,
    state: &'s State,
    run: Option<&'s Run<'d>>,
    copy: Option<ContextCopy>,
}

/// What a stage has the stages do that are built FROM it.
fn triggers<'d>(stage: &Stage<'d>) -> Vec<&'d Instruction> {
    stage.steps.iter().filter_map(|step| step.instruction.trigger.as_deref()).collect()
}
