//! What a COPY source or a bind mount takes of a context, whether or not it is there now.
//!
//! Owns: [`Source`], the question whether a path belongs to a source. The rules are those by which the builder hashes what it copies: the
//! ignore file's, Go's `filepath.Match` for the first parts of the path, and that a source that is a link itself stands for what it
//! leads to. Never does: list a folder.

use super::matching::Pieces;
use super::{Kind, View, glob};

/// A source of COPY, ADD or `RUN --mount=type=bind`, its variables put in.
#[derive(Clone, Debug)]
pub struct Source {
    places: Vec<Place>,
    view: Option<View>,
}

#[derive(Clone, Debug)]
enum Place {
    /// This path and all below it; the empty one is everything.
    Below(String),
    /// This very path: a link on the way.
    At(String),
    /// A folder, and a pattern for what follows in a path: what matches, and all below it.
    Like(String, Pieces),
}

impl Source {
    /// Reads a source as it is written. `None` where the builder calls its pattern malformed. Without a view no path is ignored, and
    /// no link is known.
    pub fn read(source: &str, view: Option<&View>) -> Option<Self> {
        let source = glob::clean(source);
        let (folder, pattern) = glob::split(&source);
        let mut places = match pattern {
            None => vec![Place::Below(source.clone())],
            Some(pattern) => vec![Place::Like(folder.to_owned(), glob::read(pattern)?)],
        };
        if let Some(view) = view {
            places.extend(links(view, folder, pattern)?);
            let matches = view.expand(&source);
            let led = matches.iter().filter(|path| view.kind(path) == Some(Kind::Link));
            places.extend(led.filter_map(|link| view.followed(link)).map(Place::Below));
        }
        Some(Self { places, view: view.cloned() })
    }

    /// Whether a change of the file (its being added or deleted, its content, its mode) changes what the source brings.
    pub fn takes(&self, path: &str) -> bool {
        self.places.iter().any(|place| place.holds(path)) && !self.view.as_ref().is_some_and(|view| view.is_ignored(path))
    }

    /// Whether it names one path and nothing but that: no folder, no pattern.
    pub fn names_a_file(&self) -> bool {
        let is_folder =
            |path: &str| path.is_empty() || self.view.as_ref().is_some_and(|view| view.kind(path) == Some(Kind::Folder));
        self.places.iter().all(|place| match place {
            Place::Below(path) | Place::At(path) => !is_folder(path),
            Place::Like(..) => false,
        })
    }
}

/// The links on the way to a source, and where they lead together.
fn links(view: &View, folder: &str, pattern: Option<&str>) -> Option<Vec<Place>> {
    let ends = folder.match_indices('/').map(|(end, _)| end).chain([folder.len()]);
    let on_the_way = ends.filter_map(|end| folder.get(..end)).filter(|path| view.kind(path) == Some(Kind::Link));
    let mut places: Vec<Place> = on_the_way.map(|path| Place::At(path.to_owned())).collect();
    if let Some(led) = view.followed(folder).filter(|led| led != folder) {
        places.push(match pattern {
            None => Place::Below(led),
            Some(pattern) => Place::Like(led, glob::read(pattern)?),
        });
    }
    Some(places)
}

impl Place {
    fn holds(&self, path: &str) -> bool {
        match self {
            Self::Below(folder) => below(path, folder).is_some(),
            Self::At(place) => place == path,
            Self::Like(folder, pattern) => below(path, folder).filter(|rest| !rest.is_empty()).is_some_and(|rest| {
                let ends = rest.match_indices('/').map(|(end, _)| end).chain([rest.len()]);
                ends.filter_map(|end| rest.get(..end)).any(|start| pattern.matches(start))
            }),
        }
    }
}

/// The rest of a path behind a folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::{Source, View};

    fn takes(source: &str, path: &str) -> bool {
        let view = View::of_files([(".dockerignore", Some("*.md\n!README.md\ntmp\n")), ("src/a", None), ("docs/b.md", None)]);
        Source::read(source, Some(&view)).unwrap().takes(path)
    }

    #[test]
    fn a_source_takes_what_it_names_and_what_lies_below() {
        for (source, path) in [
            (".", "x"),
            ("./", "a/b"),
            ("/src", "src/new/file"),
            ("src/", "src"),
            ("a.txt", "a.txt"),
            ("../a", "a"),
            (".", "README.md"),
        ] {
            assert!(takes(source, path), "{source} {path}");
        }
        for (source, path) in [("src", "srcs/x"), ("src/a", "src/b"), (".", "NEWS.md"), (".", "tmp/x"), ("a", "b/a")] {
            assert!(!takes(source, path), "{source} {path}");
        }
    }

    #[test]
    fn a_pattern_takes_files_that_are_not_there_yet() {
        for (source, path) in
            [("*.txt", "new.txt"), ("package*.json", "package-lock.json"), ("*", "a/b/c"), ("a/*/c", "a/x/c/d"), ("[ab]", "b")]
        {
            assert!(takes(source, path), "{source} {path}");
        }
        for (source, path) in [("*.txt", "a/b.txt"), ("a/*/c", "a/c"), ("a/?", "a"), ("*", "x.md")] {
            assert!(!takes(source, path), "{source} {path}");
        }
        assert!(Source::read("[", None).is_none());
        assert!(Source::read(".", None).unwrap().takes("NEWS.md"), "without a view nothing is ignored");
    }

    #[test]
    fn files_are_told_from_folders() {
        let view = View::of_files([("src/a", None)]);
        let names = |source: &str| Source::read(source, Some(&view)).unwrap().names_a_file();
        assert!(names("src/a") && names("package.json"));
        assert!(!names("src") && !names(".") && !names("*.json"));
    }
}
