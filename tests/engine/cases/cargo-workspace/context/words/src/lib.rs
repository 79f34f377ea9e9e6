/// A number as text.
pub fn number(n: u32) -> String {
    itoa::Buffer::new().format(n).to_owned()
}
