//! `printf`'s format language.

use super::frame::Frame;
use crate::machine::Inaccessible;

/// Flags, width, precision and length of one conversion.
#[derive(Clone, Copy, Debug, Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    length: Length,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Length {
    Char,
    Short,
    #[default]
    Int,
    /// `long`, `size_t`, `ptrdiff_t`: a register wide.
    Word,
    LongLong,
}

/// No width or precision is taken beyond this; a bad one must not fill the host's memory.
const LIMIT: usize = 1 << 16;

/// Formats with the arguments that follow in the frame. A conversion that is not known is printed as it stands.
pub(super) fn format(f: &mut Frame<'_>, format: u64) -> Result<Vec<u8>, Inaccessible> {
    let format = f.string(format, u64::MAX)?;
    let mut out = Vec::new();
    let mut rest = format.as_slice();
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        out.extend_from_slice(&rest[..at]);
        let whole = &rest[at..];
        let (spec, after) = parse(f, &whole[1..])?;
        let Some((&conversion, after)) = after.split_first() else {
            out.extend_from_slice(whole);
            return Ok(out);
        };
        rest = after;
        if !convert(f, &mut out, spec, conversion)? {
            out.extend_from_slice(&whole[..whole.len() - rest.len()]);
        }
    }
    out.extend_from_slice(rest);
    Ok(out)
}

fn parse<'a>(f: &mut Frame<'_>, mut text: &'a [u8]) -> Result<(Spec, &'a [u8]), Inaccessible> {
    let mut spec = Spec::default();
    while let Some((&flag, rest)) = text.split_first() {
        match flag {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.alternate = true,
            b'0' => spec.zero = true,
            _ => break,
        }
        text = rest;
    }
    if let Some(rest) = text.strip_prefix(b"*") {
        let width = f.int()?;
        spec.left |= width < 0;
        spec.width = (width.unsigned_abs() as usize).min(LIMIT);
        text = rest;
    } else {
        (spec.width, text) = number(text);
    }
    if let Some(rest) = text.strip_prefix(b".") {
        if let Some(rest) = rest.strip_prefix(b"*") {
            spec.precision = usize::try_from(f.int()?).ok().map(|precision| precision.min(LIMIT));
            text = rest;
        } else {
            let (precision, rest) = number(rest);
            spec.precision = Some(precision);
            text = rest;
        }
    }
    let lengths: [(&[u8], Length); 9] = [
        (b"hh", Length::Char),
        (b"h", Length::Short),
        (b"ll", Length::LongLong),
        (b"l", Length::Word),
        (b"j", Length::LongLong),
        (b"q", Length::LongLong),
        (b"z", Length::Word),
        (b"t", Length::Word),
        (b"L", Length::LongLong),
    ];
    if let Some((length, rest)) =
        lengths.into_iter().find_map(|(prefix, length)| Some((length, text.strip_prefix(prefix)?)))
    {
        spec.length = length;
        text = rest;
    }
    Ok((spec, text))
}

fn number(text: &[u8]) -> (usize, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits]
        .iter()
        .fold(0usize, |value, digit| value.saturating_mul(10).saturating_add(usize::from(digit - b'0')).min(LIMIT));
    (value, &text[digits..])
}

/// The next integer argument, by its length; sign-extended when it is signed.
fn integer(f: &mut Frame<'_>, length: Length, signed: bool) -> Result<u64, Inaccessible> {
    let raw = match length {
        Length::LongLong => f.long()?,
        _ => f.word()?,
    };
    let bits = match length {
        Length::Char => 8,
        Length::Short => 16,
        Length::Int => 32,
        Length::Word if f.guest().info().target.pointer_bits == 32 => 32,
        _ => 64,
    };
    let cut = raw << (64 - bits);
    Ok(if signed { ((cut as i64) >> (64 - bits)) as u64 } else { cut >> (64 - bits) })
}

/// Whether the conversion is known.
fn convert(f: &mut Frame<'_>, out: &mut Vec<u8>, spec: Spec, conversion: u8) -> Result<bool, Inaccessible> {
    match conversion {
        b'%' => out.push(b'%'),
        b'c' => {
            let byte = f.int()? as u8;
            pad(out, spec, b"", &[byte], false);
        }
        b's' => {
            let address = f.word()?;
            let limit = spec.precision.map_or(u64::MAX, |precision| precision as u64);
            let text = if address == 0 { b"(null)".to_vec() } else { f.string(address, limit)? };
            pad(out, spec, b"", &text, false);
        }
        b'd' | b'i' => {
            let value = integer(f, spec.length, true)? as i64;
            let digits = digits(spec, value.unsigned_abs().to_string());
            pad(out, spec, sign(spec, value < 0), digits.as_bytes(), spec.precision.is_none());
        }
        b'u' | b'x' | b'X' | b'o' => {
            let value = integer(f, spec.length, false)?;
            let (text, prefix) = match conversion {
                b'u' => (value.to_string(), ""),
                b'x' => (format!("{value:x}"), "0x"),
                b'X' => (format!("{value:X}"), "0X"),
                _ => (format!("{value:o}"), ""),
            };
            let mut text = digits(spec, text);
            if conversion == b'o' && spec.alternate && !text.starts_with('0') {
                text.insert(0, '0');
            }
            let prefix = if spec.alternate && value != 0 { prefix } else { "" };
            pad(out, spec, prefix.as_bytes(), text.as_bytes(), spec.precision.is_none());
        }
        b'p' => {
            let value = f.word()?;
            let text = if value == 0 { "(nil)".to_owned() } else { format!("{value:#x}") };
            pad(out, spec, b"", text.as_bytes(), false);
        }
        b'f' | b'F' | b'e' | b'E' | b'g' | b'G' => {
            let value = f.double()?;
            let mut text = float(value.abs(), spec, conversion.to_ascii_lowercase());
            if conversion.is_ascii_uppercase() {
                text.make_ascii_uppercase();
            }
            pad(out, spec, sign(spec, value.is_sign_negative()), text.as_bytes(), value.is_finite());
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn sign(spec: Spec, negative: bool) -> &'static [u8] {
    match (negative, spec.plus, spec.space) {
        (true, ..) => b"-",
        (false, true, _) => b"+",
        (false, false, true) => b" ",
        _ => b"",
    }
}

/// An integer's digits, at least as many as the precision says. 0 with precision 0 has none.
fn digits(spec: Spec, text: String) -> String {
    match spec.precision {
        Some(0) if text == "0" => String::new(),
        Some(precision) => format!("{text:0>precision$}"),
        None => text,
    }
}

fn pad(out: &mut Vec<u8>, spec: Spec, prefix: &[u8], text: &[u8], zeros: bool) {
    let fill = spec.width.saturating_sub(prefix.len() + text.len());
    let zeros = zeros && spec.zero && !spec.left;
    if !spec.left && !zeros {
        out.resize(out.len() + fill, b' ');
    }
    out.extend_from_slice(prefix);
    if zeros {
        out.resize(out.len() + fill, b'0');
    }
    out.extend_from_slice(text);
    if spec.left {
        out.resize(out.len() + fill, b' ');
    }
}

/// A number that is not negative.
fn float(value: f64, spec: Spec, conversion: u8) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return "inf".to_owned();
    }
    let precision = spec.precision.unwrap_or(6);
    match conversion {
        b'f' => point(format!("{value:.precision$}"), spec),
        b'e' => exponent(value, precision, spec).0,
        _ => {
            // C: with P significant digits and the exponent X that %e would print, %f if P > X >= -4.
            let significant = precision.max(1);
            let (text, x) = exponent(value, significant - 1, spec);
            let fixed = (-4..significant as i32).contains(&x);
            let places = (significant as i32 - 1 - x).max(0) as usize;
            let text = if fixed { point(format!("{value:.places$}"), spec) } else { text };
            if spec.alternate {
                return text;
            }
            let (mantissa, tail) = text.split_at(text.find('e').unwrap_or(text.len()));
            if !mantissa.contains('.') {
                return text;
            }
            format!("{}{tail}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

/// `#` keeps the point where no digits follow it.
fn point(mut text: String, spec: Spec) -> String {
    if spec.alternate && !text.contains('.') {
        text.push('.');
    }
    text
}

/// C's exponent has a sign and at least two digits; Rust's has neither.
fn exponent(value: f64, precision: usize, spec: Spec) -> (String, i32) {
    let text = format!("{value:.precision$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    (format!("{}e{sign}{:02}", point(mantissa.to_owned(), spec), power.unsigned_abs()), power)
}
