//! What single commands touch.
//!
//! Owns: which part of the knowledge a command is asked of, and what its redirections touch. Never does: judge a whole step.

use super::draft::{Draft, Outcome, Sight, Word};
use super::{Area, Footprint, archives, fetch, files, managers, scripts, search, system, text};
use crate::ecosystems::{Dependencies, Found, Project, Surroundings, Wrapper};
use crate::knowledge::Knowledge;
use crate::model::commands::Role;
use crate::model::{Ran, paths::is_within};

/// What a command touches; `at.workdir` is the folder in which it runs. Anything, where that is not known.
pub fn of_command(ran: &Ran, at: &Surroundings<'_>, project: &dyn Project) -> Footprint {
    of_sight(Sight { ran, at, project, depth: 0 })
}

/// What the part of a package manager's command touches that does no more than these dependencies say.
pub fn of_dependencies(ran: &Ran, at: &Surroundings<'_>, project: &dyn Project, dependencies: &Dependencies) -> Footprint {
    let mut draft = Draft::new(Sight { ran, at, project, depth: 0 });
    let outcome = redirections(&mut draft).and_then(|()| managers::install(&mut draft, dependencies));
    finish(draft, outcome)
}

/// The script files of the project that a command runs, each before those that it runs itself.
pub fn scripts_read(ran: &Ran, at: &Surroundings<'_>, project: &dyn Project) -> Vec<String> {
    scripts::files_of(Sight { ran, at, project, depth: 0 })
}

pub(super) fn of_sight(sight: Sight<'_>) -> Footprint {
    let mut draft = Draft::new(sight);
    let outcome = redirections(&mut draft).and_then(|()| match sight.ran.role {
        Role::Bare | Role::Function => Ok(()),
        Role::Unnamed => Err("its name is not known".to_owned()),
        Role::Command | Role::Substituted => command(&mut draft),
    });
    finish(draft, outcome)
}

fn finish(draft: Draft<'_>, outcome: Outcome) -> Footprint {
    match outcome {
        Ok(()) => draft.footprint,
        Err(why) => {
            let program = &draft.sight.ran.invocation.program;
            let does = why.strip_prefix("it ").filter(|_| !program.is_empty());
            let mut footprint = Footprint::anything(match (why.is_empty(), program.is_empty()) {
                (true, _) => format!("`{program}` may touch anything"),
                (false, true) => why,
                (false, false) if does.is_some() => format!("`{program}` {}", does.unwrap_or_default()),
                (false, false) => format!("`{program}` may touch anything: {why}"),
            });
            footprint.fetches = draft.footprint.fetches;
            footprint
        }
    }
}

fn redirections(draft: &mut Draft<'_>) -> Outcome {
    let ran = draft.sight.ran;
    match &ran.mentions {
        Knowledge::Known(names) => draft.mentions(names),
        Knowledge::Unknown => draft.reads_all_variables(),
    }
    let word = |file: &Knowledge<String>| match file {
        Knowledge::Known(file) => Ok(Word::known(file)),
        Knowledge::Unknown => Err("the name of a file behind `<` or `>` is not known".to_owned()),
    };
    for file in &ran.reads {
        draft.read(&word(file)?)?;
    }
    for file in &ran.writes {
        draft.write(&word(file)?)?;
    }
    Ok(())
}

/// What a program does with its words; `None` when it is not known.
type Known = fn(&mut Draft<'_>, &str, &[Word]) -> Option<Outcome>;

/// Who is asked of a program, in this order.
const ASKED: &[Known] = &[text::command, files::command, search::command, archives::command, fetch::command, system::command];

fn command(draft: &mut Draft<'_>) -> Outcome {
    let invocation = &draft.sight.ran.invocation;
    let program = invocation.program.as_str();
    let mut words = draft.words();
    search::add_piped(draft, &mut words)?;
    if scripts::is_shell(program) || matches!(program, "." | "source") {
        return scripts::command(draft, &words);
    }
    if invocation.path.contains('/') && !is_installed(draft, &invocation.path) {
        return scripts::local(draft, &words);
    }
    if let Some(outcome) = managers::command(draft) {
        return outcome;
    }
    if let Some(Wrapper::Environment(by)) = environment(draft) {
        return Err(format!("`{by} run` runs it"));
    }
    if only_asks(program, &words) {
        draft.reads_system();
        return Ok(());
    }
    ASKED.iter().find_map(|asked| asked(draft, program, &words)).unwrap_or_else(|| Err(String::new()))
}

fn environment(draft: &Draft<'_>) -> Option<Wrapper> {
    draft.sight.ran.invocation.wrappers.iter().find(|wrapper| matches!(wrapper, Wrapper::Environment(_))).cloned()
}

/// `x --version`, `x --help`
fn only_asks(program: &str, words: &[Word]) -> bool {
    const BY_V: &[&str] = &["node", "php", "ruby", "perl", "nginx", "httpd", "apachectl", "caddy"];
    match words {
        [only] => match only.text() {
            "--version" | "-version" | "--help" | "-V" => true,
            "-v" => BY_V.contains(&program),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a path names a program that something installed, so that its name says what it is.
fn is_installed(draft: &mut Draft<'_>, path: &str) -> bool {
    let Ok(Some(Area::At(absolute))) = draft.places(&Word::known(path)).map(|places| places.into_iter().next()) else {
        return false;
    };
    let system = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib", "/usr/local/lib"];
    if system.iter().any(|folder| is_within(&absolute, folder)) {
        draft.reads_system();
        return true;
    }
    // A project's `./gradlew` or `bin/composer` is asked as what its name says.
    if managers::knows(draft) && draft.sight.project.look(&absolute) == Found::File {
        draft.reads([Area::At(absolute)]);
        return true;
    }
    // `/opt/venv/bin/pip`, `/usr/local/go/bin/go`
    let environment = absolute.rsplit_once('/').and_then(|(folder, _)| folder.strip_suffix("/bin"));
    match environment {
        Some(environment) if managers::knows(draft) => {
            draft.uses_folder(environment);
            true
        }
        _ => false,
    }
}
