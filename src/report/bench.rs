//! The table of a bench: how long builds take before and after, and what they fetch.
//!
//! Owns: its shape in a terminal, in Markdown and in JSON, and the median. Never does: measure.

use serde_json::{Value, json};

/// A bench as it is told.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The file that was built.
    pub file: String,
    /// What is built, a row each.
    pub rows: Vec<Row>,
    /// The images' bytes, before and after; `None` where the engine doesn't tell.
    pub sizes: [Option<u64>; 2],
    /// Sentences about how it was measured.
    pub about: Vec<String>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// One kind of build.
#[derive(Clone, Debug)]
pub struct Row {
    /// Short and stable: `source-edit`.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// Before and after.
    pub cells: [Cell; 2],
}

/// What was measured of one kind of build.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Seconds of each run.
    pub seconds: Vec<f64>,
    /// Bytes that came over the network in each run, where they are counted.
    pub fetched: Vec<u64>,
    /// The steps of the last run.
    pub steps: Vec<Step>,
}

/// A step as it went.
#[derive(Clone, Debug)]
pub struct Step {
    /// The engine's name for it.
    pub name: String,
    /// `cached` or `run`.
    pub state: &'static str,
    /// Seconds.
    pub seconds: f64,
}

impl Cell {
    fn ran(&self) -> usize {
        self.steps.iter().filter(|step| step.state != "cached").count()
    }

    fn time(&self) -> Option<f64> {
        median(&self.seconds)
    }

    fn bytes(&self) -> Option<u64> {
        median(&self.fetched)
    }

    /// Seconds, steps, bytes, for people.
    fn words(&self) -> [String; 3] {
        let seconds = self.time().map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"));
        let steps = format!("{} of {} steps", self.ran(), self.steps.len());
        [seconds, steps, self.bytes().map(size).unwrap_or_default()]
    }

    fn json(&self) -> Value {
        let steps: Vec<Value> =
            self.steps.iter().map(|step| json!({ "name": step.name, "state": step.state, "seconds": step.seconds })).collect();
        json!({
            "seconds": self.time(), "seconds_of_runs": self.seconds, "fetched_bytes": self.bytes(), "steps_run": self.ran(), "steps": steps,
        })
    }
}

/// The middle one; of an even number the lower of the two in the middle, which was measured.
fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// Thousands: `2.1 MB`.
pub fn size(bytes: u64) -> String {
    let number = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number / 1e6),
        _ => format!("{:.2} GB", number / 1e9),
    }
}

impl Table {
    /// For a terminal.
    pub fn text(&self) -> String {
        let mut grid = vec![[
            "".to_owned(),
            "before".to_owned(),
            String::new(),
            String::new(),
            "after".to_owned(),
            String::new(),
            String::new(),
        ]];
        for row in &self.rows {
            let [before, after] = row.cells.each_ref().map(Cell::words);
            let ([a, b, c], [d, e, f]) = (before, after);
            grid.push([row.name.to_owned(), a, b, c, d, e, f]);
        }
        let [before, after] = self.sizes.map(|bytes| bytes.map(size).unwrap_or_default());
        let none = String::new;
        grid.push(["image".to_owned(), before, none(), none(), after, none(), none()]);
        let width =
            |column: usize| grid.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..7).map(width).collect();
        let mut text = format!("{}\n\n", self.file);
        for row in &grid {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                let width = *width;
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text + &self.footer("\n", "")
    }

    /// For a pull request.
    pub fn markdown(&self) -> String {
        let mut text = format!("| {} | before | after | |\n|---|---|---|---|\n", self.file.replace('|', "\\|"));
        for row in &self.rows {
            let [before, after] = row.cells.each_ref().map(|cell| {
                let words = cell.words();
                words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
            });
            text.push_str(&format!("| {} | {before} | {after} | {} |\n", row.name, row.gain()));
        }
        let [before, after] = self.sizes.map(|bytes| bytes.map(size).unwrap_or_default());
        text.push_str(&format!("| image | {before} | {after} | |\n"));
        text + &self.footer("\n", "\n")
    }

    fn footer(&self, first: &str, between: &str) -> String {
        let lines: Vec<String> = self.about.iter().chain(&self.left_out).map(|line| format!("{line}\n")).collect();
        if lines.is_empty() { String::new() } else { format!("{first}{}", lines.join(between)) }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let [before, after] = row.cells.each_ref().map(Cell::json);
                json!({ "id": row.id, "before": before, "after": after })
            })
            .collect();
        let [before, after] = self.sizes;
        json!({
            "file": self.file, "rows": rows, "image_bytes": { "before": before, "after": after }, "about": self.about,
            "left_out": self.left_out,
        })
    }
}

impl Row {
    /// How many times faster, where that is worth a word.
    fn gain(&self) -> String {
        let [before, after] = self.cells.each_ref().map(Cell::time);
        match (before, after) {
            // Less is as likely the machine's mood.
            (Some(before), Some(after)) if after > 0.0 && before / after >= 1.2 && before - after >= 1.0 => {
                format!("{:.1} times faster", before / after)
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let step = |state| Step { name: "[2/2] RUN x".to_owned(), state, seconds: 1.0 };
        let cell = |seconds: &[f64], fetched: &[u64], state| Cell {
            seconds: seconds.to_vec(),
            fetched: fetched.to_vec(),
            steps: vec![step("run"), step(state)],
        };
        let row = Row {
            id: "source-edit",
            name: "after a source edit",
            cells: [cell(&[30.0, 10.0, 20.0], &[2_000_000], "run"), cell(&[0.5], &[], "cached")],
        };
        let about = vec!["median of 3 runs".to_owned()];
        Table { file: "Dockerfile".to_owned(), rows: vec![row], sizes: [Some(1_500_000_000), None], about, ..Table::default() }
    }

    #[test]
    fn columns_stand_under_each_other_in_a_terminal() {
        let wanted = "Dockerfile\n\n                      before                        after\nafter a source edit   20.0 s  2 of 2 steps  2.0 MB  0.5 s  1 of 2 steps\nimage                1.50 GB\n\nmedian of 3 runs\n";
        assert_eq!(table().text(), wanted);
    }

    #[test]
    fn markdown_can_be_pasted_and_json_has_the_runs() {
        let text = table().markdown();
        assert!(text.starts_with("| Dockerfile | before | after | |\n|---|---|---|---|\n"), "{text}");
        assert!(
            text.contains("| after a source edit | 20.0 s, 2 of 2 steps, 2.0 MB | 0.5 s, 1 of 2 steps | 40.0 times faster |\n"),
            "{text}"
        );
        let json = table().json();
        assert_eq!(json["rows"][0]["before"]["seconds"], 20.0);
        assert_eq!(json["rows"][0]["after"]["steps_run"], 1);
        assert!(json["rows"][0]["after"]["fetched_bytes"].is_null());
    }

    #[test]
    fn the_median_was_measured() {
        assert_eq!(median(&[3, 1, 2]), Some(2));
        assert_eq!(median(&[4, 1, 3, 2]), Some(2));
        assert_eq!(median::<u64>(&[]), None);
    }
}
