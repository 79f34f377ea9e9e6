//! What must hold after every change, whichever transform made it.
//!
//! Owns: comparing the file before and after without knowing what was meant. A guard that fails is a fault of a transform.

use crate::syntax::{Dockerfile, Instruction, ItemKind, Keyword};

/// Compares two texts of one file. `moves`: instructions may have changed their order, each with its comments.
///
/// # Errors
/// What no longer holds, in words.
pub fn check(before: &Dockerfile, after: &Dockerfile, removed_comments: &[&str], moves: bool) -> Result<(), String> {
    if let Some(error) = after.errors.first() {
        return Err(format!("the builder would refuse the result: {error}"));
    }
    match moves {
        true => comments_in_any_order(before, after, removed_comments)?,
        false => comments(before, after, removed_comments)?,
    }
    if outline(before, stage_part) != outline(after, stage_part) {
        return Err("the stages are not the same".to_owned());
    }
    if configuration(before, moves) != configuration(after, moves) {
        return Err("the configuration of the image is not the same".to_owned());
    }
    if moves && !users(before).iter().zip(&users(after)).all(|(before, after)| are_kept(before, after)) {
        return Err("the users of a stage are not the same".to_owned());
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

/// Every comment is still there, and those above an instruction are above one of the same kind.
fn comments_in_any_order(before: &Dockerfile, after: &Dockerfile, removed: &[&str]) -> Result<(), String> {
    let mut kept = after.comments();
    for comment in before.comments() {
        match kept.iter().position(|other| *other == comment) {
            Some(at) => drop(kept.swap_remove(at)),
            None if removed.contains(&comment) => {}
            None => return Err(format!("the comment \"{comment}\" is gone")),
        }
    }
    if let Some(comment) = kept.first() {
        return Err(format!("the comment \"{comment}\" is new"));
    }
    let described = described(after);
    match self::described(before).into_iter().find(|pair| !described.contains(pair) && !removed.contains(&pair.0)) {
        Some((comment, _)) => Err(format!("the comment \"{comment}\" is no longer above its instruction")),
        None => Ok(()),
    }
}

/// Each comment directly above an instruction, with that instruction's keyword.
fn described(dockerfile: &Dockerfile) -> Vec<(&str, &Keyword)> {
    let mut pairs = Vec::new();
    let mut above: Vec<&str> = Vec::new();
    for item in &dockerfile.items {
        match &item.kind {
            ItemKind::Comment => above.push(dockerfile.slice(item.span.clone()).trim()),
            ItemKind::Instruction(instruction) => pairs.extend(above.drain(..).map(|comment| (comment, &instruction.keyword))),
            _ => above.clear(),
        }
    }
    pairs
}

/// The instructions that set the configuration: in order, or where instructions move, in order within each stage and keyword, USER
/// left out (see [`users`]); ENV and LABEL in any order, since those that move set different names, and ENV by its variables, since it
/// may be cut.
fn configuration(dockerfile: &Dockerfile, moves: bool) -> Vec<(usize, String, String)> {
    let mut stage = 0;
    let mut parts = Vec::new();
    for instruction in dockerfile.instructions() {
        stage += usize::from(stage_part(instruction));
        if !config_part(instruction) || moves && instruction.keyword == Keyword::User {
            continue;
        }
        let kind = if moves { instruction.word.to_ascii_uppercase() } else { String::new() };
        if kind == "ENV" {
            let pairs = instruction.arguments.values.chunks(2).map(|pair| pair.join("="));
            parts.extend(pairs.map(|pair| (stage, kind.clone(), pair)));
        } else {
            parts.push((stage, kind, instruction.logical.as_str().to_owned()));
        }
    }
    if moves {
        parts.sort_by(|one, other| {
            let key = |part: &(usize, String, String)| {
                (part.0, part.1.clone(), matches!(part.1.as_str(), "ENV" | "LABEL").then(|| part.2.clone()))
            };
            key(one).cmp(&key(other))
        });
    }
    parts
}

/// What the USERs of each stage say, in order.
fn users(dockerfile: &Dockerfile) -> Vec<Vec<&str>> {
    let mut stages = vec![Vec::new()];
    for instruction in dockerfile.instructions() {
        match (&instruction.keyword, stages.last_mut()) {
            (Keyword::From, _) => stages.push(Vec::new()),
            (Keyword::User, Some(users)) => users.push(instruction.arguments_text()),
            _ => {}
        }
    }
    stages
}

/// A step that moves alone may get a USER of its own and one behind it; all that were there stand in their order, the last one last.
fn are_kept(before: &[&str], after: &[&str]) -> bool {
    let mut rest = after.iter();
    before.iter().all(|user| rest.any(|other| other == user)) && before.last() == after.last()
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
