//! A conversion specification as it is written: `%`, a position, flags, width, precision, length and the conversion.

use super::super::frame::Frame;
use crate::machine::AccessError;

/// The most that C's `int` counts.
pub(super) const MOST: u64 = i32::MAX as u64;

/// Positions of arguments that are taken (NL_ARGMAX).
const POSITIONS: u64 = 4096;

/// A format, read from the guest as far as it is needed.
#[derive(Clone, Debug)]
pub(super) struct Source {
    address: u64,
    piece: Vec<u8>,
    at: usize,
}

/// How much of a format is read at a time.
const PIECE: u64 = 64;

impl Source {
    pub(super) fn new(address: u64) -> Source {
        Source { address, piece: Vec::new(), at: 0 }
    }

    /// The rest of what was read, which ends before a NUL; empty at the end of the format.
    pub(super) fn rest(&mut self, f: &mut Frame<'_>) -> Result<&[u8], AccessError> {
        if self.at == self.piece.len() {
            // Not across the end of an aligned piece, behind which there may be nothing.
            let length = PIECE - self.address % PIECE;
            self.piece.resize(length as usize, 0);
            self.at = 0;
            f.read(self.address, &mut self.piece)?;
            self.address = self.address.wrapping_add(length);
            if let Some(end) = self.piece.iter().position(|&byte| byte == 0) {
                self.piece.truncate(end + 1);
            }
        }
        let rest = &self.piece[self.at..];
        Ok(&rest[..rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len())])
    }

    /// The next byte; 0 at the end.
    pub(super) fn peek(&mut self, f: &mut Frame<'_>) -> Result<u8, AccessError> {
        Ok(self.rest(f)?.first().copied().unwrap_or(0))
    }

    /// Goes on behind so many bytes of the rest.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Takes the next byte if it is this one.
    fn take(&mut self, f: &mut Frame<'_>, byte: u8) -> Result<bool, AccessError> {
        let is = self.peek(f)? == byte;
        self.at += usize::from(is);
        Ok(is)
    }

    /// A number in decimal digits. None if there are none; one that is too large is larger than [`MOST`].
    fn number(&mut self, f: &mut Frame<'_>) -> Result<Option<u64>, AccessError> {
        let mut number: Option<u64> = None;
        loop {
            let digit = self.peek(f)?;
            if !digit.is_ascii_digit() {
                return Ok(number);
            }
            self.skip(1);
            let value = number.unwrap_or(0).saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            number = Some(value.min(MOST + 1));
        }
    }
}

/// A width or a precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Number(u64),
    /// An argument: the next one, or that at a position.
    Argument(Option<u64>),
}

/// How wide the argument is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    Char,
    Short,
    #[default]
    Int,
    /// `long`, `size_t`, `ptrdiff_t`: as wide as a pointer.
    Long,
    /// `long long`, `intmax_t`; before a floating-point conversion, `long double`.
    LongLong,
}

/// Flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) space: bool,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    /// `'` and `I`, which change nothing in the C locale.
    pub(super) quote: bool,
    pub(super) digits: bool,
}

/// One conversion specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// Which argument, where the format says.
    pub(super) position: Option<u64>,
    pub(super) flags: Flags,
    pub(super) width: Option<Count>,
    pub(super) precision: Option<Count>,
    pub(super) length: Length,
    /// The conversion's letter; 0 where the format ends before it.
    pub(super) letter: u8,
}

/// A number is too large, or a position that there is none of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Reads what is behind a `%`.
pub(super) fn spec(source: &mut Source, f: &mut Frame<'_>) -> Result<Result<Spec, TooLarge>, AccessError> {
    let mut spec =
        Spec { position: None, flags: Flags::default(), width: None, precision: None, length: Length::Int, letter: 0 };
    // Digits are a position only when `$` follows; 0 is a flag.
    if source.peek(f)? != b'0' {
        let behind = source.clone();
        match source.number(f)? {
            Some(position) if source.take(f, b'$')? => {
                if !(1..=POSITIONS).contains(&position) {
                    return Ok(Err(TooLarge));
                }
                spec.position = Some(position);
            }
            _ => *source = behind,
        }
    }
    loop {
        let flags = &mut spec.flags;
        match source.peek(f)? {
            b'-' => flags.left = true,
            b'+' => flags.plus = true,
            b' ' => flags.space = true,
            b'#' => flags.alternate = true,
            b'0' => flags.zero = true,
            b'\'' => flags.quote = true,
            b'I' => flags.digits = true,
            _ => break,
        }
        source.skip(1);
    }
    let counts = |count: Option<Count>| match count {
        Some(Count::Number(number)) => number <= MOST,
        Some(Count::Argument(Some(position))) => (1..=POSITIONS).contains(&position),
        _ => true,
    };
    spec.width = count(source, f)?;
    if source.take(f, b'.')? {
        spec.precision = Some(count(source, f)?.unwrap_or(Count::Number(0)));
    }
    if !counts(spec.width) || !counts(spec.precision) {
        return Ok(Err(TooLarge));
    }
    spec.length = match source.peek(f)? {
        b'h' => Length::Short,
        b'l' => Length::Long,
        b'z' | b'Z' | b't' => Length::Long,
        b'j' | b'q' | b'L' => Length::LongLong,
        _ => Length::Int,
    };
    if spec.length != Length::Int {
        let letter = source.peek(f)?;
        source.skip(1);
        if letter == b'h' && source.take(f, b'h')? {
            spec.length = Length::Char;
        }
        if letter == b'l' && source.take(f, b'l')? {
            spec.length = Length::LongLong;
        }
    }
    spec.letter = source.peek(f)?;
    if spec.letter != 0 {
        source.skip(1);
    }
    Ok(Ok(spec))
}

/// `*`, `*n$` or a number.
fn count(source: &mut Source, f: &mut Frame<'_>) -> Result<Option<Count>, AccessError> {
    if !source.take(f, b'*')? {
        return Ok(source.number(f)?.map(Count::Number));
    }
    let behind = source.clone();
    match source.number(f)? {
        Some(position) if source.take(f, b'$')? => Ok(Some(Count::Argument(Some(position)))),
        _ => {
            *source = behind;
            Ok(Some(Count::Argument(None)))
        }
    }
}
