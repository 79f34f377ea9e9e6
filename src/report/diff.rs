//! Unified diffs.
//!
//! Owns: the form that `git apply` and `patch -p1` take, byte for byte: header, hunks, `\ No newline at end of file`.

use super::palette::{Ink, Palette};
use super::path;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};
use std::ops::Range;
use std::path::Path;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// The change of one file; empty when there is none. `file` is the name that is written behind `a/` and `b/`.
pub fn unified(file: &Path, before: &str, after: &str, palette: Palette) -> String {
    // Lines end at "\n" and nowhere else, as git and patch have it: a lone "\r" belongs to its line.
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let hunks = group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), CONTEXT);
    let mut diff = Diff { old: &old, new: &new, palette, text: String::new() };
    if !hunks.is_empty() {
        diff.header("---", &path::in_diff("a", file));
        diff.header("+++", &path::in_diff("b", file));
    }
    for hunk in &hunks {
        diff.hunk(hunk);
    }
    diff.text
}

/// A new file, as git shows one; `executable`: one that can be run.
pub fn created(file: &Path, text: &str, executable: bool, palette: Palette) -> String {
    let new: Vec<&str> = text.split_inclusive('\n').collect();
    let mut diff = Diff { old: &[], new: &new, palette, text: String::new() };
    let hunks = group_diff_ops(capture_diff_slices(Algorithm::Myers, &[], &new), CONTEXT);
    diff.git_header(&path::in_diff("a", file), &path::in_diff("b", file), if executable { "100755" } else { "100644" });
    diff.header("---", "/dev/null");
    diff.header("+++", &path::in_diff("b", file));
    hunks.iter().for_each(|hunk| diff.hunk(hunk));
    diff.text
}

struct Diff<'a> {
    old: &'a [&'a str],
    new: &'a [&'a str],
    palette: Palette,
    text: String,
}

impl Diff<'_> {
    fn header(&mut self, mark: &str, name: &str) {
        self.text.push_str(&self.palette.paint(Ink::Heading, &format!("{mark} {name}")));
        self.text.push('\n');
    }

    /// Without these lines `git apply` would not make a file.
    fn git_header(&mut self, old: &str, new: &str, mode: &str) {
        for line in [format!("diff --git {old} {new}"), format!("new file mode {mode}")] {
            self.text.push_str(&self.palette.paint(Ink::Heading, &line));
            self.text.push('\n');
        }
    }

    fn hunk(&mut self, ops: &[DiffOp]) {
        let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return };
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        let place = format!("@@ -{} +{} @@", extent(old), extent(new));
        self.text.push_str(&self.palette.paint(Ink::Place, &place));
        self.text.push('\n');
        for op in ops {
            if op.tag() == DiffTag::Equal {
                self.lines(' ', None, self.old, op.old_range());
            } else {
                self.lines('-', Some(Ink::Bad), self.old, op.old_range());
                self.lines('+', Some(Ink::Good), self.new, op.new_range());
            }
        }
    }

    fn lines(&mut self, mark: char, ink: Option<Ink>, side: &[&str], range: Range<usize>) {
        for line in side.get(range).unwrap_or_default() {
            let content = line.strip_suffix('\n');
            let shown = content.unwrap_or(line);
            match ink {
                Some(ink) => self.text.push_str(&self.palette.paint(ink, &format!("{mark}{shown}"))),
                None => {
                    self.text.push(mark);
                    self.text.push_str(shown);
                }
            }
            self.text.push_str(if content.is_some() { "\n" } else { "\n\\ No newline at end of file\n" });
        }
    }
}

/// `first,count` in lines, 1-based; `before,0` for no line; the count is left out where it is one.
fn extent(lines: Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => (lines.start + 1).to_string(),
        count => format!("{},{count}", lines.start + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{Palette, unified};
    use std::path::Path;

    fn diff(before: &str, after: &str) -> String {
        unified(Path::new("Dockerfile"), before, after, Palette::PLAIN)
    }

    #[test]
    fn no_change_is_no_text() {
        assert_eq!(diff("FROM a\n", "FROM a\n"), "");
    }

    #[test]
    fn lines_come_and_go() {
        let expected = "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,3 @@\n+# syntax=x\n FROM a\n-RUN b\n+RUN c\n";
        assert_eq!(diff("FROM a\nRUN b\n", "# syntax=x\nFROM a\nRUN c\n"), expected);
    }

    #[test]
    fn a_missing_last_line_end_is_said_on_the_side_that_lacks_it() {
        assert!(
            diff("FROM a", "FROM b")
                .ends_with("@@ -1 +1 @@\n-FROM a\n\\ No newline at end of file\n+FROM b\n\\ No newline at end of file\n")
        );
        assert!(diff("FROM a\nRUN b", "#x\nFROM a\nRUN b").ends_with(" RUN b\n\\ No newline at end of file\n"));
    }

    #[test]
    fn carriage_returns_belong_to_their_line() {
        assert!(diff("FROM a\r\nRUN x\ry\r\n", "FROM b\r\nRUN x\ry\r\n").ends_with("-FROM a\r\n+FROM b\r\n RUN x\ry\r\n"));
    }

    #[test]
    fn far_changes_are_hunks_of_their_own() {
        let before: String = (1..=20).map(|line| format!("{line}\n")).collect();
        let after = before.replace("2\n3\n", "2\nx\n").replace("19\n", "y\n");
        let hunks: Vec<String> = diff(&before, &after).lines().filter(|l| l.starts_with("@@")).map(str::to_owned).collect();
        assert_eq!(hunks, ["@@ -1,6 +1,6 @@", "@@ -16,5 +16,5 @@"]);
    }
}
