//! A machine that linked programs run on, as everybody sees it who has to do with one: what kind it is, its registers, its
//! memory, and how a run ends. Executors, host functions and calls are made of these words, and this page knows none of them.

mod abi;
pub mod arguments;
pub mod processor;
mod register;
mod stop;

use std::borrow::Cow;
use std::ops::RangeInclusive;

use linker::Target;

pub use abi::Abi;
pub use processor::Processor;
pub use register::Register;
pub(crate) use stop::GUARD;
pub use stop::{Budget, Call, Ended, Exit, Fault, FaultKind, Limit, Lost, Resume, Stop};

/// What an executor publishes about itself.
#[derive(Clone, Debug)]
pub struct TargetInfo {
    /// The row of the linker's target table.
    pub target: &'static Target,
    /// The emulated or real processor, as its maker calls it.
    pub cpu: Cow<'static, str>,
    /// The calling convention of its code.
    pub abi: Abi,
    /// Thumb only, without A32 state: an even branch target is a fault.
    pub m_profile: bool,
    /// Has instructions and keys that sign pointers.
    pub signs: bool,
    /// Granularity of protections.
    pub page_size: u64,
    /// Where its memory begins: what is at `a` elsewhere is at this and `a`. 0 wherever addresses can be chosen.
    pub origin: u64,
    /// Where segments may be placed. What lies outside is the executor's own (stack, heap, host functions).
    pub usable: Vec<RangeInclusive<u64>>,
}

impl TargetInfo {
    /// Whether this is a 64-bit machine.
    pub fn is_64(&self) -> bool {
        self.target.register_bits == 64
    }
}

/// Memory the guest may not access in this way, or that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {} access to {address:#x}", .kind.name())]
pub struct Inaccessible {
    /// Read or write.
    pub kind: FaultKind,
    /// The first address that could not be accessed.
    pub address: u64,
}

/// Why a host function's access to the guest's memory did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The guest may not do this: its fault.
    #[error(transparent)]
    Inaccessible(#[from] Inaccessible),
    /// The run has used up what it may take of this.
    #[error("out of budget: {0}")]
    Exhausted(Limit),
    /// It cannot be done here: why.
    #[error("{0}")]
    Refused(String),
}

/// The machine as host functions see it: registers, and memory under the guest's own permissions.
pub trait Guest {
    /// What kind of machine it is.
    fn info(&self) -> &TargetInfo;
    /// A register; 0 for one this machine does not have.
    fn get(&self, register: Register) -> u128;
    /// Sets a register, cut to its width.
    fn set(&mut self, register: Register, value: u128);
    /// Reads what the guest may read.
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), AccessError>;
    /// Writes what the guest may write.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), AccessError>;
    /// Takes host work from the run's budget, in bytes looked at or what is as much work. Reading and writing do so themselves.
    fn spend(&mut self, _bytes: u64) -> Result<(), AccessError> {
        Ok(())
    }
    /// More memory for the guest's heap: at least so many bytes, zero. None when there is no room.
    fn more(&mut self, _bytes: u64) -> Option<RangeInclusive<u64>> {
        None
    }
}
