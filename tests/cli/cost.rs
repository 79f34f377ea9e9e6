//! `dockeropt cost`: what is printed of changes and of a history.

use crate::place::Place;
use serde_json::Value;

const DOCKERFILE: &str = "FROM python:3.12-slim\nARG GIT_SHA\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n\
                          RUN useradd -u 1001 app\nCMD [\"python\", \"main.py\"]\n";

/// A project in `app/` with four commits that touch it, and one that does not.
fn project() -> Place {
    let place = Place::new();
    place.must("git", &["init", "--quiet"], "");
    place.file("app/Dockerfile", DOCKERFILE).file("app/.dockerignore", "*.log\n").file("app/requirements.txt", "flask==3.0.0\n");
    place.file("app/main.py", "1").file("app/docs/a.md", "1").file("app/x.log", "1");
    commit(&place, "first");
    place.file("app/main.py", "2");
    commit(&place, "an <edit>");
    place.file("app/main.py", "3").file("app/x.log", "2");
    commit(&place, "again");
    place.file("other", "1");
    commit(&place, "elsewhere");
    place.file("app/requirements.txt", "flask==3.0.1\n");
    commit(&place, "newer");
    place
}

fn commit(place: &Place, words: &str) {
    place.must("git", &["add", "--all", "--force"], "");
    let own =
        ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message", words];
    place.must("git", &own, "");
}

#[test]
fn a_history_is_drawn_and_summed_up() {
    project().run(&["cost"]).exits(0).prints(
        "app/Dockerfile, over the last 4 commits that touch its build context
  line  step, and how often it runs again             before                      after
     4  WORKDIR /app                                                      0   0%                      0   0%
     5  COPY requirements.txt .                       –                           ████████            2  50%
     6  RUN pip install -r requirements.txt           ████████████████    4 100%  ████████            2  50%
     7  RUN useradd -u 1001 app                       ████████████████    4 100%  ████████            2  50%
     8  COPY . .                                      ████████████████    4 100%  ████████████████    4 100%
  4 of 4 commits install the dependencies again; after the rewrite, 2
  steps that run again: 12 → 10, commands: 8 → 4, installs of dependencies: 4 → 2
  commits whose changes install the dependencies again, by path: main.py 3 → 0, requirements.txt 2 → 2, .dockerignore 1 → 0, Dockerfile 1 → 0, docs/ 1 → 0
",
    );
}

#[test]
fn one_change_is_shown_with_its_reasons() {
    let place = project();
    let wanted = "app/Dockerfile, if main.py changes
  before  after   line  step
  cached  cached     4  WORKDIR /app
  –       cached     5  COPY requirements.txt .
  runs    cached     6  RUN pip install -r requirements.txt
  runs    cached     7  RUN useradd -u 1001 app
  runs    runs       8  COPY . .
  3 of 4 steps run again; after the rewrite, 1 of 5
  why, before: line 4 `COPY . .` takes main.py;
      line 5 `RUN pip install -r requirements.txt` stands on line 4
  why, after: line 8 `COPY . .` takes main.py
";
    place.run(&["cost", "--change", "app/main.py"]).exits(0).prints(wanted);
    place.file("app/main.py", "9");
    let diff = place.must("git", &["diff"], "");
    place.run_with_input(&["cost", "--change", "-"], diff.as_bytes()).exits(0).prints(wanted);
    let since = place.run(&["cost", "--since", "HEAD", "app"]).exits(0);
    assert_eq!(since.stdout, wanted.replace("if main.py changes", "since HEAD: main.py"));
    place.file("app/new/file", "").file("app/new.log", "");
    let since = place.run(&["cost", "--since", "HEAD", "app"]).exits(0);
    assert!(since.stdout.contains("takes main.py, new/file;"), "{}", since.stdout);
}

#[test]
fn what_is_ignored_or_elsewhere_costs_nothing() {
    let place = project();
    for file in ["app/x.log", "other"] {
        let told = place.run(&["cost", "--change", file]).exits(0);
        assert!(told.stdout.contains("0 of 4 steps run again; after the rewrite, 0 of 5"), "{}", told.stdout);
    }
}

#[test]
fn arguments_count_too() {
    let told = project().run(&["cost", "--change", "other", "--build-arg", "GIT_SHA", "--only", "syntax-header"]).exits(0);
    assert!(
        told.stdout.starts_with("app/Dockerfile, if nothing of its build context changes, with another GIT_SHA\n"),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("2 of 4 steps run again\n"), "{}", told.stdout);
    assert!(
        told.stdout.contains("why: line 5 `RUN pip install -r requirements.txt` hangs on the argument GIT_SHA\n"),
        "{}",
        told.stdout
    );
}

#[test]
fn programs_get_the_same() {
    let told = project().run(&["cost", "--history", "2", "--format", "json"]).exits(0);
    let value: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(value["asked"], "history");
    assert_eq!(value["before"]["changes_with_install"], 2);
    assert_eq!(value["after"]["changes_with_install"], 1);
    assert_eq!(value["changes"].as_array().unwrap().len(), 2);
    assert_eq!(value["changes"][0]["subject"], "again");
    assert_eq!(value["changes"][1]["after"]["installs"], true);
    assert_eq!(value["blamed"][0], serde_json::json!({ "path": "requirements.txt", "before": 1, "after": 1 }));
    assert_eq!(value["blamed"][1], serde_json::json!({ "path": "main.py", "before": 1, "after": 0 }));
    assert_eq!(value["after"]["steps"][2]["fetches"][0]["by"], "pip");
    assert_eq!(value["after"]["steps"][2]["was"], 2);
}

#[test]
fn a_log_gives_seconds_and_none_are_invented() {
    let place = project();
    let log = "#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n#5 [1/5] FROM docker.io/library/python\n#5 DONE 1.0s\n\
               #6 [2/5] WORKDIR /app\n#6 CACHED\n#7 [3/5] COPY . .\n#7 DONE 0.5s\n#8 [4/5] RUN pip install -r requirements.txt\n\
               #8 0.3 Collecting flask\n#8 DONE 20.0s\n#9 [5/5] RUN useradd -u 1001 app\n#9 DONE 0.5s\n";
    place.file("build.log", log);
    let told = place.run(&["cost", "--change", "app/main.py", "--timings", "build.log"]).exits(0);
    assert!(told.stdout.contains("  by the times of the log: 21.0 s → 0.5 s\n"), "{}", told.stdout);
    let told = place.run(&["cost", "--change", "app/requirements.txt", "--timings", "build.log"]).exits(0);
    assert!(told.stdout.contains("  by the times of the log: 21.0 s → 21.0 s and a step without a time\n"), "{}", told.stdout);
    let step = |name: &str, seconds: f64| serde_json::json!({ "name": name, "state": "run", "seconds": seconds });
    let cached = serde_json::json!({ "name": "[2/5] WORKDIR /app", "state": "cached", "seconds": 0.0 });
    let before = [
        cached,
        step("[3/5] COPY . .", 0.5),
        step("[4/5] RUN pip install -r requirements.txt", 20.0),
        step("[5/5] RUN useradd -u 1001 app", 0.5),
    ];
    let after = [step("[3/6] COPY requirements.txt .", 0.1)];
    let bench = serde_json::json!({ "file": "app/Dockerfile", "rows": [
        { "id": "first", "before": { "steps": before }, "after": { "steps": after } },
        { "id": "same", "before": { "steps": [] }, "after": { "steps": [] } },
    ] });
    place.file("bench.json", format!("{bench}\n"));
    let told = place.run(&["cost", "--change", "app/requirements.txt", "--timings", "bench.json"]).exits(0);
    assert!(told.stdout.contains("  by the times of the log: 21.0 s → 21.1 s\n"), "{}", told.stdout);
    place.file("build.log", "nothing");
    place.run(&["cost", "--timings", "build.log"]).exits(2).says(&["holds no step that ran", "--progress=rawjson"]);
}

#[test]
fn the_page_needs_nothing_else() {
    let place = project();
    place.run(&["cost", "--html", "cost.html"]).exits(0);
    let page = place.text("cost.html");
    for part in
        ["<h1>app/Dockerfile</h1>", "of 4 commits install the dependencies again", "an &lt;edit&gt;", "always from the cache"]
    {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for part in ["<script", "http:", "https:", "url(", "src=", "<link", "an <edit>"] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn without_a_history_an_edit_of_the_source_is_looked_at() {
    let place = Place::new();
    place.file("Dockerfile", DOCKERFILE).file("requirements.txt", "flask==3.0.0\n").file("src/app.py", "");
    let told = place.run(&["cost"]).exits(0);
    assert!(told.stdout.starts_with("Dockerfile, if src/app.py is edited\n"), "{}", told.stdout);
    place.run(&["cost", "--history", "5"]).exits(2).says(&["git has no commits that touch"]);
    place.run(&["cost", "--since", "HEAD"]).exits(2).says(&["git knows no revision HEAD"]);
    place.run(&["cost", "-"]).exits(2).says(&["name the file"]);
    place.file("alone/Dockerfile", "FROM debian:12\nRUN true\n");
    place.run(&["cost", "alone"]).exits(0).says(&["alone/Dockerfile takes nothing from a build context"]);
}

#[test]
fn a_fix_says_what_it_gains() {
    let told = project().run(&["fix"]).exits(0);
    assert!(told.stderr.contains("  an edit of main.py: 3 of 4 steps → 2 of 5\n"), "{}", told.stderr);
}
