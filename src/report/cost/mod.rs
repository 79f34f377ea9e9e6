//! `dockeropt cost`: what each change costs, before and after the rewrite.
//!
//! Owns: [`Sheet`], one file with its changes, which steps of the two texts belong together, and its three forms (text, JSON, a page).
//! Never does: forecast; that is `cache`'s.

mod calendar;
mod json;
mod page;
mod rows;
mod text;
mod timings;
mod words;

pub use json::cost_json;
pub use page::page;
pub use text::of_sheet;
pub use timings::{Timed, Timings};

use crate::cache::{Change, Replay};
use rows::Row;

/// What was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The last commits that touch the context: each is a change of its own.
    History,
    /// One change, in words: "if src/app.py changes".
    Change(String),
}

/// A change with its name.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// A commit's short name; empty for no commit.
    pub id: String,
    /// Seconds since 1970 (UTC).
    pub time: i64,
    /// The first line of its message.
    pub subject: String,
}

/// A file with what changes of it cost.
pub struct Sheet {
    /// The file, as it is shown.
    pub name: String,
    /// What was asked.
    pub asked: Asked,
    /// The changes' names, the oldest first.
    pub columns: Vec<Column>,
    /// The changes, in the same order.
    pub changes: Vec<Change>,
    /// The file as it is.
    pub before: Replay,
    /// The file as `dockeropt fix` would leave it.
    pub after: Replay,
    /// Whether that is another text.
    pub rewritten: bool,
    /// Seconds of a real build.
    pub timings: Timings,
    rows: Vec<Row>,
}

impl Sheet {
    /// Puts the parts together.
    pub fn new(name: String, asked: Asked, columns: Vec<Column>, changes: Vec<Change>, before: Replay, after: Replay) -> Self {
        let rows = rows::of(&before.plan, &after.plan);
        Self { name, asked, columns, changes, before, after, rewritten: false, timings: Timings::default(), rows }
    }

    /// Reads the times of a build of the file, as it is or as rewritten.
    #[must_use]
    pub fn with_timings(mut self, steps: &[Timed]) -> Self {
        self.timings = Timings::of(steps, &self.before.plan, &self.after.plan, &self.rows);
        self
    }
}

/// How many, with the noun.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A share in per cent, rounded; 0 of 0 is 0.
fn percent(part: usize, whole: usize) -> usize {
    (part * 200 + whole).checked_div(whole * 2).unwrap_or_default()
}

/// A text of at most `most` characters, with an ellipsis where it was longer.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
