//! `dockeropt init`: a repository is put on a footing on which rebuilds are fast, and stay so.
//!
//! Owns: what is asked for, and the diff of it or the writing. Never does: overwrite: a file that is there is extended, or left alone
//! with words.

mod ci;
mod ignore_file;
mod plan;
mod pre_commit;
mod project;
mod wrappers;

use super::output::{Colour, Output, error_text};
use super::{Exit, files};
use crate::report::{Palette, diff, path};
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use plan::{Change, Proposal};
use project::Project;
use std::path::{Path, PathBuf};

// No line is longer than 78 characters, so that none is broken on a narrow terminal.
const AFTER_HELP: &str = "\
What is done:
  Without --write, the diff is printed and nothing is written. Standard output
  holds the diff and nothing else, for `git apply`. Standard error tells what
  each file is for, and what was left alone and why.

  .dockerignore            where a COPY takes the whole context. Only what is
                           not there now and git does not track is named; with
                           --unsafe also what is there (.git, node_modules):
                           the image then lacks it.
  .pre-commit-config.yaml  `dockeropt fix` before each commit
  --with make              Makefile: build, build-fresh, dev
  --with sh,ps1            build.sh, build.ps1: --no-cache --pull --detached
  --with github            .github/workflows/docker.yml
  --with gitlab            a job in .gitlab-ci.yml

  What is there already stays as it is, byte for byte: it is extended, or left
  alone with the lines to paste. A second run changes nothing.

Exit codes:
  0  done, whether or not there was anything to do
  2  bad usage, or a file that has to be changed by hand; the others were done

Examples:
  dockeropt init                           what would come
  dockeropt init --write --with make,sh    with wrappers
  dockeropt init --with github | git apply";

/// Set a repository up: ignore file, pre-commit hook, wrappers, CI.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP, next_line_help = false)]
pub(super) struct Arguments {
    /// The repository's folder. Without it: the current one.
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    folder: PathBuf,
    /// Make and extend the files.
    #[arg(long, short)]
    write: bool,
    /// What to add (several: with commas, or the option again).
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    with: Vec<Extra>,
    /// What to leave out (several: with commas, or the option again).
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    without: Vec<Usual>,
    /// The Dockerfile that wrappers and CI build, where there are several.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where pre-commit gets dockeropt from: a URL, or a path to a clone. Without it, the hook runs the program that is installed.
    #[arg(long, value_name = "REPO")]
    hook_repo: Option<String>,
    /// Also ignore what is there now: the image then lacks it.
    #[arg(long = "unsafe")]
    unsafe_patterns: bool,
    /// When to colour. `auto`: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Print no word about what is done; errors only.
    #[arg(long, short)]
    quiet: bool,
}

/// What comes if it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Extra {
    /// A Makefile.
    Make,
    /// A script for sh.
    Sh,
    /// A script for PowerShell.
    Ps1,
    /// A workflow for GitHub Actions.
    Github,
    /// A job for GitLab CI.
    Gitlab,
}

/// What comes if it is not left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Usual {
    /// The ignore file.
    Dockerignore,
    /// The pre-commit entry.
    PreCommit,
}

/// Does what the arguments say.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let shown = path::shown(&arguments.folder);
    ensure!(arguments.folder.is_dir(), "{shown}: is no folder: name the repository's");
    let folder = arguments.folder.canonicalize().with_context(|| format!("{shown}: can't be read"))?;
    let proposals = proposals(arguments, &folder)?;
    let (stdout, stderr) = (arguments.color.palette(&std::io::stdout()), arguments.color.palette(&std::io::stderr()));
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let (mut out, mut exit) = (Output::stdout(), Exit::Done);
    for proposal in &proposals {
        if let Proposal::Change(change) = proposal {
            if !arguments.write {
                out.text(&shown_as_diff(&folder, here.as_deref(), change, stdout))?;
            } else if let Err(error) = write(&folder, change) {
                out.under(&error_text(&error, stderr))?;
                exit = Exit::Failed;
                continue;
            }
        }
        if matches!(proposal, Proposal::ByHand { .. }) {
            exit = exit.max(Exit::Failed);
        }
        if !arguments.quiet || matches!(proposal, Proposal::ByHand { .. }) {
            out.under(&proposal.words(arguments.write, stderr))?;
        }
    }
    out.finish()?;
    Ok(exit)
}

/// What is to come of each file, in the order in which it is told.
fn proposals(arguments: &Arguments, folder: &Path) -> anyhow::Result<Vec<Proposal>> {
    let mut proposals = Vec::new();
    if !arguments.without.contains(&Usual::Dockerignore) {
        proposals.extend(ignore_file::proposals(folder, arguments.unsafe_patterns));
    }
    if !arguments.without.contains(&Usual::PreCommit) {
        proposals.push(pre_commit::proposal(folder, arguments.hook_repo.as_deref()));
    }
    if arguments.with.is_empty() {
        return Ok(proposals);
    }
    let project = Project::look_at(folder, arguments.file.as_deref())?;
    for extra in [Extra::Make, Extra::Sh, Extra::Ps1, Extra::Github, Extra::Gitlab] {
        if !arguments.with.contains(&extra) {
            continue;
        }
        proposals.push(match extra {
            Extra::Make => wrappers::make(folder, &project),
            Extra::Sh => wrappers::sh(folder, &project),
            Extra::Ps1 => wrappers::ps1(folder, &project),
            Extra::Github => ci::github(folder, &project),
            Extra::Gitlab => ci::gitlab(folder, &project),
        });
    }
    Ok(proposals)
}

fn shown_as_diff(folder: &Path, here: Option<&Path>, change: &Change, palette: Palette) -> String {
    let path = folder.join(&change.path);
    let name = here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(&path);
    match &change.before {
        Some(before) => diff::unified(name, before, &change.after, palette),
        None => diff::created(name, &change.after, change.executable, palette),
    }
}

fn write(folder: &Path, change: &Change) -> anyhow::Result<()> {
    let path = folder.join(&change.path);
    if let Some(before) = &change.before {
        return files::replace(&path, before, &change.after);
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("{}: can't be made", path::shown(parent)))?;
    }
    files::create(&path, &change.after)?;
    if change.executable {
        make_executable(&path).with_context(|| format!("{}: can't be made executable", path::shown(&path)))?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = path.metadata()?.permissions();
    // Whoever may read it may run it.
    let mode = permissions.mode();
    permissions.set_mode(mode | (mode & 0o444) >> 2);
    std::fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
