//! sbt, the Scala build tool.
//!
//! Knows: the three folders that it downloads into: the launcher's `~/.sbt/boot`, Coursier's `~/.cache/coursier/v1` (sbt 1.3
//! and later) and Ivy's `~/.ivy2/cache` (before, and still for some resolvers). Never mounts `~/.sbt` (global plugins,
//! credentials, the compiled Scala bridge) nor `~/.ivy2` (`local` holds what `publishLocal` made).
//! Later builds work from all three. One build at a time: Ivy's lock lies beside its cache, outside the mount. The content is
//! named by coordinates, so it is the same for every platform.
//!
//! Refused: `-no-share` and `-no-global`, which move folders into the project, and runner options in `SBT_OPTS`.
//! Not seen: `.sbtopts`, `.jvmopts`, `/etc/sbt/sbtopts` and settings in the build (`offline := true`, `ivyPaths`): with a folder
//! moved by them the mount stays idle; a build that is offline by its own settings can't be told apart.
//!
//! Sources: the launcher's configuration reference, sbt's runner script, sbt's lookup of the Coursier cache, `CoursierPaths`.

mod manifests;

use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::ecosystems::{jvm, offline};
use crate::knowledge::Knowledge;

/// sbt.
pub struct Sbt;

/// Options of the runner whose value is the next word.
#[rustfmt::skip] // A paragraph, not a column.
const WITH_VALUE: &[&str] = &[
    "-ivy", "--ivy", "-sbt-boot", "--sbt-boot", "-sbt-dir", "--sbt-dir", "-sbt-cache", "--sbt-cache", "-mem", "--mem",
    "-jvm-debug", "--jvm-debug", "-sbt-version", "--sbt-version", "-sbt-jar", "--sbt-jar", "-java-home", "--java-home",
];

/// Variables whose options reach sbt's own Java process, strongest first.
const OPTIONS: &[&str] = &["SBT_OPTS", "JAVA_OPTS"];

impl Ecosystem for Sbt {
    fn id(&self) -> &'static str {
        "sbt"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["sbt"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "sbt" {
            return None;
        }
        let inline = invocation.variables.iter().any(|(name, value)| is_offline(name, value));
        if invocation.flag(&["-h", "-help", "--help", "--script-version"]).is_some() {
            Some(Activity::Other)
        } else if inline || invocation.known_arguments().any(|(_, word)| sets_offline(word)) {
            Some(Activity::Offline)
        } else {
            // Every other command boots sbt, which fetches it (`sbt sbtVersion`, `sbt about`).
            Some(Activity::Install { needs_index: false })
        }
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        offline::refuse_if_hidden(self, invocation, at, WITH_VALUE)?;
        if let Some((name, _)) = at.variables.iter().find(|(name, value)| is_offline(name, value)) {
            return Err(Obstacle::Unsafe { because: format!("{name} makes sbt work from what an earlier step fetched") });
        }
        if let Some(Knowledge::Known(text)) = at.variable("SBT_OPTS")
            && let Some(option) = text.split_whitespace().find(|word| moves_folders(word))
        {
            return Err(jvm::unknown(&format!("{option} in SBT_OPTS")));
        }
        if let Some(index) = invocation.flag(&["-no-share", "--no-share", "-no-global", "--no-global"]) {
            return Err(jvm::unknown(&format!("{} keeps caches in the project's folder", invocation.argument(index))));
        }
        let targets = [boot(invocation, at)?, coursier(invocation, at)?, ivy(invocation, at)?];
        let mounts = targets.into_iter().map(|target| CacheFolder::downloads(target).locked().needed_later()).collect();
        let notes = if at.base.repository().ends_with("/scala-sbt") {
            vec!["the base image brings sbt and Scala in these folders; the first build fetches them once more".to_owned()]
        } else {
            Vec::new()
        };
        Ok(CacheUse { mounts, notes, ..CacheUse::default() })
    }

    fn only_fetches(&self, invocation: &Invocation) -> bool {
        let mut words = invocation.known_arguments().map(|(_, word)| word).filter(|word| !word.starts_with('-'));
        words.all(|word| matches!(word, "update" | "sbtVersion" | "exit" | "about" | "console" | "help" | "reload" | "plugins"))
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        manifests::dependencies(invocation, at, project)
    }

    fn readers(&self) -> &'static [&'static str] {
        &["scala", "scala-cli", "cs", "coursier", "mill", "bloop", "make", "just", "task"]
    }
}

/// The launcher's folder.
fn boot(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    if let Some(folder) = given(invocation, at, &["-sbt-boot", "--sbt-boot"], "sbt.boot.directory")? {
        return Ok(folder);
    }
    let base = given(invocation, at, &["-sbt-dir", "--sbt-dir"], "sbt.global.base")?;
    Ok(format!("{}/boot", below_home(base, ".sbt", invocation, at)?))
}

/// Ivy's downloads.
fn ivy(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    let home = given(invocation, at, &["-ivy", "--ivy"], "sbt.ivy.home")?;
    Ok(format!("{}/cache", below_home(home, ".ivy2", invocation, at)?))
}

/// Coursier's downloads.
fn coursier(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    if let Some(home) = given(invocation, at, &[], "sbt.coursier.home")? {
        return Ok(format!("{home}/cache"));
    }
    if let Some(folder) = from_variable(at, "COURSIER_CACHE")? {
        return Ok(folder);
    }
    if let Some(folder) = given(invocation, at, &[], "coursier.cache")? {
        return Ok(folder);
    }
    let caches = from_variable(at, "XDG_CACHE_HOME")?;
    Ok(format!("{}/coursier/v1", below_home(caches, ".cache", invocation, at)?))
}

/// The folder that an option of the runner or a property names.
fn given(invocation: &Invocation, at: &Surroundings, flags: &[&str], property: &str) -> Result<Option<String>, Obstacle> {
    let text = match invocation.option(flags) {
        Some(value) => Some(value.into_known().ok_or_else(|| jvm::unknown(&flags.join(", ")))?),
        None => jvm::property(invocation, at, OPTIONS, property)?,
    };
    text.map(|text| jvm::folder(at, &text, property)).transpose()
}

fn from_variable(at: &Surroundings, name: &str) -> Result<Option<String>, Obstacle> {
    match at.non_empty(name) {
        None => Ok(None),
        Some(Knowledge::Known(text)) => jvm::folder(at, text, name).map(Some),
        Some(Knowledge::Unknown) => Err(jvm::unknown(&format!("${name}"))),
    }
}

fn below_home(given: Option<String>, name: &str, invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    given.map_or_else(|| Ok(format!("{}/{name}", jvm::home(invocation, at, OPTIONS)?)), Ok)
}

fn is_offline(name: &str, value: &Knowledge<String>) -> bool {
    let Some(value) = value.known() else { return false };
    match name {
        "COURSIER_MODE" => value == "offline",
        "SBT_OPTS" | "JAVA_OPTS" => value.split_whitespace().any(sets_offline),
        _ => false,
    }
}

/// `-Dsbt.offline=true`, or the setting given as a command: `set offline := true`.
fn sets_offline(word: &str) -> bool {
    let dense: String = word.chars().filter(|c| !c.is_whitespace()).collect();
    dense.ends_with("-Dsbt.offline=true") || dense.contains("offline:=true") || dense.contains("offlineinThisBuild:=true")
}

fn moves_folders(word: &str) -> bool {
    let option = word.trim_start_matches('-');
    word.starts_with('-') && matches!(option, "ivy" | "sbt-boot" | "sbt-dir" | "no-share" | "no-global")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    fn at(variables: &[(&str, &str)]) -> Surroundings<'static> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        Surroundings { variables: variables.collect(), workdir: Knowledge::Known("/src".into()), ..Surroundings::default() }
    }

    fn targets(words: &[&str], at: &Surroundings) -> Result<Vec<String>, Obstacle> {
        Ok(Sbt.cache(&invocation(words), at)?.mounts.into_iter().map(|mount| mount.target).collect())
    }

    #[test]
    fn every_command_boots_sbt_unless_it_is_offline() {
        let activity = |words: &[&str]| Sbt.recognise(&invocation(words));
        assert_eq!(activity(&["sbt", "sbtVersion"]), Some(Activity::Install { needs_index: false }));
        assert_eq!(activity(&["sbt", "set offline := true", "assembly"]), Some(Activity::Offline));
        assert_eq!(activity(&["COURSIER_MODE=offline", "sbt", "assembly"]), Some(Activity::Offline));
        assert_eq!(activity(&["sbt", "-help"]), Some(Activity::Other));
    }

    #[test]
    fn downloads_only_never_settings_or_published_artefacts() {
        let usual = ["/root/.sbt/boot", "/root/.cache/coursier/v1", "/root/.ivy2/cache"].map(str::to_owned);
        assert_eq!(targets(&["sbt", "assembly"], &at(&[])), Ok(usual.to_vec()));
        let variables = at(&[("COURSIER_CACHE", "/c"), ("SBT_OPTS", "-Xmx2g -Dsbt.ivy.home=/i -Dsbt.global.base=/s")]);
        let moved = ["/s/boot", "/c", "/i/cache"].map(str::to_owned);
        assert_eq!(targets(&["sbt", "assembly"], &variables), Ok(moved.to_vec()));
        let options = ["sbt", "-ivy", "ivy", "-Dsbt.boot.directory=/b", "-Dsbt.coursier.home=/h", "assembly"];
        let moved = ["/b", "/h/cache", "/src/ivy/cache"].map(str::to_owned);
        assert_eq!(targets(&options, &at(&[])), Ok(moved.to_vec()));
    }

    #[test]
    fn folders_in_the_project_and_offline_builds_are_refused() {
        assert!(targets(&["sbt", "-no-share", "compile"], &at(&[])).is_err());
        assert!(targets(&["sbt", "compile"], &at(&[("SBT_OPTS", "-sbt-dir /x")])).is_err());
        assert!(targets(&["sbt", "compile"], &at(&[("COURSIER_MODE", "offline")])).is_err());
        let warmed = [invocation(&["sbt", "update"])];
        let after = Surroundings { earlier: &warmed, ..at(&[]) };
        assert!(targets(&["sbt", "$SBT_ARGS", "assembly"], &after).is_err());
    }
}
