//! The guest's memory in the engine: pages behind its table, and what would end this process among the code in them.

use std::ops::RangeInclusive;

use unicorn_engine::uc_error;

use super::deadly;
use super::engine::Emulator;
use crate::executor::hosted::engine::{Access, PAGE};
use crate::executor::place::Ranges;

impl Emulator {
    /// The pages that are mapped.
    pub(super) fn regions(&self) -> &Ranges<Access> {
        &self.pages().regions
    }

    /// Maps pages, zero at first, or changes what may be done with the region that starts here.
    pub(super) fn protect(&mut self, pages: RangeInclusive<u64>, access: Access) {
        let regions = &mut self.hooks().pages.regions;
        let mut code = access.execute;
        match regions.get_mut(*pages.start()) {
            Some(old) => code |= std::mem::replace(old, access).execute,
            None => regions.insert(pages.clone(), access),
        }
        if access.execute {
            self.unread.push(pages);
        }
        self.stale_code |= code;
        self.stale_pages = true;
    }

    /// Parts the region that holds this address in two.
    pub(super) fn split(&mut self, at: u64) {
        self.hooks().pages.regions.split(at);
    }

    /// Unmaps the region that starts here.
    pub(super) fn unmap(&mut self, start: u64) -> Result<(), String> {
        let frames = self.hooks().pages.remove(start);
        for &frame in &frames {
            self.uc.mem_write(frame, &[0; PAGE as usize]).map_err(|error| error.to_string())?;
        }
        self.hooks().pages.recycle(frames);
        self.stale_pages = true;
        Ok(())
    }

    /// Writes mapped memory, whatever its protection. Returns the first address that is not mapped.
    pub(super) fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), u64> {
        let mut done = 0;
        while done < bytes.len() {
            let at = self.wrap(address.wrapping_add(done as u64));
            let pages = &mut self.hooks().pages;
            let Some((_, access)) = pages.regions.at(at) else { return Err(at) };
            let execute = access.execute;
            let Some(physical) = pages.frame(at) else { return Err(at) };
            let length = (PAGE - at % PAGE).min((bytes.len() - done) as u64) as usize;
            self.uc.mem_write(physical, &bytes[done..done + length]).map_err(|_| at)?;
            self.stale_code |= execute;
            if execute {
                self.unread.push((at & !3)..=((at + (length as u64 - 1)) | 3));
            }
            done += length;
        }
        Ok(())
    }

    /// Reads mapped memory, whatever its protection. Returns the first address that is not mapped.
    pub(super) fn read(&self, address: u64, into: &mut [u8]) -> Result<(), u64> {
        let mut done = 0;
        while done < into.len() {
            let at = self.wrap(address.wrapping_add(done as u64));
            let length = (PAGE - at % PAGE).min((into.len() - done) as u64) as usize;
            let part = &mut into[done..done + length];
            match self.pages().touched(at) {
                Some(physical) => self.uc.mem_read(physical, part).map_err(|_| at)?,
                None if self.pages().regions.at(at).is_some() => part.fill(0),
                None => return Err(at),
            }
            done += length;
        }
        Ok(())
    }

    /// Copies the code at an address, as far as it is in its page. Returns how much that is.
    pub(super) fn code(&self, address: u64, into: &mut [u8]) -> usize {
        let size = into.len().min((PAGE - address % PAGE) as usize);
        let physical = self.pages().touched(address);
        if physical.is_some_and(|at| self.uc.mem_read(at, &mut into[..size]).is_ok()) { size } else { 0 }
    }

    /// Looks through new code for what would end this process, and has blocks end before it: it may be data that is never run.
    pub(super) fn look_for_deadly(&mut self) -> Result<(), uc_error> {
        let unread = std::mem::take(&mut self.unread);
        if !self.cpu.is_64() || unread.is_empty() {
            return Ok(());
        }
        let before = self.deadly.len();
        let mut changed = false;
        let mut bytes = vec![0; PAGE as usize];
        for range in unread {
            let old: Vec<u64> = self.deadly.range(range.clone()).copied().collect();
            changed |= !old.is_empty();
            for address in &old {
                self.deadly.remove(address);
            }
            for (page, frame) in self.pages().touched_in(&range) {
                self.uc.mem_read(frame, &mut bytes)?;
                let first = (range.start().max(&page) & !3) - page;
                let last = range.end().min(&(page + (PAGE - 1))) - page;
                let words = bytes[first as usize..=last as usize].as_chunks::<4>().0;
                for (number, word) in words.iter().enumerate() {
                    if deadly::is_deadly(u32::from_le_bytes(*word)) {
                        self.deadly.insert(page + first + 4 * number as u64);
                    }
                }
            }
        }
        if changed || self.deadly.len() != before {
            let exits: Vec<u64> = self.deadly.iter().copied().collect();
            self.uc.ctl_set_exits(&exits)?;
        }
        Ok(())
    }

    /// An address wrapped to the width of addresses.
    fn wrap(&self, address: u64) -> u64 {
        if self.cpu.is_64() { address } else { address & 0xffff_ffff }
    }
}
