//! The picture: for each step a strip before and after, a column for each change.

use super::{escaped, put};
use crate::cache::{Fate, Replay, Verdict};
use crate::report::cost::rows::Row;
use crate::report::cost::{Asked, Sheet, percent};

/// All steps, and above them a strip for the installs.
pub(super) fn steps(text: &mut String, sheet: &Sheet) {
    text.push_str("<ol class=\"steps\">\n");
    if sheet.asked == Asked::History && sheet.before.totals().installs + sheet.after.totals().installs > 0 {
        text.push_str("<li class=\"sum\"><p class=\"step\">Dependencies are installed again</p>\n");
        strip(text, sheet, "before", &installs(&sheet.before, sheet.changes.len()));
        if sheet.rewritten {
            strip(text, sheet, "after", &installs(&sheet.after, sheet.changes.len()));
        }
        text.push_str("</li>\n");
    }
    let mut stage = None;
    let stages = sheet.after.plan.steps.iter().map(|step| step.stage).max().unwrap_or_default();
    for row in &sheet.rows {
        let Some((own, name)) = step_of(sheet, row).map(|step| (step.stage, step.stage_name.as_str())) else { continue };
        if stages > 0 && stage != Some(own) {
            put(text, format_args!("<li class=\"stage\">stage {}</li>\n", escaped(name)));
            stage = Some(own);
        }
        step(text, sheet, row);
    }
    text.push_str("</ol>\n");
}

fn step_of<'s>(sheet: &'s Sheet, row: &Row) -> Option<&'s crate::cache::Step> {
    let after = row.after.and_then(|index| sheet.after.plan.steps.get(index));
    after.or_else(|| row.before.and_then(|index| sheet.before.plan.steps.get(index)))
}

/// Its line, its text, what it is, and its strips.
fn step(text: &mut String, sheet: &Sheet, row: &Row) {
    let Some(own) = step_of(sheet, row) else { return };
    let was = row.before.and_then(|index| sheet.before.plan.steps.get(index)).filter(|_| row.part);
    let mut marks: Vec<String> = was.map(|was| format!("part of line {} before", was.line)).into_iter().collect();
    let is = |replay: &Replay, index: Option<usize>| index.is_some_and(|index| replay.installs(index));
    if is(&sheet.after, row.after) || is(&sheet.before, row.before) {
        marks.push("installs dependencies".to_owned());
    }
    let marks: String = marks.iter().map(|mark| format!("<span class=\"mark\">{mark}</span>")).collect();
    let code = escaped(&own.short);
    put(text, format_args!("<li><p class=\"step\"><span class=\"line\">{}</span> <code>{code}</code>{marks}</p>\n", own.line));
    let sides = [("before", &sheet.before, row.before), ("after", &sheet.after, row.after)];
    let strips: Vec<_> = sides
        .into_iter()
        .filter(|(label, ..)| *label == "before" || sheet.rewritten)
        .map(|(label, replay, index)| (label, index.map(|index| cells(replay, index))))
        .collect();
    if strips.iter().all(|(_, cells)| cells.as_ref().is_some_and(|cells| cells.iter().all(|cell| *cell == Verdict::Cached))) {
        text.push_str("<div class=\"strip\"><span></span><span class=\"none\">always from the cache</span></div>\n");
    } else {
        for (label, cells) in strips {
            match cells {
                Some(cells) => strip(text, sheet, label, &cells),
                None => put(
                    text,
                    format_args!(
                        "<div class=\"strip\"><span class=\"side\">{label}</span><span class=\"none\">no such step</span></div>\n"
                    ),
                ),
            }
        }
    }
    text.push_str("</li>\n");
}

fn cells(replay: &Replay, step: usize) -> Vec<Verdict> {
    let verdict = |fate: Option<&Fate>| fate.map_or(Verdict::Cached, |fate| fate.verdict);
    replay.forecasts.iter().map(|forecast| verdict(forecast.fates.get(step))).collect()
}

fn installs(replay: &Replay, changes: usize) -> Vec<Verdict> {
    (0..changes).map(|index| if replay.reinstalls(index) { Verdict::Runs } else { Verdict::Cached }).collect()
}

/// A row of the picture, as an image that stretches, with its count.
fn strip(text: &mut String, sheet: &Sheet, label: &str, cells: &[Verdict]) {
    let (all, run) = (cells.len(), cells.iter().filter(|cell| **cell != Verdict::Cached).count());
    put(text, format_args!("<div class=\"strip\"><span class=\"side\">{label}</span><svg viewBox=\"0 0 {all} 1\" "));
    put(text, format_args!("preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}: runs again at {run} of {all}\">"));
    let mut at = 0;
    for same in cells.chunk_by(|one, other| one == other) {
        let class = match same.first() {
            Some(Verdict::Runs) => "run",
            Some(Verdict::MayRun) => "may",
            _ => "",
        };
        if !class.is_empty() {
            put(text, format_args!("<rect class=\"{class}\" x=\"{at}\" width=\"{}\" height=\"1\"/>", same.len()));
        }
        at += same.len();
    }
    let number = match sheet.asked {
        Asked::History => format!("{run} <small>{}%</small>", percent(run, all)),
        Asked::Change(_) => (if run > 0 { "runs" } else { "cached" }).to_owned(),
    };
    put(text, format_args!("</svg><span class=\"number\">{number}</span></div>\n"));
}
