//! A sheet for programs. Keys are only ever added.

use super::text::blamed;
use super::timings::Side;
use super::{Asked, Sheet};
use crate::cache::{Fate, Kind, Replay, Verdict};
use crate::model::installs::{Fetched, Fetches};
use serde_json::{Value, json};

/// One JSON object: the steps before and after with how often each runs, the sums, what is to blame, and each change.
pub fn cost_json(file: &str, sheet: &Sheet) -> Value {
    let changes: Vec<Value> = (0..sheet.changes.len()).map(|index| change(sheet, index)).collect();
    let blamed: Vec<Value> = blamed(sheet)
        .into_iter()
        .map(|(path, before, after)| json!({ "path": path, "before": before, "after": after }))
        .collect();
    json!({
        "file": file,
        "asked": match &sheet.asked { Asked::History => "history", Asked::Change(_) => "change" },
        "rewritten": sheet.rewritten,
        "before": side(sheet, Side::Before),
        "after": side(sheet, Side::After),
        "blamed": blamed,
        "changes": changes,
    })
}

fn side(sheet: &Sheet, side: Side) -> Value {
    let replay = replay(sheet, side);
    let totals = replay.totals();
    json!({
        "steps": (0..replay.plan.steps.len()).filter_map(|index| step(sheet, side, index)).collect::<Vec<_>>(),
        "steps_run": totals.steps,
        "runs_run": totals.runs,
        "commands_run": totals.commands,
        "changes_with_install": totals.installs,
        "dependency_installs": totals.dependencies,
        "package_installs": totals.packages,
        "downloads": totals.downloads,
    })
}

fn replay(sheet: &Sheet, side: Side) -> &Replay {
    if side == Side::Before { &sheet.before } else { &sheet.after }
}

fn step(sheet: &Sheet, side: Side, index: usize) -> Option<Value> {
    let replay = replay(sheet, side);
    let step = replay.plan.steps.get(index).filter(|step| step.needed)?;
    let fetches: Vec<Value> = replay.fetched.get(index).into_iter().flatten().map(fetched).collect();
    let was = sheet.rows.iter().find(|row| row.after == Some(index)).and_then(|row| row.before).filter(|_| side == Side::After);
    Some(json!({
        "index": index,
        "line": step.line,
        "stage": step.stage_name,
        "kind": match step.kind { Kind::Run => "run", Kind::Copy => "copy", Kind::Workdir => "workdir" },
        "text": step.text,
        "runs": replay.runs_of(index),
        "fetches": fetches,
        "seconds": sheet.timings.of_step(side, index),
        "was": was,
    }))
}

fn fetched(fetched: &Fetched) -> Value {
    let what = match fetched.what {
        Fetches::Dependencies(_) => "dependencies",
        Fetches::Packages => "packages",
        Fetches::Download => "download",
    };
    json!({ "what": what, "by": fetched.by })
}

fn change(sheet: &Sheet, index: usize) -> Value {
    let column = sheet.columns.get(index);
    let run = |replay: &Replay, wanted: Verdict| -> Vec<usize> {
        let is_it = |(_, fate): &(usize, &Fate)| fate.verdict == wanted;
        let fates = replay.forecasts.get(index).map_or(&[][..], |forecast| &forecast.fates);
        fates.iter().enumerate().filter(is_it).map(|(index, _)| index).collect()
    };
    let side = |replay: &Replay| json!({ "run": run(replay, Verdict::Runs), "may_run": run(replay, Verdict::MayRun), "installs": replay.reinstalls(index) });
    json!({
        "commit": column.map(|column| column.id.as_str()).filter(|id| !id.is_empty()),
        "time": column.map(|column| column.time).filter(|time| *time != 0),
        "subject": column.map(|column| column.subject.as_str()).filter(|subject| !subject.is_empty()),
        "before": side(&sheet.before),
        "after": side(&sheet.after),
    })
}
