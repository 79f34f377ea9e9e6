//! What engines know of the Dockerfile's newer parts.
//!
//! Owns: the table by version. It was made by trying docker 20.10, 26.1 and 28.5 and buildah 1.28, 1.39 and 1.43; a version
//! between two that answer differently is `None`: ask the engine ([`super::asked`]). Never does: run an engine.

use super::{Kind, Version};

/// A part of the Dockerfile's language that not every engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// `RUN --mount=type=cache`.
    CacheMounts,
    /// `RUN <<EOF`, `COPY <<EOF /file`.
    Heredocs,
    /// `COPY --link`.
    Link,
    /// `COPY --parents`.
    Parents,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CacheMounts, Self::Heredocs, Self::Link, Self::Parents];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CacheMounts => "cache mounts",
            Self::Heredocs => "heredocs",
            Self::Link => "COPY --link",
            Self::Parents => "COPY --parents",
        }
    }
}

/// What an engine's own frontend knows, without a `# syntax=` line; `None`: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `RUN --mount=type=cache`.
    pub cache_mounts: Option<bool>,
    /// `RUN <<EOF`, `COPY <<EOF /file`.
    pub heredocs: Option<bool>,
    /// `COPY --link`.
    pub link: Option<bool>,
    /// `COPY --parents`.
    pub parents: Option<bool>,
}

impl Features {
    /// By the version of docker's daemon, or of buildah.
    pub(super) fn of(kind: Kind, version: Version) -> Self {
        // From the first version that is known to have it on; up to the last that is known to lack it not.
        let since = |lacks: Version, has: Version| match version {
            version if version >= has => Some(true),
            version if version <= lacks => Some(false),
            _ => None,
        };
        let v = Version::new;
        match kind {
            Kind::Docker => Self {
                cache_mounts: since(v(19, 3, 99), v(20, 10, 0)),
                heredocs: since(v(20, 10, 99), v(23, 0, 0)),
                link: since(v(20, 10, 99), v(23, 0, 0)),
                parents: if version <= v(28, 5, 99) { Some(false) } else { None },
            },
            Kind::Podman | Kind::Buildah => Self {
                cache_mounts: since(v(1, 23, 99), v(1, 24, 0)),
                heredocs: since(v(1, 28, 99), v(1, 39, 0)),
                link: since(v(1, 39, 99), v(1, 43, 0)),
                parents: since(v(1, 39, 99), v(1, 43, 0)),
            },
        }
    }

    /// One of them.
    pub fn get(&self, feature: Feature) -> Option<bool> {
        match feature {
            Feature::CacheMounts => self.cache_mounts,
            Feature::Heredocs => self.heredocs,
            Feature::Link => self.link,
            Feature::Parents => self.parents,
        }
    }

    /// The same with one answer more.
    pub fn with(mut self, feature: Feature, answer: Option<bool>) -> Self {
        let place = match feature {
            Feature::CacheMounts => &mut self.cache_mounts,
            Feature::Heredocs => &mut self.heredocs,
            Feature::Link => &mut self.link,
            Feature::Parents => &mut self.parents,
        };
        *place = answer;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, Kind, Version};

    fn known(kind: Kind, major: u32, minor: u32) -> [Option<bool>; 4] {
        let features = Features::of(kind, Version::new(major, minor, 0));
        [features.cache_mounts, features.heredocs, features.link, features.parents]
    }

    #[test]
    fn the_versions_that_were_tried() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(known(Kind::Docker, 20, 10), [yes, no, no, no]);
        assert_eq!(known(Kind::Docker, 26, 1), [yes, yes, yes, no]);
        assert_eq!(known(Kind::Docker, 28, 5), [yes, yes, yes, no]);
        assert_eq!(known(Kind::Buildah, 1, 28), [yes, no, no, no]);
        assert_eq!(known(Kind::Buildah, 1, 39), [yes, yes, no, no]);
        assert_eq!(known(Kind::Buildah, 1, 43), [yes; 4]);
        assert_eq!(known(Kind::Buildah, 1, 34), [yes, None, no, no]);
    }
}
