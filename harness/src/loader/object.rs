//! The objects of a case as a loader gets them: which sections are loaded, and what they define and want.

use std::collections::{BTreeSet, HashMap};

use linker::Target;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, elf};

use crate::linking::Input;

/// What memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Code.
    Code = 1,
    /// Constants.
    Constant = 2,
    /// Variables.
    Data = 3,
}

/// A section that is loaded.
#[derive(Clone, Debug)]
pub(super) struct Loaded<'a> {
    /// The index of its header.
    pub index: u32,
    /// Its name.
    pub name: &'a [u8],
    /// Bytes in memory.
    pub size: u64,
    /// A power of two.
    pub alignment: u64,
    /// What it is for.
    pub usage: Use,
    /// How many relocations it has.
    pub relocations: u64,
}

/// A symbol that others can see, or a function or variable of the object's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Where it is.
    pub place: Place,
    /// `st_value`
    pub value: u64,
    /// Bytes of what is there.
    pub size: u64,
    /// Whether others see it.
    pub global: bool,
    /// Whether it is weak.
    pub weak: bool,
    /// Whether it is a function.
    pub function: bool,
    /// Whether it is a variable.
    pub variable: bool,
}

/// Where a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Elsewhere.
    Undefined,
    /// In the section of this header.
    Section(u32),
    /// It is a number.
    Absolute,
    /// Wherever the loader has room for it.
    Common,
}

/// An object.
#[derive(Debug)]
pub(super) struct Module<'a> {
    /// The file's name.
    pub name: &'a str,
    /// Its bytes.
    pub data: &'a [u8],
    /// The same, read.
    pub(super) file: object::File<'a>,
    /// What is loaded of it, in the order of the headers.
    pub sections: Vec<Loaded<'a>>,
    /// Its named symbols, in the order of the table.
    pub names: Vec<Name<'a>>,
    /// What the bytes of a section from an offset on are, by the name of a mapping symbol.
    pub mapping: Vec<(u32, u64, &'a [u8])>,
}

/// Where GNU's tools put a symbol for each kind of bytes; it is no name of a place.
fn is_anonymous(name: &[u8]) -> bool {
    name.is_empty() || name[0] == b'$'
}

impl<'a> Module<'a> {
    /// Reads an object. `Err` says what is wrong with it.
    pub(super) fn read(input: &'a Input, target: &Target) -> Result<Module<'a>, String> {
        let wrong = |error: object::Error| format!("{}: {error}", input.name);
        let file = object::File::parse(&*input.data).map_err(wrong)?;
        if file.kind() != object::ObjectKind::Relocatable || file.is_64() != (target.pointer_bits == 64) {
            return Err(format!("{}: expected a relocatable object for {}", input.name, target.name));
        }
        let mut sections = Vec::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
            if !sh_flags.contains(elf::SHF_ALLOC) || section.size() == 0 {
                continue;
            }
            let usage = if sh_flags.contains(elf::SHF_EXECINSTR) {
                Use::Code
            } else if sh_flags.contains(elf::SHF_WRITE) {
                Use::Data
            } else {
                Use::Constant
            };
            sections.push(Loaded {
                index: section.index().0 as u32,
                name: section.name_bytes().map_err(wrong)?,
                size: section.size(),
                alignment: section.align().max(1),
                usage,
                relocations: section.relocations().count() as u64,
            });
        }
        let (mut names, mut mapping) = (Vec::new(), Vec::new());
        for symbol in file.symbols() {
            let name = symbol.name_bytes().map_err(wrong)?;
            let kind = symbol.kind();
            if let (true, object::SymbolSection::Section(index)) = (name.starts_with(b"$"), symbol.section()) {
                mapping.push((index.0 as u32, symbol.address(), name));
            }
            if is_anonymous(name) || matches!(kind, object::SymbolKind::File | object::SymbolKind::Section) {
                continue;
            }
            let place = match symbol.section() {
                _ if symbol.is_common() => Place::Common,
                object::SymbolSection::Section(index) => Place::Section(index.0 as u32),
                object::SymbolSection::Absolute => Place::Absolute,
                _ => Place::Undefined,
            };
            names.push(Name {
                name,
                place,
                value: symbol.address(),
                size: symbol.size(),
                global: symbol.is_global(),
                weak: symbol.is_weak(),
                function: kind == object::SymbolKind::Text,
                variable: kind == object::SymbolKind::Data,
            });
        }
        Ok(Module { name: &input.name, data: &input.data, file, sections, names, mapping })
    }

    /// The names that others see and that it defines.
    pub(super) fn defined(&self) -> impl Iterator<Item = &Name<'a>> {
        self.names.iter().filter(|name| name.global && name.place != Place::Undefined)
    }

    /// The names that it does not define.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &Name<'a>> {
        self.names.iter().filter(|name| name.place == Place::Undefined)
    }

    /// Bytes of its common symbols with the gaps that there may be between them, and the widest alignment.
    pub(super) fn commons(&self) -> (u64, u64) {
        let commons = self.names.iter().filter(|name| name.place == Place::Common);
        commons.fold((0, 1), |(size, widest): (u64, u64), name| {
            // Of a common symbol the value is its alignment.
            let alignment = name.value.max(1);
            (size.saturating_add(name.size).saturating_add(alignment), widest.max(alignment))
        })
    }
}

/// The order in which objects are loaded: each behind those that it needs, and else as they are given. Where they need each
/// other in a circle, the second says that.
pub(super) fn order(modules: &[Module<'_>]) -> (Vec<usize>, bool) {
    let mut definers: HashMap<&[u8], usize> = HashMap::new();
    for (number, module) in modules.iter().enumerate() {
        for defined in module.defined() {
            definers.entry(defined.name).or_insert(number);
        }
    }
    let needs: Vec<BTreeSet<usize>> = modules
        .iter()
        .enumerate()
        .map(|(number, module)| {
            let definers = module.wanted().filter_map(|name| definers.get(name.name).copied());
            definers.filter(|other| *other != number).collect()
        })
        .collect();
    let (mut order, mut circle) = (Vec::new(), false);
    let mut state = vec![0u8; modules.len()];
    for first in 0..modules.len() {
        let mut stack = vec![first];
        while let Some(&number) = stack.last() {
            if state[number] == 0 {
                state[number] = 1;
                circle |= needs[number].iter().any(|other| state[*other] == 1);
                stack.extend(needs[number].iter().rev().filter(|other| state[**other] == 0));
                continue;
            }
            stack.pop();
            if state[number] == 1 {
                state[number] = 2;
                order.push(number);
            }
        }
    }
    (order, circle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object that defines and wants these.
    fn object(name: &str, defines: &str, wants: &str) -> Input {
        use object::write::{Object, Symbol, SymbolSection};
        let mut object =
            Object::new(object::BinaryFormat::Elf, object::Architecture::Aarch64, object::Endianness::Little);
        let text = object.add_section(Vec::new(), b".text".to_vec(), object::SectionKind::Text);
        object.append_section_data(text, &[0; 4], 4);
        let both = [(defines, SymbolSection::Section(text)), (wants, SymbolSection::Undefined)];
        for (names, section) in both {
            for name in names.split(' ').filter(|name| !name.is_empty()) {
                object.add_symbol(Symbol {
                    name: name.as_bytes().to_vec(),
                    value: 0,
                    size: 0,
                    kind: object::SymbolKind::Text,
                    scope: object::SymbolScope::Dynamic,
                    weak: false,
                    section,
                    flags: object::SymbolFlags::None,
                });
            }
        }
        Input::new(name, crate::linking::Data::Read(object.write().expect("an object")))
    }

    #[test]
    fn what_is_needed_comes_first() {
        let target = Target::named("aarch64").expect("a target");
        for (objects, expected) in [
            (vec![("a", "b"), ("b", "c"), ("c", "")], (vec![2, 1, 0], false)),
            (vec![("a", ""), ("b", "a"), ("c", "a")], (vec![0, 1, 2], false)),
            (vec![("a", "b"), ("b", "a"), ("c", "x")], (vec![1, 0, 2], true)),
            (vec![("a", "b c"), ("b", "c"), ("c", "")], (vec![2, 1, 0], false)),
        ] {
            let inputs: Vec<Input> = objects.iter().map(|(defines, wants)| object("o.o", defines, wants)).collect();
            let modules: Vec<Module<'_>> =
                inputs.iter().map(|input| Module::read(input, target).expect("an object")).collect();
            assert_eq!(order(&modules), expected, "{objects:?}");
        }
    }
}
