//! Forms in which objects come: compact relocations, compressed sections, sections that are not loaded, tables.

use super::elf::{AARCH64_ABS64, ARM_ABS32, DATA, Elf, GLOBAL, LOCAL, OBJECT, PROGBITS, READ, SECTION};
use super::*;
use linker::graph::Content;

const CREL: u32 = 0x4000_0014;

/// Two pointers with compact relocations: the header, then what differs from the entry before.
fn compact(elf: &mut Elf, table: &[u8]) {
    let data = elf.section(".data", PROGBITS, DATA, &[0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    elf.of(data).align = 8;
    elf.symbol("p", GLOBAL | OBJECT, data, 0);
    elf.symbol("x", GLOBAL, super::elf::ABSOLUTE, 0x100);
    let table = elf.section(".crel.data", CREL, 0, table);
    elf.of(table).info = data.into();
}

#[test]
fn compact_relocations_with_addends() {
    let mut elf = Elf::aarch64();
    // Count 2, addends, offsets in units of 8: symbol 2, type 257, addend 5; then 8 bytes on, addend 5 - 8.
    compact(&mut elf, &[2 << 3 | 4 | 3, 0b0111, 2, 0x81, 0x02, 5, 0b1100, 0x78]);
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let p = linked.address("p").expect("there");
    assert_eq!((read(&linked, p, 8), read(&linked, p + 8, 8)), (0x105, 0xfd));
}

#[test]
fn compact_relocations_with_addends_in_the_place() {
    let mut elf = Elf::arm();
    // Count 2, offsets in units of 4: symbol 2, type 2 at 0; then 4 bytes on.
    compact(&mut elf, &[2 << 3 | 2, 0b011, 2, 2, 0b100]);
    let files = [("a.o", elf.bytes())];
    let linked = link("armv7", &files).expect("links");
    let p = linked.address("p").expect("there");
    assert_eq!((read(&linked, p, 4), read(&linked, p + 4, 4)), (0x100, 0x104));
}

#[test]
fn compact_relocations_that_are_cut_short_are_an_error() {
    for (table, expected) in [
        (&[2 << 3 | 7, 0b0111, 2][..], "a.o(.crel.data): relocations: Cannot read type of CREL relocation"),
        (&[0xff, 0xff, 0xff, 0x7f], "a.o(.crel.data): relocations: Cannot read offset and flags of CREL relocation"),
        (&[], "a.o(.crel.data): relocations: Invalid ELF CREL header"),
    ] {
        let mut elf = Elf::aarch64();
        compact(&mut elf, table);
        assert_eq!(error("aarch64", &[("a.o", elf.bytes())]), expected);
    }
}

/// The header of a compressed section of a 64-bit object, and then what is behind it.
fn packed(kind: u32, size: u64, content: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &[0; 4], &size.to_le_bytes(), &1u64.to_le_bytes(), content].concat()
}

const COMPRESSED: u64 = 0x800;

/// `linkrig ` twenty times, by zlib and by zstd.
const ZLIB: &[u8] = &[120, 156, 203, 201, 204, 203, 46, 202, 76, 87, 200, 25, 164, 52, 0, 89, 217, 61, 65];
const ZSTD: &[u8] = &[
    40, 181, 47, 253, 4, 88, 125, 0, 0, 64, 108, 105, 110, 107, 114, 105, 103, 32, 1, 0, 149, 81, 133, 11, 224, 38,
    148, 105,
];

/// What is kept of a section of debug information.
fn kept(flags: u64, content: &[u8]) -> Result<Vec<u8>> {
    let mut elf = Elf::aarch64();
    elf.section(".debug_str", PROGBITS, flags, content);
    let files = [("a.o", elf.bytes())];
    let options = Options { keep_debug: true, ..Options::default() };
    let parsed = parse("aarch64", &files, &options)?;
    let graph = parsed.graph();
    let (_, section) = graph.sections.iter().next().expect("it is kept");
    let block = section.block_ids().next().expect("a block");
    Ok(match &graph.blocks[block].content {
        Content::Owned(bytes) => bytes.clone(),
        other => panic!("unpacked: {other:?}"),
    })
}

#[test]
fn compressed_sections_are_unpacked() {
    let text = b"linkrig ".repeat(20);
    for (kind, content) in [(1, ZLIB), (2, ZSTD)] {
        assert_eq!(kept(COMPRESSED, &packed(kind, 160, content)).expect("unpacks"), text, "{kind}");
    }
}

#[test]
fn what_is_wrong_with_a_compressed_section_is_said() {
    let wrong = |content: &[u8], expected: &str| {
        assert_eq!(kept(COMPRESSED, content).expect_err("damaged").to_string(), format!("a.o(.debug_str): {expected}"));
    };
    for (kind, content) in [(1, ZLIB), (2, ZSTD)] {
        wrong(&packed(kind, 161, content), "the compressed content is not 0xa1 bytes unpacked");
        wrong(&packed(kind, 159, content), "the compressed content is not 0x9f bytes unpacked");
        wrong(&packed(kind, 160, &content[..content.len() - 5]), "the compressed content is not 0xa0 bytes unpacked");
    }
    wrong(&packed(3, 160, ZLIB), "ch_type is 3, expected ELFCOMPRESS_ZLIB (1) or ELFCOMPRESS_ZSTD (2)");
    wrong(&packed(1, 1 << 40, ZLIB), "the unpacked size of 0x10000000000 bytes exceeds the limit of 1073741824");
    wrong(&packed(1, 1 << 29, ZLIB), "the compressed content is not 0x20000000 bytes unpacked");
    let mut elf = Elf::aarch64();
    elf.section(".rodata", PROGBITS, READ | COMPRESSED, &packed(1, 160, ZLIB));
    assert_eq!(
        error("aarch64", &[("a.o", elf.bytes())]),
        "a.o(.rodata): the section is loaded and compressed, expected at most one of them"
    );
}

/// An object with a section that is not loaded, a symbol in it, and pointers to both.
fn unloaded(name: &str, section: &str, value: u64) -> Elf {
    let mut elf = Elf::aarch64();
    let meta = elf.section(section, PROGBITS, 0, &[0; 12]);
    elf.of(meta).align = 8;
    let own = elf.symbol("", LOCAL | SECTION, meta, 0);
    let x = elf.symbol(name, GLOBAL, meta, value);
    let data = elf.section(".data", PROGBITS, DATA, &[0; 16]);
    elf.symbol(&format!("p_{name}"), GLOBAL | OBJECT, data, 0);
    elf.relocate(data, 0, AARCH64_ABS64, x, 0);
    elf.relocate(data, 8, AARCH64_ABS64, own, 5);
    elf
}

#[test]
fn sections_that_are_not_loaded_are_counted_from_zero() {
    // One that its own object does not refer to.
    let mut only = Elf::aarch64();
    let third = only.section(".third", PROGBITS, 0, &[0; 12]);
    only.symbol("w", GLOBAL, third, 7);
    // Sections of one name are one run, here too.
    let files = [
        ("a.o", unloaded("x", ".meta", 3).bytes()),
        ("b.o", unloaded("y", ".meta", 4).bytes()),
        ("c.o", unloaded("z", ".other", 6).bytes()),
        ("d.o", only.bytes()),
        ("e.o", points_to(&["w"]).bytes()),
    ];
    let linked = link("aarch64", &files).expect("links");
    for (name, first, second) in [("p_x", 3, 5), ("p_y", 16 + 4, 16 + 5), ("p_z", 6, 5)] {
        let p = linked.address(name).expect("there");
        assert_eq!((read(&linked, p, 8), read(&linked, p + 8, 8)), (first, second), "{name}");
    }
    assert_eq!(pointer(&linked, "p_w"), 7);
}

#[test]
fn what_a_link_leaves_out_cannot_be_referred_to() {
    const EXCLUDE: u64 = 0x8000_0000;
    for (name, flags) in [(".sframe", READ), (".notes", EXCLUDE)] {
        let mut elf = Elf::aarch64();
        let out = elf.section(name, PROGBITS, flags, &[0; 8]);
        let own = elf.symbol("", LOCAL | SECTION, out, 0);
        assert_eq!(link("aarch64", &[("a.o", elf.bytes())]).expect("links").graph().sections.len(), 0, "{name}");
        let data = elf.section(".data", PROGBITS, DATA, &[0; 8]);
        elf.relocate(data, 0, AARCH64_ABS64, own, 0);
        let text = error("aarch64", &[("a.o", elf.bytes())]);
        assert!(text.contains("refers to a section that is not part of the link"), "{text}");
    }
}

#[test]
fn variables_to_be_tagged_are_warned_of() {
    let mut elf = Elf::aarch64();
    elf.section(".memtag.globals.static", 0x7000_0007, 0, &[]);
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let warnings: Vec<String> = linked.graph().warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("a.o(.memtag.globals.static): variables to be tagged (MTE)"), "{warnings:?}");
}

#[test]
fn offsets_of_thread_local_variables_count_from_the_module() {
    const TLS: u64 = 0x403;
    let mut elf = Elf::aarch64();
    let first = elf.section(".tdata.a", PROGBITS, TLS, &[1; 8]);
    let second = elf.section(".tdata.b", PROGBITS, TLS, &[2; 8]);
    elf.symbol("a", GLOBAL | 6, first, 0);
    elf.symbol("b", GLOBAL | 6, second, 0);
    let data = elf.section(".data", PROGBITS, DATA, &[0; 16]);
    elf.symbol("p", GLOBAL | OBJECT, data, 0);
    let global = elf.wants("_TLS_MODULE_BASE_");
    let local = elf.symbol("_TLS_MODULE_BASE_", LOCAL | 6, super::elf::UNDEFINED, 0);
    elf.relocate(data, 0, AARCH64_ABS64, global, 0);
    elf.relocate(data, 8, AARCH64_ABS64, local, 0);
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let (p, image) = (linked.address("p").expect("there"), linked.thread_local().expect("there is one"));
    assert_eq!((read(&linked, p, 8), read(&linked, p + 8, 8)), (image.address, image.address));
    // Without such variables there is no module to count from.
    let files = [("a.o", points_to(&["_TLS_MODULE_BASE_"]).bytes())];
    assert!(error("aarch64", &files).starts_with("undefined symbol: _TLS_MODULE_BASE_"));
}

#[test]
fn arm_addends_of_plain_relocations_are_in_the_place() {
    let mut elf = Elf::arm();
    let data = elf.section(".data", PROGBITS, DATA, &[4, 0, 0, 0]);
    let x = elf.symbol("x", GLOBAL, super::elf::ABSOLUTE, 0x100);
    elf.symbol("p", GLOBAL | OBJECT, data, 0);
    elf.relocate(data, 0, ARM_ABS32, x, 0);
    let files = [("a.o", elf.bytes())];
    let linked = link("armv7", &files).expect("links");
    assert_eq!(read(&linked, linked.address("p").expect("there"), 4), 0x104);
}
