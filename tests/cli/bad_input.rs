//! Bad input: a clear error or a clean pass, no panic, and the other files are done all the same.

use super::place::{Place, is_root};
use super::{AFTER, BEFORE};
use std::os::unix::fs::{PermissionsExt, symlink};

/// A bad file beside a good one, which must be written whatever the bad one is.
fn beside_a_good_one(bad: impl Fn(&Place), code: i32, words: &[&str]) {
    let place = Place::new();
    place.file("good/Dockerfile", BEFORE);
    bad(&place);
    let ran = place.run(&["fix", "--write"]).exits(code).says(words);
    assert!(ran.stderr.len() < 10_000, "{} bytes of error", ran.stderr.len());
    assert_eq!(place.text("good/Dockerfile"), AFTER);
}

#[test]
fn not_utf8() {
    let words = ["error: bad/Dockerfile:2:11: is not UTF-8 (byte 0xE9 at offset 20)", "save it as UTF-8"];
    beside_a_good_one(|place| drop(place.file("bad/Dockerfile", b"FROM a:1\nRUN ech\xc3\xb6 \xe9\n")), 2, &words);
}

#[test]
fn utf16() {
    let text: Vec<u8> = "\u{feff}FROM a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    beside_a_good_one(|place| drop(place.file("bad/Dockerfile", &text)), 2, &["UTF-16", "save it as UTF-8"]);
}

#[test]
fn empty() {
    beside_a_good_one(|place| drop(place.file("bad/Dockerfile", "")), 2, &["error: bad/Dockerfile:1:1: the file has no instruction"]);
    beside_a_good_one(|place| drop(place.file("bad/Dockerfile", "# x\n\n")), 2, &["has no instruction"]);
}

#[test]
fn a_directory_named_dockerfile_is_a_directory() {
    let place = Place::new();
    place.file("Dockerfile/Dockerfile", BEFORE).file("Dockerfile.d/other", BEFORE);
    place.run(&["fix", "--write"]).exits(0);
    assert_eq!(place.text("Dockerfile/Dockerfile"), AFTER);
    assert_eq!(place.text("Dockerfile.d/other"), BEFORE);
    place.file("Dockerfile/Dockerfile", BEFORE).run(&["fix", "--write", "Dockerfile"]).exits(0);
    assert_eq!(place.text("Dockerfile/Dockerfile"), AFTER);
    place.run(&["parse", "Dockerfile"]).exits(2).says(&["error: Dockerfile: is a folder"]);
}

#[test]
fn unreadable() {
    if is_root(&Place::new().path(".")) {
        return;
    }
    let lock = |place: &Place, name: &str| {
        std::fs::set_permissions(place.path(name), PermissionsExt::from_mode(0o000)).unwrap();
    };
    beside_a_good_one(|place| lock(place.file("bad/Dockerfile", BEFORE), "bad/Dockerfile"), 2, &["bad/Dockerfile: can't be read", "denied"]);
    beside_a_good_one(|place| lock(place.file("bad/Dockerfile", BEFORE), "bad"), 2, &["bad", "denied"]);
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
    beside_a_good_one(|place| symlink("Dockerfile", place.path("Dockerfile")).unwrap(), 2, &["Dockerfile: can't follow this link"]);
}

#[test]
fn nothing_of_that_name() {
    let place = Place::new();
    place.file("good/Dockerfile", BEFORE);
    place.run(&["fix", "--write", "nowhere/Dockerfile", "good"]).exits(2).says(&["error: nowhere/Dockerfile: can't be found"]);
    assert_eq!(place.text("good/Dockerfile"), AFTER);
}

#[test]
fn fifty_megabytes_of_one_line() {
    let line = format!("RUN {}", "x".repeat(50_000_000));
    beside_a_good_one(|place| drop(place.file("bad/Dockerfile", &line)), 2, &["error: bad/Dockerfile: is longer than 16 MiB"]);
}

#[test]
fn a_line_that_is_longer_than_the_builder_reads() {
    let line = format!("FROM a\nRUN {}\n", "x ".repeat(5_000_000));
    beside_a_good_one(|place| drop(place.file("bad/Dockerfile", &line)), 2, &["error: bad/Dockerfile:2:1: "]);
}

#[test]
fn endless_and_waiting_files() {
    let place = Place::new();
    place.file("good/Dockerfile", BEFORE);
    place.must("mkfifo", &["Dockerfile"], "");
    place.run(&["fix", "--write"]).exits(2).says(&["error: Dockerfile: is neither a file nor a folder"]);
    assert_eq!(place.text("good/Dockerfile"), AFTER);
    place.run(&["fix", "/dev/zero"]).exits(2).says(&["error: /dev/zero: "]);
    place.run(&["parse", "/dev/zero", "Dockerfile"]).exits(2).says(&["error: /dev/zero: is a device"]);
}

#[test]
fn ten_thousand_nested_substitutions() {
    for (open, close) in [("$(", ")"), ("`", "`"), ("{ ", "; }"), ("( ", " )"), ("\"$(", ")\""), ("${x:-", "}"), ("if x; then ", "; fi")] {
        let nest = format!("FROM a\nRUN {}pip install x{}\n", open.repeat(10_000), close.repeat(10_000));
        beside_a_good_one(|place| drop(place.file("deep/Dockerfile", &nest)), 0, &[]);
    }
}

#[test]
fn a_nul_byte() {
    beside_a_good_one(|place| drop(place.file("nul/Dockerfile", "FROM a\nRUN pip install \0 x\n")), 0, &[]);
    beside_a_good_one(|place| drop(place.file("nul/Dockerfile", "\0FROM a\n")), 2, &["nul/Dockerfile:1:1: "]);
}
