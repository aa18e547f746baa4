//! A process's memory: the executable, the heap behind it, what it maps, and its stack.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use linker::memory::Protection;
use rustix::io::Errno;

use super::abi::Abi;
use super::opened::Opened;
use super::{Fail, Process, StartError};
use crate::executor::hosted::engine::{Access, Engine, PAGE};
use crate::executor::{AccessError, Guest};
use crate::linked::Mapped;

/// Host work that looking at one mapping is taken for.
const LOOK: u64 = 16;
/// Below this nothing is mapped (vm.mmap_min_addr): null pointers lead there.
const LOWEST: u64 = 0x1_0000;
/// Bytes of the heap of a program that has no `brk`, where there is room for them.
const BARE_HEAP: u64 = 64 << 20;
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
    /// Parts of files that are mapped, by where they begin.
    files: BTreeMap<u64, Part>,
}

/// A part of a file that is mapped.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) file: Rc<Opened>,
    pub(super) range: RangeInclusive<u64>,
    /// Where in the file it begins.
    pub(super) offset: u64,
    /// Whether what is written is to be seen by others.
    pub(super) shared: bool,
}

/// A file that is mapped.
#[derive(Clone, Debug)]
pub struct InFile {
    /// The file, as the process calls it.
    pub path: String,
    /// Where a part of it is mapped.
    pub start: u64,
    /// Where in the file that begins.
    pub offset: u64,
}

impl Part {
    /// Bytes of memory.
    pub(super) fn size(&self) -> u64 {
        self.range.end() - self.range.start() + 1
    }

    /// What of it is in a range.
    fn within(&self, start: u64, end: u64) -> Option<Part> {
        let (from, to) = (start.max(*self.range.start()), end.min(*self.range.end()));
        let offset = self.offset + from.checked_sub(*self.range.start())?;
        (from <= to).then(|| Part { range: from..=to, offset, ..self.clone() })
    }

    /// So many bytes of the file behind it.
    pub(super) fn behind(&self, size: u64) -> Option<Part> {
        let start = self.range.end().checked_add(1)?;
        let offset = self.offset.checked_add(start - self.range.start())?;
        Some(Part { range: start..=start.checked_add(size.checked_sub(1)?)?, offset, ..self.clone() })
    }
}

impl Space {
    pub(super) fn new(abi: &Abi, stack: u64) -> Space {
        let largest = if abi.is_64 { 1 << 36 } else { 1 << 30 };
        let size = stack.clamp(PAGE, largest).next_multiple_of(PAGE);
        let start = abi.stack_end - size;
        Space {
            base: 0,
            heap: (0, 0),
            top: start - GAP,
            stack: start..=abi.stack_end - 1,
            count: 8,
            files: BTreeMap::new(),
        }
    }
}

pub(super) fn up(address: u64) -> Option<u64> {
    address.checked_next_multiple_of(PAGE)
}

impl<E: Engine + 'static> Process<E> {
    /// Maps the executable, and the stack.
    pub(super) fn map_executable(&mut self, executable: &Mapped) -> Result<(), StartError> {
        if executable.movable {
            let start = self.abi.movable.checked_next_multiple_of(executable.alignment).unwrap_or(0);
            self.space.base = start.wrapping_sub(executable.parts.first().map_or(0, |part| part.address));
        }
        let end = self.map_parts(executable, self.space.base)?;
        self.space.heap = (end, end);
        if !self.abi.is_linux {
            self.give_heap();
        }
        let executable_stack = executable.executable_stack.unwrap_or(!self.abi.is_64);
        let access = Access { execute: executable_stack, ..Access::DATA };
        self.machine.engine.protect(self.space.stack.clone(), access);
        Ok(())
    }

    /// Maps memory for the heap of a program that has no `brk`, behind the executable, and returns where it is.
    pub(super) fn give_heap(&mut self) -> (u64, u64) {
        let (start, end) = self.space.heap;
        if end > start || start == 0 {
            return (start, end);
        }
        let mut limit = start.saturating_add(BARE_HEAP).min(*self.space.stack.start() - GAP);
        while start < limit {
            match self.machine.engine.regions().conflict(&(start..=limit - 1)) {
                None => {
                    self.machine.engine.protect(start..=limit - 1, Access::DATA);
                    self.space.heap.1 = limit;
                    break;
                }
                Some(taken) => limit = (*taken.start()).max(start),
            }
        }
        self.space.heap
    }

    /// Maps the run-time linker where there is room, and returns how far it is from where it says.
    pub(super) fn map_interpreter(&mut self, interpreter: &Mapped) -> Result<u64, StartError> {
        let room = || StartError::NoRoom("the run-time linker".to_owned());
        if !interpreter.movable {
            self.map_parts(interpreter, 0)?;
            return Ok(0);
        }
        let (Some(first), Some(last)) = (interpreter.parts.first(), interpreter.parts.last()) else { return Ok(0) };
        let size = last.address.wrapping_add(last.size).wrapping_sub(first.address);
        let size = size.checked_add(interpreter.alignment).ok_or_else(room)?;
        let start = self.unused(size).map_err(|_| room())?.map_err(|_| room())?;
        let base = start.next_multiple_of(interpreter.alignment).wrapping_sub(first.address);
        self.map_parts(interpreter, base)?;
        Ok(base)
    }

    /// Maps what is in a file of the ELF format, this far from where it says. Returns its end.
    fn map_parts(&mut self, file: &Mapped, base: u64) -> Result<u64, StartError> {
        let mut end = 0;
        let limit = *self.space.stack.start() - GAP;
        for (n, part) in file.parts.iter().enumerate() {
            let start = base.wrapping_add(part.address);
            let last =
                start.checked_add(part.size - 1).filter(|last| (start >= PAGE || !self.abi.is_linux) && *last < limit);
            let room = || StartError::NoRoom(format!("the segment at {:#x} of {:#x} bytes", part.address, part.size));
            let last = last.ok_or_else(room)?;
            if self.machine.engine.regions().conflict(&(start..=last)).is_some() {
                return Err(room());
            }
            let access = match part.protection {
                Protection::Read => Access::READ,
                Protection::ReadExecute => Access::CODE,
                Protection::ReadWrite => Access::DATA,
            };
            // Without a system the heap begins behind the last byte, and not with the next page.
            let access = Access { write: access.write || !self.abi.is_linux && n + 1 == file.parts.len(), ..access };
            self.machine.engine.protect(start..=last, access);
            self.machine.engine.write(start, &part.content).map_err(|_| room())?;
            end = last + 1;
        }
        self.space.count += file.parts.len();
        Ok(end)
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
        // What the host does not take of it nobody is told, as in Linux.
        let _ = self.settle(range)?;
        self.forget_files(range);
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

    /// Notes that a part of a file is mapped here.
    pub(super) fn note_file(&mut self, range: RangeInclusive<u64>, file: Rc<Opened>, offset: u64, shared: bool) {
        self.space.files.insert(*range.start(), Part { file, range, offset, shared });
    }

    /// The parts of files that are mapped in a range, cut at its ends.
    pub(super) fn files_in(&self, range: &RangeInclusive<u64>) -> Vec<Part> {
        let before = self.space.files.range(..*range.start()).next_back();
        let all = before.into_iter().chain(self.space.files.range(range.clone()));
        all.filter_map(|(_, part)| part.within(*range.start(), *range.end())).collect()
    }

    /// What was mapped in a range is not there any more; what is in front of it and behind it is.
    fn forget_files(&mut self, range: &RangeInclusive<u64>) {
        for part in self.files_in(range) {
            let before = self.space.files.range(..=*part.range.start()).next_back();
            let Some(whole) = before.map(|(_, whole)| whole.clone()) else { continue };
            self.space.files.remove(whole.range.start());
            let front = range.start().checked_sub(1).and_then(|end| whole.within(0, end));
            let behind = range.end().checked_add(1).and_then(|start| whole.within(start, u64::MAX));
            for rest in front.into_iter().chain(behind) {
                self.space.files.insert(*rest.range.start(), rest);
            }
        }
    }

    /// The files that are mapped, each once: where its first part is.
    pub fn mapped_files(&self) -> Vec<InFile> {
        let mut found: Vec<InFile> = Vec::new();
        for part in self.space.files.values() {
            let path = String::from_utf8_lossy(&part.file.path).into_owned();
            if found.iter().all(|other| other.path != path) {
                found.push(InFile { path, start: *part.range.start(), offset: part.offset });
            }
        }
        found
    }

    /// All parts of files that are mapped.
    pub(super) fn all_files(&self) -> impl Iterator<Item = &Part> {
        self.space.files.values()
    }

    /// Fills pages with what a part of a file has.
    pub(super) fn refill(&mut self, part: &Part, start: u64) -> Result<(), Fail> {
        self.fill(start, part.range.end() - part.range.start() + 1, &part.file, part.offset)?;
        self.note(part, start);
        Ok(())
    }

    /// Notes that a part of a file is mapped here, too.
    pub(super) fn note(&mut self, part: &Part, start: u64) {
        let range = start..=start + (part.range.end() - part.range.start());
        self.note_file(range, part.file.clone(), part.offset, part.shared);
    }

    /// Fills pages with what a file has from an offset on, as far as it goes.
    pub(super) fn fill(&mut self, start: u64, size: u64, file: &Opened, offset: u64) -> Result<(), Fail> {
        let mut done = 0;
        while done < size {
            let here = (size - done).min(1 << 20);
            self.machine.spend(2 * here)?;
            let bytes = file.read(here as usize, Some(offset + done))?;
            // A page that is zero takes room only when it is written.
            for (n, page) in bytes.chunks(PAGE as usize).enumerate() {
                if page.iter().any(|&byte| byte != 0) {
                    let at = start + done + n as u64 * PAGE;
                    self.machine.engine.write(at, page).map_err(|_| Errno::NOMEM)?;
                }
            }
            done += bytes.len() as u64;
            if (bytes.len() as u64) < here {
                break;
            }
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
