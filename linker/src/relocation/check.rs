//! Which values a relocation takes.

use std::fmt;

use super::hex;

/// The check made on X before bits are selected from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// None: the value wraps, or only part of it is wanted.
    None,
    /// -2^(n-1) <= X < 2^(n-1)
    Signed(u8),
    /// 0 <= X < 2^n
    Unsigned(u8),
    /// -2^(n-1) <= X < 2^n
    Either(u8),
    /// |X| < 2^n: sign and magnitude.
    Magnitude(u8),
}

impl Check {
    /// Smallest and largest value that passes.
    pub const fn range(self) -> (i128, i128) {
        match self {
            Check::None => (i64::MIN as i128, i64::MAX as i128),
            Check::Signed(n) => (-(1i128 << (n - 1)), (1i128 << (n - 1)) - 1),
            Check::Unsigned(n) => (0, (1i128 << n) - 1),
            Check::Either(n) => (-(1i128 << (n - 1)), (1i128 << n) - 1),
            Check::Magnitude(n) => (1 - (1i128 << n), (1i128 << n) - 1),
        }
    }

    /// Whether `value` passes.
    #[inline]
    pub fn allows(self, value: i64) -> bool {
        // What is left of the value above so many bits: 0, -1, or something that does not fit.
        let above = |bits: u8| value >> bits.min(63);
        match self {
            Check::None => true,
            Check::Signed(n) => matches!(above(n - 1), 0 | -1),
            Check::Unsigned(n) => above(n) == 0,
            Check::Either(n) => above(n) == 0 || above(n - 1) == -1,
            Check::Magnitude(n) => value.unsigned_abs() >> n.min(63) == 0,
        }
    }
}

/// Which values of its formula a relocation takes. Shown, it is the end of a sentence about a value, and empty where every
/// value is taken: `allowed [-0x8000000, 0x7fffffc], multiple of 4`, `allowed: multiples of 8`, `allowed: none left over`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Smallest and largest value; none where values are not checked.
    pub range: Option<(i128, i128)>,
    /// What the value has to be a multiple of, a power of two.
    pub multiple: u8,
    /// What the encoding wants where values are not checked, in a few words, or nothing.
    pub takes: &'static str,
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.range, self.multiple) {
            (Some((low, high)), _) => write!(f, "allowed [{}, {}]", hex(low), hex(high))?,
            (None, 0 | 1) if self.takes.is_empty() => return Ok(()),
            (None, 0 | 1) => return write!(f, "allowed: {}", self.takes),
            (None, multiple) => write!(f, "allowed: multiples of {multiple}")?,
        }
        if self.range.is_some() && self.multiple > 1 {
            write!(f, ", multiple of {}", self.multiple)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fast check says what the range says.
    #[test]
    fn checks_at_their_limits() {
        for n in [1, 8, 26, 32, 63, 64] {
            for check in [Check::Signed(n), Check::Unsigned(n), Check::Either(n), Check::Magnitude(n.min(63))] {
                let (low, high) = check.range();
                for near in [low - 1, low, low + 1, -1, 0, 1, high - 1, high, high + 1] {
                    if let Ok(value) = i64::try_from(near) {
                        assert_eq!(check.allows(value), (low..=high).contains(&near), "{check:?} of {value}");
                    }
                }
            }
        }
        assert!(Check::Signed(8).allows(-128) && !Check::Signed(8).allows(128));
    }
}
