//! SimpleRemoteEPC, the protocol between LLVM ORC's linker and the process that runs what was linked.
//!
//! The *controller* links; the *executor* owns memory and processor. All between them is [`crate::orc::wire`] messages over a byte stream,
//! whose payloads are [`crate::orc::sps`]; [`crate::orc`] has the structures that ORC sends. [`server`] makes an executor of this protocol out of
//! any [`crate::executor::Executor`], so that a stock `llvm-jitlink` links for a machine of ours.

mod access;
mod calls;
mod memory;
pub mod place;
mod registered;
pub mod server;
mod session;
mod symbols;
pub mod tcp;

pub(crate) use session::{PROCESS, address, row};
