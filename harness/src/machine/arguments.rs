//! Places of arguments: the allocation rules of AAPCS32 (base and VFP) and AAPCS64, for scalars.
//!
//! The same walk serves both directions: a call places its arguments with it, and a host function finds its own.

use super::{Abi, Guest, Register, TargetInfo};

/// The place of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// One register.
    One(Register),
    /// Two consecutive 32-bit core registers, the first of which is this; the order of the halves is that of memory.
    Pair(u8),
    /// This many bytes above the stack pointer at entry.
    Stack(u64),
}

/// The argument list so far.
#[derive(Clone, Debug)]
pub struct Slots {
    abi: Abi,
    /// NCRN or NGRN: the next core register.
    core: u8,
    /// The next vector register on AArch64; on ARM a bit for each of s0 to s15 that is taken.
    float: u32,
    /// NSAA: the next stacked argument, from the stack pointer.
    stack: u64,
}

/// The core registers for arguments: r0 to r3.
const CORE_32: u8 = 4;
/// x0 to x7, and v0 to v7.
const CORE_64: u8 = 8;
/// All of s0 to s15.
const VFP_FULL: u32 = 0xffff;

impl Slots {
    /// An empty argument list. A variadic function's is never that of the VFP variant.
    pub fn new(abi: Abi) -> Slots {
        Slots { abi, core: 0, float: 0, stack: 0 }
    }

    /// Bytes of stacked arguments so far.
    pub fn stacked(&self) -> u64 {
        self.stack
    }

    /// An integer or pointer of 32 bits, or a pointer of either width.
    pub fn word(&mut self) -> Slot {
        let (count, size) = match self.abi {
            Abi::Aapcs64 => (CORE_64, 8),
            _ => (CORE_32, 4),
        };
        if self.core < count {
            self.core += 1;
            return Slot::One(Register::Core(self.core - 1));
        }
        self.push(size)
    }

    /// A 64-bit integer: on ARM in an even and the next odd register, or on the stack at a multiple of 8.
    pub fn long(&mut self) -> Slot {
        if self.abi == Abi::Aapcs64 {
            return self.word();
        }
        self.core = self.core.next_multiple_of(2);
        if self.core + 2 <= CORE_32 {
            self.core += 2;
            return Slot::Pair(self.core - 2);
        }
        // Once something is on the stack, no later argument goes into a core register.
        self.core = CORE_32;
        self.push(8)
    }

    /// A `float`.
    pub fn float(&mut self) -> Slot {
        match self.abi {
            Abi::AapcsBase => self.word(),
            Abi::AapcsVfp => {
                // The lowest free one: back-filling the hole that an aligned double left.
                let n = self.float.trailing_ones();
                if n < 16 {
                    self.float |= 1 << n;
                    return Slot::One(Register::Single(n as u8));
                }
                self.push(4)
            }
            Abi::Aapcs64 => self.vector(Register::Single, 8),
        }
    }

    /// A `double`.
    pub fn double(&mut self) -> Slot {
        match self.abi {
            Abi::AapcsBase => self.long(),
            Abi::AapcsVfp => {
                if let Some(n) = (0..8).find(|n| self.float & (3 << (2 * n)) == 0) {
                    self.float |= 3 << (2 * n);
                    return Slot::One(Register::Double(n));
                }
                // One on the stack means none in registers any more.
                self.float = VFP_FULL;
                self.push(8)
            }
            Abi::Aapcs64 => self.vector(Register::Double, 8),
        }
    }

    /// A `long double`: 128 bits on AArch64, a `double` on ARM.
    pub fn long_double(&mut self) -> Slot {
        match self.abi {
            Abi::Aapcs64 => self.vector(Register::Vector, 16),
            _ => self.double(),
        }
    }

    fn vector(&mut self, view: fn(u8) -> Register, size: u64) -> Slot {
        if self.float < u32::from(CORE_64) {
            self.float += 1;
            return Slot::One(view(self.float as u8 - 1));
        }
        self.push(size)
    }

    fn push(&mut self, size: u64) -> Slot {
        self.stack = self.stack.next_multiple_of(size);
        self.stack += size;
        Slot::Stack(self.stack - size)
    }
}

/// 64 bits from one or two core registers.
pub(crate) fn long(guest: &(impl Guest + ?Sized), first: u8, info: &TargetInfo) -> u64 {
    if info.is_64() {
        return guest.get(Register::Core(first)) as u64;
    }
    let [low, high] = halves(info, first).map(|register| guest.get(register) as u64);
    low | high << 32
}

/// The registers of the lower and the upper half of 64 bits that start at register `first`: in the order they would have
/// in memory (AAPCS32, Parameter Passing).
pub(crate) fn halves(info: &TargetInfo, first: u8) -> [Register; 2] {
    let (low, high) = if info.target.big_endian { (first + 1, first) } else { (first, first + 1) };
    [Register::Core(low), Register::Core(high)]
}
