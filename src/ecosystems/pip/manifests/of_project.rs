//! The first half of `pip install .`: the project's dependencies from what it declares, without its source.
//!
//! Knows: which declarations are enough, and the command that installs from them. Never does: read a declaration
//! (`python_project::declared` does).
//!
//! Three ways, the plainest first: the requirements files that the build reads; a `requirements.txt` that names all that the project
//! declares; the static table of `pyproject.toml`, its texts handed to pip line by line. The command itself stays below the source
//! and finds its dependencies there, so a half that installs too little costs time and breaks nothing. pip from 26.2 on knows
//! `--only-deps`, but nothing tells which pip an image has, so it is not written.
//!
//! Left alone: projects of which only a build tells the dependencies; installs that do all again (`--prefix`); what stands behind an
//! install of another local project, on which this one may depend by name; a Python that may be too old for `tomllib` (3.11).
//!
//! Facts: pip 26.3's source (a satisfied requirement is left alone unless `--upgrade` asks for it; a folder is always installed anew)
//! and runs of 23.2, 24.0 and 26.3; the pyproject specification. A package that a requirements file names gets an empty file
//! `REQUESTED` beside its metadata.

use super::{AGAIN, EDITABLE, Install, NO_DEPS, Pip, builds_archives, built};
use crate::ecosystems::python_project::{Declared, Table, declared, installed_from_source};
use crate::ecosystems::reading::{needs_source, parent, within};
use crate::ecosystems::requirements::{Requirements, named_package, named_packages};
use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Found, Invocation, first_half};

/// Options that only the command below means.
const UPGRADE: &[&str] = &["-U", "--upgrade", "--upgrade-strategy"];
/// Where the table's texts lie for a moment.
const LIST: &str = "/tmp/dependencies.txt";

/// What tells a package that a file names from one that another package needs.
const REQUESTED: &str = "; pip marks what a file names as asked for (`REQUESTED`)";

/// Something of the project that is to be built, and the words that name it.
pub(super) struct Local {
    pub(super) shown: String,
    pub(super) words: Vec<usize>,
    /// The one folder that it is, as written; `None` for several.
    pub(super) folder: Option<String>,
    /// The extras that are asked for.
    pub(super) extras: Vec<String>,
}

impl Local {
    /// `./lib[a,b]`, named by these words.
    pub(super) fn of(shown: String, named: &str, words: Vec<usize>) -> Self {
        let (folder, extras) = named.split_once('[').unwrap_or((named, ""));
        let extras = extras.trim_end_matches(']').split(',').map(|extra| extra.trim().to_owned());
        Self { shown, words, folder: Some(folder.to_owned()), extras: extras.filter(|extra| !extra.is_empty()).collect() }
    }
}

impl Install<'_> {
    /// `pip install .`
    pub(super) fn of_project(mut self, local: Local) -> Result<Dependencies, Entangled> {
        let shown = local.shown.clone();
        if self.words.has(NO_DEPS) {
            let because = format!("`pip install --no-deps {shown}` installs the project alone");
            return Err(Entangled::NoDependencies { because });
        }
        let Some(named) = local.folder.clone() else { return Err(self.builds(&shown, "")) };
        let folder = within(&self.folder, &named);
        let extras: Vec<&str> = local.extras.iter().map(String::as_str).collect();
        let declared = match declared(&self.reading, &folder, &extras)? {
            Ok(Declared::Nothing(file)) => {
                let because = format!("`pip install {shown}` installs the project alone: {file} names no dependencies");
                return Err(Entangled::NoDependencies { because });
            }
            Ok(declared) => declared,
            Err(why) => return Err(self.builds(&shown, &why)),
        };
        if let Some(flag) = AGAIN.iter().find(|flag| self.words.has(&[flag])) {
            return Err(self.builds(&shown, &format!("with `{flag}` it installs them all again, whatever is there")));
        }
        if let Some(other) = self.reading.at.earlier.iter().find_map(installed_from_source) {
            let why = format!("they may name `{other}`, which another command installs from its source");
            return Err(self.builds(&shown, &why));
        }
        self.inputs(&local.words)?;
        let left_out: Vec<usize> = local.words.iter().chain(&self.upgrades()).copied().collect();
        let half = |files: &[String]| {
            let added: Vec<String> = files.iter().flat_map(|file| ["-r".to_owned(), first_half::quoted(file)]).collect();
            first_half::written(self.invocation, &left_out, &added)
        };
        let table = match &declared {
            Declared::Listed { table: Some(table), .. } => Some((table, half(&[LIST.to_owned()])?)),
            _ => None,
        };
        let (files, doubt) = match (&declared, self.covering(&folder, &declared)) {
            (Declared::InFiles(files, by), _) => {
                let names: Vec<String> = files.iter().map(|file| self.reading.name(file)).collect();
                (
                    files.clone(),
                    format!("pip chooses versions twice: for {} alone, then as {by} names them{REQUESTED}", names.join(" and ")),
                )
            }
            (_, Some(file)) => {
                let name = self.reading.name(&file);
                (
                    vec![file],
                    format!("{name} now chooses the versions, where `pip install {shown}` took the newest that fit{REQUESTED}"),
                )
            }
            (_, None) => {
                let Some((table, half)) = table else { return Err(self.builds(&shown, "no requirements.txt names them all")) };
                let python = self
                    .python(table)
                    .ok_or("the table that names them is read by Python 3.11 or newer, which is not sure to be there");
                let text = python
                    .and_then(|python| from_table(&python, &named, table, &half).ok_or("its folder can't be written again"));
                let command = text.map_err(|why| self.builds(&shown, why))?;
                self.take_table(table, &declared)?;
                let name = self.reading.name(&table.path);
                let doubt = format!(
                    "pip chooses versions twice: for what {name} declares alone, then together with `{shown}`{REQUESTED}"
                );
                return Ok(self.reading.first_half(command, Some(doubt)));
            }
        };
        let names: Vec<String> = files.iter().map(|file| self.reading.name(file)).collect();
        let command = half(&names)?;
        self.take_requirements(&files)?;
        Ok(self.reading.first_half(command, Some(doubt)))
    }

    /// Why the dependencies can't be told from the project.
    fn builds(&self, shown: &str, why: &str) -> Entangled {
        let place = built::from_source(shown.trim_start_matches("-e "), &self.folder, &self.reading);
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        let why = if why.is_empty() { String::new() } else { format!("; {why}") };
        needs_source(format!(
            "`pip install {shown}` builds the project from its source{place}, which is how pip learns its dependencies{why}"
        ))
    }

    /// The table's file, and what in it is not pinned.
    fn take_table(&mut self, table: &Table, declared: &Declared) -> Result<(), Entangled> {
        self.reading.take(&table.path)?;
        let Declared::Listed { requirements, .. } = declared else { return Ok(()) };
        let name = self.reading.name(&table.path);
        let loose = requirements.iter().filter(|text| !named_package(text).is_some_and(|(_, exact)| exact));
        loose.for_each(|text| self.reading.loose(format!("{name}: `{text}` has no exact version")));
        Ok(())
    }

    /// `pip install dist/*.whl` behind a command that builds the project whose `dist` that is.
    pub(super) fn built_before(&self) -> Option<Local> {
        let mut wheels = self.words.operands.iter().filter_map(|(index, operand)| {
            let value = operand.value.known().filter(|value| value.ends_with(".whl") && !value.contains("://"))?;
            Some((*index, value))
        });
        let (index, value) = wheels.next().filter(|_| wheels.next().is_none())?;
        let path = within(&self.folder, value);
        let dist = Some(parent(&path)).filter(|folder| folder.ends_with("/dist"))?;
        let project = &self.reading.project;
        let brought = project.look(&path) == Found::File || project.names(dist).iter().any(|name| name.ends_with(".whl"));
        let has_manifest = project.look(&within(parent(dist), "pyproject.toml")) == Found::File;
        let is_built = has_manifest && self.reading.at.earlier.iter().any(builds_wheel);
        (!brought && is_built && !self.words.has(EDITABLE)).then(|| {
            let folder = match value.rsplit_once('/')?.0.trim_end_matches("dist") {
                "" | "./" => ".",
                folder => folder.trim_end_matches('/'),
            };
            Some(Local { shown: value.to_owned(), words: vec![index], folder: Some(folder.to_owned()), extras: Vec::new() })
        })?
    }

    /// The words that ask for newer versions of what is there: the command below says them again.
    fn upgrades(&self) -> Vec<usize> {
        let asks = self.words.options.iter().filter(|given| UPGRADE.contains(&given.name.as_str()));
        asks.flat_map(|given| given.words.iter().copied()).collect()
    }

    fn take_requirements(&mut self, files: &[String]) -> Result<(), Entangled> {
        let folder = self.folder.clone();
        let mut requirements = Requirements::new(&mut self.reading, &folder, None);
        for file in files {
            requirements.file(file, &folder, false)?;
        }
        requirements.finish();
        Ok(())
    }

    /// The project's `requirements.txt`, if it names all of these and nothing else, or pins what it names.
    fn covering(&self, folder: &str, declared: &Declared) -> Option<String> {
        let Declared::Listed { requirements, .. } = declared else { return None };
        let path = within(folder, "requirements.txt");
        let text = self.reading.peek(&path).ok()??;
        let named = named_packages(&text)?;
        let wanted: Vec<String> = requirements.iter().filter_map(|text| Some(named_package(text)?.0)).collect();
        let has_all = wanted.iter().all(|name| named.iter().any(|(own, _)| own == name));
        let fits = |(own, exact): &(String, bool)| *exact || wanted.contains(own);
        (has_all && (named.iter().all(|(_, exact)| *exact) || named.iter().all(fits) && named.len() == wanted.len()))
            .then_some(path)
    }

    /// The Python that reads the table, where it is sure to be 3.11 or newer.
    fn python(&self, table: &Table) -> Option<String> {
        const FIRST: u32 = 11;
        let invocation = self.invocation;
        let beside = |name: &str| match invocation.path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{name}"),
            None => name.to_owned(),
        };
        let minor = |text: &str| text.strip_prefix("3.").map(digits).and_then(|digits| digits.parse::<u32>().ok());
        if let Some(version) = invocation.program.strip_prefix("pip").filter(|version| version.contains('.')) {
            return (minor(version)? >= FIRST).then(|| beside(&format!("python{version}")));
        }
        let base = &self.reading.at.base;
        let tag = base.tag();
        let by_image = match base.repository() {
            "python" if tag.starts_with(|c: char| c.is_ascii_digit()) => {
                minor(tag).map_or(tag == "3" || tag.starts_with("3-"), |own| own >= FIRST)
            }
            "python" => !tag.starts_with("rc") && !tag.starts_with("2"),
            _ => tag.split_once("python").is_some_and(|(_, version)| minor(version).is_some_and(|own| own >= FIRST)),
        };
        let is_module = first_half::python_module(invocation);
        let own = table.requires_python.split(',').map(str::trim);
        let at_least = own
            .filter_map(|part| part.strip_prefix(">=").or_else(|| part.strip_prefix("~=")).or_else(|| part.strip_prefix("==")));
        let by_table = at_least.map(str::trim).any(|version| minor(version).is_some_and(|own| own >= FIRST));
        match is_module.and_then(|words| words.split(' ').next()) {
            // The project would not install with an older one.
            Some(python) => (by_table || by_image && !python.contains('/')).then(|| python.to_owned()),
            None if invocation.path.contains('/') => by_table.then(|| beside("python3")),
            None => by_image.then(|| "python3".to_owned()),
        }
    }
}

/// The digits that a text begins with.
fn digits(text: &str) -> &str {
    text.get(..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())).unwrap_or_default()
}

/// The command that hands the table's texts to pip; `None` where the folder can't be written into it.
fn from_table(python: &str, folder: &str, table: &Table, install: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let file = match folder.trim_end_matches('/') {
        "." | "" => "pyproject.toml".to_owned(),
        folder => format!("{folder}/pyproject.toml"),
    };
    if !file.chars().all(is_plain) || !table.extras.iter().all(|extra| extra.chars().all(is_plain)) {
        return None;
    }
    let load = format!("tomllib.load(open('{file}', 'rb'))['project']");
    let own = table.has_own.then_some("dependencies");
    let program = match (own, table.extras.as_slice()) {
        (Some(own), []) => format!("import tomllib; print(*{load}['{own}'], sep='\\n')"),
        (own, extras) => {
            let own = own.map(|own| format!("*p['{own}']"));
            let extras = extras.iter().map(|extra| format!("*p['optional-dependencies']['{extra}']"));
            let lists: Vec<String> = own.into_iter().chain(extras).collect();
            format!("import tomllib; p = {load}; print({}, sep='\\n')", lists.join(", "))
        }
    };
    Some(format!("{python} -c \"{program}\" > {LIST} && {install} && rm {LIST}"))
}

/// Whether it puts a wheel of the project into `dist`.
fn builds_wheel(invocation: &Invocation) -> bool {
    let first = || invocation.subcommand(&[]).map_or("", |(_, name)| name);
    match invocation.program.as_str() {
        "uv" | "poetry" | "hatch" | "flit" | "pdm" => first() == "build",
        "python" | "python3" => invocation.argument(0) == "setup.py" && invocation.flag(&["bdist_wheel"]).is_some(),
        _ => builds_archives(invocation) && Pip.recognise(invocation).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Part;
    use crate::ecosystems::testing::{Files, in_project, invocation};
    use crate::ecosystems::{Surroundings, Wrapper};

    const TABLE: &str = "[project]\nname = 'ours'\ndependencies = ['a>=1', 'b']\noptional-dependencies.web = ['c']\n";

    fn ask(command: &Invocation, files: &[(&str, &str)], at: &Surroundings) -> Result<(String, Vec<String>), String> {
        let found = Pip.dependencies(command, at, &Files::new(files)).map_err(|why| why.to_string())?.unwrap_or_default();
        let Part::FirstHalf { command, .. } = found.part else { return Err("whole".to_owned()) };
        assert!(found.doubt.is_some());
        Ok((command, found.files))
    }

    fn half(words: &[&str], files: &[(&str, &str)]) -> Result<(String, Vec<String>), String> {
        ask(&invocation(words), files, &in_project("python:3.12"))
    }

    #[test]
    fn the_table_is_handed_to_pip() {
        let files = [("pyproject.toml", TABLE), ("ours.py", "")];
        let (command, needs) = half(&["pip", "install", "--no-cache-dir", "."], &files).unwrap();
        assert_eq!(
            command,
            "python3 -c \"import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\\n')\" \
             > /tmp/dependencies.txt && pip install --no-cache-dir -r /tmp/dependencies.txt && rm /tmp/dependencies.txt"
        );
        assert_eq!(needs, ["/app/pyproject.toml"]);
        let (command, _) = half(&["pip", "install", "-U", "gunicorn", "/app[web]"], &files).unwrap();
        assert!(command.contains("print(*p['dependencies'], *p['optional-dependencies']['web'], sep='\\n')"), "{command}");
        assert!(command.contains("&& pip install gunicorn -r /tmp/dependencies.txt &&"), "{command}");
        assert!(half(&["pip", "install", "-e", "."], &files).is_ok());
    }

    #[test]
    fn the_python_that_reads_it_must_be_new_enough() {
        let files = [("pyproject.toml", TABLE)];
        let python = |words: &[&str], base: &str, table: &str| {
            let found = ask(&invocation(words), &[("pyproject.toml", table)], &in_project(base));
            found.ok().map(|(command, _)| command.split(' ').next().unwrap_or_default().to_owned())
        };
        let new = TABLE.replace("name =", "requires-python = '>=3.11,<4'\nname =");
        let plain = ["pip", "install", "."];
        for base in ["python:3.11-slim", "python:3-alpine", "python", "python:slim", "ghcr.io/astral-sh/uv:python3.12-trixie"] {
            assert_eq!(python(&plain, base, TABLE).as_deref(), Some("python3"), "{base}");
        }
        for base in ["python:3.10", "python:2", "debian:12", "ubuntu"] {
            assert_eq!(python(&plain, base, TABLE), None, "{base}");
        }
        assert_eq!(python(&["/opt/v/bin/pip", "install", "."], "debian:12", &new).as_deref(), Some("/opt/v/bin/python3"));
        assert_eq!(python(&["/opt/v/bin/pip", "install", "."], "python:3.12", TABLE), None);
        assert_eq!(python(&["pip3.12", "install", "."], "debian:12", TABLE).as_deref(), Some("python3.12"));
        let module = Invocation { wrappers: vec![Wrapper::PythonModule("python -m".to_owned())], ..invocation(&plain) };
        let (command, _) = ask(&module, &files, &in_project("python:3.12")).unwrap();
        assert!(command.starts_with("python -c ") && command.contains("&& python -m pip install -r"), "{command}");
    }

    #[test]
    fn requirements_files_go_before_the_table() {
        let command = |table: &str, requirements: &str| {
            half(&["pip", "install", "."], &[("pyproject.toml", table), ("requirements.txt", requirements)]).unwrap().0
        };
        assert_eq!(command(TABLE, "a==1.2\nb==3\nd==4 \\\n  --hash=sha256:0\n"), "pip install -r requirements.txt");
        assert_eq!(command(TABLE, "A>=1\nb\n"), "pip install -r requirements.txt");
        for other in ["a==1\n", "a\nb\npytest\n", "-e .\na==1\nb==1\n", "--index-url x\na==1\nb==1\n"] {
            assert!(command(TABLE, other).starts_with("python3 -c"), "{other}");
        }
        let setup = "setup(name='x', install_requires=['a'])";
        let of_script = |files: &[(&str, &str)]| half(&["pip", "install", "."], files);
        assert_eq!(of_script(&[("setup.py", setup), ("requirements.txt", "a==1")]).unwrap().0, "pip install -r requirements.txt");
        assert!(of_script(&[("setup.py", setup)]).unwrap_err().contains("no requirements.txt names them all"));
    }

    #[test]
    fn wheels_that_the_stage_builds() {
        let earlier = [invocation(&["uv", "build"])];
        let at = Surroundings { earlier: &earlier, ..in_project("python:3.12") };
        let command = invocation(&["pip", "install", "dist/*.whl"]);
        let files = [("pyproject.toml", TABLE)];
        assert!(ask(&command, &files, &at).unwrap().0.contains("open('pyproject.toml', 'rb')"));
        assert!(ask(&command, &files, &in_project("python:3.12")).unwrap_err().contains("matches"));
        assert!(ask(&command, &[("pyproject.toml", TABLE), ("dist/b.whl", "")], &at).is_err());
    }

    #[test]
    fn what_is_left_alone() {
        let files = [("pyproject.toml", TABLE), ("lib/pyproject.toml", TABLE)];
        let why = |words: &[&str]| half(words, &files).unwrap_err();
        assert!(why(&["pip", "install", "--prefix=/x", "."]).contains("`--prefix`"));
        assert!(why(&["pip", "install", ".", "./lib"]).contains("builds the project"));
        let earlier = [invocation(&["pip", "install", "-e", "./lib"])];
        let at = Surroundings { earlier: &earlier, ..in_project("python:3.12") };
        assert!(ask(&invocation(&["pip", "install", "."]), &files, &at).unwrap_err().contains("`./lib`"));
        for words in [&["pip", "install", "--no-deps", "."][..], &["pip", "wheel", "--no-deps", "."]] {
            let found = Pip.dependencies(&invocation(words), &in_project("python"), &Files::new(&files));
            assert!(matches!(found, Err(Entangled::NoDependencies { .. })), "{words:?}");
        }
        let alone = Pip.dependencies(
            &invocation(&["pip", "install", "."]),
            &in_project("python"),
            &Files::new(&[("setup.py", "setup()")]),
        );
        assert!(matches!(alone, Err(Entangled::NoDependencies { .. })));
    }
}
