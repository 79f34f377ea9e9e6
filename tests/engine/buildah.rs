//! The same with buildah, which DOCKEROPT_BUILDAH names: builds, and `verify`, of the pip and the npm example.
//!
//! `DOCKEROPT_BUILDAH_SHARED` is a folder that buildah sees under the same name, for where it runs in a root of its own. The base
//! images come from the docker engine.

use crate::workshop::Workshop;
use dockeropt::builder::{self, Kind, Watch};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Each with its base image.
const EXAMPLES: &[(&str, &str)] = &[("pip-cache", "python:3.12-slim"), ("npm-workspaces", "node:20-slim")];

struct Shared(PathBuf);

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[test]
fn buildah_builds_and_verifies_the_examples() {
    let Some(program) = std::env::var("DOCKEROPT_BUILDAH").ok() else {
        let required = std::env::var("DOCKEROPT_ENGINE").is_ok_and(|value| value == "required");
        assert!(!required, "DOCKEROPT_BUILDAH must name a buildah where an engine is required");
        println!("skipped: DOCKEROPT_BUILDAH names no buildah");
        return;
    };
    let Some(docker) = Workshop::open() else { return };
    let shared = std::env::var_os("DOCKEROPT_BUILDAH_SHARED").map_or_else(std::env::temp_dir, PathBuf::from);
    let shared = Shared(shared.join(format!("dockeropt-buildah-{}", std::process::id())));
    std::fs::create_dir_all(&shared.0).unwrap();
    let watch = Watch::deaf(Some(Duration::from_secs(900)));
    let buildah = builder::open(&program, &watch).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(buildah.identity().kind, Kind::Buildah);
    for (example, base) in EXAMPLES {
        let archive = shared.0.join("base.tar");
        let archive = archive.to_str().unwrap();
        assert!(docker.engine.ask(&["save", "--output", archive, base], &watch).unwrap().success);
        let pulled = buildah.ask(&["pull", "--quiet", &format!("docker-archive:{archive}")], &watch).unwrap();
        assert!(pulled.success, "{}", pulled.words());
        std::fs::remove_file(archive).unwrap();

        copied(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("before"), &shared.0.join(example));
        let mut verify = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        verify.args(["verify", "--engine", &program, "--network", "host", "--engine-arg=--isolation=chroot"]);
        verify.arg("--engine-arg=--pull-never").arg("--explain").arg(shared.0.join(example)).env("TMPDIR", &shared.0);
        let output = verify.output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{example}: {text}");
        assert!(text.contains("  equal: "), "{example}: {text}");
        println!("buildah {}: {example} is equal", buildah.identity().client);
        let left: Vec<_> = std::fs::read_dir(&shared.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("dockeropt-")), "{left:?}");
    }
}
