//! The registry: every transform, in the order in which they run.
//!
//! Owns: one list. Never does: hold logic.

use crate::pipeline::Rule;

/// Every transform, in order.
pub fn all() -> &'static [&'static dyn Rule] {
    &[]
}
