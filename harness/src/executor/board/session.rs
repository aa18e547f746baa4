//! A running board as its executors share it: it is started when it is first needed, and again after it was lost.

use std::time::Duration;

use qemu::{Board, Machine};

use crate::epc::wire::{Header, Opcode};

/// How much longer than the guest may run it may take to answer.
const GRACE: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The board cannot be started.
    #[error(transparent)]
    Start(#[from] qemu::Error),
    /// It is gone.
    #[error("the board {board} was lost: {why}")]
    Lost {
        /// Its name.
        board: String,
        /// What happened.
        why: String,
    },
}
