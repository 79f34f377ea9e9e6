//! `parse`, `list`, `explain`.

use super::place::Place;
use super::{BEFORE, FINE};
use serde_json::{Value, json};

#[test]
fn parse_prints_one_object_a_line_with_the_file_as_given() {
    let place = Place::new();
    place.file("a/Dockerfile", "FROM --platform=x a\nRUN <<E\nb\nE\n").file("empty", "");
    let ran = place.run(&["parse", "./a/Dockerfile", "empty", "--format", "json"]).exits(0);
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let from = json!({
        "cmd": "FROM", "sub_cmd": null, "json": false, "start": 1, "end": 1, "flags": ["--platform=x"], "value": ["a"], "heredocs": [],
    });
    assert_eq!(lines[0]["file"], "./a/Dockerfile");
    assert_eq!(lines[0]["instructions"][0], from);
    assert_eq!(lines[0]["instructions"][1]["heredocs"], json!([{ "name": "E", "fd": 0, "content": "b\n" }]));
    assert_eq!((&lines[1]["file"], &lines[1]["line"]), (&json!("empty"), &json!(1)));
    assert!(lines[1]["error"].as_str().unwrap().contains("no instruction"));
    assert!(ran.stderr.is_empty());
}

#[test]
fn parse_goes_on_past_what_it_cannot_read() {
    let place = Place::new();
    place.file("bad", b"\xff").file("good", FINE);
    let ran =
        place.run(&["parse", "nowhere", "bad", "good"]).exits(2).says(&["error: nowhere: ", "error: bad:1:1: is not UTF-8"]);
    assert_eq!(ran.stdout.lines().count(), 1);
    let piped = place.run_with_input(&["parse", "-"], FINE.as_bytes()).exits(0).stdout;
    assert!(piped.starts_with("{\"file\":\"-\",\"instructions\":[{\"cmd\":\"FROM\""), "{piped}");
}

#[test]
fn parse_keeps_the_order_of_its_arguments() {
    let place = Place::new();
    let names: Vec<String> = (0..100).map(|number| format!("{number}")).collect();
    for name in &names {
        place.file(name, BEFORE);
    }
    let arguments: Vec<&str> = ["parse"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let files: Vec<String> = place
        .run(&arguments)
        .exits(0)
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["file"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, names);
}

#[test]
fn list_and_explain_know_every_transform() {
    let place = Place::new();
    let list = place.run(&["list"]).exits(0).stdout;
    let ids: Vec<&str> = list.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(ids.len(), dockeropt::transforms::all().len());
    assert!(ids.contains(&"cache-mounts") && ids.contains(&"syntax-header"), "{list}");
    for id in ids {
        let text = place.run(&["explain", id]).exits(0).stdout;
        for heading in ["What it does", "Why", "Example", "Safety", "References"] {
            assert!(text.contains(heading), "{id} explains no \"{heading}\"");
        }
    }
}

#[test]
fn fix_tells_programs_in_json() {
    let place = Place::new();
    place.file("a/Dockerfile", BEFORE).file("b/Dockerfile", b"\xff").file("c/Dockerfile", FINE);
    place.file("d/Dockerfile", "FROM mcr.microsoft.com/windows/nanoserver\nSHELL [\"powershell\"]\nRUN pip install x\n");
    let ran = place.run(&["fix", "--format", "json"]).exits(2).says(&["error: b/Dockerfile:1:1: is not UTF-8"]);
    let records: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files: Vec<_> = records.iter().map(|record| record["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile", "d/Dockerfile"]);
    assert_eq!((&records[0]["changed"], &records[0]["stop"]), (&json!(true), &json!("fixpoint")));
    assert_eq!(records[0]["applied"][0]["transform"], "cache-mounts");
    assert!(records[0]["applied"][0]["line"].is_u64() && records[0]["applied"][0]["applicability"] == "safe");
    assert!(records[1]["error"].as_str().unwrap().contains("is not UTF-8"));
    assert_eq!((&records[2]["changed"], &records[2]["applied"]), (&json!(false), &json!([])));
    for refused in records[3]["refused"].as_array().unwrap() {
        assert!(refused["code"].is_string() && refused["reason"].is_string() && refused["column"].is_u64());
    }
    place.run(&["fix", "--format", "json", "--diff"]).exits(2);
    assert_eq!(place.text("a/Dockerfile"), BEFORE);
}

#[test]
fn lines_are_those_of_the_file_as_it_was() {
    let place = Place::new();
    place.file("package.json", "{\"name\":\"a\",\"version\":\"1.0.0\"}").file("index.js", "x");
    place.file("package-lock.json", "{\"lockfileVersion\":3,\"packages\":{\"\":{\"name\":\"a\",\"version\":\"1.0.0\"}}}");
    // The first RUN rises, the second is cut in two, and what can't be done stands below both.
    let before = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN apt-get update && apt-get install -y jq\n# build\nRUN npm ci && npm run build\nUSER builder\nRUN npm install -g x && apt-get install -y y\n";
    place.file("Dockerfile", before);
    let ran = place.run(&["fix", "--context", ".", "--format", "json", "Dockerfile"]).exits(0);
    let record: Value = serde_json::from_str(&ran.stdout).unwrap();
    let lines = |key: &str, transform: &str| -> Vec<u64> {
        let all = record[key].as_array().unwrap().iter().filter(|one| one["transform"] == transform);
        all.map(|one| one["line"].as_u64().unwrap()).collect()
    };
    assert_eq!((lines("applied", "split-dependency-copy"), lines("applied", "syntax-header")), (vec![6], vec![1]));
    assert_eq!(lines("refused", "hoist-setup"), [8], "{record:#}");
    assert!(lines("refused", "cache-mounts").contains(&8), "{record:#}");
    let reasons: Vec<&str> = record["refused"].as_array().unwrap().iter().filter_map(|one| one["reason"].as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("above line 3 (`COPY . .`): line 6: `npm`")), "{reasons:#?}");
    let text = place.run(&["fix", "--context", ".", "--check", "Dockerfile"]).exits(1);
    assert!(text.stderr.contains("  left    8:1  "), "{}", text.stderr);
}
