//! The types of a parsed file.
//!
//! Owns: [`Dockerfile`], its items and what an instruction is made of. All spans are byte ranges of the file's text.

use super::{DirectiveName, LogicalText};
use std::ops::Range;

/// A file, tiled by its items: no gap, no overlap, first byte to last.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// The file as it is.
    pub text: String,
    /// In the order of the file.
    pub items: Vec<Item>,
    /// What the builder would refuse, in the order of the file. Empty for a file that its parser accepts.
    pub errors: Vec<SyntaxError>,
    /// The character that continues lines: `\`, or a backquote by directive.
    pub escape: char,
}

impl Dockerfile {
    /// The instructions in order, those inside ONBUILD not counted on their own.
    pub fn instructions(&self) -> impl Iterator<Item = &Instruction> {
        self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Instruction(instruction) => Some(instruction.as_ref()),
            _ => None,
        })
    }

    /// The bytes of a range; empty where the range is not one of this text.
    pub fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The line end of the first line, for new text: `\r\n` or `\n`.
    pub fn line_end(&self) -> &'static str {
        match self.text.find('\n').and_then(|at| self.text.get(..at)) {
            Some(line) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// Gives every instruction another first line (the last one follows): `line` says it for the byte at which one begins. For a
    /// text that was made from another, whose lines people know.
    pub fn number(&mut self, line: impl Fn(usize) -> usize) {
        for item in &mut self.items {
            let ItemKind::Instruction(instruction) = &mut item.kind else { continue };
            let (first, last) = instruction.lines;
            let new = line(instruction.span.start);
            instruction.lines = (new, new + last.saturating_sub(first));
            if let Some(trigger) = &mut instruction.trigger {
                trigger.lines = instruction.lines;
            }
        }
    }

    /// Every comment's text without its line end, inner ones included, in order. Directives are not comments.
    pub fn comments(&self) -> Vec<&str> {
        let mut comments = Vec::new();
        for item in &self.items {
            match &item.kind {
                ItemKind::Comment => comments.push(self.slice(item.span.clone()).trim()),
                ItemKind::Instruction(instruction) => {
                    comments.extend(instruction.inner_comments.iter().map(|span| self.slice(span.clone()).trim()));
                }
                _ => {}
            }
        }
        comments
    }
}

/// A piece of the file: whole lines, but for the byte order mark.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its bytes, line ends included.
    pub span: Range<usize>,
    /// What it is.
    pub kind: ItemKind,
}

/// What a piece of a file is.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// U+FEFF at the very beginning.
    ByteOrderMark,
    /// `# syntax=…` and its like, with the range of the value in the file.
    Directive {
        /// Which one.
        name: DirectiveName,
        /// The bytes of its value.
        value: Range<usize>,
    },
    /// A comment line outside an instruction, or a `#!` line.
    Comment,
    /// A line with nothing but spaces.
    Blank,
    /// An instruction with its continuation lines and heredocs.
    Instruction(Box<Instruction>),
    /// Lines that belong to no instruction: a continuation with nothing in it.
    Unknown,
}

/// The keyword of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the reference's own
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// Not an instruction that the builder knows; kept as written.
    Unknown,
}

impl Keyword {
    /// By name, in any case.
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "add" => Self::Add,
            "arg" => Self::Arg,
            "cmd" => Self::Cmd,
            "copy" => Self::Copy,
            "entrypoint" => Self::Entrypoint,
            "env" => Self::Env,
            "expose" => Self::Expose,
            "from" => Self::From,
            "healthcheck" => Self::Healthcheck,
            "label" => Self::Label,
            "maintainer" => Self::Maintainer,
            "onbuild" => Self::Onbuild,
            "run" => Self::Run,
            "shell" => Self::Shell,
            "stopsignal" => Self::Stopsignal,
            "user" => Self::User,
            "volume" => Self::Volume,
            "workdir" => Self::Workdir,
            _ => Self::Unknown,
        }
    }
}

/// One instruction.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// What it is.
    pub keyword: Keyword,
    /// The keyword as written.
    pub word: String,
    /// Where the keyword stands.
    pub keyword_span: Range<usize>,
    /// The whole logical line, keyword and flags included.
    pub logical: LogicalText,
    /// `--name=value` in front of the arguments.
    pub flags: Vec<Flag>,
    /// Where the arguments stand in `logical`, spaces around them excluded.
    pub arguments_range: Range<usize>,
    /// The arguments as the builder reads them.
    pub arguments: Arguments,
    /// ONBUILD's own instruction. It shares the heredocs of the outer one.
    pub trigger: Option<Box<Instruction>>,
    /// In the order in which they are announced.
    pub heredocs: Vec<Heredoc>,
    /// Comment lines between continuations (line ends included).
    pub inner_comments: Vec<Range<usize>>,
    /// From the first byte of its first line to the end of its last one, heredocs included.
    pub span: Range<usize>,
    /// 1-based first and last line; in a text that was changed, the first is the line in the file as it was read.
    pub lines: (usize, usize),
}

impl Instruction {
    /// The arguments' logical text.
    pub fn arguments_text(&self) -> &str {
        self.logical.as_str().get(self.arguments_range.clone()).unwrap_or_default()
    }

    /// The flags of this name, `--` excluded: `mount`, `from`.
    pub fn flags_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Flag> {
        self.flags.iter().filter(move |flag| flag.name() == name)
    }

    /// The value of the first flag of this name.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|flag| flag.name() == name).map(Flag::value)
    }
}

/// A flag of an instruction.
#[derive(Clone, Debug)]
pub struct Flag {
    /// `--mount=type=cache,target=/x`, quotes removed.
    pub text: String,
    /// Where it stands in the file.
    pub span: Range<usize>,
}

impl Flag {
    /// `mount` of `--mount=…`.
    pub fn name(&self) -> &str {
        let name = self.text.strip_prefix("--").unwrap_or(&self.text);
        name.split_once('=').map_or(name, |(name, _)| name)
    }

    /// What is behind the first `=`; empty without one.
    pub fn value(&self) -> &str {
        self.text.split_once('=').map_or("", |(_, value)| value)
    }
}

/// Arguments as the builder's parser hands them on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The values; for ENV and LABEL names and values by turns.
    pub values: Vec<String>,
    /// Where each value stands in `logical` (for JSON: its token with quotes). Empty where a value is the whole text.
    pub ranges: Vec<Range<usize>>,
    /// Whether it is a JSON array (exec form).
    pub json: bool,
}

/// A here-document of RUN, COPY or ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The terminator's name, quotes removed.
    pub name: String,
    /// The number in front of `<<`, 0 without one.
    pub fd: u32,
    /// `<<-`: leading tabs are dropped.
    pub chomp: bool,
    /// No part of the name is quoted, so that the builder expands variables where it does so.
    pub expand: bool,
    /// Its lines in the file, terminator excluded.
    pub content: Range<usize>,
}

/// Something that the builder refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// 1-based.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}
