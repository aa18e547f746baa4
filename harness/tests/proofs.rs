//! Every relocation that the linker has a row for is proven against the ABI.

use harness::proof::{Proof, Report, Verdict, prove};
use linker::Target;

fn run(target: &str) -> Report {
    let report = prove(Target::named(target).expect("a target"));
    let failed: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::Failed(_)))
        .map(ToString::to_string)
        .collect();
    println!("{target}: no row for {}", report.without_row.join(", "));
    for finding in report.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::NotApplicable(..))) {
        println!("{finding}");
    }
    assert!(failed.is_empty(), "{} of {} failed\n{}", failed.len(), report.findings.len(), failed.join("\n"));
    assert!(report.findings.iter().all(|finding| finding.runs > 0 || finding.verdict != Verdict::Passed));
    report
}

/// Passed and not applicable, for each proof.
fn counts(report: &Report) -> [(usize, usize); 3] {
    [Proof::Encode, Proof::Edge, Proof::Dirty].map(|proof| {
        let of = |passed: bool| {
            let findings = report.findings.iter().filter(|finding| finding.proof == proof);
            findings.filter(|finding| (finding.verdict == Verdict::Passed) == passed).count()
        };
        (of(true), of(false))
    })
}

#[test]
fn aarch64() {
    let report = run("aarch64");
    assert_eq!((counts(&report), report.without_row.len()), ([(112, 5), (106, 11), (112, 5)], 15));
}

#[test]
fn arm() {
    let report = run("armv7");
    assert_eq!((counts(&report), report.without_row.len()), ([(96, 2), (96, 2), (96, 2)], 15));
}
