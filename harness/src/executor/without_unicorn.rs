//! What stands for the embedded emulator in a build without it: a machine that cannot be made, so that nothing else has to
//! know which build it is.

use std::ops::RangeInclusive;

use linker::Target;

use super::attendant::Crew;
use super::hosted::Hosted;
use super::hosted::engine::{Access, Context, Ended, Engine};
use super::place::Ranges;
use crate::machine::{self, Budget, Register, Resume, TargetInfo};

/// A processor without anything around it, which is not there either.
pub type Processor = Absent;

/// A machine around an emulator that is not there.
pub type Unicorn = Hosted<Absent>;

/// There is none.
#[derive(Clone, Copy, Debug)]
pub enum Absent {}

/// The machine could not be made.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this build has no emulator: its Cargo feature `unicorn` is off")]
pub struct NewError;

/// Fails.
pub fn processor(_: &'static Target, _: u64) -> Result<Processor, NewError> {
    Err(NewError)
}

impl Unicorn {
    /// Fails.
    pub fn new(_: &'static Target) -> Result<Unicorn, NewError> {
        Err(NewError)
    }

    /// Fails.
    pub fn for_executable(_: &'static Target) -> Result<Unicorn, NewError> {
        Err(NewError)
    }

    /// Whether this target's processor has no A32 state.
    pub fn has_thumb_only(target: &Target) -> bool {
        machine::Processor::of(target).is_some_and(|processor| processor.m_profile)
    }

    /// Watches nothing.
    pub fn watch(&mut self, _: RangeInclusive<u64>) {
        match *self.engine() {}
    }

    /// Has seen nothing.
    pub fn unwatch(&mut self) -> bool {
        match *self.engine() {}
    }
}

impl Context for Absent {
    fn get(&self, _: Register) -> u128 {
        match *self {}
    }

    fn set(&mut self, _: Register, _: u128) {
        match *self {}
    }
}

impl Engine for Absent {
    type Context = Absent;

    fn info(&self) -> &TargetInfo {
        match *self {}
    }

    fn set_host(&mut self, _: RangeInclusive<u64>) {
        match *self {}
    }

    fn regions(&self) -> &Ranges<Access> {
        match *self {}
    }

    fn regions_mut(&mut self) -> &mut Ranges<Access> {
        match *self {}
    }

    fn protect(&mut self, _: RangeInclusive<u64>, _: Access) {
        match *self {}
    }

    fn split(&mut self, _: u64) {
        match *self {}
    }

    fn unmap(&mut self, _: u64) -> Result<(), String> {
        match *self {}
    }

    fn write(&mut self, _: u64, _: &[u8]) -> Result<(), u64> {
        match *self {}
    }

    fn read(&mut self, _: u64, _: &mut [u8]) -> Result<(), u64> {
        match *self {}
    }

    fn get(&self, _: Register) -> u128 {
        match *self {}
    }

    fn set(&mut self, _: Register, _: u128) {
        match *self {}
    }

    fn set_pc(&mut self, _: u64) {
        match *self {}
    }

    fn thumb(&self) -> bool {
        match *self {}
    }

    fn save(&self) -> Result<Absent, String> {
        match *self {}
    }

    fn restore(&mut self, _: &Absent) -> Result<(), String> {
        match *self {}
    }

    fn allow(&mut self, _: Budget) {
        match *self {}
    }

    fn charge(&mut self) -> bool {
        match *self {}
    }

    fn unspent(&self) -> u64 {
        match *self {}
    }

    fn memory(&self) -> u64 {
        match *self {}
    }

    fn run(&mut self, _: u64, _: Resume, _: &mut dyn Crew) -> Ended {
        match *self {}
    }

    fn reset(&mut self) {
        match *self {}
    }
}
