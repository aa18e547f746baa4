//! ARM: 32-bit pointers, two instruction sets, REL relocations.
//!
//! A core may run A32 (32-bit units) and T32, called Thumb (16-bit units, some in pairs). Which one a function is in is
//! told by the low bit of its symbol's value: set for Thumb. In formulas that bit is T, never part of S: `(S + A) | T`
//! gives the value that BX and loads into pc need, so a pointer to a Thumb function is odd.
//!
//! A call changes state by being BLX instead of BL; the linker turns one into the other, both ways. The A32 form of BLX
//! has a half-word bit H for targets at 2 modulo 4; the T32 form clears the low two bits of pc first. Plain and
//! conditional branches cannot change state: they need a stub. Symbols that are not functions have no state: the
//! instruction stands as it is written.
//!
//! Objects store addends in the place (REL): an instruction's immediate with its sign, a datum's bytes. The pc reads 8
//! bytes ahead in A32 and 4 in T32, and the addend carries that bias.
//!
//! Cores differ. Before v6T2 a Thumb BL reaches +-4 MiB instead of +-16 MiB; before v5T there is no BLX; M-profile cores
//! have no A32 at all. Build attributes of the objects tell ([`cores`]). Stubs follow: every shape ends in a load of pc
//! from a literal, which reaches everything and changes state as the literal's low bit says.
//!
//! A branch to an undefined weak function becomes a NOP.

use super::{Architecture, BranchForm, Core, Destination, Irelative, Resolver, StubShape, UnwindIndex, Word};
use crate::field::Unit;
use crate::graph::{Bytes, Flags};
use crate::layout::{Rule, Spans};
use crate::relocation::{Check, Class, Row};

pub mod cores;
mod fields;
mod table;

/// The architecture.
#[derive(Debug)]
pub struct Arm;

static A32: StubShape = StubShape {
    name: "absolute, A32",
    #[rustfmt::skip]
    code: &[
        0x04, 0xf0, 0x1f, 0xe5, // ldr pc, [pc, #-4]
        0, 0, 0, 0,
    ],
    pointer: 4,
    thumb: false,
    mapping: &[(0, Bytes::Code), (4, Bytes::Data)],
};

// v4T: a load into pc does not change state, BX does.
static A32_BX: StubShape = StubShape {
    name: "absolute, A32 before v5T",
    #[rustfmt::skip]
    code: &[
        0x00, 0xc0, 0x9f, 0xe5, // ldr ip, [pc]
        0x1c, 0xff, 0x2f, 0xe1, // bx  ip
        0, 0, 0, 0,
    ],
    pointer: 8,
    thumb: false,
    mapping: &[(0, Bytes::Code), (8, Bytes::Data)],
};

static T32: StubShape = StubShape {
    name: "absolute, T32",
    #[rustfmt::skip]
    code: &[
        0xdf, 0xf8, 0x00, 0xf0, // ldr.w pc, [pc]
        0, 0, 0, 0,
    ],
    pointer: 4,
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (4, Bytes::Data)],
};

// Thumb-1 with A32 beside it: change state first, as only A32 can load pc without a free register.
static T16_A32: StubShape = StubShape {
    name: "absolute, Thumb-1 by way of A32",
    #[rustfmt::skip]
    code: &[
        0x78, 0x47,             // bx  pc
        0xc0, 0x46,             // nop
        0x00, 0xc0, 0x9f, 0xe5, // ldr ip, [pc]
        0x1c, 0xff, 0x2f, 0xe1, // bx  ip
        0, 0, 0, 0,
    ],
    pointer: 12,
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (4, Bytes::Code), (12, Bytes::Data)],
};

// Thumb-1 alone: no register is free, so the address goes through the stack.
static T16: StubShape = StubShape {
    name: "absolute, Thumb-1",
    #[rustfmt::skip]
    code: &[
        0x03, 0xb4, // push {r0, r1}
        0x01, 0x48, // ldr  r0, [pc, #4]
        0x01, 0x90, // str  r0, [sp, #4]
        0x01, 0xbd, // pop  {r0, pc}
        0, 0, 0, 0,
    ],
    pointer: 8,
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (8, Bytes::Data)],
};

static A32_INDIRECT: StubShape = StubShape {
    name: "indirect, A32",
    #[rustfmt::skip]
    code: &[
        0x04, 0xc0, 0x9f, 0xe5, // ldr ip, [pc, #4]
        0x00, 0xc0, 0x9c, 0xe5, // ldr ip, [ip]
        0x1c, 0xff, 0x2f, 0xe1, // bx  ip
        0, 0, 0, 0,
    ],
    pointer: 12,
    thumb: false,
    mapping: &[(0, Bytes::Code), (12, Bytes::Data)],
};

static T32_INDIRECT: StubShape = StubShape {
    name: "indirect, T32",
    #[rustfmt::skip]
    code: &[
        0xdf, 0xf8, 0x04, 0xc0, // ldr.w ip, [pc, #4]
        0xdc, 0xf8, 0x00, 0xf0, // ldr.w pc, [ip]
        0, 0, 0, 0,
    ],
    pointer: 8,
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (8, Bytes::Data)],
};

static T16_INDIRECT: StubShape = StubShape {
    name: "indirect, Thumb-1",
    #[rustfmt::skip]
    code: &[
        0x03, 0xb4, // push {r0, r1}
        0x02, 0x48, // ldr  r0, [pc, #8]
        0x00, 0x68, // ldr  r0, [r0]
        0x01, 0x90, // str  r0, [sp, #4]
        0x01, 0xbd, // pop  {r0, pc}
        0xc0, 0x46, // nop
        0, 0, 0, 0,
    ],
    pointer: 12,
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (12, Bytes::Data)],
};

// A descriptor is its argument and then the function, which gets its address in r0.
static RESOLVER_A32: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x00, 0x90, 0xe5, // ldr r0, [r0]
        0x1e, 0xff, 0x2f, 0xe1, // bx  lr
    ],
    thumb: false,
    word: 1,
};

static RESOLVER_T16: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x68, // ldr r0, [r0]
        0x70, 0x47, // bx  lr
    ],
    thumb: true,
    word: 1,
};

// A call leaves the distance of the descriptor from where it returns to in r0.
static TRAMPOLINE_A32: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x00, 0x8e, 0xe0, // add r0, lr, r0
        0x04, 0x10, 0x90, 0xe5, // ldr r1, [r0, #4]
        0x11, 0xff, 0x2f, 0xe1, // bx  r1
    ],
    ..RESOLVER_A32
};

static TRAMPOLINE_T16: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x70, 0x44, // add r0, lr
        0x41, 0x68, // ldr r1, [r0, #4]
        0x08, 0x47, // bx  r1
    ],
    ..RESOLVER_T16
};

/// As in GNU ld's linker scripts.
const OUTPUT_SECTIONS: &[Rule] = &[
    (b".ARM.exidx", b".ARM.exidx"),
    (b".ARM.extab", b".ARM.extab"),
    (b".gnu.linkonce.armexidx.", b".ARM.exidx"),
    (b".gnu.linkonce.armextab.", b".ARM.extab"),
];

/// Exception handling tables (EHABI32, Index table entries).
static EXIDX: UnwindIndex = UnwindIndex {
    section: b".ARM.exidx",
    // EXIDX_CANTUNWIND
    gap: 1,
    row: table::PREL31,
};

impl Architecture for Arm {
    fn name(&self) -> &'static str {
        "ARM"
    }

    fn rows(&self) -> &'static [Row] {
        table::ROWS
    }

    fn row(&self, number: u32) -> Option<u16> {
        table::INDEX.get(number as usize).copied().filter(|&index| index != u16::MAX)
    }

    fn word(&self, word: Word) -> u16 {
        let number = match word {
            Word::Address => table::ABS32,
            Word::ThreadOffset => table::TLS_TPOFF32,
            Word::BlockOffset => table::TLS_DTPOFF32,
            Word::Function => table::FUNCDESC,
        };
        table::INDEX[number as usize]
    }

    fn irelative(&self) -> Irelative {
        // R_ARM_IRELATIVE (AAELF32, Dynamic relocations).
        Irelative { number: 160, section: b".rel.iplt", in_place: true }
    }

    fn resolver(&self, core: Core) -> &'static Resolver {
        if !cores::abilities(core).a32 { &RESOLVER_T16 } else { &RESOLVER_A32 }
    }

    fn descriptor_call(&self, row: &Row) -> Option<u32> {
        match row.number {
            table::TLS_CALL => Some(table::CALL),
            table::THM_TLS_CALL => Some(table::THM_CALL),
            _ => None,
        }
    }

    fn trampoline(&self, core: Core) -> &'static Resolver {
        if !cores::abilities(core).a32 { &TRAMPOLINE_T16 } else { &TRAMPOLINE_A32 }
    }

    fn stored_addend(&self, row: &Row, stored: i64, code: &[u8]) -> Result<i64, &'static str> {
        if row.number == table::TLS_GOTDESC { fields::descriptor_addend(stored, code) } else { Ok(stored) }
    }

    fn spans(&self) -> Spans {
        // A call reaches 32 MiB in A32, half that in T32. All places together stay below 1 GiB, for PREL31.
        Spans { base: 0x40_0000, stride: 48 << 20, places: 16, high: 0xfff0_0000, high_data: Some(0x40_0000) }
    }

    fn pc_bias(&self, row: &Row) -> i64 {
        if row.field.unit == Unit::Instruction32 { 8 } else { 4 }
    }

    fn output_sections(&self) -> &'static [Rule] {
        OUTPUT_SECTIONS
    }

    fn unwind_index(&self) -> Option<&'static UnwindIndex> {
        Some(&EXIDX)
    }

    fn symbol_value(&self, value: u64, function: bool) -> (u64, Flags) {
        if function && value & 1 == 1 { (value & !1, Flags::THUMB) } else { (value, Flags::default()) }
    }

    fn turns_code(&self) -> bool {
        true
    }

    fn mapping(&self, name: &[u8]) -> Option<Bytes> {
        match name {
            [b'$', b'a'] | [b'$', b'a', b'.', ..] => Some(Bytes::Code),
            [b'$', b't'] | [b'$', b't', b'.', ..] => Some(Bytes::Thumb),
            [b'$', b'd'] | [b'$', b'd', b'.', ..] => Some(Bytes::Data),
            _ => None,
        }
    }

    fn attributes(&self, bytes: &[u8], big_endian: bool) -> Result<Core, &'static str> {
        cores::from_attributes(bytes, big_endian)
    }

    fn default_core(&self, target: &str) -> Core {
        cores::default_of(target)
    }

    fn reach(&self, row: &Row, core: Core) -> Check {
        let long = cores::abilities(core).long_branches;
        if row.number == table::THM_CALL && !long { Check::Signed(23) } else { row.check }
    }

    fn branch(&self, row: &Row, word: u64, value: i64, to: Destination, core: Core) -> Option<BranchForm> {
        match row.field.unit {
            Unit::Instruction32 => fields::a32_branch(word, value, to.thumb, cores::abilities(core).blx),
            _ => fields::t32_branch(row, word, value, to.thumb, cores::abilities(core).blx),
        }
    }

    fn stub_for(&self, row: &Row, _word: u64, core: Core) -> Option<&'static StubShape> {
        let can = cores::abilities(core);
        match (row.class, row.field.unit) {
            (Class::Branch, Unit::Instruction32) if can.blx => Some(&A32),
            (Class::Branch, Unit::Instruction32) => Some(&A32_BX),
            (Class::Branch, _) if can.thumb2 => Some(&T32),
            (Class::Branch, _) if can.a32 => Some(&T16_A32),
            (Class::Branch, _) => Some(&T16),
            _ => None,
        }
    }

    fn indirect_stub(&self, core: Core) -> &'static StubShape {
        let can = cores::abilities(core);
        match (can.a32, can.thumb2) {
            (true, _) => &A32_INDIRECT,
            (_, true) => &T32_INDIRECT,
            _ => &T16_INDIRECT,
        }
    }

    fn fall_through(&self, row: &Row, _word: u64, _core: Core) -> Option<u64> {
        // Moves of a register to itself: NOPs on every core.
        row.class.is_branch().then_some(match row.field.unit {
            Unit::Instruction32 => 0xe1a0_0000,
            Unit::Instruction16 => 0x46c0,
            _ => 0x46c0_46c0,
        })
    }
}
