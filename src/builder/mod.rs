//! Real build engines, as the programs that they are: docker (buildx or its own BuildKit client), podman and buildah.
//!
//! Owns: the [`Engine`] trait, the running of its programs with time limits and ctrl-C, their progress as [`Step`]s, and a
//! [`Session`] that takes away what it made. The command line of an engine is the interface; no daemon's protocol is spoken.
//! Never does: print, decide what is built, or touch an image or a cache that it did not make.

mod asking;
mod buildah;
pub mod compare;
mod docker;
pub mod doctor;
mod error;
mod features;
pub mod image;
mod program;
mod progress;
pub mod proof;
mod session;
mod staging;
mod step;
mod version;

pub use asking::asked;
pub use error::BuildError;
pub use features::{Feature, Features};
pub use program::{Answer, Watch};
pub use progress::steps_of_log;
pub use session::Session;
pub use step::{State, Step};
pub use version::Version;

use crate::syntax::{self, DirectiveName, ItemKind};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Which program an engine is, whatever its file is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `docker`, by `docker buildx build`, or `DOCKER_BUILDKIT=1 docker build` where buildx is not there.
    Docker,
    /// `podman build`.
    Podman,
    /// `buildah build`.
    Buildah,
}

/// An engine as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Which one it is.
    pub kind: Kind,
    /// The program as it is called: a name that PATH knows, or a path.
    pub program: String,
    /// The program's own version.
    pub client: Version,
    /// Docker: the daemon's version. Podman: that of the buildah in it. Buildah: its own.
    pub server: Version,
    /// The version of docker's buildx, where it is there.
    pub buildx: Option<Version>,
    /// What a Dockerfile without a `# syntax=` line may use, by the versions.
    pub features: Features,
}

/// What is to be built.
#[derive(Clone, Copy, Debug)]
pub struct BuildRequest<'a> {
    /// The build context.
    pub context: &'a Path,
    /// The Dockerfile's text. No file of the context is read for it.
    pub dockerfile: &'a str,
    /// The text of the ignore file to go by in the place of the context's; `None`: the context's `.dockerignore`.
    pub ignore: Option<&'a str>,
    /// The stage to build (`--target`); `None`: the last one.
    pub target: Option<&'a str>,
    /// `NAME=VALUE`, or `NAME` for one of the environment's (`--build-arg`).
    pub build_args: &'a [String],
    /// `linux/arm64` and the like (`--platform`).
    pub platform: Option<&'a str>,
    /// The network of RUN steps (`--network`).
    pub network: Option<&'a str>,
    /// Arguments for the engine's build command, handed over as they are.
    pub extra: &'a [String],
    /// Run every step, whatever is in the layer cache.
    pub no_cache: bool,
    /// Cache mounts of its own, by this name, in the place of the user's. Builds with one name share them. Letters, digits and
    /// hyphens. On the docker engine tried, `--no-cache` empties the user's mounts: never build so without a name.
    pub caches: Option<&'a str>,
    /// The image's name; `None`: build and keep no image.
    pub tag: Option<&'a str>,
}

impl<'a> BuildRequest<'a> {
    /// A Dockerfile in its context, nothing else said.
    pub fn new(context: &'a Path, dockerfile: &'a str) -> Self {
        Self {
            context,
            dockerfile,
            ignore: None,
            target: None,
            build_args: &[],
            platform: None,
            network: None,
            extra: &[],
            no_cache: false,
            caches: None,
            tag: None,
        }
    }
}

/// A build that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// The steps of the Dockerfile in the order in which the engine told of them; what it does besides (loading the context,
    /// writing the image) left out.
    pub steps: Vec<Step>,
    /// Of the whole build, by the clock on the wall.
    pub time: Duration,
}

/// Something that builds images.
pub trait Engine: Sync {
    /// Which one it is.
    fn identity(&self) -> &Identity;

    /// Builds, and shows each step's progress to nobody.
    ///
    /// # Errors
    /// [`BuildError::Failed`] when a step fails, with the step and what the engine wrote; the others when the engine can't be
    /// used, the time is up or the user broke it off. Nothing is left running.
    fn build(&self, request: &BuildRequest<'_>, watch: &Watch) -> Result<Built, BuildError>;

    /// Hands an image to `read` as a docker archive (`docker save`), as it comes from the engine: nothing is written to disk.
    ///
    /// # Errors
    /// When the engine fails, or `read` does.
    fn export(
        &self,
        image: &str,
        watch: &Watch,
        read: &mut dyn FnMut(&mut dyn Read) -> std::io::Result<()>,
    ) -> Result<(), BuildError>;

    /// The size of an image in bytes; `None` where the engine doesn't tell.
    ///
    /// # Errors
    /// When the engine fails.
    fn image_size(&self, image: &str, watch: &Watch) -> Result<Option<u64>, BuildError>;

    /// Takes an image's name away, and the image with it if it has no other.
    ///
    /// # Errors
    /// When the engine fails.
    fn remove(&self, image: &str, watch: &Watch) -> Result<(), BuildError>;

    /// Takes away the cache mounts that builds with this name in [`BuildRequest::caches`] filled, and no others.
    ///
    /// # Errors
    /// When the engine fails.
    fn forget_caches(&self, name: &str, watch: &Watch) -> Result<(), BuildError>;

    /// Runs the engine's program with other arguments, for questions that this trait doesn't ask.
    ///
    /// # Errors
    /// When it can't be run, or in time. An exit code that is not 0 is no error.
    fn ask(&self, arguments: &[&str], watch: &Watch) -> Result<Answer, BuildError>;
}

/// Finds an engine: `docker`, `podman`, `buildah`, or the path of a program that is one of these or calls one.
///
/// # Errors
/// When there is no such program, it is none of the three, it is too old to build with BuildKit's features, or (docker) its
/// daemon can't be reached or may not be used.
pub fn open(program: &str, watch: &Watch) -> Result<Box<dyn Engine>, BuildError> {
    let answer = program::Call::new(program).arguments(["--version"]).answer(&watch.at_most(QUESTION))?;
    let said = answer.stdout.trim();
    let (name, version) = (said.split_whitespace().next().unwrap_or_default(), Version::find(said));
    match (name.to_lowercase().as_str(), version) {
        ("docker", Some(client)) => Ok(Box::new(docker::Docker::open(program, client, watch)?)),
        ("podman", Some(client)) => Ok(Box::new(buildah::Buildah::open_podman(program, client, watch)?)),
        ("buildah", Some(client)) => Ok(Box::new(buildah::Buildah::open(program, client)?)),
        _ => Err(BuildError::NoEngine { program: program.to_owned(), said: answer.words() }),
    }
}

/// How long a question may take that builds nothing.
const QUESTION: Duration = Duration::from_secs(60);

/// The text without its `# syntax=` line, for where no registry can be reached: the frontend in the engine reads it then.
pub fn without_syntax_line(text: &str) -> String {
    let file = syntax::parse(text);
    let is_syntax = |kind: &ItemKind| matches!(kind, ItemKind::Directive { name: DirectiveName::Syntax, .. });
    file.items.iter().filter(|item| !is_syntax(&item.kind)).map(|item| file.slice(item.span.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::without_syntax_line;

    #[test]
    fn only_the_syntax_line_goes() {
        let text = "\u{feff}# syntax=docker/dockerfile:1\r\n# escape=`\r\nFROM a\r\n# syntax=x\r\n";
        assert_eq!(without_syntax_line(text), "\u{feff}# escape=`\r\nFROM a\r\n# syntax=x\r\n");
        assert_eq!(without_syntax_line("FROM a"), "FROM a");
    }
}
