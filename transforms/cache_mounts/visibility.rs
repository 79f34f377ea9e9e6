//! The proof that nobody misses what a cache mount takes out of the layers.
//!
//! Owns: who put files under a folder before a step, and who reads them after it: RUN, COPY --from, mounts, CMD, ENTRYPOINT,
//! HEALTHCHECK, PATH, in the stage and in those built on it.

use super::usage::StepUse;
use crate::ecosystems::{Activity, CacheFolder, Ecosystem, Need};
use crate::knowledge::Knowledge;
use crate::model::paths::{self, Relation};
use crate::model::{Model, Ran, ReferenceKind, Step};
use crate::pipeline::Refusal;
use crate::syntax::Keyword;

/// What is looked at: one manager's folder, mounted in one step.
pub struct Question<'q> {
    /// The file.
    pub model: &'q Model<'q>,
    /// Every RUN of the file, by stage.
    pub uses: &'q [Vec<StepUse<'q>>],
    /// The manager.
    pub ecosystem: &'q dyn Ecosystem,
    /// The folder.
    pub folder: &'q CacheFolder,
    /// Where it would be mounted.
    pub at: &'q StepUse<'q>,
}

impl Question<'_> {
    /// Whether a mount may stand there.
    ///
    /// # Errors
    /// Who put files under the folder before, or reads them afterwards.
    pub fn ask(&self) -> Result<(), Refusal> {
        self.earlier_content()?;
        self.other_stages()?;
        for (stage, from) in self.later() {
            self.later_steps(stage, from)?;
        }
        Ok(())
    }

    /// The rest of the stage and, whole, the stages built on it.
    fn later(&self) -> Vec<(usize, usize)> {
        let mut later = vec![(self.at.stage, self.at.index + 1)];
        later.extend(self.model.built_on(self.at.stage).into_iter().map(|stage| (stage, 0)));
        later
    }

    fn steps(&self, stage: usize) -> &[Step<'_>] {
        self.model.stages.get(stage).map_or(&[], |stage| stage.steps.as_slice())
    }

    fn earlier_content(&self) -> Result<(), Refusal> {
        for stage in self.model.chain(self.at.stage) {
            let own = stage == self.at.stage;
            let end = if own { self.at.index } else { self.steps(stage).len() };
            for (index, step) in self.steps(stage).iter().enumerate().take(end) {
                if let Some(what) = self.puts_content(step).or_else(|| self.script_puts_content(stage, index)) {
                    let (target, line) = (self.folder.target.clone(), step.instruction.lines.0);
                    return Err(Refusal::EarlierContent { target, line, what });
                }
            }
        }
        Ok(())
    }

    /// A RUN that copies or unpacks into the folder.
    fn script_puts_content(&self, stage: usize, index: usize) -> Option<String> {
        const PUTTING: &[&str] = &["cp", "mv", "tar", "unzip", "rsync", "ln", "curl", "wget"];
        let item = self.uses.get(stage)?.iter().find(|item| item.index == index)?;
        let puts = |ran: &&Ran| {
            PUTTING.contains(&ran.invocation.program.as_str())
                && ran
                    .invocation
                    .known_arguments()
                    .any(|(_, word)| word.starts_with('/') && paths::is_within(word, &self.folder.target))
        };
        item.commands.iter().find(puts).map(|ran| format!("`{}`", ran.invocation.program))
    }

    /// COPY or ADD into the folder, or onto a folder above it that is the manager's own.
    fn puts_content(&self, step: &Step<'_>) -> Option<String> {
        if !matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add) {
            return None;
        }
        let destination = step.instruction.arguments.values.last()?;
        let destination = step.state.absolute(destination).into_known()?;
        let what = step.instruction.word.to_ascii_uppercase();
        match paths::relation(&destination, &self.folder.target) {
            Relation::Within => Some(what),
            Relation::Above if !self.is_general(&destination, step) => Some(what),
            _ => None,
        }
    }

    /// Whether a folder above the target is one that holds all sorts of things, so that a copy into it says nothing of the
    /// cache: the root, a home, the first levels of the system's own tree.
    fn is_general(&self, path: &str, step: &Step<'_>) -> bool {
        const GENERAL: &[&str] = &[
            "/",
            "/root",
            "/home",
            "/usr",
            "/usr/local",
            "/usr/local/share",
            "/usr/share",
            "/var",
            "/var/cache",
            "/var/lib",
            "/opt",
            "/tmp",
        ];
        GENERAL.contains(&path)
            || step.state.home().known().is_some_and(|home| home == path)
            || path.strip_prefix("/home/").is_some_and(|rest| !rest.contains('/'))
    }

    /// COPY --from and mounts of other stages that take the folder out of this one.
    fn other_stages(&self) -> Result<(), Refusal> {
        let mut holders = self.model.built_on(self.at.stage);
        holders.push(self.at.stage);
        for reference in self.model.references.iter().filter(|reference| holders.contains(&reference.of)) {
            let what = match reference.kind {
                ReferenceKind::Copy => "COPY --from",
                ReferenceKind::Mount => "RUN --mount",
                // The folder may be gone from the stage, and then the mount has nothing to start from.
                ReferenceKind::CacheSeed => "RUN --mount=type=cache,from=",
            };
            let step = self.at.step;
            let reads = reference.paths.iter().any(|path| match path {
                // A path that is not known may be the folder, but only where its content is of use at all.
                Knowledge::Unknown => self.folder.need == Need::ByLaterSteps,
                Knowledge::Known(path) => match paths::relation(path, &self.folder.target) {
                    Relation::Within => true,
                    Relation::Above => !self.is_general(path, step),
                    Relation::Apart => false,
                },
            });
            if reads {
                let target = self.folder.target.clone();
                return Err(Refusal::LaterReader { target, line: reference.line, what: what.to_owned() });
            }
        }
        Ok(())
    }

    fn later_steps(&self, stage: usize, from: usize) -> Result<(), Refusal> {
        let uses = self.uses.get(stage).map_or(&[][..], Vec::as_slice);
        for (index, step) in self.steps(stage).iter().enumerate().skip(from) {
            let line = step.instruction.lines.0;
            let reader = match step.instruction.keyword {
                Keyword::Run => match uses.iter().find(|item| item.index == index) {
                    Some(item) => self.run_reads(item)?,
                    None => None,
                },
                Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck if self.takes_effect(stage, index) => self.starts(step),
                Keyword::Env => self.path_names(step),
                _ => None,
            };
            if let Some(what) = reader {
                return Err(Refusal::LaterReader { target: self.folder.target.clone(), line, what });
            }
        }
        Ok(())
    }

    /// Only the last CMD (ENTRYPOINT, HEALTHCHECK) of a stage counts, and only if no stage built on it … has its own; the
    /// latter is left out: a stage may be a target itself.
    fn takes_effect(&self, stage: usize, index: usize) -> bool {
        let steps = self.steps(stage);
        let Some(keyword) = steps.get(index).map(|step| &step.instruction.keyword) else { return false };
        !steps.iter().skip(index + 1).any(|step| step.instruction.keyword == *keyword)
    }

    /// A later RUN that works from the folder: offline, or by naming it.
    fn run_reads(&self, item: &StepUse<'_>) -> Result<Option<String>, Refusal> {
        if self.folder.need == Need::ByLaterSteps
            && let Some((ran, _)) = item.of(self.ecosystem).find(|(_, activity)| *activity == Activity::Offline)
        {
            return Err(Refusal::Offline { line: item.line(), what: item.quoted(ran) });
        }
        Ok(item
            .commands
            .iter()
            .find(|ran| names_folder(ran, item, &self.folder.target))
            .map(|ran| format!("`{}`", ran.invocation.program)))
    }

    /// CMD, ENTRYPOINT or HEALTHCHECK that names the folder, or runs a program that works from it.
    fn starts(&self, step: &Step<'_>) -> Option<String> {
        let values = &step.instruction.arguments.values;
        let words: Vec<&str> = values.iter().flat_map(|value| value.split_whitespace()).collect();
        let what = step.instruction.word.to_ascii_uppercase();
        if words.iter().any(|word| word.starts_with('/') && paths::is_within(word, &self.folder.target)) {
            return Some(what);
        }
        if self.folder.need == Need::Never {
            return None;
        }
        let program = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
        let reads = words
            .iter()
            .map(|word| program(word))
            .find(|word| self.ecosystem.programs().contains(&word.as_str()) || self.ecosystem.readers().contains(&word.as_str()));
        reads.map(|program| format!("{what} ({program})"))
    }

    /// `ENV PATH=…` that holds the folder.
    fn path_names(&self, step: &Step<'_>) -> Option<String> {
        let pairs = step.instruction.arguments.values.chunks_exact(2);
        let mut paths = pairs.filter(|pair| pair.first().is_some_and(|name| name == "PATH")).filter_map(|pair| pair.last());
        paths
            .any(|value| value.split(':').any(|part| paths::is_within(part.trim_matches('"'), &self.folder.target)))
            .then(|| "ENV PATH".to_owned())
    }

    /// Later RUNs of the stage (and of those built on it) that would fetch again without the mount: scripts and build tools that
    /// may call the manager.
    pub fn readers_without_own_use<'u>(&'u self) -> Vec<&'u StepUse<'u>> {
        if self.folder.need == Need::Never {
            return Vec::new();
        }
        let mut readers = Vec::new();
        for (stage, from) in self.later() {
            let uses = self.uses.get(stage).map_or(&[][..], Vec::as_slice);
            readers.extend(uses.iter().filter(|item| item.index >= from && self.may_call(item)));
        }
        readers
    }

    /// Whether a later RUN works from the folder: the manager's own, or one that may call it.
    pub fn has_consumer(&self) -> bool {
        self.later().into_iter().any(|(stage, from)| {
            let uses = self.uses.get(stage).map_or(&[][..], Vec::as_slice);
            uses.iter().any(|item| item.index >= from && (item.of(self.ecosystem).next().is_some() || self.may_call(item)))
        }) || self.at.commands.iter().any(is_script)
    }

    fn may_call(&self, item: &StepUse<'_>) -> bool {
        !item.fetches(self.ecosystem)
            && item
                .commands
                .iter()
                .any(|ran| is_script(ran) || self.ecosystem.readers().contains(&ran.invocation.program.as_str()))
    }
}

/// A program out of the project, or a file run by a shell: what it does is not known.
pub fn is_script(ran: &Ran) -> bool {
    let invocation = &ran.invocation;
    if matches!(invocation.program.as_str(), "source" | ".") {
        // Settings of a shell or an environment, which define and run nothing of the project.
        const SETTINGS: &[&str] = &[
            "nvm.sh",
            "activate",
            "os-release",
            ".bashrc",
            ".profile",
            "env",
            "sdkman-init.sh",
            "conda.sh",
            "rvm",
            "lsb-release",
        ];
        return !SETTINGS.contains(&invocation.argument(0).rsplit('/').next().unwrap_or_default());
    }
    if matches!(invocation.program.as_str(), "sh" | "bash" | "ash" | "dash" | "zsh") {
        // `sh -c '…'` was looked into already.
        return !invocation.known_arguments().any(|(_, value)| value.starts_with('-') && value.ends_with('c'));
    }
    invocation.path.starts_with("./") || invocation.path.starts_with("../") || invocation.program.ends_with(".sh")
}

/// Commands that may name a folder without reading what is in it.
const HARMLESS: &[&str] = &[
    "rm", "mkdir", "chown", "chmod", "chgrp", "echo", "printf", "export", "ls", "du", "test", "[", "rmdir", "cd", "true",
    "install", "find", "env", "set", "unset", "touch", "git",
];

/// Whether a command other than a cleanup names the folder, something in it, or (to copy it) a folder of the manager above it.
fn names_folder(ran: &Ran, item: &StepUse<'_>, target: &str) -> bool {
    let program = ran.invocation.program.as_str();
    if HARMLESS.contains(&program) {
        return false;
    }
    let copies = matches!(program, "cp" | "mv" | "tar" | "rsync" | "zip" | "ln");
    ran.invocation.known_arguments().filter(|(_, value)| value.starts_with('/')).any(|(_, value)| {
        match paths::relation(value, target) {
            Relation::Within => true,
            Relation::Above => {
                copies && value.matches('/').count() > 1 && item.step.state.home().known().is_none_or(|home| home != value)
            }
            Relation::Apart => false,
        }
    })
}

/// Whether another command of the same RUN takes the folder's content into the layer.
pub fn copied_in_step(item: &StepUse<'_>, ecosystem: &dyn Ecosystem, target: &str) -> Option<String> {
    let own: Vec<usize> =
        item.uses.iter().filter(|used| used.ecosystem.id() == ecosystem.id()).map(|used| used.command).collect();
    let reads = |(index, ran): &(usize, &Ran)| !own.contains(index) && names_folder(ran, item, target);
    item.commands.iter().enumerate().find(reads).map(|(_, ran)| format!("`{}`", ran.invocation.program))
}

/// Whether a stage starts from Windows.
pub fn is_windows(model: &Model<'_>, stage: usize) -> bool {
    let Some(stage) = model.stages.get(stage) else { return false };
    let name = stage.image.reference.known().map_or("", String::as_str).to_ascii_lowercase();
    ["windows", "nanoserver", "servercore", "ltsc"].iter().any(|word| name.contains(word))
}

/// Whether a command cleans the folder or one above it.
pub fn is_cleaner(ran: &Ran, target: &str) -> bool {
    ran.invocation.program == "rm"
        && ran
            .invocation
            .known_arguments()
            .any(|(_, value)| value.starts_with('/') && paths::relation(value, target) != Relation::Apart)
}
