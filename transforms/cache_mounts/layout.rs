//! Where new text goes in a RUN, and what is left when text is taken out.
//!
//! Owns: line breaks, indentation, continuation characters and comments inside a RUN. Never does: decide what is added or cut.

use crate::edit::Edit;
use crate::model::Run;
use crate::syntax::{Dockerfile, Instruction, ItemKind, LogicalText};
use std::ops::Range;

/// The widest line that mounts may make.
const WIDEST: usize = 120;

/// The edit that adds flags (`--mount=…`) behind the RUN's own. `wider`: characters that other edits add to the RUN's line.
pub fn add_flags(dockerfile: &Dockerfile, instruction: &Instruction, flags: &[String], wider: usize) -> Option<Edit> {
    let head_end = instruction.flags.last().map_or(instruction.keyword_span.end, |flag| flag.span.end);
    let arguments = instruction.logical.range(instruction.arguments_range.clone());
    let between = dockerfile.slice(head_end..arguments.start);
    let line_end = dockerfile.line_end();
    let indent = indentation(dockerfile, instruction);
    let separator = format!(" {}{line_end}{indent}", dockerfile.escape);
    if between.contains('\n') {
        // The command starts on a line of its own: the flags go behind what stands on the RUN's line.
        let text: String = flags
            .iter()
            .enumerate()
            .map(|(index, flag)| if index == 0 { format!(" {flag}") } else { format!("{separator}{flag}") })
            .collect();
        return Some(Edit::insert(head_end, text));
    }
    let first_line_end =
        dockerfile.text.get(arguments.start..)?.find('\n').map_or(dockerfile.text.len(), |at| arguments.start + at);
    let line_start = dockerfile.text.get(..head_end)?.rfind('\n').map_or(0, |at| at + 1);
    let is_long = {
        let width = dockerfile.slice(line_start..first_line_end).trim_end().chars().count();
        width + wider + flags.iter().map(|flag| flag.chars().count() + 1).sum::<usize>() > WIDEST
    };
    let several_lines = dockerfile.slice(arguments).contains('\n');
    let text = if is_long || several_lines {
        flags.iter().map(|flag| format!("{flag}{separator}")).collect::<String>()
    } else {
        flags.iter().map(|flag| format!("{flag} ")).collect()
    };
    Some(Edit::insert(arguments_start(dockerfile, instruction), text))
}

fn arguments_start(_dockerfile: &Dockerfile, instruction: &Instruction) -> usize {
    instruction.logical.range(instruction.arguments_range.clone()).start
}

/// The indentation of the RUN's second line, where it has one; else four blanks on top of the RUN's own.
fn indentation(dockerfile: &Dockerfile, instruction: &Instruction) -> String {
    let own = dockerfile.slice(instruction.span.start..instruction.keyword_span.start);
    let body_end = instruction.heredocs.first().map_or(instruction.span.end, |heredoc| heredoc.content.start);
    let mut lines = dockerfile.slice(instruction.span.start..body_end).split('\n').skip(1);
    let neighbour = lines.find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    neighbour
        .map(|line| line.chars().take_while(|c| *c == ' ' || *c == '\t').collect::<String>())
        .filter(|indent| !indent.is_empty())
        .unwrap_or_else(|| format!("{own}    "))
}

/// The edits that take `cut` (a range of the script) out and leave every comment.
pub fn cut(dockerfile: &Dockerfile, run: &Run<'_>, cut: Range<usize>) -> Vec<Edit> {
    let text = &run.script.text;
    let cut = keep_script_comments(text.as_str(), cut);
    // The end of what stays, not the start of what goes: between them may lie a continuation, which goes too.
    let at_end = text.as_str().get(cut.end..).is_none_or(|rest| rest.trim().is_empty());
    let mut range = text.end_position(cut.start)..text.end_position(cut.end);
    if at_end {
        let behind = dockerfile.text.get(range.end..).unwrap_or_default();
        range.end += behind.len() - behind.trim_start_matches([' ', '\t']).len();
    }
    let comments: Vec<Range<usize>> = run
        .instruction
        .inner_comments
        .iter()
        .filter(|comment| range.start <= comment.start && comment.end <= range.end)
        .cloned()
        .collect();
    let (Some(first), Some(last)) = (comments.first(), comments.last()) else { return vec![Edit::delete(range)] };
    let mut edits = Vec::new();
    let before_line_end = |at: usize| {
        let line_end = dockerfile.text.get(..at).map_or(1, |before| if before.ends_with("\r\n") { 2 } else { 1 });
        at.saturating_sub(line_end)
    };
    if at_end {
        // The last line that stays must not go on: the comments below it become ordinary ones.
        edits.push(Edit::delete(range.start..before_line_end(first.start)));
        edits.push(Edit::delete(before_line_end(last.end)..range.end));
    } else {
        edits.push(Edit::delete(last.end..end_of_emptied_line(dockerfile, range.end)));
    }
    for pair in comments.windows(2) {
        if let [above, below] = pair
            && above.end < below.start
        {
            edits.push(Edit::delete(above.end..below.start));
        }
    }
    edits.retain(|edit| !edit.range.is_empty());
    edits
}

/// Inside a heredoc a comment may stand between two commands: then only the line of the second is taken.
fn keep_script_comments(script: &str, cut: Range<usize>) -> Range<usize> {
    let inside = script.get(cut.clone()).unwrap_or_default();
    if !inside.lines().any(|line| line.trim_start().starts_with('#')) {
        return cut;
    }
    match inside.trim_end().rfind('\n') {
        Some(at) => cut.start + at..cut.end,
        None => cut,
    }
}

/// Where the line ends, its end included, if nothing but a continuation is left on it behind `at`.
fn end_of_emptied_line(dockerfile: &Dockerfile, at: usize) -> usize {
    let rest = dockerfile.text.get(at..).unwrap_or_default();
    let line = rest.find('\n').map_or(rest, |end| rest.get(..=end).unwrap_or(rest));
    let left = line.trim_matches([' ', '\t', '\r', '\n']);
    if left.is_empty() || left.strip_prefix(dockerfile.escape) == Some("") { at + line.len() } else { at }
}

/// The edit that takes a whole instruction out, with one of two blank lines that would meet. `None` where a comment belongs to it.
pub fn remove_instruction(dockerfile: &Dockerfile, instruction: &Instruction) -> Option<Edit> {
    if !instruction.inner_comments.is_empty() {
        return None;
    }
    let at = dockerfile.items.iter().position(|item| item.span == instruction.span)?;
    let before = at.checked_sub(1).and_then(|index| dockerfile.items.get(index))?;
    if matches!(before.kind, ItemKind::Comment | ItemKind::Directive { .. }) {
        return None;
    }
    let after = dockerfile.items.get(at + 1);
    let after_is_blank = after.is_none_or(|item| matches!(item.kind, ItemKind::Blank));
    let mut range = instruction.span.clone();
    if matches!(before.kind, ItemKind::Blank) && after_is_blank {
        range.start = before.span.start;
    }
    if after.is_none() && !dockerfile.text.ends_with('\n') {
        // Without a line end at the end of the file, the one before goes instead.
        let newline = dockerfile.line_end().len();
        range.start = range.start.checked_sub(newline)?;
    }
    Some(Edit::delete(range))
}

/// The edit that puts text at an offset of the script.
pub fn insert(text: &LogicalText, at: usize, insert: String) -> Edit {
    Edit::insert(text.position(at), insert)
}

/// The edit that puts text behind the byte before an offset of the script.
pub fn insert_behind(text: &LogicalText, at: usize, insert: String) -> Edit {
    Edit::insert(text.end_position(at), insert)
}
