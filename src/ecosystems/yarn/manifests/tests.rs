//! What Yarn is said to read, by commands that people write and small projects.

use super::*;
use crate::ecosystems::testing::{Files, in_project, invocation};
use crate::ecosystems::{Ecosystem, Part, yarn::Yarn};

const PACKAGE: &str = r#"{"name": "x", "dependencies": {"ms": "^2.1.3"}}"#;
const CLASSIC: &str = "# yarn lockfile v1\n\n\nms@^2.1.3:\n  version \"2.1.3\"\n  resolved \"https://registry.yarnpkg.com/ms/-/ms-2.1.3.tgz#5\"\n  integrity sha512-x\n";
const BERRY: &str = "# generated\n\n__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"ms@npm:^2.1.3\":\n  version: 2.1.3\n";
const PINNED: &str = "{\n  \"packageManager\": \"yarn@4.1.0\"\n}\n";
const NODE_MODULES: &str = "nodeLinker: node-modules\n";

fn ask_at(command: &str, files: &[(&str, &str)], at: &Surroundings) -> Answer {
    Yarn.dependencies(&invocation(&command.split(' ').collect::<Vec<_>>()), at, &Files::new(files))
}

fn ask(command: &str, files: &[(&str, &str)]) -> Answer {
    ask_at(command, files, &in_project("node:20"))
}

fn get(command: &str, files: &[(&str, &str)]) -> Dependencies {
    ask(command, files).unwrap().unwrap()
}

fn names(paths: &[String]) -> Vec<&str> {
    paths.iter().map(|path| path.trim_start_matches("/app/")).collect()
}

#[test]
fn classic_reads_manifests_and_lock() {
    let project = [
        ("package.json", r#"{"workspaces": {"packages": ["packages/*"]}, "scripts": {"prepare": "husky install"}}"#),
        ("yarn.lock", CLASSIC),
        (".npmrc", ""),
        (".yarnrc", "yarn-path \".yarn/releases/yarn-1.22.19.js\"\n"),
        (".yarn/releases/yarn-1.22.19.js", ""),
        ("packages/a/package.json", PACKAGE),
        ("src/x.js", ""),
    ];
    for command in ["yarn", "yarn install --frozen-lockfile", "yarn --network-timeout 600000", "yarn --cwd /app install"] {
        let answer = get(command, &project);
        let expected =
            [".npmrc", ".yarn/releases/yarn-1.22.19.js", ".yarnrc", "package.json", "packages/a/package.json", "yarn.lock"];
        assert_eq!(names(&answer.files), expected, "{command}");
        assert_eq!(names(&answer.makes), ["node_modules", "packages/a/node_modules"]);
        assert!(answer.rewrites.is_empty() && answer.unpinned.is_none());
    }
}

#[test]
fn classic_keeps_a_lock_that_is_complete() {
    let rewrites =
        |package: &str, lock: &str, command: &str| get(command, &[("package.json", package), ("yarn.lock", lock)]).rewrites;
    assert!(rewrites(PACKAGE, CLASSIC, "yarn install --production").is_empty());
    let other = PACKAGE.replace("^2.1.3", "^2.1.4");
    assert_eq!(rewrites(&other, CLASSIC, "yarn"), ["/app/yarn.lock"]);
    assert!(rewrites(&other, CLASSIC, "yarn --frozen-lockfile").is_empty());
    assert_eq!(rewrites(r#"{"dependencies": {}}"#, CLASSIC, "yarn"), ["/app/yarn.lock"], "an entry is left over");
    assert_eq!(rewrites(PACKAGE, &CLASSIC.replace("integrity", "x"), "yarn"), ["/app/yarn.lock"]);
    let deeper = format!("{CLASSIC}  dependencies:\n    \"@a/b\" \"1.0.0\"\n\n\"@a/b@1.0.0\":\n  integrity x\n");
    assert!(rewrites(PACKAGE, &deeper, "yarn").is_empty());
    assert_eq!(names(&rewrites(PACKAGE, CLASSIC, "yarn add x@1.0.0")), ["package.json", "yarn.lock"]);
}

#[test]
fn classic_runs_prepare_only_in_development() {
    let project = [("package.json", r#"{"scripts": {"prepare": "tsc"}}"#), ("yarn.lock", CLASSIC)];
    let half = |answer: Answer| match answer.unwrap().unwrap().part {
        Part::FirstHalf { command, .. } => command,
        Part::Whole => String::new(),
    };
    assert_eq!(half(ask("yarn", &project)), "npm pkg delete scripts.prepare && yarn");
    assert_eq!(half(ask_at("yarn", &project, &in_project("debian:12"))), "yarn --ignore-scripts");
    assert_eq!(half(ask("yarn --production", &project)), "");
    let at = |value: &str| Surroundings {
        variables: vec![("NODE_ENV".into(), Knowledge::Known(value.into()))],
        ..in_project("node:20")
    };
    assert_eq!(half(ask_at("yarn", &project, &at("production"))), "");
    assert!(!half(ask_at("yarn --production=false", &project, &at("production"))).is_empty());
    assert!(!half(ask_at("yarn", &project, &at("test"))).is_empty());
    assert_eq!(half(ask("yarn --ignore-scripts", &project)), "");
}

#[test]
fn a_first_half_of_classic() {
    let half = |package: &str, more: &[(&str, &str)]| {
        let mut files = vec![("package.json", package), ("yarn.lock", CLASSIC)];
        files.extend(more);
        match ask("yarn --frozen-lockfile", &files).map(|answer| answer.unwrap().part) {
            Ok(Part::FirstHalf { command, .. }) => command,
            other => format!("{other:?}"),
        }
    };
    let quiet = "yarn --frozen-lockfile --ignore-scripts";
    let both = half(r#"{"scripts": {"postinstall": "node x.js", "prepare": "husky"}}"#, &[]);
    assert_eq!(both, "npm pkg delete scripts.postinstall scripts.prepare && yarn --frozen-lockfile");
    let first = half(r#"{"scripts": {"preinstall": "node x.js"}}"#, &[]);
    assert!(first.contains("the preinstall script"), "it would run behind the packages: {first}");
    let reads = r#"{"scripts": {"prepare": "tsc"}, "devDependencies": {"@sveltejs/kit": "^1.0.0"}}"#;
    assert_eq!(half(reads, &[]), quiet, "a package's script reads the source, too");
    let member = [("a/package.json", r#"{"name": "a", "scripts": {"postinstall": "node x.js"}}"#)];
    assert_eq!(half(r#"{"private": true, "workspaces": ["a"]}"#, &member), quiet, "members' scripts run with the packages'");
    let named = half(r#"{"scripts": {"prepare": "tsc"}, "devEngines": {}}"#, &[]);
    assert_eq!(named, quiet, "npm may refuse to run at all");
}

#[test]
fn classic_copies_local_folders() {
    let project = [("package.json", r#"{"dependencies": {"a": "file:./a"}}"#), ("a/package.json", "{}"), ("a/x.js", "")];
    assert_eq!(get("yarn", &project).folders, ["/app/a"]);
}

#[test]
fn berry_reads_its_program_plugins_and_patches() {
    let rc = "nodeLinker: node-modules\nyarnPath: .yarn/releases/yarn-4.1.0.cjs\nplugins:\n  - path: .yarn/plugins/x.cjs\n    spec: x\n";
    let package = "{\n  \"workspaces\": [\n    \"a\"\n  ],\n  \"resolutions\": {\n    \"ms\": \"patch:ms@npm%3A2.1.3#~/.yarn/patches/ms.patch\"\n  }\n}\n";
    let project = [
        ("package.json", package),
        ("a/package.json", "{\n  \"workspaces\": [\n    \"b\"\n  ]\n}\n"),
        ("a/b/package.json", "{\n  \"name\": \"b\"\n}\n"),
        ("yarn.lock", BERRY),
        (".yarnrc.yml", rc),
        (".yarn/releases/yarn-4.1.0.cjs", ""),
        (".yarn/plugins/x.cjs", ""),
        (".yarn/patches/ms.patch", ""),
        (".yarn/patches/unused.patch", ""),
    ];
    let answer = get("yarn install --immutable", &project);
    let expected = [
        ".yarn/patches/ms.patch",
        ".yarn/plugins/x.cjs",
        ".yarn/releases/yarn-4.1.0.cjs",
        ".yarnrc.yml",
        "a/b/package.json",
        "a/package.json",
        "package.json",
        "yarn.lock",
    ];
    assert_eq!(names(&answer.files), expected);
    assert_eq!(names(&answer.makes), [".yarn/install-state.gz", "a/b/node_modules", "a/node_modules", "node_modules"]);
    assert!(answer.rewrites.is_empty());
    assert_eq!(get("yarn install", &project).rewrites, ["/app/yarn.lock"]);
    assert!(get("yarn workspaces focus --production", &project).rewrites.is_empty());
    let mut unordered = project;
    unordered[2].1 = r#"{"name": "b"}"#;
    assert_eq!(
        get("yarn install --immutable", &unordered).rewrites,
        ["/app/a/b/package.json"],
        "Yarn writes manifests in its format"
    );
    let missing: Vec<(&str, &str)> = project.iter().copied().filter(|(name, _)| !name.contains("ms.patch")).collect();
    assert!(matches!(ask("yarn", &missing), Err(Entangled::Missing { .. })));
}

#[test]
fn berry_with_its_cache_in_the_repository_and_plug_and_play() {
    let project = [("package.json", PINNED), ("yarn.lock", BERRY), (".yarn/cache/ms.zip", "")];
    let answer = get("yarn --immutable", &project);
    assert_eq!(answer.folders, ["/app/.yarn/cache"]);
    assert_eq!(names(&answer.makes), [".pnp.cjs", ".pnp.loader.mjs", ".yarn/install-state.gz", ".yarn/unplugged"]);
    let tracked = [project[0], project[1], (".pnp.cjs", "")];
    assert_eq!(get("yarn --immutable", &tracked).rewrites, ["/app/.pnp.cjs"]);
    let old = [project[0], ("yarn.lock", &BERRY.replace("version: 8", "version: 6"))];
    assert!(get("yarn --immutable", &old).makes.contains(&"/app/.yarn/cache".to_owned()));
}

#[test]
fn berry_builds_below_the_source() {
    let project = [
        ("package.json", r#"{"packageManager": "yarn@4.1.0", "scripts": {"postinstall": "node x.js", "prepare": "tsc"}}"#),
        ("yarn.lock", BERRY),
        (".yarnrc.yml", NODE_MODULES),
    ];
    let half = |command: &str| Part::FirstHalf { command: command.to_owned(), rest: Vec::new(), only_fetches: false };
    assert_eq!(get("yarn install --immutable", &project).part, half("yarn install --immutable --mode=skip-build"));
    assert_eq!(get("yarn", &project).part, half("yarn install --mode=skip-build"));
    let prepare =
        [("package.json", r#"{"packageManager": "yarn@4.1.0", "scripts": {"prepare": "tsc"}}"#), project[1], project[2]];
    assert_eq!(get("yarn", &prepare).part, Part::Whole, "Berry runs no prepare on install");
}

#[test]
fn which_yarn_must_be_known() {
    let berry = [("package.json", PACKAGE), ("yarn.lock", BERRY)];
    assert!(matches!(ask("yarn", &berry), Err(Entangled::NotSeen { .. })));
    let earlier = [invocation(&["corepack", "prepare", "yarn@4.1.0", "--activate"])];
    assert!(ask_at("yarn", &berry, &Surroundings { earlier: &earlier, ..in_project("node:20") }).is_ok());
}

#[test]
fn commands_that_read_nothing_or_anything() {
    let project = [("package.json", PACKAGE), ("yarn.lock", CLASSIC)];
    for command in ["yarn global add serve@14.2.0", "yarn cache clean", "yarn config set registry https://r", "yarn --version"] {
        assert_eq!(ask(command, &project), Ok(Some(Dependencies::default())), "{command}");
    }
    for command in [
        "yarn build",
        "yarn run build",
        "yarn set version stable",
        "yarn upgrade",
        "yarn $X",
        "yarn workspace a add x",
        "yarn link",
    ] {
        assert_eq!(ask(command, &project), Ok(None), "{command}");
    }
    let pinned = [("package.json", r#"{"packageManager": "yarn@1.22.22"}"#)];
    assert_eq!(get("yarn global add serve", &pinned).files, ["/app/package.json"]);
    let berry = [("package.json", r#"{"packageManager": "yarn@4.1.0"}"#)];
    assert_eq!(ask("yarn config set nodeLinker node-modules", &berry), Ok(None));
}
