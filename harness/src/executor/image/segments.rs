//! Program headers: what a loader maps, and what start-up code, unwinders and kernels look for in it.

use object::elf;
use object::write::elf::ProgramHeader;

use super::sections::Section;
use super::{ImageFile, Labels, PAGE, Part};

/// Sections that have a program header of their own, by type and name.
const BY_SECTION: &[(elf::SectionType, &[u8], elf::ProgramType)] = &[
    (elf::SHT_ARM_EXIDX, b"", elf::PT_ARM_EXIDX),
    (elf::SHT_PROGBITS, b".eh_frame_hdr", elf::PT_GNU_EH_FRAME),
    (elf::SHT_NOTE, b".note.gnu.property", elf::PT_GNU_PROPERTY),
];

impl ImageFile {
    /// The program headers: one to load each segment, in the order of addresses, then what lies inside of those.
    pub(super) fn program_headers(&self, labels: &Labels<'_>, sections: &[Section<'_>]) -> Vec<ProgramHeader> {
        let mut parts: Vec<&Part> = self.segments.iter().filter(|part| part.is_loaded()).collect();
        parts.sort_by_key(|part| part.address);
        let mut headers: Vec<ProgramHeader> = parts.iter().map(|part| self.load(part)).collect();
        for part in parts.iter().filter(|part| part.segment.relro && !labels.no_relro) {
            // Whole pages are made constant: the rest of the last one is nobody's.
            let memsz = part.segment.size.checked_next_multiple_of(PAGE).unwrap_or(part.segment.size);
            let whole = ProgramHeader { p_memsz: memsz, ..self.load(part) };
            headers.push(ProgramHeader { p_type: elf::PT_GNU_RELRO, p_flags: elf::PF_R, p_align: 1, ..whole });
        }
        for part in &parts {
            if let Some(p_align) = part.segment.thread_local {
                headers.push(ProgramHeader { p_type: elf::PT_TLS, p_flags: elf::PF_R, p_align, ..self.load(part) });
            }
        }
        for &(kind, name, p_type) in BY_SECTION {
            let matches = |section: &&Section<'_>| {
                section.header.sh_type == kind && (name.is_empty() || section.name == name) && section.is_loaded()
            };
            let all: Vec<&Section<'_>> = sections.iter().filter(matches).collect();
            // A table in several parts is none that anybody could read.
            if let [section] = all.as_slice() {
                headers.push(within(section, section, p_type));
            }
        }
        headers.extend(notes(sections));
        let flags = if labels.executable_stack { elf::PF_X } else { elf::ProgramFlags(0) };
        headers.push(ProgramHeader {
            p_type: elf::PT_GNU_STACK,
            p_flags: elf::PF_R | elf::PF_W | flags,
            p_offset: 0,
            p_vaddr: 0,
            p_paddr: 0,
            p_filesz: 0,
            p_memsz: labels.stack_size,
            p_align: 16,
        });
        headers
    }

    fn load(&self, part: &Part) -> ProgramHeader {
        let segment = &part.segment;
        let mut flags = elf::PF_R;
        if part.is_writable() {
            flags |= elf::PF_W;
        }
        if segment.protection.executable() {
            flags |= elf::PF_X;
        }
        // Without content there is no place in the file, but the offset still has to fit the address.
        let offset = if segment.content > 0 { part.content.start as u64 } else { part.address % self.page };
        ProgramHeader {
            p_type: elf::PT_LOAD,
            p_flags: flags,
            p_offset: offset,
            p_vaddr: part.address,
            p_paddr: part.address,
            p_filesz: segment.content as u64,
            p_memsz: segment.size,
            p_align: self.page,
        }
    }
}

/// The header of what reaches from one section to another.
fn within(first: &Section<'_>, last: &Section<'_>, p_type: elf::ProgramType) -> ProgramHeader {
    let (from, to) = (&first.header, &last.header);
    let size = to.sh_addr.wrapping_add(to.sh_size).wrapping_sub(from.sh_addr);
    ProgramHeader {
        p_type,
        p_flags: elf::PF_R,
        p_offset: from.sh_offset,
        p_vaddr: from.sh_addr,
        p_paddr: from.sh_addr,
        p_filesz: size,
        p_memsz: size,
        p_align: from.sh_addralign,
    }
}

/// One header for each run of notes that stand as their alignment asks, which is how readers go from one to the next.
fn notes(sections: &[Section<'_>]) -> Vec<ProgramHeader> {
    let mut notes: Vec<&Section<'_>> = sections
        .iter()
        .filter(|section| section.header.sh_type == elf::SHT_NOTE && section.is_loaded() && section.header.sh_size > 0)
        .collect();
    notes.sort_by_key(|section| section.header.sh_addr);
    let follows = |a: &&Section<'_>, b: &&Section<'_>| {
        let alignment = a.header.sh_addralign.max(1);
        let end =
            a.header.sh_addr.checked_add(a.header.sh_size).and_then(|end| end.checked_next_multiple_of(alignment));
        alignment == b.header.sh_addralign && end == Some(b.header.sh_addr)
    };
    notes.chunk_by(follows).map(|run| within(run[0], run[run.len() - 1], elf::PT_NOTE)).collect()
}
