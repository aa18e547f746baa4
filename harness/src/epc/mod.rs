//! SimpleRemoteEPC, the protocol between LLVM ORC's linker and the process that runs what was linked.
//!
//! The *controller* links; the *executor* owns memory and processor. All between them is [`wire`] messages over a byte stream,
//! whose payloads are [`sps`]; [`orc`] has the structures that
//! ORC sends.

pub mod orc;
pub mod sps;
pub mod wire;
