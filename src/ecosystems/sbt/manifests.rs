//! What sbt reads of a project before it resolves dependencies: the build's definition.
//!
//! Owns: the definition's files (`*.sbt` of the root and of its subprojects, the `project` folder, option files). Never does:
//! understand Scala; a definition that reads something else is refused.
//!
//! `sbt update` goes above a build. It leaves resolved dependencies in `target` folders, as the build itself would.
//!
//! Sources: the sbt manual (directory structure, organising the build, multi-project builds), sbt's runner script.

use super::WITH_VALUE;
use crate::ecosystems::gathered::{Gathered, join, not_seen};
use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, first_half};

/// Signs of a definition that looks at the project, asks other programs, or takes another build in.
#[rustfmt::skip] // A paragraph, not a column.
const READING: &[&str] = &[
    "IO.read", "Source.fromFile", "scala.sys.process", "Process(", "Files.read", "FileInputStream", "ProjectRef(",
    "RootProject(", ".listFiles", ".exists", "\"**\"", "unmanagedBase", "FileReader(",
];

pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let Some(folder) = at.workdir.known() else {
        return Err(not_seen("the folder in which sbt runs is not known"));
    };
    if invocation.flag(&["-h", "-help", "--help", "--script-version"]).is_some() {
        return Ok(Some(Dependencies::default()));
    }
    let Some((options, tasks)) = words(invocation) else { return Ok(None) };
    let light = |task: &&str| matches!(*task, "update" | "sbtVersion" | "about" | "exit" | "plugins" | "reload" | "help");
    let moves_whole = !tasks.is_empty() && tasks.iter().all(light);
    if !moves_whole && (!first_half::is_plain(invocation) || tasks.is_empty()) {
        return Ok(None);
    }
    let mut gathered = Gathered::new(project, folder);
    let has_build = project.names(folder).iter().any(|name| name.ends_with(".sbt"))
        || project.look(&join(folder, "project")) == Found::Folder;
    if !has_build {
        let because = format!("no copy brings a build.sbt to {folder}");
        return if moves_whole && tasks.iter().all(|task| *task != "update") {
            Ok(Some(Dependencies::default()))
        } else {
            Err(not_seen(because))
        };
    }
    let mut makes = vec![join(folder, "target")];
    definition(&mut gathered, folder, &mut makes)?;
    for name in [".sbtopts", ".jvmopts", ".sbtrc"] {
        gathered.take(&join(folder, name));
    }
    let part = if moves_whole {
        Part::Whole
    } else {
        let mut command = first_half::program(invocation, |_| true)?;
        options.iter().for_each(|option| command = format!("{command} {}", first_half::quoted(option)));
        Part::FirstHalf { command: format!("{command} update"), rest: Vec::new(), only_fetches: true }
    };
    Ok(Some(Dependencies { makes, ..gathered.finish(part) }))
}

/// The files of the root's definition, of the build that builds it, and of folders that are subprojects.
fn definition(gathered: &mut Gathered, folder: &str, makes: &mut Vec<String>) -> Result<(), Entangled> {
    let mut texts = read_all(gathered, folder, &[".sbt"])?;
    let mut inner = join(folder, "project");
    while gathered.project.look(&inner) == Found::Folder {
        gathered.take(&join(&inner, "build.properties"));
        texts.extend(read_all(gathered, &inner, &[".sbt", ".scala", ".java"])?);
        if gathered.project.look(&join(&inner, "src")) == Found::Folder {
            return Err(Entangled::NeedsSource {
                because: format!("{}/src is part of the build's definition", gathered.shown(&inner)),
            });
        }
        makes.push(join(&inner, "target"));
        inner = join(&inner, "project");
    }
    makes.push(inner);
    for (path, text) in &texts {
        for (index, line) in text.lines().enumerate() {
            if let Some(sign) = READING.iter().find(|sign| line.contains(**sign)) {
                let shown = gathered.shown(path);
                return Err(Entangled::NeedsSource { because: format!("{shown}:{}: {sign} looks at the project", index + 1) });
            }
        }
    }
    subprojects(gathered, folder, &texts, makes)
}

/// Folders that the definition names, each with its own `*.sbt`; `lazy val core = project` means the folder `core`.
fn subprojects(
    gathered: &mut Gathered,
    folder: &str,
    texts: &[(String, String)],
    makes: &mut Vec<String>,
) -> Result<(), Entangled> {
    let mut names = Vec::new();
    for line in texts.iter().flat_map(|(_, text)| text.lines()) {
        names.extend(line.split("file(\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        if let Some((before, _)) = line.split_once("= project").or_else(|| line.split_once("= (project")) {
            names.extend(before.split_whitespace().next_back().map(|name| name.trim_matches('`').to_owned()));
        }
    }
    for name in names.iter().filter(|name| *name != ".") {
        let inner = join(folder, name);
        if gathered.project.look(&inner) == Found::Folder {
            read_all(gathered, &inner, &[".sbt"])?;
            makes.push(join(&inner, "target"));
        }
    }
    makes.sort();
    makes.dedup();
    Ok(())
}

fn read_all(gathered: &mut Gathered, folder: &str, ends: &[&str]) -> Result<Vec<(String, String)>, Entangled> {
    let mut texts = Vec::new();
    for name in gathered.project.names(folder) {
        let path = join(folder, &name);
        if ends.iter().any(|end| name.ends_with(end)) && gathered.project.look(&path) == Found::File {
            let text = gathered.read(&path, "it defines the build")?;
            texts.push((path, text.as_ref().to_owned()));
        }
    }
    Ok(texts)
}

/// The runner's options and sbt's commands; `None` where a word is not known.
fn words(invocation: &Invocation) -> Option<(Vec<&str>, Vec<&str>)> {
    let (mut options, mut tasks) = (Vec::new(), Vec::new());
    let mut is_value = false;
    for argument in &invocation.arguments {
        let word = argument.value.known()?.as_str();
        let expected = std::mem::replace(&mut is_value, WITH_VALUE.contains(&word));
        if expected || word.starts_with('-') { options.push(word) } else { tasks.push(word) }
    }
    Some((options, tasks))
}

#[cfg(test)]
mod tests {
    use crate::ecosystems::sbt::Sbt;
    use crate::ecosystems::testing::{Files, in_project, invocation};
    use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Part};

    const BUILD: &str = "lazy val core = project\nlazy val web = (project in file(\"modules/web\"))\n";

    fn ask(words: &[&str], files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        Sbt.dependencies(&invocation(words), &in_project("sbtscala/scala-sbt"), &Files::new(files))
    }

    #[test]
    fn the_definition_of_the_build_is_what_update_reads() {
        let files = [
            ("build.sbt", BUILD),
            ("project/build.properties", ""),
            ("project/plugins.sbt", ""),
            ("project/Deps.scala", ""),
            ("core/core.sbt", ""),
            ("modules/web/src/main/scala/A.scala", ""),
            ("src/main/scala/A.scala", ""),
            (".jvmopts", ""),
        ];
        let update = ask(&["sbt", "update"], &files).unwrap().unwrap();
        let names =
            [".jvmopts", "build.sbt", "core/core.sbt", "project/Deps.scala", "project/build.properties", "project/plugins.sbt"];
        assert_eq!(update.files, names.map(|name| format!("/app/{name}")));
        assert_eq!((update.part, update.makes.contains(&"/app/modules/web/target".to_owned())), (Part::Whole, true));
        let half = ask(&["sbt", "-Dx=y", "clean", "assembly"], &files).unwrap().unwrap().part;
        assert_eq!(half, Part::FirstHalf { command: "sbt -Dx=y update".to_owned(), rest: vec![], only_fetches: true });
        assert_eq!(ask(&["sbt", "$TASK"], &files), Ok(None));
    }

    #[test]
    fn a_definition_that_looks_at_the_project_is_refused() {
        let text = "name := \"x\"\nversion := IO.read(file(\"v\"))\n";
        assert_eq!(
            ask(&["sbt", "update"], &[("build.sbt", text)]).unwrap_err().to_string(),
            "build.sbt:2: IO.read looks at the project"
        );
        assert!(ask(&["sbt", "update"], &[]).is_err());
        assert_eq!(ask(&["sbt", "sbtVersion"], &[]), Ok(Some(Dependencies::default())));
    }
}
