//! Sections that are compressed in the file (ELF specification, Section Compression): debug information, by `-gz`.
//!
//! They are unpacked here and not by whoever calls the linker: relocations are for the unpacked bytes, and only this module
//! knows which sections of an object are wanted.

use object::elf;
use object::read::elf::{CompressionHeader, FileHeader, SectionHeader};

use super::{Reader, malformed};
use crate::compressed::{inflate, zstd};
use crate::error::{Error, Result};

impl<Elf: FileHeader> Reader<'_, '_, Elf> {
    /// The content of a compressed section, at most `limit` bytes, and its alignment.
    pub(super) fn unpack(&self, index: usize, header: &Elf::SectionHeader, limit: u64) -> Result<(Vec<u8>, u64)> {
        let wrong = |problem: String| malformed(self.section_site(index), problem);
        let (how, offset, packed) = header
            .compression(self.endian, self.data)
            .map_err(|error| wrong(format!("compressed section: {error}")))?
            .ok_or_else(|| wrong("the section has no compression header".to_owned()))?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(packed).unwrap_or(usize::MAX));
        let packed =
            self.data.get(start..end).ok_or_else(|| wrong("the compressed content reaches beyond the file".into()))?;
        let size: u64 = how.ch_size(self.endian).into();
        if size > limit {
            let (site, what) = (Box::new(self.section_site(index)), format!("the unpacked size of {size:#x} bytes"));
            return Err(Error::Limit { site, what, limit });
        }
        let alignment: u64 = how.ch_addralign(self.endian).into();
        let size = size as usize;
        let unpacked = match how.ch_type(self.endian) {
            elf::ELFCOMPRESS_ZLIB => inflate(packed, size),
            elf::ELFCOMPRESS_ZSTD => zstd(packed, size),
            kind => {
                return Err(wrong(format!(
                    "ch_type is {}, expected ELFCOMPRESS_ZLIB (1) or ELFCOMPRESS_ZSTD (2)",
                    kind.0
                )));
            }
        };
        let unpacked =
            unpacked.ok_or_else(|| wrong(format!("the compressed content is not {size:#x} bytes unpacked")))?;
        Ok((unpacked, alignment))
    }
}
