//! What a Gradle command reads of the project.
//!
//! Knows: Gradle has no command that fetches the dependencies alone. `gradle dependencies` works out versions from metadata and
//! leaves the artefacts to the tasks that use them, so a build gains little from it; what a build needs of the source can't be told.
//! Safe is one part: the wrapper fetches Gradle itself, over a hundred megabytes, and needs its own files alone for that.
//! `./gradlew --version` does it. For those who accept a doubt there is a first build on the scripts alone.
//!
//! An author's own `gradle dependencies` reads the build scripts; these are followed as far as they are plain.
//!
//! From: Gradle's user manual (wrapper, settings files, multi-project builds), the wrapper's `GradleWrapperMain` (of
//! `gradle.properties` it takes what begins with `systemProp.`), issues 14051 and 17101.

use super::{WITH_VALUE, first_build, scripts, tasks};
use crate::ecosystems::{
    Bolder, Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, Wrapper, first_half, offline,
};

/// Tasks that read the build scripts alone.
#[rustfmt::skip] // A paragraph, not a column.
const OF_SCRIPTS: &[&str] = &[
    "dependencies", "buildEnvironment", "resolveDependencies", "downloadDependencies", "resolveAndLockAll", "help", "tasks",
    "projects", "properties",
];

/// Options that say where the wrapper keeps Gradle, and how much it says.
const KEPT: &[&str] = &["-g", "--gradle-user-home", "-q", "--quiet", "--no-daemon"];

/// What the command reads; `None` for anything.
pub(super) fn of(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Option<Dependencies>, Entangled> {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let by_wrapper = invocation.program == "gradlew";
    let informs = invocation.flag(&["-v", "--version", "-h", "-?", "--help", "--stop", "--status"]).is_some();
    if informs && !by_wrapper {
        return Ok(Some(Dependencies::default()));
    }
    let mut found = Dependencies::default();
    if by_wrapper {
        wrapper(&mut found, invocation, at, project)?;
    }
    if informs {
        return Ok(Some(found));
    }
    let hidden = offline::hiding_word(invocation, WITH_VALUE);
    let tasks: Vec<&str> = tasks(invocation).collect();
    let of_scripts = |task: &&str| OF_SCRIPTS.contains(&task.rsplit(':').next().unwrap_or_default());
    if hidden.is_none() && !tasks.is_empty() && tasks.iter().all(of_scripts) && invocation.flag(&["--offline"]).is_none() {
        scripts::read(&mut found, invocation, at, project, false)?;
        return Ok(Some(found));
    }
    if by_wrapper {
        found.part = Part::FirstHalf { command: version(invocation)?, rest: Vec::new(), only_fetches: true };
        found.bolder = first_build::of(invocation, at, project).ok().flatten().map(|build| Bolder {
            command: build.command,
            doubt: build.doubt,
            makes: build.makes,
            files: build.reads.files,
            folders: build.reads.folders,
        });
        return Ok(Some(found));
    }
    if tasks.is_empty() && hidden.is_none() || invocation.flag(&["--offline"]).is_some() {
        return Ok(None);
    }
    if let Some(build) = first_build::of(invocation, at, project)? {
        let part = Part::FirstHalf { command: build.command, rest: Vec::new(), only_fetches: true };
        return Ok(Some(Dependencies { makes: build.makes, part, doubt: Some(build.doubt), ..build.reads }));
    }
    let because = "Gradle has no command that fetches the dependencies alone; a cache mount keeps them between builds".to_owned();
    Err(Entangled::NeedsSource { because })
}

/// The wrapper's script, its jar and its properties.
fn wrapper(found: &mut Dependencies, invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<(), Entangled> {
    let missing = |name: &str| Entangled::NotSeen { because: format!("{name} is not among what the copies bring") };
    let script = at.absolute(&invocation.path).into_known().ok_or_else(|| missing("gradlew"))?;
    let folder = script.rsplit_once('/').map_or("", |(folder, _)| folder);
    for name in ["gradle/wrapper/gradle-wrapper.jar", "gradle/wrapper/gradle-wrapper.properties"] {
        let path = format!("{folder}/{name}");
        if project.look(&path) != Found::File {
            return Err(missing(name));
        }
        found.files.push(path);
    }
    if project.look(&script) != Found::File {
        return Err(missing("gradlew"));
    }
    let text = project.text(&format!("{folder}/gradle/wrapper/gradle-wrapper.properties")).into_known();
    let text = text.ok_or_else(|| Entangled::NotSeen { because: "gradle-wrapper.properties can't be read".to_owned() })?;
    for (base, path) in [("distributionBase", "distributionPath"), ("zipStoreBase", "zipStorePath")] {
        let value = |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key)?.trim().strip_prefix('='));
        if value(base).is_some_and(|value| value.trim() == "PROJECT") {
            found.makes.push(format!("{folder}/{}", value(path).unwrap_or("wrapper/dists").trim()));
        }
    }
    found.makes.dedup();
    let properties = format!("{folder}/gradle.properties");
    if project.look(&properties) == Found::File {
        let text = project.text(&properties);
        // A proxy, a password for the address: the rest is the build's.
        if text.known().is_none_or(|text| text.lines().any(|line| line.trim_start().starts_with("systemProp."))) {
            found.files.push(properties);
        }
    }
    found.files.push(script);
    found.files.sort();
    Ok(())
}

/// The command that makes the wrapper fetch Gradle.
fn version(invocation: &Invocation) -> Result<String, Entangled> {
    let mut kept = false;
    let left_out = invocation.arguments.iter().enumerate().filter_map(|(index, argument)| {
        let word = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
        let is_value = std::mem::replace(&mut kept, matches!(word, "-g" | "--gradle-user-home"));
        let stays = is_value
            || KEPT.contains(&word)
            || ["-g=", "--gradle-user-home=", "-Dgradle.user.home="].iter().any(|start| word.starts_with(start));
        (!stays).then_some(index)
    });
    first_half::text(invocation, &left_out.collect::<Vec<_>>(), &["--version"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    const WRAPPER: [(&str, &str); 3] = [
        ("gradlew", ""),
        ("gradle/wrapper/gradle-wrapper.jar", ""),
        ("gradle/wrapper/gradle-wrapper.properties", "distributionBase=GRADLE_USER_HOME\n"),
    ];
    const OWN: &str = "gradle/wrapper/gradle-wrapper.jar gradle/wrapper/gradle-wrapper.properties gradlew";

    fn ask(line: &str, files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        of(&invocation(&line.split(' ').collect::<Vec<_>>()), &in_project("gradle:8"), &Files::new(files))
    }

    fn read(found: &Dependencies) -> String {
        let paths = found.files.iter().chain(&found.folders).map(|path| path.trim_start_matches("/app/").to_owned());
        paths.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_build_by_the_wrapper_fetches_gradle_first() {
        let mut files = WRAPPER.to_vec();
        files.push(("gradle.properties", "version=1"));
        for (line, half) in [
            ("./gradlew bootJar -x test --no-daemon", "./gradlew --no-daemon --version"),
            ("./gradlew -g /g $FLAGS build", "./gradlew -g /g --version"),
        ] {
            let build = ask(line, &files).unwrap().unwrap();
            assert_eq!(read(&build), OWN, "{line}");
            assert_eq!(build.part, Part::FirstHalf { command: half.to_owned(), rest: Vec::new(), only_fetches: true }, "{line}");
        }
        let version = ask("./gradlew --version", &files).unwrap().unwrap();
        assert_eq!((read(&version).as_str(), version.part), (OWN, Part::Whole));
        files.push(("gradle.properties", "systemProp.https.proxyHost=x"));
        files.remove(3);
        assert!(read(&ask("./gradlew build", &files).unwrap().unwrap()).starts_with("gradle.properties "));
        assert!(matches!(ask("./gradlew build", &WRAPPER[..1]), Err(Entangled::NotSeen { .. })));
        let project =
            "distributionBase=PROJECT\ndistributionPath=wrapper/dists\nzipStoreBase=PROJECT\nzipStorePath=wrapper/dists\n";
        let kept = [WRAPPER[0], WRAPPER[1], ("gradle/wrapper/gradle-wrapper.properties", project)];
        assert_eq!(ask("./gradlew build", &kept).unwrap().unwrap().makes, ["/app/wrapper/dists"]);
    }

    #[test]
    fn a_build_on_the_scripts_alone_for_those_who_accept_a_doubt() {
        let files = [("settings.gradle", ""), ("build.gradle", ""), ("src/A.java", "")];
        let half = ask("gradle clean distZip", &files).unwrap().unwrap();
        let command = "gradle distZip --continue || true".to_owned();
        assert_eq!(half.part, Part::FirstHalf { command, rest: Vec::new(), only_fetches: true });
        assert_eq!((read(&half).as_str(), half.doubt.is_some()), ("build.gradle settings.gradle", true));
        assert_eq!(half.makes, ["/app/.gradle", "/app/build"]);
        let mut files = files.to_vec();
        files.extend(WRAPPER);
        let bolder = ask("./gradlew build", &files).unwrap().unwrap().bolder.unwrap();
        assert_eq!(bolder.command, "./gradlew build --continue || true");
        assert_eq!((bolder.files.len(), bolder.folders), (2, vec!["/app/gradle".to_owned()]));
    }

    #[test]
    fn a_build_without_the_wrapper_is_refused_in_words() {
        let error = ask("gradle publish", &[("build.gradle", "")]).unwrap_err();
        assert!(error.to_string().starts_with("Gradle has no command that fetches"), "{error}");
        let looped = ask("gradle build", &[("build.gradle", ""), ("settings.gradle", "x.eachDir { include it.name }")]);
        assert!(looped.unwrap_err().to_string().starts_with("settings.gradle:1: "));
        assert_eq!(ask("gradle --version", &[]), Ok(Some(Dependencies::default())));
        assert_eq!(ask("gradle --offline build", &[]), Ok(None));
    }

    #[test]
    fn the_authors_own_fetch_reads_the_build_scripts() {
        let files = [("settings.gradle", "include 'a'"), ("build.gradle", ""), ("a/build.gradle.kts", ""), ("a/src/A.java", "")];
        let whole = ask("gradle dependencies --no-daemon", &files).unwrap().unwrap();
        assert_eq!((read(&whole).as_str(), whole.part), ("a/build.gradle.kts build.gradle settings.gradle", Part::Whole));
    }
}
