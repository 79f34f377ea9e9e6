//! Reading Ruby as far as a Gemfile needs it: logical lines, strings, and paths put together from literals.
//!
//! Owns: text. Never does: know Bundler, or run anything. What is not plain is said to be unknown.

use crate::ecosystems::absolute;
use crate::knowledge::Knowledge;

/// A statement, or what is left of it without comments, on one line.
pub(super) struct Line {
    /// Where it begins, from 1.
    pub(super) number: usize,
    /// Its text.
    pub(super) text: String,
    /// The text with the contents of strings blanked out, of the same length. Code in `#{…}` stays.
    pub(super) code: String,
}

/// The logical lines of a text: no comments, and lines that end in a comma or the like joined with the next.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    let mut open = false;
    let mut comment = false;
    for (index, raw) in text.lines().enumerate() {
        comment = comment || raw.starts_with("=begin");
        if comment {
            comment = !raw.starts_with("=end");
            continue;
        }
        if raw.trim_end() == "__END__" {
            break;
        }
        let (kept, code) = blank(raw);
        let (kept, code) = (kept.trim_end(), code.trim_end());
        match found.last_mut().filter(|_| open) {
            Some(line) => {
                line.text = format!("{} {}", line.text, kept.trim_start());
                line.code = format!("{} {}", line.code, code.trim_start());
            }
            None => found.push(Line { number: index + 1, text: kept.to_owned(), code: code.to_owned() }),
        }
        open = code.ends_with([',', '(', '[', '\\', '+', '|'])
            && !code.trim_end_matches('|').ends_with(|c: char| c.is_alphanumeric() || c == '_');
    }
    found.retain(|line| !line.code.trim().is_empty());
    found
}

/// A line without its comment, and the same with the contents of strings blanked out.
fn blank(raw: &str) -> (String, String) {
    let (mut text, mut code) = (String::new(), String::new());
    let mut quote: Option<char> = None;
    let mut depth = 0_usize;
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        let in_string = quote.is_some() && depth == 0;
        if !in_string && quote.is_none() && letter == '#' {
            break;
        }
        text.push(letter);
        match letter {
            '\\' if in_string => {
                code.push_str("  ");
                text.extend(letters.next());
                continue;
            }
            '#' if quote == Some('"') && depth == 0 && letters.peek() == Some(&'{') => {
                depth = 1;
                text.extend(letters.next());
                code.push_str("#{");
                continue;
            }
            '{' if depth > 0 => depth += 1,
            '}' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            _ if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            _ => {}
        }
        let hidden = in_string && quote.is_some() && letter.len_utf8() == 1;
        code.push(if hidden { ' ' } else { letter });
    }
    (text, code)
}

/// Where a word stands in code, as a word of its own and not as a symbol or a key.
pub(super) fn find_word(code: &str, word: &str) -> Option<usize> {
    let name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = code.get(..*at).and_then(|text| text.chars().next_back());
        let after = code.get(at + word.len()..).unwrap_or_default();
        let is_key = after.starts_with(':') && !after.starts_with("::");
        !before.is_some_and(|c| name(c) || ":@$.".contains(c)) && !after.starts_with(name) && !is_key
    })
}

/// The strings in a text, in order, with their quotes taken off.
pub(super) fn strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current: Option<(char, String)> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match &mut current {
            Some((quote, _)) if letter == *quote => found.extend(current.take().map(|(_, text)| text)),
            Some((_, text)) if letter == '\\' => text.extend(letters.next()),
            Some((_, text)) => text.push(letter),
            None if letter == '"' || letter == '\'' => current = Some((letter, String::new())),
            None => {}
        }
    }
    found
}

/// The value of an option (`path: X`, `:path => X`) as far as the next comma outside of brackets.
pub(super) fn option<'t>(line: &'t Line, name: &str) -> Option<&'t str> {
    let keys = [format!("{name}:"), format!(":{name} =>"), format!(":{name}=>"), format!("\"{name}\" =>")];
    let start = keys.iter().find_map(|key| {
        let at = line.code.match_indices(key.as_str()).map(|(at, _)| at).find(|at| {
            let before = line.code.get(..*at).and_then(|text| text.chars().next_back());
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })?;
        Some(at + key.len())
    })?;
    line.text.get(start..).map(argument)
}

/// The first argument of a call, from behind the method's name.
pub(super) fn argument(text: &str) -> &str {
    let inner = text.trim_start();
    let (inner, mut depth) = inner.strip_prefix('(').map_or((inner, 0_i32), |inner| (inner, 1));
    let floor = depth;
    let mut quote = None;
    for (at, letter) in inner.char_indices() {
        match letter {
            _ if quote == Some(letter) => quote = None,
            _ if quote.is_some() => continue,
            '"' | '\'' => quote = Some(letter),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        let rest = inner.get(at..).unwrap_or_default();
        let ends = [" if ", " unless ", " do", " rescue ", " &&", " ||", " ?", ";", " =~", " =="]
            .iter()
            .any(|end| rest.starts_with(end));
        if depth < floor
            || quote.is_none() && (ends && depth <= floor || depth < 0)
            || quote.is_none() && letter == ',' && depth <= floor
        {
            return inner.get(..at).unwrap_or_default();
        }
    }
    inner
}

/// A path that is made of literals: `"x"`, `File.join(__dir__, "x")`, `File.expand_path("../x", __FILE__)`.
pub(super) fn path(expression: &str, file: &str, workdir: &str) -> Option<String> {
    let folder = file.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let mut literals = strings(expression);
    let mut skeleton = expression.to_owned();
    for literal in &literals {
        for quote in ['"', '\''] {
            skeleton = skeleton.replacen(&format!("{quote}{literal}{quote}"), "", 1);
        }
    }
    let mut from_folder =
        skeleton.contains("__dir__") || skeleton.contains("dirname(__FILE__)") || skeleton.contains("dirname __FILE__");
    let from_file = !from_folder && skeleton.contains("__FILE__");
    for literal in &mut literals {
        for start in ["#{__dir__}", "#{File.dirname(__FILE__)}"] {
            if let Some(rest) = literal.strip_prefix(start) {
                from_folder = true;
                *literal = rest.to_owned();
            }
        }
    }
    for known in
        ["::File", "File", "Pathname", "expand_path", "dirname", "join", "new", "to_s", "__dir__", "__FILE__", "realpath"]
    {
        skeleton = skeleton.replace(known, "");
    }
    let plain = skeleton.chars().all(|c| c.is_whitespace() || ".,()+".contains(c));
    if literals.is_empty() || !plain || literals.iter().any(|literal| literal.contains("#{")) {
        return None;
    }
    let base = if from_folder {
        folder
    } else if from_file {
        file
    } else {
        workdir
    };
    let mut joined = literals.join("/");
    if from_folder && !expression.contains("expand_path") {
        joined = joined.trim_start_matches('/').to_owned();
    }
    absolute(&joined, &Knowledge::Known(base.to_owned())).into_known()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_strings_are_blanked_and_lines_are_joined() {
        let found = lines("# x\ngem 'a#b', # why\n  path: \"c\"\n\n=begin\nx\n=end\n\"#{File.read(x)}\"\n");
        let text: Vec<(usize, &str)> = found.iter().map(|line| (line.number, line.text.as_str())).collect();
        assert_eq!(text, [(2, "gem 'a#b', path: \"c\""), (8, "\"#{File.read(x)}\"")]);
        assert_eq!(found[0].code, "gem '   ', path: \" \"");
        assert_eq!(option(&found[0], "path"), Some("\"c\""));
        assert!(find_word(&found[1].code, "File").is_some() && find_word("gem x, require: false", "require").is_none());
    }

    #[test]
    fn paths_of_literals_are_put_together() {
        let at = |text: &str| path(text, "/app/gems/Gemfile", "/work");
        assert_eq!(at("'x'").as_deref(), Some("/work/x"));
        for text in [
            "File.join(__dir__, 'x')",
            "File.expand_path('x', __dir__)",
            "File.expand_path(\"../x\", __FILE__)",
            "File.join(File.dirname(__FILE__), 'x')",
            "\"#{__dir__}/x\"",
            "__dir__ + '/x'",
        ] {
            assert_eq!(at(text).as_deref(), Some("/app/gems/x"), "{text}");
        }
        for text in ["name", "\"#{name}/x\"", "File.join(root, 'x')"] {
            assert_eq!(at(text), None, "{text}");
        }
        assert_eq!(argument("(File.join(a, 'b')) if x"), "File.join(a, 'b')");
        assert_eq!(argument(" 'x', require: 1"), "'x'");
    }
}
