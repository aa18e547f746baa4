//! Layouts: written by hand they come out the same, and what is impossible is refused.

use super::elf::{CODE, DATA, Elf, FUNC, GLOBAL, NOBITS, PROGBITS, READ};
use super::*;

/// Objects with everything a layout has to deal with: code that needs stubs, data, zero-fill, sections of one name.
fn objects() -> Vec<(&'static str, Vec<u8>)> {
    let mut data = points_to(&["f", "g"]);
    for size in [3, 5] {
        let same = data.section(".rodata.same", PROGBITS, READ, &vec![7; size]);
        data.of(same).align = 1;
    }
    let bss = data.section(".bss", NOBITS, DATA, &[]);
    data.of(bss).size = 0x3001;
    let wide = data.section(".data.wide", PROGBITS, DATA, &[1; 24]);
    data.of(wide).align = 0x4000;
    vec![("f.o", calls("f", &["g", "h"]).bytes()), ("g.o", calls("g", &["h", "f"]).bytes()), ("data.o", data.bytes())]
}

fn linked_with(layout: &Layout, files: &[(&str, Vec<u8>)]) -> Result<(Vec<Placed>, Layout)> {
    let mut ram = Ram::default();
    let reserved = parse("aarch64", files, &Options::default())?.prune(Roots::All)?.reserve(&mut ram, layout)?;
    let fixed =
        reserved.resolve(&mut ram, |name| (name == "h").then_some(Found::Function(0x7000_0000_0000)))?.fix(&mut ram)?;
    let linked = fixed.finalize(&mut ram)?;
    let by_hand = linked.plan().by_hand(linked.graph());
    Ok((linked.handle, by_hand))
}

/// All bytes with their addresses, zeros left out: how segments are cut does not matter.
fn image(segments: &[Placed]) -> Vec<(u64, u8)> {
    let mut image: Vec<(u64, u8)> = segments
        .iter()
        .flat_map(|placed| placed.bytes.iter().enumerate().map(|(at, &byte)| (placed.address + at as u64, byte)))
        .filter(|(_, byte)| *byte != 0)
        .collect();
    image.sort();
    image
}

#[test]
fn every_layout_written_by_hand_gives_the_same_bytes() {
    let files = objects();
    let random = (0..20).map(Layout::Random);
    for layout in [Layout::Near, Layout::Far, Layout::High].into_iter().chain(random) {
        let (first, by_hand) = linked_with(&layout, &files).expect("links");
        let text = by_hand.to_string();
        let (second, again) = linked_with(&text.parse().expect("reads what it writes"), &files)
            .unwrap_or_else(|error| panic!("{layout}: {text}: {error}"));
        assert_eq!(image(&first), image(&second), "{layout}: {text}");
        assert_eq!(again.to_string(), text, "{layout}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let files = objects();
    let bytes = |seed| image(&linked_with(&Layout::Random(seed), &files).expect("links").0);
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

fn refusal(layout: &str) -> String {
    let files = objects();
    linked_with(&layout.parse().expect("a layout"), &files).expect_err("refused").to_string()
}

#[test]
fn what_overlaps_is_refused() {
    assert_eq!(
        refusal("at:f.o(.text.f)=0x400000,data.o(.data.pointers)=0x400800"),
        "layout: f.o(.text.f) at 0x400000 and data.o(.data.pointers) at 0x400000 overlap or share a page"
    );
    assert_eq!(
        refusal("at:f.o(.text.f)=0x600000,g.o(.text.g)=0x600004"),
        "layout: g.o(.text.g) cannot be at 0x600004: what lies before it reaches to 0x600020"
    );
}

#[test]
fn the_rest_makes_room_for_what_is_placed() {
    for address in ["0x400000", "0x400ff0", "0x401000", "0x3ff000", "0x10000000"] {
        let layout = format!("at:g.o(.text.g)={address}").parse().expect("a layout");
        assert!(linked_with(&layout, &objects()).is_ok(), "{layout}");
    }
}

#[test]
fn what_is_not_aligned_is_refused() {
    assert_eq!(
        refusal("at:data.o(.data.wide)=0x601000"),
        "layout: data.o(.data.wide) cannot be at 0x601000: it is aligned to 0x4000 bytes"
    );
}

#[test]
fn a_section_that_is_not_there_is_refused() {
    let expected = "layout: there is no section x.o(.text) in the link, which has f.o(.text.f)";
    assert!(refusal("at:x.o(.text)=0x400000").starts_with(expected));
    let twice = "at:f.o(.text.f)=0x400000,f.o(.text.f)=0x500000";
    assert!(refusal(twice).starts_with("layout: there is no section f.o(.text.f) in the link"));
}

#[test]
fn what_is_never_loaded_cannot_be_placed() {
    let mut elf = calls("f", &[]);
    elf.section(".debug_info", PROGBITS, 0, &[1; 8]);
    let bytes = elf.bytes();
    let options = Options { keep_debug: true, ..Options::default() };
    let mut parsed = Parsed::new(Target::named("aarch64").expect("known"), options);
    parsed.add("a.o", &bytes).expect("reads");
    let layout = "at:a.o(.debug_info)=0xfffffffffffff000".parse().expect("a layout");
    let error = parsed.prune(Roots::All).expect("prunes").reserve(&mut Ram::default(), &layout).map(drop);
    assert_eq!(
        error.expect_err("refused").to_string(),
        "layout: there is no section a.o(.debug_info) in the link, which has a.o(.text.f)"
    );
}

#[test]
fn the_end_of_the_address_space_is_one() {
    let place = |address: u64| linked_with(&format!("at:data.o(.bss)={address:#x}").parse().expect("one"), &objects());
    assert!(place(0xffff_ffff_ffff_c000).is_ok());
    let refused = place(0xffff_ffff_ffff_e000).expect_err("too large").to_string();
    assert_eq!(refused, "layout: data.o(.bss) at 0xffffffffffffe000 reaches beyond the address space");
    // Addresses that wrap overlap with nobody whom one could move.
    let options = Options { base: Some(0xffff_ffff_ffff_f000), ..Options::default() };
    let mut parsed = Parsed::new(Target::named("aarch64").expect("known"), options);
    let files = objects();
    for (name, bytes) in &files {
        parsed.add(name, bytes).expect("reads");
    }
    let reserved = parsed.prune(Roots::All).expect("prunes").reserve(&mut Ram::default(), &Layout::Near);
    let refused = reserved.map(drop).expect_err("too large").to_string();
    assert!(refused.contains("reaches beyond the last address, 0xffffffffffffffff: the image starts at"), "{refused}");
}

#[test]
fn alignment_may_exceed_a_page() {
    for layout in [Layout::Near, Layout::Far, Layout::Anywhere, Layout::Random(3)] {
        let mut elf = Elf::aarch64();
        let text = elf.section(".text", PROGBITS, CODE, &0xd65f_03c0u32.to_le_bytes());
        elf.of(text).align = 0x1_0000;
        elf.symbol("f", GLOBAL | FUNC, text, 0);
        let files = [("a.o", calls("main", &["f"]).bytes()), ("b.o", elf.bytes())];
        let linked = link_as("aarch64", &files, Roots::All, &layout).expect("links");
        assert_eq!(linked.address("f").expect("there") % 0x1_0000, 0, "{layout}");
    }
}

/// An output section begins where it was put, what comes behind it follows, and the image's headers are below everything.
#[test]
fn output_sections_can_be_placed() {
    let files = [
        ("a.o", calls("a", &["b"]).bytes()),
        ("b.o", calls("b", &[]).bytes()),
        ("x.o", defines(GLOBAL, "x", 7).bytes()),
    ];
    let options = Options { headers: Some(linker::link::Headers { fixed: 64, each: 56 }), ..Options::default() };
    let place = |layout: &str| link_with("aarch64", &files, Roots::All, &layout.parse().expect("a layout"), &options);
    let linked = place("at:*(.text)=0x20010").expect("links");
    let address = |name: &str| linked.address(name).expect("there");
    assert_eq!((address("a"), address("b")), (0x20010, 0x20018));
    assert_eq!(address("x"), 0x21000, "the next page");
    let headers = linked.graph().headers.map(|block| linked.graph().blocks[block].address);
    assert_eq!(headers, Some(0x1f000));
    let linked = place("at:*(.text)=0x800000,*(.data)=0x600000").expect("links");
    assert_eq!((linked.address("a"), linked.address("x")), (Some(0x80_0000), Some(0x60_0000)));
    let refused = |layout: &str| place(layout).expect_err("refused").to_string();
    assert_eq!(refused("at:*(.text)=0x20012"), "layout: .text cannot be at 0x20012: it is aligned to 0x4 bytes");
    assert!(refused("at:*(.nosuch)=0x20012").starts_with("layout: there is no output section .nosuch in the link"));
}
