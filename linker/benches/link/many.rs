//! Generated inputs with many of one thing, for aarch64.

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

use crate::inputs::Files;

/// An object in the making.
struct Maker(Object<'static>);

impl Maker {
    fn new() -> Maker {
        Maker(Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little))
    }

    fn section(&mut self, name: String, kind: SectionKind, bytes: &[u8]) -> SectionId {
        let id = self.0.add_section(Vec::new(), name.into_bytes(), kind);
        self.0.append_section_data(id, bytes, 8);
        id
    }

    /// A section that is one instruction.
    fn code(&mut self, name: String, word: u32) -> SectionId {
        self.section(name, SectionKind::Text, &word.to_le_bytes())
    }

    /// A global symbol at an offset of a section, or one that is defined elsewhere.
    fn symbol(&mut self, name: String, place: Option<(SectionId, u64)>) -> SymbolId {
        self.0.add_symbol(Symbol {
            name: name.into_bytes(),
            value: place.map_or(0, |place| place.1),
            size: if place.is_some() { 4 } else { 0 },
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section: place.map_or(SymbolSection::Undefined, |place| SymbolSection::Section(place.0)),
            flags: SymbolFlags::None,
        })
    }

    fn relocate(&mut self, section: SectionId, offset: u64, symbol: SymbolId, r_type: elf::RelocationType) {
        let flags = RelocationFlags::Elf { r_type };
        self.0.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).expect("a relocation of ELF");
    }

    fn file(self, name: &str) -> (String, Vec<u8>) {
        (name.to_owned(), self.0.write().expect("an object"))
    }
}

const BL: u32 = 0x9400_0000;
const RET: u32 = 0xd65f_03c0;
const LDR_X0_X0: u32 = 0xf940_0000;

/// One object of so many sections of code, each of which calls the next, and the last the first.
pub(crate) fn sections(count: usize) -> Files {
    let mut object = Maker::new();
    let code: Vec<_> = (0..count).map(|number| object.code(format!(".text.function_{number}"), BL)).collect();
    let names: Vec<_> = code
        .iter()
        .enumerate()
        .map(|(n, &section)| object.symbol(format!("function_{n}"), Some((section, 0))))
        .collect();
    for (number, &section) in code.iter().enumerate() {
        object.relocate(section, 0, names[(number + 1) % count], elf::R_AARCH64_CALL26);
    }
    vec![object.file("sections.o")]
}

/// Sections of different names, and pointers to where each begins and ends.
pub(crate) fn bounds(count: usize) -> Files {
    let (mut object, mut other) = (Maker::new(), Maker::new());
    let table = other.section(".data".to_owned(), SectionKind::Data, &vec![0; 16 * count]);
    for number in 0..count {
        object.section(format!("table_{number}"), SectionKind::Data, &[0; 8]);
        for (index, end) in ["start", "stop"].into_iter().enumerate() {
            let symbol = other.symbol(format!("__{end}_table_{number}"), None);
            other.relocate(table, (16 * number + 8 * index) as u64, symbol, elf::R_AARCH64_ABS64);
        }
    }
    vec![object.file("tables.o"), other.file("bounds.o")]
}

/// An object, and an archive whose last member it pulls in, and that the member before, up to the first.
pub(crate) fn members(count: usize) -> Files {
    let function = |number: usize| {
        let mut object = Maker::new();
        let code = object.code(".text".to_owned(), if number == 0 { RET } else { BL });
        object.symbol(format!("function_{number}"), Some((code, 0)));
        if number > 0 {
            let next = object.symbol(format!("function_{}", number - 1), None);
            object.relocate(code, 0, next, elf::R_AARCH64_CALL26);
        }
        object.file(&format!("m{number}.o"))
    };
    let members: Vec<_> = (0..count).map(|number| (function(number), format!("function_{number}"))).collect();
    vec![function(count), ("libmany.a".to_owned(), archive(&members))]
}

/// An archive with an index, in the format of System V; one symbol for each member.
fn archive(members: &[((String, Vec<u8>), String)]) -> Vec<u8> {
    let header = |name: &str, size: usize| format!("{name:16}{:12}{:6}{:6}{:8}{size:<10}`\n", 0, 0, 0, 644);
    let padded = |size: usize| size.next_multiple_of(2);
    let names: Vec<u8> = members.iter().flat_map(|(_, symbol)| [symbol.as_bytes(), b"\0"].concat()).collect();
    let index_size = padded(4 + 4 * members.len() + names.len());
    let mut index = (members.len() as u32).to_be_bytes().to_vec();
    let mut body = Vec::new();
    for ((name, bytes), _) in members {
        let at = 8 + 60 + index_size + body.len();
        index.extend((at as u32).to_be_bytes());
        body.extend(header(&format!("{name}/"), bytes.len()).into_bytes());
        body.extend(bytes);
        body.resize(padded(body.len()), b'\n');
    }
    index.extend(names);
    index.resize(index_size, 0);
    [b"!<arch>\n".to_vec(), header("/", index_size).into_bytes(), index, body].concat()
}

/// An object with so many symbols, and another that points to each.
pub(crate) fn symbols(count: usize) -> Files {
    let (mut object, mut other) = (Maker::new(), Maker::new());
    let code = object.section(".text".to_owned(), SectionKind::Text, &vec![0; 4 * count]);
    let data = other.section(".data".to_owned(), SectionKind::Data, &vec![0; 8 * count]);
    for number in 0..count {
        object.symbol(format!("symbol_{number}"), Some((code, 4 * number as u64)));
        let symbol = other.symbol(format!("symbol_{number}"), None);
        other.relocate(data, 8 * number as u64, symbol, elf::R_AARCH64_ABS64);
    }
    vec![object.file("symbols.o"), other.file("pointers.o")]
}

/// Loads of addresses of different symbols from the table.
pub(crate) fn entries(count: usize) -> Files {
    let mut object = Maker::new();
    let words: Vec<u8> = (0..count).flat_map(|_| [0x9000_0000, LDR_X0_X0]).flat_map(u32::to_le_bytes).collect();
    let code = object.section(".text".to_owned(), SectionKind::Text, &words);
    for number in 0..count {
        let symbol = object.symbol(format!("symbol_{number}"), None);
        object.relocate(code, 8 * number as u64, symbol, elf::R_AARCH64_ADR_GOT_PAGE);
        object.relocate(code, 8 * number as u64 + 4, symbol, elf::R_AARCH64_LD64_GOT_LO12_NC);
    }
    vec![object.file("entries.o")]
}

/// Calls of different functions that nobody defines. Together: all in sections of one name.
pub(crate) fn stubs(count: usize, together: bool) -> Files {
    let mut object = Maker::new();
    for number in 0..count {
        let name = if together { ".text".to_owned() } else { format!(".text.function_{number}") };
        let code = object.code(name, BL);
        let symbol = object.symbol(format!("external_{number}"), None);
        object.relocate(code, 0, symbol, elf::R_AARCH64_CALL26);
    }
    vec![object.file("calls.o")]
}

/// Offsets of 32 bits to different functions that nobody defines, and as many functions.
pub(crate) fn stubs_for_data(count: usize) -> Files {
    let mut object = Maker::new();
    let data = object.section(".data".to_owned(), SectionKind::Data, &vec![0; 4 * count]);
    for number in 0..count {
        object.code(format!(".text.function_{number}"), RET);
        let symbol = object.symbol(format!("external_{number}"), None);
        object.relocate(data, 4 * number as u64, symbol, elf::R_AARCH64_PLT32);
    }
    vec![object.file("offsets.o")]
}
