//! Package managers' commands.
//!
//! Owns: asking the ecosystem of a command what it reads of the project, and the folders that managers keep outside of it. Never does:
//! know a manager's options.

use super::draft::{Draft, Outcome, Word, parent};
use super::fixed::is_version;
use super::{Area, Fetch};
use crate::ecosystems::{self, Activity, Dependencies, Ecosystem, Found, Part, Wrapper};
use crate::knowledge::Knowledge;
use crate::model::paths::is_within;

/// Files and folders in which managers and the tools that they call keep settings, caches and programs, below the home folder.
#[rustfmt::skip]
const IN_HOME: &[&str] = &[
    ".bundle", ".bun", ".cache", ".cargo", ".composer", ".conda", ".condarc", ".config", ".dotnet", ".gem", ".gemrc", ".gitconfig",
    ".gnupg", ".gradle", ".hex", ".ivy2", ".local", ".m2", ".mix", ".netrc", ".npm", ".npmrc", ".nuget", ".nvm", ".pip", ".pnpm-store",
    ".pydistutils.cfg", ".pypirc", ".rustup", ".sbt", ".ssh", ".yarn", ".yarnrc", ".yarnrc.yml", "go",
];

/// Folders in which images keep what managers install, where it is none of the distribution's.
#[rustfmt::skip]
const IN_IMAGES: &[&str] =
    &["/go/bin", "/go/pkg", "/opt/conda", "/opt/venv", "/usr/local/bundle", "/usr/local/cargo", "/usr/local/rustup"];

/// Variables that name a folder to which managers install, by the managers' ids.
#[rustfmt::skip]
const FOLDER_VARIABLES: &[(&[&str], &[&str])] = &[
    (PYTHON, &[
        "CONDA_PREFIX", "PIPX_BIN_DIR", "PIPX_HOME", "POETRY_HOME", "POETRY_VIRTUALENVS_PATH", "PYTHONUSERBASE", "UV_TOOL_BIN_DIR",
        "UV_TOOL_DIR", "VIRTUAL_ENV", "WORKON_HOME",
    ]),
    (NODE, &["BUN_INSTALL", "NPM_CONFIG_PREFIX", "NVM_DIR", "PNPM_HOME", "npm_config_prefix"]),
    (&["go"], &["GOBIN", "GOCACHE", "GOMODCACHE"]),
    (&["cargo"], &["CARGO_HOME", "RUSTUP_HOME"]),
    (&["bundler"], &["BUNDLE_PATH", "GEM_HOME"]),
    (&["gradle"], &["GRADLE_USER_HOME"]),
    (&["composer"], &["COMPOSER_HOME"]),
    (&["dotnet"], &["NUGET_PACKAGES"]),
    (&["mix"], &["HEX_HOME", "MIX_HOME"]),
];

const PYTHON: &[&str] = &["pip", "uv", "poetry", "pipenv", "pdm", "conda"];
const NODE: &[&str] = &["npm", "yarn", "pnpm", "bun"];
const JVM: &[&str] = &["maven", "gradle", "sbt"];

/// Whether two managers (by their ids) install for one language, and so into the same folders.
pub fn same_language(one: &str, other: &str) -> bool {
    one == other || [PYTHON, NODE, JVM].iter().any(|ids| ids.contains(&one) && ids.contains(&other))
}

/// Managers of the distribution's packages, which touch nothing else.
const OF_THE_SYSTEM: &[&str] = &["apt", "apk", "dnf", "zypper", "pacman"];

/// Whether the command is one that a manager knows, or a Python of an environment.
pub fn knows(draft: &Draft<'_>) -> bool {
    let invocation = &draft.sight.ran.invocation;
    owner(draft).is_some() || invocation.is("python") || invocation.program == "virtualenv"
}

fn owner(draft: &Draft<'_>) -> Option<(&'static dyn Ecosystem, Activity)> {
    let invocation = &draft.sight.ran.invocation;
    ecosystems::of_program(&invocation.program).find_map(|one| Some((one, one.recognise(invocation)?)))
}

/// A manager's command; `None` when it is none.
pub fn command(draft: &mut Draft<'_>) -> Option<Outcome> {
    let (ecosystem, activity) = owner(draft)?;
    Some(ask(draft, ecosystem, activity))
}

fn ask(draft: &mut Draft<'_>, ecosystem: &dyn Ecosystem, activity: Activity) -> Outcome {
    let sight = draft.sight;
    let invocation = &sight.ran.invocation;
    if let Some(Wrapper::Environment(by)) = invocation
        .wrappers
        .iter()
        .find(|wrapper| matches!(wrapper, Wrapper::Environment(by) if !by.ends_with("conda") && by != "mamba"))
    {
        return Err(format!("`{by} run` runs it"));
    }
    match activity {
        Activity::Install { .. } | Activity::RefreshIndex => draft.fetches(fetched(draft)),
        Activity::Clean | Activity::Offline | Activity::Other => {}
    }
    if OF_THE_SYSTEM.contains(&ecosystem.id()) && matches!(activity, Activity::Install { .. }) && serves_pages(draft) {
        draft.writes([Area::Below("/var/www".to_owned())]);
    }
    match ecosystem.dependencies(invocation, sight.at, sight.project) {
        Ok(Some(dependencies)) if dependencies.part == Part::Whole => install(draft, &dependencies),
        Ok(Some(_)) => Err("it needs more of the project than the manifests".to_owned()),
        Ok(None) => Err("it may read anything of the project".to_owned()),
        Err(entangled) => Err(entangled.to_string()),
    }
}

/// Whether a package may be a web server or application, which lays its pages into `/var/www`.
fn serves_pages(draft: &Draft<'_>) -> bool {
    #[rustfmt::skip]
    const NAMES: &[&str] = &[
        "apache", "httpd", "nginx", "lighttpd", "caddy", "phpmyadmin", "wordpress", "moodle", "roundcube", "cacti", "zabbix", "nagios",
        "munin", "awstats", "mediawiki", "drupal", "nextcloud", "task-web-server",
    ];
    let invocation = &draft.sight.ran.invocation;
    invocation.has_unknown_argument()
        || invocation.known_arguments().any(|(_, word)| NAMES.iter().any(|name| word.contains(name)))
}

/// What an install touches that needs no more than these dependencies.
pub fn install(draft: &mut Draft<'_>, dependencies: &Dependencies) -> Outcome {
    draft.reads(dependencies.files.iter().cloned().map(Area::At));
    draft.reads(dependencies.folders.iter().cloned().map(Area::Below));
    draft.writes(dependencies.makes.iter().cloned().map(Area::Below));
    draft.writes(dependencies.rewrites.iter().cloned().map(Area::At));
    if let Some((ecosystem, _)) = owner(draft) {
        settings(draft, ecosystem, dependencies);
        named_outputs(draft, ecosystem)?;
    }
    match owner(draft) {
        Some((ecosystem, _)) if OF_THE_SYSTEM.contains(&ecosystem.id()) => {
            draft.writes_system();
            draft.reads_tools();
            Ok(())
        }
        Some((ecosystem, _)) => tools(draft, ecosystem.id()),
        None => tools(draft, ""),
    }
}

/// Settings that it looks for beside what it reads: a step may write one that is not there.
fn settings(draft: &mut Draft<'_>, ecosystem: &dyn Ecosystem, dependencies: &Dependencies) {
    let mut folders: Vec<&str> = dependencies.files.iter().filter_map(|file| parent(file)).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        let paths = ecosystem.looks_for().iter().map(|name| format!("{}/{name}", folder.trim_end_matches('/')));
        // Of one that is there the manager says itself whether it reads it.
        let project = draft.sight.project;
        draft.reads(paths.filter(|path| project.look(path) != Found::File).map(Area::At));
    }
}

/// Files and folders that its options and variables name as places to write to.
fn named_outputs(draft: &mut Draft<'_>, ecosystem: &dyn Ecosystem) -> Outcome {
    let sight = draft.sight;
    for name in ecosystem.written_by() {
        let value = match name.starts_with('-') {
            true => sight.ran.invocation.option(&[name]),
            false => sight.at.variable(name).cloned(),
        };
        match value {
            None => {}
            Some(Knowledge::Known(value)) if value.is_empty() || value.starts_with('-') => {}
            Some(Knowledge::Known(value)) => draft.change_below(&Word::known(&value))?,
            Some(Knowledge::Unknown) => return Err(format!("where {name} lets it write is not known")),
        }
    }
    Ok(())
}

/// The folders and variables that the manager with this id and what it calls may use.
pub fn tools(draft: &mut Draft<'_>, id: &str) -> Outcome {
    draft.writes_system();
    draft.reads_tools();
    for name in IN_HOME {
        if let Some(path) = draft.below_home(name) {
            draft.uses_folder(&path);
        }
    }
    for folder in IN_IMAGES {
        draft.uses_folder(folder);
    }
    let at = draft.sight.at;
    for (ids, names) in FOLDER_VARIABLES {
        for name in *names {
            match at.variable(name).cloned() {
                Some(Knowledge::Unknown) if ids.contains(&id) => return Err(format!("the value of {name} is not known")),
                Some(Knowledge::Known(value)) if value.starts_with('/') => use_folder(draft, &value),
                _ => {}
            }
        }
    }
    if let Some(Knowledge::Known(folder)) = at.variable("GOPATH").cloned()
        && folder.starts_with('/')
    {
        ["bin", "pkg"].iter().for_each(|name| use_folder(draft, &format!("{folder}/{name}")));
    }
    search_path(draft)
}

fn use_folder(draft: &mut Draft<'_>, path: &str) {
    if let Some(path) = draft.sight.at.absolute(path).into_known() {
        draft.uses_folder(&path);
    }
}

/// What is first on PATH decides into which environment an install goes.
fn search_path(draft: &mut Draft<'_>) -> Outcome {
    let path = match draft.sight.at.variable("PATH") {
        None => return Ok(()),
        Some(Knowledge::Known(path)) => path.clone(),
        Some(Knowledge::Unknown) => return Err("the value of PATH is not known".to_owned()),
    };
    for entry in path.split(':').filter(|entry| entry.starts_with('/')) {
        // `/bin` itself is left with nothing.
        let Some(own) = entry.strip_suffix("/bin").filter(|own| !own.is_empty()) else { continue };
        let Some(own) = draft.sight.at.absolute(own).into_known() else { continue };
        if matches!(own.as_str(), "/" | "/usr" | "/usr/local" | "/opt" | "/root" | "/home") || is_home(draft, &own) {
            continue;
        }
        // The project's own `bin` makes it no environment, but somebody may have.
        match draft.sight.project.look(&own) {
            Found::Folder => draft.reads([Area::At(format!("{own}/pyvenv.cfg"))]),
            _ => draft.uses_folder(&own),
        }
    }
    Ok(())
}

fn is_home(draft: &Draft<'_>, folder: &str) -> bool {
    draft.sight.at.home.known().is_some_and(|home| is_within(home, folder))
}

/// Whether what a manager fetches changes behind the same name.
fn fetched(draft: &Draft<'_>) -> Fetch {
    let invocation = &draft.sight.ran.invocation;
    let program = invocation.program.as_str();
    let words: Vec<&str> =
        invocation.arguments.iter().map(|argument| argument.value.known().unwrap_or(&argument.raw).as_str()).collect();
    let system =
        matches!(program, "apt" | "apt-get" | "aptitude" | "apk" | "dnf" | "yum" | "microdnf" | "tdnf" | "zypper" | "pacman");
    let verb = words.iter().position(|word| !word.starts_with('-'));
    let all = |verb: usize| words.iter().skip(verb + 1).all(|word| word.starts_with('-'));
    let upgrades = verb.is_some_and(|at| match (program, words.get(at).copied().unwrap_or_default()) {
        ("apt" | "apt-get" | "aptitude" | "dnf" | "yum" | "zypper", "upgrade" | "dist-upgrade" | "full-upgrade" | "dup") => true,
        ("dnf" | "yum" | "microdnf" | "tdnf", "update" | "upgrade") | ("apk", "upgrade") => true,
        ("zypper", "update" | "up") => all(at),
        _ => false,
    });
    let upgrades = upgrades || program == "pacman" && words.iter().any(|word| word.starts_with("-S") && word.contains('u'));
    if system && upgrades {
        let verb = verb.and_then(|at| words.get(at)).copied().unwrap_or("-Syu");
        return Fetch::Mutable(format!("`{program} {verb}`"));
    }
    let branch = words.iter().find(|word| {
        let of_git = word.contains("git+") || word.starts_with("git@") || word.starts_with("github:") || word.ends_with(".git");
        let behind = word.rsplit_once(['@', '#']).map_or("", |(_, behind)| behind);
        of_git && !is_version(behind)
            || word.ends_with("@main")
            || word.ends_with("@master")
            || word.ends_with("@next")
            || word.ends_with("@nightly")
    });
    branch.map_or(Fetch::Fixed, |word| Fetch::Mutable(format!("{word}, which names no version")))
}
