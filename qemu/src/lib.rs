//! Boards: QEMU machines as execution targets.
//!
//! Empty so far. The embedded emulator runs in `harness`; boards, disk images and the guest agent will live here.

pub mod image;
