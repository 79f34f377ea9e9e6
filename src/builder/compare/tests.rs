//! Each respect in which images can differ is found; each rule lets pass what it names and nothing beside it.

use super::{Aspect, Comparison, Noise, RULES, compare};
use crate::builder::image::{Entry, EntryKind, Image};
use serde_json::json;
use std::collections::BTreeMap;

fn file(content: u8) -> Entry {
    let kind = EntryKind::File { hash: [content; 32], size: 1, links: Vec::new() };
    Entry { kind, mode: 0o644, uid: 0, gid: 0, xattrs: BTreeMap::new() }
}

fn folder() -> Entry {
    Entry { kind: EntryKind::Directory, mode: 0o755, ..file(0) }
}

fn image(entries: &[(&str, Entry)]) -> Image {
    let entries = entries.iter().map(|(path, entry)| ((*path).to_owned(), entry.clone())).collect();
    Image { entries, config: BTreeMap::new(), platform: "linux/amd64".to_owned() }
}

fn of(before: &[(&str, Entry)], after: &[(&str, Entry)]) -> Comparison {
    compare(&image(before), &image(after), &Noise::default())
}

#[test]
fn every_respect_is_compared() {
    let x = file(1);
    let one = |after: Entry| {
        let comparison = of(&[("x", x.clone())], &[("x", after)]);
        comparison.differences.iter().map(|difference| difference.aspect).collect::<Vec<_>>()
    };
    assert_eq!(one(x.clone()), []);
    assert_eq!(one(file(2)), [Aspect::Content]);
    assert_eq!(one(Entry { mode: 0o4644, ..x.clone() }), [Aspect::Mode]);
    assert_eq!(one(Entry { uid: 1000, ..x.clone() }), [Aspect::Owner]);
    assert_eq!(one(Entry { gid: 1000, ..x.clone() }), [Aspect::Owner]);
    let xattrs = BTreeMap::from([("security.capability".to_owned(), vec![1])]);
    assert_eq!(one(Entry { xattrs, ..x.clone() }), [Aspect::ExtendedAttributes]);
    let linked = EntryKind::File { hash: [1; 32], size: 1, links: vec!["y".to_owned()] };
    assert_eq!(one(Entry { kind: linked, ..x.clone() }), [Aspect::HardLinks]);
    assert_eq!(one(Entry { kind: EntryKind::Symlink("y".to_owned()), ..x.clone() }), [Aspect::Type]);
    let link = |to: &str| ("l", Entry { kind: EntryKind::Symlink(to.to_owned()), ..x.clone() });
    assert_eq!(of(&[link("a")], &[link("b")]).differences[0].aspect, Aspect::LinkTarget);
    let words = of(&[("bin/greet", x.clone())], &[]).differences[0].to_string();
    assert_eq!(words, "/bin/greet: only before: file of 1 bytes");
}

#[test]
fn env_has_no_order_and_nothing_has_many_forms() {
    let with = |config: serde_json::Value| {
        let mut image = image(&[]);
        image.config = config.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        image
    };
    let words = |one, other| {
        let comparison = compare(&with(one), &with(other), &Noise::default());
        comparison.differences.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        words(json!({"Env": ["A=1", "B=2"], "Cmd": null}), json!({"Env": ["B=2", "A=1"], "User": "", "Labels": {}})),
        [""; 0]
    );
    assert_eq!(words(json!({"Env": ["A=1"]}), json!({"Env": []})), [r#"config Env: value: ["A=1"] before, nothing after"#]);
    assert_eq!(words(json!({"User": "1000"}), json!({"User": "0"})), [r#"config User: value: "1000" before, "0" after"#]);
    assert_eq!(words(json!({"Cmd": ["a", "b"]}), json!({"Cmd": ["b", "a"]})).len(), 1);
    assert_eq!(words(json!({"OnBuild": ["RUN x"]}), json!({})).len(), 1);
}

#[test]
fn rules_let_pass_what_they_name() {
    let rule = |path: &str| {
        let comparison = of(&[(path, file(1))], &[]);
        comparison.passed.first().map(|passed| passed.rule)
    };
    assert_eq!(rule("var/log/dpkg.log"), Some("logs"));
    assert_eq!(rule("var/lib/apt/lists/x_Packages"), Some("package-indexes"));
    assert_eq!(rule("var/lib/apt/extended_states"), None);
    assert_eq!(rule("etc/apt/apt.conf.d/docker-clean"), None);
    assert_eq!(rule("var/lib/dpkg/status-old"), Some("backups"));
    assert_eq!(rule("var/lib/dpkg/status"), None);
    assert_eq!(rule("etc/passwd"), None);
    assert_eq!(rule("root/.cache/pip/x"), Some("manager-caches"));
    assert_eq!(rule("app/target/release/app"), None);
    assert_eq!(rule("usr/local/bin/greet"), None);
    assert_eq!(rule("etc/machine-id"), Some("per-container"));
    assert_eq!(rule("development"), None);
    let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
}

#[test]
fn the_way_to_a_cache_may_go_with_it_and_not_with_anything_else_in_it() {
    let way = [("root/.local", folder()), ("root/.local/share", folder()), ("root/.local/share/pnpm", folder())];
    let cache = ("root/.local/share/pnpm/store/v3/x", file(1));
    let before = [way.as_slice(), &[cache]].concat();
    assert!(of(&before, &[]).equal());
    let more = [before.as_slice(), &[("root/.local/share/fonts", file(1))]].concat();
    let words: Vec<_> = of(&more, &[]).differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "/root/.local: only before: folder",
            "/root/.local/share: only before: folder",
            "/root/.local/share/fonts: only before: file of 1 bytes"
        ]
    );
}

#[test]
fn what_differs_by_itself_is_noise_in_that_respect_alone() {
    let entries = |content: u8, mode: u32, name: &str| image(&[("x", Entry { mode, ..file(content) }), (name, file(1))]);
    let (one, other) = (entries(1, 0o644, "f-0011223344556677"), entries(2, 0o644, "f-1011223344556677"));
    let noise = Noise::between(&one, &other);
    assert!(compare(&one, &entries(3, 0o644, "f-2011223344556677"), &noise).equal());
    let comparison = compare(&one, &entries(3, 0o755, "g-2011223344556677"), &noise);
    let words: Vec<_> = comparison.differences.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["/g-2011223344556677: only after: file of 1 bytes", "/x: mode: 0644 before, 0755 after"]);
}

#[test]
fn the_caches_are_told_by_their_size() {
    let comparison = of(&[("root/.cache/pip/a", file(1)), ("root/.npm/b", file(1))], &[]);
    assert_eq!((comparison.cached, comparison.equal()), ((2, 0), true));
}

#[test]
fn a_link_into_a_cache_may_go_and_one_elsewhere_may_not() {
    let linked = |links: &[&str]| {
        let links = links.iter().map(|link| (*link).to_owned()).collect();
        ("app/x", Entry { kind: EntryKind::File { hash: [1; 32], size: 1, links }, ..file(1) })
    };
    assert!(of(&[linked(&["root/.local/share/pnpm/store/v3/x"])], &[linked(&[])]).equal());
    assert!(!of(&[linked(&["app/y", "root/.local/share/pnpm/store/v3/x"])], &[linked(&[])]).equal());
}
