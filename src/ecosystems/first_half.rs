//! A command written again with other words: the half of an install that needs only the manifests.
//!
//! Owns: turning an [`Invocation`] back into shell text. Never does: know which words a manager's first half needs.

use super::{Entangled, Invocation, Wrapper};
use crate::knowledge::Knowledge;

/// Shell text of the command, with the variables in front of it, without the arguments at `left_out`, and with `added` behind it.
///
/// # Errors
/// [`Entangled::NotSeen`] where something around the command can't be written again: another user, a variable that is not known.
pub(crate) fn text(invocation: &Invocation, left_out: &[usize], added: &[&str]) -> Result<String, Entangled> {
    let not_seen = |because: String| Entangled::NotSeen { because };
    let program = &invocation.program;
    for wrapper in &invocation.wrappers {
        match wrapper {
            Wrapper::Env | Wrapper::Transparent | Wrapper::Nested => {}
            Wrapper::PythonModule => {
                return Err(not_seen(format!("{program} runs as a module of a Python that is not known here")));
            }
            Wrapper::Sudo { .. } => return Err(not_seen(format!("{program} runs as another user, by sudo or its like"))),
            Wrapper::Xargs => return Err(not_seen(format!("{program} gets its arguments by xargs"))),
            Wrapper::Environment(name) => return Err(not_seen(format!("{program} runs inside {name}"))),
        }
    }
    let mut words = Vec::new();
    for (name, value) in &invocation.variables {
        let Knowledge::Known(value) = value else { return Err(not_seen(format!("the value of {name} is not known"))) };
        words.push(format!("{name}={}", quoted(value)));
    }
    words.push(quoted(&invocation.path));
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

/// The word as the shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    #[test]
    fn a_command_is_written_again() {
        let mut command = invocation(&["A=b c", "B=", "composer", "install", "-o", "$FLAGS"]);
        assert_eq!(text(&command, &[1], &["--no-scripts"]).unwrap(), "A='b c' B='' composer install $FLAGS --no-scripts");
        command.wrappers.push(Wrapper::Sudo { user: None, sets_home: false });
        assert!(text(&command, &[], &[]).is_err());
        assert!(text(&invocation(&["A=$X", "composer", "install"]), &[], &[]).is_err());
        assert!(text(&invocation(&["composer", "install", "a\nb"]), &[], &[]).is_err());
    }
}
