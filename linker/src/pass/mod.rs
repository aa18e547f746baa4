//! Passes over the graph, one file each, in the order in which they run.

pub(crate) mod assign;
pub(crate) mod frame_index;
pub(crate) mod got;
pub(crate) mod ifunc;
pub(crate) mod initialise;
pub(crate) mod platform;
pub(crate) mod prune;
pub(crate) mod relax;
pub(crate) mod sign;
pub(crate) mod stubs;
pub(crate) mod unwind;
