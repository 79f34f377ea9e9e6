//! What holds around one command of a RUN.
//!
//! Owns: putting a step's state and a script's own variables together for the ecosystems. Never does: judge a command.

use super::commands::Ran;
use super::state::State;
use crate::ecosystems::{BaseImage, Invocation, Surroundings, User, Wrapper};
use crate::knowledge::Knowledge;

/// What holds around a command of a step with this state, on this image. The work folder is the one in which the step starts.
pub fn surroundings<'e>(image: &BaseImage, state: &State, ran: &Ran, earlier: &'e [Invocation]) -> Surroundings<'e> {
    let mut variables: Vec<(String, Knowledge<String>)> =
        state.variables().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    variables.extend(ran.variables.iter().cloned());
    variables.extend(ran.invocation.variables.iter().cloned());
    let own_home = variables.iter().rev().find(|(name, _)| name == "HOME").map(|(_, value)| value.clone());
    let (user, home) = match other_user(&ran.invocation) {
        None => (state.user.clone(), own_home.unwrap_or_else(|| state.home())),
        Some((user, true)) if user == User::Root => (user, Knowledge::Known("/root".to_owned())),
        Some((user, _)) => (user, Knowledge::Unknown),
    };
    Surroundings { variables, home, user, workdir: state.workdir.clone(), base: image.clone(), earlier }
}

/// Whom `sudo` and its like make the command run as, and whether HOME becomes that user's.
fn other_user(invocation: &Invocation) -> Option<(User, bool)> {
    invocation.wrappers.iter().rev().find_map(|wrapper| match wrapper {
        Wrapper::Sudo { user: None, sets_home } => Some((User::Root, *sets_home)),
        Wrapper::Sudo { user: Some(user), sets_home } if user == "root" => Some((User::Root, *sets_home)),
        Wrapper::Sudo { .. } => Some((User::Unknown, false)),
        _ => None,
    })
}
