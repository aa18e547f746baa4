//! Whole programs that know their own result, as a proof of linkers: of what lies between relocations.
//!
//! A seed gives a *program* ([`model`], [`generate`]): objects with data, functions, tables and the like, and checks, each of
//! which gets at something by instructions that a compiler or a programmer could have written. What a check has to find is
//! computed from the model ([`expect`]), never taken from a linker. The program is written as assembly text ([`render`], with
//! the instruction sets in [`dialect`]), assembled ([`build`]), linked and run ([`bench`]) for each [`subject`], and its answer is
//! the number of the first check that failed. Where a linker is wrong, the program is made smaller while it stays wrong
//! ([`reduce`]). [`campaign`] does this for many seeds.

pub mod bench;
pub mod build;
pub mod campaign;
pub mod dialect;
pub mod expect;
pub mod generate;
mod image;
pub mod model;
pub mod quirks;
pub mod reduce;
pub mod render;
pub mod report;
pub mod subject;
