//! Shell texts that a command runs: `sh -c '…'`, and scripts of the project.
//!
//! Owns: finding a script's text and taking its commands together. Never does: run anything, or read a script in another language.

use super::draft::{Draft, Outcome, Sight, Word};
use super::program::of_sight;
use super::{Area, Footprint, installers};
use crate::ecosystems::{Found, Surroundings};
use crate::knowledge::Knowledge;
use crate::model::Ran;
use crate::model::commands::{Role, Start, of_list};
use crate::shell;
use std::rc::Rc;
use std::sync::Arc;

/// How deep scripts may run scripts.
pub const DEEPEST: u8 = 8;

/// Whether a program is a shell whose scripts can be read.
pub fn is_shell(program: &str) -> bool {
    matches!(program, "sh" | "bash" | "ash" | "dash")
}

/// A shell's text with what it is called with.
struct Text {
    text: Arc<str>,
    /// The file that it is from.
    file: Option<String>,
    parameters: Option<Rc<[Knowledge<String>]>>,
    errexit: bool,
    /// It runs in the shell that reads it: `. ./env.sh`.
    sourced: bool,
}

/// What a call of a shell runs.
enum Call {
    /// A text.
    Text(Text),
    /// Something else that is known, by what it reads.
    Reads(Vec<Area>),
    /// An installer of another host: the file in which it lies, if it does, and its URL.
    Installer(Option<String>, String),
}

/// `sh …`, `. …`
pub fn command(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let call = match draft.sight.ran.invocation.program.as_str() {
        "." | "source" => sourced(draft, words)?,
        program => called(draft, program, words)?,
    };
    run(draft, call)
}

/// A program given by its path: a script of the project, or something that is not known.
pub fn local(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let call = local_call(draft, words)?;
    run(draft, call)
}

/// The script files that a command runs, each before those that it runs itself.
pub fn files_of(sight: Sight<'_>) -> Vec<String> {
    let draft = Draft::new(sight);
    let mut files = Vec::new();
    let Ok(Call::Text(text)) = call_of(&draft) else { return files };
    files.extend(text.file.clone());
    if sight.depth < DEEPEST {
        for inner in commands(&sight, &text).unwrap_or_default() {
            let at = surroundings(&sight, &inner);
            let own = files_of(Sight { ran: &inner, at: &at, depth: sight.depth + 1, ..sight });
            files.extend(own.into_iter().filter(|file| !files.contains(file)).collect::<Vec<_>>());
        }
    }
    files
}

fn call_of(draft: &Draft<'_>) -> Result<Call, String> {
    let ran = draft.sight.ran;
    if !matches!(ran.role, Role::Command | Role::Substituted) {
        return Err(String::new());
    }
    let words = draft.words();
    match ran.invocation.program.as_str() {
        "." | "source" => sourced(draft, &words),
        program if is_shell(program) => called(draft, program, &words),
        _ if ran.invocation.path.contains('/') => local_call(draft, &words),
        _ => Err(String::new()),
    }
}

fn called(draft: &Draft<'_>, program: &str, words: &[Word]) -> Result<Call, String> {
    let mut errexit = false;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let text = word.value.as_deref().ok_or_else(|| word.unknown())?;
        match text {
            "-o" | "+o" => {
                rest.next();
            }
            "--login" | "--norc" | "--noprofile" | "--posix" => {}
            "--version" => return Ok(Call::Reads(Vec::new())),
            "-" | "-s" => return piped(draft, program),
            option if option.starts_with(['-', '+']) && option.chars().skip(1).all(|c| "abefhlmnuvxcipCEo".contains(c)) => {
                errexit |= option.starts_with('-') && option.contains('e');
                if option.contains('o') {
                    rest.next();
                }
                if option.contains('c') {
                    let text = rest.next().ok_or_else(String::new)?;
                    let text = text.value.as_deref().ok_or_else(|| text.unknown())?;
                    let parameters = parameters(rest.skip(1));
                    return Ok(Call::Text(Text { text: text.into(), file: None, parameters, errexit, sourced: false }));
                }
            }
            option if option.starts_with('-') => return Err(format!("its option {option} is not known here")),
            _ => return script(draft, word, rest, errexit, false),
        }
    }
    piped(draft, program)
}

/// What is handed over a pipe: an installer, where it comes straight from its URL.
fn piped(draft: &Draft<'_>, program: &str) -> Result<Call, String> {
    let Some(by) = &draft.sight.ran.fed_by else { return Err("it runs what it reads".to_owned()) };
    let mut urls = by.arguments.iter().map(|argument| argument.raw.trim_matches(['"', '\''])).filter(|word| word.contains("://"));
    match (by.program.as_str(), urls.next(), urls.next()) {
        ("curl" | "wget", Some(url), None) if installers::is_known(url) => Ok(Call::Installer(None, url.to_owned())),
        (fetcher, ..) => Err(format!("`{fetcher} … | {program}` runs what it is handed")),
    }
}

fn parameters<'w>(words: impl Iterator<Item = &'w Word>) -> Option<Rc<[Knowledge<String>]>> {
    Some(words.map(|word| word.value.clone().into()).collect())
}

fn local_call(draft: &Draft<'_>, words: &[Word]) -> Result<Call, String> {
    let path = Word::known(&draft.sight.ran.invocation.path);
    script(draft, &path, words.iter(), false, true)
}

/// A file of the project as a script.
fn script<'w>(
    draft: &Draft<'_>,
    file: &Word,
    words: impl Iterator<Item = &'w Word>,
    errexit: bool,
    by_its_first_line: bool,
) -> Result<Call, String> {
    let path = draft.path(file)?;
    let shown = file.text();
    match draft.sight.project.look(&path) {
        Found::File => {}
        Found::Folder => return Err(format!("{shown} is a folder")),
        Found::Nothing | Found::Unknown => {
            let url = draft.sight.project.downloaded(&path).filter(|url| installers::is_known(url));
            let url = url.ok_or_else(|| format!("{shown} is not from the build context"))?;
            return Ok(Call::Installer(Some(path), url));
        }
    }
    let Knowledge::Known(text) = draft.sight.project.text(&path) else { return Err(format!("{shown} can't be read")) };
    let mut errexit = errexit;
    if let Some(line) = text.strip_prefix("#!").and_then(|rest| rest.lines().next()).filter(|_| by_its_first_line) {
        let mut words = line.split_whitespace().skip_while(|word| word.ends_with("/env") || *word == "-S");
        let interpreter = words.next().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
        if !is_shell(interpreter) {
            return Err(format!("{shown} is a program for `{interpreter}`"));
        }
        errexit |= words.any(|word| word.starts_with('-') && word.contains('e'));
    } else if text.contains('\0') {
        return Err(format!("{shown} is no script"));
    }
    Ok(Call::Text(Text { text, file: Some(path), parameters: parameters(words), errexit, sourced: false }))
}

/// Files that only set variables, wherever they are from.
const SETTINGS: &[&str] = &["/etc/os-release", "/etc/lsb-release", "/etc/environment", "/etc/profile", "/usr/lib/os-release"];

fn sourced(draft: &Draft<'_>, words: &[Word]) -> Result<Call, String> {
    let file = words.first().ok_or_else(String::new)?;
    let path = draft.path(file)?;
    if SETTINGS.contains(&path.as_str()) {
        return Ok(Call::Reads(vec![Area::At(path)]));
    }
    // A Python environment's own file sets PATH and VIRTUAL_ENV.
    if let Some(folder) = path.strip_suffix("/bin/activate") {
        return Ok(Call::Reads(vec![Area::Below(folder.to_owned())]));
    }
    let collection = path.starts_with("/opt/rh/") && path.ends_with("/enable");
    if collection || path.ends_with("/.cargo/env") || path == "/usr/local/cargo/env" {
        return Ok(Call::Reads(vec![Area::At(path)]));
    }
    match script(draft, file, words.iter().skip(1), false, false)? {
        Call::Text(text) => Ok(Call::Text(Text { sourced: true, ..text })),
        other => Ok(other),
    }
}

fn run(draft: &mut Draft<'_>, call: Call) -> Outcome {
    let text = match call {
        Call::Reads(areas) => {
            draft.reads(areas);
            return Ok(());
        }
        Call::Installer(file, url) => {
            let program = draft.sight.ran.invocation.program.clone();
            draft.reads(file.into_iter().map(Area::At));
            return installers::run(draft, &program, &url);
        }
        Call::Text(text) => text,
    };
    let sight = draft.sight;
    if sight.depth >= DEEPEST {
        return Err("scripts run scripts too deep".to_owned());
    }
    draft.reads(text.file.iter().cloned().map(Area::At));
    let inner = commands(&sight, &text)?;
    if text.sourced {
        leaves_settings(&sight, &inner)?;
    }
    for ran in &inner {
        let at = surroundings(&sight, ran);
        let footprint = of_sight(Sight { ran, at: &at, depth: sight.depth + 1, ..sight });
        draft.footprint.add(in_file(footprint, text.file.as_deref()));
    }
    Ok(())
}

/// With the file's name in the reason.
fn in_file(mut footprint: Footprint, file: Option<&str>) -> Footprint {
    if let Some(file) = file {
        // The innermost file is the one to look into.
        let reasons = [&mut footprint.reads.anything, &mut footprint.writes.anything];
        for why in reasons.into_iter().flatten().filter(|why| !why.starts_with('/')) {
            *why = format!("{file}: {why}");
        }
    }
    footprint
}

/// What a sourced script does to the shell that reads it, of which the commands behind it know nothing.
fn leaves_settings(sight: &Sight<'_>, inner: &[Ran]) -> Outcome {
    for ran in inner {
        match ran.invocation.program.as_str() {
            "cd" | "chdir" | "pushd" | "popd" => return Err("it changes the folder of the commands behind it".to_owned()),
            "alias" | "exec" | "eval" | "trap" => return Err(format!("it uses `{}`", ran.invocation.program)),
            _ => {}
        }
        if ran.role == Role::Function {
            return Err("it defines functions".to_owned());
        }
    }
    let set = inner.last().map(|ran| Rc::clone(&ran.variables)).unwrap_or_default();
    match set.iter().find(|(name, _)| sight.at.variable(name).is_some() || name == "PATH" || name == "HOME") {
        Some((name, _)) => Err(format!("it sets {name} for the commands behind it")),
        None => Ok(()),
    }
}

fn commands(sight: &Sight<'_>, text: &Text) -> Result<Vec<Ran>, String> {
    let shown = text.file.as_deref().unwrap_or("its text");
    let list = shell::parse(&text.text).map_err(|error| format!("{shown} can't be read as shell: {error}"))?;
    let at = sight.at;
    let outside = |name: &str| match name {
        "HOME" => Some(at.variable(name).cloned().unwrap_or_else(|| at.home.clone())),
        _ => at.variable(name).cloned(),
    };
    let start = Start {
        outside: &outside,
        folder: at.workdir.clone(),
        errexit: text.errexit,
        everything: true,
        name: text.file.clone(),
        parameters: text.parameters.clone(),
    };
    let mut inner = of_list(&list, &start);
    for ran in &mut inner {
        ran.invocation
            .wrappers
            .splice(0..0, sight.ran.invocation.wrappers.iter().filter(|wrapper| changes_user(wrapper)).cloned());
        ran.pins.checksum |= sight.ran.pins.checksum;
    }
    Ok(inner)
}

fn changes_user(wrapper: &crate::ecosystems::Wrapper) -> bool {
    matches!(wrapper, crate::ecosystems::Wrapper::Sudo { .. } | crate::ecosystems::Wrapper::Environment(_))
}

/// What holds around a command of a script.
fn surroundings<'s>(sight: &Sight<'s>, ran: &Ran) -> Surroundings<'s> {
    let mut at = sight.at.clone();
    at.variables.extend(ran.variables.iter().cloned());
    at.variables.extend(ran.invocation.variables.iter().cloned());
    at.workdir = ran.folder.clone();
    if let Some(home) = ran.variables.iter().chain(&ran.invocation.variables).rev().find(|(name, _)| name == "HOME") {
        at.home = home.1.clone();
    }
    at
}
