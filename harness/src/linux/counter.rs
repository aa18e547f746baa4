//! A number that threads add to and wait for (eventfd(2)).

use std::cell::Cell;

use rustix::io::Errno;

use super::Moved;

/// The largest number that it holds.
const MOST: u64 = u64::MAX - 1;

#[derive(Debug)]
pub(super) struct Counter {
    value: Cell<u64>,
    /// Whether reading takes one, and not all.
    by_one: bool,
}

impl Counter {
    pub(super) fn new(value: u32, by_one: bool) -> Counter {
        Counter { value: Cell::new(value.into()), by_one }
    }

    /// Takes the number, which is eight bytes.
    pub(super) fn read(&self, most: usize) -> Result<Moved<Vec<u8>>, Errno> {
        let value = self.value.get();
        if most < 8 {
            return Err(Errno::INVAL);
        }
        if value == 0 {
            return Ok(Moved::Waits);
        }
        let taken = if self.by_one { 1 } else { value };
        self.value.set(value - taken);
        Ok(Moved::Done(taken.to_le_bytes().to_vec()))
    }

    /// Adds a number.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<Moved<usize>, Errno> {
        let number = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).filter(|number| *number <= MOST);
        let number = number.ok_or(Errno::INVAL)?;
        match self.value.get().checked_add(number).filter(|sum| *sum <= MOST) {
            Some(sum) => {
                self.value.set(sum);
                Ok(Moved::Done(8))
            }
            None => Ok(Moved::Waits),
        }
    }

    /// Whether it can be read, and whether something can be added.
    pub(super) fn is_ready(&self) -> (bool, bool) {
        (self.value.get() > 0, self.value.get() < MOST)
    }
}
