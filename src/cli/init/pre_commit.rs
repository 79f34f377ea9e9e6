//! The entry in `.pre-commit-config.yaml`.
//!
//! Owns: where it goes in a file that is there, so that every byte of it stays, and that nothing else changes its meaning. Never does:
//! write YAML anew.

use super::plan::{self, Proposal};
use crate::context::yaml;
use std::path::Path;

const FILE: &str = ".pre-commit-config.yaml";

const HOOK: &str = "dockeropt-fix";

/// The definition of the hook, as pre-commit gets it from the repository.
const DEFINITION: &str = include_str!("../../../.pre-commit-hooks.yaml");

/// What is to come of the file.
pub(super) fn proposal(folder: &Path, repo: Option<&str>) -> Proposal {
    let item = item(repo);
    if !folder.join(".git").exists() {
        let inside = folder.ancestors().any(|ancestor| ancestor.join(".git").exists());
        let because = if inside {
            "this is not the top folder of the repository, where pre-commit looks for its file: run init there for the hook"
        } else {
            "pre-commit works in a git repository, and this is none: `git init` first if it is to be one"
        };
        return Proposal::fine(FILE, because);
    }
    let text = match plan::text_of(folder, FILE) {
        Ok(text) => text,
        Err(because) => return Proposal::by_hand(FILE, because, item),
    };
    let purpose = "`dockeropt fix` before each commit; `pre-commit install` turns it on";
    let Some(before) = text else {
        let text = format!("repos:\n{}", indented(&item, "  "));
        return Proposal::made(FILE, text, purpose);
    };
    if has_hook(&before) {
        return Proposal::fine(FILE, "the hook is there");
    }
    match extended(&before, &item) {
        Some(after) => Proposal::extended(FILE, before, after, purpose),
        None => Proposal::by_hand(FILE, "is not written as a plain list under `repos:`; add this to it:", item),
    }
}

/// The entry as an item of a list that is not indented.
fn item(repo: Option<&str>) -> String {
    match repo {
        Some(repo) => format!(
            "- repo: {}\n  rev: v{}\n  hooks:\n    - id: {HOOK}\n",
            serde_json::Value::from(repo),
            env!("CARGO_PKG_VERSION")
        ),
        None => {
            let kept =
                |line: &&str| ["name:", "entry:", "files:", "exclude:"].iter().any(|key| line.trim_start().starts_with(key));
            let lines: String = DEFINITION.lines().filter(kept).map(|line| format!("      {}\n", line.trim())).collect();
            format!("- repo: local\n  hooks:\n    - id: {HOOK}\n{lines}      language: system\n      types: [text]\n")
        }
    }
}

fn indented(item: &str, by: &str) -> String {
    item.lines().map(|line| format!("{by}{line}\n")).collect()
}

fn has_hook(text: &str) -> bool {
    let documents = yaml::read(text);
    let repos = documents.iter().filter_map(|document| yaml::get(document, "repos")).flat_map(yaml::items);
    let mut hooks = repos.filter_map(|repo| yaml::get(repo, "hooks")).flat_map(yaml::items);
    hooks.any(|hook| yaml::text_of(hook, "id") == Some(HOOK))
}

/// The text with the item behind the last one of `repos`; `None` where the place can't be told, or the file would mean anything else
/// than before and the item.
fn extended(text: &str, item: &str) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let key = lines.iter().position(|line| line.split('#').next().is_some_and(|line| line.trim_end() == "repos:"))?;
    let below = || lines.iter().enumerate().skip(key + 1);
    let first = below().map(|(_, line)| line).find(|line| content(line)).filter(|line| line.trim_start().starts_with("- "))?;
    let margin = indent(first);
    let ends = |line: &str| content(line) && (indent(line) < margin || (indent(line) == margin && !line.starts_with([' ', '-'])));
    let end = below().find(|(_, line)| ends(line)).map_or(lines.len(), |(number, _)| number);
    // Behind the last line of the last item, and what is said there of its inner lines.
    let own = |line: &str| content(line) || (line.trim_start().starts_with('#') && indent(line) > margin);
    let last = below().take_while(|(number, _)| *number < end).filter(|(_, line)| own(line)).last()?.0;
    let line_end = plan::line_end(text);
    let mut after: String = lines.get(..=last)?.concat();
    if !after.ends_with('\n') {
        after.push_str(line_end);
    }
    after.push_str(&indented(item, &" ".repeat(margin)).replace('\n', line_end));
    after.push_str(&lines.get(last + 1..)?.concat());
    adds_only(text, &after, item).then_some(after)
}

/// Whether the second text means what the first does, with the item at the end of `repos`.
fn adds_only(before: &str, after: &str, item: &str) -> bool {
    let (before, after, item) = (yaml::read(before), yaml::read(after), yaml::read(item));
    let ([before], [after], [item]) = (before.as_slice(), after.as_slice(), item.as_slice()) else { return false };
    let keys = |node| yaml::entries(node).map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
    let others_stay = yaml::entries(before).all(|(key, value)| key == "repos" || yaml::get(after, key) == Some(value));
    let (Some(old), Some(new)) = (yaml::get(before, "repos"), yaml::get(after, "repos")) else { return false };
    let wanted = yaml::items(old).chain(yaml::items(item));
    keys(before) == keys(after) && others_stay && wanted.eq(yaml::items(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: &str = "- repo: x\n  hooks:\n    - id: y\n";

    #[test]
    fn the_item_comes_last_and_every_byte_stays() {
        let text = "# ours\nrepos:\n- repo: a # first\n  hooks: []\n  # of a\n\n# - repo: off\nexclude: b\n";
        let after = "# ours\nrepos:\n- repo: a # first\n  hooks: []\n  # of a\n- repo: x\n  hooks:\n    - id: y\n\n# - repo: off\nexclude: b\n";
        assert_eq!(extended(text, ITEM).as_deref(), Some(after));
    }

    #[test]
    fn indentation_and_line_ends_are_those_of_the_file() {
        let text = "repos:\r\n    - repo: a\r\n      hooks: []";
        let after = format!("{text}\r\n    - repo: x\r\n      hooks:\r\n        - id: y\r\n");
        assert_eq!(extended(text, ITEM), Some(after));
        let blocks = "repos:\n- repo: local\n  hooks:\n  - id: a\n    entry: |\n      # in the script\n      x\n";
        assert_eq!(extended(blocks, ITEM), Some(format!("{blocks}{ITEM}")));
    }

    #[test]
    fn what_is_not_a_plain_list_is_left_alone() {
        for text in [
            "repos: []\n",
            "repos: [{repo: a, hooks: []}]\n",
            "{repos: []}\n",
            "a: b\n",
            "",
            "repos:\n  a: b\n",
            "repos: &x\n- repo: a\n",
        ] {
            assert_eq!(extended(text, ITEM), None, "{text}");
        }
        assert!(extended("x: |\n  repos:\n  - repo: a\nrepos:\n- repo: b\n", ITEM).is_some_and(|after| after.ends_with(ITEM)));
    }

    #[test]
    fn the_entry_is_one_that_pre_commit_takes() {
        for item in [item(None), item(Some("https://example.org/a b"))] {
            let documents = yaml::read(&item);
            assert_eq!(yaml::items(&documents[0]).count(), 1, "{item}");
            assert!(has_hook(&format!("repos:\n{item}")), "{item}");
        }
        assert!(item(None).contains("entry: dockeropt fix --write --exit-non-zero-on-fix\n"));
    }
}
