//! What `mix` tasks read of a project before they fetch or compile dependencies.
//!
//! Owns: `mix.exs` with the projects that it takes by path or as an umbrella, the lock file, and the compile-time configuration.
//! Never does: run or understand Elixir; these files are code, so a call in them that reads something else is refused.
//!
//! Mix loads `config/config.exs` before each task. What `deps.get` fetches does not hang on it; dependencies are compiled with it
//! in force, and `deps.compile` also compiles those that are taken by path. `config/runtime.exs` is read by neither.
//!
//! A lock file that knows every dependency that `mix.exs` names is taken for one that `deps.get` leaves as it is.
//!
//! Sources: Mix's documentation (`deps`, `deps.get`, `deps.compile`, `do`, `loadconfig`, umbrella projects, `MIX_DEPS_PATH`).

use crate::ecosystems::gathered::{Gathered, join, not_seen, parent};
use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, first_half};
use crate::knowledge::Knowledge;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Calls that read files or ask other programs.
#[rustfmt::skip] // A paragraph, not a column.
const READING: &[&str] = &[
    "File.stream!(", "File.ls", "File.open", "File.stat", "File.dir?(", "File.regular?(", "Path.wildcard(",
    "Code.eval_file(", "Code.compile_file(", "System.cmd(", "System.shell(", ":os.cmd(", ":file.",
];

/// Calls whose one argument names a file that can be brought along.
const NAMING: &[&str] = &["File.read!(", "File.read(", "File.exists?(", "Code.require_file(", "Code.load_file("];

/// What one task of a command is to us.
enum Task {
    /// It works on Mix's own home; the text says what is newest.
    Home(Option<&'static str>),
    Get,
    Compile,
    Other,
}

pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let Some(tasks) = tasks(invocation) else { return Ok(None) };
    let kinds: Vec<Task> = tasks.iter().map(|words| kind(words)).collect();
    let known = kinds.iter().take_while(|kind| !matches!(kind, Task::Other)).count();
    let newest = kinds.iter().take(known).find_map(|kind| match kind {
        Task::Home(newest) => *newest,
        _ => None,
    });
    let gets = kinds.iter().take(known).any(|kind| matches!(kind, Task::Get));
    let compiles = kinds.iter().take(known).any(|kind| matches!(kind, Task::Compile));
    let unpinned = newest.map(str::to_owned);
    if !gets && !compiles {
        return Ok((known == tasks.len()).then(|| Dependencies { unpinned, ..Dependencies::default() }));
    }
    let part = if known == tasks.len() {
        Part::Whole
    } else if first_half::is_plain(invocation) {
        let rest = tasks.iter().take(known).map(|words| again(words, invocation, at)).collect::<Result<Vec<_>, _>>()?;
        let command = first_half::program(invocation, |_| true)?;
        let command =
            if rest.len() == 1 { format!("{command} {}", rest.concat()) } else { format!("{command} do {}", rest.join(", ")) };
        Part::FirstHalf { command, rest: Vec::new(), only_fetches: !compiles }
    } else {
        return Ok(None);
    };
    let Some(folder) = at.workdir.known() else {
        return Err(not_seen("the folder in which mix runs is not known"));
    };
    let reading = Reading { invocation, at, folder, gathered: Gathered::new(project, folder), named: BTreeSet::new() };
    reading.answer(part, gets, compiles, unpinned).map(Some)
}

/// The tasks of a command: `mix do a, b` and `mix do a + b` name several. `None` where a word that is not known may be one.
fn tasks(invocation: &Invocation) -> Option<Vec<Vec<&str>>> {
    let mut words =
        invocation.arguments.iter().map(|argument| argument.value.known().map_or(argument.raw.as_str(), String::as_str));
    let first = words.next()?;
    if first.contains('$') {
        return None;
    }
    if first != "do" {
        return Some(vec![std::iter::once(first).chain(words).collect()]);
    }
    let mut tasks = vec![Vec::new()];
    for word in words {
        let bare = word.trim_end_matches(',');
        if let Some(task) = tasks.last_mut().filter(|_| !bare.is_empty() && bare != "+") {
            task.push(bare);
        }
        if word.ends_with(',') || word == "+" {
            tasks.push(Vec::new());
        }
    }
    tasks.retain(|task| !task.is_empty());
    Some(tasks)
}

fn kind(words: &[&str]) -> Task {
    let (name, rest) = words.split_first().map_or(("", words), |(name, rest)| (*name, rest));
    match name {
        "local.hex" | "local.rebar" if rest.iter().all(|word| word.starts_with('-')) => {
            Task::Home(Some("mix fetches the newest Hex or Rebar"))
        }
        "local.hex" | "local.rebar" | "local" | "help" | "hex.config" | "hex.organization" | "hex.repo" | "hex.info"
        | "--version" => Task::Home(None),
        "archive.install" | "escript.install" if rest.first() == Some(&"hex") => {
            let pinned = rest.iter().filter(|word| !word.starts_with('-')).count() > 2;
            Task::Home((!pinned).then_some("mix installs the newest release"))
        }
        "deps.get" => Task::Get,
        "deps.compile" => Task::Compile,
        _ => Task::Other,
    }
}

/// The words of a task for another RUN.
fn again(words: &[&str], invocation: &Invocation, at: &Surroundings) -> Result<String, Entangled> {
    let mut written = Vec::new();
    for word in words {
        let unknown =
            invocation.arguments.iter().find(|one| one.value == Knowledge::Unknown && one.raw.trim_end_matches(',') == *word);
        written.push(match unknown {
            Some(argument) => first_half::word(argument, at)?.trim_end_matches(',').to_owned(),
            None => first_half::quoted(word),
        });
    }
    Ok(written.join(" "))
}

struct Reading<'a> {
    invocation: &'a Invocation,
    at: &'a Surroundings<'a>,
    folder: &'a str,
    gathered: Gathered<'a>,
    /// Packages that some `mix.exs` names.
    named: BTreeSet<String>,
}

impl Reading<'_> {
    fn answer(mut self, part: Part, gets: bool, compiles: bool, unpinned: Option<String>) -> Result<Dependencies, Entangled> {
        if self.variable("MIX_EXS").is_some() {
            return Err(not_seen("the file that MIX_EXS names"));
        }
        let manifest = join(self.folder, "mix.exs");
        let text = self.project(&manifest, compiles)?;
        let lock = join(self.folder, &setting(&text, "lockfile").unwrap_or_else(|| "mix.lock".to_owned()));
        let is_locked = self.gathered.take(&lock);
        let mut rewrites = Vec::new();
        if is_locked && gets {
            let locked = self.gathered.read(&lock, "")?;
            let knows_all = self.named.iter().all(|name| locked.contains(&format!("\"{name}\":")));
            let checks = self.invocation.flag(&["--check-locked"]).is_some();
            if !knows_all && !checks {
                rewrites.push(lock);
            }
        }
        if compiles {
            self.configuration(&text)?;
        }
        let makes = vec![
            self.moved("MIX_DEPS_PATH", setting(&text, "deps_path"), "deps")?,
            self.moved("MIX_BUILD_ROOT", setting(&text, "build_path"), "_build")?,
        ];
        let unpinned = unpinned.or_else(|| (!is_locked).then(|| "there is no mix.lock".to_owned()));
        Ok(Dependencies { makes, rewrites, unpinned, ..self.gathered.finish(part) })
    }

    /// A project's `mix.exs`, with the projects that it takes by path.
    fn project(&mut self, manifest: &str, compiles: bool) -> Result<Arc<str>, Entangled> {
        let text = self.gathered.read(manifest, "")?;
        let shown = self.gathered.shown(manifest).to_owned();
        for alias in ["\"deps.get\":", "\"deps.compile\":", "\"deps.precompile\":"] {
            if let Some(line) = line_of(&text, alias) {
                return Err(Entangled::NeedsSource { because: format!("{shown}:{line}: an alias changes what {alias} does") });
            }
        }
        self.code(manifest, &text)?;
        // What another project needs for its own tests is not fetched here.
        let is_own = manifest == join(self.folder, "mix.exs") || manifest.contains("/apps/");
        self.named.extend(named(&text).into_iter().filter(|(_, line)| is_own || !line.contains("only:")).map(|(name, _)| name));
        if let Some(apps) = setting(&text, "apps_path") {
            let apps = join(parent(manifest), &apps);
            for name in self.gathered.project.names(&apps) {
                let app = join(&join(&apps, &name), "mix.exs");
                if self.gathered.project.look(&app) == Found::File {
                    self.project(&app, compiles)?;
                }
            }
        }
        for (index, line) in code_lines(&text) {
            let Some(path) = value_of(line, "path") else { continue };
            let Some(path) = path else {
                self.refuse_unless_unset(&text, index, &shown)?;
                continue;
            };
            let folder = join(parent(manifest), path);
            let inner = join(&folder, "mix.exs");
            match self.gathered.project.look(&inner) {
                Found::File if inner != manifest => {
                    self.project(&inner, compiles)?;
                    if compiles {
                        self.gathered.take_folder(&folder);
                    }
                }
                Found::Unknown if line.contains("{:") => {
                    return Err(not_seen(format!("{shown}:{index} takes {path}, which no copy brings")));
                }
                _ => {}
            }
        }
        Ok(text)
    }

    /// A path that is computed: harmless where it comes from a variable that is not set.
    fn refuse_unless_unset(&self, text: &str, line: usize, shown: &str) -> Result<(), Entangled> {
        let near = text.lines().take(line).skip(line.saturating_sub(3)).collect::<String>();
        let asked = near.split("System.get_env(\"").nth(1).and_then(|rest| rest.split('"').next());
        match asked {
            Some(name) if self.variable(name).is_none() => Ok(()),
            _ => Err(not_seen(format!("{shown}:{line}: the path of this dependency is not known"))),
        }
    }

    /// Files that the code reads by name come along; any other look at the project is refused.
    fn code(&mut self, path: &str, text: &str) -> Result<(), Entangled> {
        for (index, line) in reached_lines(text) {
            let refuse = |call: &str, shown: &str| {
                let call = call.trim_end_matches('(');
                Err(Entangled::NeedsSource { because: format!("{shown}:{index}: {call} may read anything in the project") })
            };
            if let Some(call) = READING.iter().find(|call| line.contains(**call)) {
                return refuse(call, self.gathered.shown(path));
            }
            for call in NAMING {
                let Some((_, argument)) = line.split_once(call) else { continue };
                let literal = argument.strip_prefix('"').and_then(|rest| rest.split_once('"'));
                let Some((name, _)) = literal.filter(|(name, _)| !name.contains("#{")) else {
                    return refuse(call, self.gathered.shown(path));
                };
                // A file that another folder's code names is seen from where Mix runs.
                self.gathered.take(&join(self.folder, name));
            }
        }
        Ok(())
    }

    /// The configuration that dependencies are compiled with.
    fn configuration(&mut self, text: &str) -> Result<(), Entangled> {
        let path = setting(text, "config_path").unwrap_or_else(|| "config/config.exs".to_owned());
        let mut waiting = vec![join(self.folder, &path)];
        let mut seen = BTreeSet::new();
        while let Some(path) = waiting.pop() {
            if !seen.insert(path.clone()) || self.gathered.project.look(&path) != Found::File {
                continue;
            }
            let config = self.gathered.read(&path, "dependencies are compiled with it")?;
            self.code(&path, &config)?;
            for (_, line) in code_lines(&config).filter(|(_, line)| line.contains("import_config")) {
                let literal = line.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"')).map(|(name, _)| name.to_owned());
                let resolved = literal.and_then(|name| self.environment(&name)).filter(|name| !name.contains(['*', '#']));
                match resolved {
                    Some(name) => waiting.push(join(parent(&path), &name)),
                    // Which one is not known: all of them.
                    None => drop(self.gathered.take_folder(parent(&path))),
                }
            }
        }
        Ok(())
    }

    /// A file's name with Mix's environment put in.
    fn environment(&self, name: &str) -> Option<String> {
        if !name.contains("#{") {
            return Some(name.to_owned());
        }
        let environment = match self.variable("MIX_ENV") {
            None => "dev".to_owned(),
            Some(value) => value.into_known()?,
        };
        let spellings = ["#{config_env()}", "#{Mix.env()}", "#{Mix.env}", "#{config_env}"];
        Some(spellings.iter().fold(name.to_owned(), |name, spelling| name.replace(spelling, &environment)))
    }

    fn moved(&self, variable: &str, setting: Option<String>, usual: &str) -> Result<String, Entangled> {
        match self.variable(variable) {
            Some(Knowledge::Known(path)) if !path.is_empty() => Ok(join(self.folder, &path)),
            Some(Knowledge::Unknown) => Err(not_seen(format!("the value of {variable} is not known"))),
            _ => Ok(join(self.folder, &setting.unwrap_or_else(|| usual.to_owned()))),
        }
    }

    fn variable(&self, name: &str) -> Option<Knowledge<String>> {
        let own = self.invocation.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        own.or_else(|| self.at.variable(name).cloned())
    }
}

/// Lines of code with their numbers, without comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| {
        let is_comment = line.trim_start().starts_with('#');
        (index + 1, if is_comment { "" } else { line })
    })
}

/// Lines that run when the file is loaded. A function that is only handed on (`&name/1`, as aliases and release steps are) runs
/// in tasks of its own.
fn reached_lines(text: &str) -> Vec<(usize, &str)> {
    let mut blocks: Vec<(&str, Vec<(usize, &str)>)> = vec![("", Vec::new())];
    for (index, line) in code_lines(text) {
        let head = line.trim_start();
        if let Some(rest) = head.strip_prefix("defp ").or_else(|| head.strip_prefix("def ")) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"_?!".contains(c)).unwrap_or(rest.len());
            blocks.push((rest.get(..end).unwrap_or_default(), Vec::new()));
        }
        if let Some((_, lines)) = blocks.last_mut() {
            lines.push((index, line));
        }
    }
    let mut reached: BTreeSet<&str> = ["", "project", "application", "cli"].into();
    loop {
        let calls = |name: &str| {
            let bodies = blocks.iter().filter(|(block, _)| reached.contains(block)).flat_map(|(_, lines)| lines);
            bodies.into_iter().any(|(_, line)| calls(line, name))
        };
        let more: Vec<&str> =
            blocks.iter().map(|(name, _)| *name).filter(|name| !reached.contains(name) && calls(name)).collect();
        if more.is_empty() {
            break;
        }
        reached.extend(more);
    }
    blocks.into_iter().filter(|(name, _)| reached.contains(name)).flat_map(|(_, lines)| lines).collect()
}

/// Whether a line calls a function by its name.
fn calls(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(start, _)| {
        let before = line.get(..start).and_then(|before| before.chars().next_back());
        let after = line.get(start + name.len()..).and_then(|after| after.chars().next());
        let is_part = |c: char| c.is_alphanumeric() || "_?!".contains(c);
        !before.is_some_and(|c| is_part(c) || ":&\".\"".contains(c)) && !after.is_some_and(|c| is_part(c) || c == ':' || c == '/')
    })
}

/// The packages of `{:name, …` and `{ :name, …`.
fn named(text: &str) -> Vec<(String, &str)> {
    let mut names = Vec::new();
    for (_, line) in code_lines(text) {
        let Some((_, rest)) = line.split_once("{:").or_else(|| line.split_once("{ :")) else { continue };
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let details = rest.get(name.len()..).unwrap_or_default().trim_start_matches(',').trim_start();
        let by_path = details.contains("path:") || details.contains("in_umbrella:");
        let has_version =
            details.strip_prefix('"').is_some_and(|version| version.starts_with(|c: char| "~><=! 0123456789".contains(c)));
        let is_package = has_version || details.starts_with("git:") || details.starts_with("github:");
        if is_package && !by_path {
            names.push((name, line));
        }
    }
    names
}

/// What stands behind `key:` in a line: a literal, or something else (`Some(None)`).
fn value_of<'l>(line: &'l str, key: &str) -> Option<Option<&'l str>> {
    let start = line.match_indices(key).map(|(start, _)| start).find(|start| {
        let before = line.get(..*start).and_then(|before| before.chars().next_back());
        let after = line.get(start + key.len()..).unwrap_or_default();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '"') && after.starts_with(": ")
    })?;
    let rest = line.get(start + key.len() + 2..)?.trim_start();
    Some(rest.strip_prefix('"').and_then(|rest| rest.split('"').next()).filter(|path| !path.contains("#{")))
}

/// A setting of the project with a literal value.
fn setting(text: &str, key: &str) -> Option<String> {
    code_lines(text).find_map(|(_, line)| value_of(line, key).flatten().map(str::to_owned))
}

fn line_of(text: &str, part: &str) -> Option<usize> {
    code_lines(text).find(|(_, line)| line.contains(part)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use crate::ecosystems::mix::Mix;
    use crate::ecosystems::testing::{Files, in_project, invocation};
    use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Part};
    use crate::knowledge::Knowledge;

    const EXS: &str = "defp deps do\n[\n{:jason, \"~> 1.0\"},\n{:no_warn, \"a.plt\"},\n{:forum, path: \"./forum\"},\n# {:x, \"1\"}\n]\nend\n\
        defp local do\nif path = System.get_env(\"P\") do\n{:y, path: path}\nend\nFile.mkdir_p!(\"cover\")\n";
    const LOCK: &str = "%{\n\"jason\": {:hex, :jason},\n}\n";
    const CONFIG: &str = "import Config\nimport_config \"#{config_env()}.exs\"\n";

    fn ask(line: &str, files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        let mut at = in_project("hexpm/elixir");
        at.variables.push(("MIX_ENV".to_owned(), Knowledge::Known("prod".to_owned())));
        Mix.dependencies(&invocation(&line.split(' ').collect::<Vec<_>>()), &at, &Files::new(files))
    }

    fn files() -> Vec<(&'static str, &'static str)> {
        vec![
            ("mix.exs", EXS),
            ("mix.lock", LOCK),
            ("forum/mix.exs", ""),
            ("forum/lib/a.ex", ""),
            ("config/config.exs", CONFIG),
            ("config/prod.exs", ""),
            ("config/dev.exs", ""),
            ("config/runtime.exs", ""),
        ]
    }

    fn refusal(text: &str) -> String {
        ask("mix deps.get", &[("mix.exs", text)]).unwrap_err().to_string()
    }

    #[test]
    fn fetching_reads_the_manifests_alone() {
        let get = ask("mix deps.get --only $MIX_ENV", &files()).unwrap().unwrap();
        assert_eq!(get.files, ["/app/forum/mix.exs", "/app/mix.exs", "/app/mix.lock"]);
        assert_eq!((get.makes, get.part, get.unpinned), (vec!["/app/deps".into(), "/app/_build".to_owned()], Part::Whole, None));
        assert!(get.rewrites.is_empty());
        let stale = [("mix.exs", EXS), ("mix.lock", "%{}")];
        assert_eq!(ask("mix deps.get", &stale).unwrap().unwrap().rewrites, ["/app/mix.lock"]);
        assert!(ask("mix deps.get --check-locked", &stale).unwrap().unwrap().rewrites.is_empty());
        assert!(ask("mix deps.get", &stale[..1]).unwrap().unwrap().unpinned.is_some());
    }

    #[test]
    fn compiling_dependencies_reads_the_configuration_and_sources_taken_by_path() {
        let compile = ask("mix deps.compile", &files()).unwrap().unwrap();
        assert_eq!(compile.files, ["/app/config/config.exs", "/app/config/prod.exs", "/app/mix.exs", "/app/mix.lock"]);
        assert_eq!(compile.folders, ["/app/forum"]);
        let dev = ask("MIX_ENV=dev mix deps.compile", &files()).unwrap().unwrap();
        assert!(dev.files.contains(&"/app/config/dev.exs".to_owned()));
        let unknown = ask("MIX_ENV=$E mix deps.compile", &files()).unwrap().unwrap();
        assert_eq!(unknown.folders, ["/app/config", "/app/forum"]);
    }

    #[test]
    fn an_umbrella_needs_every_app() {
        let files = [("mix.exs", "[apps_path: \"apps\", deps_path: \"d\"]"), ("apps/a/mix.exs", ""), ("apps/b/mix.exs", "")];
        let get = ask("mix deps.get", &files).unwrap().unwrap();
        assert_eq!(get.files, ["/app/apps/a/mix.exs", "/app/apps/b/mix.exs", "/app/mix.exs"]);
        assert_eq!(get.makes, ["/app/d", "/app/_build"]);
    }

    #[test]
    fn several_tasks_in_one_command() {
        let part = |line: &str| ask(line, &files()).unwrap().map(|found| found.part);
        assert_eq!(part("mix do local.hex --force, deps.get, deps.compile"), Some(Part::Whole));
        let half = |command: &str, only_fetches| Part::FirstHalf { command: command.to_owned(), rest: vec![], only_fetches };
        assert_eq!(part("mix do deps.get --only prod, compile"), Some(half("mix deps.get --only prod", true)));
        let both = half("MIX_ENV=prod mix do deps.get, deps.compile", false);
        assert_eq!(part("MIX_ENV=prod mix do deps.get + deps.compile + release"), Some(both));
        assert_eq!(part("mix do deps.get --only $MIX_ENV, compile"), Some(half("mix deps.get --only $MIX_ENV", true)));
        assert!(ask("mix do deps.get --only $LOCAL, compile", &files()).is_err(), "nobody knows what it is in another RUN");
        assert_eq!(part("mix release"), None);
        assert_eq!(part("mix deps.update --all"), None);
    }

    #[test]
    fn code_that_looks_at_the_project_is_refused() {
        assert_eq!(refusal("a\nFile.ls!(\".\")"), "mix.exs:2: File.ls may read anything in the project");
        assert!(refusal("System.cmd(\"git\", [])").contains("mix.exs:1") && refusal("File.read!(name)").contains("File.read!"));
        assert!(refusal("\"deps.get\": [\"x\"]").contains("alias") && refusal("{:z, path: \"../z\"}").contains("../z"));
        assert!(refusal("{:z, path: where()}").contains("not known"));
        let in_a_task =
            "def project do\n[aliases: aliases()]\nend\ndefp aliases, do: [t: [&clean/1]]\ndefp clean(_), do: File.ls!(\".\")\n";
        assert!(ask("mix deps.get", &[("mix.exs", in_a_task)]).is_ok(), "it runs when the alias does");
        assert!(refusal(&in_a_task.replace("aliases()", "clean(1)")).contains("mix.exs:5"));
        let version = [("mix.exs", "version: File.read!(\"VERSION\")"), ("VERSION", "1")];
        assert_eq!(ask("mix deps.get", &version).unwrap().unwrap().files, ["/app/VERSION", "/app/mix.exs"]);
    }

    #[test]
    fn what_works_on_its_own_home_reads_nothing() {
        for line in ["mix local.hex 2.0.6 --force", "mix hex.config x y", "mix archive.install hex phx_new 1.7.0"] {
            assert_eq!(ask(line, &files()), Ok(Some(Dependencies::default())), "{line}");
        }
        assert!(ask("mix local.rebar --force", &files()).unwrap().unwrap().unpinned.is_some());
    }
}
