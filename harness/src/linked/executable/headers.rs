//! The headers, sections and symbols of an executable, as numbers of one width.

use linker::Target;
use linker::error::text;
use linker::memory::Protection;
use object::Endianness;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable, Sym};

use super::error::{Problem, malformed};

/// How many segments are loaded, each of which takes two pages or fewer besides its content.
const MOST_LOADS: usize = 1 << 16;

/// What an executable says of itself.
#[derive(Debug, Default)]
pub(super) struct Headers<'data> {
    /// Whether it can be anywhere (ET_DYN). Its addresses are then counted from where it is.
    pub(super) movable: bool,
    /// `e_entry`; 0: there is none.
    pub(super) entry: u64,
    /// Where the program headers are in memory, if they are, how many bytes each has, and how many there are.
    pub(super) table: (Option<u64>, u64, u64),
    /// The run-time linker that it wants (PT_INTERP), and which header says so.
    pub(super) interpreter: Option<(usize, String)>,
    /// What PT_GNU_STACK says: whether code on the stack is executed.
    pub(super) executable_stack: Option<bool>,
    /// What is loaded, by address.
    pub(super) loads: Vec<Load<'data>>,
    /// The initial image of thread-local variables.
    pub(super) thread_local: Option<ThreadLocalHeader>,
    /// What is constant once relocations are applied: address and size.
    pub(super) relro: Option<(u64, u64)>,
    /// The dynamic section.
    pub(super) dynamic: Option<&'data [u8]>,
    /// Its sections, where it has headers of them.
    pub(super) sections: Vec<Section<'data>>,
    /// Its symbols, where it has a table of them.
    pub(super) symbols: Vec<RawSymbol<'data>>,
}

/// A segment that is loaded.
#[derive(Debug)]
pub(super) struct Load<'data> {
    pub(super) number: usize,
    pub(super) address: u64,
    /// Bytes of memory, zero-fill included.
    pub(super) size: u64,
    pub(super) content: &'data [u8],
    /// Where the content is in the file.
    pub(super) offset: u64,
    pub(super) protection: Protection,
    pub(super) alignment: u64,
}

/// PT_TLS
#[derive(Clone, Copy, Debug)]
pub(super) struct ThreadLocalHeader {
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) content: u64,
    pub(super) alignment: u64,
}

/// A section that is in memory.
#[derive(Debug)]
pub(super) struct Section<'data> {
    pub(super) index: usize,
    pub(super) name: &'data [u8],
    pub(super) kind: elf::SectionType,
    pub(super) address: u64,
    pub(super) size: u64,
}

/// An entry of the symbol table.
#[derive(Debug)]
pub(super) struct RawSymbol<'data> {
    pub(super) name: &'data [u8],
    pub(super) value: u64,
    pub(super) size: u64,
    pub(super) kind: elf::SymbolType,
    pub(super) bind: elf::SymbolBind,
    pub(super) section: elf::SymbolSection,
}

/// Reads all of it, and refuses what is not an executable for this target.
pub(super) fn read<'data, Elf: FileHeader<Endian = Endianness>>(
    target: &Target,
    data: &'data [u8],
) -> Result<Headers<'data>, Problem> {
    let header = Elf::parse(data).map_err(|error| malformed("ELF header", error.to_string()))?;
    let endian = header.endian().map_err(|error| malformed("ELF header", error.to_string()))?;
    let big = endian == Endianness::Big;
    if header.e_machine(endian).0 != target.machine || big != target.big_endian {
        return Err(Problem::Refused(format!("is not an executable for {}", target.name)));
    }
    let kind = header.e_type(endian);
    if kind != elf::ET_EXEC && kind != elf::ET_DYN {
        let what = format!("e_type {} is not that of an executable, expected ET_EXEC or ET_DYN", kind.0);
        return Err(Problem::Refused(what));
    }
    if target.machine == elf::EM_ARM.0 && big && header.e_flags(endian).0 & elf::EF_ARM_BE8.0 == 0 {
        let what = "its code is big-endian (BE32), which no core since ARMv7 runs: link it with --be8";
        return Err(Problem::Refused(what.to_owned()));
    }
    let mut headers =
        Headers { movable: kind == elf::ET_DYN, entry: header.e_entry(endian).into(), ..Headers::default() };
    headers.segments(target, header, endian, data)?;
    headers.tables(header, endian, data)?;
    Ok(headers)
}

impl<'data> Headers<'data> {
    fn segments<Elf: FileHeader<Endian = Endianness>>(
        &mut self,
        target: &Target,
        header: &Elf,
        endian: Endianness,
        data: &'data [u8],
    ) -> Result<(), Problem> {
        let all = header.program_headers(endian, data);
        // Segments may share pages of the file. What they take of our memory is bounded by its size all the same.
        let mut content_left = data.len().saturating_mul(2);
        let mut table = None;
        for (number, segment) in
            all.map_err(|error| malformed("program headers", error.to_string()))?.iter().enumerate()
        {
            let at = || format!("program header {number}");
            self.table.2 = number as u64 + 1;
            let address: u64 = segment.p_vaddr(endian).into();
            let (size, alignment): (u64, u64) = (segment.p_memsz(endian).into(), segment.p_align(endian).into());
            let content = || {
                segment.data(endian, data).map_err(|()| {
                    let (offset, size) = segment.file_range(endian);
                    malformed(
                        at(),
                        format!("p_offset {offset:#x} and p_filesz {size:#x} are beyond the end of the file"),
                    )
                })
            };
            match segment.p_type(endian) {
                elf::PT_LOAD if size > 0 => {
                    let content = content()?;
                    let load = Load {
                        number,
                        address,
                        size,
                        content,
                        offset: segment.p_offset(endian).into(),
                        protection: protection(number, segment.p_flags(endian))?,
                        // Nothing is moved by it in what is at fixed addresses, and Linux does not look at it there either.
                        alignment: if self.movable { aligned(&at(), alignment)? } else { 1 },
                    };
                    check(target, &load, self.loads.last())?;
                    content_left = content_left.checked_sub(load.content.len()).ok_or_else(|| {
                        malformed(
                            at(),
                            "the segments up to this one have more content than the file has bytes, twice over",
                        )
                    })?;
                    self.loads.push(load);
                    if self.loads.len() > MOST_LOADS {
                        return Err(malformed(at(), format!("is one PT_LOAD too many: {MOST_LOADS} can be loaded")));
                    }
                }
                elf::PT_TLS if self.thread_local.is_some() => {
                    return Err(malformed(at(), "is a second PT_TLS, expected one at most"));
                }
                elf::PT_TLS => {
                    let content = content()?.len() as u64;
                    if content > size {
                        return Err(malformed(at(), format!("p_filesz {content:#x} is more than p_memsz {size:#x}")));
                    }
                    let alignment = aligned(&at(), alignment)?;
                    self.thread_local = Some(ThreadLocalHeader { address, size, content, alignment });
                }
                elf::PT_PHDR => table = Some(address),
                elf::PT_GNU_STACK => self.executable_stack = Some(segment.p_flags(endian).0 & elf::PF_X.0 != 0),
                elf::PT_GNU_RELRO => self.relro = Some((address, size)),
                elf::PT_DYNAMIC => self.dynamic = Some(content()?),
                elf::PT_INTERP => {
                    let name = text(content()?.split(|&byte| byte == 0).next().unwrap_or_default());
                    self.interpreter = Some((number, name));
                }
                _ => {}
            }
        }
        self.table_at(header.e_phoff(endian).into(), header.e_phentsize(endian).into(), table);
        if self.loads.is_empty() {
            return Err(malformed("program headers", "none is a PT_LOAD with memory: nothing is loaded"));
        }
        Ok(())
    }

    /// Notes where the program headers are in memory: where PT_PHDR says, or in the segment that has their part of the file.
    fn table_at(&mut self, offset: u64, size: u64, said: Option<u64>) {
        let holds = |load: &&Load<'_>| (load.offset..load.offset + load.content.len() as u64).contains(&offset);
        let address = said.or_else(|| self.loads.iter().find(holds).map(|load| load.address + (offset - load.offset)));
        self.table.0 = address;
        self.table.1 = size;
    }

    fn tables<Elf: FileHeader<Endian = Endianness>>(
        &mut self,
        header: &Elf,
        endian: Endianness,
        data: &'data [u8],
    ) -> Result<(), Problem> {
        let sections = header.sections(endian, data);
        let sections = sections.map_err(|error| malformed("section headers", error.to_string()))?;
        for (index, section) in sections.enumerate() {
            if section.sh_flags(endian).0 & elf::SHF_ALLOC.0 == 0 {
                continue;
            }
            let name = sections.section_name(endian, section);
            let name =
                name.map_err(|_| malformed(format!("section {}", index.0), "sh_name is outside the string table"))?;
            self.sections.push(Section {
                index: index.0,
                name,
                kind: section.sh_type(endian),
                address: section.sh_addr(endian).into(),
                size: section.sh_size(endian).into(),
            });
        }
        self.symbols = symbols(&sections, endian, data, elf::SHT_SYMTAB)?;
        if self.symbols.is_empty() {
            self.symbols = symbols(&sections, endian, data, elf::SHT_DYNSYM)?;
        }
        Ok(())
    }
}

fn symbols<'data, Elf: FileHeader<Endian = Endianness>>(
    sections: &SectionTable<'data, Elf>,
    endian: Endianness,
    data: &'data [u8],
    kind: elf::SectionType,
) -> Result<Vec<RawSymbol<'data>>, Problem> {
    let table = sections.symbols(endian, data, kind);
    let table = table.map_err(|error| malformed("symbol table", error.to_string()))?;
    let symbol = |(number, symbol): (usize, &'data Elf::Sym)| {
        let name = table.symbol_name(endian, symbol);
        let name = name.map_err(|_| malformed(format!("symbol {number}"), "st_name is outside the string table"))?;
        Ok(RawSymbol {
            name,
            value: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
            kind: symbol.st_type(),
            bind: symbol.st_bind(),
            section: symbol.st_shndx(endian),
        })
    };
    table.enumerate().map(|(index, known)| symbol((index.0, known))).collect()
}

/// What may be done with a segment, which is never to be written and executed (W^X).
fn protection(number: usize, flags: elf::ProgramFlags) -> Result<Protection, Problem> {
    let has = |flag: elf::ProgramFlags| flags.0 & flag.0 != 0;
    match (has(elf::PF_W), has(elf::PF_X)) {
        (true, true) => Err(Problem::Refused(format!(
            "program header {number}: p_flags {:#x} make a segment that is writable and executable (RWX), which nothing here \
             may be (W^X)",
            flags.0
        ))),
        (true, false) => Ok(Protection::ReadWrite),
        (false, true) => Ok(Protection::ReadExecute),
        (false, false) => Ok(Protection::Read),
    }
}

fn aligned(at: &str, alignment: u64) -> Result<u64, Problem> {
    let alignment = alignment.max(1);
    if alignment.is_power_of_two() {
        return Ok(alignment);
    }
    Err(malformed(at, format!("p_align {alignment:#x} is not a power of two")))
}

/// Whether a segment is where one can be.
pub(super) fn check(target: &Target, load: &Load<'_>, before: Option<&Load<'_>>) -> Result<(), Problem> {
    let Load { number, address, size, content, .. } = load;
    let at = format!("program header {number}");
    if content.len() as u64 > *size {
        return Err(malformed(at, format!("p_filesz {:#x} is more than p_memsz {size:#x}", content.len())));
    }
    let last = address.checked_add(size - 1).filter(|last| target.wrap(*last) == *last);
    if last.is_none() {
        return Err(malformed(at, format!("p_vaddr {address:#x} and p_memsz {size:#x} are beyond the last address")));
    }
    if let Some(before) = before
        && before.address + (before.size - 1) >= *address
    {
        let what = format!(
            "p_vaddr {address:#x} is not behind program header {}, which ends at {:#x}: PT_LOADs are sorted and do not overlap",
            before.number,
            before.address + (before.size - 1)
        );
        return Err(malformed(at, what));
    }
    Ok(())
}
