//! The object files of links with one relocation.

use corpus::abi::{Class, Place, Relocation};
use linker::Target;
use object::write::{Object, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use super::scene::{Aim, Scene};
use crate::oracle::inputs::symbol;

/// Bytes before and behind the place that nothing may change.
pub(crate) const GUARD: [u8; 4] = [0xa5, 0x5a, 0xc3, 0x3c];

/// Bytes of a thread-local image; the variables lie in it.
const IMAGE: u64 = 0x20;

/// How a label is defined that a relocation refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Definition {
    /// As an absolute symbol.
    Absolute,
    /// At the start of the section `.target`, for this file only.
    Local,
    /// The same, and the relocation refers to the section itself.
    Section,
    /// The same, as a weak symbol.
    Weak,
    /// As a common symbol.
    Common,
    /// Nowhere, and the reference is weak.
    Undefined,
}

/// Bytes of what [`Definition::Local`] and its like define. It is not aligned, as it may be anywhere.
const DEFINED: u64 = 16;

fn relocate(object: &mut Object<'_>, section: SectionId, offset: u64, number: u32, symbol: SymbolId, addend: i64) {
    let flags = RelocationFlags::Elf { r_type: object::elf::RelocationType(number) };
    let relocation = object::write::Relocation { offset, symbol, addend, flags };
    // The only error is a number too large for the file format, and numbers come from its tables.
    let _ = object.add_relocation(section, relocation);
}

/// Little-endian bytes in the order that they have in objects: data of a big-endian target is big-endian, and so is code
/// for ARM, although it is not in memory (AAELF32, EF_ARM_BE8).
fn in_object(target: &Target, place: Place, mut bytes: Vec<u8>) -> Vec<u8> {
    let unit = if place == Place::T32 { 2 } else { place.size() };
    if target.big_endian && place != Place::A64 {
        bytes.chunks_mut(unit.max(1)).for_each(<[u8]>::reverse);
    }
    bytes
}

/// Mapping symbols: name and offset.
fn map(object: &mut Object<'_>, section: SectionId, symbols: &[(&str, usize)]) {
    for &(name, value) in symbols {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: value as u64,
            size: 0,
            kind: SymbolKind::Unknown,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::Elf {
                st_info: object::elf::SymbolInfo::default(),
                st_other: object::elf::SymbolOther::default(),
            },
        });
    }
}

/// What asks for entries before the one that matters: number and word. A64 has an entry for each addend.
fn filler(class: Class) -> (u32, u32) {
    match class {
        Class::Arm => (26, 0),
        Class::Lp64 => (312, 0xf940_0000),
        Class::Ilp32 => (27, 0xb940_0000),
    }
}

/// The object of a link.
pub fn object(target: &Target, relocation: &Relocation, scene: &Scene) -> Vec<u8> {
    let mut object = start(target);
    add(&mut object, target, relocation, scene, Definition::Absolute);
    object.write().unwrap_or_default()
}

/// An object without anything in it.
pub(crate) fn start(target: &Target) -> Object<'static> {
    let architecture = match corpus::target::row(target).class {
        Class::Arm => Architecture::Arm,
        Class::Lp64 => Architecture::Aarch64,
        Class::Ilp32 => Architecture::Aarch64_Ilp32,
    };
    let endian = if target.big_endian { Endianness::Big } else { Endianness::Little };
    Object::new(BinaryFormat::Elf, architecture, endian)
}

/// Adds everything that a link needs, with a label that is defined like this.
pub(crate) fn add(
    object: &mut Object<'_>,
    target: &Target,
    relocation: &Relocation,
    scene: &Scene,
    definition: Definition,
) {
    let class = corpus::target::row(target).class;
    let code = relocation.form.place.is_code();
    let kind = |code| if code { SectionKind::Text } else { SectionKind::Data };
    let fillers = (scene.before > 0).then(|| {
        let section = object.add_section(Vec::new(), b".fillers".to_vec(), kind(true));
        let words = vec![filler(class).1.to_le_bytes(); scene.before as usize].concat();
        object.append_section_data(section, &words, 4);
        section
    });
    let section = object.add_section(Vec::new(), b".place".to_vec(), kind(code));
    let place = relocation.form.place;
    let bytes = [&GUARD[..], &in_object(target, place, place.bytes(scene.word)), &GUARD].concat();
    object.append_section_data(section, &bytes, if code { 2 } else { 1 });
    if class == Class::Arm && code {
        let name = if place == Place::A32 { "$a" } else { "$t" };
        map(object, section, &[("$d", 0), (name, GUARD.len()), ("$d", GUARD.len() + place.size())]);
    }
    // Threads have variables in every link, so that no formula of theirs comes to the same as one that knows nothing of them.
    let image = object.add_section(Vec::new(), b".tdata".to_vec(), SectionKind::Tls);
    object.append_section_data(image, &[0x11; IMAGE as usize], 8);
    let aim = aim(object, scene.aim, image, definition, kind(code));
    if let Some(fillers) = fillers {
        for index in 0..scene.before {
            // ARM has one entry for each symbol, AArch64 for each sum.
            let at = SymbolSection::Absolute;
            let other = symbol(object, &format!("other{index}"), SymbolKind::Label, at, 0x77_0000);
            relocate(object, fillers, 4 * index, filler(class).0, other, 0);
        }
    }
    let addend = if class == Class::Arm { 0 } else { scene.a };
    if let Some((number, word)) = scene.pair {
        let section = object.add_section(Vec::new(), b".pair".to_vec(), SectionKind::Text);
        object.append_section_data(section, &(word as u32).to_le_bytes(), 4);
        relocate(object, section, 0, number, aim, addend);
    }
    relocate(object, section, GUARD.len() as u64, relocation.number, aim, addend);
}

/// The symbol that the relocation refers to.
fn aim(
    object: &mut Object<'_>,
    aim: Aim,
    image: SectionId,
    definition: Definition,
    section_kind: SectionKind,
) -> SymbolId {
    let (kind, at, value) = match aim {
        Aim::Label(address) if definition == Definition::Absolute => {
            (SymbolKind::Label, SymbolSection::Absolute, address)
        }
        Aim::Label(_) => return label(object, definition, section_kind),
        Aim::Nothing if definition == Definition::Undefined => return label(object, definition, section_kind),
        Aim::Function(address, thumb) => (SymbolKind::Text, SymbolSection::Absolute, address | u64::from(thumb)),
        Aim::Inside(offset) => {
            let zero = object.add_section(Vec::new(), b".zero".to_vec(), SectionKind::UninitializedData);
            object.append_section_bss(zero, offset + 16, 16);
            (SymbolKind::Label, SymbolSection::Section(zero), offset)
        }
        Aim::ThreadLocal(offset) => (SymbolKind::Tls, SymbolSection::Section(image), offset),
        Aim::Origin | Aim::Nothing => (SymbolKind::Label, SymbolSection::Undefined, 0),
    };
    let name = if aim == Aim::Origin { "_GLOBAL_OFFSET_TABLE_" } else { "aim" };
    symbol(object, name, kind, at, value)
}

/// A label that is not absolute.
fn label(object: &mut Object<'_>, definition: Definition, section_kind: SectionKind) -> SymbolId {
    let in_section = matches!(definition, Definition::Local | Definition::Section | Definition::Weak);
    let section = in_section.then(|| {
        let section = object.add_section(Vec::new(), b".target".to_vec(), section_kind);
        object.append_section_data(section, &[0; DEFINED as usize], 1);
        section
    });
    if let (Definition::Section, Some(section)) = (definition, section) {
        return object.section_symbol(section);
    }
    let common = definition == Definition::Common;
    object.add_symbol(Symbol {
        name: b"aim".to_vec(),
        // A common symbol has its alignment there.
        value: u64::from(common),
        size: DEFINED,
        kind: if common { SymbolKind::Data } else { SymbolKind::Label },
        scope: if definition == Definition::Local { SymbolScope::Compilation } else { SymbolScope::Linkage },
        weak: matches!(definition, Definition::Weak | Definition::Undefined),
        section: match section {
            _ if common => SymbolSection::Common,
            Some(section) => SymbolSection::Section(section),
            None => SymbolSection::Undefined,
        },
        flags: SymbolFlags::None,
    })
}
