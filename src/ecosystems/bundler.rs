//! Bundler and RubyGems: `bundle install` and `gem install`.
//!
//! Gems are installed where they are used from (GEM_HOME, BUNDLE_PATH); only the folder `cache` in there may be a mount. It
//! holds the `.gem` files as downloaded (and Bundler's bare clones of git sources). Both programs take a `.gem` from it without
//! asking the server again (seen with RubyGems 3.3 and Bundler 2.3 against a server's log), and neither needs it afterwards:
//! Rails' own Dockerfile deletes it after the install.
//!
//! Where it is, for `gem`: `cache` in `--install-dir`, else in GEM_HOME, else what the official `ruby` images set,
//! `/usr/local/bundle`. For `bundle`: the same GEM_HOME, unless a path is set by an option of the command, by `bundle config`, or
//! by BUNDLE_PATH or BUNDLE_DEPLOYMENT (`vendor/bundle`): then `<path>/ruby/<ABI>/cache`. The ABI follows from the official
//! image's tag (`3.3-slim`: `3.3.0`) and from nothing else, so other bases, `latest` and previews are refused. Up to Ruby 2.6
//! images come with Bundler 1, which puts a BUNDLE_PATH to use without that ending, and set one: there a path from the
//! environment is refused. A `bundle config` without `--local` or `--global` is the one or the other by whether a Gemfile was
//! there already; refused where that decides. Refused as well: a global gem cache, whose folder is another from version to
//! version, and `--user-install`. A path in a `.bundle/config` that is copied in is not seen here: then the mount does nothing,
//! and so it is where a Bundler newer than 4.0 takes its global cache by default.
//!
//! Nothing switches this cache off (`--no-cache` is about `vendor/cache`). Locked: `.gem` files are written in place. Their
//! names hold the platform, and they are not built. An unknown argument may hide a `--path`: then the mount does nothing.
//!
//! Never: `vendor/cache`, which is the project's; installed gems; `bundle clean` and `gem cleanup`, which uninstall.
//!
//! From: the sources of RubyGems 3.3 (`remote_fetcher`), Bundler 2.3 and its development line (`settings`,
//! `source/rubygems`), docker-library's Dockerfiles for Ruby, and runs of both programs against a local server.

mod gemfile;
mod lockfile;
mod manifests;
mod ruby;

use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project, Surroundings,
};
use crate::knowledge::Knowledge;

/// Bundler, and `gem`.
pub struct Bundler;

/// Options in front of the subcommand with their value in the next word.
const WITH_VALUE: &[&str] = &["--config-file", "--retry", "-r", "--jobs", "-j", "--path", "--gemfile", "--without", "--with"];

/// Where gems go in the official images.
const IMAGE_GEM_HOME: &str = "/usr/local/bundle";

impl Ecosystem for Bundler {
    fn id(&self) -> &'static str {
        "bundler"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["bundle", "bundler", "gem"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--binstubs", "BUNDLE_BIN"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".bundle/config", "Gemfile.lock"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        let by_gem = invocation.is("gem");
        if !by_gem && !is_bundle(invocation) {
            return None;
        }
        // Behind a subcommand, `--version` and `-v` name the version to install.
        let asks_version = subcommand(invocation).is_none() && invocation.flag(&["--version", "-v"]).is_some();
        if invocation.flag(&["--help", "-h", "--explain"]).is_some() || asks_version {
            return Some(Activity::Other);
        }
        let name = subcommand(invocation);
        let install = Activity::Install { needs_index: false };
        Some(match (by_gem, name) {
            (true, Some("install" | "i" | "update")) if invocation.flag(&["--local", "-l"]).is_some() => Activity::Other,
            (true, Some("install" | "i" | "update")) => install,
            (false, Some("install" | "i" | "update" | "add" | "cache" | "package" | "pack")) => {
                if invocation.flag(&["--local"]).is_some() { Activity::Offline } else { install }
            }
            // `bundle` alone installs, before Bundler 4; `bundle $COMMAND` may be anything.
            (false, None)
                if invocation.arguments.iter().all(|argument| argument.raw.starts_with('-') || is_version(&argument.raw)) =>
            {
                install
            }
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let gems = if invocation.is("gem") { gem_folder(invocation, at)? } else { bundle_folder(invocation, at)? };
        let mount = CacheFolder::downloads(format!("{}/cache", gems.trim_end_matches('/'))).locked();
        Ok(CacheUse { mounts: vec![mount], ..CacheUse::default() })
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        if invocation.is("gem") {
            return manifests::of_gem(invocation, at, project);
        }
        manifests::of_bundle(invocation, at, project)
    }
}

fn gem_folder(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    if invocation.flag(&["--user-install"]).is_some() {
        return Err(unknown("--user-install puts gems in a folder that depends on Ruby's version"));
    }
    match invocation.option(&["--install-dir", "-i"]) {
        Some(value) => located(value, "--install-dir", at),
        None => gem_home(at),
    }
}

fn gem_home(at: &Surroundings) -> Result<String, Obstacle> {
    match at.non_empty("GEM_HOME") {
        Some(value) => located(value.map(str::to_owned), "GEM_HOME", at),
        None if at.base.repository() == "ruby" => Ok(IMAGE_GEM_HOME.to_owned()),
        None => Err(unknown("GEM_HOME is not set, and the base is not the official ruby image")),
    }
}

fn bundle_folder(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    if truthy(at, "BUNDLE_GLOBAL_GEM_CACHE") || mentions(at.earlier, "global_gem_cache") {
        return Err(unknown("the global gem cache is elsewhere from version to version of Bundler"));
    }
    let path = match chosen_path(invocation, at)? {
        Path::System => return gem_home(at),
        Path::At(path) => path,
    };
    if !path.starts_with('/') && (invocation.option(&["--gemfile"]).is_some() || at.non_empty("BUNDLE_GEMFILE").is_some()) {
        return Err(unknown("a relative path starts at the Gemfile, which is elsewhere"));
    }
    let path = at.absolute(&path).into_known().ok_or_else(|| unknown("WORKDIR"))?;
    let (major, minor) =
        ruby(at).ok_or_else(|| unknown("Ruby's version is part of the path, and the base's tag does not tell it"))?;
    Ok(format!("{}/ruby/{major}.{minor}.0", path.trim_end_matches('/')))
}

#[derive(Clone, PartialEq, Eq)]
enum Path {
    /// GEM_HOME.
    System,
    /// A folder, as written.
    At(String),
}

/// What one level of Bundler's settings says of the path.
#[derive(Clone, Default)]
struct Level {
    path: Option<String>,
    deployment: bool,
    system: bool,
}

impl Level {
    fn choice(&self) -> Option<Path> {
        let vendored = self.deployment.then(|| Path::At("vendor/bundle".to_owned()));
        self.path.clone().map(Path::At).or(if self.system { Some(Path::System) } else { vendored })
    }

    /// Takes over what a command's options say; Bundler before 4 remembers them.
    fn read_options(&mut self, invocation: &Invocation) -> Result<(), Obstacle> {
        if !matches!(subcommand(invocation), None | Some("install" | "i" | "update")) {
            return Ok(());
        }
        if invocation.flag(&["--standalone"]).is_some() || invocation.option(&["--standalone"]).is_some() {
            return Err(unknown("--standalone installs in a folder of its own"));
        }
        if invocation.flag(&["--system"]).is_some() {
            *self = Self { system: true, ..Self::default() };
        }
        match invocation.option(&["--path"]) {
            Some(Knowledge::Known(path)) if !path.is_empty() => self.path = Some(path),
            Some(_) => return Err(unknown("--path")),
            None => {}
        }
        self.deployment |= invocation.flag(&["--deployment"]).is_some();
        Ok(())
    }

    /// Takes over a `bundle config set KEY VALUE`, or what came before it: `bundle config KEY VALUE`.
    fn read_config(&mut self, command: &Invocation) -> Result<(), Obstacle> {
        let words = command.arguments.iter().filter(|argument| !argument.raw.starts_with('-') && !is_version(&argument.raw));
        let mut words = words.map(|argument| &argument.value).skip(1).peekable();
        let verb =
            words.next_if(|word| word.known().is_some_and(|word| matches!(word.as_str(), "set" | "unset" | "get" | "list")));
        let verb = verb.and_then(Knowledge::known).map_or("", String::as_str);
        let unset = verb == "unset" || command.flag(&["--delete"]).is_some();
        let key = match words.next() {
            Some(Knowledge::Known(key)) if !matches!(verb, "get" | "list") => key.as_str(),
            Some(Knowledge::Unknown) => return Err(unknown("bundle config of something that is not known")),
            _ => return Ok(()),
        };
        let value = words.next();
        match (key, value) {
            ("path", _) if unset => self.path = None,
            ("deployment", _) if unset => self.deployment = false,
            ("path.system", _) if unset => self.system = false,
            ("path" | "deployment" | "path.system", Some(Knowledge::Unknown)) => return Err(unknown("bundle config")),
            ("path", Some(Knowledge::Known(path))) => self.path = Some(path.clone()).filter(|path| !path.is_empty()),
            ("deployment", Some(Knowledge::Known(on))) => self.deployment = !is_off(on),
            ("path.system", Some(Knowledge::Known(on))) => self.system = !is_off(on),
            // Without a value it asks.
            _ => {}
        }
        Ok(())
    }
}

/// Where Bundler was told to install: by options or `bundle config --local`, by the environment, by `bundle config --global`.
fn chosen_path(invocation: &Invocation, at: &Surroundings) -> Result<Path, Obstacle> {
    if at.variable("BUNDLE_DISABLE_SHARED_GEMS").is_some() || mentions(at.earlier, "disable_shared_gems") {
        return Err(unknown("disable_shared_gems"));
    }
    let path = match at.non_empty("BUNDLE_PATH") {
        Some(Knowledge::Unknown) => return Err(unknown("BUNDLE_PATH")),
        path => path.and_then(Knowledge::into_known).map(str::to_owned),
    };
    let system = truthy(at, "BUNDLE_PATH__SYSTEM");
    let environment = Level { path, deployment: truthy(at, "BUNDLE_DEPLOYMENT"), system }.choice();
    if matches!(environment, Some(Path::At(_))) && ruby(at).is_some_and(|version| version < (2, 7)) {
        return Err(unknown("Bundler 1 and 2 put a path from the environment to different use"));
    }
    // Without `--local` and `--global` it is the one or the other, by whether a Gemfile was there already.
    let choose = |unscoped_is_local: bool| {
        let (mut local, mut global) = (Level::default(), Level::default());
        for command in at.earlier.iter().filter(|command| is_bundle(command)) {
            local.read_options(command)?;
            if subcommand(command) == Some("config") {
                let to_global =
                    command.flag(&["--global"]).is_some() || !unscoped_is_local && command.flag(&["--local"]).is_none();
                if to_global { global.read_config(command)? } else { local.read_config(command)? }
            }
        }
        local.read_options(invocation)?;
        Ok(local.choice().or_else(|| environment.clone()).or_else(|| global.choice()).unwrap_or(Path::System))
    };
    let (one, other) = (choose(true)?, choose(false)?);
    if one == other { Ok(one) } else { Err(unknown("bundle config without --local or --global, against the environment")) }
}

/// Ruby's major and minor version by the tag of the official image: `3.3.1-slim`, `3.3-alpine`; no previews.
fn ruby(at: &Surroundings) -> Option<(u32, u32)> {
    let tag = at.base.tag();
    if at.base.repository() != "ruby" || ["-rc", "-preview", "-dev", "-alpha", "-beta"].iter().any(|part| tag.contains(part)) {
        return None;
    }
    let mut numbers = tag.split('-').next()?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn is_bundle(invocation: &Invocation) -> bool {
    invocation.is("bundle") || invocation.is("bundler")
}

/// The subcommand; `bundle _2.4.1_ install` names Bundler's version in front of it.
fn subcommand(invocation: &Invocation) -> Option<&str> {
    let (first, name) = invocation.subcommand(WITH_VALUE)?;
    if !is_version(name) {
        return Some(name);
    }
    invocation.known_arguments().find(|(index, value)| *index > first && !value.starts_with('-')).map(|(_, value)| value)
}

fn is_version(word: &str) -> bool {
    word.len() > 2 && word.starts_with('_') && word.ends_with('_')
}

/// Whether an earlier command names this setting.
fn mentions(earlier: &[Invocation], key: &str) -> bool {
    earlier.iter().filter(|command| is_bundle(command)).any(|command| command.flag(&[key]).is_some())
}

/// A switch from the environment; a value that is not known counts as on.
fn truthy(at: &Surroundings, name: &str) -> bool {
    at.non_empty(name).is_some_and(|value| value.known().is_none_or(|value| !is_off(value)))
}

fn is_off(value: &str) -> bool {
    matches!(value, "" | "false" | "f" | "no" | "n" | "0")
}

fn located(value: Knowledge<String>, by: &str, at: &Surroundings) -> Result<String, Obstacle> {
    let folder = value.into_known().filter(|folder| !folder.is_empty());
    folder.and_then(|folder| at.absolute(&folder).into_known()).ok_or_else(|| unknown(by))
}

fn unknown(because: &str) -> Obstacle {
    Obstacle::UnknownFolder { because: because.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::BaseImage;
    use crate::ecosystems::testing::command;

    fn on(image: &str, variables: &[(&str, &str)]) -> Surroundings<'static> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        let base = BaseImage { reference: Knowledge::Known(image.to_owned()) };
        Surroundings { variables: variables.collect(), base, workdir: Knowledge::Known("/app".into()), ..Surroundings::default() }
    }

    fn target(text: &str, at: &Surroundings) -> Option<String> {
        let cache = Bundler.cache(&command(text), at).ok()?;
        cache.mounts.first().map(|mount| mount.target.clone())
    }

    fn after(earlier: &str, image: &str, variables: &[(&str, &str)]) -> Option<String> {
        let earlier = [command(earlier)];
        target("bundle install", &Surroundings { earlier: &earlier, ..on(image, variables) })
    }

    #[test]
    fn tells_fetching_from_the_rest() {
        let does = |text: &str| Bundler.recognise(&command(text));
        for text in [
            "bundle",
            "bundle install --jobs 4",
            "bundle _2.3.1_ install",
            "bundle update",
            "gem install bundler -v 2.4",
            "gem update --system",
        ] {
            assert_eq!(does(text), Some(Activity::Install { needs_index: false }), "{text}");
        }
        for text in [
            "bundle exec rake install",
            "bundle config set path x",
            "bundle check",
            "bundle clean",
            "gem cleanup",
            "bundle -v",
            "bundle $WHAT",
        ] {
            assert_eq!(does(text), Some(Activity::Other), "{text}");
        }
        assert_eq!(does("bundle install --local"), Some(Activity::Offline));
        assert_eq!(does("gem install --local x.gem"), Some(Activity::Other));
    }

    #[test]
    fn only_the_downloads_beside_the_gems_are_mounted() {
        let image = "/usr/local/bundle/cache".to_owned();
        assert_eq!(target("bundle install", &on("ruby:3.3-slim", &[])), Some(image.clone()));
        assert_eq!(target("gem install rails", &on("docker.io/library/ruby", &[])), Some(image));
        assert_eq!(target("gem install rails", &on("debian:12", &[("GEM_HOME", "/gems")])), Some("/gems/cache".to_owned()));
        assert_eq!(target("gem install -i /g rails", &on("debian:12", &[])), Some("/g/cache".to_owned()));
    }

    #[test]
    fn a_path_is_followed_by_rubys_version() {
        let vendored = Some("/app/vendor/bundle/ruby/3.3.0/cache".to_owned());
        assert_eq!(target("bundle install --path vendor/bundle", &on("ruby:3.3.1-alpine", &[])), vendored);
        assert_eq!(target("bundle install --deployment", &on("ruby:3.3", &[])), vendored);
        assert_eq!(target("bundle install", &on("ruby:3.3", &[("BUNDLE_DEPLOYMENT", "1")])), vendored);
        let rails = [("BUNDLE_DEPLOYMENT", "1"), ("BUNDLE_PATH", "/usr/local/bundle")];
        assert_eq!(target("bundle install", &on("ruby:3.3-slim", &rails)), Some("/usr/local/bundle/ruby/3.3.0/cache".to_owned()));
        assert_eq!(after("bundle config set --local deployment true", "ruby:3.3", &[]), vendored);
        assert_eq!(after("bundle config path vendor/bundle", "ruby:3.3", &[]), vendored);
        assert_eq!(after("bundle config path vendor/bundle", "ruby:3.3", &[("BUNDLE_PATH", "/b")]), None, "local or global?");
        assert_eq!(after("bundle config --local path vendor/bundle", "ruby:3.3", &[("BUNDLE_PATH", "/b")]), vendored);
        let by_variable = after("bundle config --global path vendor/bundle", "ruby:3.3", &[("BUNDLE_PATH", "/b")]);
        assert_eq!(by_variable, Some("/b/ruby/3.3.0/cache".to_owned()));
        assert_eq!(after("bundle config set without test", "ruby:3.3", &[]), Some("/usr/local/bundle/cache".to_owned()));
    }

    #[test]
    fn a_path_goes_before_deployment_and_options_are_remembered() {
        let earlier = [command("bundle config set --local path v"), command("bundle config set --local deployment true")];
        let at = Surroundings { earlier: &earlier, ..on("ruby:3.3", &[]) };
        assert_eq!(target("bundle install", &at), Some("/app/v/ruby/3.3.0/cache".to_owned()));
        assert_eq!(after("bundle install --path v", "ruby:3.3", &[]), Some("/app/v/ruby/3.3.0/cache".to_owned()));
        let earlier = [command("bundle config set path v"), command("bundle config unset path")];
        let at = Surroundings { earlier: &earlier, ..on("ruby:3.3", &[]) };
        assert_eq!(target("bundle install", &at), Some("/usr/local/bundle/cache".to_owned()));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(target("bundle install", &on("debian:12", &[])), None);
        for image in ["ruby:latest", "ruby:3-slim", "ruby:3.5.0-preview1", "jruby:9.4", "ruby:2.6"] {
            assert_eq!(target("bundle install", &on(image, &[("BUNDLE_PATH", "/b")])), None, "{image}");
        }
        assert_eq!(after("bundle config set path $DIR", "ruby:3.3", &[]), None);
        assert_eq!(target("bundle install --path $DIR", &on("ruby:3.3", &[])), None);
        assert_eq!(target("bundle install", &on("ruby:3.3", &[("BUNDLE_GLOBAL_GEM_CACHE", "true")])), None);
        assert_eq!(target("gem install --user-install x", &on("ruby:3.3", &[])), None);
    }
}
