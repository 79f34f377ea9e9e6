//! A USER of its own for a step that rises alone.
//!
//! Owns: [`Bracket`], the USER in front of such a step and the one that goes on behind it. Never does: ask whether the step may rise.

use super::{Order, Rise};
use crate::ecosystems::User;
use crate::model::Step;
use crate::syntax::Keyword;

/// USER instructions around a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// In front of it: its own user.
    pub before: String,
    /// Behind it: who goes on.
    pub after: String,
}

impl Order<'_> {
    /// The USER around the step `at`, when it stands above the step `over`; `None` where it needs none, or where one is not known.
    pub(super) fn bracket(&self, at: usize, over: usize) -> Option<Bracket> {
        let (own, there) = (self.steps.get(at)?, self.steps.get(over)?);
        if own.state.user == there.state.user {
            return None;
        }
        let before = self.user_above(at)?;
        let after = match self.user_above(over) {
            Some(setter) => self.said(setter, over)?,
            None => "root",
        };
        let word = before.instruction.word.as_str();
        Some(Bracket { before: format!("{word} {}", self.said(before, over)?), after: format!("{word} {after}") })
    }

    /// Whether the steps above the step `over` are surely root's where no USER says so: the image is an official one, or a step does
    /// what only root can.
    pub(super) fn starts_as_root(&self, rise: &Rise, over: usize) -> bool {
        let official = !self.stage.image.repository().is_empty() && !self.stage.image.repository().contains('/');
        let gives = |index: &usize| self.print(*index).is_some_and(|step| !step.print.gifts.is_empty());
        let root = self.steps.first().is_some_and(|step| step.state.user == User::Root);
        self.user_above(over).is_some() || root && (official || rise.along.iter().any(gives))
    }

    /// The last USER above a step.
    fn user_above(&self, index: usize) -> Option<&Step<'_>> {
        self.steps.get(..index)?.iter().rev().find(|step| step.instruction.keyword == Keyword::User)
    }

    /// What a USER says, where it says the same at another step.
    fn said<'s>(&self, setter: &'s Step<'_>, there: usize) -> Option<&'s str> {
        let text = setter.instruction.arguments.values.first()?;
        let same = setter.state.lookup_text(text)? == self.steps.get(there)?.state.lookup_text(text)?;
        same.then_some(text.as_str())
    }
}
