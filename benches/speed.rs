//! How long it takes: the pipeline over the corpus, the program over the corpus in one call, the program on one file.
//!
//! `DOCKEROPT_CORPUS=… cargo bench --bench speed`. It measures and prints; nothing fails by being slow.

use dockeropt::pipeline::{self, Options};
use dockeropt::transforms;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../tests/support/corpus.rs"]
mod corpus;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dockeropt");

/// The program's exit code over the corpus, which holds 13 files that the builder rejects.
const WITH_BROKEN_FILES: i32 = 2;

/// What one file is measured with: small, with something to do.
const ONE_FILE: &str = "FROM python:3.12-slim
COPY requirements.txt .
RUN apt-get update && apt-get install -y libpq5 && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir -r requirements.txt
";

fn main() {
    // `cargo test --all-targets` starts this too.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let Some(folder) = corpus::folder("speed") else { return };
    let samples = corpus::samples(&folder);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);

    let in_process = median(3, || {
        corpus::each(&samples, |sample| pipeline::run(&sample.text, &Options::default(), transforms::all()).passes);
    });
    println!("pipeline, {} files in this process, {cores} cores: {:.2} s (median of 3)", samples.len(), in_process.as_secs_f64());

    let files = Files::write(&samples);
    let (summary, bytes) = files.words();
    println!("fix --diff: {summary}; {:.1} MB of diff", bytes as f64 / 1e6);
    let all = median(3, || run(&files.folder));
    println!("fix --diff, {} files in one call, {cores} cores: {:.2} s (median of 3)", samples.len(), all.as_secs_f64());

    let one_file = files.folder.join("one").join("Dockerfile");
    std::fs::create_dir_all(one_file.parent().unwrap()).unwrap();
    std::fs::write(&one_file, ONE_FILE).unwrap();
    let one = median(20, || run(&one_file));
    println!("fix --diff, one file, the whole process: {:.2} ms (median of 20)", one.as_secs_f64() * 1e3);
}

/// The corpus laid out in a folder of its own, which goes in the end.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn write(samples: &[corpus::Sample]) -> Self {
        // Not below target/, which .gitignore names, and which the program would therefore skip.
        let folder = std::env::temp_dir().join(format!("dockeropt-speed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for sample in samples {
            std::fs::write(folder.join(format!("{}.Dockerfile", sample.name)), &sample.text).unwrap();
        }
        Self { folder }
    }

    /// The program's last line, which must speak of all files, and the size of the diff. The run warms the disk's cache as well.
    fn words(&self) -> (String, usize) {
        let output = Command::new(PROGRAM).args(["fix", "--diff"]).arg(&self.folder).output().unwrap();
        assert_eq!(output.status.code(), Some(WITH_BROKEN_FILES));
        let words = String::from_utf8(output.stderr).unwrap();
        let last = words.lines().last().unwrap_or_default().to_owned();
        assert!(last.contains(&format!("of {} files", corpus::FILES)), "{last}");
        (last, output.stdout.len())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn run(path: &Path) {
    let mut command = Command::new(PROGRAM);
    command.args(["fix", "--diff"]).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    let code = command.status().unwrap().code();
    assert!(matches!(code, Some(0 | WITH_BROKEN_FILES)), "{code:?}");
}

fn median(times: usize, mut what: impl FnMut()) -> Duration {
    let mut measured: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            what();
            start.elapsed()
        })
        .collect();
    measured.sort();
    measured[times / 2]
}
