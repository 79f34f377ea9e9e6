//! Folders that a step gives away with all that is in them: `chown -R USER[:GROUP] FOLDER`.
//!
//! Owns: [`Gift`], and how such a step changes places with a copy into its folder: the folder is given away before, and the copy gives
//! away what it brings by `--chown`. The image then has the same owners, and one layer less with the same files. What the two do was
//! tried with BuildKit of Docker 26: a COPY leaves the owner of a folder alone that is there, all that it lays or makes in it (links,
//! folders on the way) gets the owner of `--chown`, and a user's name alone stands for the user with his main group. A `chown -R` that
//! stayed below an install would copy all that was installed into its own layer, though it changes nothing of it. Never does: look at
//! other changes of owners.

use super::{InTheWay, Order, Print, Rise, mentioned};
use crate::context::Kind;
use crate::ecosystems::{Argument, BaseImage, Surroundings, User};
use crate::model::Ran;
use crate::model::brought::ContextCopy;
use crate::model::commands::Role;
use crate::model::footprint::{Area, Footprint, Region};
use crate::model::paths::is_within;
use crate::model::state::State;
use std::collections::BTreeSet;

/// `chown -R OWNER FOLDER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gift {
    owner: Owner,
    /// Absolute path in the image.
    folder: String,
    /// A symbolic link gets the owner itself, whichever `chown` it is.
    links: bool,
    /// Where the command begins in its script.
    front: usize,
}

/// Who gets it, as it can be written behind `--chown=`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    text: String,
    group: Group,
}

/// Which group it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// The text says it.
    Said,
    /// The user's main group: `chown USER:`.
    OfUser,
    /// It stays as it is.
    Kept,
}

/// A copy that gives away what it brings, in the place of a step that now comes before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Index of the copy.
    pub copy: usize,
    /// Index of the step that gave it away.
    pub by: usize,
    /// What stands behind `--chown=`.
    pub owner: String,
}

/// Folders that a step must make itself, since it now comes before the copy that made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Making {
    /// Index of the step.
    pub step: usize,
    /// Where in its script.
    pub front: usize,
    /// Absolute paths.
    pub folders: Vec<String>,
}

impl Gift {
    /// Whether a path lies in what is given away.
    pub(super) fn holds(&self, path: &str) -> bool {
        is_within(path, &self.folder)
    }

    /// What a command gives away; nothing where it may not run, where another than root runs it, or where who gets what is not plain.
    pub(super) fn of(ran: &Ran, at: &Surroundings<'_>, state: &State) -> Vec<Self> {
        let invocation = &ran.invocation;
        let plain = ran.role == Role::Command && !ran.conditional && invocation.wrappers.is_empty() && state.user == User::Root;
        let (true, "chown", Some(front)) = (plain, invocation.program.as_str(), invocation.front.known()) else {
            return Vec::new();
        };
        let is_option = |argument: &&Argument| argument.raw.starts_with('-');
        let (options, operands): (Vec<&Argument>, Vec<&Argument>) = invocation.arguments.iter().partition(is_option);
        let has = |letter: char, long: &str| {
            let mut words = options.iter().map(|option| option.raw.as_str());
            words.any(|word| word == long || !word.starts_with("--") && word.contains(letter))
        };
        if !has('R', "--recursive") || !options.iter().all(|option| is_harmless(&option.raw)) {
            return Vec::new();
        }
        let Some((owner, folders)) = operands.split_first() else { return Vec::new() };
        let Some(owner) = Owner::of(owner, ran, state) else { return Vec::new() };
        let folder = |argument: &&Argument| {
            let word =
                argument.value.known().filter(|word| !word.contains(|c: char| c.is_whitespace() || "*?[{~".contains(c)))?;
            at.absolute(word).into_known().filter(|folder| folder != "/")
        };
        let links = has('h', "--no-dereference");
        let gift = |folder: String| Self { owner: owner.clone(), folder, links, front: *front };
        folders.iter().map(folder).map(|folder| folder.map(gift)).collect::<Option<Vec<Self>>>().unwrap_or_default()
    }

    /// What the command touches besides its folders: names are looked up among the accounts.
    pub(super) fn besides(footprint: &Footprint) -> Footprint {
        let accounts = ["/etc/passwd", "/etc/group"].map(|file| Area::At(file.to_owned()));
        Footprint { reads: Region::of(accounts), writes: Region::nothing(), ..footprint.clone() }
    }
}

/// An option of `chown` that changes nothing of who gets what.
fn is_harmless(option: &str) -> bool {
    match option.strip_prefix("--") {
        Some(long) => matches!(long, "recursive" | "verbose" | "changes" | "quiet" | "silent" | "no-dereference"),
        None => option.chars().skip(1).all(|c| "RvcfhP".contains(c)),
    }
}

impl Owner {
    fn of(argument: &Argument, ran: &Ran, state: &State) -> Option<Self> {
        let value = argument.value.known().map(String::as_str);
        let text = if argument.raw.contains('$') { argument.raw.trim_matches('"') } else { value? };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-:${}".contains(c);
        // What the script sets itself, a COPY does not see.
        let seen = |name: &String| state.variable(name).is_some() && ran.variables.iter().all(|(own, _)| own != name);
        if text.is_empty() || !text.chars().all(is_plain) || !mentioned(text).iter().all(seen) {
            return None;
        }
        if text.matches('$').count() != mentioned(text).len() && !has_twice_the_same(text) {
            return None;
        }
        let is_number = |user: &str| user.parse::<u32>().is_ok();
        match (text.split_once(':'), value) {
            (Some((user, group)), _) if user.is_empty() || group.contains(':') => None,
            (Some((user, "")), Some(value)) => {
                let known = value.strip_suffix(':').filter(|user| !user.contains(':') && !is_number(user));
                known.map(|_| Self { text: user.to_owned(), group: Group::OfUser })
            }
            (Some((_, "")), None) => None,
            // `--chown` takes a number that is not known for a name all the same.
            (Some(_), value) if value.is_none_or(|value| value.matches(':').count() == 1) => {
                Some(Self { text: text.to_owned(), group: Group::Said })
            }
            (None, Some(value)) if value.matches(':').count() == 1 && !value.starts_with(':') && !value.ends_with(':') => {
                Some(Self { text: text.to_owned(), group: Group::Said })
            }
            (None, Some(value)) if !value.is_empty() && !value.contains(':') => {
                Some(Self { text: text.to_owned(), group: Group::Kept })
            }
            _ => None,
        }
    }

    /// What stands behind `--chown=` of a copy, which said `own` before.
    fn written(&self, own: Option<&str>) -> Option<String> {
        let Self { text, group } = self;
        let is_number = |word: &str| word.parse::<u32>().is_ok();
        match (group, own) {
            (Group::Said | Group::OfUser, _) => Some(text.clone()),
            (Group::Kept, None) => Some(format!("{text}:root")),
            (Group::Kept, Some(own)) => match own.split_once(':') {
                Some((_, group)) if !group.is_empty() => Some(format!("{text}:{group}")),
                None if is_number(own) => Some(format!("{text}:{own}")),
                None if own == text => Some(text.clone()),
                _ => None,
            },
        }
    }
}

/// `$USER:$USER`.
fn has_twice_the_same(text: &str) -> bool {
    text.split_once(':').is_some_and(|(user, group)| user == group && user.matches('$').count() == 1)
}

/// Whether the image's `chown` is surely GNU's, which gives a link away itself; busybox's gives what it leads to.
fn has_gnu_programs(image: &BaseImage) -> bool {
    const DEBIAN_UNLESS_SAID: &[&str] = &[
        "almalinux",
        "amazonlinux",
        "buildpack-deps",
        "centos",
        "debian",
        "eclipse-temurin",
        "fedora",
        "golang",
        "gradle",
        "maven",
        "node",
        "openjdk",
        "perl",
        "php",
        "python",
        "rockylinux",
        "ruby",
        "rust",
        "ubuntu",
    ];
    let tag = image.tag();
    DEBIAN_UNLESS_SAID.contains(&image.repository()) && !tag.contains("alpine") && !tag.contains("busybox")
}

impl Order<'_> {
    /// A rising step gave a folder away, into which a copy that stays lays something.
    pub(super) fn give_before(
        &self,
        gathered: &mut Rise,
        gift: &Gift,
        riser: usize,
        index: usize,
        copy: &ContextCopy,
    ) -> Result<(), String> {
        let folder = &gift.folder;
        let (inside, outside): (Vec<_>, Vec<_>) = copy.maps.iter().partition(|map| is_within(&map.to, folder));
        let reached = outside.iter().any(|map| map.back(folder).is_some_and(|from| self.view.kind(&from).is_some()));
        if inside.is_empty() && !reached {
            return Ok(());
        }
        let words = |why: &str| Err(format!("line {} gives away all of {folder}, and {why}", self.line(riser)));
        let (false, Some(step)) = (reached || !outside.is_empty(), self.steps.get(index)) else {
            return words("this copies to other places, too");
        };
        if step.instruction.flag("link").is_some() {
            return words("a COPY --link can't look a user up");
        }
        let is_link = |file: &String| self.view.kind(file) == Some(Kind::Link);
        if !gift.links
            && !has_gnu_programs(&self.stage.image)
            && let Some(link) = inside.iter().find_map(|map| self.view.files_below(&map.from).into_iter().find(is_link))
        {
            return words(&format!("it is not known whether the image's chown does so with a link as {link}"));
        }
        if self.mean_other(&gift.owner, riser, index) {
            return words("the variables that say to whom are not the same where this stands");
        }
        let before = gathered.given.iter().rev().find(|given| given.copy == index).map(|given| given.owner.clone());
        let own = before.as_deref().or_else(|| step.instruction.flag("chown"));
        let Some(owner) = gift.owner.written(own) else { return words("which group this copy's files keep is not known") };
        gathered.given.push(Given { copy: index, by: riser, owner });
        Ok(())
    }

    /// Whether what an owner's text names may be something else at the copy than at the step that gives.
    fn mean_other(&self, owner: &Owner, giver: usize, copy: usize) -> bool {
        let names: BTreeSet<String> = mentioned(&owner.text);
        let value = |index: usize, name: &String| self.steps.get(index).map(|step| step.state.variable(name).cloned());
        let set_between = |name: &String| {
            (copy..giver).any(|index| self.print(index).is_some_and(|step| step.print.sets().any(|own| own == name)))
        };
        names.iter().any(|name| value(giver, name) != value(copy, name) || set_between(name))
    }

    /// The folders are there that rising steps give away, or those steps make them.
    pub(super) fn gifts_are_there(&self, rise: &mut Rise, over: usize) -> Result<(), InTheWay> {
        for giver in rise.along.clone() {
            let Some(print) = self.print(giver).map(|step| &step.print) else { continue };
            let mut folders: Vec<String> = Vec::new();
            for gift in &print.gifts {
                let inner = self.entered_below(rise, gift, giver);
                let missing = std::iter::once(gift.folder.clone()).chain(inner);
                let stays = |index: &usize| !rise.along.contains(index);
                let was_laid = |folder: &str| (over..giver).filter(stays).any(|index| self.makes(index, folder));
                let missing = missing.filter(|folder| was_laid(folder) && !self.is_there_for(rise, folder, giver, over));
                for folder in missing.collect::<Vec<_>>() {
                    self.can_be_made(gift, &folder, giver, over).map_err(|why| InTheWay { step: giver, why })?;
                    folders.push(folder);
                }
            }
            let deepest = |folder: &&String| !folders.iter().any(|other| other != *folder && is_within(other, folder));
            let deepest: Vec<String> = folders.iter().filter(deepest).cloned().collect();
            if let Some(front) = print.gifts.first().map(|gift| gift.front).filter(|_| !deepest.is_empty()) {
                rise.makings.push(Making { step: giver, front, folders: deepest });
            }
        }
        Ok(())
    }

    /// The work folders in a given folder that a copy would have brought: made by a WORKDIR now, they would be root's.
    fn entered_below(&self, rise: &Rise, gift: &Gift, giver: usize) -> Vec<String> {
        let given: Vec<&ContextCopy> = rise
            .given
            .iter()
            .filter(|given| given.by == giver)
            .filter_map(|given| self.print(given.copy)?.copy.as_ref())
            .collect();
        let brought = |folder: &&String| {
            let brings = |copy: &&ContextCopy| {
                let is_folder = |from: String| self.view.kind(&from) == Some(Kind::Folder);
                copy.back(folder, self.view).is_some_and(is_folder) || copy.maps.iter().any(|map| is_within(&map.to, folder))
            };
            given.iter().any(brings)
        };
        let workdirs = rise.along.iter().filter(|later| **later > giver).filter_map(|later| {
            let print = &self.print(*later)?.print;
            print.only_makes_workdir().then_some(&print.footprint.writes.areas)
        });
        let inside = workdirs.flatten().filter_map(|area| match area {
            Area::At(folder) if *folder != gift.folder && is_within(folder, &gift.folder) => Some(folder),
            _ => None,
        });
        inside.filter(brought).cloned().collect()
    }

    /// Whether a folder is there for a rising step.
    fn is_there_for(&self, rise: &Rise, folder: &str, giver: usize, over: usize) -> bool {
        let besides = self.print(giver).is_some_and(|step| {
            let areas = &step.print.besides.writes.areas;
            areas.iter().any(|area| matches!(area, Area::At(made) if is_within(made, folder)))
        });
        besides
            || self.is_there(folder, over)
            || rise.along.iter().take_while(|index| **index < giver).any(|index| self.surely_makes(*index, folder))
    }

    /// A `mkdir -p` makes the folder, and those above it, as the copy that stays did.
    fn can_be_made(&self, gift: &Gift, folder: &str, giver: usize, over: usize) -> Result<(), String> {
        if !folder.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c)) {
            return Err(format!("it needs {folder}, the name of which can't be written"));
        }
        let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        let maker = (over..giver).find(|index| self.makes(*index, folder));
        let is_roots = maker.is_none_or(|maker| self.owner_of(maker).is_none());
        match () {
            () if is_roots => Ok(()),
            () if gift.owner.group == Group::Kept => Err(format!("it leaves {folder} with the group that a copy gives it")),
            () if !parent.is_empty() && !self.is_there(parent, over) => {
                Err(format!("it needs {folder}, and {parent} would get another owner"))
            }
            () => Ok(()),
        }
    }

    fn line(&self, index: usize) -> usize {
        self.steps.get(index).map_or(0, |step| step.instruction.lines.0)
    }
}

impl Print {
    /// What it touches where a copy gives away for it.
    pub(super) fn besides_gifts(&self) -> &Footprint {
        if self.gifts.is_empty() { &self.footprint } else { &self.besides }
    }

    /// The same where nothing gives away for it.
    pub(super) fn without_gifts(&self) -> Self {
        let mut own = self.clone();
        own.gifts.clear();
        own
    }
}

impl Rise {
    /// To whom a copy gives what it brings.
    pub fn given(&self, copy: usize) -> Option<&Given> {
        self.given.iter().rev().find(|given| given.copy == copy)
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, Owner};

    fn written(text: &str, group: Group, own: Option<&str>) -> Option<String> {
        Owner { text: text.to_owned(), group }.written(own)
    }

    #[test]
    fn a_group_that_is_not_said_stays_the_copys() {
        assert_eq!(written("node:node", Group::Said, Some("a:b")).as_deref(), Some("node:node"));
        assert_eq!(written("node", Group::OfUser, None).as_deref(), Some("node"));
        assert_eq!(written("node", Group::Kept, None).as_deref(), Some("node:root"));
        assert_eq!(written("node", Group::Kept, Some("a:b")).as_deref(), Some("node:b"));
        assert_eq!(written("node", Group::Kept, Some("7")).as_deref(), Some("node:7"));
        assert_eq!(written("node", Group::Kept, Some("node")).as_deref(), Some("node"));
        assert_eq!(written("node", Group::Kept, Some("a")), None);
    }
}
