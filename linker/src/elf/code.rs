//! The byte order of code. On ARM, big-endian objects hold instructions in the order of their data, but a core that runs
//! them (BE8) wants them little-endian: linkers turn them, and mapping symbols tell which bytes they are
//! (AAELF32, Mapping symbols; ELF header flag EF_ARM_BE8).

use object::read::elf::FileHeader;

use super::Reader;
use crate::graph::{Bytes, Content};

impl<Elf: FileHeader> Reader<'_, '_, Elf> {
    /// Turns what the mapping symbols from `first` on call code, where the target's objects need that. Code without a
    /// mapping symbol stays as it is, as with other linkers.
    pub(super) fn turn_code(&mut self, first: usize) {
        if !self.graph.target.big_endian || !self.graph.arch.turns_code() {
            return;
        }
        let mapping = self.graph.mapping[first..].to_vec();
        for entries in mapping.chunk_by(|a, b| a.0 == b.0) {
            let block = entries[0].0;
            let executable = self.graph.sections[self.graph.blocks[block].section].protection.executable();
            let Content::Borrowed(bytes) = self.graph.blocks[block].content else { continue };
            if !executable {
                continue;
            }
            let mut turned = bytes.to_vec();
            let ends = entries[1..].iter().map(|next| next.1).chain([bytes.len() as u64]);
            for (&(_, start, kind), end) in entries.iter().zip(ends) {
                let unit = match kind {
                    Bytes::Code => 4,
                    Bytes::Thumb => 2,
                    Bytes::Data => continue,
                };
                let code = turned.get_mut(start as usize..end as usize).unwrap_or_default();
                code.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
            }
            self.graph.blocks[block].content = Content::Owned(turned);
        }
    }
}
