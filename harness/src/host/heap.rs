//! The guest's heap. Only its memory is in the guest: the bookkeeping cannot be overwritten by what it is there to test.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A best-fit allocator, whose memory grows.
#[derive(Debug)]
pub(super) struct Heap {
    /// What there is from the beginning.
    first: RangeInclusive<u64>,
    /// Size by address, of what is in use.
    live: BTreeMap<u64, u64>,
    /// Size by address, of what is free, and the same by size.
    free: BTreeMap<u64, u64>,
    by_size: BTreeSet<(u64, u64)>,
    /// How much is asked for at least when it grows.
    step: u64,
}

/// What `malloc` guarantees on both architectures.
const ALIGN: u64 = 16;

/// How much it grows by the first time; twice as much each time after.
const STEP: u64 = 1 << 20;
/// See [`STEP`].
const LARGEST_STEP: u64 = 1 << 26;

/// Allocations at a time. Each is a few words of the host's memory, which the guest must not fill.
const MOST: usize = 1 << 21;

impl Heap {
    pub(super) fn new(first: RangeInclusive<u64>) -> Heap {
        let mut heap =
            Heap { first, live: BTreeMap::new(), free: BTreeMap::new(), by_size: BTreeSet::new(), step: STEP };
        heap.reset();
        heap
    }

    pub(super) fn reset(&mut self) {
        self.live.clear();
        self.free.clear();
        self.by_size.clear();
        self.step = STEP;
        self.insert(*self.first.start(), self.first.end() - self.first.start() + 1);
    }

    /// An address, or 0 when there is no room. `more` gives memory for so many bytes, if it can.
    pub(super) fn allocate(
        &mut self,
        size: u64,
        alignment: u64,
        more: &mut dyn FnMut(u64) -> Option<RangeInclusive<u64>>,
    ) -> u64 {
        let alignment = alignment.max(ALIGN);
        let Some(size) = size.max(1).checked_next_multiple_of(ALIGN) else { return 0 };
        // Free memory is aligned to 16 everywhere.
        let Some(needed) = size.checked_add(alignment - ALIGN) else { return 0 };
        if self.live.len() == MOST {
            return 0;
        }
        let found = self.fit(needed).or_else(|| {
            let range = more(needed.max(self.step)).or_else(|| more(needed))?;
            self.step = (2 * self.step).min(LARGEST_STEP);
            self.insert(*range.start(), range.end() - range.start() + 1);
            self.fit(needed)
        });
        let Some((length, start)) = found else { return 0 };
        self.remove(start, length);
        let at = start.next_multiple_of(alignment);
        if at > start {
            self.insert(start, at - start);
        }
        let behind = start + length - (at + size);
        if behind > 0 {
            self.insert(at + size, behind);
        }
        self.live.insert(at, size);
        at
    }

    /// The smallest free piece that is large enough, and of those the first.
    fn fit(&self, needed: u64) -> Option<(u64, u64)> {
        self.by_size.range((needed, 0)..).next().copied()
    }

    fn insert(&mut self, mut start: u64, mut length: u64) {
        if let Some((&before, &size)) = self.free.range(..start).next_back()
            && before.wrapping_add(size) == start
        {
            self.remove(before, size);
            (start, length) = (before, size + length);
        }
        if let Some(&size) = start.checked_add(length).and_then(|end| self.free.get(&end)) {
            self.remove(start + length, size);
            length += size;
        }
        self.free.insert(start, length);
        self.by_size.insert((length, start));
    }

    fn remove(&mut self, start: u64, length: u64) {
        self.free.remove(&start);
        self.by_size.remove(&(length, start));
    }

    /// How large an allocation is; none if there is none at this address.
    pub(super) fn size(&self, address: u64) -> Option<u64> {
        self.live.get(&address).copied()
    }

    pub(super) fn free(&mut self, address: u64) -> bool {
        let Some(size) = self.live.remove(&address) else { return false };
        self.insert(address, size);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_grows() {
        let mut heap = Heap::new(0x1000..=0x1fff);
        let mut none = |_| None;
        let all: Vec<u64> = (0..16).map(|_| heap.allocate(256, 0, &mut none)).collect();
        assert_eq!(all, (0..16).map(|n| 0x1000 + n * 256).collect::<Vec<_>>());
        assert_eq!(heap.allocate(1, 0, &mut none), 0);
        // Neighbours become one piece, in whatever order they are freed.
        for n in [3, 1, 2] {
            assert!(heap.free(all[n]));
        }
        assert!(!heap.free(all[1]), "twice");
        assert_eq!(heap.allocate(768, 0, &mut none), all[1]);
        let mut asked = Vec::new();
        let grown = heap.allocate(0x2000, 0x1000, &mut |size| {
            asked.push(size);
            (size <= 0x10_0000).then_some(0x5000_0800..=0x5000_07ff + size)
        });
        assert_eq!((grown, asked), (0x5000_1000, vec![STEP]));
        assert_eq!(heap.allocate(u64::MAX, 0, &mut none), 0);
        assert_eq!(heap.allocate(16, 1 << 63, &mut none), 0);
        heap.reset();
        assert_eq!(heap.allocate(0x1000, 0, &mut none), 0x1000);
    }
}
