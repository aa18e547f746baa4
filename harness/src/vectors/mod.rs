//! Relocation vectors: what the proofs know as data, for other people's unit tests. For each relocation of the ABI there are
//! small objects with S, A, P and the bytes of the place before and after, or the error that there has to be (docs/vectors.md).
//!
//! All values are those of [`corpus::abi`]. The linker has no part in them: it is one of the subjects that are tried on them.

pub mod against;
pub mod data;
mod evaluate;
mod make;
mod object;
pub mod own;
pub mod peer;
mod pick;
mod reasons;
pub mod subject;
mod write;

pub use make::{Made, make};
pub use write::{SCHEMA, Writer, read};
