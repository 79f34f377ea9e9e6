//! `dockeropt bench`: how long builds take before and after, measured.
//!
//! Owns: the arguments, and the sentences under the table. Never does: build in the user's folder; everything is done on copies.

mod copy;
mod dependency;
mod edit;
mod measure;
mod network;
mod subject;

use super::choice::{self, Choice};
use super::engine::EngineArguments;
use super::output::{self, Output};
use super::{Exit, fix};
use crate::builder::{self, Engine, Session};
use crate::pipeline::Options;
use crate::report::bench::Table;
use crate::syntax as dockerfiles;
use clap::{Args, ValueEnum};
use dependency::Addition;
use measure::Changes;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use subject::Subject;

// No line is longer than 78 characters, so that none is broken on a narrow terminal.
const AFTER_HELP: &str = "\
What is measured, each before and after:
  first build             no layer cache, cache mounts of its own, empty
  nothing changed         the same again
  after a source edit     white space at the end of one file: the one that
                          changed most often in git, or --edit FILE
  one more dependency     with --add-dependency: pip, npm and cargo; for npm
                          and cargo their programs bring the lock file along
  again with --no-cache

  Base images are fetched before. Everything is built from a copy of the
  context, with cache mounts of its own, and the images are taken away, so
  that your folder, caches and images stay as they were. Bytes fetched are
  all that this machine received meanwhile (on Linux, with an engine on it).

Exit codes:
  0  measured, or there is nothing to compare
  2  bad usage, or a build failed

Examples:
  dockeropt bench                                this folder's Dockerfile
  dockeropt bench app --add-dependency --runs 3  with one more dependency
  dockeropt bench --before Dockerfile.old --after Dockerfile
  dockeropt bench --format markdown              to paste into a pull request";

/// Measure builds before and after: cold, unchanged, after an edit, with one more dependency.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP, next_line_help = false)]
pub(super) struct Arguments {
    /// A Dockerfile, or a folder with one. Without it: the current folder.
    #[arg(value_name = "PATH", conflicts_with = "before")]
    path: Option<PathBuf>,
    /// The file before; needs --after.
    #[arg(long, value_name = "FILE", requires = "after")]
    before: Option<PathBuf>,
    /// The file after, in the place of what `fix` makes of it.
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// The folder that is handed to the builder. Without it, it is found as `fix` finds it.
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// The file of the source that is edited.
    #[arg(long, value_name = "FILE")]
    edit: Option<PathBuf>,
    /// Also measure with one more dependency; NAME: which.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    add_dependency: Option<String>,
    /// How often everything is built; the median is told.
    #[arg(long, value_name = "N", default_value = "1")]
    runs: NonZeroUsize,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    choice: Choice,
    /// As with `fix`.
    #[arg(long, value_name = "REF|off", value_parser = fix::syntax)]
    syntax: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = TableFormat::Text, value_name = "FORMAT")]
    format: TableFormat,
    /// Print no word about each build; errors only.
    #[arg(long, short)]
    quiet: bool,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    /// For a terminal.
    Text,
    /// For a pull request.
    Markdown,
    /// For programs.
    Json,
}

impl Arguments {
    fn options(&self) -> Options {
        choice::with_syntax(self.choice.options(), self.syntax.as_deref())
    }
}

/// Does what the arguments say.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let subject = Subject::find(arguments)?;
    if !subject.differs() {
        output::say(&format!("{}: nothing would change, so there is nothing to compare\n", subject.name));
        return Ok(Exit::Done);
    }
    let watch = arguments.engine.watch()?;
    let engine = arguments.engine.open(&watch)?;
    let mut table = Table { file: subject.name.clone(), about: about(arguments, engine.as_ref()), ..Table::default() };
    let changes = changes(arguments, &subject, &mut table)?;
    let session = Session::new(engine.as_ref(), &watch);
    let measured = measure::measure(arguments, &subject, &changes, &session)?;
    drop(session);
    (table.rows, table.sizes) = (measured.rows, measured.sizes);
    if table.rows.iter().flat_map(|row| &row.cells).any(|cell| !cell.fetched.is_empty()) {
        table.about.push("Bytes are all that this machine received during the build.".to_owned());
    }
    let mut out = Output::stdout();
    out.text(&match arguments.format {
        TableFormat::Text => table.text(),
        TableFormat::Markdown => table.markdown(),
        TableFormat::Json => format!("{}\n", table.json()),
    })?;
    out.finish()?;
    Ok(Exit::Done)
}

/// How it is measured.
fn about(arguments: &Arguments, engine: &dyn Engine) -> Vec<String> {
    let identity = engine.identity();
    let name = match identity.kind {
        builder::Kind::Docker => "docker",
        builder::Kind::Podman => "podman",
        builder::Kind::Buildah => "buildah",
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let runs = match arguments.runs.get() {
        1 => "One run".to_owned(),
        runs => format!("Median of {runs} runs"),
    };
    let command: Vec<String> = std::env::args().skip(1).collect();
    vec![format!("{runs} on {name} {}, {cores} cores: dockeropt {}", identity.server, command.join(" "))]
}

/// What is changed between the builds; what can't be is noted in the table.
fn changes(arguments: &Arguments, subject: &Subject, table: &mut Table) -> anyhow::Result<Changes> {
    let [before, after] = subject.texts.each_ref().map(|text| dockerfiles::parse(text));
    let edit = match &arguments.edit {
        Some(file) => Some(subject.in_context(file)?),
        None => edit::choose([&before, &after], &subject.view),
    };
    match &edit {
        Some(file) => table.about.push(format!("Edited: {file}.")),
        None => table
            .left_out
            .push("No source edit: the file copies nothing that looks like source; --edit FILE names one.".to_owned()),
    }
    let mut dependency = None;
    if let Some(name) = &arguments.add_dependency {
        let package = Some(name.as_str()).filter(|name| !name.is_empty());
        match Addition::find(&before, &subject.view, package) {
            Ok(addition) => {
                let copy = subject.copy(0)?;
                addition.apply(&copy)?;
                table.about.push(format!("Added: {} to {}.", addition.package, addition.manifest));
                dependency = Some(addition.changed(&copy)?);
            }
            Err(why) => table.left_out.push(format!("No dependency was added: {why}.")),
        }
    }
    Ok(Changes { edit, dependency })
}
