//! The run to the fixpoint.
//!
//! Owns: collecting findings, joining fixes, applying, and going back when a guard fails or texts repeat.

use super::ignores::{self, Ignores};
use super::trail::Trail;
use super::worth::Worth;
use super::{Applied, Culprit, Finding, Options, Outcome, Refusal, Refused, Rule, Scene, Stop, guards};
use crate::context::View;
use crate::edit::{Applicability, EditSet, Fix};
use crate::syntax::{self, Dockerfile};

/// More passes than any chain of fixes needs.
const MOST_PASSES: usize = 20;

/// Runs `rules` over `text` until nothing changes.
pub fn run(text: &str, options: &Options, rules: &[&dyn Rule]) -> Outcome {
    let dockerfile = syntax::parse(text);
    if !dockerfile.errors.is_empty() {
        return Run::new(text, options).outcome(text.to_owned(), 0, Stop::Broken);
    }
    Run::new(text, options).until_fixpoint(dockerfile, options, rules)
}

fn is_asked_for(id: &str, options: &Options) -> bool {
    let names = |list: &[String]| list.iter().any(|name| name == id);
    !names(&options.skip) && (options.only.is_empty() || names(&options.only))
}

/// A fix on its way into the text.
struct Candidate {
    fix: Fix,
    note: Applied,
}

struct Run<'a> {
    before: &'a str,
    trail: Trail<'a>,
    ignores: Option<Ignores>,
    applied: Vec<Applied>,
    refused: Vec<Refused>,
    remaining: Vec<Applied>,
    culprits: Vec<Culprit>,
}

impl<'a> Run<'a> {
    fn new(before: &'a str, options: &Options) -> Self {
        let ignores = options.place.as_ref().map(|place| Ignores::new(&place.view));
        Self {
            before,
            trail: Trail::new(before),
            ignores,
            applied: Vec::new(),
            refused: Vec::new(),
            remaining: Vec::new(),
            culprits: Vec::new(),
        }
    }

    fn outcome(self, after: String, passes: usize, stop: Stop) -> Outcome {
        let Self { before, trail: _, ignores, applied, refused, remaining, culprits } = self;
        let ignore = ignores.and_then(Ignores::change);
        Outcome { before: before.to_owned(), after, ignore, applied, refused, remaining, culprits, passes, stop }
    }

    /// Gives the original back: what was applied on the way counts for nothing.
    fn give_up(mut self, passes: usize, stop: Stop) -> Outcome {
        self.applied.clear();
        self.ignores = None;
        let before = self.before.to_owned();
        self.outcome(before, passes, stop)
    }

    fn until_fixpoint(mut self, mut dockerfile: Dockerfile, options: &Options, rules: &[&dyn Rule]) -> Outcome {
        let mut seen = vec![dockerfile.text.clone()];
        for pass in 1..=MOST_PASSES {
            self.refused.clear();
            self.remaining.clear();
            let (mut changed, mut ignored) = (false, false);
            // Each rule sees what the one before it made, so that a header is added in the same pass as what needs it.
            let mut waiting = rules.iter().filter(|rule| is_asked_for(rule.meta().id, options)).peekable();
            while waiting.peek().is_some() {
                let view = self.ignores.as_ref().map(|ignores| ignores.view.clone());
                let scene = Scene::within(&dockerfile, options, view);
                let next = waiting.by_ref().find_map(|rule| {
                    let candidates = self.collect(&scene, *rule);
                    self.advance(&dockerfile, candidates)
                });
                if let Some(next) = next {
                    ignored |= next.text == dockerfile.text;
                    dockerfile = next;
                    changed = true;
                }
            }
            if !changed {
                return self.outcome(dockerfile.text, pass, Stop::Fixpoint);
            }
            // An ignore file only grows, so a pass that changed nothing else is no turn of a circle.
            if !ignored && seen.contains(&dockerfile.text) {
                return self.give_up(pass, Stop::Cycle);
            }
            seen.push(dockerfile.text.clone());
        }
        self.give_up(MOST_PASSES, Stop::PassLimit)
    }

    /// What a rule finds by place, refusals and fixes for another day put aside.
    fn collect(&mut self, scene: &Scene<'_>, rule: &dyn Rule) -> Vec<Candidate> {
        let (dockerfile, options) = (scene.dockerfile, scene.options);
        let mut findings = rule.findings(scene);
        findings.sort_by_key(|finding| finding.at);
        let mut candidates = Vec::new();
        let (refused, remaining) = (self.refused.len(), self.remaining.len());
        for finding in findings {
            self.sort_out(dockerfile, options, finding, &mut candidates);
        }
        // In the order of the file as it was read; a RUN that was cut in two is one place there.
        self.refused.get_mut(refused..).unwrap_or_default().sort_by_key(|place| (place.line, place.column));
        self.refused.dedup();
        self.remaining.get_mut(remaining..).unwrap_or_default().sort_by_key(|fix| fix.line);
        candidates
    }

    fn sort_out(&mut self, dockerfile: &Dockerfile, options: &Options, finding: Finding, candidates: &mut Vec<Candidate>) {
        let Finding { transform, at, result } = finding;
        let (line, column) = self.trail.place(at);
        let hidden = result.as_ref().ok().filter(|fix| !fix.ignores.is_empty());
        let copied = hidden.and_then(|fix| Some((ignores::copied(dockerfile, options, &fix.ignores)?, fix.ignores.join(", "))));
        if let Some((by, patterns)) = copied {
            self.refused.push(Refused { transform, line, column, refusal: Refusal::IgnoredButCopied { patterns, by } });
            return;
        }
        match result {
            Err(refusal) => self.refused.push(Refused { transform, line, column, refusal }),
            Ok(fix) => {
                let (title, applicability, notes) = (fix.title.clone(), fix.applicability, fix.notes.clone());
                let note = Applied { transform, title, line, applicability, notes, gains: Vec::new() };
                if self.is_culprit(&note) {
                    return;
                }
                match applicability {
                    Applicability::Safe => candidates.push(Candidate { fix, note }),
                    Applicability::Unsafe if options.unsafe_fixes => candidates.push(Candidate { fix, note }),
                    _ => self.remaining.push(note),
                }
            }
        }
    }

    fn is_culprit(&self, note: &Applied) -> bool {
        self.culprits.iter().any(|culprit| culprit.transform == note.transform && culprit.title == note.title)
    }

    /// The text after this pass, or `None` when nothing (more) can be done.
    fn advance(&mut self, dockerfile: &Dockerfile, candidates: Vec<Candidate>) -> Option<Dockerfile> {
        let mut set = EditSet::default();
        let mut taken: Vec<Candidate> = candidates.into_iter().filter(|candidate| set.add(&candidate.fix.edits)).collect();
        if taken.is_empty() {
            return None;
        }
        let worth = Worth::new(dockerfile, self.view());
        let Ok(next) = attempt(dockerfile, &set, &taken) else { return self.one_by_one(dockerfile, &worth, taken) };
        if self.grown(&worth, &next, &taken).is_some() {
            return self.one_by_one(dockerfile, &worth, taken);
        }
        self.tell_gains(&worth, &next, &mut taken);
        self.keep(taken);
        Some(self.numbered(next, set))
    }

    /// Each fix on its own onto what the earlier ones made, so that the one at fault is known by name.
    fn one_by_one(&mut self, dockerfile: &Dockerfile, worth: &Worth<'_>, candidates: Vec<Candidate>) -> Option<Dockerfile> {
        let mut good = EditSet::default();
        let mut kept: Vec<Candidate> = Vec::new();
        let mut reached = None;
        for candidate in candidates {
            let mut with = good.clone();
            with.add(&candidate.fix.edits);
            kept.push(candidate);
            let attempted = attempt(dockerfile, &with, &kept);
            match attempted.and_then(|next| self.grown(worth, &next, &kept).map_or(Ok(next), Err)) {
                Ok(next) => {
                    good = with;
                    reached = Some(next);
                }
                Err(guard) => {
                    let Some(Applied { transform, title, line, .. }) = kept.pop().map(|candidate| candidate.note) else {
                        continue;
                    };
                    self.culprits.push(Culprit { transform, title, line, guard });
                }
            }
        }
        if let Some(next) = &reached {
            self.tell_gains(worth, next, &mut kept);
        }
        self.keep(kept);
        reached.map(|next| self.numbered(next, good))
    }

    /// The text that these edits made, its instructions with their lines in the file as it was read.
    fn numbered(&mut self, mut next: Dockerfile, edits: EditSet) -> Dockerfile {
        self.trail.push(edits);
        next.number(|at| self.trail.place(at).0);
        next
    }

    fn view(&self) -> Option<View> {
        self.ignores.as_ref().map(|ignores| ignores.view.clone())
    }

    /// The context's view with the patterns that these fixes add.
    fn view_with(&self, taken: &[Candidate]) -> Option<View> {
        let patterns: Vec<&str> = taken.iter().flat_map(|candidate| candidate.fix.ignores.iter().map(String::as_str)).collect();
        self.ignores.as_ref().map(|ignores| if patterns.is_empty() { ignores.view.clone() } else { ignores.with(&patterns).view })
    }

    /// Why instructions that move make builds cost more.
    fn grown(&self, worth: &Worth<'_>, next: &Dockerfile, taken: &[Candidate]) -> Option<String> {
        let moves = taken.iter().any(|candidate| candidate.fix.moves);
        if moves { worth.grown(next, self.view_with(taken).as_ref()) } else { None }
    }

    /// Notes for each fix that moves instructions what it gains on its own.
    fn tell_gains(&self, worth: &Worth<'_>, next: &Dockerfile, taken: &mut [Candidate]) {
        let alone = taken.len() == 1;
        for candidate in taken.iter_mut().filter(|candidate| candidate.fix.moves) {
            let one = std::slice::from_ref(candidate);
            let view = self.view_with(one);
            candidate.note.gains = if alone {
                worth.gains(next, view.as_ref())
            } else {
                let mut set = EditSet::default();
                set.add(&candidate.fix.edits);
                let text = set.apply(&worth.dockerfile.text);
                text.map(|text| worth.gains(&syntax::parse(&text), view.as_ref())).unwrap_or_default()
            };
        }
    }

    /// Notes what was applied, and completes the ignore file.
    fn keep(&mut self, taken: Vec<Candidate>) {
        let patterns: Vec<&str> = taken.iter().flat_map(|candidate| candidate.fix.ignores.iter().map(String::as_str)).collect();
        if let Some(ignores) = self.ignores.as_mut().filter(|_| !patterns.is_empty()) {
            *ignores = ignores.with(&patterns);
        }
        self.applied.extend(taken.into_iter().map(|candidate| candidate.note));
    }
}

fn attempt(dockerfile: &Dockerfile, set: &EditSet, candidates: &[Candidate]) -> Result<Dockerfile, String> {
    let text = set.apply(&dockerfile.text).ok_or("an edit does not lie on characters of the file")?;
    let next = syntax::parse(&text);
    let removed: Vec<&str> =
        candidates.iter().flat_map(|candidate| candidate.fix.removes_comments.iter().map(String::as_str)).collect();
    let moves = candidates.iter().any(|candidate| candidate.fix.moves);
    guards::check(dockerfile, &next, &removed, moves)?;
    Ok(next)
}
