//! What a word says once its variables are known.
//!
//! Owns: expansion of [`Word`]s against variables that the caller knows. Never does: word splitting, globbing or brace
//! expansion: the text between unquoted pieces stays as it is, and who needs one file's name has to look for them.

use super::{Piece, Word};
use crate::knowledge::Knowledge;

/// What is known of a variable: `None`, it is not set; `Some(Unknown)`, it may hold anything.
pub type Lookup<'a> = dyn Fn(&str) -> Option<Knowledge<String>> + 'a;

/// Whether `name` is a shell identifier: letters, digits and `_`, not starting with a digit.
pub fn is_plain_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

impl Word {
    /// The word's text after quote removal, with `lookup` for its variables and `home` for its `~`.
    ///
    /// Unset variables are empty, defaults (`${A:-x}`, `${A-x}`) are honoured. Anything else that an expansion may do makes
    /// the whole Unknown, and so do special parameters (`$1`, `$?`), which `lookup` is not asked about.
    pub fn expand(&self, lookup: &Lookup<'_>, home: &Knowledge<String>) -> Knowledge<String> {
        let mut text = String::with_capacity(self.raw.len());
        expand_onto(&mut text, &self.pieces, lookup, home).map(|()| text).into()
    }

    /// The word's text, if no expansion takes part in it.
    pub fn literal(&self) -> Option<String> {
        let mut literal = String::with_capacity(self.raw.len());
        for piece in &self.pieces {
            let Piece::Text { text, .. } = piece else { return None };
            literal.push_str(text);
        }
        Some(literal)
    }

    /// The text in front of the first expansion: the longest prefix that is known without knowing any variable.
    pub fn starts_with_literal(&self) -> String {
        let texts = self.pieces.iter().map_while(|piece| match piece {
            Piece::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The names of the variables (and special parameters, as `?`) that the word reads, each once, in the order of the text.
    ///
    /// Inside substitutions and transformations the names are taken from the text as it stands, so that there may be some
    /// that are not read after all (between single quotes), but none is missing that the text names. A variable's own value
    /// may name more (`${!A}`), and so may commands that the word runs.
    pub fn mentions(&self) -> Vec<String> {
        let mut names = Vec::new();
        if is_transparent(&self.pieces) {
            names_of_pieces(&self.pieces, &mut names);
        } else {
            names_in_text(&self.raw.replace("\\\n", ""), &mut names);
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

fn expand_onto(target: &mut String, pieces: &[Piece], lookup: &Lookup<'_>, home: &Knowledge<String>) -> Option<()> {
    for piece in pieces {
        match piece {
            Piece::Text { text, .. } => target.push_str(text),
            Piece::Home => target.push_str(home.known()?),
            Piece::Opaque { .. } => return None,
            Piece::Variable { transformed: true, default: None, .. } => return None,
            Piece::Variable { name, default, transformed, .. } => {
                if !is_plain_name(name) {
                    return None;
                }
                // `${A-x}`, the only default that counts as a transformation, is for unset variables alone.
                let empty_counts = *transformed;
                match (lookup(name), default) {
                    (Some(Knowledge::Unknown), _) => return None,
                    (Some(Knowledge::Known(value)), Some(_)) if !value.is_empty() || empty_counts => {
                        target.push_str(&value);
                    }
                    (Some(Knowledge::Known(value)), None) => target.push_str(&value),
                    (_, Some(default)) => expand_onto(target, default, lookup, home)?,
                    (None, None) => {}
                }
            }
        }
    }
    Some(())
}

/// Whether the pieces show everything that the word reads.
fn is_transparent(pieces: &[Piece]) -> bool {
    pieces.iter().all(|piece| match piece {
        Piece::Text { .. } | Piece::Home => true,
        Piece::Opaque { .. } => false,
        Piece::Variable { transformed, default, .. } => match default {
            Some(default) => is_transparent(default),
            None => !transformed,
        },
    })
}

fn names_of_pieces(pieces: &[Piece], names: &mut Vec<String>) {
    for piece in pieces {
        if let Piece::Variable { name, default, .. } = piece {
            names.push(name.clone());
            names_of_pieces(default.as_deref().unwrap_or_default(), names);
        }
    }
}

/// Every name that a `$` stands in front of, and behind `$((` and `$[` every name at all: arithmetic reads them bare.
fn names_in_text(text: &str, names: &mut Vec<String>) {
    let bare = text.contains("$((") || text.contains("$[");
    let mut before = ' ';
    let mut behind_dollar = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let name_length = rest.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric())).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(name_length.max(first.len_utf8()));
        // In `${#NAME}` and `${!NAME}` it is no parameter yet.
        let is_prefix = before == '{' && matches!(first, '#' | '!') && !behind.starts_with('}');
        let special = !is_prefix && matches!(first, '@' | '*' | '?' | '-' | '$' | '!' | '#' | '0'..='9');
        if behind_dollar && (special || is_plain_name(word)) || bare && is_plain_name(word) {
            names.push(if special { first.to_string() } else { word.to_owned() });
        }
        behind_dollar = first == '$' || behind_dollar && (first == '{' || is_prefix);
        before = first;
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::parse;

    fn word(raw: &str) -> Word {
        let list = parse(&format!("cmd {raw}")).unwrap();
        let words = list.simple_commands(false)[0].0.words.clone();
        assert_eq!(words.len(), 2, "{raw}");
        words[1].clone()
    }

    fn lookup(name: &str) -> Option<Knowledge<String>> {
        match name {
            "A" => Some(Knowledge::Known("one".to_owned())),
            "EMPTY" => Some(Knowledge::Known(String::new())),
            "MYSTERY" => Some(Knowledge::Unknown),
            _ => None,
        }
    }

    fn expanded(raw: &str) -> Option<String> {
        word(raw).expand(&lookup, &Knowledge::Known("/root".to_owned())).into_known()
    }

    #[test]
    fn known_variables_are_put_in() {
        assert_eq!(expanded("x$A/${A}\"$A\"'$A'\\$A").as_deref(), Some("xone/oneone$A$A"));
        assert_eq!(expanded("~/a*").as_deref(), Some("/root/a*"));
        assert_eq!(expanded("x$UNSET").as_deref(), Some("x"));
        assert_eq!(expanded("''").as_deref(), Some(""));
    }

    #[test]
    fn defaults_stand_in_for_what_is_missing() {
        assert_eq!(expanded("${UNSET:-x$A}").as_deref(), Some("xone"));
        assert_eq!(expanded("${EMPTY:-x}").as_deref(), Some("x"));
        assert_eq!(expanded("${A:-x}").as_deref(), Some("one"));
        assert_eq!(expanded("${UNSET-x}").as_deref(), Some("x"));
        assert_eq!(expanded("${EMPTY-x}").as_deref(), Some(""));
        assert_eq!(expanded("${UNSET:-}").as_deref(), Some(""));
        assert_eq!(expanded("${UNSET:-$MYSTERY}"), None);
        assert_eq!(expanded("${MYSTERY:-x}"), None);
    }

    #[test]
    fn one_unknown_piece_makes_the_word_unknown() {
        for raw in ["a$MYSTERY", "$(ls)", "${A%e}", "${A:+x}", "$?", "$1", "~user", "`ls`", "$((1))"] {
            assert_eq!(expanded(raw), None, "{raw}");
        }
        assert_eq!(word("~/a").expand(&lookup, &Knowledge::Unknown), Knowledge::Unknown);
    }

    #[test]
    fn literals_need_no_variables() {
        assert_eq!(word("a'b c'\\$").literal().as_deref(), Some("ab c$"));
        assert_eq!(word("a$B").literal(), None);
        assert_eq!(word("~").literal(), None);
        assert_eq!(word("--a='b'$C/d").starts_with_literal(), "--a=b");
        assert_eq!(word("$C").starts_with_literal(), "");
    }

    #[test]
    fn mentioned_names_include_those_inside() {
        assert_eq!(word("$A/${B:-$C}\"$A\"'$D'").mentions(), ["A", "B", "C"]);
        assert_eq!(word("$(echo $A \"${B%$C}\")$?").mentions(), ["A", "B", "C", "?"]);
        assert_eq!(word("$((A + $B))").mentions(), ["A", "B"]);
        assert_eq!(word("${#A}").mentions(), ["A"]);
        assert_eq!(word("${!A}").mentions(), ["A"]);
        assert_eq!(word("plain").mentions(), [""; 0]);
    }

    #[test]
    fn plain_names() {
        assert!(["a", "_", "A1_b"].iter().all(|name| is_plain_name(name)));
        assert!(["", "1a", "a-b", "é", "?", "a b"].iter().all(|name| !is_plain_name(name)));
    }
}
