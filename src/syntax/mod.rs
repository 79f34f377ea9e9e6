//! Bytes to a lossless Dockerfile and no further.
//!
//! Owns: the tiling of a file into items, parser directives, continuations, flags, JSON and shell forms, heredocs, and the
//! values that the builder's own parser (`frontend/dockerfile/parser` of moby/buildkit) would hand on; `tests/oracle.rs` holds
//! the two to each other.
//! Never does: fail, read a file, or know what an instruction means. What it could not read is in [`Dockerfile::errors`].

mod arguments;
mod directive;
mod dockerfile;
mod frontend;
mod heredoc;
mod json;
mod lines;
mod logical;
mod parse;
mod words;

pub use directive::DirectiveName;
pub use dockerfile::{Arguments, Dockerfile, Flag, Heredoc, Instruction, Item, ItemKind, Keyword, SyntaxError};
pub use lines::LineIndex;
pub use logical::LogicalText;
pub use parse::parse;
