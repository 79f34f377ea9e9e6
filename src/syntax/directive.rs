//! Parser directives: `# syntax=`, `# escape=`, `# check=`.
//!
//! Owns: recognising one on a line and the rule that ends the place for them. The rule is BuildKit's: directives stand on
//! the first lines; the first line that does not have the form of one ends them, and none may come twice.

use std::ops::Range;

/// Which directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectiveName {
    /// The frontend image that reads the file.
    Syntax,
    /// The character that escapes and continues lines.
    Escape,
    /// The builder's own checks.
    Check,
}

impl DirectiveName {
    fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "syntax" => Some(Self::Syntax),
            "escape" => Some(Self::Escape),
            "check" => Some(Self::Check),
            _ => None,
        }
    }

    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Escape => "escape",
            Self::Check => "check",
        }
    }
}

/// What a line is while directives may still come.
pub enum Line {
    /// A directive, with the range of its value inside the line.
    Directive(DirectiveName, Range<usize>),
    /// Of the form `# name=value` but no directive that the builder knows: it ends nothing.
    Unknown,
    /// Anything else: no directive may follow.
    Other,
}

/// Reads one line (its end excluded). `^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$`
pub fn read(line: &str) -> Line {
    let Some(rest) = line.strip_prefix('#') else { return Line::Other };
    let Some((name, value)) = rest.split_once('=') else { return Line::Other };
    let name = name.trim();
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    let trimmed = value.trim();
    if !valid || trimmed.is_empty() {
        return Line::Other;
    }
    let start = line.len() - value.len() + (value.len() - value.trim_start().len());
    match DirectiveName::of(name) {
        Some(name) => Line::Directive(name, start..start + trimmed.len()),
        None => Line::Unknown,
    }
}
