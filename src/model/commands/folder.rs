//! The folder in which each command of a script runs.
//!
//! Owns: following `cd`, `pushd` and `popd` through processes, branches and functions. Never does: look at a disk; a `cd` is taken to
//! succeed, since the commands behind one that fails are not what the author runs.

use super::values::Values;
use super::{Ran, Role};
use crate::ecosystems::absolute;
use crate::knowledge::Knowledge;
use crate::shell::{Command, CompoundKind, Enclosure, EnclosureKind, List, Piece, Place, SimpleCommand};
use std::collections::{HashMap, HashSet};

/// The folders of a script: those of its own commands and those of each function's.
pub struct Folders {
    own: Follower,
    functions: HashMap<String, Follower>,
    /// Functions that change the folder of who calls them.
    moving: HashSet<String>,
    /// Names of all functions.
    names: HashSet<String>,
    /// Where a function starts whose callers can't be told apart.
    start: Knowledge<String>,
}

impl Folders {
    /// At the start of a script.
    pub fn new(list: &List, start: Knowledge<String>) -> Self {
        let mut moves = Moves::default();
        moves.collect(list, None, false);
        moves.close();
        Self {
            own: Follower::new(start.clone()),
            functions: HashMap::new(),
            moving: moves.functions,
            names: moves.names,
            start: if moves.any { Knowledge::Unknown } else { start },
        }
    }

    /// The same, for a text inside another whose functions it can call.
    pub fn within(outer: &Self, list: &List, start: Knowledge<String>) -> Self {
        let mut folders = Self::new(list, start);
        folders.names.extend(outer.names.iter().cloned());
        folders
    }

    /// Whether the script defines a function of this name.
    pub fn defines(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Goes to a command; `result` holds the commands before it.
    pub fn enter(&mut self, place: &Place, result: &mut [Ran]) -> Knowledge<String> {
        let around = &place.around;
        self.follower(place.function.as_deref()).enter(around, result)
    }

    /// The folder in front of something that stands at an offset, around the next command.
    pub fn before(&mut self, place: &Place, start: usize, result: &mut [Ran]) -> Knowledge<String> {
        let outer = place.around.iter().take_while(|enclosure| enclosure.span.start < start);
        let outer: Vec<Enclosure> = outer.cloned().collect();
        self.follower(place.function.as_deref()).enter(&outer, result)
    }

    /// Takes a command's effect in.
    pub fn after(&mut self, ran: &Ran, place: &Place, values: &Values<'_>) {
        let calls_moving = ran.role == Role::Function && self.moving.contains(&ran.invocation.program);
        let follower = self.follower(place.function.as_deref());
        if calls_moving {
            follower.lose();
        } else {
            follower.after(ran, values);
        }
    }

    /// Ends the script.
    pub fn leave(&mut self, result: &mut [Ran]) {
        self.own.enter(&[], result);
        for function in self.functions.values_mut() {
            function.enter(&[], result);
        }
    }

    fn follower(&mut self, function: Option<&str>) -> &mut Follower {
        match function {
            None => &mut self.own,
            Some(name) => self.functions.entry(name.to_owned()).or_insert_with(|| Follower::new(self.start.clone())),
        }
    }
}

fn is_move(command: &SimpleCommand) -> bool {
    const MOVING: &[&str] = &["cd", "pushd", "popd", "chdir"];
    command.words.iter().take(2).any(|word| match word.pieces.as_slice() {
        [Piece::Text { text, .. }] => MOVING.contains(&text.as_str()),
        _ => word.literal().is_some_and(|word| MOVING.contains(&word.as_str())),
    })
}

/// What of a script changes its folder.
#[derive(Default)]
struct Moves {
    any: bool,
    /// Functions that change the folder of who calls them.
    functions: HashSet<String>,
    names: HashSet<String>,
    /// Which commands a function calls in its own process.
    calls: Vec<(String, String)>,
}

impl Moves {
    /// Takes those in that call a function which changes their folder.
    fn close(&mut self) {
        loop {
            let calls = self.calls.iter().filter(|(_, called)| self.functions.contains(called));
            let more: Vec<String> = calls.filter(|(by, _)| !self.functions.contains(by)).map(|(by, _)| by.clone()).collect();
            if more.is_empty() {
                return;
            }
            self.functions.extend(more);
        }
    }

    fn collect(&mut self, list: &List, function: Option<&str>, ends: bool) {
        for item in &list.items {
            for pipeline in &item.and_or {
                let ends = ends || item.background || pipeline.commands.len() > 1;
                pipeline.commands.iter().for_each(|command| self.command(command, function, ends));
            }
        }
    }

    fn command(&mut self, command: &Command, function: Option<&str>, ends: bool) {
        match command {
            Command::Simple(simple) => {
                if let Some(function) = function.filter(|_| !ends) {
                    let called = simple.words.first().and_then(crate::shell::Word::literal);
                    self.calls.extend(called.map(|called| (function.to_owned(), called)));
                }
                if is_move(simple) {
                    self.any = true;
                    self.functions.extend(function.filter(|_| !ends).map(str::to_owned));
                }
            }
            Command::Compound(compound) => {
                let ends = ends || compound.kind == CompoundKind::Subshell;
                compound.bodies.iter().for_each(|body| self.collect(body, function, ends));
            }
            Command::Function { name, body, .. } => {
                self.names.insert(name.clone());
                self.collect(body, Some(name), false);
            }
        }
    }
}

/// What `cd` and its like change.
#[derive(Clone)]
struct Here {
    folder: Knowledge<String>,
    /// For `cd -`.
    old: Knowledge<String>,
    /// For `popd`.
    stack: Vec<Knowledge<String>>,
}

struct Frame {
    enclosure: Enclosure,
    before: Here,
    /// A branch of it ended in another folder.
    split: bool,
    /// Commands that came before it.
    since: usize,
}

/// Follows one line of execution.
struct Follower {
    here: Here,
    frames: Vec<Frame>,
}

impl Follower {
    fn new(folder: Knowledge<String>) -> Self {
        Self { here: Here { folder, old: Knowledge::Unknown, stack: Vec::new() }, frames: Vec::new() }
    }

    fn enter(&mut self, around: &[Enclosure], result: &mut [Ran]) -> Knowledge<String> {
        let common = self.frames.iter().zip(around).take_while(|(frame, enclosure)| frame.enclosure == **enclosure).count();
        while self.frames.len() > common {
            self.pop(result);
        }
        for enclosure in around.iter().skip(common) {
            let frame = Frame { enclosure: enclosure.clone(), before: self.here.clone(), split: false, since: result.len() };
            let alternative = matches!(enclosure.kind, EnclosureKind::Branch | EnclosureKind::Condition);
            if !alternative && self.frames.last().is_some_and(|outer| outer.split) {
                self.here.folder = Knowledge::Unknown;
            }
            self.frames.push(frame);
        }
        let split = self.frames.last().is_some_and(|frame| frame.split);
        if split { Knowledge::Unknown } else { self.here.folder.clone() }
    }

    fn pop(&mut self, result: &mut [Ran]) {
        let Some(frame) = self.frames.pop() else { return };
        let moved = self.here.folder != frame.before.folder;
        match frame.enclosure.kind {
            EnclosureKind::Process => self.here = frame.before,
            EnclosureKind::Branch => {
                self.here = frame.before;
                if let Some(outer) = self.frames.last_mut() {
                    outer.split |= moved;
                }
            }
            EnclosureKind::Condition if moved => self.lose(),
            EnclosureKind::Choice if frame.split => self.lose(),
            EnclosureKind::Loop if frame.split || moved => {
                self.lose();
                // The second round starts elsewhere than the first.
                result.iter_mut().skip(frame.since).for_each(|ran| ran.folder = Knowledge::Unknown);
            }
            _ => {}
        }
    }

    fn lose(&mut self) {
        self.here = Here { folder: Knowledge::Unknown, old: Knowledge::Unknown, stack: Vec::new() };
    }

    fn go(&mut self, folder: Knowledge<String>) {
        self.here.old = std::mem::replace(&mut self.here.folder, folder);
    }

    fn after(&mut self, ran: &Ran, values: &Values<'_>) {
        let invocation = &ran.invocation;
        let mut operands = invocation.arguments.iter().filter(|argument| {
            let value = argument.value.known().map_or("", String::as_str);
            !matches!(value, "-P" | "-L" | "-e" | "-n" | "--")
        });
        match invocation.program.as_str() {
            "cd" | "chdir" => {
                let target = operands.next();
                let folder = match target.map(|target| &target.value) {
                    None => values.home(),
                    Some(Knowledge::Known(value)) if value == "-" => self.here.old.clone(),
                    Some(Knowledge::Known(value)) if value.is_empty() => Knowledge::Unknown,
                    Some(Knowledge::Known(value)) => self.seen_from_here(value),
                    Some(Knowledge::Unknown) => Knowledge::Unknown,
                };
                self.go(if operands.next().is_some() { Knowledge::Unknown } else { folder });
            }
            "pushd" => {
                let Some(target) = operands.next() else { return self.lose() };
                let folder = match target.value.known() {
                    Some(value) if !value.starts_with(['+', '-']) => self.seen_from_here(value),
                    _ => Knowledge::Unknown,
                };
                self.here.stack.push(self.here.folder.clone());
                self.go(folder);
            }
            "popd" => {
                let folder = self.here.stack.pop().unwrap_or(Knowledge::Unknown);
                self.go(if operands.next().is_some() { Knowledge::Unknown } else { folder });
            }
            _ => {}
        }
    }

    fn seen_from_here(&self, path: &str) -> Knowledge<String> {
        // A pattern, or a name that is several words.
        if path.contains(['*', '?', '[', '{', ' ']) { Knowledge::Unknown } else { absolute(path, &self.here.folder) }
    }
}
