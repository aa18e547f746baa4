//! Exit statuses, the same in every command, as scripts see them.
//!
//! Two commands end with the status of a program that they run, `exec` and `board`; what is of their own beyond that they say
//! themselves. The numbers from 65 on are those of `sysexits.h`, where it has one.

/// Everything came out as expected.
pub const OK: u8 = 0;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// Nothing was selected: a run of nothing is not a success.
pub const NOTHING_SELECTED: u8 = 4;
/// A file that was named cannot be read, or is not what it has to be: missing, a directory or a pipe, damaged, too large, for
/// another machine.
pub const BAD_INPUT: u8 = 65;
/// An executor or a toolchain that is needed is missing.
pub const MISSING: u8 = 69;
/// Machines were lost, twice for the same configuration, and nothing failed: emulators or boards that ended, which says nothing
/// about what was linked.
pub const LOST: u8 = 75;
/// The harness itself failed.
pub const HARNESS_FAILED: u8 = 70;
/// A file that was named, or the standard output, cannot be written. That nobody reads the standard output to its end is no failure.
pub const BAD_OUTPUT: u8 = 74;
/// Failures or regressions, or a link that cannot be made.
pub const FAILURES: u8 = 100;
/// Ctrl-C: what was there has been written. After SIGTERM it is 143.
pub const INTERRUPTED: u8 = 130;
