//! Programs that packages of the project bring (`bin` in their package.json) and an installer links and makes executable.
//!
//! Owns: finding those whose file is there at install time. Never does: know which packages a manager links; it is told.
//!
//! npm 10, Yarn 1, 3 and 4, pnpm 8 to 10 and Bun 1.4 were seen to leave the link out where the file does not exist yet, and to
//! make it executable where it does. So such a file is part of what the install reads.

use super::Manifest;
use super::reading::{Reading, join, needs_source};
use crate::ecosystems::Entangled;

/// Adds the programs of these packages that lie in the project.
pub(crate) fn read<'m>(reading: &mut Reading<'_>, packages: impl IntoIterator<Item = &'m Manifest>) -> Result<(), Entangled> {
    for package in packages {
        let folder = package.field("directories").and_then(|folders| folders.get("bin")).and_then(serde_json::Value::as_str);
        if folder.is_some_and(|folder| reading.is_folder(&join(&package.folder, folder))) {
            let place = package.place(reading, "directories");
            return Err(needs_source(format!("{place}: the programs in its bin folder are linked by the install")));
        }
        for program in package.bins() {
            let path = join(&package.folder, program);
            if reading.optional(&path) {
                let name = reading.name(&path).to_owned();
                reading.doubt(format!(
                    "the install makes {name} executable; copied again later, it has the mode that it has in the context"
                ));
            }
        }
    }
    Ok(())
}
