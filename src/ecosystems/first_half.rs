//! A command written again with other words: the half of an install that needs only the manifests, and stands above the source while
//! the original stays below it.
//!
//! Owns: turning an [`Invocation`] and its words back into shell text, so that a shell reads the same from them. Never does: know which
//! words a manager's first half needs, or which variables matter to it.

use super::reading::not_seen;
use super::{Argument, Entangled, Invocation, Surroundings, Wrapper};
use crate::knowledge::Knowledge;

/// Shell text of the command, with the variables in front of it, without the arguments at `left_out`, and with `added` behind it.
///
/// # Errors
/// [`Entangled::NotSeen`] where something around the command can't be written again: another user, a variable that is not known.
pub(crate) fn text(invocation: &Invocation, left_out: &[usize], added: &[&str]) -> Result<String, Entangled> {
    let program = &invocation.program;
    for wrapper in &invocation.wrappers {
        match wrapper {
            Wrapper::Env | Wrapper::Transparent | Wrapper::Nested | Wrapper::PythonModule(_) => {}
            Wrapper::Sudo { .. } => return Err(not_seen(format!("{program} runs as another user, by sudo or its like"))),
            Wrapper::Xargs => return Err(not_seen(format!("{program} gets its arguments by xargs"))),
            Wrapper::Environment(name) => return Err(not_seen(format!("{program} runs inside {name}"))),
        }
    }
    let mut words = front(invocation, |_| true)?;
    let arguments = invocation.arguments.iter().enumerate().filter(|(index, _)| !left_out.contains(index));
    words.extend(arguments.map(|(_, argument)| argument.raw.clone()));
    words.extend(added.iter().map(|word| (*word).to_owned()));
    if words.iter().any(|word| word.contains(['\n', '\r'])) {
        return Err(not_seen(format!("an argument of {program} runs over several lines")));
    }
    Ok(words.join(" "))
}

/// The same, for words that were made.
///
/// # Errors
/// As [`text`].
pub(crate) fn written(invocation: &Invocation, left_out: &[usize], added: &[String]) -> Result<String, Entangled> {
    let added: Vec<&str> = added.iter().map(String::as_str).collect();
    text(invocation, left_out, &added)
}

/// Whether a new command without the original's wrappers is run by the same user in the same way.
pub(crate) fn is_plain(invocation: &Invocation) -> bool {
    invocation.wrappers.iter().all(|wrapper| matches!(wrapper, Wrapper::Env | Wrapper::Transparent | Wrapper::Nested))
}

/// The program as written, with those variables in front of it that `carries` names.
///
/// # Errors
/// [`Entangled::NotSeen`] for such a variable whose value is not known.
pub(crate) fn program(invocation: &Invocation, carries: impl Fn(&str) -> bool) -> Result<String, Entangled> {
    front(invocation, carries).map(|words| words.join(" "))
}

/// The variables and the program, word by word.
fn front(invocation: &Invocation, carries: impl Fn(&str) -> bool) -> Result<Vec<String>, Entangled> {
    let mut words = Vec::new();
    for (name, value) in invocation.variables.iter().filter(|(name, _)| carries(name)) {
        let value = value.known().ok_or_else(|| not_seen(format!("the value of {name} in front of the command is not known")))?;
        words.push(format!("{name}={}", quoted(value)));
    }
    words.extend(python_module(invocation).map(str::to_owned));
    words.push(quoted(&invocation.path));
    Ok(words)
}

/// `python -m` in front of the program, as written.
pub(crate) fn python_module(invocation: &Invocation) -> Option<&str> {
    invocation.wrappers.iter().rev().find_map(|wrapper| match wrapper {
        Wrapper::PythonModule(words) => Some(words.as_str()),
        _ => None,
    })
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

    #[test]
    fn a_command_is_written_again() {
        let mut command = invocation(&["A=b c", "B=", "composer", "install", "-o", "$FLAGS"]);
        assert_eq!(text(&command, &[1], &["--no-scripts"]).unwrap(), "A='b c' B='' composer install $FLAGS --no-scripts");
        command.wrappers.push(Wrapper::PythonModule("python3 -m".to_owned()));
        assert_eq!(text(&command, &[1, 2], &[]).unwrap(), "A='b c' B='' python3 -m composer install");
        command.wrappers.push(Wrapper::Sudo { user: None, sets_home: false });
        assert!(text(&command, &[], &[]).is_err());
        assert!(text(&invocation(&["A=$X", "composer", "install"]), &[], &[]).is_err());
        assert!(text(&invocation(&["composer", "install", "a\nb"]), &[], &[]).is_err());
    }
}
