//! # What it does
//! Moves setup steps above the copy of the source: system packages and tools, users and groups, folders, downloads of a fixed version,
//! and setup scripts of the project, which are copied first on their own. Steps keep their comments and their order among themselves.
//!
//! # Why
//! BuildKit runs a step again when anything above it changed. Setup below the source is done again with every edit, although it uses
//! nothing of the source.
//!
//! # Example
//! Before:
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY . .
//! RUN apt-get update && apt-get install -y --no-install-recommends libpq5
//! CMD ["python", "main.py"]
//! ```
//! After:
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! RUN apt-get update && apt-get install -y --no-install-recommends libpq5
//! COPY . .
//! CMD ["python", "main.py"]
//! ```
//!
//! # Safety
//! Safe when everything that a step reads and writes is known, nothing of it comes with the source (a setup script that is copied
//! first, and what it sources, aside), and every step that it passes commutes with it. Refused where a step between sets what it
//! hangs on, where the copy lays files among those of packages (`COPY rootfs /`), and where what is fetched changes behind its name
//! (`apt-get upgrade`, a branch, `latest`): that would now stay as it was until something else changes. A RUN that goes on with the
//! source is cut behind its setup, unless it takes away later what was installed. Never Unsafe.
//!
//! # References
//! Docker's guide "Optimize cache usage in builds": order your layers.

use super::rising::{self, Cuttable, Movement, Riser, RiserPart};
use crate::ecosystems::Activity;
use crate::edit::{Applicability, Fix};
use crate::model::footprint::{Area, Fetch, Footprint};
use crate::model::order::{CommandPrint, Order, StepPrint};
use crate::model::paths::is_within;
use crate::pipeline::{Meta, Refusal, Scene, Transform};
use crate::syntax::{Dockerfile, Keyword};

/// See the module.
pub struct HoistSetup;

/// Setup below one copy of the source, and what became of it.
pub struct Site {
    at: usize,
    result: Result<Fix, Refusal>,
}

impl Transform for HoistSetup {
    type Site = Site;
    const META: Meta = Meta {
        id: "hoist-setup",
        summary: "runs setup steps that need no source before the source is copied",
        source: include_str!("hoist_setup.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        let Some(view) = &scene.view else { return Vec::new() };
        if !rising::has_copy_above_run(scene.dockerfile) {
            return Vec::new();
        }
        let model = scene.model_with_named_workdirs();
        let orders: Vec<Order<'_>> = (0..model.stages.len()).filter_map(|stage| Order::new(model, stage, view)).collect();
        let stage = |(index, order)| {
            let chain = model.chain(index).into_iter().filter(|link| *link != index);
            Stage { dockerfile: scene.dockerfile, order, below: chain.filter_map(|link| orders.get(link)).collect() }
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

struct Stage<'s, 'm> {
    dockerfile: &'s Dockerfile,
    order: &'s Order<'m>,
    /// The stages that it is built on.
    below: Vec<&'s Order<'m>>,
}

impl<'s, 'm> Stage<'s, 'm> {
    /// The topmost copy that something can rise above makes a fix; what can't rise above any copy of a folder is refused.
    fn sites(&self) -> Vec<Site> {
        let copies: Vec<usize> = (0..self.order.steps.len()).filter(|index| self.is_source(*index)).collect();
        let mut refused: Vec<(usize, Refusal)> = Vec::new();
        for over in copies {
            let mut movement = Movement::over(self.dockerfile, self.order, over);
            for at in over + 1..self.order.steps.len() {
                let broad = self.is_broad(over);
                let Some(step) = self.order.print(at) else { continue };
                // Above a single file only what costs something is worth a change.
                if is_setup(&step.print.footprint, &step.commands) && (broad || installs(&step.commands)) {
                    let riser = Riser { at, part: RiserPart::Whole, print: step.print.clone(), doubt: None };
                    match self.rise(&mut movement, &riser, &step.commands) {
                        Err(Some(refusal)) if broad && installs(&step.commands) && !refused.iter().any(|(own, _)| *own == at) => {
                            refused.push((at, refusal))
                        }
                        _ => {}
                    }
                } else if broad
                    && !self.rise_in_part(&mut movement, at, step)
                    && !refused.iter().any(|(own, _)| *own == at)
                    && let Some(refusal) = self.entangled(over, step)
                {
                    refused.push((at, refusal));
                }
            }
            if movement.steps().next().is_some() {
                let moved: Vec<usize> = movement.steps().collect();
                refused.retain(|(at, _)| !moved.contains(at));
                let fixed = movement.edits().map(|edits| self.worded(&movement, edits));
                return self.with_refusals(over, fixed, refused);
            }
        }
        refused.extend(self.in_other_stage());
        self.refusals(refused)
    }

    /// System packages that need nothing of the source, in a stage on one that copies it.
    fn in_other_stage(&self) -> Option<(usize, Refusal)> {
        let end = self.order.source().unwrap_or(self.order.steps.len());
        let unknown = |command: &CommandPrint| matches!(command.dependencies, Some(Ok(None)));
        let installs_system = |step: &StepPrint| {
            let mut commands = step.commands.iter();
            commands.clone().all(|command| unknown(command) || !reads_project(command))
                && commands.any(|command| weight(command) > 2)
        };
        let waits = |at: &usize| self.order.print(*at).is_some_and(installs_system);
        Some(((0..end).find(waits)?, rising::in_other_stage(&self.below)?))
    }

    /// Why a RUN that also installs system packages is no setup.
    fn entangled(&self, over: usize, step: &StepPrint) -> Option<Refusal> {
        if step.commands.iter().any(reads_project) {
            return None;
        }
        let footprint = &step.print.footprint;
        let why = footprint.reads.anything.as_ref().or(footprint.writes.anything.as_ref())?;
        if !step.commands.iter().any(|command| weight(command) > 2) {
            return None;
        }
        if let Fetch::Mutable(what) = &footprint.fetches {
            return Some(changes_behind_its_name(what));
        }
        let copy = self.order.steps.get(over)?;
        let advice = if step.commands.iter().any(CommandPrint::removes_packages) {
            "what is installed is taken off again in the same RUN, which can't be cut in two"
        } else if step.commands.iter().any(takes_away) {
            "the installation with its cleanup, in a RUN of its own, could"
        } else {
            "the installation alone, in a RUN of its own, could"
        };
        let why = format!("{why}; {advice}");
        Some(Refusal::InTheWay { line: copy.instruction.lines.0, step: rising::shown(copy), why })
    }

    fn with_refusals(&self, over: usize, fixed: Result<Fix, Refusal>, refused: Vec<(usize, Refusal)>) -> Vec<Site> {
        let mut sites = vec![Site { at: self.start(over), result: fixed }];
        sites.extend(self.refusals(refused));
        sites
    }

    fn refusals(&self, refused: Vec<(usize, Refusal)>) -> Vec<Site> {
        refused.into_iter().map(|(at, refusal)| Site { at: self.start(at), result: Err(refusal) }).collect()
    }

    fn start(&self, index: usize) -> usize {
        self.order.steps.get(index).map_or(0, |step| step.instruction.span.start)
    }

    /// A copy from the context.
    fn is_source(&self, index: usize) -> bool {
        self.order.print(index).is_some_and(|step| step.from_context)
    }

    /// A copy that brings more than single files.
    fn is_broad(&self, index: usize) -> bool {
        let copy = self.order.print(index).map(|step| step.copy.as_ref());
        copy.is_some_and(|copy| copy.is_none_or(|copy| copy.maps.iter().any(|map| map.folder)))
    }

    /// Lets a step rise with the others. `Err(None)`: it is no setup as far as this copy goes.
    fn rise(&self, movement: &mut Movement<'s, 'm>, riser: &Riser, commands: &[CommandPrint]) -> Result<(), Option<Refusal>> {
        if let Fetch::Mutable(what) = &riser.print.footprint.fetches {
            return Err(Some(changes_behind_its_name(what)));
        }
        if self.makes_project_files(movement, commands) {
            return Err(None);
        }
        let needs = movement.needs_of(riser).map_err(|way| Some(rising::refusal(self.order, &way)))?;
        let is_script = |needed: &String| commands.iter().any(|command| command.scripts.contains(needed));
        // Above a copy of single files it would only get those copied once more.
        if !needs.iter().all(is_script) || !needs.is_empty() && !self.is_broad(movement.copy()) {
            return Err(None);
        }
        movement.add(riser).map_err(|way| Some(rising::refusal(self.order, &way)))
    }

    /// Lets the first commands of a RUN rise that are setup, where the others go on with the source and take nothing of it away again.
    fn rise_in_part(&self, movement: &mut Movement<'s, 'm>, at: usize, step: &StepPrint) -> bool {
        let Some(own) = self.order.steps.get(at) else { return false };
        let Some(cuttable) = Cuttable::of(self.dockerfile, own) else { return false };
        for cut in cuttable.cuts().into_iter().rev() {
            let count = step.commands.iter().take_while(|command| command.ran.invocation.span.start < cut.end).count();
            let (first, rest) = step.commands.split_at(count);
            let print = StepPrint::of_commands(own, first.iter(), self.order.view);
            let ends_in_setting = first.last().is_some_and(|last| is_setting(&last.ran.invocation.program));
            if ends_in_setting || !is_setup(&print.footprint, first) || !brings(first) || rest.iter().any(takes_away) {
                continue;
            }
            // An install from manifests has its own way above the source, with all that stands in front of it.
            let on_manifests = |command: &CommandPrint| matches!(command.dependencies, Some(Ok(_))) && reads_project(command);
            if rest.iter().any(on_manifests) {
                continue;
            }
            // An index from a cached layer would be too old for what is installed below.
            if brings(rest) && rest.iter().any(needs_index) {
                continue;
            }
            let Ok(halves) = cuttable.cut(cut) else { continue };
            let riser = Riser { at, part: RiserPart::Halves(halves), print, doubt: None };
            if self.rise(movement, &riser, first).is_ok() {
                return true;
            }
        }
        false
    }

    /// Whether it writes files among those of the source: then it works on the project, and is no setup.
    fn makes_project_files(&self, movement: &Movement<'_, '_>, commands: &[CommandPrint]) -> bool {
        let Some(copy) = self.order.print(movement.copy()).and_then(|step| step.copy.as_ref()) else { return false };
        // In `/` everything would be; there the project's files don't lie together.
        let inside = |path: &str| copy.maps.iter().any(|map| map.folder && map.to != "/" && is_within(path, &map.to));
        let others = commands.iter().filter(|command| command.ran.invocation.program != "mkdir");
        others.flat_map(|command| &command.footprint.writes.areas).any(|area| inside(area.path()))
    }

    fn worded(&self, movement: &Movement<'_, '_>, edits: Vec<crate::edit::Edit>) -> Fix {
        let names: Vec<String> = movement.steps().filter_map(|index| self.name(index)).collect();
        let title = match movement.copied().as_slice() {
            [] => format!("run {} before the source is copied", listed(&names)),
            scripts => format!("copy {} first and run {} before the source is copied", scripts.join(", "), listed(&names)),
        };
        Fix {
            title,
            edits,
            applicability: Applicability::Safe,
            notes: movement.unpinned().into_iter().chain(movement.given()).collect(),
            removes_comments: Vec::new(),
            moves: true,
            ignores: Vec::new(),
        }
    }

    /// A RUN that is setup, in a few words.
    fn name(&self, index: usize) -> Option<String> {
        let step = self.order.steps.get(index).filter(|step| step.instruction.keyword == Keyword::Run)?;
        let print = self.order.print(index)?;
        let find = |wanted: &dyn Fn(&CommandPrint) -> bool| print.commands.iter().find(|command| wanted(command));
        let main = find(&|command| weight(command) == 3)
            .or_else(|| find(&|command| !command.scripts.is_empty()))
            .or_else(|| find(&|command| weight(command) > 1 && activity(command) != Some(Activity::RefreshIndex)))
            .or_else(|| find(&|command| weight(command) > 0))?;
        let text = step.run.as_ref()?.text().get(main.ran.invocation.span.clone())?;
        let mut shown = String::new();
        for word in text.split_whitespace().filter(|word| *word != "\\") {
            if shown.len() + word.len() > SHOWN && !shown.is_empty() {
                shown.push_str(" …");
                break;
            }
            let blank = if shown.is_empty() { "" } else { " " };
            shown.extend([blank, word]);
        }
        Some(format!("`{shown}`"))
    }
}

/// The refusal for what is fetched anew with each edit, and should be.
fn changes_behind_its_name(what: &str) -> Refusal {
    let what = match what.strip_suffix(", which names no version") {
        Some(bare) => format!("{bare} names no version and changes behind its name"),
        None => format!("{what} changes behind its name"),
    };
    let why = format!("{what}: above the source it would stay as it is until something else changes");
    Refusal::NoGain { why }
}

/// Of a command no more bytes are shown.
const SHOWN: usize = 80;

/// Whether commands set the image up, and everything that they touch is known.
fn is_setup(footprint: &Footprint, commands: &[CommandPrint]) -> bool {
    let known = footprint.reads.anything.is_none() && footprint.writes.anything.is_none();
    known && commands.iter().any(|command| weight(command) > 0) && !commands.iter().any(reads_project)
}

/// Whether commands install or download, and do not only refresh an index.
fn brings(commands: &[CommandPrint]) -> bool {
    commands.iter().any(|command| weight(command) > 1 && activity(command) != Some(Activity::RefreshIndex))
}

fn needs_index(command: &CommandPrint) -> bool {
    activity(command) == Some(Activity::Install { needs_index: true })
}

fn activity(command: &CommandPrint) -> Option<Activity> {
    command.ecosystem.and_then(|ecosystem| ecosystem.recognise(&command.ran.invocation))
}

/// Whether a command only changes the shell that runs it.
fn is_setting(program: &str) -> bool {
    matches!(program, "cd" | "export" | "set" | "umask" | "pushd" | "popd" | "unset" | "shopt" | ":")
}

/// Whether a command removes what an install left, which would then stay in a layer below.
fn takes_away(command: &CommandPrint) -> bool {
    let writes = &command.footprint.writes;
    let removes = matches!(command.ran.invocation.program.as_str(), "rm" | "find" | "unlink")
        && (writes.system || writes.areas.iter().any(Area::reaches_system));
    removes || activity(command) == Some(Activity::Clean) || command.removes_packages() || command.changes_all()
}

fn reads_project(command: &CommandPrint) -> bool {
    match &command.dependencies {
        Some(Ok(Some(dependencies))) => !dependencies.files.is_empty() || !dependencies.folders.is_empty(),
        Some(_) => true,
        None => false,
    }
}

/// 3: it installs; 2: it downloads; 1: it sets up cheaply; 0: neither.
fn weight(command: &CommandPrint) -> u8 {
    let fetches = activity(command);
    match command.ran.invocation.program.as_str() {
        _ if matches!(fetches, Some(Activity::Install { .. })) => 3,
        _ if fetches == Some(Activity::RefreshIndex) || command.footprint.fetches != Fetch::Nothing => 2,
        "useradd" | "adduser" | "groupadd" | "addgroup" | "mkdir" => 1,
        _ => 0,
    }
}

/// Whether leaving the step where it is costs something worth a word.
fn installs(commands: &[CommandPrint]) -> bool {
    commands.iter().any(|command| weight(command) > 1)
}

/// `a`, `a and b`, `a, b and 2 more`.
fn listed(names: &[String]) -> String {
    match names {
        [] => "setup".to_owned(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [one, other, rest @ ..] => format!("{one}, {other} and {} more", rest.len()),
    }
}
