//! What `dotnet` commands read of a project before they fetch packages.
//!
//! Owns: which project or solution a command means, the solution's list, `nuget.config`, `global.json`, tool manifests, and the
//! restore that goes above a build. Never does: read a project file; [`super::msbuild`] does.
//!
//! A restore leaves its result in each project's `obj`. A build restores again unless it is told not to; that does nothing when
//! all is there, so the restore above it may well know fewer options than the build.
//!
//! Sources: the reference of the `dotnet` command; of `global.json`; NuGet's of `nuget.config` (every one from the folder
//! upward counts); MSBuild's on how it picks a project in a folder; the solution file's format.

use super::msbuild::{Closure, feed, line_of};
use super::{WITH_VALUE, words};
use crate::ecosystems::gathered::{Gathered, find_upward, join, not_seen, parent, upward};
use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, first_half};
use crate::knowledge::Knowledge;
use roxmltree::Document;

/// The name in the spellings that NuGet looks for where names have a case.
const NUGET_CONFIG: &[&str] = &["nuget.config", "NuGet.config", "NuGet.Config"];

/// The kind of a solution folder.
const SOLUTION_FOLDER: &str = "2150E333-8FDC-42A3-9474-1A3956D46DE8";

pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let (name, rest) = words(invocation);
    let has = |flags: &[&str]| rest.iter().any(|word| flags.contains(word));
    let second = rest.first().copied().unwrap_or_default();
    let of_the_machine = match name {
        "" | "help" | "dev-certs" | "build-server" | "sdk" => true,
        "tool" => {
            second == "install" && has(&["-g", "--global", "--tool-path"]) || second == "update" && has(&["-g", "--global"])
        }
        "workload" => matches!(second, "install" | "update" | "list"),
        "new" => matches!(second, "install" | "-i" | "--install"),
        "nuget" => second == "locals",
        _ => false,
    };
    let Some(folder) = at.workdir.known() else {
        return Err(not_seen("the folder in which dotnet runs is not known"));
    };
    let mut reading = Reading { invocation, at, gathered: Gathered::new(project, folder), closure: Closure::default() };
    match name {
        _ if of_the_machine => {
            reading.configuration(folder)?;
            let pinned = has(&["--version"]) || second != "install" || rest.iter().any(|word| word.contains('@'));
            let unpinned = (name == "tool" && !pinned).then(|| "dotnet tool install names no version".to_owned());
            Ok(Some(Dependencies { unpinned, ..reading.gathered.finish(Part::Whole) }))
        }
        "restore" => reading.whole().map(Some),
        "tool" if second == "restore" => reading.tools(folder).map(Some),
        "build" | "publish" | "pack" | "test" | "run" if !has(&["--no-restore", "--no-build"]) => reading.half(name),
        _ => Ok(None),
    }
}

struct Reading<'a> {
    invocation: &'a Invocation,
    at: &'a Surroundings<'a>,
    gathered: Gathered<'a>,
    closure: Closure,
}

impl Reading<'_> {
    /// `dotnet restore` itself.
    fn whole(mut self) -> Result<Dependencies, Entangled> {
        self.restore(&[])?;
        let has = |flags: &[&str]| self.invocation.flag(flags).is_some();
        let locked = self.closure.is_locked || has(&["--locked-mode", "-p:RestoreLockedMode=true", "/p:RestoreLockedMode=true"]);
        let unpinned = self.closure.unpinned.take();
        let makes = self.closure.makes.iter().cloned().collect();
        let found = self.gathered.finish(Part::Whole);
        let locks = found.files.iter().filter(|file| is_lock(file)).cloned();
        let rewrites = if locked { Vec::new() } else { locks.collect() };
        Ok(Dependencies { makes, rewrites, unpinned, ..found })
    }

    /// A build: `dotnet restore` of the same project goes first.
    fn half(mut self, name: &str) -> Result<Option<Dependencies>, Entangled> {
        if !first_half::is_plain(self.invocation) {
            return Ok(None);
        }
        let named = if name == "run" { self.option(&["--project"])? } else { None };
        let named = named.or_else(|| if name == "run" { None } else { self.operand() });
        self.restore(&[name])?;
        let mut command = first_half::program(self.invocation, |_| true)?;
        command.push_str(" restore");
        for word in named.into_iter().chain(self.carried()) {
            command = format!("{command} {}", first_half::quoted(&word));
        }
        let unpinned = self.closure.unpinned.take();
        let makes = self.closure.makes.iter().cloned().collect();
        let part = Part::FirstHalf { command, rest: Vec::new(), only_fetches: true };
        Ok(Some(Dependencies { makes, unpinned, ..self.gathered.finish(part) }))
    }

    /// Options that change which packages are fetched.
    fn carried(&self) -> Vec<String> {
        let mut carried = Vec::new();
        for names in [&["-r", "--runtime"][..], &["-s", "--source"], &["--configfile"], &["--packages"]] {
            if let (Some(Knowledge::Known(value)), Some(name)) = (self.invocation.option(names), names.last()) {
                carried.extend([(*name).to_owned(), value]);
            }
        }
        let properties = self.invocation.known_arguments().map(|(_, word)| word);
        let properties = properties.filter(|word| ["-p:", "/p:", "--property:"].iter().any(|start| word.starts_with(start)));
        carried.extend(properties.filter(|word| !word.to_ascii_lowercase().contains("version")).map(str::to_owned));
        if self.invocation.flag(&["--self-contained", "--sc", "--self-contained=true"]).is_some() {
            carried.push("-p:SelfContained=true".to_owned());
        }
        carried
    }

    /// Gathers what restoring the command's project reads.
    fn restore(&mut self, of: &[&str]) -> Result<(), Entangled> {
        let folder = self.at.workdir.known().cloned().unwrap_or_default();
        let named = if of == ["run"] { self.option(&["--project"])? } else { self.operand() };
        if let Some(unknown) = self.unknown_operand().filter(|_| named.is_none()) {
            return Err(not_seen(format!("{unknown} may name the project, and is not known")));
        }
        let target = match named {
            Some(named) => join(&folder, &named.replace('\\', "/")),
            None => folder.clone(),
        };
        let target = if self.gathered.project.look(&target) == Found::File { target } else { self.pick(&target)? };
        self.configuration(&folder)?;
        let listed = self.listed(&target)?;
        for (project, why) in listed {
            self.closure.add(&project, &why, &mut self.gathered)?;
        }
        let folders: Vec<String> = self.closure.projects().map(|project| parent(project).to_owned()).collect();
        for folder in folders {
            self.nuget_configs(&folder)?;
        }
        if let Some(config) = self.option(&["--configfile"])? {
            self.nuget_config(&join(&folder, &config))?;
        }
        if let Some(source) = self.option(&["-s", "--source"])? {
            feed(&mut self.gathered, &folder, &source, "--source")?;
        }
        Ok(())
    }

    /// The one project or solution of a folder.
    fn pick(&self, folder: &str) -> Result<String, Entangled> {
        let names = self.gathered.project.names(folder);
        let with = |end: &[&str]| -> Vec<&String> {
            names.iter().filter(|name| end.contains(&name.rsplit_once('.').map_or("", |(_, end)| end))).collect()
        };
        let solutions = with(&["sln", "slnx"]);
        let projects: Vec<&String> = names.iter().filter(|name| name.ends_with("proj") && name.contains('.')).collect();
        let stem = |name: &str| name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
        match (solutions.as_slice(), projects.as_slice()) {
            ([solution], []) => Ok(join(folder, solution)),
            ([solution], [project]) if stem(solution) == stem(project) => Ok(join(folder, solution)),
            ([], [project]) => Ok(join(folder, project)),
            ([], []) => Err(not_seen(format!("no copy brings a project or a solution to {folder}"))),
            _ => Err(not_seen(format!("{folder} holds more than one project or solution"))),
        }
    }

    /// The projects of a solution with the place that lists each; a project by itself.
    fn listed(&mut self, target: &str) -> Result<Vec<(String, String)>, Entangled> {
        let folder = parent(target);
        let shown = self.gathered.shown(target).to_owned();
        if !target.ends_with(".sln") && !target.ends_with(".slnx") {
            return Ok(vec![(target.to_owned(), String::new())]);
        }
        for name in ["Directory.Solution.props", "Directory.Solution.targets"] {
            if find_upward(self.gathered.project, folder, &[name]).is_some() {
                return Err(Entangled::NeedsSource { because: format!("{name} beside {shown} may read anything") });
            }
        }
        let text = self.gathered.read(target, "")?;
        let text = text.trim_start_matches('\u{feff}');
        let mut listed = Vec::new();
        if target.ends_with(".slnx") {
            let document = Document::parse(text).map_err(|_| not_seen(format!("{shown} is no XML that can be read")))?;
            for node in document.descendants().filter(|node| node.has_tag_name("Project")) {
                listed.push((node.attribute("Path").unwrap_or_default().to_owned(), line_of(node)));
            }
        } else {
            for (index, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("Project(")) {
                let parts: Vec<&str> = line.split('"').collect();
                if let [_, kind, _, _, _, path, ..] = parts.as_slice()
                    && !kind.to_ascii_uppercase().contains(SOLUTION_FOLDER)
                {
                    listed.push(((*path).to_owned(), index + 1));
                }
            }
        }
        let place = |(path, line): (String, usize)| (join(folder, &path.replace('\\', "/")), format!("{shown}:{line} lists it"));
        Ok(listed.into_iter().map(place).collect())
    }

    /// `dotnet tool restore`.
    fn tools(mut self, folder: &str) -> Result<Dependencies, Entangled> {
        let mut found = false;
        for folder in upward(folder) {
            for name in [".config/dotnet-tools.json", "dotnet-tools.json"] {
                found |= self.gathered.take(&join(folder, name));
            }
        }
        if let Some(manifest) = self.option(&["--tool-manifest"])? {
            self.gathered.need(&join(folder, &manifest), "")?;
        } else if !found {
            return Err(not_seen(format!("no copy brings .config/dotnet-tools.json to {folder} or a folder above it")));
        }
        self.configuration(folder)?;
        Ok(self.gathered.finish(Part::Whole))
    }

    /// `global.json` says which SDK runs, `nuget.config` where packages come from.
    fn configuration(&mut self, folder: &str) -> Result<(), Entangled> {
        if let Some(path) = find_upward(self.gathered.project, folder, &["global.json"]) {
            self.gathered.take(&path);
        }
        self.nuget_configs(folder)
    }

    fn nuget_configs(&mut self, folder: &str) -> Result<(), Entangled> {
        for folder in upward(folder) {
            let found =
                NUGET_CONFIG.iter().map(|name| join(folder, name)).find(|path| self.gathered.project.look(path) == Found::File);
            if let Some(path) = found {
                self.nuget_config(&path)?;
            }
        }
        Ok(())
    }

    fn nuget_config(&mut self, path: &str) -> Result<(), Entangled> {
        let text = self.gathered.read(path, "it may name a folder of packages")?;
        let shown = self.gathered.shown(path).to_owned();
        let text = text.trim_start_matches('\u{feff}');
        let document = Document::parse(text).map_err(|_| not_seen(format!("{shown} is no XML that can be read")))?;
        let entries = document.descendants().filter(|node| node.has_tag_name("add"));
        for entry in entries {
            let within = entry.parent().map_or("", |parent| parent.tag_name().name());
            let (key, value) = (entry.attribute("key").unwrap_or_default(), entry.attribute("value").unwrap_or_default());
            let place = format!("{shown}:{}", line_of(entry));
            match within {
                "packageSources" | "fallbackPackageFolders" => feed(&mut self.gathered, parent(path), value, &place)?,
                "config" if matches!(key, "globalPackagesFolder" | "repositoryPath") => {
                    let folder = value.replace('\\', "/");
                    if folder.contains(['%', '$']) {
                        return Err(not_seen(format!("{place} keeps packages in a folder that is not known")));
                    }
                    let folder = join(parent(path), &folder);
                    if self.gathered.project.look(&folder) != Found::Unknown {
                        self.closure.makes.insert(folder);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn option(&self, names: &[&str]) -> Result<Option<String>, Entangled> {
        match self.invocation.option(names) {
            None => Ok(None),
            Some(Knowledge::Known(value)) => Ok(Some(value)),
            Some(Knowledge::Unknown) => Err(not_seen(format!("the value of {} is not known", names.join(", ")))),
        }
    }

    /// The first word behind the subcommand that is neither an option nor an option's value.
    fn operand(&self) -> Option<String> {
        self.operands().find_map(|(value, _)| value)
    }

    fn unknown_operand(&self) -> Option<&str> {
        self.operands().find(|(value, _)| value.is_none()).map(|(_, raw)| raw)
    }

    fn operands(&self) -> impl Iterator<Item = (Option<String>, &str)> {
        let mut is_value = false;
        let words = self.invocation.arguments.iter().skip(1).take_while(|word| word.raw != "--");
        words.filter_map(move |argument| {
            let word = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
            let expected = std::mem::replace(&mut is_value, WITH_VALUE.contains(&word));
            let is_switch = word.starts_with('-') || word.starts_with("\"-") || word.starts_with('/') && word.contains(':');
            (!expected && !is_switch).then(|| (argument.value.known().cloned(), argument.raw.as_str()))
        })
    }
}

/// `packages.lock.json`, also with a project's name in it.
fn is_lock(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("packages.") && name.ends_with("lock.json")
}

#[cfg(test)]
mod tests {
    use crate::ecosystems::dotnet::Dotnet;
    use crate::ecosystems::testing::{Files, in_project, invocation};
    use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Part};

    const WEB: &str = "<Project Sdk=\"Microsoft.NET.Sdk.Web\">\n<ItemGroup>\n\
        <ProjectReference Include=\"..\\Core\\Core.csproj\" />\n<PackageReference Include=\"A\" Version=\"1.0.0\" />\n\
        </ItemGroup></Project>";
    const CORE: &str = "\u{feff}<Project Sdk=\"Microsoft.NET.Sdk\"></Project>";
    const SLN: &str = "Project(\"{2150E333-8FDC-42A3-9474-1A3956D46DE8}\") = \"docs\", \"docs\", \"{1}\"\nEndProject\n\
        Project(\"{9A19103F-16F7-4668-BE54-9A1E7A4F7556}\") = \"Web\", \"Web\\Web.csproj\", \"{2}\"\nEndProject\n";

    fn ask(line: &str, files: &Files) -> Result<Option<Dependencies>, Entangled> {
        let at = in_project("mcr.microsoft.com/dotnet/sdk:8.0");
        Dotnet.dependencies(&invocation(&line.split(' ').collect::<Vec<_>>()), &at, files)
    }

    fn found(line: &str, files: &[(&str, &str)]) -> Dependencies {
        ask(line, &Files::new(files)).unwrap().unwrap()
    }

    fn refusal(line: &str, files: &[(&str, &str)]) -> String {
        ask(line, &Files::new(files)).unwrap_err().to_string()
    }

    fn half(line: &str, files: &[(&str, &str)]) -> String {
        match found(line, files).part {
            Part::FirstHalf { command, .. } => command,
            Part::Whole => String::new(),
        }
    }

    /// `<Project>` with this inside.
    fn project(inside: &str) -> String {
        format!("<Project>{inside}</Project>")
    }

    #[test]
    fn a_solution_brings_each_project_at_its_own_path() {
        let files = [
            ("App.sln", SLN),
            ("Web/Web.csproj", WEB),
            ("Core/Core.csproj", CORE),
            ("Web/Program.cs", ""),
            ("Directory.Build.props", "<Project/>"),
            ("Directory.Packages.props", "<Project/>"),
            ("NuGet.Config", "<configuration/>"),
            ("global.json", "{}"),
            ("Web/packages.lock.json", "{}"),
        ];
        let whole = found("dotnet restore", &files);
        let expected = [
            "App.sln",
            "Core/Core.csproj",
            "Directory.Build.props",
            "Directory.Packages.props",
            "NuGet.Config",
            "Web/Web.csproj",
            "Web/packages.lock.json",
            "global.json",
        ];
        assert_eq!(whole.files, expected.map(|name| format!("/app/{name}")));
        assert_eq!(whole.makes, ["/app/Core/obj", "/app/Web/obj"]);
        assert_eq!((whole.rewrites, whole.part), (vec!["/app/Web/packages.lock.json".to_owned()], Part::Whole));
        assert!(found("dotnet restore App.sln --locked-mode", &files).rewrites.is_empty());
        let slnx = [("App.slnx", "<Solution><Folder><Project Path=\"Core/Core.csproj\"/></Folder></Solution>"), files[2]];
        assert_eq!(found("dotnet restore", &slnx).files.len(), 2);
    }

    #[test]
    fn a_build_is_preceded_by_a_restore() {
        let files = [("Web/Web.csproj", WEB), ("Core/Core.csproj", CORE), ("Web/Web.cs", "")];
        let publish = "dotnet publish Web/Web.csproj -c $CONFIG -o /out -r linux-x64 --self-contained -p:Version=1 -p:A=b";
        assert_eq!(half(publish, &files), "dotnet restore Web/Web.csproj --runtime linux-x64 -p:A=b -p:SelfContained=true");
        assert_eq!(half("dotnet test Web", &files), "dotnet restore Web");
        assert_eq!(half("dotnet run --project Web", &files), "dotnet restore Web");
        assert_eq!(ask("dotnet publish --no-restore", &Files::new(&files)), Ok(None));
        assert!(refusal("dotnet build $PROJECT", &files).contains("$PROJECT"));
        assert!(refusal("dotnet build", &files).contains("no copy brings a project"));
        let two = [("a.csproj", CORE), ("b.csproj", CORE)];
        assert!(refusal("dotnet build", &two).contains("more than one"));
    }

    #[test]
    fn imports_are_followed_as_far_as_their_paths_are_known() {
        let above =
            "<Import Project=\"$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', '$(MSBuildThisFileDirectory)../'))\"/>";
        let own =
            "<Import Project=\"$(MSBuildThisFileDirectory)..\\eng\\a.props\"/><Import Project=\"$(VSToolsPath)x.targets\"/>";
        let (outer, inner, root) = (
            project("<PropertyGroup><Eng>$(MSBuildThisFileDirectory)eng</Eng></PropertyGroup>"),
            project(above),
            project(&format!(
                "{own}<Import Project=\"$(Eng)/b.props\"/><Import Project=\"x.props\" Condition=\"Exists('x.props')\"/>"
            )),
        );
        let files = [
            ("Directory.Build.props", outer.as_str()),
            ("src/Directory.Build.props", &inner),
            ("src/x.csproj", &root),
            ("eng/a.props", "<Project/>"),
            ("eng/b.props", "<Project/>"),
        ];
        assert_eq!(found("dotnet restore src", &files).files.len(), 5);
        assert!(refusal("dotnet restore src", &files[..4]).contains("eng/b.props is not among"));
        let unknown = project("\n<Import Project=\"$(Other)/b.props\"/>");
        assert_eq!(
            refusal("dotnet restore", &[("x.csproj", &unknown)]),
            "x.csproj:2 imports $(Other)/b.props, which is not known"
        );
    }

    #[test]
    fn what_is_not_a_manifest_is_refused() {
        let reads = project("<PropertyGroup><V>$([System.IO.File]::ReadAllText('v.txt'))</V></PropertyGroup>");
        assert!(refusal("dotnet restore", &[("x.csproj", &reads)]).contains("looks at files"));
        let asks = project("<ItemGroup Condition=\"Exists('src')\"><PackageReference Include=\"A\"/></ItemGroup>");
        assert!(refusal("dotnet restore", &[("x.csproj", &asks), ("src/a.cs", "")]).contains("asks whether src exists"));
        let script = SLN.replace("Web.csproj", "Web.esproj");
        assert!(refusal("dotnet restore", &[("a.sln", &script), ("Web/Web.esproj", "")]).contains(".esproj"));
        assert!(refusal("dotnet restore", &[("a.sln", SLN)]).starts_with("Web/Web.csproj is not among"));
    }

    #[test]
    fn local_feeds_come_whole_and_moved_folders_are_named() {
        let config = "<configuration><packageSources><add key=\"l\" value=\".\\feed\"/><add key=\"n\" value=\"https://n.o/x\"/>\
            </packageSources><config><add key=\"globalPackagesFolder\" value=\"pkg\"/></config></configuration>";
        let moved = project("<PropertyGroup><UseArtifactsOutput>true</UseArtifactsOutput></PropertyGroup>");
        let files = [("x.csproj", CORE), ("nuget.config", config), ("feed/a.nupkg", ""), ("Directory.Build.props", &moved)];
        let restore = found("dotnet restore", &files);
        assert_eq!(
            (restore.folders, restore.makes),
            (vec!["/app/feed".into()], vec!["/app/artifacts".into(), "/app/pkg".to_owned()])
        );
        assert!(refusal("dotnet restore", &files[..2]).contains("nuget.config:1 takes packages from ./feed"));
        let floating = project("<ItemGroup><PackageReference Include=\"A\" Version=\"1.*\"/></ItemGroup>");
        assert!(found("dotnet restore", &[("x.csproj", &floating)]).unpinned.is_some());
    }

    #[test]
    fn tools_read_their_manifest_or_nothing() {
        let files = [(".config/dotnet-tools.json", "{}"), ("global.json", "{}"), ("x.csproj", CORE)];
        assert_eq!(found("dotnet tool restore", &files).files, ["/app/.config/dotnet-tools.json", "/app/global.json"]);
        assert!(found("dotnet tool install -g x --version 1.0", &[("x.csproj", CORE)]) == Dependencies::default());
        assert_eq!(found("dotnet --info", &files).files, ["/app/global.json"]);
        assert_eq!(ask("dotnet ef database update", &Files::new(&files)), Ok(None));
    }
}
