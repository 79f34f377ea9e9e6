//! Build arguments that get another value with every build.
//!
//! Owns: what in a build file tells that a value is the commit, the time or the number of the build. Never does: judge a name.

use super::variables::reference;
use std::collections::BTreeSet;

/// Variables of CI services and commands that give each build another value: the manuals of GitHub Actions, GitLab, CircleCI, Travis,
/// Jenkins, Buildkite, Bitbucket, Drone, Azure Pipelines and CodeBuild.
#[rustfmt::skip]
const SIGNS: &[&str] = &[
    "github.sha", "github.run_id", "github.run_number", "github.event.head_commit", "github.event.pull_request.head.sha", "GITHUB_SHA",
    "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "CI_COMMIT_SHA", "CI_COMMIT_SHORT_SHA", "CI_COMMIT_TIMESTAMP", "CI_JOB_ID", "CI_PIPELINE_ID",
    "CI_PIPELINE_IID", "CIRCLE_BUILD_NUM", "CIRCLE_SHA1", "TRAVIS_BUILD_NUMBER", "TRAVIS_COMMIT", "BUILDKITE_BUILD_NUMBER",
    "BUILDKITE_COMMIT", "BITBUCKET_BUILD_NUMBER", "BITBUCKET_COMMIT", "DRONE_BUILD_NUMBER", "DRONE_COMMIT", "BUILD_SOURCEVERSION",
    "BUILD_BUILDID", "CODEBUILD_RESOLVED_SOURCE_VERSION", "git rev-parse", "git describe", "git log", "git show", "$(date", "`date",
    "shell date", "outputs.sha", "outputs.short_sha", "outputs.sha_short", "outputs.date", "outputs.timestamp",
];

/// Whether a value is another with every build, as far as its text tells.
pub(super) fn is_fresh(value: &str) -> bool {
    SIGNS.iter().any(|sign| value.contains(sign))
}

/// Of `NAME=VALUE` arguments of a script's commands, the names of those that are fresh, by their values or by what the script sets the
/// variables to which they name.
pub(super) fn in_script<'a>(arguments: impl Iterator<Item = &'a str>, script: &str) -> Vec<String> {
    let set: BTreeSet<&str> = script
        .lines()
        .filter_map(|line| line.split_once('=').filter(|(_, value)| is_fresh(value)))
        .filter_map(|(name, _)| name.trim_end_matches([':', '?', ' ']).rsplit([' ', '\t']).next())
        .collect();
    let names_one = |value: &str| {
        value.split('$').skip(1).filter_map(reference).any(|(name, _)| set.contains(name.trim_start_matches("env.").trim()))
    };
    let fresh = |argument: &'a str| {
        let (name, value) = argument.split_once('=')?;
        (is_fresh(value) || names_one(value)).then(|| name.to_owned())
    };
    arguments.filter_map(fresh).collect()
}

#[cfg(test)]
mod tests {
    use super::in_script;

    #[test]
    fn values_of_each_build_are_told() {
        let script = "COMMIT := $(shell git rev-parse HEAD)\nexport NOW=`date -u`\nTAG=v1\n";
        let fresh = |arguments: &[&str]| in_script(arguments.iter().copied(), script).join(" ");
        assert_eq!(
            fresh(&["A=$(COMMIT)", "B=${NOW}", "C=$TAG", "D=1", "E=$(git describe --tags)", "F=${{ github.sha }}"]),
            "A B E F"
        );
        assert_eq!(fresh(&["G", "H=$HOME", "I=$(date +%s)"]), "I");
    }
}
