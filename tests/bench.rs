//! `dockeropt bench` on a real engine: what is cached after an edit, what is fetched for one more dependency, and that the user's
//! caches and images stay as they were.
//!
//! Without an engine each test says that it was skipped; with `DOCKEROPT_ENGINE=required` it fails then.
#![cfg(unix)]

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Whether the engine answers.
fn has_engine() -> bool {
    let output = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
    let answers = output.is_ok_and(|output| output.status.success());
    let required = std::env::var("DOCKEROPT_ENGINE").is_ok_and(|value| value == "required");
    assert!(answers || !required, "DOCKEROPT_ENGINE=required, and no engine answers");
    if !answers {
        eprintln!("skipped: no engine answers");
    }
    answers
}

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dockeropt-test-bench-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a bench measured.
struct Bench(Value);

impl Bench {
    fn run(path: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        command.arg("bench").arg(path).args(["--network=host", "--frontend=builtin", "--format=json"]).args(more);
        let output = command.current_dir(ROOT).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(serde_json::from_slice(&output.stdout).unwrap())
    }

    fn cell(&self, row: &str, side: &str) -> &Value {
        let rows = self.0["rows"].as_array().unwrap();
        let row = rows.iter().find(|one| one["id"] == row).unwrap_or_else(|| panic!("no row {row}: {}", self.0));
        assert!(row[side]["seconds"].as_f64().unwrap() > 0.0);
        &row[side]
    }

    /// The states of the steps in which these words stand.
    fn states(&self, row: &str, side: &str, words: &str) -> Vec<String> {
        let steps = self.cell(row, side)["steps"].as_array().unwrap();
        let own = steps.iter().filter(|step| step["name"].as_str().unwrap().contains(words));
        own.map(|step| step["state"].as_str().unwrap().to_owned()).collect()
    }

    fn print(&self, name: &str) {
        let seconds = |row: &str, side: &str| self.cell(row, side)["seconds"].as_f64().unwrap();
        let (before, after) = (seconds("source-edit", "before"), seconds("source-edit", "after"));
        println!("{name}: after a source edit {before:.1} s before, {after:.1} s after");
    }
}

fn names_of_ours() -> String {
    let output = Command::new("docker").args(["images", "--format", "{{.Repository}}"]).output().unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().filter(|name| name.starts_with(&format!("dockeropt-{}", std::process::id()))).collect()
}

/// A source edit leaves the install in the cache, where it ran again before.
fn dependency_is_cached(example: &str, install: &str, before: &str, more: &[&str]) {
    if !has_engine() {
        return;
    }
    let bench = Bench::run(Path::new(&format!("examples/{example}/before")), more);
    assert_eq!(bench.states("source-edit", "before", install), [before], "{}", bench.0);
    assert_eq!(bench.states("source-edit", "after", install).first().map(String::as_str), Some("cached"), "{}", bench.0);
    assert_eq!(bench.cell("nothing-changed", "after")["steps_run"], 0, "{}", bench.0);
    assert!(!bench.states("first-build", "after", install).contains(&"cached".to_owned()), "a first build has no layers");
    bench.print(example);
    assert_eq!(names_of_ours(), "");
}

#[test]
fn pip_is_cached_after_a_source_edit() {
    dependency_is_cached("pip-cache", "pip install", "cached", &[]);
}

#[test]
fn npm_is_cached_after_a_source_edit() {
    dependency_is_cached("npm-workspaces", "npm ci", "run", &[]);
}

#[test]
fn cargo_is_cached_after_a_source_edit() {
    if !has_engine() {
        return;
    }
    let bench = Bench::run(Path::new("examples/cargo-service/before"), &[]);
    assert_eq!(bench.states("source-edit", "before", "cargo build"), ["run"], "{}", bench.0);
    assert_eq!(bench.states("source-edit", "after", "cargo fetch"), ["cached"], "{}", bench.0);
    bench.print("cargo-service");
}

#[test]
fn a_copy_of_everything_before_pip_runs_it_again_and_the_rewritten_file_does_not() {
    if !has_engine() {
        return;
    }
    let folder = Folder::new();
    folder.file("Dockerfile", "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n");
    folder.file("requirements.txt", "six==1.17.0\n");
    folder.file("main.py", "print(1)\n");
    let bench = Bench::run(&folder.0, &[]);
    assert_eq!(bench.states("source-edit", "before", "pip install"), ["run"], "{}", bench.0);
    assert_eq!(bench.states("source-edit", "after", "pip install"), ["cached"], "{}", bench.0);
    assert_eq!(std::fs::read_to_string(folder.0.join("main.py")).unwrap(), "print(1)\n", "the edit is made on a copy");
    bench.print("pip behind the source");
}

/// The index, until the value goes.
struct Index {
    server: Child,
    port: u16,
}

impl Index {
    fn start(wheels: &Path, log: &Path, packages: &[&str]) -> Self {
        let mut command = Command::new("python3");
        command.arg(Path::new(ROOT).join("tests/bench/index.py")).arg(wheels).arg(log).args(packages);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { server, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// One more dependency costs that dependency and no more, where the index lets pip keep what it fetched.
#[test]
fn one_more_dependency_is_all_that_is_fetched() {
    if !has_engine() {
        return;
    }
    let folder = Folder::new();
    let (wheels, log) = (folder.0.join("wheels"), folder.file("log", ""));
    std::fs::create_dir_all(&wheels).unwrap();
    let index = Index::start(&wheels, &log, &["alpha=1500000", "beta=1500000", "gamma=1000000", "extra=20000"]);
    // Without https pip keeps only what comes from a host that it is told to trust.
    let host = format!("--index-url http://127.0.0.1:{}/simple\n--trusted-host 127.0.0.1", index.port);
    folder.file("app/requirements.txt", &format!("{host}\nalpha==1.0\nbeta==1.0\ngamma==1.0\n"));
    folder.file("app/main.py", "");
    folder.file(
        "app/Dockerfile",
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY . .\n",
    );
    // Docker, with a mark in the log behind each build.
    let script = format!(
        "#!/bin/sh\ndocker \"$@\"\ncode=$?\ncase \"$1 $2 $*\" in *--load*) echo built >>'{}' ;; esac\nexit $code\n",
        log.display()
    );
    let docker = folder.file("docker", &script);
    std::fs::set_permissions(&docker, PermissionsExt::from_mode(0o755)).unwrap();
    let bench = Bench::run(&folder.0.join("app"), &["--add-dependency=extra", "--engine", docker.to_str().unwrap()]);
    for side in ["before", "after"] {
        assert_eq!(bench.states("one-more-dependency", side, "pip install"), ["run"], "{}", bench.0);
    }

    let text = std::fs::read_to_string(&log).unwrap();
    let builds: Vec<u64> = text.split("built\n").map(bytes).collect();
    // Base images first; then five builds of each side, and nothing behind the last mark.
    assert!(builds.len() > 10 && builds.last() == Some(&0), "{text}");
    let own = &builds[builds.len() - 11..builds.len() - 1];
    let (before, after) = (own[3], own[8]);
    println!("one more dependency: {before} bytes fetched before, {after} after ({})", 100 * after / before);
    assert!(own[0] > 4_000_000 && own[5] > 4_000_000, "a first build fetches everything: {own:?}");
    assert!(before > 4_000_000 && after > 20_000, "both fetch what is new: {own:?}");
    assert!(after * 10 < before, "over 90% fewer: {own:?}");
}

fn bytes(log: &str) -> u64 {
    let sent = log.lines().filter_map(|line| line.strip_prefix("sent "));
    sent.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn docker_build(dockerfile: &str, context: &Path) -> String {
    let file = context.join("probe.Dockerfile");
    std::fs::write(&file, dockerfile).unwrap();
    let mut command = Command::new("docker");
    command
        .args(["buildx", "build", "--progress=plain", "--network=host", "--output=type=cacheonly", "--file"])
        .arg(&file)
        .arg(context);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

/// A bench builds with --no-cache twice, which empties cache mounts on this engine: not the user's.
#[test]
fn the_users_cache_mounts_stay_as_they_were() {
    if !has_engine() {
        return;
    }
    let folder = Folder::new();
    let own = format!("dockeropt-users-{}", std::process::id());
    let mount = format!("RUN --mount=type=cache,id={own},target=/kept");
    // The layer cache doesn't look at a mount's id: the command itself must be one that was never run.
    docker_build(&format!("FROM python:3.12-slim\n{mount} echo the-users {own} > /kept/file\n"), &folder.0);
    let app = Folder::new();
    let before = format!("FROM python:3.12-slim\nCOPY . /app\n{mount} echo benchs >> /kept/file\n");
    let (before, after) = (app.file("before", &before), app.file("after", &format!("{before}LABEL a=b\n")));
    app.file("main.py", "");
    let both = ["--before", before.to_str().unwrap(), "--after", after.to_str().unwrap(), "--context", app.0.to_str().unwrap()];
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
    command.arg("bench").args(both).args(["--network=host", "--frontend=builtin", "--format=json"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = docker_build(&format!("FROM python:3.12-slim\n{mount} echo found: $(cat /kept/file) read by {own}\n"), &folder.0);
    assert!(said.contains(&format!(" found: the-users {own} read by {own}")), "{said}");
    let used = Command::new("docker").args(["buildx", "du", "--verbose", "--filter", "type=exec.cachemount"]).output().unwrap();
    let used = String::from_utf8(used.stdout).unwrap();
    let ids: Vec<&str> = used
        .split("\n\n")
        .filter(|record| record.contains(&own))
        .filter_map(|record| Some(record.lines().find_map(|line| line.strip_prefix("ID:"))?.trim()))
        .collect();
    assert_eq!(ids.len(), 1, "the bench's own mounts are gone, the user's is there: {used}");
    for id in ids {
        Command::new("docker").args(["buildx", "prune", "--force", "--filter", &format!("id={id}")]).output().unwrap();
    }
}
