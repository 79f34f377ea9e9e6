//! pip, and the programs that install through it: pipx, pip-sync.
//!
//! Knows: which commands download, where pip keeps what it downloaded and built, what switches that off and how that is undone.
//! What they read of a project is told in `manifests`.
//! Never does: read `pip.conf` or the index for the cache; say that an index lets itself be cached (one that sends no cache
//! headers leaves the HTTP cache empty; the mount is then no use and no harm).
//!
//! The cache holds HTTP answers, wheels that pip built itself, and the date of its last self-check: all made again at need,
//! nothing of it installed, so the whole folder is mounted. `--no-cache-dir` is dropped; a non-empty `PIP_NO_CACHE_DIR` (also
//! `0` and `false`) is made empty, which pip takes as not set. An argument that can't be known is no obstacle: the worst
//! that it can hide is another folder or no cache, and then the mount stays empty.
//!
//! - Locked: pip moves a built wheel into the cache, which is a copy where the cache is a mount, and a second build can read
//!   half of it and keep it (pip's tracker, 13540, seen with cache mounts; 12361 for downloads).
//! - By base image: a wheel built here is named `linux_x86_64`, whatever C library and libraries it was linked with.
//!   The processor is in that name, so platforms don't meet.
//! - A local folder is never cached (source), a local archive is built anew each time (20.0.2 to 26.3 tried): no stale code.
//!
//! Facts: pip's source (cli/parser, cli/cmdoptions, cache, network/cache) and runs of pip 26.3; pipx 1.18 and pip-tools' source
//! for the environment that they hand on. Not proven: that pipx finds no uv (it then uses uv's cache); refused where a uv is
//! in sight. Configuration files that are copied in are not seen.

mod manifests;

use crate::ecosystems::python::{emptied, is_yes, own_folder, user_cache, word_behind};
use crate::ecosystems::toolchain;
use crate::ecosystems::{Activity, CacheFolder, CacheUse, CommandChange, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// pip, pipx and pip-sync.
pub struct Pip;

const INSTALL: Activity = Activity::Install { needs_index: false };

/// Options that may stand in front of pip's subcommand and take the next word.
const WITH_VALUE: &[&str] = &[
    "--cache-dir",
    "--cert",
    "--client-cert",
    "--default-timeout",
    "--exists-action",
    "--keyring-provider",
    "--local-log",
    "--log",
    "--log-file",
    "--proxy",
    "--python",
    "--resume-retries",
    "--retries",
    "--timeout",
    "--trusted-host",
    "--use-deprecated",
    "--use-feature",
];

impl Ecosystem for Pip {
    fn id(&self) -> &'static str {
        "pip"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["pip", "pipx", "pip-sync", "build", "pyproject-build"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &[
            "--cache-dir",
            "--local-log",
            "--log",
            "--log-file",
            "--report",
            "PIP_CACHE_DIR",
            "PIP_LOCAL_LOG",
            "PIP_LOG",
            "PIP_LOG_FILE",
            "PIP_REPORT",
        ]
    }

    fn assumed(&self, invocation: &Invocation) -> Option<super::Assumed> {
        manifests::assumed(invocation)
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        let helps = invocation.flag(&["-h", "--help"]).is_some();
        let activity = match invocation.program.as_str() {
            "pipx" => pipx(invocation),
            "pip-sync" if invocation.flag(&["-n", "--dry-run", "-a", "--ask", "--version"]).is_some() => Activity::Other,
            "pip-sync" => from_index(invocation),
            // `python -m build` keeps nothing for later: its environment goes with it.
            _ if manifests::builds_archives(invocation) => Activity::Other,
            _ if invocation.is("pip") => pip(invocation),
            _ => return None,
        };
        let ran = invocation.program == "pipx" && matches!(invocation.subcommand(&[]), Some((_, "run" | "runpip")));
        Some(if helps && !ran { Activity::Other } else { activity })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let through_pip = invocation.is("pip");
        if invocation.program == "pipx" {
            pipx_works_with_pip(invocation, at)?;
        }
        // Without PIP_* variables; configuration files for all users still count.
        let isolated = through_pip && invocation.flag(&["--isolated"]).is_some();
        let (folder, mut changes) = if through_pip { flags(invocation) } else { (None, handed_on(invocation, "--pip-args")?) };
        if !isolated && at.non_empty("PIP_NO_INDEX").is_some_and(|value| is_yes(&value)) && !names_url(invocation) {
            return Err(Obstacle::KeepsNothing { because: "PIP_NO_INDEX: pip downloads nothing".to_owned() });
        }
        let target = match folder {
            // On the command line it also undoes PIP_NO_CACHE_DIR and pip.conf.
            Some(folder) => own_folder(&folder, "--cache-dir", at)?,
            None => {
                if configured(at.earlier, "no-cache-dir") {
                    return Err(Obstacle::SwitchedOff { by: "`pip config set … no-cache-dir`".to_owned() });
                }
                if !isolated {
                    changes.extend(emptied("PIP_NO_CACHE_DIR", invocation, at)?);
                }
                match at.non_empty("PIP_CACHE_DIR").filter(|_| !isolated) {
                    Some(folder) => own_folder(&folder.map(str::to_owned), "PIP_CACHE_DIR", at)?,
                    None if configured(at.earlier, "cache-dir") => {
                        return Err(Obstacle::UnknownFolder { because: "`pip config set … cache-dir`".to_owned() });
                    }
                    None => user_cache("pip", at)?,
                }
            }
        };
        let other_index = invocation.option(&["-i", "--index-url", "--extra-index-url"]).is_some()
            || ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"].iter().any(|name| at.non_empty(name).is_some());
        let mut notes = Vec::new();
        if other_index {
            notes.push("pip keeps downloads only of an index that sends cache headers".to_owned());
        }
        if at.earlier.iter().any(toolchain::installs_c_headers) {
            notes.push(
                "pip also keeps wheels that it built from source, and does not see when the C libraries under them change"
                    .to_owned(),
            );
        }
        Ok(CacheUse { mounts: vec![CacheFolder::downloads(target).locked().per_base_image()], changes, notes })
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

fn pip(invocation: &Invocation) -> Activity {
    match invocation.subcommand(WITH_VALUE) {
        // A dry run downloads what it reports, into the cache.
        Some((index, "install" | "download" | "wheel" | "lock")) if !local_only(invocation, index) => from_index(invocation),
        Some((index, "cache")) if matches!(word_behind(invocation, index), "purge" | "remove") => Activity::Clean,
        _ => Activity::Other,
    }
}

fn pipx(invocation: &Invocation) -> Activity {
    const FETCHING: &[&str] =
        &["install", "install-all", "inject", "upgrade", "upgrade-all", "upgrade-shared", "reinstall", "reinstall-all", "run"];
    match invocation.subcommand(&[]) {
        Some((_, subcommand)) if FETCHING.contains(&subcommand) => INSTALL,
        // `pipx runpip ENVIRONMENT install …`
        Some((index, "runpip")) if matches!(invocation.argument(index + 2), "install" | "download" | "wheel") => INSTALL,
        _ => Activity::Other,
    }
}

/// An install, unless it has no index and no address to download from.
fn from_index(invocation: &Invocation) -> Activity {
    if invocation.flag(&["--no-index"]).is_some() && !names_url(invocation) { Activity::Other } else { INSTALL }
}

fn names_url(invocation: &Invocation) -> bool {
    invocation.known_arguments().any(|(_, value)| value.contains("://") && !value.contains("file://"))
}

/// `pip install --no-deps ./x.whl`: nothing else is asked for. A folder needs its build tools, unless they are there.
fn local_only(invocation: &Invocation, subcommand: usize) -> bool {
    let builds_alone = invocation.flag(&["--no-build-isolation"]).is_some();
    let mut operands = invocation
        .known_arguments()
        .filter(|(index, value)| {
            *index > subcommand && (!value.starts_with('-') || value.starts_with("-r") || value.starts_with("--req"))
        })
        .map(|(_, value)| value)
        .peekable();
    let is_local =
        |value: &str| !value.contains("://") && (value.ends_with(".whl") || builds_alone && value.starts_with(['.', '/']));
    operands.peek().is_some()
        && operands.all(is_local)
        && invocation.flag(&["--no-deps", "--no-dependencies"]).is_some()
        && !invocation.has_unknown_argument()
}

/// The folder that flags name, and the changes that switch the cache on again. pip takes the last flag, and any beginning of a
/// flag's name that no other has.
fn flags(invocation: &Invocation) -> (Option<Knowledge<String>>, Vec<CommandChange>) {
    let is_short_for = |name: &str, full: &str, least: &str| full.starts_with(name) && name.starts_with(least);
    let (mut folder, mut off) = (None, Vec::new());
    for (index, argument) in invocation.arguments.iter().enumerate() {
        let text = argument.value.known().unwrap_or(&argument.raw).trim_start_matches(['"', '\'']);
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if is_short_for(name, "--no-cache-dir", "--no-ca") {
            off.push(CommandChange::RemoveArgument(index));
        } else if is_short_for(name, "--cache-dir", "--ca") {
            folder = Some(match (value, &argument.value) {
                (Some(value), Knowledge::Known(_)) => Knowledge::Known(value.to_owned()),
                (Some(_), Knowledge::Unknown) => Knowledge::Unknown,
                (None, _) => invocation.arguments.get(index + 1).map_or(Knowledge::Unknown, |next| next.value.clone()),
            });
            off.clear();
        }
    }
    (folder, off)
}

/// The changes that take `--no-cache-dir` out of arguments handed on to pip as one text.
///
/// # Errors
/// Where that text says more about the cache.
pub(super) fn handed_on(invocation: &Invocation, option: &str) -> Result<Vec<CommandChange>, Obstacle> {
    let mut changes = Vec::new();
    for (index, value) in invocation.known_arguments() {
        let (text, whole) = match value.strip_prefix(option) {
            Some("") => (invocation.argument(index + 1), vec![index, index + 1]),
            Some(rest) => (rest.trim_start_matches('='), vec![index]),
            None => continue,
        };
        match text.trim() {
            "--no-cache-dir" | "--no-cache" => changes.extend(whole.into_iter().map(CommandChange::RemoveArgument)),
            text if text.contains("cache") => return Err(Obstacle::SwitchedOff { by: format!("`{option}`") }),
            _ => {}
        }
    }
    Ok(changes)
}

/// pipx takes uv in pip's place where it is told to or finds one (1.18; old releases know only pip).
fn pipx_works_with_pip(invocation: &Invocation, at: &Surroundings) -> Result<(), Obstacle> {
    let named = invocation.option(&["--backend"]);
    let named = named.or_else(|| at.non_empty("PIPX_DEFAULT_BACKEND").map(|value| value.map(str::to_owned)));
    let is_uv = |value: &str| value == "uv" || value.starts_with("uv=") || value.starts_with("pipx[uv");
    let in_sight = at.base.repository().ends_with("astral-sh/uv")
        || at.earlier.iter().any(|earlier| is_uv(&earlier.program) || earlier.known_arguments().any(|(_, value)| is_uv(value)));
    match named {
        Some(Knowledge::Known(backend)) if backend == "pip" => Ok(()),
        Some(Knowledge::Known(_)) => Err(Obstacle::KeepsNothing { because: "pipx works with uv here, not with pip".to_owned() }),
        Some(Knowledge::Unknown) => Err(Obstacle::UnknownFolder { because: "PIPX_DEFAULT_BACKEND".to_owned() }),
        None if in_sight => Err(Obstacle::UnknownFolder { because: "pipx may work with uv instead of pip".to_owned() }),
        None => Ok(()),
    }
}

/// Whether an earlier `pip config set` gave this key a value, in any section and file.
pub(super) fn configured(earlier: &[Invocation], key: &str) -> bool {
    let mut set = false;
    for command in earlier.iter().filter(|command| command.is("pip")) {
        let Some((index, "config")) = command.subcommand(WITH_VALUE) else { continue };
        let mut words =
            command.known_arguments().filter(|(at, value)| *at > index && !value.starts_with('-')).map(|(_, value)| value);
        let (action, name) = (words.next(), words.next().unwrap_or_default().to_ascii_lowercase().replace('_', "-"));
        if name.rsplit('.').next() == Some(key) {
            set = action == Some("set");
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::python::as_root;
    use crate::ecosystems::testing::invocation;
    use crate::ecosystems::{BaseImage, Sharing};

    fn does(words: &[&str]) -> Option<Activity> {
        Pip.recognise(&invocation(words))
    }

    fn target(words: &[&str], variables: &[(&str, &str)]) -> Result<(String, Vec<CommandChange>), Obstacle> {
        let cache = Pip.cache(&invocation(words), &as_root(variables))?;
        Ok((cache.mounts[0].target.clone(), cache.changes))
    }

    fn emptied_variable() -> CommandChange {
        CommandChange::SetVariable("PIP_NO_CACHE_DIR".into(), String::new())
    }

    #[test]
    fn commands_that_download_are_installs() {
        for words in [
            &["pip", "install", "-r", "requirements.txt"][..],
            &["/opt/venv/bin/pip3.11", "--no-input", "--proxy", "http://p", "install", "flask"],
            &["pip", "download", "flask"],
            &["pip", "wheel", "-w", "/wheels", "."],
            &["pip", "install", "--no-deps", "-e", "."],
            &["pip", "install", "--no-deps", "./x.whl", "-r", "requirements.txt"],
            &["pip", "install", "--no-index", "https://host/x.whl"],
            &["pipx", "install", "poetry"],
            &["pipx", "run", "build", "--help"],
            &["pipx", "runpip", "poetry", "install", "x"],
            &["pip-sync", "requirements.txt"],
        ] {
            assert_eq!(does(words), Some(INSTALL), "{words:?}");
        }
    }

    #[test]
    fn commands_that_download_nothing_are_left_alone() {
        for words in [
            &["pip", "install", "--help"][..],
            &["pip", "--version"],
            &["pip", "list"],
            &["pip", "install", "--no-index", "--find-links=/wheels", "flask"],
            &["pip", "install", "--no-deps", "./dist/app-1.whl"],
            &["pip", "install", "--no-deps", "--no-build-isolation", "-e", "."],
            &["pip", "config", "set", "global.cache-dir", "/c"],
            &["pipx", "list"],
            &["pipx", "runpip", "poetry", "list"],
            &["pip-sync", "--dry-run"],
        ] {
            assert_eq!(does(words), Some(Activity::Other), "{words:?}");
        }
        assert_eq!(does(&["pip", "cache", "purge"]), Some(Activity::Clean));
        assert_eq!(does(&["pip-compile"]), None);
        assert_eq!(does(&["python", "setup.py"]), None);
    }

    #[test]
    fn the_folder_follows_flag_then_variable_then_xdg_then_home() {
        let all = [("PIP_CACHE_DIR", "/env"), ("XDG_CACHE_HOME", "/xdg")];
        assert_eq!(target(&["pip", "install", "x", "--cache-dir", "/flag"], &all).unwrap().0, "/flag");
        assert_eq!(target(&["pip", "install", "x", "--cache=rel"], &all).unwrap().0, "/app/rel");
        assert_eq!(target(&["pip", "install", "x"], &all).unwrap().0, "/env");
        assert_eq!(target(&["pip", "--isolated", "install", "x"], &all).unwrap().0, "/xdg/pip");
        assert_eq!(target(&["pip", "install", "x"], &[("PIP_CACHE_DIR", "")]).unwrap().0, "/root/.cache/pip");
        assert!(matches!(target(&["pip", "install", "x"], &[("PIP_CACHE_DIR", "$C")]), Err(Obstacle::UnknownFolder { .. })));
        assert!(matches!(target(&["pip", "install", "--cache-dir=$C"], &[]), Err(Obstacle::UnknownFolder { .. })));
        assert!(matches!(target(&["pip", "install", "x"], &[("PIP_CACHE_DIR", "/tmp")]), Err(Obstacle::Unsafe { .. })));
    }

    #[test]
    fn what_switches_the_cache_off_is_undone() {
        let home = "/root/.cache/pip".to_owned();
        assert_eq!(
            target(&["pip", "install", "--no-cache-dir", "x"], &[]),
            Ok((home.clone(), vec![CommandChange::RemoveArgument(1)]))
        );
        assert_eq!(target(&["pip", "--no-cache", "install"], &[]), Ok((home.clone(), vec![CommandChange::RemoveArgument(0)])));
        for value in ["1", "0", "off"] {
            let found = target(&["pip", "install", "x"], &[("PIP_NO_CACHE_DIR", value)]);
            assert_eq!(found, Ok((home.clone(), vec![emptied_variable()])));
        }
        assert_eq!(target(&["pip", "install", "x"], &[("PIP_NO_CACHE_DIR", "")]), Ok((home.clone(), vec![])));
        let named = target(&["pip", "install", "--no-cache-dir", "--cache-dir=/c", "x"], &[("PIP_NO_CACHE_DIR", "1")]);
        assert_eq!(named, Ok(("/c".to_owned(), vec![])));
        let inline = target(&["PIP_NO_CACHE_DIR=1", "pip", "install", "x"], &[("PIP_NO_CACHE_DIR", "1")]);
        assert!(matches!(inline, Err(Obstacle::SwitchedOff { .. })));
        let handed = target(&["pipx", "install", "--pip-args", "--no-cache-dir", "x"], &[]);
        assert_eq!(handed, Ok((home, vec![CommandChange::RemoveArgument(1), CommandChange::RemoveArgument(2)])));
    }

    #[test]
    fn configuration_by_an_earlier_command_counts() {
        let set = [invocation(&["pip3", "config", "--global", "set", "global.no_cache_dir", "false"])];
        let at = Surroundings { earlier: &set, ..as_root(&[]) };
        assert!(matches!(Pip.cache(&invocation(&["pip", "install", "x"]), &at), Err(Obstacle::SwitchedOff { .. })));
        assert!(Pip.cache(&invocation(&["pip", "install", "--cache-dir=/c", "x"]), &at).is_ok());
        let moved = [invocation(&["pip", "config", "set", "global.cache-dir", "/c"])];
        let at = Surroundings { earlier: &moved, ..as_root(&[]) };
        assert!(matches!(Pip.cache(&invocation(&["pip", "install", "x"]), &at), Err(Obstacle::UnknownFolder { .. })));
    }

    #[test]
    fn pipx_with_uv_in_sight_is_refused() {
        let command = invocation(&["pipx", "install", "x"]);
        let earlier = [invocation(&["pip", "install", "uv"])];
        assert!(Pip.cache(&command, &Surroundings { earlier: &earlier, ..as_root(&[]) }).is_err());
        let base = BaseImage { reference: Knowledge::Known("ghcr.io/astral-sh/uv:debian".into()) };
        assert!(Pip.cache(&command, &Surroundings { base, ..as_root(&[]) }).is_err());
        assert!(Pip.cache(&command, &as_root(&[("PIPX_DEFAULT_BACKEND", "uv")])).is_err());
        assert!(Pip.cache(&command, &as_root(&[])).is_ok());
    }

    #[test]
    fn wheels_built_here_are_kept_apart_by_base_and_written_by_one_build() {
        let mount = Pip.cache(&invocation(&["pip", "install", "$ARGS"]), &as_root(&[])).unwrap().mounts.remove(0);
        assert_eq!((mount.sharing, mount.by_base_image, mount.keyed_by_platform), (Sharing::Locked, true, true));
    }
}
