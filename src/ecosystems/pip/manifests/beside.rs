//! What the programs beside pip read of a project: pipx and pip-sync.
//!
//! Never does: know pip's own commands. Facts: pip-tools' manual (pip-sync), pipx 1.18's help.

use super::{EDITABLE, environments_filled, known, plain_name};
use crate::ecosystems::reading::{Reading, within};
use crate::ecosystems::requirements::Requirements;
use crate::ecosystems::words::sorted;
use crate::ecosystems::{Dependencies, Entangled, Invocation, Project, Surroundings};

/// `pipx install x` works outside the project, but for local paths; what `pipx run` runs may read anything.
pub(super) fn pipx(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Option<Dependencies>, Entangled> {
    let Some((index, subcommand)) = invocation.subcommand(&[]) else { return Ok(Some(Dependencies::default())) };
    let values = ["-r", "--requirement", "--spec", "--suffix", "--python", "-i", "--index-url", "--pip-args", "--preinstall"];
    let words = sorted(invocation, &[index], &values);
    match subcommand {
        "install" | "inject" if !words.has(&["-r", "--requirement", "--spec"]) => {
            let mut reading = Reading::new(at, project);
            let folder = at.workdir.known().cloned().unwrap_or_default();
            let mut requirements = Requirements::new(&mut reading, &folder, None);
            for (_, operand) in words.operands {
                let Some(text) = plain_name(operand) else { return Ok(None) };
                requirements.requirement(&text, words_editable(invocation), "")?;
            }
            requirements.finish();
            Ok(Some(reading.whole()))
        }
        "ensurepath" | "environment" | "list" | "uninstall" | "uninstall-all" | "upgrade" | "upgrade-all" | "upgrade-shared"
        | "reinstall" | "reinstall-all" | "completions" | "interpreter" => Ok(Some(Dependencies::default())),
        _ => Ok(None),
    }
}

fn words_editable(invocation: &Invocation) -> bool {
    invocation.flag(EDITABLE).is_some()
}

/// `pip-sync` reads the files that it names, or `requirements.txt`.
pub(super) fn pip_sync(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Dependencies, Entangled> {
    let values = [
        "-f",
        "--find-links",
        "-i",
        "--index-url",
        "--extra-index-url",
        "--trusted-host",
        "--python-executable",
        "--cert",
        "--client-cert",
        "--pip-args",
        "--config",
    ];
    let words = sorted(invocation, &[], &values);
    let mut reading = Reading::new(at, project);
    let folder = reading.absolute(".")?;
    let named: Vec<String> = match words.operands.as_slice() {
        [] => vec!["requirements.txt".to_owned()],
        operands => {
            operands.iter().map(|(_, file)| known(&file.value, "pip-sync").map(str::to_owned)).collect::<Result<_, _>>()?
        }
    };
    let mut requirements = Requirements::new(&mut reading, &folder, Some(within(&folder, "src")));
    for file in named {
        requirements.file(&file, &folder, false)?;
    }
    for links in words.values(&["-f", "--find-links"]) {
        requirements.links(known(links, "--find-links")?, None, "")?;
    }
    requirements.finish();
    environments_filled(&mut reading, invocation);
    Ok(reading.whole())
}
