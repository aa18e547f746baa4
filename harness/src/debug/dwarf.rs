//! The debug information of one ELF file, with the addresses that its code has in memory.
//!
//! An object's has relocations, which are for the places where the link put the object's sections. So nothing has to be linked
//! again, and it does not matter who linked. What is not in memory gets the address that readers of DWARF pass over.

use std::collections::HashMap;
use std::sync::Arc;

use gimli::{EndianArcSlice, RunTimeEndian};
use linker::compressed;
use object::{
    CompressionFormat, Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget, SectionFlags, elf,
};

/// Bytes of debug information, which nobody else owns.
pub(super) type Bytes = EndianArcSlice<RunTimeEndian>;

/// Where a section of the file is in memory, by its number and an offset in it.
pub(super) type Placed<'p> = &'p dyn Fn(u32, u64) -> Option<u64>;

/// Sections by name, relocated.
#[derive(Debug)]
pub(super) struct Sections {
    by_name: HashMap<String, Arc<[u8]>>,
    endian: RunTimeEndian,
    /// Bytes of an address.
    pub(super) address_size: u8,
}

impl Sections {
    /// Those of a file. `placed` says where an object's sections are; an executable has its own addresses. None if it is no ELF file, or has no debug information.
    pub(super) fn read(data: &[u8], placed: Placed<'_>) -> Option<Sections> {
        let file = object::File::parse(data).ok()?;
        let mut by_name = HashMap::new();
        for section in file.sections() {
            let Ok(name) = section.name() else { continue };
            // What GNU tools compressed before there was a flag for it has another name.
            let name = name.strip_prefix(".z").map_or_else(|| name.to_owned(), |rest| format!(".{rest}"));
            if name.starts_with(".debug_") {
                by_name.insert(name, relocated(&file, &section, placed)?.into());
            }
        }
        let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let address_size = if file.is_64() { 8 } else { 4 };
        (!by_name.is_empty()).then_some(Sections { by_name, endian, address_size })
    }

    /// A section, which may be empty.
    pub(super) fn get(&self, name: &str) -> Bytes {
        let bytes = self.by_name.get(name).cloned().unwrap_or_else(|| Arc::from([]));
        Bytes::new(bytes, self.endian)
    }

    /// All of it for a reader of lines and functions.
    pub(super) fn dwarf(&self) -> Result<gimli::Dwarf<Bytes>, gimli::Error> {
        gimli::Dwarf::load(|id| Ok(self.get(id.name())))
    }
}

/// Bytes that a section may have when it is unpacked.
const LARGEST: u64 = 1 << 30;

/// A section's bytes, which may be compressed in the file.
fn unpacked(section: &object::Section<'_, '_>) -> Option<Vec<u8>> {
    let content = section.compressed_data().ok()?;
    let size = usize::try_from(content.uncompressed_size).ok().filter(|_| content.uncompressed_size <= LARGEST)?;
    match content.format {
        CompressionFormat::None => Some(content.data.to_vec()),
        CompressionFormat::Zlib => compressed::inflate(content.data, size),
        CompressionFormat::Zstandard => compressed::zstd(content.data, size),
        _ => None,
    }
}

/// A section's bytes with its relocations applied.
fn relocated<'data>(
    file: &object::File<'data>,
    section: &object::Section<'data, '_>,
    placed: Placed<'_>,
) -> Option<Vec<u8>> {
    let mut bytes = unpacked(section)?;
    let is_big = !file.is_little_endian();
    for (offset, relocation) in section.relocations() {
        let width = usize::from(relocation.size() / 8);
        if relocation.kind() != RelocationKind::Absolute || !matches!(width, 4 | 8) {
            continue;
        }
        let Some(field) = usize::try_from(offset).ok().and_then(|at| bytes.get_mut(at..)?.get_mut(..width)) else {
            continue;
        };
        let stored = if relocation.has_implicit_addend() { number(field, is_big) } else { 0 };
        let value = value(file, relocation.target(), stored.wrapping_add(relocation.addend() as u64), placed);
        // Of no code that is there.
        put(field, value.unwrap_or(u64::MAX), is_big);
    }
    Some(bytes)
}

/// What a relocation comes to: an address in memory, or an offset in another section of debug information.
fn value(file: &object::File<'_>, target: RelocationTarget, addend: u64, placed: Placed<'_>) -> Option<u64> {
    let (section, offset) = match target {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index).ok()?;
            // Of a Thumb function the address is wanted, without the bit that says so.
            let thumb = u64::from(!file.is_64() && symbol.kind() == object::SymbolKind::Text);
            (symbol.section_index()?, symbol.address() & !thumb)
        }
        RelocationTarget::Section(index) => (index, 0),
        _ => return None,
    };
    let offset = offset.wrapping_add(addend);
    let SectionFlags::Elf { sh_flags, .. } = file.section_by_index(section).ok()?.flags() else { return None };
    if sh_flags.0 & elf::SHF_ALLOC.0 == 0 { Some(offset) } else { placed(section.0 as u32, offset) }
}

fn number(field: &[u8], is_big: bool) -> u64 {
    let digit = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if is_big { field.iter().fold(0, digit) } else { field.iter().rev().fold(0, digit) }
}

fn put(field: &mut [u8], value: u64, is_big: bool) {
    let width = field.len();
    for (index, byte) in field.iter_mut().enumerate() {
        let place = if is_big { width - 1 - index } else { index };
        *byte = (value >> (8 * place)) as u8;
    }
}
