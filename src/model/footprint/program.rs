//! What single commands touch.
//!
//! Owns: the footprints of package managers' commands (by asking them) and of common programs. Never does: judge a whole step.

use super::{Area, Fetch, Footprint, Region, Variables};
use crate::ecosystems::{self, Project, Surroundings};
use crate::model::Ran;

/// What a command touches; `at.workdir` is the folder in which it runs. Anything, where the program is not known.
pub fn of_command(ran: &Ran, at: &Surroundings<'_>, project: &dyn Project) -> Footprint {
    let name = &ran.invocation.program;
    let owner = ecosystems::of_program(name).find(|ecosystem| ecosystem.recognise(&ran.invocation).is_some());
    let Some(owner) = owner else {
        if name == "mkdir" || name == "useradd" {
            return Footprint { writes: Region::system(), ..Default::default() };
        }
        return Footprint::anything(format!("`{name}` may touch anything"));
    };
    match owner.dependencies(&ran.invocation, at, project) {
        Ok(Some(d)) => {
            let mut reads = Region::system();
            reads.areas.extend(d.files.into_iter().map(Area::At));
            reads.areas.extend(d.folders.into_iter().map(Area::Below));
            let mut writes = Region::system();
            writes.areas.extend(d.makes.into_iter().map(Area::Below));
            writes.areas.extend(d.rewrites.into_iter().map(Area::At));
            Footprint { reads, writes, variables: Variables::Tools, fetches: Fetch::Fixed }
        }
        Ok(None) => Footprint::anything(format!("`{name}` may touch anything in the project")),
        Err(e) => Footprint::anything(e.to_string()),
    }
}

/// The scripts of the project that a command runs, and those that they source, by their image paths.
pub fn scripts_of(_ran: &Ran, _project: &dyn Project) -> Vec<String> {
    Vec::new()
}
