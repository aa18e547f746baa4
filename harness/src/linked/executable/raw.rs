//! A raw binary and its map as an executable.

use linker::Target;
use linker::memory::Protection;
use object::elf;

use super::Executable;
use super::content::Content;
use super::dynamic::Dynamic;
use super::error::{LoadError, Problem, malformed};
use super::headers::{self, Headers, Load, RawSymbol, Section, ThreadLocalHeader};
use super::relocations;
use crate::raw::{Is, Part, Raw};

/// Where a program starts by the convention of linkers.
const START: &str = "_start";

impl<'data> Executable<'data> {
    /// Makes one of a raw binary. Besides the sections where the program wants them, it has the initial values that start-up code copies
    /// where the binary has them. It starts at `_start`, if that is there. `page` is the size of the pages that have protections.
    ///
    /// # Errors
    /// Sections on one page are executed and written.
    pub fn of_raw(
        file: &str,
        raw: &Raw<'data>,
        target: &'static Target,
        page: u64,
    ) -> Result<Executable<'data>, LoadError> {
        let named = |problem| LoadError { file: file.to_owned(), problem };
        let headers = headers_of(target, raw, page).map_err(named)?;
        let (content, dynamic) = (Content { loads: &headers.loads }, Dynamic::default());
        let tables = relocations::tables(target, &headers, &dynamic, &content).map_err(named)?;
        Ok(Executable { file: file.to_owned(), target, data: &[], headers, dynamic, tables })
    }
}

fn headers_of<'data>(target: &Target, raw: &Raw<'data>, page: u64) -> Result<Headers<'data>, Problem> {
    let mut parts: Vec<Part<'data>> = raw.parts.clone();
    let stored = raw.stored().map(|part| Part { address: part.load, protection: Protection::Read, ..part.clone() });
    parts.extend(stored);
    parts.sort_by_key(|part| part.address);
    share_pages(&mut parts, page)?;
    let section = |(index, part): (usize, &Part<'data>)| Section {
        // Number 0 is that of no section.
        index: index + 1,
        name: part.name.as_bytes(),
        kind: part.section_type(),
        address: part.address,
        size: part.size,
    };
    let sections: Vec<Section<'data>> = parts.iter().enumerate().map(section).collect();
    let mut loads: Vec<Load<'data>> = Vec::new();
    for (number, Part { address, size, bytes, protection, .. }) in parts.iter().enumerate() {
        let (address, size, protection) = (*address, *size, *protection);
        let load = Load { number, address, size, content: bytes, offset: 0, protection, alignment: 1 };
        headers::check(target, &load, loads.last())?;
        loads.push(load);
    }
    let symbols: Vec<RawSymbol<'data>> = raw
        .symbols
        .iter()
        .map(|symbol| {
            let (kind, bind) = match symbol.is {
                Is::Function(_) => (elf::STT_FUNC, elf::STB_GLOBAL),
                Is::Object => (elf::STT_OBJECT, elf::STB_GLOBAL),
                Is::ThreadLocal => (elf::STT_TLS, elf::STB_GLOBAL),
                Is::Mapping => (elf::STT_NOTYPE, elf::STB_LOCAL),
            };
            let behind = parts.partition_point(|part| part.address <= symbol.value);
            RawSymbol {
                name: symbol.name.as_bytes(),
                value: symbol.value | u64::from(symbol.is == Is::Function(true)),
                size: symbol.size,
                kind,
                bind,
                section: elf::SymbolSection(u16::try_from(behind.max(1)).unwrap_or(elf::SHN_ABS.0)),
            }
        })
        .collect();
    let start = relocations::defined(&symbols, START).map(|symbol| symbol.value);
    let thread_local = raw.thread_local.map(|image| ThreadLocalHeader {
        address: image.address,
        size: image.size,
        content: image.content,
        alignment: image.alignment,
    });
    Ok(Headers { entry: start.unwrap_or(0), loads, thread_local, sections, symbols, ..Headers::default() })
}

/// Gives sections that share a page one protection: what the most of them needs.
fn share_pages(parts: &mut [Part<'_>], page: u64) -> Result<(), Problem> {
    let first = |part: &Part<'_>| part.address & !(page - 1);
    let last = |part: &Part<'_>| (part.address + (part.size - 1)) & !(page - 1);
    let mut start = 0;
    while start < parts.len() {
        let mut end = start + 1;
        while end < parts.len() && first(&parts[end]) == last(&parts[end - 1]) {
            end += 1;
        }
        let group = &mut parts[start..end];
        let code = group.iter().find(|part| part.protection.executable());
        let written = group.iter().find(|part| part.protection.writable());
        let protection = match (code, written) {
            (Some(code), Some(written)) => {
                let what = format!(
                    "is code at {:#x}, and {} at {:#x} is written: a page of {page:#x} bytes between them would be both, which \
                     nothing here may be (W^X)",
                    code.address, written.name, written.address
                );
                return Err(malformed(code.name, what));
            }
            (Some(code), None) => code.protection,
            (None, Some(written)) => written.protection,
            (None, None) => Protection::Read,
        };
        group.iter_mut().for_each(|part| part.protection = protection);
        start = end;
    }
    Ok(())
}
