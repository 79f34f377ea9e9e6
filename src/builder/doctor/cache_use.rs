//! What a build cache holds.
//!
//! Owns: reading what `docker buildx du --verbose` prints. Never does: remove anything.

use std::collections::BTreeMap;

/// One kind of what is in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheUse {
    /// As BuildKit names it: `regular`, `exec.cachemount`, `source.local`, `source.git.checkout`, `frontend`, `internal`.
    pub kind: String,
    /// How many there are.
    pub count: usize,
    /// Their sizes, added up; what images share with them is in it.
    pub bytes: u64,
}

impl CacheUse {
    /// What it is, for people.
    pub fn words(&self) -> &'static str {
        match self.kind.as_str() {
            "regular" => "layers",
            "exec.cachemount" => "cache mounts",
            "source.local" => "build contexts",
            "source.git.checkout" => "git checkouts",
            "frontend" => "frontends (# syntax=)",
            _ => "of the engine's own",
        }
    }
}

/// By kind, largest first.
pub(super) fn read(said: &str) -> Vec<CacheUse> {
    let mut kinds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    let mut size = 0;
    for line in said.lines() {
        if line.starts_with("ID:") {
            size = 0;
        } else if let Some(value) = line.strip_prefix("Size:") {
            size = bytes(value.trim()).unwrap_or_default();
        } else if let Some(kind) = line.strip_prefix("Type:") {
            let (count, sum) = kinds.entry(kind.trim()).or_default();
            *count += 1;
            *sum += size;
        }
    }
    let mut uses: Vec<CacheUse> =
        kinds.into_iter().map(|(kind, (count, bytes))| CacheUse { kind: kind.to_owned(), count, bytes }).collect();
    uses.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    uses
}

/// `712.4MB`, `0B`, as docker prints them: thousands.
fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text.get(..end)?.parse().ok()?;
    let power = match text.get(end..)? {
        "B" => 0,
        "kB" | "KB" => 1,
        "MB" => 2,
        "GB" => 3,
        "TB" => 4,
        _ => return None,
    };
    Some((number * 1000_f64.powi(power)) as u64)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn kinds_are_added_up() {
        let said = "ID:\t\ta\nSize:\t\t1.5MB\nDescription:\tx\nType:\t\tregular\n\nID:\tb\nSize: 2kB\nType:\t\texec.cachemount\n\n\
                    ID:\tc\nSize:\t500kB\nType:\t\tregular\n\nShared:\t\t2MB\nTotal:\t\t2MB\n";
        let uses: Vec<_> = read(said).into_iter().map(|one| (one.words(), one.count, one.bytes)).collect();
        assert_eq!(uses, [("layers", 2, 2_000_000), ("cache mounts", 1, 2_000)]);
    }
}
