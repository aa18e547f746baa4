//! AArch64: 64-bit pointers, 32-bit instructions, RELA relocations.
//!
//! An address takes two instructions in most code: ADRP gives the 4 KiB page of the target relative to the page of the
//! instruction (+-4 GiB), and the low twelve bits go into the ADD, load or store that follows. So the formulas know
//! Page(), and the low part depends on S+A alone. The tiny code model uses ADR and load-literal (+-1 MiB), the large one
//! builds all 64 bits with MOVZ and MOVK. Addends come with the relocation, and what stands in the field does not count.
//!
//! Calls and jumps reach +-128 MiB. Beyond that the linker may put a stub in between, for which the procedure call
//! standard gives away x16 and x17. Ours loads the full address from a literal behind it, so that it reaches everything:
//!
//! ```text
//!     ldr x16, .+8
//!     br  x16
//!     .xword S
//! ```
//!
//! Conditional branches (+-1 MiB) and test-and-branch (+-32 KiB) have no stubs in the ABI. A branch to an undefined weak
//! symbol becomes a NOP.

use super::{Architecture, Core, Irelative, Resolver, Rewritten, StubShape, Word};
use crate::field::Opcode;
use crate::graph::{Bytes, LinkGraph};
use crate::index::{BlockId, EdgeId};
use crate::layout::Spans;
use crate::relocation::{Class, Row};

mod ilp32;
mod relax;
mod table;

/// The architecture.
#[derive(Debug)]
pub struct Aarch64 {
    /// Whether pointers have 32 bits (ILP32). Addresses are computed in 64 bits all the same.
    pub ilp32: bool,
}

const NOP: u64 = 0xd503_201f;

static DIRECT: StubShape = StubShape {
    name: "absolute",
    #[rustfmt::skip]
    code: &[
        0x50, 0x00, 0x00, 0x58, // ldr x16, .+8
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0, 0, 0, 0, 0, 0, 0, 0,
    ],
    pointer: 8,
    thumb: false,
    mapping: &[(0, Bytes::Code), (8, Bytes::Data)],
};

static INDIRECT: StubShape = StubShape {
    name: "indirect",
    #[rustfmt::skip]
    code: &[
        0x90, 0x00, 0x00, 0x58, // ldr x16, .+16
        0x10, 0x02, 0x40, 0xf9, // ldr x16, [x16]
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0x1f, 0x20, 0x03, 0xd5, // nop
        0, 0, 0, 0, 0, 0, 0, 0,
    ],
    pointer: 16,
    thumb: false,
    mapping: &[(0, Bytes::Code), (16, Bytes::Data)],
};

static DIRECT_32: StubShape = StubShape {
    name: "absolute, ILP32",
    #[rustfmt::skip]
    code: &[
        0x50, 0x00, 0x00, 0x18, // ldr w16, .+8
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0, 0, 0, 0,
    ],
    ..DIRECT
};

static INDIRECT_32: StubShape = StubShape {
    name: "indirect, ILP32",
    #[rustfmt::skip]
    code: &[
        0x70, 0x00, 0x00, 0x18, // ldr w16, .+12
        0x10, 0x02, 0x40, 0xb9, // ldr w16, [x16]
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0, 0, 0, 0,
    ],
    pointer: 12,
    mapping: &[(0, Bytes::Code), (12, Bytes::Data)],
    ..INDIRECT
};

// A descriptor is the function and then its argument; the function gets its address in x0 and keeps all else.
static RESOLVER: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x04, 0x40, 0xf9, // ldr x0, [x0, #8]
        0xc0, 0x03, 0x5f, 0xd6, // ret
    ],
    thumb: false,
    word: 0,
};

static RESOLVER_32: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x04, 0x40, 0xb9, // ldr w0, [x0, #4]
        0xc0, 0x03, 0x5f, 0xd6, // ret
    ],
    ..RESOLVER
};

impl Architecture for Aarch64 {
    fn name(&self) -> &'static str {
        "AArch64"
    }

    fn rows(&self) -> &'static [Row] {
        if self.ilp32 { ilp32::ROWS } else { table::ROWS }
    }

    fn row(&self, number: u32) -> Option<u16> {
        // The signed forms by way of a table had numbers among those for experiments before; tools of 2024 write these.
        let number = if (0x8110..=0x811d).contains(&number) { number - 0x8110 + table::AUTH_FIRST } else { number };
        let index: &[u16] = if self.ilp32 { &ilp32::INDEX } else { &table::INDEX };
        index.get(number as usize).copied().filter(|&index| index != u16::MAX)
    }

    fn word(&self, word: Word) -> u16 {
        match (word, self.ilp32) {
            // Without function descriptors, a pointer to a function is its address.
            (Word::Address | Word::Function, false) => table::INDEX[table::ABS64 as usize],
            (Word::ThreadOffset, false) => table::INDEX[table::TPREL64 as usize],
            (Word::BlockOffset, false) => table::INDEX[table::DTPREL64 as usize],
            (Word::Address | Word::Function, true) => ilp32::INDEX[ilp32::ABS32 as usize],
            (Word::ThreadOffset, true) => ilp32::INDEX[ilp32::TLS_TPREL as usize],
            (Word::BlockOffset, true) => ilp32::INDEX[ilp32::TLS_DTPREL as usize],
        }
    }

    fn irelative(&self) -> Irelative {
        // R_AARCH64_IRELATIVE, R_AARCH64_P32_IRELATIVE (AAELF64, Dynamic relocations).
        Irelative { number: if self.ilp32 { 188 } else { 1032 }, section: b".rela.iplt", in_place: false }
    }

    fn resolver(&self, _core: Core) -> &'static Resolver {
        if self.ilp32 { &RESOLVER_32 } else { &RESOLVER }
    }

    fn relax_thread_local(
        &self,
        graph: &LinkGraph<'_>,
        block: BlockId,
        image: u64,
        list: &mut Vec<(EdgeId, Rewritten)>,
    ) {
        relax::thread_local(graph, block, image, list);
    }

    fn relax_got_load(&self, graph: &LinkGraph<'_>, edge: EdgeId, list: &mut Vec<(EdgeId, Rewritten)>) {
        relax::got_load(graph, edge, list);
    }

    fn spans(&self) -> Spans {
        // A call reaches 128 MiB. All places together stay below 2 GiB, for 32-bit offsets.
        let high = if self.ilp32 { 0xe234_5000 } else { 0x7f_1234_5000 };
        Spans { base: 0x40_0000, stride: 160 << 20, places: 12, high, high_data: None }
    }

    fn mapping(&self, name: &[u8]) -> Option<Bytes> {
        match name {
            [b'$', b'x'] | [b'$', b'x', b'.', ..] => Some(Bytes::Code),
            [b'$', b'd'] | [b'$', b'd', b'.', ..] => Some(Bytes::Data),
            _ => None,
        }
    }

    fn stub_for(&self, row: &Row, _word: u64, _core: Core) -> Option<&'static StubShape> {
        matches!(row.class, Class::Branch | Class::BranchData).then_some(if self.ilp32 { &DIRECT_32 } else { &DIRECT })
    }

    fn indirect_stub(&self, _core: Core) -> &'static StubShape {
        if self.ilp32 { &INDIRECT_32 } else { &INDIRECT }
    }

    fn fall_through(&self, row: &Row, _word: u64, _core: Core) -> Option<u64> {
        row.class.is_branch().then_some(NOP)
    }
}

const fn one(name: &'static str, mask: u32, bits: u32) -> [Opcode; 1] {
    [crate::field::opcode(name, mask, bits)]
}
