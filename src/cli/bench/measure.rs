//! The builds.
//!
//! Owns: which are made, in which order, and what is kept of each. Never does: build in the user's own folder, or with the user's
//! cache mounts.

use super::copy::Copy;
use super::network;
use super::subject::Subject;
use super::{Arguments, edit};
use crate::builder::{BuildRequest, Built, Session, State};
use crate::cli::output;
use crate::report::bench::{Cell, Row, Step};
use crate::syntax;
use anyhow::Context;

/// What is measured, in this order.
const ROWS: [(Kind, &str, &str); 5] = [
    (Kind::First, "first-build", "first build"),
    (Kind::Same, "nothing-changed", "nothing changed"),
    (Kind::Edit, "source-edit", "after a source edit"),
    (Kind::Dependency, "one-more-dependency", "one more dependency"),
    (Kind::Fresh, "no-cache", "again with --no-cache"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    First,
    Same,
    Edit,
    Dependency,
    Fresh,
}

/// What is done to the copies between the builds.
pub(super) struct Changes {
    /// The file that is edited.
    pub(super) edit: Option<String>,
    /// Files with one more dependency in them, and their texts; the manifest first.
    pub(super) dependency: Option<Vec<(String, String)>>,
}

/// What came out.
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    pub(super) sizes: [Option<u64>; 2],
}

/// Names of the sides.
const SIDES: [&str; 2] = ["before", "after"];

/// Builds everything.
pub(super) fn measure(
    arguments: &Arguments,
    subject: &Subject,
    changes: &Changes,
    session: &Session<'_>,
) -> anyhow::Result<Measured> {
    let wanted = |kind: Kind| match kind {
        Kind::Edit => changes.edit.is_some(),
        Kind::Dependency => changes.dependency.is_some(),
        _ => true,
    };
    let kinds = ROWS.into_iter().filter(|(kind, ..)| wanted(*kind));
    let mut rows: Vec<(Kind, Row)> =
        kinds.map(|(kind, id, name)| (kind, Row { id, name, cells: [Cell::default(), Cell::default()] })).collect();
    let mut sizes = [None, None];
    fetch_bases(arguments, subject, session);
    for run in 1..=arguments.runs.get() {
        for (side, side_name) in SIDES.into_iter().enumerate() {
            let place = Side { subject, side, copy: subject.copy(side)?, caches: session.own_caches() };
            for (kind, row) in &mut rows {
                place.prepare(*kind, changes)?;
                let of = format!("{side_name}: {}", row.name);
                let (image, built, fetched) = place.build(arguments, *kind, session).with_context(|| of.clone())?;
                if !arguments.quiet {
                    let runs = if arguments.runs.get() > 1 { format!(" (run {run})") } else { String::new() };
                    output::say(&format!("{of}{runs}  {:.1} s\n", built.time.as_secs_f64()));
                }
                if let Some(size) = sizes.get_mut(side) {
                    *size = session.engine().image_size(&image, session.watch())?;
                }
                session.remove(&image);
                if let Some(cell) = row.cells.get_mut(side) {
                    note(cell, &built, fetched);
                }
            }
        }
    }
    Ok(Measured { rows: rows.into_iter().map(|(_, row)| row).collect(), sizes })
}

fn note(cell: &mut Cell, built: &Built, fetched: Option<u64>) {
    cell.seconds.push(built.time.as_secs_f64());
    cell.fetched.extend(fetched);
    let own = built.steps.iter().filter(|step| !step.instruction.to_ascii_uppercase().starts_with("FROM "));
    let state = |state| if state == State::Cached { "cached" } else { "run" };
    let steps = own.map(|step| Step { name: step.name.clone(), state: state(step.state), seconds: step.time.as_secs_f64() });
    cell.steps = steps.collect();
}

/// One of the two, in its copy of the context.
struct Side<'s> {
    subject: &'s Subject,
    side: usize,
    copy: Copy,
    caches: String,
}

impl Side<'_> {
    fn prepare(&self, kind: Kind, changes: &Changes) -> anyhow::Result<()> {
        match (kind, &changes.edit, &changes.dependency) {
            (Kind::Edit, Some(file), _) => {
                let text = self.copy.text(file)?;
                self.copy.write(file, &edit::edited(&text, now()))
            }
            (Kind::Dependency, _, Some(files)) => {
                files.iter().try_for_each(|(path, text)| self.copy.write(path, text))?;
                // The same dependency, added by an earlier bench, may be in the layer cache.
                files.first().map_or(Ok(()), |(path, text)| self.copy.write(path, &edit::edited(text, now())))
            }
            _ => Ok(()),
        }
    }

    fn build(&self, arguments: &Arguments, kind: Kind, session: &Session<'_>) -> anyhow::Result<(String, Built, Option<u64>)> {
        let dockerfile = arguments.engine.text(self.subject.text(self.side));
        let request = BuildRequest {
            no_cache: matches!(kind, Kind::First | Kind::Fresh),
            caches: Some(&self.caches),
            ..arguments.engine.request(self.copy.path(), &dockerfile, self.subject.ignore(self.side))
        };
        let before = network::received();
        let (image, built) = session.build(&request)?;
        let fetched = before.zip(network::received()).map(|(before, after)| after.saturating_sub(before));
        Ok((image, built, fetched))
    }
}

/// A number that no other edit has.
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_micros() as u64
}

/// Fetches base images and frontends first, so that the side that is built first does not pay for both.
fn fetch_bases(arguments: &Arguments, subject: &Subject, session: &Session<'_>) {
    let Ok(copy) = subject.copy(0) else { return };
    for side in [0, 1] {
        let text = arguments.engine.text(subject.text(side));
        let syntax_line = text.lines().next().filter(|line| line.starts_with("# syntax=")).map(|line| format!("{line}\n"));
        let file = syntax::parse(&text);
        let bases = file.instructions().filter(|one| one.keyword == syntax::Keyword::From);
        for base in bases.filter_map(|from| from.arguments.values.first()) {
            let text = format!("{}FROM {base}\nLABEL dockeropt.bench=base\n", syntax_line.as_deref().unwrap_or_default());
            let request = BuildRequest { target: None, ..arguments.engine.request(copy.path(), &text, None) };
            // A stage's name, a variable: what can't be fetched here is told by the build itself.
            if let Ok((image, _)) = session.build(&request) {
                session.remove(&image);
            }
        }
    }
}
