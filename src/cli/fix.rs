//! `dockeropt fix`: show the diff, or write it.

use super::Exit;
use super::choice::{self, Choice};
use super::engine::EngineArguments;
use super::files::{self, Workers};
use super::job::{Done, Format, Job, Mode};
use super::output::{self, Colour, Output};
use super::place::Places;
use super::verify::Guard;
use crate::pipeline::Options;
use crate::report::summary::Total;
use anyhow::ensure;
use clap::Args;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::path::PathBuf;

// No line is longer than 78 characters, so that none is broken on a narrow terminal.
const AFTER_HELP: &str = "\
What is done:
  Without a mode, the diff is printed and nothing is written. Standard output
  holds the diff and nothing else, for `git apply` or `patch -p1`. Standard
  error tells what each fix does, and what was left alone and why.

What \"safe\" means:
  For a clean checkout built by BuildKit: if it built before, it builds now,
  and the image has the same files (package managers' download caches and
  index lists aside), modes, owners and configuration. Only such fixes are
  made; with --unsafe also those that give a good image whose content, base
  or behaviour may differ. In doubt, nothing is done.

Files:
  Folders are searched for Dockerfile, Dockerfile.NAME, NAME.Dockerfile, and
  the same with Containerfile, in any case. Left out is what .gitignore names,
  ignore files, templates, backups, and text or code (Dockerfile.md). Hidden
  folders are searched, .git is not; links count where they stay inside the
  folder. A file that is named by hand is always taken.

Exit codes:
  0  done, whether or not there was anything to change
  1  something would change (with --check or --exit-code),
     or was changed (with --exit-non-zero-on-fix)
  2  bad usage, or a file could not be done; the others were
  3  a guard stopped a fix: a fault of dockeropt; everything else was done
  Where several hold: 2 before 3 before 1.

Examples:
  dockeropt fix                                the diff of this folder
  dockeropt fix --diff app | git apply         as --write, by way of git
  dockeropt fix --write app/Dockerfile         change one file
  dockeropt fix --check                        in CI: fail if one would change
  dockeropt fix - <Dockerfile >Dockerfile.new  from stdin to stdout
  dockeropt fix --only cache-mounts            only one kind of fix";

/// Rewrite Dockerfiles; without --write, show what would change.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP, next_line_help = false)]
pub(super) struct Arguments {
    /// Files, folders, or `-` for standard input. Without any: the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a unified diff that `git apply` and `patch -p1` take (the default; beside --write it prints what is written).
    #[arg(long)]
    diff: bool,
    /// Change the files, each atomically.
    #[arg(long, short)]
    write: bool,
    /// Print the names of the files that would change, and exit with 1 if there are any.
    #[arg(long, conflicts_with_all = ["write", "diff"])]
    check: bool,
    #[command(flatten)]
    choice: Choice,
    /// Where the build context can't be seen (standard input, no folder), guess which manifests an install reads, and copy them first
    /// if they are there.
    #[arg(long, requires = "unsafe_fixes")]
    assume_manifests: bool,
    /// The folder that is handed to the builder (`docker build DIR`), for all files. Without it, compose and bake files, build
    /// commands in CI and Makefiles, and the sources of COPY tell.
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// The image that a new `# syntax=` line names (docker/dockerfile:1 if not said); `off`: never add or raise one, for where no
    /// registry can be reached.
    #[arg(long, value_name = "REF|off", value_parser = syntax)]
    syntax: Option<String>,
    /// What to print. `json`: for each file an object on a line of standard output, in the place of diff and words.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", conflicts_with = "diff")]
    format: Format,
    /// Exit with 1 if something would change.
    #[arg(long)]
    exit_code: bool,
    /// Exit with 1 if something was written.
    #[arg(long)]
    exit_non_zero_on_fix: bool,
    /// When to colour. `auto`: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Print no word about what was fixed or left alone; errors only.
    #[arg(long, short)]
    quiet: bool,
    /// With --write: build each file before and after first, and write only what gives an equal image (see
    /// `dockeropt verify`, whose options for the engine can be given here, too).
    #[arg(long, requires = "write")]
    verify: bool,
    #[command(flatten, next_help_heading = FOR_VERIFY)]
    engine: EngineArguments,
}

/// Above the options that only `--verify` needs.
pub(super) const FOR_VERIFY: &str = "Options for --verify";

/// Reads the value of `--syntax`.
pub(super) fn syntax(reference: &str) -> Result<String, String> {
    if reference.is_empty() || reference.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err("name an image, as docker/dockerfile:1, or say off".to_owned());
    }
    Ok(reference.to_owned())
}

impl Arguments {
    fn options(&self) -> Options {
        let options = Options { assume_manifests: self.assume_manifests, ..self.choice.options() };
        choice::with_syntax(options, self.syntax.as_deref())
    }

    fn mode(&self) -> Mode {
        match (self.check, self.write) {
            (true, _) => Mode::Check,
            (_, true) => Mode::Write { diff: self.diff },
            _ => Mode::Diff,
        }
    }

    fn job(&self, stdin: bool) -> anyhow::Result<Job> {
        Ok(Job {
            guard: if self.verify { Some(Guard::new(&self.engine)?) } else { None },
            options: self.options(),
            mode: if stdin && !self.diff && !self.check { Mode::Filter } else { self.mode() },
            format: self.format,
            quiet: self.quiet || self.format == Format::Json,
            stdout: self.color.palette(&std::io::stdout()),
            stderr: self.color.palette(&std::io::stderr()),
            folder: std::env::current_dir().and_then(|folder| folder.canonicalize()).ok(),
        })
    }
}

/// Does what the arguments say.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here } else { arguments.paths.as_slice() };
    let stdin = paths.iter().any(|path| files::is_stdin(path));
    ensure!(!stdin || paths.len() == 1, "`-` (standard input) can't be mixed with files: name either");
    ensure!(
        !stdin || !arguments.write,
        "--write can't write to standard input: leave it out, and the result is on standard output"
    );
    let job = arguments.job(stdin)?;
    let found = files::find(paths);
    if found.is_empty() {
        nothing_found(paths, job.quiet);
        return Ok(Exit::Done);
    }
    if let Some(context) = &arguments.context {
        ensure!(
            context.is_dir(),
            "--context {}: is no folder: name the one that `docker build` gets",
            crate::report::path::shown(context)
        );
    }
    let workers = Workers::for_files(found.len())?;
    let places = Places::new(arguments.context.as_deref());
    let mut done: Vec<(usize, Done)> = workers.install(|| {
        let groups = places.groups(found);
        groups.into_par_iter().flat_map_iter(|group| job.run_group(&places, &group)).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    let done: Vec<Done> = done.into_iter().map(|(_, done)| done).collect();
    print(arguments, &job, &done)
}

fn nothing_found(paths: &[PathBuf], quiet: bool) {
    if !quiet {
        let names: Vec<String> = paths.iter().map(|path| crate::report::path::shown(path)).collect();
        output::say(&format!("no Dockerfile in {}; a file of another name can be given by hand\n", names.join(", ")));
    }
}

fn print(arguments: &Arguments, job: &Job, done: &[Done]) -> anyhow::Result<Exit> {
    let mut out = Output::stdout();
    let (mut total, mut exit) = (Total::default(), Exit::Done);
    for file in done {
        out.text(&file.stdout)?;
        out.under(&file.stderr)?;
        total = total.and(file.total);
        exit = exit.max(Job::exit(file)).max(asked_for(arguments, file));
    }
    let line = format!("{}\n", total.line(job.mode.verb()));
    match job.mode {
        Mode::Check if job.format == Format::Text => out.text(&line)?,
        _ if job.quiet => {}
        _ => out.under(&line)?,
    }
    out.finish()?;
    Ok(exit)
}

/// What the caller asked to be told by the exit code.
fn asked_for(arguments: &Arguments, file: &Done) -> Exit {
    let pending = file.total.changed > 0 && !file.written && (arguments.check || arguments.exit_code);
    let made = file.written && arguments.exit_non_zero_on_fix;
    if pending || made { Exit::Changes } else { Exit::Done }
}
