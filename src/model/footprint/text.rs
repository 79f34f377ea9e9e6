//! Programs that read, and those that touch nothing.
//!
//! Owns: what the shell's own commands, and the tools that print or filter text, touch. Never does: know a program that changes files
//! other than those it is told to write.

use super::draft::{Draft, Outcome, Word};
use super::options::{Options, Parsed};

/// What the operands of a program are.
enum Operands {
    /// Files that it reads.
    Files,
    /// A pattern or program text (unless an option gives that), then files.
    TextAndFiles(&'static [&'static str]),
    /// Files or folders that it looks at, with what is in them.
    Trees,
    /// No files.
    Words,
}

struct Reader {
    names: &'static str,
    options: Options,
    operands: Operands,
}

/// Programs that touch nothing, whatever stands behind them.
#[rustfmt::skip]
const INERT: &[&str] = &[
    ":", "true", "false", "echo", "printf", "exit", "return", "export", "unset", "umask", "sleep", "date", "uname", "id",
    "whoami", "hostname", "pwd", "basename", "dirname", "seq", "expr", "nproc", "arch", "tty", "shift", "local", "declare", "typeset",
    "readonly", "break", "continue", "wait", "shopt", "ulimit", "unalias", "getopts", "let", "read", "yes", "sync",
    "groups", "logname", "users", "who", "getconf", "locale", "free", "ps", "uptime", "times", "jobs", "kill",
    "factor", "tput", "clear", "stty", "numfmt", "bc",
];

const NO_OPTIONS: Options = Options { short: "", long: "" };

#[rustfmt::skip]
const READERS: &[Reader] = &[
    Reader { names: "cat tac nl", options: Options { short: "AbeEnstTuv", long: "show-all number-nonblank number squeeze-blank" }, operands: Operands::Files },
    Reader { names: "head tail", options: Options { short: "n:c:qvzfF0123456789", long: "lines: bytes: quiet verbose" }, operands: Operands::Files },
    Reader { names: "wc", options: Options { short: "lwcmL", long: "lines words bytes chars" }, operands: Operands::Files },
    Reader { names: "cut", options: Options { short: "d:f:c:b:sz", long: "delimiter: fields: characters: bytes: only-delimited complement output-delimiter:" }, operands: Operands::Files },
    Reader { names: "sort", options: Options { short: "bdfgiMhnRrVcCmk:o>sS:t:T:uz", long: "numeric-sort reverse unique version-sort key: field-separator: output> human-numeric-sort stable zero-terminated ignore-case random-sort" }, operands: Operands::Files },
    Reader { names: "grep egrep fgrep zgrep rg", options: Options { short: "EFGPivwxcLlmoqshHnTzZarRIUbA:B:C:e:f<m:d:D:y0123456789", long: "extended-regexp fixed-strings perl-regexp ignore-case invert-match word-regexp line-regexp count quiet silent no-messages only-matching recursive no-filename with-filename files-with-matches line-number max-count: regexp: file< include: exclude: exclude-dir: color? null text" }, operands: Operands::TextAndFiles(&["-e", "--regexp", "-f", "--file"]) },
    Reader { names: "tr", options: Options { short: "cCdst", long: "complement delete squeeze-repeats" }, operands: Operands::Words },
    Reader { names: "base64 base32 md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum", options: Options { short: "bcdiw:tqsz", long: "decode wrap: check binary quiet status strict ignore-missing warn tag text" }, operands: Operands::Files },
    Reader { names: "shasum", options: Options { short: "a:bctqsp", long: "algorithm: check binary quiet status" }, operands: Operands::Files },
    Reader { names: "stat", options: Options { short: "Lfc:t", long: "format: printf: dereference terse" }, operands: Operands::Files },
    Reader { names: "readlink realpath", options: Options { short: "fenmqsvz", long: "canonicalize canonicalize-existing relative-to: no-symlinks" }, operands: Operands::Files },
    Reader { names: "rev fold column paste join comm cmp strings od hexdump", options: Options { short: "abcdfilnNqstuvwx0123456789", long: "" }, operands: Operands::Files },
    Reader { names: "diff", options: Options { short: "abBciqrstuwyNU:", long: "unified? brief recursive ignore-all-space" }, operands: Operands::Trees },
    Reader { names: "ls dir tree", options: Options { short: "aAbBcCdfFgGhHiklLmnNopqQrRsStuUvwxXZ1", long: "all almost-all color? human-readable recursive full-time time-style: group-directories-first" }, operands: Operands::Trees },
    Reader { names: "du df", options: Options { short: "abcd:hHkmsTxP", long: "summarize human-readable max-depth: total" }, operands: Operands::Trees },
    Reader { names: "getent", options: NO_OPTIONS, operands: Operands::Words },
];

/// The command, if it is one of these.
pub fn command(draft: &mut Draft<'_>, program: &str, words: &[Word]) -> Option<Outcome> {
    if INERT.contains(&program) {
        return Some(Ok(()));
    }
    match program {
        "cd" | "chdir" | "pushd" => return Some(move_to(draft, words)),
        "popd" => return Some(Ok(())),
        "set" | "env" | "printenv" if words.is_empty() => {
            draft.reads_all_variables();
            return Some(Ok(()));
        }
        "set" => return Some(Ok(())),
        "printenv" => {
            let names = words.iter().map(|word| word.text().to_owned()).collect();
            draft.mentions(&names);
            return Some(Ok(()));
        }
        "test" | "[" => return Some(ask(draft, words)),
        "which" | "type" | "hash" => return Some(look_up(draft)),
        "command" if matches!(words.first(), Some(first) if matches!(first.text(), "-v" | "-V")) => return Some(look_up(draft)),
        "sed" | "gsed" => return Some(sed(draft, words)),
        "awk" | "gawk" | "mawk" => return Some(awk(draft, words)),
        "uniq" => return Some(uniq(draft, words)),
        "envsubst" => {
            draft.reads_system();
            draft.reads_all_variables();
            return Some(Ok(()));
        }
        "jq" => return Some(jq(draft, words)),
        _ => {}
    }
    let reader = READERS.iter().find(|reader| reader.names.split(' ').any(|name| name == program))?;
    Some(reader.options.parse(words).and_then(|parsed| read(draft, reader, program, &parsed)))
}

fn read(draft: &mut Draft<'_>, reader: &Reader, program: &str, parsed: &Parsed) -> Outcome {
    draft.option_files(parsed)?;
    if program.ends_with("sum") && parsed.has(&["-c", "--check"]) {
        return checked(draft, parsed);
    }
    let deep = parsed.has(&["-r", "-R", "--recursive"]) || matches!(reader.operands, Operands::Trees);
    let files = match reader.operands {
        Operands::Words => return Ok(()),
        Operands::TextAndFiles(given) if !parsed.has(given) => parsed.operands.get(1..).unwrap_or_default(),
        _ => &parsed.operands,
    };
    if files.is_empty() && shows_only(program, draft) {
        return Ok(());
    }
    if files.is_empty() && (deep && matches!(program, "grep" | "egrep" | "ls" | "du" | "tree" | "rg") || program == "rg") {
        return draft.read_below(&draft.here());
    }
    for file in files {
        if deep { draft.read_below(file)? } else { draft.read(file)? }
    }
    Ok(())
}

/// `ls` shows what is there, and the image is the same whatever that is.
fn shows_only(program: &str, draft: &Draft<'_>) -> bool {
    program == "ls" && draft.sight.ran.writes.is_empty()
}

/// `echo "SUM  FILE" | sha256sum -c -`: the names stand in the text.
fn checked(draft: &mut Draft<'_>, parsed: &Parsed) -> Outcome {
    for list in &parsed.operands {
        draft.read(list)?;
    }
    let listed = draft.sight.ran.fed_by.as_ref().filter(|by| matches!(by.program.as_str(), "echo" | "printf"));
    let names: Option<Vec<String>> = listed.and_then(|by| {
        let words = by.arguments.iter().filter(|argument| !argument.raw.starts_with('-'));
        let texts: Vec<String> = words.map(|argument| argument.value.known().cloned()).collect::<Option<_>>()?;
        let text = texts.join(" ").replace("\\n", "\n");
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| Some(line.split_whitespace().nth(1)?.trim_start_matches('*').to_owned()))
            .collect()
    });
    match names {
        Some(names) => names.iter().try_for_each(|name| draft.read(&Word::known(name))),
        None => draft.read_below(&draft.here()),
    }
}

/// What is found hangs on what is installed.
fn look_up(draft: &mut Draft<'_>) -> Outcome {
    draft.reads_system();
    Ok(())
}

/// `cd`: the folder must be there.
fn move_to(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let Some(target) = words.iter().find(|word| !word.text().starts_with('-')) else { return Ok(()) };
    for place in draft.places(target)? {
        if !draft.is_there(place.path()) {
            draft.reads([place]);
        }
    }
    Ok(())
}

/// `[ -f x ]`: any word may be a file behind an operator that asks of files.
fn ask(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let on_file =
        |word: &str| word.len() == 2 && word.starts_with('-') && !matches!(word, "-n" | "-z" | "-a" | "-o" | "-t" | "-v");
    for pair in words.windows(2) {
        let [operator, file] = pair else { continue };
        if on_file(operator.text()) {
            draft.read_below(file)?;
        }
        if matches!(operator.text(), "-nt" | "-ot" | "-ef") {
            return Err("it compares files".to_owned());
        }
    }
    Ok(())
}

fn sed(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    const OPTIONS: Options = Options {
        short: "nrEsuzi?e:f<l:",
        long: "in-place? expression: file< quiet silent regexp-extended separate unbuffered null-data",
    };
    let parsed = OPTIONS.parse(words)?;
    if parsed.has(&["-f", "--file"]) {
        return Err("its script is in a file".to_owned());
    }
    let by_option = parsed.has(&["-e", "--expression"]);
    let scripts = parsed.given.iter().filter(|given| matches!(given.name.as_str(), "-e" | "--expression"));
    let scripts = scripts.filter_map(|given| given.value.clone());
    let first = parsed.operands.first().filter(|_| !by_option).cloned();
    if let Some(script) = scripts.chain(first).find(|script| sed_uses_files(script.value.as_deref().unwrap_or(&script.raw))) {
        return Err(format!("its script {} may name files", script.raw));
    }
    let in_place = parsed.given.iter().find(|given| matches!(given.name.as_str(), "-i" | "--in-place"));
    for file in parsed.operands.iter().skip(usize::from(!by_option)) {
        match in_place {
            Some(given) => {
                draft.change(file)?;
                if let Some(suffix) = given.value.as_ref().and_then(|value| value.value.as_ref()) {
                    draft.write(&Word::known(&format!("{}{suffix}", file.text())))?;
                }
            }
            None => draft.read(file)?,
        }
    }
    Ok(())
}

/// Whether a script for sed may have one of the commands `r`, `R`, `w`, `W` (which name files) or `e` (which runs a program).
fn sed_uses_files(script: &str) -> bool {
    if ["/ge", "|ge", "#ge"].iter().any(|end| script.ends_with(end)) {
        return true;
    }
    let mut before = '\n';
    let mut rest = script.chars().peekable();
    while let Some(letter) = rest.next() {
        let starts = matches!(before, '\n' | ';' | '{' | '}' | '/' | '$' | '0'..='9' | '|' | '#' | ',' | '!' | '@' | ':' | '\'');
        let next = rest.peek().copied();
        match letter {
            'r' | 'R' | 'w' | 'W' if starts && matches!(next, Some(' ' | '\t')) => return true,
            // The flag `w` behind others.
            'w' if matches!(before, 'g' | 'p' | 'I') && matches!(next, Some(' ' | '\t')) => return true,
            'e' if starts && matches!(next, Some(' ' | '\t') | None) => return true,
            _ => {}
        }
        if !letter.is_whitespace() || letter == '\n' {
            before = letter;
        }
    }
    false
}

fn awk(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    const OPTIONS: Options = Options { short: "F:v:f<", long: "field-separator: assign: file<" };
    let parsed = OPTIONS.parse(words)?;
    draft.option_files(&parsed)?;
    if parsed.has(&["-f", "--file"]) {
        return Err("its program is in a file".to_owned());
    }
    let program = parsed.operands.first().cloned().unwrap_or_default();
    let text = program.value.as_deref().unwrap_or(&program.raw);
    let quoted_target = text.replace("\\\"", "").split(['>', '|']).skip(1).any(|rest| rest.trim_start().starts_with('"'));
    if quoted_target || text.contains("system(") || text.contains("getline") {
        return Err("its program may name files".to_owned());
    }
    for file in parsed.operands.iter().skip(1).filter(|file| !file.text().contains('=')) {
        draft.read(file)?;
    }
    Ok(())
}

fn uniq(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "cdiuf:s:w:z", long: "count repeated unique" }.parse(words)?;
    for (index, file) in parsed.operands.iter().enumerate() {
        if index == 0 { draft.read(file)? } else { draft.write(file)? }
    }
    Ok(())
}

fn jq(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let words = &without_arguments(words);
    if words
        .iter()
        .any(|word| word.text().starts_with("--") && !matches!(word.text(), "--raw-output" | "--slurp" | "--compact-output"))
    {
        return Err("its options are not all known here".to_owned());
    }
    let parsed = Options { short: "rscnejaSCM", long: "raw-output slurp compact-output" }.parse(words)?;
    let text = parsed.operands.first().map(|word| word.value.as_deref().unwrap_or(&word.raw).to_owned()).unwrap_or_default();
    if text.contains("env") || text.contains("$ENV") {
        draft.reads_all_variables();
    }
    parsed.operands.iter().skip(1).try_for_each(|file| draft.read(file))
}

/// Without `--arg NAME VALUE`.
fn without_arguments(words: &[Word]) -> Vec<Word> {
    let mut rest = words.iter();
    let mut kept = Vec::new();
    while let Some(word) = rest.next() {
        if matches!(word.text(), "--arg" | "--argjson") {
            rest.nth(1);
        } else {
            kept.push(word.clone());
        }
    }
    kept
}
