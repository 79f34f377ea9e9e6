//! # What it does
//! Creates or completes the ignore file of a build context that is copied whole: version control data, dependency folders and build
//! output of the languages found, caches, logs and editors' files.
//!
//! # Why
//! What the ignore file does not name comes with `COPY . .`: it makes the copy, and all steps behind it, run again when it changes, and
//! lies in the image.
//!
//! # Example
//! Before, with a `package.json` and a `.git` folder beside it and no `.dockerignore`:
//! ```dockerfile
//! FROM node:20
//! WORKDIR /app
//! COPY . .
//! CMD ["node", "index.js"]
//! ```
//! After: the Dockerfile stays, and `.dockerignore` names `.git`, `**/node_modules` and their like:
//! ```dockerfile
//! FROM node:20
//! WORKDIR /app
//! COPY . .
//! CMD ["node", "index.js"]
//! ```
//!
//! # Safety
//! Unsafe, always: the image then lacks what is ignored. (What a moved install makes itself is ignored by `split-dependency-copy`, in
//! the same fix.) A path that git tracks is never ignored, nor one that a COPY of any Dockerfile of the context names, nor, where there
//! is no git to ask, one that is there. Version control data stays where a manifest, a script or a RUN is known to read it. Comments and
//! order of an existing file are kept; patterns come at its end.
//!
//! # References
//! The Docker manual on build contexts, ".dockerignore files".

use super::rising;
use crate::context::View;
use crate::ecosystems::leftovers;
use crate::edit::{Applicability, Fix};
use crate::knowledge::Knowledge;
use crate::model::order::Order;
use crate::pipeline::{Meta, Place, Refusal, Scene, Transform, copied};
use crate::syntax::{Instruction, Keyword};

/// See the module.
pub struct Dockerignore;

/// A copy of the whole context.
pub struct Site {
    at: usize,
    patterns: Vec<String>,
    notes: Vec<String>,
}

impl Transform for Dockerignore {
    type Site = Site;
    const META: Meta = Meta {
        id: "dockerignore",
        summary: "completes the ignore file of a context that is copied whole",
        source: include_str!("dockerignore.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        let (Some(view), Some(place)) = (&scene.view, &scene.options.place) else { return Vec::new() };
        if !rising::has_context_copy(scene.dockerfile) {
            return Vec::new();
        }
        let model = scene.model_with_named_workdirs();
        let orders = (0..model.stages.len()).filter_map(|stage| Order::new(model, stage, view));
        let whole = orders.filter_map(|order| whole_copy(&order)).next();
        let Some(at) = whole else { return Vec::new() };
        let names = view.names("");
        let history = reads_history(scene, view, place, &names);
        let (usual, some) = leftovers::of_project(&view.files_below(""));
        let usual = usual.into_iter().filter(|pattern| *pattern != ".git" || history.is_none());
        let there = some.into_iter().filter(|pattern| !hidden_by(view, pattern).is_empty());
        let mut notes: Vec<String> = history.iter().map(|who| format!(".git is not ignored: {who} reads it")).collect();
        let mut patterns: Vec<String> = Vec::new();
        for pattern in usual.chain(there).filter(|pattern| is_free(view, pattern)) {
            match copied(scene.dockerfile, scene.options, std::slice::from_ref(&pattern)) {
                None => patterns.push(pattern),
                Some(by) => notes.push(format!("{pattern} is not ignored: {by} copies it")),
            }
        }
        if patterns.is_empty() {
            return Vec::new();
        }
        vec![Site { at, patterns, notes }]
    }

    fn place(&self, site: &Site) -> usize {
        site.at
    }

    fn propose(&self, _scene: &Scene<'_>, site: &Site) -> Result<Fix, Refusal> {
        Ok(Fix {
            title: format!("keep {} out of the build context", site.patterns.join(", ")),
            edits: Vec::new(),
            applicability: Applicability::Unsafe,
            notes: site.notes.clone(),
            removes_comments: Vec::new(),
            moves: false,
            ignores: site.patterns.clone(),
        })
    }
}

/// Where a stage copies the root of the context.
fn whole_copy(order: &Order<'_>) -> Option<usize> {
    (0..order.steps.len()).find_map(|index| {
        let copy = order.print(index)?.copy.as_ref()?;
        let whole = copy.maps.iter().any(|map| map.folder && map.from.is_empty());
        whole.then(|| order.steps.get(index).map(|step| step.instruction.span.start))?
    })
}

/// Whether a pattern hides nothing that is tracked, or that may be, and is not in force already.
fn is_free(view: &View, pattern: &str) -> bool {
    let plain = pattern.trim_start_matches("**/");
    let example = plain.replace('*', "x");
    if view.is_ignored(&example) || view.exception_for(plain).is_some() {
        return false;
    }
    let (_, text) = view.ignore_file();
    let text = text.as_deref().unwrap_or_default();
    if text.lines().any(|line| line.trim().trim_end_matches('/') == pattern) {
        return false;
    }
    hidden_by(view, pattern).iter().all(|file| view.is_tracked(file) == Knowledge::Known(false))
}

/// The files that a pattern would hide.
fn hidden_by(view: &View, pattern: &str) -> Vec<String> {
    let (_, text) = view.ignore_file();
    let hidden = view.with_ignore(&format!("{}\n{pattern}\n", text.as_deref().unwrap_or_default()));
    view.files_below("").into_iter().filter(|file| hidden.is_ignored(file)).collect()
}

/// Who in the build reads version control data.
fn reads_history(scene: &Scene<'_>, view: &View, place: &Place, names: &[String]) -> Option<String> {
    let in_runs = |instruction: &Instruction| {
        let runs = instruction.keyword == Keyword::Run;
        runs.then(|| leftovers::reads_history(instruction.logical.as_str())).flatten()
    };
    let own = scene.dockerfile.instructions().find_map(|one| Some(format!("`{}` on line {}", in_runs(one)?, one.lines.0)));
    let others = place.others.iter().find_map(|other| Some(format!("`{}` in {}", other.reads_history()?, other.name)));
    let ignores = |name: &str| name.starts_with('.') && name.ends_with("ignore");
    let in_files =
        names.iter().filter(|name| !ignores(name) && view.kind(name) == Some(crate::context::Kind::File)).find_map(|name| {
            let text = view.text(name).into_known()?;
            Some(format!("`{}` in {name}", leftovers::reads_history(&text)?))
        });
    let stamped =
        scene.dockerfile.instructions().find(|one| one.keyword == Keyword::Run && leftovers::stamps_builds(one.logical.as_str()));
    own.or(others).or(in_files).or_else(|| stamped.map(|one| format!("the build on line {}", one.lines.0)))
}
