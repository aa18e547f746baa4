//! A raw binary and its map as an image.

use linker::Target;
use linker::memory::Protection;
use object::elf;
use rustc_hash::FxHashMap;

use super::elf::{Elf, Place, Section, Segment, Symbol};
use super::image::Image;
use super::object::Object;
use crate::raw::{Is, Part, Raw};

/// Makes the image. Which symbols are functions, and of which instruction set, a map does not say: the objects that define them do. Those
/// that no object defines are the linker's own.
pub(super) fn image<'a>(target: &'static Target, raw: &Raw<'a>, objects: &[Object<'_>]) -> Result<Image<'a>, String> {
    let sections: Vec<Section<'a>> = raw.parts.iter().map(section).collect();
    let mut segments: Vec<Segment<'a>> = raw.parts.iter().map(|part| segment(elf::PT_LOAD, part)).collect();
    if let Some(image) = raw.thread_local {
        let sections = objects.iter().flat_map(|object| &object.elf.sections);
        let own = sections.filter(|section| section.flags & elf::SHF_TLS.0 != 0).map(|section| section.alignment);
        segments.push(Segment {
            kind: elf::PT_TLS.0,
            flags: elf::PF_R.0,
            address: image.address,
            size: image.size,
            align: own.max().unwrap_or(image.alignment),
            data: &[],
        });
    }
    let elf = Elf {
        bits: target.pointer_bits,
        big_endian: target.big_endian,
        machine: target.machine,
        kind: elf::ET_EXEC.0,
        sections,
        segments,
        symbols: symbols(raw, objects),
        dynamic_symbols: Vec::new(),
    };
    let bytes: u64 = raw.parts.iter().map(|part| part.bytes.len() as u64).sum();
    Image::of(target, elf, bytes)
}

fn section<'a>(part: &Part<'a>) -> Section<'a> {
    let flag = |is: bool, flag: elf::SectionFlags| if is { flag.0 } else { 0 };
    Section {
        name: part.name.as_bytes(),
        kind: if part.bytes.is_empty() { elf::SHT_NOBITS.0 } else { part.section_type().0 },
        flags: elf::SHF_ALLOC.0
            | flag(part.protection == Protection::ReadWrite, elf::SHF_WRITE)
            | flag(part.protection == Protection::ReadExecute, elf::SHF_EXECINSTR),
        address: part.address,
        size: part.size,
        link: 0,
        info: 0,
        entry_size: 0,
        alignment: 1,
        data: part.bytes,
    }
}

fn segment<'a>(kind: elf::ProgramType, part: &Part<'a>) -> Segment<'a> {
    let (address, size, data) = (part.address, part.size, part.bytes);
    Segment { kind: kind.0, flags: elf::PF_R.0, address, size, align: 1, data }
}

/// The global symbols of the objects where the map has them, and those that none of them defines.
fn symbols<'a>(raw: &Raw<'a>, objects: &[Object<'_>]) -> Vec<Symbol<'a>> {
    let mut defined: FxHashMap<&[u8], &Symbol<'_>> = FxHashMap::default();
    let mut local = rustc_hash::FxHashSet::default();
    for symbol in objects.iter().flat_map(|object| &object.elf.symbols) {
        match symbol.place {
            Place::Undefined => {}
            _ if symbol.is_local() => {
                local.insert(symbol.name);
            }
            _ => {
                defined.entry(symbol.name).or_insert(symbol);
            }
        }
    }
    let symbol = |named: &crate::raw::Named<'a>| {
        let name = named.name.as_bytes();
        let own = defined.get(name);
        // Maps of some linkers have local symbols, and do not say so.
        if named.is == Is::Mapping || own.is_none() && local.contains(name) {
            return None;
        }
        let thumb = own.is_some_and(|symbol| symbol.is_function() && symbol.value & 1 != 0);
        Some(Symbol {
            name,
            value: named.value | u64::from(thumb),
            size: named.size,
            kind: own.map_or(elf::STT_NOTYPE.0, |symbol| symbol.kind),
            binding: elf::STB_GLOBAL.0,
            place: Place::Section(0),
        })
    };
    raw.symbols.iter().filter_map(symbol).collect()
}
