//! The command line.
//!
//! Owns: arguments, exit codes, and everything that touches the world: this is the only place that reads and writes files and
//! prints. Never does: decide what is changed.

mod bench;
mod changes;
mod choice;
mod cost;
mod doctor;
mod engine;
mod explain;
mod files;
mod fix;
mod init;
mod job;
mod list;
mod output;
mod panics;
mod parse;
mod place;
mod verify;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// What the program ends with. Where several hold, the greatest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// All was done.
    #[default]
    Done,
    /// A file would change (or did), and the caller asked to be told; something is to be done about the engine.
    Changes,
    /// A guard stopped a fix; everything else was done.
    Guard,
    /// A file could not be done, or the arguments make no sense.
    Failed,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Changes => 1,
            Self::Failed => 2,
            Self::Guard => 3,
        }
    }
}

#[derive(Parser)]
#[command(name = "dockeropt", version, about, long_about = LONG_ABOUT, after_long_help = AFTER_HELP, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const LONG_ABOUT: &str = "\
Rewrites Dockerfiles so that rebuilds take seconds, and shows the diff.

Bytes that need no change stay as they are: comments, indentation, line ends.";

const AFTER_HELP: &str = "\
Examples:
  dockeropt fix                      show what would change in this folder and below
  dockeropt fix --write              change it
  dockeropt fix | git apply          the same, by way of git
  dockeropt cost                     what each change makes a build run again
  dockeropt explain cache-mounts     what a transform does, and when it does nothing
  dockeropt verify app/Dockerfile    build before and after, and compare the images

`dockeropt fix --help` tells what \"safe\" means and lists the exit codes.";

#[derive(Subcommand)]
enum Command {
    Fix(Box<fix::Arguments>),
    Verify(Box<verify::Arguments>),
    Bench(Box<bench::Arguments>),
    Cost(Box<cost::Arguments>),
    Doctor(doctor::Arguments),
    Init(init::Arguments),
    /// List the transforms, in the order in which they run.
    List,
    Explain(explain::Arguments),
    Parse(parse::Arguments),
}

/// Runs the program.
pub fn main() -> ExitCode {
    // `fix --help` has enough to say; `verify --help` tells of the engine.
    let is_of_verify = |argument: &Arg| argument.get_help_heading() == Some(fix::FOR_VERIFY);
    let brief = |argument: Arg| if is_of_verify(&argument) { argument.hide(true) } else { argument };
    let command = Arguments::command().mut_subcommand("fix", |fix| fix.mut_args(brief));
    let arguments = Arguments::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let done = match arguments.command {
        Command::Fix(arguments) => fix::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Cost(arguments) => cost::run(&arguments),
        Command::Parse(arguments) => parse::run(&arguments),
        Command::List => list::run(),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    };
    let exit = done.unwrap_or_else(|error| {
        output::error(&error);
        Exit::Failed
    });
    exit.code().into()
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn where_several_hold_two_comes_before_three_before_one() {
        let greatest = |exits: &[Exit]| exits.iter().copied().max().map(Exit::code);
        assert_eq!(greatest(&[Exit::Changes, Exit::Guard, Exit::Failed, Exit::Done]), Some(2));
        assert_eq!(greatest(&[Exit::Changes, Exit::Guard, Exit::Done]), Some(3));
        assert_eq!(greatest(&[Exit::Done, Exit::Changes]), Some(1));
        assert_eq!(greatest(&[Exit::Done]), Some(0));
    }
}
