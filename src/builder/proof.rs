//! The proof that a rewritten file gives the same image.
//!
//! Owns: which builds it takes, and what is held against what. Every build is from scratch and with cache mounts of its own, so
//! that neither a stale layer nor a stale cache can hide a difference. Never does: print, or rewrite anything.

use super::compare::{Comparison, Noise, compare};
use super::image::{Image, Images};
use super::{BuildError, BuildRequest, Built, Session};
use std::fmt;

/// Which of the builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The original.
    Before,
    /// The original once more, for what differs by itself.
    BeforeAgain,
    /// The rewritten file.
    After,
    /// The original with one transform alone.
    AfterOne(String),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before => f.write_str("before"),
            Self::BeforeAgain => f.write_str("before, again"),
            Self::After => f.write_str("after"),
            Self::AfterOne(transform) => write!(f, "after {transform} alone"),
        }
    }
}

/// Why there is no proof either way.
#[derive(Debug)]
pub struct NoProof {
    /// The build that could not be made.
    pub which: Which,
    /// Why not.
    pub error: BuildError,
}

impl fmt::Display for NoProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.which, self.error)
    }
}

impl std::error::Error for NoProof {}

/// A build that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Which one.
    pub which: Which,
    /// Its steps and its time.
    pub built: Built,
    /// The name of its cache mounts: a build by this name, with the layer cache, goes on where this one ended.
    pub caches: String,
}

/// Holds rewritten files against one original.
pub struct Prover<'s> {
    session: &'s Session<'s>,
    images: &'s mut Images,
    original: BuildRequest<'s>,
    before: Option<Image>,
    noise: Option<Noise>,
    /// Every build that was made, in order.
    pub builds: Vec<Made>,
    /// Leave the images on the engine.
    pub keep: bool,
    /// Called before each build.
    pub tell: &'s dyn Fn(&Which),
}

impl<'s> Prover<'s> {
    /// `original`: how it is built; its cache settings and its tag are not looked at.
    pub fn new(session: &'s Session<'s>, images: &'s mut Images, original: BuildRequest<'s>, tell: &'s dyn Fn(&Which)) -> Self {
        Self { session, images, original, before: None, noise: None, builds: Vec::new(), keep: false, tell }
    }

    /// Builds the original, the rewritten file, and where these differ the original once more: what differs then too is noise.
    ///
    /// # Errors
    /// When a build can't be made or an image can't be read.
    pub fn compare(&mut self, which: Which, after: &BuildRequest<'_>) -> Result<Comparison, NoProof> {
        let before = match self.before.take() {
            Some(before) => before,
            None => self.image(Which::Before, &self.original.clone())?,
        };
        let after = self.image(which, after);
        let after = match after {
            Ok(after) => after,
            Err(error) => {
                self.before = Some(before);
                return Err(error);
            }
        };
        let mut comparison = compare(&before, &after, self.noise.as_ref().unwrap_or(&Noise::default()));
        if !comparison.equal() && self.noise.is_none() {
            let again = self.image(Which::BeforeAgain, &self.original.clone())?;
            let noise = Noise::between(&before, &again);
            comparison = compare(&before, &after, &noise);
            self.noise = Some(noise);
        }
        self.before = Some(before);
        Ok(comparison)
    }

    fn image(&mut self, which: Which, request: &BuildRequest<'_>) -> Result<Image, NoProof> {
        (self.tell)(&which);
        let caches = self.session.own_caches();
        let cold = BuildRequest { no_cache: true, caches: Some(&caches), ..*request };
        let image = self.session.build(&cold).and_then(|(name, built)| {
            let image = self.read(&name)?;
            if !self.keep {
                self.session.remove(&name);
            }
            Ok((image, built))
        });
        match image {
            Ok((image, built)) => {
                self.builds.push(Made { which, built, caches });
                Ok(image)
            }
            Err(error) => Err(NoProof { which, error }),
        }
    }

    fn read(&mut self, name: &str) -> Result<Image, BuildError> {
        let mut image = None;
        self.session.engine().export(name, self.session.watch(), &mut |from| {
            image = Some(self.images.read(from)?);
            Ok(())
        })?;
        image.ok_or_else(|| BuildError::Io {
            doing: "the image can't be read".to_owned(),
            source: std::io::ErrorKind::UnexpectedEof.into(),
        })
    }
}
