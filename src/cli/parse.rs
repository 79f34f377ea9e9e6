//! `dockeropt parse`: the instructions of files, as the builder's own parser sees them.

use super::files::{self, Workers};
use super::output::{self, Output};
use super::{Exit, panics};
use crate::{report, syntax};
use anyhow::Context;
use clap::{Args, ValueEnum};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
The output is one JSON object a line and file, in the order of the arguments:
  {\"file\": …, \"instructions\": [{\"cmd\", \"sub_cmd\", \"json\", \"start\", \"end\",
   \"flags\", \"value\", \"heredocs\"}, …]}
or, for a file that the builder would refuse,
  {\"file\": …, \"error\": what is wrong, \"line\": where}

Exit codes:
  0  every file was read, whether or not the builder would accept it
  2  bad usage, or a file can't be read (said on standard error; the others
     are printed)";

/// Print the instructions of files as JSON.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Dockerfiles of any name; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The shape of the output.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Json,
}

/// Prints each file's line; errors of reading go to standard error.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Format::Json = arguments.format;
    let workers = Workers::for_files(arguments.files.len())?;
    let lines: Vec<_> = workers.install(|| arguments.files.par_iter().map(|file| line(file)).collect());
    let mut exit = Exit::Done;
    let mut out = Output::stdout();
    for line in lines {
        match line {
            Ok(line) => out.text(&line)?,
            Err(error) => {
                exit = Exit::Failed;
                out.under(&output::error_text(&error, report::Palette::PLAIN))?;
            }
        }
    }
    out.finish()?;
    Ok(exit)
}

fn line(file: &Path) -> anyhow::Result<String> {
    let text = files::read(file)?;
    let name = file.to_string_lossy();
    let value = panics::caught(|| report::instructions_json(&name, &syntax::parse(&text)));
    Ok(format!("{}\n", value.with_context(|| report::path::shown(file))?))
}
