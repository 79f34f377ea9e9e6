//! One pass over a script's commands.
//!
//! Owns: the order of things in it: what each command is called with, sets and leaves behind for the next. Never does: judge a command.

use super::folder::Folders;
use super::values::{Set, Values, substitutions};
use super::{Pins, Ran, Role, compounds};
use crate::ecosystems::{Argument, Invocation, Wrapper};
use crate::knowledge::Knowledge;
use crate::shell::{
    self, CompoundCommand, CompoundKind, List, Place, Redirection, RedirectionKind, Removal, SimpleCommand, Word,
};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

/// What a script starts with.
#[derive(Clone)]
pub struct Start<'s> {
    /// Variables, `HOME` among them.
    pub outside: &'s dyn Fn(&str) -> Option<Knowledge<String>>,
    /// The folder.
    pub folder: Knowledge<String>,
    /// The shell is started with `-e`.
    pub errexit: bool,
    /// Not only commands that stand on their own are wanted.
    pub everything: bool,
    /// `$0`, where the script is a file.
    pub name: Option<String>,
    /// `$1` and so on, where they are known.
    pub parameters: Option<Rc<[Knowledge<String>]>>,
}

/// The commands of a script.
pub fn of_list(list: &List, start: &Start<'_>) -> Vec<Ran> {
    let values = Values {
        outside: start.outside,
        set: Set::default(),
        folder: start.folder.clone(),
        name: start.name.clone(),
        parameters: start.parameters.clone(),
        temporary: start.everything,
    };
    let mut reading = Reading {
        values,
        folders: Folders::new(list, start.folder.clone()),
        everything: start.everything,
        site: Site::default(),
        result: Vec::new(),
    };
    reading.list(list, start.errexit);
    let pins = pins_of(&reading.result);
    reading.result.iter_mut().for_each(|ran| ran.pins = pins);
    reading.result
}

/// Where a script stands in another.
#[derive(Clone, Default)]
struct Site {
    wrappers: Vec<Wrapper>,
    conditional: bool,
    /// Where the text starts in the outermost one (Unknown: it is not there letter by letter), and the command that holds it.
    outer: Option<(Knowledge<usize>, Range<usize>)>,
    substituted: bool,
}

struct Reading<'s> {
    values: Values<'s>,
    folders: Folders,
    everything: bool,
    site: Site,
    result: Vec<Ran>,
}

impl Reading<'_> {
    fn list(&mut self, list: &List, errexit: bool) {
        let compounds = if self.everything { compounds::of(list) } else { Vec::new() };
        let mut compounds = compounds.into_iter().peekable();
        let mut spans: Vec<(Range<usize>, Rc<Invocation>)> = Vec::new();
        for (command, place) in list.simple_commands(errexit) {
            while let Some(compound) = compounds.next_if(|compound| compound.span.start <= command.span.start) {
                self.values.folder = self.folders.before(&place, compound.span.start, &mut self.result);
                self.compound(compound);
            }
            self.values.folder = self.folders.enter(&place, &mut self.result);
            let fed_by = place.fed_by.as_ref().and_then(|by| spans.iter().rev().find(|(span, _)| span == by));
            let fed_by = fed_by.map(|(_, invocation)| Rc::clone(invocation));
            if let Some(ran) = self.simple(command, &place, fed_by) {
                if place.in_pipeline {
                    spans.push((command.span.clone(), Rc::new(ran.invocation.clone())));
                }
                self.folders.after(&ran, &place, &self.values);
                self.result.push(ran);
            }
        }
        for compound in compounds {
            self.values.folder = Knowledge::Unknown;
            self.compound(compound);
        }
        self.folders.leave(&mut self.result);
    }

    fn simple(&mut self, command: &SimpleCommand, place: &Place, fed_by: Option<Rc<Invocation>>) -> Option<Ran> {
        let conditional = self.site.conditional || place.conditional || place.function.is_some();
        let passing = conditional || place.subshell || place.in_pipeline || place.background;
        let parameters = place.function.is_some().then(|| self.values.parameters.take());
        let words = command.words.iter().chain(command.assignments.iter().filter_map(|assignment| assignment.value.as_ref()));
        let mut ran = self.touched(words, &command.redirections, conditional, &command.span);
        // The words are read with the variables from before.
        let arguments: Vec<Argument> = command
            .words
            .iter()
            .map(|word| Argument { value: self.values.expand(word), raw: word.raw.clone(), span: word.span.clone() })
            .collect();
        let beginnings: Vec<String> = match self.everything {
            true => command.words.iter().map(|word| self.values.beginning(word)).collect(),
            false => Vec::new(),
        };
        let inline = self.assignments(command, passing);
        match Invocation::unwrap(arguments, inline, command.span.clone()) {
            Some(mut invocation) => {
                self.remember(&invocation, passing);
                // Wrappers stand in front, so the arguments are the last words.
                let dropped = beginnings.len().saturating_sub(invocation.arguments.len());
                ran.beginnings = beginnings.into_iter().skip(dropped).collect();
                ran.role = self.role(&invocation);
                self.nested(&mut invocation, command, conditional);
                self.put_in_place(&mut ran, invocation, place);
            }
            None if !command.words.is_empty() => {
                ran.role = Role::Unnamed;
                ran.invocation.program = command.words.first().map(|word| word.raw.clone()).unwrap_or_default();
            }
            None => {}
        }
        if command.redirections.iter().any(|redirection| redirection.here_document.is_some()) {
            // Its here-document would stay behind.
            ran.removal = Removal::No("a here-document belongs to it");
        }
        settle(&mut ran, command);
        ran.variables = Rc::clone(&self.values.set);
        ran.fed_by = fed_by;
        if let Some(parameters) = parameters {
            self.values.parameters = parameters;
        }
        Some(ran).filter(|ran| self.everything || matches!(ran.role, Role::Command | Role::Function))
    }

    fn role(&self, invocation: &Invocation) -> Role {
        match () {
            () if self.folders.defines(&invocation.path) && invocation.wrappers.is_empty() => Role::Function,
            () if self.site.substituted => Role::Substituted,
            () => Role::Command,
        }
    }

    fn put_in_place(&self, ran: &mut Ran, mut invocation: Invocation, place: &Place) {
        ran.removal = place.removable.clone();
        if let Some((offset, span)) = &self.site.outer {
            let offset = offset.known().copied();
            invocation.shift(offset, span.clone());
            ran.removal = match (place.removable.clone(), offset) {
                (Removal::Range(Range { start, end }), Some(offset)) => Removal::Range(start + offset..end + offset),
                (Removal::No(why), _) => Removal::No(why),
                _ => Removal::No("it stands alone in a text of its own"),
            };
        }
        invocation.wrappers.splice(0..0, self.site.wrappers.iter().cloned());
        ran.invocation = invocation;
    }

    /// What words and redirections read and write by themselves.
    fn touched<'w>(
        &mut self,
        words: impl Iterator<Item = &'w Word>,
        redirections: &'w [Redirection],
        conditional: bool,
        span: &Range<usize>,
    ) -> Ran {
        let mut ran = Ran { conditional, folder: self.values.folder.clone(), ..Ran::default() };
        ran.invocation.span = self.site.outer.as_ref().map_or_else(|| span.clone(), |(_, span)| span.clone());
        for redirection in redirections {
            let Some(target) = &redirection.target else { continue };
            match redirection.kind {
                RedirectionKind::Read => ran.reads.push(self.file(target)),
                RedirectionKind::Write | RedirectionKind::Append | RedirectionKind::ReadWrite => {
                    ran.writes.push(self.file(target));
                }
                RedirectionKind::Duplicate | RedirectionKind::Here => {}
            }
        }
        if self.everything {
            let words: Vec<&Word> =
                words.chain(redirections.iter().filter_map(|redirection| redirection.target.as_ref())).collect();
            let mut names: BTreeSet<String> = words.iter().flat_map(|word| word.mentions()).collect();
            for text in redirections.iter().filter_map(|redirection| redirection.here_document.as_deref()) {
                mentioned(text, &mut names);
            }
            ran.mentions = Knowledge::Known(names);
            let here = redirections.iter().filter_map(|redirection| redirection.here_document.as_deref());
            self.substitutions(&words, here, conditional, &ran.invocation.span);
        }
        ran
    }

    /// A redirection's file; a pattern where only the beginning of its name is known.
    fn file(&self, word: &Word) -> Knowledge<String> {
        if let Knowledge::Known(value) = self.values.expand(word) {
            return Knowledge::Known(value);
        }
        let beginning = self.values.beginning(word);
        if beginning.contains('/') { Knowledge::Known(format!("{beginning}*")) } else { Knowledge::Unknown }
    }

    fn substitutions<'t>(
        &mut self,
        words: &[&Word],
        here: impl Iterator<Item = &'t str>,
        conditional: bool,
        span: &Range<usize>,
    ) {
        let found: Vec<(Vec<&str>, bool)> = words.iter().map(|word| substitutions(word)).collect();
        let mut hidden = found.iter().any(|(_, hidden)| *hidden);
        // Whether the text of a here-document is taken as it stands can't be seen here.
        hidden |= here.into_iter().any(|text| text.contains("$(") || text.contains('`'));
        for text in found.into_iter().flat_map(|(texts, _)| texts) {
            match shell::parse(text) {
                Ok(list) => {
                    let site = Site {
                        substituted: true,
                        conditional,
                        outer: Some((Knowledge::Unknown, span.clone())),
                        wrappers: self.site.wrappers.clone(),
                    };
                    let mut inner = self.inside(&list, site, false);
                    self.result.append(&mut inner);
                }
                Err(_) => hidden = true,
            }
        }
        if hidden {
            let mut ran = Ran { role: Role::Unnamed, folder: self.values.folder.clone(), conditional, ..Ran::default() };
            ran.invocation.program = "$( … )".to_owned();
            ran.invocation.span = span.clone();
            self.result.push(ran);
        }
    }

    /// The commands of a text that a process of its own runs.
    fn inside(&self, list: &List, site: Site, errexit: bool) -> Vec<Ran> {
        let folders = Folders::within(&self.folders, list, self.values.folder.clone());
        let mut inner = Reading { values: self.values.clone(), folders, everything: self.everything, site, result: Vec::new() };
        inner.list(list, errexit);
        inner.result
    }

    fn compound(&mut self, compound: &CompoundCommand) {
        let mut ran = self.touched(compound.words.iter(), &compound.redirections, true, &compound.span);
        if let Some(variable) = &compound.variable {
            let value = self.each_of(&compound.words);
            self.values.put(variable, value);
        }
        ran.variables = Rc::clone(&self.values.set);
        if compound.kind == CompoundKind::Test {
            // Which of the words are files is not told; a word that is none names a file that nobody has.
            let words = compound.words.iter().filter_map(|word| self.values.expand(word).into_known());
            let names = words.filter(|word| !word.is_empty() && !word.contains(['*', '?', '[', '{', '\n']));
            ran.reads.extend(names.map(Knowledge::Known));
        }
        let mentions = ran.mentions.known().is_some_and(|names| !names.is_empty());
        if mentions || !ran.reads.is_empty() || !ran.writes.is_empty() {
            self.result.push(ran);
        }
    }

    /// The values that a loop's variable takes, in braces.
    fn each_of(&self, words: &[Word]) -> Knowledge<String> {
        let values = words.iter().map(|word| self.values.expand(word).into_known());
        let values: Option<Vec<String>> = values.collect();
        let plain = |value: &String| !value.is_empty() && !value.contains([',', '{', '}', ' ', '\t', '\n']);
        match values.filter(|values| values.iter().all(plain)).as_deref() {
            None | Some([]) => Knowledge::Unknown,
            Some([only]) => Knowledge::Known(only.clone()),
            Some(values) => Knowledge::Known(format!("{{{}}}", values.join(","))),
        }
    }

    /// `A=1 cmd` hands A to the command; `A=1` alone sets it in the script (where it is exported only if it was before, which for
    /// the questions asked here comes to the same).
    fn assignments(&mut self, command: &SimpleCommand, passing: bool) -> Vec<(String, Knowledge<String>)> {
        let mut inline = Vec::new();
        for assignment in &command.assignments {
            let value = assignment.value.as_ref().map_or(Knowledge::Unknown, |word| self.values.expand(word));
            if command.words.is_empty() {
                match passing {
                    true => self.values.put_perhaps(&assignment.name, value),
                    false => self.values.put(&assignment.name, value),
                }
            } else {
                inline.push((assignment.name.clone(), value));
            }
        }
        inline
    }

    fn remember(&mut self, invocation: &Invocation, passing: bool) {
        match invocation.program.as_str() {
            "export" | "declare" | "typeset" | "local" | "readonly" | "unset" | "read" => self.exports(invocation, passing),
            "shift" => self.values.parameters = None,
            "set" if invocation.arguments.iter().any(|argument| sets_parameters(&argument.raw)) => self.values.parameters = None,
            "." | "source" => {
                let environment = invocation.argument(0).strip_suffix("/bin/activate");
                if let Some(folder) = environment.filter(|_| !passing) {
                    let folder = crate::ecosystems::absolute(folder, &self.values.folder);
                    self.values.put("VIRTUAL_ENV", folder);
                }
            }
            _ => {}
        }
    }

    fn exports(&mut self, invocation: &Invocation, passing: bool) {
        for argument in &invocation.arguments {
            let text = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
            let (name, value) = match text.split_once('=') {
                Some((name, value)) if argument.value.known().is_some() => (name, Knowledge::Known(value.to_owned())),
                Some((name, _)) => (name, Knowledge::Unknown),
                None if invocation.program == "unset" => (text, Knowledge::Known(String::new())),
                None if invocation.program == "read" => (text, Knowledge::Unknown),
                None => continue,
            };
            if shell::is_plain_name(name) {
                match passing {
                    true => self.values.put_perhaps(name, value),
                    false => self.values.put(name, value),
                }
            }
        }
    }

    /// The commands of `sh -c 'text'`. Their offsets are right where the text stands in the script letter by letter.
    fn nested(&mut self, invocation: &mut Invocation, command: &SimpleCommand, conditional: bool) -> Option<()> {
        if !matches!(invocation.program.as_str(), "sh" | "bash" | "ash" | "dash" | "zsh") {
            return None;
        }
        let is_c = |value: &str| value.starts_with('-') && !value.starts_with("--") && value.ends_with('c');
        let (at, flag) = invocation.known_arguments().find(|(_, value)| is_c(value))?;
        let errexit = flag.contains('e');
        let argument = invocation.arguments.get(at + 1)?;
        let inner = argument.raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\''));
        let double = argument.raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        let double = double.filter(|text| !text.contains(['\\', '`', '$', '"']));
        let (text, exact) = match inner.filter(|text| !text.contains('\'')).or(double) {
            Some(text) => (text.to_owned(), true),
            None => (argument.value.known()?.clone(), false),
        };
        let offset = argument.span.known().filter(|_| exact && self.site.outer.is_none()).map(|span| span.start + 1);
        let list = shell::parse(&text).ok()?;
        let mut wrappers = self.site.wrappers.clone();
        wrappers.extend(invocation.wrappers.iter().cloned());
        wrappers.push(Wrapper::Nested);
        let span = self.site.outer.as_ref().map_or_else(|| command.span.clone(), |(_, span)| span.clone());
        let site = Site { wrappers, conditional, outer: Some((offset.into(), span)), substituted: self.site.substituted };
        let mut own = self.values.clone();
        std::mem::swap(&mut own, &mut self.values);
        for (name, value) in &invocation.variables {
            self.values.put(name, value.clone());
        }
        self.values.parameters = None;
        let mut inner = self.inside(&list, site, errexit);
        self.values = own;
        self.result.append(&mut inner);
        Some(())
    }
}

/// Whether a word behind `set` is no option.
fn sets_parameters(word: &str) -> bool {
    !word.starts_with(['-', '+']) && !matches!(word, "pipefail" | "errexit" | "nounset" | "xtrace") || word == "--"
}

/// Wrappers' options that move a command or feed it, which are gone from the invocation.
fn settle(ran: &mut Ran, command: &SimpleCommand) {
    if !ran.invocation.wrappers.iter().any(|wrapper| matches!(wrapper, Wrapper::Env | Wrapper::Xargs)) {
        return;
    }
    let literals: Vec<String> = command.words.iter().map(|word| word.literal().unwrap_or_default()).collect();
    let behind = |wrapper: &str| {
        let at = literals.iter().position(|word| word.rsplit('/').next() == Some(wrapper))?;
        literals.get(at + 1..)
    };
    if ran.invocation.wrappers.contains(&Wrapper::Env)
        && behind("env").is_some_and(|words| {
            words
                .iter()
                .take_while(|word| word.starts_with('-'))
                .any(|word| word.starts_with("-C") || word.starts_with("--chdir"))
        })
    {
        ran.folder = Knowledge::Unknown;
    }
    if ran.invocation.wrappers.contains(&Wrapper::Xargs)
        && let Some(words) = behind("xargs")
    {
        xargs(ran, words);
    }
}

/// Where `xargs` takes its words from, and where it puts them.
fn xargs(ran: &mut Ran, words: &[String]) {
    let mut words = words.iter();
    while let Some(word) = words.next().filter(|word| word.starts_with('-')) {
        let mut file = None;
        match word.as_str() {
            "-a" | "--arg-file" => file = Some(words.next().cloned().unwrap_or_default()),
            "-I" => ran.placeholder = words.next().cloned(),
            "--replace" => ran.placeholder = Some("{}".to_owned()),
            "-n" | "-L" | "-P" | "-d" | "-s" | "-E" | "--max-args" | "--max-procs" | "--delimiter" => {
                words.next();
            }
            other => {
                file = other.strip_prefix("--arg-file=").or_else(|| other.strip_prefix("-a")).map(str::to_owned);
                let placeholder = other.strip_prefix("--replace=").or_else(|| other.strip_prefix("-I"));
                ran.placeholder = placeholder.map(str::to_owned).or(ran.placeholder.take());
            }
        }
        // A name that is no plain text is empty here.
        ran.reads.extend(file.map(|file| Some(file).filter(|file| !file.is_empty()).into()));
    }
}

/// The names behind the dollars of a here-document's text.
fn mentioned(text: &str, names: &mut BTreeSet<String>) {
    for rest in text.split('$').skip(1) {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        names.extend(rest.get(..end).filter(|name| !name.is_empty()).map(str::to_owned));
    }
}

fn pins_of(commands: &[Ran]) -> Pins {
    let mut pins = Pins::default();
    for ran in commands {
        let invocation = &ran.invocation;
        let has = |wanted: &dyn Fn(&str) -> bool| invocation.arguments.iter().any(|argument| wanted(&argument.raw));
        match invocation.program.as_str() {
            "sha1sum" | "sha224sum" | "sha256sum" | "sha384sum" | "sha512sum" | "md5sum" | "shasum" | "b2sum" => {
                pins.checksum |=
                    has(&|word| word == "--check" || word.starts_with('-') && !word.starts_with("--") && word.contains('c'));
            }
            "gpg" | "gpg2" | "gpgv" => pins.checksum |= invocation.program == "gpgv" || has(&|word| word == "--verify"),
            "git" => {
                let moves = has(&|word| matches!(word, "checkout" | "reset" | "switch"));
                pins.checkout |= moves && invocation.arguments.iter().any(names_version);
            }
            _ => {}
        }
    }
    pins
}

fn names_version(argument: &Argument) -> bool {
    super::super::footprint::is_version(argument.value.known().map_or(argument.raw.as_str(), String::as_str))
}
