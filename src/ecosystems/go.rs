//! The `go` command: modules and its build cache.
//!
//! Knows two folders. The module cache (`GOMODCACHE`, else `pkg/mod` in the first folder of `GOPATH`): later builds work from
//! it; it holds sources, and toolchains that carry their platform in the name; its lock lies in it, so builds may share it.
//! The build cache (`GOCACHE`, else `go-build` in the XDG cache folder): nobody needs it later; entries are keyed by the hash
//! of their inputs, platform and compiler included. Never mounts `GOPATH` itself: `bin` and, without modules, `src` are in it.
//!
//! The build cache stays out where it could change a result. Go doesn't see when C libraries change under cgo, so without
//! `CGO_ENABLED=0` it is kept apart by base image, and left out once a step has installed C headers. `go test` of a
//! list of packages would repeat a stored result without running the tests, and files that those write would be missing: left
//! out, unless `-count` forbids stored results.
//!
//! `-mod=vendor` (also in `GOFLAGS`) fetches nothing: only the build cache. Before modules (Go 1.10 and older, or
//! `GO111MODULE=off`) `go get` puts sources into `GOPATH/src`, which is no cache. With `GOPROXY=off` Go works from what was
//! fetched earlier. `go env -w` counts as Go has it: behind the variables, before the defaults.
//!
//! `GOPATH` is `/go` in the `golang` image, `~/go` where a step of this file installed Go; another image that brings Go may
//! set it, and is refused. Not seen: `go.mod` and a `vendor` folder that Go takes by itself: the module mount stays idle.
//!
//! Sources: the manual of the go command (environment, build and test caching, modules), the Dockerfiles of the `golang` image.

mod manifests;
mod modfile;

use crate::ecosystems::toolchain;
use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// Go.
pub struct Go;

/// Subcommands that load packages, and so fetch modules.
const LOADING: &[&str] = &["build", "install", "get", "run", "test", "vet", "generate", "list", "fix"];

/// Words of `go clean` that name caches, and one that does no harm.
const CACHE_FLAGS: &[&str] = &["-cache", "-modcache", "-testcache", "-fuzzcache", "-x"];

/// Programs that run Go, or read what it fetched.
#[rustfmt::skip] // A paragraph, not a column.
const READERS: &[&str] = &[
    "make", "mage", "just", "task", "air", "reflex", "realize", "CompileDaemon", "modd", "fresh", "gow", "dlv", "gopls",
    "goreleaser", "ko", "gomobile", "garble", "wails", "buffalo", "bee", "templ", "mockgen", "mockery", "swag", "wire",
    "golangci-lint", "staticcheck", "revive", "gosec", "govulncheck", "gotestsum", "ginkgo", "buf", "sqlc", "bazel",
];

impl Ecosystem for Go {
    fn id(&self) -> &'static str {
        "go"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["go", "xx-go"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["go.sum", "go.work"]
    }

    fn assumed(&self, invocation: &Invocation) -> Option<super::Assumed> {
        let plain = invocation.argument(0) == "mod" && invocation.argument(1) == "download" && invocation.arguments.len() == 2;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        (invocation.program == "go" && plain)
            .then(|| super::Assumed { sources: names(&["go.mod*", "go.sum*"]), asked: names(&["go.mod"]) })
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        // `xx-go` sets the target platform and runs `go`.
        if !invocation.is("go") && invocation.program != "xx-go" {
            return None;
        }
        let (name, rest) = words(invocation);
        let first = rest.first().copied().unwrap_or_default();
        let fetches = match name {
            "mod" => matches!(first, "download" | "tidy" | "vendor" | "graph" | "verify" | "why"),
            "work" => matches!(first, "sync" | "vendor"),
            _ => LOADING.contains(&name) && !matches!(first, "-h" | "-help" | "--help"),
        };
        let without_proxy = invocation.variables.iter().any(|(name, value)| name == "GOPROXY" && is(value, "off"));
        Some(match fetches {
            true if without_proxy && !rest.iter().any(|word| is_vendor(word)) => Activity::Offline,
            true => Activity::Install { needs_index: false },
            // Without a cache named, `go clean` clears the package's folder; with other words it does that too.
            false if name == "clean" && !rest.is_empty() && rest.iter().all(|word| CACHE_FLAGS.contains(word)) => Activity::Clean,
            false => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        let mut cache = CacheUse::default();
        if uses_modules(invocation, at)? {
            if setting(at, "GOPROXY").is_some_and(|value| is(&value, "off")) {
                return Err(Obstacle::Unsafe { because: "GOPROXY=off: Go works from what an earlier step fetched".to_owned() });
            }
            let modules = CacheFolder::downloads(module_cache(at)?);
            cache.mounts.push(if for_itself(invocation) { modules } else { modules.needed_later() });
        }
        match keeps_builds(invocation, at) {
            Ok(()) => {
                let builds = CacheFolder::downloads(build_cache(at)?);
                let pure = setting(at, "CGO_ENABLED").is_some_and(|value| is(&value, "0"));
                cache.mounts.push(if pure { builds } else { builds.per_base_image() });
            }
            Err(Some(because)) => cache.notes.push(format!("no mount for the build cache: {because}")),
            Err(None) => {}
        }
        if cache.mounts.is_empty() {
            let because = cache.notes.pop().unwrap_or_else(|| "no modules, and nothing is built".to_owned());
            return Err(Obstacle::KeepsNothing { because });
        }
        Ok(cache)
    }

    fn only_fetches(&self, invocation: &Invocation) -> bool {
        invocation.argument(0) == "mod" && matches!(invocation.argument(1), "download" | "tidy" | "verify")
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
        READERS
    }
}

/// Whether modules are fetched: not from a vendor folder, and not before there were modules.
fn uses_modules(invocation: &Invocation, at: &Surroundings) -> Result<bool, Obstacle> {
    let (name, rest) = words(invocation);
    if release(at).is_some_and(|minor| minor < 11) || setting(at, "GO111MODULE").is_some_and(|value| is(&value, "off")) {
        return if name == "mod" { Err(Obstacle::KeepsNothing { because: "modules are off".to_owned() }) } else { Ok(false) };
    }
    let chosen = rest.iter().rev().find(|word| is_mod_option(word)).map(|word| is_vendor(word));
    let flags = setting(at, "GOFLAGS").and_then(Knowledge::into_known).unwrap_or_default();
    let vendored = chosen.unwrap_or_else(|| flags.split_whitespace().any(is_vendor));
    Ok(!vendored || !LOADING.contains(&name) || for_itself(invocation))
}

/// Whether a mount of the build cache serves the command and can't change its result; else why not, where that is worth a word.
fn keeps_builds(invocation: &Invocation, at: &Surroundings) -> Result<(), Option<String>> {
    let (name, rest) = words(invocation);
    let compiles =
        matches!(name, "build" | "install" | "run" | "test" | "vet" | "generate") || name == "get" && !rest.contains(&"-d");
    if !compiles || release(at).is_some_and(|minor| minor < 10) {
        return Err(None);
    }
    let reruns = rest.iter().any(|word| matches!(word.trim_start_matches('-').split('=').next(), Some("count" | "c")));
    if name == "test" && !reruns {
        return Err(Some("it would repeat test results without running the tests".to_owned()));
    }
    if setting(at, "GOCACHE").is_some_and(|value| is(&value, "off")) {
        return Err(Some("GOCACHE=off".to_owned()));
    }
    let pure = setting(at, "CGO_ENABLED").is_some_and(|value| is(&value, "0"));
    if !pure && at.earlier.iter().any(toolchain::installs_c_headers) {
        return Err(Some("Go doesn't see when C libraries change (CGO_ENABLED=0 says there are none)".to_owned()));
    }
    Ok(())
}

/// The module cache.
fn module_cache(at: &Surroundings) -> Result<String, Obstacle> {
    // Go 1.15 brought the setting.
    if release(at).is_none_or(|minor| minor >= 15)
        && let Some(folder) = setting(at, "GOMODCACHE")
    {
        return absolute(folder, "GOMODCACHE");
    }
    let gopath = match setting(at, "GOPATH") {
        Some(list) => absolute(list.map(|list| list.split(':').next().unwrap_or_default().to_owned()), "GOPATH")?,
        None if is_official(at) => "/go".to_owned(),
        None if installed_here(at) => absolute(at.below_home("go"), "HOME")?,
        None => return Err(unknown("the base image brings Go and may set GOPATH")),
    };
    Ok(format!("{gopath}/pkg/mod"))
}

/// The build cache.
fn build_cache(at: &Surroundings) -> Result<String, Obstacle> {
    if let Some(folder) = setting(at, "GOCACHE") {
        return absolute(folder, "GOCACHE");
    }
    match at.non_empty("XDG_CACHE_HOME") {
        Some(caches) => Ok(format!("{}/go-build", absolute(caches.map(str::to_owned), "XDG_CACHE_HOME")?)),
        None => absolute(at.below_home(".cache/go-build"), "HOME"),
    }
}

/// A setting as Go looks it up: the variable unless it is empty, then the last `go env -w`.
fn setting(at: &Surroundings, name: &str) -> Option<Knowledge<String>> {
    if let Some(value) = at.non_empty(name) {
        return Some(value.map(str::to_owned));
    }
    let mut stored = None;
    for earlier in at.earlier.iter().filter(|earlier| earlier.is("go") && earlier.argument(0) == "env") {
        for argument in &earlier.arguments {
            let word = argument.value.known().map_or(argument.raw.as_str(), String::as_str);
            if let Some(value) = word.trim_start_matches('"').strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                stored = Some(argument.value.clone().map(|_| value.to_owned()));
            } else if word == name && earlier.flag(&["-u"]).is_some() {
                stored = None;
            }
        }
    }
    stored.filter(|value| !is(value, ""))
}

/// Go takes absolute folders only, and leaves `~` as it is.
fn absolute(folder: Knowledge<String>, name: &str) -> Result<String, Obstacle> {
    let folder = folder.into_known().filter(|folder| folder.starts_with('/') && !folder.contains('$'));
    folder.map(|folder| folder.trim_end_matches('/').to_owned()).ok_or_else(|| unknown(&format!("${name}")))
}

fn unknown(because: &str) -> Obstacle {
    Obstacle::UnknownFolder { because: because.to_owned() }
}

/// The subcommand and the words behind it, as written where they are not known. `-C DIR` may stand before it.
fn words(invocation: &Invocation) -> (&str, Vec<&str>) {
    let words = invocation.arguments.iter().map(|argument| argument.value.known().map_or(argument.raw.as_str(), String::as_str));
    let mut words = words.peekable();
    while let Some(option) = words.next_if(|word| word.starts_with('-')) {
        if option.trim_start_matches('-') == "C" {
            words.next();
        }
    }
    let name = words.next().unwrap_or_default();
    // `-mod vendor` is one option.
    let mut rest: Vec<&str> = words.collect();
    if rest.windows(2).any(|pair| matches!(pair, ["-mod" | "--mod", "vendor"])) {
        rest.push("-mod=vendor");
    }
    (name, rest)
}

fn is_mod_option(word: &str) -> bool {
    word.trim_start_matches('-').starts_with("mod=") && word.starts_with('-')
}

fn is_vendor(word: &str) -> bool {
    is_mod_option(word) && word.ends_with("=vendor")
}

fn is(value: &Knowledge<String>, text: &str) -> bool {
    value.known().is_some_and(|value| value == text)
}

/// `go install tool@v1` and `go run tool@v1` build something on its own: the modules of it are not the project's.
fn for_itself(invocation: &Invocation) -> bool {
    let (name, rest) = words(invocation);
    matches!(name, "install" | "run") && rest.iter().any(|word| !word.starts_with('-') && word.contains('@'))
}

/// The official image, by its name, from whatever registry mirrors it.
fn is_official(at: &Surroundings) -> bool {
    at.base.repository().rsplit('/').next() == Some("golang")
}

/// The minor release of Go 1 that an official image's tag names.
fn release(at: &Surroundings) -> Option<u32> {
    let rest = at.base.tag().strip_prefix("1.").filter(|_| is_official(at))?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Whether a step of this file installed Go, so that no image's setting stands behind it.
fn installed_here(at: &Surroundings) -> bool {
    let on_path = at.variable("PATH").is_some_and(|path| path.known().is_some_and(|path| path.contains("/go/bin")));
    let downloads = ["go.dev/dl", "golang.org/dl", "googleapis.com/golang", "go1."];
    on_path || toolchain::installed_here(at, |name| name == "go" || name.starts_with("golang"), &downloads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;
    use crate::ecosystems::{BaseImage, Need};

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: false });
    const BUILDS: &str = "/root/.cache/go-build";
    const MODULES: &str = "/go/pkg/mod";

    fn cache(image: &str, line: &str, variables: &[(&str, &str)], earlier: &[&str]) -> Result<CacheUse, Obstacle> {
        let earlier: Vec<Invocation> = earlier.iter().map(|line| parse(line)).collect();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        let base = BaseImage { reference: Knowledge::Known(image.to_owned()) };
        let home = Knowledge::Known("/root".to_owned());
        let at = Surroundings { variables: variables.collect(), home, base, earlier: &earlier, ..Surroundings::default() };
        Go.cache(&parse(line), &at)
    }

    fn targets(image: &str, line: &str, variables: &[(&str, &str)], earlier: &[&str]) -> Vec<String> {
        let cache = cache(image, line, variables, earlier).unwrap_or_default();
        cache.mounts.into_iter().map(|mount| mount.target).collect()
    }

    fn parse(line: &str) -> Invocation {
        invocation(&line.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn tells_fetching_from_cleaning_and_the_rest() {
        for line in [
            "go mod download -x",
            "go build -o /a .",
            "go -C cmd build",
            "go install a.b/c@latest",
            "go mod verify",
            "xx-go build .",
        ] {
            assert_eq!(Go.recognise(&parse(line)), INSTALL, "{line}");
        }
        for line in ["go version", "go env -w GOPROXY=x", "go mod init a", "go clean", "go clean -cache ./...", "go build -h"] {
            assert_eq!(Go.recognise(&parse(line)), Some(Activity::Other), "{line}");
        }
        assert_eq!(Go.recognise(&parse("go clean -modcache -cache")), Some(Activity::Clean));
        assert_eq!(Go.recognise(&parse("GOPROXY=off go build .")), Some(Activity::Offline));
        assert_eq!(Go.recognise(&parse("GOPROXY=off go build -mod=vendor .")), INSTALL);
    }

    #[test]
    fn modules_and_builds_wherever_settings_put_them() {
        assert_eq!(targets("golang:1.22", "go mod download", &[], &[]), [MODULES]);
        assert_eq!(targets("golang:1.22", "go build .", &[], &[]), [MODULES, BUILDS]);
        assert_eq!(
            targets("golang", "go build .", &[("GOPATH", "/p:/q"), ("XDG_CACHE_HOME", "/x")], &[]),
            ["/p/pkg/mod", "/x/go-build"]
        );
        assert_eq!(targets("golang", "go build .", &[("GOMODCACHE", "/m"), ("GOCACHE", "/c")], &[]), ["/m", "/c"]);
        assert_eq!(targets("golang", "go mod download", &[], &["go env -w GOMODCACHE=/w"]), ["/w"]);
        assert_eq!(targets("debian", "go mod download", &[], &["apt-get install golang-go"]), ["/root/go/pkg/mod"]);
        assert!(cache("cimg/go:1.22", "go mod download", &[], &[]).is_err(), "the image may set GOPATH");
    }

    #[test]
    fn a_vendor_folder_or_gopath_mode_leaves_the_build_cache_only() {
        assert_eq!(targets("golang", "go build -mod=vendor .", &[], &[]), [BUILDS]);
        assert_eq!(targets("golang", "go build .", &[("GOFLAGS", "-mod=vendor -trimpath")], &[]), [BUILDS]);
        assert_eq!(targets("golang", "go build .", &[("GOPROXY", "off"), ("GOFLAGS", "-mod=vendor")], &[]), [BUILDS]);
        assert_eq!(targets("golang:1.10", "go get ./...", &[], &[]), [BUILDS], "sources are no cache");
        assert!(cache("golang:1.8", "go get -d ./...", &[], &[]).is_err());
        assert!(cache("golang", "go build .", &[("GOPROXY", "off")], &[]).is_err());
    }

    #[test]
    fn no_build_cache_where_it_could_change_a_result() {
        assert_eq!(targets("golang", "go test ./...", &[], &[]), [MODULES], "tests would not run");
        assert_eq!(targets("golang", "go test -count=1 ./...", &[], &[]), [MODULES, BUILDS]);
        let headers = ["apk add gcc musl-dev vips-dev"];
        assert_eq!(targets("golang", "go build .", &[], &headers), [MODULES]);
        assert_eq!(targets("golang", "go build .", &[], &["apk add gcc musl-dev"]), [MODULES, BUILDS]);
        assert_eq!(targets("golang", "go build .", &[("CGO_ENABLED", "0")], &headers), [MODULES, BUILDS]);
        let apart = |variables: &[(&str, &str)]| {
            cache("golang", "go build .", variables, &[]).is_ok_and(|cache| cache.mounts.iter().any(|mount| mount.by_base_image))
        };
        assert!(apart(&[]) && !apart(&[("CGO_ENABLED", "0")]));
    }

    #[test]
    fn only_the_projects_modules_are_needed_later() {
        let need =
            |line: &str| cache("golang", line, &[], &[]).map(|cache| cache.mounts.iter().any(|m| m.need == Need::ByLaterSteps));
        assert_eq!(need("go mod download"), Ok(true));
        assert_eq!(need("go install github.com/air-verse/air@latest"), Ok(false));
    }
}
