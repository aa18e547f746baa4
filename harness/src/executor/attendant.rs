//! Somebody who attends the runs of an engine: a debugger, or whoever writes down what is executed.
//!
//! An engine that has an attendant leaves each run to it. What the run's owner sees is the same as ever: host functions, system calls
//! and faults that the attendant lets through.

use std::ops::RangeInclusive;

use super::traps::{Note, Outcome, Traps};
use super::{Budget, Register, Resume, Stop, TargetInfo};
use crate::machine::Ended;

/// What an attendant may do with the processor.
pub trait Attended {
    /// What kind of machine it is.
    fn info(&self) -> &TargetInfo;
    /// Fetching from here ends a run: host functions are there.
    fn host(&self) -> RangeInclusive<u64>;
    /// A register; 0 for one there is not.
    fn get(&self, register: Register) -> u128;
    /// Sets a register, cut to its width.
    fn set(&mut self, register: Register, value: u128);
    /// Sets where the next run would begin, with the Thumb bit.
    fn set_pc(&mut self, pc: u64);
    /// Where the next run would begin, with the Thumb bit.
    fn pc(&self) -> u64;
    /// Reads mapped memory, whatever its protection. Returns the first address that is not mapped.
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), u64>;
    /// Writes mapped memory, whatever its protection. Returns the first address that is not mapped.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), u64>;
    /// How much the runs from here on may take together.
    fn allow(&mut self, budget: Budget);
    /// How many instructions of that are left.
    fn unspent(&self) -> u64;
    /// Sets what the runs from here on stop for.
    fn set_traps(&mut self, traps: &Traps);
    /// Runs from here (with the Thumb bit) until something happens.
    fn go(&mut self, begin: u64, resume: Resume) -> Outcome;
    /// What was noted since this was asked last.
    fn notes(&mut self) -> Vec<Note>;
}

/// Who attends.
pub trait Attendant {
    /// Has the processor run from here (with the Thumb bit) until something happens that its owner has to know.
    fn run(&mut self, processor: &mut dyn Attended, begin: u64, resume: Resume) -> Ended;
    /// The program waits for something from outside, such as our standard input; this is called again and again while it does. How it
    /// ends, if it is to.
    fn idle(&mut self, _: &mut dyn Attended) -> Option<Ended> {
        None
    }
    /// The program has come to an end that no run of the processor was, such as a host function that ends it.
    fn ended(&mut self, processor: &mut dyn Attended, stop: &Stop);
}

/// This engine's runs cannot be attended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only programs on the embedded emulator can be stopped and watched")]
pub struct Unattended;
