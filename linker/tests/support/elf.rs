//! Relocatable objects and archives made by hand: as much of ELF as the tests need, and nothing checked.

/// A section.
#[derive(Clone, Default)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) kind: u32,
    pub(crate) flags: u64,
    pub(crate) data: Vec<u8>,
    /// Size in memory, for sections without content.
    pub(crate) size: u64,
    pub(crate) align: u64,
    pub(crate) link: u32,
    pub(crate) info: u32,
    /// Offset, number, symbol, addend.
    pub(crate) relocations: Vec<(u64, u32, usize, i64)>,
}

/// An object.
pub(crate) struct Elf {
    wide: bool,
    machine: u16,
    pub(crate) sections: Vec<Section>,
    /// Name, info, visibility, section, value, size.
    pub(crate) symbols: Vec<(String, u8, u8, u16, u64, u64)>,
}

pub(crate) const PROGBITS: u32 = 1;
pub(crate) const NOBITS: u32 = 8;
pub(crate) const INIT_ARRAY: u32 = 14;
pub(crate) const GROUP: u32 = 17;
pub(crate) const EXIDX: u32 = 0x7000_0001;

pub(crate) const DATA: u64 = 3;
pub(crate) const READ: u64 = 2;
pub(crate) const CODE: u64 = 6;
pub(crate) const LINK_ORDER: u64 = 0x80;

pub(crate) const LOCAL: u8 = 0;
pub(crate) const GLOBAL: u8 = 0x10;
pub(crate) const WEAK: u8 = 0x20;
pub(crate) const UNIQUE: u8 = 0xa0;
pub(crate) const OBJECT: u8 = 1;
pub(crate) const FUNC: u8 = 2;
pub(crate) const SECTION: u8 = 3;
pub(crate) const IFUNC: u8 = 10;

pub(crate) const UNDEFINED: u16 = 0;
pub(crate) const ABSOLUTE: u16 = 0xfff1;
pub(crate) const COMMON: u16 = 0xfff2;

pub(crate) const AARCH64_ABS64: u32 = 257;
pub(crate) const AARCH64_CALL26: u32 = 283;
pub(crate) const ARM_ABS32: u32 = 2;
pub(crate) const ARM_CALL: u32 = 28;
pub(crate) const ARM_THM_CALL: u32 = 10;

/// Names of a string table as they go in.
struct Strings(Vec<u8>);

impl Strings {
    fn add(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let at = self.0.len() as u32;
        self.0.extend(text.bytes());
        self.0.push(0);
        at
    }
}

impl Elf {
    pub(crate) fn aarch64() -> Elf {
        Elf { wide: true, machine: 183, sections: Vec::new(), symbols: Vec::new() }
    }

    pub(crate) fn ilp32() -> Elf {
        Elf { wide: false, ..Elf::aarch64() }
    }

    pub(crate) fn arm() -> Elf {
        Elf { wide: false, machine: 40, sections: Vec::new(), symbols: Vec::new() }
    }

    /// Adds a section; its number.
    pub(crate) fn section(&mut self, name: &str, kind: u32, flags: u64, data: &[u8]) -> u16 {
        let (name, data) = (name.to_owned(), data.to_vec());
        self.sections.push(Section { name, kind, flags, data, align: 4, ..Section::default() });
        self.sections.len() as u16
    }

    /// The section of this number, to be changed.
    pub(crate) fn of(&mut self, section: u16) -> &mut Section {
        &mut self.sections[section as usize - 1]
    }

    /// Adds a symbol; its number.
    pub(crate) fn symbol(&mut self, name: &str, info: u8, section: u16, value: u64) -> usize {
        self.symbols.push((name.to_owned(), info, 0, section, value, 0));
        self.symbols.len()
    }

    /// Adds a symbol that is defined elsewhere; its number.
    pub(crate) fn wants(&mut self, name: &str) -> usize {
        self.symbol(name, GLOBAL, UNDEFINED, 0)
    }

    /// Adds a relocation.
    pub(crate) fn relocate(&mut self, section: u16, offset: u64, number: u32, symbol: usize, addend: i64) {
        self.of(section).relocations.push((offset, number, symbol, addend));
    }

    /// Whether relocations have them, instead of the fields.
    fn has_addends(&self) -> bool {
        self.machine == 183
    }

    fn number(&self, out: &mut Vec<u8>, value: u64) {
        let width = if self.wide { 8 } else { 4 };
        out.extend(&value.to_le_bytes()[..width]);
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut sections = self.sections.clone();
        let (mut strings, mut names) = (Strings(vec![0]), Strings(vec![0]));
        let symtab = sections.len() as u32 + 1;
        let mut symbols = vec![0; if self.wide { 24 } else { 16 }];
        for (name, info, other, section, value, size) in &self.symbols {
            symbols.extend(strings.add(name).to_le_bytes());
            let tail = [&[*info, *other][..], &section.to_le_bytes()].concat();
            if self.wide {
                symbols.extend(tail);
                self.number(&mut symbols, *value);
                self.number(&mut symbols, *size);
            } else {
                self.number(&mut symbols, *value);
                self.number(&mut symbols, *size);
                symbols.extend(tail);
            }
        }
        let table = |name: &str, kind, data, link, info| Section {
            name: name.to_owned(),
            kind,
            data,
            align: 8,
            link,
            info,
            ..Section::default()
        };
        sections.push(table(".symtab", 2, symbols, symtab + 1, 1));
        sections.push(table(".strtab", 3, strings.0, 0, 0));
        for (index, section) in self.sections.iter().enumerate().filter(|(_, section)| !section.relocations.is_empty())
        {
            let mut data = Vec::new();
            for &(offset, number, symbol, addend) in &section.relocations {
                self.number(&mut data, offset);
                self.number(&mut data, (symbol as u64) << if self.wide { 32 } else { 8 } | u64::from(number));
                if self.has_addends() {
                    self.number(&mut data, addend as u64);
                }
            }
            let kind = if self.has_addends() { 4 } else { 9 };
            sections.push(table(&format!(".rel{}", section.name), kind, data, symtab, index as u32 + 1));
        }
        for section in sections.iter_mut().filter(|section| section.kind == GROUP) {
            section.link = symtab;
        }
        sections.push(table(".shstrtab", 3, Vec::new(), 0, 0));
        let offsets: Vec<u32> = sections.iter().map(|section| names.add(&section.name)).collect();
        sections.last_mut().expect("just pushed").data = names.0;

        let (head, size) = if self.wide { (64, 64) } else { (52, 40) };
        let mut body = Vec::new();
        let mut headers = vec![0; size];
        for (section, name) in sections.iter().zip(offsets) {
            headers.extend(name.to_le_bytes());
            headers.extend(section.kind.to_le_bytes());
            self.number(&mut headers, section.flags);
            self.number(&mut headers, 0);
            self.number(&mut headers, (head + body.len()) as u64);
            self.number(&mut headers, if section.kind == NOBITS { section.size } else { section.data.len() as u64 });
            headers.extend(section.link.to_le_bytes());
            headers.extend(section.info.to_le_bytes());
            self.number(&mut headers, section.align);
            let entry = match (section.kind, self.wide) {
                (2, true) | (4, true) => 24,
                (2, false) => 16,
                (4, false) => 12,
                (9, _) => 8,
                _ => 0,
            };
            self.number(&mut headers, entry);
            body.extend(&section.data);
            body.resize(body.len().next_multiple_of(8), 0);
        }
        let mut file = vec![0x7f, b'E', b'L', b'F', 1 + u8::from(self.wide), 1, 1];
        file.resize(16, 0);
        file.extend(1u16.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        self.number(&mut file, 0);
        self.number(&mut file, 0);
        self.number(&mut file, (head + body.len()) as u64);
        let flags: u32 = if self.has_addends() { 0 } else { 0x0500_0000 };
        file.extend(flags.to_le_bytes());
        for half in [head, 0, 0, size, sections.len() + 1, sections.len()] {
            file.extend((half as u16).to_le_bytes());
        }
        file.extend(body);
        file.extend(headers);
        file
    }
}

/// An archive with a symbol table: (member, its bytes, what it defines).
pub(crate) fn archive(members: &[(&str, Vec<u8>, &[&str])]) -> Vec<u8> {
    let header = |name: &str, size: usize| format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644);
    let names: usize = members.iter().flat_map(|member| member.2).map(|name| name.len() + 1).sum();
    let count: usize = members.iter().map(|member| member.2.len()).sum();
    let table = 4 + 4 * count + names;
    let mut at = 8 + 60 + table.next_multiple_of(2);
    let mut file = b"!<arch>\n".to_vec();
    file.extend(header("/", table).bytes());
    file.extend((count as u32).to_be_bytes());
    for (_, data, defines) in members {
        for _ in *defines {
            file.extend((at as u32).to_be_bytes());
        }
        at += 60 + data.len().next_multiple_of(2);
    }
    for name in members.iter().flat_map(|member| member.2) {
        file.extend(name.bytes().chain([0]));
    }
    file.resize(file.len().next_multiple_of(2), b'\n');
    for (name, data, _) in members {
        file.extend(header(&format!("{name}/"), data.len()).bytes());
        file.extend(data);
        file.resize(file.len().next_multiple_of(2), b'\n');
    }
    file
}
