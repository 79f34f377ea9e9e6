//! What an engine says itself when it is asked what it knows.
//!
//! Owns: the smallest Dockerfile for each question. Nothing in them runs and no image is made or fetched: the part that is asked
//! for stands where the frontend reads it and the build doesn't come by. Never does: guess by version.

use super::staging::Folder;
use super::{BuildError, BuildRequest, Engine, Feature, Features, Watch};

/// What the engine's frontend takes, by four builds of nothing.
///
/// # Errors
/// When the engine can't be used. A build that it refuses is an answer.
pub fn asked(engine: &dyn Engine, watch: &Watch) -> Result<Features, BuildError> {
    let context = Folder::new()?;
    context.write("a", "")?;
    let mut features = Features::default();
    for feature in Feature::ALL {
        let request = BuildRequest::new(context.path(), question(feature));
        let answer = match engine.build(&request, watch) {
            Ok(_) => Some(true),
            Err(BuildError::Failed(_)) => Some(false),
            Err(error) => return Err(error),
        };
        features = features.with(feature, answer);
    }
    Ok(features)
}

fn question(feature: Feature) -> &'static str {
    match feature {
        Feature::CacheMounts => {
            "FROM scratch AS asked\nRUN --mount=type=cache,target=/c [\"/x\"]\nFROM scratch AS built\nCOPY a /a\n"
        }
        Feature::Heredocs => "FROM scratch\nCOPY <<END /a\nEND\n",
        Feature::Link => "FROM scratch\nCOPY --link a /a\n",
        Feature::Parents => "FROM scratch\nCOPY --parents a /b/\n",
    }
}
