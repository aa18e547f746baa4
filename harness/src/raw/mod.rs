//! A raw binary (`objcopy -O binary`): bytes without a word about them. The linker's map says what they are: which sections there
//! are, where each is, and where symbols are. The two together are as much of an image as running and judging it takes.
//!
//! A map has no flags. What a section holds follows from its name, or else from those of its input sections (`kind`).

mod kind;

use std::ops::Range;

use linker::Target;
use linker::memory::Protection;
use object::elf;

use crate::map::{Map, Section, Symbol};

pub use self::kind::Kind;

/// The thread-local variables of a raw binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadLocal {
    /// Where the initial image is.
    pub address: u64,
    /// Bytes, those that begin as zero included.
    pub size: u64,
    /// Bytes that are in the file.
    pub content: u64,
    /// Their alignment: what the map says, or else as much of two pointers as the address is a multiple of.
    pub alignment: u64,
}

/// A raw binary that is understood.
#[derive(Debug)]
pub struct Raw<'data> {
    /// What is in memory, by address.
    pub parts: Vec<Part<'data>>,
    /// Its thread-local variables.
    pub thread_local: Option<ThreadLocal>,
    /// The symbols of the map that are in a part, or in thread-local variables.
    pub symbols: Vec<Named<'data>>,
}

/// A section in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'data> {
    /// Its name.
    pub name: &'data str,
    /// Where it is when the program runs.
    pub address: u64,
    /// Where the binary has it.
    pub load: u64,
    /// Bytes of memory.
    pub size: u64,
    /// Its bytes; none if it begins as zeros.
    pub bytes: &'data [u8],
    /// What the program may do with it.
    pub protection: Protection,
}

impl Part<'_> {
    /// What an ELF file would call it: tables of relocations and arrays of functions are told by their names.
    pub fn section_type(&self) -> elf::SectionType {
        let is = |word: &str| self.name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        TYPES.iter().find(|(name, _)| is(name)).map_or(elf::SHT_PROGBITS, |(_, kind)| *kind)
    }
}

const TYPES: [(&str, elf::SectionType); 5] = [
    (".preinit_array", elf::SHT_PREINIT_ARRAY),
    (".init_array", elf::SHT_INIT_ARRAY),
    (".fini_array", elf::SHT_FINI_ARRAY),
    (".rela", elf::SHT_RELA),
    (".rel", elf::SHT_REL),
];

/// A symbol with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'data> {
    /// Its name.
    pub name: &'data str,
    /// An address without the Thumb bit, or the offset of a thread-local variable.
    pub value: u64,
    /// Bytes, or 0.
    pub size: u64,
    /// What it is, as far as the place says it.
    pub is: Is,
}

/// What a symbol of a map names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// A place in code: a function, and whether it is Thumb code.
    Function(bool),
    /// A place in data.
    Object,
    /// A thread-local variable.
    ThreadLocal,
    /// The bytes from here on are of another sort: a mapping symbol.
    Mapping,
}

impl<'data> Raw<'data> {
    /// Understands the bytes of a file by a map. The first of them is at `at`, or where the map has its first section with bytes.
    ///
    /// # Errors
    /// What the map and the file do not agree on.
    pub fn read(target: &Target, data: &'data [u8], map: &'data Map, at: Option<u64>) -> Result<Raw<'data>, String> {
        let kinds: Vec<Kind> = map.sections.iter().map(kind::of).collect();
        // What nobody knows and has no address is not loaded.
        let is_loaded = |section: &Section, kind: Kind| kind != Kind::Unknown || section.address != 0;
        let has_bytes =
            |(section, kind): &(&Section, &Kind)| kind.has_bytes() && section.size > 0 && is_loaded(section, **kind);
        let first = || map.sections.iter().zip(&kinds).filter(has_bytes).map(|(section, _)| section.load).min();
        let at = at.or_else(first).ok_or("the map has no section with code or data: say with --at where it begins")?;
        let file = File { data, at };
        let mut parts = Vec::new();
        for (section, kind) in map.sections.iter().zip(&kinds) {
            if section.size > 0
                && let Some(protection) = kind.protection()
                && let Some(bytes) = file.bytes(target, section, *kind)?
            {
                let Section { name, address, load, size, .. } = section;
                parts.push(Part { name, address: *address, load: *load, size: *size, bytes, protection });
            }
        }
        parts.sort_by_key(|part| part.address);
        if parts.iter().all(|part| part.bytes.is_empty()) {
            return Err(format!("no section of the map is in the file, which has {:#x} to {:#x}", at, file.end()));
        }
        for pair in parts.windows(2) {
            if pair[0].address + pair[0].size > pair[1].address {
                return Err(format!(
                    "the map has {} at {:#x} with {:#x} bytes, and {} over it at {:#x}: overlays are not known here",
                    pair[0].name, pair[0].address, pair[0].size, pair[1].name, pair[1].address
                ));
            }
        }
        let thread_local = thread_local(target, map, &kinds);
        let symbols = symbols(target, map, &kinds, &parts, thread_local);
        Ok(Raw { parts, thread_local, symbols })
    }

    /// Where initial values are that start-up code copies to where they are wanted: bytes of the file at addresses that no part has.
    pub fn stored(&self) -> impl Iterator<Item = &Part<'data>> {
        let taken = |range: &Range<u64>| {
            self.parts.iter().any(|part| part.address < range.end && range.start < part.address + part.size)
        };
        let stored = self.parts.iter().filter(|part| part.load != part.address && !part.bytes.is_empty());
        stored.filter(move |part| !taken(&(part.load..part.load.saturating_add(part.size))))
    }
}

/// The bytes of the file.
struct File<'data> {
    data: &'data [u8],
    at: u64,
}

impl<'data> File<'data> {
    /// The first address behind it.
    fn end(&self) -> u64 {
        self.at.saturating_add(self.data.len() as u64)
    }

    /// The bytes of a section: none for one of zeros. `None`: it is no part of the program.
    fn bytes(&self, target: &Target, section: &Section, kind: Kind) -> Result<Option<&'data [u8]>, String> {
        let Section { name, address, load, size, .. } = section;
        let last = address.checked_add(size - 1).filter(|last| target.wrap(*last) == *last && *last < u64::MAX);
        if last.is_none() {
            return Err(format!(
                "the map has {name} at {address:#x} with {size:#x} bytes, which is beyond the last address"
            ));
        }
        if !kind.has_bytes() {
            return Ok(Some(&[]));
        }
        let end = load.saturating_add(*size);
        if load.checked_add(*size).is_none_or(|end| target.wrap(end - 1) != end - 1) {
            return Err(format!(
                "the map has the values of {name} at {load:#x} with {size:#x} bytes, which is beyond the last address"
            ));
        }
        if *load >= self.at && end <= self.end() {
            let start = (load - self.at) as usize;
            return Ok(self.data.get(start..start + *size as usize));
        }
        let outside = end <= self.at || *load >= self.end();
        match kind {
            Kind::Unknown if outside && *address == 0 => Ok(None),
            Kind::Unknown if outside => Ok(Some(&[])),
            _ => Err(format!(
                "the map has {name} at {load:#x} to {end:#x}, and the file has {:#x} to {:#x}: it is of another link, or --at is \
                 another address",
                self.at,
                self.end()
            )),
        }
    }
}

/// The sections of thread-local variables, which follow each other.
fn thread_local(target: &Target, map: &Map, kinds: &[Kind]) -> Option<ThreadLocal> {
    let own = || map.sections.iter().zip(kinds).filter(|(section, kind)| kind.is_thread_local() && section.size > 0);
    let first = own().next()?.0;
    let end = own().map(|(section, _)| section.address.saturating_add(section.size)).max()?;
    let with_bytes = own().filter(|(_, kind)| **kind == Kind::ThreadData);
    let content = with_bytes.map(|(section, _)| section.address.saturating_add(section.size)).max();
    let said = own().filter_map(|(section, _)| section.alignment).max();
    let alignment = said.filter(|alignment| alignment.is_power_of_two());
    // Where it stands is a multiple of its alignment. Up to two pointers, that makes no difference to where threads have it.
    let stands = 1 << first.address.trailing_zeros().min(8);
    Some(ThreadLocal {
        address: first.address,
        size: end.saturating_sub(first.address),
        content: content.map_or(0, |end| end.saturating_sub(first.address)),
        alignment: alignment.unwrap_or(stands.min(2 * target.pointer_bytes() as u64)),
    })
}

/// The symbols with what their places say of them.
fn symbols<'data>(
    target: &Target,
    map: &'data Map,
    kinds: &[Kind],
    parts: &[Part<'_>],
    thread_local: Option<ThreadLocal>,
) -> Vec<Named<'data>> {
    // What a mapping symbol said last of the code that follows.
    let mut state = None;
    let mut named = Vec::new();
    for Symbol { name, value, size, section } in &map.symbols {
        let kind = section.map_or(Kind::Unknown, |section| kinds[section]);
        let known = |is, value| Some(Named { name, value, size: *size, is });
        if let Some(bytes) = target.architecture.mapping(name.as_bytes()) {
            state = Some(bytes);
            named.extend(known(Is::Mapping, *value).filter(|_| !kind.is_thread_local()));
            continue;
        }
        if kind.is_thread_local() {
            // An address, or the offset already.
            let start = thread_local.map_or(0, |image| image.address);
            named.extend(known(Is::ThreadLocal, value.checked_sub(start).unwrap_or(*value)));
            continue;
        }
        let behind = parts.partition_point(|part| part.address <= *value);
        let part = parts[..behind].last().filter(|part| value - part.address <= part.size);
        let Some(part) = part else { continue };
        named.extend(if part.protection.executable() && value - part.address < part.size {
            let (place, flags) = target.architecture.symbol_value(*value, true);
            let thumb = match state {
                _ if flags.has(linker::graph::Flags::THUMB) => true,
                Some(linker::graph::Bytes::Thumb) => true,
                Some(linker::graph::Bytes::Data) | None => target.thumb,
                Some(_) => false,
            };
            known(Is::Function(thumb), place)
        } else {
            known(Is::Object, *value)
        });
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "Linker script and memory map\n\n.text 0x8000 0x10\n .text 0x8000 0x10 a.o\n 0x8000 x\n                \
                       0x0000000000008004                f\n.data 0x20000000 0x8 load address 0x8010\n .data 0x20000000 0x8 a.o\n\
                       .bss 0x20000008 0x4 load address 0x8018\n .bss 0x20000008 0x4 a.o\n.debug_info 0x0 0x100\n .debug_info 0x0 \
                       0x100 a.o\n";

    fn read(data: &[u8], at: Option<u64>) -> Result<String, String> {
        let map = Map::read(MAP.as_bytes()).unwrap();
        let target = Target::named("thumbv7m").unwrap();
        let raw = Raw::read(target, data, &map, at)?;
        let shown = raw.parts.iter().map(|part| {
            format!(
                "{} {:#x} {:#x} {:?} {}",
                part.name,
                part.address,
                part.size,
                part.bytes.first(),
                part.protection.letters()
            )
        });
        let symbols = raw.symbols.iter().map(|one| format!("{} {:#x} {:?}", one.name, one.value, one.is));
        let stored = raw.stored().map(|part| format!("stored {:#x}", part.load));
        Ok(shown.chain(symbols).chain(stored).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn what_is_where() {
        let data: Vec<u8> = (0..0x18).collect();
        let expected = ".text 0x8000 0x10 Some(0) r-x, .data 0x20000000 0x8 Some(16) rw-, .bss 0x20000008 0x4 None rw-, f 0x8004 \
                        Function(true), stored 0x8010";
        assert_eq!(read(&data, None).unwrap(), expected);
        assert_eq!(read(&data, Some(0x8000)).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit() {
        let error = read(&[0; 0x14], None).unwrap_err();
        assert!(error.contains(".data at 0x8010 to 0x8018") && error.contains("0x8000 to 0x8014"), "{error}");
        let error = read(&[0; 0x18], Some(0x9000)).unwrap_err();
        assert!(error.contains(".text at 0x8000 to 0x8010"), "{error}");
    }
}
