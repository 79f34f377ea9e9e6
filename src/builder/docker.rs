//! Docker: `docker buildx build`, or where buildx is not there the client's own `DOCKER_BUILDKIT=1 docker build`.
//!
//! Owns: the arguments of docker's commands, and what of its caches is whose. Never does: fall back to the classic builder, which
//! knows no mounts.

use super::program::{Answer, Call, Output, Said};
use super::progress::{Form, Reader};
use super::staging::Folder;
use super::{BuildError, BuildRequest, Built, Engine, Features, Identity, Kind, QUESTION, State, Version, Watch};
use std::ffi::OsString;
use std::io::Read;

/// The first whose BuildKit can be asked for.
const FIRST: Version = Version::new(18, 9, 0);

/// From here on the client has no BuildKit of its own.
const NEEDS_BUILDX: Version = Version::new(23, 0, 0);

/// The first buildx with `--progress=rawjson`.
const RAW_JSON: Version = Version::new(0, 13, 0);

/// The engine.
pub(super) struct Docker {
    identity: Identity,
}

impl Docker {
    /// Asks the client and its daemon who they are.
    pub(super) fn open(program: &str, client: Version, watch: &Watch) -> Result<Self, BuildError> {
        let watch = &watch.at_most(QUESTION);
        let call = Call::new(program).arguments(["version", "--format", "{{.Server.Version}}"]);
        let said = call.must(watch)?;
        let Some(server) = Version::find(&said) else { return Err(call.failed(&said)) };
        let older = client.min(server);
        if older < FIRST {
            return Err(BuildError::TooOld { program: program.to_owned(), found: older, needed: Version::new(20, 10, 0) });
        }
        let answer = Call::new(program).arguments(["buildx", "version"]).answer(watch)?;
        let buildx = answer.success.then(|| Version::find(&answer.stdout)).flatten();
        if buildx.is_none() && client >= NEEDS_BUILDX {
            return Err(BuildError::NoBuildx { words: answer.words() });
        }
        let features = Features::of(Kind::Docker, server);
        Ok(Self { identity: Identity { kind: Kind::Docker, program: program.to_owned(), client, server, buildx, features } })
    }

    fn call(&self) -> Call {
        // Attestations would make a list of images out of one.
        Call::new(&self.identity.program).environment("BUILDX_NO_DEFAULT_ATTESTATIONS", "1").environment("NO_COLOR", "1")
    }

    fn form(&self) -> Form {
        if self.identity.buildx.is_some_and(|version| version >= RAW_JSON) { Form::RawJson } else { Form::Plain }
    }

    fn build_call(&self, request: &BuildRequest<'_>, staged: &Folder) -> Result<Call, BuildError> {
        let mut call = self.call();
        call = match self.identity.buildx {
            Some(_) if request.tag.is_some() => call.arguments(["buildx", "build", "--load"]),
            Some(_) => call.arguments(["buildx", "build", "--output=type=cacheonly"]),
            None => call.environment("DOCKER_BUILDKIT", "1").arguments(["build"]),
        };
        call = call.arguments([if self.form() == Form::RawJson { "--progress=rawjson" } else { "--progress=plain" }]);
        let file = staged.write("Dockerfile", request.dockerfile)?;
        if let Some(ignore) = request.ignore {
            // An ignore file that is named after the Dockerfile goes before the context's, an empty one too if it is not quite.
            staged.write("Dockerfile.dockerignore", if ignore.is_empty() { "#\n" } else { ignore })?;
        }
        call = call.arguments([OsString::from("--file"), file.into()]);
        call = call.arguments(common_options(request));
        if let Some(name) = request.caches {
            call = call.arguments([format!("--build-arg=BUILDKIT_CACHE_MOUNT_NS={name}")]);
        }
        Ok(call.arguments(request.extra).arguments([request.context]))
    }
}

/// The options that all engines know by one name.
pub(super) fn common_options(request: &BuildRequest<'_>) -> Vec<String> {
    let mut options = Vec::new();
    let mut add = |name: &str, value: Option<&str>| options.extend(value.map(|value| format!("--{name}={value}")));
    add("tag", request.tag);
    add("target", request.target);
    add("platform", request.platform);
    add("network", request.network);
    for argument in request.build_args {
        add("build-arg", Some(argument));
    }
    if request.no_cache {
        options.push("--no-cache".to_owned());
    }
    options
}

/// Runs a build and reads its progress.
pub(super) fn run(call: &Call, form: Form, watch: &Watch) -> Result<Built, BuildError> {
    let mut running = call.start(watch, true)?;
    let mut reader = Reader::new(form);
    while let Some(said) = running.next()? {
        if let Said::Line(line) = said {
            reader.line(&line, running.time());
        }
    }
    let time = running.time();
    let success = running.end()?.success();
    let progress = reader.finish(time, !success);
    if success {
        return Ok(Built { steps: progress.steps, time });
    }
    let step = progress.steps.into_iter().find(|step| step.state == State::Failed);
    Err(BuildError::of_build(step, &progress.words))
}

/// Hands what a command writes on standard output to `read`.
pub(super) fn stream(
    call: &Call,
    watch: &Watch,
    read: &mut dyn FnMut(&mut dyn Read) -> std::io::Result<()>,
) -> Result<(), BuildError> {
    let mut running = call.start(watch, false)?;
    let mut output = Output::of(&mut running);
    let done = read(&mut output);
    let rest = done.and_then(|()| std::io::copy(&mut output, &mut std::io::sink()));
    let (stderr, error) = (std::mem::take(&mut output.stderr), output.error.take());
    if let Some(error) = error {
        return Err(error);
    }
    if let Err(source) = rest {
        // A reader that could not go on leaves the program at work; a program that failed explains the reader's error.
        return Err(match BuildError::of_engine(&stderr) {
            Some(error) => error,
            None if !stderr.trim().is_empty() => call.failed(&stderr),
            None => BuildError::Io { doing: "the image can't be read".to_owned(), source },
        });
    }
    if running.end()?.success() { Ok(()) } else { Err(call.failed(&stderr)) }
}

impl Engine for Docker {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn build(&self, request: &BuildRequest<'_>, watch: &Watch) -> Result<Built, BuildError> {
        let staged = Folder::new()?;
        run(&self.build_call(request, &staged)?, self.form(), watch)
    }

    fn export(
        &self,
        image: &str,
        watch: &Watch,
        read: &mut dyn FnMut(&mut dyn Read) -> std::io::Result<()>,
    ) -> Result<(), BuildError> {
        stream(&self.call().arguments(["save", image]), watch, read)
    }

    fn image_size(&self, image: &str, watch: &Watch) -> Result<Option<u64>, BuildError> {
        let said = self.call().arguments(["image", "inspect", "--format", "{{.Size}}", image]).must(watch)?;
        Ok(said.trim().parse().ok())
    }

    fn remove(&self, image: &str, watch: &Watch) -> Result<(), BuildError> {
        self.call().arguments(["image", "rm", image]).must(watch).map(drop)
    }

    fn forget_caches(&self, name: &str, watch: &Watch) -> Result<(), BuildError> {
        // The classic client neither names cache mounts nor takes away one.
        if self.identity.buildx.is_none() {
            return Ok(());
        }
        let said = self.call().arguments(["buildx", "du", "--verbose", "--filter", "type=exec.cachemount"]).must(watch)?;
        for id in mounts_of(name, &said) {
            self.call().arguments(["buildx", "prune", "--force", "--filter", &format!("id={id}")]).must(watch)?;
        }
        Ok(())
    }

    fn ask(&self, arguments: &[&str], watch: &Watch) -> Result<Answer, BuildError> {
        self.call().arguments(arguments).answer(watch)
    }
}

/// The records of cache mounts with this name, in what `docker buildx du --verbose` prints: `ID: …`, and a description that ends
/// `with id "NAME/…"`.
fn mounts_of<'d>(name: &str, said: &'d str) -> Vec<&'d str> {
    let mark = format!("with id \"{name}/");
    let value = |line: &'d str, key: &str| line.strip_prefix(key).map(str::trim);
    let mut id = None;
    let mut found = Vec::new();
    for line in said.lines() {
        if let Some(value) = value(line, "ID:") {
            id = Some(value);
        } else if value(line, "Description:").is_some_and(|words| words.contains(&mark)) {
            found.extend(id.take());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::mounts_of;

    #[test]
    fn only_mounts_of_the_name_are_found() {
        let said = "ID:\t\taaa\nType: exec.cachemount\nDescription:\tcached mount /c from exec x with id \"//c\"\n\n\
                    ID:\t\tbbb\nDescription:\tcached mount /c from exec x with id \"own-1//c\"\n\n\
                    ID:\t\tccc\nDescription:\tcached mount /c from exec x with id \"own-12//c\"\n";
        assert_eq!(mounts_of("own-1", said), ["bbb"]);
    }
}
