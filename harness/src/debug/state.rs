//! Registers and memory of a program that has stopped, as unwinding tables speak of them.

use linker::Target;

/// Core registers by their numbers in DWARF, with the program counter as number [`PC_64`] where it has none (AADWARF64, AADWARF32:
/// DWARF register names).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registers([Option<u64>; 33]);

impl Default for Registers {
    fn default() -> Registers {
        Registers([None; 33])
    }
}

const PC_32: usize = 15;
const PC_64: usize = 32;

impl Registers {
    pub(super) fn get(&self, number: usize) -> Option<u64> {
        self.0.get(number).copied().flatten()
    }

    pub(super) fn set(&mut self, number: usize, value: Option<u64>) {
        if let Some(register) = self.0.get_mut(number) {
            *register = value;
        }
    }
}

/// What has the registers and the way back in which order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) pc: usize,
    pub(super) sp: usize,
    pub(super) link: usize,
}

impl Numbers {
    pub(super) fn of(target: &Target) -> Numbers {
        match target.register_bits {
            64 => Numbers { pc: PC_64, sp: 31, link: 30 },
            _ => Numbers { pc: PC_32, sp: 13, link: 14 },
        }
    }
}

/// Reads what a program has in memory.
pub(super) struct Memory<'a> {
    pub(super) read: &'a mut dyn FnMut(u64, &mut [u8]) -> bool,
    pub(super) target: &'static Target,
}

impl Memory<'_> {
    /// A number of so many bytes.
    pub(super) fn read(&mut self, address: u64, bytes: usize) -> Option<u64> {
        let mut buffer = [0; 8];
        let buffer = buffer.get_mut(..bytes)?;
        (self.read)(address, buffer).then(|| self.target.number(buffer))
    }

    /// All bytes of a range that is no larger than this.
    pub(super) fn bytes(&mut self, range: &std::ops::Range<u64>, most: u64) -> Option<Vec<u8>> {
        let size = range.end.checked_sub(range.start).filter(|&size| size <= most)?;
        let mut bytes = vec![0; usize::try_from(size).ok()?];
        (self.read)(range.start, &mut bytes).then_some(bytes)
    }
}
