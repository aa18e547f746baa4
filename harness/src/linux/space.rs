//! A process's memory: the executable, the heap behind it, what it maps, and its stack.

use std::ops::RangeInclusive;

use linker::memory::Protection;
use rustix::io::Errno;

use super::abi::Abi;
use super::{Process, StartError};
use crate::executor::hosted::engine::{Access, Engine, PAGE};
use crate::executor::{AccessError, Guest};
use crate::linked::Mapped;

/// Host work that looking at one mapping is taken for.
const LOOK: u64 = 16;
/// Below this nothing is mapped (vm.mmap_min_addr): null pointers lead there.
const LOWEST: u64 = 0x1_0000;
/// How much below the stack stays free.
const GAP: u64 = 1 << 20;
/// Mappings that a process may have (vm.max_map_count).
const MOST: usize = 65_530;

/// What is where.
#[derive(Debug)]
pub(super) struct Space {
    /// How far the executable is from where it says.
    pub(super) base: u64,
    /// Where the heap begins, and its end at present.
    pub(super) heap: (u64, u64),
    /// Mappings are placed below this.
    top: u64,
    /// The stack.
    pub(super) stack: RangeInclusive<u64>,
    /// Mappings there are, at most.
    count: usize,
}

impl Space {
    pub(super) fn new(abi: &Abi, stack: u64) -> Space {
        let largest = if abi.is_64 { 1 << 36 } else { 1 << 30 };
        let size = stack.clamp(PAGE, largest).next_multiple_of(PAGE);
        let start = abi.stack_end - size;
        Space { base: 0, heap: (0, 0), top: start - GAP, stack: start..=abi.stack_end - 1, count: 8 }
    }
}

pub(super) fn up(address: u64) -> Option<u64> {
    address.checked_next_multiple_of(PAGE)
}

impl<E: Engine + 'static> Process<E> {
    /// Maps the executable, and the stack.
    pub(super) fn map_executable(&mut self, executable: &Mapped) -> Result<(), StartError> {
        let first = executable.parts.first().map_or(0, |part| part.address);
        if executable.movable {
            let start = self.abi.movable.checked_next_multiple_of(executable.alignment).unwrap_or(0);
            self.space.base = start.wrapping_sub(first);
        }
        let mut end = 0;
        let limit = *self.space.stack.start() - GAP;
        for part in &executable.parts {
            let start = self.space.base.wrapping_add(part.address);
            let last = start.checked_add(part.size - 1).filter(|last| start >= PAGE && *last < limit);
            let room = || StartError::NoRoom(format!("the segment at {:#x} of {:#x} bytes", part.address, part.size));
            let last = last.ok_or_else(room)?;
            let access = match part.protection {
                Protection::Read => Access::READ,
                Protection::ReadExecute => Access::CODE,
                Protection::ReadWrite => Access::DATA,
            };
            self.machine.engine.protect(start..=last, access);
            self.machine.engine.write(start, &part.content).map_err(|_| room())?;
            end = last + 1;
        }
        self.space.count += executable.parts.len();
        self.space.heap = (end, end);
        let executable_stack = executable.executable_stack.unwrap_or(!self.abi.is_64);
        let access = Access { execute: executable_stack, ..Access::DATA };
        self.machine.engine.protect(self.space.stack.clone(), access);
        Ok(())
    }

    /// Whether a range is one that a process may map.
    pub(super) fn is_mappable(&self, start: u64, size: u64) -> bool {
        start >= LOWEST && start.checked_add(size).is_some_and(|end| end <= self.abi.end)
    }

    /// Pages with nothing in them, as high as there are some.
    pub(super) fn unused(&mut self, size: u64) -> Result<Result<u64, Errno>, AccessError> {
        let mut end = self.space.top;
        while let Some(start) = end.checked_sub(size).filter(|start| *start >= LOWEST) {
            self.machine.spend(LOOK)?;
            match self.machine.engine.regions().conflict(&(start..=end - 1)) {
                None => return Ok(Ok(start)),
                Some(taken) => end = *taken.start(),
            }
        }
        Ok(Err(Errno::NOMEM))
    }

    /// Maps pages in which nothing is, zero.
    pub(super) fn map(&mut self, start: u64, size: u64, access: Access) -> Result<(), Errno> {
        if self.space.count >= MOST {
            return Err(Errno::NOMEM);
        }
        self.space.count += 1;
        self.machine.engine.protect(start..=start + (size - 1), access);
        Ok(())
    }

    /// The mappings of a range, cut at its ends.
    pub(super) fn mappings(
        &mut self,
        range: &RangeInclusive<u64>,
    ) -> Result<Vec<(RangeInclusive<u64>, Access)>, AccessError> {
        let engine = &mut self.machine.engine;
        for at in [Some(*range.start()), range.end().checked_add(1)].into_iter().flatten() {
            if engine.regions().at(at).is_some_and(|(region, _)| *region.start() != at) {
                engine.split(at);
                self.space.count += 1;
            }
        }
        let found: Vec<_> = engine.regions().within(range).map(|(region, access)| (region, *access)).collect();
        let found: Vec<_> = found.into_iter().filter(|(region, _)| range.contains(region.start())).collect();
        self.machine.spend(LOOK * found.len() as u64)?;
        Ok(found)
    }

    /// Unmaps whatever is in a range.
    pub(super) fn unmap(&mut self, range: &RangeInclusive<u64>) -> Result<(), AccessError> {
        for (region, access) in self.mappings(range)? {
            // What may not be accessed at all the engine takes for a reservation of ours, and would not give up.
            if access == Access::NONE {
                self.machine.engine.protect(region.clone(), Access::READ);
            }
            self.machine.engine.unmap(*region.start()).map_err(AccessError::Refused)?;
            self.space.count = self.space.count.saturating_sub(1);
        }
        Ok(())
    }

    /// Copies memory, whatever its protection.
    pub(super) fn copy(&mut self, from: u64, to: u64, size: u64) -> Result<(), AccessError> {
        let mut piece = vec![0; size.min(1 << 20) as usize];
        let mut done = 0;
        while done < size {
            let here = piece.len().min((size - done) as usize);
            let piece = &mut piece[..here];
            self.machine.spend(2 * here as u64)?;
            let failed = |address| AccessError::Refused(format!("no memory at {address:#x}"));
            self.machine.engine.read(from + done, piece).map_err(failed)?;
            // It is zero already, and takes room only when it is written.
            if piece.iter().any(|&byte| byte != 0) {
                self.machine.engine.write(to + done, piece).map_err(failed)?;
            }
            done += here as u64;
        }
        Ok(())
    }
}
