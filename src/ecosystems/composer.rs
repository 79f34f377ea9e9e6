//! Composer: the package manager for PHP.
//!
//! Knows: the cache is COMPOSER_CACHE_DIR, else `cache` in COMPOSER_HOME (`/tmp` in the official `composer` image). Without
//! both it hangs on whether `/etc/xdg`, `~/.config/composer` or `~/.composer/cache` exist and on any variable named `XDG_…`:
//! nothing that can be known here. Then COMPOSER_CACHE_DIR is set for the command, which goes before every other setting
//! (`composer.json`, `composer config`, the home folder), to a folder of its own in `/tmp`, which exists and which everybody
//! may write to. COMPOSER_CACHE_FILES_DIR, which moves the archives alone, is followed.
//!
//! What switches it off: `--no-cache`, which is dropped; COMPOSER_CACHE_DIR=/dev/null, which is what that option does itself
//! and is overruled in front of the command; COMPOSER_CACHE_READ_ONLY, and a `config` of `cache-read-only` or a lifetime of 0,
//! which are refused. Not seen here: such settings in a `composer.json`; with them the mount does nothing.
//!
//! Packages are copied to `vendor/`, and clones of repositories are cut loose from the cached ones (`--dissociate`), so nobody
//! needs the cache later. Locked, because archives are copied into it in place, under their final names: another build could
//! read half of one. The archives are source: the same on all platforms. An unknown argument may hide a `--no-cache`: no harm.
//!
//! Never: credentials (`auth.json` lies in COMPOSER_HOME, beside the cache), `self-update`, plugins' own caches.
//!
//! From: the source of Composer 2.5 (`Factory`, `Config`, `Cache`, `GitDownloader`), its manual, the official image's Dockerfile.

mod local;
mod manifests;
mod plugins;

use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, CommandChange, Dependencies, Ecosystem, Entangled, Found, Invocation, Obstacle, Project,
    Surroundings, Wrapper, offline,
};
use crate::knowledge::Knowledge;

/// Composer.
pub struct Composer;

/// Where the cache is put when Composer's own choice can't be known.
const OWN_FOLDER: &str = "/tmp/composer-cache";

/// Options in front of the subcommand with their value in the next word: Composer's, then PHP's.
const WITH_VALUE: &[&str] = &["-d", "--working-dir", "-c", "--define", "--php-ini"];

/// Settings by which Composer keeps nothing in its cache.
const KEEPING: &[&str] = &["cache-read-only", "cache-ttl", "cache-files-ttl", "cache-files-maxsize"];

impl Ecosystem for Composer {
    fn id(&self) -> &'static str {
        "composer"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["composer", "composer.phar", "composer2", "php"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["COMPOSER_BIN_DIR", "COMPOSER_CACHE_DIR"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["auth.json", "composer.lock"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        let words = words(invocation)?;
        let first = match words.as_slice() {
            ["global", then, ..] => then,
            [first, ..] => first,
            [] => "",
        };
        let fetches = match first {
            "install" | "i" | "update" | "upgrade" | "u" | "up" | "require" | "req" | "r" | "create-project" | "reinstall" => {
                true
            }
            // Removing works out and installs what is left.
            "remove" | "rm" | "uninstall" => true,
            "clear-cache" | "clearcache" | "cc" => return Some(Activity::Clean),
            _ => false,
        };
        let asks = invocation.flag(&["--help", "-h", "--version", "-V", "--dry-run", "--no-install", "--no-update"]).is_some();
        let offline = invocation.variables.iter().rev().find(|(name, _)| name == "COMPOSER_DISABLE_NETWORK");
        Some(match offline {
            _ if !fetches || asks => Activity::Other,
            Some((_, value)) if value.known().is_none_or(|value| !matches!(value.as_str(), "" | "0" | "prime")) => {
                Activity::Offline
            }
            _ => Activity::Install { needs_index: false },
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let truthy = |name: &str| at.non_empty(name).filter(|value| !matches!(value, Knowledge::Known("0" | "false")));
        if truthy("COMPOSER_CACHE_READ_ONLY").is_some() {
            return Err(Obstacle::SwitchedOff { by: "COMPOSER_CACHE_READ_ONLY".to_owned() });
        }
        if truthy("COMPOSER_DISABLE_NETWORK").is_some() {
            return Err(Obstacle::KeepsNothing { because: "COMPOSER_DISABLE_NETWORK is set".to_owned() });
        }
        if let Some(key) = KEEPING.iter().find(|key| configures(at.earlier, key)) {
            return Err(Obstacle::SwitchedOff { by: format!("composer config {key}") });
        }
        for variable in ["COMPOSER_CACHE_REPO_DIR", "COMPOSER_CACHE_VCS_DIR"] {
            if at.non_empty(variable).is_some() {
                return Err(Obstacle::UnknownFolder { because: format!("{variable} splits the cache") });
            }
        }
        let mut changes: Vec<CommandChange> =
            invocation.flags(&["--no-cache"]).into_iter().map(CommandChange::RemoveArgument).collect();
        let folder = match named(invocation, at)? {
            Some(folder) => folder,
            // It would overrule what is set in front of it.
            None if invocation.variables.iter().any(|(name, _)| name == "COMPOSER_CACHE_DIR") => {
                return Err(Obstacle::SwitchedOff { by: "COMPOSER_CACHE_DIR in front of the command".to_owned() });
            }
            None => {
                changes.push(CommandChange::SetVariable("COMPOSER_CACHE_DIR".to_owned(), OWN_FOLDER.to_owned()));
                OWN_FOLDER.to_owned()
            }
        };
        let mut targets = vec![folder];
        match at.non_empty("COMPOSER_CACHE_FILES_DIR") {
            None => {
                if configures(at.earlier, "cache-files-dir") {
                    return Err(Obstacle::UnknownFolder { because: "composer config cache-files-dir".to_owned() });
                }
            }
            Some(value) => {
                let files = located(value, invocation, at, "COMPOSER_CACHE_FILES_DIR")?;
                if !targets.iter().any(|folder| below(&files, folder)) {
                    targets.push(files);
                }
            }
        }
        let mounts = targets.into_iter().map(|target| CacheFolder::downloads(target).locked()).collect();
        Ok(CacheUse { mounts, changes, notes: Vec::new() })
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        let Some(words) = words(invocation) else { return Ok(None) };
        let nothing = Ok(Some(Dependencies::default()));
        let asks = invocation.flag(&["--help", "-h", "--version", "-V"]).is_some();
        let is_global = invocation.flag(&["-g", "--global"]).is_some();
        let phar = phar(invocation, at, project)?;
        match words.as_slice() {
            _ if phar.is_some() && (asks || words.first() != Some(&"install")) => return Ok(None),
            [] | ["global" | "about" | "help" | "list" | "clear-cache" | "clearcache" | "cc", ..] => return nothing,
            ["config", ..] if is_global => return nothing,
            ["self-update" | "selfupdate", ..] => {
                let unpinned = (words.len() == 1).then(|| "`composer self-update` brings what is newest at the time".to_owned());
                return Ok(Some(Dependencies { unpinned, ..Dependencies::default() }));
            }
            _ if asks => return nothing,
            ["install" | "i"] if invocation.flag(&["--dry-run"]).is_none() => {}
            _ => return Ok(None),
        }
        if invocation.wrappers.contains(&Wrapper::Xargs) {
            return Ok(None);
        }
        if let Some(word) = offline::hiding_word(invocation, WITH_VALUE) {
            return Err(Entangled::NotSeen { because: format!("{word} is not known and may name another folder") });
        }
        let own = invocation.known_arguments().find(|(_, word)| matches!(*word, "install" | "i"));
        let script = invocation.known_arguments().find(|(_, word)| invocation.is("php") && word.contains("composer"));
        let begin = script.or(own).map_or(0, |(index, _)| if script.is_some() { index + 1 } else { 0 });
        let mut found = manifests::of_install(invocation, begin, at, project)?;
        found.files.extend(phar);
        Ok(Some(found))
    }
}

/// Composer itself, where the command runs it from the project.
///
/// # Errors
/// [`Entangled::NotSeen`] where an earlier step put it where copies reach.
fn phar(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Option<String>, Entangled> {
    let program = match invocation.known_arguments().find(|(_, word)| word.contains("composer")) {
        Some((_, word)) if invocation.is("php") => word,
        _ if invocation.path.contains('/') => &invocation.path,
        _ => return Ok(None),
    };
    let Some(path) = at.absolute(program).into_known() else {
        return Err(Entangled::NotSeen { because: format!("where {program} lies is not known") });
    };
    match project.look(&path) {
        Found::File => Ok(Some(path)),
        Found::Unknown => Ok(None),
        Found::Nothing | Found::Folder => {
            Err(Entangled::NotSeen { because: format!("{program} is put there by an earlier step, not by a copy") })
        }
    }
}

/// The folder that Composer takes by itself, where that can be known; `None` where it has to be told.
fn named(invocation: &Invocation, at: &Surroundings) -> Result<Option<String>, Obstacle> {
    match at.non_empty("COMPOSER_CACHE_DIR") {
        // What `--no-cache` sets; Composer reads it as off wherever it stands in the path.
        Some(Knowledge::Known(folder)) if folder.starts_with("/dev/null") => return Ok(None),
        Some(value) => return located(value, invocation, at, "COMPOSER_CACHE_DIR").map(Some),
        None => {}
    }
    if configures(at.earlier, "cache-dir") {
        return Ok(None);
    }
    Ok(match at.non_empty("COMPOSER_HOME") {
        Some(Knowledge::Known(home)) if home.starts_with('/') => Some(format!("{}/cache", home.trim_end_matches('/'))),
        Some(_) => None,
        None if at.base.repository() == "composer" && at.variable("COMPOSER_HOME").is_none() => Some("/tmp/cache".to_owned()),
        None => None,
    })
}

/// A folder from a variable; Composer puts variables and `~` into it itself and starts from `--working-dir`.
fn located(value: Knowledge<&str>, invocation: &Invocation, at: &Surroundings, by: &str) -> Result<String, Obstacle> {
    let elsewhere = invocation.option(&["-d", "--working-dir"]).is_some();
    let folder = value.into_known().filter(|folder| !folder.contains('$') && (folder.starts_with(['/', '~']) || !elsewhere));
    let folder = folder.and_then(|folder| at.absolute(folder).into_known());
    folder.ok_or_else(|| Obstacle::UnknownFolder { because: by.to_owned() })
}

/// Whether an earlier `composer config` sets this key.
fn configures(earlier: &[Invocation], key: &str) -> bool {
    earlier.iter().filter_map(words).any(|words| {
        words.contains(&"config") && words.iter().any(|word| *word == key || word.strip_prefix("config.") == Some(key))
    })
}

fn below(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Composer's own words, without options; `None` if it is another program. `php composer.phar install` is Composer too.
fn words(invocation: &Invocation) -> Option<Vec<&str>> {
    let is_composer = |path: &str| matches!(path.rsplit('/').next().unwrap_or(path), "composer" | "composer.phar" | "composer2");
    let by_php = invocation.is("php");
    if !by_php && !is_composer(&invocation.program) {
        return None;
    }
    let mut words = Vec::new();
    let mut is_value = false;
    for argument in &invocation.arguments {
        let word = argument.value.known().map(String::as_str);
        let skipped = std::mem::replace(&mut is_value, word.is_some_and(|word| WITH_VALUE.contains(&word)));
        match word {
            _ if skipped => {}
            Some(word) if word.starts_with('-') => {}
            Some(word) => words.push(word),
            // What stands here may be the subcommand.
            None if words.len() <= usize::from(by_php) && !argument.raw.starts_with('-') => words.push(""),
            None => {}
        }
    }
    if by_php {
        let script = words.first().copied().unwrap_or_default();
        return is_composer(script).then(|| words.split_off(1));
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::BaseImage;
    use crate::ecosystems::testing::command;

    fn at(variables: &[(&str, &str)]) -> Surroundings<'static> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        let workdir = Knowledge::Known("/app".to_owned());
        Surroundings { variables: variables.collect(), workdir, ..Surroundings::default() }
    }

    fn target(text: &str, at: &Surroundings) -> Result<String, Obstacle> {
        let targets = Composer.cache(&command(text), at)?.mounts.into_iter().map(|mount| mount.target);
        Ok(targets.collect::<Vec<_>>().join(" "))
    }

    fn changes(text: &str, at: &Surroundings) -> Vec<CommandChange> {
        Composer.cache(&command(text), at).map(|cache| cache.changes).unwrap_or_default()
    }

    fn told() -> CommandChange {
        CommandChange::SetVariable("COMPOSER_CACHE_DIR".to_owned(), OWN_FOLDER.to_owned())
    }

    #[test]
    fn tells_fetching_from_the_rest() {
        let does = |text: &str| Composer.recognise(&command(text));
        let fetching =
            ["composer install --no-dev", "composer -d api install", "composer global require x/y", "php composer.phar install"];
        for text in
            fetching.into_iter().chain(["php -d memory_limit=-1 /usr/bin/composer update", "composer create-project a/b ."])
        {
            assert_eq!(does(text), Some(Activity::Install { needs_index: false }), "{text}");
        }
        for text in [
            "composer dump-autoload -o",
            "composer --version",
            "composer install --dry-run",
            "composer run-script install",
            "composer $WHAT",
        ] {
            assert_eq!(does(text), Some(Activity::Other), "{text}");
        }
        assert_eq!(does("composer clear-cache"), Some(Activity::Clean));
        assert_eq!(does("COMPOSER_DISABLE_NETWORK=1 composer install"), Some(Activity::Offline));
        assert_eq!(does("php artisan install"), None);
    }

    #[test]
    fn composer_is_told_the_folder_where_its_choice_is_not_known() {
        assert_eq!(target("composer install", &at(&[])), Ok(OWN_FOLDER.to_owned()));
        assert_eq!(changes("composer install", &at(&[])), vec![told()]);
        let earlier = [command("composer config --global cache-dir /c")];
        assert_eq!(
            changes("composer install", &Surroundings { earlier: &earlier, ..at(&[("COMPOSER_HOME", "/h")]) }),
            vec![told()]
        );
    }

    #[test]
    fn a_folder_that_is_known_is_taken() {
        assert_eq!(target("composer install", &at(&[("COMPOSER_CACHE_DIR", "/c")])), Ok("/c".to_owned()));
        assert_eq!(target("composer install", &at(&[("COMPOSER_HOME", "/composer")])), Ok("/composer/cache".to_owned()));
        let base = BaseImage { reference: Knowledge::Known("composer:2".to_owned()) };
        assert_eq!(target("composer install", &Surroundings { base, ..at(&[]) }), Ok("/tmp/cache".to_owned()));
        let files = at(&[("COMPOSER_CACHE_DIR", "/c"), ("COMPOSER_CACHE_FILES_DIR", "/f")]);
        assert_eq!(target("composer install", &files), Ok("/c /f".to_owned()));
        let files = at(&[("COMPOSER_CACHE_DIR", "/c"), ("COMPOSER_CACHE_FILES_DIR", "/c/f")]);
        assert_eq!(target("composer install", &files), Ok("/c".to_owned()));
        let unknown = Surroundings { variables: vec![("COMPOSER_CACHE_DIR".to_owned(), Knowledge::Unknown)], ..at(&[]) };
        assert!(matches!(target("composer install", &unknown), Err(Obstacle::UnknownFolder { .. })));
    }

    #[test]
    fn what_switches_the_cache_off_is_undone_or_refused() {
        let cached = at(&[("COMPOSER_CACHE_DIR", "/c")]);
        assert_eq!(changes("composer install --no-cache", &cached), vec![CommandChange::RemoveArgument(1)]);
        assert_eq!(changes("composer install", &at(&[("COMPOSER_CACHE_DIR", "/dev/null")])), vec![told()]);
        let inline = "COMPOSER_CACHE_DIR=/dev/null composer install";
        assert!(matches!(target(inline, &at(&[("COMPOSER_CACHE_DIR", "/dev/null")])), Err(Obstacle::SwitchedOff { .. })));
        let read_only = at(&[("COMPOSER_CACHE_READ_ONLY", "1")]);
        assert!(matches!(target("composer install", &read_only), Err(Obstacle::SwitchedOff { .. })));
        let earlier = [command("composer config -g cache-files-ttl 0")];
        let short = Surroundings { earlier: &earlier, ..at(&[]) };
        assert!(matches!(target("composer install", &short), Err(Obstacle::SwitchedOff { .. })));
    }
}
