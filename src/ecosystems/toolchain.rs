//! Whether a step of this file installed a toolchain, or the base image brought it.
//!
//! Owns: that question, for managers whose folder an image may move by a variable that the file doesn't show (`GOPATH`,
//! `CARGO_HOME`): a toolchain installed here keeps its defaults, one that came with the image may not.
//! Never does: know a toolchain; the manager names packages and download addresses.

use crate::ecosystems::{Invocation, Surroundings};

/// Whether an earlier command named one of the packages to a system's package manager, or a word with one of `downloads` in it.
pub(crate) fn installed_here(at: &Surroundings, is_package: impl Fn(&str) -> bool, downloads: &[&str]) -> bool {
    at.earlier.iter().any(|earlier| {
        let packaged = is_system_manager(earlier);
        let named = |word: &str| packaged && is_package(package_name(word)) || downloads.iter().any(|part| word.contains(part));
        earlier.known_arguments().any(|(_, word)| named(word))
    })
}

/// Whether the command installs headers of C libraries, by the name of their package or by a build of its own. Those of the C
/// library itself come with the compiler and don't count; packages that can't be seen do.
pub(crate) fn installs_c_headers(earlier: &Invocation) -> bool {
    let builds = matches!(earlier.program.as_str(), "make" | "ninja" | "cmake" | "meson");
    let headers = |word: &str| {
        let name = package_name(word);
        let of_the_compiler = matches!(name, "musl-dev" | "libc-dev" | "libc6-dev" | "glibc-devel");
        (name.ends_with("-dev") || name.ends_with("-devel")) && !of_the_compiler
    };
    builds && earlier.flag(&["install", "--install"]).is_some()
        || is_system_manager(earlier)
            && (earlier.has_unknown_argument() || earlier.known_arguments().any(|(_, word)| headers(word)))
}

/// A package's name without the version that may be asked for: `go=1.22`, `vips-dev~8`, `libpq-dev:amd64`.
fn package_name(word: &str) -> &str {
    word.split(['=', '~', '<', '>', ':']).next().unwrap_or_default()
}

fn is_system_manager(invocation: &Invocation) -> bool {
    let managers = ["apt-get", "apt", "apk", "dnf", "microdnf", "tdnf", "yum", "zypper", "pacman"];
    managers.contains(&invocation.program.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::invocation;

    #[test]
    fn a_toolchain_from_a_package_or_a_download() {
        let installed = |words: &[&str]| {
            let earlier = [invocation(words)];
            let at = Surroundings { earlier: &earlier, ..Surroundings::default() };
            installed_here(&at, |name| name == "go", &["go.dev/dl"])
        };
        assert!(installed(&["apk", "add", "go=1.22"]) && installed(&["curl", "-LO", "https://go.dev/dl/go1.22.tar.gz"]));
        assert!(!installed(&["apk", "add", "gcc"]) && !installed(&["echo", "go"]));
    }

    #[test]
    fn headers_of_libraries_but_not_of_the_c_library() {
        let headers = |words: &[&str]| installs_c_headers(&invocation(words));
        assert!(headers(&["apk", "add", "vips-dev~8"]) && headers(&["make", "install"]) && headers(&["apk", "add", "$PACKAGES"]));
        assert!(!headers(&["apk", "add", "gcc", "musl-dev"]) && !headers(&["make", "build"]));
    }
}
