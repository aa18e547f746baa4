//! Fields: which bits of which datum or instruction hold a value, and the inverse.
//!
//! A field is data: the unit it lies in, a list of bit runs, and the instructions that may carry it. Encodings that
//! are more than a scatter of bits (a sign that changes the opcode, rotated immediates) bring a pair of functions.

/// How the bytes of a unit form a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// No bytes at all.
    Nothing,
    /// One byte.
    Data8,
    /// Two bytes, in the byte order of data.
    Data16,
    /// Four bytes, in the byte order of data.
    Data32,
    /// Eight bytes, in the byte order of data.
    Data64,
    /// A 32-bit instruction, always little-endian here.
    Instruction32,
    /// A 16-bit instruction.
    Instruction16,
    /// Two 16-bit units, the first of which is the more significant: a 32-bit Thumb instruction.
    InstructionPair,
}

impl Unit {
    /// Bytes.
    pub const fn size(self) -> usize {
        match self {
            Unit::Nothing => 0,
            Unit::Data8 => 1,
            Unit::Data16 | Unit::Instruction16 => 2,
            Unit::Data32 | Unit::Instruction32 | Unit::InstructionPair => 4,
            Unit::Data64 => 8,
        }
    }

    /// Whether it is an instruction.
    pub const fn is_instruction(self) -> bool {
        matches!(self, Unit::Instruction32 | Unit::Instruction16 | Unit::InstructionPair)
    }

    /// The word at the start of `bytes`; data in the byte order asked for, instructions little-endian, as they are in
    /// memory in either. None when they are too short.
    #[inline]
    pub fn read(self, bytes: &[u8], big_endian: bool) -> Option<u64> {
        let word = match self {
            Unit::Nothing => 0,
            Unit::Data8 => u64::from(*bytes.first()?),
            Unit::Data16 | Unit::Instruction16 => u64::from(u16::from_le_bytes(*bytes.first_chunk()?)),
            Unit::Data32 | Unit::Instruction32 => u64::from(u32::from_le_bytes(*bytes.first_chunk()?)),
            Unit::Data64 => u64::from_le_bytes(*bytes.first_chunk()?),
            Unit::InstructionPair => u64::from(u32::from_le_bytes(*bytes.first_chunk()?).rotate_left(16)),
        };
        Some(if big_endian { self.swapped(word) } else { word })
    }

    /// Writes `word` at the start of `bytes`, in the order of [`Unit::read`]. None when they are too short.
    #[inline]
    pub fn write(self, bytes: &mut [u8], word: u64, big_endian: bool) -> Option<()> {
        let word = if big_endian { self.swapped(word) } else { word };
        match self {
            Unit::Nothing => {}
            Unit::Data8 => *bytes.first_mut()? = word as u8,
            Unit::Data16 | Unit::Instruction16 => *bytes.first_chunk_mut()? = (word as u16).to_le_bytes(),
            Unit::Data32 | Unit::Instruction32 => *bytes.first_chunk_mut()? = (word as u32).to_le_bytes(),
            Unit::Data64 => *bytes.first_chunk_mut()? = word.to_le_bytes(),
            Unit::InstructionPair => *bytes.first_chunk_mut()? = (word as u32).rotate_left(16).to_le_bytes(),
        }
        Some(())
    }

    /// A datum with its bytes in the other order.
    const fn swapped(self, word: u64) -> u64 {
        match self {
            Unit::Data16 => (word as u16).swap_bytes() as u64,
            Unit::Data32 => (word as u32).swap_bytes() as u64,
            Unit::Data64 => word.swap_bytes(),
            _ => word,
        }
    }
}

/// A run of bits: bits `value .. value + width` of the value stand at bits `word .. word + width` of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Lowest bit in the value.
    pub value: u8,
    /// Lowest bit in the word.
    pub word: u8,
    /// Number of bits.
    pub width: u8,
}

/// A run of bits, in the order (value bit, word bit, width).
pub const fn run(value: u8, word: u8, width: u8) -> Run {
    Run { value, word, width }
}

const fn ones(width: u8) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// An instruction that may carry a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opcode {
    /// Mnemonic.
    pub name: &'static str,
    /// Bits that identify it.
    pub mask: u32,
    /// Their value.
    pub bits: u32,
}

/// An instruction that may carry a field, in the order (name, mask, bits).
pub const fn opcode(name: &'static str, mask: u32, bits: u32) -> Opcode {
    Opcode { name, mask, bits }
}

/// How a value becomes bits of the word.
#[derive(Clone, Copy, Debug)]
pub enum Codec {
    /// Bit runs.
    Runs(&'static [Run]),
    /// More than that.
    Custom {
        /// The word with the value in it. None if the value cannot be expressed.
        encode: fn(word: u64, value: i64) -> Option<u64>,
        /// The value in the word.
        decode: fn(word: u64) -> i64,
        /// The bits of the word that `encode` may change.
        mask: u64,
    },
}

/// How an addend that the object stores in the field is read (REL).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Signed, from the field's top bit, in the scale of the field.
    Signed,
    /// Unsigned, in the scale of the field.
    Unsigned,
    /// Unsigned in so many bits, but the last 4 values stand for -4 .. -1: `((imm + 4) & mask) - 4`.
    Biased(u32),
    /// The runs as a signed number of their own, whichever half of the value they hold.
    Half,
    /// The runs as an unsigned number of their own, whichever part of the value they hold.
    Part,
}

/// Where a relocation writes.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The unit it lies in.
    pub unit: Unit,
    /// Which bits.
    pub codec: Codec,
    /// The instructions that may carry it; empty for data.
    pub opcodes: &'static [Opcode],
    /// How a stored addend is read.
    pub stored: Stored,
    /// Bits that belong to the field and that no value reaches: always written as zero.
    pub zero: u32,
    /// Where a custom encoding refuses values that pass the checks: which ones it takes, in a few words. Otherwise empty.
    pub takes: &'static str,
}

impl Field {
    /// A field of plain data that fills its unit.
    pub const fn data(unit: Unit, runs: &'static [Run]) -> Field {
        Field { unit, codec: Codec::Runs(runs), opcodes: &[], stored: Stored::Signed, zero: 0, takes: "" }
    }

    /// A field of an instruction.
    pub const fn instruction(unit: Unit, runs: &'static [Run], opcodes: &'static [Opcode]) -> Field {
        Field { unit, codec: Codec::Runs(runs), opcodes, stored: Stored::Signed, zero: 0, takes: "" }
    }

    /// The same field, whose encoding takes some values only: which ones, for messages.
    pub const fn takes(self, takes: &'static str) -> Field {
        Field { takes, ..self }
    }

    /// The same field with another rule for stored addends.
    pub const fn stored(self, stored: Stored) -> Field {
        Field { stored, ..self }
    }

    /// The same field with bits that are always zero.
    pub const fn zero(self, zero: u32) -> Field {
        Field { zero, ..self }
    }

    /// Whether the word is one that may carry the field.
    #[inline]
    pub fn carries(&self, word: u64) -> bool {
        self.opcodes.is_empty() || self.opcodes.iter().any(|opcode| word as u32 & opcode.mask == opcode.bits)
    }

    /// The word with `value` in the field; every other bit stays. Bits of the value that the field does not hold are
    /// dropped: range and alignment are checked before. None where a custom encoding cannot express the value.
    #[inline]
    pub fn encode(&self, word: u64, value: i64) -> Option<u64> {
        match self.codec {
            Codec::Runs(runs) => Some(runs.iter().fold(word & !u64::from(self.zero), |word, run| {
                let mask = ones(run.width) << run.word;
                word & !mask | ((value as u64 >> run.value) << run.word) & mask
            })),
            Codec::Custom { encode, .. } => encode(word, value),
        }
    }

    /// The value in the field, by its rule for stored addends.
    pub fn decode(&self, word: u64) -> i64 {
        let Codec::Runs(runs) = self.codec else {
            let Codec::Custom { decode, .. } = self.codec else { return 0 };
            return decode(word);
        };
        let value = runs.iter().fold(0, |value, run| value | ((word >> run.word) & ones(run.width)) << run.value);
        let low = runs.iter().map(|run| run.value).min().unwrap_or(0);
        let top = runs.iter().map(|run| run.value + run.width).max().unwrap_or(0);
        match self.stored {
            Stored::Signed => sign_extend(value, top),
            Stored::Unsigned => value as i64,
            Stored::Biased(mask) => ((value as i64 + 4) & i64::from(mask)) - 4,
            Stored::Part => (value >> low) as i64,
            Stored::Half => sign_extend(value >> low, top - low),
        }
    }

    /// The bits of the word that belong to the field.
    pub fn mask(&self) -> u64 {
        match self.codec {
            Codec::Runs(runs) => runs.iter().fold(self.zero.into(), |mask, run| mask | ones(run.width) << run.word),
            Codec::Custom { mask, .. } => mask,
        }
    }
}

/// `value`, whose sign is bit `bits - 1`, as a signed number.
#[inline]
pub fn sign_extend(value: u64, bits: u8) -> i64 {
    if bits == 0 || bits >= 64 {
        return value as i64;
    }
    let unused = 64 - bits;
    ((value << unused) as i64) >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_both_ways_and_touch_nothing_else() {
        static FIELD: Field = Field::instruction(Unit::Instruction32, &[run(0, 29, 2), run(2, 5, 19)], &[]);
        let field = FIELD;
        for value in [0, 1, -1, 0x12345, -0x10_0000, 0xf_ffff] {
            for word in [0, u64::from(u32::MAX), 0x9000_0000] {
                let encoded = field.encode(word, value).expect("runs express every value");
                assert_eq!(field.decode(encoded), value);
                assert_eq!((encoded ^ word) & !field.mask(), 0);
            }
        }
    }

    #[test]
    fn units_read_what_they_write() {
        for unit in [Unit::Data8, Unit::Data16, Unit::Data32, Unit::Data64, Unit::Instruction32, Unit::InstructionPair]
        {
            let mut bytes = [0xee; 9];
            let word = 0x8182_8384_8586_8788 & ones(unit.size() as u8 * 8);
            for big_endian in [false, true] {
                unit.write(&mut bytes, word, big_endian).expect("long enough");
                assert_eq!(unit.read(&bytes, big_endian), Some(word));
                assert_eq!(bytes[unit.size()], 0xee);
                assert_eq!(unit.read(&bytes[..unit.size() - 1], big_endian), None);
            }
        }
        assert_eq!(Unit::InstructionPair.read(&[0xff, 0xf7, 0xfe, 0xff], true), Some(0xf7ff_fffe));
        assert_eq!(Unit::Data16.read(&[0x12, 0x34], true), Some(0x1234));
    }

    #[test]
    fn sign_extension() {
        assert_eq!(sign_extend(0x80, 8), -128);
        assert_eq!(sign_extend(0x7f, 8), 127);
        assert_eq!(sign_extend(u64::MAX, 64), -1);
    }
}
