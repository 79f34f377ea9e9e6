//! The build context on a real disk: links, ignore files, odd folders, git.
#![cfg(unix)]

use dockeropt::context::{Context, Doubt, FoundBy, Kind, Located, Locator, View};
use dockeropt::knowledge::Knowledge;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

const FOLDER: Option<Kind> = Some(Kind::Folder);

/// A folder of its own, which goes when the test is over.
struct Place(PathBuf);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("dockeropt-context-{}-{number}", std::process::id()));
        let place = Self(root);
        std::fs::create_dir_all(&place.0).unwrap();
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    fn view(&self) -> View {
        View::open(&self.0, &self.path("Dockerfile"))
    }

    fn git(&self, arguments: &[&str]) {
        let own = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgSign=false", "-c", "protocol.file.allow=always"];
        let output = Command::new("git").arg("-C").arg(&self.0).args(own).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn text(view: &View, path: &str) -> Option<String> {
    view.text(path).into_known().map(|text| text.to_string())
}

#[test]
fn links_are_followed_inside_the_root_only() {
    let place = Place::new(&[("in/real/f", "text"), ("in/g", "g"), ("outside", "secret"), ("in/.dockerignore", "real/hidden")]);
    place.write("in/real/hidden", "x");
    let links = [
        ("real", "in/folder"),
        ("real/f", "in/file"),
        ("../outside", "in/out"),
        ("/etc/hostname", "in/absolute"),
        ("around", "in/around"),
        ("nowhere", "in/dangling"),
        ("../folder/../g", "in/real/back"),
        ("real/hidden", "in/to-hidden"),
    ];
    for (target, link) in links {
        symlink(target, place.path(link)).unwrap();
    }
    let view = View::open(&place.path("in"), &place.path("in/Dockerfile"));
    for (target, link) in links {
        let name = link.strip_prefix("in/").unwrap();
        assert_eq!(view.kind(name), Some(Kind::Link), "{name} -> {target}");
    }
    assert_eq!(text(&view, "file").as_deref(), Some("text"));
    assert_eq!(text(&view, "folder/f").as_deref(), Some("text"));
    assert_eq!(text(&view, "real/back").as_deref(), Some("g"));
    for name in ["out", "absolute", "around", "dangling", "to-hidden", "folder/hidden", "../outside"] {
        assert_eq!(text(&view, name), None, "{name}");
    }
    assert_eq!(view.names("folder"), ["back", "f"]);
    assert_eq!(view.files_below("folder"), ["real/back", "real/f"]);
    assert_eq!(view.expand("folder/*"), ["real/back", "real/f"]);
    assert_eq!(view.expand("./f*"), ["file", "folder"]);
    assert_eq!(view.expand("/../folder/f"), ["real/f"]);
    assert_eq!(view.kind("file/x"), None);
    assert_eq!(view.doubt(), None);
}

#[test]
fn sources_are_expanded_as_the_builder_does() {
    let place =
        Place::new(&[("a.b", ""), ("a/b", ""), ("r/f", ""), ("r/sub/g", ""), ("lx/1", ""), ("x/y/z.json", ""), ("x/[1]", "")]);
    symlink("r", place.path("l")).unwrap();
    let view = place.view();
    // Held against a real build, but for the last four.
    for (source, found) in [
        ("l/*", "r/f r/sub"),
        ("l/sub", "r/sub"),
        ("l?", "lx"),
        ("a[^q]b", "a.b a/b"),
        (".", ""),
        ("x/*/*.json", "x/y/z.json"),
        ("x/[[]1]", "x/[1]"),
        ("nothing*", "-"),
    ] {
        let found: Vec<&str> = if found == "-" { Vec::new() } else { found.split(' ').collect() };
        assert_eq!(view.expand(source), found, "{source}");
    }
}

#[test]
fn the_ignore_file_beside_the_dockerfile_goes_first() {
    let place = Place::new(&[("c/.dockerignore", "a"), ("c/a", ""), ("c/b", ""), ("c/d/Dockerfile", ""), ("e/Dockerfile", "")]);
    let (root, dockerfile) = (place.path("c"), place.path("c/d/Dockerfile"));
    let plain = View::open(&root, &dockerfile);
    assert_eq!(plain.files_below(""), [".dockerignore", "b", "d/Dockerfile"]);
    assert_eq!(plain.ignore_file(), (".dockerignore".to_owned(), Some("a".into())));
    place.write("c/d/Dockerfile.dockerignore", "b\n/d");
    let own = plain.seen_by(&dockerfile);
    assert_eq!(own.files_below(""), [".dockerignore", "a"]);
    assert_eq!(own.ignore_file(), ("d/Dockerfile.dockerignore".to_owned(), Some("b\n/d".into())));
    assert_eq!(own.kind("d/Dockerfile"), None);
    place.write("e/Dockerfile.dockerignore", "**");
    let outside = plain.seen_by(&place.path("e/Dockerfile"));
    assert_eq!(outside.ignore_file().0, "../e/Dockerfile.dockerignore");
    assert!(outside.files_below("").is_empty());
    let other = own.with_ignore("*\n!b\n");
    assert_eq!((other.files_below(""), other.ignore_file().0), (vec!["b".to_owned()], own.ignore_file().0));
    let bare = Place::new(&[("x", "")]);
    std::fs::create_dir(bare.path(".dockerignore")).unwrap();
    assert_eq!(bare.view().ignore_file(), (".dockerignore".to_owned(), None));
    assert_eq!(bare.view().doubt(), None);
}

#[test]
fn folders_are_seen_as_the_builder_gets_them() {
    let place = Place::new(&[
        ("logs/x.log", ""),
        ("gone/deep/x", ""),
        ("kept/deep/x", ""),
        (".dockerignore", "logs/*\ngone\nkept\n!kept/deep/x"),
    ]);
    std::fs::create_dir(place.path("empty")).unwrap();
    let view = place.view();
    let kinds =
        ["", "logs", "empty", "gone", "gone/deep", "kept", "kept/deep", "kept/deep/x", "kept/none"].map(|path| view.kind(path));
    assert_eq!(kinds, [FOLDER, FOLDER, FOLDER, None, None, FOLDER, FOLDER, Some(Kind::File), None]);
    assert_eq!(view.names(""), [".dockerignore", "empty", "kept", "logs"]);
    assert_eq!(view.expand("*"), [".dockerignore", "empty", "kept", "logs"]);
    assert_eq!(view.expand("[^.]*"), ["empty", "kept", "logs"]);
    assert!(
        view.is_ignored("gone/new") && view.is_ignored("logs/new") && !view.is_ignored("kept/deep/x") && !view.is_ignored("new")
    );
    assert_eq!(view.files_below("kept"), ["kept/deep/x"]);
    assert!(view.names("logs").is_empty() && view.names("gone").is_empty() && view.names("nothing").is_empty());
}

#[test]
fn what_cannot_be_read_is_doubted() {
    let place = Place::new(&[("a/b", "\u{fffd}"), ("long", &"x".repeat((8 << 20) + 1))]);
    std::fs::write(place.path("binary"), [0xff, 0xfe, 0]).unwrap();
    std::fs::write(place.path("a").join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let view = place.view();
    assert_eq!((text(&view, "binary"), text(&view, "long"), text(&view, "pipe")), (None, None, None));
    assert_eq!(view.kind("pipe"), None);
    let doubt = view.doubt();
    assert_eq!(doubt, Some(Doubt::OddNames { folder: "a".to_owned() }));
    assert_eq!(doubt.unwrap().to_string(), "the folder a holds names that are not UTF-8");
    assert_eq!(view.with_ignore("a").doubt(), None);
    std::fs::write(place.path(".dockerignore"), [0xff]).unwrap();
    assert_eq!(place.view().doubt(), Some(Doubt::UnreadIgnoreFile { file: ".dockerignore".to_owned() }));
    assert!(matches!(
        View::open(Path::new("/nowhere/at/all"), Path::new("Dockerfile")).doubt(),
        Some(Doubt::UnreadFolder { .. })
    ));
}

#[test]
fn git_says_what_is_tracked_and_what_changed() {
    let place = Place::new(&[("s/t/f", "1"), ("s/t.x", "1"), ("u v/é", "1"), ("s/.gitignore", "made")]);
    place.git(&["init", "-q"]);
    let fresh = place.view();
    assert_eq!((fresh.is_tracked("s"), fresh.changes(&["s"])), (Knowledge::Known(false), Knowledge::Unknown));
    place.commit("one");
    place.write("s/t/f", "2");
    place.commit("two");
    place.git(&["checkout", "-q", "-b", "side"]);
    place.write("s/new", "1");
    place.commit("three");
    place.git(&["checkout", "-q", "-"]);
    place.write("top", "1");
    place.commit("four");
    place.git(&["merge", "-q", "side", "-m", "five"]);
    place.write("s/made", "");
    let other = Place::new(&[("inner", "")]);
    other.git(&["init", "-q"]);
    other.commit("one");
    place.git(&["submodule", "--quiet", "add", other.0.to_str().unwrap(), "s/sub"]);

    let view = View::open(&place.path("s"), &place.path("Dockerfile"));
    let tracked =
        ["", "t", "t/f", "new", "sub", "sub/inner", "made", "t/g", "ne"].map(|path| view.is_tracked(path).into_known().unwrap());
    assert_eq!(tracked, [true, true, true, true, true, true, false, false, false]);
    let changes = |paths: &[&str]| view.changes(paths).into_known().unwrap();
    assert_eq!((changes(&["t"]), changes(&["t", "new"]), changes(&["new"]), changes(&[""]), changes(&["made"])), (2, 3, 1, 3, 0));
    assert_eq!(changes(&["t.x"]), 1);
    let whole = place.view();
    assert_eq!(
        (whole.is_tracked("u v/é"), whole.changes(&["u v"]), whole.changes(&["top"])),
        (Knowledge::Known(true), Knowledge::Known(1), Knowledge::Known(1))
    );
    let none = Place::new(&[("a", "")]);
    assert_eq!((none.view().is_tracked("a"), none.view().changes(&["a"])), (Knowledge::Unknown, Knowledge::Unknown));
}

#[test]
fn a_context_in_memory_answers_the_same_questions() {
    let view = View::of_files([("a/b", Some("text")), ("a/c", None), (".dockerignore", Some("a/d"))]);
    assert_eq!((view.kind(""), view.kind("a"), view.kind("a/b"), view.kind("a/b/c")), (FOLDER, FOLDER, Some(Kind::File), None));
    assert_eq!((text(&view, "a/b").as_deref(), text(&view, "a/c"), text(&view, "a/x")), (Some("text"), None, None));
    assert_eq!(
        (view.names("a"), view.expand("*/?")),
        (vec!["b".to_owned(), "c".to_owned()], vec!["a/b".to_owned(), "a/c".to_owned()])
    );
    assert!(view.is_ignored("a/d/e") && !view.is_ignored("a/b"));
    assert_eq!((view.is_tracked("a"), view.changes(&["a"])), (Knowledge::Unknown, Knowledge::Unknown));
    let git = view.with_git(&["a/b"], &[&["a/b", "x"], &["x"]]);
    assert_eq!(
        (git.is_tracked("a"), git.is_tracked("a/c"), git.changes(&["a"])),
        (Knowledge::Known(true), Knowledge::Known(false), Knowledge::Known(1))
    );
    assert_eq!(git.with_ignore("a").kind("a"), None);
}

#[test]
fn a_repository_cannot_have_programs_run() {
    let place = Place::new(&[("a", "1"), ("evil.sh", "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\nexit 1\n")]);
    place.git(&["init", "-q"]);
    place.commit("one");
    assert!(Command::new("chmod").arg("+x").arg(place.path("evil.sh")).status().unwrap().success());
    let evil = place.path("evil.sh");
    let evil = evil.to_str().unwrap();
    place.write(".gitattributes", "* diff=evil\n");
    for key in
        ["core.pager", "core.fsmonitor", "diff.external", "gpg.program", "diff.evil.textconv", "diff.evil.command", "pager.log"]
    {
        place.git(&["config", key, evil]);
    }
    place.git(&["config", "log.showSignature", "true"]);
    assert_eq!((place.view().is_tracked("a"), place.view().changes(&["a"])), (Knowledge::Known(true), Knowledge::Known(1)));
    assert!(!place.path("ran").exists());
}

#[test]
fn a_huge_context_is_walked_in_time() {
    let place = Place::new(&[(".dockerignore", "node_modules\n**/*.log\n*.md\n!README.md\n.git\n")]);
    for folder in 0..200 {
        let path = place.path(&format!("d{}/e{folder}", folder % 10));
        std::fs::create_dir_all(&path).unwrap();
        for file in 0..100 {
            std::fs::write(path.join(format!("f{file}.txt")), "").unwrap();
        }
    }
    let view = place.view();
    let start = std::time::Instant::now();
    assert_eq!(view.files_below("").len(), 20_001);
    // A tenth of a huge context, without optimisation: ten times what it may take.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    assert_eq!(view.files_below("d3").len(), 2_000);
    assert_eq!(view.clone().files_below("d3/e3").first().map(String::as_str), Some("d3/e3/f0.txt"));
}

fn located(place: &Place, dockerfile: &str, sources: &[&str]) -> Located {
    let sources: Vec<String> = sources.iter().map(|source| (*source).to_owned()).collect();
    Locator::default().locate(&place.path(dockerfile), None, &sources)
}

/// The context from the place's root and how it was found, or why it is not known; and the targets.
fn shown(place: &Place, dockerfile: &str, sources: &[&str]) -> String {
    let located = located(place, dockerfile, sources);
    let context = match located.context {
        Context::Known { root, found_by } => {
            let real = place.0.canonicalize().unwrap();
            format!("{}/ {found_by}", root.strip_prefix(real).unwrap().display())
        }
        Context::Unknown { because } => because,
    };
    format!("{context} [{}]", located.targets.join(","))
}

#[test]
fn build_files_name_the_context() {
    let place = Place::new(&[
        ("a/Dockerfile", ""),
        ("b/D", ""),
        ("c/Dockerfile", ""),
        ("d/Dockerfile", ""),
        ("e/e.Dockerfile", ""),
        ("e/x", ""),
        ("f/Dockerfile", ""),
        ("g/Dockerfile", ""),
        ("g/y", ""),
        ("h/dockerfile", ""),
        (
            "compose.yaml",
            "services:\n  a:\n    build: {context: ., dockerfile: a/Dockerfile, target: dev}\n  g:\n    build: g\n  gone:\n    build: {context: gone, dockerfile: ../a/Dockerfile}\n",
        ),
        ("docker-bake.hcl", "target \"b\" {\n  dockerfile = \"b/D\"\n}\n"),
        (
            "Makefile",
            "IMAGE := x\nbuild:\n\tcd c && docker build -t $(IMAGE) .\n\tdocker build -f d/Dockerfile $(WHERE)\n\tdocker build h\nmade:\n\t@ docker build -f f/Dockerfile --target \\\n\t\tmid made\n",
        ),
        (
            "scripts/build.sh",
            "#!/bin/sh\ndocker build -f e/e.Dockerfile --target run .\ndocker build -f e/e.Dockerfile --target \"$1\" .\n",
        ),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  x:\n    steps:\n      - uses: docker/build-push-action@v6\n        with: {context: ., file: a/Dockerfile, target: prod}\n      - run: docker build -f g/Dockerfile .\n",
        ),
    ]);
    place.git(&["init", "-q"]);
    place.commit("one");
    for (dockerfile, sources, expected) in [
        ("a/Dockerfile", vec![], "/ as .github/workflows/ci.yml:4 says [dev,prod]"),
        ("b/D", vec![], "/ as docker-bake.hcl:1 says []"),
        ("c/Dockerfile", vec![], "c/ as Makefile:3 says []"),
        ("d/Dockerfile", vec![], "Makefile:4 names its build context by a variable, or outside the repository []"),
        ("e/e.Dockerfile", vec!["x"], "/ as scripts/build.sh:2 says [run]"),
        ("f/Dockerfile", vec!["nothing"], "Makefile:7 takes made/ for its build context, which is not there [mid]"),
        (
            "g/Dockerfile",
            vec!["."],
            "its build context is not clear: .github/workflows/ci.yml:6 says the repository's root, compose.yaml:5 says g/ []",
        ),
        ("g/Dockerfile", vec!["y"], "g/ as compose.yaml:5 says []"),
        ("h/dockerfile", vec![], "h/ as Makefile:5 says []"),
    ] {
        assert_eq!(shown(&place, dockerfile, &sources), expected, "{dockerfile}");
    }
    assert!(located(&place, "e/e.Dockerfile", &[]).hides_targets && !located(&place, "a/Dockerfile", &[]).hides_targets);
    let explicit = Locator::default().locate(&place.path("a/Dockerfile"), Some(Path::new("elsewhere")), &[]);
    assert_eq!(explicit.context, Context::Known { root: PathBuf::from("elsewhere"), found_by: FoundBy::Option });
    assert_eq!(explicit.targets, ["dev", "prod"]);
}

#[test]
fn without_a_repository_nothing_above_is_looked_at() {
    let place = Place::new(&[
        ("src", ""),
        ("compose.yaml", "services: {a: {build: {context: ., dockerfile: in/Dockerfile}}}"),
        ("in/Dockerfile", ""),
        ("in/app", ""),
    ]);
    assert!(shown(&place, "in/Dockerfile", &["src"]).contains("lie neither"));
    assert_eq!(shown(&place, "in/Dockerfile", &["app"]), "in/ where its COPY sources lie []");
    assert_eq!(shown(&place, "in/Dockerfile", &["."]), "in/ the Dockerfile's own folder []");
    place.git(&["init", "-q"]);
    assert_eq!(shown(&place, "in/Dockerfile", &["src"]), "/ as compose.yaml:1 says []");
    assert!(matches!(located(&place, "nowhere/Dockerfile", &[]).context, Context::Unknown { .. }));
}

#[test]
fn the_other_dockerfiles_of_a_context_are_known() {
    let place = Place::new(&[
        ("Dockerfile", "x"),
        ("web/Dockerfile", "package.json"),
        ("web/package.json", ""),
        ("dev/Dockerfile.dev", "web"),
        ("own/Dockerfile", "web"),
        ("own/Dockerfile.dockerignore", ""),
        ("odd/Dockerfile", "nothing"),
        ("build/image", "."),
        ("Makefile", "all:\n\tdocker build -f build/image .\n"),
        ("x", ""),
    ]);
    place.git(&["init", "-q"]);
    place.commit("one");
    let locator = Locator::default();
    let is_dockerfile =
        |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with("Dockerfile") && !name.ends_with("ignore"));
    let sources = |path: &Path| vec![std::fs::read_to_string(path).unwrap()];
    let sharing = locator.sharing(&place.0, &place.path("Dockerfile"), &is_dockerfile, &sources);
    let real = place.0.canonicalize().unwrap();
    let shown: Vec<(&str, bool)> =
        sharing.iter().map(|other| (other.dockerfile.strip_prefix(&real).unwrap().to_str().unwrap(), other.is_certain)).collect();
    assert_eq!(shown, [("Dockerfile", true), ("build/image", true), ("dev/Dockerfile.dev", true), ("odd/Dockerfile", false)]);
    let view = locator.view(&place.0, &place.path("Dockerfile"));
    assert_eq!(view.kind("web"), FOLDER);
}

#[test]
fn many_dockerfiles_in_one_folder_are_located_in_time() {
    let place = Place::new(&[]);
    for number in 0..2_000 {
        place.write(&format!("{number}.Dockerfile"), "");
    }
    let locator = Locator::default();
    let sources = ["package.json".to_owned(), "src/*.c".to_owned(), ".".to_owned()];
    let start = std::time::Instant::now();
    for number in 0..2_000 {
        let located = locator.locate(&place.path(&format!("{number}.Dockerfile")), None, &sources);
        assert!(matches!(located.context, Context::Unknown { .. }));
        assert!(matches!(
            locator.locate(&place.path(&format!("{number}.Dockerfile")), None, &sources[2..]).context,
            Context::Unknown { .. }
        ));
    }
    // Without optimisation, and beside other tests.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
