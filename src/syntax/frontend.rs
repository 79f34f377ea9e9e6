//! The frontend that a file names: the first directive, `# syntax=`.
//!
//! Owns: what it names, and where a line that names one would go. Never does: know what a frontend can do.

use super::{DirectiveName, Dockerfile, ItemKind};
use std::ops::Range;

impl Dockerfile {
    /// The bytes of the reference behind `# syntax=`.
    pub fn frontend(&self) -> Option<Range<usize>> {
        self.items.iter().find_map(|item| match &item.kind {
            ItemKind::Directive { name: DirectiveName::Syntax, value } => Some(value.clone()),
            _ => None,
        })
    }

    /// Where a `# syntax=` line goes: the first line, behind a byte order mark and a `#!` line. `None` where the file names a frontend
    /// already: also in the style of other comments (`// syntax=`) or in JSON, which the builder takes, too.
    pub fn place_of_frontend(&self) -> Option<usize> {
        if self.frontend().is_some() || self.has_foreign_header() {
            return None;
        }
        let mut at = 0;
        for item in &self.items {
            match item.kind {
                ItemKind::ByteOrderMark => at = item.span.end,
                ItemKind::Comment if item.span.start == at && self.slice(item.span.clone()).starts_with("#!") => {
                    at = item.span.end;
                    break;
                }
                _ => break,
            }
        }
        Some(at)
    }

    fn has_foreign_header(&self) -> bool {
        let start = self.text.trim_start_matches('\u{feff}');
        let first = start.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
        first.trim_start_matches('/').trim_start().to_ascii_lowercase().starts_with("syntax") && first.starts_with("//")
            || first.starts_with('{')
    }
}
