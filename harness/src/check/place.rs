//! Where the sections of the objects are in the image: what symbols, a map and kept relocations say, as far as the bytes agree,
//! and for the rest what the bytes say alone.

use object::elf;
use rustc_hash::{FxHashMap, FxHashSet};

use super::content::{self, Fixed, Wanted};
use super::elf::{Relocation, Section, Symbol};
use super::image::{Image, Named};
use super::object::Object;
use super::placement::{Evidence, Placement, State};
use crate::map::Map;

/// Symbols of a section that are asked where it is.
const MOST_SYMBOLS: usize = 16;

/// Places of a section that local symbols of one name may suggest.
const MOST_NAMESAKES: usize = 8;

/// Local symbols of one name that are looked at.
const MOST_OF_ONE_NAME: usize = 1024;

/// Fixed bytes that a section of an archive needs for its bytes alone to say that its member was linked.
const TELLING: usize = 32;

/// Fixed bytes that a section needs for a name that others have, too, to say where it is.
const TELLING_BY_NAME: usize = 12;

/// A section with what it is searched by.
struct Sought {
    object: usize,
    section: usize,
    fixed: Fixed,
}

/// Where a section could be.
struct Candidate {
    address: u64,
    evidence: Evidence,
    votes: usize,
    /// Whether what says so is about this object and no namesake.
    strong: bool,
    /// Whether it is about this section and no other of the image.
    sure: bool,
}

/// Finds the sections. Call frames and indexes of unwinding tables are left for [`super::pieces`].
pub(super) fn place(image: &Image<'_>, objects: &[Object<'_>], map: Option<&Map>) -> Placement {
    let mut placer = Placer {
        image,
        map,
        placement: Placement { states: Vec::new(), linked: vec![false; objects.len()] },
        claimed: FxHashSet::default(),
        kept: kept(image),
    };
    let mut left = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        left.extend(placer.by_name(index, object));
    }
    placer.by_content(objects, left);
    placer.placement
}

struct Placer<'a, 'b> {
    image: &'b Image<'a>,
    map: Option<&'b Map>,
    placement: Placement,
    /// Where a section is already. Thread-local zeros have no memory, and share their addresses with what has.
    claimed: FxHashSet<(bool, u64)>,
    /// The numbers of kept relocations by place.
    kept: FxHashMap<u64, u32>,
}

/// Relocations that the linker has kept.
fn kept(image: &Image<'_>) -> FxHashMap<u64, u32> {
    let is_kept = |section: &&Section<'_>| section.flags & elf::SHF_ALLOC.0 == 0;
    let tables = image.elf.sections.iter().filter(is_kept);
    let lists = tables.filter_map(|table| image.elf.relocations(table).ok());
    lists.flatten().map(|relocation| (relocation.offset, relocation.number)).collect()
}

/// Whether a section is found piece by piece, as linkers write it anew.
pub(super) fn is_of_pieces(section: &Section<'_>) -> bool {
    section.name == b".eh_frame" || section.kind == elf::SHT_ARM_EXIDX.0 && section.name.starts_with(b".ARM.exidx")
}

/// Whether it is thread-local zeros.
fn is_tbss(section: &Section<'_>) -> bool {
    has(section, elf::SHF_TLS) && section.kind == elf::SHT_NOBITS.0
}

fn has(section: &Section<'_>, flag: elf::SectionFlags) -> bool {
    section.flags & flag.0 != 0
}

impl Placer<'_, '_> {
    /// Places the sections of an object by symbols and the map, and returns those that are left.
    fn by_name(&mut self, index: usize, object: &Object<'_>) -> Vec<Sought> {
        let mut left = Vec::new();
        let mut states = vec![State::Nothing; object.elf.sections.len()];
        let key = (object.key.0.as_str(), object.key.1.as_deref());
        let mut linked = !object.is_member() || self.map.is_some_and(|map| map.names(key.0, key.1));
        let mut namesakes: FxHashMap<&[u8], usize> = FxHashMap::default();
        for (number, section) in object.elf.sections.iter().enumerate() {
            let loaded = has(section, elf::SHF_ALLOC);
            if section.size == 0 || section.kind == elf::SHT_NULL.0 || !loaded {
                let is_content = section.kind == elf::SHT_PROGBITS.0 && section.size > 0;
                states[number] = if is_content { State::NotLoaded } else { State::Nothing };
                continue;
            }
            if has(section, elf::SHF_MERGE) && section.entry_size > 0 {
                states[number] = State::Merged;
                continue;
            }
            if is_of_pieces(section) {
                states[number] = State::Pieces(Vec::new());
                continue;
            }
            let none: &[Relocation] = &[];
            let relocations = object.relocations.get(&number).map_or(none, Vec::as_slice);
            let fixed = Fixed::of(section, relocations, self.image.class);
            let nth = namesakes.entry(section.name).or_default();
            let candidates = self.candidates(object, number, section, *nth);
            *nth += 1;
            let (state, strong) = self.decide(section, &fixed, &candidates, relocations);
            linked |= strong && matches!(state, State::At(..));
            if matches!(state, State::Unplaced(_)) {
                left.push(Sought { object: index, section: number, fixed });
            }
            states[number] = state;
        }
        // Names alone say nothing of a member that nobody asked for.
        if !linked {
            for (state, section) in states.iter_mut().zip(&object.elf.sections) {
                if let State::At(address, _) = state {
                    self.claimed.remove(&(is_tbss(section), *address));
                }
                *state = State::Nothing;
            }
            if self.image.has_symbols() || self.map.is_some() {
                left.clear();
            }
        }
        self.placement.linked[index] = linked;
        self.placement.states.push(states);
        left
    }

    /// Where a section could be, the best first.
    fn candidates(&self, object: &Object<'_>, number: usize, section: &Section<'_>, nth: usize) -> Vec<Candidate> {
        let mut list: Vec<Candidate> = Vec::new();
        let mut add = |address: u64, evidence: Evidence, strong: bool, sure: bool| match list
            .iter_mut()
            .find(|candidate| candidate.address == address)
        {
            Some(candidate) => {
                candidate.votes += 1;
                candidate.strong |= strong;
                candidate.sure |= sure;
                candidate.evidence.symbols |= evidence.symbols;
            }
            None => list.push(Candidate { address, evidence, votes: 1, strong, sure }),
        };
        if let Some(map) = self.map {
            let name = linker::error::text(section.name);
            let places = map.places(&object.key.0, object.key.1.as_deref(), &name);
            // Several of one name are in the order of the object.
            if let Some(&(address, _)) = places.get(nth).or(places.last()) {
                add(address, Evidence { map: true, ..Evidence::default() }, true, true);
            }
        }
        let symbols = object.symbols.get(&number).map(Vec::as_slice).unwrap_or_default();
        for symbol in symbols.iter().take(MOST_SYMBOLS) {
            let thumb = u64::from(self.image.class == corpus::abi::Class::Arm && symbol.is_function());
            let namesakes = self.namesakes(object, symbol);
            let sure = namesakes.len() == 1;
            for named in namesakes {
                let address = named.address.wrapping_sub(symbol.value & !thumb);
                add(address, Evidence { symbols: true, ..Evidence::default() }, !symbol.is_local(), sure);
            }
        }
        list.sort_by_key(|candidate| std::cmp::Reverse((candidate.evidence.map, candidate.votes)));
        list.truncate(MOST_NAMESAKES);
        list
    }

    /// The symbols of the image that this one of an object may have become.
    fn namesakes(&self, object: &Object<'_>, symbol: &Symbol<'_>) -> Vec<Named<'_>> {
        let global = self.image.globals.get(symbol.name).copied().filter(|_| !symbol.is_local());
        if let Some(global) = global {
            return vec![global];
        }
        let locals = self.image.locals.get(symbol.name).map(Vec::as_slice).unwrap_or_default();
        let locals = &locals[..locals.len().min(MOST_OF_ONE_NAME)];
        let of_file = locals.iter().filter(|named| named.file.is_some() && named.file == object.source);
        let of_file: Vec<_> = of_file.take(MOST_NAMESAKES).copied().collect();
        if of_file.is_empty() || !symbol.is_local() {
            return locals.iter().take(MOST_NAMESAKES).copied().collect();
        }
        of_file
    }

    /// What becomes of a section with these candidates, and whether what says so is about this object.
    fn decide(
        &mut self,
        section: &Section<'_>,
        fixed: &Fixed,
        candidates: &[Candidate],
        relocations: &[Relocation],
    ) -> (State, bool) {
        let mut duplicate = false;
        let mut differs = None;
        // Names that several have say something where the bytes tell them apart.
        let open = |candidate: &&Candidate| {
            !self.is_claimed(section, candidate.address) && self.compare(section, fixed, candidate.address).is_ok()
        };
        let telling = fixed.len() >= TELLING_BY_NAME && candidates.iter().filter(open).count() == 1;
        for candidate in candidates {
            match self.compare(section, fixed, candidate.address) {
                Ok(()) if self.is_claimed(section, candidate.address) => {
                    duplicate |= candidate.sure || fixed.len() >= TELLING_BY_NAME;
                }
                Ok(()) if !candidate.sure && !telling => {}
                Ok(()) => {
                    self.claimed.insert((is_tbss(section), candidate.address));
                    let kept = self.kept_at(candidate.address, relocations);
                    let evidence = Evidence { relocations: kept, ..candidate.evidence };
                    return (State::At(candidate.address, evidence), candidate.strong);
                }
                Err(offset) if candidate.strong && differs.is_none() => {
                    differs = offset.map(|at| (candidate.address, at))
                }
                Err(_) => {}
            }
        }
        if duplicate {
            return (State::Duplicate, false);
        }
        let why = differs.map_or_else(
            || "no symbol, map or bytes of its own say where it is".to_owned(),
            |(address, at)| {
                format!("it should be at {address:#x}, and the image has another byte than the object at +{at:#x}")
            },
        );
        (State::Unplaced(why), false)
    }

    fn is_claimed(&self, section: &Section<'_>, address: u64) -> bool {
        self.claimed.contains(&(is_tbss(section), address))
    }

    fn compare(&self, section: &Section<'_>, fixed: &Fixed, address: u64) -> Result<(), Option<usize>> {
        if is_tbss(section) {
            let inside = self.image.tls.is_some_and(|(start, size, _)| address.wrapping_sub(start) < size);
            return if inside { Ok(()) } else { Err(None) };
        }
        content::compare(self.image, section, fixed, address)
    }

    /// Whether the linker has kept the relocations that a section at this address would have there.
    fn kept_at(&self, address: u64, relocations: &[Relocation]) -> bool {
        let first = relocations.iter().take(MOST_SYMBOLS);
        let is_kept = |relocation: &Relocation| {
            self.kept.get(&address.wrapping_add(relocation.offset)) == Some(&relocation.number)
        };
        !self.kept.is_empty() && !relocations.is_empty() && first.into_iter().any(is_kept)
    }

    /// Places what is left by its bytes.
    fn by_content(&mut self, objects: &[Object<'_>], left: Vec<Sought>) {
        let section = |sought: &Sought| &objects[sought.object].elf.sections[sought.section];
        let wanted: Vec<Wanted<'_, '_>> =
            left.iter().map(|sought| Wanted { section: section(sought), fixed: &sought.fixed }).collect();
        let found = content::search(self.image, &wanted);
        for (sought, found) in left.iter().zip(found) {
            let Some(mut found) = found else { continue };
            let object = &objects[sought.object];
            let nowhere = found.is_empty();
            let code = has(section(sought), elf::SHF_EXECINSTR);
            found.retain(|address| {
                let fits = |region: &super::image::Region<'_>| region.code == code;
                !self.claimed.contains(&(false, *address)) && self.image.region(*address, 1).is_some_and(fits)
            });
            let none: &[Relocation] = &[];
            let relocations = object.relocations.get(&sought.section).map_or(none, Vec::as_slice);
            let mut evidence = Evidence { content: true, ..Evidence::default() };
            if found.len() > 1 && !self.kept.is_empty() {
                found.retain(|address| self.kept_at(*address, relocations));
                evidence.relocations = true;
            }
            let telling = self.placement.linked[sought.object] || sought.fixed.len() >= TELLING;
            let state = match found[..] {
                [address] if telling => {
                    self.claimed.insert((false, address));
                    self.placement.linked[sought.object] = true;
                    State::At(address, evidence)
                }
                [] if nowhere => match &self.placement.states[sought.object][sought.section] {
                    State::Unplaced(why) if why.starts_with("it should be") => continue,
                    _ => State::Gone,
                },
                [] => State::Duplicate,
                _ => State::Unplaced("the same bytes are at several places".to_owned()),
            };
            self.placement.states[sought.object][sought.section] = state;
        }
        self.tell_groups(objects);
        for (states, linked) in self.placement.states.iter_mut().zip(&self.placement.linked) {
            if !linked {
                states.fill(State::Nothing);
            }
        }
    }

    /// Of a group that another object has provided (COMDAT), what is not there was given up, whatever its bytes.
    fn tell_groups(&mut self, objects: &[Object<'_>]) {
        let states = &mut self.placement.states;
        let mut provided: FxHashMap<&[u8], usize> = FxHashMap::default();
        for (number, object) in objects.iter().enumerate() {
            for (&section, &signature) in &object.groups {
                if matches!(states[number].get(section), Some(State::At(..))) {
                    provided.insert(signature, number);
                }
            }
        }
        for (number, object) in objects.iter().enumerate() {
            for (&section, signature) in &object.groups {
                let by_another = provided.get(signature).is_some_and(|provider| *provider != number);
                if by_another && let Some(state @ (State::Gone | State::Unplaced(_))) = states[number].get_mut(section)
                {
                    *state = State::Duplicate;
                }
            }
        }
    }
}
