//! `dockeropt explain ID`: a transform's documentation.

use super::{Exit, output::Output};
use crate::transforms;
use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;

/// Explain a transform: what it does, why, an example, when it does nothing.
#[derive(Args)]
pub(super) struct Arguments {
    /// The transform's id, as `dockeropt list` prints it.
    #[arg(value_name = "ID", value_parser = PossibleValuesParser::new(ids()))]
    id: String,
}

/// The ids of all transforms.
pub(super) fn ids() -> Vec<&'static str> {
    transforms::all().iter().map(|rule| rule.meta().id).collect()
}

/// Prints the documentation as it stands in the transform's file.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let metas = transforms::all().iter().map(|rule| rule.meta());
    let meta = metas.into_iter().find(|meta| meta.id == arguments.id).context("no such transform: see `dockeropt list`")?;
    let mut out = Output::stdout();
    out.text(&meta.documentation())?;
    out.finish()?;
    Ok(Exit::Done)
}
