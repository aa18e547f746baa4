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
//! have no A32 at all. Build attributes of the objects tell ([`cores`]), and stubs follow (`stubs`).
//!
//! A branch to an undefined weak function becomes a NOP.

use super::{
    Architecture, BranchForm, Core, Demands, Destination, Irelative, Resolver, Rule, Spans, StubShape, UnwindIndex,
    Word,
};
use crate::build::{Attributes, Mismatch};
use crate::field::Unit;
use crate::graph::{Bytes, Flags};
use crate::index::ObjectId;
use crate::platform::{Meaning, Platform};
use crate::relocation::{Check, Class, Row};
use crate::target::Target;

mod attributes;
pub mod cores;
mod fields;
mod stubs;
mod table;

/// The architecture.
#[derive(Debug)]
pub struct Arm;

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

    fn resolver(&self, demands: Demands) -> &'static Resolver {
        stubs::resolver(demands)
    }

    fn descriptor_call(&self, row: &Row) -> Option<u32> {
        match row.number {
            table::TLS_CALL => Some(table::CALL),
            table::THM_TLS_CALL => Some(table::THM_CALL),
            _ => None,
        }
    }

    fn trampoline(&self, demands: Demands) -> &'static Resolver {
        stubs::trampoline(demands)
    }

    fn stored_addend(&self, row: &Row, stored: i64, code: &[u8]) -> Result<i64, &'static str> {
        if row.number == table::TLS_GOTDESC { fields::descriptor_addend(stored, code) } else { Ok(stored) }
    }

    fn platform(&self, target: &Target, attributes: &Attributes, asked: Platform) -> Platform {
        // Without an operating system, types are in the image. Microcontrollers have none; of other objects, their
        // enumerations tell: the procedure call standard has them as small as their values, Linux as large as int.
        const SMALL: u64 = 1;
        let bare =
            cores::abilities(target.core).is_microcontroller() || attributes.number(attributes::ENUM_SIZE) == SMALL;
        let types = if bare { Meaning::Relative } else { Meaning::GotRelative };
        Platform { target1: asked.target1.or(Some(Meaning::Absolute)), target2: asked.target2.or(Some(types)) }
    }

    fn platform_rows(&self, platform: Platform) -> Option<[(u16, u16); 2]> {
        let index = |number: u32| table::INDEX[number as usize];
        let row = |own: u32, meaning: Option<Meaning>| {
            let number = match meaning {
                Some(Meaning::Absolute) => table::ABS32,
                Some(Meaning::Relative) => table::REL32,
                Some(Meaning::GotRelative) => table::GOT_PREL,
                None => own,
            };
            (index(own), index(number))
        };
        // The rows of the table are what Linux has: those edges stay what they are.
        let (one, two) = (platform.target1, platform.target2);
        Some([
            row(table::TARGET1, one.filter(|one| *one != Meaning::Absolute)),
            row(table::TARGET2, two.filter(|two| *two != Meaning::GotRelative)),
        ])
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

    fn attributes(&self, bytes: &[u8], big_endian: bool, from: ObjectId) -> Attributes {
        attributes::read(bytes, big_endian, from)
    }

    fn merge(&self, merged: &mut Attributes, new: &Attributes) -> Vec<Mismatch> {
        attributes::merge(merged, new)
    }

    fn attribute_section(&self, attributes: &Attributes, big_endian: bool) -> Vec<u8> {
        if attributes.is_empty() { Vec::new() } else { attributes::write(attributes, big_endian) }
    }

    fn core(&self, attributes: &Attributes) -> Core {
        let tag = attributes.get(attributes::CPU_ARCH).map(|attribute| attribute.value.number());
        tag.map_or(Core::default(), |tag| cores::named(tag, attributes.number(attributes::CPU_ARCH_PROFILE)))
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

    fn stub_for(&self, row: &Row, _word: u64, demands: Demands) -> Option<&'static StubShape> {
        match (row.class, row.field.unit) {
            (Class::Branch, Unit::Instruction32) => Some(stubs::a32(demands)),
            (Class::Branch, _) => Some(stubs::t32(demands)),
            _ => None,
        }
    }

    fn indirect_stub(&self, demands: Demands) -> &'static StubShape {
        stubs::indirect(demands)
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
