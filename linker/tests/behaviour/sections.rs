//! Sections: bounds, order, and what pruning keeps.

use super::elf::{
    AARCH64_ABS64, CODE, DATA, EXIDX, Elf, FUNC, GLOBAL, INIT_ARRAY, LINK_ORDER, LOCAL, NOBITS, PROGBITS, READ, SECTION,
};
use linker::memory::Protection;

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

/// GNU ld 2.40 moves `.ctors` into `.init_array`: `.ctors.N` as priority 65535 - N, the words of each turned round.
#[test]
fn constructors_that_ran_from_the_end_are_in_the_array_turned_round() {
    let words = |values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let mut elf = points_to(&["__init_array_start", "__init_array_end"]);
    for (name, kind, values) in [
        (".ctors.100", PROGBITS, &[3][..]),
        (".init_array.65435", INIT_ARRAY, &[4]),
        (".init_array.50", INIT_ARRAY, &[2]),
        (".ctors", PROGBITS, &[6, 5]),
        (".init_array", INIT_ARRAY, &[7]),
        (".ctors.65500", PROGBITS, &[1]),
    ] {
        elf.section(name, kind, DATA, &words(values));
    }
    let files = [("crtbegin.o", one(".ctors", u64::MAX)), ("a.o", elf.bytes()), ("crtend.o", one(".ctors", 0))];
    let linked = link("aarch64", &files).expect("links");
    let (start, stop) = (pointer(&linked, "p___init_array_start"), pointer(&linked, "p___init_array_end"));
    let values: Vec<u64> = (start..stop).step_by(8).map(|at| read(&linked, at, 8)).collect();
    assert_eq!(values, [1, 2, 3, 4, 5, 6, 7]);
}

/// An AArch64 object with one word in a section.
fn one(section: &str, value: u64) -> Vec<u8> {
    let mut elf = Elf::aarch64();
    elf.section(section, PROGBITS, DATA, &value.to_le_bytes());
    elf.bytes()
}

/// Every layout that may part things, and some that do not.
fn layouts() -> Vec<Layout> {
    [Layout::Near, Layout::Far, Layout::High].into_iter().chain((0..12).map(Layout::Random)).collect()
}

#[test]
fn sections_of_one_name_are_one_run_in_the_order_of_the_link() {
    let piece = |value: u64, flags: u64| {
        let mut elf = Elf::aarch64();
        elf.section(".text", PROGBITS, CODE, &[0x1f, 0x20, 0x03, 0xd5]);
        let table = elf.section("my_set", PROGBITS, flags, &value.to_le_bytes());
        elf.of(table).align = 8;
        let marker = elf.section("marked", PROGBITS, READ, &[]);
        elf.symbol(&format!("marker_{value}"), GLOBAL, marker, 0);
        elf.section("marked", PROGBITS, DATA, &value.to_le_bytes());
        let rest = elf.section("my.own.code", PROGBITS, CODE, &(value as u32).to_le_bytes());
        elf.symbol(&format!("code_{value}"), GLOBAL | FUNC, rest, 0);
        elf.bytes()
    };
    let bounds = points_to(&["__start_my_set", "__stop_my_set", "marker_1", "code_1"]).bytes();
    let files = [("a.o", piece(1, READ)), ("main.o", bounds), ("b.o", piece(2, DATA)), ("c.o", piece(3, READ))];
    for layout in layouts() {
        let linked = link_as("aarch64", &files, Roots::All, &layout).expect("links");
        let words = |at: u64, width: usize| [0, 1, 2].map(|index| read(&linked, at + index * width as u64, width));
        let (start, stop) = (pointer(&linked, "p___start_my_set"), pointer(&linked, "p___stop_my_set"));
        assert_eq!((stop - start, words(start, 8)), (24, [1, 2, 3]), "{layout}");
        assert_eq!(words(pointer(&linked, "p_marker_1"), 8), [1, 2, 3], "{layout}");
        assert_eq!(words(pointer(&linked, "p_code_1"), 4), [1, 2, 3], "{layout}");
        let set = linked.handle.iter().find(|p| (p.address..p.address + p.segment.size).contains(&start));
        assert_eq!(set.expect("a segment").segment.protection, Protection::ReadWrite, "the union of flags");
    }
}

#[test]
fn members_of_archives_stand_where_their_archive_does() {
    let first = points_to(&["__start_my_set", "member"]).bytes();
    let mut member = Elf::aarch64();
    let table = member.section("my_set", PROGBITS, DATA, &2u64.to_le_bytes());
    member.symbol("member", GLOBAL, table, 0);
    let library = super::elf::archive(&[("m.o", member.bytes(), &["member"])]);
    let files = [("a.o", one("my_set", 1)), ("first.o", first), ("libm.a", library), ("last.o", one("my_set", 3))];
    let linked = link("aarch64", &files).expect("links");
    let start = pointer(&linked, "p___start_my_set");
    assert_eq!([0, 8, 16].map(|at| read(&linked, start + at, 8)), [1, 2, 3]);
}

#[test]
fn a_union_that_would_be_writable_and_executable_is_refused() {
    let mut code = Elf::aarch64();
    code.section("mixed", PROGBITS, CODE, &[0; 4]);
    assert_eq!(
        error("aarch64", &[("a.o", one("mixed", 1)), ("b.o", code.bytes())]),
        "layout: a.o(mixed) is writable and b.o(mixed) is executable: they cannot be one output section mixed"
    );
}

#[test]
fn bounds_of_what_is_empty_enclose_nothing() {
    let names = ["__bss_start", "_end", "_edata", "__data_start", "__init_array_start", "__init_array_end", "etext"];
    let bounds = |data: bool| {
        let mut elf = points_to(&names);
        if !data {
            // The pointers themselves are constant then, so that nothing is writable.
            elf.of(1).flags = READ;
        }
        elf.section(".text", PROGBITS, CODE, &[0x1f, 0x20, 0x03, 0xd5]);
        elf.bytes()
    };
    for data in [true, false] {
        for layout in layouts() {
            let files = [("a.o", bounds(data))];
            let linked = link_as("aarch64", &files, Roots::All, &layout).expect("links");
            let at = |name: &str| pointer(&linked, &format!("p_{name}"));
            assert_eq!(at("__bss_start"), at("_end"), "{layout}: to clear it clears nothing");
            assert_eq!(at("_edata"), at("_end"), "{layout}");
            assert_eq!(at("__init_array_start"), at("__init_array_end"), "{layout}");
            let own = linked.address("p_etext").expect("there");
            assert_eq!(at("__data_start"), if data { own - 8 * 6 } else { at("_end") }, "{layout}");
        }
    }
}

#[test]
fn what_is_cleared_is_zero_fill_and_nothing_else() {
    let mut files = vec![("bounds.o", points_to(&["__bss_start", "_end", "_edata", "__bss_end__"]).bytes())];
    for name in ["a.o", "b.o", "c.o"] {
        let mut elf = defines(GLOBAL, &name[..1], 7);
        for (name, size) in [(".bss", 40), (".bss.x", 8), (".noinit", 4)] {
            let bss = elf.section(name, NOBITS, DATA, &[]);
            elf.of(bss).size = size;
        }
        files.push((name, elf.bytes()));
    }
    for layout in layouts() {
        let linked = link_as("aarch64", &files, Roots::All, &layout).expect("links");
        let at = |name: &str| pointer(&linked, &format!("p_{name}"));
        let cleared = at("__bss_start")..at("__bss_end__");
        assert!(cleared.end - cleared.start >= 3 * 48 && at("_edata") <= cleared.start, "{layout}");
        let blocks = linked.graph().blocks.iter().filter(|(_, block)| cleared.contains(&block.address));
        let names = blocks.map(|(_, block)| linked.graph().output(&linked.graph().sections[block.section]));
        assert!(names.into_iter().all(|name| name == b".bss"), "{layout}");
        assert!(linked.graph().blocks.iter().all(|(_, block)| block.address < at("_end")), "{layout}");
    }
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
