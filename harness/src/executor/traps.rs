//! What an attended run stops for besides what stops every run, and what it notes.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::machine::Ended;

/// Bytes that a watchpoint may have: more than that is no variable, and costs each access of the guest too much.
pub const WIDEST: u64 = 4096;

/// What a run stops for, and whether it notes what it executes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traps {
    /// Addresses of instructions, without the Thumb bit: it stops before them, unless it begins there.
    pub breakpoints: BTreeSet<u64>,
    /// Bytes whose accesses stop it before the instruction that makes them.
    pub watchpoints: Vec<Watchpoint>,
    /// Whether each instruction is noted.
    pub notes: Notes,
}

/// Bytes that are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watchpoint {
    /// The bytes, [`WIDEST`] at most.
    pub bytes: RangeInclusive<u64>,
    /// Which accesses count.
    pub access: Watched,
}

/// Accesses that a watchpoint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Those that read.
    Reads,
    /// Those that write.
    Writes,
    /// All.
    Both,
}

/// What is noted of each instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notes {
    /// Nothing.
    #[default]
    Off,
    /// Where it is, and its bytes.
    Code,
    /// The same, and a digest of the registers before it.
    Registers,
}

/// An instruction that was about to be executed. In an IT block that includes those whose condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its address, without the Thumb bit.
    pub pc: u64,
    /// Its bytes in the order of memory; of a short one the first two.
    pub code: [u8; 4],
    /// How many of them there are.
    pub length: u8,
    /// Whether it is Thumb code.
    pub thumb: bool,
    /// A digest of the registers before it, with [`Notes::Registers`]; else 0.
    pub registers: u64,
}

/// Bytes of a note in a message.
pub const NOTE: usize = 24;

impl Note {
    /// As it is in a message.
    pub(crate) fn bytes(&self) -> [u8; NOTE] {
        let mut bytes = [0; NOTE];
        bytes[..8].copy_from_slice(&self.pc.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.code);
        bytes[12] = self.length;
        bytes[13] = self.thumb.into();
        bytes[16..].copy_from_slice(&self.registers.to_le_bytes());
        bytes
    }

    /// The same in the other direction.
    pub(crate) fn read(bytes: &[u8; NOTE]) -> Note {
        let long = |at: usize| bytes[at..at + 8].iter().rev().fold(0, |long, &byte| long << 8 | u64::from(byte));
        let code = [bytes[8], bytes[9], bytes[10], bytes[11]];
        Note { pc: long(0), code, length: bytes[12].min(4), thumb: bytes[13] != 0, registers: long(16) }
    }
}

/// What an attended run stopped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A breakpoint: the program counter is there.
    Breakpoint,
    /// The instruction at the program counter is about to access a watched byte, at this address.
    Access {
        /// Whether it writes.
        writes: bool,
        /// The first watched byte that it accesses.
        address: u64,
    },
    /// There is no room for more notes.
    Full,
}

/// How an attended run came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As any run does.
    Ended(Ended),
    /// By one of its traps.
    Sight(Sight),
}
