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
            .map(
                |(index, flag)| {
                    if index == 0 && instruction.flags.is_empty() { format!(" {flag}") } else { format!("{separator}{flag}") }
                },
            )
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
    let several_lines = dockerfile.slice(arguments.clone()).contains('\n');
    let text = if is_long || several_lines {
        flags.iter().map(|flag| format!("{flag}{separator}")).collect::<String>()
    } else {
        flags.iter().map(|flag| format!("{flag} ")).collect()
    };
    Some(Edit::insert(arguments.start, text))
}

/// The smallest indentation of the RUN's further lines, where it has some; else four blanks on top of the RUN's own.
fn indentation(dockerfile: &Dockerfile, instruction: &Instruction) -> String {
    let own = dockerfile.slice(instruction.span.start..instruction.keyword_span.start);
    let body_end = instruction.heredocs.first().map_or(instruction.span.end, |heredoc| heredoc.content.start);
    let lines = dockerfile.slice(instruction.span.start..body_end).split('\n').skip(1);
    let indents = lines
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|line| line.get(..blanks(line)).unwrap_or_default())
        .filter(|indent| !indent.is_empty());
    indents.min_by_key(|indent| indent.len()).map_or_else(|| format!("{own}    "), str::to_owned)
}

/// The edits that take `cut` (a range of the script) out and leave every comment. `None` where that can't be done.
pub fn cut(dockerfile: &Dockerfile, run: &Run<'_>, cut: Range<usize>) -> Option<Vec<Edit>> {
    let text = &run.script.text;
    let cut = keep_script_comments(text.as_str(), cut);
    let rest = text.as_str().get(cut.end..).unwrap_or_default();
    if rest.trim_start().starts_with('#') {
        // The shell's own comment, at the end of the last line, speaks of what goes.
        return None;
    }
    let at_end = rest.trim().is_empty();
    // The end of what stays, not the start of what goes: between them may lie a continuation, which goes too.
    let mut range = text.end_position(cut.start)..text.end_position(cut.end);
    if at_end {
        range.end += blanks(dockerfile.text.get(range.end..).unwrap_or_default());
    }
    let comments = comments_within(run, &range);
    let (Some(first), Some(last)) = (comments.first(), comments.last()) else { return Some(vec![Edit::delete(range)]) };
    let mut edits = Vec::new();
    if at_end {
        // The last line that stays must not go on: the comments below it become ordinary ones.
        edits.push(Edit::delete(range.start..before_line_end(dockerfile, first.start)));
        edits.push(Edit::delete(before_line_end(dockerfile, last.end)..range.end));
    } else if is_blank(dockerfile, range.start..first.start) {
        edits.push(Edit::delete(last.end..end_of_emptied_line(dockerfile, range.end)));
    } else {
        // The connector stands above the comments and stays: the one behind the command goes instead.
        let begin = last.end + blanks(dockerfile.text.get(last.end..).unwrap_or_default());
        let behind = range.end..text.position(cut.end + connector(rest)?);
        if !comments_within(run, &behind).is_empty() {
            return None;
        }
        edits.push(Edit::delete(begin..behind.end));
    }
    edits.extend(comments.windows(2).filter_map(|pair| match pair {
        [above, below] if above.end < below.start => Some(Edit::delete(above.end..below.start)),
        _ => None,
    }));
    edits.retain(|edit| !edit.range.is_empty());
    Some(edits)
}

fn comments_within(run: &Run<'_>, range: &Range<usize>) -> Vec<Range<usize>> {
    let inside = |comment: &&Range<usize>| range.start <= comment.start && comment.end <= range.end;
    run.instruction.inner_comments.iter().filter(inside).cloned().collect()
}

/// The length of the connector (`&&`, `;`) that a text starts with, blanks around it included.
fn connector(text: &str) -> Option<usize> {
    let rest = text.trim_start();
    let behind = rest.strip_prefix("&&").or_else(|| rest.strip_prefix(';').filter(|rest| !rest.starts_with(';')))?;
    Some(text.len() - behind.trim_start().len())
}

/// Whether nothing but blanks, line ends and continuations stands there.
fn is_blank(dockerfile: &Dockerfile, range: Range<usize>) -> bool {
    dockerfile.slice(range).chars().all(|c| c.is_whitespace() || c == dockerfile.escape)
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// The offset in front of the line end that ends at `at`.
fn before_line_end(dockerfile: &Dockerfile, at: usize) -> usize {
    let before = dockerfile.text.get(..at).unwrap_or_default();
    at.saturating_sub(if before.ends_with("\r\n") { 2 } else { 1 })
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
