//! A call as a host function sees it: its arguments in order, its result, and the guest's memory.

use super::{Flow, State};
use crate::machine::arguments::{Slot, Slots, halves, long};
use crate::machine::{Abi, Exit, Guest, Inaccessible, Register};

/// The longest string or block that is taken from the guest at a time: more is a bad pointer or a wrong length, and ends at
/// the first page that is not there anyway.
const CHUNK: u64 = 64;

/// One call of a host function.
pub struct Frame<'a> {
    guest: &'a mut dyn Guest,
    state: &'a mut State,
    slots: Slots,
    /// The convention of this function, which is not always the program's.
    abi: Abi,
    /// The stack pointer at entry.
    stack: u64,
}

/// What every function returns in the end.
pub(super) type Outcome = Result<Flow, Inaccessible>;

impl<'a> Frame<'a> {
    pub(super) fn new(guest: &'a mut dyn Guest, state: &'a mut State) -> Frame<'a> {
        let abi = guest.info().abi;
        let stack = guest.get(Register::Sp) as u64;
        Frame { guest, state, slots: Slots::new(abi), abi, stack }
    }

    /// Takes arguments and result by the base standard, as variadic functions and run-time helpers do whatever the rest
    /// of the program does. To be called before the first argument.
    pub fn base(&mut self) -> &mut Self {
        if self.abi == Abi::AapcsVfp {
            self.abi = Abi::AapcsBase;
            self.slots = Slots::new(self.abi);
        }
        self
    }

    /// The machine.
    pub fn guest(&mut self) -> &mut dyn Guest {
        self.guest
    }

    /// What the host functions of this machine share.
    pub fn state(&mut self) -> &mut State {
        self.state
    }

    /// Whether pointers have 64 bits.
    pub fn is_64(&self) -> bool {
        self.guest.info().is_64()
    }

    fn fetch(&mut self, slot: Slot, size: usize) -> Result<u64, Inaccessible> {
        match slot {
            Slot::One(register) => Ok(self.guest.get(register) as u64),
            Slot::Pair(first) => {
                let info = self.guest.info().clone();
                Ok(long(self.guest, first, &info))
            }
            Slot::Stack(offset) => {
                // What is smaller than a slot is in its lower bits.
                let mut bytes = [0; 8];
                let bytes = &mut bytes[..if self.is_64() { 8 } else { size }];
                self.guest.read(self.stack.wrapping_add(offset), bytes)?;
                Ok(self.guest.info().target.number(bytes))
            }
        }
    }

    /// The next argument: a pointer, `size_t`, `long`.
    pub fn word(&mut self) -> Result<u64, Inaccessible> {
        let slot = self.slots.word();
        let value = self.fetch(slot, if self.is_64() { 8 } else { 4 })?;
        Ok(self.guest.info().target.wrap(value))
    }

    /// The next argument: `int`.
    pub fn int(&mut self) -> Result<i32, Inaccessible> {
        self.word().map(|word| word as i32)
    }

    /// The next argument: `long long`.
    pub fn long(&mut self) -> Result<u64, Inaccessible> {
        let slot = self.slots.long();
        self.fetch(slot, 8)
    }

    /// The next argument: `float`, which a variadic function never gets.
    pub fn float(&mut self) -> Result<f32, Inaccessible> {
        let slot = self.slots.float();
        self.fetch(slot, 4).map(|bits| f32::from_bits(bits as u32))
    }

    /// The next argument: `double`.
    pub fn double(&mut self) -> Result<f64, Inaccessible> {
        let slot = self.slots.double();
        self.fetch(slot, 8).map(f64::from_bits)
    }

    /// Returns nothing.
    pub fn done(&mut self) -> Outcome {
        Ok(Flow::Return)
    }

    /// Returns an `int`, a pointer, a `size_t`.
    pub fn give(&mut self, value: u64) -> Outcome {
        let value = self.guest.info().target.wrap(value);
        self.guest.set(Register::Core(0), u128::from(value));
        Ok(Flow::Return)
    }

    /// Returns an `int`.
    pub fn give_int(&mut self, value: i32) -> Outcome {
        self.give(u64::from(value as u32))
    }

    /// Returns a `long long`.
    pub fn give_long(&mut self, value: u64) -> Outcome {
        self.give_at(0, value);
        Ok(Flow::Return)
    }

    /// Puts 64 bits into the core registers from this one.
    pub fn give_at(&mut self, first: u8, value: u64) {
        if self.is_64() {
            self.guest.set(Register::Core(first), u128::from(value));
        } else {
            let [low, high] = halves(self.guest.info(), first);
            self.guest.set(low, u128::from(value & 0xffff_ffff));
            self.guest.set(high, u128::from(value >> 32));
        }
    }

    /// Returns a `float`.
    pub fn give_float(&mut self, value: f32) -> Outcome {
        match self.abi {
            Abi::AapcsBase => self.give(u64::from(value.to_bits())),
            _ => {
                self.guest.set(Register::Single(0), u128::from(value.to_bits()));
                Ok(Flow::Return)
            }
        }
    }

    /// Returns a `double`.
    pub fn give_double(&mut self, value: f64) -> Outcome {
        match self.abi {
            Abi::AapcsBase => self.give_long(value.to_bits()),
            _ => {
                self.guest.set(Register::Double(0), u128::from(value.to_bits()));
                Ok(Flow::Return)
            }
        }
    }

    /// Ends the program with a message, which is also printed.
    pub fn abort(&mut self, message: String) -> Outcome {
        if !message.is_empty() {
            self.state.print(message.as_bytes());
            self.state.print(b"\n");
        }
        Ok(Flow::Exit(Exit::Abort(message)))
    }

    /// Reads guest memory.
    pub fn bytes(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        // In pieces: a wild length faults at the first missing page, not after an allocation of that size.
        let mut bytes = Vec::new();
        let mut at = 0;
        while at < length {
            let piece = (length - at).min(0x1_0000) as usize;
            bytes.resize(at as usize + piece, 0);
            self.guest.read(address.wrapping_add(at), &mut bytes[at as usize..])?;
            at += piece as u64;
        }
        Ok(bytes)
    }

    /// Writes guest memory.
    pub fn store(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.guest.write(address, bytes)
    }

    /// A string without its NUL, of at most `limit` bytes.
    pub fn string(&mut self, address: u64, limit: u64) -> Result<Vec<u8>, Inaccessible> {
        let mut string = Vec::new();
        while (string.len() as u64) < limit {
            let at = address.wrapping_add(string.len() as u64);
            // Not across the end of an aligned piece, behind which there may be nothing.
            let piece = (CHUNK - at % CHUNK).min(limit - string.len() as u64) as usize;
            let mut bytes = [0; CHUNK as usize];
            self.guest.read(at, &mut bytes[..piece])?;
            if let Some(end) = bytes[..piece].iter().position(|&byte| byte == 0) {
                string.extend_from_slice(&bytes[..end]);
                return Ok(string);
            }
            string.extend_from_slice(&bytes[..piece]);
        }
        Ok(string)
    }
}
