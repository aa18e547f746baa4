//! Linkrig's qemu.
