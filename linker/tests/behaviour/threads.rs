//! Thread-local variables: where they are from the thread pointer, what table entries hold, what is rewritten.

use linker::Options;

use super::elf::{CODE, Elf, FUNC, GLOBAL, NOBITS, PROGBITS};
use super::*;

const TLS: u8 = 6;
const TLS_DATA: u64 = 0x403;

const ADR_GOT_PAGE: u32 = 311;
const LD64_GOT_LO12_NC: u32 = 312;
const TLSIE_ADR_GOTTPREL_PAGE21: u32 = 541;
const TLSIE_LD64_GOTTPREL_LO12_NC: u32 = 542;
const TLS_TPREL64: u32 = 1030;
const P32_ADR_GOT_PAGE: u32 = 26;
const P32_LD32_GOT_LO12_NC: u32 = 27;
const P32_TLSIE_ADR_GOTTPREL_PAGE21: u32 = 103;
const P32_TLSIE_LD32_GOTTPREL_LO12_NC: u32 = 104;

/// adrp x0, <>; ldr x0, [x0]: by these relocations towards `variable`, 24 bytes behind the start of an image of `align`.
fn load(page: u32, low: u32, load: u32, align: u64) -> Elf {
    load_in(Elf::aarch64(), page, low, load, align)
}

fn load_in(mut elf: Elf, page: u32, low: u32, load: u32, align: u64) -> Elf {
    let code: Vec<u8> = [0x9000_0000u32, load, 0xd65f_03c0].iter().flat_map(|word| word.to_le_bytes()).collect();
    let text = elf.section(".text", PROGBITS, CODE, &code);
    elf.symbol("f", GLOBAL | FUNC, text, 0);
    let data = elf.section(".tdata", PROGBITS, TLS_DATA, &[7; 16]);
    elf.of(data).align = align;
    let zero = elf.section(".tbss", NOBITS, TLS_DATA, &[]);
    elf.of(zero).size = 16;
    elf.of(zero).align = 8;
    let variable = elf.symbol("variable", GLOBAL | TLS, zero, 8);
    elf.relocate(text, 0, page, variable, 0);
    elf.relocate(text, 4, low, variable, 0);
    elf
}

const LDR_X0: u32 = 0xf940_0000;
const LDR_W0: u32 = 0xb940_0000;

fn link_unrelaxed<'a>(files: &'a [(&'a str, Vec<u8>)]) -> Linked<'a> {
    link_with("aarch64", files, Roots::All, &Layout::Near, &Options::unrelaxed()).expect("links")
}

#[test]
fn the_offset_is_behind_a_control_block_of_two_pointers_and_as_aligned_as_the_image() {
    for (align, offset) in [(4, 16 + 24), (16, 16 + 24), (64, 64 + 24)] {
        let elf = load(TLSIE_ADR_GOTTPREL_PAGE21, TLSIE_LD64_GOTTPREL_LO12_NC, LDR_X0, align);
        let files = [("a.o", elf.bytes())];
        let plain = link_unrelaxed(&files);
        let got = plain.graph().got.expect("a table");
        assert_eq!(read(&plain, plain.graph().blocks[got].address, 8), offset, "the entry, aligned to {align}");
        let image = plain.thread_local().expect("an image");
        assert_eq!((image.size, image.alignment, image.offset), (32, align.max(8), offset - 24));

        let relaxed = link("aarch64", &files).expect("links");
        let f = relaxed.address("f").expect("there");
        assert_eq!(read(&relaxed, f, 4), 0xd2a0_0000, "movz x0, #0, lsl #16");
        assert_eq!(read(&relaxed, f + 4, 4), 0xf280_0000 | offset << 5, "movk x0, #offset");
        assert!(relaxed.graph().got.is_none(), "nobody needs the table");
    }
}

#[test]
fn a_load_that_keeps_the_page_is_not_rewritten() {
    let elf = load(TLSIE_ADR_GOTTPREL_PAGE21, TLSIE_LD64_GOTTPREL_LO12_NC, LDR_X0 | 1, 8);
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    assert!(linked.graph().rewritten.is_empty());
}

#[test]
fn loads_of_addresses_become_additions_and_stay_loads_where_registers_differ() {
    for (word, relaxed) in [(LDR_X0, true), (LDR_X0 | 1, false)] {
        let mut elf = load(ADR_GOT_PAGE, LD64_GOT_LO12_NC, word, 8);
        elf.symbols[1] = ("variable".to_owned(), GLOBAL, 0, 1, 8, 0);
        elf.sections.truncate(1);
        let files = [("a.o", elf.bytes())];
        let linked = link("aarch64", &files).expect("links");
        let f = linked.address("f").expect("there");
        assert_eq!(linked.graph().rewritten.len(), if relaxed { 2 } else { 0 });
        if relaxed {
            assert_eq!(read(&linked, f, 4), 0x9000_0000, "adrp x0, the page of f itself");
            assert_eq!(read(&linked, f + 4, 4), 0x9100_0000 | ((f + 8) & 0xfff) << 10, "add x0, x0, #8");
        }
    }
}

/// What GNU ld makes of the same, but that it writes to w0, which clears the rest of x0.
#[test]
fn ilp32_is_relaxed_as_lp64_is() {
    let variable = load_in(Elf::ilp32(), P32_TLSIE_ADR_GOTTPREL_PAGE21, P32_TLSIE_LD32_GOTTPREL_LO12_NC, LDR_W0, 8);
    let files = [("a.o", variable.bytes())];
    let linked = link("aarch64_ilp32", &files).expect("links");
    let f = linked.address("f").expect("there");
    assert_eq!(read(&linked, f, 4), 0xd2a0_0000, "movz x0, #0, lsl #16");
    // Behind a control block of two pointers.
    assert_eq!(read(&linked, f + 4, 4), 0xf280_0000 | (8 + 24) << 5, "movk x0, #offset");
    assert!(linked.graph().got.is_none(), "nobody needs the table");

    // What is no address of 32 bits comes from the table, which has no more of it.
    for (addend, rewritten) in [(0, 2), (-0x40_0010, 0)] {
        let mut address = load_in(Elf::ilp32(), P32_ADR_GOT_PAGE, P32_LD32_GOT_LO12_NC, LDR_W0, 8);
        address.symbols[1] = ("variable".to_owned(), GLOBAL, 0, 1, 8, 0);
        address.sections.truncate(1);
        address.of(1).relocations.iter_mut().for_each(|relocation| relocation.3 = addend);
        let files = [("a.o", address.bytes())];
        let linked = link("aarch64_ilp32", &files).expect("links");
        assert_eq!(linked.graph().rewritten.len(), rewritten);
    }
}

#[test]
fn what_is_for_loaders_is_refused_by_name() {
    let mut elf = load(TLS_TPREL64, TLSIE_LD64_GOTTPREL_LO12_NC, LDR_X0, 8);
    elf.of(1).data.extend([0; 8]);
    let message = link("aarch64", &[("a.o", elf.bytes())]).expect_err("dynamic").to_string();
    assert!(message.contains("a.o(.text+0x0): R_AARCH64_TLS_TPREL64"), "{message}");
    assert!(message.contains("dynamic relocation"), "{message}");
}
