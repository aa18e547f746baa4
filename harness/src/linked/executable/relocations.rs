//! The relocations that an executable leaves to whoever starts it, and where it says that they are.

use linker::Target;
use object::elf;

use super::content::Content;
use super::dynamic::Dynamic;
use super::error::{Problem, malformed};
use super::headers::{Headers, RawSymbol, Section};

/// What a relocation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    None,
    /// The address of a symbol, and an addend.
    Address,
    /// The address of a symbol, where REL relocations have no addend: what stands in the field is something else.
    Slot,
    /// An address in the executable, counted from where it is.
    Relative,
    /// What a function returns.
    Indirect,
    /// The number of a module with thread-local variables: the executable is the first.
    Module,
    /// The offset of a thread-local variable in its module's block.
    BlockOffset,
    /// The offset of a thread-local variable from the thread pointer.
    ThreadOffset,
    /// Something that only a run-time linker does: its name.
    Other(&'static str),
}

/// The numbers of one ABI.
struct Numbers {
    machine: u16,
    pointer_bits: u32,
    kinds: &'static [(u32, Kind)],
}

use Kind::{Address, BlockOffset, Indirect, Module, None as Nothing, Other, Relative, Slot, ThreadOffset};

/// AAELF32 and AAELF64, Dynamic relocations, with the numbers of ILP32 in a row of its own.
static NUMBERS: &[Numbers] = &[
    Numbers {
        machine: elf::EM_ARM.0,
        pointer_bits: 32,
        kinds: &[
            (0, Nothing),
            (2, Address),
            (13, Other("R_ARM_TLS_DESC")),
            (17, Module),
            (18, BlockOffset),
            (19, ThreadOffset),
            (20, Other("R_ARM_COPY")),
            (21, Slot),
            (22, Slot),
            (23, Relative),
            (160, Indirect),
        ],
    },
    Numbers {
        machine: elf::EM_AARCH64.0,
        pointer_bits: 64,
        kinds: &[
            (0, Nothing),
            (256, Nothing),
            (257, Address),
            (1024, Other("R_AARCH64_COPY")),
            (1025, Slot),
            (1026, Slot),
            (1027, Relative),
            (1028, Module),
            (1029, BlockOffset),
            (1030, ThreadOffset),
            (1031, Other("R_AARCH64_TLSDESC")),
            (1032, Indirect),
        ],
    },
    Numbers {
        machine: elf::EM_AARCH64.0,
        pointer_bits: 32,
        kinds: &[
            (0, Nothing),
            (1, Address),
            (180, Other("R_AARCH64_P32_COPY")),
            (181, Slot),
            (182, Slot),
            (183, Relative),
            (184, Module),
            (185, BlockOffset),
            (186, ThreadOffset),
            (187, Other("R_AARCH64_P32_TLSDESC")),
            (188, Indirect),
        ],
    },
];

/// What a relocation of this number does, if it is one of these.
pub(super) fn kind(target: &Target, number: u32) -> Option<Kind> {
    let own = |row: &&Numbers| (row.machine, row.pointer_bits) == (target.machine, target.pointer_bits);
    let kinds = NUMBERS.iter().find(own)?.kinds;
    kinds.iter().find(|(known, _)| *known == number).map(|&(_, kind)| kind)
}

/// A table of relocations.
#[derive(Clone, Debug)]
pub(super) struct Table<'data> {
    /// What it is called in messages.
    pub(super) name: String,
    pub(super) bytes: &'data [u8],
    pub(super) form: Form,
}

/// How a table says what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The addend is in the field.
    Rel,
    /// The addend is in the relocation.
    Rela,
    /// Addresses and bitmaps of relative relocations, with the addend in the field.
    Relr,
}

impl Form {
    /// Words in an entry.
    pub(super) fn words(self) -> usize {
        match self {
            Form::Relr => 1,
            Form::Rel => 2,
            Form::Rela => 3,
        }
    }
}

/// The bounds of what static executables have for their own start-up code, by the form that the architecture uses.
const BOUNDS: [(&str, &str, Form); 2] =
    [("__rela_iplt_start", "__rela_iplt_end", Form::Rela), ("__rel_iplt_start", "__rel_iplt_end", Form::Rel)];

/// All tables of relocations that are to be applied, each once.
pub(super) fn tables<'data>(
    target: &Target,
    headers: &Headers<'data>,
    dynamic: &Dynamic,
    content: &Content<'_, 'data>,
) -> Result<Vec<Table<'data>>, Problem> {
    let mut tables: Vec<(u64, Table<'data>)> = Vec::new();
    let mut add = |name: &str, address: u64, size: u64, form: Form| {
        let Some(bytes) = content.bytes(address, size) else {
            let what = format!("{size:#x} bytes at {address:#x} are not in the content of a segment");
            return Err(malformed(name, what));
        };
        let entry = form.words() * target.pointer_bytes();
        if !bytes.len().is_multiple_of(entry) {
            return Err(malformed(name, format!("its size {size:#x} is not a multiple of {entry}, that of an entry")));
        }
        // A table may be part of one that is there already: linkers have those of the PLT in both.
        let within =
            |(start, known): &(u64, Table<'_>)| *start <= address && address - start < known.bytes.len() as u64;
        if !tables.iter().any(within) {
            tables.push((address, Table { name: name.to_owned(), bytes, form }));
        }
        Ok(())
    };
    for (name, address, size, form) in [
        ("DT_RELR", elf::DT_RELR, elf::DT_RELRSZ, Form::Relr),
        ("DT_RELA", elf::DT_RELA, elf::DT_RELASZ, Form::Rela),
        ("DT_REL", elf::DT_REL, elf::DT_RELSZ, Form::Rel),
    ] {
        if let Some((address, size)) = dynamic.table(name, address, size)? {
            add(name, address, size, form)?;
        }
    }
    if let Some((address, size)) = dynamic.table("DT_JMPREL", elf::DT_JMPREL, elf::DT_PLTRELSZ)? {
        let form = if dynamic.get(elf::DT_PLTREL) == Some(elf::DT_REL.0 as u64) { Form::Rel } else { Form::Rela };
        add("DT_JMPREL", address, size, form)?;
    }
    if headers.dynamic.is_none() {
        for Section { name, kind, address, size, .. } in &headers.sections {
            let form = match *kind {
                elf::SHT_RELA => Form::Rela,
                elf::SHT_REL => Form::Rel,
                _ => continue,
            };
            if *size > 0 {
                add(&linker::error::text(name), *address, *size, form)?;
            }
        }
        let value = |name: &str| defined(&headers.symbols, name).map(|symbol| symbol.value);
        for (start, end, form) in BOUNDS {
            if let (Some(from), Some(to)) = (value(start), value(end))
                && from < to
            {
                add(start, from, to - from, form)?;
            }
        }
    }
    Ok(tables.into_iter().map(|(_, table)| table).collect())
}

/// The symbol of a name that is somewhere.
pub(super) fn defined<'a, 'data>(symbols: &'a [RawSymbol<'data>], name: &str) -> Option<&'a RawSymbol<'data>> {
    symbols.iter().find(|symbol| symbol.name == name.as_bytes() && symbol.section != elf::SHN_UNDEF)
}
