//! dockeropt rewrites Dockerfiles so that rebuilds take seconds.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic))]
#![warn(missing_docs)]
pub mod cli;
pub mod ecosystems;
pub mod edit;
pub mod knowledge;
pub mod model;
pub mod pipeline;
pub mod report;
//pub mod shell;
pub mod syntax;
#[path = "../transforms/mod.rs"]
pub mod transforms;
