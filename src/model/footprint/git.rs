//! What `git` touches.
//!
//! Owns: telling apart what only sets up, what clones, and what works on a repository in its folder. Never does: read a repository.

use super::draft::{Draft, Outcome, Word, below};
use super::fetch::{folder_of_url, home_files};
use super::fixed::is_version;
use super::options::Options;
use super::{Area, Fetch};
use crate::ecosystems::Found;

/// What a command of git has read from the home folder.
const HOME: &[&str] = &[".gitconfig", ".git-credentials", ".netrc"];

/// `git …`
pub fn command(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    home_files(draft, HOME);
    if let Some(home) = draft.below_home(".ssh") {
        draft.reads([Area::Below(home)]);
    }
    let mut folder = draft.here();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match word.text() {
            "-C" => {
                folder = words.get(at + 1).cloned().unwrap_or_default();
                at += 2;
            }
            "-c" => at += 2,
            "--no-pager" | "--version" | "-p" | "--no-optional-locks" => at += 1,
            text if text.starts_with('-') => return Err(format!("its option {text} is not known here")),
            _ => break,
        }
    }
    let Some((verb, rest)) = words.get(at..).and_then(<[Word]>::split_first) else { return Ok(()) };
    match verb.text() {
        "clone" => clone(draft, rest, &folder),
        "config" => config(draft, rest, &folder),
        "init" => init(draft, rest, &folder),
        "version" | "help" => Ok(()),
        "lfs" if rest.first().is_some_and(|word| word.text() == "install") => {
            if let Some(home) = draft.below_home(".gitconfig") {
                draft.writes([Area::At(home)]);
            }
            let root = root_of(draft, &folder)?;
            draft.change_below(&Word::known(&format!("{root}/.git")))
        }
        "ls-remote" => {
            draft.fetches(Fetch::Mutable("`git ls-remote`".to_owned()));
            Ok(())
        }
        "rev-parse" | "describe" | "log" | "show" | "status" | "diff" | "ls-files" | "ls-tree" | "rev-list" | "show-ref"
        | "grep" | "cat-file" | "for-each-ref" | "merge-base" | "name-rev" | "shortlog" | "blame" | "archive" => {
            look(draft, rest, &folder)
        }
        "tag" | "branch" | "remote" | "symbolic-ref" | "apply" | "am" | "checkout" | "reset" | "switch" | "restore" | "clean"
        | "reflog" | "stash" | "gc" | "add" | "rm" | "mv" | "commit" | "merge" | "cherry-pick" | "revert" | "sparse-checkout"
        | "rebase" | "prune" => work(draft, rest, &folder),
        "fetch" | "pull" => {
            draft.fetches(match rest.iter().any(|word| is_version(word.value.as_deref().unwrap_or(&word.raw))) {
                true => Fetch::Fixed,
                false if draft.sight.ran.pins.checkout => Fetch::Fixed,
                false => Fetch::Mutable(format!("`git {}`", verb.text())),
            });
            work(draft, rest, &folder)
        }
        // Which commit it takes is said by the repository.
        "submodule" => {
            let moves = rest.iter().any(|word| word.text() == "--remote");
            draft.fetches(if moves { Fetch::Mutable("`git submodule update --remote`".to_owned()) } else { Fetch::Fixed });
            work(draft, rest, &folder)
        }
        other => Err(format!("`git {other}` is not known here")),
    }
}

/// Looks at the repository that the folder belongs to.
fn look(draft: &mut Draft<'_>, words: &[Word], folder: &Word) -> Outcome {
    if words.iter().any(|word| word.text().starts_with("-o") || word.text().starts_with("--output") || word.value.is_none()) {
        return work(draft, words, folder);
    }
    let root = root_of(draft, folder)?;
    draft.read_below(&Word::known(&root))
}

/// Works on the repository that the folder belongs to.
fn work(draft: &mut Draft<'_>, words: &[Word], folder: &Word) -> Outcome {
    if words.iter().any(|word| matches!(word.text(), "-o" | "--output" | "--work-tree" | "--git-dir" | "--prefix")) {
        return Err("its options may name any file".to_owned());
    }
    // Patches are read from anywhere.
    for file in words.iter().filter(|word| word.text().contains('/') && !word.text().starts_with('-')) {
        if let Ok(places) = draft.places(file) {
            draft.reads(places);
        }
    }
    let root = root_of(draft, folder)?;
    draft.change_below(&Word::known(&root))
}

/// The folder that holds `.git`: one that is known to, else the folder itself.
fn root_of(draft: &Draft<'_>, folder: &Word) -> Result<String, String> {
    let own = draft.path(folder)?;
    let mut at = own.as_str();
    loop {
        let git = format!("{}/.git", at.trim_end_matches('/'));
        if matches!(draft.sight.project.look(&git), Found::File | Found::Folder) {
            return Ok(at.to_owned());
        }
        match super::draft::parent(at).filter(|_| at != "/") {
            Some(parent) => at = parent,
            None => return Ok(own),
        }
    }
}

fn clone(draft: &mut Draft<'_>, words: &[Word], folder: &Word) -> Outcome {
    let parsed = Options {
        short: "qvnlsb:o:u:c:j:46",
        long: "depth: branch: single-branch no-single-branch recurse-submodules? recursive shallow-submodules quiet verbose progress \
               no-checkout bare mirror no-tags config: filter: origin: jobs: remote-submodules also-filter-submodules shallow-since: \
               sparse no-hardlinks local no-local reject-shallow dissociate",
    }
    .parse(words)?;
    let url = parsed.operands.first().cloned().unwrap_or_default();
    let text = url.value.as_deref().unwrap_or(&url.raw);
    if url.value.is_some() && !text.contains(':') {
        return Err("it clones a folder".to_owned());
    }
    let tag = parsed.value(&["-b", "--branch"]);
    let pinned = tag.is_some_and(|tag| is_version(tag.text()) || is_version(&tag.raw)) || draft.sight.ran.pins.checkout;
    draft.fetches(if pinned { Fetch::Fixed } else { Fetch::Mutable(format!("`git clone {text}`, which names no version")) });
    let target = match (parsed.operands.get(1), folder_of_url(&url)) {
        (Some(target), _) => target.clone(),
        (None, Some(name)) => Word::known(&name),
        (None, None) => return draft.write_below(folder),
    };
    for place in draft.places(&seen_from(folder, &target))? {
        draft.makes_folders_above(place.path());
        // It asks whether the folder is empty.
        draft.reads([below(place.clone())]);
        draft.writes([below(place)]);
    }
    Ok(())
}

fn seen_from(folder: &Word, target: &Word) -> Word {
    match (&folder.value, &target.value) {
        (Some(folder), Some(target)) if folder != "." && !target.starts_with(['/', '~']) => {
            Word::known(&format!("{folder}/{target}"))
        }
        _ => target.clone(),
    }
}

fn config(draft: &mut Draft<'_>, words: &[Word], folder: &Word) -> Outcome {
    let has = |name: &str| words.iter().any(|word| word.text() == name);
    match () {
        () if has("--global") => match draft.below_home(".gitconfig") {
            Some(path) => {
                draft.writes([Area::At(path)]);
                Ok(())
            }
            None => Err("the user's home folder is not known".to_owned()),
        },
        () if has("--system") => {
            draft.writes([Area::At("/etc/gitconfig".to_owned())]);
            Ok(())
        }
        () if has("-f") || has("--file") || has("--blob") => Err("it changes a file that it names".to_owned()),
        () => {
            let root = root_of(draft, folder)?;
            draft.change_below(&Word::known(&format!("{}/.git", root.trim_end_matches('/'))))
        }
    }
}

fn init(draft: &mut Draft<'_>, words: &[Word], folder: &Word) -> Outcome {
    let parsed = Options { short: "qb:", long: "quiet bare initial-branch:" }.parse(words)?;
    let target = parsed.operands.first().cloned().unwrap_or_else(|| folder.clone());
    for place in draft.places(&target)? {
        draft.makes_folders_above(&format!("{}/x", place.path()));
        let own = if parsed.has(&["--bare"]) {
            place.path().to_owned()
        } else {
            format!("{}/.git", place.path().trim_end_matches('/'))
        };
        draft.reads([Area::Below(own.clone())]);
        draft.writes([Area::Below(own)]);
    }
    Ok(())
}
