//! dockeropt rewrites Dockerfiles so that rebuilds take seconds.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic))]
#![warn(missing_docs)]
pub mod knowledge;
pub mod syntax;
pub mod report;
