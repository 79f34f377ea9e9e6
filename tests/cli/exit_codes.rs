//! The table of exit codes, and where several hold.

use super::place::Place;
use super::{BEFORE, FINE, after};

const BROKEN: &str = "FROM scratch\nENV a\n";

/// A folder with one file of each kind.
fn place() -> Place {
    let place = Place::new();
    place.file("better/Dockerfile", BEFORE).file("fine/Dockerfile", FINE).file("bad/Dockerfile", b"FROM a\nRUN \xff\n");
    place
}

#[test]
fn zero_is_done_whether_or_not_there_was_anything_to_change() {
    place().run(&["fix", "fine"]).exits(0).prints("");
    place().run(&["fix", "better"]).exits(0);
    place().run(&["fix", "--diff", "better"]).exits(0);
    place().run(&["fix", "--write", "better"]).exits(0);
    place().run(&["fix", "--check", "fine"]).exits(0);
    place().run(&["fix", "--exit-code", "fine"]).exits(0);
    place().run(&["fix", "--write", "--exit-non-zero-on-fix", "fine"]).exits(0);
}

#[test]
fn one_is_a_change_for_those_who_ask() {
    place()
        .run(&["fix", "--check", "better", "fine"])
        .exits(1)
        .prints("would change: better/Dockerfile\n1 of 2 files would change, 2 fixes\n");
    place().run(&["fix", "--exit-code", "better"]).exits(1);
    place().run(&["fix", "--exit-code", "-"]).exits(2); // empty input
    let place = place();
    place.run(&["fix", "--write", "--exit-non-zero-on-fix", "better"]).exits(1);
    assert_eq!(place.text("better/Dockerfile"), after());
    place.run(&["fix", "--write", "--exit-non-zero-on-fix", "better"]).exits(0);
}

#[test]
fn one_is_for_what_is_pending_or_made_as_asked_for() {
    place().run(&["fix", "--write", "--exit-code", "better"]).exits(0);
    place().run(&["fix", "--exit-non-zero-on-fix", "better"]).exits(0);
}

#[test]
fn two_is_a_failed_file_and_the_others_are_done() {
    let place = place();
    place
        .run(&["fix", "--write", "--exit-non-zero-on-fix", "."])
        .exits(2)
        .says(&["error: bad/Dockerfile:2:5: is not UTF-8", "1 failed"]);
    assert_eq!(place.text("better/Dockerfile"), after());
    place.run(&["fix", "--check", "."]).exits(2);
}

#[test]
fn two_is_bad_usage_and_says_what_would_be_right() {
    let place = place();
    for arguments in [["fix", "--only", "nonsense"], ["fix", "--skip", "cache-mounts,nonsense"]] {
        place.run(&arguments).exits(2).says(&["nonsense", "cache-mounts", "syntax-header"]);
    }
    place.run(&["fix", "--check", "--write"]).exits(2).says(&["cannot be used with"]);
    place.run(&["fix", "--syntax", "a b"]).exits(2).says(&["docker/dockerfile:1"]);
    place.run(&["fix", "--nonsense"]).exits(2);
    place.run(&["nonsense"]).exits(2);
    place.run(&[]).exits(2).says(&["Usage"]);
    place.run(&["fix", "-", "fine"]).exits(2).says(&["can't be mixed"]);
    place.run(&["fix", "--write", "-"]).exits(2).says(&["leave it out"]);
    place.run(&["explain", "nonsense"]).exits(2).says(&["cache-mounts"]);
    assert_eq!(place.text("better/Dockerfile"), BEFORE);
}

#[test]
fn a_file_that_the_builder_refuses_is_told_by_line() {
    let place = Place::new();
    place.file("Dockerfile", BROKEN).file("x/Dockerfile", BEFORE);
    let ran = place.run(&["fix", "--write"]).exits(2).says(&["error: Dockerfile:2:1: "]);
    assert!(ran.stdout.is_empty());
    assert_eq!((place.text("Dockerfile").as_str(), place.text("x/Dockerfile").as_str()), (BROKEN, after()));
}

#[test]
fn help_teaches() {
    let help = Place::new().run(&["fix", "--help"]).exits(0).stdout;
    for part in [
        "Exit codes:",
        "What \"safe\" means:",
        "Examples:",
        "git apply",
        "--exit-non-zero-on-fix",
        "NO_COLOR",
        "docker/dockerfile:1",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert!(help.lines().count() < 120);
    let version = Place::new().run(&["--version"]).exits(0).stdout;
    assert_eq!(version, format!("dockeropt {}\n", env!("CARGO_PKG_VERSION")));
}
