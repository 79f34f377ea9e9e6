//! Why a step runs, in words.

use super::cut;
use crate::cache::{Cause, Change, Fate, Forecast, Plan};

/// Files that are named before the rest is counted.
const MOST_NAMES: usize = 3;

/// Characters of a step that are shown.
const LONGEST_STEP: usize = 60;

/// From the first cause to the step, a sentence for each link: `line 4 COPY . . takes src/app.py`.
pub(super) fn chain(plan: &Plan, forecast: &Forecast, change: &Change, step: usize) -> Vec<String> {
    let mut links = forecast.chain(step);
    links.reverse();
    let is_below =
        |index: &usize| matches!(forecast.fates.get(*index).and_then(|fate| fate.because.as_ref()), Some(Cause::Below(_)));
    // Of steps that only stand on the one before, the last one says it all.
    let mut kept: Vec<usize> = Vec::new();
    for (at, link) in links.iter().enumerate() {
        if !is_below(link) || links.get(at + 1).is_none_or(|next| !is_below(next)) {
            kept.push(*link);
        }
    }
    let mut sentences = Vec::new();
    let mut last = None;
    for link in kept {
        if let (Some(own), Some(fate)) = (plan.steps.get(link), forecast.fates.get(link)) {
            sentences.push(format!(
                "line {} `{}` {}",
                own.line,
                cut(&own.short, LONGEST_STEP),
                because(plan, fate, change, last)
            ));
            last = Some(own.line);
        }
    }
    sentences
}

fn because(plan: &Plan, fate: &Fate, change: &Change, last: Option<usize>) -> String {
    let line = |step: usize| plan.steps.get(step).map_or(0, |step| step.line);
    match &fate.because {
        Some(Cause::Files(files)) => format!("takes {}", files_in_words(files, change)),
        Some(Cause::Argument(name)) => format!("hangs on the argument {name}"),
        Some(Cause::Base(name)) => format!("stands on an image that hangs on the argument {name}"),
        Some(Cause::Below(step)) => format!("stands on line {}", last.unwrap_or_else(|| line(*step))),
        Some(Cause::Content { stage, step }) => {
            let stage =
                plan.steps.iter().find(|other| other.stage == *stage).map_or(String::new(), |step| step.stage_name.clone());
            let doubt = if fate.runs() && fate.verdict == crate::cache::Verdict::MayRun {
                ", and runs unless that comes out the same"
            } else {
                ""
            };
            format!("takes what stage {stage} made with line {}{doubt}", line(*step))
        }
        Some(Cause::NotKnown) => "takes files that are not known here, perhaps changed ones".to_owned(),
        None => "is cached".to_owned(),
    }
}

fn files_in_words(files: &[usize], change: &Change) -> String {
    let mut names: Vec<String> = files.iter().take(MOST_NAMES).filter_map(|file| change.file(*file)).map(str::to_owned).collect();
    if let Some(rest) = files.len().checked_sub(MOST_NAMES).filter(|rest| *rest > 0) {
        names.push(format!("{rest} more"));
    }
    names.join(", ")
}
