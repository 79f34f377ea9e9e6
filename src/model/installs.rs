//! What a RUN fetches.
//!
//! Owns: telling installs of the project's dependencies, installs of named packages and other downloads apart, as the ecosystems and
//! footprints know them. Never does: know whether a cache serves them.

use super::footprint::Fetch;
use super::order::{CommandPrint, Order};
use crate::ecosystems::{Activity, Entangled, Invocation};

/// Something that a step fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// What.
    pub what: Fetches,
    /// By whom: a package manager's name (`npm`), or a program's (`curl`).
    pub by: String,
}

/// What is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetches {
    /// The project's dependencies.
    Dependencies(Needs),
    /// Packages that the command names: `apt-get install gcc`, `npm install -g pm2`.
    Packages,
    /// Something else: `curl`, `git clone`.
    Download,
}

/// What tells an install of dependencies what to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// These files and folders of the image.
    Files(Vec<String>),
    /// A list that was made of all manifests before: the recipe of cargo-chef.
    Recipe,
    /// Manifests, and besides them the source: `pip install .`.
    Source,
    /// Files that can't be seen here.
    NotSeen,
}

/// What a step of a stage fetches, each once.
pub fn fetched(order: &Order<'_>, index: usize) -> Vec<Fetched> {
    let mut all: Vec<Fetched> = Vec::new();
    for command in order.print(index).iter().flat_map(|print| &print.commands) {
        all.extend(of_command(command).filter(|fetched| !all.contains(fetched)));
    }
    all
}

fn of_command(command: &CommandPrint) -> Option<Fetched> {
    let invocation = &command.ran.invocation;
    let installs =
        |ecosystem: &dyn crate::ecosystems::Ecosystem| matches!(ecosystem.recognise(invocation), Some(Activity::Install { .. }));
    if let Some(ecosystem) = command.ecosystem {
        let what = match &command.dependencies {
            _ if !installs(ecosystem) => return None,
            _ if ecosystem.is_of_the_system() => Fetches::Packages,
            // A loop over manifests of which none is there: it fetches nothing as far as can be seen.
            Some(Err(Entangled::NotSeen { .. })) if command.ran.conditional => return None,
            Some(Err(Entangled::NothingToGain { .. })) => return None,
            // What builds the project itself, named by it: no dependency of what was built.
            Some(Err(Entangled::NoDependencies { .. })) => Fetches::Packages,
            Some(Ok(Some(needs))) if needs.files.is_empty() && needs.folders.is_empty() => Fetches::Packages,
            Some(Ok(Some(_))) if cooks(invocation) => Fetches::Dependencies(Needs::Recipe),
            Some(Ok(Some(needs))) => {
                Fetches::Dependencies(Needs::Files(needs.files.iter().chain(&needs.folders).cloned().collect()))
            }
            Some(Err(Entangled::NotSeen { .. })) => Fetches::Dependencies(Needs::NotSeen),
            Some(Ok(None) | Err(_)) | None => Fetches::Dependencies(Needs::Source),
        };
        return Some(Fetched { what, by: ecosystem.id().to_owned() });
    }
    let downloads = command.footprint.fetches != Fetch::Nothing;
    downloads.then(|| Fetched { what: Fetches::Download, by: invocation.program.clone() })
}

/// `cargo chef cook` fetches and builds all that its recipe lists, which is what a `cargo build` behind it finds.
fn cooks(invocation: &Invocation) -> bool {
    let words: Vec<&str> =
        invocation.arguments.iter().filter_map(|argument| argument.value.known().map(String::as_str)).collect();
    invocation.program == "cargo" && words.contains(&"chef") && words.contains(&"cook")
}
