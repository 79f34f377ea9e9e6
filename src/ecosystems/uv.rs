//! uv and uvx.
//!
//! Knows: which commands download, where uv keeps downloads and the wheels it built, what switches that off and how that is
//! undone; what they read of a project is told in `manifests`. Never does: read `uv.toml` or the lock file for the cache; look into
//! what `uv run` and `uvx` run.
//!
//! The cache holds downloads, unpacked wheels, wheels built here, and environments of `uvx`; projects' `.venv`, installed tools
//! and Pythons are elsewhere. uv links files out of it, which over the border of a mount is a copy with a warning, so
//! `UV_LINK_MODE=copy` is said where nothing is; it also overrides `link-mode = "symlink"` in a configuration file that we
//! don't see. Links on purpose (`--link-mode symlink`) would dangle: refused, as is a word that is not known and could say it,
//! or `--offline`. A no-cache switch is dropped or set to `0`.
//!
//! **Own source.** uv keeps the wheel of a local project, keyed by the times of its manifests (`pyproject.toml`, `setup.py`)
//! and not by its source. With a mount such a wheel outlives its layer: where the source changes and the manifest's layer
//! stays, the old code is installed, or a compiled module is missing because nothing was compiled (both reproduced: path
//! dependencies with each release from 0.4.30 to 0.13.8, a compiled project with 0.13.8, `uv pip install .` up to 0.5.31).
//! `--refresh` cures it, so commands that build source get it. It makes uv ask the index again about what it installs, not
//! about what is installed already; an index that can't say "not changed" sends the archives again. Not seen: local paths in a
//! requirements file, path dependencies beside `--no-install-project`.
//!
//! - Shared: the manual promises that the cache is safe for several uv at once.
//! - By base image: a wheel built here is named `linux_x86_64`, whatever libraries it was linked with (not proven that uv keeps
//!   musl and glibc apart). The processor is in the name, so platforms don't meet.
//! - `uvx`, `uv tool run` and `uv run --with` leave their environment only in the cache: needed later. A script with
//!   dependencies of its own (`uv run x.py`) does so too, but can't be told from a plain one.
//!
//! Facts: uv's manual (Caching) and help, and runs of 0.1.45, 0.4.30, 0.8.0 and 0.13.8: `UV_NO_CACHE=0` and `false` keep the
//! cache on, an empty `UV_*` is an error, `~` in `UV_CACHE_DIR` is a plain name, `-qn` is `-q -n`, `uv run --offline` on a
//! synced project needs no cache.

mod manifests;
mod pip_commands;
mod workspace;

use crate::ecosystems::offline::hiding_word;
use crate::ecosystems::python::{in_front, is_yes, own_folder, user_cache, word_behind};
use crate::ecosystems::{Activity, CacheFolder, CacheUse, CommandChange, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// uv and uvx.
pub struct Uv;

const INSTALL: Activity = Activity::Install { needs_index: false };

/// Options that may stand in front of the subcommand and take the next word.
const WITH_VALUE: &[&str] = &[
    "--allow-insecure-host",
    "--cache-dir",
    "--color",
    "--config-file",
    "--directory",
    "--preview-features",
    "--project",
    "--python-fetch",
    "--python-preference",
    "--trusted-host",
];

/// Options whose value is the next word, so that an unknown word there is no option.
const TAKES_VALUE: &[&str] = &[
    "-b",
    "-c",
    "-e",
    "-f",
    "-i",
    "-p",
    "-r",
    "-t",
    "--cache-dir",
    "--config-file",
    "--constraint",
    "--constraints",
    "--default-index",
    "--directory",
    "--exclude-newer",
    "--extra",
    "--extra-index-url",
    "--find-links",
    "--from",
    "--group",
    "--index",
    "--index-url",
    "--only-group",
    "--override",
    "--overrides",
    "--package",
    "--prefix",
    "--project",
    "--python",
    "--python-version",
    "--requirement",
    "--requirements",
    "--target",
    "--torch-backend",
    "--with",
];

/// What a command of uv is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Puts packages into an environment.
    Installs,
    /// Only finds out versions.
    Resolves,
    /// Runs a program in an environment that lies in the cache.
    Runs,
    Cleans,
    Other,
}

impl Ecosystem for Uv {
    fn id(&self) -> &'static str {
        "uv"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["uv", "uvx"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--cache-dir", "--install-dir", "--output-file", "-o", "UV_CACHE_DIR", "UV_PYTHON_BIN_DIR", "UV_PYTHON_INSTALL_DIR"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".python-version", "uv.toml"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !self.programs().contains(&invocation.program.as_str()) {
            return None;
        }
        let own = own(invocation);
        let has = |flags: &[&str]| own.flag(flags).is_some();
        let reaches_network = !has(&["--no-index"]) || invocation.known_arguments().any(|(_, value)| value.contains("://"));
        Some(match kind(invocation) {
            Kind::Cleans if !has(&["-h", "--help"]) => Activity::Clean,
            Kind::Installs | Kind::Resolves | Kind::Runs
                if has(&["-h", "--help", "-V", "--version", "--dry-run", "--check"]) || !reaches_network =>
            {
                Activity::Other
            }
            Kind::Installs | Kind::Resolves | Kind::Runs => {
                let offline = invocation.variables.iter().any(|(name, value)| name == "UV_OFFLINE" && yes(value));
                if offline || has(&["--offline"]) { Activity::Offline } else { INSTALL }
            }
            Kind::Cleans | Kind::Other => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        if at.variable("UV_OFFLINE").is_some_and(yes) {
            return Err(Obstacle::KeepsNothing { because: "UV_OFFLINE: uv downloads nothing".to_owned() });
        }
        let (kind, own) = (kind(invocation), own(invocation));
        if let Some(word) = hiding_word(&own, TAKES_VALUE) {
            let because = format!("{word} is not known and may hide `--offline` or `--link-mode symlink`");
            return Err(Obstacle::Unsafe { because });
        }
        let mut changes = without_no_cache(&own);
        match at.variable("UV_NO_CACHE") {
            None => {}
            Some(Knowledge::Known(value)) if !is_yes(&Knowledge::Known(value)) => {}
            Some(_) if in_front("UV_NO_CACHE", invocation) => {
                return Err(Obstacle::SwitchedOff { by: "UV_NO_CACHE in front of the command".to_owned() });
            }
            Some(_) => changes.push(CommandChange::SetVariable("UV_NO_CACHE".to_owned(), "0".to_owned())),
        }
        if kind != Kind::Resolves && link_mode_is_open(&own, at)? {
            changes.push(CommandChange::SetVariable("UV_LINK_MODE".to_owned(), "copy".to_owned()));
        }
        let mut notes = Vec::new();
        if let Some((index, word)) = builds_own_source(&own) {
            let word = word.ok_or_else(|| Obstacle::Unsafe {
                because: "uv may run source that an earlier build left in its cache".to_owned(),
            })?;
            changes.push(CommandChange::ReplaceArgument(index, format!("{word} --refresh")));
            notes.push(
                "`--refresh`: else uv may install your source as it built it once, if only its manifest is the same".to_owned(),
            );
        }
        let folder = CacheFolder::downloads(target(&own, at)?).per_base_image();
        let folder = if kind == Kind::Runs { folder.needed_later() } else { folder };
        Ok(CacheUse { mounts: vec![folder], changes, notes })
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        manifests::dependencies(invocation, at, project)
    }
}

fn kind(invocation: &Invocation) -> Kind {
    if invocation.program == "uvx" {
        return Kind::Runs;
    }
    let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE) else { return Kind::Other };
    // With a frozen lock these only read it.
    let resolves = if invocation.flag(&["--frozen"]).is_some() { Kind::Other } else { Kind::Resolves };
    match (subcommand, word_behind(invocation, index)) {
        ("pip", "install" | "sync") | ("sync" | "build", _) | ("tool", "install" | "upgrade") => Kind::Installs,
        // Frozen, they edit the manifest and no more.
        ("add" | "remove", _) if resolves == Kind::Other => Kind::Other,
        ("add" | "remove", _) => Kind::Installs,
        // Seed packages come from the index.
        ("venv", _) if invocation.flag(&["--seed"]).is_some() => Kind::Installs,
        ("pip", "compile") => Kind::Resolves,
        ("lock" | "export" | "tree", _) => resolves,
        ("tool", "run") => Kind::Runs,
        ("run", _) => {
            let own = own(invocation);
            let asks_for_more = own.arguments.iter().any(|word| word.raw.starts_with("--with") || word.raw == "--isolated");
            match own.flag(&["--no-sync"]) {
                _ if asks_for_more => Kind::Runs,
                None => Kind::Installs,
                Some(_) => Kind::Other,
            }
        }
        ("cache", "clean" | "prune") | ("clean", _) => Kind::Cleans,
        _ => Kind::Other,
    }
}

/// The command without what belongs to another program: all from the first word of `uv run`, `uvx` or `uv tool run` on.
fn own(invocation: &Invocation) -> Invocation {
    let start = match invocation.subcommand(WITH_VALUE) {
        _ if invocation.program == "uvx" => 0,
        Some((index, "run")) => index + 1,
        Some((index, "tool")) if word_behind(invocation, index) == "run" => index + 2,
        _ => usize::MAX,
    };
    let is_value = |at: usize| at.checked_sub(1).is_some_and(|before| TAKES_VALUE.contains(&invocation.argument(before)));
    let end = invocation.known_arguments().find(|(at, value)| *at >= start && !value.starts_with('-') && !is_value(*at));
    let mut own = invocation.clone();
    own.arguments.truncate(end.map_or(usize::MAX, |(index, _)| index));
    own
}

/// The last word of the subcommand, with its index, if the command may put a wheel of the project's own source into the cache and
/// nothing makes uv look at the source again. `None` for the word where there is none (`uvx --from .`).
fn builds_own_source(own: &Invocation) -> Option<(usize, Option<&str>)> {
    let is_local = |value: &str| {
        value == "."
            || value.starts_with(['/', '~'])
            || value.starts_with("./")
            || value.starts_with("..")
            || value.contains("file:")
    };
    let is_option_value = |at: usize| at.checked_sub(1).is_some_and(|before| TAKES_VALUE.contains(&own.argument(before)));
    let names_local = || {
        let editable = own.option(&["-e", "--editable", "--with-editable"]).is_some();
        editable
            || own.known_arguments().any(|(at, value)| !is_option_value(at) && is_local(value.split('[').next().unwrap_or(value)))
    };
    let from_local = || {
        own.option(&["--from", "--with", "--with-editable"]).is_some_and(|from| from.known().is_none_or(|from| is_local(from)))
    };
    let without = &[
        "--refresh",
        "--reinstall",
        "--no-install-project",
        "--no-install-workspace",
        "--no-install-local",
        "--no-project",
        "--no-sync",
    ];
    if own.flag(without).is_some() {
        return None;
    }
    if own.program == "uvx" {
        return from_local().then_some((0, None));
    }
    let (index, subcommand) = own.subcommand(WITH_VALUE)?;
    let second = own.known_arguments().find(|(at, value)| *at > index && !value.starts_with('-'));
    match (subcommand, second) {
        ("sync" | "add" | "remove" | "run", _) => Some((index, Some(subcommand))),
        ("pip" | "tool", Some((at, word @ "install"))) if names_local() => Some((at, Some(word))),
        ("tool", Some((at, word @ "run"))) if from_local() => Some((at, Some(word))),
        _ => None,
    }
}

/// The changes that take `--no-cache` away, in all its forms.
fn without_no_cache(own: &Invocation) -> Vec<CommandChange> {
    let change = |(index, value): (usize, &str)| match value {
        "-n" | "--no-cache" | "--no-cache-dir" => Some(CommandChange::RemoveArgument(index)),
        // One dash, flags without values, `n` among them.
        _ => {
            let flags =
                value.strip_prefix('-').filter(|flags| flags.contains('n') && flags.chars().all(|flag| "nqvU".contains(flag)))?;
            Some(CommandChange::ReplaceArgument(index, format!("-{}", flags.replace('n', ""))))
        }
    };
    own.known_arguments().filter_map(change).collect()
}

/// Whether nothing says how files leave the cache.
fn link_mode_is_open(invocation: &Invocation, at: &Surroundings) -> Result<bool, Obstacle> {
    let unsafe_links = |what: &str| Obstacle::Unsafe { because: format!("{what}: links into the cache would lead nowhere") };
    let variable = at.variable("UV_LINK_MODE").cloned();
    match invocation.option(&["--link-mode"]).or(variable) {
        Some(Knowledge::Known(mode)) if mode == "symlink" => Err(unsafe_links("link mode symlink")),
        Some(Knowledge::Known(_)) => Ok(false),
        Some(Knowledge::Unknown) => Err(unsafe_links("the link mode is not known and may be symlink")),
        None => Ok(true),
    }
}

fn target(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    let moved = invocation.option(&["--directory"]).is_some() || at.variable("UV_WORKING_DIR").is_some();
    let named = |folder: &Knowledge<String>, by: &str| match folder {
        // uv takes `~` for a name, and goes to another folder first.
        Knowledge::Known(path) if path.starts_with('~') || moved && !path.starts_with('/') => {
            Err(Obstacle::UnknownFolder { because: format!("{by} is {path}") })
        }
        folder => own_folder(folder, by, at),
    };
    match (invocation.option(&["--cache-dir"]), at.variable("UV_CACHE_DIR")) {
        (Some(folder), _) => named(&folder, "--cache-dir"),
        (None, Some(folder)) => named(folder, "UV_CACHE_DIR"),
        (None, None) => user_cache("uv", at),
    }
}

fn yes(value: &Knowledge<String>) -> bool {
    value.known().is_some_and(|value| is_yes(&Knowledge::Known(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::python::as_root;
    use crate::ecosystems::testing::invocation;
    use crate::ecosystems::{Need, Sharing};

    fn does(words: &[&str]) -> Option<Activity> {
        Uv.recognise(&invocation(words))
    }

    fn cache(words: &[&str], variables: &[(&str, &str)]) -> Result<CacheUse, Obstacle> {
        Uv.cache(&invocation(words), &as_root(variables))
    }

    fn copies() -> CommandChange {
        CommandChange::SetVariable("UV_LINK_MODE".into(), "copy".into())
    }

    #[test]
    fn commands_are_told_apart() {
        let installs: &[&[&str]] = &[
            &["uv", "--project", "p", "sync", "--frozen"],
            &["uv", "pip", "install", "--system", "-r", "requirements.txt"],
            &["uv", "pip", "install", "--no-index", "https://host/x.whl"],
            &["uv", "pip", "compile", "requirements.in"],
            &["uv", "lock"],
            &["uv", "venv", "--seed"],
            &["uv", "tool", "install", "ruff"],
            &["uvx", "--from", "x", "ruff", "--version"],
            &["uv", "run", "--extra", "dev", "pytest", "--help"],
            &["uv", "tool", "run", "ruff", "--help"],
        ];
        for words in installs {
            assert_eq!(does(words), Some(INSTALL), "{words:?}");
        }
        let others: &[&[&str]] = &[
            &["uv", "--version"],
            &["uv", "venv"],
            &["uv", "run", "--no-sync", "pytest"],
            &["uv", "sync", "--dry-run"],
            &["uv", "lock", "--check"],
            &["uv", "export", "--frozen"],
            &["uv", "pip", "install", "--no-index", "-f", "/wheels", "x"],
            &["uv", "python", "install", "3.12"],
            &["uv", "cache", "dir"],
            &["uvx", "--help"],
        ];
        for words in others {
            assert_eq!(does(words), Some(Activity::Other), "{words:?}");
        }
        assert_eq!(does(&["uv", "cache", "prune", "--ci"]), Some(Activity::Clean));
        assert_eq!(does(&["uv", "sync", "--offline"]), Some(Activity::Offline));
        assert_eq!(does(&["UV_OFFLINE=1", "uv", "sync"]), Some(Activity::Offline));
        assert_eq!(does(&["pip", "install"]), None);
    }

    #[test]
    fn the_folder_follows_flag_then_variable_then_xdg_then_home() {
        let variables = [("UV_CACHE_DIR", "/env"), ("XDG_CACHE_HOME", "/xdg")];
        let target =
            |words: &[&str], variables: &[(&str, &str)]| cache(words, variables).map(|cache| cache.mounts[0].target.clone());
        assert_eq!(target(&["uv", "sync", "--cache-dir=rel"], &variables).unwrap(), "/app/rel");
        assert_eq!(target(&["uv", "sync"], &variables).unwrap(), "/env");
        assert_eq!(target(&["uv", "sync"], &variables[1..]).unwrap(), "/xdg/uv");
        assert_eq!(target(&["uv", "sync"], &[]).unwrap(), "/root/.cache/uv");
        for folder in ["~/uv", "$DIR", ""] {
            assert!(matches!(target(&["uv", "sync"], &[("UV_CACHE_DIR", folder)]), Err(Obstacle::UnknownFolder { .. })));
        }
        assert!(target(&["uv", "--directory", "x", "--cache-dir", "rel", "sync"], &[]).is_err());
    }

    #[test]
    fn what_switches_the_cache_off_is_undone() {
        let changes = |words: &[&str], variables: &[(&str, &str)]| cache(words, variables).map(|cache| cache.changes);
        assert_eq!(
            changes(&["uv", "pip", "install", "--no-cache-dir", "x"], &[]),
            Ok(vec![CommandChange::RemoveArgument(2), copies()])
        );
        let quiet = CommandChange::ReplaceArgument(3, "-q".into());
        assert_eq!(changes(&["uv", "pip", "install", "x", "-qn"], &[]), Ok(vec![quiet, copies()]));
        assert_eq!(changes(&["uvx", "ruff", "-n"], &[]), Ok(vec![copies()]));
        let on = CommandChange::SetVariable("UV_NO_CACHE".into(), "0".into());
        assert_eq!(changes(&["uv", "lock"], &[("UV_NO_CACHE", "true")]), Ok(vec![on]));
        assert_eq!(changes(&["uv", "pip", "sync", "x"], &[("UV_NO_CACHE", "0"), ("UV_LINK_MODE", "copy")]), Ok(vec![]));
        let inline = changes(&["UV_NO_CACHE=1", "uv", "sync"], &[("UV_NO_CACHE", "1")]);
        assert!(matches!(inline, Err(Obstacle::SwitchedOff { .. })));
    }

    #[test]
    fn links_into_the_cache_are_refused() {
        assert!(matches!(cache(&["uv", "sync", "--link-mode=symlink"], &[]), Err(Obstacle::Unsafe { .. })));
        assert!(matches!(cache(&["uv", "sync"], &[("UV_LINK_MODE", "$MODE")]), Err(Obstacle::Unsafe { .. })));
        assert_eq!(cache(&["uv", "pip", "install", "x", "--link-mode", "hardlink"], &[]).unwrap().changes, vec![]);
        assert!(matches!(cache(&["uv", "sync", "$ARGS"], &[]), Err(Obstacle::Unsafe { .. })));
        assert!(cache(&["uv", "pip", "install", "torch==$VERSION", "--python", "$PYTHON"], &[]).is_ok());
        assert!(cache(&["uvx", "ruff", "$ARGS"], &[]).is_ok());
    }

    #[test]
    fn source_is_looked_at_again() {
        let changes = |words: &[&str]| cache(words, &[("UV_LINK_MODE", "copy")]).map(|cache| cache.changes);
        let refreshed = |index: usize, text: &str| Ok(vec![CommandChange::ReplaceArgument(index, text.to_owned())]);
        assert_eq!(changes(&["uv", "--project", "api", "sync", "--frozen"]), refreshed(2, "sync --refresh"));
        assert_eq!(changes(&["uv", "pip", "install", "--system", "."]), refreshed(1, "install --refresh"));
        assert_eq!(changes(&["uv", "pip", "install", "-e", "./lib[dev]"]), refreshed(1, "install --refresh"));
        assert_eq!(changes(&["uv", "pip", "install", "--editable=lib"]), refreshed(1, "install --refresh"));
        assert_eq!(changes(&["uv", "run", "pytest"]), refreshed(0, "run --refresh"));
        for words in [
            &["uv", "sync", "--frozen", "--no-install-project"][..],
            &["uv", "sync", "--refresh"],
            &["uv", "pip", "install", "-r", "./requirements.txt"],
            &["uv", "pip", "install", "flask"],
            &["uv", "build"],
            &["uvx", "ruff", "check", "."],
        ] {
            assert_eq!(changes(words), Ok(vec![]), "{words:?}");
        }
        assert!(matches!(changes(&["uvx", "--from", ".", "tool"]), Err(Obstacle::Unsafe { .. })));
    }

    #[test]
    fn only_run_environments_are_needed_later() {
        let sync = cache(&["uv", "sync"], &[]).unwrap().mounts.remove(0);
        assert_eq!(
            (sync.need, sync.sharing, sync.keyed_by_platform, sync.by_base_image),
            (Need::Never, Sharing::Shared, true, true)
        );
        assert_eq!(cache(&["uv", "run", "pytest"], &[]).unwrap().mounts[0].need, Need::Never);
        for words in [&["uvx", "ruff"][..], &["uv", "run", "--with", "ruff", "ruff"]] {
            assert_eq!(cache(words, &[]).unwrap().mounts[0].need, Need::ByLaterSteps);
        }
    }
}
