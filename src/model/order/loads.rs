//! Files that programs load unasked, because a variable, the shell or `python -m` says so.
//!
//! Owns: the variables that name such files and folders, and whether a copy brings one. Never does: know what a variable means to one
//! package manager alone; its ecosystem does.

use crate::context::{Kind, View};
use crate::ecosystems::{Invocation, Surroundings, Wrapper};
use crate::knowledge::Knowledge;
use crate::model::brought::ContextCopy;
use crate::model::footprint::{Area, is_system};

/// A place from which a program loads something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Who says so: `NODE_OPTIONS`, `SHELL`, `python -m`.
    by: String,
    /// Absolute path in the image.
    path: String,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// This file (or folder).
    This,
    /// Libraries in this folder.
    Libraries,
    /// Python's modules in this folder.
    Modules,
}

/// Variables each word of which may name a file that shells, linkers, interpreters, compilers and git load or run: bash's, node's,
/// Ruby's, Perl's, the JVM's, cargo's, git's, curl's and OpenSSL's manuals.
#[rustfmt::skip]
const NAMING_FILES: &[&str] = &[
    "APT_CONFIG", "AR", "BASH_ENV", "CARGO_BUILD_RUSTC", "CARGO_BUILD_RUSTC_WRAPPER", "CC", "CURL_HOME", "CXX", "ENV", "GIT_ASKPASS",
    "GIT_CONFIG", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_EXEC_PATH", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_TEMPLATE_DIR",
    "GRADLE_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "LD", "LD_AUDIT", "LD_PRELOAD", "MAKEFILES", "MAVEN_ARGS",
    "MAVEN_OPTS", "NODE_OPTIONS", "OPENSSL_CONF", "PERL5LIB", "PERL5OPT", "PHPRC", "PHP_INI_SCAN_DIR", "PKG_CONFIG_PATH",
    "RUBYLIB", "RUBYOPT", "RUSTC", "RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER", "RUSTDOC", "SSH_ASKPASS", "WGETRC", "_JAVA_OPTIONS",
];

/// Variables whose folders are searched for libraries.
const NAMING_LIBRARIES: &[&str] = &["LD_LIBRARY_PATH", "LIBRARY_PATH"];

/// Variables whose folders are searched for Python modules, before Python's own.
const NAMING_MODULES: &[&str] = &["PYTHONPATH"];

/// Modules of Python's own library and of its installers: a file of the project that is called so is taken in their place.
#[rustfmt::skip]
const MODULES: &[&str] = &[
    "_distutils_hack", "abc", "aifc", "argparse", "array", "ast", "asynchat", "asyncio", "asyncore", "atexit", "audioop",
    "base64", "bdb", "binascii", "bisect", "builtins", "bz2", "cProfile", "calendar", "cgi", "cgitb", "chunk", "cmath", "cmd",
    "code", "codecs", "codeop", "collections", "colorsys", "compileall", "concurrent", "configparser", "contextlib",
    "contextvars", "copy", "copyreg", "crypt", "csv", "ctypes", "curses", "dataclasses", "datetime", "dbm", "decimal",
    "difflib", "dis", "distutils", "doctest", "email", "encodings", "ensurepip", "enum", "errno", "faulthandler", "fcntl",
    "filecmp", "fileinput", "fnmatch", "fractions", "ftplib", "functools", "gc", "genericpath", "getopt", "getpass", "gettext",
    "glob", "graphlib", "grp", "gzip", "hashlib", "heapq", "hmac", "html", "http", "imaplib", "imghdr", "imp", "importlib",
    "inspect", "io", "ipaddress", "itertools", "json", "keyword", "linecache", "locale", "logging", "lzma", "mailbox",
    "mailcap", "marshal", "math", "mimetypes", "mmap", "modulefinder", "msilib", "msvcrt", "multiprocessing", "netrc", "nis",
    "nntplib", "nt", "ntpath", "nturl2path", "numbers", "opcode", "operator", "optparse", "os", "ossaudiodev", "pathlib", "pdb",
    "pickle", "pickletools", "pip", "pipes", "pkg_resources", "pkgutil", "platform", "plistlib", "poplib", "posix", "posixpath",
    "pprint", "profile", "pstats", "pty", "pwd", "py_compile", "pyclbr", "pydoc", "pydoc_data", "pyexpat", "queue", "quopri",
    "random", "re", "readline", "reprlib", "resource", "rlcompleter", "runpy", "sched", "secrets", "select", "selectors",
    "setuptools", "shelve", "shlex", "shutil", "signal", "site", "sitecustomize", "smtpd", "smtplib", "sndhdr", "socket",
    "socketserver", "spwd", "sqlite3", "sre_compile", "sre_constants", "sre_parse", "ssl", "stat", "statistics", "string",
    "stringprep", "struct", "subprocess", "sunau", "symtable", "sys", "sysconfig", "syslog", "tabnanny", "tarfile", "telnetlib",
    "tempfile", "termios", "textwrap", "threading", "time", "timeit", "token", "tokenize", "tomllib", "trace", "traceback",
    "tracemalloc", "tty", "types", "typing", "unicodedata", "unittest", "urllib", "usercustomize", "uu", "uuid", "venv",
    "warnings", "wave", "weakref", "webbrowser", "wheel", "winreg", "winsound", "wsgiref", "xdrlib", "xml", "xmlrpc", "zipapp",
    "zipfile", "zipimport", "zlib", "zoneinfo",
];

/// What a command loads unasked. `shell` are the words of the SHELL instruction that is in force.
pub fn of(invocation: &Invocation, at: &Surroundings<'_>, shell: &[String]) -> Vec<Load> {
    let mut loads = Vec::new();
    let mut add = |by: &str, path: &str, what: What| {
        if let Knowledge::Known(path) = at.absolute(path) {
            loads.push(Load { by: by.to_owned(), path, what });
        }
    };
    for (name, value) in &at.variables {
        let Knowledge::Known(value) = value else { continue };
        match name.as_str() {
            // `ENV ENV=production`
            "ENV" if !value.contains('/') => {}
            name if NAMING_FILES.contains(&name) => paths(value).for_each(|path| add(name, path, What::This)),
            name if NAMING_LIBRARIES.contains(&name) => {
                value.split(':').filter(|folder| !folder.is_empty()).for_each(|folder| add(name, folder, What::Libraries));
            }
            // An empty entry stands for the folder in which it runs.
            name if NAMING_MODULES.contains(&name) && !value.is_empty() => {
                value.split(':').for_each(|folder| add(name, if folder.is_empty() { "." } else { folder }, What::Modules));
            }
            _ => {}
        }
    }
    shell.iter().filter(|word| word.contains('/')).for_each(|word| add("SHELL", word, What::This));
    if invocation.wrappers.iter().any(|wrapper| matches!(wrapper, Wrapper::PythonModule(_))) {
        add("`python -m`", ".", What::Modules);
    }
    loads
}

/// The words of a value that may be paths: `--require ./x.js`, `-javaagent:/a.jar`, `/a:/b`.
fn paths(value: &str) -> impl Iterator<Item = &str> {
    let words = value.split(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | ',' | '"' | '\''));
    // `-r./x.js`, `-I/lib`, `@/file`
    let bare = |word: &'_ str| word.find(['.', '/']).filter(|_| word.starts_with(['-', '@']));
    words
        .map(move |word| bare(word).and_then(|at| word.get(at..)).unwrap_or(word))
        .filter(|word| !word.is_empty() && *word != ".")
}

impl Load {
    /// The file itself, where it is one and no package's.
    pub fn file(&self) -> Option<Area> {
        (self.what == What::This && !is_system(&self.path)).then(|| Area::At(self.path.clone()))
    }

    /// What a copy brings of it, in words.
    pub fn brought_by(&self, copy: &ContextCopy, view: &View) -> Option<String> {
        let from = copy.back(&self.path, view)?;
        match self.what {
            What::Libraries if !view.names(&from).iter().any(|name| name.contains(".so")) => None,
            What::This | What::Libraries => Some(format!("{} names {}, which comes with it", self.by, self.path)),
            What::Modules => {
                let shadow = view.names(&from).into_iter().find(|name| is_module(name, &from, view))?;
                Some(format!("{} makes Python look into {} first, and {shadow} comes with it", self.by, self.path))
            }
        }
    }
}

/// Whether a name in a folder is taken for a module of Python's own, or for a package that is installed there.
fn is_module(name: &str, folder: &str, view: &View) -> bool {
    if [".egg-info", ".dist-info", ".egg-link", ".pth"].iter().any(|end| name.ends_with(end)) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or(name);
    let is_code = name.ends_with(".py") || name.ends_with(".so") || name.ends_with(".pyc");
    let package = || {
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        view.kind(&path) == Some(Kind::Folder) && view.kind(&format!("{path}/__init__.py")).is_some()
    };
    MODULES.contains(&stem) && (is_code || package())
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn words_of_a_value_that_may_be_paths() {
        let all = |value: &'static str| paths(value).collect::<Vec<_>>();
        assert_eq!(all("--require ./a.js -r/b.js"), ["--require", "./a.js", "/b.js"]);
        assert_eq!(all("--import=./a.mjs"), ["--import", "./a.mjs"]);
        assert_eq!(all("-javaagent:/opt/a.jar=port:80"), ["-javaagent", "/opt/a.jar", "port", "80"]);
        assert_eq!(all("/a:/b"), ["/a", "/b"]);
    }
}
