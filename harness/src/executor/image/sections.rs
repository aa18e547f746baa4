//! Section headers: the parts of segments by name, and what is loaded by none.

use linker::memory::{Lifetime, Protection};
use object::elf;
use object::write::elf::SectionHeader;

use super::{ImageFile, ImageSection, Part};

/// A section with its header, in which the name's offset is still missing.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) name: &'a [u8],
    pub(super) header: SectionHeader,
}

impl Section<'_> {
    pub(super) fn is_loaded(&self) -> bool {
        self.header.sh_flags.0 & elf::SHF_ALLOC.0 != 0
    }
}

impl ImageFile {
    /// The sections: those given, and one or two for each segment of which none is.
    pub(super) fn sections<'a>(&self, given: &[ImageSection<'a>]) -> Vec<Section<'a>> {
        let mut covered = vec![false; self.segments.len()];
        let mut sections = Vec::with_capacity(given.len());
        for section in given {
            let Some(part) = self.segments.get(section.segment) else { continue };
            covered[section.segment] = true;
            sections.push(Section { name: section.name, header: header(part, section) });
        }
        for (segment, part) in self.segments.iter().enumerate().filter(|(number, _)| !covered[*number]) {
            let content = part.segment.content as u64;
            let plain = |name, offset, size| ImageSection {
                name,
                segment,
                offset,
                size,
                alignment: part.segment.alignment,
                kind: elf::SHT_PROGBITS,
                flags: elf::SectionFlags::default(),
                entry_size: 0,
            };
            if content > 0 {
                let section = plain(name_of(part), 0, content);
                sections.push(Section { name: section.name, header: header(part, &section) });
            }
            if part.segment.size > content {
                let section = plain(b".bss", content, part.segment.size - content);
                sections.push(Section { name: section.name, header: header(part, &section) });
            }
        }
        // Segments are in the order of the request, readers want that of addresses; what has none comes behind.
        sections.sort_by_key(|section| (!section.is_loaded(), section.header.sh_addr));
        link(&mut sections);
        sections
    }
}

/// The usual name of what a segment holds.
fn name_of(part: &Part) -> &'static [u8] {
    match (part.segment.lifetime, part.segment.protection) {
        (Lifetime::NoAlloc, _) => b".noalloc",
        (_, Protection::ReadExecute) => b".text",
        _ if part.segment.relro => b".data.rel.ro",
        (_, Protection::Read) => b".rodata",
        (_, Protection::ReadWrite) => b".data",
    }
}

/// Tables in link order name the code that they are about: the first there is, as all of it has one table.
fn link(sections: &mut [Section<'_>]) {
    let code = |section: &Section<'_>| section.header.sh_flags.0 & elf::SHF_EXECINSTR.0 != 0;
    let Some(code) = sections.iter().position(code) else { return };
    for section in sections.iter_mut().filter(|section| section.header.sh_flags.0 & elf::SHF_LINK_ORDER.0 != 0) {
        section.header.sh_link = code as u32 + 1;
    }
}

fn header(part: &Part, section: &ImageSection<'_>) -> SectionHeader {
    let segment = &part.segment;
    let loaded = segment.lifetime != Lifetime::NoAlloc;
    let mut flags = section.flags;
    if loaded {
        flags |= elf::SHF_ALLOC;
        if part.is_writable() {
            flags |= elf::SHF_WRITE;
        }
        if segment.protection.executable() {
            flags |= elf::SHF_EXECINSTR;
        }
    }
    let address = if loaded { part.address.wrapping_add(section.offset) } else { 0 };
    // What is true of the address, which is at least what was asked for.
    let alignment = match address {
        0 => section.alignment,
        _ => section.alignment.min(1 << address.trailing_zeros()),
    };
    let behind = section.offset >= segment.content as u64 && section.size > 0;
    SectionHeader {
        sh_type: if behind { elf::SHT_NOBITS } else { section.kind },
        sh_flags: flags,
        sh_addr: address,
        sh_offset: part.content.start as u64 + section.offset.min(segment.content as u64),
        sh_size: section.size,
        sh_addralign: alignment,
        sh_entsize: section.entry_size,
        ..SectionHeader::default()
    }
}
