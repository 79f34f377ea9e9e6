//! Every way in which a rewrite goes wrong (`HAZARDS.md`), as a small file each: `fixtures/TRANSFORM/CASE/Dockerfile` with a
//! `case.toml` that says what it stands for and what is expected, and the change as a snapshot in `snapshots/`.
//!
//! `INSTA_UPDATE=always cargo test --test fixtures` writes the snapshots anew; read them before they are committed.

use dockeropt::context::View;
use dockeropt::edit::Applicability;
use dockeropt::pipeline::{self, Options, OtherFile, Others, Outcome, Place, Stop};
use dockeropt::report::{Palette, diff};
use dockeropt::{ecosystems, syntax, transforms};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use toml_edit::{Array, DocumentMut, Item};

#[path = "support/comments.rs"]
mod comments;

/// So that an empty folder can't pass.
const FEWEST: usize = 60;

/// A transform that leaves nothing alone but what is right already.
const NEVER_REFUSES: &[&str] = &["syntax-header", "sink-volatile", "order-by-change", "dockerignore"];

/// Transforms that leave every instruction where it stands.
const KEEP_ORDER: &[&str] = &["cache-mounts", "syntax-header"];

/// What a `case.toml` may say.
const KEYS: &[&str] =
    &["hazard", "expect", "reason", "unsafe", "only", "syntax", "tracked", "commits", "fresh", "assume", "naive"];

/// What `[naive]` may say of `naive.Dockerfile`, the rewrite that was refused, made by force: the step at which its build fails, or
/// the path in its image that is another one than before. A real engine tells.
const NAIVE_KEYS: &[&str] = &["fails_at", "ships_wrong"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Expect {
    /// The text changes, by the transform that the fixture is for. A `reason` says that something else in it is refused.
    Applied,
    /// The text stays, and there is nothing to say.
    Untouched,
    /// The text stays, and the reason is said.
    Refused,
}

struct Case {
    transform: String,
    name: String,
    text: String,
    hazard: String,
    expect: Expect,
    reason: Option<String>,
    options: Options,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let read = |file: &str| {
            let path = folder.join(file);
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let settings: DocumentMut = read("case.toml").parse().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for (key, _) in settings.iter() {
            assert!(KEYS.contains(&key), "{}: case.toml says `{key}`, which nobody reads", folder.display());
        }
        check_naive(folder, &settings);
        let word = |key: &str| settings.get(key).and_then(Item::as_str).map(str::to_owned);
        let mut options =
            Options { unsafe_fixes: settings.get("unsafe").and_then(Item::as_bool) == Some(true), ..Options::default() };
        if let Some(only) = settings.get("only").and_then(Item::as_array) {
            options.only = only.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        }
        options.place = place(folder, &settings);
        if settings.get("assume").and_then(Item::as_bool) == Some(true) {
            options.assume_manifests = true;
            options.no_place = Some("it comes from standard input".to_owned());
        }
        match word("syntax").as_deref() {
            Some("off") => options.syntax = None,
            Some(reference) => options.syntax = Some(reference.to_owned()),
            None => {}
        }
        let expect = match word("expect").as_deref() {
            Some("applied") => Expect::Applied,
            Some("untouched") => Expect::Untouched,
            Some("refused") => Expect::Refused,
            other => panic!("{}: expect = {other:?}", folder.display()),
        };
        Self {
            transform: name(folder.parent().unwrap()),
            name: name(folder),
            text: read("Dockerfile"),
            hazard: word("hazard").unwrap_or_else(|| panic!("{}: no hazard", folder.display())),
            expect,
            reason: word("reason"),
            options,
        }
    }

    fn run(&self, text: &str) -> Outcome {
        pipeline::run(text, &self.options, transforms::all())
    }

    /// The options of a second run, in which the ignore file is as the first one left it.
    fn options_behind(&self, outcome: &Outcome) -> Options {
        let mut options = self.options.clone();
        if let (Some(place), Some(change)) = (options.place.as_mut(), &outcome.ignore) {
            place.view = place.view.with_ignore(&change.after);
        }
        options
    }

    fn snapshot_name(&self) -> String {
        format!("{}__{}", self.transform, self.name)
    }

    /// Everything that is to hold, and the snapshot.
    fn check(&self) {
        let outcome = self.run(&self.text);
        let refusals: Vec<String> = refusals(&outcome);
        let said = refusals.join("\n");
        match self.expect {
            Expect::Applied => {
                let own = outcome.applied.iter().any(|applied| applied.transform == self.transform);
                assert!(outcome.changed() && own, "{} did nothing; refused:\n{said}", self.transform);
            }
            Expect::Untouched | Expect::Refused => {
                assert_eq!(outcome.before, outcome.after, "it was changed");
                assert_eq!(outcome.ignore, None, "the ignore file was changed");
            }
        }
        match &self.reason {
            Some(reason) => {
                assert!(refusals.iter().any(|words| words.contains(reason.as_str())), "no refusal says `{reason}`:\n{said}");
            }
            None => assert!(refusals.is_empty(), "refused:\n{said}"),
        }
        assert!(self.expect != Expect::Refused || self.reason.is_some(), "a refusal needs its reason in case.toml");
        self.holds(&outcome);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_description(self.hazard.as_str());
        settings.bind(|| insta::assert_snapshot!(self.snapshot_name(), self.picture(&outcome, &refusals)));
    }

    /// The change and what was refused. Carriage returns and byte order marks, which nobody sees, are written out.
    fn picture(&self, outcome: &Outcome, refusals: &[String]) -> String {
        let mut text = diff::unified(Path::new("Dockerfile"), &outcome.before, &outcome.after, Palette::PLAIN);
        if text.is_empty() {
            text.push_str("no change\n");
        }
        if let Some(change) = &outcome.ignore {
            let before = change.before.as_deref().unwrap_or_default();
            text.push_str(&diff::unified(Path::new(&change.path), before, &change.after, Palette::PLAIN));
        }
        // Without a build context the diff says it all.
        for applied in outcome.applied.iter().filter(|_| self.options.place.is_some()) {
            let unsafe_too = if applied.applicability == Applicability::Unsafe { " (unsafe)" } else { "" };
            writeln!(text, "\n{}{unsafe_too}", applied.title).unwrap();
            applied.notes.iter().for_each(|note| writeln!(text, "  {note}").unwrap());
        }
        for left in outcome.remaining.iter().filter(|_| self.options.place.is_some()) {
            writeln!(text, "\nonly with --unsafe: {}", left.title).unwrap();
            left.notes.iter().for_each(|note| writeln!(text, "  {note}").unwrap());
        }
        if outcome.stop == Stop::Broken {
            text.push_str("\nthe builder refuses this file\n");
        }
        if !refusals.is_empty() {
            text.push_str("\nrefused\n");
        }
        for refusal in refusals {
            writeln!(text, "{refusal}").unwrap();
        }
        text.replace('\r', "␍").replace('\u{feff}', "<BOM>")
    }

    /// What holds for every file, whatever is done to it.
    fn holds(&self, outcome: &Outcome) {
        assert_eq!(outcome.culprits, [], "a guard stopped a fix");
        assert!(matches!(outcome.stop, Stop::Fixpoint | Stop::Broken), "{:?}", outcome.stop);
        assert!(outcome.stop == Stop::Fixpoint || !outcome.changed());
        let again = pipeline::run(&outcome.after, &self.options_behind(outcome), transforms::all());
        assert_eq!(outcome.after, again.after, "a second run changes it again");
        assert_eq!(again.ignore, None, "a second run changes the ignore file again");
        let before = comments::of(&outcome.before);
        let after = comments::of(&outcome.after);
        let (mut before, mut after) = (before.without_header().to_vec(), after.without_header().to_vec());
        if !KEEP_ORDER.contains(&self.transform.as_str()) {
            // They move with their instructions; the guards hold that they stay above them.
            before.sort();
            after.sort();
        }
        assert_eq!(before, after, "comments");
        if outcome.stop == Stop::Fixpoint {
            assert_eq!(syntax::parse(&outcome.after).errors, [], "the result does not parse");
        }
    }
}

/// A rewrite by force is there exactly where the case says what comes of it, and what fails is a step of it.
fn check_naive(folder: &Path, settings: &DocumentMut) {
    let shown = folder.display();
    let text = std::fs::read_to_string(folder.join("naive.Dockerfile")).ok();
    let Some(naive) = settings.get("naive") else {
        assert_eq!(text, None, "{shown}: case.toml has no [naive]");
        return;
    };
    let naive: Vec<(&str, &str)> = naive.as_table().unwrap().iter().map(|(key, value)| (key, value.as_str().unwrap())).collect();
    let [(key, value)] = naive.as_slice() else { panic!("{shown}: [naive] says one thing") };
    assert!(NAIVE_KEYS.contains(key), "{shown}: [naive] says `{key}`, which nobody reads");
    let text = text.unwrap_or_else(|| panic!("{shown}: no naive.Dockerfile"));
    assert!(*key != "fails_at" || text.contains(value), "{shown}: no step of naive.Dockerfile says `{value}`");
    assert_eq!(settings.get("expect").and_then(Item::as_str), Some("refused"), "{shown}: what is forced was refused");
}

/// The build context in `context/`, where there is one, and the other Dockerfiles in it. Git is asked where the case says what it
/// tracks, or which paths its commits touched.
fn place(folder: &Path, settings: &DocumentMut) -> Option<Place> {
    let root = folder.join("context");
    let mut files = Vec::new();
    read_below(&root, &root, &mut files)?;
    let others = files
        .iter()
        .filter(|(name, _)| name.ends_with("Dockerfile"))
        .filter_map(|(name, text)| Some(OtherFile::new(name.clone(), text.clone()?)));
    let mut view = View::of_files(files.iter().map(|(name, text)| (name.as_str(), text.as_deref())));
    // An ignore file of the Dockerfile's own is looked for on disk.
    if files.iter().any(|(name, _)| name == "Dockerfile.dockerignore") {
        view = View::open(&root, &root.join("Dockerfile"));
    }
    let (tracked, commits) = (settings.get("tracked"), settings.get("commits"));
    if tracked.is_some() || commits.is_some() {
        let commits: Vec<Vec<&str>> =
            commits.and_then(Item::as_array).iter().flat_map(|list| list.iter()).map(|paths| words(paths.as_array())).collect();
        let commits: Vec<&[&str]> = commits.iter().map(Vec::as_slice).collect();
        view = view.with_git(&words(tracked.and_then(Item::as_array)), &commits);
    }
    Some(Place {
        view,
        others: Others::new(others.collect(), None),
        targets: Vec::new(),
        fresh_arguments: words(settings.get("fresh").and_then(Item::as_array)).into_iter().map(str::to_owned).collect(),
    })
}

fn words(list: Option<&Array>) -> Vec<&str> {
    list.iter().flat_map(|list| list.iter()).map(|word| word.as_str().unwrap()).collect()
}

fn read_below(root: &Path, folder: &Path, files: &mut Vec<(String, Option<String>)>) -> Option<()> {
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_below(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.push((name, String::from_utf8(std::fs::read(&path).unwrap()).ok()));
        }
    }
    Some(())
}

fn refusals(outcome: &Outcome) -> Vec<String> {
    outcome.refused.iter().map(|refused| format!("{}: {}: {}", refused.line, refused.refusal.code(), refused.refusal)).collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    folders(&root).iter().flat_map(|transform| folders(transform)).map(|folder| Case::read(&folder)).collect()
}

#[test]
fn fixtures_are_as_expected() {
    let cases = cases();
    assert!(cases.len() > FEWEST, "only {} fixtures", cases.len());
    let mut failed = Vec::new();
    for case in &cases {
        if catch_unwind(AssertUnwindSafe(|| case.check())).is_err() {
            eprintln!("^^^ {}/{}\n", case.transform, case.name);
            failed.push(format!("{}/{}", case.transform, case.name));
        }
    }
    println!("{} fixtures", cases.len());
    assert!(failed.is_empty(), "{} of {} fixtures failed:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// Every transform is shown at work and at rest; every package manager at least once.
#[test]
fn nothing_is_without_a_fixture() {
    let mut kinds: BTreeMap<String, BTreeSet<Expect>> = BTreeMap::new();
    let cases = cases();
    for case in &cases {
        kinds.entry(case.transform.clone()).or_default().insert(case.expect);
    }
    for rule in transforms::all() {
        let id = rule.meta().id;
        let mut wanted = BTreeSet::from([Expect::Applied, Expect::Untouched]);
        if !NEVER_REFUSES.contains(&id) {
            wanted.insert(Expect::Refused);
        }
        let kinds = kinds.remove(id).unwrap_or_default();
        assert!(wanted.is_subset(&kinds), "{id} has only {kinds:?}");
    }
    assert!(kinds.is_empty(), "fixtures of no transform: {:?}", kinds.keys());
    for ecosystem in ecosystems::all() {
        let id = ecosystem.id();
        let of_it = |case: &&Case| case.name == id || case.name.starts_with(&format!("{id}-"));
        let kinds: BTreeSet<Expect> = cases.iter().filter(of_it).map(|case| case.expect).collect();
        assert!(kinds.contains(&Expect::Applied) && kinds.len() > 1, "{id} has only {kinds:?}");
    }
}

#[test]
fn every_snapshot_has_its_fixture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let wanted: BTreeSet<String> = cases().iter().map(|case| format!("{}.snap", case.snapshot_name())).collect();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned());
    let found: BTreeSet<String> = names.filter(|name| name.ends_with(".snap")).collect();
    assert_eq!(found.difference(&wanted).collect::<Vec<_>>(), Vec::<&String>::new(), "snapshots without a fixture");
}
