//! Encodings that are more than a scatter of bits, and the change of state in branches.

use crate::arch::BranchForm;
use crate::field::{Codec, Field, Opcode, Stored, Unit, sign_extend};
use crate::relocation::{Class, Row};

const fn custom(
    unit: Unit,
    encode: fn(u64, i64) -> Option<u64>,
    decode: fn(u64) -> i64,
    mask: u64,
    opcodes: &'static [Opcode],
) -> Field {
    Field { unit, codec: Codec::Custom { encode, decode, mask }, opcodes, stored: Stored::Signed, zero: 0, takes: "" }
}

/// The 25-bit offset of BL, BLX and B.W: S, then I1 and I2 stored as J = NOT(I XOR S), then imm10 and imm11.
pub(super) const fn t32_branch_field(opcodes: &'static [Opcode]) -> Field {
    custom(Unit::InstructionPair, encode_t32_branch, decode_t32_branch, 0x07ff_2fff, opcodes)
}

fn encode_t32_branch(word: u64, value: i64) -> Option<u64> {
    let x = value as u64;
    let s = x >> 24 & 1;
    let j1 = (x >> 23 & 1) ^ s ^ 1;
    let j2 = (x >> 22 & 1) ^ s ^ 1;
    Some(word & !0x07ff_2fff | s << 26 | (x >> 12 & 0x3ff) << 16 | j1 << 13 | j2 << 11 | (x >> 1 & 0x7ff))
}

fn decode_t32_branch(word: u64) -> i64 {
    let s = word >> 26 & 1;
    let i1 = (word >> 13 & 1) ^ s ^ 1;
    let i2 = (word >> 11 & 1) ^ s ^ 1;
    sign_extend(s << 24 | i1 << 23 | i2 << 22 | (word >> 16 & 0x3ff) << 12 | (word & 0x7ff) << 1, 25)
}

/// An offset with sign and magnitude: the bits of the magnitude by `SPREAD` and its inverse, and bit `UP` for plus.
const fn up_down<const SHAPE: u8>(opcodes: &'static [Opcode]) -> Field {
    let unit = if SHAPE == T32_LITERAL { Unit::InstructionPair } else { Unit::Instruction32 };
    custom(unit, encode_up_down::<SHAPE>, decode_up_down::<SHAPE>, UP | spread::<SHAPE>(u64::MAX), opcodes)
}

const UP: u64 = 1 << 23;
const LDR: u8 = 0;
const LDRS: u8 = 1;
const LDC: u8 = 2;
const T32_LITERAL: u8 = 3;

const fn spread<const SHAPE: u8>(magnitude: u64) -> u64 {
    match SHAPE {
        LDRS => (magnitude & 0xf0) << 4 | magnitude & 0xf,
        LDC => magnitude >> 2 & 0xff,
        _ => magnitude & 0xfff,
    }
}

const fn gather<const SHAPE: u8>(word: u64) -> u64 {
    match SHAPE {
        LDRS => word >> 4 & 0xf0 | word & 0xf,
        LDC => (word & 0xff) << 2,
        _ => word & 0xfff,
    }
}

fn encode_up_down<const SHAPE: u8>(word: u64, value: i64) -> Option<u64> {
    let up = if value < 0 { 0 } else { UP };
    Some(word & !(UP | spread::<SHAPE>(u64::MAX)) | up | spread::<SHAPE>(value.unsigned_abs()))
}

fn decode_up_down<const SHAPE: u8>(word: u64) -> i64 {
    let magnitude = gather::<SHAPE>(word) as i64;
    if word & UP == 0 { -magnitude } else { magnitude }
}

/// The literal loads of T32: imm12 and the up bit.
pub(super) const fn t32_literal(opcodes: &'static [Opcode]) -> Field {
    up_down::<T32_LITERAL>(opcodes)
}

/// The loads of A32 with imm12 and the up bit.
pub(super) const fn a32_ldr(opcodes: &'static [Opcode]) -> Field {
    up_down::<LDR>(opcodes)
}

/// ADR.W: ADD or SUB of i:imm3:imm8, whichever has the right sign.
pub(super) const fn t32_adr(opcodes: &'static [Opcode]) -> Field {
    custom(Unit::InstructionPair, encode_t32_adr, decode_t32_adr, 0x04a0_70ff, opcodes)
}

fn encode_t32_adr(word: u64, value: i64) -> Option<u64> {
    let x = value.unsigned_abs();
    let sub = if value < 0 { 0x00a0_0000 } else { 0 };
    Some(word & !0x04a0_70ff | sub | (x >> 11 & 1) << 26 | (x >> 8 & 7) << 12 | x & 0xff)
}

fn decode_t32_adr(word: u64) -> i64 {
    let magnitude = ((word >> 26 & 1) << 11 | (word >> 12 & 7) << 8 | word & 0xff) as i64;
    if word & 0x00a0_0000 != 0 { -magnitude } else { magnitude }
}

/// Step `n` of a group takes eight bits of |X| from the highest even position on: where they start, what they are, and
/// what is left over (AAELF32, Group relocations).
fn group(magnitude: u32, n: usize) -> (u32, u32, u32) {
    let (mut shift, mut part, mut rest) = (0, 0, magnitude);
    for _ in 0..=n {
        shift = 24u32.saturating_sub(rest.leading_zeros() & !1);
        part = rest & 0xff << shift;
        rest &= !part;
    }
    (shift, part, rest)
}

/// ADD or SUB of step `N` of a group; when `CHECKED`, nothing may be left over.
pub(super) const fn alu_group<const N: usize, const CHECKED: bool>(opcodes: &'static [Opcode]) -> Field {
    let field = custom(Unit::Instruction32, encode_alu::<N, CHECKED>, decode_alu, 0x00c0_0fff, opcodes);
    if CHECKED { field.takes("none left over") } else { field }
}

fn encode_alu<const N: usize, const CHECKED: bool>(word: u64, value: i64) -> Option<u64> {
    let (shift, part, rest) = group(u32::try_from(value.unsigned_abs()).ok()?, N);
    if CHECKED && rest != 0 {
        return None;
    }
    Some(put_constant(word, value < 0, part, shift))
}

/// SUB or ADD of `part`, eight bits from `shift` on.
fn put_constant(word: u64, negative: bool, part: u32, shift: u32) -> u64 {
    // A rotation to the right by twice the field.
    let immediate = ((32 - shift) / 2 % 16) << 8 | part >> shift;
    let opcode = if negative { 0x0040_0000 } else { 0x0080_0000 };
    word & !0x00c0_0fff | opcode | u64::from(immediate)
}

/// ADD or SUB of the eight bits of |X| from `SHIFT` on, wherever |X| begins: what there was before groups.
pub(super) const fn alu_byte<const SHIFT: u32>(opcodes: &'static [Opcode]) -> Field {
    custom(Unit::Instruction32, encode_alu_byte::<SHIFT>, decode_alu, 0x00c0_0fff, opcodes)
}

fn encode_alu_byte<const SHIFT: u32>(word: u64, value: i64) -> Option<u64> {
    let part = (value.unsigned_abs() & 0xff << SHIFT) as u32;
    Some(put_constant(word, value < 0, part, SHIFT))
}

fn decode_alu(word: u64) -> i64 {
    let magnitude = i64::from((word as u32 & 0xff).rotate_right((word as u32 >> 8 & 0xf) * 2));
    if word & 0x0040_0000 != 0 { -magnitude } else { magnitude }
}

/// A load of what steps before `N` of a group leave over.
const fn load_group<const SHAPE: u8, const N: usize>(opcodes: &'static [Opcode]) -> Field {
    let mask = UP | spread::<SHAPE>(u64::MAX);
    let field = custom(Unit::Instruction32, encode_load::<SHAPE, N>, decode_up_down::<SHAPE>, mask, opcodes);
    field.takes(match (SHAPE, N) {
        (LDR, 0) => "at most 0xfff up or down",
        (LDR, _) => "at most 0xfff left over",
        (LDRS, 0) => "at most 0xff up or down",
        (LDRS, _) => "at most 0xff left over",
        (_, 0) => "at most 0x3fc up or down, a multiple of 4",
        _ => "at most 0x3fc left over, a multiple of 4",
    })
}

/// LDR and STR, and the byte forms.
pub(super) const fn ldr_group<const N: usize>(opcodes: &'static [Opcode]) -> Field {
    load_group::<LDR, N>(opcodes)
}
/// The half-word, signed and double forms.
pub(super) const fn ldrs_group<const N: usize>(opcodes: &'static [Opcode]) -> Field {
    load_group::<LDRS, N>(opcodes)
}
/// Coprocessor and floating-point loads and stores.
pub(super) const fn ldc_group<const N: usize>(opcodes: &'static [Opcode]) -> Field {
    load_group::<LDC, N>(opcodes)
}

fn encode_load<const SHAPE: u8, const N: usize>(word: u64, value: i64) -> Option<u64> {
    let magnitude = u32::try_from(value.unsigned_abs()).ok()?;
    let rest = u64::from(if N == 0 { magnitude } else { group(magnitude, N - 1).2 });
    let up = if value < 0 { 0 } else { UP };
    let fits = gather::<SHAPE>(spread::<SHAPE>(rest)) == rest;
    fits.then_some(word & !(UP | spread::<SHAPE>(u64::MAX)) | up | spread::<SHAPE>(rest))
}

/// A branch of A32. BL that does not depend on a condition can become BLX, and BLX can become BL.
pub(super) fn a32_branch(word: u64, value: i64, thumb: Option<bool>, blx: bool) -> Option<BranchForm> {
    let is_blx = word >> 28 == 0xf;
    let is_call = is_blx || word >> 24 == 0xeb;
    match thumb.unwrap_or(is_blx) {
        true if !is_call || (!blx && !is_blx) => None,
        true => Some(BranchForm {
            word: word & 0x00ff_ffff | 0xfa00_0000 | (value as u64 >> 1 & 1) << 24,
            value: value & !3,
        }),
        false if is_blx => Some(BranchForm { word: word & 0x00ff_ffff | 0xeb00_0000, value }),
        false => Some(BranchForm { word, value }),
    }
}

/// A branch of T32. BL can become BLX, whose offset counts from pc rounded down to a multiple of 4, and the reverse.
pub(super) fn t32_branch(row: &Row, word: u64, value: i64, thumb: Option<bool>, blx: bool) -> Option<BranchForm> {
    const NOT_BLX: u64 = 1 << 12;
    // BF has the same bits there, but is as short as it is.
    let is_call = row.class == Class::Branch && row.field.unit == Unit::InstructionPair && word & 0xc000 == 0xc000;
    let is_blx = is_call && word & NOT_BLX == 0;
    match thumb.unwrap_or(!is_blx) {
        true if is_blx => Some(BranchForm { word: word | NOT_BLX, value: value & !1 }),
        true => Some(BranchForm { word, value: value & !1 }),
        false if is_call && (blx || is_blx) => Some(BranchForm { word: word & !NOT_BLX & !1, value: (value + 2) & !3 }),
        // A branch too short for a stub cannot do better than to go where it is told.
        false if row.class == Class::ShortBranch && thumb.is_none() => Some(BranchForm { word, value }),
        false => None,
    }
}

/// The addend of a word that leads to a descriptor. Stored is how far back the instruction is that adds the word up, bit 0
/// set in Thumb code; what is meant is the distance from what the program counter is, or has been, there.
pub(super) fn descriptor_addend(stored: i64, code: &[u8]) -> Result<i64, &'static str> {
    let expected = "a stored addend that leads back to BL, BLX or ADD";
    let back = usize::try_from(stored & !1).map_err(|_| expected)?;
    let at = code.len().checked_sub(back).and_then(|at| code.get(at..)).ok_or(expected)?;
    let half = |at: &[u8]| at.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
    let bias = if stored & 1 == 1 {
        match (half(at), at.get(2..).and_then(half)) {
            (Some(first), Some(second)) if first & 0xf800 == 0xf000 && second & 0xc000 == 0xc000 => 6,
            (Some(add), _) if add & 0xff00 == 0x4400 => 5,
            _ => return Err(expected),
        }
    } else {
        match at.get(3) {
            Some(0xeb | 0xfa) => 4,
            Some(0xe0) => 8,
            _ => return Err(expected),
        }
    };
    Ok(stored - bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_as_the_abi_takes_them_apart() {
        assert_eq!(group(0x0001_0204, 0), (10, 0x0001_0000, 0x204));
        assert_eq!(group(0x0001_0204, 1), (2, 0x204, 0));
        assert_eq!(group(0xff, 0), (0, 0xff, 0));
        assert_eq!(group(0, 2), (0, 0, 0));
        assert_eq!(group(0xdead_beef, 3).2, 0);
    }

    #[test]
    fn rotated_immediates_go_both_ways() {
        for value in [0, 1, -1, 0xff, 0x3fc, -0xff00, 0xff00_0000, 0x0010_0000] {
            let word = encode_alu::<0, true>(0xe28f_0000, value).expect("one step is enough");
            assert_eq!(decode_alu(word), value, "{word:#x}");
        }
        assert_eq!(encode_alu::<0, true>(0xe28f_0000, 0x101), None);
        assert_eq!(encode_alu::<0, false>(0xe28f_0000, 0x101), Some(0xe28f_0f40));
    }

    #[test]
    fn wide_thumb_branches_go_both_ways() {
        for value in [0, 2, -4, 0xff_fffe, -0x100_0000, 0x40_0000, -0x40_0002] {
            let word = encode_t32_branch(0xf000_d000, value).expect("25 bits");
            assert_eq!(decode_t32_branch(word), value);
        }
        assert_eq!(decode_t32_branch(0xf7ff_fffe), -4);
    }
}
