//! What holds before a step.
//!
//! Owns: variables (ENV and ARG), work folder, user, home and shell, and how each instruction changes them.

use super::expansion::{self, Lookup};
use super::run::Run;
use super::users::{self, Account};
use crate::ecosystems::{BaseImage, User, absolute};
use crate::knowledge::Knowledge;
use crate::syntax::{Instruction, Keyword};
use std::rc::Rc;

/// Variables, folder, user and shell at one point of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Name, value, and whether it is an ARG. An ARG behind an ENV hides it up to the end of the stage, and an ENV takes an ARG above it
    /// away (tried with BuildKit of Docker 26).
    variables: Vec<Rc<(String, Knowledge<String>, bool)>>,
    /// The work folder, absolute.
    pub workdir: Knowledge<String>,
    /// Who runs a RUN.
    pub user: User,
    /// Accounts that earlier steps made or the image is known to have.
    accounts: Vec<Account>,
    /// The SHELL: its words.
    pub shell: Vec<String>,
    /// The image may set variables of its own, so that one that nothing here sets is not known to be empty.
    image_sets: bool,
    /// An ARG may be given another value, so that its default tells nothing, and a work folder that hangs on one has only a name.
    arguments_vary: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            variables: Vec::new(),
            workdir: Knowledge::Known("/".to_owned()),
            user: User::Root,
            accounts: Vec::new(),
            shell: vec!["/bin/sh".to_owned(), "-c".to_owned()],
            image_sets: false,
            arguments_vary: false,
        }
    }
}

impl State {
    /// What an image is known to begin with.
    pub fn of_image(image: &BaseImage) -> Self {
        let scratch = image.reference.known().is_some_and(|reference| reference == "scratch");
        Self {
            user: users::default_user(image),
            accounts: users::known_accounts(image),
            // An image may set any work folder; only an empty one surely has none.
            image_sets: !scratch,
            workdir: if scratch { Knowledge::Known("/".to_owned()) } else { users::default_workdir(image) },
            ..Self::default()
        }
    }

    /// Puts in what an image sets where its own value is not known and none of a project's folders can be meant: the work folder by a
    /// name that stands for it, PATH and its like, and GOPATH of the official Go image.
    pub fn name_what_images_set(&mut self, image: &BaseImage, workdir: &str) {
        self.arguments_vary = true;
        if self.workdir == Knowledge::Unknown {
            self.workdir = Knowledge::Known(workdir.to_owned());
        }
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        self.set("PATH", Knowledge::Known(path.to_owned()), false);
        for name in ["LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_OPTIONS", "PYTHONPATH"] {
            self.set(name, Knowledge::Known(String::new()), false);
        }
        if image.repository() == "golang" {
            self.set("GOPATH", Knowledge::Known("/go".to_owned()), false);
        }
    }

    /// For a stage built on another: ENV and ARG go along, and where both have a name, the ENV's value (Docker's manual, "Build
    /// variables", scoping; the latter tried with BuildKit of Docker 26).
    #[must_use]
    pub fn inherited(mut self) -> Self {
        let by_env: Vec<Rc<(String, Knowledge<String>, bool)>> =
            self.variables.iter().filter(|variable| !variable.2).map(Rc::clone).collect();
        self.variables.retain(|variable| !variable.2 || by_env.iter().all(|env| env.0 != variable.0));
        self
    }

    /// A function that answers for these variables.
    pub fn lookup(&self) -> Box<Lookup<'_>> {
        Box::new(|name| self.variable(name).cloned().or_else(|| self.image_sets.then_some(Knowledge::Unknown)))
    }

    /// The variable's value; `None` when nothing sets it.
    pub fn variable(&self, name: &str) -> Option<&Knowledge<String>> {
        self.variables.iter().rev().find(|variable| variable.0 == name).map(|variable| &variable.1)
    }

    /// All variables that a step sees, oldest first.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Knowledge<String>)> {
        let hidden = |at: usize, name: &str| self.variables.iter().skip(at + 1).any(|later| later.0 == name);
        let seen = self.variables.iter().enumerate().filter(move |(at, variable)| !hidden(*at, &variable.0));
        seen.map(|(_, variable)| (variable.0.as_str(), &variable.1))
    }

    /// The home folder of the step's user.
    pub fn home(&self) -> Knowledge<String> {
        if let Some(home) = self.variable("HOME") {
            return home.clone();
        }
        match &self.user {
            User::Root => Knowledge::Known("/root".to_owned()),
            User::Other { name, uid, .. } => self.account(name.as_deref(), uid).and_then(|account| account.home.clone()).into(),
            User::Unknown => Knowledge::Unknown,
        }
    }

    fn account(&self, name: Option<&str>, uid: &Knowledge<u32>) -> Option<&Account> {
        let by_name = name.and_then(|name| self.accounts.iter().rev().find(|account| account.name == name));
        by_name
            .or_else(|| self.accounts.iter().rev().find(|account| account.uid.is_some() && account.uid.as_ref() == uid.known()))
    }

    /// Whether the instruction may change anything here: then a state of its own is needed.
    pub fn changes_with(&self, instruction: &Instruction, run: Option<&Run<'_>>) -> bool {
        match instruction.keyword {
            Keyword::Env | Keyword::Arg | Keyword::Workdir | Keyword::User | Keyword::Shell => true,
            Keyword::Run => run.is_some_and(users::may_make_accounts),
            _ => false,
        }
    }

    /// Takes the instruction's effect in. `globals` holds the ARGs before the first FROM.
    pub fn after(&mut self, instruction: &Instruction, run: Option<&Run<'_>>, globals: &State) {
        let values = &instruction.arguments.values;
        match instruction.keyword {
            Keyword::Env => {
                for pair in values.chunks_exact(2) {
                    let [name, value] = pair else { continue };
                    self.set(name, self.expand(value), false);
                }
            }
            Keyword::Arg => self.declare(values, globals),
            Keyword::Workdir => {
                let folder = values.first().map_or(Knowledge::Unknown, |value| self.expand(value));
                self.workdir = match folder {
                    Knowledge::Known(folder) => absolute(&folder, &self.workdir),
                    Knowledge::Unknown => Knowledge::Unknown,
                };
                if self.arguments_vary && self.workdir == Knowledge::Unknown {
                    self.workdir = Knowledge::Known(format!("/(the work folder of line {})", instruction.lines.0));
                }
            }
            Keyword::User => {
                let user = values.first().map_or(Knowledge::Unknown, |value| self.expand(value));
                // A number that an argument may replace is no proof.
                let fixed = !values.first().is_some_and(|value| value.contains('$'));
                self.user = user.known().map_or(User::Unknown, |user| users::resolve(user, fixed, &self.accounts));
            }
            Keyword::Shell if instruction.arguments.json => self.shell.clone_from(values),
            Keyword::Run => {
                if let Some(run) = run
                    && users::may_make_accounts(run)
                {
                    let made = users::made_by(run, self);
                    self.accounts.extend(made);
                }
            }
            _ => {}
        }
    }

    fn declare(&mut self, values: &[String], globals: &State) {
        for value in values {
            let (name, value) = match value.split_once('=') {
                Some((name, value)) => (name, self.expand(value)),
                None => (value.as_str(), globals.variable(value).cloned().unwrap_or(Knowledge::Unknown)),
            };
            let value = if self.arguments_vary { Knowledge::Unknown } else { value };
            self.set(name, value, true);
        }
    }

    fn expand(&self, word: &str) -> Knowledge<String> {
        expansion::expand(word, '\\', &self.lookup())
    }

    fn set(&mut self, name: &str, value: Knowledge<String>, argument: bool) {
        self.variables.retain(|variable| variable.0 != name || argument && !variable.2);
        self.variables.push(Rc::new((name.to_owned(), value, argument)));
    }
}

impl State {
    /// A word of an instruction with the variables put in, where they are known.
    pub fn lookup_text(&self, word: &str) -> Option<String> {
        self.expand(word).into_known()
    }

    /// A Dockerfile path as a step sees it: variables put in, behind the work folder.
    pub fn absolute(&self, path: &str) -> Knowledge<String> {
        match self.expand(path) {
            Knowledge::Known(path) => absolute(&path, &self.workdir),
            Knowledge::Unknown => Knowledge::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::Knowledge;
    use crate::model::Model;
    use crate::syntax::{self, Keyword};

    /// What each RUN sees of a variable; `?` where that is not known, nothing where it is not set.
    fn seen(text: &str, name: &str) -> Vec<String> {
        let dockerfile = syntax::parse(text);
        let model = Model::of(&dockerfile);
        let steps = model.stages.iter().flat_map(|stage| &stage.steps);
        let runs = steps.filter(|step| step.instruction.keyword == Keyword::Run);
        runs.map(|run| match run.state.variables().find(|(own, _)| *own == name) {
            Some((_, Knowledge::Known(value))) => value.clone(),
            Some((_, Knowledge::Unknown)) => "?".to_owned(),
            None => String::new(),
        })
        .collect()
    }

    #[test]
    fn arguments_and_variables_of_one_name() {
        assert_eq!(seen("FROM x\nARG A=1\nENV A=2\nRUN a\n", "A"), ["2"]);
        assert_eq!(seen("FROM x\nENV A=1\nARG A=2\nRUN a\nENV A=3\nRUN b\n", "A"), ["2", "3"]);
        assert_eq!(seen("FROM x\nENV A=1\nARG A=2\nENV B=$A\nRUN a\n", "B"), ["2"]);
        assert_eq!(seen("FROM x\nENV A=1\nARG A\nRUN a\n", "A"), ["?"]);
    }

    #[test]
    fn stages_built_on_another_inherit_its_arguments() {
        assert_eq!(seen("FROM x AS a\nARG A=1\nFROM a\nENV B=$A\nRUN a\n", "B"), ["1"]);
        assert_eq!(seen("FROM x AS a\nENV A=1\nARG A=2\nRUN a\nFROM a\nRUN b\n", "A"), ["2", "1"]);
        assert_eq!(seen("FROM x AS a\nARG A=1\nFROM x\nRUN b\n", "A"), [""]);
    }
}
