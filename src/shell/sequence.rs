//! Where a script can be cut in two.
//!
//! Owns: the places between two commands of a script at which the first part fails exactly when the whole would have. Never does:
//! know what the commands do.

use super::errexit::Errexit;
use super::{Command, Connector, List, ListItem, SimpleCommand};

/// A place between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where the command before it ends.
    pub end: usize,
    /// Where the next command starts.
    pub start: usize,
}

impl List {
    /// The places where the script may become two that run one after the other, the second only if the first succeeds; in the order of
    /// the text. Variables, folder and options of the shell do not cross them: see [`List::settings_before`].
    ///
    /// Between `a && b` at the end of the script; and with `set -e`, behind a command that stands alone. `a; b` without it goes on when
    /// `a` fails, and `a && b; c` goes on even with it.
    pub fn cuts(&self, errexit: bool) -> Vec<Cut> {
        let mut state = if errexit { Errexit::On } else { Errexit::Off };
        let mut cuts = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let last = index + 1 == self.items.len();
            if last && !item.background && item.and_or.iter().skip(1).all(|next| next.connector == Some(Connector::And)) {
                let pairs = item.and_or.iter().zip(item.and_or.iter().skip(1));
                cuts.extend(pairs.map(|(before, after)| Cut { end: before.span.end, start: after.span.start }));
            }
            state = state.after_item(item);
            if let Some(next) = self.items.get(index + 1)
                && state == Errexit::On
                && fails_alone(item)
            {
                cuts.push(Cut { end: item.span.end, start: next.span.start });
            }
        }
        cuts
    }

    /// The commands before an offset that change the shell itself (folder, variables, options) and would have to be said again behind
    /// a cut there.
    ///
    /// # Errors
    /// What changes the shell in a way that can't be said again.
    pub fn settings_before(&self, offset: usize) -> Result<Vec<&SimpleCommand>, String> {
        let mut settings = Vec::new();
        for pipeline in self.items.iter().flat_map(|item| &item.and_or).filter(|pipeline| pipeline.span.start < offset) {
            match pipeline.commands.as_slice() {
                [Command::Simple(command)] => match effect(command) {
                    Effect::None => {}
                    Effect::Setting => settings.push(command),
                    Effect::Unclear(name) => return Err(format!("`{name}` sets up the shell for what follows")),
                },
                [Command::Compound(compound)] if compound.kind != super::CompoundKind::Subshell => {
                    let inner = compound.bodies.iter().map(|body| body.settings_before(usize::MAX));
                    if inner.into_iter().any(|inner| inner.map_or(true, |inner| !inner.is_empty())) {
                        return Err("a branch or loop sets up the shell for what follows".to_owned());
                    }
                }
                [Command::Function { name, .. }] => return Err(format!("the function {name} may be used in what follows")),
                // Commands of a pipeline run in processes of their own.
                _ => {}
            }
        }
        Ok(settings)
    }
}

/// Whether with `set -e` the script ends when this item fails.
fn fails_alone(item: &ListItem) -> bool {
    !item.background && matches!(item.and_or.as_slice(), [only] if !only.negated)
}

enum Effect {
    None,
    Setting,
    Unclear(String),
}

fn effect(command: &SimpleCommand) -> Effect {
    if command.words.is_empty() {
        // What a substitution gives is not the same the second time.
        let fixed = command.assignments.iter().all(|one| one.value.as_ref().is_none_or(|word| word.literal().is_some()));
        return if fixed { Effect::Setting } else { Effect::Unclear("an assignment".to_owned()) };
    }
    let Some(name) = command.words.first().and_then(super::Word::literal) else { return Effect::None };
    let plain = || command.words.iter().all(|word| word.literal().is_some());
    match name.as_str() {
        "cd" | "export" | "set" | "umask" if plain() => Effect::Setting,
        "cd" | "export" | "set" | "umask" | "." | "source" | "eval" | "alias" | "trap" | "shopt" | "read" | "exec" | "pushd"
        | "popd" | "unset" | "declare" | "typeset" | "local" | "readonly" | "ulimit" | "enable" => Effect::Unclear(name),
        _ => Effect::None,
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::parse;

    fn cuts(text: &str) -> Vec<(&str, &str)> {
        parse(text).unwrap().cuts(false).into_iter().map(|cut| (&text[..cut.end], &text[cut.start..])).collect()
    }

    #[test]
    fn a_script_is_cut_only_where_its_result_stays() {
        assert_eq!(cuts("a && b | c && d"), [("a", "b | c && d"), ("a && b | c", "d")]);
        assert_eq!(cuts("a; b"), []);
        assert_eq!(cuts("a && b || c"), []);
        assert_eq!(cuts("set -e; a; b && c; d"), [("set -e", "a; b && c; d"), ("set -e; a", "b && c; d")]);
        assert_eq!(
            cuts("set -ex\nif a; then b; fi\nc"),
            [("set -ex", "if a; then b; fi\nc"), ("set -ex\nif a; then b; fi", "c")]
        );
        assert_eq!(cuts("a & b"), []);
    }

    #[test]
    fn settings_are_said_again_or_hinder() {
        let settings = |text: &str| {
            let list = parse(text).unwrap();
            list.settings_before(usize::MAX)
                .map(|found| found.iter().map(|command| text[command.span.clone()].to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(settings("set -e; cd /x && A=1 && b && (cd y)").unwrap(), ["set -e", "cd /x", "A=1"]);
        assert!(settings("A=$(b); c").is_err());
        assert!(settings(". ./env && c").is_err());
        assert!(settings("if a; then cd x; fi; c").is_err());
        assert!(settings("f() { a; }; f").is_err());
    }
}
