//! Which build arguments the settings of a stage hang on.
//!
//! Owns: following ARG, ENV, WORKDIR and USER through a stage. Never does: know a value.

use crate::syntax::{Instruction, Keyword};
use std::collections::{BTreeMap, BTreeSet};

/// Names of build arguments.
pub(super) type Arguments = BTreeSet<String>;

/// What holds at a point of a stage, as far as build arguments can change it.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// Of ENV and ARG; those that hang on no argument are left out.
    variables: BTreeMap<String, Arguments>,
    workdir: Arguments,
    user: Arguments,
}

impl Environment {
    /// Takes an instruction's effect in. `globals`: what holds behind the ARGs before the first FROM.
    pub(super) fn after(&mut self, instruction: &Instruction, globals: &Self) {
        let values = &instruction.arguments.values;
        let first = values.first().map_or("", String::as_str);
        match instruction.keyword {
            Keyword::Env => {
                // All values of one ENV see the variables as they were before it.
                let new: Vec<(String, Arguments)> = values
                    .chunks_exact(2)
                    .filter_map(|pair| Some((pair.first()?.clone(), self.behind(pair.get(1)?, true))))
                    .collect();
                new.into_iter().for_each(|(name, arguments)| self.set(name, arguments));
            }
            Keyword::Arg => values.iter().for_each(|value| self.declare(value, globals)),
            Keyword::Workdir => {
                let mut arguments = self.behind(first, true);
                if !first.starts_with('/') {
                    arguments.append(&mut self.workdir);
                }
                self.workdir = arguments;
            }
            Keyword::User => self.user = self.behind(first, true),
            _ => {}
        }
    }

    fn declare(&mut self, value: &str, globals: &Self) {
        let (name, mut arguments) = match value.split_once('=') {
            Some((name, default)) => (name, self.behind(default, true)),
            None => (value, globals.variables.get(value).cloned().unwrap_or_default()),
        };
        arguments.insert(name.to_owned());
        self.set(name.to_owned(), arguments);
    }

    fn set(&mut self, name: String, arguments: Arguments) {
        if arguments.is_empty() {
            self.variables.remove(&name);
        } else {
            self.variables.insert(name, arguments);
        }
    }

    /// What a text hangs on by the variables that it names. `quotes`: single quotes keep a `$` from being one.
    pub(super) fn behind(&self, text: &str, quotes: bool) -> Arguments {
        names(text, quotes).into_iter().filter_map(|name| self.variables.get(name)).flatten().cloned().collect()
    }

    /// What the work folder hangs on.
    pub(super) fn workdir(&self) -> &Arguments {
        &self.workdir
    }

    /// What the user hangs on.
    pub(super) fn user(&self) -> &Arguments {
        &self.user
    }

    /// What a RUN hangs on: all of it.
    pub(super) fn all(&self) -> Arguments {
        self.variables.values().flatten().chain(&self.workdir).chain(&self.user).cloned().collect()
    }
}

/// The variables that a text names: `$NAME`, `${NAME…}`, also within another's default.
fn names(text: &str, quotes: bool) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    let mut quoted = false;
    while let Some(at) = rest.find(['\\', '$', '\'']) {
        let (_, from) = rest.split_at_checked(at).unwrap_or_default();
        let mut characters = from.chars();
        match characters.next() {
            Some('\\') if !quoted => drop(characters.next()),
            Some('\'') if quotes => quoted = !quoted,
            Some('$') if !quoted => {
                let behind = characters.as_str().strip_prefix('{').unwrap_or(characters.as_str());
                let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
                names.extend(behind.get(..end).filter(|name| !name.is_empty()));
            }
            _ => {}
        }
        rest = characters.as_str();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{Environment, names};
    use crate::syntax;

    fn behind(header: &str, body: &str, text: &str) -> String {
        let file = syntax::parse(&format!("{header}FROM a\n{body}"));
        let mut globals = Environment::default();
        let mut environment = Environment::default();
        let mut in_stage = false;
        for instruction in file.instructions() {
            match (in_stage, instruction.keyword == syntax::Keyword::From) {
                (_, true) => in_stage = true,
                (true, _) => environment.after(instruction, &globals),
                (false, _) => globals.after(instruction, &Environment::default()),
            }
        }
        let found = if text.is_empty() { environment.all() } else { environment.behind(text, true) };
        found.into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn variables_in_a_text() {
        assert_eq!(names(r#"$A/${B:-$C}\$D'$E'"$F"$"#, true), ["A", "B", "C", "F"]);
        assert_eq!(names("it's $A", false), ["A"]);
        assert_eq!(names("$é${}", true), [""; 0]);
    }

    #[test]
    fn an_env_carries_what_its_value_names() {
        assert_eq!(behind("", "ARG A\nENV B=x$A C=$B\n", "$B"), "A");
        assert_eq!(behind("", "ARG A\nENV B=x$A C=$B\n", "$C"), "", "values of one ENV don't see each other");
        assert_eq!(behind("", "ARG A\nENV A=1\n", ""), "", "an ENV behind an ARG hides it");
        assert_eq!(behind("", "ENV A=1\nARG A=2\n", ""), "A", "an ARG behind an ENV replaces it");
        assert_eq!(behind("ARG V=1\nARG W=$V\n", "ARG W\n", ""), "V W");
        assert_eq!(behind("ARG V=1\n", "ARG W=$V\n", ""), "W", "a global ARG is not seen without its own line");
    }

    #[test]
    fn work_folder_and_user() {
        assert_eq!(behind("", "ARG A\nARG B\nWORKDIR /x$A\nARG A\nENV A=1 B=2\nWORKDIR y\n", ""), "A");
        assert_eq!(behind("", "ARG A\nWORKDIR /x$A\nENV A=1\nWORKDIR /y\n", ""), "");
        assert_eq!(behind("", "ARG A\nUSER $A\nENV A=1\n", ""), "A");
    }
}
