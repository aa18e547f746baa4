//! Symbols: locals as they stand, globals by name.

use object::elf;
use object::read::elf::{FileHeader, SectionHeader, Sym};

use super::{Reader, Slot, malformed};
use crate::error::{Result, Site, text};
use crate::format::Defined;
use crate::graph::{Binding, Definition, Flags, Symbol, Visibility, nothing};
use crate::index::{SectionId, SymbolId};

/// What GCC defines in an object that holds no code but for its link-time optimization.
const LTO_ONLY: &[u8] = b"__gnu_lto_slim";

/// The bits of `st_other` that are the visibility.
const VISIBILITY: u8 = 3;

/// Tells the global names that an object defines, and looks at nothing else.
pub(super) fn defines<'data, Elf: FileHeader>(
    data: &'data [u8],
    tell: &mut dyn FnMut(&'data [u8], Defined),
) -> object::Result<()> {
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let symbols = header.sections(endian, data)?.symbols(endian, data, elf::SHT_SYMTAB)?;
    for symbol in symbols.iter() {
        if symbol.st_bind() != elf::STB_LOCAL && symbol.st_shndx(endian) != elf::SHN_UNDEF {
            let common = symbol.st_shndx(endian) == elf::SHN_COMMON || symbol.st_type() == elf::STT_COMMON;
            let tentative = common || symbol.st_bind() == elf::STB_WEAK;
            let how = if tentative { Defined::Tentative } else { Defined::Strong };
            tell(symbols.symbol_name(endian, symbol)?, how);
        }
    }
    Ok(())
}

impl<'data, Elf: FileHeader> Reader<'_, 'data, Elf> {
    /// Gives a section that is not part of the link addresses, for what refers to it: as in other linkers, from 0 on, behind
    /// those of its name in the objects before. None for what can have none.
    pub(super) fn outline(&mut self, index: usize) -> Result<Option<SectionId>> {
        let Some(header) = self.header(index) else { return Ok(None) };
        let flags = header.sh_flags(self.endian);
        if self.is_table(header.sh_type(self.endian)) || flags.0 & (elf::SHF_ALLOC | elf::SHF_EXCLUDE).0 != 0 {
            return Ok(None);
        }
        let section = self.read_section(index, header, true)?;
        self.slots[index] = Slot::Outlined(section);
        Ok(Some(section))
    }

    pub(super) fn read_symbols(&mut self) -> Result<()> {
        self.symbol_ids.reserve_exact(self.symbols.len());
        self.graph.symbols.reserve(self.symbols.len());
        for (index, symbol) in self.symbols.enumerate() {
            let id = if index.0 == 0 { nothing() } else { self.read_symbol(index, symbol)? };
            self.symbol_ids.push(id);
        }
        Ok(())
    }

    fn read_symbol(&mut self, index: object::SymbolIndex, symbol: &'data Elf::Sym) -> Result<SymbolId> {
        let name = self
            .symbols
            .symbol_name(self.endian, symbol)
            .map_err(|_| malformed(self.site(), format!("symbol {}: st_name is outside the string table", index.0)))?;
        let kind = symbol.st_type();
        if kind == elf::STT_FILE {
            self.graph.objects[self.object].source = name;
            return Ok(nothing());
        }
        let function = kind == elf::STT_FUNC || kind == elf::STT_GNU_IFUNC;
        let (value, mut flags) = self.graph.arch.symbol_value(symbol.st_value(self.endian).into(), function);
        for (is, flag) in [
            (function, Flags::FUNCTION),
            (kind == elf::STT_GNU_IFUNC, Flags::IFUNC),
            (kind == elf::STT_TLS, Flags::TLS),
            (kind == elf::STT_SECTION, Flags::SECTION),
            (kind == elf::STT_OBJECT || kind == elf::STT_COMMON, Flags::OBJECT),
        ] {
            if is {
                flags = flags.with(flag);
            }
        }
        let local = symbol.st_bind() == elf::STB_LOCAL;
        if local
            && name.first() == Some(&b'$')
            && let Some(bytes) = self.graph.arch.mapping(name)
        {
            if let Some((_, Slot::Kept(section))) = self.slot_of(index, symbol)
                && let Some((block, offset)) = self.block_at(section, value)
            {
                self.graph.mapping.push((block, offset, bytes));
            }
            return Ok(nothing());
        }
        if name == LTO_ONLY && symbol.st_shndx(self.endian) == elf::SHN_COMMON {
            let problem = "holds GCC LTO code only: compile it with -ffat-lto-objects or without -flto";
            return Err(malformed(self.site(), problem.to_owned()));
        }
        let definition = self.definition(index, symbol, name, value)?;
        let symbol = Symbol {
            // A section symbol goes by its section's name.
            name: if flags.has(Flags::SECTION) { b"" } else { name },
            definition,
            size: symbol.st_size(self.endian).into(),
            binding: match symbol.st_bind() {
                elf::STB_LOCAL => Binding::Local,
                elf::STB_WEAK => Binding::Weak,
                // Those that are unique in a process (STB_GNU_UNIQUE) are to a static link what others are.
                _ => Binding::Strong,
            },
            visibility: match symbol.st_visibility() {
                elf::STV_INTERNAL => Visibility::Internal,
                elf::STV_HIDDEN => Visibility::Hidden,
                elf::STV_PROTECTED => Visibility::Protected,
                _ => Visibility::Default,
            },
            flags,
            other: symbol.st_other().0 & !VISIBILITY,
            owner: self.object,
        };
        if local { Ok(self.graph.symbols.push(symbol)) } else { self.names.resolve(self.graph, symbol) }
    }

    /// The section that a symbol is in, and what became of it.
    pub(super) fn slot_of(&self, index: object::SymbolIndex, symbol: &Elf::Sym) -> Option<(usize, Slot)> {
        let section = self.symbols.symbol_section(self.endian, symbol, index).ok().flatten()?;
        Some((section.0, *self.slots.get(section.0)?))
    }

    fn definition(
        &mut self,
        index: object::SymbolIndex,
        symbol: &Elf::Sym,
        name: &[u8],
        value: u64,
    ) -> Result<Definition<'data>> {
        let site = || Site { symbol: Some(text(name)), ..self.site() };
        match symbol.st_shndx(self.endian) {
            elf::SHN_UNDEF => return Ok(Definition::Undefined),
            elf::SHN_ABS => return Ok(Definition::Absolute(value)),
            elf::SHN_COMMON => {
                let alignment = value.max(1);
                if !alignment.is_power_of_two() || alignment > self.limits.alignment {
                    let limit = self.limits.alignment;
                    let problem =
                        format!("st_value of a common symbol is {value:#x}, expected a power of two up to {limit:#x}");
                    return Err(malformed(site(), problem));
                }
                let size: u64 = symbol.st_size(self.endian).into();
                if size > self.limits.zero.min(u32::MAX.into()) {
                    let problem = format!("st_size of a common symbol is {size:#x}, more than the limit for a link");
                    return Err(malformed(site(), problem));
                }
                return Ok(Definition::Common(size, alignment));
            }
            _ => {}
        }
        let in_section = |reader: &Self, section| {
            let (block, offset) = reader.place_of(section, value);
            Definition::Block(block, offset)
        };
        match self.slot_of(index, symbol) {
            Some((_, Slot::Kept(section) | Slot::Outlined(section))) => Ok(in_section(self, section)),
            Some((_, Slot::Discarded)) if symbol.st_bind() != elf::STB_LOCAL => Ok(Definition::Undefined),
            // Every section has a symbol: only if something refers to it is there more to do.
            Some((section, Slot::Ignored)) if symbol.st_type() != elf::STT_SECTION => {
                Ok(self.outline(section)?.map_or(Definition::Discarded, |section| in_section(self, section)))
            }
            Some((_, Slot::Discarded | Slot::Ignored)) => Ok(Definition::Discarded),
            None => {
                let shndx = symbol.st_shndx(self.endian).0;
                Err(malformed(site(), format!("st_shndx is {shndx:#x}, expected the index of a section")))
            }
        }
    }
}
