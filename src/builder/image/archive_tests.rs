//! Archives made in memory, in the forms that engines write.

use super::{Images, beside};
use crate::builder::image::{EntryKind, Image};
use std::io::Write;

type Tar = tar::Builder<Vec<u8>>;

fn add(tar: &mut Tar, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len().try_into().unwrap());
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, name, content).unwrap();
}

fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Tar::new(Vec::new());
    files.iter().for_each(|(name, content)| add(&mut tar, name, content));
    tar.into_inner().unwrap()
}

fn read(tar: Tar) -> std::io::Result<Image> {
    Images::default().read(&mut tar.into_inner().unwrap().as_slice())
}

const CONFIG: &[u8] = br#"{"os":"linux","architecture":"amd64","config":{"Env":["A=1"]}}"#;

#[test]
fn the_manifest_may_come_after_the_layers_and_layers_may_be_compressed() {
    let mut tar = Tar::new(Vec::new());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&layer(&[("b", b"2"), (".wh.a", b"")])).unwrap();
    add(&mut tar, "2/layer.tar", &gz.finish().unwrap());
    add(&mut tar, "1/layer.tar", &layer(&[("a", b"1"), ("c", b"3")]));
    add(&mut tar, "c.json", CONFIG);
    add(&mut tar, "manifest.json", br#"[{"Config":"c.json","Layers":["1/layer.tar","2/layer.tar"]}]"#);
    let image = read(tar).unwrap();
    assert_eq!(image.entries.keys().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!((image.platform.as_str(), image.config["Env"][0].as_str()), ("linux/amd64", Some("A=1")));
}

/// As from a pipe that gives little at a time.
struct Drops<'b>(&'b [u8]);

impl std::io::Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(7).min(self.0.len());
        let (now, rest) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = rest;
        Ok(count)
    }
}

#[test]
fn it_does_not_matter_how_much_comes_at_a_time() {
    let mut tar = Tar::new(Vec::new());
    add(&mut tar, "l.tar", &layer(&[("a", b"1"), ("b", &[7; 3000])]));
    add(&mut tar, "c.json", CONFIG);
    add(&mut tar, "manifest.json", br#"[{"Config":"c.json","Layers":["l.tar"]}]"#);
    let bytes = tar.into_inner().unwrap();
    let image = Images::default().read(&mut Drops(&bytes)).unwrap();
    assert_eq!(image.entries, Images::default().read(&mut bytes.as_slice()).unwrap().entries);
    assert_eq!(image.entries.len(), 2);
}

#[test]
fn an_oci_layout_is_read_by_its_index() {
    let mut tar = Tar::new(Vec::new());
    add(&mut tar, "index.json", br#"{"manifests":[{"digest":"sha256:m"}]}"#);
    add(&mut tar, "blobs/sha256/m", br#"{"config":{"digest":"sha256:c"},"layers":[{"digest":"sha256:l"}]}"#);
    add(&mut tar, "blobs/sha256/c", CONFIG);
    add(&mut tar, "blobs/sha256/l", &layer(&[("./d/x", b"1")]));
    assert_eq!(read(tar).unwrap().entries.keys().collect::<Vec<_>>(), ["d/x"]);
}

#[test]
fn extended_attributes_large_numbers_and_links_are_read() {
    let mut inner = Tar::new(Vec::new());
    inner.append_pax_extensions([("SCHILY.xattr.security.capability", b"\x01\0\x02".as_slice()), ("uid", b"4000000")]).unwrap();
    add(&mut inner, "x", b"1");
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Link);
    header.set_size(0);
    header.set_mode(0o777);
    header.set_uid(0);
    header.set_gid(0);
    inner.append_link(&mut header, "y", "x").unwrap();
    header.set_entry_type(tar::EntryType::Symlink);
    inner.append_link(&mut header, "z", "/x").unwrap();
    let mut tar = Tar::new(Vec::new());
    add(&mut tar, "l.tar", &inner.into_inner().unwrap());
    add(&mut tar, "c.json", CONFIG);
    add(&mut tar, "manifest.json", br#"[{"Config":"c.json","Layers":["l.tar"]}]"#);
    let image = read(tar).unwrap();
    let x = &image.entries["x"];
    assert_eq!((x.uid, x.xattrs["security.capability"].as_slice()), (4_000_000, b"\x01\0\x02".as_slice()));
    assert_eq!(image.entries["y"].uid, x.uid);
    assert!(matches!(&x.kind, EntryKind::File { links, .. } if *links == ["y"]));
    assert_eq!(image.entries["z"].kind, EntryKind::Symlink("/x".to_owned()));
}

#[test]
fn the_value_of_an_attribute_may_hold_line_ends() {
    let mut inner = Tar::new(Vec::new());
    inner
        .append_pax_extensions([
            (
                "SCHILY.xattr.user.x",
                b"a
b
"
                .as_slice(),
            ),
            ("gid", b"7"),
        ])
        .unwrap();
    add(&mut inner, "x", b"1");
    let mut tar = Tar::new(Vec::new());
    add(&mut tar, "l.tar", &inner.into_inner().unwrap());
    add(&mut tar, "c.json", CONFIG);
    add(&mut tar, "manifest.json", br#"[{"Config":"c.json","Layers":["l.tar"]}]"#);
    let image = read(tar).unwrap();
    assert_eq!(
        (image.entries["x"].xattrs["user.x"].as_slice(), image.entries["x"].gid),
        (
            b"a
b
"
            .as_slice(),
            7
        )
    );
}

#[test]
fn of_compiled_python_only_the_time_is_left_out() {
    let pyc = |flags: u8, time: u8, rest: &[u8]| {
        let content = [&[1, 2, 3, 4, flags, 0, 0, 0, time, 0, 0, 0, 9, 0, 0, 0], rest].concat();
        let mut tar = Tar::new(Vec::new());
        add(&mut tar, "l.tar", &layer(&[("a.pyc", &content)]));
        add(&mut tar, "c.json", CONFIG);
        add(&mut tar, "manifest.json", br#"[{"Config":"c.json","Layers":["l.tar"]}]"#);
        read(tar).unwrap().entries.remove("a.pyc").unwrap()
    };
    assert_eq!(pyc(0, 1, b"x"), pyc(0, 2, b"x"));
    assert_ne!(pyc(0, 1, b"x"), pyc(0, 1, b"y"));
    assert_ne!(pyc(1, 1, b"x"), pyc(1, 2, b"x"), "with a flag these bytes are a hash of the source");
}

#[test]
fn what_is_no_image_is_said() {
    let mut tar = Tar::new(Vec::new());
    add(&mut tar, "x", b"1");
    assert!(read(tar).unwrap_err().to_string().contains("no manifest"));
    let mut tar = Tar::new(Vec::new());
    add(&mut tar, "manifest.json", br#"[{"Config":"c.json","Layers":["l.tar"]}]"#);
    assert!(read(tar).unwrap_err().to_string().contains("c.json is named in the archive"));
    let mut tar = Tar::new(Vec::new());
    add(&mut tar, "l.tar", &[0x28, 0xb5, 0x2f, 0xfd, 0]);
    assert!(read(tar).unwrap_err().to_string().contains("zstd"));
    assert_eq!(beside("a/layer.tar", "../b/layer.tar"), "b/layer.tar");
}
