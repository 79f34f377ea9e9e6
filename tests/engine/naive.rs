//! Rewrites that look right and are not: each is kept as `naive.Dockerfile` beside the file that it was made from, and fails or
//! ships what `[naive]` in its `case.toml` says. What dockeropt makes of the same file builds and is equal.

use crate::case::{Case, files_below, folders, settings, words};
use crate::workshop::{Checkout, Workshop, rewritten};
use dockeropt::builder::compare::Place;
use dockeropt::builder::image::Images;
use dockeropt::builder::proof::{Prover, Which};
use dockeropt::builder::{self, BuildError, BuildRequest, Session};
use std::path::Path;
use toml_edit::Item;

/// So that an empty folder can't pass.
const FEWEST: usize = 4;

/// Lines of HAZARDS.md about broken builds that are not tried here, and why.
const UNPROVED: &[(&str, &str)] = &[
    ("dotnet restore in a mount, publish --no-restore without it", "there is no .NET image"),
    ("mvn dependency:go-offline in a mount, mvn -o without it", "no Java packages can be fetched"),
];

/// What becomes of the naive rewrite.
enum End {
    /// The build fails at a step that holds this.
    FailsAt(String),
    /// The image differs here.
    ShipsWrong(String),
}

struct Trap {
    case: Case,
    naive: String,
    end: End,
}

impl Trap {
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let fixtures = folders(&root.join("fixtures"));
        let folders_of = fixtures.iter().flat_map(|transform| folders(transform)).chain(folders(&root.join("engine/naive")));
        let only = std::env::var("DOCKEROPT_ENGINE_ONLY").ok();
        folders_of
            .filter(|folder| folder.join("naive.Dockerfile").is_file())
            .filter(|folder| {
                only.as_ref().is_none_or(|texts| texts.split(',').any(|text| folder.to_string_lossy().contains(text)))
            })
            .map(|folder| Self::read(&folder))
            .collect()
    }

    fn read(folder: &Path) -> Self {
        let settings = settings(folder);
        let naive = settings.get("naive").unwrap_or_else(|| panic!("{}: no [naive] in case.toml", folder.display()));
        let word = |key: &str| naive.get(key).and_then(Item::as_str).map(str::to_owned);
        let end = match (word("fails_at"), word("ships_wrong")) {
            (Some(step), None) => End::FailsAt(step),
            (None, Some(path)) => End::ShipsWrong(path),
            _ => panic!("{}: [naive] says fails_at or ships_wrong", folder.display()),
        };
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let mut case = Case::plain(name, read("Dockerfile"), files_below(&folder.join("context")));
        case.unsafe_fixes = settings.get("unsafe").and_then(Item::as_bool) == Some(true);
        case.only = words(settings.get("only"));
        Self { case, naive: read("naive.Dockerfile"), end }
    }

    fn check(&self, workshop: &Workshop, images: &mut Images) -> Result<String, String> {
        let checkout = Checkout::new(&self.case);
        let outcome = rewritten(&self.case, &checkout.0);
        let (before, after) = (builder::without_syntax_line(&outcome.before), builder::without_syntax_line(&outcome.after));
        let naive = builder::without_syntax_line(&self.naive);
        let ignore = outcome.ignore.as_ref().map(|change| change.after.clone());
        let original = workshop.request(&checkout.0, &before);
        let session = Session::new(workshop.engine.as_ref(), &workshop.watch);
        let mut prover = Prover::new(&session, images, original, &|_| ());
        let told = match (&self.end, prover.compare(Which::After, &BuildRequest { dockerfile: &naive, ..original })) {
            (_, Err(error)) if error.which != Which::After => return Err(format!("the original does not build: {error}")),
            (End::FailsAt(step), Err(error)) => match &error.error {
                BuildError::Failed(failure) if failure.to_string().contains(step.as_str()) => format!("fails at `{step}`"),
                _ => return Err(format!("it should fail at `{step}`: {error}")),
            },
            (End::FailsAt(step), Ok(_)) => return Err(format!("the naive rewrite builds; it should fail at `{step}`")),
            (End::ShipsWrong(path), Ok(comparison)) => {
                let wrong = |place: &Place| matches!(place, Place::Path(own) if own == path);
                if !comparison.differences.iter().any(|difference| wrong(&difference.place)) {
                    return Err(format!("{path} is as it was: {:?}", comparison.differences));
                }
                format!("ships a wrong {path}")
            }
            (End::ShipsWrong(path), Err(error)) => return Err(format!("it should build, with a wrong {path}: {error}")),
        };
        if !outcome.changed() {
            return Ok(format!("{told}; dockeropt leaves the file alone"));
        }
        let ours = BuildRequest { dockerfile: &after, ignore: ignore.as_deref(), ..original };
        let comparison = prover.compare(Which::After, &ours).map_err(|error| format!("ours: {error}"))?;
        let differences: Vec<String> = comparison.differences.iter().map(ToString::to_string).collect();
        if differences.is_empty() { Ok(format!("{told}; dockeropt's is equal")) } else { Err(differences.join("\n")) }
    }
}

#[test]
fn naive_rewrites_break_where_they_say_and_ours_do_not() {
    let Some(workshop) = Workshop::open() else { return };
    let traps = Trap::all();
    let mut images = Images::default();
    let mut failed = Vec::new();
    for trap in &traps {
        match trap.check(&workshop, &mut images) {
            Ok(told) => println!("naive {}: {told}", trap.case.name),
            Err(error) => failed.push(format!("{}: {error}", trap.case.name)),
        }
    }
    println!("{} naive rewrites tried; not proved:", traps.len());
    UNPROVED.iter().for_each(|(what, why)| println!("  {what}: {why}"));
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(traps.len() >= FEWEST || std::env::var_os("DOCKEROPT_ENGINE_ONLY").is_some(), "only {}", traps.len());
}
