//! Relocation sections into edges.

use object::elf;
use object::read::elf::{FileHeader, Rel, Rela, SectionHeader, Sym};

use super::{Reader, Slot, malformed};
use crate::error::{Error, Result, Site};
use crate::graph::{Definition, Edge, nothing};
use crate::index::{BlockId, Id, SectionId};
use crate::memory::Lifetime;
use crate::relocation::Class;

/// A relocation as it stands in the object.
struct Raw {
    offset: u64,
    number: u32,
    symbol: usize,
    /// None: stored in the place.
    addend: Option<i64>,
}

impl<'data, Elf: FileHeader> Reader<'_, 'data, Elf> {
    pub(super) fn read_relocations(&mut self) -> Result<()> {
        // Edges are sorted by block, so the targets are taken in their order, whatever the order of the tables.
        let mut tables: Vec<(SectionId, usize)> = Vec::new();
        let mut bytes = 0;
        for (index, header) in self.sections.enumerate() {
            let kind = header.sh_type(self.endian);
            if ![elf::SHT_REL, elf::SHT_RELA, elf::SHT_CREL].contains(&kind) {
                continue;
            }
            let target = header.sh_info(self.endian) as usize;
            match self.slots.get(target) {
                Some(Slot::Kept(section)) => {
                    bytes += header.data(self.endian, self.data).map_or(0, <[u8]>::len);
                    tables.push((*section, index.0));
                }
                Some(_) => {}
                None => {
                    let problem = format!("sh_info is {target}, expected the section that the relocations are for");
                    return Err(malformed(self.section_site(index.0), problem));
                }
            }
        }
        tables.sort();
        // Tables may overlap, so their sizes say little about the file's.
        let expected = bytes.min(self.data.len()) / size_of::<Elf::Rela>();
        // With some room for what the linker adds.
        self.graph.edges.reserve(expected + expected / 8);
        for tables in tables.chunk_by(|a, b| a.0 == b.0) {
            let first = self.graph.edges.len();
            for &(section, table) in tables {
                self.read_table(section, table)?;
            }
            self.sort_edges(tables[0].0, first);
        }
        Ok(())
    }

    fn read_table(&mut self, section: SectionId, table: usize) -> Result<()> {
        let Some(header) = self.header(table) else { return Ok(()) };
        let wrong = |error: object::Error| malformed(self.section_site(table), format!("relocations: {error}"));
        // Relocations mostly come in order: the next one is in the block of the last.
        let mut near = None;
        if let Some((relocations, _)) = header.rela(self.endian, self.data).map_err(wrong)? {
            self.graph.edges.reserve(relocations.len());
            for entry in relocations {
                let addend = entry.r_addend(self.endian).into();
                let (number, symbol) = (entry.r_type(self.endian, false).0, entry.r_sym(self.endian, false) as usize);
                let offset = entry.r_offset(self.endian).into();
                near = self.edge(section, near, Raw { offset, number, symbol, addend: Some(addend) });
            }
        } else if let Some((relocations, _)) = header.rel(self.endian, self.data).map_err(wrong)? {
            self.graph.edges.reserve(relocations.len());
            for entry in relocations {
                let (number, symbol) = (entry.r_type(self.endian).0, entry.r_sym(self.endian) as usize);
                let offset = entry.r_offset(self.endian).into();
                near = self.edge(section, near, Raw { offset, number, symbol, addend: None });
            }
        } else if let Some((relocations, _)) = header.crel(self.endian, self.data).map_err(wrong)? {
            // Each takes a byte at least, whatever their number is said to be.
            let bytes = header.data(self.endian, self.data).map_or(0, <[u8]>::len);
            self.graph.edges.reserve(relocations.len().min(bytes));
            let stored = !relocations.is_rela();
            for entry in relocations {
                let entry =
                    entry.map_err(|error| malformed(self.section_site(table), format!("relocations: {error}")))?;
                // Addends are as wide as addresses.
                let addend =
                    if self.graph.target.pointer_bits == 64 { entry.r_addend } else { entry.r_addend as i32 as i64 };
                let (offset, number, symbol) = (entry.r_offset, entry.r_type.0, entry.r_sym as usize);
                let offset = self.graph.target.wrap(offset);
                let raw = Raw { offset, number, symbol, addend: (!stored).then_some(addend) };
                near = self.edge(section, near, raw);
            }
        }
        Ok(())
    }

    /// Outlines the section that a section symbol is for, if what refers to it is loaded.
    #[cold]
    fn outline_target(&mut self, section: SectionId, raw: &Raw) -> Result<()> {
        let index = object::SymbolIndex(raw.symbol);
        if self.graph.sections[section].lifetime == Lifetime::NoAlloc {
            return Ok(());
        }
        let Ok(symbol) = self.symbols.symbol(index) else { return Ok(()) };
        let Some((number, slot)) = self.slot_of(index, symbol) else { return Ok(()) };
        let outlined = match slot {
            Slot::Outlined(outlined) => Some(outlined),
            Slot::Ignored => self.outline(number)?,
            _ => None,
        };
        if let (Some(outlined), Some(&id)) = (outlined, self.symbol_ids.get(raw.symbol)) {
            let (block, offset) = self.place_of(outlined, symbol.st_value(self.endian).into());
            self.graph.symbols[id].definition = Definition::Block(block, offset);
        }
        Ok(())
    }

    /// Adds an edge, or keeps why there is none. The block to look at first for the next one.
    #[inline]
    fn edge(&mut self, section: SectionId, near: Option<BlockId>, raw: Raw) -> Option<BlockId> {
        match self.add_edge(section, near, raw) {
            Ok(block) => Some(block),
            Err(error) => {
                self.graph.unread.push(error);
                near
            }
        }
    }

    #[inline]
    fn add_edge(&mut self, section: SectionId, near: Option<BlockId>, raw: Raw) -> Result<BlockId> {
        let target = self.symbol_ids.get(raw.symbol);
        if target.is_some_and(|&id| self.graph.symbols[id].definition == Definition::Discarded) {
            self.outline_target(section, &raw)?;
        }
        let graph = &*self.graph;
        let site = |relocation: Option<&'static str>| Site {
            offset: Some(raw.offset),
            relocation,
            ..Site::section(graph, section)
        };
        let kind = graph.arch.row(raw.number).ok_or_else(|| Error::UnknownRelocation {
            site: Box::new(site(None)),
            number: raw.number,
            architecture: graph.arch.name(),
        })?;
        let row = graph.row_of(kind);
        if !row.standing.is_static() {
            return Err(Error::NotStatic { site: Box::new(site(Some(row.name))), standing: row.standing });
        }
        let &target = self.symbol_ids.get(raw.symbol).ok_or_else(|| {
            let problem = format!("symbol index {} is outside the symbol table", raw.symbol);
            malformed(site(Some(row.name)), problem)
        })?;
        if target == nothing() && raw.symbol != 0 {
            let problem =
                format!("symbol {} names a file or what bytes are, expected one that names a place", raw.symbol);
            return Err(malformed(site(Some(row.name)), problem));
        }
        let block =
            near.and_then(|near| self.block_near(near, raw.offset)).or_else(|| self.block_at(section, raw.offset));
        let place = block.and_then(|(block, inside)| {
            let bytes = graph.blocks[block].content.bytes();
            bytes.get(inside as usize..)?.get(..row.field.unit.size())
        });
        let (Some((block, inside)), Some(place)) = (block, place) else {
            let contents = || graph.sections[section].block_ids().map(|block| &graph.blocks[block].content);
            let size = contents().map(|content| content.size()).sum::<u64>();
            let has = if contents().all(|content| content.is_zero()) { "no content, as SHT_NOBITS: " } else { "" };
            let problem = format!(
                "r_offset needs {} bytes of content at {:#x}, but the section has {has}{size:#x} bytes",
                row.field.unit.size(),
                raw.offset
            );
            return Err(malformed(site(Some(row.name)), problem));
        };
        let mut edge = Edge { addend: 0, offset: inside as u32, target, block, kind };
        edge.addend = match raw.addend {
            Some(addend) => addend,
            None => {
                let word = row.field.unit.read(place, graph.target.big_endian).unwrap_or(0);
                if !row.field.carries(word) {
                    return Err(crate::fixup::opcode_error(graph, &edge, word));
                }
                let code = &graph.blocks[block].content.bytes()[..inside as usize];
                graph.arch.stored_addend(row, row.field.decode(word), code).map_err(|expected| {
                    malformed(site(Some(row.name)), format!("the place holds {word:#x}, expected {expected}"))
                })?
            }
        };
        self.graph.edges.push(edge);
        Ok(block)
    }

    /// What `block_at` finds, if that is `near` or the block behind it in the section.
    #[inline]
    fn block_near(&self, near: BlockId, offset: u64) -> Option<(BlockId, u64)> {
        let blocks = &self.graph.blocks.as_slice()[near.index()..];
        let section = blocks[0].section;
        blocks.iter().take(2).zip(near.index()..).find_map(|(block, index)| {
            let inside = offset.checked_sub(block.origin)?;
            let holds = block.section == section && inside < block.content.size();
            holds.then_some((BlockId::new(index), inside))
        })
    }

    /// Sorts the edges of a section by block and offset, where they are not already, and gives each block its range.
    fn sort_edges(&mut self, section: SectionId, first: usize) {
        let rows = self.graph.arch.rows();
        let edges = &mut self.graph.edges.as_mut_slice()[first..];
        // An instruction that replaces another comes after whatever else is said of it.
        let order = |a: &Edge, b: &Edge| {
            let replaces = |edge: &Edge| rows[edge.kind as usize].class == Class::Patch;
            (a.block, a.offset).cmp(&(b.block, b.offset)).then_with(|| replaces(a).cmp(&replaces(b)))
        };
        if !edges.is_sorted_by(|a, b| order(a, b).is_le()) {
            edges.sort_by(order);
        }
        let mut at = 0;
        let edges = &self.graph.edges.as_slice()[first..];
        for block in self.graph.sections[section].block_ids().collect::<Vec<BlockId>>() {
            let count = edges[at..].partition_point(|edge| edge.block <= block);
            let range = (first + at) as u32..(first + at + count) as u32;
            at += count;
            self.graph.blocks[block].edges = range;
        }
    }
}
