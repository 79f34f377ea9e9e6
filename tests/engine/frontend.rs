//! Rewritten files of the corpus through a real frontend: wrong keys, flags and arity can't pass.
//!
//! A file is read whole before anything is built, so that a last stage from `scratch` makes the build one of nothing: every
//! instruction is parsed, and no base is asked for. Chosen are files that bring a new kind of mount or COPY, one for each.

use crate::workshop::Workshop;
use dockeropt::builder::{self, BuildError, BuildRequest};
use dockeropt::pipeline::{self, Options};
use dockeropt::syntax::{self, Keyword};
use dockeropt::transforms;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[path = "../support/corpus.rs"]
mod corpus;

/// Files that go through in `.ci/run`; in `.ci/full` all of them do.
const AS_MANY_AS_FIT: usize = 60;

/// The flags of every RUN and COPY of a text, each with the keyword.
fn flags(text: &str) -> BTreeSet<String> {
    let file = syntax::parse(text);
    let copied = |keyword: &Keyword| matches!(keyword, Keyword::Run | Keyword::Copy | Keyword::Add);
    let instructions = file.instructions().filter(|instruction| copied(&instruction.keyword));
    instructions
        .flat_map(|instruction| instruction.flags.iter().map(|flag| format!("{:?} {}", instruction.keyword, flag.text)))
        .collect()
}

/// Each file with its rewrite, in which there is a flag that no file before it has.
fn chosen(samples: &[corpus::Sample], most: usize) -> Vec<(String, String, String)> {
    let rewritten = corpus::each(samples, |sample| {
        let outcome = pipeline::run(&sample.text, &Options::default(), transforms::all());
        (outcome.changed()).then_some(outcome.after)
    });
    let before: std::collections::BTreeMap<&str, &str> =
        samples.iter().map(|sample| (sample.name.as_str(), sample.text.as_str())).collect();
    let mut seen = BTreeSet::new();
    let mut chosen = Vec::new();
    for (name, after) in rewritten {
        let Some(after) = after else { continue };
        let Some(before) = before.get(name) else { continue };
        let new: Vec<String> = flags(&after).difference(&flags(before)).cloned().collect();
        if new.iter().any(|flag| !seen.contains(flag)) {
            seen.extend(new);
            chosen.push((name.to_owned(), (*before).to_owned(), after));
        }
        if chosen.len() == most {
            break;
        }
    }
    chosen
}

/// Whether the frontend takes a text.
fn is_taken(workshop: &Workshop, context: &Path, text: &str) -> Result<(), BuildError> {
    let text = format!("{}\nFROM scratch AS dockeropt-last\nCOPY a /a\n", builder::without_syntax_line(text));
    let request = BuildRequest { target: Some("dockeropt-last"), ..BuildRequest::new(context, &text) };
    workshop.engine.build(&request, &workshop.watch).map(drop)
}

#[test]
fn a_real_frontend_takes_what_is_written() {
    let Some(workshop) = Workshop::open() else { return };
    let Some(folder) = corpus::folder("frontend") else { return };
    let all = std::env::var("DOCKEROPT_ENGINE_PAIRS").is_ok_and(|value| value == "all");
    let files = chosen(&corpus::samples(&folder), if all { usize::MAX } else { AS_MANY_AS_FIT });
    assert!(files.len() >= AS_MANY_AS_FIT, "only {} files", files.len());
    let context = std::env::temp_dir().join(format!("dockeropt-frontend-{}", std::process::id()));
    std::fs::create_dir_all(&context).unwrap();
    std::fs::write(context.join("a"), "").unwrap();
    let (next, refused_before, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((name, before, after)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Err(error) = is_taken(&workshop, &context, after) else { continue };
                    // What this engine's frontend is too old for, it was too old for before.
                    if is_taken(&workshop, &context, before).is_err() {
                        refused_before.fetch_add(1, Ordering::Relaxed);
                    } else {
                        wrong.lock().unwrap().push(format!("{name}: {error}"));
                    }
                }
            });
        }
    });
    std::fs::remove_dir_all(&context).unwrap();
    let (wrong, refused) = (wrong.into_inner().unwrap(), refused_before.into_inner());
    println!("{} rewritten files through the engine's frontend; {refused} of them it refuses as they were", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(refused * 10 < files.len(), "{refused} of {} were refused before", files.len());
}
