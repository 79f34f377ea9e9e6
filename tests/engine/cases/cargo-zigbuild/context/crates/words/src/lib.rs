/// A number as text.
pub fn number(n: u32) -> String {
    itoa::Buffer::new().format(counting::same(n)).to_owned()
}
