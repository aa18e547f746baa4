//! The guest's heap. Only its memory is in the guest: the bookkeeping cannot be overwritten by what it is there to test.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A first-fit allocator.
#[derive(Debug)]
pub(super) struct Heap {
    area: RangeInclusive<u64>,
    /// Size by address, of what is in use.
    live: BTreeMap<u64, u64>,
}

/// What `malloc` guarantees on both architectures, and what is left between two allocations.
const ALIGN: u64 = 16;

impl Heap {
    pub(super) fn new(area: RangeInclusive<u64>) -> Heap {
        Heap { area, live: BTreeMap::new() }
    }

    pub(super) fn reset(&mut self) {
        self.live.clear();
    }

    /// An address, or 0 when there is no room.
    pub(super) fn allocate(&mut self, size: u64, alignment: u64) -> u64 {
        let alignment = alignment.max(ALIGN);
        let Some(aligned) = size.max(1).checked_next_multiple_of(ALIGN) else { return 0 };
        let fits = |at: u64, before: u64| at.checked_add(aligned).is_some_and(|end| end <= before);
        // Behind the last one, which is where there is room as long as a case is short.
        let behind = self.live.last_key_value().map_or(*self.area.start(), |(at, size)| at + size);
        let mut at = behind.next_multiple_of(alignment);
        if !fits(at, *self.area.end()) {
            at = self.area.start().next_multiple_of(alignment);
            for (&used, &length) in &self.live {
                if fits(at, used) {
                    break;
                }
                at = (used + length).next_multiple_of(alignment);
            }
            if !fits(at, *self.area.end()) {
                return 0;
            }
        }
        self.live.insert(at, aligned);
        at
    }

    /// How large an allocation is; none if there is none at this address.
    pub(super) fn size(&self, address: u64) -> Option<u64> {
        self.live.get(&address).copied()
    }

    pub(super) fn free(&mut self, address: u64) -> bool {
        self.live.remove(&address).is_some()
    }
}
