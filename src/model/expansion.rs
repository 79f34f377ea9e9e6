//! Variables in Dockerfile words.
//!
//! Owns: `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}`, quotes and escapes as the reference describes them under
//! "Environment replacement". Anything else in braces is Unknown.

use crate::knowledge::Knowledge;

/// Asks for a variable: `None` when it is not set.
pub type Lookup<'l> = dyn Fn(&str) -> Option<Knowledge<String>> + 'l;

/// The value of a word after quote removal and expansion. An unset variable is empty.
pub fn expand(word: &str, escape: char, lookup: &Lookup<'_>) -> Knowledge<String> {
    let mut result = String::new();
    let mut quote: Option<char> = None;
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), _) if c == escape => result.extend(chars.next()),
            (None | Some('"'), '$') => match variable(&mut chars, escape, lookup) {
                Knowledge::Known(value) => result.push_str(&value),
                Knowledge::Unknown => return Knowledge::Unknown,
            },
            _ => result.push(c),
        }
    }
    Knowledge::Known(result)
}

type Chars<'c> = std::iter::Peekable<std::str::Chars<'c>>;

fn variable(chars: &mut Chars<'_>, escape: char, lookup: &Lookup<'_>) -> Knowledge<String> {
    if chars.next_if_eq(&'{').is_none() {
        let name = name(chars);
        if name.is_empty() {
            return Knowledge::Known("$".to_owned());
        }
        return lookup(&name).unwrap_or_else(|| Knowledge::Known(String::new()));
    }
    let name = name(chars);
    let mut rest = String::new();
    let mut depth = 1_usize;
    loop {
        match chars.next() {
            None => return Knowledge::Unknown,
            Some('{') => {
                depth += 1;
                rest.push('{');
            }
            Some('}') if depth == 1 => break,
            Some('}') => {
                depth -= 1;
                rest.push('}');
            }
            Some(c) => rest.push(c),
        }
    }
    let value = lookup(&name);
    let other = |word: &str| expand(word, escape, lookup);
    if rest.is_empty() {
        value.unwrap_or_else(|| Knowledge::Known(String::new()))
    } else if let Some(word) = rest.strip_prefix(":-") {
        match value {
            None => other(word),
            Some(Knowledge::Known(value)) if value.is_empty() => other(word),
            Some(value) => value,
        }
    } else if let Some(word) = rest.strip_prefix('-') {
        value.unwrap_or_else(|| other(word))
    } else {
        Knowledge::Unknown
    }
}

fn name(chars: &mut Chars<'_>) -> String {
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::expand;
    use crate::knowledge::Knowledge;

    fn value(word: &str) -> Option<String> {
        let lookup = |name: &str| match name {
            "A" => Some(Knowledge::Known("1".to_owned())),
            "E" => Some(Knowledge::Known(String::new())),
            "U" => Some(Knowledge::Unknown),
            _ => None,
        };
        expand(word, '\\', &lookup).into_known()
    }

    #[test]
    fn variables_defaults_quotes_and_escapes() {
        assert_eq!(value("x${A}y$A").as_deref(), Some("x1y1"));
        assert_eq!(value("${N:-d}${E:-e}${E-f}$N").as_deref(), Some("de"));
        assert_eq!(value(r#""a b"'$A'\$A"#).as_deref(), Some("a b$A$A"));
        assert_eq!(value("$U"), None);
        assert_eq!(value("${A#x}"), None);
    }
}
