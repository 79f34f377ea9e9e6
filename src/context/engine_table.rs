//! What a real BuildKit did with ignore files: a table to hold `ignore` against.
//!
//! Owns: the table, made by building `FROM scratch` and `COPY . /` on a real engine (BuildKit of Docker 26, buildx 0.13) with each
//! ignore file and listing the image. Never does: hold anything thought up.

use super::{Doubt, Kind, View};

/// The files of the context; `~` is a space.
const FILES: &str = "\
    !bang #h .dockerignore .env .git/HEAD README-secret.md README.md [x a a.txt a[0].txt b.md back\\slash caret^a \
    dirx/drop/me dirx/keep/me foo/bar/y foo/bar/z/w foo/up foo/x foobar/x foox/bar/q lib.so.1 lib.so.12 link \
    node_modules/p/index.js sp~ace.txt src/a.py src/b.txt src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py star*y \
    web/.env web/app.js web/node_modules/q/i.js x(1).txt x+y.txt x{1}.txt é.txt";

/// Patterns, and what then happened: `-` and the files that were kept back, `+` and those that came through, `!` for a failed build.
const TABLE: &[(&str, &str)] = &[
    ("*", "+"),
    ("**", "+"),
    ("*\n!src", "+src/a.py src/b.txt src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py"),
    ("*\n!src/**", "+src/a.py src/b.txt src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py"),
    ("*\n!**/*.py", "+src/a.py src/sub/a.py src/sub/deep/c.py"),
    ("**\n!src/sub", "+src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py"),
    ("*.md\n!README.md", "-README-secret.md b.md"),
    ("*.md\n!README*.md\nREADME-secret.md", "-README-secret.md b.md"),
    ("**/node_modules", "-node_modules/p/index.js web/node_modules/q/i.js"),
    ("node_modules", "-node_modules/p/index.js"),
    ("node_modules/", "-node_modules/p/index.js"),
    ("/node_modules", "-node_modules/p/index.js"),
    ("**/*.py", "-src/a.py src/sub/a.py src/sub/deep/c.py"),
    ("*/*.py", "-src/a.py"),
    ("**/README.md", "-README.md src/sub/deep/README.md"),
    ("**README.md", "-README.md src/sub/deep/README.md"),
    ("foo", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("foo*", "-foo/bar/y foo/bar/z/w foo/up foo/x foobar/x foox/bar/q"),
    ("foo**", "-foo/bar/y foo/bar/z/w foo/up foo/x foobar/x foox/bar/q"),
    ("foo/**", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("foo/*", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("foo/**/w", "-foo/bar/z/w"),
    ("foo**bar", "-foo/bar/y foo/bar/z/w foobar/x foox/bar/q"),
    ("foo\n!foo/bar", "-foo/up foo/x"),
    ("foo\n!foo/bar/z/w", "-foo/bar/y foo/up foo/x"),
    ("foo/*\n!foo/bar", "-foo/up foo/x"),
    ("foo\n!**/y", "-foo/bar/z/w foo/up foo/x"),
    ("foo\n!foo/*/**", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("foo\n!foo/*/*", "-foo/up foo/x"),
    ("dirx/*\n!dirx/keep", "-dirx/drop/me"),
    ("!foo\nfoo", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("foo\n!foo\nfoo/bar", "-foo/bar/y foo/bar/z/w"),
    ("  foo  ", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    (" # foo", "-"),
    ("#h", "-"),
    ("\\#h", "-#h"),
    ("! foo\nfoo\n!  foo/x", "-foo/bar/y foo/bar/z/w foo/up"),
    ("./foo", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("foo/../a", "-a"),
    ("../foo", "-"),
    (".", "-"),
    ("/", "-"),
    ("!", "!"),
    ("!/", "!"),
    ("[", "!"),
    ("a[^x]b", "-"),
    ("[a-b]*", "-a a.txt a[0].txt b.md back\\slash"),
    ("[^a-z]*", "-!bang #h .dockerignore .env .git/HEAD README-secret.md README.md [x é.txt"),
    ("[!a]*", "-!bang a a.txt a[0].txt"),
    ("lib.so.?", "-lib.so.1"),
    ("lib.so.*", "-lib.so.1 lib.so.12"),
    ("*.so.1*", "-lib.so.1 lib.so.12"),
    ("x+*", "-x+y.txt"),
    ("x(*", "-x(1).txt"),
    ("x{1*", "-x{1}.txt"),
    ("x*1}.txt", "-x{1}.txt"),
    ("*.{txt,md}", "-"),
    (
        "a|b*",
        "-!bang a a.txt a[0].txt b.md back\\slash foo/bar/y foo/bar/z/w foobar/x foox/bar/q lib.so.1 lib.so.12 src/b.txt src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py web/.env web/app.js web/node_modules/q/i.js",
    ),
    ("a|b", "-"),
    ("caret^a", "-caret^a"),
    ("caret^*", "-"),
    ("^a*", "-a a.txt a[0].txt"),
    ("a\\[0\\].txt", "-a[0].txt"),
    ("a[[]0].txt", "-a[0].txt"),
    ("a[0].txt", "-"),
    ("star\\*y", "-star*y"),
    ("star[*]y", "-"),
    ("\u{feff}foo", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    (
        "foo\r\nsrc\r",
        "-foo/bar/y foo/bar/z/w foo/up foo/x src/a.py src/b.txt src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py",
    ),
    ("sp ace.txt", "-sp~ace.txt"),
    ("sp*", "-sp~ace.txt"),
    ("é*", "-é.txt"),
    ("?.txt", "-a.txt é.txt"),
    ("link", "-link"),
    ("link/a.py", "-"),
    ("src\n!link", "-src/a.py src/b.txt src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py"),
    ("foo/up", "-foo/up"),
    ("empty", "-"),
    ("*\n!empty", "+"),
    ("**/", "+"),
    ("**/**", "+"),
    ("**/foo/**", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("**/sub/**\n!**/deep", "-src/sub/a.py"),
    ("***", "+"),
    ("a**", "-a a.txt a[0].txt"),
    ("**a", "-a caret^a"),
    ("**/a", "-a"),
    (
        "*/*",
        "-.git/HEAD dirx/drop/me dirx/keep/me foo/bar/y foo/bar/z/w foo/up foo/x foobar/x foox/bar/q node_modules/p/index.js src/a.py src/b.txt src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py web/.env web/app.js web/node_modules/q/i.js",
    ),
    (
        "*/*/*",
        "-dirx/drop/me dirx/keep/me foo/bar/y foo/bar/z/w foox/bar/q node_modules/p/index.js src/sub/a.py src/sub/deep/README.md src/sub/deep/c.py web/node_modules/q/i.js",
    ),
    (".*", "-.dockerignore .env .git/HEAD"),
    ("**/.*", "-.dockerignore .env .git/HEAD web/.env"),
    (".git\n.env*\n!.env", "-.git/HEAD"),
    (".dockerignore", "-.dockerignore"),
    ("!!bang", "-"),
    ("\\!bang", "-!bang"),
    ("*\n!.", "+"),
    ("*\n!*.md", "+README-secret.md README.md b.md"),
    ("*\n!*/", "-"),
    ("src/sub/deep/../b*", "-"),
    ("*a*.txt", "-a.txt a[0].txt sp~ace.txt"),
    ("foo/bar/", "-foo/bar/y foo/bar/z/w"),
    ("foo/bar\n!foo/bar/z\nfoo/bar/z/w", "-foo/bar/y foo/bar/z/w"),
    ("**/bar\n!foo/bar/y", "-foo/bar/z/w foox/bar/q"),
    ("web/**/*.js", "-web/app.js web/node_modules/q/i.js"),
    ("*\n!web\nweb/node_modules", "+web/.env web/app.js"),
    ("*\n!web/*.js", "+web/app.js"),
    ("src/**/*.py\n!src/sub/deep/**", "-src/a.py src/sub/a.py"),
    ("**/[ab].py", "-src/a.py src/sub/a.py"),
    ("foo\t", "-foo/bar/y foo/bar/z/w foo/up foo/x"),
    ("[[:alpha:]]", "-a"),
    ("a\\d", "-"),
    ("x{1}*", "-x(1).txt x+y.txt x{1}.txt"),
];

/// Where the builder's regular expressions show through: these are doubted, whatever is said of them.
const DOUBTED: &[&str] = &["a|b*", "x{1}*", "^a*", "caret^*", "star[*]y", "a\\d", "[[:alpha:]]"];

#[test]
fn the_rules_are_the_builders() {
    let name = |word: &str| word.replace('~', " ");
    let files: Vec<String> = FILES.split(' ').map(name).collect();
    let mut wrong = Vec::new();
    for (patterns, outcome) in TABLE {
        let view = View::of_files(files.iter().map(|file| (file.as_str(), Some("")))).with_ignore(patterns);
        let doubt = view.doubt();
        let is_malformed = matches!(doubt, Some(Doubt::MalformedPattern { .. }));
        assert_eq!(doubt.is_some(), DOUBTED.contains(patterns) || is_malformed, "{patterns}: {doubt:?}");
        let (mark, named) = outcome.split_at(1);
        assert_eq!(is_malformed, mark == "!", "{patterns}");
        if doubt.is_some() {
            continue;
        }
        let named: Vec<String> = named.split(' ').map(name).collect();
        for file in &files {
            let ignored = named.contains(file) == (mark == "-");
            if view.is_ignored(file) != ignored {
                wrong.push(format!("{patterns:?}: {file}: the builder says {ignored}"));
            }
            assert_eq!(view.kind(file).is_none(), view.is_ignored(file), "{patterns}: {file}");
        }
        let sent: Vec<String> = files.iter().filter(|file| view.kind(file) == Some(Kind::File)).cloned().collect();
        assert_eq!(view.files_below(""), sent, "{patterns}");
    }
    assert!(TABLE.len() > 100);
    assert_eq!(wrong, Vec::<String>::new());
}
