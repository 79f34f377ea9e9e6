//! What npm is said to read, by commands that people write and small projects.

use super::*;
use crate::ecosystems::testing::{Files, in_project, invocation};
use crate::ecosystems::{CommandChange, Ecosystem, Part, npm::Npm};

const PACKAGE: &str = r#"{"name": "x", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}}"#;
const LOCK: &str = r#"{
  "name": "x",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "x",
      "version": "1.0.0",
      "dependencies": {
        "ms": "2.1.3"
      }
    },
    "node_modules/ms": {
      "version": "2.1.3",
      "resolved": "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz",
      "integrity": "sha512-x",
      "license": "MIT"
    }
  }
}
"#;

fn ask(command: &str, files: &[(&str, &str)]) -> Answer {
    ask_at(command, files, &in_project("node:20"))
}

fn ask_at(command: &str, files: &[(&str, &str)], at: &Surroundings) -> Answer {
    Npm.dependencies(&invocation(&command.split(' ').collect::<Vec<_>>()), at, &Files::new(files))
}

fn files(command: &str, with: &[(&str, &str)]) -> Vec<String> {
    let answer = ask(command, with).unwrap().unwrap();
    answer.files.iter().map(|file| file.trim_start_matches("/app/").to_owned()).collect()
}

fn because(answer: Answer) -> String {
    answer.unwrap_err().to_string()
}

#[test]
fn ci_reads_the_manifest_the_lock_and_npmrc() {
    let project = [("package.json", PACKAGE), ("package-lock.json", LOCK), (".npmrc", "fund=false"), ("src/index.js", "")];
    let answer = ask("npm ci --omit=dev", &project).unwrap().unwrap();
    let expected = Dependencies {
        files: ["/app/.npmrc", "/app/package-lock.json", "/app/package.json"].map(str::to_owned).into(),
        makes: vec!["/app/node_modules".to_owned()],
        ..Dependencies::default()
    };
    assert_eq!(answer, expected);
    let shrinkwrap = [("package.json", PACKAGE), ("npm-shrinkwrap.json", LOCK), ("package-lock.json", LOCK)];
    assert_eq!(files("npm ci", &shrinkwrap), ["npm-shrinkwrap.json", "package.json"]);
}

#[test]
fn what_is_missing_is_named() {
    let because = |command, files: &[(&str, &str)]| because(ask(command, files));
    assert!(because("npm ci", &[("package.json", PACKAGE)]).starts_with("npm ci needs package-lock.json"));
    assert!(because("npm install", &[("x/package.json", PACKAGE)]).starts_with("npm needs package.json"));
    assert!(because("npm ci $FLAGS", &[("package.json", PACKAGE)]).starts_with("$FLAGS is not known"));
    let unreadable = Files::new(&[("package-lock.json", LOCK)]).with_unreadable("package.json");
    let answer = Npm.dependencies(&invocation(&["npm", "ci"]), &in_project("node:20"), &unreadable);
    assert!(matches!(answer, Err(Entangled::NotSeen { .. })));
}

#[test]
fn commands_that_read_nothing() {
    for command in [
        "npm install -g serve@14.2.0",
        "npm config set registry https://r.example",
        "npm cache clean --force",
        "npm --version",
        "npm update npm -g",
        "npm set progress=false",
        "npm config set token $TOKEN",
        "corepack enable",
    ] {
        assert_eq!(ask(command, &[("package.json", PACKAGE)]), nothing(), "{command}");
    }
    assert_eq!(
        ask("npm i -g @angular/cli", &[]).unwrap().unwrap().unpinned.as_deref(),
        Some("@angular/cli names no exact version")
    );
}

#[test]
fn commands_that_may_read_anything() {
    for command in [
        "npm run build",
        "npm test",
        "npm prune --omit=dev",
        "npm link",
        "npm install -g .",
        "npm version 1.0.0",
        "npm update",
        "npm exec x",
        "npm $X",
    ] {
        assert_eq!(ask(command, &[("package.json", PACKAGE)]), Ok(None), "{command}");
    }
}

#[test]
fn another_folder() {
    let project = [("web/package.json", PACKAGE), ("web/package-lock.json", LOCK)];
    for command in ["npm ci --prefix web", "npm --prefix=./web ci", "npm -C web ci"] {
        assert_eq!(files(command, &project), ["web/package-lock.json", "web/package.json"], "{command}");
    }
    assert_eq!(ask("npm ci --prefix web", &project).unwrap().unwrap().makes, ["/app/web/node_modules"]);
}

#[test]
fn workspaces_need_the_manifests_of_all_members() {
    let project = [
        ("package.json", r#"{"workspaces": ["packages/*"]}"#),
        ("package-lock.json", LOCK),
        ("packages/a/package.json", r#"{"bin": {"a": "./dist/a.js"}}"#),
        ("packages/a/src/a.ts", ""),
        ("packages/b/package.json", r#"{"dependencies": {"a": "*"}}"#),
    ];
    let expected = ["package-lock.json", "package.json", "packages/a/package.json", "packages/b/package.json"];
    assert_eq!(files("npm ci", &project), expected);
    let at = Surroundings { workdir: Knowledge::Known("/app/packages/b".to_owned()), ..in_project("node:20") };
    let answer = ask_at("npm ci", &project, &at).unwrap().unwrap();
    assert_eq!(answer.files.len(), 4, "the root is looked for");
    assert_eq!(answer.makes, ["/app/node_modules", "/app/packages/a/node_modules", "/app/packages/b/node_modules"]);
    assert_eq!(answer.doubt, None, "the program is not built yet, before as after");
}

#[test]
fn a_program_that_is_there_is_linked_and_made_executable() {
    let project = [
        ("package.json", r#"{"workspaces": {"packages": ["cli"]}}"#),
        ("package-lock.json", LOCK),
        ("cli/package.json", r#"{"name": "cli", "bin": "bin/cli.js"}"#),
        ("cli/bin/cli.js", ""),
    ];
    let answer = ask("npm ci", &project).unwrap().unwrap();
    assert!(answer.files.contains(&"/app/cli/bin/cli.js".to_owned()) && answer.doubt.is_some());
}

#[test]
fn lifecycle_scripts_of_the_root_and_of_members() {
    let with = |scripts: &str, command: &str| {
        let text = format!("{{\n  \"scripts\": {{\n    {scripts}\n  }}\n}}");
        // npm 6, whose installs have no halves.
        ask_at(command, &[("package.json", &text), ("package-lock.json", LOCK)], &in_project("node:14"))
    };
    let refused = because(with(r#""postinstall": "node scripts/setup.js""#, "npm ci"));
    assert_eq!(refused, "package.json:3: the postinstall script `node scripts/setup.js` may read the project's source");
    assert!(with(r#""postinstall": "node scripts/setup.js""#, "npm ci --ignore-scripts").is_ok());
    assert!(with(r#""prepare": "husky""#, "npm ci").is_ok());
    assert!(with(r#""prepare": "npm run build""#, "npm ci --omit=dev").is_err());
    assert!(with(r#""build": "tsc""#, "npm ci").is_ok());
    assert!(with(r#""prepare": "tsc""#, "npm install --no-save ms").is_ok(), "they don't run with packages");
    assert!(
        with(r#""prepare": "tsc""#, "npm install --strange ms").is_err() && with(r#""prepare": "tsc""#, "npm ci ms").is_err()
    );
    let member = [
        ("package.json", r#"{"workspaces": ["a"]}"#),
        ("package-lock.json", LOCK),
        ("a/package.json", r#"{"scripts": {"prepare": "tsc"}}"#),
    ];
    assert!(because(ask_at("npm ci", &member, &in_project("node:14"))).starts_with("a/package.json:1: the prepare script `tsc`"));
    let variable = [("npm_config_ignore_scripts".to_owned(), Knowledge::Known("true".to_owned()))];
    assert!(ask_at("npm ci", &member, &Surroundings { variables: variable.into(), ..in_project("node:20") }).is_ok());
}

#[test]
fn only_the_roots_own_scripts_make_a_second_half() {
    let with = |scripts: &str, lock: &str, command: &str| {
        let text = format!(r#"{{"scripts": {{{scripts}}}, "dependencies": {{"ms": "2.1.3"}}}}"#);
        ask(command, &[("package.json", &text), ("package-lock.json", lock)]).map(|answer| answer.unwrap().part)
    };
    let half =
        |command: &str, rest: Vec<CommandChange>| Ok(Part::FirstHalf { command: command.to_owned(), rest, only_fetches: false });
    let build = r#""prepare": "npm run build", "build": "tsc""#;
    assert_eq!(with(build, LOCK, "npm install"), half("npm install --ignore-scripts", Vec::new()));
    let rest = vec![CommandChange::ReplaceArgument(0, "run prepare".to_owned())];
    assert_eq!(with(build, LOCK, "npm ci --omit=dev"), half("npm ci --omit=dev --ignore-scripts", rest));
    let native = LOCK.replace("\"license\": \"MIT\"", "\"hasInstallScript\": true");
    let without = "npm pkg delete scripts.prepare && npm install";
    assert_eq!(with(build, &native, "npm install"), half(without, Vec::new()), "the package's own script runs in it");
    let first = r#""preinstall": "node x.js""#;
    assert_eq!(with(first, LOCK, "npm install"), half("npm install --ignore-scripts", Vec::new()));
    let all = vec![CommandChange::ReplaceArgument(0, "install --no-save".to_owned())];
    let two = r#""prepare": "tsc", "postinstall": "node x.js""#;
    assert_eq!(with(two, LOCK, "npm ci"), half("npm ci --ignore-scripts", all.clone()));
    let without = "npm pkg delete scripts.postinstall scripts.prepare && npm ci";
    assert_eq!(with(two, &native, "npm ci"), half(without, all));
    assert!(with(r#""dependencies": "node x.js""#, LOCK, "npm ci").is_err(), "it runs only where packages change");
}

#[test]
fn a_first_half_that_runs_scripts_of_packages() {
    let package = PACKAGE.replacen('{', r#"{"scripts": {"prepare": "tsc"}, "#, 1);
    let ask = |command: &str, more: &[(&str, &str)], base: &str| {
        let mut files = vec![("package.json", package.as_str())];
        files.extend(more);
        ask_at(command, &files, &in_project(base)).map(Option::unwrap)
    };
    let command = |answer: Result<Dependencies, Entangled>| match answer.map(|answer| answer.part) {
        Ok(Part::FirstHalf { command, .. }) => command,
        other => format!("{other:?}"),
    };
    let answer = ask("npm install", &[], "node:20").unwrap();
    assert_eq!((answer.spoils.as_slice(), answer.unpinned.is_some()), (&["/app/package.json".to_owned()][..], true));
    assert_eq!(answer.rewrites, ["/app/package-lock.json"]);
    let without = "npm pkg delete scripts.prepare && npm install --omit=dev";
    assert_eq!(command(ask("npm install --omit=dev", &[], "node:lts")), without);
    assert!(ask("npm install", &[], "node:14").is_err(), "npm 6 knows no `npm pkg`");
    assert!(ask("npm install", &[], "debian:12").is_err());
    assert!(ask("npm install", &[("yarn.lock", "")], "node:20").is_err());
    assert!(ask("npm install --prefix /app", &[], "node:20").is_err());
    let svelte = r#"{"scripts": {"prepare": "tsc"}, "devDependencies": {"@sveltejs/kit": "^1.0.0"}}"#;
    assert!(ask_at("npm i", &[("package.json", svelte)], &in_project("node:20")).is_err(), "a package's script reads the source");
    let out_of_date = LOCK.replace("2.1.3\"\n      }", "2.1.2\"\n      }");
    assert_eq!(
        command(ask("npm install", &[("package-lock.json", &out_of_date)], "node:20")),
        without.replace(" --omit=dev", "")
    );
    assert_eq!(command(ask("npm install", &[("package-lock.json", LOCK)], "debian:12")), "npm install --ignore-scripts");
}

#[test]
fn members_run_their_scripts_in_the_second_half() {
    let package = r#"{"name": "x", "workspaces": ["packages/*"]}"#;
    let member = r#"{"name": "a", "bin": "cli.js", "scripts": {"prepare": "tsc"}}"#;
    let lock = r#"{"lockfileVersion": 3, "packages": {"": {}, "packages/a": {"hasInstallScript": true},
        "node_modules/a": {"resolved": "packages/a", "link": true}}}"#;
    let files = [("package.json", package), ("package-lock.json", lock), ("packages/a/package.json", member)];
    let with_bin = [files.as_slice(), &[("packages/a/cli.js", "")]].concat();
    let answer = ask("npm ci", &with_bin).unwrap().unwrap();
    let rest = vec![CommandChange::ReplaceArgument(0, "install --no-save".to_owned())];
    let command = "npm ci --ignore-scripts".to_owned();
    assert_eq!(answer.part, Part::FirstHalf { command, rest, only_fetches: false });
    assert_eq!((answer.doubt, answer.files.len()), (None, 3), "its program is linked in the second half");
    let native = lock.replace("\"node_modules/a\"", "\"node_modules/b\": {\"hasInstallScript\": true}, \"node_modules/a\"");
    let files = [("package.json", package), ("package-lock.json", native.as_str()), ("packages/a/package.json", member)];
    assert!(ask("npm ci", &files).is_err(), "the member's script would run without the source");
}

#[test]
fn install_keeps_a_lock_that_says_the_same() {
    let rewrites = |package: &str, lock: &str, command: &str, base: &str| {
        let answer = ask_at(command, &[("package.json", package), ("package-lock.json", lock)], &in_project(base));
        answer.unwrap().unwrap().rewrites
    };
    let lock = ["/app/package-lock.json"];
    assert!(rewrites(PACKAGE, LOCK, "npm install --omit=dev", "node:20").is_empty());
    assert!(rewrites(PACKAGE, LOCK, "npm ci", "debian").is_empty());
    assert!(rewrites(PACKAGE, &LOCK.replace("  ", "\t"), "npm i", "node:18").is_empty());
    assert_eq!(rewrites(PACKAGE, LOCK, "npm install", "node:lts"), lock, "npm is not known");
    assert!(rewrites(PACKAGE, LOCK, "npm install", "node:24").is_empty());
    let peers = LOCK.replace("\"license\": \"MIT\"", "\"peerDependencies\": {\n        \"ms\": \"*\"\n      }");
    assert!(rewrites(PACKAGE, &peers, "npm install", "node:22").is_empty());
    assert_eq!(rewrites(PACKAGE, &peers, "npm install", "node:24"), lock);
    let both = ["/app/package-lock.json", "/app/package.json"];
    assert_eq!(rewrites(PACKAGE, LOCK, "npm install", "node:12"), both, "npm 6 writes both in its own format");
    assert!(rewrites(PACKAGE, LOCK, "npm ci", "node:12").is_empty());
    assert_eq!(rewrites(&PACKAGE.replace("2.1.3", "^2.1.3"), LOCK, "npm install", "node:20"), lock);
    assert_eq!(rewrites(PACKAGE, &LOCK.replace('\n', "\r\n"), "npm install", "node:20"), lock);
    assert_eq!(rewrites(PACKAGE, LOCK.trim_end(), "npm install", "node:20"), lock);
    assert_eq!(rewrites(PACKAGE, LOCK, "npm install --legacy-peer-deps", "node:20"), lock);
    let left_over = LOCK.replace("node_modules/ms\"", "node_modules/xs\"");
    assert_eq!(rewrites(PACKAGE, &left_over, "npm install", "node:20"), lock);
    let libc = LOCK.replace("\"license\": \"MIT\"", "\"libc\": []");
    assert_eq!(rewrites(PACKAGE, &libc, "npm install", "node:20"), lock);
    assert_eq!(rewrites(PACKAGE, LOCK, "npm install ms@2.1.3", "node:20"), ["/app/package-lock.json", "/app/package.json"]);
}

#[test]
fn without_a_lock_nothing_is_pinned() {
    let answer = ask("npm install", &[("package.json", PACKAGE)]).unwrap().unwrap();
    assert!(answer.unpinned.is_some() && answer.rewrites == ["/app/package-lock.json"], "it makes one");
    let off = [("package.json", PACKAGE), ("package-lock.json", LOCK), (".npmrc", "package-lock=false")];
    let answer = ask("npm install", &off).unwrap().unwrap();
    assert!(answer.unpinned.is_some() && answer.files == ["/app/.npmrc", "/app/package.json"] && answer.rewrites.is_empty());
    let yarn = ask("npm install", &[("package.json", PACKAGE), ("yarn.lock", "")]).unwrap().unwrap();
    assert_eq!(yarn.rewrites, ["/app/package-lock.json", "/app/yarn.lock"]);
}
