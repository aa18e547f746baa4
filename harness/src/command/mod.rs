//! One file a subcommand.

pub mod exec;
pub mod explain;
pub mod graph;
pub mod link;
pub mod relocations;
pub mod run;
pub mod toolchains;
