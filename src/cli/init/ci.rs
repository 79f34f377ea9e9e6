//! CI that keeps its layer cache between runs.
//!
//! Owns: a workflow for GitHub Actions, a job for GitLab CI. Never does: change a job that is there.

use super::plan::{self, Proposal};
use super::project::{Dockerfile, Project};
use crate::context::yaml;
use std::path::Path;

const GITHUB: &str = ".github/workflows/docker.yml";
const GITLAB: &str = ".gitlab-ci.yml";

/// Names the job in `.gitlab-ci.yml`.
const JOB: &str = "docker-build";

/// What says that a cache is kept.
const KEEPS_CACHE: &str = "cache-to";

/// A workflow of its own.
pub(super) fn github(folder: &Path, project: &Project) -> Proposal {
    let dockerfile = match &project.dockerfile {
        Ok(dockerfile) => dockerfile,
        Err(because) => return Proposal::by_hand(GITHUB, because, ""),
    };
    let lines = "cache-from: type=gha\ncache-to: type=gha,mode=max";
    match plan::text_of(folder, GITHUB) {
        Ok(None) => {
            let text = filled(include_str!("templates/github.yml"), project, dockerfile);
            Proposal::made(GITHUB, text, "each push builds, with the layers of the last build at hand")
        }
        Ok(Some(text)) if text.contains(KEEPS_CACHE) => Proposal::fine(GITHUB, "keeps its layer cache already"),
        Ok(Some(_)) => Proposal::by_hand(
            GITHUB,
            "is there already; these keep the cache of docker/build-push-action, behind docker/setup-buildx-action:",
            lines,
        ),
        Err(because) => Proposal::by_hand(GITHUB, because, lines),
    }
}

/// A job in the file of GitLab CI.
pub(super) fn gitlab(folder: &Path, project: &Project) -> Proposal {
    let dockerfile = match &project.dockerfile {
        Ok(dockerfile) => dockerfile,
        Err(because) => return Proposal::by_hand(GITLAB, because, ""),
    };
    let job = filled(include_str!("templates/gitlab.yml"), project, dockerfile);
    let purpose = "each push of a branch builds, with the layers of the last build at hand";
    let before = match plan::text_of(folder, GITLAB) {
        Ok(None) => return Proposal::made(GITLAB, job, purpose),
        Ok(Some(text)) => text,
        Err(because) => return Proposal::by_hand(GITLAB, because, job),
    };
    if before.contains(KEEPS_CACHE) {
        return Proposal::fine(GITLAB, "keeps its layer cache already");
    }
    let after = plan::appended(&before, &job);
    match adds_only(&before, &after, &job) {
        Ok(()) => Proposal::extended(GITLAB, before, after, purpose),
        Err(because) => Proposal::by_hand(GITLAB, because, job),
    }
}

fn filled(template: &str, project: &Project, dockerfile: &Dockerfile) -> String {
    let template = template.replace("@IMAGE@", &project.image).replace("@CONTEXT@", &dockerfile.context);
    template.replace("@FILE@", &dockerfile.path).replace("@WORDS@", &dockerfile.words())
}

/// Whether the second text means what the first does, and the job.
fn adds_only(before: &str, after: &str, job: &str) -> Result<(), &'static str> {
    let (before, after, job) = (yaml::read(before), yaml::read(after), yaml::read(job));
    let ([before], [after], [job]) = (before.as_slice(), after.as_slice(), job.as_slice()) else {
        return Err("is no single YAML document; add this to it:");
    };
    let stages = yaml::get(before, "stages").map(|stages| yaml::items(stages).filter_map(yaml::text).collect::<Vec<_>>());
    if stages.is_some_and(|stages| !stages.contains(&"build")) {
        return Err("has no stage `build`; add this with one of its stages:");
    }
    if yaml::get(before, JOB).is_some() {
        return Err("has a job of that name; add the cache of this one to it:");
    }
    let wanted = yaml::entries(before).chain(yaml::entries(job));
    if wanted.eq(yaml::entries(after)) { Ok(()) } else { Err("is not written as a plain mapping; add this to it:") }
}

#[cfg(test)]
mod tests {
    use super::adds_only;

    #[test]
    fn a_job_is_added_to_a_plain_mapping_and_nothing_else() {
        let job = "docker-build:\n  stage: build\n";
        let check = |before: &str| adds_only(before, &format!("{before}\n{job}"), job).is_ok();
        assert!(check("# x\ntest:\n  script: [a]\n") && check("stages: [test, build]\ntest:\n  script: [a]\n"));
        assert!(!check("stages: [test]\n") && !check("docker-build:\n  script: [a]\n") && !check("{test: {script: [a]}}\n"));
        assert!(!check("a: b\n---\nc: d\n") && !check("a: [\n") && !check("- a\n"));
    }
}
