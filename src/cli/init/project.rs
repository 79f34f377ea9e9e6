//! What there is to build in a repository.
//!
//! Owns: how wrappers and CI build it: by compose, or one Dockerfile. Never does: guess between several.

use crate::cli::files::{self, Found};
use crate::cli::place::Places;
use crate::context::yaml;
use crate::report::path::shown;
use anyhow::ensure;
use std::path::Path;

/// The names that compose looks for, first to last.
const COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// What there is to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// What an image of the project is called: the folder's name, made fit.
    pub(super) image: String,
    /// The compose file that builds something.
    pub(super) compose: Option<&'static str>,
    /// The Dockerfile and its context, or why none is known.
    pub(super) dockerfile: Result<Dockerfile, String>,
}

/// A Dockerfile with its context; both from the repository's folder, of characters that mean nothing to any shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dockerfile {
    pub(super) path: String,
    pub(super) context: String,
}

impl Project {
    /// Of a folder; `file`: the Dockerfile that the caller named.
    pub(super) fn look_at(folder: &Path, file: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(file) = file {
            ensure!(file.is_file(), "--file {}: is no file", shown(file));
        }
        let compose = COMPOSE.into_iter().find(|name| folder.join(name).is_file());
        let compose = compose.filter(|name| builds(&std::fs::read_to_string(folder.join(name)).unwrap_or_default()));
        Ok(Self { image: image(folder), compose, dockerfile: dockerfile(folder, file) })
    }
}

impl Dockerfile {
    /// What `docker build` is given behind its options.
    pub(super) fn words(&self) -> String {
        let usual = if self.context == "." { "Dockerfile".to_owned() } else { format!("{}/Dockerfile", self.context) };
        let file = if self.path == usual { String::new() } else { format!("--file {} ", self.path) };
        format!("{file}{}", self.context)
    }
}

fn builds(compose: &str) -> bool {
    let documents = yaml::read(compose);
    let mut services = documents.iter().filter_map(|document| yaml::get(document, "services")).flat_map(yaml::entries);
    services.any(|(_, service)| yaml::get(service, "build").is_some())
}

/// A name that an image may have.
fn image(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let fit: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = fit.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "app".to_owned() } else { parts.join("-") }
}

fn dockerfile(folder: &Path, named: Option<&Path>) -> Result<Dockerfile, String> {
    let found: Vec<_> = files::find(&[named.unwrap_or(folder).to_owned()]).into_iter().filter(is_file).collect();
    let at_top = folder.join("Dockerfile");
    let found: Vec<Found> = match found.iter().any(|file| matches!(file, Found::File(path) if *path == at_top)) {
        true => vec![Found::File(at_top)],
        false => found,
    };
    let names: Vec<String> = found.iter().filter_map(|file| relative(folder, path(file)?)).collect();
    if found.len() > 1 {
        return Err(format!("there are several Dockerfiles ({}): say which with --file", names.join(", ")));
    }
    let places = Places::new(None);
    let groups = places.groups(found);
    let Some((group, dockerfile)) = groups.first().and_then(|group| Some((group, path(&group.files.first()?.1)?))) else {
        return Err("there is no Dockerfile to build".to_owned());
    };
    let parent = dockerfile.parent().unwrap_or(folder);
    let root = group.root().unwrap_or(parent);
    let unfit = || {
        format!(
            "the path of {} or of its context has a character that shells read, or leads out of the folder",
            shown(dockerfile)
        )
    };
    Ok(Dockerfile { path: relative(folder, dockerfile).ok_or_else(unfit)?, context: relative(folder, root).ok_or_else(unfit)? })
}

fn is_file(found: &Found) -> bool {
    matches!(found, Found::File(_))
}

fn path(found: &Found) -> Option<&Path> {
    match found {
        Found::File(path) => Some(path),
        _ => None,
    }
}

/// A path from the folder, `.` for the folder itself; `None` where it lies elsewhere, or would need quotes.
fn relative(folder: &Path, path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let parts: Option<Vec<&str>> = path.strip_prefix(folder).ok()?.iter().map(std::ffi::OsStr::to_str).collect();
    let path = parts?.join("/");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    match path.as_str() {
        "" => Some(".".to_owned()),
        path => (path.chars().all(plain) && !path.starts_with('-')).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_called_as_its_folder_as_far_as_it_may() {
        for (folder, name) in [("/a/My App", "my-app"), ("/a/_x_.y", "x-y"), ("/", "app"), ("/ä", "app")] {
            assert_eq!(image(Path::new(folder)), name);
        }
    }

    #[test]
    fn only_what_is_unusual_is_said() {
        let words = |path: &str, context: &str| Dockerfile { path: path.to_owned(), context: context.to_owned() }.words();
        assert_eq!(words("Dockerfile", "."), ".");
        assert_eq!(words("web/Dockerfile", "web"), "web");
        assert_eq!(words("docker/Dockerfile.dev", "."), "--file docker/Dockerfile.dev .");
    }
}
