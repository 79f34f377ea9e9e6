//! What the build tools on the Java machine have in common: the home folder as Java sees it, and `-D` properties.
//!
//! Owns: reading properties from a command's words and from the variables that hand options to Java.
//! Never does: know a build tool; each says which variables it passes on.
//!
//! Java takes `user.home` from the password file, not from `HOME` (tried with Maven 3.8 on OpenJDK 17: `HOME=/x mvn` as root
//! works in `/root/.m2`). So a `HOME` set for another user than root leaves the folder unproven, and is refused.
//! The variables are those of the `java` launcher's manual; option files (`.mvn/jvm.config`, `.jvmopts`) are not seen: with
//! one that moves a cache, the mount stays idle.

use crate::ecosystems::{Invocation, Obstacle, Surroundings, User};
use crate::knowledge::Knowledge;

/// Variables that every Java program reads.
const JAVA_OPTIONS: &[&str] = &["JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"];

/// Whose home it is in Java's eyes, absolute.
///
/// # Errors
/// [`Obstacle::UnknownFolder`] where that can't be said.
pub(crate) fn home(invocation: &Invocation, at: &Surroundings, variables: &[&str]) -> Result<String, Obstacle> {
    if let Some(moved) = property(invocation, at, variables, "user.home")? {
        return folder(at, &moved, "user.home");
    }
    let home = match &at.user {
        User::Root => Knowledge::Known("/root".to_owned()),
        User::Other { .. } if at.variable("HOME").is_none() => at.home.clone(),
        User::Other { .. } => return Err(unknown("Java takes the home folder from the password file, not from HOME")),
        User::Unknown => Knowledge::Unknown,
    };
    home.into_known().ok_or_else(|| unknown("the user's home folder"))
}

/// The value of a Java property: from the command's words, else from `variables` (the tool's own, strongest first), else from
/// those of Java itself. `None` when nothing sets it.
///
/// # Errors
/// [`Obstacle::UnknownFolder`] where it is set to, or may be set by, something not known.
pub(crate) fn property(
    invocation: &Invocation,
    at: &Surroundings,
    variables: &[&str],
    name: &str,
) -> Result<Option<String>, Obstacle> {
    let mut previous = "";
    let mut found = None;
    for argument in &invocation.arguments {
        let word = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
        let separate = matches!(previous, "-D" | "--define" | "--system-prop").then_some(word);
        if let Some(value) = definition(word).or(separate).and_then(|text| value_of(text, name)) {
            found = Some(argument.value.known().map(|_| value.to_owned()).ok_or_else(|| unknown(word))?);
        }
        previous = word;
    }
    if found.is_some() {
        return Ok(found);
    }
    for variable in variables.iter().chain(JAVA_OPTIONS) {
        match at.variable(variable) {
            None => {}
            Some(Knowledge::Unknown) => return Err(unknown(&format!("${variable} may set {name}"))),
            Some(Knowledge::Known(text)) => {
                let set = text.split_whitespace().filter_map(|word| value_of(definition(word)?, name)).next_back();
                if let Some(value) = set {
                    return Ok(Some(value.to_owned()));
                }
            }
        }
    }
    Ok(None)
}

/// `text`, given as `setting`, as an absolute folder.
///
/// # Errors
/// [`Obstacle::UnknownFolder`] for a relative one below an unknown folder, and for `~` and `$`, which Java leaves as they are.
pub(crate) fn folder(at: &Surroundings, text: &str, setting: &str) -> Result<String, Obstacle> {
    if text.is_empty() || text.contains(['~', '$', '"', '\'']) {
        return Err(unknown(&format!("{setting}={text}")));
    }
    at.absolute(text).into_known().ok_or_else(|| unknown(&format!("{setting}={text} hangs on the work folder")))
}

/// The refusal of a folder that can't be known.
pub(crate) fn unknown(because: &str) -> Obstacle {
    Obstacle::UnknownFolder { because: because.to_owned() }
}

/// What stands behind `-D`; sbt's runner writes `-J-D` too.
fn definition(word: &str) -> Option<&str> {
    let word = word.trim_matches(['"', '\'']);
    word.strip_prefix("-J").unwrap_or(word).strip_prefix("-D")
}

/// `value` of `name=value`.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    #[test]
    fn root_keeps_its_home_whatever_home_says_and_others_are_refused() {
        let moved = vec![("HOME".to_owned(), Knowledge::Known("/app".to_owned()))];
        let mut at = Surroundings { variables: moved, home: Knowledge::Known("/app".into()), ..Surroundings::default() };
        let mvn = invocation(&["mvn", "package"]);
        assert_eq!(home(&mvn, &at, &[]), Ok("/root".to_owned()));
        at.user = User::Other { name: Some("app".into()), uid: Knowledge::Unknown, gid: Knowledge::Unknown };
        assert!(home(&mvn, &at, &[]).is_err());
        at.variables.clear();
        assert_eq!(home(&mvn, &at, &[]), Ok("/app".to_owned()));
    }

    #[test]
    fn words_win_over_variables_and_unknown_ones_are_named() {
        let variables = vec![("MAVEN_OPTS".to_owned(), Knowledge::Known("-Xmx1g -Da.b=/one -Da.b=/two".to_owned()))];
        let mut at = Surroundings { variables, ..Surroundings::default() };
        let read = |words: &[&str], at: &Surroundings| property(&invocation(words), at, &["MAVEN_OPTS"], "a.b");
        assert_eq!(read(&["mvn"], &at), Ok(Some("/two".to_owned())));
        assert_eq!(read(&["mvn", "-Da.b=/three"], &at), Ok(Some("/three".to_owned())));
        assert_eq!(read(&["mvn", "-D", "a.b=/four"], &at), Ok(Some("/four".to_owned())));
        assert_eq!(read(&["mvn", "-Da.b=$X"], &at), Err(unknown("-Da.b=$X")));
        at.variables = vec![("MAVEN_OPTS".to_owned(), Knowledge::Unknown)];
        assert_eq!(read(&["mvn"], &at), Err(unknown("$MAVEN_OPTS may set a.b")));
    }
}
