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
//! Plugins count where they take all options of `cargo build`: `zigbuild` (tried with 0.24 in a workspace with a procedural macro and a
//! build script: the program is the same to the byte), `auditable` and `xwin`. Not `component`, `leptos` and `lambda`: they go on to
//! work on what was built, and a stub has nothing of that.
//!
//! `cargo clean` loads the manifests, too, and fails without targets: it never goes above the source alone.
//!
//! Sources: the Cargo book (`cargo fetch`, `install`, `clean`, package layout, configuration); rustup's book on overrides; the READMEs
//! of the plugins, and the options in cargo-zigbuild's source.

use super::crates::{self, Configuration, Crates};
use super::stubs::Stubs;
use super::{own_words, subcommand};
use crate::ecosystems::gathered::{Gathered, find_upward, join, not_seen};
use crate::ecosystems::{Bolder, Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, User, first_half};
use crate::knowledge::Knowledge;

/// Subcommands whose words a build of the dependencies can take over, with the subcommand for it. `zigbuild` takes all options of
/// `build`.
const BUILDS: &[(&str, &str)] = &[
    ("build", "build"),
    ("zigbuild", "zigbuild"),
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

/// Plugins that run the subcommand behind their name, with all its options.
const PLUGINS: &[&str] = &["auditable", "xwin"];

/// The first minor release of Cargo 1 for which `cargo clean --workspace` was tried.
const CLEANS_WORKSPACE: u32 = 95;

/// So many names of crates are read over.
const FEW_NAMES: usize = 3;

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
    let asked = words.first().and_then(|word| word.strip_prefix('+')).map(str::to_owned);
    let toolchain = match (asked, at.variable("RUSTUP_TOOLCHAIN")) {
        (Some(asked), _) => Some(asked),
        (None, Some(value)) => Some(value.known().cloned().unwrap_or_default()),
        (None, None) => crates::toolchain_file(&mut gathered, folder)?,
    };
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
        "clean" if first_half::is_plain(invocation) => Ok(clean(invocation, at, folder, gathered)),
        "chef" if rest.contains(&"cook") => cook(invocation, folder, gathered).map(Some),
        _ if BUILDS.iter().any(|(build, _)| *build == name) || FETCHES.contains(&name) => {
            if !first_half::is_plain(invocation) {
                return Ok(None);
            }
            let plugin = PLUGINS.contains(&name).then_some(name);
            let name = plugin.and_then(|_| rest.first().copied()).unwrap_or(name);
            Halves { invocation, at, folder, plugin, name, toolchain }.answer(gathered).map(Some)
        }
        _ => Ok(None),
    }
}

/// `cargo clean` reads the manifests, and needs the files that they stand for. `None` where those are not known.
fn clean(invocation: &Invocation, at: &Surroundings, folder: &str, mut gathered: Gathered) -> Option<Dependencies> {
    let halves = Halves { invocation, at, folder, plugin: None, name: "clean", toolchain: None };
    let configuration = crates::configuration(&mut gathered, folder).ok()?;
    let manifest = halves.manifest(&gathered).ok()?;
    let found = Crates::from(&manifest, &mut gathered).ok()?;
    let (targets, root) = (found.targets, found.root);
    targets.iter().for_each(|target| {
        gathered.take(target);
    });
    let output = halves.output(&root, configuration)?;
    Some(Dependencies { makes: vec![output], ..gathered.finish(Part::Whole) })
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
    /// A plugin that runs the subcommand.
    plugin: Option<&'a str>,
    name: &'a str,
    /// The toolchain that the project or the command names.
    toolchain: Option<String>,
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
        let cleaned = self.cleaned(&found);
        let (targets, folders, root) = (found.targets, found.folders, found.root);
        let stubs = Stubs::new(&targets, &folders, &gathered);
        let is_locked = gathered.project.look(&join(&root, "Cargo.lock")) == Found::File;
        let heeds_lock = self.name != "install" || self.invocation.flag(&["--locked"]).is_some();
        let unpinned = match (is_locked, heeds_lock) {
            (true, true) => None,
            (true, false) => Some("cargo install without --locked passes over Cargo.lock".to_owned()),
            (false, _) => Some("there is no Cargo.lock".to_owned()),
        };
        let bolder = if ran(&["clean"]) { None } else { self.build(&cleaned, &stubs, &root, configuration)? };
        let command = stubs.around(&self.fetch()?);
        let part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: true };
        Ok(Dependencies { unpinned, bolder, stubs: stubs.all, ..gathered.finish(part) })
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
    fn program(&self, carries: impl Fn(&str) -> bool) -> Result<String, Entangled> {
        let mut program = first_half::program(self.invocation, carries)?;
        if let Some(toolchain) = self.invocation.arguments.first().filter(|first| first.raw.starts_with('+')) {
            program = format!("{program} {}", first_half::word(toolchain, self.at)?);
        }
        Ok(program)
    }

    fn fetch(&self) -> Result<String, Entangled> {
        // What is fetched does not hang on the compiler's settings.
        let settings =
            |name: &str| name.ends_with("FLAGS") || name.starts_with("PKG_CONFIG") || matches!(name, "CC" | "CXX" | "AR");
        let variables = &self.invocation.variables;
        let is_known = |name: &str| variables.iter().all(|(own, value)| own != name || value.known().is_some());
        let mut command = self.program(|name| is_known(name) || !settings(name))?;
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
        cleaned: &[String],
        stubs: &Stubs,
        root: &str,
        configuration: Configuration,
    ) -> Result<Option<Bolder>, Entangled> {
        let Some((_, build)) = BUILDS.iter().find(|(name, _)| *name == self.name) else { return Ok(None) };
        let bare = configuration.is_bare || self.invocation.arguments.iter().any(|argument| crates::is_bare(&argument.raw));
        let Some(Carried { words, files }) = self.carried().filter(|_| !bare && self.invocation.program == "cargo") else {
            return Ok(None);
        };
        let Ok(program) = self.program(|_| true) else { return Ok(None) };
        let mut command = program.clone();
        self.plugin.iter().chain([build]).for_each(|word| command = format!("{command} {word}"));
        words.iter().for_each(|word| command = format!("{command} {word}"));
        let manifest = self.manifest_option().filter(|_| self.invocation.option(&["--manifest-path"]).is_none());
        if let Some(manifest) = manifest {
            command = format!("{command} --manifest-path {}", first_half::quoted(&manifest));
        }
        command = format!("{command} && {program} clean");
        let Some(cleaning) = self.cleaning(&words) else { return Ok(None) };
        for word in cleaning.iter().chain(cleaned) {
            command = format!("{command} {word}");
        }
        let Some(output) = self.output(root, configuration) else { return Ok(None) };
        let doubt = "dependencies are built on their own beside stubs of the project's sources; `cargo clean` then removes what the \
                     stubs left, and a release of Cargo that leaves something of it could build on that. A target that a manifest \
                     names newly needs a stub, too"
            .to_owned();
        let command = stubs.around(&command);
        Ok(Some(Bolder { command, doubt, makes: vec![output], files, folders: Vec::new() }))
    }

    /// The folder for build output.
    fn output(&self, root: &str, configuration: Configuration) -> Option<String> {
        match self.invocation.option(&["--target-dir"]).or_else(|| self.at.variable("CARGO_TARGET_DIR").cloned()) {
            Some(Knowledge::Known(path)) => Some(join(self.folder, &path)),
            Some(Knowledge::Unknown) => None,
            None => Some(configuration.output.unwrap_or_else(|| join(root, "target"))),
        }
    }

    /// The words for the local crates, behind `cargo clean`. The members of a large workspace go by one word, where the release of
    /// Cargo is known to have it.
    fn cleaned(&self, found: &Crates<'_, '_>) -> Vec<String> {
        let whole = found.members.len() > FEW_NAMES && self.minor().is_some_and(|minor| minor >= CLEANS_WORKSPACE);
        let named = found.names.iter().filter(|name| !(whole && found.members.contains(*name)));
        let named = named.map(|name| format!("-p {}", first_half::quoted(name)));
        whole.then(|| "--workspace".to_owned()).into_iter().chain(named).collect()
    }

    /// The minor release of Rust 1 that runs, where the project or the image's tag names it.
    fn minor(&self) -> Option<u32> {
        let of_image = || (self.at.base.repository().rsplit('/').next() == Some("rust")).then(|| self.at.base.tag().to_owned());
        let named = self.toolchain.clone().or_else(of_image)?;
        named.strip_prefix("1.")?.split(['.', '-']).next()?.parse().ok()
    }

    /// The words behind the subcommand that a build of the dependencies takes over; `None` where one has no meaning elsewhere.
    fn carried(&self) -> Option<Carried> {
        let own = own_words(self.invocation).len();
        let mut carried = Vec::new();
        let mut files = Vec::new();
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
            if argument.value.known().is_none()
                && let Some(file) = file_in(&argument.raw)
            {
                files.push(join(self.folder, file));
                carried.push(argument.raw.clone());
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
        Some(Carried { words: carried, files })
    }

    /// Of these words, the ones that say where `cargo clean` finds what was built; `None` where that can't be said.
    fn cleaning(&self, words: &[String]) -> Option<Vec<String>> {
        const WITH_VALUE: &[&str] = &["--profile", "--target", "--target-dir", "--manifest-path", "--config"];
        let mut cleaning = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name = word.split('=').next().unwrap_or_default();
            match name {
                "--release" | "-r" => cleaning.push("--release".to_owned()),
                "--locked" => cleaning.push(word.clone()),
                "--target" if self.name == "zigbuild" => {
                    let value = if name == word { words.next()?.as_str() } else { word.get(name.len() + 1..)? };
                    cleaning.push(format!("--target {}", self.without_libc(value)?));
                }
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
        Some(cleaning)
    }

    /// A target of `cargo zigbuild` as Cargo knows it, without the release of the C library that may stand behind it
    /// (`x86_64-unknown-linux-gnu.2.17`). `None` where that can't be told, and for what stands for two targets.
    fn without_libc<'t>(&self, target: &'t str) -> Option<&'t str> {
        let names_libc = |word: &str| word.split("-gnu").nth(1).is_some_and(|behind| behind.contains('.'));
        if target.starts_with("universal2") {
            return None;
        }
        if !target.contains(['$', '\'', '"']) {
            return target.split('.').next();
        }
        let of_variables = self.at.variables.iter().filter_map(|(_, value)| value.known());
        let mut words = self.at.earlier.iter().flat_map(|one| &one.arguments).map(|argument| &argument.raw).chain(of_variables);
        (!words.any(|word| names_libc(word))).then_some(target)
    }
}

/// What a build of the dependencies takes over.
struct Carried {
    words: Vec<String>,
    /// Files that the words stand for.
    files: Vec<String>,
}

/// The file whose content is a word, alone or behind `--option=`: `$(cat target.txt)`.
fn file_in(raw: &str) -> Option<&str> {
    let value = match raw.split_once('=') {
        Some((name, value)) if name.starts_with("--") && !name.contains('$') => value,
        _ => raw,
    };
    let value = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value);
    let file = value.strip_prefix("$(cat ")?.strip_suffix(')')?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    (!file.is_empty() && !file.starts_with('-') && file.chars().all(plain)).then_some(file)
}

#[cfg(test)]
mod tests;
