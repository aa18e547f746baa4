//! Calls functions of a linked program: typed arguments, typed results, and an error that says what went wrong.
//!
//! `cargo run -p harness --example call`; it compiles C for 32-bit ARM, so it needs a compiler for that.

use harness::{Layout, Rig};

const CALLER: &str = r#"
int printf(const char *, ...);
double scale(double, int);

int called;

double area(double width, double height) {
    called++;
    printf("area of %g by %g\n", width, height);
    return scale(width * height, 2);
}

int broken(int *p) { return *p; }
"#;

const CALLEE: &str = "double scale(double x, int by) { return x * by; }";

pub(crate) fn main() -> harness::Result {
    // Far: the two files are further apart than a branch reaches, so the linker has to make a stub.
    let mut program =
        Rig::new("armv7").source("caller.c", CALLER).source("callee.c", CALLEE).layout(Layout::Far).link()?;

    let area: f64 = program.call("area", (1.5, 4.0))?;
    println!("area is {area}, and the program printed {:?}", program.output());
    assert_eq!((area, program.read::<i32>("called")?), (12.0, 1));

    // A wrong result would be an error with the relocations on the way; this one is right.
    program.check("area", (0.5, 0.5), 0.5)?;

    // A pointer to nowhere: the error says where, and what was in the registers.
    let error = program.call::<i32>("broken", (0u32,)).expect_err("there is nothing at 0");
    println!("{error}");
    assert!(error.to_string().starts_with("broken(0u32): read fault at 0x"));
    Ok(())
}
