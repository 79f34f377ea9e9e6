//! What the answers mean.
//!
//! Owns: the findings, their order, and the half-truths that each puts right. Never does: ask.

use super::advice::{self, Todo};
use super::repository::Said;
use super::{Answered, Facts, Proof, Registry};
use crate::builder::{Feature, Features, Identity, Kind, Version};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Note,
    /// Something is to be done.
    Action,
    /// It can't be told.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Short and stable: `buildkit-off`.
    pub code: &'static str,
    /// How it stands.
    pub outcome: Outcome,
    /// What was found.
    pub what: String,
    /// What is to be known of it.
    pub notes: Vec<String>,
    /// What to do.
    pub todo: Option<Todo>,
}

impl Finding {
    fn new(code: &'static str, outcome: Outcome, what: impl Into<String>) -> Self {
        Self { code, outcome, what: what.into(), notes: Vec::new(), todo: None }
    }

    fn fine(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(code, Outcome::Fine, what)
    }

    fn action(code: &'static str, what: impl Into<String>, todo: Todo) -> Self {
        Self { todo: Some(todo), ..Self::new(code, Outcome::Action, what) }
    }

    fn unknown(code: &'static str, what: impl Into<String>, todo: Todo) -> Self {
        Self { todo: Some(todo), ..Self::new(code, Outcome::Unknown, what) }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// BuildKit is the default from here on.
const DEFAULT: Version = Version::new(23, 0, 0);

/// The first whose own frontend knows cache mounts.
const MOUNTS: Version = Version::new(20, 10, 0);

/// The first with BuildKit for everybody.
const FIRST: Version = Version::new(18, 9, 0);

/// All findings, the most telling first.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = vec![engine(facts)];
    all.extend(buildkit(facts));
    all.extend(facts.features.as_ref().map(frontend));
    all.extend(environment(facts));
    all.extend(daemon_files(facts));
    all.extend(builder(facts));
    all.extend(compose(facts));
    all.extend(registry(facts));
    all.extend(cache(facts));
    all.extend(runner(facts));
    all.extend(repository(facts));
    all
}

fn engine(facts: &Facts) -> Finding {
    let program = &facts.program;
    let place = facts.host.as_ref().map(|host| format!("DOCKER_HOST is {host}: that is where commands go"));
    let finding = match &facts.engine {
        Answered::Yes(identity) => Finding::fine("engine", versions(identity)),
        Answered::Old { client, server } if client.min(&server.unwrap_or(*client)) < &FIRST => {
            let what = format!("{program} {} has no BuildKit: that came with 18.09", dated(server.unwrap_or(*client)));
            return Finding::action("engine-too-old", what, advice::upgrade());
        }
        Answered::Old { client, .. } => {
            let what = format!("{program} {client} builds by buildx, which is not there");
            return Finding::action("no-buildx", what, advice::add_buildx()).note(
                "from 23.0 on the docker command has no BuildKit of its own: without buildx it falls back to the classic builder",
            );
        }
        Answered::NoProgram => Finding::unknown(
            "no-engine",
            format!("there is no program {program}, so nothing can be built here"),
            advice::install(),
        ),
        Answered::NotRunning { words } => Finding::unknown(
            "engine-not-running",
            format!("{program} is there, its engine does not answer: {}", line(words)),
            advice::start(),
        ),
        Answered::NotAllowed { words } => Finding::unknown(
            "not-allowed",
            format!("{program}'s engine may not be used by this user: {}", line(words)),
            advice::allow(),
        ),
        Answered::No { words } => {
            Finding::unknown("engine-unclear", format!("{program} can't be used: {}", line(words)), advice::install())
        }
    };
    place.into_iter().fold(finding, Finding::note)
}

/// Docker's versions of a year and a month, as docker writes them: `18.06.1`.
fn dated(version: Version) -> String {
    format!("{}.{:02}.{}", version.major, version.minor, version.patch)
}

fn line(words: &str) -> &str {
    words.lines().next().unwrap_or_default()
}

fn versions(identity: &Identity) -> String {
    match (identity.kind, identity.buildx) {
        (Kind::Docker, Some(buildx)) => format!("docker {}, engine {}, buildx {buildx}", identity.client, identity.server),
        (Kind::Docker, None) => format!("docker {}, engine {}, without buildx", identity.client, identity.server),
        (Kind::Podman, _) => format!("podman {}, with buildah {}", identity.client, identity.server),
        (Kind::Buildah, _) => format!("buildah {}", identity.server),
    }
}

fn identity(facts: &Facts) -> Option<&Identity> {
    match &facts.engine {
        Answered::Yes(identity) => Some(identity),
        _ => None,
    }
}

fn buildkit(facts: &Facts) -> Option<Finding> {
    let identity = identity(facts)?;
    if identity.kind != Kind::Docker {
        let what = "podman and buildah build by themselves and know cache mounts; BuildKit's switches mean nothing to them";
        return Some(Finding::fine("buildkit", what));
    }
    Some(match &facts.builds {
        Proof::BuildKit => {
            Finding::fine("buildkit", "BuildKit builds: a file with a cache mount went through plain `docker build`")
                .note("`docker buildx version` proves nothing of that kind: it only says that a plugin is installed")
        }
        Proof::Classic => off(facts, identity),
        Proof::NotTried => {
            let outcome = if identity.server >= DEFAULT && identity.buildx.is_some() { Outcome::Fine } else { Outcome::Unknown };
            Finding::new("buildkit", outcome, "by its version BuildKit builds; nothing was built to prove it (--quick)")
        }
        Proof::Failed { words } => {
            let todo = Todo::anywhere("build any file with `RUN --mount=type=cache,target=/c true` and see what is said");
            Finding::unknown(
                "buildkit",
                format!("whether BuildKit builds can't be told: a build of nothing failed: {words}"),
                todo,
            )
        }
    })
}

/// The classic builder builds; why, and what turns BuildKit on.
fn off(facts: &Facts, identity: &Identity) -> Finding {
    let what = "the classic builder builds: it knows no cache mounts, and a rewritten file would not build";
    let switch = facts.environment.iter().find(|(name, _)| name == "DOCKER_BUILDKIT");
    if let Some((_, value)) = switch.filter(|(_, value)| is_off(value)) {
        return Finding::action("buildkit-off", what, advice::unset("DOCKER_BUILDKIT"))
            .note(format!("DOCKER_BUILDKIT is {value}"));
    }
    let todo = match identity.client {
        client if client < MOUNTS => advice::upgrade(),
        client if client < DEFAULT => advice::enable(),
        _ if identity.buildx.is_none() => advice::add_buildx(),
        _ => advice::enable(),
    };
    Finding::action("buildkit-off", what, todo)
        .note("from 23.0 on BuildKit is the default; 18.09 to 22 have it, and it has to be turned on")
}

fn is_off(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "0" | "f" | "false")
}

fn frontend(features: &Features) -> Finding {
    let names = |answer: Option<bool>| {
        let names = Feature::ALL.into_iter().filter(|feature| features.get(*feature) == answer).map(Feature::name);
        names.collect::<Vec<_>>().join(", ")
    };
    let (has, lacks) = (names(Some(true)), names(Some(false)));
    let what = match lacks.as_str() {
        "" => format!("the frontend in the engine knows {has}"),
        _ => format!("the frontend in the engine knows {has}; it lacks {lacks}"),
    };
    if features.cache_mounts == Some(false) {
        let todo =
            Todo::anywhere("keep the line `# syntax=docker/dockerfile:1` that `dockeropt fix` adds, or upgrade the engine");
        return Finding::action("frontend-old", what, todo);
    }
    Finding::fine("frontend", what).note(
        "that holds for files without a `# syntax=` line; with one, the frontend that it names is fetched and reads the file",
    )
}

fn environment(facts: &Facts) -> Vec<Finding> {
    let client = identity(facts).map(|identity| identity.client);
    let finding = |(name, value): &(String, String)| match name.as_str() {
        // With a proof of the contrary it is told there.
        "DOCKER_BUILDKIT" if is_off(value) && facts.builds != Proof::Classic => {
            let what = format!("DOCKER_BUILDKIT is {value}: that turns BuildKit off");
            Some(Finding::action("buildkit-switched-off", what, advice::unset("DOCKER_BUILDKIT")))
        }
        "DOCKER_BUILDKIT" if !is_off(value) && client.is_some_and(|client| client >= DEFAULT) => Some(Finding::fine(
            "buildkit-switch",
            format!("DOCKER_BUILDKIT is {value}: not needed from 23.0 on, and does no harm"),
        )),
        "COMPOSE_DOCKER_CLI_BUILD" if is_off(value) => {
            let what = format!("COMPOSE_DOCKER_CLI_BUILD is {value}: compose 1 then builds by itself, without BuildKit");
            Some(Finding::action("compose-switched-off", what, advice::unset("COMPOSE_DOCKER_CLI_BUILD")))
        }
        "BUILDKIT_INLINE_CACHE" => Some(
            Finding::new("inline-cache", Outcome::Note, "BUILDKIT_INLINE_CACHE is set in the environment: there it does nothing")
                .note(INLINE_CACHE),
        ),
        _ => None,
    };
    facts.environment.iter().filter_map(finding).collect()
}

const INLINE_CACHE: &str = "BUILDKIT_INLINE_CACHE=1 as a build argument puts a layer cache into the image, for `--cache-from IMAGE` \
                            elsewhere; it turns nothing on, and holds only the last stage's layers";

fn daemon_files(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &facts.daemon_files {
        let path = file.path.display();
        if file.is_broken {
            let todo = Todo::anywhere(format!("put {path} right: an engine does not start with it"));
            found.push(Finding::action("settings-broken", format!("{path} is no JSON"), todo));
        }
        match file.buildkit {
            Some(false) => {
                let todo = advice::restart_after(&format!("take \"buildkit\": false out of \"features\" in {path}"));
                found.push(
                    Finding::action("settings-buildkit-off", format!("{path} says features.buildkit: false"), todo)
                        .note("clients before 23.0 then build with the classic builder, unless DOCKER_BUILDKIT=1 is set"),
                );
            }
            Some(true) => found.push(Finding::fine("settings-buildkit", format!("{path} says features.buildkit: true"))),
            None => {}
        }
        if file.collects == Some(false) {
            let what = format!("{path} turns garbage collection of the build cache off: it grows until the disk is full");
            let todo = advice::restart_after(&format!(
                "say \"builder\": {{\"gc\": {{\"enabled\": true, \"defaultKeepStorage\": \"20GB\"}}}} in {path}"
            ));
            found.push(Finding::action("cache-not-collected", what, todo));
        } else if let Some(keeps) = &file.keeps {
            found.push(Finding::fine("cache-limit", format!("{path} keeps {keeps} of build cache")));
        }
    }
    found
}

fn builder(facts: &Facts) -> Option<Finding> {
    let builder = facts.builder.as_ref()?;
    let what = format!("buildx builds with `{}` ({} driver, {})", builder.name, builder.driver, builder.status);
    Some(match builder.driver.as_str() {
        "docker" => Finding::fine("builder", what).note("`docker build`, `docker buildx build` and `docker compose build` all use it, and share its cache"),
        "docker-container" | "kubernetes" => Finding::new("builder", Outcome::Note, what)
            .note("its cache lies in its own container's volume and goes with `docker buildx rm`; images come to the engine only with --load or --push")
            .note("`docker compose build` uses it too; plain `docker build` does where `docker buildx use` or BUILDX_BUILDER names it"),
        _ => Finding::new("builder", Outcome::Note, what).note("its cache lies where it runs"),
    })
}

fn compose(facts: &Facts) -> Option<Finding> {
    let (version, is_old) = facts.compose?;
    if is_old {
        let what = format!("docker-compose {version} is the first generation, which is no longer maintained");
        return Some(Finding::action("compose-old", what, advice::add_compose()).note(
            "until then it builds with BuildKit only with DOCKER_BUILDKIT=1 and COMPOSE_DOCKER_CLI_BUILD=1 in its environment",
        ));
    }
    Some(
        Finding::fine("compose", format!("compose {version}"))
            .note("it builds with the same builder and the same cache as `docker build`"),
    )
}

fn registry(facts: &Facts) -> Option<Finding> {
    match &facts.registry {
        Registry::NotTried => None,
        Registry::Reached => Some(Finding::fine("registry", "`# syntax=docker/dockerfile:1` can be fetched")),
        Registry::NotReached { words } => {
            let what = format!("`# syntax=docker/dockerfile:1` can't be fetched: {words}");
            let todo = Todo::anywhere(
                "dockeropt fix --syntax REF names a mirror's copy, --syntax off leaves the line out; verify and bench: --frontend builtin",
            );
            Some(Finding::action("no-registry", what, todo))
        }
    }
}

fn cache(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(folder) = &facts.data_folder {
        let is_desktop = facts.runs_on.as_deref() == Some("Docker Desktop");
        let place = if is_desktop { format!("{folder}, in Docker Desktop's virtual machine") } else { folder.clone() };
        found.push(Finding::fine("cache-place", format!("the engine keeps images and build cache in {place}")).note(
            "a `buildx` folder (~/.docker/buildx) holds the names of builders and no cache: keeping it in CI keeps nothing",
        ));
    }
    let Some(caches) = &facts.caches else { return found };
    let bytes: u64 = caches.iter().map(|one| one.bytes).sum();
    let mut finding = Finding::fine("cache", format!("the build cache holds {}", size(bytes)));
    for one in caches {
        finding = finding.note(format!("{:>9}  {} {}, of type {}", size(one.bytes), one.count, one.words(), one.kind));
    }
    for (command, what) in PRUNE {
        finding = finding.note(format!("{command}  {what}"));
    }
    let has_rules = facts.builder.as_ref().is_some_and(|builder| builder.has_rules);
    let see = if has_rules { "; `docker buildx inspect` shows them" } else { "" };
    found.push(finding.note(format!(
        "by BuildKit's usual rules cache mounts and contexts that nothing used for two days go first, then layers, oldest first{see}"
    )).note("`--no-cache` does not keep cache mounts everywhere: docker's engine (26.1) was seen to empty those of the steps that it runs"));
    found
}

/// What each takes away, and nothing else.
const PRUNE: [(&str, &str); 4] = [
    ("docker buildx prune --filter until=168h                  ", "what was not used for a week"),
    ("docker buildx prune --filter type=exec.cachemount        ", "cache mounts: what package managers downloaded"),
    ("docker buildx prune --filter type=regular                ", "layers: every step runs again"),
    ("docker buildx prune --filter type=source.local           ", "copies of build contexts"),
];

/// Thousands, as docker prints them.
fn size(bytes: u64) -> String {
    let number = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number / 1e6),
        _ => format!("{:.1} GB", number / 1e9),
    }
}

fn runner(facts: &Facts) -> Option<Finding> {
    let runner = facts.runner.as_ref()?;
    if !runner.is_new_each_time {
        return Some(Finding::fine(
            "runner",
            format!("runs in {}, on a machine that seems to stay: its cache does, too", runner.name),
        ));
    }
    let what =
        format!("runs in {}, where a run usually gets a new machine: layers and cache mounts are empty each time", runner.name);
    if facts.keeps_layers {
        return Some(
            Finding::fine("runner", what).note("a build file here keeps layers (cache-to); cache mounts are not among them"),
        );
    }
    let todo = Todo::anywhere(
        "keep layers with --cache-to and --cache-from (`dockeropt init --with github,gitlab` shows how); leave cache mounts out with `dockeropt fix --skip cache-mounts`, or use a builder that outlives the run",
    );
    Some(Finding::action("runner-new", what, todo))
}

fn repository(facts: &Facts) -> Vec<Finding> {
    let mut kinds: Vec<Said> = facts.mentions.iter().map(|mention| mention.what).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(|kind| of_mentions(facts, kind)).collect()
}

fn of_mentions(facts: &Facts, kind: Said) -> Finding {
    let places: Vec<String> = facts
        .mentions
        .iter()
        .filter(|mention| mention.what == kind)
        .map(|mention| format!("{}:{}", mention.file, mention.line))
        .collect();
    let shown = match places.as_slice() {
        [a, b, c, _, ..] => format!("{a}, {b}, {c} and {} more", places.len() - 3),
        places => places.join(", "),
    };
    let note = |code, what: &str| Finding::new(code, Outcome::Note, format!("{shown}: {what}"));
    match kind {
        Said::BuildKitOff => {
            let todo = Todo::anywhere("take it out, or set it to 1");
            Finding::action("file-buildkit-off", format!("{shown}: DOCKER_BUILDKIT is set to 0, which turns BuildKit off"), todo)
        }
        Said::InlineCache => note("file-inline-cache", "BUILDKIT_INLINE_CACHE").note(INLINE_CACHE),
        Said::NoCache => note("file-no-cache", "builds with --no-cache").note(
            "it runs every step again, and on docker's engine (26.1) empties cache mounts, too: for newer base images --pull is enough",
        ),
        Said::BuildxVersion => note("file-buildx-version", "asks `docker buildx version`")
            .note("that says that the plugin is installed, not that BuildKit builds; `dockeropt doctor` builds something to find out"),
        Said::BuildxFolder => note("file-buildx-folder", "names a `buildx` folder below .docker")
            .note("it holds the names of builders; the build cache lies in the engine's data folder, and is kept with cache-to"),
    }
}
