//! The text of a RUN as commands and words.
//!
//! Owns: the shell grammar (behind `brush-parser`, which nothing else may name), the tree below, and the
//! expansion of words against known variables. All spans are byte ranges of the text handed to [`parse`];
//! mapping them to the file is the caller's business (see `syntax::LogicalText`).
//! Never does: read a Dockerfile, run anything, or guess. What it cannot locate or expand is [`Knowledge::Unknown`].

mod convert;
mod enclosure;
mod errexit;
mod expand;
mod keywords;
mod lex;
mod parse;
mod pieces;
mod plain;
mod redirect;
mod removal;
mod scan;
mod sequence;
mod simple;
mod walk;

pub use enclosure::{Enclosure, EnclosureKind};
pub use expand::{Lookup, is_plain_name};
pub use parse::parse;
pub use removal::Removal;
pub use sequence::Cut;
pub use walk::Place;

use std::ops::Range;

use crate::knowledge::Knowledge;

/// Why a text could not be read as shell. The words are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellError {
    /// What is wrong, e.g. "unterminated quote".
    pub message: String,
}

impl std::fmt::Display for ShellError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ShellError {}

/// A list of and-or lists, separated by `;`, `&` or line ends.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct List {
    /// In the order of the text.
    pub items: Vec<ListItem>,
}

/// One and-or list with what ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// Pipelines joined by `&&` and `||`. Never empty.
    pub and_or: Vec<AndOrItem>,
    /// Whether a single `&` follows: the list runs in the background.
    pub background: bool,
    /// From the first byte of the first pipeline to the last byte of the last one, separator excluded. Where all its
    /// here-documents stand right behind it, they are part of it.
    pub span: Range<usize>,
}

/// A pipeline with the operator in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndOrItem {
    /// `None` for the first of its list.
    pub connector: Option<Connector>,
    /// `! cmd`
    pub negated: bool,
    /// Commands joined by `|`. Never empty.
    pub commands: Vec<Command>,
    /// The pipeline's bytes (a leading `!` included, the connector excluded). Where here-documents of it alone follow its
    /// line, they are part of it, up to the last ending tag.
    pub span: Range<usize>,
}

/// What joins two pipelines of an and-or list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// One element of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Assignments, words, redirections.
    Simple(SimpleCommand),
    /// `( … )`, `{ …; }`, `if`, `for`, `while`, `until`, `case`, `(( ))`, `[[ ]]`.
    Compound(CompoundCommand),
    /// `name() { … }`: the body runs where `name` is called.
    Function {
        /// The function's name.
        name: String,
        /// Its body as one list.
        body: List,
        /// The whole definition.
        span: Range<usize>,
    },
}

impl Command {
    /// The command's bytes.
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::Simple(command) => command.span.clone(),
            Self::Compound(command) => command.span.clone(),
            Self::Function { span, .. } => span.clone(),
        }
    }
}

/// Which kind of compound command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompoundKind {
    /// `( … )`: a process of its own, so that its variables and folder end with it.
    Subshell,
    /// `{ …; }`
    Group,
    /// `if`: condition, then- and else-parts, in the order of the text.
    If,
    /// `for` and the arithmetic `for ((…))`.
    For,
    /// `while` and `until`: condition, then body.
    While,
    /// `case`: one list an arm.
    Case,
    /// `(( … ))` or `[[ … ]]`: no lists.
    Test,
}

/// A compound command with the lists inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompoundCommand {
    /// Which one.
    pub kind: CompoundKind,
    /// The lists inside, in the order of the text.
    pub bodies: Vec<List>,
    /// `for NAME`: the loop's variable, which is then unknown inside.
    pub variable: Option<String>,
    /// Words outside the lists: what a `for` runs over, what a `case` looks at.
    pub words: Vec<Word>,
    /// Redirections of the whole.
    pub redirections: Vec<Redirection>,
    /// The whole command, redirections included.
    pub span: Range<usize>,
}

/// Assignments, words and redirections, each in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SimpleCommand {
    /// `A=1 B=2` in front of (or instead of) a command.
    pub assignments: Vec<Assignment>,
    /// The command's name and its arguments.
    pub words: Vec<Word>,
    /// `> file`, `2>&1`, `<<< text` …
    pub redirections: Vec<Redirection>,
    /// First to last byte, redirections included, but without the texts of here-documents.
    pub span: Range<usize>,
}

/// `NAME=value` or `NAME+=value` in front of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The variable's name.
    pub name: String,
    /// `None` for arrays and `+=`: what the variable then holds is unknown.
    pub value: Option<Word>,
    /// The whole assignment; `Unknown` where it could not be located.
    pub span: Knowledge<Range<usize>>,
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// What it does with its target.
    pub kind: RedirectionKind,
    /// The file's name where there is one (not for `2>&1`).
    pub target: Option<Word>,
    /// The text of a here-document, quotes and tabs as written.
    pub here_document: Option<String>,
}

/// The direction of a redirection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectionKind {
    /// `<`
    Read,
    /// `>`, `>|`, `&>`: replaces the file.
    Write,
    /// `>>`, `&>>`
    Append,
    /// `<>`
    ReadWrite,
    /// `2>&1` and its like.
    Duplicate,
    /// `<<WORD` or `<<< text`
    Here,
}

/// A word as written, with the pieces that it expands from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word exactly as in the text: quotes and dollars included.
    pub raw: String,
    /// Where `raw` stands. `Unknown` where the text there is not `raw`: then it must not be edited.
    pub span: Knowledge<Range<usize>>,
    /// What it is made of.
    pub pieces: Vec<Piece>,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Literal text after quote removal; `quoted` says that no globbing happens in it.
    Text {
        /// The text itself.
        text: String,
        /// From inside quotes or behind a backslash.
        quoted: bool,
    },
    /// `$NAME`, `${NAME}`, `${NAME:-text}` and the like.
    Variable {
        /// The variable's name (or special parameter, as `@`).
        name: String,
        /// `${NAME:-word}` / `${NAME-word}`: what stands for an unset (or empty) variable.
        default: Option<Vec<Piece>>,
        /// The expansion does more than read the variable (`${A%b}`, `${#A}`, `${A:=b}` …): the result is unknown.
        /// Together with a default it is `${NAME-word}`, which takes an empty variable as it is; [`Word::expand`] knows that.
        transformed: bool,
        /// Inside double quotes: no word splitting.
        quoted: bool,
    },
    /// A leading `~`: the home folder. `~user` is an [`Piece::Opaque`].
    Home,
    /// Command substitution, arithmetic, process substitution and the rest: its value is not known.
    Opaque {
        /// The commands inside `$( … )` or backquotes, where they could be read.
        commands: Option<String>,
    },
}

impl Command {
    /// The simple command, where it is one.
    pub fn as_simple(&self) -> Option<&SimpleCommand> {
        match self {
            Self::Simple(command) => Some(command),
            _ => None,
        }
    }
}
