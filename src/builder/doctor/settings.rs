//! Settings of an engine: its file, the environment, the CI around.
//!
//! Owns: where each system keeps them, and reading them. Never does: write one.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// A file of the engine's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonFile {
    /// Where it lies.
    pub path: PathBuf,
    /// `features.buildkit`.
    pub buildkit: Option<bool>,
    /// `builder.gc.enabled`.
    pub collects: Option<bool>,
    /// What it keeps: `builder.gc.defaultKeepStorage` or its successors, as it is written.
    pub keeps: Option<String>,
    /// It is no JSON: the engine does not start with it.
    pub is_broken: bool,
}

/// The CI that this runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// Its name.
    pub name: &'static str,
    /// Each run gets a new machine, as far as is known.
    pub is_new_each_time: bool,
}

/// Variables that builds hang on.
const VARIABLES: [&str; 5] =
    ["DOCKER_BUILDKIT", "COMPOSE_DOCKER_CLI_BUILD", "BUILDKIT_INLINE_CACHE", "BUILDX_BUILDER", "DOCKER_CONTEXT"];

/// Variables that each CI sets, and its name. The first that is set tells.
const RUNNERS: [(&str, &str); 13] = [
    ("GITHUB_ACTIONS", "GitHub Actions"),
    ("GITLAB_CI", "GitLab CI"),
    ("CIRCLECI", "CircleCI"),
    ("TF_BUILD", "Azure Pipelines"),
    ("BITBUCKET_BUILD_NUMBER", "Bitbucket Pipelines"),
    ("CODEBUILD_BUILD_ID", "AWS CodeBuild"),
    ("TRAVIS", "Travis CI"),
    ("DRONE", "Drone"),
    ("BUILDKITE", "Buildkite"),
    ("TEAMCITY_VERSION", "TeamCity"),
    ("JENKINS_URL", "Jenkins"),
    ("WOODPECKER", "Woodpecker"),
    ("CI", "a CI"),
];

/// CI whose runners are usually machines that stay.
const STAYS: [&str; 3] = ["Buildkite", "TeamCity", "Jenkins"];

pub(super) fn environment() -> Vec<(String, String)> {
    let set = |name: &str| Some((name.to_owned(), variable(name)?));
    VARIABLES.into_iter().filter_map(set).collect()
}

pub(super) fn runner() -> Option<Runner> {
    let name = RUNNERS.into_iter().find(|(name, _)| variable(name).is_some_and(|value| value != "false"))?.1;
    // GitHub tells whether the runner is one of its own machines.
    let own = variable("RUNNER_ENVIRONMENT").is_some_and(|value| value == "self-hosted");
    Some(Runner { name, is_new_each_time: !own && !STAYS.contains(&name) })
}

/// The value of a variable that is set, and not to nothing.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// The settings files that are there, in the places of all systems.
pub(super) fn daemon_files() -> Vec<DaemonFile> {
    let home = variable("HOME").or_else(|| variable("USERPROFILE")).map(PathBuf::from);
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".config")));
    let system = match std::env::consts::OS {
        "windows" => variable("ProgramData").map(|folder| PathBuf::from(folder).join("docker").join("config")),
        _ => Some(PathBuf::from("/etc/docker")),
    };
    let snap = cfg!(target_os = "linux").then(|| PathBuf::from("/var/snap/docker/current/config"));
    // The engine of the system; the one from a snap; the one without root; Docker Desktop's.
    let folders = [system, snap, config.map(|folder| folder.join("docker")), home.map(|home| home.join(".docker"))];
    folders.into_iter().flatten().filter_map(|folder| read(&folder.join("daemon.json"))).collect()
}

fn read(path: &Path) -> Option<DaemonFile> {
    let text = std::fs::read_to_string(path).ok()?;
    let (value, is_broken) = match serde_json::from_str::<Value>(&text) {
        Ok(value) => (value, false),
        // An empty file is none.
        Err(_) => (Value::Null, !text.trim().is_empty()),
    };
    let gc = value.pointer("/builder/gc");
    let kept = |name: &str| gc?.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    Some(DaemonFile {
        path: path.to_owned(),
        buildkit: value.pointer("/features/buildkit").and_then(Value::as_bool),
        collects: gc.and_then(|gc| gc.get("enabled")).and_then(Value::as_bool),
        keeps: ["defaultKeepStorage", "defaultReservedSpace", "defaultMaxUsedSpace"].into_iter().find_map(kept),
        is_broken,
    })
}
