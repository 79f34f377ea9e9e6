//! Commands that may be offline without our seeing it.
//!
//! Owns: the question whether a word that can't be seen (`$MAVEN_ARGS`) may be an option, and the refusal that follows for
//! managers that have an offline mode. Never does: know a manager's options; the manager hands them over.
//!
//! A mount alone does no harm to such a command. But the builder may clear a cache mount while it keeps the layers: then the
//! step that fetched is not run again, and an offline one after it finds nothing.

use crate::ecosystems::{Activity, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::knowledge::Knowledge;

/// Refuses a command that an unseen word may have made offline, if the manager fetched something before it.
///
/// `with_value` lists the options whose value is the next word: such a word can't be an option itself.
///
/// # Errors
/// The unseen word, as [`Obstacle::Unsafe`].
pub(crate) fn refuse_if_hidden(
    manager: &dyn Ecosystem,
    invocation: &Invocation,
    at: &Surroundings,
    with_value: &[&str],
) -> Result<(), Obstacle> {
    let fetched = at.earlier.iter().any(|earlier| matches!(manager.recognise(earlier), Some(Activity::Install { .. })));
    match hiding_word(invocation, with_value) {
        Some(word) if fetched => Err(Obstacle::Unsafe {
            because: format!("{word} is not known and may hide an offline option, which needs what an earlier step fetched"),
        }),
        _ => Ok(()),
    }
}

/// The first word that can't be seen and may hold an option or another subcommand.
pub(crate) fn hiding_word<'a>(invocation: &'a Invocation, with_value: &[&str]) -> Option<&'a str> {
    let mut is_value = false;
    invocation.arguments.iter().find_map(|argument| {
        let word = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
        let expected = std::mem::replace(&mut is_value, with_value.contains(&word));
        (argument.value == Knowledge::Unknown && !expected && !starts_literally(word)).then_some(word)
    })
}

/// Whether enough of the word is literal to say which option or operand it is: `--target=$T`, `src/$X`, not `$X`, `--$X`.
fn starts_literally(word: &str) -> bool {
    let word = word.trim_start_matches(['"', '\'']).trim_start_matches('-');
    word.starts_with(|c: char| c.is_alphanumeric() || "./:@~_+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::hiding_word;
    use crate::ecosystems::testing::invocation;

    #[test]
    fn only_a_word_of_its_own_can_hide_an_option() {
        let hidden = |words: &[&str]| hiding_word(&invocation(words), &["--target"]).map(str::to_owned);
        assert_eq!(hidden(&["cargo", "build", "$FLAGS"]).as_deref(), Some("$FLAGS"));
        assert_eq!(hidden(&["cargo", "build", "--$MODE"]).as_deref(), Some("--$MODE"));
        assert_eq!(hidden(&["cargo", "build", "\"${FLAGS}\""]).as_deref(), Some("\"${FLAGS}\""));
        assert_eq!(hidden(&["cargo", "+$TOOLCHAIN", "build", "--target", "$T", "--target=$T", "./$X"]), None);
    }
}
