//! What a RUN mounts of the build context.
//!
//! Owns: bind mounts as places of the context. Never does: look at mounts of caches, secrets or other stages.

use crate::context::{Kind, View};
use crate::model::brought::{ContextCopy, Laid, Map};
use crate::model::{Step, mount_option};

/// Files of the build context that a RUN mounts.
pub(super) struct Mounted {
    pub(super) maps: Vec<Map>,
}

impl Mounted {
    /// `None` when a mount can't be followed.
    pub(super) fn of(step: &Step<'_>, view: &View) -> Option<Self> {
        let mut maps = Vec::new();
        for flag in step.instruction.flags_named("mount") {
            let value = flag.value();
            let kind = mount_option(value, "type").unwrap_or("bind");
            if kind != "bind" || mount_option(value, "from").is_some() {
                continue;
            }
            let option = |names: &[&str]| names.iter().find_map(|name| mount_option(value, name)).map(str::to_owned);
            let to = step.state.absolute(&option(&["target", "dst", "destination"])?).into_known()?;
            let source = step.state.lookup_text(&option(&["source", "src"]).unwrap_or_default())?;
            let from = match source.trim_matches('/') {
                "" | "." => String::new(),
                _ => view.expand(&source).pop()?,
            };
            let folder = view.kind(&from) == Some(Kind::Folder);
            maps.push(Map { from, to, folder, source: 0 });
        }
        Some(Self { maps })
    }

    /// The project as the RUN finds it.
    pub(super) fn over<'v>(&self, laid: &Laid<'v>) -> Laid<'v> {
        let mut laid = laid.clone();
        if !self.maps.is_empty() {
            laid.lay(ContextCopy { maps: self.maps.clone(), unseen: Vec::new() });
        }
        laid
    }
}
