//! Whether every dependency may be linked into the harness: with Unicorn, which makes it GPL-2.0-only, and without, when it is
//! as permissive as its sources. `deny.toml` says the former for those who have cargo-deny; this needs nothing but cargo.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::step::cargo;

/// Licences that may be combined with every other.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A way to build the harness, and the licences besides permissive ones that may be linked into it.
struct Way {
    what: &'static str,
    features: &'static [&'static str],
    besides: &'static [&'static str],
}

const WAYS: &[Way] = &[
    // Apache-2.0 by itself may not be combined with GPL-2.0-only.
    Way {
        what: "a GPL-2.0-only program",
        features: &[],
        besides: &["GPL-2.0", "GPL-2.0-only", "GPL-2.0-or-later", "LGPL-2.1-or-later"],
    },
    Way {
        what: "a program that is MIT or Apache-2.0 (without the feature `unicorn`)",
        features: &["--no-default-features"],
        besides: &["Apache-2.0"],
    },
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

/// A package with what it depends on.
#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

/// `build` and `dev`; nothing for what is linked.
#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
}

impl Metadata {
    /// The packages that end up in a program of the workspace. What only runs while building it does not.
    fn linked(&self) -> BTreeSet<&str> {
        let nodes: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut linked = BTreeSet::new();
        let mut work: Vec<&str> = self.workspace_members.iter().map(String::as_str).collect();
        while let Some(id) = work.pop() {
            if let Some(node) = nodes.get(id).filter(|_| linked.insert(id)) {
                let is_linked = |dep: &&Dependency| dep.dep_kinds.iter().any(|kind| kind.kind.is_none());
                work.extend(node.deps.iter().filter(is_linked).map(|dep| dep.pkg.as_str()));
            }
        }
        linked
    }
}

/// Checks the licence of every package that is linked into a program of the workspace, in each way to build it.
pub(crate) fn check() -> Result<()> {
    WAYS.iter().try_for_each(check_way)
}

fn check_way(way: &Way) -> Result<()> {
    let mut command = cargo(&["metadata", "--format-version", "1", "--manifest-path", "harness/Cargo.toml"]);
    let output = command.args(way.features).output().context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let linked = metadata.linked();
    let mut refused = Vec::new();
    for package in metadata.packages.iter().filter(|package| linked.contains(package.id.as_str())) {
        let licence = package.license.as_deref().unwrap_or("none stated");
        if !allowed(licence, way.besides) {
            refused.push(format!("{} {}: {licence}", package.name, package.version));
        }
    }
    if !refused.is_empty() {
        bail!("these may not be linked into {}:\n  {}", way.what, refused.join("\n  "));
    }
    eprintln!("    {} packages, all may be linked into {}", linked.len(), way.what);
    Ok(())
}

/// Whether an SPDX expression can be satisfied by permissive licences and these. One that cannot be read is not.
fn allowed(expression: &str, besides: &[&str]) -> bool {
    // The old form of `OR`.
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut words = &words[..];
    either(&mut words, besides) == Some(true) && words.is_empty()
}

/// Takes this word from the front, if it is there.
fn take(words: &mut &[&str], wanted: &str) -> bool {
    let found = words.first() == Some(&wanted);
    if found {
        *words = &words[1..];
    }
    found
}

fn either(words: &mut &[&str], besides: &[&str]) -> Option<bool> {
    let mut result = both(words, besides)?;
    while take(words, "OR") {
        result |= both(words, besides)?;
    }
    Some(result)
}

fn both(words: &mut &[&str], besides: &[&str]) -> Option<bool> {
    let mut result = single(words, besides)?;
    while take(words, "AND") {
        result &= single(words, besides)?;
    }
    Some(result)
}

fn single(words: &mut &[&str], besides: &[&str]) -> Option<bool> {
    if take(words, "(") {
        let result = either(words, besides)?;
        return take(words, ")").then_some(result);
    }
    let is_allowed = |name: &str| PERMISSIVE.contains(&name) || besides.contains(&name);
    let (&name, rest) = words.split_first()?;
    *words = rest;
    if !take(words, "WITH") {
        return Some(is_allowed(name));
    }
    let (exception, rest) = words.split_first()?;
    *words = rest;
    Some(is_allowed(&format!("{name} WITH {exception}")))
}

#[cfg(test)]
mod tests {
    use super::{WAYS, allowed};

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
            assert!(WAYS.iter().all(|way| allowed(right, way.besides)), "{right}");
        }
        for wrong in
            ["Apache-2.0", "none stated", "", "MIT AND Apache-2.0", "(MIT", "MIT OR", "GPL-3.0-only", "MIT MIT"]
        {
            assert!(!allowed(wrong, WAYS[0].besides), "{wrong}");
        }
        assert!(allowed("GPL-2.0", WAYS[0].besides) && !allowed("GPL-2.0", WAYS[1].besides));
        assert!(allowed("Apache-2.0", WAYS[1].besides));
    }
}
