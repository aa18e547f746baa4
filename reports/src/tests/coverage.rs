//! The matrix as text.

use crate::coverage::{Cell, Matrix, Outcome, Proof};

fn matrix() -> Matrix {
    let mut matrix = Matrix::new([("armv7", 2, "R_ARM_ABS32"), ("aarch64_ilp32", 1, "R_AARCH64_P32_ABS32")]);
    let cell = |outcome| Cell { outcome, runs: 7, cases: Vec::new() };
    let reason = Outcome::NotApplicable { reason: "no core".to_owned(), evidence: "it says so".to_owned() };
    assert!(matrix.set("armv7", 2, Proof::Encode, cell(Outcome::Passed)));
    assert!(matrix.set("armv7", 2, Proof::Dirty, cell(Outcome::Failed { why: "it\u{1b} is wrong".to_owned() })));
    assert!(matrix.set("aarch64_ilp32", 1, Proof::Dirty, cell(reason)));
    assert!(!matrix.set("armv7", 3, Proof::Dirty, cell(Outcome::Passed)));
    matrix
}

#[test]
fn what_was_not_tried_is_named_and_not_counted() {
    let text = matrix().terminal();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "target        relocation                                      encode     dirty",
            "armv7         R_ARM_ABS32                                          7    FAILED",
            "aarch64_ilp32 R_AARCH64_P32_ABS32                                  -       n/a",
            "",
            "armv7         encode     1 passed    0 failed    0 not covered    0 not applicable",
            "armv7         dirty      0 passed    1 failed    0 not covered    0 not applicable",
            "aarch64_ilp32 encode     0 passed    0 failed    1 not covered    0 not applicable",
            "aarch64_ilp32 dirty      0 passed    0 failed    0 not covered    1 not applicable",
            "not tried: edge, execute, differ, remote, cases",
            "FAIL armv7 R_ARM_ABS32 dirty: it\\x1b is wrong",
        ]
    );
}

#[test]
fn markdown_has_the_same_columns() {
    let text = matrix().markdown();
    assert!(text.contains("| armv7 | dirty | 0 | 1 | 0 | 0 |\n"), "{text}");
    assert!(text.contains("\nNot tried: edge, execute, differ, remote, cases.\n"), "{text}");
    assert!(text.contains("| target | relocation | encode | dirty |\n|---|---|---|---|\n"), "{text}");
    assert!(
        text.ends_with("| armv7 | R_ARM_ABS32 | 7 | FAILED |\n| aarch64_ilp32 | R_AARCH64_P32_ABS32 | - | n/a |\n"),
        "{text}"
    );
}
