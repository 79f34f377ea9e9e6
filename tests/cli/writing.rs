//! `--write`: whole or not at all, and nothing else about the file changes.

use super::place::Place;
use super::{BEFORE, after};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn place() -> Place {
    let place = Place::new();
    place.file("Dockerfile", BEFORE);
    place
}

#[test]
fn the_file_is_replaced_and_nothing_is_left_beside_it() {
    let place = place();
    let node = place.path("Dockerfile").metadata().unwrap().ino();
    place.run(&["fix", "--write"]).exits(0).prints("").says(&["1 of 1 file changed, 2 fixes"]);
    assert_eq!(place.text("Dockerfile"), after());
    assert_ne!(place.path("Dockerfile").metadata().unwrap().ino(), node, "a new file took its place");
    assert_eq!(place.names(), ["Dockerfile"]);
}

#[test]
fn a_file_without_a_change_is_not_touched() {
    let place = place();
    place.run(&["fix", "--write"]).exits(0);
    let (node, time) =
        (place.path("Dockerfile").metadata().unwrap().ino(), place.path("Dockerfile").metadata().unwrap().mtime_nsec());
    place.run(&["fix", "--write"]).exits(0).says(&["0 of 1 file changed"]);
    let metadata = place.path("Dockerfile").metadata().unwrap();
    assert_eq!((metadata.ino(), metadata.mtime_nsec()), (node, time));
}

#[test]
fn diff_and_write_do_both() {
    let place = place();
    let diff = place.run(&["fix", "--diff"]).stdout;
    place.run(&["fix", "--diff", "--write"]).exits(0).prints(&diff);
    assert_eq!(place.text("Dockerfile"), after());
}

#[test]
fn mode_and_owner_are_kept() {
    let place = place();
    let path = place.path("Dockerfile");
    let owner = std::os::unix::fs::chown(&path, Some(1234), Some(4321)).is_ok();
    for mode in [0o600, 0o755, 0o664, 0o4755] {
        place.mode("Dockerfile", mode);
        std::fs::write(&path, BEFORE).unwrap();
        place.mode("Dockerfile", mode);
        place.run(&["fix", "--write"]).exits(0);
        let metadata = path.metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, mode);
        assert!(!owner || (metadata.uid(), metadata.gid()) == (1234, 4321));
        assert_eq!(place.text("Dockerfile"), after());
    }
}

#[test]
fn a_link_is_written_through_and_stays_a_link() {
    let place = Place::new();
    place.file("real/base", BEFORE);
    symlink("real/base", place.path("middle")).unwrap();
    symlink("middle", place.path("Dockerfile")).unwrap();
    place.run(&["fix", "--write", "Dockerfile"]).exits(0);
    assert_eq!(place.text("real/base"), after());
    assert_eq!(std::fs::read_link(place.path("Dockerfile")).unwrap().to_str(), Some("middle"));
    assert_eq!(place.names(), ["Dockerfile", "middle", "real"]);
}

#[test]
fn a_hard_link_is_left_alone() {
    let place = place();
    std::fs::hard_link(place.path("Dockerfile"), place.path("other")).unwrap();
    place.run(&["fix", "--write"]).exits(2).says(&["error: Dockerfile: not written: it has 2 names (hard links)"]);
    assert_eq!(place.text("Dockerfile"), BEFORE);
    assert_eq!(place.path("other").metadata().unwrap().nlink(), 2);
    place.run(&["fix", "--diff"]).exits(0).says(&["1 of 1 file would change"]);
    assert_eq!(place.names(), ["Dockerfile", "other"]);
}

#[test]
fn a_read_only_file_is_left_alone() {
    let place = place();
    place.file("good/Dockerfile", BEFORE);
    place.mode("Dockerfile", 0o444);
    place.run(&["fix", "--write"]).exits(2).says(&[
        "error: Dockerfile: not written: it is read-only",
        "chmod u+w",
        "1 of 2 files changed",
    ]);
    assert_eq!((place.text("Dockerfile").as_str(), place.text("good/Dockerfile").as_str()), (BEFORE, after()));
    place.mode("Dockerfile", 0o644);
}

#[test]
fn a_folder_that_takes_no_new_file_is_left_alone() {
    let place = Place::new();
    place.file("locked/Dockerfile", BEFORE).give_away("locked/Dockerfile").give_away("locked").mode("locked", 0o555);
    place.run_as_nobody(&["fix", "--write"]).exits(2).says(&["locked/Dockerfile: not written: no file can be made in", "denied"]);
    place.mode("locked", 0o755);
    assert_eq!(place.text("locked/Dockerfile"), BEFORE);
}

/// Only root can make a file that is another's, so only there is this seen.
#[test]
fn another_users_file_is_left_alone() {
    for (mode, words) in [(0o644, "ermission denied"), (0o666, "its owner can't be kept")] {
        let place = place();
        place.mode("Dockerfile", mode);
        let root = place.path("Dockerfile").metadata().unwrap().uid() == 0;
        if !root {
            println!("skipped: this user can't make a file of somebody else");
            return;
        }
        place.run_as_nobody(&["fix", "--write"]).exits(2).says(&["error: Dockerfile: not written: ", words]);
        assert_eq!(place.text("Dockerfile"), BEFORE);
        assert_eq!(place.names(), ["Dockerfile", "program"]);
    }
}

#[test]
fn carriage_returns_and_the_byte_order_mark_stay() {
    let place = Place::new();
    let crlf = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    place.file("Dockerfile", crlf(BEFORE)).run(&["fix", "--write"]).exits(0);
    assert_eq!(place.text("Dockerfile"), crlf(after()));
}

#[test]
fn the_same_file_reached_twice_is_done_once() {
    let place = place();
    let absolute = place.path("Dockerfile");
    symlink("Dockerfile", place.path("Dockerfile.link")).unwrap();
    let arguments = ["fix", "--write", "Dockerfile", "./Dockerfile", ".", "Dockerfile.link", absolute.to_str().unwrap()];
    place.run(&arguments).exits(0).says(&["1 of 1 file changed"]);
    assert_eq!(place.text("Dockerfile"), after());
}
