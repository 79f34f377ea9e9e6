//! Whether what a stage hands out is another after a change.
//!
//! Owns: following changed files through the copies of a stage to the paths that another stage takes. Never does: know what a RUN
//! makes: where one ran again, what comes out may or may not be the same. Manifests are the exception: a RUN that writes those of the
//! project (`npm install`: package-lock.json) does so by what is in the others, and leaves them alone where none has changed.

use super::forecast::{Cause, Change, Fate, Verdict};
use super::plan::{Plan, Step, Taken};
use crate::knowledge::Knowledge;
use crate::model::handed::is_manifest;
use crate::model::paths::{Relation, relation};

/// What becomes of the content that is taken, and why.
pub(super) fn of_taken(plan: &Plan, taken: &Taken, fates: &[Fate], change: &Change) -> Fate {
    let mut result = match plan.base_argument(taken.stage, change) {
        Some(name) => Fate::of(Verdict::MayRun, Cause::Base(name.to_owned())),
        None => Fate::CACHED,
    };
    let settled = hands_manifests(plan, taken) && !changes_manifests(plan, taken.stage, change);
    for (index, step) in plan.steps_of(taken.stage).filter(|(index, _)| *index < fates.len()) {
        if settled && step.kind == super::Kind::Run {
            continue;
        }
        let Some(fate) = fates.get(index).filter(|fate| fate.verdict != Verdict::Cached) else { continue };
        let verdict = of_step(step, fate, taken, change);
        if verdict > result.verdict {
            result = Fate::of(verdict, Cause::Content { stage: taken.stage, step: index });
        }
    }
    result
}

/// Whether all that is taken are manifests of a project that the stage has of the context.
fn hands_manifests(plan: &Plan, taken: &Taken) -> bool {
    let laid = |folder: &str| {
        let maps = plan.steps_of(taken.stage).filter_map(|(_, step)| step.lays.as_ref()).flat_map(|copy| &copy.maps);
        let folders =
            maps.map(|map| if map.folder { Some(map.to.as_str()) } else { map.to.rsplit_once('/').map(|(folder, _)| folder) });
        folders.flatten().any(|own| own == folder)
    };
    let one = |path: &Knowledge<String>| {
        path.known().is_some_and(|path| is_manifest(path) && path.rsplit_once('/').is_some_and(|(folder, _)| laid(folder)))
    };
    !taken.paths.is_empty() && taken.paths.iter().all(one)
}

/// Whether the stage takes a manifest that changes, or hangs on something else that does.
fn changes_manifests(plan: &Plan, stage: usize, change: &Change) -> bool {
    let takes = |file: &str| {
        let mut sources = plan.steps_of(stage).flat_map(|(_, step)| &step.sources);
        sources.any(|source| source.known().is_none_or(|source| source.takes(file)))
    };
    !change.arguments().is_empty() || change.files().iter().any(|file| is_manifest(file) && takes(file))
}

/// What a step of the stage that is not cached does to the paths.
fn of_step(step: &Step, fate: &Fate, taken: &Taken, change: &Change) -> Verdict {
    match &fate.because {
        // It runs because of what is below, and lays the same files as before, unless it is a RUN.
        _ if step.kind == super::Kind::Run => Verdict::MayRun,
        Some(Cause::Files(files)) => {
            let paths = files.iter().filter_map(|file| change.file(*file));
            paths.map(|file| lands(step, file, taken)).max().unwrap_or(Verdict::Cached)
        }
        Some(Cause::Content { .. }) => match &step.to {
            Some(to) if taken.paths.iter().all(|path| is_apart(path, to)) => Verdict::Cached,
            _ => fate.verdict.min(Verdict::MayRun),
        },
        Some(Cause::Argument(_) | Cause::Base(_) | Cause::NotKnown) => Verdict::MayRun,
        Some(Cause::Below(_)) | None => Verdict::Cached,
    }
}

/// Whether a changed file of the context comes to lie within what is taken.
fn lands(step: &Step, file: &str, taken: &Taken) -> Verdict {
    let Some(copy) = &step.lays else { return Verdict::MayRun };
    let places: Vec<String> = copy.maps.iter().filter_map(|map| place(map, file)).collect();
    if places.is_empty() {
        // A file that is not there now, which a pattern or a single source would bring.
        return Verdict::MayRun;
    }
    let verdict = |path: &Knowledge<String>| match path {
        Knowledge::Unknown => Verdict::MayRun,
        Knowledge::Known(path) if places.iter().any(|place| relation(path, place) != Relation::Apart) => Verdict::Runs,
        Knowledge::Known(_) => Verdict::Cached,
    };
    taken.paths.iter().map(verdict).max().unwrap_or(Verdict::Cached)
}

/// Where a context file comes to lie.
fn place(map: &crate::model::brought::Map, file: &str) -> Option<String> {
    if file == map.from {
        return Some(map.to.clone());
    }
    let rest = if map.from.is_empty() { file } else { file.strip_prefix(map.from.as_str())?.strip_prefix('/')? };
    map.folder.then(|| format!("{}/{rest}", map.to.trim_end_matches('/')))
}

fn is_apart(path: &Knowledge<String>, to: &str) -> bool {
    path.known().is_some_and(|path| relation(path, to) == Relation::Apart && relation(to, path) == Relation::Apart)
}
