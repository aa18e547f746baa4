//! The objects of ours in a batch: an anchor for each case, which asks for its symbols, and the root, which asks for the anchors.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use linker::Target;
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{Object as _, ObjectSymbol as _, RelocationFlags, SymbolFlags, SymbolKind, SymbolScope};

use super::session::STEP;
use crate::executor::image;
use crate::linking::Input;
use crate::{inputs, oracle};

/// The symbol of an anchor, and the start of the names by which the root sees them.
pub(super) const ANCHOR: &str = "linkrig_anchor";
/// The symbol of the root.
pub(super) const ROOT: &str = "linkrig_root";
/// The symbol of an anchor's zero-fill.
const ROOM: &str = "linkrig_room";

/// A symbol that an anchor asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: Vec<u8>,
    pub(super) kind: image::SymbolKind,
    pub(super) size: u64,
}

/// What the anchor of a case asks for: all that its objects define for others, and of its archives what has to stay and what the objects
/// refer to.
pub(super) fn wanted(files: &[Input], roots: &[&str]) -> Vec<Wanted> {
    let referred = referred(files);
    let of_archives = |name: &[u8]| referred.contains(name) || roots.iter().any(|root| root.as_bytes() == name);
    let mut found: BTreeMap<Vec<u8>, (bool, Wanted)> = BTreeMap::new();
    let mut take = |data: &[u8], all: bool| {
        // What cannot be read is for the subject to complain of.
        let Ok(file) = object::File::parse(data) else { return };
        for symbol in file.symbols().filter(|symbol| symbol.is_global() && !symbol.is_undefined()) {
            let kind = match symbol.kind() {
                SymbolKind::Text => image::SymbolKind::Function,
                SymbolKind::Data => image::SymbolKind::Object,
                SymbolKind::Unknown => image::SymbolKind::Label,
                _ => continue,
            };
            let Ok(name) = symbol.name_bytes() else { continue };
            if !all && !of_archives(name) {
                continue;
            }
            let known = found.get(name);
            // The definition that counts: a strong one before a weak one, the first before the others.
            if known.is_none_or(|known| known.0 && !symbol.is_weak()) {
                let wanted = Wanted { name: name.to_vec(), kind, size: symbol.size() };
                found.insert(name.to_vec(), (symbol.is_weak(), wanted));
            }
        }
    };
    for file in files {
        match inputs::members(file) {
            Some(members) => members.into_iter().for_each(|(_, data)| take(data, false)),
            None => take(&file.data, true),
        }
    }
    // The room in front of the next step of sizes, the word for the zero-fill apart.
    found.into_values().map(|found| found.1).take((STEP / 8) as usize - 2).collect()
}

/// The names that objects refer to and that somebody has to define. Weak references pull no members.
pub(super) fn referred(files: &[Input]) -> BTreeSet<Vec<u8>> {
    let objects = files.iter().filter_map(|file| object::File::parse(&*file.data).ok());
    let mut names = BTreeSet::new();
    for object in objects {
        let undefined = object.symbols().filter(|symbol| symbol.is_undefined() && !symbol.is_weak());
        names.extend(undefined.filter_map(|symbol| symbol.name_bytes().ok()).map(<[u8]>::to_vec));
    }
    names
}

/// The anchor of the case of this number. Its first word is of no interest, then come the addresses, in the order of `wanted`.
pub(super) fn anchor(target: &Target, files: &[Input], number: usize, wanted: &[Wanted]) -> Result<Vec<u8>> {
    let mut object = oracle::inputs::start(target, files)?;
    let data = object.section_id(object::write::StandardSection::Data);
    let zero = object.section_id(object::write::StandardSection::UninitializedData);
    object.append_section_bss(zero, (number as u64 + 1) * STEP, 4);
    define(&mut object, ANCHOR, data);
    let room = define(&mut object, ROOM, zero);
    pointer(&mut object, target, data, room)?;
    for wanted in wanted {
        let symbol = refer(&mut object, &wanted.name);
        pointer(&mut object, target, data, symbol)?;
    }
    Ok(object.write()?)
}

/// The object that asks for so many anchors.
pub(super) fn root(target: &Target, files: &[Input], anchors: usize) -> Result<Vec<u8>> {
    let mut object = oracle::inputs::start(target, files)?;
    let data = object.section_id(object::write::StandardSection::Data);
    define(&mut object, ROOT, data);
    for number in 0..anchors {
        let symbol = refer(&mut object, format!("{ANCHOR}_{number}").as_bytes());
        pointer(&mut object, target, data, symbol)?;
    }
    Ok(object.write()?)
}

fn define(object: &mut Object<'_>, name: &str, section: SectionId) -> SymbolId {
    symbol(object, name.as_bytes(), SymbolKind::Data, SymbolSection::Section(section))
}

fn refer(object: &mut Object<'_>, name: &[u8]) -> SymbolId {
    symbol(object, name, SymbolKind::Unknown, SymbolSection::Undefined)
}

fn symbol(object: &mut Object<'_>, name: &[u8], kind: SymbolKind, section: SymbolSection) -> SymbolId {
    // Other libraries see it.
    let (name, flags, scope) = (name.to_vec(), SymbolFlags::None, SymbolScope::Dynamic);
    object.add_symbol(Symbol { name, value: 0, size: 0, kind, scope, weak: false, section, flags })
}

/// Appends a pointer to a symbol.
fn pointer(object: &mut Object<'_>, target: &Target, section: SectionId, symbol: SymbolId) -> Result<()> {
    let size = target.pointer_bytes();
    let offset = object.append_section_data(section, &vec![0; size], size as u64);
    let number = match target.pointer_bits {
        64 => object::elf::R_AARCH64_ABS64,
        _ => object::elf::R_ARM_ABS32,
    };
    let flags = RelocationFlags::Elf { r_type: number };
    Ok(object.add_relocation(section, Relocation { offset, symbol, addend: 0, flags })?)
}
