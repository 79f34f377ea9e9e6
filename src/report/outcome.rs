//! `dockeropt fix --format json`: what a run did to a file, for programs.
//!
//! Owns: the shape. Keys are only ever added.

use crate::cache::{Gain, Typical, Unit};
use crate::edit::Applicability;
use crate::pipeline::{Applied, Culprit, Outcome, Refused, Stop};
use serde_json::{Value, json};

/// One JSON object: what was applied, what was left alone and why, what needs `--unsafe`, what a guard stopped.
pub fn outcome_json(file: &str, outcome: &Outcome) -> Value {
    json!({
        "file": file,
        "changed": outcome.changed(),
        "ignore": outcome.ignore.as_ref().map(|change| json!({ "path": change.path, "before": change.before, "after": change.after })),
        "applied": outcome.applied.iter().map(applied).collect::<Vec<_>>(),
        "refused": outcome.refused.iter().map(refused).collect::<Vec<_>>(),
        "remaining": outcome.remaining.iter().map(applied).collect::<Vec<_>>(),
        "culprits": outcome.culprits.iter().map(culprit).collect::<Vec<_>>(),
        "passes": outcome.passes,
        "stop": stop(outcome.stop),
    })
}

fn applied(applied: &Applied) -> Value {
    let Applied { transform, title, line, applicability, notes, gains } = applied;
    let gains: Vec<Value> = gains.iter().map(gain).collect();
    let applicability = match applicability {
        Applicability::Safe => "safe",
        Applicability::Unsafe => "unsafe",
        Applicability::DisplayOnly => "display-only",
    };
    json!({ "transform": transform, "line": line, "title": title, "applicability": applicability, "notes": notes, "gains": gains })
}

fn gain(gain: &Gain) -> Value {
    let (key, at) = match &gain.at {
        Typical::Edit(file) => ("edit", json!(file)),
        Typical::Argument(name) => ("argument", json!(name)),
        Typical::Commits(count) => ("commits", json!(count)),
    };
    let count = |run: usize, of: usize| json!({ "run": run, "steps": of });
    let unit = match gain.unit {
        Unit::Steps => "steps",
        Unit::Commands => "commands",
        Unit::Installs => "installs",
    };
    json!({ key: at, "unit": unit, "before": count(gain.before, gain.steps_before), "after": count(gain.after, gain.steps_after) })
}

fn refused(refused: &Refused) -> Value {
    let Refused { transform, line, column, refusal } = refused;
    let (code, reason) = (refusal.code(), refusal.to_string());
    json!({ "transform": transform, "line": line, "column": column, "code": code, "reason": reason })
}

fn culprit(culprit: &Culprit) -> Value {
    let Culprit { transform, title, line, guard } = culprit;
    json!({ "transform": transform, "line": line, "title": title, "guard": guard })
}

fn stop(stop: Stop) -> &'static str {
    match stop {
        Stop::Fixpoint => "fixpoint",
        Stop::Broken => "broken",
        Stop::Cycle => "cycle",
        Stop::PassLimit => "pass-limit",
    }
}
