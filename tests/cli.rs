//! What a user sees of the program: exit codes, what is printed where, what becomes of the files.
#![allow(clippy::panic)]

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/choosing_files.rs"]
mod choosing_files;
#[path = "cli/diffs.rs"]
mod diffs;
#[path = "cli/exit_codes.rs"]
mod exit_codes;
#[path = "cli/other_commands.rs"]
mod other_commands;
#[path = "cli/place.rs"]
mod place;
#[path = "cli/writing.rs"]
mod writing;

/// A file that two transforms improve.
const BEFORE: &str =
    "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n";
/// What they make of it.
const AFTER: &str = "# syntax=docker/dockerfile:1\nFROM python:3.12-slim\nCOPY requirements.txt .\n\
     RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n";
/// A file that nothing is to be done to.
const FINE: &str = "FROM scratch\nCOPY app /app\n";
