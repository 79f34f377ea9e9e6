//! What a Gemfile reads: other gemfiles, Ruby files, gems that lie in the project, version files.
//!
//! Knows: which of Bundler's words and Ruby's read files, and follows those whose path is made of literals. Everything else in a
//! Gemfile (gems, groups, conditions on ENV) reads nothing.
//!
//! Refused, with the line: a path that is computed, a program that is run, a folder that is looked into.
//! A gemspec's lists of files and programs are not followed: a gem of the project is installed again in the second half.
//!
//! From: Bundler's manual (gemfile(5)) and its `Dsl`, `Source::Path`, `load_gemspec`; Bundler 2.3 on an engine.

use super::ruby::{self, Line};
use crate::ecosystems::{Entangled, Found, Project, wildcard};

/// Reads a Gemfile and what it names.
pub(super) struct Reader<'a> {
    /// The files around it.
    pub(super) project: &'a dyn Project,
    /// The folder in which the command runs.
    pub(super) workdir: &'a str,
    /// The folder of the Gemfile, from which paths of gems start.
    pub(super) root: String,
    /// What is read.
    pub(super) files: Vec<String>,
    /// Some gem lies in the project.
    pub(super) has_local: bool,
    /// The gems that it names, with their versions, if they are written as they are in a lock file.
    pub(super) gems: Vec<(String, Vec<String>)>,
    /// Gems that hang on a condition.
    pub(super) maybe: Vec<String>,
    /// Gems are named that can't be told.
    pub(super) has_computed: bool,
    /// It says which Ruby it is for.
    pub(super) names_ruby: bool,
    optional: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gemfile,
    Gemspec,
    Ruby,
}

/// Blocks whose gems are always in the lock file.
const GROUPING: &[&str] = &["group", "groups", "platforms", "platform", "source", "git", "github", "path", "install_if", "gist"];

impl<'a> Reader<'a> {
    /// Reads the Gemfile at `path`.
    pub(super) fn read(path: &str, workdir: &'a str, project: &'a dyn Project) -> Result<Self, Entangled> {
        let root = folder_of(path).to_owned();
        let mut reader = Self {
            project,
            workdir,
            root,
            files: Vec::new(),
            has_local: false,
            gems: Vec::new(),
            maybe: Vec::new(),
            has_computed: false,
            names_ruby: false,
            optional: Vec::new(),
        };
        reader.follow(path, Kind::Gemfile)?;
        Ok(reader)
    }

    fn follow(&mut self, path: &str, kind: Kind) -> Result<(), Entangled> {
        if self.files.iter().any(|file| file == path) {
            return Ok(());
        }
        let name = self.short(path);
        match self.project.look(path) {
            Found::File => {}
            Found::Nothing if self.optional.iter().any(|optional| optional == path) => return Ok(()),
            _ => return Err(Entangled::NotSeen { because: format!("{name} is not among what the copies bring") }),
        }
        self.files.push(path.to_owned());
        let text = self.project.text(path).into_known();
        let text = text.ok_or_else(|| Entangled::NotSeen { because: format!("{name} can't be read") })?;
        let mut blocks: Vec<(bool, Option<String>)> = Vec::new();
        for line in ruby::lines(&text) {
            let first = line.code.trim_start().split([' ', '(', '{']).next().unwrap_or_default().to_owned();
            let parameter = line.code.rsplit_once('|').and_then(|(head, _)| Some(head.rsplit_once('|')?.1.trim().to_owned()));
            let opens = matches!(first.as_str(), "if" | "unless" | "case" | "def" | "begin" | "while" | "module" | "class")
                || ruby::find_word(&line.code, "do").is_some();
            if first == "end" || first.starts_with("end.") {
                blocks.pop();
                continue;
            }
            let globbed: Vec<&str> = blocks.iter().filter_map(|(_, name)| name.as_deref()).collect();
            let mut globbed: Vec<String> = globbed.into_iter().map(str::to_owned).collect();
            let globs = kind != Kind::Gemspec && (line.code.contains("Dir[") || line.code.contains("Dir.glob"));
            globbed.extend(parameter.clone().filter(|_| globs));
            let conditional = blocks.iter().any(|(conditional, _)| *conditional)
                || [" if ", " unless "].iter().any(|word| line.code.contains(word))
                || line.code.contains(" ? ");
            self.line(path, kind, &line, conditional, &globbed)?;
            if opens && !line.code.trim_end().ends_with(" end") {
                blocks.push((!GROUPING.contains(&first.as_str()), parameter.filter(|_| globs)));
            }
        }
        Ok(())
    }

    fn line(&mut self, file: &str, kind: Kind, line: &Line, conditional: bool, globbed: &[String]) -> Result<(), Entangled> {
        let place = format!("{}:{}", self.short(file), line.number);
        let needs = |what: &str| Err(Entangled::NeedsSource { because: format!("{place}: {what}") });
        let code = line.code.as_str();
        let runs = code.contains('`') && !(kind == Kind::Gemspec && line.text.contains("git ls-files"));
        if runs
            || code.contains("%x")
            || ["system", "exec", "popen", "Open3", "spawn"].iter().any(|word| ruby::find_word(code, word).is_some())
        {
            return needs("a program is run, which may read the project");
        }
        self.reads(file, kind, line, &place, globbed)?;
        for word in ["eval_gemfile", "require_relative", "require", "load", "instance_eval", "eval"] {
            if let Some(at) = ruby::find_word(code, word) {
                let rest = line.text.get(at + word.len()..).unwrap_or_default();
                if rest.trim_start().is_empty() && kind == Kind::Ruby {
                    continue;
                }
                return self.call(file, kind, word, rest, &place, globbed);
            }
        }
        if kind == Kind::Gemfile { self.bundlers_own(file, line, &place, conditional) } else { Ok(()) }
    }

    /// A call that reads code.
    fn call(&mut self, file: &str, kind: Kind, word: &str, rest: &str, place: &str, globbed: &[String]) -> Result<(), Entangled> {
        let argument = ruby::argument(rest);
        // What is evaluated is mostly what is read right there.
        let argument =
            ["File.read", "IO.read", "File.open"].iter().find_map(|read| Some(ruby::argument(argument.split_once(read)?.1)));
        let argument = argument.unwrap_or_else(|| ruby::argument(rest)).trim();
        if globbed.iter().any(|name| name == argument) {
            return Ok(());
        }
        let folder = folder_of(file);
        let from =
            if matches!(word, "eval_gemfile" | "require_relative") || kind == Kind::Gemspec { folder } else { self.workdir };
        let Some(mut path) = ruby::path(argument, file, from) else {
            return Err(Entangled::NeedsSource { because: format!("{place}: what {word} reads is computed") });
        };
        if word == "require" && !argument.contains(['.', '(', '+']) {
            // A library, unless it lies in lib/ of the gem that is described.
            let name = ruby::strings(argument).pop().unwrap_or_default();
            let own = format!("{}/lib/{}.rb", gem_root(file), name.trim_end_matches(".rb"));
            return if kind != Kind::Gemfile && self.project.look(&own) == Found::File {
                self.follow(&own, Kind::Ruby)
            } else {
                Ok(())
            };
        }
        if word.starts_with("require") && !path.ends_with(".rb") {
            path.push_str(".rb");
        }
        let next = if matches!(word, "eval_gemfile" | "instance_eval" | "eval") { Kind::Gemfile } else { Kind::Ruby };
        self.follow(&path, next)
    }

    /// Files that are read as text, or looked for.
    fn reads(&mut self, file: &str, kind: Kind, line: &Line, place: &str, globbed: &[String]) -> Result<(), Entangled> {
        let needs = |what: &str| Entangled::NeedsSource { because: format!("{place}: {what}") };
        let from = if kind == Kind::Gemspec { folder_of(file).to_owned() } else { self.workdir.to_owned() };
        let path_behind = |at: usize| ruby::path(ruby::argument(line.text.get(at..).unwrap_or_default()), file, &from);
        let is_globbed =
            |at: usize| globbed.iter().any(|name| name == ruby::argument(line.text.get(at..).unwrap_or_default()).trim());
        for call in ["exist?", "exists?", "file?", "readable?", "directory?"] {
            for (at, _) in line.code.match_indices(call).filter(|(at, _)| kind == Kind::Gemfile && !is_globbed(at + call.len())) {
                let path = path_behind(at + call.len()).ok_or_else(|| needs("what is looked for is computed"))?;
                match self.project.look(&path) {
                    Found::File => self.files.push(path),
                    Found::Folder => return Err(needs("a folder of the project is looked for")),
                    Found::Nothing | Found::Unknown => self.optional.push(path),
                }
            }
        }
        for call in [
            "File.read",
            "File.open",
            "File.readlines",
            "File.foreach",
            "IO.read",
            "IO.readlines",
            "File.binread",
            "load_file",
            "read_file",
        ] {
            for (at, _) in line.code.match_indices(call) {
                let after = line.code.get(at + call.len()..).unwrap_or_default();
                if after.starts_with(|c: char| c.is_alphanumeric() || "_?".contains(c)) || is_globbed(at + call.len()) {
                    continue;
                }
                let path = path_behind(at + call.len()).ok_or_else(|| needs("the file that is read is computed"))?;
                self.take(&path, place)?;
            }
        }
        if let Some(at) = ruby::find_word(&line.code, "open").map(|at| at + "open".len()) {
            let path = path_behind(at).ok_or_else(|| needs("the file that is read is computed"))?;
            self.take(&path, place)?;
        }
        if line.code.contains("Pathname") && [".read", ".glob", ".children"].iter().any(|call| line.code.contains(call)) {
            return Err(needs("what is read of the project is computed"));
        }
        if line.code.contains("Dotenv.") {
            let variables = format!("{}/.env", self.root);
            if self.project.look(&variables) == Found::File {
                self.files.push(variables);
            }
        }
        if kind != Kind::Gemspec {
            self.globs(line, file, &from, place)?;
        }
        Ok(())
    }

    fn globs(&mut self, line: &Line, file: &str, from: &str, place: &str) -> Result<(), Entangled> {
        let needs = |what: &str| Entangled::NeedsSource { because: format!("{place}: {what}") };
        for call in ["Dir[", "Dir.glob", "Dir.children", "Dir.entries", "Dir.each_child"] {
            let Some(at) = line.code.find(call) else { continue };
            let behind = line.text.get(at + call.len()..).unwrap_or_default();
            let pattern =
                ruby::path(ruby::argument(behind), file, from).filter(|path| !path.contains("**") && !path.contains('{'));
            let pattern = pattern.filter(|_| call.starts_with("Dir[") || call == "Dir.glob");
            let pattern = pattern.ok_or_else(|| needs("folders of the project are looked into"))?;
            for path in wildcard::expand(&pattern, self.project) {
                if self.project.look(&path) == Found::Folder {
                    return Err(needs("folders of the project are looked into"));
                }
                self.follow(&path, Kind::Gemfile)?;
            }
        }
        Ok(())
    }

    /// What Bundler's own words read: `gem … path:`, `gemspec`, `ruby file:`.
    fn bundlers_own(&mut self, file: &str, line: &Line, place: &str, conditional: bool) -> Result<(), Entangled> {
        let needs = |what: &str| Entangled::NeedsSource { because: format!("{place}: {what}") };
        let first = line.code.trim_start().split([' ', '(']).next().unwrap_or_default();
        let behind = line.text.trim_start().get(first.len()..).unwrap_or_default();
        match first {
            "gem" => self.gem(line, behind, conditional),
            "ruby" => {
                self.names_ruby = true;
                if let Some(value) = ruby::option(line, "file") {
                    let root = self.root.clone();
                    let path = ruby::path(value, file, &root).ok_or_else(|| needs("the file that is read is computed"))?;
                    self.take(&path, place)?;
                }
            }
            "gemspec" => {
                let folder = ruby::option(line, "path").unwrap_or("\".\"");
                let folder = ruby::path(folder, file, &self.root).ok_or_else(|| needs("the folder of the gem is computed"))?;
                self.has_computed = true;
                return self.local_gem(&folder, place);
            }
            "source" => {
                let address = ruby::strings(ruby::argument(behind)).pop().unwrap_or_default();
                if address.starts_with(['/', '.']) || address.starts_with("file:") {
                    return Err(needs("gems come from a folder"));
                }
            }
            "plugin" => return Err(needs("a plugin of Bundler is put into the project, beside what is copied")),
            "path" => return self.path_gem(ruby::argument(behind), file, place),
            _ => {}
        }
        if let Some(address) = ruby::option(line, "git").and_then(|value| ruby::strings(value).pop())
            && (address.starts_with(['/', '.']) || address.starts_with("file:"))
        {
            return Err(needs("a gem comes from a folder"));
        }
        match ruby::option(line, "path") {
            Some(_) if ruby::option(line, "glob").is_some() => Err(needs("a gem is looked for by a pattern of its own")),
            Some(value) => self.path_gem(value, file, place),
            None => Ok(()),
        }
    }

    fn gem(&mut self, line: &Line, behind: &str, conditional: bool) {
        let Some(name) = ruby::strings(ruby::argument(behind)).pop().filter(|name| !name.contains("#{")) else {
            self.has_computed = true;
            return;
        };
        if conditional {
            self.maybe.push(name);
            return;
        }
        // The strings right behind the name are versions, up to the first option.
        let arguments = behind.trim_start().trim_start_matches('(');
        let plain = arguments.split([':', '=']).next().unwrap_or_default().matches(',').count();
        let versions = ruby::strings(arguments)
            .into_iter()
            .skip(1)
            .take_while(|text| text.trim_start().starts_with(|c: char| c.is_ascii_digit() || "~<>=!".contains(c)));
        let mut versions: Vec<String> = versions.collect();
        if plain == 0 {
            versions.clear();
        }
        let remote = !["path", "git", "github", "source", "gist"].iter().any(|key| ruby::option(line, key).is_some());
        if remote {
            self.gems.push((name, versions));
        } else {
            self.maybe.push(name);
        }
    }

    fn path_gem(&mut self, value: &str, file: &str, place: &str) -> Result<(), Entangled> {
        let root = self.root.clone();
        let Some(folder) = ruby::path(value, file, &root) else {
            return Err(Entangled::NeedsSource { because: format!("{place}: the folder of a gem is computed") });
        };
        self.local_gem(&folder, place)
    }

    /// A gem in the project: its gemspec, and what that reads.
    fn local_gem(&mut self, folder: &str, place: &str) -> Result<(), Entangled> {
        self.has_local = true;
        let patterns = ["", "/*", "/*/*"].map(|part| format!("{folder}{part}/*.gemspec"));
        let found: Vec<String> = patterns.iter().flat_map(|pattern| wildcard::expand(pattern, self.project)).collect();
        if found.is_empty() {
            let because = format!("{place}: no copy brings the gemspec in {}", self.short(folder));
            return Err(Entangled::NotSeen { because });
        }
        found.iter().try_for_each(|path| self.follow(path, Kind::Gemspec))
    }

    fn take(&mut self, path: &str, place: &str) -> Result<(), Entangled> {
        match self.project.look(path) {
            Found::File => self.files.push(path.to_owned()),
            Found::Nothing if self.optional.iter().any(|optional| optional == path) => {}
            _ => {
                let because = format!("{place}: {} is not among what the copies bring", self.short(path));
                return Err(Entangled::NotSeen { because });
            }
        }
        Ok(())
    }

    /// A path as seen from the Gemfile.
    fn short(&self, path: &str) -> String {
        path.strip_prefix(&self.root).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path).to_owned()
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder of the gem that a Ruby file belongs to: what is above its `lib`.
fn gem_root(file: &str) -> &str {
    file.split_once("/lib/").map_or_else(|| folder_of(file), |(root, _)| root)
}
