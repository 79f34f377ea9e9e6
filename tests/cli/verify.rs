//! `dockeropt verify` with engines that are scripts: what can't be provoked on a real one, and that nothing is left behind.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder with a Dockerfile, a folder for temporary files, and a `docker` that PATH finds first.
struct Place(PathBuf);

/// A docker that is there and can do all that it is asked for, but for what the test puts before.
const ABLE: &str = r#"
case "$*" in
  --version) echo "Docker version 28.2.2, build e6534b4" ;;
  "version --format"*) echo 28.2.2 ;;
  "buildx version") echo "github.com/docker/buildx v0.24.0 abc" ;;
  "buildx du"*) ;;
  "image rm"*) ;;
  *) echo "not expected: $*" >&2; exit 9 ;;
esac
"#;

impl Place {
    fn new(name: &str, script: &str) -> Self {
        let place = Self(std::env::temp_dir().join(format!("dockeropt-verify-{name}-{}", std::process::id())));
        for folder in ["bin", "tmp", "context"] {
            std::fs::create_dir_all(place.0.join(folder)).unwrap();
        }
        std::fs::write(place.0.join("context/Dockerfile"), super::BEFORE).unwrap();
        std::fs::write(place.0.join("context/requirements.txt"), "six==1.16.0\n").unwrap();
        if !script.is_empty() {
            place.program("docker", &format!("{script}\n{ABLE}"));
        }
        place
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.0.join("bin").join(name);
        let log = self.0.join("calls");
        std::fs::write(&path, format!("#!/bin/sh\necho \"{name} $*\" >> {}\n{script}", log.display())).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        command.arg("verify").args(arguments).arg("context/Dockerfile").current_dir(&self.0);
        self.programs_for_scripts();
        command.env("PATH", self.0.join("bin")).env("TMPDIR", self.0.join("tmp")).env("HERE", &self.0);
        command
    }

    /// The system's own, and no engine among them.
    fn programs_for_scripts(&self) {
        let bin = self.0.join("bin");
        for program in ["sh", "sleep", "cat", "touch", "git"] {
            let link = bin.join(program);
            let real =
                ["/bin", "/usr/bin"].iter().map(|folder| Path::new(folder).join(program)).find(|path| path.exists()).unwrap();
            if !link.exists() {
                std::os::unix::fs::symlink(real, link).unwrap();
            }
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(self.0.join("calls")).unwrap_or_default()
    }

    /// Nothing in the folder for temporary files, and no child of a script at work.
    fn nothing_is_left(&self) {
        let left: Vec<_> = std::fs::read_dir(self.0.join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, Vec::<PathBuf>::new());
        if let Ok(process) = std::fs::read_to_string(self.0.join("child")) {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", process.trim())).unwrap_or_default();
            assert!(state.is_empty() || state.contains(") Z "), "a child is still at work: {state}");
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A script that answers one call in its own way.
fn answering(call: &str, answer: &str) -> String {
    format!("case \"$*\" in\n  \"{call}\"*) {answer} ;;\nesac\n")
}

fn says(name: &str, script: &str, wanted: &[&str]) {
    let place = Place::new(name, script);
    let output = place.run(&[]);
    let text = words(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for wanted in wanted {
        assert!(text.contains(wanted), "`{wanted}` is not in:\n{text}");
    }
    place.nothing_is_left();
}

#[test]
fn no_engine() {
    says("none", "", &["there is no such program", "install docker, podman or buildah"]);
}

#[test]
fn an_engine_that_is_too_old() {
    let old = "case \"$*\" in --version) echo 'Docker version 18.06.3-ce, build d7080c1'; exit ;; version*) echo 18.06.3-ce; exit ;; esac";
    says("old", old, &["docker 18.6.3 is too old", "upgrade to 20.10.0"]);
    let old = "case \"$*\" in --version) echo 'buildah version 1.19.6 (image-spec 1.0.1-dev)'; exit ;; esac";
    says("old-buildah", old, &["1.19.6 is too old", "upgrade to 1.24.0"]);
}

#[test]
fn no_permission_on_the_socket() {
    let denied = "echo 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: \
                  dial unix /var/run/docker.sock: connect: permission denied' >&2; exit 1";
    says("denied", &answering("version --format", denied), &["may not be used by this user", "usermod -aG docker"]);
}

#[test]
fn a_daemon_that_is_not_there() {
    let down =
        "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1";
    says("down", &answering("version --format", down), &["can't be reached", "systemctl start docker"]);
}

#[test]
fn buildx_that_is_not_there() {
    let missing = "echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1";
    says("no-buildx", &answering("buildx version", missing), &["docker has no buildx", "docker-buildx-plugin"]);
}

#[test]
fn a_full_disk() {
    let full = "echo 'ERROR: failed to solve: write /data/x: no space left on device' >&2; exit 1";
    says("full", &answering("buildx build", full), &["no space is left", "docker builder prune", "write /data/x"]);
}

#[test]
fn a_full_disk_while_the_image_is_handed_over() {
    let script =
        answering("buildx build", "exit 0") + &answering("save", "echo 'write /tmp/x: no space left on device' >&2; exit 1");
    let place = Place::new("full-save", &script);
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("no space is left"), "{}", words(&output));
    assert!(place.calls().contains("docker image rm dockeropt-"), "{}", place.calls());
    place.nothing_is_left();
}

#[test]
fn a_step_that_fails_is_shown_as_the_engine_wrote_it() {
    let failing = "cat >&2 <<'END'\n\
        {\"vertexes\":[{\"digest\":\"a\",\"name\":\"[2/2] RUN make\",\"started\":\"2026-01-01T00:00:00Z\"}]}\n\
        {\"logs\":[{\"vertex\":\"a\",\"data\":\"bm8gcnVsZQo=\"}]}\n\
        {\"vertexes\":[{\"digest\":\"a\",\"name\":\"[2/2] RUN make\",\"error\":\"exit code: 2\"}]}\n\
        ERROR: failed to solve: exit code: 2\nEND\nexit 1";
    says(
        "failing",
        &answering("buildx build", failing),
        &["before: the build fails at [2/2] RUN make", "no rule", "exit code: 2"],
    );
}

#[test]
fn an_archive_that_is_cut_off() {
    let script = answering("buildx build", "exit 0") + &answering("save", "echo nonsense; exit 0");
    let place = Place::new("cut", &script);
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(words(&output).contains("the image can't be read"), "{}", words(&output));
    place.nothing_is_left();
}

/// A build that starts a process and waits for ever.
fn hanging() -> String {
    answering("buildx build", "sleep 100000 & echo $! > \"$HERE/child\"; touch \"$HERE/building\"; wait")
}

#[test]
fn a_build_that_hangs_is_broken_off() {
    let place = Place::new("hanging", &hanging());
    let output = place.run(&["--timeout", "2"]);
    let text = words(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("not done within 2 s") && text.contains("--timeout SECONDS"), "{text}");
    assert!(place.0.join("child").exists(), "the build was not begun: {}", place.calls());
    assert!(place.calls().contains("docker image rm dockeropt-"), "{}", place.calls());
    assert!(place.calls().contains("docker buildx du"), "{}", place.calls());
    place.nothing_is_left();
}

#[test]
fn ctrl_c_takes_everything_away() {
    let place = Place::new("ctrl-c", &hanging());
    let child = place.command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !place.0.join("building").exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "the build was not begun: {}", place.calls());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = words(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("broken off; what was made has been taken away"), "{text}");
    assert!(place.calls().contains("docker image rm dockeropt-"), "{}", place.calls());
    place.nothing_is_left();
}

#[test]
fn what_is_wrong_with_the_arguments_is_said_before_an_engine_is_asked() {
    let place = Place::new("arguments", "");
    let output = place.run(&["--context", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("--context nowhere: is no folder"), "{}", words(&output));
    std::fs::write(place.0.join("context/Dockerfile"), super::FINE).unwrap();
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(words(&output).contains("nothing to prove"), "{}", words(&output));
}

#[test]
fn nothing_is_written_that_is_not_proved() {
    let full = "echo 'ERROR: failed to solve: boom' >&2; exit 1";
    let place = Place::new("write", &answering("buildx build", full));
    place.programs_for_scripts();
    let mut fix = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
    fix.args(["fix", "--write", "--verify", "context/Dockerfile"]).current_dir(&place.0);
    let output = fix.env("PATH", place.0.join("bin")).env("TMPDIR", place.0.join("tmp")).output().unwrap();
    let text = words(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("not written: it can't be proved") && text.contains("boom"), "{text}");
    assert_eq!(std::fs::read_to_string(place.0.join("context/Dockerfile")).unwrap(), super::BEFORE);
    place.nothing_is_left();
}
