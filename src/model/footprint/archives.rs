//! Programs that pack and unpack.
//!
//! Owns: what `tar`, `unzip`, `gzip` and their like touch. Never does: look into an archive; what unpacks may write anything below its
//! target.

use super::Area;
use super::draft::{Draft, Outcome, Word};
use super::options::{Options, Parsed};

/// The command, if it is one of these.
pub fn command(draft: &mut Draft<'_>, program: &str, words: &[Word]) -> Option<Outcome> {
    let known: fn(&mut Draft<'_>, &[Word]) -> Outcome = match program {
        "tar" | "bsdtar" => tar,
        "unzip" => unzip,
        "zip" => zip,
        "zcat" | "bzcat" | "xzcat" | "zless" => read_all,
        "gzip" | "gunzip" | "bzip2" | "bunzip2" | "xz" | "unxz" | "zstd" | "unzstd" | "lzma" | "unlzma" => compress,
        "cpio" => return Some(Err(String::new())),
        _ => return None,
    };
    Some(known(draft, words))
}

const TAR: Options = Options {
    short: "xctvzjJZaf:C:T<X<pkhOmouUwlWI:PSn",
    long: "extract get create list verbose gzip gunzip bzip2 xz zstd lzma auto-compress file: directory: strip-components: strip: \
           exclude: exclude-vcs wildcards no-wildcards anchored no-anchored owner: group: mode: mtime: sort: files-from< exclude-from< \
           preserve-permissions same-permissions no-same-owner no-same-permissions same-owner numeric-owner keep-old-files \
           skip-old-files overwrite touch to-stdout use-compress-program: transform: xform: dereference warning: one-top-level? \
           keep-directory-symlink delay-directory-restore no-overwrite-dir unlink-first totals checkpoint? no-xattrs xattrs acls \
           recursive-unlink show-transformed-names format: no-recursion",
};

fn tar(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = TAR.parse(&dashed(words))?;
    if parsed.has(&["-P", "-I", "--use-compress-program", "-T", "--files-from"]) {
        return Err("its options may name any file".to_owned());
    }
    draft.option_files(&parsed)?;
    let archive = parsed.value(&["-f", "--file"]).filter(|file| file.text() != "-").cloned();
    // With several, each holds for the members behind it.
    let folders: Vec<Word> = parsed
        .given
        .iter()
        .filter(|given| matches!(given.name.as_str(), "-C" | "--directory"))
        .filter_map(|given| given.value.clone())
        .collect();
    let folder = match folders.as_slice() {
        [] => draft.here(),
        [only] => only.clone(),
        _ => return Err("it changes its folder more than once".to_owned()),
    };
    if parsed.has(&["-c", "--create"]) {
        if let Some(archive) = &archive {
            draft.write(archive)?;
        }
        return parsed.operands.iter().try_for_each(|member| draft.read_below(&joined(&folder, member)));
    }
    if let Some(archive) = &archive {
        draft.read(archive)?;
    }
    if parsed.has(&["-t", "--list", "-O", "--to-stdout"]) {
        return Ok(());
    }
    if !parsed.has(&["-x", "--extract", "--get"]) {
        return Err("what it does is not known here".to_owned());
    }
    unpack(draft, &parsed, &folder)
}

fn unpack(draft: &mut Draft<'_>, parsed: &Parsed, folder: &Word) -> Outcome {
    let renames = parsed.has(&["--transform", "--xform", "--wildcards", "--one-top-level"]);
    let strip = match parsed.value(&["--strip-components", "--strip"]) {
        Some(count) => count.text().parse().ok(),
        None => Some(0),
    };
    let (Some(strip), false) = (strip, renames || parsed.operands.is_empty()) else {
        require(draft, folder)?;
        return draft.write_below(folder);
    };
    for member in &parsed.operands {
        let parts: Vec<&str> = member.text().split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let inside = parts.get(strip..).unwrap_or_default().join("/");
        let known = member.value.is_some() && !inside.is_empty();
        draft.write_below(&if known { joined(folder, &Word::known(&inside)) } else { folder.clone() })?;
    }
    require(draft, folder)
}

/// The folder into which it unpacks must be there.
fn require(draft: &mut Draft<'_>, folder: &Word) -> Outcome {
    for place in draft.places(folder)? {
        if !draft.is_there(place.path()) {
            draft.reads([Area::At(place.path().to_owned())]);
        }
    }
    Ok(())
}

/// `tar xzf a.tgz` as `tar -xz -f a.tgz`: the first word's letters take their values in order.
fn dashed(words: &[Word]) -> Vec<Word> {
    let Some((first, rest)) = words.split_first().filter(|(first, _)| first.value.is_some() && !first.text().starts_with('-'))
    else {
        return words.to_vec();
    };
    let mut rest = rest.iter();
    let mut all = Vec::new();
    for letter in first.text().chars() {
        all.push(Word::known(&format!("-{letter}")));
        if matches!(letter, 'f' | 'C' | 'T' | 'X' | 'I') {
            all.extend(rest.next().cloned());
        }
    }
    all.extend(rest.cloned());
    all
}

fn joined(folder: &Word, member: &Word) -> Word {
    if folder.text() == "." || member.text().starts_with('/') {
        return member.clone();
    }
    match (&folder.value, &member.value) {
        (Some(folder), Some(member)) => Word::known(&format!("{}/{member}", folder.trim_end_matches('/'))),
        _ => folder.clone(),
    }
}

fn unzip(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let parsed = Options { short: "oqnujaLld:tvpx:XC", long: "" }.parse(words)?;
    let Some(archive) = parsed.operands.first() else { return Ok(()) };
    draft.read(archive)?;
    if parsed.has(&["-l", "-t", "-v", "-p"]) {
        return Ok(());
    }
    let folder = parsed.value(&["-d"]).cloned().unwrap_or_else(|| draft.here());
    draft.write_below(&folder)
}

fn zip(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let parsed = Options { short: "rqj9", long: "" }.parse(words)?;
    let Some((archive, members)) = parsed.operands.split_first() else { return Ok(()) };
    draft.change(archive)?;
    members.iter().try_for_each(|member| draft.read_below(member))
}

fn read_all(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "fqv", long: "force quiet" }.parse(words)?;
    parsed.operands.iter().try_for_each(|file| draft.read(file))
}

/// The endings that come or go.
const ENDINGS: &[&str] = &[".gz", ".bz2", ".xz", ".zst", ".lzma", ".tgz"];

fn compress(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options {
        short: "dkfcqvtnT:o>0123456789e",
        long: "decompress uncompress keep force stdout to-stdout quiet verbose test best fast rm output> threads:",
    }
    .parse(words)?;
    draft.option_files(&parsed)?;
    for file in &parsed.operands {
        if parsed.has(&["-c", "--stdout", "--to-stdout", "-t", "--test"]) {
            draft.read(file)?;
            continue;
        }
        draft.change(file)?;
        let Some(name) = &file.value else {
            draft.write_below(file)?;
            continue;
        };
        for ending in ENDINGS {
            draft.write(&Word::known(&format!("{name}{ending}")))?;
            if let Some(bare) = name.strip_suffix(ending) {
                draft.write(&Word::known(bare))?;
            }
        }
    }
    Ok(())
}
