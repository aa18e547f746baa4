//! Symbols: locals as they stand, globals by name.

use object::elf;
use object::read::elf::{FileHeader, Sym};

use super::{Reader, Slot, malformed};
use crate::error::{Result, Site, text};
use crate::graph::{Binding, Definition, Flags, Symbol, Visibility, nothing};
use crate::index::SymbolId;

impl<'data, Elf: FileHeader> Reader<'_, 'data, Elf> {
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
        let definition = self.definition(index, symbol, name, value)?;
        let local = symbol.st_bind() == elf::STB_LOCAL;
        if local
            && name.first() == Some(&b'$')
            && let Some(bytes) = self.graph.arch.mapping(name)
        {
            if let Definition::Block(block, offset) = definition {
                self.graph.mapping.push((block, offset, bytes));
            }
            return Ok(nothing());
        }
        let symbol = Symbol {
            // A section symbol goes by its section's name.
            name: if flags.has(Flags::SECTION) { b"" } else { name },
            definition,
            size: symbol.st_size(self.endian).into(),
            binding: match symbol.st_bind() {
                elf::STB_LOCAL => Binding::Local,
                // Of symbols that are unique in a process any one definition will do.
                elf::STB_WEAK | elf::STB_GNU_UNIQUE => Binding::Weak,
                _ => Binding::Strong,
            },
            visibility: match symbol.st_visibility() {
                elf::STV_INTERNAL => Visibility::Internal,
                elf::STV_HIDDEN => Visibility::Hidden,
                elf::STV_PROTECTED => Visibility::Protected,
                _ => Visibility::Default,
            },
            flags,
            owner: self.object,
        };
        if local { Ok(self.graph.symbols.push(symbol)) } else { self.names.resolve(self.graph, symbol) }
    }

    fn definition(
        &self,
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
                if size > self.limits.size {
                    let problem = format!("st_size of a common symbol is {size:#x}, more than the limit for a link");
                    return Err(malformed(site(), problem));
                }
                return Ok(Definition::Common(size, alignment));
            }
            _ => {}
        }
        let section = self.symbols.symbol_section(self.endian, symbol, index).ok().flatten();
        let slot = section.and_then(|section| Some((section.0, *self.slots.get(section.0)?)));
        match slot {
            Some((_, Slot::Kept(section))) => {
                self.block_at(section, value).map(|(block, offset)| Definition::Block(block, offset)).ok_or_else(|| {
                    let site = Site { symbol: Some(text(name)), ..Site::section(self.graph, section) };
                    malformed(site, format!("st_value {value:#x} is beyond the end of the section"))
                })
            }
            Some((_, Slot::Discarded)) if symbol.st_bind() != elf::STB_LOCAL => Ok(Definition::Undefined),
            // Debug information and the like: nothing that is loaded refers to it.
            Some((_, Slot::Discarded | Slot::Ignored)) => Ok(Definition::Discarded),
            None => {
                let shndx = symbol.st_shndx(self.endian).0;
                Err(malformed(site(), format!("st_shndx is {shndx:#x}, expected the index of a section")))
            }
        }
    }
}
