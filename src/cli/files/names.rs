//! Which names are Dockerfiles'.
//!
//! Owns: the rule for walked folders. A file given by hand is taken whatever its name is. `.pre-commit-hooks.yaml` holds the same
//! rule as a regular expression; a test compares the two.

use std::ffi::OsStr;

/// What Dockerfiles are called, in lower case.
const WORDS: [&str; 2] = ["dockerfile", "containerfile"];

/// `Dockerfile.NAME` is not one where NAME ends so: it is text or code about Dockerfiles, a lock, an archive.
const OTHER_FORMATS: &str = "\
    adoc asc bash bat c cc cjs cmd containerignore cpp cs css csv diff dockerignore el erl ex exs fish gif go groovy gz h \
    hcl hpp hs html ini java jpg js json json5 jsonc jsonnet jsx kt lock log lua md mdx mjs nix patch pdf pl png ps1 py pyc \
    pyi rb rs rst scala sh sha256 sig snap sql sum svg swift tar tf tgz toml ts tsv tsx txt vim xml xz yaml yml zip zsh";

/// Backups and what an editor or a merge leaves behind.
const BACKUPS: &str = "backup bak old orig rej save swn swo swp temp tmp";

/// Templates, if the name ends so.
const TEMPLATES_AT_END: &str = "in m4";

/// Templates, wherever it stands: `Dockerfile.template.alpine`.
const TEMPLATES: &str =
    "ejs epp erb gotmpl gotpl handlebars hbs j2 jinja jinja2 liquid mako mustache njk templ template tmpl tpl twig";

/// Whether a file of this name is taken from a walked folder: `Dockerfile`, `Dockerfile.NAME`, `NAME.Dockerfile`, and the same with
/// Containerfile, in any case; but no ignore file, template, backup, or other format.
pub(crate) fn is_dockerfile(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let name = name.to_ascii_lowercase();
    let mut parts = name.split('.');
    let (first, rest): (_, Vec<&str>) = (parts.next().unwrap_or_default(), parts.collect());
    let Some(last) = rest.last() else { return WORDS.contains(&first) };
    if rest.iter().any(|part| is_in(TEMPLATES, part)) {
        return false;
    }
    if WORDS.contains(last) {
        return !first.is_empty();
    }
    let wrong_end = [OTHER_FORMATS, BACKUPS, TEMPLATES_AT_END].iter().any(|endings| is_in(endings, last));
    WORDS.contains(&first) && !last.is_empty() && !last.ends_with('~') && !wrong_end
}

/// Whether `word` is one of `words`, which spaces part.
fn is_in(words: &str, word: &str) -> bool {
    words.split(' ').any(|other| other == word)
}

#[cfg(test)]
mod tests {
    use super::is_dockerfile;
    use regex::bytes::{Regex, RegexBuilder};
    use std::ffi::OsStr;

    const YES: &str = "\
        Dockerfile dockerfile DOCKERFILE Containerfile Dockerfile.alpine Dockerfile.0 dockerfile.dev Dockerfile.php \
        Dockerfile.arm64.prod Containerfile.fedora app.Dockerfile a.b.dockerfile go.Dockerfile x.Containerfile \
        template.Dockerfile Dockerfile.py.test Dockerfile.my-app_1";
    const NO: &str = "\
        Dockerfile. Dockerfiles MyDockerfile Dockerfile-dev .Dockerfile .Dockerfile.swp Dockerfile~ Dockerfile.alpine~ \
        Dockerfile.dockerignore app.Dockerfile.dockerignore .dockerignore Dockerfile.j2 Dockerfile.J2 \
        Dockerfile.alpine.tmpl Dockerfile.template.alpine app.j2.Dockerfile Dockerfile.in Dockerfile.m4 Dockerfile.bak \
        Dockerfile.ORIG Dockerfile.md dockerfile.go dockerfile.py Dockerfile.yml Dockerfile.sh Dockerfile.txt \
        docker-compose.yml dockerfile_lexer app.dockerfile.ts";

    #[test]
    fn names_are_told_apart() {
        for name in YES.split(' ') {
            assert!(is_dockerfile(OsStr::new(name)), "{name}");
        }
        for name in NO.split(' ') {
            assert!(!is_dockerfile(OsStr::new(name)), "{name}");
        }
        assert!(!is_dockerfile(OsStr::new("")));
    }

    /// The value of a key of the hook, as one pattern in verbose mode.
    fn pattern(key: &str) -> Regex {
        let hooks = include_str!("../../../.pre-commit-hooks.yaml");
        let start = hooks.find(&format!("{key}: ")).unwrap_or_else(|| panic!("no {key} in the hook"));
        let line = hooks[start..].lines().next().unwrap();
        let pattern = line.split_once(": ").unwrap().1.trim().trim_matches('\'');
        RegexBuilder::new(pattern).unicode(false).build().unwrap()
    }

    #[test]
    fn the_pre_commit_hook_takes_the_same_names() {
        let (files, exclude) = (pattern("files"), pattern("exclude"));
        let taken = |name: &str| files.is_match(name.as_bytes()) && !exclude.is_match(name.as_bytes());
        let endings = [super::OTHER_FORMATS, super::BACKUPS, super::TEMPLATES, super::TEMPLATES_AT_END].join(" ");
        let made = endings
            .split(' ')
            .flat_map(|end| [format!("Dockerfile.{end}"), format!("{end}.Containerfile"), format!("Dockerfile.{end}.x")]);
        for name in YES.split(' ').chain(NO.split(' ')).map(str::to_owned).chain(made) {
            for folder in ["", "docker/", "a b/.hidden/", "x.j2/"] {
                let path = format!("{folder}{name}");
                assert_eq!(taken(&path), is_dockerfile(OsStr::new(&name)), "{path}");
            }
        }
    }
}
