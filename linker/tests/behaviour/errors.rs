//! The text of errors: file, section, offset, relocation, symbol, and what was expected.

use super::elf::{AARCH64_CALL26, ABSOLUTE, ARM_CALL, CODE, DATA, Elf, FUNC, GLOBAL, NOBITS, PROGBITS};
use super::*;

#[test]
fn a_value_out_of_range_comes_with_its_numbers() {
    let mut elf = Elf::aarch64();
    let data = elf.section(".data", PROGBITS, DATA, &[0; 8]);
    let x = elf.symbol("x", GLOBAL, ABSOLUTE, 0x12345);
    elf.relocate(data, 4, 259, x, 1);
    let expected = "a.o(.data+0x4): R_AARCH64_ABS16 against `x`: out of range: S + A = 0x12346 (S 0x12345, A 0x1, P 0x400004), \
        allowed [-0x8000, 0xffff]";
    assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn all_that_does_not_fit_is_said_at_once() {
    let mut elf = Elf::aarch64();
    let data = elf.section(".data", PROGBITS, DATA, &[0; 8]);
    let text = elf.section(".text", PROGBITS, CODE, &[0xd503_201fu32.to_le_bytes(); 2].concat());
    let x = elf.symbol("x", GLOBAL, ABSOLUTE, 0x12345);
    let f = elf.symbol("f", GLOBAL | FUNC, text, 0);
    elf.relocate(data, 4, 259, x, 1);
    elf.relocate(data, 2, 259, x, -0x12345);
    elf.relocate(data, 0, 259, x, 2);
    elf.relocate(text, 4, AARCH64_CALL26, f, 0);
    let expected = "3 relocations cannot be applied\n  \
        a.o(.data+0x0): R_AARCH64_ABS16 against `x`: out of range: S + A = 0x12347 (S 0x12345, A 0x2, P 0x401000), \
        allowed [-0x8000, 0xffff]\n  \
        a.o(.data+0x4): R_AARCH64_ABS16 against `x`: out of range: S + A = 0x12346 (S 0x12345, A 0x1, P 0x401004), \
        allowed [-0x8000, 0xffff]\n  \
        a.o(.text+0x4): R_AARCH64_CALL26 against `f`: instruction 0xd503201f cannot carry this relocation, expected b/bl";
    assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
}

/// However many there are, so many are values, fewer are shown, and all are counted.
#[test]
fn an_error_of_many_places_is_bounded() {
    use linker::error::{Error, Several};
    const COUNT: u32 = 1000;
    let mut elf = Elf::aarch64();
    let data = elf.section(".data", PROGBITS, DATA, &vec![0; COUNT as usize * 2]);
    let x = elf.symbol("x", GLOBAL, ABSOLUTE, 0x12345);
    (0..COUNT).for_each(|index| elf.relocate(data, u64::from(index) * 2, 259, x, 0));
    let files = [("a.o", elf.bytes())];
    let error = link("aarch64", &files).expect_err("nothing of it fits");
    let text = error.to_string();
    let Error::Several(several) = error else { panic!("{text}") };
    assert_eq!((several.errors.len(), several.more, several.count()), (Several::KEPT, 900, 1000));
    assert_eq!(text.lines().count(), Several::SHOWN + 2);
    assert!(text.starts_with("1000 relocations cannot be applied\n"), "{text}");
    assert!(text.ends_with("\n  and 980 more"), "{text}");
}

/// What is allowed is said in few words, also where no range is checked.
#[test]
fn what_is_allowed_is_short() {
    let mut elf = Elf::aarch64();
    let text = elf.section(".text", PROGBITS, CODE, &0xf940_0000u32.to_le_bytes());
    let x = elf.symbol("x", GLOBAL, ABSOLUTE, 0x1001);
    elf.relocate(text, 0, 286, x, 0);
    let got = error("aarch64", &[("a.o", elf.bytes())]);
    assert!(got.ends_with("S + A = 0x1001 (S 0x1001, A 0x0, P 0x400000), allowed: multiples of 8"), "{got}");
    for (number, word, value, allowed) in [
        (5 + 53, 0xe28f_0000u32, 0x40_0101u64, "allowed: none left over"),
        (4, 0xe59f_0000, 0x40_1000, "allowed [-0xfff, 0xfff]"),
        (62, 0xe59f_0000, 0x7f_3fff, "allowed: at most 0xfff left over"),
        (64, 0xe1df_00b0, 0x40_0100, "allowed: at most 0xff up or down"),
        (67, 0xed9f_0a00, 0x40_0402, "allowed: at most 0x3fc up or down, a multiple of 4"),
    ] {
        let mut elf = Elf::arm();
        let text = elf.section(".text", PROGBITS, CODE, &word.to_le_bytes());
        let x = elf.symbol("x", GLOBAL, ABSOLUTE, value);
        elf.relocate(text, 0, number, x, 0);
        let got = error("armv7", &[("a.o", elf.bytes())]);
        assert!(got.ends_with(&format!(", {allowed}")), "{number}: {got}");
    }
}

#[test]
fn an_instruction_that_cannot_carry_a_relocation_is_named() {
    let mut elf = Elf::aarch64();
    let text = elf.section(".text", PROGBITS, CODE, &0xd503_201fu32.to_le_bytes());
    let f = elf.symbol("f", GLOBAL | FUNC, text, 0);
    elf.relocate(text, 0, AARCH64_CALL26, f, 0);
    let expected = "a.o(.text+0x0): R_AARCH64_CALL26 against `f`: instruction 0xd503201f cannot carry this relocation, expected b/bl";
    assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn an_unknown_relocation_is_named_by_its_number() {
    let mut elf = Elf::aarch64();
    let data = elf.section(".data", PROGBITS, DATA, &[0; 8]);
    elf.relocate(data, 4, 9999, 0, 0);
    assert_eq!(
        error("aarch64", &[("a.o", elf.bytes())]),
        "a.o(.data+0x4): relocation 9999 is not supported for AArch64"
    );
}

#[test]
fn relocations_stay_in_their_section() {
    let mut elf = Elf::aarch64();
    let data = elf.section(".data", PROGBITS, DATA, &[0; 8]);
    elf.relocate(data, 1, super::elf::AARCH64_ABS64, 0, 0);
    let expected =
        "a.o(.data+0x1): R_AARCH64_ABS64: r_offset needs 8 bytes of content at 0x1, but the section has 0x8 bytes";
    assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn zero_fill_cannot_be_relocated() {
    let mut elf = Elf::arm();
    let bss = elf.section(".bss", NOBITS, DATA, &[]);
    elf.of(bss).size = 64;
    elf.relocate(bss, 8, super::elf::ARM_ABS32, 0, 0);
    let expected = "a.o(.bss+0x8): R_ARM_ABS32: r_offset needs 4 bytes of content at 0x8, but the section has no content, as SHT_NOBITS: 0x40 bytes";
    assert_eq!(error("armv7", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn a_symbol_index_stays_in_the_table() {
    let mut elf = Elf::arm();
    let text = elf.section(".text", PROGBITS, CODE, &0xebff_fffeu32.to_le_bytes());
    elf.relocate(text, 0, ARM_CALL, 77, 0);
    let expected = "a.o(.text+0x0): R_ARM_CALL: symbol index 77 is outside the symbol table";
    assert_eq!(error("armv7", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn a_mapping_symbol_is_not_an_address() {
    let mut elf = Elf::arm();
    let text = elf.section(".text", PROGBITS, CODE, &0xebff_fffeu32.to_le_bytes());
    let mapping = elf.symbol("$a", super::elf::LOCAL, text, 0);
    elf.relocate(text, 0, ARM_CALL, mapping, 0);
    let expected =
        "a.o(.text+0x0): R_ARM_CALL: symbol 1 names a file or what bytes are, expected one that names a place";
    assert_eq!(error("armv7", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn what_is_not_for_the_target_is_named() {
    let expect = |target: &str, data: Vec<u8>, expected: &str| {
        assert_eq!(error(target, &[("a.o", data)]), format!("a.o: {expected}"));
    };
    expect("aarch64", Elf::arm().bytes(), "is for 32-bit ARM, expected an object for AArch64");
    expect("armv7", Elf::aarch64().bytes(), "is for AArch64, expected an object for 32-bit ARM");
    expect("aarch64", Elf::ilp32().bytes(), "is for AArch64, ILP32, expected an object for AArch64");
    expect("armebv7", Elf::arm().bytes(), "is for 32-bit ARM, expected an object for 32-bit ARM, big-endian");
    // e_machine, e_type
    for (at, value, expected) in [
        (18, 62u16, "is for x86-64, expected an object for AArch64"),
        (18, 243, "is for RISC-V, 64-bit, expected an object for AArch64"),
        (18, 0x1234, "is for machine 4660, expected an object for AArch64"),
        (
            16,
            3,
            "is a shared library or a position-independent executable for AArch64, expected an object, as compilers make it, for AArch64",
        ),
        (16, 2, "is an executable for AArch64, expected an object, as compilers make it, for AArch64"),
        (16, 4, "is a core file for AArch64, expected an object, as compilers make it, for AArch64"),
    ] {
        let mut data = Elf::aarch64().bytes();
        data[at..at + 2].copy_from_slice(&value.to_le_bytes());
        expect("aarch64", data, expected);
    }
    expect("aarch64", b"\x7fELF\x09".to_vec(), "is an ELF file whose header is cut short or damaged");
    expect("aarch64", Vec::new(), "is empty, expected an ELF object");
    expect("aarch64", b"BC\xc0\xde....".to_vec(), "is LLVM bitcode, expected an ELF object");
}

#[test]
fn objects_for_link_time_optimization_only_are_named() {
    let mut elf = Elf::aarch64();
    elf.symbol("__gnu_lto_slim", GLOBAL, super::elf::COMMON, 1);
    let expected = "a.o: holds GCC LTO code only: compile it with -ffat-lto-objects or without -flto";
    assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn names_do_not_reach_the_terminal_as_commands() {
    let mut elf = calls("f", &["\x1b]0;owned\x07\u{202e}x"]);
    elf.of(1).name = ".text\x1b[31m".to_owned();
    let expected =
        "undefined symbol: \\x1b]0;owned\\x07\\u{202e}x\n  wanted by a.o(.text\\x1b[31m+0x0): R_AARCH64_CALL26";
    assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn memory_is_writable_or_executable() {
    let mut elf = Elf::aarch64();
    elf.section(".text", PROGBITS, CODE | 1, &[0; 4]);
    let expected = "a.o(.text): the section is both writable and executable, expected at most one of them";
    assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
}

#[test]
fn the_place_of_a_symbol_is_checked() {
    let mut elf = Elf::aarch64();
    elf.symbol("x", GLOBAL, 77, 0);
    assert_eq!(
        error("aarch64", &[("a.o", elf.bytes())]),
        "a.o against `x`: st_shndx is 0x4d, expected the index of a section"
    );
}
