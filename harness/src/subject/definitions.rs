//! What comes from outside of a link, as an object of absolute symbols: the host's functions, each at its address with its Thumb
//! bit, so that a subject has to choose between BL and BLX as it would for a function of code. In what can be anywhere, nothing has
//! a distance to an absolute symbol. There each function of the host is a stub of the program that goes to its address.

use std::collections::BTreeSet;

use anyhow::Result;
use linker::Target;
use linker::link::Found;
use object::write::{Object, Symbol, SymbolSection};
use object::{Object as _, ObjectSymbol as _, SectionKind, SymbolFlags, SymbolKind, SymbolScope};

use crate::host::Host;
use crate::linking::Input;
use crate::{inputs, oracle};

/// By what a program calls itself. It is in the program, and not far from its code.
pub(super) const DSO_HANDLE: &str = "__dso_handle";

/// What the names of sections with stubs begin with.
pub(super) const STUBS: &str = ".text.linkrig.";

/// An object that defines these addresses, and of the host's functions and variables those that the inputs want and do not have. Where
/// no script provides what a C runtime's start files would have (`is_scripted`), it does. `by_stubs`: the program can be anywhere.
pub(super) fn object(
    target: &Target,
    files: &[Input],
    defines: &[(String, u64)],
    host: &Host,
    (is_scripted, by_stubs): (bool, bool),
) -> Result<Vec<u8>> {
    let (wanted, mut known) = names(files);
    let mut object = oracle::inputs::start(target, files)?;
    if known.insert(DSO_HANDLE.into()) && !is_scripted && wanted.contains(DSO_HANDLE.as_bytes()) {
        let section = object.add_section(Vec::new(), b".rodata".to_vec(), SectionKind::ReadOnlyData);
        let symbol =
            oracle::inputs::symbol(&mut object, DSO_HANDLE, SymbolKind::Data, SymbolSection::Section(section), 0);
        object.add_symbol_data(symbol, section, &[0; 8], 8);
    }
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    // What an object defines itself, it keeps, as with a definition on a command line that is only provided.
    for (name, address) in defines.iter().filter(|(name, _)| !known.contains(name.as_bytes())) {
        // A bare number, with no say in the state that a branch leads to.
        oracle::inputs::symbol(&mut object, name, SymbolKind::Label, SymbolSection::Absolute, *address);
    }
    for (name, found) in host.definitions() {
        let own = defines.iter().any(|(known, _)| *known == name);
        if own || known.contains(name.as_bytes()) || !wanted.contains(name.as_bytes()) {
            continue;
        }
        let (kind, address) = match found {
            Found::Function(address) if by_stubs => {
                stub(&mut object, target, &name, address);
                continue;
            }
            Found::Function(address) => (SymbolKind::Text, address),
            Found::Data(address) => (SymbolKind::Data, address),
        };
        oracle::inputs::symbol(&mut object, &name, kind, SymbolSection::Absolute, address);
    }
    Ok(object.write()?)
}

/// Adds a function of this name that goes to an address, and changes no register but the one that veneers may (AAPCS64, AAPCS32: IP0, IP).
fn stub(object: &mut Object<'_>, target: &Target, name: &str, address: u64) {
    let is_arm = target.machine == object::elf::EM_ARM.0;
    let (code, thumb, width): (&[u32], bool, usize) = match is_arm {
        // ldr x16, .+8; br x16
        false => (&[0x5800_0050, 0xd61f_0200], false, 8),
        // push {r0, r1}; ldr r0, .+6; str r0, [sp, #4]; pop {r0, pc}
        true if address & 1 != 0 => (&[0x4801_b403, 0xbd01_9001], true, 4),
        // ldr pc, .+4
        true => (&[0xe51f_f004], false, 4),
    };
    // Big-endian objects of ARM have their code in that order, too; the linker turns it (BE8).
    let words = code.iter().flat_map(|word| match is_arm && target.big_endian {
        true => word.to_be_bytes(),
        false => word.to_le_bytes(),
    });
    let mut bytes: Vec<u8> = words.collect();
    let literal = bytes.len() as u64;
    bytes.extend(target.bytes(address, width));
    let section = object.add_section(Vec::new(), format!("{STUBS}{name}").into_bytes(), SectionKind::Text);
    let begin = object.append_section_data(section, &bytes, 8);
    let mut add = |name: &str, at: u64, kind: SymbolKind, scope: SymbolScope| {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: begin + at,
            size: 0,
            kind,
            scope,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
    };
    let state = match thumb {
        true => "$t",
        false if is_arm => "$a",
        false => "$x",
    };
    add(state, 0, SymbolKind::Label, SymbolScope::Compilation);
    add("$d", literal, SymbolKind::Label, SymbolScope::Compilation);
    add(name, u64::from(thumb), SymbolKind::Text, SymbolScope::Linkage);
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
