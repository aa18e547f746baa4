//! ELF relocatable objects into the graph.
//!
//! One pass over the section headers makes sections and blocks, one over the symbols makes symbols, one over the
//! relocation sections makes edges. Everything read is bounds-checked by `object`; what it means is checked here.

use object::elf;
use object::read::elf::{FileHeader, SectionHeader, SectionTable, SymbolTable};
use object::{BigEndian, LittleEndian};

use crate::build::Properties;
use crate::error::{Error, Result, Site, text};
use crate::format::{Defined, Format};
use crate::graph::{Block, Content, Kind, LinkGraph, Section};
use crate::index::{BlockId, GroupId, Id, ObjectId, SectionId, SymbolId};
use crate::limits::Limits;
use crate::memory::{Lifetime, Protection};
use crate::names::Names;
use crate::target::Target;

use identity::Identity;

mod code;
mod compression;
mod frames;
mod identity;
pub(crate) mod properties;
mod relocations;
mod sections;
mod symbols;

/// The format.
pub(crate) const FORMAT: Format =
    Format { name: "ELF", matches, note_properties: properties::note, read, defines, describe: identity::describe };

/// Bytes of the word that ends a run of call-frame records.
const TERMINATOR: u64 = 4;

fn matches(data: &[u8]) -> bool {
    data.starts_with(&elf::ELFMAG)
}

/// Where a section of the object went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// Not part of the link: tables, notes to tools.
    Ignored,
    /// Its group is provided by another object.
    Discarded,
    /// Loaded, or kept for readers of the image.
    Kept(SectionId),
    /// Not part of the link, but something refers to places in it: it has addresses, from 0 on, and no content.
    Outlined(SectionId),
}

/// What is needed to read one object.
struct Reader<'a, 'data, Elf: FileHeader> {
    endian: Elf::Endian,
    graph: &'a mut LinkGraph<'data>,
    names: &'a mut Names<'data>,
    limits: &'a Limits,
    keep_debug: bool,
    object: ObjectId,
    data: &'data [u8],
    sections: SectionTable<'data, Elf>,
    symbols: SymbolTable<'data, Elf>,
    /// By section index.
    slots: Vec<Slot>,
    /// By section index: the group it is a member of.
    groups: Vec<Option<GroupId>>,
    /// By symbol index.
    symbol_ids: Vec<SymbolId>,
    /// What holds of all code of the object.
    properties: Properties,
    /// Bytes of the sections so far.
    loaded: u64,
    /// The same of zero-fill.
    zero: u64,
}

fn read<'data>(
    graph: &mut LinkGraph<'data>,
    names: &mut Names<'data>,
    limits: &Limits,
    keep_debug: bool,
    object: ObjectId,
    data: &'data [u8],
) -> Result<()> {
    let wrong = |problem: String| malformed(Site::file(graph, object), problem);
    let found = Identity::of(data).ok_or_else(|| wrong(format!("is {}", identity::describe(data))))?;
    let wanted = Identity::wanted(graph.target);
    if found.kind != wanted.kind {
        let (sort, purpose) = (found.sort(), found.purpose());
        return Err(wrong(format!(
            "is {sort} for {purpose}, expected an object, as compilers make it, for {}",
            wanted.purpose()
        )));
    }
    if found != wanted {
        return Err(wrong(format!("is for {}, expected an object for {}", found.purpose(), wanted.purpose())));
    }
    let read = match (graph.target.pointer_bits, graph.target.big_endian) {
        (64, false) => read_class::<elf::FileHeader64<LittleEndian>>,
        (64, true) => read_class::<elf::FileHeader64<BigEndian>>,
        (_, false) => read_class::<elf::FileHeader32<LittleEndian>>,
        (_, true) => read_class::<elf::FileHeader32<BigEndian>>,
    };
    read(graph, names, limits, keep_debug, object, data)
}

/// See [`Format::defines`].
fn defines<'data>(target: &Target, data: &'data [u8], tell: &mut dyn FnMut(&'data [u8], Defined)) {
    let defines = match (target.pointer_bits, target.big_endian) {
        (64, false) => symbols::defines::<elf::FileHeader64<LittleEndian>>,
        (64, true) => symbols::defines::<elf::FileHeader64<BigEndian>>,
        (_, false) => symbols::defines::<elf::FileHeader32<LittleEndian>>,
        (_, true) => symbols::defines::<elf::FileHeader32<BigEndian>>,
    };
    // One that cannot be read defines nothing that could be linked.
    let _ = defines(data, tell);
}

fn read_class<'data, Elf: FileHeader>(
    graph: &mut LinkGraph<'data>,
    names: &mut Names<'data>,
    limits: &Limits,
    keep_debug: bool,
    object: ObjectId,
    data: &'data [u8],
) -> Result<()> {
    let site = Site::file(graph, object);
    let wrong = |problem: String| malformed(site.clone(), problem);
    let header = Elf::parse(data).map_err(|error| wrong(format!("ELF header: {error}")))?;
    let endian = header.endian().map_err(|error| wrong(format!("ELF header: {error}")))?;
    let flags = header.e_flags(endian).0;
    if graph.target.big_endian && graph.arch.turns_code() && flags & elf::EF_ARM_BE8.0 != 0 {
        let problem =
            format!("e_flags {flags:#x} has EF_ARM_BE8, which is for linked images: expected code not yet turned");
        return Err(wrong(problem));
    }
    let sections = header.sections(endian, data).map_err(|error| wrong(format!("section headers: {error}")))?;
    let symbols =
        sections.symbols(endian, data, elf::SHT_SYMTAB).map_err(|error| wrong(format!("symbol table: {error}")))?;
    check_overlap::<Elf>(endian, &sections, data).map_err(wrong)?;
    let mut reader = Reader::<Elf> {
        endian,
        slots: vec![Slot::Ignored; sections.len()],
        groups: vec![None; sections.len()],
        symbol_ids: Vec::new(),
        graph,
        names,
        limits,
        keep_debug,
        object,
        data,
        sections,
        symbols,
        properties: Properties::default(),
        loaded: 0,
        zero: 0,
    };
    reader.read_groups()?;
    reader.read_sections()?;
    reader.merge_properties()?;
    let first_mapping = reader.graph.mapping.len();
    reader.read_symbols()?;
    reader.graph.mapping[first_mapping..].sort_by_key(|&(block, offset, _)| (block, offset));
    reader.turn_code(first_mapping);
    reader.read_relocations()
}

/// Sections do not share bytes of the file (ELF specification, Sections), so that all work is bounded by its size.
fn check_overlap<Elf: FileHeader>(
    endian: Elf::Endian,
    sections: &SectionTable<'_, Elf>,
    data: &[u8],
) -> Result<(), String> {
    let in_file = sections.enumerate().filter(|(_, header)| {
        let kind = header.sh_type(endian);
        kind != elf::SHT_NULL && kind != elf::SHT_NOBITS
    });
    let total = in_file.fold(0u64, |total, (_, header)| total.saturating_add(header.sh_size(endian).into()));
    if total > data.len() as u64 {
        let size = data.len();
        return Err(format!("the sections have {total:#x} bytes together, but the file has {size:#x}: they overlap"));
    }
    Ok(())
}

pub(crate) fn malformed(site: Site, problem: String) -> Error {
    Error::Malformed { site: Box::new(site), problem }
}

impl<'data, Elf: FileHeader> Reader<'_, 'data, Elf> {
    fn site(&self) -> Site {
        Site::file(self.graph, self.object)
    }

    /// The place of section number `index`, by name where it has one.
    fn section_site(&self, index: usize) -> Site {
        let name = self.header(index).and_then(|header| self.sections.section_name(self.endian, header).ok());
        let section = name.filter(|name| !name.is_empty()).map_or(format!("section {index}"), text);
        Site { section: Some(section), ..self.site() }
    }

    fn header(&self, index: usize) -> Option<&'data Elf::SectionHeader> {
        self.sections.section(object::SectionIndex(index)).ok()
    }

    fn add_section(&mut self, section: Section<'data>) -> SectionId {
        self.graph.sections.push(section)
    }

    fn add_block(&mut self, section: SectionId, content: Content<'data>, alignment: u64, origin: u64) -> BlockId {
        let id = self.graph.blocks.push(Block {
            section,
            content,
            alignment,
            edges: 0..0,
            live: true,
            address: 0,
            segment: 0,
            parent: None,
            origin,
        });
        self.graph.sections[section].blocks.end += 1;
        id
    }

    /// Where `offset` of a section is: an offset from one of its blocks, which may lie outside of it. It wraps.
    fn place_of(&self, section: SectionId, offset: u64) -> (BlockId, u64) {
        if let Some(place) = self.block_at(section, offset) {
            return place;
        }
        let blocks = &self.graph.sections[section].blocks;
        let slice = &self.graph.blocks.as_slice()[blocks.start as usize..blocks.end as usize];
        let index = slice.partition_point(|block| block.origin <= offset).saturating_sub(1);
        let origin = slice.get(index).map_or(0, |block| block.origin);
        (BlockId::new(blocks.start as usize + index), offset.wrapping_sub(origin))
    }

    /// The block that holds `offset` of a section, and the offset in it. The end of the last block counts, and a
    /// terminator of call-frame records, which is no block of its own, is taken to be the end of the record before it.
    fn block_at(&self, section: SectionId, offset: u64) -> Option<(BlockId, u64)> {
        let blocks = &self.graph.sections[section].blocks;
        let slice = &self.graph.blocks.as_slice()[blocks.start as usize..blocks.end as usize];
        let behind = slice.partition_point(|block| block.origin <= offset);
        let index = behind.checked_sub(1)?;
        let inside = offset - slice[index].origin;
        let id = BlockId::new(blocks.start as usize + index);
        let size = slice[index].content.size();
        if self.graph.sections[section].kind == Kind::Frames && inside > size && inside <= size + TERMINATOR {
            return Some((id, size));
        }
        (inside <= size).then_some((id, inside))
    }
}

/// What the flags and the name of a section say about its memory.
struct Nature {
    protection: Protection,
    lifetime: Lifetime,
    relro: bool,
    thread_local: bool,
    retain: bool,
    reversed: bool,
    pure_code: bool,
    kind: Kind,
}
