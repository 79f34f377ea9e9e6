//! The command that goes above the source while the original stays below it.
//!
//! Owns: writing words of a command again, so that a shell reads the same from them. Never does: know a package manager; it names
//! the words and the variables that matter to the new command.

use crate::ecosystems::gathered::not_seen;
use crate::ecosystems::{Argument, Entangled, Invocation, Surroundings, Wrapper};
use crate::knowledge::Knowledge;

/// Whether a new command without the original's wrappers is run by the same user in the same way.
pub(crate) fn is_plain(invocation: &Invocation) -> bool {
    invocation.wrappers.iter().all(|wrapper| matches!(wrapper, Wrapper::Env | Wrapper::Transparent | Wrapper::Nested))
}

/// The program as written, with those variables in front of it that `carries` names.
///
/// # Errors
/// [`Entangled::NotSeen`] for such a variable whose value is not known.
pub(crate) fn program(invocation: &Invocation, carries: impl Fn(&str) -> bool) -> Result<String, Entangled> {
    let mut words = Vec::new();
    for (name, value) in invocation.variables.iter().filter(|(name, _)| carries(name)) {
        let value = value.known().ok_or_else(|| not_seen(format!("the value of {name} in front of the command is not known")))?;
        words.push(format!("{name}={}", quoted(value)));
    }
    words.push(quoted(&invocation.path));
    Ok(words.join(" "))
}

/// A word of the original for the new command. One that is not known is taken as it is written, if all variables in it hold
/// beyond this command.
///
/// # Errors
/// [`Entangled::NotSeen`] for a word that only means something where it stands.
pub(crate) fn word(argument: &Argument, at: &Surroundings) -> Result<String, Entangled> {
    match &argument.value {
        Knowledge::Known(value) => Ok(quoted(value)),
        Knowledge::Unknown if only_variables(&argument.raw, at) => Ok(argument.raw.clone()),
        Knowledge::Unknown => Err(not_seen(format!("{} is not known in another RUN", argument.raw))),
    }
}

/// A word as a POSIX shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,^".contains(c);
    match word {
        _ if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        _ => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Whether a word as written changes only with variables that the file itself sets.
fn only_variables(raw: &str, at: &Surroundings) -> bool {
    let mut parts = raw.split('$');
    let before = parts.next().unwrap_or_default();
    !raw.contains(['`', '\n', '*', '?', '[', ';', '|', '&', '<', '>', '('])
        && !before.contains('\\')
        && parts.all(|part| {
            let name: String =
                part.trim_start_matches('{').chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            at.variable(&name).is_some()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    #[test]
    fn words_mean_the_same_in_the_new_command() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!((quoted("--x=y"), quoted("")), ("--x=y".to_owned(), "''".to_owned()));
        let carried = program(&invocation(&["A=1 2", "B=$X", "/go/bin/go"]), |name| name == "A");
        assert_eq!(carried.as_deref(), Ok("A='1 2' /go/bin/go"));
        assert!(program(&invocation(&["B=$X", "go"]), |_| true).is_err());
    }

    #[test]
    fn a_variable_is_taken_along_only_if_the_file_sets_it() {
        let at = Surroundings { variables: vec![("T".to_owned(), Knowledge::Unknown)], ..Surroundings::default() };
        let written = |raw: &str| word(&Argument { raw: raw.to_owned(), ..Argument::default() }, &at);
        assert_eq!(written("\"${T}-x\"").as_deref(), Ok("\"${T}-x\""));
        assert!(written("$U").is_err() && written("$(cat $T)").is_err());
    }
}
