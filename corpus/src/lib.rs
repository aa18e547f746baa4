//! Linkrig's corpus: the cases, the toolchains that build them, and the objects that are checked in.
//!
//! A case is a source with directives ([`directive`], `docs/directives.md`). [`case::load_all`] reads them,
//! [`case::Case::builds`] says how each is to be built, [`build::build`] does it with what [`toolchain::Toolchains::discover`]
//! found, and [`prebuilt`] keeps the results so that others need no compiler. Nothing here runs what was built.

#![forbid(unsafe_code)]

pub mod abi;
pub mod build;
pub mod case;
mod corpus;
pub mod directive;
pub mod matrix;
pub mod prebuilt;
pub mod sets;
pub mod target;
pub mod toolchain;
pub mod value;

mod digest;
mod text;

pub use corpus::Corpus;
pub use text::ParseError;
