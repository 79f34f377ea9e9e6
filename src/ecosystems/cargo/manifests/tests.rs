//! What cargo reads, held by small projects.

use crate::ecosystems::cargo::Cargo;
use crate::ecosystems::testing::{Files, in_project, invocation};
use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Part, Surroundings, User};
use crate::knowledge::Knowledge;

const ONE: &str = "[package]\nname = \"one\"\n[dependencies]\nitoa = \"1\"\n";
const STUB: &str = "echo '#![doc = \"stub\"] #![allow(dead_code)] fn main() {}'";

fn ask_at(line: &str, files: &Files, at: &Surroundings) -> Result<Option<Dependencies>, Entangled> {
    Cargo.dependencies(&invocation(&line.split(' ').collect::<Vec<_>>()), at, files)
}

fn ask(line: &str, files: &[(&str, &str)]) -> Result<Option<Dependencies>, Entangled> {
    ask_at(line, &Files::new(files), &in_project("rust:1"))
}

fn found(line: &str, files: &[(&str, &str)]) -> Dependencies {
    ask(line, files).unwrap().unwrap()
}

fn refusal(line: &str, files: &[(&str, &str)]) -> String {
    ask(line, files).unwrap_err().to_string()
}

fn fetch(found: &Dependencies) -> &str {
    match &found.part {
        Part::FirstHalf { command, only_fetches: true, .. } => command,
        _ => "",
    }
}

fn bolder(line: &str, files: &[(&str, &str)]) -> String {
    found(line, files).bolder.map(|bolder| bolder.command).unwrap_or_default()
}

#[test]
fn a_single_crate_gets_a_stub_for_each_target() {
    let files =
        [("Cargo.toml", ONE), ("Cargo.lock", ""), ("src/main.rs", ""), ("build.rs", ""), ("src/x.rs", ""), ("README.md", "")];
    let build = found("cargo build --release --locked", &files);
    assert_eq!(build.files, ["/app/Cargo.lock", "/app/Cargo.toml"]);
    let stubs = format!("mkdir -p src && {STUB} | tee build.rs src/main.rs > /dev/null");
    assert_eq!(fetch(&build), format!("{stubs} && cargo fetch --locked && rm -r build.rs src"));
    let builds = "cargo build --release --locked && cargo clean --release --locked -p one";
    let bolder = build.bolder.unwrap();
    assert_eq!(bolder.command, format!("{stubs} && {builds} && rm -r build.rs src"));
    assert_eq!((bolder.makes, build.makes, build.unpinned), (vec!["/app/target".to_owned()], vec![], None));
    assert!(found("cargo build", &files[..1].iter().chain(&files[2..]).copied().collect::<Vec<_>>()).unpinned.is_some());
}

#[test]
fn every_target_that_cargo_would_look_for() {
    let manifest = format!(
        "{ONE}[lib]\npath = \"lib/l.rs\"\n[[bin]]\nname = \"p\"\npath = \"p.rs\"\n[[bench]]\nname = \"fast\"\nharness = false\n"
    );
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("lib/l.rs", ""),
        ("p.rs", ""),
        ("src/bin/a.rs", ""),
        ("src/bin/b/main.rs", ""),
        ("benches/fast.rs", ""),
        ("benches/slow.rs", ""),
        ("tests/t.rs", ""),
    ];
    let answer = found("cargo build", &files);
    let command = fetch(&answer);
    assert!(command.contains("tee benches/fast.rs lib/l.rs p.rs src/bin/a.rs src/bin/b/main.rs >"), "{command}");
    assert!(command.starts_with("mkdir -p benches lib src/bin src/bin/b && ") && command.ends_with("rm -r benches lib p.rs src"));
    assert_eq!(refusal("cargo build", &files[..2]), "Cargo.toml names p.rs, which no copy brings");
    assert!(refusal("cargo build", &[("Cargo.toml", ONE)]).contains("no copy brings a source file"));
}

#[test]
fn a_workspace_needs_every_member_and_what_is_taken_by_path() {
    let root =
        "[workspace]\nmembers = [\"crates/*\", \"app\"]\nexclude = [\"crates/old\"]\n[patch.crates-io]\nx = { path = \"x\" }\n";
    let member = "[package]\nname = \"a\"\n[target.'cfg(unix)'.dependencies]\nshared = { path = \"../../shared\" }\n";
    let package = "[package]\nname = \"b\"\n";
    let files = [
        ("Cargo.toml", root),
        ("crates/a/Cargo.toml", member),
        ("crates/a/src/lib.rs", ""),
        ("crates/old/Cargo.toml", package),
        ("crates/docs/x.md", ""),
        ("app/Cargo.toml", package),
        ("app/src/main.rs", ""),
        ("x/Cargo.toml", package),
        ("x/src/lib.rs", ""),
        ("shared/Cargo.toml", "[package]\nname = \"shared\"\n"),
        ("shared/src/lib.rs", ""),
    ];
    let names = ["Cargo.toml", "app/Cargo.toml", "crates/a/Cargo.toml", "shared/Cargo.toml", "x/Cargo.toml"];
    assert_eq!(found("cargo build -p b", &files).files, names.map(|name| format!("/app/{name}")));
    assert!(bolder("cargo build -p b", &files).contains("cargo build -p b && cargo clean -p a -p b -p shared && rm -r app/src"));
    assert_eq!(
        refusal("cargo build", &files[..9]),
        "shared/Cargo.toml is not among the files that the copies bring (crates/a/Cargo.toml:4 takes shared by path)"
    );
    let mut at = in_project("rust");
    at.workdir = Knowledge::Known("/app/app".to_owned());
    assert_eq!(ask_at("cargo build", &Files::new(&files), &at).unwrap().unwrap().files.len(), 5, "the root lies above");
    let outside = ONE.replace("itoa = \"1\"", "y = { path = \"../y\" }");
    assert!(refusal("cargo build", &[("Cargo.toml", &outside), ("src/lib.rs", "")]).starts_with("/y/Cargo.toml"));
}

#[test]
fn words_are_taken_over_or_the_build_is_left_out() {
    let files = [("Cargo.toml", ONE), ("Cargo.lock", ""), ("src/main.rs", "")];
    let both = |line: &str| bolder(line, &files).split(" && ").skip(2).take(2).collect::<Vec<_>>().join(" && ");
    assert_eq!(
        both("RUSTFLAGS=-Dwarnings cargo +1.80 build --profile=dist --target x86_64-unknown-linux-musl --bin one --out-dir /out"),
        "RUSTFLAGS=-Dwarnings cargo +1.80 build --profile=dist --target x86_64-unknown-linux-musl --bin one && \
         RUSTFLAGS=-Dwarnings cargo +1.80 clean --profile=dist --target x86_64-unknown-linux-musl -p one"
    );
    assert_eq!(both("cargo test --release -- --nocapture"), "cargo test --no-run --release && cargo clean --release -p one");
    assert_eq!(
        both("cargo install --path . --locked --root /usr"),
        "cargo build --release --locked && cargo clean --release --locked -p one"
    );
    assert_eq!(both("cargo install --path . --debug"), "cargo build && cargo clean -p one");
    for line in ["cargo build $FLAGS", "cargo build --target thumbv7em-none-eabihf", "cargo auditable tree", "xx-cargo build"] {
        assert_eq!(bolder(line, &files), "", "{line}");
        assert!(fetch(&found(line, &files)).contains("cargo") && fetch(&found(line, &files)).contains(" fetch "), "{line}");
    }
    let flags = "RUSTFLAGS=$FLAGS cargo build";
    assert_eq!((fetch(&found(flags, &files)).contains("&& cargo fetch &&"), bolder(flags, &files)), (true, String::new()));
    assert!(ask("CARGO_HOME=$HOME cargo build", &files).is_err());
    let mut at = in_project("rust");
    at.variables.push(("T".to_owned(), Knowledge::Unknown));
    let answer = ask_at("cargo build --target $T", &Files::new(&files), &at).unwrap().unwrap();
    assert!(answer.bolder.unwrap().command.contains("cargo clean --target $T -p one"));
    assert!(found("cargo install --path .", &files).unpinned.is_some(), "it passes over the lock file");
}

#[test]
fn plugins_take_the_options_of_a_build() {
    let files = [("Cargo.toml", ONE), ("Cargo.lock", ""), ("src/main.rs", "")];
    let both = |line: &str| bolder(line, &files).split(" && ").skip(2).take(2).collect::<Vec<_>>().join(" && ");
    assert_eq!(
        both("cargo auditable build --release --locked"),
        "cargo auditable build --release --locked && cargo clean --release --locked -p one"
    );
    assert_eq!(
        both("cargo zigbuild --target x86_64-unknown-linux-gnu.2.17"),
        "cargo zigbuild --target x86_64-unknown-linux-gnu.2.17 && cargo clean --target x86_64-unknown-linux-gnu -p one"
    );
    assert_eq!(bolder("cargo zigbuild --target universal2-apple-darwin", &files), "", "two targets under one name");
}

#[test]
fn a_target_in_a_file_is_read_from_there() {
    let files = Files::new(&[("Cargo.toml", ONE), ("Cargo.lock", ""), ("src/main.rs", "")]);
    let ask = |verb: &str, at: &Surroundings| {
        let command = invocation(&["cargo", verb, "--target", "$(cat t.txt)"]);
        Cargo.dependencies(&command, at, &files).unwrap().unwrap().bolder
    };
    let found = ask("build", &in_project("rust")).unwrap();
    assert!(found.command.contains("cargo build --target $(cat t.txt) && cargo clean --target $(cat t.txt) -p one"));
    assert_eq!(found.files, ["/app/t.txt"]);
    let earlier = |target: &str| [invocation(&["echo", target])];
    let plain = earlier("x86_64-unknown-linux-musl");
    assert!(ask("zigbuild", &Surroundings { earlier: &plain, ..in_project("rust") }).is_some());
    let with_libc = earlier("x86_64-unknown-linux-gnu.2.17");
    assert_eq!(ask("zigbuild", &Surroundings { earlier: &with_libc, ..in_project("rust") }), None, "Cargo does not know it");
}

#[test]
fn many_crates_get_their_libraries_by_a_loop() {
    let bench = "[[bench]]\nname = \"x\"\n";
    let package = |name: &str| format!("[package]\nname = \"{name}\"\n{bench}");
    let root = "[workspace]\nmembers = [\"crates/*\"]\n";
    let mut files = vec![
        ("Cargo.toml".to_owned(), root.to_owned()),
        ("Cargo.lock".to_owned(), String::new()),
        ("crates/README.md".to_owned(), String::new()),
        ("crates/a/build.rs".to_owned(), String::new()),
        ("crates/f/src/main.rs".to_owned(), String::new()),
    ];
    for name in ["a", "b", "c", "d", "e", "f"] {
        files.push((format!("crates/{name}/Cargo.toml"), package(name)));
        files.push((format!("crates/{name}/benches/x.rs"), String::new()));
        if name != "f" {
            files.push((format!("crates/{name}/src/lib.rs"), String::new()));
        }
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let found = ask_at("cargo build --release", &Files::new(&files), &in_project("rust:1.96")).unwrap().unwrap();
    assert_eq!(found.stubs.len(), 14, "f gets a library, too");
    let expected = format!(
        "for crate in crates/*/; do mkdir -p \"${{crate}}src\"; {STUB} > \"${{crate}}src/lib.rs\"; done && \
         mkdir -p crates/a/benches crates/b/benches crates/c/benches crates/d/benches crates/e/benches crates/f/benches && \
         {STUB} | tee crates/a/benches/x.rs crates/a/build.rs crates/b/benches/x.rs crates/c/benches/x.rs \
         crates/d/benches/x.rs crates/e/benches/x.rs crates/f/benches/x.rs crates/f/src/main.rs > /dev/null && \
         cargo build --release && cargo clean --release --workspace && \
         rm -r crates/*/benches crates/*/src crates/a/build.rs"
    );
    assert_eq!(found.bolder.unwrap().command, expected);
    let older = ask_at("cargo build", &Files::new(&files), &in_project("rust:1.80")).unwrap().unwrap().bolder.unwrap();
    assert!(older.command.contains("cargo clean -p a -p b -p c -p d -p e -p f &&"));
    let with_docs: Vec<(&str, &str)> = files.iter().copied().chain([("crates/docs/x.md", "")]).collect();
    let listed = ask_at("cargo build", &Files::new(&with_docs), &in_project("rust")).unwrap().unwrap();
    assert!(!fetch(&listed).contains("for crate"), "crates/*/ would take a folder that is no crate");
}

#[test]
fn configuration_and_toolchain_are_read_too() {
    let config = "[build]\ntarget-dir = \"out\"\n[target.x]\nlinker = \"tools/ld.sh\"\n";
    let files = [
        ("Cargo.toml", ONE),
        ("Cargo.lock", ""),
        ("src/main.rs", ""),
        (".cargo/config.toml", config),
        ("tools/ld.sh", ""),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.80\"\n"),
    ];
    let build = found("cargo build", &files);
    assert_eq!(build.files.len(), 5);
    assert_eq!(build.bolder.unwrap().makes, ["/app/out"]);
    assert_eq!(found("cargo --version", &files).files, ["/app/rust-toolchain.toml"]);
    assert_eq!(found("rustup target add wasm32-wasip1", &files).files, ["/app/rust-toolchain.toml"]);
    assert_eq!(found("cargo +nightly --version", &files), Dependencies::default());
    let vendored = "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n";
    let files = [files[0], files[1], files[2], (".cargo/config.toml", vendored)];
    assert!(refusal("cargo build", &files).contains("nothing is downloaded"));
}

#[test]
fn tools_and_recipes() {
    let files = [("Cargo.toml", ONE), ("src/main.rs", "")];
    assert_eq!(found("cargo install ripgrep@14.1.0 --locked", &files), Dependencies::default());
    assert!(found("cargo install ripgrep", &files).unpinned.is_some());
    assert_eq!(ask("cargo install --git https://a.b/c", &files), Ok(None), "it moves");
    assert_eq!(ask("cargo chef prepare", &files), Ok(None));
    let cook = found("cargo chef cook --release --recipe-path recipe.json", &files);
    let of = |path: &str| vec![path.to_owned()];
    assert_eq!(
        (cook.files, cook.part, cook.makes),
        (of("/app/recipe.json"), Part::Whole, of("/app/target")),
        "another stage brings it"
    );
    assert_eq!(found("cargo chef cook", &[("recipe.json", "")]).files, ["/app/recipe.json"]);
    assert_eq!(found("cargo clean", &files).makes, ["/app/target"]);
    assert_eq!(found("cargo clean", &files).files, ["/app/Cargo.toml", "/app/src/main.rs"], "without a target it fails");
    for line in ["cargo update", "cargo build --offline", "sudo cargo build", "rustc main.rs"] {
        assert!(!matches!(ask(line, &files), Ok(Some(found)) if line != "sudo cargo build" || found.bolder.is_some()), "{line}");
    }
}

#[test]
fn stubs_need_a_user_who_may_write_and_no_project_of_an_earlier_step() {
    let files = Files::new(&[("Cargo.toml", ONE), ("src/main.rs", "")]);
    let other = User::Other { name: Some("app".to_owned()), uid: Knowledge::Unknown, gid: Knowledge::Unknown };
    let at = Surroundings { user: other, ..in_project("rust") };
    assert!(ask_at("cargo build", &files, &at).is_err());
    let earlier = [invocation(&["cargo", "new", "app"])];
    assert!(ask_at("cargo build", &files, &Surroundings { earlier: &earlier, ..in_project("rust") }).is_err());
    let earlier = [invocation(&["cargo", "clean"])];
    let cleaned = ask_at("cargo build", &files, &Surroundings { earlier: &earlier, ..in_project("rust") });
    assert_eq!(cleaned.unwrap().unwrap().bolder, None);
}
