//! `--progress=rawjson` of buildx: a JSON object for each piece of news, on one line or over several, and words between them.
//!
//! Owns: BuildKit's vertexes and logs as steps. The shape is that of BuildKit's `client.SolveStatus`.

use super::{Progress, Words};
use crate::builder::{State, Step};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// The reader.
#[derive(Debug, Default)]
pub(in crate::builder) struct RawJson {
    /// An object that has not come to its end.
    pending: String,
    /// Steps by their digests.
    places: HashMap<String, usize>,
    steps: Vec<Step>,
    /// What a step printed since its last line end.
    unended: HashMap<usize, String>,
    words: Words,
}

impl RawJson {
    pub(super) fn line(&mut self, line: &str) {
        if self.pending.is_empty() && !line.starts_with('{') {
            self.words.add(line);
            return;
        }
        self.pending.push_str(line);
        // An object over several lines ends with a brace at the margin.
        if !line.starts_with('}') && self.pending.len() != line.len() {
            return;
        }
        if let Ok(news) = serde_json::from_str::<Value>(&self.pending) {
            self.pending.clear();
            self.news(&news);
        }
    }

    fn news(&mut self, news: &Value) {
        let list = |key: &str| news.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        // The last of them needs the ones behind it in the list.
        for vertex in list("vertexes").into_iter().rev() {
            self.vertex(&vertex);
        }
        for log in list("logs") {
            self.log(&log);
        }
    }

    fn vertex(&mut self, vertex: &Value) {
        let text = |key: &str| vertex.get(key).and_then(Value::as_str);
        let (Some(digest), Some(name)) = (text("digest"), text("name")) else { return };
        let place = match self.places.get(digest) {
            Some(place) => *place,
            None => {
                let Some(step) = Step::named(name) else { return };
                self.steps.push(step);
                self.places.insert(digest.to_owned(), self.steps.len() - 1);
                self.steps.len() - 1
            }
        };
        let Some(step) = self.steps.get_mut(place) else { return };
        let times = text("started").and_then(seconds).zip(text("completed").and_then(seconds));
        if vertex.get("cached") == Some(&Value::Bool(true)) {
            step.state = State::Cached;
        } else if let Some(error) = text("error") {
            step.state = if error.contains("context canceled") { State::Unfinished } else { State::Failed };
        } else if times.is_some() && step.state == State::Unfinished {
            step.state = State::Run;
        }
        if let Some((started, completed)) = times {
            step.time = Duration::try_from_secs_f64(completed - started).unwrap_or_default();
        }
    }

    fn log(&mut self, log: &Value) {
        let text = |key: &str| log.get(key).and_then(Value::as_str);
        let (Some(place), Some(data)) = (text("vertex").and_then(|digest| self.places.get(digest).copied()), text("data")) else {
            return;
        };
        let unended = self.unended.entry(place).or_default();
        unended.push_str(&String::from_utf8_lossy(&base64(data)));
        let Some(step) = self.steps.get_mut(place) else { return };
        while let Some(end) = unended.find('\n') {
            let rest = unended.split_off(end + 1);
            step.printed(unended);
            *unended = rest;
        }
    }

    pub(super) fn finish(mut self) -> Progress {
        for (place, line) in self.unended.drain().filter(|(_, line)| !line.is_empty()) {
            if let Some(step) = self.steps.get_mut(place) {
                step.printed(&line);
            }
        }
        Progress { steps: self.steps, words: self.words.text() }
    }
}

/// The seconds of a time like `2026-11-21T14:48:09.416667506Z` since a day that is the same for all.
fn seconds(time: &str) -> Option<f64> {
    let (date, clock) = time.strip_suffix('Z').unwrap_or(time).split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<f64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.split(':').map(|part| part.parse::<f64>().ok());
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next()??);
    // The civil calendar with the year from March on, so that the leap day is its last.
    let (year, month) = if month <= 2.0 { (year - 1.0, month + 9.0) } else { (year, month - 3.0) };
    let leap_days = (year / 4.0).floor() - (year / 100.0).floor() + (year / 400.0).floor();
    let days = 365.0 * year + leap_days + ((153.0 * month + 2.0) / 5.0).floor() + day;
    Some(days * 86_400.0 + hours * 3_600.0 + minutes * 60.0 + seconds)
}

/// Standard base64; what is no letter of it is passed over.
fn base64(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{RawJson, base64, seconds};
    use crate::builder::State;

    #[test]
    fn vertexes_and_logs_are_steps_whether_on_one_line_or_over_several() {
        let mut reader = RawJson::default();
        let lines = r#"{"vertexes":[{"digest":"a","name":"[internal] load build context"},{"digest":"b","name":"[1/3] FROM x"}]}
{
  "vertexes": [
    {"digest": "b", "name": "[1/3] FROM x", "started": "2026-11-21T23:59:59.5Z", "completed": "2026-11-21T23:59:59.5Z", "cached": true},
    {"digest": "d", "name": "[3/3] RUN false", "started": "2026-11-22T00:00:01Z"},
    {"digest": "c", "name": "[2/3] RUN echo", "started": "2026-11-21T23:59:59.5Z", "completed": "2026-11-22T00:00:01Z"}
  ]
}
{"logs":[{"vertex":"d","stream":1,"data":"YQpiY2"},{"vertex":"a","data":"YQo="}]}
{"logs":[{"vertex":"d","stream":1,"data":"cw=="}]}
{"vertexes":[{"digest":"d","name":"[3/3] RUN false","started":"2026-11-22T00:00:01Z","completed":"2026-11-22T00:00:02Z","error":"exit code: 1"}]}
Dockerfile:3
ERROR: failed to solve
"#;
        lines.split_inclusive('\n').for_each(|line| reader.line(line));
        let progress = reader.finish();
        let steps: Vec<_> = progress.steps.iter().map(|step| (step.name.as_str(), step.state, step.time.as_millis())).collect();
        let wanted =
            [("[1/3] FROM x", State::Cached, 0), ("[2/3] RUN echo", State::Run, 1500), ("[3/3] RUN false", State::Failed, 1000)];
        assert_eq!(steps, wanted);
        assert_eq!(progress.steps[2].log, ["a", "bcs"]);
        assert_eq!(progress.words, "Dockerfile:3\nERROR: failed to solve");
    }

    #[test]
    fn an_object_that_is_cut_off_is_no_step() {
        let mut reader = RawJson::default();
        reader.line("{\n");
        reader.line("  \"vertexes\": [\n");
        assert_eq!(reader.finish().steps, []);
    }

    #[test]
    fn times_go_over_the_ends_of_months() {
        let between = |a, b| seconds(b).unwrap() - seconds(a).unwrap();
        assert_eq!(between("2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z"), 2.0 * 86_400.0);
        assert_eq!(between("2025-12-31T23:59:59Z", "2026-01-01T00:00:00.5Z"), 1.5);
        assert_eq!(seconds("yesterday"), None);
    }

    #[test]
    fn base64_is_read() {
        assert_eq!(base64("aGVsbG8K"), b"hello\n");
        assert_eq!(base64("YQ=="), b"a");
        assert_eq!(base64(""), b"");
    }
}
