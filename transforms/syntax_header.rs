//! # syntax-header
//!
//! ## What it does
//! Puts `# syntax=docker/dockerfile:1` on top of a file that uses something which an old builder's own frontend lacks, or raises a
//! pinned tag that is too old for it, just enough.
//!
//! ## Why
//! Cache mounts, heredocs, `COPY --link` and the like are read by the Dockerfile frontend. A builder's built-in one may be years
//! old; the line makes it fetch one that knows them, and the file builds alike everywhere.
//!
//! ## Example
//! ```dockerfile
//! FROM python:3.12-slim
//! COPY requirements.txt .
//! RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
//! ```
//! becomes
//! ```dockerfile
//! # syntax=docker/dockerfile:1
//! FROM python:3.12-slim
//! COPY requirements.txt .
//! RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
//! ```
//!
//! ## Safety
//! Safe where the builder can pull the frontend's image; where no registry can be reached, `--syntax off` leaves the line out, and
//! `--syntax REFERENCE` names another. A line that is there stays: custom frontends, `labs` channels and digests are never touched,
//! and a pinned tag is raised only when the file uses what came later. It never lowers to unsafe, and leaves a
//! tag alone that it can't read.
//!
//! ## References
//! The Dockerfile reference, "Parser directives"; the release notes of the Dockerfile frontend for what came when: mounts and
//! secrets with 1.2, heredocs, `--link` and `--chmod` with 1.4 (`--chmod` 1.2), `ADD --checksum` with 1.6, `COPY --parents` and
//! `--exclude` with 1.20 and 1.19 in the stable channel.

use crate::edit::{Applicability, Edit, Fix};
use crate::pipeline::{Meta, Refusal, Scene, Transform};
use crate::syntax::{Dockerfile, Instruction, Keyword};
use std::ops::Range;

/// The transform.
pub struct SyntaxHeader;

/// What is to be done with the header.
pub enum Site {
    /// There is none, and something needs one.
    Missing {
        /// Where the line goes.
        at: usize,
        /// What needs it.
        because: &'static str,
    },
    /// A tag older than what the file uses.
    TooOld {
        /// The tag's bytes.
        tag: Range<usize>,
        /// The tag that knows it.
        wanted: String,
        /// What needs it.
        because: &'static str,
    },
}

/// Something that came to the frontend with a minor release of 1.
type Feature = (u32, &'static str);

impl Transform for SyntaxHeader {
    type Site = Site;
    const META: Meta = Meta {
        id: "syntax-header",
        summary: "Names a Dockerfile frontend that knows what the file uses",
        source: include_str!("syntax_header.rs"),
    };

    fn detect(&self, scene: &Scene<'_>) -> Vec<Site> {
        let dockerfile = scene.dockerfile;
        if scene.options.syntax.is_none() {
            return Vec::new();
        }
        let Some((minor, because)) = dockerfile.instructions().filter_map(newest_feature).max() else { return Vec::new() };
        match dockerfile.frontend() {
            Some(value) => {
                too_old(dockerfile, value, minor).map(|(tag, wanted)| Site::TooOld { tag, wanted, because }).into_iter().collect()
            }
            None => dockerfile.place_of_frontend().map(|at| Site::Missing { at, because }).into_iter().collect(),
        }
    }

    fn place(&self, site: &Site) -> usize {
        match site {
            Site::Missing { at, .. } => *at,
            Site::TooOld { tag, .. } => tag.start,
        }
    }

    fn propose(&self, scene: &Scene<'_>, site: &Site) -> Result<Fix, Refusal> {
        let (title, edit) = match site {
            Site::Missing { at, because } => {
                let reference = scene.options.syntax.as_deref().unwrap_or("docker/dockerfile:1");
                let line = format!("# syntax={reference}{}", scene.dockerfile.line_end());
                (format!("name a frontend that knows {because}"), Edit::insert(*at, line))
            }
            Site::TooOld { tag, wanted, because } => {
                (format!("raise the frontend to {wanted}, which knows {because}"), Edit::replace(tag.clone(), wanted.clone()))
            }
        };
        Ok(Fix {
            title,
            edits: vec![edit],
            applicability: Applicability::Safe,
            notes: Vec::new(),
            removes_comments: Vec::new(),
            moves: false,
            ignores: Vec::new(),
        })
    }
}

/// The newest thing that an instruction uses, with the minor release of frontend 1 in which it came. Nothing for what every
/// frontend knows.
fn newest_feature(instruction: &Instruction) -> Option<Feature> {
    let instruction = instruction.trigger.as_deref().unwrap_or(instruction);
    let mut features: Vec<Feature> = Vec::new();
    if !instruction.heredocs.is_empty() {
        features.push((4, "heredocs"));
    }
    let copies = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
    for flag in &instruction.flags {
        let feature = match (&instruction.keyword, flag.name()) {
            (Keyword::Run, "mount") => (2, "cache mounts"),
            (Keyword::Run, "network" | "security") => (3, "RUN --network"),
            (Keyword::Run, "device") => (14, "RUN --device"),
            (_, "chmod") if copies => (2, "COPY --chmod"),
            (_, "link") if copies => (4, "COPY --link"),
            (Keyword::Add, "keep-git-dir") => (5, "ADD --keep-git-dir"),
            (Keyword::Add, "checksum") => (6, "ADD --checksum"),
            (_, "exclude") if copies => (19, "COPY --exclude"),
            (_, "parents") if copies => (20, "COPY --parents"),
            (Keyword::Add, "unpack") => (17, "ADD --unpack"),
            (Keyword::Healthcheck, "start-interval") => (6, "HEALTHCHECK --start-interval"),
            _ => continue,
        };
        features.push(feature);
    }
    features.into_iter().max()
}

/// The bytes of a pinned tag below 1.`minor`, and the tag to write. Only of Docker's own stable frontend, without digest.
fn too_old(dockerfile: &Dockerfile, value: Range<usize>, minor: u32) -> Option<(Range<usize>, String)> {
    let reference = dockerfile.slice(value.clone());
    let (name, tag) = reference.rsplit_once(':')?;
    let is_stable = matches!(name.trim_start_matches("docker.io/"), "docker/dockerfile");
    if !is_stable || tag.contains(['@', '/', '-']) {
        return None;
    }
    let parts: Vec<&str> = tag.split('.').collect();
    let numbers: Vec<u32> = parts.iter().map_while(|part| part.parse().ok()).collect();
    match (numbers.as_slice(), numbers.len() == parts.len()) {
        ([1, pinned, ..], true) if *pinned < minor => {
            let wanted = if parts.len() > 2 { format!("1.{minor}.0") } else { format!("1.{minor}") };
            Some((value.end - tag.len()..value.end, wanted))
        }
        _ => None,
    }
}
