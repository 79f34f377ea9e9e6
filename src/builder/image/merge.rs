//! Layers laid over each other.
//!
//! Owns: what becomes of a path that a layer takes away or puts in the place of another, and which names are one file.

use super::layer::{Change, Layer};
use super::{Entry, EntryKind};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The paths, and for each file a number that its other names share.
#[derive(Default)]
struct Tree {
    entries: BTreeMap<String, (Entry, usize)>,
    files: usize,
}

/// The paths of an image from its layers, the lowest first. `Err`: a hard link to what is not there.
pub(super) fn merged(layers: &[Arc<Layer>]) -> Result<BTreeMap<String, Entry>, String> {
    let mut tree = Tree::default();
    for layer in layers {
        // What is taken away is so in the layers below, wherever in the tar that is said.
        for change in &layer.0 {
            match change {
                Change::Remove(path) => tree.remove(path),
                Change::Empty(folder) => tree.remove_below(folder),
                Change::Put(..) | Change::HardLink { .. } => {}
            }
        }
        for change in &layer.0 {
            match change {
                Change::Put(path, entry) => tree.put(path, entry.clone()),
                Change::HardLink { path, to } => tree.link(path, to)?,
                Change::Remove(_) | Change::Empty(_) => {}
            }
        }
    }
    Ok(tree.finish())
}

impl Tree {
    fn remove(&mut self, path: &str) {
        self.entries.remove(path);
        self.remove_below(path);
    }

    fn remove_below(&mut self, folder: &str) {
        if folder.is_empty() {
            self.entries.clear();
            return;
        }
        let prefix = format!("{folder}/");
        let below = self.entries.range(prefix.clone()..).map(|(path, _)| path).take_while(|path| path.starts_with(&prefix));
        for path in below.cloned().collect::<Vec<_>>() {
            self.entries.remove(&path);
        }
    }

    fn put(&mut self, path: &str, entry: Entry) {
        if entry.kind != EntryKind::Directory {
            self.remove_below(path);
        }
        self.files += 1;
        self.entries.insert(path.to_owned(), (entry, self.files));
    }

    fn link(&mut self, path: &str, to: &str) -> Result<(), String> {
        let target = self.entries.get(to).cloned();
        let target = target.ok_or_else(|| format!("/{path} is a hard link to /{to}, which is not there"))?;
        self.remove_below(path);
        self.entries.insert(path.to_owned(), target);
        Ok(())
    }

    fn finish(self) -> BTreeMap<String, Entry> {
        let mut names: HashMap<usize, Vec<String>> = HashMap::new();
        for (path, (entry, file)) in &self.entries {
            if matches!(entry.kind, EntryKind::File { .. }) {
                names.entry(*file).or_default().push(path.clone());
            }
        }
        let mut entries = BTreeMap::new();
        for (path, (mut entry, file)) in self.entries {
            if let EntryKind::File { links, .. } = &mut entry.kind {
                let others = names.get(&file).into_iter().flatten().filter(|other| **other != path);
                *links = others.cloned().collect();
            }
            entries.insert(path, entry);
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Entry, EntryKind, Layer, merged};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn file(path: &str, size: u64) -> Change {
        put(path, EntryKind::File { hash: [0; 32], size, links: Vec::new() })
    }

    fn folder(path: &str) -> Change {
        put(path, EntryKind::Directory)
    }

    fn put(path: &str, kind: EntryKind) -> Change {
        Change::Put(path.to_owned(), Entry { kind, mode: 0o644, uid: 0, gid: 0, xattrs: BTreeMap::new() })
    }

    fn shown(layers: Vec<Vec<Change>>) -> String {
        let layers: Vec<_> = layers.into_iter().map(|changes| Arc::new(Layer(changes))).collect();
        let entries = merged(&layers).unwrap();
        let one = |(path, entry): (&String, &Entry)| match &entry.kind {
            EntryKind::File { size, links, .. } if links.is_empty() => format!("{path}={size}"),
            EntryKind::File { size, links, .. } => format!("{path}={size}~{}", links.join("~")),
            EntryKind::Directory => format!("{path}/"),
            _ => format!("{path}?"),
        };
        entries.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_whiteout_takes_away_what_is_below_and_not_what_its_own_layer_puts_there() {
        let base = || vec![folder("d"), file("d/x", 1), file("d/y", 2), file("dx", 3)];
        assert_eq!(shown(vec![base(), vec![Change::Remove("d".to_owned())]]), "dx=3");
        assert_eq!(shown(vec![base(), vec![folder("d"), file("d/z", 4), Change::Empty("d".to_owned())]]), "d/ d/z=4 dx=3");
        assert_eq!(shown(vec![base(), vec![file("d/x", 9), Change::Remove("d/x".to_owned())]]), "d/ d/x=9 d/y=2 dx=3");
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_takes_all_that_was_in_it() {
        assert_eq!(shown(vec![vec![folder("d"), file("d/x", 1)], vec![file("d", 2)]]), "d=2");
        assert_eq!(shown(vec![vec![folder("d"), file("d/x", 1)], vec![folder("d")]]), "d/ d/x=1");
    }

    #[test]
    fn names_of_one_file_know_each_other_until_a_layer_parts_them() {
        let link = || Change::HardLink { path: "b".to_owned(), to: "a".to_owned() };
        assert_eq!(shown(vec![vec![file("a", 1), link()]]), "a=1~b b=1~a");
        assert_eq!(shown(vec![vec![file("a", 1), link()], vec![file("a", 2)]]), "a=2 b=1");
        assert!(merged(&[Arc::new(Layer(vec![link()]))]).unwrap_err().contains("/b is a hard link to /a"));
    }
}
