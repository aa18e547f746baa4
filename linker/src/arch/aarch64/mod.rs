//! AArch64: 64-bit pointers, 32-bit instructions, RELA relocations.
//!
//! An address takes two instructions in most code: ADRP gives the 4 KiB page of the target relative to the page of the
//! instruction (+-4 GiB), and the low twelve bits go into the ADD, load or store that follows. So the formulas know
//! Page(), and the low part depends on S+A alone. The tiny code model uses ADR and load-literal (+-1 MiB), the large one
//! builds all 64 bits with MOVZ and MOVK. Addends come with the relocation, and what stands in the field does not count.
//!
//! Calls and jumps reach +-128 MiB. Beyond that the linker may put a stub in between, for which the procedure call
//! standard gives away x16 and x17. Ours hold the full address, so that they reach everything (`stubs`).
//!
//! Conditional branches (+-1 MiB) and test-and-branch (+-32 KiB) have no stubs in the ABI. Of a weak reference that
//! nothing resolves they reach the place itself, as all that is relative to it does; B and BL become a NOP.

use super::{Architecture, Core, Demands, Irelative, Resolver, Rewritten, Spans, StubShape, Word};
use crate::build::Attributes;
use crate::field::Opcode;
use crate::graph::{Bytes, LinkGraph};
use crate::index::{EdgeId, ObjectId};
use crate::relocation::{Class, Row};

mod attributes;
mod ilp32;
mod relax;
mod stubs;
mod table;

/// The architecture.
#[derive(Debug)]
pub struct Aarch64 {
    /// Whether pointers have 32 bits (ILP32). Addresses are computed in 64 bits all the same.
    pub ilp32: bool,
}

const NOP: u64 = 0xd503_201f;

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

    fn attributes(&self, bytes: &[u8], big_endian: bool, _from: ObjectId) -> Attributes {
        attributes::read(bytes, big_endian)
    }

    fn irelative(&self) -> Irelative {
        // R_AARCH64_IRELATIVE, R_AARCH64_P32_IRELATIVE (AAELF64, Dynamic relocations).
        Irelative { number: if self.ilp32 { 188 } else { 1032 }, section: b".rela.iplt", in_place: false }
    }

    fn resolver(&self, demands: Demands) -> &'static Resolver {
        stubs::resolver(self.ilp32, demands)
    }

    fn relax_thread_local(&self, graph: &LinkGraph<'_>, image: u64, list: &mut Vec<(EdgeId, Rewritten)>) {
        relax::thread_local(graph, image, list);
    }

    fn relax_got_loads(&self, graph: &LinkGraph<'_>, list: &mut Vec<(EdgeId, Rewritten)>) {
        relax::got_loads(graph, list);
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

    fn stub_for(&self, row: &Row, _word: u64, demands: Demands) -> Option<&'static StubShape> {
        match row.class {
            Class::Branch => Some(stubs::direct(self.ilp32, Demands { landing: false, ..demands })),
            // Who has its address may branch to it indirectly.
            Class::BranchData => Some(stubs::direct(self.ilp32, demands)),
            _ => None,
        }
    }

    fn indirect_stub(&self, demands: Demands) -> &'static StubShape {
        stubs::indirect(self.ilp32, demands)
    }

    fn landing_for(&self, first: u64) -> Option<&'static StubShape> {
        stubs::landing_for(first)
    }

    fn fall_through(&self, row: &Row, _word: u64, _core: Core) -> Option<u64> {
        (row.class == Class::Branch).then_some(NOP)
    }
}

const fn one(name: &'static str, mask: u32, bits: u32) -> [Opcode; 1] {
    [crate::field::opcode(name, mask, bits)]
}
