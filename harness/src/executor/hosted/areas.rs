//! What of the address space is the executor's own, and how more of it is found when a program wants more.

use std::ops::RangeInclusive;

use linker::memory::{Lifetime, Place, Protection, Segment};

use super::engine::{Access, Engine, PAGE};
use crate::executor::place::Space;

/// Where host functions are; the first is where calls return to, those in Thumb state [`RETURN_THUMB`] bytes further on.
pub(super) const HOST: RangeInclusive<u64> = 0x1_0000..=0x1_ffff;
/// See [`HOST`].
pub(super) const RETURN_THUMB: u64 = 8;
/// The host's constants.
pub(super) const HOST_DATA: RangeInclusive<u64> = 0x2_0000..=0x2_0fff;
/// What of the host's is the guest's to write: `errno`.
pub(super) const HOST_VARIABLES: RangeInclusive<u64> = 0x2_1000..=0x2_1fff;
/// Instructions that sign, one for each key, with a return behind each.
pub(super) const SIGN: RangeInclusive<u64> = 0x2_2000..=0x2_2fff;
/// The stack of calls, where no larger one is asked for. Nothing is below it for more than a megabyte.
pub(super) const STACK: RangeInclusive<u64> = 0x14_0000..=0x23_ffff;
/// The stack of what is called beside a program that runs.
pub(super) const ACTION_STACK: RangeInclusive<u64> = 0x25_0000..=0x28_ffff;
/// The first memory of the heap.
pub(super) const HEAP: RangeInclusive<u64> = 0x2a_0000..=0x31_efff;
/// The first memory of arguments.
pub(super) const BUFFERS: RangeInclusive<u64> = 0x32_0000..=0x39_ffff;
/// The thread's control block and variables, where they fit.
pub(super) const THREAD: RangeInclusive<u64> = 0x3a_0000..=0x3e_ffff;
/// The first address that is not the executor's own.
pub(super) const ANYWHERE: u64 = 0x40_0000;
/// The first address of the executor's own: what is below is usable where a program may have to be (vector tables).
const OWN: u64 = 0x1_0000;

/// Where programs may begin: some linkers put the file's headers on the page before the first section.
const FIRST: u64 = 0x3f_0000;

/// Where programs may be, as far as this executor is concerned: all but its own memory.
pub fn usable(is_64: bool, m_profile: bool, origin: u64) -> Vec<RangeInclusive<u64>> {
    let first = if m_profile { ANYWHERE } else { FIRST };
    let mut usable = vec![origin + first..=if is_64 { u64::MAX } else { u64::from(u32::MAX) }];
    if m_profile {
        usable.push(origin..=origin + OWN - 1);
    } else if origin > PAGE {
        // Nothing is where null pointers lead.
        usable.insert(0, PAGE..=origin - 1);
    }
    usable
}

/// An area where it is when memory begins at `origin`.
pub(super) fn moved(origin: u64, area: RangeInclusive<u64>) -> RangeInclusive<u64> {
    origin + area.start()..=origin + area.end()
}

/// Pages in which nothing is yet, so many bytes, aligned. None when there is no room, or when they could not all be used.
pub(super) fn unused(engine: &impl Engine, bytes: u64, alignment: u64) -> Option<RangeInclusive<u64>> {
    let size = bytes.max(1).checked_next_multiple_of(PAGE).filter(|size| *size <= engine.memory())?;
    let regions = engine.regions();
    let space = Space {
        page: PAGE,
        last: engine.wrap(u64::MAX),
        usable: &engine.info().usable,
        base: engine.info().origin + ANYWHERE,
        conflict: &|range: &RangeInclusive<u64>| regions.conflict(range),
    };
    let segment = Segment {
        size,
        content: 0,
        alignment: alignment.max(PAGE),
        protection: Protection::ReadWrite,
        relro: false,
        thread_local: None,
        lifetime: Lifetime::Standard,
        place: Place::Anywhere,
    };
    let start = *space.place(&[segment]).ok()?.addresses.first()?;
    Some(start..=start + (size - 1))
}

/// Maps pages in which nothing was, for data.
pub(super) fn more(engine: &mut impl Engine, bytes: u64, alignment: u64) -> Option<RangeInclusive<u64>> {
    let pages = unused(engine, bytes, alignment)?;
    engine.protect(pages.clone(), Access::DATA);
    Some(pages)
}
