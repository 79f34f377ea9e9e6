//! The ways in which an install can go above the source: as it is, as the first part of its RUN, or by a command that does its first
//! half.
//!
//! Owns: the texts and prints of what is to rise, and whether the author has done it already. Never does: choose between the ways.

use super::{Install, Stage, is_install, rising};
use crate::ecosystems::{CommandChange, Dependencies, Entangled, Found, Part, Project};
use crate::model::mount_option;
use crate::model::order::{CommandPrint, Order, Print, StepPrint};
use crate::model::paths::is_within;
use crate::pipeline::Refusal;
use crate::shell::Cut;
use rising::{Cuttable, Riser, RiserPart};

/// The names of a mount's target.
const TARGETS: &[&str] = &["target", "dst", "destination"];

/// A command that goes above the source while another stays below it.
struct Half {
    command: String,
    rest: Vec<CommandChange>,
    dependencies: Dependencies,
}

impl Stage<'_, '_> {
    /// Whether the dependencies of a command that also builds are installed above the copy already, by the author or by us.
    pub(super) fn is_prepared(&self, install: &Install<'_>, over: usize) -> bool {
        let Part::FirstHalf { command: half, .. } = &install.dependencies.part else { return false };
        let bolder = install.dependencies.bolder.as_ref().map(|bolder| bolder.command.as_str());
        let id = install.print.ecosystem.map(|ecosystem| ecosystem.id());
        let makes = install.dependencies.bolder.as_ref().map_or(&[][..], |bolder| &bolder.makes);
        let alike = |own: &Dependencies| {
            let files = own.files.iter().any(|file| install.dependencies.files.contains(file));
            // A build above the copy has fetched it all, too.
            files || own.part == Part::Whole && own.makes.iter().any(|folder| makes.contains(folder))
        };
        // Our own half, read again: the stubs are gone, so that its command can't be judged any more.
        let verb = |command: &CommandPrint| command.ran.invocation.argument(0).to_owned();
        let unclear = |command: &CommandPrint| {
            matches!(command.dependencies, Some(Err(_))) && is_install(command) && verb(command) == verb(install.print)
        };
        let prepares = |step: &StepPrint| {
            let mut own = step.commands.iter().filter(|command| command.ecosystem.map(|ecosystem| ecosystem.id()) == id);
            own.any(|command| {
                unclear(command)
                    || is_install(command) && matches!(&command.dependencies, Some(Ok(Some(dependencies))) if alike(dependencies))
            })
        };
        // Lines of ours may be broken, so that only the words tell.
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let halves: Vec<String> = [Some(half.as_str()), bolder].into_iter().flatten().map(folded).collect();
        let same_text = |order: &Order<'_>, index: usize| {
            let run = order.steps.get(index).and_then(|step| step.run.as_ref());
            run.is_some_and(|run| halves.iter().any(|half| folded(run.text()).contains(half)))
        };
        let does = |order: &Order<'_>, index: usize| order.print(index).is_some_and(prepares) || same_text(order, index);
        self.below.iter().any(|order| (0..order.steps.len()).any(|index| does(order, index)))
            || (0..over).any(|index| does(self.order, index))
    }

    /// Ways to let the installs rise, the one that moves most first.
    pub(super) fn risers(&self, installs: &[Install<'_>]) -> Vec<Result<Riser, Refusal>> {
        let (Some(first), Some(last)) = (installs.first(), installs.last()) else { return Vec::new() };
        let Some(step) = self.order.print(first.at) else { return Vec::new() };
        if let Some(half) = self.half_of(first) {
            return self.first_halves(first, step, &half);
        }
        let whole = Riser { at: first.at, part: RiserPart::Whole, print: step.print.clone(), doubt: None };
        let mut risers = vec![Ok(whole)];
        risers.extend(self.prefixes(first.at, step, first.command.min(last.command)));
        risers
    }

    /// The RUN cut behind as many commands as can be, those with the install among them.
    fn prefixes(&self, at: usize, step: &StepPrint, install: usize) -> Vec<Result<Riser, Refusal>> {
        let Some(cuttable) = self.order.steps.get(at).and_then(|own| Cuttable::of(self.dockerfile, own)) else {
            return Vec::new();
        };
        let start = |command: &CommandPrint| command.ran.invocation.span.start;
        let Some(install) = step.commands.get(install).map(start) else { return Vec::new() };
        let cuts = cuttable.cuts().into_iter().rev().take_while(|cut| cut.end > install);
        cuts.map(|cut| {
            let part = cuttable.cut(cut).map_err(|why| Refusal::NotEditable { why })?;
            let print = self.print_before(at, step, cut.end, None);
            Ok(Riser { at, part: RiserPart::Halves(part), print, doubt: self.keeps_removed(at, step, cut.start) })
        })
        .collect()
    }

    /// What a command behind a cut takes off again, which then stays in a layer below.
    fn keeps_removed(&self, at: usize, step: &StepPrint, cut: usize) -> Option<String> {
        let behind = step.commands.iter().filter(|command| command.ran.invocation.span.start >= cut);
        let remover = behind.filter(|_| self.shipped).find(|command| command.removes_packages() || command.changes_all())?;
        let text = self.order.steps.get(at)?.run.as_ref()?.text().get(remover.ran.invocation.span.clone())?;
        let shown = text.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        Some(format!("`{shown} …` now runs in a layer of its own, on top of what was installed, which makes the image larger"))
    }

    /// What the commands of a RUN before an offset touch, and `more`.
    fn print_before(&self, at: usize, step: &StepPrint, offset: usize, more: Option<&CommandPrint>) -> Print {
        let Some(own) = self.order.steps.get(at) else { return Print::default() };
        let before = step.commands.iter().filter(|command| command.ran.invocation.span.start < offset);
        StepPrint::of_commands(own, before.chain(more), self.order.view)
    }

    /// What hinders a first half above the copy `over`, in words.
    pub(super) fn hinders_half(&self, install: &Install<'_>, over: usize) -> Option<Refusal> {
        let Part::FirstHalf { only_fetches, .. } = install.dependencies.part else { return None };
        let laid = self.order.laid_before(over);
        let manifests: Vec<&str> = install.dependencies.files.iter().filter_map(|file| Some(file.rsplit_once('/')?.0)).collect();
        let taken = |stub: &&String| {
            let folder = stub.rsplit_once('/').map_or("", |(folder, _)| folder);
            laid.look(stub) == Found::File || !manifests.contains(&folder) && laid.look(folder) == Found::Folder
        };
        if let Some(stub) = install.dependencies.stubs.iter().find(taken) {
            let why = format!("a stub in the place of {stub} would take away what an earlier step put there");
            return Some(Refusal::NotEditable { why });
        }
        let step = self.order.steps.get(install.at)?;
        let mounts = step.instruction.flags_named("mount");
        let caches = mounts.filter(|mount| mount_option(mount.value(), "type") == Some("cache"));
        let targets: Vec<Option<String>> = caches
            .map(|mount| step.state.absolute(TARGETS.iter().find_map(|name| mount_option(mount.value(), name))?).into_known())
            .collect();
        let no_gain = |why: &str| Some(Refusal::NoGain { why: why.to_owned() });
        match install.dependencies.bolder.as_ref().filter(|_| self.bold) {
            Some(bolder) => {
                let kept = |folder: &String| targets.iter().flatten().any(|target| is_within(folder, target));
                let all_kept = !bolder.makes.is_empty() && bolder.makes.iter().all(kept);
                if all_kept { no_gain("the cache mounts of this RUN keep what it would build already") } else { None }
            }
            None if only_fetches && !targets.is_empty() => {
                no_gain("it would only fetch, and the cache mounts of this RUN keep what is fetched already")
            }
            None => None,
        }
    }

    /// The dependencies-only half of a command that also needs the source; the bolder one where doubts are accepted.
    fn half_of(&self, install: &Install<'_>) -> Option<Half> {
        let Part::FirstHalf { command, rest, .. } = &install.dependencies.part else { return None };
        let mut half = Half { command: command.clone(), rest: rest.clone(), dependencies: install.dependencies.clone() };
        if let Some(bolder) = install.dependencies.bolder.as_ref().filter(|_| self.bold) {
            half.command.clone_from(&bolder.command);
            half.rest.clear();
            half.dependencies.makes.extend(bolder.makes.iter().cloned());
            let covered = |file: &&String| !bolder.folders.iter().any(|folder| file.starts_with(&format!("{folder}/")));
            half.dependencies.files = half.dependencies.files.iter().filter(covered).chain(&bolder.files).cloned().collect();
            half.dependencies.folders.extend(bolder.folders.iter().cloned());
        }
        Some(half)
    }

    /// A RUN of its own for the dependencies, in front of the source; with the commands before it if it can't do without.
    fn first_halves(&self, install: &Install<'_>, step: &StepPrint, half: &Half) -> Vec<Result<Riser, Refusal>> {
        let at = install.at;
        let not_editable = |why: &str| vec![Err(Refusal::NotEditable { why: why.to_owned() })];
        let Some(cuttable) = self.order.steps.get(at).and_then(|own| Cuttable::of(self.dockerfile, own)) else {
            return not_editable("the RUN is not written in a form that can be cut");
        };
        if install.print.ran.conditional {
            return not_editable("the command may not run, or runs more than once");
        }
        let invocation = &install.print.ran.invocation;
        let Some(edits) = cuttable.edits(invocation, &half.rest) else {
            return not_editable("a change of the command that stays has no exact place in the text");
        };
        let span = invocation.span.clone();
        let print = self.order.half(at, install.print, &half.dependencies);
        let alone = self.print_before(at, step, 0, print.as_ref());
        let first = |command: &&CommandPrint| command.ran.invocation.span.start < span.start;
        // A build of the project in the same RUN is taken to make nothing that its dependencies need, where a doubt is told anyway.
        let builds = |command: &CommandPrint| matches!(command.dependencies, Some(Err(Entangled::NoDependencies { .. })));
        let untold = |command: &&CommandPrint| !(half.dependencies.doubt.is_some() && builds(command));
        // What only removes build output stays with the command: it needs the sources, and finds nothing of a half that only fetches.
        let makes = &half.dependencies.makes;
        let stays = |command: &CommandPrint| {
            command.removes_output().is_some_and(|folders| !folders.iter().any(|folder| makes.contains(folder)))
        };
        let any_stays = step.commands.iter().filter(first).any(stays);
        let others = step.commands.iter().filter(first).filter(untold).filter(|command| !stays(command));
        let before = self.order.steps.get(at).map(|own| StepPrint::of_commands(own, others, self.order.view)).unwrap_or_default();
        let cut = cuttable.cuts().into_iter().rfind(|cut| cut.start <= span.start).filter(|_| !any_stays);
        let mut ways = Vec::new();
        if before.footprint.clash(&alone.footprint).is_none() {
            ways.push((None, alone));
        }
        if let Some(cut) = cut {
            ways.push((Some(cut), self.print_before(at, step, cut.end, print.as_ref())));
        }
        if ways.is_empty() {
            return not_editable("commands before it in the same RUN make what it needs");
        }
        let riser = |(cut, print): (Option<Cut>, Print)| {
            let doubt = cut.as_ref().and_then(|cut| self.keeps_removed(at, step, cut.start));
            let part = cuttable.prepared(&half.command, span.start, cut, &edits).map_err(|why| Refusal::NotEditable { why })?;
            Ok(Riser { at, part: RiserPart::Halves(part), print, doubt })
        };
        ways.into_iter().map(riser).collect()
    }
}
