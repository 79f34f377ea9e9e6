//! Progress of buildah and podman: `[1/2] STEP 2/5: RUN …`, what it prints, `--> Using cache …`, and for several stages their
//! number in front.

use super::{Progress, Words};
use crate::builder::{State, Step};
use std::time::Duration;

/// The reader.
#[derive(Debug, Default)]
pub(in crate::builder) struct Numbered {
    steps: Vec<Step>,
    since: Duration,
    words: Words,
}

impl Numbered {
    pub(super) fn line(&mut self, line: &str, at: Duration) {
        let line = line.trim_end();
        if let Some(step) = begun(line) {
            self.end(at);
            self.since = at;
            self.steps.push(step);
        } else if line.starts_with("--> Using cache ") {
            if let Some(step) = self.steps.last_mut() {
                step.state = State::Cached;
            }
        } else if line.starts_with("Error: ") || line.starts_with("error building") {
            self.words.add(line);
        } else if let Some(step) = self.steps.last_mut() {
            step.printed(line);
        } else {
            self.words.add(line);
        }
    }

    fn end(&mut self, at: Duration) {
        let Some(step) = self.steps.last_mut() else { return };
        if step.state == State::Unfinished {
            step.state = State::Run;
        }
        step.time = at.saturating_sub(self.since);
    }

    pub(super) fn finish(mut self, at: Duration, failed: bool) -> Progress {
        self.end(at);
        if let Some(step) = self.steps.last_mut().filter(|_| failed) {
            step.state = State::Failed;
        }
        Progress { steps: self.steps, words: self.words.text() }
    }
}

/// `STEP 2/5: RUN a`, with `[1/2] ` before it where there are several stages.
fn begun(line: &str) -> Option<Step> {
    let (stage, rest) = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((number, rest)) => (number.split_once('/').map(|(number, _)| number.to_owned()), rest),
        None => (None, line),
    };
    let (number, instruction) = rest.strip_prefix("STEP ")?.split_once(": ")?;
    let mut step = Step::named(&format!("[{number}] {instruction}"))?;
    step.stage = stage;
    step.name = line.to_owned();
    Some(step)
}

#[cfg(test)]
mod tests {
    use super::Numbered;
    use crate::builder::State;
    use std::time::Duration;

    #[test]
    fn steps_end_where_the_next_begins() {
        let lines = "[1/2] STEP 1/2: FROM a AS b\n[1/2] STEP 2/2: RUN x\n--> Using cache 123\n--> 123\n[2/2] STEP 1/2: FROM b\n\
                     [2/2] STEP 2/2: RUN y\nhello\nError: building at STEP \"RUN y\": exit status 1\n";
        let mut reader = Numbered::default();
        lines.lines().zip(0..).for_each(|(line, second)| reader.line(line, Duration::from_secs(second)));
        let progress = reader.finish(Duration::from_secs(9), true);
        let steps: Vec<_> =
            progress.steps.iter().map(|step| (step.instruction.as_str(), step.state, step.time.as_secs())).collect();
        let wanted =
            [("FROM a AS b", State::Run, 1), ("RUN x", State::Cached, 3), ("FROM b", State::Run, 1), ("RUN y", State::Failed, 4)];
        assert_eq!(steps, wanted);
        assert_eq!(progress.steps[3].log, ["hello"]);
        assert_eq!(progress.words, "Error: building at STEP \"RUN y\": exit status 1");
    }
}
