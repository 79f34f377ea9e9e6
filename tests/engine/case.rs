//! What is built: a Dockerfile, the files of its context, and what is expected.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item};

/// What a `case.toml` of `tests/engine/cases` may say.
const KEYS: &[&str] =
    &["about", "covers", "transforms", "unsafe", "only", "edit", "cached", "build_args", "commits", "differs", "long"];

/// A pair to be built.
pub struct Case {
    pub name: String,
    pub text: String,
    /// The context's files by path, with whether they can be run.
    pub files: BTreeMap<String, (Vec<u8>, bool)>,
    pub covers: Vec<String>,
    /// Transforms that must have been applied.
    pub transforms: Vec<String>,
    pub unsafe_fixes: bool,
    pub only: Vec<String>,
    /// A file of the source, and a part of the step that must be cached after it was edited.
    pub edit: Option<(String, String)>,
    pub build_args: Vec<String>,
    /// What commits changed, the oldest first.
    pub commits: Vec<Vec<String>>,
    /// Paths below which an unsafe rewrite may differ.
    pub differs: Vec<String>,
    /// Built only where all are.
    pub long: bool,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

pub fn settings(folder: &Path) -> DocumentMut {
    let path = folder.join("case.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn words(item: Option<&Item>) -> Vec<String> {
    let list = item.and_then(Item::as_array);
    list.into_iter().flat_map(|list| list.iter()).map(|word| word.as_str().unwrap().to_owned()).collect()
}

pub fn files_below(root: &Path) -> BTreeMap<String, (Vec<u8>, bool)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let runs = path.metadata().unwrap().permissions().mode() & 0o111 != 0;
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, (std::fs::read(&path).unwrap(), runs));
        }
    }
    files
}

fn commits(settings: &DocumentMut) -> Vec<Vec<String>> {
    let commits = settings.get("commits").and_then(Item::as_array).into_iter().flat_map(|list| list.iter());
    commits.map(|commit| commit.as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned()).collect()).collect()
}

impl Case {
    /// Those that are to be built in this run.
    pub fn chosen() -> Vec<Self> {
        let all = std::env::var("DOCKEROPT_ENGINE_PAIRS").is_ok_and(|value| value == "all");
        let only = std::env::var("DOCKEROPT_ENGINE_ONLY").ok();
        let mut cases = Self::own();
        cases.extend(Self::examples());
        cases.extend(Self::fixtures());
        cases.retain(|case| (all || !case.long || only.is_some()) && only.as_ref().is_none_or(|text| case.name.contains(text)));
        assert!(!cases.is_empty());
        cases
    }

    /// `tests/engine/cases`.
    fn own() -> Vec<Self> {
        let folders = folders(&root().join("tests/engine/cases"));
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    fn read(folder: &Path) -> Self {
        let settings = settings(folder);
        for (key, _) in settings.iter() {
            assert!(KEYS.contains(&key), "{}: case.toml says `{key}`, which nobody reads", folder.display());
        }
        let word = |key: &str| settings.get(key).and_then(Item::as_str).map(str::to_owned);
        let flag = |key: &str| settings.get(key).and_then(Item::as_bool) == Some(true);
        let case = Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            text: std::fs::read_to_string(folder.join("Dockerfile")).unwrap(),
            files: files_below(&folder.join("context")),
            covers: words(settings.get("covers")),
            transforms: words(settings.get("transforms")),
            unsafe_fixes: flag("unsafe"),
            only: words(settings.get("only")),
            edit: word("edit").zip(word("cached")),
            build_args: words(settings.get("build_args")),
            commits: commits(&settings),
            differs: words(settings.get("differs")),
            long: flag("long"),
        };
        assert!(word("about").is_some() && !case.transforms.is_empty() && !case.covers.is_empty(), "{}", case.name);
        assert!(case.differs.is_empty() || case.unsafe_fixes, "{}: only an unsafe rewrite may differ", case.name);
        case
    }

    pub fn plain(name: String, text: String, files: BTreeMap<String, (Vec<u8>, bool)>) -> Self {
        Self {
            name,
            text,
            files,
            covers: Vec::new(),
            transforms: Vec::new(),
            unsafe_fixes: false,
            only: Vec::new(),
            edit: None,
            build_args: Vec::new(),
            commits: Vec::new(),
            differs: Vec::new(),
            long: false,
        }
    }

    /// Every example with a `before`.
    fn examples() -> Vec<Self> {
        let folders = folders(&root().join("examples"));
        let befores = folders.iter().map(|folder| folder.join("before")).filter(|folder| folder.is_dir());
        let mut cases: Vec<Self> = befores
            .map(|before| {
                let name = before.parent().unwrap().file_name().unwrap().to_str().unwrap();
                let context = if before.join("Dockerfile").is_file() { before.clone() } else { before.join("web") };
                let text = std::fs::read_to_string(context.join("Dockerfile")).unwrap();
                let mut case = Self::plain(format!("example {name}"), text, files_below(&context));
                if name == "poetry" {
                    case.covers.push("poetry".to_owned());
                }
                case
            })
            .collect();
        let context = root().join("examples/python-app");
        let text = std::fs::read_to_string(context.join("Dockerfile")).unwrap();
        cases.push(Self::plain("example python-app".to_owned(), text, files_below(&context)));
        assert!(cases.len() >= 8, "{}", cases.len());
        cases
    }

    /// Fixtures that build as they are: those that `tests/engine/fixtures.txt` names, with `long` behind the name where they take
    /// long.
    fn fixtures() -> Vec<Self> {
        let list = std::fs::read_to_string(root().join("tests/engine/fixtures.txt")).unwrap();
        let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| {
                let (name, long) = line.split_once(' ').map_or((line, false), |(name, long)| (name, long == "long"));
                let folder = root().join("tests/fixtures").join(name);
                let settings = settings(&folder);
                let text = std::fs::read_to_string(folder.join("Dockerfile")).unwrap();
                let mut case = Self::plain(name.to_owned(), text, files_below(&folder.join("context")));
                case.unsafe_fixes = settings.get("unsafe").and_then(Item::as_bool) == Some(true);
                case.only = words(settings.get("only"));
                case.transforms = vec![name.split_once('/').unwrap().0.to_owned()];
                case.commits = commits(&settings);
                case.long = long;
                case
            })
            .collect()
    }
}
