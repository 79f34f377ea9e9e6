//! The part of HCL that bake files need.
//!
//! Owns: reading blocks and their attributes, each with the text of its value; strings and lists of strings out of such a text. Never
//! does: evaluate: a call, a condition or a template beyond `${NAME}` is not read.

/// `TYPE "LABEL" { NAME = VALUE … }`
#[derive(Clone, Debug, Default)]
pub(super) struct Block<'t> {
    pub(super) kind: &'t str,
    pub(super) label: &'t str,
    /// Names and the texts of their values.
    pub(super) attributes: Vec<(&'t str, &'t str)>,
    /// Counted from 1.
    pub(super) line: usize,
}

impl<'t> Block<'t> {
    pub(super) fn attribute(&self, name: &str) -> Option<&'t str> {
        self.attributes.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }
}

/// The blocks of a text; `None` where it is not understood.
pub(super) fn read(text: &str) -> Option<Vec<Block<'_>>> {
    let mut reader = Reader { text, at: 0 };
    let mut blocks = Vec::new();
    while reader.skip_to_word() {
        let line = text.get(..reader.at)?.matches('\n').count() + 1;
        let kind = reader.word()?;
        reader.skip_spaces();
        if reader.take("=") {
            reader.value()?;
            continue;
        }
        let mut block = Block { kind, line, ..Block::default() };
        while !reader.take("{") {
            block.label = string(reader.quoted()?)?;
            reader.skip_spaces();
        }
        reader.body(&mut block)?;
        blocks.push(block);
    }
    (reader.at == text.len()).then_some(blocks)
}

/// The inside of a `"…"` without escapes.
pub(super) fn string(value: &str) -> Option<&str> {
    let inner = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\', '\n'])).then_some(inner)
}

/// The inside of a list of such strings.
pub(super) fn strings(value: &str) -> Option<Vec<&str>> {
    let inner = value.trim().strip_prefix('[')?.strip_suffix(']')?;
    inner.split(',').map(str::trim).filter(|item| !item.is_empty()).map(string).collect()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, mark: &str) -> bool {
        let is_there = self.rest().starts_with(mark);
        self.at += if is_there { mark.len() } else { 0 };
        is_there
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    /// Over blanks, line ends and comments; whether something is left.
    fn skip_to_word(&mut self) -> bool {
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            if !self.skip_comment() {
                return !self.rest().is_empty();
            }
        }
    }

    fn skip_comment(&mut self) -> bool {
        let rest = self.rest();
        let length = if rest.starts_with('#') || rest.starts_with("//") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else {
            return false;
        };
        self.at += length.unwrap_or(rest.len());
        true
    }

    fn word(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).filter(|word| !word.is_empty())
    }

    /// A `"…"`, with its quotes. What is in a `${…}` may hold quotes of its own.
    fn quoted(&mut self) -> Option<&'t str> {
        let start = self.at;
        if !self.take("\"") {
            return None;
        }
        loop {
            match self.rest().chars().next()? {
                '"' => break,
                '\\' => self.at += 1 + self.rest().chars().nth(1)?.len_utf8(),
                '\n' => return None,
                '$' | '%' if self.rest().get(1..)?.starts_with('{') => {
                    self.at += 2;
                    self.nested('}')?;
                }
                c => self.at += c.len_utf8(),
            }
        }
        self.at += 1;
        self.text.get(start..self.at)
    }

    /// Up to and with the bracket that closes.
    fn nested(&mut self, close: char) -> Option<()> {
        let mut open = vec![close];
        while let Some(close) = open.last().copied() {
            if self.skip_comment() {
                continue;
            }
            match self.rest().chars().next()? {
                '"' => {
                    self.quoted()?;
                    continue;
                }
                '<' if self.rest().starts_with("<<") => return None,
                '{' => open.push('}'),
                '[' => open.push(']'),
                '(' => open.push(')'),
                c if c == close => {
                    open.pop();
                }
                '}' | ']' | ')' => return None,
                _ => {}
            }
            self.at += self.rest().chars().next()?.len_utf8();
        }
        Some(())
    }

    /// The text of a value, to the end of its line.
    fn value(&mut self) -> Option<&'t str> {
        let start = self.at;
        loop {
            let rest = self.rest();
            match rest.chars().next() {
                None | Some('\n' | '}') => break,
                Some('#') => break,
                Some('/') if rest.starts_with("//") => break,
                Some('"') => {
                    self.quoted()?;
                }
                Some('<') if rest.starts_with("<<") => self.heredoc()?,
                Some(c @ ('{' | '[' | '(')) => {
                    self.at += 1;
                    self.nested(match c {
                        '{' => '}',
                        '[' => ']',
                        _ => ')',
                    })?;
                }
                Some(c) => self.at += c.len_utf8(),
            }
        }
        self.text.get(start..self.at)
    }

    fn heredoc(&mut self) -> Option<()> {
        let (first, body) = self.rest().split_once('\n')?;
        let mark = first.trim_start_matches(['<', '-']).trim();
        let mut length = first.len() + 1;
        for line in body.split_inclusive('\n') {
            if line.trim() == mark {
                self.at += length + line.trim_end().len();
                return Some(());
            }
            length += line.len();
        }
        None
    }

    fn body(&mut self, block: &mut Block<'t>) -> Option<()> {
        while self.skip_to_word() {
            if self.take("}") {
                return Some(());
            }
            let name = if self.rest().starts_with('"') { string(self.quoted()?)? } else { self.word()? };
            self.skip_spaces();
            if self.take("=") {
                block.attributes.push((name, self.value()?));
            } else {
                while !self.take("{") {
                    self.quoted()?;
                    self.skip_spaces();
                }
                self.nested('}')?;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_attributes_are_read() {
        let text = "\
# c\nvariable \"TAG\" {\n  default = \"a\" // why\n  validation {\n    condition = TAG != \"}\"\n  }\n}\n/* x\n*/\nfunction \"f\" {\n  params = [a]\n  \
result = \"${a}}\"\n}\ntarget \"app\" {\n  inherits = [\"base\", \"other\"]\n  args = {\n    \"X\" = \"${f(\"y\")}\"\n  }\n  dockerfile-inline = <<EOT\nFROM x {\nEOT\n  \
context = \"./app\" }\n";
        let blocks = read(text).unwrap();
        assert_eq!(
            blocks.iter().map(|block| (block.kind, block.label, block.line)).collect::<Vec<_>>(),
            [("variable", "TAG", 2), ("function", "f", 10), ("target", "app", 14)]
        );
        let app = blocks.last().unwrap();
        assert_eq!(app.attribute("inherits").and_then(strings), Some(vec!["base", "other"]));
        assert_eq!(app.attribute("context").and_then(string), Some("./app"));
        assert!(app.attribute("dockerfile-inline").is_some());
        assert_eq!(blocks[0].attribute("default").and_then(string), Some("a"));
        for broken in ["target \"a\" {", "target \"a\" { x = [ }", "target \"a {\n}", "target a {}", "}", "a = <<X\n"] {
            assert!(read(broken).is_none(), "{broken}");
        }
    }
}
