//! Words of an instruction's text, as the builder's parser cuts them.
//!
//! Owns: flags in front of the arguments, words of ENV/LABEL/ARG with their quotes kept, and splitting at blanks. Each
//! function follows one of the same shape in BuildKit's `line_parsers.go` and `split_command.go`.

use std::ops::Range;

/// Blanks by which the builder cuts words: not every Unicode space, and no line feed.
pub fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// Go's `unicode.IsSpace` for a byte taken as a character of Latin-1.
fn is_latin_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ' | 0x85 | 0xa0)
}

/// Words between blanks with their ranges, a text that starts or ends with blanks giving empty words there, as a regular
/// expression split does.
pub fn split_blanks(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if is_blank(c) {
            words.push(start..at);
            start = at + c.len_utf8();
            while let Some((next, _)) = chars.next_if(|(_, c)| is_blank(*c)) {
                start = next + 1;
            }
        }
    }
    words.push(start..text.len());
    words
}

/// A flag with its value after quote removal and its range in the text.
pub type FlagText = (String, Range<usize>);

/// Takes leading `--flags` off: the flags, and where the rest begins.
pub fn take_flags(text: &str) -> (Vec<FlagText>, usize) {
    let bytes = text.as_bytes();
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        while bytes.get(at).is_some_and(|byte| is_latin_space(*byte)) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'-') || bytes.get(at + 1) != Some(&b'-') {
            return (flags, at);
        }
        let start = at;
        let (word, quoted, end) = flag_word(bytes, at);
        at = end;
        if word == "--" {
            return (flags, at);
        }
        if quoted || !word.is_empty() {
            flags.push((word, start..at));
        }
        if at >= bytes.len() {
            return (flags, text.len());
        }
    }
}

/// One flag from `start` on: its text, whether quotes stood in it, and where it ends.
fn flag_word(bytes: &[u8], start: usize) -> (String, bool, usize) {
    let (mut word, mut quoted, mut quote, mut at) = (String::new(), false, None, start);
    while let Some(&byte) = bytes.get(at) {
        match quote {
            None if is_latin_space(byte) => break,
            None if byte == b'\'' || byte == b'"' => {
                quote = Some(byte);
                quoted = true;
            }
            Some(open) if byte == open => quote = None,
            _ if byte == b'\\' => {
                at += 1;
                match bytes.get(at) {
                    // Byte by byte as in the builder: characters beyond ASCII come out as Latin-1.
                    Some(next) => word.push(char::from(*next)),
                    None => break,
                }
            }
            _ => word.push(char::from(byte)),
        }
        at += 1;
    }
    (word, quoted, at.min(bytes.len()))
}

/// Words with quotes and escapes kept, as ENV, LABEL and ARG have them.
pub fn quoted_words(text: &str, escape: char) -> Vec<(String, Range<usize>)> {
    let mut words = Vec::new();
    let (mut start, mut in_word, mut quote): (usize, bool, Option<char>) = (0, false, None);
    let mut end = text.len();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if !in_word {
            if c.is_whitespace() {
                continue;
            }
            in_word = true;
            start = at;
        }
        match quote {
            None if c.is_whitespace() => {
                words.push((text.get(start..at).unwrap_or_default().to_owned(), start..at));
                in_word = false;
                continue;
            }
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        // An escape character at the very end is dropped.
        if c == escape && quote != Some('\'') && chars.next().is_none() {
            end = at;
        }
    }
    let word = text.get(start..end).filter(|word| in_word && !word.is_empty());
    words.extend(word.map(|word| (word.to_owned(), start..text.len())));
    words
}
