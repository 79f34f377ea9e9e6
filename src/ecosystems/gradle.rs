//! Gradle: `gradle` and the wrapper `gradlew`.
//!
//! Knows: `caches` below the Gradle user home, and for the wrapper `wrapper/dists`, its Gradle distributions. Never mounts the
//! user home itself: `gradle.properties` with passwords, init scripts and provisioned JDKs are in it.
//! Later builds work from the caches. One build at a time: Gradle asks the owner of a lock to let go over the loopback, which
//! doesn't reach into another container, so a second build times out ("Timeout waiting to lock"). Content is named by
//! coordinates or by the hash of its inputs, so platforms don't collide.
//!
//! The `gradle` image links `/root/.gradle` to `/home/gradle/.gradle`, which is mounted in its own name. Refused: its
//! tags before 6, some of which run as `gradle` where nobody says so, and could not write to root's mount.
//! Not seen: `gradle-wrapper.properties` (`distributionBase=PROJECT`) and properties files: the mount stays idle.
//!
//! Sources: Gradle's user manual (command line, directories); the wrapper's `GradleUserHomeLookup`; the Dockerfiles of the
//! `gradle` image; Gradle issues 851 and 7518 on locks between containers.

mod first_build;
mod manifests;
mod scripts;

use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project, Surroundings, User,
};
use crate::ecosystems::{jvm, offline};
use crate::knowledge::Knowledge;

/// Gradle.
pub struct Gradle;

/// Options whose value is the next word.
#[rustfmt::skip] // A paragraph, not a column.
const WITH_VALUE: &[&str] = &[
    "-g", "--gradle-user-home", "-p", "--project-dir", "-b", "--build-file", "-c", "--settings-file", "-I", "--init-script",
    "-x", "--exclude-task", "-D", "--system-prop", "-P", "--project-prop", "-M", "--write-verification-metadata", "-F",
    "--dependency-verification", "--project-cache-dir", "--include-build", "--max-workers", "--console", "--warning-mode",
    "--priority", "--tests", "--configuration",
];

/// Variables whose options reach Gradle's own Java process.
const OPTIONS: &[&str] = &["GRADLE_OPTS", "JAVA_OPTS"];

impl Ecosystem for Gradle {
    fn id(&self) -> &'static str {
        "gradle"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["gradle", "gradlew"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--project-cache-dir"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["gradle.properties", "init.gradle"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !self.programs().contains(&invocation.program.as_str()) {
            return None;
        }
        // The wrapper fetches Gradle itself whatever it is asked: `./gradlew --version` is a way to warm it up.
        let informs = ["-v", "--version", "-h", "-?", "--help", "--stop", "--status"];
        if invocation.program == "gradle" && invocation.flag(&informs).is_some() {
            Some(Activity::Other)
        } else if invocation.flag(&["--offline"]).is_some() {
            Some(Activity::Offline)
        } else {
            Some(Activity::Install { needs_index: false })
        }
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        offline::refuse_if_hidden(self, invocation, at, WITH_VALUE)?;
        if is_official(at) && release(at).is_some_and(|major| major < 6) && at.user == User::Root {
            let because = format!("the image gradle:{} may run as gradle, who can't write to a mount of root's", at.base.tag());
            return Err(Obstacle::Unsafe { because });
        }
        let home = user_home(invocation, at)?;
        let mut mounts = vec![CacheFolder::downloads(format!("{home}/caches")).locked().needed_later()];
        if invocation.program == "gradlew" {
            mounts.push(CacheFolder::downloads(format!("{home}/wrapper/dists")).locked().needed_later());
        }
        Ok(CacheUse { mounts, ..CacheUse::default() })
    }

    fn only_fetches(&self, invocation: &Invocation) -> bool {
        let mut tasks = invocation.known_arguments().map(|(_, word)| word).filter(|word| !word.starts_with('-'));
        tasks.all(|task| {
            matches!(
                task.rsplit(':').next(),
                Some("dependencies" | "resolveDependencies" | "downloadDependencies" | "help" | "tasks")
            )
        })
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        manifests::of(invocation, at, project)
    }

    fn readers(&self) -> &'static [&'static str] {
        &["kotlinc", "cordova", "ionic", "react-native", "flutter", "make", "just", "task"]
    }
}

/// The tasks: words that are neither options nor their values.
fn tasks(invocation: &Invocation) -> impl Iterator<Item = &str> {
    let mut is_value = false;
    invocation.arguments.iter().filter_map(move |argument| {
        let word = argument.value.known().map_or("", String::as_str);
        let expected = std::mem::replace(&mut is_value, WITH_VALUE.contains(&word));
        (!expected && !word.is_empty() && !word.starts_with('-')).then_some(word)
    })
}

/// The Gradle user home: the option, the property, the variable, the home folder.
fn user_home(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    let given = match invocation.option(&["-g", "--gradle-user-home"]) {
        Some(value) => Some(value.into_known().ok_or_else(|| jvm::unknown("the value of --gradle-user-home"))?),
        None => match jvm::property(invocation, at, OPTIONS, "gradle.user.home")? {
            Some(value) => Some(value),
            None => match at.variable("GRADLE_USER_HOME") {
                Some(Knowledge::Known(value)) => Some(value.clone()),
                Some(Knowledge::Unknown) => return Err(jvm::unknown("$GRADLE_USER_HOME")),
                None => None,
            },
        },
    };
    let folder = match given {
        Some(text) => jvm::folder(at, &text, "the Gradle user home")?,
        None => format!("{}/.gradle", jvm::home(invocation, at, OPTIONS)?),
    };
    Ok(if is_official(at) && folder == "/root/.gradle" { "/home/gradle/.gradle".to_owned() } else { folder })
}

/// The official image, by its name, from whatever registry mirrors it.
fn is_official(at: &Surroundings) -> bool {
    at.base.repository().rsplit('/').next() == Some("gradle")
}

/// The major release that the base image's tag begins with; `None` for `jdk17`, `alpine` and the like, which move on.
fn release(at: &Surroundings) -> Option<u32> {
    at.base.tag().split(['.', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::BaseImage;
    use crate::ecosystems::testing::invocation;

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: false });

    fn at(image: &str, variables: &[(&str, &str)]) -> Surroundings<'static> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        Surroundings {
            variables: variables.collect(),
            home: Knowledge::Known("/root".into()),
            workdir: Knowledge::Known("/src".into()),
            base: BaseImage { reference: Knowledge::Known(image.to_owned()) },
            ..Surroundings::default()
        }
    }

    fn targets(words: &[&str], at: &Surroundings) -> Result<Vec<String>, Obstacle> {
        Ok(Gradle.cache(&invocation(words), at)?.mounts.into_iter().map(|mount| mount.target).collect())
    }

    #[test]
    fn tells_fetching_from_offline_and_information() {
        let activity = |words: &[&str]| Gradle.recognise(&invocation(words));
        assert_eq!(activity(&["gradle", "build", "--no-daemon"]), INSTALL);
        assert_eq!(activity(&["gradle", "--offline", "build"]), Some(Activity::Offline));
        assert_eq!(activity(&["gradle", "--version"]), Some(Activity::Other));
        assert_eq!(activity(&["./gradlew", "--version"]), INSTALL, "the wrapper fetches Gradle first");
    }

    #[test]
    fn caches_below_the_user_home_and_the_wrappers_distributions() {
        let jdk = "eclipse-temurin:21-jdk";
        let both = vec!["/root/.gradle/caches".to_owned(), "/root/.gradle/wrapper/dists".to_owned()];
        assert_eq!(targets(&["./gradlew", "build"], &at(jdk, &[])), Ok(both));
        assert_eq!(targets(&["gradle", "-g", "../g", "build"], &at(jdk, &[])), Ok(vec!["/g/caches".to_owned()]));
        let moved = at(jdk, &[("GRADLE_USER_HOME", "/cache")]);
        assert_eq!(targets(&["gradle", "build"], &moved), Ok(vec!["/cache/caches".to_owned()]));
        assert_eq!(targets(&["gradle", "-Dgradle.user.home=/p", "build"], &moved), Ok(vec!["/p/caches".to_owned()]));
        assert_eq!(targets(&["gradle", "-g", "$DIR", "build"], &moved), Err(jvm::unknown("the value of --gradle-user-home")));
    }

    #[test]
    fn the_official_image_keeps_roots_caches_in_gradles_home() {
        let caches = Ok(vec!["/home/gradle/.gradle/caches".to_owned()]);
        assert_eq!(targets(&["gradle", "build"], &at("gradle:8.5-jdk17", &[])), caches);
        assert_eq!(targets(&["gradle", "build"], &at("mirror.corp.net/library/gradle:jdk17", &[])), caches);
        assert!(targets(&["gradle", "build"], &at("gradle:4.10-jdk8", &[])).is_err(), "it runs as gradle");
    }

    #[test]
    fn an_unseen_word_after_a_fetch_may_hide_offline() {
        let warmed = [invocation(&["gradle", "dependencies"])];
        let after = Surroundings { earlier: &warmed, ..at("gradle:8", &[]) };
        assert!(targets(&["gradle", "$GRADLE_ARGS", "build"], &after).is_err());
        assert!(targets(&["gradle", "-Pversion=$VERSION", "build"], &after).is_ok());
        assert!(targets(&["gradle", "$GRADLE_ARGS", "build"], &at("gradle:8", &[])).is_ok());
    }
}
