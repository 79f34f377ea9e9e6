//! JSON arrays of strings: the exec form.
//!
//! Owns: telling an array from a shell text, and where each string stands.

use std::ops::Range;

/// Why a text is no array of strings.
#[derive(Debug, PartialEq, Eq)]
pub enum NotStrings {
    /// It is not a JSON array at all, so the builder takes it as text.
    NotJson,
    /// A JSON array with something else in it, which the builder refuses.
    OtherElements,
}

/// The strings of a JSON array, each with the range of its token (quotes included) in `text`.
pub fn read_strings(text: &str) -> Result<Vec<(String, Range<usize>)>, NotStrings> {
    if !text.trim_start().starts_with('[') {
        return Err(NotStrings::NotJson);
    }
    // The builder decodes one value and looks no further: `CMD ["a"] # why` is an array.
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Vec<serde_json::Value>>();
    let Some(Ok(values)) = stream.next() else { return Err(NotStrings::NotJson) };
    let mut spans = string_tokens(text).into_iter();
    values
        .into_iter()
        .map(|value| match (value, spans.next()) {
            (serde_json::Value::String(string), Some(span)) => Ok((string, span)),
            _ => Err(NotStrings::OtherElements),
        })
        .collect()
}

/// Ranges of the string tokens of a text that starts with valid JSON.
fn string_tokens(text: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut open = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match open {
            None if byte == b'"' => open = Some(at),
            None => {}
            Some(_) if escaped => escaped = false,
            Some(_) if byte == b'\\' => escaped = true,
            Some(start) if byte == b'"' => {
                tokens.push(start..at + 1);
                open = None;
            }
            Some(_) => {}
        }
    }
    tokens
}
