//! What an executable has run before it and after it: by its dynamic section, by the symbols that linkers define for start-up
//! code, or by its sections.

use std::ops::Range;

use linker::memory::Protection;
use object::elf;

use super::content::Content;
use super::dynamic::Dynamic;
use super::error::{Problem, malformed};
use super::headers::Headers;
use super::relocations::defined;
use crate::linked::Routines;

/// An array: its section, its tags, its symbols and its type.
type Array = (&'static str, [elf::DynamicTag; 2], [&'static str; 2], elf::SectionType);

const PREINIT: Array = (
    ".preinit_array",
    [elf::DT_PREINIT_ARRAY, elf::DT_PREINIT_ARRAYSZ],
    ["__preinit_array_start", "__preinit_array_end"],
    elf::SHT_PREINIT_ARRAY,
);
const INIT: Array = (
    ".init_array",
    [elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ],
    ["__init_array_start", "__init_array_end"],
    elf::SHT_INIT_ARRAY,
);
const FINI: Array = (
    ".fini_array",
    [elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ],
    ["__fini_array_start", "__fini_array_end"],
    elf::SHT_FINI_ARRAY,
);

/// All of them, where an executable is that is moved by this.
pub(super) fn routines(
    headers: &Headers<'_>,
    dynamic: &Dynamic,
    content: &Content<'_, '_>,
    moved: &dyn Fn(u64) -> u64,
) -> Result<Routines, Problem> {
    let array = |of: &Array| {
        let Range { start, end } = array(headers, dynamic, content, of)?;
        Ok(if start == end { 0..0 } else { moved(start)..moved(start).saturating_add(end - start) })
    };
    let function = |tag: elf::DynamicTag, name: &str, section: &str| {
        let known = dynamic.get(tag).filter(|address| *address != 0);
        known.or_else(|| of_section(headers, name, section)).map(moved)
    };
    Ok(Routines {
        preinit_array: array(&PREINIT)?,
        init: function(elf::DT_INIT, "_init", ".init"),
        init_array: array(&INIT)?,
        fini_array: array(&FINI)?,
        fini: function(elf::DT_FINI, "_fini", ".fini"),
    })
}

fn array(
    headers: &Headers<'_>,
    dynamic: &Dynamic,
    content: &Content<'_, '_>,
    (name, [address, size], [start, end], kind): &Array,
) -> Result<Range<u64>, Problem> {
    let value = |name: &str| defined(&headers.symbols, name).map(|symbol| symbol.value);
    let found = match (dynamic.table(name, *address, *size)?, value(start), value(end)) {
        (Some((address, size)), ..) => address..address.saturating_add(size),
        (None, Some(start), Some(end)) => start..end,
        _ => {
            let own = headers.sections.iter().filter(|section| section.kind == *kind && section.size > 0);
            let ends = own.map(|section| section.address..section.address.saturating_add(section.size));
            ends.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0)
        }
    };
    if found.start == found.end {
        return Ok(0..0);
    }
    // An array is no longer than the file, whatever the executable says.
    let inside = found.start < found.end && content.bytes(found.start, found.end - found.start).is_some();
    if !inside {
        let what = format!("{:#x} to {:#x} is not in the content of a segment", found.start, found.end);
        return Err(malformed(*name, what));
    }
    Ok(found)
}

/// A function that stands in a section of its own, as pieces of it make one function.
fn of_section(headers: &Headers<'_>, name: &str, section: &str) -> Option<u64> {
    let symbol = defined(&headers.symbols, name)?;
    let own = headers.sections.iter().find(|known| known.index == usize::from(symbol.section.0))?;
    let in_code = headers.loads.iter().any(|load| {
        let address = symbol.value & !1;
        load.protection == Protection::ReadExecute && address >= load.address && address - load.address < load.size
    });
    (own.name == section.as_bytes() && in_code).then_some(symbol.value)
}
