fn main() {
    println!("{}", words::number(42));
}
