//! What a loader did with the memory that it was given, compared with what it was asked to do.

use std::collections::BTreeMap;

use linker::Target;
use linker::error::text;

use super::description::{Description, Places};
use super::object::{Module, Name, Place};
use super::rooms::{COMMON, FILLED, Region, Rooms};
use super::session::{Answer, Said};

/// Problems that are named.
const MOST: usize = 8;

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// The address of each section that is loaded, by object and index.
    pub sections: BTreeMap<(usize, u32), u64>,
    /// The addresses of common symbols, by object and name.
    pub commons: BTreeMap<(usize, Vec<u8>), u64>,
}

/// What is known of a load so far.
pub(super) struct Inspection<'a> {
    target: &'static Target,
    modules: &'a [Module<'a>],
    rooms: &'a Rooms,
    description: &'a Description,
    parts: Parts,
}

fn holds(start: u64, size: u64, at: u64, length: u64) -> bool {
    at.checked_sub(start).and_then(|offset| offset.checked_add(length)).is_some_and(|end| end <= size)
}

impl<'a> Inspection<'a> {
    pub(super) fn new(
        target: &'static Target,
        modules: &'a [Module<'a>],
        rooms: &'a Rooms,
        description: &'a Description,
    ) -> Self {
        Inspection { target, modules, rooms, description, parts: Parts::default() }
    }

    /// The value of a symbol whose section is at an address.
    fn value(&self, name: &Name<'_>, section: impl Fn(u32) -> Option<u64>) -> Option<u64> {
        let value = match name.place {
            Place::Section(index) => section(index)?.wrapping_add(name.value),
            Place::Absolute => name.value,
            Place::Undefined | Place::Common => return None,
        };
        Some(self.target.wrap(value))
    }

    /// Where the symbols of an object will be that others see, and whether they are functions.
    pub(super) fn planned(&self, number: usize, module: &Module<'_>) -> Vec<(Vec<u8>, Answer)> {
        let own: BTreeMap<u32, u64> = self.regions(number).map(|region| (region.section, region.address)).collect();
        let section = |index: u32| own.get(&index).copied();
        let planned = |name: &Name<'_>| Some((name.name.to_vec(), (self.value(name, section)?, name.function)));
        module.defined().filter_map(planned).collect()
    }

    /// Where they are.
    pub(super) fn defined(&self, number: usize, module: &Module<'_>) -> Vec<(Vec<u8>, Answer)> {
        let section = |index: u32| self.parts.sections.get(&(number, index)).copied();
        let placed = |name: &Name<'_>| Some((name.name.to_vec(), (self.value(name, section)?, name.function)));
        let placed = module.defined().filter_map(placed);
        let commons = self.parts.commons.range((number, Vec::new())..(number + 1, Vec::new()));
        placed.chain(commons.map(|((_, name), address)| (name.clone(), (*address, false)))).collect()
    }

    /// Where a section of an object is that is not loaded to its end.
    pub(super) fn seen(&self, number: usize, said: &Said, index: u32) -> Option<u64> {
        let said = said.sections.iter().find(|(section, _)| *section == index).map(|(_, address)| *address);
        said.or_else(|| self.regions(number).find(|region| region.section == index).map(|region| region.address))
    }

    fn regions(&self, number: usize) -> impl Iterator<Item = &'a Region> + use<'a> {
        self.rooms.regions.iter().filter(move |region| region.module == number)
    }

    /// Takes what was said of an object. `Err` says what of it cannot be.
    pub(super) fn note(&mut self, number: usize, module: &Module<'_>, said: &Said) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        if said.too_much {
            problems.push(format!("{} said more of {} than anybody listens to", self.description.name, module.name));
        }
        for &(index, address) in &said.sections {
            match self.placed(number, module, index, address) {
                Ok(()) => {
                    self.parts.sections.insert((number, index), address);
                }
                Err(problem) => problems.push(problem),
            }
        }
        self.apart(number, module, &mut problems);
        for (name, address) in &said.symbols {
            problems.extend(self.named(number, module, name, *address).err());
        }
        if self.description.sync {
            self.synced(number, module, &said.synced, &mut problems);
        }
        problems.truncate(MOST);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Whether a section may be where it is said to be.
    fn placed(&self, number: usize, module: &Module<'_>, index: u32, address: u64) -> Result<(), String> {
        let shown = |name: &[u8]| format!("{}({})", module.name, text(name));
        let Some(section) = module.sections.iter().find(|section| section.index == index) else {
            return Err(format!("lr_section: section {index} of {} is none that is loaded", module.name));
        };
        let name = shown(section.name);
        if !address.is_multiple_of(section.alignment) {
            return Err(format!("{name} is at {address:#x}, which is not a multiple of {:#x}", section.alignment));
        }
        let mut own = self.regions(number).filter(|region| match self.description.places {
            Places::Sections => region.section == index,
            Places::Kinds => region.usage == section.usage,
        });
        let Some(region) = own.next() else { return Err(format!("{name} has no region, and is at {address:#x}")) };
        let Region { address: start, size, .. } = *region;
        match self.description.places {
            Places::Sections if address != start => {
                Err(format!("{name} is at {address:#x}, and the layout has it at {start:#x}"))
            }
            _ if holds(start, size, address, section.size) => Ok(()),
            _ => Err(format!(
                "{name} is at {address:#x} with {:#x} bytes, which is not in the region for it: {:#x} bytes at {start:#x}",
                section.size, size
            )),
        }
    }

    /// That no two sections of an object lie over each other.
    fn apart(&self, number: usize, module: &Module<'_>, problems: &mut Vec<String>) {
        let mut placed: Vec<_> = module
            .sections
            .iter()
            .filter_map(|section| Some((*self.parts.sections.get(&(number, section.index))?, section)))
            .collect();
        placed.sort_by_key(|(address, _)| *address);
        for pair in placed.windows(2) {
            let ((first, one), (second, other)) = (pair[0], pair[1]);
            if second - first < one.size {
                let (one, other) = (text(one.name), text(other.name));
                problems.push(format!("{}: {one} at {first:#x} and {other} at {second:#x} overlap", module.name));
            }
        }
    }

    /// Whether a symbol is what a loader tells others of it.
    fn named(&mut self, number: usize, module: &Module<'_>, name: &[u8], address: u64) -> Result<(), String> {
        let shown = format!("`{}` of {}", text(name), module.name);
        let symbol = module.defined().find(|symbol| symbol.name == name);
        let symbol = symbol.ok_or_else(|| format!("lr_symbol: {shown} is none that the object defines"))?;
        if symbol.place == Place::Common {
            let fits = |region: &Region| {
                let own = region.section == COMMON || self.description.places == Places::Kinds;
                own && holds(region.address, region.size, address, symbol.size)
            };
            if !self.regions(number).any(fits) || !address.is_multiple_of(symbol.value.max(1)) {
                return Err(format!(
                    "{shown} is at {address:#x}, which is not in the region for common symbols or not a multiple of {:#x}",
                    symbol.value.max(1)
                ));
            }
            self.parts.commons.insert((number, name.to_vec()), address);
            return Ok(());
        }
        let section = |index: u32| self.parts.sections.get(&(number, index)).copied();
        match self.value(symbol, section) {
            Some(value) if value != address => {
                Err(format!("others are told that {shown} is at {address:#x}, and it is at {value:#x}"))
            }
            _ => Ok(()),
        }
    }

    /// That the instruction cache is to see all code.
    fn synced(&self, number: usize, module: &Module<'_>, ranges: &[(u64, u64)], problems: &mut Vec<String>) {
        let mut ranges = ranges.to_vec();
        ranges.sort_unstable();
        for section in module.sections.iter().filter(|section| section.usage == super::object::Use::Code) {
            let Some(&start) = self.parts.sections.get(&(number, section.index)) else { continue };
            let (mut at, end) = (start, start.saturating_add(section.size));
            for &(from, size) in &ranges {
                if from <= at {
                    at = at.max(from.saturating_add(size));
                }
            }
            if at < end {
                let name = text(section.name);
                problems.push(format!(
                    "{}({name}) is code, and nobody said lr_sync of {at:#x} to {end:#x}: the instruction cache may have \
                     what was there before",
                    module.name
                ));
            }
        }
    }

    /// Looks for what was written where nothing was to be. The contents are those of the spans.
    pub(super) fn look(&self, contents: &[Vec<u8>]) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        for (span, bytes) in self.rooms.spans.iter().zip(contents) {
            let inside = |region: &&Region| holds(span.address, span.size, region.address, region.size);
            let mut regions: Vec<&Region> = self.rooms.regions.iter().filter(inside).collect();
            regions.sort_by_key(|region| region.address);
            let mut from = 0;
            let ends = regions.iter().map(|region| {
                let start = (region.address - span.address) as usize;
                (start, start + region.size as usize, Some(*region))
            });
            let mut before: Option<&Region> = None;
            for (start, end, region) in ends.chain([(bytes.len(), bytes.len(), None)]) {
                let gap = bytes.get(from..start).unwrap_or_default();
                if let Some(at) = gap.iter().position(|byte| *byte != FILLED) {
                    let address = span.address + (from + at) as u64;
                    let near = before.or(region).map_or(String::new(), |region| {
                        let file = self.modules.get(region.module).map_or("", |module| module.name);
                        let side = if before.is_some() { "behind" } else { "before" };
                        format!(", {side} the region for {file}({})", text(&region.name))
                    });
                    problems
                        .push(format!("{} wrote outside of its memory: at {address:#x}{near}", self.description.name));
                }
                (from, before) = (end, region);
            }
        }
        problems.truncate(MOST);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    pub(super) fn finish(self) -> Parts {
        self.parts
    }
}
