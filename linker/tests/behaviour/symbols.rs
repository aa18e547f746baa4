//! Resolution: which definition of a name counts.

use super::elf::{ABSOLUTE, COMMON, Elf, GLOBAL, OBJECT, UNDEFINED, UNIQUE, WEAK};
use super::*;

/// The value that `x` has when these are linked in this order.
fn winner(objects: &[Elf]) -> u64 {
    let names = ["a.o", "b.o", "c.o"];
    let mut files: Vec<(&str, Vec<u8>)> = names.into_iter().zip(objects.iter().map(Elf::bytes)).collect();
    files.push(("main.o", points_to(&["x"]).bytes()));
    let linked = link("aarch64", &files).expect("links");
    assert_eq!(pointer(&linked, "p_x"), linked.address("x").expect("defined"));
    pointer(&linked, "x")
}

pub(super) fn common(size: u64, alignment: u64) -> Elf {
    let mut elf = Elf::aarch64();
    elf.symbols.push(("x".into(), GLOBAL | OBJECT, 0, COMMON, alignment, size));
    elf
}

#[test]
fn a_strong_definition_beats_a_weak_one_in_either_order() {
    assert_eq!(winner(&[defines(WEAK, "x", 1), defines(GLOBAL, "x", 2)]), 2);
    assert_eq!(winner(&[defines(GLOBAL, "x", 2), defines(WEAK, "x", 1)]), 2);
}

#[test]
fn the_first_of_several_weak_definitions_counts() {
    assert_eq!(winner(&[defines(WEAK, "x", 1), defines(WEAK, "x", 2)]), 1);
}

#[test]
fn a_unique_definition_is_a_strong_one() {
    assert_eq!(winner(&[defines(WEAK, "x", 1), defines(UNIQUE, "x", 3)]), 3);
    assert_eq!(winner(&[defines(UNIQUE, "x", 3), defines(WEAK, "x", 1)]), 3);
    let files = [("a.o", defines(UNIQUE, "x", 1).bytes()), ("b.o", defines(UNIQUE, "x", 2).bytes())];
    assert_eq!(error("aarch64", &files), "duplicate symbol: x: defined in a.o(.data+0x0) and in b.o(.data+0x0)");
}

#[test]
fn a_default_version_defines_the_plain_name_and_its_version() {
    let default = || defines(GLOBAL, "x@@V2", 2).bytes();
    let other = || defines(GLOBAL, "x@V1", 1).bytes();
    for files in [
        [("a.o", default()), ("b.o", other()), ("main.o", points_to(&["x", "x@V1", "x@V2"]).bytes())],
        [("main.o", points_to(&["x", "x@V1", "x@V2"]).bytes()), ("b.o", other()), ("a.o", default())],
    ] {
        let linked = link("aarch64", &files).expect("links");
        for (name, value) in [("x", 2), ("x@V1", 1), ("x@V2", 2), ("x@@V2", 2)] {
            assert_eq!(pointer(&linked, name), value, "{name}");
        }
        let places = [linked.address("x"), linked.address("x@V1"), linked.address("x")];
        for (name, place) in ["p_x", "p_x@V1", "p_x@V2"].into_iter().zip(places) {
            assert_eq!(Some(pointer(&linked, name)), place, "{name}");
        }
    }
    for (wanted, defined) in [("x", "x@V1"), ("x@V1", "x@@V2"), ("x@V1", "x")] {
        let files = [("main.o", points_to(&[wanted]).bytes()), ("a.o", defines(GLOBAL, defined, 1).bytes())];
        assert!(error("aarch64", &files).starts_with(&format!("undefined symbol: {wanted}\n")), "{wanted}, {defined}");
    }
    for (first, second) in [("x@@V2", "x"), ("x@@V2", "x@V2"), ("x@@V2", "x@@V3")] {
        let files = [("a.o", defines(GLOBAL, first, 1).bytes()), ("b.o", defines(GLOBAL, second, 1).bytes())];
        assert!(error("aarch64", &files).starts_with("duplicate symbol: x"), "{first}, {second}");
    }
}

#[test]
fn one_place_may_have_a_plain_and_a_versioned_name() {
    // As assemblers before 2.35 write it.
    let mut elf = defines(GLOBAL, "x", 4);
    elf.symbol("x@@V2", GLOBAL | OBJECT, 1, 0);
    assert_eq!(winner(&[elf]), 4);
}

#[test]
fn absolute_symbols_of_one_value_are_one() {
    let absolute = |value| {
        let mut elf = Elf::aarch64();
        elf.symbol("x", GLOBAL, ABSOLUTE, value);
        elf.bytes()
    };
    let files = [("a.o", absolute(7)), ("b.o", absolute(7)), ("main.o", points_to(&["x"]).bytes())];
    assert_eq!(pointer(&link("aarch64", &files).expect("links"), "p_x"), 7);
    assert_eq!(
        error("aarch64", &[("a.o", absolute(7)), ("b.o", absolute(8))]),
        "duplicate symbol: x: defined in a.o and in b.o"
    );
}

#[test]
fn a_symbol_may_lie_outside_its_section() {
    for value in [9, u64::MAX, 1 << 63, 0xb4 << 56, u64::MAX << 20] {
        let mut elf = Elf::aarch64();
        let data = elf.section(".data", super::elf::PROGBITS, super::elf::DATA, &[0; 8]);
        elf.symbol("start", GLOBAL, data, 0);
        elf.symbol("x", GLOBAL, data, value);
        let files = [("a.o", elf.bytes()), ("main.o", points_to(&["x"]).bytes())];
        let linked = link("aarch64", &files).expect("links");
        let start = linked.address("start").expect("there");
        assert_eq!(pointer(&linked, "p_x"), start.wrapping_add(value), "{value:#x}");
    }
    let mut elf = Elf::arm();
    let data = elf.section(".data", super::elf::PROGBITS, super::elf::DATA, &[0; 8]);
    let before = elf.symbol("before", GLOBAL, data, 0xffff_fff8);
    elf.relocate(data, 4, super::elf::ARM_ABS32, before, 0);
    let files = [("a.o", elf.bytes())];
    let linked = link("armv7", &files).expect("links");
    let before = linked.address("before").expect("there");
    assert_eq!(read(&linked, before + 12, 4), before);
}

#[test]
fn a_common_symbol_gives_way_to_a_strong_definition_and_beats_a_weak_one() {
    assert_eq!(winner(&[common(8, 8), defines(GLOBAL, "x", 2)]), 2);
    assert_eq!(winner(&[defines(WEAK, "x", 2), common(8, 8)]), 0);
}

#[test]
fn of_common_symbols_the_largest_size_and_alignment_count() {
    let files = [("a.o", common(4, 0x2000).bytes()), ("b.o", common(64, 4).bytes())];
    let linked = link("aarch64", &files).expect("links");
    assert_eq!(linked.address("x").expect("allocated") % 0x2000, 0);
    assert_eq!(linked.handle.iter().map(|placed| placed.segment.size).sum::<u64>(), 64);
    assert_eq!(linked.handle.iter().map(|placed| placed.bytes.len()).sum::<usize>(), 0, "zero-fill is not shipped");
}

#[test]
fn two_strong_definitions_are_an_error_that_names_both() {
    let files = [("a.o", defines(GLOBAL, "x", 1).bytes()), ("b.o", defines(GLOBAL, "x", 2).bytes())];
    assert_eq!(error("aarch64", &files), "duplicate symbol: x: defined in a.o(.data+0x0) and in b.o(.data+0x0)");
}

#[test]
fn the_most_constraining_visibility_counts() {
    let mut hidden = Elf::aarch64();
    hidden.symbols.push(("x".into(), GLOBAL, 2, UNDEFINED, 0, 0));
    let files = [("a.o", defines(GLOBAL, "x", 1).bytes()), ("b.o", hidden.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let id = linked.symbol("x").expect("defined");
    assert_eq!(linked.graph().symbols[id].visibility, linker::graph::Visibility::Hidden);
}

#[test]
fn absolute_symbols_do_not_move() {
    let mut elf = Elf::aarch64();
    elf.symbol("x", GLOBAL, ABSOLUTE, 0x1234_5678_9abc);
    let files = [("a.o", elf.bytes()), ("main.o", points_to(&["x"]).bytes())];
    assert_eq!(pointer(&link("aarch64", &files).expect("links"), "p_x"), 0x1234_5678_9abc);
}

#[test]
fn what_the_caller_defines_gives_way_to_any_object_in_either_order() {
    for info in [GLOBAL, WEAK] {
        for first in [true, false] {
            let file = defines(info, "x", 7).bytes();
            let mut parsed = Parsed::new(Target::named("aarch64").expect("known"), Options::default());
            if first {
                parsed.define("x", 0x10).expect("defines");
            }
            parsed.add("a.o", &file).expect("reads");
            if !first {
                parsed.define("x", 0x10).expect("defines");
            }
            let mut ram = Ram::default();
            let reserved = parsed.prune(Roots::All).expect("prunes").reserve(&mut ram, &Layout::Near).expect("room");
            let fixed = reserved.resolve(&mut ram, |_| None).expect("known").fix(&mut ram).expect("fits");
            let linked = fixed.finalize(&mut ram).expect("finalizes");
            assert_eq!(pointer(&linked, "x"), 7);
        }
    }
}

#[test]
fn an_undefined_weak_call_falls_through_and_a_pointer_is_null() {
    let (mut code, mut data) = (calls("f", &["x"]), points_to(&["x"]));
    for elf in [&mut code, &mut data] {
        elf.symbols[1].1 = WEAK;
    }
    let files = [("a.o", code.bytes()), ("b.o", data.bytes())];
    let linked = link("aarch64", &files).expect("links");
    assert_eq!(read(&linked, linked.address("f").expect("there"), 4), 0xd503_201f);
    assert_eq!(pointer(&linked, "p_x"), 0);
}

#[test]
fn missing_symbols_are_one_error_that_says_who_wants_them() {
    let files = [("a.o", calls("f", &["x", "y", "x"]).bytes()), ("b.o", points_to(&["y"]).bytes())];
    let expected = "undefined symbol: x\n  wanted by a.o(.text.f+0x0): R_AARCH64_CALL26\n  and 1 more\n\
        undefined symbol: y\n  wanted by a.o(.text.f+0x4): R_AARCH64_CALL26\n  wanted by b.o(.data.pointers+0x0): R_AARCH64_ABS64";
    assert_eq!(error("aarch64", &files), expected);
}

#[test]
fn a_missing_root_is_an_undefined_symbol() {
    let files = [("a.o", defines(GLOBAL, "x", 1).bytes())];
    let result = link_as("aarch64", &files, Roots::Names(&["x", "y"]), &Layout::Near);
    assert_eq!(result.expect_err("y is nowhere").to_string(), "undefined symbol: y");
}
