//! The corpus of real Dockerfiles: the folder that DOCKEROPT_CORPUS names, which is no part of this repository.

#![allow(dead_code)] // each test uses its part

use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// How many there are, so that an empty corpus can't pass.
pub const FILES: usize = 10_876;

/// A real Dockerfile. All of them are UTF-8.
pub struct Sample {
    /// The hash of its bytes, by which it is named.
    pub name: String,
    pub text: String,
}

/// The folder; `None`, said aloud, where there is none. With CI set that is a failure: it must not look like a pass.
pub fn folder(test: &str) -> Option<PathBuf> {
    match std::env::var_os("DOCKEROPT_CORPUS") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => {
            assert!(std::env::var_os("CI").is_none(), "{test}: DOCKEROPT_CORPUS must name the corpus in CI");
            say(&format!("{test}: SKIPPED, DOCKEROPT_CORPUS is not set (the folder that holds dockerfiles.tar.gz)"));
            None
        }
    }
}

/// Prints past the test harness, which shows only what failing tests print.
pub fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").unwrap();
}

fn open(folder: &Path, name: &str) -> GzDecoder<File> {
    let path = folder.join(name);
    GzDecoder::new(File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Every Dockerfile of the corpus.
pub fn samples(folder: &Path) -> Vec<Sample> {
    let mut archive = tar::Archive::new(open(folder, "dockerfiles.tar.gz"));
    let mut samples = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        if path.extension().is_none_or(|extension| extension != "Dockerfile") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap_or_else(|error| panic!("{name}: {error}"));
        samples.push(Sample { name, text });
    }
    assert_eq!(samples.len(), FILES, "files read");
    samples
}

/// What the builder's own parser says of each file, by name.
pub fn oracle(folder: &Path) -> BTreeMap<String, Value> {
    let lines = BufReader::new(open(folder, "oracle.jsonl.gz")).lines();
    let answers = lines.map(|line| {
        let answer: Value = serde_json::from_str(&line.unwrap()).unwrap();
        (answer["file"].as_str().unwrap().to_owned(), answer)
    });
    let answers: BTreeMap<String, Value> = answers.collect();
    assert_eq!(answers.len(), FILES, "answers of the oracle");
    answers
}

/// `check` on every sample, over all cores; what it found, by name.
pub fn each<T: Send>(samples: &[Sample], check: impl Fn(&Sample) -> T + Sync) -> Vec<(&str, T)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Dealt out like cards: long files lie side by side in the archive.
    std::thread::scope(|scope| {
        let check = &check;
        let workers: Vec<_> = (0..cores)
            .map(|own| {
                let samples = samples.iter().skip(own).step_by(cores);
                scope.spawn(move || samples.map(|sample| (sample.name.as_str(), check(sample))).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// Fails with the first of what went wrong, and how much there is.
pub fn assert_none(what: &str, wrong: &[String]) {
    let first: Vec<&str> = wrong.iter().take(10).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{what}: {} times\n{}", wrong.len(), first.join("\n"));
}
