//! What people and programs get to read: parse output, diffs, summaries.
//!
//! Owns: the wording and shape of every output. Never does: print, or write a file.

pub mod bench;
pub mod cost;
pub mod diff;
mod instructions;
mod outcome;
mod palette;
pub mod path;
pub mod proof;
pub mod summary;

pub use instructions::instructions_json;
pub use outcome::outcome_json;
pub use palette::{Ink, Palette};
