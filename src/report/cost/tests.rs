//! Which steps belong together, whose seconds are whose, and the words.

use super::rows::{self, Row};
use super::{Asked, Column, Sheet, Timed, cut, of_sheet, percent};
use crate::cache::{Builder, Change, Plan, Replay};
use crate::context::View;
use crate::report::Palette;
use crate::syntax;

const BEFORE: &str = "FROM x\nCOPY . .\nRUN npm ci --no-audit && npm run build\nRUN useradd app\nCOPY --from=y /a /a\n";
const AFTER: &str =
    "FROM x\nRUN useradd app\nCOPY package.json .\nRUN --mount=type=cache,target=/c npm ci\nCOPY . .\nRUN npm run build\n";

fn plan(text: &str) -> Plan {
    Plan::of(&syntax::parse(text), None, None, Builder::default())
}

fn sheet(changes: Vec<Change>, asked: Asked) -> Sheet {
    let view = View::of_files([("package.json", Some("{}")), ("src/a.js", None)]);
    let replay = |text: &str| Replay::of(&syntax::parse(text), Some(&view), plan(text), &changes);
    let (before, after) = (replay(BEFORE), replay(AFTER));
    let columns = changes.iter().map(|_| Column::default()).collect();
    let mut sheet = Sheet::new("Dockerfile".to_owned(), asked, columns, changes, before, after);
    sheet.rewritten = true;
    sheet
}

#[test]
fn steps_are_found_again_moved_cut_and_changed() {
    let rows = rows::of(&plan(BEFORE), &plan(AFTER));
    let row = |before, after, part| Row { before, after, part };
    let expected = [
        row(Some(2), Some(0), false),
        row(None, Some(1), false),
        row(Some(1), Some(2), true),
        row(Some(0), Some(3), false),
        row(Some(1), Some(4), true),
        row(Some(3), None, false),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_part_of_a_step_has_no_time_of_its_own() {
    let timed = |instruction: &str, seconds| Timed { instruction: instruction.to_owned(), seconds };
    let steps = [
        timed("COPY . .", Some(1.0)),
        timed("RUN npm ci --no-audit && npm run build", Some(30.0)),
        timed("RUN useradd app", Some(2.0)),
        timed("COPY --from=y /a /a", None),
    ];
    let sheet = sheet(vec![Change::of_files(["src/a.js"])], Asked::Change("if src/a.js changes".to_owned())).with_timings(&steps);
    let text = of_sheet(&sheet, Palette::PLAIN);
    assert!(
        text.contains("by the times of the log: 33.0 s and a step without a time → 1.0 s and a step without a time"),
        "{text}"
    );
}

#[test]
fn variables_in_a_log_are_put_in() {
    let text = "FROM x\nARG V=1\nRUN fetch tool-$V.tar\nRUN fetch ${V}\nRUN fetch it\n";
    let view = View::of_files([("a", None)]);
    let replay = || Replay::of(&syntax::parse(text), Some(&view), plan(text), &[Change::default().with_arguments(["V"])]);
    let sheet = Sheet::new(String::new(), Asked::Change(String::new()), Vec::new(), Vec::new(), replay(), replay());
    let timed = |instruction: &str, seconds| Timed { instruction: instruction.to_owned(), seconds: Some(seconds) };
    let sheet = sheet.with_timings(&[timed("RUN fetch tool-7.tar", 1.0), timed("RUN fetch it", 4.0), timed("RUN fetch 7", 2.0)]);
    assert!(
        of_sheet(&sheet, Palette::PLAIN).contains("by the times of the log: 7.0 s\n"),
        "{}",
        of_sheet(&sheet, Palette::PLAIN)
    );
}

#[test]
fn shares_are_rounded_and_texts_are_cut() {
    assert_eq!([percent(1, 200), percent(1, 3), percent(2, 3), percent(0, 0), percent(5, 5)], [1, 33, 67, 0, 100]);
    assert_eq!([cut("abcd", 4), cut("äbcde", 4)], ["abcd", "äbc…"]);
}
