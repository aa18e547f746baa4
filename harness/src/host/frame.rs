//! A call as a host function sees it: its arguments in order, its result, and the guest's memory.
//!
//! Every length is the guest's, so memory is worked on in pieces, and each piece is taken from the host work of the run.

use std::cmp::Ordering;

use super::output::Stream;
use super::{Flow, State};
use crate::machine::arguments::{Slot, Slots, halves, long};
use crate::machine::{Abi, AccessError, Exit, Guest, Limit, Register};
use linker::Target;

/// How much of the guest's memory is looked at before more of it is: a string is usually short, and ends where memory does.
const CHUNK: u64 = 64;
/// How much is copied, compared or filled at a time.
const PIECE: u64 = 1 << 16;
/// The longest block that is handed out in one piece.
const LONGEST: u64 = 1 << 24;

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
pub(super) type Outcome = Result<Flow, AccessError>;

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

    /// The target's row.
    pub fn target(&self) -> &'static Target {
        self.guest.info().target
    }

    /// Bits of a pointer, and of `long`.
    pub(super) fn pointer_bits(&self) -> u32 {
        self.target().pointer_bits
    }

    /// A pointer cut to its width.
    pub(super) fn pointer(&self, value: u64) -> u64 {
        self.target().wrap(value)
    }

    /// Takes host work from what the run may use up: so many bytes looked at, or what is as much work.
    pub fn spend(&mut self, bytes: u64) -> Result<(), AccessError> {
        self.guest.spend(bytes)
    }

    fn fetch(&mut self, slot: Slot, size: usize) -> Result<u64, AccessError> {
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

    /// How far arguments were taken.
    pub(super) fn slots(&self) -> Slots {
        self.slots.clone()
    }

    /// Goes back to where they were taken so far.
    pub(super) fn rewind(&mut self, slots: &Slots) {
        self.slots = slots.clone();
    }

    /// The next argument: a pointer, `size_t`, `long`.
    pub fn word(&mut self) -> Result<u64, AccessError> {
        let slot = self.slots.word();
        let value = self.fetch(slot, if self.is_64() { 8 } else { 4 })?;
        Ok(self.guest.info().target.wrap(value))
    }

    /// The next argument: `int`.
    pub fn int(&mut self) -> Result<i32, AccessError> {
        self.word().map(|word| word as i32)
    }

    /// The next argument: `long long`.
    pub fn long(&mut self) -> Result<u64, AccessError> {
        let slot = self.slots.long();
        self.fetch(slot, 8)
    }

    /// The next argument: `float`, which a variadic function never gets.
    pub fn float(&mut self) -> Result<f32, AccessError> {
        let slot = self.slots.float();
        self.fetch(slot, 4).map(|bits| f32::from_bits(bits as u32))
    }

    /// The next argument: `double`.
    pub fn double(&mut self) -> Result<f64, AccessError> {
        let slot = self.slots.double();
        self.fetch(slot, 8).map(f64::from_bits)
    }

    /// The next argument: `long double`, as its bits: those of a `double` on 32-bit ARM.
    pub(super) fn long_double(&mut self) -> Result<u128, AccessError> {
        match self.slots.long_double() {
            Slot::One(register @ Register::Vector(_)) => Ok(self.guest.get(register)),
            Slot::Stack(offset) if self.is_64() => {
                let mut bytes = [0; 16];
                self.guest.read(self.stack.wrapping_add(offset), &mut bytes)?;
                let target = self.target();
                let (first, second) = (target.number(&bytes[..8]), target.number(&bytes[8..]));
                let (low, high) = if target.big_endian { (second, first) } else { (first, second) };
                Ok(u128::from(high) << 64 | u128::from(low))
            }
            slot => Ok(self.fetch(slot, 8)?.into()),
        }
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
            self.print(Stream::Error, message.as_bytes())?;
            self.print(Stream::Error, b"\n")?;
        }
        Ok(Flow::Exit(Exit::Abort(message)))
    }

    /// Sets the guest's `errno`.
    pub(super) fn set_errno(&mut self, number: u32) -> Result<(), AccessError> {
        let (address, bytes) = (self.state.errno, self.target().bytes(number.into(), 4));
        self.store(address, &bytes)
    }

    /// Memory for the guest: whole pages, zero, at an address of the machine's choice. None when there is no room.
    pub(super) fn allocate(&mut self, size: u64, alignment: u64) -> u64 {
        let Frame { guest, state, .. } = self;
        state.heap.allocate(size, alignment, &mut |size| guest.more(size))
    }

    /// Fills a buffer from guest memory.
    pub fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), AccessError> {
        self.guest.read(address, into)
    }

    /// Reads guest memory. More than 16 MiB at a time is more than a run may have of the host's.
    pub fn bytes(&mut self, address: u64, length: u64) -> Result<Vec<u8>, AccessError> {
        // In pieces: a wild length faults at the first missing page, not after an allocation of that size.
        let mut bytes = Vec::new();
        self.pieces(address, length, |_, piece| {
            if bytes.len() + piece.len() > LONGEST as usize {
                return Err(AccessError::Exhausted(Limit::Memory));
            }
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Looks at guest memory, piece by piece.
    fn pieces(
        &mut self,
        address: u64,
        length: u64,
        mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), AccessError>,
    ) -> Result<(), AccessError> {
        let mut buffer = vec![0; length.min(PIECE) as usize];
        let mut done = 0;
        while done < length {
            let piece = &mut buffer[..(length - done).min(PIECE) as usize];
            self.guest.read(address.wrapping_add(done), piece)?;
            each(self, piece)?;
            done += piece.len() as u64;
        }
        Ok(())
    }

    /// Writes guest memory.
    pub fn store(&mut self, address: u64, bytes: &[u8]) -> Result<(), AccessError> {
        self.guest.write(address, bytes)
    }

    /// Writes one byte many times.
    pub fn fill(&mut self, address: u64, byte: u8, length: u64) -> Result<(), AccessError> {
        let block = vec![byte; length.min(PIECE) as usize];
        let mut done = 0;
        while done < length {
            let piece = (length - done).min(PIECE);
            self.guest.write(address.wrapping_add(done), &block[..piece as usize])?;
            done += piece;
        }
        Ok(())
    }

    /// Copies guest memory, which may overlap.
    pub fn copy(&mut self, to: u64, from: u64, length: u64) -> Result<(), AccessError> {
        let mut buffer = vec![0; length.min(PIECE) as usize];
        // Towards higher addresses what comes last has to move first.
        let backwards = (1..length).contains(&to.wrapping_sub(from));
        let mut done = 0;
        while done < length {
            let piece = (length - done).min(PIECE);
            let at = if backwards { length - done - piece } else { done };
            let buffer = &mut buffer[..piece as usize];
            self.guest.read(from.wrapping_add(at), buffer)?;
            self.guest.write(to.wrapping_add(at), buffer)?;
            done += piece;
        }
        Ok(())
    }

    /// Compares guest memory. With `strings`, a NUL in both ends it.
    pub fn compare(&mut self, a: u64, b: u64, length: u64, strings: bool) -> Result<Ordering, AccessError> {
        let (mut one, mut other) = ([0; 4096], [0; 4096]);
        let mut done = 0;
        while done < length {
            let (a, b) = (a.wrapping_add(done), b.wrapping_add(done));
            // A string may end where memory does: neither is looked at beyond an aligned piece.
            let most = if strings { reach(done, a).min(reach(done, b)) } else { one.len() as u64 };
            let piece = (length - done).min(most);
            let (one, other) = (&mut one[..piece as usize], &mut other[..piece as usize]);
            self.guest.read(a, one)?;
            self.guest.read(b, other)?;
            let end = one.iter().zip(&*other).position(|(a, b)| a != b || strings && *a == 0);
            if let Some(end) = end {
                return Ok(one[end].cmp(&other[end]));
            }
            done += piece;
        }
        Ok(Ordering::Equal)
    }

    /// How long a string is without its NUL, where no more than `limit` bytes are looked at.
    pub fn string_length(&mut self, address: u64, limit: u64) -> Result<u64, AccessError> {
        let mut bytes = [0; 4096];
        let mut done = 0;
        while done < limit {
            let at = address.wrapping_add(done);
            let piece = &mut bytes[..reach(done, at).min(limit - done) as usize];
            self.guest.read(at, piece)?;
            if let Some(end) = piece.iter().position(|&byte| byte == 0) {
                return Ok(done + end as u64);
            }
            done += piece.len() as u64;
        }
        Ok(limit)
    }

    /// A string without its NUL, of at most `limit` bytes. More than 16 MiB is more than a run may have of the host's memory.
    pub fn string(&mut self, address: u64, limit: u64) -> Result<Vec<u8>, AccessError> {
        let length = self.string_length(address, limit)?;
        self.bytes(address, length)
    }

    /// Prints.
    pub fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), AccessError> {
        self.spend(bytes.len() as u64)?;
        self.state.output.print(stream, bytes)
    }

    /// Prints one byte many times.
    pub fn print_repeated(&mut self, stream: Stream, byte: u8, count: u64) -> Result<(), AccessError> {
        let block = vec![byte; count.min(PIECE) as usize];
        let mut left = count;
        while left > 0 {
            let piece = left.min(PIECE);
            self.print(stream, &block[..piece as usize])?;
            left -= piece;
        }
        Ok(())
    }

    /// Prints guest memory.
    pub fn print_from(&mut self, stream: Stream, address: u64, length: u64) -> Result<(), AccessError> {
        self.pieces(address, length, |frame, piece| frame.print(stream, piece))
    }
}

/// How far a string is looked at from here, when so many bytes of it were: to the end of an aligned piece, behind which there
/// may be nothing. The longer it is, the larger the pieces.
fn reach(done: u64, address: u64) -> u64 {
    let size = if done < 1024 { CHUNK } else { 4096 };
    size - address % size
}
