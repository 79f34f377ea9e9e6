//! NuGet packages through the `dotnet` command.
//!
//! Knows: the global packages folder (`NUGET_PACKAGES`, `--packages`, `RestorePackagesPath`, else `~/.nuget/packages`). Never
//! mounts `~/.nuget` itself: `NuGet.Config` with credentials is in it. The HTTP cache (`~/.local/share/NuGet`) isn't mounted:
//! an answer in it lives half an hour.
//! Builds read packages where they lie, so later steps need the folder. One build at a time: NuGet guards unpacking with lock
//! files in the temporary folder, which another container doesn't see. Packages for a platform carry it in their name.
//!
//! Offline: `--no-restore` and `--no-build`; MSBuild without a restore; local tools (`dotnet tool run`, `dotnet ef`: an unknown
//! subcommand is one), which `dotnet tool restore` puts into the same folder; a program started from its build output, which
//! .NET Core before 3 left without its packages. Global tools and workloads are installed elsewhere: no mount.
//!
//! Refused: `DOTNET_CLI_HOME` other than the home (only newer releases heed it), and a property and `NUGET_PACKAGES` that
//! disagree (which of them wins was not proven). Not seen: `nuget.config` and project files: the mount stays idle.
//!
//! Sources: NuGet's manual on its folders; `NuGetEnvironment` in NuGet's client; the reference of the `dotnet` command.

mod manifests;
mod msbuild;

use crate::ecosystems::offline;
use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// NuGet by way of `dotnet`.
pub struct Dotnet;

/// Options whose value is the next word.
#[rustfmt::skip] // A paragraph, not a column.
const WITH_VALUE: &[&str] = &[
    "-c", "--configuration", "-r", "--runtime", "-o", "--output", "-f", "--framework", "-v", "--verbosity", "-s", "--source",
    "--packages", "--configfile", "-a", "--arch", "--os", "--project", "--version-suffix", "--lock-file-path", "--manifest",
    "--property", "-p", "--version", "-l", "--logger", "--filter", "--results-directory", "--artifacts-path",
    "--tool-manifest", "--launch-profile", "--settings", "--add-source",
];

/// Subcommands that restore first unless told not to.
const RESTORING: &[&str] = &["build", "publish", "pack", "test", "run", "watch", "format", "store"];

/// Subcommands that leave packages alone; what is neither here nor above is a tool.
#[rustfmt::skip] // A paragraph, not a column.
const OTHER: &[&str] = &[
    "", "new", "sln", "solution", "clean", "list", "remove", "reference", "add", "package", "nuget", "help", "workload",
    "sdk", "dev-certs", "user-secrets", "user-jwts", "build-server", "vstest", "exec", "fsi", "complete", "tool", "project",
];

impl Ecosystem for Dotnet {
    fn id(&self) -> &'static str {
        "dotnet"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["dotnet"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--packages"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["Directory.Build.props", "Directory.Packages.props", "NuGet.Config", "NuGet.config", "global.json", "nuget.config"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if invocation.program != "dotnet" {
            return None;
        }
        let install = Activity::Install { needs_index: false };
        let (name, rest) = words(invocation);
        let has = |flags: &[&str]| rest.iter().any(|word| flags.contains(word));
        let second = rest.first().copied().unwrap_or_default();
        Some(match name {
            _ if invocation.flag(&["-h", "--help", "-?", "/?"]).is_some() => Activity::Other,
            "restore" => install,
            _ if RESTORING.contains(&name) => {
                if has(&["--no-restore", "--no-build"]) {
                    Activity::Offline
                } else {
                    install
                }
            }
            "msbuild" if rest.iter().any(|word| restores(word)) => install,
            "msbuild" => Activity::Offline,
            "add" if has(&["package"]) => install,
            "package" if matches!(second, "add" | "update") => install,
            // Creating a project restores it.
            "new"
                if !has(&["list", "search", "install", "uninstall", "-l", "--list", "-i", "--install", "-u", "--no-restore"]) =>
            {
                install
            }
            "tool" if second == "restore" => install,
            "tool" if second == "install" && !has(&["-g", "--global", "--tool-path"]) => install,
            "tool" if matches!(second, "run" | "execute" | "exec") => Activity::Offline,
            "nuget" if second == "locals" && has(&["all", "global-packages"]) && has(&["-c", "--clear"]) => Activity::Clean,
            _ if from_build_output(name) => Activity::Offline,
            _ if OTHER.contains(&name) || name.ends_with(".dll") => Activity::Other,
            _ => Activity::Offline,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        offline::refuse_if_hidden(self, invocation, at, WITH_VALUE)?;
        let target = packages(invocation, at)?;
        Ok(CacheUse { mounts: vec![CacheFolder::downloads(target).locked().needed_later()], ..CacheUse::default() })
    }

    fn only_fetches(&self, invocation: &Invocation) -> bool {
        invocation.argument(0) == "restore"
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
        &["msbuild", "nuget", "paket", "pwsh", "csc", "mono", "make", "just", "task"]
    }
}

/// The global packages folder.
fn packages(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    let unknown = |because: &str| Obstacle::UnknownFolder { because: because.to_owned() };
    let folder = |text: &str, setting: &str| match text {
        _ if text.is_empty() || text.contains(['~', '$', '\\', ';']) => Err(unknown(setting)),
        _ => at.absolute(text).into_known().ok_or_else(|| unknown(setting)),
    };
    let read = |name: &str| match at.non_empty(name) {
        None => Ok(None),
        Some(Knowledge::Known(text)) => folder(text, name).map(Some),
        Some(Knowledge::Unknown) => Err(unknown(&format!("${name}"))),
    };
    let option = match invocation.option(&["--packages"]) {
        Some(value) => Some(folder(value.known().map_or("", String::as_str), "--packages")?),
        None => None,
    };
    let given = match (option, property(invocation)) {
        (Some(option), _) => Some(option),
        (None, Some(value)) => Some(folder(value.known().map_or("", String::as_str), "RestorePackagesPath")?),
        // MSBuild reads every environment variable as a property.
        (None, None) => read("RestorePackagesPath")?,
    };
    match (given, read("NUGET_PACKAGES")?) {
        (Some(given), Some(variable)) if given != variable => {
            Err(unknown("NUGET_PACKAGES and the command name different folders"))
        }
        (Some(target), _) | (None, Some(target)) => Ok(target),
        (None, None) => {
            let home = at.home.known().ok_or_else(|| unknown("$HOME"))?;
            match read("DOTNET_CLI_HOME")? {
                Some(moved) if moved != *home => Err(unknown("only some releases heed DOTNET_CLI_HOME")),
                _ => Ok(format!("{}/.nuget/packages", home.trim_end_matches('/'))),
            }
        }
    }
}

/// `-p:RestorePackagesPath=DIR` in any of its spellings; MSBuild's names have no case.
fn property(invocation: &Invocation) -> Option<Knowledge<String>> {
    invocation.arguments.iter().rev().find_map(|argument| {
        let word = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
        let (name, value) = word.split_once('=')?;
        let named = name.rsplit([':', ';']).next().is_some_and(|name| name.eq_ignore_ascii_case("RestorePackagesPath"));
        named.then(|| argument.value.clone().map(|_| value.to_owned()))
    })
}

/// The subcommand and the words behind it, as written where they are not known.
fn words(invocation: &Invocation) -> (&str, Vec<&str>) {
    let words = invocation.arguments.iter().map(|argument| argument.value.known().map_or(argument.raw.as_str(), String::as_str));
    let mut words = words.map(|word| word.trim_matches('"')).skip_while(|word| matches!(*word, "-d" | "--diagnostics"));
    let name = words.next().filter(|word| !word.starts_with('-')).unwrap_or_default();
    (name, words.take_while(|word| *word != "--").collect())
}

/// MSBuild switches that restore: `-restore`, `-r`, `/t:Restore`, `-t:Restore;Build`.
fn restores(word: &str) -> bool {
    let switch = word.trim_start_matches(['-', '/']).to_ascii_lowercase();
    let targets = switch.strip_prefix("target:").or(switch.strip_prefix("t:"));
    matches!(switch.as_str(), "restore" | "r" | "restore:true" | "r:true")
        || targets.is_some_and(|targets| targets.split([';', ',']).any(|target| target == "restore"))
}

/// `bin/Debug/…/app.dll`, but not what `publish` gathered.
fn from_build_output(word: &str) -> bool {
    word.ends_with(".dll") && (word.starts_with("bin/") || word.contains("/bin/")) && !word.contains("/publish/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    const INSTALL: Activity = Activity::Install { needs_index: false };

    fn target(words: &[&str], variables: &[(&str, &str)], earlier: &[Invocation]) -> Result<String, Obstacle> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        let (home, workdir) = (Knowledge::Known("/root".to_owned()), Knowledge::Known("/src".to_owned()));
        let at = Surroundings { variables: variables.collect(), home, workdir, earlier, ..Surroundings::default() };
        Dotnet.cache(&invocation(words), &at).map(|mut cache| cache.mounts.remove(0).target)
    }

    #[test]
    fn what_restores_and_what_works_from_a_restore() {
        let is = |line: &str| Dotnet.recognise(&invocation(&line.split(' ').collect::<Vec<_>>()));
        for line in
            ["restore a.sln", "build -c Release", "publish -c $C -o /app", "msbuild -restore", "tool restore", "new webapi"]
        {
            assert_eq!(is(&format!("dotnet {line}")), Some(INSTALL), "{line}");
        }
        let offline =
            ["publish --no-restore", "test --no-build", "msbuild /t:Publish", "ef database update", "bin/Debug/net8/a.dll"];
        for line in offline {
            assert_eq!(is(&format!("dotnet {line}")), Some(Activity::Offline), "{line}");
        }
        for line in ["app.dll", "--info", "tool install -g dotnet-ef", "workload install wasm-tools", "build --help", "new list"]
        {
            assert_eq!(is(&format!("dotnet {line}")), Some(Activity::Other), "{line}");
        }
        assert_eq!(is("dotnet run -- --no-build"), Some(INSTALL), "that is the program's");
        assert_eq!(is("dotnet nuget locals all --clear"), Some(Activity::Clean));
        assert_eq!(is("dotnet nuget locals http-cache --clear"), Some(Activity::Other), "another cache than the mounted one");
    }

    #[test]
    fn the_global_packages_folder_wherever_it_is() {
        assert_eq!(target(&["dotnet", "restore"], &[], &[]).as_deref(), Ok("/root/.nuget/packages"));
        assert_eq!(target(&["dotnet", "restore"], &[("NUGET_PACKAGES", "/n/")], &[]).as_deref(), Ok("/n"));
        assert_eq!(target(&["dotnet", "restore", "--packages", "pkgs"], &[], &[]).as_deref(), Ok("/src/pkgs"));
        assert_eq!(target(&["dotnet", "build", "-p:restorepackagespath=/p"], &[], &[]).as_deref(), Ok("/p"));
    }

    #[test]
    fn refuses_what_is_not_proven() {
        assert!(target(&["dotnet", "restore", "--packages", "$DIR"], &[], &[]).is_err());
        assert!(target(&["dotnet", "restore", "--packages=/a"], &[("NUGET_PACKAGES", "/b")], &[]).is_err());
        assert!(target(&["dotnet", "restore"], &[("DOTNET_CLI_HOME", "/tmp")], &[]).is_err());
        let restored = [invocation(&["dotnet", "restore"])];
        assert!(target(&["dotnet", "publish", "$ARGS"], &[], &restored).is_err(), "it may hide --no-restore");
        assert!(target(&["dotnet", "publish", "-c", "$C", "-a", "$TARGETARCH"], &[], &restored).is_ok());
    }
}
