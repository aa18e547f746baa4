//! The linker's memory contract on an ELF executable: what a link wrote, as a file for other tools to run, disassemble, debug or
//! compare.
//!
//! A reservation lays out the file and lends the segments' parts of it; the content is never copied again. `Place::Anywhere`
//! begins at [`BASE`]. Finalizing gives an [`ImageFile`], to which entry point, sections and symbols are added when it is written
//! out, since only then all addresses are known. Program headers are in address order, one a segment.
//!
//! Nothing runs here: the actions of a link are kept as a list ([`ImageFile::actions`]), and what they would have changed (the slot
//! of an IFUNC) still holds what the link wrote. Segments that are constant after relocation are therefore loaded writable, with a
//! `PT_GNU_RELRO` header, as a linker does whose program relocates itself.

use std::ops::{Range, RangeInclusive};

use linker::Target;
use linker::memory::{Action, InFlight, Lifetime, Memory, MemoryError, Protection, Segment};
use object::elf;
use object::write::elf::{Encoder, FileHeader, FileHeaderLayout, ProgramHeader, SectionHeader, Sym};

use super::Abi;
use super::place::{Ranges, Space};

/// Where `Place::Anywhere` begins.
pub const BASE: u64 = 0x40_0000;

/// A page of the file: what every loader of these architectures can map.
const PAGE: u64 = 0x1000;

/// Places links into an address space of which one file a link is made.
#[derive(Debug)]
pub struct Image {
    target: &'static Target,
    abi: Abi,
    used: Ranges<()>,
}

/// A file whose content is being written.
#[derive(Debug)]
pub struct ImageInFlight {
    file: Vec<u8>,
    segments: Vec<Part>,
    /// First addresses of the page ranges in use.
    pages: Vec<u64>,
}

/// One segment of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    segment: Segment,
    address: u64,
    /// Where its content is in the file.
    content: Range<usize>,
}

/// A linked file without its labels.
#[derive(Debug)]
pub struct ImageFile {
    target: &'static Target,
    abi: Abi,
    file: Vec<u8>,
    segments: Vec<Part>,
    pages: Vec<u64>,
    actions: Vec<Action>,
}

/// What a symbol names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// Something else: a label, or one of the architecture's mapping symbols (`$a`, `$t`, `$d`, `$x`).
    Label,
}

/// A symbol of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSymbol {
    /// Its name.
    pub name: String,
    /// Its address, with the Thumb bit of a Thumb function.
    pub address: u64,
    /// Bytes it covers, or 0.
    pub size: u64,
    /// What it names.
    pub kind: SymbolKind,
    /// Whether other files would see it.
    pub global: bool,
}

/// A section of the file: a part of a segment. A segment without any gets one that is named by its protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSection {
    /// Its name.
    pub name: String,
    /// Number of the segment in the request.
    pub segment: usize,
    /// Where in the segment it begins.
    pub offset: u64,
    /// Bytes of it.
    pub size: u64,
}

/// What a file says about itself besides its content.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Where a process of it starts, with the Thumb bit.
    pub entry: u64,
    /// Its sections.
    pub sections: Vec<ImageSection>,
    /// Its symbols.
    pub symbols: Vec<ImageSymbol>,
}

impl Image {
    /// An empty address space of a target.
    pub fn new(target: &'static Target) -> Image {
        // What the float ABI flag says: the same table as the emulated machine's.
        let abi = match target.name {
            "armv7" | "thumbv7" => Abi::AapcsVfp,
            _ if target.register_bits == 64 => Abi::Aapcs64,
            _ => Abi::AapcsBase,
        };
        Image { target, abi, used: Ranges::default() }
    }

    /// The last address there is.
    fn last(&self) -> u64 {
        self.target.wrap(u64::MAX)
    }
}

impl InFlight for ImageInFlight {
    fn address(&self, segment: usize) -> u64 {
        self.segments[segment].address
    }

    fn content(&mut self, segment: usize) -> &mut [u8] {
        &mut self.file[self.segments[segment].content.clone()]
    }
}

impl Memory for Image {
    type InFlight = ImageInFlight;
    type Finalized = ImageFile;

    fn page_size(&self) -> u64 {
        PAGE
    }

    fn reserve(&mut self, segments: &[Segment]) -> Result<ImageInFlight, MemoryError> {
        let used = &self.used;
        // Page 0 is no loader's to give.
        let usable: [RangeInclusive<u64>; 1] = [PAGE..=self.last()];
        let space = Space {
            page: PAGE,
            last: self.last(),
            usable: &usable,
            base: BASE,
            conflict: &|range: &RangeInclusive<u64>| used.conflict(range),
        };
        let placement = space.place(segments)?;
        for span in &placement.spans {
            self.used.insert(span.pages.clone(), ());
        }
        let encoder = encoder(self.target);
        let headers = program_headers(segments);
        let mut end = encoder.file_header_size() + headers as u64 * encoder.program_header_size();
        let mut parts = Vec::with_capacity(segments.len());
        for (segment, &address) in segments.iter().zip(&placement.addresses) {
            // A loader maps pages: the offset in the file has to be that of the address in its page.
            let modulus = if segment.lifetime == Lifetime::NoAlloc { segment.alignment.clamp(1, PAGE) } else { PAGE };
            if segment.content > 0 {
                end += (address.wrapping_sub(end)) % modulus;
            }
            let start = usize::try_from(end)?;
            parts.push(Part { segment: segment.clone(), address, content: start..start + segment.content });
            end += segment.content as u64;
        }
        let pages = placement.spans.iter().map(|span| *span.pages.start()).collect();
        Ok(ImageInFlight { file: vec![0; usize::try_from(end)?], segments: parts, pages })
    }

    fn finalize(&mut self, memory: ImageInFlight, actions: &[Action]) -> Result<ImageFile, MemoryError> {
        let ImageInFlight { file, segments, pages } = memory;
        Ok(ImageFile { target: self.target, abi: self.abi, file, segments, pages, actions: actions.to_vec() })
    }

    fn abandon(&mut self, memory: ImageInFlight) {
        self.free(&memory.pages);
    }

    fn release(&mut self, memory: Vec<ImageFile>) -> Result<(), MemoryError> {
        for file in memory {
            self.free(&file.pages);
        }
        Ok(())
    }
}

impl Image {
    fn free(&mut self, pages: &[u64]) {
        for &start in pages {
            self.used.remove(start);
        }
    }
}

fn encoder(target: &Target) -> Encoder<object::Endianness> {
    let endian = if target.big_endian { object::Endianness::Big } else { object::Endianness::Little };
    Encoder::new(endian, target.pointer_bits == 64, elf::Machine(target.machine))
}

fn is_loaded(segment: &Segment) -> bool {
    segment.lifetime != Lifetime::NoAlloc && segment.size > 0
}

/// One a loaded segment, one more where it is constant after relocation or the image of threads, and `PT_GNU_STACK`.
fn program_headers(segments: &[Segment]) -> usize {
    segments
        .iter()
        .filter(|segment| is_loaded(segment))
        .map(|segment| 1 + usize::from(segment.relro) + usize::from(segment.thread_local.is_some()))
        .sum::<usize>()
        + 1
}

impl ImageFile {
    /// What finalizing would have called. See the module's page.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Address and content of each segment, as the link wrote it.
    pub fn segments(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.segments.iter().map(|part| (part.address, &self.file[part.content.clone()]))
    }

    /// The file.
    pub fn write(mut self, labels: &Labels) -> Result<Vec<u8>, MemoryError> {
        let encoder = encoder(self.target);
        let sections = self.sections(&labels.sections);
        let mut symbols: Vec<&ImageSymbol> = labels.symbols.iter().collect();
        // The format wants local symbols first.
        symbols.sort_by_key(|symbol| symbol.global);
        let locals = symbols.iter().filter(|symbol| !symbol.global).count() as u32 + 1;

        let (mut strtab, mut shstrtab) = (Strings::default(), Strings::default());
        let symbol_names: Vec<u32> = symbols.iter().map(|symbol| strtab.add(&symbol.name)).collect();
        let name_ids: Vec<u32> = sections.iter().map(|section| shstrtab.add(&section.0)).collect();
        let [symtab_name, strtab_name, shstrtab_name] =
            [".symtab", ".strtab", ".shstrtab"].map(|name| shstrtab.add(name));
        let (strtab, shstrtab) = (strtab.0, shstrtab.0);

        let (strtab_at, shstrtab_at) = (append(&mut self.file, &strtab, 1), append(&mut self.file, &shstrtab, 1));
        let mut table = Vec::new();
        encoder.null_symbol(&mut table);
        for (symbol, name) in symbols.iter().zip(symbol_names) {
            encoder.symbol(&mut table, &self.symbol(symbol, name, &sections));
        }
        let symtab_at = append(&mut self.file, &table, encoder.address_size());

        let count = sections.len() as u32 + 4;
        let mut layout = FileHeaderLayout {
            e_phoff: encoder.file_header_size(),
            segment_num: u32::try_from(self.program_headers().len())?,
            e_shoff: 0,
            section_num: count,
            shstrtab_index: count - 1,
        };
        let mut table = Vec::new();
        encoder.null_section_header(&mut table, &layout);
        for ((_, header), sh_name) in sections.iter().zip(name_ids) {
            let header = SectionHeader { sh_name, ..header.clone() };
            encoder.section_header(&mut table, &header);
        }
        let symtab_size = (symbols.len() as u64 + 1) * encoder.sym_size();
        let plain = encoder.strtab_section_header();
        for (sh_name, at, size, header) in [
            (symtab_name, symtab_at, symtab_size, encoder.symtab_section_header(count - 2, locals)),
            (strtab_name, strtab_at, strtab.len() as u64, plain.clone()),
            (shstrtab_name, shstrtab_at, shstrtab.len() as u64, plain),
        ] {
            encoder.section_header(&mut table, &SectionHeader { sh_name, sh_offset: at, sh_size: size, ..header });
        }
        layout.e_shoff = append(&mut self.file, &table, encoder.address_size());

        let mut head = Vec::new();
        encoder.file_header(&mut head, &self.header(labels.entry), &layout).map_err(|error| error.to_string())?;
        for header in self.program_headers() {
            encoder.program_header(&mut head, &header);
        }
        self.file[..head.len()].copy_from_slice(&head);
        Ok(self.file)
    }

    fn header(&self, entry: u64) -> FileHeader {
        let flags = match self.abi {
            Abi::Aapcs64 => 0,
            Abi::AapcsBase => elf::EF_ARM_EABI_VER5.0,
            Abi::AapcsVfp => elf::EF_ARM_EABI_VER5.0 | elf::EF_ARM_ABI_FLOAT_HARD,
        };
        let be8 = if self.target.big_endian && self.abi != Abi::Aapcs64 { elf::EF_ARM_BE8.0 } else { 0 };
        FileHeader {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_type: elf::ET_EXEC,
            e_machine: elf::Machine(self.target.machine),
            e_entry: entry,
            e_flags: elf::FileFlags(flags | be8),
        }
    }

    fn program_headers(&self) -> Vec<ProgramHeader> {
        let mut parts: Vec<&Part> = self.segments.iter().filter(|part| is_loaded(&part.segment)).collect();
        parts.sort_by_key(|part| part.address);
        let load = |part: &Part| {
            let segment = &part.segment;
            let mut flags = elf::PF_R;
            if segment.protection.writable() || segment.relro {
                flags |= elf::PF_W;
            }
            if segment.protection.executable() {
                flags |= elf::PF_X;
            }
            // Without content there is no place in the file, but the offset still has to fit the address.
            let offset = if segment.content > 0 { part.content.start as u64 } else { part.address % PAGE };
            ProgramHeader {
                p_type: elf::PT_LOAD,
                p_flags: flags,
                p_offset: offset,
                p_vaddr: part.address,
                p_paddr: part.address,
                p_filesz: segment.content as u64,
                p_memsz: segment.size,
                p_align: PAGE,
            }
        };
        let mut headers: Vec<ProgramHeader> = parts.iter().map(|part| load(part)).collect();
        for part in parts.iter().filter(|part| part.segment.relro) {
            headers.push(ProgramHeader { p_type: elf::PT_GNU_RELRO, p_flags: elf::PF_R, p_align: 1, ..load(part) });
        }
        for part in &parts {
            if let Some(p_align) = part.segment.thread_local {
                headers.push(ProgramHeader { p_type: elf::PT_TLS, p_flags: elf::PF_R, p_align, ..load(part) });
            }
        }
        headers.push(ProgramHeader {
            p_type: elf::PT_GNU_STACK,
            p_flags: elf::PF_R | elf::PF_W,
            p_offset: 0,
            p_vaddr: 0,
            p_paddr: 0,
            p_filesz: 0,
            p_memsz: 0,
            p_align: 16,
        });
        headers
    }

    /// Names and headers of the sections, without their names' offsets.
    fn sections(&self, given: &[ImageSection]) -> Vec<(String, SectionHeader)> {
        let mut sections = Vec::new();
        for (number, part) in self.segments.iter().enumerate() {
            let mut covered = false;
            for section in given.iter().filter(|section| section.segment == number) {
                covered = true;
                sections.push((section.name.clone(), section_header(part, section.offset, section.size)));
            }
            if covered || part.segment.size == 0 {
                continue;
            }
            let name = match (part.segment.lifetime, part.segment.protection) {
                (Lifetime::NoAlloc, _) => ".noalloc",
                (_, Protection::ReadExecute) => ".text",
                _ if part.segment.relro => ".data.rel.ro",
                (_, Protection::Read) => ".rodata",
                (_, Protection::ReadWrite) => ".data",
            };
            let content = part.segment.content as u64;
            if content > 0 {
                sections.push((name.to_owned(), section_header(part, 0, content)));
            }
            if part.segment.size > content {
                sections.push((".bss".to_owned(), section_header(part, content, part.segment.size - content)));
            }
        }
        sections
    }

    fn symbol(&self, symbol: &ImageSymbol, name: u32, sections: &[(String, SectionHeader)]) -> Sym {
        let bind = if symbol.global { elf::STB_GLOBAL } else { elf::STB_LOCAL };
        let kind = match symbol.kind {
            SymbolKind::Function => elf::STT_FUNC,
            SymbolKind::Object => elf::STT_OBJECT,
            SymbolKind::Label => elf::STT_NOTYPE,
        };
        let plain = symbol.address & !u64::from(symbol.kind == SymbolKind::Function && self.abi != Abi::Aapcs64);
        let within = |(_, header): &(String, SectionHeader)| {
            header.sh_flags.0 & elf::SHF_ALLOC.0 != 0 && plain.wrapping_sub(header.sh_addr) < header.sh_size
        };
        let section = sections.iter().position(within).map(|index| index as u32 + 1);
        Sym {
            section,
            st_name: name,
            st_info: elf::SymbolInfo::new(bind, kind),
            st_shndx: if section.is_some() { elf::SymbolSection(0) } else { elf::SHN_ABS },
            st_value: symbol.address,
            st_size: symbol.size,
            st_other: elf::SymbolOther::default(),
        }
    }
}

fn section_header(part: &Part, offset: u64, size: u64) -> SectionHeader {
    let segment = &part.segment;
    let loaded = segment.lifetime != Lifetime::NoAlloc;
    let mut flags = elf::SectionFlags::default();
    if loaded {
        flags |= elf::SHF_ALLOC;
        if segment.protection.writable() || segment.relro {
            flags |= elf::SHF_WRITE;
        }
        if segment.protection.executable() {
            flags |= elf::SHF_EXECINSTR;
        }
    }
    let address = if loaded { part.address.wrapping_add(offset) } else { 0 };
    // What is true of the address, which is at least what was asked for.
    let alignment = segment.alignment.min(1 << address.trailing_zeros().min(12));
    SectionHeader {
        sh_type: if offset >= segment.content as u64 { elf::SHT_NOBITS } else { elf::SHT_PROGBITS },
        sh_flags: flags,
        sh_addr: address,
        sh_offset: part.content.start as u64 + offset.min(segment.content as u64),
        sh_size: size,
        sh_addralign: alignment,
        ..SectionHeader::default()
    }
}

/// A string table without sharing: looking for common tails takes longer than writing them.
struct Strings(Vec<u8>);

impl Default for Strings {
    fn default() -> Self {
        // Offset 0 is the empty name.
        Strings(vec![0])
    }
}

impl Strings {
    /// Adds a name and returns its offset.
    fn add(&mut self, name: &str) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
        at
    }
}

/// Appends and returns where.
fn append(file: &mut Vec<u8>, bytes: &[u8], alignment: u64) -> u64 {
    file.resize(file.len().next_multiple_of(alignment as usize), 0);
    file.extend_from_slice(bytes);
    (file.len() - bytes.len()) as u64
}
