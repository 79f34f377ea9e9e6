//! Maven: `mvn`, the wrapper `mvnw`, the daemon's `mvnd`.
//!
//! Knows: the local repository (`maven.repo.local`, else `~/.m2/repository`) and the wrapper's Maven distributions
//! (`~/.m2/wrapper/dists`). Never mounts `~/.m2` itself: settings, passwords and toolchains are in it.
//! Later steps work from the repository. One build at a time: the resolver's locks don't reach over containers.
//! The content is named by coordinates and classifier, so it is the same for every platform.
//!
//! `mvn install` puts the project's own artefacts into the repository, and nothing could fetch those again once the builder has
//! cleared the mount but kept the step's layer. The command itself is an install like any other (what is copied out later is
//! `target/`), but every Maven command after it is refused, and with it, by way of [`Need::ByLaterSteps`], the install.
//! `install:install-file` exists for that effect alone and is always refused.
//!
//! Not seen: `.mvn/maven.config`, `settings.xml` (`localRepository`, `offline`). Where one moves the repository, the mount stays
//! idle; a settings file that is named gets a note. Refused: the `maven` image's `settings-docker.xml`, whose repository
//! is meant to stay in the image.
//!
//! Sources: Maven's command line reference and its `MavenCli`; the scripts of the Maven wrapper; the `maven` image's read-me.
//!
//! [`Need::ByLaterSteps`]: crate::ecosystems::Need::ByLaterSteps

mod manifests;
mod pom;

use crate::ecosystems::{
    Activity, CacheFolder, CacheUse, Dependencies, Ecosystem, Entangled, Invocation, Obstacle, Project, Surroundings,
};
use crate::ecosystems::{jvm, offline};
use crate::knowledge::Knowledge;

/// Maven.
pub struct Maven;

/// Options whose value is the next word.
#[rustfmt::skip] // A paragraph, not a column.
const WITH_VALUE: &[&str] = &[
    "-f", "--file", "-s", "--settings", "-gs", "--global-settings", "-t", "--toolchains", "-gt", "--global-toolchains", "-P",
    "--activate-profiles", "-pl", "--projects", "-T", "--threads", "-D", "--define", "-rf", "--resume-from", "-l",
    "--log-file", "-b", "--builder", "--color", "-emp", "--encrypt-master-password", "-ep", "--encrypt-password",
];

impl Ecosystem for Maven {
    fn id(&self) -> &'static str {
        "maven"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["mvn", "mvnw", "mvnd", "mvnDebug"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--log-file", "-l"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".mvn/extensions.xml", ".mvn/jvm.config", ".mvn/maven.config"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !self.programs().contains(&invocation.program.as_str()) {
            return None;
        }
        // The wrapper fetches Maven itself before it looks at any option.
        let informs = ["-v", "--version", "-h", "--help", "--stop", "--status", "--purge", "--diag"];
        let inline = invocation.variables.iter().filter(|(name, _)| argument_variables(invocation).contains(&name.as_str()));
        if invocation.program != "mvnw" && invocation.flag(&informs).is_some() {
            Some(Activity::Other)
        } else if invocation.known_arguments().any(|(_, word)| is_offline(word))
            || inline.filter_map(|(_, value)| value.known()).any(|text| text.split_whitespace().any(is_offline))
        {
            Some(Activity::Offline)
        } else {
            Some(Activity::Install { needs_index: false })
        }
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        offline::refuse_if_hidden(self, invocation, at, WITH_VALUE)?;
        let passed_on = argument_variables(invocation);
        for variable in passed_on {
            if let Some(Knowledge::Known(text)) = at.variable(variable)
                && text.split_whitespace().any(is_offline)
            {
                return Err(Obstacle::Unsafe {
                    because: format!("{variable} makes Maven work from what an earlier step fetched"),
                });
            }
        }
        if let Some(goal) =
            goals(invocation).find(|goal| goal.contains("install-file") || goal.contains("purge-local-repository"))
        {
            return Err(Obstacle::Unsafe {
                because: format!("{goal} changes the local repository in a way no download repeats"),
            });
        }
        let own = |earlier: &&Invocation| {
            self.recognise(earlier).is_some() && (installs_own(earlier) || offline::hiding_word(earlier, WITH_VALUE).is_some())
        };
        if at.earlier.iter().any(|earlier| own(&earlier)) {
            let because =
                "an earlier step may have put artefacts of its own into the repository, and no download brings them back";
            return Err(Obstacle::Unsafe { because: because.to_owned() });
        }
        let mut notes = Vec::new();
        if let Some(settings) = invocation.option(&["-s", "--settings", "-gs", "--global-settings"]) {
            match settings.known() {
                Some(file) if file.ends_with("settings-docker.xml") => {
                    let because = format!("the repository that {file} names is meant to stay in the image");
                    return Err(Obstacle::Unsafe { because });
                }
                Some(file) => notes.push(format!("if {file} names another localRepository, the mount stays idle")),
                None => return Err(jvm::unknown("the settings file is not known and may name another repository")),
            }
        }
        if installs_own(invocation) {
            notes.push("the project's own artefacts go into the mounted repository, not into the image".to_owned());
        }
        let options: Vec<&str> = passed_on.iter().copied().chain(["MAVEN_OPTS"]).collect();
        let target = match jvm::property(invocation, at, &options, "maven.repo.local")? {
            Some(text) => jvm::folder(at, &text, "maven.repo.local")?,
            None => format!("{}/.m2/repository", jvm::home(invocation, at, &options)?),
        };
        if target.ends_with("/.m2") || target == "/" || at.workdir.known() == Some(&target) {
            return Err(Obstacle::Unsafe { because: format!("the repository {target} shares its folder with other files") });
        }
        let mut mounts = vec![CacheFolder::downloads(target).locked().needed_later()];
        if let Some(wrapper) = distributions(invocation, at, &options) {
            mounts.push(CacheFolder::downloads(wrapper).locked().needed_later());
        }
        Ok(CacheUse { mounts, notes, ..CacheUse::default() })
    }

    fn only_fetches(&self, invocation: &Invocation) -> bool {
        let mut goals = invocation.known_arguments().map(|(_, word)| word).filter(|word| !word.starts_with('-')).peekable();
        goals.peek().is_some() && goals.all(|goal| goal.contains("dependency:") || goal.contains("dependency-plugin:"))
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
        &["gradle", "gradlew", "sbt", "lein", "clojure", "clj", "jbang", "ant", "make", "just", "task"]
    }
}

/// Variables whose words are put among the command's own: Maven 3.9 reads `MAVEN_ARGS`, the wrapper's script `MAVEN_CONFIG`.
fn argument_variables(invocation: &Invocation) -> &'static [&'static str] {
    if invocation.program == "mvnw" { &["MAVEN_ARGS", "MAVEN_CONFIG"] } else { &["MAVEN_ARGS"] }
}

/// Where the wrapper keeps Maven. Its shell-only form goes by `HOME`, the one with a jar by Java's home, and only some releases
/// heed `MAVEN_USER_HOME`: none where these differ, since the distribution then stays in the layer and nothing breaks.
fn distributions(invocation: &Invocation, at: &Surroundings, options: &[&str]) -> Option<String> {
    let home = jvm::home(invocation, at, options).ok()?;
    let agreed = at.home.known() == Some(&home) && at.variable("MAVEN_USER_HOME").is_none();
    (invocation.program == "mvnw" && agreed).then(|| format!("{home}/.m2/wrapper/dists"))
}

fn is_offline(word: &str) -> bool {
    matches!(word, "-o" | "--offline")
}

/// Phases and goals: the words that are neither options nor their values.
fn goals(invocation: &Invocation) -> impl Iterator<Item = &str> {
    goals_at(invocation).map(|(_, word)| word)
}

/// The same with their indexes.
fn goals_at(invocation: &Invocation) -> impl Iterator<Item = (usize, &str)> {
    let mut is_value = false;
    invocation.arguments.iter().enumerate().filter_map(move |(index, argument)| {
        let word = argument.value.known().map_or("", String::as_str);
        let expected = std::mem::replace(&mut is_value, WITH_VALUE.contains(&word));
        (!expected && !word.is_empty() && !word.starts_with('-')).then_some((index, word))
    })
}

/// Whether the project's own artefacts end in the local repository (`deploy` runs the phase `install` before).
fn installs_own(invocation: &Invocation) -> bool {
    goals(invocation).any(|goal| {
        matches!(goal, "install" | "deploy") || goal.starts_with("install:") || goal.contains("maven-install-plugin:")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: false });

    fn at(variables: &[(&str, &str)]) -> Surroundings<'static> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        let home = Knowledge::Known("/root".to_owned());
        Surroundings { variables: variables.collect(), home, workdir: Knowledge::Known("/src".into()), ..Surroundings::default() }
    }

    fn targets(words: &[&str], at: &Surroundings) -> Result<Vec<String>, Obstacle> {
        Ok(Maven.cache(&invocation(words), at)?.mounts.into_iter().map(|mount| mount.target).collect())
    }

    #[test]
    fn tells_fetching_from_offline_and_information() {
        let activity = |words: &[&str]| Maven.recognise(&invocation(words));
        assert_eq!(activity(&["mvn", "-B", "-f", "pom.xml", "dependency:go-offline"]), INSTALL);
        assert_eq!(activity(&["mvn", "clean", "package", "-o"]), Some(Activity::Offline));
        assert_eq!(activity(&["MAVEN_ARGS=-B -o", "mvn", "package"]), Some(Activity::Offline));
        assert_eq!(activity(&["mvn", "--version"]), Some(Activity::Other));
        assert_eq!(activity(&["./mvnw", "--version"]), INSTALL, "the wrapper fetches Maven first");
        assert_eq!(activity(&["java", "-version"]), None);
    }

    #[test]
    fn the_repository_and_for_the_wrapper_its_distributions() {
        assert_eq!(targets(&["mvn", "package"], &at(&[])), Ok(vec!["/root/.m2/repository".to_owned()]));
        let wrapped = vec!["/root/.m2/repository".to_owned(), "/root/.m2/wrapper/dists".to_owned()];
        assert_eq!(targets(&["./mvnw", "package"], &at(&[])), Ok(wrapped));
        assert_eq!(targets(&["mvn", "-Dmaven.repo.local=.m2/repo", "verify"], &at(&[])), Ok(vec!["/src/.m2/repo".to_owned()]));
        let moved = at(&[("MAVEN_OPTS", "-Xmx1g -Dmaven.repo.local=/repo")]);
        assert_eq!(targets(&["mvn", "verify"], &moved), Ok(vec!["/repo".to_owned()]));
        assert!(targets(&["mvn", "-Dmaven.repo.local=/root/.m2", "verify"], &at(&[])).is_err(), "settings.xml is there");
        assert!(targets(&["mvn", "-Dmaven.repo.local=$REPO", "verify"], &at(&[])).is_err());
    }

    #[test]
    fn artefacts_that_no_download_brings_back_are_refused() {
        assert!(targets(&["mvn", "install:install-file", "-Dfile=a.jar"], &at(&[])).is_err());
        assert!(targets(&["mvn", "-s", "/usr/share/maven/ref/settings-docker.xml", "package"], &at(&[])).is_err());
        assert!(targets(&["mvn", "-pl", "install", "package"], &at(&[("MAVEN_ARGS", "-o")])).is_err());
        let parent = [invocation(&["mvn", "-f", "parent", "install"])];
        assert!(targets(&["mvn", "-f", "app", "package"], &Surroundings { earlier: &parent, ..at(&[]) }).is_err());
        let warmed = [invocation(&["mvn", "dependency:go-offline"])];
        let after = Surroundings { earlier: &warmed, ..at(&[]) };
        assert!(targets(&["mvn", "install"], &after).is_ok());
        assert!(targets(&["mvn", "$MAVEN_CLI_OPTS", "package"], &after).is_err(), "it may hide -o");
        assert!(targets(&["mvn", "-P$PROFILE", "-f", "$POM", "package"], &after).is_ok());
    }
}
