//! What `go` commands read of a project before they fetch modules.
//!
//! Owns: the closure of `go.mod`: its sums, the workspace, the folders of `replace`, another file by `-modfile`.
//! Never does: know the caches; that is the parent's.
//!
//! `go mod download` needs no source. Of a folder that `replace` names it reads the `go.mod` alone (tried with Go 1.19). Since
//! Go 1.17 it no longer stores sums of what it downloads, but it still writes `go.mod` and `go.sum` anew where they do not agree;
//! a `go.sum` that knows every required module is taken for a proof that they do.
//!
//! A build fetches only the modules that it needs, `go mod download` all: the module cache in the layer may hold more.
//!
//! Sources: the Go modules reference (vendoring, workspaces, `go mod download`, `-modfile`); the go command's own code for
//! `go mod download`; release notes of Go 1.14, 1.16 and 1.18.

use super::modfile::{ModFile, Replace, parse};
use super::{for_itself, is, is_mod_option, is_vendor, release, setting, words};
use crate::ecosystems::gathered::{Gathered, find_upward, join, not_seen, parent};
use crate::ecosystems::{Dependencies, Entangled, Found, Invocation, Part, Project, Surroundings, first_half};
use crate::knowledge::Knowledge;
use std::sync::Arc;

/// Variables that say where modules come from and where they are kept.
#[rustfmt::skip] // A paragraph, not a column.
const FETCH_VARIABLES: &[&str] = &[
    "GOFLAGS", "GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GONOSUMCHECK", "GOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH",
    "GO111MODULE", "GOWORK", "GOTOOLCHAIN", "GOMODCACHE", "GOPATH", "GOENV", "GOROOT", "HOME", "NETRC", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSH_COMMAND",
    "GIT_TERMINAL_PROMPT", "GODEBUG", "PATH",
];

pub(super) fn dependencies(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
) -> Result<Option<Dependencies>, Entangled> {
    let (name, rest) = words(invocation);
    let operands: Vec<&str> = rest.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let operand = operands.first().copied().unwrap_or_default();
    match name {
        "env" | "version" | "help" | "telemetry" | "" => Ok(Some(Dependencies::default())),
        "clean" if !rest.is_empty() && rest.iter().all(|word| super::CACHE_FLAGS.contains(word)) => {
            Ok(Some(Dependencies::default()))
        }
        "install" | "run" if for_itself(invocation) => Ok(Some(nothing_but(&operands))),
        "mod" if matches!(operand, "download" | "verify") => Reading::new(invocation, at, project)?.whole(&operands).map(Some),
        "mod" if matches!(operand, "tidy" | "vendor") => Reading::new(invocation, at, project)?.half(),
        "get" if operands.iter().any(|word| !is_local(word)) => get(invocation, at, project, &operands),
        "build" | "install" | "test" | "vet" | "run" | "get" => Reading::new(invocation, at, project)?.half(),
        _ => Ok(None),
    }
}

/// `go get tool` reads nothing where there is no module; in one it writes `go.mod`.
fn get(
    invocation: &Invocation,
    at: &Surroundings,
    project: &dyn Project,
    operands: &[&str],
) -> Result<Option<Dependencies>, Entangled> {
    if modules_are_off(at).is_some() {
        return Ok(Some(nothing_but(operands)));
    }
    let folder = folder(invocation, at)?;
    Ok(find_upward(project, &folder, &["go.mod"]).is_none().then(|| nothing_but(operands)))
}

/// A command that builds something on its own.
fn nothing_but(operands: &[&str]) -> Dependencies {
    let moving = operands.iter().find(|word| !is_local(word) && !word.rsplit_once('@').is_some_and(|(_, at)| is_pinned(at)));
    Dependencies { unpinned: moving.map(|word| format!("{word} names no fixed version")), ..Dependencies::default() }
}

/// `v1.2.3`, but not `v1`, `latest` or a branch.
fn is_pinned(version: &str) -> bool {
    let numbered = version.strip_prefix('v').is_some_and(|rest| rest.split('.').count() >= 3);
    numbered || version.len() >= 12 && version.chars().all(|c| c.is_ascii_hexdigit())
}

fn is_local(operand: &str) -> bool {
    operand.starts_with('.') || operand.starts_with('/') || matches!(operand, "all" | "std" | "cmd") || operand.ends_with(".go")
}

/// Why there are no modules.
fn modules_are_off(at: &Surroundings) -> Option<&'static str> {
    if setting(at, "GO111MODULE").is_some_and(|value| is(&value, "off")) {
        return Some("GO111MODULE=off: without modules no manifest names the dependencies");
    }
    let early = release(at).filter(|minor| *minor < 13)?;
    let on = setting(at, "GO111MODULE").is_some_and(|value| is(&value, "on"));
    let below_gopath = at.workdir.known().is_some_and(|folder| folder.starts_with("/go/src/"));
    match early {
        ..11 => Some("this release of Go has no modules"),
        _ if below_gopath && !on => Some("this release of Go has no modules below GOPATH"),
        _ => None,
    }
}

/// Where the command runs: `-C` moves it.
fn folder(invocation: &Invocation, at: &Surroundings) -> Result<String, Entangled> {
    let unknown = || not_seen("the folder in which go runs is not known");
    let moved = match invocation.option(&["-C", "--C"]) {
        None => at.workdir.clone(),
        Some(Knowledge::Known(folder)) => at.absolute(&folder),
        Some(Knowledge::Unknown) => Knowledge::Unknown,
    };
    moved.into_known().ok_or_else(unknown)
}

/// The proxy where it is, or may be, a folder: `file:///proxy`.
fn proxy_of_files(invocation: &Invocation, at: &Surroundings) -> Option<String> {
    let own = invocation.variables.iter().rev().find(|(name, _)| name == "GOPROXY").map(|(_, value)| value.clone());
    match own.or_else(|| setting(at, "GOPROXY"))? {
        Knowledge::Known(proxy) => proxy.contains("file:").then_some(proxy),
        // A variable that is not known is an address as a rule: people keep it out of the file.
        Knowledge::Unknown => None,
    }
}

/// A command in a module, with what it reads.
struct Reading<'a> {
    invocation: &'a Invocation,
    at: &'a Surroundings<'a>,
    gathered: Gathered<'a>,
    folder: String,
    /// The folder of `go.work`, else of `go.mod`.
    root: String,
    workspace: Option<ModFile>,
    /// Each module's folder, file of sums and manifest.
    modules: Vec<Module>,
}

struct Module {
    manifest: String,
    sums: Option<Arc<str>>,
    file: ModFile,
}

impl<'a> Reading<'a> {
    fn new(invocation: &'a Invocation, at: &'a Surroundings<'a>, project: &'a dyn Project) -> Result<Self, Entangled> {
        if let Some(because) = modules_are_off(at) {
            return Err(Entangled::NeedsSource { because: because.to_owned() });
        }
        if let Some(proxy) = proxy_of_files(invocation, at) {
            return Err(Entangled::NeedsSource {
                because: format!("GOPROXY={proxy}: modules come from a folder, which a copy may bring"),
            });
        }
        let folder = folder(invocation, at)?;
        let base = at.workdir.known().map_or("/", String::as_str);
        let gathered = Gathered::new(project, base);
        let mut reading = Self { invocation, at, gathered, root: folder.clone(), folder, workspace: None, modules: Vec::new() };
        reading.load()?;
        Ok(reading)
    }

    fn load(&mut self) -> Result<(), Entangled> {
        let project = self.gathered.project;
        let manifest = find_upward(project, &self.folder, &["go.mod"]);
        if let Some(work) = self.find_workspace()? {
            parent(&work).clone_into(&mut self.root);
            let file = parse(&self.gathered.read(&work, "the workspace")?);
            self.gathered.take(&join(&self.root, "go.work.sum"));
            for (folder, line) in &file.uses {
                let why = format!("{}:{line} uses it", self.gathered.shown(&work));
                self.load_module(&join(&join(&self.root, folder), "go.mod"), None, &why)?;
            }
            self.workspace = Some(file);
            return Ok(());
        }
        let Some(manifest) = manifest else {
            return Err(not_seen(format!("no copy brings a go.mod to {} or a folder above it", self.folder)));
        };
        parent(&manifest).clone_into(&mut self.root);
        let other = match self.invocation.option(&["-modfile", "--modfile"]) {
            None => self
                .flags()
                .split_whitespace()
                .find_map(|flag| flag.trim_start_matches('-').strip_prefix("modfile="))
                .map(str::to_owned),
            Some(Knowledge::Known(path)) => Some(path),
            Some(Knowledge::Unknown) => return Err(not_seen("the file that -modfile names is not known")),
        };
        self.load_module(&manifest, other.map(|other| join(&self.folder, &other)), "")
    }

    /// Reads a module's manifest, or the other one that stands in for it, and its sums.
    fn load_module(&mut self, manifest: &str, other: Option<String>, why: &str) -> Result<(), Entangled> {
        self.gathered.need(manifest, why)?;
        let manifest = other.unwrap_or_else(|| manifest.to_owned());
        let file = parse(&self.gathered.read(&manifest, why)?);
        let sums = format!("{}.sum", manifest.strip_suffix(".mod").unwrap_or(&manifest));
        let sums = if self.gathered.take(&sums) { Some(self.gathered.read(&sums, "")?) } else { None };
        self.modules.push(Module { manifest, sums, file });
        Ok(())
    }

    /// `go.work` in this folder or above it, unless it is switched off.
    fn find_workspace(&self) -> Result<Option<String>, Entangled> {
        if release(self.at).is_some_and(|minor| minor < 18) {
            return Ok(None);
        }
        match setting(self.at, "GOWORK") {
            None => Ok(find_upward(self.gathered.project, &self.folder, &["go.work"])),
            Some(Knowledge::Known(value)) if value == "off" => Ok(None),
            Some(Knowledge::Known(path)) if path.starts_with('/') => Ok(Some(path)),
            Some(_) => Err(not_seen("the workspace that GOWORK names is not known")),
        }
    }

    /// Adds what the replacements read, and asks for sums where something is fetched from elsewhere. Says whether it is.
    fn replacements(&mut self) -> Result<bool, Entangled> {
        let work = self.workspace.as_ref().map(|file| (join(&self.root, "go.work"), file));
        let modules = self.modules.iter().map(|module| (module.manifest.clone(), &module.file));
        for (manifest, file) in modules.chain(work) {
            for replace in file.replaces.iter().filter(|replace| replace.is_local()) {
                let target = join(&join(parent(&manifest), &replace.new), "go.mod");
                let required = self.modules.iter().any(|module| module.file.requires.iter().any(|one| replace.covers(one)));
                let may_be_there = self.gathered.project.look(&target) == Found::Unknown;
                if !self.gathered.take(&target) && (required || may_be_there) {
                    let (file, line) = (self.gathered.shown(&manifest), replace.line);
                    return Err(not_seen(format!("{file}:{line} replaces a module by {target}, which no copy brings")));
                }
            }
        }
        let mut fetches = false;
        for module in &self.modules {
            let local = |replace: &&Replace| replace.is_local();
            let replaces =
                || self.modules.iter().map(|module| &module.file).chain(&self.workspace).flat_map(|file| &file.replaces);
            let remote =
                module.file.requires.iter().filter(|one| !replaces().filter(local).any(|replace| replace.covers(one))).count();
            fetches |= remote > 0 || replaces().any(Replace::is_local);
            if remote > 0 && module.sums.is_none() {
                let manifest = self.gathered.shown(&module.manifest);
                return Err(not_seen(format!("{manifest} requires modules, but there is no go.sum beside it to check them by")));
            }
        }
        Ok(fetches)
    }

    /// `go mod download` itself.
    fn whole(mut self, operands: &[&str]) -> Result<Dependencies, Entangled> {
        self.replacements()?;
        let named = operands.len() > 1 || self.invocation.has_unknown_argument();
        let old = match release(self.at) {
            Some(minor) => minor < 17,
            None => {
                !super::is_official(self.at) && self.modules.iter().any(|module| module.file.go.is_none_or(|minor| minor < 17))
            }
        };
        let downloads = operands.first() == Some(&"download");
        let rewrites = self.modules.iter().filter(|module| downloads && (named || old || !module.agrees()));
        let sums = |manifest: &str| format!("{}.sum", manifest.strip_suffix(".mod").unwrap_or(manifest));
        let rewrites: Vec<String> = rewrites.flat_map(|module| [module.manifest.clone(), sums(&module.manifest)]).collect();
        Ok(Dependencies { rewrites, ..self.gathered.finish(Part::Whole) })
    }

    /// A build: `go mod download` goes first.
    fn half(mut self) -> Result<Option<Dependencies>, Entangled> {
        if !first_half::is_plain(self.invocation) {
            return Ok(None);
        }
        self.refuse_if_vendored()?;
        if !self.replacements()? {
            let because = format!(
                "{} requires no module: nothing is downloaded",
                self.modules.iter().map(|module| self.gathered.shown(&module.manifest)).collect::<Vec<_>>().join(" and ")
            );
            return Err(Entangled::NothingToGain { because });
        }
        let mut command = first_half::program(self.invocation, |name| FETCH_VARIABLES.contains(&name))?;
        // `xx-go` only sets a platform, which modules don't depend on.
        if let Some(plain) = command.strip_suffix("xx-go") {
            command = format!("{plain}go");
        }
        if let Some(folder) = self.invocation.option(&["-C", "--C"]).and_then(Knowledge::into_known) {
            command = format!("{command} -C {}", first_half::quoted(&folder));
        }
        command.push_str(" mod download");
        if let Some(file) = self.invocation.option(&["-modfile", "--modfile"]).and_then(Knowledge::into_known) {
            command = format!("{command} -modfile={}", first_half::quoted(&file));
        }
        Ok(Some(self.gathered.finish(Part::FirstHalf { command, rest: Vec::new(), only_fetches: true })))
    }

    /// A build from a vendor folder fetches nothing.
    fn refuse_if_vendored(&self) -> Result<(), Entangled> {
        let (name, rest) = words(self.invocation);
        let gains = |because: String| Err(Entangled::NothingToGain { because });
        let flags = self.flags();
        let chosen = rest.iter().rev().copied().find(|word| is_mod_option(word));
        let chosen = chosen.or_else(|| flags.split_whitespace().rev().find(|word| is_mod_option(word)));
        match chosen {
            _ if matches!(name, "mod" | "get") => return Ok(()),
            Some(word) if is_vendor(word) => return gains(format!("{word}: nothing is downloaded")),
            Some(_) => return Ok(()),
            None => {}
        }
        let release = release(self.at);
        let by_itself = match &self.workspace {
            Some(_) => release.is_none_or(|minor| minor >= 22),
            None => {
                release.is_none_or(|minor| minor >= 14)
                    && self.modules.iter().any(|module| module.file.go.is_some_and(|minor| minor >= 14))
            }
        };
        let vendor = join(&self.root, "vendor");
        if by_itself && self.gathered.project.look(&vendor) == Found::Folder {
            let folder = self.gathered.shown(&vendor);
            return gains(format!("go builds from the folder {folder}: nothing is downloaded"));
        }
        Ok(())
    }

    fn flags(&self) -> String {
        setting(self.at, "GOFLAGS").and_then(Knowledge::into_known).unwrap_or_default()
    }
}

impl Module {
    /// Whether the sums know every required module, as the go command itself leaves them.
    fn agrees(&self) -> bool {
        let sums = self.sums.as_deref().unwrap_or_default();
        self.file.requires.iter().all(|require| {
            let replace = self.file.replaces.iter().find(|replace| replace.covers(require));
            let (path, version) = match replace {
                Some(replace) if replace.is_local() => return true,
                Some(Replace { new, new_version: Some(version), .. }) => (new, version),
                _ => (&require.path, &require.version),
            };
            let entry = format!("{path} {version}/go.mod ");
            sums.lines().any(|line| line.starts_with(&entry))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::ecosystems::go::Go;
    use crate::ecosystems::testing::{Files, in_project, invocation};
    use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Part, Surroundings};
    use crate::knowledge::Knowledge;

    const MOD: &str = "module a.b/c\ngo 1.22\nrequire a.b/d v1.0.0\n";
    const SUM: &str = "a.b/d v1.0.0 h1:x=\na.b/d v1.0.0/go.mod h1:y=\n";

    fn ask_at(line: &str, files: &Files, at: &Surroundings) -> Result<Option<Dependencies>, Entangled> {
        Go.dependencies(&invocation(&line.split(' ').collect::<Vec<_>>()), at, files)
    }

    fn ask(line: &str, files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
        ask_at(line, &Files::new(files), &in_project("golang:1.22"))
    }

    fn half(line: &str, files: &[(&str, &str)]) -> String {
        match ask(line, files) {
            Ok(Some(Dependencies { part: Part::FirstHalf { command, only_fetches: true, .. }, .. })) => command,
            other => format!("{other:?}"),
        }
    }

    fn refusal(line: &str, files: &[(&str, &str)]) -> String {
        ask(line, files).map(|found| format!("{found:?}")).unwrap_or_else(|refusal| refusal.to_string())
    }

    #[test]
    fn a_download_reads_the_manifests_alone() {
        let files = [("go.mod", MOD), ("go.sum", SUM), ("main.go", "")];
        let whole = ask("go mod download -x", &files).unwrap().unwrap();
        assert_eq!(whole.files, ["/app/go.mod", "/app/go.sum"]);
        assert_eq!((whole.part, whole.rewrites, whole.unpinned), (Part::Whole, vec![], None));
        let stale = [("go.mod", MOD), ("go.sum", "a.b/d v0.9.0/go.mod h1:y=\n")];
        assert_eq!(ask("go mod download", &stale).unwrap().unwrap().rewrites, ["/app/go.mod", "/app/go.sum"]);
        let old = ask_at("go mod download", &Files::new(&files), &in_project("golang:1.15"));
        assert_eq!(old.unwrap().unwrap().rewrites.len(), 2, "it stored the sums of all it fetched");
    }

    #[test]
    fn a_build_is_preceded_by_a_download() {
        let files = [("go.mod", MOD), ("go.sum", SUM), ("cmd/main.go", ""), ("tools.mod", MOD), ("tools.sum", SUM)];
        assert_eq!(
            half("CGO_ENABLED=0 GOPROXY=https://x.y go build -o /out ./cmd", &files),
            "GOPROXY=https://x.y go mod download"
        );
        for line in ["go test ./...", "go install ./cmd", "go get -d -v ./...", "go run .", "xx-go build .", "go mod tidy"] {
            assert_eq!(half(line, &files), "go mod download", "{line}");
        }
        assert_eq!(half("go -C . build .", &files), "go -C . mod download");
        let other = ask("go build -modfile=tools.mod ./cmd", &files).unwrap().unwrap();
        assert_eq!(other.files, ["/app/go.mod", "/app/tools.mod", "/app/tools.sum"]);
        assert_eq!(half("go build -modfile=tools.mod .", &files), "go mod download -modfile=tools.mod");
        assert_eq!(ask("sudo go build", &files), ask("go generate ./...", &files));
    }

    #[test]
    fn a_replaced_module_needs_its_own_manifest() {
        let text = format!("{MOD}replace a.b/d => ./d\n");
        let files = [("go.mod", text.as_str()), ("d/go.mod", ""), ("d/go.sum", ""), ("d/d.go", "")];
        assert_eq!(ask("go mod download", &files).unwrap().unwrap().files, ["/app/d/go.mod", "/app/go.mod"]);
        assert!(refusal("go build", &files[..1]).starts_with("go.mod:4 replaces a module by /app/d/go.mod"));
        let outside = format!("{MOD}replace a.b/z => ../z\n");
        assert!(refusal("go build", &[("go.mod", &outside), ("go.sum", SUM)]).contains("/z/go.mod"), "it may lie in the image");
        let unused = format!("{MOD}replace a.b/z => ./z\n");
        assert_eq!(half("go build", &[("go.mod", &unused), ("go.sum", SUM)]), "go mod download", "a replacement of nothing");
    }

    #[test]
    fn a_workspace_needs_every_module() {
        let files = [("go.work", "go 1.22\nuse (\n\t./x\n\t./y\n)\n"), ("go.work.sum", ""), ("x/go.mod", MOD), ("x/go.sum", SUM)];
        assert!(refusal("go build ./x", &files).starts_with("y/go.mod is not among"));
        let files = [&files[..], &[("y/go.mod", "module y\n")]].concat();
        let expected = ["/app/go.work", "/app/go.work.sum", "/app/x/go.mod", "/app/x/go.sum", "/app/y/go.mod"];
        assert_eq!(ask("go build ./x", &files).unwrap().unwrap().files, expected);
        assert!(refusal("GOWORK=off go build ./x", &files).contains("y/go.mod"), "variables reach us by the surroundings");
        let mut at = in_project("golang:1.22");
        at.variables.push(("GOWORK".to_owned(), Knowledge::Known("off".to_owned())));
        let alone = ask_at("go -C x build", &Files::new(&files), &at).unwrap().unwrap();
        assert_eq!(alone.files, ["/app/x/go.mod", "/app/x/go.sum"]);
    }

    #[test]
    fn nothing_is_gained_where_nothing_is_fetched() {
        let files = [("go.mod", MOD), ("go.sum", SUM), ("vendor/modules.txt", "")];
        assert!(refusal("go build", &files).contains("from the folder vendor"));
        assert_eq!(half("go build -mod=mod", &files), "go mod download");
        assert!(refusal("go build -mod=vendor", &files[..2]).starts_with("-mod=vendor"));
        assert!(refusal("go build", &[("go.mod", "module a\n")]).starts_with("go.mod requires no module"));
    }

    #[test]
    fn without_sums_or_modules_it_is_refused() {
        assert!(refusal("go mod download", &[("go.mod", MOD)]).contains("no go.sum"));
        assert!(refusal("go build", &[("main.go", "")]).contains("no copy brings a go.mod"));
        let files = Files::new(&[("go.sum", SUM)]).with_unreadable("go.mod");
        assert!(ask_at("go build", &files, &in_project("golang")).is_err());
        let files = Files::new(&[("go.mod", MOD), ("go.sum", SUM)]);
        for image in ["golang:1.10", "golang:1.9-alpine"] {
            assert!(ask_at("go build", &files, &in_project(image)).is_err(), "{image}");
        }
        let mut at = in_project("golang:1.16");
        at.variables.push(("GO111MODULE".to_owned(), Knowledge::Known("off".to_owned())));
        assert!(ask_at("go build", &files, &at).is_err());
    }

    #[test]
    fn tools_and_settings_read_nothing() {
        let files = [("go.mod", MOD), ("go.sum", SUM)];
        for line in ["go install a.b/c@v1.2.3", "go env -w GOPROXY=x", "go version", "go clean -modcache -cache"] {
            assert_eq!(ask(line, &files), Ok(Some(Dependencies::default())), "{line}");
        }
        assert!(ask("go install a.b/c@latest", &files).unwrap().unwrap().unpinned.is_some());
        assert_eq!(ask("go get a.b/c@v1.0.0", &files), Ok(None), "it writes go.mod");
        assert_eq!(ask("go get a.b/c@v1.0.0", &[("main.go", "")]), Ok(Some(Dependencies::default())));
        assert_eq!(ask("go mod init x", &files), Ok(None));
    }

    #[test]
    fn modules_from_a_folder_are_the_projects_to_bring() {
        let files = [("go.mod", MOD), ("go.sum", SUM)];
        let mut at = in_project("golang:1.22");
        at.variables.push(("GOPROXY".to_owned(), Knowledge::Known("https://host,file:///proxy".to_owned())));
        let refused = |line| format!("{:?}", ask_at(line, &Files::new(&files), &at));
        assert!(refused("go mod download").contains("modules come from a folder"), "{}", refused("go mod download"));
        assert!(refused("go build .").contains("modules come from a folder"));
    }
}
