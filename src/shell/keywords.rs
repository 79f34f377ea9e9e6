//! Where keywords stand and how deep they nest.
//!
//! Owns: the little that must be known of the grammar before the grammar runs: which words can start or end a construct,
//! judged by the token in front of them. Never does: accept or reject a text, but for its depth. Its bookkeeping may count
//! too many open constructs (an argument `if`), never too few: the grammar's recursion depends on it.

use super::ShellError;
use super::scan::{MAX_DEPTH, error};

/// How many `case`s may be open at once: where the end of one was not seen, the grammar reads its last arm twice.
const MAX_OPEN_CASES: usize = 4;

/// A word that the grammar may treat as a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    If,
    Then,
    Else,
    Elif,
    Fi,
    For,
    While,
    Until,
    Do,
    Done,
    Case,
    In,
    Esac,
    OpenBrace,
    CloseBrace,
    OpenTest,
    CloseTest,
    Not,
    Function,
    Coproc,
    Time,
    /// The option of `time`.
    Portable,
}

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    Parenthesis,
    If,
    Loop,
    Case,
    Brace,
    Test,
    Coproc,
}

/// The last token, as far as it says what may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Start,
    /// `;`, `&` or a line end.
    Separator,
    /// `&&`, `||`, `|`, `|&`
    Joiner,
    Open,
    Close,
    /// `;;` and its like.
    ArmEnd,
    Redirect,
    /// `<<`
    Here {
        strip_tabs: bool,
    },
    Keyword(Keyword),
    Word,
}

impl Keyword {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "if" => Self::If,
            "then" => Self::Then,
            "else" => Self::Else,
            "elif" => Self::Elif,
            "fi" => Self::Fi,
            "for" => Self::For,
            "while" => Self::While,
            "until" => Self::Until,
            "do" => Self::Do,
            "done" => Self::Done,
            "case" => Self::Case,
            "in" => Self::In,
            "esac" => Self::Esac,
            "{" => Self::OpenBrace,
            "}" => Self::CloseBrace,
            "[[" => Self::OpenTest,
            "]]" => Self::CloseTest,
            "!" => Self::Not,
            "function" => Self::Function,
            "coproc" => Self::Coproc,
            "time" => Self::Time,
            "-p" => Self::Portable,
            _ => return None,
        })
    }

    pub(super) fn opens(self) -> Option<Opener> {
        match self {
            Self::If => Some(Opener::If),
            Self::For | Self::While | Self::Until => Some(Opener::Loop),
            Self::Case => Some(Opener::Case),
            Self::OpenBrace => Some(Opener::Brace),
            Self::OpenTest => Some(Opener::Test),
            Self::Coproc => Some(Opener::Coproc),
            _ => None,
        }
    }

    fn closes(self) -> Option<Opener> {
        match self {
            Self::Fi => Some(Opener::If),
            Self::Done => Some(Opener::Loop),
            Self::Esac => Some(Opener::Case),
            Self::CloseBrace => Some(Opener::Brace),
            Self::CloseTest => Some(Opener::Test),
            _ => None,
        }
    }

    pub(super) fn is_closer(self) -> bool {
        self.closes().is_some()
    }
}

impl Seen {
    pub(super) fn of_operator(operator: &str) -> Self {
        match operator {
            ";" | "&" => Self::Separator,
            "&&" | "||" | "|" | "|&" => Self::Joiner,
            ";;" | ";&" | ";;&" => Self::ArmEnd,
            "<<" => Self::Here { strip_tabs: false },
            "<<-" => Self::Here { strip_tabs: true },
            _ => Self::Redirect,
        }
    }

    /// Whether a command may start behind this token, which `before` stands in front of. In doubt, it may.
    pub(super) fn before_command(self, before: Self) -> bool {
        match self {
            Self::Start | Self::Separator | Self::Joiner | Self::Open | Self::Close | Self::ArmEnd => true,
            Self::Keyword(keyword) => {
                !matches!(keyword, Keyword::In | Keyword::For | Keyword::Case | Keyword::Function | Keyword::OpenTest)
            }
            Self::Word => matches!(before, Self::Keyword(Keyword::Function | Keyword::Coproc)),
            Self::Redirect | Self::Here { .. } => false,
        }
    }

    /// Whether `closer` can be meant as a keyword behind this token. In doubt, it is not.
    pub(super) fn before_closer(self, closer: Keyword) -> bool {
        match self {
            _ if closer == Keyword::CloseTest => true,
            Self::Separator | Self::Close => true,
            Self::ArmEnd | Self::Keyword(Keyword::In) => closer == Keyword::Esac,
            Self::Keyword(keyword) => keyword.is_closer(),
            _ => false,
        }
    }

    /// Whether a line end behind this token separates nothing.
    pub(super) fn absorbs_line_end(self) -> bool {
        matches!(self, Self::Joiner | Self::ArmEnd | Self::Keyword(Keyword::In | Keyword::OpenTest))
    }
}

/// The constructs that are open.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    open: Vec<Opener>,
    negations: usize,
}

impl Nesting {
    pub(super) fn open(&mut self, opener: Opener) -> Result<(), ShellError> {
        self.open.push(opener);
        let cases = self.open.iter().filter(|open| **open == Opener::Case).count();
        if self.open.len() > MAX_DEPTH || cases > MAX_OPEN_CASES {
            return Err(error("nested too deeply"));
        }
        Ok(())
    }

    /// One more `!` behind a `!`: the grammar of tests recurses over them.
    pub(super) fn repeat_negation(&mut self) -> Result<(), ShellError> {
        self.negations = self.negations.saturating_add(1);
        if self.negations > MAX_DEPTH { Err(error("nested too deeply")) } else { Ok(()) }
    }

    /// Closes the innermost construct if `keyword` is its end.
    pub(super) fn close(&mut self, keyword: Keyword) -> bool {
        let matches = keyword.closes().is_some() && self.open.last().copied() == keyword.closes();
        if matches {
            self.open.pop();
        }
        matches
    }

    /// A `)`: closes a parenthesis or ends the pattern of a `case`. False where neither is open: it ends what is around.
    pub(super) fn close_parenthesis(&mut self) -> bool {
        let innermost = self.open.iter().rposition(|open| matches!(open, Opener::Parenthesis | Opener::Case));
        match innermost {
            None => false,
            Some(index) => {
                if self.open.get(index) == Some(&Opener::Parenthesis) {
                    self.open.truncate(index);
                }
                true
            }
        }
    }

    pub(super) fn in_test(&self) -> bool {
        self.open.contains(&Opener::Test)
    }
}
