//! Comment lines, by a reader of its own: line by line, knowing no more than continuations and heredocs. It shares nothing with
//! `dockeropt::syntax`, so that a mistake there can't hide itself.

/// What was found in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// Every line outside of heredocs that begins with `#`, directives included, without blanks around it.
    pub lines: Vec<String>,
    /// 1-based numbers of the lines that belong to heredocs, their last lines included.
    pub heredoc_lines: Vec<usize>,
}

impl Comments {
    /// The comments but for `# syntax=` lines, which may come and change.
    pub fn without_header(&self) -> Vec<&str> {
        self.lines.iter().map(String::as_str).filter(|line| directive(line).is_none_or(|(name, _)| name != "syntax")).collect()
    }
}

/// Reads a Dockerfile's comments.
pub fn of(text: &str) -> Comments {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = escape(text);
    let mut found = Comments::default();
    let mut pending: Vec<(bool, String)> = Vec::new();
    let mut logical = String::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some((strips_tabs, end)) = pending.first() {
            found.heredoc_lines.push(index + 1);
            let content = if *strips_tabs { line.trim_start_matches('\t') } else { line };
            if content == end {
                pending.remove(0);
            }
            continue;
        }
        let content = line.trim();
        if content.starts_with('#') {
            found.lines.push(content.to_owned());
            continue;
        }
        if content.is_empty() {
            continue;
        }
        match continued(line, escape) {
            Some(part) => logical.push_str(part),
            None => {
                logical.push_str(line);
                pending = heredocs(&logical);
                logical.clear();
            }
        }
    }
    found
}

/// `# name=value`, the name in lower case.
fn directive(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.strip_prefix('#')?.split_once('=')?;
    let name = name.trim();
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())).then(|| (name.to_ascii_lowercase(), value.trim()))
}

/// The character that continues lines, by the directives on top.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| directive(line.trim_start()));
    let known = directives.take_while(|(name, _)| matches!(name.as_str(), "syntax" | "escape" | "check"));
    known.filter(|(name, _)| name == "escape").find_map(|(_, value)| value.chars().next()).unwrap_or('\\')
}

/// The line without its continuation, if it has one: the character at the end, not itself escaped.
fn continued(line: &str, escape: char) -> Option<&str> {
    let part = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!part.ends_with(escape)).then_some(part)
}

/// The heredocs that an instruction opens: whether tabs go, and the line that ends it.
fn heredocs(logical: &str) -> Vec<(bool, String)> {
    let mut words = words(logical).into_iter();
    let mut keyword = words.next().unwrap_or_default().to_ascii_lowercase();
    if keyword == "onbuild" {
        keyword = words.next().unwrap_or_default().to_ascii_lowercase();
    }
    if !matches!(keyword.as_str(), "run" | "copy" | "add") {
        return Vec::new();
    }
    let words: Vec<String> = words.collect();
    words.iter().filter_map(|word| heredoc(word)).collect()
}

fn heredoc(word: &str) -> Option<(bool, String)> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (strips_tabs, name) = match rest.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, rest),
    };
    let bare = name.replace(['"', '\''], "");
    (!bare.is_empty() && !name.contains('<')).then_some((strips_tabs, bare))
}

/// Words at blanks outside of quotes, quotes kept.
fn words(logical: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = logical.trim().chars();
    while let Some(c) = chars.next() {
        let word = words.last_mut().unwrap();
        match (c, quote) {
            (' ' | '\t', None) => words.push(String::new()),
            ('\\', None | Some('"')) => {
                word.push(c);
                word.extend(chars.next());
            }
            ('"' | '\'', None) => {
                quote = Some(c);
                word.push(c);
            }
            (_, open) => {
                if open == Some(c) {
                    quote = None;
                }
                word.push(c);
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
