//! What a `composer install` reads of the project, and which half of it can go before the source.
//!
//! Knows: `--no-scripts --no-autoloader` leaves the packages; the same command afterwards finds them there, writes what it wrote
//! at its end anyway (`installed.php` with the root's version from git, binaries), makes the autoloader and runs the scripts. So the
//! two give what the one gave, unless something listens to single packages being installed: scripts on such events are refused;
//! plugins, which run in both halves, are told apart by name.
//!
//! The whole command goes first only where its end reads nothing either: no scripts, no class map of project folders, no git.
//!
//! Never: what Composer reads outside of the project (its home, the cache).
//!
//! From: Composer's manual and its `Installer`, `ScriptEvents`, `PackageEvents`, `AutoloadGenerator`; the read-mes of the plugins;
//! Composer 2.5 with path packages on an engine, in one step and in two.

use super::{local, plugins};
use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, first_half};
use crate::knowledge::Knowledge;
use serde_json::Value;
use std::sync::Arc;

/// Events while packages are installed. What listens to them by a script runs in neither half.
#[rustfmt::skip] // A paragraph, not a column.
const PACKAGE_EVENTS: &[&str] = &[
    "pre-package-install", "post-package-install", "pre-package-update", "post-package-update", "pre-package-uninstall",
    "post-package-uninstall", "pre-operations-exec", "pre-pool-create", "pre-dependencies-solving",
    "post-dependencies-solving", "pre-file-download", "post-file-download",
];
/// Events of an install as a whole: the second half has them.
const INSTALL_EVENTS: &[&str] = &["pre-install-cmd", "post-install-cmd", "pre-autoload-dump", "post-autoload-dump"];
const UPDATE_EVENTS: &[&str] = &["pre-update-cmd", "post-update-cmd"];

/// Options that are about the autoloader alone.
#[rustfmt::skip] // A paragraph, not a column.
const AUTOLOADER: &[&str] = &[
    "-o", "--optimize-autoloader", "-a", "--classmap-authoritative", "--apcu-autoloader", "--no-autoloader",
];

/// A JSON file of the project.
pub(super) struct Manifest {
    /// Its name, as the author knows it.
    pub(super) name: String,
    text: Arc<str>,
    /// What it says.
    pub(super) json: Value,
}

impl Manifest {
    /// `None` where there is none.
    pub(super) fn read(path: &str, project: &dyn Project) -> Result<Option<Self>, Entangled> {
        if project.look(path) != Found::File {
            return Ok(None);
        }
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let text = project.text(path).into_known();
        let text = text.ok_or_else(|| Entangled::NotSeen { because: format!("{name} can't be read") })?;
        let json = serde_json::from_str(text.trim_start_matches('\u{feff}'));
        let json = json.map_err(|error| Entangled::NotSeen { because: format!("{name} can't be read as JSON: {error}") })?;
        Ok(Some(Self { name, text, json }))
    }

    /// `name:line` of the first line with this text.
    pub(super) fn place(&self, needle: &str) -> String {
        let line = self.text.lines().position(|line| line.contains(needle));
        line.map_or_else(|| self.name.clone(), |line| format!("{}:{}", self.name, line + 1))
    }

    /// The value at the end of these keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(&self.json, |value, key| value.get(key))
    }

    fn is_set(&self, key: &str) -> bool {
        self.at(&["config", key]).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// One `composer install`, with what it works on.
pub(super) struct Install<'a> {
    /// Where composer.json lies.
    pub(super) folder: String,
    /// composer.json.
    pub(super) root: Manifest,
    lock: Option<Manifest>,
    invocation: &'a Invocation,
    /// What holds around the command.
    pub(super) at: &'a Surroundings<'a>,
    /// The files around it.
    pub(super) project: &'a dyn Project,
    /// What was found so far.
    pub(super) found: Dependencies,
    /// The end of the install reads the project: it has to be done again, or at all, once the source is there.
    pub(super) needs_second_half: bool,
}

/// What an install reads; `words` is where Composer's own arguments begin.
pub(super) fn of_install<'a>(
    invocation: &'a Invocation,
    words: usize,
    at: &'a Surroundings,
    project: &'a dyn Project,
) -> Result<Dependencies, Entangled> {
    let not_seen = |because: String| Entangled::NotSeen { because };
    let folder = folder(invocation, words, at)?;
    let name = match at.non_empty("COMPOSER") {
        None => "composer.json",
        Some(Knowledge::Known(name)) => name,
        Some(Knowledge::Unknown) => return Err(not_seen("$COMPOSER names another composer.json".to_owned())),
    };
    let path = crate::ecosystems::absolute(name, &Knowledge::Known(folder.clone())).into_known().unwrap_or_default();
    let root = Manifest::read(&path, project)?;
    let root = root.ok_or_else(|| not_seen(format!("{path} is not among what the copies bring")))?;
    let lock_path = path.strip_suffix(".json").map_or_else(|| format!("{path}.lock"), |stem| format!("{stem}.lock"));
    let locks = root.at(&["config", "lock"]).and_then(Value::as_bool) != Some(false);
    let lock = if locks { Manifest::read(&lock_path, project)? } else { None };
    let mut files = vec![path];
    files.extend(lock.is_some().then_some(lock_path));
    let found = Dependencies { files, ..Dependencies::default() };
    let install = Install { folder, root, lock, invocation, at, project, found, needs_second_half: false };
    install.examine()
}

/// The folder in which Composer works: `--working-dir`, else the work folder.
fn folder(invocation: &Invocation, words: usize, at: &Surroundings) -> Result<String, Entangled> {
    let not_seen = || Entangled::NotSeen { because: "the folder in which Composer works is not known".to_owned() };
    let own = Invocation { arguments: invocation.arguments.iter().skip(words).cloned().collect(), ..Invocation::default() };
    let given = match own.option(&["-d", "--working-dir"]) {
        Some(value) => value.into_known().ok_or_else(not_seen)?,
        None => own.known_arguments().find_map(|(_, word)| word.strip_prefix("-d").map(str::to_owned)).unwrap_or_default(),
    };
    at.absolute(&given).into_known().ok_or_else(not_seen)
}

impl Install<'_> {
    fn flag(&self, flags: &[&str]) -> bool {
        self.invocation.flag(flags).is_some()
    }

    fn examine(mut self) -> Result<Dependencies, Entangled> {
        let credentials = self.path("auth.json");
        if self.project.look(&credentials) == Found::File {
            self.found.files.push(credentials);
        }
        if !self.flag(&["--no-scripts"]) {
            self.scripts()?;
        }
        if self.lock.is_none() {
            let because = "without composer.lock, each install takes the newest versions that fit".to_owned();
            self.found.unpinned = Some(because);
            local::repositories(&mut self)?;
        }
        local::packages(&mut self)?;
        if !self.flag(&["--no-plugins"]) {
            plugins::examine(&mut self)?;
        }
        self.needs_second_half |= self.autoloader_reads() || self.version_comes_from_git();
        let vendor = self.vendor()?;
        if let Some(vendor) = vendor {
            self.found.makes.push(vendor);
        }
        self.found.part = self.part()?;
        for list in [&mut self.found.files, &mut self.found.folders, &mut self.found.makes] {
            list.sort();
            list.dedup();
        }
        Ok(self.found)
    }

    /// A path as composer.json writes it.
    pub(super) fn path(&self, relative: &str) -> String {
        let folder = Knowledge::Known(self.folder.clone());
        crate::ecosystems::absolute(relative, &folder).into_known().unwrap_or_default()
    }

    /// Takes a file or a folder that the install needs.
    pub(super) fn take(&mut self, relative: &str, why: &str) -> Result<(), Entangled> {
        let path = self.path(relative);
        match self.project.look(&path) {
            Found::File => self.found.files.push(path),
            Found::Folder => self.found.folders.push(path),
            Found::Nothing | Found::Unknown => {
                return Err(Entangled::NotSeen { because: format!("{why} is not among what the copies bring: {relative}") });
            }
        }
        Ok(())
    }

    /// The packages that are to be installed, where they are locked.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Value> {
        let kinds: &[&str] = if self.without_dev() { &["packages"] } else { &["packages", "packages-dev"] };
        let lists = kinds.iter().filter_map(|kind| self.lock.as_ref()?.at(&[kind])?.as_array());
        lists.flatten()
    }

    /// `composer.lock:line` of a package.
    pub(super) fn place_of(&self, package: &str) -> String {
        let place = |manifest: &Manifest| manifest.place(&format!("\"{package}\""));
        self.lock.as_ref().map_or_else(|| place(&self.root), place)
    }

    /// Whether the versions are locked.
    pub(super) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    fn without_dev(&self) -> bool {
        let by_variable = self.at.non_empty("COMPOSER_NO_DEV").is_some_and(|value| value != Knowledge::Known("0"));
        self.flag(&["--no-dev"]) || by_variable && !self.flag(&["--dev"])
    }

    fn scripts(&mut self) -> Result<(), Entangled> {
        let Some(scripts) = self.root.at(&["scripts"]).and_then(Value::as_object) else { return Ok(()) };
        let listens =
            |event: &&&str| scripts.get(**event).is_some_and(|script| script.as_array().is_none_or(|list| !list.is_empty()));
        let place = |event: &str| self.root.place(&format!("\"{event}\""));
        if let Some(event) = PACKAGE_EVENTS.iter().find(listens) {
            let because = format!("{}: the script {event} runs while packages are installed", place(event));
            return Err(Entangled::NeedsSource { because });
        }
        let mut doubt = None;
        if let Some(event) = INSTALL_EVENTS.iter().find(listens) {
            self.needs_second_half = true;
            if *event == "pre-install-cmd" {
                doubt = Some(format!("{}: pre-install-cmd would run after the packages are there", place(event)));
            }
        }
        // Without a lock the first install is an update with other events, and the second one is not.
        let same = scripts.get("post-install-cmd") == scripts.get("post-update-cmd");
        if self.lock.is_none()
            && let Some(event) = UPDATE_EVENTS.iter().find(listens)
            && !(same && *event == "post-update-cmd")
        {
            let because = format!("{}: without composer.lock, {event} runs at the first install only", place(event));
            return Err(Entangled::NeedsSource { because });
        }
        self.found.doubt = doubt;
        if self.lock.is_none() && !same {
            let why =
                "without composer.lock, the first install runs the scripts of an update, and the second those of an install";
            self.found.doubt = Some(why.to_owned());
        }
        Ok(())
    }

    /// Whether the autoloader is made from what lies in the project's folders, not from their names alone.
    fn autoloader_reads(&self) -> bool {
        let optimised = self.flag(&["-o", "--optimize-autoloader", "-a", "--classmap-authoritative"])
            || ["optimize-autoloader", "classmap-authoritative"].iter().any(|key| self.root.is_set(key));
        let scanned: &[&str] = if optimised { &["classmap", "psr-4", "psr-0"] } else { &["classmap"] };
        let holds = |section: &str, kind: &str| {
            let rules = self.root.at(&[section, kind]);
            rules.is_some_and(|rules| {
                rules.as_array().is_some_and(|list| !list.is_empty()) || rules.as_object().is_some_and(|map| !map.is_empty())
            })
        };
        let sections: &[&str] = if self.without_dev() { &["autoload"] } else { &["autoload", "autoload-dev"] };
        !self.flag(&["--no-autoloader"]) && sections.iter().any(|section| scanned.iter().any(|kind| holds(section, kind)))
    }

    /// Whether the root package's version, which is written to `vendor/composer/installed.php`, is asked of git.
    fn version_comes_from_git(&self) -> bool {
        let told = self.root.at(&["version"]).is_some() || self.at.non_empty("COMPOSER_ROOT_VERSION").is_some();
        let mut folder = self.folder.as_str();
        while !told && !folder.is_empty() {
            if matches!(self.project.look(&format!("{folder}/.git")), Found::File | Found::Folder) {
                return true;
            }
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        false
    }

    /// The vendor folder, where it lies in the project.
    fn vendor(&self) -> Result<Option<String>, Entangled> {
        let unknown = |by: &str| Entangled::NotSeen { because: format!("the vendor folder is not known: {by}") };
        let configured = self.root.at(&["config", "vendor-dir"]).and_then(Value::as_str);
        let folder = match self.at.non_empty("COMPOSER_VENDOR_DIR") {
            Some(value) => value.into_known().ok_or_else(|| unknown("COMPOSER_VENDOR_DIR"))?,
            None => configured.unwrap_or("vendor"),
        };
        if folder.contains('$') || folder.starts_with('~') {
            return Err(unknown(folder));
        }
        let path = self.path(folder);
        let inside = path.strip_prefix(&self.folder).is_some_and(|rest| rest.starts_with('/'));
        Ok((inside || self.project.look(&path) != Found::Unknown).then_some(path))
    }

    fn part(&self) -> Result<Part, Entangled> {
        if !self.needs_second_half {
            return Ok(Part::Whole);
        }
        let mut left_out = self.invocation.flags(AUTOLOADER);
        let prefixed = self.invocation.known_arguments().filter(|(_, word)| word.starts_with("--apcu-autoloader-prefix="));
        left_out.extend(prefixed.map(|(index, _)| index));
        if let Some(index) = self.invocation.flag(&["--apcu-autoloader-prefix"]) {
            left_out.extend([index, index + 1]);
        }
        left_out.extend(self.invocation.flags(&["--no-scripts"]));
        let command = first_half::text(self.invocation, &left_out, &["--no-scripts", "--no-autoloader"])?;
        Ok(Part::FirstHalf { command, rest: Vec::new(), only_fetches: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Ecosystem;
    use crate::ecosystems::composer::Composer;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    const LOCK: &str = r#"{"packages": [], "packages-dev": []}"#;
    const PSR4: &str = r#"{"autoload": {"psr-4": {"App\\": "app/"}}}"#;

    fn ask(line: &str, files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        let words: Vec<&str> = line.split(' ').collect();
        Composer.dependencies(&invocation(&words), &in_project("composer:2"), &Files::new(files))
    }

    fn found(line: &str, files: &[(&str, &str)]) -> Dependencies {
        ask(line, files).unwrap().unwrap()
    }

    fn read(found: &Dependencies) -> String {
        let paths = found.files.iter().chain(&found.folders).map(|path| path.trim_start_matches("/app/").to_owned());
        paths.collect::<Vec<_>>().join(" ")
    }

    fn half(found: &Dependencies) -> &str {
        match &found.part {
            Part::FirstHalf { command, rest, only_fetches: false } if rest.is_empty() => command,
            _ => "",
        }
    }

    /// With a lock file of these packages.
    fn locked(package: &str) -> String {
        format!("{{\n\"packages\": [\n{package}\n], \"packages-dev\": []}}")
    }

    fn refusal(line: &str, files: &[(&str, &str)]) -> String {
        ask(line, files).unwrap_err().to_string()
    }

    #[test]
    fn an_install_has_a_half_without_scripts_and_autoloader() {
        let laravel = r#"{"autoload": {"psr-4": {"App\\": "app/"}}, "scripts": {"post-autoload-dump": ["@php artisan x"]}}"#;
        let files = [("composer.json", laravel), ("composer.lock", LOCK), ("artisan", ""), ("app/A.php", "")];
        let install = found("composer install --no-dev --optimize-autoloader", &files);
        assert_eq!(read(&install), "composer.json composer.lock");
        assert_eq!(half(&install), "composer install --no-dev --no-scripts --no-autoloader");
        assert_eq!((install.makes, install.unpinned, install.doubt), (vec!["/app/vendor".to_owned()], None, None));
        let php = found("A=1 php -d memory_limit=-1 /usr/bin/composer install -o", &files);
        assert_eq!(half(&php), "A=1 php -d memory_limit=-1 /usr/bin/composer install --no-scripts --no-autoloader");
    }

    #[test]
    fn an_install_that_reads_no_source_goes_first_whole() {
        let files = [("composer.json", PSR4), ("composer.lock", LOCK), ("auth.json", "{}")];
        let whole = |line: &str, files: &[(&str, &str)]| found(line, files).part == Part::Whole;
        assert!(whole("composer install --no-scripts", &files), "psr-4 without optimisation is names alone");
        assert!(!whole("composer install --no-scripts -o", &files));
        assert!(whole("composer install --no-scripts --no-autoloader -o", &files));
        assert_eq!(read(&found("composer install", &files)), "auth.json composer.json composer.lock");
        let classmap = [("composer.json", r#"{"autoload-dev": {"classmap": ["tests"]}}"#), ("composer.lock", LOCK)];
        assert!(whole("composer install --no-dev", &classmap) && !whole("composer install", &classmap));
        let git = [("composer.json", "{}"), ("composer.lock", LOCK), (".git/HEAD", "")];
        assert!(!whole("composer install", &git), "the root's version is git's");
        let told = [("composer.json", r#"{"version": "1.0"}"#), ("composer.lock", LOCK), (".git/HEAD", "")];
        assert!(whole("composer install", &told));
    }

    #[test]
    fn scripts_on_single_packages_are_refused() {
        let hook = "{\n\"scripts\": {\n\"post-package-install\": \"x\"\n}}";
        let files = [("composer.json", hook), ("composer.lock", LOCK)];
        assert!(refusal("composer install", &files).starts_with("composer.json:3: the script post-package-install"));
        assert!(ask("composer install --no-scripts", &files).is_ok());
        let before = [("composer.json", r#"{"scripts": {"pre-install-cmd": "x"}}"#), ("composer.lock", LOCK)];
        assert!(found("composer install", &before).doubt.is_some());
    }

    #[test]
    fn without_a_lock_the_first_install_is_an_update() {
        let install = found("composer install", &[("composer.json", "{}")]);
        assert!(install.unpinned.is_some() && read(&install) == "composer.json");
        let update = [("composer.json", r#"{"scripts": {"post-update-cmd": "x"}}"#)];
        assert!(refusal("composer install", &update).contains("post-update-cmd"));
        let both = [("composer.json", r#"{"scripts": {"post-update-cmd": "x", "post-install-cmd": "x"}}"#)];
        assert!(ask("composer install", &both).is_ok());
    }

    #[test]
    fn packages_of_the_project_itself() {
        let path = locked(r#"{"name": "a/b", "dist": {"type": "path", "url": "./packages/b"}}"#);
        let json = ("composer.json", "{}");
        let files = [json, ("composer.lock", path.as_str()), ("packages/b/composer.json", "{}"), ("packages/b/src/B.php", "")];
        let linked = found("composer install", &files);
        assert_eq!(read(&linked), "composer.json composer.lock packages/b/composer.json");
        assert!(!half(&linked).is_empty());
        let copied =
            path.replace("\"path\",", "\"path\", \"x\": 1,").replace("}}", "}, \"transport-options\": {\"symlink\": false}}");
        let files = [json, ("composer.lock", copied.as_str()), ("packages/b/composer.json", "{}")];
        assert_eq!(read(&found("composer install", &files)), "composer.json composer.lock packages/b");
        let missing = [json, ("composer.lock", path.as_str())];
        assert!(refusal("composer install", &missing).starts_with("composer.lock:3: the package a/b"));
        let zip = locked(r#"{"name": "a/b", "dist": {"type": "zip", "url": "artifacts/b.zip"}}"#);
        let files = [json, ("composer.lock", zip.as_str()), ("artifacts/b.zip", "")];
        assert_eq!(read(&found("composer install", &files)), "artifacts/b.zip composer.json composer.lock");
        let unlocked = r#"{"repositories": [{"type": "path", "url": "packages/*"}, {"type": "artifact", "url": "zips"}]}"#;
        let files = [("composer.json", unlocked), ("packages/b/composer.json", "{}"), ("zips/b.zip", "")];
        assert_eq!(read(&found("composer install", &files)), "composer.json packages/b zips");
    }

    #[test]
    fn plugins_are_told_apart_by_name() {
        let with = |name: &str, json: &str, more: &[(&str, &str)]| {
            let lock = locked(&format!("{{\"name\": \"{name}\", \"type\": \"composer-plugin\"}}"));
            let mut files = vec![("composer.json", json), ("composer.lock", lock.as_str())];
            files.extend(more);
            ask("composer install", &files).map(Option::unwrap_or_default)
        };
        assert_eq!(with("symfony/runtime", "{}", &[]).unwrap().doubt, None);
        let unknown = with("acme/magic", "{}", &[]).unwrap();
        assert!(unknown.doubt.unwrap().starts_with("composer.lock:3: the plugin acme/magic"));
        assert_eq!(with("acme/magic", r#"{"config": {"allow-plugins": {"acme/magic": false}}}"#, &[]).unwrap().doubt, None);
        assert!(with("symfony/flex", "{}", &[]).is_err(), "recipes would be lost");
        let flex = with("symfony/flex", "{}", &[("symfony.lock", "{}")]).unwrap();
        assert_eq!((read(&flex).as_str(), flex.doubt), ("composer.json composer.lock symfony.lock", None));
        let patched = r#"{"extra": {"patches": {"a/b": {"one": "patches/b.patch", "two": "https://x/y.patch"}}}}"#;
        let patches = with("cweagans/composer-patches", patched, &[("patches/b.patch", "")]).unwrap();
        assert_eq!(read(&patches), "composer.json composer.lock patches/b.patch");
        assert!(with("cweagans/composer-patches", patched, &[]).is_err());
        let merging = r#"{"extra": {"merge-plugin": {"include": ["ext/*/composer.json"]}}}"#;
        let merged = with("wikimedia/composer-merge-plugin", merging, &[("ext/a/composer.json", "{}")]).unwrap();
        assert_eq!(read(&merged), "composer.json composer.lock ext/a/composer.json");
        let paths = r#"{"extra": {"installer-paths": {"web/core": ["type:drupal-core"], "web/modules/{$name}": ["x/y"]}}}"#;
        let placed = with("composer/installers", paths, &[]).unwrap();
        assert_eq!(placed.makes, ["/app/vendor", "/app/web/core", "/app/web/modules"]);
    }

    #[test]
    fn flex_registers_bundles_that_its_lock_does_not_name() {
        let lock =
            locked(r#"{"name": "symfony/flex", "type": "composer-plugin"}, {"name": "acme/bundle", "type": "symfony-bundle"}"#);
        let ask =
            |own: &str| ask("composer install", &[("composer.json", "{}"), ("composer.lock", &lock), ("symfony.lock", own)]);
        assert!(ask("{}").is_err() && ask(r#"{"acme/bundle": {}}"#).is_ok());
    }

    #[test]
    fn folders_follow_options_variables_and_settings() {
        let files = Files::new(&[("api/composer.json", r#"{"config": {"vendor-dir": "lib"}}"#), ("api/composer.lock", LOCK)]);
        let ask = |words: &[&str], variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
            let at = Surroundings { variables: variables.collect(), ..in_project("php:8") };
            Composer.dependencies(&invocation(words), &at, &files)
        };
        let api = ask(&["composer", "install", "-d", "api"], &[]).unwrap().unwrap();
        assert_eq!((read(&api).as_str(), api.makes), ("api/composer.json api/composer.lock", vec!["/app/api/lib".to_owned()]));
        let vendor = ask(&["composer", "install", "--working-dir=/app/api"], &[("COMPOSER_VENDOR_DIR", "/v")]).unwrap().unwrap();
        assert!(vendor.makes.is_empty());
        let named = ask(&["composer", "install"], &[("COMPOSER", "api/composer.json"), ("COMPOSER_VENDOR_DIR", "/v")]);
        assert_eq!(read(&named.unwrap().unwrap()), "api/composer.json api/composer.lock");
        assert!(ask(&["composer", "install"], &[]).is_err(), "no composer.json there");
        assert!(ask(&["composer", "install", "$FLAGS"], &[]).is_err());
        let unread = Files::new(&[]).with_unreadable("composer.json");
        let asked = Composer.dependencies(&invocation(&["composer", "install"]), &in_project("php:8"), &unread);
        assert!(matches!(asked, Err(Entangled::NotSeen { .. })));
    }

    #[test]
    fn other_commands_read_nothing_or_anything() {
        let files = [("composer.json", "{}"), ("composer.lock", LOCK), ("composer.phar", "")];
        for line in ["composer global require x/y", "composer --version", "composer clear-cache", "composer config -g a b"] {
            assert_eq!(ask(line, &files), Ok(Some(Dependencies::default())), "{line}");
        }
        assert!(found("composer self-update", &files).unpinned.is_some());
        for line in [
            "composer dump-autoload -o",
            "composer run-script x",
            "composer require a/b",
            "composer update",
            "composer config a b",
        ] {
            assert_eq!(ask(line, &files), Ok(None), "{line}");
        }
        assert_eq!(read(&found("php composer.phar install", &files)), "composer.json composer.lock composer.phar");
        assert!(refusal("php composer.phar install", &[("composer.json", "{}")]).contains("earlier step"));
    }
}
