//! What `cargo` and `rustup` commands read of a project before they fetch or build dependencies.
//!
//! Owns: which command has a first half, and its words: stubs for all targets, then `cargo fetch`, or a build of the dependencies
//! alone. Never does: follow manifests; [`super::crates`] does.
//!
//! Cargo loads no manifest without a target, so each source file that stands for one gets a stub, removed afterwards. Tried with
//! Cargo 1.95: a stub's artefact survives under a source that is older than it (the build after it is wrong, without a word),
//! unless `cargo clean -p` removes what was built of each local crate. Then all of these are built anew, whatever their
//! age, and all else stays: a program with a build script, a workspace with a procedural macro, with and without `--target`.
//!
//! `cargo fetch` is Safe: nothing but downloads is left. A build leaves a `target` folder: see [`Bolder`].
//! Stubs are written as the step's user, so only root's steps are served.
//!
//! Sources: the Cargo book (`cargo fetch`, `install`, `clean`, package layout, configuration); rustup's book on overrides.

use super::crates::{self, Configuration, Crates};
use super::{own_words, subcommand};
use crate::ecosystems::gathered::{Gathered, find_upward, join, not_seen, parent};
use crate::ecosystems::{Bolder, Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, User, first_half};
use crate::knowledge::Knowledge;
use std::collections::BTreeSet;

/// Subcommands whose words a build of the dependencies can take over, with the subcommand for it.
const BUILDS: &[(&str, &str)] = &[
    ("build", "build"),
    ("b", "build"),
    ("check", "check"),
    ("c", "check"),
    ("clippy", "clippy"),
    ("test", "test --no-run"),
    ("t", "test --no-run"),
    ("run", "build"),
    ("r", "build"),
    ("bench", "bench --no-run"),
    ("install", "build"),
];

/// Subcommands that fetch what the project needs, and do more.
#[rustfmt::skip] // A paragraph, not a column.
const FETCHES: &[&str] = &[
    "fetch", "doc", "d", "rustc", "rustdoc", "nextest", "llvm-cov", "tarpaulin", "auditable", "xwin", "deb", "lambda",
    "leptos", "generate-rpm", "zigbuild",
];

/// Words that a build of the dependencies must not have; the value follows.
const DROPPED: &[&str] = &["--out-dir", "--artifact-dir", "--message-format", "--root", "--path", "--color"];

pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let Some(folder) = at.workdir.known() else {
        return Err(not_seen("the folder in which cargo runs is not known"));
    };
    let mut gathered = Gathered::new(project, folder);
    let words = own_words(invocation);
    if !words.first().is_some_and(|word| word.starts_with('+')) && at.variable("RUSTUP_TOOLCHAIN").is_none() {
        crates::toolchain_file(&mut gathered, folder)?;
    }
    let (name, rest) = subcommand(&words);
    if invocation.program.starts_with("rust") {
        return Ok(of_rustup(invocation, gathered));
    }
    let asks = |flags: &[&str]| words.iter().any(|word| flags.contains(word));
    if asks(&["--offline", "--frozen"]) {
        return Ok(None);
    }
    match name {
        "" | "help" | "search" | "login" | "logout" | "cache" => Ok(Some(gathered.finish(Part::Whole))),
        "install" if invocation.option(&["--path"]).is_none() => Ok(tool(&words, gathered)),
        "clean" if first_half::is_plain(invocation) => {
            let mut cleaned = gathered.finish(Part::Whole);
            cleaned.makes.extend(at.absolute("target").into_known());
            Ok(Some(cleaned))
        }
        "chef" if rest.contains(&"cook") => cook(invocation, folder, gathered).map(Some),
        _ if BUILDS.iter().any(|(build, _)| *build == name) || FETCHES.contains(&name) => {
            if !first_half::is_plain(invocation) {
                return Ok(None);
            }
            Halves { invocation, at, folder, name }.answer(gathered).map(Some)
        }
        _ => Ok(None),
    }
}

/// rustup works on its own home; `rustc` mostly compiles.
fn of_rustup(invocation: &Invocation, gathered: Gathered) -> Option<Dependencies> {
    if invocation.program == "rustc" {
        return invocation.flag(&["--version", "-V", "-vV"]).map(|_| gathered.finish(Part::Whole));
    }
    let moves = invocation.known_arguments().any(|(_, word)| matches!(word, "update" | "stable" | "beta" | "nightly"));
    let unpinned = moves.then(|| "rustup fetches the newest toolchain".to_owned());
    Some(Dependencies { unpinned, ..gathered.finish(Part::Whole) })
}

/// `cargo install NAME`. Cargo passes over the project's configuration for it.
fn tool(words: &[&str], gathered: Gathered) -> Option<Dependencies> {
    let has =
        |name: &str| words.iter().any(|word| *word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')));
    if has("--git") && !has("--rev") {
        return None;
    }
    let pinned = has("--version") || has("--vers") || has("--rev") || words.iter().any(|word| word.contains('@'));
    let unpinned = (!pinned).then(|| "cargo install names no version".to_owned());
    Some(Dependencies { unpinned, ..gathered.finish(Part::Whole) })
}

/// `cargo chef cook` reads its recipe, and lays the project's skeleton out by it.
fn cook(invocation: &Invocation, folder: &str, mut gathered: Gathered) -> Result<Dependencies, Entangled> {
    let recipe = match invocation.option(&["--recipe-path"]) {
        None => "recipe.json".to_owned(),
        Some(Knowledge::Known(path)) => path,
        Some(Knowledge::Unknown) => return Err(not_seen("the value of --recipe-path is not known")),
    };
    // Mostly it comes from another stage, so that no copy of the project brings it: it is read all the same.
    let recipe = join(folder, &recipe);
    gathered.take(&recipe);
    let output = crates::configuration(&mut gathered, folder)?.output;
    let makes = vec![output.unwrap_or_else(|| join(folder, "target"))];
    let mut dependencies = Dependencies { makes, ..gathered.finish(Part::Whole) };
    if !dependencies.files.contains(&recipe) {
        dependencies.files.push(recipe);
    }
    Ok(dependencies)
}

/// A command that needs the project, with what goes above it.
struct Halves<'a> {
    invocation: &'a Invocation,
    at: &'a Surroundings<'a>,
    folder: &'a str,
    name: &'a str,
}

impl Halves<'_> {
    fn answer(&self, mut gathered: Gathered) -> Result<Dependencies, Entangled> {
        if self.at.user != User::Root {
            return Err(not_seen(
                "it is not known whether this step's user may write into the project's folders, as the stubs need it; USER below the install, or --chown on the copy, would tell",
            ));
        }
        let ran = |names: &[&str]| self.at.earlier.iter().any(|one| one.program == "cargo" && names.contains(&one.argument(0)));
        if ran(&["init", "new"]) {
            let because = "an earlier step makes a project with `cargo new`: it may stand in for the real one already".to_owned();
            return Err(Entangled::NeedsSource { because });
        }
        let configuration = crates::configuration(&mut gathered, &self.configured_in()?)?;
        let manifest = self.manifest(&gathered)?;
        let found = Crates::from(&manifest, &mut gathered)?;
        let (names, targets, root) = (found.names, found.targets, found.root);
        let stubs = Stubs::new(&targets, &gathered);
        let is_locked = gathered.project.look(&join(&root, "Cargo.lock")) == Found::File;
        let heeds_lock = self.name != "install" || self.invocation.flag(&["--locked"]).is_some();
        let unpinned = match (is_locked, heeds_lock) {
            (true, true) => None,
            (true, false) => Some("cargo install without --locked passes over Cargo.lock".to_owned()),
            (false, _) => Some("there is no Cargo.lock".to_owned()),
        };
        let bolder = if ran(&["clean"]) { None } else { self.build(&names, &stubs, &root, configuration)? };
        let command = stubs.around(&self.fetch()?);
        let part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: true };
        Ok(Dependencies { unpinned, bolder, stubs: targets.iter().cloned().collect(), ..gathered.finish(part) })
    }

    /// The manifest that the command means.
    fn manifest(&self, gathered: &Gathered) -> Result<String, Entangled> {
        let given = |names: &[&str]| match self.invocation.option(names) {
            None => Ok(None),
            Some(Knowledge::Known(path)) => Ok(Some(join(self.folder, &path))),
            Some(Knowledge::Unknown) => Err(not_seen(format!("the value of {} is not known", names.join(", ")))),
        };
        if let Some(path) = given(&["--manifest-path"])? {
            return Ok(path);
        }
        if let Some(path) = given(&["--path"])?.filter(|_| self.name == "install") {
            return Ok(join(&path, "Cargo.toml"));
        }
        find_upward(gathered.project, self.folder, &["Cargo.toml"])
            .ok_or_else(|| not_seen(format!("no copy brings a Cargo.toml to {} or a folder above it", self.folder)))
    }

    /// The folder from which Cargo looks for its configuration.
    fn configured_in(&self) -> Result<String, Entangled> {
        if self.invocation.option(&["-C"]).is_some() {
            return Err(not_seen("the folder that cargo -C changes to"));
        }
        match self.invocation.option(&["--path"]).filter(|_| self.name == "install") {
            Some(Knowledge::Known(path)) => Ok(join(self.folder, &path)),
            Some(Knowledge::Unknown) => Err(not_seen("the value of --path is not known")),
            None => Ok(self.folder.to_owned()),
        }
    }

    /// The program with its variables, and the toolchain where one is named.
    fn program(&self) -> Result<String, Entangled> {
        let mut program = first_half::program(self.invocation, |_| true)?;
        if let Some(toolchain) = self.invocation.arguments.first().filter(|first| first.raw.starts_with('+')) {
            program = format!("{program} {}", first_half::word(toolchain, self.at)?);
        }
        Ok(program)
    }

    fn fetch(&self) -> Result<String, Entangled> {
        let mut command = self.program()?;
        // `xx-cargo` only sets a platform; what is fetched serves all.
        if let Some(plain) = command.strip_suffix("xx-cargo") {
            command = format!("{plain}cargo");
        }
        command.push_str(" fetch");
        if self.invocation.flag(&["--locked"]).is_some() {
            command.push_str(" --locked");
        }
        if let Some(path) = self.manifest_option() {
            command = format!("{command} --manifest-path {}", first_half::quoted(&path));
        }
        Ok(command)
    }

    /// `--manifest-path`, also for what `cargo install --path` names.
    fn manifest_option(&self) -> Option<String> {
        let given = self.invocation.option(&["--manifest-path"]).and_then(Knowledge::into_known);
        let installed = || self.invocation.option(&["--path"]).filter(|_| self.name == "install").and_then(Knowledge::into_known);
        given.or_else(|| installed().filter(|path| path != ".").map(|path| format!("{}/Cargo.toml", path.trim_end_matches('/'))))
    }

    /// A build of the dependencies alone, where all words are known and stubs can be linked.
    fn build(
        &self,
        names: &BTreeSet<String>,
        stubs: &Stubs,
        root: &str,
        configuration: Configuration,
    ) -> Result<Option<Bolder>, Entangled> {
        let Some((_, build)) = BUILDS.iter().find(|(name, _)| *name == self.name) else { return Ok(None) };
        let bare = configuration.is_bare || self.invocation.arguments.iter().any(|argument| crates::is_bare(&argument.raw));
        let Some(words) = self.carried().filter(|_| !bare && self.invocation.program == "cargo") else { return Ok(None) };
        let program = self.program()?;
        let mut command = format!("{program} {build}");
        words.iter().for_each(|word| command = format!("{command} {word}"));
        let manifest = self.manifest_option().filter(|_| self.invocation.option(&["--manifest-path"]).is_none());
        if let Some(manifest) = manifest {
            command = format!("{command} --manifest-path {}", first_half::quoted(&manifest));
        }
        command = format!("{command} && {program} clean");
        for word in self.cleaning(&words) {
            command = format!("{command} {word}");
        }
        for name in names {
            command = format!("{command} -p {}", first_half::quoted(name));
        }
        let output = match self.invocation.option(&["--target-dir"]).or_else(|| self.at.variable("CARGO_TARGET_DIR").cloned()) {
            Some(Knowledge::Known(path)) => join(self.folder, &path),
            Some(Knowledge::Unknown) => return Ok(None),
            None => configuration.output.unwrap_or_else(|| join(root, "target")),
        };
        let doubt = "dependencies are built on their own beside stubs of the project's sources; `cargo clean -p` then removes \
                     what the stubs left, and a release of Cargo that leaves something of it could build on that"
            .to_owned();
        let command = stubs.around(&command);
        Ok(Some(Bolder { command, doubt, makes: vec![output], files: Vec::new(), folders: Vec::new() }))
    }

    /// The words behind the subcommand that a build of the dependencies takes over; `None` where one has no meaning elsewhere.
    fn carried(&self) -> Option<Vec<String>> {
        let own = own_words(self.invocation).len();
        let mut carried = Vec::new();
        let mut drops_next = false;
        let words = self.invocation.arguments.iter().take(own);
        for argument in words.skip_while(|argument| argument.raw != self.name).skip(1) {
            let literal = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
            let name = literal.split('=').next().unwrap_or_default();
            let of_install = self.name == "install" && matches!(name, "--force" | "-f" | "--no-track" | "--debug");
            if std::mem::take(&mut drops_next) || of_install {
                continue;
            }
            if DROPPED.contains(&name) {
                drops_next = name == literal;
                continue;
            }
            carried.push(first_half::word(argument, self.at).ok()?);
        }
        if self.name == "install"
            && self.invocation.flag(&["--debug"]).is_none()
            && self.invocation.option(&["--profile"]).is_none()
        {
            carried.insert(0, "--release".to_owned());
        }
        Some(carried)
    }

    /// Of these words, the ones that say where `cargo clean` finds what was built.
    fn cleaning(&self, words: &[String]) -> Vec<String> {
        const WITH_VALUE: &[&str] = &["--profile", "--target", "--target-dir", "--manifest-path", "--config"];
        let mut cleaning = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name = word.split('=').next().unwrap_or_default();
            match name {
                "--release" | "-r" => cleaning.push("--release".to_owned()),
                "--locked" => cleaning.push(word.clone()),
                _ if WITH_VALUE.contains(&name) => {
                    cleaning.push(word.clone());
                    cleaning.extend((name == word).then(|| words.next()).flatten().cloned());
                }
                _ => {}
            }
        }
        // What `cargo bench` builds lies with the release.
        if self.name == "bench" && self.invocation.option(&["--profile"]).is_none() {
            cleaning.insert(0, "--release".to_owned());
        }
        let manifest = self.manifest_option().filter(|_| !cleaning.iter().any(|word| word.starts_with("--manifest-path")));
        cleaning.extend(manifest.map(|manifest| format!("--manifest-path {}", first_half::quoted(&manifest))));
        cleaning
    }
}

/// Sources that do nothing, in the place of the real ones.
struct Stubs {
    folders: BTreeSet<String>,
    files: Vec<String>,
    /// What removes them again.
    removes: BTreeSet<String>,
}

impl Stubs {
    fn new(targets: &BTreeSet<String>, gathered: &Gathered) -> Self {
        let mut stubs = Self { folders: BTreeSet::new(), files: Vec::new(), removes: BTreeSet::new() };
        for target in targets {
            let shown = |path: &str| first_half::quoted(gathered.shown(path));
            stubs.files.push(shown(target));
            let mut remove = target.as_str();
            while !gathered.holds_any(parent(remove)) {
                remove = parent(remove);
            }
            if remove != target {
                stubs.folders.insert(shown(parent(target)));
            }
            stubs.removes.insert(shown(remove));
        }
        stubs
    }

    /// A command with stubs in place while it runs.
    fn around(&self, command: &str) -> String {
        let join = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        let folders = if self.folders.is_empty() { String::new() } else { format!("mkdir -p {} && ", join(&self.folders)) };
        let files = match self.files.as_slice() {
            [file] => format!("> {file}"),
            files => format!("| tee {} > /dev/null", files.join(" ")),
        };
        format!(
            "{folders}echo '#![doc = \"stub\"] #![allow(dead_code)] fn main() {{}}' {files} && {command} && rm -r {}",
            join(&self.removes)
        )
    }
}

#[cfg(test)]
mod tests;
