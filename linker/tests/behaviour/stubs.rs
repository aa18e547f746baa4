//! Veneers: made where a branch does not reach, shared where it does.

use super::elf::{ARM_CALL, ARM_THM_CALL, CODE, Elf, FUNC, GLOBAL, PROGBITS};
use super::*;

/// Where a fixed-up branch of A64 goes.
fn a64_target(linked: &Linked<'_>, at: u64) -> u64 {
    let word = read(linked, at, 4);
    at.wrapping_add(((word << 38) as i64 >> 36) as u64)
}

#[test]
fn calls_in_reach_need_none_and_calls_beyond_share_one() {
    let files = [("a.o", calls("f", &["g", "g", "g"]).bytes()), ("b.o", calls("g", &[]).bytes())];
    let near = link("aarch64", &files).expect("links");
    assert_eq!(near.graph().stubs.len(), 0);
    let far = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
    let (f, g) = (far.address("f").expect("there"), far.address("g").expect("there"));
    assert!(g.abs_diff(f) > 128 << 20);
    let stub = a64_target(&far, f);
    assert_eq!((a64_target(&far, f + 4), a64_target(&far, f + 8)), (stub, stub));
    assert_eq!(read(&far, stub, 8), 0xd61f_0200_5800_0050, "ldr x16, .+8; br x16");
    assert_eq!(read(&far, stub + 8, 8), g);
    assert_eq!(far.graph().stubs.len(), 3, "one entry for each call, all of one stub");
}

#[test]
fn each_offset_from_the_target_has_its_own() {
    let mut caller = calls("f", &["g", "g"]);
    caller.of(1).relocations[1].3 = 4;
    let files = [("a.o", caller.bytes()), ("b.o", calls("g", &["g"]).bytes())];
    let far = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
    let (f, g) = (far.address("f").expect("there"), far.address("g").expect("there"));
    let literal = |at| read(&far, a64_target(&far, at) + 8, 8);
    assert_eq!((literal(f), literal(f + 4)), (g, g + 4));
}

/// A function that calls another, in A32 or in Thumb code.
fn arm(name: &str, callee: Option<&str>, thumb: bool) -> Vec<u8> {
    let mut elf = Elf::arm();
    let (call, number, end): (u32, _, u32) =
        if thumb { (0xfffe_f7ff, ARM_THM_CALL, 0x46c0_4770) } else { (0xebff_fffe, ARM_CALL, 0xe12f_ff1e) };
    let code = if callee.is_some() { vec![call, end] } else { vec![end] };
    let text = elf.section(
        &format!(".text.{name}"),
        PROGBITS,
        CODE,
        &code.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>(),
    );
    elf.symbol(name, GLOBAL | FUNC, text, thumb.into());
    if let Some(callee) = callee {
        let wanted = elf.wants(callee);
        elf.relocate(text, 0, number, wanted, 0);
    }
    elf.bytes()
}

#[test]
fn far_calls_of_arm_load_the_pc_with_the_state_of_the_target() {
    for (from, to) in [(false, false), (false, true), (true, false), (true, true)] {
        let files = [("a.o", arm("f", Some("g"), from)), ("b.o", arm("g", None, to))];
        let far = link_as("armv7", &files, Roots::All, &Layout::Far).expect("links");
        let g = far.address("g").expect("there");
        assert_eq!(g & 1, u64::from(to));
        let stub = far.graph().stubs.first().expect("a stub").symbol;
        let stub = far.graph().address(stub).expect("placed");
        let code = if from { 0xf000_f8df } else { 0xe51f_f004 };
        assert_eq!(read(&far, stub, 4), code, "a load of pc in the state of the caller");
        assert_eq!(read(&far, stub + 4, 4), g, "with the low bit of the target's state");
    }
}

#[test]
fn near_calls_change_state_without_a_stub() {
    for (from, to, mask, bits) in [
        (false, true, 0xfe00_0000u64, 0xfa00_0000u64),
        (true, false, 0xd001_0000, 0xc000_0000),
        (true, true, 0xd000_0000, 0xd000_0000),
    ] {
        let files = [("a.o", arm("f", Some("g"), from)), ("b.o", arm("g", None, to))];
        let near = link("armv7", &files).expect("links");
        assert_eq!(near.graph().stubs.len(), 0);
        let word = read(&near, near.address("f").expect("there") & !1, 4);
        assert_eq!(word & mask, bits, "{from} to {to}: {word:#x}");
    }
}
