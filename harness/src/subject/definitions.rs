//! What comes from outside of a link, as an object of absolute symbols: the host's functions, each at its address with its Thumb
//! bit, so that a subject has to choose between BL and BLX as it would for a function of code.

use std::collections::BTreeSet;

use anyhow::Result;
use linker::Target;
use linker::link::Found;
use object::write::SymbolSection;
use object::{Object as _, ObjectSymbol as _, SymbolKind};

use crate::host::Host;
use crate::linking::Input;
use crate::{inputs, oracle};

/// By what a program calls itself. It is in the program, and not far from its code.
pub(super) const DSO_HANDLE: &str = "__dso_handle";

/// An object that defines these addresses, and of the host's functions and variables those that the inputs want and do not have. Where
/// no script provides what a C runtime's start files would have, it does.
pub(super) fn object(
    target: &Target,
    files: &[Input],
    defines: &[(String, u64)],
    host: &Host,
    is_scripted: bool,
) -> Result<Vec<u8>> {
    let (wanted, mut known) = names(files);
    let mut object = oracle::inputs::start(target, files)?;
    if known.insert(DSO_HANDLE.into()) && !is_scripted && wanted.contains(DSO_HANDLE.as_bytes()) {
        let section = object.add_section(Vec::new(), b".rodata".to_vec(), object::SectionKind::ReadOnlyData);
        let symbol =
            oracle::inputs::symbol(&mut object, DSO_HANDLE, SymbolKind::Data, SymbolSection::Section(section), 0);
        object.add_symbol_data(symbol, section, &[0; 8], 8);
    }
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), object::SectionKind::Other);
    let mut add = |name: &str, value: u64, kind: SymbolKind| {
        oracle::inputs::symbol(&mut object, name, kind, SymbolSection::Absolute, value);
    };
    // What an object defines itself, it keeps, as with a definition on a command line that is only provided.
    for (name, address) in defines.iter().filter(|(name, _)| !known.contains(name.as_bytes())) {
        // A bare number, with no say in the state that a branch leads to.
        add(name, *address, SymbolKind::Label);
    }
    for (name, found) in host.definitions() {
        let own = defines.iter().any(|(known, _)| *known == name);
        if own || known.contains(name.as_bytes()) || !wanted.contains(name.as_bytes()) {
            continue;
        }
        match found {
            Found::Function(address) => add(&name, address, SymbolKind::Text),
            Found::Data(address) => add(&name, address, SymbolKind::Data),
        }
    }
    Ok(object.write()?)
}

/// The names that inputs refer to, and those that they define, members of archives included. What cannot be read has none.
fn names(files: &[Input]) -> (BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>) {
    let (mut wanted, mut known) = (BTreeSet::new(), BTreeSet::new());
    let mut take = |data: &[u8]| {
        let Ok(file) = object::File::parse(data) else { return };
        for symbol in file.symbols().filter(|symbol| symbol.is_global()) {
            let Ok(name) = symbol.name_bytes() else { continue };
            if symbol.is_undefined() {
                wanted.insert(name.to_vec())
            } else {
                known.insert(name.to_vec())
            };
        }
    };
    for file in files {
        match inputs::members(file) {
            Some(members) => members.into_iter().for_each(|(_, data)| take(data)),
            None => take(&file.data),
        }
    }
    (wanted, known)
}
