//! What the documents show is what the program does. `UPDATE_DOCS=1 cargo test --test docs` writes the shown output anew.

use dockeropt::context::View;
use dockeropt::pipeline::{Options, Others, Place};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the program prints, on both outputs.
fn run(arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dockeropt")).args(arguments).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Compares the first block of that language in a document with what it should hold.
fn block_is(document: &str, language: &str, wanted: &str) {
    let text = read(document);
    let mark = format!("```{language}\n");
    let start = text.find(&mark).unwrap_or_else(|| panic!("{document} has no ```{language}")) + mark.len();
    let end = start + text[start..].find("```\n").unwrap();
    if text[start..end] == *wanted {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(Path::new(ROOT).join(document), format!("{}{wanted}{}", &text[..start], &text[end..])).unwrap();
        return;
    }
    panic!(
        "{document} shows\n{}\nbut it is now\n{wanted}\nUPDATE_DOCS=1 cargo test --test docs puts it right",
        &text[start..end]
    );
}

#[test]
fn the_readme_shows_what_the_example_gives() {
    let (diff, words) = run(&["fix", "--diff", "examples/python-app"]);
    block_is("README.md", "diff", &diff);
    block_is("README.md", "text", &words);
}

#[test]
fn the_readme_shows_what_a_change_costs() {
    let arguments = ["cost", "examples/setup-script/before", "--change", "examples/setup-script/before/app.py"];
    let (words, _) = run(&arguments);
    block_is("README.md", "console", &format!("$ dockeropt {}\n{words}", arguments.join(" ")));
}

#[test]
fn the_readme_knows_every_transform_and_exit_code() {
    let readme = read("README.md");
    for rule in dockeropt::transforms::all() {
        let entry = format!("- **{}** ", rule.meta().id);
        assert!(readme.contains(&entry), "README.md says nothing of {}", rule.meta().id);
    }
    let (help, _) = run(&["fix", "--help"]);
    for code in 0..=3 {
        assert!(readme.contains(&format!("\n| {code} | ")) && help.contains(&format!("\n  {code}  ")), "exit code {code}");
    }
    assert!(readme.contains("2 before 3 before 1") && help.contains("2 before 3 before 1"));
}

#[test]
fn ci_runs_the_commands_of_the_readme() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    for command in ["cargo run --release -- fix --diff examples/python-app", "cargo test --release"] {
        assert!(readme.contains(&format!("\n    {command}\n")), "README.md: {command}");
        assert!(ci.contains(command), ".ci/run: {command}");
    }
}

#[test]
fn links_lead_somewhere() {
    let examples = std::fs::read_dir(Path::new(ROOT).join("examples")).unwrap();
    let examples = examples.map(|entry| format!("examples/{}/README.md", entry.unwrap().file_name().into_string().unwrap()));
    let documents: Vec<String> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned).into_iter().chain(examples).collect();
    assert!(documents.len() > 10, "{documents:?}");
    for document in &documents {
        let text = read(document);
        let folder = Path::new(ROOT).join(document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let there = folder.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(link.starts_with("http") || there.exists(), "{document}: {link}");
        }
    }
}

/// A project with a history, in which the examples of the transforms come true.
struct Project(PathBuf);

impl Project {
    fn new() -> Self {
        let root = std::env::temp_dir().join(format!("dockeropt-docs-{}", std::process::id()));
        let project = Self(root);
        let texts = [
            ("requirements.txt", "flask==3.0.0\n"),
            ("main.py", ""),
            ("package.json", "{}\n"),
            ("config/app.toml", ""),
            ("src/a", "1"),
        ];
        for (name, text) in texts {
            project.write(name, text);
        }
        project.git(&["init", "--quiet"]);
        project.commit();
        for text in ["2", "3"] {
            project.write("src/a", text);
            project.commit();
        }
        project
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=x"]);
    }

    fn git(&self, arguments: &[&str]) {
        assert!(Command::new("git").arg("-C").arg(&self.0).args(arguments).status().unwrap().success(), "{arguments:?}");
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_examples_of_transforms_come_true() {
    let project = Project::new();
    for rule in dockeropt::transforms::all() {
        let id = rule.meta().id;
        let documentation = rule.meta().documentation();
        let blocks: Vec<&str> =
            documentation.split("```dockerfile\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let [before, after] = blocks.as_slice() else { panic!("{id}: a before and an after are wanted, not {}", blocks.len()) };
        let place = Place {
            view: View::open(&project.0, Path::new("Dockerfile")),
            others: Others::default(),
            targets: Vec::new(),
            fresh_arguments: Vec::new(),
        };
        let options = Options { only: vec![id.to_owned()], unsafe_fixes: true, place: Some(place), ..Options::default() };
        let outcome = dockeropt::pipeline::run(before, &options, dockeropt::transforms::all());
        assert_eq!(outcome.after, **after, "{id}");
        assert!(outcome.applied.iter().any(|fix| fix.transform == id), "{id} does nothing to its example");
        if before == after {
            let ignored = outcome.ignore.unwrap_or_else(|| panic!("{id} changes nothing")).after;
            for pattern in [".git", "**/node_modules"] {
                let is_shown = documentation.contains(&format!("`{pattern}`"));
                assert!(is_shown && ignored.lines().any(|line| line == pattern), "{id}: {pattern} in\n{ignored}");
            }
        }
    }
}
