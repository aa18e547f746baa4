//! Has a program call a function of yours: what a JIT's callbacks into its host are.
//!
//! `cargo run -p harness --example host`; it compiles C for Thumb, so it needs a compiler for that.

use std::cell::RefCell;
use std::rc::Rc;

use harness::Rig;

const SOURCE: &str = r#"
long long lookup(const char *key, int default_value);
long long total(void) { return lookup("width", 1) + lookup("height", 2) + lookup("depth", 3); }
"#;

pub(crate) fn main() -> harness::Result {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let log = asked.clone();
    let mut program = Rig::new("thumbv7")
        .source("total.c", SOURCE)
        .host("lookup", move |frame| {
            // Arguments in the order of the declaration; a bad pointer is a fault of the program, not of ours.
            let (key, otherwise) = (frame.word()?, frame.int()?);
            let name = String::from_utf8_lossy(&frame.string(key, 4096)?).into_owned();
            let value = if name == "height" { 40 } else { i64::from(otherwise) };
            log.borrow_mut().push(name);
            frame.give_long(value as u64)
        })
        .link()?;
    let total: i64 = program.call("total", ())?;
    println!("total is {total}; asked for {:?}", asked.borrow());
    assert_eq!(total, 44);
    assert_eq!(*asked.borrow(), ["width", "height", "depth"]);
    Ok(())
}
