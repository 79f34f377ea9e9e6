//! What Python's package managers have in common: where a user's cache folder is, and what variables mean.
//!
//! Owns: the questions that pip, uv, Poetry, Pipenv, PDM and conda all put to the surroundings. Never does: know a manager.
//! Facts: platformdirs' and etcetera's sources (`XDG_CACHE_HOME`, then `~/.cache`; neither takes a relative folder today).

use crate::ecosystems::{CommandChange, Invocation, Obstacle, Surroundings};
use crate::knowledge::Knowledge;

/// The change that empties a variable which switches the cache off by being set; none where it is not set.
///
/// # Errors
/// Where it is set in front of this very command: a second assignment would lose.
pub(super) fn emptied(name: &str, invocation: &Invocation, at: &Surroundings) -> Result<Option<CommandChange>, Obstacle> {
    match at.non_empty(name) {
        None => Ok(None),
        Some(_) if in_front(name, invocation) => Err(Obstacle::SwitchedOff { by: format!("{name} in front of the command") }),
        Some(_) => Ok(Some(CommandChange::SetVariable(name.to_owned(), String::new()))),
    }
}

/// Whether the variable is set in front of this command.
pub(super) fn in_front(name: &str, invocation: &Invocation) -> bool {
    invocation.variables.iter().any(|(key, _)| key == name)
}

/// What Python's and Rust's boolean variables take for yes.
pub(super) fn is_yes(value: &Knowledge<&str>) -> bool {
    value.known().is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "t" | "y"))
}

/// The first word behind the argument with this index that is no option.
pub(super) fn word_behind(invocation: &Invocation, index: usize) -> &str {
    invocation.known_arguments().find(|(at, value)| *at > index && !value.starts_with('-')).map_or("", |(_, value)| value)
}

/// The folder `name` of the user's cache folder: in `XDG_CACHE_HOME`, else in `~/.cache`.
///
/// # Errors
/// Where that is not known. A relative `XDG_CACHE_HOME` is taken by some releases and passed over by others.
pub(super) fn user_cache(name: &str, at: &Surroundings) -> Result<String, Obstacle> {
    let unknown = |because: &str| Obstacle::UnknownFolder { because: because.to_owned() };
    match at.non_empty("XDG_CACHE_HOME") {
        Some(Knowledge::Known(folder)) if folder.starts_with('/') => {
            at.absolute(&format!("{folder}/{name}")).into_known().ok_or_else(|| unknown("XDG_CACHE_HOME"))
        }
        Some(_) => Err(unknown("XDG_CACHE_HOME")),
        None => at.below_home(&format!(".cache/{name}")).into_known().ok_or_else(|| unknown("$HOME")),
    }
}

/// The cache folder that an option or variable names, absolute.
///
/// # Errors
/// Where it is not known, or holds other things too, so that a mount would hide them.
pub(super) fn own_folder(folder: &Knowledge<String>, named_by: &str, at: &Surroundings) -> Result<String, Obstacle> {
    const SHARED: &[&str] =
        &["/", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/local", "/var", "/var/cache", "/var/tmp"];
    let unknown = || Obstacle::UnknownFolder { because: named_by.to_owned() };
    let written = folder.known().filter(|folder| !folder.is_empty() && !folder.contains('$')).ok_or_else(unknown)?;
    let target = at.absolute(written).into_known().ok_or_else(unknown)?;
    if target.starts_with("/dev/") {
        return Err(Obstacle::KeepsNothing { because: format!("{named_by} is {target}") });
    }
    let holds =
        |place: &Knowledge<String>| place.known().is_some_and(|place| format!("{place}/").starts_with(&format!("{target}/")));
    if SHARED.contains(&target.as_str())
        || holds(&at.home)
        || holds(&at.workdir)
        || at.below_home(".cache").known() == Some(&target)
    {
        return Err(Obstacle::Unsafe { because: format!("{named_by} is {target}, which holds other things too") });
    }
    Ok(target)
}

/// Root with its home, in `/app`, with these variables; a value with a `$` in it is not known.
#[cfg(test)]
pub(super) fn as_root(variables: &[(&str, &str)]) -> Surroundings<'static> {
    let known = |value: &str| if value.contains('$') { Knowledge::Unknown } else { Knowledge::Known(value.to_owned()) };
    Surroundings {
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), known(value))).collect(),
        home: Knowledge::Known("/root".to_owned()),
        workdir: Knowledge::Known("/app".to_owned()),
        ..Surroundings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_cache_follows_xdg_then_home() {
        assert_eq!(user_cache("pip", &as_root(&[])), Ok("/root/.cache/pip".to_owned()));
        assert_eq!(user_cache("pip", &as_root(&[("XDG_CACHE_HOME", "")])), Ok("/root/.cache/pip".to_owned()));
        assert_eq!(user_cache("pip", &as_root(&[("XDG_CACHE_HOME", "/c/")])), Ok("/c/pip".to_owned()));
        for value in ["relative", "$SOMEWHERE"] {
            assert!(matches!(user_cache("pip", &as_root(&[("XDG_CACHE_HOME", value)])), Err(Obstacle::UnknownFolder { .. })));
        }
        assert!(user_cache("pip", &Surroundings::default()).is_err());
    }

    #[test]
    fn a_folder_that_holds_other_things_is_refused() {
        let of = |folder: &str| own_folder(&Knowledge::Known(folder.to_owned()), "X", &as_root(&[]));
        for folder in ["/", "/tmp/", "/var/cache", "/root", "/root/.cache", "~", ".", "/app/.", "/root/.."] {
            assert!(matches!(of(folder), Err(Obstacle::Unsafe { .. })), "{folder}");
        }
        assert!(matches!(of("/dev/null"), Err(Obstacle::KeepsNothing { .. })));
        assert!(matches!(of(""), Err(Obstacle::UnknownFolder { .. })));
        assert_eq!(of("cache"), Ok("/app/cache".to_owned()));
        assert_eq!(of("/tmp/pip"), Ok("/tmp/pip".to_owned()));
    }
}
