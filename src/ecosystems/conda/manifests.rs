//! What conda's, mamba's and micromamba's commands read of a project.
//!
//! Knows: environment files and their `pip:` part, lists of packages, explicit lists. Never does: resolve; know what a channel
//! holds.
//!
//! pip runs in the folder of the environment file, so that both `-r` and `-e` there are seen from it.
//!
//! Facts: conda's source (env/installers/pip, cli/main_env_create) and mamba's tracker (2241: alike since micromamba 1.3).

use super::{Conda, WITH_VALUE};
use crate::ecosystems::python::word_behind;
use crate::ecosystems::reading::{Reading, line_of, needs_source, not_seen, parent, within};
use crate::ecosystems::requirements::Requirements;
use crate::ecosystems::words::{Words, sorted};
use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Found, Invocation, Project, Surroundings};
use crate::knowledge::Knowledge;
use saphyr::{LoadableYamlNode, Yaml};

/// See [`Ecosystem::dependencies`].
pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let reads_nothing = Ok(Some(Dependencies::default()));
    if Conda.recognise(invocation).is_none() {
        return Ok(None);
    }
    let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else {
        return if invocation.has_unknown_argument() { Ok(None) } else { reads_nothing };
    };
    if subcommand != "run" && invocation.flag(&["-h", "--help", "-V", "--version"]).is_some() {
        return reads_nothing;
    }
    match (subcommand, word_behind(invocation, index)) {
        ("env", action @ ("create" | "update")) => {
            let at_action = invocation.known_arguments().find(|(at, word)| *at > index && *word == action);
            let skipped = [index, at_action.map_or(index, |(at, _)| at)];
            Install::new(invocation, &skipped, at, project)?.answer(true).map(Some)
        }
        ("install" | "create" | "update" | "upgrade", _) => {
            Install::new(invocation, &[index], at, project)?.answer(false).map(Some)
        }
        ("env", "list" | "remove" | "config")
        | ("clean" | "config" | "info" | "init" | "list" | "remove" | "uninstall" | "search" | "self-update" | "shell", _) => {
            reads_nothing
        }
        // They change the shell that the rest of the script runs in.
        ("activate" | "deactivate", _) => reads_nothing,
        _ => Ok(None),
    }
}

struct Install<'a> {
    words: Words<'a>,
    reading: Reading<'a>,
}

impl<'a> Install<'a> {
    fn new(
        invocation: &'a Invocation,
        subcommand: &[usize],
        at: &'a Surroundings<'a>,
        project: &'a dyn Project,
    ) -> Result<Self, Entangled> {
        let words = sorted(invocation, subcommand, WITH_VALUE);
        Ok(Self { words, reading: Reading::new(at, project) })
    }

    /// `of_environment`: `conda env …`, which takes `environment.yml` where no file is named.
    fn answer(mut self, of_environment: bool) -> Result<Dependencies, Entangled> {
        let named: Vec<_> = self.words.values(&["-f", "--file"]).cloned().collect();
        for file in &named {
            let file = file.known().ok_or_else(|| not_seen("which file names the packages is not known"))?;
            self.file(file)?;
        }
        if of_environment && named.is_empty() {
            match self.words.operands.first() {
                Some((_, operand)) => {
                    return Err(not_seen(format!("{} may name a file or an environment elsewhere", operand.raw)));
                }
                None => self.file("environment.yml")?,
            }
        }
        self.packages()?;
        self.channels()?;
        if let Some(prefix) = self.words.last(&["-p", "--prefix"]) {
            let prefix = prefix.known().ok_or_else(|| not_seen("where the packages go (`--prefix`) is not known"))?;
            let path = self.reading.absolute(prefix)?;
            self.reading.makes(&path);
        }
        for file in [".condarc", ".conda/.condarc", ".mambarc"] {
            let path = self.reading.at.below_home(file).into_known();
            path.map(|path| self.reading.take_if_there(&path));
        }
        if let Some(Knowledge::Known(path)) = self.reading.at.non_empty("CONDARC") {
            let path = self.reading.absolute(path)?;
            self.reading.take_if_there(&path);
        }
        Ok(self.reading.whole())
    }

    /// Packages that are named in the command.
    fn packages(&mut self) -> Result<(), Entangled> {
        for (_, operand) in &self.words.operands {
            let text = operand.value.known().map_or_else(|| operand.raw.trim_matches(['"', '\'']), String::as_str);
            let unknown = operand.value == Knowledge::Unknown;
            if unknown && !text.split('$').next().is_some_and(|front| front.contains(['=', '<', '>'])) {
                return Err(not_seen(format!("{} is not known and may name a file of the project", operand.raw)));
            }
            if is_package_file(text) && !text.contains("://") {
                let path = self.reading.absolute(text)?;
                self.reading.take(&path)?;
            } else if !text.contains('=') && !text.contains("://") {
                self.reading.loose(format!("`{text}` has no exact version"));
            }
        }
        Ok(())
    }

    /// A channel may be a folder.
    fn channels(&mut self) -> Result<(), Entangled> {
        for channel in self.words.values(&["-c", "--channel"]).filter_map(Knowledge::known) {
            let path = channel.strip_prefix("file://").or_else(|| channel.starts_with(['.', '/']).then_some(channel.as_str()));
            let Some(path) = path else { continue };
            let path = self.reading.at.absolute(path).into_known();
            if let Some(path) = path.filter(|path| self.reading.project.look(path) == Found::Folder) {
                self.reading.take_folder(&path);
            }
        }
        Ok(())
    }

    /// A file of packages: an environment, or one package a line.
    fn file(&mut self, named: &str) -> Result<(), Entangled> {
        if named.contains("://") {
            self.reading.loose(format!("{named} may change"));
            return Ok(());
        }
        let path = self.reading.absolute(named)?;
        let text = self.reading.required(&path)?;
        let name = self.reading.name(&path);
        if path.ends_with(".yml") || path.ends_with(".yaml") { self.environment(&path, &text) } else { self.list(&text, &name) }
    }

    /// One package (or address) a line.
    fn list(&mut self, text: &str, name: &str) -> Result<(), Entangled> {
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let place = format!("{name}:{}", index + 1);
            if line.contains("file://") || line.starts_with(['.', '/']) && is_package_file(line) {
                return Err(needs_source(format!("{place}: {line} is a local package")));
            }
            let is_package = line.starts_with(|c: char| c.is_ascii_alphanumeric()) && !line.contains("://");
            if is_package && !line.contains('=') {
                self.reading.loose(format!("{place}: `{line}` has no exact version"));
            }
        }
        Ok(())
    }

    fn environment(&mut self, path: &str, text: &str) -> Result<(), Entangled> {
        let name = self.reading.name(path);
        let documents = Yaml::load_from_str(text).map_err(|_| not_seen(format!("{name} can't be read as YAML")))?;
        let dependencies = documents.first().and_then(|document| document.as_mapping_get("dependencies"));
        let Some(list) = dependencies.and_then(Yaml::as_sequence) else { return Ok(()) };
        for entry in list {
            if let Some(package) = entry.as_str() {
                if !package.contains('=') {
                    let place = line_of(text, &format!("- {package}"));
                    self.reading.loose(format!("{name}{place}: `{package}` has no exact version"));
                }
            } else if let Some(lines) = entry.as_mapping_get("pip").and_then(Yaml::as_sequence) {
                let lines: Vec<&str> = lines.iter().filter_map(Yaml::as_str).collect();
                let mut requirements = Requirements::new(&mut self.reading, parent(path), None);
                for line in lines {
                    let place = format!("{name}{}", line_of(text, line));
                    requirements.line(line, &place, path, false)?;
                }
                requirements.finish();
            } else if let Some(lists) = entry.as_mapping() {
                let key = lists.keys().next().and_then(Yaml::as_str).unwrap_or_default();
                return Err(not_seen(format!("{name}: what `{key}:` installs is not known")));
            }
        }
        if let Some(prefix) = documents.first().and_then(|document| document.as_mapping_get("prefix")?.as_str()) {
            let prefix = within(parent(path), prefix);
            self.reading.makes(&prefix);
        }
        Ok(())
    }
}

fn is_package_file(text: &str) -> bool {
    text.ends_with(".conda") || text.ends_with(".tar.bz2")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    const ENVIRONMENT: &str =
        "name: x\ndependencies:\n  - python=3.11\n  - numpy\n  - pip:\n    - -r requirements.txt\n    - flask\n";

    fn ask(words: &[&str], files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        Conda.dependencies(&invocation(words), &in_project("continuumio/miniconda3"), &Files::new(files))
    }

    #[test]
    fn environments_and_their_pip_part() {
        let files = [("env/dev.yml", ENVIRONMENT), ("env/requirements.txt", "a==1"), ("app.py", "")];
        for words in [
            &["conda", "env", "create", "-f", "env/dev.yml"][..],
            &["mamba", "env", "update", "-n", "base", "--file=env/dev.yml"],
            &["micromamba", "install", "-y", "-n", "base", "-f", "env/dev.yml"],
            &["micromamba", "create", "-yf", "/app/env/dev.yml"],
        ] {
            let found = ask(words, &files).unwrap().unwrap();
            assert_eq!(found.files, ["/app/env/dev.yml", "/app/env/requirements.txt"], "{words:?}");
            assert_eq!(found.unpinned.as_deref(), Some("env/dev.yml:4: `numpy` has no exact version (and 1 more)"));
        }
        let found = ask(&["conda", "env", "create"], &[("environment.yml", "dependencies:\n- a=1\n")]).unwrap().unwrap();
        assert_eq!((found.files, found.unpinned), (vec!["/app/environment.yml".to_owned()], None));
    }

    #[test]
    fn source_in_an_environment_is_refused_with_its_line() {
        let refused = |line: &str| {
            let text = ENVIRONMENT.replace("flask", line);
            let files = [("environment.yml", text.as_str()), ("requirements.txt", ""), ("lib/setup.py", "")];
            ask(&["conda", "env", "create"], &files).unwrap_err().to_string()
        };
        assert_eq!(refused("-e ."), "environment.yml:7: `-e .` is built from the project's source");
        assert!(refused("./lib").starts_with("environment.yml:7: "));
        assert!(matches!(ask(&["conda", "env", "create"], &[]), Err(Entangled::NotSeen { .. })));
        assert!(matches!(ask(&["conda", "env", "create", "-f", "$F"], &[]), Err(Entangled::NotSeen { .. })));
        assert!(ask(&["conda", "env", "create"], &[("environment.yml", "dependencies: [")]).is_err());
    }

    #[test]
    fn lists_of_packages() {
        let files =
            [("r.txt", "# x\nnumpy>=1\npandas\n"), ("explicit.txt", "@EXPLICIT\nhttps://host/a-1.conda#0\n"), ("c/noarch/x", "")];
        let found = ask(&["conda", "install", "-y", "--file", "r.txt", "-c", "./c"], &files).unwrap().unwrap();
        assert_eq!((found.files, found.folders), (vec!["/app/r.txt".to_owned()], vec!["/app/c".to_owned()]));
        assert_eq!(found.unpinned.as_deref(), Some("r.txt:3: `pandas` has no exact version"));
        let found = ask(&["conda", "create", "-p", "./env", "--file", "explicit.txt"], &files).unwrap().unwrap();
        assert_eq!((found.unpinned, found.makes), (None, vec!["/app/env".to_owned()]));
    }

    #[test]
    fn commands_that_read_nothing() {
        for words in [
            &["conda", "install", "-y", "-c", "conda-forge", "numpy=1", "python=$V"][..],
            &["conda", "clean", "-afy"],
            &["conda", "config", "--add", "channels", "conda-forge"],
            &["conda", "init", "bash"],
            &["mamba", "--version"],
            &["conda", "create", "-n", "x", "python==3.11"],
        ] {
            assert_eq!(ask(words, &[]), Ok(Some(Dependencies::default())), "{words:?}");
        }
        assert!(ask(&["conda", "install", "$PACKAGES"], &[]).is_err());
        assert_eq!(ask(&["conda", "run", "x"], &[]), Ok(None));
        assert_eq!(ask(&["conda", "build", "recipe"], &[]), Ok(None));
    }
}
