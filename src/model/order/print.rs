//! What each step of a stage touches, sets and hangs on.
//!
//! Owns: [`Print`], the footprint of a step (or of some of a RUN's commands) together with the settings that it makes or reads.

use super::gifts::Gift;
use super::loads::{self, Load};
use super::mounted::Mounted;
use super::privileges::may_not_write_system;
use crate::context::View;
use crate::ecosystems::{self, Activity, Dependencies, Ecosystem, Entangled, Invocation, Project, Surroundings, User};
use crate::knowledge::Knowledge;
use crate::model::brought::{ContextCopy, Laid, Map, is_context_copy};
use crate::model::footprint::{self, Area, Footprint, Region, Variables};
use crate::model::handed::Handed;
use crate::model::paths::is_within;
use crate::model::volatile::is_volatile;
use crate::model::{Form, Ran, Stage, Step, surroundings};
use crate::syntax::Keyword;
use std::collections::BTreeSet;
use std::rc::Rc;

/// What a step touches, sets and hangs on.
#[derive(Clone, Debug, Default)]
pub struct Print {
    /// Paths, variables, network.
    pub footprint: Footprint,
    /// Folders of the project that package managers fill.
    pub makes: Vec<String>,
    /// Files of the project that they may write back.
    pub rewrites: Vec<String>,
    /// Variables that it sets (ENV, ARG).
    sets: BTreeSet<String>,
    /// Which of the other settings it changes.
    changes: Settings,
    /// Which of them it hangs on.
    needs: Settings,
    /// It runs commands.
    runs: bool,
    /// Variables that its flags name.
    in_flags: BTreeSet<String>,
    /// What it makes belongs to somebody else than root, or has a mode of its own.
    pub other_user: bool,
    /// What its commands load unasked.
    pub loads: Vec<Load>,
    /// Folders that it gives away with all that is in them.
    pub(super) gifts: Vec<Gift>,
    /// Where there are any: what it touches besides.
    pub(super) besides: Footprint,
}

/// Settings other than variables.
#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    workdir: bool,
    user: bool,
    shell: bool,
}

/// A command of a RUN with what it touches.
pub struct CommandPrint {
    /// The command.
    pub ran: Ran,
    /// What it touches.
    pub footprint: Footprint,
    /// Whose it is.
    pub ecosystem: Option<&'static dyn Ecosystem>,
    /// What it reads of the project, where a package manager knows.
    pub dependencies: Option<Result<Option<Dependencies>, Entangled>>,
    /// Scripts of the project that it runs, by their image paths.
    pub scripts: Vec<String>,
    /// What it loads unasked.
    loads: Vec<Load>,
    /// Folders that it gives away with all that is in them.
    gifts: Vec<Gift>,
}

impl CommandPrint {
    /// Whether it takes packages off again: `apk del`, `apt-get purge`.
    pub fn removes_packages(&self) -> bool {
        const VERBS: &[&str] = &["autopurge", "autoremove", "del", "erase", "prune", "purge", "remove", "uninstall"];
        self.ecosystem.is_some() && self.ran.invocation.known_arguments().any(|(_, word)| VERBS.contains(&word))
    }

    /// The folders of which it removes what was built there, if it does nothing else: `cargo clean`.
    pub fn removes_output(&self) -> Option<&[String]> {
        self.ecosystem.filter(|ecosystem| ecosystem.removes_output(&self.ran.invocation))?;
        match &self.dependencies {
            Some(Ok(Some(dependencies))) => Some(&dependencies.makes),
            _ => None,
        }
    }

    /// Whether it makes a symbolic link.
    pub fn makes_link(&self) -> bool {
        let invocation = &self.ran.invocation;
        let symbolic =
            |word: &str| word == "--symbolic" || word.starts_with('-') && !word.starts_with("--") && word.contains('s');
        invocation.program == "ln" && invocation.known_arguments().any(|(_, word)| symbolic(word))
    }

    /// Whether it changes owner or mode of all that lies in a folder, and so copies that into its own layer.
    pub fn changes_all(&self) -> bool {
        let invocation = &self.ran.invocation;
        matches!(invocation.program.as_str(), "chgrp" | "chmod" | "chown")
            && invocation.flag(&["-R", "-hR", "-Rh", "--recursive"]).is_some()
    }

    /// The same command's first half alone, which touches no more than these dependencies say.
    pub fn half(&self, dependencies: &Dependencies, footprint: Footprint) -> Self {
        Self {
            ran: self.ran.clone(),
            footprint,
            ecosystem: self.ecosystem,
            dependencies: Some(Ok(Some(dependencies.clone()))),
            scripts: Vec::new(),
            loads: self.loads.clone(),
            gifts: self.gifts.clone(),
        }
    }
}

/// A step with its print, and for RUN and COPY what stands behind it.
#[derive(Default)]
pub struct StepPrint {
    /// The whole step.
    pub print: Print,
    /// For RUN: its commands in order.
    pub commands: Vec<CommandPrint>,
    /// For a COPY or ADD from the build context: what it lays where.
    pub copy: Option<ContextCopy>,
    /// It is a COPY or ADD from the build context.
    pub from_context: bool,
}

impl StepPrint {
    /// Whether it only removes build output that a print does not touch: then the two commute, although both run the manager.
    pub(super) fn only_removes_beside(&self, other: &Print) -> bool {
        let beside = |command: &CommandPrint| {
            let touched = || other.footprint.reads.areas.iter().chain(&other.footprint.writes.areas);
            let apart =
                |folder: &String| touched().all(|area| !is_within(area.path(), folder) && !is_within(folder, area.path()));
            command.removes_output().is_some_and(|folders| folders.iter().all(apart))
        };
        !self.commands.is_empty() && self.commands.iter().all(beside)
    }

    /// Reads a RUN that comes behind what `laid` holds. `invocations`: the commands of the stage's RUNs, its own the last ones.
    pub(super) fn of_run(stage: &Stage<'_>, step: &Step<'_>, laid: &Laid<'_>, view: &View, invocations: &[Invocation]) -> Self {
        let line = step.instruction.lines.0;
        let (ran, mounted) = match followed(step, view) {
            Ok(followed) => followed,
            Err(Some(why)) => return Self { print: running(step, Footprint::anything(why)), ..Self::default() },
            Err(None) => return Self::default(),
        };
        let project = mounted.over(laid);
        let before = invocations.len().saturating_sub(ran.len());
        let one = |(number, ran): (usize, &Ran)| {
            let earlier = invocations.get(..before + number).unwrap_or_default();
            command(stage, step, ran.clone(), &project, line, earlier)
        };
        let commands: Vec<CommandPrint> = ran.iter().enumerate().map(one).collect();
        let print = print_of(step, commands.iter(), &mounted.maps);
        Self { print, commands, ..Self::default() }
    }

    /// Whether `wanted` holds for a command of a RUN and what a package manager says of it. What else it touches is not looked at.
    pub(super) fn some_command(
        stage: &Stage<'_>,
        step: &Step<'_>,
        laid: &Laid<'_>,
        view: &View,
        invocations: &[Invocation],
        wanted: impl Fn(&Ran, &Asked) -> bool,
    ) -> bool {
        let Ok((commands, mounted)) = followed(step, view) else { return false };
        let project = mounted.over(laid);
        let before = invocations.len().saturating_sub(commands.len());
        commands.iter().enumerate().any(|(number, ran)| {
            let mut at = surroundings(&stage.image, &step.state, ran, invocations.get(..before + number).unwrap_or_default());
            at.workdir = ran.folder.clone();
            wanted(ran, &ask(ran, &at, &project))
        })
    }

    /// The print of some of the commands of a RUN.
    pub fn of_commands<'c>(step: &Step<'_>, commands: impl Iterator<Item = &'c CommandPrint>, view: &View) -> Print {
        let maps = Mounted::of(step, view).map(|mounted| mounted.maps).unwrap_or_default();
        print_of(step, commands, &maps)
    }

    /// Reads a COPY or ADD that comes behind what `laid` holds.
    pub(super) fn of_copy(step: &Step<'_>, laid: &Laid<'_>) -> Self {
        let instruction = step.instruction;
        let from_context = is_context_copy(instruction);
        let copy = if from_context { laid.read(step) } else { None };
        let to = instruction.arguments.values.last();
        let written = to.map_or(Knowledge::Unknown, |to| step.state.absolute(to));
        let handed = if copy.is_none() { laid.handed(step) } else { None };
        let writes = match (&copy, written) {
            _ if handed.is_some() => handed.as_ref().map(handed_places).unwrap_or_default(),
            (Some(copy), _) => laid_places(copy),
            // `COPY --from`, ADD of a URL or archive, and what can't be followed: anything below the destination.
            (None, Knowledge::Known(to)) => Region::of([Area::Below(to)]),
            (None, Knowledge::Unknown) => Region::anything(format!("where line {} copies to is not known", instruction.lines.0)),
        };
        let relative = to.is_some_and(|to| !to.starts_with(['/', '$']));
        let mut print = of_setting(step);
        print.footprint.writes = writes;
        print.needs.workdir = relative || to.is_some_and(|to| to.contains('$'));
        print.other_user = instruction.flag("chown").is_some() || instruction.flag("chmod").is_some();
        // A name is looked up in the image's own list of users.
        print.footprint.reads.system = instruction.flag("chown").is_some_and(|owner| owner.contains(|c: char| c.is_alphabetic()));
        Self { print, copy, from_context, commands: Vec::new() }
    }
}

/// All that a RUN does, and what it mounts. An error where that can't be told, with the reason; without one for what is no RUN.
fn followed(step: &Step<'_>, view: &View) -> Result<(Rc<[Ran]>, Mounted), Option<String>> {
    let run = step.run.as_ref().ok_or(None)?;
    let line = step.instruction.lines.0;
    match (&run.form, run.script.list()) {
        (Form::Other(language), _) => Err(Some(format!("line {line} is a script for {language}, which is not read"))),
        (Form::Shell, Err(error)) => Err(Some(format!("the script on line {line} can't be read as shell: {error}"))),
        _ => {
            let mounted = Mounted::of(step, view).ok_or_else(|| format!("what line {line} mounts is not known"))?;
            Ok((run.everything(&step.state), mounted))
        }
    }
}

/// The commands of a stage's RUNs, in order.
pub(super) struct Invocations {
    all: Vec<Invocation>,
    /// How many of them there are up to each step and with it.
    ends: Vec<usize>,
}

impl Invocations {
    /// Reads the RUNs that can be followed.
    pub(super) fn of(steps: &[Step<'_>], view: &View) -> Self {
        let mut invocations = Self { all: Vec::new(), ends: Vec::new() };
        for step in steps {
            if let Ok((ran, _)) = followed(step, view) {
                invocations.all.extend(ran.iter().map(|ran| ran.invocation.clone()));
            }
            invocations.ends.push(invocations.all.len());
        }
        invocations
    }

    /// Those up to a step and with it.
    pub(super) fn up_to(&self, step: usize) -> &[Invocation] {
        self.ends.get(step).and_then(|end| self.all.get(..*end)).unwrap_or_default()
    }
}

/// Where a copy lays something.
fn laid_places(copy: &ContextCopy) -> Region {
    let maps = copy.maps.iter().map(|map| match map.folder {
        true => Area::Below(map.to.clone()),
        false => Area::At(map.to.clone()),
    });
    Region::of(maps.chain(copy.unseen.iter().cloned().map(Area::Below)))
}

/// Where manifests of another stage come to lie.
fn handed_places(handed: &Handed) -> Region {
    let files = handed.copy.maps.iter().map(|map| &map.to).chain(&handed.made);
    Region::of(files.cloned().map(Area::At))
}

/// What a first half touches that does no more than these dependencies say.
pub fn of_half(
    (stage, step): (&Stage<'_>, &Step<'_>),
    ran: &Ran,
    project: &dyn Project,
    dependencies: &Dependencies,
    earlier: &[Invocation],
) -> Footprint {
    let mut at = surroundings(&stage.image, &step.state, ran, &[]);
    at.workdir = ran.folder.clone();
    let mut footprint = footprint::of_dependencies(ran, &at, project, dependencies);
    footprint.writes.system &= !may_not_write_system(&step.state.user, ran, earlier);
    footprint
}

/// Whose a command is, and what it reads of the project where a package manager knows.
pub type Asked = (Option<&'static dyn Ecosystem>, Option<Result<Option<Dependencies>, Entangled>>);

fn ask(ran: &Ran, at: &Surroundings<'_>, project: &dyn Project) -> Asked {
    let owner = ecosystems::of_program(&ran.invocation.program).find(|ecosystem| ecosystem.recognise(&ran.invocation).is_some());
    (owner, owner.map(|ecosystem| ecosystem.dependencies(&ran.invocation, at, project)))
}

fn command(
    stage: &Stage<'_>,
    step: &Step<'_>,
    ran: Ran,
    project: &dyn Project,
    line: usize,
    earlier: &[Invocation],
) -> CommandPrint {
    let mut at = surroundings(&stage.image, &step.state, &ran, earlier);
    at.workdir = ran.folder.clone();
    let (owner, dependencies) = ask(&ran, &at, project);
    let mut footprint = footprint::of_command(&ran, &at, project);
    if may_not_write_system(&step.state.user, &ran, earlier) && owner.is_some() {
        footprint.writes.system = false;
    }
    let builds = owner.is_some_and(|ecosystem| {
        ecosystem.runs_build_scripts() && matches!(ecosystem.recognise(&ran.invocation), Some(Activity::Install { .. }))
    });
    if builds {
        footprint.variables = Variables::All;
    }
    for region in [&mut footprint.reads, &mut footprint.writes] {
        if let Some(why) = region.anything.as_mut() {
            *why = format!("line {line}: {why}");
        }
    }
    let scripts = footprint::scripts_read(&ran, &at, project);
    let loads = loads::of(&ran.invocation, &at, &step.state.shell);
    footprint.reads.add(Region::of(loads.iter().filter_map(Load::file)));
    let gifts = if footprint.writes.anything.is_none() { Gift::of(&ran, &at, &step.state) } else { Vec::new() };
    CommandPrint { ran, footprint, ecosystem: owner, dependencies, scripts, loads, gifts }
}

fn print_of<'c>(step: &Step<'_>, commands: impl Iterator<Item = &'c CommandPrint>, mounted: &[Map]) -> Print {
    let (mut footprint, mut makes, mut rewrites) = (Footprint::default(), Vec::new(), Vec::new());
    let mut modes = false;
    let mut loads: Vec<Load> = Vec::new();
    let (mut gifts, mut besides) = (Vec::new(), Footprint::default());
    for command in commands {
        footprint.add(command.footprint.clone());
        besides.add(if command.gifts.is_empty() { command.footprint.clone() } else { Gift::besides(&command.footprint) });
        gifts.extend(command.gifts.iter().cloned());
        modes |= sets_modes(&command.ran.invocation);
        loads.extend(command.loads.iter().filter(|load| !loads.contains(load)).cloned().collect::<Vec<_>>());
        if let Some(Ok(Some(dependencies))) = &command.dependencies {
            makes.extend(dependencies.makes.iter().cloned());
            rewrites.extend(dependencies.rewrites.iter().cloned());
        }
    }
    // What a mount brings needs no copy.
    for own in [&mut footprint, &mut besides] {
        own.reads.areas.retain(|area| !mounted.iter().any(|map| map.back(area.path()).is_some()));
    }
    let mut print = Print { makes, rewrites, loads, gifts, besides, ..running(step, footprint) };
    print.other_user |= modes;
    print
}

/// Whether folders that it makes have another mode than those that a COPY makes.
fn sets_modes(invocation: &Invocation) -> bool {
    let mode = || invocation.known_arguments().any(|(_, word)| word.starts_with("-m") || word.starts_with("--mode"));
    invocation.program == "umask" || matches!(invocation.program.as_str(), "mkdir" | "install") && mode()
}

fn running(step: &Step<'_>, footprint: Footprint) -> Print {
    Print {
        footprint,
        needs: Settings { workdir: true, user: true, shell: true },
        runs: true,
        in_flags: step.instruction.flags.iter().flat_map(|flag| mentioned(flag.value())).collect(),
        other_user: step.state.user != User::Root,
        ..Print::default()
    }
}

/// An instruction that makes settings, or touches nothing.
pub(super) fn of_setting(step: &Step<'_>) -> Print {
    let instruction = step.instruction;
    let mut print = Print { other_user: step.state.user != User::Root, ..Print::default() };
    print.footprint.variables = Variables::Named(mentioned(instruction.arguments_text()));
    if let Variables::Named(names) = &mut print.footprint.variables {
        names.extend(instruction.flags.iter().flat_map(|flag| mentioned(flag.value())));
    }
    let values = &instruction.arguments.values;
    match instruction.keyword {
        Keyword::Env => print.sets.extend(values.chunks(2).filter_map(|pair| pair.first().cloned())),
        Keyword::Arg => print.sets.extend(values.iter().map(|value| value.split('=').next().unwrap_or(value).to_owned())),
        Keyword::Workdir => {
            print.changes.workdir = true;
            print.needs.user = true;
            print.needs.workdir = values.first().is_some_and(|value| !value.starts_with('/'));
            let folder = values.first().map_or(Knowledge::Unknown, |value| step.state.absolute(value));
            print.footprint.writes = match folder {
                Knowledge::Known(folder) => Region::of([Area::At(folder)]),
                Knowledge::Unknown => Region::anything(format!("the folder on line {} is not known", instruction.lines.0)),
            };
        }
        Keyword::User => print.changes.user = true,
        Keyword::Shell => print.changes.shell = true,
        Keyword::Unknown => print.footprint = Footprint::anything(format!("line {} is not known", instruction.lines.0)),
        _ => {}
    }
    print
}

impl Print {
    /// The print of an ENV or ARG as if it set these of its variables alone; `pairs` are indexes of what it sets.
    pub fn of_pairs(step: &Step<'_>, pairs: &[usize]) -> Self {
        let mut print = of_setting(step);
        let each = if step.instruction.keyword == Keyword::Env { 2 } else { 1 };
        let own: Vec<&[String]> = step.instruction.arguments.values.chunks(each).collect();
        let own = pairs.iter().filter_map(|pair| own.get(*pair)).copied();
        let name = |pair: &[String]| Some(pair.first()?.split('=').next()?.to_owned());
        print.sets = own.clone().filter_map(name).collect();
        print.footprint.variables = Variables::Named(own.flatten().flat_map(|text| mentioned(text)).collect());
        print
    }
}

/// The variables that a text names.
pub fn mentioned(text: &str) -> BTreeSet<String> {
    text.split('$')
        .skip(1)
        .map(|rest| rest.strip_prefix('{').unwrap_or(rest))
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The setting that WORKDIR changes, in words.
const WORKDIR: &str = "the work folder";

/// What every command hangs on, whatever its footprint says.
const OF_EVERY_COMMAND: &[&str] =
    &["PATH", "HOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "SHELL", "BASH_ENV", "ENV", "IFS", "LANG", "LC_ALL", "UMASK"];

impl Print {
    /// Whether it hangs on the variable's value. `carried` tells of more names that they carry a value of the project's own.
    fn reads_variable(&self, name: &str, carried: &dyn Fn(&str) -> bool) -> bool {
        let named = match &self.footprint.variables {
            Variables::All => true,
            Variables::Tools(names) => names.contains(name) || !(is_volatile(name) || carried(name)),
            Variables::Named(names) => names.contains(name),
        };
        named || self.in_flags.contains(name) || self.runs && OF_EVERY_COMMAND.contains(&name)
    }

    /// The same with a USER of its own in front of it: then the accounts must be there.
    pub(super) fn with_own_user(&self) -> Self {
        let mut own = self.clone();
        own.needs.user = false;
        own.footprint.reads.add(Region::of(["/etc/passwd", "/etc/group"].map(|file| Area::At(file.to_owned()))));
        own
    }

    /// Whether all it does to files is to make its work folder where that is missing.
    pub fn only_makes_workdir(&self) -> bool {
        self.changes.workdir
    }

    /// Whether the place of a COPY hangs on the work folder alone, so that an absolute destination would free it.
    pub fn hangs_on_workdir_alone(&self, setting: &str) -> bool {
        !self.runs && !self.changes.workdir && setting == WORKDIR
    }

    /// The variables that it sets.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().map(String::as_str)
    }

    /// Why this step and one behind it may not change places as far as settings go; `None` when they may.
    pub fn settings_clash(&self, behind: &Self) -> Option<String> {
        self.settings_clash_carrying(behind, &|_| false)
    }

    /// The same where it is known of more variables that they carry a value of the project's own, like a commit.
    pub fn settings_clash_carrying(&self, behind: &Self, carried: &dyn Fn(&str) -> bool) -> Option<String> {
        let variable = |setter: &Self, reader: &Self| {
            let meets = |name: &&str| reader.reads_variable(name, carried) || reader.sets.contains(*name);
            setter.sets().find(meets).map(str::to_owned)
        };
        if let Some(name) = variable(self, behind).or_else(|| variable(behind, self)) {
            return Some(format!("the value of {name}"));
        }
        let meet = |changes: Settings, other: &Self| match () {
            () if changes.workdir && (other.needs.workdir || other.changes.workdir) => Some(WORKDIR),
            () if changes.user && (other.needs.user || other.changes.user) => Some("the user"),
            () if changes.shell && (other.needs.shell || other.changes.shell) => Some("the shell"),
            () => None,
        };
        meet(self.changes, behind).or_else(|| meet(behind.changes, self)).map(str::to_owned)
    }
}
