//! From bytes to items.
//!
//! Owns: the walk over the lines, in the order of BuildKit's `parser.Parse`: directives, continuations, instructions, heredocs.

use super::arguments;
use super::directive::{self, DirectiveName};
use super::dockerfile::{Arguments, Dockerfile, Flag, Heredoc, Instruction, Item, ItemKind, Keyword, SyntaxError};
use super::heredoc;
use super::lines::{self, LONGEST_LINE};
use super::logical::LogicalText;
use super::words;
use std::ops::Range;

/// Reads a file. Never fails: see [`Dockerfile::errors`].
pub fn parse(text: &str) -> Dockerfile {
    let mut parser = Parser { text, lines: lines::split(text), at: 0, escape: '\\', items: Vec::new(), errors: Vec::new() };
    parser.file();
    let Parser { items, errors, escape, .. } = parser;
    Dockerfile { text: text.to_owned(), items, errors, escape }
}

struct Parser<'a> {
    text: &'a str,
    lines: Vec<Range<usize>>,
    /// Index of the next line.
    at: usize,
    escape: char,
    items: Vec<Item>,
    errors: Vec<SyntaxError>,
}

impl<'a> Parser<'a> {
    fn file(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.items.push(Item { span: 0..'\u{feff}'.len_utf8(), kind: ItemKind::ByteOrderMark });
            if let Some(first) = self.lines.first_mut() {
                first.start = '\u{feff}'.len_utf8();
            }
            // A file of nothing but the mark has no line left.
            self.lines.retain(|line| !line.is_empty());
        }
        if let Some(long) = self.lines.iter().position(|line| line.len() > LONGEST_LINE) {
            self.error(long + 1, format!("the line is longer than the {LONGEST_LINE} bytes that the builder reads"));
        }
        self.directives();
        while self.at < self.lines.len() {
            self.item();
        }
        let instructions = self.items.iter().any(|item| matches!(item.kind, ItemKind::Instruction(_)));
        if !instructions && self.errors.is_empty() {
            self.error(self.lines.len().max(1), "the file has no instruction: a Dockerfile starts with FROM".to_owned());
        }
    }

    fn error(&mut self, line: usize, message: String) {
        self.errors.push(SyntaxError { line, message });
    }

    fn line(&self, index: usize) -> Option<(Range<usize>, &'a str)> {
        let range = self.lines.get(index)?.clone();
        Some((range.clone(), self.text.get(range).unwrap_or_default()))
    }

    fn directives(&mut self) {
        let mut seen: Vec<DirectiveName> = Vec::new();
        // A `#!` line is passed over where the frontend is looked for, and ends the place for everything else.
        let script_line = self.line(self.at).filter(|(_, line)| line.starts_with("#!"));
        if let Some((range, _)) = &script_line {
            self.items.push(Item { span: range.clone(), kind: ItemKind::Comment });
            self.at += 1;
        }
        while let Some((range, line)) = self.line(self.at) {
            match directive::read(lines::content(line)) {
                directive::Line::Directive(name, _) if script_line.is_some() && name != DirectiveName::Syntax => return,
                directive::Line::Directive(name, value) => {
                    if seen.contains(&name) {
                        let message = format!("a second \"# {}=\" directive: only one may stand in a file", name.as_str());
                        self.error(self.at + 1, message);
                    }
                    seen.push(name);
                    let value = range.start + value.start..range.start + value.end;
                    if name == DirectiveName::Escape {
                        self.set_escape(value.clone());
                    }
                    self.items.push(Item { span: range, kind: ItemKind::Directive { name, value } });
                }
                directive::Line::Unknown => self.items.push(Item { span: range, kind: ItemKind::Comment }),
                directive::Line::Other => return,
            }
            self.at += 1;
        }
    }

    fn set_escape(&mut self, value: Range<usize>) {
        match self.text.get(value).unwrap_or_default() {
            "\\" => self.escape = '\\',
            "`" => self.escape = '`',
            other => {
                let message = format!("\"# escape={other}\": the escape character is either \\ or `");
                self.error(self.at + 1, message);
            }
        }
    }

    /// The next item. Takes at least one line.
    fn item(&mut self) {
        let first = self.at;
        let Some((range, line)) = self.line(first) else { return };
        self.at += 1;
        let content = lines::content(line);
        if lines::is_comment(content) {
            self.items.push(Item { span: range, kind: ItemKind::Comment });
            return;
        }
        let body = content.trim_start();
        if body.is_empty() {
            self.items.push(Item { span: range, kind: ItemKind::Blank });
            return;
        }
        let mut logical = LogicalText::default();
        let mut inner_comments = Vec::new();
        let mut start = range.start + (content.len() - body.len());
        let mut part = body;
        loop {
            let Some(before) = lines::before_continuation(part, self.escape) else {
                logical.push(part, start);
                break;
            };
            logical.push(before, start);
            let Some((next, content)) = self.continuation(&mut inner_comments) else { break };
            (start, part) = (next, content);
        }
        self.instruction(first, range.start, logical, inner_comments);
    }

    /// The next line that continues an instruction, comments and blank lines passed over.
    fn continuation(&mut self, inner_comments: &mut Vec<Range<usize>>) -> Option<(usize, &'a str)> {
        while let Some((range, line)) = self.line(self.at) {
            self.at += 1;
            let content = lines::content(line);
            if lines::is_comment(content) {
                inner_comments.push(range);
            } else if !content.trim_start().is_empty() {
                return Some((range.start, content));
            }
        }
        None
    }

    fn instruction(&mut self, first: usize, start: usize, logical: LogicalText, inner_comments: Vec<Range<usize>>) {
        if logical.as_str().trim().is_empty() {
            // A lone continuation: the builder passes over it, comments and all.
            let end = self.end_of_line(self.at);
            self.items.push(Item { span: start..end, kind: ItemKind::Unknown });
            return;
        }
        let whole = 0..logical.as_str().len();
        let mut instruction = match read_instruction(&logical, whole, self.escape) {
            Ok(instruction) => instruction,
            Err((message, instruction)) => {
                self.error(first + 1, message);
                *instruction
            }
        };
        instruction.inner_comments = inner_comments;
        if may_announce(&instruction) {
            for announced in heredoc::announced(logical.as_str()) {
                let content = self.heredoc(&announced, first);
                let heredoc::Announced { name, fd, chomp, expand } = announced;
                instruction.heredocs.push(Heredoc { name, fd, chomp, expand, content });
            }
        }
        instruction.span = start..self.end_of_line(self.at);
        instruction.lines = (first + 1, self.at);
        let heredocs = instruction.heredocs.clone();
        if let Some(trigger) = &mut instruction.trigger {
            trigger.heredocs = heredocs;
            trigger.span = instruction.span.clone();
            trigger.lines = instruction.lines;
        }
        self.items.push(Item { span: instruction.span.clone(), kind: ItemKind::Instruction(Box::new(instruction)) });
    }

    /// The file's offset behind the line before `index`.
    fn end_of_line(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|last| self.lines.get(last)).map_or(0, |line| line.end)
    }

    fn heredoc(&mut self, announced: &heredoc::Announced, first: usize) -> Range<usize> {
        let start = self.end_of_line(self.at);
        while let Some((range, line)) = self.line(self.at) {
            self.at += 1;
            let content = lines::content(line);
            let name = if announced.chomp { content.trim_start_matches('\t') } else { content };
            if name == announced.name {
                return start..range.start;
            }
        }
        self.error(
            first + 1,
            format!("the heredoc <<{} does not end: a line with nothing but {} ends it", announced.name, announced.name),
        );
        start..self.text.len()
    }
}

fn may_announce(instruction: &Instruction) -> bool {
    let inner = instruction.trigger.as_deref().unwrap_or(instruction);
    matches!(inner.keyword, Keyword::Add | Keyword::Copy | Keyword::Run) && !inner.arguments.json
}

/// One instruction from the `range` of a logical line. An error comes with what could be read.
fn read_instruction(logical: &LogicalText, range: Range<usize>, escape: char) -> Result<Instruction, (String, Box<Instruction>)> {
    let text = logical.as_str().get(range.clone()).unwrap_or_default();
    let line = text.trim();
    let start = range.start + (text.len() - text.trim_start().len());
    let end = line.find(words::is_blank).unwrap_or(line.len());
    let word = line.get(..end).unwrap_or_default().to_owned();
    let behind = line.get(end..).unwrap_or_default();
    let rest = behind.trim_start_matches(words::is_blank);
    let rest_start = start + end + (behind.len() - rest.len());
    let (flags, flags_end) = words::take_flags(rest);
    let arguments = rest.get(flags_end..).unwrap_or_default();
    let arguments_start = rest_start + flags_end + (arguments.len() - arguments.trim_start().len());
    let arguments_range = arguments_start..arguments_start + arguments.trim().len();
    let keyword = Keyword::of(&word);
    let mut instruction = Instruction {
        word,
        keyword_span: logical.range(start..start + end),
        logical: logical.clone(),
        flags: flags
            .into_iter()
            .map(|(text, flag)| Flag { text, span: logical.range(rest_start + flag.start..rest_start + flag.end) })
            .collect(),
        arguments_range: arguments_range.clone(),
        arguments: Arguments::default(),
        trigger: None,
        heredocs: Vec::new(),
        inner_comments: Vec::new(),
        span: 0..0,
        lines: (0, 0),
        keyword,
    };
    if instruction.keyword == Keyword::Onbuild && !arguments_range.is_empty() {
        // ONBUILD in ONBUILD is refused by a later step of the builder; its parser nests without end, so it is cut here.
        let nested = nesting(instruction.arguments_text()) > 8;
        return match read_instruction(logical, if nested { 0..0 } else { arguments_range }, escape) {
            Ok(trigger) => Ok(Instruction { trigger: Some(Box::new(trigger)), ..instruction }),
            Err((message, trigger)) => Err((message, Box::new(Instruction { trigger: Some(trigger), ..instruction }))),
        };
    }
    match arguments::read(&instruction.keyword, logical.as_str(), arguments_range, escape) {
        Ok(arguments) => {
            instruction.arguments = arguments;
            Ok(instruction)
        }
        Err(message) => Err((message, Box::new(instruction))),
    }
}

/// How many times a text begins with ONBUILD, one behind the other.
fn nesting(text: &str) -> usize {
    text.split_whitespace().take_while(|word| word.eq_ignore_ascii_case("onbuild")).count()
}
