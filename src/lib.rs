//! dockeropt rewrites Dockerfiles so that rebuilds take seconds.
//!
//! The map of the house, bottom first; arrows only point down (`tests/architecture.rs` holds it):
//! [`syntax`] reads a file without losing a byte, [`shell`] the text of a RUN, [`context`] sees the files of a build, [`ecosystems`] knows the package managers,
//! [`model`] what the file means, [`cache`] what each change of a file costs, [`edit`] is how a text changes, [`pipeline`] runs to the
//! fixpoint and guards, [`transforms`] say what is done, [`builder`] runs real build engines, [`report`] words it, and [`cli`] alone
//! reads, writes and prints.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic)
)]
#![warn(missing_docs)]

pub mod builder;
pub mod cache;
pub mod cli;
pub mod context;
pub mod ecosystems;
pub mod edit;
pub mod knowledge;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod shell;
pub mod syntax;
#[path = "../transforms/mod.rs"]
pub mod transforms;
