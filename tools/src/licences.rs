//! Whether every dependency may be linked into the harness, which Unicorn makes GPL-2.0-only. `deny.toml` says the same for
//! those who have cargo-deny; this needs nothing but cargo.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::step::cargo;

/// Licences that may be combined with GPL-2.0-only. Apache-2.0 by itself may not.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "ISC",
    "LGPL-2.1-or-later",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// Checks the licence of every package of the workspace's lock file.
pub(crate) fn check() -> Result<()> {
    let output = cargo(&["metadata", "--format-version", "1"]).output().context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let mut refused = Vec::new();
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or("none stated");
        if !allowed(licence) {
            refused.push(format!("{} {}: {licence}", package.name, package.version));
        }
    }
    if !refused.is_empty() {
        bail!("these may not be linked into a GPL-2.0-only program:\n  {}", refused.join("\n  "));
    }
    eprintln!("    {} packages, all may be linked", metadata.packages.len());
    Ok(())
}

/// Whether an SPDX expression can be satisfied by the allowed licences. One that cannot be read is not.
fn allowed(expression: &str) -> bool {
    // The old form of `OR`.
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut words = &words[..];
    either(&mut words) == Some(true) && words.is_empty()
}

/// Takes this word from the front, if it is there.
fn take(words: &mut &[&str], wanted: &str) -> bool {
    let found = words.first() == Some(&wanted);
    if found {
        *words = &words[1..];
    }
    found
}

fn either(words: &mut &[&str]) -> Option<bool> {
    let mut result = both(words)?;
    while take(words, "OR") {
        result |= both(words)?;
    }
    Some(result)
}

fn both(words: &mut &[&str]) -> Option<bool> {
    let mut result = single(words)?;
    while take(words, "AND") {
        result &= single(words)?;
    }
    Some(result)
}

fn single(words: &mut &[&str]) -> Option<bool> {
    if take(words, "(") {
        let result = either(words)?;
        return take(words, ")").then_some(result);
    }
    let (&name, rest) = words.split_first()?;
    *words = rest;
    if !take(words, "WITH") {
        return Some(ALLOWED.contains(&name));
    }
    let (exception, rest) = words.split_first()?;
    *words = rest;
    Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions() {
        for right in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(allowed(right), "{right}");
        }
        for wrong in
            ["Apache-2.0", "none stated", "", "MIT AND Apache-2.0", "(MIT", "MIT OR", "GPL-3.0-only", "MIT MIT"]
        {
            assert!(!allowed(wrong), "{wrong}");
        }
    }
}
