//! Programs that run others on what they find: `find` and `xargs`.
//!
//! Owns: what they look at, and which words they hand on. Never does: know what the program that they run does.

use super::draft::{Draft, Outcome, Sight, Word};
use super::program::of_sight;
use crate::ecosystems::{Argument, Invocation, Wrapper};
use crate::knowledge::Knowledge;
use crate::model::Ran;

/// The command, if it is one of these.
pub fn command(draft: &mut Draft<'_>, program: &str, words: &[Word]) -> Option<Outcome> {
    (program == "find").then(|| find(draft, words))
}

/// What is not known of words that `xargs` reads.
fn unread() -> Word {
    Word { value: None, beginning: String::new(), raw: "the input of `xargs`".to_owned() }
}

/// The words that `xargs` adds.
///
/// # Errors
/// When the program that it runs is not known.
pub fn add_piped(draft: &Draft<'_>, words: &mut Vec<Word>) -> Outcome {
    let ran = draft.sight.ran;
    if !ran.invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(());
    }
    let added = ran.fed_by.as_deref().and_then(found).unwrap_or_else(|| vec![unread()]);
    match &ran.placeholder {
        Some(mark) => *words = words.iter().flat_map(|word| replace(word, mark, &added)).collect(),
        None => words.extend(added),
    }
    Ok(())
}

fn replace(word: &Word, mark: &str, by: &[Word]) -> Vec<Word> {
    if !word.text().contains(mark) {
        return vec![word.clone()];
    }
    by.iter()
        .map(|found| match &found.value {
            Some(found) => Word::known(&word.text().replace(mark, found)),
            None => found.clone(),
        })
        .collect()
}

/// What a program prints, as patterns of paths.
fn found(invocation: &Invocation) -> Option<Vec<Word>> {
    match invocation.program.as_str() {
        "find" => {
            let words = invocation.arguments.iter().map(|argument| argument.value.known());
            let roots = words.take_while(|word| word.is_none_or(|word| !is_expression(word)));
            let roots: Vec<&String> = roots.collect::<Option<_>>()?;
            Some(if roots.is_empty() { vec![below(".")] } else { roots.into_iter().map(|root| below(root)).collect() })
        }
        "echo" | "printf" => {
            let words = invocation.arguments.iter().map(|argument| argument.value.known().cloned());
            let words: Vec<String> = words.collect::<Option<_>>()?;
            let words = words.iter().filter(|word| !word.starts_with(['-', '%'])).flat_map(|word| word.split_whitespace());
            Some(words.map(Word::known).collect())
        }
        _ => None,
    }
}

fn below(root: &str) -> Word {
    Word::known(&format!("{}/*", root.trim_end_matches('/')))
}

fn is_expression(word: &str) -> bool {
    word.starts_with('-') && !matches!(word, "-L" | "-H" | "-P") || matches!(word, "(" | "!" | "\\(" | "\\!")
}

fn find(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let words: Vec<Word> = words.iter().filter(|word| !matches!(word.text(), "-L" | "-H" | "-P")).cloned().collect();
    let at = words.iter().position(|word| is_expression(word.text())).unwrap_or(words.len());
    let (roots, expression) = words.split_at_checked(at).unwrap_or_default();
    let roots = if roots.is_empty() { vec![draft.here()] } else { roots.to_vec() };
    roots.iter().try_for_each(|root| draft.read_below(root))?;
    let mut rest = expression.iter();
    while let Some(word) = rest.next() {
        match word.text() {
            "-delete" => roots.iter().try_for_each(|root| draft.write_below(root))?,
            "-exec" | "-execdir" | "-ok" | "-okdir" => {
                let command: Vec<&Word> = rest.by_ref().take_while(|word| !matches!(word.text(), ";" | "\\;" | "+")).collect();
                execute(draft, &roots, &command)?;
                if word.text().ends_with("dir") {
                    // It runs in the folder of what was found.
                    roots.iter().try_for_each(|root| draft.write_below(root))?;
                }
            }
            "-newer" | "-anewer" | "-cnewer" | "-samefile" | "-files0-from" => {
                draft.read(rest.next().unwrap_or(&Word::default()))?;
            }
            "-fprint" | "-fprintf" | "-fls" | "-fprint0" => draft.write(rest.next().unwrap_or(&Word::default()))?,
            // A word whose value is not known may only be that of a test.
            "" if word.value.is_none() && !word.raw.starts_with(['"', '\'']) => return Err(word.unknown()),
            _ => {}
        }
    }
    Ok(())
}

/// Runs a command on what may lie below the roots.
fn execute(draft: &mut Draft<'_>, roots: &[Word], command: &[&Word]) -> Outcome {
    let added: Vec<Word> = roots
        .iter()
        .map(|root| match &root.value {
            Some(root) => below(root),
            None => root.clone(),
        })
        .collect();
    let words: Vec<Word> = command.iter().flat_map(|word| replace(word, "{}", &added)).collect();
    let arguments =
        words.iter().map(|word| Argument { value: word.value.clone().into(), raw: word.raw.clone(), span: Knowledge::Unknown });
    let invocation =
        Invocation::unwrap(arguments.collect(), Vec::new(), 0..0).ok_or_else(|| "what it runs is not known".to_owned())?;
    let skip = words.len().saturating_sub(invocation.arguments.len());
    let beginnings = words.iter().skip(skip).map(|word| word.beginning.clone()).collect();
    let ran = Ran {
        invocation,
        beginnings,
        role: crate::model::commands::Role::Command,
        mentions: draft.sight.ran.mentions.clone(),
        folder: draft.sight.ran.folder.clone(),
        ..Ran::default()
    };
    if draft.sight.depth >= super::scripts::DEEPEST {
        return Err("it is too deep".to_owned());
    }
    let footprint = of_sight(Sight { ran: &ran, depth: draft.sight.depth + 1, ..draft.sight });
    draft.footprint.add(footprint);
    Ok(())
}
