//! What the tool could and could not see.
//!
//! Owns: [`Knowledge`], used by every layer above. Never does: decide what Unknown means to a rule; that is the rule's.

/// A value that the tool may not have been able to see. Unknown is a value of its own, never a default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Knowledge<T> {
    /// Seen, and this is it.
    Known(T),
    /// Not seen: nothing may be concluded.
    #[default]
    Unknown,
}

impl<T> Knowledge<T> {
    /// The value where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// The value by move, where it is known.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// Applies `f` to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Knowledge<U> {
        match self {
            Self::Known(value) => Knowledge::Known(f(value)),
            Self::Unknown => Knowledge::Unknown,
        }
    }
}

impl<T> From<Option<T>> for Knowledge<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }
}
