//! What pnpm is said to read, by commands that people write and small projects.

use super::*;
use crate::ecosystems::testing::{Files, in_project, invocation};
use crate::ecosystems::{Ecosystem, pnpm::Pnpm};

const PACKAGE: &str = r#"{"packageManager": "pnpm@10.26.0", "dependencies": {"ms": "^2.1.3"}}"#;
const LOCK: &str = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      ms:\n        specifier: ^2.1.3\n        version: 2.1.3\n";

fn ask(command: &str, files: &[(&str, &str)]) -> Answer {
    Pnpm.dependencies(&invocation(&command.split(' ').collect::<Vec<_>>()), &in_project("node:20"), &Files::new(files))
}

fn get(command: &str, files: &[(&str, &str)]) -> Dependencies {
    ask(command, files).unwrap().unwrap()
}

fn names(paths: &[String]) -> Vec<&str> {
    paths.iter().map(|path| path.trim_start_matches("/app/")).collect()
}

#[test]
fn a_workspace_needs_the_manifests_of_all_members() {
    let project = [
        ("package.json", r#"{"packageManager": "pnpm@9.12.2", "scripts": {"preinstall": "npx only-allow pnpm"}}"#),
        ("pnpm-lock.yaml", LOCK),
        ("pnpm-workspace.yaml", "packages:\n  - 'packages/*'\n  - '!packages/old'\n"),
        (".npmrc", "shamefully-hoist=true\n"),
        ("packages/a/package.json", r#"{"name": "a", "bin": "cli.js"}"#),
        ("packages/a/cli.js", ""),
        ("packages/b/package.json", r#"{"dependencies": {"c": "workspace:*"}}"#),
        ("packages/b/.npmrc", ""),
        ("packages/old/package.json", "{}"),
        ("src/x.ts", ""),
    ];
    for command in [
        "pnpm -r --prod=false install --frozen-lockfile",
        "pnpm recursive install --frozen-lockfile",
        "pnpm i --filter b --frozen-lockfile",
    ] {
        let answer = get(command, &project);
        let expected = [
            ".npmrc",
            "package.json",
            "packages/a/package.json",
            "packages/b/.npmrc",
            "packages/b/package.json",
            "pnpm-lock.yaml",
            "pnpm-workspace.yaml",
        ];
        assert_eq!(names(&answer.files), expected, "{command}");
        assert_eq!(names(&answer.makes), ["node_modules", "packages/a/node_modules", "packages/b/node_modules"]);
        assert!(answer.rewrites.is_empty() && answer.doubt.is_none(), "nobody asks for a's program");
    }
    let mut linked = project;
    linked[6].1 = r#"{"dependencies": {"a": "workspace:*"}}"#;
    let answer = get("pnpm install --frozen-lockfile", &linked);
    assert!(answer.files.contains(&"/app/packages/a/cli.js".to_owned()) && answer.doubt.is_some());
}

#[test]
fn patches_and_hooks_are_read() {
    let package = r#"{"pnpm": {"patchedDependencies": {"ms@2.1.3": "patches/ms.patch"}}}"#;
    let project =
        [("package.json", package), ("pnpm-lock.yaml", LOCK), ("patches/ms.patch", ""), (".pnpmfile.cjs", "module.exports = {}")];
    let answer = get("pnpm install --frozen-lockfile", &project);
    assert_eq!(names(&answer.files), [".pnpmfile.cjs", "package.json", "patches/ms.patch", "pnpm-lock.yaml"]);
    assert!(matches!(ask("pnpm i", &project[..2]), Err(Entangled::Missing { .. })));
    let loads = [project[0], project[1], project[2], (".pnpmfile.cjs", "require('./x')")];
    assert!(matches!(ask("pnpm i", &loads), Err(Entangled::NeedsSource { .. })));
    assert!(ask("pnpm i --ignore-pnpmfile", &loads).is_ok());
}

#[test]
fn what_needs_the_source_is_only_fetched() {
    let package = r#"{"scripts": {"prepare": "tsc"}}"#;
    let project = [
        ("package.json", package),
        ("pnpm-lock.yaml", LOCK),
        ("pnpm-workspace.yaml", "packages: [a]\n"),
        ("a/package.json", "{}"),
    ];
    let answer = get("pnpm install --frozen-lockfile --prod", &project);
    assert_eq!(answer.part, Part::FirstHalf { command: "pnpm fetch --prod".into(), rest: Vec::new(), only_fetches: true });
    assert_eq!(names(&answer.files), ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"]);
    assert!(ask("pnpm install --filter a", &project).is_err(), "fetch would bring more");
    assert_eq!(get("pnpm install --ignore-scripts", &project).part, Part::Whole);
    let injected = [("package.json", r#"{"dependenciesMeta": {"a": {"injected": true}}}"#)];
    let because = ask("pnpm i", &injected).unwrap_err().to_string();
    assert!(because.starts_with("package.json:1: an injected"), "{because}");
}

#[test]
fn the_lock_is_kept_where_it_fits() {
    let rewrites =
        |package: &str, lock: &str, command: &str| get(command, &[("package.json", package), ("pnpm-lock.yaml", lock)]).rewrites;
    assert!(rewrites(PACKAGE, LOCK, "pnpm install").is_empty());
    let written = ["/app/pnpm-lock.yaml"];
    assert_eq!(rewrites(&PACKAGE.replace("^2", "2"), LOCK, "pnpm install"), written);
    assert!(rewrites(&PACKAGE.replace("^2", "2"), LOCK, "pnpm ci").is_empty());
    assert_eq!(rewrites(&PACKAGE.replace("10.26", "8.6"), LOCK, "pnpm install"), written, "pnpm 8 has another format");
    assert_eq!(rewrites(r#"{"dependencies": {"ms": "^2.1.3"}}"#, LOCK, "pnpm install"), written, "pnpm is not known");
    assert_eq!(rewrites(PACKAGE, &format!("{LOCK}overrides:\n  a: b\n"), "pnpm install"), written);
    assert_eq!(names(&rewrites(PACKAGE, LOCK, "pnpm add x@1.0.0")), ["package.json", "pnpm-lock.yaml"]);
    assert!(get("pnpm install", &[("package.json", PACKAGE)]).unpinned.is_some());
}

#[test]
fn commands_that_read_nothing_or_anything() {
    let project = [("package.json", "{}"), ("pnpm-lock.yaml", LOCK)];
    for command in
        ["pnpm add -g serve@14.2.0", "pnpm config set store-dir /s", "pnpm store prune", "pnpm --version", "pnpm setup"]
    {
        assert_eq!(ask(command, &project), nothing(), "{command}");
    }
    for command in [
        "pnpm run -r build",
        "pnpm build",
        "pnpm deploy --filter=app /x",
        "pnpm -r build",
        "pnpm prune --prod",
        "pnpm up",
        "pnpm exec x",
        "pnpm $X",
    ] {
        assert_eq!(ask(command, &project), Ok(None), "{command}");
    }
    assert_eq!(names(&get("pnpm fetch", &project).files), ["package.json", "pnpm-lock.yaml"]);
    assert_eq!(get("pnpm -g install serve", &[("package.json", PACKAGE)]).files, ["/app/package.json"], "it names the pnpm");
    assert!(matches!(ask("pnpm i", &[("src/x", "")]), Err(Entangled::Missing { .. })));
    assert!(matches!(ask("pnpm i $FLAGS", &project), Err(Entangled::NotSeen { .. })));
}
