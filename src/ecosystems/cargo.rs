//! Cargo, Rust's package manager.
//!
//! Knows: `registry` (index, archives, unpacked sources) and `git` below Cargo's home. Never mounts the home itself (`bin` with
//! what was installed, `config.toml`, `credentials.toml`), nor a `target` folder: build output is wanted later.
//! Later builds read both folders. One build at a time: the lock that guards them (`.package-cache`) lies in the home, outside
//! the mounts. All of it is source, the same for every platform and base.
//!
//! The home is `CARGO_HOME`, else what the base image says, else `~/.cargo`. The images that the Rust project makes, and
//! cargo-chef's, set `/usr/local/cargo`. In another image the default holds only if Rust was installed by a step of this file
//! (rustup, a distribution's package); otherwise the image brought Rust, may set `CARGO_HOME`, and is refused.
//!
//! `cargo install NAME` needs nothing of what it fetched afterwards. An alias (`cargo xtask`) or an unknown plugin is no
//! install: what it fetches stays in the layer as before. Not seen: `.cargo/config.toml` (`net.offline`, vendored sources).
//!
//! Sources: the Cargo book (home, environment variables, command list), the Dockerfiles of the `rust` image.

mod crates;
mod manifests;
mod stubs;

use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Surroundings};
use crate::ecosystems::{Dependencies, Entangled, Project, offline, toolchain};
use crate::knowledge::Knowledge;

/// Cargo.
pub struct Cargo;

/// Options whose value is the next word.
#[rustfmt::skip] // A paragraph, not a column.
const WITH_VALUE: &[&str] = &[
    "--color", "--config", "-Z", "-C", "--explain", "--target", "-p", "--package", "--exclude", "--bin", "--example",
    "--test", "--bench", "-F", "--features", "--profile", "--manifest-path", "--target-dir", "-j", "--jobs",
    "--message-format", "--root", "--version", "--vers", "--git", "--branch", "--tag", "--rev", "--path", "--registry",
    "--index", "--recipe-path", "--out-dir", "--artifact-dir", "--toolchain", "--lockfile-path", "--precise",
];

/// Subcommands that fetch: Cargo's own with their aliases, and plugins that run them.
#[rustfmt::skip] // A paragraph, not a column.
const FETCHING: &[&str] = &[
    "build", "b", "check", "c", "test", "t", "run", "r", "bench", "doc", "d", "rustc", "rustdoc", "fix", "clippy", "fetch",
    "install", "update", "generate-lockfile", "metadata", "tree", "vendor", "package", "publish", "add", "remove", "rm",
    "info", "nextest", "llvm-cov", "tarpaulin", "leptos", "component", "auditable", "zigbuild", "xwin", "ndk", "lambda",
    "hack", "make", "watch", "audit", "deny", "outdated", "udeps", "about", "deb", "generate-rpm", "sqlx", "pgrx",
    "contract", "expand", "bloat", "tauri", "cyclonedx", "license", "crate", "bootimage", "miri", "build-sbf",
    "build-bpf", "near", "espflash",
];

/// Programs that run Cargo, or read what it fetched.
#[rustfmt::skip] // A paragraph, not a column.
const READERS: &[&str] = &[
    "make", "just", "task", "makers", "trunk", "wasm-pack", "maturin", "cross", "dx", "bacon", "cargo-watch", "cargo-leptos",
    "cargo-make", "rust-analyzer", "rustdoc",
];

impl Ecosystem for Cargo {
    fn id(&self) -> &'static str {
        "cargo"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["cargo", "xx-cargo", "rustup", "rustc"]
    }

    fn written_by(&self) -> &'static [&'static str] {
        &["--root", "CARGO_INSTALL_ROOT"]
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &[".cargo/config", ".cargo/config.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        // `xx-cargo` sets the target platform and runs Cargo.
        if !self.programs().contains(&invocation.program.as_str()) {
            return None;
        }
        if invocation.program.starts_with("rust") {
            return Some(Activity::Other);
        }
        let words = own_words(invocation);
        let (name, rest) = subcommand(&words);
        let fetches = FETCHING.contains(&name) || name == "chef" && rest.contains(&"cook");
        let offline = invocation.variables.iter().any(|(name, value)| name == "CARGO_NET_OFFLINE" && is_true(value));
        if name == "cache" && rest.iter().any(|word| matches!(*word, "-a" | "--autoclean" | "-e" | "--autoclean-expensive")) {
            Some(Activity::Clean)
        } else if !fetches || words.iter().any(|word| matches!(*word, "-h" | "--help" | "--list" | "-V")) {
            Some(Activity::Other)
        } else if offline || words.iter().any(|word| matches!(*word, "--offline" | "--frozen")) {
            Some(Activity::Offline)
        } else {
            Some(Activity::Install { needs_index: false })
        }
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        offline::refuse_if_hidden(self, invocation, at, WITH_VALUE)?;
        match at.variable("CARGO_NET_OFFLINE") {
            Some(value) if is_true(value) || *value == Knowledge::Unknown => {
                let because = "CARGO_NET_OFFLINE may make Cargo work from what an earlier step fetched".to_owned();
                return Err(Obstacle::Unsafe { because });
            }
            _ => {}
        }
        let home = home(at)?;
        let words = own_words(invocation);
        let (name, rest) = subcommand(&words);
        let for_itself = name == "install" && !rest.iter().any(|word| *word == "--path" || word.starts_with("--path="));
        let folder = |name: &str| {
            let folder = CacheFolder::downloads(format!("{home}/{name}")).locked();
            if for_itself { folder } else { folder.needed_later() }
        };
        Ok(CacheUse { mounts: vec![folder("registry"), folder("git")], ..CacheUse::default() })
    }

    fn runs_build_scripts(&self) -> bool {
        true
    }

    fn only_fetches(&self, invocation: &Invocation) -> bool {
        invocation.known_arguments().any(|(_, word)| word == "fetch")
    }

    fn removes_output(&self, invocation: &Invocation) -> bool {
        invocation.program == "cargo" && subcommand(&own_words(invocation)).0 == "clean"
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

/// Cargo's home folder.
fn home(at: &Surroundings) -> Result<String, Obstacle> {
    let unknown = |because: &str| Obstacle::UnknownFolder { because: because.to_owned() };
    let folder = match at.non_empty("CARGO_HOME") {
        Some(Knowledge::Known(folder)) if !folder.contains(['~', '$']) => at.absolute(folder),
        Some(_) => return Err(unknown("$CARGO_HOME")),
        None if sets_home(at) => Knowledge::Known("/usr/local/cargo".to_owned()),
        None if installed_here(at) => at.below_home(".cargo"),
        None => return Err(unknown("the base image brings Rust and may set CARGO_HOME")),
    };
    folder.into_known().ok_or_else(|| unknown("$HOME"))
}

/// Images known for `CARGO_HOME=/usr/local/cargo`: `rust`, from whatever registry mirrors it, and images on top of it.
fn sets_home(at: &Surroundings) -> bool {
    matches!(at.base.repository().rsplit('/').next(), Some("rust" | "cargo-chef"))
}

/// Whether a step of this file installed Rust, so that no image's setting stands behind it.
fn installed_here(at: &Surroundings) -> bool {
    let is_package = |name: &str| matches!(name.split('-').next(), Some("cargo" | "rust" | "rustc" | "rustup"));
    toolchain::installed_here(at, is_package, &["sh.rustup.rs", "static.rust-lang.org", "rustup-init"])
        || at.earlier.iter().any(|earlier| earlier.program == "rustup-init")
}

/// The words meant for Cargo, not for the program that it runs (behind `--`); as written where their value is not known.
fn own_words(invocation: &Invocation) -> Vec<&str> {
    let words = invocation.arguments.iter().map(|argument| argument.value.known().map_or(argument.raw.as_str(), String::as_str));
    words.take_while(|word| *word != "--").collect()
}

/// The subcommand and what follows it. A toolchain (`+nightly`, `+$TOOLCHAIN`) and global options stand before it.
fn subcommand<'a, 'b>(words: &'b [&'a str]) -> (&'a str, &'b [&'a str]) {
    let mut rest = words;
    while let [word, tail @ ..] = rest {
        rest = match tail {
            [_, after @ ..] if WITH_VALUE.contains(word) => after,
            _ if word.trim_start_matches('"').starts_with(['-', '+']) => tail,
            _ => return (word, tail),
        };
    }
    ("", rest)
}

fn is_true(value: &Knowledge<String>) -> bool {
    value.known().is_some_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;
    use crate::ecosystems::{BaseImage, Need};

    const INSTALL: Option<Activity> = Some(Activity::Install { needs_index: false });

    fn at<'a>(image: &str, variables: &[(&str, &str)], earlier: &'a [Invocation]) -> Surroundings<'a> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Knowledge::Known((*value).to_owned())));
        let base = BaseImage { reference: Knowledge::Known(image.to_owned()) };
        let home = Knowledge::Known("/root".to_owned());
        Surroundings { variables: variables.collect(), home, base, earlier, ..Surroundings::default() }
    }

    fn targets(words: &[&str], at: &Surroundings) -> Result<Vec<String>, Obstacle> {
        Ok(Cargo.cache(&invocation(words), at)?.mounts.into_iter().map(|mount| mount.target).collect())
    }

    #[test]
    fn tells_fetching_from_offline_and_the_rest() {
        let activity = |words: &[&str]| Cargo.recognise(&invocation(words));
        assert_eq!(activity(&["cargo", "+$TOOLCHAIN", "--color", "always", "build", "--release"]), INSTALL);
        assert_eq!(activity(&["cargo", "chef", "cook", "--recipe-path", "recipe.json"]), INSTALL);
        assert_eq!(activity(&["cargo", "chef", "prepare"]), Some(Activity::Other));
        assert_eq!(activity(&["cargo", "build", "--frozen"]), Some(Activity::Offline));
        assert_eq!(activity(&["CARGO_NET_OFFLINE=true", "cargo", "build"]), Some(Activity::Offline));
        assert_eq!(activity(&["cargo", "run", "--", "--offline", "--help"]), INSTALL, "those are the program's");
        assert_eq!(activity(&["cargo", "install", "sqlx-cli", "--version", "0.7"]), INSTALL);
        assert_eq!(activity(&["cargo", "--version"]), Some(Activity::Other));
        assert_eq!(activity(&["cargo", "cache", "-a"]), Some(Activity::Clean));
        assert_eq!(activity(&["rustup", "update"]), Some(Activity::Other));
    }

    #[test]
    fn registry_and_git_below_the_home_that_is_proven() {
        let below = |home: &str| Ok(vec![format!("{home}/registry"), format!("{home}/git")]);
        let build = ["cargo", "build"];
        assert_eq!(targets(&build, &at("rust:1.80-alpine", &[], &[])), below("/usr/local/cargo"));
        assert_eq!(targets(&build, &at("ghcr.io/mirror/rust", &[("CARGO_HOME", "/c/")], &[])), below("/c"));
        let rustup = [invocation(&["curl", "-sSf", "https://sh.rustup.rs"]), invocation(&["sh", "-s", "--", "-y"])];
        assert_eq!(targets(&build, &at("debian:12", &[], &rustup)), below("/root/.cargo"));
        let packaged = [invocation(&["apk", "add", "--no-cache", "cargo", "rust"])];
        assert_eq!(targets(&build, &at("alpine", &[], &packaged)), below("/root/.cargo"));
        assert!(targets(&build, &at("clux/muslrust:stable", &[], &[])).is_err(), "the image may set CARGO_HOME");
    }

    #[test]
    fn later_builds_need_what_builds_fetch_but_not_what_install_fetched() {
        let need = |words: &[&str]| {
            let folders = Cargo.cache(&invocation(words), &at("rust", &[], &[])).map(|cache| cache.mounts);
            folders.map(|folders| folders.iter().all(|folder| folder.need == Need::ByLaterSteps))
        };
        assert_eq!(need(&["cargo", "fetch"]), Ok(true));
        assert_eq!(need(&["cargo", "install", "cargo-chef"]), Ok(false));
        assert_eq!(need(&["cargo", "install", "--path", "."]), Ok(true));
    }

    #[test]
    fn what_may_be_offline_is_refused() {
        let fetched = [invocation(&["cargo", "fetch"])];
        assert!(targets(&["cargo", "build", "$FLAGS"], &at("rust", &[], &fetched)).is_err());
        assert!(targets(&["cargo", "build", "--target", "$T"], &at("rust", &[], &fetched)).is_ok());
        assert!(targets(&["cargo", "build"], &at("rust", &[("CARGO_NET_OFFLINE", "true")], &fetched)).is_err());
    }
}
