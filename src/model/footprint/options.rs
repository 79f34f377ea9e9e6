//! A program's words as options and operands.
//!
//! Owns: the getopt way of reading words: clusters, attached values, `--`, `--name=value`. Never does: know a program. An option that
//! is not named is an error, since what it does with files is not known.

use super::draft::Word;

/// The options that a program is known to have.
///
/// In `short` each letter is an option, in `long` each word. A `:` behind it says that it takes a value, `<` that the value is a file
/// that it reads, `>` one that it writes, and `?` that a value may be attached.
#[derive(Clone, Copy)]
pub struct Options {
    /// One letter each: `"rfm:"`.
    pub short: &'static str,
    /// `"recursive mode: reference<"`
    pub long: &'static str,
}

/// What an option's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// It has none.
    Nothing,
    /// Something that names no file, or one that the program itself looks at.
    Value,
    /// A value that may be attached.
    Attached,
    /// A file that is read.
    Read,
    /// A file that is written.
    Write,
}

impl Takes {
    fn of(mark: Option<char>) -> Option<Self> {
        match mark? {
            ':' => Some(Self::Value),
            '?' => Some(Self::Attached),
            '<' => Some(Self::Read),
            '>' => Some(Self::Write),
            _ => None,
        }
    }
}

/// An option as given.
#[derive(Clone, Debug)]
pub struct Given {
    /// `-m`, `--mode`
    pub name: String,
    /// Its value.
    pub value: Option<Word>,
    /// What the value is.
    pub takes: Takes,
}

/// Words told apart.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// In order.
    pub given: Vec<Given>,
    /// What is no option.
    pub operands: Vec<Word>,
}

impl Parsed {
    /// Whether one of the options is given.
    pub fn has(&self, names: &[&str]) -> bool {
        self.given.iter().any(|given| names.contains(&given.name.as_str()))
    }

    /// The value of the last of the options that is given.
    pub fn value(&self, names: &[&str]) -> Option<&Word> {
        self.given.iter().rev().filter(|given| names.contains(&given.name.as_str())).find_map(|given| given.value.as_ref())
    }
}

impl Options {
    /// Tells the words apart.
    ///
    /// # Errors
    /// The option that is not known.
    pub fn parse(&self, words: &[Word]) -> Result<Parsed, String> {
        let mut parsed = Parsed::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.value.as_deref().unwrap_or(&word.beginning);
            if text == "--" && word.value.is_some() {
                parsed.operands.extend(words.by_ref().cloned());
            } else if !text.starts_with('-') || text.len() < 2 {
                parsed.operands.push(word.clone());
            } else if let Some(long) = text.strip_prefix("--") {
                self.long(long, word, &mut words, &mut parsed)?;
            } else {
                self.short(word, &mut words, &mut parsed)?;
            }
        }
        Ok(parsed)
    }

    fn long<'w>(
        &self,
        text: &str,
        word: &Word,
        rest: &mut impl Iterator<Item = &'w Word>,
        parsed: &mut Parsed,
    ) -> Result<(), String> {
        let (name, attached) = match text.split_once('=') {
            Some((name, _)) => (name, word.behind(name.len() + 3)),
            None if word.value.is_none() => return Err(word.unknown()),
            None => (text, None),
        };
        let mut known = self.long.split_whitespace().map(|known| {
            let bare = known.trim_end_matches([':', '<', '>', '?']);
            (bare, Takes::of(known.get(bare.len()..).and_then(|mark| mark.chars().next())).unwrap_or(Takes::Nothing))
        });
        let Some((_, takes)) = known.find(|(known, _)| *known == name) else {
            return Err(format!("its option --{name} is not known here"));
        };
        let value = match (takes, attached) {
            (_, Some(attached)) => Some(attached),
            (Takes::Nothing | Takes::Attached, None) => None,
            (_, None) => rest.next().cloned(),
        };
        parsed.given.push(Given { name: format!("--{name}"), value, takes });
        Ok(())
    }

    fn short<'w>(&self, word: &Word, rest: &mut impl Iterator<Item = &'w Word>, parsed: &mut Parsed) -> Result<(), String> {
        let text = word.value.as_deref().unwrap_or(&word.beginning).to_owned();
        for (at, letter) in text.char_indices().skip(1) {
            let end = at + letter.len_utf8();
            let Some(place) = self.short.find(letter).filter(|_| !matches!(letter, ':' | '<' | '>' | '?')) else {
                return Err(format!("its option -{letter} is not known here"));
            };
            let mark = self.short.get(place + letter.len_utf8()..).and_then(|rest| rest.chars().next());
            let takes = Takes::of(mark).unwrap_or(Takes::Nothing);
            let name = format!("-{letter}");
            let attached = || word.behind(end).filter(|attached| attached.value.as_deref() != Some(""));
            let value = match takes {
                Takes::Nothing => None,
                Takes::Attached => attached(),
                _ => attached().or_else(|| rest.next().cloned()),
            };
            parsed.given.push(Given { name, value, takes });
            if takes != Takes::Nothing {
                return Ok(());
            }
        }
        // The rest of the word may be more letters.
        if word.value.is_none() { Err(word.unknown()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options { short: "rfm:o>i?", long: "recursive mode: out> reference<" };

    type Told = (Vec<(String, String)>, Vec<String>);

    fn parse(text: &str) -> Result<Told, String> {
        let words: Vec<Word> = text.split_whitespace().map(Word::known).collect();
        let parsed = OPTIONS.parse(&words)?;
        let value = |given: &Given| given.value.as_ref().and_then(|word| word.value.clone()).unwrap_or_default();
        let given = parsed.given.iter().map(|given| (given.name.clone(), value(given))).collect();
        Ok((given, parsed.operands.iter().map(|word| word.value.clone().unwrap()).collect()))
    }

    #[test]
    fn words_are_options_or_operands() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(parse("-rfm755 a").unwrap(), (vec![pair("-r", ""), pair("-f", ""), pair("-m", "755")], vec!["a".to_owned()]));
        assert_eq!(
            parse("--mode=1 --out x -- -r").unwrap(),
            (vec![pair("--mode", "1"), pair("--out", "x")], vec!["-r".to_owned()])
        );
        assert_eq!(parse("-i.bak - b").unwrap(), (vec![pair("-i", ".bak")], vec!["-".to_owned(), "b".to_owned()]));
        assert!(parse("-x").is_err());
        assert!(parse("--nothing").is_err());
    }
}
