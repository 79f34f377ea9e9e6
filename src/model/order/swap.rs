//! Whether two steps of a stage may change places.
//!
//! Owns: [`Swap`], the answer for two steps alone: nothing is copied first for it, and nothing goes along. Two package managers of
//! different languages touch the same folders of the system, where tools lie. One that only fills its cache commutes with another
//! all the same; of two that install, the second could use what the first left there, so that their order is a doubt: said, and never
//! Safe. Never does: ask whether a swap is worth anything.

use super::rise::Rise;
use super::{CommandPrint, Order, StepPrint};
use crate::context::View;
use crate::ecosystems::Activity;
use crate::model::brought::ContextCopy;
use crate::model::footprint::{Area, Footprint, Region, same_language};
use crate::model::paths::is_within;

/// Whether two steps may change places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// They commute.
    Free,
    /// The image is as good, but might differ.
    Doubtful(Doubt),
    /// They may not.
    Clash,
}

/// Two commands of which one might use what the other makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The command that would come first, in its first words.
    pub first: String,
    /// The one that would come behind it.
    pub behind: String,
    /// Why it is not known what that one touches.
    pub unclear: Option<String>,
}

/// What two commands have in common.
enum Meeting {
    Nothing,
    /// Tools, and what is not known of a package manager's command.
    Tools,
    Files,
}

impl Order<'_> {
    /// Whether the step `above` and the step `below`, which stands somewhere under it, may change places.
    pub fn swap(&self, above: usize, below: usize) -> Swap {
        let (Some(upper), Some(lower)) = (self.print(above), self.print(below)) else { return Swap::Clash };
        let free = |free: bool| if free { Swap::Free } else { Swap::Clash };
        if upper.print.settings_clash(&lower.print).is_some() {
            return Swap::Clash;
        }
        if let (Some(one), Some(other)) = (&upper.copy, &lower.copy) {
            let seen = one.unseen.is_empty() && other.unseen.is_empty();
            return free(seen && self.lays_apart(one, other) && self.same_owner(above, below));
        }
        let followed = |step: &StepPrint| !step.from_context || step.copy.is_some();
        if !followed(upper) || !followed(lower) || self.one_works_in_folder_of_other(above, upper, lower) {
            return Swap::Clash;
        }
        if lower.copy.as_ref().is_some_and(|copy| !self.makes_folders_alike(copy, above, below)) {
            return Swap::Clash;
        }
        match self.passes(above, below) {
            true => Swap::Free,
            false if upper.from_context => Swap::Clash,
            false if lower.from_context => self.swap_with_manifests(above, upper, below, lower),
            false => self.swap_commands(above, upper, below, lower),
        }
    }

    /// Two RUNs, command by command.
    fn swap_commands(&self, above: usize, upper: &StepPrint, below: usize, lower: &StepPrint) -> Swap {
        if upper.commands.is_empty() || lower.commands.is_empty() {
            return Swap::Clash;
        }
        let install = lower.commands.iter().find(|command| of_project(command).is_some());
        let mut swap = Swap::Free;
        for (one, other) in upper.commands.iter().flat_map(|one| lower.commands.iter().map(move |other| (one, other))) {
            match (meeting(one, other), install) {
                (Meeting::Nothing, _) => {}
                (Meeting::Tools, Some(install)) if swap == Swap::Free => {
                    swap = Swap::Doubtful(self.doubt((above, one), (below, install)));
                }
                (Meeting::Tools, Some(_)) => {}
                (Meeting::Tools, None) | (Meeting::Files, _) => return Swap::Clash,
            }
        }
        swap
    }

    /// A manager's RUN, and below it a copy of what another manager's install needs and nothing else.
    fn swap_with_manifests(&self, above: usize, upper: &StepPrint, below: usize, lower: &StepPrint) -> Swap {
        let Some(copy) = &lower.copy else { return Swap::Clash };
        let needs_all = |command: &&CommandPrint| {
            of_project(command).is_some_and(|own| copy.maps.iter().all(|map| own.reads.holds(&map.to))) && copy.unseen.is_empty()
        };
        let install = (below + 1..self.steps.len())
            .find_map(|index| Some((index, self.print(index)?.commands.iter().find(needs_all)?)))
            .filter(|_| !copy.maps.is_empty());
        let Some((at, install)) = install else { return Swap::Clash };
        let mut swap = Swap::Free;
        for one in &upper.commands {
            if one.footprint.clash(&lower.print.footprint).is_none() {
                continue;
            }
            let opaque = matches!(one.dependencies, Some(Err(_)));
            let apart = of_project(one).is_some_and(|own| own.clash(&lower.print.footprint).is_none());
            if !(in_other_languages(one, install) && (opaque || apart)) {
                return Swap::Clash;
            }
            swap = Swap::Doubtful(self.doubt((above, one), (at, install)));
        }
        if upper.commands.is_empty() { Swap::Clash } else { swap }
    }

    /// Why two installs in the other order might not make the same.
    fn doubt(&self, (above, upper): (usize, &CommandPrint), (below, lower): (usize, &CommandPrint)) -> Doubt {
        let unclear = match &upper.dependencies {
            Some(Err(entangled)) => Some(entangled.to_string()),
            _ => None,
        };
        Doubt { first: self.command_name(below, lower), behind: self.command_name(above, upper), unclear }
    }

    /// The first words of a command.
    pub fn command_name(&self, index: usize, command: &CommandPrint) -> String {
        const WORDS: usize = 3;
        let text = self.steps.get(index).and_then(|step| step.run.as_ref()).map_or("", |run| run.text());
        let invocation = &command.ran.invocation;
        let written = text.get(invocation.span.clone()).unwrap_or_default();
        if !written.contains(invocation.program.as_str()) {
            return invocation.program.clone();
        }
        let words = written.split_whitespace().skip_while(|word| !word.contains(invocation.program.as_str()));
        words.filter(|word| *word != "\\").take(WORDS).collect::<Vec<_>>().join(" ")
    }

    /// Whether a copy's folders, where it makes them before the step `above` would, have the owner that they would have had.
    fn makes_folders_alike(&self, copy: &ContextCopy, above: usize, below: usize) -> bool {
        copy.maps.iter().all(|map| {
            let path = if map.folder { format!("{}/x", map.to) } else { map.to.clone() };
            self.keeps_owners(&Rise::default(), &path, below, above..above + 1, below).is_ok()
        })
    }

    /// Whether one makes a folder in which the other works, and which is not there before both: `mkdir x` and a copy into `x`.
    fn one_works_in_folder_of_other(&self, above: usize, upper: &StepPrint, lower: &StepPrint) -> bool {
        let works_in = |maker: &StepPrint, other: &StepPrint| {
            let footprint = &other.print.footprint;
            let made = maker.print.footprint.writes.areas.iter().filter(|_| !maker.from_context);
            made.filter(|area| matches!(area, Area::At(_))).map(Area::path).any(|folder| {
                let mut touched = footprint.reads.areas.iter().chain(&footprint.writes.areas).map(Area::path);
                touched.any(|path| path != folder && is_within(path, folder)) && !self.is_there(folder, above)
            })
        };
        works_in(upper, lower) || works_in(lower, upper)
    }

    /// Whether two copies lay nothing into the same place: neither brings a path that the other brings, or lays its folder into the
    /// other's.
    pub fn lays_apart(&self, one: &ContextCopy, other: &ContextCopy) -> bool {
        !overlaps(one, other, self.view) && !overlaps(other, one, self.view)
    }

    /// Whether folders that two copies would both make have the same owner and mode, whichever comes first.
    pub fn same_owner(&self, one: usize, other: usize) -> bool {
        let flags = |index: usize| {
            let instruction = self.steps.get(index).map(|step| step.instruction);
            instruction.map(|one| (one.flag("chown").map(str::to_owned), one.flag("chmod").map(str::to_owned)))
        };
        // The work folder is there already; what is made directly in it belongs to its own copy.
        let in_workdir = |index: usize| {
            let (Some(step), Some(print)) = (self.steps.get(index), self.print(index)) else { return false };
            let workdir = step.state.workdir.known().map(String::as_str);
            let maps = print.copy.iter().flat_map(|copy| &copy.maps);
            maps.into_iter().all(|map| map.to.rsplit_once('/').map(|(folder, _)| folder) == workdir)
        };
        flags(one) == flags(other) || in_workdir(one) && in_workdir(other)
    }
}

/// A file, or a folder, that one lays at or below a place that the other lays a folder to, and brings something for.
fn overlaps(one: &ContextCopy, other: &ContextCopy, view: &View) -> bool {
    one.maps.iter().any(|map| {
        let same = other.maps.iter().any(|place| place.to == map.to);
        let below = other.maps.iter().any(|place| place.folder && is_within(&map.to, &place.to));
        same || below && (map.folder || other.back(&map.to, view).is_some())
    })
}

/// What two commands have in common, the lower of which would come first.
fn meeting(upper: &CommandPrint, lower: &CommandPrint) -> Meeting {
    if upper.footprint.clash(&lower.footprint).is_none() {
        return Meeting::Nothing;
    }
    let opaque = manager(upper).is_some() && matches!(upper.dependencies, Some(Err(_)));
    let Some(own) = of_project(lower) else {
        // `cd` before an install only looks.
        let looks = is_known(lower) && lower.footprint.writes.is_empty();
        return if opaque && looks { Meeting::Tools } else { Meeting::Files };
    };
    let apart = match (manager(upper), of_project(upper)) {
        (Some(_), _) if !in_other_languages(upper, lower) => false,
        // A tool by its name: it is there to be used.
        (Some(_), Some(theirs)) if theirs.reads.is_empty() && installs(upper) => false,
        (Some(_), Some(theirs)) => {
            let fetches = |command: &CommandPrint| {
                command.ecosystem.is_some_and(|ecosystem| ecosystem.only_fetches(&command.ran.invocation))
            };
            let clear = theirs.clash(&own).is_none();
            if clear && (fetches(upper) || fetches(lower)) {
                return Meeting::Nothing;
            }
            clear
        }
        (Some(_), None) => opaque,
        // It changes nothing that the install touches, and looks at tools at most.
        (None, _) => {
            is_known(upper)
                && upper.footprint.writes.meets(&lower.footprint.reads).is_none()
                && upper.footprint.writes.meets(&lower.footprint.writes).is_none()
                && upper.footprint.clash(&own).is_none()
        }
    };
    if apart { Meeting::Tools } else { Meeting::Files }
}

fn installs(command: &CommandPrint) -> bool {
    let activity = command.ecosystem.and_then(|ecosystem| ecosystem.recognise(&command.ran.invocation));
    matches!(activity, Some(Activity::Install { .. }))
}

fn is_known(command: &CommandPrint) -> bool {
    command.footprint.reads.anything.is_none() && command.footprint.writes.anything.is_none()
}

/// The manager of a project's dependencies whose command it is.
fn manager(command: &CommandPrint) -> Option<&'static str> {
    command.ecosystem.filter(|ecosystem| !ecosystem.is_of_the_system()).map(|ecosystem| ecosystem.id())
}

fn in_other_languages(one: &CommandPrint, other: &CommandPrint) -> bool {
    manager(one).zip(manager(other)).is_some_and(|(one, other)| !same_language(one, other))
}

/// What a manager's command touches of the project, tools and caches aside; `None` where that is not known.
fn of_project(command: &CommandPrint) -> Option<Footprint> {
    manager(command).filter(|_| is_known(command))?;
    let Some(Ok(Some(own))) = &command.dependencies else { return None };
    let files = |paths: &[String]| paths.iter().cloned().map(Area::At).collect::<Vec<_>>();
    let folders = |paths: &[String]| paths.iter().cloned().map(Area::Below).collect::<Vec<_>>();
    Some(Footprint {
        reads: Region::of(files(&own.files).into_iter().chain(folders(&own.folders))),
        writes: Region::of(folders(&own.makes).into_iter().chain(files(&own.rewrites))),
        ..Footprint::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{Doubt, Order, Swap};
    use crate::context::View;
    use crate::model::Model;
    use crate::syntax;

    const PACKAGE: &str = r#"{"name": "web", "dependencies": {"ms": "2.1.3"}}"#;

    /// Of the steps with these indexes, in a context with manifests of several managers.
    fn swap(body: &str, above: usize, below: usize) -> Swap {
        let file = syntax::parse(&format!("FROM python:3.12\nWORKDIR /app\n{body}"));
        let lock = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"ms": "2.1.3"}}}}"#;
        let files = [
            ("requirements.txt", Some("six==1.16.0\n")),
            ("web/package.json", Some(PACKAGE)),
            ("web/package-lock.json", Some(lock)),
            ("go.mod", Some("module m\n")),
            ("go.sum", Some("")),
            ("Gemfile", None),
            ("Gemfile.lock", None),
        ];
        let view = View::of_files(files);
        let model = Model::with_named_workdirs(&file);
        Order::new(&model, 0, &view).unwrap().swap(above, below)
    }

    const PIP: &str = "COPY requirements.txt .\nRUN pip install -r requirements.txt\n";
    const NPM: &str = "COPY web/package.json web/package-lock.json web/\nRUN cd web && npm ci\n";
    const GO: &str = "COPY go.mod go.sum ./\nRUN go mod download\n";
    const BUNDLE: &str = "COPY Gemfile Gemfile.lock ./\nRUN bundle install\n";

    #[test]
    fn two_managers_are_a_doubt_and_a_cache_is_none() {
        let both = format!("{PIP}{NPM}");
        assert_eq!((swap(&both, 1, 3), swap(&both, 1, 4), swap(&both, 2, 3)), (Swap::Free, Swap::Free, Swap::Free));
        let doubt = Doubt { first: "npm ci".to_owned(), behind: "pip install -r".to_owned(), unclear: None };
        assert_eq!(swap(&both, 2, 4), Swap::Doubtful(doubt));
        let cache = format!("{GO}{NPM}");
        assert_eq!(swap(&cache, 2, 4), Swap::Free);
    }

    #[test]
    fn a_manager_that_runs_code_of_the_project_is_a_doubt() {
        let both = format!("{BUNDLE}{NPM}");
        assert!(
            matches!(swap(&both, 2, 4), Swap::Doubtful(doubt) if doubt.behind == "bundle install" && doubt.unclear.is_some())
        );
        assert!(matches!(swap(&both, 2, 3), Swap::Doubtful(_)), "the manifests alone");
        let more = format!("{BUNDLE}COPY web/package.json app.rb web/\nRUN cd web && npm ci\n");
        assert_eq!(swap(&more, 2, 3), Swap::Clash, "a copy that brings more");
        let script = format!("RUN ./x.sh\n{NPM}");
        assert_eq!((swap(&script, 1, 2), swap(&script, 1, 3)), (Swap::Clash, Swap::Clash));
    }

    #[test]
    fn one_language_one_folder_one_setting() {
        assert_eq!(swap(&format!("{PIP}RUN uv pip install --system ruff==0.4.0\n"), 2, 3), Swap::Clash);
        assert_eq!(swap(&format!("RUN cargo install just@1.0.0\n{NPM}"), 1, 3), Swap::Clash, "a tool");
        assert_eq!(
            swap("RUN apt-get install -y gcc\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n", 1, 3),
            Swap::Clash
        );
        assert_eq!(swap("RUN mkdir web\nCOPY web/package.json web/\n", 1, 2), Swap::Clash, "mkdir would fail");
        assert_eq!(swap("ENV A=1\nRUN cd web && npm ci\n", 1, 2), Swap::Clash);
        assert_eq!(swap("COPY go.mod x/\nCOPY go.sum x/\n", 1, 2), Swap::Free);
        assert_eq!(swap("COPY go.mod x\nCOPY go.sum x\n", 1, 2), Swap::Clash);
        assert_eq!(swap("COPY --chown=1 go.mod /x/\nCOPY go.sum /x/\n", 1, 2), Swap::Clash);
    }
}
