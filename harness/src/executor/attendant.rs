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

/// The threads of a program, which share its processor.
pub trait Crew {
    /// The number of the one that has the processor, and never 0.
    fn current(&self) -> u32;
    /// All of them.
    fn members(&self) -> Vec<Member>;
    /// A register of one that does not have the processor; none if there is no such thread.
    fn get(&self, thread: u32, register: Register) -> Option<u128>;
    /// Sets it, cut to its width. Whether there is such a thread.
    fn set(&mut self, thread: u32, register: Register, value: u128) -> bool;
    /// Has the processor given to this one next, once the run is over; and with `alone` to no other one as long as it waits for
    /// nothing.
    fn prefer(&mut self, thread: u32, alone: bool);
    /// Has any of them get the processor again.
    fn share(&mut self);
}

/// A thread of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub id: u32,
    /// What it calls itself.
    pub name: String,
    /// What it waits for, in words, if it does.
    pub waits: Option<String>,
}

/// The one thread of a program that has no others.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Crew for Alone {
    fn current(&self) -> u32 {
        1
    }

    fn members(&self) -> Vec<Member> {
        vec![Member { id: 1, name: String::new(), waits: None }]
    }

    fn get(&self, _: u32, _: Register) -> Option<u128> {
        None
    }

    fn set(&mut self, _: u32, _: Register, _: u128) -> bool {
        false
    }

    fn prefer(&mut self, _: u32, _: bool) {}

    fn share(&mut self) {}
}

/// Who attends.
pub trait Attendant {
    /// Has the processor run from here (with the Thumb bit) until something happens that its owner has to know.
    fn run(&mut self, processor: &mut dyn Attended, crew: &mut dyn Crew, begin: u64, resume: Resume) -> Ended;
    /// The program waits for something from outside, such as our standard input; this is called again and again while it does. How it
    /// ends, if it is to.
    fn idle(&mut self, _: &mut dyn Attended, _: &mut dyn Crew) -> Option<Ended> {
        None
    }
    /// The program has come to an end that no run of the processor was, such as a host function that ends it.
    fn ended(&mut self, processor: &mut dyn Attended, crew: &mut dyn Crew, stop: &Stop);
}

/// This engine's runs cannot be attended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only programs on the embedded emulator can be stopped and watched")]
pub struct Unattended;
