//! The examples, before and after: their real files and the shape of their Dockerfiles, with every RUN's script taken out, so that no
//! network is needed. What is left of a RUN (its mounts) and all else is what its cache key hangs on.

use super::{Bench, compare};
use dockeropt::cache::{Change, Plan};
use dockeropt::context::View;
use dockeropt::syntax::{self, Dockerfile, Keyword};
use std::path::{Path, PathBuf};

/// Files of each context that are changed, one after the other.
const MOST_FILES: usize = 5;

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Every Dockerfile below a folder.
fn dockerfiles(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(dockerfiles(&path)),
            false if path.file_name().unwrap() == "Dockerfile" => found.push(path),
            false => {}
        }
    }
    found
}

/// The text with another base and with scripts that do nothing but differ.
fn hollow(bench: &Bench, name: &str, file: &Dockerfile) -> String {
    let mut text = String::new();
    let mut stages: Vec<String> = Vec::new();
    // What another stage takes of a RUN's work must be there.
    let taken = file.instructions().filter(|one| one.keyword == Keyword::Copy && one.flag("from").is_some());
    let taken = taken.flat_map(|one| one.arguments.values.split_last().unwrap().1).filter(|path| path.starts_with('/'));
    let made: String = taken.map(|path| format!(" && mkdir -p $(dirname {path}) && echo made >{path}")).collect();
    for (number, instruction) in file.instructions().enumerate() {
        let values = &instruction.arguments.values;
        let line = match instruction.keyword {
            Keyword::From => {
                let is_stage = stages.contains(&values[0].to_lowercase());
                let base = if is_stage { values[0].clone() } else { bench.base.clone() };
                let alias = values.get(2).map(|alias| format!(" AS {alias}")).unwrap_or_default();
                stages.extend(values.get(2).map(|alias| alias.to_lowercase()));
                let mark = if is_stage { String::new() } else { format!("\nRUN echo {} {name} {number}{made}", bench.token) };
                format!("FROM {base}{alias}{mark}")
            }
            Keyword::Run => {
                let flags: Vec<&str> = instruction.flags.iter().map(|flag| flag.text.as_str()).collect();
                format!("RUN {} echo {} {number}", flags.join(" "), bench.token)
            }
            // Its name is looked up in the base, which has no such user.
            Keyword::User => continue,
            Keyword::Copy if instruction.flag("chown").is_some() => {
                instruction.logical.as_str().replace("--chown", "--chown=0 --xchown")
            }
            _ => instruction.logical.as_str().to_owned(),
        };
        let line = line.split(' ').filter(|word| !word.starts_with("--xchown")).collect::<Vec<_>>().join(" ");
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[test]
fn the_examples_run_what_is_forecast() {
    let Some(bench) = Bench::open() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let (mut pairs, mut files, mut wrong) = (0, 0, Vec::new());
    for example in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        let name = example.file_name().unwrap().to_str().unwrap().to_owned();
        if !example.join("before").is_dir() {
            continue;
        }
        for side in ["before", "after"] {
            let place = bench.root.join(format!("{name}-{side}"));
            std::fs::create_dir_all(&place).unwrap();
            copy(&example.join("before"), &place);
            if side == "after" && example.join("after").is_dir() {
                copy(&example.join("after"), &place);
            }
            for dockerfile in dockerfiles(&place) {
                files += 1;
                let context = dockerfile.parent().unwrap();
                let text =
                    hollow(&bench, &format!("{name}-{side}"), &syntax::parse(&std::fs::read_to_string(&dockerfile).unwrap()));
                let file = syntax::parse(&text);
                let view = View::open(context, &dockerfile);
                let plan = Plan::of(&file, Some(&view), None, bench.builder);
                for changed in view.files_below("").iter().filter(|path| !path.ends_with("Dockerfile")).take(MOST_FILES) {
                    let before = std::fs::read(context.join(changed)).unwrap();
                    bench.build_text(&name, &text, None, context, &[]);
                    std::fs::write(context.join(changed), format!("{} changed", bench.token)).unwrap();
                    let reported = bench.build_text(&name, &text, None, context, &[]);
                    std::fs::write(context.join(changed), before).unwrap();
                    match compare(&plan, &plan.after(&Change::of_files([changed])), &reported) {
                        Ok(_) => pairs += 1,
                        Err(words) => wrong.push(format!("{name} {side}, {changed}:\n{words}\n{reported:?}\n{text}")),
                    }
                }
            }
        }
    }
    println!("{files} files of the examples, {pairs} pairs with every step as forecast");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(files >= 14 && pairs >= 30, "{files} files, {pairs} pairs");
}
