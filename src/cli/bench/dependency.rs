//! One more dependency, in a copy of a context.
//!
//! Owns: where it is written for pip, npm and cargo; the lock files of the latter two are brought up to date by their own programs.
//! Never does: touch the original, or guess a lock file.

use super::copy::Copy;
use crate::context::View;
use crate::syntax::{Dockerfile, Keyword};
use anyhow::{Context, bail, ensure};
use std::process::{Command, Stdio};

/// A place for a dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addition {
    manager: Manager,
    /// The manifest, from the context's root.
    pub(super) manifest: String,
    /// What is added.
    pub(super) package: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Pip,
    Npm,
    Cargo,
}

impl Manager {
    /// Small packages without dependencies that nearly every index has.
    fn usual(self) -> [&'static str; 2] {
        match self {
            Self::Pip => ["six", "idna"],
            Self::Npm => ["ms", "left-pad"],
            Self::Cargo => ["itoa", "cfg-if"],
        }
    }
}

impl Addition {
    /// Where one more dependency goes, or why none can be added.
    pub(super) fn find(dockerfile: &Dockerfile, view: &View, package: Option<&str>) -> Result<Self, String> {
        let runs: String = dockerfile
            .instructions()
            .filter(|one| one.keyword == Keyword::Run)
            .map(|one| format!("{}\n", one.logical.as_str()))
            .collect();
        let (manager, manifest) = place(&runs, view).ok_or(
            "no install was found that one more dependency can be added to: pip with a requirements file, `npm ci` or `npm install`, \
             and cargo are known",
        )?;
        let text = view.text(&manifest).into_known().ok_or_else(|| format!("{manifest} can't be read"))?;
        let has = |package: &str| {
            text.contains(&format!("\"{package}\"")) || text.lines().any(|line| first_word(line).eq_ignore_ascii_case(package))
        };
        let usual = manager.usual();
        let package = package.or_else(|| usual.into_iter().find(|package| !has(package))).unwrap_or(usual[0]).to_owned();
        if has(&package) {
            return Err(format!("{manifest} has {package} already: name another with --add-dependency=NAME"));
        }
        if manager == Manager::Pip && text.contains("--hash=") {
            return Err(format!("{manifest} is pinned by hashes, which one more line would lack"));
        }
        Ok(Self { manager, manifest, package })
    }

    /// Adds it to a copy.
    pub(super) fn apply(&self, copy: &Copy) -> anyhow::Result<()> {
        let package = self.package.as_str();
        match self.manager {
            Manager::Pip => {
                let text = copy.text(&self.manifest)?;
                let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                copy.write(&self.manifest, &format!("{text}{end}{package}\n"))
            }
            Manager::Npm => {
                let options = ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"];
                self.run(copy, "npm", &[&options[..], &["--omit-lockfile-registry-resolved=false", package]].concat())
            }
            Manager::Cargo => {
                self.run(copy, "cargo", &["add", "--quiet", package])?;
                self.run(copy, "cargo", &["metadata", "--quiet", "--format-version", "1"])
            }
        }
    }

    /// The files that adding it changed, with their texts.
    pub(super) fn changed(&self, copy: &Copy) -> anyhow::Result<Vec<(String, String)>> {
        let lock = match self.manager {
            Manager::Pip => None,
            Manager::Npm => Some("package-lock.json"),
            Manager::Cargo => Some("Cargo.lock"),
        };
        let paths = std::iter::once(self.manifest.as_str()).chain(lock);
        paths.map(|path| Ok((path.to_owned(), copy.text(path)?))).collect()
    }

    /// Runs the manager's own program beside the manifest.
    fn run(&self, copy: &Copy, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let manifest = copy.path().join(&self.manifest);
        let folder = manifest.parent().context("it has no folder")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => bail!("{program} is needed on this machine to add {} to a lock file: {error}", self.package),
        };
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} can't add {}: {}", self.package, words.trim());
        Ok(())
    }
}

fn first_word(line: &str) -> &str {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// The manager that installs, and its manifest.
fn place(runs: &str, view: &View) -> Option<(Manager, String)> {
    let words: Vec<&str> = runs.split_whitespace().collect();
    let named = |word: &str| view.files_below("").into_iter().find(|path| path.rsplit('/').next() == word.rsplit('/').next());
    let requirements = words.windows(2).find_map(|pair| match pair {
        ["-r" | "--requirement", file] => named(file),
        [_, file] => named(file.strip_prefix("-r").or_else(|| file.strip_prefix("--requirement="))?),
        _ => None,
    });
    let says = |manager: &str, commands: &[&str]| {
        words.windows(2).any(
            |pair| matches!(pair, [a, b] if a.rsplit('/').next() == Some(manager) && commands.contains(&b.trim_end_matches(';'))),
        )
    };
    let has = |name: &str| view.kind(name).is_some();
    if says("pip", &["install"]) || says("pip3", &["install"]) {
        return requirements.map(|file| (Manager::Pip, file));
    }
    if says("npm", &["ci", "install", "i"]) && has("package.json") && has("package-lock.json") {
        return Some((Manager::Npm, "package.json".to_owned()));
    }
    if says("cargo", &["build", "fetch", "install", "test"]) && has("Cargo.toml") {
        return Some((Manager::Cargo, "Cargo.toml".to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    fn find(run: &str, files: &[(&str, &str)], package: Option<&str>) -> Result<String, String> {
        let view = View::of_files(files.iter().map(|(name, text)| (*name, Some(*text))));
        let dockerfile = syntax::parse(&format!("FROM a\n{run}\n"));
        Addition::find(&dockerfile, &view, package)
            .map(|addition| format!("{:?} {} {}", addition.manager, addition.manifest, addition.package))
    }

    #[test]
    fn the_manifest_is_the_one_that_the_install_reads() {
        let pip = [("requirements.txt", "flask\n"), ("deploy/prod.txt", "")];
        assert_eq!(find("RUN pip install -r requirements.txt", &pip, None).as_deref(), Ok("Pip requirements.txt six"));
        assert_eq!(find("RUN cd x && pip install -r /app/prod.txt", &pip, Some("x")).as_deref(), Ok("Pip deploy/prod.txt x"));
        let npm = [("package.json", "{}"), ("package-lock.json", "{}")];
        assert_eq!(find("RUN npm ci && npm run build", &npm, None).as_deref(), Ok("Npm package.json ms"));
        assert_eq!(find("RUN cargo build --release", &[("Cargo.toml", "")], None).as_deref(), Ok("Cargo Cargo.toml itoa"));
    }

    #[test]
    fn what_is_there_or_pinned_by_hashes_is_said() {
        let refused =
            |run: &str, name: &str, text: &str| find(run, &[(name, text), ("package-lock.json", "")], None).unwrap_err();
        assert!(refused("RUN pip install -r r.txt", "r.txt", "six==1.0\nidna\n").contains("has six already"));
        assert!(refused("RUN pip install -r r.txt", "r.txt", "a==1 --hash=sha256:0\n").contains("hashes"));
        let npm = [("package.json", "{\"dependencies\": {\"ms\": \"1\"}}"), ("package-lock.json", "")];
        assert_eq!(find("RUN npm ci", &npm, None).as_deref(), Ok("Npm package.json left-pad"));
        assert!(find("RUN npm ci", &npm, Some("ms")).unwrap_err().contains("has ms already"));
        assert!(refused("RUN make", "Makefile", "").contains("no install was found"));
    }
}
