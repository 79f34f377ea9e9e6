//! Heredocs announced on an instruction's line.
//!
//! Owns: finding `<<NAME` words as the builder does. It runs its own shell lexer over the line, in which `\` escapes, whatever
//! the file's escape character is, and takes a word for a heredoc when the whole word is one.

/// What a line announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Quotes removed.
    pub name: String,
    /// The number in front of `<<`.
    pub fd: u32,
    /// `<<-`
    pub chomp: bool,
    /// The name is not quoted.
    pub expand: bool,
}

/// The heredocs of a logical line, in order. A line that the builder's lexer cannot read has none.
pub fn announced(line: &str) -> Vec<Announced> {
    if !line.contains("<<") {
        return Vec::new();
    }
    let Some(words) = raw_words(line) else { return Vec::new() };
    words.iter().filter_map(|word| of_word(word)).collect()
}

/// `^(\d*)<<(-?)([^<]*)$`
fn of_word(word: &str) -> Option<Announced> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (fd, rest) = word.split_at_checked(digits)?;
    let rest = rest.strip_prefix("<<")?;
    let (chomp, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    // A name that falls apart into several words, or into none, is no name.
    if raw_words(rest)?.len() != 1 {
        return None;
    }
    let name = unquote(rest);
    Some(Announced { expand: name == rest, name, fd: fd.parse().unwrap_or(0), chomp })
}

fn unquote(word: &str) -> String {
    let mut name = String::new();
    let mut quote = None;
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '\\') => name.extend(chars.next()),
            (Some('"'), '\\') => match chars.next() {
                Some(next @ ('"' | '$' | '\\')) => name.push(next),
                Some(next) => {
                    name.push('\\');
                    name.push(next);
                }
                None => {}
            },
            _ => name.push(c),
        }
    }
    name
}

/// Words with quotes and escapes as written. `None` where a quote or `${` does not end, at which the builder's lexer gives up.
fn raw_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut started = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                started = true;
                word.push(c);
                loop {
                    let inner = chars.next()?;
                    word.push(inner);
                    if inner == '\'' {
                        break;
                    }
                }
            }
            '"' => {
                started = true;
                word.push(c);
                double_quoted(&mut chars, &mut word)?;
            }
            '$' => {
                started = true;
                word.push(c);
                if chars.peek() == Some(&'{') {
                    braced(&mut chars, &mut word)?;
                }
            }
            '\\' => {
                started = true;
                word.push(c);
                word.extend(chars.next());
            }
            c if c.is_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            c => {
                started = true;
                word.push(c);
            }
        }
    }
    if started {
        words.push(word);
    }
    Some(words)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn double_quoted(chars: &mut Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        let c = chars.next()?;
        word.push(c);
        match c {
            '"' => return Some(()),
            '$' if chars.peek() == Some(&'{') => braced(chars, word)?,
            '\\' => word.push(chars.next()?),
            _ => {}
        }
    }
}

/// `{NAME}` or `{NAME:-word}`; anything else in the braces makes the builder's lexer fail.
fn braced(chars: &mut Chars<'_>, word: &mut String) -> Option<()> {
    let mut depth = 0_usize;
    loop {
        let c = chars.next()?;
        word.push(c);
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(());
                }
            }
            '"' => double_quoted(chars, word)?,
            '\\' => word.push(chars.next()?),
            _ => {}
        }
    }
}
