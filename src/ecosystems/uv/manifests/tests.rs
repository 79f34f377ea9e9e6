//! Tests of what uv's commands read.

use super::*;
use crate::ecosystems::Part;
use crate::ecosystems::testing::{Files, in_project, invocation};

const APP: &str = "[project]\nname = 'app'\nversion = '1'\ndependencies = ['lib']\n[build-system]\nrequires = ['hatchling']\n";
const LOCK: &str = "version = 1\n[[package]]\nname = 'app'\nversion = '1'\nsource = { editable = '.' }\n\
                    [[package]]\nname = 'six'\nversion = '1'\nsource = { registry = 'https://host' }\n";
const VIRTUAL: &str = "[project]\nname = 'app'\nversion = '1'\n";

fn ask(words: &[&str], variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
    let known = |value: &str| if value.contains('$') { Knowledge::Unknown } else { Knowledge::Known(value.to_owned()) };
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), known(value))).collect();
    Uv.dependencies(&invocation(words), &Surroundings { variables, ..in_project("python:3.12") }, &Files::new(files))
}

/// Files without the folder, and the first half's command.
fn read(words: &[&str], files: &[(&str, &str)]) -> (Vec<String>, Option<String>) {
    let found = ask(words, &[], files).unwrap().unwrap();
    let names = found.files.iter().map(|file| file.replace("/app/", "")).collect();
    let command = match found.part {
        Part::Whole => None,
        Part::FirstHalf { command, .. } => Some(command),
    };
    (names, command)
}

#[test]
fn a_package_is_left_out_of_the_first_half() {
    let files = [("pyproject.toml", APP), ("uv.lock", LOCK), (".python-version", "3.12"), ("README.md", ""), ("src/a.py", "")];
    let names = [".python-version", "pyproject.toml", "uv.lock"].map(str::to_owned).to_vec();
    let (found, command) = read(&["UV_X=1", "uv", "sync", "--frozen", "--no-dev"], &files);
    assert_eq!(found, names);
    assert_eq!(command.as_deref(), Some("UV_X=1 uv sync --frozen --no-dev --no-install-project"));
    assert_eq!(read(&["uv", "sync"], &files).1.as_deref(), Some("uv sync --no-install-project"));
    assert_eq!(read(&["uv", "sync", "--locked", "--no-install-project", "--extra", "$E"], &files), (names, None));
    let found = ask(&["uv", "sync", "--locked"], &[], &files).unwrap().unwrap();
    assert_eq!((found.makes, found.unpinned, found.doubt), (vec!["/app/.venv".to_owned()], None, None));
    for (words, variable) in
        [(&["uv", "sync", "--frozen", "--only-group", "docs"][..], "X"), (&["uv", "sync", "--locked"], "UV_NO_INSTALL_PROJECT")]
    {
        assert_eq!(ask(words, &[(variable, "1")], &files).unwrap().unwrap().part, Part::Whole);
    }
    assert!(matches!(ask(&["uv", "sync", "--reinstall"], &[], &files), Err(Entangled::NeedsSource { .. })));
}

#[test]
fn a_project_that_is_no_package_moves_as_a_whole_where_the_lock_stays() {
    let lock = LOCK.replace("editable", "virtual");
    let files = [("pyproject.toml", VIRTUAL), ("uv.lock", lock.as_str())];
    assert_eq!(read(&["uv", "sync", "--frozen"], &files).1, None);
    assert_eq!(read(&["uv", "sync"], &files).1.as_deref(), Some("uv sync --no-install-project"));
    let partial = ask(&["uv", "sync", "--no-install-project"], &[], &files).unwrap().unwrap();
    assert_eq!(partial.rewrites, ["/app/uv.lock"]);
    let by_variable = ask(&["uv", "sync"], &[("UV_LOCKED", "1")], &files).unwrap().unwrap();
    assert_eq!((by_variable.part, by_variable.rewrites.len()), (Part::Whole, 0));
}

#[test]
fn without_a_lock_versions_are_found_anew() {
    let found = ask(&["uv", "sync"], &[], &[("pyproject.toml", APP)]).unwrap().unwrap();
    assert!(found.unpinned.is_some_and(|note| note.contains("uv.lock")));
    assert!(matches!(ask(&["uv", "sync", "--frozen"], &[], &[("pyproject.toml", APP)]), Err(Entangled::NotSeen { .. })));
    assert!(matches!(ask(&["uv", "sync"], &[], &[("a.py", "")]), Err(Entangled::NotSeen { .. })));
    let unreadable = Files::new(&[("pyproject.toml", APP)]).with_unreadable("uv.lock");
    assert!(Uv.dependencies(&invocation(&["uv", "sync"]), &in_project("x"), &unreadable).is_err());
}

#[test]
fn members_are_read_unless_the_lock_is_frozen() {
    let root = format!("{APP}[tool.uv.workspace]\nmembers = ['packages/*']\nexclude = ['packages/old']\n");
    let lock = format!(
        "[manifest]\nmembers = ['app', 'lib']\n{LOCK}[[package]]\nname = 'lib'\nversion = '1'\nsource = {{ editable = 'packages/lib' }}\n"
    );
    let files = [
        ("pyproject.toml", root.as_str()),
        ("uv.lock", lock.as_str()),
        ("packages/lib/pyproject.toml", VIRTUAL),
        ("packages/lib/lib.py", ""),
        ("packages/old/pyproject.toml", VIRTUAL),
    ];
    let (found, command) = read(&["uv", "sync", "--frozen"], &files);
    assert_eq!(found, ["pyproject.toml", "uv.lock"]);
    assert_eq!(command.as_deref(), Some("uv sync --frozen --no-install-workspace"));
    assert_eq!(read(&["uv", "sync", "--locked"], &files).0, ["packages/lib/pyproject.toml", "pyproject.toml", "uv.lock"]);
    let (found, _) = read(&["uv", "--directory", "packages/lib", "sync", "--frozen"], &files);
    assert_eq!(found, ["packages/lib/pyproject.toml", "pyproject.toml", "uv.lock"]);
    let partly = read(&["uv", "sync", "--frozen", "--no-install-project"], &files);
    assert_eq!(partly.1.as_deref(), Some("uv sync --frozen --no-install-project --no-install-workspace"));
}

#[test]
fn local_packages_beside_the_project() {
    let lock = format!(
        "{LOCK}[[package]]\nname = 'lib'\nversion = '1'\nsource = {{ directory = 'lib' }}\n[[package]]\nname = 'w'\nversion = '1'\nsource = {{ path = 'w-1.whl' }}\n"
    );
    let files =
        [("pyproject.toml", APP), ("uv.lock", lock.as_str()), ("lib/pyproject.toml", VIRTUAL), ("lib/l.py", ""), ("w-1.whl", "")];
    let (found, command) = read(&["uv", "sync", "--locked"], &files);
    assert_eq!(found, ["lib/pyproject.toml", "pyproject.toml", "uv.lock", "w-1.whl"]);
    assert_eq!(command.as_deref(), Some("uv sync --locked --no-install-project --no-install-package lib"));
    assert_eq!(read(&["uv", "sync", "--frozen"], &files).0, ["pyproject.toml", "uv.lock", "w-1.whl"]);
}

#[test]
fn dynamic_metadata_needs_the_source_unless_frozen() {
    let dynamic = |what: &str| APP.replace("version = '1'", &format!("dynamic = ['{what}']"));
    let asked =
        |words: &[&str], what: &str, lock: &str| ask(words, &[], &[("pyproject.toml", &dynamic(what)), ("uv.lock", lock)]);
    let unversioned = LOCK.replacen("version = '1'\nsource", "source", 1);
    assert!(asked(&["uv", "sync", "--frozen"], "dependencies", LOCK).is_ok());
    assert!(asked(&["uv", "sync", "--locked"], "version", &unversioned).is_ok());
    for (what, lock) in [("dependencies", LOCK), ("version", LOCK)] {
        let refused = asked(&["uv", "sync", "--locked"], what, lock).unwrap_err();
        assert!(matches!(&refused, Entangled::NeedsSource { because } if because.starts_with("pyproject.toml:3: ")), "{refused}");
    }
    assert!(ask(&["uv", "sync"], &[], &[("pyproject.toml", &dynamic("version"))]).is_err());
}

#[test]
fn the_environment_is_where_variables_say() {
    let files = [("pyproject.toml", APP), ("uv.lock", LOCK)];
    let makes = |value| ask(&["uv", "sync"], &[("UV_PROJECT_ENVIRONMENT", value)], &files).map(|found| found.unwrap().makes);
    assert_eq!(makes("/opt/venv"), Ok(vec![]));
    assert_eq!(makes("env"), Ok(vec!["/app/env".to_owned()]));
    assert!(makes("$ENV").is_err());
}

#[test]
fn exports_and_locks_write_files() {
    let files = [("pyproject.toml", APP), ("uv.lock", LOCK), ("requirements.txt", "")];
    let found = ask(&["uv", "export", "--frozen", "-q", "-o", "requirements.txt"], &[], &files).unwrap().unwrap();
    assert_eq!((found.files.len(), found.rewrites, found.part), (2, vec!["/app/requirements.txt".to_owned()], Part::Whole));
    assert_eq!(ask(&["uv", "lock"], &[], &files).unwrap().unwrap().rewrites, ["/app/uv.lock"]);
    assert!(ask(&["uv", "lock", "--check"], &[], &files).unwrap().unwrap().rewrites.is_empty());
    let venv = ask(&["uv", "venv"], &[], &files).unwrap().unwrap();
    assert_eq!((venv.files, venv.makes), (vec!["/app/pyproject.toml".to_owned()], vec!["/app/.venv".to_owned()]));
}

#[test]
fn pip_commands_follow_files() {
    let files = [
        ("pyproject.toml", VIRTUAL),
        ("requirements.txt", "-r base.txt\n"),
        ("base.txt", "a==1"),
        ("uv.toml", "link-mode = 'copy'"),
        ("own/pyproject.toml", "[project]\n[tool.uv.sources]\nlib = { path = '../lib' }\n"),
    ];
    let install = ["uv", "pip", "install", "--system", "--requirements", "requirements.txt", "-i", "$URL"];
    assert_eq!(read(&install, &files).0, ["base.txt", "requirements.txt", "uv.toml"]);
    assert_eq!(read(&["uv", "pip", "sync", "base.txt"], &files[2..3]).0, ["base.txt"]);
    let whole = ask(&["uv", "pip", "install", "-r", "pyproject.toml", "--extra", "x"], &[], &files).unwrap().unwrap();
    assert!(whole.unpinned.is_some() && whole.files.len() == 2);
    for words in [
        &["uv", "pip", "install", "-e", ".[dev]"][..],
        &["uv", "pip", "install", "-r", "own/pyproject.toml"],
        &["uv", "tool", "install", "."],
    ] {
        assert!(matches!(ask(words, &[], &files), Err(Entangled::NeedsSource { .. })), "{words:?}");
    }
}

#[test]
fn a_project_beside_a_static_table_has_a_first_half() {
    const TABLE: &str = "[project]\nname = 'x'\ndependencies = ['a']\noptional-dependencies.web = ['b']\n";
    let files = [("pyproject.toml", TABLE), ("x.py", "")];
    let half = |words: &[&str]| read(words, &files);
    let (needs, command) = half(&["uv", "pip", "install", "--system", "--no-cache", "."]);
    assert_eq!(command.as_deref(), Some("uv pip install --system --no-cache -r pyproject.toml"));
    assert_eq!(needs, ["pyproject.toml"]);
    let (_, command) = half(&["uv", "pip", "install", "gunicorn", "-e", "/app[web]"]);
    assert_eq!(command.as_deref(), Some("uv pip install gunicorn -r /app/pyproject.toml --extra web"));
    for words in [&["uv", "pip", "install", "--no-deps", "."][..], &["uv", "build", "--wheel"]] {
        assert!(matches!(ask(words, &[], &files), Err(Entangled::NoDependencies { .. })), "{words:?}");
    }
    assert!(matches!(
        ask(&["uv", "pip", "install", "."], &[], &[("pyproject.toml", VIRTUAL)]),
        Err(Entangled::NoDependencies { .. })
    ));
    for words in [&["uv", "pip", "install", "--reinstall", "."][..], &["uv", "pip", "install", ".[no]"]] {
        assert!(matches!(ask(words, &[], &files), Err(Entangled::NeedsSource { .. })), "{words:?}");
    }
}

#[test]
fn commands_that_read_nothing_or_anything() {
    let files = [("pyproject.toml", APP), ("uv.lock", LOCK)];
    for words in [
        &["uv", "pip", "install", "--system", "flask==1"][..],
        &["uv", "tool", "install", "ruff"],
        &["uv", "python", "install", "3.12"],
        &["uv", "cache", "clean"],
        &["uv", "--version"],
    ] {
        assert_eq!(read(words, &files), (vec![], None), "{words:?}");
    }
    for words in [&["uv", "run", "pytest"][..], &["uvx", "ruff"], &["uv", "add", "x"]] {
        assert_eq!(ask(words, &[], &files), Ok(None), "{words:?}");
    }
    assert!(ask(&["uv", "sync", "$FLAGS"], &[], &files).is_err());
}
