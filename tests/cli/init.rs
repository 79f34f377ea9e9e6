//! `init`: what comes, what is extended, and what is left alone.

use super::place::Place;
use std::process::Command;

const WITH_ALL: &[&str] = &["init", "--with", "make,sh,ps1,github,gitlab"];

/// A repository with a service in it.
fn repository() -> Place {
    let place = Place::new();
    place.file("Dockerfile", "FROM python:3.12-slim\nCOPY . /app\nCMD [\"python\", \"/app/main.py\"]\n");
    place.file("requirements.txt", "flask\n").file("main.py", "");
    place.must("git", &["init", "--quiet"], "");
    place.must("git", &["add", "--all"], "");
    place
}

fn written(place: &Place, more: &[&str]) -> String {
    let arguments: Vec<&str> = WITH_ALL.iter().copied().chain(["--write"]).chain(more.iter().copied()).collect();
    place.run(&arguments).exits(0).stderr
}

/// Names and texts of everything that git would add.
fn texts(place: &Place) -> Vec<(String, String)> {
    let names = place.must("git", &["ls-files", "--cached", "--others"], "");
    names.lines().map(|name| (name.to_owned(), place.text(name))).collect()
}

#[test]
fn the_diff_is_what_is_written_and_a_second_run_changes_nothing() {
    let (shown, place) = (repository(), repository());
    let diff = shown.run(WITH_ALL).exits(0).says(&["would make   Makefile", "would make   .pre-commit-config.yaml"]).stdout;
    assert_eq!(shown.must("git", &["status", "--short", "--untracked-files"], "").lines().count(), 3, "nothing was written");
    shown.must("git", &["apply", "-"], &diff);
    let words = written(&place, &[]);
    assert!(words.contains("made         build.sh") && words.contains("made         .github/workflows/docker.yml"), "{words}");
    // The image is called as the folder, and each test has its own.
    let same = |texts: Vec<(String, String)>, place: &Place| {
        let own = place.path("x").parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        texts.into_iter().map(|(name, text)| (name, text.replace(&own, "IMAGE"))).collect::<Vec<_>>()
    };
    assert_eq!(same(texts(&shown), &shown), same(texts(&place), &place));
    assert_eq!(texts(&place).len(), 3 + 7, "{:?}", texts(&place));
    let before = texts(&place);
    let again = written(&place, &[]);
    assert!(!again.contains("made ") && !again.contains("extended"), "{again}");
    assert_eq!(texts(&place), before);
    place.run(WITH_ALL).exits(0).prints("");
}

/// Programs for which a file was written take it.
#[test]
fn what_is_written_is_understood() {
    let place = repository();
    written(&place, &[]);
    place.must("sh", &["-n", "build.sh"], "");
    place.must("bash", &["-n", "build.sh"], "");
    for target in ["build", "build-fresh", "dev"] {
        let said = place.must("make", &["--dry-run", target], "");
        assert!(said.starts_with("docker build"), "{said}");
    }
    assert!(place.must("make", &["-n", "build-fresh"], "").contains("docker build --no-cache --pull --tag "));
    for yaml in [".pre-commit-config.yaml", ".github/workflows/docker.yml", ".gitlab-ci.yml"] {
        let text = place.text(yaml);
        assert_eq!(dockeropt::context::yaml::read(&text).len(), 1, "{yaml}: {text}");
        assert!(!text.contains('@') || yaml.contains("github"), "a mark is left in {yaml}: {text}");
    }
}

/// A `docker` that tells what it was called with.
fn with_docker(place: &Place, program: &str, arguments: &[&str]) -> std::process::Output {
    place
        .file("bin/docker", "#!/bin/sh\necho \"$DOCKER_BUILDKIT$COMPOSE_DOCKER_CLI_BUILD docker $*\"\n")
        .mode("bin/docker", 0o755);
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    Command::new(program).args(arguments).current_dir(place.path("")).env("PATH", path).output().unwrap()
}

#[test]
fn wrappers_turn_buildkit_on_and_pass_their_options() {
    let place = repository();
    place.file("compose.yaml", "services:\n  web:\n    build: .\n");
    written(&place, &[]);
    let said = |program: &str, arguments: &[&str]| {
        let output = with_docker(&place, program, arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(said("./build.sh", &[]), "11 docker compose build\n");
    let all = said("./build.sh", &["--detached", "--pull", "--no-cache"]);
    assert_eq!(all, "11 docker compose build --no-cache --pull\n11 docker compose up --detach\n");
    assert_eq!(said("make", &["--silent", "dev"]), "11 docker compose up --build\n");
    let wrong = with_docker(&place, "./build.sh", &["--nocache"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty() && String::from_utf8_lossy(&wrong.stderr).starts_with("usage: ./build.sh"), "{wrong:?}");
}

#[test]
fn what_is_there_is_extended_and_keeps_every_byte() {
    let place = repository();
    let hooks = "# ours\nrepos:\n  - repo: https://example.org/hooks # pinned\n    rev: v1\n    hooks:\n      - id: a\n\nfail_fast: true\n";
    let (makefile, jobs) = ("test: # all of them\n\tpytest", "test:\n  script: [pytest]  # fast\n");
    place.file(".pre-commit-config.yaml", hooks).file("Makefile", makefile).file(".gitlab-ci.yml", jobs);
    place.file(".dockerignore", "# kept\n*.md");
    written(&place, &[]);
    let (hooks_now, makefile_now) = (place.text(".pre-commit-config.yaml"), place.text("Makefile"));
    let (first, rest) = hooks.split_at(hooks.find("\n\nfail_fast").unwrap() + 1);
    assert!(hooks_now.starts_with(first) && hooks_now.ends_with(rest) && hooks_now.contains("id: dockeropt-fix"), "{hooks_now}");
    assert!(makefile_now.starts_with(&format!("{makefile}\n\n# Builds")), "{makefile_now}");
    assert!(place.text(".gitlab-ci.yml").starts_with(&format!("{jobs}\n# Builds")));
    assert!(place.text(".dockerignore").starts_with("# kept\n*.md\n"));
    assert!(place.must("make", &["-n"], "").starts_with("pytest"), "the first target is still theirs");
    let before = texts(&place);
    written(&place, &[]);
    assert_eq!(texts(&place), before);
}

#[test]
fn what_can_not_be_extended_is_left_alone_with_the_lines_to_paste() {
    let place = repository();
    let own = [
        (".pre-commit-config.yaml", "repos: []\n"),
        ("Makefile", "build:\n\tcc x.c\n"),
        ("build.sh", "#!/bin/sh\ndocker build .\n"),
        (".gitlab-ci.yml", "stages: [deploy]\n"),
        (".github/workflows/docker.yml", "on: push\n"),
    ];
    for (name, text) in own {
        place.file(name, text);
    }
    place.run(&[WITH_ALL, &["--write"]].concat()).exits(2).says(&[
        "by hand      .pre-commit-config.yaml: is not written as a plain list",
        "    - repo: local",
        "by hand      Makefile: has a target of its own for build",
        "    export DOCKER_BUILDKIT := 1",
        "by hand      build.sh: is there already",
        "by hand      .gitlab-ci.yml: has no stage `build`",
        "by hand      .github/workflows/docker.yml: is there already",
        "made         build.ps1",
    ]);
    for (name, text) in own {
        assert_eq!(place.text(name), text, "{name}");
    }
}

#[test]
fn the_ignore_file_hides_nothing_that_is_there_unless_that_is_asked_for() {
    let place = repository();
    place.file(".venv/bin/python", "");
    let words = place.run(&["init", "--write", "--without", "pre-commit"]).exits(0).stderr;
    let text = place.text(".dockerignore");
    assert!(text.contains("**/__pycache__\n") && !text.contains(".git") && !text.contains(".venv"), "{text}");
    assert!(words.contains("--unsafe would add .git, .venv"), "{words}");
    place.run(&["init", "--write", "--unsafe", "--without", "pre-commit"]).exits(0);
    let more = place.text(".dockerignore");
    assert!(more.starts_with(&text) && more.contains("\n.git\n") && more.contains("\n.venv\n"), "{more}");
}

#[test]
fn several_dockerfiles_want_a_choice_and_a_folder_outside_of_git_gets_no_hook() {
    let place = Place::new();
    place.file("a/Dockerfile", "FROM scratch\n").file("b/Dockerfile", "FROM scratch\n");
    place.run(&["init", "--with", "sh"]).exits(2).prints("").says(&[
        "by hand      build.sh: there are several Dockerfiles (a/Dockerfile, b/Dockerfile): say which with --file",
        "fine         .pre-commit-config.yaml: pre-commit works in a git repository",
    ]);
    place.run(&["init", "--with", "sh", "--file", "b/Dockerfile", "--write"]).exits(0);
    assert!(place.text("build.sh").contains(" b\n\nif"), "{}", place.text("build.sh"));
}
