//! JSON files as package managers write them.
//!
//! Owns: telling whether writing a file anew would change a byte. Never does: know which manager writes which file.

use super::Manifest;
use serde_json::Value;

/// Whether the text is what JavaScript's `JSON.stringify` makes of the value, with the text's own indentation and a line break at
/// the end.
pub(crate) fn is_pretty(text: &str, value: &Value) -> bool {
    let Some(second) = text.lines().nth(1) else { return false };
    let indent: String = second.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let Ok(mut written) = serde_json::to_string_pretty(value) else { return false };
    written.push('\n');
    // No string holds a line break, so what a line begins with is its indentation.
    let same = |(read, written): (&str, &str)| {
        let plain = written.trim_start_matches(' ');
        let depth = (written.len() - plain.len()) / 2;
        read.strip_suffix(plain) == Some(indent.repeat(depth).as_str())
    };
    let (read, written) = (text.split('\n'), written.split('\n'));
    !indent.is_empty() && read.clone().count() == written.clone().count() && read.zip(written).all(same)
}

/// Whether a package.json stays as it is where a manager writes it from what it understood: the groups in order, none empty.
/// Yarn 2 and later do so on each install, even an immutable one, and npm up to 6; seen in Yarn 3.8 and 4.18 and npm 6.
pub(crate) fn is_canonical(manifest: &Manifest) -> bool {
    let ordered = [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
        "dependenciesMeta",
        "peerDependenciesMeta",
        "bin",
    ];
    let in_order = |key: &&str| {
        let names: Vec<&String> = manifest.map(key).keys().collect();
        names.is_sorted() && !(names.is_empty() && manifest.field(key).is_some_and(Value::is_object))
    };
    ordered.iter().all(in_order)
        && manifest.field("scripts").is_none_or(|scripts| scripts.as_object().is_some_and(|map| !map.is_empty()))
        && manifest.field("private").is_none_or(|private| private == true)
        && is_pretty(manifest.text(), manifest.value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::node::reading::Reading;
    use crate::ecosystems::testing::Files;

    #[test]
    fn what_would_be_written_again_as_it_is() {
        let canonical = |text: &str| {
            let project = Files::new(&[("package.json", text)]);
            is_canonical(&Manifest::at(&Reading::new(&project, Files::ROOT), Files::ROOT).unwrap())
        };
        let sorted = "{\n  \"name\": \"x\",\n  \"dependencies\": {\n    \"a\": \"1\",\n    \"b\": \"1\"\n  }\n}\n";
        assert!(canonical(sorted) && canonical(&sorted.replace("  ", "\t")));
        for other in [
            sorted.trim_end().to_owned(),
            sorted.replace("\"a\"", "\"c\""),
            sorted.replace("\"x\"", "\"x\",\n  \"private\": false"),
            sorted.replace("\"x\"", "\"x\",\n  \"scripts\": {}"),
            sorted.replace('\n', "\r\n"),
            "{\"name\":\"x\"}".to_owned(),
        ] {
            assert!(!canonical(&other), "{other}");
        }
    }
}
