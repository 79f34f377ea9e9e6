//! Bad input: a clear error or a clean pass, no panic, and the other files are done all the same.

use super::place::Place;
use super::{BEFORE, after};
use std::os::unix::fs::symlink;

/// A bad file beside a good one, which must be written whatever the bad one is.
fn beside_a_good_one(bad: impl Fn(&Place), code: i32, words: &[&str]) {
    let place = Place::new();
    place.file("good/Dockerfile", BEFORE);
    bad(&place);
    let ran = place.run(&["fix", "--write"]).exits(code).says(words);
    assert!(ran.stderr.len() < 10_000, "{} bytes of error", ran.stderr.len());
    assert_eq!(place.text("good/Dockerfile"), after());
}

/// A bad file of this content.
fn file(content: impl AsRef<[u8]>) -> impl Fn(&Place) {
    move |place| {
        place.file("bad/Dockerfile", &content);
    }
}

#[test]
fn not_utf8() {
    let words = ["error: bad/Dockerfile:2:10: is not UTF-8 (byte 0xE9 at offset 19)", "save it as UTF-8"];
    beside_a_good_one(file(b"FROM a:1\nRUN ech\xc3\xb6 \xe9\n"), 2, &words);
}

#[test]
fn utf16() {
    let text: Vec<u8> = "\u{feff}FROM a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    beside_a_good_one(file(text), 2, &["UTF-16", "save it as UTF-8"]);
}

#[test]
fn empty() {
    beside_a_good_one(file(""), 2, &["error: bad/Dockerfile:1:1: the file has no instruction"]);
    beside_a_good_one(file("# x\n\n"), 2, &["has no instruction"]);
}

#[test]
fn a_directory_named_dockerfile_is_a_directory() {
    let place = Place::new();
    place.file("Dockerfile/Dockerfile", BEFORE).file("Dockerfile.d/other", BEFORE);
    place.run(&["fix", "--write"]).exits(0);
    assert_eq!(place.text("Dockerfile/Dockerfile"), after());
    assert_eq!(place.text("Dockerfile.d/other"), BEFORE);
    place.file("Dockerfile/Dockerfile", BEFORE).run(&["fix", "--write", "Dockerfile"]).exits(0);
    assert_eq!(place.text("Dockerfile/Dockerfile"), after());
    place.run(&["parse", "Dockerfile"]).exits(2).says(&["error: Dockerfile: is a folder"]);
}

#[test]
fn unreadable() {
    for (name, mode) in [("bad/Dockerfile", 0o000), ("bad", 0o000)] {
        let place = Place::new();
        place.file("bad/Dockerfile", BEFORE).file("good/Dockerfile", BEFORE);
        for name in ["bad", "bad/Dockerfile", "good", "good/Dockerfile"] {
            place.give_away(name);
        }
        place.mode(name, mode);
        place.run_as_nobody(&["fix", "--write"]).exits(2).says(&["error: ", name, "ermission denied", "1 of 2 files changed"]);
        assert_eq!(place.text("good/Dockerfile"), after());
        place.mode(name, 0o755);
    }
}

#[test]
fn a_dangling_link() {
    let link = |place: &Place| {
        place.file("bad/x", "");
        symlink("nowhere", place.path("bad/Dockerfile")).unwrap();
    };
    beside_a_good_one(link, 2, &["error: bad/Dockerfile: can't follow this link to nowhere"]);
}

#[test]
fn a_link_to_itself() {
    beside_a_good_one(
        |place| symlink("Dockerfile", place.path("Dockerfile")).unwrap(),
        2,
        &["Dockerfile: can't follow this link"],
    );
}

#[test]
fn nothing_of_that_name() {
    let place = Place::new();
    place.file("good/Dockerfile", BEFORE);
    place.run(&["fix", "--write", "nowhere/Dockerfile", "good"]).exits(2).says(&["error: nowhere/Dockerfile: can't be found"]);
    assert_eq!(place.text("good/Dockerfile"), after());
}

#[test]
fn fifty_megabytes_of_one_line() {
    let line = format!("RUN {}", "x".repeat(50_000_000));
    beside_a_good_one(file(line), 2, &["error: bad/Dockerfile: is longer than 16 MiB"]);
}

#[test]
fn a_line_that_is_longer_than_the_builder_reads() {
    let line = format!("FROM a\nRUN {}\n", "x ".repeat(5_000_000));
    beside_a_good_one(file(line), 2, &["error: bad/Dockerfile:2:1: "]);
}

#[test]
fn endless_and_waiting_files() {
    let place = Place::new();
    place.file("good/Dockerfile", BEFORE);
    place.must("mkfifo", &["Dockerfile"], "");
    place.run(&["fix", "--write"]).exits(2).says(&["error: Dockerfile: is neither a file nor a folder"]);
    assert_eq!(place.text("good/Dockerfile"), after());
    place.run(&["fix", "/dev/zero"]).exits(2).says(&["error: /dev/zero: "]);
    place.run(&["parse", "/dev/zero", "Dockerfile"]).exits(2).says(&["error: /dev/zero: is a device"]);
}

#[test]
fn ten_thousand_nested_substitutions() {
    for (open, close) in
        [("$(", ")"), ("`", "`"), ("{ ", "; }"), ("( ", " )"), ("\"$(", ")\""), ("${x:-", "}"), ("if x; then ", "; fi")]
    {
        // The builder reads no line longer than 64 KiB, so the nest goes over many.
        let many = |text: &str| vec![text.repeat(1000); 10].join("\\\n");
        let nest = format!("FROM a\nRUN {}pip install x{}\n", many(open), many(close));
        beside_a_good_one(file(nest), 0, &[]);
    }
}

#[test]
fn a_nul_byte() {
    beside_a_good_one(file("FROM a\nRUN pip install \0 x\n"), 0, &[]);
    beside_a_good_one(file("\0FROM a\n"), 0, &[]); // an unknown instruction, which the parser passes
}
