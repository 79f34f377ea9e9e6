//! One RUN made two.
//!
//! Owns: the text of both, with the settings of the shell that must hold in the second one too. Never does: choose where to cut.

use crate::ecosystems::{CommandChange, Invocation};
use crate::edit::{Edit, EditSet};
use crate::model::{Form, Step};
use crate::shell::{Cut, List};
use crate::syntax::{Dockerfile, Instruction};
use std::ops::Range;

/// Lines longer than this are broken.
const WIDEST: usize = 120;

/// The texts of two RUNs (no line end behind them).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halves {
    /// The one that rises.
    pub first: String,
    /// The one that stays; `None`: the RUN as it is.
    pub rest: Option<String>,
    /// The comments above the RUN stay with the second one.
    pub keeps_comments_below: bool,
}

/// A RUN that may be cut.
pub struct Cuttable<'d> {
    dockerfile: &'d Dockerfile,
    instruction: &'d Instruction,
    step: &'d Step<'d>,
    list: &'d List,
}

impl<'d> Cuttable<'d> {
    /// The step, if it is a RUN in shell form without here-documents.
    pub fn of(dockerfile: &'d Dockerfile, step: &'d Step<'d>) -> Option<Self> {
        let run = step.run.as_ref().filter(|run| run.form == Form::Shell)?;
        let list = run.script.list().ok()?;
        step.instruction.heredocs.is_empty().then_some(Self { dockerfile, instruction: step.instruction, step, list })
    }

    /// The places where it can be cut, in order.
    pub fn cuts(&self) -> Vec<Cut> {
        self.step.run.as_ref().map(|run| self.list.cuts(run.script.errexit)).unwrap_or_default()
    }

    fn script(&self) -> &str {
        self.step.run.as_ref().map_or("", |run| run.text())
    }

    /// `RUN --mount=… `, as it is written, over several lines if it is.
    fn head(&self) -> String {
        let start = self.instruction.span.start;
        let before = self.range(0..1).map(|range| start..range.start);
        let plain = |range: &Range<usize>| !self.instruction.inner_comments.iter().any(|comment| range.contains(&comment.start));
        if let Some(range) = before.filter(plain) {
            return self.dockerfile.slice(range).to_owned();
        }
        let flags = self.instruction.flags.iter().map(|flag| self.dockerfile.slice(flag.span.clone()));
        std::iter::once(self.instruction.word.as_str()).chain(flags).collect::<Vec<_>>().join(" ") + " "
    }

    /// The commands before an offset that set up the shell, to be said again: `cd /x && `.
    fn settings(&self, offset: usize) -> Result<String, String> {
        let commands = self.list.settings_before(offset)?;
        let texts = commands.iter().filter_map(|command| self.script().get(command.span.clone()));
        Ok(texts.map(|text| format!("{} && ", text.split_whitespace().collect::<Vec<_>>().join(" "))).collect())
    }

    /// The file's bytes of a part of the script.
    fn range(&self, range: Range<usize>) -> Option<Range<usize>> {
        Some(self.step.run.as_ref()?.script.text.range(range))
    }

    /// Cut in two: what is before the cut rises.
    ///
    /// # Errors
    /// What can't be said again in the second part.
    pub fn cut(&self, cut: Cut) -> Result<Halves, String> {
        let no_place = || "the commands have no exact place in the text".to_owned();
        let end = self.range(0..cut.end).ok_or_else(no_place)?.end;
        let first = self.dockerfile.slice(self.instruction.span.start..end).to_owned();
        let rest = self.rest(cut.start, end, &[]).ok_or_else(no_place)??;
        Ok(Halves { first, rest: Some(rest), keeps_comments_below: false })
    }

    /// The RUN from an offset of its script on, comments that stood in the cut (behind `cut_at`) above it. `edits` change it.
    fn rest(&self, start: usize, cut_at: usize, edits: &[Edit]) -> Option<Result<String, String>> {
        let script = self.script();
        let from = self.range(start..script.len())?.start;
        let settings = match self.settings(start) {
            Ok(settings) => settings,
            Err(why) => return Some(Err(why)),
        };
        let end = self.range(start..script.trim_end().len())?.end;
        let mut set = EditSet::default();
        if !set.add(edits) {
            return None;
        }
        let whole = if edits.is_empty() {
            self.dockerfile.slice(from..end).to_owned()
        } else {
            tail(&set, &self.dockerfile.text, from, end)?
        };
        let comments = self.instruction.inner_comments.iter().filter(|span| span.start >= cut_at && span.end <= from);
        let comments: String = comments
            .map(|span| format!("{}{}", self.dockerfile.slice(span.clone()).trim(), self.dockerfile.line_end()))
            .collect();
        Some(Ok(format!("{comments}{}{settings}{whole}", self.head())))
    }

    /// A new RUN with another command in front, which the command at `start` makes faster. `cut`: the commands before that one go up
    /// too. `edits` (of the file) change what stays. The RUN that stays keeps its comments.
    ///
    /// # Errors
    /// What can't be said again.
    pub fn prepared(&self, command: &str, start: usize, cut: Option<Cut>, edits: &[Edit]) -> Result<Halves, String> {
        let no_place = || "the commands have no exact place in the text".to_owned();
        let Some(cut) = cut else {
            let first = self.broken(format!("{}{}{command}", self.head(), self.settings(start)?));
            let rest = if edits.is_empty() { None } else { Some(self.changed(edits).ok_or_else(no_place)?) };
            return Ok(Halves { first, rest, keeps_comments_below: true });
        };
        let end = self.range(0..cut.end).ok_or_else(no_place)?.end;
        let before = self.dockerfile.slice(self.instruction.span.start..end);
        // `a && b || true` would forgive a, too.
        let grouped = format!("({command})");
        let command = if command.contains(" || ") { grouped.as_str() } else { command };
        let first = match before.contains('\n') || before.chars().count() + command.chars().count() > WIDEST {
            true => {
                let behind = format!(" && {command}").replace(" && ", &self.next_line());
                let lines = behind.split(self.dockerfile.line_end()).map(|line| self.folded(line));
                format!("{before}{}", lines.collect::<Vec<_>>().join(self.dockerfile.line_end()))
            }
            false => format!("{before} && {command}"),
        };
        let rest = self.rest(cut.start, end, edits).ok_or_else(no_place)??;
        Ok(Halves { first, rest: Some(rest), keeps_comments_below: false })
    }

    /// A new line that is too long for a reader, broken in front of its `&&`, and between words where that is not enough.
    fn broken(&self, line: String) -> String {
        if line.chars().count() <= WIDEST {
            return line;
        }
        let lines = line.replace(" && ", &self.next_line());
        lines.split(self.dockerfile.line_end()).map(|line| self.folded(line)).collect::<Vec<_>>().join(self.dockerfile.line_end())
    }

    /// A line that is still too long, broken between commands, and between words outside of quotes.
    fn folded(&self, line: &str) -> String {
        if line.chars().count() + 2 <= WIDEST {
            return line.to_owned();
        }
        let mut ends_command = false;
        let mut folded = String::new();
        let mut width = 0;
        for word in words(line) {
            let next = word.chars().count();
            // A blank and the character that continues the line come behind it.
            if width > 0 && (width + 1 + next + 2 > WIDEST || std::mem::take(&mut ends_command)) {
                folded.push_str(&format!(" {}{}        ", self.dockerfile.escape, self.dockerfile.line_end()));
                width = 8;
            } else if width > 0 {
                folded.push(' ');
                width += 1;
            }
            folded.push_str(word);
            width += next;
            ends_command = word.ends_with(';');
        }
        folded
    }

    /// `&&` on a line of its own.
    fn next_line(&self) -> String {
        format!(" {}{}    && ", self.dockerfile.escape, self.dockerfile.line_end())
    }

    /// The whole instruction with changes.
    fn changed(&self, edits: &[Edit]) -> Option<String> {
        let mut set = EditSet::default();
        let span = self.instruction.span.clone();
        if !set.add(edits) {
            return None;
        }
        Some(tail(&set, &self.dockerfile.text, span.start, span.end)?.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The edits that make changes of a command.
    pub fn edits(&self, invocation: &Invocation, changes: &[CommandChange]) -> Option<Vec<Edit>> {
        let argument = |index: usize| self.range(invocation.arguments.get(index)?.span.known()?.clone());
        let edit = |change: &CommandChange| match change {
            CommandChange::RemoveArgument(index) => {
                let range = argument(*index)?;
                let before = self.dockerfile.slice(0..range.start);
                Some(Edit::delete(before.trim_end_matches([' ', '\t']).len()..range.end))
            }
            CommandChange::ReplaceArgument(index, text) => Some(Edit::replace(argument(*index)?, text.clone())),
            CommandChange::InsertAfterProgram(text) => {
                let at = self.range(0..*invocation.behind_program.known()?)?.end;
                Some(Edit::insert(at, format!(" {text}")))
            }
            CommandChange::SetVariable(name, value) => {
                let at = *invocation.front.known()?;
                Some(Edit::insert(self.range(at..at + 1)?.start, format!("{name}={value} ")))
            }
        };
        changes.iter().map(edit).collect()
    }
}

/// The parts of a line between blanks that no quotes hold; blanks in front belong to the first one.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut quote = None;
    let mut start = 0;
    let indent = line.len() - line.trim_start_matches(' ').len();
    for (at, c) in line.char_indices().skip_while(|(at, _)| *at < indent) {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            // A file stays with the arrow in front of it.
            (None, ' ') if line.get(start..at).is_some_and(|word| word.ends_with('>')) => {}
            (None, ' ') => {
                words.extend(line.get(start..at).filter(|word| !word.is_empty()));
                start = at + 1;
            }
            _ => {}
        }
    }
    words.extend(line.get(start..).filter(|word| !word.is_empty()));
    words
}

/// The changed text between two offsets of the original.
fn tail(set: &EditSet, text: &str, from: usize, end: usize) -> Option<String> {
    let changed = set.apply(text)?;
    let behind = text.len().checked_sub(end)?;
    changed.get(from..changed.len().checked_sub(behind)?).map(str::to_owned)
}
