//! The segments of an executable as whole pages, which is what has protections.
//!
//! As with a system that maps files, a page that two segments share has what both have there, and the protection of the later
//! one; around them is what the file has there, where the page of the file and that of memory begin alike.

use std::ops::Range;

use linker::Target;
use linker::memory::{Lifetime, Place, Protection, Segment};

use super::headers::{Headers, Load};

/// Pages with one fate, and their content from the first byte on. Addresses are those that the executable says.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) content: Vec<u8>,
    pub(super) protection: Protection,
    pub(super) relro: bool,
}

/// All pages of an executable, by address.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) runs: Vec<Run>,
    /// The widest alignment of a segment.
    alignment: u64,
    page: u64,
}

impl Pages {
    /// Makes them of the segments. `relro`: whether what is constant behind relocations is to be so.
    pub(super) fn new(headers: &Headers<'_>, data: &[u8], page: u64, relro: bool) -> Pages {
        let loads = &headers.loads;
        let mut pages = Pages { runs: Vec::new(), alignment: page, page };
        // As the C library does: pages that are only in part constant stay writable.
        let constant = headers.relro.filter(|_| relro).map_or(0..0, |(address, size)| {
            let start = address & !(page - 1);
            start..(address.saturating_add(size) & !(page - 1)).max(start)
        });
        for (number, load) in loads.iter().enumerate() {
            pages.alignment = pages.alignment.max(load.alignment);
            let start = load.address & !(page - 1);
            let last = (load.address + (load.size - 1)) | (page - 1);
            // The page that the next segment begins in is that one's.
            let end = loads.get(number + 1).map(|next| next.address & !(page - 1)).filter(|next| *next <= last);
            let size = end.map_or((last - start).saturating_add(1), |end| end.saturating_sub(start));
            if size == 0 {
                continue;
            }
            let cuts = [constant.start, constant.end].into_iter();
            let mut bounds = vec![start];
            bounds.extend(cuts.filter(|cut| load.protection.writable() && *cut > start && cut - start < size));
            bounds.dedup();
            for (part, &from) in bounds.iter().enumerate() {
                let to = bounds.get(part + 1).copied();
                let size = to.map_or(size - (from - start), |to| to - from);
                let relro = load.protection.writable() && constant.contains(&from);
                let content = content(&loads[..=number], data, from, size, page);
                pages.runs.push(Run { address: from, size, content, protection: load.protection, relro });
            }
        }
        pages
    }

    /// How far behind a multiple of its alignment an executable begins. That far it has to be behind one wherever it is.
    pub(super) fn lead(&self) -> u64 {
        self.runs.first().map_or(0, |run| run.address & (self.alignment - 1))
    }

    /// What to ask a memory for: the runs, and before them nothing, where they begin with a lead.
    pub(super) fn request(&self, movable: bool) -> Vec<Segment> {
        let start = self.runs.first().map_or(0, |run| run.address) - self.lead();
        let segment = |size: u64, content: usize, protection: Protection, relro: bool, place: Place| Segment {
            size,
            content,
            alignment: if place == Place::Anywhere { self.alignment } else { self.page },
            protection,
            relro,
            thread_local: None,
            lifetime: Lifetime::Standard,
            place,
        };
        let ahead = segment(0, 0, Protection::Read, false, Place::Anywhere);
        let run = |run: &Run| {
            let place = match movable {
                false => Place::At(run.address),
                true if run.address == start => Place::Anywhere,
                true => Place::Offset(run.address - start),
            };
            segment(run.size, run.content.len(), run.protection, run.relro, place)
        };
        let ahead = Some(ahead).filter(|_| movable && self.lead() > 0);
        ahead.into_iter().chain(self.runs.iter().map(run)).collect()
    }

    /// The widest alignment of a segment.
    pub(super) fn alignment(&self) -> u64 {
        self.alignment
    }

    /// The run that holds an address.
    pub(super) fn run(&self, address: u64) -> Option<&Run> {
        let behind = self.runs.partition_point(|run| run.address <= address);
        self.runs[..behind].last().filter(|run| address - run.address < run.size)
    }

    fn slot(&mut self, address: u64, width: usize) -> Option<&mut [u8]> {
        let behind = self.runs.partition_point(|run| run.address <= address);
        let run = self.runs[..behind].last_mut()?;
        let at = usize::try_from(address - run.address).ok()?;
        run.content.get_mut(at..at.checked_add(width)?)
    }

    /// A word of the content.
    pub(super) fn word(&mut self, target: &Target, address: u64) -> Option<u64> {
        self.slot(address, target.pointer_bytes()).map(|bytes| target.number(bytes))
    }

    /// Writes a word of the content; false where there is none.
    pub(super) fn set(&mut self, target: &Target, address: u64, value: u64) -> bool {
        let bytes = target.bytes(value, target.pointer_bytes());
        self.slot(address, bytes.len()).map(|slot| slot.copy_from_slice(&bytes)).is_some()
    }
}

/// The content of so many bytes from an address on, up to the last that is not zero-fill. The last of these segments is theirs,
/// others end in their first page.
fn content(loads: &[Load<'_>], data: &[u8], start: u64, size: u64, page: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(own) = loads.last()
        && own.offset % page == own.address % page
    {
        let from = own.offset & !(page - 1);
        let head = data.get(from as usize..own.offset as usize).unwrap_or_default();
        put(&mut bytes, start..start + (size - 1), own.address & !(page - 1), head);
        if own.content.len() as u64 == own.size {
            let end = (own.offset as usize).saturating_add(own.content.len());
            let tail = data.get(end..end.next_multiple_of(page as usize).min(data.len())).unwrap_or_default();
            put(&mut bytes, start..start + (size - 1), own.address.wrapping_add(own.size), tail);
        }
    }
    let first_page = start | (page - 1);
    let near = loads.iter().rev().take_while(|load| load.address + (load.size - 1) >= start);
    let near: Vec<_> =
        near.filter(|load| load.address <= first_page || std::ptr::eq(*load, &loads[loads.len() - 1])).collect();
    for load in near.into_iter().rev() {
        put(&mut bytes, start..start + (size - 1), load.address, load.content);
    }
    bytes
}

/// Copies what of these bytes at an address is in the window (whose end is its last byte).
fn put(bytes: &mut Vec<u8>, window: Range<u64>, address: u64, from: &[u8]) {
    let last = address.saturating_add((from.len() as u64).wrapping_sub(1));
    let (start, end) = (window.start.max(address), window.end.min(last));
    if from.is_empty() || start > end {
        return;
    }
    let part = &from[(start - address) as usize..=(end - address) as usize];
    let at = (start - window.start) as usize;
    if bytes.len() < at + part.len() {
        bytes.resize(at + part.len(), 0);
    }
    bytes[at..at + part.len()].copy_from_slice(part);
}
