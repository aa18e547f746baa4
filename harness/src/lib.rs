//! Linkrig's harness.
