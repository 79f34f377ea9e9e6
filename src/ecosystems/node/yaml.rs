//! YAML files of pnpm and Yarn as JSON values, which is how the rest is read.
//!
//! Owns: that conversion; numbers and the like become text as it stands. Never does: keep comments or places.

use super::reading::{Reading, not_seen};
use crate::ecosystems::Entangled;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// The file's first document; an empty file is an empty map.
pub(crate) fn read(reading: &Reading<'_>, path: &str) -> Result<Value, Entangled> {
    let text = reading.text(path)?;
    parse(&text).ok_or_else(|| not_seen(format!("{} is not valid YAML", reading.name(path))))
}

/// The text's first document.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let documents = Yaml::load_from_str(text).ok()?;
    match documents.first() {
        Some(document) => value(document),
        None => Some(Value::Object(Map::new())),
    }
}

fn value(node: &Yaml<'_>) -> Option<Value> {
    Some(match node {
        Yaml::Representation(text, ..) => Value::String(text.to_string()),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(yes)) => Value::Bool(*yes),
        Yaml::Value(Scalar::Integer(number)) => Value::String(number.to_string()),
        Yaml::Value(Scalar::FloatingPoint(number)) => Value::String(number.to_string()),
        Yaml::Value(Scalar::String(text)) => Value::String(text.to_string()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(value).collect::<Option<_>>()?),
        Yaml::Mapping(map) => {
            let entries = map.iter().map(|(key, item)| {
                let Value::String(key) = value(key)? else { return None };
                Some((key, value(item)?))
            });
            Value::Object(entries.collect::<Option<_>>()?)
        }
        Yaml::Tagged(_, inner) => value(inner)?,
        Yaml::Alias(_) | Yaml::BadValue => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn values() {
        assert_eq!(parse("a: 1\nb: [x, true]\nc:\n"), Some(json!({"a": "1", "b": ["x", true], "c": null})));
        assert_eq!(parse("# nothing\n"), Some(json!({})));
        assert_eq!(parse("a: [\n"), None);
    }
}
