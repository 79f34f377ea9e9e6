//! Installers: scripts of other hosts whose makers say what they write.
//!
//! Owns: which installers are known by their URL, and what each touches. Never does: fetch one, or guess about others.

use super::draft::{Draft, Outcome};
use super::fixed::is_fixed_url;
use super::{Area, Fetch};
use crate::knowledge::Knowledge;

/// Files of shells to which uv's installer adds its folder, below the home folder.
const PROFILES: &[&str] = &[".profile", ".bashrc", ".bash_profile", ".bash_login", ".zshrc", ".zshenv"];

/// Variables by which uv's installer takes another folder for its programs.
const FOLDERS: &[&str] = &["UV_UNMANAGED_INSTALL", "UV_INSTALL_DIR"];

/// Variables by which other folders come out of what the platform says.
const PLATFORM: &[&str] = &["XDG_BIN_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "CARGO_DIST_FORCE_INSTALL_DIR"];

/// Whether the installer from this URL is known.
pub fn is_known(url: &str) -> bool {
    is_uv(url)
}

fn is_uv(url: &str) -> bool {
    let Some(path) = url.strip_prefix("https://") else { return false };
    let version =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-${}_".contains(&byte));
    match path.strip_prefix("astral.sh/uv/") {
        Some("install.sh") => true,
        Some(rest) => rest.strip_suffix("/install.sh").is_some_and(version),
        None => {
            let release =
                path.strip_prefix("github.com/astral-sh/uv/releases/").and_then(|rest| rest.strip_suffix("/uv-installer.sh"));
            release.is_some_and(|rest| rest == "latest/download" || rest.strip_prefix("download/").is_some_and(version))
        }
    }
}

/// What a known installer does, run by `program`.
///
/// uv's manual ("The uv installer"): its programs go to `~/.local/bin` or the folder that `UV_INSTALL_DIR` names, its receipt below
/// `~/.config/uv`, and the profiles of shells may get a line.
pub fn run(draft: &mut Draft<'_>, program: &str, url: &str) -> Outcome {
    let sight = draft.sight;
    let given = |name: &&str| {
        let own = sight.ran.invocation.variables.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value);
        own.or_else(|| sight.at.variable(name)).cloned()
    };
    if let Some(name) = PLATFORM.iter().find(|name| given(name).is_some()) {
        return Err(format!("{name} gives it folders that are not followed"));
    }
    let folder = match FOLDERS.iter().find_map(given) {
        Some(Knowledge::Known(folder)) if folder.starts_with('/') => folder,
        Some(_) => return Err("the folder into which it installs is not known".to_owned()),
        None => below_home(draft, ".local/bin")?,
    };
    let settings = below_home(draft, ".config")?;
    let homes: Result<Vec<String>, String> = PROFILES.iter().map(|name| below_home(draft, name)).collect();
    let files = homes?.into_iter().map(Area::At);
    let folders = [folder, format!("{settings}/uv"), format!("{settings}/fish")].map(Area::Below);
    let places: Vec<Area> = files.chain(folders).collect();
    draft.reads_system();
    draft.reads_tools();
    draft.reads(places.iter().cloned());
    draft.writes(places);
    draft.fetches(if is_fixed_url(url) {
        Fetch::Fixed
    } else {
        Fetch::Mutable(format!("`{program}` of {url}, which names no version"))
    });
    Ok(())
}

fn below_home(draft: &Draft<'_>, name: &str) -> Result<String, String> {
    draft.below_home(name).ok_or_else(|| "the home folder is not known".to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_uv;

    #[test]
    fn only_the_makers_own_urls_are_known() {
        for url in [
            "https://astral.sh/uv/install.sh",
            "https://astral.sh/uv/0.12.0/install.sh",
            "https://astral.sh/uv/${UV_VERSION}/install.sh",
            "https://github.com/astral-sh/uv/releases/download/0.5.1/uv-installer.sh",
            "https://github.com/astral-sh/uv/releases/latest/download/uv-installer.sh",
        ] {
            assert!(is_uv(url), "{url}");
        }
        for url in [
            "http://astral.sh/uv/install.sh",
            "https://astral.sh.example.org/uv/install.sh",
            "https://astral.sh/uv/a/b/install.sh",
            "https://astral.sh/ruff/install.sh",
            "https://github.com/other/uv/releases/download/1/uv-installer.sh",
        ] {
            assert!(!is_uv(url), "{url}");
        }
    }
}
