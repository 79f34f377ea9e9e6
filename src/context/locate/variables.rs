//! Variables in the values of build files.
//!
//! Owns: putting values and defaults in for `$NAME`, `${NAME}`, `${NAME:-default}`. Never does: read the environment: whoever builds
//! has another.

/// Where the file's own commands run, by the names that build files have for it.
const HERE: [&str; 6] = ["CURDIR", "PWD", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE", "pwd"];

/// A text with its variables put in; `None` where one has no value that is known.
pub(super) fn filled(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        filled.push_str(before);
        if let Some(literal) = behind.strip_prefix('$') {
            filled.push('$');
            rest = literal;
            continue;
        }
        let (reference, behind) = reference(behind)?;
        filled.push_str(&valued(reference, value)?);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

/// What stands behind a `$`: the inside of its braces, or the name; and the rest.
pub(super) fn reference(text: &str) -> Option<(&str, &str)> {
    for (open, close) in [('{', '}'), ('(', ')')] {
        if let Some(inner) = text.strip_prefix(open) {
            let mut depth = 1;
            let end = inner.char_indices().find(|(_, c)| {
                depth += i32::from(*c == open) - i32::from(*c == close);
                depth == 0
            });
            let (end, _) = end?;
            return Some((inner.get(..end)?, inner.get(end + 1..)?));
        }
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn valued(reference: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let end = reference.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(reference.len());
    let (name, operator) = reference.split_at(end);
    if operator.is_empty() {
        let here = || HERE.contains(&name).then(|| ".".to_owned());
        return value(name).or_else(here);
    }
    let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'))?;
    value(name).or_else(|| filled(default, value))
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn values_and_defaults_are_put_in() {
        let value = |name: &str| (name == "A").then(|| "a".to_owned());
        for (text, expected) in [
            ("x", Some("x")),
            ("$A/${A}/$(A)", Some("a/a/a")),
            ("${B:-b}", Some("b")),
            ("${B:-${C:-c}}/d", Some("c/d")),
            ("${A:-b}", Some("a")),
            ("$$A", Some("$A")),
            ("$(pwd)/x", Some("./x")),
            ("${PWD}", Some(".")),
            ("$B", None),
            ("${B:?needed}", None),
            ("${B", None),
            ("$(shell ls)", None),
        ] {
            assert_eq!(filled(text, &value).as_deref(), expected, "{text}");
        }
    }
}
