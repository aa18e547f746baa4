//! Memory that a loader filled, against the objects that it loaded: it says itself where their sections are.

use std::borrow::Cow;

use linker::Target;
use linker::error::text;
use linker::graph::Flags;
use rustc_hash::FxHashMap;

use super::content::{self, Fixed};
use super::elf::{Elf, Relocation};
use super::findings::Findings;
use super::image::{Image, Named, Region};
use super::object;
use super::placement::{Evidence, Placement, State};
use crate::exit::BadInput;
use crate::linking::Input;

/// What a region is called that holds no section: tables of addresses are looked for there.
const ROOM: &[u8] = b".got.room";

/// Memory with what is in it, and the names that everybody sees.
#[derive(Debug)]
pub struct Memory<'a> {
    target: &'static Target,
    regions: Vec<Region<'a>>,
    globals: FxHashMap<&'a [u8], Named<'a>>,
}

/// A byte that is not the object's, in a section, where no relocation has anything to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// The object and the section.
    pub section: String,
    /// Where in it.
    pub offset: u64,
    /// The byte in memory and that of the object, where both are there.
    pub bytes: Option<(u8, u8)>,
}

impl<'a> Memory<'a> {
    /// Memory with nothing in it.
    pub fn new(target: &'static Target) -> Memory<'a> {
        Memory { target, regions: Vec::new(), globals: FxHashMap::default() }
    }

    /// Adds memory in which sections of an object are.
    pub fn add(&mut self, name: &'a [u8], address: u64, bytes: &'a [u8], code: bool) {
        if !bytes.is_empty() {
            let (size, bytes) = (bytes.len() as u64, Cow::Borrowed(bytes));
            self.regions.push(Region { name, address, size, bytes, writable: !code, code });
        }
    }

    /// Adds memory that the loader has for itself, as for veneers and table entries.
    pub fn add_room(&mut self, address: u64, bytes: &'a [u8], code: bool) {
        self.add(ROOM, address, bytes, code);
    }

    /// Adds a name. The first of a name counts.
    pub fn define(&mut self, name: &'a [u8], address: u64, flags: Flags) {
        let named = Named {
            address,
            thumb: flags.has(Flags::THUMB),
            function: flags.has(Flags::FUNCTION),
            chosen_at_start: false,
            file: None,
        };
        self.globals.entry(name).or_insert(named);
    }

    fn image(mut self) -> Image<'a> {
        self.regions.sort_by_key(|region| region.address);
        let Memory { target, regions, globals } = self;
        let elf = Elf {
            bits: target.pointer_bits,
            big_endian: target.big_endian,
            machine: target.machine,
            kind: ::object::elf::ET_EXEC.0,
            sections: Vec::new(),
            segments: Vec::new(),
            symbols: Vec::new(),
            dynamic_symbols: Vec::new(),
        };
        Image {
            target,
            class: corpus::target::row(target).class,
            elf,
            regions,
            tls: None,
            globals,
            locals: FxHashMap::default(),
            imports: FxHashMap::default(),
            chosen: FxHashMap::default(),
            descriptors: FxHashMap::default(),
        }
    }
}

/// Judges every relocated field of objects whose sections are where `places` says: the number of the object, and the index of
/// the section. The bytes that differ from those of the objects come second.
///
/// # Errors
///
/// A [`BadInput`] that names the object and the part of it that is malformed.
pub fn check_loaded(
    name: &str,
    memory: Memory<'_>,
    inputs: &[Input],
    places: &dyn Fn(usize, u32) -> Option<u64>,
) -> Result<(Findings, Vec<Differing>), BadInput> {
    let image = memory.image();
    let objects = object::read(inputs, image.target).map_err(BadInput)?;
    let mut placement = Placement { states: Vec::new(), linked: vec![true; objects.len()] };
    let mut differing = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        let mut states = Vec::new();
        for (index, section) in object.elf.sections.iter().enumerate() {
            let Some(address) = places(number, index as u32) else {
                states.push(if section.size == 0 { State::Nothing } else { State::NotLoaded });
                continue;
            };
            let relocations: &[Relocation] = object.relocations.get(&index).map_or(&[], Vec::as_slice);
            let fixed = Fixed::of(section, relocations, image.class);
            if let Err(offset) = content::compare(&image, section, &fixed, address) {
                let at = offset.unwrap_or(0);
                let there = image.region(address, section.size).and_then(|region| {
                    region.bytes.get(usize::try_from(address - region.address).ok()?.checked_add(at)?).copied()
                });
                let own = section.data.get(at).copied().or((section.kind == ::object::elf::SHT_NOBITS.0).then_some(0));
                let shown = format!("{}({})", object.name, text(section.name));
                differing.push(Differing { section: shown, offset: at as u64, bytes: there.zip(own) });
            }
            states.push(State::At(address, Evidence { told: true, ..Evidence::default() }));
        }
        placement.states.push(states);
    }
    Ok((super::judge_all(name, &image, &objects, placement, &mut |_, _, _| {}), differing))
}
