//! What a Maven command reads of the project, and the half of a build that only fetches.
//!
//! Knows: `mvn dependency:go-offline` needs the poms alone. It also fails where a build does not (modules that depend on each
//! other with an old plugin, reports that are gone), so as a first half it runs with `--fail-never`: then Maven ends well whatever
//! happens (tried with Maven 3.8: without the plugin, with a missing parent; not beside `--fail-at-end`), and what it did not
//! fetch the build fetches, as before.
//!
//! Never: what a build itself reads; that is anything.
//!
//! From: Maven's command line reference and its POM reference, the dependency plugin's `GoOfflineMojo` and its issues 204 and 516.

use super::pom::{self, Poms};
use super::{WITH_VALUE, argument_variables, goals, goals_at, is_offline};
use crate::ecosystems::{
    Argument, Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, Wrapper, absolute, first_half, offline,
};
use crate::knowledge::Knowledge;

/// Goals of the dependency plugin that read poms and write to the local repository alone.
const FETCHING: &[&str] = &[
    "go-offline",
    "resolve",
    "resolve-plugins",
    "resolve-sources",
    "sources",
    "collect",
    "tree",
    "list",
    "resolve-dependencies",
];

/// Phases of the default lifecycle by which a build is known.
#[rustfmt::skip] // A paragraph, not a column.
const PHASES: &[&str] = &[
    "compile", "process-classes", "test-compile", "test", "prepare-package", "package", "pre-integration-test",
    "integration-test", "post-integration-test", "verify", "install", "deploy", "generate-sources", "process-sources",
    "generate-resources", "process-resources", "process-test-classes",
];

/// Options that `--fail-never` replaces.
const FAILING: &[&str] = &["-ff", "--fail-fast", "-fae", "--fail-at-end", "-fn", "--fail-never"];

/// Options whose value is a file.
const FILES: &[[&str; 2]] =
    &[["-s", "--settings"], ["-gs", "--global-settings"], ["-t", "--toolchains"], ["-gt", "--global-toolchains"]];

/// What the command reads; `None` for anything.
pub(super) fn of(invocation: &Invocation, at: &Surroundings, project: &dyn Project) -> Result<Option<Dependencies>, Entangled> {
    if invocation.wrappers.contains(&Wrapper::Xargs) {
        return Ok(None);
    }
    let informs = invocation.flag(&["-v", "--version", "-h", "--help"]).is_some();
    let by_wrapper = invocation.program == "mvnw";
    if informs && !by_wrapper {
        return Ok(Some(Dependencies::default()));
    }
    if let Some(word) = offline::hiding_word(invocation, WITH_VALUE) {
        return Err(Entangled::NotSeen { because: format!("{word} is not known and may name another pom") });
    }
    let goals: Vec<&str> = goals(invocation).collect();
    let last = |goal: &&str| goal.rsplit(':').next().unwrap_or_default().to_owned();
    let of_dependencies = |goal: &&str| goal.contains("dependency") || goal.contains("go-offline-maven-plugin");
    let fetches = goals.iter().all(|goal| of_dependencies(goal) && FETCHING.contains(&last(goal).as_str()));
    let copies = !fetches
        && goals
            .iter()
            .all(|goal| of_dependencies(goal) && matches!(last(goal).as_str(), "copy-dependencies" | "go-offline" | "resolve"));
    let installs_files = goals.iter().all(|goal| last(goal) == "install-file");
    let builds = goals.iter().any(|goal| PHASES.contains(goal));
    let mut work = Work { invocation, at, project, found: Dependencies::default(), words: invocation.clone() };
    if by_wrapper {
        work.wrapper()?;
    }
    if informs {
        return Ok(Some(work.found));
    }
    if goals.is_empty() || !(fetches || copies || installs_files || builds) {
        return Ok(None);
    }
    let Some(poms) = work.poms(installs_files)? else { return Ok(Some(work.found)) };
    if work.is_offline() {
        return Ok(None);
    }
    if installs_files {
        work.installed_files()?;
    } else if copies {
        let moved = invocation.known_arguments().any(|(_, word)| word.starts_with("-DoutputDirectory"));
        if moved || poms.files.len() > 1 {
            return Ok(None);
        }
        work.found.makes.push(format!("{}/target", poms.folder));
    } else if builds {
        work.found.part = work.first_half()?;
    }
    if fetches && let Some(place) = poms.looks_for_source {
        let because = format!("{place}: a profile hangs on a folder of the source");
        return Err(Entangled::NeedsSource { because });
    }
    work.found.unpinned = poms.unpinned;
    work.found.files.extend(poms.files);
    work.found.folders.extend(poms.folders);
    for list in [&mut work.found.files, &mut work.found.folders] {
        list.sort();
        list.dedup();
    }
    Ok(Some(work.found))
}

struct Work<'a> {
    invocation: &'a Invocation,
    at: &'a Surroundings<'a>,
    project: &'a dyn Project,
    found: Dependencies,
    /// The command with what `.mvn/maven.config` puts in front of its words.
    words: Invocation,
}

impl Work<'_> {
    /// The wrapper's script and its settings.
    fn wrapper(&mut self) -> Result<(), Entangled> {
        let missing = |name: &str| Entangled::NotSeen { because: format!("{name} is not among what the copies bring") };
        let script = self.at.absolute(&self.invocation.path).into_known().ok_or_else(|| missing("mvnw"))?;
        let folder = script.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        match self.project.look(&script) {
            Found::File => self.found.files.push(script),
            Found::Unknown if !self.invocation.path.contains('/') => return Ok(()),
            _ => return Err(missing(&self.invocation.path)),
        }
        if self.project.look(&format!("{folder}/.mvn/wrapper/maven-wrapper.properties")) != Found::File {
            return Err(missing(".mvn/wrapper/maven-wrapper.properties"));
        }
        self.found.folders.push(format!("{folder}/.mvn"));
        Ok(())
    }

    /// The poms, and what stands around them. `None` where there need be none, and there is none.
    fn poms(&mut self, optional: bool) -> Result<Option<Poms>, Entangled> {
        let not_seen = |because: String| Entangled::NotSeen { because };
        let workdir = self.at.workdir.known().cloned().ok_or_else(|| not_seen("the work folder is not known".to_owned()))?;
        self.configuration(&workdir)?;
        for variable in argument_variables(self.invocation) {
            let Some(value) = self.at.non_empty(variable) else { continue };
            let text = value.into_known().ok_or_else(|| not_seen(format!("{variable} is not known")))?;
            let names = |word: &str| ["-f", "--file", "-s", "--settings", "-pl"].iter().any(|option| word.starts_with(option));
            if text.split_whitespace().any(names) {
                return Err(not_seen(format!("{variable} names other files")));
            }
        }
        for option in FILES {
            let Some(value) = self.words.option(option) else { continue };
            let file = value.into_known().ok_or_else(|| not_seen(format!("the file behind {} is not known", option.concat())))?;
            let path = self.at.absolute(&file).into_known().unwrap_or_default();
            match self.project.look(&path) {
                Found::File => self.found.files.push(path),
                // The image's own, or what an earlier step made.
                Found::Unknown => {}
                Found::Nothing | Found::Folder => return Err(not_seen(format!("{file} is not among what the copies bring"))),
            }
        }
        let given = match self.words.option(&["-f", "--file"]) {
            Some(value) => value.into_known().ok_or_else(|| not_seen("which pom -f names is not known".to_owned()))?,
            None => "pom.xml".to_owned(),
        };
        let path = self.at.absolute(&given).into_known().unwrap_or_default();
        let path = if self.project.look(&path) == Found::Folder { format!("{path}/pom.xml") } else { path };
        if self.project.look(&path) != Found::File {
            return if optional { Ok(None) } else { Err(not_seen(format!("{given} is not among what the copies bring"))) };
        }
        pom::read(&path, self.project).map(Some)
    }

    /// `.mvn`, in the work folder or above it: options, and extensions.
    fn configuration(&mut self, workdir: &str) -> Result<(), Entangled> {
        let mut folder = workdir;
        while !folder.is_empty() {
            let own = format!("{folder}/.mvn");
            if self.project.look(&own) == Found::Folder {
                if self.project.names(&own).iter().any(|name| name != "wrapper") {
                    self.found.folders.push(own.clone());
                }
                let file = format!("{own}/maven.config");
                if self.project.look(&file) == Found::File {
                    let text = self.project.text(&file).into_known();
                    let text =
                        text.ok_or_else(|| Entangled::NotSeen { because: ".mvn/maven.config can't be read".to_owned() })?;
                    let words = text.split_whitespace().map(|word| Argument {
                        value: Knowledge::Known(word.to_owned()),
                        raw: word.to_owned(),
                        span: Knowledge::Unknown,
                    });
                    self.words.arguments.splice(0..0, words.collect::<Vec<_>>());
                }
                return Ok(());
            }
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        Ok(())
    }

    fn is_offline(&self) -> bool {
        let passed_on =
            argument_variables(self.invocation).iter().filter_map(|variable| self.at.non_empty(variable)?.into_known());
        self.words.known_arguments().any(|(_, word)| is_offline(word))
            || passed_on.flat_map(str::split_whitespace).any(is_offline)
    }

    /// The files that `install:install-file` takes over.
    fn installed_files(&mut self) -> Result<(), Entangled> {
        for (_, word) in self.invocation.known_arguments() {
            let options = ["-Dfile=", "-DpomFile=", "-Dsources=", "-Djavadoc=", "-Dfiles="];
            let Some(file) = options.iter().find_map(|option| word.strip_prefix(option)) else { continue };
            let path = absolute(file, &self.at.workdir).into_known().unwrap_or_default();
            if self.project.look(&path) != Found::File {
                return Err(Entangled::NotSeen { because: format!("{file} is not among what the copies bring") });
            }
            self.found.files.push(path);
        }
        Ok(())
    }

    fn first_half(&self) -> Result<Part, Entangled> {
        let mut left_out = self.invocation.flags(FAILING);
        left_out.extend(goals_at(self.invocation).map(|(index, _)| index));
        // The build's own log.
        if let Some(index) = self.invocation.flag(&["-l", "--log-file"]) {
            left_out.extend([index, index + 1]);
        }
        let command = first_half::text(self.invocation, &left_out, &["--fail-never", "dependency:go-offline"])?;
        Ok(Part::FirstHalf { command, rest: Vec::new(), only_fetches: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    const POM: (&str, &str) = ("pom.xml", "<project><artifactId>a</artifactId></project>");

    fn ask(line: &str, files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        let asked = invocation(&line.split(' ').collect::<Vec<_>>());
        let at = Surroundings { variables: asked.variables.clone(), ..in_project("maven:3") };
        of(&asked, &at, &Files::new(files))
    }

    fn found(line: &str, files: &[(&str, &str)]) -> Dependencies {
        ask(line, files).unwrap().unwrap()
    }

    fn read(found: &Dependencies) -> String {
        let paths = found.files.iter().chain(&found.folders).map(|path| path.trim_start_matches("/app/").to_owned());
        paths.collect::<Vec<_>>().join(" ")
    }

    fn half(found: &Dependencies) -> &str {
        match &found.part {
            Part::FirstHalf { command, only_fetches: true, .. } => command,
            _ => "",
        }
    }

    #[test]
    fn a_build_has_a_half_that_fetches() {
        let build = found("mvn -B -DskipTests -P prod clean package", &[POM, ("src/A.java", "")]);
        assert_eq!(read(&build), "pom.xml");
        assert_eq!(half(&build), "mvn -B -DskipTests -P prod --fail-never dependency:go-offline");
        assert_eq!((build.makes.len(), build.doubt, build.unpinned), (0, None, None));
        let other = [("api/pom.xml", "<project/>"), ("ci/settings.xml", "")];
        let named = found("mvn -f api -fae -s ci/settings.xml -l build.log verify", &other);
        assert_eq!(read(&named), "api/pom.xml ci/settings.xml");
        assert_eq!(half(&named), "mvn -f api -s ci/settings.xml --fail-never dependency:go-offline");
        let image = found("mvn -s /usr/share/maven/ref/settings-docker.xml package", &[POM]);
        assert_eq!(read(&image), "pom.xml");
    }

    #[test]
    fn fetching_goals_go_first_whole() {
        for line in ["mvn dependency:go-offline -B", "mvn dependency:resolve-plugins dependency:resolve"] {
            let whole = found(line, &[POM]);
            assert_eq!((read(&whole).as_str(), whole.part), ("pom.xml", Part::Whole), "{line}");
        }
        assert_eq!(found("mvn dependency:copy-dependencies", &[POM]).makes, ["/app/target"]);
        let jar = found("mvn install:install-file -Dfile=libs/x.jar -DgroupId=a", &[("libs/x.jar", "")]);
        assert_eq!((read(&jar).as_str(), jar.part), ("", Part::Whole));
        assert_eq!(read(&found("mvn install:install-file -Dfile=libs/x.jar", &[POM, ("libs/x.jar", "")])), "libs/x.jar pom.xml");
        let profile = "<project><profiles><profile><activation><file><exists>src/main</exists></file></activation></profile></profiles></project>";
        let files = [("pom.xml", profile), ("src/main/A.java", "")];
        assert!(matches!(ask("mvn dependency:go-offline", &files), Err(Entangled::NeedsSource { .. })));
        assert!(ask("mvn package", &files).is_ok());
    }

    #[test]
    fn the_wrapper_and_the_settings_beside_it() {
        let wrapper = [POM, ("mvnw", ""), (".mvn/wrapper/maven-wrapper.properties", "")];
        assert_eq!(read(&found("./mvnw package", &wrapper)), "mvnw pom.xml .mvn");
        let version = found("./mvnw --version", &wrapper);
        assert_eq!((read(&version).as_str(), version.part), ("mvnw .mvn", Part::Whole));
        assert_eq!(read(&found("mvn package", &wrapper)), "pom.xml", "only the wrapper reads those");
        assert_eq!(read(&found("mvn package", &[POM, (".mvn/extensions.xml", "")])), "pom.xml .mvn");
        assert!(ask("./mvnw package", &[POM]).is_err());
        let offline = [POM, (".mvn/maven.config", "-B -o")];
        assert_eq!(ask("mvn package", &offline), Ok(None));
        let configured = [("ci.xml", ""), (".mvn/maven.config", "-s ci.xml"), POM];
        assert_eq!(read(&found("mvn package", &configured)), "ci.xml pom.xml .mvn");
    }

    #[test]
    fn other_commands_read_nothing_or_anything() {
        assert_eq!(ask("mvn --version", &[]), Ok(Some(Dependencies::default())));
        for line in ["mvn -o package", "mvn clean", "mvn spring-boot:run", "mvn exec:java", "mvn"] {
            assert_eq!(ask(line, &[POM]), Ok(None), "{line}");
        }
        for line in ["mvn package", "mvn -f $POM package", "mvn $ARGS package"] {
            assert!(matches!(ask(line, &[]), Err(Entangled::NotSeen { .. })), "{line}");
        }
        assert!(ask("MAVEN_ARGS=-fapi mvn package", &[POM]).is_err());
    }
}
