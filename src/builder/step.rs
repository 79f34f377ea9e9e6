//! A step of a build, as an engine told of it.
//!
//! Owns: reading an engine's name for a step (`[stage 2/5] RUN …`). Never does: know which engine it was.

use std::time::Duration;

/// Lines kept of what a step printed: the last ones tell why it failed.
const MOST_LINES: usize = 200;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was in the cache.
    Cached,
    /// It ran.
    Run,
    /// It failed.
    Failed,
    /// It was not begun, or broken off because another failed.
    Unfinished,
}

impl State {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Run => "run",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
        }
    }
}

/// A step of the Dockerfile.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The engine's name for it: `[build 2/5] RUN make`.
    pub name: String,
    /// The stage, where the engine names it: a name, or `stage-1`.
    pub stage: Option<String>,
    /// Which one of its stage it is, counted from 1.
    pub number: usize,
    /// The instruction as the engine shows it: on one line, variables as it saw them.
    pub instruction: String,
    /// What became of it.
    pub state: State,
    /// From its beginning to its end; zero where it didn't run.
    pub time: Duration,
    /// The last lines that it printed.
    pub log: Vec<String>,
}

impl Step {
    /// A step by the engine's name; `None` for what belongs to no instruction (`[internal] load build context`).
    pub(super) fn named(name: &str) -> Option<Self> {
        let (place, instruction) = name.strip_prefix('[')?.split_once("] ")?;
        let mut words = place.split_whitespace().rev();
        let (number_text, count) = words.next()?.split_once('/')?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<usize>().ok())?;
        let (number, _) = number(number_text).zip(number(count))?;
        Some(Self {
            name: name.to_owned(),
            // Before the stage's name the platform may stand, which has a slash.
            stage: words.next().filter(|word| !word.contains('/')).map(str::to_owned),
            number,
            instruction: instruction.trim().to_owned(),
            state: State::Unfinished,
            time: Duration::ZERO,
            log: Vec::new(),
        })
    }

    /// Keeps a line that it printed.
    pub(super) fn printed(&mut self, line: &str) {
        if self.log.len() == MOST_LINES {
            self.log.remove(0);
        }
        self.log.push(line.trim_end().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::Step;

    #[test]
    fn names_are_read_with_stage_and_platform_or_without() {
        let read = |name: &str| Step::named(name).map(|step| (step.stage, step.instruction));
        assert_eq!(read("[2/2] RUN a"), Some((None, "RUN a".to_owned())));
        assert_eq!(read("[base 1/2] FROM x"), Some((Some("base".to_owned()), "FROM x".to_owned())));
        assert_eq!(read("[linux/amd64 stage-1 2/9] RUN [ -f x ] && y"), {
            Some((Some("stage-1".to_owned()), "RUN [ -f x ] && y".to_owned()))
        });
        assert_eq!(read("[linux/arm64 2/9] COPY a b"), Some((None, "COPY a b".to_owned())));
        assert_eq!(read("[internal] load build context"), None);
        assert_eq!(read("exporting to image"), None);
    }
}
