//! Section groups.

use super::elf::{CODE, Elf, FUNC, GLOBAL, GROUP, LOCAL, PROGBITS, READ, SECTION, WEAK};
use super::*;

/// An object with a function `f` in a group of that name, and a pointer to it from outside the group.
fn with_group(code: u32, pointer: bool) -> Elf {
    let mut elf = Elf::aarch64();
    let text = elf.section(".text.f", PROGBITS, CODE, &code.to_le_bytes());
    let f = elf.symbol("f", WEAK | FUNC, text, 0);
    let local = elf.symbol("inside", LOCAL | FUNC, text, 0);
    let group = elf.section(".group", GROUP, 0, &[[1, 0, 0, 0], [text as u8, 0, 0, 0]].concat());
    elf.of(group).info = f as u32;
    if pointer {
        let data = elf.section(".rodata", PROGBITS, READ, &[0; 8]);
        elf.relocate(data, 0, super::elf::AARCH64_ABS64, local, 0);
    }
    elf
}

#[test]
fn of_each_group_the_first_stays() {
    let files = [("a.o", with_group(1, false).bytes()), ("b.o", with_group(2, false).bytes())];
    let linked = link("aarch64", &files).expect("links");
    assert_eq!(read(&linked, linked.address("f").expect("there"), 4), 1);
    assert_eq!(linked.handle.iter().map(|placed| placed.bytes.len()).sum::<usize>(), 4);
}

#[test]
fn a_reference_to_a_local_symbol_of_a_dropped_group_is_an_error() {
    let files = [("a.o", with_group(1, false).bytes()), ("b.o", with_group(2, true).bytes())];
    let expected = "b.o(.rodata+0x0): R_AARCH64_ABS64 against `inside`: refers to a section that is not part of \
        the link: another object has its group, or it was left out";
    assert_eq!(error("aarch64", &files), expected);
}

#[test]
fn a_group_may_go_by_the_name_of_a_section() {
    let object = |name: &str| {
        let mut elf = Elf::aarch64();
        let text = elf.section(name, PROGBITS, CODE, &1u32.to_le_bytes());
        let symbol = elf.symbol("", LOCAL | SECTION, text, 0);
        elf.symbol(&format!("f{name}"), GLOBAL | FUNC, text, 0);
        let group = elf.section(".group", GROUP, 0, &[[1, 0, 0, 0], [text as u8, 0, 0, 0]].concat());
        elf.of(group).info = symbol as u32;
        elf.bytes()
    };
    let files = [("a.o", object(".text.a")), ("b.o", object(".text.b")), ("c.o", object(".text.a"))];
    let linked = link("aarch64", &files).expect("links");
    assert!(linked.address("f.text.a").is_some() && linked.address("f.text.b").is_some());
    assert_eq!(linked.handle.iter().map(|placed| placed.bytes.len()).sum::<usize>(), 8);
}

/// An object with a function `f` in a section of this name, of which a link keeps one.
fn once(name: &str, code: u32) -> Elf {
    let mut elf = Elf::aarch64();
    let text = elf.section(name, PROGBITS, CODE, &code.to_le_bytes());
    elf.symbol("f", GLOBAL | FUNC, text, 0);
    elf
}

#[test]
fn of_sections_to_be_linked_once_the_first_stays() {
    let files = [("a.o", once(".gnu.linkonce.t.f", 1).bytes()), ("b.o", once(".gnu.linkonce.t.f", 2).bytes())];
    let linked = link("aarch64", &files).expect("links");
    assert_eq!(read(&linked, linked.address("f").expect("there"), 4), 1);
    assert_eq!(linked.handle.iter().map(|placed| placed.bytes.len()).sum::<usize>(), 4);
    // The kind is part of the name.
    let files = [("a.o", once(".gnu.linkonce.t.f", 1).bytes()), ("b.o", once(".gnu.linkonce.r.f", 2).bytes())];
    assert!(error("aarch64", &files).starts_with("duplicate symbol: f"));
}

#[test]
fn a_section_to_be_linked_once_stands_for_a_group_of_one_and_the_reverse() {
    let group = || with_group(1, false).bytes();
    let once = || once(".gnu.linkonce.t.f", 2).bytes();
    for (files, code) in [([("a.o", group()), ("b.o", once())], 1), ([("a.o", once()), ("b.o", group())], 2)] {
        let linked = link("aarch64", &files).expect("links");
        assert_eq!(read(&linked, linked.address("f").expect("there"), 4), code);
        assert_eq!(linked.handle.iter().map(|placed| placed.bytes.len()).sum::<usize>(), 4);
    }
}

/// gABI, Section Groups: the members are kept or dropped together.
#[test]
fn a_group_is_kept_or_dropped_as_a_whole() {
    let mut elf = with_group(1, false);
    let table = elf.section(".rodata.f", PROGBITS, READ, &[7; 8]);
    elf.symbol("table", GLOBAL, table, 0);
    elf.symbol("main", GLOBAL, table, 4);
    elf.of(2).data.extend([table as u8, 0, 0, 0]);
    let files = [("a.o", elf.bytes()), ("b.o", calls("other", &[]).bytes())];
    let live = |root: &str| {
        let linked = link_as("aarch64", &files, Roots::Names(&[root]), &Layout::Near).expect("links");
        ["f", "table"].map(|name| linked.address(name).is_some())
    };
    assert_eq!(live("f"), [true, true]);
    assert_eq!(live("main"), [true, true]);
    assert_eq!(live("other"), [false, false]);
}
