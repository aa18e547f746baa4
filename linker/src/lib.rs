//! A linker core.
#![forbid(unsafe_code)]

pub mod arch;
pub mod error;
pub mod field;
pub mod graph;
pub mod index;
pub mod memory;
pub mod relocation;
pub mod target;

pub use target::{TARGETS, Target};
