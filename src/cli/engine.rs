//! The arguments that say which engine builds, and how: the same words in every subcommand that builds.
//!
//! Owns: these arguments, and turning them into requests.

use crate::builder::{self, BuildError, BuildRequest, Engine, Watch};
use clap::{Args, ValueEnum};
use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

/// Who reads a file with a `# syntax=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Frontend {
    /// The image that the line names, fetched from its registry.
    Named,
    /// The engine's own: the line is dropped for the build. For where no registry can be reached.
    Builtin,
}

/// What is handed to the engine.
#[derive(Args, Clone, Debug)]
pub(super) struct EngineArguments {
    /// The engine: docker, podman, buildah, or the path of one. Without it: the first of these that is there.
    #[arg(long, value_name = "PROGRAM")]
    engine: Option<String>,
    /// Build this stage instead of the last.
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// A build argument, as `docker build` takes it (several: the option again).
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// Build for this platform.
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// The network of RUN steps, as `docker build` takes it: `host`, `none`.
    #[arg(long, value_name = "MODE")]
    network: Option<String>,
    /// Who reads a file with a `# syntax=` line: the image that it names, or the engine itself (`builtin`: the line is dropped for
    /// the build, for where no registry can be reached).
    #[arg(long, value_enum, default_value_t = Frontend::Named, value_name = "WHICH")]
    frontend: Frontend,
    /// Break off a build, or another command of the engine, that takes longer.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// One more argument for the engine's build command, as it is (`--engine-arg=--secret=id=key,src=key`; several: the option
    /// again).
    #[arg(long = "engine-arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    extra: Vec<String>,
}

/// The engines in the order in which they are looked for.
const ENGINES: &[&str] = &["docker", "podman", "buildah"];

impl EngineArguments {
    /// Listens to ctrl-C from here on.
    pub(super) fn watch(&self) -> Result<Watch, BuildError> {
        Watch::listening(Some(Duration::from_secs(self.timeout)))
    }

    /// The engine that was named, or the first that is there.
    pub(super) fn open(&self, watch: &Watch) -> Result<Box<dyn Engine>, BuildError> {
        if let Some(program) = &self.engine {
            return builder::open(program, watch);
        }
        let mut missing = None;
        for program in ENGINES {
            match builder::open(program, watch) {
                Err(error @ BuildError::NotFound { .. }) => missing = missing.or(Some(error)),
                found => return found,
            }
        }
        Err(missing.unwrap_or(BuildError::NotFound { program: "docker".to_owned() }))
    }

    /// The text that the engine gets.
    pub(super) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.frontend {
            Frontend::Named => Cow::Borrowed(text),
            Frontend::Builtin => Cow::Owned(builder::without_syntax_line(text)),
        }
    }

    /// A build of a text in its context, by an ignore file where one is named.
    pub(super) fn request<'a>(&'a self, context: &'a Path, text: &'a str, ignore: Option<&'a str>) -> BuildRequest<'a> {
        BuildRequest {
            ignore,
            target: self.target.as_deref(),
            build_args: &self.build_args,
            platform: self.platform.as_deref(),
            network: self.network.as_deref(),
            extra: &self.extra,
            ..BuildRequest::new(context, text)
        }
    }
}
