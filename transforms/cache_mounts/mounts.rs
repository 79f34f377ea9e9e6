//! The mounts that a RUN has and those that it gets.
//!
//! Owns: reading the author's `--mount` flags, and the text of ours. Never does: change a mount that the author wrote.

use super::usage::StepUse;
use super::visibility;
use crate::ecosystems::{self, CacheFolder, Ecosystem, Sharing, User};
use crate::knowledge::Knowledge;
use crate::model::{Model, mount_option, paths};
use crate::pipeline::Refusal;

/// A mount that the author wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// `cache`, `bind`, `secret` …; `bind` where none is given.
    pub kind: String,
    /// Absolute, where it is known.
    pub target: Knowledge<String>,
}

impl Existing {
    /// Whether it may be the author's cache mount for a manager whose folder is not known: it bears the manager's name, or lies
    /// outside the work folder, where build output would be.
    pub fn may_serve(&self, ecosystem: &dyn Ecosystem, item: &StepUse<'_>) -> bool {
        let names = |other: &dyn Ecosystem, target: &str| {
            target.contains(other.id()) || other.programs().iter().any(|program| target.contains(program))
        };
        let of_others = |target: &str| ecosystems::all().iter().any(|other| names(*other, target));
        let elsewhere = |target: &str| {
            item.step.state.workdir.known().is_some_and(|workdir| workdir == "/" || !paths::is_within(target, workdir))
        };
        let serves = |target: &String| names(ecosystem, target) || elsewhere(target) && !of_others(target);
        self.kind == "cache" && self.target.known().is_some_and(serves)
    }
}

/// The mounts on a RUN.
pub fn existing(item: &StepUse<'_>) -> Vec<Existing> {
    item.step
        .instruction
        .flags_named("mount")
        .map(|flag| {
            let option = |name| mount_option(flag.value(), name);
            let kind = option("type").unwrap_or("bind").to_owned();
            let target = option("target").or_else(|| option("dst")).or_else(|| option("destination"));
            let target = target.map_or(Knowledge::Unknown, |target| item.step.state.absolute(target));
            Existing { kind, target }
        })
        .collect()
}

/// Whether a folder is served by a cache mount that stands there already: on it, above it, or (the author's choice) in it.
///
/// # Errors
/// A mount of another kind that lies over the folder.
pub fn is_served(existing: &[Existing], target: &str) -> Result<bool, Refusal> {
    for mount in existing {
        let Some(path) = mount.target.known() else { continue };
        if !paths::is_within(target, path) && !paths::is_within(path, target) {
            continue;
        }
        if mount.kind == "cache" {
            return Ok(true);
        }
        let why = format!("the author's {} mount on {path} lies over {target}", mount.kind);
        return Err(Refusal::AuthorsMount { why });
    }
    Ok(false)
}

/// A mount to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The folder.
    pub target: String,
    /// It holds the index that installs work from.
    pub index: bool,
    sharing: Sharing,
    id: Option<String>,
    owner: Option<(u32, Option<u32>)>,
}

impl Mount {
    /// The flag as it is written.
    pub fn flag(&self) -> String {
        let mut flag = "--mount=type=cache".to_owned();
        if let Some(id) = &self.id {
            flag.push_str(&format!(",id={id}"));
        }
        flag.push_str(&format!(",target={}", self.target));
        if self.sharing == Sharing::Locked {
            flag.push_str(",sharing=locked");
        }
        if let Some((uid, gid)) = self.owner {
            flag.push_str(&format!(",uid={uid}"));
            if let Some(gid) = gid {
                flag.push_str(&format!(",gid={gid}"));
            }
        }
        flag
    }

    /// The mount of a folder for a command that `user` runs.
    ///
    /// # Errors
    /// A user or platform for which the mount would not be right.
    pub fn of(
        model: &Model<'_>,
        item: &StepUse<'_>,
        manager: &'static str,
        folder: &CacheFolder,
        user: &User,
        bases: usize,
    ) -> Result<Self, Refusal> {
        // The builder itself reads flags byte by byte, so that other letters than ASCII name another folder.
        if !folder.target.is_ascii()
            || !folder.target.starts_with('/')
            || folder.target.contains([',', '"', '\'', ' ', '$', '\\'])
        {
            return Err(Refusal::NotEditable { why: format!("the folder {} can't be written in a mount", folder.target) });
        }
        let owner = owner(item, folder, user)?;
        let mut parts = Vec::new();
        if folder.by_base_image && bases > 1 {
            parts.push(family(model, item.stage).to_owned());
        }
        if !folder.keyed_by_platform && model.several_platforms(item.stage) {
            parts.push(platform_variable(item, manager)?);
        }
        let name = folder.target.trim_start_matches('/').replace(['/', '.'], "-");
        let id = (!parts.is_empty()).then(|| format!("{name}-{}", parts.join("-")).replace("--", "-"));
        Ok(Self { target: folder.target.clone(), index: folder.index, sharing: folder.sharing, id, owner })
    }
}

/// The distribution under a stage, by the name of its image: files of two of them may have the same names. What says nothing else
/// is taken for Debian, on which the official images stand.
pub fn family(model: &Model<'_>, stage: usize) -> &'static str {
    const FAMILIES: &[&str] = &[
        "alpine",
        "ubuntu",
        "fedora",
        "centos",
        "rockylinux",
        "almalinux",
        "amazonlinux",
        "ubi",
        "opensuse",
        "archlinux",
        "kali",
        "raspbian",
    ];
    let Some(image) = model.stages.get(stage).and_then(|stage| stage.image.reference.known()) else { return "other" };
    FAMILIES.iter().find(|family| image.contains(**family)).unwrap_or(&"debian")
}

/// The ARG by which a cache is kept apart by platform.
fn platform_variable(item: &StepUse<'_>, manager: &'static str) -> Result<String, Refusal> {
    let declared = |name: &str| item.step.state.variable(name).is_some();
    if declared("TARGETPLATFORM") {
        return Ok("$TARGETPLATFORM".to_owned());
    }
    if declared("TARGETARCH") && declared("TARGETVARIANT") {
        return Ok("$TARGETARCH$TARGETVARIANT".to_owned());
    }
    let because =
        "files of several platforms would share one cache; `ARG TARGETPLATFORM` in this stage would allow an id for each"
            .to_owned();
    Err(Refusal::Manager { id: manager, obstacle: crate::ecosystems::Obstacle::Unsafe { because } })
}

fn owner(item: &StepUse<'_>, folder: &CacheFolder, user: &User) -> Result<Option<(u32, Option<u32>)>, Refusal> {
    match user {
        User::Root => Ok(None),
        User::Unknown => Err(Refusal::User {
            why: "the user of this step is not known, and a cache mount belongs to root unless its number is given".to_owned(),
        }),
        User::Other { name, uid, gid } => {
            let Some(uid) = uid.known() else {
                let who = name.as_deref().unwrap_or("this user");
                return Err(Refusal::User {
                    why: format!(
                        "the number of user {who} is not proven (`useradd -u NUMBER` would), and a cache mount belongs to root unless it is given"
                    ),
                });
            };
            writes_beside(item, folder)?;
            Ok(Some((*uid, gid.known().copied())))
        }
    }
}

/// The parents that BuildKit makes for a mount belong to root while the step runs: another write beside the folder would fail.
fn writes_beside(item: &StepUse<'_>, folder: &CacheFolder) -> Result<(), Refusal> {
    const NO_WRITES: &[&str] = &["cd", "set", "echo", "export", "true", "rm", "ls", "test", "["];
    let parent = folder.target.rsplit_once('/').map_or("", |(parent, _)| parent);
    let home = item.step.state.home();
    let home = home.known().map_or("", String::as_str);
    if parent == home || parent == "/tmp" {
        return Ok(());
    }
    let other = item.commands.iter().enumerate().find(|(index, ran)| {
        !item.uses.iter().any(|used| used.command == *index) && !NO_WRITES.contains(&ran.invocation.program.as_str())
    });
    let why = match other {
        // The managers' own commands put nothing else into `~/.cache`.
        None if parent == format!("{home}/.cache") => return Ok(()),
        None => format!("while the mount is there, {parent} belongs to root, and the step's user may have to write beside it"),
        Some((_, ran)) => format!(
            "while the mount is there, {parent} belongs to root, and `{}` may want to write beside it",
            ran.invocation.program
        ),
    };
    Err(Refusal::User { why })
}

/// A command of the same RUN that makes a folder above the mount: it would find the one that BuildKit made.
pub fn parent_is_made(item: &StepUse<'_>, target: &str) -> Option<Refusal> {
    const THERE: &[&str] = &[
        "/",
        "/root",
        "/home",
        "/usr",
        "/usr/local",
        "/usr/local/share",
        "/var",
        "/var/cache",
        "/var/lib",
        "/var/lib/apt",
        "/opt",
        "/tmp",
    ];
    let above = |path: &str| !THERE.contains(&path.trim_end_matches('/')) && paths::is_within(target, path) && path.len() > 1;
    let maker = item.commands.iter().find(|ran| {
        let command = &ran.invocation;
        let words = || command.known_arguments().map(|(_, word)| word);
        match command.program.as_str() {
            "mkdir" => {
                !words().any(|word| word == "--parents" || word.starts_with('-') && !word.starts_with("--") && word.contains('p'))
                    && words().any(above)
            }
            "ln" | "mv" | "venv" | "virtualenv" => words().any(above),
            "git" => words().any(|word| word == "clone") && words().any(above),
            "useradd" | "adduser" => words().any(|word| above(word) || above(&format!("/home/{word}"))),
            _ => false,
        }
    })?;
    let why =
        format!("`{}` makes a folder above {target} in this RUN, and would find it made by the mount", maker.invocation.program);
    Some(Refusal::NotEditable { why })
}

/// Whether a later RUN that works from the folder can be given the same mount.
///
/// # Errors
/// Why not: then the step that fetches must stay as it is.
pub fn for_reader(reader: &StepUse<'_>, fetcher: &StepUse<'_>, mount: &Mount) -> Result<Option<Mount>, Refusal> {
    if is_served(&existing(reader), &mount.target)? {
        return Ok(None);
    }
    if reader.step.state.user != fetcher.step.state.user {
        let (target, line) = (mount.target.clone(), reader.line());
        return Err(Refusal::LaterReader { target, line, what: "a step of another user".to_owned() });
    }
    if let Some(ran) = reader.commands.iter().find(|ran| visibility::is_cleaner(ran, &mount.target)) {
        let why = format!("`{}` cleans {} in a step that may work from it", ran.invocation.program, mount.target);
        return Err(Refusal::Cleanup { line: reader.line(), why });
    }
    Ok(Some(mount.clone()))
}
