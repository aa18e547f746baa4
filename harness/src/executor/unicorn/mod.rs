//! The embedded executor: an emulated processor inside this process.

mod cpu;
mod engine;
mod hooks;
mod pages;

use std::ops::RangeInclusive;

use linker::Target;

use self::cpu::Cpu;
pub use self::engine::Emulator;
use super::rig::engine::PAGE;
use super::rig::{self, Rig};
use super::{Abi, TargetInfo};

/// A machine around the embedded emulator.
pub type Unicorn = Rig<Emulator>;

/// The machine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// No processor of this engine runs this target's code.
    #[error("no emulated processor for {0}")]
    Unsupported(&'static str),
    /// The engine itself failed.
    #[error("the emulator failed: {0}")]
    Engine(#[from] unicorn_engine::uc_error),
}

impl Unicorn {
    /// A machine for this target, with the standard host functions.
    pub fn new(target: &'static Target) -> Result<Unicorn, NewError> {
        let cpu = Cpu::of(target).ok_or(NewError::Unsupported(target.name))?;
        let info = TargetInfo {
            target,
            cpu: cpu.name.into(),
            abi: Abi::of(target),
            m_profile: cpu.m_profile,
            signs: cpu.is_64(),
            page_size: PAGE,
            origin: 0,
            usable: rig::usable(cpu.is_64(), cpu.m_profile, 0),
        };
        Ok(Rig::around(Emulator::new(cpu, info)?))
    }

    /// Whether this target's processor has no A32 state.
    pub fn has_thumb_only(target: &Target) -> bool {
        Cpu::of(target).is_some_and(|cpu| cpu.m_profile)
    }

    /// Notes from now on whether the guest executes or reads any of these bytes, until [`Unicorn::unwatch`]. A reset
    /// changes nothing about it.
    pub fn watch(&mut self, bytes: RangeInclusive<u64>) {
        // Callbacks are refused only for lack of memory; then nothing is seen.
        let _ = self.engine_mut().watch(Some(bytes));
    }

    /// Whether the guest has executed or read any of the watched bytes, which are watched no more.
    pub fn unwatch(&mut self) -> bool {
        let seen = self.engine().seen();
        let _ = self.engine_mut().watch(None);
        seen
    }
}
