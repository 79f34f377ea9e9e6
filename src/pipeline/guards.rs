//! What must hold after every change, whichever transform made it.
//!
//! Owns: comparing the file before and after without knowing what was meant. A guard that fails is a fault of a transform.

use crate::syntax::{Dockerfile, Instruction, Keyword};

/// Compares two texts of one file.
///
/// # Errors
/// What no longer holds, in words.
pub fn check(before: &Dockerfile, after: &Dockerfile, removed_comments: &[&str]) -> Result<(), String> {
    if let Some(error) = after.errors.first() {
        return Err(format!("the builder would refuse the result: {error}"));
    }
    comments(before, after, removed_comments)?;
    if outline(before, stage_part) != outline(after, stage_part) {
        return Err("the stages are not the same".to_owned());
    }
    if outline(before, config_part) != outline(after, config_part) {
        return Err("the configuration of the image is not the same".to_owned());
    }
    if before.text.ends_with('\n') != after.text.ends_with('\n') {
        return Err("the line end at the end of the file is not as it was".to_owned());
    }
    Ok(())
}

/// Every comment is still there, in order.
fn comments(before: &Dockerfile, after: &Dockerfile, removed: &[&str]) -> Result<(), String> {
    let mut kept = after.comments().into_iter().peekable();
    for comment in before.comments() {
        if kept.peek() == Some(&comment) {
            kept.next();
        } else if !removed.contains(&comment) {
            return Err(format!("the comment \"{comment}\" is gone or elsewhere"));
        }
    }
    match kept.next() {
        Some(comment) => Err(format!("the comment \"{comment}\" is new")),
        None => Ok(()),
    }
}

fn outline(dockerfile: &Dockerfile, part: fn(&Instruction) -> bool) -> Vec<&str> {
    dockerfile.instructions().filter(|instruction| part(instruction)).map(|instruction| instruction.logical.as_str()).collect()
}

fn stage_part(instruction: &Instruction) -> bool {
    instruction.keyword == Keyword::From
}

/// Everything that is neither a step that makes files nor a stage: it sets the configuration (or is unknown, and stays).
fn config_part(instruction: &Instruction) -> bool {
    !matches!(instruction.keyword, Keyword::From | Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Arg)
}
