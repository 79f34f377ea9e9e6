//! Compound commands as things that read and write by themselves.
//!
//! Owns: finding the words, redirections and loop variables of `for`, `case`, `{ … }` and their like. Never does: expand them.

use crate::shell::{Command, CompoundCommand, List};

/// All compound commands, in the order in which they start.
pub fn of(list: &List) -> Vec<&CompoundCommand> {
    let mut found = Vec::new();
    collect(list, &mut found);
    found
}

fn collect<'l>(list: &'l List, found: &mut Vec<&'l CompoundCommand>) {
    let pipelines = list.items.iter().flat_map(|item| &item.and_or);
    for command in pipelines.flat_map(|pipeline| &pipeline.commands) {
        match command {
            Command::Simple(_) => {}
            Command::Compound(compound) => {
                found.push(compound);
                compound.bodies.iter().for_each(|body| collect(body, found));
            }
            Command::Function { body, .. } => collect(body, found),
        }
    }
}
