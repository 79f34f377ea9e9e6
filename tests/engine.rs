//! Rewrites on a real build engine: what is Safe gives an equal image, and after an edit of the source the dependencies are in the
//! cache.
//!
//! An engine is what DOCKER_HOST or docker's own settings lead to, with the base images there: no registry is asked. Without one
//! these tests say that they were skipped; with `DOCKEROPT_ENGINE=required` they fail. `DOCKEROPT_ENGINE_PAIRS=all` builds the pairs
//! that take long, too, and `DOCKEROPT_ENGINE_ONLY=TEXT` those whose names hold the text.
#![cfg(unix)]

#[path = "engine/buildah.rs"]
mod buildah;
#[path = "engine/case.rs"]
mod case;
#[path = "engine/differences.rs"]
mod differences;
#[path = "engine/frontend.rs"]
mod frontend;
#[path = "engine/naive.rs"]
mod naive;
#[path = "engine/workshop.rs"]
mod workshop;

use case::Case;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use workshop::{Report, Workshop};

/// What `.ci/run` builds at least.
const FEWEST_PAIRS: usize = 40;

/// Each of these must have three rewrites that were built.
const TRANSFORMS: &[&str] = &[
    "cache-mounts",
    "dockerignore",
    "hoist-setup",
    "order-by-change",
    "sink-volatile",
    "split-dependency-copy",
    "syntax-header",
];

/// What must be among the cases.
const COVERED: &[&str] = &[
    "apt",
    "pip",
    "uv",
    "poetry",
    "npm",
    "yarn",
    "pnpm",
    "cargo",
    "go",
    "bundler",
    "composer",
    "non-root user",
    "CRLF",
    "heredoc",
    "workspace",
    "stages",
];

/// Not proved here, and why: printed with the count.
const UNPROVED: &[(&str, &str)] = &[
    ("maven, gradle, sbt", "no Java packages can be fetched where this runs"),
    ("bundler, composer", "only with packages that are in the image or in the project"),
    ("go with downloads", "no module proxy can be reached"),
    ("apk, dnf, yum, tdnf, microdnf, zypper, pacman", "there are no base images of these systems"),
    ("dotnet, mix, conda, bun", "there are no base images of these"),
];

#[test]
fn safe_rewrites_give_equal_images_and_edits_leave_dependencies_cached() {
    let Some(workshop) = Workshop::open() else { return };
    let cases = Case::chosen();
    let whole = std::env::var_os("DOCKEROPT_ENGINE_ONLY").is_none();
    let reports = built(&workshop, &cases);
    let failed: Vec<&str> = reports.iter().filter_map(|report| report.failed.as_deref()).collect();
    summary(&reports);
    assert!(failed.is_empty(), "{} of {} pairs:\n{}", failed.len(), reports.len(), failed.join("\n"));
    if whole {
        complete(&cases, &reports);
    }
}

/// Two at a time: one waits for the network while the other computes.
fn built(workshop: &Workshop, cases: &[Case]) -> Vec<Report> {
    let next = Mutex::new(cases.iter());
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut bench = workshop.bench();
                loop {
                    let case = next.lock().unwrap().next();
                    let Some(case) = case else { break };
                    let report = bench.prove(case);
                    println!("{report}");
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap()
}

fn summary(reports: &[Report]) {
    let of = |transform: &str| reports.iter().filter(|report| report.transforms.contains(transform)).count();
    println!("\n{} pairs built before and after", reports.len());
    println!("  equal: {}", reports.iter().filter(|report| report.equal).count());
    println!("  different as their transforms say (unsafe): {}", reports.iter().filter(|report| report.as_said).count());
    println!("  dependency step CACHED after an edit: {}", reports.iter().filter(|report| report.cached).count());
    TRANSFORMS.iter().for_each(|transform| println!("  {transform}: {}", of(transform)));
    println!("not proved:");
    UNPROVED.iter().for_each(|(what, why)| println!("  {what}: {why}"));
}

fn complete(cases: &[Case], reports: &[Report]) {
    assert!(reports.len() >= FEWEST_PAIRS, "only {} pairs", reports.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for report in reports {
        report.transforms.iter().for_each(|transform| *counts.entry(transform).or_default() += 1);
    }
    for transform in TRANSFORMS {
        assert!(counts.get(transform).copied().unwrap_or_default() >= 3, "{transform}: {counts:?}");
    }
    let covered: BTreeSet<&str> = cases.iter().flat_map(|case| &case.covers).map(String::as_str).collect();
    let missing: Vec<_> = COVERED.iter().filter(|what| !covered.contains(*what)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
