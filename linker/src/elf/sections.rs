//! Sections: which of them take part, and what their flags mean.

use object::elf;
use object::read::elf::{FileHeader, SectionHeader, Sym};

use super::properties::NOTE;
use super::{Nature, Reader, Slot, malformed};
use crate::error::{Error, Result};
use crate::graph::{Content, Kind, Section};
use crate::index::SectionId;
use crate::memory::{Lifetime, Protection};

const SHT_ARM_ATTRIBUTES: u32 = elf::SHT_ARM_ATTRIBUTES.0;

const SHT_GNU_SFRAME: u32 = 0x6fff_fff4;

/// Sections for whoever reads the object.
const TABLES: [elf::SectionType; 8] = [
    elf::SHT_NULL,
    elf::SHT_SYMTAB,
    elf::SHT_STRTAB,
    elf::SHT_REL,
    elf::SHT_RELA,
    elf::SHT_GROUP,
    elf::SHT_SYMTAB_SHNDX,
    elf::SHT_CREL,
];

/// SHT_AARCH64_MEMTAG_GLOBALS_STATIC and _DYNAMIC (Memtag Extension to ELF for the Arm 64-bit Architecture).
const MEMTAG: [u32; 2] = [0x7000_0007, 0x7000_0008];

/// SHF_AARCH64_PURECODE and SHF_ARM_PURECODE.
const PURE_CODE: u64 = 0x2000_0000;

/// How the names of sections begin of which a link keeps the first one.
const ONCE: &[u8] = b".gnu.linkonce.";
const ONCE_DEBUG: &[u8] = b".gnu.linkonce.wi.";

/// The flags by which a section stands for another.
const ALIKE: u64 = elf::SHF_ALLOC.0 | elf::SHF_WRITE.0 | elf::SHF_EXECINSTR.0 | elf::SHF_TLS.0;

/// Whether a section takes part.
enum Part {
    /// It is linked.
    Taken,
    /// Nothing of it is, and nothing can refer to it.
    LeftOut,
    /// It says something to the linker or to others, and is not linked.
    None,
}

/// Names of sections that are written by relocation only: read-only once that is done.
const RELRO: &[&[u8]] =
    &[b".data.rel.ro", b".init_array", b".fini_array", b".preinit_array", b".ctors", b".dtors", b".got"];

/// Names of sections that are looked at by whoever starts the program, and by nobody in it.
const RETAINED: &[&[u8]] =
    &[b".init", b".fini", b".ctors", b".dtors", b".init_array", b".fini_array", b".preinit_array"];

/// Whether `name` is one of `list`, or one of them with a suffix behind a dot.
fn named(name: &[u8], list: &[&[u8]]) -> bool {
    list.iter().any(|stem| name.strip_prefix(*stem).is_some_and(|rest| rest.is_empty() || rest[0] == b'.'))
}

/// The number behind the last dot; a section of an array without one comes after all that have one.
fn priority(name: &[u8]) -> u32 {
    let digits = name.rsplit(|&c| c == b'.').next().unwrap_or_default();
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX)
}

impl<'data, Elf: FileHeader> Reader<'_, 'data, Elf> {
    /// Section groups: of each COMDAT signature the first one in the link stays, the members of the others go.
    pub(super) fn read_groups(&mut self) -> Result<()> {
        for (index, header) in self.sections.enumerate() {
            if header.sh_type(self.endian) != elf::SHT_GROUP {
                continue;
            }
            let site = self.section_site(index.0);
            let wrong = |problem: &str| malformed(site.clone(), problem.to_owned());
            let Some((flag, members)) =
                header.group(self.endian, self.data).map_err(|error| wrong(&format!("section group: {error}")))?
            else {
                continue;
            };
            let signature = self
                .symbols
                .symbol(object::SymbolIndex(header.sh_info(self.endian) as usize))
                .and_then(|symbol| self.signature(symbol, object::SymbolIndex(header.sh_info(self.endian) as usize)))
                .map_err(|_| wrong("sh_info of a section group is not the index of a named symbol"))?;
            let comdat = (flag & elf::GRP_COMDAT).0 != 0;
            let single = match members {
                [member] if comdat => self.header(member.get(self.endian) as usize),
                _ => None,
            };
            let single = single.map(|header| (signature, header.sh_flags(self.endian).0 & ALIKE));
            let stood_in = single.is_some_and(|single| self.names.single.contains(&single));
            let first = !comdat || self.names.groups.insert(signature) && !stood_in;
            if first && let Some(single) = single {
                self.names.single.insert(single);
            }
            let group = self.names.next_group();
            for member in members {
                if let Some(known) = self.groups.get_mut(member.get(self.endian) as usize) {
                    *known = Some(group);
                }
                let slot = self.slots.get_mut(member.get(self.endian) as usize);
                let slot = slot.ok_or_else(|| wrong("a member of the section group does not exist"))?;
                if !first {
                    *slot = Slot::Discarded;
                }
            }
        }
        Ok(())
    }

    /// The name that a group goes by: its symbol's, or that of the section which the symbol stands for.
    fn signature(&self, symbol: &'data Elf::Sym, index: object::SymbolIndex) -> object::Result<&'data [u8]> {
        if symbol.st_type() != elf::STT_SECTION {
            return self.symbols.symbol_name(self.endian, symbol);
        }
        match self.symbols.symbol_section(self.endian, symbol, index)? {
            Some(section) => self.sections.section_name(self.endian, self.sections.section(section)?),
            None => self.symbols.symbol_name(self.endian, symbol),
        }
    }

    pub(super) fn read_sections(&mut self) -> Result<()> {
        for (index, header) in self.sections.enumerate() {
            let index = index.0;
            let kind = header.sh_type(self.endian);
            if kind.0 == SHT_ARM_ATTRIBUTES {
                self.read_attributes(index, header)?;
            }
            if self.slots[index] == Slot::Discarded {
                continue;
            }
            match self.part(index, header)? {
                Part::Taken => {
                    let section = self.read_section(index, header, false)?;
                    self.slots[index] = Slot::Kept(section);
                }
                Part::LeftOut => self.slots[index] = Slot::Discarded,
                Part::None => {}
            }
        }
        self.link_sections()
    }

    /// Whether the object is one that compilers put first and last, by its name as in GNU ld's linker scripts.
    fn is_start_file(&self) -> bool {
        let object = &self.graph.objects[self.object];
        let name = object.member.unwrap_or(object.file.as_bytes());
        ["crtbegin", "crtend"].iter().any(|stem| {
            let rest = name.rsplit(|&c| c == b'/').next().and_then(|name| name.strip_prefix(stem.as_bytes()));
            rest.and_then(|rest| rest.strip_suffix(b".o")).is_some_and(|letter| letter.len() <= 1)
        })
    }

    /// Reads a section; when it is only outlined, without its content.
    pub(super) fn read_section(
        &mut self,
        index: usize,
        header: &'data Elf::SectionHeader,
        outlined: bool,
    ) -> Result<SectionId> {
        let flags = header.sh_flags(self.endian).0;
        let kind = header.sh_type(self.endian);
        let name = self.name(index, header)?;
        let nature = self.nature(index, name, kind, flags)?;
        let mut alignment = self.alignment(index, header)?;
        let size: u64 = header.sh_size(self.endian).into();
        let content = if kind == elf::SHT_NOBITS || outlined {
            Content::Zero(size)
        } else {
            let bytes = header.data(self.endian, self.data).map_err(|_| {
                malformed(self.section_site(index), "sh_offset and sh_size reach beyond the end of the file".into())
            })?;
            if flags & elf::SHF_COMPRESSED.0 == 0 {
                Content::Borrowed(bytes)
            } else {
                let unpacked = self.unpack(index, header, self.limits.size.saturating_sub(self.loaded))?;
                alignment = self.check_alignment(index, unpacked.1)?;
                Content::Owned(unpacked.0)
            }
        };
        let (sum, limit) = match content {
            Content::Zero(_) => (&mut self.zero, self.limits.zero),
            _ => (&mut self.loaded, self.limits.size),
        };
        *sum = sum.saturating_add(content.size());
        let sum = *sum;
        if sum > limit || content.size() > u64::from(u32::MAX) {
            let what = format!("the size of the sections, {sum:#x} bytes up to here,");
            let site = Box::new(self.section_site(index));
            let limit = if sum > limit { limit } else { u32::MAX.into() };
            return Err(Error::Limit { site, what, limit });
        }
        let blocks = self.graph.blocks.len() as u32;
        let section = self.add_section(Section {
            name,
            object: self.object,
            ordinal: index as u32,
            kind: nature.kind,
            protection: nature.protection,
            lifetime: nature.lifetime,
            relro: nature.relro,
            thread_local: nature.thread_local,
            retain: nature.retain,
            pure_code: nature.pure_code,
            group: self.groups.get(index).copied().flatten(),
            link: None,
            blocks: blocks..blocks,
            reversed: nature.reversed,
        });
        match (nature.kind, content) {
            (Kind::Frames, Content::Borrowed(bytes)) => self.split_frames(section, bytes, alignment)?,
            (_, Content::Borrowed(bytes)) if nature.reversed => self.split_words(section, bytes, alignment),
            (_, content) => drop(self.add_block(section, content, alignment, 0)),
        }
        Ok(section)
    }

    fn name(&self, index: usize, header: &'data Elf::SectionHeader) -> Result<&'data [u8]> {
        self.sections
            .section_name(self.endian, header)
            .map_err(|_| malformed(self.section_site(index), "sh_name is outside the string table".to_owned()))
    }

    /// Whether sections of this type are for whoever reads the object, and not part of what is linked.
    pub(super) fn is_table(&self, kind: elf::SectionType) -> bool {
        TABLES.contains(&kind)
    }

    /// Whether a section takes part in the link.
    fn part(&mut self, index: usize, header: &'data Elf::SectionHeader) -> Result<Part> {
        let kind = header.sh_type(self.endian);
        let flags = header.sh_flags(self.endian).0;
        let has = |flag: elf::SectionFlags| flags & flag.0 != 0;
        if self.is_table(kind) || index == 0 {
            return Ok(Part::None);
        }
        if has(elf::SHF_EXCLUDE) {
            return Ok(Part::LeftOut);
        }
        let name = self.name(index, header)?;
        if name.starts_with(ONCE) && !self.is_first(name, flags) {
            return Ok(Part::LeftOut);
        }
        if !has(elf::SHF_ALLOC) {
            if MEMTAG.contains(&kind.0) && name.starts_with(b".memtag") {
                let text = "variables to be tagged (MTE): the image has nobody who would, so that all have tag 0";
                self.warn(self.section_site(index), text.to_owned());
            }
            let is_debug = name.starts_with(b".debug_") || name.starts_with(ONCE_DEBUG);
            return Ok(if self.keep_debug && is_debug { Part::Taken } else { Part::None });
        }
        if has(elf::SHF_COMPRESSED) {
            let problem = "the section is loaded and compressed, expected at most one of them";
            return Err(malformed(self.section_site(index), problem.to_owned()));
        }
        if name == NOTE && kind == elf::SHT_NOTE {
            // Said once for all objects together.
            self.read_properties(index, header);
            return Ok(Part::None);
        }
        // A table with one header: several behind each other are none. Who unwinds has .eh_frame.
        Ok(if kind.0 == SHT_GNU_SFRAME || name == b".sframe" { Part::LeftOut } else { Part::Taken })
    }

    /// Whether a section is the first of its name, among those of which a link keeps one: what section groups were before
    /// they were invented. One stands for a group of a single section, and the reverse.
    fn is_first(&mut self, name: &'data [u8], flags: u64) -> bool {
        // `.gnu.linkonce.t.NAME`
        let own = name[ONCE.len()..].iter().position(|&c| c == b'.').map_or(name, |dot| &name[ONCE.len() + dot + 1..]);
        let flags = flags & ALIKE;
        let grouped = self.names.groups.contains(own) && self.names.single.contains(&(own, flags));
        let first = self.names.once.insert(name) && !grouped;
        if first {
            self.names.single.insert((own, flags));
        }
        first
    }

    fn nature(&self, index: usize, name: &[u8], kind: elf::SectionType, flags: u64) -> Result<Nature> {
        let has = |flag: elf::SectionFlags| flags & flag.0 != 0;
        let loaded = has(elf::SHF_ALLOC);
        // Threads have copies of theirs: the image itself is only read.
        let thread_local = has(elf::SHF_TLS);
        let relro = thread_local || has(elf::SHF_WRITE) && named(name, RELRO);
        let protection = match (has(elf::SHF_WRITE) && !relro, has(elf::SHF_EXECINSTR)) {
            (true, true) => {
                let problem = "the section is both writable and executable, expected at most one of them";
                return Err(malformed(self.section_site(index), problem.to_owned()));
            }
            (true, false) => Protection::ReadWrite,
            (false, true) => Protection::ReadExecute,
            (false, false) => Protection::Read,
        };
        // What stands there is run from the last to the first. GNU ld moves it to the arrays, turned round, but for the
        // markers of start files, whose names it knows.
        let from_the_end = loaded && named(name, &[b".ctors", b".dtors"]) && !self.is_start_file();
        let is_array = [elf::SHT_INIT_ARRAY, elf::SHT_FINI_ARRAY, elf::SHT_PREINIT_ARRAY].contains(&kind);
        Ok(Nature {
            protection,
            lifetime: if loaded { Lifetime::Standard } else { Lifetime::NoAlloc },
            relro,
            thread_local,
            pure_code: has(elf::SHF_EXECINSTR) && flags & PURE_CODE != 0,
            retain: has(elf::SHF_GNU_RETAIN) || is_array || kind == elf::SHT_NOTE || named(name, RETAINED),
            reversed: from_the_end,
            kind: match name {
                b".eh_frame" if loaded => Kind::Frames,
                // `.ctors.N` is what `.init_array` calls 65535 - N.
                _ if from_the_end => Kind::Array(match priority(name) {
                    u32::MAX => u32::MAX,
                    number => 65_535u32.saturating_sub(number),
                }),
                _ if is_array => Kind::Array(priority(name)),
                _ if has(elf::SHF_LINK_ORDER) => Kind::LinkOrder,
                _ => Kind::Plain,
            },
        })
    }

    /// Makes a block of each pointer.
    fn split_words(&mut self, section: SectionId, bytes: &'data [u8], alignment: u64) {
        let width = self.graph.target.pointer_bytes();
        for (index, word) in bytes.chunks(width).enumerate() {
            self.add_block(section, Content::Borrowed(word), alignment.min(width as u64), (index * width) as u64);
        }
        if bytes.is_empty() {
            self.add_block(section, Content::Borrowed(bytes), alignment, 0);
        }
    }

    fn alignment(&self, index: usize, header: &Elf::SectionHeader) -> Result<u64> {
        self.check_alignment(index, header.sh_addralign(self.endian).into())
    }

    fn check_alignment(&self, index: usize, alignment: u64) -> Result<u64> {
        let alignment = alignment.max(1);
        if !alignment.is_power_of_two() {
            let problem = format!("sh_addralign is {alignment:#x}, expected a power of two");
            return Err(malformed(self.section_site(index), problem));
        }
        if alignment > self.limits.alignment {
            return Err(Error::Limit {
                site: Box::new(self.section_site(index)),
                what: format!("the alignment of {alignment:#x} bytes"),
                limit: self.limits.alignment,
            });
        }
        Ok(alignment)
    }

    /// Ties each section in link order to the one it is about.
    fn link_sections(&mut self) -> Result<()> {
        for index in 0..self.slots.len() {
            let Slot::Kept(section) = self.slots[index] else { continue };
            if self.graph.sections[section].kind != Kind::LinkOrder {
                continue;
            }
            let about = self.header(index).map_or(0, |header| header.sh_link(self.endian) as usize);
            match self.slots.get(about) {
                Some(Slot::Kept(about)) => self.graph.sections[section].link = Some(*about),
                // What it describes is gone, and so is it.
                Some(Slot::Discarded) => self.slots[index] = Slot::Discarded,
                // sh_link 0 is allowed: in no particular order (gABI, SHF_LINK_ORDER).
                _ if about == 0 => self.graph.sections[section].kind = Kind::Plain,
                _ => {
                    let problem = format!("sh_link is {about}, expected the section that this one is about");
                    return Err(malformed(self.section_site(index), problem));
                }
            }
            if self.slots[index] == Slot::Discarded {
                for block in self.graph.sections[section].block_ids() {
                    self.graph.blocks[block].live = false;
                    self.graph.blocks[block].content = Content::Zero(0);
                }
            }
        }
        Ok(())
    }
}
