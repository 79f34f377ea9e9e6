//! YAML files of a repository, as far as is sound.
//!
//! Owns: reading a text into nodes without being led astray by one that is made to exhaust memory, and looking keys up through
//! merges. Never does: know a file's schema.

use saphyr::{LoadableYamlNode, MarkedYaml};
use std::collections::HashMap;

/// A longer text is no file that a person wrote.
const LONGEST: usize = 512 << 10;

/// So many lines, after each alias is replaced by what it stands for, are read.
const MOST_LINES: usize = 200_000;

/// More anchors than a person sets.
const MOST_ANCHORS: usize = 1_000;

/// More `- - -` on a line than a person writes.
const MOST_DASHES: usize = 8;

const MOST_MERGES: usize = 8;

/// A node with its place.
pub type Node<'t> = MarkedYaml<'t>;

/// The documents of a text; none where it can't be read, or would grow beyond measure.
pub fn read(text: &str) -> Vec<Node<'_>> {
    let is_sound = text.len() <= LONGEST && text.lines().all(|line| dashes(line) <= MOST_DASHES) && grown(text) <= MOST_LINES;
    if is_sound { MarkedYaml::load_from_str(text).unwrap_or_default() } else { Vec::new() }
}

fn dashes(line: &str) -> usize {
    line.split_ascii_whitespace().take_while(|word| matches!(*word, "-" | "?" | ":")).count()
}

/// How many lines a text has when each alias is replaced by the lines of its anchor; guessed from the indentation, and rather too
/// many than too few.
fn grown(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    // What the lines before each line come to.
    let mut sums: Vec<usize> = vec![0];
    let mut anchors: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut count = 0;
    for (number, line) in lines.iter().enumerate() {
        let mut size: usize = 1;
        for word in line.split([' ', '\t', ',', '[', ']', '{', '}', ':']) {
            if let Some((from, to)) = word.strip_prefix('*').and_then(|name| anchors.get(name)) {
                let sum = |line: &usize| sums.get((*line).min(number)).copied().unwrap_or_default();
                size = size.saturating_add(sum(to) - sum(from));
            } else if let Some(name) = word.strip_prefix('&').filter(|name| name.starts_with(char::is_alphanumeric)) {
                count += 1;
                if count > MOST_ANCHORS {
                    return usize::MAX;
                }
                anchors.insert(name, (number, end(&lines, number)));
            }
        }
        let sum = sums.last().copied().unwrap_or_default().saturating_add(size);
        if sum > MOST_LINES {
            return sum;
        }
        sums.push(sum);
    }
    sums.last().copied().unwrap_or_default()
}

/// The line behind the node that begins on a line.
fn end(lines: &[&str], start: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = lines.get(start).map_or(0, |line| indent(line));
    let is_over = |line: &&str| {
        let text = line.trim_start();
        indent(line) <= own && !text.is_empty() && !text.starts_with(['-', '*', '[', ']', '{', '}', ',', '#', '&'])
    };
    let length = lines.iter().skip(start + 1).position(is_over);
    length.map_or(lines.len(), |length| start + 1 + length)
}

/// A key of a mapping, looked up in what is merged into it too.
pub fn get<'n, 't>(node: &'n Node<'t>, key: &str) -> Option<&'n Node<'t>> {
    look_up(node, key, MOST_MERGES)
}

fn look_up<'n, 't>(node: &'n Node<'t>, key: &str, merges: usize) -> Option<&'n Node<'t>> {
    let own = |wanted: &str| entries(node).find(|(name, _)| *name == wanted).map(|(_, value)| value);
    own(key).or_else(|| {
        let merged = own("<<").filter(|_| merges > 0)?;
        let one = |node: &'n Node<'t>| look_up(node, key, merges - 1);
        one(merged).or_else(|| items(merged).find_map(one))
    })
}

/// The entries of a mapping, by names.
pub fn entries<'n, 't>(node: &'n Node<'t>) -> impl Iterator<Item = (&'n str, &'n Node<'t>)> {
    bare(node).data.as_mapping().into_iter().flatten().filter_map(|(key, value)| Some((text(key)?, value)))
}

/// The items of a list.
pub fn items<'n, 't>(node: &'n Node<'t>) -> impl Iterator<Item = &'n Node<'t>> {
    bare(node).data.as_vec().into_iter().flatten()
}

/// A text.
pub fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    bare(node).data.as_str()
}

/// The text of a key.
pub fn text_of<'n>(node: &'n Node<'_>, key: &str) -> Option<&'n str> {
    text(get(node, key)?)
}

/// Whether it is a mapping.
pub fn is_mapping(node: &Node<'_>) -> bool {
    bare(node).data.is_mapping()
}

/// Counted from 1.
pub fn line(node: &Node<'_>) -> usize {
    node.span.start.line()
}

/// Without its tag.
fn bare<'n, 't>(node: &'n Node<'t>) -> &'n Node<'t> {
    match &node.data {
        saphyr::YamlData::Tagged(_, inner) => inner,
        _ => node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_through_merges_and_tags() {
        let text = "x: &x\n  a: 1st\n  b: 2nd\ny:\n  <<: *x\n  b: own\nz: !tag\n  <<: [{c: 3rd}, *x]\n";
        let nodes = read(text);
        let of = |node: &str, key: &str| super::text_of(get(&nodes[0], node).unwrap(), key).map(str::to_owned);
        assert_eq!((of("y", "a").as_deref(), of("y", "b").as_deref()), (Some("1st"), Some("own")));
        assert_eq!((of("z", "c").as_deref(), of("z", "a").as_deref(), of("z", "d")), (Some("3rd"), Some("1st"), None));
        assert_eq!(line(get(&nodes[0], "y").unwrap()), 5);
        assert!(read("a: [").is_empty() && read("a: *nothing").len() <= 1);
    }

    #[test]
    fn a_text_that_explodes_is_not_read() {
        let level = |n: usize, indent: &str| {
            let aliases: String = (0..10).map(|_| format!("{indent}- *a{}\n", n - 1)).collect();
            format!("a{n}: &a{n}\n{aliases}")
        };
        for indent in ["", "  "] {
            let block: String = (1..10).map(|n| level(n, indent)).collect();
            assert!(read(&format!("a0: &a0 [x]\n{block}")).is_empty(), "{indent:?}");
        }
        let flow: String = (1..10).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))).collect();
        assert!(read(&format!("a0: &a0 x\n{flow}")).is_empty());
        assert!(read(&"- ".repeat(1000)).is_empty());
        assert_eq!(read("a: &a\n  b: c\nx: *a\ny: [*a, *a]\n").len(), 1);
        assert!(read(&"- &a x\n".repeat(MOST_ANCHORS + 1)).is_empty());
    }
}
