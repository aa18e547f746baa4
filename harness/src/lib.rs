//! Links relocatable objects for ARM and AArch64 into emulated machines, runs them, and says what is right and what is not.
//!
//! This is the library behind the program `harness`. What is meant for other people's tests is the rig: [`Rig`] says what is
//! linked, for which processor, and where; the [`Program`] that comes of it is called from Rust.
//!
//! ```
//! use harness::{Layout, Rig};
//!
//! # fn main() -> harness::Result {
//! for target in ["aarch64", "armv7", "thumbv7"] {
//!     let mut program = Rig::new(target)
//!         .source("caller.c", "int callee(int); int caller(int x) { return callee(x) + 1; }")
//!         .source("callee.c", "int callee(int x) { return 2 * x; }")
//!         .layout(Layout::Far)
//!         .link()?;
//!     assert_eq!(program.call::<i32>("caller", (20,))?, 41);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`rig`] has the whole of it: objects, archives, files and sources; typed calls; memory, registers, output, relocations;
//!   functions of your own that the program calls.
//! - [`Error`] is made for tests: one that returns [`Result`] prints the place, the registers, and the relocations on the way.
//! - [`machine`] and [`host`] hold what the rig hands out: how a run can end, and how a function of the host sees its call.
//! - [`linker`] is the linker core, which needs none of this.
//!
//! # Features
//!
//! `unicorn`, which is on by default, is the embedded emulator. It is GPL-2.0, and so is a program that has it. Without it the
//! crate is MIT or Apache-2.0, and programs run on boards in QEMU, which has to be installed.
//!
//! # What is stable
//!
//! What these pages show. The other modules are parts of the program, hidden here, and change as it does.

// Where nobody reads they panic: `stdout` has others.
#![warn(clippy::print_stdout, clippy::print_stderr)]

// Their macros are for all that follows.
#[doc(hidden)]
#[macro_use]
pub mod exit;
#[doc(hidden)]
#[macro_use]
pub mod stdout;

#[doc(hidden)]
pub mod blame;
#[doc(hidden)]
pub mod bless;
#[doc(hidden)]
pub mod call;
#[doc(hidden)]
pub mod check;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod command;
mod contained;
#[doc(hidden)]
pub mod debug;
pub mod dice;
#[doc(hidden)]
pub mod disassembly;
#[doc(hidden)]
pub mod epc;
pub mod executor;
#[doc(hidden)]
pub mod fuzz;
#[doc(hidden)]
pub mod gdb;
pub mod held;
pub mod host;
#[doc(hidden)]
pub mod inputs;
#[doc(hidden)]
pub mod judge;
#[doc(hidden)]
pub mod libraries;
#[doc(hidden)]
pub mod linked;
#[doc(hidden)]
pub mod linking;
#[doc(hidden)]
pub mod linux;
#[doc(hidden)]
pub mod loader;
#[doc(hidden)]
pub mod locate;
pub mod machine;
#[doc(hidden)]
pub mod maker;
#[doc(hidden)]
pub mod map;
#[doc(hidden)]
pub mod messages;
#[doc(hidden)]
pub mod oracle;
#[doc(hidden)]
pub mod orc;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod proof;
#[doc(hidden)]
pub mod raw;
#[doc(hidden)]
pub mod reduce;
#[doc(hidden)]
pub mod response;
pub mod rig;
#[doc(hidden)]
pub mod run;
#[doc(hidden)]
pub mod script;
#[doc(hidden)]
pub mod shrink;
#[doc(hidden)]
pub mod startup;
#[doc(hidden)]
pub mod subject;
#[doc(hidden)]
pub mod suspects;
#[doc(hidden)]
pub mod trace;
#[doc(hidden)]
pub mod user_mode;
#[doc(hidden)]
pub mod vectors;
#[doc(hidden)]
pub mod wording;

pub use linker::{self, Layout};

pub use crate::rig::{Error, Pointer, Program, Result, Rig, Symbol};

/// The examples of the README are compiled and run as those of this crate are.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
