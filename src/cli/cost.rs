//! `dockeropt cost`: what each change costs, before and after the rewrite, without building.

use super::changes::{self, Changed};
use super::choice::Choice;
use super::files::{self, Found, Workers};
use super::output::{self, Colour, Output};
use super::place::{Group, Places};
use super::{Exit, panics};
use crate::builder;
use crate::cache::{self, Builder, Change, Plan, Replay};
use crate::context::View;
use crate::pipeline::{self, Options, Stop};
use crate::report::Palette;
use crate::report::cost::{self, Asked, Column, Sheet, Timed};
use crate::syntax::{self, Dockerfile};
use crate::{report, transforms};
use anyhow::{Context, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Commits that are looked at unless a number is given.
const COMMITS: usize = 200;

const AFTER_HELP: &str = "\
What is counted:
  Steps (RUN, COPY, ADD, WORKDIR) that BuildKit would run again after a
  change, by its own cache keys; nothing is built. \"Before\" is the file as it
  is, \"after\" as `dockeropt fix` would leave it. A step \"may run\" where it
  takes what another stage made and that may come out the same; it is counted
  as run. Seconds are shown only from a real build (--timings). A cache mount
  changes no key: what it saves when an install does run is not counted.

  --history holds the Dockerfile as it is now and looks at what each commit
  changed; a builder that kept the cache of each commit before is assumed.

Exit codes:
  0  done
  2  bad usage, or a file could not be done; the others were

Examples:
  dockeropt cost                            the last 200 commits, or without
                                            git an edit of the source
  dockeropt cost --change src/app.py        one change
  git diff main | dockeropt cost --change -  what a branch changes
  dockeropt cost --since v1.2               the same, asked of git
  dockeropt cost --html cost.html           a page to look at
  docker build --progress=rawjson . 2>build.log
  dockeropt cost --timings build.log        in seconds of that build";

/// Show what each change makes a build run again, before and after the rewrite, without building.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Dockerfiles, or folders with some. Without any: the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Files that change together; `-`: those of a diff, or of a list of names, on standard input.
    #[arg(long, value_name = "FILE", num_args = 1.., value_delimiter = ',', conflicts_with_all = ["since", "history"])]
    change: Vec<PathBuf>,
    /// What differs from this revision of git's, as one change.
    #[arg(long, value_name = "REV", conflicts_with = "history")]
    since: Option<String>,
    /// The last commits that touch the build context, each a change (200 if nothing is asked for).
    #[arg(long, value_name = "N")]
    history: Option<usize>,
    /// A build argument that has another value; it comes to each change.
    #[arg(long, value_name = "NAME")]
    build_arg: Vec<String>,
    /// The stage that is built; the last one if not said.
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// A builder that can't merge layers, for which `COPY --link` copies as if it were not there (Docker's older storage drivers).
    #[arg(long)]
    no_merge: bool,
    /// What a real build took: its log (`--progress=rawjson` or `plain`), or what `dockeropt bench --format json` printed.
    #[arg(long, value_name = "FILE")]
    timings: Option<PathBuf>,
    /// Write a page that needs nothing but a browser.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What to print. `json`: for each file an object on a line.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    choice: Choice,
    /// The folder that is handed to the builder, for all files. Without it, it is found as `fix` finds it.
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// When to colour. `auto`: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A call, read.
struct Job<'a> {
    arguments: &'a Arguments,
    changed: Option<Changed>,
    timed: Vec<Timed>,
}

/// What is asked of a file, with a name for each change.
struct Question {
    asked: Asked,
    columns: Vec<Column>,
    changes: Vec<Change>,
}

/// What became of a file.
enum Told {
    Sheet(Box<Sheet>),
    /// There is nothing to forecast, and why.
    Nothing(String),
}

/// Prints each file's costs, and writes the page.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here } else { arguments.paths.as_slice() };
    ensure!(
        !paths.iter().any(|path| files::is_stdin(path)),
        "`-` can't be a Dockerfile here: its build context is needed, so name the file (`--change -` reads a diff)"
    );
    if let Some(context) = &arguments.context {
        ensure!(
            context.is_dir(),
            "--context {}: is no folder: name the one that `docker build` gets",
            report::path::shown(context)
        );
    }
    ensure!(arguments.history != Some(0), "--history 0: nothing would be looked at; give a number of commits");
    let job =
        Job { changed: changed(arguments)?, timed: arguments.timings.as_deref().map_or(Ok(Vec::new()), timings)?, arguments };
    let found = files::find(paths);
    ensure!(!found.is_empty(), "no Dockerfile in {}; a file of another name can be given by hand", shown(paths));
    let workers = Workers::for_files(1)?;
    let places = Places::new(arguments.context.as_deref());
    let mut told: Vec<(usize, PathBuf, anyhow::Result<Told>)> = Vec::new();
    for group in places.groups(found) {
        for (number, found) in &group.files {
            let (path, result) = match found {
                Found::File(path) => (path.clone(), workers.install(|| job.file(&places, &group, path))),
                Found::Failed(path, error) => (path.clone(), Err(anyhow!("{error:#}"))),
                Found::Stdin => continue,
            };
            told.push((*number, path, result));
        }
    }
    told.sort_by_key(|(number, ..)| *number);
    print(arguments, told.into_iter().map(|(_, path, result)| (path, result)).collect())
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| report::path::shown(path)).collect::<Vec<_>>().join(", ")
}

fn changed(arguments: &Arguments) -> anyhow::Result<Option<Changed>> {
    if arguments.change.is_empty() {
        return Ok(None);
    }
    let stdin = arguments.change.iter().any(|path| files::is_stdin(path));
    ensure!(!stdin || arguments.change.len() == 1, "`--change -` can't be mixed with files: name either");
    if stdin { changes::on_stdin().map(Some) } else { Ok(Some(Changed::Files(arguments.change.clone()))) }
}

/// The steps of a log with their seconds.
fn timings(path: &Path) -> anyhow::Result<Vec<Timed>> {
    let name = report::path::shown(path);
    let text = std::fs::read_to_string(path).with_context(|| format!("--timings {name}"))?;
    let timed = of_bench(&text).unwrap_or_else(|| of_log(&text));
    ensure!(
        timed.iter().any(|step| step.seconds.is_some()),
        "--timings {name}: holds no step that ran; give what `docker build --progress=rawjson` or `--progress=plain` wrote (on \
         standard error), or what `dockeropt bench --format json` printed"
    );
    Ok(timed)
}

fn of_log(text: &str) -> Vec<Timed> {
    let steps = builder::steps_of_log(text);
    let seconds = |step: &builder::Step| (step.state == builder::State::Run).then_some(step.time.as_secs_f64());
    steps.iter().map(|step| Timed { instruction: step.instruction.clone(), seconds: seconds(step) }).collect()
}

/// The steps of the first builds, before and after, of what `dockeropt bench --format json` printed; `None` for another text.
fn of_bench(text: &str) -> Option<Vec<Timed>> {
    let files = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>().ok()?;
    let first = |file: &Value| file.get("rows")?.get(0).cloned();
    let rows = files.iter().map(first).collect::<Option<Vec<Value>>>().filter(|rows| !rows.is_empty())?;
    let steps = rows.iter().flat_map(|row| ["before", "after"].map(|side| row.get(side)?.get("steps")?.as_array()));
    let timed = |step: &Value| {
        let (_, instruction) = step.get("name")?.as_str()?.split_once("] ")?;
        let seconds =
            step.get("seconds").and_then(Value::as_f64).filter(|_| step.get("state").is_some_and(|state| state == "run"));
        Some(Timed { instruction: instruction.to_owned(), seconds })
    };
    Some(steps.flatten().flatten().filter_map(timed).collect())
}

impl Job<'_> {
    fn file(&self, places: &Places, group: &Group, path: &Path) -> anyhow::Result<Told> {
        let name = report::path::shown(path);
        let text = files::read(path)?;
        let place = match places.place(group, path, None) {
            Ok(place) => place,
            Err(None) => {
                return Ok(Told::Nothing("takes nothing from a build context, so no file makes a step run again".to_owned()));
            }
            Err(Some(why)) => bail!("{name}: the build context is not known ({why}); --context DIR names it"),
        };
        let dockerfile = syntax::parse(&text);
        if let Some(error) = dockerfile.errors.first() {
            bail!("{name}:{}:1: {}", error.line, error.message);
        }
        let view = place.view.clone();
        let root = group.root().map(Path::to_owned).unwrap_or_default();
        let options = Options { place: Some(place), ..self.arguments.choice.options() };
        let outcome = panics::caught(|| pipeline::run(&text, &options, transforms::all())).with_context(|| name.clone())?;
        ensure!(outcome.stop == Stop::Fixpoint, "{name}: the fixes come to no end; please report this with the file");
        let after_view = outcome.ignore.as_ref().map_or_else(|| view.clone(), |change| view.with_ignore(&change.after));
        let after = syntax::parse(&outcome.after);
        let edited = || cache::edited(&self.plan(&dockerfile, &view), &self.plan(&after, &after_view), &view);
        let Some(Question { asked, columns, changes }) = self.changes(&view, &root, &name, &edited)? else {
            return Ok(Told::Nothing(
                "has no history, and no folder of source whose edit could be looked at; --change FILE names one".to_owned(),
            ));
        };
        let replay = |file: &Dockerfile, view: &View| Replay::of(file, Some(view), self.plan(file, view), &changes);
        let (old, new) = (replay(&dockerfile, &view), replay(&after, &after_view));
        let mut sheet = Sheet::new(name, asked, columns, changes, old, new).with_timings(&self.timed);
        sheet.rewritten = outcome.changed();
        Ok(Told::Sheet(Box::new(sheet)))
    }

    fn plan(&self, file: &Dockerfile, view: &View) -> Plan {
        Plan::of(file, Some(view), self.arguments.target.as_deref(), Builder { merges: !self.arguments.no_merge })
    }

    /// What is asked of this file; `None`: there is nothing to ask. `edited`: a file whose edit is typical.
    fn changes(
        &self,
        view: &View,
        root: &Path,
        name: &str,
        edited: &dyn Fn() -> Option<String>,
    ) -> anyhow::Result<Option<Question>> {
        let arguments = &self.arguments.build_arg;
        let one = |words: String, files: Vec<String>| {
            let words = with_arguments(words, arguments);
            Some(Question {
                asked: Asked::Change(words),
                columns: vec![Column::default()],
                changes: vec![Change::of_files(files).with_arguments(arguments)],
            })
        };
        if let Some(changed) = &self.changed {
            let files = changed.within(root).with_context(|| name.to_owned())?;
            return Ok(one(format!("if {} changes", changes::in_words(&files)), files));
        }
        if let Some(revision) = &self.arguments.since {
            let Some(files) = view.changed_since(revision).into_known() else {
                bail!("{name}: git knows no revision {revision} in {}", report::path::shown(root));
            };
            let words = if files.is_empty() {
                format!("unchanged since {revision}")
            } else {
                format!("since {revision}: {}", changes::in_words(&files))
            };
            return Ok(one(words, files));
        }
        let mut commits = view.commits(self.arguments.history.unwrap_or(COMMITS));
        commits.reverse();
        if commits.is_empty() {
            ensure!(self.arguments.history.is_none(), "{name}: git has no commits that touch {}", report::path::shown(root));
            return Ok(match edited() {
                Some(file) => one(format!("if {file} is edited"), vec![file]),
                None if !arguments.is_empty() => one(String::new(), Vec::new()),
                None => None,
            });
        }
        let column = |commit: &crate::context::Commit| Column {
            id: commit.id.clone(),
            time: commit.time,
            subject: commit.subject.clone(),
        };
        let columns = commits.iter().map(|commit| column(commit)).collect();
        let changes = commits.iter().map(|commit| Change::of_files(&commit.paths).with_arguments(arguments)).collect();
        Ok(Some(Question { asked: Asked::History, columns, changes }))
    }
}

fn with_arguments(words: String, arguments: &[String]) -> String {
    let arguments = if arguments.is_empty() { String::new() } else { format!("with another {}", arguments.join(", ")) };
    match (words.is_empty(), arguments.is_empty()) {
        (true, _) => arguments,
        (_, true) => words,
        _ => format!("{words}, {arguments}"),
    }
}

fn print(arguments: &Arguments, told: Vec<(PathBuf, anyhow::Result<Told>)>) -> anyhow::Result<Exit> {
    let palette = arguments.color.palette(&std::io::stdout());
    let mut out = Output::stdout();
    let (mut exit, mut sheets) = (Exit::Done, Vec::new());
    for (path, result) in told {
        match result {
            Ok(Told::Sheet(sheet)) => {
                if arguments.format == Format::Json {
                    out.text(&format!("{}\n", cost::cost_json(&path.to_string_lossy(), &sheet)))?;
                } else {
                    let gap = if sheets.is_empty() { "" } else { "\n" };
                    out.text(&format!("{gap}{}", cost::of_sheet(&sheet, palette)))?;
                }
                sheets.push(*sheet);
            }
            Ok(Told::Nothing(why)) => out.under(&format!("{} {why}\n", report::path::shown(&path)))?,
            Err(error) => {
                exit = Exit::Failed;
                if arguments.format == Format::Json {
                    out.text(&format!("{}\n", json!({ "file": path.to_string_lossy(), "error": format!("{error:#}") })))?;
                }
                out.under(&output::error_text(&error, Palette::PLAIN))?;
            }
        }
    }
    out.finish()?;
    if let Some(page) = &arguments.html {
        std::fs::write(page, cost::page(&sheets)).with_context(|| format!("--html {}", report::path::shown(page)))?;
    }
    Ok(exit)
}
