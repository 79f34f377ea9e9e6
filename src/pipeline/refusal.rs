//! Reasons for leaving a place alone.
//!
//! Owns: every reason, a short stable code for it, and its words for people: what stands in the way, where, what would help.

use crate::ecosystems::{Entangled, Obstacle};
use crate::model::IMAGES_WORKDIR;

/// Why a transform did nothing where it could have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The text of the RUN is not shell that can be read.
    NotShell {
        /// Why.
        why: String,
    },
    /// The step runs elsewhere: ONBUILD, Windows.
    Elsewhere {
        /// Where.
        why: String,
    },
    /// The command's user owns nothing of what a mount brings.
    User {
        /// What is not known or fits not.
        why: String,
    },
    /// What is known of the package manager forbids it.
    Manager {
        /// The ecosystem's id.
        id: &'static str,
        /// Its reason.
        obstacle: Obstacle,
    },
    /// Something put content under the folder before.
    EarlierContent {
        /// The folder.
        target: String,
        /// 1-based line.
        line: usize,
        /// By what.
        what: String,
    },
    /// Something reads the folder afterwards.
    LaterReader {
        /// The folder.
        target: String,
        /// 1-based line.
        line: usize,
        /// Who.
        what: String,
    },
    /// A later step works offline from what this one fetched.
    Offline {
        /// 1-based line.
        line: usize,
        /// The command.
        what: String,
    },
    /// A cleanup that would empty the mount (or fail on it) cannot be taken out.
    Cleanup {
        /// 1-based line.
        line: usize,
        /// The cleanup and why.
        why: String,
    },
    /// Steps of the stage hang together and one of them can't be done.
    Together {
        /// 1-based line of the step in the way.
        line: usize,
        /// Why.
        why: String,
    },
    /// A change of the command is needed that can't be made in the text.
    NotEditable {
        /// Why.
        why: String,
    },
    /// A mount that the author wrote stands in the way; it is never changed.
    AuthorsMount {
        /// What it lacks.
        why: String,
    },
    /// The build context is not known, or can't be seen.
    Context {
        /// Why, and what would help.
        why: String,
    },
    /// The step can't rise above the copy of the source, because of a step between (or the copy itself).
    InTheWay {
        /// 1-based line of the step in the way.
        line: usize,
        /// That step, shortened.
        step: String,
        /// Why.
        why: String,
    },
    /// The package manager needs more of the project than its manifests.
    Entangled {
        /// The ecosystem's id.
        id: &'static str,
        /// Its reason.
        entangled: Entangled,
    },
    /// A folder that would have to be ignored is copied by name.
    IgnoredButCopied {
        /// The patterns.
        patterns: String,
        /// Where: a line of this file, or `NAME:LINE` of another.
        by: String,
    },
    /// Nothing would get faster.
    NoGain {
        /// Why.
        why: String,
    },
}

impl Refusal {
    /// Short and stable, for counting.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotShell { .. } => "not-shell",
            Self::Elsewhere { .. } => "elsewhere",
            Self::User { .. } => "user",
            Self::Manager { obstacle: Obstacle::UnknownFolder { .. }, .. } => "unknown-folder",
            Self::Manager { obstacle: Obstacle::SwitchedOff { .. }, .. } => "switched-off",
            Self::Manager { obstacle: Obstacle::KeepsNothing { .. }, .. } => "keeps-nothing",
            Self::Manager { obstacle: Obstacle::Unsafe { .. }, .. } => "manager",
            Self::EarlierContent { .. } => "earlier-content",
            Self::LaterReader { .. } => "later-reader",
            Self::Offline { .. } => "offline",
            Self::Cleanup { .. } => "cleanup",
            Self::Together { .. } => "together",
            Self::NotEditable { .. } => "not-editable",
            Self::AuthorsMount { .. } => "authors-mount",
            Self::Context { .. } => "context",
            Self::InTheWay { .. } => "in-the-way",
            Self::Entangled { entangled: Entangled::NeedsSource { .. }, .. } => "needs-source",
            Self::Entangled { entangled: Entangled::NotSeen { .. } | Entangled::Missing { .. }, .. } => "not-seen",
            Self::Entangled { entangled: Entangled::Overlaid { .. }, .. } => "overlaid",
            Self::Entangled { entangled: Entangled::NothingToGain { .. } | Entangled::NoDependencies { .. }, .. } => "no-gain",
            Self::IgnoredButCopied { .. } => "ignored-but-copied",
            Self::NoGain { .. } => "no-gain",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotShell { why }
            | Self::Elsewhere { why }
            | Self::User { why }
            | Self::NotEditable { why }
            | Self::AuthorsMount { why }
            | Self::Context { why }
            | Self::NoGain { why } => f.write_str(why),
            Self::InTheWay { line, step, why } => write!(f, "it can't go above line {line} (`{step}`): {}", readable(why)),
            Self::Entangled { id, entangled } => {
                let why = readable(&entangled.to_string());
                // `npm: npm ci needs …`
                if why.starts_with(&format!("{id} ")) { f.write_str(&why) } else { write!(f, "{id}: {why}") }
            }
            Self::IgnoredButCopied { patterns, by } => {
                write!(f, "the ignore file would have to name {patterns}, which {by} copies")
            }
            Self::Manager { id, obstacle } => write!(f, "{id}: {obstacle}"),
            Self::EarlierContent { target, line, what } => {
                write!(f, "{what} on line {line} may put files under {target}, which a mount would hide")
            }
            Self::LaterReader { target, line, what } => {
                write!(f, "{what} on line {line} reads {target}, which would be empty once it is a cache mount")
            }
            Self::Offline { line, what } => write!(
                f,
                "`{what}` on line {line} works offline from what this step fetched; BuildKit may prune a cache mount while it keeps the layer, and that step would fail"
            ),
            Self::Cleanup { line, why } => write!(f, "line {line}: {why}"),
            Self::Together { line, why } => {
                write!(f, "the steps of this stage go together, and line {line} can't be done: {why}")
            }
        }
    }
}

/// The name that stands for a work folder which is not known, as people would say it.
fn readable(why: &str) -> String {
    why.replace(IMAGES_WORKDIR, IMAGES_WORKDIR.trim_matches(['/', '(', ')']))
}
