//! What a fix says of itself.
//!
//! Owns: titles and notes, and how far a fix can be trusted. Never does: change a text.

use super::{Install, Stage, rising};
use crate::ecosystems::{Entangled, Part};
use crate::edit::{Applicability, Fix};
use crate::model::order::Order;
use crate::pipeline::Refusal;
use rising::{Movement, Riser};

impl Stage<'_, '_> {
    /// Why an install can't do with its manifests; who makes one that no copy brings, or where the context has one of that name.
    pub(super) fn entangled(&self, at: usize, id: &'static str, entangled: &Entangled) -> Refusal {
        let plain = || Refusal::Entangled { id, entangled: entangled.clone() };
        let Entangled::Missing { path, because } = entangled else { return plain() };
        let writes = |index: &usize| {
            let step = self.order.print(*index).filter(|step| !step.from_context);
            step.is_some_and(|step| step.print.footprint.writes.areas.iter().any(|area| area.path() == path))
        };
        let makes = |index: &usize| {
            let mut all = self.order.print(*index).into_iter().flat_map(|step| &step.commands);
            all.any(|command| matches!(&command.dependencies, Some(Ok(Some(own))) if own.rewrites.contains(path)))
        };
        if let Some(step) =
            (0..at).rev().find(|index| writes(index) || makes(index)).and_then(|index| self.order.steps.get(index))
        {
            let why = format!("it makes {path}, which {id} needs and no copy brings");
            return Refusal::InTheWay { line: step.instruction.lines.0, step: rising::shown(step), why };
        }
        match self.namesake(at, path) {
            Some(other) => {
                let because = format!("{because}; {other} is: is the work folder the right one?");
                Refusal::Entangled { id, entangled: Entangled::NotSeen { because } }
            }
            None => plain(),
        }
    }

    /// A file of the same name that the copies above a step bring to a folder below: its path in the image.
    fn namesake(&self, at: usize, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/')?;
        let copies = (0..at).filter_map(|index| self.order.print(index)?.copy.as_ref());
        let laid = copies.flat_map(|copy| &copy.maps).filter(|map| map.folder).flat_map(|map| {
            let to = |file: String| {
                let rest = file.strip_prefix(map.from.as_str())?.trim_start_matches('/');
                Some(format!("{}/{rest}", map.to.trim_end_matches('/')))
            };
            self.order.view.files_below(&map.from).into_iter().filter_map(to)
        });
        let below = laid.filter(|file| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        below.filter(|file| file != path && file.rsplit('/').next() == Some(name)).min_by_key(|file| file.matches('/').count())
    }

    pub(super) fn worded(&self, installs: &[Install<'_>], riser: &Riser, movement: &Movement<'_, '_>) -> Result<Fix, Refusal> {
        let shown: Vec<String> = movement.copied().into_iter().map(str::to_owned).collect();
        let command = installs.first().map(|install| quoted(self.order, install)).unwrap_or_default();
        let half = matches!(installs.first().map(|install| &install.dependencies.part), Some(Part::FirstHalf { .. }));
        let built = self.built.contains(&movement.copy());
        let title = match (shown.as_slice(), half) {
            (_, false) if built => format!("run `{command}` before what another stage built is copied"),
            (_, true) if built => format!("fetch what `{command}` needs before what another stage built is copied"),
            ([], false) => format!("run `{command}` before the source is copied"),
            ([], true) => format!("fetch what `{command}` needs before the source is copied"),
            (names, false) => {
                format!("copy {} first, so that an edit of the source does not run `{command}` again", listed(names))
            }
            (names, true) => format!("copy {} first and fetch what `{command}` needs before the source is copied", listed(names)),
        };
        let mut notes = Vec::new();
        let mut applicability = Applicability::Safe;
        let moved = installs.iter().filter(|install| install.at == riser.at);
        for install in moved {
            let bolder = install.dependencies.bolder.as_ref().filter(|_| self.bold).map(|bolder| &bolder.doubt);
            if let Some(doubt) = install.dependencies.doubt.as_ref().or(bolder) {
                applicability = Applicability::Unsafe;
                notes.push(doubt.clone());
            }
        }
        if let Some(doubt) = &riser.doubt {
            applicability = Applicability::Unsafe;
            notes.push(doubt.clone());
        }
        notes.extend(movement.unpinned());
        notes.extend(movement.given());
        let rise = movement.rise();
        if !rise.restored.is_empty() {
            applicability = Applicability::Unsafe;
            notes.push(format!(
                "the install may write {}; the source, copied later, now puts the project's own back",
                listed(&rise.restored)
            ));
        }
        let edits = movement.edits()?;
        Ok(Fix {
            title,
            edits,
            applicability,
            notes,
            removes_comments: Vec::new(),
            moves: true,
            ignores: rising::patterns(&rise.overlaid),
        })
    }
}

/// A command as it is written, blanks folded, cut.
fn quoted(order: &Order<'_>, install: &Install<'_>) -> String {
    const LONGEST: usize = 60;
    let text = order.steps.get(install.at).and_then(|step| step.run.as_ref()).map_or("", |run| run.text());
    let text = text.get(install.print.ran.invocation.span.clone()).unwrap_or_default();
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.chars().count() <= LONGEST { folded } else { folded.chars().take(LONGEST).chain(['…']).collect() }
}
/// `a`, `a and b`, `a, b and 7 more`.
fn listed(names: &[String]) -> String {
    const MOST: usize = 4;
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] if names.len() <= MOST => format!("{} and {last}", head.join(", ")),
        _ => {
            let shown: Vec<&str> = names.iter().take(MOST - 1).map(String::as_str).collect();
            format!("{} and {} more", shown.join(", "), names.len() - shown.len())
        }
    }
}
