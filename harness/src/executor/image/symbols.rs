//! The symbol table: each symbol with its own type, binding and size, in the section that its address is in.

use object::elf;
use object::write::elf::Sym;

use super::sections::Section;
use super::{Binding, ImageSymbol, SymbolKind};

/// Finds the section of an address.
pub(super) struct Places {
    /// Start, end and number of each section that is loaded, by address.
    spans: Vec<(u64, u64, u32)>,
}

impl Places {
    pub(super) fn new(sections: &[Section<'_>]) -> Places {
        let loaded = sections.iter().enumerate().filter(|(_, section)| section.is_loaded());
        let span = |(index, section): (usize, &Section<'_>)| {
            let header = &section.header;
            (header.sh_addr, header.sh_addr.saturating_add(header.sh_size), index as u32 + 1)
        };
        let mut spans: Vec<(u64, u64, u32)> = loaded.map(span).collect();
        spans.sort_unstable();
        Places { spans }
    }

    /// The section that holds an address, or ends at it.
    fn at(&self, address: u64) -> Option<u32> {
        let behind = self.spans.partition_point(|span| span.0 <= address);
        let before = &self.spans[..behind];
        let holds = before.iter().rev().take(4).find(|span| address < span.1);
        holds.or_else(|| before.last()).map(|span| span.2)
    }
}

/// A symbol as the table has it.
pub(super) fn entry(symbol: &ImageSymbol<'_>, name: u32, places: &Places) -> Sym {
    let bind = match symbol.binding {
        Binding::Local => elf::STB_LOCAL,
        Binding::Weak => elf::STB_WEAK,
        Binding::Global => elf::STB_GLOBAL,
    };
    let kind = match symbol.kind {
        SymbolKind::Function => elf::STT_FUNC,
        SymbolKind::Object => elf::STT_OBJECT,
        SymbolKind::Label => elf::STT_NOTYPE,
        SymbolKind::ThreadLocal => elf::STT_TLS,
        SymbolKind::Ifunc => elf::STT_GNU_IFUNC,
        SymbolKind::File => elf::STT_FILE,
    };
    let section = symbol.place.and_then(|place| places.at(place));
    Sym {
        section,
        st_name: name,
        st_info: elf::SymbolInfo::new(bind, kind),
        st_shndx: match section {
            Some(_) => elf::SymbolSection(0),
            None if symbol.undefined => elf::SHN_UNDEF,
            None => elf::SHN_ABS,
        },
        st_value: symbol.value,
        st_size: symbol.size,
        st_other: elf::SymbolOther(symbol.other),
    }
}

/// A symbol for each section, by which tools name what has no other name.
pub(super) fn of_sections(sections: &[Section<'_>]) -> impl Iterator<Item = Sym> {
    sections.iter().enumerate().map(|(index, section)| Sym {
        section: Some(index as u32 + 1),
        st_name: 0,
        st_info: elf::SymbolInfo::new(elf::STB_LOCAL, elf::STT_SECTION),
        st_shndx: elf::SymbolSection(0),
        st_value: section.header.sh_addr,
        st_size: 0,
        st_other: elf::SymbolOther::default(),
    })
}
