//! Manifests that one stage hands to another: `COPY --from=build /app/package.json ./`.
//!
//! Owns: following such a file back to the build context, where a copy laid it in its stage and no step there names it, and telling
//! that it is a file where a step made it (`package-lock.json`). Never does: follow more than one stage, folders, or what is no
//! manifest: a build may change them in any way.

use super::brought::{ContextCopy, Laid, Map};
use super::{Model, Step};
use crate::context::View;
use crate::ecosystems::{Found, Project, absolute};
use crate::knowledge::Knowledge;
use crate::syntax::Keyword;

/// What a COPY from another stage lays, where all of it is manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Files of the context, as they are there.
    pub copy: ContextCopy,
    /// Image paths of files that the other stage makes, or may have changed.
    pub made: Vec<String>,
}

/// The names of manifests, lock files and settings of Node.js projects, with the pattern that people write for the first two.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "package.json", "package-lock.json", "package*.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "pnpm-workspace.yaml",
    ".npmrc", ".yarnrc", ".yarnrc.yml",
];

/// Whether a path (or a pattern of paths) means such a file, by its name.
pub fn is_manifest(path: &str) -> bool {
    NAMES.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// Commands that write a package.json without naming it.
const WRITE_PACKAGE_JSON: &[&str] =
    &["npm pkg", "npm version", "npm init", "npm set-script", "yarn version", "lerna ", "changeset", "ncu", "npm-check-updates"];

/// Reads a COPY from another stage. `is_folder` says of absolute image paths whether they are known to be folders.
pub fn read(model: &Model<'_>, step: &Step<'_>, view: &View, is_folder: &dyn Fn(&str) -> bool) -> Option<Handed> {
    let instruction = step.instruction;
    if instruction.keyword != Keyword::Copy || ["parents", "exclude"].iter().any(|flag| instruction.flag(flag).is_some()) {
        return None;
    }
    let stage = model.stage_named(instruction.flag("from")?)?;
    let (last, sources) = instruction.arguments.values.split_last()?;
    if !sources.iter().all(|source| is_manifest(source)) {
        return None;
    }
    let written = step.state.lookup_text(last)?;
    let to = absolute(&written, &step.state.workdir).into_known()?;
    let mut found = Vec::new();
    let there = Stage::of(model, stage, view);
    for (index, source) in sources.iter().enumerate() {
        let source = absolute(&step.state.lookup_text(source)?, &Knowledge::Known("/".to_owned())).into_known()?;
        found.extend(there.files(&source)?.into_iter().map(|file| (index, file)));
    }
    let into_folder = written.ends_with('/')
        || written == "."
        || written.ends_with("/.")
        || found.len() > 1
        || step.state.workdir.known() == Some(&to)
        || is_folder(&to);
    let mut handed = Handed { copy: ContextCopy { maps: Vec::new(), unseen: Vec::new() }, made: Vec::new() };
    for (source, path) in found {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let to = if into_folder { format!("{}/{name}", to.trim_end_matches('/')) } else { to.clone() };
        match there.from(&path) {
            Some(from) => handed.copy.maps.push(Map { from, to, folder: false, source }),
            None => handed.made.push(to),
        }
    }
    Some(handed)
}

/// The stage that hands them over.
struct Stage<'v> {
    laid: Laid<'v>,
    /// What may have laid or changed a file, in order.
    events: Vec<Event>,
}

enum Event {
    Copy(ContextCopy),
    /// The script of a RUN.
    Run(String),
}

impl<'v> Stage<'v> {
    fn of(model: &Model<'_>, stage: usize, view: &'v View) -> Self {
        let mut own = Self { laid: Laid::new(view), events: Vec::new() };
        let steps = model.chain(stage).into_iter().filter_map(|link| model.stages.get(link)).flat_map(|stage| &stage.steps);
        for step in steps {
            own.events.extend(own.laid.read(step).map(Event::Copy));
            own.laid.after(step);
            own.events.extend(step.run.as_ref().map(|run| Event::Run(run.text().to_owned())));
        }
        own
    }

    /// The files that a source stands for; `None` where it may stand for other things than manifests.
    fn files(&self, source: &str) -> Option<Vec<String>> {
        let (folder, name) = source.rsplit_once('/')?;
        if folder.contains(['*', '?', '[']) {
            return None;
        }
        let Some((start, end)) = name.split_once('*') else {
            let plain = !name.contains(['?', '[']) && self.laid.look(source) != Found::Folder;
            return plain.then(|| vec![source.to_owned()]);
        };
        if [start, end].iter().any(|part| part.contains(['*', '?', '['])) {
            return None;
        }
        let fits = |own: &String| own.len() >= start.len() + end.len() && own.starts_with(start) && own.ends_with(end);
        let folder = if folder.is_empty() { "/" } else { folder };
        let paths = self.laid.names(folder).into_iter().filter(fits).map(|own| format!("{}/{own}", folder.trim_end_matches('/')));
        let paths: Vec<String> = paths.collect();
        // A pattern may bring more than the context has, but nothing that does not fit it.
        (!paths.is_empty()).then_some(paths)
    }

    /// The context path of a file, where no step that stands below its copy names it.
    fn from(&self, path: &str) -> Option<String> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit('.').next().unwrap_or(name);
        let any = format!("*.{ending}");
        let names = |script: &str| {
            script.contains(name)
                || script.contains(&any)
                || name == "package.json" && WRITE_PACKAGE_JSON.iter().any(|words| script.contains(words))
        };
        let from = self.laid.back(path).filter(|_| self.laid.look(path) == Found::File)?;
        let lays = |copy: &ContextCopy| copy.maps.iter().any(|map| map.back(path).as_ref() == Some(&from));
        let below = self.events.iter().rev().take_while(|event| !matches!(event, Event::Copy(copy) if lays(copy)));
        let changed = below.filter_map(|event| match event {
            Event::Run(script) => Some(script),
            Event::Copy(_) => None,
        });
        let changed = changed.into_iter().any(|script| names(script));
        (!changed).then_some(from)
    }
}
