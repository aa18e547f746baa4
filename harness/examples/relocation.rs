//! Looks at the relocations of a linked program: formula, numbers, bytes, stubs and table entries.
//!
//! `cargo run -p harness --example relocation`; it compiles C for AArch64, so it needs a compiler for that.

use harness::Rig;

const SOURCE: &str = "extern int away(int); int table[8]; int entry(int i) { return away(table[i]); }";
const AWAY: &str = "int away(int x) { return x + 1; }";

pub(crate) fn main() -> harness::Result {
    let program = Rig::new("aarch64").source("entry.c", SOURCE).source("away.c", AWAY).keep(["entry"]).link()?;

    for relocation in program.relocations() {
        println!("{relocation}\n");
    }

    let branch = program.relocations().find(|one| one.symbol == "away").expect("entry calls it");
    assert!(matches!(branch.name, "R_AARCH64_CALL26" | "R_AARCH64_JUMP26"), "{branch}");
    // S + A - P, in words of four bytes, is what the instruction holds.
    assert_eq!(branch.value, branch.s.wrapping_add_signed(branch.a).wrapping_sub(branch.p) as i64);
    let word = u32::from_le_bytes(branch.after.as_slice().try_into().expect("an instruction"));
    assert_eq!(i64::from(word << 6) as i32 >> 4, branch.value as i32);
    Ok(())
}
