//! Arguments of each instruction, in the shape in which the builder's parser hands them on.
//!
//! Owns: which instruction takes JSON, words, pairs or one text, and what is wrong with those that fit none.

use super::dockerfile::{Arguments, Keyword};
use super::json::{self, NotStrings};
use super::words;
use std::ops::Range;

/// The arguments that stand at `range` of `text`.
///
/// # Errors
/// Words for people, where the builder would refuse the instruction.
pub fn read(keyword: &Keyword, text: &str, range: Range<usize>, escape: char) -> Result<Arguments, String> {
    let rest = text.get(range.clone()).unwrap_or_default();
    let at = range.start;
    if rest.is_empty() && !matches!(keyword, Keyword::Unknown) {
        return Ok(Arguments::default());
    }
    match keyword {
        Keyword::Add | Keyword::Copy | Keyword::Volume => json_or(rest, at, blanks),
        Keyword::Cmd | Keyword::Entrypoint | Keyword::Run | Keyword::Shell => json_or(rest, at, whole),
        Keyword::Expose | Keyword::From => Ok(blanks(rest, at)),
        Keyword::Env | Keyword::Label => pairs(rest, at, escape, if *keyword == Keyword::Env { "ENV" } else { "LABEL" }),
        Keyword::Arg => {
            let found = words::quoted_words(rest, escape);
            let (values, ranges) = found.into_iter().map(|(word, range)| (word, shift(range, at))).unzip();
            Ok(Arguments { values, ranges, json: false })
        }
        Keyword::Healthcheck => health(rest, at),
        Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir => Ok(whole(rest, at)),
        Keyword::Onbuild => Ok(Arguments::default()),
        Keyword::Unknown => Ok(Arguments { values: vec![String::new()], ..Arguments::default() }),
    }
}

fn shift(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

fn whole(rest: &str, at: usize) -> Arguments {
    Arguments { values: vec![rest.to_owned()], ranges: vec![shift(0..rest.len(), at)], json: false }
}

fn blanks(rest: &str, at: usize) -> Arguments {
    let ranges = words::split_blanks(rest);
    let values = ranges.iter().map(|range| rest.get(range.clone()).unwrap_or_default().to_owned()).collect();
    Arguments { values, ranges: ranges.into_iter().map(|range| shift(range, at)).collect(), json: false }
}

fn json_or(rest: &str, at: usize, other: fn(&str, usize) -> Arguments) -> Result<Arguments, String> {
    match json::read_strings(rest) {
        Ok(strings) => {
            let (values, ranges) = strings.into_iter().map(|(string, range)| (string, shift(range, at))).unzip();
            Ok(Arguments { values, ranges, json: true })
        }
        Err(NotStrings::NotJson) => Ok(other(rest, at)),
        Err(NotStrings::OtherElements) => {
            Err("a JSON array here may hold nothing but strings: put the other elements in double quotes".to_owned())
        }
    }
}

/// `NAME=value …`, or the old form `NAME value`.
fn pairs(rest: &str, at: usize, escape: char, instruction: &str) -> Result<Arguments, String> {
    let found = words::quoted_words(rest, escape);
    let Some((first, _)) = found.first() else { return Ok(Arguments::default()) };
    let mut arguments = Arguments::default();
    if !first.contains('=') {
        let parts = words::split_blanks(rest);
        let (Some(name), Some(value)) = (parts.first(), parts.get(1)) else {
            return Err(format!("{instruction} needs a name and a value: write {instruction} NAME=value"));
        };
        for range in [name.clone(), value.start..rest.len()] {
            arguments.values.push(rest.get(range.clone()).unwrap_or_default().to_owned());
            arguments.ranges.push(shift(range, at));
        }
        return Ok(arguments);
    }
    for (word, range) in found {
        let Some((name, value)) = word.split_once('=') else {
            return Err(format!(
                "\"{word}\" has no \"=\": {instruction} takes NAME=value, with quotes around values that hold blanks"
            ));
        };
        arguments.ranges.push(shift(range.start..range.start + name.len(), at));
        arguments.ranges.push(shift((range.start + name.len() + 1).min(range.end)..range.end, at));
        arguments.values.push(name.to_owned());
        arguments.values.push(value.to_owned());
    }
    Ok(arguments)
}

/// `HEALTHCHECK NONE`, or `HEALTHCHECK CMD …` in shell or exec form.
fn health(rest: &str, at: usize) -> Result<Arguments, String> {
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (kind, command) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let start = rest.len() - command.trim_start().len();
    let mut arguments = Arguments { values: vec![kind.to_owned()], ranges: vec![shift(0..end, at)], json: false };
    if start < rest.len() {
        let inner = json_or(rest.get(start..).unwrap_or_default(), at + start, whole)?;
        arguments.values.extend(inner.values);
        arguments.ranges.extend(inner.ranges);
        arguments.json = inner.json;
    }
    Ok(arguments)
}
