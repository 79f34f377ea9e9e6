//! What each change costs: the builder's cache keys as a model.
//!
//! Owns: which steps of a file run again when files of its build context or build arguments change, and why. Pure: a file, a context
//! and a change in, a forecast out. Never does: build, read a clock, or guess seconds.
//!
//! # The rules, and where they come from
//! Each was read in BuildKit's documentation ("Build cache invalidation" in Docker's manual; "Variables" for scopes) or its source
//! (`dockerfile2llb/convert.go`, `llbsolver/ops/exec.go` and `file.go`), and tried on an engine: `tests/engine_cache.rs` builds a pair
//! for each and holds the forecast to what the engine reports.
//!
//! - A step that runs again drags all steps that stand on it: the later ones of its stage, and stages built FROM it.
//! - RUN hangs on its text, the environment, work folder and user in force. All ARGs in scope are part of that environment, whether
//!   or not the RUN names them; an ARG below it, or one that no stage declares, is not. A stage built FROM another inherits its ARGs.
//!   An ARG behind an ENV of the same name replaces it, and an ENV behind an ARG hides it. Proxy arguments that no ARG declares don't
//!   count.
//! - COPY and ADD hang on their own text with the variables put in, and on the content, names and modes of what they take after the
//!   ignore rules. Times don't count, nor do owners (a client hands all files over as root's), nor the mode of a folder that is copied
//!   itself. A heredoc's content counts with its variables put in, where its name is not quoted.
//! - WORKDIR (but for `/`) makes a folder and so is a step: it hangs on its text and on USER.
//! - A bind mount counts by the content that it shows, with `rw` too; a cache mount by its options, but one with `from` by that
//!   content; secrets not at all.
//! - `COPY --from` and mounts from a stage hang on the content that comes out. A stage that ran again but made the same files leaves
//!   them cached. Where only copies ran again, what comes out is known; where a RUN did, it is not, and the verdict is
//!   [`Verdict::MayRun`].
//! - `COPY --link` hangs on nothing below it, on a builder that can merge layers ([`Builder`]).
//! - ONBUILD runs in stages built FROM its own, but not in those built FROM them.
//! - LABEL, CMD, EXPOSE, ENV, ARG and their like are no steps. Stages that the target does not need never run.
//!
//! # What it does not see
//! A new base image behind the same tag, and what lies behind a URL or git reference of ADD, are taken to be unchanged; so is the
//! Dockerfile's own text. A file that changes back finds its old layer in a cache that still has it; the model counts a change.

mod content;
mod environment;
mod forecast;
mod plan;
mod replay;
mod typical;
mod wear;
mod worth;

pub use forecast::{Cause, Change, Fate, Forecast, Verdict};
pub use plan::{Builder, Kind, Plan, Step};
pub use replay::{Replay, Totals};
pub use typical::{Gain, Typical, Unit, edited, gains};
pub use wear::{Past, Wear};
pub use worth::{COMMITS, grown};

#[cfg(test)]
mod tests;
