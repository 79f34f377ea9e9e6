//! What the `setup()` call of a `setup.py` says of dependencies, where it says so literally.
//!
//! Owns: reading that call's arguments as text. Never does: run anything, or follow a name to where it got its value.
//!
//! Facts: setuptools' manual (keywords): `install_requires` holds what is installed with the project, `extras_require` what is asked
//! for by name, `setup_requires` and `tests_require` nothing of it. Without the keyword there are none.

/// What is installed with the project.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Requires {
    /// Nothing: no such argument.
    Nothing,
    /// A literal list.
    Listed(Vec<String>),
    /// What the script makes of this file, which is the one requirements file that it names.
    File(String),
    /// Only running it would tell.
    Unknown,
}

/// Reads the script.
pub(super) fn requirements(text: &str) -> Requires {
    let code = without_comments(text);
    let Some(arguments) = call(&code) else { return Requires::Unknown };
    let own: Vec<&str> = top_level(arguments);
    // Extensions of setuptools that such arguments load may read files of their own: pbr's `requirements.txt`.
    let extended = |argument: &&str| ["**", "setup_requires", "pbr", "distclass"].iter().any(|start| argument.starts_with(start));
    if own.iter().any(extended) {
        return Requires::Unknown;
    }
    let value = |name: &str| own.iter().find_map(|argument| argument.strip_prefix(name)?.trim_start().strip_prefix('='));
    let Some(given) = value("install_requires").map(str::trim) else {
        // `requires` is the older word, read by none; the name may still come in by a way that the call does not show.
        return if code.contains("install_requires") { Requires::Unknown } else { Requires::Nothing };
    };
    match literal(given) {
        Some(list) if list.is_empty() => Requires::Nothing,
        Some(list) => Requires::Listed(list),
        None => named_file(&code).map_or(Requires::Unknown, Requires::File),
    }
}

/// The text with comments blanked out, line by line. A `#` in a text is kept.
fn without_comments(text: &str) -> String {
    let line = |line: &str| {
        let mut quote = None;
        let comment = line.char_indices().find(|(_, c)| match (quote, c) {
            (None, '#') => true,
            (None, '"' | '\'') => {
                quote = Some(*c);
                false
            }
            (Some(open), c) if open == *c => {
                quote = None;
                false
            }
            _ => false,
        });
        comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line).to_owned()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What stands between the brackets of the one call of `setup`.
fn call(code: &str) -> Option<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = code.match_indices("setup(").filter(|(at, _)| {
        let before = code.get(..*at).unwrap_or_default();
        !before.ends_with(is_word) && !before.trim_end().ends_with("def")
    });
    let starts: Vec<usize> = starts.map(|(at, found)| at + found.len()).collect();
    let [start] = starts.as_slice() else { return None };
    let rest = code.get(*start..)?;
    let end = ends(rest).find(|(_, depth)| *depth < 0)?.0;
    rest.get(..end)
}

/// The offsets of closing brackets outside of texts, each with the depth behind it.
fn ends(text: &str) -> impl Iterator<Item = (usize, i32)> {
    marks(text).filter(|(_, c, _)| matches!(c, ')' | ']' | '}')).map(|(at, _, depth)| (at, depth))
}

/// Brackets and commas outside of texts: offset, which, and the depth behind it.
fn marks(text: &str) -> impl Iterator<Item = (usize, char, i32)> {
    let (mut depth, mut quote, mut escaped) = (0, None, false);
    text.char_indices().filter_map(move |(at, c)| {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' => quote = Some(c),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => {
                    depth -= 1;
                    return Some((at, c, depth));
                }
                ',' => return Some((at, c, depth)),
                _ => {}
            },
        }
        None
    })
}

/// The parts between commas that stand in no bracket, without the space around them.
fn top_level(text: &str) -> Vec<&str> {
    let commas = marks(text).filter(|(_, c, depth)| *c == ',' && *depth == 0).map(|(at, _, _)| at);
    let mut parts = Vec::new();
    let mut start = 0;
    for end in commas.chain([text.len()]) {
        parts.push(text.get(start..end).unwrap_or_default().trim());
        start = end + 1;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// A list or tuple of plain texts.
fn literal(value: &str) -> Option<Vec<String>> {
    let inner = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.or_else(|| value.strip_prefix('(')?.strip_suffix(')'))?;
    top_level(inner).into_iter().map(plain_text).collect()
}

/// One plain text: no prefix, no escape, no second text behind it.
fn plain_text(word: &str) -> Option<String> {
    let quote = word.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = word.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\', '\n'])).then(|| inner.to_owned())
}

/// The one requirements file that the script names, as seen from its folder.
fn named_file(code: &str) -> Option<String> {
    let texts = code.split(['"', '\'']).skip(1).step_by(2);
    let is_file = |text: &&str| {
        text.contains("requirements")
            && (text.ends_with(".txt") || text.ends_with(".in"))
            && !text.contains(['*', '{', '%', '\n'])
    };
    let mut files: Vec<&str> = texts.filter(is_file).map(|text| text.trim_start_matches("./")).collect();
    files.dedup();
    match files.as_slice() {
        [file] if !file.starts_with('/') => Some((*file).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_lists_are_read() {
        let of = |arguments: &str| requirements(&format!("from setuptools import setup  # setup(it)\nsetup(\n{arguments}\n)\n"));
        assert_eq!(of("name='a', packages=find_packages(),"), Requires::Nothing);
        assert_eq!(of("name='a', extras_require={'x': ['y']}, install_requires=[]"), Requires::Nothing);
        assert_eq!(
            of("install_requires=[\n  'a>=1',  # why, not\n  \"b; python_version < '3'\",\n],\nname='x'"),
            Requires::Listed(vec!["a>=1".to_owned(), "b; python_version < '3'".to_owned()])
        );
        for arguments in [
            "install_requires=deps",
            "**config",
            "setup_requires=['pbr'], pbr=True",
            "install_requires=['a' 'b']",
            "install_requires=['a'] + more",
        ] {
            assert_eq!(of(arguments), Requires::Unknown, "{arguments}");
        }
    }

    #[test]
    fn what_the_call_does_not_show_is_not_known() {
        for script in [
            "kw = dict(install_requires=['a'])\nsetup(name='a')",
            "setup(name='a')\nsetup(name='b')",
            "import this",
            "setup(name='a'",
        ] {
            assert_eq!(requirements(script), Requires::Unknown, "{script}");
        }
    }

    #[test]
    fn the_one_file_that_the_script_names() {
        let of = |name: &str| requirements(&format!("r = open({name}).read().split()\nsetup(install_requires=r)"));
        assert_eq!(of("'./requirements.txt'"), Requires::File("requirements.txt".to_owned()));
        assert_eq!(
            of("os.path.join(here, 'requirements', \"requirements-base.txt\")"),
            Requires::File("requirements-base.txt".to_owned())
        );
        assert_eq!(of("'/etc/requirements.txt'"), Requires::Unknown);
        assert_eq!(of("'requirements.txt' if x else 'requirements-dev.txt'"), Requires::Unknown);
    }
}
