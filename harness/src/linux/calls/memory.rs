//! Calls about memory.

use std::rc::Rc;

use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::{Access, Engine, PAGE};
use crate::linux::files::File;
use crate::linux::opened::Opened;
use crate::linux::space::up;
use crate::linux::{Process, Served};

/// Bits of mmap's arguments.
const PROT_READ: u64 = 1;
const PROT_WRITE: u64 = 2;
const PROT_EXEC: u64 = 4;
const MAP_PRIVATE: u64 = 2;
const MAP_FIXED: u64 = 0x10;
const MAP_ANONYMOUS: u64 = 0x20;
const MAP_FIXED_NOREPLACE: u64 = 0x10_0000;
const MREMAP_MAYMOVE: u64 = 1;
const MREMAP_FIXED: u64 = 2;
const MADV_DONTNEED: u64 = 4;

/// Whether what is written is to be seen by others.
fn is_shared(flags: u64) -> bool {
    flags & 0xf != MAP_PRIVATE
}

fn access(protection: u64) -> Access {
    let (write, execute) = (protection & PROT_WRITE != 0, protection & PROT_EXEC != 0);
    // As on most processors, what may be written or executed may be read.
    Access { read: write || execute || protection & PROT_READ != 0, write, execute }
}

impl<E: Engine + 'static> Process<E> {
    pub(super) fn brk(&mut self, a: &[u64; 6]) -> Served {
        let (start, end) = self.space.heap;
        let wanted = a[0];
        if wanted < start {
            return Ok(end);
        }
        let (Some(from), Some(to)) = (up(end), up(wanted)) else { return Ok(end) };
        if to > from {
            let range = from..=to - 1;
            let is_free = self.is_mappable(from, to - from) && self.machine.engine.regions().conflict(&range).is_none();
            if !is_free || self.map(from, to - from, Access::DATA).is_err() {
                return Ok(end);
            }
        } else if to < from {
            self.unmap(&(to..=from - 1))?;
        }
        self.space.heap.1 = wanted;
        Ok(wanted)
    }

    /// mmap, whose offset is in bytes.
    pub(super) fn mmap(&mut self, a: &[u64; 6], offset: u64) -> Served {
        let [hint, length, protection, flags, file, _] = *a;
        let size = up(length).filter(|size| *size > 0).ok_or(if length == 0 { Errno::INVAL } else { Errno::NOMEM })?;
        if !offset.is_multiple_of(PAGE) || flags & 0xf == 0 {
            return Err(Errno::INVAL.into());
        }
        let content = if flags & MAP_ANONYMOUS == 0 { self.mappable(file, protection, flags)? } else { None };
        if let Some(content) = &content {
            if offset.checked_add(size).is_none_or(|end| end > i64::MAX as u64) {
                return Err(Errno::OVERFLOW.into());
            }
            if is_shared(flags) && !self.can_share(content, offset, size, protection & PROT_WRITE != 0) {
                return Err(Errno::NODEV.into());
            }
            self.settle_file(content)?;
        }
        let start = if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) != 0 {
            if !hint.is_multiple_of(PAGE) {
                return Err(Errno::INVAL.into());
            }
            if !self.is_mappable(hint, size) {
                return Err(Errno::NOMEM.into());
            }
            let range = hint..=hint + (size - 1);
            if flags & MAP_FIXED_NOREPLACE != 0 && self.machine.engine.regions().conflict(&range).is_some() {
                return Err(Errno::EXIST.into());
            }
            self.unmap(&range)?;
            hint
        } else {
            let hint = hint & !(PAGE - 1);
            let free =
                |process: &Self| process.machine.engine.regions().conflict(&(hint..=hint + (size - 1))).is_none();
            if hint != 0 && self.is_mappable(hint, size) && free(self) { hint } else { self.unused(size)?? }
        };
        self.map(start, size, access(protection))?;
        if let Some(content) = content {
            if let Err(fail) = self.fill(start, size, &content, offset) {
                self.unmap(&(start..=start + (size - 1)))?;
                return Err(fail);
            }
            self.note_file(start..=start + (size - 1), content, offset, is_shared(flags));
        }
        Ok(start)
    }

    /// The file that is to be mapped; none where it is zeros.
    fn mappable(&self, file: u64, protection: u64, flags: u64) -> Result<Option<Rc<Opened>>, Errno> {
        const WRITE_ONLY: u32 = 1;
        let opened = match &self.files.get(file as i32)?.file {
            File::Zero => return Ok(None),
            File::Opened(opened) if !opened.is_directory() => opened,
            _ => return Err(Errno::NODEV),
        };
        let access = opened.flags.get() & 3;
        let changes = is_shared(flags) && protection & PROT_WRITE != 0;
        if access == WRITE_ONLY || changes && !opened.is_changeable() {
            return Err(Errno::ACCESS);
        }
        Ok(Some(opened.clone()))
    }

    /// Has what was written to files be in them.
    pub(super) fn msync(&mut self, a: &[u64; 6]) -> Served {
        const ASYNC: u64 = 1;
        const SYNC: u64 = 4;
        const ALL: u64 = 7;
        if a[2] & !ALL != 0 || !a[0].is_multiple_of(PAGE) || a[2] & (ASYNC | SYNC) == ASYNC | SYNC {
            return Err(Errno::INVAL.into());
        }
        let size = up(a[1]).filter(|size| *size == 0 || self.is_mappable(a[0], *size)).ok_or(Errno::NOMEM)?;
        if size == 0 {
            return Ok(0);
        }
        let range = a[0]..=a[0] + (size - 1);
        self.settle(&range)??;
        let held: u64 = self.mappings(&range)?.iter().map(|(region, _)| region.end() - region.start() + 1).sum();
        if held < size { Err(Errno::NOMEM.into()) } else { Ok(0) }
    }

    pub(super) fn munmap(&mut self, a: &[u64; 6]) -> Served {
        let size = up(a[1]).filter(|size| *size > 0 && a[0].is_multiple_of(PAGE)).ok_or(Errno::INVAL)?;
        if !self.is_mappable(a[0], size) {
            return Err(Errno::INVAL.into());
        }
        self.unmap(&(a[0]..=a[0] + (size - 1)))?;
        Ok(0)
    }

    pub(super) fn mprotect(&mut self, a: &[u64; 6]) -> Served {
        if !a[0].is_multiple_of(PAGE) {
            return Err(Errno::INVAL.into());
        }
        let size = up(a[1]).ok_or(Errno::NOMEM)?;
        if size == 0 {
            return Ok(0);
        }
        if !self.is_mappable(a[0], size) {
            return Err(Errno::NOMEM.into());
        }
        let mut next = a[0];
        for (region, _) in self.mappings(&(a[0]..=a[0] + (size - 1)))? {
            // What is in front of a gap is changed, as by Linux.
            if *region.start() != next {
                return Err(Errno::NOMEM.into());
            }
            next = *region.end() + 1;
            if a[2] & PROT_WRITE != 0 && !self.can_write(&region) {
                return Err(Errno::ACCESS.into());
            }
            if access(a[2]) == Access::NONE {
                // Nothing is in such pages.
                let _ = self.settle(&region)?;
            }
            self.machine.engine.protect(region, access(a[2]));
        }
        if next == a[0] + size { Ok(0) } else { Err(Errno::NOMEM.into()) }
    }

    pub(super) fn mremap(&mut self, a: &[u64; 6]) -> Served {
        let [old, old_length, new_length, flags, ..] = *a;
        let sizes = up(old_length).zip(up(new_length)).filter(|sizes| sizes.0 > 0 && sizes.1 > 0);
        let (size, wanted) = sizes.filter(|_| old.is_multiple_of(PAGE)).ok_or(Errno::INVAL)?;
        if !self.is_mappable(old, size) || flags & MREMAP_FIXED != 0 {
            return Err(Errno::INVAL.into());
        }
        if wanted <= size {
            if wanted < size {
                self.unmap(&(old + wanted..=old + (size - 1)))?;
            }
            return Ok(old);
        }
        let parts = self.mappings(&(old..=old + (size - 1)))?;
        let held: u64 = parts.iter().map(|(region, _)| region.end() - region.start() + 1).sum();
        let access = parts.first().map(|part| part.1).filter(|_| held == size).ok_or(Errno::FAULT)?;
        // What a file has behind its end comes with it.
        let files = self.files_in(&(old..=old + (size - 1)));
        let last = files.last().filter(|part| *part.range.end() == old + (size - 1)).cloned();
        let behind = old + size..=old + (wanted - 1);
        if self.is_mappable(old, wanted) && self.machine.engine.regions().conflict(&behind).is_none() {
            self.map(old + size, wanted - size, access)?;
            if let Some(tail) = last.and_then(|part| part.behind(wanted - size)) {
                self.refill(&tail, old + size)?;
            }
            return Ok(old);
        }
        if flags & MREMAP_MAYMOVE == 0 {
            return Err(Errno::NOMEM.into());
        }
        let new = self.unused(wanted)??;
        self.map(new, wanted, access)?;
        // What cannot be accessed at all has nothing in it that could be copied.
        if access != Access::NONE {
            self.copy(old, new, size)?;
        }
        for part in files {
            let start = new + (part.range.start() - old);
            self.note(&part, start);
        }
        if let Some(tail) = last.and_then(|part| part.behind(wanted - size)) {
            self.refill(&tail, new + size)?;
        }
        self.unmap(&(old..=old + (size - 1)))?;
        Ok(new)
    }

    pub(super) fn madvise(&mut self, a: &[u64; 6]) -> Served {
        let size = up(a[1]).filter(|_| a[0].is_multiple_of(PAGE)).ok_or(Errno::INVAL)?;
        if size == 0 || a[2] != MADV_DONTNEED {
            return Ok(0);
        }
        if !self.is_mappable(a[0], size) {
            return Err(Errno::NOMEM.into());
        }
        let range = a[0]..=a[0] + (size - 1);
        let files = self.files_in(&range);
        for (region, access) in self.mappings(&range)? {
            self.unmap(&region)?;
            self.map(*region.start(), region.end() - region.start() + 1, access)?;
        }
        for part in files {
            self.refill(&part, *part.range.start())?;
        }
        Ok(0)
    }

    /// ARM's: the code that was written there is to be seen. Whatever the range, all translated code goes.
    pub(super) fn cacheflush(&mut self, a: &[u64; 6]) -> Served {
        let (start, end) = (a[0] & !(PAGE - 1), a[1]);
        if end < a[0] || a[2] != 0 {
            return Err(Errno::INVAL.into());
        }
        self.machine.spend(end - a[0])?;
        if let Some((region, access)) = self.machine.engine.regions().at(start) {
            let access = *access;
            self.machine.engine.protect(region, access);
        }
        Ok(0)
    }
}
