//! Linkrig's harness.

pub mod call;
pub mod executor;
pub mod host;
