fn main() {
    println!("{} {} {}", env!("GREETING"), colours::PLAIN, words::number(macros::forty_two!()));
}
