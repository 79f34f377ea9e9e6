//! `dockeropt verify` tells images apart: each kind of difference, on a real engine, as a user would see it.

use crate::workshop::Workshop;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What each pair has in common; the difference is in the last lines.
const BASE: &str =
    "FROM debian:12-slim\nENV GREETING=hello\nRUN mkdir /srv/app && echo one > /srv/app/file && ln -s file /srv/app/link\n";

/// Name, the lines of the second file, and what is said.
const PAIRS: &[(&str, &str, &[(&str, &str)])] = &[
    ("a mode bit", "RUN chmod g+w /srv/app/file\n", &[("/srv/app/file", "mode")]),
    ("an owner", "RUN chown 7 /srv/app/file\n", &[("/srv/app/file", "owner")]),
    ("a byte", "RUN echo onf > /srv/app/file\n", &[("/srv/app/file", "content")]),
    ("a lost link", "RUN rm /srv/app/link\n", &[("/srv/app/link", "presence")]),
    ("a link elsewhere", "RUN ln -sf other /srv/app/link\n", &[("/srv/app/link", "link target")]),
    ("a lost variable", "ENV GREETING=\n", &[("Env", "value")]),
    ("another user", "USER nobody\n", &[("User", "value")]),
    (
        "a file in the place of a folder",
        "RUN rm -r /srv/app && touch /srv/app && chmod 755 /srv/app\n",
        &[("/srv/app", "type"), ("/srv/app/file", "presence"), ("/srv/app/link", "presence")],
    ),
];

/// The packages alone don't bring the program that starts them.
const WITH_SCRIPT: &str = "FROM python:3.12-slim AS build\nCOPY . /src\nRUN pip install --no-build-isolation --no-deps --no-index /src\n\
    FROM python:3.12-slim\nCOPY --from=build /usr/local/lib/python3.11/dist-packages /usr/local/lib/python3.11/dist-packages\n";

struct Files(PathBuf);

impl Files {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("dockeropt-differences-{name}-{}", std::process::id())));
        std::fs::create_dir_all(&folder.0).unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.0.join(name), text).unwrap());
        folder
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn verify(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
    command.args(["verify", "--network", "host", "--frontend", "builtin"]).args(arguments).current_dir(folder).output().unwrap()
}

/// What `--format json` says of the differences: places with their respects.
fn told(output: &Output) -> Vec<(String, String)> {
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let differences = json["differences"].as_array().unwrap_or_else(|| panic!("{json}"));
    let place = |value: &Value| text(value, "path").or_else(|| text(value, "config")).unwrap();
    differences.iter().map(|value| (place(value), text(value, "aspect").unwrap())).collect()
}

#[test]
fn each_difference_is_told() {
    let Some(_) = Workshop::open() else { return };
    for (name, lines, wanted) in PAIRS {
        let files = Files::new("pair", &[("before", BASE), ("after", &format!("{BASE}{lines}"))]);
        let output = verify(&files.0, &["--before", "before", "--after", "after", "--format", "json"]);
        let wanted: Vec<_> = wanted.iter().map(|(place, aspect)| ((*place).to_owned(), (*aspect).to_owned())).collect();
        assert_eq!(told(&output), wanted, "{name}");
        assert_eq!(output.status.code(), Some(1), "{name}");
        println!("told: {name}");
    }
}

#[test]
fn a_lost_console_script_is_told() {
    let Some(_) = Workshop::open() else { return };
    let project = "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\
        [project]\nname = \"greeter\"\nversion = \"1.0\"\n[project.scripts]\ngreet = \"greeter:main\"\n[tool.setuptools]\npy-modules = [\"greeter\"]\n";
    let after = WITH_SCRIPT;
    let before = format!("{after}COPY --from=build /usr/local/bin/greet /usr/local/bin/greet\n");
    let module = "def main():\n    print('hello')\n";
    let files =
        Files::new("script", &[("before", &before), ("after", after), ("pyproject.toml", project), ("greeter.py", module)]);
    let output = verify(&files.0, &["--before", "before", "--after", "after"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("different in 1 place: "), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("differs /usr/local/bin/greet: only before: file of "), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

/// What differs by itself is noise; with a file that writes random bytes and names, too.
#[test]
fn two_builds_of_one_file_are_equal_and_nothing_stays_behind() {
    let Some(workshop) = Workshop::open() else { return };
    let text = format!(
        "{BASE}RUN head -c 9 /dev/urandom > /srv/random; date +%s%N > /srv/now; touch /srv/x-$(date +%s%N)\nRUN --mount=type=cache,target=/c touch /c/x\n"
    );
    let files = Files::new("twice", &[("before", &text), ("after", &text)]);
    let output = verify(&files.0, &["--before", "before", "--after", "after", "--explain"]);
    let words = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{words}{}", String::from_utf8_lossy(&output.stderr));
    assert!(words.contains("  equal: ") && words.contains("noise: what differed between two builds"), "{words}");
    assert!(words.contains("/srv/random: content: 9 bytes"), "{words}");

    let ask = |arguments: &[&str]| workshop.engine.ask(arguments, &workshop.watch).unwrap().stdout;
    // Those of other tests, which run meanwhile, have other numbers in their names.
    let own = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!own.contains("error"), "{own}");
    let mounts = ask(&["buildx", "du", "--verbose", "--filter", "type=exec.cachemount"]);
    assert!(!mounts.contains("/c from exec /bin/sh -c touch /c/x "), "{mounts}");
}

/// A build that fails is told with its log, and which of the two it was.
#[test]
fn a_build_that_fails_is_told() {
    let Some(_) = Workshop::open() else { return };
    let files = Files::new("fails", &[("before", BASE), ("after", &format!("{BASE}RUN echo so; exit 3\n"))]);
    let output = verify(&files.0, &["--before", "before", "--after", "after"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("after: the build fails at [3/3] RUN echo so; exit 3") && text.contains("  so"), "{text}");
}
