//! Diffs that `git apply` and `patch -p1` take, and what is told under them.

use super::place::Place;
use super::{BEFORE, FINE, after};

/// Changes `names` by way of the diff, with both programs, and compares with the texts that are wanted.
fn applies(names: &[(&str, &str, &str)]) {
    for (program, arguments) in [("git", ["apply", "-"].as_slice()), ("patch", ["-p1", "--no-backup-if-mismatch"].as_slice())] {
        let place = Place::new();
        for (name, before, _) in names {
            place.file(name, before);
        }
        let diff = place.run(&["fix", "--diff"]).exits(0).stdout;
        if program == "git" {
            place.must("git", &["apply", "--check", "-"], &diff);
        }
        place.must(program, arguments, &diff);
        for (name, _, after) in names {
            assert_eq!(&place.text(name), after, "{name} by {program}:\n{diff}");
        }
        place.run(&["fix", "--exit-code"]).exits(0).prints("");
    }
}

#[test]
fn several_files_in_one_diff() {
    applies(&[("Dockerfile", BEFORE, after()), ("a/b/Dockerfile.x", BEFORE, after()), ("c/Dockerfile", FINE, FINE)]);
}

#[test]
fn names_that_have_to_be_quoted() {
    applies(&[
        ("a b/Dockerfile", BEFORE, after()),
        ("é\"x\\/Dockerfile.ü", BEFORE, after()),
        ("tab\there/Dockerfile", BEFORE, after()),
    ]);
}

#[test]
fn carriage_returns_and_the_last_line_without_an_end() {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let bare = |text: &str| text.trim_end().to_owned();
    applies(&[("a/Dockerfile", &crlf(BEFORE), &crlf(after()))]);
    applies(&[("a/Dockerfile", &bare(BEFORE), &bare(after()))]);
    applies(&[("a/Dockerfile", &crlf(&bare(BEFORE)), &crlf(&bare(after())))]);
    applies(&[("a/Dockerfile", &format!("\u{feff}{BEFORE}"), &format!("\u{feff}{}", after()))]);
}

#[test]
fn the_diff_is_the_default_and_stands_alone_on_standard_output() {
    let place = Place::new();
    place.file("app/Dockerfile", BEFORE);
    let default = place.run(&["fix"]).exits(0).says(&[
        "app/Dockerfile\n",
        "cache-mounts",
        "syntax-header",
        "1 of 1 file would change, 2 fixes",
    ]);
    let asked = place.run(&["fix", "--diff", "app/Dockerfile"]);
    assert_eq!(default.stdout, asked.stdout);
    let expected = "--- a/app/Dockerfile\n+++ b/app/Dockerfile\n@@ -1,3 +1,4 @@\n+# syntax=docker/dockerfile:1\n FROM python:3.12-slim\n \
         COPY requirements.txt .\n-RUN pip install --no-cache-dir -r requirements.txt\n\
         +RUN --mount=type=cache,target=/root/.cache/pip";
    assert!(default.stdout.starts_with(expected), "{}", default.stdout);
    assert_eq!(place.text("app/Dockerfile"), BEFORE);
}

#[test]
fn quiet_prints_the_diff_and_no_word() {
    let place = Place::new();
    place.file("Dockerfile", BEFORE);
    let ran = place.run(&["fix", "-q"]).exits(0);
    assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{}", ran.stderr);
}

#[test]
fn a_name_is_as_seen_from_the_current_folder() {
    let place = Place::new();
    place.file("app/Dockerfile", BEFORE).file("sub/x", "");
    let absolute = place.path("app/Dockerfile");
    let diff = place.run(&["fix", absolute.to_str().unwrap()]).exits(0).stdout;
    assert!(diff.starts_with("--- a/app/Dockerfile\n+++ b/app/Dockerfile\n"), "{diff}");
    // Above the current folder there is no name that `git apply` takes, so it is as seen from the root.
    let above = place.command(&["fix", "../app/Dockerfile"]).current_dir(place.path("sub")).output().unwrap();
    let diff = String::from_utf8(above.stdout).unwrap();
    assert!(diff.starts_with(&format!("--- a{}\n", absolute.display())), "{diff}");
    // A link is not what git would change, but the file that it leads to.
    std::os::unix::fs::symlink("app/Dockerfile", place.path("Dockerfile")).unwrap();
    let diff = place.run(&["fix", "Dockerfile"]).exits(0).says(&["Dockerfile\n"]).stdout;
    assert!(diff.starts_with("--- a/app/Dockerfile\n"), "{diff}");
    place.must("git", &["apply", "-"], &diff);
    assert_eq!(place.text("app/Dockerfile"), after());
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let place = Place::new();
    place.file("Dockerfile", BEFORE);
    let plain = place.run(&["fix"]);
    assert!(!plain.stdout.contains('\u{1b}') && !plain.stderr.contains('\u{1b}'));
    let coloured = place.run(&["fix", "--color", "always"]);
    assert!(coloured.stdout.contains("\u{1b}[32m+# syntax=docker/dockerfile:1\u{1b}[0m\n"), "{}", coloured.stdout);
    assert_eq!(place.run(&["fix", "--color", "never"]).stdout, plain.stdout);
}

#[test]
fn only_and_skip_choose_transforms() {
    let place = Place::new();
    place.file("Dockerfile", BEFORE);
    let without_header = after().strip_prefix("# syntax=docker/dockerfile:1\n").unwrap();
    for arguments in [["--only", "cache-mounts"], ["--skip", "syntax-header"], ["--syntax", "off"]] {
        let ran = place.run_with_input(&["fix", arguments[0], arguments[1], "-"], BEFORE.as_bytes()).exits(0);
        assert_eq!(ran.stdout, without_header, "{arguments:?}");
    }
    place.run(&["fix", "--only", "cache-mounts", "--only", "syntax-header", "--check"]).exits(1);
    place.run(&["fix", "--skip", "cache-mounts,syntax-header"]).exits(0).prints("");
    let mirror =
        place.run_with_input(&["fix", "--syntax", "mirror.example/dockerfile:1.7", "-"], BEFORE.as_bytes()).exits(0).stdout;
    assert!(mirror.starts_with("# syntax=mirror.example/dockerfile:1.7\n"), "{mirror}");
}

#[test]
fn standard_input_becomes_standard_output() {
    let place = Place::new();
    place.run_with_input(&["fix", "-"], BEFORE.as_bytes()).exits(0).prints(after());
    place.run_with_input(&["fix", "-", "--exit-code"], BEFORE.as_bytes()).exits(1).prints(after());
    place.run_with_input(&["fix", "-"], FINE.as_bytes()).exits(0).prints(FINE);
    place.run_with_input(&["fix", "--check", "-"], FINE.as_bytes()).exits(0);
    place.run_with_input(&["fix", "-"], b"FROM \xff").exits(2).says(&["error: -:1:6: is not UTF-8"]).prints("");
    let diff = place.run_with_input(&["fix", "--diff", "-"], BEFORE.as_bytes()).exits(0).stdout;
    place.file("Dockerfile", BEFORE).must("git", &["apply", "-"], &diff);
    assert_eq!(place.text("Dockerfile"), after());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    for number in 0..300 {
        place.file(&format!("{number}/Dockerfile"), BEFORE);
    }
    for arguments in [["fix"].as_slice(), ["fix", "--check"].as_slice(), ["list"].as_slice()] {
        let mut child =
            place.command(arguments).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    }
}
