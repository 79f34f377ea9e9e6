//! File names as they are printed.
//!
//! Owns: git's way of quoting a name. Never does: look at the disk.

use std::path::{Component, Path};

/// A name for a message: as it is, or quoted as git does where it holds what would garble a terminal.
pub fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => quote(path.as_os_str().as_encoded_bytes()),
    }
}

/// A name behind `--- ` or `+++ ` of a diff: `a/path`, quoted where git quotes. Folders are parted by `/` on every system.
pub(super) fn in_diff(side: &str, path: &Path) -> String {
    let mut name = side.as_bytes().to_vec();
    for component in path.components() {
        if let Component::Normal(part) = component {
            name.push(b'/');
            name.extend_from_slice(part.as_encoded_bytes());
        }
    }
    if name.iter().any(|&byte| needs_quotes(byte)) {
        return quote(&name);
    }
    let mut text = String::from_utf8_lossy(&name).into_owned();
    if text.contains(' ') {
        // Without the tab `patch` takes what follows the space for a date.
        text.push('\t');
    }
    text
}

fn needs_quotes(byte: u8) -> bool {
    !(b' '..=b'~').contains(&byte) || byte == b'"' || byte == b'\\'
}

fn quote(name: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in name {
        match byte {
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            b'\r' => quoted.push_str("\\r"),
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{in_diff, shown};
    use std::path::Path;

    #[test]
    fn names_are_quoted_as_git_quotes_them() {
        assert_eq!(in_diff("a", Path::new("./x/Dockerfile")), "a/x/Dockerfile");
        assert_eq!(in_diff("a", Path::new("/x/Dockerfile")), "a/x/Dockerfile");
        assert_eq!(in_diff("b", Path::new("a b/Dockerfile")), "b/a b/Dockerfile\t");
        assert_eq!(in_diff("b", Path::new("é\"\\/Dockerfile")), r#""b/\303\251\"\\/Dockerfile""#);
    }

    #[test]
    fn a_message_quotes_only_what_would_garble_it() {
        assert_eq!(shown(Path::new("é b/Dockerfile")), "é b/Dockerfile");
        assert_eq!(shown(Path::new("a\nb\u{1b}")), r#""a\nb\033""#);
    }
}
