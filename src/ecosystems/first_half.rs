//! A command written once more with other arguments, to stand in a RUN of its own.
//!
//! Owns: saying a command again. Never does: decide what it should say.

use super::reading::needs_source;
use super::{Entangled, Invocation, Wrapper};
use crate::knowledge::Knowledge;

/// The command with some arguments left out and others added behind them.
///
/// # Errors
/// Where a wrapper or a variable in front can't be said again from what is known.
pub(super) fn written(invocation: &Invocation, without: &[usize], added: &[String]) -> Result<String, Entangled> {
    let by_itself = |wrapper: &Wrapper| matches!(wrapper, Wrapper::Env | Wrapper::Transparent);
    if !invocation.wrappers.iter().all(by_itself) {
        let because = format!("`{}` is run by another program here, and so has no first half of its own", invocation.program);
        return Err(needs_source(because));
    }
    let mut words = Vec::new();
    for (name, value) in &invocation.variables {
        let Knowledge::Known(value) = value else {
            return Err(needs_source(format!("{name} in front of `{}` is not known", invocation.program)));
        };
        words.push(format!("{name}={}", quoted(value)));
    }
    words.push(invocation.path.clone());
    let kept = invocation.arguments.iter().enumerate().filter(|(index, _)| !without.contains(index));
    words.extend(kept.map(|(_, argument)| argument.raw.clone()));
    words.extend(added.iter().cloned());
    let command = words.join(" ");
    if command.contains(['\n', '\r']) {
        return Err(needs_source(format!("an argument of `{}` goes over several lines", invocation.program)));
    }
    Ok(command)
}

fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    #[test]
    fn variables_and_words_are_kept_as_written() {
        let command = invocation(&["A=b c", "D=", "uv", "sync", "--extra", "$X"]);
        assert_eq!(written(&command, &[0], &["--z".to_owned()]).unwrap(), "A='b c' D= uv --extra $X --z");
        assert!(written(&invocation(&["A=$B", "uv", "sync"]), &[], &[]).is_err());
        let wrapped = Invocation { wrappers: vec![Wrapper::PythonModule], ..invocation(&["uv", "sync"]) };
        assert!(written(&wrapped, &[], &[]).is_err());
    }
}
