//! `--progress=plain` of BuildKit's clients: `#7 [stage 2/5] RUN …`, `#7 0.123 output`, `#7 DONE 1.2s`.

use super::{Progress, Words};
use crate::builder::{State, Step};
use std::collections::HashMap;
use std::time::Duration;

/// The reader.
#[derive(Debug, Default)]
pub(in crate::builder) struct Plain {
    places: HashMap<u32, usize>,
    steps: Vec<Step>,
    words: Words,
}

impl Plain {
    pub(super) fn line(&mut self, line: &str) {
        let line = line.trim_end();
        let numbered = line.strip_prefix('#').and_then(|rest| rest.split_once(' '));
        let Some((number, rest)) = numbered.and_then(|(number, rest)| Some((number.parse::<u32>().ok()?, rest))) else {
            self.words.add(line);
            return;
        };
        match self.places.get(&number).and_then(|place| self.steps.get_mut(*place)) {
            Some(step) => news(step, rest),
            None => {
                if let Some(step) = Step::named(rest) {
                    self.steps.push(step);
                    self.places.insert(number, self.steps.len() - 1);
                }
            }
        }
    }

    pub(super) fn finish(self) -> Progress {
        Progress { steps: self.steps, words: self.words.text() }
    }
}

fn news(step: &mut Step, rest: &str) {
    if rest == "CACHED" {
        step.state = State::Cached;
    } else if let Some(time) = rest.strip_prefix("DONE ").and_then(|time| time.strip_suffix('s')?.parse().ok()) {
        step.state = if step.state == State::Cached { State::Cached } else { State::Run };
        step.time = Duration::try_from_secs_f64(time).unwrap_or_default();
    } else if rest.starts_with("ERROR: ") {
        step.state = State::Failed;
    } else if rest == "CANCELED" {
        step.state = State::Unfinished;
    } else if rest != step.name && rest != "..." {
        // Output has the seconds since the step's beginning before it.
        let is_time = |word: &str| word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match rest.split_once(' ') {
            Some((time, text)) if is_time(time) => step.printed(text),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Plain;
    use crate::builder::State;

    #[test]
    fn lines_are_put_together_by_their_numbers() {
        let mut reader = Plain::default();
        let lines = "#0 building with \"default\" instance using docker driver\n#1 [internal] load .dockerignore\n#1 DONE 0.0s\n\
            #4 [1/4] FROM debian\n#4 CACHED\n#5 [2/4] RUN a\n#6 [other 1/1] RUN b\n#5 0.123 some words\n#6 0.2 DONE 1s\n#5 DONE 1.5s\n\
            #6 ...\n#6 [other 1/1] RUN b\n#6 ERROR: exit code: 1\n#7 [3/4] RUN c\n#7 CANCELED\n------\n > [other 1/1] RUN b:\n";
        lines.lines().for_each(|line| reader.line(line));
        let progress = reader.finish();
        let steps: Vec<_> =
            progress.steps.iter().map(|step| (step.instruction.as_str(), step.state, step.time.as_millis())).collect();
        let wanted = [
            ("FROM debian", State::Cached, 0),
            ("RUN a", State::Run, 1500),
            ("RUN b", State::Failed, 0),
            ("RUN c", State::Unfinished, 0),
        ];
        assert_eq!(steps, wanted);
        assert_eq!(
            (&progress.steps[1].log, &progress.steps[2].log),
            (&vec!["some words".to_owned()], &vec!["DONE 1s".to_owned()])
        );
        assert_eq!(progress.words, "------\n > [other 1/1] RUN b:");
    }
}
