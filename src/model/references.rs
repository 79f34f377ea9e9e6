//! Uses of a stage's files by another.
//!
//! Owns: `COPY --from`, `ADD --from` and `RUN --mount=…,from=`, resolved to stages. FROM itself is `Model::chain`.

use super::{Model, expansion};
use crate::ecosystems::absolute;
use crate::knowledge::Knowledge;
use crate::syntax::Keyword;

/// A use of a stage's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The stage whose files are used.
    pub of: usize,
    /// The stage that uses them.
    pub by: usize,
    /// 1-based line of the use.
    pub line: usize,
    /// How.
    pub kind: ReferenceKind,
    /// The paths in the stage, absolute where they are known.
    pub paths: Vec<Knowledge<String>>,
}

/// How a stage's files are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// `COPY --from`
    Copy,
    /// `RUN --mount=type=bind,from=…`
    Mount,
    /// `RUN --mount=type=cache,from=…`: the stage's files are what an empty cache starts with.
    CacheSeed,
}

/// Every use in the file, in order.
pub fn of(model: &Model<'_>) -> Vec<Reference> {
    let mut references = Vec::new();
    for (by, stage) in model.stages.iter().enumerate() {
        for step in &stage.steps {
            let line = step.instruction.lines.0;
            let lookup = step.state.lookup();
            let value = |text: &str| expansion::expand(text, '\\', &lookup);
            if matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add)
                && let Some(of) = step.instruction.flag("from").and_then(|name| model.stage_named(name))
            {
                let values = &step.instruction.arguments.values;
                let sources = values.split_last().map_or(&[][..], |(_, sources)| sources);
                let paths = sources.iter().map(|source| rooted(value(source))).collect();
                references.push(Reference { of, by, line, kind: ReferenceKind::Copy, paths });
            }
            for flag in step.instruction.flags_named("mount") {
                let option = |name: &str| mount_option(flag.value(), name);
                let Some(of) = option("from").and_then(|name| model.stage_named(name)) else { continue };
                let kind = if option("type") == Some("cache") { ReferenceKind::CacheSeed } else { ReferenceKind::Mount };
                let source = option("source").or_else(|| option("src")).unwrap_or("/");
                references.push(Reference { of, by, line, kind, paths: vec![rooted(value(source))] });
            }
        }
    }
    references
}

/// Sources in a stage are seen from its root, whatever its WORKDIR.
fn rooted(path: Knowledge<String>) -> Knowledge<String> {
    match path {
        Knowledge::Known(path) => absolute(&path, &Knowledge::Known("/".to_owned())),
        Knowledge::Unknown => Knowledge::Unknown,
    }
}

/// The value of an option in `type=cache,target=/x`. `readonly` without a value counts as "".
pub fn mount_option<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    value.split(',').find_map(|option| {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        key.trim().eq_ignore_ascii_case(name).then_some(value)
    })
}
