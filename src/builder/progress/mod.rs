//! What engines print while they build, read as steps.
//!
//! Owns: the three forms that there are. Never does: run anything; lines go in, steps come out.

mod numbered;
mod plain;
mod rawjson;

use super::Step;
use std::collections::HashMap;
use std::time::Duration;

/// Words kept that belong to no step: the last ones tell why a build failed.
const MOST_WORDS: usize = 100;

/// Which form an engine prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `--progress=rawjson` of buildx 0.13 and newer.
    RawJson,
    /// `--progress=plain` of BuildKit's clients.
    Plain,
    /// `STEP 1/3: …` of buildah and podman.
    Numbered,
}

/// What was understood of a whole build.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// A stage's steps side by side and in their order; the stages in the order in which they were told of.
    pub(super) steps: Vec<Step>,
    /// What was printed of no step.
    pub(super) words: String,
}

/// Takes lines as they come.
pub(super) enum Reader {
    RawJson(rawjson::RawJson),
    Plain(plain::Plain),
    Numbered(numbered::Numbered),
}

impl Reader {
    pub(super) fn new(form: Form) -> Self {
        match form {
            Form::RawJson => Self::RawJson(rawjson::RawJson::default()),
            Form::Plain => Self::Plain(plain::Plain::default()),
            Form::Numbered => Self::Numbered(numbered::Numbered::default()),
        }
    }

    /// A line, and when it came after the beginning of the build.
    pub(super) fn line(&mut self, line: &str, at: Duration) {
        match self {
            Self::RawJson(reader) => reader.line(line),
            Self::Plain(reader) => reader.line(line),
            Self::Numbered(reader) => reader.line(line, at),
        }
    }

    /// All of it. `failed`: the program ended with an error, which some engines don't say of a step.
    pub(super) fn finish(self, at: Duration, failed: bool) -> Progress {
        let mut progress = match self {
            Self::RawJson(reader) => reader.finish(),
            Self::Plain(reader) => reader.finish(),
            Self::Numbered(reader) => reader.finish(at, failed),
        };
        in_order(&mut progress.steps);
        progress
    }
}

/// Brings steps into the order of their file: BuildKit tells of what is ready first.
fn in_order(steps: &mut [Step]) {
    let mut stages: HashMap<Option<String>, usize> = HashMap::new();
    for step in steps.iter() {
        let next = stages.len();
        stages.entry(step.stage.clone()).or_insert(next);
    }
    steps.sort_by_key(|step| (stages.get(&step.stage).copied(), step.number));
}

/// The steps of a build of which somebody kept what the engine printed: `--progress=rawjson`, `--progress=plain`, or podman's and
/// buildah's own lines. Empty where it is none of these. Numbered lines carry no times, so that those of podman and buildah are zero.
pub fn steps_of_log(text: &str) -> Vec<Step> {
    let begins = |mark: &str| text.lines().any(|line| line.starts_with(mark));
    let form = match () {
        () if begins("{") => Form::RawJson,
        () if begins("#1 ") => Form::Plain,
        () => Form::Numbered,
    };
    let mut reader = Reader::new(form);
    text.lines().for_each(|line| reader.line(line, Duration::ZERO));
    reader.finish(Duration::ZERO, false).steps
}

/// Lines of no step.
#[derive(Debug, Default)]
struct Words(std::collections::VecDeque<String>);

impl Words {
    fn add(&mut self, line: &str) {
        if self.0.len() == MOST_WORDS {
            self.0.pop_front();
        }
        self.0.push_back(line.trim_end().to_owned());
    }

    fn text(self) -> String {
        Vec::from(self.0).join("\n").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::steps_of_log;

    #[test]
    fn steps_stand_in_the_order_of_their_file_whatever_was_ready_first() {
        let log = "#1 [internal] load\n#9 [build 4/4] RUN cargo build\n#3 [stage-1 2/2] COPY --from=build a b\n\
                   #4 [build 10/10] RUN z\n#5 [build 2/4] RUN fetch\n#6 [stage-1 1/2] FROM x\n";
        let steps: Vec<String> = steps_of_log(log).into_iter().map(|step| step.instruction).collect();
        assert_eq!(steps, ["RUN fetch", "RUN cargo build", "RUN z", "FROM x", "COPY --from=build a b"]);
    }
}
