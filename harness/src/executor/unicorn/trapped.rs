//! What callbacks know of an attended run's traps, and what they saw.

use unicorn_engine::Context;

use crate::executor::traps::{Note, Traps};

/// What callbacks know of traps, and what they saw.
#[derive(Default)]
pub(super) struct Trapped {
    pub(super) traps: Traps,
    /// Where the run began: a breakpoint there is where it was stopped before.
    pub(super) begun: Option<u64>,
    /// What the instruction that is under way has stored over: physical addresses and bytes.
    pub(super) stored: Vec<(u64, Vec<u8>)>,
    /// The registers when an access was seen.
    pub(super) before: Option<Context>,
    pub(super) notes: Vec<Note>,
}

impl Trapped {
    /// A run begins there.
    pub(super) fn begin(&mut self, begin: u64) {
        self.begun = Some(begin);
        self.stored.clear();
        self.before = None;
    }
}
