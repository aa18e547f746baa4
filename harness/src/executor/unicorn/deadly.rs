//! Instructions on which Unicorn 2.1.5 aborts while it translates them, instead of saying that they are undefined.
//!
//! All are holes in two groups of half-precision SIMD instructions, which its translator (qemu/target/arm/translate-a64.c) decodes
//! by a number of seven bits, and asserts that it knows the number. `tests/executor/deaths.rs` looks for others.

/// A group of encodings.
struct Group {
    /// The bits that make a word one of it, and their values.
    mask: u32,
    value: u32,
    /// Where the number begins, and how many bits it has there; U and `a` (bits 29 and 23) are above them.
    opcode: (u32, u32),
    /// The numbers that there are.
    known: &'static [u8],
}

/// Groups by the Arm ARM, C4.1.
const GROUPS: [Group; 3] = [
    // Advanced SIMD three same (FP16).
    Group {
        mask: 0x9f60_c400,
        value: 0x0e40_0400,
        opcode: (11, 3),
        known: &[
            0x00, 0x01, 0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0e, 0x0f, 0x10, 0x12, 0x13, 0x14, 0x15, 0x16,
            0x17, 0x18, 0x1a, 0x1c, 0x1d, 0x1e,
        ],
    },
    // Advanced SIMD two-register miscellaneous (FP16).
    Group {
        mask: 0x9f7e_0c00,
        value: 0x0e78_0800,
        opcode: (12, 5),
        known: &[
            0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x2c, 0x2d, 0x2e, 0x2f, 0x38, 0x39, 0x3a, 0x3b, 0x3d, 0x58, 0x59, 0x5a,
            0x5b, 0x5c, 0x5d, 0x6c, 0x6d, 0x6f, 0x79, 0x7a, 0x7b, 0x7d, 0x7f,
        ],
    },
    // Advanced SIMD scalar two-register miscellaneous (FP16). Some that only vectors have are refused as they should be.
    Group {
        mask: 0xdf7e_0c00,
        value: 0x5e78_0800,
        opcode: (12, 5),
        known: &[
            0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x2c, 0x2d, 0x2e, 0x38, 0x39, 0x3a, 0x3b, 0x3d, 0x3f, 0x58, 0x59, 0x5a,
            0x5b, 0x5c, 0x5d, 0x6c, 0x6d, 0x6f, 0x79, 0x7a, 0x7b, 0x7d,
        ],
    },
];

impl Group {
    fn has_hole(&self, word: u32) -> bool {
        let (at, bits) = self.opcode;
        let number = word >> at & ((1 << bits) - 1) | (word >> 23 & 1) << bits | (word >> 29 & 1) << (bits + 1);
        word & self.mask == self.value && !self.known.iter().any(|&known| u32::from(known) == number)
    }
}

/// Whether the emulator of A64 code ends when it translates this word. All of them are undefined on processors without
/// FEAT_FAMINMAX and FEAT_FP8, of which there were none when it was made.
pub fn is_deadly(word: u32) -> bool {
    // Most words are not even near.
    word & 0x8e40_0400 == 0x0e40_0400 && GROUPS[0].has_hole(word)
        || word & 0x8e40_0800 == 0x0e40_0800 && (GROUPS[1].has_hole(word) || GROUPS[2].has_hole(word))
}
