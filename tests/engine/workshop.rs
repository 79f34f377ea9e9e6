//! Building pairs, and what came of each.

use super::case::Case;
use dockeropt::builder::image::Images;
use dockeropt::builder::proof::{Prover, Which};
use dockeropt::builder::{self, BuildRequest, Engine, Session, State, Watch};
use dockeropt::context::View;
use dockeropt::pipeline::{self, Options, Others, Outcome, Place};
use dockeropt::transforms;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// An engine that answers.
pub struct Workshop {
    pub engine: Box<dyn Engine>,
    pub watch: Watch,
}

/// What one worker needs.
pub struct Bench<'w> {
    workshop: &'w Workshop,
    images: Images,
}

/// What came of a pair.
#[derive(Default)]
pub struct Report {
    pub name: String,
    pub transforms: BTreeSet<String>,
    pub equal: bool,
    pub as_said: bool,
    pub cached: bool,
    pub failed: Option<String>,
    time: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = match (&self.failed, self.equal, self.as_said) {
            (Some(_), ..) => "FAILED",
            (None, true, _) => "equal",
            (None, _, true) => "different as said",
            _ => "?",
        };
        let cached = if self.cached { ", dependencies cached after an edit" } else { "" };
        write!(f, "{}: {result}{cached} ({:.0} s)", self.name, self.time.as_secs_f64())?;
        if let Some(words) = &self.failed {
            write!(f, "\n{words}")?;
        }
        Ok(())
    }
}

impl Workshop {
    /// The engine; `None`, and a word about it, where there is none and none is required.
    pub fn open() -> Option<Self> {
        // Ctrl-C takes away what was made, here too.
        let watch = Watch::listening(Some(Duration::from_secs(900))).unwrap();
        match builder::open("docker", &watch) {
            Ok(engine) => Some(Self { engine, watch }),
            Err(error) => {
                let required = std::env::var("DOCKEROPT_ENGINE").is_ok_and(|value| value == "required");
                assert!(!required, "an engine is required: {error}");
                let _ = writeln!(std::io::stderr(), "skipped: no engine ({error})");
                None
            }
        }
    }

    pub fn bench(&self) -> Bench<'_> {
        Bench { workshop: self, images: Images::default() }
    }

    /// A build as all of these tests make it: with the host's network and the engine's own frontend.
    pub fn request<'a>(&self, context: &'a Path, text: &'a str) -> BuildRequest<'a> {
        BuildRequest { network: Some("host"), ..BuildRequest::new(context, text) }
    }
}

impl Bench<'_> {
    pub fn prove(&mut self, case: &Case) -> Report {
        let started = Instant::now();
        let mut report = Report { name: case.name.clone(), ..Report::default() };
        if let Err(words) = self.attempt(case, &mut report) {
            report.failed = Some(format!("{}: {words}", case.name));
        }
        report.time = started.elapsed();
        report
    }

    fn attempt(&mut self, case: &Case, report: &mut Report) -> Result<(), String> {
        let checkout = Checkout::new(case);
        let outcome = rewritten(case, &checkout.0);
        report.transforms = outcome.applied.iter().map(|applied| applied.transform.to_owned()).collect();
        for transform in &case.transforms {
            if !report.transforms.contains(transform) {
                let refused: Vec<String> = outcome.refused.iter().map(|refused| refused.refusal.to_string()).collect();
                return Err(format!("{transform} did nothing; applied: {:?}; refused: {refused:?}", report.transforms));
            }
        }
        if !outcome.changed() {
            return Err("nothing was changed".to_owned());
        }
        let (before, after) = (builder::without_syntax_line(&outcome.before), builder::without_syntax_line(&outcome.after));
        let old_ignore = case.files.get(".dockerignore").map(|(text, _)| String::from_utf8(text.clone()).unwrap());
        let ignore = outcome.ignore.as_ref().map(|change| change.after.clone()).or(old_ignore.clone());
        let original = BuildRequest {
            build_args: &case.build_args,
            ignore: old_ignore.as_deref(),
            ..self.workshop.request(&checkout.0, &before)
        };
        let rewritten = BuildRequest { dockerfile: &after, ignore: ignore.as_deref(), ..original };
        let session = Session::new(self.workshop.engine.as_ref(), &self.workshop.watch);
        let mut prover = Prover::new(&session, &mut self.images, original, &|_| ());
        let comparison = prover.compare(Which::After, &rewritten).map_err(|error| format!("{error}\n{}", outcome.after))?;
        let unexpected: Vec<String> = comparison
            .differences
            .iter()
            .map(ToString::to_string)
            .filter(|words| !case.differs.iter().any(|path| words.starts_with(path.as_str())))
            .collect();
        if !unexpected.is_empty() {
            return Err(format!("the images differ:\n{}\n{}", unexpected.join("\n"), outcome.after));
        }
        report.equal = comparison.equal();
        report.as_said = !report.equal;
        if !case.differs.is_empty() && report.equal {
            return Err(format!("it should differ below {:?}", case.differs));
        }
        let caches = prover.builds.iter().find(|made| made.which == Which::After).map(|made| made.caches.clone()).unwrap();
        if let Some((file, step)) = &case.edit {
            report.cached =
                self.edited(&session, &BuildRequest { caches: Some(&caches), ..rewritten }, &checkout.0.join(file), step)?;
        }
        Ok(())
    }

    /// Whether a step is in the cache after a file of the source was edited, and another is not.
    fn edited(&self, session: &Session<'_>, request: &BuildRequest<'_>, file: &Path, step: &str) -> Result<bool, String> {
        let mut text = std::fs::read(file).unwrap();
        text.extend(blanks_of_this_moment());
        std::fs::write(file, text).unwrap();
        let (_, built) = session.build(request).map_err(|error| format!("after an edit: {error}"))?;
        let states: Vec<String> = built.steps.iter().map(|step| format!("{} {}", step.state.name(), step.instruction)).collect();
        let named: Vec<_> = built.steps.iter().filter(|own| own.instruction.contains(step)).collect();
        let first = named.first().ok_or_else(|| format!("no step has `{step}`:\n{}", states.join("\n")))?;
        if first.state != State::Cached {
            return Err(format!("after an edit of {} `{step}` is not cached:\n{}", file.display(), states.join("\n")));
        }
        if !built.steps.iter().any(|step| step.state == State::Run && !step.instruction.starts_with("FROM")) {
            return Err(format!("the edit of {} reaches no step:\n{}", file.display(), states.join("\n")));
        }
        Ok(true)
    }
}

/// A line of spaces and tabs that no earlier run wrote, whose layers would be in the cache; every language passes it over.
fn blanks_of_this_moment() -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let blanks = (0..64).map(|bit| if now >> bit & 1 == 1 { b' ' } else { b'\t' });
    blanks.chain([b'\n']).collect()
}

/// What dockeropt makes of a case where it was checked out.
pub fn rewritten(case: &Case, root: &Path) -> Outcome {
    let view = View::open(root, &root.join("Dockerfile"));
    let place = Place { view, others: Others::default(), targets: Vec::new(), fresh_arguments: Vec::new() };
    let options = Options { unsafe_fixes: case.unsafe_fixes, only: case.only.clone(), place: Some(place), ..Options::default() };
    pipeline::run(&case.text, &options, transforms::all())
}

/// The files of a case in a git repository of their own, as after a clone.
pub struct Checkout(pub PathBuf);

impl Checkout {
    pub fn new(case: &Case) -> Self {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("dockeropt-engine-test-{}-{number}", std::process::id()));
        let checkout = Self(folder);
        std::fs::create_dir_all(&checkout.0).unwrap();
        checkout.write("Dockerfile", case.text.as_bytes(), false);
        for (name, (content, runs)) in &case.files {
            checkout.write(name, content, *runs);
        }
        checkout.git(&["init", "--quiet"]);
        checkout.git(&["config", "core.autocrlf", "false"]);
        checkout.commit();
        for commit in &case.commits {
            for file in commit {
                let mut content = std::fs::read(checkout.0.join(file)).unwrap();
                content.push(b'\n');
                std::fs::write(checkout.0.join(file), content).unwrap();
            }
            checkout.commit();
        }
        checkout
    }

    fn write(&self, name: &str, content: &[u8], runs: bool) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(if runs { 0o755 } else { 0o644 })).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=x"]);
    }

    fn git(&self, arguments: &[&str]) {
        assert!(Command::new("git").arg("-C").arg(&self.0).args(arguments).status().unwrap().success(), "{arguments:?}");
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
