//! Random bytes that a seed decides: a run is to be had again.

use crate::dice::Dice;

/// What the system has for random numbers.
#[derive(Debug)]
pub(super) struct Random(Dice);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(Dice::new(seed))
    }

    /// So many bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| self.0.bits().to_le_bytes()).collect();
        bytes.truncate(count);
        bytes
    }
}
