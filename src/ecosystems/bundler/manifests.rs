//! What `bundle` and `gem` commands read of the project.
//!
//! Knows: the Gemfile, its lock file, what the Gemfile names, the settings in `.bundle/config`, packed gems in `vendor/cache`; where
//! gems go when they go into the project.
//!
//! The whole install goes first where it is done once and for all. Where the project is a gem itself, or has gems in it, or
//! Gemfile.lock may be written back, the same command runs once more below the source: it finds the gems there, links the
//! project's own again and writes the lock file as it did before.
//!
//! From: Bundler's manual (bundle-install(1), bundle-config(1)), its `SharedHelpers`; Bundler 2.3 on an engine.

use super::gemfile::Reader;
use super::{Path, WITH_VALUE, chosen_path, is_off, lockfile, mentions, subcommand, truthy};
use crate::ecosystems::{
    Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, Wrapper, absolute, first_half, offline,
};
use crate::knowledge::Knowledge;

/// Subcommands of `gem` that read nothing of the project.
#[rustfmt::skip] // A paragraph, not a column.
const HARMLESS_GEM: &[&str] = &[
    "cleanup", "uninstall", "sources", "source", "list", "env", "environment", "which", "contents", "search", "info", "help",
    "outdated", "pristine", "rdoc", "dependency", "stale", "fetch", "query",
];

/// What a `bundle` command reads; `None` for anything.
pub(super) fn of_bundle(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let asks = invocation.flag(&["--help", "-h"]).is_some();
    let name = subcommand(invocation);
    let alone = name.is_none() && !invocation.arguments.iter().any(|argument| argument.raw.starts_with('$'));
    match name {
        _ if asks => Ok(Some(Dependencies::default())),
        None if invocation.flag(&["--version", "-v"]).is_some() => Ok(Some(Dependencies::default())),
        Some("help" | "version") => Ok(Some(Dependencies::default())),
        Some("config") => config(invocation, at, project).map(Some),
        Some("install" | "i") => install(invocation, at, project).map(Some),
        None if alone => install(invocation, at, project).map(Some),
        // They read what an install reads, and change nothing where that does not.
        Some("check" | "clean") => {
            let found = install(invocation, at, project)?;
            Ok((found.part == Part::Whole).then_some(found))
        }
        _ => Ok(None),
    }
}

/// What a `gem` command reads; `None` for anything.
pub(super) fn of_gem(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let mut found = Dependencies::default();
    let asks = invocation.flag(&["--help", "-h"]).is_some();
    let Some((index, command)) = invocation.subcommand(&[]) else {
        return Ok((!invocation.has_unknown_argument()).then_some(found));
    };
    match command {
        _ if asks || HARMLESS_GEM.contains(&command) && command != "fetch" => Ok(Some(found)),
        _ if invocation.wrappers.contains(&Wrapper::Xargs) || invocation.flag(&["-g", "--file"]).is_some() => Ok(None),
        "update" => {
            found.unpinned = Some("`gem update` brings what is newest at the time".to_owned());
            Ok(Some(found))
        }
        "install" | "i" => {
            for (at_index, word) in invocation.known_arguments() {
                if at_index <= index || !word.ends_with(".gem") || word.contains("://") {
                    continue;
                }
                let missing = || Entangled::NotSeen { because: format!("{word} is not among what the copies bring") };
                let path = at.absolute(word).into_known().ok_or_else(missing)?;
                match project.look(&path) {
                    Found::File => found.files.push(path),
                    _ => return Err(missing()),
                }
            }
            let hidden =
                invocation.arguments.iter().any(|word| word.value == Knowledge::Unknown && word.raw.contains(['/', '(', '`']));
            Ok((!hidden).then_some(found))
        }
        _ => Ok(None),
    }
}

/// Where the Gemfile is: named, or in the work folder or above it.
fn gemfile(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<String, Entangled> {
    let not_seen = |because: &str| Entangled::NotSeen { because: because.to_owned() };
    let named = match (invocation.option(&["--gemfile"]), at.non_empty("BUNDLE_GEMFILE")) {
        (Some(value), _) => Some(value.into_known().ok_or_else(|| not_seen("--gemfile is not known"))?),
        (None, Some(value)) => Some(value.into_known().ok_or_else(|| not_seen("BUNDLE_GEMFILE is not known"))?.to_owned()),
        (None, None) if mentions(at.earlier, "gemfile") => return Err(not_seen("bundle config names a Gemfile")),
        (None, None) => None,
    };
    if let Some(name) = named {
        let path = at.absolute(&name).into_known().ok_or_else(|| not_seen("the work folder is not known"))?;
        let is_there = project.look(&path) == Found::File;
        return is_there.then_some(path).ok_or_else(|| not_seen(&format!("{name} is not among what the copies bring")));
    }
    let mut folder = at.workdir.known().map(String::as_str).ok_or_else(|| not_seen("the work folder is not known"))?;
    loop {
        for name in ["gems.rb", "Gemfile"] {
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            if project.look(&path) == Found::File {
                return Ok(path);
            }
        }
        match folder.rsplit_once('/') {
            Some((parent, _)) if !parent.is_empty() => folder = parent,
            _ => return Err(not_seen("no Gemfile is among what the copies bring")),
        }
    }
}

fn install(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Dependencies, Entangled> {
    if let Some(word) = offline::hiding_word(invocation, WITH_VALUE) {
        return Err(Entangled::NotSeen { because: format!("{word} is not known and may name another Gemfile") });
    }
    if invocation.flag(&["--binstubs"]).is_some()
        || invocation.option(&["--binstubs"]).is_some()
        || at.non_empty("BUNDLE_BIN").is_some()
    {
        return Err(Entangled::NeedsSource { because: "programs of gems are written to the project (--binstubs)".to_owned() });
    }
    let path = gemfile(invocation, at, project)?;
    let workdir = at.workdir.known().map_or("/", String::as_str);
    let gemfile = Reader::read(&path, workdir, project)?;
    let root = gemfile.root.clone();
    let mut found = Dependencies { files: gemfile.files.clone(), ..Dependencies::default() };
    let lock = path.strip_suffix("gems.rb").map_or_else(|| format!("{path}.lock"), |folder| format!("{folder}gems.locked"));
    let mut again = gemfile.has_local;
    if project.look(&lock) == Found::File {
        let text = project.text(&lock);
        again |= !is_frozen(invocation, at)
            && !text.known().is_some_and(|text| lockfile::stays(text, &gemfile, at.base.tag().contains("alpine")));
        found.files.push(lock);
    } else {
        found.unpinned = Some("without Gemfile.lock, each install takes the newest versions that fit".to_owned());
    }
    for name in version_files(at) {
        let file = format!("{root}/{name}");
        if project.look(&file) == Found::File {
            found.files.push(file);
        }
    }
    let packed = format!("{root}/vendor/cache");
    if project.look(&packed) == Found::Folder {
        found.folders.push(packed);
    }
    settings(&mut found, invocation, &root, at, project)?;
    if again {
        let command = first_half::text(invocation, &[], &[])?;
        found.part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: false };
    }
    for list in [&mut found.files, &mut found.makes] {
        list.sort();
        list.dedup();
    }
    Ok(found)
}

/// Files by which a version manager chooses the Ruby that runs Bundler.
fn version_files(at: &Surroundings) -> &'static [&'static str] {
    let manages = |command: &Invocation| ["rbenv", "asdf", "mise", "rvm", "chruby"].contains(&command.program.as_str());
    if at.earlier.iter().any(manages) { &[".ruby-version", ".tool-versions"] } else { &[] }
}

/// Whether Bundler was told to leave the lock file alone.
fn is_frozen(invocation: &Invocation, at: &Surroundings) -> bool {
    let configured = at.earlier.iter().filter(|command| subcommand(command) == Some("config")).rev().find_map(|command| {
        let (index, _) = command.known_arguments().find(|(_, word)| matches!(*word, "frozen" | "deployment"))?;
        Some(!is_off(command.argument(index + 1)) && command.flag(&["unset", "--delete"]).is_none())
    });
    invocation.flag(&["--deployment", "--frozen"]).is_some()
        || truthy(at, "BUNDLE_FROZEN")
        || truthy(at, "BUNDLE_DEPLOYMENT")
        || configured.unwrap_or(false)
}

/// The folder of local settings, where it lies in the project. The official images move it.
fn settings_folder(root: &str, at: &Surroundings) -> Option<String> {
    match at.non_empty("BUNDLE_APP_CONFIG") {
        Some(Knowledge::Known(folder)) => {
            absolute(folder, &Knowledge::Known(root.to_owned())).into_known().filter(|path| inside(path, root))
        }
        Some(Knowledge::Unknown) => None,
        None if at.base.repository() == "ruby" => None,
        None => Some(format!("{root}/.bundle")),
    }
}

/// Takes over the settings that are read, the ones that are written, and where the gems go.
fn settings(
    found: &mut Dependencies,
    invocation: &Invocation,
    root: &str,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<(), Entangled> {
    let not_seen = |because: String| Entangled::NotSeen { because };
    let mut configured = None;
    if let Some(folder) = settings_folder(root, at) {
        let file = format!("{folder}/config");
        if project.look(&file) == Found::File {
            let text = project.text(&file).into_known().ok_or_else(|| not_seen(".bundle/config can't be read".to_owned()))?;
            let value =
                |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().trim_matches('"').to_owned()));
            configured = value("BUNDLE_PATH:")
                .or(value("BUNDLE_DEPLOYMENT:").filter(|on| !is_off(on)).map(|_| "vendor/bundle".to_owned()));
            found.files.push(file);
        }
        // Bundler remembers options of an install.
        let remembered = ["--path", "--without", "--with", "--deployment", "--system", "--standalone"];
        if remembered.iter().any(|option| invocation.flag(&[option]).is_some() || invocation.option(&[option]).is_some()) {
            found.makes.push(folder);
        }
    }
    let environment = at.non_empty("BUNDLE_PATH").and_then(Knowledge::into_known).map(str::to_owned);
    let chosen = match chosen_path(invocation, at) {
        Ok(Path::At(path)) => Some(path),
        Ok(Path::System) => configured,
        Err(obstacle) => Some(environment.ok_or_else(|| not_seen(format!("where the gems go is not known: {obstacle}")))?),
    };
    let gems = at.non_empty("GEM_HOME").and_then(Knowledge::into_known).map(str::to_owned);
    for folder in chosen.into_iter().chain(gems) {
        let path = absolute(&folder, &Knowledge::Known(root.to_owned())).into_known().unwrap_or_default();
        if inside(&path, root) {
            found.makes.push(path);
        }
    }
    Ok(())
}

fn inside(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// `bundle config`: without `--global` it goes to the project's settings if there is a Gemfile, else to the user's.
fn config(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Dependencies, Entangled> {
    let mut found = Dependencies::default();
    if invocation.flag(&["--global"]).is_some() {
        return Ok(found);
    }
    let local = invocation.flag(&["--local"]).is_some();
    let Ok(path) = gemfile(invocation, at, project) else {
        if local {
            found.makes.extend(at.workdir.known().and_then(|folder| settings_folder(folder, at)));
        }
        return Ok(found);
    };
    let root = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    // Whether it is there decides; its text does not.
    found.files.push(path);
    if let Some(folder) = settings_folder(&root, at) {
        let file = format!("{folder}/config");
        if project.look(&file) == Found::File {
            found.files.push(file.clone());
            found.rewrites.push(file);
        } else {
            found.makes.push(folder);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    const GEMFILE: (&str, &str) = ("Gemfile", "source 'https://rubygems.org'\ngem 'rake'\n");
    const LOCK: (&str, &str) = ("Gemfile.lock", "PLATFORMS\n  ruby\n\nDEPENDENCIES\n  rake\n\nBUNDLED WITH\n   2.3.1\n");

    fn on(image: &str, line: &str, earlier: &[&str], files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        let command = |line: &str| invocation(&line.split(' ').collect::<Vec<_>>());
        let earlier: Vec<Invocation> = earlier.iter().map(|line| command(line)).collect();
        let asked = command(line);
        let variables = asked.variables.clone();
        let at = Surroundings { earlier: &earlier, variables, ..in_project(image) };
        if asked.is("gem") { of_gem(&asked, &at, &Files::new(files)) } else { of_bundle(&asked, &at, &Files::new(files)) }
    }

    fn ask(line: &str, files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        on("ruby:3.3", line, &[], files)
    }

    fn found(line: &str, files: &[(&str, &str)]) -> Dependencies {
        ask(line, files).unwrap().unwrap()
    }

    fn read(found: &Dependencies) -> String {
        let paths = found.files.iter().chain(&found.folders).map(|path| path.trim_start_matches("/app/").to_owned());
        paths.collect::<Vec<_>>().join(" ")
    }

    fn half(found: &Dependencies) -> Option<&str> {
        match &found.part {
            Part::FirstHalf { command, .. } => Some(command),
            Part::Whole => None,
        }
    }

    #[test]
    fn a_locked_install_goes_first_whole() {
        for line in ["bundle install --jobs 4", "bundle", "bundle check", "bundle _2.4.1_ install"] {
            let whole = found(line, &[GEMFILE, LOCK]);
            assert_eq!(read(&whole), "Gemfile Gemfile.lock", "{line}");
            assert_eq!((half(&whole), &whole.unpinned, whole.makes.len(), whole.rewrites.len()), (None, &None, 0, 0), "{line}");
        }
        let loose = found("bundle install", &[GEMFILE]);
        assert!(loose.unpinned.is_some() && loose.part == Part::Whole);
        assert!(ask("bundle install", &[]).is_err() && ask("bundle install $FLAGS", &[GEMFILE]).is_err());
        assert!(ask("bundle install --binstubs", &[GEMFILE, LOCK]).is_err());
    }

    #[test]
    fn a_lock_file_that_may_be_written_is_written_again_below() {
        let darwin = ("Gemfile.lock", "PLATFORMS\n  arm64-darwin-21\n\nDEPENDENCIES\n  rake\n\nBUNDLED WITH\n   2.3.1\n");
        assert_eq!(half(&found("bundle install --jobs 4", &[GEMFILE, darwin])), Some("bundle install --jobs 4"));
        assert_eq!(half(&found("bundle install --deployment", &[GEMFILE, darwin])), None, "it fails instead");
        let frozen = on("ruby:3.3", "bundle install", &["bundle config set --local frozen true"], &[GEMFILE, darwin]);
        assert_eq!(half(&frozen.unwrap().unwrap()), None);
    }

    #[test]
    fn what_a_gemfile_reads_is_followed() {
        let with = |text: &str, more: &[(&str, &str)]| {
            let gemfile = format!("gem 'rake'\n{text}\n");
            let mut files = vec![("Gemfile", gemfile.as_str()), LOCK];
            files.extend(more);
            on("ruby:3.3", "bundle install --deployment", &[], &files).map(|found| read(&found.unwrap()))
        };
        for (text, file) in [
            ("ruby file: '.ruby-version'", ".ruby-version"),
            ("ruby File.read(File.join(__dir__, '.ruby-version')).strip", ".ruby-version"),
            ("eval_gemfile 'gems/Gemfile.dev'", "gems/Gemfile.dev"),
            ("eval_gemfile(\"#{__dir__}/x\") if File.exist?(\"#{__dir__}/x\")", "x"),
            ("instance_eval File.read('x')", "x"),
            ("require_relative 'lib/helper'", "lib/helper.rb"),
            ("Dir.glob('gems/*/Gemfile').each do |file|\n  eval_gemfile file\nend", "gems/a/Gemfile"),
            ("Dir['gems/*/Gemfile'].each { |file| instance_eval File.read(file) }", "gems/a/Gemfile"),
            ("require 'dotenv'\nDotenv.load", ".env"),
            ("version = JSON.parse(File.read('package.json'))['x']", "package.json"),
        ] {
            let read = with(text, &[(file, "")]).unwrap_or_else(|error| panic!("{text}: {error}"));
            let mut wanted = ["Gemfile", "Gemfile.lock", file];
            wanted.sort();
            assert_eq!(read, wanted.join(" "), "{text}");
        }
        assert_eq!(with("eval_gemfile 'x' if File.exist?('x')", &[]).unwrap(), "Gemfile Gemfile.lock");
        assert_eq!(with("require 'json'\ngem 'a', require: 'b/c'", &[]).unwrap(), "Gemfile Gemfile.lock");
        assert_eq!(
            with("gem 'a', git: 'https://x/y.git'", &[("vendor/cache/a.gem", "")]).unwrap(),
            "Gemfile Gemfile.lock vendor/cache"
        );
        for text in [
            "eval_gemfile path",
            "Dir.glob('engines/**/Gemfile').each { |x| eval_gemfile x }",
            "v = `git describe`",
            "ruby File.read(version_file)",
            "source 'file:///gems'",
            "ruby Pathname.new(__dir__).join('.ruby-version').read",
            "v = open(name).read",
        ] {
            let error = with(text, &[]).unwrap_err();
            assert!(matches!(&error, Entangled::NeedsSource { because } if because.starts_with("Gemfile:2: ")), "{text} {error}");
        }
        assert!(matches!(with("eval_gemfile 'made-earlier'", &[]), Err(Entangled::NotSeen { .. })));
    }

    #[test]
    fn gems_of_the_project_are_installed_again_below() {
        let gemspec = "require_relative 'lib/x/version'\nGem::Specification.new do |s|\n  s.files = `git ls-files -z`.split('x')\n  \
                       s.description = File.read('README.md')\n  s.executables = Dir['exe/*']\nend";
        let files =
            [("Gemfile", "gemspec"), LOCK, ("x.gemspec", gemspec), ("lib/x/version.rb", ""), ("README.md", ""), ("lib/x.rb", "")];
        let gem = found("bundle install", &files);
        assert_eq!(read(&gem), "Gemfile Gemfile.lock README.md lib/x/version.rb x.gemspec");
        assert_eq!(half(&gem), Some("bundle install"));
        let loaded = "$:.push File.expand_path('lib', __dir__)\nrequire 'x/version'\nrequire 'json'";
        let files = [
            ("Gemfile", "gem 'a', path: 'engines/a'"),
            LOCK,
            ("engines/a/a.gemspec", loaded),
            ("engines/a/lib/x/version.rb", ""),
        ];
        assert_eq!(read(&found("bundle install", &files)), "Gemfile Gemfile.lock engines/a/a.gemspec engines/a/lib/x/version.rb");
        let computed = [("Gemfile", "path dir do\n  gem 'a'\nend"), LOCK];
        assert!(matches!(ask("bundle install", &computed), Err(Entangled::NeedsSource { .. })));
        let reading = [("Gemfile", "gemspec"), LOCK, ("x.gemspec", "s.version = File.read(path)")];
        assert!(matches!(ask("bundle install", &reading), Err(Entangled::NeedsSource { .. })));
        assert!(matches!(ask("bundle install", &[("Gemfile", "gem 'a', path: 'gone'"), LOCK]), Err(Entangled::NotSeen { .. })));
    }

    #[test]
    fn folders_that_are_filled_and_settings() {
        let makes = |image: &str, line: &str, earlier: &[&str]| {
            on(image, line, earlier, &[GEMFILE, LOCK]).unwrap().unwrap().makes.join(" ")
        };
        assert_eq!(makes("ruby:3.3", "bundle install --path vendor/bundle", &[]), "/app/vendor/bundle");
        assert_eq!(makes("debian:12", "bundle install --path vendor/bundle", &[]), "/app/.bundle /app/vendor/bundle");
        assert_eq!(makes("ruby:3.3", "bundle install", &["bundle config set --local deployment true"]), "/app/vendor/bundle");
        assert_eq!(makes("debian:12", "BUNDLE_PATH=/gems bundle install", &[]), "");
        assert_eq!(makes("debian:12", "GEM_HOME=/app/.gems bundle install", &[]), "/app/.gems");
        let tracked = [GEMFILE, LOCK, (".bundle/config", "---\nBUNDLE_PATH: \"vendor/gems\"\n")];
        let configured = on("debian:12", "bundle install", &[], &tracked).unwrap().unwrap();
        assert_eq!(
            (read(&configured).as_str(), configured.makes),
            (".bundle/config Gemfile Gemfile.lock", vec!["/app/vendor/gems".to_owned()])
        );
        assert_eq!(read(&on("ruby:3.3", "bundle install", &[], &tracked).unwrap().unwrap()), "Gemfile Gemfile.lock");
        let rewrites = on("debian:12", "bundle config set --local path x", &[], &tracked).unwrap().unwrap().rewrites;
        assert_eq!(rewrites, ["/app/.bundle/config"]);
    }

    #[test]
    fn an_unscoped_setting_needs_the_gemfile_to_be_there() {
        assert_eq!(read(&found("bundle config set without test", &[GEMFILE])), "Gemfile");
        assert_eq!(found("bundle config set without test", &[]), Dependencies::default());
        assert_eq!(found("bundle config --global frozen 1", &[GEMFILE]), Dependencies::default());
    }

    #[test]
    fn other_commands_read_nothing_or_anything() {
        for line in ["gem install bundler -v 2.4", "gem install rails", "bundle --version", "gem cleanup", "gem --version"] {
            assert_eq!(ask(line, &[GEMFILE, LOCK]), Ok(Some(Dependencies::default())), "{line}");
        }
        for line in [
            "bundle exec rake",
            "gem build x.gemspec",
            "gem install -g Gemfile",
            "bundle update",
            "bundle binstubs x",
            "bundle $DO",
        ] {
            assert_eq!(ask(line, &[GEMFILE, LOCK]), Ok(None), "{line}");
        }
        assert!(found("gem update --system", &[]).unpinned.is_some());
        assert_eq!(read(&found("gem install pkg/x.gem", &[("pkg/x.gem", "")])), "pkg/x.gem");
        assert!(ask("gem install pkg/x.gem", &[]).is_err());
    }
}
