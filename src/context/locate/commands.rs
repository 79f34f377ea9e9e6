//! Build commands in scripts, makefiles and workflows.
//!
//! Owns: which options of `docker build`, `docker buildx build`, `podman build` and `buildah bud` take a value, and which words of a
//! command are its Dockerfile, its target and its context. Never does: resolve their paths.

use super::claim::{Said, below, folder_of};
use super::fresh;
use super::words::{Command, Word, commands, variables};

/// Options without a value.
const FLAGS: &str = "--check --compress --debug --disable-content-trust --force-rm --layers --load --no-cache --pull --push --quiet --rm --squash \
    --squash-all --all-platforms --disable-compression --no-hostname --no-hosts --omit-history --pull-always --pull-never --tls-verify -q -D";

/// What may stand before a program.
const BEFORE: &str = "sudo exec time if then do else ! env command nohup retry -E";

/// Where a script's commands run, as far as can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// In one of these folders of the repository.
    OneOf(Vec<String>),
    /// The script went somewhere that can't be seen.
    Lost,
}

/// A build that a script runs: where, and what it says.
pub(super) fn builds(file: &str, script: &str, start: &Base, shares_folder: bool) -> Vec<(Base, Said, usize)> {
    let commands = commands(script, &variables(script));
    let mut builds = Vec::new();
    let mut base = start.clone();
    for command in &commands {
        if command.begins && !shares_folder {
            base = start.clone();
        }
        if let Some(target) = changed_folder(command) {
            base = moved(&base, file, target);
        } else if let Some(mut said) = build(&command.words) {
            said.fresh = fresh::in_script(arguments_given(&command.words), script);
            builds.push((base.clone(), said, command.line));
        }
    }
    builds
}

fn changed_folder(command: &Command) -> Option<Option<&Word>> {
    let (first, rest) = command.words.split_first()?;
    match first.raw.as_str() {
        "cd" | "pushd" => Some(rest.iter().find(|word| !word.raw.starts_with('-'))),
        "popd" => Some(None),
        _ => None,
    }
}

fn moved(base: &Base, script: &str, target: Option<&Word>) -> Base {
    let Some(target) = target else { return Base::Lost };
    if let Some(folder) = from_own_folder(script, &target.raw) {
        return Base::OneOf(vec![folder]);
    }
    match (base, &target.value) {
        (Base::OneOf(bases), Some(path)) => Base::OneOf(bases.iter().filter_map(|base| below(base, path)).collect()),
        _ => Base::Lost,
    }
}

/// `$(dirname "$0")/..` and its kin: a place from the script's own folder.
fn from_own_folder(script: &str, word: &str) -> Option<String> {
    let is_own = word.contains("dirname") && ["$0", "${0}", "BASH_SOURCE"].iter().any(|own| word.contains(own));
    let rest = word.rsplit([')', '`']).next().filter(|rest| is_own && !rest.contains('$'))?;
    let inner = word.strip_suffix(rest)?;
    // `$(cd "$(dirname "$0")/.." && pwd)` goes up inside.
    if inner.contains("..") {
        return None;
    }
    below(folder_of(script), rest.trim_start_matches('/'))
}

/// What a command builds, if it does.
fn build(words: &[Word]) -> Option<Said> {
    let start = words.iter().position(|word| !is_before(&word.raw))?;
    let (program, rest) = words.get(start..)?.split_first()?;
    let name = program.value.as_deref().unwrap_or(&program.raw).rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let names: Vec<&str> = rest.iter().take(2).map(|word| word.raw.as_str()).collect();
    let is_engine = matches!(name.as_str(), "docker" | "podman" | "nerdctl" | "buildx" | "docker-buildx")
        || (program.value.is_none() && ["docker", "container", "podman", "engine"].iter().any(|word| name.contains(word)));
    let skipped = match (name.as_str(), names.as_slice()) {
        ("buildah", ["bud" | "build" | "build-using-dockerfile", ..]) => 1,
        (_, ["build", ..]) if is_engine => 1,
        (_, ["buildx" | "image" | "builder", "build" | "b"]) if is_engine => 2,
        _ => return None,
    };
    arguments(rest.get(skipped..)?)
}

fn is_before(word: &str) -> bool {
    let is_setting = word
        .split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    is_setting || BEFORE.split(' ').any(|other| other == word)
}

/// The build arguments of a command, as they stand.
fn arguments_given(words: &[Word]) -> impl Iterator<Item = &str> {
    let pairs = words.iter().zip(words.iter().skip(1));
    let apart = pairs.filter(|(option, _)| option.raw == "--build-arg").map(|(_, word)| word.raw.as_str());
    apart.chain(words.iter().filter_map(|word| word.raw.strip_prefix("--build-arg=")))
}

fn arguments(words: &[Word]) -> Option<Said> {
    let mut said = Said::default();
    let mut places: Vec<&Word> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.raw.starts_with('-') || word.raw == "-" {
            places.push(word);
            continue;
        }
        let (name, own) = match word.raw.split_once('=') {
            Some((name, _)) => (name, word.value.as_ref().map(|value| value.split_once('=').map(|(_, value)| value.to_owned()))),
            None if FLAGS.split(' ').any(|flag| flag == word.raw) => continue,
            None => (word.raw.as_str(), words.next()?.value.clone().map(Some)),
        };
        match name {
            "-f" | "--file" => said.dockerfile = Some(own.flatten()),
            "--target" => said.target = Some(own.flatten()),
            _ => {}
        }
    }
    let context = places.pop()?;
    // Before it only words whose variables may hold options.
    let is_clear = places.iter().all(|word| word.value.is_none());
    (is_clear && context.value.as_deref() != Some("-")).then_some(())?;
    said.context = Some(context.value.clone());
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(file: &str, script: &str) -> Vec<String> {
        let start = Base::OneOf(vec![String::new()]);
        let show = |(base, said, line): (Base, Said, usize)| {
            let word = |word: Option<Option<String>>| word.map_or("-".to_owned(), |word| word.unwrap_or("?".to_owned()));
            let base = match base {
                Base::OneOf(bases) => bases.join("|"),
                Base::Lost => "lost".to_owned(),
            };
            format!("{line} [{base}] {} {} {}", word(said.dockerfile), word(said.target), word(said.context))
        };
        builds(file, script, &start, true).into_iter().map(show).collect()
    }

    #[test]
    fn build_commands_are_read() {
        for (script, expected) in [
            ("docker build .", "1 [] - - ."),
            ("docker build -t a -f docker/D --target=dev --no-cache --build-arg X=1 ctx", "1 [] docker/D dev ctx"),
            ("sudo DOCKER_BUILDKIT=1 docker buildx build --push --platform a,b --file=D .. ", "1 [] D - .."),
            ("$(DOCKER) build $(ARGS) -f $(FILE) .", "1 [] ? - ."),
            ("podman build -t x $DIR", "1 [] - - ?"),
            ("buildah bud -f D .", "1 [] D - ."),
            ("docker image build -q sub", "1 [] - - sub"),
            ("cd a && docker build .", "1 [a] - - ."),
            ("cd a\ndocker build .\ncd $X\ndocker build .", "2 [a] - - .;4 [lost] - - ."),
            ("cd \"$(dirname \"$0\")/..\" && docker build b", "1 [] - - b"),
            ("cd \"$( cd \"$( dirname \"${BASH_SOURCE[0]}\" )\" && pwd )\"\ndocker build .", "2 [ci] - - ."),
            ("docker build - < Dockerfile", ""),
            ("docker build a b", ""),
            ("docker run build .", ""),
            ("docker-compose build .", ""),
            ("echo docker build .", ""),
            ("# docker build .", ""),
        ] {
            let expected: Vec<&str> = if expected.is_empty() { Vec::new() } else { expected.split(';').collect() };
            assert_eq!(shown("ci/build.sh", script), expected, "{script}");
        }
    }
}
