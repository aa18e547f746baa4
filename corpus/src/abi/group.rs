//! Group relocations of A32: an offset is split into constants that ADD and SUB can hold, and a rest.

/// The part of a magnitude that ALU instruction number `n` takes, with the shift of its eight bits, and what is left.
pub(super) fn alu(magnitude: u32, n: u32) -> (u32, u32, u32) {
    let (mut part, mut shift, mut left) = (0, 0, magnitude);
    for _ in 0..=n {
        // The highest bit has to be among the eight, which stand at an even place.
        let top = 32 - left.leading_zeros();
        shift = top.saturating_sub(8).next_multiple_of(2);
        part = left & 0xff << shift;
        left &= !part;
    }
    (part, shift, left)
}

/// What is left of a magnitude for a load or store behind `n` ALU instructions.
pub(super) fn rest(magnitude: u32, n: u32) -> u32 {
    n.checked_sub(1).map_or(magnitude, |last| alu(magnitude, last).2)
}

/// The twelve bits of a constant whose eight bits are shifted left by `shift`.
pub(super) fn constant(part: u32, shift: u32) -> u64 {
    u64::from((16 - shift / 2) % 16) << 8 | u64::from(part >> shift)
}

/// The value of a constant of twelve bits.
pub(super) fn value(constant: u64) -> u32 {
    (constant as u32 & 0xff).rotate_right((constant as u32 >> 8 & 0xf) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        assert_eq!(alu(0, 0), (0, 0, 0));
        assert_eq!(alu(0xff, 0), (0xff, 0, 0));
        // Nine bits: the shift is even, so that the top bit is the seventh of its eight.
        assert_eq!(alu(0x1ff, 0), (0x1fc, 2, 3));
        assert_eq!(alu(0x1234_5678, 0), (0x1200_0000, 22, 0x0034_5678));
        assert_eq!(rest(0x1ff, 0), 0x1ff);
        assert_eq!(rest(0x1ff, 1), 3);
        for magnitude in [0u32, 1, 0xabcd, 0x8000_0000, 0xffff_ffff, 0x1234_5678] {
            let (zero, one, two) = (alu(magnitude, 0), alu(magnitude, 1), alu(magnitude, 2));
            assert_eq!(zero.0 | one.0 | two.0 | two.2, magnitude);
            for (part, shift, _) in [zero, one, two] {
                assert_eq!(value(constant(part, shift)), part);
            }
        }
    }
}
