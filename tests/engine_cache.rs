//! The cache model against a real engine: each rule as a pair of a Dockerfile and a change, built before and after the change. The
//! steps that are forecast to run must be those that the engine reports.
//!
//! DOCKEROPT_ENGINE names the engine (`docker` if it is not set). Where there is none, the test says so and passes; with
//! `DOCKEROPT_ENGINE=required` it fails. DOCKEROPT_ENGINE_BASE names the image that stands for all bases (`debian:12-slim`): it needs
//! a shell, and to be there already.
#![cfg(unix)]

#[path = "engine_cache/cases.rs"]
mod cases;
#[path = "engine_cache/examples.rs"]
mod examples;

use cases::{CASES, Case, Changed};
use dockeropt::builder::{self, BuildRequest, Engine, State, Watch};
use dockeropt::cache::{Builder, Change, Forecast, Plan, Verdict};
use dockeropt::context::View;
use dockeropt::syntax;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pairs that must agree step by step, so that an empty table can't pass.
const FEWEST: usize = 60;

/// What became of a step, by its stage and its number in it.
type Reported = BTreeMap<(String, usize), State>;

struct Bench {
    engine: Box<dyn Engine>,
    watch: Watch,
    builder: Builder,
    root: PathBuf,
    /// Makes the steps of this run others than those of the last one.
    token: String,
    base: String,
}

impl Bench {
    fn open() -> Option<Self> {
        let asked = std::env::var("DOCKEROPT_ENGINE").unwrap_or_default();
        let program = if asked.is_empty() || asked == "required" { "docker" } else { &asked };
        let watch = Watch::deaf(Some(Duration::from_secs(120)));
        let engine = match builder::open(program, &watch) {
            Ok(engine) => engine,
            Err(error) if asked.is_empty() => {
                eprintln!("skipped, for want of an engine: {error}");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        // Only an engine with containerd's image store merges layers.
        let driver = engine.ask(&["info", "--format", "{{.DriverStatus}}"], &watch).unwrap();
        let builder = Builder { merges: driver.stdout.contains("io.containerd.snapshotter") };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let root = std::env::temp_dir().join(format!("dockeropt-engine-cache-{now}"));
        let base = std::env::var("DOCKEROPT_ENGINE_BASE").unwrap_or_else(|_| "debian:12-slim".to_owned());
        Some(Self { engine, watch, builder, root, token: format!("t{now}"), base })
    }

    fn text(&self, case: &Case) -> String {
        case.dockerfile.replace("BASE", &self.base).replace("TOKEN", &format!("{}{}", self.token, case.name.replace(' ', "-")))
    }

    fn build(&self, case: &Case, context: &Path, arguments: &[String]) -> Reported {
        self.build_text(case.name, &self.text(case), case.target, context, arguments)
    }

    fn build_text(&self, name: &str, text: &str, target: Option<&str>, context: &Path, arguments: &[String]) -> Reported {
        let request = BuildRequest { target, build_args: arguments, network: Some("none"), ..BuildRequest::new(context, text) };
        let built = self.engine.build(&request, &self.watch).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let mut reported = Reported::new();
        for step in built.steps.iter().filter(|step| !step.instruction.starts_with("FROM ")) {
            let place = step.name.split(']').next().unwrap().trim_start_matches('[');
            let number = place.rsplit(' ').next().unwrap().split('/').next().unwrap().parse().unwrap();
            reported.insert((step.stage.clone().unwrap_or_default(), number), step.state);
        }
        reported
    }

    /// Lays the files of a case out anew.
    fn lay_out(&self, case: &Case) -> PathBuf {
        let context = self.root.join(case.name.replace(' ', "-"));
        let _ = std::fs::remove_dir_all(&context);
        for (path, content) in case.files {
            let file = context.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            match content.strip_prefix("-> ") {
                Some(target) => std::os::unix::fs::symlink(target, file).unwrap(),
                None if *path == ".dockerignore" => std::fs::write(file, content).unwrap(),
                None => std::fs::write(file, format!("{} {content}", self.token)).unwrap(),
            }
        }
        context
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Makes the change, and says what the model is told of it.
fn make(changed: &Changed, context: &Path) -> (Change, Vec<String>) {
    let mut arguments = Vec::new();
    let path = match changed {
        Changed::Edited(path) | Changed::Added(path) => {
            std::fs::create_dir_all(context.join(path).parent().unwrap()).unwrap();
            let was = std::fs::read_to_string(context.join(path)).unwrap_or_default();
            std::fs::write(context.join(path), format!("{was} changed\n")).unwrap();
            path
        }
        Changed::Deleted(path) => {
            std::fs::remove_file(context.join(path)).unwrap();
            path
        }
        Changed::Mode(path) => {
            std::fs::set_permissions(context.join(path), PermissionsExt::from_mode(0o755)).unwrap();
            path
        }
        Changed::Relinked(path, target) => {
            std::fs::remove_file(context.join(path)).unwrap();
            std::os::unix::fs::symlink(target, context.join(path)).unwrap();
            path
        }
        // Nothing that the model would be told of.
        Changed::Touched(path) => {
            let file = std::fs::File::options().append(true).open(context.join(path)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
            return (Change::default(), arguments);
        }
        Changed::Given(path) => {
            // Only root can; for others nothing changes, which the model says, too.
            let _ = std::os::unix::fs::chown(context.join(path), Some(1234), Some(1234));
            return (Change::default(), arguments);
        }
        Changed::Argument(argument) => {
            arguments.push((*argument).to_owned());
            return (Change::default().with_arguments([argument.split('=').next().unwrap()]), arguments);
        }
        Changed::Nothing => return (Change::default(), arguments),
    };
    (Change::of_files([*path]), arguments)
}

/// What agrees, in steps; `Err`: what does not, in words.
fn compare(plan: &Plan, forecast: &Forecast, reported: &Reported) -> Result<bool, String> {
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    let stages = 1 + plan.steps.iter().map(|step| step.stage).max().unwrap_or_default();
    let (mut wrong, mut sure) = (Vec::new(), true);
    for (step, fate) in plan.steps.iter().zip(&forecast.fates) {
        let number = numbers.entry(step.stage).or_default();
        *number += 1;
        let name =
            if step.stage_name.parse::<usize>().is_ok() { format!("stage-{}", step.stage) } else { step.stage_name.clone() };
        let name = if stages == 1 && reported.keys().all(|(stage, _)| stage.is_empty()) { String::new() } else { name };
        // A stage's FROM is its first step, unless it is another stage.
        let first = |number: usize| reported.get(&(name.clone(), number)).copied();
        let state = if plan.stands_on_image(step.stage) { first(*number + 1) } else { first(*number) };
        let ran = state == Some(State::Run);
        sure &= fate.verdict != Verdict::MayRun;
        match fate.verdict {
            Verdict::Runs if ran => {}
            Verdict::Cached if !ran => {}
            Verdict::MayRun => {}
            verdict => wrong.push(format!("line {} `{}`: {verdict:?}, but it was {state:?}", step.line, step.text)),
        }
    }
    let ran = reported.values().filter(|state| **state == State::Run).count();
    let forecast_runs = forecast.fates.iter().filter(|fate| fate.verdict == Verdict::Runs).count();
    if sure && ran != forecast_runs {
        wrong.push(format!("{ran} steps ran, and {forecast_runs} were to run"));
    }
    if wrong.is_empty() { Ok(sure) } else { Err(wrong.join("\n")) }
}

#[test]
fn what_is_forecast_is_what_the_engine_runs() {
    let Some(bench) = Bench::open() else { return };
    let (mut exact, mut open, mut wrong) = (0, 0, Vec::new());
    for case in CASES {
        for changed in case.changes {
            let context = bench.lay_out(case);
            bench.build(case, &context, &[]);
            let file = syntax::parse(&bench.text(case));
            assert!(file.errors.is_empty(), "{}: {:?}", case.name, file.errors);
            // The context as it was: what changes is told, and not looked at.
            let view = View::open(&context, &context.join("Dockerfile"));
            let plan = Plan::of(&file, Some(&view), case.target, bench.builder);
            let (change, arguments) = make(changed, &context);
            let forecast = plan.after(&change);
            let reported = bench.build(case, &context, &arguments);
            match compare(&plan, &forecast, &reported) {
                Ok(true) => exact += 1,
                Ok(false) => open += 1,
                Err(words) => wrong.push(format!("{}, {changed:?}:\n{words}\n{reported:?}\n{}", case.name, bench.text(case))),
            }
        }
    }
    println!("{} files, {exact} pairs with every step as forecast, {open} where a step was left open", CASES.len());
    assert!(wrong.is_empty(), "{} disagree:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(exact >= FEWEST, "{exact} pairs");
}
