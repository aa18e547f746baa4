//! Exit statuses of the program.

pub use reports::exit::{FAILURES, HARNESS_FAILED, MISSING, NOTHING_SELECTED, OK, USAGE};

/// `exec`: the guest ran out of its budget.
pub const BUDGET: u8 = 124;
/// `exec`: it could not be linked or started.
pub const NOT_STARTED: u8 = 125;
/// `exec`: nobody reads what the guest prints. As a shell shows SIGPIPE.
pub const CLOSED_PIPE: u8 = 128 + 13;
