//! What `verify` says of two images: in words, and as JSON.
//!
//! Owns: the wording and the shape. Keys are only ever added. Never does: decide what counts as a difference.

use super::{Ink, Palette};
use crate::builder::Step;
use crate::builder::compare::{Comparison, Difference, Place, RULES};
use crate::builder::proof::Made;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Differences that are listed before the rest is counted.
const MOST_SHOWN: usize = 40;

/// A proof as it is told: of the whole rewrite, and of its transforms one by one where that was asked for.
pub struct Told<'p> {
    /// The file, as it is shown.
    pub file: &'p str,
    /// The builds that were made.
    pub builds: &'p [Made],
    /// What came of the whole.
    pub whole: &'p Comparison,
    /// By transform.
    pub each: &'p [(String, Comparison)],
}

impl Told<'_> {
    /// For people. `explain`: with every rule and every difference that one let pass.
    pub fn words(&self, explain: bool, palette: Palette) -> String {
        let mut text = format!("{}\n", palette.paint(Ink::Heading, self.file));
        for Made { which, built, .. } in self.builds {
            let steps = built.steps.len();
            let _ = writeln!(text, "  built    {which}: {:.1} s, {steps} steps", built.time.as_secs_f64());
        }
        let (before, after) = self.whole.cached;
        if before != after {
            let _ = writeln!(text, "  caches   package managers' downloads: {} before, {} after", bytes(before), bytes(after));
        }
        if !self.whole.passed.is_empty() {
            let rules = by_rule(self.whole).len();
            let (many, hint) = (self.whole.passed.len(), if explain { "" } else { " (--explain lists them)" });
            let _ = writeln!(text, "  let pass {} by {}{hint}", count(many, "difference"), count(rules, "rule"));
        }
        for (transform, comparison) in self.each {
            let _ = writeln!(text, "  {transform} alone: {}", verdict(comparison, palette));
            text.push_str(&differences(comparison, palette));
        }
        let paths = count(self.whole.paths, "path");
        let _ = writeln!(text, "  {}: {paths} and the configuration", verdict(self.whole, palette));
        text.push_str(&differences(self.whole, palette));
        if explain {
            text.push_str(&explained(self.whole));
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let each: Vec<Value> = self
            .each
            .iter()
            .map(|(transform, comparison)| {
                let mut object = comparison_json(comparison);
                object.insert("transform".to_owned(), json!(transform));
                Value::Object(object)
            })
            .collect();
        let mut object = comparison_json(self.whole);
        object.insert("file".to_owned(), json!(self.file));
        object.insert("builds".to_owned(), self.builds.iter().map(build_json).collect());
        object.insert("each".to_owned(), Value::Array(each));
        Value::Object(object)
    }
}

/// The first differences, for an error's text.
pub fn in_short(comparison: &Comparison) -> String {
    let mut shown: Vec<String> = comparison.differences.iter().take(5).map(ToString::to_string).collect();
    if comparison.differences.len() > shown.len() {
        shown.push(format!("and {} more", comparison.differences.len() - shown.len()));
    }
    shown.join("; ")
}

fn verdict(comparison: &Comparison, palette: Palette) -> String {
    match comparison.differences.len() {
        0 => palette.paint(Ink::Good, "equal"),
        many => palette.paint(Ink::Bad, &format!("different in {}", count(many, "place"))),
    }
}

fn differences(comparison: &Comparison, palette: Palette) -> String {
    let mut text = String::new();
    for difference in comparison.differences.iter().take(MOST_SHOWN) {
        let _ = writeln!(text, "    {} {difference}", palette.paint(Ink::Bad, "differs"));
    }
    if comparison.differences.len() > MOST_SHOWN {
        let _ = writeln!(text, "    and {} more (--format json lists all)", comparison.differences.len() - MOST_SHOWN);
    }
    text
}

/// Every rule with its words, and what it let pass.
fn explained(comparison: &Comparison) -> String {
    let passed = by_rule(comparison);
    let mut text = String::from("  rules:\n");
    for rule in RULES {
        let _ = writeln!(text, "    {}: {}", rule.id, rule.words);
        for difference in passed.get(rule.id).into_iter().flatten() {
            let _ = writeln!(text, "      {difference}");
        }
    }
    text
}

fn by_rule(comparison: &Comparison) -> BTreeMap<&str, Vec<&Difference>> {
    let mut rules: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for passed in &comparison.passed {
        rules.entry(passed.rule).or_default().push(&passed.difference);
    }
    rules
}

fn comparison_json(comparison: &Comparison) -> serde_json::Map<String, Value> {
    let passed: Vec<Value> = comparison
        .passed
        .iter()
        .map(|passed| {
            let mut object = difference_json(&passed.difference);
            object.insert("rule".to_owned(), json!(passed.rule));
            Value::Object(object)
        })
        .collect();
    let differences: Vec<Value> = comparison.differences.iter().map(difference_json).map(Value::Object).collect();
    let (before, after) = comparison.cached;
    let fields = [
        ("result", json!(if comparison.equal() { "equal" } else { "different" })),
        ("paths", json!(comparison.paths)),
        ("differences", Value::Array(differences)),
        ("passed", Value::Array(passed)),
        ("cachedBytes", json!({ "before": before, "after": after })),
    ];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn difference_json(difference: &Difference) -> serde_json::Map<String, Value> {
    let (kind, place) = match &difference.place {
        Place::Path(path) => ("path", path),
        Place::Config(key) => ("config", key),
    };
    let fields = [
        (kind, json!(place)),
        ("aspect", json!(difference.aspect.name())),
        ("before", json!(difference.before)),
        ("after", json!(difference.after)),
    ];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn build_json(made: &Made) -> Value {
    let Made { which, built, .. } = made;
    let step = |step: &Step| json!({ "name": step.name, "state": step.state.name(), "seconds": step.time.as_secs_f64() });
    let steps: Vec<Value> = built.steps.iter().map(step).collect();
    json!({ "build": which.to_string(), "seconds": built.time.as_secs_f64(), "steps": steps })
}

fn count(many: usize, what: &str) -> String {
    format!("{many} {what}{}", if many == 1 { "" } else { "s" })
}

/// A number of bytes as people read it: `12.3 MB`, by thousands.
fn bytes(bytes: u64) -> String {
    const UNITS: &[(u64, &str)] = &[(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        if bytes >= *unit {
            let tenths = bytes / (unit / 10);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_read_by_people() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(40_160_000), "40.1 MB");
        assert_eq!(bytes(2_000_000_000), "2.0 GB");
    }
}
