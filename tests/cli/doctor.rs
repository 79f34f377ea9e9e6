//! `doctor`, with programs that answer as docker does in each case.

use super::place::{Place, Ran};
use serde_json::Value;

/// A docker of today on which BuildKit builds. Cases that come before the others take their place.
fn docker(cases: &str) -> String {
    format!(
        r#"#!/bin/sh
case "$*" in
{cases}
--version) echo "Docker version 28.2.2, build e6534b4" ;;
"version --format {{{{.Server.Version}}}}") echo 28.2.2 ;;
"info --format {{{{.DockerRootDir}}}}") echo /var/lib/docker ;;
"info --format {{{{.OperatingSystem}}}}") echo "Debian GNU/Linux 13" ;;
"buildx version") echo "github.com/docker/buildx v0.24.0 d0e5e86" ;;
"buildx inspect") printf 'Name: default\nDriver: docker\n\nNodes:\nStatus: running\n' ;;
"buildx du --verbose") printf 'ID:\ta\nSize:\t2GB\nType:\texec.cachemount\n\nID:\tb\nSize:\t1.5MB\nType:\tregular\n' ;;
"compose version --short") echo 2.36.2 ;;
build\ --quiet*) echo sha256:0123 ;;
"image rm sha256:0123") echo removed >>"$HOME/removed" ;;
buildx\ build*) ;;
*) echo "not expected: $*" >&2; exit 1 ;;
esac
"#
    )
}

const OLD: &str = r#"--version) echo "Docker version 20.10.24+dfsg1, build 297e128" ;;
"version --format {{.Server.Version}}") echo 20.10.24+dfsg1 ;;
buildx*) echo "docker: 'buildx' is not a docker command." >&2; exit 1 ;;
compose*) exit 125 ;;
build\ --quiet*) [ "$DOCKER_BUILDKIT" = 1 ] && { echo sha256:0123; exit; }
  echo "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn" >&2; exit 1 ;;
build\ *) ;;"#;

struct Doctor {
    place: Place,
    environment: Vec<(&'static str, &'static str)>,
}

impl Doctor {
    fn new(script: Option<&str>) -> Self {
        let place = Place::new();
        if let Some(script) = script {
            place.file("bin/docker", script).mode("bin/docker", 0o755);
        }
        place.file("repository/README.md", "");
        Self { place, environment: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.place.file(name, text);
        self
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.place.command(&[&["doctor", "repository"], arguments].concat());
        // Neither the real docker nor the CI that these tests run in.
        let path = format!("{}:/usr/bin:/bin", self.place.path("bin").display());
        command.env_clear().env("PATH", path).env("HOME", self.place.path("")).envs(self.environment.iter().copied());
        Ran::of(command.output().unwrap())
    }

    /// The findings by their codes.
    fn findings(&self) -> Vec<(String, Value)> {
        let ran = self.run(&["--format", "json"]);
        let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        let findings = json["findings"].as_array().unwrap();
        findings.iter().map(|finding| (finding["code"].as_str().unwrap().to_owned(), finding.clone())).collect()
    }

    #[track_caller]
    fn finds(&self, code: &str, outcome: &str) -> Value {
        let all = self.findings();
        let Some((_, finding)) = all.iter().find(|(name, _)| name == code) else { panic!("no {code} in {all:#?}") };
        assert_eq!(finding["outcome"], outcome, "{finding}");
        finding.clone()
    }
}

#[track_caller]
fn shows(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(ran.stdout.contains(part), "not shown: {part}\n{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn all_is_fine_and_the_half_truths_are_put_right() {
    let doctor = Doctor::new(Some(&docker("")));
    let ran = doctor.run(&[]).exits(0);
    shows(
        &ran,
        &[
            "fine  docker 28.2.2, engine 28.2.2, buildx 0.24.0",
            "fine  BuildKit builds",
            "`docker buildx version` proves nothing",
            "share its cache",
            "`# syntax=docker/dockerfile:1` can be fetched",
            "images and build cache in /var/lib/docker",
            "(~/.docker/buildx) holds the names of builders and no cache",
            "2.0 GB  1 cache mounts",
            "docker buildx prune --filter type=exec.cachemount",
            "`--no-cache` does not keep cache mounts everywhere",
            "\nall is fine\n",
        ],
    );
    assert_eq!(doctor.place.text("removed"), "removed\nremoved\n", "what was built for proof is taken away");
}

#[test]
fn without_docker_it_says_so_and_what_to_install() {
    let doctor = Doctor::new(None);
    let ran = doctor.run(&["--engine", "docker-that-is-not-here"]).exits(2);
    shows(&ran, &["there is no program docker-that-is-not-here", "1 thing that can't be told"]);
    shows(&doctor.run(&["--engine", "nothing", "--system", "macos"]), &["-> install Docker Desktop (or colima"]);
}

#[test]
fn an_old_engine_needs_its_switch() {
    let doctor = Doctor::new(Some(&docker(OLD)));
    let ran = doctor.run(&["--system", "linux"]).exits(1);
    shows(&ran, &["todo  the classic builder builds", "-> export DOCKER_BUILDKIT=1", "without buildx"]);
    let todo = doctor.finds("buildkit-off", "action")["todo"].clone();
    assert!(todo["windows"].as_str().unwrap().starts_with("$env:DOCKER_BUILDKIT"), "{todo}");
    let on = Doctor::new(Some(&docker(OLD))).with("DOCKER_BUILDKIT", "1");
    on.finds("buildkit", "fine");
}

#[test]
fn an_engine_without_buildkit_has_to_be_upgraded() {
    let cases = "--version) echo 'Docker version 18.06.1-ce, build e68fc7a' ;;\nversion*) echo 18.06.1-ce ;;\nbuildx*) exit 1 ;;\ncompose*) exit 1 ;;";
    let doctor = Doctor::new(Some(&docker(cases)));
    shows(&doctor.run(&["--system", "linux"]).exits(1), &["docker 18.06.1 has no BuildKit", "-> upgrade Docker Engine to 23"]);
}

#[test]
fn a_new_client_without_buildx_is_told_apart() {
    let doctor = Doctor::new(Some(&docker("buildx*) echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1 ;;")));
    shows(&doctor.run(&[]).exits(1), &["builds by buildx, which is not there", "docker-buildx-plugin"]);
}

#[test]
fn a_socket_that_may_not_be_used_and_an_engine_that_is_off() {
    let denied = "version*) echo 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied' >&2; exit 1 ;;";
    shows(
        &Doctor::new(Some(&docker(denied))).run(&["--system", "linux"]).exits(2),
        &["may not be used by this user", "usermod -aG docker"],
    );
    let off = "version*) echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1 ;;";
    shows(&Doctor::new(Some(&docker(off))).run(&["--system", "linux"]).exits(2), &["does not answer", "systemctl start docker"]);
}

#[test]
fn switches_in_the_environment_and_in_the_engines_settings_are_found() {
    let off = "build\\ --quiet*) echo 'the --mount option requires BuildKit' >&2; exit 1 ;;";
    let doctor = Doctor::new(Some(&docker(off))).with("DOCKER_BUILDKIT", "0");
    let ran = doctor.run(&["--system", "linux"]).exits(1);
    shows(&ran, &["DOCKER_BUILDKIT is 0", "-> unset DOCKER_BUILDKIT"]);
    let settings = r#"{"features": {"buildkit": false}, "builder": {"gc": {"enabled": false}}}"#;
    let doctor = Doctor::new(Some(&docker(""))).file(".docker/daemon.json", settings);
    let off = doctor.finds("settings-buildkit-off", "action");
    assert!(off["what"].as_str().unwrap().contains(".docker/daemon.json says features.buildkit: false"), "{off}");
    doctor.finds("cache-not-collected", "action");
    Doctor::new(Some(&docker(""))).file(".docker/daemon.json", "{").finds("settings-broken", "action");
}

#[test]
fn a_runner_that_starts_empty_wants_a_cache_from_outside() {
    let doctor = Doctor::new(Some(&docker(""))).with("GITHUB_ACTIONS", "true").with("CI", "true");
    shows(&doctor.run(&[]).exits(1), &["runs in GitHub Actions", "--cache-to and --cache-from"]);
    let keeps = doctor.file("repository/.github/workflows/ci.yml", "x:\n  cache-to: type=gha\n");
    keeps.finds("runner", "fine");
    let own = Doctor::new(Some(&docker(""))).with("GITHUB_ACTIONS", "true").with("RUNNER_ENVIRONMENT", "self-hosted");
    own.finds("runner", "fine");
}

#[test]
fn build_files_are_read_for_half_truths() {
    let script = "# DOCKER_BUILDKIT=0\ndocker buildx version\ndocker build --no-cache .\ndocker build --build-arg BUILDKIT_INLINE_CACHE=1 .\n";
    let doctor = Doctor::new(Some(&docker(""))).file("repository/build.sh", script);
    let ran = doctor.run(&[]).exits(0);
    shows(
        &ran,
        &["build.sh:2: asks", "build.sh:3: builds with --no-cache", "build.sh:4: BUILDKIT_INLINE_CACHE", "it turns nothing on"],
    );
    doctor.file("repository/.env", "DOCKER_BUILDKIT=0\n").finds("file-buildkit-off", "action");
}

#[test]
fn a_registry_that_is_not_reached_has_its_switches_named() {
    let cases = r#"build\ --quiet*) for last; do :; done
  if grep -q syntax= "$last/Dockerfile"; then echo 'ERROR: failed to do request: no such host' >&2; exit 1; fi; echo sha256:0123 ;;"#;
    let ran = Doctor::new(Some(&docker(cases))).run(&[]).exits(1);
    shows(&ran, &["can't be fetched: ERROR: failed to do request: no such host", "--syntax off", "--frontend builtin"]);
}

#[test]
fn quick_builds_nothing() {
    let doctor = Doctor::new(Some(&docker("build\\ --quiet*) touch \"$HOME/built\"; echo sha256:0123 ;;")));
    doctor.run(&["--quick"]).exits(0);
    assert!(!doctor.place.path("built").exists());
    doctor.run(&[]).exits(0);
    assert!(doctor.place.path("built").exists(), "the program that was asked is ours");
}

#[test]
fn podman_and_buildah_build_by_themselves() {
    let podman = |version: &str| {
        format!(
            "#!/bin/sh\ncase \"$*\" in\n--version) echo 'podman version 4.9.3' ;;\ninfo*) echo {version} ;;\nbuild*) ;;\n*) exit 1 ;;\nesac\n"
        )
    };
    let doctor = Doctor::new(None);
    doctor.place.file("bin/podman", podman("1.33.7")).mode("bin/podman", 0o755);
    let ran = doctor.run(&["--engine", "podman"]).exits(0);
    shows(&ran, &["podman 4.9.3, with buildah 1.33.7", "know cache mounts", "the frontend in the engine knows cache mounts"]);
    doctor.place.file("bin/podman", podman("1.19.0")).mode("bin/podman", 0o755);
    let ran = doctor.run(&["--engine", "podman"]).exits(2);
    shows(&ran, &["podman can't be used", "1.19.0"]);
}
