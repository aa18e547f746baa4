//! A linker core.
#![forbid(unsafe_code)]

pub mod memory;
pub mod target;

pub use target::{TARGETS, Target};
