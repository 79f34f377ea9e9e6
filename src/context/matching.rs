//! Whether a path matches a pattern.
//!
//! Owns: the pieces of a pattern and the match, in time proportional to both lengths. Never does: read a pattern's syntax, which
//! differs between a COPY source (`glob`) and an ignore file (`ignore`).

/// A pattern that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces {
    pieces: Vec<Piece>,
    /// What a match must begin and end with: refuses most paths at once.
    head: String,
    tail: String,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// This character.
    Char(char),
    /// One character, but no `/`.
    One,
    /// Any number of characters, but no `/`.
    Many,
    /// One character of a set, which may be `/`.
    Set(Set),
    /// Nothing, or anything up to and with a `/`.
    Folders,
    /// Anything, with any `/`.
    Anything,
}

/// A `[…]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// All but these.
    pub(super) but: bool,
    /// From and to, both included.
    pub(super) ranges: Vec<(char, char)>,
}

impl Set {
    fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|&(from, to)| from <= c && c <= to) != self.but
    }
}

impl Pieces {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        fn literal(piece: &Piece) -> Option<char> {
            if let Piece::Char(c) = piece { Some(*c) } else { None }
        }
        let head = pieces.iter().map_while(literal).collect();
        let tail: Vec<char> = pieces.iter().rev().map_while(literal).collect();
        Self { head, tail: tail.into_iter().rev().collect(), pieces }
    }

    /// Whether a `/` may be matched by something else than a `/`.
    pub(super) fn has_set(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Set(_)))
    }

    /// Whether the pattern covers the whole path.
    pub(super) fn matches(&self, path: &str) -> bool {
        if !path.starts_with(&self.head) || !path.ends_with(&self.tail) {
            return false;
        }
        let mut now = Places::new(self.pieces.len());
        let mut next = Places::new(self.pieces.len());
        self.reach(&mut now, 0);
        for c in path.chars() {
            if now.places.is_empty() {
                return false;
            }
            for &at in &now.places {
                self.read(at, c, &mut next);
            }
            now.clear();
            std::mem::swap(&mut now, &mut next);
        }
        now.holds(self.pieces.len())
    }

    /// Stands before a piece, and before those behind it if it may be nothing.
    fn reach(&self, places: &mut Places, mut at: usize) {
        while places.add(at) && matches!(self.pieces.get(at), Some(Piece::Many | Piece::Folders | Piece::Anything)) {
            at += 1;
        }
    }

    fn read(&self, at: usize, c: char, next: &mut Places) {
        match self.pieces.get(at) {
            Some(Piece::Char(wanted)) if *wanted == c => self.reach(next, at + 1),
            Some(Piece::One) if c != '/' => self.reach(next, at + 1),
            Some(Piece::Set(set)) if set.holds(c) => self.reach(next, at + 1),
            Some(Piece::Many) if c != '/' => self.reach(next, at),
            Some(Piece::Anything) => self.reach(next, at),
            Some(Piece::Folders) => {
                // Within a name it can't end: only behind a `/`.
                next.add(at);
                if c == '/' {
                    self.reach(next, at + 1);
                }
            }
            _ => {}
        }
    }
}

/// A set of places between pieces.
struct Places {
    places: Vec<usize>,
    is_in: Vec<bool>,
}

impl Places {
    fn new(pieces: usize) -> Self {
        Self { places: Vec::new(), is_in: vec![false; pieces + 1] }
    }

    fn holds(&self, at: usize) -> bool {
        self.is_in.get(at).copied().unwrap_or_default()
    }

    /// Whether it was not there before.
    fn add(&mut self, at: usize) -> bool {
        match self.is_in.get_mut(at) {
            Some(slot) if !*slot => {
                *slot = true;
                self.places.push(at);
                true
            }
            _ => false,
        }
    }

    fn clear(&mut self) {
        self.places.clear();
        self.is_in.fill(false);
    }
}
