//! A page.
use super::Sheet;
/// A page.
pub fn page(_sheets: &[Sheet]) -> String {
    String::new()
}
