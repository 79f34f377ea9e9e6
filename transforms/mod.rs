//! The registry: every transform, in the order in which they run.
//!
//! Owns: one list. Never does: hold logic.

pub mod cache_mounts;
pub mod dockerignore;
pub mod hoist_setup;
pub mod order_by_change;
mod rising;
pub mod sink_volatile;
pub mod split_dependency_copy;
pub mod syntax_header;

use crate::pipeline::Rule;

/// Every transform, in order: the header last, because it depends on what the others add.
pub fn all() -> &'static [&'static dyn Rule] {
    &[
        &split_dependency_copy::SplitDependencyCopy,
        &hoist_setup::HoistSetup,
        &dockerignore::Dockerignore,
        &sink_volatile::SinkVolatile,
        &order_by_change::OrderByChange,
        &cache_mounts::CacheMounts,
        &syntax_header::SyntaxHeader,
    ]
}
