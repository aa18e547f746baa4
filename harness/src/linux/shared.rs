//! Files that are mapped to be shared and written.
//!
//! The pages are copies. What the process writes to them is in the file when it, or anybody else, could look: before a call that reads,
//! writes or cuts the file, with `msync`, and when the pages or the process go. What a call changes in the file is in the pages behind
//! it. Two mappings of the same bytes would have to be the same memory, which they are not: the second is refused.

use std::ops::RangeInclusive;

use rustix::io::Errno;

use super::Process;
use super::opened::Opened;
use super::space::Part;
use crate::executor::hosted::engine::{Engine, PAGE};
use crate::executor::{AccessError, Guest as _};

/// Pages that are compared at a time.
const PIECE: u64 = 16 * PAGE;

impl<E: Engine + 'static> Process<E> {
    /// Whether bytes of a file can be mapped to be shared, and written if `writes`: not where somebody else's writing would have to be
    /// seen.
    pub(super) fn can_share(&self, file: &Opened, offset: u64, size: u64, writes: bool) -> bool {
        let regions = self.machine.engine.regions();
        let is_written = |part: &Part| regions.at(*part.range.start()).is_some_and(|(_, access)| access.write);
        let mut others = self.shared_parts().filter(|part| {
            part.file.is_same(file) && part.offset < offset.saturating_add(size) && offset < part.offset + part.size()
        });
        !others.any(|part| writes || is_written(part))
    }

    /// Whether a range of memory can be written: what is of a file only if it can be changed, and is mapped nowhere else.
    pub(super) fn can_write(&self, range: &RangeInclusive<u64>) -> bool {
        self.files_in(range).iter().filter(|part| part.shared).all(|part| {
            let elsewhere = |other: &&Part| {
                other.file.is_same(&part.file)
                    && (other.range.end() < part.range.start() || part.range.end() < other.range.start())
                    && other.offset < part.offset + part.size()
                    && part.offset < other.offset + other.size()
            };
            part.file.is_changeable() && self.shared_parts().find(elsewhere).is_none()
        })
    }

    /// Puts into a file what was written to its pages, before somebody looks at it.
    pub(super) fn settle_file(&mut self, file: &Opened) -> Result<(), AccessError> {
        let parts: Vec<Part> = self.shared_parts().filter(|part| part.file.is_same(file)).cloned().collect();
        parts.iter().try_for_each(|part| self.write_back(part).map(drop))
    }

    /// The same for all files in a range of memory. Whether the host took all of it.
    pub(super) fn settle(&mut self, range: &RangeInclusive<u64>) -> Result<Result<(), Errno>, AccessError> {
        let mut result = Ok(());
        for part in self.files_in(range).iter().filter(|part| part.shared) {
            result = result.and(self.write_back(part)?);
        }
        Ok(result)
    }

    /// The process is over: its files are what it made of them, whatever is left of its budget.
    pub(super) fn settle_all(&mut self) {
        let parts: Vec<Part> = self.shared_parts().cloned().collect();
        for part in parts {
            // Nobody is there any more to be told of what the host does not take.
            let _ = self.write_pages(&part);
        }
    }

    /// Puts into the pages of a file what somebody else has changed in it.
    pub(super) fn refresh(&mut self, file: &Opened) -> Result<(), AccessError> {
        let parts: Vec<Part> = self.shared_parts().filter(|part| part.file.is_same(file)).cloned().collect();
        for part in parts {
            self.machine.spend(2 * part.size())?;
            let mut at = 0;
            while at < part.size() {
                let size = PIECE.min(part.size() - at);
                let mut bytes = part.file.read(size as usize, Some(part.offset + at)).unwrap_or_default();
                bytes.resize(size as usize, 0);
                // What cannot be accessed at all is written when it is mapped anew.
                let _ = self.machine.engine.write(part.range.start() + at, &bytes);
                at += size;
            }
        }
        Ok(())
    }

    fn shared_parts(&self) -> impl Iterator<Item = &Part> {
        self.all_files().filter(|part| part.shared)
    }

    fn write_back(&mut self, part: &Part) -> Result<Result<(), Errno>, AccessError> {
        if !part.file.is_changeable() {
            return Ok(Ok(()));
        }
        self.machine.spend(2 * part.size())?;
        Ok(self.write_pages(part))
    }

    /// Writes the pages of a part that are not as they are in the file, up to its end.
    fn write_pages(&mut self, part: &Part) -> Result<(), Errno> {
        if !part.file.is_changeable() {
            return Ok(());
        }
        let mut at = 0;
        while at < part.size() {
            let size = PIECE.min(part.size() - at);
            let there = part.file.read(size as usize, Some(part.offset + at))?;
            let mut here = vec![0; there.len()];
            if self.machine.engine.read(part.range.start() + at, &mut here).is_ok() {
                let pages = here.chunks(PAGE as usize).zip(there.chunks(PAGE as usize)).enumerate();
                for (number, (new, _)) in pages.filter(|(_, (new, old))| new != old) {
                    part.file.put(new, part.offset + at + number as u64 * PAGE)?;
                }
            }
            // Behind the end of a file nothing is kept.
            if (there.len() as u64) < size {
                break;
            }
            at += size;
        }
        Ok(())
    }
}
