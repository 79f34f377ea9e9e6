//! # What it does
//! Copies what a package manager needs (manifests, lock files) first, lets the install run on that, and copies the source behind it:
//! the source copy sinks below the install, and so does a `COPY --from` of what another stage built from it. A RUN that goes on
//! after the install is cut in two; a command that installs and builds (`cargo build`, `poetry install`, `npm install` with a
//! `prepare` script) gets its dependencies-only half in front. So does `pip install .` with `--unsafe`: what its `[project]` table
//! declares.
//!
//! # Why
//! BuildKit runs a step again when anything above it changed. With the source above the install, every edit installs everything
//! again; with only the manifests above it, an edit of the source leaves the install in the cache.
//!
//! # Example
//! Before:
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY . .
//! RUN pip install -r requirements.txt
//! CMD ["python", "main.py"]
//! ```
//! After (`requirements.txt` is in the build context):
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY requirements.txt .
//! RUN pip install -r requirements.txt
//! COPY . .
//! CMD ["python", "main.py"]
//! ```
//!
//! # Safety
//! Safe when the files that the command reads are known from the real ones in the build context (includes, workspaces, patches and
//! scripts followed), each step that is passed touches nothing that the moved ones touch, and no folder that the install fills
//! (`node_modules`) can come with the source: git does not track it, and the ignore file names it or is made to in the same fix.
//! A step between that gives the project's folder away (`chown -R app:app /app`) comes before the source, too, while the folder is
//! empty, and the copies that it passes get `--chown` with the same owner and group: the image holds the source once instead of twice.
//! Where the user of an install holds for it alone, it gets a USER of its own, and behind it the one that was in force.
//! Unsafe where a file that the install may write back is laid over it by the later copy, and where a stale build could survive.
//! Refused where a script of the project runs during the install, a step between changes what the install reads, or a file that tells
//! can't be read; the reason names it. Where the build context can't be seen nothing is guessed, but on request (`--unsafe
//! --assume-manifests`): then manifests are copied if they are there (`COPY .dockerignore requirements.txt* ./`), and the install runs
//! on them first.
//! What is not pinned is now fetched when its manifest changes, not with each edit: a note says so.
//!
//! # References
//! The Dockerfile reference on COPY, and Docker's guide "Optimize cache usage in builds": order your layers.

mod assumed;
mod built;
mod ways;
mod words;

use super::rising::{self, Movement};
use crate::context::View;
use crate::ecosystems::{self, Activity, Dependencies, Ecosystem, Entangled, Part};
use crate::edit::Fix;
use crate::model::Ran;
use crate::model::brought::{ContextCopy, Map, is_context_copy};
use crate::model::order::{CommandPrint, Order, StepPrint};
use crate::pipeline::{Meta, Refusal, Scene, Transform};
use crate::syntax::{Dockerfile, Instruction, Keyword};

/// See the module.
pub struct SplitDependencyCopy;

/// Installs below one copy of the source, and what became of them.
pub struct Site {
    at: usize,
    result: Result<Fix, Refusal>,
}

impl Transform for SplitDependencyCopy {
    type Site = Site;
    const META: Meta = Meta {
        id: "split-dependency-copy",
        summary: "copies manifests and installs before the source is copied",
        source: include_str!("split_dependency_copy.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        if !rising::has_copy_above_run(scene.dockerfile) {
            return Vec::new();
        }
        let Some(view) = &scene.view else { return without_context(scene).into_iter().collect() };
        let model = scene.model_with_named_workdirs();
        let orders: Vec<Order<'_>> = (0..model.stages.len()).filter_map(|stage| Order::new(model, stage, view)).collect();
        let from_source = built::from_source(model, &orders);
        let stage = |(index, order)| {
            let chain = model.chain(index).into_iter().filter(|link| *link != index);
            let below = chain.filter_map(|link| orders.get(link)).collect();
            Stage {
                dockerfile: scene.dockerfile,
                order,
                below,
                bold: scene.options.unsafe_fixes,
                frontend: scene.options.syntax.as_deref(),
                shipped: model.is_shipped(index),
                built: built::copies(model, order, &from_source),
            }
        };
        orders.iter().enumerate().map(stage).flat_map(|stage| stage.sites()).collect()
    }

    fn place(&self, site: &Site) -> usize {
        site.at
    }

    fn propose(&self, _scene: &Scene<'_>, site: &Site) -> Result<Fix, Refusal> {
        site.result.clone()
    }
}

/// The first install that can't be helped because the build context is not known.
fn without_context(scene: &Scene<'_>) -> Option<Site> {
    let why = scene.options.no_place.as_ref()?;
    if scene.options.assume_manifests
        && let Some((at, fix)) = assumed::guess(scene)
    {
        return Some(Site { at, result: Ok(fix) });
    }
    // The text tells most files apart in which there is nothing to say.
    let names_manager = |instruction: &Instruction| may_name_manager(scene.dockerfile.slice(instruction.span.clone()));
    if !runs_below_copies(scene.dockerfile).any(names_manager) {
        return None;
    }
    let nothing = View::of_files([]);
    let model = scene.model_with_named_workdirs();
    (0..model.stages.len()).find_map(|stage| {
        let order = Order::new(model, stage, &nothing)?;
        let stage = Stage {
            dockerfile: scene.dockerfile,
            order: &order,
            below: Vec::new(),
            bold: false,
            frontend: None,
            shipped: true,
            built: Vec::new(),
        };
        let waits = |at: &usize| {
            order.steps.get(*at).is_some_and(|step| step.run.is_some() && names_manager(step.instruction))
                && stage.is_below_folder(*at)
                && !stage.is_asked_above(*at)
                && order.some_command(*at, |ran, (owner, dependencies)| match dependencies {
                    Some(Ok(Some(dependencies))) => reads_project(dependencies) && fetches(*owner, ran),
                    Some(Err(_)) => true,
                    _ => false,
                })
        };
        let at = (0..order.steps.len()).find(waits)?;
        let why = format!(
            "the build context is not known ({why}), so what this install needs can't be copied first; --context DIR names it"
        );
        Some(Site { at: order.steps.get(at)?.instruction.span.start, result: Err(Refusal::Context { why }) })
    })
}

/// The RUNs below a COPY or ADD from the build context.
fn runs_below_copies(dockerfile: &Dockerfile) -> impl Iterator<Item = &Instruction> {
    let mut copied = false;
    dockerfile.instructions().filter(move |instruction| {
        copied &= instruction.keyword != Keyword::From;
        copied |= is_context_copy(instruction);
        copied && instruction.keyword == Keyword::Run
    })
}

/// Whether a word of a RUN's text is a package manager's name, or may stand for one.
fn may_name_manager(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+');
    text.contains(['$', '`']) || text.split(|c| !is_part(c)).any(|word| ecosystems::of_program(word).next().is_some())
}

/// One stage on its way to sites.
struct Stage<'s, 'm> {
    dockerfile: &'s Dockerfile,
    order: &'s Order<'m>,
    /// The stages that it is built on.
    below: Vec<&'s Order<'m>>,
    /// Fixes after which the image may differ are asked for.
    bold: bool,
    /// The frontend that the file may be made to name.
    frontend: Option<&'s str>,
    /// Its layers go into the image that comes out.
    shipped: bool,
    /// The copies of what other stages made of the source.
    built: Vec<usize>,
}

/// An install of the project's dependencies.
struct Install<'p> {
    /// Index of its step.
    at: usize,
    /// Index of its command in the RUN.
    command: usize,
    print: &'p CommandPrint,
    dependencies: &'p Dependencies,
}

impl Stage<'_, '_> {
    fn sites(&self) -> Vec<Site> {
        let mut sites = Vec::new();
        let mut done: Vec<usize> = Vec::new();
        for at in 0..self.order.steps.len() {
            let Some(step) = self.order.steps.get(at).filter(|step| step.instruction.keyword == Keyword::Run) else { continue };
            if done.contains(&at) {
                continue;
            }
            let place = step.instruction.span.start;
            if !self.is_below_folder(at) {
                let refusal = self.in_other_stage(at);
                sites.extend(refusal.map(|refusal| Site { at: place, result: Err(refusal) }));
            }
            if !self.is_below_source(at) {
                continue;
            }
            match self.installs(at) {
                Err(_) if self.is_filled(at) => {}
                Err(refusal) if self.is_below_folder(at) => sites.push(Site { at: place, result: Err(refusal) }),
                Err(_) => {}
                Ok(installs) if installs.is_empty() => {}
                Ok(installs) => match self.fix(&installs) {
                    Ok((fix, moved)) => {
                        done.extend(moved);
                        sites.push(Site { at: place, result: Ok(fix) });
                    }
                    Err(Some(refusal)) => sites.push(Site { at: place, result: Err(refusal) }),
                    Err(None) => {}
                },
            }
        }
        sites
    }

    /// The refusal for an install that stands on the source of another stage.
    fn in_other_stage(&self, at: usize) -> Option<Refusal> {
        let refusal = rising::in_other_stage(&self.below)?;
        let waits = match self.installs(at) {
            Ok(installs) => installs.first().is_some_and(|install| !self.is_prepared(install, at)),
            Err(_) => !self.is_filled(at),
        };
        waits.then_some(refusal)
    }

    /// Whether the same manager has filled a folder of the project above every source already: `cargo chef cook`.
    fn is_filled(&self, at: usize) -> bool {
        let failed = |command: &&CommandPrint| matches!(command.dependencies, Some(Err(_)));
        let id = |command: &CommandPrint| command.ecosystem.map(|ecosystem| ecosystem.id());
        let Some(own) = self.order.print(at).and_then(|step| step.commands.iter().find(failed)).map(id) else { return false };
        let fills = |command: &CommandPrint| {
            let dependencies = command.dependencies.as_ref().and_then(|own| own.as_ref().ok()).and_then(Option::as_ref);
            id(command) == own
                && is_install(command)
                && dependencies.is_some_and(|own| own.part == Part::Whole && !own.makes.is_empty())
        };
        let above_source = |order: &Order<'_>, end: usize| {
            let end = order.source().map_or(end, |source| source.min(end));
            (0..end).any(|index| order.print(index).is_some_and(|step| step.commands.iter().any(fills)))
        };
        // A stage with the source ends the search.
        let first = self.below.iter().position(|order| order.source().is_some());
        let clear = first.map_or(self.below.len(), |first| first + 1);
        self.below.iter().take(clear).any(|order| above_source(order, order.steps.len()))
            || first.is_none() && above_source(self.order, at)
    }

    /// Whether a copy from the build context, or of what another stage made of it, stands above the step.
    fn is_below_source(&self, at: usize) -> bool {
        self.copies_above(at).next().is_some() || self.built.iter().any(|copy| *copy < at)
    }

    /// The copies from the build context above a step.
    fn copies_above(&self, at: usize) -> impl Iterator<Item = usize> {
        let is_copy = |index: &usize| self.order.steps.get(*index).is_some_and(|step| is_context_copy(step.instruction));
        (0..at).filter(is_copy)
    }

    /// Whether a copy that brings more than single files stands above it: then an install is worth a word.
    fn is_below_folder(&self, at: usize) -> bool {
        self.copies_above(at).any(|index| self.order.print(index).is_some_and(brings_folder))
    }

    /// The installs of a RUN that read the project. An error where a manager says why it can't do with its manifests.
    fn installs(&self, at: usize) -> Result<Vec<Install<'_>>, Refusal> {
        let Some(step) = self.order.print(at) else { return Ok(Vec::new()) };
        let (mut installs, mut nothing) = (Vec::new(), None);
        for (command, print) in step.commands.iter().enumerate() {
            match &print.dependencies {
                Some(Ok(Some(dependencies))) if reads_project(dependencies) && is_install(print) => {
                    installs.push(Install { at, command, print, dependencies });
                }
                // Another command of the RUN may install some.
                Some(Err(entangled @ Entangled::NoDependencies { .. })) if is_install(print) => {
                    nothing = nothing.or_else(|| Some((print.ecosystem.map_or("", |ecosystem| ecosystem.id()), entangled)));
                }
                Some(Err(Entangled::NoDependencies { .. })) => {}
                Some(Err(entangled)) if installs.is_empty() => {
                    let id = print.ecosystem.map_or("", |ecosystem| ecosystem.id());
                    return Err(self.entangled(at, id, entangled));
                }
                _ => {}
            }
        }
        match nothing.filter(|_| installs.is_empty()) {
            Some((id, entangled)) => Err(self.entangled(at, id, entangled)),
            None => Ok(installs),
        }
    }

    /// The refusal for a step that would go along and fetches what changes behind its name.
    fn mutable(&self, movement: &Movement<'_, '_>) -> Option<Refusal> {
        let (index, what) = movement.mutable()?;
        let step = self.order.steps.get(index)?;
        let why =
            format!("it would have to go along, and {what} changes behind its name: above the source it would stay as it is");
        Some(Refusal::InTheWay { line: step.instruction.lines.0, step: rising::shown(step), why })
    }

    /// The refusal for a first half that changes a file which no later copy puts back.
    fn spoiled(&self, installs: &[Install<'_>], movement: &Movement<'_, '_>) -> Option<Refusal> {
        let laid_again = |file: &&String| movement.rise().needs.iter().any(|need| need.to == **file);
        let file = installs.iter().flat_map(|install| &install.dependencies.spoils).find(|file| !laid_again(file))?;
        let why = format!("a first half would change {file}, which comes with a copy of its own, so that none puts it back");
        Some(Refusal::NotEditable { why })
    }

    /// The copies above a step of which it does not need everything, topmost first, each with whether it brings a folder.
    fn sources(&self, install: &Install<'_>, installs: &[Install<'_>]) -> Vec<(usize, bool)> {
        let needed = |to: &str| {
            let own = |own: &'_ Dependencies| {
                let bolder = own.bolder.iter().flat_map(|bolder| bolder.files.iter().chain(&bolder.folders));
                own.files.iter().chain(&own.folders).chain(bolder).any(|path| path == to)
            };
            installs.iter().any(|install| own(install.dependencies))
        };
        // Other commands of the RUN may read it.
        let own = self.order.print(install.at).map(|step| &step.print.footprint.reads);
        let reads_any =
            |copy: &ContextCopy| own.is_some_and(|own| own.anything.is_none() && copy.maps.iter().any(|map| own.holds(&map.to)));
        let half = install.dependencies.part != Part::Whole;
        let broad = |index: usize| {
            let step = self.order.print(index).filter(|step| step.from_context)?;
            let Some(copy) = &step.copy else { return Some((index, true)) };
            let folder = copy.maps.iter().any(|map| map.folder);
            // A folder with nothing in it but manifests is no source.
            let all_needed = |map: &Map| {
                let files = self.order.view.files_below(&map.from);
                let to = |file: &String| {
                    format!("{}/{}", map.to, file.strip_prefix(map.from.as_str()).unwrap_or(file).trim_start_matches('/'))
                };
                files.len() < MANY && files.iter().all(|file| needed(&to(file)))
            };
            // Single files are cut from each other by nobody; a copy of none that is needed sinks.
            let superfluous = match folder {
                true => copy.maps.iter().any(|map| !(needed(&map.to) || map.folder && all_needed(map))),
                false => {
                    !half
                        && !reads_any(copy)
                        && !copy.maps.iter().any(|map| needed(&map.to))
                        && !self.is_read_between(copy, index, install.at)
                }
            };
            superfluous.then_some((index, folder))
        };
        let built = |index: usize| {
            let step = self.order.print(index).filter(|_| self.built.contains(&index))?;
            (!step.print.footprint.writes.areas.iter().all(|area| needed(area.path()))).then_some((index, false))
        };
        (0..install.at).filter_map(|index| broad(index).or_else(|| built(index))).collect()
    }

    /// Whether a step between reads what a copy brings: then that copy has its place.
    fn is_read_between(&self, copy: &ContextCopy, index: usize, at: usize) -> bool {
        let reads = |step: &StepPrint| copy.maps.iter().any(|map| step.print.footprint.reads.holds(&map.to));
        (index + 1..at).any(|between| self.order.print(between).is_some_and(reads))
    }

    /// The fix that lets the installs of one RUN rise as far as they can, and the steps that it moves. `Err(None)`: there is nothing
    /// to do.
    fn fix(&self, installs: &[Install<'_>]) -> Result<(Fix, Vec<usize>), Option<Refusal>> {
        let Some(first) = installs.first() else { return Err(None) };
        let mut refusal = None;
        for (over, folder) in self.sources(first, installs) {
            match self.attempt(installs, over) {
                Ok(done) => return Ok(done),
                // A single file of settings is no source: nothing is said of it.
                Err(None) => return Err(None),
                Err(why) if folder => refusal = refusal.or(why),
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn attempt(&self, installs: &[Install<'_>], over: usize) -> Result<(Fix, Vec<usize>), Option<Refusal>> {
        if installs.first().is_some_and(|install| self.is_prepared(install, over)) {
            return Err(None);
        }
        if let Some(refusal) = installs.first().and_then(|install| self.hinders_half(install, over)) {
            return Err(Some(refusal));
        }
        let mut why = None;
        for riser in self.risers(installs) {
            let riser = match riser {
                Ok(riser) => riser,
                Err(refusal) => {
                    why = why.or(Some(refusal));
                    continue;
                }
            };
            let mut movement = Movement::over(self.dockerfile, self.order, over).with_frontend(self.frontend);
            match movement.add(&riser) {
                Ok(()) if movement.mutable().is_some() => why = why.or_else(|| self.mutable(&movement)),
                Ok(()) if self.spoiled(installs, &movement).is_some() => why = why.or_else(|| self.spoiled(installs, &movement)),
                Ok(()) => {
                    let moved = movement.steps().filter(|step| *step != riser.at).collect();
                    return Ok((self.worded(installs, &riser, &movement).map_err(Some)?, moved));
                }
                Err(way) => why = why.or(Some(rising::refusal(self.order, &way))),
            }
        }
        let uncut = || Refusal::NotEditable { why: "the RUN can't be cut where its source is first needed".to_owned() };
        Err(Some(why.unwrap_or_else(uncut)))
    }
}

/// Whether a copy brings more than single files, as far as can be told.
fn brings_folder(step: &StepPrint) -> bool {
    step.copy.as_ref().is_none_or(|copy| copy.maps.iter().any(|map| map.folder))
}

/// So many files are never all manifests.
const MANY: usize = 50;

/// Whether the command fetches packages: `bundle config` and `cargo clean` read the project, too, but are no reason to move.
fn is_install(command: &CommandPrint) -> bool {
    fetches(command.ecosystem, &command.ran)
}

fn fetches(owner: Option<&'static dyn Ecosystem>, ran: &Ran) -> bool {
    let activity = owner.and_then(|ecosystem| ecosystem.recognise(&ran.invocation));
    matches!(activity, Some(Activity::Install { .. }))
}

fn reads_project(dependencies: &Dependencies) -> bool {
    !dependencies.files.is_empty() || !dependencies.folders.is_empty()
}
