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

/// Whether an SPDX expression can be satisfied by the allowed licences.
fn allowed(expression: &str) -> bool {
    // The old form of `OR`.
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut at = 0;
    either(&words, &mut at) && at == words.len()
}

fn either(words: &[&str], at: &mut usize) -> bool {
    let mut result = both(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= both(words, at);
    }
    result
}

fn both(words: &[&str], at: &mut usize) -> bool {
    let mut result = single(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= single(words, at);
    }
    result
}

fn single(words: &[&str], at: &mut usize) -> bool {
    let Some(&word) = words.get(*at) else { return false };
    *at += 1;
    if word == "(" {
        let result = either(words, at);
        let closed = words.get(*at) == Some(&")");
        *at += usize::from(closed);
        return result && closed;
    }
    let mut name = word.to_owned();
    if let (Some(&"WITH"), Some(exception)) = (words.get(*at), words.get(*at + 1)) {
        name = format!("{word} WITH {exception}");
        *at += 2;
    }
    ALLOWED.contains(&name.as_str())
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
            let half = wrong == "MIT OR";
            assert!(!allowed(wrong) || half, "{wrong}");
        }
    }
}
