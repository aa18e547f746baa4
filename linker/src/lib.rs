//! A linker core: relocatable objects in, bytes at their final addresses out.
//!
//! Objects and static archives are read into a [`graph::LinkGraph`]; what the roots do not reach is dropped; tables, stubs
//! and veneers are made; everything is laid out, fixed up by the relocation tables of the architecture, and handed to a
//! [`memory::Memory`], which the caller implements: memory of this process, of an emulated machine, of a peer, a file.
//! The crate does no I/O, starts nothing, and does not panic on any input: whatever is wrong with an object is an
//! [`Error`] that names file, section, offset, relocation and symbol.
//!
//! ```
//! use linker::memory::{Action, InFlight, Memory, MemoryError, Segment};
//! use linker::link::Found;
//! use linker::{Layout, Options, Parsed, Roots, Target};
//!
//! /// Target memory that is one vector: segments behind each other from `BASE` on.
//! struct Ram(Vec<u8>);
//! const BASE: u64 = 0x1_0000;
//! struct Reserved(Vec<(u64, Vec<u8>)>);
//! impl InFlight for Reserved {
//!     fn address(&self, segment: usize) -> u64 { self.0[segment].0 }
//!     fn content(&mut self, segment: usize) -> &mut [u8] { &mut self.0[segment].1 }
//! }
//! impl Memory for Ram {
//!     type InFlight = Reserved;
//!     type Finalized = ();
//!     fn page_size(&self) -> u64 { 4096 }
//!     fn reserve(&mut self, segments: &[Segment]) -> Result<Reserved, MemoryError> {
//!         let place = |segment: &Segment| match segment.place {
//!             linker::memory::Place::Offset(offset) => BASE + offset,
//!             _ => BASE,
//!         };
//!         Ok(Reserved(segments.iter().map(|s| (place(s), vec![0; s.content])).collect()))
//!     }
//!     fn finalize(&mut self, memory: Reserved, _: &[Action]) -> Result<(), MemoryError> {
//!         for (address, content) in memory.0 {
//!             let start = (address - BASE) as usize;
//!             self.0.resize(self.0.len().max(start + content.len()), 0);
//!             self.0[start..start + content.len()].copy_from_slice(&content);
//!         }
//!         Ok(())
//!     }
//!     fn abandon(&mut self, _: Reserved) {}
//!     fn release(&mut self, _: Vec<()>) -> Result<(), MemoryError> { Ok(()) }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let object = include_bytes!("../tests/data/call.o");
//! let mut ram = Ram(Vec::new());
//! let mut link = Parsed::new(Target::named("aarch64").ok_or("no such target")?, Options::default());
//! link.add("call.o", object)?;
//! let linked = link
//!     .prune(Roots::Names(&["caller"]))?
//!     .reserve(&mut ram, &Layout::Anywhere)?
//!     .resolve(&mut ram, |name| (name == "callee").then_some(Found::Function(0x2_0000)))?
//!     .fix(&mut ram)?
//!     .finalize(&mut ram)?;
//! // `bl callee` at the start: 0xffff_0000 / 4 words ahead.
//! let at = (linked.address("caller").ok_or("pruned")? - BASE) as usize;
//! assert_eq!(ram.0[at..at + 4], 0x9400_4000u32.to_le_bytes());
//! # Ok(())
//! # }
//! ```
//!
//! The steps are values ([`link`]): each consumes the one before, and between any two of them the graph can be looked at
//! and changed.
#![forbid(unsafe_code)]

pub mod arch;
pub mod archive;
pub mod assign;
mod branch;
pub mod build;
pub mod compressed;
pub mod defined;
mod elf;
pub mod error;
pub mod field;
pub mod fixup;
pub mod foreign;
mod format;
mod formats;
pub mod graph;
mod hash;
pub mod index;
pub mod layout;
mod limits;
pub mod link;
pub mod memory;
mod names;
mod pass;
pub mod platform;
pub mod relocation;
pub mod target;

pub use error::{Error, Result};
pub use layout::Layout;
pub use limits::Limits;
pub use link::{Options, Parsed, Roots};
pub use target::{TARGETS, Target};
