//! Scripts as commands and words.
//!
//! Owns: enough of the shell's syntax to find a build command and its arguments in a script, a makefile or a workflow. Never does:
//! understand a script: what hangs on conditions or functions is taken as it stands.

use super::variables::{filled, reference};
use std::collections::HashMap;

/// A simple command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// Counted from 1.
    pub(super) line: usize,
    /// It begins a line of the script.
    pub(super) begins: bool,
}

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// As it stands, without quotes.
    pub(super) raw: String,
    /// With its variables put in; `None` where one is not known.
    pub(super) value: Option<String>,
}

/// Variables that are set once, to something plain: `NAME=value`, and `NAME := value` where makefiles have it so.
pub(super) fn variables(text: &str) -> HashMap<String, Option<String>> {
    let mut found: HashMap<String, Option<String>> = HashMap::new();
    for line in text.lines() {
        let line = ["export ", "readonly ", "local "]
            .iter()
            .fold(line.trim_start(), |line, word| line.strip_prefix(word).unwrap_or(line));
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim_end_matches([':', '?', '+', ' ']);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        let value = Some(value.to_owned()).filter(|value| !value.contains(['`', '"', '\'', ';', ' ']));
        let known = found.entry(name.to_owned()).or_insert_with(|| value.clone());
        if *known != value {
            *known = None;
        }
    }
    found
}

/// The commands of a script.
pub(super) fn commands(script: &str, variables: &HashMap<String, Option<String>>) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut joined = String::new();
    let mut start = 1;
    for (index, line) in script.lines().enumerate() {
        if joined.is_empty() {
            start = index + 1;
        }
        if let Some(begun) = line.strip_suffix('\\') {
            joined.push_str(begun);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        for (number, words) in split(&joined).into_iter().enumerate() {
            let words = words.into_iter().map(|raw| Word { value: value(&raw, variables, 4), raw }).collect();
            commands.push(Command { words, line: start, begins: number == 0 });
        }
        joined.clear();
    }
    commands
}

fn value(raw: &str, variables: &HashMap<String, Option<String>>, depth: usize) -> Option<String> {
    let of = |name: &str| {
        variables.get(name).cloned().flatten().filter(|_| depth > 0).and_then(|text| value(&text, variables, depth - 1))
    };
    let plain = raw.replace("`pwd`", ".").replace("${{ github.workspace }}", ".");
    filled(&plain, &of).filter(|text| !text.contains(['`', '*', '?']))
}

/// The simple commands of a line as words without quotes.
fn split(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut rest = line.trim_start_matches(['\t', ' ', '@', '-', '+']);
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let mut length = c.len_utf8();
        match c {
            ' ' | '\t' => push(&mut commands, word.take()),
            '#' if word.is_none() => break,
            '\'' | '"' => {
                let inner = quoted(behind, c);
                word.get_or_insert_default().push_str(&inner.replace("\\\"", "\""));
                length += inner.len() + 1;
            }
            '\\' => {
                let escaped = behind.chars().next().unwrap_or('\\');
                word.get_or_insert_default().push(escaped);
                length += escaped.len_utf8();
            }
            '$' | '`' => {
                let taken = expansion(rest);
                word.get_or_insert_default().push_str(taken);
                length = taken.len();
            }
            ';' | '&' | '|' | '(' | ')' | '{' | '}' if word.is_none() || matches!(c, ';' | '&' | '|' | ')') => {
                push(&mut commands, word.take());
                commands.push(Vec::new());
            }
            '<' | '>' => {
                // A number right before it says which file.
                word = word.filter(|word| !word.chars().all(|c| c.is_ascii_digit()));
                push(&mut commands, word.take());
                let target = behind.trim_start_matches(['>', '<', '&', ' ', '-']);
                let end = target.find([' ', '\t', ';', '|', '&', ')']).unwrap_or(target.len());
                length += behind.len() - target.len() + end;
            }
            c => word.get_or_insert_default().push(c),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    push(&mut commands, word);
    commands.retain(|words| !words.is_empty());
    commands
}

fn push(commands: &mut [Vec<String>], word: Option<String>) {
    if let Some(command) = commands.last_mut() {
        command.extend(word);
    }
}

/// Up to the closing quote; what a `$(…)` holds has quotes of its own.
fn quoted(text: &str, quote: char) -> &str {
    let mut end = 0;
    while let Some((rest, c)) = text.get(end..).and_then(|rest| Some((rest, rest.chars().next()?))) {
        end += match c {
            c if c == quote => return text.get(..end).unwrap_or(text),
            '$' | '`' if quote == '"' => expansion(rest).len(),
            '\\' if quote == '"' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            c => c.len_utf8(),
        };
    }
    text
}

/// A `$…` or a `…` between backquotes, whole.
fn expansion(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix('`') {
        let end = inner.find('`').map_or(text.len(), |end| end + 2);
        return text.get(..end).unwrap_or(text);
    }
    // A makefile's `$$` is the shell's `$`.
    let marks = if text.starts_with("$$") { 2 } else { 1 };
    let rest = text.get(marks..).and_then(reference).map_or(text.get(marks..).unwrap_or_default(), |(_, rest)| rest);
    text.get(..text.len() - rest.len()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_fall_into_commands_and_words() {
        let script = "A=x\nDIR ?= $(A)/y # why\nB=1\nB=2\ncd \"$DIR\" && docker build \\\n  -t \"a b:${B}\" $(X y) . > log 2>&1; echo 'x;y' # no\n\t@make \"${{ github.workspace }}/z\"\n";
        let found: Vec<(usize, bool, Vec<String>)> = commands(script, &variables(script))
            .into_iter()
            .map(|command| {
                (
                    command.line,
                    command.begins,
                    command.words.into_iter().map(|word| word.value.unwrap_or_else(|| format!("<{}>", word.raw))).collect(),
                )
            })
            .skip(4)
            .collect();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                (5, true, words(&["cd", "x/y"])),
                (5, false, words(&["docker", "build", "-t", "<a b:${B}>", "<$(X y)>", "."])),
                (5, false, words(&["echo", "x;y"])),
                (7, true, words(&["make", "./z"])),
            ]
        );
    }
}
