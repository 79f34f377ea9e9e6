//! What people and programs get to read: parse output, diffs, summaries.
//!
//! Owns: the wording and shape of every output. Never does: print, or write a file.

mod instructions;

pub use instructions::instructions_json;
