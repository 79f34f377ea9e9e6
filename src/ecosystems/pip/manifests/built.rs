//! Where a project says that a build of it reads its source: the file and line that a build from the manifests alone would miss.
//!
//! Owns: finding that line in `setup.py`, `setup.cfg` and `pyproject.toml`, for words. Never does: decide anything by it.
//!
//! Facts: setuptools' manual (`attr:`, `file:`, finding packages), the pyproject specification (`readme`, `dynamic`).

use crate::ecosystems::reading::{Reading, within};
use crate::knowledge::Knowledge;

/// The files that say how a project is built, and the beginnings of the lines that name its source, the most telling first.
const TELLING: &[(&str, &[&str])] = &[
    ("setup.py", &["open(", "read_text(", "find_packages", "packages=", "py_modules="]),
    ("setup.cfg", &["attr:", "file:", "packages ="]),
    ("pyproject.toml", &["attr =", "attr=", "readme =", "readme=", "packages", "py-modules", "dynamic =", "build-backend"]),
];

/// `setup.py:4: from x import version`: the first such line of the project that a word on pip's command line names.
pub(super) fn from_source(word: &str, folder: &str, reading: &Reading<'_>) -> Option<String> {
    let word = word.trim_start_matches("file://").split('[').next().unwrap_or_default();
    let project = within(folder, word);
    TELLING.iter().find_map(|(name, telling)| {
        let path = within(&project, name);
        let Knowledge::Known(text) = reading.project.text(&path) else { return None };
        let imported = |line: &str| {
            let module = line.strip_prefix("from ").or_else(|| line.strip_prefix("import "))?;
            let top = module.split([' ', '.', ',']).next().filter(|top| !top.is_empty())?;
            let found = |path: String| reading.project.look(&path) != crate::ecosystems::Found::Nothing;
            (found(within(&project, top)) || found(within(&project, &format!("{top}.py")))).then_some(())
        };
        let lines = || text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.starts_with('#'));
        let own = (*name == "setup.py").then(|| lines().find(|(_, line)| imported(line).is_some())).flatten();
        let named = || telling.iter().find_map(|word| lines().find(|(_, line)| line.contains(word)));
        let (number, line) = own.or_else(named)?;
        Some(format!("{}:{}: `{}`", reading.name(&path), number + 1, shortened(line)))
    })
}

fn shortened(line: &str) -> String {
    const LONGEST: usize = 60;
    if line.chars().count() <= LONGEST { line.to_owned() } else { line.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project};

    fn of(word: &str, files: &[(&str, &str)]) -> Option<String> {
        let files = Files::new(files);
        let at = in_project("python:3.12");
        from_source(word, "/app", &Reading::new(&at, &files))
    }

    #[test]
    fn the_line_that_names_the_source() {
        let setup =
            "from setuptools import find_packages, setup\nfrom ours._version import version\nsetup(packages=find_packages())";
        assert_eq!(
            of(".", &[("setup.py", setup), ("ours/_version.py", "")]).as_deref(),
            Some("setup.py:2: `from ours._version import version`")
        );
        let pyproject = "[project]\nname = \"x\"\n# readme = no\nreadme = \"README.md\"\n";
        assert_eq!(
            of("/app[server]", &[("pyproject.toml", pyproject)]).as_deref(),
            Some("pyproject.toml:4: `readme = \"README.md\"`")
        );
        assert_eq!(of(".", &[("main.py", "")]), None);
    }
}
