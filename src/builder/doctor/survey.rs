//! The questions.
//!
//! Owns: what is asked of an engine, in which order, and what is built for proof. Never does: judge an answer.

use super::{Answered, Builder, Facts, Proof, Registry, cache_use, repository, settings};
use crate::builder::program::{Answer, Call};
use crate::builder::staging::{Folder, unique};
use crate::builder::{self, BuildError, Features, Kind, QUESTION, Version, Watch};
use std::path::Path;
use std::time::Duration;

/// A registry that takes longer is as good as none.
const REGISTRY: Duration = Duration::from_secs(45);

/// A file that BuildKit builds at once and the classic builder refuses: it can't even read the second line. Nothing runs.
const PROOF: &str = "FROM scratch AS asked\nRUN --mount=type=cache,target=/c [\"/x\"]\nFROM scratch AS built\nCOPY a /a\n";

const FRONTEND: &str = "# syntax=docker/dockerfile:1\nFROM scratch\nCOPY a /a\n";

/// Asks everything. `folder`: whose build files are read. `quick`: build nothing for proof.
pub fn survey(program: &str, folder: &Path, quick: bool, watch: &Watch) -> Facts {
    let (mentions, keeps_layers) = repository::read(folder);
    let mut facts = Facts {
        program: program.to_owned(),
        engine: answered(program, watch),
        builds: Proof::NotTried,
        features: None,
        builder: None,
        compose: None,
        data_folder: None,
        runs_on: None,
        host: settings::variable("DOCKER_HOST"),
        environment: settings::environment(),
        daemon_files: settings::daemon_files(),
        runner: settings::runner(),
        registry: Registry::NotTried,
        caches: None,
        mentions,
        keeps_layers,
    };
    let (is_docker, is_old) = match &facts.engine {
        Answered::Yes(identity) => (identity.kind == Kind::Docker, false),
        Answered::Old { .. } => (true, true),
        _ => return facts,
    };
    // Of an old one nothing is left to be proven.
    let quick = quick || is_old;
    if is_docker {
        ask_docker(&mut facts, quick, watch);
    }
    if !quick && facts.builds != Proof::Classic {
        // By its version, where it can't be asked.
        facts.features = features(program, watch).or(match &facts.engine {
            Answered::Yes(identity) => Some(identity.features),
            _ => None,
        });
    }
    facts
}

fn ask_docker(facts: &mut Facts, quick: bool, watch: &Watch) {
    let program = facts.program.clone();
    let ask = |arguments: &[&str]| ask(&program, arguments, watch);
    let word = |arguments: &[&str]| ask(arguments).map(|said| said.trim().to_owned()).filter(|said| !said.is_empty());
    facts.data_folder = word(&["info", "--format", "{{.DockerRootDir}}"]);
    facts.runs_on = word(&["info", "--format", "{{.OperatingSystem}}"]);
    let compose = |program: &str, arguments: &[&str]| Version::find(&self::ask(program, arguments, watch)?);
    let plugin = compose(&program, &["compose", "version", "--short"]).map(|version| (version, false));
    facts.compose =
        plugin.or_else(|| compose("docker-compose", &["version", "--short"]).map(|version| (version, version.major < 2)));
    facts.builder = ask(&["buildx", "inspect"]).map(|said| builder_of(&said));
    facts.caches = ask(&["buildx", "du", "--verbose"]).map(|said| cache_use::read(&said));
    if quick {
        return;
    }
    facts.builds = proof(&program, watch);
    if facts.builds == Proof::BuildKit {
        facts.registry = match built(&program, FRONTEND, &watch.at_most(REGISTRY)) {
            Ok(answer) if answer.success => Registry::Reached,
            Ok(answer) => Registry::NotReached { words: last_words(&answer.words()) },
            Err(error) => Registry::NotReached { words: error.to_string() },
        };
    }
}

/// Standard output of a question that was answered.
fn ask(program: &str, arguments: &[&str], watch: &Watch) -> Option<String> {
    let call = Call::new(program).environment("NO_COLOR", "1").arguments(arguments.iter().copied());
    let answer = call.answer(&watch.at_most(QUESTION)).ok()?;
    answer.success.then_some(answer.stdout)
}

fn answered(program: &str, watch: &Watch) -> Answered {
    match builder::open(program, watch) {
        Ok(engine) => Answered::Yes(engine.identity().clone()),
        Err(BuildError::NotFound { .. }) => Answered::NoProgram,
        Err(BuildError::NotRunning { words }) => Answered::NotRunning { words },
        Err(BuildError::NotAllowed { words }) => Answered::NotAllowed { words },
        Err(error @ (BuildError::TooOld { .. } | BuildError::NoBuildx { .. })) => {
            let said = ask(program, &["--version"], watch).filter(|said| said.to_lowercase().starts_with("docker"));
            let server = || Version::find(&ask(program, &["version", "--format", "{{.Server.Version}}"], watch)?);
            match said.as_deref().and_then(Version::find) {
                Some(client) => Answered::Old { client, server: server() },
                None => Answered::No { words: error.to_string() },
            }
        }
        Err(error) => Answered::No { words: error.to_string() },
    }
}

/// Builds the file with plain `docker build`, as the user's environment has it.
fn proof(program: &str, watch: &Watch) -> Proof {
    let words = match built(program, PROOF, &watch.at_most(QUESTION)) {
        Ok(answer) if answer.success => return Proof::BuildKit,
        Ok(answer) => answer.words(),
        Err(error) => error.to_string(),
    };
    // The classic builder in its own words, since 18.09 and before.
    let is_classic = ["requires BuildKit", "Unknown flag: mount", "unknown flag: mount"].iter().any(|text| words.contains(text));
    if is_classic { Proof::Classic } else { Proof::Failed { words: last_words(&words) } }
}

/// Builds a file with plain `docker build`, and takes the image away again.
fn built(program: &str, dockerfile: &str, watch: &Watch) -> Result<Answer, BuildError> {
    let folder = Folder::new()?;
    folder.write("Dockerfile", dockerfile)?;
    // No other image is the same, so that none of the user's is taken away with it.
    folder.write("a", &unique("doctor"))?;
    let call = Call::new(program).environment("NO_COLOR", "1");
    let arguments = [std::ffi::OsString::from("build"), "--quiet".into(), folder.path().into()];
    let answer = call.arguments(arguments).answer(watch)?;
    if let Some(image) = answer.stdout.lines().map(str::trim).find(|line| line.starts_with("sha256:")) {
        // One that stays behind is a file of a few bytes without a name.
        drop(Call::new(program).arguments(["image", "rm", image]).answer(&watch.for_cleanup()));
    }
    Ok(answer)
}

fn features(program: &str, watch: &Watch) -> Option<Features> {
    let engine = builder::open(program, watch).ok()?;
    builder::asked(engine.as_ref(), &watch.at_most(QUESTION)).ok()
}

/// What `docker buildx inspect` prints.
fn builder_of(said: &str) -> Builder {
    let value = |key: &str| said.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned())).unwrap_or_default();
    let has_rules = said.contains("GC Policy rule");
    Builder { name: value("Name:"), driver: value("Driver:"), status: value("Status:"), has_rules }
}

/// The last line that says something: the first ones tell what was done before.
fn last_words(words: &str) -> String {
    words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::builder_of;

    #[test]
    fn the_builder_that_is_used_is_read() {
        let said = "Name:          default\nDriver:        docker\nLast Activity: x\n\nNodes:\nName:             other\nStatus:           running\n";
        let builder = builder_of(said);
        assert_eq!((builder.name.as_str(), builder.driver.as_str(), builder.status.as_str()), ("default", "docker", "running"));
        assert!(!builder.has_rules && builder_of("GC Policy rule#0:\n").has_rules);
    }
}
