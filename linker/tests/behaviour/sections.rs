//! Sections: bounds, order, and what pruning keeps.

use super::elf::{
    AARCH64_ABS64, CODE, DATA, EXIDX, Elf, FUNC, GLOBAL, INIT_ARRAY, LINK_ORDER, LOCAL, PROGBITS, READ, SECTION,
};
use super::*;

#[test]
fn bounds_of_a_section_take_in_all_objects() {
    let part = |value: u64| {
        let mut elf = Elf::aarch64();
        elf.section("my_set", PROGBITS, DATA, &value.to_le_bytes());
        elf.bytes()
    };
    let bounds = points_to(&["__start_my_set", "__stop_my_set"]).bytes();
    let files = [("a.o", part(1)), ("main.o", bounds), ("b.o", part(2))];
    for roots in [Roots::All, Roots::Names(&["p___start_my_set", "p___stop_my_set"])] {
        let linked = link_as("aarch64", &files, roots, &Layout::Near).expect("links");
        let (start, stop) = (pointer(&linked, "p___start_my_set"), pointer(&linked, "p___stop_my_set"));
        assert_eq!(stop - start, 16);
        assert_eq!((read(&linked, start, 8), read(&linked, start + 8, 8)), (1, 2));
    }
}

#[test]
fn arrays_are_in_order_of_priority_then_of_input() {
    let entry = |name: &str, value: u64| {
        let mut elf = Elf::aarch64();
        elf.section(name, INIT_ARRAY, DATA, &value.to_le_bytes());
        elf.bytes()
    };
    let files = [
        ("a.o", entry(".init_array", 4)),
        ("b.o", entry(".init_array.65000", 3)),
        ("c.o", entry(".init_array.101", 1)),
        ("d.o", entry(".init_array.200", 2)),
        ("e.o", entry(".init_array", 5)),
        ("main.o", points_to(&["__init_array_start", "__init_array_end"]).bytes()),
    ];
    let linked = link_as("aarch64", &files, Roots::Names(&["p___init_array_start"]), &Layout::Near).expect("links");
    let start = pointer(&linked, "p___init_array_start");
    let values: Vec<u64> = (0..5).map(|index| read(&linked, start + index * 8, 8)).collect();
    assert_eq!(values, [1, 2, 3, 4, 5]);
}

#[test]
fn constructors_that_run_from_the_end_have_those_without_a_number_first() {
    let mut elf = points_to(&["first"]);
    for (name, value) in [(".ctors.65000", 3u64), (".ctors", 1), (".ctors.100", 2)] {
        elf.section(name, PROGBITS, DATA, &value.to_le_bytes());
    }
    elf.symbols[1] = ("first".into(), GLOBAL, 0, 3, 0, 0);
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let start = linked.address("first").expect("there");
    assert_eq!([0, 8, 16].map(|offset| read(&linked, start + offset, 8)), [1, 2, 3]);
}

/// An ARM object with functions in sections of their own, each with an unwind table that holds its number.
fn with_tables(names: &[(&str, u32)]) -> Vec<u8> {
    let mut elf = Elf::arm();
    for &(name, number) in names {
        let text = elf.section(&format!(".text.{name}"), PROGBITS, CODE, &0xe12f_ff1eu32.to_le_bytes());
        elf.symbol(name, GLOBAL | FUNC, text, 0);
        let table = elf.section(&format!(".ARM.exidx.text.{name}"), EXIDX, READ | LINK_ORDER, &number.to_le_bytes());
        elf.of(table).link = text.into();
    }
    elf.bytes()
}

/// The first byte of each word of the constant data of a link.
fn words(linked: &Linked<'_>) -> Vec<u64> {
    let read = linked.handle.iter().filter(|p| p.segment.protection == linker::memory::Protection::Read);
    read.flat_map(|p| p.bytes.chunks(4).map(|bytes| bytes[0].into())).collect()
}

/// The tables of a link, in order, without the entry that marks the end of all code.
fn tables(linked: &Linked<'_>) -> Vec<u64> {
    let mut words = words(linked);
    assert_eq!(words.pop(), Some(1), "EXIDX_CANTUNWIND behind the last function");
    words.pop();
    words
}

#[test]
fn code_without_an_unwind_table_gets_an_entry_that_says_so() {
    let mut elf = Elf::arm();
    for (name, has_table) in [("f", true), ("g", false), ("h", true)] {
        let text = elf.section(&format!(".text.{name}"), PROGBITS, CODE, &0xe12f_ff1eu32.to_le_bytes());
        elf.symbol(name, GLOBAL | FUNC, text, 0);
        if has_table {
            let table =
                elf.section(&format!(".ARM.exidx.text.{name}"), EXIDX, READ | LINK_ORDER, &[0, 0, 0, 0, 7, 0, 0, 0]);
            elf.of(table).link = text.into();
        }
    }
    let files = [("a.o", elf.bytes())];
    let linked = link("armv7", &files).expect("links");
    let placed =
        linked.handle.iter().find(|p| p.segment.protection == linker::memory::Protection::Read).expect("a table");
    let word = |index: usize| u32::from_le_bytes(*placed.bytes[4 * index..].first_chunk().expect("a word"));
    assert_eq!([1, 3, 5, 7].map(word), [7, 1, 7, 1], "f, the gap at g, h, the end");
    // PREL31: 31 bits from the place.
    let points_at = |index: usize| placed.address + 4 * index as u64 + u64::from(word(index)) - (1 << 31);
    assert_eq!(points_at(2), linked.address("g").expect("there"));
    assert_eq!(points_at(6), linked.address("h").expect("there") + 4);
}

#[test]
fn unwind_tables_follow_their_functions() {
    let files = [("a.o", with_tables(&[("f", 1), ("g", 2), ("h", 3)]))];
    assert_eq!(tables(&link("armv7", &files).expect("links")), [1, 2, 3]);
    let pruned = link_as("armv7", &files, Roots::Names(&["h", "f"]), &Layout::Near).expect("links");
    assert_eq!(tables(&pruned), [1, 3], "the table of a function that is gone goes with it");
    let by_hand = "at:a.o(.text.f)=0x500000,a.o(.text.g)=0x480000".parse().expect("a layout");
    let moved = link_as("armv7", &files, Roots::All, &by_hand).expect("links");
    let at = |name| moved.address(name).expect("there");
    let mut order = [(at("f"), 1), (at("g"), 2), (at("h"), 3)];
    order.sort();
    assert_eq!(tables(&moved), order.map(|(_, number)| number));
}

#[test]
fn tables_of_two_names_do_not_mix() {
    let mut elf = Elf::arm();
    for number in 0..6u8 {
        let text = elf.section(".text", PROGBITS, CODE, &[0; 4]);
        let name = if number % 2 == 0 { "even" } else { "odd" };
        let table = elf.section(name, PROGBITS, READ | LINK_ORDER, &[number, 0, 0, 0]);
        elf.of(table).link = text.into();
    }
    let bounds = elf.section(".data", PROGBITS, DATA, &[0; 8]);
    for (index, name) in ["__start_odd", "__stop_odd"].into_iter().enumerate() {
        let wanted = elf.wants(name);
        elf.relocate(bounds, index as u64 * 4, super::elf::ARM_ABS32, wanted, 0);
    }
    let files = [("a.o", elf.bytes())];
    let linked = link("armv7", &files).expect("links");
    assert_eq!(words(&linked), [0, 2, 4, 1, 3, 5]);
    let bound = |name| linked.address(name).expect("defined");
    assert_eq!(bound("__stop_odd") - bound("__start_odd"), 12);
}

/// A common record, and one for each function.
fn with_frames(names: &[&str]) -> Elf {
    let mut elf = Elf::aarch64();
    let mut frames = [12u32, 0, 1, 2].map(u32::to_le_bytes).concat();
    let mut starts = Vec::new();
    for name in names {
        let text = elf.section(&format!(".text.{name}"), PROGBITS, CODE, &0xd65f_03c0u32.to_le_bytes());
        let symbol = elf.symbol(name, GLOBAL | FUNC, text, 0);
        let back = frames.len() as u32 + 4;
        starts.push((u64::from(back) + 4, symbol));
        frames.extend([20, back, 0, 0, 4, name.len() as u32].map(u32::to_le_bytes).concat());
    }
    frames.extend([0; 4]);
    let section = elf.section(".eh_frame", PROGBITS, READ, &frames);
    for (offset, symbol) in starts {
        elf.relocate(section, offset, AARCH64_ABS64, symbol, 0);
    }
    elf
}

#[test]
fn call_frames_follow_their_functions_and_end_with_a_terminator() {
    let files = [("a.o", with_frames(&["f", "gg", "hhh"]).bytes()), ("b.o", with_frames(&["iiii"]).bytes())];
    let linked = link_as("aarch64", &files, Roots::Names(&["hhh", "f"]), &Layout::Near).expect("links");
    let frames = linked.handle.iter().find(|p| p.segment.protection == linker::memory::Protection::Read);
    let frames = &frames.expect("there are records").bytes;
    let words: Vec<u32> = frames.chunks(4).map(|word| u32::from_le_bytes(word.try_into().expect("four"))).collect();
    let address = |name| linked.address(name).expect("there") as u32;
    let expected = [12, 0, 1, 2, 20, 20, address("f"), 0, 4, 1, 20, 44, address("hhh"), 0, 4, 3, 0];
    assert_eq!(words, expected);
}

#[test]
fn symbols_at_the_ends_of_call_frames_have_a_place() {
    // As in crtend.o: nothing but the terminator, and a symbol at it; a section symbol as assemblers make them.
    let mut end = Elf::aarch64();
    let section = end.section(".eh_frame", PROGBITS, READ, &[0; 4]);
    end.symbol("__FRAME_END__", LOCAL, section, 0);
    end.symbol("", LOCAL | SECTION, section, 0);
    end.symbol("behind", LOCAL, section, 4);
    let mut empty = Elf::aarch64();
    let section = empty.section(".eh_frame", PROGBITS, READ, &[]);
    empty.symbol("", LOCAL | SECTION, section, 0);
    let mut frames = with_frames(&["f"]);
    let section = frames.sections.len() as u16;
    frames.symbol("at_the_end", LOCAL, section, 40);
    frames.symbol("behind_it", LOCAL, section, 44);
    let files = [("a.o", frames.bytes()), ("empty.o", empty.bytes()), ("crtend.o", end.bytes())];
    assert!(link("aarch64", &files).expect("links").address("f").is_some());
}
