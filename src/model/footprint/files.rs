//! Programs that make, change and remove files.
//!
//! Owns: what `mkdir`, `cp`, `chmod` and their like touch. Never does: take a target for a file where it may be a folder.

use super::Area;
use super::draft::{Draft, Outcome, Word};
use super::options::{Options, Parsed};

/// The command, if it is one of these.
pub fn command(draft: &mut Draft<'_>, program: &str, words: &[Word]) -> Option<Outcome> {
    let known: fn(&mut Draft<'_>, &[Word]) -> Outcome = match program {
        "mkdir" => mkdir,
        "rmdir" => rmdir,
        "rm" | "unlink" | "shred" => rm,
        "touch" | "truncate" => touch,
        "cp" => cp,
        "mv" => mv,
        "ln" => ln,
        "install" => install,
        "chmod" => chmod,
        "chown" | "chgrp" => chown,
        "tee" => tee,
        "dd" => dd,
        "mktemp" => mktemp,
        "mkfifo" | "mknod" => |draft, words| words.iter().take(1).try_for_each(|word| draft.write(word)),
        "setcap" => setcap,
        "dos2unix" => dos2unix,
        "patch" => patch,
        "rsync" => rsync,
        _ => return None,
    };
    Some(known(draft, words))
}

fn mkdir(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "pvm:Z", long: "parents verbose mode:" }.parse(words)?;
    let with_parents = parsed.has(&["-p", "--parents"]);
    for folder in &parsed.operands {
        if with_parents { draft.make_folders(folder)? } else { draft.change(folder)? }
    }
    Ok(())
}

fn rmdir(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "pv", long: "parents ignore-fail-on-non-empty verbose" }.parse(words)?;
    // It hangs on whether anything is in it.
    parsed.operands.iter().try_for_each(|folder| draft.change_below(folder))
}

fn rm(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "rRfiIvdun:z", long: "recursive force verbose dir one-file-system" }.parse(words)?;
    let deep = parsed.has(&["-r", "-R", "--recursive"]);
    let gently = parsed.has(&["-f", "--force"]);
    for target in &parsed.operands {
        match (deep, gently) {
            (true, true) => {
                let places = draft.places(target)?;
                draft.writes(places.into_iter().map(super::draft::below));
            }
            (true, false) => draft.change_below(target)?,
            (false, true) => {
                let places = draft.places(target)?;
                draft.writes(places);
            }
            (false, false) => draft.change(target)?,
        }
    }
    Ok(())
}

fn touch(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "acmhd:t:r<s:", long: "no-create date: reference< time: size:" }.parse(words)?;
    draft.option_files(&parsed)?;
    parsed.operands.iter().try_for_each(|file| draft.change(file))
}

const COPYING: Options = Options {
    short: "arRpPLHdflnTt:uvxsiSZb",
    long: "archive recursive preserve? no-preserve: no-clobber force link symbolic-link dereference no-dereference parents \
           target-directory: no-target-directory update verbose strip-trailing-slashes sparse: reflink? interactive one-file-system \
           remove-destination attributes-only backup?",
};

fn cp(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = COPYING.parse(words)?;
    let deep = parsed.has(&["-a", "-r", "-R", "--archive", "--recursive"]);
    let (sources, target) = sources_and_target(&parsed)?;
    for source in &sources {
        if deep { draft.read_below(source)? } else { draft.read(source)? }
    }
    if parsed.has(&["--parents"]) {
        return draft.write_below(&target);
    }
    lay(draft, &sources, &target, deep, parsed.has(&["-T", "--no-target-directory"]))
}

fn mv(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = COPYING.parse(words)?;
    let (sources, target) = sources_and_target(&parsed)?;
    sources.iter().try_for_each(|source| draft.change_below(source))?;
    lay(draft, &sources, &target, true, parsed.has(&["-T", "--no-target-directory"]))
}

fn sources_and_target(parsed: &Parsed) -> Result<(Vec<Word>, Word), String> {
    if let Some(target) = parsed.value(&["-t", "--target-directory"]) {
        let mut folder = target.clone();
        folder.value = folder.value.map(|folder| format!("{folder}/"));
        return Ok((parsed.operands.clone(), folder));
    }
    let (target, sources) = parsed.operands.split_last().ok_or("it has no target")?;
    Ok((sources.to_vec(), target.clone()))
}

/// Lays sources at a target, which may be a folder in which they come to lie under their own names.
fn lay(draft: &mut Draft<'_>, sources: &[Word], target: &Word, deep: bool, exactly: bool) -> Outcome {
    let text = target.text();
    let surely_folder = sources.len() > 1 || text.ends_with('/') || matches!(text, "." | "..") || text.ends_with("/.");
    for place in draft.places(target)? {
        let Area::At(path) = place else {
            draft.writes_at(place);
            continue;
        };
        if !surely_folder || exactly {
            draft.writes_at(if deep { Area::Below(path.clone()) } else { Area::At(path.clone()) });
        }
        // Whether the target is a folder is asked.
        if !draft.is_there(&path) {
            draft.reads([Area::At(path.clone())]);
        }
        if exactly || deep && !surely_folder {
            continue;
        }
        for source in sources {
            let inside = match name_of(source.text()) {
                Some(name) => format!("{}/{name}", path.trim_end_matches('/')),
                // `x/.` and patterns: any name.
                None => {
                    draft.writes_at(Area::Below(path.clone()));
                    continue;
                }
            };
            draft.writes_at(if deep { Area::Below(inside) } else { Area::At(inside) });
        }
    }
    Ok(())
}

/// The last part of a path, where it is one name.
fn name_of(path: &str) -> Option<&str> {
    let name = path.trim_end_matches('/').rsplit('/').next()?;
    let plain = !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['*', '?', '[', '{']);
    plain.then_some(name)
}

fn ln(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options {
        short: "sfnrvTt:ibLP",
        long: "symbolic force no-dereference relative verbose no-target-directory target-directory: interactive",
    }
    .parse(words)?;
    let symbolic = parsed.has(&["-s", "--symbolic"]);
    let (sources, target) = match parsed.operands.as_slice() {
        // The name of the source in the folder in which it runs.
        [_] if !parsed.has(&["-t", "--target-directory"]) => (parsed.operands.clone(), Word::known("./")),
        _ => sources_and_target(&parsed)?,
    };
    if !symbolic {
        sources.iter().try_for_each(|source| draft.read_below(source))?;
    }
    // What is seen through a link changes with it.
    let exactly = parsed.has(&["-n", "-T", "--no-dereference", "--no-target-directory"]);
    let folder = target.text().ends_with('/') || sources.len() > 1;
    for place in draft.places(&target)? {
        let path = place.path().to_owned();
        if !folder {
            draft.writes_at(Area::Below(path.clone()));
        }
        // `-n` treats a link to a folder as a file, but lays the link into a real folder.
        if folder || !exactly {
            if !draft.is_there(&path) {
                draft.reads([Area::At(path.clone())]);
            }
            for source in &sources {
                match name_of(source.text()) {
                    Some(name) => draft.writes_at(Area::Below(format!("{}/{name}", path.trim_end_matches('/')))),
                    None => draft.writes_at(Area::Below(path.clone())),
                }
            }
        }
    }
    Ok(())
}

fn install(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options {
        short: "dDm:o:g:t:vpsTcC",
        long: "directory mode: owner: group: target-directory: verbose preserve-timestamps no-target-directory strip",
    }
    .parse(words)?;
    if parsed.has(&["-d", "--directory"]) {
        return parsed.operands.iter().try_for_each(|folder| draft.make_folders(folder));
    }
    let (sources, target) = sources_and_target(&parsed)?;
    sources.iter().try_for_each(|source| draft.read(source))?;
    if parsed.has(&["-D"]) {
        for place in draft.places(&target)? {
            draft.makes_folders_above(&format!("{}/x", place.path()));
        }
    }
    lay(draft, &sources, &target, false, parsed.has(&["-T", "--no-target-directory"]))
}

fn chmod(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let is_mode = |word: &Word| {
        let text = word.value.as_deref().unwrap_or(&word.raw);
        !text.starts_with("--")
            && text.trim_start_matches('-').chars().all(|c| "rwxXstugo+-=,01234567".contains(c))
            && text != "-R"
    };
    // `chmod -x file`: a mode that looks like an option.
    let words: Vec<Word> = match words.iter().position(is_mode) {
        Some(at) => words.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, word)| word.clone()).collect(),
        None => words.to_vec(),
    };
    let parsed = Options { short: "Rvcf", long: "recursive verbose changes quiet silent reference<" }.parse(&words)?;
    attributes(draft, &parsed, &parsed.operands)
}

fn chown(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options {
        short: "RvcfhHLP",
        long: "recursive verbose changes quiet silent no-dereference dereference reference< from: preserve-root",
    }
    .parse(words)?;
    // Names are looked up among the accounts.
    draft.reads([Area::At("/etc/passwd".to_owned()), Area::At("/etc/group".to_owned())]);
    let skip = usize::from(!parsed.has(&["--reference"]));
    attributes(draft, &parsed, parsed.operands.get(skip..).unwrap_or_default())
}

fn attributes(draft: &mut Draft<'_>, parsed: &Parsed, targets: &[Word]) -> Outcome {
    draft.option_files(parsed)?;
    let deep = parsed.has(&["-R", "--recursive"]);
    for target in targets {
        if deep { draft.change_below(target)? } else { draft.change(target)? }
    }
    Ok(())
}

fn tee(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "aip", long: "append ignore-interrupts" }.parse(words)?;
    parsed.operands.iter().try_for_each(|file| draft.write(file))
}

fn dd(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    for word in words {
        match word.text().split_once('=') {
            Some(("if", _)) => draft.read(&word.behind(3).unwrap_or_default())?,
            Some(("of", _)) => draft.write(&word.behind(3).unwrap_or_default())?,
            Some(_) => {}
            None => return Err(word.unknown()),
        }
    }
    Ok(())
}

fn mktemp(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = Options { short: "dqutp:", long: "directory dry-run quiet tmpdir? suffix:" }.parse(words)?;
    let folder = parsed.value(&["-p", "--tmpdir"]).cloned().unwrap_or_else(|| Word::known("/tmp"));
    draft.write_below(&folder)?;
    // A template with a folder in it.
    parsed.operands.iter().filter(|template| template.text().contains('/')).try_for_each(|template| {
        let folder = super::draft::parent(template.text()).unwrap_or("/").to_owned();
        draft.write_below(&Word::known(&folder))
    })
}

fn setcap(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let parsed = Options { short: "qvr", long: "" }.parse(words)?;
    let skip = usize::from(!parsed.has(&["-r"]));
    // Capabilities and files take turns.
    let files = parsed.operands.iter().enumerate().filter(|(index, _)| skip == 0 || index % 2 == 1);
    files.map(|(_, file)| file.clone()).collect::<Vec<_>>().iter().try_for_each(|file| draft.change(file))
}

fn dos2unix(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let parsed = Options { short: "qkf", long: "quiet keepdate force" }.parse(words)?;
    parsed.operands.iter().try_for_each(|file| draft.change(file))
}

/// What it changes is said by the patch, but lies below its folder.
fn patch(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let parsed = Options {
        short: "p:Ni<d:sREbtfulF:",
        long: "strip: forward input< directory: silent quiet reverse dry-run batch force fuzz: verbose binary",
    }
    .parse(words)?;
    draft.option_files(&parsed)?;
    let folder = parsed.value(&["-d", "--directory"]).cloned().unwrap_or_else(|| draft.here());
    let (target, patches) = parsed.operands.split_first().map_or((None, &[][..]), |(target, rest)| (Some(target), rest));
    patches.iter().try_for_each(|patch| draft.read(patch))?;
    draft.change_below(target.unwrap_or(&folder))
}

fn rsync(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let parsed = Options {
        short: "avzrlptgoDhPuWHAXxRcnq",
        long: "archive verbose recursive delete exclude: include: progress links update quiet delete-after ignore-existing",
    }
    .parse(words)?;
    let (target, sources) = parsed.operands.split_last().ok_or("it has no target")?;
    if parsed.operands.iter().any(|word| word.value.as_deref().unwrap_or(&word.raw).contains(':')) {
        return Err("it may ask another machine".to_owned());
    }
    sources.iter().try_for_each(|source| draft.read_below(source))?;
    draft.read_below(target)?;
    draft.write_below(target)
}
