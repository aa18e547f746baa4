//! Call-frame information, record by record, so that what describes a dropped function goes with it
//! (Linux Standard Base, Exception Frames; DWARF, Call Frame Information).

use object::read::elf::FileHeader;

use super::{Reader, malformed};
use crate::error::{Result, Site};
use crate::field::Unit;
use crate::graph::Content;
use crate::index::SectionId;

impl<'data, Elf: FileHeader> Reader<'_, 'data, Elf> {
    /// Makes a block of each record. A record that describes a function gets its common record as parent.
    pub(super) fn split_frames(&mut self, section: SectionId, bytes: &'data [u8], alignment: u64) -> Result<()> {
        let big_endian = self.graph.target.big_endian;
        let word = |bytes: &[u8], at: usize| Unit::Data32.read(bytes.get(at..)?, big_endian);
        let mut at = 0;
        while at < bytes.len() {
            let wrong = |problem: &str| {
                let site = Site { offset: Some(at as u64), ..Site::section(self.graph, section) };
                malformed(site, format!("call-frame record: {problem}"))
            };
            let length = word(bytes, at).ok_or_else(|| wrong("its length is cut short"))? as usize;
            if length == 0xffff_ffff {
                return Err(wrong("64-bit lengths are not supported"));
            }
            // A terminator: made anew behind the last record of the link.
            if length == 0 {
                at += 4;
                continue;
            }
            let record = at
                .checked_add(4 + length)
                .and_then(|end| bytes.get(at..end))
                .ok_or_else(|| wrong("it is longer than its section"))?;
            let back = word(record, 4).ok_or_else(|| wrong("it is too short for its CIE pointer"))?;
            let parent = match back {
                0 => None,
                back => {
                    let origin = (at as u64 + 4).checked_sub(back);
                    let parent = origin
                        .and_then(|origin| self.block_at(section, origin))
                        .filter(|&(block, inside)| inside == 0 && self.graph.blocks[block].parent.is_none());
                    Some(parent.ok_or_else(|| wrong("its CIE pointer does not lead to a CIE"))?.0)
                }
            };
            // Between the records of two objects nothing may be left out: a zero word there would end them all.
            let alignment = alignment.min(4);
            let block = self.add_block(section, Content::Borrowed(record), alignment, at as u64);
            self.graph.blocks[block].parent = parent;
            at += record.len();
        }
        // Nothing but a terminator: symbols at it still need a place.
        if self.graph.sections[section].blocks.is_empty() {
            self.add_block(section, Content::Borrowed(&[]), alignment, 0);
        }
        Ok(())
    }
}
