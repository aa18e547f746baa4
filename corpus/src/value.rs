//! Typed values: what a call passes and what it is expected to give back.
//!
//! The written form is the same in directives, on the command line and in reports, and what [`Display`](fmt::Display)
//! prints [`FromStr`] reads back as the same value.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use linker::Target;

use crate::text::{Cursor, ParseError};

/// A value with a type, as written in directives and on the command line: `5i32`, `-1i64`, `1.5f64`, `"text"`,
/// `[1i32, 2i32]`, `&symbol+4`. The type decides where the procedure call standard puts it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `5i32`
    I32(i32),
    /// `5u32`
    U32(u32),
    /// `5i64`
    I64(i64),
    /// `5u64`
    U64(u64),
    /// `1.5f32`
    F32(f32),
    /// `1.5f64`
    F64(f64),
    /// A pointer to these bytes, which the executor puts into guest memory: `"text"` (a NUL is added) or a list of bytes.
    Buffer(Vec<u8>),
    /// A pointer to these numbers, each with its size in bytes, in the target's byte order: `[1i32, -1i16]`.
    List(Vec<(u64, usize)>),
    /// The address of a symbol plus an offset in bytes, with the Thumb bit of a Thumb function: `&name+4`.
    Address(String, i64),
}

/// A number of at most 64 bits without a sign, decimal or behind `0x`, `0o` or `0b`; `_` may stand between digits.
pub fn unsigned(text: &str) -> Option<u64> {
    crate::text::unsigned(text).map(|(number, _)| number)
}

/// The types a number may carry: name, bytes, signed, float. The ones of less than four bytes are for lists only.
const TYPES: &[(&str, u32, bool, bool)] = &[
    ("i8", 1, true, false),
    ("u8", 1, false, false),
    ("i16", 2, true, false),
    ("u16", 2, false, false),
    ("i32", 4, true, false),
    ("u32", 4, false, false),
    ("i64", 8, true, false),
    ("u64", 8, false, false),
    ("f32", 4, false, true),
    ("f64", 8, false, true),
];

const EXPECTED: &str = "a value: `5i32`, `0x10u64`, `1.5f64`, `\"text\"`, `[1i32, 2i32]` or `&symbol+4`";
const EXPECTED_TYPE: &str = "a number with its type, i32 u32 i64 u64 f32 f64";

impl Value {
    /// A number without a type, as on a command line: a decimal one is the narrowest signed number that holds it, and one behind
    /// `0x`, `0o` or `0b` is bits, 32 of them if that is enough. None if it is no such number.
    pub fn bare(text: &str) -> Option<Value> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (magnitude, bits) = crate::text::unsigned(digits)?;
        let number = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
        if bits && !negative {
            return Some(u32::try_from(magnitude).map_or(Value::U64(magnitude), Value::U32));
        }
        let wide = || i64::try_from(number).map(Value::I64).or_else(|_| u64::try_from(number).map(Value::U64)).ok();
        i32::try_from(number).map(Value::I32).ok().or_else(wide)
    }

    /// Whether both are the same type with the same bits: a NaN is the same as itself, and 0.0 is not -0.0.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
            (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
            _ => self == other,
        }
    }

    /// The bits of a number, zero-extended; nothing for buffers and addresses.
    pub fn bits(&self) -> Option<u64> {
        Some(match *self {
            Value::I32(value) => u64::from(value as u32),
            Value::U32(value) => u64::from(value),
            Value::I64(value) => value as u64,
            Value::U64(value) => value,
            Value::F32(value) => u64::from(value.to_bits()),
            Value::F64(value) => value.to_bits(),
            Value::Buffer(_) | Value::List(_) | Value::Address(..) => return None,
        })
    }

    /// What a pointer to it points to, on a target.
    pub fn pointed(&self, target: &Target) -> Option<Vec<u8>> {
        match self {
            Value::Buffer(bytes) => Some(bytes.clone()),
            Value::List(list) => Some(list.iter().flat_map(|&(bits, size)| target.bytes(bits, size)).collect()),
            _ => None,
        }
    }

    /// Reads one value at the cursor.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Value, ParseError> {
        let start = cursor.offset();
        match cursor.peek() {
            Some('"') => {
                let mut bytes = cursor.quoted()?;
                bytes.push(0);
                Ok(Value::Buffer(bytes))
            }
            Some('&') => {
                cursor.eat('&');
                let (symbol, offset) = read_symbol(cursor)?;
                Ok(Value::Address(symbol, offset))
            }
            Some('[') => read_list(cursor),
            _ => {
                let (bits, name) = read_number(cursor)?;
                match name {
                    "i32" => Ok(Value::I32(bits as i32)),
                    "u32" => Ok(Value::U32(bits as u32)),
                    "i64" => Ok(Value::I64(bits as i64)),
                    "u64" => Ok(Value::U64(bits)),
                    "f32" => Ok(Value::F32(f32::from_bits(bits as u32))),
                    "f64" => Ok(Value::F64(f64::from_bits(bits))),
                    _ => Err(ParseError::new(start, format!("{EXPECTED_TYPE} ({name} is for lists only)"))),
                }
            }
        }
    }
}

/// `symbol`, `symbol+4`, `symbol-0x10`.
pub(crate) fn read_symbol(cursor: &mut Cursor<'_>) -> Result<(String, i64), ParseError> {
    let symbol = cursor.symbol()?.to_owned();
    let negative = match cursor.peek() {
        Some('+') => false,
        Some('-') => true,
        _ => return Ok((symbol, 0)),
    };
    cursor.bump();
    let start = cursor.offset();
    let magnitude = i128::from(cursor.unsigned()?);
    let offset = if negative { -magnitude } else { magnitude };
    let offset = i64::try_from(offset).map_err(|_| ParseError::new(start, "an offset of at most 63 bits"))?;
    Ok((symbol, offset))
}

fn read_list(cursor: &mut Cursor<'_>) -> Result<Value, ParseError> {
    cursor.expect('[')?;
    let mut list = Vec::new();
    cursor.skip_spaces();
    if cursor.eat(']') {
        return Ok(Value::Buffer(Vec::new()));
    }
    loop {
        cursor.skip_spaces();
        let (bits, name) = read_number(cursor)?;
        let size = TYPES.iter().find(|row| row.0 == name).map_or(0, |row| row.1 as usize);
        list.push((bits, size));
        cursor.skip_spaces();
        if cursor.eat(']') {
            let bytes = list.iter().all(|number| number.1 == 1);
            return Ok(match bytes {
                true => Value::Buffer(list.into_iter().map(|number| number.0 as u8).collect()),
                false => Value::List(list),
            });
        }
        if !cursor.eat(',') {
            return Err(ParseError::new(cursor.offset(), "`,` or `]`"));
        }
    }
}

/// A number and its type; the bits are those of the type, zero-extended.
fn read_number<'a>(cursor: &mut Cursor<'a>) -> Result<(u64, &'a str), ParseError> {
    let start = cursor.offset();
    let token = cursor.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'));
    if token.is_empty() {
        return Err(ParseError::new(start, EXPECTED));
    }
    let Some(&(name, bytes, signed, float)) = TYPES.iter().find(|row| token.ends_with(row.0)) else {
        return Err(ParseError::new(start, EXPECTED_TYPE));
    };
    let digits = &token[..token.len() - name.len()];
    let wrong = || ParseError::new(start, format!("a number before `{name}`, not `{digits}`"));
    if float {
        // `0x1f32` would be read as a float by its end, and as a hexadecimal number by its beginning.
        if digits.is_empty() || digits.contains(['x', 'X', '_']) {
            return Err(wrong());
        }
        let bits = match bytes {
            4 => digits.parse::<f32>().map(|value| u64::from(value.to_bits())),
            _ => digits.parse::<f64>().map(f64::to_bits),
        };
        return Ok((bits.map_err(|_| wrong())?, name));
    }
    let (negative, magnitude) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let (magnitude, is_pattern) = crate::text::unsigned(magnitude).ok_or_else(wrong)?;
    let magnitude = i128::from(magnitude);
    let number = if negative { -magnitude } else { magnitude };
    let width = bytes * 8;
    let (low, high) = match (signed, is_pattern) {
        (false, _) => (0, (1i128 << width) - 1),
        (true, false) => (-(1i128 << (width - 1)), (1i128 << (width - 1)) - 1),
        // Behind 0x, 0o or 0b, a number of a signed type may be its bit pattern.
        (true, true) => (-(1i128 << (width - 1)), (1i128 << width) - 1),
    };
    if number < low || number > high {
        return Err(ParseError::new(start, format!("a number that fits {name}: {low} to {high}")));
    }
    let mask = (1i128 << width) - 1;
    Ok(((number & mask) as u64, name))
}

impl FromStr for Value {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Value, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_spaces();
        let value = Value::read(&mut cursor)?;
        cursor.end()?;
        Ok(value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(value) => write!(f, "{value}i32"),
            Value::U32(value) => write!(f, "{value}u32"),
            Value::I64(value) => write!(f, "{value}i64"),
            Value::U64(value) => write!(f, "{value}u64"),
            Value::F32(value) => write!(f, "{value:?}f32"),
            Value::F64(value) => write!(f, "{value:?}f64"),
            Value::Address(symbol, offset) => write!(f, "&{symbol}{}", Offset(*offset)),
            Value::Buffer(bytes) => write_buffer(f, bytes),
            Value::List(list) => write_list(f, list),
        }
    }
}

/// Prints `+4`, `-4`, and nothing for 0.
pub(crate) struct Offset(pub(crate) i64);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            offset => write!(f, "{offset:+}"),
        }
    }
}

/// As text when it is text with its NUL, else as a list of bytes.
fn write_buffer(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    if let Some((0, text)) = bytes.split_last()
        && text.iter().all(|&byte| byte >= 0x20 || matches!(byte, b'\n' | b'\t' | b'\r'))
    {
        return f.write_str(&crate::text::quote(text));
    }
    write_list(f, &bytes.iter().map(|&byte| (byte.into(), 1)).collect::<Vec<_>>())
}

fn write_list(f: &mut fmt::Formatter<'_>, list: &[(u64, usize)]) -> fmt::Result {
    f.write_char('[')?;
    for (index, (bits, size)) in list.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{bits:#0width$x}u{}", 8 * size, width = 2 * size + 2)?;
    }
    f.write_char(']')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_without_a_type() {
        for (text, expected) in [
            ("7", Some(Value::I32(7))),
            ("-1", Some(Value::I32(-1))),
            ("+5", Some(Value::I32(5))),
            ("2147483648", Some(Value::I64(1 << 31))),
            ("18446744073709551615", Some(Value::U64(u64::MAX))),
            ("0x1", Some(Value::U32(1))),
            ("0b1010_0101", Some(Value::U32(0xa5))),
            ("0o17", Some(Value::U32(15))),
            ("0xffffffff", Some(Value::U32(u32::MAX))),
            ("0x1_0000_0000", Some(Value::U64(1 << 32))),
            ("-0x10", Some(Value::I32(-16))),
            ("-9223372036854775808", Some(Value::I64(i64::MIN))),
        ] {
            assert_eq!(Value::bare(text), expected, "{text}");
        }
        for wrong in ["", "-", "0x", "0b2", "0o8", "1.5", "--1", "1u32", "18446744073709551616", "-9223372036854775809"]
        {
            assert_eq!(Value::bare(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn reads_what_people_write() {
        let table: &[(&str, Value)] = &[
            ("5i32", Value::I32(5)),
            ("-2147483648i32", Value::I32(i32::MIN)),
            ("0xffffffffi32", Value::I32(-1)),
            ("-0x10i64", Value::I64(-16)),
            ("0b1010i32", Value::I32(10)),
            ("0o17u64", Value::U64(15)),
            ("0xffff_fffff0u64", Value::U64(0xff_ffff_fff0)),
            ("18446744073709551615u64", Value::U64(u64::MAX)),
            ("0xf3u32", Value::U32(0xf3)),
            ("1.5f32", Value::F32(1.5)),
            ("-0.0f64", Value::F64(-0.0)),
            ("1e-5f64", Value::F64(1e-5)),
            ("-inff32", Value::F32(f32::NEG_INFINITY)),
            ("3f64", Value::F64(3.0)),
            (r#""a\n\x01\0\"\\é""#, Value::Buffer(b"a\n\x01\0\"\\\xc3\xa9\0".to_vec())),
            ("\"\"", Value::Buffer(vec![0])),
            ("[]", Value::Buffer(vec![])),
            ("[1i32, -1i16 ,0xffu8]", Value::List(vec![(1, 4), (0xffff, 2), (0xff, 1)])),
            ("&a.b$c+4", Value::Address("a.b$c".into(), 4)),
            ("&x-0x10", Value::Address("x".into(), -16)),
            (" 1i32 ", Value::I32(1)),
        ];
        for (text, value) in table {
            let read: Value = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(read.same(value), "{text}: {read:?}");
            let again: Value = read.to_string().parse().unwrap_or_else(|error| panic!("{read}: {error}"));
            assert!(again.same(value), "{text} printed as {read}");
        }
    }

    #[test]
    fn refuses_and_says_where() {
        let table: &[(&str, usize)] = &[
            ("", 0),
            ("5", 0),
            ("5i8", 0),
            ("2147483648i32", 0),
            ("-1u32", 0),
            ("0x1f32", 0),
            ("0x10000000000000000u64", 0),
            ("--1i32", 0),
            ("f64", 0),
            ("[1i32 2i32]", 6),
            ("[1i32", 5),
            ("&", 1),
            ("&a+", 3),
            ("&a-9223372036854775809", 3),
            ("\"abc", 0),
            (r#""a\q""#, 2),
            ("5i32 6i32", 5),
        ];
        for &(text, at) in table {
            let error = text.parse::<Value>().expect_err(text);
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i32>().prop_map(Value::I32),
            any::<u32>().prop_map(Value::U32),
            any::<i64>().prop_map(Value::I64),
            any::<u64>().prop_map(Value::U64),
            any::<f32>().prop_map(Value::F32),
            any::<f64>().prop_map(Value::F64),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Buffer),
            "[ -~\\n]{0,12}".prop_map(|text| Value::Buffer([text.as_bytes(), b"\0"].concat())),
            ("[A-Za-z_.][A-Za-z0-9_.$@]{0,8}", any::<i64>()).prop_map(|(name, offset)| Value::Address(name, offset)),
        ]
    }

    proptest! {
        #[test]
        fn round_trip(value in any_value()) {
            let text = value.to_string();
            let read: Value = text.parse().map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            // A NaN keeps being one; its payload is not written.
            let nan = |value: &Value| matches!(value, Value::F32(v) if v.is_nan()) || matches!(value, Value::F64(v) if v.is_nan());
            prop_assert!(read.same(&value) || (nan(&read) && nan(&value)), "{value:?} as {text} is {read:?}");
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = text.parse::<Value>();
        }
    }
}
