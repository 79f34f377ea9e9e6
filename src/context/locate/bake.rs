//! Bake files.
//!
//! Owns: which Dockerfiles their targets build, and where. Never does: evaluate functions or matrices.

use super::claim::{Claim, Mention, Said, name_of};
use super::hcl;
use super::variables::filled;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Targets that inherit deeper go in circles.
const DEEPEST: usize = 16;

/// Whether a file is one of bake.
pub(super) fn is_bake(file: &str) -> bool {
    let name = name_of(file);
    name.starts_with("docker-bake") && (name.ends_with(".hcl") || name.ends_with(".json"))
}

/// The targets of a folder's bake files, which hold together.
#[derive(Debug, Default)]
pub(super) struct Targets {
    targets: BTreeMap<String, Target>,
    variables: HashMap<String, Option<String>>,
}

#[derive(Clone, Debug, Default)]
struct Target {
    said: Said,
    inherits: Vec<String>,
    mention: Option<Mention>,
}

impl Targets {
    /// Adds a file; an override comes after what it overrides. A file that is not understood says nothing.
    pub(super) fn read(&mut self, file: &str, text: &str) {
        let read = if file.ends_with(".json") { self.read_json(file, text) } else { self.read_hcl(file, text) };
        if read.is_none() {
            self.targets.clear();
        }
    }

    fn read_hcl(&mut self, file: &str, text: &str) -> Option<()> {
        let blocks = hcl::read(text)?;
        for block in blocks.iter().filter(|block| block.kind == "variable") {
            let default = block.attribute("default").and_then(hcl::string).map(str::to_owned);
            self.variables.insert(block.label.to_owned(), default);
        }
        for block in blocks.iter().filter(|block| block.kind == "target") {
            let of = |name: &str| block.attribute(name).map(|value| self.value(value));
            let said = Said {
                context: of("context"),
                dockerfile: of("dockerfile"),
                target: of("target"),
                fresh: Vec::new(),
                from_context: true,
                is_inline: block.attribute("dockerfile-inline").is_some(),
            };
            let inherits = block.attribute("inherits").map(|value| hcl::strings(value).unwrap_or_default());
            let inherits = inherits.unwrap_or_default().into_iter().map(str::to_owned).collect();
            self.add(block.label, said, inherits, Mention { file: file.to_owned(), line: block.line });
        }
        Some(())
    }

    fn read_json(&mut self, file: &str, text: &str) -> Option<()> {
        let json: Value = serde_json::from_str(text).ok()?;
        let entries = |key: &str| json.get(key).and_then(Value::as_object).into_iter().flatten();
        for (name, body) in entries("variable") {
            self.variables.insert(name.clone(), body.get("default").and_then(Value::as_str).map(str::to_owned));
        }
        for (name, body) in entries("target") {
            let fill = |text: &str| filled(text, &|name| self.variables.get(name).cloned().flatten());
            let of = |key: &str| body.get(key).map(|value| value.as_str().and_then(fill));
            let said = Said {
                context: of("context"),
                dockerfile: of("dockerfile"),
                target: of("target"),
                fresh: Vec::new(),
                from_context: true,
                is_inline: body.get("dockerfile-inline").is_some(),
            };
            let inherits = body.get("inherits").and_then(Value::as_array).into_iter().flatten();
            let inherits = inherits.filter_map(Value::as_str).map(str::to_owned).collect();
            let line = text.split(&format!("\"{name}\"")).next().map_or(1, |before| before.matches('\n').count() + 1);
            self.add(name, said, inherits, Mention { file: file.to_owned(), line });
        }
        Some(())
    }

    /// A string, or a variable's name.
    fn value(&self, value: &str) -> Option<String> {
        let variable = |name: &str| self.variables.get(name).cloned().flatten();
        match hcl::string(value) {
            Some(text) => filled(text, &variable),
            None => variable(value.trim()),
        }
    }

    fn add(&mut self, name: &str, said: Said, inherits: Vec<String>, mention: Mention) {
        let target = self.targets.entry(name.to_owned()).or_default();
        target.said = over(said, &target.said);
        target.inherits.extend(inherits);
        target.mention.get_or_insert(mention);
    }

    fn whole(&self, name: &str, deepest: usize) -> Said {
        let Some(target) = self.targets.get(name).filter(|_| deepest > 0) else { return Said::default() };
        let inherited = target.inherits.iter().fold(Said::default(), |below, name| over(self.whole(name, deepest - 1), &below));
        over(target.said.clone(), &inherited)
    }

    /// The claims, for builds that run in a folder.
    pub(super) fn claims(&self, base: &str) -> Vec<Claim> {
        // A name that starts with `_` is a part for others by custom; but it can be built, too.
        let claim = |(name, target): (&String, &Target)| self.whole(name, DEEPEST).claim(base, target.mention.as_ref()?);
        let has_build = |name: &String| {
            let said = self.whole(name, DEEPEST);
            said.context.is_some() || said.dockerfile.is_some() || !name.starts_with('_')
        };
        self.targets.iter().filter(|(name, _)| has_build(name)).filter_map(claim).collect()
    }
}

/// One target's words, and another's where it has none.
fn over(upper: Said, lower: &Said) -> Said {
    Said {
        context: upper.context.or_else(|| lower.context.clone()),
        dockerfile: upper.dockerfile.or_else(|| lower.dockerfile.clone()),
        target: upper.target.or_else(|| lower.target.clone()),
        from_context: true,
        fresh: Vec::new(),
        is_inline: upper.is_inline || lower.is_inline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(files: &[(&str, &str)], base: &str) -> Vec<String> {
        let mut targets = Targets::default();
        for (file, text) in files {
            targets.read(file, text);
        }
        let show = |claim: &Claim| format!("{} {:?} {:?}", claim.dockerfile, claim.context, claim.target);
        targets.claims(base).iter().map(show).collect()
    }

    #[test]
    fn targets_say_what_they_build() {
        let hcl = "variable \"DIR\" { default = \"web\" }\ntarget \"base\" {\n  dockerfile = \"build/D\"\n}\n\
target \"web\" {\n  inherits = [\"base\"]\n  context = \"${DIR}\"\n  target = \"run\"\n}\ntarget \"odd\" {\n  context = f()\n}\n\
target \"text\" {\n  dockerfile-inline = \"FROM scratch\"\n}\ntarget \"loop\" {\n  inherits = [\"loop\"]\n  context = DIR\n}\n";
        let all = ["build/D Some(\"\") None", "web/Dockerfile Some(\"web\") None", "web/build/D Some(\"web\") Some(\"run\")"];
        assert_eq!(shown(&[("docker-bake.hcl", hcl)], ""), all);
        let json = "{\"target\": {\"web\": {\"target\": \"dev\"}}}";
        let overridden = shown(&[("docker-bake.hcl", hcl), ("docker-bake.override.json", json)], "");
        assert_eq!(overridden.last().unwrap(), "web/build/D Some(\"web\") Some(\"dev\")");
        assert!(shown(&[("docker-bake.hcl", "target \"a\" {")], "").is_empty());
        assert_eq!(
            shown(&[("docker-bake.json", "{\"target\": {\"a\": {\"context\": \"..\"}}}")], "sub"),
            ["Dockerfile Some(\"\") None"]
        );
    }
}
