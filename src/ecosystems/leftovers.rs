//! What tools leave in a project's folder that no build needs from there.
//!
//! Owns: the ignore patterns by language, and what tells that a build reads version control data. Never does: look whether something
//! of it is tracked or copied after all; the caller does.

/// A language's leftovers.
struct Leftovers {
    /// One of these at the root of the project tells that the language is used; `*` stands for the rest of a name.
    manifests: &'static [&'static str],
    /// What every project of the language has sooner or later.
    usual: &'static [&'static str],
    /// What some have.
    some: &'static [&'static str],
}

const BY_LANGUAGE: &[Leftovers] = &[
    Leftovers {
        manifests: &["package.json"],
        usual: &["**/node_modules"],
        some: &["**/npm-debug.log*", "**/yarn-error.log*", ".next", ".nuxt", ".parcel-cache", ".turbo", "coverage", "dist"],
    },
    Leftovers {
        manifests: &["pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile"],
        usual: &["**/__pycache__", ".venv"],
        some: &["**/*.pyc", "venv", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".coverage", "*.egg-info"],
    },
    Leftovers { manifests: &["Cargo.toml"], usual: &["target"], some: &[] },
    Leftovers { manifests: &["pom.xml"], usual: &["**/target"], some: &[] },
    Leftovers {
        manifests: &["build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"],
        usual: &[".gradle"],
        some: &["**/build"],
    },
    Leftovers { manifests: &["build.sbt"], usual: &["**/target"], some: &[".bsp", ".metals"] },
    Leftovers { manifests: &["Gemfile"], usual: &[".bundle"], some: &["vendor/bundle", "log/*.log", "tmp"] },
    Leftovers { manifests: &["composer.json"], usual: &["vendor"], some: &[".phpunit.result.cache"] },
    Leftovers { manifests: &["mix.exs"], usual: &["_build", "deps"], some: &[".elixir_ls"] },
    Leftovers { manifests: &["*.csproj", "*.fsproj", "*.sln", "global.json"], usual: &["**/bin", "**/obj"], some: &[".vs"] },
];

/// Manifests that tell a language in a folder of the project, too; others are names of many things.
const IN_FOLDERS: &[&str] =
    &["package.json", "pyproject.toml", "requirements.txt", "Pipfile", "Cargo.toml", "pom.xml", "Gemfile"];

/// Whether a folder is one in which a part of the project lies: no deep one, and none of tests or of somebody else's code.
fn is_own(folder: &str) -> bool {
    #[rustfmt::skip]
    const OTHERS: &[&str] = &[
        "bower_components", "docs", "example", "examples", "fixtures", "node_modules", "spec", "test", "testdata", "tests", "third_party",
        "vendor",
    ];
    folder.matches('/').count() < 2 && !folder.split('/').any(|part| OTHERS.contains(&part) || part.starts_with('.'))
}

/// Left by version control, whatever the language.
const ALWAYS: &[&str] = &[".git"];

/// Left by editors and systems, where they are.
const SOMETIMES: &[&str] = &[".hg", ".svn", ".idea", ".vscode", "**/.DS_Store", "**/*.swp", "**/*.log"];

/// The patterns for a project with these files (paths from its root): those of what is usual, and those of what may be there. A
/// language counts in each folder that has one of its manifests and none above it; what one pattern names, no other does again.
pub fn of_project(files: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut usual, mut some) = (owned(ALWAYS), owned(SOMETIMES));
    for language in BY_LANGUAGE {
        for folder in language.folders(files) {
            let placed = |pattern: &&str| match (folder, pattern.starts_with("**/")) {
                ("", _) | (_, true) => (*pattern).to_owned(),
                (folder, false) => format!("{folder}/{pattern}"),
            };
            usual.extend(language.usual.iter().map(placed));
            some.extend(language.some.iter().map(placed));
        }
    }
    let all: Vec<String> = usual.iter().chain(&some).cloned().collect();
    let mut seen: Vec<String> = Vec::new();
    let mut keep = |pattern: &String| {
        let covered = all.iter().any(|other| other != pattern && covers(other, pattern)) || seen.contains(pattern);
        seen.push(pattern.clone());
        !covered
    };
    usual.retain(&mut keep);
    some.retain(&mut keep);
    (usual, some)
}

fn owned(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
}

/// Whether one pattern names all that another does: `**/target` and `target`.
fn covers(wide: &str, narrow: &str) -> bool {
    wide.strip_prefix("**/").is_some_and(|name| narrow == name || narrow.ends_with(&format!("/{name}")))
}

impl Leftovers {
    /// The topmost folders with one of its manifests.
    fn folders<'f>(&self, files: &'f [String]) -> Vec<&'f str> {
        let is_one = |name: &str, manifest: &&str| match manifest.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => name == *manifest,
        };
        let split = |file: &'f String| file.rsplit_once('/').unwrap_or(("", file.as_str()));
        let mut folders: Vec<&str> = files
            .iter()
            .map(split)
            .filter(|(folder, name)| folder.is_empty() || IN_FOLDERS.contains(name) && is_own(folder))
            .filter(|(_, name)| self.manifests.iter().any(|manifest| is_one(name, manifest)))
            .map(|(folder, _)| folder)
            .collect();
        folders.sort_unstable();
        folders.dedup();
        let inside = |outer: &str, inner: &str| outer != inner && (outer.is_empty() || inner.starts_with(&format!("{outer}/")));
        let all = folders.clone();
        folders.retain(|folder| !all.iter().any(|other| inside(other, folder)));
        folders
    }
}

/// Words in a manifest, script or RUN that tell that the build reads version control data: for its version, mostly.
const READS_HISTORY: &[&str] = &[
    "git describe",
    "git rev-parse",
    "git log",
    "git show",
    "git rev-list",
    "git status",
    "git submodule",
    "git ls-files",
    "git diff",
    "git branch",
    "git tag",
    "setuptools_scm",
    "setuptools-scm",
    "hatch-vcs",
    "versioneer",
    "pbr",
    "dunamai",
    "poetry-dynamic-versioning",
    "uv-dynamic-versioning",
    "versioningit",
    "vergen",
    "shadow-rs",
    "built =",
    "git-version",
    "git-testament",
    "git-commit-id",
    "jgitver",
    "gradle-git",
    "com.palantir.git-version",
    "nyx",
    "axion-release",
    "GitVersion",
    "Nerdbank.GitVersioning",
    "MinVer",
    "git-revision",
    "semantic-release",
    "lerna",
    "sbt-git",
    "sbt-dynver",
    "goreleaser",
];

/// What in a text tells that the build reads version control data.
pub fn reads_history(text: &str) -> Option<&'static str> {
    READS_HISTORY.iter().find(|word| text.contains(*word)).copied()
}

/// Whether a script holds a build that stamps its result with the commit by itself: `go build` since Go 1.18, unless told not to.
pub fn stamps_builds(script: &str) -> bool {
    let words: Vec<&str> = script.split_whitespace().collect();
    let builds = words.windows(2).any(|pair| matches!(pair, ["go", "build" | "install"]));
    builds && !script.contains("-buildvcs=false")
}

#[cfg(test)]
mod tests {
    use super::of_project;

    fn usual(files: &[&str]) -> Vec<String> {
        of_project(&files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>()).0
    }

    #[test]
    fn each_pattern_is_said_once() {
        assert_eq!(usual(&["Cargo.toml", "pom.xml"]), [".git", "**/target"]);
        assert_eq!(usual(&["Cargo.toml", "sub/Cargo.toml"]), [".git", "target"]);
    }

    #[test]
    fn a_manifest_in_a_folder_counts_for_that() {
        assert_eq!(
            usual(&["web/package.json", "api/requirements.txt"]),
            [".git", "**/node_modules", "**/__pycache__", "api/.venv"]
        );
    }
}
