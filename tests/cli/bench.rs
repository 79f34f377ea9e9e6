//! `bench`, with a program that answers as an older docker does. `tests/bench.rs` has the real one.

use super::place::{Place, Ran};
use serde_json::Value;

/// Docker 20.10 without buildx: it builds by itself, and tells its progress in plain lines.
const DOCKER: &str = r#"#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
--version) echo "Docker version 20.10.24, build 297e128" ;;
version*) echo 20.10.24 ;;
buildx*) exit 1 ;;
"image inspect"*) echo 1500000 ;;
"image rm"*) ;;
build*)
  state=DONE
  case "$*" in *--no-cache*) ;; *) state=CACHED ;; esac
  for last; do :; done
  [ -f "$last/main.py" ] && echo "texts $(cksum <"$last/main.py") $(cksum <"$last/requirements.txt")" >>"$CALLS"
  [ -f "$FAILS" ] && { printf '#5 [2/2] RUN pip install -r requirements.txt\n#5 0.1 no such package\n#5 ERROR: exit code: 1\n' >&2; exit 1; }
  printf '#4 [1/2] COPY . .\n#4 %s\n\n#5 [2/2] RUN pip install\n#5 %s\n' "$state" "$state" >&2 ;;
*) exit 1 ;;
esac
"#;

fn place() -> Place {
    let place = Place::new();
    place.file("bin/docker", DOCKER).mode("bin/docker", 0o755);
    place.file("app/Dockerfile", "FROM python:3.12-slim\nCOPY . .\nRUN pip install -r requirements.txt\n");
    place.file("app/requirements.txt", "flask==3.0.0\n").file("app/main.py", "print(1)\n").file("temporary/x", "");
    place
}

fn bench(place: &Place, arguments: &[&str]) -> Ran {
    let mut command = place.command(&[&["bench"], arguments].concat());
    let path = format!("{}:/usr/bin:/bin", place.path("bin").display());
    command.env("PATH", path).env("CALLS", place.path("calls")).env("FAILS", place.path("fails"));
    Ran::of(command.env("TMPDIR", place.path("temporary")).env_remove("DOCKER_HOST").output().unwrap())
}

/// Nothing of ours is in the folder for temporary files.
#[track_caller]
fn left_nothing(place: &Place) {
    let names: Vec<_> = std::fs::read_dir(place.path("temporary")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["x"]);
}

#[test]
fn every_kind_of_build_is_a_row_and_the_context_stays_as_it_is() {
    let place = place();
    let ran = bench(&place, &["app", "--add-dependency", "--format", "json"]).exits(0).says(&["after: one more dependency  "]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let rows: Vec<&str> = json["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(rows, ["first-build", "nothing-changed", "source-edit", "one-more-dependency", "no-cache"]);
    assert_eq!(
        (&json["rows"][0]["before"]["steps_run"], &json["rows"][1]["before"]["steps_run"]),
        (&Value::from(2), &Value::from(0))
    );
    assert_eq!(json["image_bytes"]["after"], 1_500_000);
    assert!(
        json["about"].to_string().contains("Edited: main.py.")
            && json["about"].to_string().contains("Added: six to requirements.txt.")
    );
    assert_eq!((place.text("app/main.py"), place.text("app/requirements.txt")), ("print(1)\n".into(), "flask==3.0.0\n".into()));
    let calls = place.text("calls");
    let builds: Vec<&str> = calls.lines().filter(|line| line.starts_with("build ") && line.contains("NS=")).collect();
    assert_eq!(builds.len(), 10, "{calls}");
    assert!(
        builds.iter().all(|build| build.contains("--build-arg=BUILDKIT_CACHE_MOUNT_NS=dockeropt-")),
        "the user's mounts stay: {calls}"
    );
    let removed = calls.lines().filter(|line| line.starts_with("image rm ")).count();
    assert!(removed >= 10 && removed == calls.lines().filter(|line| line.contains("--tag=")).count(), "{calls}");
    left_nothing(&place);
}

/// What an earlier build left in the layer cache tells nothing of the next.
#[test]
fn each_edit_and_each_addition_is_one_that_was_never_built() {
    let place = place();
    bench(&place, &["app", "--add-dependency", "--runs", "2", "--quiet"]).exits(0);
    let calls = place.text("calls");
    let texts: Vec<&str> = calls.lines().filter_map(|line| line.strip_prefix("texts ")).collect();
    let distinct = |column: usize| {
        let of = |text: &&str| text.split(' ').nth(column).unwrap().to_owned();
        texts.iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
    };
    // As it is, and an edit or an addition for each side of each run.
    assert_eq!((distinct(0), distinct(2)), (1 + 4, 1 + 4), "{calls}");
}

#[test]
fn a_table_can_be_pasted() {
    let place = place();
    let ran = bench(&place, &["app/Dockerfile", "--quiet", "--format", "markdown", "--runs", "3"]).exits(0);
    assert_eq!(ran.stderr, "");
    assert!(
        ran.stdout.starts_with("| app/Dockerfile | before | after | |\n|---|---|---|---|\n| first build | "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("| image | 1.5 MB | 1.5 MB | |\n\nMedian of 3 runs on docker 20.10.24, "), "{}", ran.stdout);
    assert!(!ran.stdout.contains("one more dependency"), "that is asked for: {}", ran.stdout);
}

#[test]
fn a_build_that_fails_is_named_with_what_its_step_printed() {
    let place = place();
    place.file("fails", "");
    bench(&place, &["app"]).exits(2).prints("").says(&[
        "error: before: first build: ",
        "RUN pip install -r requirements.txt",
        "no such package",
    ]);
    left_nothing(&place);
}

#[test]
fn what_can_not_be_measured_is_said() {
    let place = place();
    place.file("fine/Dockerfile", "FROM scratch\nCOPY a /a\n").file("fine/a", "");
    bench(&place, &["fine"]).exits(0).prints("").says(&["nothing would change, so there is nothing to compare"]);
    bench(&place, &["."]).exits(2).says(&["there are several Dockerfiles in it: name one"]);
    bench(&place, &["app", "--edit", "nothing.py"]).exits(2).says(&["--edit nothing.py: is no file of the context"]);
    place.file("app/requirements.txt", "six==1.17.0\nidna\n");
    let ran = bench(&place, &["app", "--add-dependency", "--quiet"]).exits(0);
    assert!(
        ran.stdout
            .contains("No dependency was added: requirements.txt has six already: name another with --add-dependency=NAME."),
        "{}",
        ran.stdout
    );
    std::fs::remove_file(place.path("bin/docker")).unwrap();
    place.file("bin/none", "");
    bench(&place, &["app", "--engine", "nothing-of-that-name"]).exits(2).says(&["there is no such program"]);
    left_nothing(&place);
}

#[test]
fn two_files_are_compared_as_they_are() {
    let place = place();
    place.file(
        "app/new.Dockerfile",
        "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n",
    );
    let files = ["--before", "app/Dockerfile", "--after", "app/new.Dockerfile", "--context", "app", "--edit", "main.py"];
    let ran = bench(&place, &files).exits(0);
    assert!(ran.stdout.contains("after a source edit"), "{}", ran.stdout);
}

#[test]
fn broken_off_it_leaves_nothing() {
    let place = place();
    let hangs = DOCKER.replace("  state=DONE\n", "  case \"$*\" in *NS=*) exec sleep 600 ;; esac\n  state=DONE\n");
    place.file("bin/docker", hangs);
    let mut command = place.command(&["bench", "app"]);
    let path = format!("{}:/usr/bin:/bin", place.path("bin").display());
    command.env("PATH", path).env("CALLS", place.path("calls")).env("FAILS", place.path("fails"));
    command.env("TMPDIR", place.path("temporary")).env_remove("DOCKER_HOST");
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let has_begun = || std::fs::read_to_string(place.path("calls")).is_ok_and(|calls| calls.contains("NS=dockeropt-"));
    while !has_begun() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    place.must("kill", &["-INT", &child.id().to_string()], "");
    Ran::of(child.wait_with_output().unwrap()).exits(2).says(&["error: before: first build: broken off"]);
    let calls = place.text("calls");
    let tag = calls.lines().rev().find_map(|line| line.split_once("--tag=")).unwrap().1.split(' ').next().unwrap();
    assert!(calls.contains(&format!("image rm {tag}")), "the image may be there already: {calls}");
    left_nothing(&place);
}
