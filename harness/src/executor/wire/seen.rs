//! Remembers what was read of the guest's memory since it ran last. Host functions read strings piece by piece, and checks
//! read results one by one; each would be a message of its own. What was read before a run is likely to be read after it,
//! too, and comes with the run's answer.

/// Bytes in a block; each begins at a multiple of it.
pub(crate) const BLOCK: u64 = 256;
/// How many blocks come with an answer: those that were read last.
const AGAIN: usize = 4;

/// How many are remembered: more than host functions look at between two runs.
const MOST: usize = 1024;

/// Copies of blocks, by their addresses, in the order in which they were read.
#[derive(Debug, Default)]
pub(crate) struct Seen(Vec<(u64, [u8; BLOCK as usize])>);

impl Seen {
    /// The block that begins here, if it was read.
    pub(crate) fn block(&self, start: u64) -> Option<&[u8]> {
        self.0.iter().rev().find(|(known, _)| *known == start).map(|(_, bytes)| &bytes[..])
    }

    pub(crate) fn insert(&mut self, start: u64, bytes: [u8; BLOCK as usize]) {
        if self.0.len() == MOST {
            self.0.clear();
        }
        self.0.push((start, bytes));
    }

    /// What is written is seen so from here on.
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) {
        for (start, block) in &mut self.0 {
            // Of the block and of the bytes, what is in both: where it is in each.
            let (ahead, skipped) = (address.saturating_sub(*start), start.saturating_sub(address));
            let (Some(into), Some(from)) = (block.get_mut(ahead as usize..), bytes.get(skipped as usize..)) else {
                continue;
            };
            let size = into.len().min(from.len());
            into[..size].copy_from_slice(&from[..size]);
        }
    }

    /// Nothing is known any more.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Nothing is known any more; these blocks are likely to be wanted again.
    pub(crate) fn take(&mut self) -> Vec<u64> {
        let recent = self.0.iter().rev().take(AGAIN).map(|(start, _)| *start).collect();
        self.0.clear();
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_seen_where_it_overlaps() {
        let mut seen = Seen::default();
        seen.insert(0x1000, [1; 256]);
        seen.insert(0xffff_ffff_ffff_ff00, [2; 256]);
        seen.write(0xffe, &[7; 4]);
        seen.write(0x10fe, &[8; 4]);
        seen.write(0x1080, &[9]);
        seen.write(0x2000, &[3; 300]);
        seen.write(0xffff_ffff_ffff_ffff, &[4]);
        let block = seen.block(0x1000).expect("known");
        assert_eq!(block[..3], [7, 7, 1]);
        assert_eq!(block[0x7f..0x82], [1, 9, 1,][..]);
        assert_eq!(block[253..], [1, 8, 8]);
        assert_eq!(seen.block(0xffff_ffff_ffff_ff00).expect("known")[254..], [2, 4]);
        assert_eq!(seen.block(0x1100), None);
        assert_eq!(seen.take(), [0xffff_ffff_ffff_ff00, 0x1000]);
        assert_eq!(seen.block(0x1000), None);
    }
}
