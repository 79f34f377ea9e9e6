//! What a run did, for a person.
//!
//! Owns: the words and columns under a diff: what was fixed, what was left alone and why, what `--unsafe` would do, what a guard
//! stopped; and the last line with the totals.

use super::palette::{Ink, Palette};
use crate::pipeline::{Applied, Culprit, Outcome, Refused, Stop};

/// What is asked of anybody who meets a fault of ours.
const PLEASE_REPORT: &str = "This is a fault of dockeropt: please report it with the file.";

/// What the run did to one file; empty when there is nothing to say. `faults_only` leaves out all but the guards.
pub fn of_file(name: &str, outcome: &Outcome, faults_only: bool, palette: Palette) -> String {
    let mut rows = Vec::new();
    if !faults_only {
        rows.extend(outcome.applied.iter().map(|applied| fixed(applied, Ink::Good, "fix")));
        rows.extend(outcome.remaining.iter().map(|applied| fixed(applied, Ink::Doubt, "unsafe")));
        rows.extend(left_alone(&outcome.refused));
    }
    rows.extend(outcome.culprits.iter().map(stopped));
    rows.extend(gave_up(outcome.stop));
    if rows.is_empty() {
        return String::new();
    }
    let widest = |column: fn(&Row) -> &str| rows.iter().map(|row| column(row).chars().count()).max().unwrap_or_default();
    let widths = (widest(|row| &row.place), widest(|row| row.transform));
    let lines: String = rows.iter().map(|row| row.line(widths, palette)).collect();
    format!("{}\n{lines}", palette.paint(Ink::Heading, name))
}

/// One thing that is said of a file.
struct Row {
    ink: Ink,
    verb: &'static str,
    /// `line` or `line:column`.
    place: String,
    transform: &'static str,
    words: String,
    /// What stands under it.
    notes: Vec<String>,
}

impl Row {
    fn line(&self, widths: (usize, usize), palette: Palette) -> String {
        let (place, transform) = widths;
        let verb = palette.paint(self.ink, &format!("{:<6}", self.verb));
        let place = format!("{:>place$}", self.place);
        let transform = palette.paint(Ink::Faint, &format!("{:<transform$}", self.transform));
        let mut text = format!("  {verb}  {place}  {transform}  {}\n", self.words);
        for note in &self.notes {
            let indent = " ".repeat(2 + 6 + 2 + place.chars().count() + 2 + widths.1 + 2);
            text.push_str(&format!("{indent}{}\n", palette.paint(Ink::Faint, note)));
        }
        text
    }
}

fn fixed(applied: &Applied, ink: Ink, verb: &'static str) -> Row {
    let Applied { transform, title, line, notes, gains, .. } = applied;
    let notes = gains.iter().map(ToString::to_string).chain(notes.iter().cloned()).collect();
    Row { ink, verb, place: line.to_string(), transform, words: title.clone(), notes }
}

/// A row for each reason; where one holds for several places, the others stand under the first.
fn left_alone(refused: &[Refused]) -> Vec<Row> {
    let mut reasons: Vec<(&Refused, Vec<usize>)> = Vec::new();
    for place in refused {
        let same = |known: &Refused| known.transform == place.transform && known.refusal == place.refusal;
        match reasons.iter_mut().find(|(known, _)| same(known)) {
            Some((_, more)) => more.push(place.line),
            None => reasons.push((place, Vec::new())),
        }
    }
    let row = |(Refused { transform, line, column, refusal }, more): (&Refused, Vec<usize>)| {
        let words = format!("{refusal} [{}]", refusal.code());
        let lines: Vec<String> = more.iter().map(usize::to_string).collect();
        let notes = if lines.is_empty() {
            Vec::new()
        } else {
            vec![format!("so too on {} {}", count_word(lines.len()), lines.join(", "))]
        };
        Row { ink: Ink::Faint, verb: "left", place: format!("{line}:{column}"), transform, words, notes }
    };
    reasons.into_iter().map(row).collect()
}

fn count_word(lines: usize) -> &'static str {
    if lines == 1 { "line" } else { "lines" }
}

fn stopped(culprit: &Culprit) -> Row {
    let Culprit { transform, title, line, guard } = culprit;
    let words = format!("{title}: left out, because {guard}");
    Row { ink: Ink::Bad, verb: "fault", place: line.to_string(), transform, words, notes: vec![PLEASE_REPORT.to_owned()] }
}

fn gave_up(stop: Stop) -> Option<Row> {
    let words = match stop {
        Stop::Fixpoint | Stop::Broken => return None,
        Stop::Cycle => "the fixes undo one another, so the file was left as it was",
        Stop::PassLimit => "the fixes come to no end, so the file was left as it was",
    };
    let notes = vec![PLEASE_REPORT.to_owned()];
    Some(Row { ink: Ink::Bad, verb: "fault", place: String::new(), transform: "", words: words.to_owned(), notes })
}

/// What a run did to all files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Files that were looked at, failed ones included.
    pub files: usize,
    /// Files whose text is another now.
    pub changed: usize,
    /// Files that could not be done.
    pub failed: usize,
    /// Fixes applied.
    pub fixes: usize,
    /// Places left alone.
    pub refused: usize,
    /// Fixes that `--unsafe` would apply.
    pub offered: usize,
    /// Fixes (or whole files) that a guard stopped.
    pub faults: usize,
}

impl Total {
    /// Of one file that was done.
    pub fn of(outcome: &Outcome) -> Self {
        let gave_up = usize::from(matches!(outcome.stop, Stop::Cycle | Stop::PassLimit));
        Self {
            files: 1,
            changed: usize::from(outcome.changed()),
            failed: 0,
            fixes: outcome.applied.len(),
            refused: outcome.refused.len(),
            offered: outcome.remaining.len(),
            faults: outcome.culprits.len() + gave_up,
        }
    }

    /// Of one file that could not be done.
    pub fn failure() -> Self {
        Self { files: 1, failed: 1, ..Self::default() }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            changed: self.changed + other.changed,
            failed: self.failed + other.failed,
            fixes: self.fixes + other.fixes,
            refused: self.refused + other.refused,
            offered: self.offered + other.offered,
            faults: self.faults + other.faults,
        }
    }

    /// The last line. `verb` is what became of the files that change: "changed", "would change".
    pub fn line(&self, verb: &str) -> String {
        let mut parts = vec![format!("{} of {} {verb}", self.changed, count(self.files, "file", "files"))];
        let mut add = |number: usize, words: String| {
            if number > 0 {
                parts.push(words);
            }
        };
        add(self.fixes, count(self.fixes, "fix", "fixes"));
        add(self.refused, format!("{} left alone", count(self.refused, "place", "places")));
        add(self.offered, format!("{} more with --unsafe", self.offered));
        add(self.faults, format!("{} stopped by a guard", count(self.faults, "fix", "fixes")));
        add(self.failed, format!("{} failed", self.failed));
        parts.join(", ")
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::{Applied, Culprit, Outcome, Palette, Refused, Stop, Total, of_file};
    use crate::edit::Applicability;
    use crate::pipeline::Refusal;

    fn outcome() -> Outcome {
        let applied = |line, title: &str, notes: &[&str]| Applied {
            transform: "cache-mounts",
            title: title.to_owned(),
            line,
            applicability: Applicability::Safe,
            notes: notes.iter().map(|&note| note.to_owned()).collect(),
            gains: Vec::new(),
        };
        let refusal = Refusal::NoGain { why: "nothing is fetched".to_owned() };
        Outcome {
            ignore: None,
            before: "a".to_owned(),
            after: "b".to_owned(),
            applied: vec![applied(3, "Keep pip's downloads", &["--no-cache-dir goes"])],
            refused: vec![
                Refused { transform: "cache-mounts", line: 12, column: 5, refusal: refusal.clone() },
                Refused { transform: "cache-mounts", line: 20, column: 1, refusal },
            ],
            remaining: vec![applied(4, "Split", &[])],
            culprits: vec![Culprit { transform: "x", title: "Do".to_owned(), line: 9, guard: "a comment is gone".to_owned() }],
            passes: 2,
            stop: Stop::Fixpoint,
        }
    }

    #[test]
    fn a_file_is_told_in_columns() {
        let text = of_file("app/Dockerfile", &outcome(), false, Palette::PLAIN);
        let expected = "app/Dockerfile
  fix        3  cache-mounts  Keep pip's downloads
                              --no-cache-dir goes
  unsafe     4  cache-mounts  Split
  left    12:5  cache-mounts  nothing is fetched [no-gain]
                              so too on line 20
  fault      9  x             Do: left out, because a comment is gone
                              This is a fault of dockeropt: please report it with the file.
";
        assert_eq!(text, expected);
    }

    #[test]
    fn quiet_tells_faults_only() {
        assert_eq!(of_file("f", &outcome(), true, Palette::PLAIN).lines().count(), 3);
        assert_eq!(of_file("f", &Outcome { culprits: Vec::new(), ..outcome() }, true, Palette::PLAIN), "");
        let cycle = Outcome { culprits: Vec::new(), stop: Stop::Cycle, ..outcome() };
        assert!(of_file("f", &cycle, true, Palette::PLAIN).contains("undo one another"));
    }

    #[test]
    fn totals_leave_out_what_there_was_none_of() {
        assert_eq!(Total { files: 1, ..Total::default() }.line("changed"), "0 of 1 file changed");
        let total = Total::of(&outcome()).and(Total::failure());
        assert_eq!(
            total.line("would change"),
            "1 of 2 files would change, 1 fix, 2 places left alone, 1 more with --unsafe, 1 fix stopped by a guard, 1 failed"
        );
    }
}
