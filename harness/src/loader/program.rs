//! What a loader made, as a program that is run and judged, and as memory whose fields are checked.

use linker::Target;
use linker::graph::{Bytes, Flags, Object};
use linker::memory::Protection;

use super::inspect::Parts;
use super::object::{Module, Name, Place};
use super::rooms::{Region, Rooms};
use crate::check::Memory;
use crate::executor::Executor;
use crate::linked::{Assembled, Linked, Piece, Routines, Segment, Symbol};

/// Objects that are loaded.
#[derive(Debug)]
pub struct Loaded<'a> {
    pub(super) target: &'static Target,
    pub(super) modules: Vec<Module<'a>>,
    pub(super) rooms: Rooms,
    pub(super) parts: Parts,
    pub(super) arrays: Routines,
    /// What was in each span when all was loaded.
    pub(super) contents: Vec<Vec<u8>>,
}

/// The arrays of functions by the names of their sections.
const ARRAYS: [&[u8]; 3] = [b".preinit_array", b".init_array", b".fini_array"];

/// The priority that the name of a section says: those without one come last.
fn priority(name: &[u8], array: &[u8]) -> Option<u32> {
    let rest = name.strip_prefix(array)?;
    match rest.strip_prefix(b".") {
        Some(number) => std::str::from_utf8(number).ok()?.parse().ok(),
        None => rest.is_empty().then_some(u32::MAX),
    }
}

impl<'a> Loaded<'a> {
    /// Makes one array each of what the objects have to run before the program and behind it, in the order in which linkers
    /// have them.
    pub(super) fn arrays<E: Executor>(
        executor: &mut E,
        target: &Target,
        modules: &[Module<'_>],
        parts: &Parts,
    ) -> Result<Routines, String> {
        let mut ranges = [0..0, 0..0, 0..0];
        for (range, array) in ranges.iter_mut().zip(ARRAYS) {
            let mut pieces = Vec::new();
            for (number, module) in modules.iter().enumerate() {
                for section in &module.sections {
                    let address = parts.sections.get(&(number, section.index));
                    if let (Some(priority), Some(&address)) = (priority(section.name, array), address) {
                        pieces.push((priority, number, address, section.size));
                    }
                }
            }
            pieces.sort_by_key(|piece| (piece.0, piece.1));
            let mut bytes = Vec::new();
            for (_, _, address, size) in pieces {
                let mut piece = vec![0; size as usize];
                executor.peek(address, &mut piece).map_err(|error| error.to_string())?;
                bytes.extend(piece);
            }
            bytes.truncate(bytes.len() / target.pointer_bytes() * target.pointer_bytes());
            if !bytes.is_empty() {
                let start = executor.buffer(&bytes).map_err(|error| error.to_string())?;
                *range = start..start + bytes.len() as u64;
            }
        }
        let [preinit_array, init_array, fini_array] = ranges;
        Ok(Routines { preinit_array, init_array, fini_array, ..Routines::default() })
    }

    /// What it is for.
    pub fn target(&self) -> &'static Target {
        self.target
    }

    /// Where a section is.
    pub fn section(&self, module: usize, index: u32) -> Option<u64> {
        self.parts.sections.get(&(module, index)).copied()
    }

    /// Whether it has what linkers make constant once it is relocated.
    pub fn has_relro(&self) -> bool {
        let mut sections = self.modules.iter().flat_map(|module| &module.sections);
        sections.any(|section| section.name.starts_with(b".data.rel.ro"))
    }

    /// What of the objects is not loaded, as messages call it.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (number, module) in self.modules.iter().enumerate() {
            let sections = module.sections.iter().filter(|section| self.section(number, section.index).is_none());
            left.extend(sections.map(|section| format!("{}({})", module.name, linker::error::text(section.name))));
        }
        left
    }

    fn address(&self, number: usize, name: &Name<'_>) -> Option<u64> {
        let address = match name.place {
            Place::Section(index) => self.section(number, index)?.wrapping_add(name.value),
            Place::Absolute => name.value,
            Place::Common => *self.parts.commons.get(&(number, name.name.to_vec()))?,
            Place::Undefined => return None,
        };
        Some(self.target.wrap(address))
    }

    fn symbol<'b>(&self, number: usize, name: &Name<'b>) -> Option<Symbol<'b>> {
        let value = self.address(number, name)?;
        let (address, mut flags) = self.target.architecture.symbol_value(value, name.function);
        for (is, flag) in [(name.function, Flags::FUNCTION), (name.variable, Flags::OBJECT)] {
            if is {
                flags = flags.with(flag);
            }
        }
        let placed = name.place != Place::Absolute;
        Some(Symbol { name: name.name, address, size: name.size, flags, global: name.global, placed })
    }

    /// The program.
    pub fn linked(&self) -> Linked<'_> {
        let segments = self.rooms.spans.iter();
        let segments =
            segments.map(|span| Segment { address: span.address, size: span.size, protection: span.protection });
        let (mut symbols, mut pieces, mut mapping) = (Vec::new(), Vec::new(), Vec::new());
        for (number, module) in self.modules.iter().enumerate() {
            let object = Object { file: module.name, member: None, position: number as u32 + 1, source: b"" };
            symbols.extend(module.names.iter().filter_map(|name| self.symbol(number, name)));
            pieces.extend(module.sections.iter().filter_map(|section| {
                let address = self.section(number, section.index)?;
                let (size, number) = (section.size, section.index);
                Some(Piece { address, size, object: object.clone(), section: section.name, number, offset: 0 })
            }));
            mapping.extend(module.mapping.iter().filter_map(|(index, value, name)| {
                let kind: Bytes = self.target.architecture.mapping(name)?;
                Some((self.target.wrap(self.section(number, *index)?.wrapping_add(*value)), kind))
            }));
        }
        Linked::assemble(Assembled {
            target: self.target,
            segments: segments.collect(),
            routines: self.arrays.clone(),
            pieces,
            symbols,
            mapping,
        })
    }

    /// The memory with what was in it when all was loaded: for a check of its fields.
    pub fn memory(&self) -> Memory<'_> {
        let mut memory = Memory::new(self.target);
        for region in &self.rooms.regions {
            let spans = self.rooms.spans.iter().zip(&self.contents);
            let mut found = spans.filter_map(|(span, bytes)| {
                let from = usize::try_from(region.address.checked_sub(span.address)?).ok()?;
                let bytes = bytes.get(from..from.checked_add(region.size as usize)?)?;
                Some((bytes, span.protection == Protection::ReadExecute))
            });
            let Some((bytes, code)) = found.next() else { continue };
            let (own, room) = bytes.split_at(self.used(region).min(bytes.len()));
            memory.add(&region.name, region.address, own, code);
            memory.add_room(region.address + own.len() as u64, room, code);
        }
        for (number, module) in self.modules.iter().enumerate() {
            for name in module.defined() {
                if let Some(symbol) = self.symbol(number, name) {
                    memory.define(name.name, symbol.address, symbol.flags);
                }
            }
        }
        memory
    }

    /// How many bytes of a region there are up to the end of what came from the object. What is behind is the loader's.
    fn used(&self, region: &Region) -> usize {
        let Some(module) = self.modules.get(region.module) else { return 0 };
        let sections = module.sections.iter().filter_map(|section| {
            let start = self.section(region.module, section.index)?;
            let end = start.checked_add(section.size)?.checked_sub(region.address)?;
            (start >= region.address && end <= region.size).then_some(end)
        });
        sections.max().unwrap_or(0) as usize
    }
}
