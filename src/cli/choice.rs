//! Which transforms run, and how far they may go: the options that every subcommand has which rewrites.
//!
//! Owns: `--only`, `--skip` and `--unsafe`. Never does: run a transform.

use super::explain::ids;
use crate::pipeline::Options;
use clap::Args;
use clap::builder::PossibleValuesParser;

/// The transforms that are asked for.
#[derive(Args, Clone, Debug)]
pub(super) struct Choice {
    /// Run only these transforms (several: with commas, or the option again).
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = PossibleValuesParser::new(ids()))]
    only: Vec<String>,
    /// Don't run these transforms.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = PossibleValuesParser::new(ids()))]
    skip: Vec<String>,
    /// Also apply fixes after which the image's content, base or behaviour may differ.
    #[arg(long = "unsafe")]
    unsafe_fixes: bool,
}

impl Choice {
    /// For the pipeline; all else as it is by default.
    pub(super) fn options(&self) -> Options {
        Options { unsafe_fixes: self.unsafe_fixes, only: self.only.clone(), skip: self.skip.clone(), ..Options::default() }
    }
}

/// Takes in what `--syntax` says: another image, or `off`.
pub(super) fn with_syntax(mut options: Options, syntax: Option<&str>) -> Options {
    match syntax {
        Some("off") => options.syntax = None,
        Some(reference) => options.syntax = Some(reference.to_owned()),
        None => {}
    }
    options
}
