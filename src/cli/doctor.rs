//! `dockeropt doctor`: is the engine set up so that rebuilds are fast?
//!
//! Owns: the arguments and how findings are printed. Never does: decide what is one; that is `builder::doctor`'s.

use super::output::{Colour, Output};
use super::{Exit, job::Format};
use crate::builder::Watch;
use crate::builder::doctor::{self, Finding, Outcome, System};
use crate::report::{Ink, Palette};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

// No line is longer than 78 characters, so that none is broken on a narrow terminal.
const AFTER_HELP: &str = "\
What is done:
  The engine is asked for its versions, builder and cache, and its settings,
  the environment and the build files of the folder are read. For proof, files
  of which nothing runs are built, and their images taken away. Nothing of
  yours is changed or pruned.

Exit codes:
  0  all is fine
  1  something is to be done
  2  it can't be told (no engine, one that can't be reached), or bad usage";

/// Look whether BuildKit builds here, and keeps its caches.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP, next_line_help = false)]
pub(super) struct Arguments {
    /// The folder whose build files are read. Without it: the current one.
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    folder: PathBuf,
    /// docker, podman, buildah, or the path of one.
    #[arg(long, value_name = "ENGINE", default_value = "docker")]
    engine: String,
    /// Build nothing for proof.
    #[arg(long)]
    quick: bool,
    /// Whose advice is shown. Without it: this system's.
    #[arg(long, value_enum, value_name = "SYSTEM")]
    system: Option<SystemName>,
    /// The longest that a question to the engine may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// When to colour. `auto`: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SystemName {
    Linux,
    Macos,
    Windows,
}

impl From<SystemName> for System {
    fn from(name: SystemName) -> Self {
        match name {
            SystemName::Linux => Self::Linux,
            SystemName::Macos => Self::Macos,
            SystemName::Windows => Self::Windows,
        }
    }
}

/// Does what the arguments say.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let watch = Watch::listening(Some(Duration::from_secs(arguments.timeout)))?;
    let folder: &Path = &arguments.folder;
    anyhow::ensure!(folder.is_dir(), "{}: is no folder", crate::report::path::shown(folder));
    let facts = doctor::survey(&arguments.engine, folder, arguments.quick, &watch);
    anyhow::ensure!(!watch.is_stopped(), "broken off");
    let findings = doctor::findings(&facts);
    let system = arguments.system.map_or_else(System::here, System::from);
    let mut out = Output::stdout();
    match arguments.format {
        Format::Json => out.text(&format!("{}\n", as_json(&arguments.engine, &findings)))?,
        Format::Text => {
            let palette = arguments.color.palette(&std::io::stdout());
            for finding in &findings {
                out.text(&as_text(finding, system, palette))?;
            }
            out.text(&format!("\n{}\n", verdict(&findings)))?;
        }
    }
    out.finish()?;
    Ok(exit(&findings))
}

fn exit(findings: &[Finding]) -> Exit {
    let has = |outcome| findings.iter().any(|finding| finding.outcome == outcome);
    match (has(Outcome::Unknown), has(Outcome::Action)) {
        (true, _) => Exit::Failed,
        (_, true) => Exit::Changes,
        _ => Exit::Done,
    }
}

fn verdict(findings: &[Finding]) -> String {
    let count = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count();
    let things = |count: usize| if count == 1 { "1 thing".to_owned() } else { format!("{count} things") };
    match (count(Outcome::Unknown), count(Outcome::Action)) {
        (0, 0) => "all is fine".to_owned(),
        (0, actions) => format!("{} to do", things(actions)),
        (unknown, 0) => format!("{} that can't be told", things(unknown)),
        (unknown, actions) => format!("{} to do, {} that can't be told", things(actions), things(unknown)),
    }
}

fn as_text(finding: &Finding, system: System, palette: Palette) -> String {
    let (ink, mark) = match finding.outcome {
        Outcome::Fine => (Ink::Good, "fine"),
        Outcome::Note => (Ink::Place, "note"),
        Outcome::Action => (Ink::Bad, "todo"),
        Outcome::Unknown => (Ink::Doubt, "????"),
    };
    let mut text = format!("{}  {}\n", palette.paint(ink, mark), finding.what);
    for note in &finding.notes {
        text.push_str(&format!("      {}\n", palette.paint(Ink::Faint, note)));
    }
    if let Some(todo) = &finding.todo {
        text.push_str(&format!("   -> {}\n", todo.on(system)));
    }
    text
}

fn as_json(engine: &str, findings: &[Finding]) -> Value {
    let name = |outcome| match outcome {
        Outcome::Fine => "fine",
        Outcome::Note => "note",
        Outcome::Action => "action",
        Outcome::Unknown => "unknown",
    };
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let todo = finding.todo.as_ref().map(|todo| {
                let systems = [System::Linux, System::Macos, System::Windows];
                systems.into_iter().map(|system| (system.name().to_owned(), json!(todo.on(system)))).collect::<Map<_, _>>()
            });
            json!({
                "code": finding.code, "outcome": name(finding.outcome), "what": finding.what, "notes": finding.notes, "todo": todo,
            })
        })
        .collect();
    json!({ "engine": engine, "findings": findings })
}
