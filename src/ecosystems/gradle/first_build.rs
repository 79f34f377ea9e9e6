//! A build run on the build scripts alone, before the source is there.
//!
//! Knows: tasks without sources are skipped, an archive of what runs fetches the libraries all the same, and the evaluation of the
//! scripts fetches the plugins. What needs the source fails, which is allowed (`--continue`, `|| true`). Never offered for a task
//! that does something outside of the project's folder: publishing, deploying, running.
//!
//! Gradle compares what a task reads by content, so that the build behind it does again what saw other files. A task that reads what
//! it doesn't declare is the doubt.
//!
//! From: Gradle's user manual (command line: `--continue`; incremental build); tried with Gradle 4.4: `distZip` beside `build.gradle`
//! alone fetched the libraries, and the build of the source behind it made the same archive as a build of its own.

use super::{scripts, tasks};
use crate::ecosystems::{Dependencies, Entangled, Invocation, Project, Surroundings, first_half};

/// Tasks that write to the project's folder alone.
#[rustfmt::skip] // A paragraph, not a column.
const OF_THE_PROJECT: &[&str] = &[
    "build", "assemble", "check", "test", "classes", "testClasses", "compileJava", "compileKotlin", "compileGroovy", "compileScala",
    "jar", "war", "bootJar", "bootWar", "shadowJar", "fatJar", "uberJar", "allJar", "buildFatJar", "quarkusBuild", "installDist",
    "installBootDist", "installShadowDist", "distZip", "distTar", "bootDistZip", "bootDistTar", "shadowDistZip", "clean",
];

/// What a build on the scripts alone is.
pub(super) struct FirstBuild {
    /// Shell text that does not fail.
    pub command: String,
    /// The scripts that it reads.
    pub reads: Dependencies,
    /// Folders in the project that it fills.
    pub makes: Vec<String>,
    /// Why the image may differ.
    pub doubt: String,
}

/// The build of a command that builds; `None` where a task may do more than that.
///
/// # Errors
/// What of the scripts can't be followed.
pub(super) fn of(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Option<FirstBuild>, Entangled> {
    let plain = |task: &str| OF_THE_PROJECT.contains(&task.rsplit(':').next().unwrap_or_default());
    let mut named = tasks(invocation).peekable();
    let known = invocation.arguments.iter().all(|argument| argument.value.known().is_some() || argument.raw.starts_with("-P"));
    let by_project = ["--project-cache-dir", "-t", "--continuous", "--dry-run", "-m"];
    if named.peek().is_none() || !named.all(plain) || !known || by_project.iter().any(|word| invocation.flag(&[*word]).is_some())
    {
        return Ok(None);
    }
    let mut reads = Dependencies::default();
    let makes = scripts::read(&mut reads, invocation, at, project, true)?;
    let builds = tasks(invocation).any(|task| task != "clean");
    let cleans = |(index, argument): (usize, &crate::ecosystems::Argument)| {
        (builds && argument.value.known().is_some_and(|word| word == "clean")).then_some(index)
    };
    let left_out: Vec<usize> = invocation.arguments.iter().enumerate().filter_map(cleans).collect();
    let goes_on: &[&str] = if invocation.flag(&["--continue"]).is_some() { &["|| true"] } else { &["--continue || true"] };
    let command = first_half::text(invocation, &left_out, goes_on)?;
    let doubt =
        "Gradle has no command that fetches the dependencies alone, so the build is run on the build scripts first and may \
                 fail there; a task that reads what it does not declare could keep what it made then"
            .to_owned();
    Ok(Some(FirstBuild { command, reads, makes, doubt }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    fn command(line: &str) -> Option<String> {
        let files = Files::new(&[("build.gradle", "")]);
        of(&invocation(&line.split(' ').collect::<Vec<_>>()), &in_project("gradle:8"), &files).unwrap().map(|build| build.command)
    }

    #[test]
    fn the_same_build_that_may_fail() {
        for (line, half) in [
            ("gradle clean distZip -Pdistribution", "gradle distZip -Pdistribution --continue || true"),
            ("gradle :app:bootJar -x test --no-daemon", "gradle :app:bootJar -x test --no-daemon --continue || true"),
            ("./gradlew build --continue", "./gradlew build --continue || true"),
        ] {
            assert_eq!(command(line).as_deref(), Some(half));
        }
    }

    #[test]
    fn nothing_that_reaches_beyond_the_project() {
        for line in ["gradle build publish", "gradle bootRun", "gradle", "gradle build $TASKS", "gradle -m build", "gradle jib"] {
            assert_eq!(command(line), None, "{line}");
        }
    }
}
