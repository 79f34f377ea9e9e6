//! What a user who is not root may write.
//!
//! Owns: whether the system's folders are out of a command's reach. Never does: look at the project's own folders.

use crate::ecosystems::{Argument, Invocation, User};
use crate::model::Ran;
use crate::model::footprint::{Area, is_data};

/// Whether a command is a user's to whom the system's folders do not belong, as far as the stage's commands tell.
pub(super) fn may_not_write_system(user: &User, ran: &Ran, earlier: &[Invocation]) -> bool {
    let reaches = |word: &Argument| match word.value.known() {
        Some(word) => word.starts_with('/') && Area::Below(word.clone()).reaches_system() && !is_data(word),
        None => true,
    };
    let gives_away = |command: &Invocation| {
        let changes = matches!(command.program.as_str(), "chgrp" | "chmod" | "chown" | "setfacl" | "usermod" | "visudo");
        changes && command.arguments.iter().skip(1).any(reaches)
    };
    matches!(user, User::Other { .. }) && ran.invocation.wrappers.is_empty() && !earlier.iter().any(gives_away)
}

#[cfg(test)]
mod tests {
    use super::may_not_write_system;
    use crate::ecosystems::{User, testing};
    use crate::knowledge::Knowledge;
    use crate::model::Ran;

    #[test]
    fn the_systems_folders_belong_to_root_unless_they_are_given_away() {
        let user = User::Other { name: Some("app".to_owned()), uid: Knowledge::Unknown, gid: Knowledge::Unknown };
        let ran = Ran { invocation: testing::command("npm ci"), ..Ran::default() };
        let may_not = |earlier: &str| may_not_write_system(&user, &ran, &[testing::command(earlier)]);
        assert!(may_not("chown -R app:app /srv/app") && may_not("chown app /var/lib/app") && may_not("ls /usr/local"));
        assert!(!may_not("chown -R app /usr/local/lib/node_modules") && !may_not("chmod -R a+w /usr"));
        assert!(!may_not_write_system(&User::Root, &ran, &[]));
    }
}
