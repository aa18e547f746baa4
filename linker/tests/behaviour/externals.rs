//! Externals, and symbols that nobody defines.

use super::elf::{AARCH64_ABS64, ARM_ABS32, ARM_CALL, CODE, DATA, Elf, FUNC, GLOBAL, OBJECT, PROGBITS};
use super::*;

/// An A32 function that calls `outside`, and a pointer to it.
fn refers_outside() -> Vec<u8> {
    let mut elf = Elf::arm();
    let code: Vec<u8> = [0xebff_fffeu32, 0xe12f_ff1e].iter().flat_map(|word| word.to_le_bytes()).collect();
    let text = elf.section(".text", PROGBITS, CODE, &code);
    elf.symbol("f", GLOBAL | FUNC, text, 0);
    let data = elf.section(".data", PROGBITS, DATA, &[0; 4]);
    elf.symbol("p", GLOBAL | OBJECT, data, 0);
    let outside = elf.wants("outside");
    elf.relocate(text, 0, ARM_CALL, outside, 0);
    elf.relocate(data, 0, ARM_ABS32, outside, 0);
    elf.bytes()
}

fn with<'data>(files: &'data [(&'data str, Vec<u8>)], target: &str, found: Found) -> Result<Linked<'data>> {
    let mut ram = Ram::default();
    let reserved = parse(target, files, &Options::default())?.prune(Roots::All)?.reserve(&mut ram, &Layout::Near)?;
    reserved.resolve(&mut ram, |_| Some(found))?.fix(&mut ram)?.finalize(&mut ram)
}

#[test]
fn what_an_odd_address_means_is_told_by_who_knows_it() {
    let files = [("a.o", refers_outside())];
    for (found, blx) in
        [(Found::Function(0x40_1001), true), (Found::Function(0x40_1000), false), (Found::Data(0x40_1001), false)]
    {
        let linked = with(&files, "armv7", found).expect("links");
        let (Found::Function(address) | Found::Data(address)) = found;
        assert_eq!(read(&linked, linked.address("p").expect("there"), 4), address);
        let call = read(&linked, linked.address("f").expect("there"), 4);
        assert_eq!(call >> 28 == 0xf, blx, "{found:?}: {call:#x}");
    }
    let files = [("a.o", points_to(&["odd"]).bytes())];
    assert_eq!(pointer(&with(&files, "aarch64", Found::Data(0x1001)).expect("links"), "p_odd"), 0x1001);
}

#[test]
fn a_data_external_has_no_thumb_bit() {
    let mut elf = Elf::arm();
    let data = elf.section(".data", PROGBITS, DATA, &[1, 0, 0, 0]);
    elf.symbol("p", GLOBAL | OBJECT, data, 0);
    let odd = elf.wants("odd");
    elf.relocate(data, 0, ARM_ABS32, odd, 0);
    let files = [("a.o", elf.bytes())];
    let value = |found| {
        let linked = with(&files, "armv7", found).expect("links");
        read(&linked, linked.address("p").expect("there"), 4)
    };
    // (S + A) | T with A = 1: T shows where the sum is even.
    assert_eq!(value(Found::Data(0x2001)), 0x2002);
    assert_eq!(value(Found::Function(0x2001)), 0x2001);
}

#[test]
fn a_thread_local_variable_does_not_come_from_outside() {
    const TLSLE_ADD_TPREL_HI12: u32 = 549;
    let mut elf = Elf::aarch64();
    let text = elf.section(".text", PROGBITS, CODE, &0x9140_0000u32.to_le_bytes());
    elf.symbol("f", GLOBAL | FUNC, text, 0);
    let variable = elf.wants("variable");
    elf.relocate(text, 0, TLSLE_ADD_TPREL_HI12, variable, 0);
    let files = [("a.o", elf.bytes())];
    for found in [Found::Data(0x1000), Found::Function(0x1000)] {
        assert_eq!(
            with(&files, "aarch64", found).map(drop).expect_err("refused").to_string(),
            "a.o(.text+0x0): R_AARCH64_TLSLE_ADD_TPREL_HI12 against `variable`: the relocation is for thread-local variables, but \
             the symbol is none"
        );
    }
}

#[test]
fn debug_information_of_what_is_not_there_says_so() {
    let mut elf = calls("kept", &[]);
    let dropped = elf.section(".text.dropped", PROGBITS, CODE, &[0; 4]);
    let wanted = elf.symbol("dropped", GLOBAL | FUNC, dropped, 0);
    let names = [".debug_info", ".debug_ranges", ".debug_loc", ".debug_names"];
    for name in names {
        let section = elf.section(name, PROGBITS, 0, &[0; 8]);
        elf.relocate(section, 0, AARCH64_ABS64, wanted, 0x10);
    }
    let files = [("a.o", elf.bytes())];
    let options = Options { keep_debug: true, ..Options::default() };
    let linked = link_with("aarch64", &files, Roots::Names(&["kept"]), &Layout::Near, &options).expect("links");
    let debug = linked.handle.iter().filter(|placed| placed.segment.lifetime == linker::memory::Lifetime::NoAlloc);
    let values: Vec<Vec<u8>> = debug.map(|placed| placed.bytes.clone()).collect();
    let word = |value: u64| value.to_le_bytes().to_vec();
    assert_eq!(values, [word(0), word(1), word(1), word(u64::MAX)]);
}

/// Two relocations of one word: the second one works on what the first has left, and asking for either says the same as
/// what is written.
#[test]
fn relocations_that_share_a_place_are_told_as_they_are_applied() {
    const MOVW_UABS_G0: u32 = 263;
    let mut elf = Elf::aarch64();
    let text = elf.section(".text", PROGBITS, CODE, &0xd280_0000u32.to_le_bytes());
    elf.symbol("f", GLOBAL | FUNC, text, 0);
    let absolute = elf.wants("value");
    elf.relocate(text, 0, MOVW_UABS_G0, absolute, 0);
    elf.relocate(text, 0, MOVW_UABS_G0, absolute, 1);
    let files = [("a.o", elf.bytes())];
    let linked = with(&files, "aarch64", Found::Data(0x1234)).expect("links");
    let written = read(&linked, linked.address("f").expect("there"), 4);
    let fixups: Vec<_> = linked.graph().edges.ids().map(|id| linked.fixup(id).expect("fits")).collect();
    let words: Vec<_> = fixups.iter().map(|fixup| (fixup.before, fixup.after)).collect();
    assert_eq!(words, [(0xd280_0000, 0xd282_4680), (0xd282_4680, 0xd282_46a0)]);
    assert_eq!(written, 0xd282_46a0);
}
