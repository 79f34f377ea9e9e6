//! What a `pyproject.toml` (or another TOML file) says that decides what an install reads.
//!
//! Owns: reaching into such a file, what is dynamic in it, and local addresses. Never does: know a manager's own tables.

mod declared;
mod setup_script;

pub(super) use declared::{Declared, Table, declared, installed_from_source};

use super::Entangled;
use super::reading::not_seen;
use toml_edit::{DocumentMut, Item, Value};

/// The file's content. `name` is told where it is no TOML.
pub(super) fn parsed(text: &str, name: &str) -> Result<DocumentMut, Entangled> {
    text.trim_start_matches('\u{feff}').parse().map_err(|_| not_seen(format!("{name} can't be read as TOML")))
}

/// What lies at a dotted place: `tool.uv.sources`.
pub(super) fn at<'d>(document: &'d DocumentMut, place: &str) -> Option<&'d Item> {
    let mut item = document.as_item();
    for key in place.split('.') {
        item = item.get(key)?;
    }
    Some(item)
}

/// The text there.
pub(super) fn text_at<'d>(document: &'d DocumentMut, place: &str) -> Option<&'d str> {
    at(document, place)?.as_str()
}

/// The texts of the list there, or none.
pub(super) fn list_at<'d>(document: &'d DocumentMut, place: &str) -> Vec<&'d str> {
    let list = at(document, place).and_then(Item::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// The tables in an item: itself, one table of a list of them, or inline ones.
pub(super) fn tables(item: &Item) -> Vec<&dyn toml_edit::TableLike> {
    if let Some(list) = item.as_array_of_tables() {
        return list.iter().map(|table| table as &dyn toml_edit::TableLike).collect();
    }
    if let Some(list) = item.as_array() {
        return list.iter().filter_map(Value::as_inline_table).map(|table| table as &dyn toml_edit::TableLike).collect();
    }
    item.as_table_like().into_iter().collect()
}

/// Whether the package's dependencies are only known when it is built.
pub(super) fn has_dynamic_dependencies(document: &DocumentMut) -> bool {
    let dynamic = list_at(document, "project.dynamic");
    dynamic.contains(&"dependencies") || dynamic.contains(&"optional-dependencies")
}

/// Whether the package's version is only known when it is built.
pub(super) fn has_dynamic_version(document: &DocumentMut) -> bool {
    list_at(document, "project.dynamic").contains(&"version")
}

/// The part of an address that is a path: of `file://…` and of what is no address at all.
pub(super) fn local_path(address: &str) -> Option<&str> {
    match address.split_once("://") {
        Some(("file", path)) => Some(path),
        Some(_) => None,
        None => Some(address.strip_prefix("file:").unwrap_or(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_lists_and_texts_are_reached() {
        let text = "\u{feff}[project]\nname = 'a'\ndynamic = ['version']\n[[tool.uv.index]]\nurl = 'x'\n[tool.uv.sources]\nb = [{ path = 'c' }]\n";
        let document = parsed(text, "pyproject.toml").unwrap();
        assert_eq!(text_at(&document, "project.name"), Some("a"));
        assert!(has_dynamic_version(&document) && !has_dynamic_dependencies(&document));
        assert_eq!(tables(at(&document, "tool.uv.index").unwrap()).len(), 1);
        assert_eq!(tables(at(&document, "tool.uv.sources.b").unwrap()).len(), 1);
        assert!(parsed("[a", "x.toml").unwrap_err().to_string().contains("x.toml"));
        assert_eq!((local_path("file:///a"), local_path("https://a"), local_path("./a")), (Some("/a"), None, Some("./a")));
    }
}
