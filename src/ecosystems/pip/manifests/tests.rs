//! Tests of what pip reads.

use super::*;
use crate::ecosystems::Part;
use crate::ecosystems::testing::{Files, in_project, invocation};

const FILES: &[(&str, &str)] = &[
    ("requirements.txt", "flask==3.0\n-r dev/more.txt\n"),
    ("dev/more.txt", "pytest\n"),
    ("constraints.txt", "pytest==8\n"),
    ("self.txt", "flask\n-e .[dev]\n"),
    ("pyproject.toml", "[dependency-groups]\nci = ['x']\n"),
    ("dist/a-1.whl", ""),
    ("certs/ca.pem", ""),
    ("src/app.py", ""),
    ("lib/setup.py", ""),
];

fn ask(words: &[&str], variables: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
    let known = |value: &str| if value.contains('$') { Knowledge::Unknown } else { Knowledge::Known(value.to_owned()) };
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), known(value))).collect();
    Pip.dependencies(&invocation(words), &Surroundings { variables, ..in_project("python:3.12") }, &Files::new(FILES))
}

fn files(words: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    ask(words, variables).unwrap().unwrap().files.into_iter().map(|file| file.replace("/app/", "")).collect()
}

fn refused(words: &[&str]) -> String {
    ask(words, &[]).unwrap_err().to_string()
}

#[test]
fn requirements_and_all_that_they_name() {
    let all = ["dev/more.txt", "requirements.txt"];
    for words in [
        &["pip", "install", "--no-cache-dir", "-r", "requirements.txt"][..],
        &["pip3", "install", "-Urrequirements.txt"],
        &["pip", "install", "--requirement=./requirements.txt", "gunicorn==1", "torch==$V"],
        &["pip", "install", "-r", "/app/requirements.txt", "-i", "$URL", "--trusted-host", "$HOST"],
        &["pip", "wheel", "-w", "/wheels", "-r", "requirements.txt"],
        &["pip", "download", "-d", "/wheels", "-r", "requirements.txt"],
        &["pip-sync"],
        &["pip", "uninstall", "-y", "-r", "requirements.txt"],
    ] {
        assert_eq!(files(words, &[]), all, "{words:?}");
    }
    let found = ask(&["pip", "install", "-r", "requirements.txt", "-c", "constraints.txt"], &[]).unwrap().unwrap();
    assert_eq!((found.files.len(), found.unpinned, found.part), (3, None, Part::Whole));
    let found = ask(&["pip", "install", "-r", "requirements.txt"], &[]).unwrap().unwrap();
    assert_eq!(found.unpinned.as_deref(), Some("dev/more.txt:1: `pytest` has no exact version"));
    assert_eq!(files(&["pip", "install", "--group", "ci"], &[]), ["pyproject.toml"]);
    assert_eq!(files(&["pip", "install", "dist/*.whl", "--cert", "certs/ca.pem"], &[]), ["certs/ca.pem", "dist/a-1.whl"]);
    assert_eq!(files(&["pip", "install", "-f", "dist", "a"], &[]), ["dist/a-1.whl"]);
}

#[test]
fn an_index_in_a_folder_is_the_projects_to_bring() {
    let index = ["pip", "install", "--index-url", "file:///app/simple", "a"];
    assert!(matches!(ask(&index, &[]), Err(Entangled::NeedsSource { .. })), "{:?}", ask(&index, &[]));
    let by_variable = ask(&["pip", "install", "a"], &[("PIP_EXTRA_INDEX_URL", "https://host file:///app/simple")]);
    assert!(matches!(by_variable, Err(Entangled::NeedsSource { .. })), "{by_variable:?}");
    assert!(ask(&["pip", "install", "a"], &[("PIP_INDEX_URL", "https://host/simple")]).is_ok());
}

#[test]
fn commands_that_read_nothing_of_the_project() {
    for words in [
        &["pip", "install", "--upgrade", "pip", "setuptools", "wheel"][..],
        &["pip", "install", "git+https://host/x.git", "https://host/y.whl", "uvicorn[standard]"],
        &["pip", "cache", "purge"],
        &["pip", "--version"],
        &["pip", "config", "set", "global.index-url", "https://host"],
        &["pip", "uninstall", "-y", "pip"],
        &["pipx", "install", "poetry==1.8"],
    ] {
        assert_eq!(files(words, &[]), Vec::<String>::new(), "{words:?}");
    }
    for words in [&["pip", "install", "$PACKAGES"][..], &["pip", "install", "-r", "$FILE"]] {
        assert!(matches!(ask(words, &[]), Err(Entangled::NotSeen { .. })), "{words:?}");
    }
    for words in [&["pip", "$DO"][..], &["pipx", "run", "build"], &["pip", "hash", "x"]] {
        assert_eq!(ask(words, &[]), Ok(None), "{words:?}");
    }
    let xargs = Invocation { wrappers: vec![Wrapper::Xargs], ..invocation(&["pip", "install"]) };
    assert_eq!(Pip.dependencies(&xargs, &in_project("python"), &Files::new(FILES)), Ok(None));
}

#[test]
fn the_projects_own_source_is_refused() {
    for words in [
        &["pip", "install", "."][..],
        &["pip", "install", "-e", ".[dev]"],
        &["pip", "install", "/app/lib"],
        &["pip", "install", "app @ file:///app"],
        &["pip", "wheel", "."],
        &["pip", "install", "-r", "self.txt"],
        &["pipx", "install", "."],
    ] {
        assert!(matches!(ask(words, &[]), Err(Entangled::NeedsSource { .. })), "{words:?}");
    }
    assert!(refused(&["pip", "install", "-r", "self.txt"]).starts_with("self.txt:2: "));
    assert!(refused(&["pip", "install", "-r", "made.txt"]).contains("is not in the build context"));
    assert!(refused(&["pip", "install", "-r", "/tmp/r.txt"]).starts_with("/tmp/r.txt does not come"));
    assert!(refused(&["pip", "install", "made/*.whl"]).contains("matches"));
}

#[test]
fn requirements_beside_the_project_go_first() {
    let half = |words: &[&str]| {
        let found = ask(words, &[]).unwrap().unwrap();
        let Part::FirstHalf { command, .. } = found.part else { panic!("{words:?}") };
        (command, found.doubt.is_some())
    };
    let (command, doubt) = half(&["pip", "install", "--no-cache-dir", "-r", "requirements.txt", "-e", ".[x]"]);
    assert_eq!((command.as_str(), doubt), ("pip install --no-cache-dir -r requirements.txt", true));
    assert!(!half(&["pip", "install", "--no-deps", ".", "-r", "requirements.txt"]).1);
    assert!(ask(&["pip", "install", "-t", "libs", "-r", "requirements.txt", "."], &[]).is_err());
}

#[test]
fn variables_name_files_too() {
    assert_eq!(files(&["pip", "install", "x"], &[("PIP_CONSTRAINT", "constraints.txt")]), ["constraints.txt"]);
    assert_eq!(files(&["pip", "--isolated", "install", "x"], &[("PIP_CONSTRAINT", "constraints.txt")]), [""; 0]);
    assert_eq!(files(&["pip", "install"], &[("PIP_REQUIREMENT", "requirements.txt constraints.txt")]).len(), 3);
    assert!(ask(&["pip", "install", "x"], &[("PIP_CONSTRAINT", "$C")]).is_err());
    let configured = Files::new(&[("pip.conf", "[install]\nfind-links = ./wheels\n")]);
    let variables = vec![("PIP_CONFIG_FILE".to_owned(), Knowledge::Known("/app/pip.conf".to_owned()))];
    let at = Surroundings { variables, ..in_project("python") };
    assert!(Pip.dependencies(&invocation(&["pip", "install", "x"]), &at, &configured).is_err());
}

#[test]
fn folders_that_packages_go_to() {
    let makes = |words: &[&str], variables: &[(&str, &str)]| ask(words, variables).unwrap().unwrap().makes;
    assert_eq!(makes(&["pip", "install", "-t", "./libs", "x"], &[]), ["/app/libs"]);
    assert_eq!(makes(&["/app/venv/bin/pip", "install", "x"], &[]), ["/app/venv"]);
    assert_eq!(makes(&["pip", "install", "x"], &[("VIRTUAL_ENV", "/app/.venv")]), ["/app/.venv"]);
    assert_eq!(makes(&["pip", "install", "-e", "git+https://h/x#egg=x"], &[]), ["/app/src/x"]);
    assert_eq!(makes(&["pip", "install", "--prefix=/install", "x"], &[]), [""; 0]);
    for target in [".", "lib", "/app"] {
        assert!(matches!(ask(&["pip", "install", "--target", target, "x"], &[]), Err(Entangled::Overlaid { .. })));
    }
    assert!(matches!(ask(&["pip", "download", "-d", "dist", "x"], &[]), Err(Entangled::Overlaid { .. })));
}
