//! Buildah, and podman, which builds by it.
//!
//! Owns: the arguments of their commands. Cache mounts lie in a folder below TMPDIR there, so that mounts of our own are a TMPDIR
//! of our own. Never does: pull an image that is there.

use super::docker::{common_options, run, stream};
use super::program::{Answer, Call};
use super::progress::Form;
use super::staging::{Folder, unique};
use super::{BuildError, BuildRequest, Built, Engine, Features, Identity, Kind, QUESTION, Version, Watch};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

/// The first with cache mounts.
const FIRST: Version = Version::new(1, 24, 0);

/// The engine.
pub(super) struct Buildah {
    identity: Identity,
    /// The folders of cache mounts, by name.
    caches: Mutex<HashMap<String, Folder>>,
}

impl Buildah {
    /// Buildah itself.
    pub(super) fn open(program: &str, version: Version) -> Result<Self, BuildError> {
        Self::new(Kind::Buildah, program, version, version)
    }

    /// Podman: what its Dockerfiles may use goes by the buildah in it.
    pub(super) fn open_podman(program: &str, client: Version, watch: &Watch) -> Result<Self, BuildError> {
        let call = Call::new(program).arguments(["info", "--format", "{{.Host.BuildahVersion}}"]);
        let said = call.must(&watch.at_most(QUESTION))?;
        let Some(server) = Version::find(&said) else { return Err(call.failed(&said)) };
        Self::new(Kind::Podman, program, client, server)
    }

    fn new(kind: Kind, program: &str, client: Version, server: Version) -> Result<Self, BuildError> {
        if server < FIRST {
            return Err(BuildError::TooOld { program: program.to_owned(), found: server, needed: FIRST });
        }
        let features = Features::of(kind, server);
        let identity = Identity { kind, program: program.to_owned(), client, server, buildx: None, features };
        Ok(Self { identity, caches: Mutex::default() })
    }

    fn call(&self) -> Call {
        Call::new(&self.identity.program)
    }

    fn build_call(&self, request: &BuildRequest<'_>, staged: &Folder) -> Result<Call, BuildError> {
        let mut call = self.call().arguments(["build", "--layers"]);
        if let Some(name) = request.caches {
            let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
            if !caches.contains_key(name) {
                caches.insert(name.to_owned(), Folder::new()?);
            }
            if let Some(folder) = caches.get(name) {
                call = call.environment("TMPDIR", folder.path());
            }
        }
        let file = staged.write("Dockerfile", request.dockerfile)?;
        if let Some(ignore) = request.ignore {
            let file = staged.write("ignore", ignore)?;
            call = call.arguments([OsString::from("--ignorefile"), file.into()]);
        }
        call = call.arguments([OsString::from("--file"), file.into()]).arguments(common_options(request));
        Ok(call.arguments(request.extra).arguments([request.context]))
    }
}

impl Engine for Buildah {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn build(&self, request: &BuildRequest<'_>, watch: &Watch) -> Result<Built, BuildError> {
        let staged = Folder::new()?;
        if request.tag.is_some() {
            return run(&self.build_call(request, &staged)?, Form::Numbered, watch);
        }
        // Without a name the image would stay, and nobody could say which it is.
        let name = format!("{}:asked", unique("dockeropt"));
        let named = BuildRequest { tag: Some(&name), ..*request };
        let built = run(&self.build_call(&named, &staged)?, Form::Numbered, watch)?;
        self.remove(&name, &watch.for_cleanup())?;
        Ok(built)
    }

    fn export(
        &self,
        image: &str,
        watch: &Watch,
        read: &mut dyn FnMut(&mut dyn Read) -> std::io::Result<()>,
    ) -> Result<(), BuildError> {
        let call = match self.identity.kind {
            Kind::Podman => self.call().arguments(["save", "--format", "docker-archive", image]),
            _ => self.call().arguments(["push", "--quiet", image, "docker-archive:/dev/stdout"]),
        };
        stream(&call, watch, read)
    }

    fn image_size(&self, image: &str, watch: &Watch) -> Result<Option<u64>, BuildError> {
        if self.identity.kind == Kind::Buildah {
            return Ok(None);
        }
        let said = self.call().arguments(["image", "inspect", "--format", "{{.Size}}", image]).must(watch)?;
        Ok(said.trim().parse().ok())
    }

    fn remove(&self, image: &str, watch: &Watch) -> Result<(), BuildError> {
        self.call().arguments(["rmi", image]).must(watch).map(drop)
    }

    fn forget_caches(&self, name: &str, _: &Watch) -> Result<(), BuildError> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }

    fn ask(&self, arguments: &[&str], watch: &Watch) -> Result<Answer, BuildError> {
        self.call().arguments(arguments).answer(watch)
    }
}
