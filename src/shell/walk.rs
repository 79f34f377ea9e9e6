//! All simple commands of a script, and where they stand.
//!
//! Owns: the order of the walk and what surrounds a command. Never does: look into command substitutions, whose commands
//! have no place in the list around them.

use std::collections::HashSet;
use std::ops::Range;

use super::enclosure::{Enclosure, EnclosureKind, alternatives};
use super::errexit::{Errexit, list_may_change};
use super::removal::{Removal, Site, has_stray_here_document, removal};
use super::{AndOrItem, Command, CompoundKind, Connector, List, SimpleCommand};

/// What surrounds a simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whether the script can succeed without running it: it stands in the body of an `if`, loop or `case`, behind `||`, or
    /// behind an `&&` with a `||` behind it.
    pub conditional: bool,
    /// Whether it runs in a `( … )`: its variables and folder end with that.
    pub subshell: bool,
    /// Whether it, or something around it, runs in the background.
    pub background: bool,
    /// Whether it, or something around it, is one of several elements of a pipeline.
    pub in_pipeline: bool,
    /// The function whose body it stands in; it runs where that is called.
    pub function: Option<String>,
    /// How its pipeline can be deleted.
    pub removable: Removal,
    /// The processes and branches that it stands in, outermost first; those of its function only, where it stands in one.
    pub around: Vec<Enclosure>,
    /// Where the simple command stands whose output a pipe hands to it.
    pub fed_by: Option<Range<usize>>,
}

impl List {
    /// All simple commands in the order of the text, those in compound commands and functions included, those in command
    /// substitutions not. `errexit` says that the shell was started with `-e`.
    pub fn simple_commands(&self, errexit: bool) -> Vec<(&SimpleCommand, Place)> {
        let mut functions = Functions::default();
        functions.collect(self);
        let errexit = match errexit {
            _ if functions.change_errexit => Errexit::Maybe,
            true => Errexit::On,
            false => Errexit::Off,
        };
        let mut walk = Walk { found: Vec::new(), stray: has_stray_here_document(self), functions };
        walk.list(self, &Around { top_level: true, errexit, ..Around::default() });
        walk.found
    }
}

/// The functions that a script defines.
#[derive(Debug, Default)]
pub(super) struct Functions<'l> {
    names: HashSet<&'l str>,
    change_errexit: bool,
}

impl<'l> Functions<'l> {
    fn collect(&mut self, list: &'l List) {
        let pipelines = list.items.iter().flat_map(|item| &item.and_or);
        for command in pipelines.flat_map(|pipeline| &pipeline.commands) {
            match command {
                Command::Simple(_) => {}
                Command::Compound(compound) => compound.bodies.iter().for_each(|body| self.collect(body)),
                Command::Function { name, body, .. } => {
                    self.names.insert(name);
                    self.change_errexit |= list_may_change(body);
                    self.collect(body);
                }
            }
        }
    }

    pub(super) fn defines(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// What surrounds a list.
#[derive(Clone, Debug)]
pub(super) struct Around<'l> {
    pub(super) top_level: bool,
    /// Part of the condition of an `if` or loop.
    pub(super) condition: bool,
    /// The list is all there is between a `(` and its `)`.
    pub(super) subshell_body: bool,
    /// `set -e` has no effect here: the result is negated, or joined with what follows.
    pub(super) result_is_used: bool,
    /// The state where the list starts.
    pub(super) errexit: Errexit,
    conditional: bool,
    subshell: bool,
    background: bool,
    in_pipeline: bool,
    function: Option<&'l str>,
    enclosures: Vec<Enclosure>,
}

impl Default for Around<'_> {
    fn default() -> Self {
        Self {
            top_level: false,
            condition: false,
            subshell_body: false,
            result_is_used: false,
            errexit: Errexit::Maybe,
            conditional: false,
            subshell: false,
            background: false,
            in_pipeline: false,
            function: None,
            enclosures: Vec::new(),
        }
    }
}

impl Around<'_> {
    fn enter(&mut self, kind: EnclosureKind, span: &Range<usize>) {
        self.enclosures.push(Enclosure { kind, span: span.clone() });
    }
}

struct Walk<'l> {
    found: Vec<(&'l SimpleCommand, Place)>,
    stray: bool,
    functions: Functions<'l>,
}

impl<'l> Walk<'l> {
    fn list(&mut self, list: &'l List, around: &Around<'l>) {
        let mut errexit = around.errexit;
        // Where a function is called, and in what order functions change it, is not followed.
        let stays_unknown = errexit == Errexit::Maybe && (self.functions.change_errexit || around.function.is_some());
        for (item_index, item) in list.items.iter().enumerate() {
            let mut state = errexit;
            let branches = alternatives(item);
            for (index, pipeline) in item.and_or.iter().enumerate() {
                let behind = item.and_or.iter().skip(index.saturating_add(1));
                let may_be_rescued = index > 0 && behind.clone().any(|next| next.connector == Some(Connector::Or));
                let mut here = around.clone();
                here.errexit = state;
                here.conditional |= pipeline.connector == Some(Connector::Or) || may_be_rescued;
                here.background |= item.background;
                here.in_pipeline |= pipeline.commands.len() > 1;
                if item.background {
                    here.enter(EnclosureKind::Process, &item.span);
                }
                if !branches.is_empty() {
                    here.enter(EnclosureKind::Choice, &item.span);
                }
                if let Some(branch) = branches.iter().find(|branch| branch.contains(&pipeline.span.start)) {
                    here.enter(EnclosureKind::Branch, branch);
                }
                let site = Site { list, item: item_index, pipeline: index };
                self.pipeline(pipeline, &here, &site);
                state = if stays_unknown { state } else { state.after(pipeline, index == 0) };
            }
            errexit = if stays_unknown { errexit } else { errexit.after_item(item) };
        }
    }

    fn pipeline(&mut self, pipeline: &'l AndOrItem, here: &Around<'l>, site: &Site<'l>) {
        let mut before: Option<&Command> = None;
        for command in &pipeline.commands {
            let fed_by = before.and_then(Command::as_simple).map(|simple| simple.span.clone());
            before = Some(command);
            let mut here = here.clone();
            if pipeline.commands.len() > 1 {
                here.enter(EnclosureKind::Process, &command.span());
            }
            match command {
                Command::Simple(simple) => {
                    let removable = if self.stray {
                        Removal::No("the text of a here-document stands apart from its command")
                    } else {
                        removal(site, &here, &self.functions)
                    };
                    let place = Place {
                        conditional: here.conditional,
                        subshell: here.subshell,
                        background: here.background,
                        in_pipeline: here.in_pipeline,
                        function: here.function.map(str::to_owned),
                        removable,
                        around: here.enclosures,
                        fed_by,
                    };
                    self.found.push((simple, place));
                }
                Command::Compound(compound) => {
                    let count = compound.bodies.len();
                    match compound.kind {
                        CompoundKind::Subshell => here.enter(EnclosureKind::Process, &compound.span),
                        CompoundKind::If | CompoundKind::Case => here.enter(EnclosureKind::Choice, &compound.span),
                        CompoundKind::While | CompoundKind::For => here.enter(EnclosureKind::Loop, &compound.span),
                        CompoundKind::Group | CompoundKind::Test => {}
                    }
                    for (index, body) in compound.bodies.iter().enumerate() {
                        let role = Role::of(compound.kind, index, count);
                        let mut inside = here.clone();
                        inside.top_level = false;
                        inside.condition |= role.condition;
                        match (role.condition, role.may_not_run, body.items.first()) {
                            (true, _, Some(first)) => inside.enter(EnclosureKind::Condition, &first.span),
                            (false, true, Some(first)) => inside.enter(EnclosureKind::Branch, &first.span),
                            _ => {}
                        }
                        inside.conditional |= role.may_not_run;
                        inside.subshell_body = compound.kind == CompoundKind::Subshell;
                        inside.subshell |= compound.kind == CompoundKind::Subshell;
                        inside.result_is_used |= pipeline.negated || site.has_next_pipeline();
                        let loops = matches!(compound.kind, CompoundKind::While | CompoundKind::For);
                        if loops && compound.bodies.iter().any(list_may_change) {
                            // The second round starts where the first one ended.
                            inside.errexit = Errexit::Maybe;
                        }
                        self.list(body, &inside);
                    }
                }
                Command::Function { name, body, .. } => {
                    // It may be called from anywhere.
                    let inside = Around { function: Some(name), ..Around::default() };
                    self.list(body, &inside);
                }
            }
        }
    }
}

/// What a body is to its compound command.
struct Role {
    condition: bool,
    may_not_run: bool,
}

impl Role {
    fn of(kind: CompoundKind, index: usize, count: usize) -> Self {
        let (condition, may_not_run) = match kind {
            // Conditions and bodies take turns; an `else` is left over at the end.
            CompoundKind::If => (index.is_multiple_of(2) && index.saturating_add(1) < count, index > 0),
            CompoundKind::While => (index == 0, index > 0),
            CompoundKind::For | CompoundKind::Case => (false, true),
            CompoundKind::Subshell | CompoundKind::Group | CompoundKind::Test => (false, false),
        };
        Self { condition, may_not_run }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::parse;

    /// Each command's text with the flags that `show` picks.
    fn places(text: &str, show: fn(&Place) -> bool) -> Vec<(&str, bool)> {
        let list = parse(text).unwrap();
        list.simple_commands(false).into_iter().map(|(command, place)| (&text[command.span.clone()], show(&place))).collect()
    }

    #[test]
    fn commands_come_in_the_order_of_the_text() {
        let text = "a; if b; then c | d; else e; fi; f() { g; }; (h $(i)) & while j; do k; done; case l in m) n;; esac";
        let names: Vec<_> = places(text, |_| true).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e", "g", "h $(i)", "j", "k", "n"]);
    }

    #[test]
    fn what_may_not_run_is_conditional() {
        let text = "a && b; c || d; e && f || g && h; if i; then j; elif k; then l; else m; fi; while n; do o; done; { p; }";
        let conditional: Vec<_> =
            places(text, |place| place.conditional).into_iter().filter(|(_, yes)| *yes).map(|(name, _)| name).collect();
        assert_eq!(conditional, ["d", "f", "g", "j", "k", "l", "m", "o"]);
    }

    #[test]
    fn surroundings_reach_all_the_way_in() {
        assert_eq!(places("(a; { b; }); c", |place| place.subshell), [("a", true), ("b", true), ("c", false)]);
        assert_eq!(places("a & { b; } & c", |place| place.background), [("a", true), ("b", true), ("c", false)]);
        assert_eq!(places("a | { b; c; }; d", |place| place.in_pipeline), [("a", true), ("b", true), ("c", true), ("d", false)]);
        let list = parse("f() { a; (b); }; c").unwrap();
        let functions: Vec<_> = list.simple_commands(false).into_iter().map(|(_, place)| place.function).collect();
        assert_eq!(functions, [Some("f".to_owned()), Some("f".to_owned()), None]);
    }

    #[test]
    fn processes_and_branches_are_told() {
        let kinds = |text: &str| -> Vec<Vec<EnclosureKind>> {
            let list = parse(text).unwrap();
            let places = list.simple_commands(false).into_iter().map(|(_, place)| place);
            places.map(|place| place.around.into_iter().map(|enclosure| enclosure.kind).collect()).collect()
        };
        use EnclosureKind::{Branch, Choice, Condition, Loop, Process};
        assert_eq!(kinds("a && b; { c; }"), [[], [], []] as [[EnclosureKind; 0]; 3]);
        assert_eq!(kinds("(a | b)"), [[Process, Process], [Process, Process]]);
        assert_eq!(kinds("a || exit"), [vec![Choice], vec![Choice, Branch]]);
        assert_eq!(kinds("a || b"), [vec![Choice, Branch], vec![Choice, Branch]]);
        assert_eq!(kinds("test a && b"), [vec![Choice], vec![Choice, Branch]]);
        assert_eq!(kinds("if a; then b; fi"), [vec![Choice, Condition], vec![Choice, Branch]]);
        assert_eq!(kinds("while a; do b; done"), [vec![Loop, Condition], vec![Loop, Branch]]);
        assert_eq!(kinds("(f() { a; }); a &"), [vec![], vec![Process]]);
    }

    #[test]
    fn a_pipe_hands_on_from_one_simple_command_to_the_next() {
        let text = "a | b && { c; } | d; e";
        let list = parse(text).unwrap();
        let fed: Vec<_> =
            list.simple_commands(false).into_iter().map(|(_, place)| place.fed_by.map(|span| &text[span])).collect();
        assert_eq!(fed, [None, Some("a"), None, None, None]);
    }
}
