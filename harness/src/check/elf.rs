//! An ELF file as it is: sections, symbols, segments and relocations, of objects and images alike. Nothing is interpreted here.

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, SHT_CREL, SHT_DYNSYM, SHT_REL, SHT_RELA, SHT_SYMTAB};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable, Sym};

/// An ELF file.
#[derive(Debug)]
pub(super) struct Elf<'a> {
    pub(super) bits: u32,
    pub(super) big_endian: bool,
    pub(super) machine: u16,
    /// `e_type`
    pub(super) kind: u16,
    pub(super) sections: Vec<Section<'a>>,
    pub(super) segments: Vec<Segment<'a>>,
    pub(super) symbols: Vec<Symbol<'a>>,
    pub(super) dynamic_symbols: Vec<Symbol<'a>>,
}

/// A section, with its bytes where the file has them.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    pub(super) name: &'a [u8],
    /// `sh_type`
    pub(super) kind: u32,
    /// `sh_flags`
    pub(super) flags: u64,
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) link: u32,
    pub(super) info: u32,
    pub(super) entry_size: u64,
    pub(super) alignment: u64,
    pub(super) data: &'a [u8],
}

/// A segment of the program.
#[derive(Clone, Debug)]
pub(super) struct Segment<'a> {
    /// `p_type`
    pub(super) kind: u32,
    /// `p_flags`
    pub(super) flags: u32,
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) align: u64,
    pub(super) data: &'a [u8],
}

/// Where a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Undefined,
    Absolute,
    Common,
    Section(usize),
}

/// A symbol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: u64,
    pub(super) size: u64,
    /// `STT_*`
    pub(super) kind: u8,
    /// `STB_*`
    pub(super) binding: u8,
    pub(super) place: Place,
}

impl Symbol<'_> {
    pub(super) fn is_local(&self) -> bool {
        self.binding == object::elf::STB_LOCAL.0
    }

    pub(super) fn is_weak(&self) -> bool {
        self.binding == object::elf::STB_WEAK.0
    }

    pub(super) fn is_function(&self) -> bool {
        self.kind == object::elf::STT_FUNC.0 || self.is_chosen_at_start()
    }

    /// Whether the function is chosen by one that runs first (IFUNC).
    pub(super) fn is_chosen_at_start(&self) -> bool {
        self.kind == object::elf::STT_GNU_IFUNC.0
    }

    pub(super) fn is_thread_local(&self) -> bool {
        self.kind == object::elf::STT_TLS.0
    }

    pub(super) fn is_section(&self) -> bool {
        self.kind == object::elf::STT_SECTION.0
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind == object::elf::STT_FILE.0
    }

    /// Whether it tells data from code (AAELF32 and AAELF64, Mapping symbols), or has no name.
    pub(super) fn is_anonymous(&self) -> bool {
        self.name.is_empty() || self.name[0] == b'$'
    }
}

/// A relocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relocation {
    pub(super) offset: u64,
    pub(super) number: u32,
    pub(super) symbol: usize,
    /// Where the relocation has it; elsewhere the field does.
    pub(super) addend: Option<i64>,
}

impl<'a> Elf<'a> {
    /// Reads a file. `Err` says which part of it is not what the format wants.
    pub(super) fn read(data: &'a [u8]) -> Result<Elf<'a>, String> {
        if !data.starts_with(b"\x7fELF") {
            return Err(format!("expected an ELF file, and this is {}", linker::foreign::describe(data)));
        }
        match data.get(4) {
            Some(1) => read::<FileHeader32<Endianness>>(data, 32),
            Some(2) => read::<FileHeader64<Endianness>>(data, 64),
            _ => Err("the ELF header has a class that is neither 32 nor 64 bits".to_owned()),
        }
    }

    /// The relocations of a section of them. What is cut short at its end is not counted.
    pub(super) fn relocations(&self, section: &Section<'a>) -> Result<Vec<Relocation>, String> {
        let wide = self.bits == 64;
        let width = if wide { 8 } else { 4 };
        let size = match section.kind {
            kind if kind == SHT_REL.0 => 2 * width,
            kind if kind == SHT_RELA.0 => 3 * width,
            kind if kind == SHT_CREL.0 => return compact(section.data, wide),
            _ => return Ok(Vec::new()),
        };
        if !section.data.len().is_multiple_of(size) {
            let name = linker::error::text(section.name);
            return Err(format!("{name}: its {} bytes are no whole relocations of {size}", section.data.len()));
        }
        let number = |bytes: &[u8]| number(bytes, self.big_endian);
        let one = |bytes: &[u8]| {
            let info = number(&bytes[width..2 * width]);
            let (symbol, kind) = if wide { (info >> 32, info & 0xffff_ffff) } else { (info >> 8, info & 0xff) };
            let addend = bytes.get(2 * width..).filter(|bytes| !bytes.is_empty()).map(|bytes| {
                let addend = number(bytes);
                if wide { addend as i64 } else { i64::from(addend as i32) }
            });
            Relocation { offset: number(&bytes[..width]), number: kind as u32, symbol: symbol as usize, addend }
        };
        Ok(section.data.chunks_exact(size).map(one).collect())
    }
}

/// The number that bytes make, at most 8 of them.
pub(super) fn number(bytes: &[u8], big_endian: bool) -> u64 {
    let join = |number, byte: &u8| number << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
}

/// Relocations in their compact form (SHT_CREL).
fn compact(data: &[u8], wide: bool) -> Result<Vec<Relocation>, String> {
    let error = |error: object::Error| format!("compact relocations: {error}");
    let relocations = object::read::elf::CrelIterator::new(data).map_err(error)?;
    let has_addends = relocations.is_rela();
    let one = |relocation: object::read::elf::Crel| Relocation {
        offset: if wide { relocation.r_offset } else { relocation.r_offset & 0xffff_ffff },
        number: relocation.r_type.0,
        symbol: relocation.r_sym as usize,
        addend: has_addends.then_some(relocation.r_addend),
    };
    relocations.map(|relocation| relocation.map(one).map_err(error)).collect()
}

fn read<'a, H: FileHeader<Endian = Endianness>>(data: &'a [u8], bits: u32) -> Result<Elf<'a>, String> {
    let error = |what: &'static str| move |error: object::Error| format!("{what}: {error}");
    let header = H::parse(data).map_err(error("the ELF header"))?;
    let endian = header.endian().map_err(error("the ELF header"))?;
    let table = header.sections(endian, data).map_err(error("the section headers"))?;
    let mut sections = Vec::with_capacity(table.len());
    for (index, section) in table.enumerate() {
        let name =
            table.section_name(endian, section).map_err(|why| format!("section {}: its name: {why}", index.0))?;
        let shown = || format!("section {} ({})", index.0, linker::error::text(name));
        let data = section.data(endian, data).map_err(|why| format!("{}: its bytes: {why}", shown()))?;
        sections.push(Section {
            name,
            kind: section.sh_type(endian).0,
            flags: section.sh_flags(endian).0,
            address: section.sh_addr(endian).into(),
            size: section.sh_size(endian).into(),
            link: section.sh_link(endian),
            info: section.sh_info(endian),
            entry_size: section.sh_entsize(endian).into(),
            alignment: section.sh_addralign(endian).into(),
            data,
        });
    }
    let mut segments = Vec::new();
    for (index, segment) in
        header.program_headers(endian, data).map_err(error("the program headers"))?.iter().enumerate()
    {
        let bytes =
            segment.data(endian, data).map_err(|()| format!("segment {index}: its bytes are not in the file"))?;
        segments.push(Segment {
            kind: segment.p_type(endian).0,
            flags: segment.p_flags(endian).0,
            address: segment.p_vaddr(endian).into(),
            size: segment.p_memsz(endian).into(),
            align: segment.p_align(endian).into(),
            data: bytes,
        });
    }
    Ok(Elf {
        bits,
        big_endian: endian == Endianness::Big,
        machine: header.e_machine(endian).0,
        kind: header.e_type(endian).0,
        symbols: symbols::<H>(&table, endian, data, SHT_SYMTAB)?,
        dynamic_symbols: symbols::<H>(&table, endian, data, SHT_DYNSYM)?,
        sections,
        segments,
    })
}

fn symbols<'a, H: FileHeader<Endian = Endianness>>(
    table: &SectionTable<'a, H>,
    endian: Endianness,
    data: &'a [u8],
    kind: object::elf::SectionType,
) -> Result<Vec<Symbol<'a>>, String> {
    let symbols = table.symbols(endian, data, kind).map_err(|why| format!("the symbol table: {why}"))?;
    let mut list = Vec::with_capacity(symbols.len());
    for (index, symbol) in symbols.enumerate() {
        let shown = |why: object::Error| format!("symbol {}: {why}", index.0);
        let section = symbols.symbol_section(endian, symbol, index).map_err(shown)?;
        let place = match section {
            Some(section) => Place::Section(section.0),
            None if symbol.st_shndx(endian) == object::elf::SHN_ABS => Place::Absolute,
            None if symbol.st_shndx(endian) == object::elf::SHN_COMMON => Place::Common,
            None => Place::Undefined,
        };
        list.push(Symbol {
            name: symbols.symbol_name(endian, symbol).map_err(shown)?,
            value: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
            kind: symbol.st_type().0,
            binding: symbol.st_bind().0,
            place,
        });
    }
    Ok(list)
}
