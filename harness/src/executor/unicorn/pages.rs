//! The guest's address space: which pages there are, what may be done with them, and which physical page is behind each.
//!
//! The engine's own mappings are expensive to change (every one rebuilds a flat view of all), so it gets one large physical
//! memory once, and asks this table for a page when its TLB misses. Mapping, unmapping and protecting then cost nothing but a
//! TLB flush, segments may lie anywhere, and zero-fill takes no memory until it is touched.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;

use crate::executor::hosted::engine::{Access, PAGE};
use crate::executor::place::Ranges;

/// Where the engine's physical memory begins, and how much there is. It is reserved, not committed, by the host.
pub(super) const PHYSICAL: u64 = 0x1000_0000;
/// See [`PHYSICAL`].
pub(super) const PHYSICAL_SIZE: u64 = 0x4000_0000;
/// Physical addresses with nothing behind them. A forbidden access is sent there: the engine then calls back with the
/// exact offset and with the registers of the instruction that did it, which a refused translation would not give.
const NOWHERE: u64 = 0x8000_0000;

#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) regions: Ranges<Access>,
    frames: FxHashMap<u64, u64>,
    /// Physical pages handed out so far, from the start.
    used: u64,
    /// Physical pages given back, zero again.
    free: Vec<u64>,
    /// Pages with a forbidden access, by their number from [`NOWHERE`].
    nowhere: Vec<u64>,
}

impl Pages {
    pub(super) fn access(&self, address: u64) -> Access {
        self.regions.at(address).map_or(Access::NONE, |(_, access)| *access)
    }

    /// The physical address behind an address, which is in a region. None: out of memory.
    pub(super) fn frame(&mut self, address: u64) -> Option<u64> {
        let page = address & !(PAGE - 1);
        if let Some(&frame) = self.frames.get(&page) {
            return Some(frame | (address & (PAGE - 1)));
        }
        let frame = match self.free.pop() {
            Some(frame) => frame,
            None if self.used < PHYSICAL_SIZE => {
                self.used += PAGE;
                PHYSICAL + self.used - PAGE
            }
            None => return None,
        };
        self.frames.insert(page, frame);
        Some(frame | (address & (PAGE - 1)))
    }

    /// The physical address behind an address that was touched before.
    pub(super) fn touched(&self, address: u64) -> Option<u64> {
        let frame = self.frames.get(&(address & !(PAGE - 1)))?;
        Some(frame | (address & (PAGE - 1)))
    }

    /// The pages in a range that were touched before, each with its physical address.
    pub(super) fn touched_in(&self, range: &RangeInclusive<u64>) -> Vec<(u64, u64)> {
        let first = range.start() & !(PAGE - 1);
        let pages = (range.end() - first) / PAGE;
        if pages > self.frames.len() as u64 {
            let inside = |&(&page, _): &(&u64, &u64)| (first..=*range.end()).contains(&page);
            return self.frames.iter().filter(inside).map(|(&page, &frame)| (page, frame)).collect();
        }
        let touched = |page| self.frames.get(&page).map(|&frame| (page, frame));
        (0..=pages).filter_map(|page| touched(first + page * PAGE)).collect()
    }

    /// Removes a region; the physical pages that were behind it have to be zeroed and given to [`Pages::recycle`].
    pub(super) fn remove(&mut self, start: u64) -> Vec<u64> {
        let Some(last) = self.regions.remove(start) else { return Vec::new() };
        let pages: RangeInclusive<u64> = start..=last;
        if (last - start) / PAGE > self.frames.len() as u64 {
            return self.frames.extract_if(|page, _| pages.contains(page)).map(|(_, frame)| frame).collect();
        }
        pages.step_by(PAGE as usize).filter_map(|page| self.frames.remove(&page)).collect()
    }

    pub(super) fn recycle(&mut self, frames: Vec<u64>) {
        self.free.extend(frames);
    }

    /// Forgets everything. Returns how many bytes of physical memory from the start have to be zeroed.
    pub(super) fn clear(&mut self) -> u64 {
        self.regions.clear();
        self.frames.clear();
        self.free.clear();
        std::mem::take(&mut self.used)
    }

    /// A physical address that has nothing behind it and that [`Pages::forbidden`] knows.
    pub(super) fn forbid(&mut self, address: u64) -> u64 {
        let page = address & !(PAGE - 1);
        let number = self.nowhere.iter().position(|&known| known == page).unwrap_or_else(|| {
            self.nowhere.push(page);
            self.nowhere.len() - 1
        });
        (NOWHERE + number as u64 * PAGE) | (address & (PAGE - 1))
    }

    /// The address behind which there is nothing.
    pub(super) fn forbidden(&self, physical: u64) -> Option<u64> {
        let number = physical.checked_sub(NOWHERE)? / PAGE;
        self.nowhere.get(usize::try_from(number).ok()?).map(|page| page | (physical & (PAGE - 1)))
    }

    /// Forgets which accesses were forbidden.
    pub(super) fn forget_forbidden(&mut self) {
        self.nowhere.clear();
    }
}
