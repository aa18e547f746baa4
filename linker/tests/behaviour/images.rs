//! What a link makes for a program that starts by itself: relocations for start-up code, the index of call frames.

use super::elf::{AARCH64_ABS64, ARM_ABS32, CODE, DATA, Elf, FUNC, GLOBAL, IFUNC, PROGBITS, READ};
use super::*;

/// Two functions, and `f` and `g` chosen by the second; pointers to both, and to the bounds of what start-up code reads.
fn chosen(mut elf: Elf, pointer: u32, prefix: &str, value: u64) -> Elf {
    let text = elf.section(".text", PROGBITS, CODE, &[0; 16]);
    elf.symbol("one", GLOBAL | FUNC, text, 0);
    elf.symbol("pick", GLOBAL | FUNC, text, 8 | value);
    let data = elf.section(".data", PROGBITS, DATA, &[0; 32]);
    elf.of(data).align = 8;
    elf.symbol("table", GLOBAL, data, 0);
    let names = ["f".to_owned(), "g".to_owned(), format!("__{prefix}_iplt_start"), format!("__{prefix}_iplt_end")];
    for (index, name) in names.iter().enumerate() {
        let symbol = match index {
            0 | 1 => elf.symbol(name, GLOBAL | IFUNC, text, 8 | value),
            _ => elf.wants(name),
        };
        elf.relocate(data, index as u64 * 8, pointer, symbol, 0);
    }
    elf
}

fn check(target: &str, elf: &Elf, width: u64, words: u64, number: u64) {
    let files = [("c.o", elf.bytes())];
    let options = Options { relocates_itself: true, ..Options::default() };
    let linked = link_with(target, &files, Roots::All, &Layout::Near, &options).expect("links");
    let word = |address: u64| read(&linked, address, width as usize);
    let table = linked.address("table").expect("there");
    let (start, end) = (word(table + 16), word(table + 24));
    assert_eq!(end - start, 2 * words * width, "{target}");
    let resolver = linked.address("pick").expect("there");
    let mut slots = Vec::new();
    for entry in (start..end).step_by((words * width) as usize) {
        let slot = word(entry);
        assert_eq!(word(entry + width), number, "{target}");
        // RELA has the resolver in the relocation, REL in the slot.
        assert_eq!(word(if words == 3 { entry + 2 * width } else { slot }), resolver, "{target}");
        slots.push(slot);
    }
    slots.dedup();
    assert_eq!(slots.len(), 2, "{target}");
    assert_eq!(linked.ifuncs().len(), 2);
    // Nothing is left for finalization, which an ordinary link has two actions for.
    let actions = |options: &Options| {
        let mut ram = Ram::default();
        let reserved =
            parse(target, &files, options).unwrap().prune(Roots::All).unwrap().reserve(&mut ram, &Layout::Near);
        let fixed = reserved.unwrap().resolve(&mut ram, |_| None).unwrap().fix(&mut ram).unwrap();
        fixed.actions().len()
    };
    assert_eq!((actions(&options), actions(&Options::default())), (0, 2), "{target}");
}

/// AAELF64 and AAELF32, dynamic relocations: 1032 with its addend, 188 for ILP32, 160 with the addend in its place.
#[test]
fn start_up_code_finds_a_relocation_for_each_ifunc() {
    check("aarch64", &chosen(Elf::aarch64(), AARCH64_ABS64, "rela", 0), 8, 3, 1032);
    check("armv7", &chosen(Elf::arm(), ARM_ABS32, "rel", 0), 4, 2, 160);
    check("thumbv7", &chosen(Elf::arm(), ARM_ABS32, "rel", 1), 4, 2, 160);
}

/// A common record and one for each function, which starts at this offset of `.text`.
fn framed(starts: &[i64]) -> Elf {
    let mut elf = Elf::aarch64();
    let text = elf.section(".text", PROGBITS, CODE, &[0; 0x100]);
    let code = elf.symbol("code", GLOBAL | FUNC, text, 0);
    let mut bytes = vec![12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    for _ in starts {
        let back = bytes.len() as u32 + 4;
        bytes.extend([20, 0, 0, 0]);
        bytes.extend(back.to_le_bytes());
        bytes.extend([0; 16]);
    }
    let frames = elf.section(".eh_frame", PROGBITS, READ, &bytes);
    for (index, start) in starts.iter().enumerate() {
        elf.relocate(frames, 16 + index as u64 * 24 + 8, AARCH64_ABS64, code, *start);
    }
    elf
}

/// Linux Standard Base Core, .eh_frame_hdr: version 1, distances of four bytes, and a table sorted by address.
#[test]
fn the_index_of_call_frames_is_sorted() {
    let starts = [0x40, 0x10, 0x80, 0];
    let files = [
        ("a.o", framed(&starts).bytes()),
        ("b.o", {
            let mut elf = framed(&starts[..2]);
            elf.symbols[0].0 = "more".into();
            elf.bytes()
        }),
    ];
    let options = Options { frame_index: true, ..Options::default() };
    let linked = link_with("aarch64", &files, Roots::All, &Layout::Near, &options).expect("links");
    let graph = linked.graph();
    let section = |name: &[u8]| {
        let (_, section) = graph.sections.iter().find(|(_, section)| section.name == name).expect("made");
        graph.blocks[section.block_ids().next().expect("a block")].address
    };
    let (index, frames) = (section(b".eh_frame_hdr"), section(b".eh_frame"));
    let word = |at: u64| read(&linked, index + at, 4) as u32 as i32 as i64;
    assert_eq!(word(0) as u32, 0x3b03_1b01);
    assert_eq!(index.wrapping_add(4).wrapping_add_signed(word(4)), frames);
    assert_eq!(word(8), 6);
    let found: Vec<u64> = (0..6).map(|entry| index.wrapping_add_signed(word(12 + entry * 8))).collect();
    let code = |name: &str| linked.address(name).expect("there");
    let mut expected: Vec<u64> = starts.iter().map(|&start| code("code") + start as u64).collect();
    expected.extend(starts[..2].iter().map(|&start| code("more") + start as u64));
    expected.sort_unstable();
    assert_eq!(found, expected);
    for (entry, start) in expected.iter().enumerate() {
        let record = index.wrapping_add_signed(word(16 + entry as u64 * 8));
        assert_eq!(read(&linked, record + 8, 8), *start, "the record is about that function");
    }
}

/// A zero word ends the records, so alignment must leave none out between those of two objects.
#[test]
fn nothing_stands_between_the_call_frames_of_two_objects() {
    let aligned = |name: &str| {
        let mut elf = framed(&[0]);
        elf.symbols[0].0 = name.into();
        // As GCC has it; the records before end in the midst of eight bytes.
        elf.of(2).data.extend([0; 4]);
        elf.of(2).data[16] += 4;
        elf.of(2).align = 8;
        elf.bytes()
    };
    let files = [("a.o", aligned("a")), ("b.o", aligned("b")), ("c.o", aligned("c"))];
    let linked = link("aarch64", &files).expect("links");
    let graph = linked.graph();
    let frames = graph.blocks.iter().filter(|(_, block)| graph.sections[block.section].name == b".eh_frame");
    let spans: Vec<(u64, u64)> =
        frames.map(|(_, block)| (block.address, block.address + block.content.size())).collect();
    let mut at = spans.iter().map(|span| span.0).min().expect("there are some");
    let end = spans.iter().map(|span| span.1).max().expect("there are some");
    let mut records = 0;
    while read(&linked, at, 4) != 0 {
        at += 4 + read(&linked, at, 4);
        records += 1;
    }
    assert_eq!((records, at), (6, end - 4), "all records, then the terminator");
}

/// What was not asked for does not fail the link: out of reach, the header says that there is no table.
#[test]
fn an_index_out_of_reach_says_so() {
    let files = [("a.o", framed(&[0]).bytes())];
    let options = Options { frame_index: true, ..Options::default() };
    let far = "at:a.o(.text)=0x7000000000".parse().expect("a layout");
    let linked = link_with("aarch64", &files, Roots::All, &far, &options).expect("links");
    let (_, section) =
        linked.graph().sections.iter().find(|(_, section)| section.name == b".eh_frame_hdr").expect("made");
    let block = section.block_ids().next().expect("a block");
    assert_eq!(read(&linked, linked.graph().blocks[block].address, 4) >> 16, 0xffff);
}

/// What the layouts put apart are places, not sections: an image of many sections has few segments in `far`. Where it has many
/// all the same, and their headers need more room than there is below the base, everything stands higher.
#[test]
fn headers_of_many_segments_have_room() {
    let names: Vec<String> = (0..40).map(|index| format!("f{index}")).collect();
    let callee = |index: usize| names[(index + 1) % names.len()].as_str();
    let files: Vec<(&str, Vec<u8>)> =
        names.iter().enumerate().map(|(index, name)| ("f.o", calls(name, &[callee(index)]).bytes())).collect();
    let headers = linker::link::Headers { fixed: 64, each: 0x2_0000 };
    let options = Options { headers: Some(headers), ..Options::default() };
    let start = |text: &str| {
        let layout: Layout = text.parse().expect("a layout");
        let linked = link_with("aarch64", &files, Roots::All, &layout, &options).expect("links");
        let segments = &linked.plan().segments;
        let (first, rest) = segments.split_first().expect("there are headers");
        assert_eq!(first.size, 64 + 0x2_0000 * rest.len() as u64, "{text}");
        let lowest = rest.iter().map(|segment| segment.address).min().expect("there is code");
        assert!(first.address >= 0x1000 && first.address + first.size <= lowest, "{text}: {lowest:#x}");
        (lowest, rest.len())
    };
    assert_eq!(start("near"), (0x40_0000, 1));
    assert_eq!(start("far"), (0x40_0000, 12));
    let (lowest, segments) = start("random:1");
    assert!(lowest >= 0x50_0000 && segments == 40, "{lowest:#x}");
}
