//! What a fix costs and gains, by the builder's cache keys.
//!
//! Owns: comparing a file before and after a pass with `cache`'s model. Never does: count where nothing moved.

use crate::cache::{self, Builder, Change, Gain, Plan, Replay};
use crate::context::View;
use crate::syntax::Dockerfile;
use std::cell::OnceCell;

/// A file before a pass.
pub(super) struct Worth<'d> {
    pub(super) dockerfile: &'d Dockerfile,
    view: Option<View>,
    plan: OnceCell<Plan>,
}

impl<'d> Worth<'d> {
    pub(super) fn new(dockerfile: &'d Dockerfile, view: Option<View>) -> Self {
        Self { dockerfile, view, plan: OnceCell::new() }
    }

    fn plan(&self) -> &Plan {
        self.plan.get_or_init(|| plan(self.dockerfile, self.view.as_ref()))
    }

    /// Why builds would cost more with the file as it is now. `view`: the context as it is now.
    pub(super) fn grown(&self, next: &Dockerfile, view: Option<&View>) -> Option<String> {
        let before = self.view.as_ref()?;
        cache::grown(self.plan(), &plan(next, view), before)
    }

    /// What is gained with the file as it is now.
    pub(super) fn gains(&self, next: &Dockerfile, view: Option<&View>) -> Vec<Gain> {
        let after = plan(next, view);
        let installs = |change: &Change| {
            let of = |file: &Dockerfile, view: Option<&View>, plan: &Plan| {
                Replay::of(file, view, plan.clone(), std::slice::from_ref(change)).totals().dependencies
            };
            (of(self.dockerfile, self.view.as_ref(), self.plan()), of(next, view, &after))
        };
        cache::gains(self.plan(), &after, self.view.as_ref(), &installs)
    }
}

/// Of the image that the file is for, whatever builder it meets: `--link` is not relied on.
fn plan(dockerfile: &Dockerfile, view: Option<&View>) -> Plan {
    Plan::of(dockerfile, view, None, Builder { merges: false })
}
