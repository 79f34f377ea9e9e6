//! Where Python packages go: the virtual environments that a command may install into.
//!
//! Owns: finding them by the program's path, `VIRTUAL_ENV`, `PATH` and the commands that made them. Never does: say which of
//! several it is; a folder too many does no harm, because it lies in the project only where somebody made it there.

use super::reading::parent;
use super::words::sorted;
use super::{Invocation, Surroundings};
use crate::knowledge::Knowledge;

const SYSTEM: &[&str] = &["/", "/usr", "/usr/local", "/opt", "/opt/conda", "/snap"];

/// The environments in sight, absolute. Those of the system are left out.
pub(super) fn environments(invocation: &Invocation, at: &Surroundings) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |path: Knowledge<String>| {
        found.extend(path.into_known().filter(|path| !SYSTEM.contains(&path.as_str()) && Some(path) != at.home.known()));
    };
    let of_program = |program: &str| match program.rsplit_once("/bin/") {
        Some((prefix, _)) if !prefix.is_empty() => at.absolute(prefix),
        _ => Knowledge::Unknown,
    };
    add(of_program(&invocation.path));
    if let Some(Knowledge::Known(path)) = at.non_empty("VIRTUAL_ENV") {
        add(at.absolute(path));
    }
    if let Some(Knowledge::Known(path)) = at.non_empty("PATH") {
        for entry in path.split(':').filter(|entry| entry.starts_with('/') && entry.ends_with("/bin")) {
            // `~/.local/bin` is no environment.
            if !entry.ends_with("/.local/bin") && !entry.contains("/node_modules/") {
                add(at.absolute(parent(entry)));
            }
        }
    }
    for command in at.earlier {
        if let Some(folder) = made_by(command) {
            add(at.absolute(&folder));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The environment that a command makes: `python -m venv X`, `virtualenv X`, `uv venv`.
fn made_by(command: &Invocation) -> Option<String> {
    let values = ["--prompt", "-p", "--python", "--system-site-packages-dir", "--with-traceback", "--seeder"];
    let known = |index: &[usize]| {
        let words = sorted(command, index, &values);
        words.operands.last().and_then(|(_, operand)| operand.value.known().cloned())
    };
    match command.program.as_str() {
        "venv" | "virtualenv" | "pyvenv" => known(&[]),
        "uv" => {
            let (index, _) = command.subcommand(&[]).filter(|(_, name)| *name == "venv")?;
            Some(known(&[index]).unwrap_or_else(|| ".venv".to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{in_project, invocation};

    #[test]
    fn environments_are_found_by_path_variable_and_command() {
        let earlier = [invocation(&["venv", "--prompt", "x", "env"]), invocation(&["uv", "venv"])];
        let known = |name: &str, value: &str| (name.to_owned(), Knowledge::Known(value.to_owned()));
        let at = Surroundings {
            variables: vec![known("VIRTUAL_ENV", "/opt/v"), known("PATH", "/app/p/bin:/usr/local/bin:/root/.local/bin")],
            earlier: &earlier,
            ..in_project("python")
        };
        let found = environments(&invocation(&["v/bin/pip", "install"]), &at);
        assert_eq!(found, ["/app/.venv", "/app/env", "/app/p", "/app/v", "/opt/v"]);
        assert!(environments(&invocation(&["/usr/bin/pip", "install"]), &in_project("python")).is_empty());
    }
}
