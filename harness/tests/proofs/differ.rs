//! The column *differ*: every relocation agrees with a peer, or the peers themselves say why there is nothing to compare.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What a peer says of a relocation that it does not know, or knows too little of.
const COMPLAINTS: &[&str] = &[
    "unknown relocation",
    "unsupported relocation",
    "unrecognized relocation",
    "relocation truncated",
    "cannot read addend",
    "assertion fail",
    "signal: 11",
    "out of memory",
    // An output of more than it may write: its segments are far apart.
    "File too large",
];

/// Passed, not applicable, and the reasons for it, of one target.
fn matrix(target: &str) -> (usize, BTreeMap<String, usize>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let output = command.args(["coverage", "--differ", "--format", "json", "--arch", target]).output();
    let output = output.expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let matrix: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let (mut passed, mut reasons) = (0, BTreeMap::new());
    for line in matrix["lines"].as_array().expect("lines") {
        let cell = &line["cells"]["differ"];
        let (reason, evidence) = (cell["reason"].as_str(), cell["evidence"].as_str().unwrap_or_default());
        match cell["verdict"].as_str() {
            Some("passed") => passed += 1,
            Some("not-applicable") => *reasons.entry(reason.expect("a reason").to_owned()).or_default() += 1,
            _ => panic!("{target}: {line}"),
        }
        if reason == Some("no peer links it") {
            let complains = |peer: &str| COMPLAINTS.iter().any(|complaint| peer.contains(complaint));
            assert!(evidence.split("; ").filter(|peer| complains(peer)).count() == 2, "{target}: {line}");
        }
    }
    (passed, reasons)
}

#[test]
fn nothing_is_open() {
    for (target, least) in [("armv7", 83), ("aarch64", 92), ("aarch64_ilp32", 49)] {
        let (passed, reasons) = matrix(target);
        println!("{target}: {passed} agree, {reasons:?}");
        assert!(passed >= least, "{target}: only {passed} agree, {reasons:?}");
    }
}
