//! What tools leave in a project's folder that no build needs from there.
//!
//! Owns: the ignore patterns by language, and what tells that a build reads version control data. Never does: look whether something
//! of it is tracked or copied after all; the caller does.

/// A language's leftovers.
struct Leftovers {
    /// One of these at the root of the project tells that the language is used.
    manifests: &'static [&'static str],
    /// Patterns for an ignore file.
    patterns: &'static [&'static str],
}

const BY_LANGUAGE: &[Leftovers] = &[
    Leftovers {
        manifests: &["package.json"],
        patterns: &[
            "**/node_modules",
            "**/npm-debug.log*",
            "**/yarn-error.log*",
            ".next",
            ".nuxt",
            ".parcel-cache",
            ".turbo",
            "coverage",
            "dist",
        ],
    },
    Leftovers {
        manifests: &["pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile"],
        patterns: &[
            "**/__pycache__",
            "**/*.pyc",
            ".venv",
            "venv",
            ".pytest_cache",
            ".mypy_cache",
            ".ruff_cache",
            ".tox",
            ".coverage",
            "*.egg-info",
        ],
    },
    Leftovers { manifests: &["Cargo.toml"], patterns: &["target"] },
    Leftovers { manifests: &["pom.xml"], patterns: &["**/target"] },
    Leftovers {
        manifests: &["build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"],
        patterns: &[".gradle", "**/build"],
    },
    Leftovers { manifests: &["build.sbt"], patterns: &["**/target", ".bsp", ".metals"] },
    Leftovers { manifests: &["Gemfile"], patterns: &[".bundle", "vendor/bundle", "log/*.log", "tmp"] },
    Leftovers { manifests: &["composer.json"], patterns: &["vendor", ".phpunit.result.cache"] },
    Leftovers { manifests: &["mix.exs"], patterns: &["_build", "deps", ".elixir_ls"] },
    Leftovers {
        manifests: &["global.json", "Directory.Build.props", "Directory.Packages.props"],
        patterns: &["**/bin", "**/obj"],
    },
];

/// Left by editors, systems and version control, whatever the language.
const ALWAYS: &[&str] = &[".git", ".hg", ".svn", ".idea", ".vscode", "**/.DS_Store", "**/*.swp", "**/*.log"];

/// The patterns for a project with these names at its root.
pub fn of_project(names: &[String]) -> Vec<&'static str> {
    let used = |manifests: &[&str]| names.iter().any(|name| manifests.contains(&name.as_str()));
    let languages = BY_LANGUAGE.iter().filter(|language| used(language.manifests));
    let dotnet = names.iter().any(|name| [".csproj", ".fsproj", ".sln"].iter().any(|end| name.ends_with(end)));
    let more: &[&str] = if dotnet { &["**/bin", "**/obj"] } else { &[] };
    let mut patterns: Vec<&'static str> = ALWAYS.to_vec();
    for pattern in languages.flat_map(|language| language.patterns).chain(more) {
        if !patterns.contains(pattern) {
            patterns.push(pattern);
        }
    }
    patterns
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
    (script.contains("go build") || script.contains("go install")) && !script.contains("-buildvcs=false")
}
