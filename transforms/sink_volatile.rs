//! # What it does
//! Moves ARG and ENV whose value is another with every build (commit, build date, build number, the project's version) below the
//! expensive steps that don't use them, together with the LABELs that carry them.
//!
//! # Why
//! Every ARG and ENV in force is part of the cache key of a RUN, whether the RUN names it or not. A commit above the installs makes
//! them run again in every build.
//!
//! # Example
//! Before:
//! ```dockerfile
//! FROM python:3.12-slim
//! ARG GIT_SHA
//! ENV GIT_SHA=$GIT_SHA
//! RUN apt-get update && apt-get install -y --no-install-recommends libpq5
//! CMD ["python"]
//! ```
//! After:
//! ```dockerfile
//! FROM python:3.12-slim
//! RUN apt-get update && apt-get install -y --no-install-recommends libpq5
//! ARG GIT_SHA
//! ENV GIT_SHA=$GIT_SHA
//! CMD ["python"]
//! ```
//!
//! # Safety
//! What carries such a value is told by its name, by the build argument that a compose file, CI workflow or script gives it, by the ENV
//! or LABEL that is made of it, and by the ARG of which an ENV is made. Of an ENV or ARG with several variables these alone sink.
//! Safe: the variable passes only instructions that don't name it and commands that are known to read no such variable (package
//! managers, and programs whose footprint is known). Unsafe where it passes an install of what the project names, since a script of a
//! package might read it. It stops above the first one that may use it: a build or a script. The
//! configuration of the image stays the same. Nothing is refused: where it can't sink below an expensive step, it stays.
//!
//! # References
//! The Dockerfile reference on ARG, "Impact on build caching". LABEL alone is no part of the key of later steps, so one without such a
//! variable stays where it is.

use super::rising::{self, Placed};
use crate::context::View;
use crate::ecosystems::Activity;
use crate::edit::{Applicability, Fix};
use crate::model::Step;
use crate::model::footprint::Fetch;
use crate::model::order::{Order, Print, mentioned};
use crate::model::volatile::{handed_to_volatile, is_volatile, may_set_up_tools};
use crate::pipeline::{Meta, Refusal, Scene, Transform};
use crate::syntax::{Dockerfile, Instruction, Keyword};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// See the module.
pub struct SinkVolatile;

/// Variables of one stage that sink together.
pub struct Site {
    at: usize,
    fix: Fix,
}

impl Transform for SinkVolatile {
    type Site = Site;
    const META: Meta = Meta {
        id: "sink-volatile",
        summary: "sets what changes with every build below the expensive steps",
        source: include_str!("sink_volatile.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        let named = scene.options.place.iter().flat_map(|place| &place.fresh_arguments).cloned();
        let carried = Carried { fresh: named.chain(scene.dockerfile.instructions().flat_map(handed_to_volatile)).collect() };
        if !scene.dockerfile.instructions().any(|instruction| !carried.sinking(instruction, &BTreeSet::new()).is_empty()) {
            return Vec::new();
        }
        let nothing = View::of_files([]);
        let view = scene.view.as_ref().unwrap_or(&nothing);
        let model = scene.model_with_named_workdirs();
        let stages = 0..model.stages.len();
        let sink = |stage: usize| {
            let order = Order::new(model, stage, view)?;
            Sinking::new(scene.dockerfile, &order, &carried).site()
        };
        stages.filter_map(sink).collect()
    }

    fn place(&self, site: &Site) -> usize {
        site.at
    }

    fn propose(&self, _scene: &Scene<'_>, site: &Site) -> Result<Fix, Refusal> {
        Ok(site.fix.clone())
    }
}

/// Which variables carry a value of the very build.
struct Carried {
    /// Build arguments that build files give another value with every build, or that become a variable or label which says so.
    fresh: BTreeSet<String>,
}

impl Carried {
    fn is_carried(&self, name: &str) -> bool {
        is_volatile(name) || self.fresh.contains(name) && !may_set_up_tools(name)
    }

    /// The variables of an ARG or ENV that carry such a value, by their indexes. `arguments` are the ARGs above it that do.
    fn sinking(&self, instruction: &Instruction, arguments: &BTreeSet<String>) -> Vec<usize> {
        let values = &instruction.arguments.values;
        let is_sinking = |pair: &[String]| match (&instruction.keyword, pair) {
            (Keyword::Arg, [value]) => self.is_carried(value.split('=').next().unwrap_or(value)),
            (Keyword::Env, [name, value]) if value.contains('$') => {
                let handed_on = mentioned(value).iter().any(|name| arguments.contains(name));
                is_volatile(name) || handed_on && !may_set_up_tools(name)
            }
            _ => false,
        };
        let each = match instruction.keyword {
            Keyword::Arg => 1,
            Keyword::Env => 2,
            _ => return Vec::new(),
        };
        values.chunks(each).enumerate().filter(|(_, pair)| is_sinking(pair)).map(|(index, _)| index).collect()
    }
}

/// What sinks: a step, or some of what it sets.
#[derive(Clone)]
struct Sinker {
    at: usize,
    /// The text of what stays in its place, and of what sinks.
    parts: Option<(String, String)>,
    print: Print,
}

/// The search for what can sink in one stage.
struct Sinking<'s, 'm> {
    dockerfile: &'s Dockerfile,
    order: &'s Order<'m>,
    carried: &'s Carried,
    /// All of what may sink, by the steps' indexes.
    sinkers: BTreeMap<usize, Sinker>,
    /// The names of all of it.
    names: BTreeSet<String>,
}

impl<'s, 'm> Sinking<'s, 'm> {
    fn new(dockerfile: &'s Dockerfile, order: &'s Order<'m>, carried: &'s Carried) -> Self {
        let mut sinking = Self { dockerfile, order, carried, sinkers: BTreeMap::new(), names: BTreeSet::new() };
        let mut arguments = BTreeSet::new();
        for (at, step) in order.steps.iter().enumerate() {
            let pairs = carried.sinking(step.instruction, &arguments);
            let Some(sinker) = (!pairs.is_empty()).then(|| sinking.sinker(at, step, &pairs)).flatten() else { continue };
            if step.instruction.keyword == Keyword::Arg {
                arguments.extend(sinker.print.sets().map(str::to_owned));
            }
            sinking.names.extend(sinker.print.sets().map(str::to_owned));
            sinking.sinkers.insert(at, sinker);
        }
        sinking
    }

    fn sinker(&self, at: usize, step: &Step<'_>, pairs: &[usize]) -> Option<Sinker> {
        let instruction = step.instruction;
        let each = if instruction.keyword == Keyword::Env { 2 } else { 1 };
        let ranges: Vec<Range<usize>> = instruction
            .arguments
            .ranges
            .chunks(each)
            .filter_map(|pair| Some(instruction.logical.range(pair.first()?.start..pair.last()?.end)))
            .collect();
        let print = Print::of_pairs(step, pairs);
        if pairs.len() == ranges.len() {
            return Some(Sinker { at, parts: None, print });
        }
        // A comment between could belong to either.
        let text = |range: &Range<usize>| self.dockerfile.slice(range.clone());
        let simple = instruction.inner_comments.is_empty() && ranges.len() * each == instruction.arguments.values.len();
        let sunk: Vec<&str> = pairs.iter().filter_map(|pair| ranges.get(*pair)).map(text).collect();
        if !simple || sunk.iter().any(|pair| pair.contains(['\n', '\r'])) {
            return None;
        }
        let mut kept = String::new();
        let mut from = instruction.span.start;
        for (pair, range) in ranges.iter().enumerate() {
            let staying = !pairs.contains(&pair);
            // What parts it from the one before goes with it; the first that stays stands where the first stood.
            match (staying, kept.is_empty()) {
                (true, true) => {
                    let first = ranges.first()?.start;
                    kept = format!("{}{}", self.dockerfile.slice(instruction.span.start..first), text(range));
                }
                (true, false) => kept.push_str(self.dockerfile.slice(from..range.end)),
                (false, _) => {}
            }
            from = range.end;
        }
        let word = self.dockerfile.slice(instruction.span.start..instruction.span.start + instruction.word.len());
        Some(Sinker { at, parts: Some((kept, format!("{word} {}", sunk.join(" ")))), print })
    }

    /// What stays of a step in its place.
    fn staying(&self, index: usize) -> Option<Print> {
        let step = self.order.steps.get(index)?;
        match self.sinkers.get(&index) {
            Some(sinker) => {
                let gone: BTreeSet<&str> = sinker.print.sets().collect();
                let each = if step.instruction.keyword == Keyword::Env { 2 } else { 1 };
                let names = step.instruction.arguments.values.chunks(each).enumerate();
                let stays = |(_, pair): &(usize, &[String])| {
                    !pair.first().is_some_and(|name| gone.contains(name.split('=').next().unwrap_or(name)))
                };
                Some(Print::of_pairs(step, &names.filter(stays).map(|(index, _)| index).collect::<Vec<_>>()))
            }
            None => Some(self.order.print(index)?.print.clone()),
        }
    }

    fn clash(&self, one: &Print, behind: &Print) -> bool {
        let carried = |name: &str| self.carried.is_carried(name) || self.names.contains(name) && !may_set_up_tools(name);
        one.settings_clash_carrying(behind, &carried).is_some()
    }

    /// The first group of the stage that can sink below an expensive step.
    fn site(&self) -> Option<Site> {
        self.sinkers.values().find_map(|first| self.site_from(first))
    }

    fn site_from(&self, first: &Sinker) -> Option<Site> {
        let mut group = vec![first.clone()];
        let mut passed: Vec<(usize, Print)> = Vec::new();
        let mut end = None;
        for index in first.at + 1..self.order.steps.len() {
            let step = self.order.steps.get(index)?;
            let commutes = |print: &Print| passed.iter().all(|(_, other)| !self.clash(other, print));
            let along = self.sinkers.get(&index).filter(|sinker| commutes(&sinker.print));
            let staying = if along.is_some() { self.staying(index)? } else { self.order.print(index)?.print.clone() };
            let clashes = group.iter().any(|own| self.clash(&own.print, &staying));
            let label = clashes && step.instruction.keyword == Keyword::Label && commutes(&staying);
            match along {
                Some(sinker) if sinker.parts.is_none() => group.push(sinker.clone()),
                Some(sinker) if !clashes => {
                    group.push(sinker.clone());
                    passed.push((index, staying));
                }
                _ if label && self.labels_commute(&passed, index) => {
                    group.push(Sinker { at: index, parts: None, print: staying });
                }
                _ if clashes || refreshes(self.order, index) => break,
                _ => {
                    passed.push((index, staying));
                    if is_expensive(self.order, index) {
                        end = Some((group.clone(), passed.iter().map(|(index, _)| *index).collect::<Vec<_>>()));
                    }
                }
            }
        }
        let (group, passed) = end?;
        self.worded(first, &group, &passed)
    }

    /// Whether a LABEL sets no key that one of the others sets.
    fn labels_commute(&self, others: &[(usize, Print)], index: usize) -> bool {
        let labels = |index: usize| {
            let instruction =
                self.order.steps.get(index).map(|step| step.instruction).filter(|one| one.keyword == Keyword::Label);
            let values = instruction.map_or(&[][..], |label| &label.arguments.values);
            values.chunks(2).filter_map(|pair| pair.first()).collect::<Vec<_>>()
        };
        let own = labels(index);
        !others.iter().any(|(other, _)| labels(*other).iter().any(|key| own.contains(key)))
    }

    fn worded(&self, first: &Sinker, group: &[Sinker], passed: &[usize]) -> Option<Site> {
        let mut listed: Vec<&str> = group.iter().flat_map(|sinker| sinker.print.sets()).collect();
        listed.sort_unstable();
        listed.dedup();
        let line = self.order.steps.get(*passed.last()?)?.instruction.lines.0;
        let of_project = passed.iter().find(|index| installs_project(self.order, **index)).and_then(|index| {
            let line = self.order.steps.get(*index)?.instruction.lines.0;
            Some(format!("a script of a package may read it during the install on line {line}"))
        });
        let kept = |index: usize| {
            let cut = group.iter().find(|sinker| sinker.at == index).and_then(|sinker| sinker.parts.as_ref());
            cut.map_or(Placed::Whole(index), |(kept, _)| Placed::Changed(index, kept.clone()))
        };
        let sunk = |sinker: &Sinker| match &sinker.parts {
            Some((_, sunk)) => Placed::New(sunk.clone()),
            None => Placed::Whole(sinker.at),
        };
        let head = first.parts.is_some().then_some(first.at);
        let new: Vec<Placed> = head.into_iter().chain(passed.iter().copied()).map(kept).chain(group.iter().map(sunk)).collect();
        let fix = Fix {
            title: format!(
                "set {} below the steps that don't use {} (down to line {line})",
                listed.join(", "),
                if listed.len() == 1 { "it" } else { "them" }
            ),
            edits: vec![rising::rearranged(self.dockerfile, self.order.steps, &new)?],
            applicability: if of_project.is_some() { Applicability::Unsafe } else { Applicability::Safe },
            notes: of_project.into_iter().collect(),
            removes_comments: Vec::new(),
            moves: true,
            ignores: Vec::new(),
        };
        Some(Site { at: self.order.steps.get(first.at)?.instruction.span.start, fix })
    }
}

/// Whether a step fetches what changes behind its name: the variable may be what makes it do so again.
fn refreshes(order: &Order<'_>, index: usize) -> bool {
    order.print(index).is_some_and(|step| matches!(step.print.footprint.fetches, Fetch::Mutable(_)))
}

/// Whether it installs what the project names, and may run scripts of those packages.
fn installs_project(order: &Order<'_>, index: usize) -> bool {
    order.print(index).is_some_and(|step| {
        step.commands.iter().any(
            |command| matches!(&command.dependencies, Some(Ok(Some(own))) if !own.files.is_empty() || !own.folders.is_empty()),
        )
    })
}

/// Whether it installs or downloads something.
fn is_expensive(order: &Order<'_>, index: usize) -> bool {
    let Some(step) = order.print(index) else { return false };
    step.commands.iter().any(|command| {
        let activity = command.ecosystem.and_then(|ecosystem| ecosystem.recognise(&command.ran.invocation));
        matches!(activity, Some(Activity::Install { .. } | Activity::RefreshIndex)) || command.footprint.fetches != Fetch::Nothing
    })
}
