/// A number, at build time.
#[proc_macro]
pub fn forty_two(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    "42".parse().unwrap()
}
