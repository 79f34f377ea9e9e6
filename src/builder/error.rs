//! What can go wrong with an engine, in words.
//!
//! Owns: telling apart, by what an engine wrote, what a person would do about it. Never does: retry.

use super::{Step, Version};
use std::fmt;
use std::time::Duration;

/// Why there is no image.
#[derive(Debug)]
pub enum BuildError {
    /// There is no such program.
    NotFound {
        /// As it was called.
        program: String,
    },
    /// The program is none of the engines.
    NoEngine {
        /// As it was called.
        program: String,
        /// What it said of itself.
        said: String,
    },
    /// It can't build with BuildKit's features.
    TooOld {
        /// As it was called.
        program: String,
        /// What was found.
        found: Version,
        /// The first that would do.
        needed: Version,
    },
    /// Docker from 23.0 on builds by buildx, which is not there.
    NoBuildx {
        /// What docker wrote.
        words: String,
    },
    /// The daemon can't be reached.
    NotRunning {
        /// What the engine wrote.
        words: String,
    },
    /// The daemon is there, and may not be used.
    NotAllowed {
        /// What the engine wrote.
        words: String,
    },
    /// No space is left.
    DiskFull {
        /// What the engine wrote.
        words: String,
    },
    /// A `# syntax=` line or a base image could not be fetched.
    NoRegistry {
        /// What the engine wrote.
        words: String,
    },
    /// The build itself fails: a step, or the file.
    Failed(Box<Failure>),
    /// Another command of the engine failed.
    Command {
        /// The command.
        command: String,
        /// What it wrote.
        words: String,
    },
    /// It took longer than it may.
    TimedOut {
        /// What it may take.
        limit: Duration,
        /// What was being done.
        doing: String,
    },
    /// Ctrl-C, or a signal to end.
    Interrupted,
    /// A file, a pipe or a process of ours failed.
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// A build that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The step, if one was reached.
    pub step: Option<Step>,
    /// What the engine wrote of it.
    pub words: String,
}

impl BuildError {
    /// Whether every further build would fail too.
    pub fn is_the_engines(&self) -> bool {
        !matches!(self, Self::Failed(_) | Self::NoRegistry { .. } | Self::TimedOut { .. })
    }

    /// What a failed command's words mean, if they are about the engine and not about what it was given. Each text is one that
    /// docker, containerd or the kernel writes.
    pub(super) fn of_engine(words: &str) -> Option<Self> {
        let low = words.to_lowercase();
        let says = |texts: &[&str]| texts.iter().any(|text| low.contains(text));
        let owned = words.trim().to_owned();
        if says(&["permission denied while trying to connect", "dial unix", "podman.sock: connect: permission"])
            && low.contains("permission denied")
        {
            return Some(Self::NotAllowed { words: owned });
        }
        if says(&["no space left on device", "disk quota exceeded"]) {
            return Some(Self::DiskFull { words: owned });
        }
        if says(&[
            "cannot connect to the docker daemon",
            "is the docker daemon running",
            "connection refused",
            "error during connect",
        ]) && says(&["daemon", "docker.sock", "unix://", "tcp://", "npipe"])
        {
            return Some(Self::NotRunning { words: owned });
        }
        if says(&["buildx component is missing", "'buildx' is not a docker command", "unknown command: docker buildx"]) {
            return Some(Self::NoBuildx { words: owned });
        }
        None
    }

    /// What a failed build's words mean.
    pub(super) fn of_build(step: Option<Step>, words: &str) -> Self {
        let in_step = step.as_ref().map(|step| step.log.join("\n")).unwrap_or_default();
        let full = |text: &str| text.to_lowercase().contains("no space left on device");
        if full(words) || full(&in_step) {
            let words = if full(words) { words.trim().to_owned() } else { in_step };
            return Self::DiskFull { words };
        }
        if step.is_none() {
            if let Some(error) = Self::of_engine(words) {
                return error;
            }
            let low = words.to_lowercase();
            if ["failed to resolve source metadata", "failed to do request", "dial tcp", "initializing source docker://"]
                .iter()
                .any(|text| low.contains(text))
            {
                return Self::NoRegistry { words: words.trim().to_owned() };
            }
        }
        Self::Failed(Box::new(Failure { step, words: words.trim().to_owned() }))
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { program } => {
                write!(f, "{program}: there is no such program; install docker, podman or buildah, or name one with --engine")
            }
            Self::NoEngine { program, said } => {
                write!(f, "{program}: that is neither docker nor podman nor buildah; asked for its version it said: {said}")
            }
            Self::TooOld { program, found, needed } => write!(
                f,
                "{program} {found} is too old: its builder knows no cache mounts; upgrade to {needed} or newer (docker 23.0 and newer build by BuildKit without being told)"
            ),
            Self::NoBuildx { words } => {
                write!(
                    f,
                    "docker has no buildx, by which it builds; install the package docker-buildx-plugin (Debian: docker-buildx)\n{words}"
                )
            }
            Self::NotRunning { words } => write!(
                f,
                "the engine can't be reached; start it (Linux: systemctl start docker; macOS and Windows: Docker Desktop), or point DOCKER_HOST at it\n{words}"
            ),
            Self::NotAllowed { words } => write!(
                f,
                "the engine may not be used by this user; run as one of its group (usermod -aG docker USER, then log in again) or as root\n{words}"
            ),
            Self::DiskFull { words } => write!(
                f,
                "no space is left where the engine keeps its data; `docker system df` shows what fills it, and `docker builder prune` frees build cache that is not in use\n{words}"
            ),
            Self::NoRegistry { words } => write!(
                f,
                "an image can't be fetched; where no registry can be reached, --frontend builtin does without the `# syntax=` image\n{words}"
            ),
            Self::Failed(failure) => failure.fmt(f),
            Self::Command { command, words } => write!(f, "`{command}` failed\n{words}"),
            Self::TimedOut { limit, doing } => {
                write!(f, "{doing}: not done within {} s, and broken off; --timeout SECONDS allows more", limit.as_secs())
            }
            Self::Interrupted => write!(f, "broken off; what was made has been taken away"),
            Self::Io { doing, source } => write!(f, "{doing}: {source}"),
        }
    }
}

impl std::error::Error for BuildError {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => {
                writeln!(f, "the build fails at {}", step.name)?;
                step.log.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
            }
            None => writeln!(f, "the build fails before its first step")?,
        }
        write!(f, "{}", self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::BuildError;

    #[test]
    fn what_engines_write_is_told_apart() {
        let of = |words: &str| format!("{:?}", BuildError::of_engine(words));
        let unix = "unix:///var/run/docker.sock";
        assert!(
            of(&format!("Cannot connect to the Docker daemon at {unix}. Is the docker daemon running?")).contains("NotRunning")
        );
        let denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: \
                      Get \"http://x/v1.45/version\": dial unix /var/run/docker.sock: connect: permission denied";
        assert!(of(denied).contains("NotAllowed"));
        assert!(of("write /data/x: no space left on device").contains("DiskFull"));
        assert!(of("ERROR: BuildKit is enabled but the buildx component is missing or broken.").contains("NoBuildx"));
        assert_eq!(of("cat: x: Permission denied"), "None");
    }
}
