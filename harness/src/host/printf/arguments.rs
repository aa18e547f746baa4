//! The arguments of a format: one after the other, or by their positions, and the numbers that specifications take from them.

use super::parse::{self, Count, Flags, Length, MOST, Source, Spec};
use super::{Early, OVERFLOW};
use crate::host::frame::Frame;
use crate::machine::AccessError;

/// What an argument is passed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole register or its lower part.
    Word,
    LongLong,
    Double,
    LongDouble,
}

/// Where arguments come from.
pub(super) enum Arguments {
    /// One after the other.
    Next,
    /// The format names them by position, so they were all fetched before.
    Fetched(Vec<u128>, usize),
}

impl Arguments {
    pub(super) fn get(&mut self, f: &mut Frame<'_>, position: Option<u64>, kind: Kind) -> Result<u128, AccessError> {
        match self {
            Arguments::Next => fetch(f, kind),
            Arguments::Fetched(values, next) => {
                let index = position.map_or(*next, |position| position as usize - 1);
                *next += usize::from(position.is_none());
                Ok(values.get(index).copied().unwrap_or(0))
            }
        }
    }

    fn int(&mut self, f: &mut Frame<'_>, position: Option<u64>) -> Result<i32, AccessError> {
        Ok(self.get(f, position, Kind::Word)? as i32)
    }
}

fn fetch(f: &mut Frame<'_>, kind: Kind) -> Result<u128, AccessError> {
    Ok(match kind {
        Kind::Word => f.word()?.into(),
        Kind::LongLong => f.long()?.into(),
        Kind::Double => f.double()?.to_bits().into(),
        Kind::LongDouble => f.long_double()?,
    })
}

pub(super) fn is_positional(spec: &Spec) -> bool {
    let names = |count| matches!(count, Some(Count::Argument(Some(_))));
    spec.position.is_some() || names(spec.width) || names(spec.precision)
}

/// The arguments that the format asks for from here on, in their order. Which is of what kind only the format knows.
pub(super) fn fetch_all(f: &mut Frame<'_>, mut source: Source) -> Result<Vec<u128>, Early> {
    let mut kinds: Vec<Option<Kind>> = Vec::new();
    let mut next = 0;
    let mut note = |position: Option<u64>, kind: Kind| {
        let index = position.map_or(next, |position| position as usize - 1);
        next += usize::from(position.is_none());
        if kinds.len() <= index {
            kinds.resize(index + 1, None);
        }
        kinds[index].get_or_insert(kind);
    };
    loop {
        let literal = source.rest(f)?;
        if literal.is_empty() {
            break;
        }
        let Some(at) = literal.iter().position(|&byte| byte == b'%') else {
            let length = literal.len();
            source.skip(length);
            continue;
        };
        source.skip(at + 1);
        let spec = parse::spec(&mut source, f)?.map_err(|parse::TooLarge| OVERFLOW)?;
        for count in [spec.width, spec.precision] {
            if let Some(Count::Argument(position)) = count {
                note(position, Kind::Word);
            }
        }
        if let Some(kind) = kind(&spec) {
            note(spec.position, kind);
        }
    }
    Ok(kinds.into_iter().map(|kind| fetch(f, kind.unwrap_or(Kind::Word))).collect::<Result<_, _>>()?)
}

/// What the conversion takes. None for one that takes nothing, or is not known.
pub(super) fn kind(spec: &Spec) -> Option<Kind> {
    Some(match spec.letter {
        b'd' | b'i' | b'u' | b'x' | b'X' | b'o' | b'b' | b'B' if spec.length == Length::LongLong => Kind::LongLong,
        b'd' | b'i' | b'u' | b'x' | b'X' | b'o' | b'b' | b'B' | b'c' | b'C' | b's' | b'S' | b'p' | b'n' => Kind::Word,
        b'f' | b'F' | b'e' | b'E' | b'g' | b'G' | b'a' | b'A' if spec.length == Length::LongLong => Kind::LongDouble,
        b'f' | b'F' | b'e' | b'E' | b'g' | b'G' | b'a' | b'A' => Kind::Double,
        _ => return None,
    })
}

/// A specification with its numbers, whether they were written or are arguments.
#[derive(Clone, Copy)]
pub(super) struct Settled {
    pub(super) flags: Flags,
    pub(super) width: u64,
    pub(super) precision: Option<u64>,
    pub(super) length: Length,
}

pub(super) fn settle(f: &mut Frame<'_>, arguments: &mut Arguments, spec: &Spec) -> Result<Settled, Early> {
    let mut settled = Settled { flags: spec.flags, width: 0, precision: None, length: spec.length };
    match spec.width {
        Some(Count::Number(number)) => settled.width = number,
        Some(Count::Argument(position)) => {
            let width = arguments.int(f, position)?;
            settled.flags.left |= width < 0;
            settled.width = width.unsigned_abs().into();
        }
        None => {}
    }
    match spec.precision {
        Some(Count::Number(number)) => settled.precision = Some(number),
        // A negative one is none.
        Some(Count::Argument(position)) => settled.precision = u64::try_from(arguments.int(f, position)?).ok(),
        None => {}
    }
    if settled.width > MOST || settled.precision.is_some_and(|precision| precision > MOST) {
        return Err(OVERFLOW);
    }
    Ok(settled)
}
