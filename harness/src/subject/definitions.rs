//! What comes from outside of a link, as an object of absolute symbols: the host's functions, each at its address with its Thumb
//! bit, so that a subject has to choose between BL and BLX as it would for a function of code.

use std::collections::BTreeSet;

use anyhow::Result;
use linker::Target;
use linker::link::Found;
use object::write::{Symbol, SymbolSection};
use object::{Object as _, ObjectSymbol as _, SymbolFlags, SymbolKind, SymbolScope};

use crate::host::Host;
use crate::linking::Input;
use crate::{inputs, oracle};

/// An object that defines these addresses, and of the host's functions and variables those that the inputs want and do not have.
pub(super) fn object(target: &Target, files: &[Input], defines: &[(String, u64)], host: &Host) -> Result<Vec<u8>> {
    let (wanted, known) = names(files);
    let mut object = oracle::inputs::start(target, files)?;
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), object::SectionKind::Other);
    let mut add = |name: &str, value: u64, kind: SymbolKind| {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value,
            size: 0,
            kind,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Absolute,
            flags: SymbolFlags::None,
        });
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
