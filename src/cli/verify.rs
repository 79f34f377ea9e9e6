//! `dockeropt verify`: build a file as it is and as it is rewritten, and hold the images against each other.

use super::choice::Choice;
use super::engine::EngineArguments;
use super::files::{self, Found};
use super::job::Format;
use super::output::{self, Colour, Output};
use super::place::Places;
use super::{Exit, panics};
use crate::builder::image::Images;
use crate::builder::proof::{NoProof, Prover, Which};
use crate::builder::{BuildRequest, Session, Watch};
use crate::pipeline::{self, Options, Outcome, Place, Stop};
use crate::report::proof::{Told, in_short};
use crate::{report, transforms};
use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const AFTER_HELP: &str = "\
What is done:
  The file is built as it is and as `dockeropt fix` would make it, both from
  scratch and with cache mounts of their own; yours are not touched. Every path
  (type, mode, owner, extended attributes, link target, hard links, content)
  and every key of the configuration is compared. Where something differs, the
  original is built once more: what differs then too is noise. What is let
  pass besides has a name; --explain lists it. Images are taken away again;
  layers stay in the engine's build cache, as after any build.

Exit codes:
  0  equal, or nothing would change
  1  different
  2  a build failed, the engine can't be used, or bad usage

Examples:
  dockeropt verify                             the Dockerfiles below this folder
  dockeropt verify app/Dockerfile --explain    with all that was let pass
  dockeropt verify --before A --after B        two files of one context
  dockeropt verify --network host --frontend builtin
                                               where no registry is reached
  dockeropt verify --engine-arg=--secret=id=k,src=k.txt
                                               more words for the build";

/// Build a Dockerfile as it is and as rewritten, and compare the images.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP, next_line_help = false)]
pub(super) struct Arguments {
    /// Files or folders. Without any: the current folder.
    #[arg(value_name = "PATH", conflicts_with_all = ["before", "after"])]
    paths: Vec<PathBuf>,
    /// Compare this file with the one that --after names; nothing is rewritten.
    #[arg(long, value_name = "FILE", requires = "after")]
    before: Option<PathBuf>,
    /// See --before.
    #[arg(long, value_name = "FILE", requires = "before")]
    after: Option<PathBuf>,
    /// The folder that is handed to the builder. Without it, it is found as `dockeropt fix` finds it.
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Also build with each transform alone, and tell which one makes a difference.
    #[arg(long, conflicts_with = "before")]
    each: bool,
    #[command(flatten)]
    choice: Choice,
    /// Leave the images on the engine, and print their names.
    #[arg(long)]
    keep: bool,
    /// List the rules by which differences are let pass, and each of these differences.
    #[arg(long)]
    explain: bool,
    /// What to print. `json`: for each file an object on a line of standard output.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// When to colour. `auto`: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Don't tell what is being built; the result only.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

/// A file and what is to be held against it.
struct Pair {
    shown: String,
    context: PathBuf,
    before: Text,
    after: Text,
    /// The file with one transform alone, by the transform's id.
    each: Vec<(String, Text)>,
}

/// A Dockerfile with the ignore file that it is built by.
#[derive(Clone, PartialEq, Eq)]
struct Text {
    dockerfile: String,
    ignore: Option<String>,
}

impl Text {
    /// As the engine gets it.
    fn for_engine(&self, engine: &EngineArguments) -> Self {
        Self { dockerfile: engine.text(&self.dockerfile).into_owned(), ignore: self.ignore.clone() }
    }

    fn request<'a>(&'a self, engine: &'a EngineArguments, context: &'a Path) -> BuildRequest<'a> {
        engine.request(context, &self.dockerfile, self.ignore.as_deref())
    }
}

/// Does what the arguments say.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (pairs, mut exit) = arguments.pairs()?;
    if pairs.is_empty() {
        return Ok(exit);
    }
    let watch = arguments.engine.watch()?;
    let engine = arguments.engine.open(&watch)?;
    let mut images = Images::default();
    let mut out = Output::stdout();
    for pair in &pairs {
        let session = Session::new(engine.as_ref(), &watch);
        match arguments.prove(pair, &session, &mut images, &mut out) {
            Ok(equal) => exit = exit.max(if equal { Exit::Done } else { Exit::Changes }),
            Err(error) => {
                exit = Exit::Failed;
                arguments.failed(&pair.shown, &anyhow!("{error}"), &mut out)?;
                if error.error.is_the_engines() {
                    break;
                }
            }
        }
    }
    out.finish()?;
    Ok(exit)
}

impl Arguments {
    fn prove(&self, pair: &Pair, session: &Session<'_>, images: &mut Images, out: &mut Output) -> Result<bool, NoProof> {
        let quiet = self.quiet || self.format == Format::Json;
        let tell = |which: &Which| {
            if !quiet {
                output::say(&format!("building {} ({which})\n", pair.shown));
            }
        };
        let (before, after) = (pair.before.for_engine(&self.engine), pair.after.for_engine(&self.engine));
        let mut prover = Prover::new(session, images, before.request(&self.engine, &pair.context), &tell);
        prover.keep = self.keep;
        let whole = prover.compare(Which::After, &after.request(&self.engine, &pair.context))?;
        let mut each = Vec::new();
        for (transform, text) in &pair.each {
            let text = text.for_engine(&self.engine);
            let which = Which::AfterOne(transform.clone());
            each.push((transform.clone(), prover.compare(which, &text.request(&self.engine, &pair.context))?));
        }
        let told = Told { file: &pair.shown, builds: &prover.builds, whole: &whole, each: &each };
        let mut text = match self.format {
            Format::Json => format!("{}\n", told.json()),
            Format::Text => told.words(self.explain, self.color.palette(&std::io::stdout())),
        };
        if self.keep && self.format == Format::Text {
            session.keep_images().iter().for_each(|image| text.push_str(&format!("  kept     {image}\n")));
        } else if self.keep {
            session.keep_images();
        }
        // A reader that went away doesn't change what was proved.
        let _ = out.text(&text).and_then(|()| out.finish());
        Ok(whole.equal())
    }

    fn failed(&self, shown: &str, error: &anyhow::Error, out: &mut Output) -> anyhow::Result<()> {
        match self.format {
            Format::Json => {
                out.text(&format!("{}\n", json!({ "file": shown, "result": "failed", "error": format!("{error:#}") })))
            }
            Format::Text => out.under(&output::error_text(&error_of(shown, error), self.color.palette(&std::io::stderr()))),
        }
    }

    /// The files with what is to be held against each. Those of which nothing is to be proved are told of here.
    fn pairs(&self) -> anyhow::Result<(Vec<Pair>, Exit)> {
        if let (Some(before), Some(after)) = (&self.before, &self.after) {
            return Ok((vec![self.two_files(before, after)?], Exit::Done));
        }
        if let Some(context) = &self.context {
            ensure!(context.is_dir(), "--context {}: is no folder", report::path::shown(context));
        }
        let here = [PathBuf::from(".")];
        let paths = if self.paths.is_empty() { &here } else { self.paths.as_slice() };
        ensure!(!paths.iter().any(|path| files::is_stdin(path)), "verify builds, and needs a file: name one in the place of `-`");
        let found = files::find(paths);
        if found.is_empty() {
            bail!("no Dockerfile there; a file of another name can be given by hand");
        }
        let places = Places::new(self.context.as_deref());
        let (mut pairs, mut exit) = (Vec::new(), Exit::Done);
        let mut out = Output::stdout();
        for group in places.groups(found) {
            for (_, file) in &group.files {
                let path = match file {
                    Found::File(path) | Found::Failed(path, _) => path.clone(),
                    Found::Stdin => continue,
                };
                let shown = report::path::shown(&path);
                let pair = match file {
                    Found::Failed(_, error) => Err(anyhow!("{error:#}")),
                    _ => self.rewritten(&path, &shown, group.root(), places.place(&group, &path, None)),
                };
                match pair {
                    Ok(Some(pair)) => pairs.push(pair),
                    Ok(None) => self.nothing(&shown, &mut out)?,
                    Err(error) => {
                        exit = Exit::Failed;
                        self.failed(&shown, &error, &mut out)?;
                    }
                }
            }
        }
        out.finish()?;
        Ok((pairs, exit))
    }

    fn nothing(&self, shown: &str, out: &mut Output) -> anyhow::Result<()> {
        match self.format {
            Format::Json => out.text(&format!("{}\n", json!({ "file": shown, "result": "unchanged" }))),
            Format::Text => out.text(&format!("{shown}\n  nothing to prove: dockeropt fix leaves this file as it is\n")),
        }
    }

    /// A file and what dockeropt makes of it; `None`: the same.
    fn rewritten(
        &self,
        path: &Path,
        shown: &str,
        root: Option<&Path>,
        place: Result<Place, Option<String>>,
    ) -> anyhow::Result<Option<Pair>> {
        let text = files::read(path)?;
        let (place, no_place) = place.map_or_else(|why| (None, why), |place| (Some(place), None));
        let context = match (root, &no_place) {
            (Some(root), _) => root.to_owned(),
            // It takes nothing from its context, so that any will do.
            (None, None) => folder_of(path),
            (None, Some(why)) => bail!("its build context is not known ({why}): name it with --context DIR"),
        };
        let ignore = place.as_ref().and_then(|place| place.view.ignore_file().1).map(|text| text.to_string());
        let options = Options { place, no_place, ..self.choice.options() };
        let outcome = outcome(&text, &options)?;
        if !outcome.changed() {
            return Ok(None);
        }
        let mut each = Vec::new();
        if self.each {
            let mut transforms: Vec<&str> = Vec::new();
            for applied in &outcome.applied {
                if !transforms.contains(&applied.transform) {
                    transforms.push(applied.transform);
                }
            }
            for transform in transforms {
                let options = Options { only: vec![transform.to_owned()], ..options.clone() };
                let alone = self::outcome(&text, &options)?;
                if alone.changed() {
                    each.push((transform.to_owned(), after(&alone, ignore.as_deref())));
                }
            }
        }
        let before = Text { dockerfile: text, ignore: ignore.clone() };
        let after = after(&outcome, ignore.as_deref());
        Ok(Some(Pair { shown: shown.to_owned(), context, before, after, each }))
    }

    fn two_files(&self, before: &Path, after: &Path) -> anyhow::Result<Pair> {
        let shown = format!("{} and {}", report::path::shown(before), report::path::shown(after));
        let context = match &self.context {
            Some(context) => context.clone(),
            None => folder_of(before),
        };
        ensure!(context.is_dir(), "{}: is no folder", report::path::shown(&context));
        let text = |path: &Path| -> anyhow::Result<Text> {
            let ignore = crate::context::View::open(&context, path).ignore_file().1.map(|text| text.to_string());
            Ok(Text { dockerfile: files::read(path)?, ignore })
        };
        Ok(Pair { shown, before: text(before)?, after: text(after)?, context, each: Vec::new() })
    }
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn outcome(text: &str, options: &Options) -> anyhow::Result<Outcome> {
    let outcome = panics::caught(|| pipeline::run(text, options, transforms::all()))?;
    ensure!(outcome.stop != Stop::Broken, "the builder refuses this file; `dockeropt fix` names the place");
    Ok(outcome)
}

fn after(outcome: &Outcome, ignore: Option<&str>) -> Text {
    let changed = outcome.ignore.as_ref().map(|change| change.after.clone());
    Text { dockerfile: outcome.after.clone(), ignore: changed.or_else(|| ignore.map(str::to_owned)) }
}

fn error_of(shown: &str, error: &anyhow::Error) -> anyhow::Error {
    anyhow!("{shown}: {error:#}")
}

/// Proves what `fix --write` is about to write.
pub(super) struct Guard {
    arguments: EngineArguments,
    watch: Watch,
    engine: Box<dyn crate::builder::Engine>,
    /// One build at a time: engines share a disk and two builds of one file would be slower each.
    images: Mutex<Images>,
}

impl Guard {
    /// Finds the engine.
    pub(super) fn new(arguments: &EngineArguments) -> anyhow::Result<Self> {
        let watch = arguments.watch()?;
        let engine = arguments.open(&watch)?;
        Ok(Self { arguments: arguments.clone(), watch, engine, images: Mutex::default() })
    }

    /// Builds before and after. `ignore`: the text of the ignore file before.
    ///
    /// # Errors
    /// When the images differ, or a build fails.
    pub(super) fn check(&self, path: &Path, root: Option<&Path>, ignore: Option<&str>, outcome: &Outcome) -> anyhow::Result<()> {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let context = root.map_or_else(|| folder_of(path), Path::to_owned);
        let before = Text { dockerfile: outcome.before.clone(), ignore: ignore.map(str::to_owned) }.for_engine(&self.arguments);
        let after = after(outcome, ignore).for_engine(&self.arguments);
        let session = Session::new(self.engine.as_ref(), &self.watch);
        let mut prover = Prover::new(&session, &mut images, before.request(&self.arguments, &context), &|_| ());
        let comparison =
            prover.compare(Which::After, &after.request(&self.arguments, &context)).context("not written: it can't be proved")?;
        ensure!(
            comparison.equal(),
            "not written: the image would differ: {}; `dockeropt verify` tells all",
            in_short(&comparison)
        );
        Ok(())
    }
}
