//! Whether a map is of the image that it is given with: both say where sections and symbols are.

use linker::error::text;
use object::elf;
use rustc_hash::FxHashMap;

use super::elf::Place;
use super::image::Image;
use crate::map::Map;

/// Where a map and an image disagree, as a sentence. None if they agree in all that both have.
pub(super) fn disagreement(image: &Image<'_>, map: &Map) -> Option<String> {
    let loaded = image.elf.sections.iter().filter(|one| one.flags & elf::SHF_ALLOC.0 != 0 && one.size > 0);
    let sections: FxHashMap<&[u8], u64> = loaded.map(|one| (one.name, one.address)).collect();
    let known = map.sections.iter().filter(|one| one.size > 0);
    let sections = Compared::of(known.map(|one| (one.name.as_str(), one.address)), &sections, 0);
    // Names that several symbols have tell nothing, and those of thread-local variables have offsets.
    let mut symbols: FxHashMap<&[u8], Option<u64>> = FxHashMap::default();
    for symbol in image.elf.symbols.iter().filter(|one| matches!(one.place, Place::Section(_))) {
        let value = Some(symbol.value).filter(|_| !symbol.is_thread_local());
        symbols
            .entry(symbol.name)
            .and_modify(|other| *other = other.filter(|other| value == Some(*other)))
            .or_insert(value);
    }
    let symbols: FxHashMap<&[u8], u64> = symbols.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let mut known: FxHashMap<&str, Option<u64>> = FxHashMap::default();
    for symbol in &map.symbols {
        let value = symbol.value;
        known
            .entry(&symbol.name)
            .and_modify(|other| *other = other.filter(|other| *other == value))
            .or_insert(Some(value));
    }
    let mut known: Vec<(&str, u64)> = known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    known.sort_unstable_by_key(|(name, value)| (*value, *name));
    // Some maps have the Thumb bit, and some do not.
    let symbols = Compared::of(known.into_iter(), &symbols, u64::from(image.elf.bits == 32));
    let first = sections.first.as_ref().or(symbols.first.as_ref())?;
    let (name, there, here) = first;
    Some(format!(
        "the map has {name} at {there:#x}, and the image at {here:#x}; they differ in {} of {} sections and in {} of {} symbols that \
         both have: it is the map of another link",
        sections.differ, sections.both, symbols.differ, symbols.both
    ))
}

/// Names with addresses that a map and an image have.
#[derive(Debug, Default)]
struct Compared {
    both: usize,
    differ: usize,
    /// The first that differs: its name, and where it is for the map and in the image.
    first: Option<(String, u64, u64)>,
}

impl Compared {
    /// Compares addresses without these bits.
    fn of<'m>(known: impl Iterator<Item = (&'m str, u64)>, image: &FxHashMap<&[u8], u64>, bits: u64) -> Compared {
        let mut compared = Compared::default();
        for (name, there) in known {
            let Some(&here) = image.get(name.as_bytes()) else { continue };
            compared.both += 1;
            if (here ^ there) & !bits != 0 {
                compared.differ += 1;
                compared.first.get_or_insert_with(|| (text(name.as_bytes()), there, here));
            }
        }
        compared
    }
}
