//! Exit statuses of `run` and `compare`, as scripts see them.

/// Everything came out as expected.
pub const OK: u8 = 0;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// Nothing was selected: a run of nothing is not a success.
pub const NOTHING_SELECTED: u8 = 4;
/// An executor or a toolchain that is needed is missing.
pub const MISSING: u8 = 69;
/// The harness itself failed.
pub const HARNESS_FAILED: u8 = 70;
/// Failures or regressions.
pub const FAILURES: u8 = 100;
