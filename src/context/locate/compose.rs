//! Compose files.
//!
//! Owns: which Dockerfiles their services build, and where. Never does: read what `extends` or `include` names: those files are read
//! for themselves.

use super::claim::{Claim, Mention, Said, folder_of, name_of};
use super::fresh;
use super::variables::filled;
use super::yaml::{self, Node};
use std::collections::HashMap;

/// What a service builds, by the service's name.
#[derive(Debug, Default)]
pub(super) struct Services<'t> {
    named: HashMap<(&'t str, String), Said>,
    builds: Vec<(&'t str, String, Said, Mention)>,
}

/// Whether a file is one of Compose.
pub(super) fn is_compose(file: &str) -> bool {
    let name = name_of(file).to_ascii_lowercase();
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    stem.is_some_and(|stem| stem.starts_with("compose") || stem.starts_with("docker-compose"))
}

impl<'t> Services<'t> {
    pub(super) fn read(&mut self, file: &'t str, text: &str) {
        for document in yaml::read(text) {
            let services = yaml::get(&document, "services").into_iter().flat_map(yaml::entries);
            for (service, body) in services {
                let Some(build) = yaml::get(body, "build") else { continue };
                let said = said(build);
                let key = (folder_of(file), service.to_owned());
                // An override's build may say only what it changes.
                if said.context.is_some() {
                    self.named.entry(key).or_insert_with(|| said.clone());
                }
                let mention = Mention { file: file.to_owned(), line: yaml::line(build) };
                self.builds.push((folder_of(file), service.to_owned(), said, mention));
            }
        }
    }

    pub(super) fn claims(self) -> Vec<Claim> {
        let claim = |(folder, service, said, mention): &(&'t str, String, Said, Mention)| {
            let mut said = said.clone();
            if let Some(base) = self.named.get(&(*folder, service.clone())).filter(|_| said.context.is_none()) {
                said.context = base.context.clone();
                said.dockerfile = said.dockerfile.or_else(|| base.dockerfile.clone());
            }
            said.claim(folder, mention)
        };
        self.builds.iter().filter_map(claim).collect()
    }
}

/// Build arguments as `NAME=VALUE`, from a mapping or a list.
fn arguments(build: &Node<'_>) -> Vec<String> {
    let Some(args) = yaml::get(build, "args") else { return Vec::new() };
    let pairs = yaml::entries(args).filter_map(|(name, value)| Some(format!("{name}={}", yaml::text(value)?)));
    pairs.chain(yaml::items(args).filter_map(yaml::text).map(str::to_owned)).collect()
}

fn said(build: &Node<'_>) -> Said {
    let fill = |text: &str| filled(text, &|_| None);
    if !yaml::is_mapping(build) {
        return Said { context: Some(yaml::text(build).and_then(fill)), from_context: true, ..Said::default() };
    }
    let of = |key: &str| yaml::get(build, key).map(|node| yaml::text(node).and_then(fill));
    Said {
        context: of("context"),
        dockerfile: of("dockerfile"),
        target: of("target"),
        from_context: true,
        fresh: fresh::in_script(arguments(build).iter().map(String::as_str), ""),
        is_inline: yaml::get(build, "dockerfile_inline").is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_say_what_they_build() {
        let text = "\
x-build: &build\n  context: ${ROOT:-..}\n  dockerfile: docker/app.Dockerfile\nservices:\n  a:\n    build: ./a\n  b:\n    build:\n      <<: *build\n      target: dev\n  \
c:\n    image: x\n  d:\n    build:\n      context: $X\n      dockerfile: D\n  e:\n    build: {context: ., dockerfile_inline: FROM scratch}\n  f:\n    build: https://github.com/a/b.git\n";
        let mut services = Services::default();
        services.read("deploy/compose.yaml", text);
        services.read("deploy/compose.override.yml", "services:\n  b:\n    build:\n      target: debug\n");
        let claims = services.claims();
        let shown: Vec<String> = claims
            .iter()
            .map(|claim| format!("{} {:?} {:?} {}", claim.dockerfile, claim.context, claim.target, claim.mention.line))
            .collect();
        assert_eq!(
            shown,
            [
                "deploy/a/Dockerfile Some(\"deploy/a\") None 6",
                "docker/app.Dockerfile Some(\"\") Some(\"dev\") 9",
                "docker/app.Dockerfile Some(\"\") Some(\"debug\") 4",
            ]
        );
    }

    #[test]
    fn compose_files_have_their_names() {
        for file in ["compose.yaml", "a/docker-compose.prod.yml", "docker-compose-dev.yaml", "compose.override.yml"] {
            assert!(is_compose(file), "{file}");
        }
        for file in ["compose.md", "composer.json", "my-compose.yml", "docker.yml"] {
            assert!(!is_compose(file), "{file}");
        }
    }
}
