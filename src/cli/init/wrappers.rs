//! Wrappers that turn BuildKit on before they build.
//!
//! Owns: Makefile, `build.sh` and `build.ps1`. Never does: touch a target or a script that is there.

use super::plan::{self, Change, Proposal};
use super::project::Project;
use std::path::Path;

const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

const TARGETS: [&str; 3] = ["build", "build-fresh", "dev"];

/// Names the engine's switch in every kind of file.
const SWITCH: &str = "DOCKER_BUILDKIT";

/// The commands of a project.
struct Commands {
    build: String,
    fresh: String,
    /// Builds by itself.
    dev: Option<String>,
    /// Runs what was built.
    run: String,
    detached: String,
}

fn commands(project: &Project) -> Result<Commands, String> {
    if project.compose.is_some() {
        return Ok(Commands {
            build: "docker compose build".to_owned(),
            fresh: "docker compose build --no-cache --pull".to_owned(),
            dev: Some("docker compose up --build".to_owned()),
            run: "docker compose up".to_owned(),
            detached: "docker compose up --detach".to_owned(),
        });
    }
    let (image, words) = (&project.image, project.dockerfile.clone()?.words());
    Ok(Commands {
        build: format!("docker build --tag {image} {words}"),
        fresh: format!("docker build --no-cache --pull --tag {image} {words}"),
        dev: None,
        run: format!("docker run --rm --interactive --tty {image}"),
        detached: format!("docker run --detach {image}"),
    })
}

/// A Makefile with `build`, `build-fresh` and `dev`.
pub(super) fn make(folder: &Path, project: &Project) -> Proposal {
    let purpose = "make build, build-fresh (nothing from a cache, bases anew), dev (build and run)";
    let name = MAKEFILES.into_iter().find(|name| folder.join(name).symlink_metadata().is_ok()).unwrap_or("Makefile");
    let commands = match commands(project) {
        Ok(commands) => commands,
        Err(because) => return Proposal::by_hand(name, because, ""),
    };
    let block = makefile(&commands);
    let before = match plan::text_of(folder, name) {
        Ok(None) => return Proposal::made(name, block, purpose),
        Ok(Some(text)) => text,
        Err(because) => return Proposal::by_hand(name, because, block),
    };
    let targets: Vec<&str> = TARGETS.into_iter().filter(|target| defines(&before, target)).collect();
    if targets.len() == TARGETS.len() && before.contains(SWITCH) {
        return Proposal::fine(name, "its targets turn BuildKit on already");
    }
    if !targets.is_empty() {
        let because = format!("has a target of its own for {}; this, above it, turns BuildKit on:", targets.join(", "));
        return Proposal::by_hand(name, because, "export DOCKER_BUILDKIT := 1\nexport COMPOSE_DOCKER_CLI_BUILD := 1");
    }
    if let Some(what) = unclear(&before) {
        return Proposal::by_hand(
            name,
            format!("has `{what}`, so that more targets can't be added blindly; see whether these do:"),
            block,
        );
    }
    let after = plan::appended(&before, &block);
    Proposal::extended(name, before, after, purpose)
}

fn makefile(commands: &Commands) -> String {
    let dev = match &commands.dev {
        Some(dev) => format!("dev:\n\t{dev}\n"),
        None => format!("dev: build\n\t{}\n", commands.run),
    };
    include_str!("templates/Makefile")
        .replace("@BUILD@", &commands.build)
        .replace("@FRESH@", &commands.fresh)
        .replace("@DEV@\n", &dev)
}

/// Whether a Makefile has a rule for the target.
fn defines(makefile: &str, target: &str) -> bool {
    let rules = makefile.lines().filter(|line| !line.starts_with(['\t', '#']));
    let mut names = rules.filter_map(|line| line.split_once(':')).map(|(names, _)| names);
    names.any(|names| names.split_whitespace().any(|name| name == target))
}

/// What keeps a Makefile from being read to its end.
fn unclear(makefile: &str) -> Option<&str> {
    makefile.lines().map(str::trim_start).find(|line| {
        let word = line.split_whitespace().next().unwrap_or_default();
        let includes = matches!(word, "include" | "-include" | "sinclude") && !line.trim_end().ends_with(".env");
        includes || word.starts_with(".RECIPEPREFIX")
    })
}

/// A script for every shell.
pub(super) fn sh(folder: &Path, project: &Project) -> Proposal {
    let lines = "export DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1";
    let fill = |commands: &Commands| script(include_str!("templates/build.sh"), commands, project, "\"$@\"");
    own_script(folder, "build.sh", project, lines, fill)
}

/// A script for PowerShell.
pub(super) fn ps1(folder: &Path, project: &Project) -> Proposal {
    let lines = "$env:DOCKER_BUILDKIT = '1'\n$env:COMPOSE_DOCKER_CLI_BUILD = '1'";
    let fill = |commands: &Commands| script(include_str!("templates/build.ps1"), commands, project, "@options");
    own_script(folder, "build.ps1", project, lines, fill)
}

fn script(template: &str, commands: &Commands, project: &Project, options: &str) -> String {
    let build = match &project.dockerfile {
        Ok(dockerfile) if project.compose.is_none() => {
            format!("docker build {options} --tag {} {}", project.image, dockerfile.words())
        }
        _ => format!("docker compose build {options}"),
    };
    template.replace("@BUILD@", &build).replace("@DETACHED@", &commands.detached)
}

fn own_script(folder: &Path, name: &str, project: &Project, lines: &str, fill: impl Fn(&Commands) -> String) -> Proposal {
    let commands = match commands(project) {
        Ok(commands) => commands,
        Err(because) => return Proposal::by_hand(name, because, ""),
    };
    match plan::text_of(folder, name) {
        Ok(None) => Proposal::Change(Change {
            path: name.to_owned(),
            before: None,
            after: fill(&commands),
            executable: name.ends_with(".sh"),
            purpose: "builds with BuildKit on; --no-cache, --pull, --detached (and run it)".to_owned(),
            notes: Vec::new(),
        }),
        Ok(Some(text)) if text.contains(SWITCH) => Proposal::fine(name, "turns BuildKit on already"),
        Ok(Some(_)) => Proposal::by_hand(name, "is there already; this, above its build, turns BuildKit on:", lines),
        Err(because) => Proposal::by_hand(name, because, lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_where_make_finds_them() {
        let text = ".PHONY: build\nall clean: x\n\tdev: y\n# dev: z\nbuild-fresh :\n";
        assert_eq!(TARGETS.map(|target| defines(text, target)), [false, true, false]);
        assert!(defines(text, "clean") && !defines(text, "x"));
        assert_eq!(unclear("a:\ninclude rules.mk\n"), Some("include rules.mk"));
        assert_eq!(unclear("-include .env\na:\n\tb\n"), None);
    }
}
