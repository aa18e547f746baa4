//! Linux with glibc: the program is linked at a fixed address. It has 23 thousand pointers in its tables, most of them the emulator's
//! and the disassembler's, and moving them all takes the loader longer than a small link takes altogether.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
