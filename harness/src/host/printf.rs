//! `printf`'s format language, as glibc has it in the C locale.
//!
//! The guest chooses format, widths, precisions and arguments. So nothing is made whole: the format is read in pieces, and what
//! comes of it goes out in pieces, of which a run of blanks or zeros takes no memory. All of it is host work of the run.

mod arguments;
mod decimal;
mod float;
mod out;
mod parse;
mod text;

use self::arguments::{Arguments, Kind, Settled, fetch_all, is_positional, kind, settle};
use self::float::{Float, Style};
use self::out::Out;
pub(super) use self::out::Sink;
use self::parse::{Flags, Length, Source, Spec};
use self::text::Text;
use super::errno;
use super::frame::Frame;
use crate::machine::AccessError;

/// A bad format or a number too large: `errno`. What was printed before stays printed.
struct Refused(u32);

/// What ends the formatting before its time.
enum Early {
    Failed(AccessError),
    Refused(Refused),
}

impl From<AccessError> for Early {
    fn from(failed: AccessError) -> Early {
        Early::Failed(failed)
    }
}

const OVERFLOW: Early = Early::Refused(Refused(errno::EOVERFLOW));

/// Formats with the arguments that follow in the frame, and returns what `printf` does.
pub(super) fn format(f: &mut Frame<'_>, format: u64, sink: Sink) -> Result<i32, AccessError> {
    let mut out = Out::new(sink);
    let refused = match all(f, format, &mut out) {
        Ok(()) => None,
        Err(Early::Refused(Refused(errno))) => Some(errno),
        Err(Early::Failed(failed)) => return Err(failed),
    };
    out.finish(f)?;
    match refused {
        None => Ok(out.length as i32),
        Some(errno) => {
            f.set_errno(errno)?;
            Ok(-1)
        }
    }
}

fn all(f: &mut Frame<'_>, format: u64, out: &mut Out) -> Result<(), Early> {
    let mut source = Source::new(format);
    let mut arguments = Arguments::Next;
    let first = f.slots();
    loop {
        let literal = source.rest(f)?;
        if literal.is_empty() {
            return Ok(());
        }
        let length = literal.iter().position(|&byte| byte == b'%').unwrap_or(literal.len());
        if length > 0 {
            let literal = literal[..length].to_vec();
            source.skip(length);
            out.bytes(f, &literal)?;
            continue;
        }
        let here = source.clone();
        source.skip(1);
        let spec = parse::spec(&mut source, f)?.map_err(|parse::TooLarge| OVERFLOW)?;
        if spec.letter == 0 {
            return Err(Early::Refused(Refused(errno::EINVAL)));
        }
        if matches!(arguments, Arguments::Next) && is_positional(&spec) {
            // Positions count from the first argument, whatever was taken before.
            f.rewind(&first);
            arguments = Arguments::Fetched(fetch_all(f, here)?, 0);
        }
        convert(f, out, &mut arguments, spec)?;
    }
}

/// What `errno` means. Its numbers are those of Linux, as ours are.
fn error_text(f: &mut Frame<'_>) -> Result<String, Early> {
    let (address, mut bytes) = (f.state().errno, [0; 4]);
    f.read(address, &mut bytes)?;
    let text = std::io::Error::from_raw_os_error(f.target().number(&bytes) as i32).to_string();
    Ok(text.rsplit_once(" (os error").map_or(text.as_str(), |(text, _)| text).to_owned())
}

fn convert(f: &mut Frame<'_>, out: &mut Out, arguments: &mut Arguments, spec: Spec) -> Result<(), Early> {
    let settled = settle(f, arguments, &spec)?;
    if spec.letter == b'%' {
        return out.bytes(f, b"%");
    }
    if spec.letter == b'm' {
        let text = error_text(f)?;
        let shown = settled.precision.map_or(text.len(), |most| text.len().min(most as usize));
        return out.field(f, &settled, &Text::plain(&text.as_bytes()[..shown]), false);
    }
    let Some(kind) = kind(&spec) else { return unknown(f, out, &settled, spec.letter) };
    let bits = arguments.get(f, spec.position, kind)?;
    match spec.letter {
        b'c' if spec.length != Length::Long => out.field(f, &settled, &Text::plain(&[bits as u8]), false),
        b'c' | b'C' => match u8::try_from(bits as u32) {
            Ok(byte) if byte.is_ascii() => out.field(f, &settled, &Text::plain(&[byte]), false),
            _ => Err(Early::Refused(Refused(errno::EILSEQ))),
        },
        b's' if spec.length != Length::Long => string(f, out, &settled, bits as u64),
        b's' | b'S' => wide_string(f, out, &settled, bits as u64),
        b'n' => store_length(f, out.length, spec.length, bits as u64),
        b'p' if f.pointer(bits as u64) == 0 => out.field(f, &settled, &Text::plain(b"(nil)"), false),
        b'p' => {
            let sign = sign(settled.flags, false);
            let mut text = digits(&settled, f.pointer(bits as u64), b'x');
            text.prefix = [sign, b"0x"].concat();
            out.field(f, &settled, &text, settled.precision.is_none())
        }
        b'd' | b'i' => {
            let value = integer(f, settled.length, true, bits as u64) as i64;
            let mut text = digits(&settled, value.unsigned_abs(), b'u');
            text.prefix = sign(settled.flags, value < 0).to_vec();
            out.field(f, &settled, &text, settled.precision.is_none())
        }
        b'u' | b'x' | b'X' | b'o' | b'b' | b'B' => {
            let value = integer(f, settled.length, false, bits as u64);
            let mut text = digits(&settled, value, spec.letter);
            match spec.letter {
                // A leading zero, which the precision may have brought already.
                b'o' if settled.flags.alternate && text.leading == 0 && text.body.first() != Some(&b'0') => {
                    text.leading = 1;
                }
                b'x' | b'X' | b'b' | b'B' if settled.flags.alternate && value != 0 => {
                    text.prefix = vec![b'0', spec.letter];
                }
                _ => {}
            }
            out.field(f, &settled, &text, settled.precision.is_none())
        }
        letter => {
            let number = match kind {
                Kind::LongDouble if f.is_64() => Float::quad(bits),
                _ => Float::double(bits as u64),
            };
            // Digits of the widest number are some thousand, and take their time.
            f.spend(FLOAT_WORK)?;
            let style = match letter.to_ascii_lowercase() {
                b'f' => Style::Fixed,
                b'e' => Style::Scientific,
                b'g' => Style::General,
                _ => Style::Hexadecimal,
            };
            let mut text = number.text(style, settled.precision, settled.flags.alternate);
            text.prefix = sign(settled.flags, number.negative).to_vec();
            if style == Style::Hexadecimal && number.is_finite() {
                text.prefix.extend(b"0x");
            }
            if letter.is_ascii_uppercase() {
                [&mut text.prefix, &mut text.body, &mut text.tail]
                    .into_iter()
                    .for_each(|part| part.make_ascii_uppercase());
            }
            f.spend(text.body.len() as u64 * DIGIT_WORK)?;
            out.field(f, &settled, &text, number.is_finite())
        }
    }
}

/// What a floating-point number costs at least, in bytes looked at, and each of its digits.
const FLOAT_WORK: u64 = 256;
/// See [`FLOAT_WORK`].
const DIGIT_WORK: u64 = 32;

/// A conversion that there is none of is printed as it was understood.
fn unknown(f: &mut Frame<'_>, out: &mut Out, settled: &Settled, letter: u8) -> Result<(), Early> {
    let Settled { flags, width, precision, .. } = settled;
    let mut text = vec![b'%'];
    text.extend(flags.alternate.then_some(b'#'));
    text.extend(flags.quote.then_some(b'\''));
    text.extend(if flags.plus { Some(b'+') } else { flags.space.then_some(b' ') });
    text.extend(flags.left.then_some(b'-'));
    text.extend((flags.zero && !flags.left).then_some(b'0'));
    text.extend(flags.digits.then_some(b'I'));
    if *width != 0 {
        text.extend(width.to_string().bytes());
    }
    if let Some(precision) = precision {
        text.extend(format!(".{precision}").bytes());
    }
    text.push(letter);
    out.bytes(f, &text)
}

/// An integer argument cut to its length.
fn integer(f: &mut Frame<'_>, length: Length, signed: bool, raw: u64) -> u64 {
    let bits = match length {
        Length::Char => 8,
        Length::Short => 16,
        Length::Int => 32,
        Length::Long => f.pointer_bits(),
        Length::LongLong => 64,
    };
    let cut = raw << (64 - bits);
    if signed { ((cut as i64) >> (64 - bits)) as u64 } else { cut >> (64 - bits) }
}

/// An integer's digits, at least as many as the precision says. 0 with precision 0 has none.
fn digits(settled: &Settled, value: u64, letter: u8) -> Text {
    let body = match letter {
        _ if value == 0 && settled.precision == Some(0) => String::new(),
        b'x' => format!("{value:x}"),
        b'X' => format!("{value:X}"),
        b'o' => format!("{value:o}"),
        b'b' | b'B' => format!("{value:b}"),
        _ => value.to_string(),
    };
    let leading = settled.precision.unwrap_or(0).saturating_sub(body.len() as u64);
    Text { leading, body: body.into_bytes(), ..Text::default() }
}

fn sign(flags: Flags, negative: bool) -> &'static [u8] {
    match (negative, flags.plus, flags.space) {
        (true, ..) => b"-",
        (false, true, _) => b"+",
        (false, false, true) => b" ",
        _ => b"",
    }
}

fn string(f: &mut Frame<'_>, out: &mut Out, settled: &Settled, address: u64) -> Result<(), Early> {
    let limit = settled.precision.unwrap_or(u64::MAX);
    let address = f.pointer(address);
    if address == 0 {
        // All of it or nothing.
        let text: &[u8] = if limit >= 6 { b"(null)" } else { b"" };
        return out.field(f, settled, &Text::plain(text), false);
    }
    let length = f.string_length(address, limit)?;
    let fill = settled.width.saturating_sub(length);
    let left = settled.flags.left;
    out.repeat(f, b' ', if left { 0 } else { fill })?;
    out.copy(f, address, length)?;
    out.repeat(f, b' ', if left { fill } else { 0 })
}

/// A string of `wchar_t`, of which the C locale knows ASCII.
fn wide_string(f: &mut Frame<'_>, out: &mut Out, settled: &Settled, address: u64) -> Result<(), Early> {
    let limit = settled.precision.unwrap_or(u64::MAX);
    let address = f.pointer(address);
    if address == 0 {
        return string(f, out, settled, address);
    }
    let mut length = 0;
    while length < limit {
        match wide(f, address, length)? {
            0 => break,
            1..=0x7f => length += 1,
            _ => return Err(Early::Refused(Refused(errno::EILSEQ))),
        }
    }
    let fill = settled.width.saturating_sub(length);
    let left = settled.flags.left;
    out.repeat(f, b' ', if left { 0 } else { fill })?;
    for index in 0..length {
        let letter = wide(f, address, index)? as u8;
        out.bytes(f, &[letter])?;
    }
    out.repeat(f, b' ', if left { fill } else { 0 })
}

fn wide(f: &mut Frame<'_>, address: u64, index: u64) -> Result<u32, AccessError> {
    let mut bytes = [0; 4];
    f.read(address.wrapping_add(4 * index), &mut bytes)?;
    Ok(f.target().number(&bytes) as u32)
}

/// `%n`: the length so far.
fn store_length(f: &mut Frame<'_>, length: u64, width: Length, address: u64) -> Result<(), Early> {
    let bytes = match width {
        Length::Char => 1,
        Length::Short => 2,
        Length::Int => 4,
        Length::Long => f.pointer_bits() as usize / 8,
        Length::LongLong => 8,
    };
    let (address, bytes) = (f.pointer(address), f.target().bytes(length, bytes));
    Ok(f.store(address, &bytes)?)
}
