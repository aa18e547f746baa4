//! Boards: QEMU machines as execution targets, with an agent of ours in them.
//!
//! A [`Board`] is data: which QEMU machine it is, where its memory and its serial ports are, what boots on it. A [`System`] is what
//! boots: the agent alone, or a Linux with the agent as its first process, from a disk [`image`] or from files. A [`Machine`] is one
//! that runs: a QEMU process, and a [`link::Link`] to the agent in its guest. What the messages over the link say is the
//! caller's matter; the first one, with which the agent reports that it is ready, is [`Machine::hello`].

pub mod agent;
pub mod board;
pub mod card;
pub mod image;
pub mod link;
pub mod machine;
pub mod process;
pub mod qmp;
pub mod snapshot;
pub mod system;

pub use board::Board;
pub use machine::{Error, Machine};
pub use snapshot::Snapshot;
pub use system::System;
