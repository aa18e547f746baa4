//! Every relocation that the linker has a row for is proven against the ABI.

use corpus::abi::{self, Standing};
use harness::proof::{Proof, Report, Verdict, class, prove};
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
    for target in ["aarch64", "aarch64_be"] {
        let report = run(target);
        assert_eq!((counts(&report), report.without_row.len()), ([(112, 5), (106, 11), (112, 5)], 20));
    }
}

#[test]
fn ilp32() {
    let report = run("aarch64_ilp32");
    assert_eq!((counts(&report), report.without_row.len()), ([(76, 2), (69, 9), (76, 2)], 0));
}

#[test]
fn arm() {
    for target in ["armv7", "armebv7"] {
        let report = run(target);
        assert_eq!((counts(&report), report.without_row.len()), ([(96, 2), (96, 2), (96, 2)], 15));
    }
}

/// Where the numbers begin that AAELF64 leaves to vendors and experiments.
const EXPERIMENTS: u32 = 0x8000;

/// Both tables know the same numbers under the same names, and agree on which are for linkers.
#[test]
fn one_table_says_what_the_other_says() {
    let mut differences = Vec::new();
    for target in ["aarch64", "aarch64_ilp32", "armv7"] {
        let target = Target::named(target).expect("a target");
        let class = class(target);
        let of_abi = || abi::of(class).relocations.iter().filter(|relocation| relocation.class == class);
        for relocation in of_abi() {
            let row = target.architecture.rows().iter().find(|row| row.number == relocation.number);
            let is_named = |name: &str| relocation.name == name || relocation.aliases.iter().any(|alias| alias == name);
            match row {
                // A table of rows for numbers that were given up before there was a release would be a long one.
                None if relocation.number >= EXPERIMENTS => {}
                None => differences.push(format!("{} {}: no row", relocation.number, relocation.name)),
                Some(row) if !is_named(row.name) => {
                    differences.push(format!("{} {}: row is {}", relocation.number, relocation.name, row.name));
                }
                Some(row)
                    if row.standing.is_static()
                        && !matches!(relocation.standing, Standing::Static | Standing::Deprecated) =>
                {
                    differences.push(format!("{} {}: row is {:?}", relocation.number, relocation.name, row.standing));
                }
                Some(_) => {}
            }
        }
        for row in target.architecture.rows() {
            if !of_abi().any(|relocation| relocation.number == row.number) {
                differences.push(format!("{} {}: not in the transcription", row.number, row.name));
            }
        }
    }
    assert_eq!(differences.join("\n"), "");
}
