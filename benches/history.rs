//! How long `dockeropt cost --history 200` takes in a big repository.
//!
//! `cargo bench --bench history`. It makes a repository of 20,000 files with 400 commits, measures and prints; nothing fails by being
//! slow. Needs git.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dockeropt");

const FILES: usize = 20_000;
/// Twice as many as are replayed.
const COMMITS: usize = 400;

const DOCKERFILE: &str = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\nCMD [\"node\", \".\"]\n";

fn main() {
    // `cargo test --all-targets` starts this too.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let repository = Repository::make();
    let mut times: Vec<Duration> = (0..5).map(|_| repository.cost()).collect();
    times.sort();
    let seconds = |time: &Duration| time.as_secs_f64();
    println!(
        "cost --history 200, {FILES} files, {COMMITS} commits: {:.2} s (median of 5, {:.2} to {:.2})",
        seconds(&times[2]),
        seconds(&times[0]),
        seconds(&times[4])
    );
}

struct Repository(PathBuf);

impl Repository {
    fn make() -> Self {
        let folder = std::env::temp_dir().join(format!("dockeropt-history-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = Self(folder);
        made.git(&["init", "-q"], "");
        made.git(&["fast-import", "--quiet"], &stream());
        made.git(&["reset", "-q", "--hard", "main"], "");
        made
    }

    fn git(&self, arguments: &[&str], input: &str) {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(&self.0)
            .args(["-c", "init.defaultBranch=main"])
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "git {arguments:?}");
    }

    fn cost(&self) -> Duration {
        let start = Instant::now();
        let output = Command::new(PROGRAM).args(["cost", "--history", "200"]).current_dir(&self.0).output().unwrap();
        let time = start.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        time
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What `git fast-import` reads: a first commit with all files, then commits that touch a few each.
fn stream() -> String {
    let mut text = String::new();
    let commit = |text: &mut String, number: usize| {
        let words = format!("change {number}");
        write!(
            text,
            "commit refs/heads/main\ncommitter a <a@b> {} +0000\ndata {}\n{words}\n",
            1_700_000_000 + number,
            words.len()
        )
        .unwrap();
    };
    let file = |text: &mut String, path: &Path, content: &str| {
        write!(text, "M 100644 inline {}\ndata {}\n{content}\n", path.display(), content.len()).unwrap();
    };
    commit(&mut text, 0);
    file(&mut text, Path::new("Dockerfile"), DOCKERFILE);
    file(&mut text, Path::new("package.json"), "{\"name\":\"a\",\"version\":\"1.0.0\"}");
    file(&mut text, Path::new("package-lock.json"), "{\"name\":\"a\",\"lockfileVersion\":3,\"packages\":{}}");
    file(&mut text, Path::new(".dockerignore"), "node_modules\n.git\n");
    (0..FILES).for_each(|number| file(&mut text, &source(number), &number.to_string()));
    for number in 1..COMMITS {
        commit(&mut text, number);
        for touched in 0..1 + number % 7 {
            file(&mut text, &source(number * 37 + touched * 5003), &format!("{number} {touched}"));
        }
        if number % 20 == 0 {
            file(
                &mut text,
                Path::new("package-lock.json"),
                &format!("{{\"lockfileVersion\":3,\"packages\":{{}},\"n\":{number}}}"),
            );
        }
    }
    text
}

fn source(number: usize) -> PathBuf {
    let number = number % FILES;
    PathBuf::from(format!("src/part{}/section{}/file{number}.js", number / 400, number / 20 % 20))
}
