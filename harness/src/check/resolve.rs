//! What the symbol of a relocation is in the image: S and T.

use corpus::abi::{self, Class};
use object::elf;
use rustc_hash::FxHashMap;

use super::elf::{Place, Relocation, Symbol};
use super::image::Image;
use super::merged::{Merged, Places};
use super::object::Object;
use super::placement::{Placement, State};

/// Local symbols of one name that are looked at.
const MOST_OF_ONE_NAME: usize = 1024;

/// What a relocation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An address, and whether Thumb code and a function are there.
    At { address: u64, thumb: bool, function: bool },
    /// The address that the loader is told by the function at `resolver`, and the one that stands for it here.
    Chosen { resolver: u64, stand_in: u64 },
    /// A string or constant that may be anywhere.
    Merged(Merged),
    /// Nothing: it is undefined and weak.
    Nothing,
    /// That cannot be said.
    Unknown(&'static str),
}

/// What is known of an image and its objects.
pub(super) struct Known<'a, 'b> {
    pub(super) image: &'b Image<'a>,
    pub(super) objects: &'b [Object<'a>],
    pub(super) placement: Placement,
    pub(super) merged: Places,
    /// What the objects of the image define, for an image that has no symbols.
    definitions: FxHashMap<&'a [u8], Defined>,
}

#[derive(Clone, Copy, Debug)]
struct Defined {
    address: u64,
    thumb: bool,
    function: bool,
    chosen: bool,
    weak: bool,
}

impl<'a, 'b> Known<'a, 'b> {
    pub(super) fn new(image: &'b Image<'a>, objects: &'b [Object<'a>], placement: Placement) -> Known<'a, 'b> {
        let mut known =
            Known { image, objects, placement, merged: Places::default(), definitions: FxHashMap::default() };
        for (number, object) in objects.iter().enumerate() {
            if known.placement.linked[number] {
                known.define(number, object);
            }
        }
        known
    }

    /// Finds the merged strings that placed sections refer to.
    pub(super) fn find_merged(&mut self) {
        self.merged = Places::find(self.image, self.meant());
    }

    /// What relocations of placed sections mean that is merged: the object, the section, the symbol and A.
    fn meant(&self) -> impl Iterator<Item = (&Object<'a>, usize, &Symbol<'a>, i64)> {
        let is_placed = |number: usize, section: usize| {
            matches!(self.placement.states[number].get(section), Some(State::At(..) | State::Pieces(_)))
        };
        let lists = self.objects.iter().enumerate().flat_map(move |(number, object)| {
            let lists = object.relocations.iter().filter(move |(section, _)| is_placed(number, **section));
            lists.map(move |(section, list)| (number, object, *section, list))
        });
        let all = lists.flat_map(|(number, object, section, list)| {
            list.iter().map(move |relocation| (number, object, section, relocation))
        });
        all.filter_map(|(number, object, section, relocation)| {
            let symbol = object.elf.symbols.get(relocation.symbol)?;
            let Place::Section(merged) = symbol.place else { return None };
            let is_merged = self.placement.states[number].get(merged) == Some(&State::Merged);
            is_merged.then(|| (object, merged, symbol, self.addend(number, section, relocation)))
        })
    }

    fn define(&mut self, number: usize, object: &Object<'a>) {
        for symbol in object.elf.symbols.iter().filter(|symbol| !symbol.is_local() && !symbol.is_anonymous()) {
            let Some(defined) = self.defined(number, symbol) else { continue };
            let entry = self.definitions.entry(symbol.name).or_insert(defined);
            if entry.weak && !defined.weak {
                *entry = defined;
            }
        }
    }

    /// Where a symbol is that an object defines.
    fn defined(&self, number: usize, symbol: &Symbol<'_>) -> Option<Defined> {
        let thumb = self.image.class == Class::Arm && symbol.is_function() && symbol.value & 1 != 0;
        let value = symbol.value & !u64::from(thumb);
        let address = match symbol.place {
            // The records may be anywhere, and what a symbol of them means is the linker's.
            Place::Section(section) if matches!(self.placement.states[number].get(section), Some(State::Pieces(_))) => {
                return None;
            }
            Place::Section(section) => self.placement.address(number, section, value)?,
            Place::Absolute => value,
            Place::Undefined | Place::Common => return None,
        };
        Some(Defined {
            address,
            thumb,
            function: symbol.is_function(),
            chosen: symbol.is_chosen_at_start(),
            weak: symbol.is_weak(),
        })
    }

    /// A of a relocation.
    pub(super) fn addend(&self, number: usize, section: usize, relocation: &Relocation) -> i64 {
        relocation.addend.unwrap_or_else(|| {
            let row = abi::of(self.image.class).get(self.image.class, relocation.number);
            let word = row.and_then(|row| self.before(number, section, relocation.offset, row));
            row.zip(word).map_or(0, |(row, word)| row.addend(word))
        })
    }

    /// The word that the object has in a field.
    pub(super) fn before(&self, number: usize, section: usize, offset: u64, row: &abi::Relocation) -> Option<u64> {
        let data = self.objects[number].elf.sections[section].data;
        let at = usize::try_from(offset).ok()?;
        let bytes = data.get(at..at.checked_add(row.form.place.size())?)?;
        Some(row.form.place.word_in_memory(bytes, self.image.target.big_endian))
    }

    /// What the symbol of a relocation with this addend is.
    pub(super) fn target(&self, number: usize, relocation: &Relocation, a: i64) -> Target {
        let object = &self.objects[number];
        let Some(symbol) = object.elf.symbols.get(relocation.symbol).filter(|_| relocation.symbol != 0) else {
            return Target::At { address: 0, thumb: false, function: false };
        };
        if let Place::Section(section) = symbol.place
            && self.placement.states[number].get(section) == Some(&State::Merged)
        {
            return self.merged.target(object, section, symbol, a).map_or_else(Target::Unknown, Target::Merged);
        }
        if symbol.is_local() { self.local(number, symbol) } else { self.global(number, symbol) }
    }

    fn local(&self, number: usize, symbol: &Symbol<'_>) -> Target {
        if let Some(defined) = self.defined(number, symbol) {
            return self.at(defined);
        }
        // What is not placed may have kept its symbol.
        let object = &self.objects[number];
        let locals = self.image.locals.get(symbol.name).map(Vec::as_slice).unwrap_or_default();
        let mut of_file = locals
            .iter()
            .take(MOST_OF_ONE_NAME)
            .filter(|named| named.file.is_none_or(|file| Some(file) == object.source));
        match (of_file.next(), of_file.next()) {
            (Some(named), None) if !symbol.is_anonymous() => self.named(*named),
            _ => Target::Unknown(self.unplaced(number, symbol)),
        }
    }

    fn global(&self, number: usize, symbol: &Symbol<'_>) -> Target {
        // A name may have a version, which linkers write or do not.
        let stem = symbol.name.split(|byte| *byte == b'@').next().unwrap_or(symbol.name);
        let named = self.image.named(symbol.name).or_else(|| self.image.named(stem));
        if let Some(named) = named {
            return self.named(named);
        }
        if let Some(defined) = self.definitions.get(symbol.name).or_else(|| self.definitions.get(stem)) {
            return self.at(*defined);
        }
        if let Some(&address) = self.image.imports.get(stem) {
            return Target::At { address, thumb: false, function: false };
        }
        match symbol.place {
            Place::Undefined if symbol.is_weak() => Target::Nothing,
            Place::Undefined => Target::Unknown("its symbol is in no object and not in the symbols of the image"),
            Place::Common => Target::Unknown("a common symbol that the symbols of the image do not have"),
            _ => Target::Unknown(self.unplaced(number, symbol)),
        }
    }

    fn named(&self, named: super::image::Named<'_>) -> Target {
        let super::image::Named { address, thumb, function, chosen_at_start, .. } = named;
        self.at(Defined { address, thumb, function, chosen: chosen_at_start, weak: false })
    }

    fn at(&self, defined: Defined) -> Target {
        let Defined { address, thumb, function, chosen, .. } = defined;
        match self.image.chosen.get(&address) {
            Some(&stand_in) if chosen => Target::Chosen { resolver: address, stand_in },
            _ => Target::At { address, thumb, function },
        }
    }

    /// Why a symbol of a section has no address.
    fn unplaced(&self, number: usize, symbol: &Symbol<'_>) -> &'static str {
        let Place::Section(section) = symbol.place else { return "its symbol has no section" };
        let kind = self.objects[number].elf.sections[section].kind;
        match &self.placement.states[number][section] {
            State::Gone | State::Nothing => "the section of its symbol was dropped",
            State::Duplicate => "the section of its symbol was given up for an equal one",
            State::Pieces(_) => "its symbol is a place in call frames, which linkers write anew",
            _ if kind == elf::SHT_NOBITS.0 => "the section of its symbol has no bytes by which it is found",
            _ => "the section of its symbol was not found",
        }
    }
}
