//! Versions of engines, as their programs print them.
//!
//! Owns: finding one in a sentence, and their order. Never does: know what a version can do; that is `features`'.

use std::fmt;

/// `MAJOR.MINOR.PATCH`; what stands behind it (`-rc1`, `+dfsg1`) is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Docker: the year until 20.10.
    pub major: u32,
    /// Docker: the month until 20.10.
    pub minor: u32,
    /// 0 where none is said.
    pub patch: u32,
}

impl Version {
    /// A version by its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The first word of a text that is a version: `Docker version 28.2.2, build e6534b4`, `v0.13.1+ds1`.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || c == ',').find_map(Self::read)
    }

    fn read(word: &str) -> Option<Self> {
        let word = word.strip_prefix('v').unwrap_or(word);
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let mut numbers = word.get(..end)?.split('.').map(|number| number.parse().ok());
        let (major, minor) = (numbers.next()??, numbers.next()??);
        Some(Self { major, minor, patch: numbers.next().flatten().unwrap_or(0) })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn the_version_is_found_in_what_each_program_says() {
        let find = |text| Version::find(text).map(|version| version.to_string());
        assert_eq!(find("Docker version 28.2.2, build e6534b4").as_deref(), Some("28.2.2"));
        assert_eq!(find("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3").as_deref(), Some("0.13.1"));
        assert_eq!(find("github.com/docker/buildx v0.29 abc").as_deref(), Some("0.29.0"));
        assert_eq!(find("buildah version 1.39.3 (image-spec 1.1.0, runtime-spec 1.2.0)").as_deref(), Some("1.39.3"));
        assert_eq!(find("20.10.24+dfsg1").as_deref(), Some("20.10.24"));
        assert_eq!(find("no version, 3 words"), None);
    }
}
