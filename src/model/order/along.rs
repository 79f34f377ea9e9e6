//! Copies that rise whole.
//!
//! Owns: whether a copy of which everything is needed goes above with its step, instead of being written twice. Never does: decide
//! what is needed.

use super::{Order, Rise};
use crate::model::paths::is_within;

impl Order<'_> {
    /// A copy of which everything is needed rises as it stands, if nothing hinders it.
    pub(super) fn whole_copies_go_along(&self, rise: &mut Rise, at: usize, over: usize) {
        for index in (over + 1..at).rev() {
            let Some(copy) = self.print(index).and_then(|step| step.copy.as_ref()) else { continue };
            let mut needs = rise.needs.iter().filter(|needed| needed.copy == index).peekable();
            let whole = needs.peek().is_some()
                && copy.maps.iter().all(|map| {
                    rise.needs.iter().any(|needed| needed.copy == index && needed.from == map.from && needed.folder == map.folder)
                });
            if !whole || rise.along.contains(&index) || !self.commutes_upwards(rise, index, over) {
                continue;
            }
            rise.needs.retain(|needed| needed.copy != index);
            let place = rise.along.partition_point(|other| *other < index);
            rise.along.insert(place, index);
        }
    }

    /// Whether a copy can pass all steps between it and `over` that stay.
    fn commutes_upwards(&self, rise: &Rise, index: usize, over: usize) -> bool {
        let Some(own) = self.print(index) else { return false };
        (over..index).filter(|other| !rise.along.contains(other)).all(|other| {
            let Some(staying) = self.print(other) else { return true };
            if staying.print.settings_clash(&own.print).is_some() {
                return false;
            }
            match (&staying.copy, &own.copy) {
                (Some(below), Some(above)) if below.unseen.is_empty() && above.unseen.is_empty() => {
                    above.maps.iter().all(|map| {
                        below.back(&map.to, self.view).is_none_or(|from| from == map.from)
                            && !below.maps.iter().any(|other| is_within(&other.to, &map.to) && other.to != map.to)
                    })
                }
                _ => !staying.from_context && staying.print.footprint.clash(&own.print.footprint).is_none(),
            }
        })
    }
}
