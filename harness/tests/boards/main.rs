//! Boards: bare, with a Linux, and by `harness board`. Without QEMU, or without the images that variables name, a test says that
//! it is skipped.

mod bare;
mod codes;
mod linux;
mod lost;
mod m_profile;
mod snapshot;
mod support;
mod user;
