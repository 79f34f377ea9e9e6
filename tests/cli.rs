//! What a user sees of the program: exit codes, what is printed where, what becomes of the files.
#![cfg(unix)]

use dockeropt::{pipeline, transforms};
use std::sync::LazyLock;

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/choosing_files.rs"]
mod choosing_files;
#[path = "cli/cost.rs"]
mod cost;
#[path = "cli/diffs.rs"]
mod diffs;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/exit_codes.rs"]
mod exit_codes;
#[path = "cli/init.rs"]
mod init;
#[path = "cli/other_commands.rs"]
mod other_commands;
#[path = "cli/place.rs"]
mod place;
#[path = "cli/verify.rs"]
mod verify;
#[path = "cli/writing.rs"]
mod writing;

/// A file that two transforms improve.
const BEFORE: &str = "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n";
/// What they make of it. Where the mount comes and how it is written is for the transforms' own tests to say.
fn after() -> &'static str {
    static AFTER: LazyLock<String> = LazyLock::new(|| {
        let outcome = pipeline::run(BEFORE, &pipeline::Options::default(), transforms::all());
        assert!(outcome.after.starts_with("# syntax=docker/dockerfile:1\nFROM python:3.12-slim\n"));
        assert!(outcome.after.contains("\nRUN --mount=type=cache,target=/root/.cache/pip"));
        assert_eq!(outcome.applied.len(), 2);
        outcome.after
    });
    &AFTER
}

/// A file that nothing is to be done to.
const FINE: &str = "FROM scratch\nCOPY app /app\n";
