//! What other people use: the rig from their tests, the program where it is installed, the action in their CI, and the README
//! that tells them so.

mod action;
mod installed;
mod outside;
mod readme;
mod rig;

use std::path::Path;

/// The root of the repository.
fn repository() -> &'static Path {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().unwrap_or(harness)
}

/// Where Cargo puts what it builds.
fn target_directory() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_harness")).ancestors().nth(2).expect("PROFILE/harness")
}
