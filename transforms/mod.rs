//! The registry: every transform, in the order in which they run.
//!
//! Owns: one list. Never does: hold logic.

pub mod cache_mounts;
pub mod syntax_header;

use crate::pipeline::Rule;

/// Every transform, in order: the header last, because it depends on what the others add.
pub fn all() -> &'static [&'static dyn Rule] {
    &[&cache_mounts::CacheMounts, &syntax_header::SyntaxHeader]
}
