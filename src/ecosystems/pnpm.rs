//! pnpm: an installer for Node.js packages with one store for all projects.
//!
//! Knows: the store is `--store-dir` (`--store`), `npm_config_store_dir` (to version 10) or `pnpm_config_store_dir` (from 11) in
//! any case, `pnpm config set store-dir`, else `store` in PNPM_HOME, else `pnpm/store` below XDG_DATA_HOME, else
//! `.local/share/pnpm/store` in the home folder. Each format has its own `v3`, `v10`, `v11` in it. With the store on a mount,
//! pnpm copies files into `node_modules` instead of linking them, also where hard links are asked for; versions 9, 10 and 12
//! were seen to do so, and to run, prune and reinstall without the store afterwards.
//!
//! pnpm looks whether it can link into the folder *around* the store. Another user than root can't, while that folder is the
//! mount's new parent, and pnpm would take a store elsewhere (seen in 10 and 12): they are told the folder by `--store-dir`.
//!
//! Per base image: the store keeps builds of native packages under platform, processor and Node's major version, but not the C
//! library, so a build for Alpine would be taken for one for Debian. Shared: files by their hash, moved into place; an SQLite
//! index from 11 on.
//!
//! Refused, because packages would be run from the store: global installs (`-g`, from 11 on), a global virtual store, the
//! `loaded` linker. Refused: `package-import-method=clone`, which fails across file systems. Not seen here, where a
//! `pnpm-workspace.yaml` sets one of these, or `devEngines.runtime` in a package.json has pnpm 11 fetch Node.js itself.
//!
//! Needed later: what `pnpm fetch` brings; and everything where pnpm may be 11 or newer and Corepack does not start it, since
//! then the version that a package.json pins lies in the store as well, and later pnpm commands run it. Behind a `pnpm fetch`
//! an unknown argument (`pnpm install $ARGS`) is refused, as it may be `--offline`; elsewhere it does no harm.
//!
//! Never: `pnpm dlx`, `create`, `env`, and the registry's answers in `~/.cache/pnpm`, beside which `dlx` installs.
//!
//! From: the sources of pnpm 10 and 11 (store path, version switch, engine name), the changelog of 12, runs of 8, 9, 10 and 12.

mod lock;
mod manifests;

use crate::ecosystems::node::Answer;
use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, CommandChange, Ecosystem, Invocation, Obstacle, Project, Surroundings, User,
};
use crate::knowledge::Knowledge;

/// pnpm.
pub struct Pnpm;

/// Options in front of the subcommand with their value in the next word.
const WITH_VALUE: &[&str] = &[
    "--filter",
    "-F",
    "--filter-prod",
    "--dir",
    "-C",
    "--prefix",
    "--store-dir",
    "--store",
    "--reporter",
    "--loglevel",
    "--registry",
    "--config",
];

impl Ecosystem for Pnpm {
    fn id(&self) -> &'static str {
        "pnpm"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["pnpm", "pn"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--cache-dir", "--state-dir", "--store-dir", "NPM_CONFIG_STORE_DIR", "npm_config_store_dir"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".npmrc", ".pnpmfile.cjs", "pnpm-lock.yaml", "pnpm-workspace.yaml"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !is_pnpm(invocation) {
            return None;
        }
        if is_on(invocation, &["--help", "-h", "--version", "-v", "--dry-run"]) {
            return Some(Activity::Other);
        }
        let words = words(invocation);
        let then = words.get(1).copied().unwrap_or_default();
        Some(match words.first().copied().unwrap_or_default() {
            "install" | "i" | "add" | "ci" | "clean-install" | "ic" | "install-clean" | "update" | "up" | "upgrade" | "fetch"
            | "deploy" | "dedupe" | "import" | "install-test" | "it" => {
                if is_on(invocation, &["--offline"]) {
                    Activity::Offline
                } else {
                    Activity::Install { needs_index: false }
                }
            }
            "store" if then == "prune" => Activity::Clean,
            "store" if then == "add" => Activity::Install { needs_index: false },
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let pnpm = Provided::by(at.earlier);
        refuse_running_from_the_store(invocation, at, pnpm)?;
        let (target, named) = store(invocation, at)?;
        let fetched = at.earlier.iter().any(|command| is_pnpm(command) && words(command).first() == Some(&"fetch"));
        if fetched && invocation.has_unknown_argument() {
            let because = "an unknown argument may be --offline, which needs what `pnpm fetch` brought".to_owned();
            return Err(Obstacle::Unsafe { because });
        }
        let subcommand = words(invocation).first().copied().unwrap_or_default();
        let mut folder = CacheFolder::downloads(&target).per_base_image();
        if matches!(subcommand, "fetch" | "store") || !(pnpm.corepack || pnpm.keeps_itself_out_of_the_store()) {
            folder = folder.needed_later();
        }
        let mut changes = Vec::new();
        if at.user != User::Root && !named {
            if !pnpm.corepack {
                let because = "pnpm may install its own pinned version beside the store, where a mount leaves the folder to root";
                return Err(Obstacle::Unsafe { because: because.to_owned() });
            }
            changes.push(CommandChange::InsertAfterProgram(format!("--store-dir={target}")));
        }
        Ok(CacheUse { mounts: vec![folder], changes, notes: Vec::new() })
    }

    fn dependencies(&self, invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Answer {
        manifests::dependencies(invocation, at, project)
    }

    fn readers(&self) -> &'static [&'static str] {
        &["pnpm", "pnpx", "pn", "pnx"]
    }
}

/// How pnpm came into the image.
#[derive(Clone, Copy, Default)]
struct Provided {
    /// Corepack starts it: then it does not change its own version.
    corepack: bool,
    /// The major version, where one is named.
    major: Option<u32>,
}

impl Provided {
    fn by(earlier: &[Invocation]) -> Self {
        let mut provided = Self::default();
        for command in earlier {
            let named = command.known_arguments().find_map(|(_, value)| match value.split_once('@') {
                Some(("pnpm", version)) => Some(version),
                None if value == "pnpm" => Some(""),
                _ => None,
            });
            match command.program.as_str() {
                "corepack" if command.flag(&["enable", "prepare", "use", "install"]).is_some() => provided.corepack = true,
                "npm" | "yarn" | "bun" if named.is_some() => provided.corepack = false,
                _ => continue,
            }
            if let Some(version) = named {
                provided.major =
                    version.trim_start_matches(['^', '~', 'v']).split('.').next().and_then(|major| major.parse().ok());
            } else if command.has_unknown_argument() {
                provided.major = None;
            }
        }
        provided
    }

    fn keeps_itself_out_of_the_store(self) -> bool {
        self.major.is_some_and(|major| major <= 10)
    }
}

fn refuse_running_from_the_store(invocation: &Invocation, at: &Surroundings, pnpm: Provided) -> Result<(), Obstacle> {
    let refuse = |because: &str| Err(Obstacle::Unsafe { because: because.to_owned() });
    let setting = |key: &str| setting(invocation, at, key).map(|(value, _)| value);
    let global = |value: Option<Knowledge<String>>| value.is_some_and(|value| value.known().is_none_or(|text| text != "false"));
    if is_on(invocation, &["-g", "--global"]) && !pnpm.keeps_itself_out_of_the_store() {
        return refuse("pnpm 11 and later run global packages from the store");
    }
    if global(setting("enable-global-virtual-store")) || is_on(invocation, &["--enable-global-virtual-store"]) {
        return refuse("with a global virtual store packages are run from the store");
    }
    match setting("virtual-store-type") {
        None => {}
        Some(Knowledge::Known(kind)) if kind == "project" => {}
        Some(_) => return refuse("with a global virtual store packages are run from the store"),
    }
    match setting("node-linker") {
        None => {}
        Some(Knowledge::Known(linker)) if matches!(linker.as_str(), "isolated" | "hoisted" | "pnp") => {}
        Some(_) => return refuse("this node-linker may run packages from the store"),
    }
    match setting("package-import-method") {
        None => Ok(()),
        Some(Knowledge::Known(method)) if matches!(method.as_str(), "auto" | "hardlink" | "copy" | "clone-or-copy") => Ok(()),
        Some(_) => refuse("package-import-method must be able to copy from the store, which is on another file system"),
    }
}

/// The store's folder, and whether the author named it.
fn store(invocation: &Invocation, at: &Surroundings) -> Result<(String, bool), Obstacle> {
    let named = match invocation.option(&["--store"]) {
        Some(value) => Some((value, "--store".to_owned())),
        None => setting(invocation, at, "store-dir"),
    };
    if let Some((value, by)) = named {
        // A relative folder starts at the project, which `-C` puts elsewhere.
        let elsewhere = invocation.option(&["--dir", "-C", "--prefix"]).is_some();
        let folder = value.into_known().filter(|folder| !folder.is_empty() && (folder.starts_with(['/', '~']) || !elsewhere));
        let folder = folder.and_then(|folder| at.absolute(&folder).into_known()).ok_or_else(|| unknown(&by))?;
        return Ok((folder, true));
    }
    for (variable, relative) in [("PNPM_HOME", "store"), ("XDG_DATA_HOME", "pnpm/store")] {
        match at.non_empty(variable) {
            None => {}
            Some(Knowledge::Known(folder)) if folder.starts_with('/') => {
                return Ok((format!("{}/{relative}", folder.trim_end_matches('/')), false));
            }
            Some(_) => return Err(unknown(variable)),
        }
    }
    let folder = at.below_home(".local/share/pnpm/store").into_known().ok_or_else(|| unknown("$HOME"))?;
    Ok((folder, false))
}

/// A setting's value and what set it: an option, the environment, an earlier `pnpm config set` (or npm's, which pnpm reads too).
fn setting(invocation: &Invocation, at: &Surroundings, key: &str) -> Option<(Knowledge<String>, String)> {
    let (flag, config) = (format!("--{key}"), format!("--config.{key}"));
    if let Some(value) = invocation.option(&[&flag, &config]) {
        return Some((value, flag));
    }
    let name = key.replace('-', "_");
    let set_by = |prefix: &str| {
        let wanted = format!("{prefix}{name}");
        let (_, value) = at.variables.iter().rev().find(|(variable, _)| variable.eq_ignore_ascii_case(&wanted))?;
        value.known().is_none_or(|text| !text.is_empty()).then(|| (value.clone(), wanted))
    };
    match (set_by("npm_config_"), set_by("pnpm_config_")) {
        // Which of the two counts is a matter of the version.
        (Some((old, _)), Some((new, by))) => Some((if old == new { new } else { Knowledge::Unknown }, by)),
        (old, new) => old.or(new).or_else(|| Some((configured(at.earlier, key)?, format!("pnpm config set {key}")))),
    }
}

fn configured(earlier: &[Invocation], key: &str) -> Option<Knowledge<String>> {
    let of_npm = |command: &&Invocation| is_pnpm(command) || command.is("npm");
    earlier.iter().rev().filter(of_npm).find_map(|command| {
        let mut words =
            command.arguments.iter().filter(|argument| !argument.raw.starts_with('-')).map(|argument| &argument.value);
        let verb = words.next()?.known()?;
        if matches!(verb.as_str(), "config" | "c") && words.next()?.known()? != "set"
            || !matches!(verb.as_str(), "config" | "c" | "set")
        {
            return None;
        }
        let Some(first) = words.next()?.known() else { return Some(Knowledge::Unknown) };
        let (name, value) = first.split_once('=').map_or((first.as_str(), None), |(name, value)| (name, Some(value)));
        // `storeDir` is another spelling of `store-dir`.
        let same = name.replace('-', "").eq_ignore_ascii_case(&key.replace('-', ""));
        same.then(|| value.map_or_else(|| words.next().cloned().unwrap_or_default(), |value| Knowledge::Known(value.to_owned())))
    })
}

/// The subcommand and the known words behind it that are not options; `recursive` in front of it is the same as `-r`.
fn words(invocation: &Invocation) -> Vec<&str> {
    let Some((start, first)) = invocation.subcommand(WITH_VALUE) else { return Vec::new() };
    let skip = start + usize::from(matches!(first, "recursive" | "multi" | "m"));
    invocation
        .known_arguments()
        .filter(|(index, value)| *index >= skip && !value.starts_with('-'))
        .map(|(_, value)| value)
        .collect()
}

fn is_pnpm(invocation: &Invocation) -> bool {
    matches!(invocation.program.as_str(), "pnpm" | "pn")
}

/// Whether one of these options is given, as `--name` or `--name=true`.
fn is_on(invocation: &Invocation, flags: &[&str]) -> bool {
    invocation.known_arguments().any(|(_, value)| flags.contains(&value.strip_suffix("=true").unwrap_or(value)))
}

fn unknown(because: &str) -> Obstacle {
    Obstacle::UnknownFolder { because: because.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Need;
    use crate::ecosystems::testing::{at, command};

    fn target(text: &str, at: &Surroundings) -> Result<String, Obstacle> {
        Pnpm.cache(&command(text), at).map(|cache| cache.mounts.iter().map(|mount| mount.target.as_str()).collect())
    }

    fn refused(text: &str, at: &Surroundings) -> bool {
        matches!(target(text, at), Err(Obstacle::Unsafe { .. }))
    }

    #[test]
    fn tells_fetching_from_the_rest() {
        let does = |text: &str| Pnpm.recognise(&command(text));
        for text in [
            "pnpm i",
            "pnpm install --frozen-lockfile",
            "pnpm -r --filter web install",
            "pnpm -C web add x",
            "pnpm fetch --prod",
            "pnpm deploy out",
        ] {
            assert_eq!(does(text), Some(Activity::Install { needs_index: false }), "{text}");
        }
        for text in ["pnpm build", "pnpm run install", "pnpm dlx x", "pnpm --version", "pnpm install --help", "pnpm store path"] {
            assert_eq!(does(text), Some(Activity::Other), "{text}");
        }
        assert_eq!(does("pnpm install -r --offline"), Some(Activity::Offline));
        assert_eq!(does("pnpm install --prefer-offline"), Some(Activity::Install { needs_index: false }));
        assert_eq!(does("pnpm store prune"), Some(Activity::Clean));
        assert_eq!(does("npm i pnpm"), None);
    }

    #[test]
    fn the_store_is_found_in_the_order_that_pnpm_takes() {
        assert_eq!(target("pnpm i", &at(&[])), Ok("/root/.local/share/pnpm/store".to_owned()));
        assert_eq!(target("pnpm i", &at(&[("XDG_DATA_HOME", "/x")])), Ok("/x/pnpm/store".to_owned()));
        let home = at(&[("XDG_DATA_HOME", "/x"), ("PNPM_HOME", "/pnpm")]);
        assert_eq!(target("pnpm i", &home), Ok("/pnpm/store".to_owned()));
        assert_eq!(target("pnpm i --store-dir .store", &home), Ok("/app/.store".to_owned()));
        assert_eq!(target("pnpm i", &at(&[("NPM_CONFIG_STORE_DIR", "/s")])), Ok("/s".to_owned()));
        let earlier = [command("pnpm config set store-dir /c")];
        assert_eq!(target("pnpm i", &Surroundings { earlier: &earlier, ..at(&[]) }), Ok("/c".to_owned()));
        assert_eq!(target("pnpm i --store-dir=$DIR", &at(&[])), Err(unknown("--store-dir")));
        assert_eq!(target("pnpm i", &Surroundings::default()), Err(unknown("$HOME")));
    }

    #[test]
    fn another_user_is_told_the_folder_and_needs_corepack() {
        let user = User::Other { name: Some("node".to_owned()), uid: Knowledge::Known(1000), gid: Knowledge::Known(1000) };
        let node = Surroundings { user, home: Knowledge::Known("/home/node".to_owned()), ..at(&[]) };
        assert!(refused("pnpm i", &node));
        let earlier = [command("corepack enable")];
        let changes = Pnpm.cache(&command("pnpm i"), &Surroundings { earlier: &earlier, ..node }).map(|cache| cache.changes);
        assert_eq!(
            changes,
            Ok(vec![CommandChange::InsertAfterProgram("--store-dir=/home/node/.local/share/pnpm/store".to_owned())])
        );
    }

    #[test]
    fn what_would_be_run_from_the_store_is_refused() {
        assert!(refused("pnpm add -g serve", &at(&[])));
        let earlier = [command("npm i -g pnpm@9.1.0")];
        assert!(!refused("pnpm add -g serve", &Surroundings { earlier: &earlier, ..at(&[]) }));
        assert!(refused("pnpm i", &at(&[("pnpm_config_enable_global_virtual_store", "true")])));
        assert!(!refused("pnpm i", &at(&[("pnpm_config_enable_global_virtual_store", "false")])));
        assert!(refused("pnpm i --package-import-method=clone", &at(&[])));
        assert!(!refused("pnpm i --package-import-method=hardlink", &at(&[])));
        assert!(refused("pnpm i --config.node-linker=loaded", &at(&[])));
    }

    #[test]
    fn the_store_is_needed_later_where_pnpm_itself_or_a_fetch_lies_in_it() {
        let need = |text: &str, earlier: &str| {
            let earlier = [command(earlier)];
            let at = Surroundings { earlier: &earlier, ..at(&[]) };
            Pnpm.cache(&command(text), &at).map(|cache| cache.mounts.iter().map(|mount| mount.need).collect::<Vec<_>>())
        };
        assert_eq!(need("pnpm i", "corepack enable"), Ok(vec![Need::Never]));
        assert_eq!(need("pnpm i", "npm install -g pnpm@10"), Ok(vec![Need::Never]));
        assert_eq!(need("pnpm i", "npm install -g pnpm"), Ok(vec![Need::ByLaterSteps]));
        assert_eq!(need("pnpm fetch", "corepack enable"), Ok(vec![Need::ByLaterSteps]));
        assert!(need("pnpm install $ARGS", "pnpm fetch").is_err());
    }
}
