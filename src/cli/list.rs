//! `dockeropt list`: every transform in a line.

use super::{Exit, output::Output};
use crate::transforms;

/// Prints ids and summaries in the order in which the transforms run.
pub(super) fn run() -> anyhow::Result<Exit> {
    let metas: Vec<_> = transforms::all().iter().map(|rule| rule.meta()).collect();
    let width = metas.iter().map(|meta| meta.id.len()).max().unwrap_or_default();
    let mut out = Output::stdout();
    for meta in metas {
        out.text(&format!("{:<width$}  {}\n", meta.id, meta.summary))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
