//! x
use std::io::Write;
fn main(){ // temporary probe
    let mut o=std::io::stdout().lock();
    for p in std::env::args().skip(1) { let s=std::fs::read(&p).unwrap(); let d=dockeropt::syntax::parse(&String::from_utf8_lossy(&s)); writeln!(o,"{}",dockeropt::report::instructions_json(&p,&d)).unwrap(); }
}
