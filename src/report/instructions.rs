//! `dockeropt parse`: a file's instructions as JSON.
//!
//! Owns: the shape, which is that of the `dockerfile` package on PyPI (a wrapper of BuildKit's own parser): `cmd`, `sub_cmd`,
//! `json`, `start`, `end`, `flags`, `value`, `heredocs`.

use crate::syntax::{Dockerfile, Instruction};
use serde_json::{Value, json};

/// One JSON object: `file` and either `instructions` or `error` (with `line`, 1-based, and words).
pub fn instructions_json(file: &str, dockerfile: &Dockerfile) -> Value {
    match dockerfile.errors.first() {
        Some(error) => json!({ "file": file, "error": error.message, "line": error.line }),
        None => {
            let instructions: Vec<Value> = dockerfile.instructions().map(|instruction| one(dockerfile, instruction)).collect();
            json!({ "file": file, "instructions": instructions })
        }
    }
}

fn one(dockerfile: &Dockerfile, instruction: &Instruction) -> Value {
    let inner = instruction.trigger.as_deref().unwrap_or(instruction);
    let flags: Vec<&str> = instruction.flags.iter().map(|flag| flag.text.as_str()).collect();
    let heredocs: Vec<Value> = instruction
        .heredocs
        .iter()
        .map(|heredoc| json!({ "name": heredoc.name, "fd": heredoc.fd, "content": dockerfile.slice(heredoc.content.clone()) }))
        .collect();
    json!({
        "cmd": instruction.word,
        "sub_cmd": instruction.trigger.as_ref().map(|trigger| trigger.word.as_str()),
        "json": inner.arguments.json,
        "start": instruction.lines.0,
        "end": instruction.lines.1,
        "flags": flags,
        "value": inner.arguments.values,
        "heredocs": heredocs,
    })
}
