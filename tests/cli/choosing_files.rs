//! Which files a folder holds.

use super::place::Place;
use super::{BEFORE, FINE};
use std::os::unix::fs::symlink;

/// The files that would change, in the order in which they are printed.
fn chosen(place: &Place, arguments: &[&str]) -> Vec<String> {
    let ran = place.run(&[&["fix", "--check"], arguments].concat());
    ran.stdout.lines().filter_map(|line| line.strip_prefix("would change: ")).map(str::to_owned).collect()
}

#[test]
fn by_name_sorted_and_hidden_folders_too() {
    let place = Place::new();
    let names = [
        ".devcontainer/Dockerfile",
        "Containerfile",
        "Dockerfile",
        "Dockerfile.alpine",
        "a/b/c/app.Dockerfile",
        "a/dockerfile",
        "z.containerfile",
    ];
    let others = [
        ".git/Dockerfile",
        "Dockerfile.dockerignore",
        "Dockerfile.j2",
        "Dockerfile.md",
        "Dockerfile.orig",
        "Dockerfile~",
        "dockerfile.go",
        "docker-compose.yml",
        "a/notes",
    ];
    for name in names.iter().chain(&others) {
        place.file(name, BEFORE);
    }
    assert_eq!(chosen(&place, &[]), names);
    assert_eq!(chosen(&place, &["."]), names);
    assert_eq!(chosen(&place, &["a/", "Dockerfile"]), ["a/b/c/app.Dockerfile", "a/dockerfile", "Dockerfile"]);
}

#[test]
fn a_file_named_by_hand_is_always_taken() {
    let place = Place::new();
    place.file(".gitignore", "*\n").file("Dockerfile.j2", BEFORE).file("anything", BEFORE);
    assert_eq!(chosen(&place, &["Dockerfile.j2", "anything"]), ["Dockerfile.j2", "anything"]);
}

#[test]
fn ignore_files_hold_inside_and_outside_of_a_repository() {
    let place = Place::new();
    place
        .file(".gitignore", "build/\n!build/keep\n/Dockerfile.local\n")
        .file("Dockerfile.local", BEFORE)
        .file("Dockerfile", BEFORE);
    place
        .file("build/Dockerfile", BEFORE)
        .file("a/.gitignore", "*.Dockerfile\n")
        .file("a/x.Dockerfile", BEFORE)
        .file("a/Dockerfile", BEFORE);
    assert_eq!(chosen(&place, &[]), ["Dockerfile", "a/Dockerfile"]);
    place.must("git", &["init", "-q"], "");
    assert_eq!(chosen(&place, &[]), ["Dockerfile", "a/Dockerfile"]);
    assert_eq!(chosen(&place, &["a"]), ["a/Dockerfile"]);
}

#[test]
fn a_link_counts_where_it_stays_in_the_folder() {
    let place = Place::new();
    place.file("in/docker/base", BEFORE).file("out/base", BEFORE).file("in/real/Dockerfile", BEFORE);
    symlink("docker/base", place.path("in/Dockerfile")).unwrap();
    symlink("../out/base", place.path("in/Dockerfile.out")).unwrap();
    symlink("real/Dockerfile", place.path("in/Dockerfile.again")).unwrap();
    symlink("real", place.path("in/Dockerfile.folder")).unwrap();
    assert_eq!(chosen(&place, &["in"]), ["in/Dockerfile", "in/real/Dockerfile"]);
    assert_eq!(chosen(&place, &["in/Dockerfile.out"]), ["in/Dockerfile.out"]);
}

#[test]
fn nothing_found_is_said_and_is_no_error() {
    let place = Place::new();
    place.file("x", FINE).run(&["fix"]).exits(0).prints("").says(&["no Dockerfile in ."]);
    place.run(&["fix", "-q"]).exits(0).says(&[]);
}

#[test]
fn many_files_come_in_the_same_order_every_time() {
    let place = Place::new();
    let mut names: Vec<String> = (0..200).map(|number| format!("{}/{number:03}/Dockerfile", number % 7)).collect();
    for name in &names {
        place.file(name, BEFORE);
    }
    names.sort();
    assert_eq!(chosen(&place, &[]), names);
    assert_eq!(place.run(&["fix"]).stdout, place.run(&["fix"]).stdout);
}

/// busybox's `chown -R` gives away what a link leads to, GNU's and a COPY the link itself.
#[test]
fn links_in_a_folder_that_is_given_away() {
    let place = Place::new();
    let text = |image: &str| format!("FROM {image}\nWORKDIR /app\nCOPY . .\nRUN chown -R node /app\nUSER node\nRUN npm ci\n");
    let lock = r#"{"name": "a", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "a", "version": "1.0.0"}}}"#;
    place.file("package.json", r#"{"name": "a", "version": "1.0.0"}"#).file("package-lock.json", lock).file("index.js", "");
    symlink("index.js", place.path("start.js")).unwrap();
    let split = |image: &str| {
        place.file("Dockerfile", text(image));
        let arguments = ["fix", "--only", "split-dependency-copy", "--context", ".", "Dockerfile"];
        place.run(&arguments)
    };
    let left = split("node:20-alpine");
    assert!(left.stderr.contains("does so with a link as start.js") && left.stdout.is_empty(), "{}", left.stderr);
    let done = split("node:20").stdout;
    assert!(done.contains("+COPY --chown=node:root . .\n"), "{done}");
}
