//! Whose the folders are that copies make on their way.
//!
//! Owns: whether a folder is made by another step once a copy comes first, with another owner or mode. A COPY gives the folders above
//! its destination its own owner where they are missing, and leaves those alone that are there; folders inside of what it copies get
//! theirs anew (tried with BuildKit of Docker 26). Never does: look at what is in them.

use super::{InTheWay, Order, Rise};
use crate::context::Kind;
use crate::model::brought::is_context_copy;
use crate::model::footprint::is_in_every_image;
use crate::model::paths::is_within;
use std::ops::Range;

impl Order<'_> {
    /// The folders that a copy makes which now comes first are there before, or would have had the same owner and mode.
    pub(super) fn folders_keep_owners(&self, rise: &Rise, at: usize, over: usize) -> Result<(), InTheWay> {
        for need in &rise.needs {
            self.keeps_owners(rise, &need.to, need.copy, over..at, need.by)?;
        }
        for copy in &rise.along {
            let maps = self.print(*copy).and_then(|step| step.copy.as_ref()).map_or(&[][..], |copy| &copy.maps);
            for map in maps {
                let inside = format!("{}/x", map.to);
                self.keeps_owners(rise, if map.folder { &inside } else { &map.to }, *copy, over..*copy, *copy)?;
            }
        }
        Ok(())
    }

    /// The same for what the step `copy` lays at `path`, from now on directly above `by`.
    pub(super) fn keeps_owners(
        &self,
        rise: &Rise,
        path: &str,
        copy: usize,
        passed: Range<usize>,
        by: usize,
    ) -> Result<(), InTheWay> {
        let parents = path.match_indices('/').filter_map(|(end, _)| path.get(..end)).filter(|folder| !folder.is_empty());
        for folder in parents.filter(|folder| !self.is_there(folder, passed.start)) {
            let Some(maker) = passed.clone().find(|index| self.makes(*index, folder)) else { continue };
            let stays_first = rise.along.contains(&maker) && maker < by;
            if maker == copy || stays_first || self.is_laid_again(folder, passed.clone()) {
                continue;
            }
            if self.owner_of(maker) != self.owner_of(copy) {
                let why = format!("it makes {folder}, which a copy would make first, with another owner");
                return Err(InTheWay { step: maker, why });
            }
        }
        Ok(())
    }

    /// Whether a folder is there before a step, for certain.
    pub(super) fn is_there(&self, folder: &str, index: usize) -> bool {
        let starts = self.steps.first().and_then(|step| step.state.workdir.known());
        is_in_every_image(folder) || starts.is_some_and(|start| is_within(start, folder)) || self.is_made_before(folder, index)
    }

    /// Whether a step lays or makes something at or below a path.
    pub(super) fn makes(&self, index: usize, path: &str) -> bool {
        self.print(index).is_some_and(|step| match &step.copy {
            Some(copy) => copy.maps.iter().any(|map| is_within(&map.to, path)),
            None => step.print.footprint.writes.areas.iter().any(|area| is_within(area.path(), path)),
        })
    }

    /// Whether a copy brings the folder itself: it then gives it the owner and mode that it would have had.
    fn is_laid_again(&self, folder: &str, mut steps: Range<usize>) -> bool {
        steps.any(|index| {
            let copy = self.print(index).and_then(|step| step.copy.as_ref());
            copy.is_some_and(|copy| {
                copy.maps.iter().any(|map| {
                    map.to != folder && map.back(folder).is_some_and(|from| self.view.kind(&from) == Some(Kind::Folder))
                })
            })
        })
    }

    /// To whom folders belong that a step makes, in the words of the file.
    pub(super) fn owner_of(&self, index: usize) -> Option<String> {
        let copy = self.steps.get(index)?.instruction;
        match copy.flag("chown") {
            Some(owner) => Some(owner.to_owned()),
            None if is_context_copy(copy) => None,
            None => self.print(index)?.print.other_user.then(|| "another".to_owned()),
        }
    }
}
