//! The scenarios in `examples/` come true: `fix --write` on `before/` gives `before/` with `after/` laid over it.
//!
//! `UPDATE_EXAMPLES=1 cargo test --test examples` writes `after/` anew.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files of a folder by their path in it: what is in them, and whether they can be run.
type Tree = BTreeMap<String, (Vec<u8>, bool)>;

fn tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    gather(folder, "", &mut tree);
    tree
}

fn gather(folder: &Path, prefix: &str, tree: &mut Tree) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let (name, path) = entry.map(|entry| (entry.file_name().into_string().unwrap(), entry.path())).unwrap();
        match path.is_dir() {
            true if name == ".git" => {}
            true => gather(&path, &format!("{prefix}{name}/"), tree),
            false => {
                let runs = path.metadata().unwrap().permissions().mode() & 0o111 != 0;
                tree.insert(format!("{prefix}{name}"), (std::fs::read(&path).unwrap(), runs));
            }
        }
    }
}

fn lay_out(tree: &Tree, folder: &Path) {
    for (name, (content, runs)) in tree {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(if *runs { 0o755 } else { 0o644 })).unwrap();
    }
}

/// A folder with a `before/`.
struct Scenario {
    name: String,
    before: Tree,
    after: Tree,
}

impl Scenario {
    fn all() -> Vec<Self> {
        let folders = std::fs::read_dir(Path::new(ROOT).join("examples")).unwrap();
        let mut names: Vec<String> = folders
            .map(Result::unwrap)
            .filter(|entry| entry.path().join("before").is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert!(names.len() >= 7, "{names:?}");
        names.into_iter().map(Self::read).collect()
    }

    fn read(name: String) -> Self {
        let folder = Path::new(ROOT).join("examples").join(&name);
        let (before, after) = (tree(&folder.join("before")), folder.join("after"));
        Self { name, before, after: if after.is_dir() { tree(&after) } else { Tree::new() } }
    }

    fn wanted(&self) -> Tree {
        self.before.clone().into_iter().chain(self.after.clone()).collect()
    }

    /// Keeps what is not as it was before.
    fn update(&self, now: &Tree) {
        let after = Path::new(ROOT).join("examples").join(&self.name).join("after");
        if after.is_dir() {
            std::fs::remove_dir_all(&after).unwrap();
        }
        let changed = now.iter().filter(|(name, file)| self.before.get(*name) != Some(*file));
        lay_out(&changed.map(|(name, file)| (name.clone(), file.clone())).collect(), &after);
    }
}

/// The files of a scenario in a folder that no repository holds.
struct Copy(PathBuf);

impl Copy {
    fn new(scenario: &Scenario, kind: &str) -> Self {
        let copy = Self(std::env::temp_dir().join(format!("dockeropt-example-{}-{kind}-{}", scenario.name, std::process::id())));
        lay_out(&scenario.before, &copy.0);
        copy
    }

    /// The same in a folder of the copy.
    fn within(scenario: &Scenario, folder: &str) -> Self {
        let copy = Self(std::env::temp_dir().join(format!("dockeropt-example-{}-diff-{}", scenario.name, std::process::id())));
        lay_out(&scenario.before, &copy.0.join(folder));
        copy
    }

    /// The same, committed.
    fn committed(scenario: &Scenario) -> Self {
        let copy = Self::new(scenario, "git");
        copy.git(&["init", "--quiet"]);
        copy.git(&["add", "--all"]);
        copy.git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=x"]);
        copy
    }

    fn git(&self, arguments: &[&str]) {
        assert!(Command::new("git").arg("-C").arg(&self.0).args(arguments).status().unwrap().success(), "{arguments:?}");
    }

    fn fix(&self) -> Output {
        dockeropt(&["fix", "--write"], &self.0)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn dockeropt(arguments: &[&str], path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dockeropt")).args(arguments).arg(path).current_dir(ROOT).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Text that a person can compare.
fn shown(tree: &Tree) -> BTreeMap<&str, (String, bool)> {
    tree.iter().map(|(name, (content, runs))| (name.as_str(), (String::from_utf8_lossy(content).into_owned(), *runs))).collect()
}

#[test]
fn each_before_becomes_its_after() {
    for scenario in Scenario::all() {
        let plain = Copy::new(&scenario, "plain");
        let output = plain.fix();
        assert!(output.status.success(), "{}: {}", scenario.name, words(&output));
        let scenario = if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            scenario.update(&tree(&plain.0));
            Scenario::read(scenario.name)
        } else {
            scenario
        };
        assert_eq!(shown(&tree(&plain.0)), shown(&scenario.wanted()), "{}: {}", scenario.name, words(&output));

        let committed = Copy::committed(&scenario);
        let output = committed.fix();
        assert!(output.status.success(), "{} in git: {}", scenario.name, words(&output));
        assert_eq!(shown(&tree(&committed.0)), shown(&scenario.wanted()), "{} in git: {}", scenario.name, words(&output));

        for copy in [&plain, &committed] {
            let output = dockeropt(&["fix", "--check"], &copy.0);
            assert!(output.status.success(), "{}, a second time: {}", scenario.name, words(&output));
            copy.fix();
            assert_eq!(shown(&tree(&copy.0)), shown(&scenario.wanted()), "{}, a second time", scenario.name);
        }
    }
}

#[test]
fn each_after_holds_only_what_changed() {
    for scenario in Scenario::all() {
        let name = &scenario.name;
        assert!(scenario.after.keys().any(|file| file.ends_with("Dockerfile")), "{name}: UPDATE_EXAMPLES=1 writes after/");
        for (file, content) in &scenario.after {
            assert_ne!(scenario.before.get(file), Some(content), "{name}: {file} is as before");
        }
    }
}

/// Where people try it first: in the clone, as its README says.
#[test]
fn the_command_of_each_readme_gives_its_after() {
    for scenario in Scenario::all() {
        let folder = format!("examples/{}", scenario.name);
        let readme = std::fs::read_to_string(Path::new(ROOT).join(&folder).join("README.md")).unwrap();
        let command = format!("\n    cargo run --release -- fix --diff {folder}/before\n");
        assert!(readme.contains(&command), "{folder}/README.md lacks{command}");

        let output = dockeropt(&["fix", "--diff"], Path::new(&format!("{folder}/before")));
        assert!(output.status.success(), "{folder}: {}", words(&output));
        let copy = Copy::within(&scenario, &format!("{folder}/before"));
        let diff = copy.0.join("diff");
        std::fs::write(&diff, &output.stdout).unwrap();
        copy.git(&["apply", "diff"]);
        let now = tree(&copy.0.join(&folder).join("before"));
        assert_eq!(shown(&now), shown(&scenario.wanted()), "{folder}: {}", words(&output));
    }
}

/// The files in `after/` are Dockerfiles too, without the rest of their build context.
#[test]
fn a_walk_over_all_examples_leaves_each_after_alone() {
    let output = dockeropt(&["fix", "--check"], Path::new("examples"));
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let named = String::from_utf8_lossy(&output.stdout);
    assert!(named.contains("would change: examples/python-app/Dockerfile\n"), "{named}");
    assert!(!named.contains("/after/"), "{named}");
}
