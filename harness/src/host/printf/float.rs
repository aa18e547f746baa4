//! Floating-point numbers as C prints them: `%f`, `%e`, `%g` and `%a`.

use super::decimal::Decimal;
use super::text::Text;

/// A number in one of the two formats there are: IEEE 754 binary64 and binary128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Float {
    pub(super) negative: bool,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Nan,
    Infinite,
    /// `mantissa` times 2 to the power of `exponent`; so many bits of it are behind the point of a normal number.
    Finite {
        mantissa: u128,
        exponent: i32,
        fraction: u32,
    },
}

/// How a number is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Fixed,
    Scientific,
    General,
    Hexadecimal,
}

impl Float {
    /// From the bits of a `double`.
    pub(super) fn double(bits: u64) -> Float {
        Float::from_bits(bits.into(), 11, 52)
    }

    /// From the bits of a `long double` of AArch64.
    pub(super) fn quad(bits: u128) -> Float {
        Float::from_bits(bits, 15, 112)
    }

    fn from_bits(bits: u128, exponent_bits: u32, fraction: u32) -> Float {
        let mantissa = bits & ((1 << fraction) - 1);
        let most = (1u32 << exponent_bits) - 1;
        let biased = (bits >> fraction) as u32 & most;
        let bias = (most >> 1) as i32;
        // The exponent of a subnormal number is that of the smallest normal one.
        let exponent = biased.max(1) as i32 - bias - fraction as i32;
        let value = match biased {
            _ if biased == most && mantissa == 0 => Value::Infinite,
            _ if biased == most => Value::Nan,
            0 => Value::Finite { mantissa, exponent, fraction },
            _ => Value::Finite { mantissa: mantissa | 1 << fraction, exponent, fraction },
        };
        Float { negative: bits >> (fraction + exponent_bits) & 1 == 1, value }
    }

    /// Whether zeros may fill its field.
    pub(super) fn is_finite(&self) -> bool {
        matches!(self.value, Value::Finite { .. })
    }

    /// The number without its sign, in lower case.
    pub(super) fn text(&self, style: Style, precision: Option<u64>, alternate: bool) -> Text {
        let (mantissa, exponent, fraction) = match self.value {
            Value::Nan => return Text { body: b"nan".to_vec(), ..Text::default() },
            Value::Infinite => return Text { body: b"inf".to_vec(), ..Text::default() },
            Value::Finite { mantissa, exponent, fraction } => (mantissa, exponent, fraction),
        };
        if style == Style::Hexadecimal {
            return hexadecimal(mantissa, exponent, fraction, precision, alternate);
        }
        let exact = Decimal::exact(mantissa, exponent);
        let places = precision.unwrap_or(6) as i64;
        match style {
            Style::Fixed => {
                let keep = exact.point + places;
                fixed(&exact.round(keep), places, alternate)
            }
            Style::General => general(exact, places.max(1), alternate),
            _ => scientific(&exact.round(places + 1), places, alternate),
        }
    }
}

/// Digits with so many behind the point.
fn fixed(number: &Decimal, places: i64, alternate: bool) -> Text {
    let mut body = number.run(number.power().max(0), 0);
    // What is below the last digit is zero.
    let shown = places.min(-number.lowest()).max(0);
    point(&mut body, places, alternate);
    body.extend(number.run(-1, -shown));
    Text { body, trailing: (places - shown) as u64, ..Text::default() }
}

/// One digit, so many behind the point, and the power of ten.
fn scientific(number: &Decimal, places: i64, alternate: bool) -> Text {
    let power = number.power();
    let mut body = number.run(power, power);
    let shown = places.min(power - number.lowest()).max(0);
    point(&mut body, places, alternate);
    body.extend(number.run(power - 1, power - shown));
    let sign = if power < 0 { '-' } else { '+' };
    let tail = format!("e{sign}{:02}", power.unsigned_abs()).into_bytes();
    Text { body, trailing: (places - shown) as u64, tail, ..Text::default() }
}

/// With so many significant digits: fixed if the power of ten is smaller than that, and not below -4.
fn general(exact: Decimal, significant: i64, alternate: bool) -> Text {
    let mut number = exact.round(significant);
    let power = number.power();
    let is_fixed = (-4..significant).contains(&power);
    let mut places = if is_fixed { significant - 1 - power } else { significant - 1 };
    if !alternate {
        while number.digits.last() == Some(&b'0') {
            number.digits.pop();
        }
        let last = if number.digits.is_empty() { power } else { number.lowest() };
        places = places.min(if is_fixed { -last } else { power - last }).max(0);
    }
    if is_fixed { fixed(&number, places, alternate) } else { scientific(&number, places, alternate) }
}

/// The point, where digits follow it or `#` keeps it.
fn point(body: &mut Vec<u8>, places: i64, alternate: bool) {
    if places > 0 || alternate {
        body.push(b'.');
    }
}

/// The bits as they are: the first digit is 1, or 0 for a subnormal number.
fn hexadecimal(mantissa: u128, exponent: i32, fraction: u32, precision: Option<u64>, alternate: bool) -> Text {
    // Both formats have a whole number of hexadecimal digits behind the point.
    let digits = u64::from(fraction / 4);
    let zero = mantissa == 0;
    let (mut mantissa, mut shown) = (mantissa, digits);
    match precision {
        None => {
            while shown > 0 && mantissa & 0xf == 0 {
                mantissa >>= 4;
                shown -= 1;
            }
        }
        Some(precision) if precision < digits => {
            let cut = 4 * (digits - precision) as u32;
            let (kept, rest, half) = (mantissa >> cut, mantissa & ((1 << cut) - 1), 1 << (cut - 1));
            mantissa = kept + u128::from(rest > half || rest == half && kept & 1 == 1);
            shown = precision;
        }
        Some(_) => {}
    }
    let mut body = format!("{:x}", mantissa >> (4 * shown)).into_bytes();
    let trailing = precision.unwrap_or(shown) - shown;
    point(&mut body, (shown + trailing) as i64, alternate);
    body.extend((0..shown).rev().map(|at| b"0123456789abcdef"[(mantissa >> (4 * at)) as usize & 0xf]));
    // Zero is written with an exponent of 0.
    let power = if zero { 0 } else { exponent + fraction as i32 };
    let tail = format!("p{}{}", if power < 0 { '-' } else { '+' }, power.unsigned_abs()).into_bytes();
    Text { body, trailing, tail, ..Text::default() }
}
