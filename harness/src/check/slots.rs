//! The global offset table of an image: which slot holds what.

use std::cell::OnceCell;

use rustc_hash::FxHashMap;

use super::image::{Image, Region};
use crate::oracle::{ORIGIN, Output};

/// Stubs of the table that are followed.
const MOST_STUBS: usize = 4096;

/// Slots of one value that are looked at.
const MOST: usize = 64;

/// The slots by what they hold.
#[derive(Debug, Default)]
pub(super) struct Slots {
    by_value: FxHashMap<u64, Vec<u64>>,
    descriptors: FxHashMap<u64, Vec<u64>>,
    /// Where the table may begin: at its symbol, or at a section of it.
    pub(super) origins: Vec<u64>,
    /// What stands in for the functions that are chosen at the start, by the slots that lead there through a stub.
    through_stubs: OnceCell<FxHashMap<u64, Vec<u64>>>,
}

impl Slots {
    pub(super) fn read(image: &Image<'_>) -> Slots {
        let mut slots = Slots::default();
        let width = image.target.pointer_bytes();
        let is_table = |region: &&Region<'_>| region.name.starts_with(b".got") || region.name.starts_with(b".igot");
        let mut tables: Vec<&Region<'_>> = image.regions.iter().filter(is_table).collect();
        slots.origins = image.named(ORIGIN).map(|named| named.address).into_iter().collect();
        slots.origins.extend(tables.iter().map(|table| table.address));
        if tables.is_empty() {
            // Where a script puts it into another section, every word of data may be a slot.
            tables = image.regions.iter().filter(|region| !region.code).collect();
        }
        if slots.origins.is_empty() {
            slots.origins.push(0);
        }
        for table in tables {
            let start = table.address.next_multiple_of(width as u64);
            let skipped = (start - table.address) as usize;
            for (index, word) in table.bytes.get(skipped..).unwrap_or_default().chunks_exact(width).enumerate() {
                let places = slots.by_value.entry(image.target.number(word)).or_default();
                if places.len() < MOST {
                    places.push(start + (index * width) as u64);
                }
            }
        }
        for (&place, &offset) in &image.descriptors {
            slots.descriptors.entry(offset).or_default().push(place);
        }
        slots
    }

    /// The slots that hold a value.
    pub(super) fn holding(&self, value: u64) -> &[u64] {
        self.by_value.get(&value).map(Vec::as_slice).unwrap_or_default()
    }

    /// The slots that hold a value, and the next one another.
    pub(super) fn pairs(&self, image: &Image<'_>, first: u64, second: u64) -> Vec<u64> {
        let width = image.target.pointer_bytes() as u64;
        let next = |slot: &&u64| self.holding(second).contains(&(**slot + width));
        self.holding(first).iter().filter(next).copied().collect()
    }

    /// The descriptors of the variable at this offset.
    pub(super) fn descriptors(&self, _: &Image<'_>, offset: u64) -> Vec<u64> {
        self.descriptors.get(&offset).cloned().unwrap_or_default()
    }

    /// The slots with an address of a stub that leads to what stands in for a chosen function.
    pub(super) fn leading_to(&self, image: &Image<'_>, output: &Output<'_>, stand_in: u64) -> Vec<u64> {
        let by_end = self.through_stubs.get_or_init(|| {
            let mut by_end: FxHashMap<u64, Vec<u64>> = FxHashMap::default();
            let is_stub =
                |value: u64| image.region(value, 1).is_some_and(|region| region.code) && !output.is_input(value);
            for (&value, places) in self.by_value.iter().filter(|(value, _)| is_stub(**value)).take(MOST_STUBS) {
                if let Some((end, _)) = output.follow(image.target, value, false) {
                    by_end.entry(end).or_default().extend(places);
                }
            }
            by_end
        });
        by_end.get(&stand_in).cloned().unwrap_or_default()
    }
}
