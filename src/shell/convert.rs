//! The grammar's tree as ours.
//!
//! Owns: the spans of lists, pipelines and commands. They come from tokens alone: the grammar's own positions are those
//! token numbers that [`super::lex`] put there, and what it has no position for (`!`, `fi`, the operator of a redirection)
//! is found by going on from a token that it has one for. Never does: settle for less; a span that cannot be had is an error.

use std::ops::Range;

use brush_parser::{SourceSpan, ast};

use super::lex::{Lexed, TokenKind};
use super::redirect::redirection;
use super::scan::error;
use super::simple::simple_command;
use super::{AndOrItem, Command, CompoundCommand, CompoundKind, Connector, List, ListItem, Redirection, ShellError, Word};

/// Token numbers, first to last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Extent {
    /// The tokens of a position of the grammar.
    pub(super) fn of(location: &SourceSpan) -> Self {
        Self { first: location.start.line, last: location.end.line }
    }

    /// The position of something that the grammar always knows one of.
    pub(super) fn known(location: Option<&SourceSpan>) -> Result<Self, ShellError> {
        location.map(Self::of).ok_or_else(unlocated)
    }

    /// Both, and what is between them.
    pub(super) fn and(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// The error for what has no position.
pub(super) fn unlocated() -> ShellError {
    error("a command's place in the text could not be told")
}

impl Lexed<'_> {
    /// The bytes of tokens.
    pub(super) fn bytes(&self, extent: Extent) -> Result<Range<usize>, ShellError> {
        match (self.tokens.get(extent.first), self.tokens.get(extent.last)) {
            (Some(first), Some(last)) if first.range.start <= last.range.end => Ok(first.range.start..last.range.end),
            _ => Err(unlocated()),
        }
    }

    /// The number of the token behind `number`, here-documents left out.
    fn next_in_line(&self, number: usize) -> usize {
        let mut next = number.saturating_add(1);
        while let Some(TokenKind::HereBody | TokenKind::HereEnd) = self.tokens.get(next).map(|token| token.kind) {
            next = next.saturating_add(1);
        }
        next
    }

    /// Where the here-documents of `extent` end, if the line ends right behind it and has no others.
    fn end_of_here_documents(&self, extent: Extent, with_earlier_lines: bool) -> Option<usize> {
        let next = self.next_in_line(extent.last);
        let index = self.flushes.binary_search_by_key(&next, |flush| flush.line_end).ok()?;
        let flush = self.flushes.get(index)?;
        let earlier = index.checked_sub(1).and_then(|before| self.flushes.get(before));
        let has_earlier = earlier.is_some_and(|earlier| earlier.tags.iter().any(|tag| *tag >= extent.first));
        let all_inside = flush.tags.iter().all(|tag| (extent.first..=extent.last).contains(tag));
        (all_inside && (with_earlier_lines || !has_earlier)).then_some(flush.end)
    }
}

/// Converts the tree of a whole text.
pub(super) fn program(lexed: &Lexed<'_>, program: &ast::Program) -> Result<List, ShellError> {
    let mut items = Vec::new();
    for command in &program.complete_commands {
        for item in &command.0 {
            items.push(list_item(lexed, item)?.0);
        }
    }
    Ok(List { items })
}

/// A list and its tokens.
fn list(lexed: &Lexed<'_>, source: &ast::CompoundList) -> Result<(List, Extent), ShellError> {
    let mut items = Vec::with_capacity(source.0.len());
    let mut whole: Option<Extent> = None;
    for item in &source.0 {
        let (item, extent) = list_item(lexed, item)?;
        items.push(item);
        whole = Some(whole.map_or(extent, |whole| whole.and(extent)));
    }
    Ok((List { items }, whole.ok_or_else(unlocated)?))
}

fn list_item(lexed: &Lexed<'_>, source: &ast::CompoundListItem) -> Result<(ListItem, Extent), ShellError> {
    let ast::CompoundListItem(and_or_list, separator) = source;
    let (first, mut whole) = pipeline(lexed, None, &and_or_list.first)?;
    let mut and_or = Vec::with_capacity(and_or_list.additional.len().saturating_add(1));
    let start = first.span.start;
    let mut end = first.span.end;
    and_or.push(first);
    for additional in &and_or_list.additional {
        let (connector, source) = match additional {
            ast::AndOr::And(pipeline) => (Connector::And, pipeline),
            ast::AndOr::Or(pipeline) => (Connector::Or, pipeline),
        };
        let (item, extent) = pipeline(lexed, Some(connector), source)?;
        whole = whole.and(extent);
        end = item.span.end;
        and_or.push(item);
    }
    // See `walk::has_stray_here_document`, which goes by this: the item reaches beyond its last pipeline only if all its
    // here-documents stand together behind it.
    end = end.max(lexed.end_of_here_documents(whole, false).unwrap_or(end));
    let background = matches!(separator, ast::SeparatorOperator::Async);
    Ok((ListItem { and_or, background, span: start..end }, whole))
}

fn pipeline(lexed: &Lexed<'_>, connector: Option<Connector>, source: &ast::Pipeline) -> Result<(AndOrItem, Extent), ShellError> {
    let mut commands = Vec::with_capacity(source.seq.len());
    let mut whole: Option<Extent> = None;
    for element in &source.seq {
        let (element, extent) = command(lexed, element)?;
        commands.push(element);
        whole = Some(whole.map_or(extent, |whole| whole.and(extent)));
    }
    let mut whole = whole.ok_or_else(|| error("a `!` or `time` without a command"))?;
    while let Some(before) = whole.first.checked_sub(1)
        && lexed.is_word(before, "!")
    {
        whole.first = before;
    }
    if let Some(ast::PipelineTimed::Timed(location) | ast::PipelineTimed::TimedWithPosixOutput(location)) = &source.timed {
        whole = whole.and(Extent::of(location));
    }
    let mut span = lexed.bytes(whole)?;
    span.end = lexed.end_of_here_documents(whole, true).unwrap_or(span.end);
    Ok((AndOrItem { connector, negated: source.bang, commands, span }, whole))
}

fn command(lexed: &Lexed<'_>, source: &ast::Command) -> Result<(Command, Extent), ShellError> {
    match source {
        ast::Command::Simple(simple) => {
            let (command, extent) = simple_command(lexed, simple)?;
            Ok((Command::Simple(command), extent))
        }
        ast::Command::Compound(compound, redirects) => {
            let (command, extent) = compound_command(lexed, compound, redirects.as_ref())?;
            Ok((Command::Compound(command), extent))
        }
        ast::Command::ExtendedTest(test, redirects) => {
            let mut operands = Vec::new();
            test_operands(lexed, &test.expr, &mut operands)?;
            let parts = Parts { words: operands, ..Parts::new(CompoundKind::Test, &test.loc) };
            let (command, extent) = parts.finish(lexed, redirects.as_ref())?;
            Ok((Command::Compound(command), extent))
        }
        ast::Command::Function(definition) => function(lexed, definition),
    }
}

fn function(lexed: &Lexed<'_>, definition: &ast::FunctionDefinition) -> Result<(Command, Extent), ShellError> {
    let mut name = Extent::known(definition.fname.loc.as_ref())?;
    let text = lexed.raw(name.first).to_owned();
    if let Some(before) = name.first.checked_sub(1)
        && lexed.is_word(before, "function")
    {
        name.first = before;
    }
    let ast::FunctionBody(body, redirects) = &definition.body;
    let (mut command, extent) = compound_command(lexed, body, redirects.as_ref())?;
    let whole = name.and(extent);
    let body = if command.kind == CompoundKind::Group && command.redirections.is_empty() && command.bodies.len() == 1 {
        command.bodies.pop().unwrap_or_default()
    } else {
        let span = command.span.clone();
        let commands = vec![Command::Compound(command)];
        let and_or = vec![AndOrItem { connector: None, negated: false, commands, span: span.clone() }];
        List { items: vec![ListItem { and_or, background: false, span }] }
    };
    Ok((Command::Function { name: text, body, span: lexed.bytes(whole)? }, whole))
}

/// A compound command in the making.
struct Parts {
    kind: CompoundKind,
    bodies: Vec<List>,
    variable: Option<String>,
    words: Vec<Word>,
    extent: Extent,
}

impl Parts {
    fn new(kind: CompoundKind, location: &SourceSpan) -> Self {
        Self { kind, bodies: Vec::new(), variable: None, words: Vec::new(), extent: Extent::of(location) }
    }

    fn with_body(mut self, lexed: &Lexed<'_>, source: &ast::CompoundList) -> Result<Self, ShellError> {
        self.bodies.push(list(lexed, source)?.0);
        Ok(self)
    }

    fn finish(self, lexed: &Lexed<'_>, redirects: Option<&ast::RedirectList>) -> Result<(CompoundCommand, Extent), ShellError> {
        let Self { kind, bodies, variable, words, extent: mut whole } = self;
        let mut redirections: Vec<Redirection> = Vec::new();
        for redirect in redirects.map(|list| list.0.as_slice()).unwrap_or_default() {
            let (redirection, extent) = redirection(lexed, redirect)?;
            redirections.push(redirection);
            whole = extent.map_or(whole, |extent| whole.and(extent));
        }
        let span = lexed.bytes(whole)?;
        Ok((CompoundCommand { kind, bodies, variable, words, redirections, span }, whole))
    }
}

fn compound_command(
    lexed: &Lexed<'_>,
    source: &ast::CompoundCommand,
    redirects: Option<&ast::RedirectList>,
) -> Result<(CompoundCommand, Extent), ShellError> {
    use ast::CompoundCommand as Source;
    let parts = match source {
        Source::Arithmetic(test) => Parts::new(CompoundKind::Test, &test.loc),
        Source::BraceGroup(group) => Parts::new(CompoundKind::Group, &group.loc).with_body(lexed, &group.list)?,
        Source::Subshell(subshell) => Parts::new(CompoundKind::Subshell, &subshell.loc).with_body(lexed, &subshell.list)?,
        Source::ArithmeticForClause(clause) => Parts::new(CompoundKind::For, &clause.loc).with_body(lexed, &clause.body.list)?,
        Source::ForClause(clause) => {
            let mut parts = Parts::new(CompoundKind::For, &clause.loc).with_body(lexed, &clause.body.list)?;
            parts.variable = Some(lexed.raw(parts.extent.first.saturating_add(1)).to_owned());
            for word in clause.values.as_deref().unwrap_or_default() {
                parts.words.push(lexed.word(Extent::known(word.loc.as_ref())?)?);
            }
            parts
        }
        Source::WhileClause(ast::WhileOrUntilClauseCommand(condition, body, location))
        | Source::UntilClause(ast::WhileOrUntilClauseCommand(condition, body, location)) => {
            Parts::new(CompoundKind::While, location).with_body(lexed, condition)?.with_body(lexed, &body.list)?
        }
        Source::CaseClause(clause) => {
            let mut parts = Parts::new(CompoundKind::Case, &clause.loc);
            parts.words.push(lexed.word(Extent::known(clause.value.loc.as_ref())?)?);
            for arm in &clause.cases {
                match &arm.cmd {
                    Some(body) => parts = parts.with_body(lexed, body)?,
                    None => parts.bodies.push(List::default()),
                }
            }
            parts
        }
        Source::IfClause(clause) => if_command(lexed, clause)?,
        Source::Coprocess(_) => return Err(error("`coproc` is not supported")),
    };
    parts.finish(lexed, redirects)
}

fn if_command(lexed: &Lexed<'_>, clause: &ast::IfClauseCommand) -> Result<Parts, ShellError> {
    let mut parts = Parts::new(CompoundKind::If, &clause.loc).with_body(lexed, &clause.condition)?;
    let (then, mut last) = list(lexed, &clause.then)?;
    parts.bodies.push(then);
    for part in clause.elses.as_deref().unwrap_or_default() {
        if let Some(condition) = &part.condition {
            parts = parts.with_body(lexed, condition)?;
        }
        let (body, extent) = list(lexed, &part.body)?;
        parts.bodies.push(body);
        last = extent;
    }
    // The grammar's position of an `if` ends with the word `if`.
    let mut end = lexed.next_in_line(last.last);
    while lexed.is_separator(end) {
        end = lexed.next_in_line(end);
    }
    if !lexed.is_word(end, "fi") {
        return Err(unlocated());
    }
    parts.extent.last = end;
    Ok(parts)
}

fn test_operands(lexed: &Lexed<'_>, test: &ast::ExtendedTestExpr, operands: &mut Vec<Word>) -> Result<(), ShellError> {
    use ast::ExtendedTestExpr as Test;
    let mut operand = |word: &ast::Word| -> Result<(), ShellError> {
        // The grammar has no position for a regular expression.
        if let Some(location) = &word.loc {
            operands.push(lexed.word(Extent::of(location))?);
        }
        Ok(())
    };
    match test {
        Test::And(left, right) | Test::Or(left, right) => {
            test_operands(lexed, left, operands)?;
            test_operands(lexed, right, operands)
        }
        Test::Not(inner) | Test::Parenthesized(inner) => test_operands(lexed, inner, operands),
        Test::UnaryTest(_, word) => operand(word),
        Test::BinaryTest(_, left, right) => {
            operand(left)?;
            operand(right)
        }
    }
}
