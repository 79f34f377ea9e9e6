//! Variables whose value is another with every build.
//!
//! Owns: the names, and those that set up tools. Never does: look at a value.

use crate::syntax::{Instruction, Keyword};

/// Words that such a name consists of: a commit, a date or number of the build, a version of the project.
const COMMIT: &[&str] =
    &["COMMIT", "SHA", "SHA1", "REV", "REVISION", "VCS", "GITSHA", "GITHASH", "GITREV", "GITREF", "GITCOMMIT", "HASH"];
const BUILD: &[&str] =
    &["DATE", "TIME", "TIMESTAMP", "NUMBER", "NUM", "ID", "STAMP", "TAG", "URL", "VERSION", "REV", "REF", "SHA", "COMMIT"];

/// Whether a variable of this name is known to carry the commit, date, number or version of the very build: `GIT_SHA`, `VCS_REF`,
/// `BUILD_DATE`, `CI_COMMIT_SHA`, `APP_VERSION`. A version of something that is fetched (`NODE_VERSION`, `PIP_VERSION`) is none.
pub fn is_volatile(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split('_').filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["BUILDDATE" | "BUILDTIME" | "BUILDNUMBER" | "BUILDID" | "TIMESTAMP"] => true,
        // They are there to make what is below run again.
        ["CACHEBUST" | "CACHEBUSTER"] | ["CACHE", ..] => false,
        [one] => COMMIT.contains(one) || *one == "VERSION",
        ["GIT", rest @ ..] => rest.iter().all(|word| {
            BUILD.contains(word) || COMMIT.contains(word) || matches!(*word, "BRANCH" | "SHORT" | "FULL" | "DESCRIBE" | "DIRTY")
        }),
        ["BUILD", rest @ ..] => rest.iter().all(|word| BUILD.contains(word)),
        ["CI", ..] | ["GITHUB", "SHA" | "REF" | "RUN", ..] => true,
        ["VCS", "REF" | "URL" | "REVISION"] => true,
        [
            "APP" | "RELEASE" | "PROJECT" | "IMAGE" | "SERVICE" | "PACKAGE",
            "VERSION" | "REVISION" | "COMMIT" | "SHA" | "BUILD",
        ] => true,
        ["SOURCE", "COMMIT" | "REVISION" | "BRANCH" | "VERSION"] => true,
        ["RELEASE", "DATE" | "TAG" | "ID"] => true,
        // Sentry's and Datadog's name for the version of the project.
        ["SENTRY", "RELEASE"] | ["DD", "VERSION"] => true,
        ["COMMIT" | "REVISION" | "SHA", ..] => true,
        [.., "COMMIT" | "REVISION", "HASH" | "SHA" | "ID" | "REF"] | [.., "COMMIT"] => true,
        _ => false,
    }
}

/// The variables of which an ENV or LABEL makes the commit, date or version of the build: `ENV COMMIT=$X`.
pub fn handed_to_volatile(instruction: &Instruction) -> Vec<String> {
    let tells = |name: &str| match instruction.keyword {
        Keyword::Env => is_volatile(name),
        Keyword::Label => matches!(name, "org.opencontainers.image.revision" | "org.opencontainers.image.created"),
        _ => false,
    };
    let pairs = instruction.arguments.values.chunks(2);
    let whole = |pair: &[String]| match pair {
        [name, value] if tells(name) => {
            let variable = value.strip_prefix('$')?;
            let variable = variable.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(variable);
            variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then(|| variable.to_owned())
        }
        _ => None,
    };
    pairs.filter_map(whole).collect()
}

/// Beginnings of names that package managers, compilers, interpreters and the system itself read.
#[rustfmt::skip]
const OF_TOOLS: &[&str] = &[
    "ANDROID_", "APT_", "BASH", "BUNDLE", "BUN_", "CARGO", "CC", "CFLAGS", "CGO_", "COMPOSER", "CONDA", "COREPACK_", "CPATH", "CPPFLAGS",
    "CURL_", "CXX", "CYPRESS_", "DEB", "DISPLAY", "DOTNET_", "ELECTRON_", "ENV", "FORCE_", "FTP_PROXY", "GEM_", "GIT_", "GO", "GRADLE_",
    "HEX_", "HOME", "HTTP", "JAVA", "JDK_", "LANG", "LC_", "LD_", "LDFLAGS", "LIBRARY_PATH", "MAKEFLAGS", "MAVEN_", "MIX_", "NETRC",
    "NO_PROXY", "NODE", "NPM_", "NUGET_", "NVM_", "OPENSSL_", "PATH", "PDM_", "PERL", "PHP", "PIP", "PKG_CONFIG", "PLAYWRIGHT_", "PNPM_",
    "POETRY_", "PRISMA_", "PUPPETEER_", "PYTHON", "RAILS_", "RUBY", "RUST", "SENTRYCLI_", "SETUPTOOLS_", "SHELL", "SSH_", "SSL_", "TERM",
    "TMP", "TZ", "USER", "UV_", "VIRTUAL_ENV", "XDG_", "YARN_",
];

/// Whether a variable may set up a tool, so that an install may hang on it whatever it carries.
pub fn may_set_up_tools(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    OF_TOOLS.iter().any(|start| upper.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::is_volatile;

    #[test]
    fn names_are_told_apart() {
        for name in [
            "GIT_SHA",
            "GIT_COMMIT",
            "VCS_REF",
            "BUILD_DATE",
            "BUILD_NUMBER",
            "CI_COMMIT_SHA",
            "APP_VERSION",
            "VERSION",
            "git_commit",
            "COMMIT_HASH",
        ] {
            assert!(is_volatile(name), "{name}");
        }
        for name in [
            "NODE_VERSION",
            "PIP_VERSION",
            "BUILD_TYPE",
            "BUILD_ENV",
            "NODE_ENV",
            "PATH",
            "DEBIAN_FRONTEND",
            "GIT_SSL_NO_VERIFY",
            "UID",
            "BUILD",
        ] {
            assert!(!is_volatile(name), "{name}");
        }
    }
}
