//! The object that asks for all others.

use anyhow::{Context, Result};
use linker::Target;
use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    BinaryFormat, Endianness, Object as _, ObjectSymbol, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
};

use crate::linking::Input;
use crate::oracle::inputs;

/// Its symbol.
pub(super) const NAME: &str = "linkrig_anchor";

/// The anchor of some objects. None if none of them has anything to ask for.
pub(super) fn object(target: &Target, objects: &[Input]) -> Result<Option<Vec<u8>>> {
    let wide = target.pointer_bits == 64;
    let mut anchor = inputs::start(target, objects)?;
    let section = anchor.add_section(Vec::new(), b".data.anchor".to_vec(), SectionKind::Data);
    let size = target.pointer_bytes() as u64;
    let symbol = |anchor: &mut Object<'_>, name: &[u8], section| {
        anchor.add_symbol(Symbol {
            name: name.to_vec(),
            value: 0,
            size: 0,
            kind: if section == SymbolSection::Undefined { SymbolKind::Unknown } else { SymbolKind::Data },
            scope: SymbolScope::Linkage,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    };
    symbol(&mut anchor, NAME.as_bytes(), SymbolSection::Section(section));
    let mut found = 0;
    for object in objects {
        let Some(name) = name(object)? else { continue };
        let offset = anchor.append_section_data(section, &vec![0; size as usize], size);
        let to = symbol(&mut anchor, &name, SymbolSection::Undefined);
        // R_AARCH64_ABS64 or R_ARM_ABS32
        let r_type = object::elf::RelocationType(if wide { 257 } else { 2 });
        let relocation = Relocation { offset, symbol: to, addend: 0, flags: RelocationFlags::Elf { r_type } };
        anchor.add_relocation(section, relocation)?;
        found += 1;
    }
    Ok(if found == 0 { None } else { Some(anchor.write()?) })
}

/// A symbol by which an object can be asked for. None if it has none.
fn name(object: &Input) -> Result<Option<Vec<u8>>> {
    let file = object::File::parse(&*object.data).with_context(|| object.name.clone())?;
    if file.format() != BinaryFormat::Elf || file.endianness() != Endianness::Little {
        return Ok(None);
    }
    let fit = |symbol: &object::Symbol<'_, '_>| {
        let plain = matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data | SymbolKind::Unknown);
        plain && symbol.is_global() && symbol.section_index().is_some()
    };
    let mut symbols: Vec<_> = file.symbols().filter(fit).collect();
    // What others may define, too, may not be this object's in the end.
    symbols.sort_by_key(|symbol| symbol.is_weak());
    Ok(symbols.first().map(|symbol| symbol.name_bytes().map(<[u8]>::to_vec)).transpose()?)
}
