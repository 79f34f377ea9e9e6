//! What single commands touch.
//!
//! Owns: the footprints of package managers' commands (by asking them) and of common programs. Never does: judge a whole step.

use super::Footprint;
use crate::ecosystems::{Project, Surroundings};
use crate::model::Ran;

/// What a command touches; `at.workdir` is the folder in which it runs. Anything, where the program is not known.
pub fn of_command(ran: &Ran, _at: &Surroundings<'_>, _project: &dyn Project) -> Footprint {
    Footprint::anything(format!("`{}` may touch anything", ran.invocation.program))
}

/// The scripts of the project that a command runs, and those that they source, by their image paths.
pub fn scripts_of(_ran: &Ran, _project: &dyn Project) -> Vec<String> {
    Vec::new()
}
