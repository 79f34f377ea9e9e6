//! The build scripts of a Gradle project, and what they read while they are evaluated.
//!
//! Knows: settings, included projects and builds, `buildSrc`, the folder `gradle`, lock files, properties. Of the scripts'
//! own code: scripts that are applied, and files and folders that are named as literals.
//!
//! Refused, with the line: files whose name is computed and which are read, programs that are run, projects found by a loop. An
//! evaluation that may fail passes over the first two.
//!
//! From: Gradle's user manual (settings files, multi-project builds, composite builds, locking dependency versions).

use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Project, Surroundings, absolute};
use crate::knowledge::Knowledge;

/// Files of every project that Gradle reads where they are there.
const OF_PROJECTS: &[&str] =
    &["build.gradle", "build.gradle.kts", "gradle.properties", "gradle.lockfile", "buildscript-gradle.lockfile"];

/// Adds what an evaluation of the build's scripts reads. `may_fail`: nothing is lost where it meets a file that is not there yet.
/// The result: the folders into which a build writes.
///
/// # Errors
/// What can't be followed.
pub(super) fn read(
    found: &mut Dependencies,
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
    may_fail: bool,
) -> Result<Vec<String>, Entangled> {
    let not_seen = |because: &str| Entangled::NotSeen { because: because.to_owned() };
    for option in ["-b", "--build-file", "-c", "--settings-file", "-I", "--init-script", "--include-build"] {
        if invocation.option(&[option]).is_some() {
            return Err(Entangled::NeedsSource { because: format!("{option} names another script") });
        }
    }
    let given = match invocation.option(&["-p", "--project-dir"]) {
        Some(value) => value.into_known().ok_or_else(|| not_seen("the value of --project-dir is not known"))?,
        None => ".".to_owned(),
    };
    let start = at.absolute(&given).into_known().ok_or_else(|| not_seen("the work folder is not known"))?;
    let root = root(&start, project);
    let mut scripts = Scripts { root: root.clone(), project, found, seen: Vec::new(), may_fail };
    let mut projects = vec![root.clone()];
    for name in ["settings.gradle", "settings.gradle.kts"] {
        let path = format!("{root}/{name}");
        if project.look(&path) == Found::File {
            scripts.follow(&path)?;
            projects.extend(scripts.included(&path)?);
        }
    }
    for name in ["settings-gradle.lockfile", "buildscript-gradle.lockfile", "local.properties", "gradle", "buildSrc"] {
        scripts.take(&format!("{root}/{name}"));
    }
    let mut any = false;
    for folder in &projects {
        for name in OF_PROJECTS {
            let path = format!("{folder}/{name}");
            if project.look(&path) == Found::File {
                any = true;
                if name.starts_with("build.gradle") { scripts.follow(&path)? } else { scripts.take(&path) }
            }
        }
        scripts.take(&format!("{folder}/gradle/dependency-locks"));
    }
    if !any {
        return Err(not_seen("no build.gradle is among what the copies bring"));
    }
    let folders = found.folders.clone();
    let below =
        |path: &String| folders.iter().any(|folder| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')));
    found.files.retain(|path| !below(path));
    found.folders.retain(|path| !below(path));
    for list in [&mut found.files, &mut found.folders] {
        list.sort();
        list.dedup();
    }
    let has = |folder: &&String, name: &str| project.look(&format!("{folder}/{name}")) == Found::File;
    let is_build = |folder: &&String| ["build.gradle", "build.gradle.kts"].iter().any(|name| has(folder, name));
    let own = std::iter::once(&root).chain(found.folders.iter().filter(is_build));
    let mut written: Vec<String> = own.map(|folder| format!("{folder}/.gradle")).collect();
    let built = projects.iter().chain(found.folders.iter()).filter(is_build);
    written.extend(built.map(|folder| format!("{folder}/build")));
    Ok(written)
}

/// The folder with the settings: here, or above.
fn root(start: &str, project: &dyn Project) -> String {
    let mut folder = start;
    while !folder.is_empty() {
        let has = |name: &str| project.look(&format!("{folder}/{name}")) == Found::File;
        if has("settings.gradle") || has("settings.gradle.kts") {
            return folder.to_owned();
        }
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    start.to_owned()
}

struct Scripts<'a> {
    root: String,
    project: &'a dyn Project,
    found: &'a mut Dependencies,
    seen: Vec<String>,
    may_fail: bool,
}

impl Scripts<'_> {
    fn take(&mut self, path: &str) {
        match self.project.look(path) {
            Found::File => self.found.files.push(path.to_owned()),
            Found::Folder => self.found.folders.push(path.to_owned()),
            Found::Nothing | Found::Unknown => {}
        }
    }

    fn text(&self, path: &str) -> Result<std::sync::Arc<str>, Entangled> {
        let because = format!("{} can't be read", self.short(path));
        self.project.text(path).into_known().ok_or(Entangled::NotSeen { because })
    }

    fn short<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(&self.root).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
    }

    /// A script, and what it names.
    fn follow(&mut self, path: &str) -> Result<(), Entangled> {
        if self.seen.iter().any(|seen| seen == path) {
            return Ok(());
        }
        self.seen.push(path.to_owned());
        self.found.files.push(path.to_owned());
        let text = self.text(path)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().filter(|code| !code.ends_with(':')).unwrap_or(line).trim();
            let place = format!("{}:{}", self.short(path), number + 1);
            self.line(code, &folder, &place)?;
        }
        Ok(())
    }

    fn line(&mut self, code: &str, folder: &str, place: &str) -> Result<(), Entangled> {
        let refused = |what: &str| Err(Entangled::NeedsSource { because: format!("{place}: {what}") });
        let needs = |what: &str| if self.may_fail { Ok(()) } else { refused(what) };
        if self.may_fail && moves_results(code) {
            return refused("the build writes to another folder");
        }
        if [".execute(", "providers.exec", "commandLine("].iter().any(|call| code.contains(call))
            && !code.starts_with("commandLine")
        {
            return needs("a program is run");
        }
        let base = if code.contains("rootProject.file") || code.contains("rootDir") || code.contains("settingsDir") {
            &self.root
        } else {
            folder
        };
        let literals: Vec<String> = literals(code)
            .into_iter()
            .map(|text| text.replace("$rootDir/", "").replace("${rootDir}/", "").replace("$projectDir/", ""))
            .collect();
        let plain = |text: &str| !text.contains('$') && !text.contains("://") && !text.is_empty();
        let path = |text: &str| absolute(text, &Knowledge::Known(base.to_owned())).into_known().unwrap_or_default();
        if (code.starts_with("apply from") || code.starts_with("apply(from")) && !code.contains("://") {
            let Some(script) = literals.iter().find(|text| plain(text)).map(|text| path(text)) else {
                return needs("which script is applied is computed");
            };
            return match self.project.look(&script) {
                Found::File => self.follow(&script),
                _ => Err(Entangled::NotSeen { because: format!("{place}: the script is not among what the copies bring") }),
            };
        }
        let reads = [".text", "readText(", "readLines(", ".eachLine", "newReader", "nputStream", ".readLine"]
            .iter()
            .any(|call| code.contains(call));
        let names_file = ["file(", "File(", "file '", "file \""].iter().any(|call| code.contains(call));
        if reads && names_file && !literals.iter().any(|text| plain(text)) {
            return needs("the file that is read is computed");
        }
        let of_folders = ["fileTree", "flatDir", "dirs", "includeBuild", "files("].iter().any(|call| code.contains(call));
        for text in literals.iter().filter(|text| plain(text)) {
            let path = path(text);
            match self.project.look(&path) {
                Found::File if names_file || of_folders || reads => self.found.files.push(path),
                Found::Folder if of_folders => self.found.folders.push(path),
                _ => {}
            }
        }
        Ok(())
    }

    /// The folders of the projects that the settings include.
    fn included(&self, settings: &str) -> Result<Vec<String>, Entangled> {
        let text = self.text(settings)?;
        let mut projects: Vec<(String, String)> = Vec::new();
        let mut open = false;
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default().trim();
            let place = format!("{}:{}", self.short(settings), number + 1);
            let needs = || Err(Entangled::NeedsSource { because: format!("{place}: which projects are included is computed") });
            let starts = code.starts_with("include ") || code.starts_with("include(");
            if starts || open {
                let names = literals(code);
                if names.iter().any(|name| name.contains('$')) || starts && names.is_empty() && !code.ends_with(['(', ',']) {
                    return needs();
                }
                for name in names {
                    let path = name.trim_start_matches(':').replace(':', "/");
                    // A path includes the projects above it.
                    for (at, _) in path.match_indices('/') {
                        let parent = path.get(..at).unwrap_or_default();
                        projects.push((parent.replace('/', ":"), format!("{}/{parent}", self.root)));
                    }
                    projects.push((path.replace('/', ":"), format!("{}/{path}", self.root)));
                }
                open = code.ends_with([',', '(']);
            } else if code.contains("projectDir") && code.contains('=') {
                let literals = literals(code);
                let [name, folder] = literals.as_slice() else { return needs() };
                let folder = folder.replace("$rootDir/", "").replace("${rootDir}/", "");
                let moved = absolute(&folder, &Knowledge::Known(self.root.clone())).into_known().unwrap_or_default();
                let name = name.trim_start_matches(':').to_owned();
                projects.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, place)| place.clone_from(&moved));
            } else if code.contains("buildFileName")
                || code.contains("eachDir")
                || code.contains("listFiles")
                || code.contains(" include ")
            {
                return needs();
            }
        }
        Ok(projects.into_iter().map(|(_, folder)| folder).collect())
    }
}

/// Whether a line of a script names another folder for what a build makes.
fn moves_results(code: &str) -> bool {
    let assigned =
        code.trim_start_matches("project.").strip_prefix("buildDir").is_some_and(|rest| rest.trim_start().starts_with('='));
    let set = code.split_once("buildDirectory").is_some_and(|(_, rest)| {
        let rest = rest.trim_start();
        rest.starts_with(".set(") || rest.starts_with(".value(") || rest.starts_with('=') && !rest.starts_with("==")
    });
    assigned || set
}

/// The strings in a line.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current: Option<(char, String)> = None;
    for letter in code.chars() {
        match &mut current {
            Some((quote, _)) if letter == *quote => found.extend(current.take().map(|(_, text)| text)),
            Some((_, text)) => text.push(letter),
            None if letter == '"' || letter == '\'' => current = Some((letter, String::new())),
            None => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::{Files, in_project, invocation};

    fn of(files: &[(&str, &str)]) -> Result<String, String> {
        let mut found = Dependencies::default();
        let asked = invocation(&["gradle", "dependencies"]);
        read(&mut found, &asked, &in_project("gradle:8"), &Files::new(files), false).map_err(|error| error.to_string())?;
        let paths = found.files.iter().chain(&found.folders).map(|path| path.trim_start_matches("/app/").to_owned());
        Ok(paths.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn projects_builds_and_catalogues_are_followed() {
        let settings = "pluginManagement { includeBuild(\"build-logic\") }\ninclude 'a',\n  ':b:c'\nproject(':a').projectDir = file('modules/a')\n";
        let files = [
            ("settings.gradle", settings),
            ("build.gradle", "apply from: 'gradle/x.gradle'\napply from: \"$rootDir/tools/y.gradle\""),
            ("tools/y.gradle", ""),
            ("gradle/x.gradle", ""),
            ("gradle/libs.versions.toml", ""),
            ("gradle.properties", ""),
            ("build-logic/src/x.kt", ""),
            ("buildSrc/build.gradle", ""),
            ("modules/a/build.gradle", ""),
            ("modules/a/gradle.lockfile", ""),
            ("b/build.gradle", ""),
            ("b/c/build.gradle.kts", ""),
            ("modules/a/src/A.java", ""),
        ];
        let read = "b/build.gradle b/c/build.gradle.kts build.gradle gradle.properties modules/a/build.gradle \
                    modules/a/gradle.lockfile settings.gradle tools/y.gradle build-logic buildSrc gradle";
        assert_eq!(of(&files).as_deref(), Ok(read));
    }

    #[test]
    fn files_that_scripts_read() {
        let script = "version = file('VERSION').text.trim()\ndependencies { implementation files('libs/x.jar')\nimplementation fileTree(dir: 'jars')\n}";
        let files = [("build.gradle", script), ("VERSION", "1"), ("libs/x.jar", ""), ("jars/y.jar", ""), ("src/A.java", "")];
        assert_eq!(of(&files).as_deref(), Ok("VERSION build.gradle libs/x.jar jars"));
    }

    #[test]
    fn an_evaluation_that_may_fail_passes_over_programs_and_names_what_it_writes() {
        let of = |files: &[(&str, &str)]| {
            let mut found = Dependencies::default();
            let asked = invocation(&["gradle", "build"]);
            read(&mut found, &asked, &in_project("gradle:8"), &Files::new(files), true).map_err(|error| error.to_string())
        };
        let script = "def sha = 'git rev-parse HEAD'.execute().text\ndef out = \"${buildDir}/x\"";
        let files = [("settings.gradle", "include 'a'"), ("a/build.gradle", script), ("buildSrc/build.gradle", "")];
        assert_eq!(of(&files).unwrap(), ["/app/.gradle", "/app/buildSrc/.gradle", "/app/a/build", "/app/buildSrc/build"]);
        for moved in ["buildDir = '../out'", "layout.buildDirectory.set(file('out'))", "layout.buildDirectory = file('out')"] {
            assert_eq!(of(&[("build.gradle", moved)]).unwrap_err(), "build.gradle:1: the build writes to another folder");
        }
    }

    #[test]
    fn what_is_computed_is_refused_with_its_line() {
        for script in ["\nversion = file(name).text", "\ndef sha = 'git rev-parse HEAD'.execute().text", "\napply from: script"] {
            assert!(of(&[("build.gradle", script)]).is_err_and(|error| error.starts_with("build.gradle:2: ")), "{script}");
        }
        let looped = "rootDir.eachDir { include it.name }";
        assert!(
            of(&[("build.gradle", ""), ("settings.gradle", looped)]).is_err_and(|error| error.starts_with("settings.gradle:1: "))
        );
        assert!(of(&[]).is_err());
    }
}
