//! Cleanups of a cache that becomes a mount.
//!
//! Owns: finding `rm -rf`, `find … -delete` and the managers' own clean commands that would empty the mount, fail on it or be dead
//! after it, and what to take out for them. Never does: take out a cleanup that does anything else.

use super::usage::StepUse;
use super::visibility;
use crate::ecosystems::{Activity, Ecosystem};
use crate::knowledge::Knowledge;
use crate::model::Ran;
use crate::model::paths::{self, Relation};
use crate::pipeline::Refusal;
use crate::shell::Removal;
use std::ops::Range;

/// A part of a script to take out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// These bytes of the script: a command with its connector, or an argument with the blank in front of it.
    Part(Range<usize>),
    /// The script holds nothing else.
    Whole,
}

/// What becomes of one command when folders are mounted.
enum Verdict {
    /// Nothing to do with them.
    Apart,
    /// It cleans nothing but them.
    Dead,
    /// These arguments of it clean them; the rest stays.
    Arguments(Vec<usize>),
    /// It cleans a folder above one of them.
    Above(String),
}

/// The cuts that a RUN needs when `folders` are mounted in it. `dead` lists folders that are empty anyway from then on.
///
/// # Errors
/// The cleanup that can't be taken out, and why.
pub fn in_step(item: &StepUse<'_>, ecosystem: &dyn Ecosystem, folders: &[String], dead: &[&str]) -> Result<Vec<Cut>, Refusal> {
    let mut cuts = Vec::new();
    for ran in item.commands.iter() {
        if visibility::is_script(ran) && names_cleaning(ran) {
            let why = format!("`{}` may clean folders that would be mounted, and what it does is not known", item.quoted(ran));
            return Err(Refusal::Cleanup { line: item.line(), why });
        }
        if is_own_clean(item, ecosystem, ran) && ecosystem.clean_spares_mounts() {
            // Dead, but harmless where it has to stay.
            if !dead.is_empty() {
                cuts.extend(whole_command(item, ran));
            }
            continue;
        }
        match verdict_of(item, ecosystem, ran, folders, dead) {
            Verdict::Apart => {}
            Verdict::Dead => cuts.push(whole_command(item, ran)?),
            Verdict::Arguments(indexes) => {
                for index in indexes {
                    cuts.push(argument(item, ran, index)?);
                }
            }
            Verdict::Above(path) if only_caches_there(item, &path) => match single_argument(ran) {
                true => cuts.push(whole_command(item, ran)?),
                false => {
                    for (index, argument_path) in cleaned_paths(item, ran) {
                        if argument_path.known() == Some(&path) {
                            cuts.push(argument(item, ran, index)?);
                        }
                    }
                }
            },
            Verdict::Above(path) => {
                let text = item.quoted(ran);
                let why = format!("`{text}` cleans {path}, which would hold the mount: the build would fail on it");
                return Err(Refusal::Cleanup { line: item.line(), why });
            }
        }
    }
    Ok(cuts)
}

/// A script that says by its name that it cleans up.
fn names_cleaning(ran: &Ran) -> bool {
    let words = ran.invocation.known_arguments().map(|(_, word)| word).take(1).chain([ran.invocation.program.as_str()]);
    words.map(str::to_ascii_lowercase).any(|word| ["clean", "purge", "minimi", "shrink"].iter().any(|part| word.contains(part)))
}

/// Whether everything that the RUN puts below a folder of caches comes from managers: then a cleanup of the whole folder was
/// meant for them.
fn only_caches_there(item: &StepUse<'_>, path: &str) -> bool {
    let is_caches = path.trim_end_matches(['*', '/']).ends_with("/.cache");
    is_caches
        && item
            .commands
            .iter()
            .enumerate()
            .all(|(index, ran)| item.uses.iter().any(|used| used.command == index) || is_plain(ran))
}

/// Programs that put nothing into a user's cache folder.
const PLAIN: &[&str] = &[
    "rm",
    "mkdir",
    "cp",
    "mv",
    "ln",
    "chmod",
    "chown",
    "chgrp",
    "echo",
    "printf",
    "cd",
    "set",
    "export",
    "unset",
    "true",
    "test",
    "[",
    "cat",
    "sed",
    "awk",
    "grep",
    "find",
    "touch",
    "tar",
    "unzip",
    "curl",
    "wget",
    "useradd",
    "groupadd",
    "adduser",
    "addgroup",
    "usermod",
    "ldconfig",
    "update-ca-certificates",
    "strip",
    "install",
    "ls",
    "rmdir",
    "sort",
    "uniq",
    "head",
    "tail",
    "tr",
    "cut",
    "xz",
    "gzip",
    "gunzip",
    "bunzip2",
    "date",
    "locale-gen",
    "dpkg-reconfigure",
    "apt-mark",
    "apt-key",
    "gpg",
    "dirname",
    "basename",
];

/// Whether the program puts nothing into a cache folder.
pub fn is_plain(ran: &Ran) -> bool {
    PLAIN.contains(&ran.invocation.program.as_str())
}

fn single_argument(ran: &Ran) -> bool {
    ran.invocation.known_arguments().filter(|(_, value)| !value.starts_with('-')).count() == 1
}

/// The paths that `rm -r` or `find … -delete` cleans, with the index of their arguments.
fn cleaned_paths(item: &StepUse<'_>, ran: &Ran) -> Vec<(usize, Knowledge<String>)> {
    let arguments = ran.invocation.arguments.iter().enumerate();
    let absolute = |value: &Knowledge<String>| match value {
        Knowledge::Known(path) => item.step.state.absolute(path),
        Knowledge::Unknown => Knowledge::Unknown,
    };
    match ran.invocation.program.as_str() {
        "rm" => {
            let is_path = |value: &Knowledge<String>| !value.known().is_some_and(|value| value.starts_with('-'));
            arguments
                .filter(|(_, argument)| is_path(&argument.value))
                .map(|(index, argument)| (index, absolute(&argument.value)))
                .collect()
        }
        "find" if deletes(ran) => {
            let until = |value: &Knowledge<String>| !value.known().is_some_and(|value| value.starts_with(['-', '(', '!']));
            arguments
                .take_while(|(_, argument)| until(&argument.value))
                .map(|(index, argument)| (index, absolute(&argument.value)))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// `find` that deletes whatever it finds, not only files of some name.
fn deletes(ran: &Ran) -> bool {
    let has = |words: &[&str]| ran.invocation.flag(words).is_some();
    (has(&["-delete"]) || has(&["rm"])) && !has(&["-name", "-iname", "-path", "-regex", "-wholename"])
}

/// Whether the command is the manager's own clean command.
fn is_own_clean(item: &StepUse<'_>, ecosystem: &dyn Ecosystem, ran: &Ran) -> bool {
    item.of(ecosystem).any(|(other, activity)| activity == Activity::Clean && other.invocation.span == ran.invocation.span)
}

fn verdict_of(item: &StepUse<'_>, ecosystem: &dyn Ecosystem, ran: &Ran, folders: &[String], dead: &[&str]) -> Verdict {
    if is_own_clean(item, ecosystem, ran) { Verdict::Dead } else { verdict(item, ran, folders, dead) }
}

fn verdict(item: &StepUse<'_>, ran: &Ran, folders: &[String], dead: &[&str]) -> Verdict {
    let paths = cleaned_paths(item, ran);
    let mut within = Vec::new();
    for (index, path) in &paths {
        let Some(path) = path.known() else { continue };
        let relations: Vec<Relation> = folders.iter().map(|folder| paths::relation(path, folder)).collect();
        // A whole tree above the mount: `find /` and `find /usr/local` look for rubbish everywhere and don't fail on a mount.
        let searches = ran.invocation.program == "find" && path.matches('/').count() < 3;
        if relations.contains(&Relation::Above) && !searches {
            return Verdict::Above(path.clone());
        }
        if relations.contains(&Relation::Within) || dead.iter().any(|folder| paths::relation(path, folder) == Relation::Within) {
            within.push(*index);
        }
    }
    match within.len() {
        0 => Verdict::Apart,
        count if count == paths.len() => Verdict::Dead,
        _ if ran.invocation.program == "find" => Verdict::Above(folders.first().cloned().unwrap_or_default()),
        _ => Verdict::Arguments(within),
    }
}

fn whole_command(item: &StepUse<'_>, ran: &Ran) -> Result<Cut, Refusal> {
    match &ran.removal {
        Removal::Range(range) => Ok(Cut::Part(range.clone())),
        Removal::Whole => Ok(Cut::Whole),
        Removal::No(why) => {
            let text = item.quoted(ran);
            Err(Refusal::Cleanup {
                line: item.line(),
                why: format!("`{text}` would empty the mount and can't be taken out: {why}"),
            })
        }
    }
}

/// An argument with the blanks in front of it.
fn argument(item: &StepUse<'_>, ran: &Ran, index: usize) -> Result<Cut, Refusal> {
    argument_range(ran, index).map(Cut::Part).ok_or_else(|| {
        let why = format!("a part of `{}` would empty the mount and its place in the text is not exact", item.quoted(ran));
        Refusal::Cleanup { line: item.line(), why }
    })
}

/// The bytes of an argument with what separates it from the word before.
pub fn argument_range(ran: &Ran, index: usize) -> Option<Range<usize>> {
    let invocation = &ran.invocation;
    let span = invocation.arguments.get(index)?.span.known()?.clone();
    let before = match index.checked_sub(1) {
        Some(previous) => invocation.arguments.get(previous)?.span.known()?.end,
        None => *invocation.behind_program.known()?,
    };
    (before <= span.start).then_some(before..span.end)
}

/// The cuts of a RUN of its own that does nothing but clean `folders` (or `dead` ones), if it is one; and those in a RUN that
/// does more, where they can be taken out.
pub fn in_other_step(item: &StepUse<'_>, ecosystem: &dyn Ecosystem, folders: &[String], dead: &[&str]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for ran in item.commands.iter() {
        match verdict_of(item, ecosystem, ran, folders, dead) {
            Verdict::Dead => cuts.extend(whole_command(item, ran)),
            Verdict::Arguments(indexes) => {
                cuts.extend(indexes.into_iter().filter_map(|index| argument_range(ran, index)).map(Cut::Part))
            }
            Verdict::Apart | Verdict::Above(_) => {}
        }
    }
    // Several parts that together are everything: each alone left something for the shell to run.
    let all_dead = !item.commands.is_empty()
        && item.commands.iter().all(|ran| matches!(verdict_of(item, ecosystem, ran, folders, dead), Verdict::Dead));
    if all_dead { vec![Cut::Whole] } else { cuts }
}
