//! The build context as the builder sees it.
//!
//! Owns: which files a context holds after the ignore rules, their texts, what git tracks of them and how often it changed, and
//! which folder is the context of a Dockerfile. Never does: know a Dockerfile's instructions, leave the context's root, or write.

mod doubt;
#[cfg(test)]
mod engine_table;
mod git;
mod glob;
mod history;
mod ignore;
mod locate;
mod matching;
mod root;
mod source;
mod view;

pub use doubt::Doubt;
pub use history::Commit;
pub use locate::{Context, FoundBy, Located, Locator, Sharing, yaml};
pub use source::Source;
pub use view::View;

/// What a path of the context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder. It may be empty, or what is in it may be ignored: the builder gets it all the same.
    Folder,
    /// A symbolic link (the builder copies it as a link, unless COPY names it itself).
    Link,
}
