//! What is done on request where the build context can't be seen: the manifests are guessed and copied if they are there.
//!
//! Owns: the optional-file idiom: `COPY .dockerignore NAME* ./`, the install behind `if [ -f ./NAME ]`, and below the source the install
//! as it was, for what the guess lacks. Never does: guess without being asked, or in more than one plain command.

use super::{Stage, brings_folder};
use crate::context::View;
use crate::ecosystems::Wrapper;
use crate::edit::arrange::{Arrangement, Content, Piece};
use crate::edit::{Applicability, Fix};
use crate::model::Form;
use crate::model::order::Order;
use crate::pipeline::Scene;
use crate::syntax::Keyword;

impl Stage<'_, '_> {
    /// Whether a RUN above the copy of the source does the same where its file is there: the idiom, ours or the author's.
    pub(super) fn is_asked_above(&self, at: usize) -> bool {
        let Some(text) = self.order.steps.get(at).and_then(|step| step.run.as_ref()).map(|run| folded(run.text())) else {
            return false;
        };
        let first = self.copies_above(at).find(|index| self.order.print(*index).is_some_and(brings_folder)).unwrap_or(at);
        (0..first).any(|index| {
            let run = self.order.steps.get(index).and_then(|step| step.run.as_ref());
            run.is_some_and(|run| folded(run.text()).starts_with("if [ -f ") && folded(run.text()).contains(&text))
        })
    }

    /// The guess for the install of the step `at`, where it can be made.
    fn assumed(&self, at: usize) -> Option<Fix> {
        let step = self.order.steps.get(at)?;
        let run = step.run.as_ref().filter(|run| run.form == Form::Shell && step.instruction.heredocs.is_empty())?;
        let [command] = self.order.print(at)?.commands.as_slice() else { return None };
        let invocation = &command.ran.invocation;
        let plain = invocation.wrappers.iter().all(|wrapper| matches!(wrapper, Wrapper::PythonModule(_)));
        let whole = run.text().trim() == run.text().get(invocation.span.clone())?.trim();
        if !plain || !whole || command.ran.folder != step.state.workdir {
            return None;
        }
        let assumed = command.ecosystem?.assumed(invocation)?;
        let over = self.copies_above(at).find(|index| self.order.print(*index).is_some_and(brings_folder))?;
        let copy = self.order.steps.get(over)?;
        let between = self.order.steps.get(over..at)?;
        let only_copies = between.iter().all(|step| matches!(step.instruction.keyword, Keyword::Copy | Keyword::Label));
        let here = copy.instruction.arguments.values.last().is_some_and(|to| matches!(to.as_str(), "." | "./"));
        let text = folded(run.text());
        if !only_copies || !here || self.is_asked_above(at) {
            return None;
        }
        let asked: Vec<String> = assumed.asked.iter().map(|name| format!("[ -f ./{name} ]")).collect();
        let flags = step.instruction.flags.iter().map(|flag| self.dockerfile.slice(flag.span.clone()));
        let head: Vec<&str> = std::iter::once("RUN").chain(flags).collect();
        let owner = copy.instruction.flags.iter().filter(|flag| flag.name() == "chown");
        let owner: String = owner.map(|flag| format!("{} ", self.dockerfile.slice(flag.span.clone()))).collect();
        let new = vec![
            format!("COPY {owner}.dockerignore {} ./", assumed.sources.join(" ")),
            format!("{} if {}; then {text}; fi", head.join(" "), asked.join(" && ")),
        ];
        let place = copy.instruction.span.start;
        let piece = Piece { new, new_from: place, content: Content::Instruction(place), gap: Some(place), blank: false };
        let edit = Arrangement::between(self.dockerfile, place, place)?.edit(&[piece])?;
        Some(Fix {
            title: format!("copy {} first if they are there, and run `{text}` on them", assumed.sources.join(", ")),
            edits: vec![edit],
            applicability: Applicability::Unsafe,
            notes: vec![
                "guessed, since the build context is not known: it must hold a .dockerignore, and the install may read no more of the project"
                    .to_owned(),
            ],
            removes_comments: Vec::new(),
            moves: true,
            ignores: Vec::new(),
        })
    }
}

/// A RUN's text, blanks folded.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first guess that can be made in a file, with the place of its install.
pub(super) fn guess(scene: &Scene<'_>) -> Option<(usize, Fix)> {
    let nothing = View::of_files([]);
    let model = scene.model_with_named_workdirs();
    (0..model.stages.len()).find_map(|stage| {
        let order = Order::new(model, stage, &nothing)?;
        let stage = Stage {
            dockerfile: scene.dockerfile,
            order: &order,
            below: Vec::new(),
            bold: false,
            frontend: None,
            shipped: true,
            built: Vec::new(),
        };
        let found = |at: usize| {
            let step = order.steps.get(at)?;
            let fix = stage.is_below_folder(at).then(|| stage.assumed(at)).flatten()?;
            Some((step.instruction.span.start, fix))
        };
        (0..order.steps.len()).find_map(found)
    })
}
