//! What a project declares that it depends on, as far as its files say so without being run.
//!
//! Owns: which of `pyproject.toml`, `setup.cfg` and `setup.py` tells, and when what they say is all. Never does: know a manager's
//! commands; read a requirements file.
//!
//! Facts: the pyproject specification (a field of `[project]` that `dynamic` does not name is final: no backend may change it;
//! without the key there are none), setuptools' manual (`[tool.setuptools.dynamic]`, `file:` in `setup.cfg`; `[project]` beats the
//! arguments of `setup()`).

use super::{at, list_at, parsed, setup_script, text_at};
use crate::ecosystems::reading::{Reading, line_of, within};
use crate::ecosystems::requirements::{named_package, normalised};
use crate::ecosystems::{Entangled, Found, Invocation};
use toml_edit::{DocumentMut, Item};

/// What a project declares.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ecosystems) enum Declared {
    /// Nothing; the file that would say so.
    Nothing(String),
    /// These requirements, in the order of the file.
    Listed {
        /// What they are, as written.
        requirements: Vec<String>,
        /// Where they are, if in a `[project]` table.
        table: Option<Table>,
    },
    /// What is in these files, absolute paths, which the build reads; and the file that names them.
    InFiles(Vec<String>, String),
}

/// A `[project]` table with static dependencies.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ecosystems) struct Table {
    /// The absolute path of the `pyproject.toml`.
    pub(in crate::ecosystems) path: String,
    /// Whether it has `dependencies` of its own.
    pub(in crate::ecosystems) has_own: bool,
    /// The extras that were asked for, as the table spells them.
    pub(in crate::ecosystems) extras: Vec<String>,
    /// `requires-python`, or empty.
    pub(in crate::ecosystems) requires_python: String,
}

/// What the project in `folder` declares, with these extras. The inner error says which line keeps that from being known.
///
/// # Errors
/// Where a file can't be read.
pub(in crate::ecosystems) fn declared(
    reading: &Reading<'_>,
    folder: &str,
    extras: &[&str],
) -> Result<Result<Declared, String>, Entangled> {
    let path = within(folder, "pyproject.toml");
    let name = reading.name(&path);
    if let Some(text) = reading.peek(&path)? {
        let document = parsed(&text, &name)?;
        if at(&document, "project").is_some() {
            return Ok(of_table(reading, &document, &text, &path, extras));
        }
        let backend = text_at(&document, "build-system.build-backend").unwrap_or("setuptools");
        if !backend.starts_with("setuptools") {
            return Ok(Err(format!("{name}{}: `{backend}` has tables of its own", line_of(&text, "build-backend"))));
        }
    }
    of_setuptools(reading, folder, extras)
}

fn of_table(reading: &Reading<'_>, document: &DocumentMut, text: &str, path: &str, extras: &[&str]) -> Result<Declared, String> {
    let name = reading.name(path);
    let dynamic = list_at(document, "project.dynamic");
    let found = extras.iter().map(|extra| match extra_of(document, extra) {
        _ if dynamic.contains(&"optional-dependencies") => {
            Err(format!("{name}{}: the extras are dynamic", line_of(text, "dynamic")))
        }
        Some(extra) => Ok(extra),
        None => Err(format!("{name} has no extra `{extra}`")),
    });
    let extras: Vec<String> = found.collect::<Result<_, String>>()?;
    if dynamic.contains(&"dependencies") {
        return in_dynamic_files(reading, document, text, path, &extras);
    }
    let mut requirements = Vec::new();
    let own = at(document, "project.dependencies");
    for list in own.into_iter().chain(extras.iter().filter_map(|extra| at(document, "project.optional-dependencies")?.get(extra)))
    {
        let texts =
            list.as_array().map(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
        requirements.extend(texts.flatten().ok_or_else(|| format!("{name}: `dependencies` is no list of texts"))?);
    }
    let project = text_at(document, "project.name").map(normalised);
    for requirement in &requirements {
        let place = || format!("{name}{}: `{requirement}`", line_of(text, requirement));
        match named_package(requirement) {
            None => return Err(format!("{} is no package of an index", place())),
            Some(_) if requirement.contains(['{', '\\', '\n']) => return Err(format!("{} is filled in by the build", place())),
            Some((package, _)) if Some(&package) == project.as_ref() => {
                return Err(format!("{} names the project itself", place()));
            }
            Some(_) => {}
        }
    }
    if requirements.is_empty() {
        return Ok(Declared::Nothing(name));
    }
    let requires_python = text_at(document, "project.requires-python").unwrap_or_default().to_owned();
    let table = Table { path: path.to_owned(), has_own: own.is_some(), extras, requires_python };
    Ok(Declared::Listed { requirements, table: Some(table) })
}

/// An extra as the table spells it.
fn extra_of(document: &DocumentMut, extra: &str) -> Option<String> {
    let table = at(document, "project.optional-dependencies")?.as_table_like()?;
    table.iter().map(|(key, _)| key).find(|key| normalised(key) == normalised(extra)).map(str::to_owned)
}

/// `[tool.setuptools.dynamic] dependencies = { file = [...] }`.
fn in_dynamic_files(
    reading: &Reading<'_>,
    document: &DocumentMut,
    text: &str,
    path: &str,
    extras: &[String],
) -> Result<Declared, String> {
    let name = reading.name(path);
    let dynamic = || format!("{name}{}: the dependencies are dynamic", line_of(text, "dynamic"));
    let file = at(document, "tool.setuptools.dynamic.dependencies").and_then(|own| own.get("file")).ok_or_else(dynamic)?;
    let files: Vec<&str> = match file {
        Item::Value(value) if value.is_str() => value.as_str().into_iter().collect(),
        file => file.as_array().into_iter().flatten().filter_map(|file| file.as_str()).collect(),
    };
    if files.is_empty() || !extras.is_empty() {
        return Err(dynamic());
    }
    let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let files: Vec<String> = files.into_iter().map(|file| within(folder, file)).collect();
    Ok(Declared::InFiles(files, name))
}

/// A project that setuptools builds, without a `[project]` table.
fn of_setuptools(reading: &Reading<'_>, folder: &str, extras: &[&str]) -> Result<Result<Declared, String>, Entangled> {
    let path = within(folder, "setup.cfg");
    let name = reading.name(&path);
    let config = reading.peek(&path)?;
    if let Some(text) = config.as_ref().filter(|text| text.contains("install_requires") || text.contains("extras_require")) {
        return Ok(Err(format!("{name}{}: the dependencies are in a file that is not looked into", line_of(text, "_require"))));
    }
    let path = within(folder, "setup.py");
    let name = reading.name(&path);
    let Some(text) = reading.peek(&path)? else { return Ok(Err("no file of the project says what it depends on".to_owned())) };
    let number = |needle: &str| line_of(&text, needle);
    Ok(match setup_script::requirements(&text) {
        _ if !extras.is_empty() => Err(format!("{name}{}: extras are told by running it", number("extras_require"))),
        setup_script::Requires::Nothing => Ok(Declared::Nothing(name)),
        setup_script::Requires::Listed(list) => match list.iter().find(|text| named_package(text).is_none()) {
            Some(odd) => Err(format!("{name}{}: `{odd}` is no package of an index", number(odd))),
            None => Ok(Declared::Listed { requirements: list, table: None }),
        },
        setup_script::Requires::File(file) => match within(folder, &file) {
            path if reading.project.look(&path) == Found::File => Ok(Declared::InFiles(vec![path], name)),
            _ => Err(format!("{name}{}: `{file}` is not there", number(&file))),
        },
        setup_script::Requires::Unknown => {
            Err(format!("{name}{}: only running it tells the dependencies", number("install_requires")))
        }
    })
}

/// What a command installs from source of its own: `pip install ./core`.
pub(in crate::ecosystems) fn installed_from_source(invocation: &Invocation) -> Option<String> {
    let after = match invocation.program.as_str() {
        "uv" => invocation.flag(&["install"]).filter(|at| invocation.flag(&["pip"]).is_some_and(|pip| pip < *at))? + 1,
        _ if invocation.is("pip") => invocation.subcommand(&[]).filter(|(_, name)| *name == "install")?.0 + 1,
        _ => return None,
    };
    let is_option = |index: usize| {
        let before = index.checked_sub(1).map(|before| invocation.argument(before)).unwrap_or_default();
        before.starts_with('-') && !["-e", "--editable"].contains(&before) && !before.starts_with("--no")
    };
    let local = |value: &str| {
        (value == "." || value.starts_with(".[") || value.starts_with("./") || value.starts_with("../") || value.starts_with('/'))
            && !value.ends_with(".txt")
    };
    let found = invocation.known_arguments().find(|(index, value)| *index >= after && local(value) && !is_option(*index));
    found.map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project};

    fn of(files: &[(&str, &str)], extras: &[&str]) -> Result<Declared, String> {
        let (files, at) = (Files::new(files), in_project("python:3.12"));
        declared(&Reading::new(&at, &files), "/app", extras).unwrap()
    }

    const TABLE: &str = "[project]\nname = 'Ours'\ndynamic = ['version']\nrequires-python = '>=3.11'\ndependencies = ['a>=1', 'b; os_name == \"x\"']\n[project.optional-dependencies]\nweb_app = ['c']\nall = ['ours[web-app]']\n";

    #[test]
    fn a_table_is_final_unless_it_says_dynamic() {
        let Ok(Declared::Listed { requirements, table: Some(table) }) = of(&[("pyproject.toml", TABLE)], &["Web.App"]) else {
            panic!()
        };
        assert_eq!(requirements, ["a>=1", "b; os_name == \"x\"", "c"]);
        assert_eq!((table.has_own, table.extras.as_slice()), (true, &["web_app".to_owned()][..]));
        assert_eq!(of(&[("pyproject.toml", "[project]\nname = 'a'\n")], &[]), Ok(Declared::Nothing("pyproject.toml".to_owned())));
        assert!(of(&[("pyproject.toml", TABLE)], &["all"]).unwrap_err().contains("names the project itself"));
        assert!(of(&[("pyproject.toml", TABLE)], &["no"]).unwrap_err().contains("has no extra `no`"));
        let dynamic = "[project]\nname = 'a'\ndynamic = ['dependencies']\n";
        assert_eq!(of(&[("pyproject.toml", dynamic)], &[]).unwrap_err(), "pyproject.toml:3: the dependencies are dynamic");
        for odd in ["./lib", "x @ file:///app/lib", "x @ {root:uri}/lib"] {
            let text = format!("[project]\nname = 'a'\ndependencies = ['{odd}']\n");
            assert!(of(&[("pyproject.toml", &text)], &[]).unwrap_err().starts_with("pyproject.toml:3: "), "{odd}");
        }
        let poetry = "[tool.poetry.dependencies]\na = '^1'\n[build-system]\nbuild-backend = 'poetry.core.masonry.api'\n";
        assert!(of(&[("pyproject.toml", poetry)], &[]).unwrap_err().contains("tables of its own"));
    }

    #[test]
    fn files_that_the_build_reads() {
        let dynamic =
            "[project]\ndynamic = ['dependencies']\n[tool.setuptools.dynamic]\ndependencies = { file = ['requirements.in'] }\n";
        assert_eq!(
            of(&[("pyproject.toml", dynamic)], &[]),
            Ok(Declared::InFiles(vec!["/app/requirements.in".to_owned()], "pyproject.toml".to_owned()))
        );
        let setup = "from setuptools import setup\nwith open('requirements.txt') as f:\n    r = f.read().splitlines()\nsetup(name='a', install_requires=r)\n";
        assert!(matches!(of(&[("setup.py", setup), ("requirements.txt", "x")], &[]), Ok(Declared::InFiles(..))));
        assert!(of(&[("setup.py", setup)], &[]).unwrap_err().contains("is not there"));
    }

    #[test]
    fn setup_scripts_without_dependencies() {
        let setup = ("setup.py", "setup(name='a', packages=find_packages())");
        assert_eq!(of(&[setup], &[]), Ok(Declared::Nothing("setup.py".to_owned())));
        assert!(of(&[setup], &["x"]).is_err());
        assert!(of(&[setup, ("setup.cfg", "[options]\ninstall_requires =\n  a\n")], &[]).is_err());
        assert!(of(&[("main.py", "")], &[]).is_err());
    }
}
