//! What one run of ours makes on an engine.
//!
//! Owns: names for images and cache mounts that nobody else uses, and taking away all of them at the end, also after an error or
//! ctrl-C. Layers in the engine's build cache stay, as after any build; the engine's garbage collection sees to them.

use super::staging::unique;
use super::{BuildError, BuildRequest, Built, Engine, Watch};
use std::cell::RefCell;

/// Images and cache mounts that go when the value does.
pub struct Session<'e> {
    engine: &'e dyn Engine,
    watch: &'e Watch,
    images: RefCell<Vec<String>>,
    caches: RefCell<Vec<String>>,
}

impl<'e> Session<'e> {
    /// Without anything made yet.
    pub fn new(engine: &'e dyn Engine, watch: &'e Watch) -> Self {
        Self { engine, watch, images: RefCell::default(), caches: RefCell::default() }
    }

    /// The engine.
    pub fn engine(&self) -> &'e dyn Engine {
        self.engine
    }

    /// The time limit and ctrl-C.
    pub fn watch(&self) -> &'e Watch {
        self.watch
    }

    /// Cache mounts of their own: a name for [`BuildRequest::caches`], taken away at the end.
    pub fn own_caches(&self) -> String {
        let name = unique("dockeropt");
        self.caches.borrow_mut().push(name.clone());
        name
    }

    /// Builds an image, and gives its name with it. `request.tag` is not looked at.
    ///
    /// # Errors
    /// As [`Engine::build`].
    pub fn build(&self, request: &BuildRequest<'_>) -> Result<(String, Built), BuildError> {
        let name = format!("{}:built", unique("dockeropt"));
        // Noted before: a build that is broken off may have named it already.
        self.images.borrow_mut().push(name.clone());
        let built = self.engine.build(&BuildRequest { tag: Some(&name), ..*request }, self.watch);
        if built.is_err() && !matches!(built, Err(BuildError::Interrupted | BuildError::TimedOut { .. })) {
            self.images.borrow_mut().retain(|image| *image != name);
        }
        Ok((name, built?))
    }

    /// Takes an image away before the end.
    pub fn remove(&self, image: &str) {
        self.images.borrow_mut().retain(|other| other != image);
        // One that stays behind is the engine's to tell of; the run goes on without it.
        drop(self.engine.remove(image, &self.watch.for_cleanup()));
    }

    /// Leaves the images where they are, and names them.
    pub fn keep_images(&self) -> Vec<String> {
        self.images.take()
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let watch = self.watch.for_cleanup();
        for image in self.images.take() {
            drop(self.engine.remove(&image, &watch));
        }
        for name in self.caches.take() {
            drop(self.engine.forget_caches(&name, &watch));
        }
    }
}
