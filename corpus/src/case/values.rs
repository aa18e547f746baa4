//! Reading the values of directives.

use super::{
    Address, Call, CallResult, Exit, Fault, FaultKind, GroupKind, Memory, MemoryContent, PartGroup, Register,
    RegisterValue,
};
use crate::matrix::{Family, Recipe};
use crate::sets::SETS;
use crate::text::{Cursor, ParseError, nearest};
use crate::value::{Value, read_symbol};
use linker::Layout;

type Result<T> = std::result::Result<T, ParseError>;

/// Words and where they start; at least one.
pub(super) fn words<'a>(text: &'a str, what: &str) -> Result<Vec<(usize, &'a str)>> {
    let mut cursor = Cursor::new(text);
    let mut words = Vec::new();
    loop {
        cursor.skip_spaces();
        let at = cursor.offset();
        match cursor.word() {
            "" if words.is_empty() => return Err(ParseError::new(0, what)),
            "" => return Ok(words),
            word => words.push((at, word)),
        }
    }
}

pub(super) fn strings(text: &str, what: &str) -> Result<Vec<String>> {
    Ok(words(text, what)?.into_iter().map(|(_, word)| word.to_owned()).collect())
}

/// Any text, but some.
pub(super) fn line(text: &str, what: &str) -> Result<String> {
    if text.is_empty() { Err(ParseError::new(0, what)) } else { Ok(text.to_owned()) }
}

/// A name, `=`, and the rest of the text.
fn assignment<'a>(cursor: &mut Cursor<'a>, what: &str) -> Result<&'a str> {
    let start = cursor.offset();
    let name = cursor.take_while(|c| !c.is_whitespace() && c != '=');
    cursor.skip_spaces();
    if name.is_empty() || !cursor.eat('=') {
        return Err(ParseError::new(start, what));
    }
    cursor.skip_spaces();
    Ok(name)
}

pub(super) enum BuildWord {
    Set(String),
    One(Recipe),
}

/// The `for`s: name and values.
pub(super) type Loops = Vec<(String, Vec<String>)>;

pub(super) fn builds(text: &str) -> Result<Vec<BuildWord>> {
    let mut found = Vec::new();
    let mut at = 0;
    for one in text.split('|') {
        let expected = "`gcc FLAGS`, `clang FLAGS` or `@SET`, with `|` between";
        let words = words(one, expected).map_err(|error| ParseError::new(at, error.expected))?;
        let (first_at, first) = words[0];
        let flags = || words[1..].iter().map(|(_, word)| (*word).to_owned()).collect();
        let family = Family::ALL.into_iter().find(|family| family.name() == first);
        found.push(match (family, first.strip_prefix('@')) {
            (Some(family), _) => {
                if let Some((flag_at, _)) = words[1..].iter().find(|(_, word)| !word.starts_with('-')) {
                    return Err(ParseError::new(at + flag_at, "a flag that begins with `-`"));
                }
                BuildWord::One(Recipe { family, flags: flags() })
            }
            (None, Some(set)) if SETS.contains(&set) && words.len() == 1 => BuildWord::Set(set.to_owned()),
            (None, Some(set)) => {
                let meant = nearest(set, SETS.iter().copied()).map(|set| format!(" (did you mean `@{set}`?)"));
                let sets: Vec<String> = SETS.iter().map(|set| format!("`@{set}`")).collect();
                let message = format!("one of the sets {} alone{}", sets.join(" "), meant.unwrap_or_default());
                return Err(ParseError::new(at + first_at, message));
            }
            (None, None) => return Err(ParseError::new(at + first_at, expected)),
        });
        at += one.len() + 1;
    }
    Ok(found)
}

pub(super) fn flags(text: &str) -> Result<Vec<String>> {
    let words = words(text, "flags")?;
    if let Some((at, _)) = words.iter().find(|(_, word)| !word.starts_with('-')) {
        return Err(ParseError::new(*at, "a flag that begins with `-`"));
    }
    Ok(words.into_iter().map(|(_, word)| word.to_owned()).collect())
}

pub(super) fn for_values(text: &str) -> Result<(String, Vec<String>)> {
    let mut cursor = Cursor::new(text);
    let name = assignment(&mut cursor, "NAME = V1 V2 ...")?;
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(ParseError::new(0, "the name of a C macro"));
    }
    let at = cursor.offset();
    let words = words(cursor.rest(), "values").map_err(|error| ParseError::new(at, error.expected))?;
    for (index, (word_at, word)) in words.iter().enumerate() {
        if !word.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c)) {
            return Err(ParseError::new(
                at + word_at,
                "a value of letters, digits and `_.+-`: it is part of the case's name",
            ));
        }
        if words[..index].iter().any(|(_, other)| other == word) {
            return Err(ParseError::new(at + word_at, "each value once"));
        }
    }
    Ok((name.to_owned(), words.into_iter().map(|(_, word)| word.to_owned()).collect()))
}

pub(super) fn group(text: &str, kind: GroupKind) -> Result<PartGroup> {
    let (form, suffix) = match kind {
        GroupKind::Archive => ("libNAME.a = PART ...", ".a"),
        GroupKind::Partial => ("NAME.o = PART ...", ".o"),
    };
    let mut cursor = Cursor::new(text);
    let name = assignment(&mut cursor, form)?;
    if !name.ends_with(suffix) || !crate::directive::is_plain(name) {
        return Err(ParseError::new(0, form));
    }
    let at = cursor.offset();
    let members = strings(cursor.rest(), form).map_err(|error| ParseError::new(at, error.expected))?;
    Ok(PartGroup { kind, name: name.to_owned(), members })
}

const LAYOUT: &str = "a layout: near, far, high, random:SEED or at:FILE(SECTION)=ADDRESS,...";

pub(super) fn layouts(text: &str) -> Result<Vec<Layout>> {
    let mut layouts = Vec::new();
    for (at, word) in words(text, "layouts")? {
        let layout = word.parse::<Layout>().map_err(|_| ParseError::new(at, LAYOUT))?;
        if layouts.contains(&layout) {
            return Err(ParseError::new(at, "each layout once"));
        }
        layouts.push(layout);
    }
    Ok(layouts)
}

pub(super) fn define(text: &str) -> Result<(String, u64)> {
    let mut cursor = Cursor::new(text);
    let name = cursor.symbol()?.to_owned();
    equals(&mut cursor)?;
    let address = cursor.unsigned()?;
    cursor.end()?;
    Ok((name, address))
}

fn equals(cursor: &mut Cursor<'_>) -> Result<()> {
    cursor.skip_spaces();
    cursor.expect('=')?;
    cursor.skip_spaces();
    Ok(())
}

pub(super) fn symbols(text: &str) -> Result<Vec<String>> {
    let words = words(text, "names of symbols")?;
    for (at, word) in &words {
        let mut cursor = Cursor::new(word);
        cursor.symbol().and_then(|_| cursor.end()).map_err(|error| ParseError::new(at + error.at, error.expected))?;
    }
    Ok(words.into_iter().map(|(_, word)| word.to_owned()).collect())
}

pub(super) fn call(text: &str) -> Result<Call> {
    let mut cursor = Cursor::new(text);
    let function = cursor.symbol()?.to_owned();
    cursor.skip_spaces();
    cursor.expect('(')?;
    cursor.skip_spaces();
    let mut arguments = Vec::new();
    if !cursor.eat(')') {
        loop {
            cursor.skip_spaces();
            arguments.push(Value::read(&mut cursor)?);
            cursor.skip_spaces();
            if cursor.eat(')') {
                break;
            }
            if !cursor.eat(',') {
                return Err(ParseError::new(cursor.offset(), "`,` or `)`"));
            }
        }
    }
    equals(&mut cursor).map_err(|error| ParseError::new(error.at, "`= RESULT`, `= void` or `= ?`"))?;
    let at = cursor.offset();
    let result = match cursor.rest().trim_end() {
        "void" => CallResult::Void,
        "?" => CallResult::Unblessed,
        _ => {
            let value = Value::read(&mut cursor)?;
            cursor.end()?;
            if matches!(value, Value::Buffer(_) | Value::List(_)) {
                return Err(ParseError::new(at, "a number or an address: look at memory with `memory`"));
            }
            CallResult::Value(value)
        }
    };
    Ok(Call { function, arguments, result })
}

fn place(cursor: &mut Cursor<'_>) -> Result<Address> {
    if cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
        return cursor.unsigned().map(Address::Absolute);
    }
    cursor.eat('&');
    let (symbol, offset) = read_symbol(cursor)?;
    Ok(Address::Symbol(symbol, offset))
}

pub(super) fn register(text: &str) -> Result<Register> {
    let mut cursor = Cursor::new(text);
    let name = assignment(&mut cursor, "REGISTER = VALUE")?.to_owned();
    let at = cursor.offset();
    let rest = cursor.rest().trim_end();
    if let Some((number, _)) = crate::text::unsigned(rest) {
        return Ok(Register { name, value: RegisterValue::Bits(number) });
    }
    let value: Value = rest.parse().map_err(|error: ParseError| ParseError::new(at + error.at, error.expected))?;
    let value = match (value.bits(), value) {
        (Some(bits), _) => RegisterValue::Bits(bits),
        (None, Value::Address(symbol, offset)) => RegisterValue::Address(symbol, offset),
        _ => return Err(ParseError::new(at, "a number, a typed number or `&symbol+N`")),
    };
    Ok(Register { name, value })
}

pub(super) fn memory(text: &str) -> Result<Memory> {
    let mut cursor = Cursor::new(text);
    let place = place(&mut cursor)?;
    equals(&mut cursor)?;
    let at = cursor.offset();
    let bytes = |word: &(usize, &str)| match word.1.len() {
        2 => u8::from_str_radix(word.1, 16).ok().filter(|_| !word.1.starts_with('+')),
        _ => None,
    };
    let what = "typed values (`5i32 6i32`) or bytes (`01 02 ff`)";
    let list = words(cursor.rest(), what).map_err(|error| ParseError::new(at, error.expected))?;
    if let Some(bytes) = list.iter().map(bytes).collect::<Option<Vec<u8>>>() {
        return Ok(Memory { place, content: MemoryContent::Bytes(bytes) });
    }
    let mut values = Vec::new();
    while !cursor.rest().is_empty() {
        values.push(Value::read(&mut cursor)?);
        if cursor.peek().is_some_and(|c| !c.is_whitespace()) {
            return Err(ParseError::new(cursor.offset(), "a space between values"));
        }
        cursor.skip_spaces();
    }
    Ok(Memory { place, content: MemoryContent::Values(values) })
}

pub(super) fn prints(text: &str) -> Result<Vec<u8>> {
    let mut cursor = Cursor::new(text);
    let bytes = cursor.quoted()?;
    cursor.end()?;
    Ok(bytes)
}

pub(super) fn exit(text: &str) -> Result<Exit> {
    match text {
        "abort" => Ok(Exit::Abort),
        _ => text.parse().map(Exit::Status).map_err(|_| ParseError::new(0, "an exit status or `abort`")),
    }
}

pub(super) fn budget(text: &str) -> Result<u64> {
    let mut cursor = Cursor::new(text);
    let instructions = cursor.unsigned()?;
    cursor.end()?;
    if instructions == 0 { Err(ParseError::new(0, "a number of instructions above 0")) } else { Ok(instructions) }
}

pub(super) fn fault(text: &str) -> Result<Fault> {
    let mut cursor = Cursor::new(text);
    let word = cursor.word();
    let Some(&(_, kind)) = FaultKind::ALL.iter().find(|row| row.0 == word) else {
        let kinds = FaultKind::ALL.map(|row| row.0).join(", ");
        return Err(ParseError::new(0, format!("a kind of fault: {kinds}")));
    };
    let mut fault = Fault { kind, at: None, address: None };
    loop {
        cursor.skip_spaces();
        let start = cursor.offset();
        let slot = match cursor.word() {
            "" => return Ok(fault),
            "at" => &mut fault.at,
            "address" => &mut fault.address,
            _ => return Err(ParseError::new(start, "`at SYMBOL+N` or `address ADDRESS`")),
        };
        if slot.is_some() {
            return Err(ParseError::new(start, "each only once"));
        }
        cursor.skip_spaces();
        *slot = Some(place(&mut cursor)?);
    }
}

pub(super) fn covers(text: &str) -> Result<Vec<String>> {
    let words = words(text, "names of relocations")?;
    for (at, word) in &words {
        let rest = word.strip_prefix("R_ARM_").or_else(|| word.strip_prefix("R_AARCH64_"));
        let right = |rest: &str| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        };
        if !rest.is_some_and(right) {
            return Err(ParseError::new(*at, "R_ARM_... or R_AARCH64_..., as the ABI writes it"));
        }
    }
    Ok(words.into_iter().map(|(_, word)| word.to_owned()).collect())
}
