//! Each rule, by what runs. The same rules are tried on a real engine in `tests/engine_cache.rs`.

use super::{Builder, Cause, Change, Gain, Plan, Typical, Verdict, grown};
use crate::context::View;
use crate::syntax;

fn plan(text: &str, view: &View) -> Plan {
    Plan::of(&syntax::parse(text), Some(view), None, Builder::default())
}

fn view() -> View {
    View::of_files([
        ("a", None),
        ("b", None),
        ("src/x", None),
        ("src/y", None),
        ("notes.md", None),
        (".dockerignore", Some("*.md")),
    ])
}

/// The lines of the steps that run, `?` behind those that may.
fn run(text: &str, change: &Change) -> String {
    let plan = plan(text, &view());
    let forecast = plan.after(change);
    let lines = plan.steps.iter().zip(&forecast.fates).filter_map(|(step, fate)| match fate.verdict {
        Verdict::Cached => None,
        Verdict::MayRun => Some(format!("{}?", step.line)),
        Verdict::Runs => Some(step.line.to_string()),
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn edit(text: &str, file: &str) -> String {
    run(text, &Change::of_files([file]))
}

fn argument(text: &str, name: &str) -> String {
    run(text, &Change::default().with_arguments([name]))
}

#[test]
fn a_changed_file_drags_what_stands_on_its_copy() {
    let text = "FROM x\nRUN 1\nCOPY a /\nWORKDIR /w\nLABEL a=b\nRUN 2\nCOPY b /\n";
    assert_eq!(edit(text, "a"), "3 4 6 7");
    assert_eq!(edit(text, "b"), "7");
    assert_eq!(edit(text, "notes.md"), "");
    assert_eq!(edit("FROM x\nCOPY . /\nRUN 1\n", "notes.md"), "", "it is ignored");
    assert_eq!(edit("FROM x\nCOPY src/* /\nRUN 1\n", "src/new"), "2 3");
    assert_eq!(edit("FROM x\nCOPY <<E /a\na\nE\nCOPY <<E b /w/\na\nE\n", "b"), "5");
    assert_eq!(edit("FROM x\nADD https://a/b /b\nADD src /src\n", "src/x"), "3");
    assert_eq!(edit("FROM x\nWORKDIR /\nCOPY a .\nWORKDIR /\nWORKDIR x\n", "a"), "3 5");
}

#[test]
fn what_is_not_known_may_run() {
    assert_eq!(edit("FROM x\nCOPY $UNKNOWN /\nRUN 1\n", "a"), "2? 3?");
    assert_eq!(edit("FROM x\nCOPY --exclude=y src /\nRUN 1\n", "a"), "2? 3?");
    assert_eq!(edit("FROM x\nARG D=src\nCOPY $D /\nRUN 1\n", "src/x"), "3 4");
}

#[test]
fn stages_follow_their_base_and_what_they_take() {
    let text = "FROM x AS base\nCOPY a /\nFROM base AS mid\nRUN 1\nFROM y AS other\nCOPY b /b\nFROM mid\nRUN 2\nCOPY --from=other /b /\n";
    assert_eq!(edit(text, "a"), "2 4 8 9");
    assert_eq!(edit(text, "b"), "6 9");
    let unneeded = "FROM x AS a\nCOPY a /\nFROM x\nCOPY b /\n";
    assert_eq!(edit(unneeded, "a"), "");
    let targeted = Plan::of(&syntax::parse(unneeded), None, Some("A"), Builder::default());
    assert_eq!(targeted.after(&Change::of_files(["a"])).runs(), 1);
    assert_eq!(targeted.needed(), 1);
}

#[test]
fn content_that_comes_out_is_followed_through_copies() {
    let text = "FROM x AS s\nCOPY a /o/a\nCOPY src /o/src\nFROM x\nCOPY --from=s /o/a /a\nCOPY --from=0 /o/src /src\nCOPY --from=s /o/*/x /x\n";
    assert_eq!(edit(text, "a"), "2 3 5 6 7");
    assert_eq!(edit(text, "src/y"), "3 6 7", "line 7 takes another file, but stands on line 6");
    let linked = text.replace("COPY --from", "COPY --link --from");
    assert_eq!(edit(&linked, "src/y"), "3 6");
    assert_eq!(edit(&linked, "src/x"), "3 6 7");
    let built = "FROM x AS s\nCOPY a /a\nRUN make\nFROM x\nCOPY --from=s /out /\nRUN 1\n";
    assert_eq!(edit(built, "a"), "2 3 5? 6?");
}

#[test]
fn links_stand_on_nothing_where_the_builder_merges() {
    let text = "FROM x\nCOPY a /\nCOPY --link b /b/\nRUN 1\n";
    assert_eq!(edit(text, "a"), "2 4");
    assert_eq!(edit(text, "b"), "3 4");
    let plain = Plan::of(&syntax::parse(text), None, None, Builder { merges: false });
    assert_eq!(plain.after(&Change::of_files(["a"])).runs(), 3);
}

#[test]
fn mounts_count_by_content() {
    let text = "FROM x AS s\nCOPY a /s/a\nCOPY b /t/b\nFROM x\nRUN --mount=type=bind,source=src,target=/s 1\n\
                RUN --mount=type=cache,target=/c 2\nRUN --mount=from=s,source=/t,target=/t 3\n";
    assert_eq!(edit(text, "src/x"), "5 6 7");
    assert_eq!(edit(text, "a"), "2 3");
    assert_eq!(edit(text, "b"), "3 7");
    assert_eq!(edit("FROM x\nRUN --mount=target=/s,rw 1\n", "notes.md"), "");
    assert_eq!(edit("FROM x\nRUN --mount=target=/s,rw 1\n", "b"), "2");
}

#[test]
fn arguments_count_from_their_declaration_on() {
    let text = "FROM x\nRUN 1\nCOPY a /\nARG V=1\nCOPY b /\nWORKDIR /w\nRUN 2\nLABEL v=$V\nRUN 3\n";
    assert_eq!(argument(text, "V"), "7 9");
    assert_eq!(argument(text, "OTHER"), "");
    assert_eq!(argument("FROM x AS a\nARG V\nFROM a\nRUN 1\n", "V"), "4", "a stage built FROM another inherits its ARGs");
    assert_eq!(argument("FROM x AS a\nARG V\nRUN 1\nFROM y\nRUN 1\nCOPY --from=a /a /\n", "V"), "3 6?");
    assert_eq!(argument("ARG V=1\nFROM x:$V\nRUN 1\n", "V"), "3");
    assert_eq!(argument("ARG V=1\nFROM x\nRUN 1\nARG V\nRUN 2\n", "V"), "5");
    assert_eq!(argument("ARG V=1\nFROM x:$V AS s\nFROM y\nCOPY --from=s /a /\n", "V"), "4?");
    assert_eq!(argument("FROM x\nARG V\nENV V=1\nRUN 1\n", "V"), "");
    assert_eq!(argument("FROM x\nARG V\nCOPY --chown=$V a /\n", "V"), "3");
    assert_eq!(argument("FROM x\nARG V\nUSER $V\nCOPY a /\nWORKDIR /w\n", "V"), "5");
    assert_eq!(argument("FROM x\nARG V\nWORKDIR /w$V\nCOPY a /\nCOPY a .\n", "V"), "3 4 5");
    assert_eq!(argument("FROM x\nARG V\nCOPY <<E /a\n$V\nE\nCOPY <<'E' /b\n$V\nE\n", "V"), "3 6");
    assert_eq!(argument("FROM x\nARG V\nCOPY <<'E' /b\n$V\nE\n", "V"), "");
}

#[test]
fn onbuild_runs_where_it_is_built_on() {
    let text = "FROM x AS a\nONBUILD COPY a /\nRUN 1\nFROM a AS b\nRUN 2\nFROM b\nRUN 3\n";
    assert_eq!(edit(text, "a"), "2 5 7");
    assert_eq!(edit("FROM x\nONBUILD COPY a /\nRUN 1\n", "a"), "");
}

#[test]
fn a_chain_leads_to_the_first_cause() {
    let text = "FROM x AS s\nCOPY a /a\nRUN make\nFROM x\nCOPY --from=s /out /\nRUN 1\n";
    let plan = plan(text, &view());
    let forecast = plan.after(&Change::of_files(["a"]));
    let lines: Vec<usize> = forecast.chain(3).into_iter().filter_map(|step| plan.steps.get(step)).map(|step| step.line).collect();
    assert_eq!(lines, [6, 5, 3, 2]);
    assert_eq!(forecast.fates.first().and_then(|fate| fate.because.clone()), Some(Cause::Files(vec![0])));
}

fn gains(before: &Plan, after: &Plan, view: Option<&View>) -> Vec<Gain> {
    super::gains(before, after, view, &|_| (1, 0))
}

const BEFORE: &str = "FROM x\nARG GIT_SHA\nCOPY . /app\nRUN pip install -r /app/a\nRUN make\n";
const AFTER: &str = "FROM x\nCOPY a /app/\nRUN pip install -r /app/a\nCOPY . /app\nARG GIT_SHA\nRUN make\n";

#[test]
fn a_gain_is_told_at_the_change_that_is_made_most() {
    let view = view().with_git(&["a"], &[&["src/y"], &["src/y", "a"], &["src/x"], &["notes.md"], &["notes.md"], &["notes.md"]]);
    let (before, after) = (plan(BEFORE, &view), plan(AFTER, &view));
    let words: Vec<String> = gains(&before, &after, Some(&view)).iter().map(ToString::to_string).collect();
    assert_eq!(words, ["an edit of src/y: 3 of 3 steps → 2 of 4", "another GIT_SHA: 2 of 3 steps → 1 of 4"]);
    let elsewhere = View::of_files([("a", None), ("lib/z", None)]);
    let gain = gains(&plan(BEFORE, &elsewhere), &plan(AFTER, &elsewhere), Some(&elsewhere));
    assert_eq!(gain.first().map(|gain| gain.at.clone()), Some(Typical::Edit("lib/z".to_owned())));
    let same = super::gains(&after, &after, Some(&view), &|_| (1, 1));
    assert_eq!(same, []);
}

#[test]
fn a_gain_may_show_in_the_history_alone() {
    let view = view().with_git(&["a"], &[&["src/x"], &["b"], &["b"], &["src/x"], &["src/x"]]);
    let (before, after) = ("FROM x\nCOPY src /src\nCOPY b /b\n", "FROM x\nCOPY b /b\nCOPY src /src\n");
    let words: Vec<String> =
        gains(&plan(before, &view), &plan(after, &view), Some(&view)).iter().map(ToString::to_string).collect();
    assert_eq!(words, ["an edit of src/x: 2 of 2 steps → 1 of 2"]);
}

#[test]
fn where_steps_stay_commands_and_installs_tell() {
    let view = View::of_files([("a", None), ("lib/z", None)]);
    let words = |before: &str, after: &str| -> Vec<String> {
        gains(&plan(before, &view), &plan(after, &view), Some(&view)).iter().map(ToString::to_string).collect()
    };
    let (before, after) =
        ("FROM x\nCOPY . .\nRUN pip install -r a && make\n", "FROM x\nCOPY a .\nRUN pip install -r a\nCOPY . .\nRUN make\n");
    assert_eq!(words(before, after), ["an edit of lib/z: 2 commands run again → 1"]);
    let (before, after) =
        ("FROM x\nCOPY . .\nRUN cargo build\n", "FROM x\nCOPY a .\nRUN cargo fetch\nCOPY . .\nRUN cargo build\n");
    assert_eq!(words(before, after), ["an edit of lib/z: installs that fetch dependencies: 1 → 0"]);
}

#[test]
fn a_cost_that_grows_is_seen() {
    let view = view();
    assert_eq!(grown(&plan(BEFORE, &view), &plan(AFTER, &view), &view), None);
    let words = grown(&plan(AFTER, &view), &plan(BEFORE, &view), &view).unwrap();
    assert_eq!(words, "an edit of b would make 2 commands run again, not 1");
    let often = view.with_git(&["a"], &[&["a"], &["src/x"]]);
    let words = grown(&plan(AFTER, &often), &plan(BEFORE, &often), &often).unwrap();
    assert_eq!(words, "over the last 2 commits 4 commands would run again, not 3");
}

#[test]
fn a_first_half_that_reads_as_the_command_itself_weighs_nothing() {
    let view = view().with_git(&["a"], &[&["a", "src/x"]]);
    let before = plan("FROM x\nCOPY . /app\nRUN cargo build\n", &view);
    let after = plan("FROM x\nCOPY a /app/\nRUN cargo build\nCOPY . /app\nRUN cargo build\n", &view);
    assert_eq!(grown(&before, &after, &view), None);
}
