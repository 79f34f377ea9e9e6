//! The footprint of one command while it is found out.
//!
//! Owns: a command's words, and how a word becomes a place: against the folder in which the command runs, with patterns as the folder
//! that they look into. Never does: know a program.

use super::options::{Parsed, Takes};
use super::{Area, Fetch, Footprint, Variables, is_system};
use crate::ecosystems::{Project, Surroundings, User};
use crate::model::paths::is_within;
use crate::model::{IMAGES_WORKDIR, Ran};
use std::collections::BTreeSet;

/// Why a command may touch anything.
pub type Outcome = Result<(), String>;

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// What it says, where that is known.
    pub value: Option<String>,
    /// What it surely begins with.
    pub beginning: String,
    /// As written.
    pub raw: String,
}

impl Word {
    /// A word that is known.
    pub fn known(text: &str) -> Self {
        Self { value: Some(text.to_owned()), beginning: text.to_owned(), raw: text.to_owned() }
    }

    /// What it says; empty where that is not known.
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// What is behind the first `count` bytes.
    pub fn behind(&self, count: usize) -> Option<Self> {
        Some(Self {
            value: match &self.value {
                Some(value) => Some(value.get(count..)?.to_owned()),
                None => None,
            },
            beginning: self.beginning.get(count..)?.to_owned(),
            raw: self.raw.clone(),
        })
    }

    /// In words, that it is not known.
    pub fn unknown(&self) -> String {
        format!("what {} stands for is not known", self.raw)
    }
}

/// What is seen of a command.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The command.
    pub ran: &'a Ran,
    /// What holds around it; the folder is the one in which it runs.
    pub at: &'a Surroundings<'a>,
    /// The project's files.
    pub project: &'a dyn Project,
    /// How many scripts stand around it.
    pub depth: u8,
}

/// What a command touches, as far as it is found out.
pub struct Draft<'a> {
    /// What is seen.
    pub sight: Sight<'a>,
    /// What it touches.
    pub footprint: Footprint,
}

/// Folders that every base image has.
#[rustfmt::skip]
const IN_EVERY_IMAGE: &[&str] = &[
    "/", "/bin", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp",
    "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/share", "/usr/sbin", "/usr/share",
    "/usr/src", "/var", "/var/cache", "/var/lib", "/var/log", "/var/tmp", "/var/spool",
];

/// Whether a folder is there in every base image.
pub fn is_in_every_image(folder: &str) -> bool {
    IN_EVERY_IMAGE.contains(&folder)
}

impl<'a> Draft<'a> {
    /// Nothing yet.
    pub fn new(sight: Sight<'a>) -> Self {
        Self { sight, footprint: Footprint::default() }
    }

    /// The words behind the program; those that the shell splits split.
    pub fn words(&self) -> Vec<Word> {
        let ran = self.sight.ran;
        let mut words = Vec::new();
        for (index, argument) in ran.invocation.arguments.iter().enumerate() {
            let beginning = ran.beginnings.get(index).cloned().unwrap_or_default();
            let bare = argument.raw.contains('$') && !argument.raw.contains(['"', '\'']);
            let word = |text: &str| Word { raw: argument.raw.clone(), ..Word::known(text) };
            match argument.value.known() {
                Some(value) if bare && (value.is_empty() || value.contains(char::is_whitespace)) => {
                    words.extend(value.split_whitespace().map(word));
                }
                Some(value) => words.push(word(value)),
                None => words.push(Word { value: None, beginning, raw: argument.raw.clone() }),
            }
        }
        words
    }

    /// The place that a word names; `None` for what is no place in the image.
    ///
    /// # Errors
    /// Why it can't be told.
    pub fn places(&self, word: &Word) -> Result<Vec<Area>, String> {
        match &word.value {
            Some(value) => braces(value).iter().filter_map(|path| self.place(path).transpose()).collect(),
            // The beginning tells the folder.
            None if !word.beginning.is_empty() && !word.beginning.starts_with(['-', '~']) => {
                Ok(self.place(&format!("{}*", word.beginning))?.into_iter().collect())
            }
            None => Err(word.unknown()),
        }
    }

    fn place(&self, path: &str) -> Result<Option<Area>, String> {
        if path.is_empty() || path == "-" {
            return Ok(None);
        }
        let (fixed, pattern) = match path.find(['*', '?', '[']) {
            Some(at) => {
                let (head, tail) = path.split_at(at);
                if tail.split('/').any(|part| part == "..") {
                    return Err(format!("{path} may lie anywhere"));
                }
                let folder = head.rfind('/').map_or("", |slash| head.get(..slash.max(1)).unwrap_or_default());
                (if folder.is_empty() { "." } else { folder }, true)
            }
            None => (path, false),
        };
        let named = self.sight.at.workdir.known().is_some_and(|folder| folder.starts_with(IMAGES_WORKDIR));
        if named && !fixed.starts_with('/') && fixed.split('/').any(|part| part == "..") {
            return Err("the image's work folder is not known".to_owned());
        }
        let Some(absolute) = self.sight.at.absolute(fixed).into_known() else {
            let why = if fixed.starts_with('~') { "the user's home folder" } else { "the folder in which it runs" };
            return Err(format!("{why} is not known"));
        };
        if ["/dev", "/proc", "/sys"].iter().any(|folder| is_within(&absolute, folder)) {
            return Ok(None);
        }
        Ok(Some(if pattern { Area::Below(absolute) } else { Area::At(absolute) }))
    }

    /// The one path that a word names.
    ///
    /// # Errors
    /// Why it can't be told.
    pub fn path(&self, word: &Word) -> Result<String, String> {
        match self.places(word)?.as_slice() {
            [Area::At(path)] => Ok(path.clone()),
            _ => Err(format!("{} is not one path", word.raw)),
        }
    }

    /// It reads the file, or looks whether it is there.
    pub fn read(&mut self, word: &Word) -> Outcome {
        let places = self.places(word)?;
        self.reads(places);
        Ok(())
    }

    /// It reads the file, or the folder with all that is in it.
    pub fn read_below(&mut self, word: &Word) -> Outcome {
        let places = self.places(word)?;
        self.reads(places.into_iter().map(below));
        Ok(())
    }

    /// It writes the file, new or not.
    pub fn write(&mut self, word: &Word) -> Outcome {
        for place in self.places(word)? {
            self.writes_at(place);
        }
        Ok(())
    }

    /// It writes the file, or something in the folder.
    pub fn write_below(&mut self, word: &Word) -> Outcome {
        for place in self.places(word)? {
            self.writes_at(below(place));
        }
        Ok(())
    }

    /// It changes what is there.
    pub fn change(&mut self, word: &Word) -> Outcome {
        self.read(word)?;
        self.write(word)
    }

    /// It changes what is there, with all that is in it.
    pub fn change_below(&mut self, word: &Word) -> Outcome {
        self.read_below(word)?;
        self.write_below(word)
    }

    /// It makes the folder, with those above it that are missing.
    pub fn make_folders(&mut self, word: &Word) -> Outcome {
        for place in self.places(word)? {
            self.makes_folders_above(place.path());
            self.writes([place]);
        }
        Ok(())
    }

    /// It makes the folders above a path that may be missing.
    pub fn makes_folders_above(&mut self, path: &str) {
        let mut at = path;
        while let Some(parent) = parent(at).filter(|parent| !self.is_there(parent)) {
            self.writes([Area::At(parent.to_owned())]);
            at = parent;
        }
    }

    /// It writes there, for which the folder around it must be.
    pub fn writes_at(&mut self, place: Area) {
        if let Some(parent) = parent(place.path()).filter(|parent| !self.is_there(parent)) {
            self.reads([Area::At(parent.to_owned())]);
        }
        self.writes([place]);
    }

    /// Reads these places.
    pub fn reads(&mut self, places: impl IntoIterator<Item = Area>) {
        self.footprint.reads.add(super::Region::of(places));
    }

    /// Writes these places, and nothing else.
    pub fn writes(&mut self, places: impl IntoIterator<Item = Area>) {
        self.footprint.writes.add(super::Region::of(places));
    }

    /// It is no part of every base image, or reads what packages install.
    pub fn reads_system(&mut self) {
        self.footprint.reads.system = true;
    }

    /// It changes what packages own.
    pub fn writes_system(&mut self) {
        self.footprint.reads.system = true;
        self.footprint.writes.system = true;
    }

    /// It hangs on variables that set up tools.
    pub fn reads_tools(&mut self) {
        self.footprint.add(Footprint { variables: Variables::Tools(BTreeSet::new()), ..Footprint::default() });
    }

    /// It hangs on any variable.
    pub fn reads_all_variables(&mut self) {
        self.footprint.variables = Variables::All;
    }

    /// It fetches.
    pub fn fetches(&mut self, fetch: Fetch) {
        self.footprint.add(Footprint { fetches: fetch, ..Footprint::default() });
    }

    /// The files of options that read or write one.
    pub fn option_files(&mut self, parsed: &Parsed) -> Outcome {
        for given in &parsed.given {
            match (&given.value, given.takes) {
                (Some(file), Takes::Read) => self.read(file)?,
                (Some(file), Takes::Write) => self.write(file)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The folder in which it runs.
    pub fn here(&self) -> Word {
        Word::known(".")
    }

    /// A file or folder below the home folder, if that is known.
    pub fn below_home(&self, name: &str) -> Option<String> {
        self.sight.at.below_home(name).into_known()
    }

    /// Whether a folder is there whatever ran before: it is in every image, or the step starts in or below it.
    pub fn is_there(&self, folder: &str) -> bool {
        let at = self.sight.at;
        let starts = at.user == User::Root && at.workdir.known().is_some_and(|workdir| is_within(workdir, folder));
        IN_EVERY_IMAGE.contains(&folder) || starts
    }

    /// A folder that belongs to tools, outside of what [`is_system`] knows.
    pub fn uses_folder(&mut self, path: &str) {
        if !is_system(path) {
            self.reads([Area::Below(path.to_owned())]);
            self.writes([Area::Below(path.to_owned())]);
        }
    }

    /// The variables that its words name.
    pub fn mentions(&mut self, names: &BTreeSet<String>) {
        self.footprint.add(Footprint { variables: Variables::Named(names.clone()), ..Footprint::default() });
    }
}

/// The folder around a path.
pub fn parent(path: &str) -> Option<&str> {
    let (folder, _) = path.rsplit_once('/')?;
    Some(if folder.is_empty() { "/" } else { folder })
}

/// The place with all that is in it.
pub fn below(place: Area) -> Area {
    match place {
        Area::At(path) | Area::Below(path) => Area::Below(path),
    }
}

/// `a/{b,c}` as `a/b` and `a/c`; shells without braces take the text as it stands.
fn braces(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    if let Some((head, rest)) = text.split_once('{')
        && let Some((inner, tail)) = rest.split_once('}')
        && !inner.contains('{')
        && inner.contains(',')
    {
        all.extend(inner.split(',').flat_map(|part| braces(&format!("{head}{part}{tail}"))));
    } else if text.contains('{') {
        // Nested, or `{1..3}`.
        return vec![text.replace('{', "*{")];
    }
    all.push(text.to_owned());
    all
}
