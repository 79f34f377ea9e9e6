//! What is in a file.
//!
//! Owns: reading text, with a limit, and saying what is wrong with what can't be read as text.

use crate::report;
use anyhow::{Context, bail, ensure};
use std::io::Read;
use std::path::Path;

/// No Dockerfile is as long; what is, is something else (or has no end, as `/dev/zero`).
const LONGEST: u64 = 16 << 20;

/// Whether an argument means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let shown = report::path::shown(path);
    let mut bytes = Vec::new();
    if is_stdin(path) {
        std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes).context("standard input can't be read")?;
    } else {
        let metadata = path.metadata().with_context(|| format!("{shown}: can't be read"))?;
        // Looked at before it is opened: opening a pipe waits for somebody to write into it.
        ensure!(!metadata.is_dir(), "{shown}: is a folder: name a file");
        ensure!(metadata.is_file(), "{shown}: is a device, pipe or socket: name a regular file");
        let file = std::fs::File::open(path).with_context(|| format!("{shown}: can't be read"))?;
        bytes.reserve(usize::try_from(metadata.len().min(LONGEST)).unwrap_or_default() + 1);
        file.take(LONGEST + 1).read_to_end(&mut bytes).with_context(|| format!("{shown}: can't be read"))?;
    }
    let long = u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST;
    ensure!(!long, "{shown}: is longer than {} MiB: that is no Dockerfile", LONGEST >> 20);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => not_text(&shown, error.as_bytes(), error.utf8_error().valid_up_to()),
    }
}

fn not_text(shown: &str, bytes: &[u8], offset: usize) -> anyhow::Result<String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        bail!("{shown}:1:1: is UTF-16, which the builder can't read: save it as UTF-8");
    }
    let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or_default());
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&character| character != '\n').count() + 1;
    let byte = bytes.get(offset).copied().unwrap_or_default();
    bail!("{shown}:{line}:{column}: is not UTF-8 (byte 0x{byte:02X} at offset {offset}): save it as UTF-8");
}
