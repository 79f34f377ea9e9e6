//! What a script's words say at one place of it.
//!
//! Owns: a script's variables, its parameters and its own name, and the few substitutions that only ask for a folder (`$(pwd)`,
//! `$(dirname "$0")`). Never does: run anything else.

use crate::ecosystems::absolute;
use crate::knowledge::Knowledge;
use crate::shell::{self, Piece, SimpleCommand, Word};
use std::rc::Rc;

/// Stands for what `mktemp` makes.
pub const TEMPORARY: &str = "/tmp/tmp.XXXXXXXXXX";

/// Variables that a script has set, oldest first.
pub type Set = Rc<Vec<(String, Knowledge<String>)>>;

/// What a script's words are expanded with.
#[derive(Clone)]
pub struct Values<'s> {
    /// Variables from outside, `HOME` among them.
    pub outside: &'s dyn Fn(&str) -> Option<Knowledge<String>>,
    /// What the script has set so far.
    pub set: Set,
    /// The folder in which the words are read.
    pub folder: Knowledge<String>,
    /// `$0`, absolute, where the text is a file.
    pub name: Option<String>,
    /// `$1` and so on; `None` where they are not known.
    pub parameters: Option<Rc<[Knowledge<String>]>>,
    /// Whether [`TEMPORARY`] may stand for a folder whose name is not known.
    pub temporary: bool,
}

impl Values<'_> {
    fn get(&self, name: &str) -> Option<Knowledge<String>> {
        let own = self.set.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        own.or_else(|| (self.outside)(name))
    }

    /// The home folder.
    pub fn home(&self) -> Knowledge<String> {
        self.get("HOME").unwrap_or(Knowledge::Unknown)
    }

    /// Takes a variable in that a command sets which may not run, or in a process of its own. A temporary folder is no other then.
    pub fn put_perhaps(&mut self, name: &str, value: Knowledge<String>) {
        let temporary = value.known().is_some_and(|value| value.starts_with(TEMPORARY));
        self.put(name, if temporary { value } else { Knowledge::Unknown });
    }

    /// Takes a variable in.
    pub fn put(&mut self, name: &str, value: Knowledge<String>) {
        Rc::make_mut(&mut self.set).push((name.to_owned(), value));
    }

    /// What the word says.
    pub fn expand(&self, word: &Word) -> Knowledge<String> {
        if let Some(text) = word.literal() {
            return Knowledge::Known(text);
        }
        if word.pieces.iter().any(|piece| self.resolve(piece).is_some()) {
            return self.pieces(self.resolved(&word.pieces));
        }
        self.expand_plain(word)
    }

    /// What the word surely begins with.
    pub fn beginning(&self, word: &Word) -> String {
        if let Some(text) = word.literal() {
            return text;
        }
        let known = |piece: Piece| match piece {
            Piece::Text { text, .. } => Some(text),
            piece => self.pieces(vec![piece]).into_known(),
        };
        self.resolved(&word.pieces).into_iter().map_while(known).collect()
    }

    fn pieces(&self, pieces: Vec<Piece>) -> Knowledge<String> {
        self.expand_plain(&Word { raw: String::new(), span: Knowledge::Unknown, pieces })
    }

    /// Expands what only names variables and the home folder.
    fn expand_plain(&self, word: &Word) -> Knowledge<String> {
        let home = if names_home(&word.pieces) { self.home() } else { Knowledge::Unknown };
        word.expand(&|name| self.lookup(name), &home)
    }

    /// A variable that nothing here sets may still be one of the image's own.
    fn lookup(&self, name: &str) -> Option<Knowledge<String>> {
        match name {
            "PWD" => Some(self.folder.clone()),
            // What is put in front of it is known nevertheless.
            "PATH" if self.temporary => match self.get(name) {
                Some(Knowledge::Known(path)) => Some(Knowledge::Known(path)),
                _ => Some(Knowledge::Known("$PATH".to_owned())),
            },
            _ => Some(self.get(name).unwrap_or(Knowledge::Unknown)),
        }
    }

    /// The pieces with what is known here alone put in as text.
    fn resolved(&self, pieces: &[Piece]) -> Vec<Piece> {
        pieces.iter().map(|piece| self.resolve(piece).map_or_else(|| piece.clone(), text)).collect()
    }

    fn resolve(&self, piece: &Piece) -> Option<String> {
        match piece {
            Piece::Opaque { commands: Some(commands) } => self.asked(commands),
            Piece::Variable { name, transformed: false, .. } if name == "0" => self.name.clone(),
            Piece::Variable { name, .. } if name == "BASH_SOURCE" => self.name.clone(),
            // One word; several would be several arguments.
            Piece::Variable { name, transformed: false, .. } if name == "@" || name == "*" => match self.parameters.as_deref() {
                Some([Knowledge::Known(only)]) => Some(only.clone()),
                _ => None,
            },
            Piece::Variable { name, default, transformed: false, .. } => {
                let parameters = self.parameters.as_ref()?;
                let at = name.parse::<usize>().ok()?.checked_sub(1)?;
                match (parameters.get(at).cloned().unwrap_or(Knowledge::Known(String::new())), default) {
                    (Knowledge::Unknown, _) => None,
                    (Knowledge::Known(value), Some(default)) if value.is_empty() => self.pieces(default.clone()).into_known(),
                    (Knowledge::Known(value), _) => Some(value),
                }
            }
            _ => None,
        }
    }

    /// What commands print that only ask for a folder or a file's name.
    fn asked(&self, commands: &str) -> Option<String> {
        const ASKING: &[&str] = &["pwd", "dirname", "basename", "readlink", "realpath", "cd", "mktemp"];
        let first = commands.split_whitespace().next()?;
        if !ASKING.contains(&first) {
            return None;
        }
        let list = shell::parse(commands).ok()?;
        let [item] = list.items.as_slice() else { return None };
        let mut simple = Vec::new();
        for pipeline in &item.and_or {
            match pipeline.commands.as_slice() {
                [one] if pipeline.connector != Some(shell::Connector::Or) && !pipeline.negated => simple.push(one.as_simple()?),
                _ => return None,
            }
        }
        match simple.as_slice() {
            [one] => self.answer(one),
            [one, two] if name_of(one).as_deref() == Some("cd") && name_of(two).as_deref() == Some("pwd") => {
                self.folder_of(&self.operands(one)?)
            }
            _ => None,
        }
    }

    fn answer(&self, command: &SimpleCommand) -> Option<String> {
        let operands = self.operands(command)?;
        match (name_of(command)?.as_str(), operands.as_slice()) {
            ("pwd", []) => self.folder.known().cloned(),
            ("dirname", [path]) => {
                let path = path.trim_end_matches('/');
                Some(path.rsplit_once('/').map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder }).to_owned())
            }
            ("basename", [path]) => path.trim_end_matches('/').rsplit('/').next().map(str::to_owned),
            // Where the path is no link; a link to the project's own script is not told from the script.
            ("readlink" | "realpath", [_]) => self.folder_of(&operands),
            ("mktemp", []) if self.temporary && self.get("TMPDIR").is_none() => {
                let plain = command.words.iter().skip(1).all(|word| matches!(word.raw.as_str(), "-d" | "-q" | "-dq" | "-qd"));
                plain.then(|| TEMPORARY.to_owned())
            }
            _ => None,
        }
    }

    fn folder_of(&self, operands: &[String]) -> Option<String> {
        let [path] = operands else { return None };
        absolute(path, &self.folder).into_known()
    }

    /// The words behind the options.
    fn operands(&self, command: &SimpleCommand) -> Option<Vec<String>> {
        let words = command.words.iter().skip(1).map(|word| self.expand(word).into_known());
        let words: Vec<String> = words.collect::<Option<_>>()?;
        Some(words.into_iter().filter(|word| !word.starts_with('-')).collect())
    }
}

fn names_home(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| match piece {
        Piece::Home => true,
        Piece::Variable { default, .. } => default.as_deref().is_some_and(names_home),
        Piece::Text { .. } | Piece::Opaque { .. } => false,
    })
}

fn text(text: String) -> Piece {
    Piece::Text { text, quoted: true }
}

fn name_of(command: &SimpleCommand) -> Option<String> {
    command.words.first().and_then(Word::literal)
}

/// The commands that run for a word's value, and whether there may be others that can't be seen.
pub fn substitutions(word: &Word) -> (Vec<&str>, bool) {
    let mut commands = Vec::new();
    let mut hidden = false;
    collect(&word.pieces, &mut commands, &mut hidden);
    if hidden {
        let raw = word.raw.replace("$((", "");
        hidden = ["$(", "`", "<(", ">("].iter().any(|mark| raw.contains(mark));
    }
    (commands, hidden)
}

fn collect<'w>(pieces: &'w [Piece], commands: &mut Vec<&'w str>, hidden: &mut bool) {
    for piece in pieces {
        match piece {
            Piece::Opaque { commands: Some(text) } => commands.push(text),
            Piece::Opaque { commands: None } | Piece::Variable { transformed: true, default: None, .. } => *hidden = true,
            Piece::Variable { default: Some(default), .. } => collect(default, commands, hidden),
            _ => {}
        }
    }
}
