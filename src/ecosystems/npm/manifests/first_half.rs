//! The half of an npm install that needs only the manifests, and what is left to do below the source.
//!
//! Owns: the two commands, and when they come to the same as one. Never does: judge a script; where all are harmless there are no
//! halves.
//!
//! npm 7 and later run the project's own scripts when everything is installed, one after the other, and those of its linked packages
//! in every install; scripts of fetched packages run only where these are put in place. So the first half may leave out the former,
//! and must run the latter. A second `npm install` finds everything in place and does the rest; a second `npm ci` would start anew,
//! and becomes `npm install --no-save`, or the one script that is left. Trees, modes, links and lock files were the same with npm 8,
//! 10 and 11, with members of a workspace and without.

use super::{Install, LINKED_EVENTS, ROOT_EVENTS, is_on, lock, manifests};
use crate::ecosystems::node::local::{Folder, Rules};
use crate::ecosystems::node::npmrc::Npmrc;
use crate::ecosystems::node::reading::{Reading, join};
use crate::ecosystems::node::{Manifest, hooks, local, scripts, versions};
use crate::ecosystems::{CommandChange, Dependencies, Part, Project, first_half};
use std::sync::Arc;

impl Install<'_> {
    /// `here` is the folder in which npm starts, `root` the project's.
    pub(super) fn first_half(&self, project: &dyn Project, here: &str, root: &str) -> Option<Dependencies> {
        let old = versions::npm_majors(self.at).is_some_and(|majors| *majors.start() < 7);
        if old || !self.packages.is_empty() || is_on(self.invocation, &["--ignore-scripts"]) {
            return None;
        }
        let half = Install { packages: Vec::new(), half: true, ..*self };
        let mut reading = Reading::new(project, root);
        half.whole(&mut reading).ok()?;
        let own = Own::of(&mut Reading::new(project, root))?;
        // What runs when packages have changed would not run in the second half, where none do.
        if own.root()?.script("dependencies").is_some() {
            return None;
        }
        let lock = ["npm-shrinkwrap.json", "package-lock.json"].map(|name| join(root, name));
        let lock = lock.iter().find(|lock| reading.is_file(lock)).map(|lock| reading.text(lock)).transpose().ok()?;
        let settings = Npmrc::read(&mut Reading::new(project, root), root).ok()?;
        // Folders that are copied in place of linked are packages like those that are fetched.
        let copies = self.has(&settings, "install-links") && !own.linked.is_empty();
        if copies || self.lacks(&settings, "package-lock") || lock.is_none() && reading.is_file(&join(root, "yarn.lock")) {
            return None;
        }
        let command = if self.fetches_no_scripts(lock.as_ref(), &own) {
            first_half::text(self.invocation, &[], &["--ignore-scripts"]).ok()?
        } else {
            hooks::read(&mut reading, &own.members, lock.as_deref()).ok()?;
            let without = self.without_own_scripts(here, &own, &reading)?;
            reading.answer().spoils = vec![join(root, "package.json")];
            without
        };
        let rest = self.rest(&own, &reading);
        let mut answer = reading.finish();
        // What it writes back of the project's, the second half writes again.
        answer.rewrites.retain(|file| !answer.files.contains(file));
        answer.part = Part::FirstHalf { command, rest, only_fetches: false };
        Some(answer)
    }

    /// Whether the lock tells that no fetched package has install scripts.
    fn fetches_no_scripts(&self, lock: Option<&Arc<str>>, own: &Own) -> bool {
        let none = |lock: &Arc<str>| lock::has_install_scripts(lock) == Some(false);
        lock.is_some_and(|lock| none(lock) && (self.ci || lock::covers(lock, &own.members)))
    }

    /// The install behind a command that takes the root's scripts out of its package.json. Right where no other package of the
    /// project has scripts.
    fn without_own_scripts(&self, here: &str, own: &Own, reading: &Reading<'_>) -> Option<String> {
        let root = own.root()?;
        let has = |other: &Manifest| scripts::has_any(reading, other, LINKED_EVENTS);
        let alone = here == root.folder && self.invocation.option(&["--prefix", "-C"]).is_none();
        if !alone || !versions::has_npm_pkg(self.at) || own.members.iter().skip(1).chain(&own.linked).any(has) {
            return None;
        }
        let install = first_half::text(self.invocation, &[], &[]).ok()?;
        Some(match scripts::taken_out(root, ROOT_EVENTS) {
            Some(delete) => format!("{delete} && {install}"),
            None => install,
        })
    }

    /// How the command that stays changes.
    fn rest(&self, own: &Own, reading: &Reading<'_>) -> Vec<CommandChange> {
        if !self.ci {
            return Vec::new();
        }
        let alone = own.members.len() == 1 && own.linked.is_empty();
        let script =
            own.root().filter(|root| alone && !reading.is_file(&join(&root.folder, "binding.gyp"))).and_then(only_script);
        let command = script.map_or("install --no-save".to_owned(), |script| format!("run {script}"));
        vec![CommandChange::ReplaceArgument(self.index, command)]
    }
}

/// The script that does all that an install without packages would run, if it is one.
fn only_script(root: &Manifest) -> Option<&'static str> {
    let events: Vec<&str> = ROOT_EVENTS.iter().copied().filter(|event| root.script(event).is_some()).collect();
    match events.as_slice() {
        ["postinstall"] if root.script("prepostinstall").or(root.script("postpostinstall")).is_none() => Some("postinstall"),
        ["prepare"] | ["preprepare", "prepare"] | ["prepare", "postprepare"] | ["preprepare", "prepare", "postprepare"] => {
            Some("prepare")
        }
        _ => None,
    }
}

/// The project's own packages.
struct Own {
    /// The root, and the members of its workspace.
    members: Vec<Manifest>,
    /// Folders that are asked for by their path.
    linked: Vec<Manifest>,
}

impl Own {
    fn of(reading: &mut Reading<'_>) -> Option<Self> {
        let root = reading.root().to_owned();
        let members = manifests(reading, &root).ok()?;
        let linked = local::read(reading, &members, Rules { file: Folder::Linked, link_reads_manifest: true }).ok()?;
        Some(Self { members, linked })
    }

    fn root(&self) -> Option<&Manifest> {
        self.members.first()
    }
}
