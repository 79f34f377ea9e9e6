//! What goes along when a step rises above a copy.
//!
//! Owns: the smallest set of steps that must rise together, the files that they need of the copies they pass, and what stands in
//! the way.

use super::{Bracket, Given, Making, Order, Print, StepPrint};
use crate::context::Kind;
use crate::knowledge::Knowledge;
use crate::model::brought::{ContextCopy, Map};
use crate::model::footprint::{Area, is_system};
use crate::model::paths::is_within;

/// How a step can rise.
#[derive(Clone, Debug, Default)]
pub struct Rise {
    /// The other steps that rise with it, in their order.
    pub along: Vec<usize>,
    /// What they need of the copies that stay below.
    pub needs: Vec<Needed>,
    /// Folders (context paths) that the install fills and a copy would lay the host's own over: the ignore file must name them.
    pub overlaid: Vec<String>,
    /// Files (context paths) that a command may write back, and a copy that now comes later replaces.
    pub restored: Vec<String>,
    /// Copies that stay and whose destination must be written as an absolute path, since the work folder changes above them.
    pub pinned: Vec<usize>,
    /// Copies that stay and give away what they bring, for a step that now comes before them; the last one for a copy holds.
    pub given: Vec<Given>,
    /// Folders that steps make before they give them away.
    pub makings: Vec<Making>,
    /// The USER in front of the step, and the one behind it, where it rises without those that stand around it.
    pub bracket: Option<Bracket>,
    /// Folders that must be there, and that a copy would have made.
    folders: Vec<(usize, String)>,
    /// Steps that rise and would make a folder that a copy makes with another owner.
    makers: Vec<Maker>,
}

/// A step that rises and that must find a folder made by what is copied first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Maker {
    step: usize,
    copy: usize,
    folder: String,
}

/// A file or folder of the context that a rising step needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Index of the copy that brings it.
    pub copy: usize,
    /// Index of the source of that copy.
    pub source: usize,
    /// Its path in the context.
    pub from: String,
    /// Its path in the image.
    pub to: String,
    /// It is a folder, needed whole.
    pub folder: bool,
    /// The first of the rising steps that needs it.
    pub by: usize,
}

/// Why a step can't rise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTheWay {
    /// Index of the step that it can't pass.
    pub step: usize,
    /// Why, in words.
    pub why: String,
}

impl Rise {
    /// Whether the rising step goes alone and as it is.
    fn asks_nothing(&self) -> bool {
        let Self { along, needs, overlaid, restored, pinned, given, makings, bracket, folders, makers } = self;
        along.is_empty()
            && needs.is_empty()
            && overlaid.is_empty()
            && restored.is_empty()
            && pinned.is_empty()
            && given.is_empty()
            && makings.is_empty()
            && bracket.is_none()
            && folders.is_empty()
            && makers.is_empty()
    }
}

impl Order<'_> {
    /// How the step at `at`, of which `print` is to move, can rise above the step at `over`.
    ///
    /// # Errors
    /// The step that it can't pass, and why.
    pub fn rise(&self, print: &Print, at: usize, over: usize) -> Result<Rise, InTheWay> {
        let print = &print.without_gifts();
        let way = match self.rise_as(print, at, over) {
            Ok(rise) => return Ok(rise),
            Err(way) => way,
        };
        let bracket = self.bracket(at, over).ok_or_else(|| way.clone())?;
        match self.rise_as(&print.with_own_user(), at, over) {
            Ok(rise) if self.starts_as_root(&rise, over) => Ok(Rise { bracket: Some(bracket), ..rise }),
            Ok(_) => Err(way),
            Err(way) => Err(way),
        }
    }

    fn rise_as(&self, print: &Print, at: usize, over: usize) -> Result<Rise, InTheWay> {
        let mut rise = Rise::default();
        for index in (over..at).rev() {
            let Some(step) = self.print(index) else { continue };
            let blocked = self.pass(&mut rise, print, at, index, step);
            let Err(why) = blocked else { continue };
            if index == over || !self.may_go_along(step) {
                return Err(InTheWay { step: index, why });
            }
            rise.needs.retain(|needed| needed.copy != index);
            rise.along.insert(0, index);
        }
        self.whole_copies_go_along(&mut rise, at, over);
        self.gifts_are_there(&mut rise, over)?;
        Self::copied_before_makers(&mut rise)?;
        self.folders_are_there(&rise, over)?;
        self.folders_keep_owners(&rise, at, over)?;
        Ok(rise)
    }

    /// Whether the step `below` can go above the step `above` by itself: for that nothing is copied first, ignored or written anew.
    pub(super) fn passes(&self, above: usize, below: usize) -> bool {
        let (Some(staying), Some(rising)) = (self.print(above), self.print(below)) else { return false };
        let mut rise = Rise::default();
        self.pass(&mut rise, &rising.print, below, above, staying).is_ok() && rise.asks_nothing()
    }

    /// What is copied first stands above the steps that would make its folder with another owner.
    fn copied_before_makers(rise: &mut Rise) -> Result<(), InTheWay> {
        for Maker { step, copy, folder } in &rise.makers {
            let mut any = false;
            for need in rise.needs.iter_mut().filter(|need| need.copy == *copy && is_within(&need.to, folder)) {
                need.by = need.by.min(*step);
                any = true;
            }
            if !any {
                let why = format!("{folder} would be made by another step first, with another owner");
                return Err(InTheWay { step: *copy, why });
            }
        }
        Ok(())
    }

    /// The folders that are only looked at are made by what is copied first, by something that goes along, or were there before.
    fn folders_are_there(&self, rise: &Rise, over: usize) -> Result<(), InTheWay> {
        let made_along = |folder: &str| {
            rise.along
                .iter()
                .filter_map(|index| self.print(*index))
                .any(|step| step.print.footprint.writes.areas.iter().any(|area| is_within(area.path(), folder)))
        };
        let there = |folder: &str| {
            rise.needs.iter().any(|need| is_within(&need.to, folder)) || made_along(folder) || self.is_made_before(folder, over)
        };
        match rise.folders.iter().find(|(_, folder)| !there(folder)) {
            Some((step, folder)) => {
                Err(InTheWay { step: *step, why: format!("it makes {folder}, which a step that would rise needs") })
            }
            None => Ok(()),
        }
    }

    /// Whether the destination of a copy is known without its work folder's name.
    fn can_be_pinned(&self, index: usize) -> bool {
        self.steps.get(index).is_some_and(|step| step.state.workdir.known().is_some_and(|folder| !folder.starts_with("/(")))
    }

    /// Whether a step may rise at all: the copy of the source may not, everything else may.
    fn may_go_along(&self, step: &StepPrint) -> bool {
        !step.from_context
            || step.copy.as_ref().is_some_and(|copy| copy.unseen.is_empty() && copy.maps.iter().all(|map| !map.folder))
    }

    /// Lets everything that rises pass the step at `index`, which stays.
    fn pass(&self, rise: &mut Rise, print: &Print, at: usize, index: usize, staying: &StepPrint) -> Result<(), String> {
        let along = rise.along.clone();
        let mut gathered = Rise { along: along.clone(), ..Rise::default() };
        let others = along.iter().filter_map(|other| Some((*other, &self.print(*other)?.print)));
        for (riser, rising) in others.chain([(at, print)]) {
            if let Some(setting) = staying.print.settings_clash(rising) {
                if !(staying.copy.is_some() && staying.print.hangs_on_workdir_alone(&setting) && self.can_be_pinned(index)) {
                    return Err(format!("{setting} is not the same above it"));
                }
                gathered.pinned.push(index);
            }
            match (&staying.copy, staying.from_context) {
                (Some(copy), _) => self.pass_copy(&mut gathered, rising, riser, index, copy, staying)?,
                (None, true) => return Err(self.why_not_followed(index)),
                (None, false) if staying.only_removes_beside(rising) => {}
                (None, false) => {
                    if let Some(place) = staying.print.footprint.clash(&rising.footprint) {
                        return Err(place);
                    }
                }
            }
        }
        let Rise { needs, overlaid, restored, pinned, folders, makers, given, .. } = gathered;
        rise.given.extend(given);
        rise.makers.extend(makers);
        rise.pinned.extend(pinned);
        rise.folders.extend(folders);
        for need in needs {
            match rise.needs.iter_mut().find(|own| own.from == need.from && own.to == need.to) {
                Some(own) => own.by = own.by.min(need.by),
                None => rise.needs.push(need),
            }
        }
        rise.overlaid.extend(overlaid);
        rise.restored.extend(restored);
        Ok(())
    }

    fn pass_copy(
        &self,
        gathered: &mut Rise,
        rising: &Print,
        riser: usize,
        index: usize,
        copy: &ContextCopy,
        staying: &StepPrint,
    ) -> Result<(), String> {
        let footprint = rising.besides_gifts();
        if let Some(why) = footprint.reads.anything.as_ref().or(footprint.writes.anything.as_ref()) {
            return Err(why.clone());
        }
        if (footprint.reads.system || footprint.writes.system)
            && let Some(place) = self.lays_into_system(copy)
        {
            return Err(format!("it lays {place}, among what packages install"));
        }
        let touched = footprint.reads.areas.iter().chain(&footprint.writes.areas);
        if let Some(area) = touched.into_iter().find(|area| copy.hides(area.path())) {
            return Err(format!("it copies something into {} that is not in the build context", area.path()));
        }
        if let Some(folder) = self.searched(riser, copy) {
            return Err(format!("PATH names {folder}, which comes with it"));
        }
        if let Some((line, link)) = self.links_above(index).find(|(_, link)| copy.maps.iter().any(|map| is_within(&map.to, link)))
        {
            return Err(format!("line {line} may make {link} a link, so where this copies to is not known"));
        }
        if let Some(why) = rising.loads.iter().find_map(|load| load.brought_by(copy, self.view)) {
            return Err(why);
        }
        for area in &footprint.reads.areas {
            self.read_behind(gathered, area, riser, index, copy)?;
        }
        for area in &footprint.writes.areas {
            let made = rising.makes.iter().find(|folder| is_within(area.path(), folder));
            let rewritten = rising.rewrites.iter().any(|file| file == area.path());
            match made {
                Some(folder) => self.fill_before(gathered, folder, copy)?,
                None if rewritten => gathered.restored.extend(copy.back(area.path(), self.view)),
                None => self.write_before(gathered, area, (riser, rising), copy, (index, staying))?,
            }
        }
        rising.gifts.iter().try_for_each(|gift| self.give_before(gathered, gift, riser, index, copy))
    }

    /// Why it can't be told what a copy lays where.
    fn why_not_followed(&self, index: usize) -> String {
        let step = self.steps.get(index);
        let to = step.and_then(|step| Some((step, step.instruction.arguments.values.last()?)));
        match to.filter(|(step, to)| step.state.absolute(to).known().is_none()) {
            Some((_, to)) => format!("where it copies to is not known ({to})"),
            None => "what it copies can't be followed in the build context".to_owned(),
        }
    }

    /// A rising step in words.
    fn named(&self, riser: usize) -> String {
        self.steps.get(riser).map_or_else(String::new, |step| format!("line {}", step.instruction.lines.0))
    }

    /// The links that `ln -s` makes above a step, each with its line.
    fn links_above(&self, index: usize) -> impl Iterator<Item = (usize, &str)> {
        (0..index).filter_map(|above| Some((self.steps.get(above)?.instruction.lines.0, self.print(above)?))).flat_map(
            |(line, step)| {
                let links = step.commands.iter().filter(|command| command.makes_link());
                links.flat_map(|command| &command.footprint.writes.areas).map(move |area| (line, area.path()))
            },
        )
    }

    /// A folder of the riser's PATH that the copy brings: programs may come from there.
    fn searched(&self, riser: usize, copy: &ContextCopy) -> Option<String> {
        let path = self.steps.get(riser)?.state.variable("PATH")?.known()?;
        let mut folders = path.split(':').filter(|folder| folder.starts_with('/'));
        folders.find(|folder| copy.back(folder, self.view).is_some_and(|from| !from.is_empty())).map(str::to_owned)
    }

    /// The riser reads: of a copy that stays below it needs those files first.
    fn read_behind(
        &self,
        gathered: &mut Rise,
        area: &Area,
        riser: usize,
        index: usize,
        copy: &ContextCopy,
    ) -> Result<(), String> {
        let path = area.path();
        let found = copy.maps.iter().rev().find_map(|map| {
            let from = map.back(path)?;
            let kind = if from.is_empty() { Kind::Folder } else { self.view.kind(&from)? };
            Some((map, from, kind))
        });
        if let Some((map, from, kind)) = found {
            let folder = kind == Kind::Folder;
            match (area, folder) {
                (Area::At(_), true) => {
                    gathered.folders.push((index, path.to_owned()));
                    return Ok(());
                }
                (Area::Below(_), true) if from.is_empty() => return Err(self.reads_all(riser, path)),
                _ => {}
            }
            let linked = |folder: &str| self.view.kind(folder) == Some(Kind::Link);
            let parents = from.match_indices('/').filter_map(|(at, _)| from.get(..at));
            if let Some(link) = parents.into_iter().find(|folder| linked(folder)) {
                return Err(format!("{link} is a link, in the place of which a COPY of {from} would make a folder"));
            }
            if kind == Kind::Link {
                return Err(format!("{from} is a link, which a COPY of its own would follow"));
            }
            if let Some((line, link)) = self.links_above(index).find(|(_, link)| is_within(path, link)) {
                return Err(format!("line {line} may make {link} a link, so where {from} comes to lie is not known"));
            }
            gathered.needs.push(Needed { copy: index, source: map.source, from, to: path.to_owned(), folder, by: riser });
            return Ok(());
        }
        match area {
            Area::Below(_) if copy.maps.iter().any(|map| is_within(&map.to, path)) => Err(self.reads_all(riser, path)),
            _ => Ok(()),
        }
    }

    /// The words for a step that needs a whole copied folder.
    fn reads_all(&self, riser: usize, path: &str) -> String {
        let line = self.steps.get(riser).map_or(0, |step| step.instruction.lines.0);
        format!("line {line} would have to rise, too, and works on all of {path}")
    }

    /// The riser fills a folder: what the host has there must not come on top.
    fn fill_before(&self, gathered: &mut Rise, folder: &str, copy: &ContextCopy) -> Result<(), String> {
        for map in &copy.maps {
            let Some(from) = map.back(folder).filter(|from| map.folder && !from.is_empty()) else {
                if is_within(&map.to, folder) {
                    return Err(format!("it copies into {folder}, which the install makes"));
                }
                continue;
            };
            if let Some(line) = self.view.exception_for(&from) {
                return Err(format!(
                    "the ignore file lets {from} through (`{line}`), and this copy would lay it over what was installed"
                ));
            }
            // `target/*` leaves the folder, which is then empty.
            if self.view.is_ignored(&from) || self.view.is_ignored(&format!("{from}/x")) {
                continue;
            }
            let there = self.view.kind(&from).is_some();
            match self.view.is_tracked(&from) {
                Knowledge::Known(true) => {
                    return Err(format!("git tracks {from}, which the install fills and this copy would lay over it"));
                }
                Knowledge::Unknown if there => {
                    return Err(format!(
                        "{from} is in the build context and would be laid over what was installed; name it in the ignore file"
                    ));
                }
                _ => {}
            }
            gathered.overlaid.push(from);
        }
        Ok(())
    }

    /// The riser writes, outside of what it is known to fill: nothing of that may come with the copy.
    fn write_before(
        &self,
        gathered: &mut Rise,
        area: &Area,
        (riser, rising): (usize, &Print),
        copy: &ContextCopy,
        (index, staying): (usize, &StepPrint),
    ) -> Result<(), String> {
        let path = area.path();
        for map in &copy.maps {
            if is_within(&map.to, path) {
                let only_folder = matches!(area, Area::At(_)) && (map.folder || map.to != path);
                let same_owner = !rising.other_user && !staying.print.other_user;
                let made_before = self.is_made_before(path, index) || self.is_given_before(gathered, path, riser);
                if only_folder && (same_owner || made_before) {
                    continue;
                }
                if only_folder && rising.only_makes_workdir() && !rising.other_user {
                    gathered.makers.push(Maker { step: riser, copy: index, folder: path.to_owned() });
                    continue;
                }
                return Err(match only_folder {
                    true => format!("{path} would be made by another step first, with another owner"),
                    false => format!("{} changes {path}", self.named(riser)),
                });
            }
            let same_owner = !rising.other_user && !staying.print.other_user;
            let made_before = || self.is_made_before(&map.to, index) || self.is_given_before(gathered, &map.to, riser);
            if map.folder && is_within(path, &map.to) && !same_owner && !made_before() {
                return Err(format!("{} would be made by another step first, with another owner or mode", map.to));
            }
            let Some(from) = map.back(path) else { continue };
            if self.view.kind(&from).is_none() && is_own_setting(&from) && !self.view.is_ignored(&from) {
                return Err(format!("it would lay somebody's own {from} over what {} puts there", self.named(riser)));
            }
            let Some(kind) = self.view.kind(&from) else { continue };
            // A later COPY gives a folder that it brings the mode and owner that it would have had.
            if kind != Kind::Folder || !rising.only_makes_workdir() {
                return Err(format!("it brings {path}, which {} changes", self.named(riser)));
            }
        }
        Ok(())
    }

    /// Whether an earlier step makes a folder, or something in it, for certain.
    pub(super) fn is_made_before(&self, path: &str, index: usize) -> bool {
        (0..index).any(|earlier| self.surely_makes(earlier, path))
    }

    /// Whether a step makes a folder, or something in it, for certain.
    pub(super) fn surely_makes(&self, index: usize, path: &str) -> bool {
        self.print(index).is_some_and(|step| match &step.copy {
            Some(copy) => copy.maps.iter().any(|map| is_within(&map.to, path)),
            None => step.print.footprint.writes.areas.iter().any(|area| matches!(area, Area::At(made) if is_within(made, path))),
        })
    }

    /// Whether a step that goes along, above the riser, gives a folder away: it is there by then.
    fn is_given_before(&self, gathered: &Rise, folder: &str, riser: usize) -> bool {
        let gives = |index: &usize| self.print(*index).is_some_and(|step| step.print.gifts.iter().any(|gift| gift.holds(folder)));
        gathered.along.iter().take_while(|index| **index < riser).any(gives)
    }

    /// A path below the distribution's own folders that a copy lays.
    fn lays_into_system(&self, copy: &ContextCopy) -> Option<String> {
        let unseen = copy.unseen.iter().find(|folder| Area::Below((*folder).clone()).reaches_system()).cloned();
        unseen.or_else(|| {
            copy.maps.iter().find_map(|map| match map.folder {
                false => is_system(&map.to).then(|| map.to.clone()),
                true if is_system(&map.to) => Some(map.to.clone()),
                true if Area::Below(map.to.clone()).reaches_system() => self.system_file_below(map),
                true => None,
            })
        })
    }

    fn system_file_below(&self, map: &Map) -> Option<String> {
        let place = |from: &String| {
            let rest = from.strip_prefix(map.from.as_str())?.trim_start_matches('/');
            let to = format!("{}/{rest}", map.to.trim_end_matches('/'));
            is_system(&to).then_some(to)
        };
        self.view.files_below(&map.from).iter().find_map(place)
    }
}

/// Whether a file is one of those that people keep on their own disks beside a project: it may be there elsewhere although it is not
/// here.
fn is_own_setting(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_local =
        name.split_once(".local").is_some_and(|(start, end)| !start.is_empty() && (end.is_empty() || end.starts_with('.')));
    name == ".env" || name.starts_with(".env.") || is_local
}

#[cfg(test)]
mod tests {
    use super::is_own_setting;

    #[test]
    fn settings_of_ones_own_are_known_by_their_names() {
        for path in [".env", "app/.env.production", "config/settings.local", "docker-compose.local.yml"] {
            assert!(is_own_setting(path), "{path}");
        }
        for path in [".local", ".local/bin", "env", "local.conf", ".environment", "a.localhost"] {
            assert!(!is_own_setting(path), "{path}");
        }
    }
}
