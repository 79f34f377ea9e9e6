//! Workflows of GitHub and pipelines of GitLab.
//!
//! Owns: which Dockerfiles their steps build, and where: build commands in scripts, and the build action. Never does: follow calls
//! of other workflows or includes.

use super::claim::{Claim, Mention, Said};
use super::commands::{Base, builds};
use super::fresh;
use super::variables::filled;
use super::yaml::{self, Node};

/// More rounds of a matrix are not gone through.
const MOST_ROUNDS: usize = 64;

/// Names and values that a round of a matrix puts in: `matrix.path`.
type Round = Vec<(String, String)>;

pub(super) fn is_workflow(file: &str) -> bool {
    file.starts_with(".github/workflows/") && (file.ends_with(".yml") || file.ends_with(".yaml"))
}

pub(super) fn is_pipeline(file: &str) -> bool {
    file == ".gitlab-ci.yml"
}

/// The claims of a workflow.
pub(super) fn workflow(file: &str, text: &str) -> Vec<Claim> {
    let mut claims = Vec::new();
    for document in yaml::read(text) {
        for (_, job) in yaml::get(&document, "jobs").into_iter().flat_map(yaml::entries) {
            for round in rounds(job) {
                let settings = [round, environment(&document), environment(job)].concat();
                for step in yaml::get(job, "steps").into_iter().flat_map(yaml::items) {
                    claims.extend(of_step(file, job, step, &settings));
                }
            }
        }
    }
    claims.dedup();
    claims
}

fn of_step(file: &str, job: &Node<'_>, step: &Node<'_>, settings: &Round) -> Vec<Claim> {
    if yaml::text_of(step, "uses").is_some_and(|action| action.starts_with("docker/build-push-action@")) {
        let mention = Mention { file: file.to_owned(), line: yaml::line(step) };
        return action(step, settings).claim("", &mention).into_iter().collect();
    }
    let Some(script) = yaml::get(step, "run") else { return Vec::new() };
    let settings = [settings.clone(), environment(step)].concat();
    let default = yaml::get(job, "defaults").and_then(|node| yaml::text_of(yaml::get(node, "run")?, "working-directory"));
    let folder = yaml::text_of(step, "working-directory").or(default).unwrap_or(".");
    let base = filled(&put_in(folder, &settings), &|_| None).map_or(Base::Lost, |folder| Base::OneOf(vec![folder]));
    of_script(file, &put_in(yaml::text(script).unwrap_or_default(), &settings), yaml::line(script), &base)
}

/// What the build action is told.
fn action(step: &Node<'_>, settings: &Round) -> Said {
    let of = |key: &str| {
        let text = yaml::text_of(yaml::get(step, "with")?, key)?;
        Some(filled(&put_in(text, settings), &|_| None))
    };
    let mut said = Said { context: of("context"), dockerfile: of("file"), target: of("target"), ..Said::default() };
    let given = yaml::get(step, "with").and_then(|with| yaml::text_of(with, "build-args")).unwrap_or_default();
    said.fresh = fresh::in_script(put_in(given, settings).lines().map(str::trim), "");
    if let Some(Some(context)) = &mut said.context {
        // The checked out repository, or a folder of it.
        if let Some(folder) = context.strip_prefix("{{defaultContext}}").map(str::to_owned) {
            said.from_context = true;
            *context = folder.trim_start_matches(':').to_owned();
        }
    }
    said
}

/// The claims of a pipeline.
pub(super) fn pipeline(file: &str, text: &str) -> Vec<Claim> {
    let mut claims = Vec::new();
    for document in yaml::read(text) {
        for (_, job) in yaml::entries(&document) {
            for script in ["before_script", "script", "after_script"].into_iter().filter_map(|key| yaml::get(job, key)) {
                let lines: Vec<&str> = yaml::text(script).into_iter().chain(yaml::items(script).filter_map(yaml::text)).collect();
                claims.extend(of_script(file, &lines.join("\n"), yaml::line(script), &Base::OneOf(vec![String::new()])));
            }
        }
    }
    claims
}

fn of_script(file: &str, script: &str, line: usize, base: &Base) -> Vec<Claim> {
    let claim = |(base, said, within): (Base, Said, usize)| {
        let Base::OneOf(bases) = base else { return None };
        said.claim(bases.first()?, &Mention { file: file.to_owned(), line: line + within - 1 })
    };
    builds(file, script, base, true).into_iter().filter_map(claim).collect()
}

/// The rounds of a job's matrix; one without values where there is none.
fn rounds(job: &Node<'_>) -> Vec<Round> {
    let matrix = yaml::get(job, "strategy").and_then(|node| yaml::get(node, "matrix"));
    let mut rounds: Vec<Round> = vec![Vec::new()];
    for (name, values) in matrix.into_iter().flat_map(yaml::entries).filter(|(name, _)| !matches!(*name, "include" | "exclude")) {
        let values: Vec<Round> = yaml::items(values).map(|value| flat(&format!("matrix.{name}"), value)).collect();
        if !values.is_empty() && rounds.len() * values.len() <= MOST_ROUNDS {
            rounds = rounds.iter().flat_map(|round| values.iter().map(|value| [round.clone(), value.clone()].concat())).collect();
        }
    }
    let included = matrix.and_then(|node| yaml::get(node, "include")).into_iter().flat_map(yaml::items);
    rounds.extend(included.take(MOST_ROUNDS).map(|entry| flat("matrix", entry)));
    rounds
}

fn flat(name: &str, value: &Node<'_>) -> Round {
    let own = yaml::text(value).map(|text| (name.to_owned(), text.to_owned()));
    let inner = yaml::entries(value).filter_map(|(key, value)| Some((format!("{name}.{key}"), yaml::text(value)?.to_owned())));
    own.into_iter().chain(inner).collect()
}

fn environment(node: &Node<'_>) -> Round {
    let entries = yaml::get(node, "env").into_iter().flat_map(yaml::entries);
    entries.filter_map(|(name, value)| Some((format!("env.{name}"), yaml::text(value)?.to_owned()))).collect()
}

/// A text with `${{ … }}` replaced where the value is known.
fn put_in(text: &str, settings: &Round) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${{") {
        let Some((inner, after)) = behind.split_once("}}") else { break };
        let value = settings.iter().find(|(name, _)| name == inner.trim()).map(|(_, value)| value.as_str());
        let here = (inner.trim() == "github.workspace").then_some(".");
        whole.push_str(before);
        match value.or(here) {
            Some(value) => whole.push_str(value),
            None => whole.extend(["${{", inner, "}}"]),
        }
        rest = after;
    }
    whole + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(claims: &[Claim]) -> Vec<String> {
        let show = |claim: &Claim| format!("{} {:?} {:?} {}", claim.dockerfile, claim.context, claim.target, claim.mention.line);
        claims.iter().map(show).collect()
    }

    #[test]
    fn workflows_say_what_they_build() {
        let text = "\
env:\n  DIR: web\njobs:\n  a:\n    strategy:\n      matrix:\n        os: [x]\n        include:\n          - path: api\n            file: api/D\n    steps:\n      - uses: docker/build-push-action@v5\n        \
with:\n          context: ${{ matrix.path }}\n          file: ${{ matrix.file }}\n          target: run\n      - run: |\n          docker build ${{ env.DIR }}\n          docker build \"${{ github.workspace }}\" -f x/D\n  \
b:\n    defaults:\n      run:\n        working-directory: sub\n    steps:\n      - run: docker build .\n      - uses: docker/build-push-action@v5\n      \
- uses: docker/build-push-action@v5\n        with:\n          context: \"{{defaultContext}}:in\"\n          file: D\n      - run: docker build ${{ inputs.x }} -f y/D\n";
        assert_eq!(
            shown(&workflow(".github/workflows/ci.yml", text)),
            [
                "web/Dockerfile Some(\"web\") None 18",
                "x/D Some(\"\") None 19",
                "api/D Some(\"api\") Some(\"run\") 12",
                "web/Dockerfile Some(\"web\") None 18",
                "x/D Some(\"\") None 19",
                "sub/Dockerfile Some(\"sub\") None 25",
                "Dockerfile Some(\"\") None 26",
                "in/D Some(\"in\") None 27",
                "sub/y/D None None 31",
            ]
        );
    }

    #[test]
    fn pipelines_say_what_they_build() {
        let text = "build:\n  script:\n    - cd app\n    - docker build -t $CI_REGISTRY_IMAGE -f D --target x \"$CI_PROJECT_DIR/app\"\n    - docker build .\n";
        let claims = pipeline(".gitlab-ci.yml", text);
        assert_eq!(claims.last().map(|claim| claim.dockerfile.as_str()), Some("app/Dockerfile"));
    }
}
