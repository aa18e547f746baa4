//! Applies the relocations of an executable to its content, as the start-up code of a static one or a run-time linker would.

use std::collections::BTreeMap;

use linker::Target;
use linker::error::text;
use linker::link::Found;
use linker::memory::Action;
use object::elf;

use super::content::Content;
use super::dynamic::Dynamic;
use super::error::{Problem, malformed};
use super::pages::Pages;
use super::relocations::{self, Form, Kind, Table};

/// What relocations refer to.
pub(super) struct Context<'a, 'data> {
    pub(super) target: &'static Target,
    pub(super) content: Content<'a, 'data>,
    pub(super) dynamic: &'a Dynamic,
    /// What is added to the addresses that the executable says.
    pub(super) base: u64,
    /// Where a copy of the thread-local variables begins, from the thread pointer on.
    pub(super) thread_offset: Option<u64>,
    /// What the host has for names.
    pub(super) host: &'a BTreeMap<String, Found>,
}

/// What is left to do in the machine: functions whose results are stored, by the slots that they fill.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) actions: Vec<Action>,
    missing: Vec<String>,
}

/// One relocation.
struct Relocation {
    at: String,
    /// Where the field is, as the executable says.
    place: u64,
    kind: Kind,
    symbol: u64,
    /// None: it is in the field.
    addend: Option<u64>,
}

/// What a symbol stands for.
struct Meant {
    value: u64,
    ifunc: bool,
}

/// Applies all of them.
pub(super) fn apply(context: &Context<'_, '_>, tables: &[Table<'_>], pages: &mut Pages) -> Result<Left, Problem> {
    let mut left = Left::default();
    for table in tables {
        match table.form {
            Form::Relr => relr(context, table, pages)?,
            Form::Rel | Form::Rela => rel(context, table, pages, &mut left)?,
        }
    }
    if left.missing.is_empty() {
        return Ok(left);
    }
    left.missing.sort_unstable();
    left.missing.dedup();
    Err(Problem::Undefined(left.missing))
}

/// A word is the address of a field, or has the lowest bit set and a bit for each of the fields behind the last.
fn relr(context: &Context<'_, '_>, table: &Table<'_>, pages: &mut Pages) -> Result<(), Problem> {
    let target = context.target;
    let width = target.pointer_bytes();
    let mut next: Option<u64> = None;
    for (number, entry) in table.bytes.chunks_exact(width).enumerate() {
        let at = || format!("{} entry {number}", table.name);
        let entry = target.number(entry);
        let mut add = |place: u64| {
            check_writable(context, pages, &at(), place)?;
            let value = pages.word(target, place).map(|value| value.wrapping_add(context.base));
            let written = value.is_some_and(|value| pages.set(target, place, target.wrap(value)));
            if written { Ok(()) } else { Err(nowhere(&at(), place)) }
        };
        if entry & 1 == 0 {
            add(entry)?;
            next = Some(target.wrap(entry.wrapping_add(width as u64)));
            continue;
        }
        let Some(first) = next else {
            return Err(malformed(at(), format!("the bitmap {entry:#x} stands before any address")));
        };
        let fields = target.pointer_bits - 1;
        for bit in (0..fields).filter(|bit| entry >> (bit + 1) & 1 == 1) {
            add(target.wrap(first.wrapping_add(u64::from(bit) * width as u64)))?;
        }
        next = Some(target.wrap(first.wrapping_add(u64::from(fields) * width as u64)));
    }
    Ok(())
}

fn rel(context: &Context<'_, '_>, table: &Table<'_>, pages: &mut Pages, left: &mut Left) -> Result<(), Problem> {
    let target = context.target;
    let width = target.pointer_bytes();
    for (number, entry) in table.bytes.chunks_exact(table.form.words() * width).enumerate() {
        let at = format!("{} entry {number}", table.name);
        let word = |index: usize| entry.get(index * width..(index + 1) * width).map(|bytes| target.number(bytes));
        let info = word(1).unwrap_or(0);
        let (symbol, code) = if width == 8 { (info >> 32, info as u32) } else { (info >> 8, info as u32 & 0xff) };
        let kind = match relocations::kind(target, code) {
            Some(Kind::Other(name)) => {
                return Err(Problem::Refused(format!("{at}: {name} wants a run-time linker")));
            }
            Some(kind) => kind,
            None => return Err(malformed(at, format!("type {code} is none that is left to start-up code"))),
        };
        let place = word(0).unwrap_or(0);
        let addend = (table.form == Form::Rela).then(|| word(2).unwrap_or(0));
        if kind != Kind::None {
            one(context, &Relocation { at, place, kind, symbol, addend }, pages, left)?;
        }
    }
    Ok(())
}

fn one(context: &Context<'_, '_>, relocation: &Relocation, pages: &mut Pages, left: &mut Left) -> Result<(), Problem> {
    let &Context { target, base, .. } = context;
    let Relocation { at, place, kind, symbol, addend } = relocation;
    check_writable(context, pages, at, *place)?;
    let addend = match addend {
        Some(addend) => *addend,
        // What stands in a slot of a table is not an addend: the address of a stub, or nothing.
        None if *kind == Kind::Slot => 0,
        None => pages.word(target, *place).ok_or_else(|| nowhere(at, *place))?,
    };
    let slot = target.wrap(base.wrapping_add(*place));
    let mut call = |function: u64| left.actions.push(Action::CallAndStore { function: target.wrap(function), slot });
    let value = match kind {
        Kind::Relative => base.wrapping_add(addend),
        Kind::Indirect => {
            call(base.wrapping_add(addend));
            return Ok(());
        }
        Kind::Address | Kind::Slot => match find(context, at, *symbol, &mut left.missing)? {
            Meant { value, ifunc: true } => {
                call(value);
                return Ok(());
            }
            Meant { value, .. } => value.wrapping_add(addend),
        },
        Kind::Module => 1,
        Kind::BlockOffset => offset(context, at, *symbol)?.wrapping_add(addend),
        Kind::ThreadOffset => {
            let Some(block) = context.thread_offset else {
                return Err(malformed(at, "is for a thread-local variable, but there is no PT_TLS"));
            };
            offset(context, at, *symbol)?.wrapping_add(addend).wrapping_add(block)
        }
        Kind::None | Kind::Other(_) => return Ok(()),
    };
    if pages.set(target, *place, target.wrap(value)) { Ok(()) } else { Err(nowhere(at, *place)) }
}

/// A field that start-up code could not write: the program would end there.
fn check_writable(context: &Context<'_, '_>, pages: &Pages, at: &str, place: u64) -> Result<(), Problem> {
    match pages.run(place) {
        Some(run) if run.protection.writable() || context.dynamic.relocates_text() => Ok(()),
        Some(run) => Err(malformed(
            at,
            format!(
                "r_offset {place:#x} is in a segment that is {}, expected a writable one, or DT_TEXTREL",
                run.protection.letters()
            ),
        )),
        None => Err(malformed(at, format!("r_offset {place:#x} is in no segment"))),
    }
}

fn nowhere(at: &str, place: u64) -> Problem {
    malformed(at, format!("r_offset {place:#x} is not in the content of a segment"))
}

/// An entry of the dynamic symbol table: its name, its value, and what else it is.
struct DynamicSymbol<'data> {
    name: &'data [u8],
    value: u64,
    section: u16,
    info: u8,
}

fn entry<'data>(context: &Context<'_, 'data>, at: &str, symbol: u64) -> Result<DynamicSymbol<'data>, Problem> {
    let Context { target, content, dynamic, .. } = context;
    let wide = target.pointer_bits == 64;
    let size = if wide { 24 } else { 16 };
    let problem = |what: &str| malformed(at, format!("symbol {symbol} {what}"));
    let table = dynamic.get(elf::DT_SYMTAB).ok_or_else(|| problem("is of a table that DT_SYMTAB does not name"))?;
    let place = table.wrapping_add(symbol.wrapping_mul(size));
    let bytes = content.bytes(place, size).ok_or_else(|| problem("is not in the content of a segment"))?;
    let number = |from: usize, size: usize| target.number(&bytes[from..from + size]);
    let (value, info, section) =
        if wide { (number(8, 8), bytes[4], number(6, 2)) } else { (number(4, 4), bytes[12], number(14, 2)) };
    let strings = dynamic.get(elf::DT_STRTAB).unwrap_or(0);
    let name = content.string(strings.wrapping_add(number(0, 4)));
    let name = name.ok_or_else(|| problem("has a name that is outside DT_STRTAB"))?;
    Ok(DynamicSymbol { name, value, section: section as u16, info })
}

/// The symbol of a relocation: of the executable, of the host, or missing.
fn find(context: &Context<'_, '_>, at: &str, symbol: u64, missing: &mut Vec<String>) -> Result<Meant, Problem> {
    if symbol == 0 {
        return Ok(Meant { value: 0, ifunc: false });
    }
    let DynamicSymbol { name, value, section, info } = entry(context, at, symbol)?;
    if section == elf::SHN_ABS.0 {
        return Ok(Meant { value, ifunc: false });
    }
    if section != elf::SHN_UNDEF.0 {
        let ifunc = info & 0xf == elf::STT_GNU_IFUNC.0;
        return Ok(Meant { value: context.target.wrap(context.base.wrapping_add(value)), ifunc });
    }
    let found = std::str::from_utf8(name).ok().and_then(|name| context.host.get(name));
    let value = match found {
        Some(Found::Function(address) | Found::Data(address)) => *address,
        None => {
            if info >> 4 != elf::STB_WEAK.0 {
                missing.push(text(name));
            }
            0
        }
    };
    Ok(Meant { value, ifunc: false })
}

/// The offset of a thread-local variable in its block.
fn offset(context: &Context<'_, '_>, at: &str, symbol: u64) -> Result<u64, Problem> {
    if symbol == 0 {
        return Ok(0);
    }
    let DynamicSymbol { name, value, section, .. } = entry(context, at, symbol)?;
    if section == elf::SHN_UNDEF.0 {
        return Err(Problem::Refused(format!(
            "{at}: the thread-local variable {} is of another module, which a run-time linker would load",
            text(name)
        )));
    }
    Ok(value)
}
