//! SimpleRemoteEPC, the protocol between LLVM ORC's linker and the process that runs what was linked.
//!
//! The *controller* links; the *executor* owns memory and processor. All between them is [`wire`] messages over a byte stream,
//! whose payloads are [`sps`]; [`orc`] has the structures that ORC sends. [`server`] makes an executor of this protocol out of
//! any [`crate::executor::Executor`], so that a stock `llvm-jitlink` links for a machine of ours.

mod access;
mod calls;
mod memory;
pub mod orc;
pub mod server;
pub mod sps;
mod symbols;
pub mod tcp;
pub mod wire;
