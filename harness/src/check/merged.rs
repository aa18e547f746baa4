//! Strings and constants that are in the image once for all objects (SHF_MERGE): where the same ones are.

use rustc_hash::FxHashMap;

use object::elf;

use super::elf::Symbol;
use super::image::Image;
use super::object::Object;

/// Bytes by which strings are looked up.
const KEY: usize = 8;

/// Characters of a string that is looked up.
const LONGEST: usize = 4096;

/// Places of one string that are kept.
const MOST_PLACES: usize = 64;

/// Strings with the same beginning that are looked for.
const MOST_NAMESAKES: usize = 256;

/// What is looked up: the first bytes, and how many these are.
type Key = (u64, usize);

/// A string or constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Merged {
    /// Its bytes.
    bytes: Vec<u8>,
    /// How far from it S + A is.
    beyond: i64,
    /// The values of S with which it is meant: no more than [`MOST_PLACES`].
    pub(super) symbols: Vec<u64>,
    /// Whether there may be more of them.
    pub(super) many: bool,
}

impl Merged {
    /// Whether it is there where this value of S + A leads.
    pub(super) fn is_at(&self, image: &Image<'_>, sum: u64) -> bool {
        let place = sum.wrapping_add_signed(self.beyond.wrapping_neg());
        let there = image.region(place, self.bytes.len() as u64).and_then(|region| {
            let from = usize::try_from(place - region.address).ok()?;
            region.bytes.get(from..from + self.bytes.len())
        });
        there == Some(&self.bytes)
    }
}

/// Where strings and constants are.
#[derive(Debug, Default)]
pub(super) struct Places {
    places: FxHashMap<Vec<u8>, Vec<u64>>,
}

impl Places {
    /// Finds the strings and constants that these relocations mean: the object, the section of its symbol, the symbol, and A.
    pub(super) fn find<'b>(
        image: &Image<'_>,
        meant: impl Iterator<Item = (&'b Object<'b>, usize, &'b Symbol<'b>, i64)>,
    ) -> Places {
        let mut places: FxHashMap<Vec<u8>, Vec<u64>> = FxHashMap::default();
        let mut by_key: FxHashMap<Key, Vec<Vec<u8>>> = FxHashMap::default();
        for (object, section, symbol, a) in meant {
            let Some((bytes, _)) = wanted(object, section, symbol, a) else { continue };
            if !places.contains_key(bytes) {
                places.insert(bytes.to_vec(), Vec::new());
                by_key.entry(key(bytes)).or_default().push(bytes.to_vec());
            }
        }
        search(image, &by_key, &mut places);
        Places { places }
    }

    /// Where the string or constant is that a relocation means. `Err` says why nobody knows.
    pub(super) fn target(
        &self,
        object: &Object<'_>,
        section: usize,
        symbol: &Symbol<'_>,
        a: i64,
    ) -> Result<Merged, &'static str> {
        let Some((bytes, within)) = wanted(object, section, symbol, a) else {
            return Err("its symbol is in a section of merged strings, at none of them");
        };
        let places = self.places.get(bytes).map(Vec::as_slice).unwrap_or_default();
        if places.is_empty() {
            return Err("its string or constant is not in the image");
        }
        Ok(Merged {
            bytes: bytes.to_vec(),
            beyond: a.wrapping_sub(within),
            symbols: places.iter().map(|place| place.wrapping_sub(within as u64)).collect(),
            many: places.len() >= MOST_PLACES,
        })
    }
}

/// The string or constant that a relocation means, from the byte on that it means, and how far from its symbol that is: sections as
/// a whole stand for what A says.
fn wanted<'a>(object: &Object<'a>, section: usize, symbol: &Symbol<'_>, a: i64) -> Option<(&'a [u8], i64)> {
    let section = &object.elf.sections[section];
    let within = if symbol.is_section() { a } else { 0 };
    let from = usize::try_from(symbol.value.checked_add_signed(within)?).ok()?;
    let rest = section.data.get(from..).filter(|rest| !rest.is_empty())?;
    let size = usize::try_from(section.entry_size).ok()?;
    let is_string = section.flags & elf::SHF_STRINGS.0 != 0;
    let end = if is_string {
        let end = rest.chunks_exact(size).take(LONGEST).position(|unit| unit.iter().all(|byte| *byte == 0))?;
        (end + 1) * size
    } else {
        size - from % size
    };
    Some((rest.get(..end).filter(|bytes| bytes.len() <= 8 * LONGEST)?, within))
}

fn key(bytes: &[u8]) -> Key {
    let length = bytes.len().min(KEY);
    (super::elf::number(&bytes[..length], false), length)
}

/// Looks at every byte of what cannot be code once for each length that is asked for, of which there are eight at most.
fn search(image: &Image<'_>, by_key: &FxHashMap<Key, Vec<Vec<u8>>>, places: &mut FxHashMap<Vec<u8>, Vec<u64>>) {
    let lengths: Vec<usize> = (1..=KEY).filter(|length| by_key.keys().any(|key| key.1 == *length)).collect();
    for region in image.regions.iter().filter(|region| !region.writable) {
        for offset in 0..region.bytes.len() {
            let rest = &region.bytes[offset..];
            for &length in &lengths {
                let Some(first) = rest.get(..length) else { break };
                let Some(wanted) = by_key.get(&(super::elf::number(first, false), length)) else { continue };
                for bytes in wanted.iter().take(MOST_NAMESAKES).filter(|bytes| rest.starts_with(bytes)) {
                    let found = places.entry(bytes.clone()).or_default();
                    if found.len() < MOST_PLACES {
                        found.push(region.address + offset as u64);
                    }
                }
            }
        }
    }
}
