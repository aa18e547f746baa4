//! A binary floating-point number in decimal digits: all that it has, and then as many as are wanted.
//!
//! C asks for the exact value, correctly rounded. A number of 64 or 128 bits is a whole number times a power of two, so its
//! decimal expansion ends, and the digits of one larger whole number are all there is to know of it.

use num_bigint::BigUint;

/// Decimal digits and where the point is: 0.d1d2d3... times 10 to the power of `point`. Without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    /// ASCII digits; those of zero are none.
    pub(super) digits: Vec<u8>,
    /// How many digits are left of the point, or with a minus how many zeros are behind it.
    pub(super) point: i64,
}

impl Decimal {
    /// All digits of `mantissa` times 2 to the power of `exponent`.
    pub(super) fn exact(mantissa: u128, exponent: i32) -> Decimal {
        if mantissa == 0 {
            return Decimal { digits: Vec::new(), point: 0 };
        }
        // Fewer factors of two are fewer digits to compute.
        let zeros = mantissa.trailing_zeros();
        let (mantissa, exponent) = (BigUint::from(mantissa >> zeros), exponent + zeros as i32);
        // m / 2^k is m * 5^k / 10^k.
        let (whole, fraction) = match u32::try_from(exponent) {
            Ok(power) => (mantissa << power, 0),
            Err(_) => (mantissa * BigUint::from(5u32).pow(exponent.unsigned_abs()), i64::from(exponent.unsigned_abs())),
        };
        let digits = whole.to_str_radix(10).into_bytes();
        let point = digits.len() as i64 - fraction;
        Decimal { digits, point }
    }

    /// Rounds to this many digits, to the nearest and from halfway to an even one. A negative number rounds to nothing.
    pub(super) fn round(mut self, keep: i64) -> Decimal {
        let Ok(keep) = usize::try_from(keep) else { return Decimal { digits: Vec::new(), point: 0 } };
        if keep >= self.digits.len() {
            return self;
        }
        let rest = self.digits.split_off(keep);
        let odd = self.digits.last().is_some_and(|digit| digit % 2 == 1);
        let more = rest[1..].iter().any(|&digit| digit != b'0');
        let up = rest[0] > b'5' || rest[0] == b'5' && (more || odd);
        if up {
            while self.digits.last() == Some(&b'9') {
                self.digits.pop();
            }
            match self.digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    self.digits.push(b'1');
                    self.point += 1;
                }
            }
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    /// The power of ten of the first digit: that of scientific notation. Zero's is 0.
    pub(super) fn power(&self) -> i64 {
        if self.digits.is_empty() { 0 } else { self.point - 1 }
    }

    /// The digit that stands for 10 to the power of `power`.
    fn digit(&self, power: i64) -> u8 {
        let index = usize::try_from(self.point - 1 - power).ok();
        index.and_then(|index| self.digits.get(index)).copied().unwrap_or(b'0')
    }

    /// The digits that stand for the powers of ten from `high` down to `low`, where `low` is not below the last digit there is.
    pub(super) fn run(&self, high: i64, low: i64) -> Vec<u8> {
        (low..=high).rev().map(|power| self.digit(power)).collect()
    }

    /// The power of ten of the last digit there is.
    pub(super) fn lowest(&self) -> i64 {
        self.point - self.digits.len() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(decimal: &Decimal) -> String {
        format!("0.{}e{}", String::from_utf8_lossy(&decimal.digits), decimal.point)
    }

    #[test]
    fn digits_are_exact() {
        assert_eq!(text(&Decimal::exact(3, -1)), "0.15e1");
        assert_eq!(text(&Decimal::exact(1, -10)), "0.9765625e-3");
        assert_eq!(text(&Decimal::exact(5, 64)), "0.92233720368547758080e20");
        assert_eq!(text(&Decimal::exact(0, 5)), "0.e0");
    }

    #[test]
    fn halves_go_to_even_digits() {
        for (mantissa, exponent, keep, expected) in [
            (5, -1, 1, "0.2e1"),
            (7, -1, 1, "0.4e1"),
            (19, -1, 1, "0.1e2"),
            (1, -1, 0, "0.e0"),
            (3, -2, 0, "0.1e1"),
            (999, 0, 2, "0.1e4"),
            (12345, 0, 9, "0.12345e5"),
            (12345, 0, -1, "0.e0"),
        ] {
            let rounded = Decimal::exact(mantissa, exponent).round(keep);
            assert_eq!(text(&rounded), expected, "{mantissa} * 2^{exponent} to {keep} digits");
        }
    }
}
