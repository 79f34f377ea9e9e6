//! Colours for a terminal.
//!
//! Owns: which colour means what. Never does: find out whether there is a terminal.

/// What a piece of text is, and so how it is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// A file's name.
    Heading,
    /// Where a hunk of a diff lies.
    Place,
    /// Something that comes, or was done.
    Good,
    /// Something that goes, or went wrong.
    Bad,
    /// Something that waits for a decision.
    Doubt,
    /// What may be skipped in reading.
    Faint,
}

/// Colours, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    on: bool,
}

impl Palette {
    /// For files and pipes.
    pub const PLAIN: Self = Self { on: false };

    /// Coloured, or not.
    pub fn new(on: bool) -> Self {
        Self { on }
    }

    /// `text` in its colour. It must not hold a line end.
    pub fn paint(self, ink: Ink, text: &str) -> String {
        if !self.on {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Heading => "1",
            Ink::Place => "36",
            Ink::Good => "32",
            Ink::Bad => "31",
            Ink::Doubt => "33",
            Ink::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
