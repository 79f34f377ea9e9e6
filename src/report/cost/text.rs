//! A sheet for a terminal.

use super::timings::Side;
use super::{Asked, Sheet, count, cut, percent, words};
use crate::cache::{Fate, Kind, Replay, Verdict};
use crate::report::{Ink, Palette};

/// Characters of a step.
const STEP: usize = 44;

/// Characters of a bar for all changes.
const BAR: usize = 16;

/// Paths that are blamed by name.
const MOST_BLAMED: usize = 6;

/// What people read of a sheet.
pub fn of_sheet(sheet: &Sheet, palette: Palette) -> String {
    match &sheet.asked {
        Asked::History => history(sheet, palette),
        Asked::Change(words) => change(sheet, words, palette),
    }
}

fn history(sheet: &Sheet, palette: Palette) -> String {
    let commits = sheet.changes.len();
    let title = match commits {
        1 => "at the last commit that touches its build context".to_owned(),
        _ => format!("over the last {commits} commits that touch its build context"),
    };
    let mut text = format!("{}, {title}\n", palette.paint(Ink::Heading, &sheet.name));
    let head = format!("  {:>4}  {:<STEP$}  {:<width$}", "line", "step, and how often it runs again", "before", width = BAR + 12);
    text.push_str(&palette.paint(Ink::Faint, format!("{head}{}", if sheet.rewritten { "after" } else { "" }).trim_end()));
    text.push('\n');
    for row in &sheet.rows {
        let after = row.after.and_then(|index| sheet.after.plan.steps.get(index));
        let Some(step) = after.or_else(|| row.before.and_then(|index| sheet.before.plan.steps.get(index))) else { continue };
        let side = |replay: &Replay, index: Option<usize>, ink: Ink| match index {
            Some(index) => bar(replay.runs_of(index), commits, ink, palette),
            None => format!("{:<width$}", "–", width = BAR + 10),
        };
        let mut line = format!("  {:>4}  {:<STEP$}  ", step.line, cut(&step.short, STEP));
        line.push_str(&side(&sheet.before, row.before, Ink::Bad));
        if sheet.rewritten {
            line.push_str("  ");
            line.push_str(&side(&sheet.after, row.after, Ink::Good));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(&sums(sheet));
    text
}

/// `██████▌  171  86%`, padded.
fn bar(runs: usize, of: usize, ink: Ink, palette: Palette) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (runs * BAR * 8).checked_div(of).unwrap_or_default();
    let eighths = if runs > 0 { eighths.max(1) } else { 0 };
    let drawn = "█".repeat(eighths / 8) + PARTS.get(eighths % 8).copied().unwrap_or_default();
    let padding = " ".repeat(BAR.saturating_sub(drawn.chars().count()));
    let drawn = if drawn.is_empty() { drawn } else { palette.paint(ink, &drawn) };
    format!("{drawn}{padding} {runs:>4} {:>3}%", percent(runs, of))
}

/// The sentences below a picture of a history.
fn sums(sheet: &Sheet) -> String {
    let commits = sheet.changes.len();
    let (before, after) = (sheet.before.totals(), sheet.after.totals());
    let mut text = String::new();
    let mut say = |line: String| text.push_str(&format!("  {line}\n"));
    let then = |was: usize, is: usize| if sheet.rewritten { format!("{was} → {is}") } else { was.to_string() };
    if before.installs + after.installs > 0 {
        let verb = if before.installs == 1 { "installs" } else { "install" };
        let mut line = format!("{} of {} {verb} the dependencies again", before.installs, count(commits, "commit", "commits"));
        if sheet.rewritten {
            line.push_str(&format!("; after the rewrite, {}", after.installs));
        }
        say(line);
    }
    let mut parts = vec![format!("steps that run again: {}", then(before.steps, after.steps))];
    for (name, was, is) in [
        ("commands", before.commands, after.commands),
        ("installs of dependencies", before.dependencies, after.dependencies),
        ("installs of other packages", before.packages, after.packages),
        ("other downloads", before.downloads, after.downloads),
    ] {
        if was + is > 0 {
            parts.push(format!("{name}: {}", then(was, is)));
        }
    }
    say(parts.join(", "));
    if let Some(line) = seconds(sheet) {
        say(line);
    }
    let blamed = blamed(sheet);
    if !blamed.is_empty() {
        let names: Vec<String> =
            blamed.iter().take(MOST_BLAMED).map(|(path, was, is)| format!("{path} {}", then(*was, *is))).collect();
        let more = blamed.len().saturating_sub(MOST_BLAMED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        say(format!("commits whose changes install the dependencies again, by path: {}{more}", names.join(", ")));
    }
    text
}

/// The paths that are to blame for installs, the worst first: before and after.
pub(super) fn blamed(sheet: &Sheet) -> Vec<(String, usize, usize)> {
    let (before, after) = (sheet.before.blamed(&sheet.changes), sheet.after.blamed(&sheet.changes));
    let both = |(path, was): (&String, &usize)| (path.clone(), *was, after.get(path).copied().unwrap_or_default());
    let mut all: Vec<(String, usize, usize)> = before.iter().map(both).collect();
    let new = after.iter().filter(|(path, _)| !before.contains_key(*path));
    all.extend(new.map(|(path, is)| (path.clone(), 0, *is)));
    all.sort_by(|one, other| other.1.cmp(&one.1).then(other.2.cmp(&one.2)).then(one.0.cmp(&other.0)));
    all
}

/// The seconds of all changes together, by a real build's times.
fn seconds(sheet: &Sheet) -> Option<String> {
    if !sheet.timings.known {
        return None;
    }
    let total = |side: Side, replay: &Replay| {
        let add = |(seconds, without): (f64, usize), (own, more): (f64, usize)| (seconds + own, without + more);
        replay.forecasts.iter().map(|forecast| sheet.timings.of_forecast(side, forecast)).fold((0.0, 0), add)
    };
    let words = |(seconds, without): (f64, usize)| match without {
        0 => format!("{seconds:.1} s"),
        1 => format!("{seconds:.1} s and a step without a time"),
        _ => format!("{seconds:.1} s and {without} steps without a time"),
    };
    let mut line = format!("by the times of the log: {}", words(total(Side::Before, &sheet.before)));
    if sheet.rewritten {
        line.push_str(&format!(" → {}", words(total(Side::After, &sheet.after))));
    }
    Some(line)
}

fn change(sheet: &Sheet, asked: &str, palette: Palette) -> String {
    let mut text = format!("{}, {asked}\n", palette.paint(Ink::Heading, &sheet.name));
    let head = if sheet.rewritten { "before  after   line  step" } else { "        line  step" };
    text.push_str(&format!("  {}\n", palette.paint(Ink::Faint, head)));
    let fate = |replay: &Replay, index: Option<usize>| match index {
        Some(index) => replay.forecasts.first().and_then(|forecast| forecast.fates.get(index)).map_or("–", verdict),
        None => "–",
    };
    for row in &sheet.rows {
        let (was, is) = (fate(&sheet.before, row.before), fate(&sheet.after, row.after));
        let after = row.after.and_then(|index| sheet.after.plan.steps.get(index));
        let Some(step) = after.or_else(|| row.before.and_then(|index| sheet.before.plan.steps.get(index))) else { continue };
        let mut line = format!("  {}  ", painted(was, palette));
        if sheet.rewritten {
            line.push_str(&format!("{}  ", painted(is, palette)));
        }
        text.push_str(&format!("{line}{:>4}  {}\n", step.line, cut(&step.short, 60)));
    }
    let counted = |replay: &Replay| {
        let runs = replay.forecasts.first().map_or(0, crate::cache::Forecast::runs);
        (runs, replay.plan.needed())
    };
    let ((was, of), (is, of_after)) = (counted(&sheet.before), counted(&sheet.after));
    let again = format!("{was} of {} {} again", count(of, "step", "steps"), if was == 1 { "runs" } else { "run" });
    let after = if sheet.rewritten { format!("; after the rewrite, {is} of {of_after}") } else { String::new() };
    text.push_str(&format!("  {again}{after}\n"));
    if let Some(line) = seconds(sheet) {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(&why(sheet, &sheet.before, if sheet.rewritten { "why, before: " } else { "why: " }));
    if sheet.rewritten {
        text.push_str(&why(sheet, &sheet.after, "why, after: "));
    }
    text
}

/// The chain to the first RUN that runs; where none does, to the first step that does.
fn why(sheet: &Sheet, replay: &Replay, lead: &str) -> String {
    let (Some(forecast), Some(change)) = (replay.forecasts.first(), sheet.changes.first()) else { return String::new() };
    let run = |kind: Option<Kind>| {
        let is_kind = |step: &crate::cache::Step| kind.is_none_or(|kind| step.kind == kind);
        replay.plan.steps.iter().enumerate().position(|(index, step)| is_kind(step) && forecast.is_run(index))
    };
    let Some(step) = run(Some(Kind::Run)).or_else(|| run(None)) else { return String::new() };
    let links = words::chain(&replay.plan, forecast, change, step);
    format!("  {lead}{}\n", links.join(";\n      "))
}

/// One word for what becomes of a step.
fn verdict(fate: &Fate) -> &'static str {
    match fate.verdict {
        Verdict::Runs => "runs",
        Verdict::MayRun => "may run",
        Verdict::Cached => "cached",
    }
}

fn painted(word: &str, palette: Palette) -> String {
    let ink = match word {
        "runs" => Ink::Bad,
        "may run" => Ink::Doubt,
        "cached" => Ink::Good,
        _ => Ink::Faint,
    };
    let padding = " ".repeat(7_usize.saturating_sub(word.chars().count()).saturating_sub(1));
    format!("{}{padding}", palette.paint(ink, word))
}
