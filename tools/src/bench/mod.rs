//! The needs of benches: their inputs, and the linkers to compare with.

pub(crate) mod inputs;
pub(crate) mod peers;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::step::cargo;

/// What `cargo metadata` says.
fn metadata(arguments: &[&str]) -> Result<Value> {
    let output = cargo(&[&["metadata", "--format-version", "1"], arguments].concat())
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata failed with {}", output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Where Cargo builds.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata = metadata(&["--no-deps"])?;
    Ok(metadata["target_directory"].as_str().context("cargo metadata names no target directory")?.into())
}

/// The first of these programs that there is.
pub(crate) fn installed(names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| which::which(name).is_ok())
}

/// The command line as one would type it.
fn line(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
