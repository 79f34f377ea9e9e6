//! The lines of `go.mod` and `go.work` that say which other files Go reads.
//!
//! Owns: that grammar: directives, blocks in parentheses, `//` comments, quoted words. Never does: look at a file.
//!
//! Source: the Go modules reference (go.mod files, go.work files).

/// What a `go.mod` or `go.work` says.
#[derive(Debug, Default)]
pub(super) struct ModFile {
    /// The minor release of the `go` directive.
    pub(super) go: Option<u32>,
    /// Modules that are required.
    pub(super) requires: Vec<Require>,
    /// Modules that are taken from elsewhere.
    pub(super) replaces: Vec<Replace>,
    /// Folders of a workspace, each with its line.
    pub(super) uses: Vec<(String, usize)>,
}

/// A required module.
#[derive(Debug)]
pub(super) struct Require {
    pub(super) path: String,
    pub(super) version: String,
}

/// A replaced module.
#[derive(Debug)]
pub(super) struct Replace {
    pub(super) old: String,
    /// Only this version is replaced.
    pub(super) version: Option<String>,
    pub(super) new: String,
    pub(super) new_version: Option<String>,
    pub(super) line: usize,
}

impl Replace {
    /// Whether it names a folder.
    pub(super) fn is_local(&self) -> bool {
        self.new_version.is_none() && (self.new.starts_with("./") || self.new.starts_with("../") || self.new.starts_with('/'))
            || self.new == "."
            || self.new == ".."
    }

    pub(super) fn covers(&self, require: &Require) -> bool {
        self.old == require.path && self.version.as_ref().is_none_or(|version| *version == require.version)
    }
}

/// Reads a `go.mod` or a `go.work`; other directives are passed over.
pub(super) fn parse(text: &str) -> ModFile {
    let mut file = ModFile::default();
    let mut block = String::new();
    for (index, line) in text.lines().enumerate() {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (block.is_empty(), words.as_slice()) {
            (_, []) => {}
            (_, [")", ..]) => block.clear(),
            (true, [name, "("]) => (*name).clone_into(&mut block),
            (true, [name, rest @ ..]) => file.directive(name, rest, index + 1),
            (false, rest) => file.directive(&block, rest, index + 1),
        }
    }
    file
}

impl ModFile {
    fn directive(&mut self, name: &str, words: &[&str], line: usize) {
        match (name, words) {
            ("go", [version]) => {
                let minor = version.strip_prefix("1.").unwrap_or_default();
                self.go = minor.split(|c: char| !c.is_ascii_digit()).next().and_then(|minor| minor.parse().ok());
            }
            ("require", [path, version]) => {
                self.requires.push(Require { path: (*path).to_owned(), version: (*version).to_owned() });
            }
            ("use", [folder]) => self.uses.push(((*folder).to_owned(), line)),
            ("replace", words) => {
                let arrow = words.iter().position(|word| *word == "=>");
                let Some((old, new)) = arrow.and_then(|arrow| Some((words.get(..arrow)?, words.get(arrow + 1..)?))) else {
                    return;
                };
                let owned = |word: Option<&&str>| word.map(|word| (*word).to_owned());
                self.replaces.push(Replace {
                    old: owned(old.first()).unwrap_or_default(),
                    version: owned(old.get(1)),
                    new: owned(new.first()).unwrap_or_default(),
                    new_version: owned(new.get(1)),
                    line,
                });
            }
            _ => {}
        }
    }
}

/// The words of a line, without quotes and comment.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => word.push(c),
            None if c == '"' || c == '`' => quote = Some(c),
            None if c == '/' && chars.peek() == Some(&'/') && word.is_empty() => break,
            None if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            None if c == '(' || c == ')' => {
                words.push(std::mem::take(&mut word));
                words.push(c.to_string());
            }
            None => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lines_and_blocks() {
        let file = parse(
            "module a.b/c // x\ngo 1.21.3\nrequire a.b/d v1.0.0\nrequire (\n\ta.b/e v2.0.0 // indirect\n)\n\
             replace (\n a.b/d => ../d\n \"a.b/e\" v2.0.0 => a.b/f v2.1.0\n)\nuse ( ./x )\nuse (\n  .\n)\n",
        );
        assert_eq!(file.go, Some(21));
        let requires: Vec<_> = file.requires.iter().map(|require| (require.path.as_str(), require.version.as_str())).collect();
        assert_eq!(requires, [("a.b/d", "v1.0.0"), ("a.b/e", "v2.0.0")]);
        let local: Vec<_> =
            file.replaces.iter().map(|replace| (replace.new.as_str(), replace.is_local(), replace.line)).collect();
        assert_eq!(local, [("../d", true, 8), ("a.b/f", false, 9)]);
        assert_eq!(file.uses.last(), Some(&(".".to_owned(), 13)));
    }
}
